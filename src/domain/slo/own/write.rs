//! Objectives of any format as a file of our own: what is written is read back to equal objectives. What could not be
//! expressed, and everything that was said of the files it came from, stands in comments.

use crate::domain::document::{Finding, Node, Value};
use crate::domain::slo::format;
use crate::domain::slo::objective::{Bad, Combine, Gap, Identity, Objective, Sli};
use crate::domain::slo::own::VERSION;
use crate::domain::slo::pairs::Named;
use crate::domain::slo::period::{Period, Unit};
use crate::domain::slo::wording;
use crate::domain::text::clean;
use crate::domain::time::{Span, prometheus};
use std::fmt::Write;

/// The blocks of our own format that are copied from file to file as they stand.
pub const COPIED: [&str; 3] = ["services", "maintenance", "policy"];

/// A file with these objectives, and after it one document for every copied block.
pub fn file(objectives: &[Objective], findings: &[Finding], copied: &[(&str, &Node)]) -> String {
    let mut out = format!("apiVersion: {VERSION}\nkind: Objectives\n");
    if !findings.is_empty() {
        out.push_str("\n# What was said of the files this was made from:\n");
    }
    for finding in findings {
        let _ = writeln!(out, "# {}", clean(&finding.to_string()));
    }
    if !objectives.is_empty() {
        out.push_str("\nobjectives:\n");
    }
    for (at, it) in objectives.iter().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        objective(&mut out, it);
    }
    for (key, node) in copied {
        let _ = write!(out, "---\napiVersion: {VERSION}\nkind: Objectives\n{key}:");
        tree(&mut out, node, 2);
    }
    out
}

/// The names of objectives that are not read back from a file as they are; where they stand does not count.
pub fn differences(objectives: &[Objective], text: &str) -> Vec<String> {
    let (read, _) = format::read("", text);
    let same = |a: &Objective, b: &Objective| Objective { declared: a.declared.clone(), ..b.clone() } == *a;
    let lost = objectives.iter().filter(|a| !read.iter().any(|b| same(a, b)));
    let more = read.iter().filter(|b| !objectives.iter().any(|a| a.id == b.id));
    lost.chain(more).map(|o| format!("`{}`", o.id)).collect()
}

fn objective(out: &mut String, it: &Objective) {
    let _ = writeln!(out, "  # from {}", clean(&it.declared));
    let _ = writeln!(out, "  # {}", clean(&it.says));
    let _ = writeln!(out, "  - name: {}", scalar(it.id.as_str(), 4));
    field(out, 4, "service", &it.service);
    if !it.description.is_empty() {
        field(out, 4, "description", &it.description);
    }
    if !it.labels.0.is_empty() {
        out.push_str("    labels:\n");
        for (name, value) in &it.labels.0 {
            let _ = writeln!(out, "      {}: {}", scalar(name, 8), scalar(value, 8));
        }
    }
    if !it.says.ends_with("(assumed)") {
        let _ = writeln!(out, "    target: {}", it.target);
    }
    window(out, it);
    sli(out, it);
    if !it.grouping.is_empty() {
        out.push_str("    group_by:\n");
        for label in &it.grouping {
            let _ = writeln!(out, "      - {}", scalar(label, 8));
        }
    }
    if let Some(least) = it.min_failures {
        let _ = writeln!(out, "    min_failures: {least}");
    }
    match it.gap {
        Gap::Ignored => {}
        Gap::Good => out.push_str("    no_data: good\n"),
        Gap::Bad => out.push_str("    no_data: bad\n"),
    }
    pairs(out, it);
    if let Some(policy) = &it.policy {
        field(out, 4, "policy", &policy.text);
    }
    if let Some(source) = &it.source {
        field(out, 4, "source", source.as_str());
    }
    identity(out, &it.identity);
    if it.written != wording::written(&it.sli) {
        field(out, 4, "written", &it.written);
    }
}

fn field(out: &mut String, indent: usize, key: &str, text: &str) {
    let _ = writeln!(out, "{:indent$}{key}: {}", "", scalar(text, indent + 2));
}

fn window(out: &mut String, it: &Objective) {
    let nominal = it.period.as_ref().map(Period::nominal);
    if nominal != Some(it.window) {
        let _ = writeln!(out, "    window: {}", prometheus(it.window));
    }
    let Some(period) = &it.period else { return };
    let (word, count) = match period.unit {
        Unit::Week => ("week", period.count),
        Unit::Month => ("month", period.count),
        Unit::Quarter => ("quarter", period.count),
        Unit::Year => ("year", period.count),
        Unit::Days(days) => ("day", days),
    };
    let _ = writeln!(
        out,
        "    calendar:\n      period: {word}\n      count: {count}\n      time_zone: {}",
        period.zone.name()
    );
    if let Some(start) = period.start {
        let _ = writeln!(out, "      start: {}", scalar(&start.format("%Y-%m-%d %H:%M:%S").to_string(), 8));
    }
}

fn sli(out: &mut String, it: &Objective) {
    out.push_str("    sli:\n");
    match &it.sli {
        Sli::Events { bad, total } => {
            let (key, part) = match bad {
                Bad::Counted(text) => ("bad", text),
                Bad::TotalMinus(text) => ("good", text),
            };
            out.push_str("      events:\n");
            field(out, 8, key, part);
            field(out, 8, "total", total);
        }
        Sli::Opaque { ratio, slice } => {
            field(out, 6, "ratio", ratio);
            let _ = writeln!(out, "    timeslices:\n      slice: {}\n      mean: true", prometheus(*slice));
        }
        Sli::Slices { value, compare, threshold, slice } => {
            field(out, 6, "value", value);
            field(out, 6, "op", compare.sign());
            let _ = writeln!(out, "      threshold: {threshold}");
            let _ = writeln!(out, "      slice: {}", prometheus(*slice));
            // What the value is called stands in the sentence, before the comparison.
            let limit = format!(" {} {threshold} in >= ", compare.sign());
            if let Some((called, _)) = it.says.rsplit_once(&limit) {
                field(out, 6, "called", called);
            }
        }
        Sli::Composite(composite) => {
            let word = match composite.combine {
                Combine::Weighted => "weighted",
                Combine::AnyBad => "any_bad",
            };
            let _ = writeln!(out, "      composite:\n        combine: {word}\n        parts:");
            for (id, weight) in &composite.parts {
                let _ =
                    writeln!(out, "          - objective: {}\n            weight: {weight}", scalar(id.as_str(), 14));
            }
        }
    }
}

fn pairs(out: &mut String, it: &Objective) {
    if let Some((word, _)) = Named::WORDS.iter().find(|(_, set)| set.pairs(it.window) == it.pairs) {
        let _ = writeln!(out, "    alert_windows: {word}");
        return;
    }
    if it.pairs.is_empty() {
        out.push_str("    alert_windows: []\n");
        return;
    }
    out.push_str("    alert_windows:\n");
    for pair in &it.pairs {
        let _ = writeln!(out, "      - severity: {}\n        long: {}", scalar(&pair.severity, 10), pair.long);
        if pair.short != pair.long {
            let _ = writeln!(out, "        short: {}", pair.short);
        }
        let _ = writeln!(out, "        factor: {}", pair.factor);
        if pair.hold > Span::zero() {
            let _ = writeln!(out, "        for: {}", prometheus(pair.hold));
        }
    }
}

fn identity(out: &mut String, identity: &Identity) {
    let (key, text) = match identity {
        Identity::Own => return,
        Identity::Sloth(text) => ("sloth", text),
        Identity::OpenSlo(text) => ("openslo", text),
        Identity::SloGenerator(text) => ("slo_generator", text),
        Identity::Grafana(text) => ("grafana", text),
        Identity::KubernetesMixin(text) => ("kubernetes_mixin", text),
        Identity::Pyrra { name, part, total } => {
            out.push_str("    recorded:\n      pyrra:\n");
            for (key, text) in [("name", name), ("part", part), ("total", total)] {
                field(out, 8, key, text);
            }
            return;
        }
    };
    out.push_str("    recorded:\n");
    field(out, 6, key, text);
}

/// A tree after its key, as blocks.
fn tree(out: &mut String, node: &Node, indent: usize) {
    match &node.value {
        Value::Null => out.push_str(" null\n"),
        Value::Scalar { text, plain: true } if is_plain(text) || text.parse::<f64>().is_ok() => {
            let _ = writeln!(out, " {text}");
        }
        Value::Scalar { text, .. } => {
            let _ = writeln!(out, " {}", scalar(text, indent));
        }
        Value::Seq(items) if items.is_empty() => out.push_str(" []\n"),
        Value::Map(entries) if entries.is_empty() => out.push_str(" {}\n"),
        Value::Seq(items) => {
            out.push('\n');
            for item in items {
                let _ = write!(out, "{:indent$}-", "");
                tree(out, item, indent + 2);
            }
        }
        Value::Map(entries) => {
            out.push('\n');
            for (key, value) in entries {
                let key = if is_plain(&key.text) { key.text.clone() } else { quoted(&key.text) };
                let _ = write!(out, "{:indent$}{key}:", "");
                tree(out, value, indent + 2);
            }
        }
    }
}

/// Words that YAML readers take for something else than a text.
const RESERVED: [&str; 14] =
    ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf", "infinity", "~", "nil"];

fn is_plain(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/'))
        && !RESERVED.contains(&text.to_lowercase().as_str())
}

/// A text as YAML: plain where that is safe, as a block where it has several lines, else quoted.
fn scalar(text: &str, indent: usize) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    block(text, indent).unwrap_or_else(|| quoted(text))
}

fn printable(c: char) -> bool {
    matches!(c, ' '..='~' | '\u{a1}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
        && !matches!(c, '\u{ad}' | '\u{2028}' | '\u{2029}')
        && clean(c.encode_utf8(&mut [0; 4])) == c.to_string()
}

fn block(text: &str, indent: usize) -> Option<String> {
    let (body, head) = match text.strip_suffix('\n') {
        Some(body) => (body, "|"),
        None => (text, "|-"),
    };
    let lines: Vec<&str> = body.split('\n').collect();
    let ends = |line: &&&str| line.is_empty() || line.starts_with(' ');
    let odd = lines.len() < 2
        || lines.first().filter(ends).is_some()
        || lines.last().filter(|l| l.is_empty()).is_some()
        || lines.iter().any(|l| l.ends_with(' ') || !l.chars().all(printable));
    if odd {
        return None;
    }
    let mut out = head.to_owned();
    for line in lines {
        out.push('\n');
        if !line.is_empty() {
            let _ = write!(out, "{:indent$}{line}", "");
        }
    }
    Some(out)
}

fn quoted(text: &str) -> String {
    if text.chars().all(printable) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if printable(c) => out.push(c),
            c if u32::from(c) <= 0xffff => drop(write!(out, "\\u{:04X}", u32::from(c))),
            c => drop(write!(out, "\\U{:08X}", u32::from(c))),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::document::parse;
    use proptest::prelude::*;

    fn back(text: &str) -> Option<String> {
        let yaml = format!("a:\n  b: {}\n  c: 1\n", scalar(text, 4));
        let (root, findings) = parse("f.yaml", &yaml);
        assert_eq!(findings, vec![], "{yaml}");
        let root = root?;
        assert_eq!(root.get("a")?.get("c")?.text(), Some("1"), "{yaml}");
        root.get("a")?.get("b")?.text().map(str::to_owned)
    }

    #[test]
    fn texts_come_back() {
        for text in [
            "",
            "a",
            "true",
            "1",
            "~",
            "a: b",
            "a #b",
            "'",
            "\"",
            "\\",
            "- x",
            " x ",
            "a\nb",
            "a\n\nb\n",
            "\na",
            "a\n b\n",
            " a\nb",
            "a\n\n",
            "a \nb",
            "a\tb",
            "\u{0}",
            "\u{feff}x",
            "\u{85}",
            "\u{2028}",
            "é",
            "🦀",
            "{{.window}}",
            "%",
            "@a",
            "\u{202e}x",
            "\r\n",
            "x\r\ny",
            "#a\nb",
            "---\na",
            "a\n---\nb",
            "a\n...",
        ] {
            assert_eq!(back(text).as_deref(), Some(text), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in any::<String>(), lines in prop::collection::vec("[ -~\n]{0,12}", 0..4)) {
            prop_assert_eq!(back(&text), Some(text));
            let lines = lines.join("\n");
            prop_assert_eq!(back(&lines), Some(lines));
        }
    }
}

//! Objectives of any format as a file of our own: what is written is read back to equal objectives. What could not be
//! expressed, and everything that was said of the files it came from, stands in comments.

use crate::domain::document::write::{scalar, scalar_below};
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
    let _ = writeln!(out, "  - name: {}", scalar_below(it.id.as_str(), 4));
    field(out, 4, "service", &it.service);
    if !it.description.is_empty() {
        field(out, 4, "description", &it.description);
    }
    if !it.labels.0.is_empty() {
        out.push_str("    labels:\n");
        for (name, value) in &it.labels.0 {
            let _ = writeln!(out, "      {}: {}", scalar_below(name, 8), scalar_below(value, 8));
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
            let _ = writeln!(out, "      - {}", scalar_below(label, 8));
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
    let _ = writeln!(out, "{:indent$}{key}: {}", "", scalar_below(text, indent + 2));
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
        let _ = writeln!(out, "      start: {}", scalar_below(&start.format("%Y-%m-%d %H:%M:%S").to_string(), 8));
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
                let _ = writeln!(
                    out,
                    "          - objective: {}\n            weight: {weight}",
                    scalar_below(id.as_str(), 14)
                );
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
        let _ = writeln!(out, "      - severity: {}\n        long: {}", scalar_below(&pair.severity, 10), pair.long);
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
        Identity::Pyrra { name, part, total, .. } => {
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
        // What stood there without quotes is a number, a truth or a word; in quotes it would be a text.
        Value::Scalar { text, plain: true } if text.parse::<f64>().is_ok() || ["true", "false"].contains(&&**text) => {
            let _ = writeln!(out, " {text}");
        }
        Value::Scalar { text, .. } => {
            let _ = writeln!(out, " {}", scalar_below(text, indent));
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
                let key = scalar(&key.text);
                let _ = write!(out, "{:indent$}{key}:", "");
                tree(out, value, indent + 2);
            }
        }
    }
}

//! A text as one YAML scalar that every YAML reader takes for this very text: bare where nothing could be misread, quoted
//! otherwise, with escapes where it holds what cannot be seen. The one place where a text becomes YAML. Knows no keys and
//! no structure.

use crate::domain::text::is_hidden;
use std::fmt::Write as _;

/// Words that some YAML reader takes for a boolean, nothing or a number.
const RESERVED: [&str; 14] =
    ["true", "false", "null", "nil", "none", "yes", "no", "on", "off", "y", "n", "nan", "inf", "infinity"];

/// The text as a scalar of one line, for a key, a block or a flow list.
pub fn scalar(text: &str) -> String {
    if is_bare(text) { text.to_owned() } else { quoted(text) }
}

/// The text as a scalar after a key of a block: bare, as lines of its own with so many blanks before each where it has
/// several, else quoted.
pub fn scalar_below(text: &str, indent: usize) -> String {
    if is_bare(text) {
        return text.to_owned();
    }
    lines(text, indent).unwrap_or_else(|| quoted(text))
}

/// The text in quotes, whatever it holds.
pub fn quoted(text: &str) -> String {
    if !text.chars().any(is_escaped) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if is_escaped(c) => {
                let _infallible = write!(out, "\\U{:08X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Letters first, then nothing that means something to YAML; one blank at most between words.
pub fn is_bare(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || "_./ -".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && !text.ends_with([' ', '-'])
        && !text.contains("  ")
        && !text.contains(" -")
        && text.chars().all(inner)
        && !RESERVED.contains(&text.to_ascii_lowercase().as_str())
}

/// What a reader of the file would not see, and what YAML does not let stand.
fn is_escaped(c: char) -> bool {
    is_hidden(c) || matches!(c, '\u{fffe}' | '\u{ffff}')
}

/// Several lines as they stand; `None` where something of them would be lost.
fn lines(text: &str, indent: usize) -> Option<String> {
    let (body, head) = match text.strip_suffix('\n') {
        Some(body) => (body, "|"),
        None => (text, "|-"),
    };
    let lines: Vec<&str> = body.split('\n').collect();
    let deep = |line: &&&str| line.is_empty() || line.starts_with(' ');
    let odd = lines.len() < 2
        || lines.first().filter(deep).is_some()
        || lines.last().filter(|line| line.is_empty()).is_some()
        || lines.iter().any(|line| line.ends_with(' ') || line.chars().any(is_escaped));
    if odd {
        return None;
    }
    let mut out = head.to_owned();
    for line in lines {
        out.push('\n');
        if !line.is_empty() {
            let _infallible = write!(out, "{:indent$}{line}", "");
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::document::{Node, Value, parse};
    use proptest::prelude::*;

    /// What our reader makes of it: after a key, as lines below a key, in a flow list, in a flow map, as a list's item, and
    /// as a key.
    fn back(text: &str) -> Vec<Option<String>> {
        let one = scalar(text);
        let (below, in_quotes) = (scalar_below(text, 4), quoted(text));
        let yaml = format!(
            "a: {one}\nb:\n  c: {below}\n  d: 1\ne: [{one}, x]\nf: {{g: {one}, h: {in_quotes}}}\ni:\n  - {one}\nj: {{{in_quotes}: k}}\n"
        );
        let (root, findings) = parse("f.yaml", &yaml);
        assert_eq!(findings, vec![], "{yaml}");
        let root = root.unwrap();
        let said = |node: Option<&Node>| node.and_then(Node::text).map(str::to_owned);
        let first = |key: &str| match root.get(key).map(|node| &node.value) {
            Some(Value::Seq(items)) => said(items.first()),
            _ => None,
        };
        let key = match root.get("j").map(|node| &node.value) {
            Some(Value::Map(entries)) => entries.first().map(|(key, _)| key.text.clone()),
            _ => None,
        };
        assert_eq!(said(root.get("b").and_then(|b| b.get("d"))).as_deref(), Some("1"), "{yaml}");
        let flow = root.get("f").unwrap();
        vec![
            said(root.get("a")),
            said(root.get("b").and_then(|b| b.get("c"))),
            first("e"),
            said(flow.get("g")),
            said(flow.get("h")),
            first("i"),
            key,
        ]
    }

    #[test]
    fn what_could_be_misread_is_quoted() {
        for (text, want) in [
            ("Scale out", "Scale out"),
            ("team-api", "team-api"),
            ("yes", "'yes'"),
            ("None", "'None'"),
            ("12:30", "'12:30'"),
            ("2026-05-01", "'2026-05-01'"),
            ("it's", "'it''s'"),
            ("-n", "'-n'"),
            ("a #b", "'a #b'"),
            ("${X}", "'${X}'"),
            ("", "''"),
            ("é", "'é'"),
            ("a\nb", "\"a\\nb\""),
            ("a\u{202e}b", "\"a\\U0000202Eb\""),
        ] {
            assert_eq!(scalar(text), want);
        }
        assert_eq!(scalar_below("a\n\nb: c\n", 2), "|\n  a\n\n  b: c");
        assert_eq!(scalar_below(" a\nb", 2), "\" a\\nb\"");
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
            "\u{ffff}",
            "\u{10ffff}",
            "? a",
            "a:",
            "[",
            "]}",
            "&a",
            "*a",
            "!t",
            "0x1f",
            "1e3",
            "NaN",
            ".inf",
            "null",
            "a, b",
        ] {
            assert!(back(text).iter().all(|got| got.as_deref() == Some(text)), "{text:?}: {:?}", back(text));
        }
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in any::<String>(), lines in prop::collection::vec("[ -~\n\t]{0,12}", 0..4), words in "[a-zA-Z0-9_./ :#'\"-]{0,16}") {
            for text in [text, lines.join("\n"), words] {
                for got in back(&text) {
                    prop_assert_eq!(got.as_deref(), Some(text.as_str()));
                }
            }
        }
    }
}

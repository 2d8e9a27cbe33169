//! A text as one YAML scalar that every YAML reader takes for this very text: bare where nothing could be misread, quoted
//! otherwise, with escapes where it holds what cannot be seen.

use crate::domain::text::is_hidden;
use std::fmt::Write as _;

/// Words that some YAML reader takes for a boolean, nothing or a number.
const SPECIAL: [&str; 12] = ["true", "false", "yes", "no", "on", "off", "null", "y", "n", "nan", "inf", "infinity"];

/// The text as a scalar for a block or a flow list.
pub fn scalar(text: &str) -> String {
    if is_bare(text) {
        return text.to_owned();
    }
    if !text.chars().any(is_hidden) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if is_hidden(c) => {
                let _infallible = write!(out, "\\U{:08X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Letters first, then nothing that means something to YAML; one blank at most between words.
fn is_bare(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || "_./ -".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && !text.ends_with([' ', '-'])
        && !text.contains("  ")
        && !text.contains(" -")
        && text.chars().all(inner)
        && !SPECIAL.contains(&text.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::document::{Value, parse};
    use proptest::prelude::*;

    #[test]
    fn what_could_be_misread_is_quoted() {
        for (text, want) in [
            ("Scale out", "Scale out"),
            ("team-api", "team-api"),
            ("yes", "'yes'"),
            ("12:30", "'12:30'"),
            ("it's", "'it''s'"),
            ("-n", "'-n'"),
            ("${X}", "'${X}'"),
            ("", "''"),
            ("a\nb", "\"a\\nb\""),
            ("a\u{202e}b", "\"a\\U0000202Eb\""),
        ] {
            assert_eq!(scalar(text), want);
        }
    }

    proptest! {
        #[test]
        fn a_scalar_is_read_as_the_very_text(text in any::<String>()) {
            let yaml = format!("k: {}\nl: [{}, x]\n", scalar(&text), scalar(&text));
            let (node, findings) = parse("f", &yaml);
            prop_assert_eq!(&findings, &vec![]);
            let node = node.unwrap();
            prop_assert_eq!(node.get("k").unwrap().text(), Some(text.as_str()));
            let Value::Seq(items) = &node.get("l").unwrap().value else { panic!("no list") };
            prop_assert_eq!(items[0].text(), Some(text.as_str()));
        }
    }
}

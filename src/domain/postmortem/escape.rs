//! Outside text in one place of a Markdown document. On top of [`markdown`] nothing here becomes a link by itself, calls a
//! person, starts a list or forges a blank. Never drops a character.

use crate::domain::text::{clean, markdown};
use std::iter::repeat_n;

/// Text for a paragraph, a list item or a table cell.
pub fn field(raw: &str) -> String {
    let escaped = markdown(raw.trim_matches(' '));
    let mut out = String::with_capacity(escaped.len() + 8);
    let mut chars = escaped.chars().peekable();
    let mut leading_digits = true;
    while let Some(c) = chars.next() {
        let starts_list = leading_digits && !out.is_empty() && matches!(c, '.' | ')');
        leading_digits &= c.is_ascii_digit();
        match c {
            '\\' => match chars.next() {
                Some('@') => {
                    // A mention is found after escapes are undone; only code stays silent.
                    let mut count = 1;
                    while chars.peek() == Some(&'\\') && is_at(&chars) {
                        chars.nth(1);
                        count += 1;
                    }
                    out.push('`');
                    out.extend(repeat_n('@', count));
                    out.push('`');
                }
                next => {
                    out.push('\\');
                    out.extend(next);
                }
            },
            ':' if chars.clone().take(2).eq(['/', '/']) => out.push_str("\\:"),
            '.' if starts_list || ends_with_www(&out) => out.push_str("\\."),
            ')' if starts_list => out.push_str("\\)"),
            c => out.push(c),
        }
    }
    out
}

fn is_at(chars: &std::iter::Peekable<std::str::Chars<'_>>) -> bool {
    chars.clone().nth(1) == Some('@')
}

fn ends_with_www(out: &str) -> bool {
    let mut back = out.chars().rev();
    (0..3).all(|_| back.next().is_some_and(|c| c.eq_ignore_ascii_case(&'w')))
}

/// A command as code, in a paragraph or a table cell. What cannot be told exactly in code is told as text.
pub fn code(raw: &str) -> String {
    let shown = clean(raw.trim_matches(' '));
    if shown.is_empty() || ["[[BLANK", "<!--", "\\|"].iter().any(|s| shown.contains(s)) {
        return field(raw);
    }
    let mut longest = 0;
    let mut run = 0;
    for c in shown.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence: String = repeat_n('`', longest + 1).collect();
    let pad = if longest > 0 { " " } else { "" };
    format!("{fence}{pad}{}{pad}{fence}", shown.replace('|', "\\|"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_stays_text() {
        for (raw, want) in [
            ("see https://evil.example/x", "see https\\://evil.example/x"),
            ("WWW.evil.example", "WWW\\.evil.example"),
            ("ask @alice or a@b.example", "ask `@`alice or a`@`b.example"),
            ("@@everyone", "`@@`everyone"),
            ("1. first", "1\\. first"),
            ("12) first", "12\\) first"),
            ("3.5 seconds", "3\\.5 seconds"),
            ("# [x](y)", "\\# \\[x\\](y)"),
            ("`@`", "\\``@`\\`"),
            ("a\nb", "a␊b"),
            ("[[BLANK: none]]", "\\[\\[BLANK: none\\]\\]"),
            ("- x", "\\- x"),
            ("", ""),
        ] {
            assert_eq!(field(raw), want, "{raw}");
        }
    }

    #[test]
    fn commands_are_code() {
        assert_eq!(code("kubectl get pods -n api | wc -l"), "`kubectl get pods -n api \\| wc -l`");
        assert_eq!(code("echo `date`"), "`` echo `date` ``");
        assert_eq!(code("echo [[BLANK: x]]"), "echo \\[\\[BLANK: x\\]\\]");
        assert_eq!(code("grep 'a\\|b'"), "grep 'a\\\\\\|b'");
    }

    proptest! {
        #[test]
        fn one_line_and_nothing_live(raw in "(://|[@:/.w\\\\`|<>#\\[\\]!0-9a-z \\n-]|\\PC){0,60}") {
            for out in [field(&raw), code(&raw)] {
                prop_assert!(!out.contains('\n'));
                prop_assert!(!out.contains("[[BLANK") && !out.contains("<!--"));
            }
            // What makes an address is always kept from making one.
            prop_assert!(!field(&raw).replace("\\://", "").contains("://"));
        }
    }
}

//! Hostile text made harmless. Everything that came from outside passes [`Shown`] before it reaches a cell, a table,
//! a Markdown file or a log line: what is invisible or steers a terminal becomes a visible mark, nothing is dropped.

pub mod sequences;

use std::borrow::Cow;
use std::fmt;
use unicode_width::UnicodeWidthChar;

/// The longest single field in characters; what is over it is cut and says so.
pub const FIELD_LIMIT: usize = 4_096;

/// Text that cannot act on a terminal: one line, no control, no bidi control, no invisible character.
/// Making one from harmless text is idempotent, so our own words may pass through as well.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shown(String);

impl Shown {
    /// The harmless text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Terminal cells it takes.
    pub fn width(&self) -> usize {
        width(&self.0)
    }
}

impl From<&str> for Shown {
    fn from(raw: &str) -> Self {
        Self(clean(raw).into_owned())
    }
}

impl From<String> for Shown {
    fn from(raw: String) -> Self {
        match clean(&raw) {
            Cow::Borrowed(_) => Self(raw),
            Cow::Owned(marked) => Self(marked),
        }
    }
}

impl From<&String> for Shown {
    fn from(raw: &String) -> Self {
        Self::from(raw.as_str())
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Replaces what steers or hides by marks: `␛` for ESC (control pictures for C0), `␊` for a line break,
/// `<U+202E>` for C1, bidi, zero-width, tag and other invisible characters. Borrows when nothing had to change.
pub fn clean(raw: &str) -> Cow<'_, str> {
    let long = raw.len() > FIELD_LIMIT;
    if !long && raw.bytes().all(|b| (0x20..0x7f).contains(&b)) {
        return Cow::Borrowed(raw);
    }
    if !long && !raw.chars().any(is_hidden) {
        return Cow::Borrowed(raw);
    }
    let mut out = String::with_capacity(raw.len().min(FIELD_LIMIT) + 16);
    for (count, c) in raw.chars().enumerate() {
        if count == FIELD_LIMIT {
            out.push_str("<cut>");
            break;
        }
        if is_hidden(c) { mark(&mut out, c) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// [`clean`] line by line: for command output and prose where line breaks are wanted. A tab becomes spaces.
pub fn clean_lines(raw: &str) -> Vec<String> {
    raw.lines().map(|line| clean(&line.replace('\t', "    ")).into_owned()).collect()
}

fn mark(out: &mut String, c: char) {
    match u32::from(c) {
        code @ 0..=0x1f => out.push(char::from_u32(0x2400 + code).unwrap_or('?')),
        0x7f => out.push('\u{2421}'),
        code => out.push_str(&format!("<U+{code:04X}>")),
    }
}

/// Whether a character is a control, a bidi control or invisible.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0xad | 0x34f | 0x61c | 0x115f..=0x1160 | 0x17b4..=0x17b5 | 0x180b..=0x180f | 0x200b..=0x200f
            | 0x2028..=0x202e | 0x2060..=0x206f | 0x3164 | 0xfe00..=0xfe0f | 0xfeff | 0xffa0 | 0xfff0..=0xfffb
            | 0x1bca0..=0x1bca3 | 0x1f3fb..=0x1f3ff | 0x1d173..=0x1d17a | 0xe0000..=0xe0fff)
}

/// Whether a spreadsheet would take a text for a formula.
pub fn is_formula(text: &str) -> bool {
    let first = text.trim_start().chars().next();
    matches!(first, Some('=' | '+' | '-' | '@' | '\u{ff1d}' | '\u{ff0b}' | '\u{ff0d}' | '\u{ff20}'))
}

/// Cells a harmless text takes.
pub fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().map(|c| c.width().unwrap_or(0)).sum() }
}

/// Cuts to at most `cells`, with `..` at the end where something was lost.
pub fn truncate(text: &str, cells: usize) -> Cow<'_, str> {
    if width(text) <= cells {
        return Cow::Borrowed(text);
    }
    let keep = cells.saturating_sub(2);
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        let w = c.width().unwrap_or(0);
        if used + w > keep {
            break;
        }
        used += w;
        out.push(c);
    }
    for _ in 0..cells.saturating_sub(used).min(2) {
        out.push('.');
    }
    Cow::Owned(out)
}

/// Escapes harmless text for one place in Markdown, so that it adds no heading, link, image, table cell or HTML.
pub fn markdown(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len() + 8);
    for (i, c) in clean(raw).chars().enumerate() {
        let special = matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '!' | '~' | '&' | '@')
            || (i == 0 && matches!(c, '-' | '+' | '=' | ' '));
        if special {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Wraps harmless text at blanks to lines of at most `cells`; a word that is longer is cut hard.
pub fn wrap(text: &str, cells: usize) -> Vec<String> {
    let cells = cells.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && width(&line) + 1 + width(word) <= cells {
            line.push(' ');
            line.push_str(word);
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for c in word.chars() {
            if width(&line) + c.width().unwrap_or(0) > cells {
                lines.push(std::mem::take(&mut line));
            }
            line.push(c);
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// The same in at most so many lines: what does not fit stands in the last one, for whoever draws it to cut.
pub fn wrap_to(text: &str, cells: usize, most: usize) -> Vec<String> {
    let mut lines = wrap(text, cells);
    let rest = lines.split_off(most.saturating_sub(1).min(lines.len())).join(" ");
    if most > 0 && !rest.is_empty() {
        lines.push(rest);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_stands_in_the_last_line() {
        for (text, most, want) in [
            ("one two three four", 3, vec!["one two", "three", "four"]),
            ("one two three four", 2, vec!["one two", "three four"]),
            ("one two", 2, vec!["one two"]),
            ("one two", 1, vec!["one two"]),
            ("one two", 0, vec![]),
            ("", 2, vec![""]),
        ] {
            assert_eq!(wrap_to(text, 7, most), want, "{text:?} in {most}");
        }
    }

    use proptest::prelude::*;

    #[test]
    fn what_steers_becomes_a_mark() {
        assert_eq!(Shown::from("a\u{1b}[31mred").as_str(), "a␛[31mred");
        assert_eq!(Shown::from("one\ntwo\r").as_str(), "one␊two␍");
        assert_eq!(Shown::from("abc\u{202e}def").as_str(), "abc<U+202E>def");
        assert_eq!(Shown::from("a\u{200b}b\u{9b}c").as_str(), "a<U+200B>b<U+009B>c");
        assert_eq!(Shown::from("plain").as_str(), "plain");
        assert_eq!(Shown::from("日本 مرحبا").as_str(), "日本 مرحبا");
    }

    #[test]
    fn cut_keeps_to_the_cells() {
        assert_eq!(truncate("engineering-manager", 10), "engineer..");
        assert_eq!(width(&truncate("日本日本日本", 5)), 4);
        assert_eq!(truncate("ok", 2), "ok");
        assert_eq!(truncate("okay", 1), ".");
        assert_eq!(truncate("okay", 0), "");
    }

    #[test]
    fn markdown_adds_no_structure() {
        assert_eq!(markdown("# [x](y) | <b>\n- z"), "\\# \\[x\\](y) \\| \\<b\\>␊- z");
    }

    proptest! {
        #[test]
        fn clean_is_idempotent_and_visible(raw in any::<String>()) {
            let once = Shown::from(raw.as_str());
            prop_assert!(!once.as_str().chars().any(is_hidden));
            prop_assert_eq!(&Shown::from(once.as_str()), &once);
        }
        #[test]
        fn wrapped_lines_fit(raw in "[a-z 日]{0,200}", cells in 2usize..40) {
            for line in wrap(&raw, cells) { prop_assert!(width(&line) <= cells, "{}", line); }
        }
    }
}

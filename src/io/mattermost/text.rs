//! Our text as Mattermost takes it: Markdown in which no character of ours has a meaning, and nobody is mentioned. The
//! first line of a longer text is bold. Addresses stay as they are.

use crate::io::rooms::{Piece, cut, pieces};

/// The longest post, in characters.
const LONGEST: usize = 8_000;

/// A message.
pub(super) fn message(text: &str) -> String {
    let text = cut(text, LONGEST);
    let lines: Vec<&str> = text.trim_end().split('\n').collect();
    let many = lines.len() > 1;
    let line = |(n, line): (usize, &&str)| match n {
        0 if many && !line.trim().is_empty() && !line.contains("://") => format!("**{}**", plain(line.trim())),
        _ => plain(line),
    };
    lines.iter().enumerate().map(line).collect::<Vec<_>>().join("\n")
}

/// One line without meaning.
pub(super) fn plain(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for piece in pieces(line) {
        match piece {
            Piece::Link(url) => out.push_str(url),
            Piece::Words(words) => words.chars().for_each(|c| escape(c, &mut out)),
        }
    }
    out
}

fn escape(c: char, out: &mut String) {
    match c {
        // A mention is found before Markdown is read; a character without width takes the name apart from its sign.
        '@' => out.push_str("@\u{200b}"),
        // So does `~` with the name of a channel, and `:` with that of an emoji.
        '~' => out.push_str("\\~\u{200b}"),
        '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '(' | ')' | '#' | '+' | '|' | '!' => {
            out.push('\\');
            out.push(c);
        }
        c => out.push(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_means_more_than_itself() {
        assert_eq!(plain("@channel *x* [a](b) ![i](j)"), "@\u{200b}channel \\*x\\* \\[a\\]\\(b\\) \\!\\[i\\]\\(j\\)");
        assert_eq!(plain("see https://a.example/a_b*c"), "see https://a.example/a_b*c");
        assert_eq!(message("SEV1 a_b\nsecond"), "**SEV1 a\\_b**\nsecond");
        assert_eq!(message("one line"), "one line");
    }
}

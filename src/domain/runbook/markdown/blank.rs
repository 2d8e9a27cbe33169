//! Places of a command line that somebody must fill in (`<pod name>`, `XXX`), and the same line with variables in them.
//! A value stands quoted wherever a variable is put, so that it stays one word; what a second shell would read again is
//! refused.

use crate::domain::runbook::shell::{is_name, scan};
use crate::domain::runbook::values::{AMBIENT, is_known, steers};
use std::collections::BTreeSet;
use std::ops::Range;

/// The longest placeholder, in bytes.
const LONGEST: usize = 64;

/// A place to fill in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blank {
    /// As it is written, brackets included.
    pub written: String,
    /// The variable that stands for it.
    pub name: String,
    range: Range<usize>,
}

/// The places of a line, in order.
pub fn blanks(text: &str) -> Vec<Blank> {
    let mut found: Vec<Blank> = Vec::new();
    for (at, _) in text.match_indices('<') {
        let after = text.get(at + 1..).unwrap_or_default();
        let near = after.get(..after.floor_char_boundary(LONGEST)).unwrap_or_default();
        let Some((inner, _)) = near.split_once('>') else { continue };
        let before = text.get(..at).and_then(|b| b.chars().next_back());
        let named = inner.starts_with(|c: char| c.is_ascii_alphabetic())
            && inner.chars().all(|c| c.is_ascii_alphanumeric() || "-_ .:/'".contains(c))
            && inner.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '.' || c == '_');
        if named && before != Some('<') {
            found.push(blank(inner, at..at + inner.len() + 2, text));
        }
    }
    let mut from = 0;
    while let Some(start) = text.get(from..).and_then(|rest| rest.find("XXX")).map(|at| from + at) {
        let run = text.get(start..).unwrap_or_default().chars().take_while(|c| *c == 'X').count();
        from = start + run;
        let next_to =
            |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$' || c == '{');
        let outside = !next_to(text.get(..start).and_then(|b| b.chars().next_back()))
            && !next_to(text.get(from..).and_then(|a| a.chars().next()));
        if outside && !found.iter().any(|b| b.range.contains(&start)) {
            found.push(blank("value", start..from, text));
        }
    }
    found.sort_by_key(|b| b.range.start);
    found
}

fn blank(words: &str, range: Range<usize>, text: &str) -> Blank {
    Blank { written: text.get(range.clone()).unwrap_or_default().to_owned(), name: variable(words), range }
}

/// The name of a variable for some words. Never one that the shell or the environment has already.
pub fn variable(words: &str) -> String {
    let mut name = String::new();
    for c in words.chars() {
        if c.is_ascii_alphanumeric() {
            name.push(c.to_ascii_uppercase());
        } else if !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
    }
    match name.trim_end_matches('_') {
        "" => "VALUE".to_owned(),
        name if steers(name) || !is_name(name) => format!("THE_{name}"),
        name => name.to_owned(),
    }
}

/// Variables that a line names and does not set by itself.
pub fn variables(text: &str) -> Vec<String> {
    let scan = scan(text);
    let assigned = scan.assigned();
    let wanted = |name: &&str| !AMBIENT.contains(name) && !assigned.contains(name);
    let asked =
        scan.mentions.iter().filter(|m| m.quoting != crate::domain::runbook::shell::Quoting::Single && !m.has_default);
    let mut names: Vec<String> = Vec::new();
    for name in asked.map(|m| m.name.as_str()).filter(wanted) {
        if !names.iter().any(|n| n == name) {
            names.push(name.to_owned());
        }
    }
    names
}

#[derive(Clone, Copy, PartialEq)]
enum Frame {
    Double,
    Single,
    Paren,
    Tick,
}

/// The line with `"${NAME}"` for every place, and with quotes around every bare mention of `ours`. `Err` says why that
/// would not be safe.
pub fn filled(text: &str, ours: &BTreeSet<String>) -> Result<String, &'static str> {
    let blanks = blanks(text);
    let touched = !blanks.is_empty() || variables(text).iter().any(|name| ours.contains(name));
    if let Some(name) = variables(text).iter().find(|name| !ours.contains(*name) && !is_known(name)) {
        return Err(if steers(name) {
            "it uses a variable that steers programs, and nothing may give it a value"
        } else {
            "it uses a variable that nothing gives a value"
        });
    }
    if touched && reads_again(text) {
        return Err("a value would be read again by a second shell, where it can become a command");
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut frames: Vec<Frame> = Vec::new();
    let mut at = 0;
    while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
        if let Some(blank) = blanks.iter().find(|b| b.range.start == at) {
            put(&mut out, &blank.name, frames.last().copied())?;
            at = blank.range.end;
            continue;
        }
        let rest = text.get(at..).unwrap_or_default();
        if frames.last() != Some(&Frame::Single)
            && let Some((name, length)) = mention(rest).filter(|(name, _)| ours.contains(name))
        {
            put(&mut out, &name, frames.last().copied())?;
            at += length;
            continue;
        }
        let mut length = c.len_utf8();
        match (c, frames.last().copied()) {
            ('\'', Some(Frame::Single))
            | ('"', Some(Frame::Double))
            | ('`', Some(Frame::Tick))
            | (')', Some(Frame::Paren)) => {
                frames.pop();
            }
            (_, Some(Frame::Single)) => {}
            ('\\', _) => length += rest.chars().nth(1).map_or(0, char::len_utf8),
            ('\'', Some(Frame::Double)) => {}
            ('\'', _) => frames.push(Frame::Single),
            ('"', _) => frames.push(Frame::Double),
            ('`', _) => frames.push(Frame::Tick),
            ('$', _) if rest.starts_with("$(") => {
                frames.push(Frame::Paren);
                length = 2;
            }
            ('(', Some(Frame::Paren)) => frames.push(Frame::Paren),
            _ => {}
        }
        out.push_str(text.get(at..at + length).unwrap_or_default());
        at += length;
    }
    Ok(out)
}

fn put(out: &mut String, name: &str, frame: Option<Frame>) -> Result<(), &'static str> {
    match frame {
        Some(Frame::Double) => out.push_str(&format!("${{{name}}}")),
        Some(Frame::Single) => out.push_str(&format!("'\"${{{name}}}\"'")),
        Some(Frame::Tick) => return Err("a value stands inside backticks, where it cannot be quoted"),
        Some(Frame::Paren) | None => out.push_str(&format!("\"${{{name}}}\"")),
    }
    Ok(())
}

/// `$NAME` or `${NAME}` at the beginning of a text, and its length.
fn mention(rest: &str) -> Option<(String, usize)> {
    let after = rest.strip_prefix('$')?;
    if let Some(inner) = after.strip_prefix('{') {
        let (name, _) = inner.split_once('}')?;
        return is_name(name).then(|| (name.to_owned(), name.len() + 3));
    }
    let name: String = after.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    is_name(&name).then(|| (name.clone(), name.len() + 1))
}

/// Whether a part of the line is given to a second shell as text.
pub fn reads_again(text: &str) -> bool {
    let words = scan(text).words;
    let has = |names: &[&str]| words.iter().any(|w| names.contains(&w.text.rsplit('/').next().unwrap_or(&w.text)));
    let shell = has(&["sh", "bash", "zsh", "dash", "ash", "ksh"]);
    let told = words.iter().any(|w| w.text.starts_with('-') && !w.text.starts_with("--") && w.text.contains('c'));
    has(&["ssh", "su", "eval", "xargs", "parallel", "watch"]) || (shell && told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_and_named() {
        let names = |text: &str| blanks(text).into_iter().map(|b| (b.written, b.name)).collect::<Vec<_>>();
        let own =
            |list: &[(&str, &str)]| list.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<_>>();
        assert_eq!(
            names("kubectl logs <pod-name> -n <Name Space>"),
            own(&[("<pod-name>", "POD_NAME"), ("<Name Space>", "NAME_SPACE")])
        );
        assert_eq!(names("ssh host-XXX.example XXXX"), own(&[("XXX", "VALUE"), ("XXXX", "VALUE")]));
        assert_eq!(names("cat <path> <user>"), own(&[("<path>", "THE_PATH"), ("<user>", "THE_USER")]));
        for text in ["cat <in >out", "cat <<EOF", "diff <(a) <(b)", "a < b > c", "echo $XXX EXXXX", "x <1>", "<>"] {
            assert_eq!(names(text), Vec::new(), "{text}");
        }
    }

    #[test]
    fn a_value_always_stands_quoted() {
        let ours = BTreeSet::from(["NS".to_owned()]);
        for (text, want) in [
            ("kubectl logs <pod> -n $NS", "kubectl logs \"${POD}\" -n \"${NS}\""),
            ("echo \"<pod> of ${NS}\"", "echo \"${POD} of ${NS}\""),
            ("jq '.[\"<pod>\"]' f", "jq '.[\"'\"${POD}\"'\"]' f"),
            ("echo \"$(get <pod> $NS)\"", "echo \"$(get \"${POD}\" \"${NS}\")\""),
            ("echo '$NS' \\$NS $HOME", "echo '$NS' \\$NS $HOME"),
            ("echo \\<pod>", "echo \\<pod>"),
            ("a=${NS:-x}", "a=${NS:-x}"),
        ] {
            assert_eq!(filled(text, &ours).as_deref(), Ok(want), "{text}");
        }
        for text in [
            "echo $OTHER",
            "echo $NODE_OPTIONS",
            "ssh <host> ls",
            "sh -c 'ls <x>'",
            "echo `get <pod>`",
            "kubectl exec p -- bash -c \"ls $NS\"",
        ] {
            assert!(filled(text, &ours).is_err(), "{text}");
        }
        assert!(filled("ssh host ls", &ours).is_ok(), "nothing to fill in");
    }
}

//! A shell line that needs no shell, as the list of its words. Refuses whatever a shell would do more than split at blanks
//! and take off quotes: then the line stays a line.

use crate::domain::runbook::shell::is_name;
use crate::domain::runbook::values::AMBIENT;

/// The words of a line, with `${NAME}` for each variable. `None` when a shell is needed, or when one might be.
pub fn plain(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            ' ' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        '\'' => break,
                        // In a list it would be replaced.
                        '$' => return None,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        '"' => break,
                        '\\' | '`' => return None,
                        '$' => variable(&mut chars, word)?,
                        c => word.push(c),
                    }
                }
            }
            '$' => variable(&mut chars, word.get_or_insert_default())?,
            '#' | '~' if word.is_none() => return None,
            c if c.is_whitespace() || "\\`|&;<>()*?[]{}!".contains(c) => return None,
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    let first = words.first()?;
    (!first.contains(['=', '$']) && !first.is_empty()).then_some(words)
}

/// `NAME` or `{NAME}` behind a `$`; what the responder's own environment gives is left to a shell.
fn variable(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, word: &mut String) -> Option<()> {
    let braced = chars.next_if_eq(&'{').is_some();
    let mut name = String::new();
    while let Some(c) = chars.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
        name.push(c);
    }
    if !is_name(&name) || AMBIENT.contains(&name.as_str()) || (braced && chars.next() != Some('}')) {
        return None;
    }
    word.push_str(&format!("${{{name}}}"));
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_need_no_shell_become_lists() {
        for (line, want) in [
            ("kubectl top pods -n production", &["kubectl", "top", "pods", "-n", "production"][..]),
            ("pd incident ack --id $INCIDENT_ID", &["pd", "incident", "ack", "--id", "${INCIDENT_ID}"]),
            ("x -l \"app=$APP\" 'a b'  c", &["x", "-l", "app=${APP}", "a b", "c"]),
            ("x --v=${A}b ''", &["x", "--v=${A}b", ""]),
        ] {
            assert_eq!(plain(line).unwrap(), want, "{line}");
        }
        for line in [
            "a | b",
            "a > b",
            "a *.log",
            "a ~/x",
            "a $HOME/x",
            "a $(b)",
            "a `b`",
            "A=1 b",
            "a '${X}'",
            "a \"\\$X\"",
            "a ${X:-y}",
            "a $1",
            "a 'open",
            "a # b",
            "a\tb",
            "a {b,c}",
            "$TOOL -v",
            "",
            "a & b",
            "a !! b",
        ] {
            assert_eq!(plain(line), None, "{line}");
        }
    }
}

//! One command line of a page, and whether it may be offered as a command: whole, typed as it must be typed, and doing
//! something that outlasts its own shell. Strict where nothing but its shape speaks for it. Runs nothing, rates no risk.

use crate::domain::runbook::shape;
use crate::domain::runbook::shell::{is_name, scan};
use crate::domain::text::is_hidden;

/// The longest line that is offered, in bytes.
pub const LINE_LIMIT: usize = 4_096;

/// What speaks for a line being a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Somebody wrote a prompt before it.
    Prompt,
    /// Its block is labelled as a script.
    Script,
    /// Nothing but its shape.
    Shape,
}

/// Why a line is not offered; `Ok` when it is.
pub fn judge(text: &str, trust: Trust) -> Result<(), String> {
    whole(text)?;
    let words = scan(text).words;
    let first = words.first().map(|w| w.text.as_str()).unwrap_or_default();
    if assignment(text).is_some() {
        return Ok(());
    }
    if matches!(
        first,
        "cd" | "source" | "." | "alias" | "set" | "unset" | "umask" | "ulimit" | "export" | "pushd" | "popd"
    ) {
        return Err(format!("`{first}` changes only the shell it runs in, and each command has its own"));
    }
    if matches!(first, "exit" | "logout" | "quit") {
        return Err("it ends a session".to_owned());
    }
    match (trust, shape::command(text)) {
        (Trust::Prompt, _) | (_, Ok(())) => Ok(()),
        // The label says that it is a script: `kubectl get pods` needs no option there.
        (Trust::Script, Err(why)) if why == shape::NOT_TELLING => Ok(()),
        (_, Err(why)) => Err(why.to_owned()),
    }
}

/// Whether a line is all there and can be typed as it stands.
fn whole(text: &str) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("there is nothing to run".to_owned());
    }
    if text.len() > LINE_LIMIT {
        return Err(format!("it is longer than {LINE_LIMIT} bytes"));
    }
    if text.contains('\n') {
        return Err("it spans several lines; a script belongs in a file of its own".to_owned());
    }
    if text.chars().any(is_hidden) {
        return Err("it holds a hidden character".to_owned());
    }
    let typographic = |c: &char| matches!(c, '\u{2018}'..='\u{201f}' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{a0}' | '\u{ab}' | '\u{bb}' | '\u{2032}' | '\u{2033}' | '\u{ff02}' | '\u{ff07}');
    if let Some(c) = text.chars().find(typographic) {
        return Err(format!(
            "it holds `{c}` (U+{:04X}) where a plain quote, dash or blank belongs; type it anew",
            u32::from(c)
        ));
    }
    let scan = scan(text);
    if text.contains("<<") {
        return Err("its input is a here-document; a script belongs in a file of its own".to_owned());
    }
    if !scan.balanced {
        return Err("a quote or parenthesis is not closed".to_owned());
    }
    if text.ends_with('\\') || text.ends_with('|') || text.ends_with("&&") {
        return Err("it breaks off".to_owned());
    }
    if scan.words.iter().any(|w| !w.quoted && matches!(w.text.as_str(), "..." | "\u{2026}" | "[...]" | "[\u{2026}]")) {
        return Err("a part of it is left out (`...`)".to_owned());
    }
    if text.contains("{{") && !scan.words.iter().any(|w| w.quoted && w.text.contains("{{")) {
        return Err("it holds a template that something else must fill in".to_owned());
    }
    Ok(())
}

/// What a line gives to a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    /// A value, quotes taken off; empty where a person must say it.
    Value(String),
    /// The output of a command.
    Output(String),
}

/// `NAME=value`, `export NAME=value`, `NAME=$(command)`; `None` where the line is anything more or else.
pub fn assignment(text: &str) -> Option<(String, Given)> {
    let bare = text.trim();
    let bare =
        ["export ", "readonly ", "local "].iter().find_map(|word| bare.strip_prefix(word)).unwrap_or(bare).trim();
    let words = scan(bare).words;
    if words.len() != 1 {
        return None;
    }
    let (name, value) = bare.split_once('=')?;
    if !is_name(name) {
        return None;
    }
    let unquoted =
        value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).filter(|v| !v.contains('"') || v.starts_with("$("));
    let inner = unquoted.unwrap_or(value);
    let substituted = inner.strip_prefix("$(").and_then(|v| v.strip_suffix(')'));
    let substituted = substituted.or_else(|| inner.strip_prefix('`').and_then(|v| v.strip_suffix('`')));
    if let Some(command) = substituted {
        // Two substitutions beside each other are no single one.
        return scan(command).balanced.then(|| (name.to_owned(), Given::Output(command.trim().to_owned())));
    }
    let plain = value.strip_prefix('\'').and_then(|v| v.strip_suffix('\'')).or(unquoted).unwrap_or(value);
    let literal = !plain.contains(['$', '`', '"', '\'', '\\'].as_slice());
    let blank = plain.starts_with('<') && plain.ends_with('>') || plain.chars().all(|c| c == 'X');
    literal.then(|| (name.to_owned(), Given::Value(if blank { String::new() } else { plain.to_owned() })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_judged_by_what_speaks_for_them() {
        for (text, trust, ok) in [
            ("kubectl get pods", Trust::Prompt, true),
            ("kubectl get pods", Trust::Script, true),
            ("kubectl get pods", Trust::Shape, false),
            ("kubectl get pods -A", Trust::Shape, true),
            ("NAME READY STATUS", Trust::Script, false),
            ("database is slow", Trust::Script, false),
            ("for i in 1 2; do echo \"$i\"; done", Trust::Prompt, true),
            ("NS=prod", Trust::Shape, true),
            ("export NS=\"$(oc get ns -o name | head -1)\"", Trust::Shape, true),
            ("export NS", Trust::Prompt, false),
            ("cd /tmp", Trust::Prompt, false),
            ("exit", Trust::Prompt, false),
            ("cat <<EOF", Trust::Prompt, false),
            ("echo 'a", Trust::Prompt, false),
            ("curl \u{201c}http://x\u{201d}", Trust::Prompt, false),
            ("kubectl get pods \u{2013}n x", Trust::Prompt, false),
            ("kubectl get ... -n x", Trust::Prompt, false),
            ("kubectl get pods -n\u{200b}x", Trust::Prompt, false),
            ("kubectl get x |", Trust::Prompt, false),
            ("kubectl get {{ .name }} -n x", Trust::Prompt, false),
            ("kubectl get pods -o go-template='{{.x}}'", Trust::Prompt, true),
            ("", Trust::Prompt, false),
        ] {
            assert_eq!(judge(text, trust).is_ok(), ok, "{text}: {:?}", judge(text, trust));
        }
    }

    #[test]
    fn assignments_are_values_or_outputs() {
        let value = |name: &str, text: &str| Some((name.to_owned(), Given::Value(text.to_owned())));
        let output = |name: &str, text: &str| Some((name.to_owned(), Given::Output(text.to_owned())));
        assert_eq!(assignment("NS=prod"), value("NS", "prod"));
        assert_eq!(assignment("export NS=\"a b\""), value("NS", "a b"));
        assert_eq!(assignment("NS=<name of it>"), None, "several words");
        assert_eq!(assignment("NS=<name>"), value("NS", ""));
        assert_eq!(assignment("NS='<the name>'"), value("NS", ""));
        assert_eq!(assignment("POD=$(oc get pod -o name | head -1)"), output("POD", "oc get pod -o name | head -1"));
        assert_eq!(assignment("POD=`oc get pod`"), output("POD", "oc get pod"));
        for text in ["NS=a cmd", "A=$B", "A=$(x)$(y)", "A=1 B=2", "cmd A=1", "1A=2", "A=$(x) y"] {
            assert_eq!(assignment(text), None, "{text}");
        }
    }
}

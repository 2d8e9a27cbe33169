//! What lint is told of the world around a runbook, and what it would like to be told. Collects names; looks nothing up.

use crate::domain::ids::{RunbookId, SloId, StepId};
use crate::domain::runbook::model::{Exec, RunCommand, Runbook, Target};
use crate::domain::runbook::shell::{is_name, scan};
use crate::domain::time::Timestamp;
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Facts from outside; `None` is not known, and keeps the rule that needs it silent. What all runbooks share is shared.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// The time, for the age of a review.
    pub now: Option<Timestamp>,
    /// Names of the alerts that the servers' rules can raise.
    pub alerts: Option<Arc<BTreeSet<String>>>,
    /// Objectives that are configured.
    pub slos: Option<Arc<BTreeSet<SloId>>>,
    /// Whom an escalation may name.
    pub contacts: Option<Arc<BTreeSet<String>>>,
    /// Of [`programs`], those that are not on the search path here.
    pub missing_programs: Option<BTreeSet<String>>,
    /// Of [`relative_links`], those that are not there.
    pub missing_files: Option<BTreeSet<String>>,
    /// The last drill of each runbook that had one.
    pub drills: Option<Arc<BTreeMap<RunbookId, Rehearsal>>>,
}

/// How the last drill of a runbook ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rehearsal {
    /// When.
    pub on: NaiveDate,
    /// The step at which it failed.
    pub failed_at: Option<StepId>,
}

/// Words that a shell knows itself.
const BUILTINS: [&str; 49] = [
    "!", ".", ":", "[", "[[", "alias", "break", "case", "cd", "command", "continue", "do", "done", "echo", "elif",
    "else", "esac", "eval", "exec", "exit", "export", "false", "fi", "for", "getopts", "hash", "if", "in", "kill",
    "local", "printf", "pwd", "read", "return", "set", "shift", "test", "then", "time", "times", "trap", "true",
    "type", "ulimit", "umask", "unset", "until", "wait", "while",
];

/// The programs that a runbook starts on this machine: bare names and absolute paths.
pub fn programs(runbook: &Runbook) -> BTreeSet<String> {
    runbook.parts().flat_map(|(_, command)| programs_of(runbook, command)).collect()
}

/// Those of one command.
pub(super) fn programs_of(runbook: &Runbook, command: &RunCommand) -> Vec<String> {
    match (&command.exec, runbook.target(command)) {
        (Exec::Query(_), _) => Vec::new(),
        (_, Some(Target::Ssh { .. }) | None) => vec!["ssh".to_owned()],
        (Exec::Argv(argv), _) => argv.first().filter(|p| is_program(p)).cloned().into_iter().collect(),
        (Exec::Sh(text), _) => first_words(text),
    }
}

/// The first word of each command of a shell line.
fn first_words(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut begins = true;
    for word in scan(text).words {
        if matches!(word.text.as_str(), "|" | ";" | "&") {
            begins = true;
            continue;
        }
        let assigns = word.text.split_once('=').is_some_and(|(name, _)| is_name(name));
        let leads =
            matches!(word.text.as_str(), "if" | "then" | "else" | "elif" | "do" | "while" | "until" | "!" | "time");
        if begins && !assigns && !leads {
            let builtin = word.quoted || BUILTINS.contains(&word.text.as_str());
            found.extend(Some(word.text).filter(|text| !builtin && is_program(text)));
            begins = false;
        }
    }
    found
}

/// A bare name, or a path from the root: others depend on a folder.
fn is_program(text: &str) -> bool {
    let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "._/+-".contains(c));
    plain && (text.starts_with('/') || !text.contains('/')) && text.chars().any(|c| c.is_ascii_alphabetic())
}

/// The links of a runbook that name files beside it, as written.
pub fn relative_links(runbook: &Runbook) -> BTreeSet<String> {
    let links = runbook.links.iter().chain(runbook.steps.iter().flat_map(|step| &step.links));
    links.map(|link| &link.url).filter(|url| is_relative(url)).cloned().collect()
}

/// Whether an address is a path beside the runbook.
pub(super) fn is_relative(url: &str) -> bool {
    let scheme = url.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    });
    !url.is_empty() && !scheme && !url.starts_with(['#', '/']) && !url.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_words_are_programs_and_not_what_the_shell_knows() {
        for (line, want) in [
            ("kubectl get pods -n x | grep -c Error", &["kubectl", "grep"][..]),
            ("if systemctl is-active -q api; then echo ok; else journalctl -u api; fi", &["systemctl", "journalctl"]),
            ("A=1 psql -c 'select 1; drop'", &["psql"]),
            ("cd /x && ./run.sh", &[]),
            ("\"$TOOL\" -v; /usr/bin/env -i", &["/usr/bin/env"]),
        ] {
            assert_eq!(first_words(line), want, "{line}");
        }
    }

    #[test]
    fn paths_beside_the_runbook_are_told_from_addresses() {
        for (url, want) in [
            ("pictures/flow.png", true),
            ("../other.md#part", true),
            ("https://a.example", false),
            ("mailto:x@example", false),
            ("/etc/passwd", false),
            ("#part", false),
            ("see the wiki", false),
            ("", false),
        ] {
            assert_eq!(is_relative(url), want, "{url}");
        }
    }
}

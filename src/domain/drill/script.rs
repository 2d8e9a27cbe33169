//! A file of acts that plays a drill in the place of people: what is done, and when on the drill's clock. Reads only.

use crate::domain::document::{Fields, Finding, Level, Mark, Node, Reader, parse};
use crate::domain::incident::event::{Answer, NoteKind, Role, Status};
use crate::domain::runbook::pieces::needed;
use crate::domain::time::{Span, secs};

/// One act.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// When it is due; those of one instant come in the order of the file.
    pub when: When,
    /// What.
    pub deed: Deed,
    /// Where it stands.
    pub mark: Mark,
}

/// When an act is due.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum When {
    /// So long after the beginning.
    At(Span),
    /// So long after the first page.
    AfterPage(Span),
    /// So long after the act before it was done.
    Then(Span),
}

/// What is done. Everything is done at the cockpit, as a person would: what the cockpit refuses is refused.
#[derive(Clone, Debug, PartialEq)]
pub enum Deed {
    /// An incident is declared: from the first alert that fires, or by hand.
    Declare {
        /// Its title; that of the alert where it has none.
        title: Option<String>,
        /// How bad; what the runbook suggests where it does not say.
        severity: Option<String>,
    },
    /// It is taken.
    Ack,
    /// A role is given.
    Role(Role, String),
    /// The severity is changed, and why.
    Severity(String, String),
    /// The status is set, with what stakeholders are told.
    Status(Status, Option<String>),
    /// A line is written down.
    Note(NoteKind, String),
    /// A runbook is opened; the best for the alert where it does not say which.
    Open(Option<String>),
    /// A step is done, skipped or failed; why, where it is not done.
    StepDone(String),
    /// A step is left out.
    StepSkip(String, String),
    /// A step went wrong.
    StepFail(String, String),
    /// A question of a step is answered.
    Answer(String, usize, Answer),
    /// A command of the opened runbook is run: its id, or the id of its option.
    Run(String),
    /// The pain stopped.
    Mitigated,
    /// It is over.
    Resolve(String),
}

const TOP: [&str; 1] = ["acts"];
const KEYS: [&str; 18] = [
    "at",
    "page",
    "then",
    "declare",
    "severity",
    "ack",
    "role",
    "person",
    "reason",
    "status",
    "message",
    "note",
    "kind",
    "open",
    "step",
    "run",
    "mitigated",
    "resolve",
];

/// Reads a script; what cannot be used is told and left out.
pub fn read(path: &str, source: &str) -> (Vec<Line>, Vec<Finding>) {
    let (root, mut findings) = parse(path, source);
    let Some(root) = root else { return (Vec::new(), findings) };
    let mut reader = Reader::new(path);
    let mut lines = Vec::new();
    if let Some(top) = reader.map(&root, "the script", &TOP)
        && let Some(acts) = top.need(&mut reader, "acts")
    {
        for node in reader.list(acts, "acts") {
            lines.extend(line(&mut reader, node));
        }
    }
    if lines.is_empty() && reader.findings.is_empty() {
        reader.report(root.mark, Level::Warning, "script", "the script does nothing");
    }
    findings.append(&mut reader.findings);
    (lines, findings)
}

fn line(reader: &mut Reader<'_>, node: &Node) -> Option<Line> {
    let known: Vec<&str> = KEYS.iter().chain(&["answer", "check", "how"]).copied().collect();
    let own = reader.map(node, "an act", &known)?;
    let mut when = None;
    for key in ["at", "page", "then"] {
        let Some(node) = own.get(key) else { continue };
        let span = if node.text() == Some("0") { secs(0) } else { reader.span(node, key)? };
        if when.is_some() {
            reader.error(node.mark, "script", "an act has one of `at`, `page` and `then`");
            return None;
        }
        when = Some(match key {
            "at" => When::At(span),
            "page" => When::AfterPage(span),
            _ => When::Then(span),
        });
    }
    let deed = deed(reader, &own)?;
    Some(Line { when: when.unwrap_or(When::Then(secs(1))), deed, mark: node.mark })
}

fn deed(reader: &mut Reader<'_>, own: &Fields<'_>) -> Option<Deed> {
    let text = |reader: &mut Reader<'_>, key: &str| own.get(key).and_then(|n| reader.string(n, key));
    let word = |reader: &mut Reader<'_>, key: &str| text(reader, key).filter(|t| !t.is_empty() && t != "true");
    if own.get("declare").is_some() {
        return Some(Deed::Declare { title: word(reader, "declare"), severity: text(reader, "severity") });
    }
    if own.get("ack").is_some() {
        return Some(Deed::Ack);
    }
    if let Some(node) = own.get("role") {
        let role = crate::domain::runbook::pieces::word(reader, node, "role", &Role::ALL.map(|r| (r.word(), r)))?;
        return needed(reader, own, "person").map(|person| Deed::Role(role, person));
    }
    if let Some(node) = own.get("status") {
        let status = crate::domain::runbook::pieces::word(reader, node, "status", &Status::ALL.map(|s| (s.word(), s)))?;
        return Some(Deed::Status(status, text(reader, "message")));
    }
    if let Some(note) = text(reader, "note") {
        let kinds =
            [NoteKind::Note, NoteKind::Decision, NoteKind::Hypothesis, NoteKind::Finding].map(|k| (k.word(), k));
        let kind = own
            .get("kind")
            .map_or(Some(NoteKind::Note), |n| crate::domain::runbook::pieces::word(reader, n, "kind", &kinds))?;
        return Some(Deed::Note(kind, note));
    }
    if own.get("open").is_some() {
        return Some(Deed::Open(word(reader, "open")));
    }
    if let Some(step) = text(reader, "step") {
        if let Some(node) = own.get("answer") {
            let answers = [Answer::Yes, Answer::No, Answer::Unsure].map(|a| (a.word(), a));
            let answer = crate::domain::runbook::pieces::word(reader, node, "answer", &answers)?;
            let check = text(reader, "check").and_then(|n| n.parse().ok()).unwrap_or(0);
            return Some(Deed::Answer(step, check, answer));
        }
        let how = text(reader, "how").unwrap_or_else(|| "done".into());
        return match how.as_str() {
            "done" => Some(Deed::StepDone(step)),
            "skip" => needed(reader, own, "reason").map(|why| Deed::StepSkip(step, why)),
            "fail" => needed(reader, own, "reason").map(|why| Deed::StepFail(step, why)),
            _ => {
                reader.error(own.mark(), "script", format!("how a step ends is `{how}` (expected done, skip or fail)"));
                None
            }
        };
    }
    if let Some(command) = text(reader, "run") {
        return Some(Deed::Run(command));
    }
    if own.get("mitigated").is_some() {
        return Some(Deed::Mitigated);
    }
    if let Some(summary) = text(reader, "resolve") {
        return Some(Deed::Resolve(summary));
    }
    if let Some(severity) = text(reader, "severity") {
        return needed(reader, own, "reason").map(|why| Deed::Severity(severity, why));
    }
    let message = "the act does nothing (expected one of declare, ack, role, severity, status, note, open, step, run, mitigated, resolve)";
    reader.error(own.mark(), "script", message);
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acts_are_read_and_nonsense_is_told() {
        let text = "acts:\n  - {page: 30s, declare: Slow, severity: SEV1}\n  - {then: 5s, ack: true}\n  - {open: true}\n  - {run: mitigate.rollback}\n  - {step: look, check: 1, answer: 'yes'}\n  - {at: 10m, step: look, how: skip, reason: no time}\n";
        let (lines, findings) = read("s.yaml", text);
        assert!(findings.is_empty(), "{findings:?}");
        assert_eq!(lines.len(), 6);
        assert_eq!(lines[0].when, When::AfterPage(secs(30)));
        assert_eq!(lines[2].deed, Deed::Open(None));
        assert_eq!(lines[4].deed, Deed::Answer("look".into(), 1, Answer::Yes));
        for bad in [
            "acts: [{at: 1m}]",
            "acts: [{at: 1m, page: 2m, ack: true}]",
            "acts: [{step: x, how: dance}]",
            "acts: [{rum: x}]",
            "{}",
        ] {
            let (_, findings) = read("s.yaml", bad);
            assert!(!findings.is_empty(), "{bad}");
        }
    }
}

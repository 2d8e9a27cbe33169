//! What in a runbook will hurt at three in the morning. Judges a runbook that was read, with what is known of the world
//! around it ([`Facts`]); looks at no server, program or file itself, and never hides a runbook because of what it found.
//! `lint/names.rs` is about values, `lint/command.rs` about what runs, `lint/change.rs` about what a change needs,
//! `lint/place.rs` about namespaces, `lint/words.rs` about telling words, `lint/together.rs` about several runbooks.

mod change;
mod command;
pub mod facts;
mod names;
mod numbers;
mod place;
mod together;
mod words;

pub use facts::{Facts, Rehearsal, programs, relative_links};
pub use place::lacks_namespace;
pub use together::lint_together;
pub use words::{destructive_word, placeholder};

use crate::domain::document::{Finding, Level, Mark, nearest};
use crate::domain::runbook::model::{Dialect, Link, Phase, Runbook, Step};
use crate::domain::runbook::pieces::TOP;
use crate::domain::text::{clean, truncate};
use crate::domain::time::Timestamp;
use std::collections::BTreeSet;
use words::unfinished;

struct Linter<'r> {
    runbook: &'r Runbook,
    facts: &'r Facts,
    findings: Vec<Finding>,
}

/// Findings in a runbook without knowledge of the world but for the time. See [`lint_knowing`].
pub fn lint(runbook: &Runbook, now: Option<Timestamp>) -> Vec<Finding> {
    lint_knowing(runbook, &Facts { now, ..Facts::default() })
}

/// Findings in a runbook, in the order of its file. What is not known of the world keeps its rules silent. What cannot be
/// read at all was already reported by [`crate::domain::runbook::format::read`].
pub fn lint_knowing(runbook: &Runbook, facts: &Facts) -> Vec<Finding> {
    let mut linter = Linter { runbook, facts, findings: Vec::new() };
    linter.head();
    linter.triggers();
    linter.steps();
    if !runbook.is_runnable() {
        // A page of prose is read; its commands are judged when somebody makes a runbook of it.
        linter.findings.sort_by_key(|f| (f.line, f.column));
        return linter.findings;
    }
    linter.names();
    for (part, command) in runbook.parts() {
        linter.command(part, command);
    }
    linter.startable();
    linter.changes();
    linter.places();
    linter.numbers();
    linter.escalation();
    linter.rehearsal();
    let mut findings = linter.findings;
    findings.sort_by_key(|f| (f.line, f.column));
    findings
}

/// The triggers of a runbook that none of the alerts of the servers' rules answers to.
pub fn unknown_alerts(runbook: &Runbook, alerts: &BTreeSet<String>) -> Vec<Finding> {
    let unknown = runbook.triggers.iter().filter(|trigger| !alerts.contains(&trigger.alert));
    unknown
        .map(|trigger| {
            let near = nearest(&trigger.alert, alerts.iter().map(String::as_str));
            let hint = near.map(|near| format!(" (nearest: `{near}`)")).unwrap_or_default();
            let message = format!("no rule of the servers raises the alert `{}`{hint}", trigger.alert);
            finding(runbook, trigger.mark, Level::Warning, "RB010", &message)
        })
        .collect()
}

fn finding(runbook: &Runbook, mark: Mark, level: Level, rule: &str, message: &str) -> Finding {
    Finding {
        path: runbook.path.clone(),
        line: mark.line,
        column: mark.column,
        rule: rule.to_owned(),
        level,
        message: clean(message).into_owned(),
    }
}

impl Linter<'_> {
    fn report(&mut self, mark: Mark, level: Level, rule: &str, message: impl AsRef<str>) {
        self.findings.push(finding(self.runbook, mark, level, rule, message.as_ref()));
    }

    fn error(&mut self, mark: Mark, rule: &str, message: impl AsRef<str>) {
        self.report(mark, Level::Error, rule, message);
    }

    fn warn(&mut self, mark: Mark, rule: &str, message: impl AsRef<str>) {
        self.report(mark, Level::Warning, rule, message);
    }

    fn is_v1(&self) -> bool {
        self.runbook.dialect == Dialect::V1
    }

    fn head(&mut self) {
        let runbook = self.runbook;
        let missing: Vec<&str> = [("owner", runbook.owner.is_none()), ("reviewed", runbook.reviewed.is_none())]
            .into_iter()
            .filter_map(|(key, missing)| missing.then_some(key))
            .collect();
        if !missing.is_empty() {
            self.warn(TOP, "RB009", format!("nobody is known to keep it right: no `{}`", missing.join("`, no `")));
        }
        if let (Some(reviewed), Some(now)) = (runbook.reviewed, self.facts.now) {
            let age = now.date_naive().signed_duration_since(reviewed);
            if age > runbook.review_every {
                let limit = runbook.review_every.num_days();
                let message = format!("last reviewed {} days ago (a review holds {limit} days)", age.num_days());
                self.warn(TOP, "RB009", message);
            }
            if age.num_days() < -1 {
                self.warn(TOP, "RB009", format!("reviewed on {reviewed}, which is still to come"));
            }
        }
        self.links(&runbook.links);
    }

    fn triggers(&mut self) {
        let (runbook, facts) = (self.runbook, self.facts);
        if runbook.triggers.is_empty() {
            self.warn(TOP, "RB010", "no trigger names an alert; the runbook is found by its name only");
        }
        if let Some(alerts) = &facts.alerts {
            self.findings.extend(unknown_alerts(runbook, alerts));
        }
    }

    fn links(&mut self, links: &[Link]) {
        for link in links {
            let url = truncate(&link.url, 60).into_owned();
            match (&self.facts.missing_files, facts::is_relative(&link.url)) {
                (Some(missing), true) if missing.contains(&link.url) => {
                    self.warn(link.mark, "RB011", format!("`{url}` is not there, looked for beside the runbook"));
                }
                // Whether a file is there is not known: silent.
                (_, true) if self.is_v1() => {}
                _ if link.url.starts_with("https://") => {}
                _ => self.warn(link.mark, "RB011", format!("`{url}` is not an https address")),
            }
        }
    }

    fn steps(&mut self) {
        let runbook = self.runbook;
        for step in &runbook.steps {
            self.links(&step.links);
            if step.is_bare() && step.say.trim().is_empty() {
                self.warn(step.mark, "RB013", format!("step `{}` says nothing to do", step.id));
            } else if let Some(word) = unfinished_words(step) {
                self.warn(step.mark, "RB013", format!("step `{}` is not written yet: `{word}`", step.id));
            }
        }
        let says = |step: &Step| !step.is_bare() || (self.is_v1() && !step.say.trim().is_empty());
        let mitigates = |step: &Step| !step.options.is_empty() || (step.phase == Some(Phase::Mitigate) && says(step));
        if !runbook.steps.iter().any(mitigates) {
            self.warn(TOP, "RB013", "no step stops the pain (expected one with `options` or `phase: mitigate`)");
        }
    }

    fn escalation(&mut self) {
        let (runbook, facts) = (self.runbook, self.facts);
        if runbook.escalation.is_empty() {
            self.warn(TOP, "RB014", "no escalation: nobody is named who could be called for help");
        }
        let mut before = None;
        for rung in &runbook.escalation {
            if rung.assumed {
                let message =
                    format!("{}: no clock is named; `unmitigated` is assumed (until the pain stops)", rung.contact);
                let level = if self.is_v1() { Level::Warning } else { Level::Info };
                self.report(rung.mark, level, "RB014", message);
            }
            if before.is_some_and(|before| rung.after < before) {
                self.warn(rung.mark, "RB014", format!("{} comes earlier than the one above", rung.contact));
            }
            before = Some(rung.after);
            if let Some(contacts) = facts.contacts.as_ref().filter(|c| !c.contains(&rung.contact)) {
                let near = nearest(&rung.contact, contacts.iter().map(String::as_str));
                let hint = near.map(|near| format!(" (nearest: `{near}`)")).unwrap_or_default();
                self.warn(rung.mark, "RB014", format!("{} is not among the contacts{hint}", rung.contact));
            }
        }
    }

    fn rehearsal(&mut self) {
        let Some(drills) = &self.facts.drills else { return };
        match drills.get(&self.runbook.id) {
            None => self.report(TOP, Level::Info, "RB015", "never rehearsed in a drill"),
            Some(Rehearsal { failed_at: Some(step), on }) => {
                let message = format!("the last drill, on {on}, failed at step `{step}`");
                // A step that is no longer in the file is told at its head.
                let mark = self.runbook.steps.iter().find(|s| s.id == *step).map_or(TOP, |s| s.mark);
                self.report(mark, Level::Info, "RB015", message);
            }
            Some(Rehearsal { failed_at: None, .. }) => {}
        }
    }
}

/// The first word of a step that says it is still to be written.
fn unfinished_words(step: &Step) -> Option<&str> {
    let words = [step.name.as_str(), step.say.as_str()].into_iter().chain(step.todos.iter().map(String::as_str));
    let options = step.options.iter().flat_map(|o| [Some(o.action.as_str()), o.prose.as_deref()]).flatten();
    words.chain(options).find_map(unfinished)
}

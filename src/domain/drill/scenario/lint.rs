//! What in a scenario cannot work or would not teach: names of nothing, circles, impossible times, contradictions, what can
//! never come, answers that are missing. Judges a scenario that was read; each rule has a number that is never used again.
//! `lint/names.rs` has names, `lint/time.rs` instants and circles, `lint/sense.rs` contradictions and what can never come.

mod names;
mod sense;
mod time;

use crate::domain::document::{Finding, Level, Mark, nearest};
use crate::domain::drill::scenario::Scenario;
use crate::domain::runbook::model::Runbook;
use crate::domain::text::clean;
use std::sync::Arc;

/// What is known of the world around a scenario.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts<'f> {
    /// Its runbooks; `None` is not known, and keeps the rules that need them silent.
    pub runbooks: Option<&'f [Arc<Runbook>]>,
}

/// The place of what is said about a whole scenario.
const TOP: Mark = Mark { line: 1, column: 1 };

struct Linter<'s> {
    scenario: &'s Scenario,
    facts: Facts<'s>,
    findings: Vec<Finding>,
}

/// Findings in a scenario, in the order of its file.
pub fn lint(scenario: &Scenario, facts: &Facts<'_>) -> Vec<Finding> {
    let mut linter = Linter { scenario, facts: *facts, findings: Vec::new() };
    linter.names();
    linter.times();
    linter.sense();
    linter.findings.sort_by_key(|f| (f.line, f.column));
    linter.findings
}

impl Linter<'_> {
    fn report(&mut self, mark: Mark, level: Level, rule: &str, message: impl AsRef<str>) {
        self.findings.push(Finding {
            path: self.scenario.path.clone(),
            line: mark.line,
            column: mark.column,
            rule: rule.to_owned(),
            level,
            message: clean(message.as_ref()).into_owned(),
        });
    }

    fn error(&mut self, mark: Mark, rule: &str, message: impl AsRef<str>) {
        self.report(mark, Level::Error, rule, message);
    }

    fn warn(&mut self, mark: Mark, rule: &str, message: impl AsRef<str>) {
        self.report(mark, Level::Warning, rule, message);
    }

    /// A name that must be one of some.
    fn known(&mut self, mark: Mark, rule: &str, what: &str, name: &str, names: &[&str]) {
        if names.contains(&name) {
            return;
        }
        let hint = match nearest(name, names.iter().copied()) {
            Some(near) => format!("nearest: `{near}`"),
            None if names.is_empty() => "there is none".to_owned(),
            None => format!("expected one of: {}", names.iter().take(12).copied().collect::<Vec<_>>().join(", ")),
        };
        self.error(mark, rule, format!("there is no {what} `{name}` ({hint})"));
    }
}

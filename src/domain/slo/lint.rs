//! What is wrong with an objective although it can be read: ranges that are too short for the scrapes, units that are mixed
//! up, alerts that cannot fire, queries that measure something else than is meant. Rules look at objectives, whatever file
//! format they came in, and at what a server said of them where one was asked; an unknown fact silences its rule. Never
//! hides an objective because of what it found.

pub mod between;
pub mod facts;
pub mod place;
pub mod query;
pub mod questions;
pub mod rules;
pub mod server;

mod alerts;
mod functions;
mod histogram;
mod online;
mod ranges;
mod selectors;
mod sides;
mod target;

use crate::domain::document::{Finding, Level};
use crate::domain::slo::lint::facts::Facts;
use crate::domain::slo::lint::place::{Part, Places, declared};
use crate::domain::slo::lint::query::Query;
use crate::domain::slo::lint::rules::Rule;
use crate::domain::slo::objective::Objective;
use crate::domain::text::clean;
use std::collections::HashMap;
use std::sync::Arc;

/// One objective under the rules.
struct Case<'a> {
    objective: &'a Objective,
    query: Query,
    facts: Option<&'a Facts>,
    places: &'a Places,
    findings: Vec<Finding>,
}

impl Case<'_> {
    fn report(&mut self, part: Part, rule: &Rule, message: impl AsRef<str>) {
        self.report_as(part, rule, rule.level, message);
    }

    /// A finding that is milder than its rule, because it rests on an assumption or may be meant.
    fn report_as(&mut self, part: Part, rule: &Rule, level: Level, message: impl AsRef<str>) {
        let mark = self.places.mark(self.objective, part);
        let message = format!("{}: {}", self.objective.id, message.as_ref());
        self.findings.push(Finding {
            path: declared(self.objective).0.to_owned(),
            line: mark.line,
            column: mark.column,
            rule: rule.id.to_owned(),
            level,
            message: clean(&message).into_owned(),
        });
    }
}

/// Findings about one objective, in the order of its file. Without facts of a server only what its text shows is judged.
pub fn lint(objective: &Objective, places: &Places, facts: Option<&Facts>) -> Vec<Finding> {
    let mut case = Case { objective, query: Query::of(objective), facts, places, findings: Vec::new() };
    ranges::check(&mut case);
    histogram::check(&mut case);
    target::check(&mut case);
    alerts::check(&mut case);
    functions::check(&mut case);
    selectors::check(&mut case);
    sides::check(&mut case);
    online::check(&mut case);
    let mut findings = case.findings;
    findings.sort_by_key(|f| (f.line, f.column));
    findings
}

/// Findings about all objectives of some files, each a path and its text, and between them; by file and place. `facts` gives
/// what the server of an objective said, where one was asked.
pub fn lint_all<'f>(
    objectives: &[Objective],
    files: &[(String, String)],
    facts: impl Fn(&Objective) -> Option<&'f Facts>,
) -> Vec<Finding> {
    let places: HashMap<&str, Places> =
        files.iter().map(|(path, text)| (path.as_str(), Places::of(path, text))).collect();
    let nowhere = Places::default();
    let placed: Vec<_> = objectives.iter().map(|o| (o, places.get(declared(o).0).unwrap_or(&nowhere))).collect();
    let mut findings: Vec<Finding> = placed.iter().flat_map(|(o, places)| lint(o, places, facts(o))).collect();
    findings.extend(between::between(&placed));
    let order: HashMap<&str, usize> = files.iter().enumerate().map(|(n, (path, _))| (path.as_str(), n)).collect();
    findings.sort_by_key(|f| (order.get(f.path.as_str()).copied().unwrap_or(usize::MAX), f.line, f.column));
    findings
}

/// The findings that stand in the lines of an objective: from its own line to that of the next one in its file.
pub fn of<'f>(objective: &Objective, all: &[Arc<Objective>], findings: &'f [Finding]) -> Vec<&'f Finding> {
    let (path, line) = declared(objective);
    let end = all.iter().map(|o| declared(o)).filter(|(p, l)| *p == path && *l > line).map(|(_, l)| l).min();
    let inside = |f: &&Finding| f.path == path && f.line >= line.max(1) && end.is_none_or(|end| f.line < end);
    findings.iter().filter(inside).collect()
}

#[cfg(test)]
mod tests;

//! What runs, one command at a time: whether it is one at all, whether it is finished, whether it can be started here.

use super::{Linter, placeholder};
use crate::domain::document::Level;
use crate::domain::runbook::model::{Exec, Part, Risk, RunCommand};
use crate::domain::runbook::shape;
use crate::domain::text::{is_hidden, truncate};
use std::collections::{BTreeMap, BTreeSet};

impl Linter<'_> {
    /// RB002, RB005, RB007 of one command.
    pub(super) fn command(&mut self, part: Part, command: &RunCommand) {
        if command.text.chars().any(|c| c == '\n') {
            let message = "the command has several lines and cannot be run (join them with && or call a script)";
            self.error(command.mark, "RB002", message);
        } else if command.text.chars().any(is_hidden) {
            self.error(command.mark, "RB002", "the command holds a hidden character and cannot be run");
        } else if self.is_v1() {
            self.prose(command);
        }
        if let Some(left) = placeholder(&command.text).filter(|_| !matches!(command.exec, Exec::Query(_))) {
            let message = format!("`{left}` is left to fill in; the command cannot be right as it stands");
            self.error(command.mark, "RB007", message);
        }
        if self.is_v1() && command.risk == Risk::Unknown && part == Part::Run {
            let message = "nobody said what it may do; it is treated as a change (say risk: read, change or destroy)";
            self.report(command.mark, Level::Warning, "RB005", message);
        }
    }

    /// A sentence in a place that runs.
    fn prose(&mut self, command: &RunCommand) {
        let why = match &command.exec {
            Exec::Sh(line) => shape::sentence(line),
            Exec::Argv(argv) => shape::spoken(argv),
            Exec::Query(_) => None,
        };
        if let Some(why) = why {
            let shown = truncate(&command.text, 60).into_owned();
            self.error(
                command.mark,
                "RB002",
                format!("`{shown}` is not a command: {why} (words go under `say` or `todo`)"),
            );
        }
    }

    /// RB012: whether programs are here, as far as that is known; each is told once, at its first command.
    pub(super) fn startable(&mut self) {
        let (runbook, facts) = (self.runbook, self.facts);
        let Some(missing) = facts.missing_programs.as_ref().filter(|missing| !missing.is_empty()) else { return };
        let mut first: BTreeMap<String, (&RunCommand, usize)> = BTreeMap::new();
        for (_, command) in runbook.parts() {
            let needed: BTreeSet<String> = super::facts::programs_of(runbook, command).into_iter().collect();
            for program in needed.into_iter().filter(|program| missing.contains(program)) {
                first.entry(program).or_insert((command, 0)).1 += 1;
            }
        }
        for (program, (command, count)) in first {
            let needed = if count == 1 { "1 command needs it".to_owned() } else { format!("{count} commands need it") };
            let message = format!("`{program}` is not found on the search path here; {needed}");
            self.warn(command.mark, "RB012", message);
        }
    }
}

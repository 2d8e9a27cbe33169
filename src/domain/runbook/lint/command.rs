//! What runs, one command at a time: whether it is one at all, whether it is finished, whether it can be started here.

use super::{Linter, placeholder};
use crate::domain::document::Level;
use crate::domain::runbook::model::{Exec, Part, Risk, RunCommand, Target};
use crate::domain::runbook::shape;
use crate::domain::text::{is_hidden, truncate};

impl Linter<'_> {
    /// RB002, RB005, RB007, RB012 of one command.
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
        self.startable(command);
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

    /// Whether the program is here, as far as that is known.
    fn startable(&mut self, command: &RunCommand) {
        let (runbook, facts) = (self.runbook, self.facts);
        let Some(missing) = facts.missing_programs.as_ref().filter(|missing| !missing.is_empty()) else { return };
        let needed = super::facts::programs_of(runbook, command);
        for program in needed.iter().filter(|program| missing.contains(*program)) {
            let message = match runbook.target(command) {
                Some(Target::Ssh { host }) => format!("`{program}` is not found here, and {host} is reached by it"),
                _ => format!("`{program}` is not found on the search path here"),
            };
            self.warn(command.mark, "RB012", message);
        }
    }
}

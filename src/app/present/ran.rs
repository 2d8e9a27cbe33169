//! How a command of a step ended last, in a few words. A run without an end is unknown, whoever began it.

use crate::app::present::bit;
use crate::app::present::view::{Bit, Tone};
use crate::domain::incident::event::At;
use crate::domain::incident::state::{CommandRun, Incident};
use crate::domain::runbook::model::RunCommand;

/// The last run of a command at its place.
pub fn last<'i>(incident: &'i Incident, at: &At, command: &RunCommand) -> Option<&'i CommandRun> {
    // A run of a record that names no command is told by its text.
    let old = |run: &CommandRun| run.start.id.is_empty() && run.start.command == command.text;
    let runs = incident.commands.iter().rev();
    runs.into_iter().find(|run| run.start.place == *at && (run.start.id == command.id || old(run)))
}

/// How it ended.
pub fn words(run: &CommandRun) -> Bit {
    match &run.finish {
        None => bit("unknown, check before re-running", Tone::Warn),
        Some(end) => match (end.exit, &end.reason) {
            (Some(code), _) => {
                let tone = if end.ok.unwrap_or(code == 0) { Tone::Ok } else { Tone::Warn };
                bit(format!("exit {code}  {:.1}s", end.took_ms as f64 / 1_000.0), tone)
            }
            (None, reason) => bit(reason.clone().unwrap_or_else(|| "unknown".into()), Tone::Warn),
        },
    }
}

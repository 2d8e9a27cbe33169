//! `midwatch incident`: the life of an incident, each act durable when it returns 0.

pub mod act;
pub mod board;
pub mod cost;
pub mod entry;
pub mod import;
pub mod outside;
pub mod past;
pub mod redact;
pub mod room;
pub mod statuspage;
pub mod tell;
pub mod ticket;
pub mod verify;

use crate::cli::args::incident::{IncidentArgs, IncidentCommand};
use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::Output;

/// Acts print nothing on success, or with JSON the incident object; `declare` prints its id. `list`, `show`, `timeline` and
/// `timers` print what is recorded. Exit 1 with the reason when the act is refused; with `--read-only` every act is.
pub fn run(context: &Context, args: &IncidentArgs, output: &mut Output) -> Result<Exit, Failure> {
    let config = context.ready(output)?;
    match &args.what {
        IncidentCommand::List { all } => tell::list(context, config, *all, output),
        IncidentCommand::Show { id } => tell::show(context, config, id, output),
        IncidentCommand::Room { id, what } => room::run(context, config, id, what.as_ref(), output),
        IncidentCommand::Statuspage { id, what } => statuspage::run(context, config, id, what.as_ref(), output),
        IncidentCommand::Ticket(args) => ticket::run(context, config, args, output),
        IncidentCommand::Timeline { id, format, which, words, refs } => {
            let wanted = entry::Wanted { which, words, refs: *refs };
            entry::timeline(context, config, id, *format, &wanted, output)
        }
        IncidentCommand::Import { .. } => import::run(context, config, &args.what, output),
        IncidentCommand::Redact { .. } => redact::run(context, config, &args.what, output),
        IncidentCommand::Search { words, within, limit } => {
            past::search(context, config, words, within.as_deref(), *limit, output)
        }
        IncidentCommand::Similar { id } => past::similar(context, config, id, output),
        IncidentCommand::Verify { id } => verify::run(context, config, id.as_deref(), output),
        IncidentCommand::Timers { id } => tell::timers(context, config, id.as_deref(), output),
        IncidentCommand::Handoff { id } => board::handoff(context, id, output),
        IncidentCommand::Update { id, text: None, .. } => board::draft_update(context, id, output),
        IncidentCommand::People { id, person: None, .. } => board::people(context, config, id, output),
        IncidentCommand::Checklist { id, tick: None, untick: None } => board::checklist(context, config, id, output),
        IncidentCommand::Task { .. }
        | IncidentCommand::Decide { .. }
        | IncidentCommand::Hypothesis { .. }
        | IncidentCommand::Checklist { .. }
        | IncidentCommand::Update { .. }
        | IncidentCommand::Merge { .. }
        | IncidentCommand::Relate { .. }
        | IncidentCommand::People { .. } => board::run(context, config, &args.what, output),
        act => act::run(context, config, act, output),
    }
}

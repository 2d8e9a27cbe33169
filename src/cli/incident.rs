//! `midwatch incident`: the life of an incident, each act durable when it returns 0.

use crate::cli::args::incident::IncidentArgs;
use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::Output;

/// Acts print nothing on success, or with JSON the incident object; `declare` prints its id. `list`, `show`, `timeline` and
/// `timers` print what is recorded. Exit 1 with the reason when the act is refused; with `--read-only` every act is.
pub fn run(context: &Context, _args: &IncidentArgs, output: &mut Output) -> Result<Exit, Failure> {
    context.ready(output)?;
    Err(Failure::unavailable("incident"))
}

//! `midwatch slo`: objectives with budgets and burn rates.

use crate::cli::args::SloArgs;
use crate::cli::args::SloCommand;
use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::Output;

/// `list` prints one row per objective, `show` one objective with alert state, policy band and forecast. JSON: the document
/// `{"as_of", "partial", "faults", "slos": […]}` with the promised names. Exit 3 with what could be had when a source failed.
pub fn run(context: &Context, args: &SloArgs, output: &mut Output) -> Result<Exit, Failure> {
    context.ready(output)?;
    match &args.what {
        SloCommand::List => Err(Failure::unavailable("slo list")),
        SloCommand::Show { name: _ } => Err(Failure::unavailable("slo show")),
    }
}

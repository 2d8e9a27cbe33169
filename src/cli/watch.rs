//! `midwatch watch`: the cockpit as lines, one fact each, with numbered prompts.

use crate::cli::args::WatchArgs;
use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::Output;

/// Prints a line whenever a fact changes and a sign of life every `--heartbeat` seconds; no columns, no cursor motion. Exit 130
/// when interrupted.
pub fn run(context: &Context, _args: &WatchArgs, output: &mut Output) -> Result<Exit, Failure> {
    context.ready(output)?;
    Err(Failure::unavailable("watch"))
}

//! `midwatch postmortem`: the draft from the record, and the count of blanks that people must still fill.

use crate::cli::args::PostmortemArgs;
use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::Output;

/// Writes the draft into the configured folder and prints its path (`--out -` prints the draft); `check FILE` prints the number
/// of blanks with their lines and exits 1 while there are any.
pub fn run(context: &Context, args: &PostmortemArgs, output: &mut Output) -> Result<Exit, Failure> {
    context.ready(output)?;
    Err(Failure::unavailable(if args.check.is_some() { "postmortem check" } else { "postmortem" }))
}

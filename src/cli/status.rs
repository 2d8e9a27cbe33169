//! `midwatch status`: one screen of facts.

use crate::cli::args::StatusArgs;
use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::Output;

/// Prints objectives, alerts, incidents and due timers as lines, or as one JSON document. With `--check` one line and the codes of
/// monitoring plugins: 0 ok, 1 warning, 2 page, 3 unknown or stale, also when the configuration cannot be used.
pub fn run(context: &Context, args: &StatusArgs, output: &mut Output) -> Result<Exit, Failure> {
    match (context.ready(output), args.check) {
        (Err(failure), true) => {
            output.line("UNKNOWN: the configuration cannot be used")?;
            output.failure(&failure);
            Ok(Exit(3))
        }
        (Err(failure), false) => Err(failure),
        (Ok(_), true) => {
            output.line("UNKNOWN: status is not available in this build")?;
            Ok(Exit(3))
        }
        (Ok(_), false) => Err(Failure::unavailable("status")),
    }
}

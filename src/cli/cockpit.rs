//! `midwatch` without a command: the full-screen cockpit.

use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::Output;

/// Opens the cockpit; without a configuration its first screen offers a drill, a Prometheus, or the one on localhost.
/// Where the terminal cannot show it (`TERM=dumb`, `ACCESSIBLE`, no terminal) the plain lines of `watch` are chosen.
pub fn run(context: &Context, output: &mut Output) -> Result<Exit, Failure> {
    context.ready(output)?;
    Err(Failure::unavailable("(the cockpit)"))
}

//! `midwatch runbook`: list, read, lint, match and walk runbooks. Only `walk` runs anything, and asks before each command.

use crate::cli::args::runbook::RunbookArgs;
use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::Output;

/// `lint` reports as `check` does ([`crate::cli::check::report`]); `match` prints `{"matches": [{"id", "path", "why"}]}`; `show`
/// prints the promised object; `walk` reads numbered answers from standard input.
pub fn run(context: &Context, _args: &RunbookArgs, output: &mut Output) -> Result<Exit, Failure> {
    context.ready(output)?;
    Err(Failure::unavailable("runbook"))
}

//! `midwatch demo`: the cockpit on a simulated production. Needs no configuration, no network and no other program.

use crate::cli::args::DemoArgs;
use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::Output;

/// Opens the cockpit on fakes only; nothing of the configuration but looks and keys is used, so that its errors do not matter.
pub fn run(_context: &Context, _args: &DemoArgs, _output: &mut Output) -> Result<Exit, Failure> {
    Err(Failure::unavailable("demo"))
}

//! `midwatch doctor`: tries everything the cockpit leans on.

use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::Output;

/// Prints one line per check: every source (reach, auth, version, clock skew, latency), the data folder (a durable write), the
/// terminal. JSON: `{"checks": [{"name", "source", "ok", "detail", "seconds"}]}`. Exit 1 when a check fails.
pub fn run(context: &Context, output: &mut Output) -> Result<Exit, Failure> {
    context.ready(output)?;
    Err(Failure::unavailable("doctor"))
}

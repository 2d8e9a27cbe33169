//! `midwatch alerts`: what fires, from every source.

use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::Output;

/// Prints one row per alert with the matching runbook. JSON: `{"as_of", "partial", "faults", "alerts": [{"fingerprint", "name",
/// "labels", "annotations", "state", "started_at", "source", "runbook", "incident"}]}`. Exit 3 when a source failed.
pub fn run(context: &Context, output: &mut Output) -> Result<Exit, Failure> {
    context.ready(output)?;
    Err(Failure::unavailable("alerts"))
}

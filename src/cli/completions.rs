//! `midwatch completions`: a script for a shell, generated from the definitions.

use crate::cli::args::{Args, CompletionsArgs};
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::Output;
use clap::CommandFactory;

/// Prints the script.
pub fn run(args: &CompletionsArgs, output: &mut Output) -> Result<Exit, Failure> {
    // Into memory first: the generator panics when a write fails, and a pipe may close.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "midwatch", &mut script);
    output.verbatim(&String::from_utf8_lossy(&script))?;
    Ok(Exit::DONE)
}

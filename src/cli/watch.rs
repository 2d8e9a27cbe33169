//! `midwatch watch`: the cockpit as lines, one fact each, with numbered prompts.

use crate::cli::args::WatchArgs;
use crate::cli::cockpit::given;
use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::run::setup::{Ready, real};

/// Prints a line whenever a fact changes and a sign of life every `--heartbeat` seconds; no columns, no cursor motion. Exit 130
/// when interrupted.
pub fn run(context: &Context, args: &WatchArgs, output: &mut Output) -> Result<Exit, Failure> {
    plain(context, output, args.heartbeat)
}

/// The plain lines of the real world. What is wrong in the files goes to standard error; what is good is used.
pub fn plain(context: &Context, output: &mut Output, heartbeat: u32) -> Result<Exit, Failure> {
    let given = given(context, true);
    output.notes(&given.findings);
    lines(real(given), output, heartbeat)
}

/// The plain lines of a machine.
pub fn lines(ready: Ready, output: &mut Output, heartbeat: u32) -> Result<Exit, Failure> {
    let mut broken = None;
    let mut print = |line: &str| match output.line(line).and_then(|()| output.finish()) {
        Ok(()) => true,
        Err(failure) => {
            broken = Some(failure);
            false
        }
    };
    let code =
        crate::run::plain::run(ready, heartbeat, &mut print).map_err(|fault| Failure::Refused(fault.to_string()))?;
    match broken {
        Some(failure) => Err(failure),
        None => Ok(Exit::of(code)),
    }
}

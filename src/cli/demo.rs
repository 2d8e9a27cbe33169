//! `midwatch demo`: the cockpit on a simulated production. Needs no configuration, no network and no other program.

use crate::cli::args::DemoArgs;
use crate::cli::cockpit::{given, open, unusable};
use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::run::setup::demo;

/// Opens the cockpit on fakes only; nothing of the configuration but looks and keys is used, so that its errors do not matter.
pub fn run(context: &Context, args: &DemoArgs, output: &mut Output) -> Result<Exit, Failure> {
    let given = given(context, true);
    if let Some(why) = unusable(context) {
        output.note(&format!("plain lines ({why})"));
        return crate::cli::watch::lines(demo(&given, args.seed, args.speed), output, 60);
    }
    open(context, demo(&given, args.seed, args.speed))
}

//! The command line: arguments in, one exit code out. Loads the settings once and hands them to one file per subcommand.
//! Holds no business rules, and prints through [`output`] alone.

pub mod alerting_rules;
pub mod alerts;
pub mod args;
pub mod changes;
pub mod check;
pub mod cockpit;
pub mod completions;
pub mod config;
pub mod context;
pub mod demo;
pub mod desk;
pub mod doctor;
pub mod drill;
pub mod experiment;
pub mod failure;
pub mod files;
pub mod folders;
pub mod gameday;
pub mod incident;
pub mod init;
pub mod keys;
pub mod library;
pub mod look;
pub mod man;
pub mod outbox;
pub mod output;
pub mod pages;
pub mod postmortem;
pub mod replay;
pub mod runbook;
pub mod schema;
pub mod send;
pub mod silence;
pub mod slo;
pub mod status;
pub mod watch;

use crate::cli::args::{Args, Command};
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::Output;
use clap::Parser;

/// Runs the program for the arguments, environment and standard streams of this process.
pub fn run() -> Exit {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(said) => return output::usage(&said),
    };
    let environment = context::environment();
    let mut output = Output::standard(&args.global, &environment);
    let result = dispatch(&args, environment, &mut output).and_then(|exit| output.finish().map(|()| exit));
    match result {
        Ok(exit) => exit,
        Err(failure) => output.failure(&failure),
    }
}

fn dispatch(args: &Args, environment: crate::config::Environment, output: &mut Output) -> Result<Exit, Failure> {
    match &args.command {
        Some(Command::Completions(it)) => return completions::run(it, output),
        Some(Command::Man) => return man::run(output),
        Some(Command::Schema(it)) => return schema::run(it, output),
        _ => {}
    }
    let context = Context::load(&args.global, environment)?;
    match &args.command {
        None => cockpit::run(&context, output),
        Some(Command::Demo(it)) => demo::run(&context, it, output),
        Some(Command::Init) => init::run(&context, output),
        Some(Command::Check(it)) => check::run(&context, it, output),
        Some(Command::Doctor) => doctor::run(&context, output),
        Some(Command::Config(it)) => config::run(&context, it, output),
        Some(Command::Slo(it)) => slo::run(&context, it, output),
        Some(Command::Alerts) => alerts::run(&context, output),
        Some(Command::Pages(it)) => pages::run(&context, it, output),
        Some(Command::Oncall) => pages::on_call(&context, output),
        Some(Command::Changes(it)) => changes::run(&context, it, output),
        Some(Command::Incident(it)) => incident::run(&context, it, output),
        Some(Command::Silence(it)) => silence::run(&context, it, output),
        Some(Command::Outbox(it)) => outbox::run(&context, it, output),
        Some(Command::Runbook(it)) => runbook::run(&context, it, output),
        Some(Command::Drill(it)) => drill::run(&context, it, output),
        Some(Command::Experiment(it)) => experiment::run(&context, it, output),
        Some(Command::Gameday(it)) => gameday::run(&context, it, output),
        Some(Command::Replay(it)) => replay::run(&context, it, output),
        Some(Command::Postmortem(it)) => postmortem::run(&context, it, output),
        Some(Command::Status(it)) => status::run(&context, it, output),
        Some(Command::Watch(it)) => watch::run(&context, it, output),
        Some(Command::Keys(it)) => keys::run(it, output),
        Some(Command::Completions(_) | Command::Man | Command::Schema(_)) => Ok(Exit::DONE),
    }
}

//! `midwatch drill`: rehearse on a simulated production, read the report, see the history. Nothing here reaches a source, a
//! target or a program: a drill's world is made of fakes, and its files go to a folder of their own.

mod control;
mod from;
mod history;
mod join;
mod list;
mod play;
mod run;

use crate::cli::args::drill::{DrillArgs, DrillCommand};
use crate::cli::check::{Kind, kind_of};
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::Output;
use crate::domain::document::{Finding, Level, nearest};
use crate::domain::fault::Fault;
use crate::run::drill::shelf::{self, Shelved};
use std::path::Path;

/// Dispatches. JSON: `list` gives `{"scenarios": [...]}`, `run` the score, `control` what was done and where the drill
/// stands, `report` one drill or the whole history.
pub fn run(context: &Context, args: &DrillArgs, output: &mut Output) -> Result<Exit, Failure> {
    match &args.what {
        DrillCommand::List => list::run(context, output),
        DrillCommand::Run(it) => run::run(context, it, output),
        DrillCommand::Control { drill, act } => control::run(context, drill.as_deref(), act.as_ref(), output),
        DrillCommand::Join { drill, person } => join::run(context, drill.as_deref(), person.as_deref(), output),
        DrillCommand::Report { drill: Some(name) } => history::one(context, name, output),
        DrillCommand::Report { drill: None } => history::all(context, output),
        DrillCommand::From { incident, to } => from::run(context, incident, to.as_deref(), output),
    }
}

fn failed(fault: Fault) -> Failure {
    Failure::Refused(fault.to_string())
}

/// Every scenario: of two with one id the one of the configuration, which a team may have made of a shipped one.
fn scenarios(context: &Context) -> (Vec<Shelved>, Vec<Finding>) {
    let (files, mut findings) = context.scenario_files();
    let mut all: Vec<Shelved> = Vec::new();
    for path in files {
        // Runbooks and scripts that lie beside scenarios are theirs.
        let text = crate::cli::files::read_text(&path).unwrap_or_default();
        if matches!(kind_of(&text), Some(Kind::Runbook | Kind::Script)) {
            continue;
        }
        match shelf::load(&path) {
            Ok((shelved, found)) => {
                findings.extend(found);
                let known = |s: &Shelved| all.iter().any(|other| other.scenario.id == s.scenario.id);
                if let Some(shelved) = shelved.filter(|s| !known(s)) {
                    all.push(shelved);
                }
            }
            Err(fault) => findings.push(crate::cli::files::about(&path, Level::Error, "unreadable", fault.to_string())),
        }
    }
    let (shipped, found) = shelf::shipped();
    findings.extend(found);
    for shelved in shipped {
        if !all.iter().any(|other| other.scenario.id == shelved.scenario.id) {
            all.push(shelved);
        }
    }
    (all, findings)
}

/// The scenario of an id or a file. One with an error is not played: what it would teach is not what its author meant.
pub fn find(context: &Context, typed: &str, output: &mut Output) -> Result<Shelved, Failure> {
    let path = Path::new(typed);
    let by_file = typed.contains('/') || crate::cli::files::is_yaml(path);
    let (found, findings) = if by_file {
        shelf::load(path).map_err(failed)?
    } else {
        let (all, findings) = scenarios(context);
        let found = all.iter().find(|s| s.scenario.id == typed).cloned();
        if found.is_none() {
            let near = nearest(typed, all.iter().map(|s| s.scenario.id.as_str()));
            let hint =
                near.map_or_else(|| "`midwatch drill list` shows them".into(), |near| format!("nearest: `{near}`"));
            return Err(Failure::Refused(format!("there is no scenario `{typed}` ({hint})")));
        }
        let path = found.as_ref().map(|s| s.scenario.path.clone()).unwrap_or_default();
        (found, findings.into_iter().filter(|f| f.path == path).collect())
    };
    let bad = findings.iter().any(|f| f.level == Level::Error);
    output.notes(&findings.into_iter().filter(|f| f.level != Level::Info).collect::<Vec<_>>());
    match found {
        Some(shelved) if !bad => Ok(shelved),
        _ => Err(Failure::Refused(format!("{typed} is not played before its errors are mended"))),
    }
}

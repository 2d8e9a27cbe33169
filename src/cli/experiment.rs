//! `midwatch experiment`: chaos experiments with a hypothesis, abort conditions and a rollback on every way out. Judges and runs
//! by the rules of the domain; read-only mode runs none.

mod import;
mod list;
pub mod owed;
mod report;
mod run;

use crate::cli::args::experiment::{ExperimentArgs, ExperimentCommand};
use crate::cli::check;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::files::{about, expand, is_yaml};
use crate::cli::output::Output;
use crate::domain::document::{Finding, Level, nearest};
use crate::domain::experiment::lint::Facts;
use crate::domain::fault::Fault;
use crate::run::experiment::shelf::{self, Shelved};
use serde_json::Map;
use std::path::{Path, PathBuf};

/// Dispatches. JSON: `list` gives `{"experiments": [...]}`, `check` what `midwatch check` gives, `import` `{"files": [...]}`,
/// `run --dry` and `report RUN` one run, `report` `{"runs": [...]}`.
pub fn run(context: &Context, args: &ExperimentArgs, output: &mut Output) -> Result<Exit, Failure> {
    match &args.what {
        ExperimentCommand::List => list::run(context, output),
        ExperimentCommand::Show { experiment } => show(context, experiment, output),
        ExperimentCommand::Check { paths } => checked(context, paths, output),
        ExperimentCommand::Import { files, to } => import::run(context, files, to, output),
        ExperimentCommand::Run { experiment, dry: true, .. } => run::dry(context, experiment, output),
        ExperimentCommand::Run { experiment, plain, .. } => run::real(context, experiment, *plain, output),
        ExperimentCommand::Rollback { run, by_hand: Some(note), .. } => {
            owed::by_hand(context, run.as_deref(), note, output)
        }
        ExperimentCommand::Rollback { run, plain, .. } => owed::run(context, run.as_deref(), *plain, output),
        ExperimentCommand::Report { run: Some(name) } => report::one(context, name, output),
        ExperimentCommand::Report { run: None } => report::all(context, output),
    }
}

fn failed(fault: Fault) -> Failure {
    Failure::Refused(fault.to_string())
}

/// Every experiment: of two with one id the one of the configuration, which a team may have made of an example.
fn experiments(context: &Context) -> (Vec<Shelved>, Vec<Finding>) {
    let known = context.slo_ids();
    let facts = Facts { slos: known.as_ref() };
    let (files, mut findings) = context.experiment_files();
    let mut all: Vec<Shelved> = Vec::new();
    for path in files {
        match shelf::load(&path, &facts) {
            Ok((shelved, found)) => {
                findings.extend(found);
                let taken = |s: &Shelved| all.iter().find(|other| other.experiment.id == s.experiment.id);
                match shelved.as_ref().map(|s| (taken(s), s)) {
                    Some((Some(first), s)) => {
                        let message =
                            format!("`{}` is in {} too; that one is used", s.experiment.id, first.experiment.path());
                        findings.push(about(&path, Level::Warning, "duplicate-id", message));
                    }
                    _ => all.extend(shelved),
                }
            }
            Err(fault) => findings.push(about(&path, Level::Error, "unreadable", fault.to_string())),
        }
    }
    let (shipped, found) = shelf::shipped();
    findings.extend(found);
    for shelved in shipped {
        if !all.iter().any(|other| other.experiment.id == shelved.experiment.id) {
            all.push(shelved);
        }
    }
    (all, findings)
}

/// The experiment of an id or a file. One with an error is not given.
pub fn find(context: &Context, typed: &str, output: &mut Output) -> Result<Shelved, Failure> {
    let path = Path::new(typed);
    let (found, findings) = if typed.contains('/') || is_yaml(path) {
        let known = context.slo_ids();
        shelf::load(path, &Facts { slos: known.as_ref() }).map_err(failed)?
    } else {
        let (all, findings) = experiments(context);
        match all.iter().find(|s| s.experiment.id == typed).cloned() {
            Some(found) => {
                let path = found.experiment.path().to_owned();
                (Some(found), findings.into_iter().filter(|f| f.path == path).collect())
            }
            None => {
                output.notes(&findings.into_iter().filter(|f| f.level == Level::Error).collect::<Vec<_>>());
                let near = nearest(typed, all.iter().map(|s| s.experiment.id.as_str()));
                let hint = near.map_or_else(
                    || "`midwatch experiment list` shows them".into(),
                    |near| format!("nearest: `{near}`"),
                );
                return Err(Failure::Refused(format!("there is no experiment `{typed}` that can be run ({hint})")));
            }
        }
    };
    output.notes(&findings.into_iter().filter(|f| f.level != Level::Info).collect::<Vec<_>>());
    found.ok_or_else(|| Failure::Refused(format!("{typed} is not run before its errors are mended")))
}

fn show(context: &Context, typed: &str, output: &mut Output) -> Result<Exit, Failure> {
    let shelved = find(context, typed, output)?;
    if output.is_json() {
        output.json(&list::row(&shelved, true, None))?;
    } else {
        output.verbatim(&crate::domain::text::clean_lines(&shelved.experiment.source).join("\n"))?;
        output.verbatim("\n")?;
    }
    Ok(Exit::DONE)
}

fn checked(context: &Context, paths: &[PathBuf], output: &mut Output) -> Result<Exit, Failure> {
    let known = context.slo_ids();
    let facts = Facts { slos: known.as_ref() };
    let (mut files, mut findings) = (Vec::new(), Vec::new());
    if paths.is_empty() {
        (files, findings) = context.experiment_files();
    }
    for path in paths {
        match path.is_dir() {
            true => files.extend(expand(&path.to_string_lossy(), is_yaml)),
            false => files.push(path.clone()),
        }
    }
    for path in &files {
        match crate::cli::files::read_text(path) {
            Ok(text) => findings.extend(shelf::of_text(&path.to_string_lossy(), &text, &facts).1),
            Err(finding) => findings.push(finding),
        }
    }
    check::print(files.len(), &findings, (Map::new(), &[]), output)
}

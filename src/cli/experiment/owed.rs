//! Runs whose process is gone and that owe their rollback: offered before anything else is begun, taken back with what was
//! confirmed, or said to be done by hand.

use super::report::find;
use super::run::go;
use crate::cli::context::Context;
use crate::cli::desk::writable;
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::Output;
use crate::cli::runbook::exec::user;
use crate::domain::experiment::entry::Body;
use crate::domain::experiment::machine::Machine;
use crate::domain::experiment::read::read;
use crate::domain::experiment::report::markdown;
use crate::io::clock;
use crate::io::files::experiments::{Journal, Run, owed, run as read_run, write_report};
use crate::run::setup::host;
use std::io::IsTerminal;
use std::sync::Arc;

/// One line for each run that owes its rollback, beside the results.
pub fn remind(context: &Context, output: &mut Output) {
    for run in owed(&context.folders.data) {
        output.note(&format!("ROLLBACK PENDING: {}: `midwatch experiment rollback`", words(&run)));
    }
}

fn words(run: &Run) -> String {
    let environment = run.record.opened.as_ref().map(|o| o.environment.clone()).unwrap_or_default();
    let in_force = run.record.done.iter().filter(|done| done.id.starts_with("method."));
    let shown: Vec<&str> = in_force.map(|done| done.shown.as_str()).collect();
    format!("{} in {environment} left in force: {}", run.name, shown.join("; "))
}

/// Offers every rollback that is owed. `Err` while one stays owed.
pub fn offer(context: &Context, output: &mut Output) -> Result<(), Failure> {
    if let Some(run) = owed(&context.folders.data).first() {
        output.line(&format!("ROLLBACK PENDING: {}", words(run)))?;
        self::run(context, Some(&run.name), true, output)?;
    }
    match owed(&context.folders.data).first() {
        None => Ok(()),
        Some(run) => Err(Failure::Refused(format!("{} owes its rollback; that comes first", run.name))),
    }
}

/// Offers it before the cockpit opens, where a person can answer; the cockpit opens whatever they say.
pub fn before_the_cockpit(context: &Context, output: &mut Output) {
    if owed(&context.folders.data).is_empty() {
        return;
    }
    let asks = std::io::stdin().is_terminal() && !context.config().read_only;
    match asks {
        false => remind(context, output),
        true => {
            if let Err(failure) = offer(context, output) {
                output.note(&failure.to_string());
            }
        }
    }
}

fn one(context: &Context, typed: Option<&str>) -> Result<Run, Failure> {
    let all = owed(&context.folders.data);
    let run = match (typed, all.as_slice()) {
        (Some(typed), _) => find(context, typed)?,
        (None, [run]) => run.clone(),
        (None, []) => return Err(Failure::Refused("no run owes its rollback".to_owned())),
        (None, several) => {
            let names: Vec<&str> = several.iter().map(|run| run.name.as_str()).collect();
            return Err(Failure::Refused(format!("several owe their rollback; name one of {}", names.join(", "))));
        }
    };
    if run.alive {
        return Err(Failure::Refused(format!("{} is running: halt it there", run.name)));
    }
    if !run.record.owes_rollback() {
        return Err(Failure::Refused(format!("{} owes no rollback", run.name)));
    }
    Ok(run)
}

/// Takes back what a run left in force.
pub fn run(context: &Context, typed: Option<&str>, plain: bool, output: &mut Output) -> Result<Exit, Failure> {
    // A configuration with errors must not keep anybody from taking something back.
    let config = context.config().clone();
    output.notes(&context.all_findings());
    writable(&config)?;
    let run = one(context, typed)?;
    let mut journal = Journal::open(&run.folder).map_err(super::failed)?;
    // What was confirmed then is what is run now, whatever the file says today.
    let opened = run.record.opened.clone();
    let experiment = opened.and_then(|opened| read(&opened.path, &opened.source).0);
    let Some(experiment) = experiment else {
        let shown: Vec<&str> = run.record.done.iter().map(|done| done.shown.as_str()).collect();
        return Err(Failure::Refused(format!(
            "what {} was cannot be read from its journal any more; it ran: {}; take it back by hand, then `midwatch experiment \
             rollback {} --by-hand TEXT`",
            run.name,
            shown.join("; "),
            run.name
        )));
    };
    let now = clock::now();
    let by = config.responder.name.clone();
    journal.append(now, &Body::TakenOver { by, host: host() }).map_err(super::failed)?;
    let place = (host(), user(Some(context)));
    let began = Machine::owed(Arc::new(experiment), &run.name, place, run.record.clone(), now);
    go(context, &config, began, (&mut journal, &run.folder), plain, output)?;
    let after = read_run(&run.folder).map_err(super::failed)?;
    Ok(if after.record.owes_rollback() { Exit::NO } else { Exit::DONE })
}

/// A person says that it was done by hand.
pub fn by_hand(context: &Context, typed: Option<&str>, note: &str, output: &mut Output) -> Result<Exit, Failure> {
    writable(context.config())?;
    let note = crate::domain::text::clean(note.trim()).into_owned();
    if note.is_empty() {
        return Err(Failure::Usage("--by-hand says what was done".to_owned()));
    }
    let run = one(context, typed)?;
    let mut journal = Journal::open(&run.folder).map_err(super::failed)?;
    let by = context.config().responder.name.clone();
    journal.append(clock::now(), &Body::Settled { by, note }).map_err(super::failed)?;
    let entries = read_run(&run.folder).map_err(super::failed)?.entries;
    write_report(&run.folder, &markdown(&entries)).map_err(super::failed)?;
    output.line(&format!("{}: recorded as taken back by hand", run.name))?;
    Ok(Exit::DONE)
}

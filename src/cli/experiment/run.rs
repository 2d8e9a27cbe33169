//! `midwatch experiment run`: everything is shown and confirmed, looked at all the time, and taken back on every way out. With
//! `--dry` on the simulated production.

use super::{failed, find, owed};
use crate::app::present::slos;
use crate::cli::cockpit::{looks, unusable};
use crate::cli::context::Context;
use crate::cli::desk::writable;
use crate::cli::failure::{Exit, Failure};
use crate::cli::look::{look, objectives};
use crate::cli::output::Output;
use crate::cli::runbook::exec::user;
use crate::config::Config;
use crate::domain::experiment::entry::Outcome;
use crate::domain::experiment::machine::{Effect, Machine};
use crate::domain::experiment::preflight::{Budget, Facts, Known, is_freeze};
use crate::domain::experiment::record::Record;
use crate::domain::experiment::report::{markdown, verdict};
use crate::domain::fault::{Fault, FaultKind};
use crate::io::clock;
use crate::io::files::experiments::{Journal, run as read_run, runs, write_report};
use crate::io::port::Metrics;
use crate::io::shell::LocalShell;
use crate::io::store::Store;
use crate::io::store::sqlite::Sqlite;
use crate::io::store::sqlite::open::default_path;
use crate::run::experiment::full::Full;
use crate::run::experiment::plain::{Listener, Plain};
use crate::run::experiment::{Face, In, World, dry as rehearsal, live, opened};
use crate::run::setup::host;
use crate::run::terminal::install_panic_hook;
use crate::run::terminal::signals;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;

/// On the simulated production. JSON: `{"experiment", "outcome", "hypothesis", "result", "journal"}`.
pub fn dry(context: &Context, typed: &str, output: &mut Output) -> Result<Exit, Failure> {
    let shelved = find(context, typed, output)?;
    let by = context.config().responder.name.clone();
    let quiet = output.is_json();
    let mut broken = None;
    let mut say = |text: &str| {
        if quiet || broken.is_some() {
            return broken.is_none();
        }
        broken = output.line(text).err();
        broken.is_none()
    };
    let done = rehearsal::go(&shelved.experiment, (&by, &host()), &mut say).map_err(failed)?;
    if let Some(failure) = broken {
        return Err(failure);
    }
    let record = Record::fold(&done.entries);
    if quiet {
        output.json(&json!({
            "experiment": shelved.experiment.id,
            "outcome": record.closed.as_ref().map(|(_, outcome, _)| outcome.word()),
            "hypothesis": record.hypothesis(),
            "result": verdict(&record),
            "journal": done.entries,
        }))?;
    } else {
        output.line(&format!("DRY RUN: {}; nothing was run", verdict(&record)))?;
    }
    Ok(exit(&record))
}

fn exit(record: &Record) -> Exit {
    match record.closed.as_ref().map(|(_, outcome, _)| *outcome) {
        Some(Outcome::Completed) if record.hypothesis() != Some(false) => Exit::DONE,
        _ => Exit::NO,
    }
}

/// On the real world. Exit 0 when it completed and nothing says that the hypothesis does not hold.
pub fn real(context: &Context, typed: &str, plain: bool, output: &mut Output) -> Result<Exit, Failure> {
    let config = context.ready(output)?.clone();
    writable(&config)?;
    if output.is_json() {
        return Err(Failure::Usage(
            "-o json needs --dry here; `midwatch experiment report last -o json` comes after".into(),
        ));
    }
    owed::offer(context, output)?;
    let shelved = find(context, typed, output)?;
    if shelved.shipped {
        let id = &shelved.experiment.id;
        return Err(Failure::Refused(format!(
            "{id} is an example and is not run: `midwatch experiment show {id}` prints it; make it yours, or see it with --dry"
        )));
    }
    let data = &context.folders.data;
    if let Some(other) = runs(data).0.into_iter().find(|run| run.alive) {
        return Err(Failure::Refused(format!("{} is running; one experiment at a time", other.name)));
    }
    let now = clock::now();
    let (run, folder, mut journal) =
        Journal::begin(data, &now.format("EXP-%Y%m%d-%H%M%S").to_string()).map_err(failed)?;
    let (by, place) = (config.responder.name.clone(), (host(), user(Some(context))));
    let (machine, effects) = Machine::begin(Arc::clone(&shelved.experiment), &run, place, now);
    journal.append(now, &opened(&machine, &by, &host(), false)).map_err(failed)?;
    let began = (machine, effects);
    go(context, &config, began, (&mut journal, &folder), plain, output)
}

/// Goes through a run that began or that is owed, and writes its report.
pub fn go(
    context: &Context,
    config: &Config,
    began: (Machine, Vec<Effect>),
    (journal, folder): (&mut Journal, &Path),
    plain: bool,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let (sender, inbox) = channel();
    let asked = sender.clone();
    let threads = |e: std::io::Error| failed(Fault::new(FaultKind::Local, "threads", e.to_string()));
    signals::start(move |it| drop(asked.send(In::Asked(it)))).map_err(threads)?;
    let world = world(context, config);
    let person = config.responder.name.clone();
    let lines = plain.then_some("--plain").or_else(|| unusable(context));
    let lived = if let Some(why) = lines {
        output.note(&format!("plain lines ({why})"));
        let wanted = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let _listener = Listener::start(sender.clone(), Arc::clone(&wanted)).map_err(threads)?;
        let mut print = |text: &str| output.line(text).and_then(|()| output.finish()).is_ok();
        let mut face = Plain::new(&mut print, wanted);
        live(began, world, journal, (sender, &inbox), &mut face as &mut dyn Face, &person)
    } else {
        install_panic_hook(context.folders.state.join("panic.log"));
        let mut face = Full::open(looks(context)?, &sender, &person).map_err(failed)?;
        live(began, world, journal, (sender, &inbox), &mut face as &mut dyn Face, &person)
    };
    let machine = lived.map_err(failed)?;
    let entries = read_run(folder).map_err(failed)?.entries;
    let report = write_report(folder, &markdown(&entries)).map_err(failed)?;
    let record = machine.journal();
    let cause = record.cause.as_ref().map(|(_, cause)| cause.words());
    output.line(&format!("{}: {}", machine.run(), verdict(record)))?;
    for why in cause.iter().chain(&record.refused) {
        output.line(&format!("  {why}"))?;
    }
    if record.owes_rollback() {
        output.line("THE ROLLBACK IS OWED: `midwatch experiment rollback` goes on, or finish it by hand:")?;
        for deed in &machine.experiment().rollback {
            output.line(&format!("  {}", deed.line()))?;
        }
    }
    output.line(&format!("report: {}", report.display()))?;
    Ok(exit(record))
}

/// What there is to ask and to run with.
fn world(context: &Context, config: &Config) -> World {
    let metrics = crate::cli::runbook::suggesting::metrics(config);
    let (for_facts, for_incidents) = (context.clone(), context.clone());
    World {
        metrics: metrics.map(|port| Arc::new(port) as Arc<dyn Metrics>),
        objectives: objectives(context),
        shell: Arc::new(LocalShell::default()),
        facts: Arc::new(move || facts(&for_facts)),
        incidents: Arc::new(move || incidents(&for_incidents)),
        env_pass: config.env_pass.clone(),
    }
}

/// Incidents that are open in the record.
fn incidents(context: &Context) -> Known<Vec<String>> {
    let path = default_path(&context.folders.data);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let mut store = Sqlite::open(&path).map_err(|fault| fault.to_string())?;
    let heads = store.heads().map_err(|fault| fault.to_string())?;
    Ok(heads.into_iter().filter(|head| head.is_open()).map(|head| head.id.0).collect())
}

/// What the preflight needs: asks the sources once.
fn facts(context: &Context) -> Facts {
    let budgets = if objectives(context).is_empty() { Ok(Vec::new()) } else { budgets(context) };
    Facts { incidents: incidents(context), budgets }
}

fn budgets(context: &Context) -> Known<Vec<Budget>> {
    let looked = look(context, false).map_err(|failure| failure.to_string())?;
    let policy = looked.model.fleet.policy();
    let of = |status: &crate::domain::slo::status::Status| {
        status.policy.band.as_ref().map(|band| (band.name.clone(), is_freeze(policy, &band.name)))
    };
    // A number of a source that is away is no number of now.
    let ranked = slos::ranked(&looked.model, looked.now);
    let budget = ranked.into_iter().map(|(objective, status)| Budget {
        slo: objective.id.clone(),
        left: status.budget.remaining.filter(|_| !status.state.blind()),
        band: of(&status),
    });
    Ok(budget.collect())
}

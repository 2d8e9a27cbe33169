//! One look at the sources, for commands that print and end. Records nothing.

use crate::app::model::{Case, Model};
use crate::app::screen::Screen;
use crate::app::update::source_of;
use crate::cli::cockpit::given;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::output::Progress;
use crate::domain::alert::Alert;
use crate::domain::document::{Finding, Level};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::ids::Fingerprint;
use crate::domain::incident::state::Incident;
use crate::domain::slo::objective::Objective;
use crate::domain::slo::reading::{History as SloHistory, Window};
use crate::domain::time::{Timestamp, mins, secs};
use crate::io::clock;
use crate::io::store::sqlite::open::default_path;
use crate::run::once::{History, Limits, poll_once};
use crate::run::setup::{Ready, read_objectives, real};
use serde_json::Value;
use std::sync::Arc;

/// What the sources said, and when it was looked at.
#[derive(Debug)]
pub struct Look {
    /// The machine after every source answered or failed.
    pub model: Model,
    /// When that was.
    pub now: Timestamp,
    /// Whether budgets were wanted, so that history that was not read is missing.
    pub with_history: bool,
    /// What is wrong in files that the commands had no reason to tell before.
    pub findings: Vec<Finding>,
}

impl Look {
    /// Whether a source said nothing, or not everything.
    pub fn is_partial(&self) -> bool {
        let unanswered = self.model.links.values().any(|l| l.kind.polled() && l.good.is_none());
        let nobody_asked = self.model.links.is_empty() && !self.model.fleet.objectives.is_empty();
        unanswered
            || nobody_asked
            || !crate::app::present::report::faults(&self.model).is_empty()
            || (self.with_history && !crate::app::present::report::unanswered(&self.model).is_empty())
            || self
                .model
                .fleet
                .measured
                .values()
                .any(|m| m.partial || (self.with_history && m.read.is_some_and(|read| read < 1.0)))
    }

    /// Whether something that was configured could not be read, so that it is missing in what is shown.
    pub fn is_broken(&self) -> bool {
        self.findings.iter().any(|f| f.level == Level::Error)
    }

    /// Says in a document of the model what the look itself knows.
    pub fn sign(&self, mut document: Value) -> Value {
        if let Some(partial) = document.get_mut("partial") {
            *partial = Value::Bool(self.is_partial());
        }
        document
    }
}

/// Asks every source once, and reads what is missing of the history that budgets need.
pub fn look(context: &Context, with_record: bool) -> Result<Look, Failure> {
    let mut progress = Progress::default();
    let looked = look_with(context, with_record, (None, Vec::new()), History::Read(&mut |left| progress.left(left)));
    progress.end();
    looked
}

/// The same with what one screen shows beside: its charts' marks.
pub fn look_at(context: &Context, screen: Screen) -> Result<Look, Failure> {
    let mut progress = Progress::default();
    let read = History::Read(&mut |left| progress.left(left));
    let looked = look_with(context, false, (Some(screen), Vec::new()), read);
    progress.end();
    looked
}

/// The same with the record, and with incidents that are over: around their beginnings and ends history is read finer.
pub fn look_back(context: &Context, past: Vec<Incident>) -> Result<Look, Failure> {
    let mut progress = Progress::default();
    let read = History::Read(&mut |left| progress.left(left));
    let looked = look_with(context, true, (None, past), read);
    progress.end();
    looked
}

/// Asks every source once, for alerts: no budget is looked at.
pub fn glance(context: &Context, with_record: bool) -> Result<Look, Failure> {
    look_with(context, with_record, (None, Vec::new()), History::Skip)
}

fn look_with(
    context: &Context,
    with_record: bool,
    (screen, past): (Option<Screen>, Vec<Incident>),
    history: History<'_>,
) -> Result<Look, Failure> {
    let Ready { mut model, mut world, patience, .. } = real(given(context, with_record));
    if let Some(screen) = screen {
        model.nav.open(screen);
    }
    for incident in past {
        model.desk.cases.insert(incident.id.clone(), Case::of(incident, Vec::new()));
    }
    if !default_path(&context.folders.data).exists() {
        // A look makes no record where there is none.
        world.store = None;
    }
    let told = context.all_findings();
    let with_history = matches!(history, History::Read(_));
    let model = poll_once(model, world, Limits::of(patience), history);
    let model = model.map_err(|fault| Failure::Source(fault.to_string()))?;
    // Remarks are for who writes the files (`midwatch check`), not for every look at the numbers.
    let worth = |f: &&Finding| f.level > Level::Info && !told.contains(f);
    let findings = model.setup.findings.iter().chain(&model.fleet.findings).filter(worth).cloned().collect();
    Ok(Look { model, now: clock::now(), with_history, findings })
}

/// The objectives that the configuration names.
pub fn objectives(context: &Context) -> Vec<Arc<Objective>> {
    read_objectives(&context.slo_files().0).0
}

/// Burn rates of the objectives of an incident, from an hour before it to half an hour after it, as far as a source has
/// them; and why some are missing. Asks one source after the other, each within its own time-out.
pub fn burn(context: &Context, incident: &Incident) -> (Vec<SloHistory>, Vec<Fault>) {
    let wanted: Vec<Arc<Objective>> =
        objectives(context).into_iter().filter(|o| incident.objectives.contains(&o.id)).collect();
    let mut faults = Vec::new();
    let mut histories = Vec::new();
    if wanted.is_empty() {
        return (histories, faults);
    }
    let Ready { model, world, .. } = real(given(context, false));
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => return (histories, vec![Fault::new(FaultKind::Local, "async runtime", e.to_string())]),
    };
    let begin = incident.times.detected.map_or(incident.times.declared, |at| at.min(incident.times.declared));
    let end = incident.times.resolved.map_or_else(clock::now, |at| (at + mins(30)).min(clock::now()));
    let range = (end - begin + mins(60)).clamp(mins(120), secs(7 * 86_400));
    // As many points as a chart has columns, and not more often than a scrape.
    let step = secs((range.num_seconds() / 120).max(30));
    for objective in wanted {
        let port = source_of(&model, &objective).and_then(|source| world.metrics.get(&source).cloned());
        let Some(port) = port else {
            faults.push(Fault::new(
                FaultKind::Local,
                format!("objective {}", objective.id),
                "no source is configured for it",
            ));
            continue;
        };
        match runtime.block_on(port.history(&objective, &[Window::H1, Window::M5], range, step, end)) {
            Ok(history) => histories.push(history),
            Err(fault) => faults.push(fault),
        }
    }
    (histories, faults)
}

/// The alerts of these fingerprints, or of beginnings that only one has. Asks the sources once; all are found, or none
/// is given.
pub fn alerts_named(context: &Context, typed: &[String]) -> Result<Vec<Alert>, Failure> {
    if typed.is_empty() {
        return Ok(Vec::new());
    }
    let look = glance(context, false)?;
    let mut found: Vec<Alert> = Vec::new();
    for wanted in typed {
        let alert = one(&look, wanted.trim())?;
        if !found.iter().any(|a| a.fingerprint == alert.fingerprint) {
            found.push(alert);
        }
    }
    Ok(found)
}

fn one(look: &Look, typed: &str) -> Result<Alert, Failure> {
    if let Some(alert) = look.model.alerts.get(&Fingerprint(typed.to_ascii_lowercase())) {
        return Ok(alert.clone());
    }
    let lower = typed.to_ascii_lowercase();
    let begins: Vec<&Alert> =
        look.model.alerts.all().filter(|a| lower.len() >= 4 && a.fingerprint.0.starts_with(&lower)).collect();
    match begins.as_slice() {
        [alert] => Ok((*alert).clone()),
        [] if look.is_partial() => {
            let faults: Vec<String> =
                look.model.links.values().filter_map(|l| l.fault.as_ref()).map(|(_, f)| f.to_string()).collect();
            Err(Failure::Source(format!(
                "no source that answered has the alert `{typed}`, and not all did ({}); leave --alert out to go on without",
                faults.join("; ")
            )))
        }
        [] if look.model.links.is_empty() => {
            Err(Failure::Refused(format!("there is no alert `{typed}`: no source of alerts is configured")))
        }
        [] => Err(Failure::Refused(format!("there is no alert `{typed}`; `midwatch alerts -o json` shows them"))),
        several => {
            let prints: Vec<&str> = several.iter().map(|a| a.fingerprint.as_str()).collect();
            Err(Failure::Refused(format!("`{typed}` could be {}; type more of it", prints.join(" or "))))
        }
    }
}

//! What an incident cost its objectives, asked of their sources for a command: the machine looks once at those objectives
//! alone, within a limit. Records nothing, and asks no source that none of them has.

use crate::app::costs;
use crate::app::fleet::is_row;
use crate::app::health::LinkKind;
use crate::app::model::{Case, Model};
use crate::app::present::slos;
use crate::app::update::source_of;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::ids::{SloId, SourceName};
use crate::domain::incident::event::BudgetSample;
use crate::domain::incident::state::Incident;
use crate::domain::slo::objective::{Objective, Sli};
use crate::run::once::{History, Limits, poll_once};
use crate::run::setup::{Ready, read_objectives};
use crate::run::world::World;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// What is known of the budget of one objective, or why nothing is.
pub type Sampled = (SloId, Result<BudgetSample, String>);

/// A sample per objective of an incident at a moment of it (`declared`, `mitigated` …), the same that a cockpit takes. `Err`
/// when there was nobody to ask.
pub fn samples(ready: Ready, incident: &Incident, moment: &str, limit: Duration) -> Result<Vec<Sampled>, Fault> {
    let Ready { mut model, mut world, .. } = ready;
    let now = world.now.clone();
    let (all, plans, _) = read_objectives(&world.slos);
    let wanted = wanted(&all, incident);
    let sources: BTreeSet<SourceName> = wanted.iter().filter_map(|o| source_of(&model, o)).collect();
    if sources.is_empty() {
        return Err(Fault::new(FaultKind::Local, "budget", "no source of numbers is configured"));
    }
    narrow(&mut model, &mut world, &sources);
    model.fleet.plan(plans);
    model.learn(wanted, Vec::new(), now());
    // The history around its beginning and its end is wanted finer than by the hour.
    model.desk.cases.insert(incident.id.clone(), Case::of(incident.clone(), Vec::new()));
    let mut model = poll_once(model, world, Limits::within(limit), History::Read(&mut |_| {}))?;
    let now = now();
    model.fleet.assessed = None;
    slos::refresh(&mut model, now);
    let sampled = |slo: &SloId| {
        let sample = costs::at_hand(&model, now, incident, slo, moment);
        (slo.clone(), sample.ok_or_else(|| why(&model, &all, slo)))
    };
    Ok(incident.objectives.iter().map(sampled).collect())
}

/// The objectives of an incident, what its composites are made of, and the templates of its rows.
fn wanted(all: &[Arc<Objective>], incident: &Incident) -> Vec<Arc<Objective>> {
    let mut names: BTreeSet<&SloId> = incident.objectives.iter().collect();
    loop {
        let parts = all.iter().filter(|o| names.contains(&o.id)).filter_map(|o| match &o.sli {
            Sli::Composite(composite) => Some(composite.parts.iter().map(|(id, _)| id)),
            _ => None,
        });
        let more: Vec<&SloId> = parts.flatten().filter(|id| !names.contains(id)).collect();
        if more.is_empty() {
            break;
        }
        names.extend(more);
    }
    let named = |o: &&Arc<Objective>| names.contains(&o.id) || names.iter().any(|id| is_row(id, &o.id));
    all.iter().filter(named).cloned().collect()
}

/// Leaves of the world only what these objectives need.
fn narrow(model: &mut Model, world: &mut World, sources: &BTreeSet<SourceName>) {
    model.links.retain(|name, _| sources.contains(name));
    for link in model.links.values_mut() {
        if let LinkKind::Prometheus { alerts } = &mut link.kind {
            *alerts = false;
        }
        link.markers.clear();
    }
    model.outbox.targets.clear();
    model.reload.next = None;
    world.metrics.retain(|name, _| sources.contains(name));
    world.alerts.clear();
    world.targets.clear();
    world.slos.clear();
    world.runbooks.clear();
    (world.store, world.shell, world.watch, world.finder) = (None, None, None, None);
}

/// Why nothing is known of an objective.
fn why(model: &Model, all: &[Arc<Objective>], slo: &SloId) -> String {
    let declared = |o: &&Arc<Objective>| o.id == *slo || is_row(slo, &o.id);
    let Some(objective) = all.iter().find(declared) else { return "no file declares it".to_owned() };
    let link = source_of(model, objective).and_then(|name| model.links.get(&name));
    match link.and_then(|l| l.fault.as_ref()) {
        Some((_, fault)) => fault.to_string(),
        None if link.is_some_and(|l| l.good.is_none()) => "its source did not answer in time".to_owned(),
        None if model.fleet.templates.iter().any(|t| t.id == *slo) => "it is one row per label value".to_owned(),
        None => "its events are not known yet".to_owned(),
    }
}

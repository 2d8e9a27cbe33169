//! A recorded incident as a scenario: signals from what its objectives cost, alerts as they were, answers of commands from
//! their recorded excerpts, expectations from what people did; and a script that does the same again. What looks like a
//! secret is struck out. Text out, which a person reads before it is played.

mod redact;
mod write;

pub use redact::redact;

use crate::domain::drill::scenario::Milestone;
use crate::domain::ids::SloId;
use crate::domain::incident::change::{Change, VerifyEnd};
use crate::domain::incident::event::{Body, Event};
use crate::domain::incident::state::{CommandRun, Incident};
use crate::domain::slo::objective::Objective;
use crate::domain::time::{Span, Timestamp, mins, secs};
use std::sync::Arc;

/// How long before the first sign a captured drill begins.
const BEFORE: Span = Span::minutes(2);

/// What a scenario is made of.
#[derive(Debug)]
pub struct Source<'s> {
    /// The incident at its end.
    pub incident: &'s Incident,
    /// All its events.
    pub events: &'s [Event],
    /// The objectives that are configured.
    pub objectives: &'s [Arc<Objective>],
    /// Paths beside the scenario under which its runbooks will stand.
    pub runbooks: &'s [String],
}

/// Two files.
#[derive(Clone, Debug, PartialEq)]
pub struct Captured {
    /// The scenario's name; its file is `<id>.yaml`.
    pub id: String,
    /// The scenario.
    pub scenario: String,
    /// The script of what was done.
    pub script: String,
    /// What could not be taken over, for the person who reads it.
    pub notes: Vec<String>,
}

/// An objective's error ratio over time, as far as it was sampled.
#[derive(Clone, Debug, PartialEq)]
struct Course {
    slo: SloId,
    service: String,
    target: f64,
    left: f64,
    /// Seconds since the beginning, and the share of bad events.
    points: Vec<(i64, f64)>,
}

/// The change that ended the pain.
#[derive(Clone, Debug, PartialEq)]
struct Cure {
    /// What it is called: the last part of its command's id.
    action: String,
    run: String,
}

/// A scenario and a script out of an incident.
pub fn capture(source: &Source<'_>) -> Captured {
    let start = beginning(source);
    let cure = cure(source.incident);
    let (courses, mut notes) = courses(source, start);
    if source.incident.alerts.is_empty() {
        notes.push("no alert was linked: the scenario begins with a message instead of a page".into());
    }
    if cure.is_none() {
        notes.push("no command is known to have ended the pain: it ends by itself at the recorded time".into());
    }
    let id = format!("from-{}", source.incident.id.as_str().to_lowercase());
    let builder = write::Builder { source, start, id: &id, courses: &courses, cure: cure.as_ref() };
    Captured { scenario: builder.scenario(), script: builder.script(), notes, id }
}

/// Two minutes before the first thing that is known.
fn beginning(source: &Source<'_>) -> Timestamp {
    let times = &source.incident.times;
    let alerts = source.incident.alerts.values().map(|alert| alert.started_at);
    // An alert that fired for days before is no reason to play days.
    let near = alerts.filter(|at| times.declared - *at < Span::hours(2));
    let first =
        near.chain(times.detected.filter(|at| times.declared - *at < Span::hours(2))).chain([times.declared]).min();
    first.unwrap_or(times.declared) - BEFORE
}

fn cure(incident: &Incident) -> Option<Cure> {
    let until = incident.times.mitigated.or(incident.times.resolved);
    let before = incident.changes.iter().filter(|c| c.stands() && until.is_none_or(|until| c.at <= until));
    let held = |c: &&Change| matches!(c.verify.as_ref().and_then(|v| v.end.as_ref()), Some(VerifyEnd::Held(_)));
    let change = before.clone().rfind(held).or_else(|| before.clone().next_back())?;
    let run = incident.commands.iter().find(|run| run.start.run == change.run)?;
    Some(Cure { action: action(run), run: change.run.clone() })
}

/// What a command is called: the last part of its id, else of its words.
fn action(run: &CommandRun) -> String {
    let named = run.start.id.rsplit('.').next().filter(|name| !name.is_empty());
    let words = || crate::domain::runbook::pieces::slug(&run.start.command, "command");
    named.map_or_else(words, str::to_owned)
}

/// The error ratio of each objective, out of the burn rates that were sampled.
fn courses(source: &Source<'_>, start: Timestamp) -> (Vec<Course>, Vec<String>) {
    let mut notes = Vec::new();
    let mut all: Vec<Course> = Vec::new();
    for slo in &source.incident.objectives {
        let Some(objective) = source.objectives.iter().find(|o| o.id == *slo) else {
            notes.push(format!("{slo} is not configured any more: its target is not known, it is left out"));
            continue;
        };
        let bad = 1.0 - objective.target;
        let mut points: Vec<(i64, f64)> = Vec::new();
        let mut left = None;
        for event in source.events {
            let Body::BudgetSampled(sample) = &event.body else { continue };
            if sample.slo != *slo {
                continue;
            }
            left = left.or(sample.remaining);
            let at = (event.at - start).num_seconds().max(0);
            if let Some(burn) = sample.burn_5m.filter(|b| b.is_finite()) {
                let ratio = (burn * bad).clamp(0.0, 1.0);
                match points.last_mut() {
                    Some(last) if last.0 >= at => last.1 = ratio,
                    _ => points.push((at, ratio)),
                }
            }
        }
        if points.is_empty() {
            notes.push(format!("{slo} was never sampled: it is left out"));
            continue;
        }
        all.push(Course {
            slo: slo.clone(),
            service: objective.service.clone(),
            target: objective.target.clamp(0.9, 0.99999),
            left: left.unwrap_or(0.8).clamp(-10.0, 1.0),
            points,
        });
    }
    (all, notes)
}

/// Names of milestones that the incident reached, with when.
fn milestones(source: &Source<'_>) -> Vec<(Milestone, Timestamp)> {
    let times = &source.incident.times;
    let mut all = vec![(Milestone::Declared, times.declared)];
    all.extend(times.acknowledged.map(|at| (Milestone::Acknowledged, at)));
    all.extend(times.first_update.map(|at| (Milestone::Updated, at)));
    all
}

/// How long something may take in the drill: as long as it took, half again, and two minutes.
fn limit(took: Span) -> Span {
    let generous = took.max(secs(0)) * 3 / 2 + mins(2);
    mins((generous.num_seconds() + 59) / 60)
}

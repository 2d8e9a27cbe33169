//! Asks every feed what changed around the start of an incident, or lately, while the screen that shows it is open. Each feed
//! is asked by itself: one that fails takes nothing away from the others, and what it told before stays.

use crate::app::effect::Effect;
use crate::app::model::Model;
use crate::app::pending::Asked;
use crate::app::present::what_changed::{feeds, stretch};
use crate::app::recent::{Heard, Subject};
use crate::app::screen::{Item, Screen};
use crate::domain::fault::Fault;
use crate::domain::ids::{IncidentId, SourceName};
use crate::domain::outward::capability::Capability;
use crate::domain::outward::question::{Answer, Question};
use crate::domain::recent::Recent;
use crate::domain::slo::marks::Marks;
use crate::domain::time::{Span, Timestamp};

/// How long an answer, or a fault, is young.
const YOUNG: Span = Span::minutes(1);

/// Opens the screen: for what is in view, else for the selected objective, else for the incident that acts are about.
pub fn open(model: &mut Model, incident: Option<IncidentId>, selected: Option<Item>) -> Result<(), String> {
    let subject = match (model.nav.screen().clone(), selected) {
        (Screen::Slo(id), _) | (_, Some(Item::Slo(id))) => Subject::Slo(id),
        _ => Subject::Incident(incident.ok_or("open an incident or an objective first")?),
    };
    model.nav.open(Screen::WhatChanged(subject));
    Ok(())
}

/// Asks those that are due.
pub fn ask(model: &mut Model, now: Timestamp, out: &mut Vec<Effect>) {
    let Screen::WhatChanged(subject) = model.nav.screen().clone() else { return };
    if model.recent.subject.as_ref() != Some(&subject) {
        model.recent = Heard { subject: Some(subject.clone()), ..Heard::default() };
    }
    let Some((from, to, _)) = stretch(model, now, &subject) else { return };
    for (name, capability) in feeds(model) {
        let due = model.recent.feeds.get(&name).and_then(|f| f.asked).is_none_or(|at| at + YOUNG <= now || at > now);
        if !due || model.pending.any(|a| matches!(a, Asked::Recent(_, asked) if *asked == name)) || !well(model, &name)
        {
            continue;
        }
        model.recent.feeds.entry(name.clone()).or_default().asked = Some(now);
        let req = model.pending.ask(Asked::Recent(subject.clone(), name.clone()));
        out.push(match capability {
            Some(Capability::ReadChanges) => {
                Effect::AskTarget { req, target: name, question: Question::Changes(from, to) }
            }
            Some(_) => Effect::AskTarget { req, target: name, question: Question::Annotations(from, to, Vec::new()) },
            None => {
                let markers = model.links.get(&name).map(|link| link.markers.clone()).unwrap_or_default();
                Effect::Marks { req, source: name, markers, range: now - from }
            }
        });
    }
}

/// Whether it may be asked: it is not held back after failures.
fn well(model: &Model, name: &SourceName) -> bool {
    match model.outbox.targets.get(name) {
        Some(target) => target.breaker.is_closed(),
        None => model.links.get(name).is_some_and(|link| link.breaker.is_closed()),
    }
}

/// A target told, or did not.
pub fn told(model: &mut Model, now: Timestamp, subject: &Subject, name: &SourceName, result: Result<Answer, Fault>) {
    let found = result.map(|answer| match answer {
        Answer::Changes(changes) => changes.iter().map(|change| Recent::of_change(name, change)).collect(),
        Answer::Annotations(marks) => marks.iter().map(|mark| Recent::of_annotation(name, mark)).collect(),
        _ => Vec::new(),
    });
    take(model, now, subject, name, found);
}

/// A metrics source told its marks, or did not.
pub fn marked(model: &mut Model, now: Timestamp, subject: &Subject, name: &SourceName, result: Result<Marks, Fault>) {
    // A marker that could not be read is as good as a feed that failed.
    let remark = result.as_ref().ok().and_then(|marks| marks.remarks.first().cloned());
    let found = result.map(|marks| marks.marks.iter().map(|mark| Recent::of_mark(name, mark)).collect());
    take(model, now, subject, name, found);
    if let (Some(feed), Some(remark)) = (model.recent.feeds.get_mut(name), remark) {
        feed.fault = Some(remark);
    }
}

fn take(model: &mut Model, now: Timestamp, subject: &Subject, name: &SourceName, found: Result<Vec<Recent>, Fault>) {
    if model.recent.subject.as_ref() != Some(subject) {
        return;
    }
    let feed = model.recent.feeds.entry(name.clone()).or_default();
    match found {
        Ok(changes) => (feed.heard, feed.changes, feed.fault) = (Some(now), changes, None),
        Err(fault) => feed.fault = Some(fault.to_string()),
    }
}

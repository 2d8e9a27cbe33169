//! Reading history in the background: when a step may be asked for, for whom first, and what it brought. One step of a source
//! is out at a time, none while its breaker is open; a poll never waits for it.

use crate::app::cuts;
use crate::app::effect::Effect;
use crate::app::health::LinkKind;
use crate::app::model::Model;
use crate::app::pending::Asked;
use crate::app::present::slos;
use crate::app::screen::{Item, Screen};
use crate::app::update::objectives_of;
use crate::domain::fault::Fault;
use crate::domain::ids::{SloId, SourceName};
use crate::domain::slo::objective::Objective;
use crate::domain::slo::reading::{Measurement, Via, Window};
use crate::domain::slo::warm::Warmed;
use crate::domain::time::{Span, Timestamp, secs};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The longest rest between two steps on the steps' own account.
const REST: Span = Span::seconds(5);

/// Asks for the next step of every source that has something left.
pub fn step(model: &mut Model, now: Timestamp, out: &mut Vec<Effect>) {
    let names: Vec<SourceName> = model.links.keys().cloned().collect();
    for name in names {
        cuts::refresh(model, &name, now);
        if !may(model, &name, now) {
            continue;
        }
        let (first, rest) = split(model, &name);
        let Some(link) = model.links.get_mut(&name) else { continue };
        let new = first.iter().any(|o| !link.warming.done_for.contains(&o.id));
        if link.left == Some(0) && !new {
            continue;
        }
        if first.is_empty() && rest.is_empty() {
            link.left = Some(0);
            continue;
        }
        let req = model.pending.ask(Asked::Warm(name.clone()));
        link.warming.out = Some((req, now));
        link.warming.done_for = first.iter().map(|o| o.id.clone()).collect();
        let cuts = Arc::clone(&link.warming.cuts);
        link.warming.told = Arc::clone(&cuts);
        out.push(Effect::Warm { req, source: name, first, rest, cuts });
    }
}

/// Whether a step of a source may be asked for.
fn may(model: &Model, name: &SourceName, now: Timestamp) -> bool {
    let Some(link) = model.links.get(name) else { return false };
    matches!(link.kind, LinkKind::Prometheus { .. })
        && !model.fleet.reading
        && link.good.is_some()
        && link.fault.is_none()
        && link.breaker.is_closed()
        && link.warming.out.is_none()
        && link.warming.next <= now
}

/// When a step may become due by itself.
pub fn due(model: &Model) -> impl Iterator<Item = Timestamp> + '_ {
    let waits = |name: &&SourceName| {
        let link = model.links.get(*name);
        link.is_some_and(|l| may(model, name, l.warming.next) && l.left != Some(0))
    };
    model.links.keys().filter(waits).filter_map(|name| model.links.get(name)).map(|l| l.warming.next)
}

/// Who is looked at, and the others. What the server records is read on only where somebody looks at it closely.
fn split(model: &Model, name: &SourceName) -> (Vec<Arc<Objective>>, Vec<Arc<Objective>>) {
    let (close, seen) = looked_at(model);
    let recorded = |o: &Arc<Objective>| {
        model.fleet.measured.get(&o.id).is_some_and(|m| m.via == Via::Recorded || m.recorded.is_some())
    };
    let mut first = Vec::new();
    let mut rest = Vec::new();
    for objective in objectives_of(model, name) {
        let wanted = close.contains(&objective.id) || (seen.contains(&objective.id) && !recorded(&objective));
        match wanted {
            true => first.push(objective),
            false if !recorded(&objective) => rest.push(objective),
            false => {}
        }
    }
    (first, rest)
}

/// The objectives whose details are shown, and those that are rows on the screen.
fn looked_at(model: &Model) -> (BTreeSet<SloId>, BTreeSet<SloId>) {
    let close = match model.nav.screen() {
        Screen::Slo(id) => BTreeSet::from([id.clone()]),
        Screen::Incident(id) | Screen::Postmortem(id) | Screen::Walk(Some(id), _) => {
            model.desk.cases.get(id).map(|c| c.shown.objectives.iter().cloned().collect()).unwrap_or_default()
        }
        _ => BTreeSet::new(),
    };
    let seen = match model.nav.screen() {
        Screen::Slos | Screen::Overview => {
            let ids = slos::ids(model);
            let rows = usize::from(model.size.1);
            let cursor = match &model.nav.spot().cursor {
                Some(Item::Slo(id)) => ids.iter().position(|i| i == id).unwrap_or(0),
                _ => 0,
            };
            ids.into_iter().skip(cursor.saturating_sub(rows)).take(rows * 2).collect()
        }
        _ => BTreeSet::new(),
    };
    (close, seen)
}

/// A step came, or did not.
pub fn warmed(model: &mut Model, now: Timestamp, source: &SourceName, result: Result<Warmed, Fault>) {
    let Some(link) = model.links.get_mut(source) else { return };
    let took = link.warming.out.take().map_or(Span::zero(), |(_, since)| (now - since).max(Span::zero()));
    match result {
        Ok(Warmed { measurements, left, note }) => {
            link.left = Some(left);
            link.warming.failures = 0;
            // As much rest as work, and as much more as the ceiling of samples demands.
            let samples = note.samples.unwrap_or(0) as f64;
            let paid = link.ceiling.filter(|c| *c > 0.0).map_or(0.0, |ceiling| samples / ceiling);
            let paid = Span::milliseconds((paid.min(3_600.0) * 1_000.0).ceil() as i64);
            link.warming.next = now + took.min(REST).max(paid - took);
            for new in measurements {
                learn(model, new);
            }
            model.fleet.assessed = None;
        }
        Err(fault) => {
            // The next poll says what is wrong with the source; history waits.
            link.warming.next = now + link.interval.max(secs(1));
            link.warming.done_for.clear();
            link.warming.told = Arc::default();
            link.warming.failures += 1;
            tracing::warn!(source = %source, %fault, "history");
        }
    }
}

/// Long windows are known a little earlier than the next poll would tell them.
fn learn(model: &mut Model, mut new: Measurement) {
    let own = model.fleet.objective(&new.slo).map(|o| Window::of(o.window));
    let told = |m: &Measurement| own.and_then(|own| m.windows.get(&own)).and_then(|(_, r)| r.error_ratio());
    match model.fleet.measured.get_mut(&new.slo) {
        None => drop(model.fleet.measured.insert(new.slo.clone(), new)),
        // The events behind a recorded period are all read: they count now, and what was recorded stands beside them.
        Some(old)
            if old.via == Via::Recorded
                && new.edges == 0
                && new.read.is_some_and(|read| read >= 1.0)
                && told(&new).is_some() =>
        {
            new.recorded = told(old).zip(told(&new));
            for (window, reading) in std::mem::take(&mut old.windows) {
                new.windows.entry(window).or_insert(reading);
            }
            *old = Measurement { partial: old.partial, warnings: std::mem::take(&mut old.warnings), ..new };
        }
        // Recordings and slices tell of the same windows; the poll says which counts.
        Some(old) if old.via == Via::Recorded || old.recorded.is_some() => old.slices = new.slices,
        Some(old) => {
            let known = |r: &crate::domain::slo::reading::Reading| r.is_known();
            for (window, (at, reading)) in new.windows {
                if known(&reading) || !old.windows.get(&window).is_some_and(|(_, r)| known(r)) {
                    old.windows.insert(window, (at, reading));
                }
            }
            old.coverage = new.coverage.or(old.coverage);
            old.read = new.read;
            old.edges = new.edges;
            old.slices = new.slices;
        }
    }
}

//! Policy bands: when what is left of a budget settles in another band, that is told, goes to the timeline of the open
//! incidents it belongs to, and into a log of its own in the record. A crossing has the same number in every cockpit, so
//! that several of them record it once; the record says at the next start which band was the last.

use crate::app::effect::Effect;
use crate::app::model::Model;
use crate::app::pending::Asked;
use crate::app::present::view::Tone;
use crate::app::update::record;
use crate::domain::fault::Fault;
use crate::domain::ids::{IncidentId, ReqId};
use crate::domain::incident::event::{BUDGET_LOG, Body, Event, NewEvent};
use crate::domain::slo::settling::Crossing;
use crate::domain::slo::status::{State, Status};
use crate::domain::time::Timestamp;

/// The log's name where incidents have their id.
pub fn log() -> IncidentId {
    IncidentId(BUDGET_LOG.to_owned())
}

/// The record is open: asks for the crossings that it holds.
pub fn ask(model: &mut Model, out: &mut Vec<Effect>) {
    let req = model.pending.ask(Asked::Crossings);
    out.push(Effect::All { req, incident: log() });
}

/// The crossings of the record came. Without them the bands begin anew; nothing waits for ever.
pub fn loaded(model: &mut Model, now: Timestamp, result: Result<Vec<Event>, Fault>) {
    model.fleet.bands.loaded = true;
    match result {
        Ok(events) => take(model, &events),
        Err(fault) => model.say(now, Tone::Warn, format!("the log of policy bands could not be read: {fault}")),
    }
}

/// Takes in crossings of the record, whoever wrote them.
pub fn take(model: &mut Model, events: &[Event]) {
    for event in events.iter().filter(|e| e.incident.as_str() == BUDGET_LOG) {
        let Body::BandCrossed(crossing) = &event.body else { continue };
        let bands = &mut model.fleet.bands;
        bands.settled.entry(crossing.slo.clone()).or_default().recorded(crossing);
        // What this cockpit saw gives way to what the record holds under the same number.
        bands.crossings.retain(|(_, c)| (&c.slo, c.number) != (&crossing.slo, crossing.number));
        bands.crossings.push((event.at, crossing.clone()));
        model.fleet.assessed = None;
    }
    model.fleet.bands.crossings.sort_by(|a, b| (a.0, &a.1.slo, a.1.number).cmp(&(b.0, &b.1.slo, b.1.number)));
}

/// Whether what is left is known well enough to decide by it.
fn sound(status: &Status) -> bool {
    !matches!(status.state, State::Stale | State::Warming | State::Error | State::NoData | State::Partial)
}

/// Looks at every status; for when they were just made.
pub fn observe(model: &mut Model, now: Timestamp, out: &mut Vec<Effect>) {
    if !model.fleet.bands.loaded {
        return;
    }
    let policy = model.fleet.policy().clone();
    let mut crossed = Vec::new();
    for (slo, status) in &model.fleet.statuses {
        let (Some(remaining), Some(at)) = (status.budget.remaining.filter(|_| sound(status)), status.budget_at) else {
            continue;
        };
        let settling = model.fleet.bands.settled.entry(slo.clone()).or_default();
        crossed.extend(settling.observe(slo, &policy, remaining, at));
    }
    for crossing in crossed {
        tell(model, now, crossing, out);
    }
}

fn tell(model: &mut Model, now: Timestamp, crossing: Crossing, out: &mut Vec<Effect>) {
    let policy = model.fleet.policy();
    let rank = |band: Option<&str>| band.and_then(|b| policy.rank(b)).unwrap_or(0);
    let stricter = rank(Some(&crossing.to)) > rank(crossing.from.as_deref());
    model.say(now, if stricter { Tone::Warn } else { Tone::Ok }, crossing.words());
    model.fleet.bands.crossings.push((now, crossing.clone()));
    model.fleet.assessed = None;
    if model.setup.read_only {
        return;
    }
    let body = Body::BandCrossed(crossing.clone());
    let once = Some(crossing.once());
    let event = NewEvent {
        incident: log(),
        at: now,
        recorded_at: now,
        actor: "midwatch".into(),
        body: body.clone(),
        once: once.clone(),
    };
    let req = model.pending.ask(Asked::Crossing);
    model.fleet.bands.unsaved.push((req, event.clone()));
    out.push(Effect::Append { req, events: vec![event] });
    let open: Vec<IncidentId> = model
        .open_cases()
        .iter()
        .filter(|c| c.shown.objectives.contains(&crossing.slo))
        .map(|c| c.shown.id.clone())
        .collect();
    for id in open {
        record::machine(model, now, &id, body.clone(), once.clone(), out);
    }
}

/// A crossing is on disk: this cockpit's, or the one that another recorded before.
pub fn saved(model: &mut Model, req: ReqId, events: &[Event]) {
    model.fleet.bands.unsaved.retain(|(waiting, _)| *waiting != req);
    take(model, events);
}

/// Asks again for the append of what is neither on disk nor on its way.
pub fn retry(model: &mut Model, out: &mut Vec<Effect>) {
    for (number, event) in &mut model.fleet.bands.unsaved {
        if model.pending.peek(*number).is_none() {
            *number = model.pending.ask(Asked::Crossing);
            out.push(Effect::Append { req: *number, events: vec![event.clone()] });
        }
    }
}

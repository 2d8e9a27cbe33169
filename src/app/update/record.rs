//! The record: events are applied at once and appended first; what is not on disk stays marked until the store says so.

use crate::app::effect::Effect;
use crate::app::model::{Case, LastAct, Model, Tail};
use crate::app::pending::Asked;
use crate::app::present::view::Tone;
use crate::app::update::outward;
use crate::app::update::rename::rename;
use crate::app::update::{bands, draft};
use crate::domain::fault::Fault;
use crate::domain::ids::{IncidentId, ReqId};
use crate::domain::incident::event::{Body, Event, NewEvent, is_log};
use crate::domain::incident::state::{Incident, key_text};
use crate::domain::time::{Timestamp, clock, secs};

/// What the machine itself saw. Not recorded in read-only mode. `once` lets several cockpits record it one time.
pub fn machine(
    model: &mut Model,
    now: Timestamp,
    id: &IncidentId,
    body: Body,
    once: Option<String>,
    out: &mut Vec<Effect>,
) {
    if model.setup.read_only {
        return;
    }
    let event = NewEvent { incident: id.clone(), at: now, recorded_at: now, actor: "midwatch".into(), body, once };
    append(model, id, vec![event], out);
}

/// What the machine itself saw, several things at once.
pub fn machine_all(model: &mut Model, now: Timestamp, id: &IncidentId, bodies: Vec<Body>, out: &mut Vec<Effect>) {
    if model.setup.read_only || bodies.is_empty() {
        return;
    }
    let event =
        |body| NewEvent { incident: id.clone(), at: now, recorded_at: now, actor: "midwatch".into(), body, once: None };
    append(model, id, bodies.into_iter().map(event).collect(), out);
}

/// What the machine saw and what was so since before.
#[expect(clippy::too_many_arguments, reason = "the arguments of `machine`, and when it was")]
pub fn machine_at(
    model: &mut Model,
    now: Timestamp,
    at: Timestamp,
    id: &IncidentId,
    body: Body,
    once: Option<String>,
    out: &mut Vec<Effect>,
) {
    if model.setup.read_only {
        return;
    }
    let event = NewEvent { incident: id.clone(), at, recorded_at: now, actor: "midwatch".into(), body, once };
    append(model, id, vec![event], out);
}

/// What the person here did.
pub fn person(
    model: &mut Model,
    now: Timestamp,
    at: Timestamp,
    id: &IncidentId,
    bodies: Vec<Body>,
    out: &mut Vec<Effect>,
) -> ReqId {
    let actor = model.setup.responder.clone();
    let events = bodies
        .into_iter()
        .map(|body| NewEvent { incident: id.clone(), at, recorded_at: now, actor: actor.clone(), body, once: None })
        .collect();
    append(model, id, events, out)
}

/// Applies events and asks for their append, before every effect that follows. What comes after a declaration that is not
/// on disk waits for it: its id may be taken, and then the events would go to another incident.
pub fn append(model: &mut Model, id: &IncidentId, events: Vec<NewEvent>, out: &mut Vec<Effect>) -> ReqId {
    let req = model.pending.ask(Asked::Append(id.clone()));
    if let Some(case) = model.desk.cases.get_mut(id) {
        let undeclared = case.saved.is_none() && !case.unsaved.is_empty();
        case.unsaved.push((req, events.clone()));
        case.reshow();
        if undeclared {
            drop(model.pending.take(req));
            return req;
        }
    } else if is_log(id) {
        model.outbox.unsaved.push((req, events.clone()));
    }
    out.push(Effect::Append { req, events });
    req
}

/// The same for events of no incident.
fn send_loose(model: &mut Model, out: &mut Vec<Effect>) {
    for n in 0..model.outbox.unsaved.len() {
        let Some((number, events)) = model.outbox.unsaved.get(n).cloned() else { return };
        let Some(log) = events.first().map(|event| event.incident.clone()) else { continue };
        if model.pending.peek(number).is_some() {
            continue;
        }
        let req = model.pending.ask(Asked::Append(log));
        if let Some(waiting) = model.outbox.unsaved.get_mut(n) {
            waiting.0 = req;
        }
        if let Some(act) = model.desk.last_act.as_mut().filter(|a| a.req == number) {
            act.req = req;
        }
        out.push(Effect::Append { req, events });
    }
}

/// Asks for the append of every group of an incident that is neither on disk nor on its way, oldest first, each under a
/// new number.
fn send_waiting(model: &mut Model, id: &IncidentId, out: &mut Vec<Effect>) {
    let Some(case) = model.desk.cases.get_mut(id) else { return };
    let groups = if case.saved.is_none() { 1 } else { case.unsaved.len() };
    for (number, events) in case.unsaved.iter_mut().take(groups) {
        if model.pending.peek(*number).is_some() {
            continue;
        }
        let old = std::mem::replace(number, model.pending.ask(Asked::Append(id.clone())));
        if let Some(act) = model.desk.last_act.as_mut().filter(|a| a.req == old) {
            act.req = *number;
        }
        out.push(Effect::Append { req: *number, events: events.clone() });
    }
}

/// Events are on disk. The incident may have got another id, when two were declared in one second.
pub fn saved(model: &mut Model, now: Timestamp, req: ReqId, id: &IncidentId, events: &[Event], out: &mut Vec<Effect>) {
    let real = events.first().map_or_else(|| id.clone(), |e| e.incident.clone());
    if real != *id {
        rename(model, id, &real);
        model.say(now, Tone::Muted, format!("recorded as {real}"));
    }
    if let Some(case) = model.desk.cases.get_mut(&real) {
        case.unsaved.retain(|(waiting, _)| *waiting != req);
        case.take(events);
    }
    refold(model, events, out);
    model.outbox.unsaved.retain(|(waiting, _)| *waiting != req);
    if let Some(act) = &mut model.desk.last_act
        && act.req == req
    {
        act.key = events.iter().rev().find(|e| !matches!(e.body, Body::Outgoing(_))).map(|e| e.key.clone());
        act.ops = events
            .iter()
            .filter_map(|e| match &e.body {
                Body::Outgoing(op) => Some(op.id.clone()),
                _ => None,
            })
            .collect();
    }
    send_waiting(model, &real, out);
    calm(model, now);
    let story = |e: &Event| {
        matches!(e.body, Body::Resolved { .. } | Body::Mitigated)
            || (matches!(e.body, Body::BudgetSampled(_)) && model.desk.drafts.contains_key(&real))
    };
    if events.iter().any(story) {
        draft::refresh(model, &real, true, out);
    }
}

/// Says so when everything is on disk again.
pub fn calm(model: &mut Model, now: Timestamp) {
    if model.unsaved() == 0 && model.desk.trouble.take().is_some() {
        model.say(now, Tone::Ok, "saved: everything is on disk again");
    }
}

/// Events are not on disk: they stay here and are tried again.
pub fn not_saved(model: &mut Model, now: Timestamp, fault: &Fault, out: &mut Vec<Effect>) {
    let since = model.desk.trouble.as_ref().map_or(now, |(since, ..)| *since);
    if model.desk.trouble.is_none() {
        model.say(now, Tone::Crit, format!("NOT SAVED: {fault}; trying again every 5s"));
        if model.setup.bell {
            out.push(Effect::Bell);
        }
    }
    model.desk.trouble = Some((since, fault.to_string(), now + secs(5)));
}

/// Tries to save again what is not saved.
pub fn retry(model: &mut Model, now: Timestamp, out: &mut Vec<Effect>) {
    let Some((since, why, at)) = model.desk.trouble.clone() else { return };
    // A wait that is longer than any was ever set belongs to a clock that was set back without a word.
    if at > now && at - now <= secs(5) {
        return;
    }
    model.desk.trouble = Some((since, why, now + secs(5)));
    let ids: Vec<IncidentId> = model.desk.cases.keys().cloned().collect();
    for id in ids {
        send_waiting(model, &id, out);
    }
    send_loose(model, out);
    bands::retry(model, out);
}

/// The record was read.
pub fn loaded(model: &mut Model, now: Timestamp, incidents: Vec<(Incident, Vec<Event>)>, out: &mut Vec<Effect>) {
    let first = !model.desk.loaded;
    model.desk.loaded = true;
    for (incident, tail) in incidents {
        let id = incident.id.clone();
        let unsaved = model.desk.cases.remove(&id).map(|c| c.unsaved).unwrap_or_default();
        let mut case = Case::of(incident, tail);
        case.unsaved = unsaved;
        case.reshow();
        model.desk.cases.insert(id, case);
    }
    let resumed: Vec<String> = model
        .open_cases()
        .iter()
        .map(|c| {
            let last = c.tail.last().map_or_else(String::new, |e| format!(", last event {}", clock(e.recorded_at)));
            let unknown = c.shown.commands.iter().filter(|r| r.finish.is_none()).count();
            let unknown =
                if unknown > 0 { format!(", {unknown} command(s) with unknown result") } else { String::new() };
            format!("resumed {}{last}{unknown}", c.shown.id)
        })
        .collect();
    if first {
        for line in resumed {
            model.say(now, Tone::Accent, line);
        }
    }
    let _ = out;
}

/// Another cockpit recorded events.
pub fn others(model: &mut Model, now: Timestamp, events: &[Event], out: &mut Vec<Effect>) {
    refold(model, events, out);
    let mut told = std::collections::BTreeSet::new();
    for event in events {
        let id = event.incident.clone();
        match model.desk.cases.get_mut(&id) {
            Some(case) => case.take(std::slice::from_ref(event)),
            None => {
                if let Some(incident) = Incident::begin(event) {
                    model.desk.cases.insert(id.clone(), Case::of(incident, vec![event.clone()]));
                }
            }
        }
        if let Some(words) = approved(model, event) {
            model.say(now, Tone::Ok, words);
        }
        if event.actor != model.setup.responder
            && event.actor != "midwatch"
            && told.insert((event.actor.clone(), id.clone()))
        {
            model.say(now, Tone::Muted, format!("{} wrote in {id}", event.actor));
        }
    }
}

/// Where a text was taken out, what was folded from it is folded anew.
fn refold(model: &mut Model, events: &[Event], out: &mut Vec<Effect>) {
    let redacted = events.iter().filter(|event| matches!(event.body, Body::Redacted(_)));
    let ids: std::collections::BTreeSet<IncidentId> = redacted.map(|event| event.incident.clone()).collect();
    for id in ids {
        // The draft holds the text as well; it is made anew when it is looked at.
        model.desk.drafts.remove(&id);
        let req = model.pending.ask(Asked::Refold(id.clone()));
        out.push(Effect::All { req, incident: id });
    }
}

/// All events of an incident came, of which a text was taken out.
pub fn refolded(
    model: &mut Model,
    now: Timestamp,
    id: &IncidentId,
    result: Result<Vec<Event>, Fault>,
    out: &mut Vec<Effect>,
) {
    match result {
        Ok(events) => {
            let done = model.desk.cases.get_mut(id).is_none_or(|case| case.refold(&events));
            if !done {
                let req = model.pending.ask(Asked::Refold(id.clone()));
                out.push(Effect::All { req, incident: id.clone() });
            }
        }
        Err(fault) => {
            let what = format!("{id} could not be read anew: {fault}; leave and start again to forget the text here");
            model.say(now, Tone::Warn, what);
        }
    }
}

/// What was asked for here has its second person now.
fn approved(model: &Model, event: &Event) -> Option<String> {
    let Body::ApprovalGiven { id, .. } = &event.body else { return None };
    let case = model.desk.cases.get(&event.incident)?;
    let approval = case.shown.approvals.iter().find(|a| a.request.id == *id)?;
    let by = approval.given.as_ref().filter(|_| approval.by.0 == model.setup.responder)?;
    Some(format!("{} approved: {}; Enter on it shows the command", by.name, approval.request.command))
}

/// The record cannot be used at all.
pub fn failed(model: &mut Model, now: Timestamp, fault: &Fault) {
    model.desk.loaded = true;
    model.fleet.bands.loaded = true;
    model.desk.trouble = Some((now, fault.to_string(), now + secs(5)));
    model.say(now, Tone::Crit, format!("the record cannot be used: {fault}; nothing will be saved until it can"));
}

/// A page of older events came.
pub fn older(model: &mut Model, now: Timestamp, id: &IncidentId, result: Result<Vec<Event>, Fault>) {
    match result {
        Ok(events) => {
            if let Some(case) = model.desk.cases.get_mut(id) {
                let before = case.tail.len();
                let mut tail = events;
                tail.extend(std::mem::take(&mut case.tail).into_events());
                tail.sort_by(|a, b| a.rank().cmp(&b.rank()));
                tail.dedup_by(|a, b| a.key == b.key);
                case.complete =
                    tail.len() == before || case.saved.as_ref().is_some_and(|s| tail.len() as u64 >= s.events);
                case.tail = Tail::of(tail);
                case.found = None;
            }
        }
        Err(fault) => model.say(now, Tone::Warn, format!("older events of {id} could not be read: {fault}")),
    }
}

/// Remembers what `u` takes back.
pub fn remember(model: &mut Model, incident: &IncidentId, req: ReqId, reverse: Option<Body>, words: String) {
    model.desk.last_act = Some(LastAct { incident: incident.clone(), req, key: None, reverse, ops: Vec::new(), words });
}

/// Takes back the person's last act: a line of text is retracted, anything else is set back. The record keeps both.
pub fn undo(model: &mut Model, now: Timestamp, out: &mut Vec<Effect>) -> Result<(), String> {
    let act = model.desk.last_act.clone().ok_or("there is nothing to take back")?;
    // What set a status back would open a resolved incident without a word.
    let over = model.desk.cases.get(&act.incident).is_some_and(|c| !c.shown.is_open());
    if over && act.reverse.as_ref().is_some_and(|b| !matches!(b, Body::RoleSet { .. } | Body::Marked { .. })) {
        return Err(format!("{} is resolved; :reopen opens it again", act.incident));
    }
    // What is on its way is caught if it has not left; the record says which.
    for op in &act.ops {
        outward::discard(model, now, op, "taken back".into(), out).map_err(|refusal| refusal.0)?;
    }
    // What was to be told of it elsewhere is not told.
    if let Some(key) = &act.key {
        let about = key_text(key);
        let told = model.outbox.open().filter(|e| e.incident == act.incident && e.op.about.as_ref() == Some(&about));
        let ops: Vec<_> = told.map(|e| e.op.id.clone()).collect();
        for op in ops {
            // What has left stays: the room reads the correction.
            let _ = outward::discard(model, now, &op, "taken back".into(), out);
        }
    }
    if act.reverse.is_none() && act.key.is_none() && !act.ops.is_empty() {
        model.desk.last_act = None;
        return Ok(());
    }
    let body = match (act.reverse, act.key) {
        (Some(body), _) => body,
        (None, Some(of)) => Body::Retracted { of, reason: "taken back".into() },
        (None, None) => return Err("it is not saved yet; try again in a moment".into()),
    };
    model.desk.last_act = None;
    person(model, now, now, &act.incident, vec![body], out);
    model.say(now, Tone::Accent, format!("taken back: {}", act.words));
    Ok(())
}

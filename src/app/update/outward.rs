//! The outbox: what may go out is claimed, sent, and its outcome recorded; a person's word comes before every rule. One
//! step at a time per operation, and every step is on disk before the next begins.

use crate::app::effect::Effect;
use crate::app::model::Model;
use crate::app::outbox::{Busy, PAUSE, TargetState};
use crate::app::pending::Asked;
use crate::app::present::head::unsent;
use crate::app::present::view::Tone;
use crate::app::update::record;
use crate::domain::fault::Fault;
use crate::domain::ids::{IncidentId, SourceName};
use crate::domain::incident::decide::Refusal;
use crate::domain::incident::event::{Body, NewEvent, OUTWARD_LOG};
use crate::domain::incident::stepped::Stepped;
use crate::domain::outward::decide::{Next, Readiness, Scene, still_good};
use crate::domain::outward::entry::{Entry, Lease, State, Step};
use crate::domain::outward::intent::Intent;
use crate::domain::outward::operation::{Expected, OpId, Operation};
use crate::domain::outward::outcome::{Found, Outcome};
use crate::domain::time::{Span, Timestamp};

/// How much longer a lease is than the longest that a request may take.
const LEASE_SLACK: Span = Span::seconds(15);
/// How often an outcome is brought to a record that did not take it.
const AGAIN: Span = Span::seconds(5);

/// The event that lets something leave the house: refused with the reason when the target cannot do it. Record it in one
/// batch with the events that it belongs to (`record` beside this file), or with [`queue`].
pub fn outgoing(
    model: &Model,
    now: Timestamp,
    target: &SourceName,
    intent: Intent,
    expected: Expected,
) -> Result<Body, Refusal> {
    if model.setup.read_only {
        return Err(Refusal("read-only: nothing is sent".into()));
    }
    let Some(known) = model.outbox.targets.get(target) else {
        return Err(Refusal(format!("no target `{target}` is configured")));
    };
    let capability = intent.capability();
    let Some(class) = known.facts.caps.class(capability) else {
        let why = known.facts.caps.why_not(capability).unwrap_or_default();
        return Err(Refusal(format!("{target} cannot {}: {why}", capability.title())));
    };
    let op = Operation::new(target.clone(), intent, class, now, model.setup.responder.clone());
    Ok(Body::Outgoing(Box::new(op.expecting(expected).held(model.outbox.hold))))
}

/// Queues one operation for an incident, as its own entry of the timeline. `once` is a key under which the incident holds
/// at most one of it: cockpits that act on the same policy queue it one time.
#[expect(clippy::too_many_arguments, reason = "who, when, for what, where, what, under which condition")]
pub fn queue(
    model: &mut Model,
    now: Timestamp,
    incident: &IncidentId,
    target: &SourceName,
    intent: Intent,
    expected: Expected,
    once: Option<String>,
    out: &mut Vec<Effect>,
) -> Result<(), Refusal> {
    let words = intent.words();
    let body = outgoing(model, now, target, intent, expected)?;
    let actor = model.setup.responder.clone();
    let event = NewEvent { incident: incident.clone(), at: now, recorded_at: now, actor, body, once };
    let req = record::append(model, incident, vec![event], out);
    record::remember(model, incident, req, None, words.clone());
    model.say(now, Tone::Accent, format!("to {target}: {words}   u takes it back"));
    Ok(())
}

/// The log of what is for no incident.
pub fn log() -> IncidentId {
    IncidentId(OUTWARD_LOG.to_owned())
}

/// Queues several operations as one act of the person, for an incident or for none: all of them or, when one is refused,
/// none. `u` takes back those that have not left.
pub fn queue_all(
    model: &mut Model,
    now: Timestamp,
    incident: Option<&IncidentId>,
    wanted: Vec<(SourceName, Intent)>,
    out: &mut Vec<Effect>,
) -> Result<(), Refusal> {
    let id = incident.cloned().unwrap_or_else(log);
    let told: Vec<String> = wanted.iter().map(|(target, intent)| format!("to {target}: {}", intent.words())).collect();
    let waits = wanted.iter().any(|(_, intent)| !intent.immediate()) && model.outbox.hold > Span::zero();
    let mut bodies = Vec::new();
    for (target, intent) in wanted {
        bodies.push(outgoing(model, now, &target, intent, Expected::default())?);
    }
    let req = record::person(model, now, now, &id, bodies, out);
    let (first, more) = (told.first().cloned().unwrap_or_default(), told.len().saturating_sub(1));
    let words = if more > 0 { format!("{first} and {more} more") } else { first };
    record::remember(model, &id, req, None, words.clone());
    model.say(now, Tone::Accent, if waits { format!("{words}   u takes it back") } else { words });
    Ok(())
}

/// Does everything that may be done now.
pub fn drive(model: &mut Model, now: Timestamp, out: &mut Vec<Effect>) {
    if model.setup.read_only || !model.desk.loaded || model.outbox.holder.is_empty() {
        return;
    }
    bring_again(model, now, out);
    let waiting: Vec<OpId> = urgent_first(model);
    for id in waiting {
        let Some(entry) = model.outbox.entries.get(&id) else { continue };
        if model.outbox.paused(&id, now).is_some() {
            continue;
        }
        if let State::Leased(lease) = &entry.state
            && lease.holder == model.outbox.holder
        {
            // The claim came through although it was told otherwise: nothing was sent for it.
            let holder = lease.holder.clone();
            step(model, &id, Step::Unclaim { holder }, false, out);
            continue;
        }
        let leased = matches!(entry.state, State::Leased(_) | State::Asked { .. });
        if let Some(why) = model.outbox.stray(entry).filter(|_| !leased) {
            step(model, &id, Step::Ask { at: now, why }, false, out);
            continue;
        }
        match model.outbox.next(entry, now) {
            Next::Wait { .. } | Next::Rest => {}
            Next::Send => claim(model, now, &id, false, out),
            Next::Look => claim(model, now, &id, true, out),
            Next::Expire => step(model, &id, Step::Expire { at: now }, false, out),
            Next::Ask(why) => step(model, &id, Step::Ask { at: now, why }, false, out),
        }
    }
}

/// Entries that nobody here is at, what fades first.
fn urgent_first(model: &Model) -> Vec<OpId> {
    let idle = |entry: &&Entry| {
        !model.outbox.busy.contains_key(&entry.op.id) && !model.outbox.unrecorded.contains_key(&entry.op.id)
    };
    let mut waiting: Vec<&Entry> = model.outbox.open().filter(idle).collect();
    waiting.sort_by_key(|entry| !entry.op.intent.fades());
    waiting.into_iter().map(|entry| entry.op.id.clone()).collect()
}

/// What an operation is in one line: the whole of a long text stands on the outbox's screen.
fn words(model: &Model, id: &OpId) -> String {
    let Some(entry) = model.outbox.entries.get(id) else { return id.to_string() };
    let all = entry.op.intent.words();
    let (line, more) = all.split_once('\n').map_or((all.as_str(), ""), |(first, _)| (first, " .."));
    format!("to {}: {line}{more}", entry.op.target)
}

fn claim(model: &mut Model, now: Timestamp, id: &OpId, look: bool, out: &mut Vec<Effect>) {
    let Some(entry) = model.outbox.entries.get(id) else { return };
    let Some(target) = model.outbox.targets.get_mut(&entry.op.target) else { return };
    let limit = Span::try_milliseconds(i64::try_from(target.facts.limit_ms).unwrap_or(0)).unwrap_or(LEASE_SLACK);
    target.bucket.take(now);
    // A breaker that lets one probe through counts it from here.
    let _ = target.breaker.permit(now);
    let lease = Lease { holder: model.outbox.holder.clone(), since: now, until: now + limit + LEASE_SLACK, look };
    step(model, id, Step::Claim { lease }, false, out);
}

/// Asks the record for a step.
pub fn step(model: &mut Model, id: &OpId, step: Step, person: bool, out: &mut Vec<Effect>) {
    let req = model.pending.ask(Asked::Step(id.clone()));
    let by = match &step {
        Step::Release { by, .. } | Step::Drop { by, .. } | Step::ByHand { by, .. } => by.clone(),
        _ => "midwatch".into(),
    };
    model.outbox.busy.insert(id.clone(), Busy::Stepping(step.clone(), person));
    out.push(Effect::Step { req, op: id.clone(), step, by });
}

/// Outcomes that a record did not take are brought to it again.
fn bring_again(model: &mut Model, now: Timestamp, out: &mut Vec<Effect>) {
    let due: Vec<(OpId, Step)> = model
        .outbox
        .unrecorded
        .iter()
        .filter(|(id, (_, at))| (*at <= now || *at - now > AGAIN) && !model.outbox.busy.contains_key(id))
        .map(|(id, (step, _))| (id.clone(), step.clone()))
        .collect();
    for (id, again) in due {
        step(model, &id, again, false, out);
    }
}

/// The record answered a step.
pub fn stepped(model: &mut Model, now: Timestamp, id: &OpId, result: Result<Stepped, Fault>, out: &mut Vec<Effect>) {
    let Some(Busy::Stepping(step, person)) = model.outbox.busy.remove(id) else { return };
    match result {
        Ok(Stepped::Taken(entry, events)) => {
            model.outbox.unrecorded.remove(id);
            model.outbox.pauses.remove(id);
            if let Some(case) = model.desk.cases.get_mut(&entry.incident) {
                case.take(&events);
            }
            model.outbox.take(now, [*entry.clone()]);
            taken(model, now, &entry, &step, out);
        }
        Ok(Stepped::Refused(why, entry)) => {
            model.outbox.unrecorded.remove(id);
            if person {
                model.say(now, Tone::Warn, format!("{}: {why}", words(model, id)));
            }
            model.outbox.take(now, entry.map(|entry| *entry));
            model.outbox.pauses.insert(id.clone(), now + PAUSE);
            if let Step::Claim { .. } = step {
                unprobe(model, id);
            }
        }
        Err(fault) => {
            model.outbox.pauses.insert(id.clone(), now + PAUSE);
            match step {
                Step::Report { .. } | Step::Seen { .. } => {
                    model.say(now, Tone::Crit, format!("NOT SAVED: the outcome of {}: {fault}", words(model, id)));
                    model.outbox.unrecorded.insert(id.clone(), (step, now + AGAIN));
                }
                Step::Claim { .. } => {
                    unprobe(model, id);
                    model.say(now, Tone::Warn, format!("not sent yet, the record cannot be written: {fault}"));
                }
                _ if person => model.say(now, Tone::Crit, format!("NOT SAVED: {fault}; try again")),
                _ => {}
            }
        }
    }
}

/// Leave that was given to a probe and not used is given back.
fn unprobe(model: &mut Model, id: &OpId) {
    let target = model.outbox.entries.get(id).map(|entry| entry.op.target.clone());
    if let Some(target) = target.and_then(|name| model.outbox.targets.get_mut(&name)) {
        use crate::domain::resilience::breaker::State as B;
        if matches!(target.breaker.state(), B::HalfOpen { .. }) {
            target.breaker.try_now();
        }
    }
}

fn taken(model: &mut Model, now: Timestamp, entry: &Entry, step: &Step, out: &mut Vec<Effect>) {
    let id = entry.op.id.clone();
    if let (Step::Claim { lease }, State::Leased(_)) = (step, &entry.state) {
        let seen = model.outbox.seen.get(&id).copied().unwrap_or(now);
        let good = still_good(entry, &Scene { now, seen, target: &Readiness::Ready });
        if !good || model.outbox.stray(entry).is_some() {
            // The machine slept between the claim and its answer, or the target is another one since.
            unprobe(model, &id);
            self::step(model, &id, Step::Unclaim { holder: lease.holder.clone() }, false, out);
            return;
        }
        let req = model.pending.ask(Asked::Deliver(id.clone()));
        model.outbox.busy.insert(id, if lease.look { Busy::Looking } else { Busy::Sending });
        out.push(Effect::Deliver { req, op: Box::new(entry.op.clone()), look: lease.look });
        return;
    }
    if let Step::Ask { why, .. } = step {
        let word = unsent(entry);
        model.say(now, Tone::Crit, format!("{word}: {}: {why}   9 opens the outbox", words(model, &id)));
        if model.setup.bell {
            out.push(Effect::Bell);
        }
    }
    if matches!(entry.op.intent, Intent::Silence(_)) && entry.ended().is_some() {
        // What it changed is read at once.
        if let Some(link) = model.links.get_mut(&entry.op.target) {
            link.next = link.next.min(now + Span::seconds(1));
        }
    }
    if let Some(end) = entry.ended() {
        let tone = if end.good() { Tone::Muted } else { Tone::Warn };
        let more = end.words();
        let more = if more.is_empty() { more } else { format!(" ({more})") };
        model.say(now, tone, format!("{}: {}{more}", words(model, &id), end.word()));
    }
}

/// A send came back.
pub fn delivered(model: &mut Model, now: Timestamp, id: &OpId, outcome: Outcome, out: &mut Vec<Effect>) {
    if model.outbox.busy.get(id) != Some(&Busy::Sending) {
        return;
    }
    health(model, now, id, outcome.fault("target"));
    learn(model, now, id, |target, intent| target.learn(intent, &outcome));
    let holder = model.outbox.holder.clone();
    step(model, id, Step::Report { holder, at: now, outcome }, false, out);
}

/// A look came back.
pub fn looked(model: &mut Model, now: Timestamp, id: &OpId, found: Found, out: &mut Vec<Effect>) {
    if model.outbox.busy.get(id) != Some(&Busy::Looking) {
        return;
    }
    health(model, now, id, found.fault("target"));
    learn(model, now, id, |target, intent| target.learn_of_look(intent, &found));
    let holder = model.outbox.holder.clone();
    step(model, id, Step::Seen { holder, at: now, found }, false, out);
}

/// A plan that lacks something and a token that may not are told once, and grey the keys that need it.
fn learn(
    model: &mut Model,
    now: Timestamp,
    id: &OpId,
    teach: impl FnOnce(&mut TargetState, &Intent) -> Option<String>,
) {
    let Some(entry) = model.outbox.entries.get(id) else { return };
    let (name, title) = (entry.op.target.clone(), entry.op.intent.capability().title());
    if let Some(why) = model.outbox.targets.get_mut(&name).and_then(|target| teach(target, &entry.op.intent)) {
        let words = format!("{name} cannot {title}: {why}; R on screen 7 tries again");
        model.say(now, Tone::Warn, words);
    }
}

fn health(model: &mut Model, now: Timestamp, id: &OpId, fault: Option<Fault>) {
    let Some(name) = model.outbox.entries.get(id).map(|entry| entry.op.target.clone()) else { return };
    let Some(target) = model.outbox.targets.get_mut(&name) else { return };
    match fault {
        None => target.answered(now),
        Some(fault) => {
            let fresh = target.fault.is_none();
            let fault = Fault { what: name.to_string(), ..fault };
            let words = fault.to_string();
            target.failed(now, fault);
            if fresh {
                model.say(now, Tone::Warn, words);
            }
        }
    }
}

/// A person: send it now, whatever it waits for. Its target is tried even when it was stopped.
pub fn release(model: &mut Model, now: Timestamp, id: &OpId, out: &mut Vec<Effect>) -> Result<(), Refusal> {
    let entry = idle(model, id)?;
    let name = entry.op.target.clone();
    if let Some(target) = model.outbox.targets.get_mut(&name) {
        target.forgive();
        out.push(Effect::Forget { targets: vec![name] });
    }
    let by = model.setup.responder.clone();
    step(model, id, Step::Release { at: now, by }, true, out);
    Ok(())
}

/// A person: do not send it.
pub fn discard(
    model: &mut Model,
    now: Timestamp,
    id: &OpId,
    reason: String,
    out: &mut Vec<Effect>,
) -> Result<(), Refusal> {
    idle(model, id)?;
    let by = model.setup.responder.clone();
    step(model, id, Step::Drop { at: now, by, reason }, true, out);
    Ok(())
}

/// A person: I did it by hand.
pub fn by_hand(model: &mut Model, now: Timestamp, id: &OpId, out: &mut Vec<Effect>) -> Result<(), Refusal> {
    idle(model, id)?;
    let by = model.setup.responder.clone();
    step(model, id, Step::ByHand { at: now, by }, true, out);
    Ok(())
}

/// The entry, unless something of it is under way from here.
fn idle<'m>(model: &'m Model, id: &OpId) -> Result<&'m Entry, Refusal> {
    if model.setup.read_only {
        return Err(Refusal("read-only: nothing is changed".into()));
    }
    let entry = model.outbox.entries.get(id).ok_or_else(|| Refusal(format!("there is no operation {id}")))?;
    match model.outbox.busy.get(id) {
        Some(Busy::Sending | Busy::Looking) => Err(Refusal("it is being sent at this moment".into())),
        _ => Ok(entry),
    }
}

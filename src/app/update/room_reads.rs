//! Reading incident rooms: who volunteers, and what is said. Volunteers are proposed, never appointed; messages go to the
//! timeline by their id, once.

use crate::app::effect::Effect;
use crate::app::model::Model;
use crate::app::pending::Asked;
use crate::app::present::view::Tone;
use crate::app::rooms::{Candidate, Place};
use crate::app::update::{record, room};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::ids::{IncidentId, SourceName};
use crate::domain::incident::decide::TEXT_LIMIT;
use crate::domain::incident::event::{Body, NewEvent, Role};
use crate::domain::outward::capability::Capability;
use crate::domain::outward::chat::{ChatMessage, Import, Volunteer};
use crate::domain::outward::question::{Answer, Question};
use crate::domain::time::{Span, Timestamp, mins, secs};

/// How often an open incident's room is read, and a resolved one's.
const READ: (Span, Span) = (Span::seconds(30), Span::minutes(5));
/// How long a room is let alone that could not be read.
const AGAIN: Span = Span::minutes(1);
/// How far back of the newest message it is read again: clocks differ, and messages are pinned later.
const OVERLAP: Span = Span::minutes(10);
/// Messages that one look puts into the timeline.
const MOST: usize = 200;

/// Asks the rooms that are due.
pub fn ask(model: &mut Model, now: Timestamp, out: &mut Vec<Effect>) {
    if !room::active(model) {
        return;
    }
    let chats = room::chats(model);
    if chats.is_empty() {
        return;
    }
    let mut questions = Vec::new();
    for id in open_or_recent(model, now) {
        for target in &chats {
            questions.extend(due(model, now, (id.clone(), target.clone())));
        }
    }
    for (target, question) in questions {
        let req = model.pending.ask(Asked::Target(target.clone(), question.clone()));
        out.push(Effect::AskTarget { req, target, question });
    }
}

fn open_or_recent(model: &Model, now: Timestamp) -> Vec<IncidentId> {
    let cases = model.desk.cases.values().map(|c| &c.shown);
    let recent = |at: Option<Timestamp>| at.is_none_or(|at| now - at < mins(60));
    cases.filter(|i| recent(i.times.resolved) && !i.rooms.is_empty()).map(|i| i.id.clone()).collect()
}

/// The questions to a room that are due, and when they are next.
fn due(model: &mut Model, now: Timestamp, place: Place) -> Vec<(SourceName, Question)> {
    let mut out = Vec::new();
    let Some(i) = model.desk.cases.get(&place.0).map(|c| &c.shown) else { return out };
    let Some(target) = model.outbox.targets.get(&place.1).filter(|t| t.breaker.is_closed()) else { return out };
    let Some(room) = i.rooms.get(&place.1) else { return out };
    let Some(there) = room.room.as_ref().map(|r| r.id.clone()) else { return out };
    let can = |capability| target.facts.caps.class(capability).is_some();
    let reached = |at: Option<&Timestamp>| at.is_none_or(|at| *at <= now || *at - now > mins(10));
    let vacant = i.is_open() && !i.roles.contains_key(&Role::Commander);
    let message = room.headline.as_ref().and_then(|h| h.message.clone());
    if let Some(message) = message.filter(|_| vacant && can(Capability::ReadVolunteers))
        && reached(model.rooms.volunteers_at.get(&place))
    {
        out.push((place.1.clone(), Question::Volunteers(there.clone(), message)));
        model.rooms.volunteers_at.insert(place.clone(), now + room::gathering(room, now));
    }
    if can(Capability::ReadMessages)
        && target.facts.room.import != Import::Nothing
        && reached(model.rooms.read_at.get(&place))
    {
        let begin = room.since.unwrap_or(i.times.declared);
        let since = model.rooms.newest.get(&place).map_or(begin, |at| (*at).max(begin)) - OVERLAP;
        out.push((place.1.clone(), Question::Messages(there, since)));
        model.rooms.read_at.insert(place, now + if i.is_open() { READ.0 } else { READ.1 });
    }
    out
}

/// When a room is asked next.
pub fn next(model: &Model, now: Timestamp) -> impl Iterator<Item = Timestamp> {
    let gather = |place: &Place| {
        let case = model.desk.cases.get(&place.0);
        case.is_some_and(|c| c.shown.is_open() && !c.shown.roles.contains_key(&Role::Commander))
    };
    let closed = |place: &Place| model.outbox.targets.get(&place.1).is_some_and(|t| t.breaker.is_closed());
    let over = |place: &Place| model.desk.cases.get(&place.0).is_none_or(|c| !c.shown.is_open());
    let volunteers = model.rooms.volunteers_at.iter().filter(move |(place, _)| closed(place) && gather(place));
    // A resolved incident's room is read when something else wakes the cockpit.
    let reads = model.rooms.read_at.iter().filter(move |(place, _)| closed(place) && !over(place));
    volunteers.chain(reads).map(|(_, at)| *at).filter(move |at| *at > now)
}

/// A chat answered, or did not.
pub fn told(
    model: &mut Model,
    now: Timestamp,
    target: &SourceName,
    question: &Question,
    result: Result<Answer, Fault>,
    out: &mut Vec<Effect>,
) {
    let (Question::Volunteers(there, _) | Question::Messages(there, _)) = question else { return };
    let of = |id: &&IncidentId| {
        let room = model.desk.cases.get(*id).and_then(|c| c.shown.rooms.get(target));
        room.and_then(|r| r.room.as_ref()).is_some_and(|r| r.id == *there)
    };
    let Some(id) = model.desk.cases.keys().find(of).cloned() else { return };
    let place = (id.clone(), target.clone());
    match result {
        Ok(Answer::Volunteers(people)) => volunteered(model, now, &place, people, out),
        Ok(Answer::Messages(messages)) => written(model, now, &place, messages, out),
        Ok(_) => return,
        Err(fault) => {
            failed(model, now, &place, question, fault);
            return;
        }
    }
    model.rooms.faults.remove(&place);
}

fn failed(model: &mut Model, now: Timestamp, place: &Place, question: &Question, fault: Fault) {
    let wait = fault.retry_after.unwrap_or(AGAIN).clamp(secs(10), mins(10));
    let next = match question {
        Question::Volunteers(..) => &mut model.rooms.volunteers_at,
        _ => &mut model.rooms.read_at,
    };
    next.insert(place.clone(), now + wait);
    let words = fault.to_string();
    if model.rooms.faults.insert(place.clone(), words.clone()).is_none() {
        model.say(now, Tone::Warn, format!("the room of {} cannot be read: {words}", place.0));
    }
    // The token is one: what may not read may not write either, before a person acts.
    if fault.kind == FaultKind::Auth
        && let Some(target) = model.outbox.targets.get_mut(&place.1)
    {
        target.failed(now, fault);
    }
}

fn volunteered(model: &mut Model, now: Timestamp, place: &Place, people: Vec<Volunteer>, out: &mut Vec<Effect>) {
    let Some(settings) = model.outbox.targets.get(&place.1).map(|t| &t.facts.room) else { return };
    let mut found: Vec<Candidate> = Vec::new();
    for volunteer in people.iter().filter(|v| !v.bot && settings.volunteer.contains(&v.reaction)) {
        let name = settings.name_of(&volunteer.person).to_owned();
        if found.iter().all(|c| c.name != name) {
            let reaction = volunteer.reaction.clone();
            found.push(Candidate { name, target: place.1.clone(), reaction });
        }
    }
    let mut all: Vec<Candidate> = model.rooms.volunteers.remove(&place.0).unwrap_or_default();
    let before: Vec<String> = all.iter().map(|c| c.name.clone()).collect();
    // Who took the reaction away does not volunteer any more.
    all.retain(|c| c.target != place.1 || found.contains(c));
    let fresh: Vec<Candidate> = found.into_iter().filter(|c| !all.contains(c)).collect();
    all.extend(fresh);
    for candidate in all.iter().filter(|c| !before.contains(&c.name)) {
        let words = format!("{} volunteers as commander of {}: V confirms", candidate.name, place.0);
        model.messages.push_back(crate::app::model::Message { at: now, tone: Tone::Accent, text: words });
        if model.setup.bell {
            out.push(Effect::Bell);
        }
    }
    if !all.is_empty() {
        model.rooms.volunteers.insert(place.0.clone(), all);
    }
}

fn written(model: &mut Model, now: Timestamp, place: &Place, messages: Vec<ChatMessage>, out: &mut Vec<Effect>) {
    if let Some(newest) = messages.iter().map(|m| m.at).max() {
        model.rooms.newest.insert(place.clone(), newest);
    }
    let (id, target) = place;
    let Some(import) = model.outbox.targets.get(target).map(|t| t.facts.room.import) else { return };
    // What is not on disk yet may be there already.
    let Some(case) = model.desk.cases.get(id).filter(|c| c.unsaved.is_empty()) else { return };
    let Some(taken) = case.shown.rooms.get(target).map(|r| &r.taken) else { return };
    let settings = model.outbox.targets.get(target).map(|t| &t.facts.room);
    let wanted = |m: &&ChatMessage| match taken.get(&m.id) {
        _ if m.bot || (import == Import::Pinned && !m.pinned) => false,
        None => true,
        Some(pinned) => m.pinned && !pinned,
    };
    let cut = |text: &str, most: usize| text.chars().take(most).collect::<String>();
    let event = |m: &ChatMessage| NewEvent {
        incident: id.clone(),
        // Their clock may be ahead of ours.
        at: m.at.min(now),
        recorded_at: now,
        actor: "midwatch".into(),
        body: Body::RoomMessage {
            target: target.clone(),
            message: m.id.clone(),
            author: cut(settings.map_or(m.author.name.as_str(), |s| s.name_of(&m.author)), 100),
            text: cut(m.text.trim(), TEXT_LIMIT),
            pinned: m.pinned,
        },
        once: Some(format!("room:{target}:message:{}{}", m.id, if m.pinned { ":pinned" } else { "" })),
    };
    let events: Vec<NewEvent> = messages.iter().filter(wanted).take(MOST).map(event).collect();
    if !events.is_empty() {
        record::append(model, id, events, out);
    }
}

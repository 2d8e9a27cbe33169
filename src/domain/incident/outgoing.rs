//! What left the house for an incident, as its log tells it: the operations that were recorded by an instant with the ends that
//! were, and the silences that they made. How far an operation was between the two is in no log, and is not guessed.

use crate::domain::ids::SourceName;
use crate::domain::incident::event::{Body, Event};
use crate::domain::outward::entry::{Entry, State};
use crate::domain::outward::intent::Intent;
use crate::domain::outward::operation::OpId;
use crate::domain::outward::silence::{Silence, SilenceState, SilenceWrite};
use crate::domain::time::Timestamp;
use std::collections::BTreeMap;

/// The operations of a log, by their ids. One without an end is open; one whose beginning is not in the log is left out.
pub fn outbox(events: &[Event]) -> BTreeMap<OpId, Entry> {
    let mut all: BTreeMap<OpId, Entry> = BTreeMap::new();
    for event in events {
        if let Body::Outgoing(op) = &event.body
            && !op.id.as_str().is_empty()
        {
            let entry = Entry::new((**op).clone(), event.incident.clone());
            all.entry(op.id.clone()).or_insert(entry);
        }
    }
    let ends = events.iter().filter_map(|event| match &event.body {
        Body::OutgoingOutcome { op, end, .. } => Some((op, event.at, end)),
        _ => None,
    });
    // The newest end is listed first.
    for (n, (op, at, end)) in ends.enumerate() {
        if let Some(entry) = all.get_mut(op).filter(|entry| entry.ended().is_none()) {
            entry.rev = u64::try_from(n).unwrap_or(u64::MAX);
            entry.state = State::Ended { at, end: end.clone() };
        }
    }
    all
}

/// The silences that operations made, changed and ended, as they stood at an instant; those of anybody else are in no log.
pub fn silences(outbox: &BTreeMap<OpId, Entry>, at: Timestamp) -> BTreeMap<SourceName, Vec<Silence>> {
    let mut done: Vec<(Timestamp, &Entry)> = outbox.values().filter_map(done).collect();
    done.sort_by_key(|(when, entry)| (*when, entry.rev));
    let mut all: BTreeMap<SourceName, Vec<Silence>> = BTreeMap::new();
    for (when, entry) in done {
        let Intent::Silence(write) = &entry.op.intent else { continue };
        let named = entry.ended().and_then(|end| end.reference()).and_then(|reference| reference.id.clone());
        let own = all.entry(entry.op.target.clone()).or_default();
        match write {
            SilenceWrite::Create { matchers, starts_at, ends_at, comment } => own.push(Silence {
                id: named.unwrap_or_else(|| entry.op.id.to_string()),
                matchers: matchers.clone(),
                starts_at: *starts_at,
                ends_at: *ends_at,
                created_by: entry.op.created_by.clone(),
                comment: comment.clone(),
                state: SilenceState::Active,
            }),
            // The server may have made another one of it.
            SilenceWrite::Extend { silence, ends_at } => {
                own.retain(|known| known.id != silence.id);
                let id = named.unwrap_or_else(|| silence.id.clone());
                own.push(Silence { id, ends_at: *ends_at, state: SilenceState::Active, ..silence.clone() });
            }
            SilenceWrite::Expire { id } => {
                for silence in own.iter_mut().filter(|silence| silence.id == *id) {
                    (silence.state, silence.ends_at) = (SilenceState::Expired, when.min(silence.ends_at));
                }
            }
        }
    }
    for silence in all.values_mut().flatten().filter(|silence| silence.state == SilenceState::Active) {
        if silence.starts_at > at {
            silence.state = SilenceState::Pending;
        }
    }
    all
}

/// An operation that did what was wanted, and when that was known.
fn done(entry: &Entry) -> Option<(Timestamp, &Entry)> {
    match &entry.state {
        State::Ended { at, end } if end.good() => Some((*at, entry)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::IncidentId;
    use crate::domain::incident::event::EventKey;
    use crate::domain::outward::capability::Class;
    use crate::domain::outward::entry::Ending;
    use crate::domain::outward::operation::Operation;
    use crate::domain::outward::outcome::{Obstacle, Reference};
    use crate::domain::outward::silence::Matcher;
    use crate::domain::time::mins;

    fn at(minute: i64) -> Timestamp {
        "2026-05-01T03:00:00Z".parse::<Timestamp>().unwrap() + mins(minute)
    }

    fn event(seq: u64, minute: i64, body: Body) -> Event {
        let key = EventKey { origin: "o".into(), seq };
        let (at, actor, incident) = (at(minute), "ada".to_owned(), IncidentId("INC-1".into()));
        let (id, hash) = (format!("o-{seq}"), String::new());
        Event { key, id, incident, order: seq, at, recorded_at: at, actor, body, hash }
    }

    fn begun(seq: u64, minute: i64, write: SilenceWrite) -> Event {
        let op = Operation::new("am".into(), Intent::Silence(write), Class::Repeat, at(minute), "ada");
        event(seq, minute, Body::Outgoing(Box::new(Operation { id: OpId(format!("o-{seq}")), ..op })))
    }

    fn ended(seq: u64, of: u64, minute: i64, end: Ending) -> Event {
        let (op, target) = (OpId(format!("o-{of}")), "am".into());
        let capability = crate::domain::outward::capability::Capability::CreateSilence;
        event(seq, minute, Body::OutgoingOutcome { op, target, capability, words: "w".into(), end })
    }

    fn made(id: &str) -> Ending {
        Ending::Done { reference: Reference { id: Some(id.into()), ..Reference::default() } }
    }

    fn create(from: i64, until: i64) -> SilenceWrite {
        let matchers = vec![Matcher::is("service", "api")];
        SilenceWrite::Create { matchers, starts_at: at(from), ends_at: at(until), comment: "deploy [mw:x]".into() }
    }

    fn stood(log: &[Event], minute: i64) -> Vec<(String, SilenceState, Timestamp)> {
        let known: Vec<Event> = log.iter().filter(|e| e.recorded_at <= at(minute)).cloned().collect();
        let all = silences(&outbox(&known), at(minute));
        all.into_values().flatten().map(|s| (s.id, s.state, s.ends_at)).collect()
    }

    #[test]
    fn silences_stand_as_operations_made_extended_and_ended_them() {
        let read = Silence {
            id: "s1".into(),
            matchers: vec![Matcher::is("service", "api")],
            starts_at: at(1),
            ends_at: at(60),
            created_by: "ada".into(),
            comment: "deploy".into(),
            state: SilenceState::Active,
        };
        let log = [
            begun(1, 0, create(5, 60)),
            ended(2, 1, 1, made("s1")),
            begun(3, 10, SilenceWrite::Extend { silence: read, ends_at: at(90) }),
            ended(4, 3, 11, made("s2")),
            begun(5, 20, SilenceWrite::Expire { id: "s2".into() }),
            ended(6, 5, 21, made("s2")),
            begun(7, 30, create(30, 40)),
            ended(8, 7, 31, Ending::Refused { kind: Obstacle::Permission, words: "no".into() }),
        ];
        let (active, expired, pending) = (SilenceState::Active, SilenceState::Expired, SilenceState::Pending);
        assert_eq!(stood(&log, 0), [], "it was only queued");
        assert_eq!(stood(&log, 2), [("s1".into(), pending, at(60))]);
        assert_eq!(stood(&log, 6), [("s1".into(), active.clone(), at(60))]);
        assert_eq!(stood(&log, 12), [("s2".into(), active, at(90))]);
        assert_eq!(stood(&log, 25), [("s2".into(), expired, at(21))]);
        assert_eq!(stood(&log, 35), stood(&log, 25), "what was refused silences nothing");
    }

    #[test]
    fn an_operation_is_open_until_its_end_was_recorded() {
        let log = [
            begun(1, 0, create(0, 60)),
            begun(2, 1, create(1, 2)),
            ended(3, 1, 4, made("s1")),
            ended(4, 9, 5, made("x")),
        ];
        let state = |n: usize| outbox(&log[..n]).into_values().map(|e| e.state).collect::<Vec<_>>();
        assert_eq!(state(1), [State::Queued]);
        assert_eq!(state(2), [State::Queued, State::Queued]);
        let end = State::Ended { at: at(4), end: made("s1") };
        assert_eq!(state(3), [end.clone(), State::Queued]);
        assert_eq!(state(4), [end, State::Queued], "an end without its beginning is none of these");
    }
}

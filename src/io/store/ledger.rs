//! How new events get their identity: number, order, hash and, where an id is taken, another incident id. The rules are
//! here once, for every store; where the rows are kept is the store's business.

use crate::domain::fault::{Fault, FaultKind};
use crate::domain::ids::{IncidentId, Origin};
use crate::domain::incident::event::{Body, Event, EventKey, NewEvent, Redaction};
use crate::domain::incident::redaction::{Redactions, left, places, redacted, redactions};
use crate::domain::incident::stepped::Stepped;
use crate::domain::outward::entry::{Entry, State, Step};
use crate::domain::outward::operation::OpId;
use crate::domain::time::Timestamp;
use crate::io::store::{NUMBER_LIMIT, chain};
use std::collections::{BTreeSet, HashMap};

/// What a store must know and do inside one transaction.
pub trait Rows {
    /// Whether any event of the incident is kept.
    fn known(&mut self, incident: &IncidentId) -> Result<bool, Fault>;
    /// The event that holds the incident's `once` key.
    fn once(&mut self, incident: &IncidentId, key: &str) -> Result<Option<Event>, Fault>;
    /// The highest order of the incident, 0 when there is none.
    fn top(&mut self, incident: &IncidentId) -> Result<u64, Fault>;
    /// The number and hash of the last event of an origin, `(0, "")` when there is none.
    fn last_of(&mut self, origin: &Origin) -> Result<(u64, String), Fault>;
    /// The event of a key.
    fn find(&mut self, key: &EventKey) -> Result<Option<Event>, Fault>;
    /// Puts another body in the place of a kept event's, and forgets every copy of the old one that the store itself made.
    fn replace(&mut self, event: &Event) -> Result<(), Fault>;
    /// The redactions of an incident.
    fn redactions(&mut self, incident: &IncidentId) -> Result<Vec<Redaction>, Fault>;
    /// Keeps an event.
    fn put(&mut self, event: &Event, once: Option<&str>) -> Result<(), Fault>;
    /// The operation of an id in the outbox.
    fn entry(&mut self, op: &OpId) -> Result<Option<Entry>, Fault>;
    /// Keeps an entry under the next revision, with the end of its lease by the machine's own clock.
    fn keep(&mut self, entry: Entry, lease: Option<Until>) -> Result<Entry, Fault>;
    /// Whether the lease of an operation has run out by the machine's own clock; `None` when that cannot tell.
    fn run_out(&mut self, op: &OpId, clock: &Until) -> Result<Option<bool>, Fault>;
    /// An id that no other event has.
    fn fresh(&mut self, at: Timestamp) -> String {
        new_id(at)
    }
}

/// An instant of the machine's own clock, which nobody sets: milliseconds since one of its starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Until {
    /// Which start.
    pub boot: String,
    /// Milliseconds after it.
    pub ms: i64,
}

/// Applies one step to an operation; its end is told in the same transaction. `clock` is now by the machine's own clock.
pub fn step(
    rows: &mut impl Rows,
    origin: &Origin,
    op: &OpId,
    step: &Step,
    by: &str,
    clock: Option<&Until>,
) -> Result<Stepped, Fault> {
    let Some(entry) = rows.entry(op)? else {
        return Ok(Stepped::Refused(format!("there is no operation {op}"), None));
    };
    if let (Step::Expire { at }, State::Leased(lease)) = (step, &entry.state) {
        let known = match clock {
            Some(clock) => rows.run_out(op, clock)?,
            None => None,
        };
        // After another start of the machine, or on another one, the time of day is all there is.
        if !known.unwrap_or(lease.until <= *at) {
            return Ok(Stepped::Refused(format!("{} is still at it", lease.holder), Some(Box::new(entry))));
        }
    }
    let next = match entry.after(step) {
        Ok(next) => next,
        Err(why) => return Ok(Stepped::Refused(why, Some(Box::new(entry)))),
    };
    let lease = match (&next.state, clock) {
        (State::Leased(lease), Some(now)) => {
            let length = (lease.until - lease.since).num_milliseconds().max(0);
            Some(Until { boot: now.boot.clone(), ms: now.ms.saturating_add(length) })
        }
        _ => None,
    };
    let told = told(&next, by).map(|event| write(rows, origin, vec![vec![event]])).transpose()?;
    let kept = rows.keep(next, lease)?;
    Ok(Stepped::Taken(Box::new(kept), told.into_iter().flatten().flatten().collect()))
}

/// Records batches; gives the events of each in the order they came.
pub fn write(rows: &mut impl Rows, origin: &Origin, batches: Vec<Vec<NewEvent>>) -> Result<Vec<Vec<Event>>, Fault> {
    let mut renamed = HashMap::new();
    let (mut seq, mut before) = rows.last_of(origin)?;
    let mut written = Vec::with_capacity(batches.len());
    for batch in batches {
        rename(rows, &batch, &mut renamed)?;
        let mut events = Vec::with_capacity(batch.len());
        for new in batch {
            let incident = renamed.get(&new.incident).unwrap_or(&new.incident).clone();
            if let Some(key) = &new.once
                && let Some(there) = rows.once(&incident, key)?
            {
                events.push(there);
                continue;
            }
            seq += 1;
            let id = rows.fresh(new.recorded_at);
            let body = match new.body {
                Body::Redacted(asked) => Body::Redacted(take_out(rows, &incident, asked)?),
                body => with_id(body, &id),
            };
            let mut event = Event {
                key: EventKey { origin: origin.clone(), seq },
                body,
                id,
                order: rows.top(&incident)?.saturating_add(1),
                incident,
                at: new.at,
                recorded_at: new.recorded_at,
                actor: new.actor,
                hash: String::new(),
            };
            event.hash = chain::hash(&before, &event);
            before.clone_from(&event.hash);
            rows.put(&event, new.once.as_deref())?;
            if let Body::Outgoing(op) = &event.body {
                rows.keep(Entry::new(op.as_ref().clone(), event.incident.clone()), None)?;
            }
            events.push(event);
        }
        written.push(events);
    }
    Ok(written)
}

/// The event of an end.
fn told(entry: &Entry, by: &str) -> Option<NewEvent> {
    let State::Ended { at, end } = &entry.state else { return None };
    let body = Body::OutgoingOutcome {
        op: entry.op.id.clone(),
        target: entry.op.target.clone(),
        capability: entry.op.intent.capability(),
        words: entry.op.intent.words(),
        end: end.clone(),
    };
    let incident = entry.incident.clone();
    Some(NewEvent { incident, at: *at, recorded_at: *at, actor: by.to_owned(), body, once: None })
}

/// Finds a free id for each incident that the batch declares and that is there already.
fn rename(
    rows: &mut impl Rows,
    batch: &[NewEvent],
    renamed: &mut HashMap<IncidentId, IncidentId>,
) -> Result<(), Fault> {
    for new in batch.iter().filter(|new| matches!(new.body, Body::Declared { .. })) {
        let id = &new.incident;
        if let Some(key) = &new.once
            && rows.once(renamed.get(id).unwrap_or(id), key)?.is_some()
        {
            continue;
        }
        let mut free = id.clone();
        let mut n = 2_u32;
        while rows.known(&free)? {
            free = IncidentId(format!("{}-{n}", stem(id.as_str())));
            n = n.saturating_add(1);
        }
        if free != *id {
            renamed.insert(id.clone(), free);
        }
    }
    Ok(())
}

/// The id without the `-2` that an earlier rename gave it; a date or a time of six digits and more is no such suffix.
fn stem(id: &str) -> &str {
    match id.rsplit_once('-') {
        Some((stem, tail)) if (1..=3).contains(&tail.len()) && tail.bytes().all(|b| b.is_ascii_digit()) => {
            if stem.contains('-') { stem } else { id }
        }
        _ => id,
    }
}

/// A UUID of version 7 whose time is the one of the record.
pub fn new_id(at: Timestamp) -> String {
    let seconds = u64::try_from(at.timestamp()).unwrap_or(0);
    let time = uuid::Timestamp::from_unix(uuid::NoContext, seconds, at.timestamp_subsec_nanos());
    uuid::Uuid::new_v7(time).to_string()
}

/// An operation that leaves the house is named by the event that records it.
fn with_id(body: Body, id: &str) -> Body {
    match body {
        Body::Outgoing(mut op) => {
            op.id = OpId(id.to_owned());
            Body::Outgoing(op)
        }
        other => other,
    }
}

/// Takes the text of an event out of the record and gives the redaction that says so. One whose event is not here, or has
/// no text, or is an operation that is not over, takes nothing out.
fn take_out(rows: &mut impl Rows, incident: &IncidentId, asked: Redaction) -> Result<Redaction, Fault> {
    let nothing = Redaction::of(asked.of.clone(), asked.reason.clone());
    let Some(mut event) = rows.find(&asked.of)?.filter(|event| event.incident == *incident) else {
        return Ok(nothing);
    };
    let places = places(&event.body);
    let Some(left) = redacted(&event.body, &places).filter(|_| !places.is_empty()) else { return Ok(nothing) };
    if !follow(rows, &event, &left)? {
        return Ok(nothing);
    }
    event.body = left;
    rows.replace(&event)?;
    Ok(Redaction { places, hash: event.hash.clone(), sealed: chain::seal(&event), ..nothing })
}

/// Takes the text out of the operation in the outbox as well; `false` while it may still be sent.
fn follow(rows: &mut impl Rows, event: &Event, left: &Body) -> Result<bool, Fault> {
    let (Body::Outgoing(was), Body::Outgoing(op)) = (&event.body, left) else { return Ok(true) };
    let Some(mut entry) = rows.entry(&was.id)? else { return Ok(true) };
    if entry.ended().is_none() {
        return Ok(false);
    }
    entry.op = op.as_ref().clone();
    rows.keep(entry, None)?;
    Ok(true)
}

/// Takes in events of another installation; gives how many were new. A redaction that comes with them is carried out here
/// as well, and an event whose text is gone here is the same event as the one that still has it.
pub fn merge(rows: &mut impl Rows, events: &[Event]) -> Result<usize, Fault> {
    let mut known: Redactions = redactions(events);
    let incidents: BTreeSet<&IncidentId> = events.iter().map(|event| &event.incident).collect();
    for incident in incidents {
        for redaction in rows.redactions(incident)? {
            known.entry(redaction.of.clone()).or_default().push(redaction);
        }
    }
    let mut taken = 0;
    let mut touched: Vec<EventKey> = redactions(events).into_keys().collect();
    for event in events {
        plausible(event)?;
        match rows.find(&event.key)? {
            Some(there) if there == *event => {}
            // The same but for the text: one of the two has heard of the redaction and the other one will.
            Some(there) if there.hash == event.hash && known.contains_key(&event.key) => {
                if (Event { body: event.body.clone(), ..there.clone() }) != *event {
                    return Err(clash(event));
                }
                touched.push(event.key.clone());
            }
            Some(_) => return Err(clash(event)),
            None => {
                rows.put(event, None)?;
                taken += 1;
                if known.contains_key(&event.key) {
                    touched.push(event.key.clone());
                }
            }
        }
    }
    for key in touched {
        learn(rows, &key, &known)?;
    }
    Ok(taken)
}

/// Carries out redactions that others made. One that does not fit the event is left for the check to find: nobody gets
/// other words into the record that way. An operation that still waits here goes out without the text.
fn learn(rows: &mut impl Rows, key: &EventKey, known: &Redactions) -> Result<(), Fault> {
    let Some(mut event) = rows.find(key)? else { return Ok(()) };
    let Some(left) = left(&event, known) else { return Ok(()) };
    if let (Body::Outgoing(was), Body::Outgoing(op)) = (&event.body, &left)
        && let Some(mut entry) = rows.entry(&was.id)?
    {
        entry.op = op.as_ref().clone();
        rows.keep(entry, None)?;
    }
    event.body = left;
    rows.replace(&event)
}

/// Refuses numbers that no honest installation reaches.
pub fn plausible(event: &Event) -> Result<(), Fault> {
    if event.key.seq == 0 || event.key.seq > NUMBER_LIMIT || event.order > NUMBER_LIMIT {
        return Err(Fault::new(
            FaultKind::Malformed,
            format!("event {} of {}", event.key.seq, event.key.origin),
            "its number or order is out of range; nothing was merged",
        ));
    }
    Ok(())
}

/// The fault of a merge that met another event under the same key.
pub fn clash(event: &Event) -> Fault {
    Fault::new(
        FaultKind::Rejected,
        format!("event {} of {}", event.key.seq, event.key.origin),
        "differs from the one recorded here under the same number: two installations share one name, or a record was \
         changed; nothing was merged",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_short_last_number_is_a_suffix() {
        for (id, want) in [
            ("INC-20260501-031204", "INC-20260501-031204"),
            ("INC-20260501-031204-2", "INC-20260501-031204"),
            ("INC-20260501-031204-17", "INC-20260501-031204"),
            ("INC-1", "INC-1"),
            ("outage", "outage"),
            ("db-", "db-"),
        ] {
            assert_eq!(stem(id), want, "{id}");
        }
    }

    #[test]
    fn ids_sort_by_their_time() {
        let early: Timestamp = "2026-05-01T03:12:04Z".parse().unwrap();
        let late: Timestamp = "2026-05-01T03:12:05Z".parse().unwrap();
        assert!(new_id(early) < new_id(late));
        assert_ne!(new_id(early), new_id(early));
    }
}

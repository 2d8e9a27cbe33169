//! A store without a file, for drills and tests. Several handles may share one record, as several processes share a file;
//! nothing survives the last handle.

use crate::domain::drill::chance::unit;
use crate::domain::fault::Fault;
use crate::domain::ids::{IncidentId, Origin};
use crate::domain::incident::event::{Event, EventKey, NewEvent, Redaction};
use crate::domain::incident::redaction::redactions;
use crate::domain::incident::state::Incident;
use crate::domain::incident::stepped::Stepped;
use crate::domain::outward::entry::{Entry, Step};
use crate::domain::outward::operation::OpId;
use crate::domain::time::Timestamp;
use crate::io::store::examined::Examined;
use crate::io::store::ledger::{self, Rows, Until};
use crate::io::store::{ENDED, OwnClock, RESOLVED_HEADS, Store, chain};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What the handles share.
#[derive(Clone, Debug, Default)]
struct Shelf {
    /// By rank, which is the order of the fold.
    incidents: BTreeMap<IncidentId, BTreeMap<(u64, Origin, u64), Event>>,
    keys: BTreeMap<EventKey, (u64, IncidentId)>,
    once: BTreeMap<(IncidentId, String), EventKey>,
    /// Keys in the order of arrival, with the handle that brought them.
    arrivals: Vec<(EventKey, usize)>,
    outbox: BTreeMap<OpId, (Entry, Option<Until>)>,
    rev: u64,
    handles: usize,
    writer: usize,
    /// Where ids come from when they are to be the same again: the seed, and how many were given.
    ids: Option<(u64, i64)>,
}

impl Shelf {
    fn event(&self, key: &EventKey) -> Option<&Event> {
        let (order, incident) = self.keys.get(key)?;
        self.incidents.get(incident)?.get(&(*order, key.origin.clone(), key.seq))
    }
}

impl Rows for Shelf {
    fn known(&mut self, incident: &IncidentId) -> Result<bool, Fault> {
        Ok(self.incidents.contains_key(incident))
    }

    fn once(&mut self, incident: &IncidentId, key: &str) -> Result<Option<Event>, Fault> {
        let there = self.once.get(&(incident.clone(), key.to_owned()));
        Ok(there.and_then(|key| self.event(key)).cloned())
    }

    fn top(&mut self, incident: &IncidentId) -> Result<u64, Fault> {
        Ok(self.incidents.get(incident).and_then(|log| log.keys().next_back()).map_or(0, |rank| rank.0))
    }

    fn last_of(&mut self, origin: &Origin) -> Result<(u64, String), Fault> {
        let first = EventKey { origin: origin.clone(), seq: 0 };
        let last = EventKey { origin: origin.clone(), seq: u64::MAX };
        let event = self.keys.range(first..=last).next_back().and_then(|(key, _)| self.event(key));
        Ok(event.map_or((0, String::new()), |event| (event.key.seq, event.hash.clone())))
    }

    fn find(&mut self, key: &EventKey) -> Result<Option<Event>, Fault> {
        Ok(self.event(key).cloned())
    }

    fn replace(&mut self, event: &Event) -> Result<(), Fault> {
        let rank = (event.order, event.key.origin.clone(), event.key.seq);
        self.incidents.entry(event.incident.clone()).or_default().insert(rank, event.clone());
        Ok(())
    }

    fn redactions(&mut self, incident: &IncidentId) -> Result<Vec<Redaction>, Fault> {
        let log = self.incidents.get(incident).into_iter().flat_map(BTreeMap::values);
        Ok(redactions(log).into_values().flatten().collect())
    }

    fn put(&mut self, event: &Event, once: Option<&str>) -> Result<(), Fault> {
        let rank = (event.order, event.key.origin.clone(), event.key.seq);
        self.incidents.entry(event.incident.clone()).or_default().insert(rank, event.clone());
        self.keys.insert(event.key.clone(), (event.order, event.incident.clone()));
        if let Some(once) = once {
            self.once.insert((event.incident.clone(), once.to_owned()), event.key.clone());
        }
        self.arrivals.push((event.key.clone(), self.writer));
        Ok(())
    }

    fn entry(&mut self, op: &OpId) -> Result<Option<Entry>, Fault> {
        Ok(self.outbox.get(op).map(|(entry, _)| entry.clone()))
    }

    fn keep(&mut self, mut entry: Entry, lease: Option<Until>) -> Result<Entry, Fault> {
        self.rev += 1;
        entry.rev = self.rev;
        self.outbox.insert(entry.op.id.clone(), (entry.clone(), lease));
        Ok(entry)
    }

    fn fresh(&mut self, at: Timestamp) -> String {
        let Some((seed, given)) = &mut self.ids else { return ledger::new_id(at) };
        *given += 1;
        let mut bytes = [0_u8; 10];
        for (stream, byte) in (500..).zip(&mut bytes) {
            *byte = (unit(*seed, stream, *given) * 256.0) as u8;
        }
        let ms = u64::try_from(at.timestamp_millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(ms, &bytes).into_uuid().to_string()
    }

    fn run_out(&mut self, op: &OpId, clock: &Until) -> Result<Option<bool>, Fault> {
        let lease = self.outbox.get(op).and_then(|(_, lease)| lease.as_ref());
        Ok(lease.filter(|lease| lease.boot == clock.boot).map(|lease| lease.ms <= clock.ms))
    }
}

/// One handle on a record in memory.
pub struct Memory {
    shelf: Arc<Mutex<Shelf>>,
    origin: Origin,
    handle: usize,
    cursor: usize,
    /// The last revision of the outbox that was told.
    told: u64,
    clock: OwnClock,
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memory").field("origin", &self.origin).field("handle", &self.handle).finish_non_exhaustive()
    }
}

impl Memory {
    /// An empty record of the given origin.
    pub fn new(origin: Origin) -> Self {
        Self { shelf: Arc::default(), origin, handle: 0, cursor: 0, told: 0, clock: Arc::new(|| None) }
    }

    /// The same with ids that come from a seed: the same acts make the same record, byte by byte.
    pub fn seeded(self, seed: u64) -> Self {
        self.lock().ids = Some((seed, 0));
        self
    }

    /// The same with a clock of its own for the leases of the outbox, which follows no change of the time of day.
    pub fn with_clock(mut self, clock: OwnClock) -> Self {
        self.clock = clock;
        self
    }

    /// Another handle on the same record, as another process would have it.
    pub fn beside(&self) -> Self {
        let mut shelf = self.lock();
        shelf.handles += 1;
        let (handle, cursor, told) = (shelf.handles, shelf.arrivals.len(), shelf.rev);
        drop(shelf);
        let (shelf, clock) = (Arc::clone(&self.shelf), Arc::clone(&self.clock));
        Self { shelf, origin: self.origin.clone(), handle, cursor, told, clock }
    }

    fn lock(&self) -> MutexGuard<'_, Shelf> {
        // A transaction works on a copy and is put back whole, so a poisoned lock holds a sound record.
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Memory {
    fn append_all(&mut self, batches: Vec<Vec<NewEvent>>) -> Result<Vec<Vec<Event>>, Fault> {
        let mut shelf = self.lock();
        shelf.writer = self.handle;
        // Nothing here can fail halfway: `put` is infallible and every question before it only reads.
        ledger::write(&mut *shelf, &self.origin, batches)
    }

    fn reopen(&mut self) -> Result<Option<Vec<Vec<Event>>>, Fault> {
        Ok(None)
    }

    fn heads(&mut self) -> Result<Vec<Incident>, Fault> {
        let shelf = self.lock();
        Ok(newest_first(shelf.incidents.values().filter_map(|log| Incident::fold(log.values())).collect()))
    }

    fn ended_since(&mut self, from: Timestamp) -> Result<Vec<Incident>, Fault> {
        let shelf = self.lock();
        Ok(shelf
            .incidents
            .values()
            .filter_map(|log| Incident::fold(log.values()))
            .filter(|i| i.lasted_to(from))
            .collect())
    }

    fn tail(&mut self, incident: &IncidentId, before: Option<u64>, limit: usize) -> Result<Vec<Event>, Fault> {
        let shelf = self.lock();
        let Some(log) = shelf.incidents.get(incident) else { return Ok(Vec::new()) };
        let below = (before.unwrap_or(u64::MAX), Origin(String::new()), 0);
        let mut page: Vec<Event> = log.range(..below).rev().take(limit).map(|(_, event)| event.clone()).collect();
        if let Some(oldest) = page.last().map(Event::rank) {
            let (order, origin, seq) = oldest;
            let from = (order, Origin(String::new()), 0);
            let to = (order, origin.clone(), seq);
            let more: Vec<Event> = log.range(from..to).rev().map(|(_, event)| event.clone()).collect();
            page.extend(more);
        }
        page.reverse();
        Ok(page)
    }

    fn events(&mut self, incident: &IncidentId) -> Result<Vec<Event>, Fault> {
        Ok(self.lock().incidents.get(incident).map(|log| log.values().cloned().collect()).unwrap_or_default())
    }

    fn news(&mut self) -> Result<Vec<Event>, Fault> {
        let shelf = self.lock();
        let fresh = shelf.arrivals.get(self.cursor..).unwrap_or_default();
        let events = fresh.iter().filter(|(_, by)| *by != self.handle).filter_map(|(key, _)| shelf.event(key));
        let (events, cursor) = (events.cloned().collect(), shelf.arrivals.len());
        drop(shelf);
        self.cursor = cursor;
        Ok(events)
    }

    fn merge(&mut self, events: Vec<Event>) -> Result<usize, Fault> {
        let mut shelf = self.lock();
        shelf.writer = self.handle;
        let mut next = shelf.clone();
        let taken = ledger::merge(&mut next, &events)?;
        *shelf = next;
        Ok(taken)
    }

    fn examine(&mut self, incident: Option<&IncidentId>) -> Result<Examined, Fault> {
        let shelf = self.lock();
        let mut origins: BTreeSet<Origin> = shelf.keys.keys().map(|key| key.origin.clone()).collect();
        origins.insert(self.origin.clone());
        let all = || shelf.incidents.values().flat_map(BTreeMap::values);
        let taken_out = redactions(all());
        let check = |origin: &Origin| {
            let of = shelf.keys.keys().filter(|key| key.origin == *origin).filter_map(|key| shelf.event(key));
            chain::check(of, *origin == self.origin, &taken_out)
        };
        let findings = origins.iter().flat_map(check).collect();
        Ok(Examined::of(all(), findings, incident))
    }

    fn since(&mut self, row: u64, limit: usize) -> Result<Vec<(u64, Event)>, Fault> {
        let shelf = self.lock();
        let from = usize::try_from(row).unwrap_or(usize::MAX);
        let fresh = shelf.arrivals.iter().enumerate().skip(from).take(limit);
        Ok(fresh.filter_map(|(n, (key, _))| Some((n as u64 + 1, shelf.event(key)?.clone()))).collect())
    }

    fn outbox(&mut self) -> Result<Vec<Entry>, Fault> {
        let shelf = self.lock();
        let mut ended: Vec<&Entry> =
            shelf.outbox.values().map(|(entry, _)| entry).filter(|e| e.ended().is_some()).collect();
        ended.sort_by_key(|entry| std::cmp::Reverse(entry.rev));
        let open = shelf.outbox.values().map(|(entry, _)| entry).filter(|e| e.ended().is_none());
        let mut all: Vec<Entry> = open.chain(ended.into_iter().take(ENDED)).cloned().collect();
        all.sort_by(|a, b| a.op.id.cmp(&b.op.id));
        Ok(all)
    }

    fn step(&mut self, op: &OpId, step: &Step, by: &str) -> Result<Stepped, Fault> {
        let clock = (self.clock)();
        let mut shelf = self.lock();
        shelf.writer = self.handle;
        // As with an append, nothing here can fail halfway.
        ledger::step(&mut *shelf, &self.origin, op, step, by, clock.as_ref())
    }

    fn outbox_news(&mut self) -> Result<Vec<Entry>, Fault> {
        let shelf = self.lock();
        let fresh = shelf.outbox.values().map(|(entry, _)| entry).filter(|entry| entry.rev > self.told);
        let mut news: Vec<Entry> = fresh.cloned().collect();
        let told = shelf.rev;
        drop(shelf);
        news.sort_by_key(|entry| entry.rev);
        self.told = told;
        Ok(news)
    }

    fn origin(&self) -> &Origin {
        &self.origin
    }
}

/// All open incidents and the newest resolved ones, newest first.
pub fn newest_first(mut all: Vec<Incident>) -> Vec<Incident> {
    all.sort_by(|a, b| (b.times.declared, &b.id).cmp(&(a.times.declared, &a.id)));
    let mut resolved = 0;
    all.retain(|incident| {
        resolved += usize::from(!incident.is_open());
        incident.is_open() || resolved <= RESOLVED_HEADS
    });
    all
}

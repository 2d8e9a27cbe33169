//! The slices that are kept of every objective of one source. What the app is given is a snapshot: a change copies what is
//! still held there. Asks nobody.

use crate::domain::ids::SloId;
use crate::domain::slo::assemble;
use crate::domain::slo::event_slices::{EventSlices, Stretch};
use crate::domain::slo::objective::{Bad, Objective, Sli};
use crate::domain::slo::period::{Period, Unit};
use crate::domain::slo::plan::sliced::Column;
use crate::domain::slo::reading::Window;
use crate::domain::slo::ring::Ring;
use crate::domain::slo::sample::RangeSeries;
use crate::domain::slo::slices::Slices;
use crate::domain::slo::warm::Cuts;
use crate::domain::time::{Span, Timestamp};
use chrono_tz::Tz;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::Arc;

/// Stands for a query and its slice lengths: what was kept for another one is not read.
pub(super) type Key = [u8; 16];

/// The shortest window that is about a month.
const MONTH: Span = Span::days(28);

/// Rings that outlived the program, by what they are of.
pub(super) type Shelf = HashMap<Key, Slot>;

/// What outlives the program of one query.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Slot {
    /// Seconds between two scrapes, where known.
    pub(super) scrape: Option<u32>,
    pub(super) rings: Vec<Ring>,
}

/// How often it is looked at how often something is scraped, and how the server counts.
pub(super) const PACE: Span = Span::days(1);

/// Slices of one objective.
#[derive(Debug)]
pub(super) enum Body {
    /// Events per slice.
    Events(Arc<EventSlices>),
    /// A verdict per slice.
    Timed(Slices),
}

impl Body {
    fn cut_at(&mut self, at: &[Timestamp]) {
        match self {
            Self::Events(events) if events.is_cut_anew(at) => Arc::make_mut(events).cut_at(at),
            Self::Events(_) => {}
            Self::Timed(slices) => slices.cut_at(at),
        }
    }
}

#[derive(Debug)]
struct Entry {
    key: Key,
    body: Body,
    /// Seconds between two scrapes, where known, and when that was looked at in this run.
    scrape: Option<u32>,
    looked: Option<Timestamp>,
    /// Windows that may begin inside a coarse slice and are told to a fine one.
    windows: Vec<Span>,
    /// Its own calendar period; the month stands beside the window where it has none.
    period: Option<Period>,
}

impl Entry {
    /// What should outlive it.
    fn slot(&self) -> Slot {
        let events = match &self.body {
            Body::Events(events) => events,
            Body::Timed(slices) => slices.events(),
        };
        Slot { scrape: self.scrape, rings: events.rings().cloned().collect() }
    }
}

/// The slices of a source.
#[derive(Debug, Default)]
pub(super) struct Kept {
    entries: HashMap<SloId, Entry>,
    /// What was read back and not taken yet.
    shelf: Shelf,
    changed: bool,
    /// Where a month begins.
    zone: Tz,
    /// Instants at which incidents and planned work of an objective begin or end.
    cuts: Cuts,
}

impl Kept {
    /// Tells in which zone months begin.
    pub(super) fn begin_months_in(&mut self, zone: Tz) {
        self.zone = zone;
    }

    /// Takes where incidents and planned work begin and end: the hours around are then read in parts.
    pub(super) fn cut(&mut self, cuts: &Cuts) {
        if self.cuts == *cuts {
            return;
        }
        self.cuts.clone_from(cuts);
        for (id, entry) in &mut self.entries {
            entry.body.cut_at(cuts.get(id).map_or(&[], Vec::as_slice));
        }
    }

    /// Puts down what outlived the program.
    pub(super) fn lay(&mut self, shelf: Shelf) {
        self.shelf = shelf;
    }

    /// Makes room for an objective, taking what was kept of the same query. False for one that has no slices.
    pub(super) fn open(&mut self, objective: &Objective) -> bool {
        let Some(key) = key_of(objective) else { return false };
        if let Some(entry) = self.entries.get_mut(&objective.id).filter(|e| e.key == key) {
            if let Body::Timed(slices) = &mut entry.body {
                slices.set_gap(objective.gap);
            }
            return true;
        }
        let slot = self.reuse(&key);
        let back = back(objective);
        let mut body = match Slices::of(objective, back) {
            Some(mut slices) => {
                slot.rings.iter().for_each(|ring| slices.put_back(ring));
                Body::Timed(slices)
            }
            None => {
                let mut events = EventSlices::of(objective.window, back);
                slot.rings.iter().for_each(|ring| events.put_back(ring));
                Body::Events(Arc::new(events))
            }
        };
        body.cut_at(self.cuts.get(&objective.id).map_or(&[], Vec::as_slice));
        let windows = match &body {
            Body::Events(_) => vec![objective.window],
            Body::Timed(_) => assemble::windows(objective, &[]).into_iter().map(Window::span).collect(),
        };
        let period = objective.period.clone();
        let entry = Entry { key, body, scrape: slot.scrape, looked: None, windows, period };
        if let Some(before) = self.entries.insert(objective.id.clone(), entry) {
            self.shelf.insert(before.key, before.slot());
        }
        true
    }

    /// What is known of a query already. It is held once: on the shelf until somebody takes it, and by him from then on.
    fn reuse(&mut self, key: &Key) -> Slot {
        let taken = || self.entries.values().find(|e| e.key == *key).map(Entry::slot);
        self.shelf.remove(key).or_else(taken).unwrap_or_default()
    }

    /// The slices of an objective.
    pub(super) fn get(&self, id: &SloId) -> Option<&Body> {
        self.entries.get(id).map(|e| &e.body)
    }

    /// How often its counters are scraped, in seconds.
    pub(super) fn scrape(&self, id: &SloId) -> Option<u32> {
        self.entries.get(id)?.scrape
    }

    /// Whether it is to be looked at how often its counters are scraped.
    pub(super) fn pace_is_due(&self, id: &SloId, now: Timestamp) -> bool {
        let looked = |e: &Entry| e.looked.is_some_and(|at| (Span::zero()..PACE).contains(&(now - at)));
        self.entries.get(id).is_some_and(|e| matches!(e.body, Body::Events(_)) && !looked(e))
    }

    /// Takes how often they are scraped. What is not known now was perhaps known before.
    pub(super) fn scraped(&mut self, id: &SloId, seconds: Option<u32>, now: Timestamp) {
        if let Some(entry) = self.entries.get_mut(id) {
            (entry.scrape, entry.looked) = (seconds.or(entry.scrape), Some(now));
        }
    }

    /// Its slices are counted as they are: this server needs no help to see every event once.
    pub(super) fn counted_whole(&mut self, id: &SloId, now: Timestamp) {
        if let Some(entry) = self.entries.get_mut(id) {
            (entry.scrape, entry.looked) = (None, Some(now));
        }
    }

    /// Its slices as events.
    pub(super) fn events(&self, id: &SloId) -> Option<&Arc<EventSlices>> {
        match self.get(id)? {
            Body::Events(events) => Some(events),
            Body::Timed(slices) => Some(slices.events()),
        }
    }

    /// The stretches that a poll reads.
    pub(super) fn tails(&self, id: &SloId, now: Timestamp) -> Vec<Stretch> {
        match self.get(id) {
            Some(Body::Events(events)) => events.tails(now),
            Some(Body::Timed(slices)) => vec![slices.tail(now)],
            None => Vec::new(),
        }
    }

    /// The stretch to read next.
    pub(super) fn missing(&self, id: &SloId, now: Timestamp) -> Option<Stretch> {
        match self.get(id)? {
            Body::Events(events) => events.missing(&self.starts(id, now), now),
            Body::Timed(slices) => slices.missing(&self.starts(id, now), now),
        }
    }

    /// How many slices nobody asked for.
    pub(super) fn left(&self, id: &SloId, now: Timestamp) -> usize {
        self.events(id).map_or(0, |events| events.left(now) + self.edges(id, now))
    }

    /// How many hours in which its windows begin are not read in parts yet.
    pub(super) fn edges(&self, id: &SloId, now: Timestamp) -> usize {
        self.events(id).map_or(0, |events| events.missing_edges(&self.starts(id, now), now).len())
    }

    /// Where its windows and its calendar period begin.
    fn starts(&self, id: &SloId, now: Timestamp) -> Vec<Timestamp> {
        let Some(entry) = self.entries.get(id) else { return Vec::new() };
        let month = Period::of(Unit::Month, self.zone);
        let calendar = entry.period.as_ref().unwrap_or(&month).bounds(now).map(|(from, _)| from);
        entry.windows.iter().filter_map(|w| now.checked_sub_signed(*w)).chain(calendar).collect()
    }

    /// Takes what was counted in a stretch. Nothing is copied where nothing changed, which is most polls.
    pub(super) fn take(&mut self, id: &SloId, stretch: Stretch, column: &Column) {
        let Some(Entry { body: Body::Events(events), .. }) = self.entries.get_mut(id) else { return };
        let Column::Slices(slots, _) = column else { return };
        let slot = |n: i64| usize::try_from(n - stretch.from).ok().and_then(|i| slots.get(i).copied()).flatten();
        if events.differs(stretch, slot) {
            self.changed |= Arc::make_mut(events).take(stretch, slot);
        }
    }

    /// Takes the values of time slices.
    pub(super) fn judge(&mut self, objective: &Objective, stretch: Stretch, series: &[&RangeSeries]) {
        let Some(Entry { body: Body::Timed(slices), .. }) = self.entries.get_mut(&objective.id) else { return };
        self.changed |= slices.merge(stretch, series, &objective.sli);
    }

    /// What should outlive the program, if anything changed since this was asked last. What nobody took is kept too: its
    /// objective may come back.
    pub(super) fn worth_keeping(&mut self) -> Option<Shelf> {
        if !std::mem::take(&mut self.changed) {
            return None;
        }
        let mut shelf = self.shelf.clone();
        for entry in self.entries.values() {
            shelf.insert(entry.key, entry.slot());
        }
        Some(shelf)
    }

    /// What could not be written is worth writing again.
    pub(super) fn not_kept(&mut self) {
        self.changed = true;
    }
}

/// How long before now a calendar period may have begun. A window that is about a month has the month beside it; for a
/// shorter one nobody reads the rest of the month.
fn back(objective: &Objective) -> Span {
    let month = Period::of(Unit::Month, Tz::UTC).longest();
    match &objective.period {
        Some(period) => period.longest(),
        None if (MONTH..month).contains(&objective.window) => month,
        None => Span::zero(),
    }
}

fn key_of(objective: &Objective) -> Option<Key> {
    let window = Window::of(objective.window.max(back(objective))).0;
    let text = match &objective.sli {
        Sli::Events { bad: Bad::Counted(bad), total } => format!("counted\0{bad}\0{total}\0{window}"),
        Sli::Events { bad: Bad::TotalMinus(good), total } => format!("minus\0{good}\0{total}\0{window}"),
        Sli::Slices { value, compare, threshold, slice } => {
            format!("value\0{value}\0{}\0{threshold}\0{}\0{window}", compare.sign(), slice.num_seconds())
        }
        Sli::Opaque { ratio, slice } => format!("ratio\0{ratio}\0{}\0{window}", slice.num_seconds()),
        Sli::Composite(_) => return None,
    };
    let hash = Sha256::digest(text.as_bytes());
    let mut key = Key::default();
    key.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
    Some(key)
}

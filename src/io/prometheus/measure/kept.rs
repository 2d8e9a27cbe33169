//! The slices that are kept of every objective of one source. What the app is given is a snapshot: a change copies what is
//! still held there. Asks nobody.

use crate::domain::ids::SloId;
use crate::domain::slo::event_slices::{EventSlices, Ring, Stretch};
use crate::domain::slo::objective::{Bad, Objective, Sli};
use crate::domain::slo::plan::sliced::Column;
use crate::domain::slo::reading::Window;
use crate::domain::slo::sample::RangeSeries;
use crate::domain::slo::slices::Slices;
use crate::domain::time::{Span, Timestamp};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::Arc;

/// Stands for a query and its slice lengths: what was kept for another one is not read.
pub(super) type Key = [u8; 16];

/// Rings that outlived the program, by what they are of.
pub(super) type Shelf = HashMap<Key, Vec<Ring>>;

/// Slices of one objective.
#[derive(Debug)]
pub(super) enum Body {
    /// Events per slice.
    Events(Arc<EventSlices>),
    /// A verdict per slice, and the same as events.
    Timed(Slices, Arc<EventSlices>),
}

#[derive(Debug)]
struct Entry {
    key: Key,
    body: Body,
}

/// The slices of a source.
#[derive(Debug, Default)]
pub(super) struct Kept {
    entries: HashMap<SloId, Entry>,
    /// What was read back and not taken yet.
    shelf: Shelf,
    changed: bool,
}

impl Kept {
    /// Puts down what outlived the program.
    pub(super) fn lay(&mut self, shelf: Shelf) {
        self.shelf = shelf;
    }

    /// Makes room for an objective, taking what was kept of the same query. False for one that has no slices.
    pub(super) fn open(&mut self, objective: &Objective) -> bool {
        let Some(key) = key_of(objective) else { return false };
        if self.entries.get(&objective.id).is_some_and(|e| e.key == key) {
            return true;
        }
        let rings = self.shelf.get(&key);
        let body = match Slices::of(objective) {
            Some(mut slices) => {
                if let Some(ring) = rings.and_then(|r| r.first()) {
                    slices.put_back(ring);
                }
                let events = Arc::new(slices.as_events(objective.window, objective.gap));
                Body::Timed(slices, events)
            }
            None => {
                let mut events = EventSlices::of(objective.window, back(objective));
                for ring in rings.into_iter().flatten() {
                    if let Some(own) = events.ring_mut(ring.step().num_seconds())
                        && own.keep() == ring.keep()
                    {
                        *own = ring.clone();
                    }
                }
                Body::Events(Arc::new(events))
            }
        };
        self.entries.insert(objective.id.clone(), Entry { key, body });
        true
    }

    /// The slices of an objective.
    pub(super) fn get(&self, id: &SloId) -> Option<&Body> {
        self.entries.get(id).map(|e| &e.body)
    }

    /// Its slices as events.
    pub(super) fn events(&self, id: &SloId) -> Option<&Arc<EventSlices>> {
        match self.get(id)? {
            Body::Events(events) | Body::Timed(_, events) => Some(events),
        }
    }

    /// The stretches that a poll reads.
    pub(super) fn tails(&self, id: &SloId, now: Timestamp) -> Vec<Stretch> {
        match self.get(id) {
            Some(Body::Events(events)) => events.tails(now),
            Some(Body::Timed(slices, _)) => vec![slices.tail(now)],
            None => Vec::new(),
        }
    }

    /// The stretch to read next.
    pub(super) fn missing(&self, id: &SloId, now: Timestamp) -> Option<Stretch> {
        match self.get(id)? {
            Body::Events(events) => events.missing(now),
            Body::Timed(slices, _) => slices.missing(now),
        }
    }

    /// How many slices nobody asked for.
    pub(super) fn left(&self, id: &SloId, now: Timestamp) -> usize {
        match self.get(id) {
            Some(Body::Events(events)) => events.left(now),
            Some(Body::Timed(slices, _)) => slices.left(now),
            None => 0,
        }
    }

    /// Takes what was counted in a stretch. Nothing is copied where nothing changed, which is most polls.
    pub(super) fn take(&mut self, id: &SloId, stretch: Stretch, column: &Column) {
        let Some(Entry { body: Body::Events(events), .. }) = self.entries.get_mut(id) else { return };
        let Column::Slices(slots, _) = column else { return };
        let slot = |n: i64| usize::try_from(n - stretch.from).ok().and_then(|i| slots.get(i).copied()).flatten();
        let differs = events.ring(stretch.length).is_some_and(|ring| ring.differs(stretch.from, stretch.to, slot));
        if differs && let Some(ring) = Arc::make_mut(events).ring_mut(stretch.length) {
            self.changed |= ring.take(stretch.from, stretch.to, slot);
        }
    }

    /// Takes the values of time slices.
    pub(super) fn judge(&mut self, objective: &Objective, stretch: Stretch, series: &[&RangeSeries]) {
        let Some(Entry { body: Body::Timed(slices, events), .. }) = self.entries.get_mut(&objective.id) else { return };
        if slices.merge(stretch, series, &objective.sli) {
            *events = Arc::new(slices.as_events(objective.window, objective.gap));
            self.changed = true;
        }
    }

    /// What should outlive the program, if anything changed since this was asked last. What nobody took is kept too: its
    /// objective may come back.
    pub(super) fn worth_keeping(&mut self) -> Option<Shelf> {
        if !std::mem::take(&mut self.changed) {
            return None;
        }
        let mut shelf = self.shelf.clone();
        for entry in self.entries.values() {
            let rings = match &entry.body {
                Body::Events(events) => vec![events.fine.clone(), events.coarse.clone()],
                Body::Timed(slices, _) => vec![slices.ring().clone()],
            };
            shelf.insert(entry.key, rings);
        }
        Some(shelf)
    }

    /// What could not be written is worth writing again.
    pub(super) fn not_kept(&mut self) {
        self.changed = true;
    }
}

/// A calendar period may be longer than its nominal length: a month has up to 31 days, and a zone begins its days when it
/// likes.
fn back(objective: &Objective) -> Span {
    let longer = |nominal: Span| Span::seconds(nominal.num_seconds() + nominal.num_seconds() / 28 + 86_400);
    objective.period.as_ref().map_or(Span::zero(), |p| longer(p.nominal()))
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

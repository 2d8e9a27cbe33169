//! The events of an incident that are at hand, the last ones or all, with the two orders in which they are looked up: by
//! key, and by the time at which they happened. Both are kept as events come, so that a key on a timeline of a hundred
//! thousand entries looks at those that are shown. Holds nothing that is not on disk.

use crate::domain::ids::Origin;
use crate::domain::incident::event::{Body, Event, EventKey};
use crate::domain::incident::timeline::housekeeping;
use crate::domain::time::Timestamp;
use std::collections::HashMap;
use std::ops::Deref;

/// Events in the order of the fold; read as a slice of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tail {
    events: Vec<Event>,
    /// Where they stand, by key.
    keyed: Vec<usize>,
    /// Where those stand that have something to tell, by the time at which they happened.
    told: Vec<usize>,
}

impl Deref for Tail {
    type Target = [Event];

    fn deref(&self) -> &[Event] {
        &self.events
    }
}

impl<'t> IntoIterator for &'t Tail {
    type Item = &'t Event;
    type IntoIter = std::slice::Iter<'t, Event>;

    fn into_iter(self) -> Self::IntoIter {
        self.events.iter()
    }
}

impl Tail {
    /// Of these events, in whatever order they come.
    pub fn of(mut events: Vec<Event>) -> Self {
        events.sort_by(|a, b| a.rank().cmp(&b.rank()));
        let mut tail = Self { events, ..Self::default() };
        tail.index();
        tail
    }

    /// The events, for whoever orders them anew.
    pub fn into_events(self) -> Vec<Event> {
        self.events
    }

    fn index(&mut self) {
        let events = &self.events;
        self.keyed = (0..events.len()).collect();
        self.keyed.sort_by(|a, b| key_of(events, *a).cmp(&key_of(events, *b)));
        self.told = events.iter().enumerate().filter(|(_, e)| !housekeeping(e)).map(|(at, _)| at).collect();
        self.told.sort_by_key(|at| place_of(events, *at));
    }

    /// Takes an event in where it belongs.
    pub fn insert(&mut self, event: Event) {
        let at = self.events.partition_point(|e| e.rank() < event.rank());
        if at < self.events.len() {
            self.keyed.iter_mut().chain(&mut self.told).filter(|n| **n >= at).for_each(|n| *n += 1);
        }
        let told = !housekeeping(&event);
        self.events.insert(at, event);
        let events = &self.events;
        let by_key = self.keyed.partition_point(|n| key_of(events, *n) < key_of(events, at));
        self.keyed.insert(by_key, at);
        if told {
            let by_time = self.told.partition_point(|n| place_of(events, *n) < place_of(events, at));
            self.told.insert(by_time, at);
        }
    }

    /// Where an event stands.
    fn place(&self, key: &EventKey) -> Option<usize> {
        let found =
            self.keyed.binary_search_by(|n| key_of(&self.events, *n).cmp(&Some((&key.origin, key.seq)))).ok()?;
        self.keyed.get(found).copied()
    }

    /// An event by its key.
    pub fn find(&self, key: &EventKey) -> Option<&Event> {
        self.events.get(self.place(key)?)
    }

    /// Gives an event another body: a text was taken out of it.
    pub fn reword(&mut self, key: &EventKey, body: Body) {
        if let Some(event) = self.place(key).and_then(|at| self.events.get_mut(at)) {
            event.body = body;
            self.index();
        }
    }

    /// Gives the events the bodies that they have now.
    pub fn reread(&mut self, events: &[Event]) {
        let known: HashMap<&EventKey, &Event> = events.iter().map(|e| (&e.key, e)).collect();
        for event in &mut self.events {
            if let Some(now) = known.get(&event.key) {
                event.body.clone_from(&now.body);
            }
        }
        self.index();
    }

    /// How many have something to tell.
    pub fn told_len(&self) -> usize {
        self.told.len()
    }

    /// The n-th of those that have something to tell, by the time at which they happened.
    pub fn told(&self, n: usize) -> Option<&Event> {
        self.events.get(*self.told.get(n)?)
    }

    /// Which of them an event is.
    pub fn told_at(&self, key: &EventKey) -> Option<usize> {
        let at = self.place(key)?;
        let wanted = place_of(&self.events, at);
        self.told.binary_search_by(|n| place_of(&self.events, *n).cmp(&wanted)).ok()
    }

    /// How many of them come before something that happened then, with this order; of equals all.
    pub fn told_before(&self, at: Timestamp, order: u64) -> usize {
        self.told.partition_point(|n| self.events.get(*n).is_some_and(|e| (e.at, e.order) <= (at, order)))
    }
}

fn key_of(events: &[Event], at: usize) -> Option<(&Origin, u64)> {
    events.get(at).map(|e| (&e.key.origin, e.key.seq))
}

/// By time, then by order, then as the fold has them.
fn place_of(events: &[Event], at: usize) -> Option<(Timestamp, u64, usize)> {
    events.get(at).map(|e| (e.at, e.order, at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::incident::event::NoteKind;
    use crate::domain::outward::capability::Capability;
    use crate::domain::outward::entry::Ending;
    use crate::domain::outward::operation::OpId;
    use crate::domain::outward::outcome::Reference;
    use crate::domain::time::secs;
    use proptest::prelude::*;

    fn event(origin: &str, seq: u64, order: u64, at: i64) -> Event {
        let start: Timestamp = "2026-05-01T03:00:00Z".parse().unwrap();
        Event {
            key: EventKey { origin: Origin(origin.into()), seq },
            id: String::new(),
            incident: "INC-1".into(),
            order,
            at: start + secs(at),
            recorded_at: start,
            actor: "alice".into(),
            body: Body::Note { sort: NoteKind::Note, text: format!("{origin} {seq}") },
            hash: String::new(),
        }
    }

    /// An end of a topic that was set: nothing to tell while it went well.
    fn quiet(mut event: Event) -> Event {
        event.body = Body::OutgoingOutcome {
            op: OpId("OP-1".into()),
            target: "chat".into(),
            capability: Capability::SetTopic,
            words: String::new(),
            end: Ending::Done { reference: Reference::default() },
        };
        event
    }

    proptest! {
        /// Whatever comes in whatever order, both orders are those of a plain sort.
        #[test]
        fn every_order_is_that_of_a_plain_sort(
            rows in proptest::collection::vec((0..3_u64, 0..6_u64, 0..9_i64, any::<bool>()), 0..40),
            split in 0..40_usize,
        ) {
            let events: Vec<Event> = rows.iter().enumerate().map(|(n, (origin, order, at, heard))| {
                let event = event(&format!("o{origin}"), n as u64, *order, *at);
                if *heard { event } else { quiet(event) }
            }).collect();
            let (first, rest) = events.split_at(split.min(events.len()));
            let mut tail = Tail::of(first.to_vec());
            rest.iter().for_each(|e| tail.insert(e.clone()));

            let mut sorted = events.clone();
            sorted.sort_by(|a, b| a.rank().cmp(&b.rank()));
            prop_assert_eq!(&tail[..], &sorted[..]);
            let mut heard: Vec<&Event> = sorted.iter().filter(|e| !housekeeping(e)).collect();
            heard.sort_by_key(|e| (e.at, e.order));
            prop_assert_eq!(tail.told_len(), heard.len());
            for (n, event) in heard.iter().enumerate() {
                prop_assert_eq!(tail.told(n), Some(*event));
                prop_assert_eq!(tail.told_at(&event.key), Some(n));
            }
            for event in &events {
                prop_assert_eq!(tail.find(&event.key), Some(event));
                let before = heard.iter().filter(|e| (e.at, e.order) <= (event.at, event.order)).count();
                prop_assert_eq!(tail.told_before(event.at, event.order), before);
            }
            let absent = EventKey { origin: Origin("o9".into()), seq: 1 };
            prop_assert_eq!(tail.find(&absent), None);
        }
    }

    #[test]
    fn a_text_that_was_taken_out_is_gone_here() {
        let mut tail = Tail::of(vec![event("a", 2, 2, 0), event("a", 1, 1, 5)]);
        let gone = Body::Note { sort: NoteKind::Note, text: "[taken out]".into() };
        tail.reword(&EventKey { origin: Origin("a".into()), seq: 1 }, gone.clone());
        assert_eq!(tail.first().map(|e| &e.body), Some(&gone));
        tail.reread(&[event("a", 1, 1, 5)]);
        assert_eq!(tail.to_vec(), [event("a", 1, 1, 5), event("a", 2, 2, 0)]);
    }
}

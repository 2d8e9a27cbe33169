//! An incident as it can be wound back and forth: its log in the order in which it was recorded, cut at any instant. What
//! stood on the screens then is the fold of what was recorded by then, by the same fold as ever. A text that was taken out
//! of the record is gone at every instant. Changes nothing and reads no clock.

use crate::domain::incident::event::{Body, Event, NoteKind};
use crate::domain::incident::redaction::{left, redactions};
use crate::domain::incident::state::Incident;
use crate::domain::incident::timeline::housekeeping;
use crate::domain::time::Timestamp;

/// A recorded incident that can be wound. Never without the event that declares it.
#[derive(Clone, Debug, PartialEq)]
pub struct Reel {
    /// Every event once, in the order in which they were recorded; of those of one instant, in the order of the fold.
    events: Vec<Event>,
    /// Instants at which something was recorded that a timeline tells, and the last one; each once, ascending.
    moments: Vec<Timestamp>,
    /// What stands out on the whole of it.
    landmarks: Vec<(Timestamp, Landmark)>,
}

/// What a person looks for when winding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Landmark {
    /// Something was decided: a decision, a choice, another severity.
    Decision,
    /// It was declared.
    Declared,
    /// The pain stopped.
    Mitigated,
    /// It was over.
    Resolved,
}

impl Landmark {
    /// Its letter on a scrub bar: `d`, `D`, `M`, `R`.
    pub fn letter(self) -> char {
        match self {
            Self::Decision => 'd',
            Self::Declared => 'D',
            Self::Mitigated => 'M',
            Self::Resolved => 'R',
        }
    }

    fn of(event: &Event) -> Option<Self> {
        match &event.body {
            Body::Declared { .. } => Some(Self::Declared),
            Body::Mitigated => Some(Self::Mitigated),
            Body::Resolved { .. } => Some(Self::Resolved),
            Body::Note { sort: NoteKind::Decision, .. }
            | Body::Deciding(_)
            | Body::OptionChosen { .. }
            | Body::SeveritySet { .. } => Some(Self::Decision),
            _ => None,
        }
    }
}

impl Reel {
    /// The log of one incident, in any order. `None` when no event of it declares the incident.
    pub fn of(events: &[Event]) -> Option<Self> {
        let mut sorted: Vec<Event> = events.to_vec();
        let gone = redactions(&sorted);
        for event in &mut sorted {
            if let Some(body) = left(event, &gone) {
                event.body = body;
            }
        }
        sorted.sort_by(|a, b| (a.recorded_at, a.rank()).cmp(&(b.recorded_at, b.rank())));
        sorted.dedup_by(|a, b| a.key == b.key);
        // Another installation's clock may be behind: nothing stands on a screen before the declaration does.
        let first = sorted.iter().find(|e| matches!(e.body, Body::Declared { .. }))?.recorded_at;
        let last = sorted.last()?.recorded_at;
        let told = sorted.iter().filter(|e| !housekeeping(e)).map(|e| e.recorded_at.max(first));
        let mut moments: Vec<Timestamp> = told.chain([last]).collect();
        moments.sort_unstable();
        moments.dedup();
        let landmarks = sorted.iter().filter_map(|e| Some((e.recorded_at.max(first), Landmark::of(e)?))).collect();
        Some(Self { events: sorted, moments, landmarks })
    }

    /// When it was declared: there is nothing to see before.
    pub fn start(&self) -> Timestamp {
        self.moments.first().copied().unwrap_or_default()
    }

    /// When the last event was recorded.
    pub fn end(&self) -> Timestamp {
        self.moments.last().copied().unwrap_or_default()
    }

    /// Everything that was recorded by an instant, in the order in which it was.
    pub fn known(&self, at: Timestamp) -> &[Event] {
        let many = self.events.partition_point(|e| e.recorded_at <= at);
        self.events.get(..many).unwrap_or_default()
    }

    /// Everything, in the order in which it was recorded.
    pub fn all(&self) -> &[Event] {
        &self.events
    }

    /// The incident as it stood. `None` before its declaration.
    pub fn fold(&self, at: Timestamp) -> Option<Incident> {
        Incident::fold(self.known(at))
    }

    /// How many moments there are, and which of them an instant is at or after, from 1.
    pub fn place(&self, at: Timestamp) -> (usize, usize) {
        (self.moments.partition_point(|m| *m <= at), self.moments.len())
    }

    /// The next moment after an instant.
    pub fn next(&self, at: Timestamp) -> Option<Timestamp> {
        self.moments.get(self.moments.partition_point(|m| *m <= at)).copied()
    }

    /// The moment before an instant.
    pub fn before(&self, at: Timestamp) -> Option<Timestamp> {
        let here = self.moments.partition_point(|m| *m < at);
        self.moments.get(here.checked_sub(1)?).copied()
    }

    /// When something was decided next after an instant.
    pub fn next_decision(&self, at: Timestamp) -> Option<Timestamp> {
        self.decisions().find(|m| *m > at)
    }

    /// When something was decided last before an instant.
    pub fn decision_before(&self, at: Timestamp) -> Option<Timestamp> {
        self.decisions().take_while(|m| *m < at).last()
    }

    fn decisions(&self) -> impl Iterator<Item = Timestamp> + '_ {
        self.landmarks.iter().filter(|(_, mark)| *mark == Landmark::Decision).map(|(at, _)| *at)
    }

    /// What stands out, over the whole of it.
    pub fn landmarks(&self) -> &[(Timestamp, Landmark)] {
        &self.landmarks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::Origin;
    use crate::domain::incident::event::{EventKey, Status};
    use crate::domain::time::secs;
    use proptest::prelude::*;

    fn at(s: i64) -> Timestamp {
        "2026-05-01T03:12:04Z".parse::<Timestamp>().unwrap() + secs(s)
    }

    fn event(seq: u64, order: u64, recorded: i64, body: Body) -> Event {
        Event {
            key: EventKey { origin: Origin("here".into()), seq },
            id: String::new(),
            incident: "INC-20260501-031204".into(),
            order,
            at: at(recorded),
            recorded_at: at(recorded),
            actor: "ada".into(),
            body,
            hash: String::new(),
        }
    }

    fn declared() -> Body {
        Body::Declared {
            title: "API slow".into(),
            severity: "SEV2".into(),
            service: None,
            detected_by: None,
            detected_at: None,
        }
    }

    fn note(sort: NoteKind, text: &str) -> Body {
        Body::Note { sort, text: text.into() }
    }

    fn story() -> Vec<Event> {
        vec![
            event(1, 1, 0, declared()),
            event(2, 2, 0, Body::ObjectiveLinked { slo: "api".into() }),
            event(3, 3, 30, Body::Acknowledged),
            event(4, 4, 90, note(NoteKind::Decision, "roll back")),
            event(5, 5, 200, Body::Mitigated),
            event(6, 6, 300, Body::Resolved { summary: "rolled back".into() }),
        ]
    }

    #[test]
    fn it_winds_by_moments_and_by_decisions() {
        let reel = Reel::of(&story()).unwrap();
        assert_eq!((reel.start(), reel.end()), (at(0), at(300)));
        assert_eq!(reel.place(at(0)), (1, 5));
        assert_eq!(reel.place(at(95)), (3, 5));
        assert_eq!((reel.next(at(0)), reel.before(at(0))), (Some(at(30)), None));
        assert_eq!((reel.next(at(300)), reel.before(at(300))), (None, Some(at(200))));
        assert_eq!((reel.next_decision(at(0)), reel.decision_before(at(300))), (Some(at(90)), Some(at(90))));
        assert_eq!((reel.next_decision(at(90)), reel.decision_before(at(90))), (None, None));
        let letters: String = reel.landmarks().iter().map(|(_, mark)| mark.letter()).collect();
        assert_eq!(letters, "DdMR");
    }

    #[test]
    fn it_shows_what_was_recorded_by_then_and_not_what_had_happened_by_then() {
        let mut events = story();
        // Written two minutes in, about the first one.
        let late = Event { at: at(10), ..event(7, 7, 120, note(NoteKind::Note, "it began with the deploy")) };
        events.push(late.clone());
        let reel = Reel::of(&events).unwrap();
        assert!(!reel.known(at(119)).contains(&late) && reel.known(at(120)).contains(&late));
        let before = reel.fold(at(199)).unwrap();
        assert_eq!((before.status, before.times.mitigated), (Status::Investigating, None));
        assert!(!reel.fold(at(300)).unwrap().is_open());
    }

    #[test]
    fn nothing_is_seen_before_the_declaration_and_without_one_there_is_no_reel() {
        let mut events = story();
        events.push(event(8, 8, -60, note(NoteKind::Note, "from a clock that is behind")));
        let reel = Reel::of(&events).unwrap();
        assert_eq!((reel.start(), reel.fold(at(-1))), (at(0), None));
        assert_eq!(reel.fold(at(0)).unwrap().events, 3);
        assert_eq!(Reel::of(&events[1..]), None);
        assert_eq!(Reel::of(&[]), None);
    }

    proptest! {
        /// Whatever was recorded when and in which order it comes: at every cut the incident is the fold of the events up
        /// to it, at the end it is the live state, and winding passes every moment once in each direction.
        #[test]
        fn any_cut_is_the_fold_of_what_was_recorded_by_then(
            times in prop::collection::vec((0i64..500, 0u8..6), 0..40),
            order in any::<prop::sample::Index>(),
            cuts in prop::collection::vec(-10i64..600, 1..8),
        ) {
            let mut events = vec![event(1, 1, 0, declared())];
            for (n, (recorded, kind)) in times.iter().enumerate() {
                let seq = n as u64 + 2;
                let body = match kind {
                    0 => Body::Acknowledged,
                    1 => note(NoteKind::Decision, "x"),
                    2 => Body::Mitigated,
                    3 => Body::Resolved { summary: "x".into() },
                    4 => Body::Reopened { reason: "x".into() },
                    _ => Body::StatusSet { to: Status::Monitoring, message: Some("x".into()) },
                };
                events.push(event(seq, seq, *recorded, body));
            }
            let whole = Incident::fold(&events);
            let turn = order.index(events.len());
            events.rotate_left(turn);
            let reel = Reel::of(&events).unwrap();
            prop_assert_eq!(reel.fold(reel.end()), whole);
            for cut in cuts {
                let by_then: Vec<&Event> = events.iter().filter(|e| e.recorded_at <= at(cut)).collect();
                prop_assert_eq!(reel.fold(at(cut)), Incident::fold(by_then));
            }
            let mut there = vec![reel.start()];
            while let Some(next) = reel.next(*there.last().unwrap()) {
                there.push(next);
            }
            let mut back = vec![reel.end()];
            while let Some(before) = reel.before(*back.last().unwrap()) {
                back.push(before);
            }
            back.reverse();
            prop_assert_eq!(there.len(), reel.place(reel.end()).1);
            prop_assert_eq!(there, back);
        }
    }
}

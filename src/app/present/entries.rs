//! The entries of a timeline as a screen counts them: what is on disk and what is not, in the order in which it happened,
//! without what has nothing to tell and what the filter does not want. Asks for single entries: what is not shown is not
//! looked at. The words are made elsewhere.

use crate::app::model::{Case, Found, Model};
use crate::app::screen::{Item, Screen};
use crate::domain::ids::IncidentId;
use crate::domain::incident::event::{Event, EventKey};
use crate::domain::incident::filter::Filter;
use crate::domain::incident::timeline::{housekeeping, tell};
use std::borrow::Cow;

/// A timeline.
#[derive(Debug)]
pub struct Entries<'c> {
    case: &'c Case,
    /// What is not on disk, each with how many entries of the tail come before it.
    new: Vec<(usize, Event)>,
    /// Which of all entries the filter wants; all without one.
    wanted: Option<Cow<'c, [usize]>>,
}

impl<'c> Entries<'c> {
    /// Those of an incident that a filter wants, as it was typed.
    pub fn of(case: &'c Case, filter: &str) -> Self {
        let mut new = case.provisional();
        new.retain(|e| !housekeeping(e));
        new.sort_by_key(|e| (e.at, e.order));
        let new = new.into_iter().map(|e| (case.tail.told_before(e.at, e.order), e)).collect();
        let mut entries = Self { case, new, wanted: None };
        let known = case.found.as_ref().filter(|found| found.filter == filter);
        entries.wanted = match known {
            Some(found) => Some(Cow::Borrowed(found.entries.as_slice())),
            None => entries.wanted_by(&Filter::parse(filter)).map(Cow::Owned),
        };
        entries
    }

    /// Which of all entries a filter wants; `None` wants everything.
    fn wanted_by(&self, filter: &Filter) -> Option<Vec<usize>> {
        let shown = &self.case.shown;
        let wants =
            |n: &usize| self.any(*n).is_some_and(|(event, _)| filter.wants(event, &tell(event, Some(shown)), shown));
        (!filter.is_empty()).then(|| (0..self.all()).filter(wants).collect())
    }

    fn all(&self) -> usize {
        self.case.tail.told_len() + self.new.len()
    }

    /// The n-th of all, and whether it is on disk.
    fn any(&self, n: usize) -> Option<(&Event, bool)> {
        // The k-th new one stands at the number of saved ones before it, and k.
        let mut low = 0;
        let mut high = self.new.len();
        while low < high {
            let middle = (low + high) / 2;
            match self.new.get(middle) {
                Some((before, _)) if before + middle < n => low = middle + 1,
                _ => high = middle,
            }
        }
        match self.new.get(low) {
            Some((before, event)) if before + low == n => Some((event, false)),
            _ => self.case.tail.told(n.checked_sub(low)?).map(|event| (event, true)),
        }
    }

    /// How many are shown.
    pub fn len(&self) -> usize {
        self.wanted.as_ref().map_or_else(|| self.all(), |wanted| wanted.len())
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The n-th of those that are shown, and whether it is on disk.
    pub fn get(&self, n: usize) -> Option<(&Event, bool)> {
        match &self.wanted {
            Some(wanted) => self.any(*wanted.get(n)?),
            None => self.any(n),
        }
    }

    /// The n-th of those that are shown, as it is selected.
    pub fn item(&self, n: usize) -> Option<Item> {
        self.get(n).map(|(event, _)| Item::Event(event.key.clone()))
    }

    /// All that are shown, as they are selected.
    pub fn items(&self) -> impl Iterator<Item = Item> {
        (0..self.len()).filter_map(|n| self.item(n))
    }

    /// Which of them an event is; `None` when it is not shown.
    pub fn position(&self, key: &EventKey) -> Option<usize> {
        let at = match self.case.tail.told_at(key) {
            Some(at) => at + self.new.partition_point(|(before, _)| *before <= at),
            None => {
                let (k, (before, _)) = self.new.iter().enumerate().find(|(_, (_, event))| event.key == *key)?;
                before + k
            }
        };
        match &self.wanted {
            Some(wanted) => wanted.binary_search(&at).ok(),
            None => Some(at),
        }
    }
}

/// The shown entries of an incident on its own screen.
pub fn shown<'m>(model: &'m Model, id: &IncidentId) -> Option<Entries<'m>> {
    Some(Entries::of(model.desk.cases.get(id)?, &model.nav.spot().filter))
}

/// Notes what the filter of the shown timeline finds, so that the keys after it need not look through all of it again.
pub fn seek(model: &mut Model) {
    let Screen::Incident(id) = model.nav.screen() else { return };
    let (id, filter) = (id.clone(), model.nav.spot().filter);
    let Some(case) = model.desk.cases.get_mut(&id) else { return };
    if filter.is_empty() || case.found.as_ref().is_some_and(|found| found.filter == filter) {
        return;
    }
    let wanted = Entries::of(case, &filter).wanted.map(Cow::into_owned);
    case.found = wanted.map(|entries| Found { filter, entries });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{Origin, ReqId};
    use crate::domain::incident::event::{Body, NewEvent, NoteKind};
    use crate::domain::incident::state::Incident;
    use crate::domain::time::{Timestamp, secs};
    use proptest::prelude::*;

    fn start() -> Timestamp {
        "2026-05-01T03:00:00Z".parse().unwrap()
    }

    fn note(seq: u64, at: i64) -> Event {
        let body = if seq == 1 {
            Body::Declared {
                title: "t".into(),
                severity: "SEV2".into(),
                service: None,
                detected_by: None,
                detected_at: None,
            }
        } else {
            Body::Note { sort: NoteKind::Note, text: format!("note {}", seq % 3) }
        };
        Event {
            key: EventKey { origin: Origin("o".into()), seq },
            id: String::new(),
            incident: "INC-1".into(),
            order: seq,
            at: start() + secs(at),
            recorded_at: start(),
            actor: "alice".into(),
            body,
            hash: String::new(),
        }
    }

    fn unsaved(n: u64, at: i64) -> (ReqId, Vec<NewEvent>) {
        let Event { incident, at, recorded_at, actor, body, .. } = note(n + 2, at);
        (ReqId(n + 1), vec![NewEvent { incident, at, recorded_at, actor, body, once: None }])
    }

    proptest! {
        /// Counted one by one, a timeline is what a plain merge and sort of all of it is; with a filter, what is left of it.
        #[test]
        fn entries_are_those_of_a_plain_sort(
            saved in proptest::collection::vec(0..9_i64, 1..20),
            waiting in proptest::collection::vec(0..9_i64, 0..6),
        ) {
            let events: Vec<Event> = saved.iter().zip(1..).map(|(at, seq)| note(seq, *at)).collect();
            let mut case = Case::of(Incident::fold(&events).unwrap(), events.clone());
            case.unsaved = waiting.iter().zip(0..).map(|(at, n)| unsaved(n, *at)).collect();
            case.reshow();
            let mut all: Vec<(Event, bool)> = events.into_iter().map(|e| (e, true)).collect();
            all.extend(case.provisional().into_iter().map(|e| (e, false)));
            all.sort_by_key(|(e, _)| (e.at, e.order));
            for filter in ["", "\"note 1\"", "-\"note 1\"", "nothing has this"] {
                let wanted = Filter::parse(filter);
                let left: Vec<&(Event, bool)> = all
                    .iter()
                    .filter(|(e, _)| wanted.wants(e, &tell(e, Some(&case.shown)), &case.shown))
                    .collect();
                let entries = Entries::of(&case, filter);
                prop_assert_eq!(entries.len(), left.len());
                for (n, (event, on_disk)) in left.iter().enumerate() {
                    prop_assert_eq!(entries.get(n), Some((event, *on_disk)));
                    prop_assert_eq!(entries.position(&event.key), Some(n));
                }
                prop_assert_eq!(entries.get(left.len()), None);
                let hidden = all.iter().find(|(e, _)| !left.iter().any(|(l, _)| l.key == e.key));
                prop_assert_eq!(hidden.and_then(|(e, _)| entries.position(&e.key)), None);
            }
        }
    }
}

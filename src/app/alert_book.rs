//! Alerts as the machine keeps them: by source, sorted once, each with its runbooks; and the rules that may fire. Asks
//! nobody.

use crate::domain::alert::Alert;
use crate::domain::alert::rule::AlertRule;
use crate::domain::document::Finding;
use crate::domain::ids::{Fingerprint, SourceName};
use crate::domain::runbook::coverage::Coverage;
use crate::domain::runbook::matching::{Match, Matching};
use crate::domain::runbook::model::Runbook;
use crate::domain::time::Timestamp;
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Alerts by source, and what was seen of them.
#[derive(Clone, Debug, Default)]
pub struct AlertBook {
    /// What each source said last. Who changes it arranges it anew.
    pub by_source: BTreeMap<SourceName, Vec<Alert>>,
    /// Sources that have answered since the start: from then on changes are told.
    pub seen: BTreeMap<SourceName, Timestamp>,
    /// How many there are of each rank.
    pub ranks: [usize; 4],
    /// The runbooks of each alert that has some, the best first.
    pub runbooks: HashMap<Fingerprint, Arc<[Match]>>,
    /// Where every alert stands, once, the most severe first. Changes only when data arrives.
    order: Vec<Place>,
    /// Where each alert stands, by its fingerprint.
    index: Vec<(u128, Place)>,
}

/// Where an alert stands: the number of its source and its own in what that one said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    source: usize,
    at: usize,
}

/// An alert while it is sorted, with what it is sorted by.
struct Ranked<'a> {
    rank: u8,
    alert: &'a Alert,
    head: u128,
    place: Place,
}

impl Ranked<'_> {
    /// By fingerprint, of equals by source.
    fn by_fingerprint(&self, other: &Self) -> Ordering {
        let full = || self.alert.fingerprint.cmp(&other.alert.fingerprint);
        self.head.cmp(&other.head).then_with(full).then(self.place.cmp(&other.place))
    }

    /// As a list shows them.
    fn by_severity(&self, other: &Self) -> Ordering {
        let (a, b) = (self.alert, other.alert);
        let name = || a.name.cmp(&b.name);
        let fingerprint = || self.head.cmp(&other.head).then_with(|| a.fingerprint.cmp(&b.fingerprint));
        self.rank.cmp(&other.rank).then_with(|| a.started_at.cmp(&b.started_at)).then_with(name).then_with(fingerprint)
    }
}

/// The first 16 bytes of a fingerprint, which is nearly always all of it: they compare as the text does, without a look at
/// the alert.
fn head(fingerprint: &Fingerprint) -> u128 {
    let mut head = [0_u8; 16];
    head.iter_mut().zip(fingerprint.0.bytes()).for_each(|(to, from)| *to = from);
    u128::from_be_bytes(head)
}

impl AlertBook {
    /// Sorts and matches anew. For new data, or a new library.
    pub fn arrange(&mut self, library: &[Arc<Runbook>]) {
        let alerts = self.by_source.values().enumerate().flat_map(|(source, alerts)| {
            alerts.iter().enumerate().map(move |(at, alert)| Ranked {
                rank: alert.rank(),
                alert,
                head: head(&alert.fingerprint),
                place: Place { source, at },
            })
        });
        let mut all: Vec<Ranked<'_>> = alerts.collect();
        all.sort_unstable_by(Ranked::by_fingerprint);
        // An alert that several sources tell is the first one's.
        all.dedup_by(|b, a| a.alert.fingerprint == b.alert.fingerprint);
        self.index = all.iter().map(|ranked| (ranked.head, ranked.place)).collect();
        all.sort_unstable_by(Ranked::by_severity);
        self.order = all.iter().map(|ranked| ranked.place).collect();
        self.ranks = [0; 4];
        for ranked in &all {
            if let Some(count) = self.ranks.get_mut(usize::from(ranked.rank)) {
                *count += 1;
            }
        }
        let mut matching = Matching::of(library);
        let found = all.iter().map(|Ranked { alert: a, .. }| (a, matching.find(&a.name, &a.labels, &a.annotations)));
        let found = found.filter(|(_, books)| !books.is_empty());
        self.runbooks = found.map(|(alert, books)| (alert.fingerprint.clone(), books)).collect();
    }

    /// Every alert once, the most severe first.
    pub fn all(&self) -> impl Iterator<Item = &Alert> {
        let sources: Vec<&Vec<Alert>> = self.by_source.values().collect();
        self.order.iter().filter_map(move |place| sources.get(place.source)?.get(place.at))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// An alert by its fingerprint.
    pub fn get(&self, fingerprint: &Fingerprint) -> Option<&Alert> {
        let wanted = head(fingerprint);
        let first = self.index.partition_point(|(head, _)| *head < wanted);
        let alike = self.index.iter().skip(first).take_while(|(head, _)| *head == wanted);
        alike.filter_map(|(_, place)| self.at(*place)).find(|alert| alert.fingerprint == *fingerprint)
    }

    fn at(&self, place: Place) -> Option<&Alert> {
        self.by_source.values().nth(place.source)?.get(place.at)
    }
}

/// Alerting rules by source.
#[derive(Clone, Debug, Default)]
pub struct RuleBook {
    /// What each source said last.
    pub known: BTreeMap<SourceName, Vec<AlertRule>>,
    /// Sources that could not be asked, and why.
    pub faults: BTreeMap<SourceName, String>,
    /// When they were asked.
    pub asked: Option<Timestamp>,
    /// What is covered, and whether every source is in it.
    pub coverage: Option<(Coverage, bool)>,
    /// Triggers that no rule answers to; empty until every source has told its rules.
    pub findings: Vec<Finding>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::alert::AlertState;
    use crate::domain::labels::Labels;
    use crate::domain::time::secs;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn alert(source: &str, fingerprint: &str, (severity, state, name, at): (usize, usize, usize, i64)) -> Alert {
        let states = [AlertState::Firing, AlertState::Pending, AlertState::Silenced, AlertState::Muted];
        let start: Timestamp = "2026-05-01T03:00:00Z".parse().unwrap();
        Alert {
            fingerprint: fingerprint.into(),
            name: ["Down", "Slow", "Full"][name].into(),
            labels: Labels::from([("severity", ["page", "ticket", ""][severity])]),
            annotations: Labels::default(),
            state: states[state],
            started_at: start + secs(at),
            source: source.into(),
            held_by: Vec::new(),
            generator_url: None,
        }
    }

    proptest! {
        /// Each alert once, as its first source tells it, in the order of a plain sort; each is found by its fingerprint,
        /// also where fingerprints are no 16 digits and begin alike.
        #[test]
        fn the_order_is_that_of_a_plain_sort(
            rows in proptest::collection::vec(
                (0..3_usize, "0{0,17}[ab]{0,2}", (0..3_usize, 0..4_usize, 0..3_usize, 0..3_i64)), 0..40)
        ) {
            let mut book = AlertBook::default();
            for (source, fingerprint, kind) in &rows {
                let source = ["a", "b", "c"][*source];
                book.by_source.entry(source.into()).or_default().push(alert(source, fingerprint, *kind));
            }
            book.arrange(&[]);
            let mut seen = BTreeSet::new();
            let told = book.by_source.values().flatten();
            let mut want: Vec<&Alert> = told.filter(|a| seen.insert(a.fingerprint.clone())).collect();
            want.sort_by_key(|a| (a.rank(), a.started_at, a.name.clone(), a.fingerprint.clone()));
            prop_assert_eq!(book.all().collect::<Vec<_>>(), want.clone());
            prop_assert_eq!((book.len(), book.is_empty()), (want.len(), want.is_empty()));
            for alert in &want {
                prop_assert_eq!(book.get(&alert.fingerprint), Some(*alert));
            }
            for rank in 0..4_u8 {
                prop_assert_eq!(book.ranks[usize::from(rank)], want.iter().filter(|a| a.rank() == rank).count());
            }
            prop_assert_eq!(book.get(&"c".into()), None);
        }
    }
}

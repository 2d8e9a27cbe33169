//! Alerts as the machine keeps them: by source, sorted once, each with its runbooks; and the rules that may fire. Asks
//! nobody.

use crate::domain::alert::Alert;
use crate::domain::alert::rule::AlertRule;
use crate::domain::document::Finding;
use crate::domain::ids::{Fingerprint, SourceName};
use crate::domain::runbook::coverage::Coverage;
use crate::domain::runbook::matching::{Match, matches};
use crate::domain::runbook::model::Runbook;
use crate::domain::time::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Alerts by source, and what was seen of them.
#[derive(Clone, Debug, Default)]
pub struct AlertBook {
    /// What each source said last.
    pub by_source: BTreeMap<SourceName, Vec<Alert>>,
    /// Sources that have answered since the start: from then on changes are told.
    pub seen: BTreeMap<SourceName, Timestamp>,
    /// Every alert once, the most severe first. Changes only when data arrives.
    pub order: Vec<Fingerprint>,
    /// How many there are of each rank.
    pub ranks: [usize; 4],
    /// The runbooks of each alert, the best first.
    pub runbooks: HashMap<Fingerprint, Vec<Match>>,
    /// Where each alert stands.
    index: HashMap<Fingerprint, (SourceName, usize)>,
}

impl AlertBook {
    /// Sorts and matches anew. For new data, or a new library.
    pub fn arrange(&mut self, library: &[Arc<Runbook>]) {
        self.index.clear();
        let mut all: Vec<&Alert> = Vec::new();
        for (source, alerts) in &self.by_source {
            for (n, alert) in alerts.iter().enumerate() {
                if !self.index.contains_key(&alert.fingerprint) {
                    self.index.insert(alert.fingerprint.clone(), (source.clone(), n));
                    all.push(alert);
                }
            }
        }
        all.sort_by(|a, b| {
            (a.rank(), a.started_at, &a.name, &a.fingerprint).cmp(&(b.rank(), b.started_at, &b.name, &b.fingerprint))
        });
        let found = all.iter().map(|a| (a, matches(library, &a.name, &a.labels, &a.annotations)));
        let found = found.filter(|(_, books)| !books.is_empty());
        self.runbooks = found.map(|(a, books)| (a.fingerprint.clone(), books)).collect();
        self.ranks = [0; 4];
        for alert in &all {
            if let Some(count) = self.ranks.get_mut(usize::from(alert.rank())) {
                *count += 1;
            }
        }
        self.order = all.iter().map(|a| a.fingerprint.clone()).collect();
    }

    /// Every alert once, the most severe first.
    pub fn all(&self) -> impl Iterator<Item = &Alert> {
        self.order.iter().filter_map(|fp| self.get(fp))
    }

    /// An alert by its fingerprint.
    pub fn get(&self, fingerprint: &Fingerprint) -> Option<&Alert> {
        let (source, n) = self.index.get(fingerprint)?;
        self.by_source.get(source)?.get(*n)
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

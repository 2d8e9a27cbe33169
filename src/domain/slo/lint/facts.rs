//! What a server said about the queries of objectives, as far as it was asked and could answer. Everything here may be
//! unknown: a missing entry silences the rule that wants it. Never asks.

use crate::domain::slo::lint::questions::selectors_of;
use crate::domain::slo::objective::Objective;
use crate::domain::time::Span;
use std::collections::BTreeMap;

/// What is known of one selector.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matched {
    /// Series now.
    pub now: Option<u64>,
    /// Whether any series was there within the window.
    pub in_window: Option<bool>,
    /// Whether any series was there at the beginning of the window.
    pub at_start: Option<bool>,
    /// The scrape interval: the targets' own, or the spacing of its samples.
    pub interval: Option<Span>,
}

/// A recording rule that fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailingRecord {
    /// The series it should record.
    pub record: String,
    /// Its group.
    pub group: String,
    /// What the server says; raw outside text.
    pub error: String,
}

/// The facts of one server.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// How the server is called: `prometheus main`.
    pub what: String,
    /// Its version.
    pub version: Option<String>,
    /// Its clock minus ours.
    pub skew: Option<Span>,
    /// How long it keeps samples.
    pub retention: Option<Span>,
    /// The longest scrape interval of each job; empty where targets are not told.
    pub jobs: BTreeMap<String, Span>,
    /// By the selector's text.
    pub selectors: BTreeMap<String, Matched>,
    /// Values of `le` now, by the selector without `le`.
    pub buckets: BTreeMap<String, Vec<String>>,
    /// `counter`, `gauge`, `histogram`, `summary` by the metric's name as asked.
    pub types: BTreeMap<String, String>,
    /// Whether a query was accepted, or what the server has against it.
    pub accepted: BTreeMap<String, Result<(), String>>,
    /// Recording rules that fail.
    pub failing: Vec<FailingRecord>,
    /// Events by the query that counts them.
    pub totals: BTreeMap<String, f64>,
    /// What it could not say, each once: `the scrape intervals (answered 404)`.
    pub unanswered: Vec<String>,
}

impl Facts {
    /// The longest scrape interval among the series of an objective; without any series that of all jobs, if they agree.
    pub fn interval(&self, objective: &Objective) -> Option<Span> {
        let asked = selectors_of(objective);
        let own = asked.iter().filter_map(|(selector, _)| self.selectors.get(selector)?.interval).max();
        let shortest = self.jobs.values().min().copied();
        own.or(shortest.filter(|shortest| self.jobs.values().all(|interval| interval == shortest)))
    }
}

//! The health of a source: when it is asked, what came of it, how old its last good answer is.

use crate::domain::fault::{Fault, FaultKind};
use crate::domain::ids::{ReqId, SloId, SourceName};
use crate::domain::resilience::breaker::{Breaker, Policy};
use crate::domain::server_note::ServerNote;
use crate::domain::slo::marks::Marker;
use crate::domain::slo::warm::Cuts;
use crate::domain::time::{Span, Timestamp, seconds, secs};
use std::sync::Arc;

/// What a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// Measures objectives.
    Prometheus {
        /// Is asked for alerts too, because there is no Alertmanager.
        alerts: bool,
    },
    /// Knows which alerts reach people.
    Alertmanager {
        /// How many peers it has.
        peers: usize,
    },
    /// A target of writes.
    Target {
        /// It is asked for its incidents; else it is only written to.
        reads: bool,
    },
}

impl LinkKind {
    /// Whether it is asked from time to time.
    pub fn polled(self) -> bool {
        self != Self::Target { reads: false }
    }
}

/// How far the history of a source is read.
#[derive(Clone, Debug)]
pub struct Warming {
    /// When the next step may be asked for.
    pub next: Timestamp,
    /// The step that is out, and since when.
    pub out: Option<(ReqId, Timestamp)>,
    /// Objectives that were looked at when nothing was left for them.
    pub done_for: Vec<SloId>,
    /// Where history is wanted finer than by the hour, when that was looked up, and for how many incidents and objectives.
    pub cuts: Arc<Cuts>,
    pub cut_at: Option<Timestamp>,
    pub cut_for: [usize; 4],
    /// What of it the source was told.
    pub told: Arc<Cuts>,
    /// Steps that failed in a row.
    pub failures: u32,
}

impl Warming {
    fn new(start: Timestamp) -> Self {
        Self {
            next: start,
            out: None,
            done_for: Vec::new(),
            cuts: Arc::default(),
            cut_at: None,
            cut_for: [0; 4],
            told: Arc::default(),
            failures: 0,
        }
    }
}

/// A source.
#[derive(Clone, Debug)]
pub struct Link {
    /// Its name; unique over all kinds.
    pub name: SourceName,
    /// Its name in line 1: `prom`, `am`, or its own where there are several.
    pub short: String,
    /// What it is.
    pub kind: LinkKind,
    /// Its address without credentials.
    pub address: String,
    /// How often it is asked.
    pub interval: Span,
    /// When it is asked next.
    pub next: Timestamp,
    /// Samples a second that it may be made to read; a poll that costs more is made less often.
    pub ceiling: Option<f64>,
    /// What it is asked to tell of deploys and other changes.
    pub markers: Vec<Marker>,
    /// What its polls cost: samples a second, where it says so.
    pub cost: Option<f64>,
    /// Reading its history.
    pub warming: Warming,
    /// When the rows of templates are read next.
    pub next_rows: Timestamp,
    /// Requests that are out.
    pub out: Vec<ReqId>,
    /// When they went out.
    pub since: Option<Timestamp>,
    /// The last good answer.
    pub good: Option<Timestamp>,
    /// What is wrong, and since when.
    pub fault: Option<(Timestamp, Fault)>,
    /// Failures in a row.
    pub tries: u32,
    /// The seed of its chance: two cockpits must not knock in step.
    pub seed: u64,
    /// Decides whether it may be asked.
    pub breaker: Breaker,
    /// Peers that answered, of those asked.
    pub answered: Option<(usize, usize)>,
    /// What the peers that did not answer said.
    pub peer_faults: Vec<String>,
    /// Slices that are still to be read; `None` where that is not known.
    pub left: Option<usize>,
    /// What came with the last answers.
    pub note: ServerNote,
    /// How long the last poll took.
    pub took: Option<Span>,
}

impl Link {
    /// A source that was never asked and is asked at once.
    pub fn new(
        name: SourceName,
        short: String,
        kind: LinkKind,
        address: String,
        interval: Span,
        start: Timestamp,
    ) -> Self {
        let seed =
            name.0.bytes().fold(start.timestamp_millis() as u64, |h, b| h.wrapping_mul(31).wrapping_add(u64::from(b)));
        Self {
            name,
            short,
            kind,
            address,
            interval,
            next: start,
            ceiling: None,
            markers: Vec::new(),
            cost: None,
            warming: Warming::new(start),
            next_rows: start,
            out: Vec::new(),
            since: None,
            good: None,
            fault: None,
            tries: 0,
            seed,
            breaker: Breaker::new(Policy::default(), seed),
            answered: None,
            peer_faults: Vec::new(),
            left: None,
            note: ServerNote::default(),
            took: None,
        }
    }

    /// Time between two polls: the configured one, or as long as its ceiling of samples demands.
    pub fn pause(&self) -> Span {
        let samples = self.note.samples.unwrap_or(0) as f64;
        let least = self.ceiling.filter(|c| *c > 0.0).map_or(0.0, |ceiling| samples / ceiling);
        // An hour is the longest interval that a configuration may ask for.
        let least = Span::milliseconds((least.min(3_600.0) * 1_000.0).ceil() as i64);
        self.interval.max(least)
    }

    /// Notes what the poll that was just answered costs, spread over the time to the next one.
    pub fn cost_of_poll(&mut self, now: Timestamp) {
        let pause = self.pause();
        self.cost = self.note.samples.map(|samples| samples as f64 / seconds(pause).max(0.001));
        // Only the ceiling puts a poll off: one that was asked for meanwhile (new rows) is not held up by the usual interval.
        if let Some(since) = self.since.filter(|_| pause > self.interval) {
            self.next = self.next.max(since + pause).max(now);
        }
    }

    /// A good answer came.
    pub fn succeeded(&mut self, now: Timestamp) {
        self.good = Some(now);
        self.fault = None;
        self.tries = 0;
        self.breaker.succeeded();
    }

    /// No good answer came.
    pub fn failed(&mut self, now: Timestamp, fault: Fault) {
        let since = self.fault.as_ref().map_or(now, |(since, _)| *since);
        self.breaker.failed(now, &fault);
        self.fault = Some((since, fault));
        self.tries += 1;
    }

    /// Age of the last good answer.
    pub fn age(&self, now: Timestamp) -> Option<Span> {
        self.good.map(|good| (now - good).max(secs(0)))
    }

    /// Whether it answers queries and does not tell the alerts that it is asked for.
    pub fn hides_alerts(&self) -> bool {
        matches!(self.kind, LinkKind::Prometheus { alerts: true }) && !self.peer_faults.is_empty()
    }

    /// `ok`, `waiting`, `DOWN`, `AUTH`, `1/2 peers`, `no alerts`.
    pub fn word(&self) -> String {
        match (&self.fault, self.answered) {
            (Some((_, fault)), _) if fault.kind == FaultKind::Auth => "AUTH".into(),
            (Some(_), _) => "DOWN".into(),
            (None, Some((answered, peers))) if answered < peers => format!("{answered}/{peers} peers"),
            (None, _) if !self.kind.polled() => "ok".into(),
            (None, _) if self.good.is_none() => "waiting".into(),
            (None, _) if self.hides_alerts() => "no alerts".into(),
            _ => "ok".into(),
        }
    }
}

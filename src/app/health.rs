//! The health of a source: when it is asked, what came of it, how old its last good answer is.

use crate::domain::fault::{Fault, FaultKind};
use crate::domain::ids::{ReqId, SourceName};
use crate::domain::resilience::breaker::{Breaker, Policy};
use crate::domain::server_note::ServerNote;
use crate::domain::time::{Span, Timestamp, secs};

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
    /// When the long windows are read next.
    pub next_slow: Timestamp,
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
            next_slow: start,
            out: Vec::new(),
            since: None,
            good: None,
            fault: None,
            tries: 0,
            seed,
            breaker: Breaker::new(Policy::default(), seed),
            answered: None,
            peer_faults: Vec::new(),
            note: ServerNote::default(),
            took: None,
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

    /// `ok`, `waiting`, `DOWN`, `AUTH`, `1/2 peers`.
    pub fn word(&self) -> String {
        match (&self.fault, self.answered) {
            (Some((_, fault)), _) if fault.kind == FaultKind::Auth => "AUTH".into(),
            (Some(_), _) => "DOWN".into(),
            (None, Some((answered, peers))) if answered < peers => format!("{answered}/{peers} peers"),
            (None, _) if !self.kind.polled() => "ok".into(),
            (None, _) if self.good.is_none() => "waiting".into(),
            _ => "ok".into(),
        }
    }
}

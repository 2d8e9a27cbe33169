//! What a source said about an objective. A reading is never a bare number: no data, odd and error are values too.

use crate::domain::fault::Fault;
use crate::domain::ids::SloId;
use crate::domain::slo::composite_events::CompositeEvents;
use crate::domain::slo::event_slices::EventSlices;
use crate::domain::time::{Span, Timestamp, prometheus, secs};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// A window length in whole seconds; orders by length, prints as `5m`, `30d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window(pub u32);

impl Window {
    /// Five minutes.
    pub const M5: Self = Self(300);
    /// Thirty minutes.
    pub const M30: Self = Self(1_800);
    /// One hour.
    pub const H1: Self = Self(3_600);
    /// Two hours.
    pub const H2: Self = Self(7_200);
    /// Six hours.
    pub const H6: Self = Self(21_600);
    /// One day.
    pub const D1: Self = Self(86_400);
    /// Three days.
    pub const D3: Self = Self(259_200);
    /// The burn windows, short to long.
    pub const BURN: [Self; 7] = [Self::M5, Self::M30, Self::H1, Self::H2, Self::H6, Self::D1, Self::D3];

    /// Its length.
    pub fn span(self) -> Span {
        secs(i64::from(self.0))
    }

    /// The window of a span; over 136 years it is the longest one.
    pub fn of(span: Span) -> Self {
        Self(u32::try_from(span.num_seconds().max(0)).unwrap_or(u32::MAX))
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&prometheus(self.span()))
    }
}

/// Events (or slices) in one window.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Counts {
    /// Bad ones, finite, >= 0.
    pub bad: f64,
    /// All of them, finite, >= 0.
    pub total: f64,
}

impl Counts {
    /// Share of bad ones; `None` without traffic.
    pub fn error_ratio(self) -> Option<f64> {
        (self.total > 0.0).then(|| (self.bad / self.total).clamp(0.0, 1.0))
    }
}

/// One window of one objective.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// Joined counts; a total of 0 is `no traffic`.
    Counts(Counts),
    /// An error ratio (0..1) that the server recorded; how many events it stands for is not known.
    Recorded(f64),
    /// The total is missing.
    NoData,
    /// The source answered with what cannot be: NaN, infinite, negative, bad over total by more than extrapolation.
    Odd(String),
    /// The source could not be read.
    Error(Fault),
}

impl Reading {
    /// The counts, if there are any.
    pub fn counts(&self) -> Option<Counts> {
        match self {
            Self::Counts(c) => Some(*c),
            _ => None,
        }
    }

    /// Share of bad events, counted or recorded; `None` without traffic and where nothing is known.
    pub fn error_ratio(&self) -> Option<f64> {
        match self {
            Self::Counts(c) => c.error_ratio(),
            Self::Recorded(ratio) => Some(*ratio),
            _ => None,
        }
    }

    /// Whether it says something of the service, even if only that nothing happened.
    pub fn is_known(&self) -> bool {
        matches!(self, Self::Counts(_) | Self::Recorded(_))
    }
}

/// What feeds a measurement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Via {
    /// Events counted by queries and slices of events.
    #[default]
    Events,
    /// Series that rules on the server recorded.
    Recorded,
    /// Time slices.
    Slices,
}

impl Via {
    /// Its word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Recorded => "recorded",
            Self::Slices => "slices",
        }
    }
}

/// Everything one poll (or several with different windows) said about one objective.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    /// Of which objective.
    pub slo: SloId,
    /// A reading and the instant of its evaluation, per window.
    pub windows: BTreeMap<Window, (Timestamp, Reading)>,
    /// Share of the window for which there is data, 0..1, where known.
    pub coverage: Option<f64>,
    /// Share of the window whose history was read, 0..1; `None` where none has to be. The window has a reading at 1.
    pub read: Option<f64>,
    /// Hours in which its windows begin that count by share, because their parts were not read yet.
    pub edges: usize,
    /// What feeds it.
    pub via: Via,
    /// The slices behind the long windows, oldest first, as they are now; `None` where none are kept.
    pub slices: Option<Arc<EventSlices>>,
    /// The events behind its parts, or why they cannot be added up; composites only.
    pub parts: Option<Result<Arc<CompositeEvents>, String>>,
    /// Error ratio of the objective's window as recorded and as counted from slices, where both are known.
    pub recorded: Option<(f64, f64)>,
    /// What was wrong with the last answer, while older readings stand for it; always an error or odd.
    pub trouble: Option<Reading>,
    /// Warnings or a partial answer came with it.
    pub partial: bool,
    /// What the source warned of; raw outside text.
    pub warnings: Vec<String>,
}

impl Measurement {
    /// One that says nothing yet.
    pub fn empty(slo: SloId) -> Self {
        Self {
            slo,
            windows: BTreeMap::new(),
            coverage: None,
            read: None,
            edges: 0,
            via: Via::default(),
            slices: None,
            parts: None,
            recorded: None,
            trouble: None,
            partial: false,
            warnings: Vec::new(),
        }
    }
}

/// One line of a chart: a fixed time grid, `None` where there is no data.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The window whose burn rate this is.
    pub window: Window,
    /// The instant of the first point.
    pub start: Timestamp,
    /// Distance of two points.
    pub step: Span,
    /// Burn rates.
    pub points: Vec<Option<f64>>,
}

/// Burn rates of one objective over time, for its chart.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// Of which objective.
    pub slo: SloId,
    /// One line per window.
    pub series: Vec<Series>,
    /// Remaining budget over time (share, signed), on the same kind of grid; empty when not asked.
    pub budget: Option<Series>,
}

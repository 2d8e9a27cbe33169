//! What an objective is, whatever file format it came from. Every format reader produces this one value.

use crate::domain::ids::{SloId, SourceName};
use crate::domain::labels::Labels;
use crate::domain::slo::period::Period;
use crate::domain::slo::reading::Window;
use crate::domain::time::Span;
use serde::Serialize;

/// How the target is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Share of good events.
    Ratio,
    /// Share of time slices in which a value held.
    Threshold,
}

/// How a threshold compares: the slice is good when `value op threshold`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// `<=`
    AtMost,
    /// `<`
    Below,
    /// `>=`
    AtLeast,
    /// `>`
    Above,
}

impl Compare {
    /// Reads the sign or its word: `<=` `lte`, `<` `lt`, `>=` `gte`, `>` `gt`.
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim() {
            "<=" | "lte" => Some(Self::AtMost),
            "<" | "lt" => Some(Self::Below),
            ">=" | "gte" => Some(Self::AtLeast),
            ">" | "gt" => Some(Self::Above),
            _ => None,
        }
    }

    /// The sign.
    pub fn sign(self) -> &'static str {
        match self {
            Self::AtMost => "<=",
            Self::Below => "<",
            Self::AtLeast => ">=",
            Self::Above => ">",
        }
    }

    /// Whether a value holds against a limit; NaN never does.
    pub fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Self::AtMost => value <= limit,
            Self::Below => value < limit,
            Self::AtLeast => value >= limit,
            Self::Above => value > limit,
        }
    }
}

/// Where the numbers come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Sli {
    /// Two counters read separately and joined here. Each text holds the placeholder `$window` as its only range and
    /// yields events in that range (an `increase`).
    Events {
        /// Bad events.
        bad: Bad,
        /// All events.
        total: String,
    },
    /// A value per time slice, compared with a threshold. The text has its ranges raised to the slice length.
    Slices {
        /// The value of one slice, in the metric's unit.
        value: String,
        /// How it compares.
        compare: Compare,
        /// The limit, in the metric's unit.
        threshold: f64,
        /// The slice length.
        slice: Span,
    },
    /// A ratio that could not be split: a mean of good ratios per slice, marked time-weighted.
    Opaque {
        /// The good ratio of one slice, 0..1.
        ratio: String,
        /// The slice length.
        slice: Span,
    },
    /// Made of other objectives: nothing is asked of a server for it, its reading comes from theirs.
    Composite(Composite),
}

/// How the parts of a composite become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Combine {
    /// Each part's burn rate times its weight, added up.
    Weighted,
    /// Bad wherever any part is.
    AnyBad,
}

/// An objective made of others.
#[derive(Clone, Debug, PartialEq)]
pub struct Composite {
    /// How its parts become one.
    pub combine: Combine,
    /// The parts and their weights (over 0; they need not add up to 1).
    pub parts: Vec<(SloId, f64)>,
}

/// The file format an objective came in, and what it is called there: recordings on the server carry these names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// Our own and the plain form.
    Own,
    /// The label `sloth_id`: `<service>-<name>`.
    Sloth(String),
    /// The label `slo` and the metrics of both sides, which name the recordings (`x:burnrate5m`, `x:increase30d`).
    Pyrra {
        /// `metadata.name`.
        name: String,
        /// The metric of the errors (or of the successes, for a latency).
        part: String,
        /// The metric of the total.
        total: String,
        /// The grouping labels of a row, which its recordings carry too; empty for everything else.
        group: Labels,
    },
    /// `metadata.name` of an OpenSLO object.
    OpenSlo(String),
    /// `metadata.name` of a slo-generator object.
    SloGenerator(String),
    /// The label `grafana_slo_uuid`.
    Grafana(String),
    /// A recording of the kubernetes-mixin by its `verb`: `read` or `write`.
    KubernetesMixin(String),
}

/// How bad events are obtained.
#[derive(Clone, Debug, PartialEq)]
pub enum Bad {
    /// Counted directly; a missing series means none.
    Counted(String),
    /// Total minus good; a missing good series means that all were bad.
    TotalMinus(String),
}

/// A policy string such as `halt_deployments_at_50_percent_burn`.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyRule {
    /// The text as written.
    pub text: String,
    /// `halt deployments`, and the share of budget consumed from which it applies; `None` when the text has another form.
    pub action: Option<(String, f64)>,
}

/// One row of the multi-window multi-burn-rate table.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertPair {
    /// `page` or `ticket`.
    pub severity: String,
    /// Long window.
    pub long: Window,
    /// Short window.
    pub short: Window,
    /// Burn rate over which both must be.
    pub factor: f64,
    /// How long both must be over it before the alert fires; zero for most.
    pub hold: Span,
}

/// What a time slice without data counts as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gap {
    /// It is left out.
    #[default]
    Ignored,
    /// Good.
    Good,
    /// Bad.
    Bad,
}

/// An objective.
#[derive(Clone, Debug, PartialEq)]
pub struct Objective {
    /// Its name.
    pub id: SloId,
    /// The service it belongs to; the `job` or `service` selector, else the first word of its name.
    pub service: String,
    /// How the target is to be read.
    pub kind: Kind,
    /// Share that must be good, 0..1 exclusive.
    pub target: f64,
    /// The rolling window; for a calendar budget the nominal length of its period.
    pub window: Span,
    /// The budget is that of a calendar period; `None` for a rolling window.
    pub period: Option<Period>,
    /// Where the numbers come from.
    pub sli: Sli,
    /// The source that is asked; `None` means the first one configured.
    pub source: Option<SourceName>,
    /// What happens at which consumption.
    pub policy: Option<PolicyRule>,
    /// Alert pairs; the standard four unless the file says otherwise.
    pub pairs: Vec<AlertPair>,
    /// A sentence in words: `p99 <= 0.5 in >= 99 % of 5m slices (assumed)`.
    pub says: String,
    /// The PromQL as written, for the detail view and the clipboard.
    pub written: String,
    /// `file:line` where it stands.
    pub declared: String,
    /// What its author says of it, raw; may be empty.
    pub description: String,
    /// What a time slice without data counts as; means nothing for events.
    pub gap: Gap,
    /// What it is called in its format.
    pub identity: Identity,
    /// Labels its file gives it; raw outside text.
    pub labels: Labels,
    /// Labels whose values on the server make one row each. An objective with any is a template: it is never measured
    /// itself, the rows that [`super::grouping`] pins from it are.
    pub grouping: Vec<String>,
    /// Bad events in the long window below which no pair fires.
    pub min_failures: Option<f64>,
}

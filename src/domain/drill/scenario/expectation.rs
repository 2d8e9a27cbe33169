//! What a scenario expects of the players, what must never happen, and when it is over. Values only.

use crate::domain::document::Mark;
use crate::domain::drill::scenario::{Hold, Milestone, Named};
use crate::domain::runbook::model::Risk;
use crate::domain::time::Span;

/// Something that is expected of the players.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// Its name.
    pub id: String,
    /// What.
    pub want: Want,
    /// How soon; any time before the end without it.
    pub within: Option<Span>,
    /// From when on the time counts.
    pub from: Since,
    /// What it is worth; below zero what it costs.
    pub points: i64,
    /// In words, for the report.
    pub say: String,
    /// Where it stands.
    pub mark: Mark,
}

/// From when on time counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Since {
    /// The first alert that is no red herring.
    #[default]
    Page,
    /// The beginning of the drill.
    Start,
    /// An inject.
    Inject(String),
}

/// What is expected.
#[derive(Clone, Debug, PartialEq)]
pub enum Want {
    /// A milestone.
    Reached(Milestone),
    /// An incident has this severity.
    Severity(String),
    /// Something is done, and it works.
    Action(String),
    /// A step of a runbook is ended as done.
    Step(String),
    /// A signal is well again: this holds for its time, after it did not hold.
    Well(Hold),
    /// This never happens.
    Never(Ban),
}

/// What must not happen.
#[derive(Clone, Debug, PartialEq)]
pub enum Ban {
    /// A command of this risk or a worse one is run.
    Risk(Risk),
    /// Something is done.
    Action(String),
    /// A signal is so at any time.
    Signal(Hold),
}

/// When it is over.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// An expectation was met.
    Met(Named),
    /// A milestone was reached.
    Reached(Milestone, Mark),
    /// A signal is well again.
    Well(Hold),
    /// At an instant.
    At(Span, Mark),
}

/// What a disaster recovery was meant to keep to.
#[derive(Clone, Debug, PartialEq)]
pub struct Recovery {
    /// Recovery time objective: from the first page until it works again.
    pub rto: Option<Span>,
    /// Recovery point objective: how much of the newest data may be lost.
    pub rpo: Option<Span>,
    /// When it works again; the players' own word counts without it.
    pub restored: Option<Hold>,
    /// The signal that says how many seconds of data are lost.
    pub data_loss: Option<Named>,
    /// Where it stands.
    pub mark: Mark,
}

//! What the commander's desk and the hand-off show.

use crate::app::present::view::{Bit, Pane, Sign, TimerRow, Tone};

/// The commander's desk of one incident.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BoardPage {
    /// `INC-… title`.
    pub title: String,
    /// `SEV1 mitigating`.
    pub state: String,
    /// Who commands, who is in, what is overdue, what comes next, what is not sent.
    pub facts: Vec<Vec<Bit>>,
    /// Its timers.
    pub timers: Vec<TimerRow>,
    /// Tasks: the open ones, then those that are over.
    pub tasks: Pane<BoardRow>,
    /// The playbook, all phases; the current phase first.
    pub checklist: Pane<BoardRow>,
    /// Decisions, the newest first.
    pub decisions: Pane<BoardRow>,
    /// Hypotheses, the open ones first.
    pub hypotheses: Pane<BoardRow>,
}

/// A row of the desk.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BoardRow {
    /// Page where it is overdue, ok where it is over.
    pub sign: Sign,
    /// `back in 08:20`, `proposed`, `confirmed`, `[x]`.
    pub state: String,
    /// What.
    pub text: String,
    /// Who.
    pub who: String,
    /// Its importance.
    pub tone: Tone,
}

/// What the next commander must know.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HandOffPage {
    /// `HAND-OFF INC-… title`.
    pub title: String,
    /// `SEV1 mitigating`.
    pub state: String,
    /// Headings and their lines.
    pub parts: Vec<(String, Vec<Bit>)>,
}

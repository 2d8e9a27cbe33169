//! Where an experiment can be on its way, and what that means for whoever looks at it. Decides nothing.

use super::doing::Doing;
use crate::domain::time::Timestamp;

/// Where it is.
#[derive(Clone, Debug, PartialEq)]
pub enum Phase {
    /// The world is asked.
    Preflight,
    /// A guard is looked at.
    Guard(usize),
    /// The steady state must hold, since then.
    Steady(Timestamp),
    /// A part of the method is to be confirmed.
    Confirm(usize),
    /// The environment is to be typed.
    Environment,
    /// The world is asked once more.
    Again,
    /// The method is being carried out.
    Method(Doing),
    /// The method is in force.
    Watching,
    /// What runs is being stopped, before the rollback; until then that is waited for.
    Stopping(Timestamp),
    /// It is being taken back.
    Rollback(Doing),
    /// The steady state must come back, since then.
    Recovery(Timestamp),
    /// A question.
    Question(usize),
    /// A run whose process is gone owes its rollback.
    Owed,
    /// Over.
    Over,
}

impl Phase {
    /// For people.
    pub fn words(&self) -> &'static str {
        match self {
            Self::Preflight | Self::Again => "preflight",
            Self::Guard(_) => "guards",
            Self::Steady(_) => "steady state before",
            Self::Confirm(_) | Self::Environment => "to be confirmed",
            Self::Method(_) => "method",
            Self::Watching => "in force, watching",
            Self::Stopping(_) => "stopping",
            Self::Rollback(_) => "ROLLING BACK",
            Self::Recovery(_) => "steady state after",
            Self::Question(_) => "questions",
            Self::Owed => "ROLLBACK PENDING",
            Self::Over => "over",
        }
    }

    /// Whether something may be in force that is to be taken back.
    pub fn in_force(&self) -> bool {
        matches!(self, Self::Method(_) | Self::Watching | Self::Stopping(_) | Self::Rollback(_) | Self::Owed)
    }

    /// Whether abort conditions end it now.
    pub(super) fn watched(&self) -> bool {
        matches!(self, Self::Method(_) | Self::Watching)
    }
}

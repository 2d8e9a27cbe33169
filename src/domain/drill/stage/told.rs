//! The log of a drill: what happened, in the words of the report. Holds outside text as it is; who prints it makes it
//! harmless.

use crate::domain::drill::scenario::{Act, Failing, Milestone, Shape, Tool};
use crate::domain::time::{Timestamp, compact, rfc3339};

/// A line of the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// When, on the drill's clock.
    pub at: Timestamp,
    /// What.
    pub what: Happened,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Happened {
    /// An inject came.
    Injected {
        /// Which.
        inject: String,
        /// What it does, in words.
        what: String,
        /// `clock` or `facilitator`.
        by: String,
    },
    /// An inject did not come.
    NotInjected {
        /// Which.
        inject: String,
        /// Why.
        why: String,
    },
    /// An alert fired.
    Fired(String),
    /// An alert is over.
    Cleared(String),
    /// A tool failed.
    Failed(Tool, Failing),
    /// A tool works again.
    Mended(Tool),
    /// Somebody said something.
    Said {
        /// Who.
        from: String,
        /// What.
        text: String,
    },
    /// The facilitator gave a hint.
    Hint {
        /// What.
        text: String,
        /// What it costs.
        points: i64,
    },
    /// What the facilitator did beside injects and hints, in words.
    Steered(String),
    /// A player sat down or left, in words.
    Seat(String),
    /// What the real world did to the drill, in words.
    RealWorld(String),
    /// The players reached a milestone.
    Reached {
        /// Which.
        milestone: Milestone,
        /// Who.
        actor: String,
    },
    /// A command ended.
    Ran {
        /// As it was shown.
        command: String,
        /// By whom.
        actor: String,
        /// Its exit code.
        exit: i32,
    },
    /// A command that the scenario has no answer for.
    Unmatched {
        /// As it was shown.
        command: String,
        /// By whom.
        actor: String,
    },
    /// A query that the scenario has no answer for.
    NotSimulated(String),
    /// It ended.
    Ended(String),
}

impl Happened {
    /// Its kind, one word.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Injected { .. } => "inject",
            Self::NotInjected { .. } => "no_inject",
            Self::Fired(_) => "alert",
            Self::Cleared(_) => "alert_over",
            Self::Failed(..) => "tool_fails",
            Self::Mended(_) => "tool_works",
            Self::Said { .. } => "message",
            Self::Hint { .. } => "hint",
            Self::Steered(_) => "steering",
            Self::Seat(_) => "player",
            Self::RealWorld(_) => "real_world",
            Self::Reached { .. } => "milestone",
            Self::Ran { .. } => "command",
            Self::Unmatched { .. } => "unmatched",
            Self::NotSimulated(_) => "not_simulated",
            Self::Ended(_) => "end",
        }
    }

    /// In words.
    pub fn words(&self) -> String {
        match self {
            Self::Injected { inject, what, by } if by == "clock" => format!("inject {inject}: {what}"),
            Self::Injected { inject, what, by } => format!("inject {inject}: {what} (by the {by})"),
            Self::NotInjected { inject, why } => format!("inject {inject} did not come: {why}"),
            Self::Fired(alert) => format!("{alert} fires"),
            Self::Cleared(alert) => format!("{alert} is over"),
            Self::Failed(tool, how) => format!("{} fails: {}", tool.word(), how.word().replace('_', " ")),
            Self::Mended(tool) => format!("{} works again", tool.word()),
            Self::Said { from, text } => format!("{from}: {text}"),
            Self::Hint { text, points } => format!("hint (costs {points}): {text}"),
            Self::Steered(what) => format!("the facilitator {what}"),
            Self::Seat(what) | Self::RealWorld(what) => what.clone(),
            Self::Reached { milestone, actor } => format!("{} by {actor}", milestone.word()),
            Self::Ran { command, actor, exit } => format!("`{command}` by {actor}: exit {exit}"),
            Self::Unmatched { command, actor } => format!("`{command}` by {actor}: nobody thought of it"),
            Self::NotSimulated(promql) => format!("query not simulated: `{promql}`"),
            Self::Ended(why) => format!("the drill ends: {why}"),
        }
    }
}

impl Entry {
    /// As one JSON object.
    pub fn json(&self) -> serde_json::Value {
        serde_json::json!({"at": rfc3339(self.at), "kind": self.what.kind(), "text": self.what.words()})
    }
}

/// What an act does, in words.
pub fn words(act: &Act) -> String {
    match act {
        Act::Signal(change) => {
            let how = match &change.shape {
                Shape::Const(value) => format!("is {value}"),
                Shape::Ramp { to, over } => format!("goes to {to} in {}", compact(*over)),
                Shape::Sine { middle, amplitude, period } => {
                    format!("swings {amplitude} around {middle} every {}", compact(*period))
                }
                Shape::Recorded(_) | Shape::File { .. } => "goes as recorded".to_owned(),
            };
            format!("{} {how}", change.signal)
        }
        Act::Alert { alert, red_herring: true, .. } => format!("{alert} fires (a red herring)"),
        Act::Alert { alert, .. } => format!("{alert} fires"),
        Act::Clear(alert) => format!("{alert} is over"),
        Act::Message { from, text } => format!("{from} says: {text}"),
        Act::Fail { tool, how, for_ } => {
            let long = for_.map(|span| format!(" for {}", compact(span))).unwrap_or_default();
            format!("{} is {}{long}", tool.word(), how.word().replace('_', " "))
        }
        Act::Mend(tool) => format!("{} works again", tool.word()),
    }
}

//! What an incident is made of, as folded: its alerts, the walks through runbooks, commands, decisions about timers, what
//! left the house, what is to be done afterwards.

use crate::domain::ids::{SourceName, StepId};
use crate::domain::incident::event::{Answer, CommandFinish, CommandStart, EventKey, StepEnd};
use crate::domain::labels::Labels;
use crate::domain::outward::capability::Capability;
use crate::domain::outward::entry::Ending;
use crate::domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// An alert that belongs to an incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinkedAlert {
    /// Its name.
    pub name: String,
    /// Its labels when it was linked; values for commands come from here.
    pub labels: Labels,
    /// When it began to fire.
    pub started_at: Timestamp,
    /// `firing`, `ended`, `silenced` …
    pub state: String,
    /// How often it changed; names the next change, so that two cockpits record it once.
    #[serde(default)]
    pub changes: u32,
    /// How often it was recorded that an annotation says something else.
    #[serde(default)]
    pub reworded: u32,
}

/// Where a person is in a runbook.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Walk {
    /// The runbook's name when it was opened.
    pub name: String,
    /// How many steps it had.
    pub total: usize,
    /// SHA-256 (hex) of its file when it was opened.
    pub sha256: String,
    /// Steps that are not open, with who ended them and when.
    pub steps: BTreeMap<StepId, StepMark>,
    /// Answers by step and check.
    pub answers: BTreeMap<StepId, BTreeMap<usize, Answer>>,
    /// Options chosen by step.
    pub chosen: BTreeMap<StepId, BTreeSet<usize>>,
    /// The last step that was touched.
    pub last: Option<StepId>,
    /// How often each check was answered, by step.
    #[serde(default)]
    pub rounds: BTreeMap<StepId, BTreeMap<usize, u32>>,
    /// Values that were given; `None` is secret and known to nobody but the cockpit it was typed at.
    #[serde(default)]
    pub given: BTreeMap<String, Option<String>>,
    /// Values that commands gave.
    #[serde(default)]
    pub captured: BTreeMap<String, String>,
    /// When the guard was looked at last, whether it held, and what it found.
    #[serde(default)]
    pub guard: Option<(Timestamp, bool, String)>,
}

impl Walk {
    /// Steps that were done, skipped or failed.
    pub fn ended(&self) -> usize {
        self.steps.len()
    }
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepMark {
    /// How.
    pub end: StepEnd,
    /// By whom.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

/// A command of this incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommandRun {
    /// How it began.
    pub start: CommandStart,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub actor: String,
    /// How it ended; `None` is running, or unknown after a crash.
    pub finish: Option<CommandFinish>,
}

/// What was decided about a timer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Default)]
pub struct TimerMark {
    /// When it was recorded as due.
    pub due: Option<Timestamp>,
    /// Until when it is put off.
    pub snoozed: Option<Timestamp>,
    /// Not needed, and why.
    pub dismissed: Option<String>,
    /// Who was told.
    pub escalated: Option<String>,
}

/// Something that was to leave the house for this incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outside {
    /// To which target.
    pub target: SourceName,
    /// What it was for.
    pub capability: Capability,
    /// What it was, in words.
    pub words: String,
    /// When it was decided.
    pub at: Timestamp,
    /// How it ended; `None` is still on its way.
    pub end: Option<Ending>,
    /// What of the incident it is about, where one word tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
}

/// What an action item does about the next time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionType {
    /// Somebody notices sooner.
    Detect,
    /// It does not happen.
    Prevent,
    /// It hurts less, or shorter.
    Mitigate,
    /// People work together better.
    Process,
}

impl ActionType {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Detect, Self::Prevent, Self::Mitigate, Self::Process];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Detect => "detect",
            Self::Prevent => "prevent",
            Self::Mitigate => "mitigate",
            Self::Process => "process",
        }
    }
}

/// An item to do afterwards.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActionItem {
    /// The event it came from.
    pub key: EventKey,
    /// What.
    pub text: String,
    /// Who.
    pub owner: Option<String>,
    /// By when, as written.
    pub due: Option<String>,
    /// What it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub does: Option<ActionType>,
}

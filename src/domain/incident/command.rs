//! A command in the record: exactly what was confirmed and began, and how it ended.

use crate::domain::incident::change::ChangePlan;
use crate::domain::incident::event::At;
use serde::{Deserialize, Serialize};

/// A command that was started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommandStart {
    /// Names this run; its end carries the same.
    pub run: String,
    /// Where it belongs.
    pub place: At,
    /// The text as shown and confirmed.
    pub command: String,
    /// Exactly what ran.
    pub argv: Vec<String>,
    /// Names and values of the variables given to it.
    pub env: Vec<(String, String)>,
    /// On which host.
    pub host: String,
    /// As whom.
    pub user: String,
    /// Time limit in seconds.
    pub timeout_s: u64,
    /// SHA-256 (hex) over argv and env: what was confirmed is what ran.
    pub sha256: String,
    /// Its id in the runbook; empty in records of before.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// What it is for, when it is not the thing itself: `guard`, `before`, `dry_run`, `rollback`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// What it may do: `read`, `change`, `unknown`, `destroy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<String>,
    /// Where else than on the host of the cockpit it runs: `edge-bastion over ssh`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// What the guard found, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// The second person's approval that it used up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<String>,
    /// What it changes and how that is taken back; none for what only looks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Box<ChangePlan>>,
}

/// A command that ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommandFinish {
    /// Which run.
    pub run: String,
    /// Its exit code.
    pub exit: Option<i32>,
    /// Why it has none.
    pub reason: Option<String>,
    /// Milliseconds it ran.
    pub took_ms: u64,
    /// Bytes it wrote.
    pub bytes: u64,
    /// SHA-256 (hex) of its output.
    pub sha256: String,
    /// The last lines of its output, sanitised.
    pub excerpt: Vec<String>,
    /// Whether its exit code is one that the runbook takes for success; `None` in records of before, and when the result
    /// is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ok: Option<bool>,
    /// It never began: nothing was changed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub never: bool,
    /// A private file with more of its output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

//! One write to somebody else's system, as it is recorded before it is sent.

use crate::domain::ids::SourceName;
use crate::domain::outward::capability::Class;
use crate::domain::outward::intent::Intent;
use crate::domain::time::{Span, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// An operation's id: that of the event that recorded it (UUIDv7), given by the record. The idempotency key of everything
/// that is sent for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OpId(pub String);

impl OpId {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OpId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<&str> for OpId {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// What the person saw when it was decided. An adapter that reads before it writes compares; a difference is a
/// [`Conflict`](crate::domain::outward::outcome::Outcome::Conflict), never an overwrite.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    /// The status, as a word of the target.
    #[serde(default)]
    pub status: Option<String>,
    /// When it had changed last.
    #[serde(default)]
    pub updated_at: Option<Timestamp>,
    /// Who had it, by id there.
    #[serde(default)]
    pub assigned: Vec<String>,
}

/// A write to a target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// Its id; empty until the record gave it one.
    pub id: OpId,
    /// The target, by its name in the configuration.
    pub target: SourceName,
    /// What is to be done.
    pub intent: Intent,
    /// What was seen there when it was decided.
    #[serde(default)]
    pub expected: Expected,
    /// How often it may be sent.
    pub class: Class,
    /// What it is about beside its intent: which event it tells of, which part of a room it makes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// When it was decided.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// Milliseconds it waits for `u` before it goes out.
    pub hold_ms: u64,
    /// Milliseconds after which a person is asked instead of trying on.
    pub patience_ms: u64,
}

impl Operation {
    /// An operation that was decided now.
    pub fn new(target: SourceName, intent: Intent, class: Class, at: Timestamp, by: impl Into<String>) -> Self {
        let patience_ms = u64::try_from(intent.patience().num_milliseconds()).unwrap_or(0);
        Self {
            id: OpId::default(),
            target,
            intent,
            expected: Expected::default(),
            class,
            about: None,
            created_at: at,
            created_by: by.into(),
            hold_ms: 0,
            patience_ms,
        }
    }

    /// The same with what was seen there.
    pub fn expecting(mut self, expected: Expected) -> Self {
        self.expected = expected;
        self
    }

    /// The same, about something.
    pub fn about(mut self, about: impl Into<String>) -> Self {
        self.about = Some(about.into());
        self
    }

    /// The same, held so long for `u`; what is [`Intent::immediate`] never waits.
    pub fn held(mut self, hold: Span) -> Self {
        let hold = if self.intent.immediate() { Span::zero() } else { hold };
        self.hold_ms = u64::try_from(hold.num_milliseconds()).unwrap_or(0);
        self
    }

    /// How long it waits for `u`.
    pub fn hold(&self) -> Span {
        span(self.hold_ms)
    }

    /// How long it is tried before a person is asked.
    pub fn patience(&self) -> Span {
        span(self.patience_ms)
    }

    /// The text that finds its effect again where the target has no keys: `[mw:0197…]`.
    pub fn marker(&self) -> String {
        format!("[mw:{}]", self.id)
    }
}

fn span(ms: u64) -> Span {
    Span::try_milliseconds(i64::try_from(ms).unwrap_or(i64::MAX)).unwrap_or(Span::MAX)
}

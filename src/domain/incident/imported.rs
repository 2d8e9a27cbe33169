//! What was said or done elsewhere and was taken in from there: a chat, a pager's log, a journal, a table. Its event's
//! actor is who took it in; who said it is in here. It moves no clock and no status of the incident: it is told, not done.

use serde::{Deserialize, Serialize};

/// One thing that was taken in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    /// From where: `chat`, `slack`, `csv`, `pagerduty`, `journal`, `jsonl`.
    pub from: String,
    /// What it was there.
    #[serde(default)]
    pub act: Act,
    /// Who said or did it, as named there; empty when nobody is named.
    #[serde(default)]
    pub who: String,
    /// The text.
    pub text: String,
    /// Its id there, by which it is taken in once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its kind there, where that is none of [`Act`]: `decision` in a timeline that was exported before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<String>,
    /// The zone that a person stated, where its time had none: `Europe/Berlin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

/// What it was where it came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Something that was said.
    #[default]
    Message,
    /// Somebody was paged.
    Page,
    /// Somebody took it.
    Ack,
    /// Nobody has it any more.
    Unack,
    /// The next one was asked.
    Escalated,
    /// It was put off.
    Snoozed,
    /// It was over there.
    Resolved,
    /// It became part of another one.
    Merged,
    /// Anything else that a machine wrote.
    Other,
}

impl Act {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Message,
        Self::Page,
        Self::Ack,
        Self::Unack,
        Self::Escalated,
        Self::Snoozed,
        Self::Resolved,
        Self::Merged,
        Self::Other,
    ];

    /// Its kind in the timeline. Ends that came from elsewhere are told apart from our own.
    pub fn word(self) -> &'static str {
        match self {
            Self::Message => "import",
            Self::Page => "page",
            Self::Ack => "ack",
            Self::Unack => "unack",
            Self::Escalated => "import.escalated",
            Self::Snoozed => "snoozed",
            Self::Resolved => "import.resolved",
            Self::Merged => "merged",
            Self::Other => "import.event",
        }
    }

    /// The act of such a word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.word() == word)
    }
}

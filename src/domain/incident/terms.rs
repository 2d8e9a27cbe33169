//! The words of an incident: roles, where it stands, what a line of text is, how a check is answered. Each has one word in
//! commands, JSON and files.

use serde::{Deserialize, Serialize};

/// A role in an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Leads.
    Commander,
    /// Tells others.
    Comms,
    /// Turns the screws.
    Operations,
    /// Keeps the record.
    Scribe,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Commander, Self::Comms, Self::Operations, Self::Scribe];

    /// Its word in commands and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Commander => "commander",
            Self::Comms => "comms",
            Self::Operations => "operations",
            Self::Scribe => "scribe",
        }
    }
}

/// Where an incident stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Looking for the cause.
    Investigating,
    /// Cause known.
    Identified,
    /// Acting on it.
    Mitigating,
    /// Watching whether it holds.
    Monitoring,
    /// Over.
    Resolved,
}

impl Status {
    /// All of them, in the order they usually come.
    pub const ALL: [Self; 5] =
        [Self::Investigating, Self::Identified, Self::Mitigating, Self::Monitoring, Self::Resolved];

    /// Its word in commands and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Investigating => "investigating",
            Self::Identified => "identified",
            Self::Mitigating => "mitigating",
            Self::Monitoring => "monitoring",
            Self::Resolved => "resolved",
        }
    }
}

/// What a line of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteKind {
    /// Something seen or done.
    Note,
    /// Something decided.
    Decision,
    /// A guess at the cause.
    Hypothesis,
    /// A fact found.
    Finding,
}

impl NoteKind {
    /// Its word in commands and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Decision => "decision",
            Self::Hypothesis => "hypothesis",
            Self::Finding => "finding",
        }
    }
}

/// An answer to a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Yes.
    Yes,
    /// No.
    No,
    /// Cannot tell.
    Unsure,
}

impl Answer {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unsure => "unsure",
        }
    }
}

//! Tickets of a tracker: what is left to do after an incident, where the team plans its work.

use crate::domain::outward::capability::Capability;
use serde::{Deserialize, Serialize};

/// A ticket as it was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// Its id there.
    pub id: String,
    /// What people call it: `OPS-42`, `#17`.
    pub key: String,
    /// Its title; outside text.
    pub title: String,
    /// Its state as a word there.
    pub state: String,
    /// Its page.
    pub url: Option<String>,
}

/// Writes to the tracker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum TicketWrite {
    /// Open one; `marker` is a word that finds it again (a label, or text in its body). Due is a date (`2026-05-08`).
    Create {
        title: String,
        body: String,
        marker: String,
        labels: Vec<String>,
        owner: Option<String>,
        due: Option<String>,
    },
}

impl TicketWrite {
    /// What a target must be able to do for it.
    pub fn capability(&self) -> Capability {
        match self {
            Self::Create { .. } => Capability::CreateTicket,
        }
    }

    /// In words.
    pub fn words(&self) -> String {
        match self {
            Self::Create { title, .. } => format!("ticket: {title}"),
        }
    }
}

//! Notices on a public status page. Each write is read by customers.

use crate::domain::outward::capability::Capability;
use crate::domain::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A part of the service that the page lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    /// Its id there.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `operational`, `degraded_performance`, `partial_outage`, `major_outage`, or another word.
    pub status: String,
}

/// An open notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Its id there.
    pub id: String,
    /// Its title; outside text.
    pub title: String,
    /// `investigating`, `identified`, `monitoring`, `resolved`, or another word.
    pub status: String,
    /// `none`, `minor`, `major`, `critical`, or another word.
    pub impact: Option<String>,
    /// When it changed last.
    pub updated_at: Option<Timestamp>,
    /// Its page.
    pub url: Option<String>,
}

/// Writes to the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum StatusWrite {
    /// A new notice; the outcome's reference carries its id.
    Open { title: String, status: String, body: String, impact: Option<String>, components: Vec<(String, String)> },
    /// One more entry to a notice; `status` `resolved` ends it.
    Update { notice: String, status: String, body: String, components: Vec<(String, String)> },
}

impl StatusWrite {
    /// What a target must be able to do for it.
    pub fn capability(&self) -> Capability {
        match self {
            Self::Open { .. } => Capability::OpenNotice,
            Self::Update { .. } => Capability::UpdateNotice,
        }
    }

    /// In words.
    pub fn words(&self) -> String {
        match self {
            Self::Open { title, status, .. } => format!("publish {status}: {title}"),
            Self::Update { status, body, .. } => format!("publish {status}: {body}"),
        }
    }
}

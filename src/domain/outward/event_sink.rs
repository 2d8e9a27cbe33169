//! Alarms and changes for an event sink (PagerDuty Events, a generic webhook): fire and remember the key.

use crate::domain::outward::capability::Capability;
use crate::domain::time::Timestamp;
use serde::{Deserialize, Serialize};

/// An alarm to raise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// Joins with an open alarm of the same key; at most 255 bytes.
    pub dedup_key: String,
    /// A few words, at most 1024 characters.
    pub summary: String,
    /// What it is about: a service, a host.
    pub source: String,
    /// `critical`, `error`, `warning` or `info`.
    pub severity: String,
    /// More, in the order given.
    pub details: Vec<(String, String)>,
    /// Links: address and text.
    pub links: Vec<(String, String)>,
}

/// Writes to the sink.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum EventWrite {
    /// Raise an alarm: somebody is paged.
    Trigger(Alarm),
    /// Somebody has it.
    Acknowledge { dedup_key: String },
    /// It is over.
    Resolve { dedup_key: String },
    /// Tell of a change.
    Change { summary: String, source: Option<String>, at: Timestamp, details: Vec<(String, String)> },
}

impl EventWrite {
    /// What a target must be able to do for it.
    pub fn capability(&self) -> Capability {
        match self {
            Self::Trigger(_) => Capability::Trigger,
            Self::Acknowledge { .. } => Capability::AcknowledgeAlarm,
            Self::Resolve { .. } => Capability::ResolveAlarm,
            Self::Change { .. } => Capability::SendChange,
        }
    }

    /// In words.
    pub fn words(&self) -> String {
        match self {
            Self::Trigger(alarm) => format!("page the on-call: {}", alarm.summary),
            Self::Acknowledge { dedup_key } => format!("acknowledge the alarm {dedup_key}"),
            Self::Resolve { dedup_key } => format!("end the alarm {dedup_key}"),
            Self::Change { summary, .. } => format!("change: {summary}"),
        }
    }
}

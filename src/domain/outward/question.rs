//! What the cockpit asks targets from time to time, and what they answer.

use crate::domain::outward::annotation::Annotation;
use crate::domain::outward::backend::{BackendAlert, BackendIncident, Change, LogEntry, OnCall, Priority};
use crate::domain::outward::capability::Capability;
use crate::domain::outward::chat::{ChatMessage, Volunteer};
use crate::domain::outward::silence::Silence;
use crate::domain::outward::status_page::{Component, Notice};
use crate::domain::outward::ticket::Ticket;
use crate::domain::time::Timestamp;

/// A question to a target.
#[derive(Clone, Debug, PartialEq)]
pub enum Question {
    /// All open incidents.
    Incidents,
    /// One incident.
    Incident(String),
    /// What happened to one since then.
    Log(String, Option<Timestamp>),
    /// The alerts in one.
    Alerts(String),
    /// Who is on call, by service where given.
    OnCall(Option<String>),
    /// The priorities that can be set.
    Priorities,
    /// Changes between two instants.
    Changes(Timestamp, Timestamp),
    /// Who reacted to a message of a room.
    Volunteers(String, String),
    /// What was written in a room since then.
    Messages(String, Timestamp),
    /// Open notices and components.
    Notices,
    /// The ticket of a marker.
    Ticket(String),
    /// Marks between two instants with these tags.
    Annotations(Timestamp, Timestamp, Vec<String>),
    /// Silences.
    Silences,
}

/// Its answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Open incidents.
    Incidents(Vec<BackendIncident>),
    /// One incident.
    Incident(Box<BackendIncident>),
    /// Its log, oldest first.
    Log(Vec<LogEntry>),
    /// Its alerts.
    Alerts(Vec<BackendAlert>),
    /// Who is on call.
    OnCall(Vec<OnCall>),
    /// Priorities.
    Priorities(Vec<Priority>),
    /// Changes.
    Changes(Vec<Change>),
    /// Volunteers.
    Volunteers(Vec<Volunteer>),
    /// Messages, oldest first.
    Messages(Vec<ChatMessage>),
    /// Notices and components.
    Notices(Vec<Notice>, Vec<Component>),
    /// A ticket, if there is one.
    Ticket(Option<Ticket>),
    /// Marks.
    Annotations(Vec<Annotation>),
    /// Silences.
    Silences(Vec<Silence>),
}

impl Question {
    /// What a target must be able to do to answer it.
    pub fn capability(&self) -> Capability {
        match self {
            Self::Incidents | Self::Incident(_) => Capability::ReadIncidents,
            Self::Log(..) => Capability::ReadLog,
            Self::Alerts(_) => Capability::ReadAlerts,
            Self::OnCall(_) => Capability::ReadOnCall,
            Self::Priorities => Capability::ReadPriorities,
            Self::Changes(..) => Capability::ReadChanges,
            Self::Volunteers(..) => Capability::ReadVolunteers,
            Self::Messages(..) => Capability::ReadMessages,
            Self::Notices => Capability::ReadNotices,
            Self::Ticket(_) => Capability::FindTicket,
            Self::Annotations(..) => Capability::ReadAnnotations,
            Self::Silences => Capability::ReadSilences,
        }
    }
}

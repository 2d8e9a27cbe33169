//! One deadline of an incident, as it stands at an instant. It prompts; it never acts.

use crate::domain::ids::{IncidentId, TimerId};
use crate::domain::time::{Timestamp, rfc3339};

/// What a timer waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimerKind {
    /// A paging service expects an acknowledgement. Comes from that service; none is derived from the severity table.
    Acknowledge,
    /// What a paging product will do by itself: escalate, take an acknowledgement back. Told by it, never derived.
    Backend,
    /// The first act of a person.
    Response,
    /// The first notice to stakeholders.
    Stakeholders,
    /// The next status update.
    Update,
    /// A rung of the runbook's escalation.
    Escalation,
    /// Somebody who leads, in an incident that pages.
    Commander,
    /// A task whose owner comes back.
    Task,
    /// The forecast end of an error budget.
    Exhaustion,
    /// The postmortem draft.
    Postmortem,
}

impl TimerKind {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Acknowledge,
        Self::Backend,
        Self::Response,
        Self::Stakeholders,
        Self::Update,
        Self::Escalation,
        Self::Commander,
        Self::Task,
        Self::Exhaustion,
        Self::Postmortem,
    ];

    /// Its word in JSON and in timer ids.
    pub fn word(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Backend => "backend",
            Self::Response => "response",
            Self::Stakeholders => "stakeholders",
            Self::Update => "update",
            Self::Escalation => "escalation",
            Self::Commander => "commander",
            Self::Task => "task",
            Self::Exhaustion => "exhaustion",
            Self::Postmortem => "postmortem",
        }
    }
}

/// Where a timer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimerState {
    /// Its time has not come.
    Running,
    /// Its time has come and nobody has dealt with it.
    Due,
    /// What it waited for has happened.
    Done,
    /// It is not needed: dismissed, or the incident moved on.
    Cancelled,
    /// A person put it off.
    Snoozed,
}

impl TimerState {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Running, Self::Due, Self::Done, Self::Cancelled, Self::Snoozed];

    /// Its word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Due => "due",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Snoozed => "snoozed",
        }
    }

    /// Whether it still asks for attention, now or later.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Running | Self::Due | Self::Snoozed)
    }
}

/// A deadline as it stands at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timer {
    /// The same in every cockpit that knows the same events.
    pub id: TimerId,
    /// Of which incident.
    pub incident: IncidentId,
    /// What it waits for.
    pub kind: TimerKind,
    /// What it waits for, in a few words; may hold raw outside text.
    pub label: String,
    /// When it falls due; for a snoozed one, when it comes back.
    pub due_at: Timestamp,
    /// Where it stands.
    pub state: TimerState,
    /// Whom it is about.
    pub contact: Option<String>,
    /// What happens when it falls due, in words.
    pub then: String,
    /// Until when a person put it off last; may lie in the past.
    pub put_off: Option<Timestamp>,
    /// That it fell due is in the record since it was last put off.
    pub recorded: bool,
}

impl Timer {
    /// The key under which the record holds its falling due once, however many cockpits see it and whatever their own
    /// policies say. A timer that was put off falls due again under another key.
    pub fn once(&self) -> String {
        match self.put_off {
            Some(until) => format!("due:{}@{}", self.id, rfc3339(until)),
            None => format!("due:{}", self.id),
        }
    }
}

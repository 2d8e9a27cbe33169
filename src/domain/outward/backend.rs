//! Incidents of a paging product (PagerDuty, GoAlert, incident.io …) as we read and write them. Tolerant: what a product
//! adds tomorrow is kept as text, what it leaves out is `None`.

use crate::domain::outward::capability::Capability;
use crate::domain::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Where an incident stands there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackendStatus {
    /// Nobody has it.
    Triggered,
    /// Somebody has it.
    Acknowledged,
    /// It is over.
    Resolved,
    /// A word of the product that we do not know.
    #[serde(untagged)]
    Other(String),
}

impl BackendStatus {
    /// Its word.
    pub fn word(&self) -> &str {
        match self {
            Self::Triggered => "triggered",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
            Self::Other(word) => word,
        }
    }

    /// The status of a word.
    pub fn from_word(word: &str) -> Self {
        match word {
            "triggered" => Self::Triggered,
            "acknowledged" => Self::Acknowledged,
            "resolved" => Self::Resolved,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// A person or a group there.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Party {
    /// Its id there.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its address, where told.
    #[serde(default)]
    pub email: Option<String>,
    /// Its zone by IANA name, where told: what time is it for them.
    #[serde(default)]
    pub time_zone: Option<String>,
}

/// Something that the product will do by itself. The true time of the next escalation: never computed by us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingAction {
    /// `escalate`, `unacknowledge`, `resolve`, `urgency_change`, or another word.
    pub action: String,
    /// When.
    pub at: Timestamp,
}

/// An incident there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BackendIncident {
    /// Its id there.
    pub id: String,
    /// The number people say, where it has one.
    pub number: Option<String>,
    /// Its title; outside text.
    pub title: String,
    /// Where it stands.
    pub status: BackendStatus,
    /// `high`, `low`, or another word.
    pub urgency: Option<String>,
    /// Its priority's name.
    pub priority: Option<String>,
    /// Its service.
    pub service: Option<Party>,
    /// Who is assigned.
    pub assigned: Vec<Party>,
    /// Who acknowledged, and when.
    pub acknowledged_by: Vec<(Party, Option<Timestamp>)>,
    /// Its escalation policy.
    pub policy: Option<Party>,
    /// The level of the policy it is at, from 1.
    pub level: Option<u32>,
    /// When it began.
    pub created_at: Option<Timestamp>,
    /// When it changed last: the version for comparing.
    pub updated_at: Option<Timestamp>,
    /// What will happen by itself.
    pub pending: Vec<PendingAction>,
    /// Its key for deduplication.
    pub key: Option<String>,
    /// Alerts in it, where counted.
    pub alerts: Option<u32>,
    /// Its page; outside text.
    pub url: Option<String>,
    /// A room or bridge named on it.
    pub bridge: Option<String>,
    /// After how many seconds an acknowledgement ends by itself; 0 is never, `None` is not known.
    #[serde(default)]
    pub ack_timeout_s: Option<u64>,
    /// It was given to its people directly, so that it does not escalate; `None` is not known.
    #[serde(default)]
    pub direct: Option<bool>,
    /// It was merged into this one.
    #[serde(default)]
    pub merged_into: Option<String>,
}

impl BackendIncident {
    /// Whether a person means it: by its id, or by its number with or without `#`.
    pub fn is(&self, typed: &str) -> bool {
        let plain = typed.trim_start_matches('#');
        self.id == typed || self.number.as_ref().is_some_and(|number| number.trim_start_matches('#') == plain)
    }

    /// One of which only id, title and status are known.
    pub fn new(id: impl Into<String>, title: impl Into<String>, status: BackendStatus) -> Self {
        Self {
            id: id.into(),
            number: None,
            title: title.into(),
            status,
            urgency: None,
            priority: None,
            service: None,
            assigned: Vec::new(),
            acknowledged_by: Vec::new(),
            policy: None,
            level: None,
            created_at: None,
            updated_at: None,
            pending: Vec::new(),
            key: None,
            alerts: None,
            url: None,
            bridge: None,
            ack_timeout_s: None,
            direct: None,
            merged_into: None,
        }
    }
}

/// One line of an incident's log there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogEntry {
    /// Its id there; names it once in our record.
    pub id: String,
    /// When it happened.
    pub at: Timestamp,
    /// `acknowledge`, `escalate`, `notify` … or another word of the product.
    pub kind: String,
    /// Who.
    pub actor: Option<String>,
    /// Who, by id there.
    #[serde(default)]
    pub actor_id: Option<String>,
    /// The product did it by itself, such as an escalation whose time had come.
    #[serde(default)]
    pub by_itself: bool,
    /// In words; outside text.
    pub text: String,
}

/// Who is on call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OnCall {
    /// Who.
    pub person: Party,
    /// By which policy.
    pub policy: Option<Party>,
    /// By which schedule; `None` is a permanent one.
    pub schedule: Option<Party>,
    /// Level of the policy, from 1.
    pub level: Option<u32>,
    /// From when; `None` is always.
    pub start: Option<Timestamp>,
    /// Until when; `None` is always.
    pub end: Option<Timestamp>,
}

/// Who we are there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Me {
    /// The person of a personal token; `None` for the token of an account or a bot.
    pub person: Option<Party>,
    /// `account`, `user`, `bot`, or another word.
    pub token: String,
}

/// A change that somebody made: a deployment, a setting, a migration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Its id where it was read; names it once.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// In words; outside text.
    pub summary: String,
    /// What it changed.
    pub service: Option<String>,
    /// Who.
    pub author: Option<String>,
    /// Its page.
    pub url: Option<String>,
}

/// An alert inside an incident there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BackendAlert {
    /// Its id there.
    pub id: String,
    /// Its summary; outside text.
    pub summary: String,
    /// `critical`, `error`, `warning`, `info`, or another word.
    pub severity: Option<String>,
    /// Where it stands.
    pub status: BackendStatus,
    /// Its key, for finding the alert of ours.
    pub key: Option<String>,
    /// Labels, where its body could be read as such.
    pub labels: Vec<(String, String)>,
    /// When it began.
    pub created_at: Option<Timestamp>,
}

/// A priority that can be set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Priority {
    /// Its id there.
    pub id: String,
    /// Its name, such as `P1`.
    pub name: String,
}

/// Writes to incidents there. `incident` is the id there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum BackendWrite {
    /// Take it.
    Acknowledge { incident: String },
    /// Give it back.
    Unacknowledge { incident: String },
    /// End it.
    Resolve { incident: String, resolution: Option<String> },
    /// Give it to these people, by their ids there; they are notified.
    Reassign { incident: String, to: Vec<Party> },
    /// Send it to this level of its policy, from 1.
    Escalate { incident: String, level: u32 },
    /// Keep it quiet for so many seconds.
    Snooze { incident: String, seconds: u64 },
    /// Join these into it.
    Merge { incident: String, sources: Vec<String> },
    /// Add a line of text.
    Note { incident: String, text: String },
    /// Set its priority.
    SetPriority { incident: String, priority: Priority },
    /// Set its title.
    SetTitle { incident: String, title: String },
    /// Open one. Pages whoever is on call for the service; the key of the operation names it.
    Declare { title: String, service: Option<Party>, urgency: Option<String>, priority: Option<Priority>, body: String },
    /// Page these people or policies, by their ids there.
    RequestResponders { incident: String, people: Vec<Party>, message: String },
    /// Tell its subscribers.
    StatusUpdate { incident: String, subject: Option<String>, message: String },
}

impl BackendWrite {
    /// What a target must be able to do for it.
    pub fn capability(&self) -> Capability {
        match self {
            Self::Acknowledge { .. } => Capability::Acknowledge,
            Self::Unacknowledge { .. } => Capability::Unacknowledge,
            Self::Resolve { .. } => Capability::Resolve,
            Self::Reassign { .. } => Capability::Reassign,
            Self::Escalate { .. } => Capability::Escalate,
            Self::Snooze { .. } => Capability::Snooze,
            Self::Merge { .. } => Capability::Merge,
            Self::Note { .. } => Capability::Note,
            Self::SetPriority { .. } => Capability::SetPriority,
            Self::SetTitle { .. } => Capability::SetTitle,
            Self::Declare { .. } => Capability::Declare,
            Self::RequestResponders { .. } => Capability::RequestResponders,
            Self::StatusUpdate { .. } => Capability::StatusUpdate,
        }
    }

    /// The incident there that it is about; `None` for one that is still to be opened.
    pub fn incident(&self) -> Option<&str> {
        match self {
            Self::Acknowledge { incident }
            | Self::Unacknowledge { incident }
            | Self::Resolve { incident, .. }
            | Self::Reassign { incident, .. }
            | Self::Escalate { incident, .. }
            | Self::Snooze { incident, .. }
            | Self::Merge { incident, .. }
            | Self::Note { incident, .. }
            | Self::SetPriority { incident, .. }
            | Self::SetTitle { incident, .. }
            | Self::RequestResponders { incident, .. }
            | Self::StatusUpdate { incident, .. } => Some(incident),
            Self::Declare { .. } => None,
        }
    }

    /// In words; outside text may be in it.
    pub fn words(&self) -> String {
        let names = |people: &[Party]| people.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(", ");
        match self {
            Self::Acknowledge { incident } => format!("acknowledge {incident}"),
            Self::Unacknowledge { incident } => format!("give {incident} back"),
            Self::Resolve { incident, .. } => format!("resolve {incident}"),
            Self::Reassign { incident, to } => format!("give {incident} to {}", names(to)),
            Self::Escalate { incident, level } => format!("escalate {incident} to level {level}"),
            Self::Snooze { incident, seconds } => format!("snooze {incident} for {} min", seconds.div_ceil(60)),
            Self::Merge { incident, sources } => format!("merge {} into {incident}", sources.join(", ")),
            Self::Note { incident, text } => format!("note on {incident}: {text}"),
            Self::SetPriority { incident, priority } => format!("priority of {incident}: {}", priority.name),
            Self::SetTitle { incident, title } => format!("title of {incident}: {title}"),
            Self::Declare { title, service, .. } => match service {
                Some(service) => format!("page the on-call of {}: {title}", service.name),
                None => format!("open an incident: {title}"),
            },
            Self::RequestResponders { incident, people, .. } => format!("page {} for {incident}", names(people)),
            Self::StatusUpdate { incident, message, .. } => format!("tell subscribers of {incident}: {message}"),
        }
    }
}

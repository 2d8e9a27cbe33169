//! What is known of a target beside its port: its kind, where it stands in the configuration, what it can do, how fast.

use crate::domain::ids::SourceName;
use crate::domain::outward::capability::Caps;
use crate::domain::outward::chat::RoomSettings;
use crate::domain::outward::pace::Pace;
use serde::{Deserialize, Serialize};

/// The kinds of ports that write outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PortKind {
    /// Pages people and keeps incidents.
    Backend,
    /// The incident room.
    Chat,
    /// The public status page.
    StatusPage,
    /// The tracker.
    Ticket,
    /// Takes alarms and changes.
    EventSink,
    /// Dashboards.
    Annotations,
    /// Tells of changes and keeps nothing.
    Changes,
    /// Silences of an alert source.
    Silences,
}

impl PortKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Backend,
        Self::Chat,
        Self::StatusPage,
        Self::Ticket,
        Self::EventSink,
        Self::Annotations,
        Self::Changes,
        Self::Silences,
    ];

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Backend => "incident backend",
            Self::Chat => "chat",
            Self::StatusPage => "status page",
            Self::Ticket => "tickets",
            Self::EventSink => "event sink",
            Self::Annotations => "annotations",
            Self::Changes => "changes",
            Self::Silences => "silences",
        }
    }
}

/// What the machine knows of a target.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetFacts {
    /// Its name in the configuration; unique over all sections.
    pub name: SourceName,
    /// Its product, as `kind` in the configuration: `pagerduty`, `webhook`.
    pub product: String,
    /// The ports it has.
    pub ports: Vec<PortKind>,
    /// What it can do.
    pub caps: Caps,
    /// How fast it may be written to.
    pub pace: Pace,
    /// The longest one try may take, in milliseconds; the lease of a send outlives it.
    pub limit_ms: u64,
    /// Who is paged by it, as its configuration says.
    pub audience: Option<String>,
    /// Its address, safe to show.
    pub address: String,
    /// How often it is read, in milliseconds; `None` for one that is only written to.
    pub reads_every_ms: Option<u64>,
    /// How its rooms are made.
    pub room: RoomSettings,
}

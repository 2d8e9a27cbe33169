//! The incident room: rooms, messages and people of a chat product, and writes to them.

use crate::domain::outward::backend::Party;
use crate::domain::outward::capability::Capability;
use crate::domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// Its id there; a room is never addressed by its name.
    pub id: String,
    /// Its name as the product spells it.
    pub name: String,
    /// Its page.
    #[serde(default)]
    pub url: Option<String>,
}

/// Which messages of a room go to the timeline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Import {
    /// What people write.
    #[default]
    All,
    /// What is pinned.
    Pinned,
    /// None.
    Nothing,
}

/// How the rooms of a chat are made and who belongs there, as its configuration says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomSettings {
    /// Stands before the incident's id in the name of its room.
    pub prefix: String,
    /// Only invited people may see it.
    pub private: bool,
    /// Who is invited into every room, by id or address there.
    pub invite: Vec<Party>,
    /// Who is who: names as they stand in the record, each with the id there.
    pub people: BTreeMap<String, String>,
    /// The reactions to the headline that volunteer as commander, in the product's own words.
    pub volunteer: Vec<String>,
    /// The sign of such a reaction, as people see it.
    pub sign: String,
    /// Which of its messages go to the timeline.
    pub import: Import,
}

impl Default for RoomSettings {
    fn default() -> Self {
        Self {
            prefix: "incident-".into(),
            private: false,
            invite: Vec::new(),
            people: BTreeMap::new(),
            volunteer: Vec::new(),
            sign: "🏅".into(),
            import: Import::All,
        }
    }
}

impl RoomSettings {
    /// The name in the record of somebody there; the product's own where the configuration knows none.
    pub fn name_of<'s>(&'s self, party: &'s Party) -> &'s str {
        let ours = self.people.iter().find(|(_, id)| **id == party.id).map(|(name, _)| name.as_str());
        ours.unwrap_or(if party.name.is_empty() { &party.id } else { &party.name })
    }
}

/// A message of a room, as it was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChatMessage {
    /// Its id there; names it once in our record.
    pub id: String,
    /// When it was written, by the clock there.
    pub at: Timestamp,
    /// Who wrote it.
    pub author: Party,
    /// What; outside text.
    pub text: String,
    /// It is pinned.
    pub pinned: bool,
    /// No person wrote it, or we did.
    pub bot: bool,
}

/// Somebody who reacted to the headline message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Volunteer {
    /// Who.
    pub person: Party,
    /// With which reaction.
    pub reaction: String,
    /// When, where told.
    pub at: Option<Timestamp>,
    /// It is no person.
    pub bot: bool,
}

/// Writes to rooms. `room` and `message` are ids there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum ChatWrite {
    /// Open one; the outcome's reference carries its id.
    CreateRoom { name: String, topic: String, private: bool, invite: Vec<Party> },
    /// Set its topic.
    SetTopic { room: String, topic: String },
    /// Invite people, by id or address.
    Invite { room: String, people: Vec<Party> },
    /// Post; the outcome's reference carries the message's id. Without a room: the target's own.
    Post { room: Option<String>, text: String, thread: Option<String> },
    /// Change a message: the one headline is kept up to date instead of posting again.
    Edit { room: Option<String>, message: String, text: String },
    /// Pin a message.
    Pin { room: String, message: String },
    /// Keep a link in the room.
    Bookmark { room: String, title: String, url: String },
}

impl ChatWrite {
    /// What a target must be able to do for it.
    pub fn capability(&self) -> Capability {
        match self {
            Self::CreateRoom { .. } => Capability::CreateRoom,
            Self::SetTopic { .. } => Capability::SetTopic,
            Self::Invite { .. } => Capability::Invite,
            Self::Post { .. } => Capability::Post,
            Self::Edit { .. } => Capability::EditMessage,
            Self::Pin { .. } => Capability::Pin,
            Self::Bookmark { .. } => Capability::Bookmark,
        }
    }

    /// The room that it is about; `None` for one that is still to be opened, and for the target's own.
    pub fn room(&self) -> Option<&str> {
        match self {
            Self::CreateRoom { .. } => None,
            Self::Post { room, .. } | Self::Edit { room, .. } => room.as_deref(),
            Self::SetTopic { room, .. }
            | Self::Invite { room, .. }
            | Self::Pin { room, .. }
            | Self::Bookmark { room, .. } => Some(room),
        }
    }

    /// In words; outside text may be in it.
    pub fn words(&self) -> String {
        match self {
            Self::CreateRoom { name, .. } => format!("open the room {name}"),
            Self::SetTopic { topic, .. } => format!("topic: {topic}"),
            Self::Invite { people, .. } => {
                format!("invite {}", people.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(", "))
            }
            Self::Post { text, .. } => format!("post: {text}"),
            Self::Edit { text, .. } => format!("headline: {text}"),
            Self::Pin { .. } => "pin the headline".into(),
            Self::Bookmark { title, .. } => format!("bookmark {title}"),
        }
    }
}

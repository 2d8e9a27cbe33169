//! The room of an incident in one chat: how it is called there, which message is its headline, what is on its way to it and
//! what came out of it. Folded from events; sends nothing and decides nothing.

use crate::domain::incident::event::Event;
use crate::domain::outward::chat::{ChatWrite, Room};
use crate::domain::outward::entry::Ending;
use crate::domain::outward::operation::{OpId, Operation};
use crate::domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What an operation of a room is about when it opens the room.
pub const OPEN: &str = "room";
/// The one message that is kept up to date.
pub const HEADLINE: &str = "headline";
/// The line above the room.
pub const TOPIC: &str = "topic";
/// The headline's pin.
pub const PIN: &str = "pin";
/// An invitation: `invite:ID,ID`.
pub const INVITE: &str = "invite:";
/// A bookmark: `bookmark:ADDRESS`.
pub const BOOKMARK: &str = "bookmark:";

/// The headline.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Headline {
    /// Its id there; `None` where the product tells none.
    pub message: Option<String>,
    /// The text that is there, as far as is known.
    pub text: String,
    /// Its page.
    pub url: Option<String>,
}

/// What is on its way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnderWay {
    /// What it is about.
    pub about: String,
    /// The name, text or topic that it carries.
    pub text: String,
}

/// The room of an incident in one chat.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct IncidentRoom {
    /// The room, once it is open. A target that only posts never has one.
    pub room: Option<Room>,
    /// When it was asked for.
    pub since: Option<Timestamp>,
    /// The rank of the event that asked for it: what came after that is told there.
    pub rank: (u64, String, u64),
    /// Why there is none, when its opening ended badly.
    pub failed: Option<String>,
    /// The headline.
    pub headline: Option<Headline>,
    /// The text that the headline was last asked to have.
    pub asked_text: Option<String>,
    /// The topic that was last asked for.
    pub topic: Option<String>,
    /// How often the headline was asked for: names the next time, so that several cockpits ask once.
    pub edits: u32,
    /// How often the topic was.
    pub topics: u32,
    /// What is on its way, by operation.
    pub under_way: BTreeMap<OpId, UnderWay>,
    /// What ended badly: a person may have it sent again.
    pub refused: BTreeMap<OpId, UnderWay>,
    /// Everything that was ever asked for, by what it is about.
    pub asked: BTreeSet<String>,
    /// Messages of the room that are in the record; `true` is pinned.
    pub taken: BTreeMap<String, bool>,
}

impl IncidentRoom {
    /// A write for this room was decided.
    pub(super) fn asked(&mut self, event: &Event, op: &Operation, write: &ChatWrite) {
        let about = match (&op.about, write) {
            (Some(about), _) => about.clone(),
            (None, ChatWrite::CreateRoom { .. }) => OPEN.to_owned(),
            (None, _) => return,
        };
        let text = match write {
            ChatWrite::CreateRoom { name, .. } => name.clone(),
            ChatWrite::Post { text, .. } | ChatWrite::Edit { text, .. } => text.clone(),
            ChatWrite::SetTopic { topic, .. } => topic.clone(),
            ChatWrite::Invite { .. } | ChatWrite::Pin { .. } | ChatWrite::Bookmark { .. } => String::new(),
        };
        match about.as_str() {
            OPEN => {
                self.begin(event);
                self.failed = None;
            }
            HEADLINE => {
                if self.since.is_none() {
                    self.begin(event);
                }
                self.asked_text = Some(text.clone());
                self.edits += 1;
            }
            TOPIC => {
                self.topic = Some(text.clone());
                self.topics += 1;
            }
            _ => {}
        }
        match about.strip_prefix(INVITE) {
            Some(ids) => self.asked.extend(ids.split(',').map(|id| format!("{INVITE}{id}"))),
            None => drop(self.asked.insert(about.clone())),
        }
        self.under_way.insert(op.id.clone(), UnderWay { about, text });
    }

    fn begin(&mut self, event: &Event) {
        self.since = Some(event.at);
        self.rank = (event.order, event.key.origin.0.clone(), event.key.seq);
    }

    /// What became of one.
    pub(super) fn ended(&mut self, op: &OpId, end: &Ending) {
        let Some(one) = self.under_way.remove(op).or_else(|| self.refused.remove(op)) else { return };
        if !end.good() {
            self.refused.insert(op.clone(), one.clone());
        }
        let UnderWay { about, text } = one;
        let reference = end.reference().cloned().unwrap_or_default();
        match (about.as_str(), end.good()) {
            (OPEN, true) => match reference.id {
                Some(id) => {
                    let room = Room { id, name: reference.name.unwrap_or(text), url: reference.url };
                    if self.room.as_ref().is_some_and(|old| old.id != room.id) {
                        self.forget();
                    }
                    self.room = Some(room);
                }
                None => self.failed = Some("opened by hand; its id is not known here".into()),
            },
            (OPEN, false) => self.failed = Some(format!("{}: {}", end.word(), end.words())),
            (HEADLINE, true) => {
                let old = self.headline.take().unwrap_or_default();
                let message = old.message.or(reference.id);
                self.headline = Some(Headline { message, text, url: old.url.or(reference.url) });
            }
            _ => {}
        }
    }

    /// Another room takes the place of an old one: everything in it is to be done anew.
    fn forget(&mut self) {
        self.headline = None;
        self.asked_text = None;
        self.topic = None;
        self.asked.retain(|about| about == OPEN || about.contains('#'));
    }

    /// Whether something about this is on its way.
    pub fn on_its_way(&self, about: &str) -> bool {
        self.under_way.values().any(|one| one.about == about)
    }

    /// Whether an event came after the room was asked for.
    pub fn after(&self, event: &Event) -> bool {
        self.since.is_some()
            && (self.rank.0, self.rank.1.as_str(), self.rank.2)
                < (event.order, event.key.origin.as_str(), event.key.seq)
    }
}

//! What people think of an entry of the timeline: it matters (a pin), it does not belong in the postmortem, it goes under a
//! word. A mark is an event of its own and never changes the entry.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A mark.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// It matters: first in hand-overs, listed in the postmortem.
    Pin,
    /// It stays in the record and is left out of the postmortem.
    Exclude,
    /// It goes under this word.
    Tag(String),
}

impl Mark {
    /// Its kind in the timeline.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Pin => "pin",
            Self::Exclude => "exclude",
            Self::Tag(_) => "tag",
        }
    }

    /// What became of the entry, in words.
    pub fn told(&self, on: bool) -> String {
        match (self, on) {
            (Self::Pin, true) => "pinned".into(),
            (Self::Pin, false) => "no longer pinned".into(),
            (Self::Exclude, true) => "left out of the postmortem".into(),
            (Self::Exclude, false) => "back in the postmortem".into(),
            (Self::Tag(tag), true) => format!("tagged {tag}"),
            (Self::Tag(tag), false) => format!("no longer tagged {tag}"),
        }
    }
}

/// The marks that an entry has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    /// It is pinned.
    #[serde(default)]
    pub pinned: bool,
    /// It is left out of the postmortem.
    #[serde(default)]
    pub excluded: bool,
    /// Its words.
    #[serde(default)]
    pub tags: BTreeSet<String>,
}

impl Marks {
    /// No mark at all.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Takes a mark in, or away.
    pub fn set(&mut self, mark: &Mark, on: bool) {
        match mark {
            Mark::Pin => self.pinned = on,
            Mark::Exclude => self.excluded = on,
            Mark::Tag(tag) if on => drop(self.tags.insert(tag.clone())),
            Mark::Tag(tag) => drop(self.tags.remove(tag)),
        }
    }
}

//! A run sheet as it was read. Values only.

use crate::domain::document::Mark;
use crate::domain::time::Span;

/// A run sheet.
#[derive(Clone, Debug, PartialEq)]
pub struct GameDay {
    /// Its name.
    pub id: String,
    /// Its title.
    pub title: String,
    /// What shall be learned; may be empty.
    pub goal: String,
    /// When it is held, for people.
    pub when: String,
    /// Role and person.
    pub roles: Vec<(String, String)>,
    /// What ends the whole day.
    pub stop_when: Vec<String>,
    /// The sheet, by time.
    pub entries: Vec<Entry>,
    /// What to talk about.
    pub questions: Vec<String>,
    /// The file.
    pub path: String,
    /// SHA-256 (hex) of its text.
    pub sha256: String,
}

/// A line of the sheet.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its name.
    pub id: String,
    /// When, from the beginning.
    pub at: Span,
    /// What it is.
    pub title: String,
    /// Whose turn.
    pub who: String,
    /// What the facilitator does.
    pub instruction: Option<String>,
    /// What is told.
    pub tell: Option<String>,
    /// What must not be told yet.
    pub not_yet: Vec<String>,
    /// Entries that may be told of from here on.
    pub reveals: Vec<(String, Mark)>,
    /// What begins.
    pub act: Act,
    /// Where it stands.
    pub mark: Mark,
}

/// What begins with an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Nothing of ours: people do it.
    Person,
    /// A drill.
    Scenario {
        /// Which.
        name: String,
        /// How fast; the scenario's own without one.
        speed: Option<u32>,
    },
    /// An experiment.
    Experiment {
        /// Which.
        name: String,
    },
}

impl GameDay {
    /// An entry by its number from 1, its id, or the beginning of its id that no other has.
    pub fn entry(&self, typed: &str) -> Option<&Entry> {
        if let Some(n) = typed.parse::<usize>().ok().and_then(|n| n.checked_sub(1)) {
            return self.entries.get(n);
        }
        let exact = self.entries.iter().find(|entry| entry.id == typed);
        exact.or_else(|| {
            let mut like = self.entries.iter().filter(|entry| !typed.is_empty() && entry.id.starts_with(typed));
            like.next().filter(|_| like.next().is_none())
        })
    }

    /// The entry that allows to tell what another one keeps back.
    pub fn revealed_by(&self, id: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.reveals.iter().any(|(of, _)| of == id))
    }
}

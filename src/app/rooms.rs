//! What this cockpit knows of incident rooms beside the record: who volunteered, what was read last, which text a headline is
//! about to have. All of it is read again after a restart.

use crate::domain::ids::{IncidentId, SourceName};
use crate::domain::time::{Span, Timestamp};
use std::collections::BTreeMap;

/// A room: that of an incident in a chat.
pub type Place = (IncidentId, SourceName);

/// Somebody who would take command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The name that the record would have.
    pub name: String,
    /// In which chat.
    pub target: SourceName,
    /// With which reaction.
    pub reaction: String,
}

/// Rooms as this cockpit sees them.
#[derive(Clone, Debug, Default)]
pub struct Rooms {
    /// The text that a headline should have, and since when it should: it goes out once it has stood for the outward hold.
    pub wanted: BTreeMap<Place, (String, Timestamp)>,
    /// Volunteers by incident, the first one first.
    pub volunteers: BTreeMap<IncidentId, Vec<Candidate>>,
    /// When it is asked next who volunteers.
    pub volunteers_at: BTreeMap<Place, Timestamp>,
    /// When a room is read next.
    pub read_at: BTreeMap<Place, Timestamp>,
    /// The newest message that was read, by the clock there.
    pub newest: BTreeMap<Place, Timestamp>,
    /// What went wrong with the last question, by room.
    pub faults: BTreeMap<Place, String>,
}

impl Rooms {
    /// The wall clock was set by so much.
    pub fn reclock(&mut self, now: Timestamp, by: Span) {
        for (_, since) in self.wanted.values_mut() {
            *since = since.checked_add_signed(by).unwrap_or(*since);
        }
        for at in self.volunteers_at.values_mut().chain(self.read_at.values_mut()) {
            *at = now;
        }
    }
}

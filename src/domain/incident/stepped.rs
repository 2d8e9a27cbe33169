//! What became of a step of an operation in the outbox: the new state with the event that tells of its end, or words.

use crate::domain::incident::event::Event;
use crate::domain::outward::entry::Entry;

/// What became of a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Stepped {
    /// The entry after it, and the event that tells of its end, both on disk.
    Taken(Box<Entry>, Vec<Event>),
    /// It did not fit, and why; the entry as it is, if there is one.
    Refused(String, Option<Box<Entry>>),
}

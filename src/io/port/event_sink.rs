//! The port of an event sink: alarms and changes go in, nothing comes back.

use crate::io::port::Outward;

/// Alarms and changes. Writes go through [`Outward`] as
/// [`EventWrite`](crate::domain::outward::event_sink::EventWrite).
pub trait EventSink: Outward {
    /// Who would be paged, as the configuration says it (`the platform on-call`), for the question before a page.
    fn audience(&self) -> Option<String> {
        None
    }
}

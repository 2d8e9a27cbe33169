//! The port of a tracker.

use crate::domain::fault::Fault;
use crate::domain::outward::ticket::Ticket;
use crate::io::port::{Outward, Task};

/// Tickets. Writes go through [`Outward`] as [`TicketWrite`](crate::domain::outward::ticket::TicketWrite).
pub trait TicketSink: Outward {
    /// The ticket that carries a marker, whatever its state.
    fn find<'a>(&'a self, marker: &'a str) -> Task<'a, Result<Option<Ticket>, Fault>>;
}

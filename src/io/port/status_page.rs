//! The port of a public status page.

use crate::domain::fault::Fault;
use crate::domain::outward::status_page::{Component, Notice};
use crate::io::port::{Outward, Task};

/// Notices. Writes go through [`Outward`] as [`StatusWrite`](crate::domain::outward::status_page::StatusWrite).
pub trait StatusPage: Outward {
    /// Open notices, newest first.
    fn unresolved(&self) -> Task<'_, Result<Vec<Notice>, Fault>>;

    /// The parts of the service that the page lists.
    fn components(&self) -> Task<'_, Result<Vec<Component>, Fault>>;
}

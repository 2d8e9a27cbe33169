//! The optional writes of an alert source: silences.

use crate::domain::fault::Fault;
use crate::domain::outward::silence::Silence;
use crate::io::port::{Outward, Task};

/// Silences. Writes go through [`Outward`] as [`SilenceWrite`](crate::domain::outward::silence::SilenceWrite).
pub trait Silences: Outward {
    /// All that are active or pending, and those that ended lately.
    fn silences(&self) -> Task<'_, Result<Vec<Silence>, Fault>>;
}

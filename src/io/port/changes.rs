//! The port of what tells of changes and keeps nothing else: a repository, a command that reads a cluster.

use crate::domain::fault::Fault;
use crate::domain::outward::backend::Change;
use crate::domain::time::Timestamp;
use crate::io::port::{Outward, Task};

/// Changes. Nothing is written through it.
pub trait ChangeFeed: Outward {
    /// What changed between two instants, oldest first; at most a few hundred of the newest.
    fn changes(&self, from: Timestamp, to: Timestamp) -> Task<'_, Result<Vec<Change>, Fault>>;
}

//! The durable record: a log of events per incident, and the port that every store implements. A store numbers, orders
//! and chains events; it never changes or removes one, and it never decides what is worth recording.

pub mod chain;
pub mod ledger;
pub mod memory;
pub mod record;
pub mod sqlite;

use crate::domain::fault::Fault;
use crate::domain::ids::{IncidentId, Origin};
use crate::domain::incident::event::{Event, NewEvent};
use crate::domain::incident::state::Incident;

/// How many resolved incidents [`Store::heads`] gives beside the open ones.
pub const RESOLVED_HEADS: usize = 50;

/// The largest `order` or `seq` that is taken from another installation: past it a number could not be counted on, and
/// one hostile event would leave no room after it.
pub const NUMBER_LIMIT: u64 = 1 << 53;

/// A place where events are kept. One suite of tests runs on every implementation.
pub trait Store: Send {
    /// Records one batch in one transaction and gives the events as recorded, in the same order. An event whose `once`
    /// key the incident holds already is answered with the one that is there. A batch that declares an incident whose id
    /// is taken is renamed as a whole (`-2`, `-3` …); the events that come back carry the real id. `Err` means that
    /// nothing of the batch may be relied on: call [`Store::reopen`] before anything else.
    fn append(&mut self, events: Vec<NewEvent>) -> Result<Vec<Event>, Fault> {
        Ok(self.append_all(vec![events])?.into_iter().flatten().collect())
    }

    /// The same for several batches in one transaction: all of them or none. A rename holds for the batches after it.
    fn append_all(&mut self, batches: Vec<Vec<NewEvent>>) -> Result<Vec<Vec<Event>>, Fault>;

    /// Opens the file anew after a failed append, whose own handle is not to be trusted any more. Gives the events of
    /// that append when they turn out to be on disk after all.
    fn reopen(&mut self) -> Result<Option<Vec<Vec<Event>>>, Fault>;

    /// The incidents as they stand: all open ones and the newest [`RESOLVED_HEADS`] resolved ones, newest first.
    fn heads(&mut self) -> Result<Vec<Incident>, Fault>;

    /// The last `limit` events of an incident whose `order` is below `before`, oldest first. Events that share the order
    /// of the oldest one are all given, so that the page before it begins at that order and misses none.
    fn tail(&mut self, incident: &IncidentId, before: Option<u64>, limit: usize) -> Result<Vec<Event>, Fault>;

    /// All events of an incident, in the order of the fold.
    fn events(&mut self, incident: &IncidentId) -> Result<Vec<Event>, Fault>;

    /// What others recorded since the last call (at first: since the store was opened). Cheap when nothing changed.
    fn news(&mut self) -> Result<Vec<Event>, Fault>;

    /// Takes in events of another installation; gives how many were new. Refuses the whole call when one of them differs
    /// from an event that is here under the same key.
    fn merge(&mut self, events: Vec<Event>) -> Result<usize, Fault>;

    /// Checks all that is kept and gives what is wrong, one line each. `Err` only when nothing could be read.
    fn verify(&mut self) -> Result<Vec<String>, Fault>;

    /// The installation that this store writes as.
    fn origin(&self) -> &Origin;
}

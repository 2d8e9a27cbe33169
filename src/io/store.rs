//! The durable record: a log of events per incident, and the port that every store implements. A store numbers, orders
//! and chains events; it never removes one and changes none but to take a text out, and it never decides what is worth recording.

pub mod chain;
pub mod examined;
pub mod ledger;
pub mod memory;
pub mod record;
pub mod sqlite;
pub mod witnessed;

use crate::domain::fault::Fault;
use crate::domain::ids::{IncidentId, Origin};
use crate::domain::incident::event::{Event, NewEvent};
use crate::domain::incident::state::Incident;
use crate::domain::incident::stepped::Stepped;
use crate::domain::outward::entry::{Entry, Step};
use crate::domain::outward::operation::OpId;
use crate::domain::time::Timestamp;
use crate::io::store::examined::Examined;
use crate::io::store::ledger::Until;
use std::sync::Arc;

/// Tells the machine's own clock, which nobody sets; `None` where there is none.
pub type OwnClock = Arc<dyn Fn() -> Option<Until> + Send + Sync>;

/// The one of this machine.
pub fn own_clock() -> OwnClock {
    Arc::new(|| {
        let boot = crate::io::clock::boot();
        Some(Until { boot: boot.id?, ms: i64::try_from(boot.time.as_millis()).ok()? })
    })
}

/// How many resolved incidents [`Store::heads`] gives beside the open ones.
pub const RESOLVED_HEADS: usize = 50;

/// How many operations that are over [`Store::outbox`] gives.
pub const ENDED: usize = 100;

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

    /// All incidents that were not over before an instant, however many: open ones, and those mitigated or resolved since.
    fn ended_since(&mut self, from: Timestamp) -> Result<Vec<Incident>, Fault>;

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

    /// Checks all that is kept: the chain of every origin, the order, what is recorded once, redactions against their
    /// seals. With an incident, tells of that one alone. `Err` only when nothing could be read.
    fn examine(&mut self, incident: Option<&IncidentId>) -> Result<Examined, Fault>;

    /// What is wrong with all that is kept, one line each.
    fn verify(&mut self) -> Result<Vec<String>, Fault> {
        Ok(self.examine(None)?.findings.into_iter().map(|finding| finding.text).collect())
    }

    /// At most `limit` events that arrived after a row, each with its own row, in the order of their arrival. Rows are
    /// numbers above 0 that rise; a text that was taken out since is not in them.
    fn since(&mut self, row: u64, limit: usize) -> Result<Vec<(u64, Event)>, Fault>;

    /// Everything in the outbox that is not over, and the newest [`ENDED`] of the rest; oldest first.
    fn outbox(&mut self) -> Result<Vec<Entry>, Fault>;

    /// One step of an operation in one transaction, together with the event of its end. Of several processes that try at
    /// once, one gets on; the others are refused with words. `by` is who acts. `Err` means that nothing may be relied on:
    /// call [`Store::reopen`] before anything else, and read the entry again.
    fn step(&mut self, op: &OpId, step: &Step, by: &str) -> Result<Stepped, Fault>;

    /// Entries that changed since the last call, by anybody (at first: since the store was opened).
    fn outbox_news(&mut self) -> Result<Vec<Entry>, Fault>;

    /// The installation that this store writes as.
    fn origin(&self) -> &Origin;
}

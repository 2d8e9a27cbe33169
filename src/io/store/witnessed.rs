//! A record that a drill's stage looks at: whatever is recorded through it, the stage knows. Keeps nothing itself.

use crate::domain::fault::Fault;
use crate::domain::ids::{IncidentId, Origin};
use crate::domain::incident::event::{Event, NewEvent};
use crate::domain::incident::state::Incident;
use crate::domain::incident::stepped::Stepped;
use crate::domain::outward::entry::{Entry, Step};
use crate::domain::outward::operation::OpId;
use crate::domain::time::Timestamp;
use crate::io::fake::staged::Staged;
use crate::io::store::Store;
use crate::io::store::examined::Examined;

/// A store behind which a stage looks on.
#[derive(Debug)]
pub struct Witnessed<S> {
    store: S,
    staged: Staged,
}

impl<S: Store> Witnessed<S> {
    /// What is recorded in `store` from now on is seen by the stage.
    pub fn new(store: S, staged: Staged) -> Self {
        Self { store, staged }
    }
}

impl<S: Store> Store for Witnessed<S> {
    fn append_all(&mut self, batches: Vec<Vec<NewEvent>>) -> Result<Vec<Vec<Event>>, Fault> {
        let events = self.store.append_all(batches)?;
        self.staged.with(|stage| events.iter().for_each(|batch| stage.witness(batch)));
        Ok(events)
    }

    fn reopen(&mut self) -> Result<Option<Vec<Vec<Event>>>, Fault> {
        let landed = self.store.reopen()?;
        if let Some(events) = &landed {
            self.staged.with(|stage| events.iter().for_each(|batch| stage.witness(batch)));
        }
        Ok(landed)
    }

    fn ended_since(&mut self, from: Timestamp) -> Result<Vec<Incident>, Fault> {
        self.store.ended_since(from)
    }

    fn examine(&mut self, incident: Option<&IncidentId>) -> Result<Examined, Fault> {
        self.store.examine(incident)
    }

    fn since(&mut self, row: u64, limit: usize) -> Result<Vec<(u64, Event)>, Fault> {
        self.store.since(row, limit)
    }

    fn heads(&mut self) -> Result<Vec<Incident>, Fault> {
        self.store.heads()
    }

    fn tail(&mut self, incident: &IncidentId, before: Option<u64>, limit: usize) -> Result<Vec<Event>, Fault> {
        self.store.tail(incident, before, limit)
    }

    fn events(&mut self, incident: &IncidentId) -> Result<Vec<Event>, Fault> {
        self.store.events(incident)
    }

    fn news(&mut self) -> Result<Vec<Event>, Fault> {
        self.store.news()
    }

    fn merge(&mut self, events: Vec<Event>) -> Result<usize, Fault> {
        self.store.merge(events)
    }

    fn verify(&mut self) -> Result<Vec<String>, Fault> {
        self.store.verify()
    }

    fn outbox(&mut self) -> Result<Vec<Entry>, Fault> {
        self.store.outbox()
    }

    fn step(&mut self, op: &OpId, step: &Step, by: &str) -> Result<Stepped, Fault> {
        self.store.step(op, step, by)
    }

    fn outbox_news(&mut self) -> Result<Vec<Entry>, Fault> {
        self.store.outbox_news()
    }

    fn origin(&self) -> &Origin {
        self.store.origin()
    }
}

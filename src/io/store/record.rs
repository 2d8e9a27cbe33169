//! The record thread: it owns a [`Store`], takes jobs and tells what became of them. Nobody waits for it, and nothing is
//! told as saved before its commit has returned. Never panics; a store that cannot be opened answers every job with why.

use crate::domain::fault::{Fault, FaultKind};
use crate::domain::ids::{IncidentId, Origin};
use crate::domain::incident::event::{Event, NewEvent};
use crate::domain::incident::state::Incident;
use crate::domain::incident::stepped::Stepped;
use crate::domain::outward::entry::{Entry, Step};
use crate::domain::outward::operation::OpId;
use crate::io::store::Store;
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Jobs that may wait. More than this means that the disk stands still, and the sender is told at once.
pub const QUEUE: usize = 4_096;
/// How often it looks for what other processes recorded.
pub const LOOK: Duration = Duration::from_millis(500);
/// Events given with each incident when it is loaded.
pub const PAGE: usize = 200;
/// Batches that share one transaction at most.
const TOGETHER: usize = 256;

/// What the thread is asked to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Job {
    /// Record a batch; answered by [`RecordNews::Saved`] or [`RecordNews::NotSaved`] with this ticket.
    Append(u64, Vec<NewEvent>),
    /// Read all incidents; answered by [`RecordNews::Loaded`].
    Load,
    /// Read a page of a timeline.
    Page {
        /// Comes back with the answer.
        ticket: u64,
        /// Of which incident.
        incident: IncidentId,
        /// Only events of a lower order.
        before: Option<u64>,
        /// At most so many (and what shares the order of the oldest).
        limit: usize,
    },
    /// Read all events of an incident.
    All {
        /// Comes back with the answer.
        ticket: u64,
        /// Of which incident.
        incident: IncidentId,
    },
    /// One step of an operation in the outbox; answered by [`RecordNews::Stepped`].
    Step {
        /// Comes back with the answer.
        ticket: u64,
        /// Which operation.
        op: OpId,
        /// What happens to it.
        step: Step,
        /// Who acts.
        by: String,
    },
    /// Finish what was asked before, then end.
    Stop,
}

/// What the thread tells.
#[derive(Clone, Debug, PartialEq)]
pub enum RecordNews {
    /// The store is open and writes under this name.
    Opened {
        /// The installation.
        origin: Origin,
    },
    /// The incidents, each with its last [`PAGE`] events.
    Loaded(Vec<(Incident, Vec<Event>)>),
    /// These events are on disk.
    Saved(u64, Vec<Event>),
    /// Nothing of this batch is on disk.
    NotSaved(u64, Fault),
    /// A page of a timeline.
    Page(u64, Vec<Event>),
    /// All events of an incident.
    All(u64, Vec<Event>),
    /// What became of a step; `Err` means that it is not known to be on disk.
    Stepped(u64, Result<Stepped, Fault>),
    /// Operations of the outbox as they are now: all that is not over when the record was read, later what changed.
    Outbox(Vec<Entry>),
    /// What other processes recorded. May repeat events that were loaded: compare keys.
    Others(Vec<Event>),
    /// Something else failed: opening, reading, looking for others.
    Failed(Fault),
}

/// A handle on the record thread.
#[derive(Debug)]
pub struct Record {
    jobs: SyncSender<Job>,
    done: Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

impl Record {
    /// Starts the thread; `open` runs on it, and `tell` is called from it.
    pub fn start(
        open: impl FnOnce() -> Result<Box<dyn Store>, Fault> + Send + 'static,
        tell: impl Fn(RecordNews) + Send + 'static,
    ) -> Result<Self, Fault> {
        let (jobs, queue) = sync_channel(QUEUE);
        let (ended, done) = sync_channel(1);
        let body = move || {
            match open() {
                Ok(store) => {
                    tell(RecordNews::Opened { origin: store.origin().clone() });
                    Keeper { store, tell, queue, waiting: VecDeque::new(), looked: None, sound: true }.run();
                }
                Err(fault) => refuse_all(&queue, &fault, &tell),
            }
            // Nobody may be waiting for the end any more.
            let _: Result<(), _> = ended.try_send(());
        };
        let thread = std::thread::Builder::new()
            .name("record".into())
            .spawn(body)
            .map_err(|e| Fault::new(FaultKind::Local, "record thread", e.to_string()))?;
        Ok(Self { jobs, done, thread: Some(thread) })
    }

    /// Hands over a job without waiting. `Err` means that it was not taken: nothing will be told about it.
    pub fn send(&self, job: Job) -> Result<(), Fault> {
        self.jobs.try_send(job).map_err(|e| {
            let why = match e {
                TrySendError::Full(_) => {
                    "the disk does not keep up: the queue is full; nothing more is taken until it does"
                }
                TrySendError::Disconnected(_) => "has ended; nothing more is recorded",
            };
            Fault::new(FaultKind::Local, "record", why)
        })
    }

    /// Asks it to finish what was handed over and waits for the end, at most so long. `false`: it is still at it.
    pub fn stop(mut self, patience: Duration) -> bool {
        if self.jobs.send(Job::Stop).is_ok() && self.done.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
            return false;
        }
        self.thread.take().is_none_or(|thread| thread.join().is_ok())
    }
}

/// The store could not be opened: every job is answered with why.
fn refuse_all(queue: &Receiver<Job>, fault: &Fault, tell: &impl Fn(RecordNews)) {
    tell(RecordNews::Failed(fault.clone()));
    while let Ok(job) = queue.recv() {
        match job {
            Job::Append(ticket, _) => tell(RecordNews::NotSaved(ticket, fault.clone())),
            Job::Step { ticket, .. } => tell(RecordNews::Stepped(ticket, Err(fault.clone()))),
            Job::Stop => return,
            _ => tell(RecordNews::Failed(fault.clone())),
        }
    }
}

struct Keeper<T: Fn(RecordNews)> {
    store: Box<dyn Store>,
    tell: T,
    queue: Receiver<Job>,
    /// Taken from the queue, not yet done.
    waiting: VecDeque<Job>,
    /// The last fault of looking for others, so that it is told once and not twice a second.
    looked: Option<Fault>,
    /// Whether the store is open; a failed reopening is tried again.
    sound: bool,
}

/// Batches that failed to commit and may be on disk all the same.
type Doubt = (Vec<u64>, Fault);

impl<T: Fn(RecordNews)> Keeper<T> {
    fn run(mut self) {
        let mut doubt: Option<Doubt> = None;
        loop {
            let job = match self.waiting.pop_front() {
                Some(job) => Some(job),
                None => match self.queue.recv_timeout(LOOK) {
                    Ok(job) => Some(job),
                    Err(RecvTimeoutError::Timeout) => None,
                    Err(RecvTimeoutError::Disconnected) => break,
                },
            };
            if !self.sound {
                self.reopen(&mut doubt);
            }
            match job {
                Some(Job::Append(ticket, batch)) => doubt = self.append(ticket, batch).or(doubt),
                Some(Job::Step { ticket, op, step, by }) => self.step(ticket, &op, &step, &by),
                Some(Job::Stop) => break,
                Some(job) => self.answer(job),
                None => {}
            }
            self.look();
        }
        if let Some((tickets, fault)) = doubt {
            for ticket in tickets {
                (self.tell)(RecordNews::NotSaved(ticket, fault.clone()));
            }
        }
    }

    /// Records a batch and those that wait right behind it in one transaction.
    fn append(&mut self, ticket: u64, batch: Vec<NewEvent>) -> Option<Doubt> {
        let (mut tickets, mut batches) = (vec![ticket], vec![batch]);
        while batches.len() < TOGETHER {
            match self.waiting.pop_front().or_else(|| self.queue.try_recv().ok()) {
                Some(Job::Append(ticket, batch)) => {
                    tickets.push(ticket);
                    batches.push(batch);
                }
                Some(other) => {
                    self.waiting.push_front(other);
                    break;
                }
                None => break,
            }
        }
        if !self.sound {
            let fault =
                Fault::new(FaultKind::Local, "record", "cannot be opened again after a failed write; still trying");
            for ticket in tickets {
                (self.tell)(RecordNews::NotSaved(ticket, fault.clone()));
            }
            return None;
        }
        match self.store.append_all(batches) {
            Ok(saved) => {
                self.saved(tickets, saved);
                None
            }
            Err(fault) => {
                let mut doubt = Some((tickets, fault));
                self.reopen(&mut doubt);
                doubt
            }
        }
    }

    fn step(&mut self, ticket: u64, op: &OpId, step: &Step, by: &str) {
        let stepped = match self.sound {
            true => self.store.step(op, step, by),
            false => Err(Fault::new(FaultKind::Local, "record", "cannot be opened again after a failed write")),
        };
        let failed = stepped.is_err();
        (self.tell)(RecordNews::Stepped(ticket, stepped));
        if failed && self.sound {
            self.reopen(&mut None);
        }
    }

    fn saved(&self, tickets: Vec<u64>, saved: Vec<Vec<Event>>) {
        for (ticket, events) in tickets.into_iter().zip(saved) {
            (self.tell)(RecordNews::Saved(ticket, events));
        }
    }

    /// Opens the file anew and settles what became of the batches in doubt. They stay in doubt while it cannot be opened.
    fn reopen(&mut self, doubt: &mut Option<Doubt>) {
        let first = self.sound;
        match self.store.reopen() {
            Ok(landed) => {
                self.sound = true;
                match (doubt.take(), landed) {
                    (Some((tickets, _)), Some(saved)) => self.saved(tickets, saved),
                    (Some((tickets, fault)), None) => {
                        for ticket in tickets {
                            (self.tell)(RecordNews::NotSaved(ticket, fault.clone()));
                        }
                    }
                    (None, _) => {}
                }
            }
            Err(fault) => {
                self.sound = false;
                if first {
                    (self.tell)(RecordNews::Failed(fault));
                }
            }
        }
    }

    fn answer(&mut self, job: Job) {
        let news = match job {
            Job::Load => self.load().map(RecordNews::Loaded),
            Job::Page { ticket, incident, before, limit } => {
                self.store.tail(&incident, before, limit).map(|events| RecordNews::Page(ticket, events))
            }
            Job::All { ticket, incident } => self.store.events(&incident).map(|events| RecordNews::All(ticket, events)),
            Job::Append(..) | Job::Step { .. } | Job::Stop => return,
        };
        let loaded = matches!(news, Ok(RecordNews::Loaded(_)));
        (self.tell)(news.unwrap_or_else(RecordNews::Failed));
        if loaded {
            match self.store.outbox() {
                Ok(outbox) if outbox.is_empty() => {}
                Ok(outbox) => (self.tell)(RecordNews::Outbox(outbox)),
                Err(fault) => (self.tell)(RecordNews::Failed(fault)),
            }
        }
    }

    fn load(&mut self) -> Result<Vec<(Incident, Vec<Event>)>, Fault> {
        // What came before this is part of what is read now. What comes while reading is told again by the next look:
        // twice is harmless, never is not.
        self.store.news()?;
        let heads = self.store.heads()?;
        heads.into_iter().map(|head| self.store.tail(&head.id, None, PAGE).map(|events| (head, events))).collect()
    }

    fn look(&mut self) {
        if !self.sound {
            return;
        }
        // What one look told is told on, whatever becomes of the other.
        let events = self.store.news().map(|events| {
            if !events.is_empty() {
                (self.tell)(RecordNews::Others(events));
            }
        });
        let outbox = self.store.outbox_news().map(|outbox| {
            if !outbox.is_empty() {
                (self.tell)(RecordNews::Outbox(outbox));
            }
        });
        match events.and(outbox) {
            Ok(()) => self.looked = None,
            Err(fault) if self.looked.as_ref() == Some(&fault) => {}
            Err(fault) => {
                self.looked = Some(fault.clone());
                (self.tell)(RecordNews::Failed(fault));
            }
        }
    }
}

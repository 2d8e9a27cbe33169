//! One operation in the outbox: a state, and the steps that lead from one to the next. A step that does not fit the state
//! is refused with words, so that of several cockpits that try at once only one gets on. Pure: the store applies steps
//! inside its transaction.

use crate::domain::ids::IncidentId;
use crate::domain::outward::operation::{OpId, Operation};
use crate::domain::outward::outcome::{Found, Obstacle, Outcome, Reference};
use crate::domain::outward::pace;
use crate::domain::time::{Span, Timestamp, clock, secs};
use serde::{Deserialize, Serialize};

/// Who is at it, and until when nobody else may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// One process: unique over all that ever run.
    pub holder: String,
    /// When it was taken.
    pub since: Timestamp,
    /// When it ends by the time of day. The store counts by the machine's own clock where it can.
    pub until: Timestamp,
    /// It is for a look, not for a send.
    pub look: bool,
}

/// Where an operation stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// Waits for its turn.
    Queued,
    /// Somebody is at it.
    Leased(Lease),
    /// It may have been done, since then; it is looked up, repeated or asked about, by its class.
    Doubt { since: Timestamp, words: String },
    /// It was accepted and goes on there.
    Pending { since: Timestamp, reference: Reference },
    /// A person must decide; nothing goes out by itself.
    Asked { since: Timestamp, why: String },
    /// It is over.
    Ended { at: Timestamp, end: Ending },
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "snake_case")]
pub enum Ending {
    /// Done by us.
    Done { reference: Reference },
    /// It was done already.
    AlreadyDone { reference: Reference },
    /// Taken by the target, which tells nothing more.
    Accepted { reference: Reference },
    /// The state there was another one; nothing was changed.
    Conflict { current: String },
    /// Refused for good.
    Refused { kind: Obstacle, words: String },
    /// A person did it by hand.
    ByHand { by: String },
    /// A person took it back before anything was done.
    Dropped { by: String, reason: String },
    /// A person let it go although it may have been done.
    Unknown { by: String, reason: String },
}

impl Ending {
    /// Its word in JSON, lists and the timeline.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Done { .. } => "done",
            Self::AlreadyDone { .. } => "already done",
            Self::Accepted { .. } => "accepted",
            Self::Conflict { .. } => "conflict",
            Self::Refused { .. } => "refused",
            Self::ByHand { .. } => "done by hand",
            Self::Dropped { .. } => "dropped",
            Self::Unknown { .. } => "unknown",
        }
    }

    /// More about it, for a list; outside text may be in it.
    pub fn words(&self) -> String {
        match self {
            Self::Done { reference } | Self::AlreadyDone { reference } | Self::Accepted { reference } => {
                reference.words().to_owned()
            }
            Self::Conflict { current } => current.clone(),
            Self::Refused { kind, words } => format!("{}: {words}", kind.word()),
            Self::ByHand { by } => format!("by {by}"),
            Self::Dropped { by, reason } | Self::Unknown { by, reason } => format!("by {by}: {reason}"),
        }
    }

    /// Whether what was wanted holds there now.
    pub fn good(&self) -> bool {
        matches!(self, Self::Done { .. } | Self::AlreadyDone { .. } | Self::Accepted { .. } | Self::ByHand { .. })
    }

    /// What the target calls the result.
    pub fn reference(&self) -> Option<&Reference> {
        match self {
            Self::Done { reference } | Self::AlreadyDone { reference } | Self::Accepted { reference } => {
                Some(reference)
            }
            _ => None,
        }
    }
}

/// An operation in the outbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// What is to be done.
    pub op: Operation,
    /// For which incident.
    pub incident: IncidentId,
    /// Counts the changes of the whole outbox: the newer of two copies has the higher one.
    pub rev: u64,
    /// Where it stands.
    pub state: State,
    /// Sends that were begun.
    pub sends: u32,
    /// Looks that were begun.
    pub looks: u32,
    /// A send of which nobody knows the result, and no look has told.
    pub doubted: bool,
    /// A person said: send it now.
    pub released_at: Option<Timestamp>,
    /// Not tried again before this.
    pub not_before: Option<Timestamp>,
    /// What the last try told.
    pub last: Option<String>,
}

/// Something that happens to an entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// A process wants to send (or look); `until` outlives the request's own limit.
    Claim { lease: Lease },
    /// The claim is given back: nothing was sent.
    Unclaim { holder: String },
    /// The lease ran out: its holder is gone, and what it did is not known.
    Expire { at: Timestamp },
    /// What the send told.
    Report { holder: String, at: Timestamp, outcome: Outcome },
    /// What the look told.
    Seen { holder: String, at: Timestamp, found: Found },
    /// It waited too long: a person must decide.
    Ask { at: Timestamp, why: String },
    /// A person: send it now, whatever it waits for.
    Release { at: Timestamp, by: String },
    /// A person: do not send it.
    Drop { at: Timestamp, by: String, reason: String },
    /// A person: I did it by hand.
    ByHand { at: Timestamp, by: String },
}

impl Entry {
    /// A new one.
    pub fn new(op: Operation, incident: IncidentId) -> Self {
        Self {
            op,
            incident,
            rev: 0,
            state: State::Queued,
            sends: 0,
            looks: 0,
            doubted: false,
            released_at: None,
            not_before: None,
            last: None,
        }
    }

    /// Whether it is over.
    pub fn ended(&self) -> Option<&Ending> {
        match &self.state {
            State::Ended { end, .. } => Some(end),
            _ => None,
        }
    }

    /// Its place in the order of their making: ids sort by their time.
    pub fn id(&self) -> &OpId {
        &self.op.id
    }

    /// The entry after a step, or why the step does not fit. `rev` is the store's business.
    pub fn after(&self, step: &Step) -> Result<Self, String> {
        let mut next = self.clone();
        match (step, &self.state) {
            (Step::Claim { .. }, State::Leased(lease)) => {
                return Err(format!("{} is at it until {}", lease.holder, clock(lease.until)));
            }
            (Step::Claim { lease }, State::Queued | State::Doubt { .. } | State::Pending { .. }) => {
                next.claimed(lease);
            }
            (Step::Unclaim { holder }, State::Leased(lease)) if lease.holder == *holder => next.back(lease),
            (Step::Expire { at }, State::Leased(lease)) if lease.look => {
                next.last = Some(format!("no answer to the look of {}", clock(lease.since)));
                next.state = State::Doubt { since: *at, words: "the look was not finished".into() };
                next.doubted = true;
            }
            (Step::Expire { at }, State::Leased(lease)) => {
                next.doubted = true;
                let words = format!("the cockpit that was sending it at {} is gone", clock(lease.since));
                next.last = Some(words.clone());
                next.state = State::Doubt { since: *at, words };
            }
            (Step::Report { holder, at, outcome }, State::Leased(lease)) if lease.holder == *holder && !lease.look => {
                next.reported(*at, outcome);
            }
            (Step::Seen { holder, at, found }, State::Leased(lease)) if lease.holder == *holder && lease.look => {
                next.seen(*at, found);
            }
            (Step::Ask { at, why }, State::Queued | State::Doubt { .. } | State::Pending { .. }) => {
                next.state = State::Asked { since: *at, why: why.clone() };
            }
            (
                Step::Release { at, .. },
                State::Queued
                | State::Doubt { .. }
                | State::Asked { .. }
                | State::Ended { end: Ending::Refused { .. } | Ending::Conflict { .. }, .. },
            ) => {
                next.released_at = Some(*at);
                next.not_before = None;
                next.state = State::Queued;
            }
            (Step::Drop { at, by, reason }, state) if free(state) => {
                let (by, reason) = (by.clone(), reason.clone());
                let maybe = self.doubted || matches!(state, State::Pending { .. });
                let end = if maybe { Ending::Unknown { by, reason } } else { Ending::Dropped { by, reason } };
                next.state = State::Ended { at: *at, end };
            }
            (Step::ByHand { at, by }, state) if free(state) => {
                next.state = State::Ended { at: *at, end: Ending::ByHand { by: by.clone() } };
            }
            (_, state) => return Err(misfit(state)),
        }
        Ok(next)
    }

    fn claimed(&mut self, lease: &Lease) {
        if lease.look {
            self.looks = self.looks.saturating_add(1);
        } else {
            self.sends = self.sends.saturating_add(1);
        }
        self.state = State::Leased(lease.clone());
    }

    fn back(&mut self, lease: &Lease) {
        match lease.look {
            true => self.looks = self.looks.saturating_sub(1),
            false => self.sends = self.sends.saturating_sub(1),
        }
        let at = lease.since;
        self.state = self.waiting(at, "not sent");
    }

    /// Where it goes when a try changed nothing: the doubt of an earlier one stays.
    fn waiting(&self, at: Timestamp, words: &str) -> State {
        if self.doubted { State::Doubt { since: at, words: words.to_owned() } } else { State::Queued }
    }

    fn later(&mut self, at: Timestamp, tries: u32, wait_ms: Option<u64>) {
        let hint = wait_ms.and_then(|ms| Span::try_milliseconds(i64::try_from(ms).ok()?));
        // Not the id, which is partly random: a run with a seed must be the same run again.
        let seed = pace::seed(self.op.target.as_str()) ^ self.op.created_at.timestamp_micros().unsigned_abs();
        let wait = pace::backoff(tries, hint, seed);
        self.not_before = at.checked_add_signed(wait);
    }

    fn end(&mut self, at: Timestamp, end: Ending) {
        self.doubted = false;
        self.not_before = None;
        self.state = State::Ended { at, end };
    }

    fn reported(&mut self, at: Timestamp, outcome: &Outcome) {
        self.last = Some(outcome.word().to_owned());
        match outcome.clone() {
            Outcome::Applied(reference) => self.end(at, Ending::Done { reference }),
            Outcome::AlreadyDone(reference) => self.end(at, Ending::AlreadyDone { reference }),
            Outcome::Accepted(reference) => {
                self.not_before = at.checked_add_signed(secs(2));
                self.state = State::Pending { since: at, reference };
            }
            Outcome::Conflict { current } => self.end(at, Ending::Conflict { current }),
            Outcome::Refused { kind, words } => self.end(at, Ending::Refused { kind, words }),
            Outcome::NotDone { kind, words, wait_ms } => {
                self.last = Some(format!("{}: {words}", kind.word()));
                self.later(at, self.sends, wait_ms);
                self.state = self.waiting(at, &words);
            }
            Outcome::Unknown { words, wait_ms } => {
                self.doubted = true;
                self.last = Some(words.clone());
                self.later(at, self.sends, wait_ms);
                self.state = State::Doubt { since: at, words };
            }
        }
    }

    fn seen(&mut self, at: Timestamp, found: &Found) {
        match found.clone() {
            Found::Done(reference) => match self.doubted || self.sends > 0 {
                true => self.end(at, Ending::Done { reference }),
                false => self.end(at, Ending::AlreadyDone { reference }),
            },
            Found::Absent => {
                self.doubted = false;
                self.last = Some("looked up: not done yet".into());
                self.not_before = None;
                self.state = State::Queued;
            }
            Found::Pending(reference) => {
                self.later(at, self.looks, None);
                self.state = State::Pending { since: at, reference };
            }
            Found::Conflict { current } => self.end(at, Ending::Conflict { current }),
            Found::Refused { kind, words } => self.end(at, Ending::Refused { kind, words }),
            Found::Failed { kind, words, wait_ms } => {
                self.last = Some(format!("could not be looked up: {}: {words}", kind.word()));
                self.later(at, self.looks, wait_ms);
                self.state = State::Doubt { since: at, words };
            }
            Found::NoWay if self.doubted => {
                let why = "it may have been done, and the target has no way to tell".to_owned();
                self.last = Some(why.clone());
                self.state = State::Asked { since: at, why };
            }
            Found::NoWay => self.end(at, Ending::Accepted { reference: Reference::default() }),
        }
    }
}

/// Whether a person may still end it: nobody is at it, and it is not over.
fn free(state: &State) -> bool {
    matches!(state, State::Queued | State::Doubt { .. } | State::Asked { .. } | State::Pending { .. })
}

fn misfit(state: &State) -> String {
    match state {
        State::Queued => "it is not being sent".into(),
        State::Leased(lease) => format!("it is being sent since {}", clock(lease.since)),
        State::Doubt { .. } => "it may have been done; that must be settled first".into(),
        State::Pending { .. } => "it was accepted and goes on there".into(),
        State::Asked { .. } => "it waits for a person".into(),
        State::Ended { at, end } => format!("it ended at {}: {}", clock(*at), end.word()),
    }
}

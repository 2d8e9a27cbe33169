//! What the machine knows of the outbox and of its targets: the entries as the record has them, who is at them from here,
//! and the health of every target.

use crate::app::backend::Readings;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::ids::{ReqId, SourceName};
use crate::domain::incident::event::NewEvent;
use crate::domain::outward::backend::{BackendIncident, OnCall};
use crate::domain::outward::barred::Barred;
use crate::domain::outward::capability::{Capability, Caps, Lack};
use crate::domain::outward::decide::{Next, Readiness, Scene, decide};
use crate::domain::outward::entry::{Entry, State, Step};
use crate::domain::outward::intent::Intent;
use crate::domain::outward::operation::{OpId, Operation};
use crate::domain::outward::outcome::{Found, Obstacle, Outcome};
use crate::domain::outward::pace::Bucket;
use crate::domain::outward::silence::Silence;
use crate::domain::outward::target::TargetFacts;
use crate::domain::resilience::breaker::{self, Breaker, Policy};
use crate::domain::time::{Span, Timestamp, clock, secs};
use std::collections::{BTreeMap, BTreeSet};

/// A target and its health as far as writing goes.
#[derive(Clone, Debug)]
pub struct TargetState {
    /// What it is, and what it can do as far as its answers have taught so far.
    pub facts: TargetFacts,
    /// What it can do by its configuration and its adapter alone.
    told: Caps,
    /// What was lost by answers to this machine, and whose the refusals were.
    lost: BTreeMap<Capability, (Lack, String)>,
    barred: Barred,
    /// Whether it may be written to.
    pub breaker: Breaker,
    /// How fast.
    pub bucket: Bucket,
    /// What is wrong, and since when.
    pub fault: Option<(Timestamp, Fault)>,
    /// When it answered last.
    pub good: Option<Timestamp>,
    /// Its open incidents as they were read last, and when.
    pub incidents: Option<(Timestamp, Vec<BackendIncident>)>,
    /// Who is on call there, and when that was read.
    pub on_call: Option<(Timestamp, Vec<OnCall>)>,
    /// What else was read of an incident backend.
    pub readings: Readings,
    /// Its silences, and when they were read.
    pub silences: Option<(Timestamp, Vec<Silence>)>,
}

impl TargetState {
    /// A target that was never written to.
    pub fn new(facts: TargetFacts, now: Timestamp) -> Self {
        let seed = crate::domain::outward::pace::seed(facts.name.as_str()) ^ now.timestamp_millis() as u64;
        let bucket = Bucket::full(facts.pace, now);
        let breaker = Breaker::new(Policy::default(), seed);
        let told = facts.caps.clone();
        Self {
            facts,
            told,
            lost: BTreeMap::new(),
            barred: Barred::default(),
            breaker,
            bucket,
            fault: None,
            good: None,
            incidents: None,
            on_call: None,
            readings: Readings::default(),
            silences: None,
        }
    }

    /// It is known better now, by a probe or by an answer. What this machine was refused stays refused.
    pub fn know(&mut self, facts: TargetFacts, now: Timestamp) {
        if self.facts.pace != facts.pace {
            self.bucket = Bucket::full(facts.pace, now);
        }
        self.told = facts.caps.clone();
        self.facts = facts;
        for (capability, (lack, words)) in &self.lost {
            if self.facts.caps.class(*capability).is_some() {
                self.facts.caps.lose(*capability, *lack, words);
            }
        }
    }

    /// What an outcome teaches: after a 402, or a 403 that is the token's and not that of one thing ([`Barred`]), the same is
    /// not asked for again before a person wants it. Gives what was lost by it.
    pub fn learn(&mut self, intent: &Intent, outcome: &Outcome) -> Option<String> {
        let capability = intent.capability();
        let (lack, words) = match outcome {
            Outcome::Applied(_) | Outcome::Accepted(_) => {
                self.barred.worked(capability);
                return None;
            }
            Outcome::Refused { kind: Obstacle::PlanLacks, words } => (Lack::PlanLacks, words.clone()),
            Outcome::Refused { kind, words } if kind.forbids() => {
                let more = self.barred.takes_away(capability, *kind, self.thing(intent).as_deref())?;
                let words = if more.is_empty() { words.clone() } else { format!("{words} ({more})") };
                (Lack::NoPermission, words)
            }
            _ => return None,
        };
        self.facts.caps.class(capability)?;
        self.facts.caps.lose(capability, lack, &words);
        self.lost.insert(capability, (lack, words));
        self.facts.caps.why_not(capability)
    }

    /// What an act is about. The usual room of a chat is a room like others, unless it has no others.
    fn thing(&self, intent: &Intent) -> Option<String> {
        let rooms = self.facts.caps.class(Capability::CreateRoom).is_some();
        let usual = rooms && matches!(intent.capability(), Capability::Post | Capability::EditMessage);
        intent.thing().or_else(|| usual.then(|| "its usual room".to_owned()))
    }

    /// The same for a look.
    pub fn learn_of_look(&mut self, intent: &Intent, found: &Found) -> Option<String> {
        match found {
            Found::Refused { kind, words } => {
                self.learn(intent, &Outcome::Refused { kind: *kind, words: words.clone() })
            }
            _ => None,
        }
    }

    /// A person wants it tried again: what answers had taught is forgotten.
    pub fn forgive(&mut self) {
        self.lost.clear();
        self.barred.forget();
        self.facts.caps = self.told.clone();
        self.breaker.try_now();
    }

    /// Whether it may be written to now.
    pub fn readiness(&self, now: Timestamp) -> Readiness {
        let said = |fallback: &str| match &self.fault {
            Some((_, fault)) => format!("{}: {}", fault.kind.word(), fault.detail),
            None => fallback.to_owned(),
        };
        match self.breaker.state() {
            breaker::State::Held => Readiness::Stopped(format!(
                "{} stopped ({}); R on screen 7 tries again",
                self.facts.name,
                said("refused")
            )),
            breaker::State::Open { until, by_server } => {
                let why = if by_server { "it asked to wait" } else { "it fails" };
                Readiness::NotBefore(until, format!("{} waits until {}: {why}", self.facts.name, clock(until)))
            }
            breaker::State::HalfOpen { probe: Some(at), .. } => {
                Readiness::NotBefore(at + secs(60), format!("{} is being tried", self.facts.name))
            }
            breaker::State::Closed { .. } | breaker::State::HalfOpen { .. } => match self.bucket.ready(now) {
                Ok(()) => Readiness::Ready,
                Err(at) => Readiness::NotBefore(at, "sent slowly, one after the other".into()),
            },
        }
    }

    /// It answered, whatever the answer.
    pub fn answered(&mut self, now: Timestamp) {
        self.good = Some(now);
        self.fault = None;
        self.breaker.succeeded();
    }

    /// It did not. What only this machine did wrong says nothing about it.
    pub fn failed(&mut self, now: Timestamp, fault: Fault) {
        // A login page comes from somebody in between; knocking on may lock the door as a wrong token does.
        let mut told = fault.clone();
        if fault.kind == FaultKind::LoginPage {
            told.kind = FaultKind::Auth;
        }
        if fault.kind != FaultKind::Local {
            self.breaker.failed(now, &told);
        }
        let since = self.fault.as_ref().map_or(now, |(since, _)| *since);
        self.fault = Some((since, fault));
    }
}

/// What is under way from here for one entry.
#[derive(Clone, Debug, PartialEq)]
pub enum Busy {
    /// A step is on its way to the record; `true`: a person asked for it and is told when it does not fit.
    Stepping(Step, bool),
    /// A send is out.
    Sending,
    /// A look is out.
    Looking,
}

/// The outbox as this cockpit sees it.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    /// This process, unique over all that ever run; empty where nothing is ever sent.
    pub holder: String,
    /// How long what goes to other people waits for `u`.
    pub hold: Span,
    /// Entries by operation, in the order of their making.
    pub entries: BTreeMap<OpId, Entry>,
    /// When each was first seen here, on a clock that follows changes of the time of day.
    pub seen: BTreeMap<OpId, Timestamp>,
    /// Targets by name.
    pub targets: BTreeMap<SourceName, TargetState>,
    /// What is under way.
    pub busy: BTreeMap<OpId, Busy>,
    /// Results that the record has not taken, and when it is asked again.
    pub unrecorded: BTreeMap<OpId, (Step, Timestamp)>,
    /// Entries that are let alone for a moment: the record refused a step of ours, or could not be written.
    pub pauses: BTreeMap<OpId, Timestamp>,
    /// Events of no incident that are not on disk, by request.
    pub unsaved: Vec<(ReqId, Vec<NewEvent>)>,
    /// Silences that were made longer by this cockpit, with the end they had.
    pub kept: BTreeSet<(SourceName, String, Timestamp)>,
    /// Silences whose end was told, with that end.
    pub warned: BTreeSet<(SourceName, String, Timestamp)>,
    /// Targets that lead to another thing since then, with where they led before.
    moved: BTreeMap<SourceName, (Timestamp, String)>,
}

/// The longest such moment.
pub const PAUSE: Span = Span::seconds(5);

impl Outbox {
    /// Takes in entries of the record; an older copy never replaces a newer one.
    pub fn take(&mut self, now: Timestamp, entries: impl IntoIterator<Item = Entry>) {
        for entry in entries {
            let id = entry.op.id.clone();
            if self.entries.get(&id).is_some_and(|there| there.rev > entry.rev) {
                continue;
            }
            self.seen.entry(id.clone()).or_insert(now);
            self.entries.insert(id, entry);
        }
    }

    /// A target of this name leads to another thing from now on: silences that were known there are not known any more.
    pub fn moved(&mut self, name: &SourceName, now: Timestamp) {
        let before = self.targets.get(name).map(|target| target.facts.address.clone()).unwrap_or_default();
        self.moved.insert(name.clone(), (now, before));
        self.kept.retain(|(target, ..)| target != name);
        self.warned.retain(|(target, ..)| target != name);
    }

    /// Why an operation is not for the target that its name leads to now: it was decided for the one before, and no person
    /// has said since that it is meant all the same.
    pub fn stray(&self, entry: &Entry) -> Option<String> {
        let (since, before) = self.moved.get(&entry.op.target)?;
        let older = self.seen.get(&entry.op.id).is_none_or(|seen| seen <= since);
        let meant = entry.released_at.is_some_and(|at| at >= *since);
        let place =
            if before.is_empty() { "another place".to_owned() } else { format!("{} at {before}", entry.op.target) };
        (older && !meant).then(|| format!("it was for {place}, and {} leads elsewhere now", entry.op.target))
    }

    /// Entries that are not over.
    pub fn open(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values().filter(|entry| entry.ended().is_none())
    }

    /// How many are not over, and how many of them wait for a person.
    pub fn count(&self) -> (usize, usize) {
        let asked = self.open().filter(|entry| matches!(entry.state, State::Asked { .. })).count();
        (self.open().count(), asked)
    }

    /// Whether the target of an operation may be written to now.
    pub fn readiness(&self, op: &Operation, now: Timestamp) -> Readiness {
        let Some(target) = self.targets.get(&op.target) else {
            return Readiness::Stopped(format!("no target `{}` is configured here", op.target));
        };
        if let Some(why) = target.facts.caps.why_not(op.intent.capability()) {
            return Readiness::Stopped(format!("{}: {why}", op.target));
        }
        // One at a time per target; what stops a clock or wakes somebody has a lane of its own.
        let urgent = op.intent.fades();
        let ahead =
            self.busy.keys().filter_map(|id| self.entries.get(id)).find(|other| {
                other.op.id != op.id && other.op.target == op.target && other.op.intent.fades() == urgent
            });
        match ahead {
            Some(other) => {
                let at = now + secs(1);
                Readiness::NotBefore(at, format!("after: {}", other.op.intent.words()))
            }
            None => target.readiness(now),
        }
    }

    /// What may happen next to an entry.
    pub fn next(&self, entry: &Entry, now: Timestamp) -> Next {
        let target = self.readiness(&entry.op, now);
        let seen = self.seen.get(&entry.op.id).copied().unwrap_or(now);
        decide(entry, &Scene { now, seen, target: &target })
    }

    /// Until when an entry is let alone; a pause longer than any belongs to a clock that was set back.
    pub fn paused(&self, id: &OpId, now: Timestamp) -> Option<Timestamp> {
        self.pauses.get(id).copied().filter(|until| *until > now && *until - now <= PAUSE)
    }

    /// When something may change by itself.
    pub fn due(&self, now: Timestamp) -> Option<Timestamp> {
        let idle =
            |entry: &&Entry| !self.busy.contains_key(&entry.op.id) && !self.unrecorded.contains_key(&entry.op.id);
        let waits = self.open().filter(idle).filter_map(|entry| match self.next(entry, now) {
            Next::Wait { until, .. } => until,
            Next::Rest => None,
            Next::Send | Next::Look | Next::Expire | Next::Ask(_) => {
                Some(self.paused(&entry.op.id, now).unwrap_or(now))
            }
        });
        let unrecorded = self.unrecorded.iter().filter(|(id, _)| !self.busy.contains_key(id)).map(|(_, (_, at))| *at);
        waits.chain(unrecorded).min()
    }

    /// The targets that can do something, in the order of their names.
    pub fn able(&self, capability: Capability) -> impl Iterator<Item = &TargetState> {
        self.targets.values().filter(move |t| t.facts.caps.class(capability).is_some())
    }

    /// The wall clock was set by so much: instants that were noted on the old one go along.
    pub fn reclock(&mut self, now: Timestamp, by: Span) {
        let moved = |at: &mut Timestamp| *at = at.checked_add_signed(by).unwrap_or(*at);
        self.seen.values_mut().for_each(moved);
        self.unrecorded.values_mut().for_each(|(_, at)| *at = now);
        self.moved.values_mut().for_each(|(since, _)| moved(since));
        self.pauses.clear();
        for target in self.targets.values_mut() {
            target.good.iter_mut().for_each(moved);
            target.fault.iter_mut().for_each(|(since, _)| moved(since));
            target.incidents.iter_mut().for_each(|(at, _)| moved(at));
            target.on_call.iter_mut().for_each(|(at, _)| moved(at));
            target.silences.iter_mut().for_each(|(at, _)| moved(at));
            // A pause that was to end on the old clock may never end on the new one.
            if matches!(target.breaker.state(), breaker::State::Open { .. }) {
                target.breaker.try_now();
            }
        }
    }
}

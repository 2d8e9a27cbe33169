//! The world of a drill: signals, alerts, injects and tools as they stand at an instant, moved on second by second by the
//! drill's own clock and by what the players record. Pure: a function of the scenario, the seed and the acts. Knows no real
//! thing and no way to one.
//!
//! `stage/alarm.rs` has alerts, `stage/book.rs` what objectives count, `stage/command.rs` what commands answer,
//! `stage/facts.rs` what the players did, `stage/goal.rs` how far expectations are, `stage/steering.rs` what a facilitator
//! may do, `stage/told.rs` the log.

pub mod alarm;
pub mod book;
pub mod command;
pub mod facts;
pub mod goal;
pub mod steering;
pub mod told;

pub use command::Told;
pub use facts::{Done, Facts, Ran};
pub use steering::{Cost, Stand, Upcoming};
pub use told::{Entry, Happened};

use crate::domain::alert::Alert;
use crate::domain::drill::scenario::{Act, Ending, Given, Moment, Scenario, Tool};
use crate::domain::drill::scenario::{Failing, Hold};
use crate::domain::drill::stage::alarm::Alarms;
use crate::domain::drill::stage::book::Book;
use crate::domain::drill::stage::command::Started;
use crate::domain::drill::stage::goal::{Goal, Scene};
use crate::domain::drill::track::Track;
use crate::domain::incident::event::Event;
use crate::domain::labels::Labels;
use crate::domain::slo::objective::Objective;
use crate::domain::slo::reading::{Counts, Window};
use crate::domain::slo::sample::Sample;
use crate::domain::time::{Timestamp, seconds};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is kept of a drill's log; a drill that says more is told as cut.
const MOST_ENTRIES: usize = 20_000;

/// Why a drill ended, and when.
#[derive(Clone, Debug, PartialEq)]
pub struct Ended {
    /// When, on the drill's clock.
    pub at: Timestamp,
    /// `time`, `aborted`, the name of an expectation or a milestone.
    pub why: String,
}

/// Something that will happen by itself.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Due {
    at: Timestamp,
    number: u64,
    what: Later,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Later {
    /// What a command changes, once it ended.
    CommandEnds(Box<Started>),
    /// A change that was to begin a little later.
    Act(String, Act),
    /// A tool works again.
    Mended(Tool),
}

/// The world of a drill.
#[derive(Clone, Debug)]
pub struct Stage {
    scenario: Arc<Scenario>,
    seed: u64,
    tracks: BTreeMap<String, Track>,
    books: Vec<Book>,
    alarms: Alarms,
    tools: BTreeMap<Tool, Failing>,
    injects: Vec<Stand>,
    due: Vec<Due>,
    numbered: u64,
    facts: Facts,
    goals: Vec<Goal>,
    ends: Vec<Goal>,
    restored: Option<Goal>,
    log: Vec<Entry>,
    messages: Vec<(Timestamp, String, String)>,
    costs: Vec<Cost>,
    /// Whole seconds that were played.
    played: i64,
    ended: Option<Ended>,
}

impl Stage {
    /// The world of a scenario before its first second, with all chance from `seed`.
    pub fn new(scenario: Arc<Scenario>, seed: u64) -> Self {
        let tracks: BTreeMap<String, Track> =
            (1..).zip(&scenario.signals).map(|(n, s)| (s.id.clone(), Track::new(s, seed, n))).collect();
        let well = |hold: &Hold| Goal::new(Some(hold.clone()));
        let ends = scenario
            .end
            .iter()
            .map(|end| Goal::new(if let Ending::Well(hold) = end { Some(hold.clone()) } else { None }));
        Self {
            books: scenario.objectives.iter().map(|p| Book::new(p.clone())).collect(),
            alarms: Alarms::new(&scenario),
            tools: BTreeMap::new(),
            injects: scenario.injects.iter().map(|_| Stand::default()).collect(),
            due: Vec::new(),
            numbered: 0,
            facts: Facts::default(),
            goals: scenario.expect.iter().map(Goal::of).collect(),
            ends: ends.collect(),
            restored: scenario.recovery.as_ref().and_then(|r| r.restored.as_ref()).map(well),
            log: Vec::new(),
            messages: Vec::new(),
            costs: Vec::new(),
            played: 0,
            ended: None,
            tracks,
            seed,
            scenario,
        }
    }

    /// The scenario that is played.
    pub fn scenario(&self) -> &Arc<Scenario> {
        &self.scenario
    }

    /// Where its chance comes from.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// What the clock showed when it began.
    pub fn start(&self) -> Timestamp {
        self.scenario.begins
    }

    /// Why it ended; `None` goes on.
    pub fn ended(&self) -> Option<&Ended> {
        self.ended.as_ref()
    }

    /// What the players did so far.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// How far each expectation is, in the order of the scenario.
    pub fn goals(&self) -> &[Goal] {
        &self.goals
    }

    /// When it works again, where the scenario's recovery says what that is.
    pub fn restored(&self) -> Option<Timestamp> {
        self.restored.as_ref()?.met
    }

    /// Everything that happened, oldest first.
    pub fn log(&self) -> &[Entry] {
        &self.log
    }

    /// What facilitators took off.
    pub fn costs(&self) -> &[Cost] {
        &self.costs
    }

    /// What was said since the last call: when, by whom, what.
    pub fn take_messages(&mut self) -> Vec<(Timestamp, String, String)> {
        std::mem::take(&mut self.messages)
    }

    /// The value of a signal at an instant; `None` for an unknown one.
    pub fn signal(&self, id: &str, at: Timestamp) -> Option<f64> {
        self.tracks.get(id).map(|track| track.at(self.elapsed(at)))
    }

    /// How a tool fails now; `None` works.
    pub fn failing(&self, tool: Tool) -> Option<Failing> {
        self.tools.get(&tool).copied()
    }

    /// The alerts as they stand, those of rules first.
    pub fn alerts(&self) -> Vec<Alert> {
        self.alarms.standing()
    }

    /// The alerting rules as a server reports them.
    pub fn rules(&self) -> Vec<crate::domain::alert::rule::AlertRule> {
        self.alarms.rules()
    }

    /// The objectives as every other part of the product sees them.
    pub fn objectives(&self) -> Vec<Arc<Objective>> {
        self.books.iter().map(|book| Arc::new(book.objective(&self.scenario.path))).collect()
    }

    /// Bad and all events (minutes for a threshold) of an objective in the window that ends at an instant.
    pub fn window(&self, slo: &str, window: Window, at: Timestamp) -> Option<Counts> {
        let book = self.books.iter().find(|b| b.promise().id == slo)?;
        let to = self.elapsed(at);
        Some(book.between(to - f64::from(window.0), to))
    }

    /// Events per second of a service, where an objective counts them.
    pub fn rate(&self, service: &str, at: Timestamp) -> Option<f64> {
        let at = self.elapsed(at);
        let book = self.books.iter().find(|b| b.promise().service == service && b.counts_events())?;
        let counts = book.between(at - 60.0, at);
        Some(counts.total / 60.0)
    }

    /// What a query of a runbook is answered; `None` is not simulated, which is noted.
    pub fn query(&mut self, promql: &str, now: Timestamp) -> Option<Vec<Sample>> {
        self.advance(now);
        let flat = |text: &str| text.split_whitespace().collect::<String>();
        let asked = flat(promql);
        let known = self.scenario.queries.iter().find(|q| flat(&q.promql) == asked);
        let found = match known {
            Some(query) => self.signal(&query.signal, now).map(|v| (v * query.scale, query.labels.clone())),
            None => {
                let by_name = self.scenario.signals.iter().find(|s| s.id.replace('.', ":") == asked || s.id == asked);
                by_name.and_then(|s| self.signal(&s.id, now)).map(|v| (v, Labels::default()))
            }
        };
        if found.is_none() {
            let what = Happened::NotSimulated(promql.split_whitespace().collect::<Vec<_>>().join(" "));
            if !self.log.iter().any(|entry| entry.what == what) {
                self.tell(now, what);
            }
        }
        found.map(|(value, labels)| vec![Sample { labels, at: now, value }])
    }

    /// Takes in what was recorded. What a persona says or the program itself writes is no act of a player.
    pub fn witness(&mut self, events: &[Event]) {
        for event in events {
            self.advance(event.recorded_at);
            if self.ended.is_some() {
                return;
            }
            if let Some(what) = self.facts.take(event) {
                self.tell(event.recorded_at, what);
            }
        }
        self.judge(self.at(self.played));
    }

    /// Plays every second up to an instant.
    pub fn advance(&mut self, now: Timestamp) {
        let upto = self.elapsed(now).floor();
        while self.ended.is_none() && (self.played as f64) < upto {
            self.played += 1;
            self.second(self.at(self.played));
        }
        // What began between two seconds is there at once.
        if self.ended.is_none() {
            self.happen(now);
        }
    }

    /// When something happens by itself next: a second at most, because conditions are looked at once a second.
    pub fn next(&self) -> Option<Timestamp> {
        self.ended.is_none().then(|| self.at(self.played + 1))
    }

    fn second(&mut self, now: Timestamp) {
        self.happen(now);
        let at = self.elapsed(now);
        for book in &mut self.books {
            book.play(at, &self.tracks);
        }
        for what in self.alarms.look(now, at, &self.tracks) {
            self.tell(now, what);
        }
        self.judge(now);
        self.end_if_over(now);
    }

    /// Expectations and ends, looked at once.
    fn judge(&mut self, now: Timestamp) {
        let at = self.elapsed(now);
        let scene = Scene { facts: &self.facts, alarms: &self.alarms, now, at, tracks: &self.tracks };
        for (goal, expectation) in self.goals.iter_mut().zip(&self.scenario.expect) {
            goal.look(expectation, &scene);
        }
        for goal in self.ends.iter_mut().chain(&mut self.restored) {
            goal.look_at_signal(now, at, &self.tracks);
        }
    }

    fn end_if_over(&mut self, now: Timestamp) {
        let why = self.scenario.end.iter().zip(&self.ends).find_map(|(end, goal)| match end {
            Ending::Met(named) => self.is_met(&named.name).then(|| named.name.clone()),
            Ending::Reached(milestone, _) => self.reached(*milestone).map(|_| milestone.word().to_owned()),
            Ending::Well(hold) => goal.met.map(|_| format!("{} is well", hold.signal)),
            Ending::At(span, _) => (now - self.start() >= *span).then(|| "time".to_owned()),
        });
        let over = now - self.start() >= self.scenario.duration;
        if let Some(why) = why.or_else(|| over.then(|| "time".to_owned())) {
            self.finish(now, &why);
        }
    }

    pub(super) fn finish(&mut self, now: Timestamp, why: &str) {
        if self.ended.is_none() {
            self.tell(now, Happened::Ended(why.to_owned()));
            self.ended = Some(Ended { at: now, why: why.to_owned() });
        }
    }

    /// Injects and what was put off, in the order of their instants.
    fn happen(&mut self, now: Timestamp) {
        // Each turn does one thing; what it causes at the same instant is found by the next one.
        for _ in 0..10_000 {
            let inject =
                (0..self.injects.len()).filter_map(|i| Some((self.comes_at(i)?, i))).filter(|(at, _)| *at <= now).min();
            let due = self.due.iter().map(|d| (d.at, d.number)).filter(|(at, _)| *at <= now).min();
            match (inject, due) {
                (Some((at, i)), due) if due.is_none_or(|(other, _)| at <= other) => self.come(i, at, "clock"),
                (_, Some((at, number))) => self.fall_due(at, number),
                _ => return,
            }
        }
    }

    fn fall_due(&mut self, at: Timestamp, number: u64) {
        let Some(place) = self.due.iter().position(|d| d.number == number) else { return };
        match self.due.remove(place).what {
            Later::CommandEnds(started) => self.command_ends(at, *started),
            Later::Act(cause, act) => self.act(at, &cause, &act),
            Later::Mended(tool) => {
                if self.tools.remove(&tool).is_some() {
                    self.tell(at, Happened::Mended(tool));
                }
            }
        }
    }

    pub(super) fn later(&mut self, at: Timestamp, what: Later) -> u64 {
        self.numbered += 1;
        self.due.push(Due { at, number: self.numbered, what });
        self.numbered
    }

    /// When an inject comes by itself; `None` when it came, was skipped, or waits for another one or a person.
    pub(super) fn comes_at(&self, i: usize) -> Option<Timestamp> {
        let (inject, stand) = (self.scenario.injects.get(i)?, self.injects.get(i)?);
        if stand.over() {
            return None;
        }
        let base = match &inject.moment {
            Moment::At(at) => self.start().checked_add_signed(*at),
            Moment::After { inject, delay } => {
                let place = self.scenario.injects.iter().position(|other| other.id == *inject)?;
                self.injects.get(place)?.came?.checked_add_signed(*delay)
            }
            Moment::ByHand => None,
        };
        base?.checked_add_signed(stand.shift)
    }

    /// An inject comes, unless its conditions say otherwise.
    fn come(&mut self, i: usize, at: Timestamp, by: &str) {
        let Some(inject) = self.scenario.injects.get(i).cloned() else { return };
        let held = |given: &Given| self.holds(given, at);
        let skipped = match (&inject.only_if, &inject.unless) {
            (Some(given), _) if !held(given) => Some(format!("{} does not hold", words(given))),
            (_, Some(given)) if held(given) => Some(format!("{} holds", words(given))),
            _ => None,
        };
        if let Some(stand) = self.injects.get_mut(i) {
            match &skipped {
                Some(_) => stand.skipped = Some(at),
                None => stand.came = Some(at),
            }
        }
        match skipped {
            Some(why) => self.tell(at, Happened::NotInjected { inject: inject.id, why }),
            None => self.inject(at, &inject.id, &inject.act, by),
        }
    }

    pub(super) fn inject(&mut self, at: Timestamp, id: &str, act: &Act, by: &str) {
        self.tell(at, Happened::Injected { inject: id.to_owned(), what: told::words(act), by: by.to_owned() });
        self.act(at, id, act);
    }

    /// Something happens in the world.
    pub(super) fn act(&mut self, at: Timestamp, cause: &str, act: &Act) {
        match act {
            Act::Signal(change) if change.after > crate::domain::time::secs(0) => {
                let now =
                    crate::domain::drill::scenario::Change { after: crate::domain::time::secs(0), ..change.clone() };
                let due = at.checked_add_signed(change.after).unwrap_or(at);
                self.later(due, Later::Act(cause.to_owned(), Act::Signal(now)));
            }
            Act::Signal(change) => {
                let elapsed = self.elapsed(at);
                if let Some(track) = self.tracks.get_mut(&change.signal) {
                    track.change(elapsed, change.shape.clone());
                }
            }
            Act::Alert { alert, .. } => {
                self.alarms.raise(at, act);
                self.tell(at, Happened::Fired(alert.clone()));
            }
            Act::Clear(alert) => {
                if self.alarms.clear(alert) {
                    self.tell(at, Happened::Cleared(alert.clone()));
                }
            }
            Act::Message { from, text } => {
                self.tell(at, Happened::Said { from: from.clone(), text: text.clone() });
                self.messages.push((at, from.clone(), text.clone()));
            }
            Act::Fail { tool, how, for_ } => {
                // A newer failure takes the place of an older one, with its own end.
                self.due.retain(|d| d.what != Later::Mended(*tool));
                self.tools.insert(*tool, *how);
                self.tell(at, Happened::Failed(*tool, *how));
                if let Some(until) = for_.and_then(|span| at.checked_add_signed(span)) {
                    self.later(until, Later::Mended(*tool));
                }
            }
            Act::Mend(tool) => {
                self.due.retain(|d| d.what != Later::Mended(*tool));
                if self.tools.remove(tool).is_some() {
                    self.tell(at, Happened::Mended(*tool));
                }
            }
        }
    }

    /// Whether a condition holds at an instant.
    pub(super) fn holds(&self, given: &Given, at: Timestamp) -> bool {
        match given {
            Given::Reached(milestone) => self.reached(*milestone).is_some(),
            Given::Action(action) => self.facts.done(action).is_some(),
            Given::Step(step) => self.facts.step_done(step).is_some(),
            Given::Inject(id) => {
                let place = self.scenario.injects.iter().position(|i| i.id == *id);
                place.and_then(|i| self.injects.get(i)).is_some_and(|stand| stand.came.is_some())
            }
            Given::Severity(severity) => self.facts.severity_now() == Some(severity),
            Given::Signal(hold) => self.signal(&hold.signal, at).is_some_and(|v| hold.op.holds(v, hold.value)),
            Given::Expect(id) => self.is_met(id),
        }
    }

    /// When a milestone was reached first.
    pub fn reached(&self, milestone: crate::domain::drill::scenario::Milestone) -> Option<Timestamp> {
        match milestone {
            crate::domain::drill::scenario::Milestone::Paged => self.alarms.first_page(),
            other => self.facts.reached(other),
        }
    }

    fn is_met(&self, id: &str) -> bool {
        let place = self.scenario.expect.iter().position(|e| e.id == id);
        place.and_then(|i| self.goals.get(i)).is_some_and(|goal| goal.met.is_some())
    }

    /// When an inject came.
    pub fn came(&self, id: &str) -> Option<Timestamp> {
        let place = self.scenario.injects.iter().position(|i| i.id == id)?;
        self.injects.get(place)?.came
    }

    pub(super) fn tell(&mut self, at: Timestamp, what: Happened) {
        if self.log.len() < MOST_ENTRIES {
            self.log.push(Entry { at, what });
        }
    }

    fn elapsed(&self, at: Timestamp) -> f64 {
        seconds(at - self.start())
    }

    fn at(&self, second: i64) -> Timestamp {
        self.start().checked_add_signed(crate::domain::time::secs(second)).unwrap_or(self.start())
    }
}

/// A condition in words.
pub fn words(given: &Given) -> String {
    match given {
        Given::Reached(milestone) => format!("`{}`", milestone.word()),
        Given::Action(action) => format!("`action: {action}`"),
        Given::Step(step) => format!("`step: {step}`"),
        Given::Inject(id) => format!("`inject: {id}`"),
        Given::Severity(severity) => format!("`severity: {severity}`"),
        Given::Expect(id) => format!("`expect: {id}`"),
        Given::Signal(hold) => format!("`{} {} {}`", hold.signal, hold.op.word(), hold.value),
    }
}

#[cfg(test)]
mod tests;

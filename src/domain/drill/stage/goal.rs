//! How far an expectation or an end is. Looked at once a second; what was met stays met.

use crate::domain::drill::scenario::Milestone;
use crate::domain::drill::scenario::{Ban, Expectation, Hold, Want};
use crate::domain::drill::stage::alarm::Alarms;
use crate::domain::drill::stage::facts::Facts;
use crate::domain::drill::track::Track;
use crate::domain::time::Timestamp;
use std::collections::BTreeMap;

/// What there is to look at, at one instant.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'s> {
    /// What the players did.
    pub facts: &'s Facts,
    /// Alerts.
    pub alarms: &'s Alarms,
    /// When.
    pub now: Timestamp,
    /// Seconds since the beginning.
    pub at: f64,
    /// Signals.
    pub tracks: &'s BTreeMap<String, Track>,
}

/// How far something is.
#[derive(Clone, Debug, PartialEq)]
pub struct Goal {
    hold: Option<Hold>,
    /// The signal did not hold at some time: only then can it be well again.
    was_ill: bool,
    since: Option<Timestamp>,
    /// When it was met: of a hold the instant from which on it held.
    pub met: Option<Timestamp>,
    /// What must not happen did: when, and what it was.
    pub broken: Option<(Timestamp, String)>,
}

impl Goal {
    /// One that nobody is near to.
    pub fn new(hold: Option<Hold>) -> Self {
        Self { hold, was_ill: false, since: None, met: None, broken: None }
    }

    /// That of an expectation.
    pub fn of(expectation: &Expectation) -> Self {
        Self::new(match &expectation.want {
            Want::Well(hold) | Want::Never(Ban::Signal(hold)) => Some(hold.clone()),
            _ => None,
        })
    }

    /// Since when its signal is well, whether that has lasted long enough or not.
    pub fn well_since(&self) -> Option<Timestamp> {
        self.met.or(self.since.filter(|_| self.was_ill))
    }

    /// Looks at the signal alone.
    pub fn look_at_signal(&mut self, now: Timestamp, at: f64, tracks: &BTreeMap<String, Track>) {
        let Some(hold) = &self.hold else { return };
        let holds = tracks.get(&hold.signal).is_some_and(|t| hold.op.holds(t.at(at), hold.value));
        if !holds {
            self.was_ill = true;
            self.since = None;
            return;
        }
        let since = *self.since.get_or_insert(now);
        if self.was_ill && self.met.is_none() && now - since >= hold.for_ {
            self.met = Some(since);
        }
    }

    /// Looks at everything that an expectation may be about.
    pub fn look(&mut self, expectation: &Expectation, scene: &Scene<'_>) {
        let Scene { facts, alarms, now, at, tracks } = *scene;
        let met = match &expectation.want {
            Want::Well(_) => return self.look_at_signal(now, at, tracks),
            Want::Never(ban) => return self.look_at_ban(ban, facts, now, at, tracks),
            Want::Reached(Milestone::Paged) => alarms.first_page(),
            Want::Reached(milestone) => facts.reached(*milestone),
            Want::Severity(severity) => facts.severity(severity),
            Want::Action(action) => facts.done(action).map(|done| done.at),
            Want::Step(step) => facts.step_done(step),
        };
        self.met = self.met.or(met);
    }

    fn look_at_ban(&mut self, ban: &Ban, facts: &Facts, now: Timestamp, at: f64, tracks: &BTreeMap<String, Track>) {
        if self.broken.is_some() {
            return;
        }
        self.broken = match ban {
            Ban::Risk(risk) => facts
                .commands()
                .iter()
                .find(|r| r.risk >= *risk)
                .map(|r| (r.at, format!("`{}` by {}", r.command, r.actor))),
            Ban::Action(action) => facts.done(action).map(|d| (d.at, format!("{action} by {}", d.actor))),
            Ban::Signal(hold) => {
                let value = tracks.get(&hold.signal).map(|t| t.at(at));
                let holds = value.is_some_and(|v| hold.op.holds(v, hold.value));
                let since = if holds { Some(*self.since.get_or_insert(now)) } else { None };
                self.since = since;
                let long = since.is_some_and(|since| now - since >= hold.for_);
                long.then(|| (now, format!("{} {} {}", hold.signal, hold.op.word(), hold.value)))
            }
        };
    }
}

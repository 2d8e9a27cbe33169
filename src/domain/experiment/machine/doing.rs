//! The method and the rollback: one part after the other, each written down before it is done. A part of the method that
//! fails opens the way out; a part of the rollback that fails does not keep the next one from being done.

use super::{Effect, End, Machine, Phase};
use crate::domain::experiment::entry::{Body, Cause};
use crate::domain::experiment::model::Deed;
use crate::domain::time::{Timestamp, secs};

/// Where in a list of deeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doing {
    /// Which, from 0.
    pub at: usize,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// A wait before it.
    Before(Timestamp),
    /// It runs.
    Running,
    /// A wait after it.
    After(Timestamp),
}

impl Doing {
    /// Before the deed at a place.
    pub(super) fn at(at: usize, list: &[Deed], now: Timestamp) -> Self {
        let before = list.get(at).map_or_else(|| secs(0), |deed| deed.before);
        Self { at, stage: Stage::Before(now + before) }
    }

    /// Whether something runs.
    pub fn is_running(&self) -> bool {
        self.stage == Stage::Running
    }

    /// Until when it waits.
    pub(super) fn until(&self) -> Option<Timestamp> {
        match self.stage {
            Stage::Before(until) | Stage::After(until) => Some(until),
            Stage::Running => None,
        }
    }
}

/// Whether this is what a list waits for.
fn is_current(list: &[Deed], id: &str, doing: Doing) -> bool {
    doing.is_running() && list.get(doing.at).is_some_and(|deed| deed.id == id)
}

impl Machine {
    /// The next thing of the method or of the rollback, when its wait is over.
    pub(super) fn carry_on(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        // Every turn does one thing of a list, so that this ends.
        loop {
            let (doing, back) = match &self.phase {
                Phase::Method(doing) => (*doing, false),
                Phase::Rollback(doing) => (*doing, true),
                _ => return,
            };
            let experiment = std::sync::Arc::clone(&self.experiment);
            let list = if back { &experiment.rollback } else { &experiment.method };
            let Some(deed) = list.get(doing.at) else { return self.listed(back, now, effects) };
            match doing.stage {
                Stage::Running => return,
                Stage::Before(until) | Stage::After(until) if now < until => return,
                Stage::After(_) => self.doing(back, Doing::at(doing.at + 1, list, now)),
                // What is known to be taken back is not taken back again.
                Stage::Before(_) if back && self.record.is_done(&deed.id) => {
                    self.doing(back, Doing::at(doing.at + 1, list, now));
                }
                Stage::Before(_) => {
                    self.record(Body::Started { id: deed.id.clone(), shown: deed.line() }, now, effects);
                    self.say(format!("{}: {}", deed.id, deed.title()), effects);
                    effects.push(Effect::Run(deed.id.clone()));
                    return self.doing(back, Doing { at: doing.at, stage: Stage::Running });
                }
            }
        }
    }

    fn doing(&mut self, back: bool, doing: Doing) {
        self.phase = if back { Phase::Rollback(doing) } else { Phase::Method(doing) };
    }

    /// The list is at its end.
    fn listed(&mut self, back: bool, now: Timestamp, effects: &mut Vec<Effect>) {
        if !back {
            self.in_force = Some(now);
            self.phase = Phase::Watching;
            self.say("the method is in force; watching", effects);
            // What was seen before it was is no look at it.
            for watch in &mut self.watches {
                watch.next = watch.next.min(now);
            }
            return;
        }
        let ok = self.experiment.rollback.iter().all(|deed| self.record.is_done(&deed.id));
        self.record(Body::RolledBack { ok }, now, effects);
        self.say(if ok { "rolled back" } else { "THE ROLLBACK IS NOT DONE: look, and finish it by hand" }, effects);
        if self.hurried {
            return self.finish(now, effects);
        }
        self.watches.iter_mut().for_each(|watch| watch.reset(now));
        self.phase = Phase::Recovery(now);
    }

    /// Begins the rollback.
    pub(super) fn roll_back(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        self.phase = Phase::Rollback(Doing::at(0, &self.experiment.rollback, now));
        self.carry_on(now, effects);
    }

    /// Something that was run is over.
    pub(super) fn ended(&mut self, id: &str, end: End, now: Timestamp, effects: &mut Vec<Effect>) {
        match self.phase.clone() {
            Phase::Guard(at) if self.experiment.book.guards.get(at).is_some_and(|guard| guard.command.id == id) => {
                self.guarded(at, &end, now, effects);
            }
            Phase::Method(doing) if is_current(&self.experiment.method, id, doing) => {
                self.tell_end(id, &end, now, effects);
                match self.experiment.method.get(doing.at) {
                    Some(deed) if end.ok == Some(true) => {
                        self.phase = Phase::Method(Doing { at: doing.at, stage: Stage::After(now + deed.after) });
                    }
                    _ => {
                        // Nothing runs any more, so that the way out does not wait for it.
                        self.phase = Phase::Method(Doing { at: doing.at, stage: Stage::After(now) });
                        self.leave(Cause::Method { id: id.to_owned(), how: end.how }, now, effects);
                    }
                }
            }
            Phase::Stopping(_) if id.starts_with("method.") => {
                self.tell_end(id, &end, now, effects);
                self.roll_back(now, effects);
            }
            Phase::Rollback(doing) if is_current(&self.experiment.rollback, id, doing) => {
                self.tell_end(id, &end, now, effects);
                let after = self.experiment.rollback.get(doing.at).map_or_else(|| secs(0), |deed| deed.after);
                self.phase = Phase::Rollback(Doing { at: doing.at, stage: Stage::After(now + after) });
            }
            // It was not waited for, and ends all the same.
            Phase::Rollback(_) if id.starts_with("method.") => self.tell_end(id, &end, now, effects),
            _ => {}
        }
    }

    fn tell_end(&mut self, id: &str, end: &End, now: Timestamp, effects: &mut Vec<Effect>) {
        let body = Body::Ended { id: id.to_owned(), ok: end.ok, how: end.how.clone(), excerpt: end.excerpt.clone() };
        self.record(body, now, effects);
        let words = match end.ok {
            Some(true) => "done",
            Some(false) => "FAILED",
            None => "how it ended is not known",
        };
        self.say(format!("{id}: {words} ({})", end.how), effects);
    }
}

//! What is looked at, and what the looks came to. A steady condition is lost by a gap and by what is not known; an abort
//! condition is cleared by a look that says so, and by nothing else.

use super::Phase;
use crate::domain::experiment::model::{Experiment, Watched};
use crate::domain::runbook::hold::Look;
use crate::domain::time::{Span, Timestamp, secs};

/// What a condition is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Must hold before and after.
    Steady,
    /// Ends it.
    Abort,
    /// Must hold meanwhile.
    Success,
    /// The share that is touched: above what may be, it ends it.
    Blast,
}

impl Role {
    /// For people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Steady => "steady",
            Self::Abort => "abort",
            Self::Success => "success",
            Self::Blast => "blast",
        }
    }

    /// Whether it ends the experiment when it holds, and when nothing is known of it.
    pub fn ends(self) -> bool {
        matches!(self, Self::Abort | Self::Blast)
    }
}

/// A condition that is looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Watch {
    /// What it is for.
    pub role: Role,
    /// Its place among those of its role.
    pub place: usize,
    /// What people call it.
    pub name: String,
    /// When it is looked at next.
    pub next: Timestamp,
    /// A look is awaited.
    pub asked: bool,
    /// The last look.
    pub last: Option<(Timestamp, Look)>,
    /// When something was last learned from it; when watching began, before the first time.
    pub known: Timestamp,
    /// Since when it holds.
    pub since: Option<Timestamp>,
    /// For how long it must.
    for_: Span,
    /// Only the last look counts.
    at_end: bool,
    /// A look while the method was in force: that it held, the first that it did not, the first that said nothing.
    met: bool,
    failed: Option<(Timestamp, String)>,
    blind: Option<(Timestamp, String)>,
}

/// All of an experiment's.
pub(super) fn all(it: &Experiment, now: Timestamp) -> Vec<Watch> {
    let lists = [(Role::Steady, &it.steady), (Role::Abort, &it.abort), (Role::Success, &it.success)];
    let blast = it.blast.share.iter().map(|watched| Watch::new(Role::Blast, 0, watched, now));
    let of = |role: Role, list: &[Watched]| -> Vec<Watch> {
        list.iter().enumerate().map(|(place, watched)| Watch::new(role, place, watched, now)).collect()
    };
    lists.into_iter().flat_map(|(role, list)| of(role, list)).chain(blast).collect()
}

impl Watch {
    fn new(role: Role, place: usize, watched: &Watched, now: Timestamp) -> Self {
        Self {
            role,
            place,
            name: watched.name.clone(),
            next: now,
            asked: false,
            last: None,
            known: now,
            since: None,
            for_: watched.for_,
            at_end: watched.at_end,
            met: false,
            failed: None,
            blind: None,
        }
    }

    /// The condition in the file.
    pub fn watched<'e>(&self, it: &'e Experiment) -> Option<&'e Watched> {
        let list = match self.role {
            Role::Steady => &it.steady,
            Role::Abort => &it.abort,
            Role::Success => &it.success,
            Role::Blast => return it.blast.share.as_ref(),
        };
        list.get(self.place)
    }

    /// For how long it must hold.
    pub fn needed(&self) -> Span {
        self.for_
    }

    pub(super) fn within(&self, it: &Experiment) -> Span {
        self.watched(it).map_or_else(|| secs(0), |watched| watched.within)
    }

    /// Whether it is looked at in a phase. While it is taken back nothing is: a look must not delay that.
    pub(super) fn is_active(&self, phase: &Phase) -> bool {
        match phase {
            Phase::Steady(_)
            | Phase::Confirm(_)
            | Phase::Environment
            | Phase::Again
            | Phase::Method(_)
            | Phase::Watching => true,
            Phase::Recovery(_) => self.role == Role::Steady,
            _ => false,
        }
    }

    /// Begins anew.
    pub(super) fn reset(&mut self, now: Timestamp) {
        (self.next, self.asked, self.last, self.known, self.since) = (now, false, None, now, None);
    }

    /// Takes in a look; `judged` while the method is in force.
    pub(super) fn take(&mut self, now: Timestamp, look: Look, every: Span, judged: bool) {
        let gap = self.last.as_ref().is_some_and(|(at, _)| now - *at > every * 2 + secs(15) || now < *at);
        match (&look, self.role) {
            (Look::NoData(_), role) if role.ends() => {}
            (Look::NoData(_), _) => self.since = None,
            (Look::Fails(_), _) => self.since = None,
            (Look::Holds(_), role) if role.ends() => {
                self.since.get_or_insert(now);
            }
            (Look::Holds(_), _) if gap => self.since = Some(now),
            (Look::Holds(_), _) => {
                self.since.get_or_insert(now);
            }
        }
        if !matches!(look, Look::NoData(_)) {
            self.known = now;
        }
        if judged {
            match &look {
                Look::Holds(_) => self.met = true,
                Look::Fails(seen) => drop(self.failed.get_or_insert((now, seen.clone()))),
                Look::NoData(why) => drop(self.blind.get_or_insert((now, why.clone()))),
            }
        }
        (self.asked, self.next, self.last) = (false, now + every, Some((now, look)));
    }

    /// It has held for its time, as far as somebody looked.
    pub(super) fn has_held(&self, now: Timestamp) -> bool {
        let looked = self.last.as_ref().map_or(now, |(at, _)| *at);
        self.since.is_some_and(|since| looked - since >= self.for_)
    }

    /// Of an abort condition: it held for its time, and no look has said otherwise since.
    pub(super) fn is_breached(&self) -> bool {
        let looked = self.last.as_ref().map(|(at, _)| *at);
        self.since.zip(looked).is_some_and(|(since, looked)| looked - since >= self.for_)
    }

    /// The last look said something, not long ago.
    pub(super) fn is_known(&self, now: Timestamp, every: Span) -> bool {
        self.last
            .as_ref()
            .is_some_and(|(at, look)| !matches!(look, Look::NoData(_)) && now - *at <= every * 2 + secs(15))
    }

    /// The last value, for people.
    pub fn seen(&self) -> String {
        match &self.last {
            None => "not looked at".to_owned(),
            Some((_, Look::Holds(seen) | Look::Fails(seen))) => seen.clone(),
            Some((_, Look::NoData(why))) => format!("no data: {why}"),
        }
    }

    pub(super) fn seen_words(&self) -> String {
        format!("{} ({})", self.name, self.seen())
    }

    /// What a criterion came to.
    pub(super) fn criterion(&self, in_force: bool, now: Timestamp, every: Span) -> (Option<bool>, String) {
        if !in_force {
            return (None, "the method was never wholly in force".to_owned());
        }
        let at = |at: &Timestamp| crate::domain::time::clock(*at);
        if self.at_end {
            return match &self.last {
                Some((_, Look::Holds(seen))) if self.is_known(now, every) => (Some(true), seen.clone()),
                Some((_, Look::Fails(seen))) if self.is_known(now, every) => (Some(false), seen.clone()),
                _ => (None, self.seen()),
            };
        }
        match (&self.failed, &self.blind, self.met) {
            (Some((when, seen)), _, _) => (Some(false), format!("{seen} at {}", at(when))),
            (None, Some((when, why)), _) => (None, format!("no data at {}: {why}", at(when))),
            (None, None, true) => (Some(true), self.seen()),
            (None, None, false) => (None, "nobody looked while the method was in force".to_owned()),
        }
    }
}

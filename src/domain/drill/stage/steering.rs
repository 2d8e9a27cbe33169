//! What a facilitator may do to a running drill: see what comes, fire, skip and delay it, say something as somebody, give
//! hints at a cost, end it. Everything is in the log, so that the report can tell it.

use crate::domain::drill::scenario::{Act, Given, Inject};
use crate::domain::drill::stage::told::{Happened, words};
use crate::domain::drill::stage::{Stage, words as given_words};
use crate::domain::time::{Span, Timestamp, compact};

/// Where an inject stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stand {
    /// When it came.
    pub came: Option<Timestamp>,
    /// When it was skipped.
    pub skipped: Option<Timestamp>,
    /// How much later it comes than the scenario says.
    pub shift: Span,
}

impl Stand {
    /// It came, or never will.
    pub fn over(&self) -> bool {
        self.came.is_some() || self.skipped.is_some()
    }
}

/// An inject as a facilitator sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Upcoming {
    /// Its number, from 1.
    pub number: usize,
    /// Its name.
    pub inject: String,
    /// What it does, in words.
    pub what: String,
    /// Its condition in words, ``unless `declared` ``; empty comes whatever happens.
    pub given: String,
    /// When it comes by itself; `None` waits for another one or for a hand.
    pub at: Option<Timestamp>,
    /// Where it stands.
    pub stand: Stand,
}

/// Points that were taken off.
#[derive(Clone, Debug, PartialEq)]
pub struct Cost {
    /// When.
    pub at: Timestamp,
    /// For what.
    pub what: String,
    /// How many, more than 0.
    pub points: i64,
}

impl Stage {
    /// Every inject in the order of the scenario.
    pub fn upcoming(&self) -> Vec<Upcoming> {
        let row = |(i, inject): (usize, &Inject)| Upcoming {
            number: i + 1,
            inject: inject.id.clone(),
            what: words(&inject.act),
            given: condition(inject),
            at: self.comes_at(i),
            stand: self.injects.get(i).cloned().unwrap_or_default(),
        };
        self.scenario.injects.iter().enumerate().map(row).collect()
    }

    /// An inject by its number (from 1) or its name.
    pub fn find_inject(&self, typed: &str) -> Option<usize> {
        let by_name = self.scenario.injects.iter().position(|inject| inject.id == typed);
        by_name.or_else(|| {
            let number = typed.parse::<usize>().ok()?.checked_sub(1)?;
            (number < self.scenario.injects.len()).then_some(number)
        })
    }

    /// An inject comes now, whatever its conditions say. `Err` says why not.
    pub fn fire(&mut self, typed: &str, now: Timestamp) -> Result<(), String> {
        let (place, act, id) = self.open(typed, now)?;
        if let Some(stand) = self.injects.get_mut(place) {
            stand.came = Some(now);
        }
        self.inject(now, &id, &act, "facilitator");
        Ok(())
    }

    /// An inject never comes.
    pub fn skip(&mut self, typed: &str, now: Timestamp) -> Result<(), String> {
        let (place, _, id) = self.open(typed, now)?;
        if let Some(stand) = self.injects.get_mut(place) {
            stand.skipped = Some(now);
        }
        self.tell(now, Happened::NotInjected { inject: id, why: "skipped by the facilitator".into() });
        Ok(())
    }

    /// An inject comes later than it would; a span below 0 brings it nearer.
    pub fn delay(&mut self, typed: &str, by: Span, now: Timestamp) -> Result<(), String> {
        let (place, _, id) = self.open(typed, now)?;
        let stand = self.injects.get_mut(place).ok_or("there is no such inject")?;
        stand.shift = stand.shift.checked_add(&by).ok_or("that is too far away")?;
        let way = if by < Span::zero() { "brings nearer" } else { "puts off" };
        self.record(Happened::Steered(format!("{way} {id} by {}", compact(by.abs()))), now);
        Ok(())
    }

    fn open(&mut self, typed: &str, now: Timestamp) -> Result<(usize, Act, String), String> {
        self.advance(now);
        if let Some(ended) = &self.ended {
            return Err(format!("the drill is over ({})", ended.why));
        }
        let place = self.find_inject(typed).ok_or_else(|| format!("there is no inject `{typed}`"))?;
        let inject = self.scenario.injects.get(place).ok_or("there is no such inject")?;
        match self.injects.get(place) {
            Some(stand) if stand.came.is_some() => Err(format!("{} came already", inject.id)),
            Some(stand) if stand.skipped.is_some() => Err(format!("{} was skipped", inject.id)),
            _ => Ok((place, inject.act.clone(), inject.id.clone())),
        }
    }

    /// Somebody says something.
    pub fn speak(&mut self, from: &str, text: &str, now: Timestamp) {
        self.record(Happened::Steered(format!("says as {from}: {text}")), now);
        self.messages.push((now, from.to_owned(), text.to_owned()));
    }

    /// Something around the drill goes into its log: who sits down, what is done to its clock.
    pub fn record(&mut self, what: Happened, now: Timestamp) {
        self.advance(now);
        self.tell(now, what);
    }

    /// A hint, and what it costs.
    pub fn hint(&mut self, text: &str, points: i64, now: Timestamp) {
        self.advance(now);
        let points = points.max(0);
        self.costs.push(Cost { at: now, what: format!("hint: {text}"), points });
        self.tell(now, Happened::Hint { text: text.to_owned(), points });
        self.messages.push((now, "hint".into(), text.to_owned()));
    }

    /// The players leave before it is over.
    pub fn leave(&mut self, now: Timestamp) {
        self.finish(now, "left");
    }

    /// The drill is over before it is.
    pub fn abort(&mut self, why: &str, now: Timestamp) {
        self.advance(now);
        if !why.is_empty() && self.ended.is_none() {
            self.tell(now, Happened::Steered(format!("ends it: {why}")));
        }
        self.finish(now, "aborted");
    }
}

/// What an inject depends on beside the clock, in words.
fn condition(inject: &Inject) -> String {
    let part = |word: &str, given: &Option<Given>| given.as_ref().map(|given| format!("{word} {}", given_words(given)));
    [part("if", &inject.only_if), part("unless", &inject.unless)]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" and ")
}

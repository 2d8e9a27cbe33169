//! A run as its journal tells it: what was done, what is owed, how it ended. A fold of entries; knows no file and no clock.

use crate::domain::experiment::entry::{Body, Cause, Entry, Opened, Outcome};
use crate::domain::time::Timestamp;

/// A part of the method or of the rollback.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    /// `method.1`.
    pub id: String,
    /// Exactly what.
    pub shown: String,
    /// When it began, the last time.
    pub started: Timestamp,
    /// When it ended and how; `None` while that is not known.
    pub ended: Option<(Timestamp, Option<bool>, String)>,
}

/// A criterion, a condition or an answer and what it came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// Which.
    pub name: String,
    /// Yes, no, or unknown.
    pub met: Option<bool>,
    /// Why.
    pub seen: String,
}

/// A run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// How it began.
    pub opened: Option<Opened>,
    /// When it was wanted.
    pub opened_at: Option<Timestamp>,
    /// What kept it from beginning.
    pub refused: Vec<String>,
    /// What may be touched, what was measured of it last, and why it is not measured.
    pub touched: Option<(Option<String>, Option<String>, String)>,
    /// When the environment's name was typed.
    pub begun: Option<Timestamp>,
    /// What was done, in order; a thing that was done again is there once.
    pub done: Vec<Done>,
    /// Why the way out began, and when.
    pub cause: Option<(Timestamp, Cause)>,
    /// The rollback was tried as a whole: it is done, or not.
    pub rolled_back: Option<(Timestamp, bool)>,
    /// A person says that it was done by hand.
    pub settled: Option<(String, String)>,
    /// Steady conditions before.
    pub before: Vec<Judged>,
    /// Steady conditions after the rollback.
    pub after: Vec<Judged>,
    /// Criteria.
    pub criteria: Vec<Judged>,
    /// Questions.
    pub answers: Vec<Judged>,
    /// How it ended.
    pub closed: Option<(Timestamp, Outcome, Option<bool>)>,
}

impl Record {
    /// The run that a journal tells of.
    pub fn fold(entries: &[Entry]) -> Self {
        let mut record = Self::default();
        entries.iter().for_each(|entry| record.apply(entry.at, &entry.body));
        record
    }

    /// Takes in what happened.
    pub fn apply(&mut self, at: Timestamp, body: &Body) {
        match body {
            Body::Opened(opened) => (self.opened, self.opened_at) = (Some((**opened).clone()), Some(at)),
            Body::Refused { why } => self.refused.extend(why.iter().cloned()),
            Body::Begun { .. } => self.begun = Some(at),
            Body::Touched { limit, seen, why } => self.touched = Some((limit.clone(), seen.clone(), why.clone())),
            Body::Started { id, shown } => {
                self.done.retain(|done| done.id != *id);
                self.done.push(Done { id: id.clone(), shown: shown.clone(), started: at, ended: None });
            }
            Body::Ended { id, ok, how, .. } => {
                if let Some(done) = self.done.iter_mut().find(|done| done.id == *id) {
                    done.ended = Some((at, *ok, how.clone()));
                }
            }
            // The first cause is the cause; what came on the way out changes nothing about it.
            Body::Leaving { cause } => {
                self.cause.get_or_insert((at, cause.clone()));
            }
            Body::RolledBack { ok } => self.rolled_back = Some((at, *ok)),
            Body::Steady { after, name, since, seen } => {
                let judged = Judged { name: name.clone(), met: Some(since.is_some()), seen: seen.clone() };
                let list = if *after { &mut self.after } else { &mut self.before };
                list.retain(|known| known.name != *name);
                list.push(judged);
            }
            Body::Judged { name, met, seen } => {
                self.criteria.push(Judged { name: name.clone(), met: *met, seen: seen.clone() });
            }
            Body::Answered { question, answer } => {
                self.answers.push(Judged { name: question.clone(), met: *answer, seen: String::new() });
            }
            Body::Settled { by, note } => self.settled = Some((by.clone(), note.clone())),
            Body::Closed { outcome, hypothesis } => self.closed = Some((at, *outcome, *hypothesis)),
            Body::Checked { .. } | Body::Guard { .. } | Body::Confirmed { .. } | Body::TakenOver { .. } => {}
        }
    }

    /// A part that was begun.
    pub fn done(&self, id: &str) -> Option<&Done> {
        self.done.iter().find(|done| done.id == id)
    }

    /// Whether a part is known to be done.
    pub fn is_done(&self, id: &str) -> bool {
        self.done(id).is_some_and(|done| matches!(done.ended, Some((_, Some(true), _))))
    }

    /// Whether anything was begun that changes something.
    pub fn changed(&self) -> bool {
        self.done.iter().any(|done| done.id.starts_with("method."))
    }

    /// Whether its rollback is still owed: something was changed, and nobody knows that it was taken back.
    pub fn owes_rollback(&self) -> bool {
        self.changed() && self.settled.is_none() && !matches!(self.rolled_back, Some((_, true)))
    }

    /// Whether it is over with nothing owed.
    pub fn is_over(&self) -> bool {
        self.closed.is_some() && !self.owes_rollback()
    }

    /// What it came to: met, not met, or unknown.
    pub fn hypothesis(&self) -> Option<bool> {
        match self.cause.as_ref().map(|(_, cause)| cause) {
            Some(Cause::TimeUp) => {}
            Some(Cause::Condition { .. }) => return Some(false),
            _ => return None,
        }
        let parts = self.criteria.iter().chain(&self.answers).chain(&self.after);
        let all: Vec<Option<bool>> = parts.map(|judged| judged.met).collect();
        if all.contains(&Some(false)) {
            return Some(false);
        }
        // Without a look at what came back, nobody knows.
        let known = !self.after.is_empty() && (!self.criteria.is_empty() || !self.answers.is_empty());
        (known && all.iter().all(|met| *met == Some(true))).then_some(true)
    }
}

//! What measurements suggest for the checks of the step in view. In memory alone: a suggestion is looked at anew, never
//! recorded, and gone when it is old.

use crate::domain::ids::{ReqId, RunbookId, StepId};
use crate::domain::runbook::suggest::Suggestion;
use crate::domain::time::{Span, Timestamp};
use std::collections::BTreeMap;

/// Between two looks, while the check is on the screen.
pub const EVERY: Span = Span::seconds(15);
/// After which a look says nothing any more, and an answer is not waited for any longer.
pub const OLD: Span = Span::seconds(60);

/// A check: its runbook, its step, its number from 0.
pub type Key = (RunbookId, StepId, usize);

/// What was measured for checks.
#[derive(Clone, Debug, Default)]
pub struct Suggested(pub BTreeMap<Key, Measured>);

/// What was measured for one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    /// The measurement in words; another one in a newer file begins anew.
    pub what: String,
    /// What the last look said.
    pub seen: Option<(Timestamp, Suggestion)>,
    /// A look that is under way, since when.
    pub asked: Option<(ReqId, Timestamp)>,
}

impl Measured {
    /// When it is to be looked at next.
    pub fn next(&self) -> Option<Timestamp> {
        match (&self.asked, &self.seen) {
            (Some((_, since)), _) => Some(*since + OLD),
            (None, Some((at, _))) => Some(*at + EVERY),
            (None, None) => None,
        }
    }
}

impl Suggested {
    /// What a look says that is not too old; `None` while nobody knows yet.
    pub fn of(&self, key: &Key, now: Timestamp) -> Option<&Suggestion> {
        let (at, said) = self.0.get(key)?.seen.as_ref()?;
        (*at <= now && now - *at < OLD).then_some(said)
    }

    /// The clock was set: everything is looked at anew.
    pub fn forget(&mut self) {
        self.0.clear();
    }
}

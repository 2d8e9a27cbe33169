//! Where a person is in a runbook: the record of the incident beside the runbook as it is on disk now. The record may be
//! of an older file; steps are matched by id and nothing that was done is lost.

use crate::domain::ids::StepId;
use crate::domain::incident::decide::{Refusal, text};
use crate::domain::incident::event::StepEnd;
use crate::domain::incident::state::{StepMark, Walk};
use crate::domain::runbook::model::{Runbook, Step};
pub use crate::domain::runbook::route::current;
use crate::domain::runbook::route::{Stand, again, route};
use crate::domain::runbook::values::Values;

/// How far a walk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Steps of the runbook that ended.
    pub ended: usize,
    /// Steps of the runbook.
    pub total: usize,
}

/// How the file differs from the one that was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drift {
    /// The text is another one.
    pub changed: bool,
    /// Steps with a record that the runbook no longer has.
    pub gone: Vec<StepId>,
}

/// The step that a screen opens at: the one touched last while it is open, else the first open one, else the last.
pub fn focus<'r>(runbook: &'r Runbook, walk: &Walk, values: &Values) -> Option<&'r Step> {
    let stands = route(runbook, walk, values);
    let open = |id: &StepId| {
        let at = runbook.steps.iter().position(|step| step.id == *id);
        at.and_then(|at| stands.get(at)).is_some_and(Stand::is_open)
    };
    let touched = walk.last.as_ref().filter(|id| open(id)).and_then(|id| runbook.step(id));
    touched.or_else(|| current(runbook, walk, values)).or(runbook.steps.last())
}

/// How many of the runbook's own steps ended.
pub fn progress(runbook: &Runbook, walk: &Walk) -> Progress {
    let ended = runbook.steps.iter().filter(|step| walk.steps.contains_key(&step.id)).count();
    Progress { ended, total: runbook.steps.len() }
}

/// How a step ended; `None` is open.
pub fn mark<'w>(step: &Step, walk: &'w Walk) -> Option<&'w StepMark> {
    walk.steps.get(&step.id)
}

/// The checks of a step without an answer, and those to be asked again, from 0.
pub fn open_checks(step: &Step, walk: &Walk) -> Vec<usize> {
    let answers = walk.answers.get(&step.id);
    let open = |check: &usize| answers.is_none_or(|a| !a.contains_key(check)) || again(step, *check, walk).is_some();
    (0..step.checks.len()).filter(open).collect()
}

/// Whether a step may end so. It always may, whatever is unanswered, but skipping and failing need a reason, and only
/// what ended can be opened again.
pub fn end(step: &Step, walk: &Walk, how: StepEnd) -> Result<StepEnd, Refusal> {
    match how {
        StepEnd::Done => Ok(StepEnd::Done),
        StepEnd::Skipped(why) => Ok(StepEnd::Skipped(text(&why, "a reason for skipping")?)),
        StepEnd::Failed(why) => Ok(StepEnd::Failed(text(&why, "what went wrong")?)),
        StepEnd::Reopened if walk.steps.contains_key(&step.id) => Ok(StepEnd::Reopened),
        StepEnd::Reopened => Err(Refusal(format!("step {} is open", step.name))),
    }
}

/// How the file changed since it was opened for this walk.
pub fn drift(runbook: &Runbook, walk: &Walk) -> Drift {
    let recorded = walk.steps.keys().chain(walk.answers.keys()).chain(walk.chosen.keys());
    let mut gone: Vec<StepId> = recorded.filter(|id| runbook.step(id).is_none()).cloned().collect();
    gone.sort();
    gone.dedup();
    Drift { changed: !walk.sha256.is_empty() && walk.sha256 != runbook.sha256, gone }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::incident::event::Answer;
    use crate::domain::runbook::format::read;

    fn book(text: &str) -> Runbook {
        read("r.yaml", text).0.unwrap()
    }

    fn done(walk: &mut Walk, id: &str) {
        let at = "2026-05-01T03:00:00Z".parse().unwrap();
        walk.steps.insert(id.into(), StepMark { end: StepEnd::Done, actor: "alice".into(), at });
    }

    const TEXT: &str = "name: R\nsteps:\n  - {name: One, checks: ['A? b', 'C?']}\n  - {name: Two}\n  - {name: Three}\n";

    #[test]
    fn a_walk_goes_step_by_step() {
        let book = book(TEXT);
        let mut walk = Walk { sha256: book.sha256.clone(), ..Walk::default() };
        assert_eq!(current(&book, &walk, &Values::default()).unwrap().name, "One");
        assert_eq!(open_checks(&book.steps[0], &walk), [0, 1]);
        walk.answers.entry("one".into()).or_default().insert(0, Answer::No);
        assert_eq!(open_checks(&book.steps[0], &walk), [1]);
        done(&mut walk, "two");
        assert_eq!(current(&book, &walk, &Values::default()).unwrap().name, "One");
        done(&mut walk, "one");
        assert_eq!(current(&book, &walk, &Values::default()).unwrap().name, "Three");
        assert_eq!(progress(&book, &walk), Progress { ended: 2, total: 3 });
        done(&mut walk, "three");
        assert_eq!(current(&book, &walk, &Values::default()), None);
        assert_eq!(focus(&book, &walk, &Values::default()).unwrap().name, "Three");
        assert_eq!(drift(&book, &walk), Drift::default());
    }

    #[test]
    fn ends_need_reasons_and_nothing_else() {
        let book = book(TEXT);
        let walk = Walk::default();
        let step = &book.steps[0];
        assert_eq!(end(step, &walk, StepEnd::Done), Ok(StepEnd::Done));
        assert!(end(step, &walk, StepEnd::Skipped("  ".into())).is_err());
        assert_eq!(end(step, &walk, StepEnd::Skipped(" seen ".into())), Ok(StepEnd::Skipped("seen".into())));
        assert!(end(step, &walk, StepEnd::Reopened).is_err());
    }

    #[test]
    fn a_changed_file_keeps_what_was_done() {
        let old = book(TEXT);
        let mut walk = Walk { sha256: old.sha256, ..Walk::default() };
        done(&mut walk, "one");
        done(&mut walk, "two");
        let new = book("name: R\nsteps:\n  - {name: Zero}\n  - {name: Two}\n");
        assert_eq!(drift(&new, &walk), Drift { changed: true, gone: vec!["one".into()] });
        assert_eq!(current(&new, &walk, &Values::default()).unwrap().name, "Zero");
        assert_eq!(progress(&new, &walk), Progress { ended: 1, total: 2 });
    }
}

//! Suggestions on the screen: beside the check that asks, and on the steps that its yes names. Chooses nothing.

use crate::app::model::Model;
use crate::app::present::view::StepRow;
use crate::domain::incident::state::Walk;
use crate::domain::runbook::model::{Runbook, Step};
use crate::domain::runbook::suggest::{Suggestion, named, open, words};
use crate::domain::time::Timestamp;

/// What is suggested for an open check: whether yes is, and the measurement with what it says. `None` where the runbook
/// measures nothing or the check is answered.
pub fn of(
    model: &Model,
    now: Timestamp,
    (book, step, walk): (&Runbook, &Step, &Walk),
    check: usize,
) -> Option<(bool, String)> {
    let (_, suggest) = open(step, walk).into_iter().find(|(n, _)| *n == check)?;
    let what = words(suggest);
    let key = (book.id.clone(), step.id.clone(), check);
    let said = model.suggested.of(&key, now);
    let words = said.map_or_else(|| "being measured".to_owned(), Suggestion::words);
    Some((matches!(said, Some(Suggestion::Yes(_))), format!("{what}: {words}")))
}

/// Marks the steps that a suggested yes of the shown step names.
pub fn mark(model: &Model, now: Timestamp, shown: (&Runbook, &Step, &Walk), rows: &mut [StepRow]) {
    let (book, step, walk) = shown;
    for (check, _) in open(step, walk) {
        if !of(model, now, shown, check).is_some_and(|(yes, _)| yes) {
            continue;
        }
        for other in named(book, step, check) {
            let at = book.steps.iter().position(|s| s.id == other.id);
            let Some(row) = at.and_then(|at| rows.get_mut(at)) else { continue };
            row.note = if row.note.is_empty() { "suggested".into() } else { format!("suggested   {}", row.note) };
        }
    }
}

//! What lint found in a step, where the step is walked: a mark on its row, and the words above its content. Judges nothing;
//! the findings are those of the library.

use crate::app::model::Model;
use crate::app::present::view::StepRow;
use crate::domain::document::{Finding, Level};
use crate::domain::ids::StepId;
use crate::domain::runbook::model::Runbook;

/// Findings that are told in full.
const TOLD: usize = 3;

/// Marks the rows of a runbook's steps, and puts the findings of the shown step above what it says. `shown` is the step
/// whose content is on the screen.
pub fn mark(model: &Model, book: &Runbook, shown: &StepId, rows: &mut [StepRow], say: &mut Vec<String>) {
    let ends = |n: usize| {
        let after = book.steps.get(n + 1).map(|step| step.mark.line);
        let own = book.steps.get(n).map_or(0, |step| step.mark.line);
        after
            .or_else(|| book.escalation.iter().map(|rung| rung.mark.line).find(|line| *line > own))
            .unwrap_or(usize::MAX)
    };
    for (n, (step, row)) in book.steps.iter().zip(rows).enumerate() {
        let inside =
            |f: &&Finding| f.path == book.path && f.level > Level::Info && f.line >= step.mark.line && f.line < ends(n);
        let found: Vec<&Finding> = model.library_findings.iter().filter(inside).collect();
        let errors = found.iter().filter(|f| f.level == Level::Error).count();
        let count = match (errors, found.len()) {
            (0, 0) => continue,
            (0, 1) => "1 warning".to_owned(),
            (0, all) => format!("{all} warnings"),
            (1, _) => "1 error".to_owned(),
            (errors, _) => format!("{errors} errors"),
        };
        row.note = if row.note.is_empty() { count } else { format!("{}   {count}", row.note) };
        if step.id == *shown {
            let mut words: Vec<String> = found.iter().take(TOLD).map(|f| told(f)).collect();
            if found.len() > TOLD {
                words.push(format!("and {} more: midwatch runbook lint {}", found.len() - TOLD, book.path));
            }
            say.splice(0..0, words);
        }
    }
}

fn told(finding: &Finding) -> String {
    let level = if finding.level == Level::Error { "error" } else { "warning" };
    format!("{level} in line {}: {} [{}]", finding.line, finding.message, finding.rule)
}

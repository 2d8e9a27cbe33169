//! What lint found in a step, where the step is walked: a mark on its row, and the words above its content. What it found
//! beside the steps (a trigger, a contact) is told above the first one. Judges nothing; the findings are those of the
//! library.

use crate::app::model::Model;
use crate::app::present::view::StepRow;
use crate::domain::document::{Finding, Level};
use crate::domain::ids::StepId;
use crate::domain::runbook::model::{Runbook, Step};
use std::cmp::Reverse;
use std::ops::Range;

/// Findings that are told in full.
const TOLD: usize = 3;

/// Marks the rows of a runbook's steps, and puts the findings of the shown step above what it says. `shown` is the step
/// whose content is on the screen.
pub fn mark(model: &Model, book: &Runbook, shown: &StepId, rows: &mut [StepRow], say: &mut Vec<String>) {
    for (step, row) in book.steps.iter().zip(rows) {
        let Some((path, lines)) = place(model, book, &step.id) else { continue };
        let inside = |f: &&Finding| f.path == path && told_at_a_step(f) && lines.contains(&f.line);
        let found: Vec<&Finding> = model.runbook_findings().filter(inside).collect();
        let mark = counted(&found);
        if !mark.is_empty() {
            row.note = if row.note.is_empty() { mark } else { format!("{}   {mark}", row.note) };
        }
        if step.id == *shown {
            let mut words: Vec<String> = found.iter().take(TOLD).map(|f| told(f)).collect();
            if found.len() > TOLD {
                words.push(format!("and {} more: midwatch runbook lint {path}", found.len() - TOLD));
            }
            if book.steps.first().is_some_and(|first| first.id == *shown) {
                words.extend(beside(model, book));
            }
            say.splice(0..0, words);
        }
    }
}

/// Remarks are for whoever writes runbooks, but that a drill failed here is for whoever walks.
fn told_at_a_step(finding: &Finding) -> bool {
    finding.level > Level::Info || finding.rule == "RB015"
}

/// The file and the lines of a step: those of the included runbook, where it came from one.
fn place(model: &Model, book: &Runbook, id: &StepId) -> Option<(String, Range<usize>)> {
    let (book, step) = origin(model, book, id)?;
    let own = step.mark.line;
    let steps = book.steps.iter().filter(|step| !is_included(step)).map(|step| step.mark.line);
    let rungs = book.escalation.iter().map(|rung| rung.mark.line);
    let end = steps.chain(rungs).filter(|line| *line > own).min();
    Some((book.path.clone(), own..end.unwrap_or(usize::MAX)))
}

/// A step where it was written.
fn origin<'m>(model: &'m Model, book: &'m Runbook, id: &'m StepId) -> Option<(&'m Runbook, &'m Step)> {
    let (mut book, mut id) = (book, id.as_str());
    while let Some((head, inner)) = id.split_once('/') {
        let including = book.steps.iter().find(|step| step.id.as_str() == head)?;
        book = model.runbook(including.include.as_ref()?)?;
        id = inner;
    }
    book.steps.iter().find(|step| step.id.as_str() == id).map(|step| (book, step))
}

fn is_included(step: &Step) -> bool {
    step.id.as_str().contains('/')
}

fn counted(found: &[&Finding]) -> String {
    let count = |level| found.iter().filter(|f| f.level == level).count();
    let word = |n: usize, one: &str| if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") };
    match (count(Level::Error), count(Level::Error) + count(Level::Warning)) {
        (0, 0) if found.is_empty() => String::new(),
        (0, 0) => "failed in a drill".to_owned(),
        (0, all) => word(all, "warning"),
        (errors, _) => word(errors, "error"),
    }
}

/// What is wrong with the runbook as a whole, in one line.
fn beside(model: &Model, book: &Runbook) -> Option<String> {
    let steps: Vec<Range<usize>> = book
        .steps
        .iter()
        .filter(|step| !is_included(step))
        .filter_map(|s| Some(place(model, book, &s.id)?.1))
        .collect();
    let outside = |f: &&Finding| {
        f.path == book.path && f.level > Level::Info && !steps.iter().any(|lines| lines.contains(&f.line))
    };
    let found: Vec<&Finding> = model.runbook_findings().filter(outside).collect();
    let worst = found.iter().min_by_key(|f| (Reverse(f.level), f.line))?;
    let more = if found.len() > 1 { format!(" (and {} more)", found.len() - 1) } else { String::new() };
    Some(format!("about the runbook, {}{more}", told(worst)))
}

fn told(finding: &Finding) -> String {
    format!("{} in line {}: {} [{}]", word(finding), finding.line, finding.message, finding.rule)
}

fn word(finding: &Finding) -> &'static str {
    match finding.level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Info => "remark",
    }
}

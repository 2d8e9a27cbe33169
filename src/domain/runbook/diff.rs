//! What changed between two versions of the runbooks, in words for one line each. Compares what a walk shows and runs; where
//! a thing stands in its file is no difference.

use crate::domain::runbook::model::{Runbook, Step};
use crate::domain::runbook::unplaced;
use std::sync::Arc;

/// The most steps that are named.
const NAMED: usize = 3;

/// What changed in a library, runbook by runbook, in the order of the new one; gone ones last.
pub fn library(old: &[Arc<Runbook>], new: &[Arc<Runbook>]) -> Vec<String> {
    let find = |books: &[Arc<Runbook>], book: &Runbook| books.iter().find(|b| b.id == book.id).cloned();
    let mut told: Vec<String> = Vec::new();
    for book in new {
        match find(old, book) {
            None => told.push(format!("runbook {}: new, {}", book.id, steps(book.steps.len()))),
            Some(before) => told.extend(runbook(&before, book).map(|what| format!("runbook {}: {what}", book.id))),
        }
    }
    let gone = old.iter().filter(|book| find(new, book).is_none());
    told.extend(gone.map(|book| format!("runbook {}: its file is gone", book.id)));
    told
}

/// What changed in one runbook; `None` when nothing that matters did.
pub fn runbook(old: &Runbook, new: &Runbook) -> Option<String> {
    let find = |book: &Runbook, step: &Step| book.steps.iter().find(|s| s.id == step.id).cloned();
    let added = new.steps.iter().filter(|s| find(old, s).is_none()).count();
    let removed = old.steps.iter().filter(|s| find(new, s).is_none()).count();
    let changed: Vec<&str> = new
        .steps
        .iter()
        .filter(|s| find(old, s).is_some_and(|before| unplaced::step(&before) != unplaced::step(s)))
        .map(|s| s.id.as_str())
        .collect();
    let mut words = Vec::new();
    if added > 0 {
        words.push(format!("{} added", steps(added)));
    }
    if removed > 0 {
        words.push(format!("{} removed", steps(removed)));
    }
    if !changed.is_empty() {
        let named: Vec<String> = changed.iter().take(NAMED).map(|id| format!("`{id}`")).collect();
        let more = changed.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let word = if changed.len() == 1 { "step" } else { "steps" };
        words.push(format!("{word} {}{more} changed", named.join(", ")));
    }
    let order = |book: &Runbook| book.steps.iter().map(|s| s.id.clone()).collect::<Vec<_>>();
    if words.is_empty() && order(old) != order(new) {
        words.push("steps in another order".to_owned());
    }
    if unplaced::head(old) != unplaced::head(new) {
        words.push("its head changed".to_owned());
    }
    (!words.is_empty()).then(|| words.join(", "))
}

fn steps(n: usize) -> String {
    if n == 1 { "1 step".to_owned() } else { format!("{n} steps") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::runbook::format::read;

    fn book(id: &str, text: &str) -> Arc<Runbook> {
        Arc::new(read(&format!("r/{id}.yaml"), text).0.unwrap())
    }

    const OLD: &str = "name: A\nsteps:\n  - {name: One, commands: ['df -h']}\n  - {name: Mitigate, description: x}\n";

    fn told(new: &str) -> Option<String> {
        runbook(&book("a", OLD), &book("a", new))
    }

    #[test]
    fn a_change_is_told_by_its_steps() {
        assert_eq!(told(OLD), None);
        assert_eq!(told(&format!("# a comment moves every mark\n\n{OLD}")), None);
        assert_eq!(told(&OLD.replace("df -h", "df -i")).as_deref(), Some("step `one` changed"));
        assert_eq!(
            told(&format!(
                "{}  - {{name: Three}}\n  - {{name: Four}}\n",
                OLD.replace("description: x", "description: y")
            ))
            .as_deref(),
            Some("2 steps added, step `mitigate` changed")
        );
        assert_eq!(told("name: A\nsteps: [{name: Mitigate, description: x}]\n").as_deref(), Some("1 step removed"));
        assert_eq!(told(&OLD.replace("name: A", "name: B")).as_deref(), Some("its head changed"));
        assert_eq!(
            told(&OLD.replace("df -h", "echo \"Mark { line: 1, column: 2 }\"")).as_deref(),
            Some("step `one` changed")
        );
        let turned = "name: A\nsteps:\n  - {name: Mitigate, description: x}\n  - {name: One, commands: ['df -h']}\n";
        assert_eq!(told(turned).as_deref(), Some("steps in another order"));
    }

    /// Every key of both dialects, moved by a comment: whatever has a place, none of it is a change.
    #[test]
    fn a_comment_is_no_change_of_anything() {
        for text in [
            include_str!("../../../tests/fixtures/runbooks/v1/every-key.yaml"),
            include_str!("../../../tests/fixtures/runbooks/good/every-key.yaml"),
        ] {
            let moved = format!("# a comment\n\n{text}");
            assert_eq!(runbook(&book("a", text), &book("a", &moved)), None);
            let deeper = text.lines().map(|line| format!("  {line}\n")).collect::<String>();
            assert_eq!(runbook(&book("a", text), &book("a", &deeper)), None, "columns too");
        }
    }

    #[test]
    fn a_library_tells_what_came_and_went() {
        let (a, b, c) = (book("a", OLD), book("b", OLD), book("c", OLD));
        let changed = book("b", &OLD.replace("df -h", "df -i"));
        assert_eq!(
            library(&[a.clone(), b], &[changed, c]),
            ["runbook b: step `one` changed", "runbook c: new, 2 steps", "runbook a: its file is gone"]
        );
        assert_eq!(library(std::slice::from_ref(&a), std::slice::from_ref(&a)), Vec::<String>::new());
    }
}

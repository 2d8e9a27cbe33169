//! The time limit of the configuration, for the commands of a runbook that names none. A runbook's own limits stand.

use crate::domain::runbook::model::{Condition, Mutation, Rollback, RunCommand, Runbook};
use crate::domain::time::Span;
use std::sync::Arc;

/// The runbook with this limit where it names none.
pub fn limited(book: &Arc<Runbook>, limit: Span) -> Arc<Runbook> {
    let silent = |c: &RunCommand| !c.own_limit && c.timeout != limit;
    if !book.parts().any(|(_, command)| silent(command)) {
        return Arc::clone(book);
    }
    let mut book = Runbook::clone(book);
    book.guards.iter_mut().for_each(|probe| set(&mut probe.command, limit));
    for step in &mut book.steps {
        step.commands.iter_mut().for_each(|command| set(command, limit));
        for option in &mut step.options {
            option.command.iter_mut().for_each(|command| set(command, limit));
            around(&mut option.mutation, limit);
        }
    }
    Arc::new(book)
}

fn set(command: &mut RunCommand, limit: Span) {
    if !command.own_limit {
        command.timeout = limit;
    }
    if let Some(mutation) = command.mutation.as_deref_mut() {
        around(mutation, limit);
    }
}

fn around(mutation: &mut Mutation, limit: Span) {
    mutation.before.iter_mut().chain(mutation.dry_run.iter_mut()).for_each(|command| set(command, limit));
    if let Some(Condition::Exec(command)) = mutation.verify.as_mut().map(|v| &mut v.what) {
        set(command, limit);
    }
    if let Rollback::Command(command) = &mut mutation.rollback {
        set(command, limit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::runbook::format::read;
    use crate::domain::time::secs;

    const V1: &str = "apiVersion: midwatch/v1
kind: Runbook
id: r
name: R
guard: [{argv: [id], equals: x}]
steps:
  - id: a
    name: A
    run:
      - {argv: [ls], risk: read}
      - {argv: [du], risk: read, timeout: 5s}
    options:
      - id: o
        action: O
        risk: change
        before: {argv: [cat, x]}
        dry_run: {argv: [true, x]}
        run: {argv: [touch, x], timeout: 60s}
        verify: {argv: [test, -e, x], for: 1s, within: 1m}
        rollback: {argv: [rm, x]}
";

    fn limits(book: &Runbook) -> Vec<i64> {
        book.parts().map(|(_, c)| c.timeout.num_seconds()).collect()
    }

    #[test]
    fn only_what_the_runbook_leaves_open_is_limited() {
        let book = Arc::new(read("r.yaml", V1).0.unwrap());
        assert_eq!(limits(&book), [60, 60, 5, 60, 60, 60, 60, 60]);
        let other = limited(&book, secs(7));
        assert_eq!(limits(&other), [7, 7, 5, 7, 7, 60, 7, 7], "a minute that is written is a minute");
        assert_eq!(limits(&limited(&other, secs(60))), limits(&book));
        assert!(Arc::ptr_eq(&limited(&book, secs(60)), &book));
        let said = V1.replace("guard:", "defaults: {timeout: 9s}\nguard:");
        let said = Arc::new(read("r.yaml", &said).0.unwrap());
        assert_eq!(limits(&limited(&said, secs(7))), [9, 9, 5, 9, 9, 60, 9, 9]);
        let seed = "name: S\nsteps:\n  - {name: A, commands: [[ls]]}\n  - {name: B, timeout: 60s, commands: [[ls]]}\n";
        assert_eq!(limits(&limited(&Arc::new(read("s.yaml", seed).0.unwrap()), secs(7))), [7, 60]);
    }
}

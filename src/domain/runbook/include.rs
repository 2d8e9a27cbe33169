//! A runbook with the steps of those that it includes, as one list. Ids of included steps and commands begin with the step
//! that includes them. Goes three deep, never in a circle, and reads no file.

use crate::domain::ids::{RunbookId, StepId};
use crate::domain::incident::event::Answer;
use crate::domain::runbook::model::{Condition, Go, Mutation, OnFail, Rollback, RunCommand, Runbook, Step, When};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// How deep runbooks may include each other.
pub const DEPTH: usize = 3;

/// The runbook as it is walked. One that includes nothing is given back as it is.
pub fn expand(book: &Arc<Runbook>, library: &[Arc<Runbook>]) -> Arc<Runbook> {
    if book.includes().next().is_none() {
        return Arc::clone(book);
    }
    let mut whole = Runbook::clone(book);
    let mut sums = vec![book.sha256.clone()];
    let mut above = vec![book.id.clone()];
    let steps = std::mem::take(&mut whole.steps);
    whole.steps = unfold(&mut whole, steps, library, &mut above, &mut sums);
    // What was looked at are all of the files.
    let sum = Sha256::digest(sums.join("\n").as_bytes());
    whole.sha256 = sum.iter().map(|b| format!("{b:02x}")).collect();
    Arc::new(whole)
}

/// Every file that the expanded runbook came from: path and SHA-256 of its text.
pub fn files(book: &Runbook, library: &[Arc<Runbook>]) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut open = vec![book.id.clone()];
    while let Some(id) = open.pop() {
        let Some(one) = library.iter().find(|b| b.id == id) else { continue };
        if found.iter().any(|(path, _)| *path == one.path) {
            continue;
        }
        found.push((one.path.clone(), one.sha256.clone()));
        open.extend(one.includes().map(|(_, id)| id.clone()));
    }
    found
}

fn unfold(
    whole: &mut Runbook,
    steps: Vec<Step>,
    library: &[Arc<Runbook>],
    above: &mut Vec<RunbookId>,
    sums: &mut Vec<String>,
) -> Vec<Step> {
    let mut out = Vec::new();
    for step in steps {
        let inner = step.include.as_ref().and_then(|id| library.iter().find(|b| b.id == *id)).cloned();
        let head = step.id.clone();
        out.push(step);
        let Some(inner) = inner.filter(|b| above.len() <= DEPTH && !above.contains(&b.id)) else { continue };
        sums.push(inner.sha256.clone());
        for input in &inner.inputs {
            if whole.input(&input.name).is_none() {
                whole.inputs.push(input.clone());
            }
        }
        let strange = |name: &String| !whole.targets.iter().any(|(own, _)| own == name);
        let targets: Vec<_> = inner.targets.iter().filter(|(name, _)| strange(name)).cloned().collect();
        whole.targets.extend(targets);
        whole.guards.extend(inner.guards.iter().cloned().map(|mut probe| {
            probe.command.id = under(&head, &probe.command.id);
            probe
        }));
        above.push(inner.id.clone());
        let moved = inner.steps.iter().cloned().map(|step| renamed(step, &head)).collect();
        out.extend(unfold(whole, moved, library, above, sums));
        above.pop();
    }
    out
}

fn under(head: &StepId, id: &str) -> String {
    format!("{head}/{id}")
}

fn renamed(mut step: Step, head: &StepId) -> Step {
    let to = |id: &StepId| StepId(under(head, id.as_str()));
    let go = |go: &mut Go| {
        if let Go::Goto(id) = go {
            *id = to(id);
        }
    };
    step.id = to(&step.id);
    go(&mut step.go);
    for check in &mut step.checks {
        [&mut check.if_yes, &mut check.if_no, &mut check.if_unsure].into_iter().for_each(go);
    }
    if let OnFail::Goto(id) = &mut step.on_fail {
        *id = to(id);
    }
    if let Some(When::Answer { step: of, is: Answer::Yes | Answer::No | Answer::Unsure, .. }) = &mut step.when {
        *of = to(of);
    }
    for command in &mut step.commands {
        rename_command(command, head);
        if let Some(mutation) = &mut command.mutation {
            rename_company(mutation, head);
        }
    }
    for option in &mut step.options {
        option.command.iter_mut().for_each(|c| rename_command(c, head));
        rename_company(&mut option.mutation, head);
    }
    step
}

fn rename_command(command: &mut RunCommand, head: &StepId) {
    command.id = under(head, &command.id);
}

fn rename_company(mutation: &mut Mutation, head: &StepId) {
    let own = mutation.before.iter_mut().chain(mutation.dry_run.iter_mut());
    own.for_each(|command| rename_command(command, head));
    if let Some(Condition::Exec(command)) = mutation.verify.as_mut().map(|v| &mut v.what) {
        rename_command(command, head);
    }
    if let Rollback::Command(command) = &mut mutation.rollback {
        rename_command(command, head);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::runbook::format::read;

    fn book(id: &str, steps: &[&str]) -> Runbook {
        let steps: String = steps.iter().map(|s| format!("  - {{name: {s}, commands: ['ls -l /{s}']}}\n")).collect();
        read(&format!("{id}.yaml"), &format!("name: {id}\nsteps:\n{steps}")).0.unwrap()
    }

    fn ids(book: &Runbook) -> Vec<String> {
        book.steps.iter().map(|s| s.id.to_string()).collect()
    }

    #[test]
    fn included_steps_follow_the_step_that_includes_them() {
        let mut outer = book("outer", &["a", "b"]);
        outer.steps[0].include = Some("inner".into());
        let mut inner = book("inner", &["x", "y"]);
        inner.steps[0].checks = vec![];
        inner.steps[0].go = Go::Goto("y".into());
        let library = vec![Arc::new(outer), Arc::new(inner)];
        let whole = expand(&library[0], &library);
        assert_eq!(ids(&whole), ["a", "a/x", "a/y", "b"]);
        assert_eq!(whole.steps[1].go, Go::Goto("a/y".into()));
        assert_eq!(whole.steps[1].commands[0].id, "a/x.1");
        assert_ne!(whole.sha256, library[0].sha256);
        assert_eq!(files(&whole, &library).len(), 2);
        assert!(Arc::ptr_eq(&expand(&library[1], &library), &library[1]));
    }

    #[test]
    fn a_circle_and_a_missing_book_end() {
        let mut a = book("a", &["one"]);
        a.steps[0].include = Some("b".into());
        let mut b = book("b", &["two", "three"]);
        b.steps[0].include = Some("a".into());
        b.steps[1].include = Some("gone".into());
        let library = vec![Arc::new(a), Arc::new(b)];
        assert_eq!(ids(&expand(&library[0], &library)), ["one", "one/two", "one/three"]);
        assert_eq!(files(&library[0], &library).len(), 2);
    }
}

//! A runbook without the places of its file, so that two versions can be compared: a comment that moves every line is no
//! change. Changes nothing else.

use crate::domain::document::Mark;
use crate::domain::runbook::model::{
    Check, Choice, Condition, Link, Mutation, Probe, Rollback, RunCommand, Runbook, Step, When,
};

const NOWHERE: Mark = Mark { line: 0, column: 0 };

/// A step without its places.
pub fn step(step: &Step) -> Step {
    let mut step = step.clone();
    step.mark = NOWHERE;
    match &mut step.when {
        Some(When::Answer { mark, .. }) => *mark = NOWHERE,
        Some(When::Compare(compare)) => compare.mark = NOWHERE,
        None => {}
    }
    step.commands.iter_mut().for_each(command);
    step.checks.iter_mut().for_each(check);
    step.options.iter_mut().for_each(option);
    step.links.iter_mut().for_each(link);
    step
}

/// Everything of a runbook but its steps and its file, without places.
pub fn head(book: &Runbook) -> Runbook {
    let mut head = Runbook { steps: Vec::new(), sha256: String::new(), path: String::new(), ..book.clone() };
    head.triggers.iter_mut().for_each(|trigger| trigger.mark = NOWHERE);
    head.links.iter_mut().for_each(link);
    head.inputs.iter_mut().for_each(|input| input.mark = NOWHERE);
    head.guards.iter_mut().for_each(probe);
    head.escalation.iter_mut().for_each(|rung| rung.mark = NOWHERE);
    head
}

fn link(link: &mut Link) {
    link.mark = NOWHERE;
}

fn probe(probe: &mut Probe) {
    probe.mark = NOWHERE;
    command(&mut probe.command);
}

fn check(check: &mut Check) {
    check.mark = NOWHERE;
    check.suggest.iter_mut().for_each(|suggest| suggest.mark = NOWHERE);
}

fn option(option: &mut Choice) {
    option.mark = NOWHERE;
    option.command.iter_mut().for_each(command);
    mutation(&mut option.mutation);
}

fn command(run: &mut RunCommand) {
    run.mark = NOWHERE;
    run.capture.iter_mut().for_each(|capture| capture.mark = NOWHERE);
    run.mutation.iter_mut().for_each(|guards| mutation(guards));
}

fn mutation(mutation: &mut Mutation) {
    mutation.before.iter_mut().for_each(|run| command(run));
    mutation.require.iter_mut().for_each(|compare| compare.mark = NOWHERE);
    mutation.dry_run.iter_mut().for_each(|run| command(run));
    if let Some(verify) = &mut mutation.verify {
        verify.mark = NOWHERE;
        if let Condition::Exec(run) = &mut verify.what {
            command(run);
        }
    }
    if let Rollback::Command(run) = &mut mutation.rollback {
        command(run);
    }
}

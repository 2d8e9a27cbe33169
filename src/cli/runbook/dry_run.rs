//! `midwatch runbook dry-run`: every step with each command exactly as it would run. Nothing is executed.

use crate::app::present::report::exec;
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::Output;
use crate::domain::document::nearest;
use crate::domain::labels::Labels;
use crate::domain::runbook::inputs::{self, Known};
use crate::domain::runbook::model::{Condition, Exec, InputFrom, Mutation, Part, Rollback, RunCommand, Runbook, Step};
use crate::domain::runbook::prepare::ready;
use crate::domain::runbook::values::{KNOWN, Values};
use crate::domain::time::compact;
use serde_json::{Map, Value, json};

/// The labels of an alert as they were typed.
pub fn labels(alert: &str, pairs: &[(String, String)]) -> Labels {
    let mut labels = Labels(pairs.iter().cloned().collect());
    labels.0.entry("alertname".to_owned()).or_insert_with(|| alert.to_owned());
    labels
}

/// The values that commands would get: of an alert and its labels, where there are any, and what was given by name for
/// what a person would be asked and what a command would print.
pub fn values(
    book: &Runbook,
    alert: Option<&str>,
    pairs: &[(String, String)],
    given: &[(String, String)],
) -> Result<Values, Failure> {
    let alert = alert.or_else(|| (!pairs.is_empty()).then_some(""));
    let labels = alert.map(|alert| labels(alert, pairs));
    let known = Known { alert: alert.zip(labels.as_ref()), ..Known::default() };
    let mut values = inputs::values(book, known);
    let captures: Vec<&str> = book.parts().flat_map(|(_, c)| &c.capture).map(|c| c.name.as_str()).collect();
    for (name, value) in given {
        match book.input(name) {
            Some(input) => values.offer_input(input, value),
            None if captures.contains(&name.as_str()) || KNOWN.contains(&name.as_str()) => values.offer(name, value),
            None => {
                let names = book.inputs.iter().map(|i| i.name.as_str()).chain(captures.iter().copied());
                let near = nearest(name, names).map(|near| format!(" (nearest: `{near}`)")).unwrap_or_default();
                return Err(Failure::Refused(format!("{} has no input and no capture `{name}`{near}", book.id)));
            }
        }
        for input in book.inputs.iter().filter(|i| i.from == InputFrom::Step(name.clone())) {
            values.offer_input(input, value);
        }
    }
    Ok(values)
}

/// `{"id", "guard": […], "steps": [{"id", "name", "commands": [{"id", "part", "argv"|"sh"|"promql", "env", "risk", "target",
/// "host", "cwd", "timeout", "runs", "refused"}]}]}`; `runs` is the exact list, ssh and shell included.
pub fn run(book: &Runbook, values: &Values, output: &mut Output) -> Result<Exit, Failure> {
    if output.is_json() {
        let command = |part: Part, c: &RunCommand| command(book, part, c, values);
        let guards: Vec<Value> = book.guards.iter().map(|g| command(Part::Guard, &g.command)).collect();
        let steps: Vec<Value> = book
            .steps
            .iter()
            .map(|step| {
                let commands: Vec<Value> = step.parts().map(|(part, c)| command(part, c)).collect();
                json!({"id": step.id, "name": step.name, "commands": commands})
            })
            .collect();
        output.json(&json!({"id": book.id, "guard": guards, "steps": steps}))?;
        return Ok(Exit::DONE);
    }
    output.line(&format!("{}  {}: nothing is run", book.id, book.name))?;
    if !book.guards.is_empty() {
        output.line("guard: before anything is changed")?;
        for guard in &book.guards {
            tell(book, Part::Guard, &guard.command, values, output)?;
        }
    }
    for (n, step) in book.steps.iter().enumerate() {
        output.line(&format!("step {} of {}: {}", n + 1, book.steps.len(), step.name))?;
        one(book, step, values, output)?;
    }
    Ok(Exit::DONE)
}

fn one(book: &Runbook, step: &Step, values: &Values, output: &mut Output) -> Result<(), Failure> {
    for (part, command) in step.parts() {
        tell(book, part, command, values, output)?;
        if part == Part::Run
            && let Some(mutation) = step.mutation(&command.id)
        {
            proof(mutation, output)?;
        }
    }
    if let Some(id) = &step.include {
        output.line(&format!("  the steps of {id}"))?;
    }
    let by_hand = step.options.iter().filter_map(|option| option.prose.as_ref());
    for line in step.prose.iter().chain(&step.todos).chain(by_hand) {
        output.line(&format!("  by hand: {line}"))?;
    }
    Ok(())
}

fn tell(book: &Runbook, part: Part, command: &RunCommand, values: &Values, output: &mut Output) -> Result<(), Failure> {
    let place = command.target.as_ref().map(|target| format!(" on {target}")).unwrap_or_default();
    let (id, risk, limit) = (&command.id, command.risk.word(), compact(command.timeout));
    let word = if part == Part::Run { String::new() } else { format!("{}, ", part.word()) };
    output.line(&format!("  {id}, {word}{risk}{place}, limit {limit}: {}", command.text))?;
    if let Exec::Query(_) = command.exec {
        return Ok(());
    }
    match ready(book, command, values) {
        Ok(prepared) => {
            output.line(&format!("    argv {}", argv(&prepared.argv)))?;
            if let Some(cwd) = &prepared.cwd {
                output.line(&format!("    in {cwd}"))?;
            }
            for (name, value) in &prepared.shown_env() {
                output.line(&format!("    with {name}={value}"))?;
            }
        }
        Err(refusal) => output.line(&format!("    refused: {refusal}"))?,
    }
    Ok(())
}

/// What shows that it helped and how it is taken back, where that is no command.
fn proof(mutation: &Mutation, output: &mut Output) -> Result<(), Failure> {
    if let Some(verify) = &mutation.verify {
        let what = match &verify.what {
            Condition::Promql { query, op, value, .. } => Some(format!("{query} {} {value}", op.word())),
            Condition::Slo { slo, window, op, value } => {
                Some(format!("burn rate of {slo} over {} {} {value}", compact(*window), op.word()))
            }
            Condition::Exec(_) => None,
        };
        if let Some(what) = what {
            let (held, within) = (compact(verify.for_), compact(verify.within));
            output.line(&format!("    verified by {what} for {held}, within {within}"))?;
        }
    }
    match &mutation.rollback {
        Rollback::None { reason } => output.line(&format!("    no way back: {reason}")),
        _ => Ok(()),
    }
}

/// The elements so that each can be told from its neighbours.
pub fn argv(argv: &[String]) -> String {
    argv.iter().map(|element| format!("{element:?}")).collect::<Vec<_>>().join(" ")
}

fn command(book: &Runbook, part: Part, command: &RunCommand, values: &Values) -> Value {
    let prepared = ready(book, command, values);
    let exact = prepared.as_ref().ok();
    let env: Map<String, Value> =
        exact.iter().flat_map(|p| p.shown_env()).map(|(name, value)| (name, json!(value))).collect();
    let (key, written) = exec(&command.exec);
    let what = match (&command.exec, exact) {
        // Over ssh the list is one string more, and stands under `runs`.
        (Exec::Argv(_), Some(exact)) if exact.host.is_none() => json!(exact.argv),
        _ => written,
    };
    json!({"id": command.id, "part": part.word(), key: what, "env": env, "risk": command.risk.word(),
        "target": command.target, "host": exact.and_then(|p| p.host.as_ref()), "cwd": exact.and_then(|p| p.cwd.as_ref()),
        "timeout": command.timeout.num_seconds(), "runs": exact.filter(|p| p.query.is_none()).map(|p| &p.argv),
        "refused": prepared.as_ref().err().map(ToString::to_string)})
}

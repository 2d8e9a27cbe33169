//! `midwatch runbook dry-run`: every step with each command exactly as it would run. Nothing is executed.

use crate::app::present::report::exec;
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::Output;
use crate::domain::labels::Labels;
use crate::domain::runbook::model::{Condition, Exec, Mutation, Part, Rollback, RunCommand, Runbook, Step};
use crate::domain::runbook::values::{Values, prepare};
use crate::domain::time::compact;
use serde_json::{Map, Value, json};

/// The labels of an alert as they were typed.
pub fn labels(alert: &str, pairs: &[(String, String)]) -> Labels {
    let mut labels = Labels(pairs.iter().cloned().collect());
    labels.0.entry("alertname".to_owned()).or_insert_with(|| alert.to_owned());
    labels
}

/// The values that commands would get; none without an alert and labels.
pub fn values(alert: Option<&str>, pairs: &[(String, String)]) -> Values {
    match (alert, pairs) {
        (None, []) => Values::default(),
        (alert, pairs) => {
            let alert = alert.unwrap_or_default();
            Values::of_alert(alert, &labels(alert, pairs))
        }
    }
}

/// `{"id", "guard": […], "steps": [{"id", "name", "commands": [{"id", "part", "argv"|"sh"|"promql", "env", "risk", "target",
/// "timeout", "refused"}]}]}`.
pub fn run(book: &Runbook, values: &Values, output: &mut Output) -> Result<Exit, Failure> {
    if output.is_json() {
        let guards: Vec<Value> = book.guards.iter().map(|g| command(Part::Guard, &g.command, values)).collect();
        let steps: Vec<Value> = book
            .steps
            .iter()
            .map(|step| {
                let commands: Vec<Value> = step.parts().map(|(part, c)| command(part, c, values)).collect();
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
            tell(Part::Guard, &guard.command, values, output)?;
        }
    }
    for (n, step) in book.steps.iter().enumerate() {
        output.line(&format!("step {} of {}: {}", n + 1, book.steps.len(), step.name))?;
        one(step, values, output)?;
    }
    Ok(Exit::DONE)
}

fn one(step: &Step, values: &Values, output: &mut Output) -> Result<(), Failure> {
    for (part, command) in step.parts() {
        tell(part, command, values, output)?;
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

fn tell(part: Part, command: &RunCommand, values: &Values, output: &mut Output) -> Result<(), Failure> {
    let place = command.target.as_ref().map(|target| format!(" on {target}")).unwrap_or_default();
    let (id, risk, limit) = (&command.id, command.risk.word(), compact(command.timeout));
    let word = if part == Part::Run { String::new() } else { format!("{}, ", part.word()) };
    output.line(&format!("  {id}, {word}{risk}{place}, limit {limit}: {}", command.text))?;
    if let Exec::Query(_) = command.exec {
        return Ok(());
    }
    match prepare(command, values) {
        Ok(prepared) => {
            output.line(&format!("    argv {}", argv(&prepared.argv)))?;
            for (name, value) in &prepared.env {
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

fn command(part: Part, command: &RunCommand, values: &Values) -> Value {
    let prepared = match &command.exec {
        // Nothing is put into a query: it is asked as it is written.
        Exec::Query(_) => None,
        _ => Some(prepare(command, values)),
    };
    let ready = prepared.as_ref().and_then(|p| p.as_ref().ok());
    let env: Map<String, Value> =
        ready.iter().flat_map(|p| &p.env).map(|(name, value)| (name.clone(), json!(value))).collect();
    let refused = prepared.as_ref().and_then(|p| p.as_ref().err()).map(ToString::to_string);
    let (key, written) = exec(&command.exec);
    let what = match (&command.exec, ready) {
        (Exec::Argv(_), Some(ready)) => json!(ready.argv),
        _ => written,
    };
    json!({"id": command.id, "part": part.word(), key: what, "env": env, "risk": command.risk.word(),
        "target": command.target, "timeout": command.timeout.num_seconds(), "refused": refused})
}

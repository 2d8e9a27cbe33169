//! `midwatch runbook dry-run`: every step with each command exactly as it would run. Nothing is executed.

use crate::cli::failure::{Exit, Failure};
use crate::cli::output::Output;
use crate::domain::labels::Labels;
use crate::domain::runbook::model::{Exec, RunCommand, Runbook};
use crate::domain::runbook::values::{Values, prepare};
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

/// `{"id", "steps": [{"id", "name", "commands": [{"id", "argv"|"sh", "env", "risk", "refused"}]}]}`.
pub fn run(book: &Runbook, values: &Values, output: &mut Output) -> Result<Exit, Failure> {
    if output.is_json() {
        let steps: Vec<Value> = book
            .steps
            .iter()
            .map(|step| {
                let commands: Vec<Value> = step.all_commands().map(|c| command(c, values)).collect();
                json!({"id": step.id, "name": step.name, "commands": commands})
            })
            .collect();
        output.json(&json!({"id": book.id, "steps": steps}))?;
        return Ok(Exit::DONE);
    }
    output.line(&format!("{}  {}: nothing is run", book.id, book.name))?;
    for (n, step) in book.steps.iter().enumerate() {
        output.line(&format!("step {} of {}: {}", n + 1, book.steps.len(), step.name))?;
        for command in step.all_commands() {
            output.line(&format!("  {}, {}: {}", command.id, command.risk.word(), command.text))?;
            match prepare(command, values) {
                Ok(prepared) => {
                    output.line(&format!("    argv {}", argv(&prepared.argv)))?;
                    for (name, value) in &prepared.env {
                        output.line(&format!("    with {name}={value}"))?;
                    }
                }
                Err(refusal) => output.line(&format!("    refused: {refusal}"))?,
            }
        }
        for line in step.prose.iter().chain(&step.todos) {
            output.line(&format!("  by hand: {line}"))?;
        }
    }
    Ok(Exit::DONE)
}

/// The elements so that each can be told from its neighbours.
pub fn argv(argv: &[String]) -> String {
    argv.iter().map(|element| format!("{element:?}")).collect::<Vec<_>>().join(" ")
}

fn command(command: &RunCommand, values: &Values) -> Value {
    let prepared = prepare(command, values);
    let env: Map<String, Value> =
        prepared.iter().flat_map(|p| &p.env).map(|(name, value)| (name.clone(), json!(value))).collect();
    let refused = prepared.as_ref().err().map(ToString::to_string);
    let (key, what) = match &command.exec {
        Exec::Sh(text) => ("sh", json!(text)),
        Exec::Query(query) => ("promql", json!(query)),
        Exec::Argv(written) => ("argv", prepared.as_ref().map_or_else(|_| json!(written), |p| json!(p.argv))),
    };
    json!({"id": command.id, key: what, "env": env, "risk": command.risk.word(), "refused": refused})
}

//! `midwatch experiment report`: what a run came to, out of its journal.

use super::failed;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::{Output, Table};
use crate::domain::experiment::report::{markdown, verdict};
use crate::domain::time::rfc3339;
use crate::io::files::experiments::{Run, folder, run, runs};
use serde_json::{Value, json};

/// One run: Markdown, or its journal and what it came to.
pub fn one(context: &Context, typed: &str, output: &mut Output) -> Result<Exit, Failure> {
    let run = find(context, typed)?;
    output.notes(&run.findings);
    match output.is_json() {
        true => output.json(&document(&run))?,
        false => output.verbatim(&markdown(&run.entries))?,
    }
    Ok(Exit::DONE)
}

/// All runs, newest first. JSON: `{"runs": [{"run", "experiment", "environment", "at", "by", "outcome", "hypothesis",
/// "rollback_owed", "alive", "result"}]}`.
pub fn all(context: &Context, output: &mut Output) -> Result<Exit, Failure> {
    super::owed::remind(context, output);
    let (mut all, faults) = runs(&context.folders.data);
    faults.iter().for_each(|fault| output.note(&fault.to_string()));
    all.reverse();
    if output.is_json() {
        output.json(&json!({"runs": all.iter().map(summary).collect::<Vec<Value>>()}))?;
        return Ok(Exit::DONE);
    }
    let mut table = Table::new(&["RUN", "EXPERIMENT", "ENVIRONMENT", "BY", "RESULT"]);
    for run in &all {
        let opened = run.record.opened.as_ref();
        let text =
            |of: fn(&crate::domain::experiment::entry::Opened) -> &String| opened.map(of).cloned().unwrap_or_default();
        let result = if run.alive { "is running" } else { verdict(&run.record) };
        table.row([&run.name, &text(|o| &o.experiment), &text(|o| &o.environment), &text(|o| &o.by), result]);
    }
    output.table(&table)?;
    Ok(Exit::DONE)
}

/// A run by its name, the end of its name, or `last`.
pub fn find(context: &Context, typed: &str) -> Result<Run, Failure> {
    let data = &context.folders.data;
    let (all, _) = runs(data);
    let found: Vec<&Run> = match typed {
        "last" => all.last().into_iter().collect(),
        _ => all.iter().filter(|run| run.name == typed || run.name.ends_with(typed)).collect(),
    };
    match found.as_slice() {
        [one] => run(&one.folder).map_err(failed),
        [] if all.is_empty() => {
            Err(Failure::Refused(format!("no experiment was run here yet ({})", folder(data).display())))
        }
        [] => Err(Failure::Refused(format!("there is no run `{typed}`; `midwatch experiment report` shows them"))),
        several => {
            let names: Vec<&str> = several.iter().map(|run| run.name.as_str()).collect();
            Err(Failure::Refused(format!("`{typed}` could be {}; type more of it", names.join(" or "))))
        }
    }
}

fn summary(run: &Run) -> Value {
    let (record, opened) = (&run.record, run.record.opened.as_ref());
    json!({
        "run": run.name,
        "experiment": opened.map(|o| &o.experiment),
        "environment": opened.map(|o| &o.environment),
        "at": record.opened_at.map(rfc3339),
        "by": opened.map(|o| &o.by),
        "outcome": record.closed.as_ref().map(|(_, outcome, _)| outcome.word()),
        "hypothesis": record.hypothesis(),
        "rollback_owed": record.owes_rollback(),
        "alive": run.alive,
        "result": verdict(record),
    })
}

/// One run as JSON: its summary, what ended it, and its journal.
pub fn document(run: &Run) -> Value {
    let mut document = summary(run);
    if let Some(map) = document.as_object_mut() {
        map.insert("cause".to_owned(), json!(run.record.cause.as_ref().map(|(_, cause)| cause.words())));
        map.insert("report".to_owned(), json!(run.folder.join("report.md").to_string_lossy()));
        map.insert("journal".to_owned(), json!(run.entries));
    }
    document
}

//! `midwatch experiment list`: what can be run, and when it was run last.

use super::experiments;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::{Output, Table};
use crate::domain::document::Level;
use crate::domain::experiment::report::verdict;
use crate::domain::time::{compact, rfc3339, seconds};
use crate::io::files::experiments::{Run, runs};
use crate::run::experiment::shelf::Shelved;
use serde_json::{Value, json};

/// JSON: `{"experiments": [{"id", "title", "hypothesis", "environment", "duration", "method", "rollback", "shipped", "path",
/// "usable", "last": null|{"run", "at", "result"}}]}`.
pub fn run(context: &Context, output: &mut Output) -> Result<Exit, Failure> {
    super::owed::remind(context, output);
    let (all, findings) = experiments(context);
    let (history, faults) = runs(&context.folders.data);
    faults.iter().for_each(|fault| output.note(&fault.to_string()));
    output.notes(&findings.into_iter().filter(|f| f.level == Level::Error).collect::<Vec<_>>());
    let last = |s: &Shelved| {
        let of = |run: &&Run| run.record.opened.as_ref().is_some_and(|o| o.experiment == s.experiment.id);
        history.iter().rev().find(of)
    };
    if output.is_json() {
        let rows: Vec<Value> = all.iter().map(|s| row(s, true, last(s))).collect();
        output.json(&json!({"experiments": rows}))?;
        return Ok(Exit::DONE);
    }
    let mut table = Table::new(&["ID", "ENVIRONMENT", ">LASTS", "LAST RUN", "RESULT", "HYPOTHESIS"]);
    for shelved in &all {
        let it = &shelved.experiment;
        let (when, result) = match last(shelved) {
            Some(run) => (run.name.clone(), verdict(&run.record)),
            None if shelved.shipped => ("an example".to_owned(), "-"),
            None => ("never".to_owned(), "-"),
        };
        table.row([&it.id, &it.blast.environment, &compact(it.duration), &when, result, &it.hypothesis]);
    }
    output.table(&table)?;
    Ok(Exit::DONE)
}

/// One experiment as JSON.
pub fn row(shelved: &Shelved, usable: bool, last: Option<&Run>) -> Value {
    let it = &shelved.experiment;
    let lines = |deeds: &[crate::domain::experiment::model::Deed]| -> Vec<Value> {
        deeds.iter().map(|deed| json!({"id": deed.id, "does": deed.line(), "risk": deed.risk.word()})).collect()
    };
    json!({
        "id": it.id,
        "title": it.title,
        "hypothesis": it.hypothesis,
        "environment": it.blast.environment,
        "duration": seconds(it.duration),
        "method": lines(&it.method),
        "rollback": lines(&it.rollback),
        "shipped": shelved.shipped,
        "path": it.path(),
        "usable": usable,
        "last": last.map(|run| json!({
            "run": run.name, "at": run.record.opened_at.map(rfc3339), "result": verdict(&run.record),
        })),
    })
}

//! `midwatch drill list`: what can be played, and when it was played last. Never tells a secret.

use super::scenarios;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::{Output, Table};
use crate::domain::document::Level;
use crate::domain::drill::history::Record;
use crate::domain::time::{compact, rfc3339, seconds};
use crate::io::files::drills::read_history;
use crate::run::drill::shelf::Shelved;
use serde_json::{Value, json};

/// JSON: `{"scenarios": [{"id", "title", "brief", "difficulty", "duration", "services", "roles", "shipped", "path", "usable",
/// "last": null|{"drill", "ended_at", "points", "of"}}]}`.
pub fn run(context: &Context, output: &mut Output) -> Result<Exit, Failure> {
    let (all, findings) = scenarios(context);
    let (history, more) = read_history(&context.folders.data).map_err(super::failed)?;
    output.notes(&findings.iter().chain(&more).filter(|f| f.level == Level::Error).cloned().collect::<Vec<_>>());
    let usable = |s: &Shelved| !findings.iter().any(|f| f.path == s.scenario.path && f.level == Level::Error);
    let last = |s: &Shelved| history.iter().rev().find(|record| record.scenario == s.scenario.id);
    if output.is_json() {
        let rows: Vec<Value> = all.iter().map(|s| row(s, usable(s), last(s))).collect();
        output.json(&json!({"scenarios": rows}))?;
        return Ok(Exit::DONE);
    }
    let mut table = Table::new(&["ID", ">DIFFICULTY", ">LASTS", "SERVICES", "LAST PLAYED", ">POINTS", "TITLE"]);
    for shelved in &all {
        let s = &shelved.scenario;
        let (when, points) = match last(shelved) {
            Some(record) => {
                (record.ended_at.format("%Y-%m-%d").to_string(), format!("{} of {}", record.points, record.of))
            }
            None => ("never".to_owned(), "-".to_owned()),
        };
        let title = if usable(shelved) { s.title.clone() } else { format!("{} (has errors: midwatch check)", s.title) };
        table.row([
            s.id.as_str(),
            &s.difficulty.map_or_else(|| "-".to_owned(), |d| d.to_string()),
            &compact(s.duration),
            &s.services.join(" "),
            &when,
            &points,
            &title,
        ]);
    }
    output.table(&table)?;
    Ok(Exit::DONE)
}

fn row(shelved: &Shelved, usable: bool, last: Option<&Record>) -> Value {
    let s = &shelved.scenario;
    json!({
        "id": s.id,
        "title": s.title,
        "brief": s.brief,
        "difficulty": s.difficulty,
        "duration": seconds(s.duration),
        "services": s.services,
        "roles": s.roles,
        "shipped": shelved.shipped,
        "path": s.path,
        "usable": usable,
        "last": last.map(|r| json!({
            "drill": r.drill, "ended_at": rfc3339(r.ended_at), "points": r.points, "of": r.of,
        })),
    })
}

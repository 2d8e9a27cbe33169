//! `midwatch drill report`: one drill's report, or the history of all by scenario, runbook and person with trends.

use super::failed;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::{Output, Table};
use crate::domain::document::nearest;
use crate::domain::drill::history::Record;
use crate::domain::drill::trend::{Trend, by_person, by_runbook, by_scenario};
use crate::domain::time::{compact, rfc3339, secs};
use crate::io::files::drills::read_history;
use crate::io::files::read::read_text;
use serde_json::{Value, json};
use std::path::Path;

/// The largest report that is printed.
const LIMIT: u64 = 4 << 20;

/// Prints a report. JSON: the record with the report's text.
pub fn one(context: &Context, typed: &str, output: &mut Output) -> Result<Exit, Failure> {
    let (records, findings) = read_history(&context.folders.data).map_err(failed)?;
    output.notes(&findings);
    let record = choose(&records, typed)?;
    let text = match &record.report {
        Some(path) => read_text(Path::new(path), LIMIT).map_err(failed)?,
        None => return Err(Failure::Refused(format!("{} has no report", record.drill))),
    };
    if output.is_json() {
        let mut document = told(record);
        if let Some(map) = document.as_object_mut() {
            map.insert("text".into(), json!(text));
        }
        output.json(&document)?;
    } else {
        output.verbatim(&text)?;
    }
    Ok(Exit::DONE)
}

/// A record as it is told: instants have milliseconds, however finely they were kept.
fn told(record: &Record) -> Value {
    let mut document = serde_json::to_value(record).unwrap_or(Value::Null);
    if let Some(map) = document.as_object_mut() {
        map.insert("began_at".into(), json!(rfc3339(record.began_at)));
        map.insert("ended_at".into(), json!(rfc3339(record.ended_at)));
    }
    document
}

/// The drill that is meant: `last`, its name, the end of one, or a scenario, of which the newest is.
fn choose<'r>(records: &'r [Record], typed: &str) -> Result<&'r Record, Failure> {
    if typed == "last"
        && let Some(last) = records.last()
    {
        return Ok(last);
    }
    if let Some(newest) = records.iter().rev().find(|r| r.scenario == typed) {
        return Ok(newest);
    }
    let fits: Vec<&Record> = records.iter().filter(|r| !typed.is_empty() && r.drill.ends_with(typed)).collect();
    match fits.as_slice() {
        [one] => Ok(one),
        [] => {
            let near = nearest(typed, records.iter().map(|r| r.drill.as_str()));
            let hint = match (near, records.is_empty()) {
                (Some(near), _) => format!("nearest: {near}"),
                (None, true) => "no drill was played yet".to_owned(),
                (None, false) => "`midwatch drill report` shows them".to_owned(),
            };
            Err(Failure::Refused(format!("there is no drill `{typed}` ({hint})")))
        }
        several => {
            let names: Vec<&str> = several.iter().map(|r| r.drill.as_str()).collect();
            Err(Failure::Refused(format!("`{typed}` could be {}; type more of it", names.join(" or "))))
        }
    }
}

/// Prints the history. JSON: `{"drills", "scenarios", "runbooks", "people"}`; each of the last three has `runs`, `last`,
/// `points` and the times of its runs, oldest first, with the trend between the first and the last half.
pub fn all(context: &Context, output: &mut Output) -> Result<Exit, Failure> {
    let (records, findings) = read_history(&context.folders.data).map_err(failed)?;
    output.notes(&findings);
    let (scenarios, runbooks, people) = (by_scenario(&records), by_runbook(&records), by_person(&records));
    if output.is_json() {
        let rows = |trends: &[Trend]| trends.iter().map(Trend::json).collect::<Vec<Value>>();
        output.json(&json!({
            "drills": records.iter().map(told).collect::<Vec<Value>>(),
            "scenarios": rows(&scenarios),
            "runbooks": rows(&runbooks),
            "people": rows(&people),
        }))?;
        return Ok(Exit::DONE);
    }
    if records.is_empty() {
        output.note("no drill was played yet; `midwatch drill list` shows what there is");
        return Ok(Exit::DONE);
    }
    let span = |s: Option<f64>| s.map_or_else(|| "-".to_owned(), |s| compact(secs(s.round() as i64)));
    let mut table =
        Table::new(&["DRILL", "SCENARIO", "BY", ">POINTS", ">ACK", ">DECLARE", ">UPDATE", ">MITIGATE", "END"]);
    for r in records.iter().rev().take(20) {
        let by = if r.people.is_empty() { r.player.word().to_owned() } else { r.people.join(" ") };
        table.row([
            r.drill.as_str(),
            &r.scenario,
            &by,
            &format!("{} of {}", r.points, r.of),
            &span(r.times.acknowledge),
            &span(r.times.declare),
            &span(r.times.first_update),
            &span(r.times.mitigate),
            &r.end,
        ]);
    }
    output.table(&table)?;
    for (title, trends) in [("SCENARIO", &scenarios), ("RUNBOOK", &runbooks), ("PERSON", &people)] {
        if trends.is_empty() {
            continue;
        }
        output.line("")?;
        let mut table = Table::new(&[title, ">RUNS", "LAST", ">POINTS", ">ACK", ">MITIGATE", "TREND"]);
        for t in trends {
            let share = t.share.last().map_or_else(|| "-".to_owned(), |s| format!("{:.0} %", s * 100.0));
            table.row([
                t.name.as_str(),
                &t.share.len().to_string(),
                &t.last.format("%Y-%m-%d").to_string(),
                &share,
                &span(t.acknowledge.last().copied().flatten()),
                &span(t.mitigate.last().copied().flatten()),
                &t.words(),
            ]);
        }
        output.table(&table)?;
    }
    Ok(Exit::DONE)
}

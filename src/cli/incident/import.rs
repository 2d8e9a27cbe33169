//! `midwatch incident import`: what was written elsewhere is shown as it would be taken in, and recorded with `--yes`.

use crate::cli::args::incident::IncidentCommand;
use crate::cli::context::Context;
use crate::cli::desk::{Desk, writable};
use crate::cli::failure::{Exit, Failure};
use crate::cli::files::read_input;
use crate::cli::output::{Output, Table};
use crate::config::Config;
use crate::domain::import::{self, Read, SIZE_LIMIT, Stated};
use crate::domain::incident::event::{Body, NewEvent};
use crate::domain::time::rfc3339;
use serde_json::{Value, json};

/// Prints what would be recorded, or what was: `{"incident", "shape", "recorded", "already", "lines", "left_out"}`. Exit 1
/// when nothing of it can be taken in.
pub fn run(context: &Context, config: &Config, what: &IncidentCommand, output: &mut Output) -> Result<Exit, Failure> {
    let IncidentCommand::Import { id, file, shape, zone, date, yes } = what else {
        return Err(Failure::Usage("this is no import".to_owned()));
    };
    if *yes {
        writable(config)?;
    }
    let text = read_input(file, SIZE_LIMIT)?;
    let mut desk = if *yes { Desk::to_write(context, config)? } else { Desk::to_read(context, config)? };
    let before = desk.find(id)?;
    let near = before.state.times.declared;
    let stated = Stated { shape: *shape, zone: *zone, date: *date, near, now: desk.now };
    let mut read = import::read(&text, &stated)
        .map_err(|why| Failure::Refused(format!("{}: {why}; nothing was recorded", file.display())))?;
    let (events, early) = import::events(&before.state, &read, &stated, &config.responder.name);
    read.left_out.extend(early);
    read.left_out.sort();
    let known = before.events.len();
    let mut already = None;
    if *yes && !events.is_empty() {
        let count = events.len();
        desk.put_all(events.clone())?;
        let after = desk.read(&before.state.id)?.map_or(0, |after| after.events.len());
        already = Some(count.saturating_sub(after.saturating_sub(known)));
    }
    let (exit, id) = (if events.is_empty() { Exit::NO } else { Exit::DONE }, &before.state.id);
    if output.is_json() {
        let left_out: Vec<Value> = read.left_out.iter().map(|(line, why)| json!({"line": line, "why": why})).collect();
        let recorded = already.map(|already| events.len() - already.min(events.len()));
        output.json(&json!({"incident": id, "shape": read.shape.word(), "recorded": recorded, "already": already,
            "lines": events.iter().map(row).collect::<Vec<_>>(), "left_out": left_out}))?;
        return Ok(exit);
    }
    match already {
        None => preview(&read, &events, output)?,
        Some(already) => {
            let there = if already > 0 { format!(" ({already} were there already)") } else { String::new() };
            output.note(&format!("{} lines taken into {id}{there}", events.len().saturating_sub(already)));
        }
    }
    for (line, why) in &read.left_out {
        output.note(&format!("line {line} is left out: {why}"));
    }
    if already.is_none() {
        let what = format!("{} lines of the shape `{}`", events.len(), read.shape.word());
        output.note(&format!("{what}; nothing was recorded: --yes takes them into {id}"));
    }
    Ok(exit)
}

fn preview(read: &Read, events: &[NewEvent], output: &mut Output) -> Result<(), Failure> {
    let mut table = Table::new(&["AT", "WHO", "KIND", "TEXT"]);
    for event in events {
        let Body::Imported(import) = &event.body else { continue };
        let zone = import.zone.as_deref().map(|zone| format!(" ({zone})")).unwrap_or_default();
        let at = format!("{}{zone}", event.at.format("%Y-%m-%d %H:%M:%SZ"));
        table.row([at.as_str(), &import.who, import.act.word(), &import.text]);
    }
    if !read.lines.is_empty() {
        output.table(&table)?;
    }
    Ok(())
}

fn row(event: &NewEvent) -> Value {
    let (who, kind, text, zone) = match &event.body {
        Body::Imported(import) => {
            (import.who.as_str(), import.act.word(), import.text.as_str(), import.zone.as_deref())
        }
        other => ("", other.kind(), "", None),
    };
    json!({"at": rfc3339(event.at), "who": who, "kind": kind, "text": text, "zone": zone})
}

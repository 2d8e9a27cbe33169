//! `midwatch drill from`: a recorded incident becomes a scenario, a script of what was done, and copies of the runbooks that
//! were used. Reads the record and the configuration; writes new files only.

use super::failed;
use crate::cli::context::Context;
use crate::cli::desk::Desk;
use crate::cli::failure::{Exit, Failure};
use crate::cli::library::Library;
use crate::cli::look;
use crate::cli::output::Output;
use crate::domain::drill::capture::{Source, capture, redact};
use crate::io::files::atomic::write_new;
use crate::io::files::folders::own_folder;
use crate::io::files::read::read_text;
use serde_json::json;
use std::path::{Path, PathBuf};

/// The largest runbook that is copied.
const LIMIT: u64 = 1 << 20;

/// JSON: `{"incident", "scenario", "script", "runbooks": [...], "notes": [...]}`, paths of what was written.
pub fn run(context: &Context, typed: &str, to: Option<&Path>, output: &mut Output) -> Result<Exit, Failure> {
    let config = context.ready(output)?;
    let mut desk = Desk::to_read(context, config)?;
    let recorded = desk.find(typed)?;
    let library = Library::load(context);
    let objectives = look::objectives(context);
    let folder = to.map_or_else(|| PathBuf::from("."), Path::to_path_buf);
    let mut copies: Vec<(String, String)> = Vec::new();
    let mut notes = Vec::new();
    for id in recorded.state.walks.keys() {
        let found = library.books.iter().find(|book| book.id == *id);
        match found.map(|book| read_text(Path::new(&book.path), LIMIT)) {
            Some(Ok(text)) => copies.push((format!("runbooks/{id}.yaml"), redact(&text))),
            Some(Err(fault)) => notes.push(format!("the runbook {id} is not copied: {fault}")),
            None => notes.push(format!("the runbook {id} is not configured any more: put it beside the scenario")),
        }
    }
    let names: Vec<String> = copies.iter().map(|(name, _)| name.clone()).collect();
    let captured = capture(&Source {
        incident: &recorded.state,
        events: &recorded.events,
        objectives: &objectives,
        runbooks: &names,
    });
    notes.extend(captured.notes);
    let scenario = format!("{}.yaml", captured.id);
    let script = format!("{}.acts.yaml", captured.id);
    let mut files = vec![(scenario.clone(), captured.scenario), (script.clone(), captured.script)];
    // The runbook of another incident may stand there already: the same text is as good, another one is not.
    for (name, text) in copies {
        let there = folder.join(&name);
        match there.exists().then(|| read_text(&there, LIMIT)) {
            Some(Ok(known)) if known == text => {}
            Some(_) => {
                return Err(Failure::Refused(format!("{} is there and differs; give another --to", there.display())));
            }
            None => files.push((name, text)),
        }
    }
    if let Some((name, _)) = files.iter().find(|(name, _)| folder.join(name).exists()) {
        return Err(Failure::Refused(format!("{} is there already; nothing was written", folder.join(name).display())));
    }
    for (name, text) in &files {
        let path = folder.join(name);
        own_folder(path.parent().unwrap_or(&folder)).map_err(failed)?;
        if !write_new(&path, text.as_bytes(), 0o600).map_err(failed)? {
            return Err(Failure::Refused(format!("{} is there already", path.display())));
        }
    }
    for note in &notes {
        output.note(note);
    }
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    if output.is_json() {
        let runbooks: Vec<String> = names.iter().map(|name| path(name)).collect();
        output.json(&json!({
            "incident": recorded.state.id,
            "scenario": path(&scenario),
            "script": path(&script),
            "runbooks": runbooks,
            "notes": notes,
        }))?;
    } else {
        output.line(&path(&scenario))?;
        output.line(&path(&script))?;
        names.iter().try_for_each(|name| output.line(&path(name)))?;
    }
    Ok(Exit::DONE)
}

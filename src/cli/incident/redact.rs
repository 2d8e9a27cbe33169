//! `midwatch incident redact`: the text of entries leaves the record for good. The text to look for comes on standard
//! input, so that it is in no list of processes and in no history of a shell.

use crate::cli::args::incident::IncidentCommand;
use crate::cli::context::Context;
use crate::cli::desk::{Desk, Recorded, refused, writable};
use crate::cli::failure::{Exit, Failure};
use crate::cli::files::read_input;
use crate::cli::incident::entry;
use crate::cli::output::Output;
use crate::config::Config;
use crate::domain::incident::decide::{Command, decide};
use crate::domain::incident::event::{Body, Event};
use crate::domain::incident::redaction::{holds, places, redacted};
use crate::domain::incident::state::key_text;
use serde_json::json;
use std::path::Path;

/// Takes texts out and says where they may be still: `{"incident", "redacted": [REF], "drafts": [PATH], "left": [REF]}`. Exit
/// 1 when there is nothing to take out, or when some of it is where nothing can be taken out.
pub fn run(context: &Context, config: &Config, what: &IncidentCommand, output: &mut Output) -> Result<Exit, Failure> {
    let IncidentCommand::Redact { id, entry: typed, containing, reason } = what else {
        return Err(Failure::Usage("this is no redaction".to_owned()));
    };
    writable(config)?;
    let mut desk = Desk::to_write(context, config)?;
    let before = desk.find(id)?;
    let piece = containing.then(|| piece(reason)).transpose()?;
    let chosen: Vec<&Event> = match (&piece, typed) {
        (Some(piece), _) => before.events.iter().filter(|event| holds(&event.body, piece)).collect(),
        (None, Some(typed)) => vec![entry::named(&before, typed)?],
        (None, None) => Vec::new(),
    };
    let id = before.state.id.clone();
    if chosen.is_empty() {
        return Err(Failure::Refused(format!("no entry of {id} holds that text; nothing was changed")));
    }
    let (can, cannot): (Vec<&Event>, Vec<&Event>) =
        chosen.into_iter().partition(|event| leaves(event, piece.as_deref()));
    if can.is_empty() {
        let names: Vec<String> = cannot.iter().map(|event| key_text(&event.key)).collect();
        return Err(Failure::Refused(format!(
            "{} has no text that can be taken out; nothing was changed",
            names.join(", ")
        )));
    }
    let mut bodies = Vec::new();
    for event in &can {
        let command = Command::Redact(event.key.clone(), reason.clone());
        bodies.extend(decide(&before.state, command, desk.now, &context.severities).map_err(refused)?);
    }
    let now = desk.now;
    let written = desk.act(&id, now, bodies)?;
    tell(&before, &written, &cannot, output)
}

/// The text on standard input without its line break.
fn piece(reason: &str) -> Result<String, Failure> {
    let text = read_input(Path::new("-"), 64 * 1024)?;
    let piece = text.trim_end_matches(['\r', '\n']);
    if piece.trim().chars().count() < 3 {
        return Err(Failure::Usage("standard input holds no text of three characters or more to look for".to_owned()));
    }
    if reason.contains(piece) {
        return Err(Failure::Usage("the reason holds the text itself; it would stay in the record".to_owned()));
    }
    Ok(piece.to_owned())
}

/// Whether a redaction of the event does what is wanted.
fn leaves(event: &Event, piece: Option<&str>) -> bool {
    let left = redacted(&event.body, &places(&event.body)).filter(|left| *left != event.body);
    left.is_some_and(|left| piece.is_none_or(|piece| !holds(&left, piece)))
}

fn tell(before: &Recorded, written: &[Event], cannot: &[&Event], output: &mut Output) -> Result<Exit, Failure> {
    let mut done = Vec::new();
    let mut left: Vec<String> = cannot.iter().map(|event| key_text(&event.key)).collect();
    for event in written {
        if let Body::Redacted(redaction) = &event.body {
            let name = key_text(&redaction.of);
            if redaction.places.is_empty() { left.push(name) } else { done.push(name) }
        }
    }
    let drafts: Vec<&str> = before
        .events
        .iter()
        .filter_map(|event| match &event.body {
            Body::DraftWritten { path } => Some(path.as_str()),
            _ => None,
        })
        .collect();
    let id = &before.state.id;
    if output.is_json() {
        output.json(&json!({"incident": id, "redacted": done, "drafts": drafts, "left": left}))?;
    } else {
        output.note(&format!("{}: the text of {} is out of the record", id, done.join(", ")));
        for path in drafts {
            output
                .note(&format!("{path} was written before and may hold it; `midwatch postmortem {id}` writes it anew"));
        }
        for name in &left {
            output.note(&format!("{name} still holds it: it is a name there, or waits in the outbox (drop it first)"));
        }
        output.note("copies of the record learn of it when they are merged; what left the house before is out there");
    }
    Ok(if left.is_empty() && !done.is_empty() { Exit::DONE } else { Exit::NO })
}

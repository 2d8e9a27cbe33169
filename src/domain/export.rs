//! The timeline of an incident for elsewhere: Markdown, CSV, JSON lines, or text for a chat. Every event once, in the order
//! in which things happened; outside text cannot act where it lands. Values in, text out: never writes a file. `read` takes
//! JSON lines back.

pub mod read;

use crate::domain::incident::event::Event;
use crate::domain::incident::state::Incident;
use crate::domain::postmortem::entry::{Entry, entries};
use crate::domain::postmortem::escape::field;
use crate::domain::text::{clean, is_formula, is_hidden};
use crate::domain::time::{clock, rfc3339};
use chrono::{FixedOffset, SecondsFormat};
use serde_json::json;

/// The longest text for a chat, in characters.
pub const CHUNK: usize = 4_000;

/// A form of the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A document of its own.
    Markdown,
    /// `at_utc, at_local, kind, actor, text, ref`.
    Csv,
    /// One JSON object per line.
    JsonLines,
    /// Pieces of at most [`CHUNK`] characters.
    Text,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Markdown, Self::Csv, Self::JsonLines, Self::Text];

    /// Its word on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Markdown => "md",
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
            Self::Text => "text",
        }
    }

    /// The form of a word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.word() == word)
    }
}

/// The timeline in a form.
pub fn export(incident: &Incident, events: &[Event], offset: FixedOffset, format: Format) -> Vec<String> {
    export_some(incident, &entries(incident, events), offset, format)
}

/// Some entries of a timeline in a form, each piece ending with a line break: one piece, but one or more for [`Format::Text`].
pub fn export_some(incident: &Incident, entries: &[Entry<'_>], offset: FixedOffset, format: Format) -> Vec<String> {
    match format {
        Format::Markdown => vec![markdown(incident, entries)],
        Format::Csv => vec![csv(entries, offset)],
        Format::JsonLines => vec![json_lines(entries, offset)],
        Format::Text => chunks(incident, entries),
    }
}

fn markdown(incident: &Incident, entries: &[Entry<'_>]) -> String {
    let mut out = format!(
        "# Timeline of {}\n\n{}, {}, {}. All times in UTC.\n\n",
        field(incident.id.as_str()),
        field(&incident.title),
        field(&incident.severity.0),
        incident.status.word()
    );
    for entry in entries {
        out.push_str(&format!("- **{}** {}: {}\n", entry.when, field(&entry.head()), field(&entry.text)));
    }
    out
}

fn local(entry: &Entry<'_>, offset: FixedOffset) -> String {
    entry.event.at.with_timezone(&offset).to_rfc3339_opts(SecondsFormat::Millis, false)
}

fn csv(entries: &[Entry<'_>], offset: FixedOffset) -> String {
    let mut out = String::from("at_utc,at_local,kind,actor,text,ref\n");
    for entry in entries {
        let event = entry.event;
        let cells = [
            rfc3339(event.at),
            local(entry, offset),
            cell(event.body.kind()),
            cell(event.who()),
            cell(&entry.text),
            cell(&entry.reference),
        ];
        out.push_str(&cells.join(","));
        out.push('\n');
    }
    out
}

/// A quoted cell. What a spreadsheet would take for a formula gets an apostrophe in front, as spreadsheets themselves do.
pub fn cell(raw: &str) -> String {
    let shown = clean(raw);
    format!("\"{}{}\"", if is_formula(shown.trim_start_matches('\'')) { "'" } else { "" }, shown.replace('"', "\"\""))
}

fn json_lines(entries: &[Entry<'_>], offset: FixedOffset) -> String {
    let mut out = String::new();
    for entry in entries {
        let event = entry.event;
        let body = serde_json::to_value(&event.body).unwrap_or_default();
        let line = json!({
            "seq": event.key.seq, "origin": event.key.origin, "ref": entry.reference, "at": rfc3339(event.at),
            "at_local": local(entry, offset), "recorded_at": rfc3339(event.recorded_at), "actor": event.who(),
            "recorded_by": event.actor,
            "kind": event.body.kind(), "event": body.get("kind"), "text": entry.text, "data": body.get("data"),
        });
        escape_hidden(&mut out, &line.to_string());
        out.push('\n');
    }
    out
}

/// Writes JSON so that what is invisible or steers a terminal is `\uXXXX`: nothing is lost, nothing acts.
fn escape_hidden(out: &mut String, json: &str) {
    for c in json.chars() {
        if is_hidden(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
}

fn chunks(incident: &Incident, entries: &[Entry<'_>]) -> Vec<String> {
    // The head of a chunk has at most 120 characters: an id of 80 and two numbers.
    let room = CHUNK - 121;
    let mut bodies: Vec<String> = Vec::new();
    let mut body = String::new();
    let mut used = 0;
    for entry in entries {
        let when = if entry.when.len() > 8 {
            format!("{} {}", entry.event.at.date_naive(), clock(entry.event.at))
        } else {
            clock(entry.event.at)
        };
        let line = format!("{when} {}: {}", entry.head(), entry.text);
        let silent = silent(&line);
        let mut rest: Vec<char> = silent.chars().collect();
        loop {
            if used > 0 && used + rest.len() + 1 > room {
                bodies.push(std::mem::take(&mut body));
                used = 0;
            }
            let tail = rest.split_off(rest.len().min(room - 1));
            used += rest.len() + 1;
            body.extend(rest);
            body.push('\n');
            if tail.is_empty() {
                break;
            }
            rest = tail;
        }
    }
    if !body.is_empty() || bodies.is_empty() {
        bodies.push(body);
    }
    let count = bodies.len();
    let id: String = silent(incident.id.as_str()).chars().take(80).collect();
    let head = |i: usize| if count == 1 { format!("{id} timeline\n") } else { format!("{id} timeline {i}/{count}\n") };
    bodies.iter().enumerate().map(|(i, body)| format!("{}{body}", head(i + 1))).collect()
}

/// Harmless text that calls nobody when it is pasted into a chat.
fn silent(raw: &str) -> String {
    clean(raw).replace('@', "(at)").replace("<!", "< !")
}

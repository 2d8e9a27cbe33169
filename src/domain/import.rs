//! What was written elsewhere becomes lines of a timeline: a pasted chat, a Slack export, a table, the log of a pager, a
//! journal, a timeline that was exported before. A line has an instant or it is no line: a text whose times have no zone is
//! refused until a person states one. What cannot be read is told with its line and left out; nothing is guessed and
//! nothing is recorded here.

pub mod chat;
pub mod journal;
pub mod json;
pub mod moment;
pub mod pagerduty;
pub mod slack;
pub mod table;

use crate::domain::ids::IncidentId;
use crate::domain::incident::decide::TEXT_LIMIT;
use crate::domain::incident::event::{Act, Body, Import, NewEvent};
use crate::domain::incident::state::Incident;
use crate::domain::time::{Timestamp, clock};
use chrono::NaiveDate;
use chrono_tz::Tz;
use std::collections::BTreeMap;

/// The largest text that is read, in bytes.
pub const SIZE_LIMIT: usize = 16 * 1024 * 1024;
/// The most lines that are taken in at once.
pub const LINE_LIMIT: usize = 20_000;
/// Characters of a name.
const NAME_LIMIT: usize = 80;

/// A shape that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Lines of a chat, as they are copied from a window.
    Chat,
    /// Messages of a Slack export or of Slack's interface.
    Slack,
    /// A table with a header.
    Csv,
    /// Log entries of PagerDuty.
    PagerDuty,
    /// `journalctl -o short-iso`.
    Journal,
    /// One JSON object per line, as a timeline is exported.
    JsonLines,
}

impl Shape {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Chat, Self::Slack, Self::Csv, Self::PagerDuty, Self::Journal, Self::JsonLines];

    /// Its word on the command line and in the record.
    pub fn word(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Slack => "slack",
            Self::Csv => "csv",
            Self::PagerDuty => "pagerduty",
            Self::Journal => "journal",
            Self::JsonLines => "jsonl",
        }
    }

    /// The shape of a word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|shape| shape.word() == word)
    }

    /// The shape that a text has.
    pub fn of(text: &str) -> Self {
        let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("").trim_start();
        if first.starts_with('{') || first.starts_with('[') {
            if let Ok(value) = serde_json::from_str::<serde_json::Value>(text) {
                if pagerduty::is(&value) {
                    return Self::PagerDuty;
                }
                if slack::is(&value) {
                    return Self::Slack;
                }
                return Self::JsonLines;
            }
            if serde_json::from_str::<serde_json::Value>(first).is_ok_and(|v| v.is_object()) {
                return Self::JsonLines;
            }
        }
        if journal::is(first) {
            Self::Journal
        } else if table::is(first) {
            Self::Csv
        } else {
            Self::Chat
        }
    }
}

/// What a person says about a text.
#[derive(Clone, Debug)]
pub struct Stated {
    /// Its shape; `None` finds out.
    pub shape: Option<Shape>,
    /// The zone of times that have none.
    pub zone: Option<Tz>,
    /// The day of times that have none; `None` takes the one that is nearest to `near`.
    pub date: Option<NaiveDate>,
    /// When the incident was declared.
    pub near: Timestamp,
    /// The present; nothing happened after it.
    pub now: Timestamp,
}

/// A line that can be taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When it was.
    pub at: Timestamp,
    /// Who.
    pub who: String,
    /// What it was there.
    pub act: Act,
    /// Its kind there, where a timeline was exported before.
    pub was: Option<String>,
    /// The text.
    pub text: String,
    /// Its id there.
    pub id: Option<String>,
    /// Where it stands in the text, from 1; entries of JSON are counted.
    pub line: usize,
    /// Its time had no zone: the stated one holds.
    pub zoned: bool,
}

impl Line {
    /// A message without anything special about it.
    pub fn said(at: Timestamp, who: impl Into<String>, text: impl Into<String>, line: usize) -> Self {
        let (who, text) = (who.into(), text.into());
        Self { at, who, act: Act::Message, was: None, text, id: None, line, zoned: false }
    }
}

/// A text that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// As which shape.
    pub shape: Shape,
    /// Its lines, by when they were.
    pub lines: Vec<Line>,
    /// What is left out: the line, and why.
    pub left_out: Vec<(usize, String)>,
}

/// Reads a text. `Err` says what a person must do; nothing of it can be taken in then.
pub fn read(text: &str, stated: &Stated) -> Result<Read, String> {
    if text.len() > SIZE_LIMIT {
        return Err(format!("the text has {} bytes (at most {SIZE_LIMIT}); split it", text.len()));
    }
    let text = text.trim_start_matches('\u{feff}');
    let shape = stated.shape.unwrap_or_else(|| Shape::of(text));
    let mut read = match shape {
        Shape::Chat => chat::read(text, stated),
        Shape::Slack => slack::read(text),
        Shape::Csv => table::read(text, stated),
        Shape::PagerDuty => pagerduty::read(text),
        Shape::Journal => journal::read(text),
        Shape::JsonLines => json::read(text, stated),
    }?;
    settle(&mut read, stated);
    if read.lines.is_empty() {
        let why = read.left_out.first().map(|(n, why)| format!(" (line {n}: {why})")).unwrap_or_default();
        return Err(format!("there is no line of the shape `{}` in it{why}", shape.word()));
    }
    if read.lines.len() > LINE_LIMIT {
        return Err(format!("it has {} lines (at most {LINE_LIMIT} at once); split it", read.lines.len()));
    }
    Ok(read)
}

/// What holds for every shape: sizes, no future, one order, what stands there twice.
fn settle(read: &mut Read, stated: &Stated) {
    let mut seen = std::collections::BTreeSet::new();
    let left_out = &mut read.left_out;
    read.lines.retain_mut(|line| {
        line.who = short(line.who.trim(), NAME_LIMIT);
        line.text = short(line.text.trim(), TEXT_LIMIT);
        if line.at > stated.now {
            left_out.push((line.line, format!("{} lies in the future", line.at.format("%Y-%m-%d %H:%M:%SZ"))));
            return false;
        }
        if line.text.is_empty() && line.act == Act::Message {
            left_out.push((line.line, "no text".into()));
            return false;
        }
        if line.id.as_ref().is_some_and(|id| !seen.insert(id.clone())) {
            left_out.push((line.line, "stands here twice".into()));
            return false;
        }
        true
    });
    read.lines.sort_by_key(|line| line.at);
    read.left_out.sort();
}

/// At most so many characters; what is cut says so.
fn short(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => text.to_owned(),
        Some(_) => text.chars().take(limit.saturating_sub(6)).chain(" <cut>".chars()).collect(),
    }
}

/// The lines as events of an incident, each with a key under which the incident holds it once: by its id, else by what it
/// says and when. Lines of more than a week before the declaration belong to another story and are given back with why.
pub fn events(
    incident: &Incident,
    read: &Read,
    stated: &Stated,
    importer: &str,
) -> (Vec<NewEvent>, Vec<(usize, String)>) {
    let mut out = Vec::new();
    let mut left_out = Vec::new();
    let mut same: BTreeMap<String, u32> = BTreeMap::new();
    let earliest = incident.times.declared - chrono::TimeDelta::days(7);
    for line in &read.lines {
        if line.at < earliest {
            let why = format!("{} is more than a week before {} was declared", clock(line.at), incident.id);
            left_out.push((line.line, why));
            continue;
        }
        let known = |id: &String| incident.pages.iter().any(|page| page.lines.contains(id));
        if read.shape == Shape::PagerDuty && line.id.as_ref().is_some_and(known) {
            left_out.push((line.line, "it was read from there already".into()));
            continue;
        }
        let import = Import {
            from: read.shape.word().into(),
            act: line.act,
            who: line.who.clone(),
            text: line.text.clone(),
            id: line.id.clone(),
            was: line.was.clone(),
            zone: stated.zone.filter(|_| line.zoned).map(|zone| zone.name().to_owned()),
        };
        let once = once(line, read.shape, &mut same);
        out.push(new(incident.id.clone(), line.at, stated.now, importer, Body::Imported(import), once));
    }
    (out, left_out)
}

fn new(incident: IncidentId, at: Timestamp, recorded_at: Timestamp, actor: &str, body: Body, once: String) -> NewEvent {
    NewEvent { incident, at, recorded_at, actor: actor.to_owned(), body, once: Some(once) }
}

/// A key that the same line gets again when the text is taken in again, and no other one does: equal lines of one text are
/// counted.
fn once(line: &Line, shape: Shape, same: &mut BTreeMap<String, u32>) -> String {
    if let Some(id) = &line.id {
        return format!("import:{}:{id}", shape.word());
    }
    let what = format!("{}\u{1f}{}\u{1f}{}", line.at.timestamp_millis(), line.who, line.text);
    let n = same.entry(what.clone()).or_default();
    *n += 1;
    // Not the text itself: a key is no place that a redaction reaches.
    format!(
        "import:{}:{:016x}{:016x}:{n}",
        shape.word(),
        fold(&what, 0xcbf2_9ce4_8422_2325),
        fold(&what, 0x9e37_79b9_7f4a_7c15)
    )
}

/// A number for a text: FNV-1a from a start.
fn fold(text: &str, start: u64) -> u64 {
    text.bytes().fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests;

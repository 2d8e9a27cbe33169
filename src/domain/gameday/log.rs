//! The log of a game day: one line of JSON for each thing that happened, written by whoever is there, and what it comes to per
//! entry of the sheet. Text in, values out.

use crate::domain::document::{Finding, Level};
use crate::domain::gameday::model::GameDay;
use crate::domain::time::Timestamp;
use serde::{Deserialize, Serialize};

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// When.
    pub at: Timestamp,
    /// Who wrote it.
    pub by: String,
    /// What.
    #[serde(flatten)]
    pub body: Body,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Body {
    /// The day began.
    Began,
    /// An entry began.
    Started {
        /// Which.
        entry: String,
    },
    /// An entry is done.
    Done {
        /// Which.
        entry: String,
        /// What it came to; empty where people did it.
        result: String,
        /// The name of the drill or the run; its report has it.
        reference: Option<String>,
    },
    /// An entry is left out.
    Skipped {
        /// Which.
        entry: String,
        /// Why.
        why: String,
    },
    /// Somebody noticed something.
    Note {
        /// What.
        text: String,
    },
    /// The day is over.
    Ended {
        /// Why.
        why: String,
    },
}

/// How an entry stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// When it began.
    pub started: Option<Timestamp>,
    /// When it was done or left out.
    pub ended: Option<Timestamp>,
    /// What it came to, or why it was left out.
    pub result: String,
    /// It was left out.
    pub skipped: bool,
    /// Its drill or run.
    pub reference: Option<String>,
}

/// A day as its log tells it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// When it began.
    pub began: Option<Timestamp>,
    /// When it ended, and why.
    pub ended: Option<(Timestamp, String)>,
    /// Entry by entry, in the order of the sheet.
    pub entries: Vec<Standing>,
}

impl State {
    /// Of a sheet and a log.
    pub fn fold(day: &GameDay, log: &[Line]) -> Self {
        let mut state = Self { entries: vec![Standing::default(); day.entries.len()], ..Self::default() };
        for line in log {
            let (id, at) = match &line.body {
                Body::Began => {
                    state.began.get_or_insert(line.at);
                    // Whoever goes on with it later has not ended it.
                    state.ended = None;
                    continue;
                }
                Body::Ended { why } => {
                    state.ended = Some((line.at, why.clone()));
                    continue;
                }
                Body::Note { .. } => continue,
                Body::Started { entry } | Body::Done { entry, .. } | Body::Skipped { entry, .. } => (entry, line.at),
            };
            let place = day.entries.iter().position(|entry| entry.id == *id);
            let Some(standing) = place.and_then(|place| state.entries.get_mut(place)) else { continue };
            match &line.body {
                Body::Started { .. } => *standing = Standing { started: Some(at), ..Standing::default() },
                Body::Done { result, reference, .. } => {
                    (standing.ended, standing.result, standing.skipped) = (Some(at), result.clone(), false);
                    standing.reference.clone_from(reference);
                    standing.started.get_or_insert(at);
                }
                Body::Skipped { why, .. } => {
                    (standing.ended, standing.result, standing.skipped) = (Some(at), why.clone(), true);
                }
                _ => {}
            }
        }
        state
    }

    /// The place of the first entry that is neither done nor left out.
    pub fn next(&self) -> Option<usize> {
        self.entries.iter().position(|standing| standing.ended.is_none())
    }

    /// Whether what an entry keeps back may be told.
    pub fn is_revealed(&self, day: &GameDay, id: &str) -> bool {
        let place = day.revealed_by(id).and_then(|by| day.entries.iter().position(|entry| entry.id == by.id));
        place
            .and_then(|place| self.entries.get(place))
            .is_some_and(|standing| standing.ended.is_some() && !standing.skipped)
    }
}

/// The text of a line, with its end.
pub fn text(line: &Line) -> String {
    serde_json::to_string(line).unwrap_or_default() + "\n"
}

/// Reads a log. A line that cannot be read is told and left out.
pub fn read(path: &str, log: &str) -> (Vec<Line>, Vec<Finding>) {
    let (mut lines, mut findings) = (Vec::new(), Vec::new());
    for (n, raw) in log.lines().enumerate().filter(|(_, raw)| !raw.trim().is_empty()) {
        match serde_json::from_str(raw) {
            Ok(line) => lines.push(line),
            Err(_) => findings.push(Finding {
                path: path.to_owned(),
                line: n + 1,
                column: 1,
                rule: "game-day".to_owned(),
                level: Level::Warning,
                message: "this line cannot be read; it is left out".to_owned(),
            }),
        }
    }
    lines.sort_by_key(|line: &Line| line.at);
    (lines, findings)
}

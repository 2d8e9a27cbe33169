//! The report of a game day, in Markdown: the sheet with planned and real times, what every drill and experiment came to, what
//! people noticed, and blanks for what they decide. Outside text cannot act in it.

use crate::domain::gameday::log::{Body, Line, State};
use crate::domain::gameday::model::{Act, GameDay};
use crate::domain::postmortem::draft::BLANK;
use crate::domain::postmortem::entry::dated;
use crate::domain::postmortem::escape::field;
use crate::domain::time::{clock, compact};
use std::fmt::Write as _;

/// The report.
pub fn markdown(day: &GameDay, log: &[Line]) -> String {
    let state = State::fold(day, log);
    let mut out = String::new();
    let blank = |what: &str| format!("{} {what}{}", BLANK.0, BLANK.1);
    let _ = writeln!(out, "# Game day: {}\n", field(&day.title));
    if !day.goal.is_empty() {
        let _ = writeln!(out, "**Goal:** {}\n", field(&day.goal));
    }
    let _ = writeln!(out, "- **Planned:** {}", field(&day.when));
    if let Some(began) = state.began {
        let _ = writeln!(out, "- **Began:** {}", dated(began));
    }
    let _ = match &state.ended {
        Some((at, why)) => writeln!(out, "- **Ended:** {}: {}", dated(*at), field(why)),
        None => writeln!(out, "- **Ended:** not yet"),
    };
    for (role, person) in &day.roles {
        let _ = writeln!(out, "- **{}:** {}", field(role), field(person));
    }
    let _ = writeln!(
        out,
        "\n## The sheet\n\n| planned | began | ended | what | came to | report |\n|---|---|---|---|---|---|"
    );
    for (entry, standing) in day.entries.iter().zip(&state.entries) {
        let began = standing.started.map_or_else(|| "-".to_owned(), clock);
        let ended = standing.ended.map_or_else(|| "-".to_owned(), clock);
        let result = match (standing.skipped, standing.result.is_empty(), standing.ended.is_some()) {
            (true, ..) => format!("LEFT OUT: {}", field(&standing.result)),
            (false, true, true) => "done".to_owned(),
            (false, true, false) => "not done".to_owned(),
            (false, false, _) => field(&standing.result),
        };
        let reference = standing.reference.as_deref().map_or_else(|| "-".to_owned(), field);
        let what = field(&entry.title);
        let _ = writeln!(out, "| +{} | {began} | {ended} | {what} | {result} | {reference} |", compact(entry.at));
    }
    let _ = writeln!(out, "\n## What was kept back\n");
    let mut kept = false;
    for entry in day.entries.iter().filter(|entry| !entry.not_yet.is_empty()) {
        kept = true;
        let told = if state.is_revealed(day, &entry.id) { "told" } else { "never told" };
        let _ = writeln!(out, "- {}: {} ({told})", field(&entry.title), field(&entry.not_yet.join("; ")));
    }
    if !kept {
        let _ = writeln!(out, "- nothing");
    }
    let _ = writeln!(out, "\n## Log\n");
    for line in log {
        let _ = writeln!(out, "- {} {}: {}", clock(line.at), field(&line.by), field(&told(day, &line.body)));
    }
    let _ = writeln!(out, "\n## To talk about\n");
    for question in &day.questions {
        let _ = writeln!(out, "- {} {}", field(question), blank("answer"));
    }
    let _ = writeln!(out, "\n## Action items\n\n| what | who | until |\n|---|---|---|");
    for (entry, standing) in day.entries.iter().zip(&state.entries) {
        if !matches!(entry.act, Act::Person) && standing.ended.is_some() && !standing.skipped {
            let what = format!("what {} showed", entry.title);
            let _ = writeln!(out, "| {} {} | {} | {} |", field(&what), blank("what"), blank("who"), blank("until"));
        }
    }
    out
}

/// One thing that happened, in one line.
pub fn told(day: &GameDay, body: &Body) -> String {
    let title =
        |id: &String| day.entries.iter().find(|entry| entry.id == *id).map_or(id.clone(), |entry| entry.title.clone());
    match body {
        Body::Began => "the game day begins".to_owned(),
        Body::Started { entry } => format!("begins: {}", title(entry)),
        Body::Done { entry, result, .. } if result.is_empty() => format!("done: {}", title(entry)),
        Body::Done { entry, result, .. } => format!("done: {}: {result}", title(entry)),
        Body::Skipped { entry, why } => format!("left out: {}: {why}", title(entry)),
        Body::Note { text } => text.clone(),
        Body::Ended { why } => format!("the game day ends: {why}"),
    }
}

//! A run sheet as lines: all of it for the facilitator, and what may be told by now for the teams.

use crate::app::present::gameday::{self, planned, told_to_teams, what, words};
use crate::cli::failure::Failure;
use crate::cli::output::{Output, Table};
use crate::domain::gameday::log::State;
use crate::domain::gameday::model::{Entry, GameDay};
use crate::domain::time::{Timestamp, clock};

/// For the facilitator.
pub fn facilitator(day: &GameDay, state: &State, now: Timestamp, output: &mut Output) -> Result<(), Failure> {
    output.line(&format!("GAME DAY {}: {}", day.id, day.title))?;
    if !day.goal.is_empty() {
        output.line(&format!("goal: {}", day.goal))?;
    }
    let roles: Vec<String> = day.roles.iter().map(|(role, who)| format!("{role} {who}")).collect();
    output.line(&roles.join("   "))?;
    for why in &day.stop_when {
        output.line(&format!("stop when {why}"))?;
    }
    let mut table = Table::new(&[">", ">PLANNED", "STATE", "WHO", "WHAT", "NOT YET"]);
    for (n, (entry, standing)) in day.entries.iter().zip(&state.entries).enumerate() {
        let open = if entry.not_yet.is_empty() || state.is_revealed(day, &entry.id) {
            String::new()
        } else {
            entry.not_yet.join("; ")
        };
        table.row([(n + 1).to_string(), planned(state, entry), words(standing), entry.who.clone(), what(entry), open]);
    }
    output.table(&table)?;
    output.line(&format!("it is {}", clock(now)))
}

/// What comes next, and when.
pub fn next(day: &GameDay, state: &State, now: Timestamp, output: &mut Output) -> Result<(), Failure> {
    output.line(&gameday::next(day, state, now).text)
}

/// Everything about an entry that begins.
pub fn entry(day: &GameDay, state: &State, entry: &Entry, output: &mut Output) -> Result<(), Failure> {
    output.line(&format!("== {}", what(entry)))?;
    if let Some(line) = &entry.instruction {
        output.line(&format!("do: {line}"))?;
    }
    if let Some(line) = &entry.tell {
        output.line(&format!("tell: {line}"))?;
    }
    for secret in &entry.not_yet {
        output.line(&format!("NOT YET: {secret}"))?;
    }
    for (of, _) in &entry.reveals {
        let kept = day.entries.iter().find(|entry| entry.id == *of).map(|entry| entry.not_yet.join("; "));
        output.line(&format!("may be told when this is done: {}", kept.unwrap_or_default()))?;
    }
    let others =
        day.entries.iter().filter(|other| !other.not_yet.is_empty() && other.id != entry.id && other.at <= entry.at);
    for other in others.filter(|other| !state.is_revealed(day, &other.id)) {
        output.line(&format!("still NOT YET, from {}: {}", other.title, other.not_yet.join("; ")))?;
    }
    Ok(())
}

/// For the teams: what has begun, in the words that were for them, and what may be told by now.
pub fn team(day: &GameDay, state: &State, output: &mut Output) -> Result<(), Failure> {
    output.line(&format!("GAME DAY: {}", day.title))?;
    output.line(&day.when)?;
    told_to_teams(day, state).iter().try_for_each(|line| output.line(line))
}

//! The hand-off: everything the next commander must know, on one screen. Lines in groups; raw outside text may be in it.

use crate::domain::incident::board::ask::back;
use crate::domain::incident::board::can::{Can, Known, draft};
use crate::domain::incident::board::{Belief, Bond, Stand};
use crate::domain::incident::event::Role;
use crate::domain::incident::state::Incident;
use crate::domain::time::{Timestamp, clock};

/// A group of lines under a heading.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Part {
    /// Its heading.
    pub title: String,
    /// Its lines.
    pub lines: Vec<String>,
}

/// Writes it. `clocks` are the timers that run or are due, `waiting` is what is not sent yet, both in words.
pub fn handoff(i: &Incident, known: &Known, clocks: &[String], waiting: &[String], now: Timestamp) -> Vec<Part> {
    let Can { conditions, actions, needs } = draft(i, known, now);
    let part = |title: &str, lines: Vec<String>| Part { title: title.into(), lines };
    let or = |lines: Vec<String>, none: &str| if lines.is_empty() { vec![none.to_owned()] } else { lines };
    vec![
        part("WHO", who(i)),
        part("CONDITIONS", conditions),
        part("ACTIONS", or(actions, "none yet")),
        part("NEEDS", or(needs, "none")),
        part("OPEN TASKS", or(tasks(i, now), "none")),
        part("TIMERS", or(clocks.to_vec(), "none runs")),
        part("CHANGES IN FORCE", or(changes(i), "none")),
        part("NOT SENT YET", or(waiting.to_vec(), "nothing waits")),
        part("DECISIONS", or(decisions(i), "none recorded")),
        part("HYPOTHESES", or(hypotheses(i), "none recorded")),
        part("OTHER INCIDENTS", ties(i)),
    ]
    .into_iter()
    .filter(|p| !p.lines.is_empty())
    .collect()
}

/// The same as plain lines.
pub fn lines(i: &Incident, parts: &[Part], now: Timestamp) -> Vec<String> {
    let mut out = vec![format!("HAND-OFF {} {} at {}", i.id, i.title, clock(now))];
    for part in parts {
        out.push(part.title.clone());
        out.extend(part.lines.iter().map(|l| format!("  {l}")));
    }
    out
}

fn who(i: &Incident) -> Vec<String> {
    let role = |r: &Role| format!("{} {}", r.word(), i.roles.get(r).map_or("-none-", String::as_str));
    let mut out = vec![Role::ALL.iter().map(role).collect::<Vec<_>>().join("   ")];
    let here: Vec<&str> = i.board.present().into_iter().map(|(name, _)| name).collect();
    if !here.is_empty() {
        out.push(format!("in: {}", here.join(", ")));
    }
    out
}

fn tasks(i: &Incident, now: Timestamp) -> Vec<String> {
    let line = |t: &&super::Task| format!("{}: {} ({})", t.owner.as_deref().unwrap_or("nobody"), t.text, back(t, now));
    i.board.open_tasks().iter().map(line).collect()
}

fn changes(i: &Incident) -> Vec<String> {
    i.in_force().map(|c| format!("{} ({}, {} {})", c.plan.action, c.word(), c.actor, clock(c.at))).collect()
}

fn decisions(i: &Incident) -> Vec<String> {
    let line = |d: &super::Decision| {
        let against = match d.objections.as_slice() {
            [] => String::new(),
            all => format!(
                "; against: {}",
                all.iter().map(|(who, what)| format!("{who}: {what}")).collect::<Vec<_>>().join(", ")
            ),
        };
        let word = match &d.stand {
            Stand::Dropped(why) => format!("dropped ({why})"),
            stand => stand.word().to_owned(),
        };
        format!("{word}: {}{against}", d.text)
    };
    i.board.decisions.iter().rev().take(5).map(line).collect()
}

fn hypotheses(i: &Incident) -> Vec<String> {
    let mut all: Vec<&super::Hypothesis> = i.board.hypotheses.iter().collect();
    all.sort_by_key(|h| match h.belief {
        Belief::Confirmed => 0,
        Belief::Open => 1,
        Belief::Rejected => 2,
    });
    let line = |h: &&super::Hypothesis| {
        let why = h.why.as_ref().map(|(why, _)| format!(" ({why})")).unwrap_or_default();
        format!("{}: {}{why}", h.belief.word(), h.text)
    };
    all.iter().take(6).map(line).collect()
}

fn ties(i: &Incident) -> Vec<String> {
    let line = |t: &super::Tie| match t.bond {
        Bond::Related => format!("related to {}: {}", t.other, t.why),
        bond => format!("{} {}: {}", bond.words(), t.other, t.why),
    };
    i.board.ties.iter().map(line).collect()
}

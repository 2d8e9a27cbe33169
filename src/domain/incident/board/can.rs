//! The draft of an update in the form conditions, actions, needs, written from what is known. A person edits and sends
//! it; what is not known is said to be unknown.

use crate::domain::incident::board::{Belief, Stand};
use crate::domain::incident::event::Role;
use crate::domain::incident::state::Incident;
use crate::domain::time::{Timestamp, clock_minutes, compact};

/// What the cockpit knows beside the record, in words, worst first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    /// One line per objective that is hit: its state, burn rate and budget.
    pub objectives: Vec<String>,
    /// Linked alerts that fire now; `None` is not known now.
    pub firing: Option<usize>,
    /// What is watched or held, of changes: by their run.
    pub verified: Vec<String>,
}

/// An update in its three parts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Can {
    /// How it is.
    pub conditions: Vec<String>,
    /// What is being done.
    pub actions: Vec<String>,
    /// What is missing.
    pub needs: Vec<String>,
}

impl Can {
    /// One line, as it is sent.
    pub fn line(&self) -> String {
        let part = |name: &str, all: &[String], none: &str| {
            format!("{name}: {}", if all.is_empty() { none.to_owned() } else { all.join("; ") })
        };
        [
            part("Conditions", &self.conditions, "unknown"),
            part("Actions", &self.actions, "none yet"),
            part("Needs", &self.needs, "none"),
        ]
        .join(". ")
            + "."
    }
}

/// Writes the draft.
pub fn draft(i: &Incident, known: &Known, now: Timestamp) -> Can {
    Can { conditions: conditions(i, known, now), actions: actions(i, known), needs: needs(i, now) }
}

fn conditions(i: &Incident, known: &Known, now: Timestamp) -> Vec<String> {
    let service = i.service.as_deref().map(|s| format!(", {s}")).unwrap_or_default();
    let mut out = vec![format!("{} {}{service}, {}", i.severity, i.title, i.status.word())];
    out.push(match (i.times.resolved, i.times.mitigated) {
        (Some(at), _) => format!("over since {} after {}", clock_minutes(at), compact(at - i.times.declared)),
        (None, Some(at)) => format!("mitigated since {}", clock_minutes(at)),
        (None, None) => {
            format!("since {} ({})", clock_minutes(i.times.declared), compact(minutes(now - i.times.declared)))
        }
    });
    out.extend(known.objectives.iter().take(3).cloned());
    match known.firing {
        Some(0) if !i.alerts.is_empty() => out.push("no linked alert fires".into()),
        Some(n) if n > 0 => out.push(format!("{n} of {} linked alert(s) firing", i.alerts.len().max(n))),
        Some(_) => {}
        None if i.alerts.is_empty() => {}
        None => out.push("whether the alerts still fire is not known".into()),
    }
    let confirmed = i.board.hypotheses.iter().filter(|h| h.belief == Belief::Confirmed);
    out.extend(confirmed.map(|h| format!("cause: {}", h.text)));
    let open: Vec<&str> =
        i.board.hypotheses.iter().filter(|h| h.belief == Belief::Open).map(|h| h.text.as_str()).collect();
    if let Some(last) = open.last() {
        let more = if open.len() > 1 { format!(" and {} more", open.len() - 1) } else { String::new() };
        out.push(format!("suspected: {last}{more}"));
    }
    out
}

fn actions(i: &Incident, known: &Known) -> Vec<String> {
    let mut out: Vec<String> = i.in_force().map(|c| format!("{} (in force)", c.plan.action)).collect();
    out.extend(known.verified.iter().cloned());
    out.extend(i.board.open_tasks().into_iter().take(4).map(|t| {
        let owner = t.owner.as_deref().map(|o| format!("{o}: ")).unwrap_or_default();
        format!("{owner}{}", t.text)
    }));
    let chosen = i.board.decisions.iter().rev().filter(|d| d.stand == Stand::Chosen).take(2);
    out.extend(chosen.map(|d| format!("decided: {}", d.text)));
    let waits = i.board.decisions.iter().filter(|d| d.stand == Stand::Proposed).count();
    if waits > 0 {
        out.push(format!("{waits} proposal(s) wait for a decision"));
    }
    out
}

fn needs(i: &Incident, now: Timestamp) -> Vec<String> {
    let mut out = Vec::new();
    if i.is_open() && !i.roles.contains_key(&Role::Commander) {
        out.push("a commander".to_owned());
    }
    let open = i.board.open_tasks();
    let nobody = open.iter().filter(|t| t.owner.is_none()).count();
    if nobody > 0 {
        out.push(format!("an owner for {nobody} task(s)"));
    }
    let late = open.iter().filter(|t| t.until.is_some_and(|until| until <= now)).count();
    if late > 0 {
        out.push(format!("{late} task(s) are overdue"));
    }
    let asked = i.approvals.iter().filter(|a| a.given.is_none() && a.is_live(now)).count();
    if asked > 0 {
        out.push(format!("a second person to approve {asked} command(s)"));
    }
    out
}

/// To whole minutes: an update that is read later says no seconds.
fn minutes(span: crate::domain::time::Span) -> crate::domain::time::Span {
    crate::domain::time::mins(span.num_minutes().max(1))
}

//! What a person may do to an incident: a command becomes events, or is refused with the reason that the screen shows.

use crate::domain::alert::Alert;
use crate::domain::ids::IncidentId;
use crate::domain::incident::board::ask::{Ask, ask};
use crate::domain::incident::event::{Body, EventKey, Mark, NoteKind, Redaction, Role, Status};
use crate::domain::incident::state::{ActionType, Incident, key_text};
use crate::domain::severity::{Severity, SeverityTable};
use crate::domain::slo::objective::Objective;
use crate::domain::time::{Timestamp, clock};
use std::sync::Arc;

/// The longest text of one event, in characters.
pub const TEXT_LIMIT: usize = 4_000;

/// Why a command was not carried out, and what would help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(pub String);

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a person wants.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Take it.
    Acknowledge,
    /// Give or clear a role.
    SetRole(Role, Option<String>),
    /// Change severity.
    SetSeverity(Severity, String),
    /// Change status, with or without something to tell.
    SetStatus(Status, Option<String>),
    /// The pain stopped.
    Mitigated,
    /// It is over.
    Resolve(String),
    /// It is not over.
    Reopen(String),
    /// A line of text.
    Note(NoteKind, String),
    /// Something to do afterwards.
    Action(String, Option<String>, Option<String>, Option<ActionType>),
    /// The text of an earlier event was wrong.
    Correct(EventKey, String),
    /// An earlier note does not hold.
    Retract(EventKey, String),
    /// Something of the commander's board.
    Board(Ask),
    /// An entry gets a mark, or loses it.
    Mark(EventKey, Mark, bool),
    /// The text of an earlier event is to leave the record.
    Redact(EventKey, String),
}

/// Turns a command into events. `at` is when it happened, at most `now`.
pub fn decide(
    incident: &Incident,
    command: Command,
    at: Timestamp,
    table: &SeverityTable,
) -> Result<Vec<Body>, Refusal> {
    let refuse = |why: String| Err(Refusal(why));
    if at < incident.times.declared - chrono::TimeDelta::days(7) {
        return refuse(format!("{} is more than a week before {} was declared", clock(at), incident.id));
    }
    let of_the_board = matches!(&command, Command::Board(ask) if ask.after_the_end());
    let after_the_end = of_the_board
        || matches!(
            command,
            Command::Note(..)
                | Command::Action(..)
                | Command::Correct(..)
                | Command::Retract(..)
                | Command::Mark(..)
                | Command::Redact(..)
                | Command::Reopen(_)
                | Command::SetRole(..)
        );
    if !incident.is_open() && !after_the_end {
        return refuse(format!("{} is resolved; reopen it first", incident.id));
    }
    match command {
        Command::Acknowledge => match incident.times.acknowledged {
            Some(when) => refuse(format!("{} was acknowledged at {}", incident.id, clock(when))),
            None => Ok(vec![Body::Acknowledged]),
        },
        Command::SetRole(role, person) => {
            let person = person.map(|p| text(&p, "a name")).transpose()?;
            if incident.roles.get(&role) == person.as_ref() {
                return refuse(match person {
                    Some(person) => format!("{person} is {} already", role.word()),
                    None => format!("nobody is {}", role.word()),
                });
            }
            Ok(vec![Body::RoleSet { role, person }])
        }
        Command::SetSeverity(to, reason) => {
            if table.level(&to).is_none() {
                let known: Vec<&str> = table.levels.iter().map(|l| l.code.0.as_str()).collect();
                return refuse(format!("there is no severity {to} (expected one of: {})", known.join(", ")));
            }
            if to == incident.severity {
                return refuse(format!("{} is {to} already", incident.id));
            }
            Ok(vec![Body::SeveritySet { to, reason: text(&reason, "a reason")? }])
        }
        Command::SetStatus(Status::Resolved, _) => refuse("resolve it with a summary instead".into()),
        Command::SetStatus(to, message) => {
            let message = message.filter(|m| !m.trim().is_empty()).map(|m| text(&m, "a message")).transpose()?;
            if to == incident.status && message.is_none() {
                return refuse(format!("{} is {} already", incident.id, to.word()));
            }
            Ok(vec![Body::StatusSet { to, message }])
        }
        Command::Mitigated => match incident.times.mitigated {
            Some(when) if when == at => refuse(format!("{} is mitigated since {}", incident.id, clock(when))),
            _ if at < incident.times.detected.unwrap_or(incident.times.declared).min(incident.times.declared) => {
                refuse("it cannot be mitigated before it was detected".into())
            }
            _ => Ok(vec![Body::Mitigated]),
        },
        Command::Resolve(summary) => Ok(vec![Body::Resolved { summary: text(&summary, "a summary")? }]),
        Command::Reopen(_) if incident.is_open() => refuse(format!("{} is open", incident.id)),
        Command::Reopen(reason) => Ok(vec![Body::Reopened { reason: text(&reason, "a reason")? }]),
        Command::Note(sort, note) => Ok(vec![Body::Note { sort, text: text(&note, "a text")? }]),
        Command::Action(what, owner, due, does) => {
            Ok(vec![Body::ActionItem { text: text(&what, "a text")?, owner, due, does }])
        }
        Command::Board(wish) => ask(incident, wish, at),
        Command::Correct(of, right) => Ok(vec![Body::Corrected { of, text: text(&right, "the right text")? }]),
        Command::Retract(of, reason) => Ok(vec![Body::Retracted { of, reason: text(&reason, "a reason")? }]),
        Command::Mark(of, mark, on) => mark_entry(incident, of, mark, on),
        Command::Redact(of, reason) => Ok(vec![Body::Redacted(Redaction::of(of, text(&reason, "a reason")?))]),
    }
}

fn mark_entry(incident: &Incident, of: EventKey, mark: Mark, on: bool) -> Result<Vec<Body>, Refusal> {
    let mark = match mark {
        Mark::Tag(tag) => {
            let tag = text(&tag, "a tag")?;
            if tag.chars().count() > 40 || tag.contains(|c: char| c.is_whitespace() || c == ',') {
                return Err(Refusal("a tag is one word of at most 40 characters".into()));
            }
            Mark::Tag(tag)
        }
        mark => mark,
    };
    let marks = incident.marks.get(&key_text(&of)).cloned().unwrap_or_default();
    let mut after = marks.clone();
    after.set(&mark, on);
    if after == marks {
        return Err(Refusal(format!("the entry is {} already", mark.told(on))));
    }
    Ok(vec![Body::Marked { of, mark, on }])
}

/// The id of an incident declared at an instant; the record adds `-2` when there is one already.
pub fn id_at(at: Timestamp) -> IncidentId {
    IncidentId(at.format("INC-%Y%m%d-%H%M%S").to_string())
}

/// The events of a declaration: itself, the alert it came from, the objectives of the service it hits.
pub fn declare(
    title: String,
    severity: Severity,
    service: Option<String>,
    alert: Option<&Alert>,
    objectives: &[Arc<Objective>],
) -> Vec<Body> {
    let service =
        service.filter(|s| !s.is_empty()).or_else(|| alert.map(|a| a.service().to_owned()).filter(|s| !s.is_empty()));
    let mut bodies = vec![Body::Declared {
        title,
        severity,
        service: service.clone(),
        detected_by: alert.map(|a| a.name.clone()),
        detected_at: alert.map(|a| a.started_at),
    }];
    bodies.extend(alert.map(link));
    let hit = |o: &&Arc<Objective>| service.as_deref() == Some(o.service.as_str());
    bodies.extend(objectives.iter().filter(hit).map(|o| Body::ObjectiveLinked { slo: o.id.clone() }));
    bodies
}

/// The event that links an alert.
pub fn link(alert: &Alert) -> Body {
    Body::AlertLinked {
        fingerprint: alert.fingerprint.clone(),
        name: alert.name.clone(),
        labels: alert.labels.clone(),
        started_at: alert.started_at,
    }
}

/// A trimmed text that is not empty and not endless.
pub fn text(raw: &str, what: &str) -> Result<String, Refusal> {
    let trimmed = raw.trim();
    if trimmed.is_empty() {
        return Err(Refusal(format!("{what} is needed")));
    }
    if trimmed.chars().count() > TEXT_LIMIT {
        return Err(Refusal(format!("{what} may have at most {TEXT_LIMIT} characters")));
    }
    Ok(trimmed.to_owned())
}

//! What a template can say about an incident. Every text in here is escaped for Markdown and may stand in a paragraph, a
//! list item or a table cell; what is not known is `unknown (why)` or null, never 0. This struct is the documented context
//! of templates: its field names are a promise. Never guesses a cause.

mod budget;
mod changes;
mod clocks;

use crate::domain::incident::board::{Belief, Decision, Hypothesis, Stand};
use crate::domain::incident::event::{Act, Body, Event, EventKey, NoteKind, Role};
use crate::domain::incident::state::{Amendment, CommandRun, Incident, key_text};
use crate::domain::incident::tickets::ticket;
use crate::domain::incident::timeline::{housekeeping, lasted};
use crate::domain::outward::outcome::Reference;
use crate::domain::postmortem::entry::{dated, entries, once};
use crate::domain::postmortem::escape::{code, field};
use crate::domain::search::{Similar, Why};
use crate::domain::slo::reading::History;
use crate::domain::time::Timestamp;
use chrono::FixedOffset;
use serde::Serialize;
use std::collections::BTreeSet;

pub use budget::{Chart, Cost, drawn};
pub use changes::ChangeLine;
pub use clocks::{Durations, Moment, Times};

/// The context of a postmortem template.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Facts {
    /// `INC-20260501-031204`.
    pub id: String,
    /// Its title.
    pub title: String,
    /// The day it was declared (UTC): `2026-05-01`.
    pub date: String,
    /// `SEV2`, as it stands.
    pub severity: String,
    /// Every severity it had.
    pub severities: Vec<Stretch>,
    /// `resolved`, as it stands.
    pub status: String,
    /// What it hit; null when nobody said.
    pub service: Option<String>,
    /// What noticed it; null when nobody said.
    pub detected_by: Option<String>,
    /// The instants of its life.
    pub times: Times,
    /// How long things took.
    pub durations: Durations,
    /// Who had which role at the end.
    pub roles: Vec<Holder>,
    /// Who led; null when nobody did.
    pub commander: Option<String>,
    /// Who declared it.
    pub declared_by: String,
    /// Everybody in the record, by name.
    pub participants: Vec<String>,
    /// Alerts that belong to it.
    pub alerts: Vec<AlertLine>,
    /// What it cost each objective.
    pub objectives: Vec<Cost>,
    /// Burn rates over time.
    pub charts: Vec<Chart>,
    /// Every event exactly once, without marks and what people left out.
    pub timeline: Vec<Line>,
    /// How many entries people left out.
    pub excluded: usize,
    /// Entries that people pinned.
    pub pinned: Vec<Remark>,
    /// Who had which role from when until when.
    pub holdings: Vec<Holding>,
    /// What others were told.
    pub updates: Vec<Remark>,
    /// Past incidents that are like this one.
    pub similar: Vec<Like>,
    /// Every command that was run.
    pub commands: Vec<CommandLine>,
    /// Every change that a command made to production.
    pub changes: Vec<ChangeLine>,
    /// What is to be done afterwards.
    pub actions: Vec<Action>,
    /// The text that resolved it; null while it is open.
    pub resolution: Option<String>,
    /// Guesses at the cause that nobody retracted.
    pub hypotheses: Vec<Remark>,
    /// Facts that were found.
    pub findings: Vec<Remark>,
    /// Decisions that were taken.
    pub decisions: Vec<Remark>,
    /// `+02:00`: the zone of local times.
    pub zone: String,
    /// When these facts were put together.
    pub written: String,
}

/// A severity and how long it held.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stretch {
    /// `SEV2`.
    pub severity: String,
    /// From when.
    pub from: String,
    /// For how long: `21m40s`, or `21m40s (goes on)`.
    pub lasted: String,
    /// Why.
    pub reason: String,
}

/// A role and who had it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Holder {
    /// `commander`, `comms`, `operations`, `scribe`.
    pub role: String,
    /// Null when vacant.
    pub person: Option<String>,
}

/// An alert of the incident.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AlertLine {
    /// Its name.
    pub name: String,
    /// When it began to fire.
    pub began: String,
    /// `firing`, `ended` …
    pub state: String,
}

/// A line of the timeline.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// UTC: `03:12:04`, with the date where it changes.
    pub when: String,
    /// Who.
    pub actor: String,
    /// `note`, `status` …
    pub kind: String,
    /// Who and which kind, for a line that does not say a word twice: `alice, note`, or `alice` before `resolved: …`.
    pub head: String,
    /// What.
    pub text: String,
    /// People pinned it.
    pub pinned: bool,
    /// The words that people put it under.
    pub tags: Vec<String>,
}

/// A person in a role.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Holding {
    /// `commander`, `comms`, `operations`, `scribe`.
    pub role: String,
    /// Who.
    pub person: String,
    /// UTC.
    pub from: String,
    /// UTC, or `the end`.
    pub until: String,
}

/// A past incident that is like this one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Like {
    /// `INC-20260401-101500`.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its severity.
    pub severity: String,
    /// The day it was declared (UTC); `unknown` where that is not in the record.
    pub declared: String,
    /// Why it is like this one: `same alert HighLatency; words: pool`.
    pub why: String,
    /// How it was resolved; null when nobody said.
    pub resolution: Option<String>,
}

/// A command that was run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CommandLine {
    /// UTC.
    pub at: String,
    /// By whom.
    pub actor: String,
    /// The command as code.
    pub command: String,
    /// `exit 0`, why there is no exit code, or `unknown (no end recorded)`.
    pub result: String,
    /// `1.2 s`, or `unknown (no end recorded)`.
    pub took: String,
}

/// Something to do afterwards.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Action {
    /// What.
    pub text: String,
    /// Who; null when nobody is named.
    pub owner: Option<String>,
    /// By when, as written; null when it has no date.
    pub due: Option<String>,
    /// What it does: detect, prevent, mitigate, process; null when nobody said.
    pub does: Option<&'static str>,
    /// Its ticket, as a link where it has a page; null when it has none.
    pub ticket: Option<String>,
}

/// A note of one sort.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Remark {
    /// UTC.
    pub at: String,
    /// By whom.
    pub actor: String,
    /// What.
    pub text: String,
}

/// Puts the facts together. `events` is the log of the incident in any order; `offset` is the zone of local times.
pub fn facts(
    incident: &Incident,
    events: &[Event],
    histories: &[History],
    offset: FixedOffset,
    now: Timestamp,
) -> Facts {
    let log = once(incident, events);
    let role = |role: &Role| incident.roles.get(role).map(|person| field(person));
    let (times, durations) = clocks::clocks(incident, &log, histories, offset, now);
    let line = |entry: crate::domain::postmortem::entry::Entry<'_>| Line {
        head: field(&entry.head()),
        when: entry.when,
        actor: field(entry.event.who()),
        kind: field(entry.event.body.kind()),
        text: field(&entry.text),
        pinned: incident.marks.get(&entry.reference).is_some_and(|marks| marks.pinned),
        tags: incident
            .marks
            .get(&entry.reference)
            .map(|m| m.tags.iter().map(|t| field(t)).collect())
            .unwrap_or_default(),
    };
    let excluded = |event: &Event| incident.marks.get(&key_text(&event.key)).is_some_and(|marks| marks.excluded);
    Facts {
        id: field(incident.id.as_str()),
        title: field(&incident.title),
        date: incident.times.declared.format("%Y-%m-%d").to_string(),
        severity: field(&incident.severity.0),
        severities: stretches(incident, now),
        status: incident.status.word().to_owned(),
        service: said(incident.service.as_deref()),
        detected_by: said(incident.detected_by.as_deref()),
        times,
        durations,
        roles: Role::ALL.iter().map(|r| Holder { role: r.word().to_owned(), person: role(r) }).collect(),
        commander: role(&Role::Commander),
        declared_by: field(&incident.declared_by),
        participants: participants(incident, &log),
        alerts: alerts(incident),
        objectives: budget::costs(incident),
        charts: budget::charts(incident, histories),
        timeline: entries(incident, events)
            .into_iter()
            .filter(|entry| {
                !housekeeping(entry.event) && !excluded(entry.event) && !matches!(entry.event.body, Body::Marked { .. })
            })
            .map(line)
            .collect(),
        excluded: log.iter().filter(|event| excluded(event)).count(),
        pinned: pinned(incident, events),
        holdings: holdings(&log),
        updates: updates(incident, &log),
        similar: Vec::new(),
        commands: incident.commands.iter().map(command).collect(),
        changes: changes::changes(incident, &log),
        actions: actions(incident),
        resolution: resolution(incident, &log),
        hypotheses: hypotheses(incident),
        findings: remarks(incident, &log, NoteKind::Finding),
        decisions: decisions(incident),
        zone: offset.to_string(),
        written: dated(now),
    }
}

impl Facts {
    /// The same facts with past incidents that are like this one.
    pub fn with_similar(mut self, similar: &[Similar]) -> Self {
        let like = |one: &Similar| Like {
            id: field(one.incident.as_str()),
            title: field(&one.title),
            severity: field(&one.severity),
            declared: one.declared.map_or_else(|| "unknown".to_owned(), |at| at.format("%Y-%m-%d").to_string()),
            why: field(&one.why.iter().map(Why::told).collect::<Vec<_>>().join("; ")),
            resolution: said(one.resolution.as_deref()),
        };
        self.similar = similar.iter().map(like).collect();
        self
    }
}

/// What was guessed, with what is believed of it.
fn hypotheses(incident: &Incident) -> Vec<Remark> {
    let remark = |h: &Hypothesis| {
        let belief = match (h.belief, &h.why) {
            (Belief::Open, _) | (_, None) => String::new(),
            (belief, Some((why, _))) => format!(" ({}: {why})", belief.word()),
        };
        Remark { at: dated(h.by.1), actor: field(&h.by.0), text: field(&format!("{}{belief}", h.text)) }
    };
    incident.board.hypotheses.iter().filter(|h| !left_out(incident, &h.key)).map(remark).collect()
}

/// What was decided, and what was proposed and dropped, with the objections.
fn decisions(incident: &Incident) -> Vec<Remark> {
    let remark = |d: &Decision| {
        let mut text = d.text.clone();
        match &d.stand {
            Stand::Chosen => {}
            Stand::Proposed => text.push_str(" (proposed, never decided)"),
            Stand::Dropped(why) => text.push_str(&format!(" (not done: {why})")),
        }
        for (who, what) in &d.objections {
            text.push_str(&format!("; {who} objected: {what}"));
        }
        let (who, at) = d.decided.as_ref().unwrap_or(&d.by);
        Remark { at: dated(*at), actor: field(who), text: field(&text) }
    };
    incident.board.decisions.iter().filter(|d| !left_out(incident, &d.key)).map(remark).collect()
}

fn left_out(incident: &Incident, key: &EventKey) -> bool {
    incident.marks.get(&key_text(key)).is_some_and(|marks| marks.excluded)
}

fn pinned(incident: &Incident, events: &[Event]) -> Vec<Remark> {
    let is = |entry: &crate::domain::postmortem::entry::Entry<'_>| {
        incident.marks.get(&entry.reference).is_some_and(|marks| marks.pinned && !marks.excluded)
    };
    let remark = |entry: crate::domain::postmortem::entry::Entry<'_>| Remark {
        at: dated(entry.event.at),
        actor: field(entry.event.who()),
        text: field(&entry.text),
    };
    entries(incident, events).into_iter().filter(is).map(remark).collect()
}

fn holdings(log: &[&Event]) -> Vec<Holding> {
    let mut out: Vec<(Role, String, Timestamp, Option<Timestamp>)> = Vec::new();
    for event in log {
        let Body::RoleSet { role, person } = &event.body else { continue };
        if let Some(before) = out.iter_mut().rev().find(|(r, _, _, until)| r == role && until.is_none()) {
            before.3 = Some(event.at);
        }
        out.extend(person.iter().map(|person| (*role, person.clone(), event.at, None)));
    }
    let holding = |(role, person, from, until): (Role, String, Timestamp, Option<Timestamp>)| Holding {
        role: role.word().to_owned(),
        person: field(&person),
        from: dated(from),
        until: until.map_or_else(|| "the end".to_owned(), dated),
    };
    out.into_iter().map(holding).collect()
}

/// What was said to others: messages of a status, updates to stakeholders.
fn updates(incident: &Incident, log: &[&Event]) -> Vec<Remark> {
    let update = |event: &&Event| {
        let told = match &event.body {
            Body::StatusSet { to, message: Some(message) } => format!("{}: {message}", to.word()),
            Body::Update { audience, text, .. } => format!("to {audience}: {text}"),
            _ => return None,
        };
        let told = match incident.amended.get(&key_text(&event.key)) {
            Some(Amendment::Retracted(_)) => return None,
            Some(Amendment::Corrected(right)) => right.clone(),
            None => told,
        };
        Some(Remark { at: dated(event.at), actor: field(&event.actor), text: field(&told) })
    };
    log.iter().filter_map(update).collect()
}

/// An escaped text, or nothing when it is blank.
fn said(raw: Option<&str>) -> Option<String> {
    raw.filter(|text| !text.trim().is_empty()).map(field)
}

fn stretches(incident: &Incident, now: Timestamp) -> Vec<Stretch> {
    let ends = incident.severities.iter().skip(1).map(|(at, ..)| Some(*at)).chain([incident.times.resolved]);
    let stretch = |((from, severity, reason), end): (&(Timestamp, _, String), Option<Timestamp>)| {
        let severity: &crate::domain::severity::Severity = severity;
        let long = match end {
            Some(end) if end >= *from => lasted(*from, end),
            Some(_) => "unknown (it ends before it begins)".to_owned(),
            None if now >= *from => format!("{} (goes on)", lasted(*from, now)),
            None => "unknown (it begins in the future)".to_owned(),
        };
        Stretch { severity: field(&severity.0), from: dated(*from), lasted: long, reason: field(reason) }
    };
    incident.severities.iter().zip(ends).map(stretch).collect()
}

fn participants(incident: &Incident, log: &[&Event]) -> Vec<String> {
    let actors = log.iter().flat_map(|event| [Some(event.actor.as_str()), named(event)]).flatten();
    let people: BTreeSet<&str> = actors.chain(incident.roles.values().map(String::as_str)).collect();
    people.into_iter().filter(|name| *name != "midwatch" && !name.trim().is_empty()).map(field).collect()
}

/// How acts begin that a paging product does by itself, in the words of its log.
const BY_ITSELF: [&str; 8] =
    ["trigger", "notify", "escalate", "exhaust", "repeat", "reach", "urgency_change", "unacknowledge"];

/// The person whom an entry names. What a product or a host did by itself names a service or a program.
fn named(event: &Event) -> Option<&str> {
    let person = match &event.body {
        Body::Imported(import) => import.act != Act::Other && import.from != "journal",
        Body::BackendLogged(line) => !BY_ITSELF.iter().any(|word| line.action.starts_with(word)),
        _ => true,
    };
    person.then(|| event.who())
}

fn alerts(incident: &Incident) -> Vec<AlertLine> {
    let mut linked: Vec<_> = incident.alerts.values().collect();
    linked.sort_by(|a, b| a.started_at.cmp(&b.started_at).then_with(|| a.name.cmp(&b.name)));
    let line = |alert: &crate::domain::incident::state::LinkedAlert| AlertLine {
        name: field(&alert.name),
        began: dated(alert.started_at),
        state: field(&alert.state),
    };
    linked.into_iter().map(line).collect()
}

fn command(run: &CommandRun) -> CommandLine {
    let (result, took) = match &run.finish {
        None => ("unknown (no end recorded)".to_owned(), "unknown (no end recorded)".to_owned()),
        Some(end) => {
            let result = match (end.exit, &end.reason) {
                (Some(exit), _) => format!("exit {exit}"),
                (None, Some(reason)) => field(reason),
                (None, None) => "unknown (no exit code)".to_owned(),
            };
            (result, format!("{:.1} s", end.took_ms as f64 / 1_000.0))
        }
    };
    CommandLine { at: dated(run.at), actor: field(&run.actor), command: code(&run.start.command), result, took }
}

/// A name that leads to its page, unless the page is one that Markdown would read as something else.
fn linked(reference: &Reference) -> Option<String> {
    let name = said(Some(reference.words()))?;
    let plain =
        |url: &&str| url.starts_with("http") && !url.contains(|c: char| c.is_whitespace() || "()<>[]|\\\"".contains(c));
    Some(match reference.url.as_deref().filter(plain) {
        Some(url) => format!("[{name}]({url})"),
        None => name,
    })
}

fn actions(incident: &Incident) -> Vec<Action> {
    let action = |item: &crate::domain::incident::state::ActionItem| Action {
        text: field(&item.text),
        owner: said(item.owner.as_deref()),
        due: said(item.due.as_deref()),
        does: item.does.map(crate::domain::incident::state::ActionType::word),
        ticket: ticket(incident, Some(item)).reference().and_then(linked),
    };
    incident.actions.iter().map(action).collect()
}

/// The last resolution that was not taken back, in its right words; nothing while the incident is open.
fn resolution(incident: &Incident, log: &[&Event]) -> Option<String> {
    let summary = |event: &&Event| match (&event.body, incident.amended.get(&key_text(&event.key))) {
        (Body::Resolved { .. }, Some(Amendment::Retracted(_))) => None,
        (Body::Resolved { .. }, Some(Amendment::Corrected(text))) => Some(text.clone()),
        (Body::Resolved { summary }, None) => Some(summary.clone()),
        _ => None,
    };
    let last = log.iter().filter(|_| !incident.is_open()).filter_map(summary).next_back();
    said(last.as_deref())
}

fn remarks(incident: &Incident, log: &[&Event], wanted: NoteKind) -> Vec<Remark> {
    let remark = |event: &&Event| {
        let Body::Note { sort, text } = &event.body else { return None };
        let text = match incident.amended.get(&key_text(&event.key)) {
            Some(Amendment::Retracted(_)) => return None,
            Some(Amendment::Corrected(right)) => right,
            None => text,
        };
        (*sort == wanted).then(|| Remark { at: dated(event.at), actor: field(&event.actor), text: field(text) })
    };
    log.iter().filter_map(remark).collect()
}

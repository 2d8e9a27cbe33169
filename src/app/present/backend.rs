//! Incidents of paging products for the screen: rows beside our incidents, a line on the incident they belong to, their own
//! timers.

use crate::app::backend::unlinked;
use crate::app::model::Model;
use crate::app::outbox::TargetState;
use crate::app::present::view::{Bit, IncidentRow, Sign, Tone};
use crate::app::present::{bit, passes};
use crate::app::screen::Item;
use crate::domain::escalation::timer::{Timer, TimerKind, TimerState};
use crate::domain::ids::{IncidentId, SourceName, TimerId};
use crate::domain::incident::event::OUTWARD_LOG;
use crate::domain::incident::linked::Linked;
use crate::domain::incident::state::Incident;
use crate::domain::incident::timeline::lasted;
use crate::domain::outward::backend::{BackendIncident, BackendStatus, PendingAction};
use crate::domain::time::{Timestamp, clock, compact, secs};

/// Pages that belong to no incident of ours, in the order in which they are drawn.
pub fn ids(model: &Model) -> Vec<Item> {
    shown(model).into_iter().map(|(name, there)| Item::Page(name.clone(), there.id.clone())).collect()
}

fn shown(model: &Model) -> Vec<(&SourceName, &BackendIncident)> {
    let filter = model.nav.spot().filter;
    let service = |there: &BackendIncident| there.service.as_ref().map_or(String::new(), |s| s.name.clone());
    let keep = |(name, there): &(&SourceName, &BackendIncident)| {
        // What nobody has is never filtered away.
        there.status == BackendStatus::Triggered
            || passes(&filter, &[&there.title, name.as_str(), &service(there), there.number.as_deref().unwrap_or("")])
    };
    unlinked(model).into_iter().filter(keep).collect()
}

/// Their rows.
pub fn rows(model: &Model, now: Timestamp) -> Vec<IncidentRow> {
    shown(model).into_iter().map(|(name, there)| row(name, there, now)).collect()
}

fn row(name: &SourceName, there: &BackendIncident, now: Timestamp) -> IncidentRow {
    let triggered = there.status == BackendStatus::Triggered;
    let low = there.urgency.as_deref() == Some("low");
    IncidentRow {
        sign: match (triggered, low) {
            (true, false) => Sign::Page,
            (true, true) => Sign::Ticket,
            (false, _) => Sign::Held,
        },
        severity: there.priority.clone().or_else(|| there.urgency.clone()).unwrap_or_else(|| "-".into()),
        id: there.number.clone().unwrap_or_else(|| there.id.clone()),
        title: there.title.clone(),
        status: there.status.word().into(),
        elapsed: there.created_at.map(|at| lasted(at, now)).unwrap_or_default(),
        commander: holders(there),
        progress: [name.to_string()].into_iter().chain(next(there, now)).collect::<Vec<_>>().join("  "),
        saved: true,
        elsewhere: true,
    }
}

/// Who has it, or to whom it was given.
fn holders(there: &BackendIncident) -> String {
    let names: Vec<&str> = match there.acknowledged_by.is_empty() {
        false => there.acknowledged_by.iter().map(|(party, _)| party.name.as_str()).collect(),
        true => there.assigned.iter().map(|party| party.name.as_str()).collect(),
    };
    if names.is_empty() { "-none-".into() } else { names.join(", ") }
}

fn doing(action: &str) -> String {
    match action {
        "escalate" => "escalates".into(),
        "unacknowledge" => "un-acks".into(),
        "resolve" => "resolves itself".into(),
        "urgency_change" => "changes urgency".into(),
        other => other.replace('_', " "),
    }
}

/// What it will do by itself. Nothing any more with one that is resolved, whatever was read of it before.
fn coming(there: &BackendIncident, now: Timestamp) -> impl Iterator<Item = &PendingAction> {
    let open = there.status != BackendStatus::Resolved;
    there.pending.iter().filter(move |pending| open && pending.at > now)
}

/// What it will do by itself, and what it will never do.
fn next(there: &BackendIncident, now: Timestamp) -> Vec<String> {
    let mut words: Vec<String> =
        coming(there, now).map(|p| format!("{} {} (in {})", doing(&p.action), clock(p.at), left(p.at, now))).collect();
    match there.status {
        BackendStatus::Acknowledged if there.ack_timeout_s == Some(0) => {
            words.push("no ack timeout: nothing pages again if you vanish".into());
        }
        BackendStatus::Triggered if there.direct == Some(true) => {
            words.push("given directly: it does not escalate".into());
        }
        _ => {}
    }
    words
}

fn left(at: Timestamp, now: Timestamp) -> String {
    compact(secs((at - now).num_seconds().max(0)))
}

fn there<'m>(model: &'m Model, linked: &Linked) -> Option<&'m BackendIncident> {
    target(model, &linked.link.target)?.seen(&linked.link.page)
}

fn target<'m>(model: &'m Model, name: &SourceName) -> Option<&'m TargetState> {
    model.outbox.targets.get(name)
}

/// One line for every incident there that belongs to ours: where it stands, what it will do, where we disagree. Those on
/// which we disagree, and the others.
pub fn facts(model: &Model, incident: &Incident, now: Timestamp) -> (Vec<Vec<Bit>>, Vec<Vec<Bit>>) {
    let line = |linked: &Linked| {
        let there = there(model, linked);
        let status = there.map_or(&linked.status, |there| &there.status);
        let by = match there {
            Some(there) if *status == BackendStatus::Acknowledged => format!(" by {}", holders(there)),
            _ => String::new(),
        };
        let tone = match status {
            BackendStatus::Triggered => Tone::Crit,
            BackendStatus::Resolved => Tone::Muted,
            _ => Tone::Text,
        };
        let mut bits = vec![bit(format!("{} {}{by}", linked.link.name(), status.word()), tone)];
        match there {
            Some(there) => bits.extend(next(there, now).into_iter().map(|words| bit(words, Tone::Text))),
            None => bits.push(bit("not read yet", Tone::Muted)),
        }
        let stale = target(model, &linked.link.target).and_then(|target| target.fault.as_ref());
        bits.extend(stale.map(|(since, fault)| {
            bit(format!("{} since {}: not the newest", fault.kind.word(), clock(*since)), Tone::Warn)
        }));
        let conflict = linked.conflict(incident, there);
        let disagreed = conflict.is_some();
        let loud = conflict.map(|words| Bit::loud(format!("CONFLICT {words}"), Tone::Warn));
        bits.splice(1..1, loud);
        (disagreed, bits)
    };
    let (conflicts, agreed): (Vec<_>, Vec<_>) = incident.pages.iter().map(line).partition(|(disagreed, _)| *disagreed);
    let lines = |list: Vec<(bool, Vec<Bit>)>| list.into_iter().map(|(_, bits)| bits).collect();
    (lines(conflicts), lines(agreed))
}

/// The true timers of the incidents there that belong to ours: told by the product, never reckoned.
pub fn timers(model: &Model, incident: &Incident, now: Timestamp) -> Vec<Timer> {
    let linked = incident.pages.iter().filter_map(|linked| Some((&linked.link.target, there(model, linked)?)));
    linked.flat_map(|(name, there)| of(&incident.id, name, there, now)).collect()
}

/// Timers of pages without an incident of ours: so many of the nearest, in a storm.
const LOOSE: usize = 10;

/// The true timers of pages that nobody has and that belong to none of our incidents.
pub fn loose_timers(model: &Model, now: Timestamp) -> Vec<Timer> {
    let log = IncidentId(OUTWARD_LOG.to_owned());
    let waits =
        |there: &BackendIncident| there.status == BackendStatus::Triggered && there.urgency.as_deref() != Some("low");
    let waiting = unlinked(model).into_iter().filter(|(_, there)| waits(there));
    let mut timers: Vec<Timer> = waiting.flat_map(|(name, there)| of(&log, name, there, now)).collect();
    timers.sort_by(|a, b| a.due_at.cmp(&b.due_at).then_with(|| a.id.cmp(&b.id)));
    timers.truncate(LOOSE);
    timers
}

fn of(incident: &IncidentId, name: &SourceName, there: &BackendIncident, now: Timestamp) -> Vec<Timer> {
    let number = there.number.as_deref().unwrap_or(&there.id);
    let timer = |pending: &PendingAction| Timer {
        id: TimerId(format!("{incident}:{}:{name}:{}:{}", TimerKind::Backend.word(), there.id, pending.action)),
        incident: incident.clone(),
        kind: TimerKind::Backend,
        label: format!("{name} {} {number}", doing(&pending.action)),
        due_at: pending.at,
        state: TimerState::Running,
        contact: None,
        then: format!("{name} does this by itself; a acknowledges, X acts on it. midwatch sends nothing then."),
        put_off: None,
        recorded: true,
    };
    coming(there, now).map(timer).collect()
}

/// The page that a timer of a paging product is about.
pub fn of_timer(model: &Model, timer: &TimerId) -> Option<(SourceName, String)> {
    let (_, rest) = timer.as_str().split_once(&format!(":{}:", TimerKind::Backend.word()))?;
    let named = |name: &&SourceName| rest.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with(':'));
    let name = model.outbox.targets.keys().find(named)?;
    let page = rest.strip_prefix(name.as_str())?.trim_start_matches(':').rsplit_once(':')?.0;
    Some((name.clone(), page.to_owned()))
}

/// What a runbook may take from the paging product (`backend:incident_id`): of the first incident there that belongs to
/// ours.
pub fn values(incident: &Incident) -> std::collections::BTreeMap<String, String> {
    let Some(linked) = incident.pages.first() else { return std::collections::BTreeMap::new() };
    let link = &linked.link;
    let known = [
        ("target", Some(link.target.to_string())),
        ("incident_id", Some(link.page.clone())),
        ("incident_number", link.number.as_ref().map(|number| number.trim_start_matches('#').to_owned())),
        ("service", link.service.clone()),
        ("key", link.key.clone()),
        ("url", link.url.clone()),
    ];
    known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

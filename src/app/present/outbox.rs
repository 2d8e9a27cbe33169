//! The outbox for the screen and for programs: what, to whom, how often it may be sent, why it waits, what became of it.

use crate::app::model::Model;
use crate::app::outbox::Busy;
use crate::app::present::items;
use crate::app::present::replay::BETWEEN;
use crate::app::present::view::{OutboxPage, OutboxRow, Pane, Sign, Tone};
use crate::app::screen::Item;
use crate::domain::incident::event::is_log;
use crate::domain::outward::decide::Next;
use crate::domain::outward::entry::{Entry, State};
use crate::domain::outward::operation::OpId;
use crate::domain::time::{Timestamp, clock, compact, rfc3339, secs};
use serde_json::{Value, json};

/// The order of the list: what needs a person, what waits, what is over; the newest first among what is over.
fn ordered(model: &Model) -> Vec<&Entry> {
    let mut all: Vec<&Entry> = model.outbox.entries.values().collect();
    all.sort_by_key(|entry| match &entry.state {
        State::Asked { .. } => (0, 0),
        State::Ended { .. } => (2, -(i64::try_from(entry.rev).unwrap_or(0))),
        _ => (1, 0),
    });
    all
}

/// The operations, in the order of the list.
pub fn ids(model: &Model) -> Vec<OpId> {
    ordered(model).into_iter().map(|entry| entry.op.id.clone()).collect()
}

/// One word for where it stands.
pub fn word(entry: &Entry) -> &'static str {
    match &entry.state {
        State::Queued => "queued",
        State::Leased(lease) if lease.look => "looking",
        State::Leased(_) => "sending",
        State::Doubt { .. } => "unknown",
        State::Pending { .. } => "accepted",
        State::Asked { .. } if entry.doubted => "unknown, ask",
        State::Asked { .. } => "ask",
        State::Ended { end, .. } => end.word(),
    }
}

/// Why it waits or how it ended, and when it is tried next.
pub fn why(model: &Model, entry: &Entry, now: Timestamp) -> (String, Option<Timestamp>) {
    match &entry.state {
        State::Asked { why, .. } => return (why.clone(), None),
        State::Ended { end, .. } => return (end.words(), None),
        _ if model.replay.is_some() => return (BETWEEN.into(), None),
        _ => {}
    }
    if model.setup.read_only {
        return ("read-only: another cockpit sends it".into(), None);
    }
    match (model.outbox.busy.get(&entry.op.id), model.outbox.next(entry, now)) {
        (Some(Busy::Sending), _) => ("being sent".into(), None),
        (Some(Busy::Looking), _) => ("being looked up".into(), None),
        (_, Next::Wait { until, why }) => (why, until),
        (_, Next::Ask(why)) => (why, None),
        _ => ("its turn; a running cockpit sends it".into(), Some(now)),
    }
}

/// The same on a screen: in a replay one that had not ended was open, and no record says more.
fn stands(model: &Model, entry: &Entry) -> &'static str {
    if model.replay.is_some() && entry.ended().is_none() { "open" } else { word(entry) }
}

fn row(model: &Model, entry: &Entry, now: Timestamp) -> OutboxRow {
    let (why, until) = why(model, entry, now);
    let word = stands(model, entry);
    let (sign, tone) = match &entry.state {
        State::Asked { .. } => (Sign::Page, Tone::Crit),
        State::Doubt { .. } => (Sign::Ticket, Tone::Warn),
        State::Ended { end, .. } if end.good() => (Sign::Ok, Tone::Muted),
        State::Ended { .. } => (Sign::Ticket, Tone::Warn),
        _ => (Sign::Countdown, Tone::Text),
    };
    let next = match until {
        Some(at) if at > now => compact(secs((at - now).num_seconds().max(1))),
        Some(_) => "now".into(),
        None => String::new(),
    };
    OutboxRow {
        sign,
        time: clock(entry.op.created_at),
        target: entry.op.target.0.clone(),
        what: entry.op.intent.words(),
        class: entry.op.class.letter().to_string(),
        state: word.to_owned(),
        tone,
        next,
        why,
    }
}

/// The screen.
pub fn page(model: &Model, now: Timestamp) -> OutboxPage {
    let selected = items::selected(model, now);
    let all = ordered(model);
    let cursor = all.iter().position(|entry| selected == Some(Item::Operation(entry.op.id.clone())));
    let (open, asked) = model.outbox.count();
    let detail = cursor.and_then(|n| all.get(n)).map(|entry| detail(model, entry, now)).unwrap_or_default();
    OutboxPage {
        queue: Pane {
            title: format!("OUTBOX {open}"),
            note: if asked > 0 { format!("{asked} for you to decide") } else { String::new() },
            rows: all.iter().map(|entry| row(model, entry, now)).collect(),
            cursor,
            empty: match model.replay {
                Some(_) => "nothing was to be sent for it by then".into(),
                None => "nothing was sent and nothing waits".into(),
            },
        },
        detail,
    }
}

fn detail(model: &Model, entry: &Entry, now: Timestamp) -> Vec<(String, String)> {
    let (why, until) = why(model, entry, now);
    let mut rows = vec![
        ("what".to_owned(), entry.op.intent.words()),
        ("to".into(), entry.op.target.0.clone()),
        ("for".into(), if is_log(&entry.incident) { "no incident".into() } else { entry.incident.0.clone() }),
        ("class".into(), format!("{}: {}", entry.op.class.letter(), entry.op.class.words())),
        ("by".into(), format!("{} at {}", entry.op.created_by, rfc3339(entry.op.created_at))),
        ("state".into(), stands(model, entry).to_owned()),
    ];
    if !why.is_empty() {
        rows.push(("why".into(), why));
    }
    if let Some(at) = until.filter(|at| *at > now) {
        rows.push(("next try".into(), format!("{} (in {})", clock(at), compact(at - now))));
    }
    if model.replay.is_none() {
        rows.push(("tries".into(), format!("{} sent, {} looked up", entry.sends, entry.looks)));
    }
    if let Some(last) = &entry.last {
        rows.push(("last".into(), last.clone()));
    }
    if let Some(reference) = entry.ended().and_then(|end| end.reference()) {
        rows.extend(reference.url.clone().map(|url| ("page".to_owned(), url)));
    }
    rows.push(("operation".into(), entry.op.id.to_string()));
    rows
}

/// One entry for programs; `state` is `open` in a replay until it ended, `incident` is null for what is for none: `{"id", "incident", "target", "capability", "what", "class", "created_at", "created_by", "state",
/// "why", "next_try_at", "sends", "looks", "last", "outcome", "reference"}`.
pub fn json(model: &Model, entry: &Entry, now: Timestamp) -> Value {
    let (why, until) = why(model, entry, now);
    let state = match &entry.state {
        State::Ended { .. } => "ended",
        _ if model.replay.is_some() => "open",
        State::Queued => "queued",
        State::Leased(_) => "sending",
        State::Doubt { .. } => "unknown",
        State::Pending { .. } => "accepted",
        State::Asked { .. } => "ask",
    };
    let end = entry.ended();
    json!({
        "id": entry.op.id,
        "incident": (!is_log(&entry.incident)).then_some(&entry.incident),
        "target": entry.op.target,
        "capability": entry.op.intent.capability(),
        "what": entry.op.intent.words(),
        "class": entry.op.class.letter().to_string(),
        "created_at": rfc3339(entry.op.created_at),
        "created_by": entry.op.created_by,
        "state": state,
        "why": why,
        "next_try_at": until.map(|at| rfc3339(at.max(now))),
        "sends": model.replay.is_none().then_some(entry.sends),
        "looks": model.replay.is_none().then_some(entry.looks),
        "last": entry.last,
        "outcome": end.map(|end| end.word().replace(' ', "_")),
        "reference": end.and_then(|end| end.reference()),
    })
}

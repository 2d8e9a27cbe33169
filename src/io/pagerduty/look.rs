//! Looks whether a write is done: by the state it wanted, by the marker in a note, or by our own line in the log. Changes
//! nothing.

use crate::domain::outward::backend::{BackendStatus, BackendWrite};
use crate::domain::outward::intent::Intent;
use crate::domain::outward::operation::Operation;
use crate::domain::outward::outcome::{Found, Outcome, Reference};
use crate::domain::time::{Span, Timestamp, rfc3339, secs};
use crate::io::http::Failure;
use crate::io::pagerduty::client::Client;
use crate::io::pagerduty::decode;
use crate::io::pagerduty::read::acted;
use crate::io::pagerduty::write::{below, by_code, by_key, current, has, mine};
use serde_json::Value;

/// Whether an operation is done.
pub async fn look(client: &Client, op: &Operation) -> Found {
    let Intent::Backend(write) = &op.intent else { return Found::NoWay };
    let found = match write {
        BackendWrite::RequestResponders { .. } | BackendWrite::StatusUpdate { .. } => return Found::NoWay,
        BackendWrite::Declare { .. } => by_key(client, op).await.map(|there| match there {
            Some(there) => Found::Done(Reference { id: Some(there.id), name: there.number, url: there.url }),
            None => Found::Absent,
        }),
        BackendWrite::Note { incident, .. } => note(client, op, incident).await,
        BackendWrite::Escalate { incident, .. } => logged(client, op, incident, "escalate").await,
        BackendWrite::Snooze { incident, .. } => logged(client, op, incident, "snooze").await,
        BackendWrite::Merge { incident, sources } => merged(client, incident, sources).await,
        _ => state(client, write).await,
    };
    found.unwrap_or_else(|failure| failed(&failure))
}

/// A look whose request failed. An incident that is gone will not come back.
fn failed(failure: &Failure) -> Found {
    match by_code(failure) {
        Outcome::Refused { kind, words } if failure.status == Some(404) => Found::Refused { kind, words },
        _ => failure.found(),
    }
}

fn done(id: &str) -> Found {
    Found::Done(Reference::id(id))
}

/// By the state that it wanted.
async fn state(client: &Client, write: &BackendWrite) -> Result<Found, Failure> {
    let there = client.incident(write.incident().unwrap_or_default()).await?;
    let over = there.status == BackendStatus::Resolved;
    let reached = match write {
        BackendWrite::Acknowledge { .. } => mine(&there, client.who().await?),
        BackendWrite::Unacknowledge { .. } => there.status == BackendStatus::Triggered,
        BackendWrite::Resolve { .. } => over,
        BackendWrite::Reassign { to, .. } => has(&there, to),
        BackendWrite::SetPriority { priority, .. } => there.priority.as_ref() == Some(&priority.name),
        BackendWrite::SetTitle { title, .. } => there.title == *title,
        _ => return Ok(Found::NoWay),
    };
    Ok(match reached {
        true => done(&there.id),
        false if over => Found::Conflict { current: current(&there) },
        false => Found::Absent,
    })
}

async fn merged(client: &Client, into: &str, sources: &[String]) -> Result<Found, Failure> {
    for id in sources {
        if client.incident(id).await?.merged_into.as_deref() != Some(into) {
            return Ok(Found::Absent);
        }
    }
    Ok(done(into))
}

async fn note(client: &Client, op: &Operation, incident: &str) -> Result<Found, Failure> {
    let Ok(path) = below(incident, "notes") else { return Ok(Found::NoWay) };
    let answer = client.ask_now(&Client::get(path)).await?;
    let marker = op.marker();
    let ours = |note: &&Value| decode::text(note, "content").is_some_and(|text| text.contains(&marker));
    let found = decode::list(&answer, "notes").find(ours);
    Ok(match found {
        Some(note) => Found::Done(Reference { id: decode::text(note, "id"), ..Reference::default() }),
        None => Found::Absent,
    })
}

/// By a line of ours in the log that is younger than the decision, on the server's clock.
async fn logged(client: &Client, op: &Operation, incident: &str, kind: &str) -> Result<Found, Failure> {
    let Ok(path) = below(incident, "log_entries") else { return Ok(Found::NoWay) };
    let since = server_time(op.created_at, client.http.skew());
    let request = Client::get(path)
        .query("is_overview", "false")
        .query("since", rfc3339(since))
        .query("limit", "100")
        .query("offset", "0");
    let me = client.who().await?.person.as_ref().map(|p| p.id.clone());
    let answer = client.ask_now(&request).await?;
    let log: Vec<Value> = decode::list(&answer, "log_entries").cloned().collect();
    Ok(if acted(&log, kind, me.as_deref(), since) { done(incident) } else { Found::Absent })
}

/// An instant of ours on the clock of the server, and a little earlier: its log counts whole seconds.
fn server_time(at: Timestamp, skew: Option<Span>) -> Timestamp {
    at.checked_add_signed(skew.unwrap_or(Span::zero()) - secs(2)).unwrap_or(at)
}

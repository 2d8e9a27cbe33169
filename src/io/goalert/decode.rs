//! Reads GoAlert's objects as they are: everything may be missing or null, words that are not known are kept. Its log has
//! no fields but a sentence; what it tells is read out of that sentence.

use crate::domain::outward::backend::{BackendIncident, BackendStatus, LogEntry, OnCall, Party};
use crate::domain::outward::outcome::Reference;
use crate::domain::time::Timestamp;
use crate::io::goalert::{Taker, named};
use crate::io::http::json::{instant, list, some, text};
use serde_json::Value;

/// An alert there by its number.
pub fn reference(id: i64, base: &str) -> Reference {
    Reference::id(id.to_string()).named(format!("#{id}")).at(Some(format!("{base}/alerts/{id}")))
}

fn level(value: &Value, place: &str) -> Option<u32> {
    let step = value.pointer(place)?.as_u64()?;
    // Its steps begin at 0.
    u32::try_from(step).ok()?.checked_add(1)
}

/// An alert; with its log, also who took it.
pub fn alert(value: &Value, base: &str) -> Option<BackendIncident> {
    let id = value.get("alertID").and_then(Value::as_i64)?;
    let status = match text(value, "/status") {
        "StatusUnacknowledged" => BackendStatus::Triggered,
        "StatusAcknowledged" => BackendStatus::Acknowledged,
        "StatusClosed" => BackendStatus::Resolved,
        "" => BackendStatus::Other("unknown".into()),
        other => BackendStatus::Other(other.trim_start_matches("Status").to_lowercase()),
    };
    let title = some(value, "/summary").unwrap_or_else(|| format!("#{id}"));
    let mut out = BackendIncident::new(id.to_string(), title, status);
    let Reference { name, url, .. } = reference(id, base);
    (out.number, out.url) = (name, url);
    out.service = named(value, "/service");
    out.policy = named(value, "/service/escalationPolicy");
    out.level = level(value, "/state/stepNumber");
    out.created_at = instant(value, "/createdAt");
    let events = list(value, "/recentEvents/nodes");
    out.updated_at = events.iter().filter_map(|event| instant(event, "/timestamp")).max();
    if out.status == BackendStatus::Acknowledged {
        out.acknowledged_by = taker(events).into_iter().collect();
    }
    Some(out)
}

/// Who took it last.
fn taker(events: &[Value]) -> Option<Taker> {
    let taken = |event: &&Value| text(event, "/message").starts_with("Acknowledged");
    let at = |event: &Value| instant(event, "/timestamp");
    let event = events.iter().filter(taken).max_by_key(|event| at(event))?;
    let name = actor(text(event, "/message"))?;
    Some((Party { id: name.clone(), name, ..Party::default() }, at(event)))
}

/// Whoever the sentence says did it: `Acknowledged by Ada (Web)`.
fn actor(message: &str) -> Option<String> {
    let (_, by) = message.rsplit_once(" by ")?;
    let name = by.rsplit_once(" (").map_or(by, |(name, _)| name).trim();
    Some(name.to_owned()).filter(|name| !name.is_empty())
}

const KINDS: [(&str, &str); 10] = [
    ("Created", "trigger"),
    ("Acknowledged", "acknowledge"),
    ("Closed", "resolve"),
    ("Escalated", "escalate"),
    ("Escalation requested", "escalation_request"),
    ("Notification sent", "notify"),
    ("Notification failed", "notify"),
    ("No notification sent", "notify"),
    ("Policy updated", "policy"),
    ("Suppressed duplicate", "duplicate"),
];

/// A line of an alert's log.
pub fn log_entry(value: &Value) -> Option<LogEntry> {
    let message = text(value, "/message");
    let id = value.get("id").map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned));
    let at: Timestamp = instant(value, "/timestamp")?;
    let known = KINDS.iter().find(|(begins, _)| message.starts_with(begins));
    let kind = known.map_or("log", |(_, kind)| *kind);
    let details = some(value, "/state/details").map(|details| format!(" ({details})")).unwrap_or_default();
    Some(LogEntry {
        id: id.filter(|id| !id.is_empty() && id != "null")?,
        at,
        kind: kind.into(),
        actor: if kind == "notify" { None } else { actor(message) },
        actor_id: None,
        by_itself: message.contains("automatically") || message.contains("due to inactivity"),
        text: format!("{message}{details}"),
    })
}

/// Who is on call for a service.
pub fn on_call(service: &Value) -> Vec<OnCall> {
    let policy = named(service, "/escalationPolicy");
    let duty = |user: &Value| {
        let id = some(user, "/userID")?;
        let name = some(user, "/userName").unwrap_or_else(|| id.clone());
        Some(OnCall {
            person: Party { id, name, ..Party::default() },
            policy: policy.clone(),
            schedule: None,
            level: level(user, "/stepNumber"),
            start: None,
            end: None,
        })
    };
    list(service, "/onCallUsers").iter().filter_map(duty).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_sentences_of_the_log_say_what_happened_and_who_did_it() {
        for (message, kind, by, alone) in [
            ("Created by integration prod (Prometheus)", "trigger", Some("integration prod"), false),
            ("Acknowledged by Ada L. (Web)", "acknowledge", Some("Ada L."), false),
            ("Closed by Bob", "resolve", Some("Bob"), false),
            ("Closed due to inactivity (unacknowledged for  3 days)", "resolve", None, true),
            ("Escalated to step #2 automatically after 15 minutes", "escalate", None, true),
            ("Escalated to step #2 due to manual escalation by Bob (SMS)", "escalate", Some("Bob"), false),
            ("Notification sent to Ada (Voice)", "notify", None, false),
            ("Something of tomorrow", "log", None, false),
        ] {
            let line = log_entry(&json!({"id": 7, "timestamp": "2026-05-01T03:00:00Z", "message": message})).unwrap();
            assert_eq!((line.kind.as_str(), line.actor.as_deref(), line.by_itself), (kind, by, alone), "{message}");
        }
        assert_eq!(log_entry(&json!({"id": null, "timestamp": "2026-05-01T03:00:00Z", "message": "x"})), None);
        assert_eq!(log_entry(&json!({"id": 1, "timestamp": "soon"})), None);
    }

    #[test]
    fn half_an_alert_is_read_for_what_is_in_it() {
        let there =
            alert(&json!({"alertID": 7, "status": "StatusParked", "service": null, "state": null}), "https://g");
        let there = there.unwrap();
        assert_eq!(there.status, BackendStatus::Other("parked".into()));
        assert_eq!((there.title.as_str(), there.level, there.service), ("#7", None, None));
        assert_eq!(there.url.as_deref(), Some("https://g/alerts/7"));
        assert_eq!(alert(&json!({"alertID": "x"}), ""), None);
        assert_eq!(alert(&json!(null), ""), None);
    }
}

//! Reads the objects of the operations API as they are: everything may be missing or null, lists come under `values` or
//! `data`, people as account ids or as objects, and words that are not known are kept.

use crate::domain::outward::backend::{
    BackendAlert, BackendIncident, BackendStatus, LogEntry, OnCall, Party, PendingAction,
};
use crate::domain::time::rfc3339;
use crate::io::http::json::{instant, some, text};
use serde_json::Value;
use std::collections::BTreeMap;

/// Account ids there, with names in the record.
pub type People = BTreeMap<String, String>;

/// What a snooze does by itself.
pub const SNOOZE_ENDS: &str = "snooze_ends";
/// The most labels that are read, and the longest value in bytes.
const MOST_LABELS: usize = 64;
const LONGEST_LABEL: usize = 1_024;

/// The object itself, which may stand under `data`.
pub fn inner(answer: &Value) -> &Value {
    answer.get("data").filter(|data| data.is_object()).unwrap_or(answer)
}

/// The items of a list.
pub fn items(answer: &Value) -> Option<&[Value]> {
    let all = ["values", "data"].iter().find_map(|key| answer.get(*key)?.as_array());
    all.map(Vec::as_slice)
}

/// A person by account id, with the name that the record knows.
fn party(value: &Value, people: &People) -> Option<Party> {
    let id = match value {
        Value::String(id) => Some(id.clone()).filter(|id| !id.is_empty()),
        _ => some(value, "/accountId").or_else(|| some(value, "/id")),
    }?;
    let told = some(value, "/displayName").or_else(|| some(value, "/name"));
    let name = people.get(&id).cloned().or(told).unwrap_or_else(|| id.clone());
    let email = id.contains('@').then(|| id.clone());
    Some(Party { id, name, email, time_zone: None })
}

fn flag(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or(false)
}

/// An alert.
pub fn alert(value: &Value, people: &People) -> Option<BackendIncident> {
    let id = some(value, "/id")?;
    let status = match text(value, "/status") {
        "closed" | "resolved" => BackendStatus::Resolved,
        _ if flag(value, "acknowledged") => BackendStatus::Acknowledged,
        "open" => BackendStatus::Triggered,
        "" => BackendStatus::Other("unknown".into()),
        other => BackendStatus::from_word(other),
    };
    let title = some(value, "/message").unwrap_or_else(|| id.clone());
    let mut out = BackendIncident::new(id, title, status);
    out.number = some(value, "/tinyId").map(|number| format!("#{number}"));
    out.priority = some(value, "/priority");
    out.key = some(value, "/alias");
    out.assigned = value.get("owner").and_then(|owner| party(owner, people)).into_iter().collect();
    if out.status == BackendStatus::Acknowledged {
        let told = value.pointer("/report/acknowledgedBy").and_then(|by| party(by, people));
        out.acknowledged_by = told.or_else(|| out.assigned.first().cloned()).map(|by| (by, None)).into_iter().collect();
    }
    out.service = some(value, "/entity").map(|name| Party { id: name.clone(), name, ..Party::default() });
    out.created_at = instant(value, "/createdAt");
    out.updated_at = instant(value, "/updatedAt");
    out.alerts = value.get("count").and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
    if flag(value, "snoozed")
        && let Some(at) = instant(value, "/snoozedUntil")
    {
        out.pending.push(PendingAction { action: SNOOZE_ENDS.into(), at });
    }
    Some(out)
}

/// The alert as what is inside it: its sender's properties are labels.
pub fn inside(value: &Value, people: &People) -> Option<BackendAlert> {
    let there = alert(value, people)?;
    let properties = ["extraProperties", "details"].iter().find_map(|key| value.get(*key)?.as_object());
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let label = |(name, value): (&String, &Value)| {
        let value = value.as_str().filter(|value| is_name(name) && value.len() <= LONGEST_LABEL)?;
        Some((name.clone(), value.to_owned()))
    };
    Some(BackendAlert {
        summary: there.title,
        severity: there.priority,
        status: there.status,
        key: there.key,
        labels: properties.into_iter().flatten().filter_map(label).take(MOST_LABELS).collect(),
        created_at: there.created_at,
        id: there.id,
    })
}

const KINDS: [(&str, &str); 8] = [
    ("alert created", "trigger"),
    ("alert acknowledged", "acknowledge"),
    ("alert unacknowledged", "unacknowledge"),
    ("alert un-acknowledged", "unacknowledge"),
    ("alert closed", "resolve"),
    ("alert snoozed", "snooze"),
    ("alert escalated", "escalate"),
    ("note added", "annotate"),
];

/// A line of an alert's log.
pub fn log_entry(value: &Value, people: &People) -> Option<LogEntry> {
    let (words, at) = (some(value, "/log")?, instant(value, "/createdAt")?);
    let plain = words.to_lowercase();
    let known = KINDS.iter().find(|(begins, _)| plain.starts_with(begins));
    let by = value.get("owner").and_then(|owner| party(owner, people));
    let system = by.as_ref().is_some_and(|by| by.name.eq_ignore_ascii_case("system"));
    Some(LogEntry {
        id: some(value, "/offset").unwrap_or_else(|| format!("{} {words}", rfc3339(at))),
        at,
        kind: known.map_or("log", |(_, kind)| *kind).into(),
        actor: by.as_ref().filter(|_| !system).map(|by| by.name.clone()),
        actor_id: by.filter(|_| !system).map(|by| by.id),
        by_itself: system,
        text: words,
    })
}

/// Who is on call in a schedule.
pub fn on_call(answer: &Value, schedule: &str, people: &People) -> Vec<OnCall> {
    let told = inner(answer);
    let all = ["onCallUsers", "onCallRecipients", "onCallParticipants"]
        .iter()
        .find_map(|key| told.get(*key).and_then(Value::as_array).filter(|list| !list.is_empty()));
    let duty = |user: &Value| {
        Some(OnCall {
            person: party(user, people)?,
            policy: None,
            schedule: Some(Party { id: schedule.to_owned(), name: schedule.to_owned(), ..Party::default() }),
            level: None,
            start: None,
            end: None,
        })
    };
    all.into_iter().flatten().filter_map(duty).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn people() -> People {
        People::from([("712020:ada".to_owned(), "ada".to_owned())])
    }

    #[test]
    fn states_are_told_apart_and_people_have_the_names_of_the_record() {
        for (value, want) in [
            (json!({"id": "a", "status": "open", "acknowledged": false}), "triggered"),
            (json!({"id": "a", "status": "open", "acknowledged": true}), "acknowledged"),
            (json!({"id": "a", "status": "closed", "acknowledged": true}), "resolved"),
            (json!({"id": "a", "status": "melting"}), "melting"),
            (json!({"id": "a", "status": null, "acknowledged": "yes"}), "unknown"),
        ] {
            assert_eq!(alert(&value, &people()).unwrap().status.word(), want, "{value}");
        }
        let there = json!({"id": "a", "status": "open", "acknowledged": true, "owner": "712020:ada", "tinyId": "7",
            "snoozed": true, "snoozedUntil": "2026-05-01T03:00:00Z", "extraProperties": {"alertname": "X", "n": 3, "a b": "c"}});
        let read = alert(&there, &people()).unwrap();
        assert_eq!((read.acknowledged_by[0].0.name.as_str(), read.number.as_deref()), ("ada", Some("#7")));
        assert_eq!(read.pending[0].action, SNOOZE_ENDS);
        assert_eq!(inside(&there, &people()).unwrap().labels, [("alertname".to_owned(), "X".to_owned())]);
        assert_eq!(alert(&json!({"id": 7}), &people()), None);
    }

    #[test]
    fn a_line_of_the_log_tells_a_state_only_where_it_begins_so() {
        for (words, kind) in [
            ("Alert created via web", "trigger"),
            ("Alert acknowledged via mobile", "acknowledge"),
            ("Alert unacknowledged", "unacknowledge"),
            ("Notification sent: Alert closed", "log"),
            ("Alert closed via API", "resolve"),
        ] {
            let line =
                json!({"log": words, "createdAt": "2026-05-01T03:00:00.123Z", "owner": "System", "offset": "1_2"});
            let entry = log_entry(&line, &people()).unwrap();
            assert_eq!((entry.kind.as_str(), entry.by_itself, entry.actor), (kind, true, None), "{words}");
        }
        assert_eq!(log_entry(&json!({"log": "x"}), &people()), None);
    }
}

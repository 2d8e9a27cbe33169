//! Reads incident.io's objects as they are: everything may be missing or null, words that are not known are kept.

use crate::domain::outward::backend::{BackendIncident, BackendStatus, LogEntry, OnCall, Party, Priority};
use crate::io::http::json::{instant, list, some, text};
use serde_json::Value;

/// A status of the organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    pub id: String,
    pub name: String,
    pub category: String,
}

/// Statuses, the earliest first.
pub fn statuses(answer: &Value) -> Vec<Status> {
    let rank = |value: &Value| value.get("rank").and_then(Value::as_i64).unwrap_or(i64::MAX);
    let mut found: Vec<&Value> = list(answer, "/incident_statuses").iter().collect();
    found.sort_by_key(|value| rank(value));
    let status = |value: &Value| {
        let id = some(value, "/id")?;
        let name = some(value, "/name").unwrap_or_else(|| id.clone());
        Some(Status { id, name, category: text(value, "/category").to_owned() })
    };
    found.into_iter().filter_map(status).collect()
}

/// Where a category of statuses stands with us.
fn standing(category: &str) -> BackendStatus {
    match category {
        "triage" => BackendStatus::Triggered,
        // Somebody has accepted it.
        "live" | "paused" => BackendStatus::Acknowledged,
        "learning" | "closed" | "declined" | "merged" | "canceled" => BackendStatus::Resolved,
        "" => BackendStatus::Other("unknown".into()),
        other => BackendStatus::Other(other.to_owned()),
    }
}

/// A user; nobody when there is no id.
fn party(value: &Value) -> Option<Party> {
    let id = some(value, "/id")?;
    let name = some(value, "/name").or_else(|| some(value, "/email")).unwrap_or_else(|| id.clone());
    Some(Party { id, name, email: some(value, "/email"), time_zone: None })
}

/// Whether a role is that of the lead.
pub fn leads(role: &Value) -> bool {
    text(role, "/role_type") == "lead"
}

/// An incident.
pub fn incident(value: &Value) -> Option<BackendIncident> {
    let id = some(value, "/id")?;
    let title = some(value, "/name").or_else(|| some(value, "/reference")).unwrap_or_else(|| id.clone());
    let mut out = BackendIncident::new(id, title, standing(text(value, "/incident_status/category")));
    out.number = some(value, "/reference");
    out.priority = some(value, "/severity/name");
    let lead = |assignment: &&Value| assignment.get("role").is_some_and(leads);
    let assignments = list(value, "/incident_role_assignments").iter();
    out.assigned = assignments.filter(lead).filter_map(|a| a.get("assignee").and_then(party)).collect();
    if out.status == BackendStatus::Acknowledged {
        // Whoever leads has it; when it was accepted is not told.
        out.acknowledged_by = out.assigned.iter().map(|party| (party.clone(), None)).collect();
    }
    out.created_at = instant(value, "/created_at");
    out.updated_at = instant(value, "/updated_at");
    out.url = some(value, "/permalink");
    out.bridge = some(value, "/call_url").or_else(|| some(value, "/slack_channel_name").map(|name| format!("#{name}")));
    Some(out)
}

/// A severity.
pub fn priority(value: &Value) -> Option<Priority> {
    party(value).map(|party| Priority { id: party.id, name: party.name })
}

/// The updates of an incident, oldest first. One that brought another status says so; the others are updates.
pub fn log(updates: &[Value]) -> Vec<LogEntry> {
    let mut sorted: Vec<(crate::domain::time::Timestamp, &Value)> =
        updates.iter().filter_map(|update| Some((instant(update, "/created_at")?, update))).collect();
    sorted.sort_by(|(a, x), (b, y)| (a, text(x, "/id")).cmp(&(b, text(y, "/id"))));
    let (mut log, mut before) = (Vec::new(), String::new());
    for (at, update) in sorted {
        let Some(id) = some(update, "/id") else { continue };
        let category = text(update, "/new_incident_status/category").to_owned();
        let kind = match standing(&category) {
            _ if category == before || category.is_empty() => "update",
            BackendStatus::Triggered => "trigger",
            BackendStatus::Acknowledged if before != "live" && before != "paused" => "acknowledge",
            BackendStatus::Resolved => "resolve",
            _ => "update",
        };
        if !category.is_empty() {
            before = category;
        }
        let updater = ["/updater/user", "/updater/api_key", "/updater/workflow", "/updater/alert"];
        let actor = updater.iter().find_map(|place| update.pointer(place).and_then(party));
        let states = [some(update, "/new_incident_status/name"), some(update, "/new_severity/name")];
        let states: Vec<String> = states.into_iter().flatten().collect();
        let words = [some(update, "/message"), Some(states.join(", ")).filter(|s| !s.is_empty())];
        log.push(LogEntry {
            id,
            at,
            kind: kind.into(),
            actor: actor.as_ref().map(|party| party.name.clone()),
            actor_id: actor.map(|party| party.id),
            by_itself: update.pointer("/updater/workflow").is_some_and(Value::is_object),
            text: words.into_iter().flatten().collect::<Vec<_>>().join(" · "),
        });
    }
    log
}

/// Who has the shifts of a schedule now.
pub fn on_call(schedule: &Value) -> Vec<OnCall> {
    let named = party(schedule);
    let shift = |shift: &Value| {
        Some(OnCall {
            person: shift.get("user").and_then(party)?,
            policy: None,
            schedule: named.clone(),
            level: None,
            start: instant(shift, "/start_at"),
            end: instant(shift, "/end_at"),
        })
    };
    list(schedule, "/current_shifts").iter().filter_map(shift).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_update_that_brings_another_status_says_so_and_the_others_are_updates() {
        let update = |id: &str, minute: u32, category: &str| {
            json!({"id": id, "created_at": format!("2026-05-01T03:{minute:02}:00Z"), "message": "m",
                   "new_incident_status": {"category": category, "name": category}, "updater": {"user": {"id": "U", "name": "Ada"}}})
        };
        let all = [
            update("c", 7, "live"),
            update("a", 0, "triage"),
            update("b", 5, "live"),
            update("d", 9, "paused"),
            update("e", 20, "closed"),
            json!({"id": "x"}),
            json!(null),
        ];
        let log = log(&all);
        let kinds: Vec<(&str, &str)> = log.iter().map(|e| (e.id.as_str(), e.kind.as_str())).collect();
        assert_eq!(kinds, [("a", "trigger"), ("b", "acknowledge"), ("c", "update"), ("d", "update"), ("e", "resolve")]);
        assert_eq!((log[0].actor.as_deref(), log[0].text.as_str()), (Some("Ada"), "m · triage"));
    }

    #[test]
    fn half_an_incident_is_read_for_what_is_in_it() {
        let there = incident(&json!({"id": "01", "incident_status": {"category": "hibernating"}, "severity": null,
            "incident_role_assignments": [{"role": null}, {"role": {"role_type": "lead"}, "assignee": null}]}));
        let there = there.unwrap();
        assert_eq!(there.status, BackendStatus::Other("hibernating".into()));
        assert_eq!((there.title.as_str(), there.assigned.len(), there.priority), ("01", 0, None));
        assert_eq!(incident(&json!({"id": 7})), None);
        assert_eq!(
            statuses(&json!({"incident_statuses": [{"id": "b", "rank": 2}, {"id": "a", "rank": 1}, {}]}))[0].id,
            "a"
        );
    }
}

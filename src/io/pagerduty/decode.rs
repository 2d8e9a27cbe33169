//! Reads the objects of the API as they are: everything may be missing or null, words that are not known are kept, and one
//! broken object does not spoil the others.

use crate::domain::outward::backend::{
    BackendAlert, BackendIncident, BackendStatus, Change, LogEntry, OnCall, Party, PendingAction, Priority,
};
use crate::domain::time::Timestamp;
use crate::io::pagerduty::labels;
use serde_json::Value;

/// A text that is there and not empty.
pub fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// An instant.
pub fn instant(value: &Value, key: &str) -> Option<Timestamp> {
    value.get(key)?.as_str()?.parse().ok()
}

/// The items of a list; a missing one is empty.
pub fn list<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// All texts in a value, for an error whose form is not fixed.
pub fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(words).filter(|w| !w.is_empty()).collect::<Vec<_>>().join("; "),
        Value::Object(fields) => {
            let each = fields.iter().map(|(key, value)| format!("{key}: {}", words(value)));
            each.collect::<Vec<_>>().join("; ")
        }
        _ => String::new(),
    }
}

/// A person, team, service, schedule or policy; a reference has a `summary` in place of a name.
pub fn party(value: &Value) -> Option<Party> {
    let id = text(value, "id")?;
    let name = text(value, "name").or_else(|| text(value, "summary")).unwrap_or_else(|| id.clone());
    Some(Party { id, name, email: text(value, "email"), time_zone: text(value, "time_zone") })
}

/// An incident.
pub fn incident(value: &Value) -> Option<BackendIncident> {
    let id = text(value, "id")?;
    let title = text(value, "title").or_else(|| text(value, "summary")).unwrap_or_else(|| id.clone());
    let status = BackendStatus::from_word(&text(value, "status").unwrap_or_else(|| "unknown".into()));
    let mut out = BackendIncident::new(id, title, status);
    out.number = value.get("incident_number").and_then(Value::as_u64).map(|number| format!("#{number}"));
    out.urgency = text(value, "urgency");
    out.priority = value.get("priority").and_then(|p| text(p, "summary").or_else(|| text(p, "name")));
    out.service = value.get("service").and_then(party);
    out.ack_timeout_s = value.get("service").and_then(ack_timeout);
    out.assigned = list(value, "assignments").filter_map(|a| a.get("assignee").and_then(party)).collect();
    out.direct = text(value, "assigned_via").map(|via| via == "direct_assignment");
    out.acknowledged_by = list(value, "acknowledgements")
        .filter_map(|a| Some((a.get("acknowledger").and_then(party)?, instant(a, "at"))))
        .collect();
    out.policy = value.get("escalation_policy").and_then(party);
    out.created_at = instant(value, "created_at");
    out.updated_at = instant(value, "updated_at").or_else(|| instant(value, "last_status_change_at"));
    out.pending = list(value, "pending_actions")
        .filter_map(|a| Some(PendingAction { action: text(a, "type")?, at: instant(a, "at")? }))
        .collect();
    out.pending.sort_by_key(|pending| pending.at);
    out.key = text(value, "incident_key");
    let counts = value.get("alert_counts");
    out.alerts = counts.and_then(|c| c.get("all")).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
    out.url = text(value, "html_url");
    let bridge = value.get("conference_bridge");
    out.bridge = bridge.and_then(|b| text(b, "conference_url").or_else(|| text(b, "conference_number")));
    let reason = value.get("resolve_reason").filter(|r| text(r, "type").as_deref() == Some("merge_resolve_reason"));
    out.merged_into = reason.and_then(|r| text(r.get("incident")?, "id"));
    Some(out)
}

/// After how many seconds an acknowledgement of the service ends; 0 is never. A reference alone does not tell.
fn ack_timeout(service: &Value) -> Option<u64> {
    match service.get("acknowledgement_timeout")? {
        Value::Null => Some(0),
        value => value.as_u64(),
    }
}

/// A line of an incident's log. Telephone numbers and addresses of people stay out of it.
pub fn log_entry(value: &Value) -> Option<LogEntry> {
    let kind = text(value, "type")?;
    let kind = kind.strip_suffix("_reference").unwrap_or(&kind);
    let kind = kind.strip_suffix("_log_entry").unwrap_or(kind).to_owned();
    let channel = value.get("channel");
    let channel_text = |key: &str| channel.and_then(|c| text(c, key));
    let mut words = text(value, "summary").unwrap_or_else(|| kind.replace('_', " "));
    if kind == "annotate"
        && let Some(note) = channel_text("content").or_else(|| channel_text("summary"))
        && !words.contains(&note)
    {
        words = format!("{}: {note}", words.trim_end_matches(['.', ' ']));
    }
    if kind == "notify"
        && let Some(by) = channel.and_then(|c| text(c.get("notification")?, "type"))
        && !words.contains(&by)
    {
        words = format!("{} ({by})", words.trim_end_matches(['.', ' ']));
    }
    Some(LogEntry {
        id: text(value, "id")?,
        at: instant(value, "created_at")?,
        actor: value.get("agent").and_then(party).map(|agent| agent.name),
        actor_id: value.get("agent").and_then(|agent| text(agent, "id")),
        by_itself: channel_text("type").is_some_and(|how| how == "timeout" || how == "auto"),
        kind,
        text: words,
    })
}

/// Somebody on call.
pub fn on_call(value: &Value) -> Option<OnCall> {
    let level = value.get("escalation_level").and_then(Value::as_u64);
    Some(OnCall {
        person: value.get("user").and_then(party)?,
        policy: value.get("escalation_policy").and_then(party),
        schedule: value.get("schedule").and_then(party),
        level: level.and_then(|level| u32::try_from(level).ok()),
        start: instant(value, "start"),
        end: instant(value, "end"),
    })
}

/// A priority.
pub fn priority(value: &Value) -> Option<Priority> {
    party(value).map(|p| Priority { id: p.id, name: p.name })
}

/// An alert of an incident.
pub fn alert(value: &Value) -> Option<BackendAlert> {
    let id = text(value, "id")?;
    Some(BackendAlert {
        summary: text(value, "summary").unwrap_or_else(|| id.clone()),
        severity: text(value, "severity"),
        status: BackendStatus::from_word(&text(value, "status").unwrap_or_else(|| "unknown".into())),
        key: text(value, "alert_key"),
        labels: value.get("body").map(labels::of).unwrap_or_default(),
        created_at: instant(value, "created_at"),
        id,
    })
}

/// A change.
pub fn change(value: &Value) -> Option<Change> {
    let details = value.get("custom_details");
    let author = details.and_then(|d| ["author", "user", "deployed_by"].into_iter().find_map(|key| text(d, key)));
    let link = list(value, "links").find_map(|link| text(link, "href"));
    Some(Change {
        id: text(value, "id")?,
        at: instant(value, "timestamp")?,
        summary: text(value, "summary").unwrap_or_else(|| "a change".into()),
        service: list(value, "services").find_map(party).map(|p| p.name).or_else(|| text(value, "source")),
        author,
        url: link.or_else(|| text(value, "html_url")),
    })
}

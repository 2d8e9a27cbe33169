//! Log entries of PagerDuty, as its interface answers them: who was paged, who took it, what was written. An entry is known
//! by its id.

use crate::domain::import::{Line, Read, Shape};
use crate::domain::incident::event::Act;
use chrono::DateTime;
use serde_json::Value;

/// Whether a document holds log entries.
pub fn is(value: &Value) -> bool {
    entries(value).is_some_and(|all| all.iter().any(|entry| kind(entry).is_some_and(|k| k.contains("log_entry"))))
}

fn entries(value: &Value) -> Option<&Vec<Value>> {
    value.get("log_entries").and_then(Value::as_array).or_else(|| value.as_array())
}

fn kind(entry: &Value) -> Option<&str> {
    entry.get("type").and_then(Value::as_str)
}

/// Reads log entries.
pub fn read(text: &str) -> Result<Read, String> {
    let value: Value = serde_json::from_str(text).map_err(|e| format!("it is no JSON: {e}"))?;
    let all = entries(&value).ok_or("it is no list of log entries (expected {\"log_entries\": [{\"type\": …}]})")?;
    let mut lines = Vec::new();
    let mut left_out = Vec::new();
    for (n, entry) in all.iter().enumerate() {
        match line(entry, n + 1) {
            Ok(line) => lines.push(line),
            Err(why) => left_out.push((n + 1, why)),
        }
    }
    Ok(Read { shape: Shape::PagerDuty, lines, left_out })
}

fn line(entry: &Value, n: usize) -> Result<Line, String> {
    let at = |pointer: &str| entry.pointer(pointer).and_then(Value::as_str).filter(|t| !t.is_empty());
    let kind = kind(entry).ok_or("no `type`")?;
    let kind = kind.trim_end_matches("_reference").trim_end_matches("_log_entry");
    let when = at("/created_at").ok_or("no `created_at`")?;
    let when = DateTime::parse_from_rfc3339(when).map_err(|_| "`created_at` is no time".to_owned())?;
    let act = match kind {
        "notify" => Act::Page,
        "acknowledge" => Act::Ack,
        "unacknowledge" => Act::Unack,
        "escalate" | "exhaust_escalation_path" | "repeat_escalation_path" => Act::Escalated,
        "snooze" => Act::Snoozed,
        "resolve" => Act::Resolved,
        "merge" => Act::Merged,
        "annotate" | "status_update" => Act::Message,
        _ => Act::Other,
    };
    // A note has its text in its channel; the summary says that there is one.
    let note = at("/channel/summary").or_else(|| at("/channel/text")).or_else(|| at("/channel/content"));
    let said = match kind {
        "annotate" => note.or_else(|| at("/summary")),
        "status_update" => at("/message").or_else(|| at("/summary")),
        _ => at("/summary"),
    };
    let person = match act {
        Act::Page => at("/user/summary").or_else(|| at("/agent/summary")),
        _ => at("/agent/summary").or_else(|| at("/agent/name")),
    };
    let text = match (act, said) {
        (_, Some(said)) => said.to_owned(),
        (Act::Page, None) => format!("{} was notified", person.unwrap_or("somebody")),
        (_, None) => kind.replace('_', " "),
    };
    let id = at("/id").map(str::to_owned);
    Ok(Line { act, id, ..Line::said(when.to_utc(), person.unwrap_or("PagerDuty"), text, n) })
}

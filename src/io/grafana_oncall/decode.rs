//! Reads OnCall's objects as they are: everything may be missing or null, people stand as ids, and words that are not known
//! are kept.

use crate::domain::outward::backend::{BackendAlert, BackendIncident, BackendStatus, Party};
use crate::io::http::json::{instant, some, text};
use serde_json::Value;
use std::collections::BTreeMap;

/// The most labels that are read, and the longest value in bytes.
const MOST_LABELS: usize = 64;
const LONGEST_LABEL: usize = 1_024;

/// Something with an id and a name.
pub fn named(value: &Value) -> Option<Party> {
    let id = some(value, "/id")?;
    let name = some(value, "/name").unwrap_or_else(|| id.clone());
    Some(Party { id, name, ..Party::default() })
}

/// A user.
pub fn user(value: &Value) -> Option<Party> {
    let id = some(value, "/id")?;
    let email = some(value, "/email");
    let name = some(value, "/name").or_else(|| some(value, "/username")).or_else(|| email.clone());
    Some(Party { name: name.unwrap_or_else(|| id.clone()), id, email, time_zone: some(value, "/timezone") })
}

/// An alert group; people who are not known yet have their id as a name.
pub fn group(value: &Value, people: &BTreeMap<String, Party>) -> Option<BackendIncident> {
    let id = some(value, "/id")?;
    let status = match text(value, "/state") {
        "new" | "firing" => BackendStatus::Triggered,
        "" => BackendStatus::Other("unknown".into()),
        other => BackendStatus::from_word(other),
    };
    let title = some(value, "/title").unwrap_or_else(|| format!("alert group {id}"));
    let mut out = BackendIncident::new(id, title, status);
    if out.status == BackendStatus::Acknowledged
        && let Some(by) = some(value, "/acknowledged_by")
    {
        let bare = || Party { id: by.clone(), name: by.clone(), ..Party::default() };
        let party = people.get(&by).cloned().unwrap_or_else(bare);
        out.acknowledged_by.push((party, instant(value, "/acknowledged_at")));
    }
    out.created_at = instant(value, "/created_at");
    let changes = ["/created_at", "/acknowledged_at", "/resolved_at", "/silenced_at"];
    out.updated_at = changes.iter().filter_map(|place| instant(value, place)).max();
    out.alerts = value.get("alerts_count").and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
    out.url = some(value, "/permalinks/web").or_else(|| some(value, "/permalinks/slack"));
    Some(out)
}

/// An alert of a group; the labels that an Alertmanager or Grafana sent are in its payload.
pub fn alert(value: &Value) -> Option<BackendAlert> {
    let id = some(value, "/id")?;
    let places = ["/payload/commonLabels", "/payload/alerts/0/labels", "/payload/labels", "/payload/groupLabels"];
    let labels = places.iter().find_map(|place| value.pointer(place)?.as_object().filter(|map| !map.is_empty()));
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let label = |(name, value): (&String, &Value)| {
        let value = value.as_str().filter(|value| is_name(name) && value.len() <= LONGEST_LABEL)?;
        Some((name.clone(), value.to_owned()))
    };
    let labels: Vec<(String, String)> = labels.into_iter().flatten().filter_map(label).take(MOST_LABELS).collect();
    let summary = some(value, "/payload/title").or_else(|| some(value, "/title")).unwrap_or_else(|| id.clone());
    Some(BackendAlert {
        summary,
        severity: labels.iter().find(|(name, _)| name == "severity").map(|(_, value)| value.clone()),
        status: BackendStatus::Other("unknown".into()),
        key: None,
        labels,
        created_at: instant(value, "/created_at"),
        id,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn states_are_told_apart_and_what_is_missing_is_left_out() {
        for (state, want) in [
            (json!("new"), "triggered"),
            (json!("firing"), "triggered"),
            (json!("acknowledged"), "acknowledged"),
            (json!("silenced"), "silenced"),
            (json!("resolved"), "resolved"),
            (json!(null), "unknown"),
        ] {
            let there =
                group(&json!({"id": "I1", "state": state, "title": null, "permalinks": null}), &BTreeMap::new());
            let there = there.unwrap();
            assert_eq!((there.status.word(), there.title.as_str()), (want, "alert group I1"));
        }
        assert_eq!(group(&json!({"id": 7}), &BTreeMap::new()), None);
        let sent =
            json!({"id": "A", "payload": {"commonLabels": {}, "alerts": [{"labels": {"alertname": "X", "n": 1}}]}});
        assert_eq!(alert(&sent).unwrap().labels, [("alertname".to_owned(), "X".to_owned())]);
        assert_eq!(alert(&json!({"id": "A", "payload": "text"})).unwrap().labels, []);
    }
}

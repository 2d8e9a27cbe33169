//! A timeline that was exported as JSON lines, read back as the events it was made of, to be looked at: the hash chain is
//! not in it, so that what is read here is never put into a record. What is wrong is told with its line and column.

use crate::domain::ids::{IncidentId, Origin};
use crate::domain::incident::event::{Body, Event, EventKey};
use crate::domain::time::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

/// A line as it was exported; what is only for people is left out.
#[derive(Deserialize)]
struct Line {
    seq: u64,
    origin: String,
    at: Timestamp,
    recorded_at: Timestamp,
    recorded_by: String,
    event: String,
    #[serde(default)]
    data: Value,
}

/// The events of an exported timeline, in the order in which they were recorded. `Err`: `path:line:column: what is wrong`.
pub fn events(path: &str, text: &str, incident: &IncidentId) -> Result<Vec<Event>, String> {
    let mut lines = Vec::new();
    for (n, raw) in text.lines().enumerate().filter(|(_, raw)| !raw.trim().is_empty()) {
        let line: Line = serde_json::from_str(raw).map_err(|e| {
            let what = e.to_string();
            let what = what.rsplit_once(" at line ").map_or(what.as_str(), |(what, _)| what).to_owned();
            format!("{path}:{}:{}: {what} (expected a line of `incident timeline --format jsonl`)", n + 1, e.column())
        })?;
        let body = match &line.data {
            Value::Null => json!({"kind": line.event}),
            data => json!({"kind": line.event, "data": data}),
        };
        // A kind that a newer program wrote is kept as it is, like everywhere.
        let body: Body =
            serde_json::from_value(body).map_err(|e| format!("{path}:{}:1: {}: {e}", n + 1, line.event))?;
        lines.push((line, body));
    }
    lines.sort_by(|(a, _), (b, _)| (a.recorded_at, &a.origin, a.seq).cmp(&(b.recorded_at, &b.origin, b.seq)));
    let event = |(n, (line, body)): (usize, (Line, Body))| Event {
        key: EventKey { origin: Origin(line.origin), seq: line.seq },
        id: String::new(),
        incident: incident.clone(),
        order: n as u64 + 1,
        at: line.at,
        recorded_at: line.recorded_at,
        actor: line.recorded_by,
        body,
        hash: String::new(),
    };
    Ok(lines.into_iter().enumerate().map(event).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::export::{Format, export};
    use crate::domain::incident::event::NoteKind;
    use crate::domain::incident::state::Incident;
    use crate::domain::time::secs;
    use chrono::{FixedOffset, Offset, Utc};

    fn utc() -> FixedOffset {
        Utc.fix()
    }

    #[test]
    fn what_was_exported_folds_to_the_same_incident() {
        let at = |s: i64| "2026-05-01T03:12:04.123Z".parse::<Timestamp>().unwrap() + secs(s);
        let event = |seq: u64, body: Body| Event {
            key: EventKey { origin: Origin("here".into()), seq },
            id: String::new(),
            incident: "INC-1".into(),
            order: seq,
            at: at(seq as i64 * 7),
            recorded_at: at(seq as i64 * 7 + 1),
            actor: "ada".into(),
            body,
            hash: String::new(),
        };
        let declared = Body::Declared {
            title: "slow".into(),
            severity: "SEV2".into(),
            service: Some("api".into()),
            detected_by: None,
            detected_at: None,
        };
        let written = vec![
            event(1, declared),
            event(2, Body::Acknowledged),
            event(3, Body::Note { sort: NoteKind::Decision, text: "roll back\u{1b}[2J".into() }),
            event(4, Body::Unknown(json!({"kind": "teleported", "data": {"to": "Mars"}}))),
            event(5, Body::Resolved { summary: "done".into() }),
        ];
        let state = Incident::fold(&written).unwrap();
        let text = export(&state, &written, utc(), Format::JsonLines).concat();
        let read = events("timeline.jsonl", &text, &"INC-1".into()).unwrap();
        assert_eq!(read.len(), written.len());
        assert_eq!(Incident::fold(&read).unwrap(), state);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let why = events("t.jsonl", "\n{\"seq\": 1}\n", &"INC-1".into()).unwrap_err();
        assert!(why.starts_with("t.jsonl:2:10: missing field `origin`"), "{why}");
        let why = events("t.jsonl", "# Timeline\n", &"INC-1".into()).unwrap_err();
        assert!(why.starts_with("t.jsonl:1:1: expected value"), "{why}");
        assert_eq!(events("t.jsonl", "", &"INC-1".into()), Ok(Vec::new()));
    }
}

//! Reads the answers of the Alertmanager API v2, versions 0.22 to 0.34, as they really are: `mutedBy` and `generatorURL` may
//! be absent, and errors come in four shapes. An alert that cannot be read whole is told, never dropped in silence.

use crate::domain::alert::{Alert, AlertState, fingerprint};
use crate::domain::fault::FaultKind;
use crate::domain::ids::{Fingerprint, SourceName};
use crate::domain::labels::Labels;
use crate::domain::time::Timestamp;
use crate::io::http::Explained;
use chrono::DateTime;
use serde::Deserialize;
use std::borrow::Cow;

mod silence;

pub use silence::{Held, no_such_silence, silence, silence_id, silences};

/// What one peer told.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Groups {
    /// Its alerts, once per group and receiver they are in.
    pub alerts: Vec<Alert>,
    /// What was odd about them.
    pub notes: Vec<String>,
}

/// A text that is looked at and not kept: it stays where it is in the answer, unless it has escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
struct Group<'a> {
    #[serde(borrow)]
    alerts: Vec<Wire<'a>>,
}

#[derive(Deserialize)]
struct Wire<'a> {
    labels: Labels,
    #[serde(default)]
    annotations: Option<Labels>,
    #[serde(default)]
    fingerprint: Option<String>,
    #[serde(borrow, default, rename = "startsAt")]
    starts_at: Option<Text<'a>>,
    #[serde(borrow, default, rename = "updatedAt")]
    updated_at: Option<Text<'a>>,
    #[serde(default, rename = "generatorURL")]
    generator_url: Option<String>,
    #[serde(borrow)]
    status: Status<'a>,
}

#[derive(Deserialize)]
struct Status<'a> {
    #[serde(borrow)]
    state: Text<'a>,
    #[serde(default, rename = "silencedBy")]
    silenced_by: Option<Vec<String>>,
    #[serde(default, rename = "inhibitedBy")]
    inhibited_by: Option<Vec<String>>,
    /// Absent before 0.27.
    #[serde(default, rename = "mutedBy")]
    muted_by: Option<Vec<String>>,
}

/// Reads `/api/v2/alerts/groups`. Says what was found where when it is not that.
pub fn groups(body: &[u8], source: &SourceName) -> Result<Groups, String> {
    // Checked once as a whole, and not string by string; where it is no UTF-8, the slow way says at which line.
    let decoded = match std::str::from_utf8(body) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(body),
    };
    let wire: Vec<Group<'_>> = decoded.map_err(|e| match e.is_eof() {
        true => format!("the JSON breaks off at line {} column {}", e.line(), e.column()),
        false => e.to_string(),
    })?;
    let alerts = Vec::with_capacity(wire.iter().map(|group| group.alerts.len()).sum());
    let mut groups = Groups { alerts, notes: Vec::new() };
    for alert in wire.into_iter().flat_map(|group| group.alerts) {
        read(alert, source, &mut groups);
    }
    Ok(groups)
}

fn read(wire: Wire<'_>, source: &SourceName, groups: &mut Groups) {
    let name = wire.labels.get("alertname").to_owned();
    let started_at = match instant(&wire.starts_at) {
        Some(at) => at,
        None => match instant(&wire.updated_at) {
            Some(at) => {
                groups.notes.push(format!("alert {name:?} has no readable start; its last update stands in"));
                at
            }
            None => {
                groups.notes.push(format!("alert {name:?} is not shown: it has no readable instant"));
                return;
            }
        },
    };
    let (state, held_by, note) = state(wire.status);
    groups.notes.extend(note.map(|note| format!("alert {name:?} {note}")));
    groups.alerts.push(Alert {
        fingerprint: match wire.fingerprint {
            Some(said) if !said.is_empty() => Fingerprint(said),
            _ => fingerprint(&wire.labels),
        },
        name,
        labels: wire.labels,
        annotations: wire.annotations.unwrap_or_default(),
        state,
        started_at,
        source: source.clone(),
        held_by,
        generator_url: wire.generator_url.filter(|url| !url.is_empty()),
    });
}

/// An instant as Alertmanager writes it; else as anybody may.
fn instant(text: &Option<Text<'_>>) -> Option<Timestamp> {
    let text = &*text.as_ref()?.0;
    DateTime::parse_from_rfc3339(text).map(|at| at.to_utc()).or_else(|_| text.parse()).ok()
}

/// A state that is not known, and `unprocessed`, count as firing: nothing is known to hold it.
fn state(status: Status<'_>) -> (AlertState, Vec<String>, Option<String>) {
    let silenced = status.silenced_by.unwrap_or_default();
    let inhibited = status.inhibited_by.unwrap_or_default();
    let muted = status.muted_by.unwrap_or_default();
    match &*status.state.0 {
        "suppressed" => {
            let state = match (silenced.is_empty(), inhibited.is_empty(), muted.is_empty()) {
                (false, ..) => AlertState::Silenced,
                (true, false, _) => AlertState::Inhibited,
                (true, true, false) => AlertState::Muted,
                (true, true, true) => AlertState::Silenced,
            };
            (state, [silenced, inhibited, muted].concat(), None)
        }
        "active" | "unprocessed" => (AlertState::Firing, Vec::new(), None),
        other => (AlertState::Firing, Vec::new(), Some(format!("has the unknown state {other:?}; shown as firing"))),
    }
}

/// Reads the version out of `/api/v2/status`.
pub fn version(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(rename = "versionInfo")]
        info: Info,
    }
    #[derive(Deserialize)]
    struct Info {
        version: String,
    }
    serde_json::from_slice::<Answer>(body).ok().map(|a| a.info.version).filter(|v| !v.is_empty())
}

/// How many peers a peer sees in its cluster, itself among them: 0 when it keeps to itself by its settings.
pub fn joined(body: &[u8]) -> Option<usize> {
    #[derive(Deserialize)]
    struct Answer {
        cluster: Seen,
    }
    #[derive(Deserialize)]
    struct Seen {
        #[serde(default)]
        peers: Option<Vec<serde::de::IgnoredAny>>,
    }
    serde_json::from_slice::<Answer>(body).ok().map(|a| a.cluster.peers.map_or(0, |peers| peers.len()))
}

/// Reads an error body: a JSON string, an object with `message`, plain text, or nothing. Its limit on concurrent requests is
/// told apart: the peer is busy, not broken.
pub fn explain(body: &[u8]) -> Explained {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Shape {
        Text(String),
        Object { message: String },
    }
    let text = match serde_json::from_slice::<Shape>(body) {
        Ok(Shape::Text(text) | Shape::Object { message: text }) => text,
        Err(_) => String::from_utf8_lossy(body).trim().to_owned(),
    };
    let busy = text.to_ascii_lowercase().contains("limit of concurrent get requests");
    Explained { kind: busy.then_some(FaultKind::RateLimited), text, ..Explained::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(alert: &str) -> String {
        format!(r#"[{{"labels":{{}},"receiver":{{"name":"team"}},"alerts":[{alert}]}}]"#)
    }

    fn one(alert: &str) -> Alert {
        groups(body(alert).as_bytes(), &"main".into()).unwrap().alerts.remove(0)
    }

    const OLD: &str = r#"{"annotations":{},"endsAt":"2026-05-01T03:05:00.000Z","fingerprint":"a7ffdcec7b6bae00",
        "receivers":[{"name":"team"}],"startsAt":"2026-05-01T03:00:00.123Z","updatedAt":"2026-05-01T03:01:00.000Z",
        "status":{"inhibitedBy":[],"silencedBy":[],"state":"active"},"labels":{"alertname":"Down"}}"#;

    #[test]
    fn what_old_versions_leave_out_is_not_missed() {
        let alert = one(OLD);
        assert_eq!(
            (alert.name.as_str(), alert.state, alert.generator_url.as_deref()),
            ("Down", AlertState::Firing, None)
        );
        assert_eq!(alert.fingerprint.as_str(), "a7ffdcec7b6bae00");
        let bare = r#"{"labels":{"alertname":"Down"},"updatedAt":"2026-05-01T03:01:00Z","status":{"state":"active"}}"#;
        let got = groups(body(bare).as_bytes(), &"main".into()).unwrap();
        assert_eq!((got.alerts[0].fingerprint.as_str().len(), got.notes.len()), (16, 1));
    }

    #[test]
    fn the_state_says_what_holds_it() {
        for (status, want, held) in [
            (
                r#"{"state":"suppressed","silencedBy":["s1"],"inhibitedBy":["f1"],"mutedBy":[]}"#,
                AlertState::Silenced,
                2,
            ),
            (r#"{"state":"suppressed","silencedBy":[],"inhibitedBy":["f1"]}"#, AlertState::Inhibited, 1),
            (r#"{"state":"suppressed","silencedBy":[],"inhibitedBy":[],"mutedBy":["nights"]}"#, AlertState::Muted, 1),
            (r#"{"state":"suppressed"}"#, AlertState::Silenced, 0),
            (r#"{"state":"unprocessed"}"#, AlertState::Firing, 0),
            (r#"{"state":"brand-new"}"#, AlertState::Firing, 0),
        ] {
            let alert = one(&format!(r#"{{"labels":{{}},"startsAt":"2026-05-01T03:00:00Z","status":{status}}}"#));
            assert_eq!((alert.state, alert.held_by.len()), (want, held), "{status}");
        }
    }

    #[test]
    fn an_alert_without_an_instant_is_told() {
        let got = groups(
            body(r#"{"labels":{"alertname":"X"},"startsAt":"?","status":{"state":"active"}}"#).as_bytes(),
            &"m".into(),
        );
        let got = got.unwrap();
        assert_eq!((got.alerts.len(), got.notes.len()), (0, 1));
    }

    #[test]
    fn texts_are_read_whether_they_have_escapes_or_not() {
        for (starts, state) in [
            ("2026-05-01T03:00:00.123Z", "active"),
            ("2026-05-01T05:00:00.123+02:00", r"\u0061ctive"),
            (r"2026-05-01T03:00:00.123\u005a", "active"),
            ("2026-05-01 03:00:00.123Z", "unprocessed"),
        ] {
            let alert = one(&format!(
                r#"{{"labels":{{"alertname":"a\"b"}},"startsAt":"{starts}","status":{{"state":"{state}"}}}}"#
            ));
            assert_eq!((alert.started_at.timestamp_millis(), alert.state), (1_777_604_400_123, AlertState::Firing));
            assert_eq!(alert.name, "a\"b");
        }
        let bad = b"[{\"alerts\":[{\"labels\":{\"a\":\"\xff\"}}]}]";
        assert!(groups(bad, &"main".into()).unwrap_err().contains("line 1"), "no UTF-8 is told with its place");
    }

    #[test]
    fn what_is_no_list_of_groups_is_refused() {
        for bad in [
            "",
            "null",
            "{}",
            "[{}]",
            r#"[{"alerts":null}]"#,
            r#"{"status":"success"}"#,
            r#"[{"alerts":[{}]}]"#,
            "[{\"alerts\":[",
        ] {
            assert!(groups(bad.as_bytes(), &"main".into()).is_err(), "{bad}");
        }
        assert_eq!(groups(b"[]", &"main".into()), Ok(Groups::default()));
    }

    #[test]
    fn errors_come_in_four_shapes() {
        for (body, want) in [
            (r#""bad matcher format: foo""#, "bad matcher format: foo"),
            (r#"{"code":602,"message":"startsAt in query"}"#, "startsAt in query"),
            ("404 page not found\n", "404 page not found"),
            ("", ""),
        ] {
            assert_eq!(explain(body.as_bytes()), Explained { text: want.into(), ..Explained::default() });
        }
        let busy = explain(b"Limit of concurrent GET requests reached (8), try again later.\n");
        assert_eq!(busy.kind, Some(FaultKind::RateLimited));
    }
}

//! Reads silences as the versions tell them: `isEqual` and `annotations` may be absent, and what is unknown is kept, so that
//! a longer end sends back everything that the server said.

use crate::domain::fault::Fault;
use crate::domain::outward::operation::Operation;
use crate::domain::outward::silence::{Matcher, Silence, SilenceState};
use crate::domain::time::{Timestamp, rfc3339};
use serde::Deserialize;
use serde_json::{Value, json};

/// A silence of one peer, with what only the wire knows of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// As everybody else sees it.
    pub silence: Silence,
    /// When it changed last: of two peers the newer one is right.
    pub updated_at: Option<Timestamp>,
    raw: Value,
}

#[derive(Deserialize)]
struct Wire {
    id: String,
    #[serde(default)]
    status: Option<Status>,
    #[serde(default, rename = "updatedAt")]
    updated_at: Option<String>,
    #[serde(rename = "startsAt")]
    starts_at: String,
    #[serde(rename = "endsAt")]
    ends_at: String,
    #[serde(default, rename = "createdBy")]
    created_by: Option<String>,
    #[serde(default)]
    comment: Option<String>,
    #[serde(default)]
    matchers: Option<Vec<WireMatcher>>,
}

#[derive(Deserialize)]
struct Status {
    #[serde(default)]
    state: String,
}

#[derive(Deserialize)]
struct WireMatcher {
    name: String,
    value: String,
    #[serde(default, rename = "isRegex")]
    regex: bool,
    /// Absent before 0.22, when there were no others.
    #[serde(default, rename = "isEqual")]
    equal: Option<bool>,
}

impl Held {
    fn read(raw: Value) -> Result<Self, String> {
        let wire = Wire::deserialize(&raw).map_err(|e| e.to_string())?;
        let instant = |text: &str| text.parse::<Timestamp>().map_err(|_| format!("{text:?} is no instant"));
        let state = match wire.status.map(|s| s.state).unwrap_or_default().as_str() {
            "active" => SilenceState::Active,
            "pending" => SilenceState::Pending,
            "expired" => SilenceState::Expired,
            other => SilenceState::Other(other.to_owned()),
        };
        let matcher =
            |m: WireMatcher| Matcher { name: m.name, value: m.value, regex: m.regex, equal: m.equal.unwrap_or(true) };
        let silence = Silence {
            id: wire.id,
            matchers: wire.matchers.unwrap_or_default().into_iter().map(matcher).collect(),
            starts_at: instant(&wire.starts_at)?,
            ends_at: instant(&wire.ends_at)?,
            created_by: wire.created_by.unwrap_or_default(),
            comment: wire.comment.unwrap_or_default(),
            state,
        };
        let updated_at = wire.updated_at.as_deref().and_then(|text| text.parse().ok());
        Ok(Self { silence, updated_at, raw })
    }

    /// Whether this operation made it.
    pub fn marked(&self, op: &Operation) -> bool {
        let annotated = self.raw.pointer("/annotations/midwatch_op").and_then(Value::as_str);
        annotated == Some(op.id.as_str()) || self.silence.comment.contains(&op.marker())
    }

    /// The same with another end, as the server takes it: with its id, start and conditions exactly as they were told.
    pub fn body(&self, ends_at: Timestamp) -> Value {
        let mut body = json!({
            "id": self.silence.id,
            "endsAt": rfc3339(ends_at),
            "createdBy": self.silence.created_by,
            "comment": self.silence.comment,
        });
        if let Some(fields) = body.as_object_mut() {
            for key in ["matchers", "startsAt", "annotations"] {
                if let Some(value) = self.raw.get(key) {
                    fields.insert(key.to_owned(), value.clone());
                }
            }
        }
        body
    }
}

/// Reads `/api/v2/silence/{id}`.
pub fn silence(body: &[u8]) -> Result<Held, String> {
    let raw: Value = serde_json::from_slice(body).map_err(|e| e.to_string())?;
    Held::read(raw)
}

/// Reads `/api/v2/silences`. One that cannot be read is left out; when none can, that is told.
pub fn silences(body: &[u8]) -> Result<Vec<Held>, String> {
    let raw: Vec<Value> = serde_json::from_slice(body).map_err(|e| e.to_string())?;
    let many = raw.len();
    let mut wrong = None;
    let mut out = Vec::with_capacity(many);
    for one in raw {
        match Held::read(one) {
            Ok(held) => out.push(held),
            Err(why) => wrong = Some(why),
        }
    }
    match wrong {
        Some(why) if out.is_empty() => Err(format!("none of {many} silences can be read: {why}")),
        _ => Ok(out),
    }
}

/// The id that a posted silence got.
pub fn silence_id(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(rename = "silenceID")]
        id: String,
    }
    serde_json::from_slice::<Answer>(body).ok().map(|a| a.id).filter(|id| !id.is_empty())
}

/// Whether a peer says that there is no such silence: a 404 without a body, or these words, with a 500 before 0.28. A 404
/// with other words comes from somebody else: a wrong path, a proxy.
pub fn no_such_silence(fault: &Fault) -> bool {
    let said = fault.detail.as_str();
    let answered = said.starts_with("answered 404") || said.starts_with("answered 500");
    answered && (said.contains("silence not found") || said.starts_with("answered 404 ("))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fault::FaultKind;
    use crate::domain::outward::capability::Class;
    use crate::domain::outward::intent::Intent;
    use crate::domain::outward::silence::SilenceWrite;

    const NEW: &str = r#"{"id":"6f1","status":{"state":"active"},"updatedAt":"2026-05-01T03:00:00.000Z",
        "comment":"known [mw:op-1]","createdBy":"alice","startsAt":"2026-05-01T03:00:00.123Z",
        "endsAt":"2026-05-01T04:00:00.000Z","annotations":{"team":"db"},
        "matchers":[{"isEqual":false,"isRegex":true,"name":"job","value":"a|b"}],"later":{"x":1}}"#;

    fn op(id: &str) -> Operation {
        let write = SilenceWrite::Expire { id: "6f1".into() };
        let at = "2026-05-01T03:00:00Z".parse().unwrap();
        let mut op = Operation::new("main".into(), Intent::Silence(write), Class::Repeat, at, "alice");
        op.id = id.into();
        op
    }

    #[test]
    fn a_silence_is_read_and_a_longer_end_sends_back_what_was_told() {
        let held = silence(NEW.as_bytes()).unwrap();
        assert_eq!(
            held.silence.matchers,
            [Matcher { name: "job".into(), value: "a|b".into(), regex: true, equal: false }]
        );
        assert!(held.marked(&op("op-1")) && !held.marked(&op("op-2")));
        assert_eq!(held.silence.words(), "known");
        let body = held.body("2026-05-01T05:00:00Z".parse().unwrap());
        assert_eq!(body["startsAt"], "2026-05-01T03:00:00.123Z");
        assert_eq!(body["annotations"]["team"], "db");
        assert_eq!((body["id"].as_str(), body["endsAt"].as_str()), (Some("6f1"), Some("2026-05-01T05:00:00.000Z")));
        assert!(body.get("status").is_none() && body.get("updatedAt").is_none());
    }

    #[test]
    fn what_old_versions_leave_out_is_not_missed_and_an_annotation_is_a_mark_too() {
        let old = r#"[{"id":"a","startsAt":"2026-05-01T03:00:00Z","endsAt":"2026-05-01T04:00:00Z","comment":null,
            "matchers":[{"name":"a","value":"b","isRegex":false}],"annotations":{"midwatch_op":"op-9"}},
            {"id":"b"}, 7]"#;
        let all = silences(old.as_bytes()).unwrap();
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].silence.matchers, [Matcher::is("a", "b")]);
        assert_eq!(all[0].silence.state, SilenceState::Other(String::new()));
        assert!(all[0].marked(&op("op-9")));
        assert!(silences(b"[{}]").is_err() && silences(b"{}").is_err() && silences(b"").is_err());
        assert_eq!(silences(b"[]"), Ok(Vec::new()));
    }

    #[test]
    fn answers_to_writes_are_read() {
        assert_eq!(silence_id(br#"{"silenceID":"x-1"}"#).as_deref(), Some("x-1"));
        for body in ["", "{}", r#"{"silenceID":""}"#, "[]"] {
            assert_eq!(silence_id(body.as_bytes()), None);
        }
        let fault = |kind, detail: &str| Fault::new(kind, "am", detail);
        assert!(no_such_silence(&fault(FaultKind::Rejected, "answered 404 (is the path of the URL right?)")));
        assert!(no_such_silence(&fault(FaultKind::Server, "answered 500: silence not found")));
        assert!(!no_such_silence(&fault(FaultKind::Server, "answered 500: disk full")));
        assert!(!no_such_silence(&fault(FaultKind::Rejected, "answered 404: 404 page not found (is the path right?)")));
        assert!(!no_such_silence(&fault(FaultKind::Timeout, "")));
    }
}

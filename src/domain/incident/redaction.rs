//! How a text leaves the record: every free text of one event is replaced by a mark, in place, and an event says that it
//! was. What stays is the event itself with its number, time, actor and kind, and the hash that it was recorded under, so
//! that the chain after it holds. The redaction carries a seal over the event as it is now: nothing but the text may differ
//! from what was recorded, and a second change shows. Which texts go follows from the event alone, so that copies of the
//! record that learn of the redaction end up with the same bytes, and nobody can put other words in their place.
//!
//! The old hash stays. It covers the text together with known fields, so a text that is short enough to be guessed can be
//! confirmed by guessing; a token cannot.

use crate::domain::incident::event::{Body, Event, EventKey};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Stands where a text was.
pub const GONE: &str = "[redacted]";

/// The text of an event was taken out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redaction {
    /// Of which event.
    pub of: EventKey,
    /// Why; not the text.
    pub reason: String,
    /// What was taken out: JSON pointers below the event's body. Empty when there was nothing to take out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<String>,
    /// The hash that the event was recorded under.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hash: String,
    /// SHA-256 (hex) over that hash and the event as it is now.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sealed: String,
}

impl Redaction {
    /// Asks for a redaction: the record fills in the rest when it carries it out.
    pub fn of(of: EventKey, reason: String) -> Self {
        Self { of, reason, places: Vec::new(), hash: String::new(), sealed: String::new() }
    }
}

/// Fields whose texts people or programs wrote freely. Ids, kinds, states and hashes are none: they hold a log together.
const FREE: [&str; 38] = [
    "line",
    "author",
    "text",
    "reason",
    "summary",
    "message",
    "title",
    "detail",
    "found",
    "why",
    "what",
    "action",
    "question",
    "audience",
    "owner",
    "due",
    "command",
    "shown",
    "argv",
    "env",
    "cwd",
    "value",
    "label",
    "contact",
    "words",
    "excerpt",
    "context",
    "path",
    "topic",
    "description",
    "comment",
    "labels",
    "current",
    "body",
    "details",
    "links",
    "resolution",
    "subject",
];

/// The free texts of an event, as JSON pointers below its body. Texts that are gone already are among them: the answer
/// depends on the kind and the shape of the event alone.
pub fn places(body: &Body) -> Vec<String> {
    let Ok(value) = serde_json::to_value(body) else { return Vec::new() };
    let mut found = Vec::new();
    if let Some(data) = value.get("data") {
        walk(data, "/data", false, &mut found);
    }
    // There the message is an id: what was written is its text.
    found.retain(|place| !matches!(body, Body::RoomMessage { .. }) || place != "/data/message");
    found
}

fn walk(value: &Value, at: &str, free: bool, found: &mut Vec<String>) {
    match value {
        Value::String(text) if free && !text.is_empty() => found.push(at.to_owned()),
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                walk(item, &format!("{at}/{n}"), free, found);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                let pointer = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
                // An operation that leaves the house is free text inside; what names it is not.
                let named = FREE.contains(&name.as_str()) || (name == "data" && field.is_string());
                walk(field, &pointer, free || named, found);
            }
        }
        _ => {}
    }
}

/// The event's body without the texts at `places`. `None` when they do not fit: a place is not there or holds no text, or
/// what is left is no event of the same kind.
pub fn redacted(body: &Body, places: &[String]) -> Option<Body> {
    let mut value = serde_json::to_value(body).ok()?;
    for place in places {
        match value.pointer_mut(place)? {
            Value::String(text) => GONE.clone_into(text),
            _ => return None,
        }
    }
    let left: Body = serde_json::from_value(value).ok()?;
    (std::mem::discriminant(&left) == std::mem::discriminant(body)).then_some(left)
}

/// Redactions by the event they are about.
pub type Redactions = BTreeMap<EventKey, Vec<Redaction>>;

/// The redactions among events.
pub fn redactions<'e>(events: impl IntoIterator<Item = &'e Event>) -> Redactions {
    let mut found = Redactions::new();
    for event in events {
        if let Body::Redacted(redaction) = &event.body {
            found.entry(redaction.of.clone()).or_default().push(redaction.clone());
        }
    }
    found
}

/// What its redactions leave of an event; `None` when that is all of it.
pub fn left(event: &Event, redactions: &Redactions) -> Option<Body> {
    let mut left: Option<Body> = None;
    for redaction in redactions.get(&event.key)?.iter().filter(|r| r.hash == event.hash && !r.places.is_empty()) {
        let body = left.as_ref().unwrap_or(&event.body);
        left = redacted(body, &redaction.places).or(left);
    }
    left.filter(|left| *left != event.body)
}

/// Whether a text stands anywhere in the event, free or not.
pub fn holds(body: &Body, piece: &str) -> bool {
    fn any(value: &Value, piece: &str) -> bool {
        match value {
            Value::String(text) => text.contains(piece),
            Value::Array(items) => items.iter().any(|item| any(item, piece)),
            Value::Object(fields) => fields.iter().any(|(name, field)| name.contains(piece) || any(field, piece)),
            _ => false,
        }
    }
    serde_json::to_value(body).is_ok_and(|value| any(&value, piece))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::incident::event::{Act, Import, NoteKind};
    use crate::domain::outward::annotation::AnnotationWrite;
    use crate::domain::outward::backend::{BackendWrite, Party};
    use crate::domain::outward::capability::Class;
    use crate::domain::outward::chat::ChatWrite;
    use crate::domain::outward::event_sink::{Alarm, EventWrite};
    use crate::domain::outward::intent::Intent;
    use crate::domain::outward::operation::Operation;
    use crate::domain::outward::status_page::StatusWrite;
    use crate::domain::outward::ticket::TicketWrite;

    fn note(text: &str) -> Body {
        Body::Note { sort: NoteKind::Finding, text: text.into() }
    }

    #[test]
    fn free_texts_go_and_what_holds_the_log_together_stays() {
        let body = note("password is hunter2");
        assert_eq!(places(&body), ["/data/text"]);
        assert_eq!(redacted(&body, &places(&body)), Some(note(GONE)));
        assert!(holds(&body, "hunter2") && !holds(&note(GONE), "hunter2"));
        let import =
            Import { from: "slack".into(), act: Act::Ack, who: "bob".into(), text: "x".into(), ..Import::default() };
        let left = redacted(&Body::Imported(import.clone()), &places(&Body::Imported(import.clone())));
        assert_eq!(left, Some(Body::Imported(Import { text: GONE.into(), ..import })));
        assert_eq!(places(&Body::Acknowledged), Vec::<String>::new());
    }

    /// Whatever leaves the house: of what people wrote in it nothing is left.
    #[test]
    fn nothing_that_was_written_stays_in_an_operation() {
        let at: crate::domain::time::Timestamp = "2026-05-01T03:12:04Z".parse().unwrap();
        let s = || "hunter2".to_owned();
        let pairs = || vec![(s(), s())];
        let service = Some(Party { name: "api".into(), ..Party::default() });
        let alarm = Alarm {
            dedup_key: "k".into(),
            summary: s(),
            source: "api".into(),
            severity: "critical".into(),
            details: pairs(),
            links: pairs(),
        };
        let incident = || "P1".to_owned();
        let writes = [
            Intent::Event(EventWrite::Trigger(alarm)),
            Intent::Event(EventWrite::Change { summary: s(), source: None, at, details: pairs() }),
            Intent::Backend(BackendWrite::Resolve { incident: incident(), resolution: Some(s()) }),
            Intent::Backend(BackendWrite::Note { incident: incident(), text: s() }),
            Intent::Backend(BackendWrite::SetTitle { incident: incident(), title: s() }),
            Intent::Backend(BackendWrite::Declare { title: s(), service, urgency: None, priority: None, body: s() }),
            Intent::Backend(BackendWrite::RequestResponders { incident: incident(), people: vec![], message: s() }),
            Intent::Backend(BackendWrite::StatusUpdate { incident: incident(), subject: Some(s()), message: s() }),
            Intent::StatusPage(StatusWrite::Open {
                title: s(),
                status: "investigating".into(),
                body: s(),
                impact: None,
                components: vec![],
            }),
            Intent::StatusPage(StatusWrite::Update {
                notice: "n".into(),
                status: "resolved".into(),
                body: s(),
                components: vec![],
            }),
            Intent::Ticket(TicketWrite::Create {
                title: s(),
                body: s(),
                marker: "m".into(),
                labels: vec![s()],
                owner: Some(s()),
                due: None,
            }),
            Intent::Annotation(AnnotationWrite::Create { from: at, to: None, text: s(), tags: vec![] }),
            Intent::Chat(ChatWrite::Post { room: None, text: s(), thread: None }),
            Intent::Chat(ChatWrite::SetTopic { room: "C1".into(), topic: s() }),
            Intent::Chat(ChatWrite::Bookmark { room: "C1".into(), title: s(), url: "https://a.example".into() }),
        ];
        for intent in writes {
            let words = intent.words();
            let body = Body::Outgoing(Box::new(Operation::new("t".into(), intent, Class::Compare, at, "ada")));
            assert!(holds(&body, "hunter2"), "{words}");
            let left = redacted(&body, &places(&body)).unwrap();
            assert!(!holds(&left, "hunter2"), "{words}: {left:?}");
        }
    }

    #[test]
    fn it_is_the_same_whoever_does_it_and_however_often() {
        let body = note("secret");
        let once = redacted(&body, &places(&body)).unwrap();
        assert_eq!(places(&once), places(&body));
        assert_eq!(redacted(&once, &places(&once)), Some(once));
    }

    #[test]
    fn places_that_do_not_fit_change_nothing() {
        for place in ["/data/nothing", "/data", "/kind", ""] {
            assert_eq!(redacted(&note("x"), &[place.into()]), None, "{place}");
        }
    }
}

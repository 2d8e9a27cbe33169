//! Matrix' events, read tolerantly: what is missing is empty, what is new is passed over.

use crate::domain::outward::backend::Party;
use crate::domain::outward::chat::{ChatMessage, Volunteer};
use crate::domain::time::Timestamp;
use chrono::DateTime;
use serde_json::Value;

/// A text at a place; empty when there is none.
pub(super) fn text<'v>(value: &'v Value, place: &str) -> &'v str {
    value.pointer(place).and_then(Value::as_str).unwrap_or_default()
}

fn list<'v>(value: &'v Value, place: &str) -> &'v [Value] {
    value.pointer(place).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The texts of a list.
pub(super) fn strings(value: &Value, place: &str) -> Vec<String> {
    list(value, place).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn at(event: &Value) -> Option<Timestamp> {
    DateTime::from_timestamp_millis(event.get("origin_server_ts")?.as_i64()?)
}

/// The person of an id; the part before the server is what people call them.
fn party(id: &str) -> Party {
    let name = id.trim_start_matches('@').split(':').next().unwrap_or(id);
    Party { id: id.to_owned(), name: name.to_owned(), ..Party::default() }
}

/// Who made a room, by its state.
pub(super) fn creator(state: &Value) -> Option<&str> {
    let made = state.as_array()?.iter().find(|event| text(event, "/type") == "m.room.create")?;
    Some(text(made, "/sender")).filter(|sender| !sender.is_empty())
}

/// Reactions to a message, earliest first. The variation selector that some clients add is left out.
pub(super) fn reactions(answer: &Value) -> Vec<Volunteer> {
    let mut out: Vec<Volunteer> = list(answer, "/chunk")
        .iter()
        .filter(|event| !text(event, "/sender").is_empty() && !text(event, "/content/m.relates_to/key").is_empty())
        .map(|event| Volunteer {
            person: party(text(event, "/sender")),
            reaction: text(event, "/content/m.relates_to/key").trim_end_matches('\u{fe0f}').to_owned(),
            at: at(event),
            bot: false,
        })
        .collect();
    out.sort_by_key(|volunteer| volunteer.at);
    out
}

/// A message that somebody wrote; an edit of one is none of its own.
pub(super) fn message(event: &Value, me: &str) -> Option<ChatMessage> {
    let told = matches!(text(event, "/content/msgtype"), "m.text" | "m.emote" | "m.notice");
    let replaces = text(event, "/content/m.relates_to/rel_type") == "m.replace";
    let words = text(event, "/content/body");
    if text(event, "/type") != "m.room.message" || !told || replaces || words.trim().is_empty() {
        return None;
    }
    Some(ChatMessage {
        id: Some(text(event, "/event_id")).filter(|id| !id.is_empty())?.to_owned(),
        at: at(event)?,
        author: party(text(event, "/sender")),
        text: words.to_owned(),
        pinned: false,
        bot: text(event, "/sender") == me || text(event, "/content/msgtype") == "m.notice",
    })
}

/// The messages of a page, in its order.
pub(super) fn messages(answer: &Value, me: &str) -> Vec<ChatMessage> {
    list(answer, "/chunk").iter().filter_map(|event| message(event, me)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn events_without_what_they_need_are_passed_over() {
        let good = json!({"type": "m.room.message", "event_id": "$1", "sender": "@bob:localhost",
            "origin_server_ts": 1_777_605_124_000_i64, "content": {"msgtype": "m.text", "body": "db is down"}});
        let read = message(&good, "@bot:localhost").unwrap();
        assert_eq!((read.author.name.as_str(), read.text.as_str(), read.bot), ("bob", "db is down", false));
        assert!(message(&good, "@bob:localhost").unwrap().bot);
        for (place, value) in [
            ("type", json!("m.room.member")),
            ("event_id", json!(null)),
            ("origin_server_ts", json!("soon")),
            ("content", json!({"msgtype": "m.text", "body": " "})),
            ("content", json!({"msgtype": "m.text", "body": "* x", "m.relates_to": {"rel_type": "m.replace"}})),
            ("content", json!([])),
        ] {
            let mut bad = good.clone();
            bad[place] = value;
            assert_eq!(message(&bad, "@bot:localhost"), None, "{bad}");
        }
        assert_eq!(messages(&json!({"chunk": {}}), ""), []);
    }

    #[test]
    fn the_first_to_react_comes_first() {
        let reaction = |who: &str, at: i64| {
            json!({"sender": who, "origin_server_ts": at,
            "content": {"m.relates_to": {"key": "✋\u{fe0f}", "rel_type": "m.annotation"}}})
        };
        let answer = json!({"chunk": [reaction("@b:x", 2), reaction("@a:x", 1), {"sender": "@c:x"}]});
        let who: Vec<String> = reactions(&answer).into_iter().map(|v| v.person.name + &v.reaction).collect();
        assert_eq!(who, ["a✋", "b✋"]);
    }
}

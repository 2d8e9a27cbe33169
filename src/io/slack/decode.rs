//! Slack's shapes, read tolerantly: what is missing is empty, what is new is passed over.

use crate::domain::outward::backend::Party;
use crate::domain::outward::chat::Room;
use crate::domain::outward::outcome::Reference;
use crate::domain::time::Timestamp;
use chrono::DateTime;
use serde_json::Value;
use std::collections::BTreeSet;

/// The type of the metadata that our messages carry.
pub(super) const EVENT: &str = "midwatch_operation";

/// A text at a place; empty when there is none.
pub(super) fn text<'v>(value: &'v Value, place: &str) -> &'v str {
    value.pointer(place).and_then(Value::as_str).unwrap_or_default()
}

/// A list at a place; empty when there is none.
pub(super) fn list<'v>(value: &'v Value, place: &str) -> &'v [Value] {
    value.pointer(place).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The id of what was made.
pub(super) fn reference(answer: &Value, place: &str) -> Reference {
    match text(answer, place) {
        "" => Reference::default(),
        id => Reference::id(id),
    }
}

/// Who we are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    /// Our user id.
    pub(super) user: String,
    /// Our name.
    pub(super) name: String,
    /// The workspace.
    pub(super) team: String,
    /// Its address.
    pub(super) url: Option<String>,
}

/// The answer of `auth.test`.
pub(super) fn identity(answer: &Value) -> Identity {
    let own = |place: &str| text(answer, place).to_owned();
    let url = Some(own("/url")).filter(|url| url.starts_with("https://"));
    Identity { user: own("/user_id"), name: own("/user"), team: own("/team"), url }
}

/// A channel.
pub(super) fn room(channel: &Value) -> Room {
    Room { id: text(channel, "/id").to_owned(), name: text(channel, "/name").to_owned(), url: None }
}

/// A user.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) party: Party,
    pub(super) bot: bool,
}

impl Person {
    /// One of whom nothing is known.
    pub(super) fn unknown(id: &str) -> Self {
        Self { party: Party { id: id.to_owned(), name: id.to_owned(), ..Party::default() }, bot: false }
    }
}

/// A user as `users.info` tells it. The name people chose to be called by comes first.
pub(super) fn person(user: &Value) -> Person {
    let names = ["/profile/display_name", "/profile/real_name", "/real_name", "/name", "/id"];
    let name = names.iter().map(|place| text(user, place)).find(|name| !name.is_empty()).unwrap_or_default();
    let some = |place: &str| Some(text(user, place).to_owned()).filter(|t| !t.is_empty());
    Person {
        party: Party {
            id: text(user, "/id").to_owned(),
            name: name.to_owned(),
            email: some("/profile/email"),
            time_zone: some("/tz"),
        },
        bot: user.get("is_bot").and_then(Value::as_bool).unwrap_or(false),
    }
}

/// The operation that a message of ours carries.
pub(super) fn operation(message: &Value) -> &str {
    if text(message, "/metadata/event_type") == EVENT { text(message, "/metadata/event_payload/op") } else { "" }
}

/// Reactions of a message as (reaction, user), in the order Slack gives; skin tones are left out.
pub(super) fn reactions(answer: &Value) -> Vec<(String, String)> {
    let mut out: Vec<(String, String)> = Vec::new();
    for reaction in list(answer, "/message/reactions") {
        let name = text(reaction, "/name");
        let name = name.split_once("::").map_or(name, |(name, _)| name);
        for user in list(reaction, "/users").iter().filter_map(Value::as_str) {
            out.push((name.to_owned(), user.to_owned()));
        }
    }
    out
}

/// The ids of pinned messages.
pub(super) fn pinned(answer: &Value) -> BTreeSet<String> {
    list(answer, "/items").iter().map(|item| text(item, "/message/ts").to_owned()).filter(|ts| !ts.is_empty()).collect()
}

/// A message that somebody wrote.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Written {
    pub(super) ts: String,
    pub(super) at: Timestamp,
    pub(super) user: String,
    pub(super) text: String,
    pub(super) bot: bool,
}

/// A message; what the room itself says (somebody joined, the topic changed) is none.
pub(super) fn message(value: &Value) -> Option<Written> {
    let ts = text(value, "/ts").to_owned();
    let told = matches!(text(value, "/subtype"), "" | "thread_broadcast" | "file_share" | "me_message" | "bot_message");
    let at = instant(&ts)?;
    let bot = !text(value, "/bot_id").is_empty() || text(value, "/subtype") == "bot_message";
    let user = Some(text(value, "/user")).filter(|u| !u.is_empty()).unwrap_or_else(|| text(value, "/bot_id"));
    let words = plain(text(value, "/text"));
    (told && !words.trim().is_empty()).then(|| Written { ts, at, user: user.to_owned(), text: words, bot })
}

/// `1777605124.000200` as an instant.
pub(super) fn instant(ts: &str) -> Option<Timestamp> {
    let (seconds, micros) = ts.split_once('.').unwrap_or((ts, "0"));
    let micros: u32 = format!("{micros:0<6}").get(..6)?.parse().ok()?;
    DateTime::from_timestamp(seconds.parse().ok()?, micros.checked_mul(1_000)?)
}

/// An instant as Slack writes it.
pub(super) fn stamp(at: Timestamp) -> String {
    format!("{}.{:06}", at.timestamp(), at.timestamp_subsec_micros())
}

/// Slack's text as people read it: `<https://a|b>` is `b (https://a)`, `<@U1>` is `@U1`.
fn plain(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, from)) = rest.split_once('<') {
        out.push_str(before);
        let Some((inside, after)) = from.split_once('>') else {
            out.push('<');
            rest = from;
            continue;
        };
        match inside.split_once('|') {
            Some((target, label)) if target.starts_with(['@', '#', '!']) => {
                out.push_str(label.trim_start_matches(['@', '#']));
            }
            Some((target, label)) if label == target => out.push_str(target),
            Some((target, label)) => out.push_str(&format!("{label} ({target})")),
            None => out.push_str(inside.trim_start_matches('!')),
        }
        rest = after;
    }
    out.push_str(rest);
    out.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn text_of_slack_is_read_as_people_see_it() {
        for (raw, want) in [
            ("plain", "plain"),
            ("<https://a.example|the board> is red", "the board (https://a.example) is red"),
            ("<https://a.example>", "https://a.example"),
            ("<@U1> see <#C1|incident-1>", "@U1 see incident-1"),
            ("<!channel> a &lt;b&gt; &amp;lt;", "channel a <b> &lt;"),
            ("5 < 6", "5 < 6"),
        ] {
            assert_eq!(plain(raw), want);
        }
    }

    #[test]
    fn stamps_keep_their_microseconds() {
        let at = instant("1777605124.000200").unwrap();
        assert_eq!((at.timestamp(), at.timestamp_subsec_micros()), (1_777_605_124, 200));
        assert_eq!(stamp(at), "1777605124.000200");
        assert_eq!(instant("soon"), None);
    }

    #[test]
    fn what_the_room_says_of_itself_is_no_message() {
        let joined = json!({"type": "message", "subtype": "channel_join", "user": "U1", "text": "joined", "ts": "1.0"});
        assert_eq!(message(&joined), None);
        let said = json!({"user": "U1", "text": "db is <https://a|down>", "ts": "1.000001"});
        assert_eq!(message(&said).unwrap().text, "db is down (https://a)");
        assert_eq!(message(&json!({})), None);
        let two =
            json!({"message": {"reactions": [{"name": "hand::skin-tone-2", "users": ["U1", "U2"]}, {"name": null}]}});
        assert_eq!(reactions(&two), [("hand".to_owned(), "U1".to_owned()), ("hand".to_owned(), "U2".to_owned())]);
    }

    proptest! {
        #[test]
        fn no_text_panics(raw in "[<>|@#!&;a-z0-9. ]{0,40}") {
            plain(&raw);
            instant(&raw);
            message(&json!({"ts": raw, "text": raw, "user": raw}));
        }
    }
}

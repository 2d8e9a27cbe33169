//! Mattermost's shapes, read tolerantly: what is missing is empty, a list may be `null`.

use crate::domain::outward::backend::Party;
use crate::domain::outward::chat::{ChatMessage, Room};
use crate::domain::time::Timestamp;
use chrono::DateTime;
use serde_json::Value;

/// The property that names the operation of a post.
pub(super) const OPERATION: &str = "midwatch_operation";

/// A text at a place; empty when there is none.
pub(super) fn text<'v>(value: &'v Value, place: &str) -> &'v str {
    value.pointer(place).and_then(Value::as_str).unwrap_or_default()
}

/// A channel.
pub(super) fn room(channel: &Value) -> Room {
    Room { id: text(channel, "/id").to_owned(), name: text(channel, "/name").to_owned(), url: None }
}

/// The operation that a post of ours carries.
pub(super) fn operation(post: &Value) -> &str {
    post.get("props").and_then(|props| props.get(OPERATION)).and_then(Value::as_str).unwrap_or_default()
}

/// The posts of a page, in its order; deleted ones are left out.
pub(super) fn posts(answer: &Value) -> Vec<Value> {
    let Some(Value::Object(posts)) = answer.get("posts") else { return Vec::new() };
    let alive = |post: &&Value| post.get("delete_at").and_then(Value::as_i64).unwrap_or(0) == 0;
    posts.values().filter(alive).cloned().collect()
}

/// A user and whether it is a bot.
pub(super) fn person(user: &Value) -> (Party, bool) {
    let some = |place: &str| Some(text(user, place).to_owned()).filter(|t| !t.is_empty());
    let full = format!("{} {}", text(user, "/first_name"), text(user, "/last_name"));
    let name = some("/nickname").or_else(|| some("/username")).unwrap_or(full);
    let zone = match text(user, "/timezone/useAutomaticTimezone") {
        "false" => some("/timezone/manualTimezone"),
        _ => some("/timezone/automaticTimezone"),
    };
    let party = Party { id: text(user, "/id").to_owned(), name, email: some("/email"), time_zone: zone };
    (party, user.get("is_bot").and_then(Value::as_bool).unwrap_or(false))
}

fn instant(value: &Value, key: &str) -> Option<Timestamp> {
    DateTime::from_timestamp_millis(value.get(key)?.as_i64()?)
}

/// Reactions to a post as (reaction, user, when), earliest first. Without any the server says `null`.
pub(super) fn reactions(answer: &Value) -> Vec<(String, String, Option<Timestamp>)> {
    let all = answer.as_array().map_or(&[][..], Vec::as_slice);
    let mut out: Vec<_> = all
        .iter()
        .map(|r| (text(r, "/emoji_name").to_owned(), text(r, "/user_id").to_owned(), instant(r, "create_at")))
        .filter(|(name, user, _)| !name.is_empty() && !user.is_empty())
        .collect();
    out.sort_by_key(|(_, _, at)| *at);
    out
}

/// A post that somebody wrote; what the channel says of itself is none. The author is an id alone.
pub(super) fn message(post: &Value) -> Option<ChatMessage> {
    let words = text(post, "/message");
    if text(post, "/type").starts_with("system_") || words.trim().is_empty() || text(post, "/id").is_empty() {
        return None;
    }
    let props = post.get("props");
    let flag = |key: &str| props.and_then(|p| p.get(key)).and_then(Value::as_str) == Some("true");
    Some(ChatMessage {
        id: text(post, "/id").to_owned(),
        at: instant(post, "create_at")?,
        author: Party { id: text(post, "/user_id").to_owned(), ..Party::default() },
        text: words.to_owned(),
        pinned: post.get("is_pinned").and_then(Value::as_bool).unwrap_or(false),
        bot: flag("from_webhook") || flag("from_bot") || !operation(post).is_empty(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn null_is_an_empty_list_and_what_is_broken_is_passed_over() {
        assert_eq!(reactions(&Value::Null), []);
        assert_eq!(posts(&json!({"order": null, "posts": null})), Vec::<Value>::new());
        let page =
            json!({"posts": {"a": {"id": "a", "delete_at": 5}, "b": {"id": "b", "message": "hi", "create_at": 7}}});
        let all = posts(&page);
        assert_eq!(all.len(), 1);
        assert_eq!(message(&all[0]).unwrap().text, "hi");
        for bad in
            [json!({}), json!({"id": "a", "message": "x"}), json!({"id": "a", "type": "system_join", "message": "x"})]
        {
            assert_eq!(message(&bad), None);
        }
    }
}

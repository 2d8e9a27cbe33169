//! Messages of Slack: the file of a day in an export, or what its interface answers. A message is known by its `ts`.

use crate::domain::import::moment::epoch;
use crate::domain::import::{Line, Read, Shape};
use serde_json::Value;

/// Messages that tell of the room and not of the incident.
const ROOM: [&str; 8] = [
    "channel_join",
    "channel_leave",
    "channel_archive",
    "channel_name",
    "group_join",
    "group_leave",
    "pinned_item",
    "reminder_add",
];

/// Whether a document holds messages of Slack.
pub fn is(value: &Value) -> bool {
    messages(value).is_some_and(|all| all.iter().any(|m| m.get("ts").and_then(Value::as_str).is_some()))
}

fn messages(value: &Value) -> Option<&Vec<Value>> {
    value.as_array().or_else(|| value.get("messages").and_then(Value::as_array))
}

/// Reads messages.
pub fn read(text: &str) -> Result<Read, String> {
    let value: Value = serde_json::from_str(text).map_err(|e| format!("it is no JSON: {e}"))?;
    let all = messages(&value).ok_or("it is no list of messages (expected [{\"ts\": …, \"text\": …}])")?;
    let channel = value.get("channel").and_then(Value::as_str).unwrap_or("");
    let mut lines = Vec::new();
    let mut left_out = Vec::new();
    for (n, message) in all.iter().enumerate() {
        match line(message, channel, n + 1) {
            Ok(line) => lines.push(line),
            Err(why) => left_out.push((n + 1, why)),
        }
    }
    Ok(Read { shape: Shape::Slack, lines, left_out })
}

fn line(message: &Value, channel: &str, n: usize) -> Result<Line, String> {
    let text = |name: &str| message.get(name).and_then(Value::as_str).filter(|t| !t.is_empty());
    let ts = text("ts").ok_or("no `ts`")?;
    let at = epoch(ts).ok_or_else(|| format!("`ts` is no time: {}", super::short(ts, 40)))?;
    if let Some(kind) = text("subtype").filter(|kind| ROOM.contains(kind)) {
        return Err(format!("about the room ({kind})"));
    }
    let profile = |name: &str| {
        let found = message.get("user_profile").and_then(|p| p.get(name)).and_then(Value::as_str);
        found.filter(|t| !t.is_empty())
    };
    let bot = message.get("bot_profile").and_then(|p| p.get("name")).and_then(Value::as_str);
    let who = profile("display_name").or_else(|| profile("real_name")).or_else(|| profile("name"));
    let who = who.or_else(|| text("username")).or(bot).or_else(|| text("user")).or_else(|| text("bot_id"));
    let mut said = plain(text("text").unwrap_or(""));
    let names = |list: &str, name: &str| -> Vec<String> {
        let all = message.get(list).and_then(Value::as_array).into_iter().flatten();
        all.filter_map(|item| item.get(name).and_then(Value::as_str)).map(plain).collect()
    };
    if said.is_empty() {
        said = names("attachments", "fallback").join("\n");
    }
    for file in names("files", "name") {
        said.push_str(&format!("{}[file {file}]", if said.is_empty() { "" } else { " " }));
    }
    let room = message.get("channel").and_then(Value::as_str).unwrap_or(channel);
    let id = if room.is_empty() { ts.to_owned() } else { format!("{room}:{ts}") };
    Ok(Line { id: Some(id), ..Line::said(at, who.unwrap_or(""), said, n) })
}

/// Slack's own marks as people read them: `<@U1|bob>`, `<https://x|here>`, `&lt;`.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        let Some((mark, tail)) = after.split_once('>') else {
            out.push('<');
            rest = after;
            continue;
        };
        let (target, label) = mark.split_once('|').unwrap_or((mark, ""));
        match (target.chars().next(), label) {
            (Some('@' | '#' | '!'), "") => out.push_str(target),
            (Some(sign @ ('@' | '#')), label) => {
                out.push(sign);
                out.push_str(label.trim_start_matches(sign));
            }
            (_, "") => out.push_str(target),
            (_, label) if label == target => out.push_str(target),
            (_, label) => out.push_str(&format!("{label} ({target})")),
        }
        rest = tail;
    }
    out.push_str(rest);
    out.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

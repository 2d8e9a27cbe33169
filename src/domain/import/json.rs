//! JSON objects, one per line or in one list: a timeline that was exported here, or anything with a time and a text.

use crate::domain::import::moment::{Calendar, NO_ZONE, field};
use crate::domain::import::{Line, Read, Shape, Stated};
use crate::domain::incident::event::Act;
use serde_json::Value;

/// Reads objects.
pub fn read(text: &str, stated: &Stated) -> Result<Read, String> {
    let calendar = Calendar::new(stated);
    let mut lines = Vec::new();
    let mut left_out = Vec::new();
    for (n, object) in objects(text) {
        match object.and_then(|object| line(&object, &calendar, n)) {
            Ok(line) => lines.push(line),
            Err(why) if why == NO_ZONE => return Err(why),
            Err(why) => left_out.push((n, why)),
        }
    }
    Ok(Read { shape: Shape::JsonLines, lines, left_out })
}

fn objects(text: &str) -> Vec<(usize, Result<Value, String>)> {
    if let Ok(Value::Array(all)) = serde_json::from_str(text) {
        return all.into_iter().enumerate().map(|(n, value)| (n + 1, Ok(value))).collect();
    }
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(n, line)| (n + 1, serde_json::from_str(line).map_err(|e| format!("no JSON: {e}")))).collect()
}

fn line(object: &Value, calendar: &Calendar<'_>, n: usize) -> Result<Line, String> {
    let text = |names: &[&str]| names.iter().find_map(|name| object.get(name).and_then(Value::as_str));
    let when =
        ["at", "time", "timestamp", "ts", "created_at", "date"].iter().find_map(|name| match object.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        });
    let when = when.ok_or("no time (expected a field `at`)")?;
    let (at, zoned) = field(&when, calendar)?;
    let said = text(&["text", "message", "msg", "body", "summary"]).ok_or("no text (expected a field `text`)")?;
    let who = text(&["who", "actor", "user", "author", "name"]).unwrap_or("");
    let kind = text(&["kind", "type"]).unwrap_or("");
    let act = Act::named(kind);
    let was = (act.is_none() && !kind.is_empty()).then(|| super::short(kind, 40));
    let id = text(&["ref", "id"]).filter(|id| !id.is_empty()).map(str::to_owned);
    Ok(Line { act: act.unwrap_or_default(), was, id, zoned, ..Line::said(at, who, said, n) })
}

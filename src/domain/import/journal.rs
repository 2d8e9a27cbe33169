//! Lines of `journalctl -o short-iso`: an instant with its zone, the host, the program, the message. Lines that continue a
//! message are indented.

use crate::domain::import::{Line, Read, Shape};
use chrono::{DateTime, Utc};
use regex::Regex;
use std::sync::LazyLock;

static LINE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"^(?P<at>\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:[.,]\d{1,9})?(?:[+-]\d{2}:?\d{2}|Z)) (?P<host>\S{1,255}) (?P<unit>[^:\s][^:]{0,120}?)(?:\[\d{1,10}\])?: ?(?P<text>.*)$",
    )
    .ok()
});

/// Whether a line is one of a journal.
pub fn is(line: &str) -> bool {
    line.starts_with("-- Journal begins") || LINE.as_ref().is_some_and(|form| form.is_match(line))
}

/// Reads a journal.
pub fn read(text: &str) -> Result<Read, String> {
    let mut lines: Vec<Line> = Vec::new();
    let mut left_out = Vec::new();
    for (n, raw) in text.lines().enumerate() {
        let n = n + 1;
        if raw.trim().is_empty() || raw.starts_with("-- ") {
            continue;
        }
        let Some(found) = LINE.as_ref().and_then(|form| form.captures(raw)) else {
            match lines.last_mut() {
                Some(line) if raw.starts_with(' ') && line.text.len() < 64 * 1024 => {
                    line.text.push('\n');
                    line.text.push_str(raw.trim());
                }
                _ => left_out.push((n, "no line of a journal".to_owned())),
            }
            continue;
        };
        let field = |name: &str| found.name(name).map_or("", |f| f.as_str());
        match instant(field("at")) {
            Some(at) => {
                let who = format!("{} {}", field("host"), field("unit"));
                lines.push(Line::said(at, who, field("text"), n));
            }
            None => left_out.push((n, "no such time".to_owned())),
        }
    }
    Ok(Read { shape: Shape::Journal, lines, left_out })
}

fn instant(text: &str) -> Option<DateTime<Utc>> {
    let text = text.replace(',', ".");
    let forms = ["%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%dT%H:%M:%S%.f%:z"];
    let read = |form: &&str| DateTime::parse_from_str(&text, form).ok();
    let at = DateTime::parse_from_rfc3339(&text).ok().or_else(|| forms.iter().find_map(read));
    at.map(|at| at.with_timezone(&Utc))
}

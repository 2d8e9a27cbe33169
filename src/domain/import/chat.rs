//! Lines of a chat as they are copied from a window, in the shapes that chats have: time, name and text on one line, or
//! name and time above the text. What has no time of its own belongs to the line before it.

use crate::domain::import::moment::{Calendar, DATE, NO_ZONE, TIME, ZONE};
use crate::domain::import::{Line, Read, Shape, Stated};
use crate::domain::incident::event::Act;
use regex::Regex;
use std::sync::LazyLock;

/// A shape of one line. In front of a text: who, and when.
struct Form {
    pattern: Regex,
    /// The text is on the next lines.
    header: bool,
}

static FORMS: LazyLock<Vec<Form>> = LazyLock::new(|| {
    let when = format!(r"(?:{DATE}[T ,]{{1,2}})?{TIME}(?: ?{ZONE})?");
    let name = r"(?P<who>[^\s:<>\[\]][^:<>\[\]\r\n]{0,79}?)";
    let line = |pattern: String, header| Regex::new(&pattern).ok().map(|pattern| Form { pattern, header });
    [
        // `- **2026-05-01 03:12:04** alice, note: text`, as a timeline is exported; its times are in UTC.
        line(format!(r"^- \*\*(?:{DATE} )?{TIME}\*\* (?P<md>[^:\r\n]{{1,160}}): (?P<text>.*)$"), false),
        // `[03:12] alice: text`, `[2026-05-01 03:12:04 UTC] alice: text`
        line(format!(r"^\[{when}\]\s*{name}:(?:\s+(?P<text>.*))?$"), false),
        // `[03:12] <alice> text`, `03:12 <alice> text`
        line(format!(r"^\[?{when}\]?\s+<[@+%~&]?(?P<who>[^<>\s][^<>\r\n]{{0,79}})>\s*(?P<text>.*)$"), false),
        // `03:12:04 From Alice to Everyone: text`
        line(format!(r"^{when}\s+From\s+(?P<who>.{{1,79}}?)\s+to\s+.{{1,79}}?\s*:\s*(?P<text>.*)$"), false),
        // `03:12 alice: text`, `2026-05-01T03:12:04Z alice: text`, `03:12 - alice: text`
        line(format!(r"^{when},?\s+(?:[-\u{{2013}}\u{{2014}}]\s+)?{name}:\s+(?P<text>.*)$"), false),
        // `[3:12 AM] Alice Smith` over its text
        line(format!(r"^\[{when}\]\s+{name}$"), true),
        // `Alice Smith  3:12 AM`, `alice \u{2014} Today at 3:12 AM`, `alice [03:12]` over their text
        line(
            format!(r"^{name}(?:\s{{2,}}|\t|\s+APP\s+|\s+[-\u{{2013}}\u{{2014}}]\s+(?:Today at )?|\s+\[){when}\]?$"),
            true,
        ),
        line(format!(r"^(?P<who>[\p{{L}}][\p{{L}}\p{{N}}._ -]{{0,60}}?) (?:Today at )?{when}$"), true),
    ]
    .into_iter()
    .flatten()
    .collect()
});

/// Reads a chat. `Err` when a zone must be stated.
pub fn read(text: &str, stated: &Stated) -> Result<Read, String> {
    let exported = Stated { zone: Some(chrono_tz::UTC), ..stated.clone() };
    let (mut calendar, mut ours) = (Calendar::new(stated), Calendar::new(&exported));
    let mut lines: Vec<Line> = Vec::new();
    let mut left_out = Vec::new();
    // After a line that is left out, what follows without a time belongs to nothing.
    let mut open = false;
    for (n, raw) in text.lines().enumerate() {
        let (n, raw) = (n + 1, raw.trim_end_matches('\r'));
        let shown = raw.trim();
        if shown.is_empty() {
            continue;
        }
        let form = FORMS.iter().find_map(|form| form.pattern.captures(shown).map(|found| (form, found)));
        let Some((form, found)) = form else {
            match lines.last_mut().filter(|_| open) {
                Some(line) => append(line, shown),
                None => left_out.push((n, "no time and no line before it".to_owned())),
            }
            continue;
        };
        let of_ours = found.name("md").is_some();
        let when = if of_ours { ours.instant(&found) } else { calendar.instant(&found) };
        match when {
            Ok((at, zoned)) => {
                let text = found.name("text").map_or("", |text| text.as_str());
                let text = if of_ours { unescaped(text) } else { text.to_owned() };
                let who = found.name("md").or_else(|| found.name("who")).map_or("", |who| who.as_str());
                let (who, was) = if of_ours { head(&unescaped(who), is_word) } else { head(who, is_kind) };
                let text = if form.header { String::new() } else { text };
                lines.push(Line { was, zoned: zoned && !of_ours, ..Line::said(at, who, text, n) });
                open = true;
            }
            Err(why) if why == NO_ZONE => return Err(why),
            Err(why) => {
                left_out.push((n, why));
                open = false;
            }
        }
    }
    for line in &mut lines {
        if let Some(act) = line.was.as_deref().and_then(Act::named) {
            line.act = act;
            line.was = None;
        }
    }
    Ok(Read { shape: Shape::Chat, lines, left_out })
}

/// A line of a text of several lines.
fn append(line: &mut Line, more: &str) {
    if !line.text.is_empty() {
        line.text.push('\n');
    }
    // One that is endless is cut later; it need not be kept until then.
    if line.text.len() < 64 * 1024 {
        line.text.push_str(more);
    }
}

/// `alice, note` of a timeline that was exported: who, and which kind. A comma in a name is followed by no kind.
fn head(raw: &str, is_kind: fn(&str) -> bool) -> (String, Option<String>) {
    match raw.rsplit_once(", ") {
        Some((who, kind)) if is_kind(kind) => (who.to_owned(), Some(kind.to_owned())),
        _ => (raw.to_owned(), None),
    }
}

/// In what we wrote ourselves a kind stands there unless the text says it.
fn is_word(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'_' | b'.'))
}

fn is_kind(word: &str) -> bool {
    const OURS: [&str; 32] = [
        "declared",
        "acknowledged",
        "role",
        "severity",
        "status",
        "mitigated",
        "resolved",
        "reopened",
        "note",
        "decision",
        "hypothesis",
        "finding",
        "action",
        "update",
        "correction",
        "retraction",
        "alert",
        "objective",
        "budget",
        "policy",
        "runbook",
        "step",
        "check",
        "option",
        "command",
        "value",
        "guard",
        "change",
        "rollback",
        "verify",
        "approval",
        "timer",
    ];
    OURS.contains(&word)
        || [
            "cockpit",
            "draft",
            "outgoing",
            "outcome",
            "pin",
            "tag",
            "exclude",
            "redaction",
            "unknown",
            "backend",
            "escalated",
            "task",
            "checklist",
            "link",
            "people",
            "room",
        ]
        .contains(&word)
        || Act::named(word).is_some()
}

/// Markdown as we write it, read back: a backslash before a character, an at sign as code.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.extend(chars.next()),
            '`' => {
                // Only at signs stand in code; any other mark was escaped.
                while let Some(c) = chars.next_if(|c| *c == '@') {
                    out.push(c);
                }
                if chars.peek() == Some(&'`') {
                    chars.next();
                }
            }
            c => out.push(c),
        }
    }
    out
}

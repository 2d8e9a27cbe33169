//! A run sheet out of YAML: everything that is wrong is told with its place. A sheet with an error is not run.

use crate::domain::document::{Finding, Level, Mark, Node, Reader, Value, nearest, parse};
use crate::domain::experiment::lint::has_word;
use crate::domain::gameday::keys::{ENTRY, GAME_DAY};
use crate::domain::gameday::model::{Act, Entry, GameDay};
use crate::domain::runbook::keys::v1::API_VERSION;
use crate::domain::runbook::pieces::{fields, needed, runbook_id, sha256, slug, text};
use crate::domain::time::{Span, compact};

/// The most entries, and the longest day.
const MOST: usize = 200;
const LONGEST: Span = Span::hours(24);

/// Reads a run sheet. `None` when something in it is an error.
pub fn read(path: &str, source: &str) -> (Option<GameDay>, Vec<Finding>) {
    let (root, mut findings) = parse(path, source);
    let Some(root) = root else { return (None, findings) };
    let mut reader = Reader::new(path);
    let day = day(&mut reader, path, source, &root);
    if let Some(day) = &day {
        sense(&mut reader, day);
    }
    findings.append(&mut reader.findings);
    findings.sort_by_key(|f| (f.line, f.column));
    let bad = findings.iter().any(|f| f.level == Level::Error);
    (day.filter(|_| !bad), findings)
}

fn day(reader: &mut Reader<'_>, path: &str, source: &str, root: &Node) -> Option<GameDay> {
    let top = fields(reader, root, &GAME_DAY)?;
    for (key, want, must) in [("apiVersion", API_VERSION, false), ("kind", "GameDay", true)] {
        let node = if must { top.need(reader, key) } else { top.get(key) };
        if let Some(node) = node.filter(|node| node.text() != Some(want)) {
            reader.wrong(node, key, want);
        }
    }
    let zone = text(reader, &top, "zone").unwrap_or_else(|| "UTC".to_owned());
    if let (Some(node), Err(_)) = (top.get("zone"), zone.parse::<chrono_tz::Tz>()) {
        let near = nearest(&zone, chrono_tz::TZ_VARIANTS.iter().map(|tz| tz.name()));
        let hint = near.map_or_else(|| "expected an IANA name".to_owned(), |near| format!("nearest: `{near}`"));
        reader.error(node.mark, "game-day", format!("`{zone}` is no time zone ({hint})"));
    }
    let starts = text(reader, &top, "starts");
    if let (Some(node), Some(said)) = (top.get("starts"), &starts)
        && chrono::NaiveTime::parse_from_str(said, "%H:%M").is_err()
    {
        reader.wrong(node, "starts", "a time of day such as 10:00");
    }
    let date = text(reader, &top, "date");
    if let (Some(node), Some(said)) = (top.get("date"), &date)
        && chrono::NaiveDate::parse_from_str(said, "%Y-%m-%d").is_err()
    {
        reader.wrong(node, "date", "a date such as 2026-10-02");
    }
    let when = [date, starts, Some(zone)].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let mut roles = Vec::new();
    if let Some(node) = top.need(reader, "roles") {
        for (key, value) in reader.entries(node, "roles").unwrap_or_default() {
            roles.extend(reader.string(value, &key.text).map(|person| (key.text.clone(), person)));
        }
        if !roles.iter().any(|(role, _)| role == "owner") {
            reader.error(node.mark, "game-day", "nobody is the `owner`: somebody must be able to halt it");
        }
    }
    let mut entries = Vec::new();
    if let Some(node) = top.need(reader, "entries") {
        let items = match &node.value {
            Value::Map(_) => std::slice::from_ref(node),
            _ => reader.list(node, "entries"),
        };
        if items.is_empty() {
            reader.error(node.mark, "game-day", "`entries` is empty: there is nothing on the sheet");
        }
        if items.len() > MOST {
            reader.error(node.mark, "game-day", format!("`entries` has {} entries (at most {MOST})", items.len()));
        }
        entries = items.iter().take(MOST).filter_map(|item| entry(reader, item)).collect();
    }
    Some(GameDay {
        id: runbook_id(reader, &top, path, Level::Error).0,
        title: needed(reader, &top, "title")?,
        goal: text(reader, &top, "goal").unwrap_or_default(),
        when,
        roles,
        stop_when: top.get("stop_when").map(|n| reader.strings(n, "stop_when")).unwrap_or_default(),
        entries,
        questions: top.get("questions").map(|n| reader.strings(n, "questions")).unwrap_or_default(),
        path: path.to_owned(),
        sha256: sha256(source),
    })
}

fn entry(reader: &mut Reader<'_>, node: &Node) -> Option<Entry> {
    let own = fields(reader, node, &ENTRY)?;
    let title = needed(reader, &own, "title");
    let at = own.need(reader, "at").and_then(|n| reader.span(n, "at"));
    if let (Some(n), Some(span)) = (own.get("at"), at)
        && span > LONGEST
    {
        reader.wrong(n, "at", "at most 24h from the beginning");
    }
    let speed = own.get("speed").map(|n| {
        let said = n.text().and_then(|text| text.parse::<u32>().ok()).filter(|n| (1..=60).contains(n));
        if said.is_none() {
            reader.wrong(n, "speed", "a whole number from 1 to 60");
        }
        said
    });
    let act = match (text(reader, &own, "scenario"), text(reader, &own, "experiment")) {
        (Some(name), None) => Act::Scenario { name, speed: speed.flatten() },
        (None, Some(name)) => Act::Experiment { name },
        (None, None) => Act::Person,
        (Some(_), Some(_)) => {
            reader.error(node.mark, "game-day", "an entry begins a scenario or an experiment, not both");
            return None;
        }
    };
    if speed.is_some() && !matches!(act, Act::Scenario { .. }) {
        reader.error(node.mark, "game-day", "`speed` does nothing without a `scenario`: real time is as fast as it is");
    }
    let reveals = own.get("reveals").map(|n| reader.list(n, "reveals")).unwrap_or_default();
    let reveals = reveals.iter().filter_map(|n| Some((reader.string(n, "reveals")?, n.mark))).collect();
    let title = title?;
    let id = text(reader, &own, "id").map_or_else(|| slug(&title, "entry"), |said| slug(&said, "entry"));
    Some(Entry {
        id,
        at: at?,
        who: text(reader, &own, "who").unwrap_or_else(|| "coordinator".to_owned()),
        instruction: text(reader, &own, "do"),
        tell: text(reader, &own, "tell"),
        not_yet: own.get("not_yet").map(|n| reader.strings(n, "not_yet")).unwrap_or_default(),
        reveals,
        act,
        title,
        mark: node.mark,
    })
}

/// What fits no other entry: names, times, secrets that are told.
fn sense(reader: &mut Reader<'_>, day: &GameDay) {
    let error = |reader: &mut Reader<'_>, mark: Mark, message: String| reader.error(mark, "game-day", message);
    let ids: Vec<&str> = day.entries.iter().map(|entry| entry.id.as_str()).collect();
    for (n, entry) in day.entries.iter().enumerate() {
        let before = day.entries.get(..n).unwrap_or_default();
        if before.iter().any(|other| other.id == entry.id) {
            error(reader, entry.mark, format!("`{}` stands twice; give one of them an `id` of its own", entry.id));
        }
        if let Some(late) = before.iter().find(|other| other.at > entry.at) {
            let message =
                format!("it is at {}, before `{}` above it at {}", compact(entry.at), late.id, compact(late.at));
            error(reader, entry.mark, message);
        }
        if !day.roles.iter().any(|(role, _)| *role == entry.who) {
            let near = nearest(&entry.who, day.roles.iter().map(|(role, _)| role.as_str()));
            let hint = near.map_or_else(|| "`roles` has none".to_owned(), |near| format!("nearest: `{near}`"));
            error(reader, entry.mark, format!("nobody is the `{}` ({hint})", entry.who));
        }
        for (of, mark) in &entry.reveals {
            match before.iter().find(|other| other.id == *of) {
                None if ids.contains(&of.as_str()) => {
                    error(reader, *mark, format!("`{of}` comes later; nothing can be revealed before it was"));
                }
                None => {
                    let near = nearest(of, ids.iter().copied());
                    let hint = near.map_or_else(
                        || "expected the id of an entry above".to_owned(),
                        |near| format!("nearest: `{near}`"),
                    );
                    error(reader, *mark, format!("there is no entry `{of}` ({hint})"));
                }
                Some(other) if other.not_yet.is_empty() => {
                    reader.report(*mark, Level::Warning, "game-day", format!("`{of}` keeps nothing back"));
                }
                Some(_) => {}
            }
        }
        for secret in &entry.not_yet {
            let told = day.entries.iter().take_while(|other| !other.reveals.iter().any(|(of, _)| *of == entry.id));
            if let Some(early) = told
                .filter(|other| other.at >= entry.at)
                .find(|other| other.tell.as_ref().is_some_and(|tell| has_word(tell, secret)))
            {
                error(reader, early.mark, format!("`{}` tells `{secret}`, which `{}` keeps back", early.id, entry.id));
            }
        }
        if !entry.not_yet.is_empty() && day.revealed_by(&entry.id).is_none() {
            let message = format!("nothing `reveals` what `{}` keeps back: it is never told", entry.id);
            reader.report(entry.mark, Level::Warning, "game-day", message);
        }
    }
}

//! A table with a header: commas, semicolons or tabs, quotes as spreadsheets write them. Columns are found by their names.

use crate::domain::import::moment::{Calendar, NO_ZONE, field};
use crate::domain::import::{Line, Read, Shape, Stated};
use crate::domain::incident::event::Act;

const AT: [&str; 10] =
    ["at_utc", "at", "time", "timestamp", "date", "datetime", "ts", "created_at", "when", "at_local"];
const WHO: [&str; 8] = ["actor", "who", "user", "author", "name", "username", "from", "sender"];
const TEXT: [&str; 7] = ["text", "message", "body", "description", "content", "summary", "event"];
const KIND: [&str; 2] = ["kind", "type"];
const ID: [&str; 2] = ["ref", "id"];

/// The columns of a table.
#[derive(Debug)]
struct Columns {
    at: usize,
    utc: bool,
    who: Option<usize>,
    text: usize,
    kind: Option<usize>,
    id: Option<usize>,
    /// It is a timeline that was exported here.
    ours: bool,
}

/// Whether a line is the header of a table that can be read.
pub fn is(line: &str) -> bool {
    header(line).is_some()
}

fn header(line: &str) -> Option<(char, Columns)> {
    [',', ';', '\t'].into_iter().find_map(|delimiter| {
        let names: Vec<String> = records(line, delimiter)
            .next()?
            .1
            .iter()
            .map(|name| name.trim().to_lowercase().replace(' ', "_"))
            .collect();
        let find = |known: &[&str]| known.iter().find_map(|k| names.iter().position(|name| name == k));
        let at = find(&AT)?;
        let utc = names.get(at).is_some_and(|name| name == "at_utc");
        let ours = utc && names.iter().any(|name| name == "at_local");
        let columns = Columns { at, utc, who: find(&WHO), text: find(&TEXT)?, kind: find(&KIND), id: find(&ID), ours };
        Some((delimiter, columns))
    })
}

/// Reads a table.
pub fn read(text: &str, stated: &Stated) -> Result<Read, String> {
    let first = text.lines().next().unwrap_or("");
    let (delimiter, columns) = header(first).ok_or_else(|| {
        "its first line names no column of times and none of texts (expected such as `time,who,text`)".to_owned()
    })?;
    let utc = Stated { zone: Some(chrono_tz::UTC), ..stated.clone() };
    let calendar = Calendar::new(if columns.utc { &utc } else { stated });
    let mut lines = Vec::new();
    let mut left_out = Vec::new();
    for (n, record) in records(text, delimiter).skip(1) {
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        let cell = |column: Option<usize>| {
            let raw = column.and_then(|c| record.get(c)).map_or("", String::as_str);
            if columns.ours { bare(raw) } else { raw.to_owned() }
        };
        let at = match field(&cell(Some(columns.at)), &calendar) {
            Ok(at) => at,
            Err(why) if why == NO_ZONE => return Err(why),
            Err(why) => {
                left_out.push((n, why));
                continue;
            }
        };
        let kind = cell(columns.kind);
        let act = Act::named(&kind);
        let was = (act.is_none() && !kind.trim().is_empty()).then(|| super::short(kind.trim(), 40));
        let id = Some(cell(columns.id)).filter(|id| !id.trim().is_empty());
        lines.push(Line {
            act: act.unwrap_or_default(),
            was,
            id,
            zoned: at.1 && !columns.utc,
            ..Line::said(at.0, cell(columns.who), cell(Some(columns.text)), n)
        });
    }
    Ok(Read { shape: Shape::Csv, lines, left_out })
}

/// Without the apostrophe that our own tables put before what a spreadsheet would take for a formula.
fn bare(cell: &str) -> String {
    match cell.strip_prefix('\'') {
        Some(rest) if crate::domain::text::is_formula(rest.trim_start_matches('\'')) => rest.to_owned(),
        _ => cell.to_owned(),
    }
}

/// Records with the line on which each begins. A quote that is never closed ends with the text.
fn records(text: &str, delimiter: char) -> impl Iterator<Item = (usize, Vec<String>)> {
    let mut chars = text.chars().peekable();
    let mut line = 1;
    std::iter::from_fn(move || {
        chars.peek()?;
        let begins = line;
        let mut record = Vec::new();
        let mut cell = String::new();
        let (mut quoted, mut fresh) = (false, true);
        loop {
            match chars.next() {
                Some('"') if quoted => match chars.next_if_eq(&'"') {
                    Some(_) => cell.push('"'),
                    None => quoted = false,
                },
                Some('"') if fresh => (quoted, fresh) = (true, false),
                Some('\n') if !quoted => {
                    line += 1;
                    break;
                }
                Some('\r') if !quoted && chars.peek().is_none_or(|c| *c == '\n') => {}
                Some(c) if c == delimiter && !quoted => {
                    record.push(std::mem::take(&mut cell));
                    fresh = true;
                }
                Some(c) => {
                    line += usize::from(c == '\n');
                    cell.push(c);
                    fresh = false;
                }
                None => break,
            }
        }
        record.push(cell);
        Some((begins, record))
    })
}

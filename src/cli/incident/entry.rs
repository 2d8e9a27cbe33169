//! Entries of a timeline: which of them are wanted, what they are called, and the timeline in a form for elsewhere. Reads
//! only.

use crate::app::present::report;
use crate::cli::args::incident::{TimelineFormat, Which};
use crate::cli::context::Context;
use crate::cli::desk::{Desk, Recorded};
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::{Output, Table};
use crate::config::Config;
use crate::domain::export::{Format, export_some};
use crate::domain::incident::event::Event;
use crate::domain::incident::filter::Filter;
use crate::domain::incident::state::key_text;
use crate::domain::postmortem::entry::{Entry, entries};
use serde_json::{Value, json};

/// Which entries are wanted, and whether they are named.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// By field.
    pub which: &'a Which,
    /// By word.
    pub words: &'a [String],
    /// Each with its name.
    pub refs: bool,
}

impl Wanted<'_> {
    fn filter(&self, desk: &Desk<'_>) -> Result<Filter, Failure> {
        // A word of the shell may hold blanks, and belongs together then.
        let quoted: Vec<String> = self.words.iter().map(|word| word.replace('"', "")).collect();
        let typed: Vec<String> = quoted.iter().map(|word| format!("\"{word}\"")).collect();
        let mut filter = Filter::parse(&typed.join(" "));
        filter.and("kind", &self.which.kind);
        filter.and("who", &self.which.who);
        filter.and("tag", &self.which.tag);
        if self.which.pinned {
            filter.and("is", &["pinned".to_owned()]);
        }
        let when = |typed: &Option<String>| typed.as_deref().map(|text| desk.when(Some(text))).transpose();
        filter.since = when(&self.which.since)?;
        filter.until = when(&self.which.until)?;
        Ok(filter)
    }
}

/// The timeline in a form for elsewhere; with JSON `{"id", "timeline"}`. With names a table of them.
pub fn timeline(
    context: &Context,
    config: &Config,
    typed: &str,
    format: TimelineFormat,
    wanted: &Wanted<'_>,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let mut desk = Desk::to_read(context, config)?;
    let filter = wanted.filter(&desk)?;
    let Recorded { state, events } = desk.find(typed)?;
    let mut rows = entries(&state, &events);
    rows.retain(|entry| filter.wants(entry.event, &entry.text, &state));
    if output.is_json() {
        let rows: Vec<Value> = rows.iter().map(|e| report::event(e.event, &state)).collect();
        output.json(&json!({"id": state.id, "timeline": rows}))?;
        return Ok(Exit::DONE);
    }
    if wanted.refs {
        output.table(&table(&rows))?;
        return Ok(Exit::DONE);
    }
    let format = match format {
        TimelineFormat::Text => Format::Text,
        TimelineFormat::Md => Format::Markdown,
        TimelineFormat::Csv => Format::Csv,
        TimelineFormat::Jsonl => Format::JsonLines,
    };
    for piece in export_some(&state, &rows, desk.offset(), format) {
        output.verbatim(&piece)?;
    }
    Ok(Exit::DONE)
}

fn table(rows: &[Entry<'_>]) -> Table {
    let mut table = Table::new(&["REF", "AT", "WHO", "KIND", "TEXT"]);
    for row in rows {
        let at = row.event.at.format("%Y-%m-%d %H:%M:%SZ").to_string();
        table.row([row.reference.as_str(), &at, row.event.who(), row.event.body.kind(), &row.text]);
    }
    table
}

/// The entry that was typed: `origin#17`, or `17` where one origin alone has it.
pub fn named<'r>(recorded: &'r Recorded, typed: &str) -> Result<&'r Event, Failure> {
    let typed = typed.trim().trim_start_matches('#');
    let id = &recorded.state.id;
    if typed.contains('#') {
        let found = recorded.events.iter().find(|event| key_text(&event.key) == typed);
        return found.ok_or_else(|| none(id.as_str(), typed));
    }
    let seq: Option<u64> = typed.parse().ok();
    let found: Vec<&Event> = recorded.events.iter().filter(|event| Some(event.key.seq) == seq).collect();
    match found.as_slice() {
        [event] => Ok(event),
        [] => Err(none(id.as_str(), typed)),
        several => {
            let names: Vec<String> = several.iter().map(|event| key_text(&event.key)).collect();
            Err(Failure::Refused(format!("`{typed}` could be {}; type the whole name", names.join(" or "))))
        }
    }
}

fn none(id: &str, typed: &str) -> Failure {
    Failure::Refused(format!("{id} has no entry `{typed}`; `midwatch incident timeline {id} --refs` names them"))
}

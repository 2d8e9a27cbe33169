//! `midwatch incident search` and `incident similar`: what was written before, in timelines and postmortems.

use crate::app::present::past::why;
use crate::cli::context::Context;
use crate::cli::desk::Desk;
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::{Output, Table};
use crate::config::Config;
use crate::domain::fault::Fault;
use crate::domain::incident::state::key_text;
use crate::domain::search::{Hit, Place, Question, Similar, Why};
use crate::domain::time::rfc3339;
use crate::io::search::Index;
use crate::io::search::finder::default_path;
use serde_json::{Value, json};

/// What was found, newest first: `{"query", "hits": [{"incident", "title", "ref", "page", "heading", "at", "kind", "who",
/// "text"}]}`. Exit 1 when nothing was.
pub fn search(
    context: &Context,
    config: &Config,
    words: &[String],
    within: Option<&str>,
    limit: usize,
    output: &mut Output,
) -> Result<Exit, Failure> {
    // A word of the shell that holds blanks belongs together.
    let word = |word: &String| match word.contains(char::is_whitespace) && !word.contains('"') {
        true => format!("\"{word}\""),
        false => word.clone(),
    };
    let query = words.iter().map(word).collect::<Vec<_>>().join(" ");
    let mut question = Question::parse(&query);
    if question.expression.is_empty() {
        return Err(Failure::Usage(
            "there is no word to search for (such as: pool, \"two words\", kind:decision)".into(),
        ));
    }
    let (mut desk, index) = ready(context, config)?;
    if let Some(typed) = within {
        question.within = Some(desk.find(typed)?.state.id.0);
    }
    let hits = index.find(&question, limit).map_err(failed)?;
    let exit = if hits.is_empty() { Exit::NO } else { Exit::DONE };
    if output.is_json() {
        output.json(&json!({"query": query, "hits": hits.iter().map(hit).collect::<Vec<_>>()}))?;
        return Ok(exit);
    }
    let mut table = Table::new(&["INCIDENT", "AT", "KIND", "WHO", "TEXT", "WHERE"]);
    for hit in &hits {
        let at = hit.at.map(|at| at.format("%Y-%m-%d %H:%M:%SZ").to_string()).unwrap_or_default();
        let place = match &hit.place {
            Place::Entry(key) => key_text(key),
            Place::Page(file, _) => file.clone(),
        };
        let id = hit.incident.as_ref().map_or("-", |id| id.as_str());
        table.row([id, &at, &hit.kind, &hit.who, &hit.text, &place]);
    }
    match hits.is_empty() {
        true => output.note("nothing was found"),
        false => output.table(&table)?,
    }
    Ok(exit)
}

fn hit(hit: &Hit) -> Value {
    let (reference, page, heading) = match &hit.place {
        Place::Entry(key) => (Some(key_text(key)), None, None),
        Place::Page(file, heading) => (None, Some(file), Some(heading)),
    };
    json!({"incident": hit.incident, "title": hit.title, "ref": reference, "page": page, "heading": heading,
        "at": hit.at.map(rfc3339), "kind": hit.kind, "who": hit.who, "text": hit.text})
}

/// Past incidents that are like one and why, best first: `{"incident", "similar": [{"incident", "title", "severity",
/// "declared_at", "resolution", "score", "why": [{"what", "value"}]}]}`.
pub fn similar(context: &Context, config: &Config, typed: &str, output: &mut Output) -> Result<Exit, Failure> {
    let (mut desk, index) = ready(context, config)?;
    let id = desk.find(typed)?.state.id;
    let found = index.similar(&id).map_err(failed)?;
    if output.is_json() {
        output.json(&json!({"incident": id, "similar": found.iter().map(one).collect::<Vec<_>>()}))?;
        return Ok(Exit::DONE);
    }
    let mut table = Table::new(&["INCIDENT", "SEVERITY", "DECLARED", "WHY", "TITLE", "RESOLUTION"]);
    for one in &found {
        let declared = one.declared.map(|at| at.format("%Y-%m-%d").to_string()).unwrap_or_default();
        let resolution = one.resolution.as_deref().unwrap_or("-");
        table.row([one.incident.as_str(), &one.severity, &declared, &why(one), &one.title, resolution]);
    }
    match found.is_empty() {
        true => output.note(&format!("no past incident is like {id}")),
        false => output.table(&table)?,
    }
    Ok(Exit::DONE)
}

fn one(one: &Similar) -> Value {
    let why: Vec<Value> = one
        .why
        .iter()
        .map(|why| match why {
            Why::Same(what, value) => json!({"what": what.word(), "value": value}),
            Why::Words(words) => json!({"what": "words", "value": words.join(", ")}),
        })
        .collect();
    json!({"incident": one.incident, "title": one.title, "severity": one.severity,
        "declared_at": one.declared.map(rfc3339), "resolution": one.resolution,
        "score": (one.score * 1_000.0).round() / 1_000.0, "why": why})
}

/// The record and the index as they are now. Where there is no record, the index is empty and leaves no file.
pub fn ready<'c>(context: &'c Context, config: &'c Config) -> Result<(Desk<'c>, Index), Failure> {
    let mut desk = Desk::to_read(context, config)?;
    let data = &context.folders.data;
    let there = crate::io::store::sqlite::open::default_path(data).exists();
    let opened =
        if there { Index::open(&default_path(data)).or_else(|_| Index::in_memory()) } else { Index::in_memory() };
    let mut index = opened.map_err(failed)?;
    index.catch_up(desk.store.as_mut()).map_err(failed)?;
    index.read_pages(&config.postmortems).map_err(failed)?;
    Ok((desk, index))
}

fn failed(fault: Fault) -> Failure {
    Failure::Refused(fault.to_string())
}

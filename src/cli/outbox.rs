//! `midwatch outbox`: what leaves the house, and a person's word on it. Sends nothing itself: a running cockpit does, and
//! a word that is recorded here is on disk before this ends.

use crate::app::model::Model;
use crate::app::present::outbox::{json, why, word};
use crate::cli::args::{OutboxArgs, OutboxCommand};
use crate::cli::cockpit::given;
use crate::cli::context::Context;
use crate::cli::desk::writable;
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::{Output, Table};
use crate::domain::document::nearest;
use crate::domain::fault::Fault;
use crate::domain::incident::stepped::Stepped;
use crate::domain::outward::entry::{Entry, Step};
use crate::domain::time::{Timestamp, compact, rfc3339};
use crate::io::clock;
use crate::io::store::Store;
use crate::io::store::sqlite::Sqlite;
use crate::io::store::sqlite::open::default_path;
use crate::run::setup::real;
use serde_json::{Value, json};

fn failed(fault: Fault) -> Failure {
    Failure::Refused(fault.to_string())
}

/// Prints or steers. JSON: `list` gives `{"as_of", "waiting", "for_you", "operations": [...]}`, the others one operation.
pub fn run(context: &Context, args: &OutboxArgs, output: &mut Output) -> Result<Exit, Failure> {
    let config = context.ready(output)?;
    let now = clock::now();
    let mut model = real(given(context, true)).model;
    let path = default_path(&context.folders.data);
    // A look makes no record where there is none.
    let mut store = if path.exists() { Some(Sqlite::open(&path).map_err(failed)?) } else { None };
    if let Some(store) = &mut store {
        model.outbox.take(now, store.outbox().map_err(failed)?);
    }
    match &args.command {
        OutboxCommand::List { all } => list(&model, now, *all, output),
        OutboxCommand::Show { id } => show(&model, find(&model, id)?, now, output),
        steering => {
            writable(config)?;
            let by = model.setup.responder.clone();
            let (typed, step) = match steering {
                OutboxCommand::Retry { id } => (id, Step::Release { at: now, by: by.clone() }),
                OutboxCommand::Drop { id, reason } => {
                    let reason = crate::domain::incident::decide::text(reason, "a reason")
                        .map_err(|refusal| Failure::Refused(refusal.0))?;
                    (id, Step::Drop { at: now, by: by.clone(), reason })
                }
                OutboxCommand::Done { id } => (id, Step::ByHand { at: now, by: by.clone() }),
                OutboxCommand::List { .. } | OutboxCommand::Show { .. } => return Ok(Exit::DONE),
            };
            let op = find(&model, typed)?.op.id.clone();
            let store = store.as_mut().ok_or_else(|| Failure::Refused("there is no record yet".into()))?;
            match store.step(&op, &step, &by).map_err(failed)? {
                Stepped::Taken(entry, _) => {
                    model.outbox.take(now, [*entry.clone()]);
                    if output.is_json() { show(&model, &entry, now, output) } else { Ok(Exit::DONE) }
                }
                Stepped::Refused(why, _) => Err(Failure::Refused(why)),
            }
        }
    }
}

/// The operation of an id, of the end of one that no other has, or of `last`.
fn find<'m>(model: &'m Model, typed: &str) -> Result<&'m Entry, Failure> {
    let typed = typed.trim();
    let all: Vec<&Entry> = model.outbox.entries.values().collect();
    if typed == "last"
        && let Some(last) = all.last()
    {
        return Ok(last);
    }
    let fits: Vec<&Entry> =
        all.iter().filter(|e| !typed.is_empty() && e.op.id.as_str().ends_with(typed)).copied().collect();
    match fits.as_slice() {
        [one] => Ok(one),
        [] => {
            let near = nearest(typed, all.iter().map(|e| e.op.id.as_str()));
            let hint = near.map(|near| format!(" (nearest: {near})")).unwrap_or_default();
            Err(Failure::Refused(format!("there is no operation `{typed}`{hint}")))
        }
        several => {
            let ids: Vec<&str> = several.iter().map(|e| e.op.id.as_str()).collect();
            Err(Failure::Refused(format!("`{typed}` could be {}; type more of it", ids.join(" or "))))
        }
    }
}

fn list(model: &Model, now: Timestamp, all: bool, output: &mut Output) -> Result<Exit, Failure> {
    let shown: Vec<&Entry> = model.outbox.entries.values().filter(|e| all || e.ended().is_none()).collect();
    let (waiting, asked) = model.outbox.count();
    if output.is_json() {
        let rows: Vec<Value> = shown.iter().map(|entry| json(model, entry, now)).collect();
        output.json(&json!({"as_of": rfc3339(now), "waiting": waiting, "for_you": asked, "operations": rows}))?;
        return Ok(Exit::DONE);
    }
    let mut table = Table::new(&["ID", "STATE", "CLASS", "TO", "WHAT", ">NEXT", "WHY"]);
    for entry in &shown {
        let (why, until) = why(model, entry, now);
        let next = until.filter(|at| *at > now).map_or_else(|| "-".to_owned(), |at| compact(at - now));
        table.row([
            entry.op.id.as_str(),
            word(entry),
            &entry.op.class.letter().to_string(),
            entry.op.target.as_str(),
            &entry.op.intent.words(),
            &next,
            &why,
        ]);
    }
    if table.is_empty() {
        output.note(if all { "nothing was sent and nothing waits" } else { "nothing waits" });
    } else {
        output.table(&table)?;
    }
    Ok(Exit::DONE)
}

fn show(model: &Model, entry: &Entry, now: Timestamp, output: &mut Output) -> Result<Exit, Failure> {
    let document = json(model, entry, now);
    if output.is_json() {
        output.json(&document)?;
        return Ok(Exit::DONE);
    }
    for (key, value) in document.as_object().into_iter().flatten() {
        let text = match value {
            Value::Null => continue,
            Value::String(text) if text.is_empty() => continue,
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        output.line(&format!("{key:<12} {text}"))?;
    }
    Ok(Exit::DONE)
}

//! Sending one operation from a command: recorded, claimed, sent, its outcome recorded, by the same steps that a cockpit
//! takes, so that both may run at once. What cannot be settled here stays in the outbox, where a cockpit goes on with it.

use crate::app::msg::Reply;
use crate::cli::failure::{Exit, Failure};
use crate::domain::fault::Fault;
use crate::domain::ids::{IncidentId, SourceName};
use crate::domain::incident::event::{Body, NewEvent};
use crate::domain::incident::stepped::Stepped;
use crate::domain::outward::capability::Class;
use crate::domain::outward::entry::{Ending, Entry, Lease, State, Step};
use crate::domain::outward::operation::Operation;
use crate::domain::time::Span;
use crate::io::clock;
use crate::io::port::Target;
use crate::io::store::Store;
use crate::run::courier;
use std::collections::BTreeMap;

/// How much longer a lease is than the longest that a request may take.
const LEASE_SLACK: Span = Span::seconds(15);

fn failed(fault: Fault) -> Failure {
    Failure::Refused(format!("NOT SAVED: {fault}"))
}

/// Records an operation and sends it at once. The entry tells what became of it.
pub fn send(
    store: &mut dyn Store,
    targets: &BTreeMap<SourceName, Target>,
    incident: &IncidentId,
    op: Operation,
) -> Result<Entry, Failure> {
    let op = recorded(store, incident, op, None)?;
    let op = op.ok_or_else(|| Failure::Refused("the operation cannot be read back".into()))?;
    carried_out(store, targets, op)
}

fn carried_out(store: &mut dyn Store, targets: &BTreeMap<SourceName, Target>, op: Operation) -> Result<Entry, Failure> {
    let limit =
        targets.get(&op.target).map_or(Span::zero(), |target| Span::from_std(target.limit).unwrap_or(LEASE_SLACK));
    let entry = attempt(store, targets, &op, limit, false)?;
    match &entry.state {
        // It may have been done: one look tells, where looking is possible.
        State::Doubt { .. } if op.class == Class::Compare => attempt(store, targets, &op, limit, true),
        _ => Ok(entry),
    }
}

/// The same under a key that the incident holds once; `None` when it is held already.
pub fn once(
    store: &mut dyn Store,
    targets: &BTreeMap<SourceName, Target>,
    incident: &IncidentId,
    body: Body,
    key: String,
) -> Result<Option<Entry>, Failure> {
    let Body::Outgoing(op) = body else { return Err(Failure::Refused("nothing is to be sent".into())) };
    match recorded(store, incident, *op, Some(key))? {
        Some(op) => carried_out(store, targets, op).map(Some),
        None => Ok(None),
    }
}

/// The operation as the record has it, with its id; `None` when its key is held already.
fn recorded(
    store: &mut dyn Store,
    incident: &IncidentId,
    op: Operation,
    once: Option<String>,
) -> Result<Option<Operation>, Failure> {
    let (actor, at) = (op.created_by.clone(), op.created_at);
    let body = Body::Outgoing(Box::new(op));
    let event = NewEvent { incident: incident.clone(), at, recorded_at: clock::now(), actor, body, once };
    let events = store.append(vec![event]).map_err(failed)?;
    Ok(events.into_iter().find_map(|event| match event.body {
        Body::Outgoing(op) => Some(*op),
        _ => None,
    }))
}

/// One try, or one look.
fn attempt(
    store: &mut dyn Store,
    targets: &BTreeMap<SourceName, Target>,
    op: &Operation,
    limit: Span,
    look: bool,
) -> Result<Entry, Failure> {
    let now = clock::now();
    let holder = format!("{}:{}", std::process::id(), uuid::Uuid::now_v7().simple());
    let lease = Lease { holder: holder.clone(), since: now, until: now + limit + LEASE_SLACK, look };
    match store.step(&op.id, &Step::Claim { lease }, "midwatch").map_err(failed)? {
        Stepped::Taken(..) => {}
        // A running cockpit was faster.
        Stepped::Refused(_, Some(entry)) => return Ok(*entry),
        Stepped::Refused(why, None) => return Err(Failure::Refused(why)),
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Refused(format!("nothing could be sent: {error}")))?;
    let reply = runtime.block_on(courier::deliver(targets.get(&op.target), op.clone(), look));
    let at = clock::now();
    let step = match reply {
        Reply::Delivered(outcome) => Step::Report { holder, at, outcome },
        Reply::Found(found) => Step::Seen { holder, at, found },
        other => return Err(Failure::Refused(format!("an answer that is none: {other:?}"))),
    };
    match store.step(&op.id, &step, "midwatch").map_err(failed)? {
        Stepped::Taken(entry, _) => Ok(*entry),
        Stepped::Refused(_, Some(entry)) => Ok(*entry),
        Stepped::Refused(why, None) => Err(Failure::Refused(why)),
    }
}

/// The exit code of what became of an operation, and words where it is not done: 0 done, 1 refused, 3 it waits.
pub fn exit(entry: &Entry) -> (Exit, Option<String>) {
    let what = format!("{} at {}", entry.op.intent.words(), entry.op.target);
    match entry.ended() {
        Some(end) if end.good() => (Exit::DONE, None),
        Some(end @ (Ending::Refused { .. } | Ending::Conflict { .. })) => {
            (Exit::NO, Some(format!("{}: {what}: {}", end.word(), end.words())))
        }
        Some(end) => (Exit::NO, Some(format!("{}: {what}", end.word()))),
        None => {
            let last = entry.last.clone().unwrap_or_else(|| "it waits".into());
            let words =
                format!("not done yet: {what}: {last}; a running cockpit goes on with it (midwatch outbox list)");
            (Exit::PARTIAL, Some(words))
        }
    }
}

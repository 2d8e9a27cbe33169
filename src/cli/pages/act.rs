//! Acts on one incident at a paging product: recorded before they are sent, sent at once, and what cannot be settled here a
//! running cockpit goes on with. What wakes or tells other people shows who and what time it is for them, and wants `--yes`.

use crate::app::backend::expected;
use crate::app::model::Model;
use crate::app::update::{asks, outgoing, people, woken};
use crate::cli::args::pages::{Act, PagesCommand};
use crate::cli::cockpit::given;
use crate::cli::context::Context;
use crate::cli::desk::{Desk, refused, writable};
use crate::cli::failure::{Exit, Failure};
use crate::cli::look::{Look, glance};
use crate::cli::output::Output;
use crate::cli::send;
use crate::config::Config;
use crate::domain::ids::{IncidentId, SourceName};
use crate::domain::incident::decide::text;
use crate::domain::incident::event::{Body, OUTWARD_LOG};
use crate::domain::incident::linked::BackendLink;
use crate::domain::outward::backend::{BackendIncident, Party};
use crate::domain::outward::intent::Intent;
use crate::run::setup::real;
use serde_json::json;

/// Does it. JSON: `{"target", "page", "act", "wakes", "sent", "state", "words"}`; `state` is the ending's word, `waits`, or
/// null where nothing was sent. Exit 1 when it is refused or wants `--yes`, 3 when it waits in the outbox or a source failed.
pub fn run(context: &Context, config: &Config, what: &PagesCommand, output: &mut Output) -> Result<Exit, Failure> {
    writable(config)?;
    let look = glance(context, true)?;
    let act = what.act();
    let (name, there) = find(&look, &act.which.page)?;
    match what {
        PagesCommand::Link { incident, .. } => link(context, config, incident, (&name, &there), output),
        PagesCommand::Unlink { reason, .. } => unlink(context, config, reason, (&look.model, &name, &there), output),
        _ => send_it(context, config, &act, (&look, &name, &there), output),
    }
}

/// The open incident there of an id, a number, or `TARGET/ID`.
fn find(look: &Look, typed: &str) -> Result<(SourceName, BackendIncident), Failure> {
    let model = &look.model;
    let mut found = Vec::new();
    for (name, target) in &model.outbox.targets {
        let rest = typed.strip_prefix(name.as_str()).and_then(|rest| rest.strip_prefix('/'));
        let same = |there: &&BackendIncident| there.is(typed) || rest.is_some_and(|rest| there.is(rest));
        found.extend(target.open_incidents().iter().filter(same).map(|there| (name.clone(), there.clone())));
    }
    match found.len() {
        1 => {}
        0 if look.is_partial() => {
            let faults: Vec<String> =
                model.links.values().filter_map(|link| link.fault.as_ref()).map(|(_, f)| f.to_string()).collect();
            return Err(Failure::Source(format!(
                "no paging product that answered has `{typed}` open, and not all did ({})",
                faults.join("; ")
            )));
        }
        0 => {
            return Err(Failure::Refused(format!(
                "`{typed}` is not open at a paging product; `midwatch pages` shows all"
            )));
        }
        _ => {
            let all: Vec<String> = found.iter().map(|(name, there)| format!("{name}/{}", there.id)).collect();
            return Err(Failure::Refused(format!("`{typed}` could be {}", all.join(" or "))));
        }
    }
    found.into_iter().next().ok_or_else(|| Failure::Refused(format!("`{typed}` is gone")))
}

/// A person who is known there.
fn person(model: &Model, name: &SourceName, page: &str, typed: &str) -> Result<Party, Failure> {
    let known = people(model, name, page);
    let same = |party: &Party| {
        party.id == typed
            || party.name.eq_ignore_ascii_case(typed)
            || party.email.as_ref().is_some_and(|email| email.eq_ignore_ascii_case(typed))
    };
    let found = known.iter().find(|(_, party)| same(party)).map(|(_, party)| party.clone());
    found.ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(|(_, party)| party.name.as_str()).collect();
        let names = if names.is_empty() { "nobody is known there".to_owned() } else { names.join(", ") };
        Failure::Refused(format!("nobody there is called `{typed}` (known: {names})"))
    })
}

/// The open incident of ours that it belongs to, else the log of pages.
fn owner(model: &Model, name: &SourceName, page: &str) -> IncidentId {
    let case = model.open_cases().into_iter().find(|case| case.shown.page(name, page).is_some());
    case.map_or_else(|| IncidentId(OUTWARD_LOG.to_owned()), |case| case.shown.id.clone())
}

fn send_it(
    context: &Context,
    config: &Config,
    act: &Act<'_>,
    (look, name, there): (&Look, &SourceName, &BackendIncident),
    output: &mut Output,
) -> Result<Exit, Failure> {
    let model = &look.model;
    let who = act.to.map(|typed| person(model, name, &there.id, typed)).transpose()?;
    let write = act.deal.write(model, name, &there.id, who, &act.typed).map_err(refused)?;
    let intent = Intent::Backend(write);
    let wakes = woken(model, look.now, name, &intent);
    let words = intent.words();
    let body = outgoing(model, look.now, name, intent, expected(there)).map_err(refused)?;
    let told = |sent: bool, state: Option<&str>, why: Option<&str>| json!({"target": name, "page": there.id, "act": words, "wakes": wakes, "sent": sent, "state": state, "words": why});
    if asks(&body) && !act.which.yes {
        output.note(&format!("to {name}: {words}"));
        wakes.iter().for_each(|who| output.note(&format!("pages {who}")));
        output.note("nothing was sent; --yes sends it");
        if output.is_json() {
            output.json(&told(false, None, None))?;
        }
        return Ok(Exit::NO);
    }
    let Body::Outgoing(op) = body else { return Err(Failure::Refused("nothing is to be sent".into())) };
    let setup = real(given(context, false));
    let mut desk = Desk::to_write(context, config)?;
    let incident = owner(model, name, &there.id);
    let entry = send::send(desk.store.as_mut(), &setup.world.targets, &incident, *op)?;
    let (exit, why) = send::exit(&entry);
    if let Some(why) = &why {
        output.note(why);
    }
    if output.is_json() {
        let state = entry.ended().map_or("waits", |ending| ending.word());
        output.json(&told(true, Some(state), why.as_deref()))?;
    }
    Ok(exit)
}

fn link(
    context: &Context,
    config: &Config,
    typed: &str,
    (name, there): (&SourceName, &BackendIncident),
    output: &mut Output,
) -> Result<Exit, Failure> {
    let mut desk = Desk::to_write(context, config)?;
    let before = desk.find(typed)?.state;
    if !before.is_open() {
        return Err(Failure::Refused(format!("{} is resolved; reopen it first", before.id)));
    }
    if before.page(name, &there.id).is_some() {
        return Err(Failure::Refused(format!("{name} {} belongs to {} already", there.id, before.id)));
    }
    let link = BackendLink::to(name, there, "linked by hand");
    let now = desk.now;
    desk.act(&before.id, now, vec![Body::BackendLinked(Box::new(link))])?;
    linked(&before.id, (name, there), output)
}

fn unlink(
    context: &Context,
    config: &Config,
    reason: &str,
    (model, name, there): (&Model, &SourceName, &BackendIncident),
    output: &mut Output,
) -> Result<Exit, Failure> {
    let reason = text(reason, "why it does not belong here").map_err(refused)?;
    let id = owner(model, name, &there.id);
    if id.as_str() == OUTWARD_LOG {
        return Err(Failure::Refused(format!("{name} {} belongs to no open incident", there.id)));
    }
    let mut desk = Desk::to_write(context, config)?;
    let now = desk.now;
    desk.act(&id, now, vec![Body::BackendUnlinked { target: name.clone(), page: there.id.clone(), reason }])?;
    linked(&id, (name, there), output)
}

fn linked(
    id: &IncidentId,
    (name, there): (&SourceName, &BackendIncident),
    output: &mut Output,
) -> Result<Exit, Failure> {
    if output.is_json() {
        output.json(&json!({"target": name, "page": there.id, "incident": id}))?;
    }
    Ok(Exit::DONE)
}

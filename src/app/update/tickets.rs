//! Tickets: for every action item that has none, and for the incident. Each is queued under a key that the incident holds
//! once; the ticket's name and page come back into the record with its outcome.

use crate::app::effect::Effect;
use crate::app::model::Model;
use crate::app::present::available::lacks;
use crate::app::present::view::Tone;
use crate::app::update::{outward, record};
use crate::domain::ids::{IncidentId, SourceName};
use crate::domain::incident::decide::Refusal;
use crate::domain::incident::event::{Body, NewEvent};
use crate::domain::incident::sent::{Standing, next_try};
use crate::domain::incident::state::{ActionItem, Incident};
use crate::domain::incident::tickets;
use crate::domain::outward::capability::Capability;
use crate::domain::outward::intent::Intent;
use crate::domain::outward::operation::Expected;
use crate::domain::time::Timestamp;

/// The tracker that is meant: the one that is named, else the first by name.
pub fn tracker(model: &Model, named: Option<&str>) -> Result<SourceName, Refusal> {
    let mut able = model.outbox.able(Capability::CreateTicket);
    let found = match named {
        Some(name) => able.find(|target| target.facts.name.as_str() == name),
        None => able.next(),
    };
    found.map(|target| target.facts.name.clone()).ok_or_else(|| {
        let why = lacks(model, &[Capability::CreateTicket]).unwrap_or_else(|| "it is no tracker".into());
        Refusal(named.map_or_else(|| why.clone(), |name| format!("no ticket can be opened at `{name}`: {why}")))
    })
}

/// The event that opens a ticket, and the key under which the incident holds it once.
pub fn opens(
    model: &Model,
    now: Timestamp,
    i: &Incident,
    item: Option<&ActionItem>,
    target: &SourceName,
) -> Result<(String, Body), Refusal> {
    let about = tickets::about(item);
    let once = next_try(i, Capability::CreateTicket, &about, target);
    let intent = Intent::Ticket(tickets::write(i, item));
    match outward::outgoing(model, now, target, intent, Expected::default())? {
        Body::Outgoing(op) => Ok((once, Body::Outgoing(Box::new(op.about(about))))),
        other => Ok((once, other)),
    }
}

/// The action items without a ticket, and without one on its way.
pub fn without(i: &Incident) -> impl Iterator<Item = &ActionItem> {
    i.actions.iter().filter(|item| matches!(tickets::ticket(i, Some(item)), Standing::Nowhere | Standing::Failed(..)))
}

/// A person has tickets opened for all action items that have none; for the incident where it has no action items.
pub fn push(model: &mut Model, now: Timestamp, id: &IncidentId, out: &mut Vec<Effect>) -> Result<(), Refusal> {
    let case = model.desk.cases.get(id).ok_or_else(|| Refusal(format!("there is no incident {id}")))?;
    let i = &case.shown;
    let target = tracker(model, None)?;
    let mut wanted = Vec::new();
    for item in without(i) {
        wanted.push(opens(model, now, i, Some(item), &target)?);
    }
    if i.actions.is_empty() && matches!(tickets::ticket(i, None), Standing::Nowhere | Standing::Failed(..)) {
        wanted.push(opens(model, now, i, None, &target)?);
    }
    if wanted.is_empty() {
        return Err(Refusal(format!("everything of {id} has its ticket, or one is on its way")));
    }
    let (count, actor) = (wanted.len(), model.setup.responder.clone());
    let event = |(once, body): (String, Body)| NewEvent {
        incident: id.clone(),
        at: now,
        recorded_at: now,
        actor: actor.clone(),
        body,
        once: Some(once),
    };
    let req = record::append(model, id, wanted.into_iter().map(event).collect(), out);
    let words = if count == 1 { "1 ticket".to_owned() } else { format!("{count} tickets") };
    record::remember(model, id, req, None, words.clone());
    model.say(now, Tone::Accent, format!("to {target}: {words}   u takes it back"));
    Ok(())
}

//! The rooms of an incident in a few lines: where they are, what is on its way to them, who volunteers there.

use crate::app::model::Model;
use crate::app::present::bit;
use crate::app::present::view::{Bit, Tone};
use crate::domain::ids::SourceName;
use crate::domain::incident::event::Role;
use crate::domain::incident::room::{IncidentRoom, OPEN};
use crate::domain::incident::state::Incident;
use crate::domain::outward::entry::{Entry, State};
use serde_json::{Value, json};

/// One line where each room is, one for what waits, one for who volunteers. Empty where there are none.
pub fn lines(model: &Model, i: &Incident) -> Vec<Bit> {
    let mut out = Vec::new();
    for (target, room) in i.rooms.iter().filter(|(_, room)| room.since.is_some()) {
        out.push(place(target, room));
        out.extend(waiting(model, i, target));
        let fault = model.rooms.faults.get(&(i.id.clone(), target.clone()));
        out.extend(fault.map(|words| bit(format!("not read: {words}"), Tone::Warn)));
    }
    if let Some(first) = model.rooms.volunteers.get(&i.id).and_then(|v| v.first())
        && i.is_open()
        && !i.roles.contains_key(&Role::Commander)
    {
        let more = model.rooms.volunteers.get(&i.id).map_or(0, |v| v.len() - 1);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        out.push(Bit::loud(format!("{}{more} would command  V confirms", first.name), Tone::Accent));
    }
    out
}

fn place(target: &SourceName, room: &IncidentRoom) -> Bit {
    match (&room.room, &room.failed) {
        (Some(there), _) => bit(format!("{target} #{}", there.name), Tone::Text),
        (None, Some(why)) => bit(format!("{target} no room: {why}  M opens it"), Tone::Warn),
        (None, None) if room.on_its_way(OPEN) => bit(format!("{target} the room is being opened"), Tone::Muted),
        (None, None) => bit(format!("{target} is told"), Tone::Text),
    }
}

/// What of this incident is on its way to a chat.
fn queued<'m>(model: &'m Model, i: &Incident, target: &SourceName) -> Vec<&'m Entry> {
    model.outbox.open().filter(|e| e.incident == i.id && e.op.target == *target).collect()
}

fn waiting(model: &Model, i: &Incident, target: &SourceName) -> Option<Bit> {
    let open = queued(model, i, target);
    let first = open.first()?;
    let asked = open.iter().any(|e| matches!(e.state, State::Asked { .. }));
    let words = format!("{} on the way: {}", open.len(), first.op.intent.words().lines().next().unwrap_or_default());
    Some(match asked {
        true => Bit::loud(format!("{words}  9 decides"), Tone::Crit),
        false => bit(words, Tone::Muted),
    })
}

/// The rooms of an incident for programs.
pub fn json(model: &Model, i: &Incident) -> Value {
    let room = |(target, room): (&SourceName, &IncidentRoom)| {
        json!({
            "chat": target,
            "id": room.room.as_ref().map(|r| r.id.as_str()),
            "name": room.room.as_ref().map(|r| r.name.as_str()),
            "url": room.room.as_ref().and_then(|r| r.url.as_deref()),
            "state": match (&room.room, &room.failed) {
                (Some(_), _) => "open",
                (None, Some(_)) => "failed",
                (None, None) if room.on_its_way(OPEN) => "opening",
                (None, None) => "posts_only",
            },
            "why": room.failed,
            "headline": room.headline.as_ref().map(|h| json!({"id": h.message, "text": h.text, "url": h.url})),
            "messages": room.taken.len(),
            "pinned": room.taken.values().filter(|pinned| **pinned).count(),
            "queued": queued(model, i, target).iter().map(|e| json!({
                "operation": e.op.id.as_str(),
                "what": e.op.intent.words(),
            })).collect::<Vec<_>>(),
        })
    };
    i.rooms.iter().filter(|(_, r)| r.since.is_some()).map(room).collect()
}

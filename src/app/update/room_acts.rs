//! What a person does with an incident room: open it, post, invite, confirm who volunteered. The cockpit and the commands make
//! the same events here.

use crate::app::action::Action;
use crate::app::confirm::{Confirm, Deed};
use crate::app::editor::Editor;
use crate::app::effect::Effect;
use crate::app::form::{Field, Form, Purpose};
use crate::app::model::Model;
use crate::app::outbox::TargetState;
use crate::app::present::view::Tone;
use crate::app::screen::Overlay;
use crate::app::update::room::{chats, create, has_rooms, is_chat};
use crate::app::update::{act, forms, outward, record};
use crate::domain::ids::{IncidentId, SourceName};
use crate::domain::incident::decide::{Command, Refusal, text};
use crate::domain::incident::event::{Body, Role};
use crate::domain::incident::room::OPEN;
use crate::domain::outward::backend::Party;
use crate::domain::outward::capability::Capability;
use crate::domain::outward::chat::ChatWrite;
use crate::domain::outward::intent::Intent;
use crate::domain::outward::operation::Expected;
use crate::domain::outward::target::PortKind;
use crate::domain::time::Timestamp;

/// Takes one of the room's actions.
pub fn take(
    model: &mut Model,
    now: Timestamp,
    action: Action,
    id: IncidentId,
    out: &mut Vec<Effect>,
) -> Result<(), Refusal> {
    match action {
        Action::Room => {
            let link = model.desk.cases.get(&id).and_then(|c| c.shown.rooms.values().find_map(|r| r.room.clone()));
            match link {
                Some(room) => act::copy(model, room.url.unwrap_or(room.name), out),
                None => {
                    proposed(model, &id)?;
                    forms::open(model, now, Purpose::RoomOpen(id));
                }
            }
            Ok(())
        }
        Action::RoomPost => {
            forms::open(model, now, Purpose::RoomPost(id));
            Ok(())
        }
        Action::RoomInvite => {
            forms::open(model, now, Purpose::RoomInvite(id));
            Ok(())
        }
        _ => confirm_volunteer(model, &id),
    }
}

/// The title and the fields of one of the room's forms.
pub fn fields(model: &Model, purpose: &Purpose) -> (String, Vec<Field>) {
    match purpose {
        Purpose::RoomOpen(id) => {
            let (target, name) = proposed(model, id).unwrap_or_else(|_| ("no chat".into(), String::new()));
            (format!("Open a room for {id} in {target}"), vec![Field::typed("name", &name, "a-z, 0-9, - and _")])
        }
        Purpose::RoomInvite(id) => {
            let field = Field::typed("person", "", "a name, an address, or an id there");
            (format!("Invite into the room of {id}"), vec![field])
        }
        Purpose::RoomPost(id) => {
            (format!("Post to the room of {id}"), vec![Field::typed("text", "", "everybody there reads it")])
        }
        _ => (String::new(), Vec::new()),
    }
}

/// One of them was filled in.
pub fn fill(model: &mut Model, now: Timestamp, form: &Form, out: &mut Vec<Effect>) -> Result<(), Refusal> {
    match &form.purpose {
        Purpose::RoomOpen(id) => {
            let (target, _) = proposed(model, id)?;
            open(model, now, id, &target, &form.value("name"), out)
        }
        Purpose::RoomPost(id) => post(model, now, id, &form.value("text"), out),
        Purpose::RoomInvite(id) => invite(model, now, id, &form.value("person"), out),
        _ => Ok(()),
    }
}

/// The rooms of an incident that can be posted to: chat and room there.
fn places(model: &Model, id: &IncidentId) -> Vec<(SourceName, Option<String>)> {
    let Some(case) = model.desk.cases.get(id) else { return Vec::new() };
    let open = |target: &&TargetState| is_chat(target);
    let place = |target: &TargetState| {
        let room = case.shown.rooms.get(&target.facts.name)?;
        match (has_rooms(target), &room.room) {
            (true, Some(there)) => Some((target.facts.name.clone(), Some(there.id.clone()))),
            (true, None) => None,
            (false, _) => room.since.map(|_| (target.facts.name.clone(), None)),
        }
    };
    model.outbox.targets.values().filter(open).filter_map(place).collect()
}

/// Why there is no room to post to.
pub fn why_no_room(model: &Model, id: &IncidentId) -> Option<String> {
    if chats(model).is_empty() {
        return Some(match model.outbox.targets.values().find(|t| t.facts.ports.contains(&PortKind::Chat)) {
            Some(chat) => {
                let why = chat.facts.caps.why_not(Capability::Post).unwrap_or_default();
                format!("{} cannot post: {why}", chat.facts.name)
            }
            None => "no chat is configured".into(),
        });
    }
    if !places(model, id).is_empty() {
        return None;
    }
    let rooms = model.desk.cases.get(id).map(|c| &c.shown.rooms);
    let failed = rooms.into_iter().flatten().find_map(|(_, r)| r.failed.clone());
    Some(match failed {
        Some(why) => format!("the room is not open ({why}); :room opens it"),
        None if rooms.is_some_and(|r| r.values().any(|r| r.on_its_way(OPEN))) => "the room is being opened".into(),
        None => "no room is open; :room opens one".into(),
    })
}

/// The chat that a room would be opened in, and the name that it would have: that of the incident, unless it is taken.
pub fn proposed(model: &Model, id: &IncidentId) -> Result<(SourceName, String), Refusal> {
    let case = model.desk.cases.get(id).ok_or_else(|| Refusal(format!("there is no incident {id}")))?;
    let able = model.outbox.targets.values().find(|t| is_chat(t) && has_rooms(t));
    let target = able.ok_or_else(|| Refusal("no chat that opens rooms is configured".into()))?;
    let ChatWrite::CreateRoom { name, .. } = create(&case.shown, target, None) else {
        return Err(Refusal("there is nothing to open".into()));
    };
    let failed = case.shown.rooms.get(&target.facts.name).is_some_and(|r| r.failed.is_some());
    Ok((target.facts.name.clone(), if failed { format!("{name}-2") } else { name }))
}

/// A person opens the room.
pub fn open(
    model: &mut Model,
    now: Timestamp,
    id: &IncidentId,
    target: &SourceName,
    name: &str,
    out: &mut Vec<Effect>,
) -> Result<(), Refusal> {
    let name = text(name, "a name")?;
    let body = opens(model, now, id, target, name)?;
    let words = match &body {
        Body::Outgoing(op) => op.intent.words(),
        _ => String::new(),
    };
    let req = record::person(model, now, now, id, vec![body], out);
    record::remember(model, id, req, None, words.clone());
    model.say(now, Tone::Accent, format!("to {target}: {words}   u takes it back"));
    Ok(())
}

/// The event that opens a room.
pub fn opens(
    model: &Model,
    now: Timestamp,
    id: &IncidentId,
    target: &SourceName,
    name: String,
) -> Result<Body, Refusal> {
    let case = model.desk.cases.get(id).ok_or_else(|| Refusal(format!("there is no incident {id}")))?;
    if let Some(room) = case.shown.rooms.get(target) {
        if let Some(there) = &room.room {
            return Err(Refusal(format!("{id} has the room {} already", there.name)));
        }
        if room.on_its_way(OPEN) {
            return Err(Refusal("the room is being opened".into()));
        }
    }
    let known = model.outbox.targets.get(target).ok_or_else(|| Refusal(format!("no chat `{target}` is configured")))?;
    let write = create(&case.shown, known, Some(name));
    match outward::outgoing(model, now, target, Intent::Chat(write), Expected::default())? {
        Body::Outgoing(op) => Ok(Body::Outgoing(Box::new(op.about(OPEN)))),
        other => Ok(other),
    }
}

/// The events of a post into every room of an incident.
pub fn posts(model: &Model, now: Timestamp, id: &IncidentId, words: &str) -> Result<Vec<Body>, Refusal> {
    let words = text(words, "a text")?;
    if let Some(why) = why_no_room(model, id) {
        return Err(Refusal(why));
    }
    let post = |(target, room): (SourceName, Option<String>)| {
        let text = match room {
            Some(_) => words.clone(),
            None => format!("{id} {words}"),
        };
        let write = ChatWrite::Post { room, text, thread: None };
        outward::outgoing(model, now, &target, Intent::Chat(write), Expected::default())
    };
    places(model, id).into_iter().map(post).collect()
}

/// A person posts into every room of an incident.
pub fn post(
    model: &mut Model,
    now: Timestamp,
    id: &IncidentId,
    words: &str,
    out: &mut Vec<Effect>,
) -> Result<(), Refusal> {
    let bodies = posts(model, now, id, words)?;
    let req = record::person(model, now, now, id, bodies, out);
    record::remember(model, id, req, None, "post to the room".into());
    model.say(now, Tone::Accent, "to the room   u takes it back");
    Ok(())
}

/// The events of an invitation into every room of an incident: somebody's name in the record, id or address there.
pub fn invitations(model: &Model, now: Timestamp, id: &IncidentId, person: &str) -> Result<Vec<Body>, Refusal> {
    let person = text(person, "a person")?;
    if let Some(why) = why_no_room(model, id) {
        return Err(Refusal(why));
    }
    let mut out = Vec::new();
    for (target, room) in places(model, id) {
        let (Some(known), Some(room)) = (model.outbox.targets.get(&target), room) else { continue };
        let there = known.facts.room.people.get(&person).cloned().unwrap_or_else(|| person.clone());
        let email = there.contains('@') && !there.starts_with('@');
        let email = email.then(|| there.clone());
        let party = Party { id: there, name: person.clone(), email, time_zone: None };
        let write = ChatWrite::Invite { room, people: vec![party] };
        out.push(outward::outgoing(model, now, &target, Intent::Chat(write), Expected::default())?);
    }
    if out.is_empty() {
        return Err(Refusal("nobody can be invited to a chat that only posts".into()));
    }
    Ok(out)
}

/// A person invites somebody.
pub fn invite(
    model: &mut Model,
    now: Timestamp,
    id: &IncidentId,
    person: &str,
    out: &mut Vec<Effect>,
) -> Result<(), Refusal> {
    let bodies = invitations(model, now, id, person)?;
    let req = record::person(model, now, now, id, bodies, out);
    record::remember(model, id, req, None, format!("invite {person}"));
    model.say(now, Tone::Accent, format!("to the room: invite {person}   u takes it back"));
    Ok(())
}

/// Asks whether the first volunteer shall command.
pub fn confirm_volunteer(model: &mut Model, id: &IncidentId) -> Result<(), Refusal> {
    let first = model.rooms.volunteers.get(id).and_then(|v| v.first()).cloned();
    let candidate = first.ok_or_else(|| Refusal(format!("nobody volunteered for {id}")))?;
    let case = model.desk.cases.get(id).ok_or_else(|| Refusal(format!("there is no incident {id}")))?;
    let mut rows = vec![
        ("incident".to_owned(), format!("{id} {}", case.shown.title)),
        ("volunteer".into(), format!("{} ({} in {})", candidate.name, candidate.reaction, candidate.target)),
    ];
    if let Some(now) = case.shown.roles.get(&Role::Commander) {
        rows.push(("instead of".into(), now.clone()));
    }
    model.nav.overlay = Some(Overlay::Confirm(Box::new(Confirm {
        title: "commander".into(),
        question: format!("{} takes command?", candidate.name),
        rows,
        token: None,
        typed: Editor::default(),
        painted: false,
        enter: false,
        deed: Deed::Incident(id.clone(), Command::SetRole(Role::Commander, Some(candidate.name))),
    })));
    Ok(())
}

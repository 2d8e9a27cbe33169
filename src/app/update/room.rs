//! The incident room: opened when an incident is declared, its headline and topic kept as the record has them, told what
//! people there must hear of, read for what is said and who volunteers. Everything that goes out is derived from the record
//! and queued under a key that the incident holds once, so that several cockpits, and a restart, do it one time.

use crate::app::effect::Effect;
use crate::app::model::{Case, Model};
use crate::app::outbox::TargetState;
use crate::app::present::links;
use crate::app::present::view::Tone;
use crate::app::update::{outward, record};
use crate::domain::ids::{IncidentId, SourceName};
use crate::domain::incident::announce;
use crate::domain::incident::event::{Body, NewEvent};
use crate::domain::incident::room::{BOOKMARK, HEADLINE, INVITE, IncidentRoom, OPEN, PIN, TOPIC};
use crate::domain::incident::state::{Incident, key_text};
use crate::domain::outward::backend::Party;
use crate::domain::outward::capability::{Can, Capability, Lack};
use crate::domain::outward::chat::ChatWrite;
use crate::domain::outward::intent::Intent;
use crate::domain::outward::operation::Expected;
use crate::domain::outward::target::PortKind;
use crate::domain::time::{Span, Timestamp, mins};

/// How old a declaration may be that opens a room by itself: what was open before a chat was configured stays as it is.
const FRESH: Span = Span::minutes(10);
/// How long a resolved incident's room is still told what is owed to it.
const AFTERWARDS: Span = Span::hours(1);
/// Older than this nothing is told to a room any more.
const STALE: Span = Span::hours(24);
/// Bookmarks of a room.
const BOOKMARKS: usize = 5;

/// Something that a room is to get.
struct Wish {
    write: ChatWrite,
    about: String,
    /// The key under which the incident holds it once.
    once: String,
    hold: Span,
}

/// Whether a target is a chat that is used for incidents: it opens rooms, or has no such call and posts.
pub(super) fn is_chat(target: &TargetState) -> bool {
    let caps = &target.facts.caps;
    target.facts.ports.contains(&PortKind::Chat)
        && caps.class(Capability::Post).is_some()
        && (has_rooms(target) || matches!(caps.of(Capability::CreateRoom), Can::No(Lack::Unsupported, _)))
}

pub(super) fn has_rooms(target: &TargetState) -> bool {
    target.facts.caps.class(Capability::CreateRoom).is_some()
}

/// The chats of incidents, by name.
pub fn chats(model: &Model) -> Vec<SourceName> {
    model.outbox.targets.values().filter(|t| is_chat(t)).map(|t| t.facts.name.clone()).collect()
}

/// The incidents whose rooms are kept, and that are on disk.
pub(super) fn kept(model: &Model, now: Timestamp) -> Vec<IncidentId> {
    let recent = |i: &Incident| i.times.resolved.is_none_or(|at| now - at < AFTERWARDS);
    let cases = model.desk.cases.values().filter(|c| c.saved.is_some() && c.unsaved.is_empty());
    cases.filter(|c| c.shown.is_open() || recent(&c.shown)).map(|c| c.shown.id.clone()).collect()
}

/// Whether this cockpit keeps rooms at all.
pub(super) fn active(model: &Model) -> bool {
    !model.setup.read_only && model.desk.loaded && !model.outbox.holder.is_empty()
}

/// Queues what every room is to get, as far as the record is on disk.
pub fn keep(model: &mut Model, now: Timestamp, out: &mut Vec<Effect>) {
    if !active(model) {
        return;
    }
    let chats = chats(model);
    if chats.is_empty() {
        return;
    }
    for id in kept(model, now) {
        for target in &chats {
            tend(model, now, &id, target, out);
        }
    }
}

fn tend(model: &mut Model, now: Timestamp, id: &IncidentId, target: &SourceName, out: &mut Vec<Effect>) {
    let Some(case) = model.desk.cases.get(id).filter(|c| c.unsaved.is_empty()) else { return };
    let Some(known) = model.outbox.targets.get(target) else { return };
    let (mut wishes, headline) = wishes(model, now, case, known);
    let place = (id.clone(), target.clone());
    match headline {
        Some((wish, text)) => {
            let hold = model.outbox.hold;
            let entry = model.rooms.wanted.entry(place.clone()).or_insert_with(|| (text.clone(), now));
            if entry.0 != text {
                *entry = (text, now);
            }
            // What is taken back within the hold was never there.
            if now - entry.1 >= hold {
                model.rooms.wanted.remove(&place);
                wishes.push(wish);
            }
        }
        None => drop(model.rooms.wanted.remove(&place)),
    }
    queue(model, now, id, target, wishes, out);
}

fn queue(
    model: &mut Model,
    now: Timestamp,
    id: &IncidentId,
    target: &SourceName,
    wishes: Vec<Wish>,
    out: &mut Vec<Effect>,
) {
    let mut events = Vec::new();
    let mut opened = None;
    for wish in wishes {
        let words = wish.write.words();
        let intent = Intent::Chat(wish.write);
        // What the target cannot do now is wished again when it can.
        let Ok(Body::Outgoing(op)) = outward::outgoing(model, now, target, intent, Expected::default()) else {
            continue;
        };
        if wish.about == OPEN {
            opened = Some(words);
        }
        let body = Body::Outgoing(Box::new(op.about(wish.about).held(wish.hold)));
        let once = Some(wish.once);
        let actor = "midwatch".to_owned();
        events.push(NewEvent { incident: id.clone(), at: now, recorded_at: now, actor, body, once });
    }
    if events.is_empty() {
        return;
    }
    let req = record::append(model, id, events, out);
    if let Some(words) = opened {
        model.say(now, Tone::Accent, format!("to {target}: {words}   u takes it back"));
        record::remember(model, id, req, None, words);
    }
}

/// What a room is to get now, and what its headline should say where that is another text than it has.
fn wishes(model: &Model, now: Timestamp, case: &Case, target: &TargetState) -> (Vec<Wish>, Option<(Wish, String)>) {
    let i = &case.shown;
    let name = &target.facts.name;
    let room = i.rooms.get(name).filter(|room| room.since.is_some());
    let Some(room) = room else { return (opening(model, now, i, target), None) };
    let rooms = has_rooms(target);
    if rooms && room.room.is_none() {
        return (Vec::new(), None);
    }
    let can = |capability| target.facts.caps.class(capability).is_some();
    let id = room.room.as_ref().map(|r| r.id.clone());
    let once = |what: &str| format!("room:{name}:{}:{what}", id.as_deref().unwrap_or(""));
    let sign = can(Capability::ReadVolunteers).then_some(target.facts.room.sign.as_str());
    let text = announce::headline(i, sign);
    let mut out = Vec::new();
    let mut edit = None;
    match &room.asked_text {
        None => {
            let write = ChatWrite::Post { room: id.clone(), text, thread: None };
            out.push(Wish { write, about: HEADLINE.into(), once: once("headline"), hold: Span::zero() });
        }
        Some(there) if *there != text && can(Capability::EditMessage) && !room.on_its_way(HEADLINE) => {
            edit = room.headline.as_ref().and_then(|h| h.message.clone()).map(|message| {
                let write = ChatWrite::Edit { room: id.clone(), message, text: text.clone() };
                let once = once(&format!("headline:{}", room.edits));
                (Wish { write, about: HEADLINE.into(), once, hold: Span::zero() }, text)
            });
        }
        Some(_) => {}
    }
    if let Some(id) = &id {
        out.extend(furniture(model, i, room, target, id));
    }
    out.extend(notices(model, now, case, room, (id.as_ref(), target)));
    (out, edit)
}

/// The room itself, for an incident that was just declared.
fn opening(model: &Model, now: Timestamp, i: &Incident, target: &TargetState) -> Vec<Wish> {
    let wanted = model.setup.severities.level(&i.severity).is_none_or(|level| level.room);
    let age = now - i.times.declared;
    if !wanted || !i.is_open() || age > FRESH || age < -FRESH {
        return Vec::new();
    }
    let name = &target.facts.name;
    let (write, about) = match has_rooms(target) {
        true => (create(i, target, None), OPEN),
        false => {
            let text = announce::headline(i, None);
            (ChatWrite::Post { room: None, text, thread: None }, HEADLINE)
        }
    };
    vec![Wish { write, about: about.into(), once: format!("room:{name}:open"), hold: model.outbox.hold }]
}

pub(super) fn create(i: &Incident, target: &TargetState, name: Option<String>) -> ChatWrite {
    let settings = &target.facts.room;
    let name = name.unwrap_or_else(|| format!("{}{}", settings.prefix, i.id.as_str().to_lowercase()));
    ChatWrite::CreateRoom { name, topic: String::new(), private: settings.private, invite: Vec::new() }
}

/// Topic, pin, invitations and bookmarks of an open room.
fn furniture(model: &Model, i: &Incident, room: &IncidentRoom, target: &TargetState, id: &str) -> Vec<Wish> {
    let name = &target.facts.name;
    let can = |capability| target.facts.caps.class(capability).is_some();
    let once = |what: &str| format!("room:{name}:{id}:{what}");
    let wish = |write, about: String, once: String| Wish { write, about, once, hold: Span::zero() };
    let place = || id.to_owned();
    let mut out = Vec::new();
    let topic = announce::topic(i);
    if can(Capability::SetTopic) && room.topic.as_ref() != Some(&topic) && !room.on_its_way(TOPIC) {
        let hold = if room.topic.is_none() { Span::zero() } else { model.outbox.hold };
        let once = once(&format!("topic:{}", room.topics));
        out.push(Wish { write: ChatWrite::SetTopic { room: place(), topic }, about: TOPIC.into(), once, hold });
    }
    if let Some(message) = room.headline.as_ref().and_then(|h| h.message.clone())
        && can(Capability::Pin)
        && !room.asked.contains(PIN)
    {
        out.push(wish(ChatWrite::Pin { room: place(), message }, PIN.into(), once(PIN)));
    }
    let people: Vec<Party> =
        belonging(i, target).into_iter().filter(|p| !room.asked.contains(&format!("{INVITE}{}", p.id))).collect();
    if can(Capability::Invite) && !people.is_empty() && i.is_open() {
        let ids: Vec<&str> = people.iter().map(|p| p.id.as_str()).collect();
        let about = format!("{INVITE}{}", ids.join(","));
        let once = once(&about);
        out.push(wish(ChatWrite::Invite { room: place(), people }, about, once));
    }
    if can(Capability::Bookmark) && i.is_open() {
        let own = |url: &String| room.room.as_ref().and_then(|r| r.url.as_ref()) != Some(url);
        let urls = links::of_incident(model, i).into_iter().filter(|url| url.starts_with("http") && own(url));
        let kept = room.asked.iter().filter(|about| about.starts_with(BOOKMARK)).count();
        let titles = links::titles(model, i);
        let fresh = urls.filter(|url| !room.asked.contains(&format!("{BOOKMARK}{url}")));
        for url in fresh.take(BOOKMARKS.saturating_sub(kept)) {
            let bare = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
            let title: String = titles.get(&url).map_or(bare, String::as_str).chars().take(60).collect();
            let about = format!("{BOOKMARK}{url}");
            let once = once(&about);
            out.push(wish(ChatWrite::Bookmark { room: place(), title, url }, about, once));
        }
    }
    out
}

/// Who belongs into a room: whom the configuration names, and whoever has a role and is known there.
fn belonging(i: &Incident, target: &TargetState) -> Vec<Party> {
    let settings = &target.facts.room;
    let mut out = settings.invite.clone();
    for name in std::iter::once(&i.declared_by).chain(i.roles.values()) {
        if let Some(id) = settings.people.get(name)
            && out.iter().all(|p| p.id != *id)
        {
            out.push(Party { id: id.clone(), name: name.clone(), ..Party::default() });
        }
    }
    out
}

/// What happened since the room was asked for and was not told there.
fn notices(
    model: &Model,
    now: Timestamp,
    case: &Case,
    room: &IncidentRoom,
    (id, target): (Option<&String>, &TargetState),
) -> Vec<Wish> {
    let name = &target.facts.name;
    let mut out = Vec::new();
    for event in case.tail.iter().filter(|e| room.after(e) && now - e.recorded_at < STALE) {
        let about = key_text(&event.key);
        if room.asked.contains(&about) {
            continue;
        }
        if let Some(text) = announce::notice(event, &case.shown, id.is_none()) {
            let write = ChatWrite::Post { room: id.cloned(), text, thread: None };
            let once = format!("room:{name}:told:{about}");
            // The time that it waited for its room already counts.
            let hold = (model.outbox.hold - (now - event.recorded_at).max(Span::zero())).max(Span::zero());
            out.push(Wish { write, about, once, hold });
        }
    }
    out
}

/// When a headline that waits for its hold goes out.
pub fn due(model: &Model, now: Timestamp) -> impl Iterator<Item = Timestamp> {
    let out = model.rooms.wanted.values().filter_map(|(_, since)| since.checked_add_signed(model.outbox.hold));
    // What could not go out when it was due waits for whatever holds it, not for an instant.
    out.filter(move |at| *at > now)
}

/// How often it is asked who volunteers: often while people gather.
pub(super) fn gathering(room: &IncidentRoom, now: Timestamp) -> Span {
    let young = room.since.is_none_or(|at| now - at < mins(15));
    Span::seconds(if young { 10 } else { 60 })
}

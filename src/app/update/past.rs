//! Searching while it is typed, opening what was found, and asking for incidents that are like the one in view.

use crate::app::editor::Editor;
use crate::app::effect::Effect;
use crate::app::key::{Code, Key};
use crate::app::model::{Case, Model};
use crate::app::pending::Asked;
use crate::app::present::view::Tone;
use crate::app::screen::{Item, Overlay, Screen};
use crate::domain::fault::Fault;
use crate::domain::ids::IncidentId;
use crate::domain::incident::event::{Event, EventKey};
use crate::domain::incident::state::Incident;
use crate::domain::search::{Hit, Place, Similar, Why};
use crate::domain::time::{Timestamp, mins};

/// How long an answer about similar incidents holds while its screen is open.
fn holds() -> crate::domain::time::Span {
    mins(5)
}

/// Opens the search over everything.
pub fn open(model: &mut Model) {
    model.past.hits = offered(model);
    model.past.answered.clear();
    model.past.fault = None;
    model.nav.overlay = Some(Overlay::Search { query: Editor::default(), cursor: 0 });
}

/// Before anything is typed, what is like the incident in view.
fn offered(model: &Model) -> Vec<Hit> {
    let (Screen::Incident(id) | Screen::Postmortem(id)) = model.nav.screen() else { return Vec::new() };
    let known = model.past.similar.get(id).map(|(_, known)| known.as_slice()).unwrap_or_default();
    let hit = |one: &Similar| Hit {
        incident: Some(one.incident.clone()),
        title: one.title.clone(),
        place: Place::Page(String::new(), one.title.clone()),
        at: one.declared,
        kind: "similar".into(),
        who: String::new(),
        text: one.why.iter().map(Why::told).collect::<Vec<_>>().join("; "),
    };
    known.iter().map(hit).collect()
}

/// A key while searching.
pub fn key(model: &mut Model, now: Timestamp, mut query: Editor, cursor: usize, key: Key, out: &mut Vec<Effect>) {
    let last = model.past.hits.len().saturating_sub(1);
    let cursor = match key.code {
        Code::Esc => return,
        Code::Enter => match model.past.hits.get(cursor).cloned() {
            Some(hit) => return visit(model, now, hit, out),
            None => cursor,
        },
        Code::Up => cursor.saturating_sub(1),
        Code::Down => (cursor + 1).min(last),
        Code::PageUp => cursor.saturating_sub(10),
        Code::PageDown => (cursor + 10).min(last),
        _ => {
            let before = query.text();
            query.key(key);
            if query.text() != before {
                ask(model, &query.text(), out);
            }
            0
        }
    };
    model.nav.overlay = Some(Overlay::Search { query, cursor });
}

/// Asks for what was typed. An answer to an earlier question that comes later is not shown.
pub fn ask(model: &mut Model, query: &str, out: &mut Vec<Effect>) {
    if query.trim().is_empty() {
        model.past.hits = offered(model);
        model.past.answered.clear();
        return;
    }
    let req = model.pending.ask(Asked::Search(query.to_owned()));
    out.push(Effect::Search { req, query: query.to_owned() });
}

/// Hits came.
pub fn found(model: &mut Model, query: String, result: Result<Vec<Hit>, Fault>) {
    let Some(Overlay::Search { query: typed, .. }) = &model.nav.overlay else { return };
    // What is on the screen answers what is typed, or the beginning of it while the rest is on its way.
    if !typed.text().starts_with(&query) {
        return;
    }
    match result {
        Ok(hits) => {
            model.past.hits = hits;
            model.past.fault = None;
        }
        Err(fault) => model.past.fault = Some(fault.to_string()),
    }
    model.past.answered = query;
}

/// Opens what was found: an entry in its incident; of a page its incident, or its file is told.
fn visit(model: &mut Model, now: Timestamp, hit: Hit, out: &mut Vec<Effect>) {
    let key = match &hit.place {
        Place::Entry(key) => Some(key.clone()),
        Place::Page(file, _) if file.is_empty() => None,
        Place::Page(file, heading) => {
            model.say(now, Tone::Muted, format!("{heading}: {file}"));
            None
        }
    };
    if let Some(id) = hit.incident {
        go(model, id, key, out);
    }
}

/// Opens an incident at an entry; one that is not at hand is read first.
pub fn go(model: &mut Model, id: IncidentId, key: Option<EventKey>, out: &mut Vec<Effect>) {
    let here = model.desk.cases.get(&id);
    let at_hand = here.is_some_and(|case| key.as_ref().is_none_or(|key| case.tail.find(key).is_some()));
    if at_hand {
        return show(model, id, key);
    }
    let req = model.pending.ask(Asked::Visit(id.clone(), key));
    out.push(Effect::All { req, incident: id });
}

/// All events of an incident came that somebody wants to see.
pub fn read(
    model: &mut Model,
    now: Timestamp,
    id: IncidentId,
    key: Option<EventKey>,
    result: Result<Vec<Event>, Fault>,
) {
    let events = match result {
        Ok(events) => events,
        Err(fault) => return model.say(now, Tone::Warn, format!("{id} could not be read: {fault}")),
    };
    let Some(state) = Incident::fold(&events) else {
        return model.say(now, Tone::Warn, format!("{id} is not in the record any more"));
    };
    match model.desk.cases.get_mut(&id) {
        Some(case) => case.whole(events),
        None => drop(model.desk.cases.insert(id.clone(), Case::of(state, events))),
    }
    show(model, id, key);
}

fn show(model: &mut Model, id: IncidentId, key: Option<EventKey>) {
    model.nav.open(Screen::Incident(id));
    let spot = model.nav.spot_mut();
    spot.filter.clear();
    spot.unfollowed = key.is_some();
    spot.cursor = key.map(Item::Event);
}

/// Asks which incidents are like the one in view.
pub fn look(model: &mut Model, now: Timestamp, out: &mut Vec<Effect>) {
    let (Screen::Incident(id) | Screen::Postmortem(id)) = model.nav.screen().clone() else { return };
    let saved = model.desk.cases.get(&id).is_some_and(|case| case.saved.is_some());
    let known = model.past.similar.get(&id).is_some_and(|(at, _)| *at + holds() > now && *at <= now);
    if !saved || known || model.pending.any(|asked| *asked == Asked::Similar(id.clone())) {
        return;
    }
    let req = model.pending.ask(Asked::Similar(id.clone()));
    out.push(Effect::Similar { req, incident: id });
}

/// Incidents that are like one came. A failure is asked again later and shown nowhere: it is no part of this incident.
pub fn similar(model: &mut Model, now: Timestamp, id: IncidentId, result: Result<Vec<Similar>, Fault>) {
    let known = model.past.similar.remove(&id).map(|(_, known)| known).unwrap_or_default();
    model.past.similar.insert(id, (now, result.unwrap_or(known)));
}

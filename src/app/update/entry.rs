//! What is done to one entry of a timeline: marks, taking its text out; and taking in what was pasted.

use crate::app::action::Action;
use crate::app::confirm::{Confirm, Deed};
use crate::app::editor::Editor;
use crate::app::effect::Effect;
use crate::app::form::Purpose;
use crate::app::model::Model;
use crate::app::present::view::Tone;
use crate::app::screen::{Item, Overlay, Screen};
use crate::app::update::{forms, incident, record};
use crate::domain::ids::IncidentId;
use crate::domain::import::{self, Stated};
use crate::domain::incident::decide::{Command, Refusal, text};
use crate::domain::incident::event::{Body, EventKey, Mark, NewEvent};
use crate::domain::incident::state::key_text;
use crate::domain::incident::timeline::tell;
use crate::domain::time::{Timestamp, clock};

/// Lines of a paste that are shown before it is taken in.
const SHOWN: usize = 6;

/// Marks the selected entry, or takes the mark away.
pub fn mark(model: &mut Model, now: Timestamp, action: Action, out: &mut Vec<Effect>) -> Result<(), String> {
    let (id, key) = selected(model)?;
    let mark = if action == Action::Pin { Mark::Pin } else { Mark::Exclude };
    let marks = model.desk.cases.get(&id).and_then(|case| case.shown.marks.get(&key_text(&key)));
    let has = marks.is_some_and(|marks| if mark == Mark::Pin { marks.pinned } else { marks.excluded });
    incident::command(model, now, now, &id, Command::Mark(key, mark, !has), out).map_err(|refusal| refusal.0)
}

/// Asks for the word under which the selected entry goes.
pub fn ask_tag(model: &mut Model, now: Timestamp) -> Result<(), String> {
    let (id, key) = selected(model)?;
    forms::open(model, now, Purpose::Tag(id, key));
    Ok(())
}

/// Asks why the text of the selected entry is to be taken out.
pub fn ask_redact(model: &mut Model, now: Timestamp) -> Result<(), String> {
    let (id, key) = selected(model)?;
    forms::open(model, now, Purpose::Redact(id, key));
    Ok(())
}

/// The selected entry; it is on disk.
fn selected(model: &Model) -> Result<(IncidentId, EventKey), String> {
    let Screen::Incident(id) = model.nav.screen() else { return Err("open the incident first".into()) };
    match &model.nav.spot().cursor {
        Some(Item::Event(key)) if key.origin.as_str() != "~" => Ok((id.clone(), key.clone())),
        Some(Item::Event(_)) => Err("it is not saved yet; try again in a moment".into()),
        _ => Err("select an entry of the timeline first".into()),
    }
}

/// Asks for a word before a text is taken out: nobody gets it back.
pub fn confirm_redact(model: &mut Model, id: &IncidentId, key: EventKey, reason: &str) -> Result<(), Refusal> {
    let reason = text(reason, "a reason")?;
    let case = model.desk.cases.get(id).ok_or_else(|| Refusal(format!("there is no incident {id}")))?;
    let event = case.tail.find(&key);
    let event = event.ok_or_else(|| Refusal("the entry is not at hand any more".into()))?;
    let what = tell(event, None);
    let places = crate::domain::incident::redaction::places(&event.body);
    if places.is_empty() {
        return Err(Refusal("this entry has no text that could be taken out".into()));
    }
    let rows = vec![
        ("entry".to_owned(), format!("{} {}: {what}", clock(event.at), event.who())),
        ("reason".into(), reason.clone()),
        ("then".into(), "the text is gone from the record for good; that it was there and why it went stays".into()),
        ("but".into(), "what left the house, and drafts that were written, still hold it".into()),
    ];
    model.nav.overlay = Some(Overlay::Confirm(Box::new(Confirm {
        title: "redact".into(),
        question: "Take this text out of the record for good?".into(),
        rows,
        token: Some("redact".into()),
        enter: false,
        typed: Editor::default(),
        painted: false,
        deed: Deed::Incident(id.clone(), Command::Redact(key, reason)),
    })));
    Ok(())
}

/// Text was pasted over an incident: it may be a chat. Asks for the zone of its times. `false`: it is none.
pub fn pasted(model: &mut Model, now: Timestamp, pasted: &str) -> bool {
    let Screen::Incident(id) = model.nav.screen().clone() else { return false };
    if model.setup.read_only || model.nav.overlay.is_some() || pasted.trim().is_empty() {
        return false;
    }
    let stated = stated(model, &id, now, Some(model.setup.zone));
    match import::read(pasted, &stated) {
        Ok(_) => {
            forms::open(model, now, Purpose::Import(id, pasted.to_owned()));
            true
        }
        Err(_) => false,
    }
}

fn stated(model: &Model, id: &IncidentId, now: Timestamp, zone: Option<chrono_tz::Tz>) -> Stated {
    let near = model.desk.cases.get(id).map_or(now, |case| case.shown.times.declared);
    Stated { shape: None, zone, date: None, near, now }
}

/// Shows what would be taken in, and asks.
pub fn confirm_import(
    model: &mut Model,
    now: Timestamp,
    id: &IncidentId,
    pasted: &str,
    zone: &str,
) -> Result<(), Refusal> {
    let zone: chrono_tz::Tz =
        zone.trim().parse().map_err(|_| Refusal(format!("there is no zone `{zone}` (such as Europe/Berlin, UTC)")))?;
    let stated = stated(model, id, now, Some(zone));
    let read = import::read(pasted, &stated).map_err(Refusal)?;
    let case = model.desk.cases.get(id).ok_or_else(|| Refusal(format!("there is no incident {id}")))?;
    let (events, early) = import::events(&case.shown, &read, &stated, &model.setup.responder);
    if events.is_empty() {
        return Err(Refusal(
            early.first().map_or_else(|| "there is nothing to take in".into(), |(_, why)| why.clone()),
        ));
    }
    let zoned = read.lines.iter().any(|line| line.zoned);
    let zone = if zoned { format!("{} for times that have none", zone.name()) } else { "in the text".into() };
    let mut rows = vec![("shape".to_owned(), read.shape.word().to_owned()), ("zone".into(), zone)];
    let line = |event: &NewEvent| match &event.body {
        Body::Imported(import) => format!("{} {}: {}", clock(event.at), import.who, import.text),
        other => other.kind().to_owned(),
    };
    let mut label = "lines";
    for event in events.iter().take(SHOWN) {
        rows.push((std::mem::take(&mut label).to_owned(), line(event)));
    }
    if events.len() > SHOWN {
        rows.push((String::new(), format!("and {} more", events.len() - SHOWN)));
    }
    let left = read.left_out.len() + early.len();
    if left > 0 {
        let first = read.left_out.iter().chain(&early).next();
        let why = first.map(|(n, why)| format!(" (line {n}: {why})")).unwrap_or_default();
        rows.push(("left out".into(), format!("{left} line(s){why}")));
    }
    model.nav.overlay = Some(Overlay::Confirm(Box::new(Confirm {
        title: "import".into(),
        question: format!("Take {} line(s) into {id}?", events.len()),
        rows,
        token: None,
        enter: false,
        typed: Editor::default(),
        painted: false,
        deed: Deed::Import(id.clone(), events),
    })));
    Ok(())
}

/// Takes lines in. What the incident has already is recorded once.
pub fn import(model: &mut Model, now: Timestamp, id: &IncidentId, events: Vec<NewEvent>, out: &mut Vec<Effect>) {
    let count = events.len();
    // The incident may have got another id since.
    let events = events.into_iter().map(|event| NewEvent { incident: id.clone(), recorded_at: now, ..event });
    record::append(model, id, events.collect(), out);
    model.desk.last_act = None;
    model.say(now, Tone::Accent, format!("{count} line(s) taken in; what was there already is not repeated"));
}

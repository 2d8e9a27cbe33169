//! Postmortem drafts: made from all events of an incident, written through the files port, never over a person's edits.

use crate::app::effect::Effect;
use crate::app::model::Model;
use crate::app::pending::Asked;
use crate::app::present::view::Tone;
use crate::domain::fault::Fault;
use crate::domain::ids::IncidentId;
use crate::domain::incident::event::{Body, Event};
use crate::domain::postmortem::facts::facts;
use crate::domain::postmortem::file_name;
use crate::domain::postmortem::picture::pictures;
use crate::domain::postmortem::render::{Draft, render};
use crate::domain::time::Timestamp;

/// Asks for all events of an incident; its draft follows from them. `write` also writes it to its file.
pub fn refresh(model: &mut Model, id: &IncidentId, write: bool, out: &mut Vec<Effect>) {
    let draft = model.desk.drafts.entry(id.clone()).or_default();
    draft.write |= write;
    if model.pending.any(|a| *a == Asked::All(id.clone())) {
        return;
    }
    let req = model.pending.ask(Asked::All(id.clone()));
    out.push(Effect::All { req, incident: id.clone() });
}

/// All events came: the draft is made.
pub fn made(
    model: &mut Model,
    now: Timestamp,
    id: &IncidentId,
    result: Result<Vec<Event>, Fault>,
    out: &mut Vec<Effect>,
) {
    let events = match result {
        Ok(events) => events,
        Err(fault) => {
            // The events known here still make a draft.
            model.say(now, Tone::Warn, format!("draft of {id}: {fault}; made from the events at hand"));
            model.desk.cases.get(id).map(|c| c.tail.to_vec()).unwrap_or_default()
        }
    };
    let Some(case) = model.desk.cases.get(id) else { return };
    let mut events = events;
    events.extend(case.provisional());
    let state = crate::domain::incident::state::Incident::fold(&events).unwrap_or_else(|| case.shown.clone());
    let histories: Vec<_> =
        state.objectives.iter().filter_map(|o| model.fleet.histories.get(o)).map(|(_, h)| h.clone()).collect();
    let offset = crate::app::update::forms::offset(model, now);
    let rendered = render_with(model, &state, &events, &histories, offset, now);
    let drill = model.setup.simulated == Some("DRILL");
    let name = name(model, &state);
    let draft = model.desk.drafts.entry(id.clone()).or_default();
    match rendered {
        Ok(mut made) => {
            draft.text = made.text;
            draft.blanks = made.blanks;
            draft.fault = None;
            if std::mem::take(&mut draft.write) && !model.setup.read_only {
                let mut pictures = pictures(&state, &histories);
                for (picture, _) in pictures.iter_mut().filter(|_| drill) {
                    let marked = format!("DRILL-{picture}");
                    made.raw = made.raw.replace(picture.as_str(), &marked);
                    *picture = marked;
                }
                let req = model.pending.ask(Asked::Draft(id.clone()));
                out.push(Effect::WriteDraft { req, incident: id.clone(), name, text: made.raw, pictures });
            }
        }
        Err(why) => {
            draft.fault = Some(why.clone());
            model.say(now, Tone::Warn, format!("draft of {id}: {why}"));
        }
    }
}

fn render_with(
    model: &Model,
    state: &crate::domain::incident::state::Incident,
    events: &[Event],
    histories: &[crate::domain::slo::reading::History],
    offset: chrono::FixedOffset,
    now: Timestamp,
) -> Result<Draft, String> {
    let similar = model.past.similar.get(&state.id).map(|(_, known)| known.as_slice()).unwrap_or_default();
    let facts = facts(state, events, histories, offset, now).with_similar(similar);
    let mut drawn = render(model.setup.template.template(), &facts).map_err(|e| e.to_string())?;
    if model.setup.simulated == Some("DRILL") {
        // A rehearsal must not be taken for what happened, wherever its draft ends up.
        let banner = "> **DRILL.** This incident was simulated. Nothing in it happened.\n\n";
        drawn.text.insert_str(0, banner);
        drawn.raw.insert_str(0, banner);
    }
    Ok(drawn)
}

/// A draft was written, or could not be.
pub fn written(
    model: &mut Model,
    now: Timestamp,
    id: &IncidentId,
    result: Result<String, Fault>,
    out: &mut Vec<Effect>,
) {
    match result {
        Ok(path) => {
            let draft = model.desk.drafts.entry(id.clone()).or_default();
            let first = draft.written.is_none();
            draft.written = Some((now, path.clone()));
            draft.fault = None;
            if first {
                model.say(now, Tone::Ok, format!("postmortem draft: {path}"));
                let once = Some(format!("draft:{path}"));
                crate::app::update::record::machine(model, now, id, Body::DraftWritten { path }, once, out);
            }
        }
        Err(fault) => {
            model.desk.drafts.entry(id.clone()).or_default().fault = Some(fault.to_string());
            model.say(now, Tone::Crit, format!("the draft of {id} was not written: {fault}; w tries again"));
        }
    }
}

/// The file name of a draft; that of a drill says so.
pub fn name(model: &Model, state: &crate::domain::incident::state::Incident) -> String {
    match model.setup.simulated {
        Some("DRILL") => format!("DRILL-{}", file_name(state)),
        _ => file_name(state),
    }
}

//! An incident that was recorded under another id than it was declared with: everything here that names it follows. The
//! id it had first belongs to somebody else's incident, so that nothing may be left behind under it. Records nothing.

use crate::app::confirm::Deed;
use crate::app::model::{Case, Model, Tail};
use crate::app::screen::Overlay;
use crate::domain::ids::{IncidentId, TimerId};
use crate::domain::incident::event::{Body, Event, NewEvent};
use crate::domain::incident::state::Incident;

/// Gives the incident its real id everywhere.
pub fn rename(model: &mut Model, from: &IncidentId, to: &IncidentId) {
    if let Some(mut case) = model.desk.cases.remove(from) {
        for event in case.unsaved.iter_mut().flat_map(|(_, events)| events) {
            renamed(event, from, to);
        }
        let all = std::mem::take(&mut case.tail).into_events();
        let (theirs, ours): (Vec<Event>, Vec<Event>) = all.into_iter().partition(|e| e.incident == *from);
        case.saved = Incident::fold(&ours);
        case.tail = Tail::of(ours);
        case.shown.id.clone_from(to);
        case.reshow();
        model.desk.cases.insert(to.clone(), case);
        if let Some(other) = Incident::fold(&theirs) {
            model.desk.cases.insert(from.clone(), Case::of(other, theirs));
        }
    }
    model.nav.rename(from, to);
    overlay(model, from, to);
    model.pending.rename(from, to);
    if let Some(draft) = model.desk.drafts.remove(from) {
        model.desk.drafts.insert(to.clone(), draft);
    }
    if let Some(act) = model.desk.last_act.as_mut().filter(|a| a.incident == *from) {
        act.incident.clone_from(to);
    }
    for running in model.exec.running.iter_mut().filter(|r| r.run.offer.incident == *from) {
        running.run.offer.incident.clone_from(to);
    }
    let outputs = std::mem::take(&mut model.exec.outputs);
    let name = |id: IncidentId| if id == *from { to.clone() } else { id };
    let watches = std::mem::take(&mut model.exec.watches);
    model.exec.watches = watches.into_iter().map(|((id, run), watch)| ((name(id), run), watch)).collect();
    let probes = std::mem::take(&mut model.exec.probes);
    model.exec.probes = probes.into_iter().map(|((id, book), words)| ((name(id), book), words)).collect();
    model.exec.secrets.rename(from, to);
    model.exec.outputs = outputs.into_iter().map(|((id, book, slot), text)| ((name(id), book, slot), text)).collect();
}

/// What was typed into a form is kept; a question that was asked under the wrong id is not.
fn overlay(model: &mut Model, from: &IncidentId, to: &IncidentId) {
    match &mut model.nav.overlay {
        Some(Overlay::Form(form)) => {
            if let Some(id) = form.purpose.incident_mut().filter(|id| *id == from) {
                id.clone_from(to);
                form.title = form.title.replace(from.as_str(), to.as_str());
            }
        }
        Some(Overlay::Confirm(confirm)) => {
            let about = match &confirm.deed {
                Deed::Incident(id, _) | Deed::Page(id, _) | Deed::Import(id, _) => Some(id),
                Deed::Send(sending) => Some(&sending.incident),
                Deed::Run(run) => Some(&run.offer.incident),
                Deed::Reads(runs) => runs.first().map(|run| &run.offer.incident),
                Deed::Approve(id, _) => Some(id),
                Deed::Merge(id, into) => [id, into].into_iter().find(|known| *known == from),
                Deed::Publish(publishing) => Some(&publishing.incident),
                Deed::Silences(silencing) => silencing.incident.as_ref(),
                Deed::Arm | Deed::Stop | Deed::Quit | Deed::ByHand(_) => None,
            };
            if about == Some(from) {
                model.nav.overlay = None;
            }
        }
        _ => {}
    }
}

/// A timer's name begins with its incident's, and so does the key under which it is recorded once.
fn renamed(event: &mut NewEvent, from: &IncidentId, to: &IncidentId) {
    event.incident.clone_from(to);
    if let Body::TimerDue { timer, .. }
    | Body::TimerSnoozed { timer, .. }
    | Body::TimerDismissed { timer, .. }
    | Body::Escalated { timer, .. } = &mut event.body
    {
        let old = format!("{from}:");
        if let Some(rest) = timer.as_str().strip_prefix(&old).map(str::to_owned) {
            *timer = TimerId(format!("{to}:{rest}"));
        }
        let key = event.once.as_deref().and_then(|k| k.strip_prefix(&format!("due:{old}"))).map(str::to_owned);
        if let Some(rest) = key {
            event.once = Some(format!("due:{to}:{rest}"));
        }
    }
}

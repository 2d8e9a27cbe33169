//! Actions: one call for each row of the table. The only place that asks whether an action may be taken.

mod moves;
mod outward;
mod steps;

use crate::app::action::{Action, Scope};
use crate::app::editor::Editor;
use crate::app::effect::Effect;
use crate::app::form::Purpose;
use crate::app::model::Model;
use crate::app::pending::Asked;
use crate::app::present::available::why_not;
use crate::app::present::view::Tone;
use crate::app::present::{alerts, items};
use crate::app::recent::Subject;
use crate::app::screen::{Item, Overlay, Screen};
use crate::app::update::{
    answer, approval, backend, backend_act, board, draft, exec, forms, incident, past, record, replay, rollback,
    timers, walk, what_changed,
};
use crate::domain::ids::{Fingerprint, IncidentId};
use crate::domain::incident::decide::{Command, Refusal};
use crate::domain::incident::event::NoteKind;
use crate::domain::time::Timestamp;

/// Takes an action, or says why not.
pub fn act(model: &mut Model, now: Timestamp, action: Action, out: &mut Vec<Effect>) {
    if let Some(why) = why_not(model, now, action) {
        model.say(now, Tone::Warn, why);
        return;
    }
    if let Err(why) = take(model, now, action, out) {
        model.say(now, Tone::Warn, why);
    }
}

fn take(model: &mut Model, now: Timestamp, action: Action, out: &mut Vec<Effect>) -> Result<(), String> {
    match action {
        Action::Up | Action::Down | Action::PageUp | Action::PageDown | Action::Top | Action::Bottom => {
            moves::move_cursor(model, now, action, out);
            Ok(())
        }
        Action::Left | Action::Right => Ok(()),
        Action::NextPane => moves::pane(model, now, true),
        Action::PrevPane => moves::pane(model, now, false),
        Action::Open => open(model, now, out),
        Action::Back => moves::back(model, now, out),
        Action::Cancel => moves::cancel(model),
        Action::Overview => go(model, Screen::Overview),
        Action::Slos => go(model, Screen::Slos),
        Action::Timers => go(model, Screen::Timers),
        Action::Changes => {
            // Looked at in the middle of a walk: q goes back there.
            model.nav.open(Screen::Changes);
            Ok(())
        }
        Action::Runbooks => go(model, Screen::Runbooks),
        Action::Alerts => go(model, Screen::Alerts),
        Action::Sources => go(model, Screen::Sources),
        Action::Messages => go(model, Screen::Messages),
        Action::Outbox => go(model, Screen::Outbox),
        Action::Incident => {
            let id = target(model).ok_or("there is no open incident; i on the overview declares one")?;
            go(model, Screen::Incident(id))
        }
        Action::Help => overlay(model, Overlay::Help(0)),
        Action::Palette => overlay(model, Overlay::Palette { query: Editor::default(), cursor: 0 }),
        Action::Filter => {
            let line = Editor::with(&model.nav.spot().filter);
            overlay(model, Overlay::Filter(line))
        }
        Action::Search => {
            past::open(model);
            Ok(())
        }
        Action::Links => overlay(model, Overlay::Links(0)),
        Action::Copy => {
            let text = crate::app::present::links::copyable(model, now).ok_or("nothing is selected")?;
            copy(model, text, out);
            Ok(())
        }
        Action::Page => {
            out.push(Effect::Page(crate::app::present::lines::page(model, now).join("\n")));
            Ok(())
        }
        Action::Zone => {
            model.nav.local_time = !model.nav.local_time;
            Ok(())
        }
        Action::Undo => record::undo(model, now, out),
        Action::Redraw => push(out, Effect::Redraw),
        Action::Suspend => push(out, Effect::Suspend),
        Action::Quit => moves::quit(model, now, out),
        Action::Arm => exec::ask_arm(model),
        Action::Disarm => {
            model.exec.armed_until = None;
            model.say(now, Tone::Muted, "commands are off");
            Ok(())
        }
        Action::Stop => exec::ask_stop(model, now),
        Action::WhatChanged => what_changed::open(model, target(model), items::selected(model, now)),
        Action::OwnService => {
            let spot = model.nav.spot_mut();
            spot.unfollowed = !spot.unfollowed;
            Ok(())
        }
        _ => take_more(model, now, action, out),
    }
}

fn take_more(model: &mut Model, now: Timestamp, action: Action, out: &mut Vec<Effect>) -> Result<(), String> {
    let id = target(model);
    let need = || id.clone().ok_or_else(|| "there is no open incident; i declares one".to_owned());
    match action {
        _ if action.entry().scopes == [Scope::Replay] => replay::act(model, action),
        Action::Declare => {
            let from = match items::selected(model, now) {
                Some(Item::Page(name, page)) => Purpose::DeclareFrom(name, page),
                _ => Purpose::Declare(selected_alert(model, now)),
            };
            form(model, now, from)
        }
        Action::Ack => acknowledge(model, now, out),
        Action::LinkAlert => {
            let alert = selected_alert(model, now).ok_or("select an alert first")?;
            refused(incident::link_alert(model, now, &need()?, &alert, out))
        }
        Action::Note => forms::open_note(model, now, NoteKind::Note),
        Action::Decision => forms::open_note(model, now, NoteKind::Decision),
        Action::Hypothesis => forms::open_note(model, now, NoteKind::Hypothesis),
        Action::Finding => forms::open_note(model, now, NoteKind::Finding),
        Action::ActionItem => form(model, now, Purpose::Action(need()?)),
        Action::Status => form(model, now, Purpose::Status(need()?)),
        Action::Severity => form(model, now, Purpose::Severity(need()?)),
        Action::Task
        | Action::Propose
        | Action::Update
        | Action::Merge
        | Action::Relate
        | Action::People
        | Action::Board
        | Action::HandOff => board::act(model, now, action, need()?),
        Action::Roles => form(model, now, Purpose::Role(need()?)),
        Action::Mitigated => form(model, now, Purpose::Mitigated(need()?)),
        Action::Resolve => form(model, now, Purpose::Resolve(need()?)),
        Action::Reopen => form(model, now, Purpose::Reopen(need()?)),
        Action::Correct => match model.nav.spot().cursor {
            Some(Item::Event(key)) => form(model, now, Purpose::Correct(need()?, key)),
            _ => Err("select an entry of the timeline first".into()),
        },
        Action::Follow => {
            let spot = model.nav.spot_mut();
            spot.unfollowed = !spot.unfollowed;
            spot.cursor = None;
            Ok(())
        }
        Action::Escalate | Action::AnswerTimer => {
            let timer =
                if action == Action::Escalate { rung(model, now, &need()?) } else { selected_timer(model, now) };
            let (incident, timer) = timer.ok_or("no timer runs")?;
            answer::answer(model, now, incident, timer, out)
        }
        Action::Runbook => runbook(model, now, out),
        Action::Postmortem => {
            let id = need()?;
            draft::refresh(model, &id, false, out);
            model.nav.open(Screen::Postmortem(id));
            Ok(())
        }
        Action::WriteDraft => {
            draft::refresh(model, &need()?, true, out);
            Ok(())
        }
        Action::EditDraft => {
            let path =
                id.and_then(|id| model.desk.drafts.get(&id)).and_then(|d| d.written.clone()).map(|(_, path)| path);
            push(out, Effect::Edit(path.ok_or("write the draft first: w")?))
        }
        Action::RollBack => rollback::ask(model, now, id),
        Action::Approve => outward::approve(model, now),
        _ => outward::take(model, now, action, out),
    }
}

fn push(out: &mut Vec<Effect>, effect: Effect) -> Result<(), String> {
    out.push(effect);
    Ok(())
}

fn go(model: &mut Model, screen: Screen) -> Result<(), String> {
    model.nav.go(screen);
    Ok(())
}

fn overlay(model: &mut Model, overlay: Overlay) -> Result<(), String> {
    model.nav.overlay = Some(overlay);
    Ok(())
}

fn form(model: &mut Model, now: Timestamp, purpose: Purpose) -> Result<(), String> {
    forms::open(model, now, purpose);
    Ok(())
}

fn refused(result: Result<(), Refusal>) -> Result<(), String> {
    result.map_err(|r| r.0)
}

/// Copies a text; the answer says how sure that is. What leaves a drill says so, line by line and as a comment: pasted into
/// a real shell it does nothing.
pub fn copy(model: &mut Model, text: String, out: &mut Vec<Effect>) {
    let text = match model.setup.simulated {
        Some("DRILL") => text.lines().map(|line| format!("# DRILL {line}")).collect::<Vec<_>>().join("\n"),
        _ => text,
    };
    let req = model.pending.ask(Asked::Copy);
    out.push(Effect::Copy { req, text });
}

/// The incident that an action is about: the one in view, the selected one, else the worst open one.
pub fn target(model: &Model) -> Option<IncidentId> {
    match model.nav.screen() {
        Screen::Incident(id)
        | Screen::Board(id)
        | Screen::HandOff(id)
        | Screen::Postmortem(id)
        | Screen::Walk(Some(id), _)
        | Screen::WhatChanged(Subject::Incident(id)) => return Some(id.clone()),
        _ => {}
    }
    match model.nav.spot().cursor {
        Some(Item::Incident(id) | Item::Timer(id, _)) => return Some(id),
        Some(Item::Alert(fp)) => {
            if let Some(case) = model.open_cases().into_iter().find(|c| c.shown.alerts.contains_key(&fp)) {
                return Some(case.shown.id.clone());
            }
        }
        _ => {}
    }
    let replayed = model.replay.as_ref().map(|replay| replay.incident.clone());
    replayed.or_else(|| model.open_cases().first().map(|c| c.shown.id.clone()))
}

/// The incident that `a` acknowledges. On an alert it is the alert's own, never another one.
fn acknowledges(model: &Model, now: Timestamp) -> Result<IncidentId, String> {
    if let Some(fp) = selected_alert(model, now).filter(|_| !matches!(model.nav.screen(), Screen::Incident(_))) {
        let own = model.open_cases().into_iter().find(|c| c.shown.alerts.contains_key(&fp)).map(|c| c.shown.id.clone());
        return own
            .ok_or_else(|| "this alert has no incident: i declares one from it, L links it to the worst one".into());
    }
    target(model).ok_or_else(|| "there is no open incident; i declares one".into())
}

/// The selected alert.
pub fn selected_alert(model: &Model, now: Timestamp) -> Option<Fingerprint> {
    match items::selected(model, now) {
        Some(Item::Alert(fp)) => Some(fp),
        _ => None,
    }
}

fn selected_timer(model: &Model, now: Timestamp) -> Option<(IncidentId, crate::domain::ids::TimerId)> {
    match items::selected(model, now) {
        Some(Item::Timer(incident, timer)) => Some((incident, timer)),
        _ => timers::nearest(model, now).map(|t| (t.incident, t.id)),
    }
}

/// The next rung of an incident's escalation that nobody answered.
fn rung(model: &Model, now: Timestamp, id: &IncidentId) -> Option<(IncidentId, crate::domain::ids::TimerId)> {
    use crate::domain::escalation::timer::TimerKind;
    let live = |t: &&crate::domain::escalation::timer::Timer| t.incident == *id && t.state.is_live();
    let timers = crate::app::present::timers::all(model, now);
    let found =
        timers.iter().filter(live).find(|t| t.kind == TimerKind::Escalation).or_else(|| timers.iter().find(live));
    found.map(|t| (t.incident.clone(), t.id.clone()))
}

/// Opens the runbook that belongs: to the incident, to the selected alert, else the selected one.
fn runbook(model: &mut Model, now: Timestamp, out: &mut Vec<Effect>) -> Result<(), String> {
    if let Some(Item::Runbook(id)) = items::selected(model, now) {
        model.nav.open(Screen::Walk(None, id));
        return Ok(());
    }
    let alert = selected_alert(model, now).and_then(|fp| model.alerts.get(&fp).cloned());
    let incident = match (&alert, model.nav.screen()) {
        (Some(alert), Screen::Overview | Screen::Alerts) => model
            .open_cases()
            .into_iter()
            .find(|c| c.shown.alerts.contains_key(&alert.fingerprint))
            .map(|c| c.shown.id.clone()),
        _ => target(model),
    };
    if let Some(id) = incident {
        let book = runbook_of(model, &id).ok_or("no runbook matches this incident; 5 shows all of them")?;
        walk::open(model, now, &id, &book, out);
        return Ok(());
    }
    let alert = alert.ok_or("select an alert, an incident or a runbook first")?;
    let found = alerts::runbooks_for(model, &alert.name, &alert.labels, &alert.annotations);
    let book = found
        .first()
        .map(|m| m.runbook.clone())
        .ok_or_else(|| format!("no runbook matches {}; 5 shows all of them", alert.name))?;
    model.nav.open(Screen::Walk(None, book));
    Ok(())
}

/// The runbook of an incident: the one in use, else the best match of its alerts.
pub fn runbook_of(model: &Model, id: &IncidentId) -> Option<crate::domain::ids::RunbookId> {
    let case = model.desk.cases.get(id)?;
    if let Some(open) = case.shown.runbook.clone().filter(|r| model.runbook(r).is_some()) {
        return Some(open);
    }
    let mut found = Vec::new();
    for (fp, alert) in &case.shown.alerts {
        let annotations = model.alerts.get(fp).map(|a| a.annotations.clone()).unwrap_or_default();
        found.extend(alerts::runbooks_for(model, &alert.name, &alert.labels, &annotations));
    }
    found.into_iter().max_by_key(|m| m.score).map(|m| m.runbook)
}

fn open(model: &mut Model, now: Timestamp, out: &mut Vec<Effect>) -> Result<(), String> {
    if matches!(model.nav.screen(), Screen::Walk(..)) {
        return walk::enter(model, now, out);
    }
    match items::selected(model, now) {
        Some(Item::Slo(id)) => model.nav.open(Screen::Slo(id)),
        Some(Item::Alert(fp)) => match model.open_cases().into_iter().find(|c| c.shown.alerts.contains_key(&fp)) {
            Some(case) => {
                let id = case.shown.id.clone();
                model.nav.open(Screen::Incident(id));
            }
            None if matches!(model.nav.screen(), Screen::Alerts) => return runbook(model, now, out),
            None => {
                model.nav.open(Screen::Alerts);
                model.nav.spot_mut().cursor = Some(Item::Alert(fp));
            }
        },
        Some(Item::Incident(id)) => model.nav.open(Screen::Incident(id)),
        Some(Item::Timer(incident, timer)) => return answer::answer(model, now, incident, timer, out),
        Some(Item::Page(name, page)) => return backend_act::open(model, now, Some(Item::Page(name, page))),
        Some(item @ (Item::Task(_) | Item::Tick(..) | Item::Decision(_) | Item::Hypothesis(_))) => {
            return board::open(model, now, &item, out);
        }
        Some(Item::Runbook(id)) => match target(model) {
            Some(incident) if !model.open_cases().is_empty() => walk::open(model, now, &incident, &id, out),
            _ => model.nav.open(Screen::Walk(None, id)),
        },
        Some(Item::Change(id, run)) => return rollback::of(model, now, &id, &run),
        Some(Item::Approval(id, request)) => return approval::show(model, now, &id, &request),
        Some(Item::Source(_)) => return take_more(model, now, Action::Retry, out),
        Some(Item::Row(n)) if *model.nav.screen() == Screen::FirstRun => return moves::first_run(model, now, n, out),
        Some(Item::Recent(..)) => {
            let change = crate::app::present::what_changed::selected(model, now);
            let link = change.and_then(|c| c.url).ok_or("its source gives no link")?;
            copy(model, link, out);
        }
        Some(_) | None => return Err("nothing to open here".into()),
    }
    Ok(())
}

/// Acknowledges the page that is selected, else the incident.
fn acknowledge(model: &mut Model, now: Timestamp, out: &mut Vec<Effect>) -> Result<(), String> {
    if let Some(Item::Page(name, page)) = items::selected(model, now) {
        return backend::acknowledge(model, now, &name, &page, out);
    }
    let id = acknowledges(model, now)?;
    refused(incident::command(model, now, now, &id, Command::Acknowledge, out))
}

//! Moving about: the cursor, panes, back, and leaving.

use crate::app::action::Action;
use crate::app::confirm::{Confirm, Deed};
use crate::app::editor::Editor;
use crate::app::effect::Effect;
use crate::app::form::Purpose;
use crate::app::model::Model;
use crate::app::pending::Asked;
use crate::app::present::{entries, items};
use crate::app::screen::{Item, Overlay, Screen};
use crate::app::update::act::{form, overlay, push};
use crate::domain::ids::IncidentId;
use crate::domain::time::{Timestamp, secs};

pub fn first_run(model: &mut Model, now: Timestamp, choice: usize, out: &mut Vec<Effect>) -> Result<(), String> {
    match choice {
        0 => push(out, Effect::Begin(None)),
        1 => push(out, Effect::Begin(Some("http://127.0.0.1:9090".into()))),
        2 => form(model, now, Purpose::Connect),
        _ => Err("q leaves; then: midwatch init".into()),
    }
}

pub fn back(model: &mut Model, now: Timestamp, out: &mut Vec<Effect>) -> Result<(), String> {
    if model.nav.back() { Ok(()) } else { quit(model, now, out) }
}

pub fn cancel(model: &mut Model) -> Result<(), String> {
    let spot = model.nav.spot_mut();
    if !spot.filter.is_empty() {
        spot.filter.clear();
    } else if spot.step.take().is_none() {
        model.nav.back();
    }
    Ok(())
}

/// Leaves at once when nothing is at stake; asks otherwise. Twice within two seconds leaves at once.
pub fn quit(model: &mut Model, now: Timestamp, out: &mut Vec<Effect>) -> Result<(), String> {
    let again = model.quit_asked.is_some_and(|at| now >= at && now - at < secs(2));
    model.quit_asked = Some(now);
    let mut stakes = Vec::new();
    let leads = |c: &&crate::app::model::Case| {
        c.shown.roles.get(&crate::domain::incident::event::Role::Commander) == Some(&model.setup.responder)
    };
    if let Some(case) = model.open_cases().into_iter().find(leads) {
        stakes.push((
            "you lead".to_owned(),
            format!("{} {}; it stays open and is resumed at the next start", case.shown.id, case.shown.title),
        ));
    }
    let (waiting, _) = model.outbox.count();
    if waiting > 0 {
        stakes
            .push(("not sent".into(), format!("{waiting} operation(s) wait; the next cockpit here goes on with them")));
    }
    if model.unsaved() > 0 {
        stakes.push(("not saved".into(), format!("{} event(s) would be lost", model.unsaved())));
    }
    if !model.exec.running.is_empty() {
        stakes.push(("a command runs".into(), "it goes on without you and its result will be unknown".into()));
    }
    if stakes.is_empty() || again || model.setup.simulated.is_some() {
        return push(out, Effect::Quit(0));
    }
    overlay(
        model,
        Overlay::Confirm(Box::new(Confirm {
            title: "quit".into(),
            question: "Leave midwatch?".into(),
            rows: stakes,
            token: None,
            enter: false,
            typed: Editor::default(),
            painted: false,
            deed: Deed::Quit,
        })),
    )
}

pub fn pane(model: &mut Model, now: Timestamp, forward: bool) -> Result<(), String> {
    let panes: Vec<Vec<Item>> = items::panes(model, now).into_iter().filter(|p| !p.is_empty()).collect();
    let at = items::selected(model, now).and_then(|c| panes.iter().position(|p| p.contains(&c))).unwrap_or(0);
    let count = panes.len().max(1);
    let next = if forward { (at + 1) % count } else { (at + count - 1) % count };
    if let Some(first) = panes.get(next).and_then(|p| p.first()) {
        model.nav.spot_mut().cursor = Some(first.clone());
    }
    Ok(())
}

pub fn move_cursor(model: &mut Model, now: Timestamp, action: Action, out: &mut Vec<Effect>) {
    if matches!(model.nav.screen(), Screen::Slo(_)) {
        // It has no rows to choose from, but in a small terminal more to say than there is room for beside a chart.
        model.nav.spot_mut().numbers = matches!(action, Action::Down | Action::PageDown | Action::Bottom);
        return;
    }
    if let Screen::Incident(id) = model.nav.screen() {
        return along_timeline(model, &id.clone(), action, out);
    }
    let all: Vec<Item> = items::panes(model, now).into_iter().flatten().collect();
    let at = items::selected(model, now).and_then(|c| all.iter().position(|i| *i == c));
    if let Some(chosen) = next(model, action, at, all.len()).and_then(|n| all.get(n)) {
        let spot = model.nav.spot_mut();
        spot.unfollowed = false;
        spot.cursor = Some(chosen.clone());
    }
}

/// The row that a movement leads to from a row, of so many; `None` when there is none.
fn next(model: &Model, action: Action, at: Option<usize>, rows: usize) -> Option<usize> {
    let last = rows.checked_sub(1)?;
    let page = usize::from(model.size.1).saturating_sub(8).max(4);
    Some(match (action, at) {
        (Action::Top, _) => 0,
        (Action::Bottom, _) => last,
        (Action::Up, Some(i)) => i.saturating_sub(1),
        (Action::Down, Some(i)) => (i + 1).min(last),
        (Action::PageUp, Some(i)) => i.saturating_sub(page),
        (Action::PageDown, Some(i)) => (i + page).min(last),
        (Action::Up | Action::PageUp, None) => last,
        _ => 0,
    })
}

/// Along a timeline: its end is followed, at its top the page before it is read. A long one is not gone through for it.
fn along_timeline(model: &mut Model, id: &IncidentId, action: Action, out: &mut Vec<Effect>) {
    let Some(entries) = entries::shown(model, id) else { return };
    let rows = entries.len();
    let chosen = match model.nav.spot().cursor {
        Some(Item::Event(key)) => entries.position(&key),
        _ => None,
    };
    let Some(next) = next(model, action, chosen.or(rows.checked_sub(1)), rows) else { return };
    let item = entries.item(next);
    if next == 0 {
        older(model, out);
    }
    let spot = model.nav.spot_mut();
    spot.unfollowed = next + 1 != rows;
    spot.cursor = item.filter(|_| next + 1 != rows);
}

/// The top of a timeline is reached: the page before it is read.
fn older(model: &mut Model, out: &mut Vec<Effect>) {
    let Screen::Incident(id) = model.nav.screen().clone() else { return };
    let Some(case) = model.desk.cases.get(&id).filter(|c| !c.complete) else { return };
    let Some(before) = case.tail.first().map(|e| e.order) else { return };
    if !model.pending.any(|a| *a == Asked::Older(id.clone())) {
        let req = model.pending.ask(Asked::Older(id.clone()));
        out.push(Effect::Older { req, incident: id, before });
    }
}

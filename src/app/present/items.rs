//! What can be selected on a screen, in the order in which it is drawn, one list per pane.

use crate::app::model::Model;
use crate::app::present::{
    alerts, backend, board, changes, entries, incidents, outbox, runbooks, silences, slos, sources, timers, walk,
    what_changed,
};
use crate::app::screen::{Item, Screen};
use crate::domain::time::Timestamp;

/// The lists of the shown screen.
pub fn panes(model: &Model, now: Timestamp) -> Vec<Vec<Item>> {
    lists(model, now, |model| alerts::ids(model).into_iter().map(Item::Alert).collect())
}

fn lists(model: &Model, now: Timestamp, alerts: impl FnOnce(&Model) -> Vec<Item>) -> Vec<Vec<Item>> {
    match model.nav.screen() {
        Screen::Overview => vec![
            slos::ids(model).into_iter().map(Item::Slo).collect(),
            alerts(model),
            incidents::ids(model).into_iter().map(Item::Incident).chain(backend::ids(model)).collect(),
            timers::live(model, now).into_iter().map(|t| Item::Timer(t.incident, t.id)).collect(),
        ],
        Screen::Slos => vec![slos::ids(model).into_iter().map(Item::Slo).collect()],
        Screen::Alerts => vec![
            alerts(model),
            silences::all(model, now).into_iter().map(|(at, s)| Item::Silence(at.clone(), s.id.clone())).collect(),
        ],
        Screen::Incident(id) => vec![entries::shown(model, id).map(|all| all.items().collect()).unwrap_or_default()],
        Screen::Board(id) => board::panes(model, id),
        Screen::HandOff(_) => vec![Vec::new()],
        Screen::Timers => vec![timers::live(model, now).into_iter().map(|t| Item::Timer(t.incident, t.id)).collect()],
        Screen::Changes => vec![changes::items(model, now)],
        Screen::WhatChanged(_) => vec![what_changed::items(model, now)],
        Screen::Runbooks => vec![runbooks::ids(model).into_iter().map(Item::Runbook).collect()],
        Screen::Walk(incident, runbook) => vec![walk::items(model, incident.as_ref(), runbook)],
        Screen::Postmortem(id) => {
            let sections =
                model.desk.drafts.get(id).map_or(0, |d| crate::domain::postmortem::draft::outline(&d.text).len());
            vec![(0..sections).map(Item::Section).collect()]
        }
        Screen::Sources => vec![sources::names(model).into_iter().map(Item::Source).collect()],
        Screen::Outbox => vec![outbox::ids(model).into_iter().map(Item::Operation).collect()],
        Screen::Messages => vec![(0..model.messages.len()).map(Item::Row).collect()],
        Screen::FirstRun => vec![(0..4).map(Item::Row).collect()],
        Screen::Slo(_) => vec![Vec::new()],
    }
}

/// What is selected: what was chosen, if it is still there; else the first row, on screens where one is always selected.
pub fn selected(model: &Model, now: Timestamp) -> Option<Item> {
    let cursor = model.nav.spot().cursor;
    if let Screen::Incident(id) = model.nav.screen() {
        // A timeline may be long: only the chosen entry and the last one are looked at.
        let entries = entries::shown(model, id)?;
        return match cursor {
            Some(Item::Event(key)) if entries.position(&key).is_some() => Some(Item::Event(key)),
            _ => entries.item(entries.len().checked_sub(1)?),
        };
    }
    // Of thousands of alerts only the first and the chosen one matter here.
    let few = |model: &Model| {
        let chosen =
            cursor.iter().filter(|item| matches!(item, Item::Alert(fp) if alerts::is_shown(model, fp))).cloned();
        alerts::first(model).map(Item::Alert).into_iter().chain(chosen).collect()
    };
    let all: Vec<Item> = lists(model, now, few).into_iter().flatten().collect();
    let chosen = cursor.clone().filter(|c| all.contains(c));
    match model.nav.screen() {
        Screen::Messages => chosen.or_else(|| all.last().cloned()),
        _ => chosen.or_else(|| all.first().cloned()),
    }
}

/// The row of the selection in a pane.
pub fn row(selected: Option<&Item>, pane: &[Item]) -> Option<usize> {
    selected.and_then(|s| pane.iter().position(|i| i == s))
}

//! Links of a screen, and what `y` copies there.

use crate::app::model::Model;
use crate::app::present::{board, items, lines, what_changed};
use crate::app::screen::{Item, Screen};
use crate::domain::alert::Alert;
use crate::domain::incident::link;
use crate::domain::incident::sent;
use crate::domain::incident::state::Incident;
use crate::domain::time::Timestamp;
use std::collections::BTreeMap;

/// Links that an alert carries.
fn of_alert(alert: &Alert) -> Vec<String> {
    let urls = alert.annotations.0.values().filter(|v| v.starts_with("http://") || v.starts_with("https://"));
    urls.cloned().chain(alert.generator_url.clone()).collect()
}

/// Links of an incident: its rooms, the team's pages at its time, tickets and notices, its alerts, runbook and draft.
pub fn of_incident(model: &Model, incident: &Incident) -> Vec<String> {
    let mut links: Vec<String> = incident.rooms.values().filter_map(|r| r.room.as_ref()?.url.clone()).collect();
    if let Some(settings) = &model.reload.settings {
        links.extend(link::links(&settings.config.links, incident));
    }
    links.extend(sent::pages(incident).map(str::to_owned));
    links.extend(incident.alerts.keys().filter_map(|fp| model.alerts.get(fp)).flat_map(of_alert));
    links.extend(incident.pages.iter().filter_map(|linked| linked.link.url.clone()));
    if let Some(book) = incident.runbook.as_ref().and_then(|id| model.runbook(id)) {
        links.extend(book.links.iter().chain(book.steps.iter().flat_map(|s| &s.links)).map(|l| l.url.clone()));
    }
    links.extend(model.desk.drafts.get(&incident.id).and_then(|d| d.written.clone()).map(|(_, path)| path));
    let mut seen = std::collections::HashSet::new();
    links.retain(|l| seen.insert(l.clone()));
    links
}

/// How the team calls its pages of an incident, by address.
pub fn titles(model: &Model, incident: &Incident) -> BTreeMap<String, String> {
    let templates = model.reload.settings.iter().flat_map(|settings| &settings.config.links);
    let named = templates.filter(|link| !link.title.is_empty() && link.is_for(incident.service.as_deref()));
    named.map(|link| (link.at(incident), link.title.clone())).collect()
}

/// Links of the shown screen.
pub fn links(model: &Model, now: Timestamp) -> Vec<String> {
    match model.nav.screen() {
        Screen::WhatChanged(_) => what_changed::links(model, now),
        Screen::Incident(id)
        | Screen::Board(id)
        | Screen::HandOff(id)
        | Screen::Postmortem(id)
        | Screen::Walk(Some(id), _) => {
            model.desk.cases.get(id).map(|c| of_incident(model, &c.shown)).unwrap_or_default()
        }
        Screen::Walk(None, book) => {
            let steps =
                model.runbook(book).map(|b| b.steps.iter().flat_map(|s| &s.links).map(|l| l.url.clone()).collect());
            steps.unwrap_or_default()
        }
        _ => match model.nav.spot().cursor {
            Some(Item::Alert(fp)) => model.alerts.get(&fp).map(of_alert).unwrap_or_default(),
            Some(Item::Page(name, page)) => {
                let there = model.outbox.targets.get(&name).and_then(|target| target.seen(&page));
                there.into_iter().flat_map(|there| there.url.iter().chain(&there.bridge)).cloned().collect()
            }
            _ => model.open_cases().first().map(|c| of_incident(model, &c.shown)).unwrap_or_default(),
        },
    }
}

/// What `y` copies: the PromQL on an objective, the draft on a postmortem, the selected entry, row or id elsewhere.
pub fn copyable(model: &Model, now: Timestamp) -> Option<String> {
    match model.nav.screen() {
        Screen::Slo(id) => return model.fleet.objective(id).map(|o| o.written.clone()),
        Screen::HandOff(id) => return Some(board::handoff_lines(model, now, id).join("\n")),
        Screen::Postmortem(id) => return model.desk.drafts.get(id).map(|d| d.text.clone()),
        _ => {}
    }
    match items::selected(model, now)? {
        Item::Slo(id) => Some(lines::slo(model, now, &id)),
        Item::Alert(fp) => model.alerts.get(&fp).map(|a| format!("{} {} {}", a.name, a.state.word(), a.service())),
        Item::Incident(id) => model.desk.cases.get(&id).map(|c| format!("{id} {}", c.shown.title)),
        Item::Timer(incident, timer) => Some(format!("{incident} {timer}")),
        Item::Task(_) | Item::Tick(..) | Item::Decision(_) | Item::Hypothesis(_) => {
            board::words(model, now, &items::selected(model, now)?)
        }
        Item::Event(key) => {
            let (case, event) = model.desk.cases.values().find_map(|c| Some((c, c.tail.find(&key)?)))?;
            Some(crate::domain::incident::timeline::tell(event, Some(&case.shown)))
        }
        Item::Page(name, page) => {
            let there = model.outbox.targets.get(&name)?.seen(&page)?;
            there.url.clone().or_else(|| Some(format!("{name} {page}")))
        }
        Item::Runbook(id) => model.runbook(&id).map(|b| b.path.clone()),
        Item::Silence(_, id) => Some(id),
        Item::Recent(..) => {
            let change = what_changed::selected(model, now)?;
            change.url.or(Some(change.text))
        }
        Item::Source(name) => model.links.get(&name).map(|l| l.address.clone()),
        _ => None,
    }
}

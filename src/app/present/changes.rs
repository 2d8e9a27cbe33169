//! Changes in force, for the screen: what commands changed in open incidents, the last one first, with how each is taken
//! back and whether it helped; before them, the second persons who are waited for.

use crate::app::model::Model;
use crate::app::present::view::{ChangeRow, ChangesPage, Pane, Sign};
use crate::app::present::{items, replay};
use crate::app::screen::Item;
use crate::domain::ids::IncidentId;
use crate::domain::incident::change::{Approval, Change, ChangeState, RollbackPlan, VerifyEnd};
use crate::domain::incident::state::Incident;
use crate::domain::runbook::hold::Look;
use crate::domain::runbook::offer::rollback_words;
use crate::domain::time::{Timestamp, clock, compact, countdown};

/// The rows in the order in which they are drawn.
pub fn items(model: &Model, now: Timestamp) -> Vec<Item> {
    let mut all = Vec::new();
    for case in model.open_cases() {
        let id = &case.shown.id;
        let waiting = case.shown.approvals.iter().filter(|a| a.given.is_none() && a.is_live(now));
        all.extend(waiting.map(|a| Item::Approval(id.clone(), a.request.id.clone())));
    }
    for case in model.open_cases() {
        let id = &case.shown.id;
        let runs = |stands: bool| case.shown.changes.iter().rev().filter(move |c| c.stands() == stands);
        all.extend(runs(true).chain(runs(false)).map(|c| Item::Change(id.clone(), c.run.clone())));
    }
    all
}

fn incident<'m>(model: &'m Model, id: &IncidentId) -> Option<&'m Incident> {
    model.desk.cases.get(id).map(|c| &c.shown)
}

/// How many changes of an incident may be in force.
pub fn count(model: &Model, id: &IncidentId) -> usize {
    incident(model, id).map_or(0, |i| i.in_force().count())
}

/// The screen.
pub fn page(model: &Model, now: Timestamp) -> ChangesPage {
    let all = items(model, now);
    let selected = items::selected(model, now);
    let rows: Vec<ChangeRow> = all.iter().filter_map(|item| row(model, now, item)).collect();
    let standing: usize = model.open_cases().iter().map(|c| c.shown.in_force().count()).sum();
    let detail = selected.as_ref().map(|item| detail(model, now, item)).unwrap_or_default();
    ChangesPage {
        changes: Pane {
            title: format!("CHANGES IN FORCE {standing}"),
            note: if standing > 0 { "last one first; Enter takes the selected one back".into() } else { String::new() },
            cursor: items::row(selected.as_ref(), &all),
            rows,
            empty: "no command has changed anything in an open incident".into(),
        },
        detail,
    }
}

fn row(model: &Model, now: Timestamp, item: &Item) -> Option<ChangeRow> {
    match item {
        Item::Change(id, run) => {
            let change = incident(model, id)?.change(run)?;
            let sign = match (&change.state, &change.plan.rollback) {
                (ChangeState::RolledBack(_), _) => Sign::Ok,
                (ChangeState::Unknown | ChangeState::Failed(_), _) => Sign::Page,
                (ChangeState::InForce, RollbackPlan::Command(_)) => Sign::Ticket,
                (ChangeState::InForce, _) => Sign::Page,
            };
            Some(ChangeRow {
                sign,
                state: state(model, change, id),
                action: change.plan.action.clone(),
                incident: id.to_string(),
                by: format!("{} {}", clock(change.at), change.actor),
                verify: helped(model, now, id, change).unwrap_or_default(),
                rollback: match &change.plan.rollback {
                    RollbackPlan::Command(_) => "rollback known".into(),
                    RollbackPlan::None(_) => "no rollback".into(),
                    _ => "ROLLBACK UNKNOWN".into(),
                },
            })
        }
        Item::Approval(id, request) => {
            let approval = incident(model, id)?.approvals.iter().find(|a| a.request.id == *request)?;
            Some(ChangeRow {
                sign: Sign::Countdown,
                state: format!("approve {}", countdown(approval.until() - now)),
                action: approval.request.command.clone(),
                incident: id.to_string(),
                by: format!("{} asks", approval.by.0),
                verify: String::new(),
                rollback: format!("code {}", approval.request.code),
            })
        }
        _ => None,
    }
}

/// Whether a change is in force; one whose command runs here says so.
fn state(model: &Model, change: &Change, id: &IncidentId) -> String {
    let runs = model.exec.running.iter().any(|r| r.run.name == change.run && r.run.offer.incident == *id);
    let ran = || model.desk.cases.get(id)?.shown.commands.iter().find(|run| run.start.run == change.run);
    let runs = runs || ran().is_some_and(|run| replay::runs(model, run));
    match &change.state {
        ChangeState::Unknown if runs => "running".into(),
        ChangeState::Failed(_) => "failed, may be in force".into(),
        _ => change.word(),
    }
}

/// Whether it helped, with the countdown of the hold.
pub fn helped(model: &Model, now: Timestamp, id: &IncidentId, change: &Change) -> Option<String> {
    let verify = change.verify.as_ref()?;
    let what = &verify.plan.what;
    match &verify.end {
        Some(VerifyEnd::Held(since)) => return Some(format!("held since {}: {what}", clock(*since))),
        Some(VerifyEnd::Failed(why)) => return Some(format!("did not hold: {why}")),
        None if !change.stands() => return None,
        None => {}
    }
    let watch = model.exec.watches.get(&(id.clone(), change.run.clone()))?;
    let ends = countdown(watch.hold.fails_at() - now);
    let seen = match &watch.hold.last {
        Some((_, Look::Holds(seen))) => seen.clone(),
        Some((_, Look::Fails(seen))) => format!("{seen}, not yet"),
        Some((_, Look::NoData(why))) => format!("NO DATA: {why}"),
        None => "first look".into(),
    };
    Some(match watch.hold.left(now) {
        Some(left) => format!("{what}: {seen}; holds, {} to go ({ends} left)", countdown(left)),
        None => format!("{what}: {seen} ({ends} left)"),
    })
}

fn detail(model: &Model, now: Timestamp, item: &Item) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let mut add = |label: &str, text: String| out.push((label.to_owned(), text));
    match item {
        Item::Change(id, run) => {
            let Some(change) = incident(model, id).and_then(|i| i.change(run)) else { return out };
            add("change", change.plan.action.clone());
            add("state", state(model, change, id));
            add("incident", id.to_string());
            add("step", change.place.name.clone());
            add("ran", change.command.clone());
            add("by", format!("{} at {}, {} ago", change.actor, clock(change.at), compact(now - change.at)));
            add("rollback", rollback_words(&change.plan.rollback, false));
            change.tried.iter().for_each(|how| add("last try", how.clone()));
            helped(model, now, id, change).into_iter().for_each(|text| add("verify", text));
            if let ChangeState::RolledBack(by) = &change.state {
                add("taken back", format!("by run {by}"));
            }
        }
        Item::Approval(id, request) => {
            let approvals = incident(model, id).map(|i| i.approvals.as_slice()).unwrap_or_default();
            let Some(approval) = approvals.iter().find(|a| a.request.id == *request) else { return out };
            out.extend(asked(approval, id, now));
        }
        _ => {}
    }
    out
}

fn asked(approval: &Approval, id: &IncidentId, now: Timestamp) -> Vec<(String, String)> {
    [
        ("runs", approval.request.command.clone()),
        ("where", approval.request.target.clone()),
        ("incident", id.to_string()),
        ("asked by", format!("{} at {}", approval.by.0, clock(approval.at))),
        ("denied", format!("by itself in {}", compact(approval.until() - now))),
        ("then", "Enter: another person types the code; who asked can only name a witness, unverified".into()),
    ]
    .into_iter()
    .map(|(label, text)| (label.to_owned(), text))
    .collect()
}

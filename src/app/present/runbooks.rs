//! The library of runbooks for the screen.

use crate::app::model::Model;
use crate::app::present::items;
use crate::app::present::view::{Bit, Pane, RunbookRow, RunbooksPage, Sign, Tone};
use crate::app::screen::Item;
use crate::domain::document::Level;
use crate::domain::ids::RunbookId;
use crate::domain::runbook::coverage::GOAL;
use crate::domain::runbook::model::Runbook;
use crate::domain::runbook::search::search;
use crate::domain::time::Timestamp;
use std::sync::Arc;

fn shown(model: &Model) -> Vec<&Arc<Runbook>> {
    search(&model.library, &model.nav.spot().filter)
}

/// The runbooks that are shown, in order.
pub fn ids(model: &Model) -> Vec<RunbookId> {
    shown(model).into_iter().map(|b| b.id.clone()).collect()
}

/// The runbooks screen.
pub fn page(model: &Model, now: Timestamp) -> RunbooksPage {
    let books = shown(model);
    let selected = items::selected(model, now);
    let cursor = books.iter().position(|b| selected == Some(Item::Runbook(b.id.clone())));
    let findings = cursor.and_then(|n| books.get(n)).map(|b| findings(model, b)).unwrap_or_default();
    let rows = books.iter().map(|b| row(model, b)).collect();
    let errors = model.runbook_findings().filter(|f| f.level == Level::Error).count();
    let note = match (errors, coverage(model)) {
        (0, covered) => covered,
        (_, covered) if covered.is_empty() => format!("{errors} error(s): midwatch runbook lint"),
        (_, covered) => format!("{errors} error(s): midwatch runbook lint   {covered}"),
    };
    RunbooksPage {
        runbooks: Pane {
            title: format!("RUNBOOKS {}", model.library.len()),
            note,
            rows,
            cursor,
            empty: "no runbooks: name files or folders under `runbooks:` in the configuration".into(),
        },
        findings,
    }
}

/// What is covered, in one line; empty until a server has told its rules.
fn coverage(model: &Model) -> String {
    let Some((found, whole)) = &model.rules.coverage else {
        return model.rules.faults.values().next().map(|why| format!("coverage unknown: {why}")).unwrap_or_default();
    };
    let partial = if *whole { "" } else { ", partial" };
    match found.percent() {
        None => format!("no alerting rule{partial}"),
        Some(percent) => {
            let (have, all) = (found.covered.len(), found.alerts());
            let goal = if found.reached() { String::new() } else { format!(", goal {GOAL:.0} %") };
            format!("{have} of {all} alerts have a runbook: {percent:.0} %{goal}{partial}")
        }
    }
}

fn row(model: &Model, book: &Runbook) -> RunbookRow {
    let worst = model.runbook_findings().filter(|f| f.path == book.path).map(|f| f.level).max();
    let walked = model.open_cases().into_iter().find(|c| c.shown.walks.contains_key(&book.id));
    RunbookRow {
        sign: match worst {
            Some(Level::Error) => Sign::Page,
            Some(Level::Warning) => Sign::Ticket,
            _ => Sign::Ok,
        },
        id: book.id.0.clone(),
        name: book.name.clone(),
        steps: format!("{} steps", book.steps.len()),
        triggers: book.triggers.iter().map(|t| t.alert.clone()).collect::<Vec<_>>().join(" "),
        incident: walked.map(|c| c.shown.id.0.clone()).unwrap_or_default(),
    }
}

fn findings(model: &Model, book: &Runbook) -> Vec<Bit> {
    let tone = |level| match level {
        Level::Error => Tone::Crit,
        Level::Warning => Tone::Warn,
        Level::Info => Tone::Muted,
    };
    let ours = model.runbook_findings().filter(|f| f.path == book.path);
    ours.map(|f| Bit::new(format!("{}:{} {} [{}]", f.line, f.column, f.message, f.rule), tone(f.level))).collect()
}

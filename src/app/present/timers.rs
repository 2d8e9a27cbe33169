//! Timers for the screen: every open incident's, nearest first.

use crate::app::model::Model;
use crate::app::present::view::{Pane, Sign, TimerRow, TimersPage};
use crate::app::present::{backend, items, silences, slos};
use crate::app::screen::Item;
use crate::domain::escalation::timer::{Timer, TimerKind, TimerState};
use crate::domain::escalation::timers::timers;
use crate::domain::ids::SloId;
use crate::domain::time::{Timestamp, clock, compact, countdown, rfc3339, secs};

/// All timers of all incidents that have any, nearest first.
pub fn all(model: &Model, now: Timestamp) -> Vec<Timer> {
    let mut out: Vec<Timer> = model
        .desk
        .cases
        .values()
        .filter(|c| c.shown.is_open() || c.shown.times.resolved.is_some_and(|at| now - at < chrono::TimeDelta::days(3)))
        .flat_map(|c| of(model, &c.shown, now))
        .collect();
    out.extend(backend::loose_timers(model, now));
    out.sort_by(|a, b| a.due_at.cmp(&b.due_at).then_with(|| a.id.cmp(&b.id)));
    out
}

/// The timers of one incident.
pub fn of(model: &Model, incident: &crate::domain::incident::state::Incident, now: Timestamp) -> Vec<Timer> {
    let runbook = incident.runbook.clone().or_else(|| {
        incident
            .alerts
            .values()
            .flat_map(|a| {
                crate::domain::runbook::matching::matches(&model.library, &a.name, &a.labels, &Default::default())
            })
            .max_by_key(|m| m.score)
            .map(|m| m.runbook)
    });
    let runbook = runbook.and_then(|id| model.runbook(&id).cloned());
    let exhaustion: Vec<(SloId, Timestamp)> = incident
        .objectives
        .iter()
        .filter_map(|id| {
            let objective = model.fleet.objective(id)?;
            let at = slos::status(model, now, objective).forecast.exhausts_at?;
            // Rounded to the minute: a forecast that moves by seconds is one timer, not many.
            let minute = at.timestamp().div_euclid(60) * 60;
            chrono::DateTime::from_timestamp(minute, 0).map(|at| (id.clone(), at))
        })
        .collect();
    let mut all = timers(incident, &model.setup.severities, runbook.as_deref(), &exhaustion, now);
    all.extend(backend::timers(model, incident, now));
    all.sort_by(|a, b| a.due_at.cmp(&b.due_at).then_with(|| a.id.cmp(&b.id)));
    all
}

/// Timers that run, are put off or are due.
pub fn live(model: &Model, now: Timestamp) -> Vec<Timer> {
    all(model, now).into_iter().filter(|t| t.state.is_live()).collect()
}

/// A row.
pub fn row(timer: &Timer, now: Timestamp) -> TimerRow {
    let left = timer.due_at - now;
    let clock = match timer.state {
        TimerState::Due => format!("DUE {}", countdown(left)),
        TimerState::Running if left >= secs(0) => countdown(left),
        TimerState::Running => format!("DUE {}", countdown(left)),
        TimerState::Snoozed => format!("put off {}", countdown(left)),
        TimerState::Done => "done".into(),
        TimerState::Cancelled => "not needed".into(),
    };
    TimerRow {
        sign: if timer.state == TimerState::Due { Sign::Page } else { Sign::Countdown },
        clock,
        label: timer.label.clone(),
        incident: timer.incident.0.clone(),
        then: timer.then.clone(),
        due: timer.state == TimerState::Due,
    }
}

/// The list.
pub fn pane(model: &Model, now: Timestamp) -> Pane<TimerRow> {
    let live = live(model, now);
    let selected = items::selected(model, now);
    let cursor = live.iter().position(|t| selected == Some(Item::Timer(t.incident.clone(), t.id.clone())));
    let due = live.iter().filter(|t| t.state == TimerState::Due).count();
    Pane {
        title: if due > 0 { format!("TIMERS {due} DUE") } else { "TIMERS".into() },
        note: if due > 0 { "T answers".into() } else { String::new() },
        rows: live.iter().map(|t| row(t, now)).chain(silences::timers(model, now)).collect(),
        cursor,
        empty: "none runs".into(),
    }
}

/// The timers screen.
pub fn page(model: &Model, now: Timestamp) -> TimersPage {
    let mut detail = Vec::new();
    if let Some(Item::Timer(incident, id)) = items::selected(model, now)
        && let Some(timer) = all(model, now).into_iter().find(|t| t.incident == incident && t.id == id)
    {
        detail.push(("timer".to_owned(), timer.label.clone()));
        detail.push(("incident".into(), timer.incident.0.clone()));
        detail.push(("due".into(), format!("{} ({})", rfc3339(timer.due_at), clock(timer.due_at))));
        detail.push(("then".into(), timer.then.clone()));
        if let Some(contact) = &timer.contact {
            let reach = model.reach(contact).unwrap_or("nobody wrote down how (`contacts:` in the configuration)");
            detail.push(("reach".into(), format!("{contact}: {reach}")));
        }
        detail.push(("kind".into(), timer.kind.word().into()));
        let mark = model.desk.cases.get(&incident).and_then(|c| c.shown.timers.get(&id)).cloned().unwrap_or_default();
        if let Some(at) = mark.due {
            detail.push(("was due".into(), format!("{} ago", compact(now - at))));
        }
        let owner = match timer.kind {
            TimerKind::Backend => "the paging product: it acts whether a cockpit runs or not",
            _ => "local: it runs on this host and needs a running cockpit to ring",
        };
        detail.push(("owner".into(), owner.into()));
    }
    TimersPage { timers: pane(model, now), detail }
}

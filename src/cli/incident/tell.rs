//! What is recorded, told: lists, one incident, its timeline, its deadlines. Reads only.

use crate::app::present::report;
use crate::app::present::slos::percent;
use crate::cli::context::Context;
use crate::cli::desk::{Desk, Recorded};
use crate::cli::failure::{Exit, Failure};
use crate::cli::library::Library;
use crate::cli::output::{Output, Table};
use crate::config::Config;
use crate::domain::escalation::timer::{Timer, TimerState};
use crate::domain::incident::event::Role;
use crate::domain::incident::state::Incident;
use crate::domain::postmortem::entry::entries;
use crate::domain::time::{Timestamp, compact};
use serde_json::{Value, json};

/// One row per incident, newest first; `{"incidents": […]}`, without their timelines.
pub fn list(context: &Context, config: &Config, all: bool, output: &mut Output) -> Result<Exit, Failure> {
    let mut desk = Desk::to_read(context, config)?;
    let mut heads = desk.heads()?;
    heads.retain(|incident| all || incident.is_open());
    if output.is_json() {
        let library = Library::load(context);
        let rows: Vec<Value> = heads.iter().map(|i| report::incident(i, &[], &desk.timers(i, &library))).collect();
        output.json(&json!({"incidents": rows}))?;
        return Ok(Exit::DONE);
    }
    let mut table = Table::new(&["ID", "SEVERITY", "STATUS", "SERVICE", "COMMANDER", "DECLARED", "TITLE"]);
    for i in &heads {
        let commander = i.roles.get(&Role::Commander).map_or("-", String::as_str);
        let service = i.service.as_deref().unwrap_or("-");
        let declared = instant(i.times.declared);
        table.row([i.id.as_str(), &i.severity.0, i.status.word(), service, commander, &declared, &i.title]);
    }
    match heads.is_empty() {
        true => output.note(if all { "no incident is recorded" } else { "no incident is open" }),
        false => output.table(&table)?,
    }
    Ok(Exit::DONE)
}

/// Everything known about one incident.
pub fn show(context: &Context, config: &Config, typed: &str, output: &mut Output) -> Result<Exit, Failure> {
    let mut desk = Desk::to_read(context, config)?;
    let Recorded { state, events } = desk.find(typed)?;
    let timers = desk.timers(&state, &Library::load(context));
    if output.is_json() {
        output.json(&report::incident(&state, &events, &timers))?;
        return Ok(Exit::DONE);
    }
    output.line(&format!("{}  {}  {}  {}", state.id, state.severity, state.status.word(), state.title))?;
    for (name, value) in facts(&state) {
        output.line(&format!("{name:<13} {value}"))?;
    }
    for timer in timers.iter().filter(|t| t.state.is_live()) {
        output.line(&format!("{:<13} {}", "timer", due(timer, desk.now)))?;
    }
    output.line("")?;
    for entry in entries(&state, &events) {
        output.line(&format!("{}  {}: {}", entry.when, entry.head(), entry.text))?;
    }
    Ok(Exit::DONE)
}

fn facts(i: &Incident) -> Vec<(&'static str, String)> {
    let mut out = vec![("service", i.service.clone().unwrap_or_else(|| "-".to_owned()))];
    out.push(("declared", format!("{} by {}", instant(i.times.declared), i.declared_by)));
    let times = [
        ("detected", i.times.detected),
        ("acknowledged", i.times.acknowledged),
        ("mitigated", i.times.mitigated),
        ("resolved", i.times.resolved),
    ];
    out.extend(times.into_iter().filter_map(|(name, at)| Some((name, instant(at?)))));
    out.extend(i.roles.iter().map(|(role, person)| (role.word(), person.clone())));
    out.extend(i.alerts.iter().map(|(print, a)| ("alert", format!("{} {} ({print})", a.name, a.state))));
    out.extend(i.objectives.iter().map(|o| ("objective", o.0.clone())));
    out.extend(i.walks.iter().map(|(id, w)| ("runbook", format!("{id}, {} of {} steps ended", w.ended(), w.total))));
    let share = |x: Option<f64>| x.map_or_else(|| "unknown".to_owned(), percent);
    let burned = |b: &crate::domain::incident::event::BudgetSample| {
        let of = b.basis.as_ref().map(|of| format!(" ({of})")).unwrap_or_default();
        format!("{}: {} of its budget, net {}{of}", b.slo, share(b.gross), share(b.net))
    };
    out.extend(i.budget.values().map(|b| ("burned", burned(b))));
    let action = |a: &crate::domain::incident::state::ActionItem| {
        let owner = a.owner.as_deref().unwrap_or("nobody");
        format!("{} (owner {owner}, due {})", a.text, a.due.as_deref().unwrap_or("unknown"))
    };
    out.extend(i.actions.iter().map(|a| ("action item", action(a))));
    out
}

/// What is due when, of one incident or of all open ones; `{"timers": […]}` also holds those that are over.
pub fn timers(context: &Context, config: &Config, typed: Option<&str>, output: &mut Output) -> Result<Exit, Failure> {
    let mut desk = Desk::to_read(context, config)?;
    let incidents = match typed {
        Some(typed) => vec![desk.find(typed)?.state],
        None => desk.heads()?.into_iter().filter(Incident::is_open).collect(),
    };
    let library = Library::load(context);
    let mut all: Vec<Timer> = incidents.iter().flat_map(|i| desk.timers(i, &library)).collect();
    all.sort_by(|a, b| a.due_at.cmp(&b.due_at).then_with(|| a.id.cmp(&b.id)));
    if output.is_json() {
        let rows: Vec<Value> = all.iter().map(report::timer).collect();
        output.json(&json!({"timers": rows}))?;
        return Ok(Exit::DONE);
    }
    all.retain(|t| t.state.is_live());
    let mut table = Table::new(&["DUE", ">IN", "STATE", "INCIDENT", "TIMER"]);
    for timer in &all {
        let left = match timer.state {
            TimerState::Due => format!("{} ago", compact(desk.now - timer.due_at)),
            _ => compact(timer.due_at - desk.now),
        };
        let when = instant(timer.due_at);
        table.row([when.as_str(), &left, timer.state.word(), timer.incident.as_str(), &timer.label]);
    }
    match all.is_empty() {
        true => output.note("nothing is due"),
        false => output.table(&table)?,
    }
    Ok(Exit::DONE)
}

fn due(timer: &Timer, now: Timestamp) -> String {
    match timer.state {
        TimerState::Due => format!("{} was DUE {} ago", timer.label, compact(now - timer.due_at)),
        _ => format!("{} in {}", timer.label, compact(timer.due_at - now)),
    }
}

/// `2026-05-01 03:12:04Z`.
fn instant(at: Timestamp) -> String {
    at.format("%Y-%m-%d %H:%M:%SZ").to_string()
}

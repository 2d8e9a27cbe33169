//! `midwatch slo`: objectives with budgets and burn rates.

pub mod convert;
mod report;

use crate::app::present::budget;
use crate::app::present::charts;
use crate::app::present::report as json_of;
use crate::app::present::slos::{burn_text, own_findings, percent, ranked, status};
use crate::app::screen::Screen;
use crate::cli::args::SloArgs;
use crate::cli::args::SloCommand;
use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::cli::look::{Look, look, look_at, look_back};
use crate::cli::output::{Output, Table};
use crate::domain::document::nearest;
use crate::domain::ids::SloId;
use crate::domain::slo::objective::Objective;
use crate::domain::slo::reading::Window;
use crate::domain::slo::status::{PairState, Status};
use crate::domain::time::{compact, prometheus, rfc3339};
use serde_json::{Value, json};

/// `list` prints one row per objective, `show` one objective with alert state, policy band and forecast. JSON: the document
/// `{"as_of", "partial", "faults", "slos": […]}` with the promised names. Exit 3 with what could be had when a source failed,
/// 1 when a file with objectives has errors.
pub fn run(context: &Context, args: &SloArgs, output: &mut Output) -> Result<Exit, Failure> {
    if let SloCommand::Convert(it) = &args.what {
        return convert::run(context, it, output);
    }
    context.ready(output)?;
    // A review tells of incidents and policy bands: those are in the record.
    let look = match &args.what {
        SloCommand::Show { name } => look_at(context, Screen::Slo(SloId(name.clone())))?,
        SloCommand::Report(args) => look_back(context, report::past(context, args)?)?,
        _ => look(context, false)?,
    };
    output.notes(&look.findings);
    match &args.what {
        SloCommand::List => list(&look, output)?,
        SloCommand::Show { name } => show(&look, name, output)?,
        SloCommand::Report(args) => report::run(context, &look, args, output)?,
        SloCommand::Convert(_) => {}
    }
    faults(&look, output);
    Ok(match (look.is_partial(), look.is_broken()) {
        (true, _) => Exit::PARTIAL,
        (false, true) => Exit::NO,
        (false, false) => Exit::DONE,
    })
}

/// What failed, beside the results; JSON holds it already.
pub fn faults(look: &Look, output: &mut Output) {
    if output.is_json() {
        return;
    }
    for fault in json_of::faults(&look.model).into_iter().chain(json_of::unanswered(&look.model)) {
        let message = fault.get("message").and_then(Value::as_str).unwrap_or_default();
        output.note(&format!("partial: {message}"));
    }
}

fn list(look: &Look, output: &mut Output) -> Result<(), Failure> {
    if output.is_json() {
        return output.json(&look.sign(json_of::slos(&look.model, look.now)));
    }
    let mut table =
        Table::new(&["SLO", "SERVICE", "STATE", ">TARGET", "WINDOW", ">LEFT", ">BURN 1H", ">BURN 6H", "ALERTS"]);
    for (objective, status) in ranked(&look.model, look.now) {
        table.row(row(&objective, &status));
    }
    match table.is_empty() {
        true => output.note("no objectives: name SLO files under `slos:` in the configuration"),
        false => output.table(&table)?,
    }
    Ok(())
}

fn row(objective: &Objective, s: &Status) -> [String; 9] {
    let burn = |window| burn_text(s.burn_rates.get(&window).copied().flatten());
    let sure = if s.approximate { "~" } else { "" };
    [
        objective.id.0.clone(),
        objective.service.clone(),
        s.state.word().to_owned(),
        target(objective),
        prometheus(objective.window),
        s.budget.remaining.map_or_else(|| "unknown".to_owned(), |left| format!("{sure}{}", percent(left))),
        burn(Window::H1),
        burn(Window::H6),
        firing(s),
    ]
}

fn target(objective: &Objective) -> String {
    let digits = format!("{:.6}", objective.target * 100.0);
    format!("{}%", digits.trim_end_matches('0').trim_end_matches('.'))
}

fn firing(s: &Status) -> String {
    let firing: Vec<String> = s
        .alerts
        .iter()
        .filter(|p| p.firing == Some(true))
        .map(|p| format!("{} {}/{} > {}", p.severity, p.long, p.short, factor(p)))
        .collect();
    if firing.is_empty() { "-".to_owned() } else { firing.join(", ") }
}

/// Factors are made of shares of a budget: three digits tell all that there is to them.
fn factor(p: &PairState) -> f64 {
    (p.factor * 1_000.0).round() / 1_000.0
}

fn show(look: &Look, name: &str, output: &mut Output) -> Result<(), Failure> {
    let objectives = &look.model.fleet.objectives;
    let Some(objective) = objectives.iter().find(|o| o.id.as_str() == name) else {
        let near = nearest(name, objectives.iter().map(|o| o.id.as_str()));
        let hint = near.map_or_else(|| "`midwatch slo list` shows them".to_owned(), |n| format!("nearest: `{n}`"));
        return Err(Failure::Refused(format!("there is no objective `{name}` ({hint})")));
    };
    let s = status(&look.model, look.now, objective);
    if output.is_json() {
        let mut document = look.sign(json_of::slos(&look.model, look.now));
        if let Some(map) = document.as_object_mut() {
            let mut one = json_of::slo(&look.model, look.now, objective, &s);
            if let Some(fields) = one.as_object_mut() {
                fields.insert("findings".to_owned(), json!(own_findings(&look.model, objective)));
                fields.insert("marks".to_owned(), json_of::marks(&look.model, objective));
            }
            map.insert("slos".to_owned(), json!([one]));
        }
        return output.json(&document);
    }
    for (name, value) in facts(objective, &s) {
        output.line(&format!("{name:<12} {value}"))?;
    }
    // What stands under BUDGET and FORECAST on the screen; the first line and the clock are said above.
    let lines = budget::lines(&look.model, &s, look.now, objective);
    for line in lines.iter().filter(|l| !l.text.starts_with("now ")).skip(1) {
        output.line(&format!("{:<12} {}", "", line.text))?;
    }
    let signals = budget::signals(&look.model, look.now, &objective.service);
    if !signals.is_empty() {
        let words: Vec<&str> = signals.iter().map(|b| b.text.as_str()).collect();
        output.line(&format!("{:<12} {}", "signals", words.join("   ")))?;
    }
    for mark in charts::changes(&look.model, objective) {
        output.line(&format!("{:<12} {} {}", mark.name, rfc3339(mark.at), mark.text))?;
    }
    for finding in own_findings(&look.model, objective) {
        output.line(&format!("{:<12} {} [{}]", finding.level.word(), finding.message, finding.rule))?;
    }
    Ok(())
}

/// What makes a pair doubtful, and how fast it would be.
fn fine_print(p: &PairState) -> String {
    let after = match (p.can_fire, p.time_to_fire) {
        (false, _) => "; cannot fire: all failing is less than that".to_owned(),
        (true, Some(after)) => format!("; a total failure fires it after {}", compact(after)),
        (true, None) => String::new(),
    };
    let few = p.low_traffic.map(|n| format!("; low traffic: 1 bad event of {n:.0} is over it")).unwrap_or_default();
    format!("{after}{few}")
}

fn facts(objective: &Objective, s: &Status) -> Vec<(String, String)> {
    let unknown = || "unknown".to_owned();
    let state = match &s.reason {
        Some(reason) => format!("{}: {reason}", s.state.word()),
        None => s.state.word().to_owned(),
    };
    let left = match (s.budget.remaining, s.budget.minutes_left) {
        (Some(share), Some(minutes)) => {
            format!("{} left, {minutes:.1} of {:.1} minutes", percent(share), s.budget.minutes_total)
        }
        (Some(share), None) => format!("{} left", percent(share)),
        (None, _) => unknown(),
    };
    let left = if s.approximate { format!("~{left} (fewer than 100 bad events)") } else { left };
    let mut out = vec![
        ("objective".to_owned(), format!("{} of {}", objective.id, objective.service)),
        ("state".into(), state),
        ("target".into(), format!("{} over {}", target(objective), prometheus(objective.window))),
        ("sli".into(), s.sli.map_or_else(unknown, |x| format!("{:.4}%", x * 100.0))),
        ("budget".into(), left),
    ];
    let covered = s.coverage.map(|c| format!(", data for {} of the window", percent(c))).unwrap_or_default();
    let read = s.read.filter(|r| *r < 1.0).map(|r| format!(", {} of it read", percent(r))).unwrap_or_default();
    out.push(("source".into(), format!("{}{covered}{read}", s.source)));
    out.extend(s.recorded.map(|r| {
        let left = r.remaining.map_or_else(unknown, percent);
        let end = if r.differs { ", which differs: it is not weighted by events" } else { "" };
        ("recorded".to_owned(), format!("{left} left by the server's rules{end}"))
    }));
    out.extend(s.burn_rates.iter().map(|(window, burn)| (format!("burn {window}"), burn_text(*burn))));
    out.extend(s.alerts.iter().map(|p| {
        let firing = match (p.held, p.firing) {
            (true, _) => "held by planned work",
            (_, Some(true)) => "firing",
            (_, Some(false)) if p.fires_at.is_some() => "pending",
            (_, Some(false)) => "quiet",
            (_, None) => "unknown",
        };
        (p.severity.clone(), format!("{} and {} over {}: {firing}{}", p.long, p.short, factor(p), fine_print(p)))
    }));
    out.push(("policy".into(), s.policy.band.as_ref().map_or("unknown", |b| &b.name).to_owned()));
    out.extend(s.policy.action.clone().map(|action| ("action".to_owned(), action)));
    let empty = match (s.forecast.exhausts_at, s.forecast.left()) {
        (Some(at), Some(left)) => format!("{} (in {})", rfc3339(at), compact(left)),
        (Some(at), None) => rfc3339(at),
        (None, _) => "not within its window at this rate".to_owned(),
    };
    // Of a budget that nobody knows it is not known when it will be gone.
    let known = !s.state.blind() && s.budget.remaining.is_some();
    out.push(("empty".into(), if known { empty } else { unknown() }));
    out
}

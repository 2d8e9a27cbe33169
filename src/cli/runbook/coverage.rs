//! `midwatch runbook coverage`: the alerting rules of every Prometheus beside the configured runbooks. Asks each server once;
//! a server that does not answer makes the answer partial, never better.

use crate::cli::failure::{Exit, Failure};
use crate::cli::library::Library;
use crate::cli::output::{Output, Table};
use crate::config::Config;
use crate::domain::alert::rule::AlertRule;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::runbook::coverage::{Coverage, GOAL, coverage};
use crate::domain::time::rfc3339;
use crate::io::clock;
use crate::io::port::Metrics;
use crate::io::prometheus::source::prometheus;
use crate::run::endpoints;
use serde_json::{Value, json};

type Answer = (String, Result<Vec<AlertRule>, Fault>);

/// Prints what is covered and what is not; JSON: `{"as_of", "partial", "faults", "alerts", "percent", "goal", "reached",
/// "covered", "uncovered", "idle", "stale"}`. Exit 3 when a server failed, else 1 under the goal with `check`.
pub fn run(config: &Config, library: &Library, check: bool, output: &mut Output) -> Result<Exit, Failure> {
    if config.prometheus.is_empty() {
        return Err(Failure::Refused(
            "no Prometheus is configured, so that nobody knows which alerts there are (name one under `prometheus:`)"
                .into(),
        ));
    }
    let (mut rules, mut faults) = (Vec::new(), Vec::new());
    for (source, answer) in ask(config)? {
        match answer {
            Ok(found) => rules.extend(found),
            Err(fault) => faults.push((source, fault)),
        }
    }
    let now = clock::now();
    let found = coverage(&library.books, &rules, faults.is_empty(), now);
    if output.is_json() {
        output.json(&document(&found, &faults, now))?;
    } else {
        tell(&found, &faults, output)?;
    }
    Ok(match (faults.is_empty(), check && !found.reached()) {
        (false, _) => Exit::PARTIAL,
        (true, true) => Exit::NO,
        (true, false) => Exit::DONE,
    })
}

/// Every server at once.
fn ask(config: &Config) -> Result<Vec<Answer>, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Refused(format!("no source could be asked: {error}")))?;
    Ok(runtime.block_on(async {
        let mut asked = Vec::new();
        for source in &config.prometheus {
            let name = source.name.clone();
            let endpoint = endpoints::prometheus(source);
            let task = tokio::spawn(async move { prometheus(name, endpoint?).rules().await });
            asked.push((source.name.0.clone(), task));
        }
        let mut answers = Vec::new();
        for (name, task) in asked {
            let ended =
                |error| Fault::new(FaultKind::Local, format!("prometheus {name}"), format!("asking ended: {error}"));
            let answer = task.await.unwrap_or_else(|error| Err(ended(error)));
            answers.push((name, answer));
        }
        answers
    }))
}

fn document(found: &Coverage, faults: &[(String, Fault)], now: crate::domain::time::Timestamp) -> Value {
    let faults: Vec<Value> = faults
        .iter()
        .map(|(source, f)| json!({"source": source, "kind": f.kind.word(), "message": f.to_string()}))
        .collect();
    let covered: Vec<Value> =
        found.covered.iter().map(|c| json!({"alert": c.alert, "runbook": c.runbook, "why": c.why})).collect();
    let uncovered: Vec<Value> = found
        .uncovered
        .iter()
        .map(|u| json!({"alert": u.alert, "group": u.group, "url": u.url, "similar": u.similar}))
        .collect();
    let stale: Vec<Value> = found
        .stale
        .iter()
        .map(|s| json!({"runbook": s.runbook, "reviewed_days_ago": s.days, "review_every_days": s.limit}))
        .collect();
    json!({
        "as_of": rfc3339(now), "partial": !faults.is_empty(), "faults": faults,
        "alerts": found.alerts(), "percent": found.percent(), "goal": GOAL, "reached": found.reached(),
        "covered": covered, "uncovered": uncovered, "idle": found.idle, "stale": stale,
    })
}

fn tell(found: &Coverage, faults: &[(String, Fault)], output: &mut Output) -> Result<(), Failure> {
    let mut table = Table::new(&["ALERT", "RUNBOOK", "WHY"]);
    for gap in &found.uncovered {
        let why = match (&gap.url, &gap.similar) {
            (Some(url), _) => format!("only a link: {url}"),
            (None, Some(similar)) => format!("nearest by name: {similar}"),
            (None, None) => format!("rule group {}", gap.group),
        };
        table.row([gap.alert.as_str(), "MISSING", &why]);
    }
    for it in &found.covered {
        table.row([it.alert.as_str(), it.runbook.as_str(), &it.why]);
    }
    if !table.is_empty() {
        output.table(&table)?;
    }
    for id in &found.idle {
        output.line(&format!("no alert asks for runbook {id}"))?;
    }
    for stale in &found.stale {
        let id = &stale.runbook;
        output.line(&match stale.days {
            Some(days) => format!("runbook {id} was reviewed {days} days ago (a review holds {} days)", stale.limit),
            None => format!("runbook {id} says nothing of a review (`reviewed:`)"),
        })?;
    }
    for (_, fault) in faults {
        output.note(&format!("{fault}; its alerts are missing here"));
    }
    output.line(&summary(found, faults.is_empty()))
}

fn summary(found: &Coverage, whole: bool) -> String {
    let partial = if whole { "" } else { ", and not every server answered" };
    match found.percent() {
        None => format!("no alerting rule is known{partial}"),
        Some(percent) => {
            let (have, all) = (found.covered.len(), found.alerts());
            let goal = if found.reached() { "reached" } else { "missed" };
            format!("{have} of {all} alerts have a runbook: {percent:.0} % (goal {GOAL:.0} %: {goal}){partial}")
        }
    }
}

//! `midwatch runbook coverage`: the alerting rules of every Prometheus beside the configured runbooks. Asks each server once;
//! a server that does not answer makes the answer partial, never better.

use crate::cli::alerting_rules::{self, AlertingRules};
use crate::cli::failure::{Exit, Failure};
use crate::cli::library::Library;
use crate::cli::output::{Output, Table};
use crate::config::Config;
use crate::domain::fault::Fault;
use crate::domain::runbook::coverage::{Coverage, GOAL, coverage};
use crate::domain::time::rfc3339;
use crate::io::clock;
use serde_json::{Value, json};

/// Prints what is covered and what is not; JSON: `{"as_of", "partial", "faults", "alerts", "percent", "goal", "reached",
/// "covered", "uncovered", "idle", "stale"}`. Exit 3 when a server failed, else 1 under the goal with `check`.
pub fn run(config: &Config, library: &Library, check: bool, output: &mut Output) -> Result<Exit, Failure> {
    if config.prometheus.is_empty() {
        return Err(Failure::Refused(
            "no Prometheus is configured, so that nobody knows which alerts there are (name one under `prometheus:`)"
                .into(),
        ));
    }
    let AlertingRules { rules, faults, .. } = AlertingRules::ask(config)?;
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

fn document(found: &Coverage, faults: &[(String, Fault)], now: crate::domain::time::Timestamp) -> Value {
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
        "as_of": rfc3339(now), "partial": !faults.is_empty(), "faults": alerting_rules::document(faults),
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

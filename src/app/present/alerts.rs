//! Alerts for the screen: severity first, with the runbook and the incident they belong to.

use crate::app::backend::of_alert;
use crate::app::model::{Case, Model};
use crate::app::present::view::{AlertRow, AlertsPage, Pane, Sign};
use crate::app::present::{items, near, passes, silences};
use crate::app::screen::Item;
use crate::domain::alert::{Alert, AlertState};
use crate::domain::ids::Fingerprint;
use crate::domain::labels::Labels;
use crate::domain::outward::backend::{BackendIncident, BackendStatus};
use crate::domain::runbook::matching::{Match, matches};
use crate::domain::time::{Timestamp, compact, rfc3339};

/// The runbooks that belong to an alert, the best first.
pub fn runbooks_for(model: &Model, name: &str, labels: &Labels, annotations: &Labels) -> Vec<Match> {
    matches(&model.library, name, labels, annotations)
}

fn shown(model: &Model) -> (Vec<&Alert>, usize) {
    let filter = model.nav.spot().filter;
    let all: Vec<&Alert> = model.alerts.all().filter(|a| stays(&filter, a)).collect();
    let hidden = model.alerts.len().saturating_sub(all.len());
    (all, hidden)
}

/// What pages is never hidden by a filter.
fn stays(filter: &str, alert: &Alert) -> bool {
    filter.is_empty() || alert.rank() == 0 || passes(filter, &[&alert.name, alert.service(), alert.severity()])
}

/// Whether an alert is among those that are shown.
pub fn is_shown(model: &Model, fingerprint: &Fingerprint) -> bool {
    let filter = model.nav.spot().filter;
    model.alerts.get(fingerprint).is_some_and(|alert| stays(&filter, alert))
}

/// The first of those that are shown.
pub fn first(model: &Model) -> Option<Fingerprint> {
    let filter = model.nav.spot().filter;
    model.alerts.all().find(|alert| stays(&filter, alert)).map(|alert| alert.fingerprint.clone())
}

/// The alerts that are shown, in order.
pub fn ids(model: &Model) -> Vec<Fingerprint> {
    shown(model).0.into_iter().map(|a| a.fingerprint.clone()).collect()
}

/// Counts of firing, pages and held ones.
pub fn counts(model: &Model) -> (usize, usize, usize) {
    let [pages, others, _, held] = model.alerts.ranks;
    (pages + others, pages, held)
}

/// The list.
pub fn pane(model: &Model, now: Timestamp) -> Pane<AlertRow> {
    let (kept, hidden) = shown(model);
    let open = model.open_cases();
    let (firing, _, held) = counts(model);
    let filter = model.nav.spot().filter;
    let selected = items::selected(model, now);
    let cursor = match &selected {
        Some(Item::Alert(fp)) => kept.iter().position(|a| a.fingerprint == *fp),
        _ => None,
    };
    let held = if held > 0 { format!(", {held} held") } else { String::new() };
    Pane {
        title: if heard(model) { format!("ALERTS {firing} firing{held}") } else { "ALERTS unknown".into() },
        note: if filter.is_empty() { "by severity".into() } else { format!("filter \"{filter}\" hides {hidden}") },
        rows: near(&kept, cursor, |a| row(model, &open, a, now), far),
        cursor,
        empty: empty(model),
    }
}

/// Every row of the list, for whoever reads it in full.
pub fn rows(model: &Model, now: Timestamp) -> Vec<AlertRow> {
    let open = model.open_cases();
    shown(model).0.into_iter().map(|alert| row(model, &open, alert, now)).collect()
}

/// What a row that no screen reaches is counted by.
fn far(alert: &&Alert) -> AlertRow {
    AlertRow { sign: sign(alert), ..AlertRow::default() }
}

/// Whether any source of alerts ever answered, or last known alerts are shown.
fn heard(model: &Model) -> bool {
    !model.alerts.is_empty()
        || model.replay.is_some()
        || model
            .links
            .values()
            .any(|l| crate::app::update::gives_alerts(l.kind) && l.good.is_some() && !l.hides_alerts())
}

/// Why there is no alert: nothing fires, or nobody could say.
fn empty(model: &Model) -> String {
    let sources: Vec<_> = model.links.values().filter(|l| crate::app::update::gives_alerts(l.kind)).collect();
    if model.replay.is_some() {
        "none of the incident's alerts fired".into()
    } else if sources.is_empty() {
        "no source of alerts is configured".into()
    } else if let Some(bad) = sources.iter().find(|l| l.fault.is_some()) {
        format!("unknown: {} does not answer", bad.name)
    } else if let Some(mute) = sources.iter().find(|l| l.hides_alerts()) {
        format!("unknown: {} does not tell its alerts", mute.name)
    } else if sources.iter().any(|l| l.good.is_none()) {
        "waiting for the first answer".into()
    } else {
        "nothing fires".into()
    }
}

/// Who has it at a paging product, when nobody has it here.
fn paged(model: &Model, alert: &Alert) -> Option<String> {
    let found = of_alert(model, alert);
    // One page that nobody has is enough to be unacknowledged.
    let acknowledged = |there: &BackendIncident| there.status == BackendStatus::Acknowledged;
    let all = !found.is_empty() && found.iter().all(|(_, there, _)| acknowledged(there));
    let who = found.first().and_then(|(_, there, _)| Some(there.acknowledged_by.last()?.0.name.clone()));
    all.then(|| format!("ack {}", who.unwrap_or_else(|| "there".into())))
}

fn sign(alert: &Alert) -> Sign {
    match (alert.state, alert.pages()) {
        (AlertState::Firing, true) => Sign::Page,
        (AlertState::Firing, false) => Sign::Ticket,
        (AlertState::Pending, _) => Sign::Blank,
        _ => Sign::Held,
    }
}

/// `open` are the open incidents.
fn row(model: &Model, open: &[&Case], alert: &Alert, now: Timestamp) -> AlertRow {
    let case = open.iter().find(|c| c.shown.alerts.contains_key(&alert.fingerprint));
    let state = match (alert.state, &case) {
        (AlertState::Firing, Some(case)) => match case.shown.times.acknowledged {
            Some(_) => format!("ack {}", case.shown.roles.values().next().cloned().unwrap_or_else(|| "yes".into())),
            None => "UNACKED".into(),
        },
        (AlertState::Firing, None) => paged(model, alert).unwrap_or_else(|| "UNACKED".into()),
        (state, _) => silences::held(model, alert, now).unwrap_or_else(|| state.word().into()),
    };
    let found = model.alerts.runbooks.get(&alert.fingerprint);
    let skip = ["alertname", "severity", "service"];
    let labels: Vec<String> =
        alert.labels.0.iter().filter(|(n, _)| !skip.contains(&n.as_str())).map(|(n, v)| format!("{n}={v:?}")).collect();
    AlertRow {
        sign: sign(alert),
        name: alert.name.clone(),
        severity: if alert.severity().is_empty() { "-".into() } else { alert.severity().into() },
        age: compact(now - alert.started_at),
        service: alert.service().into(),
        state,
        runbook: found.and_then(|f| f.first()).map(|m| m.runbook.0.clone()),
        incident: case.map(|c| c.shown.id.0.clone()),
        source: alert.source.0.clone(),
        labels: labels.join(" "),
    }
}

/// The alerts screen.
pub fn page(model: &Model, now: Timestamp) -> AlertsPage {
    let detail = match items::selected(model, now) {
        Some(Item::Alert(fp)) => model.alerts.get(&fp).map(|a| detail(model, a, now)).unwrap_or_default(),
        Some(Item::Silence(target, id)) => silences::detail(model, &target, &id, now),
        _ => Vec::new(),
    };
    AlertsPage { alerts: pane(model, now), silences: silences::pane(model, now), detail }
}

fn detail(model: &Model, alert: &Alert, now: Timestamp) -> Vec<(String, String)> {
    let mut rows = vec![
        ("state".to_owned(), format!("{} since {}", alert.state.word(), rfc3339(alert.started_at))),
        ("source".into(), alert.source.0.clone()),
    ];
    if !alert.held_by.is_empty() {
        let holding = silences::of_alert(model, alert, now);
        rows.extend(holding.into_iter().map(|words| ("held by".to_owned(), words)));
    }
    for (name, there, why) in of_alert(model, alert).iter().take(3) {
        let number = there.number.as_deref().unwrap_or(&there.id);
        rows.push(("page".into(), format!("{name} {number} {} ({why})", there.status.word())));
    }
    for found in runbooks_for(model, &alert.name, &alert.labels, &alert.annotations).iter().take(3) {
        rows.push(("runbook".into(), format!("{} ({})", found.runbook, found.why)));
    }
    // The local copy first: the page behind the address may be down with everything else.
    let (link, others): (Vec<_>, Vec<_>) = alert.annotations.0.iter().partition(|(n, _)| *n == "runbook_url");
    rows.extend(link.into_iter().chain(others).map(|(n, v)| (n.clone(), v.clone())));
    rows.extend(alert.labels.0.iter().map(|(n, v)| (format!("label {n}"), v.clone())));
    if let Some(url) = &alert.generator_url {
        rows.push(("from".into(), url.clone()));
    }
    rows
}

//! The promised JSON: the same facts as the screens, raw and exact. Unknown numbers are `null`. Adding a field is fine,
//! renaming one is not.

pub mod budget;
pub mod pages;
pub mod review;
mod runbook;

pub use runbook::{command, exec, runbook};

use crate::app::model::Model;
use crate::app::present::{alerts, board, charts, slos};
use crate::app::update::source_of;
use crate::domain::escalation::timer::Timer;
use crate::domain::ids::{RunbookId, SourceName};
use crate::domain::incident::event::{Body, Event, Role};
use crate::domain::incident::state::{ActionItem, Incident, key_text};
use crate::domain::incident::tickets::ticket;
use crate::domain::incident::timeline::tell;
use crate::domain::slo::objective::{Kind, Objective};
use crate::domain::slo::reading::Reading;
use crate::domain::slo::status::Status;
use crate::domain::time::{Timestamp, prometheus, rfc3339, seconds};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Objectives that a message names before it counts the others.
const NAMED: usize = 5;

fn at(instant: Option<Timestamp>) -> Value {
    instant.map_or(Value::Null, |t| Value::String(rfc3339(t)))
}

/// A finite number, or `null`; rounded to 12 digits so that binary dust does not look like a fact.
fn number(x: Option<f64>) -> Value {
    x.filter(|x| x.is_finite()).map_or(Value::Null, |x| json!((x * 1e12).round() / 1e12))
}

/// Faults of the sources: what failed, and that the answer is partial.
pub fn faults(model: &Model) -> Vec<Value> {
    let mut faults: Vec<Value> = model
        .links
        .values()
        .filter_map(|l| {
            let (since, fault) = l.fault.as_ref()?;
            Some(json!({"source": l.name.0, "kind": fault.kind.word(), "message": fault.to_string(), "since": rfc3339(*since)}))
        })
        .collect();
    for link in model.links.values() {
        faults.extend(link.peer_faults.iter().map(|f| json!({"source": link.name.0, "kind": "peer", "message": f})));
    }
    faults
}

/// What sources that answer refused, or answered only in part, of objectives: one fault per source and reason, with the
/// objectives that it is about. A source that failed altogether is one of [`faults`].
pub fn unanswered(model: &Model) -> Vec<Value> {
    let mut found: BTreeMap<(SourceName, &str, String), Vec<&str>> = BTreeMap::new();
    for objective in &model.fleet.objectives {
        let Some(measured) = model.fleet.measured.get(&objective.id) else { continue };
        let Some(source) = source_of(model, objective) else { continue };
        if model.links.get(&source).is_some_and(|l| l.fault.is_some()) {
            continue;
        }
        let wrong = match &measured.trouble {
            Some(Reading::Error(fault)) => Some((fault.kind.word(), fault.to_string())),
            Some(Reading::Odd(what)) => Some(("odd", what.clone())),
            _ if measured.partial => Some(("partial", measured.warnings.first().cloned().unwrap_or_default())),
            _ => None,
        };
        if let Some((kind, why)) = wrong {
            found.entry((source, kind, why)).or_default().push(objective.id.as_str());
        }
    }
    let told = |((source, kind, why), ids): ((SourceName, &str, String), Vec<&str>)| {
        let rest = if ids.len() > NAMED { format!(" and {} more", ids.len() - NAMED) } else { String::new() };
        let names = ids.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
        json!({"source": source.0, "kind": kind, "message": format!("{names}{rest}: {why}"), "objectives": ids})
    };
    found.into_iter().map(told).collect()
}

/// `midwatch slo list`.
pub fn slos(model: &Model, now: Timestamp) -> Value {
    let rows: Vec<Value> =
        model.fleet.objectives.iter().map(|o| slo(model, now, o, &slos::status(model, now, o))).collect();
    let mut faults = faults(model);
    faults.extend(unanswered(model));
    let partial = !faults.is_empty() || model.fleet.measured.values().any(|m| m.partial);
    json!({"as_of": rfc3339(now), "partial": partial, "faults": faults, "slos": rows, "sources": sources(model)})
}

/// What each source that measures costs, and how far its history is read.
fn sources(model: &Model) -> Vec<Value> {
    let measures = |l: &&crate::app::health::Link| matches!(l.kind, crate::app::health::LinkKind::Prometheus { .. });
    let source = |l: &crate::app::health::Link| {
        json!({"name": l.name.0, "requests": l.note.requests, "samples": l.note.samples,
            "samples_per_second": number(l.cost), "max_samples_per_second": number(l.ceiling),
            "poll_seconds": seconds(l.pause()), "slices_to_read": l.left})
    };
    model.links.values().filter(measures).map(source).collect()
}

/// One objective.
pub fn slo(model: &Model, now: Timestamp, objective: &Objective, s: &Status) -> Value {
    let burns: Map<String, Value> = s.burn_rates.iter().map(|(w, b)| (w.to_string(), number(*b))).collect();
    let pairs: Vec<Value> = s.alerts.iter().map(budget::pair).collect();
    json!({
        "id": objective.id.0, "service": objective.service,
        "kind": match objective.kind { Kind::Ratio => "ratio", Kind::Threshold => "threshold" },
        "target": number(Some(objective.target)), "window": prometheus(objective.window), "sli": number(s.sli),
        "events": {"bad": number(s.events.map(|e| e.bad)), "total": number(s.events.map(|e| e.total))},
        "budget": {"remaining": number(s.budget.remaining), "consumed": number(s.budget.consumed),
            "minutes_total": number(Some(s.budget.minutes_total)), "minutes_left": number(s.budget.minutes_left)},
        "burn_rates": burns, "alerts": pairs, "state": s.state.word(), "reason": s.reason,
        "policy": budget::policy(s), "calendar": budget::calendar(s), "forecast": budget::forecast(s),
        "maintenance": budget::maintenance(s), "signals": budget::signals(model, now, &objective.service),
        "exhausts_at": at(s.forecast.exhausts_at), "coverage": number(s.coverage), "source": s.source,
        "approximate": s.approximate, "history_read": number(s.read),
        "recorded": s.recorded.map(|r| json!({"error_ratio": number(Some(r.errors)),
            "budget_remaining": number(r.remaining), "differs": r.differs})),
        "without_events": s.untold,
        "says": objective.says, "declared": objective.declared,
    })
}

/// Deploys and other changes on the charts of an objective.
pub fn marks(model: &Model, objective: &Objective) -> Value {
    let marks = charts::changes(model, objective);
    marks.iter().map(|m| json!({"at": rfc3339(m.at), "name": m.name, "text": m.text})).collect()
}

/// `midwatch alerts`.
pub fn alerts(model: &Model, now: Timestamp) -> Value {
    let mut rows: Vec<Value> = Vec::new();
    for id in alerts::ids(model) {
        let Some(a) = model.alerts.get(&id) else { continue };
        let runbook =
            alerts::runbooks_for(model, &a.name, &a.labels, &a.annotations).first().map(|m| m.runbook.0.clone());
        let incident =
            model.open_cases().into_iter().find(|c| c.shown.alerts.contains_key(&id)).map(|c| c.shown.id.0.clone());
        rows.push(json!({"fingerprint": a.fingerprint.0, "name": a.name, "labels": a.labels, "annotations": a.annotations,
            "state": a.state.word(), "started_at": rfc3339(a.started_at), "source": a.source.0, "runbook": runbook, "incident": incident}));
    }
    let faults = faults(model);
    json!({"as_of": rfc3339(now), "partial": !faults.is_empty(), "faults": faults, "alerts": rows})
}

/// One incident. `events` may be empty where only the state is wanted (`incident list`).
pub fn incident(i: &Incident, events: &[Event], timers: &[Timer]) -> Value {
    let roles: Map<String, Value> = Role::ALL.iter().map(|r| (r.word().to_owned(), json!(i.roles.get(r)))).collect();
    let runbooks: Vec<Value> = i
        .walks
        .iter()
        .map(|(id, w)| json!({"id": id.0, "step": w.last.as_ref().map(|s| s.0.clone()), "done": w.ended(), "total": w.total}))
        .collect();
    let unknown = i.objectives.iter().filter(|slo| !i.budget.contains_key(*slo));
    let burned: Vec<Value> = i
        .budget
        .values()
        .map(|b| json!({"slo": b.slo.0, "gross": number(b.gross), "net": number(b.net), "of": b.basis, "moment": b.moment}))
        .chain(unknown.map(|slo| json!({"slo": slo.0, "gross": null, "net": null, "of": null, "moment": null})))
        .collect();
    let actions: Vec<Value> = i.actions.iter().map(|a| action(i, a)).collect();
    let mut report = json!({
        "id": i.id.0, "title": i.title, "severity": i.severity.0, "status": i.status.word(), "service": i.service,
        "declared_at": rfc3339(i.times.declared), "detected_at": at(i.times.detected), "acknowledged_at": at(i.times.acknowledged),
        "mitigated_at": at(i.times.mitigated), "resolved_at": at(i.times.resolved), "declared_by": i.declared_by,
        "roles": roles, "alerts": i.alerts.keys().map(|f| f.0.clone()).collect::<Vec<_>>(),
        "objectives": i.objectives.iter().map(|o| o.0.clone()).collect::<Vec<_>>(), "runbooks": runbooks,
        "pages": i.pages.iter().map(pages::linked).collect::<Vec<_>>(), "budget_burned": burned, "actions": actions, "timers": timers.iter().map(timer).collect::<Vec<_>>(),
        "timeline": events.iter().map(|e| event(e, i)).collect::<Vec<_>>(),
    });
    if let (Some(all), Value::Object(desk)) = (report.as_object_mut(), board::report(i)) {
        all.extend(desk);
    }
    report
}

fn action(i: &Incident, item: &ActionItem) -> Value {
    let standing = ticket(i, Some(item));
    let reference = standing.reference();
    let name = reference.and_then(|r| r.name.as_ref().or(r.id.as_ref()));
    json!({"text": item.text, "owner": item.owner, "due": item.due, "type": item.does, "ticket": name,
        "ticket_url": reference.and_then(|r| r.url.as_ref())})
}

/// One timer.
pub fn timer(t: &Timer) -> Value {
    json!({"id": t.id.0, "incident": t.incident.0, "kind": t.kind.word(), "label": t.label, "due_at": rfc3339(t.due_at),
        "state": t.state.word(), "contact": t.contact, "then": t.then})
}

/// One event.
pub fn event(e: &Event, i: &Incident) -> Value {
    let data = serde_json::to_value(&e.body)
        .ok()
        .and_then(|mut v| v.get_mut("data").map(Value::take))
        .unwrap_or_else(|| json!({}));
    let kind = match &e.body {
        Body::Unknown(v) => v.get("kind").and_then(Value::as_str).unwrap_or("unknown").to_owned(),
        body => body.kind().to_owned(),
    };
    let reference = key_text(&e.key);
    let marks = i.marks.get(&reference);
    json!({"seq": e.key.seq, "origin": e.key.origin.0, "ref": reference, "at": rfc3339(e.at),
        "recorded_at": rfc3339(e.recorded_at), "actor": e.actor, "who": e.who(), "kind": kind, "text": tell(e, Some(i)),
        "pinned": marks.is_some_and(|m| m.pinned), "excluded": marks.is_some_and(|m| m.excluded),
        "tags": marks.map(|m| &m.tags), "redacted": i.redacted.get(&reference), "data": data})
}

/// `midwatch runbook match`.
pub fn matches(
    found: &[crate::domain::runbook::matching::Match],
    path: impl Fn(&RunbookId) -> Option<String>,
) -> Value {
    let rows: Vec<Value> = found
        .iter()
        .map(|m| json!({"id": m.runbook.0, "path": path(&m.runbook), "why": m.why, "score": m.score}))
        .collect();
    json!({"matches": rows})
}

//! The JSON of a review. The names are a promise; what is not known is null.

use crate::app::model::Model;
use crate::app::present::report::{at, faults, number, unanswered};
use crate::domain::review::Review;
use crate::domain::time::rfc3339;
use serde_json::{Value, json};

/// `midwatch slo report`.
pub fn review(model: &Model, r: &Review) -> Value {
    let rows: Vec<Value> = r
        .objectives
        .iter()
        .map(|o| {
            json!({"id": o.objective, "service": o.service, "target": number(Some(o.target)), "attained": number(o.attained),
                "kept": o.met(), "events": {"bad": number(o.bad), "total": number(o.total)},
                "budget": {"spent": number(o.spent), "left": number(o.left()), "projected": number(o.projected),
                    "incidents": number(Some(o.incidents)), "remaining_now": number(o.remaining)},
                "band": o.band, "exhausts_at": at(o.exhausts_at), "recovers": o.recovers,
                "coverage": number(Some(o.coverage)), "excluded_events": number(o.excluded)})
        })
        .collect();
    let incidents: Vec<Value> = r
        .incidents
        .iter()
        .map(|i| {
            let slo = if i.objective.is_empty() { Value::Null } else { json!(i.objective) };
            json!({"id": i.id, "title": i.title, "severity": i.severity, "began_at": rfc3339(i.began), "ended_at": at(i.ended),
                "slo": slo, "gross": number(i.gross), "net": number(i.net), "of": i.of})
        })
        .collect();
    let crossings: Vec<Value> = r
        .crossings
        .iter()
        .map(|c| {
            json!({"at": rfc3339(c.at), "slo": c.objective, "from": c.from, "to": c.to, "remaining": number(Some(c.remaining)),
                "action": c.action})
        })
        .collect();
    let decisions: Vec<Value> =
        r.decisions.iter().map(|d| json!({"slo": d.objective, "what": d.what, "why": d.why})).collect();
    let mut faults = faults(model);
    faults.extend(unanswered(model));
    json!({"as_of": rfc3339(r.as_of), "partial": !faults.is_empty(), "faults": faults,
        "period": {"name": r.period, "from": rfc3339(r.from), "to": rfc3339(r.to), "complete": r.complete(), "time_zone": r.zone},
        "policy": r.policy, "slos": rows, "incidents": incidents, "bands_crossed": crossings, "decisions_due": decisions,
        "unknown": r.unknown})
}

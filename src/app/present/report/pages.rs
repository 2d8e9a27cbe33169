//! Incidents of paging products and who is on call, for programs.

use crate::app::backend::unlinked;
use crate::app::model::Model;
use crate::app::outbox::TargetState;
use crate::app::present::report::faults;
use crate::domain::ids::SourceName;
use crate::domain::incident::linked::Linked;
use crate::domain::outward::backend::{BackendIncident, OnCall};
use crate::domain::time::{Timestamp, rfc3339};
use serde_json::{Value, json};

/// `{"as_of", "partial", "faults", "pages": [{"target", "id", "number", "title", "status", "urgency", "priority", "service",
/// "assigned", "acknowledged_by": [{"name", "at"}], "created_at", "pending": [{"action", "at"}], "ack_timeout_seconds", "key",
/// "url", "incident"}]}`: everything open at every paging product. `ack_timeout_seconds` is 0 where an acknowledgement never
/// ends, and null where that is not known.
pub fn pages(model: &Model, now: Timestamp) -> Value {
    let mut rows = Vec::new();
    for (name, there) in unlinked(model) {
        rows.push(page(name, there, None));
    }
    for case in model.open_cases() {
        for linked in &case.shown.pages {
            let target = model.outbox.targets.get(&linked.link.target);
            let open = target.and_then(|t| t.open_incidents().iter().find(|i| i.id == linked.link.page));
            rows.extend(open.map(|there| page(&linked.link.target, there, Some(case.shown.id.as_str()))));
        }
    }
    let faults = faults(model);
    json!({"as_of": rfc3339(now), "partial": !faults.is_empty(), "faults": faults, "pages": rows})
}

fn page(name: &SourceName, there: &BackendIncident, incident: Option<&str>) -> Value {
    let acknowledged: Vec<Value> =
        there.acknowledged_by.iter().map(|(party, at)| json!({"name": party.name, "at": at.map(rfc3339)})).collect();
    let pending: Vec<Value> = there.pending.iter().map(|p| json!({"action": p.action, "at": rfc3339(p.at)})).collect();
    json!({
        "target": name.as_str(), "id": there.id, "number": there.number, "title": there.title,
        "status": there.status.word(), "urgency": there.urgency, "priority": there.priority,
        "service": there.service.as_ref().map(|s| s.name.clone()),
        "assigned": there.assigned.iter().map(|p| p.name.clone()).collect::<Vec<_>>(),
        "acknowledged_by": acknowledged, "created_at": there.created_at.map(rfc3339), "pending": pending,
        "ack_timeout_seconds": there.ack_timeout_s, "key": there.key, "url": there.url, "incident": incident,
    })
}

/// A linked incident, as the record has it: `{"target", "id", "number", "title", "status", "since", "by", "url", "why"}`.
pub fn linked(linked: &Linked) -> Value {
    let link = &linked.link;
    json!({
        "target": link.target.as_str(), "id": link.page, "number": link.number, "title": link.title,
        "status": linked.status.word(), "since": rfc3339(linked.since), "by": linked.by, "url": link.url, "why": link.why,
    })
}

/// Why it is not known of some target who is on call.
pub fn unknown(model: &Model) -> Vec<Value> {
    let told = |(name, target): (&SourceName, &TargetState)| {
        let (since, fault) = target.readings.on_call_fault.as_ref()?;
        let (kind, message) = (fault.kind.word(), fault.to_string());
        Some(json!({"source": name.as_str(), "kind": kind, "message": message, "since": rfc3339(*since)}))
    };
    model.outbox.targets.iter().filter_map(told).collect()
}

/// `{"as_of", "partial", "faults", "on_call": [{"target", "policy", "level", "schedule", "name", "email", "time_zone",
/// "local_time", "until"}]}`: who would be woken now. `local_time` is null where the zone is not known.
pub fn on_call(model: &Model, now: Timestamp) -> Value {
    let each = |name: &SourceName, duty: &OnCall| {
        let zone: Option<chrono_tz::Tz> = duty.person.time_zone.as_deref().and_then(|zone| zone.parse().ok());
        json!({
            "target": name.as_str(), "policy": duty.policy.as_ref().map(|p| p.name.clone()), "level": duty.level,
            "schedule": duty.schedule.as_ref().map(|s| s.name.clone()), "name": duty.person.name,
            "email": duty.person.email, "time_zone": duty.person.time_zone,
            "local_time": zone.map(|zone| now.with_timezone(&zone).format("%H:%M").to_string()),
            "until": duty.end.map(rfc3339),
        })
    };
    let known = model.outbox.targets.iter().filter_map(|(name, t)| Some((name, &t.on_call.as_ref()?.1)));
    let rows: Vec<Value> = known.flat_map(|(name, people)| people.iter().map(move |duty| each(name, duty))).collect();
    let mut faults = faults(model);
    faults.extend(unknown(model));
    json!({"as_of": rfc3339(now), "partial": !faults.is_empty(), "faults": faults, "on_call": rows})
}

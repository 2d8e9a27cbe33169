//! Paging the on-call by the policy of the severity table: asked first, with who is paged and what time it is for them;
//! ended when the incident is acknowledged or resolved. Never pages without a `y`.

use crate::app::confirm::{Confirm, Deed};
use crate::app::editor::Editor;
use crate::app::effect::Effect;
use crate::app::model::Model;
use crate::app::outbox::TargetState;
use crate::app::present::view::Tone;
use crate::app::screen::Overlay;
use crate::app::update::outward;
use crate::domain::ids::{IncidentId, SourceName};
use crate::domain::incident::decide::Refusal;
use crate::domain::incident::event::Body;
use crate::domain::incident::state::Incident;
use crate::domain::outward::backend::{BackendWrite, OnCall};
use crate::domain::outward::capability::Capability;
use crate::domain::outward::entry::Ending;
use crate::domain::outward::event_sink::{Alarm, EventWrite};
use crate::domain::outward::intent::Intent;
use crate::domain::outward::operation::Expected;
use crate::domain::time::Timestamp;

/// The target that pages: the first event sink that can, else the first incident backend.
pub fn pager(model: &Model) -> Option<&TargetState> {
    let sink = model.outbox.able(Capability::Trigger).next();
    sink.or_else(|| model.outbox.able(Capability::Declare).next())
}

/// Whether somebody was paged for an incident, or is about to be.
pub fn paged(incident: &Incident) -> bool {
    incident.outside.values().any(|outside| {
        matches!(outside.capability, Capability::Trigger | Capability::Declare)
            && !matches!(&outside.end, Some(Ending::Dropped { .. } | Ending::Refused { .. }))
    })
}

/// Whether the severity table wants the on-call paged and nobody was.
fn wanted(model: &Model, id: &IncidentId) -> bool {
    let Some(case) = model.desk.cases.get(id) else { return false };
    let pages = model.setup.severities.level(&case.shown.severity).is_some_and(|level| level.page);
    pages && case.shown.is_open() && case.shown.times.acknowledged.is_none() && !paged(&case.shown)
}

/// After a declaration and after a severity was raised: asks when the policy wants a page.
pub fn by_policy(model: &mut Model, now: Timestamp, id: &IncidentId) {
    if model.nav.overlay.is_none() && !model.setup.read_only && wanted(model, id) && pager(model).is_some() {
        drop(ask(model, now, id));
    }
}

/// Asks whether the on-call shall be paged.
pub fn ask(model: &mut Model, now: Timestamp, id: &IncidentId) -> Result<(), Refusal> {
    let case = model.desk.cases.get(id).ok_or_else(|| Refusal(format!("there is no incident {id}")))?;
    let target = pager(model).ok_or_else(|| Refusal("no target that pages is configured (event_sinks)".into()))?;
    let incident = &case.shown;
    let mut rows = vec![
        ("incident".to_owned(), format!("{} {id} {}", incident.severity, incident.title)),
        ("through".into(), format!("{} ({})", target.facts.name, target.facts.product)),
    ];
    rows.extend(who(model, now, target));
    if paged(incident) {
        rows.push(("again".into(), "somebody was paged for it already".into()));
    }
    let name = target.facts.name.clone();
    model.nav.overlay = Some(Overlay::Confirm(Box::new(Confirm {
        title: "page".into(),
        question: "Page the on-call?".into(),
        rows,
        token: None,
        typed: Editor::default(),
        painted: false,
        enter: false,
        deed: Deed::Page(id.clone(), name),
    })));
    Ok(())
}

/// Who is paged, as far as anybody knows.
fn who(model: &Model, now: Timestamp, target: &TargetState) -> Vec<(String, String)> {
    // The pager itself knows best; another target may know who is on call.
    let known = std::iter::once(target).chain(model.outbox.targets.values());
    let people = known.filter_map(|t| t.on_call.as_ref()).map(|(_, people)| people).find(|p| !p.is_empty());
    match (people, &target.facts.audience) {
        (Some(people), _) => {
            let first = people.iter().filter_map(|o| o.level).min();
            let woken = people.iter().filter(|o| o.level == first);
            woken.map(|o| ("pages".to_owned(), person(o, model.setup.zone, now))).collect()
        }
        (None, Some(audience)) => vec![("pages".into(), format!("{audience}; what time it is for them is not known"))],
        (None, None) => vec![("pages".into(), "whoever is on call there; not known here".into())],
    }
}

/// `ada, 04:12 CEST for them`. The zone is theirs, where it is known.
fn person(on_call: &OnCall, ours: chrono_tz::Tz, now: Timestamp) -> String {
    let zone: Option<chrono_tz::Tz> = on_call.person.time_zone.as_deref().and_then(|zone| zone.parse().ok());
    let local = |zone: chrono_tz::Tz| now.with_timezone(&zone).format("%H:%M %Z").to_string();
    match zone {
        Some(zone) => format!("{}, {} for them", on_call.person.name, local(zone)),
        None => format!("{}, {} here; their zone is not known", on_call.person.name, local(ours)),
    }
}

/// The person said `y`.
pub fn page(
    model: &mut Model,
    now: Timestamp,
    id: &IncidentId,
    target: &SourceName,
    out: &mut Vec<Effect>,
) -> Result<(), Refusal> {
    let case = model.desk.cases.get(id).ok_or_else(|| Refusal(format!("there is no incident {id}")))?;
    // The id is given by the record, and the key that the pager knows it by is made of it.
    if case.saved.is_none() {
        return Err(Refusal(format!("{id} is not on disk yet; :page-on-call asks again")));
    }
    let incident = case.shown.clone();
    let before = incident.outside.values().filter(|o| o.capability == Capability::Trigger).count();
    let alarm = Alarm {
        dedup_key: key(model, id),
        summary: format!("{} {id}: {}", incident.severity, incident.title),
        source: incident.service.clone().unwrap_or_else(|| "midwatch".into()),
        severity: "critical".into(),
        details: vec![
            ("incident".into(), id.to_string()),
            ("severity".into(), incident.severity.to_string()),
            ("declared_by".into(), incident.declared_by.clone()),
        ],
        links: Vec::new(),
    };
    let can = |capability| model.outbox.targets.get(target).is_some_and(|t| t.facts.caps.class(capability).is_some());
    let intent = if can(Capability::Trigger) {
        Intent::Event(EventWrite::Trigger(alarm))
    } else {
        let body = format!("declared by {} in midwatch as {id}", incident.declared_by);
        let title = alarm.summary;
        Intent::Backend(BackendWrite::Declare { title, service: None, urgency: None, priority: None, body })
    };
    let once = Some(format!("page:{target}:{before}"));
    outward::queue(model, now, id, target, intent, Expected::default(), once, out)
}

/// The key of the incident's alarm: the same from every cockpit on one record, and from no other record.
fn key(model: &Model, id: &IncidentId) -> String {
    let origin = model.desk.origin.as_ref().map_or("midwatch", |origin| origin.as_str());
    format!("{origin}/{id}")
}

/// What an acknowledgement or a resolution tells the pagers that raised an alarm for the incident. Nobody is woken by it.
pub fn tell(model: &Model, now: Timestamp, id: &IncidentId, resolved: bool) -> Vec<Body> {
    let Some(case) = model.desk.cases.get(id) else { return Vec::new() };
    let mut targets: Vec<&SourceName> =
        case.shown.outside.values().filter(|o| o.capability == Capability::Trigger).map(|o| &o.target).collect();
    targets.sort();
    targets.dedup();
    let dedup_key = key(model, id);
    let write = |dedup_key| match resolved {
        true => EventWrite::Resolve { dedup_key },
        false => EventWrite::Acknowledge { dedup_key },
    };
    targets
        .into_iter()
        .filter_map(|target| {
            let intent = Intent::Event(write(dedup_key.clone()));
            outward::outgoing(model, now, target, intent, Expected::default()).ok()
        })
        .collect()
}

/// Says that nobody was paged although the policy wants it.
pub fn cancelled(model: &mut Model, now: Timestamp) {
    model.say(now, Tone::Warn, "nobody was paged; :page-on-call asks again");
}

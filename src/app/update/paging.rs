//! Paging the on-call by the policy of the severity table: asked first, with who is paged and what time it is for them;
//! ended when the incident is acknowledged or resolved. Never pages without a `y`.

use crate::app::confirm::{Confirm, Deed};
use crate::app::editor::Editor;
use crate::app::effect::Effect;
use crate::app::model::{Case, Model};
use crate::app::outbox::TargetState;
use crate::app::present::view::Tone;
use crate::app::screen::Overlay;
use crate::app::update::{backend, outward};
use crate::domain::ids::{IncidentId, SourceName};
use crate::domain::incident::decide::Refusal;
use crate::domain::incident::event::Body;
use crate::domain::incident::state::Incident;
use crate::domain::outward::backend::{BackendStatus, BackendWrite, Party};
use crate::domain::outward::capability::{Capability, Class};
use crate::domain::outward::entry::Ending;
use crate::domain::outward::event_sink::{Alarm, EventWrite};
use crate::domain::outward::intent::Intent;
use crate::domain::outward::operation::Expected;
use crate::domain::time::Timestamp;

/// The target that pages: an event sink of a paging product, which knows its alarms by their keys; else an incident backend;
/// else whatever other sink there is, such as a webhook of which nobody can tell what it does.
pub fn pager(model: &Model) -> Option<&TargetState> {
    let keyed = |t: &&TargetState| t.facts.caps.class(Capability::Trigger) == Some(Class::RepeatWithKey);
    let mut sinks = model.outbox.able(Capability::Trigger);
    let product = model.outbox.able(Capability::Trigger).find(keyed);
    product.or_else(|| model.outbox.able(Capability::Declare).next()).or_else(|| sinks.next())
}

fn pages(capability: Capability) -> bool {
    matches!(capability, Capability::Trigger | Capability::Declare)
}

/// Whether somebody was paged for an incident, or is about to be.
pub fn paged(incident: &Incident) -> bool {
    incident.outside.values().any(|outside| {
        pages(outside.capability) && !matches!(&outside.end, Some(Ending::Dropped { .. } | Ending::Refused { .. }))
    })
}

/// Whether the severity table wants the on-call paged and nobody was.
fn wanted(model: &Model, id: &IncidentId) -> bool {
    let Some(case) = model.desk.cases.get(id) else { return false };
    let pages = model.setup.severities.level(&case.shown.severity).is_some_and(|level| level.page);
    // Somebody was paged at the paging product itself: a page from here would be a second one.
    let there = case.shown.pages.iter().any(|linked| linked.status != BackendStatus::Resolved);
    pages && !there && case.shown.is_open() && case.shown.times.acknowledged.is_none() && !paged(&case.shown)
}

/// After a declaration and after a severity was raised: asks when the policy wants a page.
pub fn by_policy(model: &mut Model, now: Timestamp, id: &IncidentId, out: &mut Vec<Effect>) {
    if model.nav.overlay.is_none() && !model.setup.read_only && wanted(model, id) && pager(model).is_some() {
        drop(ask(model, now, id, out));
    }
}

/// Asks whether the on-call shall be paged.
pub fn ask(model: &mut Model, now: Timestamp, id: &IncidentId, out: &mut Vec<Effect>) -> Result<(), Refusal> {
    let case = model.desk.cases.get(id).ok_or_else(|| Refusal(format!("there is no incident {id}")))?;
    let service = case.shown.service.clone();
    let target = pager(model).ok_or_else(|| {
        Refusal("no target that pages is configured (event_sinks, or incident_backends with a service)".into())
    })?;
    let name = target.facts.name.clone();
    let rows = rows(model, now, id, &name);
    if let Some(service) = service {
        backend::ask_on_call(model, now, &service, out);
    }
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

/// What is told before the question: what goes out, through whom, who is paged, and what time it is for them.
pub fn rows(model: &Model, now: Timestamp, id: &IncidentId, name: &SourceName) -> Vec<(String, String)> {
    let (Some(case), Some(target)) = (model.desk.cases.get(id), model.outbox.targets.get(name)) else {
        return Vec::new();
    };
    let incident = &case.shown;
    let mut rows = vec![
        ("incident".to_owned(), format!("{} {id} {}", incident.severity, incident.title)),
        ("through".into(), format!("{} ({})", target.facts.name, target.facts.product)),
    ];
    rows.extend(who(model, now, target, incident.service.as_deref()));
    if paged(incident) {
        rows.push(("again".into(), "somebody was paged for it already".into()));
    } else if let Some(linked) = incident.pages.iter().find(|p| p.status != BackendStatus::Resolved) {
        rows.push(("already".into(), format!("{} is open there", linked.link.name())));
    }
    rows
}

/// It became known who is on call: an open question tells it.
pub fn refresh(model: &mut Model, now: Timestamp) {
    let Some(Overlay::Confirm(confirm)) = &model.nav.overlay else { return };
    let Deed::Page(id, name) = &confirm.deed else { return };
    let rows = rows(model, now, &id.clone(), &name.clone());
    if let Some(Overlay::Confirm(confirm)) = &mut model.nav.overlay
        && confirm.rows != rows
    {
        confirm.rows = rows;
        // What is confirmed was on the screen.
        confirm.painted = false;
    }
}

/// Who is paged, as far as anybody knows.
fn who(model: &Model, now: Timestamp, target: &TargetState, service: Option<&str>) -> Vec<(String, String)> {
    // The pager itself knows best; another target may know who is on call: for the service, else at all.
    let known = || std::iter::once(target).chain(model.outbox.targets.values());
    let for_service = service.and_then(|service| {
        known().filter_map(|t| t.readings.on_call.get(service)).map(|(_, people)| people).find(|p| !p.is_empty())
    });
    let all = || known().filter_map(|t| t.on_call.as_ref()).map(|(_, people)| people).find(|p| !p.is_empty());
    let people = for_service.or_else(all);
    match (people, &target.facts.audience) {
        (Some(people), _) => {
            let first = people.iter().filter_map(|o| o.level).min();
            let woken = people.iter().filter(|o| o.level == first);
            let mut rows: Vec<_> =
                woken.map(|o| ("pages".to_owned(), local_time(&o.person, model.setup.zone, now))).collect();
            rows.dedup();
            rows
        }
        (None, Some(audience)) => vec![("pages".into(), format!("{audience}; what time it is for them is not known"))],
        (None, None) => vec![("pages".into(), "whoever is on call there; not known here".into())],
    }
}

/// `ada, 04:12 CEST for them`. The zone is theirs, where it is known.
pub fn local_time(person: &Party, ours: chrono_tz::Tz, now: Timestamp) -> String {
    let zone: Option<chrono_tz::Tz> = person.time_zone.as_deref().and_then(|zone| zone.parse().ok());
    let local = |zone: chrono_tz::Tz| now.with_timezone(&zone).format("%H:%M %Z").to_string();
    match zone {
        Some(zone) => format!("{}, {} for them", person.name, local(zone)),
        None => format!("{}, {} here; their zone is not known", person.name, local(ours)),
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
    let before = incident.outside.values().filter(|o| pages(o.capability)).count();
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
    // An alarm is joined to the open one by its key; an incident there would be a second one, and wake everybody again.
    if !can(Capability::Trigger) && paged(&incident) {
        return Err(Refusal(format!("{target} was asked to page for {id} already; X acts on what is open there")));
    }
    let intent = if can(Capability::Trigger) {
        Intent::Event(EventWrite::Trigger(alarm))
    } else {
        let body = format!("declared by {} in midwatch as {id}", incident.declared_by);
        let title = alarm.summary;
        let service = incident.service.clone().map(|name| Party { name, ..Party::default() });
        let urgency = Some("high".to_owned());
        Intent::Backend(BackendWrite::Declare { title, service, urgency, priority: None, body })
    };
    let once = Some(format!("page:{target}:{before}"));
    outward::queue(model, now, id, target, intent, Expected::default(), once, out)
}

/// The key of the incident's alarm: the same from every cockpit on one record, and from no other record.
pub fn key(model: &Model, id: &IncidentId) -> String {
    let origin = model.desk.origin.as_ref().map_or("midwatch", |origin| origin.as_str());
    format!("{origin}/{id}")
}

/// What an acknowledgement or, with its words, a resolution tells all that were told of the incident. Nobody is woken by it.
pub fn tell(model: &Model, now: Timestamp, id: &IncidentId, resolution: Option<&str>) -> Vec<Body> {
    let mut bodies = alarms(model, now, id, resolution.is_some());
    bodies.extend(backend::tell(model, now, id, resolution).0);
    bodies
}

/// What it tells the pagers that raised an alarm for the incident, or for one that goes on as it.
pub fn alarms(model: &Model, now: Timestamp, id: &IncidentId, resolved: bool) -> Vec<Body> {
    let same = |case: &&Case| case.shown.id == *id || case.shown.board.merged_into() == Some(id);
    let cases = model.desk.cases.values().filter(same);
    cases.flat_map(|case| alarms_of(model, now, case, resolved)).collect()
}

fn alarms_of(model: &Model, now: Timestamp, case: &Case, resolved: bool) -> Vec<Body> {
    let mut targets: Vec<&SourceName> =
        case.shown.outside.values().filter(|o| o.capability == Capability::Trigger).map(|o| &o.target).collect();
    targets.sort();
    targets.dedup();
    let dedup_key = key(model, &case.shown.id);
    // Where the alarm's own incident is linked, it is told itself.
    let told = |known: &Case| known.shown.pages.iter().any(|linked| linked.link.key.as_ref() == Some(&dedup_key));
    if model.desk.cases.values().any(told) {
        return Vec::new();
    }
    let write = |dedup_key| match resolved {
        true => EventWrite::Resolve { dedup_key },
        false => EventWrite::Acknowledge { dedup_key },
    };
    let intents = targets.into_iter().map(|target| (target, Intent::Event(write(dedup_key.clone()))));
    intents
        .filter_map(|(target, intent)| outward::outgoing(model, now, target, intent, Expected::default()).ok())
        .collect()
}

/// Says that nobody was paged although the policy wants it.
pub fn cancelled(model: &mut Model, now: Timestamp) {
    model.say(now, Tone::Warn, "nobody was paged; :page-on-call asks again");
}

//! Incidents as regions on dashboards: made when one is declared, ended when it is resolved, ended later when it was reopened
//! meanwhile. Derived from the record and queued under keys that the incident holds once, so that several cockpits, and a
//! restart, do it one time.

use crate::app::effect::Effect;
use crate::app::model::Model;
use crate::app::update::{outward, record, room};
use crate::domain::ids::{IncidentId, SourceName};
use crate::domain::incident::event::{Body, NewEvent};
use crate::domain::incident::sent::{Standing, asked, standing};
use crate::domain::incident::state::Incident;
use crate::domain::outward::annotation::AnnotationWrite;
use crate::domain::outward::capability::Capability;
use crate::domain::outward::intent::Intent;
use crate::domain::outward::operation::Expected;
use crate::domain::time::{Span, Timestamp};

/// What an operation is about that makes the region.
const REGION: &str = "annotation";
/// Older incidents get no region any more: they were there before the dashboard was configured.
const OLDEST: Span = Span::hours(24);

/// Queues what every dashboard is to get, as far as the record is on disk.
pub fn keep(model: &mut Model, now: Timestamp, out: &mut Vec<Effect>) {
    if !room::active(model) {
        return;
    }
    let able = |model: &Model| -> Vec<SourceName> {
        model.outbox.able(Capability::Annotate).map(|target| target.facts.name.clone()).collect()
    };
    let targets = able(model);
    if targets.is_empty() {
        return;
    }
    let cases = model.desk.cases.values().filter(|c| c.saved.is_some() && c.unsaved.is_empty());
    let wanted: Vec<(IncidentId, SourceName, String, String, AnnotationWrite)> =
        cases.flat_map(|case| targets.iter().filter_map(|target| wish(&case.shown, target, now))).collect();
    for (id, target, about, once, write) in wanted {
        // What the target cannot do now is wished again when it can.
        let intent = Intent::Annotation(write);
        let Ok(Body::Outgoing(op)) = outward::outgoing(model, now, &target, intent, Expected::default()) else {
            continue;
        };
        let body = Body::Outgoing(Box::new(op.about(about)));
        let actor = "midwatch".to_owned();
        let event = NewEvent { incident: id.clone(), at: now, recorded_at: now, actor, body, once: Some(once) };
        record::append(model, &id, vec![event], out);
    }
}

fn wish(
    i: &Incident,
    target: &SourceName,
    now: Timestamp,
) -> Option<(IncidentId, SourceName, String, String, AnnotationWrite)> {
    let text = format!("{} {} {}", i.id, i.severity, i.title);
    let wish = |about: String, write| {
        let once = format!("{about}:{target}");
        Some((i.id.clone(), target.clone(), about, once, write))
    };
    match standing(i, Capability::Annotate, REGION, Some(target)) {
        Standing::Nowhere if now - i.times.declared < OLDEST => {
            let mut tags = vec![format!("incident:{}", i.id), format!("severity:{}", i.severity)];
            tags.extend(i.service.as_ref().map(|service| format!("service:{service}")));
            wish(REGION.into(), AnnotationWrite::Create { from: i.times.declared, to: i.times.resolved, text, tags })
        }
        Standing::There(_, reference) => {
            let (id, to) = (reference.id?, i.times.resolved?);
            let about = format!("{REGION}:end:{}", to.timestamp_millis());
            let ended = asked(i, Capability::EndAnnotation, &about).any(|o| o.target == *target);
            // A region that was made after the end has it already.
            let made_after = asked(i, Capability::Annotate, REGION).any(|o| o.target == *target && o.at >= to);
            let write = AnnotationWrite::End { annotation: id, to, text: Some(text) };
            if ended || made_after { None } else { wish(about, write) }
        }
        _ => None,
    }
}

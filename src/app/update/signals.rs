//! The golden signals of services: asked with every poll of their source, kept with their age.

use crate::app::effect::Effect;
use crate::app::health::LinkKind;
use crate::app::model::Model;
use crate::app::pending::Asked;
use crate::domain::fault::Fault;
use crate::domain::ids::{ReqId, SourceName};
use crate::domain::slo::service::Service;
use crate::domain::slo::signals::ServiceReading;
use std::sync::Arc;

/// Asks for the signals of a source's services, if it has any.
pub fn ask(model: &mut Model, name: &SourceName, out: &mut Vec<Effect>) -> Option<ReqId> {
    let services = services_of(model, name);
    if services.is_empty() {
        return None;
    }
    let req = model.pending.ask(Asked::Signals(name.clone()));
    out.push(Effect::Signals { req, source: name.clone(), services });
    Some(req)
}

/// The services that a source is asked about: those that name it, and those without a name when it is the first Prometheus.
pub fn services_of(model: &Model, source: &SourceName) -> Vec<Arc<Service>> {
    let first = first_prometheus(model);
    let ours = |s: &&Arc<Service>| match &s.source {
        Some(named) => named == source,
        None => first.as_ref() == Some(source),
    };
    model.fleet.services.iter().filter(ours).filter(|s| !s.signals.is_empty()).cloned().collect()
}

/// The signals of services came, or did not: then the last ones stay, with their age.
pub fn came(model: &mut Model, req: ReqId, source: &SourceName, result: Result<Vec<ServiceReading>, Fault>) {
    if let Some(link) = model.links.get_mut(source) {
        link.out.retain(|r| *r != req);
    }
    match result {
        Ok(readings) => {
            model.fleet.signal_faults.remove(source);
            model.fleet.signals.extend(readings.into_iter().map(|r| (r.service.clone(), r)));
        }
        Err(fault) => drop(model.fleet.signal_faults.insert(source.clone(), fault)),
    }
}

fn first_prometheus(model: &Model) -> Option<SourceName> {
    model.links.values().find(|l| matches!(l.kind, LinkKind::Prometheus { .. })).map(|l| l.name.clone())
}

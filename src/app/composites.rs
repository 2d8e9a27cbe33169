//! Composites out of what is known of their parts: one measurement, and the events behind it. Asks no source; a part that
//! was not measured leaves the whole unknown.

use crate::app::fleet::Composed;
use crate::app::model::Model;
use crate::app::present::slos::work_of;
use crate::domain::ids::SloId;
use crate::domain::slo::composite::{self, Part};
use crate::domain::slo::composite_events::{CompositeEvents, PartEvents, leaves};
use crate::domain::slo::net_events::NetEvents;
use crate::domain::slo::objective::{Objective, Sli};
use crate::domain::slo::reading::{Counts, Window};
use crate::domain::slo::status::beyond::without_work;
use crate::domain::time::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What was measured of composites, made of what was measured of their parts.
pub fn composed(model: &Model, now: Timestamp) -> BTreeMap<SloId, Composed> {
    let mut made: BTreeMap<SloId, Composed> = BTreeMap::new();
    for whole in composite::ordered(&model.fleet.objectives) {
        let Sli::Composite(of) = &whole.sli else { continue };
        let part = |(id, weight): &(SloId, f64)| {
            let objective = model.fleet.objective(id)?;
            if let Some(part) = made.get(id) {
                return Some((objective, *weight, part.clone()));
            }
            let measured = model.fleet.measured.get(id)?;
            let (measurement, excluded) = without_work(objective, measured, now, &work_of(model, now, objective));
            Some((objective, *weight, Composed { measurement, excluded }))
        };
        // A part that was not measured yet leaves the whole unknown.
        let Some(parts) = of.parts.iter().map(part).collect::<Option<Vec<_>>>() else { continue };
        let add = |a: Counts, b: Counts| Counts { bad: a.bad + b.bad, total: a.total + b.total };
        let excluded = parts.iter().filter_map(|(_, _, m)| m.excluded).reduce(add);
        let parts: Vec<Part<'_>> = parts
            .iter()
            .map(|(objective, weight, m)| Part { objective, weight: *weight, measurement: &m.measurement })
            .collect();
        let mut measurement = composite::measure(&whole, of.combine, &parts);
        measurement.parts = Some(events(model, now, &whole).map(Arc::new));
        made.insert(whole.id.clone(), Composed { measurement, excluded });
    }
    made
}

/// The events behind the parts of a composite, or why they cannot be added up.
fn events(model: &Model, now: Timestamp, whole: &Objective) -> Result<CompositeEvents, String> {
    let by_id: BTreeMap<&SloId, &Arc<Objective>> = model.fleet.objectives.iter().map(|o| (&o.id, o)).collect();
    let find = |id: &SloId| by_id.get(id).map(|o| Arc::clone(o));
    let part = |(objective, factor): (Arc<Objective>, f64)| {
        let measured = model.fleet.measured.get(&objective.id);
        let slices = measured.and_then(|m| m.slices.as_deref());
        let slices = slices.ok_or_else(|| format!("the events behind `{}` are not known", objective.id))?;
        let work = work_of(model, now, &objective);
        let newest = measured.and_then(|m| m.windows.get(&Window::M5)).and_then(|(at, r)| Some((*at, r.counts()?)));
        // While planned work goes on, what the poll says of the last minutes does not count.
        let newest = newest.filter(|(at, _)| !work.iter().any(|w| w.from <= *at && *at < w.to));
        let net = NetEvents::of(slices, &work);
        Ok(PartEvents { id: objective.id.clone(), factor, target: objective.target, net, newest })
    };
    CompositeEvents::of(whole, leaves(whole, &find)?.into_iter().map(part).collect::<Result<_, String>>()?)
}

/// The events behind the parts of a composite, where they are known.
pub fn known<'m>(model: &'m Model, id: &SloId) -> Option<&'m Arc<CompositeEvents>> {
    model.fleet.composed.get(id)?.measurement.parts.as_ref()?.as_ref().ok()
}

//! Where history is wanted finer than by the hour: at the instants at which incidents and planned work begin or end. Without
//! it, forty minutes of an outage would be smeared over the two hours that they lie in once these are kept as hours. Asks
//! nobody.

use crate::app::costs::{begin, end, margin};
use crate::app::health::LinkKind;
use crate::app::model::Model;
use crate::app::present::slos::work_of;
use crate::app::update::objectives_of;
use crate::domain::ids::{SloId, SourceName};
use crate::domain::incident::state::Incident;
use crate::domain::slo::composite_events::leaves;
use crate::domain::slo::objective::{Objective, Sli};
use crate::domain::slo::warm::Cuts;
use crate::domain::time::{Span, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How long what was found holds while no incident comes or ends: planned work comes by itself.
const AGE: Span = Span::seconds(60);

/// Looks them up anew for a source when they may be others. Where it was not told of them yet, history is left to be read.
pub fn refresh(model: &mut Model, source: &SourceName, now: Timestamp) {
    let Some(link) = model.links.get(source).filter(|l| matches!(l.kind, LinkKind::Prometheus { .. })) else { return };
    let ended = |i: &Incident| usize::from(end(i).is_some());
    let cases = || model.desk.cases.values().map(|c| &c.shown);
    let seen = [
        cases().map(|i| 1 + i.objectives.len()).sum(),
        cases().map(ended).sum(),
        model.fleet.objectives.len(),
        model.fleet.maintenance.len(),
    ];
    let young = link.warming.cut_at.is_some_and(|at| (Span::zero()..AGE).contains(&(now - at)));
    if young && link.warming.cut_for == seen {
        return;
    }
    let cuts = found(model, source, now);
    let Some(link) = model.links.get_mut(source) else { return };
    link.warming.cut_at = Some(now);
    link.warming.cut_for = seen;
    if *link.warming.cuts != cuts {
        link.warming.cuts = Arc::new(cuts);
    }
    if link.warming.cuts != link.warming.told {
        link.left = link.left.filter(|left| *left > 0);
    }
}

fn found(model: &Model, source: &SourceName, now: Timestamp) -> Cuts {
    let mut found: BTreeMap<SloId, BTreeSet<Timestamp>> = BTreeMap::new();
    let ours: BTreeMap<SloId, Arc<Objective>> =
        objectives_of(model, source).into_iter().map(|o| (o.id.clone(), o)).collect();
    for incident in model.desk.cases.values().map(|c| &c.shown) {
        for objective in incident.objectives.iter().filter_map(|id| model.fleet.objective(id)) {
            let margin = margin(model, objective);
            let ends = [
                begin(incident).checked_sub_signed(margin),
                end(incident).and_then(|at| at.checked_add_signed(margin)),
            ];
            for id in counted(model, objective).into_iter().filter(|id| ours.contains_key(id)) {
                found.entry(id).or_default().extend(ends.iter().flatten());
            }
        }
    }
    // What planned work excludes is left out of the parts of a composite.
    for objective in ours.values().filter(|o| !matches!(o.sli, Sli::Composite(_))) {
        let ends = work_of(model, now, objective).into_iter().flat_map(|w| [w.from, w.to]).filter(|at| *at <= now);
        let mut ends = ends.peekable();
        if ends.peek().is_some() {
            found.entry(objective.id.clone()).or_default().extend(ends);
        }
    }
    found.into_iter().map(|(id, at)| (id, at.into_iter().collect())).collect()
}

/// Whose events are counted for an objective: its own, or those of the parts of a composite.
fn counted(model: &Model, objective: &Arc<Objective>) -> Vec<SloId> {
    match objective.sli {
        Sli::Composite(_) => {
            let parts = leaves(objective, &|id| model.fleet.objective(id).cloned()).unwrap_or_default();
            parts.into_iter().map(|(part, _)| part.id.clone()).collect()
        }
        _ => vec![objective.id.clone()],
    }
}

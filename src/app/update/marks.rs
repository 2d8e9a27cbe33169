//! Marks of deploys and other changes: asked of a source while a chart of one of its objectives is looked at, at most once a
//! minute, and kept with the range that they are for.

use crate::app::effect::Effect;
use crate::app::fleet::Marked;
use crate::app::model::Model;
use crate::app::pending::Asked;
use crate::domain::fault::Fault;
use crate::domain::ids::SourceName;
use crate::domain::slo::marks::Marks;
use crate::domain::time::{Span, Timestamp, mins};

/// Asks for the marks of a range of time, unless they are younger than a minute, on their way, or nobody has any.
pub fn ask(model: &mut Model, now: Timestamp, source: &SourceName, range: Span, out: &mut Vec<Effect>) {
    let Some(link) = model.links.get(source) else { return };
    if link.markers.is_empty() || !link.breaker.is_closed() || link.good.is_none() {
        return;
    }
    let young = model.fleet.marks.get(source).is_some_and(|m| m.asked + mins(1) > now && m.range == range);
    if young || model.pending.any(|a| matches!(a, Asked::Marks(name, _) if name == source)) {
        return;
    }
    let markers = link.markers.clone();
    let req = model.pending.ask(Asked::Marks(source.clone(), range));
    out.push(Effect::Marks { req, source: source.clone(), markers, range });
}

/// Marks came, or did not: then the last ones stay, and that is said.
pub fn came(model: &mut Model, now: Timestamp, source: &SourceName, range: Span, result: Result<Marks, Fault>) {
    let before = model.fleet.marks.remove(source).unwrap_or_default();
    let marks = match result {
        Ok(marks) => marks,
        Err(fault) => Marks { remarks: vec![fault.to_string()], ..before.marks },
    };
    model.fleet.marks.insert(source.clone(), Marked { asked: now, range, marks });
}

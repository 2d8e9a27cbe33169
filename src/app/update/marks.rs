//! Marks of deploys and other changes: asked of a source while a chart of one of its objectives is looked at, at most once a
//! minute, and kept with the range that they are for. Targets that tell of changes are asked too, every other minute.

use crate::app::effect::Effect;
use crate::app::fleet::Marked;
use crate::app::model::Model;
use crate::app::pending::Asked;
use crate::domain::fault::Fault;
use crate::domain::ids::SourceName;
use crate::domain::outward::capability::Capability;
use crate::domain::outward::question::{Answer, Question};
use crate::domain::recent::Recent;
use crate::domain::slo::marks::{Mark, Marks};
use crate::domain::time::{Span, Timestamp, mins};

/// How long what a target told is young.
const TOLD: Span = Span::minutes(2);
/// The most changes of one target that are kept.
const MOST: usize = 50;

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

/// Asks the targets that tell of changes, unless what they told is young or on its way.
pub fn ask_targets(model: &mut Model, now: Timestamp, range: Span, out: &mut Vec<Effect>) {
    let mut wanted = Vec::new();
    for target in model.outbox.targets.values().filter(|target| target.breaker.is_closed()) {
        let name = &target.facts.name;
        let can = |capability| target.facts.caps.class(capability).is_some();
        let young = model.fleet.told.get(name).is_some_and(|m| m.asked + TOLD > now && m.range >= range);
        let out = |asked: &Asked| matches!(asked, Asked::Target(n, Question::Changes(..) | Question::Annotations(..)) if n == name);
        if young || model.pending.any(out) {
            continue;
        }
        let from = now - range;
        if can(Capability::ReadChanges) {
            wanted.push((name.clone(), Question::Changes(from, now)));
        } else if can(Capability::ReadAnnotations) {
            wanted.push((name.clone(), Question::Annotations(from, now, Vec::new())));
        }
    }
    for (target, question) in wanted {
        let req = model.pending.ask(Asked::Target(target.clone(), question.clone()));
        out.push(Effect::AskTarget { req, target, question });
    }
}

/// A target told of changes, or did not: then what it told last stays, and that is said.
pub fn told(
    model: &mut Model,
    now: Timestamp,
    target: &SourceName,
    question: &Question,
    result: Result<Answer, Fault>,
) {
    let (Question::Changes(from, to) | Question::Annotations(from, to, _)) = question else { return };
    let before = model.fleet.told.remove(target).unwrap_or_default();
    let mut marks: Vec<Mark> = match result {
        Ok(Answer::Changes(changes)) => changes.iter().map(|c| Recent::of_change(target, c).mark()).collect(),
        Ok(Answer::Annotations(all)) => all.iter().map(|a| Recent::of_annotation(target, a).mark()).collect(),
        Ok(_) => Vec::new(),
        Err(fault) => {
            let marks = Marks { remarks: vec![fault.to_string()], ..before.marks };
            model.fleet.told.insert(target.clone(), Marked { asked: now, range: before.range.max(*to - *from), marks });
            return;
        }
    };
    marks.sort();
    let left_out = marks.len().saturating_sub(MOST);
    let marks = marks.split_off(left_out);
    let remarks = (left_out > 0).then(|| format!("{target}: {left_out} older changes are not shown"));
    let marks = Marks { marks, remarks: remarks.into_iter().collect() };
    model.fleet.told.insert(target.clone(), Marked { asked: now, range: *to - *from, marks });
}

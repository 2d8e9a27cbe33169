//! Where the numbers of an objective of our own format come from: events, a ratio, a value per slice, or other objectives.
//! What is written by [`super::write`](mod@super::write) is read back as it was.

use crate::domain::document::{Fields, Level, Mark, Node, Reader};
use crate::domain::ids::SloId;
use crate::domain::slo::budget::round12;
use crate::domain::slo::objective::{Bad, Combine, Compare, Composite, Kind, Sli};
use crate::domain::slo::own::keys::names;
use crate::domain::slo::own::{GAPS, Measured, time_weighted};
use crate::domain::slo::promql::events::{Side, Unit, division, side, tree, whole, with_window};
use crate::domain::slo::promql::sli::{Shape, bad_of, per_slice, service, shape};
use crate::domain::slo::promql::{self, Refusal, WINDOW};
use crate::domain::slo::terms::{SLICE, choice, positive};
use crate::domain::time::{Span, prometheus};
use promql_parser::parser::Expr;

/// The share of good slices where neither the file nor a quantile says one.
const COMPLIANCE: f64 = 0.99;

/// How slices of events or of a ratio are judged.
struct Slices {
    slice: Span,
    good_from: Option<f64>,
    mean: bool,
}

/// Reads `sli` and `timeslices` of an objective. `window` is its length where that is known; `targeted` whether it has a target.
pub(super) fn read(
    reader: &mut Reader<'_>,
    objective: &Fields<'_>,
    window: Option<Span>,
    targeted: bool,
) -> Option<Measured> {
    let slices = match objective.get("timeslices") {
        Some(n) => Some(timeslices(reader, n)?),
        None => None,
    };
    let node = objective.need(reader, "sli")?;
    let fields = reader.map(node, "sli", &names("sli"))?;
    let kinds = ["events", "ratio", "value", "composite"];
    let given: Vec<&str> = kinds.into_iter().filter(|key| fields.get(key).is_some()).collect();
    let [kind] = given.as_slice() else {
        let what = if given.is_empty() { "nothing".to_owned() } else { given.join(" and ") };
        reader.error(node.mark, "sli", format!("sli has {what} (expected one of {})", kinds.join(", ")));
        return None;
    };
    for key in ["op", "threshold", "called"] {
        if let Some(n) = fields.get(key).filter(|_| *kind != "value") {
            reader.error(n.mark, "sli", format!("`{key}` belongs to a value, not to {kind}"));
            return None;
        }
    }
    if let Some(n) = objective.get("timeslices").filter(|_| matches!(*kind, "value" | "composite")) {
        reader.error(n.mark, "sli", format!("timeslices judge events or a ratio, not a {kind}"));
        return None;
    }
    if !targeted && *kind != "value" {
        objective.need(reader, "target");
    }
    let slice = match fields.get("slice") {
        Some(n) => Some(positive(reader, n, "slice", Span::seconds(1))?),
        None => None,
    };
    if let Some((longest, window)) = slice.or(slices.as_ref().map(|s| s.slice)).zip(window)
        && longest > window
    {
        let message = format!("a slice of {} is longer than the window", prometheus(longest));
        reader.error(node.mark, "slice", message);
        return None;
    }
    let gap = match fields.get("no_data") {
        Some(n) => Some(choice(reader, n, "no_data", &GAPS)?),
        None => None,
    };
    let inner = fields.get(kind)?;
    let measured = match *kind {
        "events" => events(reader, inner, slices.as_ref()),
        "ratio" => ratio(reader, inner, slice, slices.as_ref()),
        "value" => value(reader, &fields, inner, slice.unwrap_or(SLICE)),
        _ => composite(reader, inner),
    }?;
    Some(Measured { gap, ..measured })
}

fn timeslices(reader: &mut Reader<'_>, node: &Node) -> Option<Slices> {
    let fields = reader.map(node, "timeslices", &names("timeslices"))?;
    let slice = match fields.get("slice") {
        Some(n) => positive(reader, n, "slice", Span::seconds(1))?,
        None => SLICE,
    };
    let mean = match fields.get("mean") {
        Some(n) => reader.boolean(n, "mean")?,
        None => false,
    };
    let good_from = match fields.get("good_from") {
        Some(n) => Some(good_from(reader, n)?),
        None => None,
    };
    if mean == good_from.is_some() {
        reader.error(node.mark, "timeslices", "timeslices need either `good_from` or `mean: true`");
        return None;
    }
    Some(Slices { slice, good_from, mean })
}

/// A share over 0, at most 1; `95%` too.
fn good_from(reader: &mut Reader<'_>, node: &Node) -> Option<f64> {
    let text = reader.string(node, "good_from")?;
    let share = match text.trim().strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().ok().map(|p| round12(p / 100.0)),
        None => text.trim().parse::<f64>().ok(),
    };
    let share = share.filter(|s| *s > 0.0 && *s <= 1.0);
    if share.is_none() {
        reader.wrong(node, "good_from", "a share over 0, at most 1, such as 95%");
    }
    share
}

fn measured(sli: Sli, kind: Kind, service: Option<String>) -> Measured {
    Measured { sli, kind, called: "good ratio".to_owned(), compliance: COMPLIANCE, gap: None, service }
}

/// An event query, and the service it speaks of.
fn counted(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<(Side, Option<String>)> {
    let text = with_window(&reader.string(node, what)?);
    if !text.contains(WINDOW) {
        let message = format!("{what} has no {WINDOW} (expected it as the range, such as [{WINDOW}])");
        reader.error(node.mark, "promql", message);
        return None;
    }
    match tree(&text, false) {
        Ok(expr) => Some((side(&expr), service(&expr))),
        Err(Refusal::TooMuch(why)) => {
            reader.error(node.mark, "promql", format!("{what} is not read: {why}"));
            None
        }
        // The lint says so; the server decides.
        Err(Refusal::Unknown(_)) => Some((Side { text: whole(&text), unit: Unit::Unknown, by: Vec::new() }, None)),
    }
}

fn events(reader: &mut Reader<'_>, node: &Node, slices: Option<&Slices>) -> Option<Measured> {
    let fields = reader.map(node, "events", &names("events"))?;
    let total = fields.need(reader, "total").and_then(|n| counted(reader, n, "total"));
    let (key, part) = match (fields.get("bad"), fields.get("good")) {
        (Some(n), None) => ("bad", n),
        (None, Some(n)) => ("good", n),
        (Some(_), Some(n)) => {
            reader.error(n.mark, "sli", "both bad and good (expected one of them beside total)");
            return None;
        }
        (None, None) => {
            reader.error(node.mark, "missing-key", "events has neither `bad` nor `good`");
            return None;
        }
    };
    let mark = part.mark;
    let part = counted(reader, part, key);
    let ((part, _), (total, service)) = (part?, total?);
    if part.text == total.text {
        reader.error(mark, "promql", format!("{key} and total are the same query"));
        return None;
    }
    if part.unit != total.unit {
        let message = format!("{key} and total do not seem to count in one unit (one is a rate?)");
        reader.report(mark, Level::Warning, "unit", message);
    }
    let bad = if key == "good" { bad_of(part.text, &total.text) } else { Bad::Counted(part.text) };
    Some(match slices {
        None => measured(Sli::Events { bad, total: total.text }, Kind::Ratio, service),
        Some(slices) => judged(slices, &of_events(&bad, &total.text), service),
    })
}

/// The good ratio of two counts. A missing series of failures means none; without any traffic there is no ratio.
pub(in crate::domain::slo) fn of_events(bad: &Bad, total: &str) -> String {
    match bad {
        Bad::Counted(bad) => format!("1 - ({bad} or {total} * 0) / {total}"),
        Bad::TotalMinus(good) => format!("({good} or {total} * 0) / {total}"),
    }
}

fn judged(slices: &Slices, ratio: &str, service: Option<String>) -> Measured {
    let ratio = per_slice(ratio, slices.slice);
    match slices.good_from.filter(|_| !slices.mean) {
        Some(threshold) => {
            let sli = Sli::Slices { value: ratio, compare: Compare::AtLeast, threshold, slice: slices.slice };
            measured(sli, Kind::Threshold, service)
        }
        None => measured(Sli::Opaque { ratio, slice: slices.slice }, Kind::Ratio, service),
    }
}

/// A query's tree, the window being a range of it or not.
fn parsed(reader: &mut Reader<'_>, mark: Mark, what: &str, text: &str) -> Option<Option<Expr>> {
    let found = if text.contains(WINDOW) { tree(text, false) } else { promql::parse(text) };
    match found {
        Ok(expr) => Some(Some(expr)),
        Err(Refusal::TooMuch(why)) => {
            reader.error(mark, "promql", format!("{what} is not read: {why}"));
            None
        }
        Err(Refusal::Unknown(why)) if text.trim().is_empty() => {
            reader.error(mark, "promql", format!("{what} is empty: {why}"));
            None
        }
        Err(Refusal::Unknown(_)) => Some(None),
    }
}

fn ratio(reader: &mut Reader<'_>, node: &Node, slice: Option<Span>, slices: Option<&Slices>) -> Option<Measured> {
    let text = with_window(&reader.string(node, "ratio")?);
    let expr = parsed(reader, node.mark, "ratio", &text)?;
    let named = expr.as_ref().and_then(service);
    if let Some(slices) = slices {
        return Some(judged(slices, text.trim(), named));
    }
    let split = expr.as_ref().and_then(|expr| match division(expr).filter(|_| text.contains(WINDOW)) {
        Some((part, total, true)) => Some((Bad::Counted(part.text), total.text)),
        Some((part, total, false)) => Some((bad_of(part.text, &total.text), total.text)),
        None => match shape(expr) {
            Shape::Ratio { bad, total, .. } => Some((bad, total)),
            _ => None,
        },
    });
    match split {
        Some((bad, total)) => Some(measured(Sli::Events { bad, total }, Kind::Ratio, named)),
        None => {
            time_weighted(reader, node.mark);
            let slice = slice.unwrap_or(SLICE);
            let ratio = per_slice(text.trim(), slice);
            Some(measured(Sli::Opaque { ratio, slice }, Kind::Ratio, named))
        }
    }
}

fn value(reader: &mut Reader<'_>, fields: &Fields<'_>, node: &Node, slice: Span) -> Option<Measured> {
    let text = with_window(&reader.string(node, "value")?);
    let expr = parsed(reader, node.mark, "value", &text)?;
    let op = match fields.get("op") {
        Some(n) => {
            let written = reader.string(n, "op")?;
            let op = Compare::parse(&written);
            if op.is_none() {
                reader.wrong(n, "op", "<=, <, >= or >");
            }
            Some(op?)
        }
        None => None,
    };
    let named = expr.as_ref().and_then(service);
    let shape = expr.as_ref().map_or(Shape::Opaque, shape);
    let (query, compare, threshold, quantile) = match (shape, fields.get("threshold")) {
        (Shape::Condition { value, compare, threshold }, None) => {
            (value.to_string(), op.unwrap_or(compare), threshold, None)
        }
        (shape, _) => {
            let n = fields.need(reader, "threshold")?;
            let quantile = if let Shape::Quantile(q) = shape { q } else { None };
            (text.trim().to_owned(), op.unwrap_or(Compare::AtMost), reader.number(n, "threshold")?, quantile)
        }
    };
    let value = per_slice(&query, slice);
    let called = match fields.get("called") {
        Some(n) => reader.string(n, "called")?,
        None => quantile.map_or_else(|| "value".to_owned(), |q| format!("p{}", round12(q * 100.0))),
    };
    let sli = Sli::Slices { value, compare, threshold, slice };
    let compliance = quantile.unwrap_or(COMPLIANCE);
    Some(Measured { sli, kind: Kind::Threshold, called, compliance, gap: None, service: named })
}

fn composite(reader: &mut Reader<'_>, node: &Node) -> Option<Measured> {
    let fields = reader.map(node, "composite", &names("composite"))?;
    let words = [("weighted", Combine::Weighted), ("any_bad", Combine::AnyBad)];
    let combine = match fields.get("combine") {
        Some(n) => choice(reader, n, "combine", &words)?,
        None => Combine::Weighted,
    };
    let list = fields.need(reader, "parts")?;
    let mut parts: Vec<(SloId, f64)> = Vec::new();
    for item in reader.list(list, "parts") {
        let fields = reader.map(item, "a part", &names("part"))?;
        let name = fields.need(reader, "objective").and_then(|n| reader.string(n, "objective"))?;
        let weight = match fields.get("weight") {
            Some(n) => reader.number(n, "weight").filter(|w| *w > 0.0).or_else(|| {
                reader.wrong(n, "weight", "a number over 0");
                None
            })?,
            None => 1.0,
        };
        if parts.iter().any(|(id, _)| id.as_str() == name) {
            reader.error(item.mark, "composite", format!("`{name}` is a part twice"));
            return None;
        }
        parts.push((SloId(name), weight));
    }
    if parts.is_empty() {
        reader.error(list.mark, "composite", "a composite has at least one part");
        return None;
    }
    Some(measured(Sli::Composite(Composite { combine, parts }), Kind::Ratio, None))
}

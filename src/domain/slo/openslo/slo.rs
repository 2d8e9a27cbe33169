//! OpenSLO's kind `SLO`: one objective, several over one indicator (rows `name-objective`), or a composite of objectives
//! that each have an indicator. The budgeting method says how slices are judged.

use crate::domain::document::{Fields, Level, Mark, Node, Reader};
use crate::domain::ids::SloId;
use crate::domain::slo::budget::round12;
use crate::domain::slo::objective::{AlertPair, Bad, Combine, Compare, Composite, Gap, Identity, Kind, Objective, Sli};
use crate::domain::slo::openslo::alerts::{self, inline};
use crate::domain::slo::openslo::indicator::{self, Indicator};
use crate::domain::slo::openslo::window::{self, TimeWindow, duration};
use crate::domain::slo::openslo::{Index, Object, Version};
use crate::domain::slo::pairs;
use crate::domain::slo::promql::sli::per_slice;
use crate::domain::slo::terms::{self, SLICE, choice, errors, percent, share};
use crate::domain::slo::wording::{Said, says};
use crate::domain::time::{Span, prometheus};

/// How slices or events make a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Occurrences,
    Timeslices,
    RatioTimeslices,
}

const METHODS: [(&str, Method); 3] = [
    ("Occurrences", Method::Occurrences),
    ("Timeslices", Method::Timeslices),
    ("RatioTimeslices", Method::RatioTimeslices),
];
const SPEC: [&str; 12] = [
    "description",
    "service",
    "indicator",
    "indicatorRef",
    "sli",
    "sliRef",
    "timeWindow",
    "timeWindows",
    "budgetingMethod",
    "objectives",
    "alertPolicies",
    "attachments",
];
const OBJECTIVE: [&str; 14] = [
    "displayName",
    "op",
    "value",
    "target",
    "targetPercent",
    "timeSliceTarget",
    "timeSliceWindow",
    "indicator",
    "indicatorRef",
    "sli",
    "sliRef",
    "compositeWeight",
    "ratioMetrics",
    "budgetTarget",
];

/// What all objectives of an SLO share.
struct Common<'a> {
    path: &'a str,
    object: &'a Object,
    index: &'a Index,
    service: String,
    description: String,
    window: TimeWindow,
    method: Method,
    pairs: Vec<AlertPair>,
    labels: crate::domain::labels::Labels,
}

/// The objectives of an SLO and where they stand. One with an error is left out.
pub fn read(reader: &mut Reader<'_>, path: &str, object: &Object, index: &Index) -> Vec<(Mark, Objective)> {
    let Some(spec) = object.root.get("spec").and_then(|n| reader.foreign(n, "spec", &SPEC)) else { return Vec::new() };
    let service = spec.need(reader, "service").and_then(|n| {
        Index::hint(reader, &index.services, n, "the service");
        reader.string(n, "service")
    });
    let method = match spec.get("budgetingMethod") {
        Some(n) => choice(reader, n, "budgetingMethod", &METHODS),
        None => {
            let message = "no budgetingMethod: Occurrences is assumed (the SDK asks for one)";
            reader.report(spec.mark(), Level::Warning, "budgeting-method", message);
            Some(Method::Occurrences)
        }
    };
    let window = window::read(reader, object.version, &spec);
    let shared = shared(reader, &spec, index);
    let pairs = alerts::pairs(reader, spec.get("alertPolicies"), index);
    let description = description(reader, object, &spec);
    let labels = object.root.get("metadata").and_then(|m| m.get("labels"));
    let labels = labels.map(|n| terms::labels(reader, n, "labels", false)).unwrap_or_default();
    let list = spec.need(reader, "objectives");
    let (Some(service), Some(method), Some(window), Some(list)) = (service, method, window, list) else {
        return Vec::new();
    };
    let pairs = pairs.unwrap_or_else(|| pairs::usual(window.span));
    let common = Common { path, object, index, service, description, window, method, pairs, labels };
    rows(reader, &common, shared, list)
}

fn description(reader: &mut Reader<'_>, object: &Object, spec: &Fields<'_>) -> String {
    let shown = object.root.get("metadata").and_then(|m| m.get("displayName")).and_then(Node::text);
    let written = spec.get("description").and_then(|n| reader.string(n, "description"));
    written.or(shown.map(str::to_owned)).unwrap_or_default()
}

/// The indicator of a spec or an objective: `Some(None)` when it has one with an error.
fn shared(reader: &mut Reader<'_>, fields: &Fields<'_>, index: &Index) -> Option<Option<Indicator>> {
    let (own, reference) =
        (fields.get("indicator").or(fields.get("sli")), fields.get("indicatorRef").or(fields.get("sliRef")));
    match (own, reference) {
        (Some(own), Some(_)) => {
            reader.error(own.mark, "indicator", "both an indicator and a reference to one (expected one of them)");
            Some(None)
        }
        // The indicator of v1alpha stands there without its own spec.
        (Some(own), None) if own.get("thresholdMetric").is_some() => Some(indicator::read(reader, own, &index.sources)),
        (Some(own), None) => {
            let spec = inline(reader, own, "the indicator", "indicatorRef");
            Some(spec.and_then(|spec| indicator::read(reader, spec, &index.sources)))
        }
        (None, Some(node)) => {
            Some(Index::find(reader, &index.indicators, node, "the indicator", Level::Error).cloned().flatten())
        }
        (None, None) => None,
    }
}

fn rows(
    reader: &mut Reader<'_>,
    common: &Common<'_>,
    shared_indicator: Option<Option<Indicator>>,
    list: &Node,
) -> Vec<(Mark, Objective)> {
    let items = reader.list(list, "objectives");
    if items.is_empty() {
        reader.error(list.mark, "missing-key", "objectives is empty");
    }
    let names = names(&common.object.name, items);
    let mut rows: Vec<(Mark, Objective)> = Vec::new();
    let mut parts = Vec::new();
    let mut own = 0_usize;
    for (item, id) in items.iter().zip(&names) {
        let before = errors(reader);
        let Some(fields) = reader.foreign(item, "the objective", &OBJECTIVE) else { continue };
        let inner = shared(reader, &fields, common.index).or_else(|| in_objective(reader, &fields, common.index));
        let weight = weight(reader, &fields);
        let indicator = match (&shared_indicator, inner) {
            (Some(_), Some(_)) if common.object.version != Version::V1Alpha => {
                let message = "the SLO has an indicator already; an objective of a composite has the only one";
                reader.error(item.mark, "indicator", message);
                continue;
            }
            (_, Some(inner)) => {
                own += 1;
                inner
            }
            (Some(shared), None) => shared.clone(),
            (None, None) => {
                reader.error(item.mark, "missing-key", "neither the SLO nor the objective has an indicator");
                continue;
            }
        };
        let objective = objective(reader, common, &fields, id, indicator);
        if let Some(objective) = objective.filter(|_| errors(reader) == before) {
            parts.push((SloId(id.clone()), weight.unwrap_or(1.0)));
            rows.push((item.mark, objective));
        }
    }
    if own > 1 && own == items.len() && common.object.version != Version::V1Alpha {
        if rows.len() == items.len() {
            let whole = composite(common, &rows, parts);
            rows.push((common.object.root.mark, whole));
        } else {
            let message = "the composite is left out, because one of its objectives is";
            reader.report(list.mark, Level::Warning, "composite", message);
        }
    }
    rows
}

/// The ratio of `v1alpha`, which stands in the objective.
fn in_objective(reader: &mut Reader<'_>, fields: &Fields<'_>, index: &Index) -> Option<Option<Indicator>> {
    fields.get("ratioMetrics").map(|n| indicator::ratio(reader, n, &index.sources))
}

fn weight(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<f64> {
    let node = fields.get("compositeWeight")?;
    let weight = reader.number(node, "compositeWeight")?;
    if weight <= 0.0 {
        reader.wrong(node, "compositeWeight", "a number over 0");
        return None;
    }
    Some(weight)
}

/// The names of the rows: that of the SLO for one objective, else with the objective's own words or its number.
fn names(name: &str, items: &[Node]) -> Vec<String> {
    if items.len() == 1 {
        return vec![name.to_owned()];
    }
    let mut names: Vec<String> = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let shown = item.get("displayName").and_then(Node::text).map(slug).filter(|s| !s.is_empty());
        let mut row = format!("{name}-{}", shown.unwrap_or_else(|| (at + 1).to_string()));
        if names.contains(&row) {
            row = format!("{row}-{}", at + 1);
        }
        names.push(row);
    }
    names
}

fn slug(text: &str) -> String {
    let words: Vec<String> =
        text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect();
    words.join("-")
}

/// What one objective asks of its indicator.
struct Asked {
    target: f64,
    limit: Option<(Compare, f64)>,
    slice: Option<Span>,
    slice_target: Option<f64>,
}

fn objective(
    reader: &mut Reader<'_>,
    common: &Common<'_>,
    fields: &Fields<'_>,
    id: &str,
    indicator: Option<Indicator>,
) -> Option<Objective> {
    let target = target(reader, fields);
    let asked_slice = match fields.get("timeSliceWindow") {
        Some(n) => Some(slice(reader, n)?),
        None => None,
    };
    let slice_target = match fields.get("timeSliceTarget") {
        Some(n) => Some(slice_target(reader, n)?),
        None => None,
    };
    let limit = limit(reader, fields)?;
    let (target, indicator) = (target?, indicator?);
    let asked = Asked { target, limit, slice: asked_slice, slice_target };
    let (sli, kind, value, written) = measured(reader, common, fields, &asked, indicator)?;
    let (span, period) = (common.window.span, common.window.period.as_ref());
    let said = Said { sli: &sli, target: asked.target, window: span, period, value, assumed: false };
    let says = says(&said);
    let shown = fields.get("displayName").and_then(Node::text).filter(|_| id != common.object.name);
    let description = match (common.description.as_str(), shown) {
        (all, None) => all.to_owned(),
        ("", Some(own)) => own.to_owned(),
        (all, Some(own)) => format!("{own}: {all}"),
    };
    Some(Objective {
        id: SloId(id.to_owned()),
        kind,
        target: asked.target,
        sli,
        says,
        written,
        declared: format!("{}:{}", common.path, fields.mark().line),
        description,
        ..blank(common)
    })
}

/// What does not hang on the objective.
fn blank(common: &Common<'_>) -> Objective {
    Objective {
        id: SloId(common.object.name.clone()),
        service: common.service.clone(),
        kind: Kind::Ratio,
        target: 0.0,
        window: common.window.span,
        period: common.window.period.clone(),
        sli: Sli::Composite(Composite { combine: Combine::Weighted, parts: Vec::new() }),
        source: None,
        policy: None,
        pairs: common.pairs.clone(),
        says: String::new(),
        written: String::new(),
        declared: format!("{}:{}", common.path, common.object.root.mark.line),
        description: common.description.clone(),
        gap: Gap::default(),
        identity: Identity::OpenSlo(common.object.name.clone()),
        labels: common.labels.clone(),
        grouping: Vec::new(),
        min_failures: None,
    }
}

fn composite(common: &Common<'_>, rows: &[(Mark, Objective)], parts: Vec<(SloId, f64)>) -> Objective {
    let combine = if common.method == Method::Timeslices { Combine::AnyBad } else { Combine::Weighted };
    let weights: f64 = parts.iter().map(|(_, weight)| weight).sum();
    let sum: f64 = parts.iter().zip(rows).map(|((_, weight), (_, row))| weight * row.target).sum();
    let sli = Sli::Composite(Composite { combine, parts });
    let target = round12(sum / weights);
    let (window, period) = (common.window.span, common.window.period.as_ref());
    let said = Said { sli: &sli, target, window, period, value: "", assumed: false };
    let says = says(&said);
    let written = crate::domain::slo::wording::written(&sli);
    Objective { target, sli, says, written, ..blank(common) }
}

fn target(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<f64> {
    let plain = fields.get("target").or(fields.get("budgetTarget"));
    match (plain, fields.get("targetPercent")) {
        (Some(n), None) => {
            let written = reader.number(n, "target")?;
            share(reader, n.mark, "target", written)
        }
        (None, Some(n)) => {
            let written = reader.number(n, "targetPercent")?;
            percent(reader, n.mark, "targetPercent", written)
        }
        (Some(_), Some(n)) => {
            reader.error(n.mark, "target", "both target and targetPercent (expected one of them)");
            None
        }
        (None, None) => {
            fields.need(reader, "target");
            None
        }
    }
}

fn slice(reader: &mut Reader<'_>, node: &Node) -> Option<Span> {
    // The specification counts minutes where no unit is written.
    if let Some(minutes) = node.text().and_then(|t| t.parse::<i64>().ok()).filter(|m| (1..=1_440).contains(m)) {
        let message = format!("timeSliceWindow `{minutes}` is read as minutes (expected a unit, such as {minutes}m)");
        reader.report(node.mark, Level::Warning, "time-slice", message);
        return Some(Span::minutes(minutes));
    }
    duration(reader, node, "timeSliceWindow", Span::minutes(1))
}

fn slice_target(reader: &mut Reader<'_>, node: &Node) -> Option<f64> {
    let share = reader.number(node, "timeSliceTarget")?;
    if !(share > 0.0 && share <= 1.0) {
        reader.wrong(node, "timeSliceTarget", "a share over 0, at most 1");
        return None;
    }
    Some(share)
}

/// `op` and `value`; the outer `None` is an error.
fn limit(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<Option<(Compare, f64)>> {
    let op = match fields.get("op") {
        Some(n) => {
            let text = reader.string(n, "op")?;
            let op = Compare::parse(&text).filter(|_| text.chars().all(char::is_alphabetic));
            if op.is_none() {
                reader.wrong(n, "op", "lte, lt, gte or gt");
                return None;
            }
            op
        }
        None => None,
    };
    let value = match fields.get("value") {
        Some(n) => Some(reader.number(n, "value")?),
        None => None,
    };
    Some(op.zip(value))
}

type Measured = (Sli, Kind, &'static str, String);

fn measured(
    reader: &mut Reader<'_>,
    common: &Common<'_>,
    fields: &Fields<'_>,
    asked: &Asked,
    indicator: Indicator,
) -> Option<Measured> {
    let needs: &[&str] = match common.method {
        Method::Occurrences => &[],
        Method::Timeslices => &["timeSliceTarget", "timeSliceWindow"],
        Method::RatioTimeslices => &["timeSliceWindow"],
    };
    let missing = needs.iter().filter(|key| fields.need(reader, key).is_none()).count();
    if missing > 0 {
        return None;
    }
    if asked.slice.is_some_and(|s| s > common.window.span) {
        reader.error(fields.mark(), "time-slice", "timeSliceWindow is longer than the time window");
        return None;
    }
    match indicator {
        Indicator::Threshold { query } => threshold(reader, common, fields, asked, query),
        Indicator::Ratio { bad, total, written } => {
            no_limit(reader, fields);
            Some(ratio(common, asked, bad, total, written))
        }
        Indicator::Raw { good, written } => {
            no_limit(reader, fields);
            let slice = asked.slice.unwrap_or(SLICE);
            Some(sliced(common, asked, per_slice(&good, slice), slice, written))
        }
    }
}

/// The specification's own examples have `op` on ratios; its SDK forbids that.
fn no_limit(reader: &mut Reader<'_>, fields: &Fields<'_>) {
    for key in ["op", "value"] {
        if let Some(node) = fields.get(key) {
            let message = format!("`{key}` means nothing for a ratio; it is ignored (the SDK forbids it)");
            reader.report(node.mark, Level::Warning, "ratio-limit", message);
        }
    }
}

fn threshold(
    reader: &mut Reader<'_>,
    common: &Common<'_>,
    fields: &Fields<'_>,
    asked: &Asked,
    query: String,
) -> Option<Measured> {
    let Some((compare, threshold)) = asked.limit else {
        for key in ["op", "value"] {
            fields.need(reader, key);
        }
        return None;
    };
    let slice = asked.slice.unwrap_or(SLICE);
    let said = match common.method {
        Method::Occurrences => Some(format!("occurrences of a value are counted as slices of {}", prometheus(slice))),
        Method::Timeslices if asked.slice_target.is_some_and(|t| t < 1.0) => {
            Some("the value is judged once per slice, not several times as timeSliceTarget has it".to_owned())
        }
        _ => None,
    };
    if let Some(message) = said {
        reader.report(fields.mark(), Level::Info, "time-slice", message);
    }
    let value = per_slice(&query, slice);
    Some((Sli::Slices { value, compare, threshold, slice }, Kind::Threshold, "value", query))
}

fn ratio(common: &Common<'_>, asked: &Asked, bad: Bad, total: String, written: String) -> Measured {
    if common.method == Method::Occurrences {
        return (Sli::Events { bad, total }, Kind::Ratio, "", written);
    }
    let slice = asked.slice.unwrap_or(SLICE);
    // A missing series of failures means none; without any traffic there is no ratio.
    let good = match &bad {
        Bad::Counted(bad) => format!("1 - ({bad} or {total} * 0) / {total}"),
        Bad::TotalMinus(good) => format!("({good} or {total} * 0) / {total}"),
    };
    sliced(common, asked, per_slice(&good, slice), slice, written)
}

fn sliced(common: &Common<'_>, asked: &Asked, ratio: String, slice: Span, written: String) -> Measured {
    match (common.method, asked.slice_target) {
        (Method::Timeslices, Some(threshold)) => {
            let sli = Sli::Slices { value: ratio, compare: Compare::AtLeast, threshold, slice };
            (sli, Kind::Threshold, "good ratio", written)
        }
        _ => (Sli::Opaque { ratio, slice }, Kind::Ratio, "", written),
    }
}

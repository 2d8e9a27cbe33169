//! OpenSLO's indicators: a threshold metric, a ratio of two counts, or a raw ratio. Turns queries into counts over
//! `$window`; what its data source cannot be asked with PromQL is refused.

use crate::domain::document::{Fields, Level, Mark, Node, Reader};
use crate::domain::slo::objective::Bad;
use crate::domain::slo::openslo::Index;
use crate::domain::slo::promql::counter::Counter;
use crate::domain::slo::promql::events::{Side, Unit, division, inverse, side, tree, whole, with_window};
use crate::domain::slo::promql::sli::bad_of;
use crate::domain::slo::promql::{Refusal, WINDOW, bare};
use crate::domain::slo::terms::choice;
use promql_parser::parser::{Expr, VectorSelector};
use std::collections::BTreeMap;

/// What is measured.
#[derive(Clone, Debug, PartialEq)]
pub enum Indicator {
    /// A value, and its query as written.
    Threshold {
        /// PromQL.
        query: String,
    },
    /// Two counts.
    Ratio {
        /// Bad events.
        bad: Bad,
        /// All events.
        total: String,
        /// The queries as written.
        written: String,
    },
    /// A ratio by itself, `$window` as its range.
    Raw {
        /// PromQL of the good ratio.
        good: String,
        /// As written.
        written: String,
    },
}

const METRIC: [&str; 8] =
    ["metricSource", "source", "queryType", "query", "metadata", "dataSourceRef", "dataSourceSpec", "spec"];
const RATIO: [&str; 7] = ["counter", "incremental", "good", "bad", "total", "raw", "rawType"];
/// Keys under which a query may stand; the specification names none.
const QUERY: [&str; 5] = ["query", "promql", "expression", "expr", "metric"];
/// Types of sources that understand PromQL.
const PROMETHEUS: [&str; 6] = ["prom", "thanos", "mimir", "cortex", "victoria", "amp"];

/// Reads `spec` of an SLI.
pub fn read(reader: &mut Reader<'_>, spec: &Node, sources: &BTreeMap<String, String>) -> Option<Indicator> {
    let fields = reader.foreign(spec, "the indicator", &["description", "thresholdMetric", "ratioMetric"])?;
    match (fields.get("thresholdMetric"), fields.get("ratioMetric")) {
        (Some(node), None) => threshold(reader, node, sources),
        (None, Some(node)) => ratio(reader, node, sources),
        (Some(_), Some(node)) => {
            reader.error(node.mark, "indicator", "both thresholdMetric and ratioMetric (expected one)");
            None
        }
        (None, None) => {
            reader.error(spec.mark, "missing-key", "the indicator has neither thresholdMetric nor ratioMetric");
            None
        }
    }
}

/// A metric that is a value.
pub fn threshold(reader: &mut Reader<'_>, node: &Node, sources: &BTreeMap<String, String>) -> Option<Indicator> {
    let (query, mark) = query(reader, node, "thresholdMetric", sources)?;
    let query = if query.contains(WINDOW) { query } else { query.trim().to_owned() };
    if let Err(Refusal::TooMuch(why)) = tree(&query, false) {
        reader.error(mark, "promql", format!("the query is not read: {why}"));
        return None;
    }
    Some(Indicator::Threshold { query })
}

/// Two counts, or one ratio.
pub fn ratio(reader: &mut Reader<'_>, node: &Node, sources: &BTreeMap<String, String>) -> Option<Indicator> {
    let fields = reader.foreign(node, "ratioMetric", &RATIO)?;
    let counter = match fields.get("counter").or(fields.get("incremental")) {
        Some(n) => Some(reader.boolean(n, "counter")?),
        None => None,
    };
    if let Some(raw) = fields.get("raw") {
        for key in ["good", "bad", "total"].into_iter().filter(|key| fields.get(key).is_some()) {
            reader.report(raw.mark, Level::Warning, "indicator", format!("`{key}` beside `raw` is ignored"));
        }
        return self::raw(reader, &fields, raw, sources);
    }
    let total = fields.need(reader, "total").and_then(|n| counted(reader, n, "total", counter, sources));
    let (key, part) = match (fields.get("good"), fields.get("bad")) {
        (Some(node), None) => ("good", node),
        (None, Some(node)) => ("bad", node),
        (Some(_), Some(node)) => {
            reader.error(node.mark, "indicator", "both good and bad (expected one of them beside total)");
            return None;
        }
        (None, None) => {
            reader.error(node.mark, "missing-key", "ratioMetric has neither good nor bad nor raw");
            return None;
        }
    };
    let mark = part.mark;
    let part = counted(reader, part, key, counter, sources);
    let ((part, part_written), (total, total_written)) = (part?, total?);
    if part.unit != total.unit {
        let message = format!("{key} and total do not seem to count in one unit (one is a rate?)");
        reader.report(mark, Level::Warning, "unit", message);
    }
    if part.text == total.text {
        reader.error(mark, "indicator", format!("{key} and total are the same query"));
        return None;
    }
    let bad = if key == "good" { bad_of(part.text, &total.text) } else { Bad::Counted(part.text) };
    let written = match key {
        "good" => format!("({part_written}) / ({total_written})"),
        _ => format!("1 - ({part_written}) / ({total_written})"),
    };
    Some(Indicator::Ratio { bad, total: total.text, written })
}

fn raw(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    node: &Node,
    sources: &BTreeMap<String, String>,
) -> Option<Indicator> {
    let success = fields.need(reader, "rawType");
    let success = success.and_then(|n| choice(reader, n, "rawType", &[("success", true), ("failure", false)]));
    let (query, mark) = query(reader, node, "raw", sources)?;
    let success = success?;
    let written = query.trim().to_owned();
    let expr = match tree(&query, !query.contains(WINDOW)) {
        Ok(expr) => expr,
        Err(Refusal::TooMuch(why)) => {
            reader.error(mark, "promql", format!("the query is not read: {why}"));
            return None;
        }
        // The lint says so; the server decides.
        Err(Refusal::Unknown(_)) => {
            let good = if success { written.clone() } else { inverse(None, &written) };
            return Some(Indicator::Raw { good, written });
        }
    };
    if let Some((part, total, inverted)) = division(&expr) {
        // `good / all` of a success, `1 - bad / all` of a success, and the two of a failure.
        let bad = if success == inverted { Bad::Counted(part.text) } else { bad_of(part.text, &total.text) };
        return Some(Indicator::Ratio { bad, total: total.text, written });
    }
    let message = "the ratio cannot be split into bad and all events; it is averaged over time, whatever the traffic";
    reader.report(mark, Level::Info, "time-weighted", message);
    let good = if success { query } else { inverse(Some(&expr), &query) };
    Some(Indicator::Raw { good, written })
}

/// The query of a metric and where it stands; refused when its source does not speak PromQL.
fn query(
    reader: &mut Reader<'_>,
    node: &Node,
    what: &str,
    sources: &BTreeMap<String, String>,
) -> Option<(String, Mark)> {
    let fields = reader.foreign(node, what, &METRIC)?;
    let place = match fields.get("metricSource") {
        Some(source) => {
            let inner = reader.foreign(source, "metricSource", &["metricSourceRef", "type", "spec"])?;
            let kind = match inner.get("type") {
                Some(n) => Some((n.mark, reader.string(n, "type")?)),
                None => None,
            };
            let by_name = named(reader, inner.get("metricSourceRef"), sources);
            speaks(reader, kind.or(by_name))?;
            inner.need(reader, "spec")?
        }
        None => {
            let by_name = named(reader, fields.get("dataSourceRef").or(fields.get("source")), sources);
            let inline = fields.get("dataSourceSpec").and_then(|n| n.get("type"));
            let inline = inline.and_then(|n| Some((n.mark, n.text()?.to_owned())));
            let kind = fields.get("queryType").and_then(|n| Some((n.mark, n.text()?.to_owned())));
            speaks(reader, inline.or(by_name).or(kind))?;
            fields.get("spec").unwrap_or(node)
        }
    };
    let found = QUERY.iter().find_map(|key| place.get(key)).or(place.text().map(|_| place));
    let Some(found) = found else {
        let message = format!("{what} has no query that is known here (expected the key query in its spec)");
        reader.error(place.mark, "missing-key", message);
        return None;
    };
    let text = reader.string(found, "query")?;
    if text.trim().is_empty() {
        reader.error(found.mark, "promql", format!("the query of {what} is empty"));
        return None;
    }
    Some((with_window(&text), found.mark))
}

/// The type of a source that is named; one that no file has is a warning, because it may live elsewhere.
fn named(
    reader: &mut Reader<'_>,
    reference: Option<&Node>,
    sources: &BTreeMap<String, String>,
) -> Option<(Mark, String)> {
    let node = reference?;
    let name = reader.string(node, "the data source")?;
    match sources.get(&name) {
        Some(kind) => Some((node.mark, kind.clone())),
        None => {
            Index::hint(reader, sources, node, "the data source");
            None
        }
    }
}

/// Whether a type of source understands PromQL; one that is not told is taken for a Prometheus.
fn speaks(reader: &mut Reader<'_>, kind: Option<(Mark, String)>) -> Option<()> {
    let Some((mark, kind)) = kind else { return Some(()) };
    let lower = kind.to_lowercase();
    if lower.is_empty() || PROMETHEUS.iter().any(|word| lower.contains(word)) {
        return Some(());
    }
    reader.error(mark, "source-type", format!("its source is of type `{kind}`, which is not asked with PromQL"));
    None
}

/// One side as events in the window, and its query as written. A plain series is counted as `counter` says; ranges become
/// the window.
fn counted(
    reader: &mut Reader<'_>,
    node: &Node,
    what: &str,
    counter: Option<bool>,
    sources: &BTreeMap<String, String>,
) -> Option<(Side, String)> {
    let (query, mark) = query(reader, node, what, sources)?;
    let written = query.trim().to_owned();
    let own = query.contains(WINDOW);
    let expr = match tree(&query, !own) {
        Ok(expr) => expr,
        Err(Refusal::Unknown(_)) if own => {
            return Some((Side { text: whole(&query), unit: Unit::Unknown, by: Vec::new() }, written));
        }
        Err(Refusal::Unknown(why) | Refusal::TooMuch(why)) => {
            reader.error(mark, "promql", format!("the query of {what} is not read: {why}"));
            return None;
        }
    };
    if let Some(selector) = plain(&expr) {
        let func = if counts(reader, mark, &selector, counter) { "increase" } else { "sum_over_time" };
        let text = Counter::new(func, selector).text();
        return Some((side(&tree(&text, false).ok()?), written));
    }
    let mut side = side(&expr);
    side.by.clear();
    let why = match (side.text.contains(WINDOW), !own && has_subquery(&expr)) {
        (_, true) => "has a subquery, which cannot be stretched over the window",
        (false, _) => "has no range that could be stretched over the window",
        (true, false) => return Some((side, written)),
    };
    let message = format!("the query of {what} {why} (expected a rate or increase over a range, or a plain series)");
    reader.error(mark, "promql", message);
    None
}

/// Whether a plain series is a counter. Where the file does not say, its name does.
fn counts(reader: &mut Reader<'_>, mark: Mark, selector: &VectorSelector, counter: Option<bool>) -> bool {
    let name = selector.name.as_deref().unwrap_or_default();
    let named = ["_total", "_count", "_bucket", "_sum"].iter().any(|end| name.ends_with(end));
    if counter.is_none() && named {
        let message = format!("`counter` is not written; `{name}` is taken for a counter by its name");
        reader.report(mark, Level::Warning, "counter", message);
    }
    counter.unwrap_or(named)
}

/// A series, or the sum of one, without a range.
fn plain(expr: &Expr) -> Option<VectorSelector> {
    let inner = match bare(expr) {
        Expr::Aggregate(a) if a.op.to_string() == "sum" => bare(&a.expr),
        other => other,
    };
    match inner {
        Expr::VectorSelector(selector) => {
            let counter = Counter::new("increase", selector.clone());
            (Counter::read(&counter.text()).as_ref() == Some(&counter)).then(|| selector.clone())
        }
        _ => None,
    }
}

fn has_subquery(expr: &Expr) -> bool {
    match expr {
        Expr::Subquery(_) => true,
        Expr::Aggregate(a) => has_subquery(&a.expr),
        Expr::Unary(u) => has_subquery(&u.expr),
        Expr::Binary(b) => has_subquery(&b.lhs) || has_subquery(&b.rhs),
        Expr::Paren(p) => has_subquery(&p.expr),
        Expr::Call(call) => call.args.args.iter().any(|a| has_subquery(a)),
        _ => false,
    }
}

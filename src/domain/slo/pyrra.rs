//! Pyrra: `pyrra.dev/v1alpha1 ServiceLevelObjective`. Metrics are selectors there; what is counted of them follows from the
//! kind of indicator. `grouping` makes one row per value. Never repeats what Pyrra writes for the server.

use crate::domain::document::{Fields, Level, Mark, Node, Reader};
use crate::domain::ids::SloId;
use crate::domain::labels::Labels;
use crate::domain::slo::format::{Document, Gathered};
use crate::domain::slo::objective::{AlertPair, Bad, Gap, Identity, Kind, Objective, Sli};
use crate::domain::slo::pairs::Named;
use crate::domain::slo::promql::counter::Counter;
use crate::domain::slo::promql::events::canonical;
use crate::domain::slo::promql::{self, WINDOW, bare, parse};
use crate::domain::slo::terms::{errors, first_word, percent, positive};
use crate::domain::slo::wording::{Said, says};
use crate::domain::time::{Span, parse_span, seconds};
use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{Expr, VectorSelector};

const SPEC: [&str; 8] = [
    "description",
    "target",
    "window",
    "indicator",
    "alerting",
    "partial_response_strategy",
    "performanceOverAccuracy",
    "ruleOutput",
];
const INDICATORS: [&str; 4] = ["ratio", "latency", "latencyNative", "bool_gauge"];
const ALERTING: [&str; 7] = ["disabled", "burnrates", "absent", "name", "absentName", "severities", "burnRateType"];
const SEVERITIES: [&str; 5] = ["absent", "fastBurn", "mediumBurn", "slowBurn", "longTermBurn"];
/// Labels of the object with this prefix are labels of what Pyrra records.
const PREFIX: &str = "pyrra.dev/";

/// Whether a document is of this format.
pub fn knows(root: &Node) -> bool {
    root.get("apiVersion").and_then(Node::text).is_some_and(|t| t.starts_with(PREFIX))
}

/// Takes the objective out of a document.
pub fn gather(reader: &mut Reader<'_>, document: Document<'_>, gathered: &mut Gathered) {
    let before = errors(reader);
    let objective = object(reader, document);
    if errors(reader) == before {
        gathered.declared.extend(objective.map(|o| document.declare(document.root.mark, o)));
    }
}

fn object(reader: &mut Reader<'_>, document: Document<'_>) -> Option<Objective> {
    let keys = ["apiVersion", "kind", "metadata", "spec", "status"];
    let fields = reader.foreign(document.root, "the object", &keys)?;
    for (key, wanted) in [("apiVersion", "pyrra.dev/v1alpha1"), ("kind", "ServiceLevelObjective")] {
        if let Some(node) = fields.need(reader, key).filter(|n| n.text() != Some(wanted)) {
            reader.wrong(node, key, wanted);
            return None;
        }
    }
    let (name, labels) = fields.need(reader, "metadata").map(|n| metadata(reader, n))?;
    let spec = fields.need(reader, "spec").and_then(|n| reader.foreign(n, "spec", &SPEC))?;
    let description = spec.get("description").and_then(|n| reader.string(n, "description")).unwrap_or_default();
    let target = spec.need(reader, "target").and_then(|n| target(reader, n));
    let window = spec.need(reader, "window").and_then(|n| positive(reader, n, "window", Span::minutes(5)));
    let measured = spec.need(reader, "indicator").and_then(|n| indicator(reader, n));
    if let Some(node) = spec.get("performanceOverAccuracy") {
        reader.boolean(node, "performanceOverAccuracy");
    }
    let pairs = alerting(reader, &spec, window.unwrap_or(Span::days(28)));
    let (name, target, window, measured) = (name?, target?, window?, measured?);
    let said = Said { sli: &measured.sli, target, window, period: None, value: "", assumed: false };
    let says = says(&said);
    Some(Objective {
        id: SloId(name.clone()),
        service: measured.service.unwrap_or_else(|| first_word(&name)),
        kind: Kind::Ratio,
        target,
        window,
        period: None,
        sli: measured.sli,
        source: None,
        policy: None,
        pairs,
        says,
        written: measured.written,
        declared: document.place(document.root.mark),
        description,
        gap: Gap::default(),
        identity: Identity::Pyrra { name, part: measured.part, total: measured.total, group: Labels::default() },
        labels,
        grouping: measured.grouping,
        min_failures: None,
    })
}

/// The name, and the labels that Pyrra gives on. Everything else is Kubernetes' own.
fn metadata(reader: &mut Reader<'_>, node: &Node) -> (Option<String>, Labels) {
    let mut labels = Labels::default();
    if reader.entries(node, "metadata").is_none() {
        return (None, labels);
    }
    let name = match node.get("name") {
        Some(name) => reader.string(name, "name").filter(|n| !n.is_empty()),
        None => None,
    };
    if name.is_none() {
        reader.error(node.mark, "missing-key", "metadata has no `name`");
    }
    if let Some(given) = node.get("labels") {
        for (key, value) in reader.entries(given, "labels").unwrap_or_default() {
            if let (Some(label), Some(text)) = (key.text.strip_prefix(PREFIX), reader.string(value, &key.text)) {
                labels.0.insert(label.to_owned(), text);
            }
        }
    }
    (name, labels)
}

/// A text with a percentage.
fn target(reader: &mut Reader<'_>, node: &Node) -> Option<f64> {
    let written = reader.string(node, "target")?;
    let Some(number) = written.trim().parse::<f64>().ok().filter(|n| n.is_finite()) else {
        reader.wrong(node, "target", "a percentage such as '99.9'");
        return None;
    };
    percent(reader, node.mark, "target", number)
}

/// The alert pairs. Four, unless they are switched off; which of them wake somebody is told by their place, because a
/// severity is a free word there.
fn alerting(reader: &mut Reader<'_>, spec: &Fields<'_>, window: Span) -> Vec<AlertPair> {
    let mut pairs = Named::Pyrra.pairs(window);
    let Some(fields) = spec.get("alerting").and_then(|n| reader.foreign(n, "alerting", &ALERTING)) else {
        return pairs;
    };
    let mut flag = |key: &str, without: bool| fields.get(key).and_then(|n| reader.boolean(n, key)).unwrap_or(without);
    let (off, burnrates) = (flag("disabled", false), flag("burnrates", true));
    flag("absent", true);
    if let Some(node) = fields.get("burnRateType").filter(|n| n.text() != Some("static")) {
        let message = "alerts whose factor follows the traffic are not computed here; the static factors are used";
        reader.report(node.mark, Level::Warning, "burn-rate-type", message);
    }
    for key in ["name", "absentName"] {
        fields.get(key).map(|n| reader.string(n, key));
    }
    if let Some(words) = fields.get("severities").and_then(|n| reader.foreign(n, "severities", &SEVERITIES)) {
        let places = ["fastBurn", "mediumBurn", "slowBurn", "longTermBurn"];
        for (pair, key) in pairs.iter_mut().zip(places) {
            if let Some(node) = words.get(key)
                && let Some(word) = reader.string(node, key)
            {
                pair.severity = severity(reader, node, key, &word, &pair.severity);
            }
        }
    }
    if off || !burnrates { Vec::new() } else { pairs }
}

fn severity(reader: &mut Reader<'_>, node: &Node, key: &str, word: &str, usual: &str) -> String {
    match word.to_lowercase().as_str() {
        "page" | "critical" | "emergency" | "high" => "page".to_owned(),
        "ticket" | "warning" | "info" | "low" | "none" => "ticket".to_owned(),
        _ => {
            let message =
                format!("{key} has the severity `{word}`, which is a {usual} here (known: critical, warning)");
            reader.report(node.mark, Level::Warning, "severity", message);
            usual.to_owned()
        }
    }
}

struct Measured {
    sli: Sli,
    written: String,
    part: String,
    total: String,
    grouping: Vec<String>,
    service: Option<String>,
}

fn indicator(reader: &mut Reader<'_>, node: &Node) -> Option<Measured> {
    let fields = reader.foreign(node, "indicator", &INDICATORS)?;
    let given: Vec<&str> = INDICATORS.into_iter().filter(|key| fields.get(key).is_some()).collect();
    let [kind] = given.as_slice() else {
        let what = if given.is_empty() { "nothing".to_owned() } else { given.join(" and ") };
        let message = format!("indicator has {what} (expected one of {})", INDICATORS.join(", "));
        reader.error(node.mark, "indicator", message);
        return None;
    };
    let node = fields.get(kind)?;
    match *kind {
        "ratio" => ratio(reader, node),
        "latency" => latency(reader, node),
        "latencyNative" => native(reader, node),
        _ => gauge(reader, node),
    }
}

/// A bare selector and its metric.
#[derive(Clone)]
struct Metric {
    selector: VectorSelector,
    name: String,
    mark: Mark,
}

impl Metric {
    fn sum(&self, func: &'static str) -> String {
        Counter::new(func, self.selector.clone()).text()
    }

    /// The service that its matchers name.
    fn service(&self) -> Option<String> {
        let value = |name: &str| {
            let found = self.selector.matchers.matchers.iter().find(|m| m.name == name && m.op == MatchOp::Equal);
            found.map(|m| m.value.clone()).filter(|v| !v.is_empty())
        };
        value("service").or_else(|| value("job"))
    }
}

/// The selector under `key.metric`.
fn nested(reader: &mut Reader<'_>, fields: &Fields<'_>, key: &str) -> Option<Metric> {
    let inner = fields.need(reader, key).and_then(|n| reader.foreign(n, key, &["metric"]))?;
    metric(reader, &inner, key)
}

fn metric(reader: &mut Reader<'_>, fields: &Fields<'_>, what: &str) -> Option<Metric> {
    let node = fields.need(reader, "metric")?;
    let text = reader.string(node, "metric")?;
    let what = format!("the metric of {what}");
    let wrong = |reader: &mut Reader<'_>, why: &str| {
        reader.error(
            node.mark,
            "promql",
            format!("{what} {why} (expected a selector such as http_requests_total{{job=\"api\"}})"),
        );
        None
    };
    let selector = match parse(&text) {
        Ok(expr) => match bare(&expr) {
            Expr::VectorSelector(selector) if selector.at.is_none() => selector.clone(),
            Expr::VectorSelector(_) => return wrong(reader, "is held at one instant"),
            _ => return wrong(reader, "is no selector"),
        },
        Err(promql::Refusal::Unknown(why) | promql::Refusal::TooMuch(why)) => {
            return wrong(reader, &format!("is not understood: {why}"));
        }
    };
    let named = || {
        let found = selector.matchers.matchers.iter().find(|m| m.name == "__name__" && m.op == MatchOp::Equal);
        found.map(|m| m.value.clone())
    };
    let Some(name) = selector.name.clone().or_else(named) else {
        return wrong(reader, "names no metric");
    };
    let metric = Metric { selector, name, mark: node.mark };
    if Counter::read(&metric.sum("increase")).is_none() {
        return wrong(reader, "cannot be written back as it was read");
    }
    Some(metric)
}

fn grouping(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Vec<String> {
    let mut labels = fields.get("grouping").map(|n| reader.strings(n, "grouping")).unwrap_or_default();
    labels.sort();
    labels.dedup();
    labels
}

fn ratio(reader: &mut Reader<'_>, node: &Node) -> Option<Measured> {
    let fields = reader.foreign(node, "ratio", &["errors", "total", "grouping"])?;
    let (bad, total) = (nested(reader, &fields, "errors"), nested(reader, &fields, "total"));
    let grouping = grouping(reader, &fields);
    let (bad, total) = (bad?, total?);
    let sli = Sli::Events { bad: Bad::Counted(bad.sum("increase")), total: total.sum("increase") };
    if sli == (Sli::Events { bad: Bad::Counted(total.sum("increase")), total: total.sum("increase") }) {
        reader.report(bad.mark, Level::Warning, "error-ratio", "errors and total are the same: everything is an error");
    }
    let written = format!("{} / {}", bad.selector, total.selector);
    Some(Measured { sli, written, service: total.service(), part: bad.name, total: total.name, grouping })
}

fn latency(reader: &mut Reader<'_>, node: &Node) -> Option<Measured> {
    let fields = reader.foreign(node, "latency", &["success", "total", "grouping"])?;
    let (good, total) = (nested(reader, &fields, "success"), nested(reader, &fields, "total"));
    let grouping = grouping(reader, &fields);
    let (mut good, total) = (good?, total?);
    let written = format!("{} / {}", good.selector, total.selector);
    if !either_form(&mut good.selector) {
        let le = good.selector.matchers.matchers.iter().find(|m| m.name == "le");
        let why =
            le.map_or("has no le matcher".to_owned(), |m| format!("has the bucket `{}`, which is no number", m.value));
        let message = format!("the metric of success {why} (expected a bucket such as le=\"0.5\")");
        reader.error(good.mark, "bucket", message);
        return None;
    }
    if !good.name.ends_with("_bucket") {
        let message = format!("`{}` does not end in _bucket, as the buckets of a histogram do", good.name);
        reader.report(good.mark, Level::Warning, "bucket", message);
    }
    let sli = Sli::Events { bad: Bad::TotalMinus(good.sum("increase")), total: total.sum("increase") };
    Some(Measured { sli, written, service: total.service(), part: good.name, total: total.name, grouping })
}

/// Lets a whole number of `le` match both `1` and `1.0`, because Prometheus 3 stores the latter. False without an `le` that
/// is a number.
pub(in crate::domain::slo) fn either_form(selector: &mut VectorSelector) -> bool {
    let Some(le) = selector.matchers.matchers.iter_mut().find(|m| m.name == "le") else { return false };
    if le.op != MatchOp::Equal {
        // Somebody took care of both forms already.
        return matches!(le.op, MatchOp::Re(_));
    }
    let Ok(limit) = le.value.parse::<f64>() else { return false };
    if limit.is_nan() {
        return false;
    }
    if limit.is_finite() && limit.fract() == 0.0 && limit.abs() < 1e15 {
        let whole = format!("{limit:.0}");
        let pattern = format!("{whole}(\\.0)?");
        if let Ok(both) = regex::Regex::new(&format!("^(?:{pattern})$")) {
            *le = Matcher { op: MatchOp::Re(both), name: "le".to_owned(), value: pattern };
        }
    }
    true
}

fn native(reader: &mut Reader<'_>, node: &Node) -> Option<Measured> {
    let fields = reader.foreign(node, "latencyNative", &["total", "latency", "grouping"])?;
    let total = nested(reader, &fields, "total");
    let limit = fields.need(reader, "latency").and_then(|n| {
        let text = reader.string(n, "latency")?;
        let span = parse_span(&text).ok().filter(|s| *s > Span::zero());
        if span.is_none() {
            reader.wrong(n, "latency", "a duration such as 250ms or 1s");
        }
        span
    });
    let grouping = grouping(reader, &fields);
    let (total, limit) = (total?, limit?);
    let limit = seconds(limit);
    let histogram = total.sum("increase");
    let all = format!("sum(histogram_count({histogram}))");
    // Without traffic the fraction is not a number; what is not over zero is left out, which counts as none.
    let slow = format!("sum((histogram_count({histogram}) * (1 - histogram_fraction(0, {limit}, {histogram}))) >= 0)");
    let written = format!("1 - histogram_fraction(0, {limit}, {})", total.selector);
    let sli = Sli::Events { bad: Bad::Counted(canonical(&slow)), total: canonical(&all) };
    Some(Measured { sli, written, service: total.service(), part: total.name.clone(), total: total.name, grouping })
}

fn gauge(reader: &mut Reader<'_>, node: &Node) -> Option<Measured> {
    let fields = reader.foreign(node, "bool_gauge", &["metric", "grouping"])?;
    let metric = metric(reader, &fields, "bool_gauge");
    let grouping = grouping(reader, &fields);
    let metric = metric?;
    let sli = Sli::Events { bad: Bad::TotalMinus(metric.sum("sum_over_time")), total: metric.sum("count_over_time") };
    let written = format!("1 - avg_over_time({}[{WINDOW}])", metric.selector);
    Some(Measured { sli, written, service: metric.service(), part: metric.name.clone(), total: metric.name, grouping })
}

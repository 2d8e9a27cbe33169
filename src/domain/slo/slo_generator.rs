//! slo-generator: `sre.google.com/v2 ServiceLevelObjective` with its Prometheus methods. The steps of its error budget
//! policy become alert pairs of one window, and their words the policy's. Other backends are refused.

use crate::domain::document::{Fields, Level, Node, Reader, Value, nearest};
use crate::domain::ids::SloId;
use crate::domain::slo::format::{Document, Gathered};
use crate::domain::slo::objective::{AlertPair, Bad, Gap, Identity, Kind, Objective, PolicyRule, Sli};
use crate::domain::slo::pairs;
use crate::domain::slo::promql::counter::Counter;
use crate::domain::slo::promql::events::{division, tree, with_window};
use crate::domain::slo::promql::sli::{bad_of, per_slice};
use crate::domain::slo::promql::{self, Refusal, WINDOW, bare};
use crate::domain::slo::pyrra::either_form;
use crate::domain::slo::reading::Window;
use crate::domain::slo::terms::{self, SLICE, errors, first_word, share, within};
use crate::domain::slo::wording::{Said, says};
use crate::domain::time::{Span, prometheus};
use promql_parser::parser::{Expr, VectorSelector};

const SPEC: [&str; 8] = [
    "description",
    "backend",
    "method",
    "exporters",
    "service_level_indicator",
    "goal",
    "error_budget_policy",
    "frequency",
];
const METHODS: [&str; 3] = ["query_sli", "good_bad_ratio", "distribution_cut"];
const SLI: [&str; 8] = [
    "expression",
    "filter_good",
    "filter_bad",
    "filter_valid",
    "operators",
    "threshold_bucket",
    "filter_total",
    "measurement",
];
const STEP: [&str; 6] = ["name", "window", "burn_rate_threshold", "alert", "message_alert", "message_ok"];

/// Whether a document is of this format.
pub fn knows(root: &Node) -> bool {
    root.get("apiVersion").and_then(Node::text).is_some_and(|t| t.starts_with("sre.google.com/"))
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
    let fields = reader.foreign(document.root, "the object", &["apiVersion", "kind", "metadata", "spec"])?;
    for (key, wanted) in [("apiVersion", "sre.google.com/v2"), ("kind", "ServiceLevelObjective")] {
        if let Some(node) = fields.need(reader, key).filter(|n| n.text() != Some(wanted)) {
            reader.wrong(node, key, wanted);
            return None;
        }
    }
    let meta = fields.need(reader, "metadata")?;
    let inner = reader.foreign(meta, "metadata", &["name", "labels", "annotations"])?;
    let name = inner.need(reader, "name").and_then(|n| reader.string(n, "name"));
    let labels = inner.get("labels").map(|n| terms::labels(reader, n, "labels", false)).unwrap_or_default();
    let spec = fields.need(reader, "spec").and_then(|n| reader.foreign(n, "spec", &SPEC))?;
    let description = spec.get("description").and_then(|n| reader.string(n, "description")).unwrap_or_default();
    let goal = spec.need(reader, "goal").and_then(|n| {
        let written = reader.number(n, "goal")?;
        share(reader, n.mark, "goal", written)
    });
    backend(reader, &spec)?;
    let method = spec.need(reader, "method").and_then(|n| method(reader, n));
    let sli =
        spec.need(reader, "service_level_indicator").and_then(|n| reader.foreign(n, "service_level_indicator", &SLI));
    let measured = method.zip(sli).and_then(|(method, sli)| measured(reader, method, &sli));
    let steps = steps(reader, spec.get("error_budget_policy"));
    let (name, target, measured) = (name?, goal?, measured?);
    // The longest step is the window over which the budget is kept.
    let window = steps.iter().map(|s| s.pair.long.span()).max().unwrap_or(Span::days(28));
    let pairs = match steps.is_empty() {
        true => pairs::usual(window),
        false => steps.iter().map(|s| s.pair.clone()).collect(),
    };
    let service = match ["service_name", "service"].iter().find_map(|key| labels.0.get(*key)) {
        Some(service) => service.clone(),
        None => first_word(&name),
    };
    let said = Said { sli: &measured.0, target, window, period: None, value: "", assumed: false };
    let says = says(&said);
    Some(Objective {
        id: SloId(name.clone()),
        service,
        kind: Kind::Ratio,
        target,
        window,
        period: None,
        sli: measured.0,
        source: None,
        policy: policy(&steps),
        pairs,
        says,
        written: measured.1,
        declared: document.place(document.root.mark),
        description,
        gap: Gap::default(),
        identity: Identity::SloGenerator(name),
        labels,
        grouping: Vec::new(),
        min_failures: None,
    })
}

fn backend(reader: &mut Reader<'_>, spec: &Fields<'_>) -> Option<()> {
    let node = spec.need(reader, "backend")?;
    let backend = reader.string(node, "backend")?;
    if backend.to_lowercase().starts_with("prometheus") {
        return Some(());
    }
    let message = format!("the backend `{backend}` is not asked here (expected prometheus)");
    reader.error(node.mark, "source-type", message);
    None
}

fn method(reader: &mut Reader<'_>, node: &Node) -> Option<&'static str> {
    let written = reader.string(node, "method")?;
    let found = METHODS.into_iter().find(|m| *m == written);
    if found.is_none() {
        let near = nearest(&written, METHODS).map(|n| format!("; nearest: `{n}`")).unwrap_or_default();
        reader.wrong(node, "method", &format!("{}{near}", METHODS.join(", ")));
    }
    found
}

type Measured = (Sli, String);

fn measured(reader: &mut Reader<'_>, method: &str, sli: &Fields<'_>) -> Option<Measured> {
    match method {
        "query_sli" => query_sli(reader, sli),
        "good_bad_ratio" => good_bad(reader, sli),
        _ => cut(reader, sli),
    }
}

fn query_sli(reader: &mut Reader<'_>, sli: &Fields<'_>) -> Option<Measured> {
    let node = sli.need(reader, "expression")?;
    let written = reader.string(node, "expression")?;
    let query = with_window(&written);
    if !query.contains(WINDOW) {
        let message = "the expression has no [window] (expected it as the range: the step's window goes there)";
        reader.error(node.mark, "promql", message);
        return None;
    }
    match tree(&query, false) {
        Ok(expr) => {
            if let Some((part, total, inverted)) = division(&expr) {
                let bad = if inverted { Bad::Counted(part.text) } else { bad_of(part.text, &total.text) };
                return Some((Sli::Events { bad, total: total.text }, written));
            }
        }
        Err(Refusal::TooMuch(why)) => {
            reader.error(node.mark, "promql", format!("the expression is not read: {why}"));
            return None;
        }
        // The lint says so; the server decides.
        Err(Refusal::Unknown(_)) => {}
    }
    let message =
        "the expression cannot be split into bad and all events; it is averaged over time, whatever the traffic";
    reader.report(node.mark, Level::Info, "time-weighted", message);
    Some((Sli::Opaque { ratio: per_slice(&query, SLICE), slice: SLICE }, written))
}

/// A filter: a selector, with `[window]` or without.
fn filter(reader: &mut Reader<'_>, sli: &Fields<'_>, key: &str) -> Option<VectorSelector> {
    let node = sli.need(reader, key)?;
    let text = reader.string(node, key)?;
    let bare_text = with_window(&text).replace(&format!("[{WINDOW}]"), "");
    let selector = match promql::parse(&bare_text) {
        Ok(expr) => match bare(&expr) {
            Expr::VectorSelector(selector) => Some(selector.clone()),
            _ => None,
        },
        Err(_) => None,
    };
    let fits = |s: &VectorSelector| Counter::read(&Counter::new("increase", s.clone()).text()).is_some();
    let selector = selector.filter(fits);
    if selector.is_none() {
        let message = format!("{key} is no selector (expected one such as http_requests_total{{code=~\"2..\"}})");
        reader.error(node.mark, "promql", message);
    }
    selector
}

/// The function over the range: `increase`, or `rate`, which is the same in a ratio.
fn operators(reader: &mut Reader<'_>, sli: &Fields<'_>) -> Option<&'static str> {
    let Some(node) = sli.get("operators") else { return Some("increase") };
    let words = reader.strings(node, "operators");
    let mut func = "increase";
    for word in &words {
        match word.as_str() {
            "sum" => {}
            "increase" | "rate" | "irate" => func = "increase",
            "sum_over_time" => func = "sum_over_time",
            "count_over_time" => func = "count_over_time",
            other => {
                let message = format!(
                    "the operator `{other}` does not count events (expected increase, rate, sum_over_time, count_over_time, sum)"
                );
                reader.error(node.mark, "operators", message);
                return None;
            }
        }
    }
    Some(func)
}

fn good_bad(reader: &mut Reader<'_>, sli: &Fields<'_>) -> Option<Measured> {
    let good = filter(reader, sli, "filter_good");
    let func = operators(reader, sli);
    let valid = sli.get("filter_valid").map(|_| "filter_valid").or(sli.get("filter_total").map(|_| "filter_total"));
    let (key, other) = match (valid, sli.get("filter_bad")) {
        (Some(key), None) => (key, filter(reader, sli, key)),
        (None, Some(_)) => ("filter_bad", filter(reader, sli, "filter_bad")),
        (Some(_), Some(node)) => {
            reader.error(node.mark, "sli", "both filter_bad and filter_valid (expected one of them)");
            return None;
        }
        (None, None) => {
            reader.error(sli.mark(), "missing-key", "neither filter_bad nor filter_valid");
            return None;
        }
    };
    let (good, func, other) = (good?, func?, other?);
    let written = format!("{good} / {other}");
    let text = |selector: VectorSelector| Counter::new(func, selector).text();
    let (good, other) = (text(good), text(other));
    let sli = match key {
        "filter_bad" => {
            // A side without a series must not take the other one away.
            let total = format!("({good} + {other}) or {good} or {other}");
            Sli::Events { bad: Bad::Counted(other.clone()), total: promql::events::canonical(&total) }
        }
        _ => Sli::Events { bad: bad_of(good, &other), total: other },
    };
    Some((sli, written))
}

fn cut(reader: &mut Reader<'_>, sli: &Fields<'_>) -> Option<Measured> {
    let node = sli.need(reader, "expression");
    let selector = filter(reader, sli, "expression").filter(|_| node.is_some());
    let bound = sli
        .need(reader, "threshold_bucket")
        .and_then(|n| Some((n.mark, reader.number(n, "threshold_bucket")?, n.text()?)));
    let (selector, (mark, _, bound)) = (selector?, bound?);
    let base = selector.name.clone().unwrap_or_default();
    let base = base.strip_suffix("_bucket").unwrap_or(&base).to_owned();
    let mut good = selector.clone();
    good.name = Some(format!("{base}_bucket"));
    good.matchers.matchers.retain(|m| m.name != "le");
    good.matchers.matchers.push(promql_parser::label::Matcher::new(promql_parser::label::MatchOp::Equal, "le", bound));
    if !either_form(&mut good) {
        reader.error(mark, "bucket", "threshold_bucket is no bound of a bucket");
        return None;
    }
    let mut total = selector;
    total.name = Some(format!("{base}_count"));
    total.matchers.matchers.retain(|m| m.name != "le");
    let written = format!("{good} / {total}");
    let text = |selector: VectorSelector| Counter::new("increase", selector).text();
    Some((Sli::Events { bad: Bad::TotalMinus(text(good)), total: text(total) }, written))
}

/// A step of the error budget policy.
struct Step {
    pair: AlertPair,
    words: Option<String>,
}

/// The steps of an error budget policy: a list, or `steps` below it. A name refers to the shared configuration, which is no
/// file of objectives.
fn steps(reader: &mut Reader<'_>, node: Option<&Node>) -> Vec<Step> {
    let Some(node) = node else { return Vec::new() };
    if node.text().is_some() {
        let message = format!(
            "the error budget policy `{}` is in the shared configuration; write its steps here to have its alerts",
            node.text().unwrap_or_default()
        );
        reader.report(node.mark, Level::Warning, "policy", message);
        return Vec::new();
    }
    let list = match &node.value {
        Value::Map(_) => {
            let fields = reader.foreign(node, "error_budget_policy", &["steps"]);
            match fields.and_then(|f| f.need(reader, "steps")) {
                Some(steps) => steps,
                None => return Vec::new(),
            }
        }
        _ => node,
    };
    reader.list(list, "steps").iter().filter_map(|item| step(reader, item)).collect()
}

fn step(reader: &mut Reader<'_>, node: &Node) -> Option<Step> {
    let fields = reader.foreign(node, "the step", &STEP)?;
    let name = fields.get("name").and_then(|n| reader.string(n, "name"));
    let window = fields.need(reader, "window").and_then(|n| seconds(reader, n));
    let factor = fields.need(reader, "burn_rate_threshold").and_then(|n| {
        let factor = reader.number(n, "burn_rate_threshold")?;
        if factor <= 0.0 {
            reader.wrong(n, "burn_rate_threshold", "a burn rate over 0");
            return None;
        }
        Some(factor)
    });
    let pages = match fields.get("alert") {
        Some(n) => reader.boolean(n, "alert")?,
        None => false,
    };
    let mut text = |key: &str| fields.get(key).and_then(|n| reader.string(n, key));
    let (alert, ok) = (text("message_alert"), text("message_ok"));
    let (window, factor) = (window?, factor?);
    let severity = if pages { "page" } else { "ticket" }.to_owned();
    let pair = AlertPair { severity, long: window, short: window, factor, hold: Span::zero() };
    let called = name.unwrap_or_else(|| prometheus(window.span()));
    let words = match (alert, ok) {
        (None, None) => None,
        (alert, ok) => {
            let over = alert.map(|a| format!("over {factor}x: {a}"));
            let under = ok.map(|o| format!("else: {o}"));
            let words: Vec<String> = [over, under].into_iter().flatten().collect();
            Some(format!("{called} {}", words.join(", ")))
        }
    };
    Some(Step { pair, words })
}

/// A window in seconds, or with a unit.
fn seconds(reader: &mut Reader<'_>, node: &Node) -> Option<Window> {
    let text = reader.string(node, "window")?;
    let span = match text.parse::<i64>() {
        Ok(number) => Span::try_seconds(number).unwrap_or(Span::MAX),
        Err(_) => reader.span(node, "window")?,
    };
    within(reader, node, "window", Span::minutes(1), span).map(Window::of)
}

/// The words of all steps as one text, shortest window first.
fn policy(steps: &[Step]) -> Option<PolicyRule> {
    let words: Vec<&str> = steps.iter().filter_map(|s| s.words.as_deref()).collect();
    (!words.is_empty()).then(|| PolicyRule { text: words.join("; "), action: None })
}

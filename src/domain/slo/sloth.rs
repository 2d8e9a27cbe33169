//! Sloth: `prometheus/v1` and the Kubernetes kind `PrometheusServiceLevel`, which says the same in camel case. Objectives
//! have no window of their own there; [`alert_windows`] settles it when all files were read. Runs no Go plug-in.

pub mod alert_windows;

use crate::domain::document::{Fields, Level, Mark, Node, Reader};
use crate::domain::ids::SloId;
use crate::domain::labels::Labels;
use crate::domain::slo::catalogue::Declared;
use crate::domain::slo::format::{Document, Gathered};
use crate::domain::slo::objective::{Bad, Gap, Identity, Kind, Objective, Sli};
use crate::domain::slo::promql::events::{Side, Unit, division, inverse, rest_of, side, tree, whole, with_window};
use crate::domain::slo::promql::sli::{bad_of, per_slice};
use crate::domain::slo::promql::{Refusal, WINDOW};
use crate::domain::slo::terms::{self, SLICE, errors, percent};
use crate::domain::time::Span;

/// What the two spellings call things.
struct Words {
    file: [&'static str; 5],
    objective: [&'static str; 7],
    sli: [&'static str; 3],
    events: [&'static str; 2],
    raw: &'static str,
    alerting: [&'static str; 5],
    plugins: &'static str,
}

const SNAKE: Words = Words {
    file: ["version", "service", "labels", "slos", "slo_plugins"],
    objective: ["name", "description", "objective", "labels", "sli", "alerting", "plugins"],
    sli: ["events", "raw", "plugin"],
    events: ["error_query", "total_query"],
    raw: "error_ratio_query",
    alerting: ["name", "labels", "annotations", "page_alert", "ticket_alert"],
    plugins: "slo_plugins",
};
const CAMEL: Words = Words {
    file: ["service", "labels", "slos", "sloPlugins", "selector"],
    objective: ["name", "description", "objective", "labels", "sli", "alerting", "plugins"],
    sli: ["events", "raw", "plugin"],
    events: ["errorQuery", "totalQuery"],
    raw: "errorRatioQuery",
    alerting: ["name", "labels", "annotations", "pageAlert", "ticketAlert"],
    plugins: "sloPlugins",
};

/// An objective whose window and alert pairs hang on the alert windows of the installation.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiting {
    /// The objective, so far with a window of 30 days.
    pub declared: Declared,
    /// Its page alert is made.
    pub page: bool,
    /// Its ticket alert is made.
    pub ticket: bool,
}

/// Whether a document is of this format.
pub fn knows(root: &Node) -> bool {
    let starts = |key: &str, prefix: &str| root.get(key).and_then(Node::text).is_some_and(|t| t.starts_with(prefix));
    starts("apiVersion", "sloth.slok.dev/")
        || starts("version", "prometheus/")
        || root.get("apiVersion").is_none() && root.get("slos").is_some() && root.get("service").is_some()
}

/// Takes the objectives or alert windows out of a document.
pub fn gather(reader: &mut Reader<'_>, document: Document<'_>, gathered: &mut Gathered) {
    match document.root.get("apiVersion") {
        Some(version) => kubernetes(reader, document, version, gathered),
        None => {
            let Some(fields) = reader.foreign(document.root, "the file", &SNAKE.file) else { return };
            if let Some(version) = fields.need(reader, "version").filter(|n| n.text() != Some("prometheus/v1")) {
                reader.wrong(version, "version", "prometheus/v1");
                return;
            }
            service(reader, document, &fields, &SNAKE, gathered);
        }
    }
}

fn kubernetes(reader: &mut Reader<'_>, document: Document<'_>, version: &Node, gathered: &mut Gathered) {
    let Some(fields) =
        reader.foreign(document.root, "the object", &["apiVersion", "kind", "metadata", "spec", "status"])
    else {
        return;
    };
    if version.text() != Some("sloth.slok.dev/v1") {
        reader.wrong(version, "apiVersion", "sloth.slok.dev/v1");
        return;
    }
    let Some(kind) = fields.need(reader, "kind") else { return };
    let kinds = [("PrometheusServiceLevel", false), ("AlertWindows", true)];
    let Some(windows) = terms::choice(reader, kind, "kind", &kinds) else { return };
    let Some(spec) = fields.need(reader, "spec") else { return };
    if windows {
        gathered.alert_windows.extend(alert_windows::read(reader, document, spec));
    } else if let Some(fields) = reader.foreign(spec, "spec", &CAMEL.file) {
        service(reader, document, &fields, &CAMEL, gathered);
    }
}

fn service(
    reader: &mut Reader<'_>,
    document: Document<'_>,
    fields: &Fields<'_>,
    words: &Words,
    gathered: &mut Gathered,
) {
    let service = fields.need(reader, "service").and_then(|n| name(reader, n, "service"));
    let labels = fields.get("labels").map(|n| terms::labels(reader, n, "labels", true)).unwrap_or_default();
    let plugins = fields.get(words.plugins).is_some_and(|n| !n.is_empty_list());
    let Some(slos) = fields.need(reader, "slos") else { return };
    let list = reader.list(slos, "slos");
    if list.is_empty() {
        reader.report(slos.mark, Level::Warning, "empty", "slos is empty: the file has no objective");
    }
    for node in list {
        let before = errors(reader);
        let context = Context { document, words, service: service.as_deref().unwrap_or(""), labels: &labels, plugins };
        let waiting = objective(reader, &context, node);
        // Without its service an objective has no id, so that it would match none of its recordings.
        if errors(reader) == before && service.is_some() {
            gathered.sloth.extend(waiting);
        }
    }
}

/// What an objective takes from the file around it.
struct Context<'a> {
    document: Document<'a>,
    words: &'a Words,
    service: &'a str,
    labels: &'a Labels,
    plugins: bool,
}

fn objective(reader: &mut Reader<'_>, context: &Context<'_>, node: &Node) -> Option<Waiting> {
    let words = context.words;
    let written = node.get("name").and_then(Node::text);
    let called = written.unwrap_or("without a name");
    let what = written.map_or("a slo".to_owned(), |name| format!("slo `{name}`"));
    let fields = reader.foreign(node, &what, &words.objective)?;
    let name = fields.need(reader, "name").and_then(|n| name(reader, n, "name"));
    let target = fields.need(reader, "objective").and_then(|n| {
        let written = reader.number(n, "objective")?;
        percent(reader, n.mark, "objective", written)
    });
    let description = fields.get("description").and_then(|n| reader.string(n, "description")).unwrap_or_default();
    let mut labels = context.labels.clone();
    if let Some(own) = fields.get("labels") {
        labels.0.extend(terms::labels(reader, own, "labels", true).0);
    }
    if let Some(plugins) = fields.get("plugins").map(|n| n.mark).or(context.plugins.then_some(node.mark)) {
        let message = format!(
            "slo `{called}` has Go plug-ins for its rules: they are not run here, it is measured as its sli says"
        );
        reader.report(plugins, Level::Warning, "plugin", message);
    }
    let alerting = alerting(reader, words, &fields, called);
    if let Some(alert) = &alerting.name {
        labels.0.insert("alertname".to_owned(), alert.clone());
    }
    let sli = fields.need(reader, "sli").and_then(|n| sli(reader, words, n, called));
    let (name, target, measured) = (name?, target?, sli?);
    let id = format!("{}-{name}", context.service);
    let objective = Objective {
        id: SloId(id.clone()),
        service: context.service.to_owned(),
        kind: Kind::Ratio,
        target,
        window: Span::days(30),
        period: None,
        sli: measured.sli,
        source: None,
        policy: None,
        pairs: Vec::new(),
        says: String::new(),
        written: measured.written,
        declared: context.document.place(node.mark),
        description,
        gap: Gap::default(),
        identity: Identity::Sloth(id),
        labels,
        grouping: measured.by,
        min_failures: None,
    };
    let declared = context.document.declare(node.mark, objective);
    Some(Waiting { declared, page: alerting.page, ticket: alerting.ticket })
}

/// What Sloth takes for a name.
fn name(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<String> {
    let text = reader.string(node, what)?;
    let end = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let good = text.len() > 1
        && end(text.chars().next())
        && end(text.chars().last())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if !good {
        reader.wrong(node, what, "two or more letters, digits, - _ . that begin and end with a letter or digit");
    }
    good.then_some(text)
}

struct Alerting {
    name: Option<String>,
    page: bool,
    ticket: bool,
}

fn alerting(reader: &mut Reader<'_>, words: &Words, fields: &Fields<'_>, called: &str) -> Alerting {
    let mut alerting = Alerting { name: None, page: true, ticket: true };
    let Some(node) = fields.get("alerting") else { return alerting };
    let Some(inner) = reader.foreign(node, &format!("alerting of `{called}`"), &words.alerting) else {
        return alerting;
    };
    for key in ["labels", "annotations"] {
        if let Some(node) = inner.get(key) {
            reader.entries(node, key);
        }
    }
    let [_, _, _, page, ticket] = words.alerting;
    alerting.page = made(reader, &inner, page);
    alerting.ticket = made(reader, &inner, ticket);
    alerting.name = match inner.get("name") {
        Some(node) => reader.string(node, "name"),
        None => {
            if alerting.page || alerting.ticket {
                inner.need(reader, "name");
            }
            None
        }
    };
    alerting
}

/// Whether an alert is made; it is unless it is disabled.
fn made(reader: &mut Reader<'_>, alerting: &Fields<'_>, key: &str) -> bool {
    let Some(node) = alerting.get(key) else { return true };
    let Some(inner) = reader.foreign(node, key, &["disable", "labels", "annotations"]) else { return true };
    !inner.get("disable").and_then(|n| reader.boolean(n, "disable")).unwrap_or(false)
}

struct Measured {
    sli: Sli,
    written: String,
    by: Vec<String>,
}

fn sli(reader: &mut Reader<'_>, words: &Words, node: &Node, called: &str) -> Option<Measured> {
    let fields = reader.foreign(node, &format!("sli of `{called}`"), &words.sli)?;
    let given: Vec<&str> = words.sli.into_iter().filter(|key| fields.get(key).is_some()).collect();
    match given.as_slice() {
        ["events"] => events(reader, words, fields.get("events")?, called),
        ["raw"] => raw(reader, words, fields.get("raw")?, called),
        ["plugin"] => {
            let plugin = fields.get("plugin")?;
            let id = plugin.get("id").and_then(Node::text).unwrap_or("without an id");
            let message = format!(
                "the sli of `{called}` is the Go plug-in `{id}`, which cannot be run here (write the events or raw queries that it makes)"
            );
            reader.error(plugin.mark, "plugin", message);
            None
        }
        [] => {
            reader.error(node.mark, "missing-key", format!("sli of `{called}` has none of {}", words.sli.join(", ")));
            None
        }
        several => {
            let message = format!("sli of `{called}` has {} (expected one of them)", several.join(" and "));
            reader.error(node.mark, "sli", message);
            None
        }
    }
}

/// A query with its window as `$window`; one that has none is refused, as Sloth does.
fn query(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<String> {
    let text = reader.string(node, what)?;
    let query = with_window(&text);
    if !query.contains(WINDOW) {
        let message = format!("{what} has no `{{{{.window}}}}` (expected it as the range, such as [{{{{.window}}}}])");
        reader.error(node.mark, "promql", message);
        return None;
    }
    if let Some((_, rest)) = query.split_once("{{") {
        let word = rest.split("}}").next().unwrap_or_default();
        let message =
            format!("{what} has the template `{{{{{word}}}}}`, which nobody fills in (only .window is known)");
        reader.error(node.mark, "promql", message);
        return None;
    }
    Some(query)
}

fn events(reader: &mut Reader<'_>, words: &Words, node: &Node, called: &str) -> Option<Measured> {
    let fields = reader.foreign(node, &format!("events of `{called}`"), &words.events)?;
    let [error_key, total_key] = words.events;
    let (error_node, total_node) = (fields.need(reader, error_key), fields.need(reader, total_key));
    let error = error_node.and_then(|n| Some((n, query(reader, n, error_key)?)));
    let total = total_node.and_then(|n| Some((n, query(reader, n, total_key)?)));
    let ((error_node, error), (total_node, total)) = (error?, total?);
    if error.trim() == total.trim() {
        reader.error(error_node.mark, "promql", format!("{error_key} and {total_key} are the same query"));
        return None;
    }
    let written = format!("({}) / ({})", error_node.text()?.trim(), total_node.text()?.trim());
    let bad = one_side(reader, error_node.mark, error_key, &error);
    let all = one_side(reader, total_node.mark, total_key, &total);
    let (bad, all) = (bad?, all?);
    if bad.unit != all.unit {
        let message = format!("{error_key} and {total_key} do not seem to count in one unit (one is a rate?)");
        reader.report(error_node.mark, Level::Warning, "unit", message);
    }
    let by = if bad.by == all.by { all.by } else { Vec::new() };
    // `total - good` batches as two counters; the latency of buckets is written so.
    let good = tree(&error, false).ok().and_then(|expr| rest_of(&expr, &all.text));
    let bad = good.map_or(Bad::Counted(bad.text), |good| bad_of(good, &all.text));
    Some(Measured { sli: Sli::Events { bad, total: all.text }, written, by })
}

/// One side as events. What this program does not understand is sent as it is.
pub fn one_side(reader: &mut Reader<'_>, mark: Mark, what: &str, text: &str) -> Option<Side> {
    match tree(text, false) {
        Ok(expr) => Some(side(&expr)),
        Err(Refusal::TooMuch(why)) => {
            reader.error(mark, "promql", format!("{what} is not read: {why}"));
            None
        }
        // The lint says so; the server decides.
        Err(Refusal::Unknown(_)) => Some(Side { text: whole(text), unit: Unit::Unknown, by: Vec::new() }),
    }
}

fn raw(reader: &mut Reader<'_>, words: &Words, node: &Node, called: &str) -> Option<Measured> {
    let fields = reader.foreign(node, &format!("raw of `{called}`"), &[words.raw])?;
    let node = fields.need(reader, words.raw)?;
    let query = query(reader, node, words.raw)?;
    let written = node.text()?.trim().to_owned();
    let expr = match tree(&query, false) {
        Ok(expr) => Some(expr),
        Err(Refusal::TooMuch(why)) => {
            reader.error(node.mark, "promql", format!("{} is not read: {why}", words.raw));
            return None;
        }
        Err(Refusal::Unknown(_)) => None,
    };
    if let Some((part, total, inverted)) = expr.as_ref().and_then(division) {
        let bad = if inverted { bad_of(part.text, &total.text) } else { Bad::Counted(part.text) };
        return Some(Measured { sli: Sli::Events { bad, total: total.text }, written, by: total.by });
    }
    let message = format!(
        "{} cannot be split into bad and all events; it is averaged over time, whatever the traffic",
        words.raw
    );
    reader.report(node.mark, Level::Info, "time-weighted", message);
    let ratio = per_slice(&inverse(expr.as_ref(), &query), SLICE);
    Some(Measured { sli: Sli::Opaque { ratio, slice: SLICE }, written, by: Vec::new() })
}

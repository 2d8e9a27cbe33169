//! Our own format, `midwatch/v1`: every feature of every other format has a place in it. [`keys`] is its table, from which [`schema`] is made, [`sli`]
//! reads where numbers come from, [`write`](mod@write) writes any objective in it.

pub mod keys;
pub mod schema;
pub mod sli;
pub mod write;

use crate::domain::document::{Fields, Level, Mark, Node, Reader, nearest};
use crate::domain::ids::{SloId, SourceName};
use crate::domain::labels::Labels;
use crate::domain::slo::format::{Document, Gathered};
use crate::domain::slo::objective::{AlertPair, Gap, Identity, Objective, Sli};
use crate::domain::slo::own::keys::names;
use crate::domain::slo::pairs;
use crate::domain::slo::pairs::Named;
use crate::domain::slo::period::{Period, Unit};
use crate::domain::slo::reading::Window;
use crate::domain::slo::seed::policy_rule;
use crate::domain::slo::terms::{self, choice, errors, first_word, percent, positive, share};
use crate::domain::slo::wording::{Said, says, written};
use crate::domain::slo::{maintenance, policy, service};
use crate::domain::time::Span;
use chrono::{NaiveDate, NaiveDateTime};
use chrono_tz::Tz;

/// The version of the format.
pub const VERSION: &str = "midwatch/v1";
/// Its kind.
const KIND: &str = "Objectives";

/// The words for a slice without data.
const GAPS: [(&str, Gap); 3] = [("ignore", Gap::Ignored), ("good", Gap::Good), ("bad", Gap::Bad)];

/// Whether a document is of this format: our version and its kind, or one that is nearly that.
pub fn knows(root: &Node) -> bool {
    let ours = root.get("apiVersion").and_then(Node::text).is_some_and(|t| t.starts_with("midwatch/"));
    ours && match root.get("kind").and_then(Node::text) {
        Some(kind) => kind == KIND || nearest(kind, [KIND]).is_some(),
        None => names("file").iter().skip(5).any(|key| root.get(key).is_some()),
    }
}

/// What objectives take from the file around them.
struct Defaults {
    service: Option<String>,
    labels: Labels,
    source: Option<SourceName>,
    alerts: Option<Alerts>,
}

/// Alert pairs as they were written.
enum Alerts {
    Named(Named),
    Listed(Vec<AlertPair>),
}

/// Takes everything out of a document.
pub fn gather(reader: &mut Reader<'_>, document: Document<'_>, gathered: &mut Gathered) {
    let Some(fields) = reader.map(document.root, "the file", &names("file")) else { return };
    for (key, wanted) in [("apiVersion", VERSION), ("kind", KIND)] {
        if let Some(node) = fields.need(reader, key).filter(|n| n.text() != Some(wanted)) {
            reader.wrong(node, key, wanted);
            return;
        }
    }
    let defaults = Defaults {
        service: fields.get("service").and_then(|n| reader.string(n, "service")),
        labels: fields.get("labels").map(|n| terms::labels(reader, n, "labels", false)).unwrap_or_default(),
        source: fields.get("source").and_then(|n| reader.string(n, "source")).map(SourceName),
        alerts: fields.get("alert_windows").and_then(|n| alerts(reader, n)),
    };
    for node in fields.get("objectives").map(|n| reader.list(n, "objectives")).unwrap_or_default() {
        let before = errors(reader);
        let objective = objective(reader, document, &defaults, node);
        if errors(reader) == before {
            gathered.declared.extend(objective.map(|o| document.declare(node.mark, o)));
        }
    }
    blocks(reader, document, &fields, gathered);
}

/// Services, planned work and the policy.
fn blocks(reader: &mut Reader<'_>, document: Document<'_>, fields: &Fields<'_>, gathered: &mut Gathered) {
    if let Some(node) = fields.get("services") {
        for service in service::read(reader, document.path, node) {
            match gathered.services.iter().find(|s| s.name == service.name) {
                None => gathered.services.push(service),
                Some(first) => {
                    let message = format!(
                        "the service `{}` is declared at {} already; that one is used",
                        service.name, first.declared
                    );
                    let mark = reader.entries(node, "services").unwrap_or_default().iter();
                    let mark = mark.clone().find(|(k, _)| k.text == service.name).map_or(node.mark, |(k, _)| k.mark);
                    reader.error(mark, "duplicate", message);
                }
            }
        }
    }
    if let Some(node) = fields.get("maintenance") {
        gathered.maintenance.extend(maintenance::read(reader, document.path, node));
    }
    if let Some(node) = fields.get("policy") {
        match &gathered.policy {
            None => gathered.policy = policy::read(reader, node).map(|bands| (document.place(node.mark), bands)),
            Some((place, _)) => {
                let message = format!("the policy is declared at {place} already; that one is used");
                reader.error(node.mark, "duplicate", message);
            }
        }
    }
}

fn objective(reader: &mut Reader<'_>, document: Document<'_>, defaults: &Defaults, node: &Node) -> Option<Objective> {
    let written_name = node.get("name").and_then(Node::text);
    let what = written_name.map_or("an objective".to_owned(), |name| format!("objective `{name}`"));
    let fields = reader.map(node, &what, &names("objective"))?;
    let name = fields.need(reader, "name").and_then(|n| {
        let name = reader.string(n, "name")?;
        if name.trim().is_empty() {
            reader.wrong(n, "name", "a name");
            return None;
        }
        Some(name)
    });
    let window = window(reader, &fields);
    let target = fields.get("target").map(|n| target(reader, n));
    let measured = sli::read(reader, &fields, window.as_ref().map(|(span, _)| *span), target.is_some());
    let pairs = match fields.get("alert_windows") {
        Some(n) => Some(alerts(reader, n)?),
        None => None,
    };
    let rest = rest(reader, &fields, defaults);
    let (name, (window, period), measured) = (name?, window?, measured?);
    let (target, assumed) = match target {
        Some(target) => (target?, false),
        None => (measured.compliance, true),
    };
    let pairs = match pairs.as_ref().or(defaults.alerts.as_ref()) {
        Some(Alerts::Listed(pairs)) => pairs.clone(),
        Some(Alerts::Named(set)) => set.pairs(window),
        None => pairs::usual(window),
    };
    let said = Said { sli: &measured.sli, target, window, period: period.as_ref(), value: &measured.called, assumed };
    let says = says(&said);
    let service = rest.service.or(measured.service).unwrap_or_else(|| first_word(&name));
    Some(Objective {
        id: SloId(name),
        service,
        kind: measured.kind,
        target,
        window,
        period,
        source: rest.source,
        policy: rest.policy,
        pairs,
        says,
        written: rest.written.unwrap_or_else(|| written(&measured.sli)),
        declared: document.place(node.mark),
        description: rest.description,
        gap: rest.gap.or(measured.gap).unwrap_or_default(),
        identity: rest.identity,
        labels: rest.labels,
        grouping: rest.grouping,
        min_failures: rest.min_failures,
        sli: measured.sli,
    })
}

/// What stands beside target, window and SLI.
struct Rest {
    service: Option<String>,
    description: String,
    labels: Labels,
    source: Option<SourceName>,
    policy: Option<crate::domain::slo::objective::PolicyRule>,
    gap: Option<Gap>,
    identity: Identity,
    grouping: Vec<String>,
    min_failures: Option<f64>,
    written: Option<String>,
}

fn rest(reader: &mut Reader<'_>, fields: &Fields<'_>, defaults: &Defaults) -> Rest {
    let mut text = |key: &str| fields.get(key).and_then(|n| reader.string(n, key));
    let (service, description, source, written) =
        (text("service"), text("description"), text("source"), text("written"));
    let mut labels = defaults.labels.clone();
    if let Some(node) = fields.get("labels") {
        labels.0.extend(terms::labels(reader, node, "labels", false).0);
    }
    let min_failures = fields.get("min_failures").and_then(|n| {
        let number = reader.number(n, "min_failures")?;
        if number < 0.0 {
            reader.wrong(n, "min_failures", "a number of events, 0 or more");
            return None;
        }
        Some(number)
    });
    Rest {
        service: service.or_else(|| defaults.service.clone()),
        description: description.unwrap_or_default(),
        labels,
        source: source.map(SourceName).or_else(|| defaults.source.clone()),
        policy: fields.get("policy").and_then(|n| policy_rule(reader, n)),
        gap: fields.get("no_data").and_then(|n| gap(reader, n)),
        identity: fields.get("recorded").and_then(|n| recorded(reader, n)).unwrap_or(Identity::Own),
        grouping: fields.get("group_by").map(|n| reader.strings(n, "group_by")).unwrap_or_default(),
        min_failures,
        written,
    }
}

fn gap(reader: &mut Reader<'_>, node: &Node) -> Option<Gap> {
    choice(reader, node, "no_data", &GAPS)
}

/// `99.9%`, or a share below 1.
fn target(reader: &mut Reader<'_>, node: &Node) -> Option<f64> {
    let text = reader.string(node, "target")?;
    match text.trim().strip_suffix('%') {
        Some(number) => match number.trim().parse::<f64>().ok().filter(|n| n.is_finite()) {
            Some(number) => percent(reader, node.mark, "target", number),
            None => {
                reader.wrong(node, "target", "such as 99.9% or 0.999");
                None
            }
        },
        None => {
            let number = reader.number(node, "target")?;
            if number > 1.0 && number < 100.0 {
                let message = format!("target is {number}: a number is a share below 1 (did you mean {number}%?)");
                reader.error(node.mark, "target", message);
                return None;
            }
            share(reader, node.mark, "target", number)
        }
    }
}

/// `window`, `calendar` or both.
fn window(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<(Span, Option<Period>)> {
    let rolling = match fields.get("window") {
        Some(n) => Some(positive(reader, n, "window", Span::minutes(5))?),
        None => None,
    };
    let period = match fields.get("calendar") {
        Some(n) => Some(calendar(reader, n)?),
        None => None,
    };
    match (rolling, period) {
        (None, None) => {
            reader.error(fields.mark(), "missing-key", "the objective has neither `window` nor `calendar`");
            None
        }
        (rolling, period) => {
            let nominal = period.as_ref().map(Period::nominal);
            Some((rolling.or(nominal)?, period))
        }
    }
}

fn calendar(reader: &mut Reader<'_>, node: &Node) -> Option<Period> {
    let fields = reader.map(node, "calendar", &names("calendar"))?;
    let words = [
        ("day", Unit::Days(1)),
        ("week", Unit::Week),
        ("month", Unit::Month),
        ("quarter", Unit::Quarter),
        ("year", Unit::Year),
    ];
    let unit = fields.need(reader, "period").and_then(|n| choice(reader, n, "period", &words));
    let count = match fields.get("count") {
        Some(n) => {
            let count = n.text().and_then(|t| t.parse::<u32>().ok()).filter(|c| (1..=3_653).contains(c));
            if count.is_none() {
                reader.wrong(n, "count", "a whole number from 1");
            }
            count?
        }
        None => 1,
    };
    let zone = match fields.get("time_zone") {
        Some(n) => zone(reader, n)?,
        None => Tz::UTC,
    };
    let start = match fields.get("start") {
        Some(n) => Some(start(reader, n)?),
        None => None,
    };
    let (unit, count) = match unit? {
        Unit::Days(_) => (Unit::Days(count), 1),
        other => (other, count),
    };
    if matches!(unit, Unit::Days(_)) && start.is_none() {
        fields.need(reader, "start");
        return None;
    }
    let period = Period { unit, count, zone, start };
    if period.nominal() > terms::LONGEST {
        reader.error(node.mark, "calendar", "the period is longer than ten years");
        return None;
    }
    Some(period)
}

/// A zone by its IANA name.
fn zone(reader: &mut Reader<'_>, node: &Node) -> Option<Tz> {
    let text = reader.string(node, "time_zone")?;
    let zone = text.parse::<Tz>().ok();
    if zone.is_none() {
        let near = nearest(&text, chrono_tz::TZ_VARIANTS.iter().map(|tz| tz.name()));
        let near = near.map(|n| format!("; nearest: `{n}`")).unwrap_or_default();
        reader.wrong(node, "time_zone", &format!("an IANA name such as Europe/Berlin{near}"));
    }
    zone
}

fn start(reader: &mut Reader<'_>, node: &Node) -> Option<NaiveDateTime> {
    let text = reader.string(node, "start")?;
    let text = text.trim();
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().and_then(|d| d.and_hms_opt(0, 0, 0));
    let time = || NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").ok();
    let found = day.or_else(time);
    if found.is_none() {
        reader.wrong(node, "start", "a local time such as 2026-01-01 or 2026-01-01 09:00:00");
    }
    found
}

fn alerts(reader: &mut Reader<'_>, node: &Node) -> Option<Alerts> {
    if node.text().is_some() {
        return choice(reader, node, "alert_windows", &Named::WORDS).map(Alerts::Named);
    }
    let before = errors(reader);
    let pairs: Vec<AlertPair> =
        reader.list(node, "alert_windows").iter().filter_map(|item| pair(reader, item)).collect();
    (errors(reader) == before).then_some(Alerts::Listed(pairs))
}

fn pair(reader: &mut Reader<'_>, node: &Node) -> Option<AlertPair> {
    let fields = reader.map(node, "an alert window", &names("alert_window"))?;
    let severities = [("page", "page"), ("ticket", "ticket")];
    let severity = fields.need(reader, "severity").and_then(|n| choice(reader, n, "severity", &severities));
    let long = fields.need(reader, "long").and_then(|n| positive(reader, n, "long", Span::seconds(1)));
    let short = match fields.get("short") {
        Some(n) => positive(reader, n, "short", Span::seconds(1)),
        None => long,
    };
    let factor = fields.need(reader, "factor").and_then(|n| {
        let factor = reader.number(n, "factor")?;
        if factor <= 0.0 {
            reader.wrong(n, "factor", "a burn rate over 0");
            return None;
        }
        Some(factor)
    });
    let hold = match fields.get("for") {
        Some(n) => positive(reader, n, "for", Span::zero()),
        None => Some(Span::zero()),
    };
    let (severity, long, short, factor, hold) = (severity?, long?, short?, factor?, hold?);
    if short > long {
        reader.error(node.mark, "alert-window", "the short window is longer than the long one");
        return None;
    }
    Some(AlertPair { severity: severity.to_owned(), long: Window::of(long), short: Window::of(short), factor, hold })
}

fn recorded(reader: &mut Reader<'_>, node: &Node) -> Option<Identity> {
    let fields = reader.map(node, "recorded", &names("recorded"))?;
    let given: Vec<&str> = names("recorded").into_iter().filter(|key| fields.get(key).is_some()).collect();
    let [key] = given.as_slice() else {
        let message = format!("recorded needs exactly one of {}", names("recorded").join(", "));
        reader.error(node.mark, "recorded", message);
        return None;
    };
    let value = fields.get(key)?;
    if *key == "pyrra" {
        let inner = reader.map(value, "pyrra", &names("pyrra"))?;
        let mut text = |key: &str| inner.need(reader, key).and_then(|n| reader.string(n, key));
        let (name, part, total) = (text("name"), text("part"), text("total"));
        return Some(Identity::Pyrra { name: name?, part: part?, total: total?, group: Labels::default() });
    }
    if *key == "kubernetes_mixin" {
        let verb = choice(reader, value, "kubernetes_mixin", &[("read", "read"), ("write", "write")])?;
        return Some(Identity::KubernetesMixin(verb.to_owned()));
    }
    let text = reader.string(value, key)?;
    Some(match *key {
        "sloth" => Identity::Sloth(text),
        "openslo" => Identity::OpenSlo(text),
        "slo_generator" => Identity::SloGenerator(text),
        _ => Identity::Grafana(text),
    })
}

/// What the SLI and its target mean to each other; see [`sli`].
pub(in crate::domain::slo::own) struct Measured {
    sli: Sli,
    kind: crate::domain::slo::objective::Kind,
    called: String,
    compliance: f64,
    gap: Option<Gap>,
    service: Option<String>,
}

/// Says that something is averaged over time.
fn time_weighted(reader: &mut Reader<'_>, mark: Mark) {
    let message = "the ratio cannot be split into bad and all events; it is averaged over time, whatever the traffic";
    reader.report(mark, Level::Info, "time-weighted", message);
}

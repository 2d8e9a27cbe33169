//! The plain format: `service_level_objectives`, a map of names to `sli`, `target`, `window` and a policy.
//! An objective with an error is left out; the others load. Never asks a server.

use crate::domain::document::{Fields, Key, Level, Mark, Node, Reader};
#[cfg(test)]
use crate::domain::document::{Finding, parse};
use crate::domain::ids::{SloId, SourceName};
use crate::domain::labels::Labels;
use crate::domain::slo::format::{Document, Gathered};
use crate::domain::slo::objective::{Compare, Gap, Identity, Kind, Objective, PolicyRule, Sli};
use crate::domain::slo::promql::sli::{Shape, raised, service, shape};
use crate::domain::slo::promql::{self, Refusal};
use crate::domain::slo::terms::{SLICE, choice, errors, first_word, positive, share};
use crate::domain::slo::wording::{Said, says};
use crate::domain::slo::{pairs, policy};
use crate::domain::time::{Span, prometheus};
use promql_parser::parser::Expr;

/// The key at the top of the file.
pub const ROOT: &str = "service_level_objectives";

/// The keys of an objective.
pub const KEYS: [&str; 12] = [
    "sli",
    "target",
    "window",
    "error_budget_policy",
    "kind",
    "op",
    "objective",
    "slice",
    "no_data",
    "service",
    "description",
    "source",
];

/// The share of good slices where neither the file nor a quantile says one.
const COMPLIANCE: f64 = 0.99;

/// Reads a file of this format alone; all findings at once.
#[cfg(test)]
pub fn read(path: &str, text: &str) -> (Vec<Objective>, Vec<Finding>) {
    let (root, mut findings) = parse(path, text);
    let (mut reader, mut gathered) = (Reader::new(path), Gathered::default());
    if let Some(root) = &root {
        gather(&mut reader, Document { file: 0, path, root }, &mut gathered);
    }
    findings.extend(reader.findings);
    (gathered.declared.into_iter().map(|d| d.objective).collect(), findings)
}

/// Whether a document is of this format.
pub fn knows(root: &Node) -> bool {
    root.get(ROOT).is_some()
}

/// Takes the objectives out of a document of this format.
pub fn gather(reader: &mut Reader<'_>, document: Document<'_>, gathered: &mut Gathered) {
    if let Some(fields) = reader.map(document.root, "the file", &[ROOT])
        && let Some(list) = fields.need(reader, ROOT)
        && let Some(entries) = reader.entries(list, ROOT)
    {
        for (key, node) in entries {
            let before = errors(reader);
            let objective = objective(reader, document, key, node);
            if errors(reader) == before {
                let objective = objective.map(|o| Objective { pairs: pairs::usual(o.window), ..o });
                gathered.declared.extend(objective.map(|o| document.declare(key.mark, o)));
            }
        }
    }
}

/// What the file says, before it is known what the SLI measures.
struct Written {
    text: String,
    target: (f64, Mark),
    window: Span,
    kind: Option<Kind>,
    op: Option<Compare>,
    compliance: Option<f64>,
    slice: Span,
}

fn objective(reader: &mut Reader<'_>, document: Document<'_>, key: &Key, node: &Node) -> Option<Objective> {
    let fields = reader.map(node, &format!("objective `{}`", key.text), &KEYS)?;
    let written = written(reader, &fields);
    let policy = fields.get("error_budget_policy").and_then(|n| policy_rule(reader, n));
    let gap = fields.get("no_data").and_then(|n| {
        let words = [("ignore", Gap::Ignored), ("good", Gap::Good), ("bad", Gap::Bad)];
        choice(reader, n, "no_data", &words)
    });
    let mut string = |name: &str| fields.get(name).and_then(|n| reader.string(n, name));
    let (named, description, source) = (string("service"), string("description"), string("source"));
    let written = written?;
    let sli_mark = fields.get("sli").map_or(key.mark, |n| n.mark);
    let tree = tree(reader, sli_mark, &written.text)?;
    let (sli, kind, target, says) = measure(reader, sli_mark, &written, tree.as_ref())?;
    let service = named.or_else(|| tree.as_ref().and_then(service)).unwrap_or_else(|| first_word(&key.text));
    Some(Objective {
        id: SloId(key.text.clone()),
        service,
        kind,
        target,
        window: written.window,
        sli,
        source: source.map(SourceName),
        policy,
        pairs: Vec::new(),
        says,
        written: written.text,
        declared: document.place(key.mark),
        description: description.unwrap_or_default(),
        gap: gap.unwrap_or_default(),
        period: None,
        identity: Identity::Own,
        labels: Labels::default(),
        grouping: Vec::new(),
        min_failures: None,
    })
}

fn written(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<Written> {
    let text = fields.need(reader, "sli").and_then(|n| reader.string(n, "sli"));
    let target = fields.need(reader, "target").and_then(|n| Some((reader.number(n, "target")?, n.mark)));
    let window = fields.need(reader, "window").and_then(|n| positive(reader, n, "window", Span::minutes(5)));
    let slice = match fields.get("slice") {
        Some(n) => positive(reader, n, "slice", Span::seconds(1)),
        None => Some(SLICE),
    };
    let kind = fields
        .get("kind")
        .and_then(|n| choice(reader, n, "kind", &[("ratio", Kind::Ratio), ("threshold", Kind::Threshold)]));
    let op = fields.get("op").and_then(|n| {
        let text = reader.string(n, "op")?;
        let op = Compare::parse(&text);
        if op.is_none() {
            reader.wrong(n, "op", "<=, <, >= or >");
        }
        op
    });
    let compliance = fields.get("objective").and_then(|n| {
        let compliance = reader.number(n, "objective")?;
        share(reader, n.mark, "objective", compliance)
    });
    let (text, target, window, slice) = (text?, target?, window?, slice?);
    if slice > window {
        reader.error(fields.mark(), "slice", format!("a slice of {} is longer than the window", prometheus(slice)));
    }
    Some(Written { text, target, window, kind, op, compliance, slice })
}

pub(in crate::domain::slo) fn policy_rule(reader: &mut Reader<'_>, node: &Node) -> Option<PolicyRule> {
    let text = reader.string(node, "error_budget_policy")?;
    match policy::parse(&text) {
        Ok(rule) => {
            if rule.action.is_none() {
                let message = format!("policy `{text}` is shown as it is: expected <action>_at_<n>_percent_burn");
                reader.report(node.mark, Level::Warning, "policy", message);
            }
            Some(rule)
        }
        Err(message) => {
            reader.error(node.mark, "policy", message);
            None
        }
    }
}

/// The SLI's tree. Outer `None`: refused. Inner `None`: this program does not understand it, a server may.
fn tree(reader: &mut Reader<'_>, mark: Mark, text: &str) -> Option<Option<Expr>> {
    match promql::parse(text) {
        Ok(expr) => Some(Some(expr)),
        Err(Refusal::TooMuch(why)) => {
            reader.error(mark, "promql", format!("the sli is not read: {why}"));
            None
        }
        Err(Refusal::Unknown(why)) if text.trim().is_empty() => {
            reader.error(mark, "promql", format!("the sli is empty: {why}"));
            None
        }
        // The lint says so; the server decides.
        Err(Refusal::Unknown(_)) => Some(None),
    }
}

type Measured = (Sli, Kind, f64, String);

fn measure(reader: &mut Reader<'_>, mark: Mark, w: &Written, tree: Option<&Expr>) -> Option<Measured> {
    let shape = tree.map_or(Shape::Opaque, shape);
    if let Shape::Condition { value, compare, threshold } = &shape {
        let text = raised(value, w.slice);
        let limit = Limit { compare: w.op.unwrap_or(*compare), threshold: *threshold, name: "value" };
        let compliance = share(reader, w.target.1, "target", w.target.0)?;
        return Some(sliced(w, text, &limit, compliance, false));
    }
    let ratio = match (w.kind, &shape) {
        (Some(kind), _) => kind == Kind::Ratio,
        (None, Shape::Ratio { .. }) => true,
        (None, Shape::Opaque) => w.target.0 > 0.0 && w.target.0 < 1.0 && w.op.is_none() && w.compliance.is_none(),
        (None, _) => false,
    };
    let value = || tree.map_or_else(|| w.text.clone(), |t| raised(t, w.slice));
    if ratio { as_ratio(reader, mark, w, shape, &value) } else { Some(as_threshold(w, &shape, value())) }
}

fn as_ratio(
    reader: &mut Reader<'_>,
    mark: Mark,
    w: &Written,
    shape: Shape,
    value: &dyn Fn() -> String,
) -> Option<Measured> {
    let target = share(reader, w.target.1, "target", w.target.0)?;
    let sli = match shape {
        Shape::Ratio { bad, total, .. } => Sli::Events { bad, total },
        _ => {
            let message =
                "the sli cannot be split into bad and all events; it is averaged over time, whatever the traffic";
            reader.report(mark, Level::Info, "time-weighted", message);
            Sli::Opaque { ratio: value(), slice: w.slice }
        }
    };
    let said = Said { sli: &sli, target, window: w.window, period: None, value: "", assumed: false };
    let says = says(&said);
    Some((sli, Kind::Ratio, target, says))
}

fn as_threshold(w: &Written, shape: &Shape, value: String) -> Measured {
    let quantile = match shape {
        Shape::Quantile(q) => *q,
        _ => None,
    };
    let name = quantile.map(|q| format!("p{}", crate::domain::slo::budget::round12(q * 100.0)));
    let limit = Limit {
        compare: w.op.unwrap_or(Compare::AtMost),
        threshold: w.target.0,
        name: name.as_deref().unwrap_or("value"),
    };
    let compliance = w.compliance.or(quantile).unwrap_or(COMPLIANCE);
    sliced(w, value, &limit, compliance, w.compliance.is_none())
}

struct Limit<'a> {
    compare: Compare,
    threshold: f64,
    name: &'a str,
}

fn sliced(w: &Written, value: String, limit: &Limit<'_>, target: f64, assumed: bool) -> Measured {
    let sli = Sli::Slices { value, compare: limit.compare, threshold: limit.threshold, slice: w.slice };
    let said = Said { sli: &sli, target, window: w.window, period: None, value: limit.name, assumed };
    let says = says(&said);
    (sli, Kind::Threshold, target, says)
}

#[cfg(test)]
mod tests;

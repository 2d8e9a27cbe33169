//! OpenSLO's alert policies as alert pairs, as far as they go: a condition has one window, which is both windows of the
//! pair. Tells nobody; who is notified is the business of the tools that send.

use crate::domain::document::{Level, Node, Reader};
use crate::domain::slo::objective::{AlertPair, Compare};
use crate::domain::slo::openslo::window::duration;
use crate::domain::slo::openslo::{Index, metadata};
use crate::domain::slo::reading::Window;
use crate::domain::time::Span;

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// The pair it becomes.
    pub pair: AlertPair,
}

/// An alert policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// What it waits for; `None` where that cannot be a pair.
    pub condition: Option<Condition>,
}

/// Reads `spec` of an AlertCondition. `None` when it makes no pair, which was said.
pub fn condition(reader: &mut Reader<'_>, spec: &Node) -> Option<Condition> {
    let fields = reader.foreign(spec, "the alert condition", &["description", "severity", "condition"])?;
    let severity = fields.need(reader, "severity").and_then(|n| Some((n.mark, reader.string(n, "severity")?)));
    let known = ["kind", "op", "threshold", "lookbackWindow", "alertAfter"];
    let inner = fields.need(reader, "condition").and_then(|n| reader.foreign(n, "condition", &known))?;
    let kind = inner.need(reader, "kind");
    let rising = match inner.get("op") {
        None => true,
        Some(n) => {
            let text = reader.string(n, "op")?;
            match Compare::parse(&text) {
                Some(Compare::Above) => true,
                Some(Compare::AtLeast) => {
                    let message = "the alert fires over its threshold, not at it (op gte is read as gt)";
                    reader.report(n.mark, Level::Info, "alert-condition", message);
                    true
                }
                Some(_) => false,
                None => {
                    reader.wrong(n, "op", "gt, gte, lt or lte");
                    return None;
                }
            }
        }
    };
    let factor = inner.need(reader, "threshold").and_then(|n| {
        let factor = reader.number(n, "threshold")?;
        if factor <= 0.0 {
            reader.wrong(n, "threshold", "a burn rate over 0");
            return None;
        }
        Some(factor)
    });
    let back =
        inner.need(reader, "lookbackWindow").and_then(|n| duration(reader, n, "lookbackWindow", Span::minutes(1)));
    let hold = match inner.get("alertAfter") {
        Some(n) if n.text() == Some("0m") => Some(Span::zero()),
        Some(n) => duration(reader, n, "alertAfter", Span::minutes(1)),
        None => Some(Span::zero()),
    };
    let kind = kind?;
    if kind.text() != Some("burnrate") || !rising {
        let message = "only a burn rate over a threshold becomes an alert here; this condition is left out";
        reader.report(kind.mark, Level::Warning, "alert-condition", message);
        return None;
    }
    let (severity, factor, back, hold) = (severity?, factor?, Window::of(back?), hold?);
    let severity = severity_of(reader, severity.0, &severity.1);
    Some(Condition { pair: AlertPair { severity, long: back, short: back, factor, hold } })
}

fn severity_of(reader: &mut Reader<'_>, mark: crate::domain::document::Mark, word: &str) -> String {
    match word.to_lowercase().as_str() {
        "page" | "critical" | "emergency" | "high" => "page".to_owned(),
        "ticket" | "warning" | "medium" | "low" | "info" => "ticket".to_owned(),
        _ => {
            let message = format!("the severity `{word}` is a ticket here (known: page, critical, ticket, warning)");
            reader.report(mark, Level::Warning, "severity", message);
            "ticket".to_owned()
        }
    }
}

/// Reads `spec` of an AlertPolicy.
pub fn policy(reader: &mut Reader<'_>, spec: &Node, index: &Index) -> Option<Policy> {
    let known = [
        "description",
        "alertWhenNoData",
        "alertWhenBreaching",
        "alertWhenResolved",
        "conditions",
        "notificationTargets",
    ];
    let fields = reader.foreign(spec, "the alert policy", &known)?;
    for key in ["alertWhenNoData", "alertWhenBreaching", "alertWhenResolved"] {
        if let Some(node) = fields.get(key) {
            reader.boolean(node, key);
        }
    }
    if let Some(targets) = fields.get("notificationTargets") {
        for target in reader.list(targets, "notificationTargets") {
            if let Some(reference) = target.get("targetRef") {
                Index::hint(reader, &index.targets, reference, "the notification target");
            }
        }
    }
    let node = fields.need(reader, "conditions")?;
    let [one] = reader.list(node, "conditions") else {
        reader.error(node.mark, "alert-policy", "an alert policy has exactly one condition");
        return None;
    };
    let condition = match one.get("conditionRef") {
        Some(reference) => {
            Index::find(reader, &index.conditions, reference, "the alert condition", Level::Error)?.clone()
        }
        None => {
            let spec = inline(reader, one, "the condition", "conditionRef")?;
            condition(reader, spec)
        }
    };
    Some(Policy { condition })
}

/// `spec` of an object that stands inside another one.
pub fn inline<'n>(reader: &mut Reader<'_>, node: &'n Node, what: &str, reference: &str) -> Option<&'n Node> {
    let fields = reader.foreign(node, what, &["apiVersion", "kind", "metadata", "spec", reference])?;
    if let Some(meta) = fields.get("metadata") {
        metadata(reader, meta);
    }
    if fields.get("spec").is_none() {
        reader.error(node.mark, "missing-key", format!("{what} has neither `{reference}` nor `spec`"));
    }
    fields.get("spec")
}

/// The pairs of an SLO's alert policies; `None` when it names none, or none of them makes a pair.
pub fn pairs(reader: &mut Reader<'_>, node: Option<&Node>, index: &Index) -> Option<Vec<AlertPair>> {
    let node = node?;
    let mut pairs = Vec::new();
    let list = reader.list(node, "alertPolicies");
    for item in list {
        let policy = match item.get("alertPolicyRef").or(item.text().map(|_| item)) {
            Some(reference) => {
                let found = Index::find(reader, &index.policies, reference, "the alert policy", Level::Warning);
                found.cloned().flatten()
            }
            None => {
                inline(reader, item, "the alert policy", "alertPolicyRef").and_then(|spec| policy(reader, spec, index))
            }
        };
        pairs.extend(policy.and_then(|p| p.condition).map(|c| c.pair));
    }
    if pairs.is_empty() && !list.is_empty() {
        let message = "none of the alert policies makes an alert here; the standard pairs are used";
        reader.report(node.mark, Level::Warning, "alert-policy", message);
    }
    (!pairs.is_empty()).then_some(pairs)
}

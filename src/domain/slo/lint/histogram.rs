//! Quantiles: of what, with which labels, and the exact form that two counters of the same histogram have.

use crate::domain::document::Level;
use crate::domain::slo::budget::round12;
use crate::domain::slo::lint::Case;
use crate::domain::slo::lint::place::Part;
use crate::domain::slo::lint::query::{each, metric, plain, selectors};
use crate::domain::slo::lint::rules::{BUCKET_INSTEAD, MISSING_LE, NOT_A_HISTOGRAM};
use crate::domain::slo::objective::{Compare, Sli};
use crate::domain::slo::promql::bare;
use crate::domain::slo::promql::sli::lacks_le;
use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{Call, Expr, VectorSelector};

pub(super) fn check(case: &mut Case<'_>) {
    let mut lacking = false;
    let mut inside: Vec<VectorSelector> = Vec::new();
    let mut averaged = None;
    case.query.each(&mut |node| match node {
        Expr::Call(call) if call.func.name == "histogram_quantile" => {
            lacking |= lacks_le(node);
            inside.extend(call.args.args.get(1).map(|arg| selectors(arg)).unwrap_or_default());
        }
        Expr::Aggregate(a) if matches!(a.op.to_string().as_str(), "avg" | "sum") => {
            let quantile = |m: &Matcher| m.name == "quantile" && matches!(m.op, MatchOp::Equal);
            let found = selectors(&a.expr).into_iter().find(|s| s.matchers.matchers.iter().any(quantile));
            averaged = averaged.take().or(found.map(|s| (a.op.to_string(), plain(&s))));
        }
        _ => {}
    });
    if lacking {
        let message =
            "the buckets are summed without `le`: the quantile has nothing to work on (write `sum by (le) (…)`)";
        case.report(Part::Query, &MISSING_LE, message);
    }
    if let Some((op, selector)) = averaged {
        let message = format!("{op} of `{selector}`: quantiles of several series have no {op} (expected a histogram)");
        case.report(Part::Query, &NOT_A_HISTOGRAM, message);
    }
    for selector in inside {
        not_a_histogram(case, &selector);
    }
    instead(case);
}

fn not_a_histogram(case: &mut Case<'_>, selector: &VectorSelector) {
    let Some(name) = metric(selector).filter(|name| !name.ends_with("_bucket")) else { return };
    let kind = case.facts.and_then(|facts| facts.types.get(name)).map(String::as_str);
    let part_of = ["_sum", "_count", "_total"].iter().find(|end| name.ends_with(**end));
    match (kind, part_of) {
        (Some("histogram" | "gaugehistogram"), None) => {}
        (Some(kind @ ("counter" | "gauge" | "summary")), _) => {
            let message = format!("histogram_quantile of `{name}`, which the server calls a {kind}: it has no buckets");
            case.report(Part::Query, &NOT_A_HISTOGRAM, message);
        }
        (_, Some(end)) => {
            let base = name.strip_suffix(end).unwrap_or(name);
            let message = format!("histogram_quantile of `{name}`, which has no buckets (nearest: `{base}_bucket`)");
            case.report(Part::Query, &NOT_A_HISTOGRAM, message);
        }
        // A recording of bucket rates may have any name.
        (_, None) if name.contains(':') => {}
        (_, None) => {
            let message = format!(
                "histogram_quantile of `{name}` works only if that is a native histogram (a classic one ends in _bucket)"
            );
            case.report_as(Part::Query, &NOT_A_HISTOGRAM, Level::Info, message);
        }
    }
}

/// The quantile at the root of a tree: its number and the one bucket selector it works on.
fn quantile(tree: &Expr) -> Option<(f64, VectorSelector)> {
    let Expr::Call(Call { func, args }) = bare(tree) else { return None };
    let [q, of] = args.args.as_slice() else { return None };
    let q = super::query::number(q).filter(|q| *q > 0.0 && *q < 1.0 && func.name == "histogram_quantile")?;
    let Expr::Aggregate(sum) = bare(of) else { return None };
    let only_le = sum.modifier.as_ref().is_some_and(|m| m.is_include() && m.labels().labels.iter().all(|l| l == "le"));
    if sum.op.to_string() != "sum" || !only_le {
        return None;
    }
    let mut found = selectors(&sum.expr);
    let selector = found.pop().filter(|s| found.is_empty() && metric(s).is_some_and(|n| n.ends_with("_bucket")))?;
    let mut calls = 0;
    each(&sum.expr, &mut |node| calls += usize::from(matches!(node, Expr::Call(_) | Expr::Binary(_))));
    let simple = calls == 1 && selector.offset.is_none() && selector.at.is_none() && selector.name.is_some();
    simple.then_some((q, selector))
}

/// "p99 <= 0.5 s" is "99 % of events took at most 0.5 s": two counters, exact over any window, if there is such a bucket.
fn instead(case: &mut Case<'_>) {
    let Sli::Slices { compare: Compare::AtMost | Compare::Below, threshold, .. } = &case.objective.sli else { return };
    let condition = case.query.trees().first().and_then(|tree| match bare(tree) {
        Expr::Binary(b) => quantile(&b.lhs),
        other => quantile(other),
    });
    let Some((q, selector)) = condition else { return };
    let Some(base) = selector.name.as_deref().and_then(|n| n.strip_suffix("_bucket")) else { return };
    let known = case.facts.and_then(|facts| facts.buckets.get(&plain(&selector))).filter(|les| !les.is_empty());
    let le = match known {
        None => threshold.to_string(),
        Some(les) => match les.iter().find(|le| le.parse::<f64>().ok() == Some(*threshold)) {
            Some(le) => le.clone(),
            // Without the bucket there is no exact form.
            None => return,
        },
    };
    let with = |name: String, le: Option<&str>| {
        let mut copy = selector.clone();
        copy.name = Some(name);
        copy.matchers.matchers.extend(le.map(|le| Matcher::new(MatchOp::Equal, "le", le)));
        plain(&copy)
    };
    let (good, all) = (with(format!("{base}_bucket"), Some(&le)), with(format!("{base}_count"), None));
    let sure = if known.is_some() { "the bucket is there" } else { "if there is such a bucket" };
    let message = format!(
        "the same promise, counted in events and exact over any window ({sure}): sli `sum(rate({good}[5m])) / sum(rate({all}[5m]))`, target {}",
        round12(q)
    );
    case.report(Part::Query, &BUCKET_INSTEAD, message);
}

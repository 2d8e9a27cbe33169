//! Targets against what the query measures: shares, percentages and units that are mixed up, ratios the wrong way round,
//! budgets too small to be of use. Never judges whether a target is ambitious.

use crate::domain::slo::budget::{allowance, round12};
use crate::domain::slo::lint::Case;
use crate::domain::slo::lint::place::Part;
use crate::domain::slo::lint::query::{is_code, metric, number, root, selectors};
use crate::domain::slo::lint::rules::{INVERTED, MIXED_UNITS, NO_BUDGET};
use crate::domain::slo::objective::{Bad, Compare, Kind, Sli};
use crate::domain::slo::promql::sli::{Shape, shape};
use crate::domain::time::{Span, prometheus};
use promql_parser::parser::Expr;

pub(super) fn check(case: &mut Case<'_>) {
    match case.objective.kind {
        Kind::Ratio => ratio(case),
        Kind::Threshold => threshold(case),
    }
    budget(case);
}

fn ratio(case: &mut Case<'_>) {
    let target = case.objective.target;
    let percent = round12(target * 100.0);
    if (0.005..0.01).contains(&target) {
        let message = format!(
            "the target is {percent} %: nearly everything may fail (did you mean {} %? the key takes a percentage)",
            round12(percent * 100.0)
        );
        case.report(Part::Target, &MIXED_UNITS, message);
    } else if target < 0.5 {
        let message = format!(
            "only {percent} % has to be good (a target is the share of good events: did you mean {}?)",
            round12(1.0 - target)
        );
        case.report(Part::Target, &INVERTED, message);
    }
    if case.query.trees().into_iter().any(is_percentage) && matches!(case.objective.sli, Sli::Opaque { .. }) {
        let message =
            format!("the query gives a percentage (0 to 100), the target {target} is a share (leave out the 100)");
        case.report(Part::Query, &MIXED_UNITS, message);
    }
    if let Some(why) = inverted(case) {
        case.report(Part::Query, &INVERTED, why);
    }
}

/// A ratio times a hundred.
fn is_percentage(tree: &Expr) -> bool {
    let hundred = |expr: &Expr| number(expr) == Some(100.0);
    let scaled = root(tree, "*").and_then(|b| match (hundred(&b.lhs), hundred(&b.rhs)) {
        (true, false) => Some(&b.rhs),
        (false, true) => Some(&b.lhs),
        _ => None,
    });
    let ratio = |expr: &Expr| root(expr, "/").is_some() || root(expr, "-").is_some_and(|b| number(&b.lhs) == Some(1.0));
    scaled.is_some_and(|inner| ratio(inner)) || root(tree, "/").is_some_and(|b| is_hundredfold(&b.lhs))
}

fn is_hundredfold(expr: &Expr) -> bool {
    root(expr, "*").is_some_and(|b| number(&b.lhs) == Some(100.0) || number(&b.rhs) == Some(100.0))
}

/// Why the ratio seems to be the wrong way round: the good events are failures by their code or name, or the bad ones
/// successes by their code.
fn inverted(case: &Case<'_>) -> Option<String> {
    let Sli::Events { bad, .. } = &case.objective.sli else { return None };
    let good = matches!(bad, Bad::TotalMinus(_));
    let (part, total) = case.query.sides()?;
    let (mut success, mut failure, mut coded) = (true, true, false);
    for matcher in part.matchers.matchers.iter().filter(|m| is_code(m)) {
        coded = true;
        success &= matcher.is_match("200");
        failure &= matcher.is_match("500");
    }
    let (name, all) = (metric(&part).unwrap_or("the metric"), metric(&total).unwrap_or_default());
    let fails = |name: &str| ["error", "fail", "reject", "drop"].iter().any(|word| name.to_lowercase().contains(word));
    let named = good && fails(name) && !fails(all);
    let coded = coded && success != good && failure == good;
    let divided = case.query.is_written() && case.query.trees().iter().any(|tree| root(tree, "/").is_some());
    match (named || coded, divided, good) {
        (false, ..) => None,
        (true, true, _) => {
            Some("the numerator counts failures: an sli is the share of good events (write 1 - …)".to_owned())
        }
        (true, false, true) => Some(format!("the good events, of `{name}`, are failures")),
        (true, false, false) => Some(format!("the bad events, of `{name}`, are successes: 200 counts, 500 does not")),
    }
}

fn threshold(case: &mut Case<'_>) {
    let Sli::Slices { compare, threshold, .. } = &case.objective.sli else { return };
    let (compare, threshold) = (*compare, *threshold);
    let Some(Ok(tree)) = case.query.sent.first().map(|sent| &sent.tree) else { return };
    let always = |good: bool| if good { "always good" } else { "always bad" };
    let upward = matches!(compare, Compare::AtLeast | Compare::Above);
    let sign = compare.sign();
    if is_percentage(tree) && threshold > 0.0 && threshold < 1.0 {
        let message = format!(
            "a percentage (0 to 100) is compared {sign} {threshold}: nearly {} (did you mean {}?)",
            always(upward),
            round12(threshold * 100.0)
        );
        return case.report(Part::Query, &MIXED_UNITS, message);
    }
    if threshold > 1.0 && is_share(tree) {
        let message = format!(
            "a share (0 to 1) is compared {sign} {threshold}: {} (did you mean {}?)",
            always(!upward),
            round12(threshold / 100.0)
        );
        return case.report(Part::Query, &MIXED_UNITS, message);
    }
    if let Some(why) = unit(tree, threshold) {
        case.report(Part::Target, &MIXED_UNITS, why);
    }
}

/// A value that cannot exceed 1.
fn is_share(tree: &Expr) -> bool {
    root(tree, "/").is_some() && matches!(shape(tree), Shape::Ratio { .. })
}

/// Latencies are kept in seconds: a limit of a minute and more was probably meant in milliseconds.
fn unit(tree: &Expr, threshold: f64) -> Option<String> {
    let names: Vec<String> = selectors(tree).iter().filter_map(|s| metric(s)).map(str::to_owned).collect();
    let named = |word: &str| names.iter().find(|name| name.contains(word));
    if let Some(name) = named("_seconds").filter(|name| threshold >= 100.0 && is_latency(name)) {
        let meant = round12(threshold / 1_000.0);
        return Some(format!("`{name}` is in seconds and the limit is {threshold} (did you mean {meant} seconds?)"));
    }
    let name = named("_milliseconds").or_else(|| named("_ms_")).filter(|_| threshold > 0.0 && threshold < 1.0)?;
    let meant = round12(threshold * 1_000.0);
    Some(format!("`{name}` is in milliseconds and the limit is {threshold} (did you mean {meant}?)"))
}

fn is_latency(name: &str) -> bool {
    ["latency", "duration", "request", "response"].iter().any(|word| name.contains(word))
}

/// A budget that one slice, or one scrape, spends.
fn budget(case: &mut Case<'_>) {
    let (target, window) = (case.objective.target, case.objective.window);
    let Some(share) = allowance(target) else {
        if target >= 1.0 {
            let message =
                format!("the target {} % leaves no error budget (expected less, such as 99.9 %)", target * 100.0);
            case.report(Part::Target, &NO_BUDGET, message);
        }
        return;
    };
    let (Sli::Slices { slice, .. } | Sli::Opaque { slice, .. }) = &case.objective.sli else { return };
    let millis = (share * window.num_milliseconds() as f64).round();
    let allowed = Span::milliseconds(millis as i64);
    if allowed < *slice {
        let message = format!(
            "{} % of {} leaves a budget of {}: one bad slice of {} spends it all (expected a lower target or a shorter slice)",
            round12(target * 100.0),
            prometheus(window),
            crate::domain::time::compact(allowed),
            prometheus(*slice)
        );
        case.report(Part::Target, &NO_BUDGET, message);
    }
}

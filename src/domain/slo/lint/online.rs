//! Rules that only a server's answer can make speak: series, buckets, types, failing recordings, traffic. An answer that is
//! missing silences its rule.

use crate::domain::document::Level;
use crate::domain::slo::budget::{allowance, round12};
use crate::domain::slo::lint::Case;
use crate::domain::slo::lint::facts::Facts;
use crate::domain::slo::lint::place::Part;
use crate::domain::slo::lint::query::{metric, selectors};
use crate::domain::slo::lint::questions::{Need, bucket, first_page, selectors_of, traffic};
use crate::domain::slo::lint::rules::{FAILING_RECORD, LOW_TRAFFIC, METRIC_TYPE, NO_BUCKET, NO_SERIES, REFUSED};
use crate::domain::slo::promql;
use crate::domain::text::truncate;
use crate::domain::time::prometheus;
use promql_parser::parser::Expr;
use std::collections::BTreeSet;

pub(super) fn check(case: &mut Case<'_>) {
    let Some(facts) = case.facts else { return };
    refused(case, facts);
    series(case, facts);
    buckets(case, facts);
    types(case, facts);
    records(case, facts);
    low_traffic(case, facts);
}

fn refused(case: &mut Case<'_>, facts: &Facts) {
    let texts: Vec<String> = case.query.sent.iter().map(|sent| sent.text.clone()).collect();
    for text in texts {
        if let Some(Err(why)) = facts.accepted.get(&text) {
            case.report(Part::Query, &REFUSED, format!("{} refuses the query: {}", facts.what, truncate(why, 200)));
        }
    }
}

fn series(case: &mut Case<'_>, facts: &Facts) {
    let window = prometheus(case.objective.window);
    let mut nothing = false;
    let mut asked = selectors_of(case.objective);
    // Values first: where they are missing, missing errors are nothing new.
    asked.sort_by_key(|(_, need)| *need == Need::Errors);
    for (selector, need) in asked {
        let Some(matched) = facts.selectors.get(&selector).filter(|m| m.now == Some(0)) else { continue };
        let shown = truncate(&selector, 120).into_owned();
        let told = match (need, matched.in_window) {
            // A bucket that is not there is told with those that are.
            (Need::Value, _) if lacks_bucket(&selector, facts) => None,
            (Need::Errors, Some(false)) if !nothing => {
                let message = format!(
                    "`{shown}` has no series, now or within {window}: no error was ever counted, or its name is wrong"
                );
                Some((Level::Info, message))
            }
            (Need::Errors, _) => None,
            (Need::Value, Some(false)) => {
                let message = format!("`{shown}` matches no series on {}, now or within {window}", facts.what);
                Some((NO_SERIES.level, message))
            }
            (Need::Value, Some(true)) => {
                Some((Level::Warning, format!("`{shown}` matches no series now, but did within {window}")))
            }
            (Need::Value, None) => Some((Level::Warning, format!("`{shown}` matches no series on {} now", facts.what))),
        };
        nothing |= need == Need::Value;
        if let Some((level, message)) = told {
            case.report_as(Part::Query, &NO_SERIES, level, message);
        }
    }
}

/// Whether a selector asks for a bucket that its histogram is known not to have.
fn lacks_bucket(selector: &str, facts: &Facts) -> bool {
    let tree = promql::parse(selector);
    let asked = tree.iter().flat_map(selectors).find_map(|selector| bucket(&selector));
    let Some((rest, le)) = asked else { return false };
    facts.buckets.get(&rest).is_some_and(|there| !there.is_empty() && !there.contains(&le))
}

fn buckets(case: &mut Case<'_>, facts: &Facts) {
    let trees = case.query.sent.iter().filter_map(|sent| sent.tree.as_ref().ok());
    let mut asked: BTreeSet<(String, String)> = BTreeSet::new();
    asked.extend(trees.flat_map(selectors).filter_map(|selector| bucket(&selector)));
    for (rest, le) in asked {
        let Some(there) = facts.buckets.get(&rest).filter(|les| !les.is_empty()) else { continue };
        if there.contains(&le) {
            continue;
        }
        let number = |text: &str| text.parse::<f64>().ok();
        let spelled = there.iter().find(|other| number(other).is_some() && number(other) == number(&le));
        let message = match spelled {
            Some(other) => {
                format!("`{rest}` has the bucket as le=\"{other}\", not le=\"{le}\": labels are compared as texts")
            }
            None => {
                let mut near: Vec<(f64, &String)> = there.iter().filter_map(|le| Some((number(le)?, le))).collect();
                near.sort_by(|a, b| a.0.total_cmp(&b.0));
                let near: Vec<&str> = near.iter().map(|(_, le)| le.as_str()).take(20).collect();
                format!("`{rest}` has no bucket le=\"{le}\" (there are {})", near.join(", "))
            }
        };
        case.report(Part::Query, &NO_BUCKET, message);
    }
}

fn types(case: &mut Case<'_>, facts: &Facts) {
    let mut odd: BTreeSet<(Level, String)> = BTreeSet::new();
    case.query.each(&mut |node| {
        let Expr::Call(call) = node else { return };
        let function = call.func.name;
        for arg in &call.args.args {
            let Expr::MatrixSelector(matrix) = &**arg else { continue };
            let Some(name) = metric(&matrix.vs) else { continue };
            match (function, facts.types.get(name).map(String::as_str)) {
                ("rate" | "increase" | "irate", Some("gauge")) => {
                    let why = format!(
                        "{function} of `{name}`, which the server calls a gauge: every fall counts as a restart"
                    );
                    odd.insert((Level::Warning, why));
                }
                ("delta" | "idelta" | "deriv" | "avg_over_time", Some("counter")) => {
                    let why =
                        format!("{function} of `{name}`, which the server calls a counter: restarts are not seen");
                    odd.insert((Level::Info, why));
                }
                _ => {}
            }
        }
    });
    for (level, why) in odd {
        case.report_as(Part::Query, &METRIC_TYPE, level, why);
    }
}

fn records(case: &mut Case<'_>, facts: &Facts) {
    let names: BTreeSet<String> =
        case.query.trees().into_iter().flat_map(selectors).filter_map(|s| metric(&s).map(str::to_owned)).collect();
    for failing in facts.failing.iter().filter(|f| names.contains(&f.record)) {
        let message = format!(
            "the rule that records `{}` fails (group {}): {}",
            failing.record,
            failing.group,
            truncate(&failing.error, 200)
        );
        case.report(Part::Query, &FAILING_RECORD, message);
    }
}

/// One bad event of N burns at 1 / N / allowance.
fn low_traffic(case: &mut Case<'_>, facts: &Facts) {
    let objective = case.objective;
    let (Some(query), Some(page), Some(share)) =
        (traffic(objective), first_page(objective), allowance(objective.target))
    else {
        return;
    };
    let Some(events) = facts.totals.get(&query).copied().filter(|n| *n > 0.0) else { return };
    let (long, factor) = (page.long, page.factor);
    let enough = 1.0 / (share * factor);
    let guarded = objective.min_failures.is_some_and(|least| least > 1.0);
    if events < enough && !guarded {
        let message = format!(
            "{events:.0} events in the last {long}: a single bad one burns {:.1}x and pages at {factor}x ({:.0} events are enough; a longer window, a target below {} or min_failures help)",
            1.0 / events / share,
            enough.ceil(),
            round12(objective.target)
        );
        case.report(Part::Name, &LOW_TRAFFIC, message);
    }
}

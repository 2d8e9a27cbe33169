//! What an SLI's text measures: a ratio of counts, a quantile, a condition, or something opaque; and the queries that
//! measure it for any window. Never looks at the target.

use crate::domain::slo::objective::{Bad, Compare};
use crate::domain::slo::promql::counter::Counter;
use crate::domain::slo::promql::{MARK_TEXT, WINDOW, bare, each_range, parse};
use crate::domain::time::{Span, prometheus};
use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{AggregateExpr, BinaryExpr, Expr, LabelModifier, VectorMatchCardinality};
use std::time::Duration;

/// What a text measures.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// Two counts, whatever window is asked.
    Ratio {
        /// Bad events.
        bad: Bad,
        /// All events.
        total: String,
        /// The numerator looks like errors, so the ratio may be the wrong way round.
        suspicious: bool,
    },
    /// A `histogram_quantile`, and its quantile where that is a number in 0..1.
    Quantile(Option<f64>),
    /// A comparison: good when the value compares so.
    Condition {
        /// The value's tree.
        value: Box<Expr>,
        /// How it compares.
        compare: Compare,
        /// The limit.
        threshold: f64,
    },
    /// Anything else.
    Opaque,
}

/// Says what a tree measures.
pub fn shape(expr: &Expr) -> Shape {
    if expr.to_string().contains(MARK_TEXT) {
        return Shape::Opaque;
    }
    match bare(expr) {
        Expr::Binary(b) if b.op.to_string() == "/" => split(b, false).unwrap_or(Shape::Opaque),
        Expr::Binary(b) if b.op.to_string() == "-" && is_one(&b.lhs) => match bare(&b.rhs) {
            Expr::Binary(inner) if inner.op.to_string() == "/" => split(inner, true).unwrap_or(Shape::Opaque),
            _ => Shape::Opaque,
        },
        Expr::Binary(b) => condition(b).unwrap_or(Shape::Opaque),
        Expr::Call(call) if call.func.name == "histogram_quantile" => {
            let q = call.args.args.first().and_then(|q| number(q)).filter(|q| *q > 0.0 && *q < 1.0);
            Shape::Quantile(q)
        }
        _ => Shape::Opaque,
    }
}

/// A division of two counts; `errors` when the numerator counts bad events (`1 - errors / total`).
fn split(division: &BinaryExpr, errors: bool) -> Option<Shape> {
    if let Some(modifier) = &division.modifier
        && modifier.card != VectorMatchCardinality::OneToOne
    {
        return None;
    }
    let mut range = None;
    let total = count(&division.rhs, &mut range)?;
    if let Expr::Binary(difference) = bare(&division.lhs)
        && difference.op.to_string() == "-"
        && !errors
    {
        // (total - bad) / total: a missing bad series would empty the whole numerator, so bad is read by itself.
        let bad = count(&difference.rhs, &mut range)?;
        let same = count(&difference.lhs, &mut range)? == total;
        return same.then(|| Shape::Ratio { bad: Bad::Counted(bad.text()), total: total.text(), suspicious: false });
    }
    let part = count(&division.lhs, &mut range)?;
    let bad = match errors {
        true => Bad::Counted(part.text()),
        false => complement(&part, &total).unwrap_or_else(|| Bad::TotalMinus(part.text())),
    };
    Some(Shape::Ratio { bad, total: total.text(), suspicious: !errors && looks_bad(&part, &total) })
}

/// A side of a division as one counter. `seen` holds the family of functions and ranges used so far: a rate over an
/// increase, or increases over different ranges, are no ratio of counts.
fn count(side: &Expr, seen: &mut Option<(&'static str, Option<Duration>)>) -> Option<Counter> {
    let side = match bare(side) {
        // `x or vector(0)`: a missing series is joined here as no events anyway.
        Expr::Binary(b) if b.op.to_string() == "or" && is_zero_vector(&b.rhs) => bare(&b.lhs),
        other => other,
    };
    let inner = match side {
        Expr::Aggregate(AggregateExpr { op, expr, .. }) if op.to_string() == "sum" => bare(expr),
        other => other,
    };
    let Expr::Call(call) = inner else { return None };
    let [only] = call.args.args.as_slice() else { return None };
    let Expr::MatrixSelector(matrix) = &**only else { return None };
    if matrix.vs.at.is_some() {
        return None;
    }
    let (func, family) = match call.func.name {
        "rate" | "irate" => ("increase", ("rate", None)),
        "increase" => ("increase", ("increase", Some(matrix.range))),
        "sum_over_time" => ("sum_over_time", ("samples", Some(matrix.range))),
        "count_over_time" => ("count_over_time", ("samples", Some(matrix.range))),
        _ => return None,
    };
    if seen.is_some_and(|s| s != family) {
        return None;
    }
    *seen = Some(family);
    let counter = Counter::new(func, matrix.vs.clone());
    // The printer and the parser must agree on what was printed (quoted metric names are where they do not).
    (Counter::read(&counter.text()).as_ref() == Some(&counter)).then_some(counter)
}

/// The bad events of a good and a total count: a count of their own where the two differ in one matcher, else the
/// difference.
pub fn bad_of(good: String, total: &str) -> Bad {
    let both = Counter::read(&good).zip(Counter::read(total));
    both.and_then(|(good, total)| complement(&good, &total)).unwrap_or(Bad::TotalMinus(good))
}

/// The bad events of a good count that has exactly one matcher more than the total.
fn complement(good: &Counter, total: &Counter) -> Option<Bad> {
    let mut rest: Vec<&Matcher> = total.selector.matchers.matchers.iter().collect();
    let mut extra = Vec::new();
    for matcher in &good.selector.matchers.matchers {
        match rest.iter().position(|m| *m == matcher) {
            Some(at) => drop(rest.remove(at)),
            None => extra.push(matcher),
        }
    }
    let ([extra], []) = (extra.as_slice(), rest.as_slice()) else { return None };
    if extra.name == "le" {
        return None;
    }
    let mut bad = good.clone();
    let inverse = bad.selector.matchers.matchers.iter_mut().find(|m| m == extra)?;
    inverse.op = match &inverse.op {
        MatchOp::Equal => MatchOp::NotEqual,
        MatchOp::NotEqual => MatchOp::Equal,
        MatchOp::Re(re) => MatchOp::NotRe(re.clone()),
        MatchOp::NotRe(re) => MatchOp::Re(re.clone()),
    };
    let bad = Counter::new(bad.func, bad.selector);
    // Everything else must be the same: metric, offset, function.
    let mut same = bad.clone();
    same.selector.matchers = total.selector.matchers.clone();
    (same == *total).then(|| Bad::Counted(bad.text()))
}

/// Whether a numerator selects failures: a 5xx code where the total has none, or a metric named after errors.
fn looks_bad(part: &Counter, total: &Counter) -> bool {
    let name = |c: &Counter| c.selector.name.clone().unwrap_or_default().to_lowercase();
    let (part_name, total_name) = (name(part), name(total));
    let named = ["error", "fail", "reject", "drop"].iter().any(|w| part_name.contains(w) && !total_name.contains(w));
    let coded = part.selector.matchers.matchers.iter().any(|m| {
        matches!(m.op, MatchOp::Equal | MatchOp::Re(_))
            && ["code", "status", "status_code", "http_code", "response_code"].contains(&m.name.as_str())
            && m.value.trim_start_matches(['^', '(', '?', ':']).starts_with('5')
    });
    named || coded
}

fn condition(b: &BinaryExpr) -> Option<Shape> {
    let op = b.op.to_string();
    let boolean = b.modifier.as_ref().is_some_and(|m| m.return_bool);
    let compare = match op.as_str() {
        "<=" => Compare::AtMost,
        "<" => Compare::Below,
        ">=" => Compare::AtLeast,
        ">" => Compare::Above,
        "==" | "!=" => return Some(as_bool(b)),
        _ => return None,
    };
    match number(&b.rhs) {
        Some(threshold) if !boolean => Some(Shape::Condition { value: b.lhs.clone(), compare, threshold }),
        _ => Some(as_bool(b)),
    }
}

/// The comparison as a value of 0 or 1, so that a false one is bad and not missing.
fn as_bool(b: &BinaryExpr) -> Shape {
    let mut value = b.clone();
    let mut modifier = value.modifier.unwrap_or_default();
    modifier.return_bool = true;
    value.modifier = Some(modifier);
    Shape::Condition { value: Box::new(Expr::Binary(value)), compare: Compare::AtLeast, threshold: 1.0 }
}

/// The text with every range shorter than the slice raised to it. A text the printer would change is given as it was.
pub fn raised(expr: &Expr, slice: Span) -> String {
    let slice = slice.to_std().unwrap_or_default();
    let mut copy = expr.clone();
    each_range(&mut copy, &mut |m| m.range = m.range.max(slice));
    let text = copy.to_string();
    if parse(&text).as_ref() == Ok(&copy) { text } else { expr.to_string() }
}

/// A text, with or without `$window`, as the value of one slice, in the form that it is read back in.
pub fn per_slice(text: &str, slice: Span) -> String {
    let text = text.trim().replace(WINDOW, &prometheus(slice));
    parse(&text).map_or(text, |expr| raised(&expr, slice))
}

/// The service a text speaks of: its `service` or `job` selector.
pub fn service(expr: &Expr) -> Option<String> {
    let mut copy = expr.clone();
    let mut found: Option<(bool, String)> = None;
    each_range(&mut copy, &mut |m| {
        for matcher in &m.vs.matchers.matchers {
            let rank = matcher.name == "service";
            let named = rank || matcher.name == "job";
            let better = found.as_ref().is_none_or(|(had, _)| rank && !had);
            if named && better && matches!(matcher.op, MatchOp::Equal) && !matcher.value.is_empty() {
                found = Some((rank, matcher.value.clone()));
            }
        }
    });
    found.map(|(_, value)| value)
}

/// The classic histogram's mistake: buckets summed without keeping `le`.
pub fn lacks_le(expr: &Expr) -> bool {
    let Expr::Call(call) = bare(expr) else { return false };
    if call.func.name != "histogram_quantile" {
        return false;
    }
    let Some(Expr::Aggregate(sum)) = call.args.args.get(1).map(|a| bare(a)) else { return false };
    let has = |labels: &promql_parser::label::Labels| labels.labels.iter().any(|l| l == "le");
    let dropped = match &sum.modifier {
        None => true,
        Some(LabelModifier::Include(labels)) => !has(labels),
        Some(LabelModifier::Exclude(labels)) => has(labels),
    };
    let mut buckets = false;
    let mut copy = expr.clone();
    each_range(&mut copy, &mut |m| buckets |= m.vs.name.as_deref().is_some_and(|n| n.ends_with("_bucket")));
    dropped && buckets
}

fn number(expr: &Expr) -> Option<f64> {
    match bare(expr) {
        Expr::NumberLiteral(n) => Some(n.val).filter(|v| v.is_finite()),
        Expr::Unary(u) => number(&u.expr).map(|v| -v),
        _ => None,
    }
}

fn is_one(expr: &Expr) -> bool {
    number(expr) == Some(1.0)
}

fn is_zero_vector(expr: &Expr) -> bool {
    match bare(expr) {
        Expr::Call(call) if call.func.name == "vector" => call.args.args.first().and_then(|v| number(v)) == Some(0.0),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::mins;

    fn of(text: &str) -> Shape {
        shape(&parse(text).unwrap())
    }

    fn ratio(text: &str) -> (Bad, String, bool) {
        match of(text) {
            Shape::Ratio { bad, total, suspicious } => (bad, total, suspicious),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn ratios_are_split() {
        let total = |m: &str| format!("sum(increase({m}[$window]))");
        let counted = |m: &str| Bad::Counted(total(m));
        let minus = |m: &str| Bad::TotalMinus(total(m));
        for (text, bad, all) in [
            (
                "sum(rate(x{job='a',code!~'5..'}[1m])) / sum(rate(x{job='a'}[1m]))",
                counted(r#"x{code=~"5..",job="a"}"#),
                r#"x{job="a"}"#,
            ),
            ("(sum(rate(x{code=~'2..'}[1m])) / sum(rate(x[1m])))", counted(r#"x{code!~"2.."}"#), "x"),
            ("sum(rate(x{ok='1'}[1m])) / sum(rate(x[5m]))", counted(r#"x{ok!="1"}"#), "x"),
            ("sum by (job) (irate(x{ok!='1'}[1m])) / sum by (job) (rate(x[1m]))", counted(r#"x{ok="1"}"#), "x"),
            ("sum(rate(x_bucket{le='0.5'}[1m])) / sum(rate(x_count[1m]))", minus(r#"x_bucket{le="0.5"}"#), "x_count"),
            ("sum(rate(x_bucket{le='0.5'}[1m])) / sum(rate(x_bucket[1m]))", minus(r#"x_bucket{le="0.5"}"#), "x_bucket"),
            ("1 - sum(rate(bad[1m])) / sum(rate(x[1m]))", counted("bad"), "x"),
            ("1 - ((sum(rate(bad[1m])) or vector(0)) / sum(rate(x[1m])))", counted("bad"), "x"),
            ("(sum(rate(x[1m])) - sum(rate(bad[1m]))) / sum(rate(x[1m]))", counted("bad"), "x"),
            ("sum(increase(g[5m] offset 1m)) / sum(increase(x[5m] offset 1m))", minus("g"), "x"),
        ] {
            let (got, got_total, _) = ratio(text);
            let shift = if text.contains("offset") { " offset 1m" } else { "" };
            let bad = match bad {
                Bad::Counted(b) => Bad::Counted(b.replace("[$window]", &format!("[$window]{shift}"))),
                Bad::TotalMinus(b) => Bad::TotalMinus(b.replace("[$window]", &format!("[$window]{shift}"))),
            };
            assert_eq!(
                (got, got_total),
                (bad, total(all).replace("[$window]", &format!("[$window]{shift}"))),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_ratio_of_counts_stays_opaque() {
        for text in [
            "sum(rate(a[1m])) + sum(rate(b[1m]))",
            "sum(rate(a[1m])) / sum(increase(b[1m]))",
            "sum(increase(a[1m])) / sum(increase(b[5m]))",
            "max(rate(a[1m])) / sum(rate(b[1m]))",
            "(sum(rate(a[1m])) + sum(rate(c[1m]))) / sum(rate(b[1m]))",
            "(sum(rate(a[1m])) - sum(rate(c[1m]))) / sum(rate(b[1m]))",
            "sum by (c) (rate(a[1m])) / ignoring (c) group_left () sum(rate(b[1m]))",
            "a / b",
            "avg_over_time(up[5m])",
            "sum(rate(a[1h1m1s1ms])) / sum(rate(b[1m]))",
        ] {
            assert_eq!(of(text), Shape::Opaque, "{text}");
        }
    }

    #[test]
    fn ratios_the_wrong_way_round_are_suspicious() {
        assert!(ratio("sum(rate(x{code=~'5..'}[1m])) / sum(rate(x[1m]))").2);
        assert!(ratio("sum(rate(x_errors_total[1m])) / sum(rate(x_total[1m]))").2);
        assert!(!ratio("sum(rate(x{code!~'5..'}[1m])) / sum(rate(x[1m]))").2);
        assert!(!ratio("1 - sum(rate(x_errors_total[1m])) / sum(rate(x_total[1m]))").2);
    }

    #[test]
    fn quantiles_and_conditions() {
        let quantile = "histogram_quantile(0.99, sum(rate(x_bucket{job='api'}[1m])) by (le))";
        assert_eq!(of(quantile), Shape::Quantile(Some(0.99)));
        let expr = parse(quantile).unwrap();
        assert!(raised(&expr, mins(5)).contains("x_bucket{job=\"api\"}[5m]"), "{}", raised(&expr, mins(5)));
        assert_eq!(service(&expr).as_deref(), Some("api"));
        assert!(!lacks_le(&expr));
        assert!(lacks_le(&parse("histogram_quantile(0.9, sum(rate(x_bucket[1m])))").unwrap()));
        assert!(!lacks_le(&parse("histogram_quantile(0.9, sum(rate(native[1m])))").unwrap()));
        for (text, want, limit) in
            [("avg(x) < 3", Compare::Below, 3.0), ("x >= -2", Compare::AtLeast, -2.0), ("a > b", Compare::AtLeast, 1.0)]
        {
            match of(text) {
                Shape::Condition { compare, threshold, .. } => {
                    assert_eq!((compare, threshold), (want, limit), "{text}")
                }
                other => panic!("{text}: {other:?}"),
            }
        }
        match of("up == 1") {
            Shape::Condition { value, .. } => assert_eq!(value.to_string(), "up == bool 1"),
            other => panic!("{other:?}"),
        }
    }
}

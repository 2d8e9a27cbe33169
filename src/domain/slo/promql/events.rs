//! A query of any shape as events in `$window`: one counter where it is one, so that it can be asked together with others;
//! otherwise the query itself, its rates turned into increases so that counts are true. Never asks a server.

use crate::domain::slo::promql::counter::Counter;
use crate::domain::slo::promql::{MARK, MARK_TEXT, Refusal, WINDOW, bare, each_range, parse};
use promql_parser::parser::{AggregateExpr, BinaryExpr, Call, Expr, Function, LabelModifier, VectorMatchCardinality};

/// What a query yields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Events in the window.
    Events,
    /// Events per second.
    PerSecond,
    /// A number without a unit, such as a weight or a share.
    Plain,
    /// It cannot be told.
    Unknown,
}

/// One side of a ratio.
#[derive(Clone, Debug, PartialEq)]
pub struct Side {
    /// The query with `$window` as its range.
    pub text: String,
    /// What it yields; [`Unit::PerSecond`] where rates could not be turned into increases.
    pub unit: Unit,
    /// The labels that are kept by its outermost sum.
    pub by: Vec<String>,
}

/// Placeholders of other tools that mean the window.
const PLACEHOLDERS: [&str; 4] = ["$__rate_interval", "$__interval", "$__range", "[window]"];

/// A text whose placeholder (`{{.window}}` with or without spaces, `[window]`, those of Grafana) is `$window`.
pub fn with_window(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        match after.split_once("}}") {
            Some((word, tail)) if word.trim_matches('-').trim() == ".window" => {
                out.push_str(WINDOW);
                rest = tail;
            }
            _ => {
                out.push_str("{{");
                rest = after;
            }
        }
    }
    out.push_str(rest);
    for placeholder in PLACEHOLDERS {
        let with = if placeholder.starts_with('[') { format!("[{WINDOW}]") } else { WINDOW.to_owned() };
        out = out.replace(placeholder, &with);
    }
    out
}

fn mark() -> &'static str {
    MARK_TEXT.trim_matches(['[', ']'])
}

/// The tree of a text with `$window`; every range is the mark when `widen` is set.
pub fn tree(text: &str, widen: bool) -> Result<Expr, Refusal> {
    if text.contains(mark()) {
        return Err(Refusal::Unknown(format!("{} is used here for another purpose", mark())));
    }
    let mut expr = parse(&text.replace(WINDOW, mark()))?;
    if widen {
        each_range(&mut expr, &mut |m| m.range = MARK);
    }
    Ok(expr)
}

/// One side of a ratio from its tree.
pub fn side(expr: &Expr) -> Side {
    let expr = without_zero(bare(expr));
    let by = kept(expr);
    if let Some(counter) = counter(expr) {
        return Side { text: counter.text(), unit: Unit::Events, by };
    }
    let unit = unit(expr);
    let mut counted = expr.clone();
    if unit == Unit::PerSecond {
        rates_to_increases(&mut counted);
    }
    match printed(&counted) {
        Some(text) => Side { text, unit: if unit == Unit::PerSecond { Unit::Events } else { unit }, by },
        None => Side { text: summed(expr, expr.to_string().replace(mark(), WINDOW)), unit, by },
    }
}

/// An event query in the form that it is read back in.
pub fn canonical(text: &str) -> String {
    tree(text, false).map_or_else(|_| whole(text), |expr| side(&expr).text)
}

/// A text that is not understood, read as one number by the same rule as in [`crate::domain::slo::plan`].
pub fn whole(text: &str) -> String {
    let text = text.trim();
    if text.starts_with("sum(") { text.to_owned() } else { format!("sum({text})") }
}

/// The text of one minus a ratio; of `1 - x` it is `x`.
pub fn inverse(expr: Option<&Expr>, text: &str) -> String {
    let inner = match expr.map(bare) {
        Some(Expr::Binary(b)) if b.op.to_string() == "-" && is_number(&b.lhs, 1.0) => Some(bare(&b.rhs)),
        _ => None,
    };
    // A printed text that is read as another tree is not used.
    let printed = inner.map(|expr| (expr, expr.to_string())).filter(|(expr, text)| parse(text).as_ref() == Ok(*expr));
    match printed {
        Some((_, text)) => text.replace(mark(), WINDOW),
        None => format!("1 - ({})", text.trim()),
    }
}

/// The counter that is taken away from a given total: `good` of `total - good`.
pub fn rest_of(expr: &Expr, total: &str) -> Option<String> {
    let Expr::Binary(b) = without_zero(bare(expr)) else { return None };
    if b.op.to_string() != "-" || !plain_match(b) {
        return None;
    }
    let (whole, good) = (counter(bare(&b.lhs))?, counter(bare(&b.rhs))?);
    (whole.text() == total).then(|| good.text())
}

/// A division of two queries that can be joined here: its sides, and whether the whole is one minus it.
pub fn division(expr: &Expr) -> Option<(Side, Side, bool)> {
    let (division, inverted) = match bare(expr) {
        Expr::Binary(b) if b.op.to_string() == "/" => (b, false),
        Expr::Binary(b) if b.op.to_string() == "-" && is_number(&b.lhs, 1.0) => match bare(&b.rhs) {
            Expr::Binary(inner) if inner.op.to_string() == "/" => (inner, true),
            _ => return None,
        },
        _ => return None,
    };
    if !plain_match(division) {
        return None;
    }
    let (part, total) = (side(&division.lhs), side(&division.rhs));
    (part.by == total.by && part.unit == total.unit && part.unit == Unit::Events).then_some((part, total, inverted))
}

fn plain_match(b: &BinaryExpr) -> bool {
    b.modifier.as_ref().is_none_or(|m| m.card == VectorMatchCardinality::OneToOne && m.matching.is_none())
}

/// `x or vector(0)` is `x`: a missing series is joined here as no events anyway.
fn without_zero(expr: &Expr) -> &Expr {
    match expr {
        Expr::Binary(b) if b.op.to_string() == "or" && is_zero_vector(&b.rhs) => bare(&b.lhs),
        other => other,
    }
}

fn is_zero_vector(expr: &Expr) -> bool {
    match bare(expr) {
        Expr::Call(call) if call.func.name == "vector" => call.args.args.first().is_some_and(|v| is_number(v, 0.0)),
        _ => false,
    }
}

fn is_number(expr: &Expr, wanted: f64) -> bool {
    matches!(bare(expr), Expr::NumberLiteral(n) if n.val == wanted)
}

/// The labels that the outermost aggregation keeps.
fn kept(expr: &Expr) -> Vec<String> {
    match bare(expr) {
        Expr::Aggregate(AggregateExpr { modifier: Some(LabelModifier::Include(labels)), .. }) => {
            let mut names = labels.labels.clone();
            names.sort();
            names.dedup();
            names
        }
        Expr::Binary(b) => kept(&b.lhs),
        _ => Vec::new(),
    }
}

/// A sum over one selector.
fn counter(expr: &Expr) -> Option<Counter> {
    let inner = match expr {
        Expr::Aggregate(AggregateExpr { op, expr, .. }) if op.to_string() == "sum" => bare(expr),
        other => other,
    };
    let Expr::Call(call) = inner else { return None };
    let [only] = call.args.args.as_slice() else { return None };
    let Expr::MatrixSelector(matrix) = &**only else { return None };
    if matrix.vs.at.is_some() || matrix.range != MARK {
        return None;
    }
    let func = match call.func.name {
        "rate" | "irate" | "increase" => "increase",
        "sum_over_time" => "sum_over_time",
        "count_over_time" => "count_over_time",
        _ => return None,
    };
    let counter = Counter::new(func, matrix.vs.clone());
    // The printer and the parser must agree on what was printed (quoted metric names are where they do not).
    (Counter::read(&counter.text()).as_ref() == Some(&counter)).then_some(counter)
}

/// What a tree yields, as far as its functions and operators tell.
pub fn unit(expr: &Expr) -> Unit {
    match bare(expr) {
        Expr::NumberLiteral(_) => Unit::Plain,
        Expr::Aggregate(a) => match a.op.to_string().as_str() {
            "sum" | "avg" | "min" | "max" | "topk" | "bottomk" => unit(&a.expr),
            "count" | "group" => Unit::Plain,
            _ => Unit::Unknown,
        },
        Expr::Unary(u) => unit(&u.expr),
        Expr::Call(call) => call_unit(call),
        Expr::Binary(b) => binary_unit(b),
        _ => Unit::Unknown,
    }
}

fn call_unit(call: &Call) -> Unit {
    let first = || call.args.args.first().map_or(Unit::Unknown, |a| unit(a));
    let marked = || matches!(call.args.args.first().map(|a| &**a), Some(Expr::MatrixSelector(m)) if m.range == MARK);
    match call.func.name {
        "rate" | "irate" if marked() => Unit::PerSecond,
        "increase" | "sum_over_time" | "count_over_time" => Unit::Events,
        "histogram_fraction" => Unit::Plain,
        "vector" | "scalar" | "histogram_count" | "abs" | "ceil" | "floor" | "round" | "clamp" | "clamp_min"
        | "clamp_max" | "label_replace" | "label_join" | "sort" | "sort_desc" | "absent" => first(),
        _ => Unit::Unknown,
    }
}

fn binary_unit(b: &BinaryExpr) -> Unit {
    let (left, right) = (unit(&b.lhs), unit(&b.rhs));
    match b.op.to_string().as_str() {
        "+" | "-" | "or" if left == right => left,
        "+" | "-" | "or" if is_zero_vector(&b.rhs) => left,
        "*" if left == Unit::Plain => right,
        "*" | "/" if right == Unit::Plain => left,
        "/" if left == right && left != Unit::Unknown => Unit::Plain,
        "<" | "<=" | ">" | ">=" | "==" | "!=" | "and" | "unless" => left,
        _ => Unit::Unknown,
    }
}

/// A rate times the seconds of its range is an increase: every rate over the window becomes one.
fn rates_to_increases(expr: &mut Expr) {
    let Some(increase) = increase() else { return };
    each_call(expr, &mut |call| {
        let marked = matches!(call.args.args.first().map(|a| &**a), Some(Expr::MatrixSelector(m)) if m.range == MARK);
        if marked && matches!(call.func.name, "rate" | "irate") {
            call.func = increase.clone();
        }
    });
}

fn increase() -> Option<Function> {
    match parse("increase(x[5m])") {
        Ok(Expr::Call(call)) => Some(call.func),
        _ => None,
    }
}

fn each_call(expr: &mut Expr, visit: &mut dyn FnMut(&mut Call)) {
    match expr {
        Expr::Aggregate(a) => each_call(&mut a.expr, visit),
        Expr::Unary(u) => each_call(&mut u.expr, visit),
        Expr::Binary(b) => {
            each_call(&mut b.lhs, visit);
            each_call(&mut b.rhs, visit);
        }
        Expr::Paren(p) => each_call(&mut p.expr, visit),
        Expr::Subquery(s) => each_call(&mut s.expr, visit),
        Expr::Call(call) => {
            visit(call);
            for arg in &mut call.args.args {
                each_call(arg, visit);
            }
        }
        _ => {}
    }
}

/// The text of a tree as one number with `$window`; `None` when the parser reads it as another tree.
fn printed(expr: &Expr) -> Option<String> {
    let text = expr.to_string();
    (parse(&text).as_ref() == Ok(expr)).then(|| summed(expr, text.replace(mark(), WINDOW)))
}

/// Read as one number whatever labels are left on it.
fn summed(expr: &Expr, text: String) -> String {
    let whole = matches!(expr, Expr::Aggregate(a) if a.op.to_string() == "sum" && a.modifier.is_none());
    if whole && text.starts_with("sum(") { text } else { format!("sum({text})") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> (String, Unit, Vec<String>) {
        let side = side(&tree(&with_window(text), false).unwrap());
        (side.text, side.unit, side.by)
    }

    #[test]
    fn placeholders_of_every_tool_are_the_window() {
        for text in ["x[{{.window}}]", "x[{{ .window }}]", "x[{{-  .window -}}]", "x[$__rate_interval]", "x[window]"] {
            assert_eq!(with_window(text), "x[$window]", "{text}");
        }
        assert_eq!(with_window("a{{.Window}} {{"), "a{{.Window}} {{");
    }

    #[test]
    fn counters_stay_counters_and_rates_become_events() {
        for (text, want, unit) in [
            ("sum(rate(x{b='1',a='2'}[{{.window}}]))", r#"sum(increase(x{a="2",b="1"}[$window]))"#, Unit::Events),
            ("(sum(rate(x[{{.window}}])) or vector(0))", "sum(increase(x[$window]))", Unit::Events),
            ("sum_over_time(x[{{.window}}])", "sum(sum_over_time(x[$window]))", Unit::Events),
            (
                "sum(rate(x[{{.window}}])) + sum(rate(y[{{.window}}]))",
                "sum(sum(increase(x[$window])) + sum(increase(y[$window])))",
                Unit::Events,
            ),
            ("sum(rate(x[{{.window}}]) * 2)", "sum(increase(x[$window]) * 2)", Unit::Events),
            ("max(rate(x[{{.window}}]))", "sum(max(increase(x[$window])))", Unit::Events),
            ("sum_over_time(rate(x[5m])[{{.window}}:5m])", "sum(sum_over_time(rate(x[5m])[$window:5m]))", Unit::Events),
            ("avg_over_time(x[{{.window}}])", "sum(avg_over_time(x[$window]))", Unit::Unknown),
            (
                "sum(rate(x[{{.window}}]) - increase(y[{{.window}}]))",
                "sum(rate(x[$window]) - increase(y[$window]))",
                Unit::Unknown,
            ),
        ] {
            let (got, got_unit, _) = of(text);
            assert_eq!((got.as_str(), got_unit), (want, unit), "{text}");
            assert_eq!(of(&got).0, got, "what was made is read back as it is");
        }
    }

    #[test]
    fn kept_labels_are_known() {
        assert_eq!(of("sum by (route, job) (rate(x[{{.window}}]))").2, ["job", "route"]);
        assert_eq!(of("sum(rate(x[{{.window}}]))").2, Vec::<String>::new());
    }

    #[test]
    fn only_what_can_be_joined_is_divided() {
        let of = |text: &str| division(&tree(&with_window(text), false).unwrap());
        assert!(!of("sum(rate(b[{{.window}}])) / sum(rate(t[{{.window}}]))").unwrap().2);
        assert!(of("1 - (sum(rate(g[{{.window}}])) / sum(rate(t[{{.window}}])))").unwrap().2);
        for other in [
            "avg_over_time(x[{{.window}}])",
            "sum(rate(b[{{.window}}])) / on (a) sum(rate(t[{{.window}}]))",
            "sum by (a) (rate(b[{{.window}}])) / sum(rate(t[{{.window}}]))",
            "sum(rate(b[{{.window}}])) / sum(avg_over_time(t[{{.window}}]))",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}

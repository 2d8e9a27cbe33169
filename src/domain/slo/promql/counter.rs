//! One counted thing: `sum(increase(selector[$window]))`, the shape every splittable SLI is brought into, so that
//! several of them can be asked in one request. Never holds a query of another shape.

use crate::domain::slo::promql::{MARK, MARK_TEXT, WINDOW, bare, parse};
use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{Expr, MatrixSelector, VectorSelector};

/// A sum over one selector.
#[derive(Clone, Debug, PartialEq)]
pub struct Counter {
    /// `increase`, `sum_over_time` or `count_over_time`.
    pub func: &'static str,
    /// What is counted.
    pub selector: VectorSelector,
}

const FUNCTIONS: [&str; 3] = ["increase", "sum_over_time", "count_over_time"];

impl Counter {
    /// A counter whose matchers stand in the printer's order, so that equal ones compare equal.
    pub fn new(func: &'static str, mut selector: VectorSelector) -> Self {
        selector.matchers.matchers.sort_by_cached_key(ToString::to_string);
        Self { func, selector }
    }

    /// Reads the text of an event query back; `None` when it has another shape.
    pub fn read(text: &str) -> Option<Self> {
        if text.contains(MARK_TEXT) {
            return None;
        }
        let expr = parse(&text.replace(&format!("[{WINDOW}]"), MARK_TEXT)).ok()?;
        let Expr::Aggregate(sum) = bare(&expr) else { return None };
        if sum.op.to_string() != "sum" || sum.modifier.is_some() {
            return None;
        }
        let Expr::Call(call) = bare(&sum.expr) else { return None };
        let func = FUNCTIONS.into_iter().find(|f| *f == call.func.name)?;
        match call.args.args.as_slice() {
            [only] => match &**only {
                Expr::MatrixSelector(m) if m.range == MARK => Some(Self::new(func, m.vs.clone())),
                _ => None,
            },
            _ => None,
        }
    }

    /// Its text with `$window` as the range: `sum(increase(x[$window]))`.
    pub fn text(&self) -> String {
        format!("sum({})", self.increase())
    }

    /// Its text summed per value of a label that may have any of the given values.
    pub fn text_by(&self, label: &str, values: &[&str]) -> String {
        let alternatives: Vec<String> = values.iter().map(|v| regex::escape(v)).collect();
        let any = Matcher::new(MatchOp::NotEqual, label, "$values");
        let mut grouped = self.without(label);
        grouped.selector.matchers.matchers.push(any);
        // The matcher's own pattern is not built: it would be compiled here only to be printed.
        let was = format!("{label}!=\"$values\"");
        let now = format!("{label}=~\"{}\"", promql_parser::util::escape_string(&alternatives.join("|")));
        let inner = grouped.increase();
        let inner = match inner.rsplit_once(&was) {
            Some((before, after)) => format!("{before}{now}{after}"),
            None => inner,
        };
        format!("sum by ({label}) ({inner})")
    }

    /// The equality matchers that could be pulled out: each label that has exactly one matcher, with its value.
    pub fn pullable(&self) -> Vec<(String, String)> {
        let matchers = &self.selector.matchers.matchers;
        if !self.selector.matchers.or_matchers.is_empty() {
            return Vec::new();
        }
        let once = |name: &str| matchers.iter().filter(|m| m.name == name).count() == 1;
        matchers
            .iter()
            .filter(|m| matches!(m.op, MatchOp::Equal) && !m.value.is_empty() && m.name != "__name__")
            .filter(|m| is_plain(&m.name) && once(&m.name))
            .map(|m| (m.name.clone(), m.value.clone()))
            .collect()
    }

    /// Itself without the matchers of a label: equal for counters that differ only there, whatever their order.
    pub fn without(&self, label: &str) -> Self {
        let mut rest = self.clone();
        rest.selector.matchers.matchers.retain(|m| m.name != label);
        rest
    }

    /// The increase per series, `$window` as its range.
    pub fn increase(&self) -> String {
        let matrix = MatrixSelector { vs: self.selector.clone(), range: MARK };
        format!("{}({})", self.func, matrix.to_string().replace(MARK_TEXT, &format!("[{WINDOW}]")))
    }
}

fn is_plain(label: &str) -> bool {
    label.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !label.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back() {
        let text = r#"sum(increase(http_requests_total{code!~"5..",job="api"}[$window]))"#;
        let counter = Counter::read(text).unwrap();
        assert_eq!(counter.text(), text);
        assert_eq!(counter.pullable(), [("job".to_owned(), "api".to_owned())]);
        for other in
            ["sum by (job) (increase(x[$window]))", "sum(increase(x[5m]))", "sum(rate(x[$window]))", "x", "max(x)"]
        {
            assert_eq!(Counter::read(other), None, "{other}");
        }
    }

    #[test]
    fn values_are_escaped_twice() {
        let counter = Counter::read(r#"sum(increase(x{job="a.b",z!=""}[$window]))"#).unwrap();
        assert_eq!(
            counter.text_by("job", &["a.b", "c|\"d"]),
            r#"sum by (job) (increase(x{job=~"a\\.b|c\\|\"d",z!=""}[$window]))"#
        );
        assert!(parse(&counter.text_by("job", &["a.b", "c|\"d"]).replace("$window", "5m")).is_ok());
    }

    #[test]
    fn order_of_matchers_does_not_part_equals() {
        let a = Counter::read(r#"sum(increase(x{job="a",code="5",env="p"}[$window]))"#).unwrap();
        let b = Counter::read(r#"sum(increase(x{env="p",code="5",job="b"}[$window]))"#).unwrap();
        assert_eq!(a.without("job").text(), b.without("job").text());
    }
}

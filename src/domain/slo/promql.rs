//! PromQL as a tree: what an SLI's text means. Refuses what its parser cannot bear before it sees it. Never decides
//! whether a server accepts a text; the server does.

pub mod counter;
pub mod events;
pub mod sli;

use crate::domain::labels::Labels;
use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{Expr, MatrixSelector, VectorSelector};

/// The longest text that is parsed, in bytes.
pub const TEXT_LIMIT: usize = 8 << 10;
const DEPTH_LIMIT: usize = 48;
const OPERATOR_LIMIT: usize = 256;

/// The word that stands for the range in an event query.
pub const WINDOW: &str = "$window";

/// The range that stands for [`WINDOW`] inside a tree, and its text: a length nobody writes.
const MARK: std::time::Duration = std::time::Duration::from_millis(3_661_001);
const MARK_TEXT: &str = "[1h1m1s1ms]";

/// Why a text has no tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not given to the parser: too long, too deep, too many operators.
    TooMuch(String),
    /// The parser did not understand it; a server might.
    Unknown(String),
}

/// Reads a text. `$window` is not PromQL; see [`counter::Counter::read`].
pub fn parse(text: &str) -> Result<Expr, Refusal> {
    guard(text)?;
    promql_parser::parser::parse(text).map_err(|e| Refusal::Unknown(e.to_string()))
}

/// The parser recurses once per bracket and the tree once per operator: both are counted before they can exhaust the
/// stack. Lengths of time are checked because the parser panics on those that do not fit.
fn guard(text: &str) -> Result<(), Refusal> {
    if text.len() > TEXT_LIMIT {
        return Err(Refusal::TooMuch(format!("it has {} bytes (the limit is {TEXT_LIMIT})", text.len())));
    }
    let (mut depth, mut operators, mut time_next) = (0_usize, 0_usize, false);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' | '\'' | '`' => {
                while let Some(inner) = rest.next() {
                    if inner == '\\' && c != '`' {
                        rest.next();
                    } else if inner == c {
                        break;
                    }
                }
            }
            '#' => while rest.next_if(|n| *n != '\n').is_some() {},
            '(' | '[' | '{' => {
                depth += 1;
                operators += usize::from(c == '[');
            }
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            '+' | '-' | '*' | '/' | '%' | '^' | '<' | '>' | '=' | '!' => operators += 1,
            _ => {}
        }
        if c.is_alphanumeric() || matches!(c, '_' | '.') {
            let mut word = String::from(c);
            while let Some(n) = rest.next_if(|n| n.is_alphanumeric() || matches!(n, '_' | '.' | ':')) {
                word.push(n);
            }
            operators += usize::from(matches!(word.to_lowercase().as_str(), "and" | "or" | "unless" | "atan2"));
            if time_next && !bearable(&word) {
                return Err(Refusal::Unknown(format!("`{word}` is not a usable length of time")));
            }
            time_next = word.eq_ignore_ascii_case("offset");
        } else if !c.is_whitespace() && !matches!(c, '+' | '-') {
            time_next = matches!(c, '[' | ':' | '@');
        }
        if depth > DEPTH_LIMIT {
            return Err(Refusal::TooMuch(format!("it is nested deeper than {DEPTH_LIMIT} brackets")));
        }
        if operators > OPERATOR_LIMIT {
            return Err(Refusal::TooMuch(format!("it has more than {OPERATOR_LIMIT} operators")));
        }
    }
    Ok(())
}

/// Whether a word after `[`, `:`, `@` or `offset` fits into the parser's duration. `5m:30s` comes as one word.
fn bearable(word: &str) -> bool {
    word.split(':').all(|part| {
        part.len() <= 24
            && match part.parse::<f64>() {
                Ok(number) => number.is_finite() && number.abs() < 1e11,
                Err(_) => part.split(|c: char| !c.is_ascii_digit()).all(|digits| digits.len() <= 7),
            }
    })
}

/// A tree without the brackets around it.
pub fn bare(expr: &Expr) -> &Expr {
    let mut inner = expr;
    while let Expr::Paren(paren) = inner {
        inner = &paren.expr;
    }
    inner
}

/// Visits every range selector of a tree.
pub fn each_range(expr: &mut Expr, visit: &mut dyn FnMut(&mut MatrixSelector)) {
    match expr {
        Expr::Aggregate(a) => {
            each_range(&mut a.expr, visit);
            if let Some(param) = &mut a.param {
                each_range(param, visit);
            }
        }
        Expr::Unary(u) => each_range(&mut u.expr, visit),
        Expr::Binary(b) => {
            each_range(&mut b.lhs, visit);
            each_range(&mut b.rhs, visit);
        }
        Expr::Paren(p) => each_range(&mut p.expr, visit),
        Expr::Subquery(s) => each_range(&mut s.expr, visit),
        Expr::Call(call) => {
            for arg in &mut call.args.args {
                each_range(arg, visit);
            }
        }
        Expr::MatrixSelector(m) => visit(m),
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::VectorSelector(_) | Expr::Extension(_) => {}
    }
}

/// Adds equality matchers to every selector of a text that may hold `[$window]`; `None` where it cannot be read, or not be
/// printed so that it is read the same.
pub fn pinned(text: &str, labels: &Labels) -> Option<String> {
    if text.contains(MARK_TEXT) {
        return None;
    }
    let mut expr = parse(&text.replace(&format!("[{WINDOW}]"), MARK_TEXT)).ok()?;
    each_selector(&mut expr, &mut |selector| {
        for (name, value) in &labels.0 {
            selector.matchers.matchers.retain(|m| m.name != *name || !matches!(m.op, MatchOp::Equal));
            selector.matchers.matchers.push(Matcher::new(MatchOp::Equal, name, value));
        }
        in_order(selector);
    });
    let printed = expr.to_string();
    let mut back = parse(&printed).ok()?;
    // The printer has an order of its own for matchers.
    each_selector(&mut back, &mut in_order);
    (back == expr).then(|| printed.replace(MARK_TEXT, &format!("[{WINDOW}]")))
}

fn in_order(selector: &mut VectorSelector) {
    selector.matchers.matchers.sort_by_cached_key(ToString::to_string);
}

/// The first selector of a text, as a query of its own.
pub fn first_selector(text: &str) -> Option<String> {
    let mut expr = parse(&text.replace(&format!("[{WINDOW}]"), MARK_TEXT)).ok()?;
    let mut first = None;
    each_selector(&mut expr, &mut |selector| {
        let bare = VectorSelector { offset: None, at: None, ..selector.clone() };
        first.get_or_insert_with(|| bare.to_string());
    });
    first
}

fn each_selector(expr: &mut Expr, visit: &mut dyn FnMut(&mut VectorSelector)) {
    match expr {
        Expr::VectorSelector(selector) => visit(selector),
        Expr::MatrixSelector(matrix) => visit(&mut matrix.vs),
        Expr::Aggregate(a) => {
            each_selector(&mut a.expr, visit);
            if let Some(param) = &mut a.param {
                each_selector(param, visit);
            }
        }
        Expr::Unary(u) => each_selector(&mut u.expr, visit),
        Expr::Binary(b) => {
            each_selector(&mut b.lhs, visit);
            each_selector(&mut b.rhs, visit);
        }
        Expr::Paren(p) => each_selector(&mut p.expr, visit),
        Expr::Subquery(s) => each_selector(&mut s.expr, visit),
        Expr::Call(call) => call.args.args.iter_mut().for_each(|arg| each_selector(arg, visit)),
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bombs_are_refused_before_they_are_parsed() {
        let cases = [
            format!("{}1{}", "(".repeat(4_000), ")".repeat(4_000)),
            "a".repeat(TEXT_LIMIT + 1),
            vec!["a"; 400].join("+"),
            format!("{}1", "-".repeat(4_000)),
            format!("x{}", "[5m:1m]".repeat(1_000)),
            vec!["a"; 400].join(" or "),
        ];
        for text in cases {
            assert!(matches!(parse(&text), Err(Refusal::TooMuch(_))), "{}", text.len());
        }
    }

    #[test]
    fn brackets_in_texts_and_comments_do_not_count() {
        let text = format!("sum(x{{a=\"{}\"}}) # {}", "(".repeat(100), "[".repeat(400));
        assert!(parse(&text).is_ok());
    }

    #[test]
    fn lengths_of_time_that_do_not_fit_are_refused() {
        for text in [
            "x[1e400]",
            "x offset 1e400",
            "x offset -1e30",
            "x[5m:1e99]",
            "x @ 1e400",
            "x offset inf",
            "x[99999999999y]",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(words in prop::collection::vec(prop::sample::select(vec![
            "sum", "(", ")", "[", "]", "{", "}", "by", "le", "x", "rate", "5m", ":", "1", "-", "/", "offset", "@", "1e9", "inf",
            "NaN", "\"", "'a'", "=~", "!~", "\"5..\"", ",", "histogram_quantile", "0.9", " ", "or", "start()", "0x1f", "\\", "é", "#",
        ]), 0..24)) {
            let _ = parse(&words.concat());
            let _ = parse(&words.join(" "));
        }
    }
}

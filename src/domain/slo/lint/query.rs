//! The trees of an objective's queries as the rules look at them: what its author wrote where that is PromQL, else what is
//! sent. Never judges.

use crate::domain::slo::objective::{Bad, Objective, Sli};
use crate::domain::slo::promql::{self, Refusal, WINDOW, bare};
use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{BinaryExpr, Expr, MatrixSelector, VectorSelector};

/// The window that stands for the placeholder in a text that is only looked at.
const ANY_WINDOW: &str = "5m";

/// A query that is sent, with a window in the place of the placeholder.
#[derive(Debug)]
pub struct Sent {
    /// Its text.
    pub text: String,
    /// Its tree, or why it has none.
    pub tree: Result<Expr, Refusal>,
}

/// The trees of an objective. Each text is read once: patterns of matchers are compiled at every reading, which takes longer
/// than all rules together.
#[derive(Debug, Default)]
pub struct Query {
    /// The tree as written; `None` where that is no PromQL.
    written: Option<Expr>,
    /// What is sent: part and total of events, or the value of a slice.
    pub sent: Vec<Sent>,
}

impl Query {
    /// Reads the queries of an objective.
    pub fn of(objective: &Objective) -> Self {
        let written = promql::parse(&objective.written).ok();
        let read = |text: String| Sent { tree: promql::parse(&text), text };
        Self { written, sent: sent(objective).into_iter().map(read).collect() }
    }

    /// Whether the author wrote PromQL, so that its ranges are the author's.
    pub fn is_written(&self) -> bool {
        self.written.is_some()
    }

    /// The tree as written, or one per query that is sent.
    pub fn trees(&self) -> Vec<&Expr> {
        match &self.written {
            Some(tree) => vec![tree],
            None => self.sent.iter().filter_map(|sent| sent.tree.as_ref().ok()).collect(),
        }
    }

    /// What the part and the total of events select, where each is one selector.
    pub fn sides(&self) -> Option<(VectorSelector, VectorSelector)> {
        let [part, total] = self.sent.as_slice() else { return None };
        let one = |sent: &Sent| match selectors(sent.tree.as_ref().ok()?).as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        };
        Some((one(part)?, one(total)?))
    }

    /// Visits every node of every tree, outer ones first.
    pub fn each(&self, visit: &mut dyn FnMut(&Expr)) {
        for tree in self.trees() {
            each(tree, visit);
        }
    }
}

/// The queries that are sent for an objective, with a window in the place of the placeholder.
pub fn sent(objective: &Objective) -> Vec<String> {
    let texts = match &objective.sli {
        Sli::Events { bad: Bad::Counted(part) | Bad::TotalMinus(part), total } => vec![part, total],
        Sli::Slices { value: text, .. } | Sli::Opaque { ratio: text, .. } => vec![text],
        _ => Vec::new(),
    };
    texts.into_iter().map(|text| text.replace(WINDOW, ANY_WINDOW)).collect()
}

/// Visits every node of a tree, outer ones first.
pub fn each(expr: &Expr, visit: &mut dyn FnMut(&Expr)) {
    visit(expr);
    match expr {
        Expr::Aggregate(a) => {
            each(&a.expr, visit);
            if let Some(param) = &a.param {
                each(param, visit);
            }
        }
        Expr::Unary(u) => each(&u.expr, visit),
        Expr::Binary(b) => {
            each(&b.lhs, visit);
            each(&b.rhs, visit);
        }
        Expr::Paren(p) => each(&p.expr, visit),
        Expr::Subquery(s) => each(&s.expr, visit),
        Expr::Call(call) => call.args.args.iter().for_each(|arg| each(arg, visit)),
        Expr::MatrixSelector(_)
        | Expr::NumberLiteral(_)
        | Expr::StringLiteral(_)
        | Expr::VectorSelector(_)
        | Expr::Extension(_) => {}
    }
}

/// The selectors of a tree, with and without a range.
pub fn selectors(expr: &Expr) -> Vec<VectorSelector> {
    let mut found = Vec::new();
    each(expr, &mut |node| match node {
        Expr::MatrixSelector(MatrixSelector { vs, .. }) | Expr::VectorSelector(vs) => found.push(vs.clone()),
        _ => {}
    });
    found
}

/// The metric of a selector, by its name or its `__name__` matcher.
pub fn metric(selector: &VectorSelector) -> Option<&str> {
    let named = || {
        let found = selector.matchers.matchers.iter().find(|m| m.name == "__name__");
        found.filter(|m| matches!(m.op, MatchOp::Equal)).map(|m| m.value.as_str())
    };
    selector.name.as_deref().or_else(named)
}

/// A selector as a text of its own: no offset, no `@`, matchers in one order.
pub fn plain(selector: &VectorSelector) -> String {
    let mut plain = selector.clone();
    (plain.offset, plain.at) = (None, None);
    plain.matchers.matchers.sort_by_cached_key(ToString::to_string);
    plain.to_string()
}

/// Whether a matcher is about the status code of an answer.
pub fn is_code(matcher: &Matcher) -> bool {
    const CODES: [&str; 7] = [
        "code",
        "status",
        "status_code",
        "http_code",
        "response_code",
        "http_status_code",
        "http_response_status_code",
    ];
    CODES.contains(&matcher.name.as_str())
}

/// The binary operation a tree begins with, whatever brackets are around it.
pub fn root<'e>(expr: &'e Expr, op: &str) -> Option<&'e BinaryExpr> {
    match bare(expr) {
        Expr::Binary(b) if b.op.to_string() == op => Some(b),
        _ => None,
    }
}

/// The number a tree is.
pub fn number(expr: &Expr) -> Option<f64> {
    match bare(expr) {
        Expr::NumberLiteral(n) => Some(n.val).filter(|v| v.is_finite()),
        _ => None,
    }
}

//! The two sides of a ratio: whether they keep the same labels, so that they pair at all, and whether they select the same
//! things, so that the one is a share of the other.

use crate::domain::document::Level;
use crate::domain::slo::lint::Case;
use crate::domain::slo::lint::place::Part;
use crate::domain::slo::lint::query::{metric, number};
use crate::domain::slo::lint::rules::{OR_VECTOR, SIDES};
use crate::domain::slo::promql::bare;
use promql_parser::label::MatchOp;
use promql_parser::parser::{BinaryExpr, Expr, LabelModifier, VectorMatchCardinality};
use std::collections::BTreeSet;

pub(super) fn check(case: &mut Case<'_>) {
    let (mut vectors, mut lost) = (None, None);
    case.query.each(&mut |node| {
        let Expr::Binary(b) = node else { return };
        match b.op.to_string().as_str() {
            "or" if is_zero_vector(&b.rhs) && labels(&b.lhs) != Kept::Only(BTreeSet::new()) => {
                vectors = vectors.take().or_else(|| Some(b.lhs.to_string()));
            }
            "/" => lost = lost.take().or_else(|| unpaired(b)),
            _ => {}
        }
    });
    if let Some(left) = vectors {
        let left = crate::domain::text::truncate(&left, 60).into_owned();
        let message = format!(
            "`or vector(0)` beside `{left}`, which has labels: the zero has none and pairs with nothing (write `or 0 * …` of the total)"
        );
        case.report(Part::Query, &OR_VECTOR, message);
    }
    if let Some(why) = lost {
        case.report(Part::Query, &SIDES, why);
    }
    if let Some((level, why)) = selected(case) {
        case.report_as(Part::Query, &SIDES, level, why);
    }
}

fn is_zero_vector(expr: &Expr) -> bool {
    match bare(expr) {
        Expr::Call(call) => call.func.name == "vector" && call.args.args.first().and_then(|v| number(v)) == Some(0.0),
        _ => false,
    }
}

/// The labels that the result of an expression has.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Kept {
    /// These at most.
    Only(BTreeSet<String>),
    /// All but these.
    Without(BTreeSet<String>),
    /// Not told by the text.
    Unknown,
}

impl Kept {
    fn words(&self) -> String {
        let list = |labels: &BTreeSet<String>| labels.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        match self {
            Self::Only(labels) if labels.is_empty() => "no label".to_owned(),
            Self::Only(labels) => format!("`{}`", list(labels)),
            Self::Without(labels) => format!("all but `{}`", list(labels)),
            Self::Unknown => "whatever its series have".to_owned(),
        }
    }
}

fn labels(expr: &Expr) -> Kept {
    match bare(expr) {
        Expr::Aggregate(a) if matches!(a.op.to_string().as_str(), "topk" | "bottomk" | "limitk") => Kept::Unknown,
        Expr::Aggregate(a) => match &a.modifier {
            None => Kept::Only(BTreeSet::new()),
            Some(LabelModifier::Include(l)) => Kept::Only(l.labels.iter().cloned().collect()),
            Some(LabelModifier::Exclude(l)) => Kept::Without(l.labels.iter().cloned().collect()),
        },
        Expr::Binary(b) if b.op.to_string() == "or" => labels(&b.lhs),
        Expr::Binary(b) if number(&b.rhs).is_some() => labels(&b.lhs),
        Expr::Binary(b) if number(&b.lhs).is_some() => labels(&b.rhs),
        _ => Kept::Unknown,
    }
}

/// Why no series of the one side pairs with one of the other.
fn unpaired(division: &BinaryExpr) -> Option<String> {
    let plain =
        division.modifier.as_ref().is_none_or(|m| m.matching.is_none() && m.card == VectorMatchCardinality::OneToOne);
    let (left, right) = (labels(&division.lhs), labels(&division.rhs));
    let known = |kept: &Kept| matches!(kept, Kept::Only(_) | Kept::Without(_));
    let same_kind = matches!((&left, &right), (Kept::Only(_), Kept::Only(_)) | (Kept::Without(_), Kept::Without(_)));
    let told = known(&left) && known(&right) && same_kind && left != right;
    (plain && told && number(&division.rhs).is_none()).then(|| {
        format!(
            "the numerator keeps {} and the denominator {}: series pair only if all their labels are equal (sum both alike, or say on (…))",
            left.words(),
            right.words()
        )
    })
}

/// What the one side selects and the other does not.
fn selected(case: &Case<'_>) -> Option<(Level, String)> {
    let (part, total) = case.query.sides()?;
    let (one, all) = (metric(&part)?.to_owned(), metric(&total)?.to_owned());
    for matcher in total.matchers.matchers.iter().filter(|m| m.name != "le" && m.name != "__name__") {
        let mut own = part.matchers.matchers.iter().filter(|m| m.name == matcher.name).peekable();
        if own.peek().is_none() {
            // Another metric may not have the label at all.
            let level = if one == all { Level::Warning } else { Level::Info };
            let message = format!("all events are limited to {matcher}, the part of them (`{one}`) is not");
            return Some((level, message));
        }
        let equal = |m: &promql_parser::label::Matcher| matches!(m.op, MatchOp::Equal);
        if let Some(other) = own.find(|m| equal(m) && equal(matcher) && m.value != matcher.value) {
            let message = format!("the two sides select different things: {other} and {matcher}");
            return Some((Level::Warning, message));
        }
    }
    None
}

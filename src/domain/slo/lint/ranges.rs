//! Ranges and slices against the scrape interval. A rate needs two samples in its range, and a range of four intervals to
//! live through a lost scrape. Where no server told its interval, one is assumed and said to be.

use crate::domain::document::Level;
use crate::domain::slo::lint::Case;
use crate::domain::slo::lint::place::Part;
use crate::domain::slo::lint::rules::{LONG_SUBQUERY, RANGE_EMPTY, RANGE_FRAGILE, READING_EMPTY};
use crate::domain::slo::objective::Sli;
use crate::domain::slo::reading::Window;
use crate::domain::time::{Span, mins, prometheus};
use promql_parser::parser::Expr;

/// The scrape interval where none is known.
pub const ASSUMED: Span = Span::minutes(1);
/// What a subquery may span; a February.
const SUBQUERY: Span = Span::days(28);

/// The scrape interval, and whether it is only assumed.
struct Scrapes {
    interval: Span,
    assumed: bool,
}

impl Scrapes {
    fn words(&self) -> String {
        format!("{}{}", prometheus(self.interval), if self.assumed { ", assumed" } else { "" })
    }
}

pub(super) fn check(case: &mut Case<'_>) {
    let known = case.facts.and_then(|f| f.interval(case.objective)).filter(|i| *i > Span::zero());
    let scrapes = Scrapes { interval: known.unwrap_or(ASSUMED), assumed: known.is_none() };
    let shortest = shortest(case);
    if !reading(case, &scrapes, shortest.as_ref().map(|(range, _)| *range)) {
        written(case, &scrapes, shortest);
    }
    subqueries(case);
}

/// What is read here: the slice, or the shortest window of an alert. True when that is too short already.
fn reading(case: &mut Case<'_>, scrapes: &Scrapes, written: Option<Span>) -> bool {
    let (span, what, part) = match &case.objective.sli {
        Sli::Slices { slice, .. } | Sli::Opaque { slice, .. } => match written {
            None => return false,
            Some(range) => (range.max(*slice), "the slice", Part::Query),
        },
        Sli::Events { .. } => match case.objective.pairs.iter().map(|p| p.short.span()).min() {
            Some(short) => (short, "the shortest window of its alerts", Part::Name),
            None => return false,
        },
        _ => return false,
    };
    let words = format!("{what}, {}, ", prometheus(span));
    let (scrape, level) = (scrapes.words(), |known| if scrapes.assumed { Level::Info } else { known });
    if span < scrapes.interval * 2 {
        let message = format!(
            "{words}is under twice the scrape interval ({scrape}): it is read as no data (expected at least {})",
            prometheus(scrapes.interval * 4)
        );
        case.report_as(part, &READING_EMPTY, level(Level::Error), message);
        return true;
    }
    if span < scrapes.interval * 4 {
        let message = format!(
            "{words}is under four scrape intervals ({scrape}): one lost scrape makes a hole (expected at least {})",
            prometheus(scrapes.interval * 4)
        );
        case.report_as(part, &READING_EMPTY, level(Level::Warning), message);
        return true;
    }
    false
}

/// The shortest range of a function that needs two samples, and the function.
fn shortest(case: &Case<'_>) -> Option<(Span, String)> {
    const NEEDS_TWO: [&str; 7] = ["rate", "irate", "increase", "delta", "idelta", "deriv", "predict_linear"];
    let mut found: Option<(Span, String)> = None;
    case.query.each(&mut |node| {
        let Expr::Call(call) = node else { return };
        if !NEEDS_TWO.contains(&call.func.name) {
            return;
        }
        for arg in &call.args.args {
            let Expr::MatrixSelector(matrix) = &**arg else { continue };
            let Ok(range) = Span::from_std(matrix.range) else { continue };
            if found.as_ref().is_none_or(|(shortest, _)| range < *shortest) {
                found = Some((range, call.func.name.to_owned()));
            }
        }
    });
    found
}

/// The range as it is written. Here it is replaced by a longer one; wherever else the text is pasted it stays as it is.
fn written(case: &mut Case<'_>, scrapes: &Scrapes, shortest: Option<(Span, String)>) {
    let Some((range, function)) = shortest.filter(|_| case.query.is_written()) else { return };
    let here = match &case.objective.sli {
        Sli::Events { .. } => "here it is counted over the windows asked, [5m] and longer".to_owned(),
        Sli::Slices { slice, .. } | Sli::Opaque { slice, .. } => {
            format!("here it is raised to the slice, [{}]", prometheus(range.max(*slice)))
        }
        _ => return,
    };
    let better = prometheus((scrapes.interval * 4).max(mins(1)));
    let (text, scrape) = (prometheus(range), scrapes.words());
    let level = |rule: Level| if scrapes.assumed { Level::Info } else { rule };
    if range < scrapes.interval * 2 {
        let message = format!(
            "{function} over [{text}] is empty as it stands, under twice the scrape interval ({scrape}); {here} (elsewhere write [{better}])"
        );
        case.report_as(Part::Query, &RANGE_EMPTY, level(RANGE_EMPTY.level), message);
    } else if range < scrapes.interval * 4 {
        let message = format!(
            "{function} over [{text}] is fragile as it stands, under four scrape intervals ({scrape}); {here} (elsewhere write [{better}])"
        );
        case.report_as(Part::Query, &RANGE_FRAGILE, level(RANGE_FRAGILE.level), message);
    }
}

fn subqueries(case: &mut Case<'_>) {
    let mut longest: Option<(Span, Option<Span>)> = None;
    case.query.each(&mut |node| {
        let Expr::Subquery(sub) = node else { return };
        let Ok(range) = Span::from_std(sub.range) else { return };
        if longest.is_none_or(|(most, _)| range > most) {
            longest = Some((range, sub.step.and_then(|s| Span::from_std(s).ok())));
        }
    });
    if let Some((range, step)) = longest.filter(|(range, _)| *range >= SUBQUERY) {
        let step = step.filter(|s| s.num_seconds() > 0);
        let points = range.num_seconds() / step.unwrap_or(ASSUMED).num_seconds().max(1);
        let text = Window::of(range);
        let message = format!(
            "a subquery over {text} evaluates its inside about {points} times per series at every poll and holds all of it (expected a recording rule)"
        );
        case.report(Part::Query, &LONG_SUBQUERY, message);
    }
}

//! Matchers of status codes: those that match nothing, those that forget a failure, those that take too much.

use crate::domain::document::Level;
use crate::domain::slo::lint::Case;
use crate::domain::slo::lint::place::Part;
use crate::domain::slo::lint::query::{is_code, selectors};
use crate::domain::slo::lint::rules::CODE_MATCHER;
use promql_parser::label::{MatchOp, Matcher};

/// The failures that every proxy gives sooner or later.
const FAILURES: [&str; 4] = ["500", "502", "503", "504"];

pub(super) fn check(case: &mut Case<'_>) {
    let mut seen: Vec<Matcher> = Vec::new();
    for selector in case.query.trees().into_iter().flat_map(selectors) {
        for matcher in selector.matchers.matchers.iter().filter(|m| is_code(m)) {
            if !seen.contains(matcher) {
                seen.push(matcher.clone());
            }
        }
    }
    for matcher in seen {
        if let Some((level, why)) = judge(&matcher) {
            case.report_as(Part::Query, &CODE_MATCHER, level, format!("`{matcher}` {why}"));
        }
    }
}

fn judge(matcher: &Matcher) -> Option<(Level, String)> {
    let name = &matcher.name;
    let regex = match &matcher.op {
        MatchOp::Equal | MatchOp::NotEqual => return literal(matcher),
        MatchOp::Re(regex) | MatchOp::NotRe(regex) => regex,
    };
    let takes = |code: &str| regex.is_match(code);
    // A label that holds words (`ok`, `UNAVAILABLE`) or classes (`5xx`) is not judged.
    if matcher.value.chars().any(|c| c.is_ascii_alphabetic()) {
        return None;
    }
    let codes: Vec<String> = (100..600).map(|code: u16| code.to_string()).collect();
    let taken: Vec<&str> = codes.iter().map(String::as_str).filter(|code| takes(code)).collect();
    if taken.is_empty() {
        let class = matcher.value.chars().find(char::is_ascii_digit).unwrap_or('5');
        let message = format!(
            "matches no code of three digits: a pattern is anchored at both ends (write {name}=~\"{class}..\")"
        );
        return Some((Level::Warning, message));
    }
    let (fails, listed) =
        (taken.iter().any(|c| c.starts_with('5')), !matcher.value.contains(['.', '*', '+', '[', '?']));
    let stray = taken.iter().find(|code| part_of_class(code, &taken) && code.starts_with(['2', '3']));
    let missed: Vec<&str> = FAILURES.into_iter().filter(|code| !takes(code)).collect();
    match stray.filter(|_| !listed) {
        Some(code) if fails => {
            Some((Level::Warning, format!("matches {code} too (write {name}=~\"5..\" for server errors)")))
        }
        None if fails && !missed.is_empty() && taken.iter().all(|c| c.starts_with(['4', '5'])) => Some((
            Level::Info,
            format!("leaves out {} (write {name}=~\"5..\" for all server errors)", missed.join(", ")),
        )),
        _ => None,
    }
}

/// Whether a code is taken without its whole class, as `.*5.*` takes 205.
fn part_of_class(code: &str, taken: &[&str]) -> bool {
    let class = code.chars().next();
    taken.iter().filter(|other| other.chars().next() == class).count() < 100
}

/// `code="5.."` compares letter by letter.
fn literal(matcher: &Matcher) -> Option<(Level, String)> {
    let pattern = matcher.value.contains(['.', '*', '|', '[', '+', '(']);
    let digits = matcher.value.chars().any(|c| c.is_ascii_digit());
    if !pattern || !digits {
        return None;
    }
    let (sign, says) = match matcher.op {
        MatchOp::Equal => ("=~", "matches nothing"),
        _ => ("!~", "leaves out nothing"),
    };
    let message = format!("{says}: a pattern needs {sign} (write {}{sign}\"{}\")", matcher.name, matcher.value);
    Some((Level::Warning, message))
}

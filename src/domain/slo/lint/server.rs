//! What is wrong with a server itself, whatever is asked of it: its clock, its age, what it could not say.

use crate::domain::document::Finding;
use crate::domain::slo::lint::facts::Facts;
use crate::domain::slo::lint::rules::{CLOCK_SKEW, OLD_VERSION, Rule, UNANSWERED};
use crate::domain::text::clean;
use crate::domain::time::{Span, compact};

/// From this on a clock that differs from ours is told: burn rates of five minutes are wrong by a tenth.
const SKEW: Span = Span::seconds(30);
/// The oldest version that this program is tested with.
const TESTED: (u32, u32) = (2, 42);

/// Findings about a server; the path is how the source is called.
pub fn judge(facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut told = |rule: &Rule, message: String| {
        findings.push(Finding {
            path: facts.what.clone(),
            line: 0,
            column: 0,
            rule: rule.id.to_owned(),
            level: rule.level,
            message: clean(&message).into_owned(),
        });
    };
    if let Some(skew) = facts.skew.filter(|skew| skew.abs() >= SKEW) {
        let way = if skew < Span::zero() { "behind" } else { "ahead of" };
        told(
            &CLOCK_SKEW,
            format!("its clock is {} {way} ours: windows are cut in the wrong place", compact(skew.abs())),
        );
    }
    if let Some(version) = facts.version.as_deref().filter(|v| is_old(v)) {
        let (major, minor) = TESTED;
        told(&OLD_VERSION, format!("version {version} is older than {major}.{minor}, the oldest this is tested with"));
    }
    for what in &facts.unanswered {
        told(&UNANSWERED, format!("not known: {what}; rules that need it were silent"));
    }
    findings
}

fn is_old(version: &str) -> bool {
    let mut numbers = version.trim_start_matches('v').split(|c: char| !c.is_ascii_digit()).map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        // The relatives number themselves from 0 and 1.
        (Some(Ok(major)), Some(Ok(minor))) => major == TESTED.0 && minor < TESTED.1,
        _ => false,
    }
}

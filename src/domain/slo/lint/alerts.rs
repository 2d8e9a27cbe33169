//! Alert pairs that cannot do their work, and windows that reach further back than the server remembers.

use crate::domain::document::Level;
use crate::domain::slo::budget::round12;
use crate::domain::slo::burn::{can_fire, of};
use crate::domain::slo::lint::Case;
use crate::domain::slo::lint::place::Part;
use crate::domain::slo::lint::rules::{ALERT_WINDOW, CANNOT_FIRE, RETENTION};
use crate::domain::slo::objective::{AlertPair, Sli};
use crate::domain::time::{Span, prometheus};

/// How long a Prometheus keeps samples unless it is told otherwise.
const DEFAULT_RETENTION: Span = Span::days(15);

pub(super) fn check(case: &mut Case<'_>) {
    let objective = case.objective;
    let mute: Vec<&AlertPair> = objective.pairs.iter().filter(|p| !can_fire(p.factor, objective.target)).collect();
    if let (Some(most), false) = (of(1.0, objective.target), mute.is_empty()) {
        let named: Vec<String> = mute.iter().map(|p| format!("{} {}x over {}", p.severity, p.factor, p.long)).collect();
        let factor = mute.iter().map(|p| p.factor).fold(f64::INFINITY, f64::min);
        let message = format!(
            "{} cannot fire: with a target of {} everything failing burns {most:.1}x (the mildest needs a target over {:.4})",
            named.join(" and "),
            round12(objective.target),
            1.0 - 1.0 / factor
        );
        case.report(Part::Target, &CANNOT_FIRE, message);
    }
    let longer: Vec<String> = objective
        .pairs
        .iter()
        .filter(|p| p.long.span() > objective.window)
        .map(|p| format!("{} over {}", p.severity, p.long))
        .collect();
    if !longer.is_empty() {
        let message = format!(
            "{}: longer than the window of {}, so that it looks at what the budget has forgotten",
            longer.join(" and "),
            prometheus(objective.window)
        );
        case.report(Part::Window, &ALERT_WINDOW, message);
    }
    if !matches!(objective.sli, Sli::Composite(_)) {
        retention(case);
    }
}

fn retention(case: &mut Case<'_>) {
    let window = case.objective.window;
    let text = prometheus(window);
    let Some(facts) = case.facts else {
        if window > DEFAULT_RETENTION {
            let message = format!(
                "the window of {text} is longer than the {} a Prometheus keeps unless it is told otherwise (`check --online` asks the server)",
                prometheus(DEFAULT_RETENTION)
            );
            case.report_as(Part::Window, &RETENTION, Level::Info, message);
        }
        return;
    };
    let keeps = facts.retention.filter(|kept| *kept < window);
    if let Some(kept) = keeps {
        let kept = prometheus(kept);
        let message = format!(
            "the window of {text} is longer than the {kept} that {} keeps: it covers {kept} (expected a shorter window, or storage.tsdb.retention.time raised)",
            facts.what
        );
        return case.report(Part::Window, &RETENTION, message);
    }
    let short = super::questions::selectors_of(case.objective).into_iter().find(|(selector, need)| {
        let known = facts.selectors.get(selector);
        *need == super::questions::Need::Value
            && known.is_some_and(|m| m.at_start == Some(false) && m.now.is_some_and(|n| n > 0))
    });
    if let Some((selector, _)) = short {
        let message = format!(
            "`{selector}` has no samples at the beginning of the window of {text}: it covers less, because the server forgets or the series is younger"
        );
        case.report_as(Part::Window, &RETENTION, Level::Info, message);
    }
}

//! Error budgets: how much may go wrong in a window, and how much of it is left. Never rounds for display and never
//! clamps a debt away: what remains is signed.

use crate::domain::slo::reading::Counts;
use crate::domain::time::Span;

/// Rounds to 12 decimals, so that 1 - 0.999 is 0.001 and a boundary is met by the number that means it.
pub fn round12(x: f64) -> f64 {
    (x * 1e12).round() / 1e12
}

/// The share that may be bad, 0..1: `1 - target`. `None` when nothing may (target 1) or the target is no share.
pub fn allowance(target: f64) -> Option<f64> {
    let share = round12(1.0 - target);
    (share > 0.0 && share < 1.0).then_some(share)
}

/// Minutes that may be bad in a window; 0 for a target of 1.
pub fn minutes_total(target: f64, window: Span) -> f64 {
    allowance(target).map_or(0.0, |share| round12(share * minutes(window)))
}

/// The share of the budget that is used, 0 upwards; over 1 is debt. `None` without events or without a budget.
pub fn consumed(counts: Counts, target: f64) -> Option<f64> {
    consumed_by(counts.error_ratio()?, target)
}

/// The share of the budget that an error ratio (0..1) over the whole window uses; over 1 is debt.
pub fn consumed_by(error_ratio: f64, target: f64) -> Option<f64> {
    Some(error_ratio / allowance(target)?).filter(|c| c.is_finite())
}

/// The share of the budget that is left; negative is debt.
pub fn remaining(counts: Counts, target: f64) -> Option<f64> {
    consumed(counts, target).map(|c| 1.0 - c)
}

/// The share of the budget that a time span at a burn rate costs, at constant traffic.
pub fn cost(burn: f64, span: Span, window: Span) -> Option<f64> {
    let share = burn * (minutes(span) / minutes(window));
    share.is_finite().then_some(share)
}

/// What an incident cost, in shares of the budget of the window that ends now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// Every bad event of the incident.
    pub gross: f64,
    /// Without those that the error ratio before the incident would have brought anyway.
    pub net: f64,
}

/// What an incident cost: its own events, the error ratio before it (0..1), and the events of the whole window.
pub fn incident_cost(during: Counts, before: f64, window_total: f64, target: f64) -> Option<Cost> {
    let budget = allowance(target)? * window_total;
    if !(budget > 0.0 && before.is_finite()) {
        return None;
    }
    let usual = before.clamp(0.0, 1.0) * during.total;
    Some(Cost { gross: during.bad / budget, net: (during.bad - usual).max(0.0) / budget })
}

fn minutes(span: Span) -> f64 {
    span.num_milliseconds() as f64 / 60_000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::{mins, parse_span};
    use proptest::prelude::*;

    fn near(got: f64, want: f64) {
        assert!((got - want).abs() < 1e-9 * want.abs().max(1.0), "{got} is not {want}");
    }

    #[test]
    fn minutes_of_common_objectives() {
        for (target, window, want) in [
            (0.999, "30d", 43.2),
            (0.999, "28d", 40.32),
            (0.9995, "30d", 21.6),
            (0.99, "28d", 403.2),
            (0.999, "90d", 129.6),
            (0.999, "7d", 10.08),
            (99.9 / 100.0, "30d", 43.2),
        ] {
            near(minutes_total(target, parse_span(window).unwrap()), want);
        }
        assert_eq!(minutes_total(1.0, mins(60)), 0.0);
    }

    #[test]
    fn a_quarter_is_left() {
        let counts = Counts { bad: 9_375.0, total: 12_500_000.0 };
        near(1.0 - counts.error_ratio().unwrap(), 0.999_25);
        near(allowance(0.999).unwrap() * counts.total, 12_500.0);
        near(consumed(counts, 0.999).unwrap(), 0.75);
        near(remaining(counts, 0.999).unwrap(), 0.25);
    }

    #[test]
    fn incidents_cost_budget() {
        let month = parse_span("30d").unwrap();
        near(cost(0.3 / 0.001, mins(40), month).unwrap(), 0.277_777_777_8);
        near(cost(1.0 / 0.001, mins(27), month).unwrap(), 0.625);
        let during = Counts { bad: 938.0, total: 3_000.0 };
        let cost = incident_cost(during, 0.001, 2_592_000.0, 0.999).unwrap();
        near(cost.gross, 938.0 / 2_592.0);
        near(cost.net, 935.0 / 2_592.0);
        assert_eq!(incident_cost(during, 0.0, 0.0, 0.999), None);
    }

    #[test]
    fn slices_without_data_may_count_either_way() {
        near(consumed(Counts { bad: 61.0, total: 8_600.0 }, 0.99).unwrap(), 0.709_302_325_6);
        near(consumed(Counts { bad: 61.0, total: 8_640.0 }, 0.99).unwrap(), 0.706_018_518_5);
        near(consumed(Counts { bad: 101.0, total: 8_640.0 }, 0.99).unwrap(), 1.168_981_481_5);
    }

    #[test]
    fn no_budget_is_unknown_and_not_zero() {
        assert_eq!(consumed(Counts { bad: 1.0, total: 100.0 }, 1.0), None);
        assert_eq!(consumed(Counts { bad: 0.0, total: 0.0 }, 0.999), None);
        assert_eq!(cost(1.0, mins(1), mins(0)), None);
    }

    proptest! {
        #[test]
        fn more_errors_never_leave_more(bad in 0.0..1e9f64, more in 0.0..1e9f64, good in 0.0..1e12f64, t in 0.5..0.999_99f64) {
            let total = bad + more + good + 1.0;
            let a = remaining(Counts { bad, total }, t).unwrap();
            let b = remaining(Counts { bad: bad + more, total }, t).unwrap();
            prop_assert!(a.is_finite() && b.is_finite() && b <= a && a <= 1.0);
            prop_assert!(b >= 1.0 - 1.0 / allowance(t).unwrap() - 1e-9);
        }

        #[test]
        fn never_nan(bad in proptest::num::f64::POSITIVE, total in proptest::num::f64::POSITIVE, t in proptest::num::f64::ANY) {
            let left = remaining(Counts { bad, total }, t);
            prop_assert!(left.is_none_or(f64::is_finite));
        }
    }
}

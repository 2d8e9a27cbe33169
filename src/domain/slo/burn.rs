//! Burn rates and the pairs of windows that alert on them. A burn rate of 1 spends the budget exactly in its window.
//! Never says 0 where nothing is known.

use crate::domain::slo::budget::allowance;
use crate::domain::slo::objective::AlertPair;
use crate::domain::slo::reading::{Counts, Reading};
use crate::domain::time::{Span, seconds};

/// The burn rate of a window's counts; `None` without traffic or without a budget.
pub fn rate(counts: Counts, target: f64) -> Option<f64> {
    of(counts.error_ratio()?, target)
}

/// The burn rate of an error ratio (0..1), counted or recorded; `None` without a budget.
pub fn of(error_ratio: f64, target: f64) -> Option<f64> {
    Some(error_ratio / allowance(target)?).filter(|b| b.is_finite())
}

/// Whether the burn rate of a reading is over a factor; `None` when that is unknown. Without traffic it is not.
fn over(reading: Option<&Reading>, target: f64, factor: f64) -> Option<bool> {
    let reading = reading?;
    if reading.counts().is_some_and(|c| c.total <= 0.0) {
        return Some(false);
    }
    of(reading.error_ratio()?, target).map(|b| b > factor)
}

/// Whether a pair fires: both windows burn faster than its factor, and the long one holds at least `least` bad events where
/// that is asked. One window that is known not to is enough for `false`; `None` when the answer hangs on what is not known,
/// such as how many events a recorded ratio stands for.
pub fn fires(
    pair: &AlertPair,
    target: f64,
    least: Option<f64>,
    long: Option<&Reading>,
    short: Option<&Reading>,
) -> Option<bool> {
    let enough = least.filter(|l| *l > 0.0).map_or(Some(true), |l| long?.counts().map(|c| c.bad >= l));
    match (over(long, target, pair.factor), over(short, target, pair.factor), enough) {
        (Some(false), ..) | (_, Some(false), _) | (.., Some(false)) => Some(false),
        (Some(true), Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

/// How many events the long window has, where so few came that a single bad one burns faster than the factor.
pub fn low_traffic(pair: &AlertPair, target: f64, long: Option<&Reading>) -> Option<f64> {
    let total = long?.counts()?.total;
    // Rounding must not make a window that is just large enough too small.
    let one = 1.0 / (total * allowance(target)?);
    (total > 0.0 && one > pair.factor * (1.0 + 1e-12)).then_some(total)
}

/// Whether a pair can fire at all: at 100 % errors the burn rate is `1 / (1 - target)`, which must exceed the factor.
pub fn can_fire(factor: f64, target: f64) -> bool {
    allowance(target).is_some_and(|share| 1.0 / share > factor)
}

/// How long after a step to a constant error ratio (0..1) a pair fires; `None` when it never does.
pub fn time_to_fire(pair: &AlertPair, target: f64, error_ratio: f64) -> Option<Span> {
    let limit = pair.factor * allowance(target)?;
    if !(error_ratio > limit && error_ratio <= 1.0) {
        return None;
    }
    let millis = seconds(pair.long.span()) * 1_000.0 * limit / error_ratio;
    Span::try_milliseconds(millis.round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::slo::reading::Window;
    use crate::domain::slo::windows::standard;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn near(got: f64, want: f64) {
        assert!((got - want).abs() < 1e-9 * want.abs().max(1.0), "{got} is not {want}");
    }

    fn of(ratio: f64) -> Reading {
        Reading::Counts(Counts { bad: ratio * 1e6, total: 1e6 })
    }

    #[test]
    fn one_table_of_burn_rates_and_pairs() {
        let table = [
            (Window::M5, 0.02, 20.0),
            (Window::M30, 0.009, 9.0),
            (Window::H1, 0.015, 15.0),
            (Window::H2, 0.0085, 8.5),
            (Window::H6, 0.0061, 6.1),
            (Window::D1, 0.0021, 2.1),
            (Window::D3, 0.0011, 1.1),
        ];
        let mut readings = BTreeMap::new();
        for (window, ratio, want) in table {
            near(rate(of(ratio).counts().unwrap(), 0.999).unwrap(), want);
            readings.insert(window, of(ratio));
        }
        let firing: Vec<Option<bool>> =
            standard().iter().map(|p| fires(p, 0.999, None, readings.get(&p.long), readings.get(&p.short))).collect();
        assert_eq!(firing, [Some(true), Some(true), Some(false), Some(true)]);
    }

    #[test]
    fn a_total_outage_pages_within_a_minute() {
        let times: Vec<i64> =
            standard().iter().map(|p| time_to_fire(p, 0.999, 1.0).unwrap().num_milliseconds()).collect();
        assert_eq!(times, [51_840, 129_600, 259_200, 259_200]);
        assert_eq!(time_to_fire(&standard()[0], 0.999, 0.0144), None);
        assert_eq!(time_to_fire(&standard()[0], 0.999, f64::NAN), None);
    }

    #[test]
    fn few_events_burn_fast() {
        for (total, want) in [(20.0, 50.0), (200.0, 5.0), (2_000.0, 0.5)] {
            near(rate(Counts { bad: 1.0, total }, 0.999).unwrap(), want);
        }
    }

    #[test]
    fn unknown_is_neither_firing_nor_quiet() {
        let pair = &standard()[0];
        assert_eq!(fires(pair, 0.999, None, Some(&of(0.02)), None), None);
        assert_eq!(fires(pair, 0.999, None, Some(&of(0.02)), Some(&Reading::NoData)), None);
        assert_eq!(fires(pair, 0.999, None, None, Some(&of(0.001))), Some(false));
        let idle = Reading::Counts(Counts::default());
        assert_eq!(fires(pair, 0.999, None, Some(&of(0.02)), Some(&idle)), Some(false));
        assert!(can_fire(14.4, 0.999) && !can_fire(14.4, 0.93) && can_fire(14.4, 0.931));
    }

    #[test]
    fn too_few_failures_do_not_fire() {
        let pair = &standard()[0];
        let few = Reading::Counts(Counts { bad: 3.0, total: 20.0 });
        for (least, long, want) in [
            (None, &few, Some(true)),
            (Some(3.0), &few, Some(true)),
            (Some(4.0), &few, Some(false)),
            (Some(0.0), &Reading::Recorded(0.15), Some(true)),
            (Some(4.0), &Reading::Recorded(0.15), None),
            (Some(4.0), &Reading::Recorded(0.001), Some(false)),
        ] {
            assert_eq!(fires(pair, 0.999, least, Some(long), Some(&few)), want, "{least:?} {long:?}");
        }
        assert_eq!(fires(pair, 0.999, Some(4.0), None, Some(&few)), None);
    }

    #[test]
    fn one_bad_event_of_few_is_said() {
        let pair = &standard()[0];
        for (total, want) in [(20.0, Some(20.0)), (69.0, Some(69.0)), (70.0, None), (0.0, None)] {
            let long = Reading::Counts(Counts { bad: 0.0, total });
            assert_eq!(low_traffic(pair, 0.999, Some(&long)), want, "{total}");
        }
        assert_eq!(low_traffic(pair, 0.999, Some(&Reading::Recorded(0.1))), None);
        assert_eq!(low_traffic(pair, 0.999, None), None);
    }

    proptest! {
        #[test]
        fn never_nan_and_monotone(bad in 0.0..1e9f64, extra in 0.0..1e9f64, total in 0.0..2e9f64, t in proptest::num::f64::ANY) {
            let a = rate(Counts { bad, total }, t);
            let b = rate(Counts { bad: bad + extra, total }, t);
            prop_assert_eq!(a.is_some(), b.is_some());
            if let (Some(a), Some(b)) = (a, b) {
                prop_assert!(a.is_finite() && a >= 0.0 && b >= a);
            }
        }
    }
}

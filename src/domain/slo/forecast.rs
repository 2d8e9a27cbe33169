//! When a budget will be gone: at today's rate, by the trend, and with a rolling window that forgets. Never says a time
//! where the answer is "not at this rate".

use crate::domain::time::{Span, Timestamp, seconds};

/// How long until nothing is left at a constant burn rate: `remaining * window / burn`. `None` when the budget is gone
/// already, when nothing burns, or when the time is beyond what can be told.
pub fn naive(remaining: f64, burn: f64, window: Span) -> Option<Span> {
    if !(remaining > 0.0 && burn > 0.0) {
        return None;
    }
    span_of(remaining * seconds(window) / burn)
}

/// The instant after [`naive`], where that falls inside one window from now: later than that a rolling window has
/// forgotten all it holds today, and the number would mean nothing.
pub fn exhausts_at(remaining: f64, burn: f64, window: Span, now: Timestamp) -> Option<Timestamp> {
    naive(remaining, burn, window).filter(|left| *left <= window).and_then(|left| now.checked_add_signed(left))
}

/// How long until nothing is left when what burnt long ago leaves the window: `leaving` gives the burn rates that leave
/// it, oldest first, each with its length; after the last one it is repeated. `None` when the budget recovers.
pub fn rolling(remaining: f64, burn: f64, window: Span, leaving: &[(Span, f64)]) -> Option<Span> {
    let whole = seconds(window);
    if !(remaining > 0.0 && burn > 0.0 && whole > 0.0) {
        return None;
    }
    let (mut left, mut passed) = (remaining, 0.0);
    for (index, (span, out)) in leaving.iter().enumerate() {
        let slope = (out - burn) / whole;
        let last = index + 1 == leaving.len();
        if slope < 0.0 && (last || left + slope * seconds(*span) <= 0.0) {
            return span_of(passed - left / slope);
        }
        left = (left + slope * seconds(*span)).min(1.0);
        passed += seconds(*span);
    }
    None
}

/// A line through remaining budget over time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trend {
    /// Change of the remaining share per hour.
    pub per_hour: f64,
    /// The line's value at the last point.
    pub fit: f64,
    /// Time from the last point to nothing left; `None` when recovering or gone.
    pub empty_in: Option<Span>,
    /// How well the line fits, 0..1.
    pub r2: f64,
}

/// Least squares over (instant, remaining share). `None` with fewer than three points or without distance in time.
pub fn trend(points: &[(Timestamp, f64)]) -> Option<Trend> {
    let last = points.last()?.0;
    let known: Vec<(f64, f64)> =
        points.iter().filter(|(_, r)| r.is_finite()).map(|(t, r)| (seconds(*t - last) / 3_600.0, *r)).collect();
    if known.len() < 3 {
        return None;
    }
    let n = known.len() as f64;
    let mean_t = known.iter().map(|(t, _)| t).sum::<f64>() / n;
    let mean_r = known.iter().map(|(_, r)| r).sum::<f64>() / n;
    let stt: f64 = known.iter().map(|(t, _)| (t - mean_t).powi(2)).sum();
    let srr: f64 = known.iter().map(|(_, r)| (r - mean_r).powi(2)).sum();
    let str: f64 = known.iter().map(|(t, r)| (t - mean_t) * (r - mean_r)).sum();
    if stt <= 0.0 {
        return None;
    }
    let slope = str / stt;
    let fit = mean_r - slope * mean_t;
    let empty_in = (slope < 0.0 && fit > 0.0).then(|| span_of(-fit / slope * 3_600.0)).flatten();
    let r2 = if srr > 0.0 { (str * str / (stt * srr)).clamp(0.0, 1.0) } else { 1.0 };
    let trend = Trend { per_hour: slope, fit, empty_in, r2 };
    (slope.is_finite() && fit.is_finite() && r2.is_finite()).then_some(trend)
}

/// The net burn rate of a trend: what leaves the window is counted against what enters it.
pub fn net_burn(trend: &Trend, window: Span) -> f64 {
    -trend.per_hour * seconds(window) / 3_600.0
}

fn span_of(secs: f64) -> Option<Span> {
    // 100 years: beyond it a number is noise, and the calendar's own limits are near.
    (secs.is_finite() && (0.0..3.2e9).contains(&secs)).then(|| Span::milliseconds((secs * 1_000.0).round() as i64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::{mins, parse_span, secs};
    use chrono::{TimeZone, Utc};
    use proptest::prelude::*;

    fn near(got: f64, want: f64) {
        assert!((got - want).abs() < 1e-9 * want.abs().max(1.0), "{got} is not {want}");
    }

    #[test]
    fn a_quarter_at_page_rate_lasts_half_a_day() {
        let month = parse_span("30d").unwrap();
        assert_eq!(naive(0.25, 14.4, month), Some(mins(750)));
        assert_eq!(naive(1.0, 14.4, month), Some(mins(3_000)));
        for (left, burn) in [(0.0, 2.0), (-0.3, 2.0), (0.5, 0.0), (0.5, -1.0), (0.5, f64::NAN), (0.5, 1e-300)] {
            assert_eq!(naive(left, burn, month), None, "{left} {burn}");
        }
        let now = Utc.timestamp_opt(1_700_000_000, 0).unwrap();
        assert_eq!(exhausts_at(0.25, 14.4, month, now), Some(now + mins(750)));
        assert_eq!(exhausts_at(0.6119, 0.2, month, now), None);
    }

    #[test]
    fn a_window_that_forgets_lasts_longer() {
        let month = parse_span("30d").unwrap();
        let leaving = [(mins(720), 0.5), (mins(1_440), 9.0), (mins(1_440), 0.5)];
        assert_eq!(naive(0.1, 2.0, month), Some(mins(2_160)));
        near(seconds(rolling(0.1, 2.0, month, &leaving).unwrap()) / 86_400.0, 7.0 + 2.0 / 3.0);
        assert_eq!(rolling(0.1, 2.0, month, &[(mins(60), 9.0)]), None);
        assert_eq!(rolling(0.1, 2.0, month, &[]), None);
    }

    #[test]
    fn the_trend_of_a_day() {
        let start = Utc.timestamp_opt(1_700_000_000, 0).unwrap();
        let points: Vec<_> = [0.80, 0.74, 0.69, 0.62, 0.56]
            .iter()
            .enumerate()
            .map(|(i, r)| (start + mins(360 * i as i64), *r))
            .collect();
        let line = trend(&points).unwrap();
        near(line.per_hour, -0.01);
        near(line.fit, 0.562);
        assert_eq!(line.empty_in, Some(secs(202_320)));
        near(line.r2, 12.96 / (360.0 * 0.036_08));
        near(net_burn(&line, parse_span("30d").unwrap()), 7.2);
        assert_eq!(trend(&points[..2]), None);
        assert_eq!(trend(&[points[0], points[0], points[0]]), None);
    }

    proptest! {
        #[test]
        fn faster_burn_is_never_later(left in 0.001..1.0f64, burn in 0.01..1e4f64, more in 0.0..1e4f64) {
            let month = parse_span("30d").unwrap();
            prop_assert!(naive(left, burn + more, month).unwrap() <= naive(left, burn, month).unwrap());
        }

        #[test]
        fn trends_never_hold_nan(values in prop::collection::vec(proptest::num::f64::ANY, 0..12)) {
            let start = Utc.timestamp_opt(1_700_000_000, 0).unwrap();
            let points: Vec<_> = values.iter().enumerate().map(|(i, r)| (start + mins(i as i64), *r)).collect();
            if let Some(line) = trend(&points) {
                prop_assert!(line.per_hour.is_finite() && line.fit.is_finite() && (0.0..=1.0).contains(&line.r2));
            }
        }
    }
}

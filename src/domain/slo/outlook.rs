//! Where a budget is going, from the events behind it: exhaustion that knows what rolls out of the window, and the trend of
//! what was left over the last hours and days. The arithmetic is in [`super::forecast`]; never says a time that it cannot know.

use crate::domain::slo::budget::allowance;
use crate::domain::slo::forecast::{self, Trend};
use crate::domain::slo::net_events::NetEvents;
use crate::domain::time::{Span, Timestamp, seconds};

/// Points below which a trend says nothing.
const LEAST_POINTS: usize = 6;
/// Share of a window that must be known for a point of a trend.
pub const KNOWN: f64 = 0.9;

/// What happens to a rolling budget at the present burn rate, given what leaves the window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rolling {
    /// It is gone after so long.
    Gone(Span),
    /// It never is: what burnt long ago leaves the window faster.
    Recovers,
}

/// The rolling outlook; `None` where nothing burns, nothing is left, or too little is known of the window.
pub fn rolling(net: &NetEvents, target: f64, window: Span, remaining: f64, burn: f64) -> Option<Rolling> {
    let end = net.end()?;
    let start = end.checked_sub_signed(window)?;
    let (whole, known) = net.between(start, end);
    if known < KNOWN || !(remaining > 0.0 && burn > 0.0) {
        return None;
    }
    let leaving = leaving(net, start, whole.total, target, window)?;
    Some(forecast::rolling(remaining, burn, window, &leaving).map_or(Rolling::Recovers, Rolling::Gone))
}

/// The burn rates that leave the window, oldest first: each slice's bad events over what its length may use of the budget,
/// so that a busy hour weighs more than a quiet one.
fn leaving(net: &NetEvents, start: Timestamp, total: f64, target: f64, window: Span) -> Option<Vec<(Span, f64)>> {
    let per_second = allowance(target)? * total / seconds(window);
    if !(per_second > 0.0 && per_second.is_finite()) {
        return None;
    }
    let inside = net.slices().iter().filter(|s| s.end > start);
    let one = |s: &crate::domain::slo::event_slices::Slice| {
        let length = (s.end - (s.end - s.length).max(start)).max(Span::zero());
        let whole = seconds(s.length).max(1.0);
        // What is not known to have burnt gives nothing back.
        (length, s.counts.map_or(0.0, |c| c.bad / whole / per_second))
    };
    Some(inside.map(one).collect())
}

/// A trend, and what it was fitted to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fitted {
    /// How far it looks back.
    pub lookback: Span,
    /// How many points it is fitted to.
    pub points: usize,
    /// The line.
    pub trend: Trend,
}

impl Fitted {
    /// Whether the budget grows or stays.
    pub fn recovering(&self) -> bool {
        self.trend.per_hour >= 0.0
    }
}

/// The trend of what was left of the rolling budget, looking back so far: `step` apart, each point over its own whole
/// window. `None` with fewer than six points, or where too little of their windows is known.
pub fn trend(net: &NetEvents, target: f64, window: Span, lookback: Span, step: Span) -> Option<Fitted> {
    let share = allowance(target)?;
    let left = |at: Timestamp| {
        let (counts, known) = net.between(at.checked_sub_signed(window)?, at);
        let errors = counts.error_ratio().filter(|_| known >= KNOWN)?;
        Some(1.0 - errors / share)
    };
    trend_of(net.end()?, lookback, step, left)
}

/// The same of whatever says what was left at an instant.
pub fn trend_of(end: Timestamp, lookback: Span, step: Span, left: impl Fn(Timestamp) -> Option<f64>) -> Option<Fitted> {
    let mut points = Vec::new();
    let many = i32::try_from(lookback.num_seconds() / step.num_seconds().max(1)).ok()?;
    for back in (0..=many).rev() {
        let at = end.checked_sub_signed(step.checked_mul(back)?)?;
        points.extend(left(at).map(|left| (at, left)));
    }
    fit(&points, lookback)
}

/// The same over points that are known already.
pub fn fit(points: &[(Timestamp, f64)], lookback: Span) -> Option<Fitted> {
    if points.len() < LEAST_POINTS {
        return None;
    }
    Some(Fitted { lookback, points: points.len(), trend: forecast::trend(points)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::slo::event_slices::Slice;
    use crate::domain::slo::reading::Counts;

    const MONTH: Span = Span::days(30);

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_timestamp(1_777_593_600 + hours * 3_600, 0).unwrap()
    }

    /// A month of hours with a million events each; `burn` by the hour, from the oldest.
    fn month(burn: impl Fn(i64) -> Option<f64>) -> NetEvents {
        let slice = |i: i64| Slice {
            end: at(i + 1),
            length: Span::hours(1),
            counts: burn(i).map(|b| Counts { bad: b * 1_000.0, total: 1e6 }),
        };
        NetEvents::over((0..720).map(slice).collect(), &[])
    }

    #[test]
    fn what_rolls_out_gives_time() {
        let burn = |i: i64| if (12..36).contains(&i) { 9.0 } else { 0.5 };
        let net = month(|i| Some(burn(i)));
        let Some(Rolling::Gone(left)) = rolling(&net, 0.999, MONTH, 0.1, 2.0) else { panic!("it ends") };
        assert!((seconds(left) / 86_400.0 - (7.0 + 2.0 / 3.0)).abs() < 1e-6, "{left}");
        assert_eq!(forecast::naive(0.1, 2.0, MONTH), Some(Span::hours(36)));
    }

    #[test]
    fn less_than_what_leaves_recovers() {
        let net = month(|_| Some(0.8));
        assert_eq!(rolling(&net, 0.999, MONTH, 0.2, 0.5), Some(Rolling::Recovers));
        for (left, burn) in [(0.0, 2.0), (-0.2, 2.0), (0.5, 0.0)] {
            assert_eq!(rolling(&net, 0.999, MONTH, left, burn), None);
        }
        let half = month(|i| (i >= 360).then_some(0.8));
        assert_eq!(rolling(&half, 0.999, MONTH, 0.2, 2.0), None, "half of the window is not known");
    }

    #[test]
    fn trends_follow_what_was_left() {
        let burn = |i: i64| Some(if i >= 648 { 3.0 } else { 0.5 });
        let slice = |i: i64| Slice {
            end: at(i + 1),
            length: Span::hours(1),
            counts: burn(i - 72).map(|b| Counts { bad: b * 1_000.0, total: 1e6 }),
        };
        // Three days more than the window, so that every point has its whole one.
        let net = NetEvents::over((0..792).map(slice).collect(), &[]);
        let fitted = trend(&net, 0.999, MONTH, Span::hours(72), Span::hours(1)).unwrap();
        assert_eq!(fitted.points, 73);
        // 3 comes in and 0.5 goes out: a net burn of 2.5.
        assert!((forecast::net_burn(&fitted.trend, MONTH) - 2.5).abs() < 1e-6, "{fitted:?}");
        assert!(fitted.trend.r2 > 0.999_999 && !fitted.recovering());
        let short = trend(&net, 0.999, MONTH, Span::hours(4), Span::hours(1));
        assert_eq!(short, None, "five points are too few");
    }
}

//! Lines for charts, out of slices: the burn rate of every step, the worst slice inside it, and how a budget went down. A
//! step without data is a gap. Asks nobody and reads no clock.

use crate::domain::slo::budget::allowance;
use crate::domain::slo::burn;
use crate::domain::slo::event_slices::Slice;
use crate::domain::slo::history::Grid;
use crate::domain::slo::reading::{Counts, Series, Window};
use crate::domain::time::{Span, Timestamp};

/// The worst slice of a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Peak {
    /// Its end.
    pub end: Timestamp,
    /// Its length.
    pub length: Span,
    /// Its burn rate.
    pub burn: f64,
}

/// Burn rates over time.
#[derive(Clone, Debug, PartialEq)]
pub struct BurnLine {
    /// The burn rate of each step: all its bad events over all its events.
    pub mean: Series,
    /// The burn rate of the worst slice in each step: a short incident disappears in a long mean, and not here.
    pub worst: Vec<Option<f64>>,
    /// The worst slice of all.
    pub peak: Option<Peak>,
}

/// The line over `(end - range, end]`. Point `i` stands for the step that ends at its instant; a slice that is longer than a
/// step is spread evenly over those it is in.
pub fn burn_line(slices: &[Slice], target: f64, range: Span, step: Span, end: Timestamp) -> BurnLine {
    let grid = Grid::over(range, step, end);
    let mut sums: Vec<Option<Counts>> = vec![None; grid.points];
    let mut worst: Vec<Option<f64>> = vec![None; grid.points];
    let mut peak: Option<Peak> = None;
    let first = grid.start - grid.step;
    for slice in slices {
        let Some(counts) = slice.counts else { continue };
        let rate = burn::rate(counts, target);
        each_step(&grid, first, slice, |index, share| {
            if let Some(sum) = sums.get_mut(index) {
                let sum = sum.get_or_insert_default();
                sum.bad += counts.bad * share;
                sum.total += counts.total * share;
            }
            if let (Some(slot), Some(rate)) = (worst.get_mut(index), rate) {
                *slot = Some(slot.map_or(rate, |had| had.max(rate)));
                if peak.is_none_or(|p| rate > p.burn) {
                    peak = Some(Peak { end: slice.end, length: slice.length, burn: rate });
                }
            }
        });
    }
    let points = sums.into_iter().map(|sum| burn::rate(sum?, target)).collect();
    let mean = Series { window: Window::of(grid.step), start: grid.start, step: grid.step, points };
    BurnLine { mean, worst, peak }
}

/// The steps that a slice is in, each with the share of the slice that is inside.
fn each_step(grid: &Grid, first: Timestamp, slice: &Slice, mut take: impl FnMut(usize, f64)) {
    let (step, length) = (grid.step.num_milliseconds().max(1), slice.length.num_milliseconds().max(1));
    let from = (slice.end - slice.length - first).num_milliseconds();
    let to = (slice.end - first).num_milliseconds();
    let last = to.saturating_sub(1).div_euclid(step);
    for index in from.div_euclid(step).max(0)..=last {
        let inside = to.min((index + 1) * step) - from.max(index * step);
        if let Ok(index) = usize::try_from(index)
            && index < grid.points
            && inside > 0
        {
            take(index, inside as f64 / length as f64);
        }
    }
}

/// How a budget of so many bad events went down from `from` to the last slice, on at most `points` instants. Point `i` is
/// what was left (share, signed) at its instant; a step in which nothing is known is a gap, and what was spent before it
/// still counts after it.
pub fn burn_down(slices: &[Slice], budget: f64, from: Timestamp, to: Timestamp, points: usize) -> Option<Series> {
    let range = (to - from).num_seconds();
    let points = i64::try_from(points.max(2)).ok()?;
    if !(budget > 0.0 && budget.is_finite()) || range <= 0 {
        return None;
    }
    let step = (range.div_euclid(points) + i64::from(range.rem_euclid(points) > 0)).max(1);
    let count = usize::try_from(range.div_euclid(step)).ok()?.max(1);
    let grid = Grid { start: from + Span::seconds(step), step: Span::seconds(step), points: count };
    let mut sums: Vec<Option<f64>> = vec![None; count];
    for slice in slices {
        let Some(counts) = slice.counts else { continue };
        each_step(&grid, from, slice, |index, share| {
            if let Some(sum) = sums.get_mut(index) {
                *sum.get_or_insert(0.0) += counts.bad * share;
            }
        });
    }
    let mut spent = 0.0;
    let left = |sum: Option<f64>| {
        spent += sum.unwrap_or(0.0);
        sum.map(|_| 1.0 - spent / budget)
    };
    let points = sums.into_iter().map(left).collect();
    Some(Series { window: Window::of(to - from), start: grid.start, step: grid.step, points })
}

/// The bad events that a target allows among so many.
pub fn allowed(target: f64, total: f64) -> Option<f64> {
    Some(allowance(target)? * total).filter(|b| *b > 0.0 && b.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::slo::event_slices::EventSlices;
    use crate::domain::time::mins;
    use proptest::prelude::*;

    fn end() -> Timestamp {
        Timestamp::from_timestamp(1_777_593_600, 0).unwrap()
    }

    /// A month at one request a second; between two hours ten days back every second one failed for 40 minutes.
    fn month() -> EventSlices {
        let mut slices = EventSlices::of(Span::days(30), Span::zero());
        let last = slices.coarse.number(end());
        let incident = last - 240;
        slices
            .coarse
            .take(last - 719, last, |n| Some(Counts { bad: if n == incident { 720.0 } else { 0.9 }, total: 3_600.0 }));
        let last = slices.fine.number(end());
        slices.fine.take(last - 71, last, |_| Some(Counts { bad: 0.075, total: 300.0 }));
        slices
    }

    #[test]
    fn a_short_incident_is_seen_on_a_month() {
        let line = burn_line(&month().slices(), 0.999, Span::days(30), mins(6 * 60), end());
        assert_eq!((line.mean.points.len(), line.worst.len(), line.mean.step), (121, 121, mins(360)));
        let at = line.worst.iter().position(|w| w.is_some_and(|w| w > 100.0)).unwrap();
        // A fifth of that hour's requests failed: 200 times the budget. Its six hours: 720 + 5 x 0.9 of 21,600.
        assert!((line.worst[at].unwrap() - 200.0).abs() < 1e-9);
        assert!((line.mean.points[at].unwrap() - 724.5 / 21.6).abs() < 1e-6);
        let peak = line.peak.unwrap();
        assert_eq!((peak.length, peak.burn.round()), (mins(60), 200.0));
        assert_eq!(peak.end, end() - Span::hours(240));
        // What is quiet is as quiet in its worst slice.
        assert!(line.worst.iter().flatten().filter(|w| **w < 1.0).count() > 100);
    }

    #[test]
    fn gaps_stay_gaps_and_what_was_spent_stays_spent() {
        let mut slices = month();
        let last = slices.coarse.number(end());
        slices.coarse.take(last - 99, last - 50, |_| None);
        let all = slices.slices();
        let line = burn_line(&all, 0.999, Span::days(30), mins(360), end());
        assert!(line.mean.points.iter().filter(|p| p.is_none()).count() >= 7);
        let budget = allowed(0.999, 2_592_000.0).unwrap();
        let down = burn_down(&all, budget, end() - Span::days(30), end(), 240).unwrap();
        assert_eq!(down.points.len(), 240);
        assert!(down.points.iter().filter(|p| p.is_none()).count() >= 15);
        let known: Vec<f64> = down.points.iter().flatten().copied().collect();
        assert!(known.windows(2).all(|w| w[1] <= w[0]), "a budget never comes back inside its own window");
        let bad: f64 = all.iter().filter_map(|s| s.counts).map(|c| c.bad).sum();
        assert!((known.last().unwrap() - (1.0 - bad / budget)).abs() < 1e-9);
        assert_eq!(burn_down(&all, 0.0, end() - Span::days(30), end(), 240), None);
        assert_eq!(burn_down(&all, budget, end(), end(), 240), None);
    }

    #[test]
    fn nothing_known_is_nothing_drawn() {
        let line = burn_line(&[], 0.999, Span::days(30), mins(360), end());
        assert!(line.mean.points.iter().all(Option::is_none) && line.peak.is_none());
    }

    proptest! {
        #[test]
        fn the_worst_is_never_under_the_mean(bads in prop::collection::vec(prop::option::of(0.0..60.0f64), 1..200), step in 1..50i64, range in 1..2_000i64) {
            let slices: Vec<Slice> = bads.iter().enumerate().map(|(i, bad)| Slice {
                end: end() - mins(5) * i32::try_from(i).unwrap(),
                length: mins(5),
                counts: bad.map(|bad| Counts { bad, total: 60.0 }),
            }).collect();
            let line = burn_line(&slices, 0.99, mins(range), mins(step), end());
            prop_assert_eq!(line.mean.points.len(), line.worst.len());
            for (mean, worst) in line.mean.points.iter().zip(&line.worst) {
                prop_assert_eq!(mean.is_some(), worst.is_some());
                if let (Some(mean), Some(worst)) = (mean, worst) {
                    prop_assert!(*mean <= worst + 1e-9 && mean.is_finite());
                }
            }
        }
    }
}

//! Time slices of one objective: what each was judged to be, kept over the objective's window, summed for any window.
//! Holds no clock and no values, only verdicts. Never counts a slice that was not asked.

use crate::domain::slo::objective::{Gap, Objective, Sli};
use crate::domain::slo::reading::{Counts, Reading, Series, Window};
use crate::domain::slo::sample::RangeSeries;
use crate::domain::time::{Span, Timestamp};
use std::collections::VecDeque;

/// Slices read again at every poll, because late samples may change them.
const AGAIN: i64 = 2;
/// The most slices that are kept: 30 days of half-minute ones.
const MOST: i64 = 90_000;

/// The slices of one objective.
#[derive(Clone, Debug, PartialEq)]
pub struct Slices {
    slice: i64,
    keep: i64,
    /// Number of the oldest one; slice `n` ends at `n * slice` seconds after the epoch.
    first: i64,
    /// Share of badness, 0..1; `None` was asked and had no data.
    bad: VecDeque<Option<f32>>,
}

/// How much of a slice is bad; `None` when the value says nothing.
pub fn verdict(sli: &Sli, value: f64) -> Option<f64> {
    match sli {
        Sli::Slices { compare, threshold, .. } if !value.is_nan() => {
            Some(if compare.holds(value, *threshold) { 0.0 } else { 1.0 })
        }
        Sli::Opaque { .. } if value.is_finite() => Some(1.0 - value.clamp(0.0, 1.0)),
        _ => None,
    }
}

impl Slices {
    /// An empty store for an objective; `None` for one that counts events.
    pub fn of(objective: &Objective) -> Option<Self> {
        match &objective.sli {
            Sli::Slices { slice, .. } | Sli::Opaque { slice, .. } => {
                let slice = slice.num_seconds().max(1);
                let keep = (objective.window.num_seconds() / slice).clamp(1, MOST);
                Some(Self { slice, keep, first: 0, bad: VecDeque::new() })
            }
            Sli::Events { .. } | Sli::Composite(_) => None,
        }
    }

    /// The ends of the first and the last slice to ask for: everything at first, then what is new and the last two.
    pub fn wanted(&self, now: Timestamp) -> (Timestamp, Timestamp) {
        let last = now.timestamp().div_euclid(self.slice);
        let oldest = last - self.keep + 1;
        let first = match self.newest() {
            Some(newest) => (newest - AGAIN + 1).clamp(oldest, last),
            None => oldest,
        };
        (self.end_of(first), self.end_of(last))
    }

    /// The slice length.
    pub fn step(&self) -> Span {
        Span::seconds(self.slice)
    }

    /// Takes an answer over `[start, end]`. A slice without a point has no data; the worst of several series counts.
    pub fn merge(&mut self, start: Timestamp, end: Timestamp, series: &[&RangeSeries], sli: &Sli) {
        let (from, to) = (self.number(start), self.number(end));
        if from > to || to - from >= self.keep.saturating_mul(2) {
            return;
        }
        // After a gap longer than what is kept, or a clock that went back, what was there means nothing.
        if self.newest().is_none_or(|newest| from > newest + 1 || to < self.first) {
            self.bad.clear();
            self.first = from;
        }
        while self.first > from {
            self.bad.push_front(None);
            self.first -= 1;
        }
        for number in from..=to {
            self.set(number, None);
        }
        for (at, value) in series.iter().flat_map(|s| &s.points) {
            let number = self.number(*at);
            if let Some(bad) = verdict(sli, *value).filter(|_| (from..=to).contains(&number)) {
                let worst = self.get(number).map_or(bad, |before| before.max(bad));
                self.set(number, Some(worst as f32));
            }
        }
        while i64::try_from(self.bad.len()).unwrap_or(i64::MAX) > self.keep {
            self.bad.pop_front();
            self.first += 1;
        }
    }

    /// The slices of a window that ends with the newest slice.
    pub fn reading(&self, window: Window, gap: Gap) -> Reading {
        self.newest().map_or(Reading::NoData, |newest| self.reading_at(newest, window, gap))
    }

    fn reading_at(&self, last: i64, window: Window, gap: Gap) -> Reading {
        let wanted = self.slices_in(window);
        let mut counts = Counts::default();
        let mut known = 0_u32;
        for number in (last - wanted + 1).max(self.first)..=last {
            let Some(slot) = self.slot(number) else { continue };
            let bad = match (slot, gap) {
                (Some(bad), _) => {
                    known += 1;
                    f64::from(bad)
                }
                (None, Gap::Ignored) => continue,
                (None, Gap::Good) => 0.0,
                (None, Gap::Bad) => 1.0,
            };
            counts.bad += bad;
            counts.total += 1.0;
        }
        // A source that gave nothing at all is no data, whatever a gap is taken for.
        let silent = known == 0 && (gap == Gap::Ignored || self.bad.iter().all(Option::is_none));
        if silent || counts.total <= 0.0 { Reading::NoData } else { Reading::Counts(counts) }
    }

    /// Share of a window's slices that have data, 0..1.
    pub fn coverage(&self, window: Window) -> f64 {
        let wanted = self.slices_in(window);
        let Some(newest) = self.newest() else { return 0.0 };
        let known = ((newest - wanted + 1)..=newest).filter(|n| self.get(*n).is_some()).count();
        (known as f64 / wanted as f64).clamp(0.0, 1.0)
    }

    /// Burn rates of a window on a grid, for the chart; only inside what is kept.
    pub fn series(&self, objective: &Objective, window: Window, start: Timestamp, step: Span, points: usize) -> Series {
        let burn = |index: usize| {
            let at = start.checked_add_signed(step.checked_mul(i32::try_from(index).ok()?)?)?;
            let number = at.timestamp().div_euclid(self.slice);
            // A window that reaches before the oldest slice would be told from its rest only.
            if number - self.slices_in(window) + 1 < self.first {
                return None;
            }
            let counts = self.reading_at(number.min(self.newest()?), window, objective.gap).counts()?;
            crate::domain::slo::burn::rate(counts, objective.target)
        };
        Series { window, start, step, points: (0..points).map(burn).collect() }
    }

    /// How the budget went down over what is kept, slice by slice thinned to at most `points`.
    pub fn budget(&self, objective: &Objective, points: usize) -> Option<Series> {
        let total = self.bad.iter().flatten().count() as f64;
        let allowed = crate::domain::slo::budget::allowance(objective.target)? * total;
        let every = self.bad.len().div_ceil(points.max(1)).max(1);
        let mut spent = 0.0;
        let mut line = Vec::new();
        for (index, slot) in self.bad.iter().enumerate() {
            spent += f64::from(slot.unwrap_or(0.0));
            if (index + 1) % every == 0 {
                line.push(slot.filter(|_| allowed > 0.0).map(|_| 1.0 - spent / allowed));
            }
        }
        let every = i64::try_from(every).ok()?;
        let step = Span::seconds(self.slice.saturating_mul(every));
        Some(Series {
            window: Window::of(objective.window),
            start: self.end_of(self.first + every - 1),
            step,
            points: line,
        })
    }

    fn newest(&self) -> Option<i64> {
        let len = i64::try_from(self.bad.len()).ok().filter(|l| *l > 0)?;
        Some(self.first + len - 1)
    }

    fn slices_in(&self, window: Window) -> i64 {
        (i64::from(window.0) / self.slice).clamp(1, self.keep)
    }

    fn number(&self, at: Timestamp) -> i64 {
        (at.timestamp() as f64 / self.slice as f64).round() as i64
    }

    fn end_of(&self, number: i64) -> Timestamp {
        Timestamp::from_timestamp(number.saturating_mul(self.slice), 0).unwrap_or_default()
    }

    fn slot(&self, number: i64) -> Option<Option<f32>> {
        usize::try_from(number - self.first).ok().and_then(|i| self.bad.get(i)).copied()
    }

    fn get(&self, number: i64) -> Option<f64> {
        self.slot(number).flatten().map(f64::from)
    }

    fn set(&mut self, number: i64, value: Option<f32>) {
        let Ok(index) = usize::try_from(number - self.first) else { return };
        while self.bad.len() <= index {
            self.bad.push_back(None);
        }
        if let Some(slot) = self.bad.get_mut(index) {
            *slot = value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::labels::Labels;
    use crate::domain::slo::seed;
    use proptest::prelude::*;

    fn objective(text: &str) -> Objective {
        let file = format!("{}:\n  x: {{{text}}}\n", seed::ROOT);
        seed::read("f.yaml", &file).0.remove(0)
    }

    fn threshold(gap: &str) -> Objective {
        objective(&format!("sli: 'max(q)', target: 10, window: 30d, no_data: {gap}"))
    }

    fn at(number: i64) -> Timestamp {
        Timestamp::from_timestamp(number * 300, 0).unwrap()
    }

    fn line(points: impl IntoIterator<Item = (i64, f64)>) -> RangeSeries {
        RangeSeries { labels: Labels::default(), points: points.into_iter().map(|(n, v)| (at(n), v)).collect() }
    }

    fn filled(o: &Objective, points: Vec<(i64, f64)>, to: i64) -> Slices {
        let mut slices = Slices::of(o).unwrap();
        let now = at(to) + Span::seconds(17);
        let (start, end) = slices.wanted(now);
        slices.merge(start, end, &[&line(points)], &o.sli);
        slices
    }

    #[test]
    fn a_month_of_slices_with_holes() {
        for (gap, bad, total) in [("ignore", 61.0, 8_600.0), ("good", 61.0, 8_640.0), ("bad", 101.0, 8_640.0)] {
            let o = threshold(gap);
            let last = 5_000_000;
            let points = (last - 8_600 + 1..=last).map(|n| (n, if n > last - 61 { 11.0 } else { 10.0 })).collect();
            let slices = filled(&o, points, last);
            let month = Window::of(o.window);
            assert_eq!(slices.reading(month, o.gap), Reading::Counts(Counts { bad, total }), "{gap}");
            assert!((slices.coverage(month) - 8_600.0 / 8_640.0).abs() < 1e-12);
            assert_eq!(slices.reading(Window::M5, o.gap).counts(), Some(Counts { bad: 1.0, total: 1.0 }));
            assert_eq!(slices.coverage(Window::H6), 1.0);
        }
    }

    #[test]
    fn only_what_is_new_and_the_last_two_are_asked_again() {
        let o = threshold("ignore");
        let mut slices = filled(&o, vec![(1_000_000, 3.0), (999_999, 30.0)], 1_000_000);
        assert_eq!(slices.wanted(at(1_000_003)), (at(999_999), at(1_000_003)));
        slices.merge(
            at(999_999),
            at(1_000_003),
            &[&line([(999_999, 3.0), (1_000_001, 99.0), (1_000_002, f64::NAN)])],
            &o.sli,
        );
        // The late correction of the one before last counts, the NaN is a hole, and so is the one that vanished.
        assert_eq!(slices.reading(Window::H1, o.gap).counts(), Some(Counts { bad: 1.0, total: 2.0 }));
        assert_eq!(slices.reading(Window::M5, o.gap), Reading::NoData);
        assert_eq!(slices.wanted(at(1_000_003)), (at(1_000_002), at(1_000_003)));
        let much_later = at(2_000_000);
        assert_eq!(slices.wanted(much_later), (at(2_000_000 - 8_639), much_later));
    }

    #[test]
    fn silence_is_no_data_even_where_gaps_are_good() {
        for gap in ["ignore", "good", "bad"] {
            let o = threshold(gap);
            assert_eq!(filled(&o, vec![], 1_000).reading(Window::H1, o.gap), Reading::NoData);
            assert_eq!(Slices::of(&o).unwrap().reading(Window::H1, o.gap), Reading::NoData);
        }
    }

    #[test]
    fn an_opaque_ratio_is_a_mean_over_time() {
        let o = objective("sli: 'avg(up)', target: 0.99, window: 1h");
        let slices = filled(&o, vec![(9_999, 0.9), (10_000, 1.0)], 10_000);
        let counts = slices.reading(Window::H1, o.gap).counts().unwrap();
        assert!((counts.error_ratio().unwrap() - 0.05).abs() < 1e-6);
        // The same two slices by events, 10 bad of 100 and none of 9900, are a fiftieth of that.
        assert!((Counts { bad: 10.0, total: 10_000.0 }.error_ratio().unwrap() - 0.001).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn counts_stay_whole(polls in prop::collection::vec((0..40_i64, prop::collection::vec((0..60_i64, proptest::num::f64::ANY), 0..8)), 1..8)) {
            let o = objective("sli: 'max(q)', target: 10, window: 2h");
            let mut slices = Slices::of(&o).unwrap();
            let mut now = 1_000;
            for (later, values) in polls {
                now += later;
                let (start, end) = slices.wanted(at(now));
                prop_assert!(start <= end);
                slices.merge(start, end, &[&line(values.into_iter().map(|(back, v)| (now - back, v)))], &o.sli);
                for window in Window::BURN {
                    if let Reading::Counts(c) = slices.reading(window, o.gap) {
                        prop_assert!(c.bad >= 0.0 && c.bad <= c.total && c.total <= 24.0);
                    }
                    prop_assert!((0.0..=1.0).contains(&slices.coverage(window)));
                }
            }
        }
    }
}

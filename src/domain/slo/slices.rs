//! Time slices of one objective: what each was judged to be, kept over the objective's window, summed for any window.
//! Holds no clock and no values, only verdicts. Never counts a slice that was not asked.

use crate::domain::slo::event_slices::{EventSlices, Ring, Stretch};
use crate::domain::slo::objective::{Gap, Objective, Sli};
use crate::domain::slo::reading::{Counts, Reading, Window};
use crate::domain::slo::sample::RangeSeries;
use crate::domain::time::{Span, Timestamp};
use std::collections::BTreeMap;

/// The most slices that are kept: 30 days of half-minute ones.
const MOST: i64 = 90_000;
/// Seconds of slices that one step of reading asks for: a day, on days' borders.
const STEP: i64 = 86_400;

/// The slices of one objective: bad is a share of 1, and 1 is the total of every slice that has data.
#[derive(Clone, Debug, PartialEq)]
pub struct Slices {
    ring: Ring,
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
                Some(Self { ring: Ring::new(slice, keep) })
            }
            Sli::Events { .. } | Sli::Composite(_) => None,
        }
    }

    /// The slices as they are kept.
    pub fn ring(&self) -> &Ring {
        &self.ring
    }

    /// Puts back slices that were kept, unless they are of another shape.
    pub fn put_back(&mut self, ring: &Ring) {
        if (ring.step(), ring.keep()) == (self.ring.step(), self.ring.keep()) {
            self.ring = ring.clone();
        }
    }

    /// The slices to read at a poll: what is new and the last two.
    pub fn tail(&self, now: Timestamp) -> Stretch {
        let last = self.ring.number(now);
        let (from, to) = self.ring.tail(now, self.piece()).unwrap_or((last - 1, last));
        Stretch { length: self.slice(), from, to }
    }

    /// The stretch to read next, the newest first; `None` when all was asked for.
    pub fn missing(&self, now: Timestamp) -> Option<Stretch> {
        let (from, to) = self.ring.missing(self.ring.last_of_history(now, self.piece()), self.piece())?;
        Some(Stretch { length: self.slice(), from, to })
    }

    /// How many slices nobody asked for yet.
    pub fn left(&self, now: Timestamp) -> usize {
        self.ring.left(self.ring.last_of_history(now, self.piece()))
    }

    /// Share of the window that ends at `now` that was asked for (0..1). The newest slice may be a little late.
    pub fn read(&self, window: Window, now: Timestamp) -> f64 {
        let last = self.ring.number(now);
        let wanted = self.slices_in(window);
        if wanted == 1 {
            return f64::from(u8::from(self.ring.asked(last) || self.ring.asked(last - 1)));
        }
        let asked = ((last - wanted + 1)..last).filter(|n| self.ring.asked(*n)).count();
        (asked as f64 / (wanted - 1) as f64).clamp(0.0, 1.0)
    }

    /// The same as counts per five minutes and per hour, for what adds up slices of events. A slice of more than five
    /// minutes has no fine ones.
    pub fn as_events(&self, window: Span, gap: Gap) -> EventSlices {
        let mut events = EventSlices::of(window, Span::zero());
        let Some(newest) = self.ring.newest() else { return events };
        for length in [300, 3_600] {
            if length % self.slice() != 0 {
                continue;
            }
            let (each, Some(ring)) = (length / self.slice(), events.ring_mut(length)) else { continue };
            let last = newest.div_euclid(each);
            let first = self.ring.oldest().unwrap_or(newest);
            let oldest = (last - ring.keep() + 1).max((first - 1).div_euclid(each) + 1);
            for number in oldest..=last {
                // The oldest hour may have begun before what is kept.
                let inside = ((number - 1) * each + 1).max(first)..=number * each;
                if inside.clone().any(|n| !self.ring.asked(n)) {
                    continue;
                }
                let mut sum: Option<Counts> = None;
                for bad in inside.filter_map(|n| counted(self.slot(n).flatten(), gap)) {
                    let sum = sum.get_or_insert_default();
                    sum.bad += bad;
                    sum.total += 1.0;
                }
                ring.take(number, number, |_| sum);
            }
        }
        events
    }

    /// The slice length.
    pub fn step(&self) -> Span {
        self.ring.step()
    }

    /// Takes an answer over a stretch. A slice without a point has no data; the worst of several series counts. Whether
    /// anything changed.
    pub fn merge(&mut self, stretch: Stretch, series: &[&RangeSeries], sli: &Sli) -> bool {
        let (from, to) = (stretch.from, stretch.to);
        if from > to || to - from >= self.ring.keep().saturating_mul(2) || stretch.length != self.slice() {
            return false;
        }
        let mut worst: BTreeMap<i64, f64> = BTreeMap::new();
        for (at, value) in series.iter().flat_map(|s| &s.points) {
            if let Some(bad) = verdict(sli, *value) {
                worst.entry(self.number(*at)).and_modify(|w| *w = w.max(bad)).or_insert(bad);
            }
        }
        self.ring.take(from, to, |n| worst.get(&n).map(|bad| Counts { bad: *bad, total: 1.0 }))
    }

    /// The slices of a window that ends with the newest slice.
    pub fn reading(&self, window: Window, gap: Gap) -> Reading {
        self.ring.newest().map_or(Reading::NoData, |newest| self.reading_at(newest, window, gap))
    }

    fn reading_at(&self, last: i64, window: Window, gap: Gap) -> Reading {
        let wanted = self.slices_in(window);
        let mut counts = Counts::default();
        let mut known = 0_u32;
        for number in (last - wanted + 1).max(self.ring.oldest().unwrap_or(last))..=last {
            let Some(slot) = self.slot(number) else { continue };
            known += u32::from(slot.is_some());
            let Some(bad) = counted(slot, gap) else { continue };
            counts.bad += bad;
            counts.total += 1.0;
        }
        // A source that gave nothing at all is no data, whatever a gap is taken for.
        let silent = known == 0 && (gap == Gap::Ignored || self.is_silent());
        if silent || counts.total <= 0.0 { Reading::NoData } else { Reading::Counts(counts) }
    }

    /// Share of a window's slices that have data, 0..1.
    pub fn coverage(&self, window: Window) -> f64 {
        let wanted = self.slices_in(window);
        let Some(newest) = self.ring.newest() else { return 0.0 };
        let known = ((newest - wanted + 1)..=newest).filter(|n| self.get(*n).is_some()).count();
        (known as f64 / wanted as f64).clamp(0.0, 1.0)
    }

    fn slice(&self) -> i64 {
        self.ring.step().num_seconds().max(1)
    }

    /// Slices of one step of reading.
    fn piece(&self) -> i64 {
        (STEP / self.slice()).max(1)
    }

    fn slices_in(&self, window: Window) -> i64 {
        (i64::from(window.0) / self.slice()).clamp(1, self.ring.keep())
    }

    fn number(&self, at: Timestamp) -> i64 {
        (at.timestamp_millis() as f64 / (self.slice() as f64 * 1_000.0)).round() as i64
    }

    fn is_silent(&self) -> bool {
        let (Some(first), Some(last)) = (self.ring.oldest(), self.ring.newest()) else { return true };
        (first..=last).all(|n| self.get(n).is_none())
    }

    /// A slice that was asked, and what it was judged.
    fn slot(&self, number: i64) -> Option<Option<f64>> {
        self.ring.asked(number).then(|| self.get(number))
    }

    fn get(&self, number: i64) -> Option<f64> {
        self.ring.get(number).map(|c| c.bad)
    }
}

/// What a slice counts as, 0..1; `None` when it is left out.
fn counted(slot: Option<f64>, gap: Gap) -> Option<f64> {
    match (slot, gap) {
        (Some(bad), _) => Some(bad),
        (None, Gap::Ignored) => None,
        (None, Gap::Good) => Some(0.0),
        (None, Gap::Bad) => Some(1.0),
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
        let everything = Stretch { length: 300, from: to - slices.ring.keep() + 1, to };
        slices.merge(everything, &[&line(points)], &o.sli);
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
        let tail = Stretch { length: 300, from: 999_999, to: 1_000_003 };
        assert_eq!(slices.tail(at(1_000_003)), tail);
        slices.merge(tail, &[&line([(999_999, 3.0), (1_000_001, 99.0), (1_000_002, f64::NAN)])], &o.sli);
        // The late correction of the one before last counts, the NaN is a hole, and so is the one that vanished.
        assert_eq!(slices.reading(Window::H1, o.gap).counts(), Some(Counts { bad: 1.0, total: 2.0 }));
        assert_eq!(slices.reading(Window::M5, o.gap), Reading::NoData);
        assert_eq!(slices.tail(at(1_000_003)), Stretch { from: 1_000_002, ..tail });
        let much_later = at(1_001_000);
        assert_eq!(slices.tail(much_later), Stretch { length: 300, from: 1_000_999, to: 1_001_000 });
        assert_eq!(slices.missing(much_later).map(|s| s.to), Some(1_001_000));
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

    #[test]
    fn hours_are_sums_of_their_slices() {
        let o = threshold("ignore");
        let last = 12 * 400_000;
        let points = (last - 8_639..=last).map(|n| (n, if n > last - 3 { 11.0 } else { 10.0 })).collect();
        let events = filled(&o, points, last).as_events(o.window, o.gap);
        let month = events.window(Window::of(o.window)).counts().unwrap();
        assert_eq!((month.bad.round(), month.total.round()), (3.0, 8_640.0));
        assert_eq!(events.window(Window::H1).counts(), Some(Counts { bad: 3.0, total: 12.0 }));
        assert!(events.has_read(Window::D3, at(last)));
    }

    proptest! {
        #[test]
        fn counts_stay_whole(polls in prop::collection::vec((0..40_i64, prop::collection::vec((0..60_i64, proptest::num::f64::ANY), 0..8)), 1..8)) {
            let o = objective("sli: 'max(q)', target: 10, window: 2h");
            let mut slices = Slices::of(&o).unwrap();
            let mut now = 1_000;
            for (later, values) in polls {
                now += later;
                let stretch = slices.tail(at(now));
                prop_assert!(stretch.from <= stretch.to && stretch.to == now);
                slices.merge(stretch, &[&line(values.into_iter().map(|(back, v)| (now - back, v)))], &o.sli);
                let events = slices.as_events(o.window, o.gap);
                prop_assert!(events.slices().iter().filter_map(|s| s.counts).all(|c| c.bad <= c.total));
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

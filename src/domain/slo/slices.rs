//! Time slices of one objective: what each was judged to be, kept over the objective's window, summed for any window.
//! Holds no clock and no values, only verdicts. Never counts a slice that was not asked.

use crate::domain::slo::event_slices::{EventSlices, Stretch};
use crate::domain::slo::objective::{Gap, Objective, Sli};
use crate::domain::slo::reading::{Counts, Reading, Window};
use crate::domain::slo::ring::{Kind, Ring};
use crate::domain::slo::sample::RangeSeries;
use crate::domain::time::{Span, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The slices of one objective: bad is a share of 1, and 1 is the total of every slice that has data. What is handed out
/// is a snapshot: a change copies what is still held elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct Slices {
    kept: Arc<EventSlices>,
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
    /// An empty store for an objective; `None` for one that counts events. A longer `back` (a calendar period that began
    /// before the window) makes it longer.
    pub fn of(objective: &Objective, back: Span) -> Option<Self> {
        let (slice, kind) = match &objective.sli {
            Sli::Slices { slice, .. } => (slice, Kind::Verdicts),
            Sli::Opaque { slice, .. } => (slice, Kind::Shares),
            Sli::Events { .. } | Sli::Composite(_) => return None,
        };
        let kept = EventSlices::of_time(slice.num_seconds(), kind, objective.gap, objective.window, back);
        Some(Self { kept: Arc::new(kept) })
    }

    /// The slices as they are kept, and as what adds up slices of events reads them.
    pub fn events(&self) -> &Arc<EventSlices> {
        &self.kept
    }

    /// Puts back slices that were kept, unless they are of another shape.
    pub fn put_back(&mut self, ring: &Ring) {
        Arc::make_mut(&mut self.kept).put_back(ring);
    }

    /// What a gap is taken for from now on.
    pub fn set_gap(&mut self, gap: Gap) {
        if self.kept.takes_gaps_for() != Some(gap) {
            Arc::make_mut(&mut self.kept).set_gap(gap);
        }
    }

    /// Instants at which an incident or planned work begins or ends, from now on.
    pub fn cut_at(&mut self, at: &[Timestamp]) {
        if self.kept.is_cut_anew(at) {
            Arc::make_mut(&mut self.kept).cut_at(at);
        }
    }

    /// The slices to read at a poll: what is new and the last two.
    pub fn tail(&self, now: Timestamp) -> Stretch {
        self.kept.tail(now)
    }

    /// The stretch to read next, the newest first; `None` when all was asked for. `starts`: where long windows begin.
    pub fn missing(&self, starts: &[Timestamp], now: Timestamp) -> Option<Stretch> {
        self.kept.missing(starts, now)
    }

    /// How many slices nobody asked for yet.
    pub fn left(&self, now: Timestamp) -> usize {
        self.kept.left(now)
    }

    /// Share of the window that ends at `now` that was asked for (0..1). The newest slice may be a little late.
    pub fn read(&self, window: Window, now: Timestamp) -> f64 {
        self.kept.read(window, now)
    }

    /// The slice length.
    pub fn step(&self) -> Span {
        self.kept.fine.step()
    }

    /// Takes an answer over a stretch. A slice without a point has no data; the worst of several series counts. Whether
    /// anything changed.
    pub fn merge(&mut self, stretch: Stretch, series: &[&RangeSeries], sli: &Sli) -> bool {
        let mut worst: BTreeMap<i64, f64> = BTreeMap::new();
        for (at, value) in series.iter().flat_map(|s| &s.points) {
            if let Some(bad) = verdict(sli, *value) {
                worst.entry(self.number(*at)).and_modify(|w| *w = w.max(bad)).or_insert(bad);
            }
        }
        let counts = |n: i64| worst.get(&n).map(|bad| Counts { bad: *bad, total: 1.0 });
        self.kept.learns(stretch, counts) && Arc::make_mut(&mut self.kept).take(stretch, counts)
    }

    /// The slices of a window that ends with the newest slice.
    pub fn reading(&self, window: Window, gap: Gap) -> Reading {
        let Some((from, end)) = self.bounds(window) else { return Reading::NoData };
        let known = self.kept.known(from, end);
        // A source that gave nothing at all is no data, whatever a gap is taken for.
        let silent = known.total <= 0.0 && (gap == Gap::Ignored || self.kept.is_silent());
        let counts = if gap == Gap::Ignored { known } else { self.kept.between(from, end).0 };
        if silent || counts.total <= 0.0 { Reading::NoData } else { Reading::Counts(counts) }
    }

    /// Share of a window's slices that have data, 0..1.
    pub fn coverage(&self, window: Window) -> f64 {
        let Some((from, end)) = self.bounds(window) else { return 0.0 };
        (self.kept.known(from, end).total / self.kept.slices_in(window) as f64).clamp(0.0, 1.0)
    }

    /// Where a window that ends with the newest slice begins and ends: it has whole slices.
    fn bounds(&self, window: Window) -> Option<(Timestamp, Timestamp)> {
        let fine = &self.kept.fine;
        let newest = fine.newest()?;
        Some((fine.end_of(newest - self.kept.slices_in(window)), fine.end_of(newest)))
    }

    /// A server may round instants to milliseconds.
    fn number(&self, at: Timestamp) -> i64 {
        (at.timestamp_millis() as f64 / (self.kept.fine.length() as f64 * 1_000.0)).round() as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::labels::Labels;
    use crate::domain::slo::seed;
    use crate::domain::time::secs;
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
        let mut slices = Slices::of(o, Span::zero()).unwrap();
        let everything = Stretch { length: 300, from: to - slices.kept.fine.keep() + 1, to };
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
        assert_eq!(slices.missing(&[], much_later).map(|s| s.to), Some(1_001_000));
    }

    #[test]
    fn silence_is_no_data_even_where_gaps_are_good() {
        for gap in ["ignore", "good", "bad"] {
            let o = threshold(gap);
            assert_eq!(filled(&o, vec![], 1_000).reading(Window::H1, o.gap), Reading::NoData);
            assert_eq!(Slices::of(&o, Span::zero()).unwrap().reading(Window::H1, o.gap), Reading::NoData);
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
        let slices = filled(&o, points, last);
        let events = slices.events();
        let month = events.window(Window::of(o.window)).counts().unwrap();
        assert_eq!((month.bad.round(), month.total.round()), (3.0, 8_640.0));
        assert_eq!(events.window(Window::H1).counts(), Some(Counts { bad: 3.0, total: 12.0 }));
        assert!(events.has_read(Window::D3, at(last)));
        let all = events.slices();
        assert_eq!(all.len(), 713 + 12 + 72, "six hours and the oldest one slice by slice, hours between");
        assert!(all.windows(2).all(|w| w[0].end == w[1].end - w[1].length));
        // The hour in which an incident began is told slice by slice.
        let mut cut = slices.clone();
        cut.cut_at(&[at(last - 4_000) + secs(60)]);
        let told = cut.events().slices();
        assert_eq!(told.len(), all.len() + 11);
        assert!(told.windows(2).all(|w| w[0].end == w[1].end - w[1].length));
    }

    /// Reads all that is missing at an instant, then polls every slice for so many more.
    fn read_and_polled(o: &Objective, start: i64, polls: i64, value: impl Fn(i64) -> Option<f64>) -> (Slices, i64) {
        let mut slices = Slices::of(o, Span::hours(745)).unwrap();
        let length = slices.kept.fine.length();
        let end = |n: i64| Timestamp::from_timestamp(n * length, 0).unwrap();
        let answer = |s: Stretch| RangeSeries {
            labels: Labels::default(),
            points: (s.from..=s.to).filter_map(|n| Some((end(n), value(n)?))).collect(),
        };
        for number in start..=start + polls {
            let now = end(number) + secs(7);
            let tail = slices.tail(now);
            slices.merge(tail, &[&answer(tail)], &o.sli);
            let starts: Vec<Timestamp> = Window::BURN.iter().map(|w| now - w.span()).chain([now - o.window]).collect();
            let mut steps = 0;
            while let Some(stretch) = slices.missing(&starts, now) {
                assert!(stretch.to - stretch.from < 11_000, "more points than a server gives");
                slices.merge(stretch, &[&answer(stretch)], &o.sli);
                steps += 1;
                assert!(steps < 500, "{stretch:?} is asked again and again");
            }
        }
        let now = end(start + polls) + secs(7);
        assert_eq!((slices.left(now), slices.read(Window::of(o.window), now)), (0, 1.0));
        (slices, start + polls)
    }

    /// The mean share of a window, slice by slice, without any store.
    fn truth(o: &Objective, last: i64, slices: i64, value: impl Fn(i64) -> Option<f64>) -> Option<Counts> {
        let bads: Vec<f64> = (last - slices + 1..=last)
            .filter_map(|n| counted(value(n).and_then(|v| verdict(&o.sli, v)), o.gap))
            .collect();
        (!bads.is_empty()).then(|| Counts { bad: bads.iter().sum(), total: bads.len() as f64 })
    }

    fn counted(bad: Option<f64>, gap: Gap) -> Option<f64> {
        match (bad, gap) {
            (Some(bad), _) => Some(bad),
            (None, Gap::Ignored) => None,
            (None, Gap::Good) => Some(0.0),
            (None, Gap::Bad) => Some(1.0),
        }
    }

    /// A share that is never the same, and now and then nothing.
    fn ragged(n: i64) -> Option<f64> {
        let x = (n.wrapping_mul(2_654_435_761) & 0xffff) as f64 / 65_536.0;
        (n % 97 != 0 && n % 1_300 > 40).then_some(1.0 - x * x / 50.0)
    }

    #[test]
    fn a_month_of_either_kind_fits_and_is_as_exact_as_its_slices() {
        // Up to a window that begins inside an hour, over a border of hours.
        let start = 12 * 400_000 + 5;
        for (sli, slice) in [("'max(q)', target: 0.985", "5m"), ("'avg(up)', target: 0.99", "5m")] {
            for gap in ["ignore", "good", "bad"] {
                let text = format!("sli: {sli}, window: 30d, no_data: {gap}, slice: {slice}");
                let o = objective(&text);
                let (slices, last) = read_and_polled(&o, start, 16, ragged);
                let bytes = (slices.kept.bytes(), slices.kept.allocated());
                assert!(bytes.0 as f64 <= 12.4 * 1_024.0 && bytes.1 <= bytes.0, "{text}: {bytes:?}");
                for window in Window::BURN.into_iter().chain([Window::of(o.window)]) {
                    let wanted = i64::from(window.0) / 300;
                    let (got, want) = (slices.reading(window, o.gap).counts(), truth(&o, last, wanted, ragged));
                    let (got, want) = (got.unwrap(), want.unwrap());
                    assert_eq!(got.total, want.total, "{text}: {window}");
                    assert!((got.bad - want.bad).abs() < 1e-9 * want.bad.max(1.0), "{text}: {window} {got:?} {want:?}");
                    let known = (last - wanted + 1..=last).filter(|n| ragged(*n).is_some()).count();
                    assert!((slices.coverage(window) - known as f64 / wanted as f64).abs() < 1e-12);
                }
                // What the calendar, outlook and charts are summed from is the same.
                let all = slices.events().slices();
                assert!(all.windows(2).all(|w| w[0].end == w[1].end - w[1].length));
                let month = truth(&o, last, 8_640, ragged).unwrap();
                let from = at(last) - o.window;
                let inside = all.iter().filter(|s| s.end - s.length >= from).filter_map(|s| s.counts);
                let (bad, total) = inside.fold((0.0, 0.0), |(b, t), c| (b + c.bad, t + c.total));
                // An hour that the window begins in may be told whole there: at most eleven slices.
                assert!(month.total - total <= 12.0 && month.bad - bad <= 12.0, "{total} of {month:?}");
            }
        }
    }

    #[test]
    fn other_slice_lengths_are_read_to_the_end_and_exact() {
        for (sli, slice, seconds) in [
            ("'max(q)', target: 0.985", "30s", 30_i64),
            ("'avg(up)', target: 0.99", "1m", 60),
            ("'avg(up)', target: 0.99", "7m", 420),
            ("'avg(up)', target: 0.99", "1h", 3_600),
        ] {
            let o = objective(&format!("sli: {sli}, window: 30d, slice: {slice}"));
            let (slices, last) = read_and_polled(&o, 1_777_593_600 / seconds + 3, 2, ragged);
            for window in [Window::H6, Window::D3, Window::of(o.window)] {
                let wanted = i64::from(window.0) / seconds;
                let want = truth(&o, last, wanted, ragged).unwrap();
                let got = slices.reading(window, o.gap).counts().unwrap();
                assert!(
                    got.total == want.total && (got.bad - want.bad).abs() < 1e-9 * want.bad.max(1.0),
                    "{slice} {window} {got:?} {want:?}"
                );
            }
            assert!(slices.kept.allocated() <= slices.kept.bytes());
        }
    }

    #[test]
    fn slices_that_were_kept_come_back() {
        let o = objective("sli: 'avg(up)', target: 0.99, window: 30d");
        let (slices, _) = read_and_polled(&o, 4_800_005, 1, ragged);
        let mut back = Slices::of(&o, Span::hours(745)).unwrap();
        slices.kept.rings().for_each(|ring| back.put_back(ring));
        assert_eq!(back, slices);
        let mut other = Slices::of(&threshold("ignore"), Span::hours(745)).unwrap();
        slices.kept.rings().for_each(|ring| other.put_back(ring));
        assert_eq!(other, Slices::of(&threshold("ignore"), Span::hours(745)).unwrap(), "another kind is another shape");
    }

    proptest! {
        #[test]
        fn counts_stay_whole(polls in prop::collection::vec((0..40_i64, prop::collection::vec((0..60_i64, proptest::num::f64::ANY), 0..8)), 1..8)) {
            let o = objective("sli: 'max(q)', target: 10, window: 2h");
            let mut slices = Slices::of(&o, Span::zero()).unwrap();
            let mut now = 1_000;
            for (later, values) in polls {
                now += later;
                let stretch = slices.tail(at(now));
                prop_assert!(stretch.from <= stretch.to && stretch.to == now);
                slices.merge(stretch, &[&line(values.into_iter().map(|(back, v)| (now - back, v)))], &o.sli);
                let events = slices.events();
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

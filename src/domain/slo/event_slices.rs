//! Bad and total events per slice, kept over an objective's window: 5 m slices for the last six hours, 1 h slices for the
//! rest. Every longer window, chart, cost and forecast is a sum over them. Holds no clock; never guesses a missing slice.

use crate::domain::slo::reading::{Counts, Reading, Window};
use crate::domain::time::{Span, Timestamp};
use std::collections::VecDeque;

/// Slices read again at every poll, because late samples may change them.
const AGAIN: i64 = 2;
/// Length and number of the fine slices.
const FINE: (i64, i64) = (300, 72);
/// Length of a coarse slice.
const COARSE: i64 = 3_600;
/// The most coarse slices: a little over a year.
const MOST: i64 = 9_000;

/// One slice: what happened in `(end - length, end]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slice {
    /// Its end.
    pub end: Timestamp,
    /// Its length.
    pub length: Span,
    /// What happened in it; `None` where nothing is known.
    pub counts: Option<Counts>,
}

/// Slices of one length without a gap between them. Slice `n` ends at `n * length` seconds after the epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct Ring {
    length: i64,
    keep: i64,
    first: i64,
    /// NaN where nothing is known: two numbers a slice are all that is kept of it.
    bad: VecDeque<f64>,
    total: VecDeque<f64>,
}

impl Ring {
    /// An empty ring of so many slices of a length in whole seconds.
    pub fn new(length: i64, keep: i64) -> Self {
        Self { length: length.max(1), keep: keep.max(1), first: 0, bad: VecDeque::new(), total: VecDeque::new() }
    }

    /// The slice length.
    pub fn step(&self) -> Span {
        Span::seconds(self.length)
    }

    /// Bytes that its numbers take when it is full.
    pub fn bytes(&self) -> usize {
        usize::try_from(self.keep).unwrap_or(usize::MAX).saturating_mul(2 * size_of::<f64>())
    }

    /// Number of the newest slice; `None` while nothing was asked.
    pub fn newest(&self) -> Option<i64> {
        let len = i64::try_from(self.bad.len()).ok().filter(|l| *l > 0)?;
        Some(self.first + len - 1)
    }

    /// Number of the oldest slice.
    pub fn oldest(&self) -> Option<i64> {
        (!self.bad.is_empty()).then_some(self.first)
    }

    /// Number of the last slice that is over at an instant.
    pub fn number(&self, at: Timestamp) -> i64 {
        at.timestamp().div_euclid(self.length)
    }

    /// The end of a slice.
    pub fn end_of(&self, number: i64) -> Timestamp {
        Timestamp::from_timestamp(number.saturating_mul(self.length), 0).unwrap_or_default()
    }

    /// What happened in a slice.
    pub fn get(&self, number: i64) -> Option<Counts> {
        let index = usize::try_from(number - self.first).ok()?;
        let (bad, total) = (*self.bad.get(index)?, *self.total.get(index)?);
        (!total.is_nan()).then_some(Counts { bad, total })
    }

    /// The slices to read at a poll: what is new and the last two; `None` while nothing was asked (then it is warmed).
    pub fn tail(&self, now: Timestamp) -> Option<(i64, i64)> {
        let last = self.number(now);
        let newest = self.newest()?;
        Some(((newest - AGAIN + 1).clamp(last - self.keep + 1, last), last))
    }

    /// Takes an answer over the slices `from..=to`; a slice that it does not name has no data. An answer that does not
    /// touch what is kept replaces it when it is newer, and is left out when it is older.
    pub fn take(&mut self, from: i64, to: i64, counts: impl Fn(i64) -> Option<Counts>) {
        if from > to || to - from >= self.keep.saturating_mul(2) {
            return;
        }
        match (self.oldest(), self.newest()) {
            (Some(oldest), _) if to < oldest - 1 => return,
            (_, Some(newest)) if from <= newest + 1 => {}
            _ => {
                self.bad.clear();
                self.total.clear();
                self.first = from;
            }
        }
        while self.first > from {
            self.bad.push_front(f64::NAN);
            self.total.push_front(f64::NAN);
            self.first -= 1;
        }
        for number in from..=to {
            self.set(number, counts(number));
        }
        while i64::try_from(self.bad.len()).unwrap_or(i64::MAX) > self.keep {
            self.bad.pop_front();
            self.total.pop_front();
            self.first += 1;
        }
    }

    fn set(&mut self, number: i64, counts: Option<Counts>) {
        let Ok(index) = usize::try_from(number - self.first) else { return };
        while self.bad.len() <= index {
            self.bad.push_back(f64::NAN);
            self.total.push_back(f64::NAN);
        }
        let (bad, total) = counts.map_or((f64::NAN, f64::NAN), |c| (c.bad, c.total));
        if let (Some(b), Some(t)) = (self.bad.get_mut(index), self.total.get_mut(index)) {
            (*b, *t) = (bad, total);
        }
    }
}

/// The slices of one objective.
#[derive(Clone, Debug, PartialEq)]
pub struct EventSlices {
    /// The last six hours.
    pub fine: Ring,
    /// The objective's window, at least three days.
    pub coarse: Ring,
}

impl EventSlices {
    /// An empty store for a window; a longer `back` (a calendar period that began earlier) makes it longer.
    pub fn of(window: Span, back: Span) -> Self {
        let hours = window.max(back).num_seconds().max(3 * 86_400).div_euclid(COARSE);
        Self { fine: Ring::new(FINE.0, FINE.1), coarse: Ring::new(COARSE, hours.min(MOST)) }
    }

    /// The end of the newest slice.
    pub fn end(&self) -> Option<Timestamp> {
        self.fine.newest().map(|n| self.fine.end_of(n)).or_else(|| self.coarse.newest().map(|n| self.coarse.end_of(n)))
    }

    /// All slices, oldest first and without overlap: coarse ones up to the first whole hour that fine ones cover.
    pub fn slices(&self) -> Vec<Slice> {
        let mut all = Vec::new();
        let seam = self.fine.oldest().map(|n| (self.fine.end_of(n) - self.fine.step()).timestamp());
        let seam = seam.map_or(i64::MAX, |at| at.div_euclid(COARSE) + i64::from(at.rem_euclid(COARSE) > 0));
        if let (Some(oldest), Some(newest)) = (self.coarse.oldest(), self.coarse.newest()) {
            all.extend((oldest..=newest.min(seam)).map(|n| slice(&self.coarse, n)));
        }
        let from = all.last().map(|s: &Slice| s.end);
        if let (Some(oldest), Some(newest)) = (self.fine.oldest(), self.fine.newest()) {
            let fine = (oldest..=newest).map(|n| slice(&self.fine, n));
            all.extend(fine.filter(|s| from.is_none_or(|from| s.end > from)));
        }
        all
    }

    /// Events in `(from, to]`, and the share of that stretch that is known (0..1). A slice that is only partly inside
    /// counts by the part that is.
    pub fn between(&self, from: Timestamp, to: Timestamp) -> (Counts, f64) {
        let wanted = (to - from).num_milliseconds() as f64;
        let (mut counts, mut known) = (Counts::default(), 0.0);
        if wanted <= 0.0 {
            return (counts, 0.0);
        }
        for slice in self.slices() {
            let start = (slice.end - slice.length).max(from);
            let inside = (slice.end.min(to) - start).num_milliseconds() as f64;
            let Some(c) = slice.counts.filter(|_| inside > 0.0) else { continue };
            let share = inside / slice.length.num_milliseconds().max(1) as f64;
            counts.bad += c.bad * share;
            counts.total += c.total * share;
            known += inside;
        }
        (counts, (known / wanted).clamp(0.0, 1.0))
    }

    /// The window that ends with the newest slice.
    pub fn window(&self, window: Window) -> Reading {
        let Some(end) = self.end() else { return Reading::NoData };
        let (counts, known) = self.between(end - window.span(), end);
        if known > 0.0 { Reading::Counts(counts) } else { Reading::NoData }
    }

    /// Share of a window, ending with the newest slice, that is known (0..1).
    pub fn coverage(&self, window: Window) -> f64 {
        self.end().map_or(0.0, |end| self.between(end - window.span(), end).1)
    }
}

fn slice(ring: &Ring, number: i64) -> Slice {
    Slice { end: ring.end_of(number), length: ring.step(), counts: ring.get(number) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::{mins, secs};
    use proptest::prelude::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_timestamp(1_777_593_600 + seconds, 0).unwrap()
    }

    /// One event a second, one in a hundred bad, up to an instant.
    fn steady(until: Timestamp) -> EventSlices {
        let mut slices = EventSlices::of(Span::days(30), Span::zero());
        let per = |ring: &Ring| {
            let total = ring.step().num_seconds() as f64;
            Counts { bad: total / 100.0, total }
        };
        for ring in [&mut slices.coarse, &mut slices.fine] {
            let (last, each) = (ring.number(until), per(ring));
            ring.take(last - ring.keep + 1, last, |_| Some(each));
        }
        slices
    }

    #[test]
    fn a_month_fits_into_twelve_kibibytes() {
        let slices = EventSlices::of(Span::days(30), Span::zero());
        assert_eq!(slices.fine.bytes() + slices.coarse.bytes(), 12_672);
    }

    #[test]
    fn windows_are_sums_without_overlap() {
        for minutes in [0, 5, 25, 55] {
            let slices = steady(at(minutes * 60));
            assert_eq!(slices.end(), Some(at(minutes * 60)), "{minutes}");
            let all = slices.slices();
            assert!(all.windows(2).all(|w| w[0].end == w[1].end - w[1].length), "{minutes}");
            for window in [Window::H1, Window::H2, Window::H6, Window::D1, Window::D3] {
                let counts = slices.window(window).counts().unwrap();
                let want = f64::from(window.0);
                assert!((counts.total - want).abs() < 1e-6, "{minutes} {window}: {counts:?}");
                assert!((counts.bad - want / 100.0).abs() < 1e-6, "{minutes} {window}: {counts:?}");
                assert!((slices.coverage(window) - 1.0).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn what_is_not_known_is_not_counted() {
        let mut slices = steady(at(0));
        let last = slices.coarse.newest().unwrap();
        slices.coarse.take(last - 23, last - 12, |_| None);
        let counts = slices.window(Window::D1).counts().unwrap();
        assert!((counts.total - 43_200.0).abs() < 1e-6, "{counts:?}");
        assert!((slices.coverage(Window::D1) - 0.5).abs() < 1e-9);
        assert_eq!(EventSlices::of(Span::days(30), Span::zero()).window(Window::H1), Reading::NoData);
    }

    #[test]
    fn older_answers_extend_and_newer_ones_after_a_gap_replace() {
        let mut ring = Ring::new(300, 10);
        let one = |_| Some(Counts { bad: 0.0, total: 1.0 });
        ring.take(100, 104, one);
        ring.take(97, 99, one);
        assert_eq!((ring.oldest(), ring.newest()), (Some(97), Some(104)));
        ring.take(80, 90, one);
        assert_eq!(ring.oldest(), Some(97), "an answer that does not touch is left out");
        assert_eq!(ring.tail(ring.end_of(106) + secs(10)), Some((103, 106)));
        ring.take(200, 202, one);
        assert_eq!((ring.oldest(), ring.newest()), (Some(200), Some(202)));
        ring.take(203, 215, one);
        assert_eq!(ring.newest().unwrap() - ring.oldest().unwrap(), 9);
    }

    proptest! {
        #[test]
        fn a_stretch_is_the_sum_of_its_parts(cut in 1..(29 * 86_400_i64), length in 600..86_400_i64) {
            let slices = steady(at(1_500));
            let end = slices.end().unwrap();
            let (from, to) = (end - secs(cut).max(secs(length)), end);
            let middle = from + mins(3);
            let (whole, known) = slices.between(from, to);
            let (a, _) = slices.between(from, middle);
            let (b, _) = slices.between(middle, to);
            prop_assert!((whole.total - a.total - b.total).abs() < 1e-6 * whole.total.max(1.0));
            prop_assert!(whole.bad <= whole.total && (0.0..=1.0).contains(&known));
        }
    }
}

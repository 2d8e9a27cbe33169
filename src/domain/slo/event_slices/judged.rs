//! What is different where slices are judged and not counted: how many fine ones there is room for, that coarse ones are
//! summed here and not by the server, and what a gap is taken for.

use super::{DAY, EventSlices, MOST, Slice, Stretch};
use crate::domain::slo::objective::Gap;
use crate::domain::slo::reading::{Counts, Window};
use crate::domain::slo::ring::{Kind, Ring};
use crate::domain::time::{Span, Timestamp};

/// Bytes that all slices of the window may take before older ones are summed up.
const ALL: usize = 11_000;
/// Bytes of the fine ones where older ones are.
const SOME: usize = 5_300;
/// The fine ones are of no more than three days and an hour: no burn window is longer.
const LONGEST: i64 = 73 * 3_600;
/// The longest coarse slice in seconds, and the most slices that it is the sum of.
const HOUR: i64 = 3_600;
const PARTS: i64 = 240;
/// The most fine slices: 30 days of half-minute ones.
const MOST_FINE: i64 = 90_000;
/// Points that a server gives in one answer, and some to spare.
const POINTS: i64 = 10_000;
/// Coarse ones in parts: two of every window that may begin in one.
const EDGES: usize = 8;
/// Seconds at the end that are told slice by slice.
const FRESH: i64 = 6 * 3_600;

impl EventSlices {
    /// An empty store of time slices of so many seconds: `kind` is that of one of them.
    pub fn of_time(slice: i64, kind: Kind, gap: Gap, window: Span, back: Span) -> Self {
        let slice = slice.max(1);
        let parts = (HOUR / slice).clamp(1, PARTS);
        let all = window.max(back).num_seconds().div_euclid(slice).max(1);
        let fits = all <= MOST_FINE && kind.bytes(all) <= ALL;
        let some = (LONGEST / slice).clamp(parts * 2, kind.fit(SOME).max(parts * 2));
        let sums = all.div_euclid(parts);
        let (fine, coarse) = match (fits, parts) {
            (true, 1) => (all, 0),
            // Sums of what is kept as well: whoever adds up a month has fewer to add. The fine ones hold all parts of them.
            (true, _) => (all, (sums - 1).min(MOST)),
            (false, _) => (some, (sums + 1).min(MOST)),
        };
        Self {
            fine: Ring::new(kind, slice, fine),
            coarse: Ring::new(Kind::Sums, slice * parts, coarse),
            parts,
            edges: Vec::new(),
            cuts: Vec::new(),
            judged: Some(gap),
        }
    }

    /// What a gap is taken for; nothing is left out or filled in of what is silent altogether.
    pub(super) fn gap(&self) -> Gap {
        let gap = self.judged.unwrap_or_default();
        if gap != Gap::Ignored && self.is_silent() { Gap::Ignored } else { gap }
    }

    /// What a gap is to be taken for from now on.
    pub fn set_gap(&mut self, gap: Gap) {
        self.judged = self.judged.map(|_| gap);
    }

    /// What a gap is taken for.
    pub fn takes_gaps_for(&self) -> Option<Gap> {
        self.judged
    }

    /// Whether nothing was ever answered.
    pub fn is_silent(&self) -> bool {
        !self.rings().any(|ring| ring.numbers().any(|n| ring.get(n).is_some()))
    }

    /// What is known in `(from, to]`, with gaps left out: as many events as slices that have data.
    pub fn known(&self, from: Timestamp, to: Timestamp) -> Counts {
        self.summed(from, to, Gap::Ignored).0
    }

    pub(super) fn day(&self) -> i64 {
        (86_400 / self.fine.length()).clamp(1, POINTS)
    }

    pub(super) fn judged_edges(&self) -> usize {
        if self.coarse.keep().saturating_mul(self.parts) > self.fine.keep() { EDGES } else { 0 }
    }

    /// The same stretch in fine slices.
    pub(super) fn in_parts(&self, coarse: Stretch) -> Stretch {
        Stretch {
            length: self.fine.length(),
            from: (coarse.from - 1).saturating_mul(self.parts) + 1,
            to: coarse.to.saturating_mul(self.parts),
        }
    }

    /// What is new and the last two.
    pub(in crate::domain::slo) fn tail(&self, now: Timestamp) -> Stretch {
        let last = self.fine.number(now);
        let (from, to) = self.fine.tail(now, self.day()).unwrap_or((last - 1, last));
        Stretch { length: self.fine.length(), from, to }
    }

    /// Takes verdicts: the newest as they are; coarse slices are summed as soon as all of their parts were asked.
    pub(super) fn take_judged(&mut self, stretch: Stretch, counts: impl Fn(i64) -> Option<Counts>) -> bool {
        let Stretch { length, from, to } = stretch;
        if length != self.fine.length() || from > to || to - from > POINTS.max(2 * DAY * self.parts) {
            return false;
        }
        let newest = self.fine.newest().map_or(to, |newest| newest.max(to));
        let mut changed = false;
        if to > newest - self.fine.keep() {
            changed |= self.fine.take(from.max(newest - self.fine.keep() + 1), to, &counts);
        }
        if self.coarse.keep() == 0 {
            return changed;
        }
        for hour in (from - 1).div_euclid(self.parts) + 1..=(to - 1).div_euclid(self.parts) + 1 {
            if let Some(sum) = self.sum(hour, stretch, &counts) {
                changed |= self.coarse.take(hour, hour, |_| sum);
            }
        }
        changed
    }

    /// A coarse slice out of an answer and what is kept; `None` where a part of it was not asked.
    fn sum(&self, hour: i64, of: Stretch, counts: impl Fn(i64) -> Option<Counts>) -> Option<Option<Counts>> {
        let mut sum: Option<Counts> = None;
        for number in (hour - 1) * self.parts + 1..=hour * self.parts {
            let part = match () {
                () if (of.from..=of.to).contains(&number) => counts(number),
                () if self.fine.asked(number) => self.fine.get(number),
                () => return None,
            };
            if let Some(part) = part {
                let sum = sum.get_or_insert_default();
                sum.bad += part.bad;
                sum.total += part.total;
            }
        }
        Some(sum)
    }

    /// Whether an answer over a stretch of verdicts would change anything.
    pub fn learns(&self, stretch: Stretch, counts: impl Fn(i64) -> Option<Counts>) -> bool {
        let newest = self.fine.newest().map_or(stretch.to, |newest| newest.max(stretch.to));
        stretch.from <= newest - self.fine.keep() || self.fine.differs(stretch.from, stretch.to, counts)
    }

    /// Appends fine slices; those that are older than a few hours are told by their sums, where there are any and nothing
    /// begins or ends inside.
    pub(super) fn fine_and_whole(&self, from: i64, newest: i64, gap: Gap, all: &mut Vec<Slice>) {
        let fresh = newest - FRESH / self.fine.length();
        let mut number = from;
        while number <= newest {
            let last = number + self.parts - 1;
            let whole = number.rem_euclid(self.parts) == 1 % self.parts && last <= fresh;
            let sum = last.div_euclid(self.parts);
            if whole && self.coarse.asked(sum) && self.cuts.binary_search(&sum).is_err() {
                all.push(self.slice(&self.coarse, sum, gap));
                number = last + 1;
            } else {
                all.push(self.slice(&self.fine, number, gap));
                number += 1;
            }
        }
    }

    /// Share of the window that ends at `now` that was asked for (0..1). The newest slice may be a little late.
    pub(super) fn asked_of(&self, window: Window, now: Timestamp) -> f64 {
        let last = self.fine.number(now);
        let wanted = self.slices_in(window);
        let asked = |n: i64| self.fine.asked(n) || self.coarse.asked((n - 1).div_euclid(self.parts) + 1);
        if wanted == 1 {
            return f64::from(u8::from(asked(last) || asked(last - 1)));
        }
        let count = ((last - wanted + 1)..last).filter(|n| asked(*n)).count();
        (count as f64 / (wanted - 1) as f64).clamp(0.0, 1.0)
    }

    /// How many time slices a window has, as far as they are kept.
    pub fn slices_in(&self, window: Window) -> i64 {
        let kept = self.fine.keep().max(self.coarse.keep().saturating_mul(self.parts));
        (i64::from(window.0) / self.fine.length()).clamp(1, kept.max(1))
    }
}

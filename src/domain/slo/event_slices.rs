//! Bad and total events per slice, kept over an objective's window: 5 m slices for the last six hours, 1 h slices for the
//! rest, and 5 m slices again of the hours in which a long window begins. Every longer window, chart, cost and forecast is a
//! sum over them. Holds no clock; never guesses a missing slice.

use crate::domain::slo::reading::{Counts, Reading, Window};
use crate::domain::time::{Span, Timestamp};
use std::collections::VecDeque;

/// Slices read again at every poll, because late samples may change them: ten minutes are more than two scrape intervals
/// of up to two minutes and half a minute for the way.
const AGAIN: i64 = 2;
/// Length and number of the fine slices.
const FINE: (i64, i64) = (300, 72);
/// Length of a coarse slice.
const COARSE: i64 = 3_600;
/// The most coarse slices: a little over a year.
const MOST: i64 = 9_000;
/// Fine slices of one coarse one.
const PARTS: i64 = COARSE / FINE.0;
/// The most hours that are kept in parts: where the window begins, where the calendar period does, and one to spare.
const EDGES: usize = 3;
/// Coarse slices of one step of reading: a day, on days' borders, so that servers can reuse answers.
const DAY: i64 = 24;
/// Stands for `bad` where nothing was ever asked. Where nothing was answered it is NaN.
const UNASKED: f32 = -1.0;

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

/// Slices of one length without a gap between them. Slice `n` ends at `n * length` seconds after the epoch. One that was
/// never asked is told from one that was asked and has no data.
#[derive(Clone, Debug)]
pub struct Ring {
    length: i64,
    keep: i64,
    first: i64,
    /// Two numbers a slice are all that is kept of it: NaN where nothing is known, [`UNASKED`] in `bad` where nobody asked.
    /// Seven digits of a slice's bad events are more than any counter is read with; totals add up to whole months.
    bad: VecDeque<f32>,
    total: VecDeque<f64>,
}

/// A slice as it is kept.
fn kept(counts: Option<Counts>) -> (f32, f64) {
    counts.map_or((f32::NAN, f64::NAN), |c| (c.bad as f32, c.total))
}

/// Bit by bit: two rings that hold the same unknown slices are the same.
impl PartialEq for Ring {
    fn eq(&self, other: &Self) -> bool {
        let bits = |ring: &Self| -> Vec<(u32, u64)> {
            ring.bad.iter().zip(&ring.total).map(|(bad, total)| (bad.to_bits(), total.to_bits())).collect()
        };
        (self.length, self.keep, self.first) == (other.length, other.keep, other.first) && bits(self) == bits(other)
    }
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

    /// How many slices it holds when it is full.
    pub fn keep(&self) -> i64 {
        self.keep
    }

    /// Bytes that its numbers take when it is full.
    pub fn bytes(&self) -> usize {
        usize::try_from(self.keep).unwrap_or(usize::MAX).saturating_mul(size_of::<f32>() + size_of::<f64>())
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
        let (bad, total) = self.raw(number)?;
        // What was rounded up must not be more than all.
        (!total.is_nan()).then(|| Counts { bad: f64::from(bad).min(total), total })
    }

    /// Whether a slice was asked for, whatever was answered.
    pub fn asked(&self, number: i64) -> bool {
        self.raw(number).is_some_and(|(bad, _)| bad != UNASKED)
    }

    /// A slice as it is kept; see the fields.
    pub fn raw(&self, number: i64) -> Option<(f32, f64)> {
        let index = usize::try_from(number - self.first).ok()?;
        Some((*self.bad.get(index)?, *self.total.get(index)?))
    }

    /// A ring of slices as they were kept, from slice `first` on; `None` where they are more than it keeps.
    pub fn of_raw(length: i64, keep: i64, first: i64, raw: impl Iterator<Item = (f32, f64)>) -> Option<Self> {
        let mut ring = Self { first, ..Self::new(length, keep) };
        for (bad, total) in raw {
            let known = bad >= 0.0 && f64::from(bad) <= total * (1.0 + f64::from(f32::EPSILON)) && total.is_finite();
            ring.bad.push_back(if known || bad == UNASKED { bad } else { f32::NAN });
            ring.total.push_back(if known { total } else { f64::NAN });
        }
        (ring.bad.len() <= usize::try_from(ring.keep).ok()?).then_some(ring)
    }

    /// The slices to read at a poll: what is new and the last two; `None` while nothing was asked (then it is warmed). What
    /// was missed for longer than `most` slices is left to be warmed too.
    pub fn tail(&self, now: Timestamp, most: i64) -> Option<(i64, i64)> {
        let last = self.number(now);
        let from = self.newest()? - AGAIN + 1;
        let from = if last - from >= most.max(AGAIN) { last - AGAIN + 1 } else { from };
        Some((from.min(last - AGAIN + 1).max(last - self.keep + 1), last))
    }

    /// The last slice that history goes up to: what is newer is read by the next poll, unless that is too much for one.
    pub fn last_of_history(&self, now: Timestamp, most: i64) -> i64 {
        let last = self.number(now);
        self.newest().filter(|newest| last - newest < most.max(AGAIN) - AGAIN).map_or(last, |newest| newest.min(last))
    }

    /// The newest stretch up to `last` that nobody asked for, at most `most` slices that begin on a multiple of them.
    pub fn missing(&self, last: i64, most: i64) -> Option<(i64, i64)> {
        let oldest = last - self.keep + 1;
        let to = (oldest..=last).rev().find(|n| !self.asked(*n))?;
        let border = (to - 1).div_euclid(most.max(1)) * most.max(1) + 1;
        let from = (border.max(oldest)..=to).rev().take_while(|n| !self.asked(*n)).last()?;
        Some((from, to))
    }

    /// How many slices up to `last` nobody asked for.
    pub fn left(&self, last: i64) -> usize {
        (last - self.keep + 1..=last).filter(|n| !self.asked(*n)).count()
    }

    /// Takes an answer over the slices `from..=to`; a slice that it does not name has no data. What lies between it and the
    /// rest stays unasked, what is older than is kept is left out. Whether anything changed.
    pub fn take(&mut self, from: i64, to: i64, counts: impl Fn(i64) -> Option<Counts>) -> bool {
        if from > to || to - from >= self.keep.saturating_mul(2) {
            return false;
        }
        let oldest = self.newest().map_or(to, |newest| newest.max(to)) - self.keep + 1;
        let from = from.max(oldest);
        if self.newest().is_none_or(|newest| newest < oldest) {
            self.bad.clear();
            self.total.clear();
            self.first = from;
        }
        while self.first > from {
            self.bad.push_front(UNASKED);
            self.total.push_front(f64::NAN);
            self.first -= 1;
        }
        let mut changed = false;
        for number in from..=to {
            changed |= self.set(number, counts(number));
        }
        while i64::try_from(self.bad.len()).unwrap_or(i64::MAX) > self.keep {
            self.bad.pop_front();
            self.total.pop_front();
            self.first += 1;
        }
        changed
    }

    /// Whether an answer over `from..=to` would change anything.
    pub fn differs(&self, from: i64, to: i64, counts: impl Fn(i64) -> Option<Counts>) -> bool {
        let same = |(a, b): (f32, f64), (c, d): (f32, f64)| (a.to_bits(), b.to_bits()) == (c.to_bits(), d.to_bits());
        (from..=to).any(|n| !self.raw(n).is_some_and(|raw| same(raw, kept(counts(n)))))
    }

    /// The same without the slices that end after an instant.
    fn until(&self, at: Timestamp) -> Self {
        let many = usize::try_from(self.number(at) - self.first + 1).unwrap_or(0);
        Self {
            bad: self.bad.iter().take(many).copied().collect(),
            total: self.total.iter().take(many).copied().collect(),
            ..*self
        }
    }

    fn set(&mut self, number: i64, counts: Option<Counts>) -> bool {
        let Ok(index) = usize::try_from(number - self.first) else { return false };
        while self.bad.len() <= index {
            self.bad.push_back(UNASKED);
            self.total.push_back(f64::NAN);
        }
        let (bad, total) = kept(counts);
        let (Some(b), Some(t)) = (self.bad.get_mut(index), self.total.get_mut(index)) else { return false };
        let changed = (b.to_bits(), t.to_bits()) != (bad.to_bits(), total.to_bits());
        (*b, *t) = (bad, total);
        changed
    }

    /// Adds up `(from, to]` in milliseconds, slices after `above` only; gives the milliseconds that are known.
    fn add(&self, from: i64, to: i64, above: Option<i64>, counts: &mut Counts) -> f64 {
        let length = self.length.saturating_mul(1_000);
        let first = (from.div_euclid(length) + 1).max(self.first).max(above.map_or(i64::MIN, |n| n + 1));
        let (skip, mut known) = (usize::try_from(first - self.first).unwrap_or(usize::MAX), 0.0);
        for (index, (bad, total)) in self.bad.iter().zip(&self.total).enumerate().skip(skip) {
            let end = (self.first + i64::try_from(index).unwrap_or(i64::MAX)).saturating_mul(length);
            let inside = end.min(to) - (end - length).max(from);
            if inside <= 0 {
                break;
            }
            if total.is_nan() {
                continue;
            }
            let share = inside as f64 / length as f64;
            counts.bad += f64::from(*bad).min(*total) * share;
            counts.total += total * share;
            known += inside as f64;
        }
        known
    }
}

/// A stretch of slices that nobody asked for yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stretch {
    /// The slice length in seconds.
    pub length: i64,
    /// Number of the first slice.
    pub from: i64,
    /// Number of the last slice.
    pub to: i64,
}

/// The slices of one objective.
#[derive(Clone, Debug, PartialEq)]
pub struct EventSlices {
    /// The last six hours.
    pub fine: Ring,
    /// The objective's window, at least three days.
    pub coarse: Ring,
    /// Hours of the coarse ones in parts, because a window begins in them: what leaves it is then told to five minutes.
    edges: Vec<Ring>,
}

impl EventSlices {
    /// An empty store for a window; a longer `back` (a calendar period that began earlier) makes it longer.
    pub fn of(window: Span, back: Span) -> Self {
        let hours = window.max(back).num_seconds().max(3 * 86_400).div_euclid(COARSE);
        Self { fine: Ring::new(FINE.0, FINE.1), coarse: Ring::new(COARSE, hours.min(MOST)), edges: Vec::new() }
    }

    /// Bytes that its numbers take when all is read, with one hour in parts.
    pub fn bytes(&self) -> usize {
        self.fine.bytes() + self.coarse.bytes() + Ring::new(FINE.0, PARTS).bytes()
    }

    /// What of them was over at an instant.
    pub fn until(&self, at: Timestamp) -> Self {
        let over = |ring: &&Ring| ring.newest().is_some_and(|newest| ring.end_of(newest) <= at);
        let edges = self.edges.iter().filter(over).cloned().collect();
        Self { fine: self.fine.until(at), coarse: self.coarse.until(at), edges }
    }

    /// The hours that are kept in parts, as rings of their parts.
    pub fn edges(&self) -> &[Ring] {
        &self.edges
    }

    /// Puts back what was kept; a ring of no such shape is left out.
    pub fn put_back(&mut self, ring: &Ring) {
        let shape = |r: &Ring| (r.length, r.keep);
        match shape(ring) {
            s if s == shape(&self.fine) => self.fine = ring.clone(),
            s if s == shape(&self.coarse) => self.coarse = ring.clone(),
            (length, PARTS) if length == FINE.0 && self.edges.len() < EDGES && whole(ring) => {
                self.edges.push(ring.clone())
            }
            _ => {}
        }
    }

    /// An hour in parts.
    fn edge(&self, hour: i64) -> Option<&Ring> {
        self.edges.iter().find(|ring| ring.newest() == Some(hour.saturating_mul(PARTS)))
    }

    /// The hours in which windows begin that are not kept in parts yet, where that would tell more: those inside of which a
    /// window begins, and that fine slices do not cover.
    pub fn missing_edges(&self, starts: &[Timestamp], now: Timestamp) -> Vec<i64> {
        let (covered, oldest) = (self.fine.number(now) - FINE.1, self.coarse.number(now) - self.coarse.keep + 1);
        let inside = starts.iter().map(Timestamp::timestamp).filter(|at| at.rem_euclid(COARSE) > 0);
        let hours = inside.map(|at| at.div_euclid(COARSE) + 1);
        let mut hours: Vec<i64> =
            hours.filter(|h| *h >= oldest && h * PARTS <= covered && self.edge(*h).is_none()).collect();
        hours.sort_unstable();
        hours.dedup();
        hours
    }

    /// Whether a stretch is an hour in parts rather than the newest fine slices.
    fn is_edge(&self, stretch: Stretch) -> bool {
        let hour = stretch.length == FINE.0 && stretch.to - stretch.from + 1 == PARTS && stretch.to % PARTS == 0;
        hour && self.fine.newest().is_some_and(|newest| stretch.to <= newest - FINE.1)
    }

    /// Whether an answer over a stretch would change anything.
    pub fn differs(&self, stretch: Stretch, counts: impl Fn(i64) -> Option<Counts>) -> bool {
        let ring = match self.is_edge(stretch) {
            true => self.edge(stretch.to / PARTS),
            false => self.ring(stretch.length),
        };
        ring.is_none_or(|ring| ring.differs(stretch.from, stretch.to, counts))
    }

    /// Takes an answer over a stretch; see [`Ring::take`].
    pub fn take(&mut self, stretch: Stretch, counts: impl Fn(i64) -> Option<Counts>) -> bool {
        if !self.is_edge(stretch) {
            return self.ring_mut(stretch.length).is_some_and(|ring| ring.take(stretch.from, stretch.to, counts));
        }
        // A window that moved on has left the hour before.
        let useless = [stretch.to, stretch.to - PARTS];
        self.edges.retain(|ring| ring.newest().is_none_or(|newest| !useless.contains(&newest)));
        if self.edges.len() >= EDGES {
            self.edges.remove(0);
        }
        let mut ring = Ring::new(FINE.0, PARTS);
        let changed = ring.take(stretch.from, stretch.to, counts);
        self.edges.push(ring);
        changed
    }

    /// The end of the newest slice.
    pub fn end(&self) -> Option<Timestamp> {
        self.fine.newest().map(|n| self.fine.end_of(n)).or_else(|| self.coarse.newest().map(|n| self.coarse.end_of(n)))
    }

    /// Number of the last coarse slice that counts: fine ones tell from the first whole hour that they cover.
    fn seam(&self) -> i64 {
        let start = self.fine.oldest().map(|n| (self.fine.end_of(n) - self.fine.step()).timestamp());
        start.map_or(i64::MAX, |at| at.div_euclid(COARSE) + i64::from(at.rem_euclid(COARSE) > 0))
    }

    /// The newest coarse slice that counts, and the newest fine one that does not.
    fn cut(&self) -> (Option<i64>, Option<i64>) {
        let last = self.coarse.newest().map(|newest| newest.min(self.seam()));
        let last = last.filter(|last| self.coarse.oldest().is_some_and(|oldest| oldest <= *last));
        (last, last.map(|n| n * PARTS))
    }

    /// All slices, oldest first and without overlap: coarse ones up to the first whole hour that fine ones cover.
    pub fn slices(&self) -> Vec<Slice> {
        let mut all = Vec::new();
        let (last, covered) = self.cut();
        if let (Some(oldest), Some(last)) = (self.coarse.oldest(), last) {
            for hour in oldest..=last {
                match self.edge(hour) {
                    Some(parts) => all.extend(((hour - 1) * PARTS + 1..=hour * PARTS).map(|n| slice(parts, n))),
                    None => all.push(slice(&self.coarse, hour)),
                }
            }
        }
        if let (Some(oldest), Some(newest)) = (self.fine.oldest(), self.fine.newest()) {
            let from = covered.map_or(oldest, |covered| oldest.max(covered + 1));
            all.extend((from..=newest).map(|n| slice(&self.fine, n)));
        }
        all
    }

    /// Events in `(from, to]`, and the share of that stretch that is known (0..1). A slice that is only partly inside
    /// counts by the part that is.
    pub fn between(&self, from: Timestamp, to: Timestamp) -> (Counts, f64) {
        let (from, to) = (from.timestamp_millis(), to.timestamp_millis());
        let mut counts = Counts::default();
        if to <= from {
            return (counts, 0.0);
        }
        let (last, covered) = self.cut();
        let mut known = 0.0;
        if let Some(last) = last {
            known += self.hours(from, last.saturating_mul(COARSE * 1_000).min(to), &mut counts);
        }
        known += self.fine.add(from, to, covered, &mut counts);
        (counts, (known / (to - from) as f64).clamp(0.0, 1.0))
    }

    /// Adds up `(from, to]` of the coarse slices. An hour that is only partly inside is told from its parts, where they
    /// are kept.
    fn hours(&self, from: i64, to: i64, counts: &mut Counts) -> f64 {
        let hour = COARSE * 1_000;
        let parts = |at: i64| (at.rem_euclid(hour) > 0).then(|| self.edge(at.div_euclid(hour) + 1)).flatten();
        let (mut from, mut to, mut known) = (from, to, 0.0);
        if let Some(ring) = parts(from).filter(|_| from < to) {
            let end = ((from.div_euclid(hour) + 1) * hour).min(to);
            known += ring.add(from, end, None, counts);
            from = end;
        }
        if let Some(ring) = parts(to).filter(|_| from < to) {
            let begin = (to.div_euclid(hour) * hour).max(from);
            known += ring.add(begin, to, None, counts);
            to = begin;
        }
        if from < to { known + self.coarse.add(from, to, None, counts) } else { known }
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

    /// The window that ends now: its last five minutes as they were counted just now (`head`), the rest from slices, so
    /// that a page does not wait for a slice to be over. Without a head the last five minutes are what slices know of them.
    pub fn ending(&self, window: Window, now: Timestamp, head: Option<Counts>) -> Reading {
        let seam = if head.is_some() { now - Window::M5.span() } else { now };
        let (mut counts, known) = self.between(now - window.span(), seam);
        let head = head.unwrap_or_default();
        counts.bad += head.bad;
        counts.total += head.total;
        if known > 0.0 || head.total > 0.0 { Reading::Counts(counts) } else { Reading::NoData }
    }

    /// Whether every slice of the window that ends at `now` was asked for. The newest may be a little late.
    pub fn has_read(&self, window: Window, now: Timestamp) -> bool {
        self.unread(window, now) == 0.0
    }

    /// Share of the window that ends at `now` that was asked for (0..1).
    pub fn read(&self, window: Window, now: Timestamp) -> f64 {
        1.0 - self.unread(window, now)
    }

    fn unread(&self, window: Window, now: Timestamp) -> f64 {
        let from = now.timestamp() - i64::from(window.0);
        let fine = (self.fine.number(now) - FINE.1 + 1).max(from.div_euclid(FINE.0) + 1);
        let holes = |ring: &Ring, from: i64, to: i64| (from..=to).filter(|n| !ring.asked(*n)).count() as f64;
        let mut missed = holes(&self.fine, fine, self.fine.number(now) - 1) * FINE.0 as f64;
        if i64::from(window.0) > FINE.0 * FINE.1 {
            // The hours that fine slices tell of need not be there as coarse ones.
            let to = (fine - 1).saturating_mul(FINE.0).div_euclid(COARSE) + 1;
            let oldest = (self.coarse.number(now) - self.coarse.keep + 1).max(from.div_euclid(COARSE) + 1);
            missed += holes(&self.coarse, oldest, to.min(self.coarse.number(now))) * COARSE as f64;
        }
        (missed / f64::from(window.0.max(1))).clamp(0.0, 1.0)
    }

    /// The stretch to read next, the newest first; `None` when all was asked for. `starts`: where long windows begin.
    pub fn missing(&self, starts: &[Timestamp], now: Timestamp) -> Option<Stretch> {
        let next = |ring: &Ring, poll, most| {
            let (from, to) = ring.missing(ring.last_of_history(now, poll), most)?;
            Some(Stretch { length: ring.length, from, to })
        };
        let edge = || {
            let to = self.missing_edges(starts, now).last()? * PARTS;
            Some(Stretch { length: FINE.0, from: to - PARTS + 1, to })
        };
        // The fine ones are few: they are read at once, wherever they begin.
        next(&self.fine, FINE.1, i64::MAX)
            .or_else(|| [next(&self.coarse, DAY, DAY), edge()].into_iter().flatten().max_by_key(|s| s.to * s.length))
    }

    /// The stretches to read at a poll; see [`Ring::tail`].
    pub fn tails(&self, now: Timestamp) -> Vec<Stretch> {
        let tail = |ring: &Ring, most| {
            let (from, to) = ring.tail(now, most)?;
            Some(Stretch { length: ring.length, from, to })
        };
        [tail(&self.fine, FINE.1), tail(&self.coarse, DAY)].into_iter().flatten().collect()
    }

    /// How many slices nobody asked for yet.
    pub fn left(&self, now: Timestamp) -> usize {
        let left = |ring: &Ring, poll| ring.left(ring.last_of_history(now, poll));
        left(&self.fine, FINE.1) + left(&self.coarse, DAY)
    }

    /// The ring of a slice length.
    pub fn ring(&self, length: i64) -> Option<&Ring> {
        [&self.fine, &self.coarse].into_iter().find(|ring| ring.length == length)
    }

    /// The ring of a slice length, to be changed.
    pub fn ring_mut(&mut self, length: i64) -> Option<&mut Ring> {
        [&mut self.fine, &mut self.coarse].into_iter().find(|ring| ring.length == length)
    }
}

/// Whether a ring holds one whole hour.
fn whole(ring: &Ring) -> bool {
    ring.newest().is_some_and(|newest| newest % PARTS == 0 && ring.oldest() == Some(newest - PARTS + 1))
}

fn slice(ring: &Ring, number: i64) -> Slice {
    Slice { end: ring.end_of(number), length: ring.step(), counts: ring.get(number) }
}

#[cfg(test)]
mod tests;

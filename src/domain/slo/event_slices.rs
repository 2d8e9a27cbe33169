//! Bad and total events per slice, kept over an objective's window: 5 m slices for the last six hours, 1 h slices for the
//! rest, and 5 m slices again of the hours in which a long window, an incident or planned work begins or ends. Time slices, of which one is one event, are kept
//! the same way, over as many fine ones as there is room for. Every longer window, chart, cost and forecast is a sum over
//! them. Holds no clock; never guesses a missing slice.

mod judged;

use crate::domain::slo::objective::Gap;
use crate::domain::slo::reading::{Counts, Reading, Window};
use crate::domain::slo::ring::{Cell, Kind, Ring, Within};
use crate::domain::time::{Span, Timestamp};

/// Length and number of the fine slices of events.
const FINE: (i64, i64) = (300, 72);
/// Length of a coarse slice.
const COARSE: i64 = 3_600;
/// The most coarse slices: a little over a year.
const MOST: i64 = 9_000;
/// The most coarse slices that are kept in parts: where the window begins, where the calendar period does, and one to spare.
const EDGES: usize = 3;
/// The most coarse slices that are kept in parts for incidents and planned work: what is far from an edge needs none.
const CUTS: usize = 64;
/// Coarse slices of one step of reading: a day, on days' borders, so that servers can reuse answers.
const DAY: i64 = 24;

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
    /// The newest: the last six hours of events, as many time slices as fit.
    pub fine: Ring,
    /// The objective's window, at least three days; sums of the fine ones where those are all that is needed.
    pub coarse: Ring,
    /// Fine slices of one coarse one.
    parts: i64,
    /// Coarse ones in parts, because a window begins in them: what leaves it is then told to a fine slice.
    edges: Vec<Ring>,
    /// Coarse ones inside of which an incident or planned work begins or ends, in order: kept in parts for as long as they
    /// are asked for, so that forty minutes are not smeared over the hours around them.
    cuts: Vec<i64>,
    /// What a gap is taken for, where slices are judged and not counted.
    judged: Option<Gap>,
}

impl EventSlices {
    /// An empty store of events for a window; a longer `back` (a calendar period that began earlier) makes it longer.
    pub fn of(window: Span, back: Span) -> Self {
        let hours = window.max(back).num_seconds().max(3 * 86_400).div_euclid(COARSE);
        Self {
            fine: Ring::new(Kind::Counted, FINE.0, FINE.1),
            coarse: Ring::new(Kind::Counted, COARSE, hours.min(MOST)),
            parts: COARSE / FINE.0,
            edges: Vec::new(),
            cuts: Vec::new(),
            judged: None,
        }
    }

    /// Bytes that its slices take when all is read, with as many coarse ones in parts as windows can begin in. Each hour in
    /// which an incident or planned work begins or ends takes [`Self::bytes_of_edge`] more.
    pub fn bytes(&self) -> usize {
        self.fine.bytes() + self.coarse.bytes() + self.most_edges() * self.bytes_of_edge()
    }

    /// Bytes of one coarse slice in parts.
    pub fn bytes_of_edge(&self) -> usize {
        self.fine.kind().bytes(self.parts)
    }

    /// Bytes that they take now.
    pub fn allocated(&self) -> usize {
        self.rings().map(Ring::allocated).sum()
    }

    /// What of them was over at an instant.
    pub fn until(&self, at: Timestamp) -> Self {
        let over = |ring: &&Ring| ring.newest().is_some_and(|newest| ring.end_of(newest) <= at);
        let edges = self.edges.iter().filter(over).cloned().collect();
        let (fine, coarse) = (self.fine.until(at), self.coarse.until(at));
        Self { fine, coarse, edges, cuts: self.cuts.clone(), ..*self }
    }

    /// Coarse slices that are kept in parts, as rings of their parts.
    pub fn edges(&self) -> &[Ring] {
        &self.edges
    }

    /// All that is worth keeping.
    pub fn rings(&self) -> impl Iterator<Item = &Ring> {
        [&self.fine, &self.coarse].into_iter().chain(&self.edges).filter(|ring| ring.newest().is_some())
    }

    /// Puts back what was kept; a ring of no such shape is left out.
    pub fn put_back(&mut self, ring: &Ring) {
        let shape = |r: &Ring| (r.kind(), r.length(), r.keep());
        let edge = (self.fine.kind(), self.fine.length(), self.parts);
        match shape(ring) {
            s if s == shape(&self.fine) => self.fine = ring.clone(),
            s if s == shape(&self.coarse) => self.coarse = ring.clone(),
            s if s == edge && self.edges.len() < self.most_edges() + CUTS && self.whole(ring) => {
                self.edges.push(ring.clone());
            }
            _ => {}
        }
    }

    /// Whether these instants ask for other coarse slices in parts than those before.
    pub fn is_cut_anew(&self, at: &[Timestamp]) -> bool {
        self.hours_cut(at) != self.cuts
    }

    /// Instants at which an incident or planned work begins or ends, from now on. The newest count where they are many.
    pub fn cut_at(&mut self, at: &[Timestamp]) {
        self.cuts = self.hours_cut(at);
    }

    fn hours_cut(&self, at: &[Timestamp]) -> Vec<i64> {
        let mut hours = self.hours_around(at);
        hours.drain(..hours.len().saturating_sub(CUTS));
        hours
    }

    /// The coarse slices inside of which one of these instants lies, in order.
    fn hours_around(&self, at: &[Timestamp]) -> Vec<i64> {
        let length = self.coarse.length();
        let inside = at.iter().map(Timestamp::timestamp).filter(|at| at.rem_euclid(length) > 0);
        let mut hours: Vec<i64> = inside.map(|at| at.div_euclid(length) + 1).collect();
        hours.sort_unstable();
        hours.dedup();
        hours
    }

    /// Whether a ring holds all parts of one coarse slice.
    fn whole(&self, ring: &Ring) -> bool {
        ring.newest().is_some_and(|n| n % self.parts == 0 && ring.oldest() == Some(n - self.parts + 1))
    }

    /// A coarse slice in parts.
    fn edge(&self, hour: i64) -> Option<&Ring> {
        self.edges.iter().find(|ring| ring.newest() == Some(hour.saturating_mul(self.parts)))
    }

    /// The same where the parts tell more. A server that has forgotten that hour by now answers nothing for any of them;
    /// what was known of it stays.
    fn parts_of(&self, hour: i64) -> Option<&Ring> {
        let edge = self.edge(hour)?;
        let known = edge.numbers().filter(|n| edge.get(*n).is_some()).count();
        let told = match (self.coarse.get(hour), self.judged) {
            (None, _) => true,
            (Some(_), None) => known > 0,
            (Some(sum), Some(_)) => known as f64 == sum.total,
        };
        told.then_some(edge)
    }

    /// The coarse slices that are not kept in parts yet, where that would tell more: those inside of which a window begins,
    /// or at which something was cut, and that fine slices do not cover.
    pub fn missing_edges(&self, starts: &[Timestamp], now: Timestamp) -> Vec<i64> {
        let (covered, oldest) =
            (self.fine.number(now) - self.fine.keep(), self.coarse.number(now) - self.coarse.keep() + 1);
        let mut hours = self.hours_around(starts);
        hours.extend(&self.cuts);
        hours.retain(|h| *h >= oldest && h * self.parts <= covered && self.edge(*h).is_none());
        hours.sort_unstable();
        hours.dedup();
        hours
    }

    /// Whether a stretch is a coarse slice in parts rather than the newest fine slices.
    fn is_edge(&self, stretch: Stretch) -> bool {
        let one = stretch.to - stretch.from + 1 == self.parts && stretch.to % self.parts == 0;
        let known = self.judged.is_none() || self.coarse.asked(stretch.to.div_euclid(self.parts));
        let old = self.fine.newest().is_some_and(|newest| stretch.to <= newest - self.fine.keep());
        stretch.length == self.fine.length() && one && known && old
    }

    /// Whether an answer over a stretch would change anything.
    pub fn differs(&self, stretch: Stretch, counts: impl Fn(i64) -> Option<Counts>) -> bool {
        let ring = match self.is_edge(stretch) {
            true => self.edge(stretch.to.div_euclid(self.parts)),
            false => self.ring(stretch.length),
        };
        ring.is_none_or(|ring| ring.differs(stretch.from, stretch.to, counts))
    }

    /// Takes an answer over a stretch; see [`Ring::take`].
    pub fn take(&mut self, stretch: Stretch, counts: impl Fn(i64) -> Option<Counts>) -> bool {
        match self.is_edge(stretch) {
            true => self.take_edge(stretch, counts),
            false if self.judged.is_some() => self.take_judged(stretch, counts),
            false => self.ring_mut(stretch.length).is_some_and(|ring| ring.take(stretch.from, stretch.to, counts)),
        }
    }

    fn take_edge(&mut self, stretch: Stretch, counts: impl Fn(i64) -> Option<Counts>) -> bool {
        // A window that moved on has left the hour before. One of time slices ends with the newest, which may be late.
        let behind = if self.judged.is_some() { 2 } else { 1 };
        let left = stretch.to - behind * self.parts;
        let (parts, cuts) = (self.parts, &self.cuts);
        let is_cut = |newest: i64| cuts.binary_search(&newest.div_euclid(parts)).is_ok();
        let stays = |newest: i64| newest != stretch.to && (newest != left || is_cut(newest));
        self.edges.retain(|ring| ring.newest().is_none_or(stays));
        // Those of windows alone: what an incident began in is not given up for the hour in which a window does.
        let spare: Vec<i64> = self.edges.iter().filter_map(Ring::newest).filter(|newest| !is_cut(*newest)).collect();
        let room = self.most_edges().saturating_sub(usize::from(!is_cut(stretch.to)));
        for old in spare.iter().take(spare.len().saturating_sub(room)) {
            self.edges.retain(|ring| ring.newest() != Some(*old));
        }
        let mut ring = Ring::new(self.fine.kind(), self.fine.length(), self.parts);
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
        let length = self.coarse.length();
        let start = self.fine.oldest().map(|n| (self.fine.end_of(n) - self.fine.step()).timestamp());
        start.map_or(i64::MAX, |at| at.div_euclid(length) + i64::from(at.rem_euclid(length) > 0))
    }

    /// The newest coarse slice that counts, and the newest fine one that does not.
    fn cut(&self) -> (Option<i64>, Option<i64>) {
        let last = self.coarse.newest().map(|newest| newest.min(self.seam()));
        let last = last.filter(|last| self.coarse.oldest().is_some_and(|oldest| oldest <= *last));
        (last, last.map(|n| n * self.parts))
    }

    /// All slices, oldest first and without overlap: coarse ones up to the first whole hour that fine ones cover.
    pub fn slices(&self) -> Vec<Slice> {
        let mut all = Vec::new();
        let (last, covered) = self.cut();
        let gap = self.gap();
        if let (Some(oldest), Some(last)) = (self.coarse.oldest(), last) {
            for hour in oldest..=last {
                match self.parts_of(hour) {
                    Some(ring) => all.extend(ring.numbers().map(|n| self.slice(ring, n, gap))),
                    None => all.push(self.slice(&self.coarse, hour, gap)),
                }
            }
        }
        if let (Some(oldest), Some(newest)) = (self.fine.oldest(), self.fine.newest()) {
            let from = covered.map_or(oldest, |covered| oldest.max(covered + 1));
            match self.judged {
                Some(_) => self.fine_and_whole(from, newest, gap, &mut all),
                None => all.extend((from..=newest).map(|n| self.slice(&self.fine, n, gap))),
            }
        }
        all
    }

    fn slice(&self, ring: &Ring, number: i64, gap: Gap) -> Slice {
        Slice { end: ring.end_of(number), length: ring.step(), counts: self.told(ring, gap)(ring.cell(number)) }
    }

    /// What a slice of a ring counts as.
    fn told(&self, ring: &Ring, gap: Gap) -> impl Fn(Cell) -> Option<Counts> + use<> {
        let all = (ring.length() / self.fine.length().max(1)) as f64;
        move |cell| match (cell, gap) {
            (Cell::Unasked, _) => None,
            (cell, Gap::Ignored) => cell.counts(),
            (cell, gap) => {
                let known = cell.counts().unwrap_or_default();
                let bad = if gap == Gap::Bad { all - known.total } else { 0.0 };
                Some(Counts { bad: known.bad + bad, total: all })
            }
        }
    }

    /// Events in `(from, to]`, and the share of that stretch that is known (0..1). A slice that is only partly inside
    /// counts by the part that is.
    pub fn between(&self, from: Timestamp, to: Timestamp) -> (Counts, f64) {
        self.summed(from, to, self.gap())
    }

    fn summed(&self, from: Timestamp, to: Timestamp, gap: Gap) -> (Counts, f64) {
        let (from, to) = (from.timestamp_millis(), to.timestamp_millis());
        let mut counts = Counts::default();
        if to <= from {
            return (counts, 0.0);
        }
        let (last, above) = self.cut();
        let mut known = 0.0;
        if let Some(last) = last {
            known += self.hours(from, last.saturating_mul(self.coarse.length() * 1_000).min(to), gap, &mut counts);
        }
        known += self.fine.add(Within { from, to, above }, self.told(&self.fine, gap), &mut counts);
        (counts, (known / (to - from) as f64).clamp(0.0, 1.0))
    }

    /// Adds up `(from, to]` of the coarse slices. An hour that is only partly inside is told from its parts, where they
    /// are kept.
    fn hours(&self, from: i64, to: i64, gap: Gap, counts: &mut Counts) -> f64 {
        let hour = self.coarse.length() * 1_000;
        let parts = |at: i64| (at.rem_euclid(hour) > 0).then(|| self.parts_of(at.div_euclid(hour) + 1)).flatten();
        let mut sum =
            |ring: &Ring, from: i64, to: i64| ring.add(Within { from, to, above: None }, self.told(ring, gap), counts);
        let (mut from, mut to, mut known) = (from, to, 0.0);
        if let Some(ring) = parts(from).filter(|_| from < to) {
            let end = ((from.div_euclid(hour) + 1) * hour).min(to);
            known += sum(ring, from, end);
            from = end;
        }
        if let Some(ring) = parts(to).filter(|_| from < to) {
            let begin = (to.div_euclid(hour) * hour).max(from);
            known += sum(ring, begin, to);
            to = begin;
        }
        if from < to { known + sum(&self.coarse, from, to) } else { known }
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
        self.read(window, now) >= 1.0
    }

    /// Share of the window that ends at `now` that was asked for (0..1).
    pub fn read(&self, window: Window, now: Timestamp) -> f64 {
        if self.judged.is_some() { self.asked_of(window, now) } else { 1.0 - self.unread(window, now) }
    }

    fn unread(&self, window: Window, now: Timestamp) -> f64 {
        let from = now.timestamp() - i64::from(window.0);
        let fine = (self.fine.number(now) - FINE.1 + 1).max(from.div_euclid(FINE.0) + 1);
        let holes = |ring: &Ring, from: i64, to: i64| (from..=to).filter(|n| !ring.asked(*n)).count() as f64;
        let mut missed = holes(&self.fine, fine, self.fine.number(now) - 1) * FINE.0 as f64;
        if i64::from(window.0) > FINE.0 * FINE.1 {
            // The hours that fine slices tell of need not be there as coarse ones.
            let to = (fine - 1).saturating_mul(FINE.0).div_euclid(COARSE) + 1;
            let oldest = (self.coarse.number(now) - self.coarse.keep() + 1).max(from.div_euclid(COARSE) + 1);
            missed += holes(&self.coarse, oldest, to.min(self.coarse.number(now))) * COARSE as f64;
        }
        (missed / f64::from(window.0.max(1))).clamp(0.0, 1.0)
    }

    /// The stretch to read next, the newest first; `None` when all was asked for. `starts`: where long windows begin.
    pub fn missing(&self, starts: &[Timestamp], now: Timestamp) -> Option<Stretch> {
        let edge = || {
            let to = self.missing_edges(starts, now).last()? * self.parts;
            Some(Stretch { length: self.fine.length(), from: to - self.parts + 1, to })
        };
        let fine = || {
            // Those of events are few: they are read at once, wherever they begin.
            let most = if self.judged.is_some() { self.piece() } else { i64::MAX };
            let (from, to) = self.fine.missing(self.fine.last_of_history(now, self.piece()), most)?;
            Some(Stretch { length: self.fine.length(), from, to })
        };
        let coarse = || {
            let (from, to) = self.coarse.missing(self.coarse.last_of_history(now, DAY), DAY)?;
            let whole = Stretch { length: self.coarse.length(), from, to };
            Some(if self.judged.is_some() { self.in_parts(whole) } else { whole })
        };
        fine().or_else(|| [coarse(), edge()].into_iter().flatten().max_by_key(|s| s.to * s.length))
    }

    /// The stretches to read at a poll; see [`Ring::tail`].
    pub fn tails(&self, now: Timestamp) -> Vec<Stretch> {
        let tail = |ring: &Ring, most| {
            let (from, to) = ring.tail(now, most)?;
            Some(Stretch { length: ring.length(), from, to })
        };
        match self.judged {
            Some(_) => vec![self.tail(now)],
            None => [tail(&self.fine, FINE.1), tail(&self.coarse, DAY)].into_iter().flatten().collect(),
        }
    }

    /// How many slices nobody asked for yet.
    pub fn left(&self, now: Timestamp) -> usize {
        let left = |ring: &Ring, poll| ring.left(ring.last_of_history(now, poll));
        left(&self.fine, self.piece()) + left(&self.coarse, DAY)
    }

    /// Fine slices of one step of reading, and the most that a poll catches up with.
    fn piece(&self) -> i64 {
        if self.judged.is_some() { self.day() } else { FINE.1 }
    }

    fn most_edges(&self) -> usize {
        if self.judged.is_some() { self.judged_edges() } else { EDGES }
    }

    /// The ring of a slice length.
    pub fn ring(&self, length: i64) -> Option<&Ring> {
        [&self.fine, &self.coarse].into_iter().find(|ring| ring.length() == length)
    }

    /// The ring of a slice length, to be changed.
    pub fn ring_mut(&mut self, length: i64) -> Option<&mut Ring> {
        [&mut self.fine, &mut self.coarse].into_iter().find(|ring| ring.length() == length)
    }
}

#[cfg(test)]
mod tests;

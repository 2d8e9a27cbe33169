//! The events of an objective over time, without those of planned work: what every budget, cost and forecast of it is
//! summed from. Sums over any stretch are as cheap as two searches. Never guesses what is not known.

use crate::domain::slo::event_slices::{EventSlices, Slice};
use crate::domain::slo::maintenance::Stretch;
use crate::domain::slo::reading::Counts;
use crate::domain::time::Timestamp;

/// Running sums at the end of one slice.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Mark {
    /// Milliseconds since 1970.
    at: i64,
    bad: f64,
    total: f64,
    /// Milliseconds that are known.
    known: f64,
}

/// Events over time.
#[derive(Clone, Debug, PartialEq)]
pub struct NetEvents {
    slices: Vec<Slice>,
    marks: Vec<Mark>,
}

impl NetEvents {
    /// The events of slices without those of planned work, which is sorted and without overlap. A slice that is partly work
    /// is cut; its events are spread evenly over it: finer is not known.
    pub fn of(slices: &EventSlices, work: &[Stretch]) -> Self {
        Self::over(slices.slices(), work)
    }

    /// The same over slices that follow each other, oldest first.
    pub fn over(slices: Vec<Slice>, work: &[Stretch]) -> Self {
        let slices = if work.is_empty() { slices } else { slices.into_iter().flat_map(|s| cut(s, work)).collect() };
        let mut marks = Vec::with_capacity(slices.len() + 1);
        let mut sum = Mark::default();
        for slice in &slices {
            let (from, to) = ((slice.end - slice.length).timestamp_millis(), slice.end.timestamp_millis());
            if marks.is_empty() || sum.at < from {
                sum.at = from;
                marks.push(sum);
            }
            sum.at = to;
            if let Some(counts) = slice.counts {
                sum.bad += counts.bad;
                sum.total += counts.total;
                sum.known += (to - from) as f64;
            }
            marks.push(sum);
        }
        Self { slices, marks }
    }

    /// The slices, oldest first.
    pub fn slices(&self) -> &[Slice] {
        &self.slices
    }

    /// The end of the newest slice.
    pub fn end(&self) -> Option<Timestamp> {
        self.slices.last().map(|s| s.end)
    }

    /// Events in `(from, to]`, and the share of that stretch that is known (0..1). A slice that is only partly inside
    /// counts by the part that is.
    pub fn between(&self, from: Timestamp, to: Timestamp) -> (Counts, f64) {
        let length = (to - from).num_milliseconds() as f64;
        if length <= 0.0 {
            return (Counts::default(), 0.0);
        }
        let (a, b) = (self.until(from), self.until(to));
        // Differences of sums may fall a hair below nothing, or bad a hair over all.
        let total = (b.total - a.total).max(0.0);
        let bad = (b.bad - a.bad).clamp(0.0, total);
        (Counts { bad, total }, ((b.known - a.known) / length).clamp(0.0, 1.0))
    }

    /// The same slice by slice: for short stretches, in which a difference of sums over months would drown few events.
    pub fn within(&self, from: Timestamp, to: Timestamp) -> (Counts, f64) {
        let (mut counts, mut known) = (Counts::default(), 0.0);
        let first = self.slices.partition_point(|s| s.end <= from);
        for slice in self.slices.iter().skip(first).take_while(|s| s.end - s.length < to) {
            let Some(here) = slice.counts else { continue };
            let inside = (slice.end.min(to) - (slice.end - slice.length).max(from)).num_milliseconds() as f64;
            let share = inside / slice.length.num_milliseconds().max(1) as f64;
            counts.bad += here.bad * share;
            counts.total += here.total * share;
            known += inside;
        }
        (counts, (known / (to - from).num_milliseconds().max(1) as f64).clamp(0.0, 1.0))
    }

    fn until(&self, at: Timestamp) -> Mark {
        let at = at.timestamp_millis();
        let next = self.marks.partition_point(|m| m.at < at);
        let after = match self.marks.get(next) {
            Some(after) => *after,
            None => return self.marks.last().copied().unwrap_or_default(),
        };
        let Some(before) = next.checked_sub(1).and_then(|i| self.marks.get(i)) else { return after };
        let share = (at - before.at) as f64 / (after.at - before.at).max(1) as f64;
        let mix = |a: f64, b: f64| a + (b - a) * share;
        Mark {
            at,
            bad: mix(before.bad, after.bad),
            total: mix(before.total, after.total),
            known: mix(before.known, after.known),
        }
    }
}

/// The parts of a slice between the edges of planned work; those inside it have no events.
fn cut(slice: Slice, work: &[Stretch]) -> Vec<Slice> {
    let begin = slice.end - slice.length;
    if !work.iter().any(|w| w.to > begin && w.from < slice.end) {
        return vec![slice];
    }
    let mut edges: Vec<Timestamp> = work.iter().flat_map(|w| [w.from, w.to]).collect();
    edges.retain(|at| *at > begin && *at < slice.end);
    edges.extend([begin, slice.end]);
    edges.sort();
    edges.dedup();
    let pairs = edges.iter().zip(edges.iter().skip(1));
    pairs
        .map(|(from, to)| {
            let length = *to - *from;
            let planned = work.iter().any(|w| w.from <= *from && w.to >= *to);
            let share = length.num_milliseconds() as f64 / slice.length.num_milliseconds().max(1) as f64;
            let share = if planned { 0.0 } else { share };
            let part = |c: Counts| Counts { bad: c.bad * share, total: c.total * share };
            Slice { end: *to, length, counts: slice.counts.map(part) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::{Span, mins, secs};
    use proptest::prelude::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_timestamp(1_777_593_600 + seconds, 0).unwrap()
    }

    fn near(got: f64, want: f64) {
        assert!((got - want).abs() < 1e-9 * want.abs().max(1.0), "{got} is not {want}");
    }

    fn steady(until: Timestamp) -> EventSlices {
        let mut slices = EventSlices::of(Span::days(30), Span::zero());
        for ring in [&mut slices.coarse, &mut slices.fine] {
            let total = ring.step().num_seconds() as f64;
            let (last, keep) = (ring.number(until), ring.keep());
            ring.take(last - keep + 1, last, |_| Some(Counts { bad: total / 100.0, total }));
        }
        slices
    }

    #[test]
    fn sums_are_those_of_the_slices() {
        let slices = steady(at(1_500));
        let net = NetEvents::of(&slices, &[]);
        for (from, to) in [(0, 1_500), (-7_200, 600), (-86_400 * 20, -86_400 * 3 + 777), (-86_400 * 40, 1_500), (10, 5)]
        {
            let (a, b) = (net.between(at(from), at(to)), slices.between(at(from), at(to)));
            near(a.0.bad, b.0.bad);
            near(a.0.total, b.0.total);
            near(a.1, b.1);
        }
    }

    #[test]
    fn planned_work_counts_neither_way() {
        let slices = steady(at(0));
        let work = [Stretch { from: at(-5_400), to: at(-1_800), name: "patch".into() }];
        let net = NetEvents::of(&slices, &work);
        let (counts, known) = net.between(at(-7_200), at(0));
        near(counts.total, 3_600.0);
        near(counts.bad, 36.0);
        near(known, 1.0);
        let (gone, _) = net.between(at(-5_400), at(-1_800));
        near(gone.total, 0.0);
        // Half an hour of work inside an older whole slice takes half of it.
        let older = [Stretch { from: at(-86_400), to: at(-86_400 + 1_800), name: "patch".into() }];
        near(NetEvents::of(&slices, &older).between(at(-86_400), at(-82_800)).0.total, 1_800.0);
    }

    #[test]
    fn gaps_are_not_known() {
        let slice = |end: i64, counts| Slice { end: at(end), length: mins(5), counts };
        let one = Some(Counts { bad: 1.0, total: 10.0 });
        let net = NetEvents::over(vec![slice(300, one), slice(600, None), slice(1_200, one)], &[]);
        let (counts, known) = net.between(at(0), at(1_200));
        near(counts.total, 20.0);
        near(known, 0.5);
        assert_eq!(NetEvents::over(Vec::new(), &[]).between(at(0), at(60)), (Counts::default(), 0.0));
        assert_eq!(net.end(), Some(at(1_200)));
    }

    proptest! {
        #[test]
        fn work_never_adds(from in -86_400_i64..0, length in 0..40_000_i64, a in -90_000_i64..0, b in 0..90_000_i64) {
            let slices = steady(at(0));
            let work = [Stretch { from: at(from), to: at(from + length), name: String::new() }];
            let (less, _) = NetEvents::of(&slices, &work).between(at(a), at(a) + secs(b));
            let (all, _) = NetEvents::of(&slices, &[]).between(at(a), at(a) + secs(b));
            prop_assert!(less.total <= all.total + 1e-6 && less.bad <= less.total + 1e-9 && less.bad >= 0.0);
        }
    }
}

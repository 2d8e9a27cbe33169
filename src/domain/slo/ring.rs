//! Slices of one length without a gap between them, packed: what is kept of a slice is as many bits as its kind needs. Every
//! kind tells a slice that was never asked from one that was asked and has no data. Holds no clock, sums nothing by itself.

use crate::domain::slo::reading::Counts;
use crate::domain::time::{Span, Timestamp};

/// Slices read again at every poll, because late samples may change them: ten minutes are more than two scrape intervals
/// of up to two minutes and half a minute for the way.
const AGAIN: i64 = 2;
/// The longest code of a slice, in bytes.
const WIDEST: usize = 14;
/// Bytes of a number of bad events: a double without its last 16 bits. Whole numbers below 2^37 are kept as they are,
/// everything else to two parts in 10^11, so that a month of slices is summed to nine digits and more.
const BAD: usize = 6;
/// Codes in the place of a number of bad events. A fresh cell is all zeros, which is the first.
const UNASKED: u64 = 0;
const UNKNOWN: u64 = 1;
const NUMBERS: u64 = 2;
/// Bad over total by no more than this is rounding.
const ROUNDING: f64 = 1e-6;

/// What is kept of a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Bad and total events: 14 bytes.
    Counted,
    /// The bad share of up to 255 time slices that have data, and how many they are: 7 bytes.
    Sums,
    /// The bad share of one time slice: 6 bytes.
    Shares,
    /// Whether one time slice was good or bad: 2 bits.
    Verdicts,
}

impl Kind {
    /// All of them; the place of one is its number in files.
    pub const ALL: [Self; 4] = [Self::Counted, Self::Sums, Self::Shares, Self::Verdicts];

    /// Bytes that so many slices take.
    pub fn bytes(self, slices: i64) -> usize {
        let slices = usize::try_from(slices).unwrap_or(0);
        match self {
            Self::Verdicts => slices.div_ceil(4),
            other => slices.saturating_mul(other.width()),
        }
    }

    /// Slices that fit into so many bytes.
    pub fn fit(self, bytes: usize) -> i64 {
        let slices = match self {
            Self::Verdicts => bytes.saturating_mul(4),
            other => bytes / other.width(),
        };
        i64::try_from(slices).unwrap_or(i64::MAX)
    }

    fn width(self) -> usize {
        match self {
            Self::Counted => WIDEST,
            Self::Sums => BAD + 1,
            Self::Shares => BAD,
            Self::Verdicts => 1,
        }
    }

    /// A slice as it is kept.
    fn code(self, cell: Cell) -> [u8; WIDEST] {
        let mut code = [0; WIDEST];
        let bad = match cell {
            Cell::Unasked => UNASKED,
            Cell::Known(c) if sound(c) => NUMBERS + packed(c.bad.min(c.total)),
            Cell::Unknown | Cell::Known(_) => UNKNOWN,
        };
        let total = match cell {
            Cell::Known(c) if bad >= NUMBERS => c.total,
            _ => 0.0,
        };
        let (head, tail) = code.split_at_mut(BAD);
        match self {
            Self::Verdicts => {
                let half = NUMBERS + packed(0.5);
                head.iter_mut().take(1).for_each(|b| *b = if bad >= half { 3 } else { bad.min(NUMBERS) as u8 });
                return code;
            }
            Self::Counted => tail.iter_mut().zip(total.to_le_bytes()).for_each(|(to, from)| *to = from),
            Self::Sums => tail.iter_mut().take(1).for_each(|b| *b = total.round().clamp(0.0, 255.0) as u8),
            Self::Shares => {}
        }
        head.iter_mut().zip(bad.to_le_bytes()).for_each(|(to, from)| *to = from);
        code
    }

    /// What a code stands for; nonsense is not known.
    fn cell(self, code: &[u8]) -> Cell {
        let (head, tail) = code.split_at_checked(BAD.min(code.len())).unwrap_or((code, &[]));
        let mut bytes = [0; 8];
        bytes.iter_mut().zip(head).for_each(|(to, from)| *to = *from);
        let bad = u64::from_le_bytes(bytes);
        match bad {
            UNASKED => return Cell::Unasked,
            UNKNOWN => return Cell::Unknown,
            _ => {}
        }
        let counts = match self {
            Self::Verdicts => Counts { bad: if bad > NUMBERS { 1.0 } else { 0.0 }, total: 1.0 },
            Self::Shares => Counts { bad: unpacked(bad), total: 1.0 },
            Self::Sums => Counts { bad: unpacked(bad), total: f64::from(tail.first().copied().unwrap_or(0)) },
            Self::Counted => {
                let mut total = [0; 8];
                total.iter_mut().zip(tail).for_each(|(to, from)| *to = *from);
                Counts { bad: unpacked(bad), total: f64::from_le_bytes(total) }
            }
        };
        // What was rounded up must not be more than all.
        if sound(counts) { Cell::Known(Counts { bad: counts.bad.min(counts.total), ..counts }) } else { Cell::Unknown }
    }
}

fn sound(counts: Counts) -> bool {
    counts.bad >= 0.0 && counts.bad <= counts.total * (1.0 + ROUNDING) && counts.total.is_finite()
}

/// Rounded up, so that what all was bad stays so, and nothing looks better than it was.
fn packed(bad: f64) -> u64 {
    bad.abs().to_bits().saturating_add(0xffff) >> 16
}

fn unpacked(code: u64) -> f64 {
    f64::from_bits(code.saturating_sub(NUMBERS) << 16)
}

/// One slice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell {
    /// Nobody asked.
    Unasked,
    /// Nothing was answered.
    Unknown,
    /// What happened in it.
    Known(Counts),
}

impl Cell {
    /// What happened in it.
    pub fn counts(self) -> Option<Counts> {
        match self {
            Self::Known(counts) => Some(counts),
            Self::Unasked | Self::Unknown => None,
        }
    }
}

/// Slices in a row. Slice `n` ends at `n * length` seconds after the epoch, and has its place by its number, so that the
/// newest one takes the place of the oldest.
#[derive(Clone, Debug)]
pub struct Ring {
    kind: Kind,
    length: i64,
    keep: i64,
    first: i64,
    count: i64,
    /// Empty until something is taken. Places beyond the slices that are held are zeros.
    cells: Vec<u8>,
}

/// Slice by slice: what lies where in memory is nobody's business.
impl PartialEq for Ring {
    fn eq(&self, other: &Self) -> bool {
        let shape = |ring: &Self| (ring.kind, ring.length, ring.keep, ring.count, ring.oldest());
        shape(self) == shape(other) && self.numbers().all(|n| self.cell(n) == other.cell(n))
    }
}

impl Ring {
    /// An empty ring of so many slices of a length in whole seconds.
    pub fn new(kind: Kind, length: i64, keep: i64) -> Self {
        Self { kind, length: length.max(1), keep: keep.max(0), first: 0, count: 0, cells: Vec::new() }
    }

    /// What is kept of a slice.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The slice length.
    pub fn step(&self) -> Span {
        Span::seconds(self.length)
    }

    /// The slice length in seconds.
    pub fn length(&self) -> i64 {
        self.length
    }

    /// How many slices it holds when it is full.
    pub fn keep(&self) -> i64 {
        self.keep
    }

    /// Bytes that its slices take when it is full.
    pub fn bytes(&self) -> usize {
        self.kind.bytes(self.keep)
    }

    /// Bytes that it takes now.
    pub fn allocated(&self) -> usize {
        self.cells.capacity()
    }

    /// Number of the newest slice; `None` while nothing was asked.
    pub fn newest(&self) -> Option<i64> {
        (self.count > 0).then_some(self.first + self.count - 1)
    }

    /// Number of the oldest slice.
    pub fn oldest(&self) -> Option<i64> {
        (self.count > 0).then_some(self.first)
    }

    /// The numbers of all slices that it holds, oldest first.
    pub fn numbers(&self) -> std::ops::Range<i64> {
        self.first..self.first + self.count
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
        self.cell(number).counts()
    }

    /// Whether a slice was asked for, whatever was answered.
    pub fn asked(&self, number: i64) -> bool {
        self.cell(number) != Cell::Unasked
    }

    /// A slice.
    pub fn cell(&self, number: i64) -> Cell {
        if !self.numbers().contains(&number) {
            return Cell::Unasked;
        }
        let Some(place) = self.place(number) else { return Cell::Unasked };
        if self.kind == Kind::Verdicts {
            let byte = self.cells.get(place / 4).copied().unwrap_or(0);
            return self.kind.cell(&[(byte >> (place % 4 * 2)) & 3]);
        }
        let width = self.kind.width();
        self.cells.get(place * width..(place + 1) * width).map_or(Cell::Unasked, |code| self.kind.cell(code))
    }

    fn place(&self, number: i64) -> Option<usize> {
        usize::try_from(number.checked_rem_euclid(self.keep)?).ok()
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
        let newest = self.newest().map_or(to, |newest| newest.max(to));
        let oldest = newest - self.keep + 1;
        let from = from.max(oldest);
        if from > to {
            return false;
        }
        if self.newest().is_none_or(|newest| newest < oldest) {
            self.cells = vec![0; self.bytes()];
            (self.first, self.count) = (from, to - from + 1);
        } else {
            for number in self.first..oldest {
                self.put(number, Cell::Unasked);
            }
            self.first = self.first.max(oldest).min(from);
            self.count = newest - self.first + 1;
        }
        let mut changed = false;
        for number in from..=to {
            changed |= self.put(number, counts(number).map_or(Cell::Unknown, Cell::Known));
        }
        changed
    }

    /// Whether an answer over `from..=to` would change anything.
    pub fn differs(&self, from: i64, to: i64, counts: impl Fn(i64) -> Option<Counts>) -> bool {
        (from..=to).any(|n| {
            let cell = counts(n).map_or(Cell::Unknown, Cell::Known);
            self.cell(n) != self.kind.cell(self.kind.code(cell).get(..self.kind.width()).unwrap_or(&[]))
        })
    }

    /// The same without the slices that end after an instant.
    pub fn until(&self, at: Timestamp) -> Self {
        let mut cut = self.clone();
        let over = (self.number(at) + 1).max(self.first);
        for number in over..self.first + self.count {
            cut.put(number, Cell::Unasked);
        }
        cut.count = self.count.min(over - self.first);
        cut
    }

    /// Changes the place of a slice; whether it had anything else in it.
    fn put(&mut self, number: i64, cell: Cell) -> bool {
        let Some(place) = self.place(number) else { return false };
        let code = self.kind.code(cell);
        if self.kind == Kind::Verdicts {
            let (Some(byte), [two, ..]) = (self.cells.get_mut(place / 4), code) else { return false };
            let shift = place % 4 * 2;
            let with = (*byte & !(3 << shift)) | (two << shift);
            return std::mem::replace(byte, with) != with;
        }
        let width = self.kind.width();
        let held = self.cells.get_mut(place * width..(place + 1) * width).unwrap_or_default();
        let changed = held.iter().zip(code).any(|(a, b)| *a != b);
        held.iter_mut().zip(code).for_each(|(to, from)| *to = from);
        changed
    }

    /// Appends its slices as a file has them, oldest first.
    pub fn write(&self, out: &mut Vec<u8>) {
        let codes = self.numbers().map(|n| self.kind.code(self.cell(n)));
        if self.kind != Kind::Verdicts {
            codes.for_each(|code| out.extend(code.iter().take(self.kind.width())));
            return;
        }
        let codes: Vec<u8> = codes.map(|[two, ..]| two).collect();
        out.extend(codes.chunks(4).map(|four| four.iter().rev().fold(0_u8, |byte, two| (byte << 2) | two)));
    }

    /// A ring of `count` slices as a file had them, from slice `first` on; `None` where they are more than it keeps, or
    /// not as many bytes. What is nonsense is not known.
    pub fn read(shape: (Kind, i64, i64), first: i64, count: i64, bytes: &[u8]) -> Option<Self> {
        let (kind, length, keep) = shape;
        let mut ring = Self { first, count, ..Self::new(kind, length, keep) };
        if !(0..=ring.keep).contains(&count) || bytes.len() != kind.bytes(count) {
            return None;
        }
        if count > 0 {
            ring.cells = vec![0; ring.bytes()];
        }
        let width = kind.width();
        for (index, number) in ring.numbers().enumerate() {
            let cell = match kind {
                Kind::Verdicts => kind.cell(&[(bytes.get(index / 4)? >> (index % 4 * 2)) & 3]),
                _ => kind.cell(bytes.get(index * width..(index + 1) * width)?),
            };
            ring.put(number, cell);
        }
        Some(ring)
    }

    /// Adds up `(from, to]` in milliseconds, slices after `above` only, each as `told` has it; a slice that is only partly
    /// inside counts by the part that is. Gives the milliseconds that are known.
    pub fn add(&self, within: Within, told: impl Fn(Cell) -> Option<Counts>, counts: &mut Counts) -> f64 {
        let length = self.length.saturating_mul(1_000);
        let (from, to) = (within.from, within.to);
        let first = (from.div_euclid(length) + 1).max(self.first).max(within.above.map_or(i64::MIN, |n| n + 1));
        let last = (to.saturating_add(length - 1)).div_euclid(length).min(self.first + self.count - 1);
        let mut known = 0.0;
        for number in first..=last {
            let Some(here) = told(self.cell(number)) else { continue };
            let end = number.saturating_mul(length);
            let inside = end.min(to) - (end - length).max(from);
            let share = inside as f64 / length as f64;
            counts.bad += here.bad * share;
            counts.total += here.total * share;
            known += inside as f64;
        }
        known
    }
}

/// What is added up of a ring.
#[derive(Clone, Copy, Debug)]
pub struct Within {
    /// After this, in milliseconds since 1970.
    pub from: i64,
    /// Up to this.
    pub to: i64,
    /// Slices after this number only.
    pub above: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::secs;
    use proptest::prelude::*;

    #[test]
    fn what_lies_between_answers_is_unasked_and_what_is_too_old_is_left_out() {
        let mut ring = Ring::new(Kind::Counted, 300, 10);
        let one = |_| Some(Counts { bad: 0.0, total: 1.0 });
        assert_eq!(ring.missing(104, 4), Some((101, 104)));
        assert!(ring.take(103, 104, one) && !ring.take(103, 104, one), "the same again changes nothing");
        assert_eq!((ring.missing(104, 4), ring.left(104)), (Some((101, 102)), 8));
        ring.take(97, 98, |n| one(n).filter(|_| n == 97));
        assert_eq!((ring.oldest(), ring.newest()), (Some(97), Some(104)));
        assert!(ring.asked(98) && !ring.asked(99) && ring.get(98).is_none() && ring.get(99).is_none());
        ring.take(80, 96, one);
        assert_eq!(ring.oldest(), Some(95), "no more than it keeps");
        assert_eq!(ring.tail(ring.end_of(106) + secs(10), 10), Some((103, 106)));
        assert_eq!(ring.tail(ring.end_of(106), 3), Some((105, 106)), "a long gap is not a poll's");
        ring.take(200, 202, one);
        assert_eq!((ring.newest(), ring.left(202), ring.missing(202, 4)), (Some(202), 7, Some((197, 199))));
        ring.take(203, 215, one);
        assert_eq!(ring.newest().unwrap() - ring.oldest().unwrap(), 9);
        assert_eq!(ring.tail(ring.end_of(100), 10), Some((99, 100)), "the clock went back");
    }

    fn written(ring: &Ring) -> Vec<u8> {
        let mut out = Vec::new();
        ring.write(&mut out);
        out
    }

    #[test]
    fn nonsense_in_a_file_is_unknown_and_too_much_is_nothing() {
        let shape = (Kind::Counted, 300, 72);
        let mut bytes = Vec::new();
        for (bad, total) in [(2.0, 1.0), (f64::INFINITY, f64::INFINITY), (1.0, f64::NAN), (f64::NAN, 1.0)] {
            bytes.extend((NUMBERS + (f64::to_bits(bad) >> 16)).to_le_bytes().into_iter().take(BAD));
            bytes.extend(f64::to_le_bytes(total));
        }
        let read = Ring::read(shape, 5, 4, &bytes).unwrap();
        assert!((5..9).all(|n| read.asked(n) && read.get(n).is_none()), "{read:?}");
        assert_eq!(Ring::read(shape, 5, 5, &bytes), None);
        assert_eq!(Ring::read((Kind::Counted, 300, 3), 5, 4, &bytes), None);
        assert_eq!(Ring::read((Kind::Verdicts, 300, 3), 5, 2, &[0b1101]).unwrap().get(6).map(|c| c.bad), Some(1.0));
    }

    #[test]
    fn whole_numbers_are_kept_as_they_are_and_others_to_eleven_digits() {
        let mut ring = Ring::new(Kind::Counted, 300, 1);
        for bad in [0.0, 1.0, 7.0, 999_999.0, 137_438_953_471.0, 0.1, 1e-9, 123_456.789, 1e12 / 3.0] {
            ring.take(9, 9, |_| Some(Counts { bad, total: 1e15 }));
            let got = ring.get(9).unwrap().bad;
            assert!(got == bad || (bad.fract() != 0.0 && (0.0..2e-11).contains(&(got / bad - 1.0))), "{bad} {got}");
        }
        ring.take(9, 9, |_| Some(Counts { bad: 0.3, total: 0.3 }));
        assert_eq!(ring.get(9), Some(Counts { bad: 0.3, total: 0.3 }), "never more than all");
    }

    /// What a kind can keep, by three numbers.
    fn some(kind: Kind, of: u8) -> Option<Counts> {
        let share = f64::from(of % 11) / 10.0;
        let counts = match kind {
            Kind::Counted => Counts { bad: share * f64::from(of), total: f64::from(of) },
            Kind::Sums => Counts { bad: share * f64::from(of), total: f64::from(of) },
            Kind::Shares => Counts { bad: share, total: 1.0 },
            Kind::Verdicts => Counts { bad: f64::from(of % 2), total: 1.0 },
        };
        (!of.is_multiple_of(5)).then_some(counts)
    }

    proptest! {
        /// Against a map that keeps everything as it is.
        #[test]
        fn a_ring_is_a_map_of_its_newest_slices(
            which in 0..4_usize,
            keep in 1..30_i64,
            steps in prop::collection::vec((0..80_i64, prop::collection::vec(any::<u8>(), 1..20)), 1..20),
        ) {
            let kind = Kind::ALL[which];
            let mut ring = Ring::new(kind, 300, keep);
            let mut map: std::collections::BTreeMap<i64, Option<Counts>> = Default::default();
            for (from, values) in steps {
                let to = from + values.len() as i64 - 1;
                if to - from >= keep * 2 { continue }
                let newest = map.keys().next_back().map_or(to, |n| to.max(*n));
                let counts = |n: i64| some(kind, values[(n - from) as usize]);
                let differs = ring.differs(from.max(newest - keep + 1), to, counts);
                prop_assert_eq!(ring.take(from, to, counts), differs);
                map.extend((from..=to).map(|n| (n, counts(n))));
                map.retain(|n, _| *n > newest - keep);
                for n in -5..110 {
                    prop_assert_eq!(ring.asked(n), map.contains_key(&n), "{}", n);
                    let (got, want) = (ring.get(n), map.get(&n).copied().flatten());
                    prop_assert_eq!(got.map(|c| c.total), want.map(|c| c.total));
                    if let (Some(got), Some(want)) = (got, want) {
                        prop_assert!((got.bad - want.bad).abs() <= 2e-11 * want.bad, "{:?} {:?}", got, want);
                    }
                }
                prop_assert!(ring.allocated() <= ring.bytes());
                let shape = (kind, 300, keep);
                let bytes = written(&ring);
                let count = ring.newest().map_or(0, |n| n - ring.oldest().unwrap() + 1);
                prop_assert_eq!(Ring::read(shape, ring.oldest().unwrap_or(0), count, &bytes), Some(ring.clone()));
            }
        }
    }
}

//! Rings and windows of slices, by numbers.

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
fn what_lies_between_answers_is_unasked_and_what_is_too_old_is_left_out() {
    let mut ring = Ring::new(300, 10);
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

#[test]
fn a_window_is_there_when_all_of_it_was_asked() {
    let now = at(1_500 + 130);
    let mut slices = EventSlices::of(Span::days(30), Span::zero());
    let one = |_| Some(Counts { bad: 0.0, total: 1.0 });
    let month = Window::of(Span::days(30));
    assert_eq!((slices.left(now), slices.has_read(Window::H1, now)), (792, false));
    let mut steps = 0;
    while let Some(stretch) = slices.missing(now) {
        if stretch.length == 3_600 {
            assert!(
                slices.has_read(Window::H6, now) && stretch.to - stretch.from < 24,
                "fine ones go first, then days"
            );
            assert!(!slices.has_read(month, now));
        }
        let before = slices.read(month, now);
        slices.ring_mut(stretch.length).unwrap().take(stretch.from, stretch.to, one);
        assert!(slices.read(month, now) > before - 1e-12);
        steps += 1;
    }
    assert_eq!((steps, slices.left(now), slices.has_read(month, now)), (31, 0, true));
    assert!(slices.has_read(Window::D3, now) && (slices.read(month, now) - 1.0).abs() < 1e-12);
    // An hour later one fine stretch and one hour are new: a poll brings them.
    let tails: Vec<i64> = slices.tails(now + mins(60)).iter().map(|t| t.to - t.from + 1).collect();
    assert_eq!(tails, [14, 3]);
}

#[test]
fn the_last_five_minutes_are_those_of_now() {
    let slices = steady(at(0));
    let now = at(120);
    let head = Some(Counts { bad: 300.0, total: 300.0 });
    let Reading::Counts(hour) = slices.ending(Window::H1, now, head) else { panic!() };
    assert!((hour.total - 3_600.0).abs() < 1e-6 && (hour.bad - (33.0 + 300.0)).abs() < 1e-6, "{hour:?}");
    assert_eq!(EventSlices::of(Span::days(30), Span::zero()).ending(Window::H1, now, None), Reading::NoData);
}

#[test]
fn kept_slices_come_back_and_nonsense_is_unknown() {
    let mut ring = steady(at(0)).fine;
    ring.take(ring.newest().unwrap() - 3, ring.newest().unwrap() - 3, |_| None);
    let (first, last) = (ring.oldest().unwrap(), ring.newest().unwrap());
    let raw: Vec<(f64, f64)> = (first..=last).map(|n| ring.raw(n).unwrap()).collect();
    assert_eq!(Ring::of_raw(300, 72, first, raw.iter().copied()), Some(ring));
    assert_eq!(Ring::of_raw(300, 71, first, raw.into_iter()), None);
    let odd = [(2.0, 1.0), (f64::INFINITY, f64::INFINITY), (-3.0, 4.0), (f64::NAN, 1.0)];
    let read = Ring::of_raw(300, 72, 5, odd.into_iter()).unwrap();
    assert!((5..9).all(|n| read.asked(n) && read.get(n).is_none()));
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

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
        ring.take(last - ring.keep() + 1, last, |_| Some(each));
    }
    slices
}

/// What one objective may take.
const BOUND: f64 = 12.4 * 1_024.0;

#[test]
fn a_month_fits_into_twelve_kibibytes() {
    // A calendar month of 31 days and an hour stands beside the window.
    let mut slices = EventSlices::of(Span::days(30), Span::hours(745));
    assert_eq!(slices.bytes(), (72 + 745 + 36) * 14);
    assert!(slices.bytes() as f64 <= BOUND);
    let now = at(1_500);
    let starts = [now - Span::days(30), at(-20 * 86_400 + 900)];
    while let Some(stretch) = slices.missing(&starts, now) {
        slices.take(stretch, |n| Some(Counts { bad: 1.0 / n as f64, total: n as f64 }));
    }
    for later in 1..30 {
        // Polls go on for hours; nothing grows.
        let now = now + mins(5 * later);
        for stretch in slices.tails(now).into_iter().chain(slices.missing(&starts, now)) {
            slices.take(stretch, |n| Some(Counts { bad: 1.0 / n as f64, total: n as f64 }));
        }
    }
    assert!(slices.allocated() <= slices.bytes() && slices.clone().allocated() <= slices.bytes());
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
fn a_window_is_there_when_all_of_it_was_asked() {
    let now = at(1_500 + 130);
    let mut slices = EventSlices::of(Span::days(30), Span::zero());
    let one = |_| Some(Counts { bad: 0.0, total: 1.0 });
    let month = Window::of(Span::days(30));
    assert_eq!((slices.left(now), slices.has_read(Window::H1, now)), (792, false));
    let (mut steps, starts) = (0, [now - Span::days(30)]);
    while let Some(stretch) = slices.missing(&starts, now) {
        if stretch.length == 3_600 {
            assert!(
                slices.has_read(Window::H6, now) && stretch.to - stretch.from < 24,
                "fine ones go first, then days"
            );
            assert!(!slices.has_read(month, now));
        }
        let before = slices.read(month, now);
        assert!(slices.differs(stretch, one) && slices.take(stretch, one) && !slices.differs(stretch, one));
        assert!(slices.read(month, now) > before - 1e-12);
        steps += 1;
    }
    assert_eq!((steps, slices.left(now), slices.has_read(month, now)), (32, 0, true), "the hour it begins in, too");
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
fn an_hour_that_the_server_forgot_is_told_by_its_sum() {
    let now = at(1_500);
    let mut slices = steady(now);
    let hour = (now - Span::days(30)).timestamp().div_euclid(3_600) + 1;
    slices.take(Stretch { length: 300, from: hour * 12 - 11, to: hour * 12 }, |_| None);
    assert!(slices.missing_edges(&[now - Span::days(30)], now).is_empty(), "it is not asked again and again");
    let (counts, known) = slices.between(now - Span::days(30), slices.coarse.end_of(hour));
    assert!((counts.total - 2_100.0).abs() < 1e-6 && known == 1.0, "{counts:?}");
}

/// A month of hours; in the hour in which it began everything happened in the last ten minutes.
fn with_an_uneven_edge(now: Timestamp) -> (EventSlices, i64) {
    let mut slices = steady(now);
    let hour = (now - Span::days(30)).timestamp().div_euclid(3_600) + 1;
    let stretch = Stretch { length: 300, from: hour * 12 - 11, to: hour * 12 };
    assert!(slices.take(stretch, |n| {
        let some = if n > hour * 12 - 2 { 1_800.0 } else { 0.0 };
        Some(Counts { bad: some / 100.0, total: some })
    }));
    (slices, hour)
}

#[test]
fn an_hour_in_which_a_window_begins_is_told_from_its_parts() {
    for (minute, want) in [(1, 3_600.0), (30, 3_600.0), (50, 3_600.0), (55, 1_800.0), (58, 720.0)] {
        let now = at(minute * 60);
        let (slices, hour) = with_an_uneven_edge(now);
        let (counts, known) = slices.between(now - Span::days(30), slices.coarse.end_of(hour));
        assert!((counts.total - want).abs() < 1e-6 && known == 1.0, "{minute}: {counts:?}");
        assert!(slices.missing_edges(&[now - Span::days(30)], now).is_empty());
        let all = slices.slices();
        assert!(all.windows(2).all(|w| w[0].end == w[1].end - w[1].length), "{minute}");
        assert_eq!(all.iter().filter(|s| s.length == mins(5)).count() % 12, (minute as usize / 5) % 12);
    }
}

#[test]
fn hours_in_parts_move_on_with_their_window() {
    let now = at(1_500);
    let (mut slices, hour) = with_an_uneven_edge(now);
    let month = at(-20 * 86_400 + 900);
    let starts = |now: Timestamp| [now - Span::days(30), month];
    assert_eq!(slices.missing_edges(&starts(now), now), [hour + 10 * 24], "a calendar that begins inside an hour");
    for step in 0..6 {
        let later = now + Span::hours(step);
        while let Some(stretch) = slices.missing(&starts(later), later) {
            slices.take(stretch, |_| Some(Counts { bad: 0.0, total: 1.0 }));
        }
        assert_eq!(slices.edges().len(), 2, "{step}");
    }
    let kept = slices.clone();
    let mut back = EventSlices::of(Span::days(30), Span::zero());
    kept.rings().for_each(|ring| back.put_back(ring));
    assert_eq!(back, kept);
    back.put_back(&Ring::new(Kind::Counted, 300, 12));
    assert_eq!(back, kept, "an empty hour is none");
    // Whole hours, what fine slices cover, and what is older than is kept need no parts.
    let none = [at(-86_400), at(-3_000), at(-40 * 86_400 + 60)];
    assert_eq!(EventSlices::of(Span::days(30), Span::zero()).missing_edges(&none, now), Vec::<i64>::new());
}

/// Reads what is missing at an instant: an outage of 40 minutes, in the hour before and the hour after midnight, 20 days ago.
fn read_all(slices: &mut EventSlices, now: Timestamp) -> usize {
    let outage = (at(-20 * 86_400 - 4 * 60).timestamp(), at(-20 * 86_400 + 36 * 60).timestamp());
    let mut steps = 0;
    while let Some(stretch) = slices.missing(&[now - Span::days(30)], now) {
        slices.take(stretch, |n| {
            let (from, to) = ((n - 1) * stretch.length, n * stretch.length);
            let hit = (to.min(outage.1) - from.max(outage.0)).max(0) as f64;
            Some(Counts { bad: hit, total: stretch.length as f64 })
        });
        steps += 1;
        assert!(steps < 500, "{stretch:?} is asked again and again");
    }
    steps
}

#[test]
fn an_old_incident_is_not_smeared_over_its_hours() {
    let now = at(1_500);
    let (from, to) = (at(-20 * 86_400 - 4 * 60), at(-20 * 86_400 + 36 * 60));
    let mut slices = EventSlices::of(Span::days(30), Span::zero());
    read_all(&mut slices, now);
    let bad = |slices: &EventSlices| slices.between(from, to).0.bad;
    assert!(bad(&slices) < 1_400.0, "hours alone cannot tell: {}", bad(&slices));
    slices.cut_at(&[from, to]);
    assert!(!slices.is_cut_anew(&[to, from, from]));
    assert_eq!(read_all(&mut slices, now), 2, "the two hours, and nothing else");
    // The slices of five minutes at both ends are shared out: 48 seconds each.
    assert!((bad(&slices) - 2_400.0).abs() <= 100.0, "{}", bad(&slices));
    let net: f64 = slices.slices().iter().filter(|s| s.length == mins(5)).filter_map(|s| s.counts).map(|c| c.bad).sum();
    assert!((net - 2_400.0).abs() < 1e-6, "costs are reckoned from these: {net}");
    // The window moves on through hours beside them, and the program ends in between.
    for step in 1..4 {
        read_all(&mut slices, now + Span::hours(step));
        assert!((bad(&slices) - 2_400.0).abs() <= 100.0, "{step}: {}", bad(&slices));
    }
    let mut back = EventSlices::of(Span::days(30), Span::zero());
    slices.rings().for_each(|ring| back.put_back(ring));
    back.cut_at(&[from, to]);
    assert_eq!((bad(&back), read_all(&mut back, now + Span::hours(3))), (bad(&slices), 0));
    // Nobody asks for them any more: they go when there is no room.
    back.cut_at(&[]);
    let later = now + Span::hours(4);
    read_all(&mut back, later);
    assert!(back.allocated() <= back.bytes(), "{} of {}", back.allocated(), back.bytes());
}

#[test]
fn of_many_cuts_the_newest_are_kept_apart() {
    let now = at(1_500);
    let mut slices = EventSlices::of(Span::days(30), Span::zero());
    let many: Vec<Timestamp> = (1..200).map(|i| at(-3_600 * i - 60)).collect();
    slices.cut_at(&many);
    read_all(&mut slices, now);
    assert!((60..=CUTS + EDGES).contains(&slices.edges().len()), "{}", slices.edges().len());
    assert!(slices.allocated() <= slices.bytes() + CUTS * slices.bytes_of_edge());
}

proptest! {
    #[test]
    fn parts_of_an_hour_add_up(minute in 0..60_i64, second in 0..60_i64, cut in 0..3_600_i64) {
        let now = at(minute * 60 + second);
        let (slices, hour) = with_an_uneven_edge(now);
        let (end, middle) = (slices.coarse.end_of(hour), slices.coarse.end_of(hour) - secs(cut));
        let begin = end - secs(3_600);
        let (whole, _) = slices.between(begin, end);
        let (a, _) = slices.between(begin, middle);
        let (b, _) = slices.between(middle, end);
        prop_assert!((whole.total - 3_600.0).abs() < 1e-6);
        prop_assert!(a.bad <= a.total && b.bad <= b.total && a.total <= 3_600.0 + 1e-6);
        prop_assert!((a.total + b.total - 3_600.0).abs() < 1e-6, "{a:?} {b:?}");
    }


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

//! The worked numbers of budgets, burn rates, forecasts and costs, each held to nine digits.

use midwatch::domain::slo::budget::{allowance, consumed, cost, minutes_total, remaining};
use midwatch::domain::slo::burn::{fires, rate, time_to_fire};
use midwatch::domain::slo::forecast::{naive, net_burn, rolling, trend};
use midwatch::domain::slo::reading::{Counts, Reading, Window};
use midwatch::domain::slo::{calendar, windows};
use midwatch::domain::time::{Span, Timestamp, parse_span, seconds};

const MONTH: Span = Span::days(30);

/// Every vector: its number, what it is, and pairs of what came out and what must.
type Vector = (u8, &'static str, Vec<(f64, f64)>);

fn counts(bad: f64, total: f64) -> Counts {
    Counts { bad, total }
}

fn at(hours: i64) -> Timestamp {
    Timestamp::from_timestamp(1_777_593_600 + hours * 3_600, 0).unwrap()
}

fn minutes() -> Vec<(f64, f64)> {
    let rows = [
        (0.999, "30d", 43.2),
        (0.999, "28d", 40.32),
        (0.9995, "30d", 21.6),
        (0.99, "28d", 403.2),
        (0.999, "90d", 129.6),
        (0.999, "7d", 10.08),
        // 99.9/100 is 0.9990000000000001.
        (99.9 / 100.0, "30d", 43.2),
    ];
    rows.iter().map(|(target, window, want)| (minutes_total(*target, parse_span(window).unwrap()), *want)).collect()
}

fn pairs() -> Vec<(f64, f64)> {
    let rows = [
        (Window::M5, 0.02, 20.0),
        (Window::M30, 0.009, 9.0),
        (Window::H1, 0.015, 15.0),
        (Window::H2, 0.0085, 8.5),
        (Window::H6, 0.0061, 6.1),
        (Window::D1, 0.0021, 2.1),
        (Window::D3, 0.0011, 1.1),
    ];
    let reading = |w: Window| {
        let errors = rows.iter().find(|(window, ..)| *window == w).unwrap().1;
        Reading::Counts(counts(errors * 1e6, 1e6))
    };
    let mut out: Vec<(f64, f64)> =
        rows.iter().map(|(_, errors, want)| (rate(counts(errors * 1e6, 1e6), 0.999).unwrap(), *want)).collect();
    let firing = windows::standard().into_iter().zip([1.0, 1.0, 0.0, 1.0]).map(|(pair, want)| {
        let fires = fires(&pair, 0.999, None, Some(&reading(pair.long)), Some(&reading(pair.short)));
        (f64::from(u8::from(fires.unwrap())), want)
    });
    out.extend(firing);
    out
}

fn calendar_month() -> Vec<(f64, f64)> {
    let expected = calendar::expected(100_000.0, 0.25, MONTH, None).unwrap();
    let used = calendar::consumed(65.0, expected, 0.999).unwrap();
    vec![
        (expected, 400_000.0),
        (used, 0.1625),
        (calendar::consumed(65.0, 100_000.0, 0.999).unwrap(), 0.65),
        (calendar::projected(used, 0.25).unwrap(), 0.65),
    ]
}

fn a_day_of_readings() -> Vec<(f64, f64)> {
    let left = [0.80, 0.74, 0.69, 0.62, 0.56];
    let points: Vec<_> = (0..).zip(left).map(|(i, r)| (at(6 * i), r)).collect();
    let line = trend(&points).unwrap();
    vec![
        (line.per_hour, -0.01),
        (line.fit, 0.562),
        (seconds(line.empty_in.unwrap()) / 3_600.0, 56.2),
        // 12.96 / (360 * 0.03608): printed as 0.9978.
        (line.r2, 0.997_782_705_1),
        (net_burn(&line, MONTH), 7.2),
    ]
}

fn time_slices() -> Vec<(f64, f64)> {
    let used = |bad: f64, total: f64| consumed(counts(bad, total), 0.99).unwrap();
    vec![
        (used(61.0, 8_600.0), 0.709_302_325_6),
        (used(61.0, 8_640.0), 0.706_018_518_5),
        (used(101.0, 8_640.0), 1.168_981_481_5),
    ]
}

fn what_rolls_out() -> Vec<(f64, f64)> {
    let leaving = [(Span::hours(12), 0.5), (Span::days(1), 9.0), (Span::days(1), 0.5)];
    let days = |span: Span| seconds(span) / 86_400.0;
    vec![
        (days(naive(0.1, 2.0, MONTH).unwrap()), 1.5),
        (days(rolling(0.1, 2.0, MONTH, &leaving).unwrap()), 7.666_666_666_7),
    ]
}

fn all() -> Vec<Vector> {
    let quarter = counts(9_375.0, 12_500_000.0);
    let hours = |left: f64| seconds(naive(left, 14.4, MONTH).unwrap()) / 3_600.0;
    let outage = windows::standard().into_iter().zip([51.84, 129.6, 259.2, 259.2]);
    let two = [counts(10.0, 100.0), counts(0.0, 9_900.0)];
    let both = counts(two[0].bad + two[1].bad, two[0].total + two[1].total);
    let ratio = |c: Counts| c.error_ratio().unwrap();
    vec![
        (1, "minutes of a budget", minutes()),
        (
            2,
            "a quarter is left",
            vec![
                (1.0 - ratio(quarter), 0.999_25),
                (allowance(0.999).unwrap() * quarter.total, 12_500.0),
                (consumed(quarter, 0.999).unwrap(), 0.75),
                (remaining(quarter, 0.999).unwrap(), 0.25),
            ],
        ),
        (3, "a quarter at page rate", vec![(hours(0.25), 12.5), (hours(1.0), 50.0)]),
        (4, "burn rates and pairs", pairs()),
        (5, "a total outage", outage.map(|(p, s)| (seconds(time_to_fire(&p, 0.999, 1.0).unwrap()), s)).collect()),
        (
            6,
            "incidents by time",
            vec![
                (cost(0.3 / 0.001, Span::minutes(40), MONTH).unwrap(), 0.277_777_777_8),
                (cost(1.0 / 0.001, Span::minutes(27), MONTH).unwrap(), 0.625),
            ],
        ),
        (7, "a calendar month", calendar_month()),
        (8, "the trend of a day", a_day_of_readings()),
        (9, "time slices without data", time_slices()),
        (10, "a window that forgets", what_rolls_out()),
        (11, "events weigh, slices do not", vec![(ratio(both), 0.001), ((ratio(two[0]) + ratio(two[1])) / 2.0, 0.05)]),
        (
            12,
            "one error among few",
            [(20.0, 50.0), (200.0, 5.0), (2_000.0, 0.5)]
                .map(|(n, b)| (rate(counts(1.0, n), 0.999).unwrap(), b))
                .to_vec(),
        ),
    ]
}

#[test]
fn every_worked_number_holds_to_nine_digits() {
    let all = all();
    assert_eq!(all.iter().map(|(n, ..)| *n).collect::<Vec<_>>(), (1..=12).collect::<Vec<_>>());
    for (number, what, pairs) in all {
        assert!(!pairs.is_empty(), "{number} {what}");
        for (at, (got, want)) in pairs.into_iter().enumerate() {
            assert!(
                (got - want).abs() <= 1e-9 * want.abs().max(1.0),
                "{number} {what}, number {at}: {got} is not {want}"
            );
        }
    }
}

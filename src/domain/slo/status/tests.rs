//! States, numbers and order, as tables.

use super::*;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::slo::seed;
use crate::domain::time::{mins, secs};
use proptest::prelude::*;

const MONTH: Window = Window(30 * 86_400);

fn objective() -> Objective {
    let text = include_str!("../../../../tests/fixtures/seeds/slo.yaml");
    seed::read("slo.yaml", text).0.remove(0)
}

fn now() -> Timestamp {
    Timestamp::from_timestamp(1_777_604_400, 0).unwrap()
}

fn of(ratio: f64) -> Reading {
    Reading::Counts(Counts { bad: ratio * 1e6, total: 1e6 })
}

fn measured(readings: impl IntoIterator<Item = (Window, i64, Reading)>) -> Measurement {
    Measurement {
        windows: readings.into_iter().map(|(w, age, r)| (w, (now() - secs(age), r))).collect(),
        ..Measurement::empty("api_availability".into())
    }
}

fn all(ratio: f64, month: f64) -> Measurement {
    measured(Window::BURN.map(|w| (w, 0, of(ratio))).into_iter().chain([(MONTH, 0, of(month))]))
}

fn status(measurement: Option<&Measurement>) -> Status {
    assess(&objective(), measurement, now(), secs(30))
}

fn near(got: Option<f64>, want: f64) {
    assert!(got.is_some_and(|g| (g - want).abs() < 1e-9), "{got:?} is not {want}");
}

#[test]
fn every_number_of_a_quarter_left() {
    let mut m = all(0.0144, 0.0);
    m.windows.insert(MONTH, (now(), Reading::Counts(Counts { bad: 9_375.0, total: 12_500_000.0 })));
    let s = status(Some(&m));
    near(s.sli, 0.999_25);
    near(s.budget.remaining, 0.25);
    near(s.budget.consumed, 0.75);
    near(Some(s.budget.minutes_total), 43.2);
    near(s.budget.minutes_left, 10.8);
    near(s.burn_rates[&Window::H1], 14.4);
    assert_eq!(s.forecast.exhausts_at, Some(now() + mins(750)));
    assert_eq!(
        (s.policy.band.map(|b| b.name), s.policy.action.as_deref()),
        (Some("feature_freeze".into()), Some("halt deployments"))
    );
    assert_eq!((s.source, s.state.word(), s.kind), ("events", "burning", Kind::Ratio));
    assert_eq!(s.burn_rates.len(), 7);
}

#[test]
fn states() {
    let fault = Fault::new(FaultKind::Timeout, "prometheus main", "5 s");
    let replace = |mut m: Measurement, w: Window, age: i64, r: Reading| {
        m.windows.insert(w, (now() - secs(age), r));
        m
    };
    let healthy = || all(0.0002, 0.0004);
    let partial = Measurement { partial: true, ..healthy() };
    let every =
        |r: &Reading| measured(Window::BURN.map(|w| (w, 0, r.clone())).into_iter().chain([(MONTH, 0, r.clone())]));
    let idle = Reading::Counts(Counts::default());
    let aged =
        |age: i64| measured(Window::BURN.map(|w| (w, age, of(0.02))).into_iter().chain([(MONTH, age, of(0.002))]));
    for (name, m, want) in [
        ("nothing yet", None, State::Warming),
        ("no windows", Some(measured([])), State::Warming),
        ("month not read", Some(measured(Window::BURN.map(|w| (w, 0, of(0.0))))), State::Warming),
        ("well", Some(healthy()), State::Ok),
        ("partial", Some(partial), State::Partial),
        ("all old", Some(aged(121)), State::Stale),
        ("just not old", Some(aged(120)), State::Exhausted),
        ("month ten minutes old", Some(replace(healthy(), MONTH, 600, of(0.0004))), State::Ok),
        ("month older", Some(replace(healthy(), MONTH, 601, of(0.0004))), State::Stale),
        ("never seen", Some(every(&Reading::NoData)), State::NoData),
        ("gone", Some(replace(healthy(), Window::M5, 0, Reading::NoData)), State::NoData),
        ("idle now", Some(replace(healthy(), Window::M5, 0, idle.clone())), State::NoTraffic),
        ("idle always", Some(every(&idle)), State::NoTraffic),
        ("failed", Some(every(&Reading::Error(fault.clone()))), State::Error),
        ("half failed", Some(replace(healthy(), MONTH, 0, Reading::Error(fault))), State::Error),
        ("odd", Some(replace(healthy(), Window::M30, 0, Reading::Odd("a count of NaN".into()))), State::Error),
        ("ticket", Some(all(0.0035, 0.0004)), State::Burning),
        ("gone budget", Some(all(0.0, 0.001)), State::Exhausted),
        ("debt and fire", Some(all(0.02, 0.0013)), State::Exhausted),
    ] {
        assert_eq!(status(m.as_ref()).state, want, "{name}");
    }
}

#[test]
fn what_is_old_neither_burns_nor_is_well() {
    let s =
        status(Some(&measured(Window::BURN.map(|w| (w, 300, of(0.02))).into_iter().chain([(MONTH, 300, of(0.0005))]))));
    assert!(s.alerts.iter().all(|a| a.firing.is_none() && a.long_burn.is_none()));
    assert!(s.burn_rates.values().all(Option::is_none) && s.forecast == Forecast::default());
    // The last known budget stays, with its age.
    assert_eq!((s.budget.remaining.map(|r| (r * 10.0).round()), s.budget_at), (Some(5.0), Some(now() - secs(300))));
}

#[test]
fn errors_are_told() {
    let fault = Fault::new(FaultKind::Rejected, "prometheus main", "parse error");
    let s = status(Some(&measured([(Window::M5, 0, Reading::Error(fault))])));
    assert_eq!(s.reason.as_deref(), Some("prometheus main: rejected: parse error"));
    assert_eq!((s.sli, s.events, s.budget.remaining, s.policy.band), (None, None, None, None));
}

#[test]
fn the_most_urgent_come_first() {
    let page = status(Some(&all(0.02, 0.0004)));
    let ticket = status(Some(&all(0.0035, 0.0004)));
    let blind = status(Some(&measured([(MONTH, 900, of(0.0004))])));
    let gone = status(Some(&all(0.0, 0.001)));
    let soon = status(Some(&all(0.0009, 0.0009)));
    let late = status(Some(&all(0.0002, 0.0004)));
    let calm = status(Some(&all(0.0, 0.0004)));
    let order = [&page, &ticket, &blind, &gone, &soon, &late, &calm];
    assert!(order.windows(2).all(|w| w[0].urgency() < w[1].urgency()), "{:#?}", order.map(Status::urgency));
}

proptest! {
    #[test]
    fn no_number_is_ever_nan(
        counts in prop::collection::vec((0.0..1e12f64, 0.0..1e12f64, 0..2_000_i64), 8),
        target in 0.5..0.999_999f64,
    ) {
        let windows = Window::BURN.into_iter().chain([MONTH]);
        let m = measured(windows.zip(counts).map(|(w, (a, b, age))| (w, age, Reading::Counts(Counts { bad: a.min(b), total: b }))));
        let s = assess(&Objective { target, ..objective() }, Some(&m), now(), secs(30));
        let numbers = [s.sli, s.budget.remaining, s.budget.consumed, s.budget.minutes_left];
        prop_assert!(numbers.into_iter().flatten().chain(s.burn_rates.values().copied().flatten()).all(f64::is_finite));
        prop_assert!(s.sli.is_none_or(|v| (0.0..=1.0).contains(&v)));
        prop_assert!(s.burn_rates.values().flatten().all(|b| *b >= 0.0 && *b <= 1.0 / budget::allowance(target).unwrap() + 1e-6));
        if s.budget.remaining.is_none_or(|r| r <= 0.0) {
            prop_assert_eq!(s.forecast, Forecast::default());
        }
    }
}

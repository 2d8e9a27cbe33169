//! The budget of a calendar period: what was spent of what the whole period will allow. How many events a period will have
//! is not known before its end; it is estimated, and never taken for the events so far, which would make every first day
//! of a month a crisis. Never reads a clock.

use crate::domain::slo::budget::allowance;
use crate::domain::slo::net_events::NetEvents;
use crate::domain::slo::reading::Counts;
use crate::domain::time::{Span, Timestamp, seconds};

/// While a period is younger than a week, its own events say little of the rest: nights and weekends are missing.
const WEEK: Span = Span::days(7);

/// A calendar budget as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Calendar {
    /// `month`, `2 weeks`.
    pub period: String,
    /// When it began.
    pub from: Timestamp,
    /// When it ends.
    pub to: Timestamp,
    /// Share of it that is over, 0..1: what an even spending would have used.
    pub elapsed: f64,
    /// Events so far.
    pub events: Counts,
    /// Events that the whole period is expected to have.
    pub expected: f64,
    /// Share of the budget that is used; `None` without events.
    pub consumed: Option<f64>,
    /// Share that is left, signed.
    pub remaining: Option<f64>,
    /// Share that will be used at its end, if it goes on as it did.
    pub projected: Option<f64>,
    /// Share of the time so far for which there is data, 0..1.
    pub coverage: f64,
}

/// Events that a period will have: those so far, and as many more as its pace (or that of the last seven days, events per
/// second, where given) brings in what is left. `elapsed` is the share of the period that these events stand for, 0..1.
pub fn expected(so_far: f64, elapsed: f64, length: Span, pace: Option<f64>) -> Option<f64> {
    if !(elapsed > 0.0 && elapsed <= 1.0) {
        return None;
    }
    let all = match pace {
        Some(pace) => so_far + pace * seconds(length) * (1.0 - elapsed),
        None => so_far / elapsed,
    };
    (all.is_finite() && all > 0.0).then_some(all)
}

/// The share of a calendar budget that so many bad events use: of what the expected events allow.
pub fn consumed(bad: f64, expected: f64, target: f64) -> Option<f64> {
    let budget = allowance(target)? * expected;
    Some(bad / budget).filter(|c| c.is_finite())
}

/// What will be used at the end, if bad events go on as they came.
pub fn projected(consumed: f64, elapsed: f64) -> Option<f64> {
    Some(consumed / elapsed).filter(|p| p.is_finite() && elapsed > 0.0)
}

/// The budget of the period `(from, to)` at the end of what is known.
pub fn budget(net: &NetEvents, period: String, bounds: (Timestamp, Timestamp), target: f64) -> Option<Calendar> {
    let (from, to) = bounds;
    let now = net.end()?.min(to);
    if now <= from || to <= from {
        return None;
    }
    let (events, coverage) = net.between(from, now);
    let elapsed = seconds(now - from) / seconds(to - from);
    let known = elapsed * coverage;
    let pace = (now - from < WEEK).then(|| net.between(now - WEEK, now)).filter(|(_, known)| *known > 0.99);
    let pace = pace.map(|(week, _)| week.total / seconds(WEEK));
    let expected = expected(events.total, known, to - from, pace)?;
    let consumed = consumed(events.bad, expected, target);
    Some(Calendar {
        period,
        from,
        to,
        elapsed,
        events,
        expected,
        consumed,
        remaining: consumed.map(|c| 1.0 - c),
        projected: consumed.and_then(|c| projected(c, known)),
        coverage,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::slo::event_slices::Slice;

    fn at(days: f64) -> Timestamp {
        Timestamp::from_timestamp(1_777_593_600 + (days * 86_400.0) as i64, 0).unwrap()
    }

    fn near(got: f64, want: f64) {
        assert!((got - want).abs() < 1e-9 * want.abs().max(1.0), "{got} is not {want}");
    }

    fn hours(from: f64, to: f64, counts: impl Fn(i64) -> Option<Counts>) -> NetEvents {
        let many = ((to - from) * 24.0) as i64;
        let slice = |i: i64| Slice { end: at(from) + Span::hours(i + 1), length: Span::hours(1), counts: counts(i) };
        NetEvents::over((0..many).map(slice).collect(), &[])
    }

    #[test]
    fn a_quarter_of_a_month_is_over() {
        near(expected(100_000.0, 0.25, Span::days(30), None).unwrap(), 400_000.0);
        near(consumed(65.0, 400_000.0, 0.999).unwrap(), 0.1625);
        near(projected(0.1625, 0.25).unwrap(), 0.65);
        near(consumed(65.0, 100_000.0, 0.999).unwrap(), 0.65);
        for elapsed in [0.0, -0.1, 1.1, f64::NAN] {
            assert_eq!(expected(1.0, elapsed, Span::days(30), None), None);
        }
        assert_eq!(expected(0.0, 0.5, Span::days(30), None), None);
    }

    #[test]
    fn the_first_hours_of_a_month_look_at_the_week_before() {
        // Nights are idle: six hours into the month there were no events yet.
        let day = |i: i64| i.rem_euclid(24) >= 6;
        let net = hours(-10.0, 0.5, |i| Some(Counts { bad: 0.0, total: if day(i) { 1_000.0 } else { 1.0 } }));
        let month = budget(&net, "month".into(), (at(0.0), at(30.0)), 0.999).unwrap();
        let whole = 30.0 * (18.0 * 1_000.0 + 6.0);
        assert!((month.expected / whole - 1.0).abs() < 0.02, "{month:?} {whole}");
        near(month.elapsed, 0.5 / 30.0);
    }

    #[test]
    fn unknown_stretches_are_said_and_not_taken_for_quiet() {
        let net = hours(0.0, 10.0, |i| (i >= 120).then_some(Counts { bad: 1.0, total: 1_000.0 }));
        let month = budget(&net, "month".into(), (at(0.0), at(30.0)), 0.999).unwrap();
        near(month.coverage, 0.5);
        near(month.expected, 720_000.0);
        near(month.consumed.unwrap(), 120.0 / 720.0);
        near(month.projected.unwrap(), 1.0);
        assert_eq!(budget(&net, "month".into(), (at(20.0), at(50.0)), 0.999), None);
        assert_eq!(budget(&hours(0.0, 1.0, |_| None), "month".into(), (at(0.0), at(30.0)), 0.999), None);
    }
}

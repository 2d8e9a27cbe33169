//! What an incident cost an objective, on the event base: its bad events over the events that the budget is reckoned from.
//! Time plays no part: forty minutes at the peak cost more than forty at night.

use crate::domain::slo::budget;
use crate::domain::slo::net_events::NetEvents;
use crate::domain::slo::reading::Counts;
use crate::domain::time::{Span, Timestamp, seconds};

/// Length of the stretch before an incident whose error ratio is the baseline of its net cost.
pub const BEFORE: Span = Span::hours(6);
/// Share of the incident that must be known.
const KNOWN: f64 = 0.5;

/// What an incident cost, and what it is reckoned from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IncidentCost {
    /// Share of the budget: every bad event of the incident.
    pub gross: f64,
    /// The same without those that the error ratio before it would have brought anyway; `None` where that is not known.
    pub net: Option<f64>,
    /// Events of the incident, with the margin on both sides.
    pub during: Counts,
    /// Error ratio of the six hours before.
    pub before: Option<f64>,
    /// Events that the budget is reckoned from: those of the window that ends now, or those that a calendar period is
    /// expected to have.
    pub of: f64,
    /// Share of the incident that is known, 0..1.
    pub coverage: f64,
}

/// An incident, and what its cost is reckoned from.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// When it began.
    pub from: Timestamp,
    /// When the pain stopped, or now.
    pub to: Timestamp,
    /// One scrape interval: events at the edges are told late, or were seen early.
    pub margin: Span,
    /// Share that must be good.
    pub target: f64,
    /// Events that the budget is reckoned from.
    pub of: f64,
}

/// The cost, from events over time; `newest` is what the last five minutes said at an instant, for the time after the
/// newest slice. `None` where half of the incident is not known, or there is no budget.
pub fn cost(net: &NetEvents, newest: Option<(Timestamp, Counts)>, q: &Question) -> Option<IncidentCost> {
    let from = q.from.checked_sub_signed(q.margin)?;
    let to = q.to.checked_add_signed(q.margin)?;
    let (mut during, share) = net.between(from, to);
    let mut known = share * seconds(to - from);
    if let (Some(end), Some((at, counts))) = (net.end(), newest) {
        // What the newest slice does not hold yet: its share of the last five minutes.
        let tail = seconds(to.min(at) - end.max(from)).clamp(0.0, 300.0);
        during.bad += counts.bad * tail / 300.0;
        during.total += counts.total * tail / 300.0;
        known += tail;
    }
    let now = newest.map(|(at, _)| at).or(net.end())?;
    // The margin after an incident that goes on has not happened.
    let coverage = (known / seconds(to.min(now) - from).max(1.0)).clamp(0.0, 1.0);
    if coverage < KNOWN {
        return None;
    }
    let (earlier, seen) = net.between(from.checked_sub_signed(BEFORE)?, from);
    let before = earlier.error_ratio().filter(|_| seen >= KNOWN);
    let cost = budget::incident_cost(during, before.unwrap_or(0.0), q.of, q.target)?;
    Some(IncidentCost { gross: cost.gross, net: before.map(|_| cost.net), during, before, of: q.of, coverage })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::slo::event_slices::Slice;
    use crate::domain::time::{mins, secs};

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_timestamp(1_777_593_600 + minutes * 60, 0).unwrap()
    }

    fn near(got: f64, want: f64) {
        assert!((got - want).abs() < 1e-9 * want.abs().max(1.0), "{got} is not {want}");
    }

    /// A day of 5 m slices with 300 events each; 30 % bad from minute 1000 to 1040, else one in a thousand.
    fn day(known: impl Fn(i64) -> bool) -> NetEvents {
        let slice = |i: i64| {
            let bad = if (1_000..1_040).contains(&(i * 5)) { 90.0 } else { 0.3 };
            let counts = known(i).then_some(Counts { bad, total: 300.0 });
            Slice { end: at(i * 5 + 5), length: mins(5), counts }
        };
        NetEvents::over((0..288).map(slice).collect(), &[])
    }

    fn question() -> Question {
        Question { from: at(1_000), to: at(1_040), margin: Span::zero(), target: 0.999, of: 2_592_000.0 }
    }

    #[test]
    fn bad_events_over_the_budget() {
        let cost = cost(&day(|_| true), None, &question()).unwrap();
        near(cost.during.bad, 720.0);
        near(cost.gross, 720.0 / 2_592.0);
        near(cost.gross, 0.277_777_777_8);
        near(cost.before.unwrap(), 0.001);
        near(cost.net.unwrap(), (720.0 - 2.4) / 2_592.0);
        near(cost.coverage, 1.0);
    }

    #[test]
    fn a_scrape_interval_on_each_side() {
        let with = cost(&day(|_| true), None, &Question { margin: secs(60), ..question() }).unwrap();
        near(with.during.total, 2_400.0 + 120.0);
        near(with.during.bad, 720.0 + 0.12);
    }

    #[test]
    fn one_that_goes_on_takes_the_last_minutes_from_the_poll() {
        let net = NetEvents::over(day(|_| true).slices().iter().take(204).copied().collect(), &[]);
        assert_eq!(net.end(), Some(at(1_020)));
        let now = at(1_023);
        let q = Question { to: now, margin: secs(30), ..question() };
        let newest = Some((now, Counts { bad: 90.0, total: 300.0 }));
        let live = cost(&net, newest, &q).unwrap();
        near(live.during.bad, 360.0 + 54.0 + 0.03);
        near(live.coverage, 1.0);
    }

    #[test]
    fn what_is_not_known_is_no_cost() {
        assert_eq!(cost(&day(|i| i < 204), None, &question()).map(|c| c.coverage < 0.51), Some(true));
        assert_eq!(cost(&day(|i| i < 203), None, &question()), None);
        assert_eq!(cost(&day(|_| true), None, &Question { target: 1.0, ..question() }), None);
        assert_eq!(cost(&day(|_| true), None, &Question { of: 0.0, ..question() }), None);
        let young = cost(&day(|i| i >= 195), None, &question()).unwrap();
        assert_eq!((young.before, young.net), (None, None));
    }
}

//! The simulated production as it stands: the books, the incident's course, and what one would measure between any two
//! instants. Never reads a clock; the future is what happens if nobody does anything more.

use crate::domain::drill::course::Act;
use crate::domain::drill::course::Course;
use crate::domain::drill::course::Level;
use crate::domain::drill::course::ONSET;
use crate::domain::drill::ledger::CELL;
use crate::domain::drill::ledger::Ledger;
use crate::domain::drill::promise::ALL;
use crate::domain::drill::promise::Measure;
use crate::domain::drill::promise::Promise;
use crate::domain::drill::service::Service;
use crate::domain::slo::reading::Counts;
use crate::domain::slo::reading::Window;
use crate::domain::time::Timestamp;
use std::sync::Arc;

/// The simulated production. Cloning it is cheap: the books are shared.
#[derive(Clone, Debug)]
pub struct Production {
    ledger: Arc<Ledger>,
    course: Course,
    start: Timestamp,
    seed: u64,
}

impl Production {
    /// A production whose demo begins at `start`; everything before is history.
    pub fn new(start: Timestamp, seed: u64) -> Self {
        Self { ledger: Arc::new(Ledger::new(start, seed)), course: Course::default(), start, seed }
    }

    /// When the demo began.
    pub fn start(&self) -> Timestamp {
        self.start
    }

    /// The seed of all chance.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Does something at an instant; false when it changes nothing.
    pub fn act(&mut self, at: Timestamp, act: Act) -> bool {
        self.course.act(self.elapsed(at), act)
    }

    /// The incident's course so far.
    pub fn course(&self) -> &Course {
        &self.course
    }

    /// Seconds since the demo began; negative before.
    pub fn elapsed(&self, at: Timestamp) -> f64 {
        unix(at) - self.ledger.origin()
    }

    /// How things stand at an instant.
    pub fn level(&self, at: Timestamp) -> Level {
        self.course.level(self.elapsed(at))
    }

    /// Bad and all events (slices for a threshold) of an objective between two instants; `None` for an unknown name.
    /// Sums add up: from a to c is a to b plus b to c.
    pub fn counts(&self, slo: &str, from: Timestamp, to: Timestamp) -> Option<Counts> {
        self.between(slo, unix(from), unix(to))
    }

    /// The counts of the window that ends at `at`.
    pub fn window(&self, slo: &str, window: Window, at: Timestamp) -> Option<Counts> {
        self.between(slo, unix(at) - f64::from(window.0), unix(at))
    }

    /// The burn rate of the window that ends at `at`; `None` without traffic or for an unknown name.
    pub fn burn(&self, slo: &str, window: Window, at: Timestamp) -> Option<f64> {
        let promise = ALL.iter().find(|p| p.id == slo)?;
        self.window(slo, window, at)?.error_ratio().map(|e| e / (1.0 - promise.target))
    }

    fn between(&self, slo: &str, from: f64, to: f64) -> Option<Counts> {
        let (index, promise) = ALL.iter().enumerate().find(|(_, p)| p.id == slo)?;
        if to <= from {
            return Some(Counts::default());
        }
        let bad = self.ledger.bad(index, from, to);
        let (bad, total) = match promise.measure {
            Measure::P99Over(_) => (bad, (to - from) / CELL as f64),
            _ => {
                let more = self.incident(promise, from, to);
                (bad + more.bad, self.ledger.traffic(promise.service, from, to) + more.total)
            }
        };
        let total = total.max(0.0);
        Some(Counts { bad: bad.clamp(0.0, total), total })
    }

    /// What the incident adds to the books. Between two bends and cell edges severity, admission and base traffic are
    /// straight lines or constants, their product is at most cubic, and Simpson's rule is exact for cubics.
    fn incident(&self, promise: &Promise, from: f64, to: f64) -> Counts {
        let origin = self.ledger.origin();
        let mut sum = Counts::default();
        let acted = self.course.bends().next().unwrap_or(ONSET);
        let mut a = from.max(origin + acted.min(ONSET));
        while a < to {
            let bend = self.course.next_bend(a - origin).map_or(f64::MAX, |t| t + origin);
            // The smallest step keeps this moving where a bend rounds onto `a` itself.
            let b = Ledger::next_edge(a).min(bend).max(a + 1e-6).min(to);
            let requests = self.ledger.traffic(promise.service, a, b);
            let usual = if requests > 0.0 { self.ordinary(promise, a, b) / requests } else { 0.0 };
            let at = |t: f64| self.added(promise, usual, t - origin);
            let (x, y, z) = (at(a), at(f64::midpoint(a, b)), at(b));
            sum.bad += requests * (x.bad + 4.0 * y.bad + z.bad) / 6.0;
            sum.total += requests * (x.total + 4.0 * y.total + z.total) / 6.0;
            a = b;
        }
        sum
    }

    fn ordinary(&self, promise: &Promise, from: f64, to: f64) -> f64 {
        ALL.iter().position(|p| p.id == promise.id).map_or(0.0, |i| self.ledger.bad(i, from, to))
    }

    /// Per request in the books: how many more there are, and how many more bad ones.
    fn added(&self, promise: &Promise, usual: f64, elapsed: f64) -> Counts {
        let level = self.course.level(elapsed);
        let admitted = if promise.service.behind_the_door() { level.admitted } else { 1.0 };
        let traffic = admitted * (1.0 + promise.service.surge() * level.severity);
        Counts { bad: traffic * (usual + promise.hurt * level.severity) - usual, total: traffic - 1.0 }
    }

    /// Requests per second to a service over the last minute.
    pub fn rate(&self, service: Service, at: Timestamp) -> f64 {
        let level = self.level(at);
        let admitted = if service.behind_the_door() { level.admitted } else { 1.0 };
        let base = self.ledger.traffic(service, unix(at) - 60.0, unix(at)) / 60.0;
        base * admitted * (1.0 + service.surge() * level.severity)
    }
}

fn unix(at: Timestamp) -> f64 {
    at.timestamp_millis() as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::mins;
    use crate::domain::time::secs;
    use proptest::prelude::*;
    use std::sync::OnceLock;

    const CHECKOUT: &str = "checkout_success";

    fn start() -> Timestamp {
        "2026-05-01T03:12:04.250Z".parse().unwrap()
    }

    fn fresh() -> Production {
        static ONE: OnceLock<Production> = OnceLock::new();
        ONE.get_or_init(|| Production::new(start(), 42)).clone()
    }

    fn left(production: &Production, slo: &str, at: Timestamp) -> f64 {
        1.0 - production.burn(slo, Window(30 * 86_400), at).unwrap()
    }

    #[test]
    fn budgets_at_the_beginning_are_as_designed_whenever_it_begins() {
        for (start, seed) in
            [("2026-05-01T03:12:04.250Z", 1), ("2026-08-23T19:00:00Z", 2), ("2027-01-04T12:59:59.999Z", 3)]
        {
            let production = Production::new(start.parse().unwrap(), seed);
            for promise in &ALL {
                let is = left(&production, promise.id, production.start());
                assert!(
                    (is - promise.left).abs() < 0.005,
                    "{} from {start}: {is}, designed {}",
                    promise.id,
                    promise.left
                );
            }
        }
    }

    #[test]
    fn nothing_pages_before_it_begins_but_the_old_ticket_stands() {
        let production = fresh();
        for promise in &ALL {
            for pair in promise.objective().pairs {
                let over = |w| production.burn(promise.id, w, start()).unwrap() > pair.factor;
                let fires = over(pair.long) && over(pair.short);
                let old = promise.id == "api_latency" && pair.long == Window::D3;
                assert_eq!(fires, old, "{} {}/{}", promise.id, pair.long, pair.short);
            }
        }
    }

    #[test]
    fn the_page_pair_fires_in_the_second_half_of_the_first_minute_or_soon_after() {
        for seed in 0..8 {
            let production = Production::new(start() + mins(i64::try_from(seed).unwrap() * 197), seed);
            let over = |s: i64, w| production.burn(CHECKOUT, w, production.start() + secs(s)).unwrap() > 14.4;
            let fires = (0..600).find(|s| over(*s, Window::H1) && over(*s, Window::M5));
            assert!(fires.is_some_and(|s| (20..=90).contains(&s)), "seed {seed}: {fires:?}");
        }
    }

    #[test]
    fn a_rollback_brings_it_under_one_in_seven_minutes_and_nothing_else_does() {
        let at = start() + secs(100);
        let burn_later = |acts: &[Act]| {
            let mut production = fresh();
            for act in acts {
                production.act(at, *act);
            }
            production.burn(CHECKOUT, Window::M5, at + mins(7)).unwrap()
        };
        let alone = burn_later(&[]);
        assert!(burn_later(&[Act::RollBack]) < 1.0);
        assert!(alone > 200.0, "{alone}");
        let shares = [Act::ScaleOut, Act::Shed].map(|act| (burn_later(&[act]) / alone * 100.0).round());
        assert_eq!(shares, [67.0, 50.0]);
    }

    #[test]
    fn shedding_cuts_traffic_and_payments_only_degrade() {
        let at = start() + mins(5);
        let mut shed = fresh();
        shed.act(at, Act::Shed);
        assert!(shed.rate(Service::Checkout, at + mins(2)) < 0.4 * fresh().rate(Service::Checkout, at + mins(2)));
        let payments = fresh().burn("payments_success", Window::M5, at).unwrap();
        assert!((6.0..14.4).contains(&payments), "{payments}");
        assert!(fresh().burn("catalog_success", Window::M5, at).unwrap() < 1.0);
    }

    #[test]
    fn the_same_seed_is_the_same_production() {
        let read = |seed| {
            let p = Production::new(start(), seed);
            ALL.map(|promise| p.window(promise.id, Window::D3, start() + mins(3)).unwrap())
        };
        assert_eq!(read(9), read(9));
        assert_ne!(read(9), read(10));
    }

    #[test]
    fn the_incident_adds_up_to_what_its_lines_enclose() {
        let mut spared = fresh();
        spared.act(start(), Act::RollBack);
        let read =
            |p: &Production, from: i64, to: i64| p.counts(CHECKOUT, start() + secs(from), start() + secs(to)).unwrap();
        for (from, to, traffic, bad) in [
            (0, 8, 1.0, 0.0),
            // Severity rises from 0 to 1: traffic 1 + 3.2 s, errors 0.23 s of it; their integrals over s.
            (8, 33, 1.0 + 3.2 / 2.0, 0.23 * (1.0 / 2.0 + 3.2 / 3.0)),
            (33, 100, 1.0 + 3.2, 0.23 * (1.0 + 3.2)),
        ] {
            let (hurt, calm) = (read(&fresh(), from, to), read(&spared, from, to));
            assert!((hurt.total / calm.total - traffic).abs() < 1e-6, "{from}..{to}: {}", hurt.total / calm.total);
            let usual = calm.bad * hurt.total / calm.total;
            assert!(((hurt.bad - usual) / calm.total - bad).abs() < 1e-4, "{from}..{to}: {hurt:?} {calm:?}");
        }
    }

    #[test]
    fn an_unknown_objective_has_no_counts() {
        assert_eq!(fresh().counts("nope", start(), start() + mins(1)), None);
    }

    fn act() -> impl Strategy<Value = Act> {
        prop_oneof![Just(Act::RollBack), Just(Act::ScaleOut), Just(Act::ScaleIn), Just(Act::Shed), Just(Act::Admit)]
    }

    proptest! {
        #[test]
        fn sums_add_up_and_are_never_strange(
            mut cuts in prop::array::uniform3(-70 * 86_400_000_i64..10 * 86_400_000),
            near in prop::bool::ANY,
            acts in prop::collection::vec((0_i64..900, act()), 0..6),
            index in 0..ALL.len(),
        ) {
            if near {
                cuts = cuts.map(|c| c % 1_200_000);
            }
            cuts.sort_unstable();
            let mut production = fresh();
            for (at, act) in acts {
                production.act(start() + secs(at), act);
            }
            let at = |i: usize| start() + chrono::TimeDelta::milliseconds(cuts[i]);
            let slo = ALL[index].id;
            let read = |a, b| production.counts(slo, at(a), at(b)).unwrap();
            let (whole, first, second) = (read(0, 2), read(0, 1), read(1, 2));
            for counts in [whole, first, second] {
                prop_assert!(counts.bad.is_finite() && counts.total.is_finite());
                prop_assert!(0.0 <= counts.bad && counts.bad <= counts.total);
            }
            let close = |a: f64, b: f64| (a - b).abs() <= 1e-3 + 1e-7 * a.abs();
            prop_assert!(close(whole.bad, first.bad + second.bad), "bad {whole:?} {first:?} {second:?}");
            prop_assert!(close(whole.total, first.total + second.total), "total {whole:?} {first:?} {second:?}");
        }

        #[test]
        fn what_was_measured_stays_measured(
            acts in prop::collection::vec((0_i64..600, act()), 1..6), before in 0_i64..600, index in 0..ALL.len(),
        ) {
            let mut acts = acts;
            acts.sort_by_key(|(at, _)| *at);
            let mut production = fresh();
            for (at, act) in acts {
                let was = production.window(ALL[index].id, Window::M5, start() + secs(at.min(before)));
                production.act(start() + secs(at), act);
                let is = production.window(ALL[index].id, Window::M5, start() + secs(at.min(before)));
                let (was, is) = (was.unwrap(), is.unwrap());
                prop_assert!((was.bad - is.bad).abs() < 1e-3 && (was.total - is.total).abs() < 1e-3, "{was:?} {is:?}");
            }
        }
    }
}

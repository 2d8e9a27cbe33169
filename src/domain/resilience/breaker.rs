//! The circuit breaker of one source: whether it may be asked now, and if not, when. Never asks, never reads a clock.

use crate::domain::fault::{Fault, FaultKind};
use crate::domain::resilience::jitter;
use crate::domain::time::{Span, Timestamp};

/// The settings of a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Failures in a row that open it.
    pub failure_threshold: u32,
    /// The shortest time it stays open.
    pub open_for: Span,
    /// The longest time it stays open by its own decision.
    pub open_max: Span,
    /// Good probes in a row that close it; they go out one at a time.
    pub half_open_requests: u32,
    /// The longest `Retry-After` that is obeyed.
    pub retry_after_max: Span,
    /// After this long a probe without an answer counts as failed. Longer than any request may take.
    pub probe_limit: Span,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            failure_threshold: 5,
            open_for: Span::seconds(30),
            open_max: Span::seconds(60),
            half_open_requests: 3,
            retry_after_max: Span::minutes(5),
            probe_limit: Span::seconds(60),
        }
    }
}

/// Where a breaker stands; what the screen shows of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Every poll goes out.
    Closed {
        /// Failures in a row so far.
        failures: u32,
    },
    /// No poll goes out before `until`.
    Open {
        /// When the next probe may go out.
        until: Timestamp,
        /// The server asked for the wait.
        by_server: bool,
    },
    /// No poll goes out until a person says so: the credentials were refused, and asking on may lock an account.
    Held,
    /// One poll at a time goes out, and its answer decides.
    HalfOpen {
        /// When the probe that is out went out.
        probe: Option<Timestamp>,
        /// Good probes so far.
        good: u32,
    },
}

impl State {
    /// One word for a status line.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Closed { .. } => "closed",
            Self::Open { .. } => "open",
            Self::Held => "held",
            Self::HalfOpen { .. } => "half-open",
        }
    }
}

/// Whether a poll may go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    /// It may. Each one must be followed by [`Breaker::succeeded`] or [`Breaker::failed`].
    Go,
    /// Not before this instant.
    NotBefore(Timestamp),
    /// Not before a person says so ([`Breaker::try_now`]).
    AskPerson,
}

/// The breaker of one source.
#[derive(Clone, Debug, PartialEq)]
pub struct Breaker {
    policy: Policy,
    seed: u64,
    state: State,
    /// Times it opened since it was last closed.
    trips: u32,
}

impl Breaker {
    /// A closed breaker. The seed sets its jitter; give each source and cockpit its own.
    pub fn new(policy: Policy, seed: u64) -> Self {
        Self { policy, seed, state: State::Closed { failures: 0 }, trips: 0 }
    }

    /// Where it stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// Whether retries inside a poll are allowed.
    pub fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed { .. })
    }

    /// When it changes by itself: the deadline to wake for. `None` when only an answer or a person can change it.
    pub fn next_change(&self) -> Option<Timestamp> {
        match self.state {
            State::Open { until, .. } => Some(until),
            State::HalfOpen { probe: Some(at), .. } => Some(later(at, self.policy.probe_limit)),
            _ => None,
        }
    }

    /// Asks for leave to poll. In half-open, leave is given to one probe and to no other until its answer came.
    pub fn permit(&mut self, now: Timestamp) -> Permit {
        if let State::HalfOpen { probe: Some(at), .. } = self.state {
            let lost = later(at, self.policy.probe_limit);
            if now < lost {
                return Permit::NotBefore(lost);
            }
            self.open(now, None);
        }
        match self.state {
            State::Closed { .. } => Permit::Go,
            State::Held => Permit::AskPerson,
            State::Open { until, .. } if now < until => Permit::NotBefore(until),
            State::Open { .. } => {
                self.state = State::HalfOpen { probe: Some(now), good: 0 };
                Permit::Go
            }
            State::HalfOpen { good, .. } => {
                self.state = State::HalfOpen { probe: Some(now), good };
                Permit::Go
            }
        }
    }

    /// The poll was answered. An answer that comes late, when it is already open, changes nothing.
    pub fn succeeded(&mut self) {
        match self.state {
            State::Closed { .. } => self.close(),
            State::HalfOpen { good, .. } if good.saturating_add(1) >= self.policy.half_open_requests => self.close(),
            State::HalfOpen { good, .. } => {
                self.state = State::HalfOpen { probe: None, good: good.saturating_add(1) };
            }
            State::Open { .. } | State::Held => {}
        }
    }

    /// The poll failed. [`FaultKind::Rejected`] is the answer of a healthy server to a bad question and counts as an
    /// answer; [`FaultKind::Auth`] holds the breaker until a person says so; a `Retry-After` opens it at once.
    pub fn failed(&mut self, now: Timestamp, fault: &Fault) {
        if fault.kind == FaultKind::Auth {
            self.state = State::Held;
            return;
        }
        if self.state == State::Held {
            return;
        }
        if let Some(wait) = fault.retry_after {
            return self.open(now, Some(wait));
        }
        if fault.kind == FaultKind::Rejected {
            return self.succeeded();
        }
        match self.state {
            State::Closed { failures } if failures.saturating_add(1) < self.policy.failure_threshold => {
                self.state = State::Closed { failures: failures.saturating_add(1) };
            }
            State::Closed { .. } | State::HalfOpen { .. } => self.open(now, None),
            State::Open { .. } | State::Held => {}
        }
    }

    /// A person says: try now. The next poll is a probe; if it fails, the breaker is where it was.
    pub fn try_now(&mut self) {
        if !self.is_closed() {
            self.state = State::HalfOpen { probe: None, good: 0 };
        }
    }

    fn close(&mut self) {
        self.state = State::Closed { failures: 0 };
        self.trips = 0;
    }

    /// Its own wait grows from `open_for` towards `open_max`: the floor plus a random part of a growing share of the rest.
    /// The server's wish may only lengthen it, and only up to `retry_after_max`.
    fn open(&mut self, now: Timestamp, asked: Option<Span>) {
        self.trips = self.trips.saturating_add(1);
        let rest = (self.policy.open_max - self.policy.open_for).max(Span::zero());
        let half = rest / 2_i32.checked_shl(self.trips.min(20).saturating_sub(1)).unwrap_or(i32::MAX);
        let own = self.policy.open_for + jitter::of(rest - half, self.seed, u64::from(self.trips));
        let wait = match asked {
            None => own,
            Some(asked) => asked.min(self.policy.retry_after_max).max(Span::seconds(1)),
        };
        let until = match self.state {
            State::Open { until, .. } => until.max(later(now, wait)),
            _ => later(now, wait),
        };
        self.state = State::Open { until, by_server: asked.is_some() };
    }
}

fn later(at: Timestamp, span: Span) -> Timestamp {
    at.checked_add_signed(span).unwrap_or(Timestamp::MAX_UTC)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::secs;
    use proptest::prelude::*;

    fn at(s: i64) -> Timestamp {
        "2026-05-01T03:00:00Z".parse::<Timestamp>().unwrap() + secs(s)
    }

    fn fault(kind: FaultKind) -> Fault {
        Fault::new(kind, "prometheus main", "refused")
    }

    fn opened() -> (Breaker, Timestamp) {
        let mut b = Breaker::new(Policy::default(), 1);
        for s in 0..5 {
            assert_eq!(b.permit(at(s)), Permit::Go);
            b.failed(at(s), &fault(FaultKind::Unreachable));
        }
        let until = b.next_change().unwrap();
        (b, until)
    }

    #[test]
    fn five_failures_in_a_row_open_it() {
        let mut b = Breaker::new(Policy::default(), 1);
        for s in 0..4 {
            b.failed(at(s), &fault(FaultKind::Server));
        }
        b.succeeded();
        assert_eq!(b.state(), State::Closed { failures: 0 });
        let (mut b, until) = opened();
        assert!(until >= at(34) && until <= at(64), "{until}");
        assert_eq!(b.permit(until - secs(1)), Permit::NotBefore(until));
    }

    #[test]
    fn probes_go_out_one_at_a_time_and_three_good_ones_close_it() {
        let (mut b, until) = opened();
        for good in 1..=3 {
            assert_eq!(b.permit(until), Permit::Go);
            assert!(matches!(b.permit(until), Permit::NotBefore(_)), "a second probe while one is out");
            assert_eq!(b.state(), State::HalfOpen { probe: Some(until), good: good - 1 });
            b.succeeded();
        }
        assert_eq!(b.state(), State::Closed { failures: 0 });
    }

    #[test]
    fn a_failing_or_lost_probe_opens_it_again() {
        let (mut b, until) = opened();
        assert_eq!(b.permit(until), Permit::Go);
        b.failed(until, &fault(FaultKind::Timeout));
        let again = b.next_change().unwrap();
        assert!(again >= until + secs(30));
        assert_eq!(b.permit(again), Permit::Go);
        let lost = b.next_change().unwrap();
        assert!(matches!(b.permit(lost), Permit::NotBefore(t) if t >= lost + secs(30)));
    }

    #[test]
    fn refused_credentials_wait_for_a_person() {
        let mut b = Breaker::new(Policy::default(), 1);
        b.failed(at(0), &fault(FaultKind::Auth));
        assert_eq!((b.permit(at(1_000_000)), b.next_change()), (Permit::AskPerson, None));
        b.try_now();
        assert_eq!(b.permit(at(5)), Permit::Go);
        b.failed(at(5), &fault(FaultKind::Auth));
        assert_eq!(b.permit(at(6)), Permit::AskPerson);
        b.failed(at(6), &fault(FaultKind::Server));
        assert_eq!(b.state(), State::Held);
    }

    #[test]
    fn retry_after_is_honoured_up_to_five_minutes() {
        for (asked, want) in [(0, 1), (7, 7), (120, 120), (300, 300), (86_400, 300)] {
            let mut b = Breaker::new(Policy::default(), 1);
            b.failed(at(0), &Fault { retry_after: Some(secs(asked)), ..fault(FaultKind::RateLimited) });
            assert_eq!(b.state(), State::Open { until: at(want), by_server: true }, "asked for {asked}");
        }
    }

    #[test]
    fn a_rejected_question_is_an_answer() {
        let mut b = Breaker::new(Policy::default(), 1);
        for s in 0..50 {
            b.failed(at(s), &fault(FaultKind::Rejected));
        }
        assert_eq!(b.state(), State::Closed { failures: 0 });
    }

    #[derive(Clone, Debug)]
    enum Step {
        Poll,
        Good,
        Bad(FaultKind, Option<i64>),
        Person,
        Wait(i64),
    }

    fn step() -> impl Strategy<Value = Step> {
        use FaultKind::*;
        let kinds = prop_oneof![
            Just(Unreachable),
            Just(Timeout),
            Just(Server),
            Just(Malformed),
            Just(Rejected),
            Just(RateLimited)
        ];
        prop_oneof![
            4 => Just(Step::Poll),
            3 => Just(Step::Good),
            6 => (kinds, prop::option::of(-5_i64..4_000)).prop_map(|(k, r)| Step::Bad(k, r.filter(|_| k == RateLimited))),
            1 => Just(Step::Bad(Auth, None)),
            1 => Just(Step::Person),
            4 => (0_i64..90).prop_map(Step::Wait),
        ]
    }

    proptest! {
        #[test]
        fn whatever_happens_the_waits_are_bounded_and_probes_are_single(seed: u64, steps in prop::collection::vec(step(), 1..200)) {
            let policy = Policy::default();
            let mut b = Breaker::new(policy, seed);
            let (mut now, mut out) = (at(0), 0_u32);
            for step in steps {
                match step {
                    Step::Wait(s) => now += secs(s),
                    Step::Person => { b.try_now(); out = 0 }
                    Step::Good => { b.succeeded(); out = out.saturating_sub(1) }
                    Step::Bad(kind, retry) => {
                        b.failed(now, &Fault { retry_after: retry.map(secs), ..fault(kind) });
                        out = out.saturating_sub(1);
                    }
                    Step::Poll => {
                        let before = b.state();
                        let permit = b.permit(now);
                        if let State::HalfOpen { probe: Some(sent), .. } = before {
                            prop_assert!(permit != Permit::Go, "second probe after {sent}");
                        }
                        match permit {
                            Permit::Go => out += 1,
                            Permit::NotBefore(t) => prop_assert!(t > now && t <= now + policy.retry_after_max),
                            Permit::AskPerson => prop_assert_eq!(b.state(), State::Held),
                        }
                    }
                }
                if let State::Open { until, by_server: false } = b.state() {
                    prop_assert!(until <= now + policy.open_max.max(policy.retry_after_max));
                }
            }
            // Whatever it went through, it is never stuck: a person and good answers close it.
            b.try_now();
            for _ in 0..policy.half_open_requests {
                prop_assert_eq!(b.permit(now), Permit::Go);
                b.succeeded();
            }
            prop_assert!(b.is_closed());
        }

        #[test]
        fn a_source_that_never_answers_is_asked_ever_more_rarely(seed: u64) {
            let mut b = Breaker::new(Policy::default(), seed);
            let mut asked = Vec::new();
            for s in (0..3_600).step_by(15) {
                if b.permit(at(s)) == Permit::Go {
                    asked.push(s);
                    b.failed(at(s), &fault(FaultKind::Unreachable));
                }
            }
            let gaps: Vec<i64> = asked.windows(2).map(|w| w[1] - w[0]).collect();
            prop_assert!(gaps.iter().take(4).all(|g| *g == 15));
            prop_assert!(gaps.iter().skip(4).all(|g| (30..=75).contains(g)), "{gaps:?}");
        }
    }
}

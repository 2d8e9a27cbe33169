//! Retries inside one poll: exponential, with full jitter. Decides; never waits.

use crate::domain::fault::{Fault, FaultKind};
use crate::domain::resilience::jitter;
use crate::domain::time::Span;

/// How one poll is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Tries in all, the first one included.
    pub max_attempts: u32,
    /// The longest wait before the second try; it doubles with each try.
    pub base: Span,
    /// The longest wait of all.
    pub cap: Span,
}

impl Default for Retry {
    fn default() -> Self {
        Self { max_attempts: 3, base: Span::milliseconds(500), cap: Span::seconds(4) }
    }
}

impl Retry {
    /// How long to wait before another try, or `None` when there must be none: `attempt` (the one that failed, from 1) was
    /// the last, the breaker is not closed, the server named its own time, or the failure is not one of those that cost it
    /// nothing (no connection, 5xx). A time-out already took the poll's whole time and is not tried again.
    pub fn delay(&self, attempt: u32, fault: &Fault, breaker_closed: bool, seed: u64) -> Option<Span> {
        let cheap = matches!(fault.kind, FaultKind::Unreachable | FaultKind::Server);
        if attempt == 0 || attempt >= self.max_attempts || !breaker_closed || !cheap || fault.retry_after.is_some() {
            return None;
        }
        let factor = 1_i32.checked_shl(attempt.saturating_sub(1)).filter(|f| *f > 0).unwrap_or(i32::MAX);
        let ceiling = self.base.checked_mul(factor).unwrap_or(self.cap).min(self.cap);
        Some(jitter::of(ceiling, seed, u64::from(attempt)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fault(kind: FaultKind) -> Fault {
        Fault::new(kind, "prometheus main", "")
    }

    #[test]
    fn only_cheap_failures_of_a_closed_breaker_are_retried() {
        use FaultKind::*;
        let retry = Retry::default();
        for kind in
            [Timeout, Tls, Auth, Permission, RateLimited, Redirect, LoginPage, TooLarge, Malformed, Rejected, Local]
        {
            assert_eq!(retry.delay(1, &fault(kind), true, 7), None, "{kind:?}");
        }
        for kind in [Unreachable, Server] {
            assert!(retry.delay(1, &fault(kind), true, 7).is_some(), "{kind:?}");
            assert_eq!(retry.delay(1, &fault(kind), false, 7), None, "{kind:?} with an open breaker");
            assert_eq!(retry.delay(3, &fault(kind), true, 7), None, "{kind:?}, third try failed");
            let asked = Fault { retry_after: Some(Span::seconds(1)), ..fault(kind) };
            assert_eq!(retry.delay(1, &asked, true, 7), None, "{kind:?} with Retry-After");
        }
    }

    proptest! {
        #[test]
        fn waits_stay_under_their_doubling_ceiling(seed: u64, attempt in 1_u32..80, tries in 1_u32..90) {
            let retry = Retry { max_attempts: tries, ..Retry::default() };
            let ceiling = (500_i64 << (attempt - 1).min(10)).min(4_000);
            match retry.delay(attempt, &fault(FaultKind::Server), true, seed) {
                Some(wait) => {
                    prop_assert!(attempt < tries);
                    prop_assert!(wait >= Span::zero() && wait.num_milliseconds() <= ceiling);
                    prop_assert_eq!(Some(wait), retry.delay(attempt, &fault(FaultKind::Server), true, seed));
                }
                None => prop_assert!(attempt >= tries),
            }
        }
    }

    #[test]
    fn jitter_is_full() {
        let waits: Vec<i64> = (0..200)
            .filter_map(|seed| Retry::default().delay(2, &fault(FaultKind::Server), true, seed))
            .map(|w| w.num_milliseconds())
            .collect();
        assert!(waits.iter().any(|w| *w < 100) && waits.iter().any(|w| *w > 900), "{waits:?}");
    }
}

//! How fast: the wait between two tries of one operation, and a bucket of tokens per target, so that a storm of alerts does
//! not become a storm of requests. Decides; never waits.

use crate::domain::resilience::jitter;
use crate::domain::time::{Span, Timestamp, secs};

/// The longest wait of our own between two tries.
pub const CAP: Span = Span::seconds(30);
/// The longest wait that a server's hint is believed.
pub const HINT_MAX: Span = Span::hours(1);

/// The wait before try `tries + 1`: 0.5 s doubled with every try, full jitter, at most [`CAP`]. A server's hint wins.
pub fn backoff(tries: u32, hint: Option<Span>, seed: u64) -> Span {
    if let Some(hint) = hint {
        // A little more than asked, so that many cockpits do not come back in the same instant.
        return hint.clamp(Span::zero(), HINT_MAX) + jitter::of(secs(1), seed, u64::from(tries));
    }
    let doubled = 500_i64.checked_shl(tries.saturating_sub(1).min(20)).unwrap_or(i64::MAX);
    let ceiling = Span::try_milliseconds(doubled).unwrap_or(CAP).min(CAP);
    jitter::of(ceiling, seed, u64::from(tries)).max(Span::milliseconds(50))
}

/// A seed out of a name.
pub fn seed(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

/// How fast a target may be written to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// So many at once.
    pub burst: u32,
    /// So many a minute in the long run.
    pub per_minute: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self { burst: 10, per_minute: 60 }
    }
}

/// The tokens of one target.
#[derive(Clone, Debug, PartialEq)]
pub struct Bucket {
    pace: Pace,
    level: f64,
    at: Timestamp,
}

impl Bucket {
    /// A full one.
    pub fn full(pace: Pace, now: Timestamp) -> Self {
        Self { pace, level: f64::from(pace.burst.max(1)), at: now }
    }

    fn level(&self, now: Timestamp) -> f64 {
        // A clock that was set back refills nothing and costs nothing.
        let passed = (now - self.at).num_milliseconds().max(0) as f64 / 60_000.0;
        (self.level + passed * f64::from(self.pace.per_minute.max(1))).min(f64::from(self.pace.burst.max(1)))
    }

    /// When there is a token: now, or the instant it will be there.
    pub fn ready(&self, now: Timestamp) -> Result<(), Timestamp> {
        let missing = 1.0 - self.level(now);
        if missing <= 1e-9 {
            return Ok(());
        }
        let ms = (missing * 60_000.0 / f64::from(self.pace.per_minute.max(1))).ceil();
        Err(now + Span::try_milliseconds(ms as i64).unwrap_or(CAP).max(Span::milliseconds(1)))
    }

    /// Takes one; the level may not be asked for more than there is.
    pub fn take(&mut self, now: Timestamp) {
        self.level = (self.level(now) - 1.0).max(0.0);
        self.at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(ms: i64) -> Timestamp {
        "2026-05-01T03:00:00Z".parse::<Timestamp>().unwrap() + Span::milliseconds(ms)
    }

    proptest! {
        #[test]
        fn own_waits_grow_to_their_cap_and_hints_win(tries in 1_u32..60, seed: u64, hint in 0_i64..10_000) {
            let own = backoff(tries, None, seed);
            prop_assert!(own >= Span::milliseconds(50) && own <= CAP);
            let hinted = backoff(tries, Some(secs(hint)), seed);
            prop_assert!(hinted >= secs(hint).min(HINT_MAX) && hinted <= secs(hint).min(HINT_MAX) + secs(1));
        }

        #[test]
        fn no_window_sees_more_than_burst_and_rate(burst in 1_u32..30, per_minute in 1_u32..600, steps in prop::collection::vec(0_i64..2_000, 1..300)) {
            let mut bucket = Bucket::full(Pace { burst, per_minute }, at(0));
            let (mut now, mut sent) = (0, 0_u32);
            for step in steps {
                now += step;
                if bucket.ready(at(now)).is_ok() {
                    bucket.take(at(now));
                    sent += 1;
                }
            }
            let allowed = f64::from(burst) + now as f64 / 60_000.0 * f64::from(per_minute);
            prop_assert!(f64::from(sent) <= allowed + 1e-6, "{sent} of {allowed}");
        }
    }

    #[test]
    fn a_storm_is_spread_and_a_clock_set_back_frees_nothing() {
        let mut bucket = Bucket::full(Pace { burst: 2, per_minute: 60 }, at(0));
        for _ in 0..2 {
            assert_eq!(bucket.ready(at(0)), Ok(()));
            bucket.take(at(0));
        }
        assert_eq!(bucket.ready(at(0)), Err(at(1_000)));
        assert_eq!(bucket.ready(at(1_000)), Ok(()));
        assert!(bucket.ready(at(-3_600_000)).is_err());
    }
}

//! A drill's own clock: begins at what the scenario says, runs as fast as it is told, can stand still and jump ahead, and
//! never goes back.

use crate::domain::time::{Span, Timestamp};
use crate::io::clock::running;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How fast it may run.
pub const FASTEST: u32 = 1_000;

#[derive(Debug)]
struct Hands {
    /// What it showed when it was touched last, and when that was.
    base: Timestamp,
    since: Duration,
    speed: u32,
    stands: bool,
}

/// A drill's clock.
#[derive(Debug)]
pub struct DrillClock {
    hands: Mutex<Hands>,
}

impl DrillClock {
    /// Stands at `start`; will run `speed` times as fast as time.
    pub fn new(start: Timestamp, speed: u32) -> Self {
        let speed = speed.clamp(1, FASTEST);
        Self { hands: Mutex::new(Hands { base: start, since: running(), speed, stands: true }) }
    }

    /// What it shows.
    pub fn now(&self) -> Timestamp {
        self.with(|hands| hands.now())
    }

    /// How fast it runs when it runs.
    pub fn speed(&self) -> u32 {
        self.with(|hands| hands.speed)
    }

    /// Whether it stands.
    pub fn stands(&self) -> bool {
        self.with(|hands| hands.stands)
    }

    /// Lets it run, or stand.
    pub fn stand(&self, stands: bool) {
        self.with(|hands| {
            hands.touch();
            hands.stands = stands;
        });
    }

    /// From now on it runs so fast.
    pub fn set_speed(&self, speed: u32) {
        self.with(|hands| {
            hands.touch();
            hands.speed = speed.clamp(1, FASTEST);
        });
    }

    /// Jumps ahead to an instant; one that is past changes nothing.
    pub fn jump(&self, to: Timestamp) {
        self.with(|hands| {
            hands.touch();
            hands.base = hands.base.max(to);
        });
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut Hands) -> T) -> T {
        use_it(&mut self.hands.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Hands {
    fn now(&self) -> Timestamp {
        if self.stands {
            return self.base;
        }
        let gone = running().saturating_sub(self.since).saturating_mul(self.speed);
        let gone = Span::from_std(gone).unwrap_or(Span::zero());
        self.base.checked_add_signed(gone).unwrap_or(self.base)
    }

    fn touch(&mut self) {
        self.base = self.now();
        self.since = running();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::mins;

    #[test]
    fn it_stands_runs_jumps_and_never_goes_back() {
        let start: Timestamp = "2026-05-03T03:00:00Z".parse().unwrap();
        let clock = DrillClock::new(start, 60);
        assert_eq!((clock.now(), clock.stands(), clock.speed()), (start, true, 60));
        clock.jump(start + mins(5));
        clock.jump(start);
        assert_eq!(clock.now(), start + mins(5));
        clock.stand(false);
        let before = clock.now();
        clock.set_speed(0);
        assert!(clock.now() >= before);
        assert_eq!(clock.speed(), 1);
        clock.stand(true);
        assert_eq!(clock.now(), clock.now());
    }
}

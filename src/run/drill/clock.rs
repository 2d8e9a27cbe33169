//! A drill's own clock: begins at what the scenario says, runs as fast as it is told, stands while anybody holds it, can
//! jump ahead, and never goes back.

use crate::domain::time::{Span, Timestamp};
use crate::io::clock::running;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How fast it may run.
pub const FASTEST: u32 = 1_000;

/// Who may hold it. It runs when nobody does: one who lets go does not undo another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hold {
    /// Nobody sits at it yet, or nobody any more.
    Table,
    /// The facilitator paused it.
    Facilitator,
    /// Something pages in the real world.
    RealPage,
}

impl Hold {
    /// Why it stands, in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Table => "nobody plays",
            Self::Facilitator => "paused by the facilitator",
            Self::RealPage => "a real page waits for an answer",
        }
    }
}

#[derive(Debug)]
struct Hands {
    /// What it showed when it was touched last, and when that was.
    base: Timestamp,
    since: Duration,
    speed: u32,
    holds: BTreeSet<Hold>,
}

/// A drill's clock.
#[derive(Debug)]
pub struct DrillClock {
    hands: Mutex<Hands>,
}

impl DrillClock {
    /// Stands at `start`, held by [`Hold::Table`]; will run `speed` times as fast as time.
    pub fn new(start: Timestamp, speed: u32) -> Self {
        let speed = speed.clamp(1, FASTEST);
        Self { hands: Mutex::new(Hands { base: start, since: running(), speed, holds: BTreeSet::from([Hold::Table]) }) }
    }

    /// What it shows.
    pub fn now(&self) -> Timestamp {
        self.with(|hands| hands.now())
    }

    /// How fast it runs when it runs.
    pub fn speed(&self) -> u32 {
        self.with(|hands| hands.speed)
    }

    /// How fast it runs now; 0 stands.
    pub fn pace(&self) -> u32 {
        self.with(|hands| if hands.holds.is_empty() { hands.speed } else { 0 })
    }

    /// Who holds it.
    pub fn holds(&self) -> Vec<Hold> {
        self.with(|hands| hands.holds.iter().copied().collect())
    }

    /// It stands until this one lets go. `false` when it held it already.
    pub fn hold(&self, who: Hold) -> bool {
        self.with(|hands| {
            hands.touch();
            hands.holds.insert(who)
        })
    }

    /// This one holds it no longer. `false` when it did not.
    pub fn release(&self, who: Hold) -> bool {
        self.with(|hands| {
            hands.touch();
            hands.holds.remove(&who)
        })
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
        if !self.holds.is_empty() {
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
        assert_eq!((clock.now(), clock.pace(), clock.speed()), (start, 0, 60));
        clock.jump(start + mins(5));
        clock.jump(start);
        assert_eq!(clock.now(), start + mins(5));
        assert!(clock.release(Hold::Table));
        assert_eq!(clock.pace(), 60);
        let before = clock.now();
        clock.set_speed(0);
        assert!(clock.now() >= before);
        assert_eq!(clock.speed(), 1);
        assert!(clock.hold(Hold::Facilitator));
        assert_eq!(clock.now(), clock.now());
    }

    #[test]
    fn one_who_lets_go_does_not_undo_another() {
        let clock = DrillClock::new("2026-05-03T03:00:00Z".parse().unwrap(), 1);
        assert!(clock.hold(Hold::RealPage) && clock.hold(Hold::Facilitator) && !clock.hold(Hold::Facilitator));
        assert!(clock.release(Hold::Table) && !clock.release(Hold::Table) && clock.release(Hold::RealPage));
        assert_eq!((clock.holds(), clock.pace()), (vec![Hold::Facilitator], 0));
        assert!(clock.release(Hold::Facilitator));
        assert_eq!(clock.pace(), 1);
    }
}

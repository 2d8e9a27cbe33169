//! The course of the incident: how bad it is and how much comes in, at each instant, given what was done so far.
//! Piecewise straight lines, so that sums over any stretch are exact.

/// What a responder can do that this production answers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Back to the revision before: ends it.
    RollBack,
    /// More replicas: a third better.
    ScaleOut,
    /// As many replicas as before.
    ScaleIn,
    /// Turn half of the customers away: half the errors, half the traffic.
    Shed,
    /// Let all customers in again.
    Admit,
}

/// How things stand at one instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// 0 (nothing) ..= 1 (the worst).
    pub severity: f64,
    /// Share of the customers that are let in.
    pub admitted: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Knot {
    at: f64,
    level: Level,
}

/// Seconds from the beginning of the demo to the beginning of the incident.
pub const ONSET: f64 = 8.0;
/// Seconds it takes to become as bad as it gets.
const RAMP: f64 = 25.0;
/// Acts that are remembered; what comes after has no effect.
const MOST_ACTS: usize = 200;

const CALM: Level = Level { severity: 0.0, admitted: 1.0 };

/// The course so far. Instants are seconds since the demo began.
#[derive(Clone, Debug, PartialEq)]
pub struct Course {
    knots: Vec<Knot>,
    acts: Vec<(f64, Act)>,
}

impl Default for Course {
    fn default() -> Self {
        let worst = Level { severity: 1.0, ..CALM };
        Self { knots: vec![Knot { at: ONSET, level: CALM }, Knot { at: ONSET + RAMP, level: worst }], acts: vec![] }
    }
}

impl Course {
    /// Takes an act into account from `at` on; what was before stays as it was. Acts come in order of time: an earlier
    /// instant counts as the last one's. False when it changes nothing, because it was done already.
    pub fn act(&mut self, at: f64, act: Act) -> bool {
        let last = self.acts.last().map_or(f64::MIN, |(at, _)| *at);
        let at = at.max(last);
        let idle = match act {
            Act::Admit => !self.shedding(),
            Act::Shed => self.shedding(),
            Act::ScaleOut => self.scaled(at),
            Act::ScaleIn => !self.scaled(at),
            Act::RollBack => self.done(act).is_some(),
        };
        if idle || !at.is_finite() || self.acts.len() >= MOST_ACTS {
            return false;
        }
        let now = self.level(at);
        self.acts.push((at, act));
        self.knots.retain(|k| k.at < at);
        self.knots.push(Knot { at, level: now });
        let (delay, ramp) = match act {
            Act::RollBack => (4.0, 38.0),
            Act::ScaleOut | Act::ScaleIn => (6.0, 20.0),
            Act::Shed | Act::Admit => (2.0, 10.0),
        };
        let goal = self.goal();
        // An act before the incident reached its worst neither stops nor speeds its rise to the new goal.
        let due = (at + delay + ramp).max(if goal.severity > now.severity { ONSET + RAMP } else { f64::MIN });
        let begins = if at < ONSET && goal.severity > now.severity { ONSET } else { at + delay };
        self.knots.push(Knot { at: begins, level: now });
        self.knots.push(Knot { at: due.max(begins + 1.0), level: goal });
        true
    }

    /// When it was done for the first time.
    pub fn done(&self, act: Act) -> Option<f64> {
        self.acts.iter().find(|(_, done)| *done == act).map(|(at, _)| *at)
    }

    /// Whether customers are turned away by order.
    pub fn shedding(&self) -> bool {
        self.acts
            .iter()
            .rev()
            .find(|(_, act)| matches!(act, Act::Shed | Act::Admit))
            .is_some_and(|(_, a)| *a == Act::Shed)
    }

    /// Whether there are more replicas than usual at an instant, by what was done until then.
    pub fn scaled(&self, at: f64) -> bool {
        self.acts
            .iter()
            .rev()
            .find(|(done, act)| *done <= at && matches!(act, Act::ScaleOut | Act::ScaleIn))
            .is_some_and(|(_, act)| *act == Act::ScaleOut)
    }

    fn goal(&self) -> Level {
        let shedding = self.shedding();
        let severity = match (self.done(Act::RollBack), self.scaled(f64::MAX)) {
            (Some(_), _) => 0.0,
            (None, true) => 2.0 / 3.0,
            (None, false) => 1.0,
        };
        Level { severity: if shedding { severity / 2.0 } else { severity }, admitted: if shedding { 0.5 } else { 1.0 } }
    }

    /// How things stand at an instant.
    pub fn level(&self, at: f64) -> Level {
        let after = self.knots.partition_point(|k| k.at <= at);
        let next = self.knots.get(after);
        let Some(before) = after.checked_sub(1).and_then(|i| self.knots.get(i)) else { return CALM };
        let Some(next) = next else { return before.level };
        let share = ((at - before.at) / (next.at - before.at)).clamp(0.0, 1.0);
        let between = |a: f64, b: f64| a + (b - a) * share;
        Level {
            severity: between(before.level.severity, next.level.severity),
            admitted: between(before.level.admitted, next.level.admitted),
        }
    }

    /// The next instant after `at` at which a line bends.
    pub fn next_bend(&self, at: f64) -> Option<f64> {
        self.knots.get(self.knots.partition_point(|k| k.at <= at)).map(|k| k.at)
    }

    /// All instants at which a line bends.
    pub fn bends(&self) -> impl Iterator<Item = f64> + '_ {
        self.knots.iter().map(|k| k.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn severity(course: &Course, at: f64) -> f64 {
        (course.level(at).severity * 1_000.0).round() / 1_000.0
    }

    #[test]
    fn left_alone_it_gets_worse_and_stays() {
        let course = Course::default();
        assert_eq!([0.0, 8.0, 20.5, 33.0, 9_999.0].map(|at| severity(&course, at)), [0.0, 0.0, 0.5, 1.0, 1.0]);
        assert_eq!(course.level(-5.0), CALM);
    }

    #[test]
    fn each_act_has_its_own_effect() {
        for (acts, goal, admitted) in [
            (vec![Act::RollBack], 0.0, 1.0),
            (vec![Act::ScaleOut], 0.667, 1.0),
            (vec![Act::Shed], 0.5, 0.5),
            (vec![Act::Shed, Act::Admit], 1.0, 1.0),
            (vec![Act::ScaleOut, Act::Shed], 0.333, 0.5),
            (vec![Act::Shed, Act::RollBack], 0.0, 0.5),
            (vec![Act::ScaleOut, Act::ScaleOut], 0.667, 1.0),
        ] {
            let mut course = Course::default();
            for (i, act) in acts.iter().enumerate() {
                course.act(60.0 + i as f64, *act);
            }
            assert_eq!(severity(&course, 59.0), 1.0, "{acts:?}: the past stays");
            assert_eq!((severity(&course, 110.0), course.level(110.0).admitted), (goal, admitted), "{acts:?}");
        }
    }

    #[test]
    fn what_was_done_is_not_done_twice() {
        let mut course = Course::default();
        assert!(course.act(50.0, Act::RollBack));
        let once = course.clone();
        assert!(!course.act(60.0, Act::RollBack));
        assert!(!course.act(60.0, Act::Admit));
        assert_eq!(course, once);
    }

    #[test]
    fn a_rollback_before_it_begins_prevents_it() {
        let mut course = Course::default();
        course.act(3.0, Act::RollBack);
        assert!((0..600).all(|at| course.level(f64::from(at)).severity == 0.0));
    }

    #[test]
    fn scaling_before_it_begins_leaves_two_thirds() {
        let mut course = Course::default();
        course.act(1.0, Act::ScaleOut);
        assert_eq!([5.0, 8.0, 33.0, 99.0].map(|at| severity(&course, at)), [0.0, 0.0, 0.667, 0.667]);
    }
}

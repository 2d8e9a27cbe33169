//! Which policy band an objective is in, when what is left moves about a boundary: another band counts once what is left
//! stayed out of the old one for a while. Holds no clock.

use crate::domain::ids::SloId;
use crate::domain::slo::policy::PolicyBands;
use crate::domain::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A band was left for another: what a team decides upon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Crossing {
    /// Of which objective.
    pub slo: SloId,
    /// Which crossing of this objective it is, from 1: every cockpit gives the same one the same number.
    pub number: u64,
    /// The band before; `None` for the first that was ever seen.
    pub from: Option<String>,
    /// The band now.
    pub to: String,
    /// Share of the budget that was left, signed.
    pub remaining: f64,
    /// What the policy asks for in the new band, in its own words.
    pub action: String,
    /// When what is left moved out of the old band.
    pub since: Timestamp,
}

impl Crossing {
    /// Under this key the record holds one event.
    pub fn once(&self) -> String {
        format!("band:{}:{}", self.slo, self.number)
    }

    /// In words: `api_availability: 24.8 % of its budget left, from full velocity to feature freeze: …`.
    pub fn words(&self) -> String {
        let plain = |band: &str| band.replace('_', " ");
        let from = self.from.as_deref().map_or_else(String::new, |from| format!("from {} to ", plain(from)));
        let left = self.remaining * 100.0;
        format!("{}: {left:.1} % of its budget left, {from}{}: {}", self.slo, plain(&self.to), self.action)
    }
}

/// The band of one objective as it settled.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settling {
    /// The band; `None` while nothing was seen.
    pub band: Option<String>,
    /// Crossings so far.
    pub number: u64,
    /// Since when what is left is in another one.
    pub leaving: Option<Timestamp>,
}

impl Settling {
    /// Takes in what was left at an instant; gives the crossing when the new band has settled.
    pub fn observe(&mut self, slo: &SloId, policy: &PolicyBands, remaining: f64, at: Timestamp) -> Option<Crossing> {
        let now = policy.of(remaining)?;
        // A policy that was changed may not have the old band any more.
        let known = self.band.as_deref().filter(|band| policy.rank(band).is_some());
        if known == Some(now.name.as_str()) {
            self.leaving = None;
            return None;
        }
        if known.is_none() && self.number == 0 && policy.rank(&now.name) == Some(0) {
            // The best band is where everybody begins: nothing is to be decided.
            self.band = Some(now.name.clone());
            self.leaving = None;
            return None;
        }
        let since = *self.leaving.get_or_insert(at);
        // A clock that was set back must not make it wait for ever.
        if at < since {
            self.leaving = Some(at);
            return None;
        }
        if at - since < policy.settle {
            return None;
        }
        self.number += 1;
        let crossing = Crossing {
            slo: slo.clone(),
            number: self.number,
            from: self.band.replace(now.name.clone()),
            to: now.name.clone(),
            remaining,
            action: now.action.clone(),
            since,
        };
        self.leaving = None;
        Some(crossing)
    }

    /// Takes in a crossing of the record, this cockpit's or another's. The newest number wins.
    pub fn recorded(&mut self, crossing: &Crossing) {
        if crossing.number >= self.number {
            self.number = crossing.number;
            self.band = Some(crossing.to.clone());
            self.leaving = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_timestamp(1_777_593_600 + minutes * 60, 0).unwrap()
    }

    fn run(settling: &mut Settling, left: &[(i64, f64)]) -> Vec<String> {
        let policy = PolicyBands::standard();
        let seen = left.iter().filter_map(|(m, r)| settling.observe(&"api".into(), policy, *r, at(*m)));
        seen.map(|c| format!("{} {}>{}", c.number, c.from.as_deref().unwrap_or("-"), c.to)).collect()
    }

    #[test]
    fn a_boundary_does_not_flap() {
        let mut s = Settling::default();
        assert_eq!(
            run(&mut s, &[(0, 0.9), (1, 0.499), (2, 0.501), (3, 0.499), (7, 0.499), (7, 0.502)]),
            Vec::<String>::new()
        );
        assert_eq!(
            run(&mut s, &[(10, 0.49), (12, 0.48), (15, 0.47), (16, 0.47)]),
            ["1 full_velocity>reliability_prioritised"]
        );
        assert_eq!(run(&mut s, &[(20, 0.2), (22, 0.05), (25, 0.04)]), ["2 reliability_prioritised>reliability_only"]);
        assert_eq!(run(&mut s, &[(30, 0.9), (35, 0.9)]), ["3 reliability_only>full_velocity"]);
    }

    #[test]
    fn the_first_look_is_a_decision_only_where_one_is_due() {
        assert_eq!(run(&mut Settling::default(), &[(0, 0.8), (60, 0.8)]), Vec::<String>::new());
        assert_eq!(run(&mut Settling::default(), &[(0, 0.2), (5, 0.2)]), ["1 ->feature_freeze"]);
    }

    #[test]
    fn two_cockpits_give_one_crossing_one_number() {
        let (mut a, mut b) = (Settling::default(), Settling::default());
        let policy = PolicyBands::standard();
        for s in [&mut a, &mut b] {
            s.observe(&"api".into(), policy, 0.9, at(0));
            s.observe(&"api".into(), policy, 0.4, at(1));
        }
        let first = a.observe(&"api".into(), policy, 0.4, at(6)).unwrap();
        let second = b.observe(&"api".into(), policy, 0.39, at(7)).unwrap();
        assert_eq!(first.once(), second.once());
        b.recorded(&first);
        assert_eq!(a, b);
        // One that was away learns from the record, and does not tell it again.
        let mut late = Settling::default();
        late.recorded(&first);
        assert_eq!(run(&mut late, &[(100, 0.4), (110, 0.4)]), Vec::<String>::new());
        assert_eq!(
            first.words(),
            "api: 40.0 % of its budget left, from full velocity to reliability prioritised: Reliability improvements prioritized"
        );
    }

    #[test]
    fn a_clock_that_goes_back_waits_anew() {
        assert_eq!(run(&mut Settling::default(), &[(100, 0.2), (0, 0.2), (4, 0.2), (5, 0.2)]), ["1 ->feature_freeze"]);
    }

    proptest! {
        #[test]
        fn a_crossing_always_leaves_a_band(left in prop::collection::vec((0..30_i64, -0.5..1.0f64), 0..40)) {
            let mut s = Settling::default();
            let (mut clock, mut last) = (0, None);
            for (wait, remaining) in left {
                clock += wait;
                if let Some(c) = s.observe(&"x".into(), PolicyBands::standard(), remaining, at(clock)) {
                    prop_assert_ne!(c.from.as_deref(), Some(c.to.as_str()));
                    prop_assert!(last.is_none_or(|l| clock - l >= 5));
                    last = Some(clock);
                }
            }
        }
    }
}

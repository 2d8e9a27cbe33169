//! What many drills say together: per scenario, per runbook, per person. Only drills that people played count; what a
//! script or chance did says nothing of anybody.

use crate::domain::drill::history::{Player, Record};
use crate::domain::time::{Timestamp, compact, rfc3339, secs};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The runs of one thing, oldest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Trend {
    /// Which scenario, runbook or person.
    pub name: String,
    /// When the last run ended.
    pub last: Timestamp,
    /// Points by what they were of, 0 to 1 and below; one per run that had any to give.
    pub share: Vec<f64>,
    /// Seconds to acknowledge, per run.
    pub acknowledge: Vec<Option<f64>>,
    /// Seconds to declare, per run.
    pub declare: Vec<Option<f64>>,
    /// Seconds until the pain stopped, per run.
    pub mitigate: Vec<Option<f64>>,
}

/// Per scenario.
pub fn by_scenario(records: &[Record]) -> Vec<Trend> {
    group(records, |r| vec![r.scenario.clone()])
}

/// Per runbook that was opened.
pub fn by_runbook(records: &[Record]) -> Vec<Trend> {
    group(records, |r| r.runbooks.iter().map(|b| b.runbook.to_string()).collect())
}

/// Per person that took part.
pub fn by_person(records: &[Record]) -> Vec<Trend> {
    group(records, |r| r.people.clone())
}

fn group(records: &[Record], names: impl Fn(&Record) -> Vec<String>) -> Vec<Trend> {
    let mut by: BTreeMap<String, Vec<&Record>> = BTreeMap::new();
    for record in records.iter().filter(|r| r.player == Player::Person) {
        for name in names(record) {
            by.entry(name).or_default().push(record);
        }
    }
    let trend = |(name, runs): (String, Vec<&Record>)| {
        let last = runs.iter().map(|r| r.ended_at).max()?;
        let share = |r: &&Record| if r.of > 0 { r.points as f64 / r.of as f64 } else { 0.0 };
        Some(Trend {
            name,
            last,
            share: runs.iter().map(share).collect(),
            acknowledge: runs.iter().map(|r| r.times.acknowledge).collect(),
            declare: runs.iter().map(|r| r.times.declare).collect(),
            mitigate: runs.iter().map(|r| r.times.mitigate).collect(),
        })
    };
    by.into_iter().filter_map(trend).collect()
}

/// How much the mean of the later half is above that of the earlier half; `None` with fewer than two known runs. Of an odd
/// number the middle one counts for neither.
pub fn change(values: &[Option<f64>]) -> Option<f64> {
    let known: Vec<f64> = values.iter().copied().flatten().collect();
    let half = known.len() / 2;
    let (first, last) = (known.get(..half)?, known.get(known.len() - half..)?);
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    (half > 0).then(|| mean(last) - mean(first))
}

impl Trend {
    /// What changed between the earlier and the later runs, in words.
    pub fn words(&self) -> String {
        let mut words = Vec::new();
        let share: Vec<Option<f64>> = self.share.iter().copied().map(Some).collect();
        if let Some(by) = change(&share).filter(|by| by.abs() >= 0.005) {
            words.push(format!("points {:+.0} %", by * 100.0));
        }
        for (what, values) in [("ack", &self.acknowledge), ("mitigate", &self.mitigate)] {
            if let Some(by) = change(values).filter(|by| by.abs() >= 1.0) {
                let word = if by < 0.0 { "faster" } else { "slower" };
                words.push(format!("{what} {} {word}", compact(secs(by.abs().round() as i64))));
            }
        }
        if words.is_empty() { "-".to_owned() } else { words.join(", ") }
    }

    /// `{"name", "runs", "last", "points", "acknowledge", "declare", "mitigate", "trend": {...}}`; lists are oldest first.
    pub fn json(&self) -> Value {
        let share: Vec<Option<f64>> = self.share.iter().copied().map(Some).collect();
        json!({
            "name": self.name,
            "runs": self.share.len(),
            "last": rfc3339(self.last),
            "points": self.share,
            "acknowledge": self.acknowledge,
            "declare": self.declare,
            "mitigate": self.mitigate,
            "trend": {
                "points": change(&share),
                "acknowledge": change(&self.acknowledge),
                "declare": change(&self.declare),
                "mitigate": change(&self.mitigate),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::drill::history::tests::record;

    #[test]
    fn later_runs_are_held_against_earlier_ones() {
        assert_eq!(change(&[Some(100.0)]), None);
        assert_eq!(change(&[Some(100.0), None, Some(60.0)]), Some(-40.0));
        assert_eq!(change(&[Some(90.0), Some(110.0), Some(7.0), Some(50.0), Some(30.0)]), Some(-60.0));
        let mut runs = [
            record("a", "2026-05-01T10:00:00Z", 45),
            record("a", "2026-05-02T10:00:00Z", 90),
            record("b", "2026-05-03T10:00:00Z", 9),
        ];
        runs[1].times.acknowledge = Some(20.0);
        let trends = by_scenario(&runs);
        assert_eq!(trends.iter().map(|t| (t.name.as_str(), t.share.len())).collect::<Vec<_>>(), [("a", 2), ("b", 1)]);
        assert_eq!(trends[0].words(), "points +50 %, ack 40s faster");
        assert_eq!(trends[1].words(), "-");
        runs[2].player = Player::Random;
        assert_eq!(by_scenario(&runs).len(), 1);
        assert_eq!((by_person(&runs).len(), by_runbook(&runs).len()), (1, 1));
    }
}

//! What is kept of every drill: one record each, oldest first, and what they say together. A runbook counts as rehearsed
//! when people walked it in a drill: what a script or chance played is kept and told, and rehearses nobody.

use crate::domain::document::{Finding, Level};
use crate::domain::ids::{RunbookId, StepId};
use crate::domain::runbook::lint::Rehearsal;
use crate::domain::text::{clean, truncate};
use crate::domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The name of the history beside the folders of the drills.
pub const FILE: &str = "history.jsonl";

/// Who acted in a drill.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Player {
    /// People.
    #[default]
    Person,
    /// A file of acts.
    Script,
    /// Chance, from a seed.
    Random,
    /// Nobody: the scenario was left to itself.
    Nobody,
}

impl Player {
    /// Its word in tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::Person => "people",
            Self::Script => "script",
            Self::Random => "random",
            Self::Nobody => "nobody",
        }
    }
}

/// A runbook that was opened in a drill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rehearsed {
    /// Which.
    pub runbook: RunbookId,
    /// The last step that was ended as failed.
    #[serde(default)]
    pub failed_at: Option<StepId>,
}

/// Seconds of the drill's own clock from the first page to something; `None` did not happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Somebody took it.
    pub acknowledge: Option<f64>,
    /// An incident was declared.
    pub declare: Option<f64>,
    /// The pain stopped.
    pub mitigate: Option<f64>,
    /// Stakeholders were told first.
    pub first_update: Option<f64>,
}

/// A drill that ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Its name: `DRILL-20260501-031204`.
    pub drill: String,
    /// Which scenario was played.
    pub scenario: String,
    /// With which seed.
    pub seed: u64,
    /// Who took part.
    #[serde(default)]
    pub people: Vec<String>,
    /// Who acted.
    #[serde(default)]
    pub player: Player,
    /// When it began, on the real clock.
    pub began_at: Timestamp,
    /// When it ended, on the real clock.
    pub ended_at: Timestamp,
    /// Why it ended: `mitigated`, `time`, `aborted`.
    pub end: String,
    /// Points that were earned.
    pub points: i64,
    /// Points that could be earned.
    pub of: i64,
    /// How long things took.
    #[serde(default)]
    pub times: Measured,
    /// Runbooks that were opened.
    #[serde(default)]
    pub runbooks: Vec<Rehearsed>,
    /// The after-action report.
    #[serde(default)]
    pub report: Option<String>,
}

/// A history as it was kept: one JSON object a line. What cannot be read is left out and told with its line; the rest holds.
pub fn read(path: &str, text: &str) -> (Vec<Record>, Vec<Finding>) {
    let (mut records, mut findings) = (Vec::new(), Vec::new());
    for (line, said) in (1..).zip(text.lines()).filter(|(_, said)| !said.trim().is_empty()) {
        match serde_json::from_str::<Record>(said) {
            Ok(record) => records.push(record),
            Err(e) => findings.push(Finding {
                path: path.to_owned(),
                line,
                column: e.column().max(1),
                rule: "drill-history".into(),
                level: Level::Warning,
                message: format!(
                    "not the record of a drill, it is left out: {}",
                    clean(&truncate(&e.to_string(), 120))
                ),
            }),
        }
    }
    records.sort_by(|a, b| (a.ended_at, &a.drill).cmp(&(b.ended_at, &b.drill)));
    (records, findings)
}

/// A record as its line, without the line's end.
pub fn line(record: &Record) -> String {
    serde_json::to_string(record).unwrap_or_default()
}

/// The last drill of each runbook that people walked in one.
pub fn rehearsals(records: &[Record]) -> BTreeMap<RunbookId, Rehearsal> {
    let mut last: BTreeMap<RunbookId, (Timestamp, Rehearsal)> = BTreeMap::new();
    for record in records.iter().filter(|r| r.player == Player::Person) {
        for book in &record.runbooks {
            let told = Rehearsal { on: record.ended_at.date_naive(), failed_at: book.failed_at.clone() };
            let newer = last.get(&book.runbook).is_none_or(|(at, _)| *at <= record.ended_at);
            if newer {
                last.insert(book.runbook.clone(), (record.ended_at, told));
            }
        }
    }
    last.into_iter().map(|(book, (_, told))| (book, told)).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn record(scenario: &str, ended_at: &str, points: i64) -> Record {
        let ended_at: Timestamp = ended_at.parse().unwrap();
        Record {
            drill: format!("DRILL-{}", ended_at.format("%Y%m%d-%H%M%S")),
            scenario: scenario.into(),
            seed: 42,
            people: vec!["ada".into()],
            player: Player::Person,
            began_at: ended_at - crate::domain::time::mins(40),
            ended_at,
            end: "mitigated".into(),
            points,
            of: 90,
            times: Measured { acknowledge: Some(60.0), ..Measured::default() },
            runbooks: vec![Rehearsed { runbook: "high-api-latency".into(), failed_at: None }],
            report: None,
        }
    }

    #[test]
    fn lines_come_back_in_order_and_a_torn_one_is_told() {
        let (late, early) = (record("b", "2026-05-02T10:00:00Z", 5), record("a", "2026-05-01T10:00:00Z", 9));
        let text = format!("{}\n{}\n\n{{\"drill\": \"DRI", line(&late), line(&early));
        let (records, findings) = read("history.jsonl", &text);
        assert_eq!(records, [early, late]);
        assert_eq!((findings.len(), findings[0].line), (1, 4));
        assert!(findings[0].message.contains("left out"), "{}", findings[0]);
    }

    #[test]
    fn people_rehearse_a_runbook_and_chance_does_not() {
        let mut failed = record("a", "2026-05-02T10:00:00Z", 1);
        failed.runbooks[0].failed_at = Some("mitigate".into());
        let mut chance = record("a", "2026-05-03T10:00:00Z", 1);
        chance.player = Player::Random;
        let records = [failed, record("a", "2026-05-01T10:00:00Z", 1), chance];
        let told = rehearsals(&records);
        let one = &told[&RunbookId::from("high-api-latency")];
        assert_eq!((one.on.to_string().as_str(), one.failed_at.clone()), ("2026-05-02", Some("mitigate".into())));
        assert!(rehearsals(&records[2..]).is_empty());
    }
}

//! The journal of a run: one line of JSON for each thing that happened, in order, chained by hashes so that a line that was
//! taken out or changed shows. Text in, values out; which disk it is on is somebody else's business.

use crate::domain::document::{Finding, Level};
use crate::domain::runbook::pieces::sha256;
use crate::domain::time::Timestamp;
use serde::{Deserialize, Serialize};

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// From 1.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// SHA-256 (hex) of the line before; empty for the first.
    pub prev: String,
    /// What happened.
    #[serde(flatten)]
    pub body: Body,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Body {
    /// Somebody wants it. The file's text stays with the run: its rollback is what was confirmed, whatever the file says later.
    Opened(Box<Opened>),
    /// Nothing kept it from beginning.
    Checked {
        /// What was found.
        found: Vec<String>,
    },
    /// Something did.
    Refused {
        /// What.
        why: Vec<String>,
    },
    /// A guard was looked at.
    Guard {
        /// Which.
        id: String,
        /// We are where the file wants to be.
        ok: bool,
        /// What it printed.
        found: String,
    },
    /// A steady condition held, or did not.
    Steady {
        /// After the rollback.
        after: bool,
        /// Which.
        name: String,
        /// Since when; `None` when it did not.
        since: Option<Timestamp>,
        /// The last value.
        seen: String,
    },
    /// A person confirmed a part of the method.
    Confirmed {
        /// Which.
        id: String,
        /// Exactly what.
        shown: String,
    },
    /// The environment's name was typed: the rollback is owed from the first change on.
    Begun {
        /// What the rollback runs.
        rollback: Vec<String>,
    },
    /// The share that is touched: before the first change, and again on the way out.
    Touched {
        /// `at most 50 % of app=redis`; `None` where the file gives no share.
        limit: Option<String>,
        /// What was measured last; `None` where it is not measured.
        seen: Option<String>,
        /// Why it is not measured; empty where it is.
        why: String,
    },
    /// Written before it is done.
    Started {
        /// `method.1`, `rollback.1`.
        id: String,
        /// Exactly what.
        shown: String,
    },
    /// How it ended.
    Ended {
        /// Which.
        id: String,
        /// Done, failed, or unknown.
        ok: Option<bool>,
        /// `exit 0`, `status 204`, `time limit`.
        how: String,
        /// The last lines of its output.
        excerpt: Vec<String>,
    },
    /// The way out began.
    Leaving {
        /// Why.
        cause: Cause,
    },
    /// Every part of the rollback was tried.
    RolledBack {
        /// All of them are done.
        ok: bool,
    },
    /// A criterion was judged.
    Judged {
        /// Which.
        name: String,
        /// Met, not met, or unknown.
        met: Option<bool>,
        /// Why.
        seen: String,
    },
    /// A person answered.
    Answered {
        /// What was asked.
        question: String,
        /// Yes, no, or unsure.
        answer: Option<bool>,
    },
    /// Another process goes on with a run whose own is gone.
    TakenOver {
        /// Who.
        by: String,
        /// Where.
        host: String,
    },
    /// A person says that the rollback was done by hand.
    Settled {
        /// Who.
        by: String,
        /// What was done.
        note: String,
    },
    /// It is over.
    Closed {
        /// How.
        outcome: Outcome,
        /// The hypothesis held, did not hold, or that is not known.
        hypothesis: Option<bool>,
    },
}

/// The beginning of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    /// `EXP-20260501-031204`.
    pub run: String,
    /// The experiment's id.
    pub experiment: String,
    /// Its title.
    pub title: String,
    /// Its hypothesis.
    pub hypothesis: String,
    /// Where it runs.
    pub environment: String,
    /// The file.
    pub path: String,
    /// SHA-256 (hex) of its text.
    pub sha256: String,
    /// Its text.
    pub source: String,
    /// Who.
    pub by: String,
    /// Where from.
    pub host: String,
    /// On the simulated production.
    pub dry: bool,
}

/// Why the way out began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Cause {
    /// Its time was over.
    TimeUp,
    /// An abort condition held.
    Condition {
        /// Which.
        name: String,
        /// The value.
        seen: String,
    },
    /// Nothing was learned for too long.
    NoData {
        /// From which condition.
        name: String,
        /// What was said last.
        seen: String,
    },
    /// More was touched than may be.
    Blast {
        /// What may be: `at most 50 % of app=redis`.
        limit: String,
        /// What was measured.
        seen: String,
    },
    /// The time at which it was to be halted came.
    HaltTime {
        /// Which.
        what: String,
    },
    /// An incident was opened, or whether one is open could not be known any more.
    Incident {
        /// Which, or why that is not known.
        what: String,
    },
    /// A person halted it.
    Halted {
        /// Who.
        by: String,
    },
    /// The terminal is gone, or the program was told to end.
    Signal {
        /// What came.
        what: String,
    },
    /// A part of the method failed.
    Method {
        /// Which.
        id: String,
        /// How.
        how: String,
    },
    /// The journal could not be written.
    Journal {
        /// Why.
        what: String,
    },
    /// Its process was gone without a word.
    Killed,
}

impl Cause {
    /// For people.
    pub fn words(&self) -> String {
        match self {
            Self::TimeUp => "its time was over".to_owned(),
            Self::Condition { name, seen } => format!("abort condition: {name} ({seen})"),
            Self::NoData { name, seen } => format!("no data: {name} ({seen})"),
            Self::Blast { limit, seen } => format!("the blast radius: {seen}, and it was to be {limit}"),
            Self::HaltTime { what } => format!("it was to be halted by {what}"),
            Self::Incident { what } => format!("an incident: {what}"),
            Self::Halted { by } => format!("halted by {by}"),
            Self::Signal { what } => what.clone(),
            Self::Method { id, how } => format!("{id} failed: {how}"),
            Self::Journal { what } => format!("the journal cannot be written: {what}"),
            Self::Killed => "its process was gone without a word".to_owned(),
        }
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It did not begin: something kept it from it.
    Refused,
    /// It did not begin: a person left it.
    Left,
    /// It ran for its time and was taken back.
    Completed,
    /// It ended early and was taken back.
    Aborted,
    /// Its rollback is not done: somebody must look.
    RollbackFailed,
}

impl Outcome {
    /// Its word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Left => "left",
            Self::Completed => "completed",
            Self::Aborted => "aborted",
            Self::RollbackFailed => "rollback_failed",
        }
    }
}

/// The text of the next line, with its end, and its hash.
pub fn line(seq: u64, at: Timestamp, prev: &str, body: &Body) -> (String, String) {
    let entry = Entry { seq, at, prev: prev.to_owned(), body: body.clone() };
    let text = serde_json::to_string(&entry).unwrap_or_default();
    let hash = sha256(&text);
    (text + "\n", hash)
}

/// A journal that was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Journal {
    /// What could be read, in order.
    pub entries: Vec<Entry>,
    /// Hash of the last line.
    pub last: String,
    /// What is wrong with it: a line that a crash tore at the end, a line that does not fit the one before.
    pub findings: Vec<Finding>,
}

/// Reads a journal. A line that cannot be read is told and left out: what is known of a rollback must not be lost with it.
pub fn read(path: &str, text: &str) -> Journal {
    let mut journal = Journal::default();
    let lines = text.split_inclusive('\n').enumerate();
    for (n, raw) in lines {
        let said = raw.trim_end_matches('\n');
        if said.trim().is_empty() {
            continue;
        }
        let mut tell = |message: &str| {
            journal.findings.push(Finding {
                path: path.to_owned(),
                line: n + 1,
                column: 1,
                rule: "journal".to_owned(),
                level: Level::Error,
                message: message.to_owned(),
            });
        };
        match serde_json::from_str::<Entry>(said) {
            Ok(entry) => {
                if entry.prev != journal.last {
                    tell("this line does not follow the one before: a line was changed or taken out");
                }
                journal.last = sha256(said);
                journal.entries.push(entry);
            }
            Err(_) if !raw.ends_with('\n') => {
                tell("the last line is torn: it was being written when its process ended")
            }
            Err(_) => tell("this line cannot be read; it is left out"),
        }
    }
    journal
}

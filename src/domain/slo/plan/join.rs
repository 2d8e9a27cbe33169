//! Answers to measurements: which value belongs to which objective, and what it means when it is missing or impossible.
//! Counts that come out of here are finite, not negative, and bad is never over total.

use crate::domain::fault::Fault;
use crate::domain::slo::objective::{Bad, Objective, Sli};
use crate::domain::slo::plan::{Request, Side, TAG, by_value};
use crate::domain::slo::reading::{Counts, Measurement, Reading, Window};
use crate::domain::slo::sample::Sample;
use crate::domain::time::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// A part may exceed its total by this much: each series is extrapolated to the edges of the window by itself.
const EXTRAPOLATION: f64 = 1.05;

/// What one request brought.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reply {
    /// The series.
    pub samples: Vec<Sample>,
    /// What the server warned of; raw.
    pub warnings: Vec<String>,
    /// The server says that something is missing.
    pub partial: bool,
}

/// One count as it was answered.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::domain::slo) enum Value {
    /// The sum over all series.
    Sum(f64),
    /// NaN, infinite or negative, in words.
    Odd(String),
    /// The request failed.
    Failed(Fault),
}

impl Value {
    pub(in crate::domain::slo) fn of(value: f64) -> Self {
        if value.is_finite() && value >= 0.0 { Self::Sum(value) } else { Self::Odd(format!("a count of {value}")) }
    }

    /// Adds a series; what is odd stays odd.
    pub(in crate::domain::slo) fn and(self, value: f64) -> Self {
        match (self, Self::of(value)) {
            (Self::Sum(a), Self::Sum(b)) => Self::of(a + b),
            (Self::Sum(_), odd) => odd,
            (kept, _) => kept,
        }
    }
}

/// Joins the answers to what [`super::requests`] planned: one measurement per objective, `at` the instant of evaluation.
/// Objectives that no request is for get a measurement without windows.
pub fn join(
    objectives: &[Arc<Objective>],
    windows: &[Window],
    at: Timestamp,
    replies: &[(Request, Result<Reply, Fault>)],
) -> Vec<Measurement> {
    let mut values: HashMap<(usize, Side, Window), Value> = HashMap::new();
    let mut notes: HashMap<usize, (bool, Vec<String>)> = HashMap::new();
    for (request, reply) in replies {
        match reply {
            Ok(reply) => {
                take(request, &reply.samples, &mut values);
                if reply.partial || !reply.warnings.is_empty() {
                    for index in request.objectives() {
                        let note = notes.entry(index).or_default();
                        note.0 = true;
                        note.1
                            .extend(reply.warnings.iter().filter(|w| !note.1.contains(w)).cloned().collect::<Vec<_>>());
                    }
                }
            }
            Err(fault) => {
                for arm in &request.arms {
                    for feed in &arm.feeds {
                        values.insert((feed.objective, feed.side, arm.window), Value::Failed(fault.clone()));
                    }
                }
            }
        }
    }
    let measurement = |(index, objective): (usize, &Arc<Objective>)| {
        let mut readings = BTreeMap::new();
        if let Sli::Events { bad, .. } = &objective.sli {
            for window in windows.iter().filter(|w| w.0 > 0) {
                let part = values.get(&(index, Side::Part, *window));
                let total = values.get(&(index, Side::Total, *window));
                readings.insert(*window, (at, reading(bad, part, total)));
            }
        }
        let (partial, warnings) = notes.get(&index).cloned().unwrap_or_default();
        Measurement { windows: readings, partial, warnings, ..Measurement::empty(objective.id.clone()) }
    };
    objectives.iter().enumerate().map(measurement).collect()
}

fn take(request: &Request, samples: &[Sample], values: &mut HashMap<(usize, Side, Window), Value>) {
    let arms: HashMap<&str, _> = request.arms.iter().map(|arm| (arm.tag.as_str(), (arm, by_value(arm)))).collect();
    for sample in samples {
        let Some((arm, feeds)) = arms.get(sample.labels.get(TAG)) else { continue };
        let value = arm.label.as_ref().map_or("", |label| sample.labels.get(label));
        for feed in feeds.get(value).into_iter().flatten() {
            let key = (feed.objective, feed.side, arm.window);
            let value = match values.remove(&key) {
                Some(before) => before.and(sample.value),
                None => Value::of(sample.value),
            };
            values.insert(key, value);
        }
    }
}

/// What two counts mean together. A missing total is no data; a missing part is none of it.
pub(in crate::domain::slo) fn reading(bad: &Bad, part: Option<&Value>, total: Option<&Value>) -> Reading {
    match (part, total) {
        (Some(Value::Failed(fault)), _) | (_, Some(Value::Failed(fault))) => Reading::Error(fault.clone()),
        (Some(Value::Odd(what)), _) | (_, Some(Value::Odd(what))) => Reading::Odd(what.clone()),
        (_, None) => Reading::NoData,
        (part, Some(Value::Sum(total))) => {
            let part = match part {
                Some(Value::Sum(part)) => *part,
                _ => 0.0,
            };
            if part > total * EXTRAPOLATION {
                return Reading::Odd(format!("{part} of {total} events"));
            }
            let part = part.min(*total);
            let bad = match bad {
                Bad::Counted(_) => part,
                Bad::TotalMinus(_) => total - part,
            };
            Reading::Counts(Counts { bad, total: *total })
        }
    }
}

//! How far a number can be trusted: few events, another number that was recorded, history that is not read yet, and since
//! when nothing came. Words and marks; never changes a number.

use crate::domain::slo::budget;
use crate::domain::slo::objective::Objective;
use crate::domain::slo::reading::{Counts, Measurement, Reading, Via, Window};
use crate::domain::time::{Timestamp, clock_minutes, prometheus};

/// Fewer bad events than this are told as approximate: first increments and gaps between slices weigh too much.
const FEW: f64 = 100.0;
/// Points of budget by which a recorded number may differ from the event-weighted one without a mark.
const POINTS: f64 = 0.05;

/// The number that rules on the server recorded, beside the event-weighted one that counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recording {
    /// Its error ratio over the objective's window.
    pub errors: f64,
    /// The budget that would be left by it.
    pub remaining: Option<f64>,
    /// It differs by more than five points of budget.
    pub differs: bool,
}

/// Whether the counts of the window are too few to be exact.
pub(super) fn approximate(measurement: Option<&Measurement>, counts: Option<Counts>) -> bool {
    measurement.is_some_and(|m| m.via == Via::Events) && counts.is_some_and(|c| c.bad < FEW && c.total > 0.0)
}

/// The recorded number, where both are known.
pub(super) fn recording(objective: &Objective, measurement: Option<&Measurement>) -> Option<Recording> {
    let (recorded, counted) = measurement?.recorded?;
    let left = |errors: f64| budget::consumed_by(errors, objective.target).map(|consumed| 1.0 - consumed);
    let differs = left(recorded).zip(left(counted)).is_some_and(|(a, b)| (a - b).abs() > POINTS);
    Some(Recording { errors: recorded, remaining: left(recorded), differs })
}

/// How much of the history is read, where some is not.
pub(super) fn warming(objective: &Objective, measurement: &Measurement) -> Option<String> {
    let read = measurement.read.filter(|read| *read < 1.0)?;
    // Not 100 % before it is.
    let percent = (read * 100.0).floor().clamp(0.0, 99.0);
    Some(format!("{percent}% of {} read", prometheus(objective.window)))
}

/// Since when nothing came, where slices know.
pub(super) fn silent_since(measurement: &Measurement, now: Timestamp) -> Option<String> {
    let slices = measurement.slices.as_ref()?.slices();
    let last = slices.iter().rev().find(|s| s.counts.is_some())?;
    let day_ago = now - last.end >= Window::D1.span();
    let at = if day_ago { last.end.format("%Y-%m-%d %H:%MZ").to_string() } else { clock_minutes(last.end) };
    Some(format!("no data since {at}"))
}

/// A reading that is a failure, in words.
pub(super) fn wrong(reading: &Reading) -> Option<String> {
    match reading {
        Reading::Error(fault) => Some(fault.to_string()),
        Reading::Odd(what) => Some(what.clone()),
        _ => None,
    }
}

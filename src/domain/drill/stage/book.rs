//! What one objective of a drill counted: running sums per second, so that any window is two look-ups. Before the drill
//! its budget burned evenly, so that as much of it is left as the scenario says. Never reads a signal twice for one second.

use crate::domain::drill::scenario::{Measure, Promise, Rate};
use crate::domain::drill::track::Track;
use crate::domain::labels::Labels;
use crate::domain::slo::objective::{Bad, Gap, Identity, Kind, Objective, Sli};
use crate::domain::slo::reading::Counts;
use crate::domain::slo::windows;
use crate::domain::time::mins;
use std::collections::BTreeMap;

/// Seconds of one slice of a threshold.
const SLICE: f64 = 60.0;

/// The book of one objective.
#[derive(Clone, Debug)]
pub struct Book {
    promise: Promise,
    /// Sums at the end of each second, from the beginning: bad and all.
    sums: Vec<(f64, f64)>,
}

impl Book {
    /// An empty one.
    pub fn new(promise: Promise) -> Self {
        Self { promise, sums: vec![(0.0, 0.0)] }
    }

    /// Whose it is.
    pub fn promise(&self) -> &Promise {
        &self.promise
    }

    /// Whether it counts events.
    pub fn counts_events(&self) -> bool {
        matches!(self.promise.measure, Measure::Events { .. })
    }

    /// Takes in the second that ends at `at`.
    pub fn play(&mut self, at: f64, tracks: &BTreeMap<String, Track>) {
        let value = |signal: &str| tracks.get(signal).map_or(0.0, |track| track.at(at));
        let (bad, total) = match &self.promise.measure {
            Measure::Events { ratio, rate } => {
                let total = match rate {
                    Rate::Fixed(rate) => *rate,
                    Rate::Signal(signal) => value(signal),
                };
                let total = if total.is_finite() { total.clamp(0.0, 1e9) } else { 0.0 };
                (total * value(ratio).clamp(0.0, 1.0), total)
            }
            Measure::Threshold { signal, compare, limit } => {
                let good = compare.holds(value(signal), *limit);
                (if good { 0.0 } else { 1.0 / SLICE }, 1.0 / SLICE)
            }
        };
        let (before_bad, before) = self.sums.last().copied().unwrap_or_default();
        self.sums.push((before_bad + bad, before + total));
    }

    /// Bad and all events between two instants, seconds since the drill began.
    pub fn between(&self, from: f64, to: f64) -> Counts {
        if to <= from {
            return Counts::default();
        }
        let ((bad, total), (first_bad, first)) = (self.upto(to), self.upto(from));
        let total = (total - first).max(0.0);
        Counts { bad: (bad - first_bad).clamp(0.0, total), total }
    }

    fn upto(&self, at: f64) -> (f64, f64) {
        if at <= 0.0 {
            let rate = match &self.promise.measure {
                Measure::Events { rate: Rate::Fixed(rate), .. } => *rate,
                // Before the drill nobody knows the signal; what it is in the first second was always so.
                Measure::Events { rate: Rate::Signal(_), .. } => {
                    self.sums.get(1).map_or(1.0, |(_, total)| total.max(1e-3))
                }
                Measure::Threshold { .. } => 1.0 / SLICE,
            };
            let bad = ((1.0 - self.promise.left) * (1.0 - self.promise.target)).clamp(0.0, 1.0);
            return (at * rate * bad, at * rate);
        }
        let last = self.sums.len().saturating_sub(1);
        let place = (at as usize).min(last);
        let (a, b) = (self.sums.get(place), self.sums.get(place + 1));
        match (a, b) {
            (Some(a), Some(b)) => {
                let share = at - place as f64;
                (a.0 + (b.0 - a.0) * share, a.1 + (b.1 - a.1) * share)
            }
            // What was not played yet has not happened.
            (Some(a), None) => *a,
            _ => (0.0, 0.0),
        }
    }

    /// The objective as every other part of the product sees it.
    pub fn objective(&self, path: &str) -> Objective {
        let promise = &self.promise;
        let (kind, sli, written) = match &promise.measure {
            Measure::Events { ratio, .. } => {
                let bad = format!("sum(increase(drill_bad{{signal=\"{ratio}\"}}[$window]))");
                let total = format!("sum(increase(drill_events{{signal=\"{ratio}\"}}[$window]))");
                let written = format!("1 - {ratio}");
                (Kind::Ratio, Sli::Events { bad: Bad::Counted(bad), total }, written)
            }
            Measure::Threshold { signal, compare, limit } => {
                let written = format!("{signal} {} {limit}", compare.sign());
                let sli = Sli::Slices { value: signal.clone(), compare: *compare, threshold: *limit, slice: mins(1) };
                (Kind::Threshold, sli, written)
            }
        };
        let days = promise.window.num_days();
        let share = (promise.target * 1e8).round() / 1e6;
        Objective {
            id: promise.id.as_str().into(),
            service: promise.service.clone(),
            kind,
            target: promise.target,
            window: promise.window,
            sli,
            source: None,
            policy: None,
            pairs: windows::standard(),
            says: format!("{written} in >= {share} % over {days}d (DRILL)"),
            written,
            declared: format!("{path}:{}", promise.mark.line.max(1)),
            description: promise.description.clone(),
            gap: Gap::default(),
            period: None,
            identity: Identity::Own,
            labels: Labels::default(),
            grouping: Vec::new(),
            min_failures: None,
        }
    }
}

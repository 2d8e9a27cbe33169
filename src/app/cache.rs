//! Last known values, kept so that the first frame after a start already shows them, marked with their age.

use crate::domain::alert::Alert;
use crate::domain::slo::reading::{Counts, Measurement, Reading, Via, Window};
use crate::domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Last known values.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cached {
    /// Counts by objective.
    pub slos: BTreeMap<String, Vec<CachedCounts>>,
    /// Alerts by source.
    pub alerts: BTreeMap<String, Vec<Alert>>,
}

/// Counts of one window.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CachedCounts {
    /// Window in seconds.
    pub window: u32,
    /// Evaluated at.
    pub at: Timestamp,
    /// Bad events.
    pub bad: f64,
    /// All events.
    pub total: f64,
    /// The error ratio where that is all that is known: it was recorded.
    #[serde(default)]
    pub ratio: Option<f64>,
}

impl Cached {
    /// The part of the readings that is worth keeping: counts, not failures.
    pub fn of<'m>(readings: impl Iterator<Item = &'m Measurement>, alerts: BTreeMap<String, Vec<Alert>>) -> Self {
        let slos = readings
            .map(|m| {
                let counts = m.windows.iter().filter_map(|(window, (at, reading))| {
                    let ratio = reading.error_ratio().filter(|_| reading.counts().is_none());
                    let counts = reading.counts().or(ratio.map(|_| Counts::default()))?;
                    Some(CachedCounts { window: window.0, at: *at, bad: counts.bad, total: counts.total, ratio })
                });
                (m.slo.0.clone(), counts.collect())
            })
            .collect();
        Self { slos, alerts }
    }

    /// The measurement of an objective as it was kept; nonsense in the file is left out.
    pub fn measurement(&self, slo: &str, now: Timestamp) -> Option<Measurement> {
        let sound = |c: &&CachedCounts| {
            let ratio = c.ratio.is_none_or(|r| (0.0..=1.0).contains(&r));
            c.at <= now && ratio && c.bad.is_finite() && c.total.is_finite() && c.bad >= 0.0 && c.total >= c.bad
        };
        let reading = |c: &CachedCounts| match c.ratio {
            Some(ratio) => Reading::Recorded(ratio),
            None => Reading::Counts(Counts { bad: c.bad, total: c.total }),
        };
        let windows: BTreeMap<Window, (Timestamp, Reading)> =
            self.slos.get(slo)?.iter().filter(sound).map(|c| (Window(c.window), (c.at, reading(c)))).collect();
        let recorded = windows.values().any(|(_, r)| matches!(r, Reading::Recorded(_)));
        let via = if recorded { Via::Recorded } else { Via::Events };
        (!windows.is_empty()).then(|| Measurement { windows, via, ..Measurement::empty(slo.into()) })
    }
}

//! What the events behind an objective's windows add to its status: readings without planned work, the calendar budget,
//! where the budget is going. Without those events it says so, and leaves the numbers as they were read.

use crate::domain::slo::calendar::{self, Calendar};
use crate::domain::slo::composite_events::CompositeEvents;
use crate::domain::slo::maintenance::Stretch;
use crate::domain::slo::net_events::NetEvents;
use crate::domain::slo::objective::Objective;
use crate::domain::slo::outlook;
use crate::domain::slo::period::{Period, Unit};
use crate::domain::slo::reading::{Counts, Measurement, Reading, Window};
use crate::domain::slo::status::{Around, Forecast};
use crate::domain::time::{Span, Timestamp};
use chrono_tz::Tz;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Planned work of one objective.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Work {
    /// What is being done now.
    pub now: Option<Stretch>,
    /// What is done next.
    pub next: Option<Stretch>,
    /// What was done in its window, or is being done; oldest first.
    pub inside: Vec<Stretch>,
    /// Events that do not count because of it; `None` where the events behind the window are not known, and then nothing
    /// is excluded.
    pub excluded: Option<Counts>,
}

/// What is known of the events behind a measurement.
#[derive(Debug, Default)]
pub struct Known {
    /// Readings of the windows that planned work touches, without it.
    pub windows: BTreeMap<Window, (Timestamp, Reading)>,
    /// Planned work.
    pub work: Work,
    /// The events over time, without planned work.
    net: Option<NetEvents>,
    /// Those behind the parts of a composite.
    parts: Option<Arc<CompositeEvents>>,
}

impl Known {
    /// Takes the planned work out of a measurement, as far as its events are known.
    pub fn of(objective: &Objective, measurement: Option<&Measurement>, now: Timestamp, around: &Around<'_>) -> Self {
        let slices = measurement.and_then(|m| m.slices.as_deref());
        let net = slices.map(|s| NetEvents::of(s, around.work));
        let parts = measurement.and_then(|m| m.parts.as_ref()?.as_ref().ok()).cloned();
        let mut known = Self { work: work(objective, now, around.work), net, parts, ..Self::default() };
        if let (Some(measurement), Some(net)) = (measurement, &known.net) {
            let (windows, excluded) = spared(objective, measurement, net, &known.work.inside);
            (known.windows, known.work.excluded) = (windows, excluded);
        }
        known
    }

    /// The budget of the objective's calendar period, or of the month in a zone.
    pub fn calendar(&self, objective: &Objective, now: Timestamp, zone: Tz) -> Option<Calendar> {
        let month = Period::of(Unit::Month, zone);
        let period = objective.period.as_ref().unwrap_or(&month);
        if let Some(parts) = &self.parts {
            return parts.calendar(period.words(), period.bounds(now)?);
        }
        calendar::budget(self.net.as_ref()?, period.words(), period.bounds(now)?, objective.target)
    }

    /// Where a rolling budget is going.
    pub fn outlook(&self, objective: &Objective, remaining: f64, burn: Option<f64>) -> Forecast {
        let (six, three) = ((Span::hours(6), Span::minutes(15)), (Span::hours(72), Span::hours(1)));
        if let Some(parts) = &self.parts {
            let trend = |(back, step)| parts.trend(back, step).filter(|_| remaining > 0.0);
            let rolling = burn.and_then(|b| parts.rolling(remaining, b));
            return Forecast { rolling, trend_6h: trend(six), trend_3d: trend(three), ..Forecast::default() };
        }
        let Some(net) = &self.net else { return Forecast::default() };
        let (target, window) = (objective.target, objective.window);
        let trend = |(back, step)| outlook::trend(net, target, window, back, step).filter(|_| remaining > 0.0);
        Forecast {
            rolling: burn.and_then(|b| outlook::rolling(net, target, window, remaining, b)),
            trend_6h: trend(six),
            trend_3d: trend(three),
            ..Forecast::default()
        }
    }
}

/// A measurement without planned work, and the events that this excludes from its own window; as it is where the events
/// behind it are not known. For the parts of a composite.
pub fn without_work(
    objective: &Objective,
    measurement: &Measurement,
    now: Timestamp,
    all: &[Stretch],
) -> (Measurement, Option<Counts>) {
    let mut spare = measurement.clone();
    let Some(slices) = measurement.slices.as_deref().filter(|_| !all.is_empty()) else { return (spare, None) };
    let net = NetEvents::of(slices, all);
    let (windows, excluded) = spared(objective, measurement, &net, &work(objective, now, all).inside);
    spare.windows.extend(windows);
    (spare, excluded)
}

type Spared = (BTreeMap<Window, (Timestamp, Reading)>, Option<Counts>);

/// The readings that planned work touches, without it.
fn spared(objective: &Objective, measurement: &Measurement, net: &NetEvents, inside: &[Stretch]) -> Spared {
    let (mut windows, mut excluded) = (BTreeMap::new(), None);
    let (Some(end), Some(slices)) = (net.end(), measurement.slices.as_deref()) else { return (windows, excluded) };
    for (window, (at, reading)) in &measurement.windows {
        let touched = inside.iter().any(|w| w.to > *at - window.span() && w.from < *at);
        if !touched || !reading.is_known() {
            continue;
        }
        let (counts, share) = net.between(end - window.span(), end);
        if share > 0.0 {
            windows.insert(*window, (*at, Reading::Counts(counts)));
        }
        if *window == Window::of(objective.window) {
            let (gross, _) = slices.between(end - window.span(), end);
            let less = |all: f64, net: f64| (all - net).max(0.0);
            excluded = Some(Counts { bad: less(gross.bad, counts.bad), total: less(gross.total, counts.total) });
        }
    }
    (windows, excluded)
}

fn work(objective: &Objective, now: Timestamp, all: &[Stretch]) -> Work {
    let from = now.checked_sub_signed(objective.window).unwrap_or(now);
    Work {
        now: all.iter().find(|w| w.from <= now && now < w.to).cloned(),
        next: all.iter().find(|w| w.from > now).cloned(),
        inside: all.iter().filter(|w| w.to > from && w.from <= now).cloned().collect(),
        excluded: None,
    }
}

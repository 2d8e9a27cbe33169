//! From instants and slices to one measurement: which windows are asked, and what each is made of. Pure; a window whose
//! history was not read is left out, never told from a part of it.

use crate::domain::fault::Fault;
use crate::domain::slo::event_slices::EventSlices;
use crate::domain::slo::objective::Objective;
use crate::domain::slo::reading::{Measurement, Reading, Via, Window};
use crate::domain::slo::slices::Slices;
use crate::domain::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Windows that are always asked as they are.
const INSTANTS: [Window; 2] = [Window::M5, Window::M30];
/// A shorter window that is no multiple of a fine slice is asked as it is.
const FINE: u32 = 300;

/// Every window that an objective is read in: the standard ones, those of its pairs, its own, and what else is wanted.
pub fn windows(objective: &Objective, more: &[Window]) -> BTreeSet<Window> {
    let pairs = objective.pairs.iter().flat_map(|p| [p.long, p.short]);
    let own = Window::of(objective.window);
    Window::BURN.into_iter().chain(pairs).chain([own]).chain(more.iter().copied()).filter(|w| w.0 > 0).collect()
}

/// Those of them that are counted by a query of their own at every poll.
pub fn instants(windows: &BTreeSet<Window>) -> impl Iterator<Item = Window> + '_ {
    windows.iter().copied().filter(|w| INSTANTS.contains(w) || (*w < Window::H1 && w.0 % FINE != 0))
}

/// What a poll brought for one objective that counts events.
#[derive(Debug)]
pub struct Counted<'a> {
    /// Readings of the windows that were asked as they are.
    pub instants: &'a BTreeMap<Window, (Timestamp, Reading)>,
    /// Its slices after the poll.
    pub slices: &'a Arc<EventSlices>,
    /// Why its slices could not be read on.
    pub failed: Option<&'a Fault>,
    /// What was odd in its newest slices.
    pub odd: Option<&'a str>,
}

/// The measurement of an objective that counts events.
pub fn counted(objective: &Objective, poll: &Counted<'_>, more: &[Window], now: Timestamp) -> Measurement {
    let own = Window::of(objective.window);
    let head = poll.instants.get(&Window::M5).and_then(|(_, r)| r.counts());
    let mut out = Measurement { via: Via::Events, ..Measurement::empty(objective.id.clone()) };
    for window in windows(objective, more) {
        if let Some(read) = poll.instants.get(&window) {
            out.windows.insert(window, read.clone());
            continue;
        }
        if !poll.slices.has_read(window, now) {
            continue;
        }
        let reading = match (poll.failed, poll.odd) {
            (Some(fault), _) => Reading::Error(fault.clone()),
            (None, Some(what)) => Reading::Odd(what.to_owned()),
            (None, None) => poll.slices.ending(window, now, head),
        };
        out.windows.insert(window, (now, reading));
    }
    out.read = Some(poll.slices.read(own, now));
    out.coverage = Some(poll.slices.coverage(own));
    out.slices = Some(Arc::clone(poll.slices));
    out
}

/// What the slices of an objective say between two polls: the windows that nobody asks as they are.
pub fn from_slices(objective: &Objective, slices: &Arc<EventSlices>, now: Timestamp) -> Measurement {
    let none = BTreeMap::new();
    let mut out = counted(objective, &Counted { instants: &none, slices, failed: None, odd: None }, &[], now);
    let short: Vec<Window> = instants(&windows(objective, &[])).collect();
    out.windows.retain(|window, _| !short.contains(window));
    out
}

/// The measurement of an objective that is judged slice by slice. `failed`: its newest slices could not be read.
pub fn judged(
    objective: &Objective,
    slices: &Slices,
    failed: Option<&Fault>,
    more: &[Window],
    now: Timestamp,
) -> Measurement {
    let own = Window::of(objective.window);
    let mut out = Measurement { via: Via::Slices, ..Measurement::empty(objective.id.clone()) };
    for window in windows(objective, more).into_iter().filter(|w| slices.read(*w, now) >= 1.0) {
        let reading = match failed {
            Some(fault) => Reading::Error(fault.clone()),
            None => slices.reading(window, objective.gap),
        };
        out.windows.insert(window, (now, reading));
    }
    if let (Some(fault), true) = (failed, out.windows.is_empty()) {
        out.windows.insert(Window::M5, (now, Reading::Error(fault.clone())));
    }
    out.read = Some(slices.read(own, now));
    out.coverage = Some(slices.coverage(own));
    out.slices = Some(Arc::clone(slices.events()));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::slo::reading::Counts;
    use crate::domain::slo::seed;
    use crate::domain::time::Span;

    fn objective() -> Objective {
        seed::read("slo.yaml", include_str!("../../../tests/fixtures/seeds/slo.yaml")).0.remove(0)
    }

    #[test]
    fn odd_short_windows_are_asked_and_the_rest_is_summed() {
        let o = objective();
        let all = windows(&o, &[Window(480), Window(3_840), Window(900)]);
        assert_eq!(instants(&all).collect::<Vec<_>>(), [Window::M5, Window(480), Window::M30]);
        assert!(all.contains(&Window::of(o.window)) && all.contains(&Window(3_840)));
    }

    #[test]
    fn a_month_is_told_when_it_was_read_and_a_failure_is_never_a_number() {
        let o = objective();
        let now = Timestamp::from_timestamp(1_777_593_600 + 60, 0).unwrap();
        let mut slices = EventSlices::of(o.window, Span::zero());
        let one = |_| Some(Counts { bad: 1.0, total: 100.0 });
        let fine = slices.fine.number(now);
        slices.fine.take(fine - 71, fine, one);
        let head = (now, Reading::Counts(Counts { bad: 5.0, total: 100.0 }));
        let instants = BTreeMap::from([(Window::M5, head.clone()), (Window::M30, head.clone())]);
        let kept = Arc::new(slices.clone());
        let poll = Counted { instants: &instants, slices: &kept, failed: None, odd: None };
        let got = counted(&o, &poll, &[], now);
        let keys: Vec<String> = got.windows.keys().map(ToString::to_string).collect();
        assert_eq!(keys, ["5m", "30m", "1h", "2h", "6h"]);
        let hour = got.windows[&Window::H1].1.counts().unwrap();
        assert!((hour.bad - 16.0).abs() < 1e-9 && (hour.total - 1_200.0).abs() < 1e-9, "{hour:?}");
        assert!(got.read.is_some_and(|r| r > 0.0 && r < 0.02), "{:?}", got.read);
        let coarse = slices.coarse.number(now);
        slices.coarse.take(coarse - 719, coarse, one);
        let kept = Arc::new(slices);
        let got = counted(&o, &Counted { slices: &kept, ..poll }, &[], now);
        assert_eq!((got.read, got.windows.len()), (Some(1.0), 8));
        let short = from_slices(&o, &kept, now);
        assert!(!short.windows.contains_key(&Window::M5) && short.windows.contains_key(&Window::D3));
        let fault = Fault::new(crate::domain::fault::FaultKind::Timeout, "prometheus", "slow");
        let failed = Counted { instants: &instants, slices: &kept, failed: Some(&fault), odd: None };
        let got = counted(&o, &failed, &[], now);
        assert!(matches!(got.windows[&Window::D3].1, Reading::Error(_)));
        assert_eq!(got.windows[&Window::M5], head);
    }
}

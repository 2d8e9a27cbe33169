//! Lines for the chart of one objective: burn rates on a fixed grid, and how its budget went down. A gap stays a gap.

use crate::domain::slo::event_slices::EventSlices;
use crate::domain::slo::objective::{Objective, Sli};
use crate::domain::slo::plan::join::{Value, reading};
use crate::domain::slo::plan::{Request, Side, TAG, by_value};
use crate::domain::slo::reading::{Reading, Series, Window};
use crate::domain::slo::sample::RangeSeries;
use crate::domain::slo::{burn, lines};
use crate::domain::time::{Span, Timestamp, seconds};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The most points of one line.
pub const POINTS: usize = 11_000;

/// A fixed time grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// First instant.
    pub start: Timestamp,
    /// Distance of two instants, a second or more.
    pub step: Span,
    /// How many instants.
    pub points: usize,
}

impl Grid {
    /// The grid over `[end - range, end]` on multiples of the step, so that servers can reuse answers. A step that would
    /// make too many points is widened.
    pub fn over(range: Span, step: Span, end: Timestamp) -> Self {
        let range = range.num_seconds().max(0);
        let most = i64::try_from(POINTS).unwrap_or(i64::MAX) - 1;
        let step = step.num_seconds().max(1).max(range / most + 1);
        let last = end.timestamp().div_euclid(step) * step;
        let points = range / step + 1;
        let start = Timestamp::from_timestamp(last - (points - 1) * step, 0).unwrap_or(end);
        Self { start, step: Span::seconds(step), points: usize::try_from(points).unwrap_or(1) }
    }

    /// The last instant.
    pub fn end(&self) -> Timestamp {
        let steps = i32::try_from(self.points.saturating_sub(1)).unwrap_or(i32::MAX);
        self.step.checked_mul(steps).and_then(|s| self.start.checked_add_signed(s)).unwrap_or(self.start)
    }

    fn index(&self, at: Timestamp) -> Option<usize> {
        let index = (seconds(at - self.start) / seconds(self.step)).round();
        (index >= 0.0 && index < self.points as f64).then_some(index as usize)
    }
}

/// The answers to one request of [`super::plan::requests`] for a single objective, asked over a grid.
pub type Answer = (Request, Vec<RangeSeries>);

/// Burn rates per window; `None` where the total is missing, zero or impossible.
pub fn burns(objective: &Objective, grid: Grid, answers: &[Answer]) -> Vec<Series> {
    let line = |window: Window, readings: Vec<Reading>| {
        let rate = |r: Reading| burn::rate(r.counts()?, objective.target);
        Series { window, start: grid.start, step: grid.step, points: readings.into_iter().map(rate).collect() }
    };
    readings(objective, grid, answers).into_iter().map(|(w, r)| line(w, r)).collect()
}

/// Burn rates per window out of slices, where every slice of a window was asked for and has data.
pub fn burns_of_slices(objective: &Objective, grid: Grid, windows: &[Window], slices: &EventSlices) -> Vec<Series> {
    let (Some(end), Some(first)) = (slices.end(), slices.slices().first().map(|s| s.end - s.length)) else {
        return Vec::new();
    };
    let burn = |window: Window, index: usize| {
        let at = grid.step.checked_mul(i32::try_from(index).ok()?).and_then(|s| grid.start.checked_add_signed(s))?;
        let from = at - window.span();
        // A window that reaches before the oldest slice would be told from its rest only.
        let (counts, known) = slices.between(from, at);
        let inside = from >= first && at - slices.fine.step() <= end;
        burn::rate(counts, objective.target).filter(|_| inside && known > 0.0)
    };
    let line = |window: &Window| Series {
        window: *window,
        start: grid.start,
        step: grid.step,
        points: (0..grid.points).map(|index| burn(*window, index)).collect(),
    };
    windows.iter().map(line).collect()
}

/// How the budget went down over the objective's window, out of slices.
pub fn budget_of_slices(objective: &Objective, slices: &EventSlices, points: usize) -> Option<Series> {
    let end = slices.end()?;
    let from = end - objective.window;
    let (counts, _) = slices.between(from, end);
    let budget = lines::allowed(objective.target, counts.total)?;
    lines::burn_down(&slices.slices(), budget, from, end, points)
}

fn readings(objective: &Objective, grid: Grid, answers: &[Answer]) -> BTreeMap<Window, Vec<Reading>> {
    let Sli::Events { bad, .. } = &objective.sli else { return BTreeMap::new() };
    let mut values: HashMap<(Side, Window, usize), Value> = HashMap::new();
    let mut windows = BTreeSet::new();
    for (request, series) in answers {
        let arms: HashMap<&str, _> = request.arms.iter().map(|a| (a.tag.as_str(), (a, by_value(a)))).collect();
        windows.extend(request.arms.iter().map(|a| a.window));
        for line in series {
            let Some((arm, feeds)) = arms.get(line.labels.get(TAG)) else { continue };
            let value = arm.label.as_ref().map_or("", |label| line.labels.get(label));
            for feed in feeds.get(value).into_iter().flatten() {
                for (at, number) in &line.points {
                    let Some(index) = grid.index(*at) else { continue };
                    let key = (feed.side, arm.window, index);
                    let value = match values.remove(&key) {
                        Some(before) => before.and(*number),
                        None => Value::of(*number),
                    };
                    values.insert(key, value);
                }
            }
        }
    }
    let at = |window: Window, index: usize| {
        reading(bad, values.get(&(Side::Part, window, index)), values.get(&(Side::Total, window, index)))
    };
    windows.into_iter().map(|w| (w, (0..grid.points).map(|i| at(w, i)).collect())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::labels::Labels;
    use crate::domain::slo::{plan, seed};
    use crate::domain::time::{mins, secs};
    use std::sync::Arc;

    fn objective() -> Arc<Objective> {
        let text = include_str!("../../../tests/fixtures/seeds/slo.yaml");
        Arc::new(seed::read("slo.yaml", text).0.remove(0))
    }

    fn end() -> Timestamp {
        Timestamp::from_timestamp(1_700_000_123, 0).unwrap()
    }

    fn answer(window: Window, grid: Grid, bad: &[Option<f64>], total: &[Option<f64>]) -> Vec<Answer> {
        let request = plan::requests(&[objective()], &[window]).remove(0);
        let line = |arm: &plan::Arm| {
            let values = if arm.feeds[0].side == Side::Total { total } else { bad };
            let at = |i: usize| grid.start + grid.step * i32::try_from(i).unwrap();
            let points = values.iter().enumerate().filter_map(|(i, v)| v.map(|v| (at(i), v))).collect();
            RangeSeries { labels: Labels::from([(TAG, arm.tag.as_str())]), points }
        };
        let series = request.arms.iter().map(line).collect();
        vec![(request, series)]
    }

    #[test]
    fn gaps_stay_gaps() {
        let grid = Grid::over(mins(20), mins(5), end());
        assert_eq!((grid.points, grid.start.timestamp() % 300, grid.end() <= end()), (5, 0, true));
        let bad = [Some(1.0), None, Some(1.0), Some(f64::NAN), None];
        let total = [Some(1_000.0), Some(1_000.0), None, Some(1_000.0), Some(0.0)];
        let lines = burns(&objective(), grid, &answer(Window::M5, grid, &bad, &total));
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].points, [Some(1.0), Some(0.0), None, None, None]);
        assert_eq!((lines[0].start, lines[0].step), (grid.start, mins(5)));
    }

    #[test]
    fn slices_give_the_same_lines() {
        let o = objective();
        let mut slices = EventSlices::of(o.window, Span::zero());
        let last = slices.fine.number(end());
        let one =
            |bad: bool| Some(crate::domain::slo::reading::Counts { bad: f64::from(u8::from(bad)), total: 1_000.0 });
        slices.fine.take(last - 71, last, |n| one(n == last));
        let grid = Grid::over(mins(30), mins(5), end());
        let line = burns_of_slices(&o, grid, &[Window::M5, Window::H1, Window::D1], &slices);
        assert_eq!(line[0].points, [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0].map(Some));
        assert!(line[1].points.last().unwrap().is_some_and(|b| (b - 1.0 / 12.0).abs() < 1e-9));
        assert!(line[2].points.iter().all(Option::is_none), "a day is not known");
        let budget = budget_of_slices(&o, &slices, 720).unwrap();
        assert_eq!(budget.points.len(), 720);
        let left = budget.points.last().copied().flatten().unwrap();
        assert!((left - (1.0 - 1.0 / 72.0)).abs() < 1e-9, "{left}");
    }

    #[test]
    fn a_grid_never_asks_for_too_much() {
        let grid = Grid::over(Span::days(365), secs(1), end());
        assert!(grid.points <= POINTS && grid.step > secs(2_800), "{grid:?}");
        assert_eq!(Grid::over(secs(0), secs(0), end()).points, 1);
    }
}

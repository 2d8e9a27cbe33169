//! Answers over a stretch of slices: what happened in each slice of each objective. The same requests as for a window, asked
//! at the end of every slice. Nonsense in a slice leaves that slice unknown, and is told.

use crate::domain::fault::Fault;
use crate::domain::slo::event_slices::Stretch;
use crate::domain::slo::objective::{Objective, Sli};
use crate::domain::slo::plan::join::{Value, reading};
use crate::domain::slo::plan::{Request, Side, TAG, by_value};
use crate::domain::slo::reading::{Counts, Reading};
use crate::domain::slo::sample::RangeSeries;
use crate::domain::time::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The longest stretch that is read: a guard for sums of lengths, far over any that is asked.
const MOST: i64 = 20_000;

/// What is known of one objective's slices.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// One entry per slice of the stretch, `None` without data; and what was odd, if anything.
    Slices(Vec<Option<Counts>>, Option<String>),
    /// A request for it failed.
    Failed(Fault),
}

/// One answer.
pub type Lines<'a> = (&'a Request, Result<&'a [RangeSeries], &'a Fault>);

#[derive(Clone, Copy, PartialEq)]
enum Cell {
    Missing,
    Sum(f64),
    Odd,
}

/// Joins answers over a stretch by index of the objective. An objective that no request was for is not in it.
pub fn columns(objectives: &[Arc<Objective>], stretch: Stretch, answers: &[Lines<'_>]) -> BTreeMap<usize, Column> {
    let Some(count) = slices_of(stretch) else { return BTreeMap::new() };
    let mut sides: BTreeMap<(usize, Side), Vec<Cell>> = BTreeMap::new();
    let mut failed: BTreeMap<usize, Fault> = BTreeMap::new();
    for (request, answer) in answers {
        for feed in request.arms.iter().flat_map(|arm| &arm.feeds) {
            sides.entry((feed.objective, feed.side)).or_insert_with(|| vec![Cell::Missing; count]);
        }
        match answer {
            Ok(lines) => take(request, lines, stretch, &mut sides),
            Err(fault) => failed.extend(request.objectives().into_iter().map(|index| (index, (*fault).clone()))),
        }
    }
    let mut columns = BTreeMap::new();
    for (index, objective) in objectives.iter().enumerate() {
        let Sli::Events { bad, .. } = &objective.sli else { continue };
        if let Some(fault) = failed.remove(&index) {
            columns.insert(index, Column::Failed(fault));
            continue;
        }
        let (part, total) = (sides.get(&(index, Side::Part)), sides.get(&(index, Side::Total)));
        if part.is_none() && total.is_none() {
            continue;
        }
        let value = |side: Option<&Vec<Cell>>, n: usize| match side.and_then(|cells| cells.get(n)) {
            Some(Cell::Sum(sum)) => Some(Value::Sum(*sum)),
            Some(Cell::Odd) => Some(Value::Odd("a count that is none".into())),
            Some(Cell::Missing) | None => None,
        };
        let mut odd = None;
        let slot = |n: usize| match reading(bad, value(part, n).as_ref(), value(total, n).as_ref()) {
            Reading::Counts(counts) => Some(counts),
            Reading::Odd(what) => {
                odd.get_or_insert(what);
                None
            }
            _ => None,
        };
        let slots = (0..count).map(slot).collect();
        columns.insert(index, Column::Slices(slots, odd));
    }
    columns
}

fn slices_of(stretch: Stretch) -> Option<usize> {
    let count = stretch.to.checked_sub(stretch.from)?.checked_add(1)?;
    usize::try_from(count).ok().filter(|_| (1..=MOST).contains(&count) && stretch.length > 0)
}

fn take(request: &Request, lines: &[RangeSeries], stretch: Stretch, sides: &mut BTreeMap<(usize, Side), Vec<Cell>>) {
    let arms: HashMap<&str, _> = request.arms.iter().map(|arm| (arm.tag.as_str(), (arm, by_value(arm)))).collect();
    for line in lines {
        let Some((arm, feeds)) = arms.get(line.labels.get(TAG)) else { continue };
        let value = arm.label.as_ref().map_or("", |label| line.labels.get(label));
        for feed in feeds.get(value).into_iter().flatten() {
            let Some(cells) = sides.get_mut(&(feed.objective, feed.side)) else { continue };
            for (at, value) in &line.points {
                let Some(cell) = number(*at, stretch).and_then(|n| cells.get_mut(n)) else { continue };
                let value = value * arm.scale;
                let sound = value.is_finite() && value >= 0.0;
                *cell = match *cell {
                    _ if !sound => Cell::Odd,
                    Cell::Missing => Cell::Sum(value),
                    Cell::Sum(before) => Cell::Sum(before + value),
                    Cell::Odd => Cell::Odd,
                };
            }
        }
    }
}

/// The place of a slice that ends at an instant; a server may round instants to milliseconds.
fn number(at: Timestamp, stretch: Stretch) -> Option<usize> {
    let number = (at.timestamp_millis() as f64 / (stretch.length as f64 * 1_000.0)).round() as i64;
    usize::try_from(number - stretch.from).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fault::FaultKind;
    use crate::domain::labels::Labels;
    use crate::domain::slo::plan::requests;
    use crate::domain::slo::reading::Window;
    use crate::domain::slo::seed;

    const STRETCH: Stretch = Stretch { length: 300, from: 5_000_000, to: 5_000_003 };

    fn objectives() -> Vec<Arc<Objective>> {
        let text = "a: {sli: 'sum(rate(x{job=\"a\",code!~\"5..\"}[5m])) / sum(rate(x{job=\"a\"}[5m]))', target: 0.9, window: 30d}
  b: {sli: 'sum(rate(x{job=\"b\",code!~\"5..\"}[5m])) / sum(rate(x{job=\"b\"}[5m]))', target: 0.9, window: 30d}
  c: {sli: 'sum(rate(good[5m])) / sum(rate(every[5m]))', target: 0.9, window: 30d}
  d: {sli: 'max(q)', target: 3, window: 30d}\n";
        seed::read("f.yaml", &format!("{}:\n  {text}", seed::ROOT)).0.into_iter().map(Arc::new).collect()
    }

    fn line(tag: &str, job: &str, values: &[(i64, f64)]) -> RangeSeries {
        let at = |n: i64| Timestamp::from_timestamp_millis(n * 300_000 + 1).unwrap();
        RangeSeries {
            labels: Labels::from([(TAG, tag), ("job", job)]),
            points: values.iter().map(|(n, v)| (at(5_000_000 + n), *v)).collect(),
        }
    }

    #[test]
    fn slices_are_joined_and_nonsense_stays_in_its_slice() {
        let list = objectives();
        let requests = requests(&list, &[Window::M5]);
        let tag = |request: &Request, side: &str| {
            request.arms.iter().map(|a| a.tag.clone()).find(|t| t.starts_with(side)).unwrap()
        };
        let (shared, lone) = (&requests[0], &requests[1]);
        let lines = [
            line(&tag(shared, "total"), "a", &[(0, 10.0), (1, 20.0), (3, 0.0), (9, 7.0)]),
            line(&tag(shared, "bad"), "a", &[(0, 1.0)]),
            line(&tag(shared, "bad"), "b", &[(0, 1.0)]),
            line(&tag(shared, "total"), "b", &[(0, f64::NAN), (1, 5.0), (2, -1.0), (3, f64::INFINITY)]),
            line(&tag(shared, "total"), "elsewhere", &[(0, 1e9)]),
        ];
        let down = Fault::new(FaultKind::Timeout, "prometheus", "slow");
        let got = columns(&list, STRETCH, &[(shared, Ok(&lines)), (lone, Err(&down))]);
        let counts = |bad: f64, total: f64| Some(Counts { bad, total });
        let want = vec![counts(1.0, 10.0), counts(0.0, 20.0), None, counts(0.0, 0.0)];
        assert_eq!(got[&0], Column::Slices(want, None));
        let Column::Slices(b, Some(odd)) = &got[&1] else { panic!("{got:?}") };
        assert_eq!((b.as_slice(), odd.as_str()), (&[None, counts(0.0, 5.0), None, None][..], "a count that is none"));
        assert_eq!(got[&2], Column::Failed(down));
        assert!(!got.contains_key(&3));
    }
}

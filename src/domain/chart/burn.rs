//! Burn rates over time as plain geometry. The time axis has columns of one fixed length that stay where they are when new
//! points arrive; the greatest value of a column is what it shows; a column without data stays empty and nothing is drawn
//! across it. Never draws.

use crate::domain::slo::reading::{Series, Window};
use crate::domain::time::{Span, Timestamp};
use chrono::TimeDelta;

/// Heights that one row of cells can tell apart: the dots of a braille cell.
pub const SUBS: usize = 4;
/// The most columns that one point may take when there are few.
const STRETCH: usize = 4;
/// The largest chart, in columns or rows; more is cut.
const LARGEST: usize = 2_000;

/// A burn rate that matters.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// The burn rate, over 0.
    pub value: f64,
    /// What happens over it: `page`, `ticket`, `budget`. Raw.
    pub label: String,
}

/// The limits of the standard alert pairs, and the rate that spends the budget exactly.
pub fn standard() -> Vec<Threshold> {
    [(14.4, "page"), (6.0, "page"), (3.0, "ticket"), (1.0, "budget")]
        .map(|(value, label)| Threshold { value, label: label.to_owned() })
        .to_vec()
}

/// A line across the chart.
#[derive(Clone, Debug, PartialEq)]
pub struct ThresholdLine {
    /// Its burn rate.
    pub value: f64,
    /// Its label, raw.
    pub label: String,
    /// The row of cells it is in, from the top.
    pub row: usize,
    /// Its height in sub-cells from the bottom.
    pub sub: usize,
    /// Which dash pattern tells it from the others: 0 for the highest, counts on.
    pub dash: usize,
}

/// A label of the value axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowLabel {
    /// The row of cells, from the top.
    pub row: usize,
    /// `14.4`, `0.1`.
    pub text: String,
}

/// A label of the time axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeLabel {
    /// The column of its first character.
    pub column: usize,
    /// `03:14Z`, or `05-01` when the chart is longer than two days.
    pub text: String,
}

/// A chart without a way to draw it.
#[derive(Clone, Debug, PartialEq)]
pub struct BurnChart {
    /// The window whose burn rate this is.
    pub window: Window,
    /// Columns: the height of the greatest value in sub-cells from the bottom, `None` without data.
    pub columns: Vec<Option<usize>>,
    /// The greatest value of each column, beside `columns`.
    pub values: Vec<Option<f64>>,
    /// Rows of cells; each has [`SUBS`] sub-cells.
    pub rows: usize,
    /// Lines across, highest first, at most one per row.
    pub thresholds: Vec<ThresholdLine>,
    /// Labels of the value axis, at most one per row.
    pub labels: Vec<RowLabel>,
    /// Labels of the time axis, left to right, not touching.
    pub times: Vec<TimeLabel>,
    /// How much time a column is.
    pub bucket: Span,
    /// The first and the last point; `None` without points.
    pub span: Option<(Timestamp, Timestamp)>,
}

impl BurnChart {
    /// Whether there is anything to draw.
    pub fn has_data(&self) -> bool {
        self.columns.iter().any(Option::is_some)
    }

    /// The row of cells (from the top) of a height in sub-cells.
    pub fn row_of(&self, sub: usize) -> usize {
        self.rows.saturating_sub(1).saturating_sub(sub / SUBS)
    }
}

/// Works out the chart of a series in `width` columns and `height` rows of cells. Not-finite and negative values are gaps;
/// values over the scale stand on its top row, those under it on its bottom row.
pub fn burn(series: &Series, width: usize, height: usize, thresholds: &[Threshold]) -> BurnChart {
    let (width, height) = (width.min(LARGEST), height.min(LARGEST));
    let scale = Scale::new(thresholds, height);
    let grid = Grid::new(series, width);
    let values = grid.fill(&series.points, width);
    let columns = values.iter().map(|value| value.and_then(|v| scale.sub(v))).collect();
    let mut chart = BurnChart {
        window: series.window,
        columns,
        values,
        rows: height,
        thresholds: Vec::new(),
        labels: Vec::new(),
        times: grid.labels(width),
        bucket: TimeDelta::try_milliseconds(grid.bucket).unwrap_or(TimeDelta::MAX),
        span: grid.span(),
    };
    let mut taken = Vec::new();
    for (dash, threshold) in scale.limits.iter().rev().enumerate() {
        let Some(sub) = scale.sub(threshold.value) else { continue };
        let row = chart.row_of(sub);
        if taken.contains(&row) {
            continue;
        }
        taken.push(row);
        let label = threshold.label.clone();
        chart.thresholds.push(ThresholdLine { value: threshold.value, label, row, sub, dash });
        chart.labels.push(RowLabel { row, text: number(threshold.value) });
    }
    for value in [scale.low(), scale.high()] {
        let row = scale.sub(value).map(|sub| chart.row_of(sub));
        if let Some(row) = row.filter(|row| !taken.contains(row)) {
            taken.push(row);
            chart.labels.push(RowLabel { row, text: number(value) });
        }
    }
    chart.labels.sort_by_key(|label| label.row);
    chart
}

/// The columns that the points of a series fill in a chart of at most `most`: for a chart that stands still, where room that
/// nothing fills would look like time without data.
pub fn filled(series: &Series, most: usize) -> usize {
    let grid = Grid::new(series, most);
    let stretches = grid.index(grid.last).saturating_sub(grid.index(grid.start)).saturating_add(1);
    usize::try_from(stretches).unwrap_or(most).saturating_mul(grid.stretch).min(most)
}

/// `14.4`, `30`, `0.1`.
fn number(value: f64) -> String {
    if !(1e-3..1e4).contains(&value) { format!("{value:.0e}") } else { format!("{}", (value * 1e3).round() / 1e3) }
}

/// The value axis: marks at equal distances, logarithmic between two marks, so that every limit has a row of its own.
struct Scale {
    limits: Vec<Threshold>,
    marks: Vec<f64>,
    subs: usize,
}

impl Scale {
    fn new(thresholds: &[Threshold], height: usize) -> Self {
        let sane = |t: &&Threshold| t.value.is_finite() && t.value > 1e-9 && t.value < 1e9;
        let mut limits: Vec<Threshold> = thresholds.iter().filter(sane).cloned().collect();
        limits.sort_by(|a, b| a.value.total_cmp(&b.value));
        limits.dedup_by(|a, b| a.value == b.value);
        let low = limits.first().map_or(0.1, |t| t.value / 10.0);
        let high = limits.last().map_or(30.0, |t| if t.value < 15.0 { 30.0_f64.max(t.value) } else { t.value * 2.0 });
        let mut marks = vec![low];
        marks.extend(limits.iter().map(|t| t.value));
        marks.push(high);
        Self { limits, marks, subs: height.saturating_mul(SUBS) }
    }

    fn low(&self) -> f64 {
        self.marks.first().copied().unwrap_or(0.1)
    }

    fn high(&self) -> f64 {
        self.marks.last().copied().unwrap_or(30.0)
    }

    /// The height of a value in sub-cells from the bottom; `None` when there are no rows.
    fn sub(&self, value: f64) -> Option<usize> {
        let top = self.subs.checked_sub(1)?;
        let steps = self.marks.len().saturating_sub(1).max(1) as f64;
        let value = value.clamp(self.low(), self.high());
        let pairs = self.marks.iter().zip(self.marks.iter().skip(1)).enumerate();
        let place = pairs.rev().find(|(_, (low, _))| value >= **low).map_or(0.0, |(i, (low, high))| {
            let width = (high / low).ln();
            i as f64 + if width > 0.0 { ((value / low).ln() / width).clamp(0.0, 1.0) } else { 0.0 }
        });
        Some(((place / steps * top as f64).round() as usize).min(top))
    }
}

/// The time axis, in milliseconds.
struct Grid {
    start: i64,
    step: i64,
    bucket: i64,
    /// Points that share a column.
    merge: i64,
    /// Columns that a point takes.
    stretch: usize,
    points: usize,
    last: i64,
}

impl Grid {
    fn new(series: &Series, width: usize) -> Self {
        let start = series.start.timestamp_millis();
        let step = series.step.num_milliseconds().max(1);
        let points = series.points.len();
        let count = i64::try_from(points).unwrap_or(i64::MAX);
        let room = i64::try_from(width.max(1)).unwrap_or(i64::MAX);
        let last = start.saturating_add(step.saturating_mul(count.saturating_sub(1).max(0)));
        let mut merge = (count.max(1) - 1) / room + 1;
        let stretch = if merge == 1 { (width / points.max(1)).clamp(1, STRETCH) } else { 1 };
        let mut grid = Self { start, step, bucket: step, merge, stretch, points, last };
        if merge > 1 && grid.index(last) - grid.index(start) >= room {
            merge += 1;
            grid.merge = merge;
        }
        grid.bucket = step.saturating_mul(merge) / i64::try_from(stretch).unwrap_or(1).max(1);
        grid
    }

    /// The number of the column's stretch of time, counted from the epoch so that it does not move with the data.
    fn index(&self, at: i64) -> i64 {
        if self.merge == 1 {
            return at.saturating_sub(self.start) / self.step;
        }
        at.div_euclid(self.step.saturating_mul(self.merge).max(1))
    }

    /// The greatest value per column, newest at the right edge. What does not fit at the left joins the first column.
    fn fill(&self, points: &[Option<f64>], width: usize) -> Vec<Option<f64>> {
        let mut columns: Vec<Option<f64>> = vec![None; width];
        let newest = self.index(self.last);
        for (i, point) in points.iter().enumerate() {
            let Some(value) = point.filter(|v| v.is_finite() && *v >= 0.0) else { continue };
            let offset = self.step.saturating_mul(i64::try_from(i).unwrap_or(i64::MAX));
            let back = newest.saturating_sub(self.index(self.start.saturating_add(offset))).max(0);
            let back = usize::try_from(back).unwrap_or(usize::MAX).saturating_mul(self.stretch);
            for column in back..back.saturating_add(self.stretch) {
                let place = width.saturating_sub(1).saturating_sub(column);
                if let Some(cell) = columns.get_mut(place) {
                    *cell = Some(cell.map_or(value, |known: f64| known.max(value)));
                }
            }
        }
        columns
    }

    fn span(&self) -> Option<(Timestamp, Timestamp)> {
        (self.points > 0).then_some(())?;
        Some((Timestamp::from_timestamp_millis(self.start)?, Timestamp::from_timestamp_millis(self.last)?))
    }

    /// Up to five labels; the last one is the last point.
    fn labels(&self, width: usize) -> Vec<TimeLabel> {
        let across = self.bucket.saturating_mul(i64::try_from(width).unwrap_or(i64::MAX));
        let format = if across > 2 * 86_400_000 { "%m-%d" } else { "%H:%MZ" };
        let long = if across > 2 * 86_400_000 { 5 } else { 6 };
        if self.points == 0 || width < long {
            return Vec::new();
        }
        let count = ((width + 4) / (long + 4)).clamp(1, 5);
        let mut labels = Vec::new();
        for i in 0..count {
            let column = if count == 1 { width - 1 } else { i * (width - 1) / (count - 1) };
            let back = i64::try_from(width - 1 - column).unwrap_or(i64::MAX);
            let at = self.last.saturating_sub(self.bucket.saturating_mul(back));
            let left = match i {
                0 if count > 1 => 0,
                i if i + 1 == count => width - long,
                _ => column.saturating_sub(long / 2),
            };
            if let Some(at) = Timestamp::from_timestamp_millis(at) {
                labels.push(TimeLabel { column: left, text: at.format(format).to_string() });
            }
        }
        labels
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::{mins, secs};
    use proptest::prelude::*;

    fn series(points: Vec<Option<f64>>) -> Series {
        Series { window: Window::H1, start: "2026-05-01T00:00:00Z".parse().unwrap(), step: mins(5), points }
    }

    #[test]
    fn every_limit_has_its_own_row() {
        let chart = burn(&series(vec![]), 60, 6, &standard());
        let rows: Vec<_> = chart.labels.iter().map(|l| (l.row, l.text.as_str())).collect();
        assert_eq!(rows, [(0, "30"), (1, "14.4"), (2, "6"), (3, "3"), (4, "1"), (5, "0.1")]);
        assert_eq!(
            chart.thresholds.iter().map(|t| (t.row, t.dash)).collect::<Vec<_>>(),
            [(1, 0), (2, 1), (3, 2), (4, 3)]
        );
        assert!(!chart.has_data());
        assert_eq!(chart.times, vec![]);
    }

    #[test]
    fn a_column_shows_its_worst_and_gaps_stay() {
        // Twelve points in six columns: two each, on even multiples of the step.
        let points = vec![
            Some(0.2),
            Some(16.0),
            None,
            None,
            Some(f64::NAN),
            Some(1.0),
            Some(f64::INFINITY),
            None,
            Some(0.0),
            Some(0.0),
            Some(-3.0),
            Some(100.0),
        ];
        let chart = burn(&series(points), 6, 6, &standard());
        assert_eq!(chart.values, [Some(16.0), None, Some(1.0), None, Some(0.0), Some(100.0)]);
        let rows: Vec<_> = chart.columns.iter().map(|c| c.map(|sub| chart.row_of(sub))).collect();
        assert_eq!(rows, [Some(1), None, Some(4), None, Some(5), Some(0)]);
        assert_eq!(chart.bucket, mins(10));
    }

    proptest! {
        /// Whatever the number of points and the room: nothing is empty at the left, and the axis begins where the points do.
        #[test]
        fn a_chart_that_stands_still_is_filled(points in 1_usize..700, most in 1_usize..90, late in 0_i64..5_000) {
            let mut series = series(vec![Some(1.0); points]);
            series.start += secs(late);
            let room = filled(&series, most);
            prop_assert!(room <= most);
            let chart = burn(&series, room, 6, &standard());
            prop_assert!(chart.values.iter().all(Option::is_some), "{points} in {room} of {most}: {:?}", chart.values);
        }
    }

    #[test]
    fn columns_stay_in_place_when_a_point_arrives() {
        let all: Vec<Option<f64>> = (0..240).map(|i| Some(f64::from(i % 7))).collect();
        let before = burn(&series(all.iter().copied().take(239).collect()), 60, 6, &standard());
        let after = burn(&series(all), 60, 6, &standard());
        assert_eq!(before.bucket, after.bucket);
        assert_eq!(before.values[..59], after.values[..59]);
    }

    #[test]
    fn few_points_take_few_columns_at_the_right_edge() {
        let chart = burn(&series(vec![Some(2.0)]), 10, 3, &standard());
        assert_eq!(chart.values.iter().filter(|v| v.is_some()).count(), STRETCH);
        assert_eq!(chart.values.last(), Some(&Some(2.0)));
        assert_eq!(chart.times, [TimeLabel { column: 4, text: "00:00Z".into() }]);
    }

    proptest! {
        #[test]
        fn any_size_and_any_values_keep_the_bounds(
            points in proptest::collection::vec(proptest::option::of(any::<f64>()), 0..300),
            width in 0usize..90, height in 0usize..20, step in any::<i32>(), start in any::<i64>(),
            limits in proptest::collection::vec(any::<f64>(), 0..6),
        ) {
            let start = Timestamp::from_timestamp_millis(start).unwrap_or_default();
            let series = Series { window: Window::H1, start, step: secs(i64::from(step)), points: points.clone() };
            let limits: Vec<_> = limits.into_iter().map(|value| Threshold { value, label: "x".into() }).collect();
            let chart = burn(&series, width, height, &limits);
            prop_assert_eq!(chart.columns.len(), width);
            prop_assert!(chart.columns.iter().flatten().all(|sub| *sub < height * SUBS));
            prop_assert!(chart.thresholds.iter().all(|t| t.row < height));
            prop_assert!(chart.labels.iter().all(|l| l.row < height));
            prop_assert!(chart.times.iter().all(|l| l.column + l.text.len() <= width));
            prop_assert!(chart.times.windows(2).all(|w| w[0].column + w[0].text.len() < w[1].column));
            let worst = points.iter().flatten().copied().filter(|v| v.is_finite() && *v >= 0.0).fold(None, |m: Option<f64>, v| Some(m.map_or(v, |m| m.max(v))));
            if width > 0 {
                prop_assert_eq!(chart.values.iter().flatten().copied().fold(None, |m: Option<f64>, v| Some(m.map_or(v, |m| m.max(v)))), worst);
            }
        }

        #[test]
        fn higher_is_never_drawn_lower(a in 0.0f64..200.0, b in 0.0f64..200.0, height in 1usize..20) {
            let scale = Scale::new(&standard(), height);
            prop_assert!(a > b || scale.sub(a) <= scale.sub(b));
        }
    }
}

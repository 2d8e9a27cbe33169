//! A burn chart in characters: ASCII rows with the limits in dash patterns of their own, or braille for finer heights.
//! Colours are somebody else's.

use crate::domain::chart::burn::{BurnChart, SUBS};
use crate::domain::text::clean;

/// Dash patterns, highest limit first; they repeat when there are more limits.
pub const DASHES: [&str; 4] = ["=", "-", "- ", ". "];
/// Cells that the value axis takes at the left: four for the number and one for the line.
pub const AXIS: usize = 5;

/// The character of a limit's line in a column.
pub fn dash(pattern: usize, column: usize) -> char {
    let pattern = DASHES.get(pattern % DASHES.len()).copied().unwrap_or("-");
    pattern.chars().nth(column % pattern.len().max(1)).unwrap_or(' ')
}

/// The whole chart: rows, the time axis and its labels. The limits' labels stand after the right edge.
pub fn lines(chart: &BurnChart) -> Vec<String> {
    let mut out = Vec::new();
    for row in 0..chart.rows {
        let number = chart.labels.iter().find(|l| l.row == row).map_or("", |l| l.text.as_str());
        let limit = chart.thresholds.iter().find(|t| t.row == row);
        let mut line = format!("{number:>4}|");
        for (column, sub) in chart.columns.iter().enumerate() {
            line.push(match (sub, limit) {
                (Some(sub), _) if chart.row_of(*sub) == row => '*',
                (_, Some(limit)) => dash(limit.dash, column),
                _ => ' ',
            });
        }
        if let Some(limit) = limit {
            line.push_str("  ");
            line.push_str(&clean(&limit.label));
        }
        out.push(line.trim_end().to_owned());
    }
    out.push(format!("{:>4}+{}", "", "-".repeat(chart.columns.len())));
    let mut times = " ".repeat(AXIS);
    for label in &chart.times {
        let blanks = (AXIS + label.column).saturating_sub(times.len());
        times.push_str(&" ".repeat(blanks));
        times.push_str(&label.text);
    }
    out.push(times.trim_end().to_owned());
    if !chart.has_data() {
        out.push(format!("{:>AXIS$}no data", ""));
    }
    out
}

/// The curve alone in braille, two columns of the chart to a cell: ask for a chart twice as wide as the cells.
pub fn braille(chart: &BurnChart) -> Vec<String> {
    // Dots from the bottom of a cell to its top, left and right.
    const DOTS: [[u32; 2]; SUBS] = [[0x40, 0x80], [0x04, 0x20], [0x02, 0x10], [0x01, 0x08]];
    let draw = |row: usize| {
        let cell = |pair: &[Option<usize>]| {
            let dots = pair.iter().enumerate().filter_map(|(side, sub)| {
                let sub = sub.filter(|sub| chart.row_of(*sub) == row)?;
                DOTS.get(sub % SUBS)?.get(side)
            });
            char::from_u32(0x2800 + dots.sum::<u32>()).unwrap_or(' ')
        };
        chart.columns.chunks(2).map(cell).collect()
    };
    (0..chart.rows).map(draw).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::chart::burn::{Threshold, burn, standard};
    use crate::domain::slo::reading::{Series, Window};
    use crate::domain::time::mins;
    use proptest::prelude::*;

    fn series(points: Vec<Option<f64>>) -> Series {
        Series { window: Window::H1, start: "2026-05-01T21:14:00Z".parse().unwrap(), step: mins(5), points }
    }

    #[test]
    fn the_look_of_a_climbing_burn() {
        let points = (0..60).map(|i| match i {
            0..=35 => Some(0.4),
            36..=39 => Some(1.2),
            40..=43 => None,
            44..=49 => Some(7.0),
            _ => Some(16.2),
        });
        let chart = burn(&series(points.collect()), 60, 6, &standard());
        let want = [
            "  30|",
            "14.4|==================================================**********  page",
            "   6|--------------------------------------------******----------  page",
            "   3|- - - - - - - - - - - - - - - - - - - - - - - - - - - - - -   ticket",
            "   1|. . . . . . . . . . . . . . . . . . ****. . . . . . . . . .   budget",
            " 0.1|************************************",
            "    +------------------------------------------------------------",
            "     21:14Z     22:24Z         23:39Z         00:54Z       02:09Z",
        ];
        assert_eq!(lines(&chart), want);
    }

    #[test]
    fn nothing_is_said_to_be_nothing() {
        for points in [vec![], vec![None; 9], vec![Some(f64::NAN), Some(f64::INFINITY)]] {
            let drawn = lines(&burn(&series(points), 20, 3, &standard())).join("\n");
            assert!(drawn.ends_with("no data") && !drawn.contains('*'), "{drawn}");
        }
    }

    #[test]
    fn braille_has_four_heights_per_row() {
        let chart = burn(&series(vec![Some(0.1), Some(30.0)]), 2, 1, &standard());
        assert_eq!(braille(&chart), ["\u{2848}"]);
    }

    proptest! {
        #[test]
        fn rows_are_as_wide_as_asked(
            points in proptest::collection::vec(proptest::option::of(any::<f64>()), 0..200),
            width in 0usize..80, height in 0usize..12, label in any::<String>(),
        ) {
            let limits = [Threshold { value: 6.0, label }, Threshold { value: 1.0, label: "budget".into() }];
            let chart = burn(&series(points), width, height, &limits);
            let drawn = lines(&chart);
            prop_assert!(drawn.len() >= height + 2);
            prop_assert!(drawn.iter().all(|line| !line.contains('\n')));
            prop_assert_eq!(braille(&chart).len(), height);
        }
    }
}

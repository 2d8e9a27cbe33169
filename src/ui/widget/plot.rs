//! From numbers to dots: where a value stands on the axis and which dots a series lights. Draws nothing.

/// The values of the logarithmic axis, from the top, at equal distances: the limits people know stand where they expect them.
pub const ANCHORS: [f64; 6] = [30.0, 14.4, 6.0, 3.0, 1.0, 0.1];

/// Distance from the top of the axis, 0..1, of a burn rate. Values beyond the ends stand at the ends.
pub fn log_depth(value: f64) -> f64 {
    let spans = (ANCHORS.len() - 1) as f64;
    for (i, pair) in ANCHORS.windows(2).enumerate() {
        let [high, low] = pair else { continue };
        if value >= *high {
            return i as f64 / spans;
        }
        if value > *low {
            return (i as f64 + (high.ln() - value.ln()) / (high.ln() - low.ln())) / spans;
        }
    }
    1.0
}

/// Distance from the top, 0..1, of a ratio.
pub fn linear_depth(value: f64) -> f64 {
    1.0 - value.clamp(0.0, 1.0)
}

/// A grid of dots, and for each cell the highest value in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Dots {
    across: usize,
    down: usize,
    cells_across: usize,
    /// Bits per cell, row by row.
    pub bits: Vec<u8>,
    /// Highest value that lights a dot of the cell.
    pub peak: Vec<f64>,
}

impl Dots {
    /// Lights a series in a grid of cells. A gap in the series is a gap in the picture: nothing is drawn across it.
    pub fn of(points: &[Option<f64>], cells: (usize, usize), dots: (usize, usize), depth: fn(f64) -> f64) -> Self {
        let (across, down) = dots;
        let size = cells.0.saturating_mul(cells.1);
        let mut grid =
            Self { across, down, cells_across: cells.0, bits: vec![0; size], peak: vec![f64::NEG_INFINITY; size] };
        let (columns, rows) = (cells.0 * across, cells.1 * down);
        if columns == 0 || rows == 0 || points.is_empty() {
            return grid;
        }
        let row_of = |value: f64| ((depth(value) * (rows - 1) as f64).round() as usize).min(rows - 1);
        let mut before: Option<usize> = None;
        for x in 0..columns {
            let Some(value) = sample(points, x, columns) else {
                before = None;
                continue;
            };
            let y = row_of(value);
            let from = before.unwrap_or(y);
            // A steep step is joined by a vertical line, half of it in each column would need a second pass.
            let (top, bottom) = if from < y { (from + 1, y) } else { (y, from.saturating_sub(1).max(y)) };
            for row in top..=bottom {
                grid.light(x, row, value);
            }
            before = Some(y);
        }
        grid
    }

    fn light(&mut self, x: usize, y: usize, value: f64) {
        let cell = y / self.down * self.cells_across + x / self.across;
        let bit = y % self.down * self.across + x % self.across;
        if let (Some(bits), Some(peak)) = (self.bits.get_mut(cell), self.peak.get_mut(cell)) {
            *bits |= 1 << bit;
            *peak = peak.max(value);
        }
    }
}

/// The value of a dot column. Several points in one column: the highest. Several columns for one point: between it and
/// the next, unless one of them is missing.
pub fn sample(points: &[Option<f64>], column: usize, columns: usize) -> Option<f64> {
    let finite = |at: usize| points.get(at).copied().flatten().filter(|v| !v.is_nan());
    if points.len() >= columns {
        let from = column * points.len() / columns;
        let to = ((column + 1) * points.len() / columns).max(from + 1);
        return (from..to).filter_map(finite).reduce(f64::max);
    }
    let place = column as f64 * (points.len() - 1) as f64 / (columns - 1).max(1) as f64;
    let (at, rest) = (place.floor() as usize, place.fract());
    match (finite(at), finite(at + 1)) {
        (Some(a), Some(b)) if a.is_finite() && b.is_finite() => Some(a + (b - a) * rest),
        (Some(a), _) if rest < 0.5 => Some(a),
        (_, Some(b)) if rest >= 0.5 => Some(b),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_limits_stand_at_equal_distances() {
        for (i, value) in ANCHORS.iter().enumerate() {
            assert!((log_depth(*value) - i as f64 / 5.0).abs() < 1e-9, "{value}");
        }
        assert_eq!(log_depth(1e9), 0.0);
        assert_eq!(log_depth(f64::INFINITY), 0.0);
        assert_eq!(log_depth(0.0), 1.0);
        assert_eq!(log_depth(-4.0), 1.0);
    }

    #[test]
    fn a_gap_stays_empty() {
        let points = [Some(1.0), None, None, Some(1.0)];
        let dots = Dots::of(&points, (4, 1), (1, 1), log_depth);
        assert_eq!(dots.bits, [1, 0, 0, 1]);
        let broken = [Some(1.0), Some(f64::NAN), Some(1.0)];
        assert_eq!(Dots::of(&broken, (3, 1), (1, 1), log_depth).bits, [1, 0, 1]);
    }

    #[test]
    fn a_step_is_joined() {
        let dots = Dots::of(&[Some(0.1), Some(30.0)], (2, 6), (1, 1), log_depth);
        assert_eq!(dots.bits, [0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 1, 0]);
    }

    proptest! {
        #[test]
        fn any_series_any_grid(
            points in proptest::collection::vec(proptest::option::of(any::<f64>()), 0..50),
            w in 0usize..60, h in 0usize..30, braille in any::<bool>(), linear in any::<bool>(),
        ) {
            let dots = if braille { (2, 4) } else { (1, 1) };
            let grid = Dots::of(&points, (w, h), dots, if linear { linear_depth } else { log_depth });
            prop_assert_eq!(grid.bits.len(), w * h);
        }
    }
}

//! A line of values in one row of cells. Gaps stay gaps.

/// Blocks, lowest first.
pub const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// The same where only ASCII can be shown.
pub const ASCII: [char; 8] = ['_', '.', ':', '-', '=', '+', '*', '#'];

/// Heights 0..=7 of at most `width` columns, oldest first; a column holds the greatest value of its points. `None` is a
/// column without a finite value. The scale goes from the least value (or 0, if that is lower) to `top`, else to the
/// greatest value.
pub fn heights(points: &[Option<f64>], width: usize, top: Option<f64>) -> Vec<Option<u8>> {
    if width == 0 || points.is_empty() {
        return Vec::new();
    }
    let share = points.len().div_ceil(width);
    let finite = |point: &Option<f64>| point.filter(|v| v.is_finite());
    let columns: Vec<Option<f64>> =
        points.chunks(share).map(|chunk| chunk.iter().filter_map(finite).reduce(f64::max)).collect();
    let low = columns.iter().flatten().copied().fold(0.0, f64::min);
    let greatest = columns.iter().flatten().copied().fold(low, f64::max);
    let high = top.filter(|t| t.is_finite() && *t > low).unwrap_or(greatest);
    let height = |value: f64| {
        // Halved first: the distance of two finite numbers may not be finite.
        let share = (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0);
        if share.is_finite() { (share.clamp(0.0, 1.0) * 7.0).round() as u8 } else { 0 }
    };
    columns.into_iter().map(|value| value.map(height)).collect()
}

/// The heights as characters; a gap is a blank.
pub fn text(heights: &[Option<u8>], glyphs: &[char; 8]) -> String {
    heights.iter().map(|h| h.and_then(|h| glyphs.get(usize::from(h)).copied()).unwrap_or(' ')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn it_looks_like_the_values() {
        let points = [Some(0.0), Some(1.0), None, Some(7.0), Some(f64::NAN), Some(3.5)];
        assert_eq!(text(&heights(&points, 6, None), &BLOCKS), "▁▂ █ ▅");
        assert_eq!(text(&heights(&points, 3, None), &ASCII), ".#=");
        assert_eq!(text(&heights(&[Some(0.0); 3], 3, None), &ASCII), "___");
        assert_eq!(heights(&[None, None], 9, Some(1.0)), [None, None]);
        assert_eq!(heights(&[], 9, None), []);
        assert_eq!(heights(&points, 0, None), []);
    }

    proptest! {
        #[test]
        fn never_wider_nor_higher(
            points in proptest::collection::vec(proptest::option::of(any::<f64>()), 0..200),
            width in 0usize..60, top in proptest::option::of(any::<f64>()),
        ) {
            let heights = heights(&points, width, top);
            prop_assert!(heights.len() <= width);
            prop_assert!(heights.iter().flatten().all(|h| *h < 8));
        }
    }
}

//! Who gets which cells: size classes, rows shared between panes, pages of lists. Draws nothing; cannot underflow.

use std::ops::Range;

/// The smallest frame in which a screen is drawn, across and down.
pub const SMALLEST: (u16, u16) = (40, 10);

/// The size classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Size {
    /// Below 40x10: one line.
    Tiny,
    /// One list at a time.
    Xs,
    /// Stacked, the 80x24 class.
    S,
    /// Two columns, from 120 columns.
    M,
    /// Three columns, from 160x50.
    L,
}

impl Size {
    /// The class of a frame.
    pub fn of(width: u16, height: u16) -> Self {
        match (width, height) {
            (w, h) if w < SMALLEST.0 || h < SMALLEST.1 => Self::Tiny,
            (w, h) if w < 80 || h < 20 => Self::Xs,
            (w, h) if w >= 160 && h >= 50 => Self::L,
            (w, h) if w >= 120 && h >= 24 => Self::M,
            _ => Self::S,
        }
    }
}

/// What a pane asks for, in rows. A lower rank is served first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Want {
    /// Without these it is not worth drawing.
    pub least: u16,
    /// More than these it cannot use.
    pub most: u16,
    /// 0 is served first.
    pub rank: u8,
}

impl Want {
    /// A title and its rows: at least `least` of them.
    pub fn rows(rows: usize, least: u16, rank: u8) -> Self {
        let most = u16::try_from(rows.max(1)).unwrap_or(u16::MAX).saturating_add(1);
        Self { least: least.min(most), most, rank }
    }
}

/// Shares rows: first what each needs, by rank, then what each can use, by rank. The sum never exceeds `total`.
pub fn share(total: u16, wants: &[Want]) -> Vec<u16> {
    let mut heights = vec![0; wants.len()];
    let mut left = total;
    let mut order: Vec<usize> = (0..wants.len()).collect();
    order.sort_by_key(|i| wants.get(*i).map_or(u8::MAX, |w| w.rank));
    for first in [true, false] {
        for i in &order {
            if let (Some(want), Some(height)) = (wants.get(*i), heights.get_mut(*i)) {
                let goal = if first { want.least.min(want.most) } else { want.most };
                let more = goal.saturating_sub(*height).min(left);
                *height += more;
                left -= more;
            }
        }
    }
    heights
}

/// [`share`] as (top, height), with a blank row between panes where all of them fit in full.
pub fn stack(total: u16, wants: &[Want]) -> Vec<(u16, u16)> {
    let full = wants.iter().fold(0u16, |sum, w| sum.saturating_add(w.most));
    placed(total, wants, full)
}

/// [`stack`] for columns with a list that is always longer than its place: there the blank rows come before its rows.
pub fn spaced(total: u16, wants: &[Want]) -> Vec<(u16, u16)> {
    let least = wants.iter().fold(0u16, |sum, w| sum.saturating_add(w.least.min(w.most)));
    placed(total, wants, least)
}

fn placed(total: u16, wants: &[Want], needed: u16) -> Vec<(u16, u16)> {
    let used = wants.iter().filter(|w| w.most > 0).count();
    let gaps = u16::try_from(used.saturating_sub(1)).unwrap_or(0);
    let gap = u16::from(needed.saturating_add(gaps) <= total);
    let mut y: u16 = 0;
    share(total.saturating_sub(gaps.saturating_mul(gap)), wants)
        .into_iter()
        .map(|height| {
            let top = y;
            y = y.saturating_add(height).saturating_add(if height > 0 { gap } else { 0 });
            (top, height)
        })
        .collect()
}

/// The cells between two columns: a blank, a bar, a blank.
pub const GUTTER: u16 = 3;

/// Columns of a width by weights, with a gutter between them, as (left, width).
pub fn columns(width: u16, weights: &[u16]) -> Vec<(u16, u16)> {
    let gutters = GUTTER.saturating_mul(u16::try_from(weights.len().saturating_sub(1)).unwrap_or(0));
    let room = u32::from(width.saturating_sub(gutters));
    let sum: u32 = weights.iter().map(|w| u32::from(*w)).sum::<u32>().max(1);
    let mut x: u16 = 0;
    let last = weights.len().saturating_sub(1);
    let mut out = Vec::with_capacity(weights.len());
    for (i, weight) in weights.iter().enumerate() {
        let w = if i == last {
            width.saturating_sub(x)
        } else {
            u16::try_from(room * u32::from(*weight) / sum).unwrap_or(u16::MAX)
        };
        out.push((x, w));
        x = x.saturating_add(w).saturating_add(GUTTER).min(width);
    }
    out
}

/// The page of a list that holds the cursor. Moving inside a page changes no other row.
pub fn page(rows: usize, height: usize, cursor: Option<usize>) -> Range<usize> {
    if height == 0 || rows == 0 {
        return 0..0;
    }
    let cursor = cursor.unwrap_or(0).min(rows - 1);
    let first = cursor / height * height;
    first..rows.min(first.saturating_add(height))
}

/// The last rows of a list, for one that follows its end.
pub fn tail(rows: usize, height: usize) -> Range<usize> {
    rows.saturating_sub(height)..rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_by_rows_and_columns() {
        for (w, h, size) in [
            (39, 60, Size::Tiny),
            (200, 9, Size::Tiny),
            (40, 10, Size::Xs),
            (79, 40, Size::Xs),
            (200, 12, Size::Xs),
            (80, 24, Size::S),
            (119, 60, Size::S),
            (120, 40, Size::M),
            (200, 49, Size::M),
            (160, 50, Size::L),
        ] {
            assert_eq!(Size::of(w, h), size, "{w}x{h}");
        }
    }

    #[test]
    fn a_lower_rank_keeps_its_rows() {
        let wants = [
            Want { least: 3, most: 20, rank: 1 },
            Want { least: 1, most: 9, rank: 2 },
            Want { least: 4, most: 4, rank: 0 },
        ];
        assert_eq!(share(40, &wants), [20, 9, 4]);
        assert_eq!(share(12, &wants), [7, 1, 4]);
        assert_eq!(share(5, &wants), [1, 0, 4]);
        assert_eq!(share(0, &wants), [0, 0, 0]);
    }

    #[test]
    fn a_page_holds_its_cursor() {
        assert_eq!(page(14, 5, Some(4)), 0..5);
        assert_eq!(page(14, 5, Some(5)), 5..10);
        assert_eq!(page(14, 5, Some(13)), 10..14);
        assert_eq!(page(3, 5, Some(99)), 0..3);
        assert_eq!(page(0, 5, Some(1)), 0..0);
    }

    proptest! {
        #[test]
        fn shares_never_exceed(total in 0u16..300, raw in proptest::collection::vec((0u16..50, 0u16..50, 0u8..4), 0..6)) {
            let wants: Vec<Want> = raw.iter().map(|(l, m, r)| Want { least: *l, most: *m, rank: *r }).collect();
            let sum: u32 = share(total, &wants).iter().map(|h| u32::from(*h)).sum();
            prop_assert!(sum <= u32::from(total));
            for (y, h) in stack(total, &wants).into_iter().chain(spaced(total, &wants)) { prop_assert!(u32::from(y) + u32::from(h) <= u32::from(total) || h == 0); }
        }
        #[test]
        fn columns_stay_inside(width in 0u16..400, weights in proptest::collection::vec(1u16..100, 1..4)) {
            for (x, w) in columns(width, &weights) { prop_assert!(x.saturating_add(w) <= width); }
        }
    }
}

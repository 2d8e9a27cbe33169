//! A list and its selected row in full: beside each other where the frame is wide, else under each other.

use crate::ui::layout::{GUTTER, Size, columns};
use crate::ui::pen::Pen;
use crate::ui::widget::facts;
use crate::ui::widget::rule::{bar, rule};

/// Draws a list through `list` and the facts of the selected row. The places do not depend on what is selected.
pub fn draw(pen: &mut Pen<'_>, size: Size, title: &str, detail: &[(String, String)], list: impl FnOnce(&mut Pen<'_>)) {
    let (width, height) = (pen.width(), pen.height());
    if size >= Size::M {
        let parts = columns(width, &[71, 46]);
        let [a, b] = parts.as_slice() else { return };
        list(&mut pen.part(a.0, 0, a.1, height));
        bar(pen, b.0.saturating_sub(GUTTER - 1));
        let mut right = pen.part(b.0, 0, b.1, height);
        rule(&mut right, 0, title, "");
        facts::pairs(&mut right.below(1), detail);
        return;
    }
    let upper = if height >= 10 { height / 2 } else { height };
    list(&mut pen.part(0, 0, width, upper));
    let mut lower = pen.below(upper);
    if lower.height() > 1 {
        rule(&mut lower, 0, title, "");
        facts::pairs(&mut lower.below(1), detail);
    }
}

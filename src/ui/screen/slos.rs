//! All objectives, with the chart of the selected one.

use crate::app::present::view::Overview;
use crate::ui::layout::{GUTTER, Size, columns};
use crate::ui::pen::Pen;
use crate::ui::widget::rule::bar;
use crate::ui::widget::{chart, slo_rows};

/// Draws the screen.
pub fn draw(pen: &mut Pen<'_>, view: &Overview, size: Size) {
    let (width, height) = (pen.width(), pen.height());
    let Some(one) = view.chart.as_ref().filter(|_| size >= Size::S) else {
        return slo_rows::slo_pane(pen, &view.slos);
    };
    // The picture keeps its place whatever the list holds, so that moving through the list moves nothing else.
    let picture = (height * 2 / 5).clamp(8, 22);
    let list = height.saturating_sub(picture + 1);
    slo_rows::slo_pane(&mut pen.part(0, 0, width, list), &view.slos);
    let mut lower = pen.below(list + 1);
    let second = view.more_charts.first().filter(|_| size >= Size::M);
    let Some(second) = second else { return chart::titled(&mut lower, one) };
    let parts = columns(width, &[1, 1]);
    let [a, b] = parts.as_slice() else { return };
    chart::titled(&mut lower.part(a.0, 0, a.1, picture), one);
    bar(&mut lower, b.0.saturating_sub(GUTTER - 1));
    chart::titled(&mut lower.part(b.0, 0, b.1, picture), second);
}

//! Every source, with the selected one in full.

use crate::app::present::view::SourcesPage;
use crate::ui::layout::Size;
use crate::ui::pen::Pen;
use crate::ui::screen::detail;
use crate::ui::widget::list::{Rows, pane};
use crate::ui::widget::source_rows::{source_row, widths};

/// Draws the screen.
pub fn draw(pen: &mut Pen<'_>, view: &SourcesPage, size: Size) {
    let widths = widths(&view.sources.rows);
    detail::draw(pen, size, "SOURCE", &view.detail, |pen| {
        pane(pen, &view.sources, Rows { select_from: 2, ..Rows::default() }, |pen, row| source_row(pen, row, widths));
    });
}

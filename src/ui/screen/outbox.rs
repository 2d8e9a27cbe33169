//! Everything that leaves, with the selected operation in full.

use crate::app::present::view::OutboxPage;
use crate::ui::layout::Size;
use crate::ui::pen::Pen;
use crate::ui::screen::detail;
use crate::ui::widget::outbox_rows::outbox_pane;

/// Draws the screen.
pub fn draw(pen: &mut Pen<'_>, view: &OutboxPage, size: Size) {
    detail::draw(pen, size, "OPERATION", &view.detail, |pen| outbox_pane(pen, &view.queue));
}

//! What was said so far.

use crate::app::present::view::{EventRow, Pane};
use crate::ui::pen::Pen;
use crate::ui::widget::event_rows::event_pane;

/// Draws the screen; the newest messages are shown unless one is selected.
pub fn draw(pen: &mut Pen<'_>, view: &Pane<EventRow>) {
    event_pane(pen, view, true);
}

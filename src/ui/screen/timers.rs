//! All timers, with the selected one in full.

use crate::app::present::view::TimersPage;
use crate::ui::layout::Size;
use crate::ui::pen::Pen;
use crate::ui::screen::detail;
use crate::ui::widget::timer_rows::timer_pane;

/// Draws the screen.
pub fn draw(pen: &mut Pen<'_>, view: &TimersPage, size: Size) {
    detail::draw(pen, size, "TIMER", &view.detail, |pen| timer_pane(pen, &view.timers));
}

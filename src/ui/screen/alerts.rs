//! All alerts, with the selected one in full.

use crate::app::present::view::AlertsPage;
use crate::ui::layout::Size;
use crate::ui::pen::Pen;
use crate::ui::screen::detail;
use crate::ui::widget::alert_rows::alert_pane;

/// Draws the screen.
pub fn draw(pen: &mut Pen<'_>, view: &AlertsPage, size: Size) {
    detail::draw(pen, size, "ALERT", &view.detail, |pen| alert_pane(pen, &view.alerts, false));
}

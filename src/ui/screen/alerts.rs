//! All alerts and the silences in force, with the selected one in full.

use crate::app::present::view::AlertsPage;
use crate::ui::layout::{Size, Want, share};
use crate::ui::pen::Pen;
use crate::ui::screen::detail;
use crate::ui::widget::alert_rows::alert_pane;
use crate::ui::widget::silence_rows::silence_pane;

/// Draws the screen.
pub fn draw(pen: &mut Pen<'_>, view: &AlertsPage, size: Size) {
    let title = if view.silences.cursor.is_some() { "SILENCE" } else { "ALERT" };
    detail::draw(pen, size, title, &view.detail, |pen| {
        if view.silences.rows.is_empty() {
            return alert_pane(pen, &view.alerts, false);
        }
        let (width, height) = (pen.width(), pen.height());
        // What was chosen has the room: the list with the cursor is served first.
        let ranks = if view.silences.cursor.is_some() { (1, 0) } else { (0, 1) };
        let wants = [Want::rows(view.alerts.rows.len(), 3, ranks.0), Want::rows(view.silences.rows.len(), 3, ranks.1)];
        let heights = share(height, &wants);
        let [upper, lower] = heights.as_slice() else { return };
        alert_pane(&mut pen.part(0, 0, width, *upper), &view.alerts, false);
        if *lower > 0 {
            silence_pane(&mut pen.part(0, *upper, width, *lower), &view.silences);
        }
    });
}

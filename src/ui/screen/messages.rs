//! What was said so far, in full: a brief or what somebody says in a drill is longer than a row, and is read here.

use crate::app::present::view::{EventRow, Pane};
use crate::domain::text::wrap;
use crate::ui::pen::{Pen, cells};
use crate::ui::widget::event_rows::{event_pane, text_at};

/// Draws the screen; the newest messages are shown unless one is selected.
pub fn draw(pen: &mut Pen<'_>, view: &Pane<EventRow>) {
    event_pane(pen, &whole(view, pen.width()), true);
}

/// The same with a row for every line of a text that is longer than one. The first line is the one that is selected.
fn whole(view: &Pane<EventRow>, width: u16) -> Pane<EventRow> {
    let day = view.rows.iter().filter_map(|row| row.day.as_deref()).map(cells).max().map_or(0, |cells| cells + 2);
    let room = usize::from(width.saturating_sub(text_at(&view.rows, width)).saturating_sub(day)).max(20);
    let (mut rows, mut cursor) = (Vec::new(), None);
    for (n, row) in view.rows.iter().enumerate() {
        if view.cursor == Some(n) {
            cursor = Some(rows.len());
        }
        let mut lines = wrap(&row.text, room).into_iter();
        rows.push(EventRow { text: lines.next().unwrap_or_default(), ..row.clone() });
        rows.extend(lines.map(|text| EventRow { text, saved: true, tone: row.tone, ..EventRow::default() }));
    }
    Pane { rows, cursor, ..view.clone() }
}

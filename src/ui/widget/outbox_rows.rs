//! Operations in a list: where each stands, to whom it goes, what it is, and why it waits.

use crate::app::present::view::{OutboxRow, Pane, Tone};
use crate::ui::pen::{Pen, cells};
use crate::ui::widget::list::{Rows, pane};

/// Columns of the list, in cells.
#[derive(Clone, Copy)]
struct Columns {
    state: u16,
    target: u16,
    what: u16,
}

/// Draws the pane.
pub fn outbox_pane(pen: &mut Pen<'_>, queue: &Pane<OutboxRow>) {
    let widest = |text: fn(&OutboxRow) -> &str, most: u16| {
        queue.rows.iter().map(|row| cells(text(row))).max().unwrap_or(0).min(most)
    };
    let columns = Columns {
        state: widest(|row| &row.state, 12),
        target: widest(|row| &row.target, 14),
        what: widest(|row| &row.what, 48),
    };
    pane(pen, queue, Rows { select_from: 2, ..Rows::default() }, |pen, row| outbox_row(pen, row, columns));
}

fn outbox_row(pen: &mut Pen<'_>, row: &OutboxRow, columns: Columns) {
    let width = pen.width();
    pen.sign(0, 0, row.sign);
    let style = if row.tone == Tone::Crit { pen.theme.loud(row.tone) } else { pen.theme.words(row.tone) };
    pen.put(3, 0, columns.state, &row.state, style);
    let mut x = 3 + columns.state + 2;
    pen.say(x, 0, 2, &row.class, Tone::Muted);
    x += 3;
    pen.say(x, 0, columns.target, &row.target, Tone::Accent);
    x += columns.target + 2;
    // On a narrow screen the reason gives way to what it is about; the detail has both.
    let room = width.saturating_sub(x);
    let says = !(row.why.is_empty() && row.next.is_empty());
    let why = if says && room >= 44 { room.saturating_sub(columns.what.min(room / 2) + 2) } else { 0 };
    let what = room.saturating_sub(if why > 0 { why + 2 } else { 0 });
    pen.say(x, 0, what, &row.what, Tone::Text);
    if why > 0 {
        let next = if row.next.is_empty() { String::new() } else { format!("{}  ", row.next) };
        pen.say(x + what + 2, 0, why, &format!("{next}{}", row.why), Tone::Muted);
    }
}

//! Silences in a list: how long each still holds, how many alerts, what it silences, who made it.

use crate::app::present::view::{Pane, SilenceRow, Tone};
use crate::ui::pen::{Pen, cells};
use crate::ui::widget::list::{Rows, pane};

/// Draws the pane.
pub fn silence_pane(pen: &mut Pen<'_>, silences: &Pane<SilenceRow>) {
    let by = silences.rows.iter().map(|row| cells(&row.by)).max().unwrap_or(0).min(10);
    pane(pen, silences, Rows { select_from: 2, ..Rows::default() }, |pen, row| silence_row(pen, row, by));
}

fn silence_row(pen: &mut Pen<'_>, row: &SilenceRow, by: u16) {
    let width = pen.width();
    pen.sign(0, 0, row.sign);
    pen.say(3, 0, 8, &row.state, Tone::Text);
    pen.say_right(11, 0, 6, &row.left, Tone::Text);
    let holds = format!("holds {}", row.holds);
    pen.say(19, 0, 10, &holds, if row.holds > 0 { Tone::Text } else { Tone::Muted });
    let mut x = 30;
    if width >= 64 {
        pen.say(x, 0, by, &row.by, Tone::Muted);
        x += by + 2;
    }
    let room = width.saturating_sub(x);
    let why = if room >= 44 { cells(&row.why).min(room / 3) } else { 0 };
    pen.say(x, 0, room.saturating_sub(if why > 0 { why + 2 } else { 0 }), &row.what, Tone::Text);
    if why > 0 {
        pen.say(width.saturating_sub(why), 0, why, &row.why, Tone::Muted);
    }
}

//! Events in a timeline, and messages: time, kind, who, what; times and kinds stand in columns.

use crate::app::present::view::{EventRow, Pane, Tone};
use crate::ui::pen::{Pen, cells};
use crate::ui::widget::list::{Rows, pane};

/// Draws the pane. Without a cursor the newest events are shown when `follow` is set.
pub fn event_pane(pen: &mut Pen<'_>, events: &Pane<EventRow>, follow: bool) {
    let (kind, who) = columns(&events.rows, pen.width());
    pane(pen, events, Rows { follow, select_from: 9, ..Rows::default() }, |pen, row| event_row(pen, row, kind, who));
}

/// Cells of the kinds and of the names.
fn columns(rows: &[EventRow], width: u16) -> (u16, u16) {
    let who = rows.iter().map(|r| cells(&r.actor)).max().unwrap_or(0).min(if width >= 60 { 10 } else { 0 });
    (rows.iter().map(|r| cells(&r.kind)).max().unwrap_or(0).clamp(4, 12), who)
}

/// The column in which the texts of some rows begin.
pub fn text_at(rows: &[EventRow], width: u16) -> u16 {
    let (kind, who) = columns(rows, width);
    11 + kind + if who > 0 { who + 1 } else { 0 }
}

fn event_row(pen: &mut Pen<'_>, row: &EventRow, kind: u16, who: u16) {
    let width = pen.width();
    let time = if row.saved { Tone::Muted } else { Tone::Stale };
    pen.say(0, 0, 9, &row.time, time);
    let mut x = 10;
    let style = pen.theme.glyph(row.tone);
    pen.put(x, 0, kind, &row.kind, style);
    x += kind + 1;
    if who > 0 {
        pen.say(x, 0, who, &row.actor, Tone::Muted);
        x += who + 1;
    }
    let day = row.day.as_deref().filter(|_| width >= 60);
    let room = width.saturating_sub(x).saturating_sub(day.map_or(0, |d| cells(d).saturating_add(2)));
    let tone = if row.tone == Tone::Crit { Tone::Crit } else { Tone::Text };
    let mut used = 0;
    if who == 0 && !row.actor.is_empty() {
        used = pen.say(x, 0, room, &row.actor, Tone::Muted).saturating_add(1);
    }
    used += pen.say(x + used, 0, room.saturating_sub(used), &row.text, tone);
    if !row.saved && row.time != "~" && room > used + 10 {
        pen.say(x + used + 2, 0, room, "not saved", Tone::Warn);
    }
    if let Some(day) = day {
        let most = cells(day);
        pen.say_right(width.saturating_sub(most), 0, most, day, Tone::Muted);
    }
}

//! Changes in force and the second persons who are waited for, with the selected one in full.

use crate::app::present::view::{ChangeRow, ChangesPage, Sign, Tone};
use crate::ui::layout::Size;
use crate::ui::pen::{Pen, cells};
use crate::ui::screen::detail;
use crate::ui::widget::list::{Rows, pane};

/// Draws the screen.
pub fn draw(pen: &mut Pen<'_>, view: &ChangesPage, size: Size) {
    let states = view.changes.rows.iter().map(|r| cells(&r.state)).max().unwrap_or(0).clamp(8, 23);
    let actions = view.changes.rows.iter().map(|r| cells(&r.action)).max().unwrap_or(0);
    detail::draw(pen, size, "CHANGE", &view.detail, |pen| {
        pane(pen, &view.changes, Rows { select_from: 1, ..Rows::default() }, |pen, row| {
            change_row(pen, row, states, actions)
        });
    });
}

fn change_row(pen: &mut Pen<'_>, row: &ChangeRow, states: u16, actions: u16) {
    let width = pen.width();
    pen.sign(0, 0, row.sign);
    let tone = match row.sign {
        Sign::Page => Tone::Crit,
        Sign::Ticket => Tone::Warn,
        Sign::Ok => Tone::Muted,
        _ => Tone::Accent,
    };
    pen.say(3, 0, states, &row.state, tone);
    let x = 3 + states + 2;
    // Who and how it is taken back stay in view; the action gives way.
    let last = cells(&row.rollback);
    let by = cells(&row.by);
    let room = width.saturating_sub(x);
    let tail = if room > 24 + last { last + 2 } else { 0 };
    let middle = if room > 24 + tail + by { by + 2 } else { 0 };
    let action = room.saturating_sub(tail + middle).min(actions.max(12));
    pen.say(x, 0, action, &row.action, Tone::Text);
    if middle > 0 {
        pen.say(x + action + 2, 0, by, &row.by, Tone::Muted);
    }
    if tail > 0 {
        pen.say(width.saturating_sub(last), 0, last, &row.rollback, Tone::Muted);
    }
    let used = x + action + middle;
    let rest = width.saturating_sub(used + tail);
    if rest > 24 && !row.verify.is_empty() {
        pen.say(used + 2, 0, rest.saturating_sub(4), &row.verify, Tone::Muted);
    }
}

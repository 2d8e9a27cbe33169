//! The search over everything: what is typed, and what was found, newest first.

use crate::app::present::view::{HitRow, SearchView, Tone};
use crate::ui::pen::{Pen, cells};
use crate::ui::widget::field::field;
use crate::ui::widget::list::{Rows, body};
use crate::ui::widget::modal::{BORDER, modal};

/// Draws the search. Its height does not depend on what was found, so that typing moves nothing.
pub fn search(pen: &mut Pen<'_>, view: &SearchView) {
    let width = pen.width().saturating_sub(if pen.width() >= 100 { 8 } else { 2 }).min(160);
    let rows = pen.height().saturating_sub(BORDER).min(24);
    let mut inside = modal(pen, "SEARCH all timelines and postmortems", width, rows);
    let (w, h) = (inside.width(), inside.height());
    let used = inside.say(0, 0, w, "> ", Tone::Accent);
    field(&mut inside, used, 0, w.saturating_sub(used), &view.query);
    let list = h.saturating_sub(if h >= 6 { 4 } else { 2 });
    let top = if h >= 6 { 2 } else { 1 };
    let ids = view.rows.rows.iter().map(|row| cells(&row.incident)).max().unwrap_or(0).min(24);
    let draw = |pen: &mut Pen<'_>, one: &HitRow| row(pen, one, ids);
    body(&mut inside.part(0, top, w, list), &view.rows, Rows { select_from: 0, ..Rows::default() }, draw);
    let last = h.saturating_sub(1);
    if last > 0 {
        inside.say(0, last, w, &view.note, Tone::Muted);
        let keys = "Enter open   Esc";
        if w >= cells(&view.note) + cells(keys) + 4 {
            inside.say_right(w - cells(keys), last, cells(keys), keys, Tone::Muted);
        }
    }
}

fn row(pen: &mut Pen<'_>, row: &HitRow, ids: u16) {
    let width = pen.width();
    let mut x = 1;
    if width >= 90 {
        x += pen.say(x, 0, 17, &row.when, Tone::Muted).max(17) + 1;
    }
    pen.say(x, 0, ids, &row.incident, Tone::Accent);
    x += ids + 1;
    if width >= 60 {
        pen.say(x, 0, 10, &row.kind, Tone::Muted);
        x += 11;
    }
    if width >= 100 {
        pen.say(x, 0, 10, &row.who, Tone::Muted);
        x += 11;
    }
    pen.say(x, 0, width.saturating_sub(x), &row.text, Tone::Text);
}

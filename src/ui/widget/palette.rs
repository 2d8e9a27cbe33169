//! The command palette: what is typed, the matching actions, and why some of them cannot be used.

use crate::app::present::view::{PaletteRow, PaletteView, Tone};
use crate::ui::pen::Pen;
use crate::ui::widget::field::field;
use crate::ui::widget::list::{Rows, body};
use crate::ui::widget::modal::{BORDER, modal};

/// Draws the palette. Its height does not depend on how many actions match, so that typing moves nothing.
pub fn palette(pen: &mut Pen<'_>, view: &PaletteView) {
    let width = pen.width().saturating_sub(8).min(84);
    let rows = pen.height().saturating_sub(BORDER).min(16);
    let mut inside = modal(pen, "COMMANDS", width, rows);
    let (w, h) = (inside.width(), inside.height());
    let used = inside.say(0, 0, w, "> ", Tone::Accent);
    field(&mut inside, used, 0, w.saturating_sub(used), &view.query);
    let list = h.saturating_sub(if h >= 6 { 4 } else { 2 });
    let top = if h >= 6 { 2 } else { 1 };
    body(&mut inside.part(0, top, w, list), &view.rows, Rows { select_from: 1, ..Rows::default() }, row);
    let count = format!("{} of {} commands", view.rows.rows.len(), view.total);
    let last = h.saturating_sub(1);
    if last > 0 {
        inside.say(0, last, w, &count, Tone::Muted);
        if w >= 60 {
            inside.say_right(w - 34, last, 34, "Enter run   Tab complete   Esc", Tone::Muted);
        }
    }
}

fn row(pen: &mut Pen<'_>, row: &PaletteRow) {
    let width = pen.width();
    let tone = if row.why_not.is_some() { Tone::Muted } else { Tone::Text };
    let right = if width >= 56 { width * 54 / 100 } else { width };
    pen.say(2, 0, right.saturating_sub(3), &row.title, tone);
    if right == width {
        return;
    }
    if let Some(why) = &row.why_not {
        pen.say(right, 0, width - right, why, Tone::Muted);
        return;
    }
    pen.say(right, 0, 7, &row.key, Tone::Accent);
    pen.say(right + 8, 0, 7, &row.tier, if row.tier == "typed" { Tone::Warn } else { Tone::Muted });
    pen.say(right + 16, 0, width.saturating_sub(right + 16), &row.target, Tone::Muted);
}

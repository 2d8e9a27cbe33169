//! A titled rule: `-- SLO 1/5 ------ sort: urgency --`. Panes have no boxes.

use crate::app::present::view::Tone;
use crate::ui::pen::{Pen, cells};

/// Draws a rule across the pen's width. The note gives way before the title.
pub fn rule(pen: &mut Pen<'_>, y: u16, title: &str, note: &str) {
    let width = pen.width();
    let line = pen.theme.words(Tone::Muted);
    pen.fill(0, y, width, '-', line);
    let mut x: u16 = 3;
    if !title.is_empty() {
        pen.dot(2, y, ' ', line);
        x = x.saturating_add(pen.say(3, y, width.saturating_sub(5), title, Tone::Accent));
        pen.dot(x, y, ' ', line);
        x = x.saturating_add(1);
    }
    let room = width.saturating_sub(x).saturating_sub(5);
    if note.is_empty() || room < 6 {
        return;
    }
    let note_cells = cells(note).min(room);
    let from = width.saturating_sub(note_cells).saturating_sub(3);
    pen.dot(from.saturating_sub(1), y, ' ', line);
    pen.say(from, y, note_cells, note, Tone::Muted);
    pen.dot(from.saturating_add(note_cells), y, ' ', line);
}

/// Draws the bar between two columns.
pub fn bar(pen: &mut Pen<'_>, x: u16) {
    let style = pen.theme.words(Tone::Muted);
    for y in 0..pen.height() {
        pen.dot(x, y, '|', style);
    }
}

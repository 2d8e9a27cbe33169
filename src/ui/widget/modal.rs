//! A box on top of a screen: always inside its frame, empty inside, its border in 7-bit characters.

use crate::app::present::view::Tone;
use crate::ui::pen::Pen;

/// What a box adds to the rows of its content.
pub const BORDER: u16 = 2;

/// Draws an empty box of at most `width` x `rows` of content in the middle and lends the pen of its inside.
pub fn modal<'p>(pen: &'p mut Pen<'_>, title: &str, width: u16, rows: u16) -> Pen<'p> {
    let side = if pen.width() >= 60 { 2 } else { 0 };
    let w = width.saturating_add(4).min(pen.width().saturating_sub(side * 2));
    let h = rows.saturating_add(BORDER).min(pen.height());
    let x = pen.width().saturating_sub(w) / 2;
    let y = (pen.height().saturating_sub(h) / 3).min(6);
    let mut frame = pen.part(x, y, w, h);
    frame.clear();
    let line = frame.theme.words(Tone::Accent);
    for row in [0, h.saturating_sub(1)] {
        frame.fill(0, row, w, '-', line);
    }
    for row in 0..h {
        let c = if row == 0 || row + 1 == h { '+' } else { '|' };
        frame.dot(0, row, c, line);
        frame.dot(w.saturating_sub(1), row, c, line);
    }
    frame.dot(3, 0, ' ', line);
    let used = frame.say(4, 0, w.saturating_sub(8), title, Tone::Accent);
    frame.dot(4 + used, 0, ' ', line);
    let area = (x + 2, y + 1, w.saturating_sub(4), h.saturating_sub(BORDER));
    // The inside is a part of the caller's pen, so that it lives as long as the caller needs it.
    pen.part(area.0, area.1, area.2, area.3)
}

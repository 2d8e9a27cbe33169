//! The first row of what is no usual cockpit: a game day, an experiment, a facilitator's screen.

use crate::app::present::view::Tone;
use crate::ui::pen::{Pen, cells};

/// Draws it across the pen's width; the time, where there is one, gives way before the words.
pub fn banner(pen: &mut Pen<'_>, words: &str, utc: &str) {
    let (width, style) = (pen.width(), pen.theme.loud(Tone::Drill));
    pen.fill(0, 0, width, ' ', style);
    pen.put(1, 0, width, words, style);
    let at = width.saturating_sub(cells(utc).saturating_add(1));
    if at > cells(words).saturating_add(2) {
        pen.put(at, 0, width, utc, style);
    }
}

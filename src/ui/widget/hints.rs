//! The last line: keys of the screen, whole items only, most important first; or the filter being typed.

use crate::app::present::view::{Hint, LineView, Tone};
use crate::ui::pen::{Pen, cells};
use crate::ui::widget::field::field;

/// Draws the hints into row `y`.
pub fn hints(pen: &mut Pen<'_>, y: u16, mode: Option<&str>, hints: &[Hint]) {
    let width = pen.width();
    let mut x: u16 = 1;
    if let Some(mode) = mode {
        let style = pen.theme.loud(Tone::Accent);
        x = x.saturating_add(pen.put(x, y, width, mode, style)).saturating_add(2);
    }
    for hint in hints {
        let needs = cells(&hint.key).saturating_add(cells(&hint.text)).saturating_add(1);
        if x.saturating_add(needs) > width {
            break;
        }
        let possible = hint.why_not.is_none();
        let used = pen.say(x, y, width, &hint.key, if possible { Tone::Accent } else { Tone::Muted });
        pen.say(x + used + 1, y, width, &hint.text, if possible { Tone::Text } else { Tone::Muted });
        x = x.saturating_add(needs).saturating_add(2);
    }
}

/// Draws the filter line in place of the hints.
pub fn filter(pen: &mut Pen<'_>, y: u16, line: &LineView) {
    let width = pen.width();
    pen.fill(0, y, width, ' ', pen.theme.base());
    let used = pen.say(1, y, width, "/", Tone::Accent) + 2;
    field(pen, used, y, width.saturating_sub(used + 26).max(12), line);
    if width >= 60 {
        pen.say_right(width - 26, y, 25, "Enter keep   Esc clear", Tone::Muted);
    }
}

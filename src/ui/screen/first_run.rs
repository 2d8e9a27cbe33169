//! No configuration yet: what was looked for, and what can be done about it.

use crate::app::present::view::{FirstRun, Tone};
use crate::ui::pen::{Pen, cells};
use crate::ui::widget::facts;
use crate::ui::widget::list::{Rows, body};

/// Draws the screen: one calm column in the middle of a large frame.
pub fn draw(pen: &mut Pen<'_>, view: &FirstRun) {
    let width = pen.width().min(84);
    let x = pen.width().saturating_sub(width) / 2;
    let y = if pen.height() >= 16 { pen.height() / 6 } else { 0 };
    let height = pen.height();
    let mut page = pen.part(x, y, width, height);
    let gap = u16::from(page.height() >= 12);
    page.say(1, 0, width, "midwatch", Tone::Accent);
    let mut lines = page.part(1, 1 + gap, width.saturating_sub(2), height);
    let room =
        lines.height().saturating_sub(u16::try_from(view.choices.rows.len()).unwrap_or(u16::MAX).saturating_add(gap));
    let w = lines.width();
    let used = facts::prose(&mut lines.part(0, 0, w, room), &view.lines, Tone::Text);
    let keys = view.choices.rows.iter().map(|(k, _)| cells(k)).max().unwrap_or(0).min(20);
    let mut choices = page.below(1 + gap + used + gap);
    let item = if choices.height() >= 4 * u16::try_from(view.choices.rows.len()).unwrap_or(u16::MAX / 4).min(999) {
        2
    } else {
        1
    };
    body(&mut choices, &view.choices, Rows { item, ..Rows::default() }, |pen, (key, text)| {
        let width = pen.width();
        pen.say(1, 0, keys, key, Tone::Accent);
        pen.say(keys + 4, 0, width, text, Tone::Text);
    });
}

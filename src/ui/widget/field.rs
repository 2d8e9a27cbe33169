//! A line of text being typed, with its cursor always in view.

use crate::app::present::view::{LineView, Tone};
use crate::domain::text::{clean, width};
use crate::ui::pen::Pen;

/// Draws the line in `max` cells. The part around the cursor is shown when it is longer.
pub fn field(pen: &mut Pen<'_>, x: u16, y: u16, max: u16, line: &LineView) {
    let style = pen.theme.words(Tone::Text);
    let cursor = pen.theme.loud(Tone::Text);
    let room = usize::from(max.saturating_sub(1));
    let before: String = line.text.chars().take(line.cursor).collect();
    let at = line.text.chars().nth(line.cursor);
    let after: String = line.text.chars().skip(line.cursor.saturating_add(1)).collect();
    let before = clean(&before);
    let mut head = before.as_ref();
    // What lies left of the window goes, one character at a time.
    while width(head) > room.saturating_sub(1).max(room * 3 / 4) {
        let mut chars = head.chars();
        if chars.next().is_none() {
            break;
        }
        head = chars.as_str();
    }
    let used = pen.put(x, y, max, head, style);
    let left = max.saturating_sub(used);
    match at {
        Some(c) => {
            let shown = pen.put(x + used, y, left, clean(c.encode_utf8(&mut [0; 4])).as_ref(), cursor);
            pen.put(x + used + shown, y, left.saturating_sub(shown), &after, style);
        }
        None => {
            pen.put(x + used, y, left, "_", style);
        }
    }
}

//! Sources in a list: health, age of the last good answer, what it said or why it failed.

use crate::app::present::view::{Sign, SourceRow, Tone};
use crate::ui::pen::{Pen, cells};

/// Draws one source.
pub fn source_row(pen: &mut Pen<'_>, row: &SourceRow, (names, words): (u16, u16)) {
    let width = pen.width();
    pen.sign(0, 0, row.sign);
    let mut x = 3 + pen.say(3, 0, names, &row.name, Tone::Text).max(names) + 2;
    if width >= 64 {
        pen.say(x, 0, 13, &row.kind, Tone::Muted);
        x += 14;
    }
    let bad = matches!(row.sign, Sign::Page | Sign::NoData);
    let style = if bad { pen.theme.loud(Tone::Crit) } else { pen.theme.words(row.sign.tone()) };
    x += pen.put(x, 0, words, &row.word, style).max(words) + 1;
    pen.say_right(x, 0, 6, &row.age, Tone::Text);
    x += 9;
    pen.say(x, 0, width, &row.detail, Tone::Muted);
}

/// Cells of the widest name and of the widest word.
pub fn widths(rows: &[SourceRow]) -> (u16, u16) {
    let widest = |text: fn(&SourceRow) -> &str| rows.iter().map(|r| cells(text(r))).max().unwrap_or(0);
    (widest(|r| &r.name).clamp(6, 20), widest(|r| &r.word).clamp(2, 10))
}

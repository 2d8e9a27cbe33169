//! Sources in a list: health, age of the last good answer, what it said or why it failed.

use crate::app::present::view::{Sign, SourceRow, Tone};
use crate::ui::pen::{Pen, cells};

/// Draws one source.
pub fn source_row(pen: &mut Pen<'_>, row: &SourceRow, names: u16) {
    let width = pen.width();
    pen.sign(0, 0, row.sign);
    let names = names.clamp(6, 20);
    let mut x = 3 + pen.say(3, 0, names, &row.name, Tone::Text).max(names) + 2;
    if width >= 64 {
        pen.say(x, 0, 13, &row.kind, Tone::Muted);
        x += 14;
    }
    let bad = matches!(row.sign, Sign::Page | Sign::NoData);
    let style = if bad { pen.theme.loud(Tone::Crit) } else { pen.theme.words(row.sign.tone()) };
    x += pen.put(x, 0, 10, &row.word, style).max(4) + 1;
    pen.say_right(x, 0, 6, &row.age, Tone::Text);
    x += 8;
    pen.say(x, 0, width, &row.detail, Tone::Muted);
}

/// The widest name.
pub fn names(rows: &[SourceRow]) -> u16 {
    rows.iter().map(|r| cells(&r.name)).max().unwrap_or(0)
}

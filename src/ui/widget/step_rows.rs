//! Steps of a runbook; the current one is always in view.

use crate::app::present::view::{StepRow, Tone};
use crate::ui::layout::page;
use crate::ui::pen::{Pen, cells};

/// Draws the steps; notes stand in one column where there is room for them.
pub fn step_rows(pen: &mut Pen<'_>, steps: &[StepRow]) {
    let current = steps.iter().position(|s| s.current);
    // Where notes do not fit beside the names they stand under them, if there are rows enough for all.
    let names = steps.iter().map(|s| cells(&s.name)).max().unwrap_or(0).min(pen.width().saturating_sub(6));
    let beside = pen.width().saturating_sub(5 + names + 3) >= 12;
    let two = !beside && usize::from(pen.height()) >= steps.len().saturating_mul(2);
    let item: u16 = if two { 2 } else { 1 };
    let shown = page(steps.len(), usize::from(pen.height() / item), current);
    for (row, y) in steps.iter().take(shown.end).skip(shown.start).zip((0..).step_by(usize::from(item))) {
        let width = pen.width();
        let tone = match row.mark {
            "[x]" | "[-]" => Tone::Muted,
            "[!]" => Tone::Crit,
            _ if row.current => Tone::Accent,
            _ => Tone::Text,
        };
        pen.say(1, y, 3, row.mark, tone);
        pen.say(5, y, width.saturating_sub(5), &row.name, tone);
        let x = 5 + names + 3;
        if beside {
            pen.say(x, y, width, &row.note, Tone::Muted);
        } else if two {
            pen.say(7, y + 1, width, &row.note, Tone::Muted);
        }
    }
}

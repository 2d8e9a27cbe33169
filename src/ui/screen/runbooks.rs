//! The library of runbooks, with the findings of the selected one.

use crate::app::present::view::{RunbookRow, RunbooksPage, Tone};
use crate::ui::layout::Size;
use crate::ui::pen::{Pen, cells};
use crate::ui::widget::facts;
use crate::ui::widget::list::{Rows, pane};
use crate::ui::widget::rule::rule;

/// Draws the screen.
pub fn draw(pen: &mut Pen<'_>, view: &RunbooksPage, size: Size) {
    let (width, height) = (pen.width(), pen.height());
    let lower = if size >= Size::S { (height / 3).max(5) } else { height / 4 };
    let list = height.saturating_sub(lower);
    let ids = view.runbooks.rows.iter().map(|r| cells(&r.id)).max().unwrap_or(0).clamp(8, 32).min(width / 2);
    let names = view.runbooks.rows.iter().map(|r| cells(&r.name)).max().unwrap_or(0).clamp(8, 48);
    pane(&mut pen.part(0, 0, width, list), &view.runbooks, Rows { select_from: 2, ..Rows::default() }, |pen, row| {
        runbook_row(pen, row, ids, names);
    });
    let mut under = pen.below(list);
    if under.height() > 1 {
        rule(&mut under, 0, "FINDINGS", "");
        if view.findings.is_empty() {
            under.say(3, 1, width, "none", Tone::Muted);
        }
        facts::lines(&mut under.below(1), &view.findings);
    }
}

fn runbook_row(pen: &mut Pen<'_>, row: &RunbookRow, ids: u16, names: u16) {
    let width = pen.width();
    pen.sign(0, 0, row.sign);
    pen.say(3, 0, ids, &row.id, Tone::Text);
    let mut x = 3 + ids + 2;
    let steps: u16 = if width >= 60 { 10 } else { 0 };
    let names = names.min(width.saturating_sub(x + steps) / if width >= 100 { 2 } else { 1 });
    pen.say(x, 0, names, &row.name, Tone::Text);
    x += names + 1;
    pen.say_right(x, 0, steps.saturating_sub(1), &row.steps, Tone::Muted);
    x += steps + 2;
    if !row.incident.is_empty() {
        x += pen.say(x, 0, width, &row.incident, Tone::Warn) + 2;
    }
    pen.say(x, 0, width, &row.triggers, Tone::Muted);
}

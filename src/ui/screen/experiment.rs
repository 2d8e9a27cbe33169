//! An experiment under way: one screen. The way back stands in the last row, whatever is on the rest.

use crate::app::present::experiment::{ConditionRow, ExperimentPage};
use crate::app::present::view::Tone;
use crate::domain::text::wrap;
use crate::ui::glyphs::Glyphs;
use crate::ui::pen::{Pen, cells};
use crate::ui::theme::Theme;
use crate::ui::widget::hints;
use crate::ui::widget::rule::rule;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Draws the whole frame. Every cell of the area is written.
pub fn draw(view: &ExperimentPage, theme: &Theme, glyphs: Glyphs, area: Rect, buf: &mut Buffer) {
    let mut pen = Pen::new(buf, area, theme, glyphs);
    pen.clear();
    let (width, height) = (pen.width(), pen.height());
    pen.fill(0, 0, width, ' ', theme.loud(Tone::Drill));
    let style = theme.loud(Tone::Drill);
    pen.put(1, 0, width, &view.banner, style);
    let at = width.saturating_sub(cells(&view.utc).saturating_add(1));
    if at > cells(&view.banner).saturating_add(2) {
        pen.put(at, 0, width, &view.utc, style);
    }
    // First the row that must never be missing, then as much of the rest as fits.
    let last = height.saturating_sub(1);
    hints::hints(&mut pen, last, None, &view.hints);
    let room = last.saturating_sub(1);
    let mut middle = pen.part(0, 1, width, room);
    body(&mut middle, view);
}

fn body(pen: &mut Pen<'_>, view: &ExperimentPage) {
    let (width, height) = (pen.width(), pen.height());
    let mut y = 0;
    pen.say(0, y, width, &view.title, Tone::Accent);
    y += 1;
    for line in wrap(&view.hypothesis, usize::from(width)).iter().take(if height < 18 { 1 } else { 3 }) {
        pen.say(0, y, width, line, Tone::Text);
        y += 1;
    }
    let mut x = pen.bit(0, y, width, &view.state).saturating_add(2);
    if let Some(left) = &view.left {
        x = x.saturating_add(pen.bit(x, y, width, left)).saturating_add(2);
    }
    let touches = cells(&view.touches);
    if x.saturating_add(touches) < width {
        pen.say(width.saturating_sub(touches), y, width, &view.touches, Tone::Muted);
    }
    y += 1;
    let asked = view.prompt.as_ref().map_or(0, |prompt| prompt.rows.len().saturating_add(3));
    let back = view.rollback.len().saturating_add(1).min(4);
    let most =
        usize::from(height.saturating_sub(y)).saturating_sub(back).saturating_sub(asked.min(usize::from(height) / 2));
    y = conditions(pen, y, view, most.max(2));
    y = changes(pen, y, view, back);
    if view.prompt.is_some() {
        prompt(pen, y, view);
    } else {
        told(pen, y, view);
    }
}

fn conditions(pen: &mut Pen<'_>, mut y: u16, view: &ExperimentPage, most: usize) -> u16 {
    let width = pen.width();
    rule(pen, y, "CONDITIONS", "");
    y += 1;
    let many = view.conditions.len();
    let shown = if many < most { many } else { most.saturating_sub(2).max(1) };
    let names = view.conditions.iter().map(|row| cells(&row.name)).max().unwrap_or(0).min(width / 2);
    // What ends it is what must be seen when not all can be.
    let mut rows: Vec<&ConditionRow> = view.conditions.iter().collect();
    if shown < many {
        rows.sort_by_key(|row| u8::from(row.role != "abort"));
    }
    for row in rows.iter().take(shown) {
        pen.sign(0, y, row.sign);
        pen.say(3, y, width, row.role, Tone::Muted);
        pen.part(11, y, names, 1).say(0, 0, names, &row.name, Tone::Text);
        let x = names.saturating_add(13);
        let x = x.saturating_add(pen.bit(x, y, width, &row.value)).saturating_add(2);
        pen.say(x, y, width, &row.held, Tone::Muted);
        y += 1;
    }
    if shown < many {
        pen.say(3, y, width, &format!("and {} more", many - shown), Tone::Muted);
        y += 1;
    }
    y
}

fn changes(pen: &mut Pen<'_>, mut y: u16, view: &ExperimentPage, most: usize) -> u16 {
    let width = pen.width();
    if !view.in_force.is_empty() {
        rule(pen, y, "IN FORCE", "");
        y += 1;
        for bit in view.in_force.iter().rev().take(3) {
            pen.bit(3, y, width, bit);
            y += 1;
        }
    }
    rule(pen, y, "ROLLBACK", "on every way out");
    y += 1;
    for bit in view.rollback.iter().take(most.saturating_sub(1).max(1)) {
        pen.bit(3, y, width, bit);
        y += 1;
    }
    y
}

/// The rows of a question from its end: what is to be typed must be seen.
fn prompt(pen: &mut Pen<'_>, y: u16, view: &ExperimentPage) {
    let Some(prompt) = &view.prompt else { return };
    let (width, room) = (pen.width(), usize::from(pen.height().saturating_sub(y)));
    rule(pen, y, "TO BE ANSWERED", "");
    let mut lines: Vec<(String, Tone)> = Vec::new();
    for (label, text) in &prompt.rows {
        for (n, line) in wrap(text, usize::from(width.saturating_sub(13)).max(10)).iter().enumerate() {
            let label = if n == 0 { label.as_str() } else { "" };
            lines.push((format!("{label:<12} {line}"), Tone::Text));
        }
    }
    let keep = room.saturating_sub(3);
    let skipped = lines.len().saturating_sub(keep);
    let mut y = y.saturating_add(1);
    if skipped > 0 {
        let first =
            format!("(this terminal is too low: {} rows above are not shown; enlarge it before you answer)", skipped);
        pen.say(0, y, width, &first, Tone::Crit);
        y += 1;
    }
    for (line, tone) in lines.iter().skip(if skipped > 0 { skipped + 1 } else { 0 }) {
        pen.say(0, y, width, line, *tone);
        y += 1;
    }
    pen.say(0, y, width, &prompt.ask, Tone::Accent);
    let x = pen.say(0, y + 1, width, "> ", Tone::Accent);
    pen.say(x + 1, y + 1, width, &format!("{}_", view.typed), Tone::Text);
}

fn told(pen: &mut Pen<'_>, y: u16, view: &ExperimentPage) {
    let (width, height) = (pen.width(), pen.height());
    if y >= height {
        return;
    }
    rule(pen, y, "WHAT HAPPENED", "");
    let room = usize::from(height.saturating_sub(y).saturating_sub(1));
    let skip = view.told.len().saturating_sub(room);
    for (line, y) in view.told.iter().skip(skip).zip(y + 1..) {
        pen.say(0, y, width, line, Tone::Text);
    }
}

//! An experiment under way: one screen. The way back stands in the last row, whatever is on the rest.

use crate::app::present::experiment::{ConditionRow, ExperimentPage};
use crate::app::present::view::Tone;
use crate::domain::experiment::machine::Prompt;
use crate::domain::text::wrap;
use crate::ui::glyphs::Glyphs;
use crate::ui::pen::{Pen, cells};
use crate::ui::theme::Theme;
use crate::ui::widget::banner::banner;
use crate::ui::widget::hints;
use crate::ui::widget::rule::rule;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Draws the whole frame. Every cell of the area is written. `false` where not all of a question could be shown: it must not be
/// answered then.
pub fn draw(view: &ExperimentPage, theme: &Theme, glyphs: Glyphs, area: Rect, buf: &mut Buffer) -> bool {
    let mut pen = Pen::new(buf, area, theme, glyphs);
    pen.clear();
    let (width, height) = (pen.width(), pen.height());
    banner(&mut pen, &view.banner, &view.utc);
    // First the row that must never be missing, then as much of the rest as fits.
    let last = height.saturating_sub(1);
    hints::hints(&mut pen, last, None, &view.hints);
    let room = last.saturating_sub(1);
    let mut middle = pen.part(0, 1, width, room);
    body(&mut middle, view)
}

fn body(pen: &mut Pen<'_>, view: &ExperimentPage) -> bool {
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
    let asked = view.prompt.as_ref().map(|prompt| question(prompt, width));
    let back = view.rollback.len().saturating_add(1).min(4);
    let left = usize::from(height.saturating_sub(y));
    let needs = asked.as_ref().map_or(0, |lines| lines.len().saturating_add(3));
    // What is to be answered comes before everything else.
    if asked.is_none() || left >= needs.saturating_add(back).saturating_add(3) {
        let most = left.saturating_sub(back).saturating_sub(needs);
        y = conditions(pen, y, view, most.max(2));
        y = changes(pen, y, view, back);
    }
    match (&view.prompt, asked) {
        (Some(asks), Some(lines)) => prompt(pen, y, (&lines, &asks.ask), view),
        _ => {
            told(pen, y, view);
            true
        }
    }
}

/// The rows of a question, wrapped.
fn question(prompt: &Prompt, width: u16) -> Vec<String> {
    let mut lines = Vec::new();
    for (label, text) in &prompt.rows {
        for (n, line) in wrap(text, usize::from(width.saturating_sub(13)).max(10)).iter().enumerate() {
            let label = if n == 0 { label.as_str() } else { "" };
            lines.push(format!("{label:<12} {line}"));
        }
    }
    lines
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
        rows.sort_by_key(|row| (row.role != "abort", row.role != "blast"));
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

/// A question and what is being typed. `false` where it does not fit.
fn prompt(pen: &mut Pen<'_>, y: u16, (lines, ask): (&[String], &str), view: &ExperimentPage) -> bool {
    let (width, room) = (pen.width(), usize::from(pen.height().saturating_sub(y)));
    if room < lines.len().saturating_add(3) {
        pen.say(0, y, width, "TOO LOW TO SHOW THE QUESTION", Tone::Crit);
        pen.say(0, y.saturating_add(1), width, &format!("it needs {} rows more", lines.len() + 3 - room), Tone::Crit);
        return false;
    }
    // What an answer came to is said where the next one is typed.
    rule(pen, y, "TO BE ANSWERED", view.told.last().map(String::as_str).unwrap_or_default());
    let mut y = y.saturating_add(1);
    for line in lines {
        pen.say(0, y, width, line, Tone::Text);
        y = y.saturating_add(1);
    }
    pen.say(0, y, width, ask, Tone::Accent);
    let x = pen.say(0, y.saturating_add(1), width, "> ", Tone::Accent);
    pen.say(x.saturating_add(1), y.saturating_add(1), width, &format!("{}_", view.typed), Tone::Text);
    true
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

//! A game day: one screen. The keys stand in the last row, what must not be told yet above what is to be said.

use crate::app::present::gameday::{GamedayPage, SheetRow};
use crate::app::present::view::Tone;
use crate::domain::text::wrap;
use crate::ui::glyphs::Glyphs;
use crate::ui::pen::Pen;
use crate::ui::theme::Theme;
use crate::ui::widget::banner::banner;
use crate::ui::widget::hints;
use crate::ui::widget::rule::rule;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Rows that the sheet is never pressed below while there are that many.
const LEAST: u16 = 3;

/// Draws the whole frame. Every cell of the area is written.
pub fn draw(view: &GamedayPage, theme: &Theme, glyphs: Glyphs, area: Rect, buf: &mut Buffer) {
    let mut pen = Pen::new(buf, area, theme, glyphs);
    pen.clear();
    let (width, height) = (pen.width(), pen.height());
    banner(&mut pen, &view.banner, &view.utc);
    let last = height.saturating_sub(1);
    hints::hints(&mut pen, last, None, &view.hints);
    let below = if view.asks.is_some() { 2 } else { u16::from(view.told.is_some()) };
    let room = last.saturating_sub(1);
    foot(&mut pen.part(0, last.saturating_sub(below), width, below), view);
    let mut middle = pen.part(0, 1, width, room.saturating_sub(below));
    if view.rows.is_empty() { teams(&mut middle, view) } else { facilitator(&mut middle, view) }
}

/// What is being typed, else what was said last.
fn foot(pen: &mut Pen<'_>, view: &GamedayPage) {
    let width = pen.width();
    match (&view.asks, &view.told) {
        (Some((question, text)), _) => {
            pen.say(0, 0, width, question, Tone::Accent);
            let x = pen.say(0, 1, width, "> ", Tone::Accent);
            // Of a long line its end is what is being typed.
            let room = usize::from(width.saturating_sub(x).saturating_sub(1)).max(1);
            let shown: String = text.chars().skip(text.chars().count().saturating_sub(room)).collect();
            pen.say(x, 1, width, &format!("{shown}_"), Tone::Text);
        }
        (None, Some(told)) => drop(pen.bit(0, 0, width, told)),
        (None, None) => {}
    }
}

/// Lines of a text at a row; the first row that is free afterwards.
fn lines(pen: &mut Pen<'_>, mut y: u16, text: &str, most: usize, tone: Tone) -> u16 {
    let width = pen.width();
    for line in wrap(text, usize::from(width)).iter().take(most) {
        pen.say(0, y, width, line, tone);
        y = y.saturating_add(1);
    }
    y
}

fn facilitator(pen: &mut Pen<'_>, view: &GamedayPage) {
    let (width, height) = (pen.width(), pen.height());
    let low = height < 18;
    let mut y = lines(pen, 0, &view.title, 1, Tone::Accent);
    if !low && !view.goal.is_empty() {
        y = lines(pen, y, &view.goal, 2, Tone::Muted);
    }
    let roles: Vec<String> = view.roles.iter().map(|(role, who)| format!("{role} {who}")).collect();
    y = lines(pen, y, &roles.join("   "), if low { 1 } else { 2 }, Tone::Text);
    if !low && !view.stop_when.is_empty() {
        y = lines(pen, y, &format!("stop when: {}", view.stop_when), 2, Tone::Text);
    }
    pen.bit(0, y, width, &view.next);
    y = y.saturating_add(1);
    let details = detail_lines(view, width);
    let left = height.saturating_sub(y);
    let many = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
    // The sheet has what the chosen entry needs not, and the log what both leave, at least two lines where that is possible.
    let wanted = many(details.len()).saturating_add(u16::from(!details.is_empty()));
    let log = if left > 12 { 3 } else { 0 };
    let sheet = left.saturating_sub(wanted).saturating_sub(log).saturating_sub(1).max(LEAST);
    y = rows(pen, y, view, sheet.min(many(view.rows.len())));
    let most = pen.height().saturating_sub(y).saturating_sub(log);
    y = chosen(pen, y, view, &details, most);
    recent(pen, y, "LOG", &view.log);
}

fn rows(pen: &mut Pen<'_>, mut y: u16, view: &GamedayPage, room: u16) -> u16 {
    let (width, shown) = (pen.width(), usize::from(room));
    let chosen = view.rows.iter().position(|row| row.chosen).unwrap_or(0);
    let first = chosen.saturating_sub(shown / 2).min(view.rows.len().saturating_sub(shown));
    let hidden = view.rows.len().saturating_sub(shown);
    let note = if hidden > 0 { format!("{hidden} more") } else { String::new() };
    rule(pen, y, "SHEET", &note);
    y = y.saturating_add(1);
    for row in view.rows.iter().skip(first).take(shown) {
        sheet_row(pen, y, row, width);
        y = y.saturating_add(1);
    }
    y
}

fn sheet_row(pen: &mut Pen<'_>, y: u16, row: &SheetRow, width: u16) {
    let mark = if row.chosen { ">" } else { " " };
    pen.say(0, y, 1, mark, Tone::Accent);
    pen.say_right(1, y, 3, &row.number, Tone::Muted);
    pen.say(5, y, 9, &row.planned, Tone::Text);
    pen.bit(15, y, 18, &row.state);
    // A narrow screen has the words rather than whose turn it is.
    let x = if width >= 76 { 34_u16.saturating_add(pen.say(34, y, 12, &row.who, Tone::Muted).max(12)) } else { 33 };
    let kept = if row.kept { 8 } else { 0 };
    let room = width.saturating_sub(x.saturating_add(1)).saturating_sub(kept);
    pen.part(x.saturating_add(1), y, room, 1).say(0, 0, room, &row.what, Tone::Text);
    if row.kept {
        pen.say(width.saturating_sub(7), y, 7, "NOT YET", Tone::Crit);
    }
    if row.chosen {
        pen.select(y, 0);
    }
}

fn detail_lines(view: &GamedayPage, width: u16) -> Vec<(&'static str, String, Tone)> {
    let mut all = Vec::new();
    for (label, bit) in &view.details {
        for (n, line) in wrap(&bit.text, usize::from(width.saturating_sub(9)).max(10)).into_iter().enumerate() {
            all.push((if n == 0 { *label } else { "" }, line, bit.tone));
        }
    }
    all
}

fn chosen(pen: &mut Pen<'_>, mut y: u16, view: &GamedayPage, lines: &[(&str, String, Tone)], most: u16) -> u16 {
    if lines.is_empty() || most < 2 {
        return y;
    }
    let width = pen.width();
    let number = view.rows.iter().find(|row| row.chosen).map(|row| row.number.clone()).unwrap_or_default();
    rule(pen, y, &format!("ENTRY {number}"), "");
    y = y.saturating_add(1);
    let room = usize::from(most.saturating_sub(1));
    let cut = lines.len() > room;
    for (label, line, tone) in lines.iter().take(if cut { room.saturating_sub(1) } else { room }) {
        pen.say(0, y, 8, label, if *tone == Tone::Crit { Tone::Crit } else { Tone::Muted });
        pen.say(9, y, width, line, *tone);
        y = y.saturating_add(1);
    }
    if cut {
        pen.say(9, y, width, "there is more; a higher terminal shows it", Tone::Warn);
        y = y.saturating_add(1);
    }
    y
}

/// The last lines of a list, wrapped, as many as there is room for.
fn recent(pen: &mut Pen<'_>, y: u16, title: &str, log: &[String]) {
    let (width, height) = (pen.width(), pen.height());
    if y.saturating_add(1) >= height {
        return;
    }
    rule(pen, y, title, "");
    let room = usize::from(height.saturating_sub(y).saturating_sub(1));
    let wrapped: Vec<String> = log.iter().flat_map(|line| wrap(line, usize::from(width).max(1))).collect();
    for (line, y) in wrapped.iter().skip(wrapped.len().saturating_sub(room)).zip(y.saturating_add(1)..) {
        pen.say(0, y, width, line, Tone::Text);
    }
}

fn teams(pen: &mut Pen<'_>, view: &GamedayPage) {
    let width = pen.width();
    let y = lines(pen, 0, &view.title, 2, Tone::Accent);
    pen.bit(0, y, width, &view.next);
    recent(pen, y.saturating_add(1), "WHAT WAS TOLD", &view.log);
}

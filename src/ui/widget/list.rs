//! A pane with a list: rule, the page that holds the cursor, the selected row. Knows nothing of what a row says.

use crate::app::present::view::{Pane, Tone};
use crate::domain::text::wrap;
use crate::ui::layout::{page, tail};
use crate::ui::pen::{Pen, cells};
use crate::ui::widget::rule::rule;
use std::ops::Range;

/// How rows of a list are drawn.
#[derive(Clone, Copy, Debug)]
pub struct Rows {
    /// Terminal rows of one item.
    pub item: u16,
    /// Where the selection bar begins, behind the sign.
    pub select_from: u16,
    /// Without a cursor the end is shown, and not the beginning.
    pub follow: bool,
}

impl Default for Rows {
    fn default() -> Self {
        Self { item: 1, select_from: 0, follow: false }
    }
}

impl Rows {
    /// The rows shown in a height.
    pub fn shown(self, rows: usize, height: u16, cursor: Option<usize>) -> Range<usize> {
        let items = usize::from(height / self.item.max(1));
        if self.follow && cursor.is_none() { tail(rows, items) } else { page(rows, items, cursor) }
    }
}

/// Draws a pane: its rule, then its rows, each through `draw` with a pen of its own.
pub fn pane<T>(pen: &mut Pen<'_>, pane: &Pane<T>, rows: Rows, draw: impl FnMut(&mut Pen<'_>, &T)) {
    let shown = rows.shown(pane.rows.len(), pen.height().saturating_sub(1), pane.cursor);
    if shown.len() < pane.rows.len() && !shown.is_empty() {
        let range = format!("{}-{} of {}", shown.start + 1, shown.end, pane.rows.len());
        let room = pen.width().saturating_sub(cells(&pane.title)).saturating_sub(9);
        let both = format!("{}   {range}", pane.note);
        let note = if pane.note.is_empty() || cells(&both) > room { range } else { both };
        rule(pen, 0, &pane.title, &note);
    } else {
        rule(pen, 0, &pane.title, &pane.note);
    }
    body(&mut pen.below(1), pane, rows, draw);
}

/// Draws the rows of a pane without its rule.
pub fn body<T>(pen: &mut Pen<'_>, pane: &Pane<T>, rows: Rows, mut draw: impl FnMut(&mut Pen<'_>, &T)) {
    if pane.rows.is_empty() {
        return nothing(pen, pane);
    }
    let shown = rows.shown(pane.rows.len(), pen.height(), pane.cursor);
    let mut y: u16 = 0;
    for (i, row) in pane.rows.iter().enumerate().take(shown.end).skip(shown.start) {
        let width = pen.width();
        let mut part = pen.part(0, y, width, rows.item);
        draw(&mut part, row);
        if pane.cursor == Some(i) {
            part.select(0, rows.select_from);
        }
        y = y.saturating_add(rows.item);
    }
}

fn nothing<T>(pen: &mut Pen<'_>, pane: &Pane<T>) {
    let width = usize::from(pen.width().saturating_sub(3));
    for (line, y) in wrap(&pane.empty, width).iter().zip(0..pen.height()) {
        let max = pen.width();
        pen.say(3, y, max, line, Tone::Muted);
    }
    if pane.cursor.is_some() {
        pen.select(0, 0);
    }
}

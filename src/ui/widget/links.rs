//! Links to copy, numbered, with their full addresses.

use crate::app::present::view::{Pane, Tone};
use crate::ui::pen::Pen;
use crate::ui::widget::list::{Rows, body};
use crate::ui::widget::modal::modal;

/// Draws the list.
pub fn links(pen: &mut Pen<'_>, view: &Pane<String>) {
    let title = if view.title.is_empty() { "LINKS" } else { &view.title };
    let width = pen.width().saturating_sub(8).min(100);
    let rows = u16::try_from(view.rows.len().max(1)).unwrap_or(u16::MAX).saturating_add(2);
    let mut inside = modal(pen, title, width, rows);
    let (w, h) = (inside.width(), inside.height());
    let tail = if h >= 4 { 2 } else { 0 };
    body(&mut inside.part(0, 0, w, h.saturating_sub(tail)), view, Rows::default(), |pen, link| {
        let width = pen.width();
        pen.say(1, 0, width, link, Tone::Text);
    });
    if tail > 0 {
        inside.say(0, h.saturating_sub(1), w, "Enter or y copy   Esc", Tone::Muted);
    }
}

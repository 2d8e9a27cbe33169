//! The hand-off: groups of lines, in two columns where the frame is wide.

use crate::app::present::view::{Bit, HandOffPage, Tone};
use crate::domain::text::{clean, wrap};
use crate::ui::layout::{GUTTER, Size, columns};
use crate::ui::pen::Pen;
use crate::ui::widget::rule::{bar, rule};

/// Draws the screen.
pub fn draw(pen: &mut Pen<'_>, view: &HandOffPage, size: Size) {
    let (width, height) = (pen.width(), pen.height());
    rule(pen, 0, &view.title, &view.state);
    let below = height.saturating_sub(1);
    if size < Size::M {
        let mut body = pen.below(1);
        let more = parts(&mut body, &view.parts, below);
        if more > 0 {
            pen.say(0, height.saturating_sub(1), width, &format!("{more} more lines: Y shows all"), Tone::Warn);
        }
        return;
    }
    let halves = columns(width, &[60, 57]);
    let [a, b] = halves.as_slice() else { return };
    let (left, right) = view.parts.split_at(view.parts.len().min(4));
    bar(&mut pen.part(0, 1, width, below), b.0.saturating_sub(GUTTER - 1));
    let mut more = parts(&mut pen.part(a.0, 1, a.1, below), left, below);
    more += parts(&mut pen.part(b.0, 1, b.1, below), right, below);
    if more > 0 {
        pen.say(0, height.saturating_sub(1), width, &format!("{more} more lines: Y shows all"), Tone::Warn);
    }
}

/// Draws groups; what does not fit is counted, and its place is left for saying so.
fn parts(pen: &mut Pen<'_>, all: &[(String, Vec<Bit>)], height: u16) -> usize {
    let width = pen.width();
    let lines: Vec<(Tone, String)> = all
        .iter()
        .flat_map(|(title, bits)| {
            let head = (Tone::Accent, title.clone());
            let body = bits.iter().flat_map(move |b| {
                let wrapped = wrap(&clean(&b.text), usize::from(width.saturating_sub(2)));
                wrapped.into_iter().map(move |l| (b.tone, format!("  {l}")))
            });
            std::iter::once(head).chain(body)
        })
        .collect();
    let room = usize::from(height);
    let shown = if lines.len() > room { room.saturating_sub(1) } else { lines.len() };
    for ((tone, line), y) in lines.iter().take(shown).zip(0..) {
        pen.say(0, y, width, line, *tone);
    }
    lines.len() - shown
}

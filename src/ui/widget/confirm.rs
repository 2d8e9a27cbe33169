//! Something that must be confirmed. Text shrinks before the prompt and the line that takes the answer, which are
//! drawn at every size.

use crate::app::present::view::{Bit, ConfirmView, Tone};
use crate::domain::text::{clean, wrap};
use crate::ui::layout::SMALLEST;
use crate::ui::pen::Pen;
use crate::ui::widget::field::field;
use crate::ui::widget::modal::{BORDER, modal};
use crate::ui::widget::rule::rule;

/// Draws the dialog into the part of the frame under the status lines.
pub fn confirm(pen: &mut Pen<'_>, view: &ConfirmView) {
    let width = ConfirmView::width(pen.width());
    let prompt = wrap(&clean(&view.prompt), usize::from(width));
    let text = text(view, width);
    let rows = u16::try_from(text.len() + prompt.len() + 2).unwrap_or(u16::MAX);
    // A frame too low for a border still takes the answer.
    if pen.height() < BORDER + 2 {
        return answer(pen, view, &prompt);
    }
    // Where the text does not fit, the border gives its cells to it.
    let cramped = pen.width() < 60 && rows.saturating_add(BORDER) > pen.height();
    let title = format!("CONFIRM  {}", view.title);
    let mut inside = if cramped { unbordered(pen, &title) } else { modal(pen, &title, width, rows) };
    let height = inside.height();
    let tail = u16::try_from(prompt.len()).unwrap_or(u16::MAX).saturating_add(1).min(height);
    let room = height.saturating_sub(tail);
    let spare = u16::from(usize::from(room) > text.len());
    let w = inside.width();
    for (i, y) in (0..room.saturating_sub(spare)).enumerate() {
        let last = y + 1 == room - spare;
        if last && i + 1 < text.len() {
            inside.say(0, y, w, &format!("{} more lines: enlarge the window", text.len() - i), Tone::Warn);
        } else if let Some((x, bit)) = text.get(i).and_then(|line| line.last()) {
            for (at, label) in text.get(i).into_iter().flatten() {
                inside.bit(*at, y, w, label);
            }
            inside.bit(*x, y, w, bit);
        }
    }
    answer(&mut inside.below(room), view, &prompt);
}

fn unbordered<'p>(pen: &'p mut Pen<'_>, title: &str) -> Pen<'p> {
    pen.clear();
    rule(pen, 0, title, "");
    pen.below(1)
}

/// Draws prompt and answer line in a frame below the smallest, from its last row upwards.
pub fn bare(pen: &mut Pen<'_>, view: &ConfirmView) {
    let prompt = wrap(&clean(&view.prompt), usize::from(pen.width().min(SMALLEST.0 * 8)));
    answer(pen, view, &prompt);
}

/// Prompt and answer; the answer is the last row and there as long as one row is.
fn answer(pen: &mut Pen<'_>, view: &ConfirmView, prompt: &[String]) {
    let (w, h) = (pen.width(), pen.height());
    let Some(last) = h.checked_sub(1) else { return };
    let shown = usize::from(last).min(prompt.len());
    let top = last.saturating_sub(u16::try_from(shown).unwrap_or(0));
    for (line, y) in prompt.iter().zip(top..last) {
        pen.say(0, y, w, line, Tone::Accent);
    }
    pen.fill(0, last, w, ' ', pen.theme.base());
    let used = pen.say(0, last, w, "> ", Tone::Accent);
    field(pen, used, last, w.saturating_sub(used), &view.typed);
}

/// The question and the rows as lines of placed pieces; texts wrap, nothing of them is lost.
fn text(view: &ConfirmView, width: u16) -> Vec<Vec<(u16, Bit)>> {
    let mut out: Vec<Vec<(u16, Bit)>> = wrap(&clean(&view.question), usize::from(width))
        .into_iter()
        .map(|line| vec![(0, Bit::new(line, Tone::Crit))])
        .collect();
    if !view.rows.is_empty() {
        out.push(Vec::new());
    }
    let x = view.indent();
    for (label, text) in &view.rows {
        for (i, line) in wrap(&clean(text), usize::from(width.saturating_sub(x))).into_iter().enumerate() {
            let mut pieces = Vec::with_capacity(2);
            if i == 0 {
                pieces.push((0, Bit::new(label.as_str(), Tone::Muted)));
            }
            pieces.push((x, Bit::new(line, Tone::Text)));
            out.push(pieces);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_what_is_drawn_whole() {
        for (rows, length) in [(3, 20), (9, 60), (9, 200), (14, 90), (1, 2_000)] {
            let view = ConfirmView {
                question: "Run this change?".into(),
                rows: (0..rows).map(|i| (format!("label {i}"), "x ".repeat(length / 2))).collect(),
                prompt: "y does it; anything else cancels".into(),
                ..ConfirmView::default()
            };
            for (columns, height) in [(80, 24), (120, 40), (60, 15), (200, 60), (59, 30)] {
                let width = ConfirmView::width(columns);
                let prompt = wrap(&view.prompt, usize::from(width)).len();
                let border = if columns < 60 { 1 } else { usize::from(BORDER) };
                let drawn = text(&view, width).len() + prompt + 1 + border + 2 <= usize::from(height);
                assert_eq!(view.fits((columns, height)), drawn, "{rows} {length} {columns}x{height}");
            }
        }
    }
}

//! A form: labelled fields, one of which takes what is typed.

use crate::app::present::view::{FieldView, FormView, Tone};
use crate::ui::pen::{Pen, cells};
use crate::ui::widget::field::field;
use crate::ui::widget::modal::{BORDER, modal};

/// Draws the form. The field in focus, the error and the keys stay in view; other fields give way.
pub fn form(pen: &mut Pen<'_>, view: &FormView) {
    let width = pen.width().saturating_sub(8).min(84);
    let roomy = pen.height() >= BORDER + 4 + 2 * u16::try_from(view.fields.len()).unwrap_or(u16::MAX / 4).min(999);
    let step: u16 = if roomy { 2 } else { 1 };
    let body = u16::try_from(view.fields.len()).unwrap_or(u16::MAX).saturating_mul(step);
    let rows = body.saturating_add(if roomy { 2 } else { 3 });
    let mut inside = modal(pen, &view.title, width, rows);
    let (w, h) = (inside.width(), inside.height());
    let tail = 2.min(h.saturating_sub(1));
    let shown = usize::from(h.saturating_sub(tail) / step).max(1);
    let first = view.focus / shown * shown;
    let labels = view.fields.iter().map(|f| cells(&f.label)).max().unwrap_or(0).min(w / 3);
    for (i, (one, index)) in view.fields.iter().enumerate().skip(first).take(shown).map(|(i, f)| (f, i)).enumerate() {
        let y = u16::try_from(i).unwrap_or(u16::MAX).saturating_mul(step);
        row(&mut inside.part(0, y, w, step), one, labels, index == view.focus);
    }
    let last = h.saturating_sub(1);
    let hint = view.fields.get(view.focus).map(|f| f.hint.as_str()).unwrap_or_default();
    if last > 0 {
        match &view.error {
            Some(error) => inside.say(0, last - 1, w, error, Tone::Crit),
            None => inside.say(0, last - 1, w, hint, Tone::Muted),
        };
        inside.say(0, last, w, &view.keys, Tone::Muted);
    }
}

fn row(pen: &mut Pen<'_>, one: &FieldView, labels: u16, focused: bool) {
    let width = pen.width();
    pen.say(0, 0, 1, if focused { ">" } else { " " }, Tone::Accent);
    pen.say(2, 0, labels, &one.label, if focused { Tone::Accent } else { Tone::Muted });
    let mut x = labels + 4;
    let room = width.saturating_sub(x);
    if one.choices.is_empty() {
        if focused {
            field(pen, x, 0, room, &one.line);
        } else {
            pen.say(x, 0, room, &one.line.text, Tone::Text);
        }
        return;
    }
    let all: u16 = one.choices.iter().map(|c| cells(c).saturating_add(3)).fold(0, u16::saturating_add);
    for (i, choice) in one.choices.iter().enumerate() {
        let chosen = i == one.chosen;
        if chosen {
            let style = if focused { pen.theme.loud(Tone::Text) } else { pen.theme.words(Tone::Accent) };
            x += pen.put(x, 0, width, &format!("[{choice}]"), style) + 1;
        } else if all <= room {
            x += pen.say(x, 0, width, &format!(" {choice} "), Tone::Text) + 1;
        }
    }
}

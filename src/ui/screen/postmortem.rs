//! A postmortem draft: the outline says what is missing, the preview shows what is there.

use crate::app::present::view::{PostmortemPage, Sign, Tone};
use crate::ui::layout::{GUTTER, Size, Want, columns, share};
use crate::ui::pen::{Pen, cells};
use crate::ui::widget::facts;
use crate::ui::widget::list::{Rows, body};
use crate::ui::widget::rule::{bar, rule};

/// Draws the screen.
pub fn draw(pen: &mut Pen<'_>, view: &PostmortemPage, size: Size) {
    let (width, height) = (pen.width(), pen.height());
    rule(pen, 0, "POSTMORTEM draft", &view.title);
    pen.bit(2, 1, width.saturating_sub(2), &view.file);
    let mut rest = pen.below(if size >= Size::M { 3 } else { 2 });
    if size >= Size::M {
        let parts = columns(width, if size == Size::L { &[60, 137] } else { &[44, 73] });
        let [a, b] = parts.as_slice() else { return };
        outline(&mut rest.part(a.0, 0, a.1, height), view);
        bar(&mut rest, b.0.saturating_sub(GUTTER - 1));
        preview(&mut rest.part(b.0, 0, b.1, height), view);
        return;
    }
    let wants = [
        Want::rows(view.outline.rows.len(), 4, 0),
        Want { least: if size == Size::Xs { 0 } else { 4 }, most: u16::MAX, rank: 1 },
    ];
    let heights = share(rest.height(), &wants);
    let [upper, lower] = heights.as_slice() else { return };
    outline(&mut rest.part(0, 0, width, *upper), view);
    preview(&mut rest.part(0, *upper, width, *lower), view);
}

fn outline(pen: &mut Pen<'_>, view: &PostmortemPage) {
    rule(pen, 0, "OUTLINE", &view.outline.note);
    let titles = view.outline.rows.iter().map(|(_, t, _)| cells(t)).max().unwrap_or(0).min(pen.width() / 2);
    let rows = Rows { select_from: 3, ..Rows::default() };
    body(&mut pen.below(1), &view.outline, rows, |pen, (sign, title, note)| {
        let width = pen.width();
        pen.sign(1, 0, *sign);
        pen.say(4, 0, titles, title, Tone::Text);
        let tone = if matches!(sign, Sign::Page | Sign::Ticket) { Tone::Warn } else { Tone::Muted };
        pen.say(4 + titles + 2, 0, width, note, tone);
    });
}

fn preview(pen: &mut Pen<'_>, view: &PostmortemPage) {
    if pen.height() == 0 {
        return;
    }
    rule(pen, 0, "PREVIEW", &view.section);
    let width = pen.width().min(100);
    let height = pen.height();
    facts::prose(&mut pen.part(0, 1, width, height), &view.preview, Tone::Text);
}

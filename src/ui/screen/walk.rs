//! A runbook being walked: all steps, the current one, what can be done in it, and what a command said.

use crate::app::present::view::{Tone, WalkItem, WalkPage};
use crate::domain::text::{clean, wrap};
use crate::ui::layout::{GUTTER, Size, Want, columns, share};
use crate::ui::pen::{Pen, cells};
use crate::ui::widget::list::{Rows, body};
use crate::ui::widget::rule::{bar, rule};
use crate::ui::widget::{facts, step_rows};

/// Draws the screen.
pub fn draw(pen: &mut Pen<'_>, view: &WalkPage, size: Size) {
    let (width, height) = (pen.width(), pen.height());
    let last = height.saturating_sub(1);
    // Whether commands are run or copied stands at the same place on every walk.
    let exec = pen.bit(0, last, width, &view.exec) + 3;
    if let Some(burn) = view.burn.as_ref().filter(|b| exec + cells(&b.text) <= width) {
        pen.bit(width.saturating_sub(cells(&burn.text)), last, width, burn);
    }
    let mut upper = last.saturating_sub(u16::from(height >= 16));
    // Whether the change helps stands directly above, where the eye is while it waits.
    if let Some(watch) = view.watch.as_ref().filter(|_| height >= 8) {
        pen.bit(0, last.saturating_sub(1), width, watch);
        upper = last.saturating_sub(1);
    }
    match size {
        Size::L => {
            let parts = columns(width, &[44, 96, 54]);
            let [a, b, c] = parts.as_slice() else { return };
            steps(&mut pen.part(a.0, 0, a.1, upper), view);
            bar(&mut pen.part(0, 0, width, upper), b.0.saturating_sub(GUTTER - 1));
            bar(&mut pen.part(0, 0, width, upper), c.0.saturating_sub(GUTTER - 1));
            step(&mut pen.part(b.0, 0, b.1, upper), view, false, &view.progress);
            output(&mut pen.part(c.0, 0, c.1, upper), view);
        }
        Size::M => {
            let parts = columns(width, &[38, 79]);
            let [a, b] = parts.as_slice() else { return };
            steps(&mut pen.part(a.0, 0, a.1, upper), view);
            bar(&mut pen.part(0, 0, width, upper), b.0.saturating_sub(GUTTER - 1));
            step(&mut pen.part(b.0, 0, b.1, upper), view, true, &view.progress);
        }
        Size::S => {
            let list = u16::try_from(view.steps.len()).unwrap_or(u16::MAX).saturating_add(1).min(height / 3);
            steps(&mut pen.part(0, 0, width, list), view);
            step(&mut pen.part(0, list, width, upper.saturating_sub(list)), view, true, "");
        }
        _ => step(&mut pen.part(0, 0, width, upper), view, false, &view.progress),
    }
}

fn steps(pen: &mut Pen<'_>, view: &WalkPage) {
    rule(pen, 0, &format!("RUNBOOK {}", view.title), if pen.width() >= 80 { &view.progress } else { "" });
    step_rows::step_rows(&mut pen.below(1), &view.steps);
}

/// The current step: prose, items, the selected item in full, and the output if it has no place of its own.
fn step(pen: &mut Pen<'_>, view: &WalkPage, with_output: bool, note: &str) {
    let width = pen.width();
    let prose: Vec<String> = view.say.iter().flat_map(|l| wrap(&clean(l), usize::from(width))).collect();
    let chosen = view.items.cursor.and_then(|i| view.items.rows.get(i));
    let full = chosen.map(|i| in_full(i, width)).unwrap_or_default();
    let count = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
    // The place of the full text is as high as the longest item needs, so that moving does not shift what is below.
    let tallest = view.items.rows.iter().map(|i| in_full(i, width).len()).max().unwrap_or(0);
    let lines = view.output.as_ref().filter(|_| with_output).map_or(0, |o| count(o.lines.len().max(1)) + 1);
    let wants = [
        Want { least: 1, most: 1, rank: 0 },
        Want { least: 0, most: count(prose.len()).saturating_add(u16::from(pen.height() >= 20)), rank: 3 },
        Want { least: 3, most: count(view.items.rows.len().max(1)), rank: 1 },
        Want { least: 2.min(count(tallest)), most: count(tallest).saturating_add(u16::from(tallest > 0)), rank: 2 },
        Want { least: lines.min(3), most: lines.max(if lines > 0 { 8 } else { 0 }), rank: 4 },
    ];
    let heights = share(pen.height(), &wants);
    let [title, said, items, detail, out] = heights.as_slice() else { return };
    let number = view.steps.iter().position(|s| s.current).map_or(String::new(), |i| format!("STEP {} ", i + 1));
    let name = view.step.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
    rule(pen, 0, &format!("{number}{name}"), note);
    let text = title.saturating_add(*said);
    facts::prose(&mut pen.part(0, 1, width, *said), &prose, Tone::Text);
    let labels = view.items.rows.iter().map(|i| cells(&i.label)).max().unwrap_or(0).min(14);
    let risks = view.items.rows.iter().map(|i| cells(&i.risk)).max().unwrap_or(0).min(8);
    body(&mut pen.part(0, text, width, *items), &view.items, Rows::default(), |pen, item| {
        item_row(pen, item, labels, risks);
    });
    let mut part = pen.part(0, text.saturating_add(*items), width, *detail);
    for (line, y) in full.iter().zip(0..) {
        part.say(2, y, width, line, Tone::Muted);
    }
    if with_output {
        let top = text.saturating_add(*items).saturating_add(*detail);
        output(&mut pen.part(0, top, width, *out), view);
    }
}

/// The whole text of an item and its detail; a command is never shown cut only.
fn in_full(item: &WalkItem, width: u16) -> Vec<String> {
    let room = usize::from(width.saturating_sub(2));
    let mut out = Vec::new();
    if cells(&item.text).saturating_add(36) > width {
        out.extend(wrap(&clean(&item.text), room));
    }
    if !item.detail.is_empty() {
        out.extend(wrap(&clean(&item.detail), room));
    }
    out
}

fn item_row(pen: &mut Pen<'_>, item: &WalkItem, labels: u16, risks: u16) {
    let width = pen.width();
    pen.say(0, 0, labels, &item.label, Tone::Muted);
    let mut x = labels + 2;
    if risks > 0 {
        let tone = match item.risk.as_str() {
            "READS" => Tone::Ok,
            "CHANGES" => Tone::Warn,
            _ => Tone::Stale,
        };
        let style = pen.theme.glyph(tone);
        pen.put(x, 0, risks, &item.risk, style);
        x += risks + 2;
    }
    let state = cells(&item.state.text).min(width / 3);
    let room = width.saturating_sub(x).saturating_sub(if state > 0 { state + 2 } else { 0 });
    pen.say(x, 0, room, &item.text, Tone::Text);
    pen.bit(width.saturating_sub(state), 0, state, &item.state);
}

/// The end of the output; what scrolled off is counted in the rule.
fn output(pen: &mut Pen<'_>, view: &WalkPage) {
    let Some(out) = view.output.as_ref() else { return };
    if pen.height() == 0 {
        return;
    }
    rule(pen, 0, &format!("OUTPUT {}", out.title), if out.running { "running" } else { "" });
    let width = pen.width();
    let skip = out.lines.len().saturating_sub(usize::from(pen.height().saturating_sub(1)));
    for (line, y) in out.lines.iter().skip(skip).zip(1..) {
        pen.say(0, y, width, line, Tone::Text);
    }
}

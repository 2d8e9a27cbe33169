//! The commander's desk: who leads and what is overdue, then tasks, playbook, decisions, hypotheses.

use crate::app::present::view::{Bit, BoardPage, BoardRow, Pane, Tone};
use crate::ui::layout::{GUTTER, Size, Want, columns, stack};
use crate::ui::pen::{Pen, cells};
use crate::ui::widget::list::{Rows, pane};
use crate::ui::widget::rule::{bar, rule};
use crate::ui::widget::{facts, timer_rows};

/// Draws the screen.
pub fn draw(pen: &mut Pen<'_>, view: &BoardPage, size: Size) {
    let (width, height) = (pen.width(), pen.height());
    let used = head(pen, view);
    let below = height.saturating_sub(used);
    if size >= Size::M {
        let parts = columns(width, &[64, 53]);
        let [a, b] = parts.as_slice() else { return };
        bar(&mut pen.part(0, used, width, below), b.0.saturating_sub(GUTTER - 1));
        let mut left = pen.part(a.0, used, a.1, below);
        lists(&mut left, &[(&view.tasks, 3, 0), (&view.decisions, 3, 1), (&view.hypotheses, 3, 2)]);
        let mut right = pen.part(b.0, used, b.1, below);
        let timers = u16::try_from(view.timers.len().clamp(1, 4)).unwrap_or(4) + 1;
        rule(&mut right, 0, "TIMERS", "");
        let across = right.width();
        timer_rows::timer_rows(&mut right.part(0, 1, across, timers - 1), &view.timers);
        lists(&mut right.below(timers + 1), &[(&view.checklist, 3, 0)]);
        return;
    }
    let all = [(&view.tasks, 3, 0), (&view.checklist, 3, 1), (&view.decisions, 2, 2), (&view.hypotheses, 2, 3)];
    let mut body = pen.below(used);
    match size {
        // One list at a time: the one that holds the cursor.
        Size::Xs => {
            let chosen = all.iter().find(|(p, ..)| p.cursor.is_some()).or(all.first());
            if let Some((one, ..)) = chosen {
                rows(&mut body, one);
            }
        }
        _ => lists(&mut body, &all),
    }
}

fn head(pen: &mut Pen<'_>, view: &BoardPage) -> u16 {
    rule(pen, 0, &view.title, &view.state);
    let width = pen.width();
    let lines: Vec<Vec<Bit>> = view.facts.iter().flat_map(|f| facts::flow(f, width)).collect();
    let most = usize::from(pen.height() / 4).max(1);
    for (line, y) in lines.iter().take(most).zip(1..) {
        facts::groups(pen, y, line);
    }
    u16::try_from(lines.len().min(most)).unwrap_or(u16::MAX).saturating_add(2)
}

fn lists(pen: &mut Pen<'_>, all: &[(&Pane<BoardRow>, u16, u8)]) {
    let wants: Vec<Want> = all
        .iter()
        .map(|(p, least, rank)| {
            // The list with the cursor may not be the one that gives way.
            let rank = if p.cursor.is_some() { 0 } else { rank + 1 };
            Want::rows(p.rows.len(), *least, rank)
        })
        .collect();
    let width = pen.width();
    for ((one, ..), (top, rows_of)) in all.iter().zip(stack(pen.height(), &wants)) {
        if rows_of > 1 {
            rows(&mut pen.part(0, top, width, rows_of), one);
        }
    }
}

fn rows(pen: &mut Pen<'_>, one: &Pane<BoardRow>) {
    let states = one.rows.iter().map(|r| cells(&r.state)).max().unwrap_or(0).clamp(4, 17);
    let who = one.rows.iter().map(|r| cells(&r.who)).max().unwrap_or(0).min(24);
    pane(pen, one, Rows { select_from: 2, ..Rows::default() }, |pen, row| board_row(pen, row, states, who));
}

fn board_row(pen: &mut Pen<'_>, row: &BoardRow, states: u16, who: u16) {
    let width = pen.width();
    pen.sign(0, 0, row.sign);
    let loud = row.tone == Tone::Warn;
    pen.say(3, 0, states, &row.state, if loud { Tone::Warn } else { Tone::Muted });
    let x = 3 + states + 2;
    let room = width.saturating_sub(x);
    let tail = if who > 0 && room > who + 20 { who + 2 } else { 0 };
    pen.say(x, 0, room.saturating_sub(tail), &row.text, row.tone);
    if tail > 0 {
        pen.say(width.saturating_sub(who), 0, who, &row.who, Tone::Muted);
    }
}

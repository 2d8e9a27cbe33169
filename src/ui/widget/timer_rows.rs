//! Countdowns in a list. A due one is reversed: it must not be overlooked.

use crate::app::present::view::{Pane, TimerRow, Tone};
use crate::ui::pen::{Pen, cells};
use crate::ui::widget::list::{Rows, body, pane};

/// Draws the pane.
pub fn timer_pane(pen: &mut Pen<'_>, timers: &Pane<TimerRow>) {
    let clock = clock_width(&timers.rows);
    let labels = timers.rows.iter().map(|r| cells(&text(r))).max().unwrap_or(0);
    pane(pen, timers, Rows { select_from: 2, ..Rows::default() }, |pen, row| timer_row(pen, row, clock, labels));
}

/// Draws timers without a rule.
pub fn timer_rows(pen: &mut Pen<'_>, timers: &[TimerRow]) {
    let clock = clock_width(timers);
    let labels = timers.iter().map(|r| cells(&text(r))).max().unwrap_or(0);
    let pane = Pane { rows: timers.iter().collect(), empty: "no timer runs".into(), ..Pane::default() };
    body(pen, &pane, Rows::default(), |pen, row| timer_row(pen, row, clock, labels));
}

fn clock_width(rows: &[TimerRow]) -> u16 {
    rows.iter().map(|r| cells(&r.clock)).max().unwrap_or(0).clamp(5, 14)
}

fn text(row: &TimerRow) -> String {
    if row.incident.is_empty() || row.label.contains(&row.incident) {
        row.label.clone()
    } else {
        format!("{}  {}", row.label, row.incident)
    }
}

fn timer_row(pen: &mut Pen<'_>, row: &TimerRow, clock: u16, labels: u16) {
    let width = pen.width();
    pen.sign(0, 0, row.sign);
    let style = if row.due { pen.theme.loud(Tone::Crit) } else { pen.theme.words(Tone::Accent) };
    pen.put(3, 0, clock, &row.clock, style);
    let x = 3 + clock + 2;
    let tone = if row.due { Tone::Crit } else { Tone::Text };
    let used = pen.say(x, 0, width, &text(row), tone);
    let then = x + labels.min(60) + 3;
    if used <= labels.min(60) && width.saturating_sub(then) >= 12 {
        pen.say(then, 0, width, &row.then, Tone::Muted);
    }
}

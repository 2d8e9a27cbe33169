//! Open incidents in a list, one or two rows each.

use crate::app::present::view::{IncidentRow, Pane, Tone};
use crate::ui::pen::{Pen, cells};
use crate::ui::widget::list::{Rows, pane};

/// Draws the pane. Two rows an incident where all of them fit that way.
pub fn incident_pane(pen: &mut Pen<'_>, incidents: &Pane<IncidentRow>, wide: bool) {
    let rows = u16::try_from(incidents.rows.len()).unwrap_or(u16::MAX);
    let two = wide && rows.saturating_mul(2) < pen.height();
    let ids = incidents.rows.iter().map(|r| cells(&r.id)).max().unwrap_or(0).min(22);
    let layout = Rows { item: if two { 2 } else { 1 }, select_from: 4, ..Rows::default() };
    pane(pen, incidents, layout, |pen, row| incident_row(pen, row, ids, two));
}

fn incident_row(pen: &mut Pen<'_>, row: &IncidentRow, ids: u16, two: bool) {
    let width = pen.width();
    let severity = pen.theme.glyph(row.sign.tone());
    pen.put(0, 0, 5, &row.severity, severity);
    let mut x = 5;
    pen.say(x, 0, ids, &row.id, Tone::Text);
    x += ids + 1;
    let (status, elapsed, who) = match width {
        0..60 => (0, 8, 0),
        60..76 => (12, 8, 10),
        _ => (13, 9, 14),
    };
    let right = width.saturating_sub(status + elapsed + who);
    if row.saved {
        pen.say(x, 0, right.saturating_sub(x + 1), &row.title, Tone::Text);
    } else {
        let mark = pen.put(x, 0, right.saturating_sub(x), "NOT SAVED", pen.theme.loud(Tone::Warn)) + 1;
        pen.say(x + mark, 0, right.saturating_sub(x + mark + 1), &row.title, Tone::Text);
    }
    x = right;
    pen.say(x, 0, status.saturating_sub(1), &row.status, Tone::Text);
    x += status;
    pen.say_right(x, 0, elapsed.saturating_sub(1), &row.elapsed, Tone::Text);
    x += elapsed + 1;
    if who > 0 {
        let nobody = row.commander == "-none-" || row.commander.is_empty();
        let used = if row.elsewhere { 0 } else { pen.say(x, 0, who.saturating_sub(1), "IC ", Tone::Muted) };
        let name = if nobody { "-none-" } else { &row.commander };
        let style = if nobody { pen.theme.loud(Tone::Warn) } else { pen.theme.words(Tone::Text) };
        pen.put(x + used, 0, who.saturating_sub(used + 1), name, style);
    }
    if two && !row.progress.is_empty() {
        let progress = if row.elsewhere { row.progress.clone() } else { format!("rb {}", row.progress) };
        pen.say(5, 1, width, &progress, Tone::Muted);
    }
}

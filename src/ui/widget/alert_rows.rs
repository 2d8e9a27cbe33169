//! Alerts in a list, one or two rows each.

use crate::app::present::view::{AlertRow, Pane, Sign, Tone};
use crate::ui::pen::{Pen, cells};
use crate::ui::widget::list::{Rows, pane};
use crate::ui::widget::rule::rule;

/// Draws the pane. Two rows an alert where all of them fit that way.
pub fn alert_pane(pen: &mut Pen<'_>, alerts: &Pane<AlertRow>, wide: bool) {
    if pen.height() == 1 {
        return rule(pen, 0, &alerts.title, &counts(&alerts.rows));
    }
    let rows = u16::try_from(alerts.rows.len()).unwrap_or(u16::MAX);
    let two = wide && rows.saturating_mul(2) < pen.height();
    let longest = alerts.rows.iter().map(|r| cells(&r.name)).max().unwrap_or(0);
    let layout = Rows { item: if two { 2 } else { 1 }, select_from: 2, ..Rows::default() };
    pane(pen, alerts, layout, |pen, row| alert_row(pen, row, longest, two));
}

/// `!! 2 page   ! 1 ticket   1 UNACKED`: what is left of a list that has no room.
pub fn counts(rows: &[AlertRow]) -> String {
    let count = |sign| rows.iter().filter(|r| r.sign == sign).count();
    let unacked = rows.iter().filter(|r| r.state == "UNACKED").count();
    // Of a very long list not every row is told, and then nobody counted who has it.
    let all = rows.iter().all(|r| !r.state.is_empty());
    let mut out = format!("!! {} page   ! {} ticket", count(Sign::Page), count(Sign::Ticket));
    match (unacked, all) {
        (0, _) => {}
        (n, true) => out.push_str(&format!("   {n} UNACKED")),
        (n, false) => out.push_str(&format!("   {n} or more UNACKED")),
    }
    out
}

fn alert_row(pen: &mut Pen<'_>, row: &AlertRow, longest: u16, two: bool) {
    let width = pen.width();
    let tone = match row.sign {
        Sign::Page => Tone::Crit,
        Sign::Held | Sign::Stale => Tone::Muted,
        _ => Tone::Text,
    };
    pen.sign(0, 0, row.sign);
    // severity 8, age 5, service 12, state 12, the rest is the name's and the runbook's
    let (severity, service) = (if width >= 50 { 8 } else { 0 }, if width >= 64 { 12 } else { 0 });
    let fixed = 3 + severity + 6 + service + 12;
    let name = longest.saturating_add(1).clamp(10, 40).min(width.saturating_sub(fixed));
    let mut x = 3;
    pen.say(x, 0, name.saturating_sub(1), &row.name, tone);
    x += name + 1;
    pen.say(x, 0, severity.saturating_sub(1), &row.severity, tone);
    x += severity;
    pen.say_right(x, 0, 5, &row.age, tone);
    x += 7;
    if service > 0 {
        pen.say(x, 0, service - 2, &row.service, tone);
        x += service - 1;
    }
    let loud = row.state == "UNACKED" && row.sign == Sign::Page;
    let style = if loud { pen.theme.loud(Tone::Crit) } else { pen.theme.words(tone) };
    x += pen.put(x, 0, 14, &row.state, style).max(11) + 2;
    if let Some(runbook) = row.runbook.as_ref().filter(|_| !two) {
        pen.say(x, 0, width, &format!("rb {runbook}"), Tone::Muted);
    }
    if two {
        let mut x = 5;
        for part in [row.runbook.as_ref().map(|r| format!("rb {r}")), row.incident.clone(), Some(row.labels.clone())]
            .into_iter()
            .flatten()
        {
            x += pen.say(x, 1, width, &part, Tone::Muted) + 3;
        }
    }
}

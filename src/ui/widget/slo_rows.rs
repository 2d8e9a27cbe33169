//! Objectives as a table. Columns give way from the right; those that are fine fold into one row when rows are short.

use crate::app::present::view::{Pane, Sign, SloRow, Tone};
use crate::ui::layout::page;
use crate::ui::pen::{Pen, cells};
use crate::ui::widget::gauge::{GAUGE, gauge};
use crate::ui::widget::list;
use crate::ui::widget::rule::rule;

/// Where each column begins and how wide it is; zero is not shown.
#[derive(Clone, Copy, Debug, Default)]
struct Columns {
    name: u16,
    gauge: bool,
    left: u16,
    short: u16,
    medium: u16,
    long: u16,
    empty: u16,
    service: u16,
    policy: u16,
}

impl Columns {
    fn of(width: u16, longest: u16) -> Self {
        let mut c = match width {
            0..46 => Self { left: 8, short: 11, ..Self::default() },
            46..64 => Self { gauge: true, left: 8, short: 11, ..Self::default() },
            64..76 => Self { gauge: true, left: 8, short: 11, medium: 9, empty: 8, ..Self::default() },
            _ => Self { gauge: true, left: 8, short: 12, medium: 11, empty: 10, ..Self::default() },
        };
        let used = |c: &Self| {
            3 + u16::from(c.gauge) * (GAUGE + 1)
                + c.left
                + c.short
                + c.medium
                + c.long * 2
                + c.empty
                + c.service
                + c.policy
        };
        for (need, grow) in [(26, 1), (14, 2), (12, 3)] {
            if width.saturating_sub(used(&c)) >= longest.clamp(18, 30).saturating_add(need) {
                match grow {
                    1 => c.policy = 26,
                    2 => c.service = 14,
                    _ => c.long = 7,
                }
            }
        }
        let rest = width.saturating_sub(used(&c));
        c.name = if width >= 100 { rest.min(longest.saturating_add(3).clamp(20, 40)) } else { rest };
        c
    }
}

/// Rows a table of objectives can use: rule, heads and rows.
pub fn most(pane: &Pane<SloRow>) -> u16 {
    u16::try_from(pane.rows.len().max(1)).unwrap_or(u16::MAX).saturating_add(2)
}

/// Draws the pane: rule, heads, the page that holds the cursor, and what the rest amounts to.
pub fn slo_pane(pen: &mut Pen<'_>, pane: &Pane<SloRow>) {
    rule(pen, 0, &pane.title, &pane.note);
    let heads = pen.height() >= 5 && !pane.rows.is_empty();
    let longest = pane.rows.iter().map(|r| cells(&r.name)).max().unwrap_or(0);
    let columns = Columns::of(pen.width(), longest);
    if heads {
        head(pen, 1, &columns);
    }
    let mut body = pen.below(1 + u16::from(heads));
    if pane.rows.is_empty() {
        return list::body(&mut body, pane, list::Rows::default(), |_, _| {});
    }
    let height = usize::from(body.height());
    let folds = pane.rows.len() > height && height > 1;
    let shown = page(pane.rows.len(), if folds { height - 1 } else { height }, pane.cursor);
    let mut y = 0;
    for (i, row) in pane.rows.iter().enumerate().take(shown.end).skip(shown.start) {
        let width = body.width();
        slo_row(&mut body.part(0, y, width, 1), row, &columns);
        if pane.cursor == Some(i) {
            body.select(y, 2);
        }
        y += 1;
    }
    if folds {
        fold(&mut body, y, pane, shown.end);
    }
}

fn fold(pen: &mut Pen<'_>, y: u16, pane: &Pane<SloRow>, end: usize) {
    let rest = pane.rows.len() - end;
    let fine = pane.rows.iter().skip(end).all(|r| r.sign == Sign::Ok);
    let width = pen.width();
    match (rest, fine) {
        (0, _) => {
            pen.say(3, y, width, &format!("{end} of {}", pane.rows.len()), Tone::Muted);
        }
        (_, true) => {
            pen.sign(0, y, Sign::Ok);
            pen.say(3, y, width, &format!("{rest} more"), Tone::Muted);
        }
        (_, false) => {
            // What is not fine is counted by its sign, so that a fold never looks like health.
            let mut text = format!("{rest} more below");
            for sign in [Sign::Page, Sign::StaleBad, Sign::Ticket, Sign::Stale, Sign::NoData] {
                let count = pane.rows.iter().skip(end).filter(|r| r.sign == sign).count();
                if count > 0 {
                    text.push_str(&format!("   {count} {}", sign.glyph().trim_end()));
                }
            }
            pen.say(3, y, width, &text, Tone::Text);
        }
    }
}

fn head(pen: &mut Pen<'_>, y: u16, c: &Columns) {
    let mut x = 3;
    pen.say(x, y, c.name, "objective", Tone::Muted);
    x += c.name;
    if c.gauge {
        pen.say(x + 1, y, GAUGE, "budget", Tone::Muted);
        x += GAUGE + 1;
    }
    let wide = c.short >= 12;
    let heads = [
        (c.left, "left"),
        (c.short, if wide { "burn 1h/5m" } else { "1h/5m" }),
        (c.medium, "6h/30m"),
        (c.long, "1d"),
        (c.long, "3d"),
        (c.empty, if wide { "empty in" } else { "empty" }),
    ];
    for (w, text) in heads {
        pen.say_right(x, y, w, text, Tone::Muted);
        x += w;
    }
    for (w, text) in [(c.service, "service"), (c.policy, "policy")] {
        pen.say(x + 2, y, w.saturating_sub(2), text, Tone::Muted);
        x += w;
    }
}

fn slo_row(pen: &mut Pen<'_>, row: &SloRow, c: &Columns) {
    let tone = match row.sign {
        Sign::Page => Tone::Crit,
        Sign::Stale | Sign::StaleBad | Sign::NoData => Tone::Stale,
        _ => Tone::Text,
    };
    pen.sign(0, 0, row.sign);
    let mut x = 3;
    pen.say(x, 0, c.name.saturating_sub(1), &row.name, tone);
    x += c.name;
    if c.gauge {
        gauge(pen, x + 1, 0, row.gauge, row.stale, row.sign.tone());
        x += GAUGE + 1;
    }
    let old = if row.stale { "~" } else { "" };
    let aged = |text: &str| {
        if matches!(text, "" | "-" | "?") || text.starts_with('~') { text.to_owned() } else { format!("{old}{text}") }
    };
    let left = if row.gauge.is_some() { aged(&row.left) } else { row.left.clone() };
    // `warming 43%` and `no traffic` are longer than a number; the columns behind it hold nothing then.
    let worded = cells(&left) >= c.left;
    if worded {
        pen.say(x + 1, 0, c.left + c.short + c.medium - 1, &left, tone);
    } else {
        pen.say_right(x, 0, c.left, &left, tone);
    }
    x += c.left;
    let until = format!("{}/{}", aged(&row.burn_1h), row.burn_5m);
    let medium = format!("{}/{}", aged(&row.burn_6h), row.burn_30m);
    let late = cells(&row.empty_in) >= c.empty && c.empty > 0;
    let pairs = [
        (c.short, pair(&until)),
        (if late { 0 } else { c.medium }, pair(&medium)),
        (c.long, row.burn_1d.as_str()),
        (c.long, row.burn_3d.as_str()),
    ];
    for (i, (w, text)) in pairs.iter().enumerate() {
        if !(worded && i < 2) {
            pen.say_right(x, 0, *w, text, tone);
        }
        x += w;
    }
    let empty = if late { c.empty + c.medium } else { c.empty };
    pen.say_right(x, 0, empty, &row.empty_in, tone);
    x += empty;
    pen.say(x + 2, 0, c.service.saturating_sub(3), &row.service, Tone::Muted);
    x += c.service;
    pen.say(x + 2, 0, c.policy.saturating_sub(2), &row.policy, Tone::Muted);
}

/// Two unknowns are one dash.
fn pair(text: &str) -> &str {
    if text == "-/-" || text == "/" { "-" } else { text }
}

/// Two lines an objective, for panes beside an incident.
pub fn brief(pen: &mut Pen<'_>, y: u16, row: &SloRow) {
    let width = pen.width();
    pen.sign(0, y, row.sign);
    pen.say(3, y, width.saturating_sub(15), &row.name, Tone::Text);
    pen.say_right(width.saturating_sub(12), y, 12, &format!("{} left", row.left), Tone::Text);
    gauge(pen, 3, y + 1, row.gauge, row.stale, row.sign.tone());
    let tail = format!("1h {}  5m {}", row.burn_1h, row.burn_5m);
    let used = pen.say(3 + GAUGE + 2, y + 1, width, &tail, Tone::Muted);
    let rest = width.saturating_sub(3 + GAUGE + 2 + used + 1);
    if rest >= 12 {
        pen.say_right(width - rest, y + 1, rest, &format!("empty {}", row.empty_in), Tone::Muted);
    }
}

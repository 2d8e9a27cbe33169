//! One objective in full: what it says now, how fast it burns, which pairs fire, when the budget is gone.

use crate::app::present::view::{Bit, PairRow, Sign, SloDetail, Tone};
use crate::domain::text::{clean, wrap};
use crate::ui::layout::{GUTTER, Size, Want, columns, stack};
use crate::ui::pen::{Pen, cells};
use crate::ui::widget::gauge::{GAUGE, gauge};
use crate::ui::widget::rule::{bar, rule};
use crate::ui::widget::{chart, facts};

/// Draws the screen.
pub fn draw(pen: &mut Pen<'_>, view: &SloDetail, size: Size) {
    let (width, height) = (pen.width(), pen.height());
    rule(pen, 0, &format!("SLO {}", view.row.name), &view.says);
    pen.sign(0, 1, view.row.sign);
    facts::groups(&mut pen.part(3, 1, width, 1), 0, &view.now);
    let gap = u16::from(size >= Size::M);
    let mut rest = pen.below(2 + gap);
    if view.numbers {
        numbers(&mut rest, view, None);
        return;
    }
    match size {
        Size::L | Size::M => {
            let weights: [u16; 2] = if size == Size::L { [136, 61] } else { [71, 46] };
            let parts = columns(width, &weights);
            let [a, b] = parts.as_slice() else { return };
            charts(&mut rest.part(a.0, 0, a.1, height), view, size);
            bar(&mut rest, b.0.saturating_sub(GUTTER - 1));
            numbers(&mut rest.part(b.0, 0, b.1, height), view, None);
        }
        Size::S if rest.height() >= 16 => numbers(&mut rest, view, Some(10)),
        _ => numbers(&mut rest, view, None),
    }
}

fn charts(pen: &mut Pen<'_>, view: &SloDetail, size: Size) {
    let (width, height) = (pen.width(), pen.height());
    if size == Size::L && view.more_charts.len() >= 3 {
        let parts = columns(width, &[1, 1]);
        let all: Vec<_> = std::iter::once(&view.chart).chain(&view.more_charts).collect();
        let each = height / 3;
        for (i, one) in all.iter().take(4).enumerate() {
            let (x, w) = parts.get(i % 2).copied().unwrap_or_default();
            let y = if i < 2 { 0 } else { each };
            chart::titled(&mut pen.part(x, y, w, each.saturating_sub(1)), one);
        }
        if let Some(last) = all.get(4) {
            chart::titled(&mut pen.part(0, each * 2, width, each), last);
        }
        return;
    }
    let second = view.more_charts.last().filter(|_| height >= 20);
    let first = if second.is_some() { height * 3 / 5 } else { height.min(24) };
    chart::titled(&mut pen.part(0, 0, width, first.saturating_sub(u16::from(second.is_some()))), &view.chart);
    if let Some(second) = second {
        chart::titled(&mut pen.part(0, first, width, (height - first).min(14)), second);
    }
}

/// The chart if it is wanted here, the pairs, the budget, what belongs to it, where it is written.
fn numbers(pen: &mut Pen<'_>, view: &SloDetail, picture: Option<u16>) {
    let width = pen.width();
    let text = wrapped(&view.written, width);
    let rows: usize = view.findings.iter().map(|f| wrap(&clean(&f.text), usize::from(width)).len()).sum();
    // A number that may be wrong is worth two lines of the picture, and of nothing else.
    let warned = picture.is_some() && view.findings.iter().any(|f| f.tone != Tone::Muted);
    let found = if rows == 0 { 0 } else { u16::try_from(rows + 1).unwrap_or(u16::MAX) };
    let lines = u16::try_from(facts::flow(&view.signals, width).len()).unwrap_or(u16::MAX);
    let signal_rows = if view.signals.is_empty() { 0 } else { lines.saturating_add(1).min(4) };
    let wants = [
        Want {
            least: picture.map_or(0, |p| p.min(if warned { 7 } else { 9 })),
            most: picture.map_or(0, |p| p.max(pen.height() / 3)),
            rank: 2,
        },
        Want { least: 4, most: u16::try_from(view.pairs.len()).unwrap_or(u16::MAX).saturating_add(2), rank: 0 },
        Want::rows(usize::from(budget_rows(&view.budget, width)) + 1, 3, 1),
        Want { least: 0, most: signal_rows, rank: 2 },
        Want {
            most: if view.related.is_empty() { 0 } else { Want::rows(view.related.len(), 0, 3).most },
            least: 0,
            rank: 3,
        },
        Want { least: if warned { 2 } else { 0 }, most: found, rank: 4 },
        Want { least: 0, most: text.saturating_add(2), rank: 5 },
    ];
    let places = stack(pen.height(), &wants);
    let [top, table, budget, signals, related, findings, written] = places.as_slice() else { return };
    if top.1 > 0 {
        chart::titled(&mut pen.part(0, top.0, width, top.1), &view.chart);
    }
    pairs(&mut pen.part(0, table.0, width, table.1), &view.pairs);
    // The query alone is no reason to look further.
    let below = |rows: usize| if rows == 0 { 0 } else { u16::try_from(rows + 1).unwrap_or(u16::MAX) };
    let needs = [
        below(view.pairs.len()),
        budget_rows(&view.budget, width).saturating_add(1),
        signal_rows,
        below(view.related.len()),
        found,
    ];
    let cut = places.iter().skip(1).zip(needs).any(|(place, need)| place.1 < need);
    let hint = match (view.numbers, cut) {
        (true, _) => "PgUp: the chart",
        (false, true) => "PgDn: all of it",
        (false, false) => "",
    };
    budget_lines(&mut pen.part(0, budget.0, width, budget.1), view, hint);
    if signals.1 > 1 {
        let mut part = pen.part(0, signals.0, width, signals.1);
        rule(&mut part, 0, "SIGNALS", &view.row.service);
        for (y, line) in (1..).zip(facts::flow(&view.signals, width)) {
            facts::groups(&mut part, y, &line);
        }
    }
    if related.1 > 1 {
        let mut part = pen.part(0, related.0, width, related.1);
        rule(&mut part, 0, "RELATED", "");
        facts::lines(&mut part.below(1), &view.related);
    }
    if findings.1 > 1 {
        let mut part = pen.part(0, findings.0, width, findings.1);
        rule(&mut part, 0, "FINDINGS", "");
        facts::lines(&mut part.below(1), &view.findings);
    }
    if written.1 > 1 {
        let mut part = pen.part(0, written.0, width, written.1);
        rule(&mut part, 0, "QUERY", &view.declared);
        facts::prose(&mut part.below(1), std::slice::from_ref(&view.written), Tone::Muted);
    }
}

/// Rows that the lines of the budget take: the first shares its row with the gauge, the others are wrapped.
fn budget_rows(lines: &[Bit], width: u16) -> u16 {
    let rows = |bit: &Bit| u16::try_from(wrap(&bit.text, usize::from(width)).len()).unwrap_or(u16::MAX);
    lines.iter().skip(1).map(rows).fold(1, u16::saturating_add)
}

fn wrapped(text: &str, width: u16) -> u16 {
    if text.is_empty() { 0 } else { (cells(text) / width.max(1)).saturating_add(2).min(8) }
}

fn budget_lines(pen: &mut Pen<'_>, view: &SloDetail, hint: &str) {
    rule(pen, 0, "BUDGET and FORECAST", hint);
    let width = pen.width();
    gauge(pen, 0, 1, view.row.gauge, view.row.stale, view.row.sign.tone());
    if let Some((first, rest)) = view.budget.split_first() {
        pen.bit(GAUGE + 2, 1, width, first);
        facts::lines(&mut pen.below(2), rest);
    }
}

fn pairs(pen: &mut Pen<'_>, rows: &[PairRow]) {
    rule(pen, 0, "ALERT PAIRS", "");
    let width = pen.width();
    let narrow = width < 72;
    let (a, n) = match width {
        0..56 => (8, 6),
        56..72 => (9, 7),
        _ => (12, 9),
    };
    let heads = pen.height() > u16::try_from(rows.len()).unwrap_or(u16::MAX).saturating_add(1);
    let heads = u16::from(heads);
    let state = 1 + a + n * 3 + 3;
    // The sign tells page from ticket where the word has no room.
    let severity = if width < 56 { width } else { width.saturating_sub(8) };
    if heads > 0 {
        pen.say(0, 1, a, if narrow { "windows" } else { "long/short" }, Tone::Muted);
        for (i, text) in ["long", "short", "limit"].iter().zip(0..).map(|(t, i)| (i, t)) {
            pen.say_right(1 + a + n * i, 1, n - 1, text, Tone::Muted);
        }
        pen.say(state, 1, 12, "state", Tone::Muted);
        pen.say(severity, 1, 8, "severity", Tone::Muted);
    }
    for (row, y) in rows.iter().zip(1 + heads..) {
        pen.say(1, y, a, &row.windows, Tone::Text);
        for (text, i) in [&row.long, &row.short, &row.limit].into_iter().zip(0..) {
            pen.say_right(1 + a + n * i, y, n - 1, text, Tone::Text);
        }
        pen.sign(state - 1, y, row.sign);
        let tone = if row.state.starts_with("FIRING") { row.sign.tone() } else { Tone::Text };
        // The sign has said `ok` already.
        let said = if row.sign == Sign::Ok {
            row.state.strip_prefix("ok").map_or(row.state.as_str(), str::trim_start)
        } else {
            &row.state
        };
        pen.say(state + 2, y, severity.saturating_sub(state + 3), said, tone);
        pen.say(severity, y, 8, &row.severity, Tone::Text);
    }
}

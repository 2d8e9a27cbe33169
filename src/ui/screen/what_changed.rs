//! What changed: the list beside the burn chart, what each feed said, the selected change in full.

use crate::app::present::view::{RecentRow, Tone, WhatChangedPage};
use crate::ui::layout::{GUTTER, Size, Want, columns, stack};
use crate::ui::pen::{Pen, cells};
use crate::ui::widget::list::{Rows, pane};
use crate::ui::widget::rule::{bar, rule};
use crate::ui::widget::{chart, facts};

/// Draws the screen.
pub fn draw(pen: &mut Pen<'_>, view: &WhatChangedPage, size: Size) {
    let (width, height) = (pen.width(), pen.height());
    let state = match &view.start {
        Some(start) => format!("{}   {start}", view.state),
        None => view.state.clone(),
    };
    rule(pen, 0, &view.title, &state);
    let mut rest = pen.below(1);
    match size {
        Size::L | Size::M => {
            let parts = columns(width, if size == Size::L { &[125, 72] } else { &[73, 44] });
            let [a, b] = parts.as_slice() else { return };
            let list = rest.height().saturating_sub(detail_rows(view).min(rest.height() / 3));
            changes(&mut rest.part(a.0, 0, a.1, list), view);
            detail(&mut rest.part(a.0, list, a.1, height), view);
            bar(&mut rest, b.0.saturating_sub(GUTTER - 1));
            side(&mut rest.part(b.0, 0, b.1, height), view);
        }
        _ => narrow(&mut rest, view),
    }
}

/// One under the other: the list first, then what failed, then the picture.
fn narrow(pen: &mut Pen<'_>, view: &WhatChangedPage) {
    let (width, height) = (pen.width(), pen.height());
    let picture = if view.chart.is_some() && height >= 18 { 9 } else { 0 };
    // A feed that failed is said before anything is drawn.
    let failed = view.feeds.iter().filter(|f| f.reversed).count();
    let failed =
        if failed == 0 || height < 8 { 0 } else { u16::try_from(failed + 1).unwrap_or(u16::MAX).min(height / 3) };
    let wants = [
        Want { least: 3, ..Want::rows(view.changes.rows.len().max(1), 3, 0) },
        Want { least: failed, most: feed_rows(view, width), rank: 1 },
        Want { least: picture, most: picture, rank: 2 },
        Want { least: 0, most: detail_rows(view), rank: 3 },
    ];
    let places = stack(height, &wants);
    let [list, feeds, picture, full] = places.as_slice() else { return };
    changes(&mut pen.part(0, list.0, width, list.1), view);
    told(&mut pen.part(0, feeds.0, width, feeds.1), view);
    if let Some(one) = view.chart.as_ref().filter(|_| picture.1 >= 8) {
        chart::titled(&mut pen.part(0, picture.0, width, picture.1), one);
    }
    detail(&mut pen.part(0, full.0, width, full.1), view);
}

fn side(pen: &mut Pen<'_>, view: &WhatChangedPage) {
    let (width, height) = (pen.width(), pen.height());
    let feeds = feed_rows(view, width).min(height / 2);
    let picture = if view.chart.is_some() { height.saturating_sub(feeds + 1).min(22) } else { 0 };
    if let Some(one) = view.chart.as_ref().filter(|_| picture >= 8) {
        chart::titled(&mut pen.part(0, 0, width, picture), one);
    }
    let top = if picture >= 8 { picture + 1 } else { 0 };
    told(&mut pen.part(0, top, width, height.saturating_sub(top)), view);
}

fn feed_rows(view: &WhatChangedPage, width: u16) -> u16 {
    let lines: usize = view.feeds.iter().map(|f| 1 + usize::from(cells(&f.text) / width.max(1))).sum();
    if view.feeds.is_empty() { 0 } else { u16::try_from(lines + 1).unwrap_or(u16::MAX) }
}

fn told(pen: &mut Pen<'_>, view: &WhatChangedPage) {
    if pen.height() > 1 && !view.feeds.is_empty() {
        rule(pen, 0, &format!("FEEDS {}", view.feeds.len()), "");
        facts::lines(&mut pen.below(1), &view.feeds);
    }
}

fn detail_rows(view: &WhatChangedPage) -> u16 {
    if view.detail.is_empty() { 0 } else { u16::try_from(view.detail.len() + 2).unwrap_or(u16::MAX) }
}

fn detail(pen: &mut Pen<'_>, view: &WhatChangedPage) {
    if pen.height() > 1 && !view.detail.is_empty() {
        rule(pen, 0, "CHANGE", "y copies its link, o all");
        facts::pairs(&mut pen.below(1), &view.detail);
    }
}

/// Columns of the list, in cells.
#[derive(Clone, Copy)]
struct Columns {
    distance: u16,
    source: u16,
    service: u16,
}

fn changes(pen: &mut Pen<'_>, view: &WhatChangedPage) {
    let widest = |text: fn(&RecentRow) -> &str, most: u16| {
        view.changes.rows.iter().map(|row| cells(text(row))).max().unwrap_or(0).min(most)
    };
    let columns = Columns {
        distance: widest(|row| &row.distance, 14),
        source: widest(|row| &row.source, 14),
        service: widest(|row| &row.service, 14),
    };
    pane(pen, &view.changes, Rows::default(), |pen, row| change(pen, row, columns));
}

fn change(pen: &mut Pen<'_>, row: &RecentRow, columns: Columns) {
    let width = pen.width();
    let narrow = width < 60;
    let mut x = if narrow { 0 } else { pen.say(0, 0, width, &row.time, Tone::Muted) + 2 };
    pen.say(x, 0, columns.distance, &row.distance, if row.before { Tone::Warn } else { Tone::Muted });
    x += columns.distance + 2;
    pen.say(x, 0, columns.source, &row.source, Tone::Accent);
    x += columns.source + 2;
    if !narrow {
        pen.say(x, 0, columns.service, &row.service, Tone::Text);
        x += columns.service + 2;
    }
    let by = if row.author.is_empty() || narrow { String::new() } else { format!("  {}", row.author) };
    let room = width.saturating_sub(x);
    let tail = cells(&by).min(room / 3);
    let used = pen.say(x, 0, room.saturating_sub(tail), &row.text, Tone::Text);
    pen.say(x + used, 0, tail, &by, Tone::Muted);
}

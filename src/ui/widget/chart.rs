//! A chart of burn rates (logarithmic) or of the budget left (linear), with its limits, axis and times.

use crate::app::present::view::{Chart, Tone};
use crate::domain::text::wrap;
use crate::domain::time::{Span, Timestamp, clock_minutes};
use crate::ui::pen::{Pen, cells};
use crate::ui::widget::plot::{ANCHORS, Dots, linear_depth, log_depth};
use crate::ui::widget::rule::rule;

/// Cells of the axis labels and the axis.
const LEFT: u16 = 5;

/// The plot area of a chart, for the parts that share it.
struct Frame<'c> {
    chart: &'c Chart,
    depth: fn(f64) -> f64,
    rows: u16,
    width: u16,
}

impl Frame<'_> {
    fn row(&self, value: f64) -> u16 {
        let last = self.rows.saturating_sub(1);
        ((self.depth)(value) * f64::from(last)).round().clamp(0.0, f64::from(last)) as u16
    }

    /// What a value means: the strictest limit it reaches.
    fn tone(&self, value: f64) -> Tone {
        if self.chart.linear {
            return if value <= 0.0 {
                Tone::Crit
            } else if value < 0.25 {
                Tone::Warn
            } else {
                Tone::Ok
            };
        }
        let reached = self.chart.limits.iter().filter(|(limit, _)| value >= *limit).map(|(_, label)| limit_tone(label));
        reached
            .max_by_key(|t| [Tone::Ok, Tone::Muted, Tone::Warn, Tone::Crit].iter().position(|x| x == t))
            .map_or(Tone::Ok, |t| if t == Tone::Muted { Tone::Ok } else { t })
    }
}

fn limit_tone(label: &str) -> Tone {
    match label {
        "page" => Tone::Crit,
        "ticket" => Tone::Warn,
        _ => Tone::Muted,
    }
}

/// The length of the whole axis in milliseconds.
fn length(chart: &Chart) -> f64 {
    let spans = chart.points.len().saturating_sub(1).max(1);
    chart.step.num_milliseconds().max(1) as f64 * spans as f64
}

impl Frame<'_> {
    /// The column of an instant; `None` outside the axis.
    fn column(&self, at: Timestamp) -> Option<u16> {
        let place = (at - self.chart.start).num_milliseconds() as f64 / length(self.chart);
        let last = f64::from(self.width.saturating_sub(1));
        (0.0..=1.0).contains(&place).then(|| (place * last).round() as u16)
    }
}

/// Draws a chart under a titled rule.
pub fn titled(pen: &mut Pen<'_>, chart: &Chart) {
    let word = if chart.linear { "BUDGET" } else { "BURN" };
    let title = format!("{word} {}", chart.name);
    let room = pen.width().saturating_sub(cells(&title)).saturating_sub(9);
    // A caption that does not fit gives up what stands behind its comma.
    let short = chart.caption.split(", ").next().unwrap_or_default();
    rule(pen, 0, &title, if cells(&chart.caption) <= room { &chart.caption } else { short });
    self::chart(&mut pen.below(1), chart);
}

/// Draws a chart into the whole pen: the plot, then the axis and the times in the last two rows.
pub fn chart(pen: &mut Pen<'_>, chart: &Chart) {
    let labels = chart.limits.iter().map(|(_, label)| cells(label)).max().unwrap_or(0).min(12);
    let right = if labels > 0 && pen.width() >= 40 { labels.saturating_add(1) } else { 0 };
    let depth: fn(f64) -> f64 = if chart.linear { linear_depth } else { log_depth };
    let rows = even(pen.height().saturating_sub(2), chart.linear);
    let width = pen.width().saturating_sub(LEFT).saturating_sub(right);
    let frame = Frame { chart, depth, rows, width };
    if rows < 2 || width < 8 {
        return;
    }
    axis(pen, &frame);
    events(pen, &frame);
    limits(pen, &frame, right);
    if let Some(why) = &chart.missing {
        missing(pen, &frame, why);
    } else {
        if chart.ideal {
            ideal(pen, &frame);
        }
        series(pen, &frame);
        worst(pen, &frame);
    }
}

/// On the axis: stretches that do not count as `=`, what happened as its letter. Later ones stand over earlier ones.
fn events(pen: &mut Pen<'_>, frame: &Frame<'_>) {
    let y = frame.rows;
    let end = i64::try_from(frame.chart.points.len().saturating_sub(1)).unwrap_or(i64::MAX);
    let end = frame.chart.step.num_seconds().saturating_mul(end);
    let end = frame.chart.start + Span::seconds(end);
    for (from, to) in &frame.chart.excluded {
        let (from, to) = ((*from).max(frame.chart.start), (*to).min(end));
        if let (true, Some(a), Some(b)) = (from < to, frame.column(from), frame.column(to)) {
            let style = pen.theme.words(Tone::Accent);
            pen.fill(LEFT.saturating_add(a), y, b.saturating_sub(a).saturating_add(1), '=', style);
        }
    }
    for mark in &frame.chart.marks {
        if let Some(x) = frame.column(mark.at) {
            let style = pen.theme.words(mark.tone);
            pen.dot(LEFT.saturating_add(x), y, mark.letter, style);
        }
    }
}

/// From all at the left to nothing at the right.
fn ideal(pen: &mut Pen<'_>, frame: &Frame<'_>) {
    let style = pen.theme.words(Tone::Muted);
    let last = f64::from(frame.width.saturating_sub(1).max(1));
    for x in (0..frame.width).step_by(2) {
        let y = frame.row(1.0 - f64::from(x) / last);
        pen.dot(LEFT.saturating_add(x), y, '.', style);
    }
}

/// A `^` where the worst slice of a column stands above its line, if it reaches a limit: calm noise is not worth a sign.
fn worst(pen: &mut Pen<'_>, frame: &Frame<'_>) {
    let chart = frame.chart;
    let lowest = chart.limits.iter().map(|(limit, _)| *limit).fold(f64::INFINITY, f64::min);
    let columns = usize::from(frame.width);
    for (column, x) in (0..columns).zip(LEFT..) {
        let Some(value) = highest(&chart.worst, column, columns) else { continue };
        let line = highest(&chart.points, column, columns).unwrap_or(0.0);
        if value >= lowest && frame.row(value) < frame.row(line) {
            let style = pen.theme.glyph(frame.tone(value));
            pen.dot(x, frame.row(value), '^', style);
        }
    }
}

/// The highest of the points whose own column this is: a point is marked once, however many columns it is drawn over.
fn highest(points: &[Option<f64>], column: usize, columns: usize) -> Option<f64> {
    let last = points.len().checked_sub(1)?;
    let of = |index: usize| index * columns.saturating_sub(1) / last.max(1);
    let from = column * last / columns.saturating_sub(1).max(1);
    (from..=from.saturating_add(last / columns.max(1) + 1))
        .filter(|index| of(*index) == column)
        .filter_map(|index| points.get(index).copied().flatten().filter(|v| v.is_finite()))
        .reduce(f64::max)
}

/// Rows in which the values of the axis stand at equal distances, where that costs no more than two of them.
fn even(rows: u16, linear: bool) -> u16 {
    let (spans, least) = if linear { (4, 9) } else { (5, 6) };
    let over = rows.saturating_sub(1) % spans;
    if rows >= least && over <= 2 { rows - over } else { rows }
}

fn axis(pen: &mut Pen<'_>, frame: &Frame<'_>) {
    let muted = pen.theme.words(Tone::Muted);
    for y in 0..frame.rows {
        pen.dot(LEFT - 1, y, '|', muted);
    }
    if frame.chart.linear {
        let step = if frame.rows >= 9 { 25 } else { 50 };
        for percent in (0..=100).step_by(step) {
            let y = frame.row(f64::from(percent) / 100.0);
            pen.say_right(0, y, LEFT - 1, &format!("{percent}%"), Tone::Muted);
        }
    } else {
        let mut last = None;
        for value in ANCHORS {
            let y = frame.row(value);
            if last != Some(y) {
                pen.say_right(0, y, LEFT - 1, &value.to_string(), Tone::Muted);
            }
            last = Some(y);
        }
    }
    let y = frame.rows;
    pen.dot(LEFT - 1, y, '+', muted);
    pen.fill(LEFT, y, frame.width, '-', muted);
    times(pen, frame, y.saturating_add(1));
}

fn times(pen: &mut Pen<'_>, frame: &Frame<'_>, y: u16) {
    let chart = frame.chart;
    let spans = i32::try_from(chart.points.len().saturating_sub(1)).unwrap_or(i32::MAX);
    let at = |part: i32, of: i32| {
        let length = chart.step.checked_mul(spans)?.checked_mul(part)? / of;
        chart.start.checked_add_signed(length)
    };
    let days = at(1, 1).is_some_and(|end| end.signed_duration_since(chart.start).num_hours() >= 48);
    let write = |at| if days { at_day(at) } else { clock_minutes(at) };
    let marks = frame.width.saturating_sub(10) / 16;
    for mark in 0..marks {
        if let Some(time) = at(i32::from(mark), i32::from(marks)) {
            let x = u32::from(frame.width) * u32::from(mark) / u32::from(marks);
            pen.say(LEFT.saturating_add(x as u16), y, 8, &write(time), Tone::Muted);
        }
    }
    let until = if chart.until.is_empty() { "now" } else { chart.until };
    if let Some(end) = at(1, 1) {
        pen.say_right(LEFT, y, frame.width, &format!("{} {until}", write(end)), Tone::Muted);
    }
}

fn at_day(at: Timestamp) -> String {
    at.format("%d %b").to_string()
}

/// Each limit has a pattern of its own, so that colour is not needed to tell them apart.
fn limits(pen: &mut Pen<'_>, frame: &Frame<'_>, right: u16) {
    const PATTERNS: [&[u8]; 4] = [b"=", b"-", b"- ", b". "];
    let muted = pen.theme.words(Tone::Muted);
    let mut taken = Vec::with_capacity(4);
    for ((value, label), pattern) in frame.chart.limits.iter().zip(PATTERNS.iter().cycle()) {
        let y = frame.row(*value);
        if value.is_nan() || taken.contains(&y) {
            continue;
        }
        taken.push(y);
        for (x, c) in (0..frame.width).zip(pattern.iter().cycle()) {
            pen.dot(LEFT.saturating_add(x), y, char::from(*c), muted);
        }
        if right > 0 {
            pen.say(LEFT.saturating_add(frame.width).saturating_add(1), y, right - 1, label, limit_tone(label));
        }
        if !frame.chart.linear {
            pen.fill(0, y, LEFT - 1, ' ', muted);
            pen.say_right(0, y, LEFT - 1, &value.to_string(), Tone::Muted);
        }
    }
}

fn series(pen: &mut Pen<'_>, frame: &Frame<'_>) {
    let grid = (usize::from(frame.width), usize::from(frame.rows));
    let dots = Dots::of(&frame.chart.points, grid, pen.glyphs.dots(), frame.depth);
    for (i, (bits, peak)) in dots.bits.iter().zip(&dots.peak).enumerate() {
        if *bits == 0 {
            continue;
        }
        let (x, y) = ((i % grid.0) as u16, (i / grid.0) as u16);
        let style = pen.theme.glyph(frame.tone(*peak));
        let cell = pen.glyphs.cell(*bits);
        pen.dot(LEFT.saturating_add(x), y, cell, style);
    }
    ended(pen, frame);
}

/// A series that stops before now ends with a bar: what follows is not known.
fn ended(pen: &mut Pen<'_>, frame: &Frame<'_>) {
    let points = &frame.chart.points;
    let Some(last) = points.iter().rposition(|p| p.is_some_and(|v| !v.is_nan())) else { return };
    if last + 1 >= points.len() {
        return;
    }
    let x = (u64::from(frame.width) * (last as u64 + 1) / points.len() as u64) as u16;
    let style = pen.theme.words(Tone::Stale);
    for y in 0..frame.rows {
        pen.dot(LEFT.saturating_add(x), y, '|', style);
    }
}

fn missing(pen: &mut Pen<'_>, frame: &Frame<'_>, why: &str) {
    let lines = wrap(why, usize::from(frame.width.saturating_sub(4)));
    let top = (frame.rows.saturating_sub(lines.len().min(99) as u16)) / 2;
    for (line, y) in lines.iter().zip(top..frame.rows) {
        let x = LEFT.saturating_add(frame.width.saturating_sub(cells(line)) / 2);
        // A limit line under the words would strike them through.
        let muted = pen.theme.words(Tone::Muted);
        pen.fill(x.saturating_sub(1), y, cells(line).saturating_add(2), ' ', muted);
        pen.say(x, y, frame.width, line, Tone::Stale);
    }
}

//! The overview: what burns, fires, is open and comes next.

use crate::app::present::view::{Overview, Pane, Sign, Tone};
use crate::ui::layout::{GUTTER, Size, Want, columns, share, spaced, stack};
use crate::ui::pen::Pen;
use crate::ui::widget::list::{Rows, body};
use crate::ui::widget::rule::{bar, rule};
use crate::ui::widget::{alert_rows, chart, event_rows, incident_rows, slo_rows, source_rows, timer_rows};

/// Rows of a chart with its rule, axis and times, in the narrow layouts.
const CHART: u16 = 10;

/// Draws the screen.
pub fn draw(pen: &mut Pen<'_>, view: &Overview, size: Size) {
    match size {
        Size::L => three(pen, view),
        Size::M => two(pen, view),
        _ if pen.height() >= 14 => lists(pen, view, size),
        _ => one(pen, view),
    }
}

/// One list, the one that holds the selection, and what the others amount to.
fn one(pen: &mut Pen<'_>, view: &Overview) {
    let width = pen.width();
    let list = pen.height().saturating_sub(1);
    {
        let mut part = pen.part(0, 0, width, list);
        if view.alerts.cursor.is_some() {
            alert_rows::alert_pane(&mut part, &view.alerts, false);
        } else if view.incidents.cursor.is_some() {
            incident_rows::incident_pane(&mut part, &view.incidents, false);
        } else if view.timers.cursor.is_some() {
            timer_rows::timer_pane(&mut part, &view.timers);
        } else {
            slo_rows::slo_pane(&mut part, &view.slos);
        }
    }
    pen.say(0, list, width, &alert_rows::counts(&view.alerts.rows), Tone::Text);
}

fn lists(pen: &mut Pen<'_>, view: &Overview, size: Size) {
    let height = pen.height();
    let plain = left_wants(view, 1);
    let timers = Want::rows(view.timers.rows.len(), 5, 0);
    let spare =
        height.saturating_sub(plain.iter().map(|w| w.most).sum::<u16>().saturating_add(timers.most).saturating_add(4));
    let room = size >= Size::S && view.chart.is_some() && spare >= CHART;
    let picture = Want { least: 0, most: if room { spare.min(16) } else { 0 }, rank: 9 };
    let [slos, alerts, incidents] = plain;
    let places = stack(height, &[slos, picture, alerts, incidents, timers]);
    let [slos, picture, alerts, incidents, timers] = places.as_slice() else { return };
    let width = pen.width();
    slo_rows::slo_pane(&mut pen.part(0, slos.0, width, slos.1), &view.slos);
    if let Some(one) = view.chart.as_ref().filter(|_| picture.1 > 0) {
        chart::titled(&mut pen.part(0, picture.0, width, picture.1), one);
    }
    alert_rows::alert_pane(&mut pen.part(0, alerts.0, width, alerts.1), &view.alerts, false);
    incident_rows::incident_pane(&mut pen.part(0, incidents.0, width, incidents.1), &view.incidents, false);
    timer_rows::timer_pane(&mut pen.part(0, timers.0, width, timers.1), &view.timers);
}

/// What the three lists ask for; `each` rows an alert and an incident.
fn left_wants(view: &Overview, each: usize) -> [Want; 3] {
    let count = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
    let loud = count(view.slos.rows.iter().filter(|r| r.sign != Sign::Ok).count());
    let firing = count(view.alerts.rows.iter().filter(|r| r.sign != Sign::Held).count().min(4)).saturating_add(1);
    [
        // What is fine folds before an alert is hidden.
        Want { least: loud.saturating_add(3).clamp(4, 12), most: slo_rows::most(&view.slos), rank: 1 },
        Want { least: firing, ..Want::rows(view.alerts.rows.len() * each, 1, 3) },
        Want::rows(view.incidents.rows.len() * each, 4, 2),
    ]
}

fn left(pen: &mut Pen<'_>, view: &Overview) {
    // Two rows an item only when everything fits that way.
    let two: u16 = left_wants(view, 2).iter().map(|w| w.most).sum();
    let each = if two.saturating_add(2) <= pen.height() { 2 } else { 1 };
    let places = stack(pen.height(), &left_wants(view, each));
    let [slos, alerts, incidents] = places.as_slice() else { return };
    let width = pen.width();
    slo_rows::slo_pane(&mut pen.part(0, slos.0, width, slos.1), &view.slos);
    alert_rows::alert_pane(&mut pen.part(0, alerts.0, width, alerts.1), &view.alerts, each == 2);
    incident_rows::incident_pane(&mut pen.part(0, incidents.0, width, incidents.1), &view.incidents, each == 2);
}

fn two(pen: &mut Pen<'_>, view: &Overview) {
    let (width, height) = (pen.width(), pen.height());
    let parts = columns(width, &[71, 46]);
    let [a, b] = parts.as_slice() else { return };
    left(&mut pen.part(a.0, 0, a.1, height), view);
    bar(pen, b.0.saturating_sub(GUTTER - 1));
    let mut right = pen.part(b.0, 0, b.1, height);
    let picture =
        Want { least: 9, most: if view.chart.is_some() { if height >= 34 { 14 } else { 9 } } else { 0 }, rank: 2 };
    let wants = [
        picture,
        Want::rows(view.timers.rows.len(), 5, 0),
        Want::rows(view.timeline.rows.len(), 4, 3),
        Want::rows(view.sources.len(), 3, 1),
    ];
    let places = spaced(height, &wants);
    let [top, timers, events, sources] = places.as_slice() else { return };
    let w = right.width();
    if let Some(one) = view.chart.as_ref().filter(|_| top.1 > 0) {
        chart::titled(&mut right.part(0, top.0, w, top.1), one);
    }
    timer_rows::timer_pane(&mut right.part(0, timers.0, w, timers.1), &view.timers);
    event_rows::event_pane(&mut right.part(0, events.0, w, events.1), &view.timeline, true);
    source_pane(&mut right.part(0, sources.0, w, sources.1), view);
}

fn three(pen: &mut Pen<'_>, view: &Overview) {
    let (width, height) = (pen.width(), pen.height());
    let parts = columns(width, &[78, 60, 56]);
    let [a, b, c] = parts.as_slice() else { return };
    left(&mut pen.part(a.0, 0, a.1, height), view);
    bar(pen, b.0.saturating_sub(GUTTER - 1));
    bar(pen, c.0.saturating_sub(GUTTER - 1));
    charts(&mut pen.part(b.0, 0, b.1, height), view);
    let mut right = pen.part(c.0, 0, c.1, height);
    let wants = [
        Want::rows(view.timers.rows.len(), 5, 0),
        Want::rows(view.timeline.rows.len(), 8, 2),
        Want::rows(view.sources.len(), 4, 1),
    ];
    let places = spaced(height, &wants);
    let [timers, events, sources] = places.as_slice() else { return };
    let w = right.width();
    timer_rows::timer_pane(&mut right.part(0, timers.0, w, timers.1), &view.timers);
    event_rows::event_pane(&mut right.part(0, events.0, w, events.1), &view.timeline, true);
    source_pane(&mut right.part(0, sources.0, w, sources.1), view);
}

/// The charts of the most urgent objectives, as many as have at least twelve rows each.
fn charts(pen: &mut Pen<'_>, view: &Overview) {
    let most = usize::from(pen.height() / 12).clamp(1, 4);
    let all: Vec<_> = view.chart.iter().chain(&view.more_charts).take(most).collect();
    let each = pen.height() / u16::try_from(all.len().max(1)).unwrap_or(1);
    let wants = vec![Want { least: 8, most: each.saturating_sub(1).min(18), rank: 0 }; all.len()];
    let mut y = 0;
    for (one, height) in all.iter().zip(share(pen.height(), &wants)) {
        let width = pen.width();
        chart::titled(&mut pen.part(0, y, width, height), one);
        y = y.saturating_add(height).saturating_add(1);
    }
}

fn source_pane(pen: &mut Pen<'_>, view: &Overview) {
    if pen.height() == 0 {
        return;
    }
    rule(pen, 0, "SOURCES", "");
    let widths = source_rows::widths(&view.sources);
    let rows = Pane { rows: view.sources.iter().collect(), empty: "none configured".into(), ..Default::default() };
    body(&mut pen.below(1), &rows, Rows::default(), |pen, row| source_rows::source_row(pen, row, widths));
}

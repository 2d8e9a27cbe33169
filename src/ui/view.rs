//! The whole frame: status lines, banners, the screen, what just happened, the keys, and at most one thing on top.

use crate::app::present::view::{Bit, Body, Overlay, Tone, View};
use crate::domain::text::wrap_to;
use crate::ui::glyphs::Glyphs;
use crate::ui::layout::Size;
use crate::ui::pen::{Pen, cells};
use crate::ui::screen;
use crate::ui::theme::Theme;
use crate::ui::widget::{confirm, form, help, hints, links, palette, search, status};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Rows that what just happened may take.
const FLASH: usize = 3;
/// Rows of a frame in which it may take more than one.
const ROOMY: u16 = 20;

/// Draws a view into an area of a buffer. Every cell of the area is written; no cell outside of it is.
pub fn draw(view: &View, theme: &Theme, glyphs: Glyphs, area: Rect, buf: &mut Buffer) {
    let mut pen = Pen::new(buf, area, theme, glyphs);
    pen.clear();
    let size = Size::of(pen.width(), pen.height());
    if size == Size::Tiny {
        return tiny(&mut pen, view);
    }
    let head = status::rows(&view.head, pen.width());
    status::status(&mut pen, &view.head);
    let width = pen.width();
    let mut top = head;
    // Banners may not push the screen out of a small frame.
    let most = usize::from(pen.height().saturating_sub(head) / 3).max(1);
    for banner in view.banners.iter().take(most) {
        pen.fill(0, top, if banner.reversed { width } else { 0 }, ' ', theme.loud(banner.tone));
        pen.bit(0, top, width, banner);
        top = top.saturating_add(1);
    }
    // One row of air where there are rows to spare.
    if pen.height() >= 44 {
        top = top.saturating_add(1);
    }
    let flash = flash(view, pen.width(), pen.height());
    let bottom = pen.height().saturating_sub(1 + rows_of(&flash).max(1));
    let mut middle = pen.part(0, top, width, bottom.saturating_sub(top));
    body(&mut middle, &view.body, size);
    footer(&mut pen, view, &flash);
    if let Some(overlay) = &view.overlay {
        let last = pen.height().saturating_sub(1);
        let mut under = pen.below(head);
        match overlay {
            Overlay::Help(v) => help::help(&mut under, v),
            Overlay::Palette(v) => palette::palette(&mut under, v),
            Overlay::Search(v) => search::search(&mut under, v),
            Overlay::Form(v) => form::form(&mut under, v),
            Overlay::Confirm(v) => confirm::confirm(&mut under, v),
            Overlay::Links(v) => links::links(&mut under, v),
            Overlay::Filter(v) => hints::filter(&mut pen, last, v),
        }
    }
}

fn body(pen: &mut Pen<'_>, body: &Body, size: Size) {
    match body {
        Body::Overview(v) => screen::overview::draw(pen, v, size),
        Body::Slos(v) => screen::slos::draw(pen, v, size),
        Body::Slo(v) => screen::slo::draw(pen, v, size),
        Body::Alerts(v) => screen::alerts::draw(pen, v, size),
        Body::Incident(v) => screen::incident::draw(pen, v, size),
        Body::Board(v) => screen::board::draw(pen, v, size),
        Body::HandOff(v) => screen::handoff::draw(pen, v, size),
        Body::Timers(v) => screen::timers::draw(pen, v, size),
        Body::Outbox(v) => screen::outbox::draw(pen, v, size),
        Body::Changes(v) => screen::changes::draw(pen, v, size),
        Body::WhatChanged(v) => screen::what_changed::draw(pen, v, size),
        Body::Runbooks(v) => screen::runbooks::draw(pen, v, size),
        Body::Walk(v) => screen::walk::draw(pen, v, size),
        Body::Postmortem(v) => screen::postmortem::draw(pen, v, size),
        Body::Sources(v) => screen::sources::draw(pen, v, size),
        Body::Messages(v) => screen::messages::draw(pen, v),
        Body::FirstRun(v) => screen::first_run::draw(pen, v),
    }
}

/// What just happened, in as many rows as it needs where there are rows: what is cut off here is read nowhere else.
fn flash(view: &View, width: u16, height: u16) -> Vec<Bit> {
    let Some(flash) = &view.flash else { return Vec::new() };
    let most = if height < ROOMY { 1 } else { FLASH };
    let lines = wrap_to(&flash.text, usize::from(width), most);
    lines.into_iter().map(|text| Bit { text, ..flash.clone() }).collect()
}

fn rows_of(rows: &[Bit]) -> u16 {
    u16::try_from(rows.len()).unwrap_or(u16::MAX)
}

fn footer(pen: &mut Pen<'_>, view: &View, flash: &[Bit]) {
    let (width, height) = (pen.width(), pen.height());
    let top = height.saturating_sub(1).saturating_sub(rows_of(flash));
    for (y, bit) in (top..).zip(flash) {
        pen.bit(0, y, width, bit);
    }
    hints::hints(pen, height.saturating_sub(1), view.mode, &view.hints);
}

/// Below the smallest frame: what is needed, the clock and the nearest timer. A confirmation that is open still shows
/// the line that takes its answer.
fn tiny(pen: &mut Pen<'_>, view: &View) {
    let width = pen.width();
    let word = if view.head.replay.is_some() { "REPLAY too small: 40x10 needed" } else { "too small: 40x10 needed" };
    let mut x = pen.say(0, 0, width, word, Tone::Accent).saturating_add(2);
    x = x.saturating_add(pen.say(x, 0, width, &view.head.utc, Tone::Text)).saturating_add(2);
    if let Some(timer) = &view.head.timer {
        let under = x.saturating_add(cells(&timer.text)) > width && pen.height() > 1;
        if under {
            pen.bit(0, 1, width, timer)
        } else {
            pen.bit(x, 0, width, timer)
        };
    }
    if let Some(Overlay::Confirm(v)) = &view.overlay {
        let from = 2.min(pen.height().saturating_sub(1));
        confirm::bare(&mut pen.below(from), v);
    }
}

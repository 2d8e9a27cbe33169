//! What is to be shown: one view model that cells, plain lines and JSON render. Values only, in words and numbers that
//! are rounded already; how wide, where and in which colour is the renderer's business. Texts may hold outside text: the
//! renderer's sink sanitises.

pub mod alerts;
pub mod available;
pub mod backend;
pub mod board;
pub mod budget;
pub mod changes;
pub mod charts;
pub mod entries;
pub mod experiment;
pub mod gameday;
pub mod head;
pub mod incidents;
pub mod items;
pub mod lines;
pub mod links;
pub mod outbox;
pub mod overlays;
pub mod palette;
pub mod past;
pub mod postmortem;
pub mod ran;
pub mod replay;
pub mod report;
pub mod rooms;
pub mod runbooks;
pub mod silences;
pub mod slos;
pub mod sources;
pub mod step_findings;
pub mod suggestions;
pub mod timers;
pub mod view;
pub mod walk;
pub mod what_changed;

use crate::app::model::Model;
use crate::app::present::view::{Bit, Body, FirstRun, Overview, Pane, Tone, View};
use crate::app::screen::Screen;
use crate::domain::time::Timestamp;

/// The whole frame at an instant; in a replay at the one that it shows.
pub fn view(model: &Model, now: Timestamp) -> View {
    let now = model.instant(now);
    View {
        head: head::head(model, now),
        banners: head::banners(model, now),
        body: body(model, now),
        hints: overlays::hints(model, now),
        mode: overlays::mode(model),
        flash: head::flash(model, now),
        overlay: overlays::overlay(model, now),
    }
}

fn body(model: &Model, now: Timestamp) -> Body {
    match model.nav.screen() {
        Screen::Overview => Body::Overview(Box::new(overview(model, now))),
        Screen::Slos => Body::Slos(Box::new(slos::page(model, now))),
        Screen::Slo(id) => match slos::detail(model, now, id) {
            Some(detail) => Body::Slo(Box::new(detail)),
            None => Body::Slos(Box::new(slos::page(model, now))),
        },
        Screen::Alerts => Body::Alerts(Box::new(alerts::page(model, now))),
        Screen::Incident(id) => Body::Incident(Box::new(incidents::page(model, now, id))),
        Screen::Board(id) => Body::Board(Box::new(board::page(model, now, id))),
        Screen::HandOff(id) => Body::HandOff(Box::new(board::handoff_page(model, now, id))),
        Screen::Timers => Body::Timers(Box::new(timers::page(model, now))),
        Screen::Changes => Body::Changes(Box::new(changes::page(model, now))),
        Screen::WhatChanged(subject) => Body::WhatChanged(Box::new(what_changed::page(model, now, subject))),
        Screen::Runbooks => Body::Runbooks(Box::new(runbooks::page(model, now))),
        Screen::Walk(incident, runbook) => Body::Walk(Box::new(walk::page(model, now, incident.as_ref(), runbook))),
        Screen::Postmortem(id) => Body::Postmortem(Box::new(postmortem::page(model, now, id))),
        Screen::Sources => Body::Sources(Box::new(sources::page(model, now))),
        Screen::Outbox => Body::Outbox(Box::new(outbox::page(model, now))),
        Screen::Messages => Body::Messages(head::messages(model, now)),
        Screen::FirstRun => Body::FirstRun(Box::new(first_run(model, now))),
    }
}

fn overview(model: &Model, now: Timestamp) -> Overview {
    let many = if model.size.0 >= 160 && model.size.1 >= 50 { 4 } else { 1 };
    let mut charts = slos::chart_ids(model, many).into_iter().filter_map(|id| charts::burn(model, now, &id));
    Overview {
        slos: slos::pane(model, now),
        alerts: alerts::pane(model, now),
        incidents: incidents::pane(model, now),
        timers: timers::pane(model, now),
        chart: charts.next(),
        more_charts: charts.collect(),
        timeline: incidents::worst_timeline(model, now),
        sources: sources::rows(model, now),
    }
}

fn first_run(model: &Model, now: Timestamp) -> FirstRun {
    let cursor = match items::selected(model, now) {
        Some(crate::app::screen::Item::Row(n)) => Some(n),
        _ => Some(0),
    };
    FirstRun {
        lines: vec![
            "No configuration yet.".into(),
            format!("Looked for {}", model.setup.config_path),
            "Nothing is asked and nothing is sent until you choose.".into(),
        ],
        choices: Pane {
            title: "BEGIN".into(),
            rows: vec![
                ("watch the demo".into(), "a simulated production with an incident that unfolds; needs nothing".into()),
                ("use the Prometheus on this host".into(), "http://127.0.0.1:9090".into()),
                ("connect to a Prometheus".into(), "at an address you type".into()),
                (
                    "midwatch init".into(),
                    "leave, and write a commented configuration, an SLO file and a runbook".into(),
                ),
            ],
            cursor,
            ..Pane::default()
        },
    }
}

/// A loud or calm piece, by whether something is wrong.
fn bit(text: impl Into<String>, tone: Tone) -> Bit {
    Bit::new(text, tone)
}

/// Rows around the cursor in full and empty ones elsewhere: a renderer shows the page that holds the cursor, and no page
/// is longer than this. Five thousand alerts cost what a screenful costs. `far` makes the empty ones, with what all rows
/// are counted by.
fn near<T, R>(all: &[T], cursor: Option<usize>, row: impl Fn(&T) -> R, far: impl Fn(&T) -> R) -> Vec<R> {
    const PAGE: usize = 150;
    let at = cursor.unwrap_or(0);
    let (from, to) = (at.saturating_sub(PAGE), at.saturating_add(PAGE));
    all.iter().enumerate().map(|(n, it)| if (from..=to).contains(&n) { row(it) } else { far(it) }).collect()
}

/// Whether a row passes the filter of the screen.
fn passes(filter: &str, texts: &[&str]) -> bool {
    filter.is_empty() || texts.iter().any(|t| t.to_lowercase().contains(&filter.to_lowercase()))
}

//! Where a replay is: the scrub bar of every screen, what is said of things that were not recorded, and the same for
//! programs.

use crate::app::action::{Entry, Scope};
use crate::app::model::Model;
use crate::app::present::view::ScrubBar;
use crate::app::present::{outbox, report, silences, timers};
use crate::app::screen::Screen;
use crate::domain::ids::SloId;
use crate::domain::incident::event::{Body, Event};
use crate::domain::incident::state::CommandRun;
use crate::domain::time::{Timestamp, rfc3339};
use serde_json::{Value, json};

/// What is said of an operation of which only the beginning was recorded by then.
pub const BETWEEN: &str = "how far it was then is not recorded";

/// Why nothing that acts can be done.
pub const LOOK_ONLY: &str = "replay: nothing is recorded, sent or run; the keys wind, look and copy";
/// What stands where nothing was kept.
pub const NOT_RECORDED: &str = "not recorded";

/// The scrub bar.
pub fn bar(model: &Model) -> Option<ScrubBar> {
    let replay = model.replay.as_ref()?;
    let (place, all) = replay.reel.place(replay.at);
    let marks = replay.reel.landmarks().iter().map(|(at, mark)| (replay.share(*at), mark.letter())).collect();
    Some(ScrubBar {
        incident: replay.incident.0.clone(),
        day: replay.at.format("%Y-%m-%d").to_string(),
        time: replay.at.format("%H:%M:%SZ").to_string(),
        share: replay.share(replay.at),
        marks,
        place: format!("{place}/{all}"),
        how: format!("{} x{}", if replay.playing { "playing" } else { "paused" }, replay.speed),
    })
}

/// `REPLAY INC-… at 2026-05-01T03:14:07.000Z, event 12 of 87, paused`
pub fn words(model: &Model) -> Option<String> {
    let replay = model.replay.as_ref()?;
    let (place, all) = replay.reel.place(replay.at);
    let how = if replay.playing { "playing" } else { "paused" };
    Some(format!("REPLAY {} at {}, event {place} of {all}, {how}", replay.incident, rfc3339(replay.at)))
}

/// Whether an action is there at all: those that wind are in a replay alone.
pub fn offered(model: &Model, entry: &Entry) -> bool {
    model.replay.is_some() || entry.scopes != [Scope::Replay]
}

/// What the shown screen would show of things that no record keeps; `None` where all of it is recorded.
pub fn missing(model: &Model) -> Option<String> {
    let replay = model.replay.as_ref()?;
    let words = match model.nav.screen() {
        Screen::Sources => "the health of sources is not recorded: a replay asks none".into(),
        Screen::Outbox => "what operations waited for between their beginning and their end is not recorded".into(),
        Screen::Alerts => "only alerts that belonged to the incident and silences made for it are recorded".into(),
        Screen::WhatChanged(_) => "what the feeds told of changes is not recorded".into(),
        Screen::Overview => {
            "only this incident, its alerts and its objectives are shown: of others nothing is replayed".into()
        }
        Screen::Walk(Some(id), book) => {
            let walked = model.desk.cases.get(id).and_then(|case| case.shown.walks.get(book));
            let now = model.runbook(book);
            match (walked, now) {
                (None, _) => format!("{book} was not opened by then: this is its file as it is now"),
                (Some(walk), Some(now)) if walk.sha256 != now.sha256 => {
                    format!("the file of {book} was changed since: its steps are shown as they are now")
                }
                _ => return None,
            }
        }
        Screen::Incident(id) if !model.desk.cases.contains_key(id) && *id == replay.incident => {
            format!("{id} was not declared by then")
        }
        _ => return None,
    };
    Some(words)
}

/// Whether a run without an end yet had one later: it ran then, and nothing about it was unknown.
pub fn runs(model: &Model, run: &CommandRun) -> bool {
    let ended = |e: &Event| matches!(&e.body, Body::CommandFinished(end) if end.run == run.start.run);
    run.finish.is_none() && model.replay.as_ref().is_some_and(|replay| replay.reel.all().iter().any(ended))
}

/// Burn rates over five minutes that were sampled by the shown instant, oldest first.
pub fn samples<'m>(model: &'m Model, slo: &'m SloId) -> impl Iterator<Item = (Timestamp, f64)> + 'm {
    let cases = model.replay.as_ref().and_then(|r| model.desk.cases.get(&r.incident));
    cases.into_iter().flat_map(|case| &case.tail).filter_map(move |e| match &e.body {
        Body::BudgetSampled(sample) if sample.slo == *slo => Some((e.at, sample.burn_5m.filter(|b| b.is_finite())?)),
        _ => None,
    })
}

/// `midwatch replay ID --at TIME -o json`: the incident as it stood, as `incident show` prints it, with its alerts and
/// objectives as far as they were recorded.
pub fn report(model: &Model) -> Option<Value> {
    let replay = model.replay.as_ref()?;
    let now = replay.at;
    let (place, all) = replay.reel.place(now);
    let case = model.desk.cases.get(&replay.incident);
    let incident = case.map(|c| report::incident(&c.shown, &c.tail, &timers::of(model, &c.shown, now)));
    let outbox: Vec<Value> = outbox::ids(model)
        .iter()
        .filter_map(|id| Some(outbox::json(model, model.outbox.entries.get(id)?, now)))
        .collect();
    let silenced = silences::all(model, now);
    let silenced: Vec<Value> = silenced.into_iter().map(|(at, s)| silences::json(model, at, s)).collect();
    let (slos, alerts) = (report::slos(model, now), report::alerts(model, now));
    let landmarks: Vec<Value> = replay
        .reel
        .landmarks()
        .iter()
        .map(|(at, mark)| json!({"at": rfc3339(*at), "mark": mark.letter().to_string()}))
        .collect();
    Some(json!({
        "as_of": rfc3339(now), "partial": false, "faults": [],
        "replay": {"incident": replay.incident.0, "from": rfc3339(replay.reel.start()), "to": rfc3339(replay.reel.end()),
            "at": rfc3339(now), "moment": place, "moments": all, "events": replay.reel.known(now).len(),
            "events_total": replay.reel.all().len(), "landmarks": landmarks},
        "incident": incident, "alerts": alerts.get("alerts"), "slos": slos.get("slos"),
        "outbox": outbox, "silences": silenced,
        "not_recorded": ["sources", "silences that were not made for it", "what operations waited for", "other incidents", "alerts that did not belong to it"],
    }))
}

//! A replay: keys wind through what was recorded, and the machine is what it was at the shown instant. Nothing is recorded,
//! asked, sent or run: of all effects only those that stay inside the terminal leave here.

use crate::app::action::{Action, Scope};
use crate::app::confirm::Deed;
use crate::app::effect::Effect;
use crate::app::key::Key;
use crate::app::model::{Case, Model};
use crate::app::msg::{Feed, Msg, Reply};
use crate::app::present::slos;
use crate::app::present::view::Tone;
use crate::app::replay::SPEEDS;
use crate::app::screen::Overlay;
use crate::app::update::{act, answered, input, reload};
use crate::domain::alert::{Alert, AlertState};
use crate::domain::ids::SourceName;
use crate::domain::incident::event::{Body, BudgetSample, Event};
use crate::domain::incident::outgoing;
use crate::domain::incident::state::Incident;
use crate::domain::labels::Labels;
use crate::domain::outward::silence::Silence;
use crate::domain::slo::event_slices::EventSlices;
use crate::domain::slo::objective::Objective;
use crate::domain::slo::reading::{Measurement, Reading, Via, Window};
use crate::domain::time::{Span, Timestamp, mins, secs};
use std::sync::Arc;

/// The longest stretch of the wall that is made up for: a terminal that was suspended does not jump to the end.
const MOST: Span = Span::seconds(2);
/// How often a replay that goes on by itself is looked at, at most.
const PACE: Span = Span::milliseconds(200);
/// What its alerts are told by.
const RECORD: &str = "record";

/// Handles one message; `wall` is the clock on the wall, and the shown instant is the machine's.
pub fn update(model: &mut Model, wall: Timestamp, msg: Msg) -> Vec<Effect> {
    let mut out = Vec::new();
    advance(model, wall);
    let now = model.instant(wall);
    if matches!(msg, Msg::Key(_) | Msg::Act(_) | Msg::Paste(_)) {
        hush(model);
    }
    match msg {
        Msg::Key(it) => key(model, now, it, &mut out),
        Msg::Paste(text) => input::paste(model, now, &text, &mut out),
        Msg::Act(action) => act::act(model, now, action, &mut out),
        Msg::Reply(req, reply @ Reply::Copied(_)) => answered(model, now, req, reply, &mut out),
        // The files of today, first time: there is nothing to say about it.
        Msg::Feed(Feed::Library(books, findings)) => drop(reload::library(model, now, books, findings)),
        // What happens today has nothing to do with what happened then.
        Msg::Reply(..) | Msg::Feed(_) | Msg::Wake => {}
        Msg::Painted => {
            if let Some(Overlay::Confirm(confirm)) = &mut model.nav.overlay {
                confirm.painted = true;
            }
        }
        Msg::Resized(columns, rows) => (model.size, model.windowed) = ((columns, rows), true),
        Msg::Focus(focused) => model.focused = focused,
    }
    look_only(model, now);
    settle(model);
    out.retain(stays_inside);
    out
}

/// The clock of a replay that goes on by itself.
fn advance(model: &mut Model, wall: Timestamp) {
    let Some(replay) = &mut model.replay else { return };
    if replay.playing {
        let gone = (wall - replay.wall).clamp(Span::zero(), MOST);
        let step = gone.checked_mul(i32::try_from(replay.speed).unwrap_or(1)).unwrap_or(MOST);
        replay.at = replay.at.checked_add_signed(step).unwrap_or(replay.at).min(replay.reel.end());
        replay.playing = replay.at < replay.reel.end();
    }
    replay.wall = wall;
}

/// When a replay that goes on by itself has something new to show, by the clock on the wall.
pub fn next(model: &Model) -> Option<Timestamp> {
    let replay = model.replay.as_ref().filter(|r| r.playing)?;
    let speed = i32::try_from(replay.speed).unwrap_or(1).max(1);
    let until = |at: Timestamp| (at - replay.at) / speed;
    let second = (secs(1) / speed).max(PACE);
    let event = replay.reel.next(replay.at).map_or(second, until);
    replay.wall.checked_add_signed(event.min(second).max(Span::milliseconds(1)))
}

/// What was said before a key is old when it is pressed: the clock of a replay may stand still.
fn hush(model: &mut Model) {
    if let Some(replay) = &mut model.replay {
        replay.quiet = model.messages.len();
        if replay.quiet > 400 {
            model.messages.clear();
            replay.quiet = 0;
        }
    }
}

fn key(model: &mut Model, now: Timestamp, key: Key, out: &mut Vec<Effect>) {
    let winds = model.nav.overlay.is_none().then(|| model.setup.keymap.bound(Scope::Replay, key)).flatten();
    match winds {
        Some(action) => act::act(model, now, action, out),
        None => input::key(model, now, key, out),
    }
}

/// Winds.
pub fn act(model: &mut Model, action: Action) -> Result<(), String> {
    let Some(replay) = &mut model.replay else { return Err("only in a replay".into()) };
    let (reel, at) = (Arc::clone(&replay.reel), replay.at);
    let last = || "this is the end of the record".to_owned();
    let first = || "this is where it was declared".to_owned();
    let to = match action {
        Action::ReplayNext => reel.next(at).ok_or_else(last)?,
        Action::ReplayBefore => reel.before(at).ok_or_else(first)?,
        Action::ReplayMinuteOn if at >= reel.end() => return Err(last()),
        Action::ReplayMinuteOn => at + mins(1),
        Action::ReplayMinuteBack if at <= reel.start() => return Err(first()),
        Action::ReplayMinuteBack => at - mins(1),
        Action::ReplayDecision => reel.next_decision(at).ok_or("nothing was decided after this")?,
        Action::ReplayDecisionBefore => reel.decision_before(at).ok_or("nothing was decided before this")?,
        Action::ReplayStart => reel.start(),
        Action::ReplayEnd => reel.end(),
        Action::ReplayFaster | Action::ReplaySlower => {
            let faster = SPEEDS.into_iter().find(|s| *s > replay.speed);
            let slower = SPEEDS.into_iter().rev().find(|s| *s < replay.speed);
            let wanted = if action == Action::ReplayFaster { faster } else { slower };
            replay.speed = wanted.ok_or("no other speed")?;
            return Ok(());
        }
        _ => {
            // At the end it begins anew.
            if !replay.playing && at >= reel.end() {
                replay.at = reel.start();
            }
            replay.playing = !replay.playing && reel.start() < reel.end();
            return Ok(());
        }
    };
    replay.seek(to);
    Ok(())
}

/// What would ask for a text or for a yes is put away: a replay takes neither.
fn look_only(model: &mut Model, now: Timestamp) {
    let acts = match &model.nav.overlay {
        Some(Overlay::Form(_) | Overlay::Search { .. }) => true,
        Some(Overlay::Confirm(confirm)) => confirm.deed != Deed::Quit,
        _ => false,
    };
    if acts {
        model.nav.overlay = None;
        model.say(now, Tone::Warn, crate::app::present::replay::LOOK_ONLY);
    }
}

fn stays_inside(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::Copy { .. }
            | Effect::Page(_)
            | Effect::Redraw
            | Effect::Suspend
            | Effect::Quit(_)
            | Effect::Title(_)
            | Effect::Restyle(_)
    )
}

/// Makes the machine what it was at the shown instant, from the record alone.
pub fn settle(model: &mut Model) {
    let Some(replay) = &mut model.replay else { return };
    let at = replay.at;
    // What is not recorded cannot have been added here; a case that has it all the same is made anew.
    let clean = model.desk.cases.values().all(|case| case.unsaved.is_empty());
    if replay.settled == Some(at) && clean {
        slos::refresh(model, at);
        return;
    }
    if replay.settled.is_some_and(|before| before > at) {
        model.fleet.over_since.clear();
    }
    replay.settled = Some(at);
    let (reel, slices, id) = (Arc::clone(&replay.reel), replay.slices.clone(), replay.incident.clone());
    let mut tail = reel.known(at).to_vec();
    tail.sort_by(|a, b| a.rank().cmp(&b.rank()));
    let state = Incident::fold(&tail);
    model.desk.loaded = true;
    model.fleet.bands.loaded = true;
    model.alerts.by_source.clear();
    model.outbox.entries = outgoing::outbox(&tail);
    let silences = outgoing::silences(&model.outbox.entries, at);
    if let Some(state) = &state {
        let in_force: Vec<&Silence> = silences.values().flatten().filter(|s| s.in_force(at)).collect();
        model.alerts.by_source.insert(SourceName(RECORD.into()), alerts(state, &in_force));
    }
    if let Some(replay) = &mut model.replay {
        replay.silences = silences;
    }
    model.alerts.arrange(&model.library);
    model.fleet.measured.clear();
    for objective in &model.fleet.objectives {
        let kept = slices.get(&objective.id).map(|s| Arc::new(s.until(at))).filter(|s| s.end().is_some());
        let found = measurement(objective, kept, last_sample(&tail, objective));
        model.fleet.measured.extend(found.map(|m| (objective.id.clone(), m)));
    }
    match state {
        Some(state) => drop(model.desk.cases.insert(id, Case::of(state, tail))),
        None => model.desk.cases.clear(),
    }
    model.fleet.assessed = None;
    slos::refresh(model, at);
}

/// The alerts of an incident that had not ended; those that were silenced with the silences made for it that fit them.
fn alerts(state: &Incident, silences: &[&Silence]) -> Vec<Alert> {
    let known = state.alerts.iter().filter_map(|(fingerprint, linked)| {
        let state = match linked.state.as_str() {
            "firing" => AlertState::Firing,
            "pending" => AlertState::Pending,
            "silenced" => AlertState::Silenced,
            "inhibited" => AlertState::Inhibited,
            "muted" => AlertState::Muted,
            _ => return None,
        };
        let fits = |s: &&&Silence| s.matchers.iter().all(|m| m.matches(&linked.labels) == Some(true));
        let held_by = match state {
            AlertState::Silenced => silences.iter().filter(fits).map(|s| s.id.clone()).collect(),
            _ => Vec::new(),
        };
        Some(Alert {
            fingerprint: fingerprint.clone(),
            name: linked.name.clone(),
            labels: linked.labels.clone(),
            annotations: Labels::default(),
            state,
            started_at: linked.started_at,
            source: SourceName(RECORD.into()),
            held_by,
            generator_url: None,
        })
    });
    known.collect()
}

fn last_sample<'e>(tail: &'e [Event], objective: &Objective) -> Option<(Timestamp, &'e BudgetSample)> {
    tail.iter().rev().find_map(|e| match &e.body {
        Body::BudgetSampled(sample) if sample.slo == objective.id => Some((e.at, sample)),
        _ => None,
    })
}

/// What is known of an objective: sums of the slices that were kept, and what was sampled after them. A window that is
/// shorter than the slices is not guessed from them.
fn measurement(
    objective: &Objective,
    kept: Option<Arc<EventSlices>>,
    sample: Option<(Timestamp, &BudgetSample)>,
) -> Option<Measurement> {
    let mut found = Measurement { via: Via::Recorded, ..Measurement::empty(objective.id.clone()) };
    let own = Window::of(objective.window);
    let end = kept.as_ref().and_then(|s| s.end());
    if let (Some(kept), Some(end)) = (&kept, end) {
        let finest = if kept.fine.newest().is_some() { kept.fine.step() } else { kept.coarse.step() };
        for window in Window::BURN.into_iter().chain([own]).filter(|w| w.span() >= finest) {
            let reading = kept.window(window);
            if reading.is_known() {
                found.windows.insert(window, (end, reading));
            }
        }
        found.via = Via::Slices;
        found.slices = Some(Arc::clone(kept));
    }
    let newer = sample.filter(|(at, _)| end.is_none_or(|end| *at >= end));
    if let Some((at, sample)) = newer {
        let bad = 1.0 - objective.target;
        let errors = |burn: f64| (burn * bad).clamp(0.0, 1.0);
        let values = [
            (Window::H1, sample.burn_1h),
            (Window::M5, sample.burn_5m),
            (own, sample.remaining.map(|left| 1.0 - left)),
        ];
        for (window, burn) in values {
            if let Some(burn) = burn.filter(|b| b.is_finite()) {
                found.windows.insert(window, (at, Reading::Recorded(errors(burn))));
            }
        }
    }
    (!found.windows.is_empty()).then_some(found)
}

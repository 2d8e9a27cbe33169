//! The only writer of the model: a message in, effects out. One file per concern; this one only says which.

mod act;
mod annotations;
mod answer;
mod approval;
mod backend;
mod backend_act;
mod backend_deal;
mod bands;
mod board;
mod coverage;
mod draft;
mod entry;
mod exec;
mod forms;
mod incident;
mod input;
mod marks;
mod notices;
mod outward;
mod paging;
mod past;
mod publish;
mod reconnect;
mod record;
pub mod rehearsal;
mod reload;
mod rename;
mod replay;
mod resolve;
mod rollback;
mod room;
mod room_acts;
mod room_reads;
mod rows;
mod signals;
mod silences;
mod sources;
mod suggest;
mod tickets;
mod timers;
mod walk;
pub mod warm;
mod watch;
mod what_changed;

pub use act::target;
pub use approval::code as approval_code;
pub use backend_deal::{Deal, asks, people, woken};
pub use draft::name as draft_name;
pub use exec::output_key;
pub use notices::publishes;
pub use outward::{outgoing, queue};
pub use paging::{page, pager, rows as page_rows, tell};
pub use replay::{next as replay_next, settle};
pub use room::{chats, due as rooms_due};
pub use room_acts::{invitations, opens, posts, proposed, why_no_room};
pub use room_reads::next as rooms_next;
pub use silences::due as silences_due;
pub use sources::{CHARTS, ChartRange, gives_alerts, objectives_of, source_of};
pub use suggest::due as suggest_due;
pub use tickets::{opens as opens_ticket, tracker};
pub use warm::due as warm_due;

use crate::app::effect::Effect;
use crate::app::model::Model;
use crate::app::msg::{Feed, Msg, Reply};
use crate::app::pending::Asked;
use crate::app::present::view::Tone;
use crate::app::screen::Overlay;
use crate::domain::ids::ReqId;
use crate::domain::outward::question::Question;
use crate::domain::resilience::breaker::State;
use crate::domain::time::{Span, Timestamp, compact};

/// Handles one message at an instant. Never blocks, never panics; a spurious `Wake` changes nothing.
pub fn update(model: &mut Model, now: Timestamp, msg: Msg) -> Vec<Effect> {
    let out = match model.replay.is_some() {
        true => replay::update(model, now, msg),
        false => handle(model, now, msg),
    };
    crate::app::present::entries::seek(model);
    out
}

fn handle(model: &mut Model, now: Timestamp, msg: Msg) -> Vec<Effect> {
    let mut out = Vec::new();
    // A key that stays on its screen starts nothing that the next wake would not start: a held key is cheap.
    let here = matches!(msg, Msg::Key(_) | Msg::Painted).then(|| (model.nav.screen().clone(), model.unsaved()));
    match msg {
        Msg::Key(key) => input::key(model, now, key, &mut out),
        Msg::Paste(text) => input::paste(model, now, &text, &mut out),
        Msg::Act(action) => act::act(model, now, action, &mut out),
        Msg::Reply(req, reply) => answered(model, now, req, reply, &mut out),
        Msg::Feed(feed) => fed(model, now, feed, &mut out),
        Msg::Wake => {}
        Msg::Painted => match &mut model.nav.overlay {
            Some(Overlay::Confirm(confirm)) => confirm.painted = true,
            Some(Overlay::RealPage { painted, .. }) => *painted = true,
            _ => {}
        },
        Msg::Resized(columns, rows) => (model.size, model.windowed) = ((columns, rows), true),
        Msg::Focus(focused) => model.focused = focused,
    }
    rehearsal::insist(model);
    if crate::app::present::slos::refresh(model, now) {
        bands::observe(model, now, &mut out);
    }
    let due = model.links.values().any(|l| l.kind.polled() && l.next <= now && l.out.is_empty());
    // What waits for its incident to be on disk leaves no effect and still moves deadlines.
    let same = here.is_some_and(|(screen, unsaved)| screen == *model.nav.screen() && unsaved == model.unsaved());
    if same && out.is_empty() && !due {
        return out;
    }
    exec::disarm_when_over(model, now);
    record::retry(model, now, &mut out);
    timers::ring(model, now, &mut out);
    room::keep(model, now, &mut out);
    annotations::keep(model, now, &mut out);
    room_reads::ask(model, now, &mut out);
    outward::drive(model, now, &mut out);
    silences::tend(model, now, &mut out);
    watch::look(model, now, &mut out);
    sources::poll(model, now, &mut out);
    warm::step(model, now, &mut out);
    sources::charts(model, now, &mut out);
    what_changed::ask(model, now, &mut out);
    coverage::ask(model, now, &mut out);
    past::look(model, now, &mut out);
    suggest::look(model, now, &mut out);
    reload::look(model, now, &mut out);
    out
}

fn answered(model: &mut Model, now: Timestamp, req: ReqId, reply: Reply, out: &mut Vec<Effect>) {
    if let Reply::Command(news) = reply {
        match model.pending.peek(req) {
            Some(Asked::Verify(..)) => watch::told(model, now, req, news, out),
            Some(_) => exec::ended::news(model, now, req, news, out),
            None => {}
        }
        return;
    }
    let Some(asked) = model.pending.take(req) else { return };
    match (asked, reply) {
        (Asked::Run, Reply::Queried(result)) => exec::ended::queried(model, now, req, result, out),
        (Asked::Verify(id, run), Reply::Queried(result)) => watch::queried(model, now, &(id, run), result, out),
        (Asked::Suggest(check), Reply::Queried(result)) => suggest::measured(model, now, &check, result),
        (Asked::Verify(id, run), Reply::Measured(result)) => {
            watch::measured(model, now, &(id, run), result.map(|(m, _)| m), out);
        }
        (Asked::Measure(source), Reply::Measured(result)) => {
            sources::measured(model, now, req, &source, result, out);
        }
        (Asked::Warm(source), Reply::Warmed(result)) => warm::warmed(model, now, &source, result),
        (Asked::Rows(source), Reply::Rows(result)) => rows::came(model, now, req, &source, result),
        (Asked::Sample(incident, moment), Reply::Measured(result)) => {
            incident::sampled(model, now, &incident, &moment, result.map(|(m, _)| m), out);
        }
        (Asked::Signals(source), Reply::Signals(result)) => signals::came(model, req, &source, result),
        (Asked::Crossing, Reply::Saved(events)) => {
            bands::saved(model, req, &events);
            record::calm(model, now);
        }
        (Asked::Crossing, Reply::NotSaved(fault)) => record::not_saved(model, now, &fault, out),
        (Asked::Crossings, Reply::Events(result)) => bands::loaded(model, now, result),
        (Asked::Chart(slo), Reply::Charted(result)) => sources::charted(model, now, slo, result, out),
        (Asked::Marks(source, range), Reply::Marks(result)) => marks::came(model, now, &source, range, result),
        (Asked::Alerts(source), Reply::Alerts(result)) => sources::alerts(model, now, req, &source, result, out),
        (Asked::Rules(source), Reply::Rules(result)) => coverage::answered(model, now, source, result),
        (Asked::Files, Reply::Looked(found)) => reload::looked(model, now, *found, out),
        (Asked::Append(incident), Reply::Saved(events)) => record::saved(model, now, req, &incident, &events, out),
        (Asked::Append(_), Reply::NotSaved(fault)) => record::not_saved(model, now, &fault, out),
        (Asked::Step(op), Reply::Stepped(result)) => outward::stepped(model, now, &op, result, out),
        (Asked::Deliver(op), Reply::Delivered(outcome)) => outward::delivered(model, now, &op, outcome, out),
        (Asked::Deliver(op), Reply::Found(found)) => outward::looked(model, now, &op, found, out),
        (
            Asked::Target(source, question @ (Question::Volunteers(..) | Question::Messages(..))),
            Reply::Told(result),
        ) => {
            room_reads::told(model, now, &source, &question, result, out);
        }
        (
            Asked::Target(source, question @ (Question::Changes(..) | Question::Annotations(..))),
            Reply::Told(result),
        ) => marks::told(model, now, &source, &question, result),
        (Asked::Target(source, Question::Notices), Reply::Told(result)) => publish::told(model, &source, result),
        (Asked::Recent(subject, source), Reply::Told(result)) => {
            what_changed::told(model, now, &subject, &source, result);
        }
        (Asked::Recent(subject, source), Reply::Marks(result)) => {
            what_changed::marked(model, now, &subject, &source, result);
        }
        (Asked::Target(source, question), Reply::Told(result)) => {
            sources::told(model, now, req, (&source, &question), result, out);
        }
        (Asked::Older(incident), Reply::Events(result)) => record::older(model, now, &incident, result),
        (Asked::All(incident), Reply::Events(result)) => draft::made(model, now, &incident, result, out),
        (Asked::Refold(incident), Reply::Events(result)) => record::refolded(model, now, &incident, result, out),
        (Asked::Visit(incident, key), Reply::Events(result)) => past::read(model, now, incident, key, result),
        (Asked::Search(query), Reply::Hits(result)) => past::found(model, query, result),
        (Asked::Similar(incident), Reply::Similar(result)) => past::similar(model, now, incident, result),
        (Asked::Draft(incident), Reply::Draft(result)) => draft::written(model, now, &incident, result, out),
        (Asked::Copy, Reply::Copied(result)) => match result {
            Ok(how) => model.say(now, Tone::Muted, how),
            Err(fault) => model.say(now, Tone::Warn, format!("not copied: {fault}")),
        },
        // An answer of the wrong kind is an engine's mistake; the request counts as unanswered and is asked again later.
        _ => {}
    }
}

fn fed(model: &mut Model, now: Timestamp, feed: Feed, out: &mut Vec<Effect>) {
    match feed {
        Feed::Opened(origin) => {
            model.desk.origin = Some(origin);
            bands::ask(model, out);
        }
        Feed::Loaded(incidents) => record::loaded(model, now, incidents, out),
        Feed::Others(events) => {
            bands::take(model, &events);
            record::others(model, now, &events, out);
        }
        Feed::Outbox(entries) => model.outbox.take(now, entries),
        Feed::Target(facts) => {
            if let Some(target) = model.outbox.targets.get_mut(&facts.name) {
                target.know(*facts, now);
            }
        }
        Feed::Targets(new) => reload::targets(model, now, *new),
        Feed::Sources(new) => reconnect::connected(model, now, *new),
        Feed::StoreFailed(fault) => record::failed(model, now, &fault),
        Feed::Plans(plans) => model.fleet.plan(plans),
        Feed::Objectives(objectives, findings) => {
            model.learn(objectives, findings, now);
            crate::app::present::slos::refresh(model, now);
        }
        // The first time everything is new, and nothing is said of it.
        Feed::Library(runbooks, findings) => drop(reload::library(model, now, runbooks, findings)),
        Feed::Cached(cached) => model.recall(&cached, now),
        Feed::ClockMoved(by) => {
            reclock(model, now, by);
            let sign = if by < crate::domain::time::secs(0) { '-' } else { '+' };
            cockpit(model, now, "clock moved", format!("by {sign}{}", compact(by)), out);
        }
        Feed::Asleep(span) => {
            for link in model.links.values_mut() {
                link.next = now;
            }
            cockpit(model, now, "cockpit asleep", format!("for {}", compact(span)), out);
        }
        Feed::Rehearsal(new) => rehearsal::news(model, now, *new, out),
        Feed::Said(from, text) => model.say(now, Tone::Accent, format!("{from}: {text}")),
    }
}

/// The wall clock was set: lengths of time that were noted as instants of the old clock go on for as long as they would
/// have. Deadlines of incidents stay, they are instants that people agreed on.
fn reclock(model: &mut Model, now: Timestamp, by: Span) {
    let moved = |at: &mut Timestamp| *at = at.checked_add_signed(by).unwrap_or(*at);
    for link in model.links.values_mut() {
        link.next = now;
        moved(&mut link.warming.next);
        link.warming.out.iter_mut().for_each(|(_, since)| moved(since));
        moved(&mut link.next_rows);
        link.since.iter_mut().for_each(moved);
        link.good.iter_mut().for_each(moved);
        link.fault.iter_mut().for_each(|(since, _)| moved(since));
        // A pause that was to end on the old clock may never end on the new one.
        if matches!(link.breaker.state(), State::Open { .. }) {
            link.breaker.try_now();
        }
    }
    model.outbox.reclock(now, by);
    model.rooms.reclock(now, by);
    model.exec.armed_until.iter_mut().for_each(moved);
    for running in &mut model.exec.running {
        moved(&mut running.since);
        moved(&mut running.heard);
    }
    watch::reclock(model, by);
    model.suggested.forget();
    model.fleet.histories.values_mut().for_each(|(at, _)| moved(at));
    model.fleet.marks.values_mut().for_each(|m| moved(&mut m.asked));
    model.fleet.told.values_mut().for_each(|m| moved(&mut m.asked));
    model.cached_at.iter_mut().for_each(moved);
    model.rules.asked.iter_mut().for_each(moved);
    model.reload.next.iter_mut().for_each(moved);
    model.quit_asked = None;
    if let Some((since, _, again)) = &mut model.desk.trouble {
        moved(since);
        *again = now;
    }
}

/// Something about the cockpit itself: told to the person and to the timeline of every open incident.
fn cockpit(model: &mut Model, now: Timestamp, what: &str, detail: String, out: &mut Vec<Effect>) {
    model.say(now, Tone::Warn, format!("{what} {detail}"));
    let open: Vec<_> = model.open_cases().iter().map(|c| c.shown.id.clone()).collect();
    for id in open {
        let body = crate::domain::incident::event::Body::Cockpit { what: what.to_owned(), detail: detail.clone() };
        record::machine(model, now, &id, body, None, out);
    }
}

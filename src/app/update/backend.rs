//! Reading paging products: which questions are due beside the open incidents, and what their answers bring into the
//! record. Bounded: two logs, one incident and the alerts of one incident with every poll.

use crate::app::effect::Effect;
use crate::app::model::Model;
use crate::app::present::view::Tone;
use crate::app::screen::Screen;
use crate::app::update::{outward, paging, record};
use crate::app::{backend, model};
use crate::domain::fault::Fault;
use crate::domain::ids::{IncidentId, SourceName};
use crate::domain::incident::event::{Body, NewEvent};
use crate::domain::incident::linked::{BackendLine, BackendLink};
use crate::domain::outward::backend::{BackendIncident, BackendStatus, BackendWrite, LogEntry};
use crate::domain::outward::capability::Capability;
use crate::domain::outward::intent::Intent;
use crate::domain::outward::question::{Answer, Question};
use crate::domain::time::{Span, Timestamp, clock};
use std::collections::BTreeSet;

/// How long the log of an incident is read after ours is over.
const AFTER: Span = Span::minutes(15);
/// How often priorities are read.
const PRIORITIES_EVERY: Span = Span::hours(1);
/// How often an incident that is not among the open ones is looked at again.
const GONE_EVERY: Span = Span::minutes(1);
/// Lines of a log may arrive late: so much before the newest one is asked for again.
const OVERLAP: Span = Span::minutes(2);
/// How long before an acknowledgement ends a person is told.
const ACK_ENDS: Span = Span::minutes(5);

/// A linked incident whose log is read.
struct Watched {
    page: String,
    newest: Option<Timestamp>,
    in_view: bool,
}

fn watched(model: &Model, now: Timestamp, name: &SourceName) -> Vec<Watched> {
    let view = match model.nav.screen() {
        Screen::Incident(id) | Screen::Walk(Some(id), _) => Some(id),
        _ => None,
    };
    let alive = |case: &&model::Case| {
        case.shown.is_open() || case.shown.times.resolved.is_some_and(|at| now - at < AFTER && at <= now)
    };
    let mut all = Vec::new();
    for case in model.desk.cases.values().filter(alive) {
        for linked in case.shown.pages.iter().filter(|linked| linked.link.target == *name) {
            all.push(Watched {
                page: linked.link.page.clone(),
                newest: linked.newest,
                in_view: view == Some(&case.shown.id),
            });
        }
    }
    all
}

/// The questions of one poll beside the open incidents and who is on call.
pub fn questions(model: &mut Model, now: Timestamp, name: &SourceName) -> Vec<Question> {
    let watched = watched(model, now, name);
    let Some(target) = model.outbox.targets.get_mut(name) else { return Vec::new() };
    let can = |capability| target.facts.caps.class(capability).is_some();
    let (log, alerts, priorities) =
        (can(Capability::ReadLog), can(Capability::ReadAlerts), can(Capability::ReadPriorities));
    let young = |at: Timestamp, age: Span| at <= now && now - at < age;
    let mut questions = Vec::new();
    if target.incidents.is_some() {
        let lost = watched.iter().find(|w| {
            let open = target.open_incidents().iter().any(|i| i.id == w.page);
            let known = target.readings.gone.get(&w.page);
            !open && known.is_none_or(|(at, i)| i.status != BackendStatus::Resolved && !young(*at, GONE_EVERY))
        });
        questions.extend(lost.map(|w| Question::Incident(w.page.clone())));
        let unread = target.open_incidents().iter().filter(|i| alerts && !target.readings.alerts.contains_key(&i.id));
        // The newest first: that is what somebody is about to declare from.
        let unread = unread.max_by_key(|i| i.created_at);
        questions.extend(unread.map(|i| Question::Alerts(i.id.clone())));
    }
    if log {
        // What is looked at comes every time, the others in turn.
        let asked = |w: &&Watched| target.readings.logs.get(&w.page).copied();
        let mut due: Vec<(String, Option<Timestamp>)> = Vec::new();
        for next in [
            watched.iter().filter(|w| w.in_view).min_by_key(asked),
            watched.iter().filter(|w| !w.in_view).min_by_key(asked),
        ] {
            due.extend(next.map(|w| (w.page.clone(), w.newest)));
        }
        for (page, newest) in due {
            target.readings.logs.insert(page.clone(), now);
            questions.push(Question::Log(page, newest.map(|at| at - OVERLAP)));
        }
    }
    if priorities && target.readings.priorities.as_ref().is_none_or(|(at, _)| !young(*at, PRIORITIES_EVERY)) {
        questions.push(Question::Priorities);
    }
    questions
}

/// A question had no answer; one that would be asked first for ever is taken as answered with nothing.
pub fn unanswered(model: &mut Model, now: Timestamp, name: &SourceName, question: &Question, fault: &Fault) {
    let Some(target) = model.outbox.targets.get_mut(name) else { return };
    match question {
        Question::Alerts(page) => drop(target.readings.alerts.insert(page.clone(), Vec::new())),
        Question::Priorities => target.readings.priorities = Some((now, Vec::new())),
        Question::OnCall(None) => target.readings.on_call_fault = Some((now, fault.clone())),
        _ => {}
    }
}

/// A target answered.
pub fn told(
    model: &mut Model,
    now: Timestamp,
    name: &SourceName,
    question: &Question,
    answer: Answer,
    out: &mut Vec<Effect>,
) {
    let Some(target) = model.outbox.targets.get_mut(name) else { return };
    match (question, answer) {
        (_, Answer::Incidents(open)) => {
            let ids: BTreeSet<&str> = open.iter().map(|i| i.id.as_str()).collect();
            target.readings.alerts.retain(|id, _| ids.contains(id.as_str()));
            target.readings.gone.retain(|id, _| !ids.contains(id.as_str()));
            target.incidents = Some((now, open));
            link_by_key(model, now, name, out);
            changed(model, now, name, out);
            warn(model, now, name, out);
        }
        (Question::Incident(page), Answer::Incident(there)) => {
            target.readings.gone.insert(page.clone(), (now, *there));
            changed(model, now, name, out);
        }
        (Question::Alerts(page), Answer::Alerts(alerts)) => drop(target.readings.alerts.insert(page.clone(), alerts)),
        (Question::Log(page, _), Answer::Log(log)) => logged(model, now, name, page, &log, out),
        (Question::OnCall(None), Answer::OnCall(people)) => {
            target.on_call = Some((now, people));
            target.readings.on_call_fault = None;
        }
        (Question::OnCall(Some(service)), Answer::OnCall(people)) => {
            target.readings.on_call.insert(service.clone(), (now, people));
            paging::refresh(model, now);
        }
        (Question::Priorities, Answer::Priorities(list)) => target.readings.priorities = Some((now, list)),
        _ => {}
    }
}

/// What an alarm of ours opened there is linked by its key.
fn link_by_key(model: &mut Model, now: Timestamp, name: &SourceName, out: &mut Vec<Effect>) {
    let mut found: Vec<(IncidentId, BackendLink)> = Vec::new();
    for case in model.open_cases() {
        let key = paging::key(model, &case.shown.id);
        let Some(target) = model.outbox.targets.get(name) else { return };
        let same = |i: &&BackendIncident| i.key.as_ref() == Some(&key) && case.shown.page(name, &i.id).is_none();
        let there = target.open_incidents().iter().filter(same);
        found.extend(there.map(|i| (case.shown.id.clone(), BackendLink::to(name, i, "paged from here"))));
    }
    for (id, link) in found {
        let once = Some(format!("link:{}:{}", link.target, link.page));
        record::machine(model, now, &id, Body::BackendLinked(Box::new(link)), once, out);
    }
}

/// Where a product has no log, what changed between two readings is its line.
fn changed(model: &mut Model, now: Timestamp, name: &SourceName, out: &mut Vec<Effect>) {
    let Some(target) = model.outbox.targets.get(name) else { return };
    if target.facts.caps.class(Capability::ReadLog).is_some() {
        return;
    }
    let mut lines = Vec::new();
    for case in model.desk.cases.values() {
        for linked in case.shown.pages.iter().filter(|linked| linked.link.target == *name) {
            let Some(there) = target.seen(&linked.link.page).filter(|there| there.status != linked.status) else {
                continue;
            };
            let action = match &there.status {
                BackendStatus::Triggered => "trigger",
                BackendStatus::Acknowledged => "acknowledge",
                BackendStatus::Resolved => "resolve",
                BackendStatus::Other(word) => word,
            };
            let at = there.updated_at.filter(|at| *at <= now && *at > linked.since).unwrap_or(now);
            // A word that we do not know never becomes the status here: it is told once, not with every reading.
            let stamp = match &there.status {
                BackendStatus::Other(_) => there.updated_at.unwrap_or(linked.since),
                _ => at,
            };
            let id = format!("{action}@{}", stamp.timestamp_millis());
            if linked.lines.contains(&id) {
                continue;
            }
            let by = there.acknowledged_by.last().map(|(party, _)| party.name.clone());
            let who = by.as_ref().filter(|_| action == "acknowledge").map(|by| format!(" by {by}")).unwrap_or_default();
            let entry = LogEntry {
                id,
                at,
                kind: action.to_owned(),
                actor: by,
                actor_id: None,
                by_itself: false,
                text: format!("{}{who}", there.status.word()),
            };
            lines.push((case.shown.id.clone(), linked.link.clone(), entry));
        }
    }
    for (id, link, entry) in lines {
        append(model, now, &id, &link, &[entry], out);
    }
}

/// Lines of a log go to the timelines of the incidents that it belongs to, each once.
fn logged(model: &mut Model, now: Timestamp, name: &SourceName, page: &str, log: &[LogEntry], out: &mut Vec<Effect>) {
    let linked = |case: &model::Case| {
        let linked = case.shown.page(name, page)?;
        Some((case.shown.id.clone(), linked.link.clone(), linked.lines.clone()))
    };
    let cases: Vec<(IncidentId, BackendLink, BTreeSet<String>)> =
        model.desk.cases.values().filter_map(linked).collect();
    for (id, link, known) in cases {
        // A note of ours came from the timeline.
        let new = log.iter().filter(|entry| !known.contains(&entry.id) && !entry.text.contains("[mw:"));
        let new: Vec<LogEntry> = new.cloned().collect();
        append(model, now, &id, &link, &new, out);
    }
}

fn append(
    model: &mut Model,
    now: Timestamp,
    id: &IncidentId,
    link: &BackendLink,
    log: &[LogEntry],
    out: &mut Vec<Effect>,
) {
    if model.setup.read_only || log.is_empty() || !model.desk.loaded {
        return;
    }
    let event = |entry: &LogEntry| NewEvent {
        incident: id.clone(),
        // Their clock may be ahead of ours; what has not happened yet happens now.
        at: entry.at.min(now),
        recorded_at: now,
        actor: "midwatch".into(),
        body: Body::BackendLogged(Box::new(BackendLine::of(link, entry))),
        once: Some(format!("log:{}:{}:{}", link.target, link.page, entry.id)),
    };
    let events = log.iter().map(event).collect();
    record::append(model, id, events, out);
}

/// The incidents there that somebody here has: linked to an open one, or acknowledged from here.
fn ours(model: &Model, name: &SourceName) -> BTreeSet<String> {
    let linked = model.open_cases().into_iter().flat_map(|case| &case.shown.pages);
    let linked = linked.filter(|linked| linked.link.target == *name).map(|linked| linked.link.page.clone());
    let acknowledged = model.outbox.entries.values().filter_map(|entry| match &entry.op.intent {
        Intent::Backend(BackendWrite::Acknowledge { incident }) if entry.op.target == *name => Some(incident.clone()),
        _ => None,
    });
    linked.chain(acknowledged).collect()
}

/// An acknowledgement of ours that is about to end is told once.
fn warn(model: &mut Model, now: Timestamp, name: &SourceName, out: &mut Vec<Effect>) {
    let ours = ours(model, name);
    let Some(target) = model.outbox.targets.get_mut(name) else { return };
    let mut ends = Vec::new();
    for there in target.incidents.iter().flat_map(|(_, open)| open).filter(|there| ours.contains(&there.id)) {
        let end = there.pending.iter().find(|p| p.action == "unacknowledge").map(|p| p.at);
        let Some(at) = end.filter(|at| *at > now && *at - now <= ACK_ENDS) else { continue };
        if target.readings.warned.insert((there.id.clone(), at)) {
            ends.push((there.number.clone().unwrap_or_else(|| there.id.clone()), at));
        }
    }
    for (number, at) in &ends {
        let words = format!("the acknowledgement of {name} {number} ends at {}: it will page again", clock(*at));
        model.say(now, Tone::Warn, words);
    }
    if !ends.is_empty() && model.setup.bell {
        out.push(Effect::Bell);
    }
}

/// What an acknowledgement or a resolution of ours does to the incidents there, and why it does nothing to some. What
/// somebody has there is left to them.
pub fn tell(model: &Model, now: Timestamp, id: &IncidentId, resolution: Option<&str>) -> (Vec<Body>, Vec<String>) {
    let (mut bodies, mut words) = (Vec::new(), Vec::new());
    let Some(case) = model.desk.cases.get(id) else { return (bodies, words) };
    for linked in &case.shown.pages {
        let (name, incident) = (&linked.link.target, linked.link.page.clone());
        let there = model.outbox.targets.get(name).and_then(|target| target.seen(&incident));
        let status = there.map_or(&linked.status, |there| &there.status);
        let write = match (resolution, status) {
            (_, BackendStatus::Resolved) => continue,
            (None, BackendStatus::Acknowledged) => {
                let by = there.and_then(|there| Some(there.acknowledged_by.last()?.0.name.clone()));
                words.push(format!("{} is acknowledged there{}", linked.link.name(), by_words(by)));
                continue;
            }
            (None, _) => BackendWrite::Acknowledge { incident },
            (Some(text), _) => BackendWrite::Resolve { incident, resolution: Some(text.to_owned()) },
        };
        let expected = there.map(backend::expected).unwrap_or_default();
        match outward::outgoing(model, now, name, Intent::Backend(write), expected) {
            Ok(body) => bodies.push(body),
            Err(refusal) => words.push(refusal.0),
        }
    }
    (bodies, words)
}

fn by_words(by: Option<String>) -> String {
    by.map(|by| format!(" by {by}")).unwrap_or_default()
}

/// Acknowledges an incident there that belongs to none of ours: for a page that is not worth an incident.
pub fn acknowledge(
    model: &mut Model,
    now: Timestamp,
    name: &SourceName,
    page: &str,
    out: &mut Vec<Effect>,
) -> Result<(), String> {
    let there = model.outbox.targets.get(name).and_then(|target| target.seen(page)).ok_or("it is gone")?;
    if there.status != BackendStatus::Triggered {
        let by = there.acknowledged_by.last().map(|(party, _)| party.name.clone());
        return Err(format!("it is {} there{}; X acts on it", there.status.word(), by_words(by)));
    }
    let (expected, intent) =
        (backend::expected(there), Intent::Backend(BackendWrite::Acknowledge { incident: page.to_owned() }));
    let log = IncidentId(crate::domain::incident::event::OUTWARD_LOG.to_owned());
    outward::queue(model, now, &log, name, intent, expected, None, out).map_err(|refusal| refusal.0)
}

/// How long ago the people on call for a service may have been read to be shown without asking again.
const FRESH_ON_CALL: Span = Span::minutes(2);

/// Asks who is on call for a service, where a target knows that and it was not read lately.
pub fn ask_on_call(model: &mut Model, now: Timestamp, service: &str, out: &mut Vec<Effect>) {
    let names: Vec<SourceName> = model.outbox.able(Capability::ReadOnCall).map(|t| t.facts.name.clone()).collect();
    for name in names {
        let known = model.outbox.targets.get(&name).and_then(|t| t.readings.on_call.get(service));
        if known.is_some_and(|(at, _)| *at <= now && now - *at < FRESH_ON_CALL) {
            continue;
        }
        let question = Question::OnCall(Some(service.to_owned()));
        let asked = crate::app::pending::Asked::Target(name.clone(), question.clone());
        if !model.pending.any(|known| *known == asked) {
            let req = model.pending.ask(asked);
            out.push(Effect::AskTarget { req, target: name, question });
        }
    }
}

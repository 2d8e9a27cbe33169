//! Asking the sources: when, what, and what becomes of the answers. One poll of a source never overlaps the next.

use crate::app::cache::Cached;
use crate::app::effect::Effect;
use crate::app::health::LinkKind;
use crate::app::model::Model;
use crate::app::pending::Asked;
use crate::app::present::view::Tone;
use crate::app::recent::Subject;
use crate::app::screen::Screen;
use crate::app::update::{backend, draft, marks, record, rows, signals};
use crate::domain::alert::{Alert, AlertChange, AlertSnapshot, annotation, changes};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::ids::{Fingerprint, ReqId, SloId, SourceName};
use crate::domain::incident::event::Body;
use crate::domain::outward::capability::Capability;
use crate::domain::outward::question::{Answer, Question};
use crate::domain::resilience::breaker::Permit;
use crate::domain::resilience::retry::Retry;
use crate::domain::server_note::ServerNote;
use crate::domain::slo::objective::{Objective, Sli};
use crate::domain::slo::reading::{History, Measurement, Reading, Window};
use crate::domain::time::{Span, Timestamp, mins, secs};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A range of the burn chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChartRange {
    /// What it is called: `6h`.
    pub name: &'static str,
    /// The window whose burn rate is drawn where the source is asked.
    pub window: Window,
    /// Its length in seconds.
    pub seconds: i64,
    /// Distance of two points in seconds.
    pub step_seconds: i64,
    /// Drawn from slices where they are known: asking for it would cost the source a scan of the whole range.
    pub long: bool,
}

impl ChartRange {
    const fn of(name: &'static str, window: Window, seconds: i64, step_seconds: i64, long: bool) -> Self {
        Self { name, window, seconds, step_seconds, long }
    }

    /// Its length.
    pub fn range(&self) -> Span {
        secs(self.seconds)
    }

    /// Distance of two points.
    pub fn step(&self) -> Span {
        secs(self.step_seconds)
    }
}

/// Ranges chosen with `w` on a chart, the first one at first.
pub const CHARTS: [ChartRange; 5] = [
    ChartRange::of("6h", Window::H1, 6 * 3600, 300, false),
    ChartRange::of("1d", Window::H1, 24 * 3600, 1200, false),
    ChartRange::of("3d", Window::H6, 3 * 86_400, 3600, true),
    ChartRange::of("30d", Window::D1, 30 * 86_400, 6 * 3600, true),
    ChartRange::of("1h", Window::M5, 3600, 60, false),
];

/// Asks every source that is due and may be asked.
pub fn poll(model: &mut Model, now: Timestamp, out: &mut Vec<Effect>) {
    let names: Vec<SourceName> = model.links.keys().cloned().collect();
    for name in names {
        let objectives = objectives_of(model, &name);
        let Some(link) = model.links.get_mut(&name) else { continue };
        if link.next > now || !link.out.is_empty() || !link.kind.polled() {
            continue;
        }
        if model.fleet.reading && matches!(link.kind, LinkKind::Prometheus { .. }) {
            continue;
        }
        match link.breaker.permit(now) {
            Permit::Go => {}
            Permit::NotBefore(until) => {
                link.next = until.max(now + secs(1));
                continue;
            }
            Permit::AskPerson => {
                link.next = now + link.interval;
                continue;
            }
        }
        link.next = now + link.pause();
        link.since = Some(now);
        let (kind, closed) = (link.kind, link.breaker.is_closed());
        let mut asked = Vec::new();
        if let LinkKind::Target { .. } = kind {
            asked = ask_target(model, now, &name, out);
        }
        if matches!(kind, LinkKind::Prometheus { .. }) {
            let req = model.pending.ask(Asked::Measure(name.clone()));
            asked.push(req);
            out.push(Effect::Measure { req, source: name.clone(), objectives, windows: Vec::new() });
            asked.extend(rows::ask(model, now, &name, out));
            asked.extend(signals::ask(model, &name, out));
        }
        if matches!(kind, LinkKind::Alertmanager { .. }) || (closed && gives_alerts(kind)) {
            let req = model.pending.ask(Asked::Alerts(name.clone()));
            asked.push(req);
            out.push(Effect::Alerts { req, source: name.clone() });
        }
        if matches!(kind, LinkKind::Alertmanager { .. }) {
            asked.extend(ask_silences(model, &name, out));
        }
        if let Some(link) = model.links.get_mut(&name) {
            link.out = asked;
        }
    }
}

/// How often it is asked who is on call.
const ON_CALL_EVERY: Span = Span::minutes(5);

/// Open incidents at every poll; now and then who is on call.
fn ask_target(model: &mut Model, now: Timestamp, name: &SourceName, out: &mut Vec<Effect>) -> Vec<ReqId> {
    let Some(target) = model.outbox.targets.get(name) else { return Vec::new() };
    let mut questions = vec![Question::Incidents];
    let asked = [target.on_call.as_ref().map(|(at, _)| *at), target.readings.on_call_fault.as_ref().map(|(at, _)| *at)];
    let old = asked.into_iter().flatten().max().is_none_or(|at| at > now || now - at >= ON_CALL_EVERY);
    if old && target.facts.caps.class(Capability::ReadOnCall).is_some() {
        questions.push(Question::OnCall(None));
    }
    questions.extend(backend::questions(model, now, name));
    let mut asked = Vec::new();
    for question in questions {
        let req = model.pending.ask(Asked::Target(name.clone(), question.clone()));
        asked.push(req);
        out.push(Effect::AskTarget { req, target: name.clone(), question });
    }
    asked
}

/// The silences of an Alertmanager, at every poll of its alerts.
fn ask_silences(model: &mut Model, name: &SourceName, out: &mut Vec<Effect>) -> Option<ReqId> {
    let target = model.outbox.targets.get(name)?;
    target.facts.caps.class(Capability::ReadSilences)?;
    let (target, question) = (name.clone(), Question::Silences);
    let req = model.pending.ask(Asked::Target(target.clone(), question.clone()));
    out.push(Effect::AskTarget { req, target, question });
    Some(req)
}

/// A target answered a question, or did not.
pub fn told(
    model: &mut Model,
    now: Timestamp,
    req: ReqId,
    (source, question): (&SourceName, &Question),
    result: Result<Answer, Fault>,
    out: &mut Vec<Effect>,
) {
    finished(model, now, req, source);
    let answer = match result {
        Ok(answer) => answer,
        Err(fault) => {
            // The token is one: what may not read may not write either, before a person acts.
            if fault.kind == FaultKind::Auth
                && let Some(target) = model.outbox.targets.get_mut(source)
            {
                target.failed(now, fault.clone());
            }
            if *question == Question::Incidents {
                down(model, now, source, fault);
            } else {
                tracing::warn!(source = %source, %fault, "a question to a target");
                backend::unanswered(model, now, source, question, &fault);
            }
            return;
        }
    };
    if let Some(link) = model.links.get_mut(source).filter(|_| *question == Question::Incidents) {
        link.succeeded(now);
    }
    if let Answer::Silences(silences) = answer {
        let Some(target) = model.outbox.targets.get_mut(source) else { return };
        // What is over is not told twice, and is forgotten here too.
        let there: Vec<&str> = silences.iter().map(|s| s.id.as_str()).collect();
        let gone = |(name, id, _): &(SourceName, String, Timestamp)| name != source || there.contains(&id.as_str());
        model.outbox.kept.retain(gone);
        model.outbox.warned.retain(gone);
        target.silences = Some((now, silences));
        return;
    }
    backend::told(model, now, source, question, answer, out);
}

/// The objectives that a source measures: those that name it, and those without a name when it is the first Prometheus.
pub fn objectives_of(model: &Model, source: &SourceName) -> Vec<Arc<Objective>> {
    let first = model.links.values().find(|l| matches!(l.kind, LinkKind::Prometheus { .. })).map(|l| &l.name);
    let ours = |o: &&Arc<Objective>| match &o.source {
        Some(named) => named == source,
        None => first == Some(source),
    };
    model.fleet.objectives.iter().filter(ours).cloned().collect()
}

/// The Prometheus that is asked when nothing names one.
pub fn first(model: &Model) -> Option<SourceName> {
    model.links.values().find(|l| matches!(l.kind, LinkKind::Prometheus { .. })).map(|l| l.name.clone())
}

/// The source of an objective.
pub fn source_of(model: &Model, objective: &Objective) -> Option<SourceName> {
    let first = model.links.values().find(|l| matches!(l.kind, LinkKind::Prometheus { .. })).map(|l| l.name.clone());
    objective.source.clone().filter(|s| model.links.contains_key(s)).or(first)
}

/// An answer is no longer out; after the last of a poll it is known how long it took.
pub fn finished(model: &mut Model, now: Timestamp, req: ReqId, source: &SourceName) {
    if let Some(link) = model.links.get_mut(source) {
        link.out.retain(|r| *r != req);
        if link.out.is_empty()
            && let Some(since) = link.since
        {
            link.took = Some(now - since);
        }
    }
}

/// Objectives were measured, or could not be.
pub fn measured(
    model: &mut Model,
    now: Timestamp,
    req: ReqId,
    source: &SourceName,
    result: Result<(Vec<Measurement>, ServerNote), Fault>,
    out: &mut Vec<Effect>,
) {
    finished(model, now, req, source);
    let Some(link) = model.links.get_mut(source) else { return };
    match result {
        Ok((measurements, note)) => {
            link.succeeded(now);
            let version = note.version.clone().or_else(|| link.note.version.clone());
            link.note = ServerNote { version, ..note };
            link.cost_of_poll(now);
            // A gap that is longer than a poll reads, after a sleep say, is history to be read; so is the hour in which a
            // window begins by now.
            if measurements.iter().any(|m| m.edges > 0 || m.read.is_some_and(|read| read < 1.0)) {
                link.left = link.left.filter(|left| *left > 0);
            }
            for new in measurements {
                merge(&mut model.fleet.measured, new);
            }
            model.fleet.assessed = None;
            keep(model, now, out);
        }
        Err(fault) => down(model, now, source, fault),
    }
}

fn merge(measured: &mut BTreeMap<SloId, Measurement>, mut new: Measurement) {
    let wrong = |r: &Reading| matches!(r, Reading::Error(_) | Reading::Odd(_));
    new.trouble = new.windows.values().map(|(_, r)| r).find(|r| wrong(r)).cloned();
    match measured.get_mut(&new.slo) {
        None => drop(measured.insert(new.slo.clone(), new)),
        Some(old) => {
            for (window, (at, reading)) in new.windows {
                // What failed, and what cannot be, does not wipe out the last good number: its age tells.
                let had = old.windows.get(&window).is_some_and(|(_, r)| r.is_known());
                if !(wrong(&reading) && had) {
                    old.windows.insert(window, (at, reading));
                }
            }
            old.coverage = new.coverage.or(old.coverage);
            old.read = new.read;
            old.edges = new.edges;
            old.via = new.via;
            old.slices = new.slices.or_else(|| old.slices.take());
            old.recorded = new.recorded;
            old.trouble = new.trouble;
            old.partial = new.partial;
            old.warnings = new.warnings;
        }
    }
}

fn down(model: &mut Model, now: Timestamp, source: &SourceName, fault: Fault) {
    let Some(link) = model.links.get_mut(source) else { return };
    let fresh = link.fault.is_none();
    let words = fault.to_string();
    link.failed(now, fault.clone());
    // What was warming up is not any more.
    model.fleet.assessed = None;
    // The first failures in a row are tried again soon, while the breaker is closed; after that it is the interval's and
    // the breaker's turn.
    if let Some(delay) = Retry::default().delay(link.tries, &fault, link.breaker.is_closed(), link.seed) {
        link.next = link.next.min(now + delay.max(Span::milliseconds(50)));
    }
    if fresh {
        // Rows that were never read say from now on why.
        model.fleet.assessed = None;
        model.say(now, Tone::Warn, words);
    }
}

/// Alerts came, or did not. What changed since the last poll goes to the timeline of the incident it is linked to.
pub fn alerts(
    model: &mut Model,
    now: Timestamp,
    req: ReqId,
    source: &SourceName,
    result: Result<AlertSnapshot, Fault>,
    out: &mut Vec<Effect>,
) {
    finished(model, now, req, source);
    let snapshot = match result {
        Ok(snapshot) => snapshot,
        Err(fault) => {
            match model.links.get_mut(source).filter(|l| matches!(l.kind, LinkKind::Prometheus { .. })) {
                // It may answer queries all the same: that it tells no alerts is known by itself, and a good poll does not
                // hide it.
                Some(link) => {
                    let words = format!("alerts: {fault}");
                    let fresh = link.peer_faults.is_empty();
                    link.peer_faults = vec![words.clone()];
                    if fresh {
                        model.say(now, Tone::Warn, words);
                    }
                }
                None => down(model, now, source, fault),
            }
            return;
        }
    };
    if let Some(link) = model.links.get_mut(source) {
        if matches!(link.kind, LinkKind::Alertmanager { .. }) {
            link.succeeded(now);
            link.answered = Some((snapshot.answered, snapshot.peers));
            link.peer_faults = snapshot.faults;
        } else {
            link.peer_faults.clear();
        }
        if snapshot.version.is_some() {
            link.note.version = snapshot.version;
        }
    }
    // With a peer missing, an alert that is not in the answer may live on the missing one: nothing is said to have ended.
    let whole = snapshot.answered >= snapshot.peers;
    let before = model.alerts.by_source.remove(source).unwrap_or_default();
    let known = model.alerts.seen.insert(source.clone(), now).is_some();
    let mut after = snapshot.alerts;
    // In a storm most changes are nobody's: only what is told is kept of them.
    let linked: BTreeSet<&Fingerprint> = model.open_cases().into_iter().flat_map(|c| c.shown.alerts.keys()).collect();
    let mut told: Vec<(Fingerprint, &'static str, Option<String>)> = Vec::new();
    for change in changes(&before, &after) {
        let (alert, to, fired) = match change {
            AlertChange::Fired(alert) => (alert, alert.state.word(), true),
            AlertChange::Ended(_) if !whole => continue,
            AlertChange::Ended(alert) => (alert, "ended", false),
            AlertChange::StateChanged(alert, _) => (alert, alert.state.word(), false),
        };
        let page = (fired && known && alert.pages()).then(|| format!("PAGE {} {}", alert.name, alert.service()));
        if page.is_some() || linked.contains(&alert.fingerprint) {
            told.push((alert.fingerprint.clone(), to, page));
        }
    }
    let reworded = reworded(&linked, &before, &after);
    if !whole {
        let here: std::collections::HashSet<_> = after.iter().map(|a| a.fingerprint.clone()).collect();
        after.extend(before.into_iter().filter(|a| !here.contains(&a.fingerprint)));
    }
    model.alerts.by_source.insert(source.clone(), after);
    model.alerts.arrange(&model.library);
    for (fingerprint, to, page) in told {
        if let Some(page) = page {
            model.say(now, Tone::Crit, page);
            if model.setup.bell {
                out.push(Effect::Bell);
            }
        }
        alert_event(model, now, &fingerprint, to, out);
    }
    for (fingerprint, annotation, text) in reworded {
        annotated(model, now, &fingerprint, annotation, &text, out);
    }
    settle_linked(model, now, whole, out);
    keep(model, now, out);
}

/// The state of a linked alert whose source was exchanged for one that leads elsewhere.
pub const UNKNOWN: &str = "unknown";
/// The most changes of one alert's annotations that a timeline is told; a template that never stops changing says nothing.
const REWORDED: u32 = 10;

/// The annotations of linked alerts that say something else than at the last poll.
fn reworded(
    linked: &BTreeSet<&Fingerprint>,
    before: &[Alert],
    after: &[Alert],
) -> Vec<(Fingerprint, &'static str, String)> {
    let ours = |a: &&Alert| linked.contains(&a.fingerprint);
    let was: BTreeMap<&Fingerprint, &Alert> = before.iter().filter(ours).map(|a| (&a.fingerprint, a)).collect();
    let pairs = after.iter().filter(ours).filter_map(|is| Some((*was.get(&is.fingerprint)?, is)));
    let told = |(was, is): (&Alert, &Alert)| {
        let changed = annotation::changed(&was.annotations, &is.annotations);
        changed.into_iter().map(|(name, text)| (is.fingerprint.clone(), name, text)).collect::<Vec<_>>()
    };
    pairs.flat_map(told).collect()
}

/// Each text of an annotation is told once, however often it comes and goes and however many cockpits see it.
fn annotated(model: &mut Model, now: Timestamp, of: &Fingerprint, named: &str, text: &str, out: &mut Vec<Effect>) {
    let linked: Vec<_> = model
        .open_cases()
        .iter()
        .filter_map(|c| c.shown.alerts.get(of).map(|a| (c.shown.id.clone(), a.name.clone(), a.reworded)))
        .filter(|(.., times)| *times < REWORDED)
        .collect();
    for (id, name, _) in linked {
        let once = Some(format!("annotation:{of}:{named}:{}", annotation::mark(text)));
        let (annotation, text) = (named.to_owned(), text.to_owned());
        let body = Body::AlertAnnotated { fingerprint: of.clone(), name, annotation, text };
        record::machine(model, now, &id, body, once, out);
    }
}

/// Linked alerts that ended while no cockpit ran are told now, once every source has answered in full.
fn settle_linked(model: &mut Model, now: Timestamp, whole: bool, out: &mut Vec<Effect>) {
    let every = model.links.values().filter(|l| gives_alerts(l.kind)).all(|l| model.alerts.seen.contains_key(&l.name));
    if !whole || !every {
        return;
    }
    let gone: Vec<_> = model
        .open_cases()
        .iter()
        .flat_map(|c| c.shown.alerts.iter())
        // One whose source was exchanged is not known to have ended because the new source does not have it.
        .filter(|(fp, a)| !matches!(a.state.as_str(), "ended" | UNKNOWN) && model.alerts.get(fp).is_none())
        .map(|(fp, _)| fp.clone())
        .collect();
    for fingerprint in gone {
        alert_event(model, now, &fingerprint, "ended", out);
    }
}

/// Whether a source tells alerts.
pub fn gives_alerts(kind: LinkKind) -> bool {
    matches!(kind, LinkKind::Prometheus { alerts: true } | LinkKind::Alertmanager { .. })
}

/// An alert that is linked to open incidents is in another state: told once.
pub fn alert_event(model: &mut Model, now: Timestamp, fingerprint: &Fingerprint, to: &str, out: &mut Vec<Effect>) {
    let linked: Vec<_> = model
        .open_cases()
        .iter()
        .filter_map(|c| c.shown.alerts.get(fingerprint).map(|a| (c.shown.id.clone(), a.clone())))
        .filter(|(_, a)| a.state != to)
        .collect();
    for (id, alert) in linked {
        let once = Some(format!("alert:{fingerprint}:{}:{to}", alert.changes));
        let body = Body::AlertChanged { fingerprint: fingerprint.clone(), name: alert.name, to: to.to_owned() };
        record::machine(model, now, &id, body, once, out);
    }
}

/// Reads the history of the charts that are looked at, and of those that a draft needs.
pub fn charts(model: &mut Model, now: Timestamp, out: &mut Vec<Effect>) {
    let wanted: Vec<SloId> = match model.nav.screen() {
        Screen::Slo(id) | Screen::WhatChanged(Subject::Slo(id)) => vec![id.clone()],
        Screen::Overview | Screen::Slos if model.size.0 >= 120 => {
            let many = if model.size.0 >= 160 && model.size.1 >= 50 { 4 } else { 1 };
            crate::app::present::slos::chart_ids(model, many)
        }
        Screen::Incident(id)
        | Screen::Postmortem(id)
        | Screen::Walk(Some(id), _)
        | Screen::WhatChanged(Subject::Incident(id)) => {
            model.desk.cases.get(id).map(|c| c.shown.objectives.iter().cloned().collect()).unwrap_or_default()
        }
        _ => Vec::new(),
    };
    for id in wanted {
        chart(model, now, &id, mins(1), out);
        let source = model.fleet.objective(&id).and_then(|o| source_of(model, o));
        if let Some(source) = source {
            marks::ask(model, now, &source, shown(model, &id).range(), out);
            marks::ask_targets(model, now, shown(model, &id).range(), out);
        }
    }
}

/// The range of an objective's chart: the chosen one on its own screen, the first elsewhere.
fn shown(model: &Model, id: &SloId) -> ChartRange {
    let chosen = match model.nav.screen() {
        Screen::Slo(shown) if shown == id => model.nav.spot().window,
        _ => 0,
    };
    CHARTS.get(chosen % CHARTS.len()).copied().unwrap_or(CHARTS[0])
}

/// Asks for a history unless it is younger than `age` or on its way.
pub fn chart(model: &mut Model, now: Timestamp, id: &SloId, age: Span, out: &mut Vec<Effect>) {
    let young = model.fleet.histories.get(id).is_some_and(|(at, _)| *at + age > now);
    if young || model.pending.any(|a| *a == Asked::Chart(id.clone())) {
        return;
    }
    let Some(objective) = model.fleet.objective(id).cloned() else { return };
    if matches!(objective.sli, Sli::Composite(_)) {
        return;
    }
    let Some(source) = source_of(model, &objective) else { return };
    if !model.links.get(&source).is_some_and(|l| l.breaker.is_closed() && l.good.is_some()) {
        return;
    }
    let range = shown(model, id);
    if crate::app::present::charts::from_slices(model, id, &range) {
        return;
    }
    let req = model.pending.ask(Asked::Chart(id.clone()));
    let windows = vec![range.window];
    out.push(Effect::Chart { req, source, objective, windows, range: range.range(), step: range.step() });
}

/// A history came, or did not.
pub fn charted(model: &mut Model, now: Timestamp, slo: SloId, result: Result<History, Fault>, out: &mut Vec<Effect>) {
    match result {
        Ok(history) => {
            model.fleet.history_faults.remove(&slo);
            model.fleet.histories.insert(slo.clone(), (now, history));
            let drafts: Vec<_> = model.desk.drafts.keys().cloned().collect();
            for id in drafts {
                let linked =
                    model.desk.cases.get(&id).is_some_and(|c| !c.shown.is_open() && c.shown.objectives.contains(&slo));
                let recent = model
                    .desk
                    .cases
                    .get(&id)
                    .and_then(|c| c.shown.times.resolved)
                    .is_some_and(|at| now - at < secs(60));
                if linked && recent {
                    draft::refresh(model, &id, true, out);
                }
            }
        }
        Err(fault) => {
            model.fleet.history_faults.insert(slo.clone(), fault.to_string());
            // Not asked again before a minute is over, as with a good answer.
            if let Some((at, _)) = model.fleet.histories.get_mut(&slo) {
                *at = now;
            } else {
                let empty = History { slo: slo.clone(), series: Vec::new(), budget: None };
                model.fleet.histories.insert(slo, (now, empty));
            }
        }
    }
}

/// Keeps last known values, at most once a minute.
fn keep(model: &mut Model, now: Timestamp, out: &mut Vec<Effect>) {
    if !model.setup.cache || model.setup.simulated.is_some() || model.cached_at.is_some_and(|at| now - at < mins(1)) {
        return;
    }
    model.cached_at = Some(now);
    let alerts = model.alerts.by_source.iter().map(|(s, a)| (s.0.clone(), a.clone())).collect();
    out.push(Effect::Cache(Cached::of(model.fleet.measured.values(), alerts)));
}

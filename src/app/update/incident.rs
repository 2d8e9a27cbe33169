//! Acts on incidents: declare, decide, link, and the samples of what an incident cost.

use crate::app::costs::{self, begin};
use crate::app::effect::Effect;
use crate::app::model::{Case, Model, Tail};
use crate::app::pending::Asked;
use crate::app::present::view::Tone;
use crate::app::screen::Screen;
use crate::app::update::{backend, board, paging, record, sources};
use crate::domain::alert::Alert;
use crate::domain::fault::Fault;
use crate::domain::ids::{Fingerprint, IncidentId, SourceName};
use crate::domain::incident::decide::{Command, Refusal, decide, text};
use crate::domain::incident::event::{Body, BudgetSample};
use crate::domain::incident::linked::BackendLink;
use crate::domain::severity::Severity;
use crate::domain::slo::budget;
use crate::domain::slo::burn;
use crate::domain::slo::objective::Objective;
use crate::domain::slo::reading::{Measurement, Window};
use crate::domain::time::{Timestamp, secs};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Length of the stretch before an incident whose error ratio is the baseline of its net cost.
const BEFORE: u32 = 21_600;

/// What a person declares.
#[derive(Clone, Debug, PartialEq)]
pub struct Declaration {
    /// A few words.
    pub title: String,
    /// How bad.
    pub severity: Severity,
    /// What it hits.
    pub service: Option<String>,
    /// The alert it comes from.
    pub alert: Option<Alert>,
    /// The incident of a paging product it comes from.
    pub page: Option<(SourceName, String)>,
}

/// Declares an incident and opens its screen.
pub fn declare(
    model: &mut Model,
    now: Timestamp,
    what: Declaration,
    out: &mut Vec<Effect>,
) -> Result<IncidentId, Refusal> {
    let Declaration { title, severity, service, alert, page } = what;
    let title = text(&title, "a title")?;
    let id = fresh_id(model, now);
    let mut bodies =
        crate::domain::incident::decide::declare(title, severity, service, alert.as_ref(), &model.fleet.objectives);
    if let Some((name, page)) = &page
        && let Some(there) = model.outbox.targets.get(name).and_then(|target| target.seen(page))
    {
        let link = BackendLink::to(name, there, "declared from it");
        if let Some(began) = there.created_at.filter(|at| *at < now) {
            detected(&mut bodies, &link, began);
        }
        bodies.push(Body::BackendLinked(Box::new(link)));
    }
    let about = alert.as_ref().map(|alert| crate::app::backend::about(model, alert)).unwrap_or_default();
    bodies.extend(about.into_iter().map(|link| Body::BackendLinked(Box::new(link))));
    let Some(first) = bodies.first() else { return Err(Refusal("nothing to declare".into())) };
    let seed = crate::domain::incident::event::Event {
        key: crate::domain::incident::event::EventKey { origin: crate::domain::ids::Origin("~".into()), seq: 0 },
        id: String::new(),
        incident: id.clone(),
        order: 0,
        at: now,
        recorded_at: now,
        actor: model.setup.responder.clone(),
        body: first.clone(),
        hash: String::new(),
    };
    let Some(shown) = crate::domain::incident::state::Incident::begin(&seed) else {
        return Err(Refusal("nothing to declare".into()));
    };
    let case = Case { saved: None, shown, tail: Tail::default(), complete: true, unsaved: Vec::new(), found: None };
    model.desk.cases.insert(id.clone(), case);
    record::person(model, now, now, &id, bodies, out);
    sample(model, now, &id, "declared", out);
    model.nav.go(Screen::Incident(id.clone()));
    model.say(now, Tone::Accent, format!("declared {id}"));
    Ok(id)
}

/// An incident that comes from a page was detected when that began, by the product.
fn detected(bodies: &mut [Body], link: &BackendLink, began: Timestamp) {
    if let Some(Body::Declared { detected_by, detected_at, .. }) = bodies.first_mut()
        && detected_at.is_none()
    {
        *detected_by = Some(link.name());
        *detected_at = Some(began);
    }
}

fn fresh_id(model: &Model, now: Timestamp) -> IncidentId {
    let plain = crate::domain::incident::decide::id_at(now);
    let mut id = plain.clone();
    let mut n = 2;
    while model.desk.cases.contains_key(&id) {
        id = IncidentId(format!("{plain}-{n}"));
        n += 1;
    }
    id
}

/// Carries out a person's command on an incident, with what follows from it.
pub fn command(
    model: &mut Model,
    now: Timestamp,
    at: Timestamp,
    id: &IncidentId,
    command: Command,
    out: &mut Vec<Effect>,
) -> Result<(), Refusal> {
    let case = model.desk.cases.get(id).ok_or_else(|| Refusal(format!("there is no incident {id}")))?;
    let moment = costs::moment(&case.shown, &command);
    let (reverse, words) = undoing(&case.shown, &command);
    let mut bodies = decide(&case.shown, command, at, &model.setup.severities)?;
    let takes_back = bodies.iter().all(board::is_entry) || reverse.is_some();
    let ends = bodies.iter().find_map(|b| match b {
        Body::Acknowledged => Some((false, None)),
        Body::Resolved { summary } => Some((true, Some(summary.clone()))),
        _ => None,
    });
    if let Some((over, resolution)) = ends {
        bodies.extend(paging::alarms(model, now, id, over));
        let (told, words) = backend::tell(model, now, id, resolution.as_deref());
        bodies.extend(told);
        words.into_iter().for_each(|words| model.say(now, Tone::Warn, words));
    }
    let req = record::person(model, now, at, id, bodies, out);
    if takes_back {
        record::remember(model, id, req, reverse, words.clone());
    } else {
        // `u` takes back the last act or nothing, never the one before it.
        model.desk.last_act = None;
    }
    model.say(now, Tone::Accent, if takes_back { format!("{words}   u takes it back") } else { words });
    if let Some(moment) = moment {
        sample(model, now, id, moment, out);
    }
    Ok(())
}

/// What takes a command back, and how it is called.
fn undoing(state: &crate::domain::incident::state::Incident, command: &Command) -> (Option<Body>, String) {
    match command {
        Command::Acknowledge => (None, "acknowledged".into()),
        Command::SetRole(role, person) => {
            let back = Body::RoleSet { role: *role, person: state.roles.get(role).cloned() };
            let who = person.as_deref().unwrap_or("nobody");
            (Some(back), format!("{who} is {}", role.word()))
        }
        Command::SetSeverity(to, _) => {
            let back = Body::SeveritySet { to: state.severity.clone(), reason: "taken back".into() };
            (Some(back), format!("severity {to}"))
        }
        Command::SetStatus(to, _) => {
            let back = Body::StatusSet { to: state.status, message: None };
            (Some(back), format!("status {}", to.word()))
        }
        Command::Mitigated => (None, "mitigated".into()),
        Command::Resolve(_) => (None, "resolved; the postmortem draft is being written (p)".into()),
        Command::Reopen(_) => (None, "reopened".into()),
        Command::Note(sort, _) => (None, sort.word().to_owned()),
        Command::Action(..) => (None, "action item".into()),
        Command::Board(ask) => board::undoing(state, ask),
        Command::Correct(..) => (None, "corrected".into()),
        Command::Retract(..) => (None, "retracted".into()),
        Command::Mark(of, mark, on) => {
            let back = Body::Marked { of: of.clone(), mark: mark.clone(), on: !on };
            (Some(back), format!("entry {}", mark.told(*on)))
        }
        Command::Redact(..) => (None, "the text is being taken out of the record".into()),
    }
}

/// Links an alert to an incident.
pub fn link_alert(
    model: &mut Model,
    now: Timestamp,
    id: &IncidentId,
    fingerprint: &Fingerprint,
    out: &mut Vec<Effect>,
) -> Result<(), Refusal> {
    let alert = model.alerts.get(fingerprint).cloned().ok_or_else(|| Refusal("the alert is gone".into()))?;
    let case = model.desk.cases.get(id).ok_or_else(|| Refusal(format!("there is no incident {id}")))?;
    if case.shown.alerts.contains_key(fingerprint) {
        return Err(Refusal(format!("{} belongs to {id} already", alert.name)));
    }
    let body = crate::domain::incident::decide::link(&alert);
    record::person(model, now, now, id, vec![body], out);
    model.say(now, Tone::Accent, format!("{} linked to {id}", alert.name));
    Ok(())
}

/// Asks what the incident cost its objectives so far.
pub fn sample(model: &mut Model, now: Timestamp, id: &IncidentId, moment: &str, out: &mut Vec<Effect>) {
    let Some(case) = model.desk.cases.get(id) else { return };
    let incident = case.shown.clone();
    let length = Window::of(now - begin(&incident)).0.max(60);
    let mut by_source: BTreeMap<_, Vec<Arc<Objective>>> = BTreeMap::new();
    for slo in &incident.objectives {
        // What the events behind it say needs no question, and misses none.
        if let Some(sample) = costs::sample(model, now, &incident, slo, moment) {
            record::machine(model, now, id, Body::BudgetSampled(sample), None, out);
            continue;
        }
        if let Some(objective) = model.fleet.objective(slo).cloned()
            && let Some(source) = sources::source_of(model, &objective)
        {
            by_source.entry((source, Window::of(objective.window))).or_default().push(objective);
        }
    }
    for ((source, window), objectives) in by_source {
        let req = model.pending.ask(Asked::Sample(id.clone(), moment.to_owned()));
        let mut windows = vec![Window(length), Window(length + BEFORE), Window::M5, Window::H1, window];
        windows.sort();
        windows.dedup();
        out.push(Effect::Measure { req, source, objectives, windows });
    }
}

/// What the incident cost was measured: it goes to the timeline. A failure is told, not recorded as a number.
pub fn sampled(
    model: &mut Model,
    now: Timestamp,
    id: &IncidentId,
    moment: &str,
    result: Result<Vec<Measurement>, Fault>,
    out: &mut Vec<Effect>,
) {
    let measurements = match result {
        Ok(measurements) => measurements,
        Err(fault) => {
            model.say(now, Tone::Warn, format!("budget of {id} not measured: {fault}"));
            return;
        }
    };
    let Some(start) = model.desk.cases.get(id).map(|c| begin(&c.shown)) else { return };
    let mut bodies = Vec::new();
    for measurement in measurements {
        if let Some(objective) = model.fleet.objective(&measurement.slo) {
            bodies.push(Body::BudgetSampled(cost(objective, &measurement, start, moment)));
        }
    }
    for body in bodies {
        record::machine(model, now, id, body, None, out);
    }
}

fn cost(objective: &Objective, measurement: &Measurement, start: Timestamp, moment: &str) -> BudgetSample {
    let counts = |w: Window| measurement.windows.get(&w).and_then(|(_, r)| r.counts());
    let window = Window::of(objective.window);
    let burn_of = |w: Window| counts(w).and_then(|c| burn::rate(c, objective.target));
    let whole = counts(window);
    // The incident's own window is the one nearest to its length: the measurement was asked with it.
    let evaluated = measurement.windows.values().map(|(at, _)| *at).max().unwrap_or(start);
    let length = (evaluated - start).num_seconds().max(60);
    let near = |seconds: i64| {
        measurement
            .windows
            .keys()
            .filter(|w| !matches!(**w, Window::M5 | Window::H1) && **w != window)
            .min_by_key(|w| (i64::from(w.0) - seconds).abs())
    };
    let during = near(length).copied().or(Some(Window::M5)).and_then(counts);
    let longer = near(length + i64::from(BEFORE)).copied().and_then(counts);
    let before = match (during, longer) {
        (Some(d), Some(l)) if l.total > d.total => ((l.bad - d.bad) / (l.total - d.total)).clamp(0.0, 1.0),
        _ => 0.0,
    };
    let cost = match (during, whole) {
        (Some(during), Some(whole)) => budget::incident_cost(during, before, whole.total, objective.target),
        _ => None,
    };
    BudgetSample {
        slo: objective.id.clone(),
        moment: moment.to_owned(),
        remaining: whole.and_then(|c| budget::remaining(c, objective.target)),
        burn_1h: burn_of(Window::H1),
        burn_5m: burn_of(Window::M5),
        gross: cost.as_ref().map(|c| c.gross),
        net: cost.as_ref().map(|c| c.net),
        basis: Some(costs::basis(objective, "then")),
    }
}

/// When stakeholders were told last, for the form of the next update: `last update 12m ago`, or that nobody was told.
pub fn last_told(state: &crate::domain::incident::state::Incident, now: Timestamp) -> String {
    match state.times.last_update {
        Some(at) => format!("last update {} ago", crate::domain::time::compact((now - at).max(secs(0)))),
        None => "nobody was told yet".into(),
    }
}

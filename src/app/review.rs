//! Puts a review together from what the machine knows: events behind objectives, incidents, crossings of policy bands. Asks
//! nobody; what it does not know it lists.

use crate::app::composites;
use crate::app::costs::{self, begin};
use crate::app::model::Model;
use crate::app::present::slos::{percent, ranked};
use crate::domain::ids::SloId;
use crate::domain::incident::state::Incident;
use crate::domain::review::{CrossingRow, Decision, IncidentRow, Review, Row};
use crate::domain::slo::budget::allowance;
use crate::domain::slo::calendar::{self, Calendar};
use crate::domain::slo::composite_events::{Base, CompositeEvents};
use crate::domain::slo::incident_cost::{Question, cost};
use crate::domain::slo::maintenance::{self, Stretch};
use crate::domain::slo::net_events::NetEvents;
use crate::domain::slo::objective::Objective;
use crate::domain::slo::outlook::Rolling;
use crate::domain::slo::period::Period;
use crate::domain::slo::status::Status;
use crate::domain::time::Timestamp;

/// Below this share of data a number of a review is doubtful.
const ENOUGH: f64 = 0.95;

/// Which objectives a review is about, and when.
#[derive(Clone, Debug)]
pub struct Scope<'a> {
    /// The calendar period.
    pub period: &'a Period,
    /// Its beginning and its end.
    pub bounds: (Timestamp, Timestamp),
    /// Only this objective.
    pub objective: Option<&'a str>,
    /// Only those of this service.
    pub service: Option<&'a str>,
}

impl Scope<'_> {
    fn holds(&self, objective: &Objective) -> bool {
        self.objective.is_none_or(|name| objective.id.as_str() == name)
            && self.service.is_none_or(|name| objective.service == name)
    }
}

/// What a review is made from.
#[derive(Clone, Copy)]
struct Made<'a> {
    model: &'a Model,
    now: Timestamp,
    scope: &'a Scope<'a>,
}

/// The events of one objective over the period.
struct Told {
    row: Row,
    /// Events that its budget is reckoned from.
    of: Option<f64>,
}

/// The review of a period, as far as it is over.
pub fn review(model: &Model, now: Timestamp, scope: &Scope<'_>) -> Review {
    let made = Made { model, now, scope };
    let (from, to) = scope.bounds;
    let mut unknown = Vec::new();
    let mut decisions = Vec::new();
    let mut rows = Vec::new();
    let mut incidents = Vec::new();
    for (objective, status) in ranked(model, now).into_iter().filter(|(o, _)| scope.holds(o)) {
        let work = maintenance::stretches(&model.fleet.maintenance, &objective, from, to);
        let net = events(model, &objective, &work);
        let parts = composites::known(model, &objective.id).map(|parts| parts.as_ref());
        let mut told = match parts {
            Some(parts) => combined(made, &objective, &status, parts),
            None => tell(made, &objective, &status, net.as_ref(), &work),
        };
        let oldest = net.as_ref().and_then(|net| net.slices().first()).map(|slice| slice.end - slice.length);
        let oldest = parts.map_or(oldest, CompositeEvents::begin);
        unknown.extend(doubts(&objective, &status, &told.row, from, oldest));
        for incident in in_period(model, scope.bounds) {
            if incident.objectives.contains(&objective.id) {
                let row = burned(made, &objective, incident, (net.as_ref(), parts), told.of);
                told.row.incidents += row.gross.unwrap_or(0.0);
                incidents.push(row);
            }
        }
        decisions.extend(due(made, &objective, &status, &told.row));
        rows.push(told.row);
    }
    if scope.objective.is_none() && scope.service.is_none() {
        incidents.extend(in_period(model, scope.bounds).filter(|i| i.objectives.is_empty()).map(unlinked));
    }
    unknown.extend(
        incidents
            .iter()
            .filter(|i| i.gross.is_none() && !i.objective.is_empty())
            .map(|i| format!("{}: what it cost {} is not known", i.id, i.objective)),
    );
    incidents.sort_by(|a, b| {
        let gross = |i: &IncidentRow| i.gross.unwrap_or(-1.0);
        gross(b).total_cmp(&gross(a)).then_with(|| (a.began, &a.id, &a.objective).cmp(&(b.began, &b.id, &b.objective)))
    });
    rows.sort_by(|a, b| {
        let left = |r: &Row| r.left().or(r.remaining).unwrap_or(f64::MAX);
        left(a).total_cmp(&left(b)).then_with(|| a.objective.cmp(&b.objective))
    });
    Review {
        period: scope.period.words(),
        from,
        to,
        as_of: now,
        zone: scope.period.zone.name().to_owned(),
        policy: model.fleet.policy().name.clone(),
        crossings: crossings(model, scope),
        objectives: rows,
        incidents,
        decisions,
        unknown,
    }
}

fn events(model: &Model, objective: &Objective, work: &[Stretch]) -> Option<NetEvents> {
    Some(NetEvents::of(model.fleet.measured.get(&objective.id)?.slices.as_deref()?, work))
}

fn tell(made: Made<'_>, objective: &Objective, status: &Status, net: Option<&NetEvents>, work: &[Stretch]) -> Told {
    let Made { model, now, scope } = made;
    let (from, to) = scope.bounds;
    let c = net.and_then(|net| calendar::budget(net, scope.period.words(), scope.bounds, objective.target));
    let attained = c.as_ref().and_then(|c| c.events.error_ratio()).map(|e| 1.0 - e);
    // Of a period that is over, what was is all there is.
    let over = now >= to;
    let whole = c.as_ref().filter(|_| over).map(|c| c.events.total);
    let of = whole.or(c.as_ref().map(|c| c.expected));
    let spent = c.as_ref().zip(of).and_then(|(c, of)| calendar::consumed(c.events.bad, of, objective.target));
    let gross = |m: &Model| {
        let slices = m.fleet.measured.get(&objective.id)?.slices.clone()?;
        Some(slices.between(from, now.min(to)).0.total)
    };
    let excluded =
        if work.is_empty() { None } else { gross(model).zip(c.as_ref()).map(|(g, c)| (g - c.events.total).max(0.0)) };
    let row = Row {
        attained,
        bad: c.as_ref().map(|c| c.events.bad),
        total: c.as_ref().map(|c| c.events.total),
        spent,
        projected: if over { spent } else { c.as_ref().and_then(|c| c.projected) },
        excluded,
        ..plain_row(made, objective, status, c.as_ref())
    };
    Told { row, of }
}

/// What of a row is told the same way of every objective.
fn plain_row(made: Made<'_>, objective: &Objective, status: &Status, c: Option<&Calendar>) -> Row {
    let over = made.now >= made.scope.bounds.1;
    Row {
        objective: objective.id.0.clone(),
        service: objective.service.clone(),
        target: objective.target,
        attained: None,
        bad: None,
        total: None,
        spent: None,
        projected: c.filter(|_| !over).and_then(|c| c.projected),
        coverage: c.map_or(0.0, |c| c.coverage),
        remaining: status.budget.remaining,
        band: status.policy.band.as_ref().map(|b| b.name.clone()),
        exhausts_at: status.forecast.exhausts_at,
        recovers: status.forecast.rolling == Some(Rolling::Recovers),
        incidents: 0.0,
        excluded: None,
    }
}

/// A composite over the period: what its parts spent, by weight. It has no events of its own to be counted.
fn combined(made: Made<'_>, whole: &Objective, status: &Status, parts: &CompositeEvents) -> Told {
    let Made { now, scope, .. } = made;
    let c = parts.calendar(scope.period.words(), scope.bounds);
    let spent = if now >= scope.bounds.1 { parts.spent(scope.bounds) } else { c.as_ref().and_then(|c| c.consumed) };
    let attained = c.as_ref().and_then(|c| c.events.error_ratio()).map(|e| 1.0 - e);
    let plain = plain_row(made, whole, status, c.as_ref());
    let projected = if now >= scope.bounds.1 { spent } else { plain.projected };
    Told { row: Row { attained, spent, projected, ..plain }, of: None }
}

fn doubts(
    objective: &Objective,
    status: &Status,
    row: &Row,
    from: Timestamp,
    kept_from: Option<Timestamp>,
) -> Vec<String> {
    let mut said = Vec::new();
    if row.attained.is_none() {
        let why = status.untold.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        said.push(format!("{}: no events of this period are known{why}", objective.id));
    } else if row.coverage < ENOUGH {
        let why =
            kept_from.filter(|at| *at > from).map(|at| format!(" (events are kept from {})", at.format("%d %b %Y")));
        let (id, share) = (&objective.id, percent(row.coverage));
        said.push(format!("{id}: data covers {share} of the period so far{}", why.unwrap_or_default()));
    }
    if status.state.blind() {
        let why = status.reason.as_ref().map(|r| format!(": {r}")).unwrap_or_default();
        said.push(format!("{}: its state is {}{why}", objective.id, status.state.word()));
    }
    if status.source == "slices" && row.attained.is_some() {
        said.push(format!("{}: its events are time slices, not requests", objective.id));
    }
    said
}

/// Incidents of which a part lies in the period.
fn in_period(model: &Model, (from, to): (Timestamp, Timestamp)) -> impl Iterator<Item = &Incident> {
    let end = |i: &Incident| i.times.mitigated.or(i.times.resolved);
    let inside = move |i: &&Incident| begin(i) < to && end(i).is_none_or(|end| end >= from);
    model.desk.cases.values().map(|c| &c.shown).filter(inside)
}

fn unlinked(i: &Incident) -> IncidentRow {
    IncidentRow {
        id: i.id.0.clone(),
        title: i.title.clone(),
        severity: i.severity.0.clone(),
        began: begin(i),
        ended: i.times.mitigated.or(i.times.resolved),
        objective: String::new(),
        gross: None,
        net: None,
        of: String::new(),
    }
}

/// What an incident cost: of the period's budget where its events are known, else as it was recorded.
fn burned(
    made: Made<'_>,
    objective: &Objective,
    incident: &Incident,
    (net, parts): (Option<&NetEvents>, Option<&CompositeEvents>),
    of: Option<f64>,
) -> IncidentRow {
    let Made { model, now, scope } = made;
    let plain = IncidentRow { objective: objective.id.0.clone(), ..unlinked(incident) };
    let (from, to) = scope.bounds;
    let ended = plain.ended.unwrap_or(now).min(to).min(now);
    let margin = costs::margin(model, objective);
    let q = Question { from: begin(incident).max(from), to: ended, margin, target: objective.target, of: 0.0 };
    let base = Base::Period { bounds: scope.bounds, over: now >= to };
    let found = match parts {
        Some(parts) => parts.cost(&q, base, false),
        None => net.zip(of).and_then(|(net, of)| cost(net, None, &Question { of, ..q })),
    };
    if let Some(found) = found {
        return IncidentRow {
            gross: Some(found.gross),
            net: found.net,
            of: format!("the {}'s events", plain_period(scope)),
            ..plain
        };
    }
    match incident.budget.get(&objective.id) {
        Some(sample) => {
            let of = sample.basis.clone().unwrap_or_else(|| costs::basis(objective, "then"));
            IncidentRow {
                gross: sample.gross,
                net: sample.net,
                of: format!("{of}, recorded when {}", sample.moment),
                ..plain
            }
        }
        None => plain,
    }
}

fn plain_period(scope: &Scope<'_>) -> String {
    scope.period.words()
}

fn crossings(model: &Model, scope: &Scope<'_>) -> Vec<CrossingRow> {
    let (from, to) = scope.bounds;
    let ours = |slo: &SloId| model.fleet.objective(slo).is_some_and(|o| scope.holds(o));
    let inside = model.fleet.bands.crossings.iter().filter(|(at, c)| *at >= from && *at < to && ours(&c.slo));
    inside
        .map(|(at, c)| CrossingRow {
            at: *at,
            objective: c.slo.0.clone(),
            from: c.from.clone(),
            to: c.to.clone(),
            remaining: c.remaining,
            action: c.action.clone(),
        })
        .collect()
}

/// What is to be decided about an objective now.
fn due(made: Made<'_>, objective: &Objective, status: &Status, row: &Row) -> Vec<Decision> {
    let Made { model, now, scope } = made;
    let mut found = Vec::new();
    let mut say = |what: String, why: String| found.push(Decision { objective: objective.id.0.clone(), what, why });
    let policy = model.fleet.policy();
    if let (Some(band), Some(left)) = (&status.policy.band, status.budget.remaining)
        && policy.rank(&band.name).is_some_and(|rank| rank > 0)
    {
        say(band.action.clone(), format!("{} of its budget left", percent(left)));
    }
    if let (Some(action), Some(used)) = (&status.policy.action, status.budget.consumed) {
        say(action.clone(), format!("its own policy, {} spent", percent(used)));
    }
    let over = now >= scope.bounds.1;
    match (row.met(), row.projected) {
        (Some(false), _) if over => say("agree how the target is kept, or change it".into(), missed(row)),
        (_, Some(projected)) if !over && projected > 1.0 => {
            say("act before the period ends".into(), format!("{} will be spent at this pace", percent(projected)));
        }
        _ => {}
    }
    found
}

fn missed(row: &Row) -> String {
    let short = row.attained.zip(allowance(row.target)).map(|(a, share)| (row.target - a) / share);
    match short {
        Some(by) => format!("the target was missed, by {} of its budget", percent(by)),
        None => "the target was missed".to_owned(),
    }
}

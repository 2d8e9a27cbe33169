//! What an incident costs its objectives, from the events behind them. Asks no source: where those events are not known,
//! it says nothing.

use crate::app::composites;
use crate::app::model::Model;
use crate::domain::ids::SloId;
use crate::domain::incident::decide::Command;
use crate::domain::incident::event::{BudgetSample, Status as Phase};
use crate::domain::incident::state::Incident;
use crate::domain::slo::composite_events::Base;
use crate::domain::slo::incident_cost::{IncidentCost, Question, cost};
use crate::domain::slo::maintenance;
use crate::domain::slo::net_events::NetEvents;
use crate::domain::slo::objective::Objective;
use crate::domain::slo::reading::Window;
use crate::domain::slo::status::Status;
use crate::domain::time::{Span, Timestamp, prometheus};

/// When an incident began: the first sign of it, or its declaration.
pub fn begin(incident: &Incident) -> Timestamp {
    incident.times.detected.unwrap_or(incident.times.declared).min(incident.times.declared)
}

/// When its pain stopped; `None` while it goes on.
pub fn end(incident: &Incident) -> Option<Timestamp> {
    incident.times.mitigated.or(incident.times.resolved)
}

/// What the budget of an objective is reckoned from, in words: the events of the window until an instant (`now`, `then`), or
/// those that its calendar period is expected to have.
pub fn basis(objective: &Objective, until: &str) -> String {
    match &objective.period {
        Some(period) => format!("the {}'s expected events", period.words()),
        None => format!("the {} until {until}", prometheus(objective.window)),
    }
}

/// What it costs an objective so far, or did until the pain stopped. The margin is the interval at which its source is
/// asked: how often it scrapes is not known here.
pub fn live(model: &Model, now: Timestamp, incident: &Incident, slo: &SloId) -> Option<IncidentCost> {
    let objective = model.fleet.objective(slo)?;
    if let Some(parts) = composites::known(model, slo) {
        let base = match &objective.period {
            Some(period) => Base::Period { bounds: period.bounds(now)?, over: false },
            None => Base::Window(objective.window),
        };
        return parts.cost(&question(model, now, incident, objective, 0.0), base, true);
    }
    let measurement = model.fleet.measured.get(slo)?;
    let slices = measurement.slices.as_deref()?;
    let back = now.checked_sub_signed(objective.window.max(Span::days(31)))?;
    let work = maintenance::stretches(&model.fleet.maintenance, objective, back, now);
    let net = NetEvents::of(slices, &work);
    let known = net.end()?;
    let of = match (&objective.period, model.fleet.statuses.get(slo).and_then(|s| s.calendar.as_ref())) {
        (Some(_), calendar) => calendar?.expected,
        (None, _) => net.between(known.checked_sub_signed(objective.window)?, known).0.total,
    };
    let newest = measurement.windows.get(&Window::M5).and_then(|(at, r)| Some((*at, r.counts()?)));
    // While planned work goes on, what the poll says of the last minutes does not count.
    let newest = newest.filter(|(at, _)| !work.iter().any(|w| w.from <= *at && *at < w.to));
    cost(&net, newest, &question(model, now, incident, objective, of))
}

/// How far beyond an incident its events reach: told late, or seen early.
pub fn margin(model: &Model, objective: &Objective) -> Span {
    let source = crate::app::update::source_of(model, objective).and_then(|s| model.links.get(&s));
    source.map_or(Span::seconds(60), |l| l.interval)
}

/// What is asked of an incident until now, or until the pain stopped.
fn question(model: &Model, now: Timestamp, incident: &Incident, objective: &Objective, of: f64) -> Question {
    let margin = margin(model, objective);
    let to = end(incident).unwrap_or(now).min(now);
    Question { from: begin(incident), to, margin, target: objective.target, of }
}

/// The moment of an incident that an act makes, where its cost is sampled at it: `mitigated`, `resolved`, `severity`.
pub fn moment(before: &Incident, act: &Command) -> Option<&'static str> {
    match act {
        Command::SetSeverity(..) => Some("severity"),
        Command::SetStatus(Phase::Monitoring, _) if before.times.mitigated.is_none() => Some("mitigated"),
        Command::Mitigated => Some("mitigated"),
        Command::Resolve(_) => Some("resolved"),
        _ => None,
    }
}

/// What is known now of the budget of an objective, as a line of the record: the cost where the events behind it are known,
/// else how the budget stands. `None` where nothing is known, and where an earlier sample knows the cost and this one does not.
pub fn at_hand(model: &Model, now: Timestamp, incident: &Incident, slo: &SloId, moment: &str) -> Option<BudgetSample> {
    if let Some(sample) = sample(model, now, incident, slo, moment) {
        return Some(sample);
    }
    if incident.budget.get(slo).is_some_and(|earlier| earlier.gross.is_some()) {
        return None;
    }
    let status = model.fleet.statuses.get(slo)?;
    let burn = |w: Window| status.burn_rates.get(&w).copied().flatten();
    let (remaining, burn_1h, burn_5m) = (status.budget.remaining, burn(Window::H1), burn(Window::M5));
    let known = remaining.is_some() || burn_1h.is_some() || burn_5m.is_some();
    known.then(|| BudgetSample {
        slo: slo.clone(),
        moment: moment.to_owned(),
        remaining,
        burn_1h,
        burn_5m,
        gross: None,
        net: None,
        basis: None,
    })
}

/// What an incident cost, as a line of the record.
pub fn sample(model: &Model, now: Timestamp, incident: &Incident, slo: &SloId, moment: &str) -> Option<BudgetSample> {
    let objective = model.fleet.objective(slo)?;
    let found = live(model, now, incident, slo)?;
    let status: Option<&Status> = model.fleet.statuses.get(slo);
    let burn = |w: Window| status.and_then(|s| s.burn_rates.get(&w).copied().flatten());
    Some(BudgetSample {
        slo: slo.clone(),
        moment: moment.to_owned(),
        remaining: status.and_then(|s| s.budget.remaining),
        burn_1h: burn(Window::H1),
        burn_5m: burn(Window::M5),
        gross: Some(found.gross),
        net: found.net,
        basis: Some(basis(objective, "then")),
    })
}

/// `27.8% (net 27.7%) of the 30d until now`.
pub fn words(objective: &Objective, cost: &IncidentCost) -> String {
    let percent = crate::app::present::slos::percent;
    let net = cost.net.map_or_else(|| "net unknown".to_owned(), |n| format!("net {}", percent(n)));
    let part = if cost.coverage < 0.99 { format!(", {} of it known", percent(cost.coverage)) } else { String::new() };
    format!("{} ({net}) of {}{part}", percent(cost.gross), basis(objective, "now"))
}

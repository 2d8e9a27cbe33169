//! What a measurement means for its objective: state, budget, burn rates, alert pairs, policy and forecast, all from one
//! place, so that the screen and the commands tell the same. Unknown is `None`; an old number is never taken for a new one.

use crate::domain::ids::SloId;
use crate::domain::slo::objective::{Kind, Objective, Sli};
use crate::domain::slo::policy::{PolicyBand, PolicyBands, due};
use crate::domain::slo::reading::{Counts, Measurement, Reading, Via, Window};
use crate::domain::slo::{budget, burn, forecast};
use crate::domain::time::{Span, Timestamp};
use std::collections::BTreeMap;

/// How an objective stands; the order is by severity, worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// All is known and well.
    Ok,
    /// Measured, but no events.
    NoTraffic,
    /// The budget's window has not been read yet.
    Warming,
    /// A part of the answer is missing, or came with a warning.
    Partial,
    /// What is known is too old.
    Stale,
    /// The source has no such series.
    NoData,
    /// The source could not be read, or said what cannot be.
    Error,
    /// An alert pair fires.
    Burning,
    /// No budget is left.
    Exhausted,
}

impl State {
    /// The word on screen and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NoTraffic => "no_traffic",
            Self::Warming => "warming",
            Self::Partial => "partial",
            Self::Stale => "stale",
            Self::NoData => "no_data",
            Self::Error => "error",
            Self::Burning => "burning",
            Self::Exhausted => "exhausted",
        }
    }

    /// Whether the numbers can be trusted to be those of now.
    pub fn blind(self) -> bool {
        matches!(self, Self::Stale | Self::NoData | Self::Error)
    }
}

/// The budget of the objective's window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// Share that is left; negative is debt.
    pub remaining: Option<f64>,
    /// Share that is used.
    pub consumed: Option<f64>,
    /// Minutes of total failure that the window allows.
    pub minutes_total: f64,
    /// How many of them are left; negative is debt.
    pub minutes_left: Option<f64>,
}

/// One alert pair as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct PairState {
    /// `page` or `ticket`.
    pub severity: String,
    /// Long window.
    pub long: Window,
    /// Short window.
    pub short: Window,
    /// Both must burn faster than this.
    pub factor: f64,
    /// Burn rate of the long window.
    pub long_burn: Option<f64>,
    /// Burn rate of the short window.
    pub short_burn: Option<f64>,
    /// Whether it fires; `None` when that cannot be told.
    pub firing: Option<bool>,
    /// False when not even a total failure could make it fire.
    pub can_fire: bool,
}

/// What the policy asks for.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct PolicyState {
    /// The band of what is left.
    pub band: Option<PolicyBand>,
    /// The objective's own action, when it is due.
    pub action: Option<String>,
}

/// When the budget will be gone.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Forecast {
    /// At the rate of the last hour, where that is inside one window.
    pub exhausts_at: Option<Timestamp>,
    /// Naive time left at the rate of the last hour.
    pub left_1h: Option<Span>,
    /// Naive time left at the rate of the last six hours.
    pub left_6h: Option<Span>,
}

/// Everything that is known of an objective at one instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// The objective.
    pub id: SloId,
    /// Its service.
    pub service: String,
    /// How its target is read.
    pub kind: Kind,
    /// Share that must be good.
    pub target: f64,
    /// Its window.
    pub window: Window,
    /// How it stands.
    pub state: State,
    /// A few words more where the state needs them: the fault, what was odd.
    pub reason: Option<String>,
    /// Share that was good in its window.
    pub sli: Option<f64>,
    /// Events (or slices) in its window.
    pub events: Option<Counts>,
    /// Its budget.
    pub budget: Budget,
    /// Burn rates; a window is there when an alert pair or a reading names it.
    pub burn_rates: BTreeMap<Window, Option<f64>>,
    /// Its alert pairs, most urgent first.
    pub alerts: Vec<PairState>,
    /// What the policy asks for.
    pub policy: PolicyState,
    /// When the budget will be gone.
    pub forecast: Forecast,
    /// Share of the window that has data, 0..1, where known.
    pub coverage: Option<f64>,
    /// `events` or `slices`.
    pub source: &'static str,
    /// The newest evaluation of any window.
    pub measured_at: Option<Timestamp>,
    /// The evaluation that the budget is from.
    pub budget_at: Option<Timestamp>,
}

/// Long windows are asked more rarely; their readings hold this long.
const LONG_AGE: Span = Span::minutes(10);

/// Says how an objective stands. `poll_interval` is how often its short windows are read.
pub fn assess(objective: &Objective, measurement: Option<&Measurement>, now: Timestamp, poll_interval: Span) -> Status {
    let view = View { objective, measurement, now, short_age: poll_interval.checked_mul(4).unwrap_or(Span::MAX) };
    let own = Window::of(objective.window);
    // The budget keeps its last value while it is old: the state says so, and `budget_at` how old.
    let (budget_at, counts, errors) = match measurement.and_then(|m| m.windows.get(&own)) {
        Some((at, reading)) => (Some(*at), reading.counts(), reading.error_ratio()),
        None => (None, None, None),
    };
    let consumed = errors.and_then(|e| budget::consumed_by(e, objective.target));
    let remaining = consumed.map(|c| 1.0 - c);
    let minutes_total = budget::minutes_total(objective.target, objective.window);
    let alerts = view.pairs();
    let (state, reason) = view.state(own, remaining, &alerts);
    let fresh_budget = view.fresh(own).is_some();
    let rule = objective.policy.as_ref();
    Status {
        id: objective.id.clone(),
        service: objective.service.clone(),
        kind: objective.kind,
        target: objective.target,
        window: own,
        state,
        reason,
        sli: errors.map(|e| 1.0 - e),
        events: counts,
        budget: Budget { remaining, consumed, minutes_total, minutes_left: remaining.map(|r| r * minutes_total) },
        burn_rates: view.burn_rates(own),
        alerts,
        policy: PolicyState {
            band: remaining.and_then(|r| PolicyBands::standard().of(r)).cloned(),
            action: rule.zip(consumed).and_then(|(rule, used)| due(rule, used)).map(str::to_owned),
        },
        forecast: view.forecast(remaining.filter(|_| fresh_budget)),
        coverage: measurement.and_then(|m| m.coverage),
        source: match (measurement, &objective.sli) {
            (Some(m), _) => m.via.word(),
            (None, Sli::Events { .. } | Sli::Composite(_)) => Via::Events.word(),
            (None, _) => Via::Slices.word(),
        },
        measured_at: view.newest(),
        budget_at,
    }
}

/// The parts of a measurement that are still true.
struct View<'a> {
    objective: &'a Objective,
    measurement: Option<&'a Measurement>,
    now: Timestamp,
    short_age: Span,
}

impl View<'_> {
    fn newest(&self) -> Option<Timestamp> {
        self.measurement?.windows.values().map(|(at, _)| *at).max()
    }

    /// How old a window's reading may be.
    fn age(&self, window: Window) -> Span {
        if window > Window::H1 { self.short_age.max(LONG_AGE) } else { self.short_age }
    }

    /// A reading that is young enough.
    fn fresh(&self, window: Window) -> Option<&Reading> {
        let (at, reading) = self.measurement?.windows.get(&window)?;
        (self.now - *at <= self.age(window) && !self.stale()).then_some(reading)
    }

    fn stale(&self) -> bool {
        self.newest().is_some_and(|at| self.now - at > self.short_age)
    }

    fn rate(&self, window: Window) -> Option<f64> {
        burn::of(self.fresh(window)?.error_ratio()?, self.objective.target)
    }

    fn burn_rates(&self, own: Window) -> BTreeMap<Window, Option<f64>> {
        let named = self.objective.pairs.iter().flat_map(|p| [p.long, p.short]);
        let read = self.measurement.into_iter().flat_map(|m| m.windows.keys().copied());
        named.chain(read).filter(|w| *w != own).chain(Window::BURN).map(|w| (w, self.rate(w))).collect()
    }

    fn pairs(&self) -> Vec<PairState> {
        let state = |pair: &crate::domain::slo::objective::AlertPair| PairState {
            severity: pair.severity.clone(),
            long: pair.long,
            short: pair.short,
            factor: pair.factor,
            long_burn: self.rate(pair.long),
            short_burn: self.rate(pair.short),
            firing: burn::fires(pair, self.objective.target, self.fresh(pair.long), self.fresh(pair.short)),
            can_fire: burn::can_fire(pair.factor, self.objective.target),
        };
        self.objective.pairs.iter().map(state).collect()
    }

    fn forecast(&self, remaining: Option<f64>) -> Forecast {
        let window = self.objective.window;
        let left = |w: Window| forecast::naive(remaining?, self.rate(w)?, window);
        let exhausts = || forecast::exhausts_at(remaining?, self.rate(Window::H1)?, window, self.now);
        Forecast { exhausts_at: exhausts(), left_1h: left(Window::H1), left_6h: left(Window::H6) }
    }

    /// The worst of what applies. Nothing that is stale can burn: it is not known to.
    fn state(&self, own: Window, remaining: Option<f64>, alerts: &[PairState]) -> (State, Option<String>) {
        let Some(measurement) = self.measurement.filter(|m| !m.windows.is_empty()) else {
            return (State::Warming, None);
        };
        let readings = || measurement.windows.keys().filter_map(|w| self.fresh(*w));
        if self.stale() {
            return (State::Stale, self.trouble(measurement.windows.values().map(|(_, r)| r)));
        }
        let shortest = measurement.windows.iter().find(|(w, _)| self.fresh(**w).is_some());
        let mut found = vec![State::Ok];
        if self.fresh(own).is_some() && remaining.is_some_and(|r| budget::round12(r) <= 0.0) {
            found.push(State::Exhausted);
        }
        if alerts.iter().any(|a| a.firing == Some(true)) {
            found.push(State::Burning);
        }
        if readings().any(|r| matches!(r, Reading::Error(_) | Reading::Odd(_))) {
            found.push(State::Error);
        }
        // The shortest window is the first to show that a service went away; the own one that it never was.
        if matches!(shortest, Some((_, (_, Reading::NoData)))) || matches!(self.fresh(own), Some(Reading::NoData)) {
            found.push(State::NoData);
        }
        match measurement.windows.get(&own) {
            None => found.push(State::Warming),
            Some(_) if self.fresh(own).is_none() => found.push(State::Stale),
            Some(_) => {}
        }
        if measurement.partial {
            found.push(State::Partial);
        }
        let idle = |r: &Reading| r.counts().is_some_and(|c| c.total <= 0.0);
        if shortest.is_some_and(|(_, (_, r))| idle(r)) || self.fresh(own).is_some_and(idle) {
            found.push(State::NoTraffic);
        }
        let state = found.into_iter().max().unwrap_or(State::Error);
        let reason = match state {
            State::Partial => measurement.warnings.first().cloned(),
            _ => self.trouble(readings()),
        };
        (state, reason)
    }

    fn trouble<'r>(&self, readings: impl Iterator<Item = &'r Reading>) -> Option<String> {
        let mut readings = readings;
        readings.find_map(|r| match r {
            Reading::Error(fault) => Some(fault.to_string()),
            Reading::Odd(what) => Some(what.clone()),
            _ => None,
        })
    }
}

/// The order of a list, most urgent first: a firing page, a firing ticket, what cannot be seen, then the least time left.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Urgency {
    rank: u8,
    empty_in_ms: i64,
    left: i64,
    id: SloId,
}

impl Status {
    /// Whether a pair of a severity fires.
    pub fn fires(&self, severity: &str) -> bool {
        self.alerts.iter().any(|a| a.severity == severity && a.firing == Some(true))
    }

    /// Its place in a list; sort ascending.
    pub fn urgency(&self) -> Urgency {
        let rank = match () {
            () if self.fires("page") => 0,
            () if self.alerts.iter().any(|a| a.firing == Some(true)) => 1,
            () if self.state.blind() => 2,
            () => 3,
        };
        let gone = self.budget.remaining.is_some_and(|r| r <= 0.0);
        let left = [self.forecast.left_1h, self.forecast.left_6h].into_iter().flatten().min();
        let empty_in_ms = if gone { 0 } else { left.map_or(i64::MAX, |l| l.num_milliseconds()) };
        // Parts per million of the budget: finer is noise, and a float has no order.
        let share = self.budget.remaining.map_or(i64::MAX, |r| (r * 1e6) as i64);
        Urgency { rank, empty_in_ms, left: share, id: self.id.clone() }
    }
}

#[cfg(test)]
mod tests;

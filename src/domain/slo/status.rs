//! What a measurement means for its objective: state, budget, burn rates, alert pairs, policy and forecast, all from one
//! place, so that the screen and the commands tell the same. Unknown is `None`; an old number is never taken for a new one.
//! What needs the events behind the windows (planned work, calendar, outlook) is in [`beyond`], the pairs in [`pairs`].

pub mod beyond;
pub mod pairs;
pub mod quality;

pub use pairs::PairState;
pub use quality::Recording;

use crate::domain::ids::SloId;
use crate::domain::slo::calendar::Calendar;
use crate::domain::slo::maintenance::Stretch;
use crate::domain::slo::objective::{Kind, Objective, Sli};
use crate::domain::slo::outlook::{Fitted, Rolling};
use crate::domain::slo::policy::{PolicyBand, PolicyBands, due};
use crate::domain::slo::reading::{Counts, Measurement, Reading, Via, Window};
use crate::domain::slo::status::beyond::{Known, Work};
use crate::domain::slo::{budget, burn, forecast};
use crate::domain::time::{Span, Timestamp};
use chrono_tz::Tz;
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
    /// At the rate of the last hour, given what rolls out of the window; `None` where the events behind it are not known.
    pub rolling: Option<Rolling>,
    /// The trend of what was left over the last six hours.
    pub trend_6h: Option<Fitted>,
    /// The same over three days.
    pub trend_3d: Option<Fitted>,
}

impl Forecast {
    /// How long the budget lasts, as well as that is known: as the window rolls, else at the rate of the last hour. `None`
    /// also where it recovers.
    pub fn left(&self) -> Option<Span> {
        match self.rolling {
            Some(Rolling::Gone(left)) => Some(left),
            Some(Rolling::Recovers) => None,
            None => self.left_1h,
        }
    }
}

/// What is known beside the measurement of one objective.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// How often its short windows are read.
    pub poll_interval: Span,
    /// The zone in which a month begins.
    pub zone: Tz,
    /// Planned work that touches its windows or lies ahead, oldest first and without overlap.
    pub work: &'a [Stretch],
    /// The team's policy.
    pub policy: &'a PolicyBands,
    /// The band that has settled; the one of what is left where none has.
    pub band: Option<&'a str>,
    /// Since when each pair is over its factor, for those that must be for a while.
    pub over_since: &'a BTreeMap<usize, Timestamp>,
}

static NEVER: BTreeMap<usize, Timestamp> = BTreeMap::new();

impl Around<'_> {
    /// No planned work, the compiled-in policy, months in UTC.
    pub fn plain(poll_interval: Span) -> Self {
        let policy = PolicyBands::standard();
        Self { poll_interval, zone: Tz::UTC, work: &[], policy, band: None, over_since: &NEVER }
    }
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
    /// The budget of the calendar period: the objective's own, or the month beside its rolling window.
    pub calendar: Option<Calendar>,
    /// Why a composite has no calendar, outlook and cost.
    pub untold: Option<String>,
    /// Planned work.
    pub work: Work,
    /// Share of the window that has data, 0..1, where known.
    pub coverage: Option<f64>,
    /// Share of the window whose history was read, 0..1; `None` where none has to be.
    pub read: Option<f64>,
    /// Too few bad events for an exact number.
    pub approximate: bool,
    /// What rules on the server recorded, where the event-weighted number is known too.
    pub recorded: Option<Recording>,
    /// `events`, `recorded` or `slices`.
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
    assess_around(objective, measurement, now, &Around::plain(poll_interval))
}

/// The same with planned work, the team's policy and what has settled.
pub fn assess_around(
    objective: &Objective,
    measurement: Option<&Measurement>,
    now: Timestamp,
    around: &Around<'_>,
) -> Status {
    let known = Known::of(objective, measurement, now, around);
    let short_age = around.poll_interval.checked_mul(4).unwrap_or(Span::MAX);
    let view = View { objective, measurement, known: &known, now, short_age };
    let own = Window::of(objective.window);
    let calendar = known.calendar(objective, now, around.zone);
    let Sums { at: budget_at, counts, errors, consumed, length } = view.sums(own, calendar.as_ref());
    let remaining = consumed.map(|c| 1.0 - c);
    let minutes_total = budget::minutes_total(objective.target, length);
    let alerts = view.pairs(around);
    let (state, reason) = view.state(own, remaining, &alerts);
    let fresh_budget = view.fresh(own).is_some();
    let rule = objective.policy.as_ref();
    let settled = around.band.and_then(|name| around.policy.bands.iter().find(|b| b.name == name));
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
            band: remaining.and_then(|r| settled.or_else(|| around.policy.of(r))).cloned(),
            action: rule.zip(consumed).and_then(|(rule, used)| due(rule, used)).map(str::to_owned),
        },
        forecast: view.forecast(remaining.filter(|_| fresh_budget), calendar.as_ref()),
        calendar,
        untold: measurement.and_then(|m| m.parts.as_ref()?.as_ref().err()).cloned(),
        work: known.work.clone(),
        coverage: measurement.and_then(|m| m.coverage),
        read: measurement.and_then(|m| m.read),
        approximate: quality::approximate(measurement, counts),
        recorded: quality::recording(objective, measurement),
        source: match (measurement, &objective.sli) {
            (Some(m), _) => m.via.word(),
            (None, Sli::Events { .. } | Sli::Composite(_)) => Via::Events.word(),
            (None, _) => Via::Slices.word(),
        },
        measured_at: view.newest(),
        budget_at,
    }
}

/// What a budget is reckoned from.
struct Sums {
    at: Option<Timestamp>,
    counts: Option<Counts>,
    errors: Option<f64>,
    consumed: Option<f64>,
    length: Span,
}

/// The parts of a measurement that are still true.
struct View<'a> {
    objective: &'a Objective,
    measurement: Option<&'a Measurement>,
    known: &'a Known,
    now: Timestamp,
    short_age: Span,
}

impl View<'_> {
    /// The objective's own budget: that of its calendar period if it has one, else of its rolling window. It keeps its last
    /// value while it is old: the state says so, and the instant how old.
    fn sums(&self, own: Window, calendar: Option<&Calendar>) -> Sums {
        let reading = self.known.windows.get(&own).or_else(|| self.measurement?.windows.get(&own));
        let at = reading.map(|(at, _)| *at);
        if self.objective.period.is_some() {
            let length = calendar.map_or(self.objective.window, |c| c.to - c.from);
            let counts = calendar.map(|c| c.events);
            let errors = counts.and_then(Counts::error_ratio);
            return Sums { at, counts, errors, consumed: calendar.and_then(|c| c.consumed), length };
        }
        let errors = reading.and_then(|(_, r)| r.error_ratio());
        let consumed = errors.and_then(|e| budget::consumed_by(e, self.objective.target));
        Sums { at, counts: reading.and_then(|(_, r)| r.counts()), errors, consumed, length: self.objective.window }
    }

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

    /// The same without what planned work excludes.
    fn net(&self, window: Window) -> Option<&Reading> {
        let gross = self.fresh(window)?;
        Some(self.known.windows.get(&window).map_or(gross, |(_, net)| net))
    }

    fn stale(&self) -> bool {
        self.newest().is_some_and(|at| self.now - at > self.short_age)
    }

    fn rate(&self, window: Window) -> Option<f64> {
        burn::of(self.net(window)?.error_ratio()?, self.objective.target)
    }

    fn burn_rates(&self, own: Window) -> BTreeMap<Window, Option<f64>> {
        let named = self.objective.pairs.iter().flat_map(|p| [p.long, p.short]);
        let read = self.measurement.into_iter().flat_map(|m| m.windows.keys().copied());
        named.chain(read).filter(|w| *w != own).chain(Window::BURN).map(|w| (w, self.rate(w))).collect()
    }

    fn forecast(&self, remaining: Option<f64>, calendar: Option<&Calendar>) -> Forecast {
        let own = calendar.filter(|_| self.objective.period.is_some());
        let window = own.map_or(self.objective.window, |c| c.to - c.from);
        let left = |w: Window| forecast::naive(remaining?, self.rate(w)?, window);
        let (left_1h, left_6h) = (left(Window::H1), left(Window::H6));
        // A calendar budget forgets nothing, and is whole again when its period ends.
        let within = own.map_or(window, |c| c.to - self.now);
        let naive = left_1h.filter(|left| *left <= within);
        let outlook =
            remaining.filter(|_| own.is_none()).map(|r| self.known.outlook(self.objective, r, self.rate(Window::H1)));
        let outlook = outlook.unwrap_or_default();
        let left = match outlook.rolling {
            Some(Rolling::Gone(left)) => Some(left),
            Some(Rolling::Recovers) => None,
            None => naive,
        };
        let exhausts_at = left.and_then(|left| self.now.checked_add_signed(left));
        Forecast { exhausts_at, left_1h, left_6h, ..outlook }
    }

    /// The worst of what applies. Nothing that is stale can burn: it is not known to.
    fn state(&self, own: Window, remaining: Option<f64>, alerts: &[PairState]) -> (State, Option<String>) {
        let Some(measurement) = self.measurement.filter(|m| !m.windows.is_empty()) else {
            let read = self.measurement.and_then(|m| quality::warming(self.objective, m));
            return (State::Warming, read);
        };
        let readings = || measurement.windows.keys().filter_map(|w| self.fresh(*w));
        let wrong = measurement.trouble.as_ref().and_then(quality::wrong);
        if self.stale() {
            let readings = measurement.windows.values();
            return (State::Stale, wrong.or_else(|| readings.map(|(_, r)| r).find_map(quality::wrong)));
        }
        let shortest = measurement.windows.iter().find(|(w, _)| self.fresh(**w).is_some());
        let mut found = vec![State::Ok];
        if self.fresh(own).is_some() && remaining.is_some_and(|r| budget::round12(r) <= 0.0) {
            found.push(State::Exhausted);
        }
        if alerts.iter().any(|a| a.firing == Some(true)) {
            found.push(State::Burning);
        }
        if wrong.is_some() || readings().any(|r| matches!(r, Reading::Error(_) | Reading::Odd(_))) {
            found.push(State::Error);
        }
        // The shortest window is the first to show that a service went away; the own one that it never was.
        if matches!(shortest, Some((_, (_, Reading::NoData)))) || matches!(self.fresh(own), Some(Reading::NoData)) {
            found.push(State::NoData);
        }
        match measurement.windows.get(&own) {
            None => found.push(State::Warming),
            // Last known values stand for a window that is still being read.
            Some(_) if self.fresh(own).is_none() && measurement.read.is_some_and(|r| r < 1.0) => {
                found.push(State::Warming);
            }
            Some(_) if self.fresh(own).is_none() => found.push(State::Stale),
            // A calendar budget needs the events of its period.
            Some(_) if remaining.is_none() && self.objective.period.is_some() => found.push(State::Warming),
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
            State::Warming => quality::warming(self.objective, measurement),
            State::NoData => quality::silent_since(measurement, self.now),
            _ => wrong.or_else(|| readings().find_map(quality::wrong)),
        };
        (state, reason)
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
        let naive = [self.forecast.left_1h, self.forecast.left_6h].into_iter().flatten().min();
        let left = if self.forecast.rolling.is_some() { self.forecast.left() } else { naive };
        let empty_in_ms = if gone { 0 } else { left.map_or(i64::MAX, |l| l.num_milliseconds()) };
        // Parts per million of the budget: finer is noise, and a float has no order.
        let share = self.budget.remaining.map_or(i64::MAX, |r| (r * 1e6) as i64);
        Urgency { rank, empty_in_ms, left: share, id: self.id.clone() }
    }
}

#[cfg(test)]
mod tests;

//! The simulated Prometheus: measures any window at any instant. Never asks a real one.

use crate::domain::alert::Alert;
use crate::domain::alert::AlertState;
use crate::domain::alert::rule::AlertRule;
use crate::domain::drill::alarm;
use crate::domain::drill::alarm::{BAD_DEPLOY, GOOD_DEPLOY};
use crate::domain::drill::course::{Act, ONSET};
use crate::domain::drill::production::Production;
use crate::domain::drill::promise::{ALL, Promise};
use crate::domain::drill::service as production;
use crate::domain::fault::Fault;
use crate::domain::fault::FaultKind;
use crate::domain::labels::Labels;
use crate::domain::server_note::ServerNote;
use crate::domain::slo::assemble;
use crate::domain::slo::history;
use crate::domain::slo::marks::{self, Marker, Marks, Whose};
use crate::domain::slo::objective::{Objective, Sli};
use crate::domain::slo::reading::Counts;
use crate::domain::slo::reading::History;
use crate::domain::slo::reading::Measurement;
use crate::domain::slo::reading::Reading;
use crate::domain::slo::reading::Series;
use crate::domain::slo::reading::Via;
use crate::domain::slo::reading::Window;
use crate::domain::slo::sample::{RangeSeries, Sample};
use crate::domain::slo::service::{Service, Signal, SignalKind};
use crate::domain::slo::signals::{ServiceReading, SignalReading, SignalValue};
use crate::domain::slo::warm::Rows;
use crate::domain::slo::warm::Warmed;
use crate::domain::text::clean;
use crate::domain::text::truncate;
use crate::domain::time::Span;
use crate::domain::time::Timestamp;
use crate::domain::time::parse_span;
use crate::domain::time::secs;
use crate::io::fake::Simulation;
use crate::io::port::Metrics;
use crate::io::port::Task;
use std::sync::Arc;

pub(super) const WHAT: &str = "prometheus demo";
/// The one query that tells of changes here.
const VERSIONS: &str = "count by (service, version) (build_info)";
/// When the first replica got the new version, in seconds of the story.
const CANARY: f64 = -2_400.0;
/// Points per line; as many as a Prometheus answers.
const MOST_POINTS: i32 = 11_000;

/// The metrics port of a [`Simulation`].
#[derive(Clone, Debug)]
pub struct FakeMetrics {
    simulation: Simulation,
}

impl FakeMetrics {
    pub(super) fn new(simulation: Simulation) -> Self {
        Self { simulation }
    }

    pub(super) async fn ask(&self) -> Result<Production, Fault> {
        self.simulation.ask(&self.simulation.shared.metrics_fault, WHAT).await?;
        Ok(self.simulation.production())
    }
}

/// The one series that is recorded here: `slo:burn_rate:5m{slo="NAME"}`.
fn burn_rate(promql: &str) -> Option<(&str, Window)> {
    let (window, matcher) = promql.trim().strip_prefix("slo:burn_rate:")?.split_once('{')?;
    let slo = matcher.strip_prefix("slo=\"")?.strip_suffix("\"}")?;
    Some((slo, Window::of(parse_span(window).ok()?)))
}

impl Metrics for FakeMetrics {
    fn measure<'a>(
        &'a self,
        objectives: &'a [Arc<Objective>],
        windows: &'a [Window],
        now: Timestamp,
    ) -> Task<'a, Result<(Vec<Measurement>, ServerNote), Fault>> {
        Box::pin(async move {
            let production = self.ask().await?;
            let all = objectives
                .iter()
                .map(|o| measurement(o, windows, now, |window| production.window(o.id.as_str(), window, now)))
                .collect();
            Ok((all, note()))
        })
    }

    fn warm<'a>(
        &'a self,
        first: &'a [Arc<Objective>],
        rest: &'a [Arc<Objective>],
        now: Timestamp,
    ) -> Task<'a, Result<Warmed, Fault>> {
        // Every poll knows every window: there is no history to be read.
        let _ = (first, rest, now);
        Box::pin(async move { self.ask().await.map(|_| Warmed { note: note(), ..Warmed::default() }) })
    }

    fn rows<'a>(&'a self, templates: &'a [Arc<Objective>], _now: Timestamp) -> Task<'a, Result<Vec<Rows>, Fault>> {
        let none = |o: &Arc<Objective>| Rows { template: o.id.clone(), labels: Vec::new(), left_out: 0 };
        Box::pin(async move { self.ask().await.map(|_| templates.iter().map(none).collect()) })
    }

    fn signals<'a>(
        &'a self,
        services: &'a [Arc<Service>],
        now: Timestamp,
    ) -> Task<'a, Result<Vec<ServiceReading>, Fault>> {
        Box::pin(async move {
            let production = self.ask().await?;
            Ok(services.iter().map(|s| signals(&production, s, now)).collect())
        })
    }

    fn history<'a>(
        &'a self,
        objective: &'a Objective,
        windows: &'a [Window],
        range: Span,
        step: Span,
        end: Timestamp,
    ) -> Task<'a, Result<History, Fault>> {
        Box::pin(async move {
            let production = self.ask().await?;
            let grid = Grid { end, start: end - range, step: step.max(secs(1)), known: self.simulation.now() };
            let line = |window| grid.line(window, |at| burn(&production, objective, window, at));
            let budget = Window::of(objective.window);
            Ok(History {
                slo: objective.id.clone(),
                series: windows.iter().copied().map(line).collect(),
                budget: Some(grid.line(budget, |at| burn(&production, objective, budget, at).map(|b| 1.0 - b))),
            })
        })
    }

    fn marks<'a>(&'a self, markers: &'a [Marker], range: Span, end: Timestamp) -> Task<'a, Result<Marks, Fault>> {
        Box::pin(async move {
            let production = self.ask().await?;
            let (step, _) = marks::grid(range);
            let axis = history::Grid::over(range, step, end);
            let mut out = Marks::default();
            for marker in markers {
                match marker.query == VERSIONS {
                    true => out.add(marker, marker.read(&versions(&production, axis), axis.start, axis.step)),
                    false => out.remarks.push(format!("{}: {}", marker.name, unknown(&marker.query))),
                }
            }
            Ok(out)
        })
    }

    fn query<'a>(&'a self, promql: &'a str, now: Timestamp) -> Task<'a, Result<Vec<Sample>, Fault>> {
        Box::pin(async move {
            let production = self.ask().await?;
            if let Some((slo, window)) = burn_rate(promql) {
                let value = production.burn(slo, window, now);
                let labels = Labels::from([("slo", slo)]);
                return Ok(value.map(|value| Sample { labels, at: now, value }).into_iter().collect());
            }
            // Answering an expression that nobody modelled would look like a measurement.
            Err(Fault::new(FaultKind::Rejected, WHAT, unknown(promql)))
        })
    }

    fn alerts(&self) -> Task<'_, Result<Vec<Alert>, Fault>> {
        Box::pin(async move {
            let production = self.ask().await?;
            let mut all = alarm::alerts(&production, self.simulation.now());
            // A Prometheus knows nothing of silences.
            for alert in &mut all {
                if alert.state == AlertState::Silenced {
                    alert.state = AlertState::Firing;
                    alert.held_by.clear();
                }
            }
            Ok(all)
        })
    }

    fn rules(&self) -> Task<'_, Result<Vec<AlertRule>, Fault>> {
        Box::pin(async move { self.ask().await.map(|_| alarm::rules()) })
    }

    fn probe(&self) -> Task<'_, Result<ServerNote, Fault>> {
        Box::pin(async move { self.ask().await.map(|_| note()) })
    }
}

fn unknown(promql: &str) -> String {
    format!("the simulated production does not know `{}`", truncate(&clean(promql), 60))
}

/// What tells of deploys here: a version that was not there before.
pub(super) fn marker() -> Marker {
    Marker {
        name: "deploy".to_owned(),
        query: VERSIONS.to_owned(),
        text: "{{service}} {{version}}".to_owned(),
        whose: Whose::Label("service".to_owned()),
    }
}

/// How many replicas run each version of the service that is rolled out and back, on a grid.
fn versions(production: &Production, axis: history::Grid) -> Vec<RangeSeries> {
    let back = production.course().done(Act::RollBack);
    let is_back = move |second: f64| back.is_some_and(|at| second >= at);
    let replicas = move |version: &str, second: f64| match (version == BAD_DEPLOY, is_back(second)) {
        (true, true) => 0.0,
        (true, false) if second >= ONSET => 6.0,
        (true, false) => f64::from(u8::from(second >= CANARY)),
        (false, true) => 6.0,
        (false, false) if second >= ONSET => 0.0,
        (false, false) => 6.0 - f64::from(u8::from(second >= CANARY)),
    };
    let line = |version: &str| {
        let instants =
            std::iter::successors(Some(axis.start), |at| Some(*at + axis.step).filter(|at| *at <= axis.end()));
        let value = |at: Timestamp| replicas(version, production.elapsed(at));
        RangeSeries {
            labels: Labels::from([("service", production::Service::Checkout.name()), ("version", version)]),
            points: instants.map(|at| (at, value(at))).filter(|(_, many)| *many > 0.0).collect(),
        }
    };
    [GOOD_DEPLOY, BAD_DEPLOY].into_iter().map(line).collect()
}

pub(super) fn note() -> ServerNote {
    let version = Some("simulated".to_owned());
    ServerNote { requests: 1, skew: Some(Span::zero()), version, ..ServerNote::default() }
}

/// What a simulated world says of an objective over windows: the counts of each, or no data.
pub(super) fn measurement(
    objective: &Objective,
    windows: &[Window],
    now: Timestamp,
    counts: impl Fn(Window) -> Option<Counts>,
) -> Measurement {
    let read = |window: &Window| (*window, (now, counts(*window).map_or(Reading::NoData, Reading::Counts)));
    Measurement {
        windows: assemble::windows(objective, windows).iter().map(read).collect(),
        coverage: Some(1.0),
        via: if matches!(objective.sli, Sli::Events { .. }) { Via::Events } else { Via::Slices },
        ..Measurement::empty(objective.id.clone())
    }
}

/// The signals that the simulated production has: its traffic, and how much of that fails.
fn signals(production: &Production, service: &Service, now: Timestamp) -> ServiceReading {
    let value = |kind: SignalKind| match kind {
        SignalKind::Rate => {
            let found = production::Service::ALL.into_iter().find(|s| s.name() == service.name);
            found.map(|s| production.rate(s, now))
        }
        SignalKind::Errors => {
            let mut promises = ALL.iter().map(Promise::objective).filter(|o| o.service == service.name);
            let ratio = promises.find(|o| matches!(o.sli, Sli::Events { .. }));
            ratio.and_then(|o| production.window(o.id.as_str(), Window::M5, now)?.error_ratio())
        }
        _ => None,
    };
    let signal = |s: &Signal| SignalReading {
        kind: s.kind,
        unit: s.unit,
        limit: s.limit,
        value: value(s.kind).map_or(SignalValue::NoData, SignalValue::Value),
    };
    ServiceReading { service: service.name.clone(), at: now, signals: service.signals.iter().map(signal).collect() }
}

fn burn(production: &Production, objective: &Objective, window: Window, at: Timestamp) -> Option<f64> {
    let counts = production.window(objective.id.as_str(), window, at)?;
    counts.error_ratio().map(|e| e / (1.0 - objective.target)).filter(|b| b.is_finite())
}

/// The instants of a chart; those after `known` have not happened and have no value.
pub(super) struct Grid {
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    pub(super) step: Span,
    pub(super) known: Timestamp,
}

impl Grid {
    pub(super) fn line(&self, window: Window, value: impl Fn(Timestamp) -> Option<f64>) -> Series {
        let points = (0..MOST_POINTS)
            .map_while(|i| self.step.checked_mul(i).and_then(|ahead| self.start.checked_add_signed(ahead)))
            .take_while(|at| *at <= self.end)
            .map(|at| if at > self.known { None } else { value(at) })
            .collect();
        Series { window, start: self.start, step: self.step, points }
    }
}

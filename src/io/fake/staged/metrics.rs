//! The Prometheus of a drill: what the signals of its scenario say, and nothing else. Never asks a real one.

use crate::domain::alert::Alert;
use crate::domain::alert::rule::AlertRule;
use crate::domain::drill::scenario::Tool;
use crate::domain::drill::stage::Stage;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::server_note::ServerNote;
use crate::domain::slo::objective::Objective;
use crate::domain::slo::reading::{History, Measurement, Window};
use crate::domain::slo::sample::Sample;
use crate::domain::slo::service::{Service, Signal, SignalKind};
use crate::domain::slo::signals::{ServiceReading, SignalReading, SignalValue};
use crate::domain::slo::warm::{Rows, Warmed};
use crate::domain::text::{clean, truncate};
use crate::domain::time::{Span, Timestamp, secs};
use crate::io::fake::metrics::{Grid, measurement, note};
use crate::io::fake::staged::Staged;
use crate::io::port::{Metrics, Task};
use std::sync::Arc;

const WHAT: &str = "prometheus drill";

/// The metrics port of a [`Staged`].
#[derive(Clone, Debug)]
pub struct StagedMetrics {
    staged: Staged,
}

impl StagedMetrics {
    pub(super) fn new(staged: Staged) -> Self {
        Self { staged }
    }

    async fn ask(&self) -> Result<(), Fault> {
        self.staged.ask(Tool::Prometheus, WHAT).await
    }
}

impl Metrics for StagedMetrics {
    fn measure<'a>(
        &'a self,
        objectives: &'a [Arc<Objective>],
        windows: &'a [Window],
        now: Timestamp,
    ) -> Task<'a, Result<(Vec<Measurement>, ServerNote), Fault>> {
        Box::pin(async move {
            self.ask().await?;
            let read = |stage: &mut Stage| {
                let one = |o: &Arc<Objective>| {
                    measurement(o, windows, now, |window| stage.window(o.id.as_str(), window, now))
                };
                objectives.iter().map(one).collect()
            };
            Ok((self.staged.with(read), note()))
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
        Box::pin(async move { self.ask().await.map(|()| Warmed { note: note(), ..Warmed::default() }) })
    }

    fn rows<'a>(&'a self, templates: &'a [Arc<Objective>], _now: Timestamp) -> Task<'a, Result<Vec<Rows>, Fault>> {
        let none = |o: &Arc<Objective>| Rows { template: o.id.clone(), labels: Vec::new(), left_out: 0 };
        Box::pin(async move { self.ask().await.map(|()| templates.iter().map(none).collect()) })
    }

    fn signals<'a>(
        &'a self,
        services: &'a [Arc<Service>],
        now: Timestamp,
    ) -> Task<'a, Result<Vec<ServiceReading>, Fault>> {
        Box::pin(async move {
            self.ask().await?;
            Ok(self.staged.with(|stage| services.iter().map(|s| signals(stage, s, now)).collect()))
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
            self.ask().await?;
            let grid = Grid { end, start: end - range, step: step.max(secs(1)), known: self.staged.now() };
            let budget = Window::of(objective.window);
            Ok(self.staged.with(|stage| {
                let line = |window| grid.line(window, |at| burn(stage, objective, window, at));
                History {
                    slo: objective.id.clone(),
                    series: windows.iter().copied().map(line).collect(),
                    budget: Some(grid.line(budget, |at| burn(stage, objective, budget, at).map(|b| 1.0 - b))),
                }
            }))
        })
    }

    fn query<'a>(&'a self, promql: &'a str, _now: Timestamp) -> Task<'a, Result<Vec<Sample>, Fault>> {
        Box::pin(async move {
            self.ask().await?;
            let now = self.staged.now();
            self.staged.with(|stage| stage.query(promql, now)).ok_or_else(|| {
                // Answering an expression that nobody modelled would look like a measurement.
                let why = format!("not simulated: `{}`", truncate(&clean(promql), 60));
                Fault::new(FaultKind::Rejected, WHAT, why)
            })
        })
    }

    fn alerts(&self) -> Task<'_, Result<Vec<Alert>, Fault>> {
        Box::pin(async move {
            self.ask().await?;
            Ok(self.staged.with(|stage| stage.alerts()))
        })
    }

    fn rules(&self) -> Task<'_, Result<Vec<AlertRule>, Fault>> {
        Box::pin(async move {
            self.ask().await?;
            Ok(self.staged.with(|stage| stage.rules()))
        })
    }

    fn probe(&self) -> Task<'_, Result<ServerNote, Fault>> {
        Box::pin(async move { self.ask().await.map(|()| note()) })
    }
}

fn signals(stage: &Stage, service: &Service, now: Timestamp) -> ServiceReading {
    let value = |kind: SignalKind| match kind {
        SignalKind::Rate => stage.rate(&service.name, now),
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

fn burn(stage: &Stage, objective: &Objective, window: Window, at: Timestamp) -> Option<f64> {
    let counts = stage.window(objective.id.as_str(), window, at)?;
    counts.error_ratio().map(|e| e / (1.0 - objective.target)).filter(|b| b.is_finite())
}

//! Measures objectives with a Prometheus-compatible server: plans, asks at most four at a time, joins. Speaks no HTTP
//! itself ([`Ask`] does), holds no policy about when to ask, and never waits longer than what it asks.

use crate::domain::alert::Alert;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::ids::SloId;
use crate::domain::slo::history::{self, Grid};
use crate::domain::slo::objective::{Objective, Sli};
use crate::domain::slo::plan::ranges::{self, RangeRequest, Want};
use crate::domain::slo::plan::{self, Reply, Request};
use crate::domain::slo::reading::{History, Measurement, Reading, Via, Window};
use crate::domain::slo::sample::{RangeSeries, Sample};
use crate::domain::slo::service::Service;
use crate::domain::slo::signals::ServiceReading;
use crate::domain::slo::slices::Slices;
use crate::domain::slo::warm::{Rows, Warmed};
use crate::domain::time::{Span, Timestamp};
use crate::io::port::{Metrics, ServerNote, Task};
use crate::io::prometheus::answer::Answer;
use crate::io::prometheus::signals;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::task::JoinSet;

/// Requests to one server at the same time.
const IN_FLIGHT: usize = 4;
/// Requests that one refusal may cause while the refused text is looked for.
const SEARCH: usize = 16;
/// Points of a budget line.
const BUDGET_POINTS: usize = 720;

/// What is needed of a client. Faults name the source.
pub trait Ask: Send + Sync + std::fmt::Debug + 'static {
    /// An instant query.
    fn instant<'a>(&'a self, query: &'a str, at: Timestamp) -> Task<'a, Result<Answer<Vec<Sample>>, Fault>>;
    /// A range query; both ends inclusive.
    fn range<'a>(
        &'a self,
        query: &'a str,
        start: Timestamp,
        end: Timestamp,
        step: Span,
    ) -> Task<'a, Result<Answer<Vec<RangeSeries>>, Fault>>;
    /// The alerts that the server evaluates.
    fn alerts(&self) -> Task<'_, Result<Vec<Alert>, Fault>>;
    /// Whether it is there, and its version.
    fn buildinfo(&self) -> Task<'_, Result<ServerNote, Fault>>;
}

/// A server that measures objectives. Keeps the slices of those that need them between polls.
#[derive(Debug)]
pub struct Prometheus<A> {
    ask: Arc<A>,
    slices: Mutex<HashMap<SloId, Kept>>,
    plan: Mutex<Option<Planned>>,
}

/// Slices, and what they are of: a changed file makes them void.
#[derive(Debug)]
struct Kept {
    of: (Sli, Span),
    slices: Slices,
}

/// The last plan: the same objectives and windows come again at every poll, and reading a thousand texts takes time.
#[derive(Debug)]
struct Planned {
    objectives: Vec<Arc<Objective>>,
    windows: Vec<Window>,
    requests: Vec<Request>,
}

/// What a poll heard beside the data.
#[derive(Debug, Default)]
struct Heard {
    note: ServerNote,
    answered: usize,
    fault: Option<Fault>,
}

impl Heard {
    fn of<T>(&mut self, answer: &Result<Answer<T>, Fault>) {
        self.note.requests += 1;
        match answer {
            Ok(answer) => {
                self.answered += 1;
                self.note.skew = self.note.skew.or(answer.skew);
                for warning in &answer.warnings {
                    if !self.note.warnings.contains(warning) {
                        self.note.warnings.push(warning.clone());
                    }
                }
            }
            // A refusal is about one text; anything else says more of the source.
            Err(fault) if self.fault.as_ref().is_none_or(|f| f.kind == FaultKind::Rejected) => {
                self.fault = Some(fault.clone());
            }
            Err(_) => {}
        }
    }

    /// The fault of a source that answered nothing. One that refuses texts is there, and each objective says so itself.
    fn dead(&self) -> Option<Fault> {
        self.fault.clone().filter(|f| self.answered == 0 && f.kind != FaultKind::Rejected)
    }
}

type Replies = Vec<(Request, Result<Reply, Fault>)>;
type Lines = Result<Answer<Vec<RangeSeries>>, Fault>;

impl<A: Ask> Prometheus<A> {
    /// Over a client.
    pub fn new(ask: A) -> Self {
        Self { ask: Arc::new(ask), slices: Mutex::default(), plan: Mutex::default() }
    }

    async fn measured(
        &self,
        objectives: &[Arc<Objective>],
        windows: &[Window],
        now: Timestamp,
    ) -> Result<(Vec<Measurement>, ServerNote), Fault> {
        let mut heard = Heard::default();
        let replies = self.instants(self.planned(objectives, windows), now, &mut heard).await;
        let mut measurements = plan::join(objectives, windows, now, &replies);
        let wants = self.wants(objectives, now);
        if !wants.is_empty() {
            let answers = self.ranges(ranges::requests(objectives, &wants), &mut heard).await;
            self.sliced(objectives, windows, now, &answers, &mut measurements);
        }
        match heard.dead() {
            Some(fault) => Err(fault),
            None => Ok((measurements, heard.note)),
        }
    }

    fn planned(&self, objectives: &[Arc<Objective>], windows: &[Window]) -> Vec<Request> {
        let mut plan = lock(&self.plan);
        if let Some(p) = &*plan {
            let same = p.objectives.len() == objectives.len()
                && p.objectives.iter().zip(objectives).all(|(a, b)| Arc::ptr_eq(a, b));
            if same && p.windows == windows {
                return p.requests.clone();
            }
        }
        let requests = plan::requests(objectives, windows);
        *plan =
            Some(Planned { objectives: objectives.to_vec(), windows: windows.to_vec(), requests: requests.clone() });
        requests
    }

    /// Asks all; where a server refuses a request for several objectives, its halves are asked, so that one bad text
    /// costs the others nothing.
    async fn instants(&self, requests: Vec<Request>, now: Timestamp, heard: &mut Heard) -> Replies {
        let (mut done, mut searches) = (Vec::new(), 0);
        let mut queue: VecDeque<Request> = requests.into();
        let mut running = JoinSet::new();
        loop {
            while running.len() < IN_FLIGHT
                && let Some(request) = queue.pop_front()
            {
                let ask = Arc::clone(&self.ask);
                running.spawn(async move {
                    let answer = ask.instant(&request.query(), now).await;
                    (request, answer)
                });
            }
            let Some(joined) = running.join_next().await else { return done };
            let Ok((request, answer)) = joined else { continue };
            heard.of(&answer);
            if let Err(fault) = &answer
                && fault.kind == FaultKind::Rejected
                && searches < SEARCH
                && let Some((a, b)) = request.halves()
            {
                searches += 1;
                queue.extend([a, b]);
                continue;
            }
            let reply = |a: Answer<Vec<Sample>>| Reply { samples: a.data, warnings: a.warnings, partial: a.partial };
            done.push((request, answer.map(reply)));
        }
    }

    async fn ranges(&self, requests: Vec<RangeRequest>, heard: &mut Heard) -> Vec<(RangeRequest, Lines)> {
        let (mut done, mut searches) = (Vec::new(), 0);
        let mut queue: VecDeque<RangeRequest> = requests.into();
        let mut running = JoinSet::new();
        loop {
            while running.len() < IN_FLIGHT
                && let Some(request) = queue.pop_front()
            {
                let ask = Arc::clone(&self.ask);
                running.spawn(async move {
                    let answer = ask.range(&request.query(), request.start, request.end, request.step).await;
                    (request, answer)
                });
            }
            let Some(joined) = running.join_next().await else { return done };
            let Ok((request, answer)) = joined else { continue };
            heard.of(&answer);
            if let Err(fault) = &answer
                && fault.kind == FaultKind::Rejected
                && searches < SEARCH
                && let Some((a, b)) = request.halves()
            {
                searches += 1;
                queue.extend([a, b]);
                continue;
            }
            done.push((request, answer));
        }
    }

    /// What is missing in the slices of those objectives that are measured so.
    fn wants(&self, objectives: &[Arc<Objective>], now: Timestamp) -> Vec<Want> {
        let mut kept = lock(&self.slices);
        let mut wants = Vec::new();
        for (index, objective) in objectives.iter().enumerate() {
            let Some(fresh) = Slices::of(objective) else { continue };
            let of = (objective.sli.clone(), objective.window);
            let entry =
                kept.entry(objective.id.clone()).or_insert_with(|| Kept { of: of.clone(), slices: fresh.clone() });
            if entry.of != of {
                *entry = Kept { of, slices: fresh };
            }
            let (start, end) = entry.slices.wanted(now);
            wants.push(Want { objective: index, start, end, step: entry.slices.step() });
        }
        wants
    }

    fn sliced(
        &self,
        objectives: &[Arc<Objective>],
        windows: &[Window],
        now: Timestamp,
        answers: &[(RangeRequest, Lines)],
        measurements: &mut [Measurement],
    ) {
        let mut kept = lock(&self.slices);
        let mut faults: BTreeMap<usize, Fault> = BTreeMap::new();
        let mut answers: Vec<_> = answers.iter().collect();
        // Pieces of one stretch go in by time, and all or none of them: what is missing is asked again as a whole.
        answers.sort_by_key(|(request, _)| request.start);
        for (request, answer) in &answers {
            if let Err(fault) = answer {
                faults.extend(request.parts.iter().map(|(index, _)| (*index, fault.clone())));
            }
        }
        for (request, answer) in answers {
            let Ok(answer) = answer else { continue };
            for (index, _) in request.parts.iter().filter(|(index, _)| !faults.contains_key(index)) {
                let Some(objective) = objectives.get(*index) else { continue };
                if let Some(entry) = kept.get_mut(&objective.id) {
                    let series = request.series_of(*index, &answer.data);
                    entry.slices.merge(request.start, request.end, &series, &objective.sli);
                }
                if let Some(m) = measurements.get_mut(*index) {
                    m.partial |= answer.partial || !answer.warnings.is_empty();
                    m.warnings.extend(answer.warnings.iter().cloned());
                }
            }
        }
        for (index, objective) in objectives.iter().enumerate() {
            let (Some(entry), Some(m)) = (kept.get(&objective.id), measurements.get_mut(index)) else { continue };
            if matches!(objective.sli, Sli::Events { .. }) {
                continue;
            }
            for window in windows.iter().filter(|w| w.0 > 0) {
                let reading = match faults.get(&index) {
                    Some(fault) => Reading::Error(fault.clone()),
                    None => entry.slices.reading(*window, objective.gap),
                };
                m.windows.insert(*window, (now, reading));
            }
            m.via = Via::Slices;
            m.coverage = Some(entry.slices.coverage(Window::of(objective.window)));
        }
    }

    async fn chart(
        &self,
        objective: &Objective,
        windows: &[Window],
        range: Span,
        step: Span,
        end: Timestamp,
    ) -> Result<History, Fault> {
        let slo = objective.id.clone();
        let shared = Arc::new(objective.clone());
        if !matches!(objective.sli, Sli::Events { .. }) {
            return self.chart_of_slices(shared, windows, Grid::over(range, step, end), end).await;
        }
        let grid = Grid::over(range, step, end);
        let mut heard = Heard::default();
        let one = [shared];
        let lines = self.grid(plan::requests(&one, windows), grid, &mut heard).await?;
        let series = history::burns(objective, grid, &lines);
        // Every event of the window once: the step is the window that is counted.
        let piece = Span::seconds((objective.window.num_seconds() / BUDGET_POINTS as i64).max(60));
        let span = Grid::over(objective.window - piece, piece, end);
        // The lines of burn are worth showing without the budget's.
        let spent = self.grid(plan::requests(&one, &[Window::of(span.step)]), span, &mut heard).await;
        let budget = spent.ok().and_then(|answers| history::budget(objective, span, &answers));
        Ok(History { slo, series, budget })
    }

    async fn grid(&self, requests: Vec<Request>, grid: Grid, heard: &mut Heard) -> Result<Vec<history::Answer>, Fault> {
        let mut answers = Vec::new();
        let asked = requests.iter().enumerate().map(|(index, request)| RangeRequest {
            parts: vec![(index, request.query())],
            start: grid.start,
            end: grid.end(),
            step: grid.step,
        });
        for (asked, answer) in self.ranges(asked.collect(), heard).await {
            let lines = answer?.data;
            let index = asked.parts.first().map_or(0, |(index, _)| *index);
            answers.extend(requests.get(index).map(|request| (request.clone(), lines)));
        }
        Ok(answers)
    }

    async fn chart_of_slices(
        &self,
        objective: Arc<Objective>,
        windows: &[Window],
        grid: Grid,
        end: Timestamp,
    ) -> Result<History, Fault> {
        let list = [Arc::clone(&objective)];
        let filled = lock(&self.slices).contains_key(&objective.id);
        if !filled {
            self.measured(&list, &[], end).await?;
        }
        let kept = lock(&self.slices);
        let slices = kept.get(&objective.id).map(|k| &k.slices);
        let series = slices
            .map(|s| windows.iter().map(|w| s.series(&objective, *w, grid.start, grid.step, grid.points)).collect());
        let budget = slices.and_then(|s| s.budget(&objective, BUDGET_POINTS));
        Ok(History { slo: objective.id.clone(), series: series.unwrap_or_default(), budget })
    }
}

/// A lock whose holder panicked is still whole: every change under it is one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<A: Ask> Metrics for Prometheus<A> {
    fn measure<'a>(
        &'a self,
        objectives: &'a [Arc<Objective>],
        windows: &'a [Window],
        now: Timestamp,
    ) -> Task<'a, Result<(Vec<Measurement>, ServerNote), Fault>> {
        Box::pin(self.measured(objectives, windows, now))
    }

    fn warm<'a>(
        &'a self,
        _first: &'a [Arc<Objective>],
        _rest: &'a [Arc<Objective>],
        _now: Timestamp,
    ) -> Task<'a, Result<Warmed, Fault>> {
        Box::pin(async { Ok(Warmed::default()) })
    }

    fn rows<'a>(&'a self, templates: &'a [Arc<Objective>], _now: Timestamp) -> Task<'a, Result<Vec<Rows>, Fault>> {
        let none = |o: &Arc<Objective>| Rows { template: o.id.clone(), labels: Vec::new(), left_out: 0 };
        Box::pin(async move { Ok(templates.iter().map(none).collect()) })
    }

    fn signals<'a>(
        &'a self,
        services: &'a [Arc<Service>],
        now: Timestamp,
    ) -> Task<'a, Result<Vec<ServiceReading>, Fault>> {
        Box::pin(signals::read(&self.ask, services, now))
    }

    fn history<'a>(
        &'a self,
        objective: &'a Objective,
        windows: &'a [Window],
        range: Span,
        step: Span,
        end: Timestamp,
    ) -> Task<'a, Result<History, Fault>> {
        Box::pin(self.chart(objective, windows, range, step, end))
    }

    fn alerts(&self) -> Task<'_, Result<Vec<Alert>, Fault>> {
        self.ask.alerts()
    }

    fn probe(&self) -> Task<'_, Result<ServerNote, Fault>> {
        self.ask.buildinfo()
    }
}

#[cfg(test)]
mod tests;

//! Measures objectives with a Prometheus-compatible server: what rules recorded there is read, events are counted in a few
//! short windows and in slices, everything else is a sum of slices. Speaks no HTTP itself ([`Ask`] does), holds no policy
//! about when to ask, and never waits longer than what it asks.

mod asking;
mod chart;
pub mod disk;
mod kept;
mod marks;
pub mod past;
mod poll;
mod recordings;
mod rows;
mod warm;

use crate::domain::alert::Alert;
use crate::domain::alert::rule::AlertRule;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::ids::SloId;
use crate::domain::labels::Labels;
use crate::domain::slo::marks::{Marker, Marks};
use crate::domain::slo::objective::Objective;
use crate::domain::slo::plan::Groups;
use crate::domain::slo::reading::{History, Measurement, Window};
use crate::domain::slo::sample::{RangeSeries, Sample};
use crate::domain::slo::service::Service;
use crate::domain::slo::signals::ServiceReading;
use crate::domain::slo::warm::{Cuts, Rows, Warmed};
use crate::domain::time::{Span, Timestamp};
use crate::io::port::{Metrics, ServerNote, Task};
use crate::io::prometheus::answer::Answer;
use crate::io::prometheus::signals;
use asking::IN_FLIGHT;
use chrono_tz::Tz;
use disk::Disk;
use kept::Kept;
use recordings::Recordings;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OnceCell, Semaphore};

/// Recorded objectives whose slices are read on because somebody looked at them.
const LOOKED_AT: usize = 20;

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
    /// The label sets of a selector's series that have samples between two instants.
    fn series<'a>(
        &'a self,
        selector: &'a str,
        start: Timestamp,
        end: Timestamp,
    ) -> Task<'a, Result<Answer<Vec<Labels>>, Fault>>;
    /// The alerts that the server evaluates.
    fn alerts(&self) -> Task<'_, Result<Vec<Alert>, Fault>>;
    /// The alerting rules that the server evaluates.
    fn rules(&self) -> Task<'_, Result<Vec<AlertRule>, Fault>>;
    /// Whether it is there, and its version.
    fn buildinfo(&self) -> Task<'_, Result<ServerNote, Fault>>;
}

/// A server that measures objectives. Keeps slices between polls, and beyond the program where it has a [`Disk`].
#[derive(Debug)]
pub struct Prometheus<A> {
    ask: Arc<A>,
    permits: Arc<Semaphore>,
    kept: Arc<Mutex<Kept>>,
    recordings: Mutex<Recordings>,
    /// Whether its `increase` begins at the sample before the range, and when that was asked.
    looks_back: Mutex<Option<(Timestamp, bool)>>,
    looked_at: Mutex<VecDeque<SloId>>,
    plan: Mutex<Option<Planned>>,
    disk: Option<Disk>,
    /// The disk is read once, at the first question.
    read: OnceCell<()>,
    written: Mutex<Option<Timestamp>>,
}

/// The last plan: the same objectives come again at every poll, and reading a thousand texts takes time.
#[derive(Debug)]
struct Planned {
    objectives: Vec<Arc<Objective>>,
    groups: Arc<Groups>,
}

impl<A: Ask> Prometheus<A> {
    /// Over a client.
    pub fn new(ask: A) -> Self {
        Self {
            ask: Arc::new(ask),
            permits: Arc::new(Semaphore::new(IN_FLIGHT)),
            kept: Arc::default(),
            recordings: Mutex::default(),
            looks_back: Mutex::default(),
            looked_at: Mutex::default(),
            plan: Mutex::default(),
            disk: None,
            read: OnceCell::new(),
            written: Mutex::default(),
        }
    }

    /// With a place where slices outlive the program.
    #[must_use]
    pub fn keeping(self, disk: Option<Disk>) -> Self {
        Self { disk, ..self }
    }

    /// With the zone in which months begin; UTC otherwise.
    #[must_use]
    pub fn months_in(self, zone: Tz) -> Self {
        lock(&self.kept).begin_months_in(zone);
        self
    }

    fn planned(&self, objectives: &[Arc<Objective>]) -> Arc<Groups> {
        let mut plan = lock(&self.plan);
        if let Some(p) = &*plan {
            let same = p.objectives.len() == objectives.len()
                && p.objectives.iter().zip(objectives).all(|(a, b)| Arc::ptr_eq(a, b));
            if same {
                return Arc::clone(&p.groups);
            }
        }
        let groups = Arc::new(Groups::of(objectives));
        *plan = Some(Planned { objectives: objectives.to_vec(), groups: Arc::clone(&groups) });
        groups
    }

    /// Reads back what outlived the last run; at the first question, off this thread.
    async fn recall(&self) {
        let Some(disk) = &self.disk else { return };
        self.read
            .get_or_init(|| async {
                let disk = disk.clone();
                if let Ok(shelf) = tokio::task::spawn_blocking(move || disk.read()).await {
                    lock(&self.kept).lay(shelf);
                }
            })
            .await;
    }
}

/// Writes what changed.
fn write(disk: &Disk, kept: &Mutex<Kept>) {
    // The lock is not held while the disk works.
    let shelf = lock(kept).worth_keeping();
    if let Some(shelf) = shelf
        && let Err(fault) = disk.write(&shelf)
    {
        lock(kept).not_kept();
        tracing::warn!(%fault, "slices were not kept");
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
        first: &'a [Arc<Objective>],
        rest: &'a [Arc<Objective>],
        now: Timestamp,
    ) -> Task<'a, Result<Warmed, Fault>> {
        Box::pin(self.warmed(first, rest, now))
    }

    fn cut(&self, at: &Cuts) {
        lock(&self.kept).cut(at);
    }

    fn rows<'a>(&'a self, templates: &'a [Arc<Objective>], now: Timestamp) -> Task<'a, Result<Vec<Rows>, Fault>> {
        Box::pin(self.rows_of(templates, now))
    }

    fn keep(&self) {
        if let Some(disk) = &self.disk {
            write(disk, &self.kept);
        }
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

    fn marks<'a>(&'a self, markers: &'a [Marker], range: Span, end: Timestamp) -> Task<'a, Result<Marks, Fault>> {
        Box::pin(self.marked(markers, range, end))
    }

    fn query<'a>(&'a self, promql: &'a str, now: Timestamp) -> Task<'a, Result<Vec<Sample>, Fault>> {
        Box::pin(async move {
            let answer = self.ask.instant(promql, now).await?;
            if answer.partial {
                // A series that is missing could be the one that does not hold.
                let why = format!("answered only in part: {}", answer.warnings.join("; "));
                return Err(Fault::new(FaultKind::Server, "prometheus query", why));
            }
            Ok(answer.data)
        })
    }

    fn alerts(&self) -> Task<'_, Result<Vec<Alert>, Fault>> {
        self.ask.alerts()
    }

    fn rules(&self) -> Task<'_, Result<Vec<AlertRule>, Fault>> {
        self.ask.rules()
    }

    fn probe(&self) -> Task<'_, Result<ServerNote, Fault>> {
        self.ask.buildinfo()
    }
}

#[cfg(test)]
mod tests;

//! The simulated production behind the ports. It holds no real port and has no constructor that takes one: nothing here
//! can open a socket, start a program or touch a file. The time it lives in is whatever it is told.

mod alerts;
mod inspect;
mod library;
mod metrics;
pub mod outside;
mod ports;
mod shell;
mod silences;
pub mod staged;

pub use alerts::FakeAlerts;
pub use library::runbooks;
pub use metrics::FakeMetrics;
pub use ports::Ports;
pub use shell::FakeShell;

use crate::domain::drill::alarm::BAD_DEPLOY;
use crate::domain::drill::course::ONSET;
use crate::domain::drill::production::Production;
use crate::domain::drill::promise::ALL;
use crate::domain::drill::promise::Promise;
use crate::domain::fault::Fault;
use crate::domain::fault::FaultKind;
use crate::domain::ids::SourceName;
use crate::domain::outward::annotation::Annotation;
use crate::domain::slo::marks::Marker;
use crate::domain::slo::objective::Objective;
use crate::domain::time::{Timestamp, secs};
use crate::io::fake::outside::FakeTarget;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::PoisonError;
use std::time::Duration;

/// Tells the time that the simulation lives in.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How long a simulated server thinks before it answers.
pub const THINKS: Duration = Duration::from_millis(120);

/// The objectives of the simulated production, in the order of its file.
pub fn objectives() -> Vec<Arc<Objective>> {
    ALL.iter().map(Promise::objective).map(Arc::new).collect()
}

/// What the simulated Prometheus is asked for deploys with.
pub fn markers() -> Vec<Marker> {
    vec![metrics::marker()]
}

/// One simulated production, shared by its ports. Cloning gives another handle to the same one.
#[derive(Clone)]
pub struct Simulation {
    shared: Arc<Shared>,
    waits: bool,
}

struct Shared {
    start: Timestamp,
    seed: u64,
    now: Now,
    // The books take milliseconds to write; the first question asks for them, not the first frame.
    production: OnceLock<Mutex<Production>>,
    metrics_fault: Mutex<Option<FaultKind>>,
    alerts_fault: Mutex<Option<FaultKind>>,
    silences: silences::Book,
}

impl Simulation {
    /// A production whose demo begins at `start`, with all chance from `seed`. `now` is the only clock it has.
    pub fn new(start: Timestamp, seed: u64, now: Now) -> Self {
        let shared = Shared {
            start,
            seed,
            now,
            production: OnceLock::new(),
            metrics_fault: Mutex::new(None),
            alerts_fault: Mutex::new(None),
            silences: silences::Book::default(),
        };
        Self { shared: Arc::new(shared), waits: true }
    }

    /// The same production, whose ports answer at once: for runs faster than time. Needs no tokio timer.
    pub fn at_once(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), waits: false }
    }

    /// Its metrics port.
    pub fn metrics(&self) -> FakeMetrics {
        FakeMetrics::new(self.clone())
    }

    /// Its alerts port.
    pub fn alerts(&self) -> FakeAlerts {
        FakeAlerts::new(self.clone())
    }

    /// Its targets of writes. Its dashboards know of the rollout, as whoever rolled it out marked it there.
    pub fn targets(&self) -> BTreeMap<SourceName, FakeTarget> {
        let all = outside::targets();
        if let Some(dashboards) = all.get(&SourceName::from("dashboards")) {
            for (id, after, text) in [("1", -2_400, "canary, 1 of 6 replicas"), ("2", ONSET as i64, "all replicas")] {
                dashboards.put_annotation(Annotation {
                    id: id.into(),
                    from: self.shared.start + secs(after),
                    to: None,
                    text: format!("checkout {BAD_DEPLOY}: {text}"),
                    tags: vec!["deploy".into(), "service:checkout".into()],
                });
            }
        }
        all
    }

    /// Its shell port.
    pub fn shell(&self) -> FakeShell {
        FakeShell::new(self.clone())
    }

    /// Makes every answer of the metrics port fail in this way, or mends it.
    pub fn break_metrics(&self, kind: Option<FaultKind>) {
        *self.shared.metrics_fault.lock().unwrap_or_else(PoisonError::into_inner) = kind;
    }

    /// Makes every answer of the alerts port fail in this way, or mends it.
    pub fn break_alerts(&self, kind: Option<FaultKind>) {
        *self.shared.alerts_fault.lock().unwrap_or_else(PoisonError::into_inner) = kind;
    }

    /// The production as it stands; a copy, so that nobody waits for anybody.
    pub fn production(&self) -> Production {
        self.with(|production| production.clone())
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut Production) -> T) -> T {
        let shared = &self.shared;
        let cell = shared.production.get_or_init(|| Mutex::new(Production::new(shared.start, shared.seed)));
        use_it(&mut cell.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn now(&self) -> Timestamp {
        (self.shared.now)()
    }

    async fn pause(&self, length: Duration) {
        if self.waits {
            tokio::time::sleep(length).await;
        }
    }

    /// Thinks for as long as a server would, then fails if it was told to.
    async fn ask(&self, fault: &Mutex<Option<FaultKind>>, what: &str) -> Result<(), Fault> {
        self.pause(THINKS).await;
        let kind = *fault.lock().unwrap_or_else(PoisonError::into_inner);
        kind.map_or(Ok(()), |kind| Err(Fault::new(kind, what, "simulated")))
    }
}

impl fmt::Debug for Simulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulation")
            .field("start", &self.shared.start)
            .field("seed", &self.shared.seed)
            .finish_non_exhaustive()
    }
}

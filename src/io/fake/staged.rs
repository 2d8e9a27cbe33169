//! A drill's world behind the ports: numbers, alerts, a shell and targets of writes that all ask one [`Stage`]. It holds no
//! real port and has no constructor that takes one: nothing here can open a socket, start a program or touch a file. The
//! time it lives in is whatever it is told.

mod alerts;
mod metrics;
mod shell;

pub use alerts::StagedAlerts;
pub use metrics::StagedMetrics;
pub use shell::StagedShell;

use crate::domain::drill::scenario::{Failing, Tool};
use crate::domain::drill::stage::Stage;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::ids::SourceName;
use crate::domain::time::Timestamp;
use crate::io::fake::outside::{FakeTarget, Trouble, targets};
use crate::io::fake::{Now, THINKS};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The longest real pause between two looks at the drill's clock, which may stand still or run fast.
const LOOK: Duration = Duration::from_millis(100);

/// One drill's world, shared by its ports. Cloning gives another handle to the same one.
#[derive(Clone)]
pub struct Staged {
    stage: Arc<Mutex<Stage>>,
    now: Now,
    waits: bool,
}

impl Staged {
    /// The world of a drill. `now` is the only clock it has: the drill's own.
    pub fn new(stage: Stage, now: Now) -> Self {
        Self { stage: Arc::new(Mutex::new(stage)), now, waits: true }
    }

    /// The same world, whose ports answer at once: for runs faster than time. Needs no tokio timer.
    pub fn at_once(&self) -> Self {
        Self { waits: false, ..self.clone() }
    }

    /// Looks at the stage, or moves it on.
    pub fn with<T>(&self, use_it: impl FnOnce(&mut Stage) -> T) -> T {
        use_it(&mut self.stage.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What the drill's clock shows.
    pub fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// Its metrics port.
    pub fn metrics(&self) -> StagedMetrics {
        StagedMetrics::new(self.clone())
    }

    /// Its alerts port.
    pub fn alerts(&self) -> StagedAlerts {
        StagedAlerts::new(self.clone())
    }

    /// Its shell port.
    pub fn shell(&self) -> StagedShell {
        StagedShell::new(self.clone())
    }

    /// Its targets of writes: the simulated pager, room, status page and tracker, failing when the stage says so.
    pub fn targets(&self) -> BTreeMap<SourceName, FakeTarget> {
        let tool = |name: &SourceName| match name.as_str() {
            "pager" => Some(Tool::Pager),
            "room" => Some(Tool::Chat),
            "status-page" => Some(Tool::StatusPage),
            "tracker" => Some(Tool::Tracker),
            _ => None,
        };
        let all = targets().into_iter().map(|(name, target)| {
            let staged = self.clone();
            let target = match tool(&name) {
                Some(tool) => target.in_weather(move || staged.trouble(tool)),
                None => target,
            };
            let target = if self.waits { target.thinking(THINKS) } else { target };
            (name, target)
        });
        all.collect()
    }

    fn trouble(&self, tool: Tool) -> Option<Trouble> {
        let now = self.now();
        let how = self.with(|stage| {
            stage.advance(now);
            stage.failing(tool)
        });
        how.map(|how| match how {
            Failing::Down => Trouble::Unreachable,
            Failing::Slow => Trouble::Slow,
            Failing::Refused => Trouble::Auth,
            Failing::RateLimited => Trouble::RateLimited(Some(30)),
            Failing::LoginPage => Trouble::LoginPage,
        })
    }

    /// Waits until the drill's clock shows an instant; with no wait at all where answers come at once.
    async fn until(&self, instant: Timestamp) {
        while self.waits && self.now() < instant {
            let left = (instant - self.now()).to_std().unwrap_or_default();
            tokio::time::sleep(left.min(LOOK).max(Duration::from_millis(1))).await;
        }
    }

    /// Waits until the record told of a run, which it does a moment after the run was asked for; not for ever, because a
    /// look of a watched condition is never recorded.
    async fn heard_of(&self, run: Option<&str>) {
        let Some(run) = run.filter(|_| self.waits) else { return };
        for _ in 0..40 {
            if self.with(|stage| stage.knows_run(run)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// Answers after a moment, or fails as the stage says that this tool does.
    async fn ask(&self, tool: Tool, what: &str) -> Result<(), Fault> {
        if self.waits {
            tokio::time::sleep(THINKS).await;
        }
        let now = self.now();
        let how = self.with(|stage| {
            stage.advance(now);
            stage.failing(tool)
        });
        let (kind, detail) = match how {
            None => return Ok(()),
            Some(Failing::Down) => (FaultKind::Unreachable, "simulated: connection refused"),
            Some(Failing::Slow) => (FaultKind::Timeout, "simulated: no answer in time"),
            Some(Failing::Refused) => (FaultKind::Auth, "simulated: answered 401"),
            Some(Failing::RateLimited) => (FaultKind::RateLimited, "simulated: answered 429"),
            Some(Failing::LoginPage) => (FaultKind::LoginPage, "simulated: answered with a web page"),
        };
        Err(Fault::new(kind, what, detail))
    }
}

impl fmt::Debug for Staged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Staged").field("waits", &self.waits).finish_non_exhaustive()
    }
}

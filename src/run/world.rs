//! The world as the engine reaches it: ports by source name, the record, the folders. Real or simulated; the engine
//! cannot tell.

use crate::app::msg::Msg;
use crate::domain::fault::Fault;
use crate::domain::ids::SourceName;
use crate::domain::time::{Span, Timestamp};
use crate::io::files::cache::Cache;
use crate::io::port::{AlertSource, Metrics, Shell, Target};
use crate::io::search::finder::Finder;
use crate::io::store::Store;
use crate::run::watch::Watch;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Opens the record, on the record's own thread.
pub type OpenStore = Box<dyn FnOnce() -> Result<Box<dyn Store>, Fault> + Send>;
/// Tells the time.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Begins to tell the machine news of its own accord, once it is there to be told.
pub type News = Box<dyn FnOnce(Arc<dyn Fn(Msg) + Send + Sync>) -> Result<(), Fault> + Send>;

/// How many times as fast as time the clock runs now; 0 stands.
pub type Pace = Arc<dyn Fn() -> u32 + Send + Sync>;

/// Lets a drill go on that a real page made stand.
pub type GoOn = Arc<dyn Fn() + Send + Sync>;

/// How long to wait for a deadline on a clock of this pace; `None` on one that stands, where nothing falls due.
pub fn wall(left: Span, pace: u32) -> Option<Duration> {
    (pace > 0).then(|| left.to_std().unwrap_or_default() / pace)
}

/// Everything outside the machine.
pub struct World {
    /// Sources that measure objectives.
    pub metrics: BTreeMap<SourceName, Arc<dyn Metrics>>,
    /// Sources of alerts; a Prometheus without an Alertmanager is asked through `metrics`.
    pub alerts: BTreeMap<SourceName, Arc<dyn AlertSource>>,
    /// Targets of writes; in read-only mode they are only asked.
    pub targets: BTreeMap<SourceName, Target>,
    /// Runs commands; `None` in read-only mode.
    pub shell: Option<Arc<dyn Shell>>,
    /// Opens the record; `None` where a command needs no incidents.
    pub store: Option<OpenStore>,
    /// Where drafts go.
    pub drafts: PathBuf,
    /// Last known values.
    pub cache: Option<Cache>,
    /// SLO files, read off the first-frame path.
    pub slos: Vec<PathBuf>,
    /// Runbook files, read off the first-frame path.
    pub runbooks: Vec<RunbookText>,
    /// The files under a running cockpit; `None` where nobody watches them.
    pub watch: Option<Watch>,
    /// Finds what was written before; `None` where there is no record.
    pub finder: Option<Arc<Finder>>,
    /// Where a copied text also goes.
    pub clip: Option<PathBuf>,
    /// What tells news that nobody asks for beside record and files: the personas of a drill.
    pub news: Option<News>,
    /// What is done when a real page was answered with going on; `None` where no drill is played.
    pub go_on: Option<GoOn>,
    /// Tells the time.
    pub now: Now,
}

/// A runbook before it was read.
#[derive(Clone, Debug)]
pub enum RunbookText {
    /// A file.
    File(PathBuf),
    /// A text that is compiled in: its name, and itself.
    BuiltIn(&'static str, &'static str),
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World")
            .field("metrics", &self.metrics)
            .field("alerts", &self.alerts)
            .field("drafts", &self.drafts)
            .finish_non_exhaustive()
    }
}

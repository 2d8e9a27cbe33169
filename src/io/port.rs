//! Ports: what the machine may ask of the world, as traits that the real adapters and the simulated production both
//! implement. An adapter knows nothing of the app; it takes plain values and gives plain values or a [`Fault`].

use crate::domain::alert::{Alert, AlertSnapshot};
use crate::domain::fault::Fault;
use crate::domain::slo::objective::Objective;
use crate::domain::slo::reading::{History, Measurement, Window};
use crate::domain::time::{Span, Timestamp};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// A boxed future: async functions in traits that stay object-safe.
pub type Task<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What came with the answers of one source in one poll.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServerNote {
    /// Requests it took.
    pub requests: usize,
    /// The server's clock minus ours, from the `Date` header.
    pub skew: Option<Span>,
    /// The server's version, where it was asked.
    pub version: Option<String>,
    /// Warnings of any answer; raw outside text.
    pub warnings: Vec<String>,
}

/// Something that measures objectives: a Prometheus-compatible server, or the simulated production.
pub trait Metrics: Send + Sync + std::fmt::Debug {
    /// Reads the given windows of the given objectives, evaluated at `now`, in as few requests as it can. One
    /// measurement per objective; what failed for one objective is an `Error` reading of that one. `Err` is for a source
    /// that could not be asked at all.
    fn measure<'a>(
        &'a self,
        objectives: &'a [Arc<Objective>],
        windows: &'a [Window],
        now: Timestamp,
    ) -> Task<'a, Result<(Vec<Measurement>, ServerNote), Fault>>;

    /// Burn rates over `[end - range, end]` for the chart of one objective, and its budget over its window.
    fn history<'a>(
        &'a self,
        objective: &'a Objective,
        windows: &'a [Window],
        range: Span,
        step: Span,
        end: Timestamp,
    ) -> Task<'a, Result<History, Fault>>;

    /// The alerts it evaluates itself, for use without an Alertmanager.
    fn alerts(&self) -> Task<'_, Result<Vec<Alert>, Fault>>;

    /// A cheap question that says whether it is there and which version it is.
    fn probe(&self) -> Task<'_, Result<ServerNote, Fault>>;
}

/// Something that knows which alerts reach people: an Alertmanager cluster, or the simulated production.
pub trait AlertSource: Send + Sync + std::fmt::Debug {
    /// All alerts as the groups tell them. `Err` only when no peer answered.
    fn snapshot(&self) -> Task<'_, Result<AlertSnapshot, Fault>>;
}

/// What is to be run, exactly. Nothing is substituted after this value was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandSpec {
    /// Program and arguments; for shell text `["/bin/sh", "-c", TEXT]`.
    pub argv: Vec<String>,
    /// Variables beside the allow-listed ones of our own environment.
    pub env: Vec<(String, String)>,
    /// Working folder.
    pub cwd: Option<std::path::PathBuf>,
    /// After which it is stopped.
    pub timeout: std::time::Duration,
    /// Bytes kept per stream: this many from the head and three times as many from the tail.
    pub keep_head: usize,
}

/// What a running command told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandNews {
    /// It runs, in a process group of this id.
    Started(i32),
    /// A piece of its output, lossily UTF-8, raw outside text.
    Output(String),
    /// It is over.
    Ended(CommandEnd),
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandEnd {
    /// Exit code; `None` when a signal ended it or it never began.
    pub exit: Option<i32>,
    /// Why it has no exit code: `stopped`, `time limit`, `signal 9`, `not found: kubectl`.
    pub reason: Option<String>,
    /// How long it ran.
    pub took: std::time::Duration,
    /// Bytes it wrote, and how many of them were not kept.
    pub bytes: u64,
    /// Bytes that were not kept.
    pub dropped: u64,
    /// SHA-256 of all it wrote, hex.
    pub sha256: String,
    /// Processes of the group that outlived TERM and KILL.
    pub survivors: bool,
}

/// Something that runs commands. A drill's never does.
pub trait Shell: Send + Sync + std::fmt::Debug {
    /// Starts a command; its news go to `tell` until `Ended`. `stop` fires when it must be stopped (TERM to the group,
    /// KILL after five seconds).
    fn run(
        &self,
        spec: CommandSpec,
        tell: tokio::sync::mpsc::Sender<CommandNews>,
        stop: tokio::sync::oneshot::Receiver<()>,
    ) -> Task<'static, ()>;
}

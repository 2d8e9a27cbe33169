//! Ports: what the machine may ask of the world, as traits that the real adapters and the simulated production both
//! implement. An adapter knows nothing of the app; it takes plain values and gives plain values or a [`Fault`].
//!
//! | port | asks and tells | file |
//! |---|---|---|
//! | [`Metrics`], [`AlertSource`], [`Shell`] | numbers, alerts, commands | here |
//! | [`Outward`] | every write to other people's systems, and the look whether it is done | `port/outward.rs` |
//! | [`IncidentBackend`] | incidents of a paging product | `port/backend.rs` |
//! | [`ChatRoom`] | the incident room | `port/chat.rs` |
//! | [`StatusPage`] | notices for customers | `port/status_page.rs` |
//! | [`TicketSink`] | tickets | `port/ticket.rs` |
//! | [`EventSink`] | alarms and changes | `port/event_sink.rs` |
//! | [`Annotations`] | marks on dashboards | `port/annotations.rs` |
//! | [`changes::ChangeFeed`] | changes of what keeps nothing else | `port/changes.rs` |
//! | [`Silences`] | the optional writes of an alert source | `port/silences.rs` |
//!
//! The last eight extend [`Outward`]; a [`Target`] is one configured adapter with the ports it has.

pub mod annotations;
pub mod backend;
pub mod changes;
pub mod chat;
pub mod event_sink;
pub mod outward;
pub mod silences;
pub mod status_page;
pub mod target;
pub mod ticket;

use crate::domain::alert::rule::AlertRule;
use crate::domain::alert::{Alert, AlertSnapshot};
pub use crate::domain::exec::{CommandEnd, CommandNews, CommandSpec};
use crate::domain::fault::Fault;
pub use crate::domain::server_note::ServerNote;
use crate::domain::slo::lint::facts::Facts;
use crate::domain::slo::lint::questions::Questions;
use crate::domain::slo::marks::{Marker, Marks};
use crate::domain::slo::objective::Objective;
use crate::domain::slo::reading::{History, Measurement, Window};
use crate::domain::slo::sample::Sample;
use crate::domain::slo::service::Service;
use crate::domain::slo::signals::ServiceReading;
use crate::domain::slo::warm::{Cuts, Rows, Warmed};
use crate::domain::time::{Span, Timestamp};
pub use crate::io::port::annotations::Annotations;
pub use crate::io::port::backend::IncidentBackend;
pub use crate::io::port::chat::ChatRoom;
pub use crate::io::port::event_sink::EventSink;
pub use crate::io::port::outward::Outward;
pub use crate::io::port::silences::Silences;
pub use crate::io::port::status_page::StatusPage;
pub use crate::io::port::target::Target;
pub use crate::io::port::ticket::TicketSink;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// A boxed future: async functions in traits that stay object-safe.
pub type Task<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Something that measures objectives: a Prometheus-compatible server, or the simulated production.
pub trait Metrics: Send + Sync + std::fmt::Debug {
    /// The poll: reads every window of the given objectives (the standard ones, those of its pairs, its own) and the
    /// given ones, evaluated at `now`, in as few requests as it can. One measurement per objective; a window whose history
    /// was not read yet ([`Metrics::warm`]) is left out; what failed for one objective is an `Error` reading of that one.
    /// `Err` is for a source that could not be asked at all.
    fn measure<'a>(
        &'a self,
        objectives: &'a [Arc<Objective>],
        windows: &'a [Window],
        now: Timestamp,
    ) -> Task<'a, Result<(Vec<Measurement>, ServerNote), Fault>>;

    /// One bounded step of reading the history that long windows are summed from: of those of `first` that lack some, else
    /// of `rest`; the newest slices go first. To be asked again while something is left; a poll never waits for it.
    fn warm<'a>(
        &'a self,
        first: &'a [Arc<Objective>],
        rest: &'a [Arc<Objective>],
        now: Timestamp,
    ) -> Task<'a, Result<Warmed, Fault>>;

    /// Tells at which instants incidents and planned work of objectives begin or end, in place of what was told before:
    /// history around them is wanted finer than by the hour. Reads nothing by itself; [`Metrics::warm`] does.
    fn cut(&self, at: &Cuts) {
        let _ = at;
    }

    /// The rows that templates ([`Objective::grouping`]) have on the server. `Err` when one of them could not be read.
    fn rows<'a>(&'a self, templates: &'a [Arc<Objective>], now: Timestamp) -> Task<'a, Result<Vec<Rows>, Fault>>;

    /// Reads the signals of services at `now`, in as few requests as it can. One reading per service; what failed for one
    /// signal is said there. `Err` is for a source that could not be asked at all.
    fn signals<'a>(
        &'a self,
        services: &'a [Arc<Service>],
        now: Timestamp,
    ) -> Task<'a, Result<Vec<ServiceReading>, Fault>>;

    /// Writes what should outlive the program, if anything changed. Blocks for as long as a disk takes.
    fn keep(&self) {}

    /// Burn rates over `[end - range, end]` for the chart of one objective, and its budget over its window.
    fn history<'a>(
        &'a self,
        objective: &'a Objective,
        windows: &'a [Window],
        range: Span,
        step: Span,
        end: Timestamp,
    ) -> Task<'a, Result<History, Fault>>;

    /// What markers tell of deploys and other changes over `[end - range, end]`, one query each. `Err` when none of them
    /// could be read.
    fn marks<'a>(&'a self, markers: &'a [Marker], range: Span, end: Timestamp) -> Task<'a, Result<Marks, Fault>> {
        let _ = (markers, range, end);
        Box::pin(async { Ok(Marks::default()) })
    }

    /// The values of a PromQL expression at `now`, as they are: none is no error, NaN is kept. For conditions and queries
    /// of runbooks, one expression at a time.
    fn query<'a>(&'a self, promql: &'a str, now: Timestamp) -> Task<'a, Result<Vec<Sample>, Fault>>;

    /// The alerts it evaluates itself, for use without an Alertmanager.
    fn alerts(&self) -> Task<'_, Result<Vec<Alert>, Fault>>;

    /// The alerting rules it evaluates, firing or not.
    fn rules(&self) -> Task<'_, Result<Vec<AlertRule>, Fault>>;

    /// A cheap question that says whether it is there and which version it is.
    fn probe(&self) -> Task<'_, Result<ServerNote, Fault>>;
}

/// Something that says what it holds, so that objectives can be held against it.
pub trait Inspect: Send + Sync + std::fmt::Debug {
    /// Answers what it can; what it cannot is named in [`Facts::unanswered`] and stays unknown. Bounded in requests and
    /// bytes, and cheap for the server. `Err` is for a source that could not be asked at all.
    fn facts<'a>(&'a self, questions: &'a Questions, now: Timestamp) -> Task<'a, Result<Facts, Fault>>;
}

/// Something that knows which alerts reach people: an Alertmanager cluster, or the simulated production.
pub trait AlertSource: Send + Sync + std::fmt::Debug {
    /// All alerts as the groups tell them. `Err` only when no peer answered.
    fn snapshot(&self) -> Task<'_, Result<AlertSnapshot, Fault>>;
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

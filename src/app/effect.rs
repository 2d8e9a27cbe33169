//! What the machine wants done. Plain data, in the order in which it must begin: an append goes before what it records.

use crate::app::cache::Cached;
use crate::app::reload::Reconnect;
use crate::config::OutsideConfig;
use crate::domain::exec::CommandSpec;
use crate::domain::ids::{IncidentId, ReqId, SourceName};
use crate::domain::incident::event::NewEvent;
use crate::domain::outward::entry::Step;
use crate::domain::outward::operation::{OpId, Operation};
use crate::domain::outward::question::Question;
use crate::domain::slo::marks::Marker;
use crate::domain::slo::objective::Objective;
use crate::domain::slo::reading::Window;
use crate::domain::slo::service::Service;
use crate::domain::slo::warm::Cuts;
use crate::domain::time::Span;
use std::sync::Arc;

/// Something to be done in the world.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Measure objectives. Answer: `Measured`.
    Measure { req: ReqId, source: SourceName, objectives: Vec<Arc<Objective>>, windows: Vec<Window> },
    /// Read a step of history: of `first` before `rest`, and finer where something of them begins or ends. Answer: `Warmed`.
    Warm { req: ReqId, source: SourceName, first: Vec<Arc<Objective>>, rest: Vec<Arc<Objective>>, cuts: Arc<Cuts> },
    /// Read which rows templates have. Answer: `Rows`.
    Rows { req: ReqId, source: SourceName, templates: Vec<Arc<Objective>> },
    /// Read the signals of services. Answer: `Signals`.
    Signals { req: ReqId, source: SourceName, services: Vec<Arc<Service>> },
    /// Read the history of a chart. Answer: `Charted`.
    Chart { req: ReqId, source: SourceName, objective: Arc<Objective>, windows: Vec<Window>, range: Span, step: Span },
    /// Read deploys and other changes over a range up to now. Answer: `Marks`.
    Marks { req: ReqId, source: SourceName, markers: Vec<Marker>, range: Span },
    /// Read alerts. Answer: `Alerts`.
    Alerts { req: ReqId, source: SourceName },
    /// Read alerting rules. Answer: `Rules`.
    Rules { req: ReqId, source: SourceName },
    /// Look whether files changed. Answer: `Looked`.
    Look { req: ReqId },
    /// Record events. Answer: `Saved` or `NotSaved`.
    Append { req: ReqId, events: Vec<NewEvent> },
    /// One step of an operation in the outbox. Answer: `Stepped`.
    Step { req: ReqId, op: OpId, step: Step, by: String },
    /// Send an operation that was claimed, or look whether it is done. Answer: `Delivered` or `Found`.
    Deliver { req: ReqId, op: Box<Operation>, look: bool },
    /// Ask a target something. Answer: `Told`.
    AskTarget { req: ReqId, target: SourceName, question: Question },
    /// Connect these targets, in place of those of the same names, and let go of the others. Answer: `Targets`.
    Retarget { connect: Vec<OutsideConfig>, remove: Vec<SourceName> },
    /// Connect these sources, in place of those of the same names. Answer: `Sources`.
    Reconnect(Box<Reconnect>),
    /// Targets forget what their answers taught them that they cannot do. Answer: a feed, where that changes anything.
    Forget { targets: Vec<SourceName> },
    /// Read older events. Answer: `Events`.
    Older { req: ReqId, incident: IncidentId, before: u64 },
    /// Read all events. Answer: `Events`.
    All { req: ReqId, incident: IncidentId },
    /// Search all timelines and postmortems. Answer: `Hits`, or none when a newer question came.
    Search { req: ReqId, query: String },
    /// Ask which past incidents are like one. Answer: `Similar`.
    Similar { req: ReqId, incident: IncidentId },
    /// Run a command. Answers: `Command`, until it ended.
    Run { req: ReqId, spec: CommandSpec },
    /// Run a command that needs the terminal: the screen is put aside meanwhile. Answers: `Command`.
    RunTty { req: ReqId, spec: CommandSpec },
    /// Ask one PromQL expression. Answer: `Queried`.
    Query { req: ReqId, source: SourceName, promql: String },
    /// Stop the command of a request.
    Stop { req: ReqId },
    /// Write a draft, whose blanks are counted when it is known what people filled, and its pictures. Answer: `Draft`.
    WriteDraft { req: ReqId, incident: IncidentId, name: String, text: String, pictures: Vec<(String, String)> },
    /// Copy a text. Answer: `Copied`.
    Copy { req: ReqId, text: String },
    /// Keep last known values.
    Cache(Cached),
    /// The screen's settings changed: colours and characters.
    Restyle(Box<crate::config::Screen>),
    /// A real page was answered: the drill goes on.
    GoOn,
    /// Ring.
    Bell,
    /// Name the terminal's window.
    Title(String),
    /// Show a text outside the full screen until Enter.
    Page(String),
    /// Edit a file in the person's editor.
    Edit(String),
    /// Suspend the program.
    Suspend,
    /// Draw everything again.
    Redraw,
    /// Begin anew: on the simulated production, or on a Prometheus at an address.
    Begin(Option<String>),
    /// End with an exit code.
    Quit(u8),
}

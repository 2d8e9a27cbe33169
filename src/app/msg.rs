//! What may happen to the machine. Plain data: can be logged, compared, replayed.

use crate::app::action::Action;
use crate::app::cache::Cached;
use crate::app::key::Key;
use crate::app::rehearsal::Rehearsal;
use crate::app::reload::{Looked, Reconnected};
use crate::domain::alert::AlertSnapshot;
use crate::domain::alert::rule::AlertRule;
use crate::domain::document::Finding;
use crate::domain::exec::CommandNews;
use crate::domain::fault::Fault;
use crate::domain::ids::{Origin, ReqId, SourceName};
use crate::domain::incident::event::Event;
use crate::domain::incident::state::Incident;
use crate::domain::incident::stepped::Stepped;
use crate::domain::outward::entry::Entry;
use crate::domain::outward::outcome::{Found, Outcome};
use crate::domain::outward::question::Answer;
use crate::domain::outward::target::TargetFacts;
use crate::domain::runbook::model::Runbook;
use crate::domain::search::{Hit, Similar};
use crate::domain::server_note::ServerNote;
use crate::domain::slo::catalogue::Plans;
use crate::domain::slo::marks::Marks;
use crate::domain::slo::objective::Objective;
use crate::domain::slo::reading::{History, Measurement};
use crate::domain::slo::sample::Sample;
use crate::domain::slo::signals::ServiceReading;
use crate::domain::slo::warm::{Rows, Warmed};
use crate::domain::time::Span;
use std::sync::Arc;

/// A message. The shell stamps it with the time at which it is handled.
#[derive(Clone, Debug, PartialEq)]
pub enum Msg {
    /// A key was pressed.
    Key(Key),
    /// A text was pasted.
    Paste(String),
    /// An action was chosen without a key: palette of a line-oriented shell, a script.
    Act(Action),
    /// An answer to an effect.
    Reply(ReqId, Reply),
    /// News that nobody asked for.
    Feed(Feed),
    /// A deadline was reached, or somebody thought so.
    Wake,
    /// A frame with everything up to here was handed to the terminal.
    Painted,
    /// The terminal has this many columns and rows now.
    Resized(u16, u16),
    /// The terminal has the focus, or lost it.
    Focus(bool),
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// Objectives were measured.
    Measured(Result<(Vec<Measurement>, ServerNote), Fault>),
    /// A step of history was read.
    Warmed(Result<Warmed, Fault>),
    /// The rows of templates came.
    Rows(Result<Vec<Rows>, Fault>),
    /// The signals of services came.
    Signals(Result<Vec<ServiceReading>, Fault>),
    /// A chart's history came.
    Charted(Result<History, Fault>),
    /// Deploys and other changes came.
    Marks(Result<Marks, Fault>),
    /// Alerts came.
    Alerts(Result<AlertSnapshot, Fault>),
    /// Alerting rules came.
    Rules(Result<Vec<AlertRule>, Fault>),
    /// The files were looked at.
    Looked(Box<Looked>),
    /// Events are on disk.
    Saved(Vec<Event>),
    /// Events are not on disk.
    NotSaved(Fault),
    /// A page of older events came.
    Events(Result<Vec<Event>, Fault>),
    /// What was searched for was found.
    Hits(Result<Vec<Hit>, Fault>),
    /// Past incidents that are like one came.
    Similar(Result<Vec<Similar>, Fault>),
    /// The values of an expression came.
    Queried(Result<Vec<Sample>, Fault>),
    /// A running command told something.
    Command(CommandNews),
    /// A draft was written, under this path.
    Draft(Result<String, Fault>),
    /// What became of a step of an operation in the outbox; `Err`: it is not known to be on disk.
    Stepped(Result<Stepped, Fault>),
    /// A send came back.
    Delivered(Outcome),
    /// A look came back.
    Found(Found),
    /// A target answered a question.
    Told(Result<Answer, Fault>),
    /// Something was copied, or could not be.
    Copied(Result<String, Fault>),
}

/// Targets after the configuration changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Retargeted {
    /// Connected.
    pub connected: Vec<TargetFacts>,
    /// Gone.
    pub removed: Vec<SourceName>,
    /// Not connected, and why.
    pub faults: Vec<(SourceName, Fault)>,
}

/// News that nobody asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Feed {
    /// The record is open.
    Opened(Origin),
    /// The incidents of the record, each with its last events.
    Loaded(Vec<(Incident, Vec<Event>)>),
    /// Another cockpit recorded events.
    Others(Vec<Event>),
    /// Operations of the outbox as the record has them now.
    Outbox(Vec<Entry>),
    /// What a target can do is known better: its answers taught it.
    Target(Box<TargetFacts>),
    /// Targets were connected anew, or could not be, or are gone.
    Targets(Box<Retargeted>),
    /// Sources were connected anew.
    Sources(Box<Reconnected>),
    /// The record cannot be used.
    StoreFailed(Fault),
    /// SLO files were read: what they say beside objectives. Comes before the objectives.
    Plans(Plans),
    /// SLO files were read: what can be used, and what is wrong with any.
    Objectives(Vec<Arc<Objective>>, Vec<Finding>),
    /// Runbooks were read.
    Library(Vec<Arc<Runbook>>, Vec<Finding>),
    /// Last known values from the cache.
    Cached(Cached),
    /// The wall clock was set by this much.
    ClockMoved(Span),
    /// The machine slept this long, or the program was suspended.
    Asleep(Span),
    /// Somebody says something to the people here: who, and what. Raw outside text.
    Said(String, String),
    /// How the drill that is played here stands.
    Rehearsal(Box<Rehearsal>),
}

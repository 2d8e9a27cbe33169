//! Something that must be confirmed before it happens. It is bound to what it was opened for: when that changes, or the
//! box was not on the screen yet, keys do nothing.

use crate::app::editor::Editor;
use crate::domain::exec::CommandSpec;
use crate::domain::ids::{IncidentId, SourceName};
use crate::domain::incident::decide::Command;
use crate::domain::incident::event::At;
use crate::domain::outward::operation::OpId;

/// What happens when it is confirmed.
#[derive(Clone, Debug, PartialEq)]
pub enum Deed {
    /// An act on an incident.
    Incident(IncidentId, Command),
    /// A command is run.
    Run(Box<Run>),
    /// Running commands is allowed for a while.
    Arm,
    /// The running command is stopped.
    Stop,
    /// The on-call is paged for an incident through a target.
    Page(IncidentId, SourceName),
    /// An operation was done by hand.
    ByHand(OpId),
    /// The program ends.
    Quit,
}

/// A command that was shown and may be run.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// For which incident.
    pub incident: IncidentId,
    /// Where in its runbook.
    pub place: At,
    /// The text as shown.
    pub shown: String,
    /// Exactly what runs.
    pub spec: CommandSpec,
    /// SHA-256 (hex) over it.
    pub sha256: String,
    /// It belongs to this option of the step.
    pub option: Option<(usize, String)>,
    /// Names the command inside its step, so that its output finds its place.
    pub slot: String,
}

/// A question on the screen.
#[derive(Clone, Debug, PartialEq)]
pub struct Confirm {
    /// Title.
    pub title: String,
    /// The question in one line.
    pub question: String,
    /// Label and text, one per line.
    pub rows: Vec<(String, String)>,
    /// The word to type; `None` asks for `y`.
    pub token: Option<String>,
    /// What was typed so far.
    pub typed: Editor,
    /// It was on the screen: keys that were typed before are thrown away.
    pub painted: bool,
    /// What happens then.
    pub deed: Deed,
}

//! Something that must be confirmed before it happens. It is bound to what it was opened for: when that changes, or the
//! box was not on the screen yet, keys do nothing.

use crate::app::editor::Editor;
use crate::domain::exec::CommandSpec;
use crate::domain::ids::{IncidentId, SourceName};
use crate::domain::incident::decide::Command;
use crate::domain::incident::event::NewEvent;
use crate::domain::incident::notices::Words;
use crate::domain::outward::intent::Intent;
use crate::domain::outward::operation::{Expected, OpId};
use crate::domain::outward::silence::SilenceWrite;
use crate::domain::outward::status_page::StatusWrite;
use crate::domain::runbook::model::Risk;
use crate::domain::runbook::offer::Offer;

/// What happens when it is confirmed.
#[derive(Clone, Debug, PartialEq)]
pub enum Deed {
    /// An act on an incident.
    Incident(IncidentId, Command),
    /// A command is run.
    Run(Box<Run>),
    /// Several reads are run side by side.
    Reads(Vec<Run>),
    /// A request of another person is approved.
    Approve(IncidentId, String),
    /// Running commands is allowed for a while.
    Arm,
    /// The running commands are stopped.
    Stop,
    /// The on-call is paged for an incident through a target.
    Page(IncidentId, SourceName),
    /// An incident goes on as another one.
    Merge(IncidentId, IncidentId),
    /// Something leaves the house that pages or tells other people.
    Send(Box<Sending>),
    /// An operation was done by hand.
    ByHand(OpId),
    /// Lines from elsewhere are taken into an incident.
    Import(IncidentId, Vec<NewEvent>),
    /// Silences are made or ended.
    Silences(Box<Silencing>),
    /// Something is published on a status page.
    Publish(Box<Publishing>),
    /// The program ends.
    Quit,
}

/// Something that was shown and may leave the house.
#[derive(Clone, Debug, PartialEq)]
pub struct Sending {
    /// For which incident, or log.
    pub incident: IncidentId,
    /// To which target.
    pub target: SourceName,
    /// What.
    pub intent: Intent,
    /// What was seen there.
    pub expected: Expected,
}

/// What was shown and customers may read.
#[derive(Clone, Debug, PartialEq)]
pub struct Publishing {
    /// For which incident.
    pub incident: IncidentId,
    /// On which page.
    pub page: SourceName,
    /// What was typed and chosen.
    pub words: Words,
    /// What came of it, as it was shown.
    pub write: StatusWrite,
}

/// Silences that were shown with what they would do.
#[derive(Clone, Debug, PartialEq)]
pub struct Silencing {
    /// For which incident; `None` is for none.
    pub incident: Option<IncidentId>,
    /// To which target, and what. A start that is not in the future moves to the moment of the yes, and the end with it.
    pub writes: Vec<(SourceName, SilenceWrite)>,
}

/// A command that was shown and may be run.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Names this run in the record.
    pub name: String,
    /// What was shown.
    pub offer: Offer,
    /// Exactly what runs; made from the offer when it is shown.
    pub spec: CommandSpec,
}

impl Run {
    /// Whether it only looks.
    pub fn reads(&self) -> bool {
        self.offer.risk == Risk::Read
    }
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
    /// Enter says yes too: what is confirmed only looks.
    pub enter: bool,
    /// What was typed so far.
    pub typed: Editor,
    /// It was on the screen: keys that were typed before are thrown away.
    pub painted: bool,
    /// What happens then.
    pub deed: Deed,
}

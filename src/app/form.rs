//! Forms: a few lines to type or choose, with what they are for.

use crate::app::editor::Editor;
use crate::domain::ids::{Fingerprint, IncidentId, RunbookId, SourceName, TimerId};
use crate::domain::incident::event::{At, EventKey, NoteKind};
use crate::domain::outward::operation::OpId;
use std::borrow::Cow;

/// What a form is for.
#[derive(Clone, Debug, PartialEq)]
pub enum Purpose {
    /// Declare an incident, from an alert or by hand: title, severity, service.
    Declare(Option<Fingerprint>),
    /// A line of text: text.
    Note(IncidentId, NoteKind),
    /// Something to do afterwards: text, owner, due.
    Action(IncidentId),
    /// Status: status, message.
    Status(IncidentId),
    /// Severity: severity, reason.
    Severity(IncidentId),
    /// Roles: role, person.
    Role(IncidentId),
    /// A task: task, owner, back in.
    Task(IncidentId),
    /// What became of a task: answer, text.
    TaskAnswer(IncidentId, EventKey),
    /// Something to decide: proposal.
    Propose(IncidentId),
    /// What becomes of a proposal: answer, text.
    Decide(IncidentId, EventKey),
    /// What is believed of a hypothesis: belief, why.
    Judge(IncidentId, EventKey),
    /// Stakeholders are told: audience, text, next in.
    Update(IncidentId),
    /// The incident that this one goes on as: into.
    Merge(IncidentId),
    /// An incident that has to do with this one: other, why.
    Relate(IncidentId),
    /// Who takes part: name, is.
    People(IncidentId),
    /// When the pain stopped: time.
    Mitigated(IncidentId),
    /// How it was resolved: summary.
    Resolve(IncidentId),
    /// Why it is not over: reason.
    Reopen(IncidentId),
    /// Declare an incident from one of a paging product: title, severity, service.
    DeclareFrom(SourceName, String),
    /// An act on an incident of a paging product, for an incident or a log: do, who, text.
    Backend(IncidentId, SourceName, String),
    /// Which incident of a paging product belongs to this one: page.
    LinkPage(IncidentId),
    /// Right text of an event: text.
    Correct(IncidentId, EventKey),
    /// The word under which an event goes: tag.
    Tag(IncidentId, EventKey),
    /// Why the text of an event is taken out: reason.
    Redact(IncidentId, EventKey),
    /// The zone of a text that was pasted: zone.
    Import(IncidentId, String),
    /// A step was left out: reason.
    Skip(IncidentId, At),
    /// A step went wrong: reason.
    Fail(IncidentId, At),
    /// A due timer: answer, reason.
    Timer(IncidentId, TimerId),
    /// An incident room is opened: name.
    RoomOpen(IncidentId),
    /// Something to say in the room: text.
    RoomPost(IncidentId),
    /// Somebody for the room: person.
    RoomInvite(IncidentId),
    /// Something for a status page: page, title, text, status, impact, components.
    Publish(IncidentId, SourceName),
    /// An operation is not sent: reason.
    Drop(OpId),
    /// Values for commands of a runbook: one field for each of these names.
    Inputs(IncidentId, RunbookId, Vec<String>),
    /// A second person beside the screen, for this request: name, code.
    Witness(IncidentId, String),
    /// Address of a Prometheus to begin with: url.
    Connect,
    /// A silence, from an alert or by hand: conditions, for, why.
    Silence(Option<Fingerprint>),
    /// A longer end for one of these silences: silence, by.
    Extend(Vec<(SourceName, String)>),
    /// Which of these silences is ended: silence.
    Expire(Vec<(SourceName, String)>),
}

impl Purpose {
    /// The incident it is about.
    pub fn incident_mut(&mut self) -> Option<&mut IncidentId> {
        match self {
            Self::Declare(_)
            | Self::DeclareFrom(..)
            | Self::Connect
            | Self::Drop(_)
            | Self::Silence(_)
            | Self::Extend(_)
            | Self::Expire(_) => None,
            Self::Note(id, _)
            | Self::Action(id)
            | Self::Status(id)
            | Self::Severity(id)
            | Self::Role(id)
            | Self::Task(id)
            | Self::TaskAnswer(id, _)
            | Self::Propose(id)
            | Self::Decide(id, _)
            | Self::Judge(id, _)
            | Self::Update(id)
            | Self::Merge(id)
            | Self::Relate(id)
            | Self::People(id)
            | Self::Mitigated(id)
            | Self::Resolve(id)
            | Self::Reopen(id)
            | Self::Correct(id, _)
            | Self::Tag(id, _)
            | Self::Redact(id, _)
            | Self::Import(id, _)
            | Self::Skip(id, _)
            | Self::Fail(id, _)
            | Self::Inputs(id, ..)
            | Self::Backend(id, ..)
            | Self::LinkPage(id)
            | Self::Publish(id, _)
            | Self::Witness(id, _)
            | Self::RoomOpen(id)
            | Self::RoomPost(id)
            | Self::RoomInvite(id)
            | Self::Timer(id, _) => Some(id),
        }
    }
}

/// A field.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Field {
    /// Its label.
    pub label: Cow<'static, str>,
    /// What was typed.
    pub line: Editor,
    /// For a choice: all of them.
    pub choices: Vec<String>,
    /// Which one.
    pub chosen: usize,
    /// What helps.
    pub hint: Cow<'static, str>,
    /// What is typed is not shown.
    pub secret: bool,
}

impl Field {
    /// A field to type in.
    pub fn typed(label: impl Into<Cow<'static, str>>, text: &str, hint: impl Into<Cow<'static, str>>) -> Self {
        Self { label: label.into(), line: Editor::with(text), hint: hint.into(), ..Self::default() }
    }

    /// A field to choose from.
    pub fn choice(
        label: impl Into<Cow<'static, str>>,
        choices: Vec<String>,
        chosen: usize,
        hint: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { label: label.into(), choices, chosen, hint: hint.into(), ..Self::default() }
    }

    /// What it holds.
    pub fn value(&self) -> String {
        if self.choices.is_empty() {
            self.line.text()
        } else {
            self.choices.get(self.chosen).cloned().unwrap_or_default()
        }
    }
}

/// A form.
#[derive(Clone, Debug, PartialEq)]
pub struct Form {
    /// What it is for.
    pub purpose: Purpose,
    /// Its title.
    pub title: String,
    /// Its fields; never empty.
    pub fields: Vec<Field>,
    /// The field being typed in.
    pub focus: usize,
    /// Why the last Enter was refused.
    pub error: Option<String>,
    /// Escape was pressed once: the next one throws away what was typed.
    pub discard: bool,
}

impl Form {
    /// What a field holds, trimmed.
    pub fn value(&self, label: &str) -> String {
        self.fields.iter().find(|f| f.label == label).map(|f| f.value().trim().to_owned()).unwrap_or_default()
    }

    /// The index chosen in a field.
    pub fn index(&self, label: &str) -> usize {
        self.fields.iter().find(|f| f.label == label).map_or(0, |f| f.chosen)
    }
}

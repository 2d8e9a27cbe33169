//! What an operation is to do, for all kinds of targets, and how urgent and how public that is.

use crate::domain::outward::annotation::AnnotationWrite;
use crate::domain::outward::backend::BackendWrite;
use crate::domain::outward::capability::Capability;
use crate::domain::outward::chat::ChatWrite;
use crate::domain::outward::event_sink::EventWrite;
use crate::domain::outward::silence::SilenceWrite;
use crate::domain::outward::status_page::StatusWrite;
use crate::domain::outward::ticket::TicketWrite;
use crate::domain::time::{Span, mins};
use serde::{Deserialize, Serialize};

/// What is to be done, by the kind of port that does it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "port", content = "write", rename_all = "snake_case")]
pub enum Intent {
    /// On an incident backend.
    Backend(BackendWrite),
    /// On an event sink.
    Event(EventWrite),
    /// On the silences of an alert source.
    Silence(SilenceWrite),
    /// In a chat.
    Chat(ChatWrite),
    /// On the public status page.
    StatusPage(StatusWrite),
    /// In a tracker.
    Ticket(TicketWrite),
    /// On dashboards.
    Annotation(AnnotationWrite),
}

/// How long an operation that acts on the moment is worth sending: later it may wake the wrong person or reopen what is
/// over, and a person decides.
pub const FRESH: Span = Span::minutes(2);

impl Intent {
    /// What a target must be able to do for it.
    pub fn capability(&self) -> Capability {
        match self {
            Self::Backend(write) => write.capability(),
            Self::Event(write) => write.capability(),
            Self::Silence(write) => write.capability(),
            Self::Chat(write) => write.capability(),
            Self::StatusPage(write) => write.capability(),
            Self::Ticket(write) => write.capability(),
            Self::Annotation(write) => write.capability(),
        }
    }

    /// In words: `acknowledge PABC12`, `post: database is down`. Outside text may be in it.
    pub fn words(&self) -> String {
        match self {
            Self::Backend(write) => write.words(),
            Self::Event(write) => write.words(),
            Self::Silence(write) => write.words(),
            Self::Chat(write) => write.words(),
            Self::StatusPage(write) => write.words(),
            Self::Ticket(write) => write.words(),
            Self::Annotation(write) => write.words(),
        }
    }

    /// What there it is about, as far as rights may differ by it: an incident, a room, a notice. `None` where it is about the
    /// target as a whole. Outside text may be in it.
    pub fn thing(&self) -> Option<String> {
        match self {
            Self::Backend(BackendWrite::Declare { service, .. }) => {
                service.as_ref().map(|service| service.name.clone())
            }
            Self::Backend(write) => write.incident().map(str::to_owned),
            Self::Chat(write) => write.room().map(str::to_owned),
            Self::Silence(write) => Some(write.thing()),
            Self::StatusPage(StatusWrite::Update { notice, .. }) => Some(notice.clone()),
            Self::Annotation(AnnotationWrite::End { annotation, .. }) => Some(annotation.clone()),
            Self::StatusPage(StatusWrite::Open { .. })
            | Self::Annotation(AnnotationWrite::Create { .. })
            | Self::Event(_)
            | Self::Ticket(_) => None,
        }
    }

    /// Whether it wakes somebody.
    pub fn pages(&self) -> bool {
        matches!(
            self.capability(),
            Capability::Trigger
                | Capability::Declare
                | Capability::RequestResponders
                | Capability::Escalate
                | Capability::Reassign
        )
    }

    /// Whether it acts on the moment: sent late it does harm. Such an operation is held for a person after [`FRESH`].
    pub fn fades(&self) -> bool {
        self.pages()
            || self.acknowledges_alerts()
            || matches!(
                self.capability(),
                Capability::Acknowledge
                    | Capability::Unacknowledge
                    | Capability::AcknowledgeAlarm
                    | Capability::Snooze
                    | Capability::Merge
            )
    }

    /// A short silence that stands for an acknowledgement.
    fn acknowledges_alerts(&self) -> bool {
        matches!(self, Self::Silence(write) if write.is_ack())
    }

    /// Whether it never waits for `u`: an acknowledgement stops a clock that runs against us.
    pub fn immediate(&self) -> bool {
        self.acknowledges_alerts()
            || matches!(
                self.capability(),
                Capability::Acknowledge | Capability::AcknowledgeAlarm | Capability::ExpireSilence
            )
    }

    /// How long it is tried before a person is asked.
    pub fn patience(&self) -> Span {
        if self.fades() { FRESH } else { mins(24 * 60) }
    }
}

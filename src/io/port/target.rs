//! One configured target with the ports it has. The registry makes it; the engine finds a port in it.

use crate::domain::ids::SourceName;
use crate::domain::outward::chat::RoomSettings;
use crate::domain::outward::target::{PortKind, TargetFacts};
use crate::io::port::changes::ChangeFeed;
use crate::io::port::{Annotations, ChatRoom, EventSink, IncidentBackend, Outward, Silences, StatusPage, TicketSink};
use std::sync::Arc;
use std::time::Duration;

/// A target and its ports; all of them are the same adapter.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its product, as `kind` in the configuration.
    pub product: String,
    /// Its address, safe to show.
    pub address: String,
    /// The longest one try may take.
    pub limit: Duration,
    /// How often it is read; `None` for one that is only written to.
    pub reads_every: Option<Duration>,
    /// How its rooms are made, for a chat.
    pub room: RoomSettings,
    /// The way to write.
    pub outward: Arc<dyn Outward>,
    /// As an incident backend.
    pub backend: Option<Arc<dyn IncidentBackend>>,
    /// As a chat.
    pub chat: Option<Arc<dyn ChatRoom>>,
    /// As a status page.
    pub status_page: Option<Arc<dyn StatusPage>>,
    /// As a tracker.
    pub ticket: Option<Arc<dyn TicketSink>>,
    /// As an event sink.
    pub event_sink: Option<Arc<dyn EventSink>>,
    /// As dashboards.
    pub annotations: Option<Arc<dyn Annotations>>,
    /// As a source of changes alone.
    pub changes: Option<Arc<dyn ChangeFeed>>,
    /// As silences of an alert source.
    pub silences: Option<Arc<dyn Silences>>,
}

macro_rules! port {
    ($(#[$doc:meta])* $method:ident $field:ident $port:ident) => {
        $(#[$doc])*
        pub fn $method(mut self, port: Arc<dyn $port>) -> Self {
            self.$field = Some(port);
            self
        }
    };
}

impl Target {
    /// A target that can be written to and has no port yet.
    pub fn new(product: &str, address: impl Into<String>, limit: Duration, outward: Arc<dyn Outward>) -> Self {
        Self {
            product: product.to_owned(),
            address: address.into(),
            limit,
            reads_every: None,
            room: RoomSettings::default(),
            outward,
            backend: None,
            chat: None,
            status_page: None,
            ticket: None,
            event_sink: None,
            annotations: None,
            changes: None,
            silences: None,
        }
    }

    port!(
        /// It is an incident backend.
        with_backend backend IncidentBackend
    );
    port!(
        /// It is a chat.
        with_chat chat ChatRoom
    );
    port!(
        /// It is a status page.
        with_status_page status_page StatusPage
    );
    port!(
        /// It is a tracker.
        with_ticket ticket TicketSink
    );
    port!(
        /// It is an event sink.
        with_event_sink event_sink EventSink
    );
    port!(
        /// It is dashboards.
        with_annotations annotations Annotations
    );
    port!(
        /// It tells of changes alone.
        with_changes changes ChangeFeed
    );
    port!(
        /// It is the silences of an alert source.
        with_silences silences Silences
    );

    /// Its rooms are made so.
    pub fn rooms(mut self, room: RoomSettings) -> Self {
        self.room = room;
        self
    }

    /// It is read so often.
    pub fn read_every(mut self, every: Duration) -> Self {
        self.reads_every = Some(every);
        self
    }

    /// The ports it has.
    pub fn ports(&self) -> Vec<PortKind> {
        let there = [
            (PortKind::Backend, self.backend.is_some()),
            (PortKind::Chat, self.chat.is_some()),
            (PortKind::StatusPage, self.status_page.is_some()),
            (PortKind::Ticket, self.ticket.is_some()),
            (PortKind::EventSink, self.event_sink.is_some()),
            (PortKind::Annotations, self.annotations.is_some()),
            (PortKind::Changes, self.changes.is_some()),
            (PortKind::Silences, self.silences.is_some()),
        ];
        there.into_iter().filter(|(_, has)| *has).map(|(port, _)| port).collect()
    }

    /// What the machine is told of it.
    pub fn facts(&self, name: &SourceName) -> TargetFacts {
        let ms = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        TargetFacts {
            name: name.clone(),
            product: self.product.clone(),
            ports: self.ports(),
            caps: self.outward.caps(),
            pace: self.outward.pace(),
            limit_ms: ms(self.limit),
            audience: self.event_sink.as_ref().and_then(|sink| sink.audience()),
            address: self.address.clone(),
            reads_every_ms: self.reads_every.map(ms),
            room: self.room.clone(),
        }
    }
}

//! Targets of writes: incident backends, chats, status pages, trackers, event sinks, dashboards. What all of them share is
//! checked here; what one product alone knows stands under `options` and is checked by its adapter. Never connects.

use crate::config::secret::{self, SecretRef};
use crate::config::source::{self, Connection};
use crate::domain::document::{Fields, Mark, Node, Reader};
use crate::domain::ids::SourceName;
use crate::domain::outward::target::PortKind;
use std::path::{Path, PathBuf};

/// A section of the configuration file that lists targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// `incident_backends`
    IncidentBackends,
    /// `chat`
    Chat,
    /// `status_pages`
    StatusPages,
    /// `tickets`
    Tickets,
    /// `event_sinks`
    EventSinks,
    /// `annotations`
    Annotations,
    /// `changes`
    Changes,
}

impl Section {
    /// All of them, in the order of the file's keys.
    pub const ALL: [Self; 7] = [
        Self::IncidentBackends,
        Self::Chat,
        Self::StatusPages,
        Self::Tickets,
        Self::EventSinks,
        Self::Annotations,
        Self::Changes,
    ];

    /// Its key.
    pub fn key(self) -> &'static str {
        match self {
            Self::IncidentBackends => "incident_backends",
            Self::Chat => "chat",
            Self::StatusPages => "status_pages",
            Self::Tickets => "tickets",
            Self::EventSinks => "event_sinks",
            Self::Annotations => "annotations",
            Self::Changes => "changes",
        }
    }

    /// The port that its targets are used as.
    pub fn port(self) -> PortKind {
        match self {
            Self::IncidentBackends => PortKind::Backend,
            Self::Chat => PortKind::Chat,
            Self::StatusPages => PortKind::StatusPage,
            Self::Tickets => PortKind::Ticket,
            Self::EventSinks => PortKind::EventSink,
            Self::Annotations => PortKind::Annotations,
            Self::Changes => PortKind::Changes,
        }
    }
}

/// Where a target is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A base address without a slash at its end.
    Plain(String),
    /// An address that is a secret as a whole: a webhook with its token in it.
    Secret(SecretRef),
}

/// A target of writes.
#[derive(Clone, Debug, PartialEq)]
pub struct OutsideConfig {
    /// Where it stands.
    pub section: Section,
    /// Unique over all sections.
    pub name: SourceName,
    /// The product: `pagerduty`, `webhook`; the registry knows which there are.
    pub kind: String,
    /// Where it is; `None` takes the product's own address.
    pub url: Option<Address>,
    /// A `url` is written, whether it can be used or not.
    pub has_url: bool,
    /// How it is asked.
    pub connection: Connection,
    /// Nothing is written to it.
    pub read_only: bool,
    /// What its product alone knows.
    pub options: Option<Node>,
    /// The file, for findings about the options.
    pub path: String,
    /// What paths in the options are relative to.
    pub folder: PathBuf,
    /// Where the entry begins.
    pub mark: Mark,
}

impl OutsideConfig {
    /// Whether both make the same target, wherever they stand in their files.
    pub fn same(&self, other: &Self) -> bool {
        let options = match (&self.options, &other.options) {
            (Some(a), Some(b)) => a.same(b),
            (a, b) => a.is_none() && b.is_none(),
        };
        let plain = |it: &Self| Self { options: None, mark: Mark::default(), path: String::new(), ..it.clone() };
        options && plain(self) == plain(other)
    }

    /// Its options as fields; a key that is not `known` is a finding, and no options are an empty map.
    pub fn options<'n>(&'n self, reader: &mut Reader<'_>, known: &[&str]) -> Option<Fields<'n>> {
        reader.map(self.options.as_ref()?, "options", known)
    }

    /// Where to point for an option that is missing.
    pub fn options_mark(&self) -> Mark {
        self.options.as_ref().map_or(self.mark, |node| node.mark)
    }

    /// A secret among its options: `{file: PATH}`, `{command: […]}` or `{env: NAME}`.
    pub fn secret(&self, reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<SecretRef> {
        secret::read(reader, node, what, &self.folder)
    }
}

/// Keys of one target.
pub const TARGET_KEYS: [&str; 11] = [
    "name",
    "kind",
    "url",
    "poll_interval",
    "timeout",
    "connect_timeout",
    "auth",
    "headers",
    "tls",
    "read_only",
    "options",
];

/// Reads one target of a section.
pub(super) fn target(
    reader: &mut Reader<'_>,
    node: &Node,
    section: Section,
    place: (&str, &Path),
) -> Option<OutsideConfig> {
    let (path, folder) = place;
    let fields = reader.map(node, &format!("an entry of {}", section.key()), &TARGET_KEYS)?;
    let kind = fields.need(reader, "kind").and_then(|n| reader.string(n, "kind"));
    let name = match fields.get("name") {
        Some(_) => source::name(reader, &fields, section.key(), false),
        None => kind.as_deref().map(SourceName::from),
    };
    let url = match fields.get("url") {
        None => None,
        Some(node) if node.text().is_some() => source::address_as_written(reader, node, "url").map(Address::Plain),
        Some(node) => secret::read(reader, node, "url", folder).map(Address::Secret),
    };
    let connection = source::connection(reader, &fields, folder);
    if let Some(Address::Plain(url)) = &url {
        source::unencrypted(reader, &fields, &connection, std::slice::from_ref(url));
    }
    let read_only = fields.get("read_only").and_then(|n| reader.boolean(n, "read_only")).unwrap_or(false);
    let options = fields.get("options").cloned();
    Some(OutsideConfig {
        section,
        name: name?,
        kind: kind?,
        url,
        has_url: fields.get("url").is_some(),
        connection,
        read_only,
        options,
        path: path.to_owned(),
        folder: folder.to_owned(),
        mark: node.mark,
    })
}

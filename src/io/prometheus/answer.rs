//! An answer of a Prometheus-compatible server with what came beside the data. Never judges it.

use crate::domain::time::Span;

/// Data and its side notes.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer<T> {
    /// The data.
    pub data: T,
    /// The server's warnings and infos, and ours about what could not be read; raw outside text.
    pub warnings: Vec<String>,
    /// The server says that something is missing: a warning of its own, or `isPartial`.
    pub partial: bool,
    /// The server's clock minus ours, to about a second.
    pub skew: Option<Span>,
}

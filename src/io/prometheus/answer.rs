//! What one request to a Prometheus-compatible server brought, beside its data.

use crate::domain::time::Span;

/// An answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer<T> {
    /// The data.
    pub data: T,
    /// What the server warned of; raw outside text.
    pub warnings: Vec<String>,
    /// The server says that something is missing.
    pub partial: bool,
    /// The server's clock minus ours, from the `Date` header.
    pub skew: Option<Span>,
}

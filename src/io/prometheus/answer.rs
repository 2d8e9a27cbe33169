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
    /// Samples that the server read for it, where it says so.
    pub samples: Option<u64>,
}

impl<T> Answer<T> {
    /// The same with other data.
    pub fn map<U>(self, data: impl FnOnce(T) -> U) -> Answer<U> {
        let Self { data: old, warnings, partial, skew, samples } = self;
        Answer { data: data(old), warnings, partial, skew, samples }
    }
}

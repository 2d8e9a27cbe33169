//! What came with a source's answers beside the data.

use crate::domain::time::Span;

/// What came with the answers of one source in one poll.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServerNote {
    /// Requests it took.
    pub requests: usize,
    /// The server's clock minus ours, from the `Date` header.
    pub skew: Option<Span>,
    /// The server's version, where it was asked.
    pub version: Option<String>,
    /// Warnings of any answer; raw outside text.
    pub warnings: Vec<String>,
    /// Samples that the server read for it, where it says so.
    pub samples: Option<u64>,
}

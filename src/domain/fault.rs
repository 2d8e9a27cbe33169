//! What went wrong at an edge, told so that a person knows what failed, for which object, and what happens next.

use crate::domain::time::Span;
use std::fmt;

/// The kinds of failure that the screen tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// No connection: refused, reset, no route, no such host.
    Unreachable,
    /// Nothing (or not everything) came within the total time limit.
    Timeout,
    /// Certificate or handshake.
    Tls,
    /// 401: the token is wrong or missing.
    Auth,
    /// 403.
    Permission,
    /// 429, or a busy 503.
    RateLimited,
    /// A 3xx answer; never followed.
    Redirect,
    /// HTML where data was expected: a login page of a proxy.
    LoginPage,
    /// The body was larger than the limit.
    TooLarge,
    /// Not the format, or wrong types.
    Malformed,
    /// The server understood and refused: a bad query, an unknown path.
    Rejected,
    /// 5xx.
    Server,
    /// Something on this machine: a file, a folder, a program.
    Local,
}

impl FaultKind {
    /// One word for a status line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::Tls => "TLS",
            Self::Auth => "AUTH",
            Self::Permission => "forbidden",
            Self::RateLimited => "rate limited",
            Self::Redirect => "redirect",
            Self::LoginPage => "login page",
            Self::TooLarge => "too large",
            Self::Malformed => "malformed",
            Self::Rejected => "rejected",
            Self::Server => "server error",
            Self::Local => "local",
        }
    }

    /// Whether the same request may succeed a moment later without a person doing anything.
    pub fn passing(self) -> bool {
        matches!(self, Self::Unreachable | Self::Timeout | Self::RateLimited | Self::Server)
    }
}

/// A failure at an edge.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Which of the kinds.
    pub kind: FaultKind,
    /// The object: `prometheus main`, `alertmanager main peer 2`, `file slos/api.yaml`.
    pub what: String,
    /// What exactly; outside text, still to be sanitised by its sink. Never holds a token or a query string.
    pub detail: String,
    /// What the server asked for (`Retry-After`).
    pub retry_after: Option<Span>,
}

impl Fault {
    /// A fault without a server hint.
    pub fn new(kind: FaultKind, what: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { kind, what: what.into(), detail: detail.into(), retry_after: None }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.kind.word())?;
        if self.detail.is_empty() { Ok(()) } else { write!(f, ": {}", self.detail) }
    }
}

impl std::error::Error for Fault {}

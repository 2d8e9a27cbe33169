//! The one way this program speaks HTTP to a source: bounded in time and size, no redirects, no token to anybody else, and
//! every failure told as one of the kinds the screen tells apart. Never interprets a body beyond "this is a login page".
//!
//! Promises, all of them tested against a server that misbehaves:
//! * a request ends within the endpoint's total limit (a secret that a command prints may add its own five seconds);
//! * no more than the given number of bytes is held, counted after decompression;
//! * a redirect is an answer, never followed, so that credentials reach no other origin;
//! * no URL, query, header or secret is in an error or in `Debug`;
//! * a secret of ours that an answer says back is masked before anybody reads the answer.

pub mod classify;
pub mod client;
pub mod echo;
pub mod endpoint;
pub mod json;
pub mod reply;
pub mod throttle;

pub use client::{Body, Failure, Hidden, Http, Request};
pub use endpoint::{Auth, BaseUrl, Endpoint, Tls};
pub use reply::{Explained, Reply};
pub use throttle::Throttled;

/// The largest answer to a query, after decompression.
pub const QUERY_LIMIT: usize = 8 * 1024 * 1024;
/// The largest answer with alerts, after decompression.
pub const ALERTS_LIMIT: usize = 32 * 1024 * 1024;

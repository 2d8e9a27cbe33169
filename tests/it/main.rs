//! Integration tests, one binary.

mod postmortem;
// Clippy's own exception for tests covers test functions, not what they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

mod fake_server;
mod http;
mod real;
mod real_sources;
mod tls;
mod runbooks;
mod demo;

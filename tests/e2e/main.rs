//! The program as people run it: the real binary in a real (pseudo) terminal, one binary of tests. Names carry the promise
//! that a test keeps.
// Clippy's own exception for tests covers test functions, not what they share.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout
)]

mod fake;
mod steering;
mod terminal;

mod approval;
mod canaries;
mod demo;
mod drill;
mod gameday;
mod hostile;
mod keys;
mod lifecycle;
mod plain;
mod record;
mod reload;
mod replay;
mod stalled;
mod story;

#[path = "../it/ports.rs"]
mod ports;
#[path = "../it/real.rs"]
#[allow(dead_code, reason = "the integration tests use the rest of it")]
mod real;

#[path = "../it/canary_house.rs"]
#[allow(dead_code, reason = "the integration tests use the rest of it")]
mod canary_house;

#[path = "../it/stateful_server.rs"]
#[allow(dead_code, reason = "the integration tests use the rest of it")]
mod stateful_server;

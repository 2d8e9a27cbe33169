//! Integration tests, one binary.
// Clippy's own exception for tests covers test functions, not what they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

mod cli;
mod config;
mod demo;
mod fake_server;
mod http;
mod layers;
mod machine;
mod postmortem;
mod real;
mod real_sources;
mod runbooks;
mod tls;

mod durability;
mod fold;
mod shell;
mod simulation;
mod store;
mod storms;

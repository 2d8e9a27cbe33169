//! Integration tests, one binary.
// Clippy's own exception for tests covers test functions, not what they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

mod cli;
mod config;
mod demo;
mod fake_server;
mod http;
mod postmortem;
mod real;
mod real_sources;
mod runbooks;
mod tls;

mod durability;
mod fold;
mod shell;
mod store;

#[cfg(test)]
mod pictures;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod sample_overlays;
#[cfg(test)]
mod sample_views;
#[cfg(test)]
mod screens;
#[cfg(test)]
mod themes;

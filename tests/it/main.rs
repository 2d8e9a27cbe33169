//! Integration tests, one binary.
// Clippy's own exception for tests covers test functions, not what they share.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout
)]

mod backend;
mod beyond;
mod canaries;
mod canary_house;
mod cli;
mod cli_cost;
mod cli_import;
mod cli_incident;
mod cli_outbox;
mod cli_pagers;
mod cli_pages;
mod cli_runbook;
mod cli_sinks;
mod cli_sources;
mod cli_timeline;
mod config;
mod contract;
mod coverage;
mod dashboards;
mod demo;
mod desk;
mod drill_people;
mod drill_told;
mod drills;
mod durability;
#[cfg(test)]
mod experiment_screen;
mod experiments;
mod fake_server;
mod floods;
mod fold;
mod gameday_screen;
mod gamedays;
mod http;
mod incident_room;
mod injection;
mod killed_outbox;
mod killed_walks;
mod layers;
mod lookouts;
mod machine;
mod machine_timeline;
mod markdown;
mod outbox_sim;
mod outbox_store;
mod pagerduty_server;
#[cfg(test)]
mod pictures;
mod ports;
mod postmortem;
mod publish;
#[cfg(test)]
mod readme;
mod real;
mod real_matrix;
mod real_rows;
mod real_silences;
mod real_slos;
mod real_sources;
mod real_walks;
mod reconnect;
mod reload;
#[cfg(test)]
mod replay;
mod runbook_convert;
mod runbook_keys;
mod runbook_rules;
mod runbooks;
mod running;
#[cfg(test)]
mod sample_desk;
#[cfg(test)]
mod sample_overlays;
#[cfg(test)]
mod sample_views;
#[cfg(test)]
mod screens;
mod search;
mod shell;
mod silences;
mod simulation;
mod slo_formats;
mod slo_lint;
mod stateful_server;
mod store;
mod storms;
#[cfg(test)]
mod themes;
mod tls;
mod vectors;
mod what_changed;

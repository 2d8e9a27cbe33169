//! The edges: one file per integration, each behind a port of [`port`]. Never sees the app or the screen.

pub mod alertmanager;
pub mod clock;
pub mod fake;
pub mod files;
pub mod http;
pub mod integration;
pub mod matrix;
pub mod mattermost;
pub mod pagerduty;
pub mod port;
pub mod prometheus;
pub mod rooms;
pub mod search;
pub mod secret;
pub mod shell;
pub mod slack;
pub mod store;
pub mod teams;
pub mod webhook;

//! The edges: one file per integration, each behind a port of [`port`]. Never sees the app or the screen.

pub mod alertmanager;
pub mod change_command;
pub mod clock;
pub mod fake;
pub mod files;
pub mod git;
pub mod github;
pub mod grafana;
pub mod http;
pub mod integration;
pub mod jira;
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
pub mod statuspage;
pub mod store;
pub mod teams;
pub mod tickets;
pub mod webhook;

//! Shells over the one machine: each joins its messages and effects with the world. `tui` in a terminal, `once` (and
//! `cost`) for the scriptable commands, `plain` line by line, `replay` on a recorded incident, `sim` on a virtual clock. No
//! business rules here.

pub mod cost;
pub mod courier;
pub mod draft;
pub mod drill;
pub mod endpoints;
pub mod engine;
pub mod experiment;
pub mod gameday;
pub mod integrations;
pub mod once;
pub mod plain;
pub mod rehearsal;
pub mod replay;
pub mod setup;
pub mod shelf;
pub mod sim;
pub mod sources;
pub mod stamp;
pub mod targets;
pub mod terminal;
pub mod tui;
pub mod watch;
pub mod world;

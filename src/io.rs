//! The edges: one file per integration, each behind a port of [`port`]. Never sees the app or the screen.

pub mod clock;
pub mod files;
pub mod port;
pub mod shell;
pub mod store;

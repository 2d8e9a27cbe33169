//! The edges: one file per integration, each behind a port of [`port`]. Never sees the app or the screen.

pub mod fake;
pub mod port;

//! One file per screen. A screen places widgets; it computes nothing about the world.

pub mod alerts;
pub mod board;
pub mod changes;
pub mod detail;
pub mod experiment;
pub mod facilitator;
pub mod first_run;
pub mod gameday;
pub mod handoff;
pub mod incident;
pub mod messages;
pub mod outbox;
pub mod overview;
pub mod postmortem;
pub mod runbooks;
pub mod slo;
pub mod slos;
pub mod sources;
pub mod timers;
pub mod walk;
pub mod what_changed;

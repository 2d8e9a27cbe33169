//! Chaos experiments: a hypothesis, what may be touched, what must hold before, what ends it at once, what is done, and a
//! rollback on every way out. Values and rules; nothing here runs anything or reads a clock.
//!
//! A file is read by [`read`] with the keys of [`keys`] and judged by [`lint`]. [`machine`] goes through it: events in,
//! effects out; what happened is a journal of [`entry`]s that folds into a [`record`], so that a run which was killed is known
//! to owe its rollback. [`report`] is the journal for people.

pub mod chaos_toolkit;
pub mod entry;
pub mod halting;
pub mod hours;
pub mod keys;
pub mod lint;
pub mod machine;
pub mod model;
pub mod preflight;
pub mod read;
pub mod record;
pub mod report;
pub mod schema;
pub mod tolerance;

pub use model::Experiment;

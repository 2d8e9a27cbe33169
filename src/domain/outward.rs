//! What leaves the house: operations on other people's systems, what became of them, and when the next step may be
//! taken. Values and rules; nothing here sends anything.
//!
//! A write becomes an [`operation::Operation`], recorded in one transaction with its event. The outbox holds one
//! [`entry::Entry`] per operation, folded from [`entry::Step`]s; [`decide::decide`] says what may happen to it next. Its
//! [`outcome::Outcome`] goes to the timeline.

pub mod annotation;
pub mod backend;
pub mod barred;
pub mod capability;
pub mod chat;
pub mod correlate;
pub mod decide;
pub mod entry;
pub mod event_sink;
pub mod intent;
pub mod operation;
pub mod outcome;
pub mod pace;
pub mod question;
pub mod silence;
pub mod status_page;
pub mod target;
pub mod ticket;

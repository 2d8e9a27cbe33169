//! midwatch: a terminal cockpit for the engineer who has just been paged.

pub mod app;
pub mod domain;
pub mod io;
pub mod ui;

//! midwatch: a terminal cockpit for the engineer who has just been paged.

pub mod app;
pub mod cli;
pub mod config;
pub mod domain;
pub mod io;
pub mod run;

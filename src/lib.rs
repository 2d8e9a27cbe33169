//! midwatch: a terminal cockpit for the engineer who has just been paged.

pub mod domain;
pub mod io;

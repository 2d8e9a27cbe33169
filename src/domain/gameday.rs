//! Game days: a run sheet of scenarios, experiments and announcements with times and roles, what must not be told yet, a log that
//! everybody writes to, and one report. Values and rules; nothing here starts anything or reads a clock.

pub mod keys;
pub mod log;
pub mod model;
pub mod read;
pub mod report;
pub mod schema;

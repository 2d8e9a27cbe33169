//! One file per widget: what several screens draw the same way.

pub mod alert_rows;
pub mod chart;
pub mod confirm;
pub mod event_rows;
pub mod facts;
pub mod field;
pub mod form;
pub mod gauge;
pub mod help;
pub mod hints;
pub mod incident_rows;
pub mod links;
pub mod list;
pub mod modal;
pub mod outbox_rows;
pub mod palette;
pub mod plot;
pub mod rule;
pub mod scrub;
pub mod search;
pub mod silence_rows;
pub mod slo_rows;
pub mod source_rows;
pub mod status;
pub mod step_rows;
pub mod timer_rows;

//! Facts and rules. No I/O, no clock, no async: values in, values out.

pub mod alert;
pub mod chart;
pub mod document;
pub mod drill;
pub mod escalation;
pub mod exec;
pub mod experiment;
pub mod export;
pub mod fault;
pub mod ids;
pub mod import;
pub mod incident;
pub mod labels;
pub mod mask;
pub mod outward;
pub mod postmortem;
pub mod recent;
pub mod resilience;
pub mod review;
pub mod runbook;
pub mod search;
pub mod server_note;
pub mod severity;
pub mod slo;
pub mod text;
pub mod time;

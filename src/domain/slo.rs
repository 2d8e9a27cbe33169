//! Objectives, readings and what follows from them: budgets, burn rates, alert pairs, policy. No I/O, no clock.

pub mod objective;
pub mod reading;
pub mod sample;

//! A simulated production: six services with thirty days of history and an incident that answers to the responder.
//! Everything is a function of a seed, the instant it began and the acts so far; nothing here can touch the world.

pub mod alarm;
pub mod answer;
pub mod capture;
pub mod chance;
pub mod course;
pub mod history;
pub mod ledger;
pub mod production;
pub mod promise;
pub mod report;
pub mod scenario;
pub mod score;
pub mod script;
pub mod service;
pub mod stage;
pub mod track;
pub mod trend;

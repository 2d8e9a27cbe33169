//! Rehearsal. The demo's production (`production`, `course`, `ledger`, `promise`, `service`, `alarm`, `answer`): six services
//! with thirty days of history and an incident that answers to the responder. And drills: a `scenario`, the `stage` that plays
//! it, its `score`, `recovery`, `report`, `history` and `trend`, what is said to a running one (`facilitation`) and of the world
//! outside (`real_world`), a `script` of acts, and `capture`, which makes a scenario of an incident.
//! Everything is a function of a seed, the instant it began and the acts so far; nothing here can touch the world.

pub mod alarm;
pub mod answer;
pub mod capture;
pub mod chance;
pub mod course;
pub mod facilitation;
pub mod history;
pub mod ledger;
pub mod production;
pub mod promise;
pub mod real_world;
pub mod recovery;
pub mod report;
pub mod scenario;
pub mod score;
pub mod script;
pub mod service;
pub mod stage;
pub mod track;
pub mod trend;

//! Runbooks: what a person does about an alert, step by step. `model` is the runbook, `format` picks the reader, `seed`
//! reads format v0, `shape` tells a command from a sentence, `shell` sees words and variables in a command, `lint` says
//! what will hurt at night, `matching` finds the runbook for an alert, `values` gives facts to a command, `inputs`
//! says where they come from, `prepare` and `remote` make exactly what would run, `offer` is what is confirmed before it
//! runs, `hold` watches whether a change helps, `route` says which way a walk takes, `walk` where a person is. Nothing here runs anything or opens a file.

pub mod format;
pub mod gate;
pub mod hold;
pub mod include;
pub mod inputs;
pub mod lint;
pub mod matching;
pub mod model;
pub mod offer;
pub mod permit;
pub mod prepare;
pub mod remote;
pub mod route;
pub mod seed;
pub mod shape;
pub mod shell;
pub mod values;
pub mod walk;

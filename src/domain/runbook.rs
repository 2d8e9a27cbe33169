//! Runbooks: what a person does about an alert, step by step. `model` is the runbook, `format` picks the reader, `seed`
//! reads format v0, `markdown` reads pages, `shape` tells a command from a sentence, `shell` sees words and variables in a command, `lint` says
//! what will hurt at night, `coverage` which alerts have none, `matching` finds the runbook for an alert, `search` for a person, `values` gives facts to a command, `walk` says
//! where a person is. Nothing here runs anything or opens a file.

pub mod convert;
pub mod coverage;
pub mod diff;
pub mod format;
pub mod keys;
pub mod lint;
pub mod markdown;
pub mod matching;
pub mod model;
pub mod pattern;
pub mod pieces;
pub mod reference;
pub mod search;
pub mod seed;
pub mod shape;
pub mod shell;
pub mod v1;
pub mod values;
pub mod walk;

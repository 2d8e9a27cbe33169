//! Runbooks: what a person does about an alert, step by step. `model` is the runbook, `format` picks the reader, `seed`
//! reads the plain form, `v1` what says what it may do, `markdown` pages; `keys` are the keys of both forms, `reference`
//! tells them, `convert` writes the first as the second. `diff` says what changed between two versions, `unplaced`
//! without which lines. `shape` tells a command from a sentence, `shell` sees words and
//! variables in a command, `pattern` whether an expression can be used, `lint` says what will hurt at night, `coverage`
//! which alerts have none, `matching` finds the runbook for an alert, `search` for a person, `values` gives facts to a
//! command, `inputs` says where they come from, `prepare` and `remote` make exactly what would run, `gate` says what must
//! come first, `limit` the time limit of what names none, `offer` is what is confirmed before it runs, `hold` watches whether a change helps, `suggest` says what a
//! measurement means for a check, `route` which way a walk takes, `walk` where a person is. Nothing here runs anything or opens a file.

pub mod convert;
pub mod coverage;
pub mod diff;
pub mod format;
pub mod gate;
pub mod hold;
pub mod include;
pub mod inputs;
pub mod keys;
pub mod limit;
pub mod lint;
pub mod markdown;
pub mod matching;
pub mod model;
pub mod offer;
pub mod pattern;
pub mod permit;
pub mod pieces;
pub mod prepare;
pub mod reference;
pub mod remote;
pub mod route;
pub mod search;
pub mod seed;
pub mod shape;
pub mod shell;
pub mod suggest;
pub mod unplaced;
pub mod v1;
pub mod values;
pub mod walk;

//! Integration tests, one binary.

mod postmortem;

//! Integration tests, one binary.

mod runbooks;

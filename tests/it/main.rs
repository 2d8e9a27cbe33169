//! Integration tests, one binary.

mod durability;
mod fold;
mod shell;
mod store;

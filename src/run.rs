//! Shells that join the machine to a world. They hold no business rules.

pub mod sim;

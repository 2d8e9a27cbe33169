//! Ratios against a floor of the same run.
fn main() {}

//! Integration tests, one binary.

mod sample_views;
mod screens;
mod themes;

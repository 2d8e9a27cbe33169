//! Whole-program runs in a real terminal.

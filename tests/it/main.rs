//! Integration tests, one binary.

#[cfg(test)]
mod sample_overlays;
#[cfg(test)]
mod sample_views;
#[cfg(test)]
mod screens;
#[cfg(test)]
mod themes;

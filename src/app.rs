//! The machine: messages in, model changed, effects out. Pure: no clock, disk, network, terminal, and nothing async.

pub mod present;

//! Deadlines of an incident. `timer` is one deadline, `timers` derives all of them from events and policy. Nothing here
//! is stored, and nothing here pages anybody.

pub mod timer;
pub mod timers;

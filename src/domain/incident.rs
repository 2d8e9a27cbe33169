//! An incident: a set of events folded into a state. `event` is the record, `terms` its words, `state` the fold of
//! its `parts`, `decide`
//! turns a command into events or a refusal, `change` is what commands did to production, `board` what its commander keeps,
//! `imported` is what came from elsewhere, `mark` what people think of an entry, `redaction` how a text leaves the record,
//! `filter` which entries are wanted, `timeline` tells an event in words, `room` is what of it is in a chat and `announce`
//! what is told there. `reel` winds through all of it. A new kind of event is one variant in `event`, one arm in `state`, one arm in `timeline`.

pub mod announce;
pub mod board;
pub mod change;
pub mod command;
pub mod decide;
pub mod event;
pub mod filter;
pub mod imported;
pub mod link;
pub mod linked;
pub mod mark;
pub mod notices;
pub mod outgoing;
pub mod parts;
pub mod redaction;
pub mod reel;
pub mod room;
pub mod sent;
pub mod state;
pub mod stepped;
pub mod terms;
pub mod tickets;
pub mod timeline;

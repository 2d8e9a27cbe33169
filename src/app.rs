//! The machine: messages in, model changed, effects out. Pure: no clock, disk, network, terminal, and nothing async.

pub mod action;
pub mod alert_book;
pub mod backend;
pub mod cache;
pub mod confirm;
pub mod costs;
pub mod deadline;
pub mod editor;
pub mod effect;
pub mod fleet;
pub mod form;
pub mod health;
pub mod key;
pub mod keymap;
pub mod model;
pub mod msg;
pub mod outbox;
pub mod past;
pub mod pending;
pub mod present;
pub mod reload;
pub mod review;
pub mod rooms;
pub mod screen;
pub mod suggested;
pub mod update;

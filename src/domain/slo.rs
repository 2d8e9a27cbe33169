//! Objectives, readings and what follows from them: budgets, burn rates, alert pairs, policy. No I/O, no clock.
//!
//! The way of a number: files are read by [`mod@format`] (which picks a reader such as [`seed`]) into a
//! [`catalogue::Catalogue`] of [`objective::Objective`]s; [`plan`] turns objectives and windows into few PromQL requests and
//! joins the answers into [`reading::Measurement`]s; [`status::assess`] says what a measurement means. [`budget`], [`burn`], [`forecast`] and
//! [`policy`] hold the arithmetic that it uses, each on its own so that a test vector points at one file. [`lint`] says what
//! is wrong with objectives that can be read.
//!
//! Where more goes:
//! - another file format: a sibling of [`sloth`], [`pyrra`], [`openslo`], [`slo_generator`], [`own`], named in
//!   [`mod@format`]'s table; it yields the same objectives, and what it says in [`own`] words is read back equal;
//! - another number that is summed from events: from [`net_events`], which are the slices without planned work; see
//!   [`calendar`], [`outlook`] and [`incident_cost`]. [`status::beyond`] is where a status takes them in;
//! - another block of our own format beside objectives, as [`service`], [`maintenance`] and [`policy`] are: a reader over
//!   [`crate::domain::document`], a field of [`catalogue::Plans`];
//! - another teller of deploys and changes: whatever makes [`marks::Mark`]s;
//! - another way of making one objective of several: [`composite`]; what its parts' events say of it: [`composite_events`].

pub mod assemble;
pub mod budget;
pub mod burn;
pub mod calendar;
pub mod catalogue;
pub mod composite;
pub mod composite_events;
pub mod diff;
pub mod event_slices;
pub mod forecast;
pub mod format;
pub mod grouping;
pub mod history;
pub mod incident_cost;
pub mod lines;
pub mod lint;
pub mod maintenance;
pub mod marks;
pub mod net_events;
pub mod objective;
pub mod openslo;
pub mod outlook;
pub mod own;
pub mod pairs;
pub mod period;
pub mod plan;
pub mod policy;
pub mod promql;
pub mod pyrra;
pub mod reading;
pub mod recorded;
pub mod recurrence;
pub mod ring;
pub mod sample;
pub mod seed;
pub mod service;
pub mod settling;
pub mod signals;
pub mod slices;
pub mod slo_generator;
pub mod sloth;
pub mod status;
pub mod terms;
pub mod warm;
pub mod windows;
pub mod wording;

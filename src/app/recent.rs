//! What the feeds told about a stretch of time: which changes, when they were asked, what failed. One stretch at a time: that
//! of the screen that asks what changed.

use crate::domain::ids::{IncidentId, SloId, SourceName};
use crate::domain::recent::Recent;
use crate::domain::time::Timestamp;
use std::collections::BTreeMap;

/// What it is asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// An incident: around its start.
    Incident(IncidentId),
    /// An objective: up to now.
    Slo(SloId),
}

/// One feed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Feed {
    /// When it was asked last.
    pub asked: Option<Timestamp>,
    /// When it answered last.
    pub heard: Option<Timestamp>,
    /// What it told then.
    pub changes: Vec<Recent>,
    /// Why it told nothing the last time.
    pub fault: Option<String>,
}

/// What the feeds told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heard {
    /// What they were asked for.
    pub subject: Option<Subject>,
    /// By the name of the feed.
    pub feeds: BTreeMap<SourceName, Feed>,
}

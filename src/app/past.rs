//! What is known of what was written before: the hits of a search while it is typed, and incidents that are like one.

use crate::domain::ids::IncidentId;
use crate::domain::search::{Hit, Similar};
use crate::domain::time::Timestamp;
use std::collections::BTreeMap;

/// What was found, and what is asked.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// What the hits answer.
    pub answered: String,
    /// The hits.
    pub hits: Vec<Hit>,
    /// Why the last question was not answered.
    pub fault: Option<String>,
    /// Incidents that are like one, and when that was asked.
    pub similar: BTreeMap<IncidentId, (Timestamp, Vec<Similar>)>,
}

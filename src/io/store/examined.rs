//! What a check of the record looked at, what it found wrong, and what it found redacted.

use crate::domain::ids::IncidentId;
use crate::domain::incident::event::{Body, Event, EventKey};
use crate::domain::time::Timestamp;
use crate::io::store::chain::Finding;
use std::collections::BTreeSet;

/// A text that was taken out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Of which incident.
    pub incident: IncidentId,
    /// Of which event.
    pub of: EventKey,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// Why.
    pub reason: String,
    /// There was a text to take out.
    pub done: bool,
}

/// A check and what came of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Examined {
    /// Events that were looked at.
    pub events: u64,
    /// Installations that wrote them.
    pub origins: u64,
    /// Incidents they belong to.
    pub incidents: u64,
    /// What is wrong; empty is sound.
    pub findings: Vec<Finding>,
    /// Texts that were taken out, oldest first.
    pub redactions: Vec<Taken>,
}

impl Examined {
    /// Of the events that a check looked at; with an incident, of that one alone. What is wrong with the record as a whole
    /// is told in both cases.
    pub fn of<'e>(
        events: impl Iterator<Item = &'e Event>,
        findings: Vec<Finding>,
        incident: Option<&IncidentId>,
    ) -> Self {
        let mut out = Self { findings, ..Self::default() };
        out.findings.retain(|f| incident.is_none() || f.incident.is_none() || f.incident.as_ref() == incident);
        let (mut origins, mut incidents) = (BTreeSet::new(), BTreeSet::new());
        for event in events.filter(|event| incident.is_none_or(|id| event.incident == *id)) {
            out.events += 1;
            origins.insert(&event.key.origin);
            incidents.insert(&event.incident);
            if let Body::Redacted(redaction) = &event.body {
                out.redactions.push(Taken {
                    incident: event.incident.clone(),
                    of: redaction.of.clone(),
                    at: event.at,
                    by: event.actor.clone(),
                    reason: redaction.reason.clone(),
                    done: !redaction.places.is_empty(),
                });
            }
        }
        out.redactions.sort_by(|a, b| (a.at, &a.of).cmp(&(b.at, &b.of)));
        (out.origins, out.incidents) = (origins.len() as u64, incidents.len() as u64);
        out
    }
}

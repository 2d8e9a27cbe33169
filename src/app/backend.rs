//! What was read of a paging product beside its open incidents, and what the cockpit makes of it: which of them belong to
//! incidents of ours, and which of them nobody here has looked at.

use crate::app::model::Model;
use crate::app::outbox::TargetState;
use crate::domain::alert::Alert;
use crate::domain::fault::Fault;
use crate::domain::ids::SourceName;
use crate::domain::incident::linked::BackendLink;
use crate::domain::outward::backend::{BackendAlert, BackendIncident, BackendStatus, OnCall, Priority};
use crate::domain::outward::correlate;
use crate::domain::outward::operation::Expected;
use crate::domain::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// What was read of one target, by ids there.
#[derive(Clone, Debug, Default)]
pub struct Readings {
    /// Alerts inside open incidents; empty where there are none or they could not be read.
    pub alerts: BTreeMap<String, Vec<BackendAlert>>,
    /// Linked incidents that are not among the open ones, and when they were read.
    pub gone: BTreeMap<String, (Timestamp, BackendIncident)>,
    /// When the log of an incident was asked for last.
    pub logs: BTreeMap<String, Timestamp>,
    /// Who is on call for a service of ours, and when that was read.
    pub on_call: BTreeMap<String, (Timestamp, Vec<OnCall>)>,
    /// Why it is not known who is on call, and when that was asked.
    pub on_call_fault: Option<(Timestamp, Fault)>,
    /// Priorities, and when they were read.
    pub priorities: Option<(Timestamp, Vec<Priority>)>,
    /// Ends of acknowledgements that were told already.
    pub warned: BTreeSet<(String, Timestamp)>,
}

impl TargetState {
    /// Its open incidents, as they were read last.
    pub fn open_incidents(&self) -> &[BackendIncident] {
        self.incidents.as_ref().map_or(&[], |(_, open)| open.as_slice())
    }

    /// One of its incidents, open or not, as it was read last.
    pub fn seen(&self, page: &str) -> Option<&BackendIncident> {
        let open = self.open_incidents().iter().find(|i| i.id == page);
        open.or_else(|| self.readings.gone.get(page).map(|(_, there)| there))
    }
}

/// What a person sees of an incident there, for an act that is decided now.
pub fn expected(there: &BackendIncident) -> Expected {
    Expected {
        status: Some(there.status.word().to_owned()),
        updated_at: there.updated_at,
        assigned: there.assigned.iter().map(|party| party.id.clone()).collect(),
    }
}

/// Open incidents of paging products that belong to no open incident of ours: what nobody has first, then the oldest.
pub fn unlinked(model: &Model) -> Vec<(&SourceName, &BackendIncident)> {
    let linked: BTreeSet<(&SourceName, &str)> = model
        .desk
        .cases
        .values()
        .filter(|case| case.shown.is_open())
        .flat_map(|case| case.shown.pages.iter().map(|linked| (&linked.link.target, linked.link.page.as_str())))
        .collect();
    let all =
        model.outbox.targets.iter().flat_map(|(name, target)| target.open_incidents().iter().map(move |i| (name, i)));
    let mut left: Vec<_> = all.filter(|(name, there)| !linked.contains(&(*name, there.id.as_str()))).collect();
    left.sort_by(|(a, x), (b, y)| {
        let rank = |i: &BackendIncident| {
            (i.status != BackendStatus::Triggered, i.urgency.as_deref() == Some("low"), i.created_at)
        };
        rank(x).cmp(&rank(y)).then_with(|| (a, &x.id).cmp(&(b, &y.id)))
    });
    left
}

/// The open incidents of paging products that are about an alert of ours, and why.
pub fn of_alert<'m>(model: &'m Model, alert: &Alert) -> Vec<(&'m SourceName, &'m BackendIncident, String)> {
    let mut found = Vec::new();
    for (name, target) in &model.outbox.targets {
        for there in target.open_incidents() {
            let inside = target.readings.alerts.get(&there.id).map_or(&[][..], Vec::as_slice);
            found.extend(correlate::why(there, inside, alert).map(|why| (name, there, why)));
        }
    }
    found
}

/// Links to those of them that belong to no open incident of ours.
pub fn about(model: &Model, alert: &Alert) -> Vec<BackendLink> {
    let free: BTreeSet<(&SourceName, &str)> =
        unlinked(model).into_iter().map(|(name, there)| (name, there.id.as_str())).collect();
    let found =
        of_alert(model, alert).into_iter().filter(|(name, there, _)| free.contains(&(*name, there.id.as_str())));
    found.map(|(name, there, why)| BackendLink::to(name, there, why)).collect()
}

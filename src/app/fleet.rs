//! Objectives and all that is known of them: measurements, statuses, planned work, signals, policy bands. Changed by
//! `update` alone.

use crate::app::cache::Cached;
use crate::domain::document::Finding;
use crate::domain::fault::Fault;
use crate::domain::ids::{ReqId, SloId, SourceName};
use crate::domain::incident::event::NewEvent;
use crate::domain::slo::catalogue::Plans;
use crate::domain::slo::maintenance::Maintenance;
use crate::domain::slo::marks::Marks;
use crate::domain::slo::objective::Objective;
use crate::domain::slo::policy::PolicyBands;
use crate::domain::slo::reading::{Counts, History, Measurement};
use crate::domain::slo::service::Service;
use crate::domain::slo::settling::{Crossing, Settling};
use crate::domain::slo::signals::ServiceReading;
use crate::domain::slo::status::Status;
use crate::domain::time::{Span, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Objectives and what is known of them.
#[derive(Clone, Debug, Default)]
pub struct Fleet {
    /// All objectives, in file order.
    pub objectives: Vec<Arc<Objective>>,
    /// What is wrong in SLO files.
    pub findings: Vec<Finding>,
    /// Objectives that are one row per set of label values; their rows are among `objectives`.
    pub templates: Vec<Arc<Objective>>,
    /// SLO files are still being read; no source is asked for numbers before they are.
    pub reading: bool,
    /// Last known values, until the objectives that they belong to are known.
    pub cached: Option<Cached>,
    /// What was measured last, by objective.
    pub measured: BTreeMap<SloId, Measurement>,
    /// What was made of the measurements of their parts, by composite.
    pub composed: BTreeMap<SloId, Composed>,
    /// Histories by objective, with the instant at which they were read.
    pub histories: BTreeMap<SloId, (Timestamp, History)>,
    /// Why there is no history.
    pub history_faults: BTreeMap<SloId, String>,
    /// What the measurements mean, made anew when data arrives and every few seconds, never by a key.
    pub statuses: BTreeMap<SloId, Status>,
    /// All objectives by urgency. Changes only when data arrives, so that no row moves under a cursor by itself.
    pub order: Vec<Arc<Objective>>,
    /// When the statuses were made.
    pub assessed: Option<Timestamp>,
    /// Deploys and other changes, by source.
    pub marks: BTreeMap<SourceName, Marked>,
    /// The same of targets that tell of changes: paging products, dashboards, repositories.
    pub told: BTreeMap<SourceName, Marked>,
    /// Services with their signals, in file order.
    pub services: Vec<Arc<Service>>,
    /// What the signals said last, by service.
    pub signals: BTreeMap<String, ServiceReading>,
    /// Why the signals of a source are not known.
    pub signal_faults: BTreeMap<SourceName, Fault>,
    /// Planned work.
    pub maintenance: Vec<Maintenance>,
    /// The team's own policy.
    pub policy: Option<PolicyBands>,
    /// Since when each alert pair that must be over its factor for a while is.
    pub over_since: BTreeMap<SloId, BTreeMap<usize, Timestamp>>,
    /// Policy bands as they settled.
    pub bands: Bands,
}

/// A measurement that was made of others, without planned work, and the events that this excludes.
#[derive(Clone, Debug, PartialEq)]
pub struct Composed {
    /// Made of those of its parts.
    pub measurement: Measurement,
    /// Events of its parts that do not count.
    pub excluded: Option<Counts>,
}

/// What a source told of deploys and other changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Marked {
    /// When it answered.
    pub asked: Timestamp,
    /// The range of time that was asked for, up to then.
    pub range: Span,
    /// What it told.
    pub marks: Marks,
}

/// Policy bands as they settled, and the record of their crossings.
#[derive(Clone, Debug, Default)]
pub struct Bands {
    /// By objective.
    pub settled: BTreeMap<SloId, Settling>,
    /// The record of crossings was read, or there is none: from then on crossings are told.
    pub loaded: bool,
    /// Crossings of the record and of this session, oldest first.
    pub crossings: Vec<(Timestamp, Crossing)>,
    /// Crossings that are not on disk, by request.
    pub unsaved: Vec<(ReqId, NewEvent)>,
}

impl Fleet {
    /// Takes what the files say beside objectives. Signals of services that are gone are forgotten.
    pub fn plan(&mut self, plans: Plans) {
        let Plans { services, maintenance, policy } = plans;
        self.signals.retain(|name, _| services.iter().any(|s| s.name == *name));
        (self.services, self.maintenance, self.policy) = (services, maintenance, policy);
        self.assessed = None;
    }

    /// The team's policy, or the compiled-in one.
    pub fn policy(&self) -> &PolicyBands {
        self.policy.as_ref().unwrap_or_else(|| PolicyBands::standard())
    }

    /// Takes the objectives of the files: templates wait for their rows, those that did not change keep theirs.
    pub fn take(&mut self, objectives: Vec<Arc<Objective>>) {
        let (mut plain, templates): (Vec<_>, Vec<_>) =
            objectives.into_iter().partition(|o: &Arc<Objective>| o.grouping.is_empty());
        for same in templates.iter().filter(|t| self.templates.contains(t)) {
            plain.extend(self.objectives.iter().filter(|o| is_row(&o.id, &same.id)).cloned());
        }
        self.objectives = plain;
        self.templates = templates;
    }

    /// The objectives as the files have them: templates, and not their rows.
    pub fn declared(&self) -> Vec<Arc<Objective>> {
        let row = |o: &&Arc<Objective>| self.templates.iter().any(|t| is_row(&o.id, &t.id));
        self.objectives.iter().filter(|o| !row(o)).chain(&self.templates).cloned().collect()
    }

    /// Puts rows in the place of a template's old ones. A row that is there already stays the very same value, so that what
    /// was planned with it holds. Whether anything changed.
    pub fn replace_rows(&mut self, template: &SloId, rows: Vec<Objective>) -> bool {
        let (old, mut all): (Vec<_>, Vec<_>) = self.objectives.drain(..).partition(|o| is_row(&o.id, template));
        let kept = |row: Objective| match old.iter().find(|o| ***o == row) {
            Some(same) => Arc::clone(same),
            None => Arc::new(row),
        };
        let new: Vec<Arc<Objective>> = rows.into_iter().map(kept).collect();
        let changed = new != old;
        all.extend(new);
        self.objectives = all;
        if changed {
            self.order.clear();
        }
        changed
    }

    /// An objective by its id.
    pub fn objective(&self, id: &SloId) -> Option<&Arc<Objective>> {
        self.objectives.iter().find(|o| o.id == *id)
    }
}

/// Whether an objective is a row of a template: its id is the template's with label values behind it.
pub fn is_row(objective: &SloId, template: &SloId) -> bool {
    objective.as_str().strip_prefix(template.as_str()).is_some_and(|rest| rest.starts_with('{'))
}

//! Files that changed under a running machine: what was found in them, and what of it waits until a person looks again.
//! Plain values; `update/reload.rs` decides.

use crate::app::model::Layout;
use crate::config::{AlertmanagerConfig, Config, OutsideConfig, PrometheusConfig};
use crate::domain::document::Finding;
use crate::domain::fault::Fault;
use crate::domain::ids::{RunbookId, SourceName};
use crate::domain::outward::target::TargetFacts;
use crate::domain::runbook::model::Runbook;
use crate::domain::severity::SeverityTable;
use crate::domain::slo::catalogue::Plans;
use crate::domain::slo::objective::Objective;
use crate::domain::time::{Span, Timestamp};
use chrono_tz::Tz;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How often files are looked at while a person looks.
pub const EVERY: Span = Span::seconds(5);
/// How often while the terminal is not in front.
pub const AWAY: Span = Span::seconds(60);

/// What a look at the files found; `None` where nothing changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Looked {
    /// Every runbook, and what is wrong with any.
    pub library: Option<(Vec<Arc<Runbook>>, Vec<Finding>)>,
    /// Every objective, what else their files say, and what is wrong with any.
    pub objectives: Option<(Vec<Arc<Objective>>, Plans, Vec<Finding>)>,
    /// The configuration.
    pub settings: Option<Box<Settings>>,
}

/// What the configuration says, as far as a running machine can take it.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Checked settings; defaults stand where the file is wrong.
    pub config: Arc<Config>,
    /// The severity table.
    pub severities: SeverityTable,
    /// Layout of postmortem drafts.
    pub template: Layout,
    /// What is wrong in the files that say so.
    pub findings: Vec<Finding>,
}

/// Sources to be connected anew because the configuration says something else of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Reconnect {
    /// Servers of numbers.
    pub prometheus: Vec<PrometheusConfig>,
    /// Clusters, by the names that the machine knows them by.
    pub alertmanager: Vec<(SourceName, AlertmanagerConfig)>,
    /// In which months begin.
    pub zone: Tz,
}

/// Sources after the configuration changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reconnected {
    /// Connected, and where each is.
    pub connected: Vec<(SourceName, String)>,
    /// The clusters among them as targets.
    pub clusters: Vec<TargetFacts>,
    /// Not connected, and why.
    pub faults: Vec<(SourceName, Fault)>,
}

/// What the machine knows of its files.
#[derive(Clone, Debug, Default)]
pub struct Reload {
    /// When they are looked at next; `None` where nobody watches them (the simulated production, one look for a script).
    pub next: Option<Timestamp>,
    /// The settings in use; `None` until they were read once.
    pub settings: Option<Box<Settings>>,
    /// The sources as they are connected, once that may be something else than what the settings in use say: a file that is
    /// being written names none for a moment. `None`: as the settings say.
    pub connected: Option<(Vec<PrometheusConfig>, Vec<AlertmanagerConfig>)>,
    /// What each target was by the settings that named it last.
    pub targets: BTreeMap<SourceName, OutsideConfig>,
    /// Runbooks that are open here in the version they were opened in, with the newer one; `None` where the file is gone.
    pub newer: BTreeMap<RunbookId, Option<Arc<Runbook>>>,
}

//! Everything that the objectives files of a team say, put together. A name counts once over all files. Never reads a
//! file and knows no format.

use crate::domain::document::{Finding, Mark, Reader};
use crate::domain::slo::maintenance::Maintenance;
use crate::domain::slo::objective::Objective;
use crate::domain::slo::policy::PolicyBands;
use crate::domain::slo::service::Service;
use std::collections::HashMap;

/// What the files say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catalogue {
    /// The objectives, in the order of the files; every name once.
    pub objectives: Vec<Objective>,
    /// Services with their signals.
    pub services: Vec<Service>,
    /// Planned work.
    pub maintenance: Vec<Maintenance>,
    /// The team's own policy; the compiled-in one where no file has any.
    pub policy: Option<PolicyBands>,
}

/// An objective and where it stands, before it is known whether its name is free.
#[derive(Clone, Debug, PartialEq)]
pub struct Declared {
    /// Index of its file.
    pub file: usize,
    /// Where it stands in it.
    pub mark: Mark,
    /// The objective.
    pub objective: Objective,
}

/// Keeps the first objective of every name, in the order of files and lines; each later one is an error where it stands.
pub fn unique(paths: &[&str], mut declared: Vec<Declared>) -> (Vec<Objective>, Vec<Finding>) {
    declared.sort_by_key(|d| (d.file, d.mark.line, d.mark.column));
    let mut first: HashMap<String, String> = HashMap::new();
    let (mut kept, mut findings) = (Vec::new(), Vec::new());
    for Declared { file, mark, objective } in declared {
        let Some(other) = first.get(objective.id.as_str()) else {
            first.insert(objective.id.0.clone(), objective.declared.clone());
            kept.push(objective);
            continue;
        };
        let mut reader = Reader::new(paths.get(file).copied().unwrap_or_default());
        let message = format!("the objective `{}` is declared at {other} already; that one is used", objective.id);
        reader.error(mark, "duplicate", message);
        findings.extend(reader.findings);
    }
    (kept, findings)
}

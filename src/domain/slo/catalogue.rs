//! Everything that the objectives files of a team say, put together. A name counts once over all files. Never reads a
//! file and knows no format.

use crate::domain::document::{Finding, Mark, Reader};
use crate::domain::slo::maintenance::Maintenance;
use crate::domain::slo::objective::{Objective, Sli};
use crate::domain::slo::policy::PolicyBands;
use crate::domain::slo::service::Service;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What the files say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catalogue {
    /// The objectives, in the order of the files; every name once.
    pub objectives: Vec<Objective>,
    /// Services with their signals; every name once.
    pub services: Vec<Service>,
    /// Planned work.
    pub maintenance: Vec<Maintenance>,
    /// The policy; `None` where no file has one.
    pub policy: Option<PolicyBands>,
}

/// What the files say beside objectives.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plans {
    /// Services with their signals.
    pub services: Vec<Arc<Service>>,
    /// Planned work.
    pub maintenance: Vec<Maintenance>,
    /// The team's own policy.
    pub policy: Option<PolicyBands>,
}

impl Catalogue {
    /// The objectives, and the rest.
    pub fn parted(self) -> (Vec<Arc<Objective>>, Plans) {
        let services = self.services.into_iter().map(Arc::new).collect();
        let plans = Plans { services, maintenance: self.maintenance, policy: self.policy };
        (self.objectives.into_iter().map(Arc::new).collect(), plans)
    }
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
/// A composite whose parts are not all there is left out too.
pub fn unique(paths: &[&str], mut declared: Vec<Declared>, findings: &mut Vec<Finding>) -> Vec<Objective> {
    declared.sort_by_key(|d| (d.file, d.mark.line, d.mark.column));
    let mut first: HashMap<String, String> = HashMap::new();
    let mut kept: Vec<Declared> = Vec::new();
    for it in declared {
        let id = it.objective.id.as_str();
        let Some(other) = first.get(id) else {
            first.insert(id.to_owned(), it.objective.declared.clone());
            kept.push(it);
            continue;
        };
        let message = format!("the objective `{id}` is declared at {other} already; that one is used");
        error(paths, &it, "duplicate", &message, findings);
    }
    let names: HashSet<String> = kept.iter().map(|d| d.objective.id.0.clone()).collect();
    kept.retain(|it| parts_are_there(paths, it, &names, findings));
    kept.into_iter().map(|d| d.objective).collect()
}

fn parts_are_there(paths: &[&str], it: &Declared, names: &HashSet<String>, findings: &mut Vec<Finding>) -> bool {
    let Sli::Composite(composite) = &it.objective.sli else { return true };
    let missing: Vec<&str> =
        composite.parts.iter().map(|(id, _)| id.as_str()).filter(|id| !names.contains(*id)).collect();
    for part in &missing {
        let near = crate::domain::document::nearest(
            part,
            names.iter().map(String::as_str).filter(|n| *n != it.objective.id.as_str()),
        );
        let near = near.map(|n| format!(" (nearest: `{n}`)")).unwrap_or_default();
        let message = format!("`{}` is made of `{part}`, which no file has{near}", it.objective.id);
        error(paths, it, "missing-part", &message, findings);
    }
    missing.is_empty()
}

fn error(paths: &[&str], at: &Declared, rule: &str, message: &str, findings: &mut Vec<Finding>) {
    let mut reader = Reader::new(paths.get(at.file).copied().unwrap_or_default());
    reader.error(at.mark, rule, message);
    findings.extend(reader.findings);
}

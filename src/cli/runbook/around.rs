//! What is known around runbooks when a command judges them: the contacts and objectives of the configuration, the history
//! of drills, and the servers' alerting rules when a person wants them asked. Names the rules that could not be judged, and
//! why; judges nothing itself.

use crate::cli::alerting_rules::AlertingRules;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::domain::document::{Finding, Level};
use crate::domain::drill::history;
use crate::domain::fault::Fault;
use crate::domain::runbook::lint::Facts;
use crate::io::files::drills;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is known, and what is not.
#[derive(Debug, Default)]
pub struct Around {
    /// For lint; without the time, and without what only one runbook's own machine knows.
    pub facts: Facts,
    /// Rules that stay silent, with the reason.
    pub unjudged: Vec<(&'static str, String)>,
    /// Servers that were asked and did not answer.
    pub faults: Vec<(String, Fault)>,
    /// What is wrong with what was read.
    pub findings: Vec<Finding>,
    /// The file of drills, when none was ever held.
    pub never_drilled: Option<PathBuf>,
}

impl Around {
    /// What the configuration and the data folder know.
    pub fn configured(context: &Context) -> Self {
        let mut around = Self::default();
        around.facts.contacts = context.config().known_contacts().map(Arc::new);
        if around.facts.contacts.is_none() {
            around
                .unjudged
                .push(("RB014", "whether a contact is known: the configuration has no `contacts:`".to_owned()));
        }
        around.drills(&context.folders.data);
        around
    }

    fn drills(&mut self, data: &Path) {
        let (records, damaged) = match drills::read_history(data) {
            Ok(read) => read,
            Err(fault) => {
                return self.unjudged.push(("RB015", format!("the history of drills cannot be read: {fault}")));
            }
        };
        self.findings.extend(damaged);
        let held = history::rehearsals(&records);
        if held.is_empty() {
            self.never_drilled = Some(drills::folder(data).join(history::FILE));
        } else {
            self.facts.drills = Some(Arc::new(held));
        }
    }

    /// Asks the servers for their alerting rules too.
    pub fn ask(&mut self, context: &Context) -> Result<(), Failure> {
        let said = AlertingRules::ask(context.config())?;
        self.facts.alerts = said.alerts().map(Arc::new);
        if self.facts.alerts.is_none() {
            let why = match said.faults.len() {
                0 => "no Prometheus is configured".to_owned(),
                n => format!("{n} of the servers did not tell their rules"),
            };
            self.unjudged.push(("RB010", format!("whether an alert exists: {why}")));
        }
        self.faults = said.faults;
        Ok(())
    }

    /// One remark when no drill was ever held, instead of one for each of so many runbooks.
    pub fn undrilled(&self, runbooks: usize) -> Option<Finding> {
        let path = self.never_drilled.as_ref().filter(|_| runbooks > 0)?;
        let which = match runbooks {
            1 => "the runbook was never".to_owned(),
            many => format!("none of {many} runbooks was ever"),
        };
        Some(Finding {
            path: path.to_string_lossy().into_owned(),
            line: 0,
            column: 0,
            rule: "RB015".to_owned(),
            level: Level::Info,
            message: format!("no drill by people was held yet: {which} rehearsed"),
        })
    }

    /// `unjudged` of the document.
    pub fn fields(&self) -> Map<String, Value> {
        let unjudged: Vec<Value> = self.unjudged.iter().map(|(rule, why)| json!({"rule": rule, "why": why})).collect();
        Map::from_iter([("unjudged".to_owned(), Value::Array(unjudged))])
    }

    /// What was not judged, for people.
    pub fn notes(&self) -> Vec<String> {
        let faults = self.faults.iter().map(|(_, fault)| format!("partial: {fault}; its alerts are not known"));
        faults.chain(self.unjudged.iter().map(|(rule, why)| format!("{rule} not judged: {why}"))).collect()
    }
}

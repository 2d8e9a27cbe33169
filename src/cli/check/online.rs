//! `midwatch check --online`: what the configured servers say of the objectives, all servers at once. Only reads.

use crate::cli::failure::Failure;
use crate::cli::output::Progress;
use crate::config::Config;
use crate::domain::document::Finding;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::ids::SourceName;
use crate::domain::slo::lint::facts::Facts;
use crate::domain::slo::lint::questions::questions;
use crate::domain::slo::lint::server;
use crate::domain::slo::objective::Objective;
use crate::io::clock;
use crate::io::port::Inspect;
use crate::io::prometheus::inspect::inspector;
use crate::run::endpoints;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What the servers said.
#[derive(Debug, Default)]
pub struct Online {
    facts: BTreeMap<SourceName, Facts>,
    first: Option<SourceName>,
    faults: Vec<(String, Fault)>,
}

impl Online {
    /// Asks every configured Prometheus about the objectives that are its own.
    pub fn ask(config: &Config, objectives: &[Objective]) -> Result<Self, Failure> {
        let mut online = Self { first: config.prometheus.first().map(|s| s.name.clone()), ..Self::default() };
        let mut own: BTreeMap<SourceName, Vec<Arc<Objective>>> = BTreeMap::new();
        for objective in objectives {
            if let Some(source) = online.source(objective) {
                own.entry(source).or_default().push(Arc::new(objective.clone()));
            }
        }
        if config.prometheus.is_empty() {
            let fault = Fault::new(FaultKind::Local, "prometheus", "none is configured, so that nothing was asked");
            online.faults.push(("prometheus".to_owned(), fault));
        }
        for (source, objectives) in &own {
            if let Some(one) = objectives.first().filter(|_| config.prometheus.iter().all(|s| s.name != *source)) {
                let why =
                    format!("it is not configured, and {} objectives name it (such as {})", objectives.len(), one.id);
                online.faults.push((source.0.clone(), Fault::new(FaultKind::Local, format!("source {source}"), why)));
            }
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::Refused(format!("no source could be asked: {error}")))?;
        runtime.block_on(online.all(config, own));
        Ok(online)
    }

    async fn all(&mut self, config: &Config, mut own: BTreeMap<SourceName, Vec<Arc<Objective>>>) {
        let mut asked = Vec::new();
        let progress = Arc::new(Mutex::new((Progress::of("asking the servers"), BTreeMap::new())));
        for source in &config.prometheus {
            let endpoint = match endpoints::prometheus(source) {
                Ok(endpoint) => endpoint,
                Err(fault) => {
                    self.faults.push((source.name.0.clone(), fault));
                    continue;
                }
            };
            let questions = questions(&own.remove(&source.name).unwrap_or_default());
            let (all, name) = (Arc::clone(&progress), source.name.clone());
            let telling = move |left: usize| {
                let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
                all.1.insert(name.clone(), left);
                let left: usize = all.1.values().sum();
                all.0.left(left);
            };
            let inspector = inspector(endpoint).telling(Arc::new(telling));
            let task = async move { inspector.facts(&questions, clock::now()).await };
            asked.push((source.name.clone(), tokio::spawn(task)));
        }
        for (name, task) in asked {
            match task.await {
                Ok(Ok(facts)) => drop(self.facts.insert(name, facts)),
                Ok(Err(fault)) => self.faults.push((name.0, fault)),
                Err(error) => {
                    let fault = Fault::new(FaultKind::Local, name.as_str(), format!("asking ended early: {error}"));
                    self.faults.push((name.0, fault));
                }
            }
        }
        progress.lock().unwrap_or_else(PoisonError::into_inner).0.end();
    }

    fn source(&self, objective: &Objective) -> Option<SourceName> {
        objective.source.clone().or_else(|| self.first.clone())
    }

    /// What the server of an objective said.
    pub fn facts(&self, objective: &Objective) -> Option<&Facts> {
        self.facts.get(&self.source(objective)?)
    }

    /// Findings about the servers themselves.
    pub fn findings(&self) -> Vec<Finding> {
        self.facts.values().flat_map(server::judge).collect()
    }

    /// Whether a server that should have been asked said nothing.
    pub fn is_partial(&self) -> bool {
        !self.faults.is_empty()
    }

    /// Who said nothing, and why.
    pub fn faults(&self) -> &[(String, Fault)] {
        &self.faults
    }

    /// Takes in who did not answer another question; who said nothing at all is known already.
    pub fn miss(&mut self, faults: &[(String, Fault)]) {
        for (source, fault) in faults {
            if self.faults.iter().all(|(known, _)| known != source) {
                self.faults.push((source.clone(), fault.clone()));
            }
        }
    }

    /// What failed, for people.
    pub fn notes(&self) -> Vec<String> {
        self.faults
            .iter()
            .map(|(_, fault)| format!("partial: {fault}; its objectives were checked from their files alone"))
            .collect()
    }
}

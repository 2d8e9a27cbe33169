//! The alerting rules of every configured Prometheus, asked for at once by commands that want to know which alerts there can
//! be. Only reads.

use crate::cli::failure::Failure;
use crate::config::Config;
use crate::domain::alert::rule::AlertRule;
use crate::domain::fault::{Fault, FaultKind};
use crate::io::port::Metrics;
use crate::io::prometheus::source::prometheus;
use crate::run::endpoints;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What the servers said.
#[derive(Debug, Default)]
pub struct AlertingRules {
    /// Every rule of those that answered.
    pub rules: Vec<AlertRule>,
    /// Who did not answer, by the name of the source.
    pub faults: Vec<(String, Fault)>,
    asked: bool,
}

impl AlertingRules {
    /// Asks every server at once.
    pub fn ask(config: &Config) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::Refused(format!("no source could be asked: {error}")))?;
        let mut said = Self { asked: !config.prometheus.is_empty(), ..Self::default() };
        runtime.block_on(async {
            let mut asked = Vec::new();
            for source in &config.prometheus {
                let name = source.name.clone();
                let endpoint = endpoints::prometheus(source);
                let task = tokio::spawn(async move { prometheus(name, endpoint?).rules().await });
                asked.push((source.name.0.clone(), task));
            }
            for (name, task) in asked {
                let ended = |error| {
                    Fault::new(FaultKind::Local, format!("prometheus {name}"), format!("asking ended: {error}"))
                };
                match task.await.unwrap_or_else(|error| Err(ended(error))) {
                    Ok(rules) => said.rules.extend(rules),
                    Err(fault) => said.faults.push((name, fault)),
                }
            }
        });
        Ok(said)
    }

    /// The names of all alerts that there can be; `None` while a server is missing, because it may know more.
    pub fn alerts(&self) -> Option<BTreeSet<String>> {
        (self.asked && self.faults.is_empty()).then(|| self.rules.iter().map(|rule| rule.name.clone()).collect())
    }
}

/// Faults as they stand in a document: `[{"source", "kind", "message"}]`.
pub fn document(faults: &[(String, Fault)]) -> Vec<Value> {
    let one = |(source, fault): &(String, Fault)| json!({"source": source, "kind": fault.kind.word(), "message": fault.to_string()});
    faults.iter().map(one).collect()
}

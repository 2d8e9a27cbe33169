//! The registry: which products can be configured. An adapter is one file in `io` and one line here. Checks what the
//! configuration says about targets and makes them; never connects.

use crate::config::{Address, Config, Loaded, OutsideConfig};
use crate::domain::document::{Finding, Reader, nearest};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::ids::SourceName;
use crate::io::http::Endpoint;
use crate::io::integration::Integration;
use crate::io::port::Target;
use crate::io::secret::resolve;
use crate::io::{
    change_command, git, github, goalert, grafana, grafana_oncall, incident_io, jira, jsm, matrix, mattermost,
    pagerduty, slack, statuspage, teams, webhook,
};
use crate::run::endpoints;
use std::collections::BTreeMap;

/// Every product, by its word.
pub const INTEGRATIONS: &[&Integration] = &[
    &change_command::INTEGRATION,
    &git::INTEGRATION,
    &github::INTEGRATION,
    &goalert::INTEGRATION,
    &grafana::INTEGRATION,
    &grafana_oncall::INTEGRATION,
    &incident_io::INTEGRATION,
    &jira::INTEGRATION,
    &jsm::INTEGRATION,
    &matrix::INTEGRATION,
    &mattermost::INTEGRATION,
    &pagerduty::INTEGRATION,
    &slack::INTEGRATION,
    &statuspage::INTEGRATION,
    &teams::INTEGRATION,
    &webhook::INTEGRATION,
];

/// Stands for an address that is a secret as a whole.
const HIDDEN: &str = "https://address.is.secret";

/// The product of a word.
pub fn find(kind: &str) -> Option<&'static Integration> {
    INTEGRATIONS.iter().find(|i| i.kind == kind).copied()
}

/// Adds what is wrong with the targets of a configuration to its findings.
pub fn check(loaded: &mut Loaded) {
    let found: Vec<Finding> = loaded.config.outside.iter().flat_map(findings).collect();
    loaded.findings.extend(found);
    loaded.findings.sort_by(|a, b| (&a.path, a.line, a.column).cmp(&(&b.path, b.line, b.column)));
}

/// Everything wrong with one entry that its section alone cannot know.
pub fn findings(config: &OutsideConfig) -> Vec<Finding> {
    let mut reader = Reader::new(&config.path);
    let Some(integration) = find(&config.kind) else {
        let known: Vec<&str> = INTEGRATIONS.iter().map(|i| i.kind).collect();
        let near =
            nearest(&config.kind, known.iter().copied()).map(|n| format!("; nearest: `{n}`")).unwrap_or_default();
        let message = format!("kind `{}` is not known (expected one of: {}{near})", config.kind, known.join(", "));
        reader.error(config.mark, "unknown-kind", message);
        return reader.findings;
    };
    if !integration.sections.contains(&config.section) {
        let sections: Vec<&str> = integration.sections.iter().map(|s| s.key()).collect();
        let message =
            format!("{} stands under {}, not under {}", config.kind, sections.join(" or "), config.section.key());
        reader.error(config.mark, "wrong-section", message);
    }
    match &config.url {
        None if integration.url.is_none() && !config.has_url => {
            reader.error(config.mark, "missing-key", format!("{} needs a `url`", config.kind));
        }
        Some(Address::Secret(_)) if !integration.secret_url => {
            let message = format!("the url of {} is no secret; write it out and put the token under auth", config.kind);
            reader.error(config.mark, "wrong-type", message);
        }
        _ => {}
    }
    (integration.check)(config, &mut reader);
    reader.findings
}

/// The endpoint of an entry.
fn endpoint(config: &OutsideConfig, integration: &Integration) -> Result<Endpoint, Fault> {
    let name = format!("{} {}", config.kind, config.name);
    let (url, secret) = match &config.url {
        Some(Address::Plain(url)) => (url.as_str(), None),
        Some(Address::Secret(secret)) => (HIDDEN, Some(secret.clone())),
        None => (integration.url.unwrap_or_default(), None),
    };
    Ok(Endpoint { secret_url: secret, ..endpoints::endpoint(name, url, &config.connection)? })
}

/// Reads the secrets of an entry and forgets them: where each is, and whether it could be read.
pub async fn secrets(config: &OutsideConfig) -> Vec<(String, Result<(), Fault>)> {
    let Some(integration) = find(&config.kind) else { return Vec::new() };
    let Ok(endpoint) = endpoint(config, integration) else { return Vec::new() };
    let mut read = Vec::new();
    for source in endpoint.secrets() {
        read.push((source.masked(), resolve(source).await.map(drop)));
    }
    read
}

/// Makes the target of an entry.
pub fn connect(config: &OutsideConfig) -> Result<Target, Fault> {
    let Some(integration) = find(&config.kind) else {
        return Err(Fault::new(FaultKind::Local, config.name.as_str(), format!("kind `{}` is not known", config.kind)));
    };
    (integration.connect)(config, endpoint(config, integration)?)
}

/// Makes all targets; what cannot be made is a fault, and the rest works.
pub fn connect_all(config: &Config) -> (BTreeMap<SourceName, Target>, Vec<(SourceName, Fault)>) {
    let (mut targets, mut faults) = (BTreeMap::new(), Vec::new());
    for entry in &config.outside {
        match connect(entry) {
            Ok(target) => drop(targets.insert(entry.name.clone(), target)),
            Err(fault) => faults.push((entry.name.clone(), fault)),
        }
    }
    (targets, faults)
}

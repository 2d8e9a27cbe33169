//! The sources of numbers and alerts under a running cockpit: made from the configuration, looked up for every question, and
//! exchanged when their address or credentials change. A question that is out when its source is exchanged ends with the
//! old one, and nobody waits for its answer. Decides nothing about what is asked.

use crate::app::reload::{Reconnect, Reconnected};
use crate::config::{AlertmanagerConfig, HeaderValue, PrometheusConfig};
use crate::domain::fault::Fault;
use crate::domain::ids::SourceName;
use crate::io::alertmanager::Cluster;
use crate::io::port::{AlertSource, Metrics};
use crate::io::prometheus::measure::disk::Disk;
use crate::io::prometheus::source::prometheus;
use crate::run::endpoints;
use crate::run::targets::Targets;
use chrono_tz::Tz;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Ports by the name of their source.
type Ports<T> = BTreeMap<SourceName, Arc<T>>;

/// The sources by name.
#[derive(Debug)]
pub struct Sources {
    metrics: Mutex<Ports<dyn Metrics>>,
    alerts: Mutex<Ports<dyn AlertSource>>,
    /// Where slices outlive the program.
    slices: Option<PathBuf>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A Prometheus, and its address without credentials.
pub fn metrics(it: &PrometheusConfig, slices: Option<&Path>, zone: Tz) -> Result<(Arc<dyn Metrics>, String), Fault> {
    let endpoint = endpoints::prometheus(it)?;
    let address = endpoint.url().to_owned();
    let disk = slices.map(|folder| Disk::new(folder, &it.name, &whose(&address, it)));
    Ok((Arc::new(prometheus(it.name.clone(), endpoint).keeping(disk).months_in(zone)), address))
}

/// What tells whose numbers they are: another tenant of the same server has others.
fn whose(address: &str, it: &PrometheusConfig) -> String {
    let tenant = it.connection.headers.iter().filter_map(|(name, value)| match value {
        HeaderValue::Plain(text) => Some((name, text)),
        HeaderValue::Secret(_) => None,
    });
    let asked = it.params.iter().map(|(name, text)| (name, text));
    tenant.chain(asked).fold(address.to_owned(), |all, (name, text)| format!("{all}\0{name}={text}"))
}

/// An Alertmanager cluster, its addresses, and how many peers it has.
pub fn cluster(it: &AlertmanagerConfig) -> Result<(Arc<Cluster>, String, usize), Fault> {
    let peers = endpoints::alertmanager(it)?;
    let address = peers.iter().map(|peer| peer.url().to_owned()).collect::<Vec<_>>().join(" ");
    let many = peers.len();
    Ok((Arc::new(Cluster::new(it.name.clone(), peers).read_only(it.read_only)), address, many))
}

impl Sources {
    /// Those of the start.
    pub fn new(metrics: Ports<dyn Metrics>, alerts: Ports<dyn AlertSource>, slices: Option<PathBuf>) -> Self {
        Self { metrics: Mutex::new(metrics), alerts: Mutex::new(alerts), slices }
    }

    /// A source of numbers.
    pub fn metrics(&self, name: &SourceName) -> Option<Arc<dyn Metrics>> {
        lock(&self.metrics).get(name).cloned()
    }

    /// A source of alerts.
    pub fn alerts(&self, name: &SourceName) -> Option<Arc<dyn AlertSource>> {
        lock(&self.alerts).get(name).cloned()
    }

    /// Writes what should outlive the program.
    pub fn keep(&self) {
        lock(&self.metrics).values().for_each(|port| port.keep());
    }

    /// Exchanges sources for what the configuration says now. One that cannot be made takes the old one away: it is not what
    /// is meant any more.
    pub fn change(&self, wanted: &Reconnect, targets: &Targets) -> Reconnected {
        let mut new = Reconnected::default();
        for it in &wanted.prometheus {
            // Where both are one server, the new one reads back what the old one knows.
            if let Some(old) = lock(&self.metrics).remove(&it.name) {
                old.keep();
            }
            match metrics(it, self.slices.as_deref(), wanted.zone) {
                Ok((port, address)) => {
                    lock(&self.metrics).insert(it.name.clone(), port);
                    new.connected.push((it.name.clone(), address));
                }
                Err(fault) => new.faults.push((it.name.clone(), fault)),
            }
        }
        for (name, it) in &wanted.alertmanager {
            match cluster(it) {
                Ok((cluster, address, _)) => {
                    new.clusters.push(targets.put(name, cluster.clone().target(it.connection.timeout)));
                    lock(&self.alerts).insert(name.clone(), cluster);
                    new.connected.push((name.clone(), address));
                }
                Err(fault) => {
                    lock(&self.alerts).remove(name);
                    targets.change(&[], vec![name.clone()]);
                    new.faults.push((name.clone(), fault));
                }
            }
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Connection;

    fn server(url: &str, headers: &[(&str, &str)]) -> PrometheusConfig {
        let plain = |(name, text): &(&str, &str)| ((*name).to_owned(), HeaderValue::Plain((*text).to_owned()));
        PrometheusConfig {
            name: "main".into(),
            url: url.into(),
            connection: Connection { headers: headers.iter().map(plain).collect(), ..Connection::default() },
            params: Vec::new(),
            max_samples_per_second: None,
            marks: Vec::new(),
        }
    }

    #[test]
    fn an_exchanged_source_is_another_one_and_one_that_cannot_be_made_is_none() {
        let sources = Sources::new(BTreeMap::new(), BTreeMap::new(), None);
        let targets = Targets::new(BTreeMap::new());
        let name = SourceName::from("main");
        let mut wanted = Reconnect { prometheus: Vec::new(), alertmanager: Vec::new(), zone: Tz::UTC };
        wanted.prometheus.push(server("http://127.0.0.1:9/a", &[]));
        let connection = Connection::default();
        let cluster = AlertmanagerConfig {
            name: "main".into(),
            urls: vec!["http://127.0.0.1:9".into()],
            connection,
            read_only: true,
        };
        wanted.alertmanager.push(("main alertmanager".into(), cluster));
        let new = sources.change(&wanted, &targets);
        let first = sources.metrics(&name).unwrap();
        assert_eq!(new.connected[0], (name.clone(), "http://127.0.0.1:9/a/".to_owned()));
        let am = SourceName::from("main alertmanager");
        assert!(sources.alerts(&am).is_some() && targets.get(&am).is_some());
        assert_eq!(
            (new.clusters[0].name.clone(), new.clusters[0].address.as_str()),
            (am.clone(), "http://127.0.0.1:9/")
        );
        sources.change(&wanted, &targets);
        assert!(!Arc::ptr_eq(&first, &sources.metrics(&name).unwrap()));
        wanted.prometheus[0].url = "no address".into();
        wanted.alertmanager[0].1.urls = vec!["no address".into()];
        let wrong = sources.change(&wanted, &targets);
        assert_eq!(wrong.faults.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>(), [name.clone(), am.clone()]);
        assert!(sources.metrics(&name).is_none() && sources.alerts(&am).is_none() && targets.get(&am).is_none());
    }

    #[test]
    fn another_tenant_has_other_slices() {
        let of = |headers: &[(&str, &str)]| whose("http://a/", &server("http://a", headers));
        assert_eq!(of(&[]), "http://a/", "what was kept before is found");
        assert_ne!(of(&[("X-Scope-OrgID", "one")]), of(&[("X-Scope-OrgID", "two")]));
    }
}

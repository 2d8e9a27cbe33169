//! From a configured source to the endpoints that are asked. Values in, values out: reads no secret, opens nothing.

use crate::config::{self, AlertmanagerConfig, Connection, PrometheusConfig};
use crate::domain::fault::Fault;
use crate::io::http::{Auth, Endpoint, Tls};

/// The endpoint of a Prometheus-compatible server. The fault says what is wrong with its address.
pub fn prometheus(source: &PrometheusConfig) -> Result<Endpoint, Fault> {
    let endpoint = endpoint(format!("prometheus {}", source.name), &source.url, &source.connection)?;
    Ok(Endpoint { params: source.params.clone(), ..endpoint })
}

/// The endpoints of the peers of an Alertmanager cluster, in the order of the configuration. A single one has no number.
pub fn alertmanager(source: &AlertmanagerConfig) -> Result<Vec<Endpoint>, Fault> {
    let alone = source.urls.len() == 1;
    let named = |n: usize| match alone {
        true => format!("alertmanager {}", source.name),
        false => format!("alertmanager {} peer {}", source.name, n + 1),
    };
    source.urls.iter().enumerate().map(|(n, url)| endpoint(named(n), url, &source.connection)).collect()
}

/// The endpoint of an address and a connection; `name` is how its faults call it.
pub fn endpoint(name: String, url: &str, connection: &Connection) -> Result<Endpoint, Fault> {
    let auth = match &connection.auth {
        config::Auth::None => Auth::None,
        config::Auth::Bearer(secret) => Auth::Bearer(secret.clone()),
        config::Auth::Basic { username, password } => {
            Auth::Basic { user: username.clone(), password: password.clone() }
        }
    };
    let tls = &connection.tls;
    Ok(Endpoint {
        timeout: connection.timeout,
        connect_timeout: connection.connect_timeout,
        auth,
        headers: connection.headers.clone(),
        tls: Tls { ca_file: tls.ca_file.clone(), client: tls.cert_file.clone().zip(tls.key_file.clone()) },
        ..Endpoint::new(name, url)?
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environment, Flags, Inputs};
    use std::path::Path;
    use std::time::Duration;

    const TEXT: &str = "prometheus:
  - {name: main, url: 'http://127.0.0.1:9090/prom', timeout: 5s, connect_timeout: 1s, auth: {basic: {username: a,
     password: {file: pw}}}, headers: {X-Scope-OrgID: team, X-Api-Key: {file: key}}, tls: {ca_file: ca.pem, cert_file:
     me.pem, key_file: me.key}, params: {max_source_resolution: 0, dedup: true}, max_samples_per_second: 5e5}
alertmanager:
  - {name: one, urls: ['http://127.0.0.1:9093']}
  - {name: two, urls: ['http://127.0.0.1:9093', 'http://127.0.0.1:9094'], auth: {bearer: {file: token}}}
";

    #[test]
    fn everything_configured_reaches_the_endpoint() {
        let (environment, flags) = (Environment::new(), Flags::default());
        let inputs = Inputs {
            file: Some(("config.yaml", TEXT)),
            folder: Path::new("/etc/midwatch"),
            environment: &environment,
            flags: &flags,
            machine_zone: None,
        };
        let loaded = config::read(&inputs);
        assert_eq!(loaded.findings, []);
        let main = prometheus(&loaded.config.prometheus[0]).unwrap();
        assert_eq!((main.name(), main.url()), ("prometheus main", "http://127.0.0.1:9090/prom/"));
        assert_eq!((main.timeout, main.connect_timeout), (Duration::from_secs(5), Duration::from_secs(1)));
        let params = [("max_source_resolution", "0"), ("dedup", "true")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(main.params, params);
        assert_eq!(loaded.config.prometheus[0].max_samples_per_second, Some(500_000.0));
        let secrets: Vec<String> = main.secrets().map(config::SecretRef::masked).collect();
        assert_eq!(secrets, ["file /etc/midwatch/pw", "file /etc/midwatch/key"]);
        assert_eq!(main.tls.ca_file.as_deref(), Some(Path::new("/etc/midwatch/ca.pem")));
        assert_eq!(main.tls.client, Some(("/etc/midwatch/me.pem".into(), "/etc/midwatch/me.key".into())));

        let names = |n: usize| -> Vec<String> {
            let peers = alertmanager(&loaded.config.alertmanager[n]).unwrap();
            peers.iter().map(|peer| peer.name().to_owned()).collect()
        };
        assert_eq!(names(0), ["alertmanager one"]);
        assert_eq!(names(1), ["alertmanager two peer 1", "alertmanager two peer 2"]);
        assert!(matches!(&alertmanager(&loaded.config.alertmanager[1]).unwrap()[1].auth, Auth::Bearer(_)));
    }
}

//! Changes that a command of the team tells of: rollouts of a cluster, entries of a deploy log. Run as written, never through
//! a shell, and only to read. Its output is a list of a Kubernetes API (`kubectl get rs -A -o json`), or lines that begin with
//! an instant.

use crate::config::{OutsideConfig, Section};
use crate::domain::document::Reader;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::outward::backend::Change;
use crate::domain::outward::capability::{Capability, Caps, Class};
use crate::domain::outward::operation::Operation;
use crate::domain::outward::outcome::Outcome;
use crate::domain::time::Timestamp;
use crate::io::http::Endpoint;
use crate::io::http::json::{list, some, text};
use crate::io::integration::Integration;
use crate::io::port::changes::ChangeFeed;
use crate::io::port::{Outward, Target, Task};
use crate::io::shell::read::read;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// Its row in the registry.
pub const INTEGRATION: Integration = Integration {
    kind: "command",
    about: "a command that reads changes: rollouts of a cluster, a deploy log",
    sections: &[Section::Changes],
    // Nothing is asked over the network by us; every entry has an address.
    url: Some("http://localhost"),
    secret_url: false,
    options: &OPTIONS,
    check,
    connect,
};

const OPTIONS: [(&str, &str); 3] = [
    ("argv", "program and arguments; it must only read; needed"),
    ("pass", "variables of our own environment that it needs, such as KUBECONFIG"),
    ("service", "the service that its changes are of, where they do not say"),
];
/// Changes of one answer.
const MOST: usize = 200;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Settings {
    argv: Vec<String>,
    pass: Vec<String>,
    service: Option<String>,
}

fn settings(config: &OutsideConfig, reader: &mut Reader<'_>) -> Settings {
    let fields = config.options(reader, &INTEGRATION.keys());
    let get = |key: &str| fields.as_ref().and_then(|f| f.get(key));
    Settings {
        argv: get("argv").map(|n| reader.strings(n, "argv")).unwrap_or_default(),
        pass: get("pass").map(|n| reader.strings(n, "pass")).unwrap_or_default(),
        service: get("service").and_then(|n| reader.string(n, "service")),
    }
}

fn check(config: &OutsideConfig, reader: &mut Reader<'_>) {
    if settings(config, reader).argv.first().is_none_or(String::is_empty) {
        reader.error(config.options_mark(), "missing-key", "command needs options: {argv: [PROGRAM, ARGUMENT]}");
    }
}

fn connect(config: &OutsideConfig, endpoint: Endpoint) -> Result<Target, Fault> {
    let settings = settings(config, &mut Reader::new(&config.path));
    let address = settings.argv.first().cloned().unwrap_or_default();
    let feed = Arc::new(ChangeCommand { name: endpoint.name().to_owned(), settings, timeout: endpoint.timeout });
    Ok(Target::new(INTEGRATION.kind, address, endpoint.timeout, feed.clone()).with_changes(feed))
}

/// One command.
#[derive(Debug)]
struct ChangeCommand {
    name: String,
    settings: Settings,
    timeout: Duration,
}

fn instant(text: &str) -> Option<Timestamp> {
    chrono::DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc())
}

/// `2026-05-01T03:00:00Z anything`.
fn line(line: &str, service: Option<&String>) -> Option<Change> {
    let (at, rest) = line.trim().split_once(char::is_whitespace)?;
    let summary = rest.trim().to_owned();
    Some(Change {
        id: line.trim().to_owned(),
        at: instant(at)?,
        summary,
        service: service.cloned(),
        author: None,
        url: None,
    })
}

/// An object of a cluster: which it is, who owns it, with which images.
fn object(value: &Value, service: Option<&String>) -> Option<Change> {
    let meta = value.get("metadata")?;
    let at = instant(text(meta, "/creationTimestamp"))?;
    let owner = list(meta, "/ownerReferences").first();
    let (kind, name) = match owner {
        Some(owner) => (text(owner, "/kind"), text(owner, "/name")),
        None => (text(value, "/kind"), text(meta, "/name")),
    };
    let images: Vec<&str> = list(value, "/spec/template/spec/containers").iter().map(|c| text(c, "/image")).collect();
    let images = images.into_iter().filter(|i| !i.is_empty()).collect::<Vec<_>>().join(", ");
    let place = some(meta, "/namespace").map(|ns| format!(" in {ns}")).unwrap_or_default();
    let with = if images.is_empty() { String::new() } else { format!(": {images}") };
    let own = ["/labels/app.kubernetes.io~1name", "/labels/app"].iter().find_map(|label| some(meta, label));
    Some(Change {
        id: some(meta, "/uid").unwrap_or_else(|| format!("{place}/{}", text(meta, "/name"))),
        at,
        summary: format!("{kind} {name}{place}{with}"),
        service: own.or_else(|| service.cloned()),
        author: some(meta, "/annotations/kubernetes.io~1change-cause"),
        url: None,
    })
}

/// All changes of an output, oldest first. `Err`: how many lines there are and none can be read.
fn changes(out: &str, service: Option<&String>) -> Result<Vec<Change>, usize> {
    let mut found: Vec<Change> = match serde_json::from_str::<Value>(out) {
        Ok(value) => list(&value, "/items").iter().filter_map(|item| object(item, service)).collect(),
        Err(_) => {
            let lines: Vec<&str> = out.lines().filter(|l| !l.trim().is_empty()).collect();
            let found: Vec<Change> = lines.iter().filter_map(|l| line(l, service)).collect();
            if found.is_empty() && !lines.is_empty() {
                return Err(lines.len());
            }
            found
        }
    };
    found.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
    Ok(found)
}

impl ChangeCommand {
    async fn asked(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Change>, Fault> {
        let out = read(&self.name, self.settings.argv.clone(), self.settings.pass.clone(), self.timeout).await?;
        let mut found = changes(&out, self.settings.service.as_ref()).map_err(|lines| {
            let words = format!("none of {lines} lines begins with an instant such as 2026-05-01T03:00:00Z");
            Fault::new(FaultKind::Malformed, &self.name, words)
        })?;
        found.retain(|change| change.at >= from && change.at <= to);
        Ok(found.split_off(found.len().saturating_sub(MOST)))
    }
}

impl Outward for ChangeCommand {
    fn caps(&self) -> Caps {
        Caps::none().with(Class::Repeat, &[Capability::ReadChanges])
    }

    fn apply<'a>(&'a self, _: &'a Operation) -> Task<'a, Outcome> {
        Box::pin(std::future::ready(Outcome::unsupported("a command that reads is read alone")))
    }

    fn unprobed(&self) -> String {
        "it is run when changes are asked for".into()
    }
}

impl ChangeFeed for ChangeCommand {
    fn changes(&self, from: Timestamp, to: Timestamp) -> Task<'_, Result<Vec<Change>, Fault>> {
        Box::pin(self.asked(from, to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rollouts_of_a_cluster_are_named_by_their_owner_with_their_images() {
        let set = |name: &str, at: &str| {
            json!({"kind": "ReplicaSet", "metadata": {"name": name, "namespace": "shop", "uid": name, "creationTimestamp": at,
                "labels": {"app": "cart"}, "ownerReferences": [{"kind": "Deployment", "name": "cart"}]},
                "spec": {"template": {"spec": {"containers": [{"image": "cart:2.1"}, {}]}}}})
        };
        let out = json!({"kind": "List", "items": [set("b", "2026-05-01T03:00:00Z"), set("a", "2026-05-01T02:00:00Z"),
            {"metadata": {"name": "no time"}}, {}]});
        let found = changes(&out.to_string(), None).unwrap();
        let told: Vec<_> = found.iter().map(|c| (c.id.as_str(), c.summary.as_str(), c.service.as_deref())).collect();
        assert_eq!(
            told,
            [
                ("a", "Deployment cart in shop: cart:2.1", Some("cart")),
                ("b", "Deployment cart in shop: cart:2.1", Some("cart"))
            ]
        );
    }

    #[test]
    fn lines_begin_with_an_instant_and_an_output_without_any_is_no_quiet_day() {
        let service = "api".to_owned();
        let out = "2026-05-01T05:00:00+02:00\tdeploy 42\nnoise\n\n2026-05-01T01:00:00Z flag on\n";
        let found = changes(out, Some(&service)).unwrap();
        let told: Vec<_> = found.iter().map(|c| (c.summary.as_str(), c.at.to_rfc3339())).collect();
        assert_eq!(told[0], ("flag on", "2026-05-01T01:00:00+00:00".to_owned()));
        assert_eq!(told[1].0, "deploy 42");
        assert_eq!(changes("", None), Ok(vec![]));
        assert_eq!(changes("usage: deploys\n  -h", None), Err(2));
        assert_eq!(changes("{}", None), Ok(vec![]));
    }
}

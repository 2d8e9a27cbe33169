//! Sources: which servers are asked, and how a connection to them is made. Values and their checks; never connects.

use crate::config::endpoint::{endpoint, is_private, written};
use crate::config::marks;
use crate::config::secret::{self, SecretRef};
use crate::domain::document::{Fields, Level, Node, Reader};
use crate::domain::ids::SourceName;
use crate::domain::slo::marks::Marker;
use crate::domain::time::{Span, secs};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How a request proves who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Auth {
    /// Not at all.
    #[default]
    None,
    /// `Authorization: Bearer …`.
    Bearer(SecretRef),
    /// `Authorization: Basic …`.
    Basic {
        /// The user.
        username: String,
        /// Where the password is.
        password: SecretRef,
    },
}

/// The value of an extra header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderValue {
    /// As written: a tenant, never a token.
    Plain(String),
    /// A secret.
    Secret(SecretRef),
}

/// What to trust and how to be known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// Roots that are trusted instead of the machine's own, PEM.
    pub ca_file: Option<PathBuf>,
    /// Our certificate, PEM; comes with `key_file`.
    pub cert_file: Option<PathBuf>,
    /// Its key, PEM.
    pub key_file: Option<PathBuf>,
}

/// How a source is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Time between two polls, from 1 s to 1 h.
    pub poll_interval: Span,
    /// For a whole request, from 100 ms to 5 min.
    pub timeout: Duration,
    /// For the connection alone; at most `timeout`.
    pub connect_timeout: Duration,
    /// How a request proves who asks.
    pub auth: Auth,
    /// Extra headers in file order.
    pub headers: Vec<(String, HeaderValue)>,
    /// Certificates.
    pub tls: Tls,
}

impl Default for Connection {
    fn default() -> Self {
        Self {
            poll_interval: secs(15),
            timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(2),
            auth: Auth::None,
            headers: Vec::new(),
            tls: Tls::default(),
        }
    }
}

/// A Prometheus-compatible server.
#[derive(Clone, Debug, PartialEq)]
pub struct PrometheusConfig {
    /// Unique among them.
    pub name: SourceName,
    /// Base address without a slash at its end.
    pub url: String,
    /// How it is asked.
    pub connection: Connection,
    /// Query parameters of every request, in file order: `max_source_resolution`, `dedup`, `partial_response`. Not secret.
    pub params: Vec<(String, String)>,
    /// Samples a second that it may be made to read, over 0; polls are stretched to stay below. `None`: no ceiling.
    pub max_samples_per_second: Option<f64>,
    /// Queries that tell of deploys and other changes.
    pub marks: Vec<Marker>,
}

/// An Alertmanager cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertmanagerConfig {
    /// Unique among them.
    pub name: SourceName,
    /// Base addresses of its peers; never empty, each once.
    pub urls: Vec<String>,
    /// How it is asked.
    pub connection: Connection,
    /// Nothing is written to it: no silences.
    pub read_only: bool,
}

/// Keys of one Prometheus.
pub(super) const PROMETHEUS_KEYS: [&str; 11] = [
    "name",
    "url",
    "poll_interval",
    "timeout",
    "connect_timeout",
    "auth",
    "headers",
    "tls",
    "params",
    "max_samples_per_second",
    "marks",
];
/// Keys of one Alertmanager.
pub(super) const ALERTMANAGER_KEYS: [&str; 9] =
    ["name", "urls", "poll_interval", "timeout", "connect_timeout", "auth", "headers", "tls", "read_only"];

/// Reads one Prometheus.
pub(super) fn prometheus(reader: &mut Reader<'_>, node: &Node, folder: &Path, alone: bool) -> Option<PrometheusConfig> {
    let fields = reader.map(node, "a prometheus source", &PROMETHEUS_KEYS)?;
    let name = name(reader, &fields, "prometheus", alone);
    let url = fields.need(reader, "url").and_then(|n| address(reader, n, "url"));
    let connection = connection(reader, &fields, folder);
    let url = url?;
    unencrypted(reader, &fields, &connection, std::slice::from_ref(&url));
    let params = fields.get("params").map(|n| params(reader, n)).unwrap_or_default();
    let max_samples_per_second = fields.get("max_samples_per_second").and_then(|n| ceiling(reader, n));
    let marks = fields.get("marks").map(|n| marks::markers(reader, n)).unwrap_or_default();
    Some(PrometheusConfig { name: name?, url, connection, params, max_samples_per_second, marks })
}

fn ceiling(reader: &mut Reader<'_>, node: &Node) -> Option<f64> {
    let number = reader.number(node, "max_samples_per_second")?;
    if number >= 1.0 && number.is_finite() {
        return Some(number);
    }
    reader.error(node.mark, "out-of-range", "max_samples_per_second must be 1 or more (leave it out for no ceiling)");
    None
}

/// Parameters that are ours: a second value would make a server answer another question.
const OURS: [&str; 10] =
    ["query", "time", "start", "end", "step", "timeout", "stats", "match[]", "limit", "lookback_delta"];

fn params(reader: &mut Reader<'_>, node: &Node) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for (key, value) in reader.entries(node, "params").unwrap_or(&[]) {
        let lower = key.text.to_ascii_lowercase();
        if key.text.is_empty() || OURS.contains(&lower.as_str()) {
            let message = format!("params: `{}` is set by this program (expected one of the server's own)", key.text);
            reader.error(key.mark, "not-allowed", message);
        } else if SENSITIVE.iter().any(|word| lower.contains(word)) {
            let message =
                format!("params: `{}` looks secret, and addresses end up in logs; use auth or headers", key.text);
            reader.error(key.mark, "secret", message);
        } else if let Some(text) = value.text() {
            out.push((key.text.clone(), text.to_owned()));
        } else {
            reader.wrong(value, &key.text, "a single value");
        }
    }
    out
}

/// Reads one Alertmanager.
pub(super) fn alertmanager(
    reader: &mut Reader<'_>,
    node: &Node,
    folder: &Path,
    alone: bool,
) -> Option<AlertmanagerConfig> {
    let fields = reader.map(node, "an alertmanager source", &ALERTMANAGER_KEYS)?;
    let name = name(reader, &fields, "alertmanager", alone);
    let connection = connection(reader, &fields, folder);
    let list = fields.need(reader, "urls")?;
    let mut urls: Vec<String> = Vec::new();
    let items = reader.list(list, "urls");
    if items.is_empty() {
        reader.error(list.mark, "empty", "urls is empty (expected the address of every peer)");
    }
    for item in items {
        match address(reader, item, "urls") {
            Some(url) if urls.contains(&url) => {
                reader.report(item.mark, Level::Warning, "duplicate", format!("{url} stands here twice; asked once"));
            }
            Some(url) => urls.push(url),
            None => {}
        }
    }
    unencrypted(reader, &fields, &connection, &urls);
    let read_only = fields.get("read_only").and_then(|n| reader.boolean(n, "read_only")).unwrap_or(false);
    if urls.is_empty() { None } else { Some(AlertmanagerConfig { name: name?, urls, connection, read_only }) }
}

pub(super) fn name(reader: &mut Reader<'_>, fields: &Fields<'_>, kind: &str, alone: bool) -> Option<SourceName> {
    let Some(node) = fields.get("name") else {
        if alone {
            return Some("main".into());
        }
        let message = format!("this {kind} source has no `name` (needed as soon as there are several)");
        reader.error(fields.mark(), "missing-key", message);
        return None;
    };
    let name = reader.string(node, "name")?;
    let valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > 32 || !name.chars().all(valid) {
        reader.wrong(node, "name", "1 to 32 letters, digits, `-`, `_` or `.`");
        return None;
    }
    Some(name.into())
}

pub(super) fn address(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<String> {
    address_with(reader, node, what, endpoint)
}

/// The same, with its end as it was written.
pub(super) fn address_as_written(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<String> {
    address_with(reader, node, what, written)
}

fn address_with(
    reader: &mut Reader<'_>,
    node: &Node,
    what: &str,
    look: fn(&str) -> Result<String, String>,
) -> Option<String> {
    let text = reader.string(node, what)?;
    match look(&text) {
        Ok(url) => Some(url),
        Err(message) => {
            reader.error(node.mark, "address", format!("{what}: {message}"));
            None
        }
    }
}

pub(super) fn connection(reader: &mut Reader<'_>, fields: &Fields<'_>, folder: &Path) -> Connection {
    let mut out = Connection::default();
    if let Some(span) = fields.get("poll_interval").and_then(|n| ranged(reader, n, "poll_interval", 1_000, 3_600_000)) {
        out.poll_interval = span;
    }
    let mut duration = |key| {
        let span = fields.get(key).and_then(|n| ranged(reader, n, key, 100, 300_000))?;
        span.to_std().ok()
    };
    let (timeout, connect) = (duration("timeout"), duration("connect_timeout"));
    out.timeout = timeout.unwrap_or(out.timeout);
    match (connect, fields.get("connect_timeout")) {
        (Some(connect), Some(node)) if connect > out.timeout => {
            let message = format!("connect_timeout is longer than timeout ({} s)", out.timeout.as_secs_f64());
            reader.error(node.mark, "out-of-range", message);
        }
        (Some(connect), _) => out.connect_timeout = connect,
        (None, _) => {}
    }
    out.connect_timeout = out.connect_timeout.min(out.timeout);
    if let Some(node) = fields.get("auth") {
        out.auth = auth(reader, node, folder).unwrap_or_default();
    }
    if let Some(node) = fields.get("headers") {
        out.headers = headers(reader, node, folder);
    }
    if let Some(node) = fields.get("tls") {
        out.tls = tls(reader, node, folder).unwrap_or_default();
    }
    out
}

/// A duration between two limits in milliseconds.
pub(super) fn ranged(reader: &mut Reader<'_>, node: &Node, what: &str, least: i64, most: i64) -> Option<Span> {
    let span = reader.span(node, what)?;
    if (least..=most).contains(&span.num_milliseconds()) {
        return Some(span);
    }
    let limit =
        |ms: i64| if ms < 1_000 { format!("{ms}ms") } else { crate::domain::time::prometheus(secs(ms / 1_000)) };
    reader.error(node.mark, "out-of-range", format!("{what} must be from {} to {}", limit(least), limit(most)));
    None
}

fn auth(reader: &mut Reader<'_>, node: &Node, folder: &Path) -> Option<Auth> {
    if node.text().is_some() {
        reader.error(node.mark, "wrong-type", "auth is a single value (expected {bearer: {file: PATH}})");
        return None;
    }
    let fields = reader.map(node, "auth", &["bearer", "basic"])?;
    match (fields.get("bearer"), fields.get("basic")) {
        (Some(bearer), None) => secret::read(reader, bearer, "the bearer token", folder).map(Auth::Bearer),
        (None, Some(basic)) => {
            let fields = reader.map(basic, "basic", &["username", "password"])?;
            let username = fields.need(reader, "username").and_then(|n| reader.string(n, "username"));
            let password = fields.need(reader, "password");
            let password = password.and_then(|n| secret::read(reader, n, "the password", folder));
            Some(Auth::Basic { username: username?, password: password? })
        }
        _ => {
            reader.error(node.mark, "missing-key", "auth needs exactly one of bearer and basic");
            None
        }
    }
}

const SENSITIVE: [&str; 7] = ["authorization", "cookie", "token", "secret", "password", "api-key", "apikey"];

fn headers(reader: &mut Reader<'_>, node: &Node, folder: &Path) -> Vec<(String, HeaderValue)> {
    let mut out = Vec::new();
    for (key, value) in reader.entries(node, "headers").unwrap_or(&[]) {
        let valid = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if key.text.is_empty() || !key.text.chars().all(valid) {
            reader.error(key.mark, "wrong-type", format!("`{}` is not the name of a header", key.text));
            continue;
        }
        let lower = key.text.to_ascii_lowercase();
        let sensitive = SENSITIVE.iter().any(|word| lower.contains(word));
        let read = if sensitive || value.text().is_none() {
            let what = format!("the value of {}", key.text);
            secret::read(reader, value, &what, folder).map(HeaderValue::Secret)
        } else {
            plain_header(reader, value, &key.text)
        };
        out.extend(read.map(|value| (key.text.clone(), value)));
    }
    out
}

fn plain_header(reader: &mut Reader<'_>, node: &Node, name: &str) -> Option<HeaderValue> {
    let text = reader.string(node, name)?;
    if text.chars().any(|c| !(' '..='~').contains(&c)) {
        reader.error(node.mark, "wrong-type", format!("the value of {name} must be printable ASCII on one line"));
        return None;
    }
    Some(HeaderValue::Plain(text))
}

fn tls(reader: &mut Reader<'_>, node: &Node, folder: &Path) -> Option<Tls> {
    let fields = reader.map(node, "tls", &["ca_file", "cert_file", "key_file"])?;
    let mut path = |key| fields.get(key).and_then(|n| reader.string(n, key)).map(|text| folder.join(text));
    let (ca_file, cert_file, key_file) = (path("ca_file"), path("cert_file"), path("key_file"));
    if cert_file.is_some() != key_file.is_some() {
        reader.error(node.mark, "missing-key", "cert_file and key_file come together");
    }
    Some(Tls { ca_file, cert_file, key_file })
}

pub(super) fn unencrypted(reader: &mut Reader<'_>, fields: &Fields<'_>, connection: &Connection, urls: &[String]) {
    let secret = connection.auth != Auth::None
        || connection.headers.iter().any(|(_, value)| matches!(value, HeaderValue::Secret(_)));
    if let Some(url) = urls.iter().find(|url| secret && !is_private(url)) {
        let message = format!("a secret is sent to {url} without encryption; use https");
        reader.report(fields.mark(), Level::Warning, "unencrypted", message);
    }
}

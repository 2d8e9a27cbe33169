//! What an entry of the configuration says under `options`: read once for its findings, once for the adapter.

use crate::config::{Address, OutsideConfig, SecretRef, Section};
use crate::domain::document::{Fields, Node, Reader};
use crate::io::pages;
pub use crate::io::pages::is_id;

/// The keys, each with what it is.
pub const OPTIONS: [(&str, &str); 10] = [
    ("region", "`us` (when left out) or `eu`: which hosts are asked when there is no `url`"),
    ("from_email", "the address of a user: writes with an account's token are made in this name"),
    ("oauth", "the token under auth is one of OAuth, not an API key"),
    ("teams", "ids of teams: only their incidents are listed"),
    ("urgencies", "`high`, `low`: only such incidents are listed"),
    ("services", "our services, each with the id of its service there: where incidents are opened, who is on call"),
    ("default_service", "the id of the service there for everything else"),
    ("escalation_policies", "ids of more policies whose on-call people are shown"),
    ("routing_key", "event_sinks: the integration key, as a secret"),
    ("audience", "event_sinks: who is paged by it, for the question before a page"),
];

/// The most ids of one kind: more do not fit into an address.
const MOST_IDS: usize = 100;

/// The checked options.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    pub europe: bool,
    pub from_email: Option<String>,
    pub oauth: bool,
    pub teams: Vec<String>,
    pub urgencies: Vec<String>,
    /// Our name and the id there.
    pub services: Vec<(String, String)>,
    pub default_service: Option<String>,
    pub policies: Vec<String>,
    pub routing_key: Option<SecretRef>,
    pub audience: Option<String>,
}

impl Settings {
    /// The service there for one of ours.
    pub fn service(&self, ours: Option<&str>) -> Option<&str> {
        let mapped = self.services.iter().find(|(name, _)| Some(name.as_str()) == ours).map(|(_, id)| id.as_str());
        mapped.or(self.default_service.as_deref())
    }
}

/// The options of a checked entry.
pub fn read(config: &OutsideConfig) -> Settings {
    read_with(config, &mut Reader::new(&config.path))
}

/// Reports everything wrong with an entry.
pub fn check(config: &OutsideConfig, reader: &mut Reader<'_>) {
    let settings = read_with(config, reader);
    let sink = config.section == Section::EventSinks;
    if sink && settings.routing_key.is_none() {
        let message = "an event sink of PagerDuty needs options.routing_key (expected {file: PATH})";
        reader.error(config.options_mark(), "missing-key", message);
    }
    if !sink && config.connection.auth == crate::config::Auth::None {
        let message = "PagerDuty needs its token under auth (expected bearer: {file: PATH}; an API key, or one of OAuth \
                       with options.oauth)";
        reader.error(config.mark, "missing-key", message);
    }
    if settings.europe && matches!(config.url, Some(Address::Plain(_))) {
        reader.error(config.mark, "not-allowed", "url says where it is; leave options.region out");
    }
    pages::encrypted(config, reader);
    misplaced(config, reader, sink);
}

/// Options that stand where they mean nothing.
fn misplaced(config: &OutsideConfig, reader: &mut Reader<'_>, sink: bool) {
    let others: &[&str] = match sink {
        true => &["from_email", "oauth", "teams", "urgencies", "services", "default_service", "escalation_policies"],
        false => &["routing_key", "audience"],
    };
    let place = if sink { Section::IncidentBackends.key() } else { Section::EventSinks.key() };
    for key in others {
        if let Some(node) = config.options.as_ref().and_then(|options| options.get(key)) {
            reader.error(node.mark, "not-allowed", format!("{key} belongs to an entry of {place}"));
        }
    }
}

fn read_with(config: &OutsideConfig, reader: &mut Reader<'_>) -> Settings {
    let mut out = Settings::default();
    let keys: Vec<&str> = OPTIONS.iter().map(|(key, _)| *key).collect();
    let Some(fields) = config.options(reader, &keys) else { return out };
    if let Some(node) = fields.get("region") {
        match reader.string(node, "region").as_deref() {
            Some("us") | None => {}
            Some("eu") => out.europe = true,
            Some(_) => reader.wrong(node, "region", "us or eu"),
        }
    }
    if let Some(node) = fields.get("from_email") {
        out.from_email = reader.string(node, "from_email").filter(|text| email(reader, node, text));
    }
    out.oauth = fields.get("oauth").and_then(|n| reader.boolean(n, "oauth")).unwrap_or(false);
    out.teams = ids(reader, &fields, "teams");
    out.policies = ids(reader, &fields, "escalation_policies");
    out.urgencies = urgencies(reader, &fields);
    out.services = services(reader, &fields);
    out.default_service = fields.get("default_service").and_then(|n| id(reader, n, "default_service"));
    out.audience = fields.get("audience").and_then(|n| reader.string(n, "audience"));
    if let Some(node) = fields.get("routing_key") {
        out.routing_key = config.secret(reader, node, "routing_key");
    }
    out
}

fn email(reader: &mut Reader<'_>, node: &Node, text: &str) -> bool {
    let good = text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
        && text.chars().all(|c| ('!'..='~').contains(&c));
    if !good {
        reader.wrong(node, "from_email", "the address of a user, such as ada@example.com");
    }
    good
}

fn id(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<String> {
    let text = reader.string(node, what)?;
    if is_id(&text) {
        return Some(text);
    }
    reader.wrong(node, what, "an id such as PABC123");
    None
}

fn ids(reader: &mut Reader<'_>, fields: &Fields<'_>, key: &str) -> Vec<String> {
    let Some(node) = fields.get(key) else { return Vec::new() };
    let read: Vec<String> = reader.list(node, key).iter().filter_map(|item| id(reader, item, key)).collect();
    if read.len() > MOST_IDS {
        reader.error(node.mark, "out-of-range", format!("{key} may name at most {MOST_IDS} ids"));
    }
    read
}

fn urgencies(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Vec<String> {
    let Some(node) = fields.get("urgencies") else { return Vec::new() };
    let read = reader.strings(node, "urgencies");
    if read.iter().any(|word| word != "high" && word != "low") {
        reader.wrong(node, "urgencies", "a list of high and low");
    }
    read
}

fn services(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Vec<(String, String)> {
    let Some(node) = fields.get("services") else { return Vec::new() };
    let mut read = Vec::new();
    for (key, value) in reader.entries(node, "services").unwrap_or(&[]) {
        read.extend(id(reader, value, &format!("services.{}", key.text)).map(|id| (key.text.clone(), id)));
    }
    if read.len() > MOST_IDS {
        reader.error(node.mark, "out-of-range", format!("services may name at most {MOST_IDS} services"));
    }
    read
}

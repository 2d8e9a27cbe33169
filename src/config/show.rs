//! Every setting with its value and where it came from, for people and programs. Secrets never pass: only where they are
//! to be found, and nothing of a header that might be one.

use crate::config::{Address, Auth, Config, Connection, HeaderValue, Origins, Section, Template, word};
use crate::domain::document::Value as Node;
use crate::domain::time::{prometheus, seconds};
use serde_json::{Value, json};
use std::path::Path;

/// One setting.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// Such as `prometheus[0].timeout`.
    pub key: String,
    /// For programs: durations are seconds, absent is null.
    pub value: Value,
    /// For people.
    pub text: String,
    /// Where it came from, for people: `config.yaml:3:9`, `flag --theme`.
    pub origin: String,
    /// Which layer: `default`, `machine`, `file`, `environment` or `flag`.
    pub layer: &'static str,
}

struct Table<'o> {
    origins: &'o Origins,
    rows: Vec<Setting>,
}

impl Table<'_> {
    fn add(&mut self, key: impl Into<String>, value: Value) {
        let text = match &value {
            Value::Null => "-".to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        self.add_as(key.into(), value, text);
    }

    fn span(&mut self, key: impl Into<String>, span: crate::domain::time::Span) {
        let ms = span.num_milliseconds();
        let text = if ms % 1_000 == 0 { prometheus(span) } else { format!("{ms}ms") };
        self.add_as(key.into(), json!(seconds(span)), text);
    }

    fn duration(&mut self, key: impl Into<String>, limit: std::time::Duration) {
        match crate::domain::time::Span::from_std(limit) {
            Ok(span) => self.span(key, span),
            Err(_) => self.add(key, Value::Null),
        }
    }

    fn add_as(&mut self, key: String, value: Value, text: String) {
        let origin = self.origins.get(&key);
        self.rows.push(Setting { key, value, text, origin: origin.to_string(), layer: origin.word() });
    }

    fn connection(&mut self, key: &str, connection: &Connection) {
        self.span(format!("{key}.poll_interval"), connection.poll_interval);
        self.duration(format!("{key}.timeout"), connection.timeout);
        self.duration(format!("{key}.connect_timeout"), connection.connect_timeout);
        match &connection.auth {
            Auth::None => self.add(format!("{key}.auth"), Value::Null),
            Auth::Bearer(secret) => self.add(format!("{key}.auth.bearer"), json!(secret.masked())),
            Auth::Basic { username, password } => {
                self.add(format!("{key}.auth.basic.username"), json!(username));
                self.add(format!("{key}.auth.basic.password"), json!(password.masked()));
            }
        }
        for (name, value) in &connection.headers {
            let shown = match value {
                HeaderValue::Plain(text) if name.eq_ignore_ascii_case("X-Scope-OrgID") => text.clone(),
                HeaderValue::Plain(_) => "***".to_owned(),
                HeaderValue::Secret(secret) => secret.masked(),
            };
            self.add(format!("{key}.headers.{name}"), json!(shown));
        }
        let tls = &connection.tls;
        let files = [("ca_file", &tls.ca_file), ("cert_file", &tls.cert_file), ("key_file", &tls.key_file)];
        for (name, file) in files {
            if let Some(file) = file {
                self.add(format!("{key}.tls.{name}"), path(file));
            }
        }
    }
}

fn path(path: &Path) -> Value {
    json!(path.to_string_lossy())
}

/// Every setting in the order of the file's keys.
pub(super) fn settings(config: &Config, origins: &Origins) -> Vec<Setting> {
    let mut table = Table { origins, rows: Vec::new() };
    table.add("responder.name", json!(config.responder.name));
    table.add("responder.email", json!(config.responder.email));
    for (i, source) in config.prometheus.iter().enumerate() {
        let key = format!("prometheus[{i}]");
        table.add(format!("{key}.name"), json!(source.name));
        table.add(format!("{key}.url"), json!(source.url));
        table.connection(&key, &source.connection);
        for (name, value) in &source.params {
            table.add(format!("{key}.params.{name}"), json!(value));
        }
        table.add(format!("{key}.max_samples_per_second"), json!(source.max_samples_per_second));
        for (n, marker) in source.marks.iter().enumerate() {
            table.add(format!("{key}.marks[{n}].name"), json!(marker.name));
            table.add(format!("{key}.marks[{n}].query"), json!(marker.query));
        }
    }
    for (i, source) in config.alertmanager.iter().enumerate() {
        let key = format!("alertmanager[{i}]");
        table.add(format!("{key}.name"), json!(source.name));
        table.add_as(format!("{key}.urls"), json!(source.urls), source.urls.join(" "));
        table.connection(&key, &source.connection);
        table.add(format!("{key}.read_only"), json!(source.read_only));
    }
    targets(&mut table, config);
    files(&mut table, config);
    screen(&mut table, config);
    for (action, keys) in &config.keys {
        table.add_as(format!("keys.{action}"), json!(keys), keys.join(" "));
    }
    table.add("time_zone", json!(config.time_zone.name()));
    table.duration("command_timeout", config.command_timeout);
    let pass = if config.env_pass.is_empty() { "-".to_owned() } else { config.env_pass.join(" ") };
    table.add_as("env_pass".to_owned(), json!(config.env_pass), pass);
    table.span("arm_for", config.arm_for);
    table.add("cache", json!(config.cache));
    table.add("read_only", json!(config.read_only));
    table.add("log_level", json!(word(config.log_level)));
    table.rows
}

fn targets(table: &mut Table<'_>, config: &Config) {
    for section in Section::ALL {
        for (i, target) in config.outside.iter().filter(|t| t.section == section).enumerate() {
            let key = format!("{}[{i}]", section.key());
            table.add(format!("{key}.name"), json!(target.name));
            table.add(format!("{key}.kind"), json!(target.kind));
            let url = match &target.url {
                None => Value::Null,
                Some(Address::Plain(url)) => json!(url),
                Some(Address::Secret(secret)) => json!(secret.masked()),
            };
            table.add(format!("{key}.url"), url);
            table.connection(&key, &target.connection);
            table.add(format!("{key}.read_only"), json!(target.read_only));
            // Only the names: an option may hold anything.
            let options: Vec<&str> = match target.options.as_ref().map(|node| &node.value) {
                Some(Node::Map(entries)) => entries.iter().map(|(name, _)| name.text.as_str()).collect(),
                _ => Vec::new(),
            };
            table.add_as(format!("{key}.options"), json!(options), options.join(" "));
        }
    }
    table.span("outward_hold", config.outward_hold);
}

fn files(table: &mut Table<'_>, config: &Config) {
    let patterns = [
        ("slos", &config.slos),
        ("runbooks", &config.runbooks),
        ("scenarios", &config.scenarios),
        ("experiments", &config.experiments),
    ];
    for (key, patterns) in patterns {
        let text = if patterns.is_empty() { "-".to_owned() } else { patterns.join(" ") };
        table.add_as(key.to_owned(), json!(patterns), text);
    }
    table.add("postmortems", path(&config.postmortems));
    table.add(
        "postmortem_template",
        match &config.postmortem_template {
            None => Value::Null,
            Some(Template::A) => json!("a"),
            Some(Template::C) => json!("c"),
            Some(Template::B) => json!("b"),
            Some(Template::File(file)) => path(file),
        },
    );
    table.add("severities", config.severities.as_deref().map_or(Value::Null, path));
    for (name, reach) in &config.contacts {
        table.add(format!("contacts.{name}"), json!(reach));
    }
    let links = config.links.iter().map(|l| json!({"title": l.title, "url": l.url, "services": l.services}));
    table.add("links", links.collect());
}

fn screen(table: &mut Table<'_>, config: &Config) {
    table.add("theme", json!(word(config.screen.theme)));
    table.add("glyphs", json!(word(config.screen.glyphs)));
    table.add("paint_background", json!(config.screen.paint_background));
    table.add("cjk_width", json!(config.screen.cjk_width));
    table.add("slow", json!(config.screen.slow));
    table.add("bell", json!(config.screen.bell));
}

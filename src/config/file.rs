//! The configuration file as a layer: one pass over the tree that reports everything wrong. Takes text, never a path to read.

use crate::config::links;
use crate::config::outside::{self, Section};
use crate::config::source::{self, ranged};
use crate::config::{Loaded, Origin, Template, Word, environment, secret};
use crate::domain::document::{Fields, Level, Mark, Node, Reader, Value, parse};
use crate::domain::ids::SourceName;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Every key of the file, in the order in which they are shown.
pub const KEYS: [&str; 34] = [
    "responder",
    "prometheus",
    "alertmanager",
    "incident_backends",
    "chat",
    "status_pages",
    "tickets",
    "event_sinks",
    "annotations",
    "changes",
    "outward_hold",
    "slos",
    "runbooks",
    "scenarios",
    "experiments",
    "postmortems",
    "postmortem_template",
    "severities",
    "contacts",
    "links",
    "theme",
    "glyphs",
    "paint_background",
    "cjk_width",
    "slow",
    "bell",
    "keys",
    "time_zone",
    "command_timeout",
    "env_pass",
    "arm_for",
    "cache",
    "read_only",
    "log_level",
];

/// Lays the file over what is there.
pub(super) fn apply(loaded: &mut Loaded, path: &str, text: &str, folder: &Path) {
    let (node, findings) = parse(path, text);
    loaded.findings.extend(findings);
    let Some(node) = node else { return };
    let mut layer = Layer { reader: Reader::new(path), path, folder, loaded };
    if node.value == Value::Null {
        let message = "the file is empty; `midwatch init` writes one to start from";
        layer.reader.report(node.mark, Level::Warning, "empty", message);
    } else if let Some(fields) = layer.reader.map(&node, "the configuration", &KEYS) {
        layer.responder(&fields);
        layer.sources(&fields);
        layer.outside(&fields);
        layer.files(&fields);
        layer.contacts(&fields);
        layer.links(&fields);
        layer.screen(&fields);
        layer.keys(&fields);
        layer.limits(&fields, &secret::variables(&node));
    }
    let findings = std::mem::take(&mut layer.reader.findings);
    loaded.findings.extend(findings);
    loaded.findings.sort_by_key(|f| (f.line, f.column));
}

struct Layer<'l> {
    reader: Reader<'l>,
    path: &'l str,
    folder: &'l Path,
    loaded: &'l mut Loaded,
}

impl Layer<'_> {
    fn note(&mut self, key: impl Into<String>, node: &Node) {
        self.loaded.origins.set(key, Origin::File { path: self.path.to_owned(), mark: node.mark });
    }

    /// Notes the places of everything below a value, so that each part of a source knows its own line.
    fn note_all(&mut self, key: &str, node: &Node) {
        self.note(key, node);
        if let Value::Map(entries) = &node.value {
            for (name, value) in entries {
                self.note_all(&format!("{key}.{}", name.text), value);
            }
        }
    }

    fn bad(&mut self, node: &Node, key: &str, message: &str) {
        self.reader.error(node.mark, "wrong-type", format!("{key}: {message}"));
    }

    /// A text that holds something.
    fn text(&mut self, fields: &Fields<'_>, key: &str) -> Option<String> {
        let node = fields.get(key)?;
        let text = self.reader.string(node, key)?;
        if text.trim().is_empty() {
            self.reader.error(node.mark, "empty", format!("{key} is empty"));
            return None;
        }
        Some(text)
    }

    fn responder(&mut self, fields: &Fields<'_>) {
        let Some(node) = fields.get("responder") else { return };
        let Some(fields) = self.reader.map(node, "responder", &["name", "email"]) else { return };
        if let Some(name) = self.text(&fields, "name") {
            self.loaded.config.responder.name = name.trim().to_owned();
        }
        if let Some(email) = self.text(&fields, "email") {
            self.loaded.config.responder.email = Some(email);
        }
        self.note_all("responder", node);
    }

    fn sources(&mut self, fields: &Fields<'_>) {
        let folder = self.folder;
        if let Some(node) = fields.get("prometheus") {
            let items = self.items(node, "prometheus");
            let mut names = Names::default();
            for item in items {
                let read = source::prometheus(&mut self.reader, item, folder, items.len() == 1);
                let Some(read) = read.filter(|s| names.add(&mut self.reader, item, &s.name)) else { continue };
                let key = format!("prometheus[{}]", self.loaded.config.prometheus.len());
                self.loaded.config.prometheus.push(read);
                self.note_all(&key, item);
            }
        }
        if let Some(node) = fields.get("alertmanager") {
            let items = self.items(node, "alertmanager");
            let mut names = Names::default();
            for item in items {
                let read = source::alertmanager(&mut self.reader, item, folder, items.len() == 1);
                let Some(read) = read.filter(|s| names.add(&mut self.reader, item, &s.name)) else { continue };
                let key = format!("alertmanager[{}]", self.loaded.config.alertmanager.len());
                self.loaded.config.alertmanager.push(read);
                self.note_all(&key, item);
            }
        }
    }

    fn outside(&mut self, fields: &Fields<'_>) {
        // Silences are written to an Alertmanager under its own name.
        let mut names = Names(self.loaded.config.alertmanager.iter().map(|source| source.name.clone()).collect());
        for section in Section::ALL {
            let Some(node) = fields.get(section.key()) else { continue };
            for item in self.items(node, section.key()) {
                let read = outside::target(&mut self.reader, item, section, (self.path, self.folder));
                let Some(read) = read.filter(|t| names.add(&mut self.reader, item, &t.name)) else { continue };
                let n = self.loaded.config.outside.iter().filter(|t| t.section == section).count();
                self.loaded.config.outside.push(read);
                self.note_all(&format!("{}[{n}]", section.key()), item);
            }
        }
        if let Some(node) = fields.get("outward_hold")
            && let Some(span) = ranged(&mut self.reader, node, "outward_hold", 0, 60_000)
        {
            self.loaded.config.outward_hold = span;
            self.note("outward_hold", node);
        }
    }

    /// The items of a list of sources; one source may stand without a dash.
    fn items<'n>(&mut self, node: &'n Node, key: &str) -> &'n [Node] {
        match &node.value {
            Value::Map(_) => std::slice::from_ref(node),
            Value::Seq(items) => items,
            _ => {
                self.reader.wrong(node, key, "a list of sources");
                &[]
            }
        }
    }

    fn files(&mut self, fields: &Fields<'_>) {
        let (folder, mut patterns) = (self.folder, Vec::new());
        for key in ["slos", "runbooks", "scenarios", "experiments"] {
            let mut found = Vec::new();
            if let Some(node) = fields.get(key) {
                self.note(key, node);
                for item in self.reader.list(node, key) {
                    let Some(text) = self.reader.string(item, key) else { continue };
                    if text.is_empty() {
                        self.reader.error(item.mark, "empty", format!("{key} holds an empty name"));
                        continue;
                    }
                    self.note(format!("{key}[{}]", found.len()), item);
                    found.push(join(folder, &text));
                }
            }
            patterns.push(found);
        }
        self.loaded.config.experiments = patterns.pop().unwrap_or_default();
        self.loaded.config.scenarios = patterns.pop().unwrap_or_default();
        self.loaded.config.runbooks = patterns.pop().unwrap_or_default();
        self.loaded.config.slos = patterns.pop().unwrap_or_default();
        if let Some(path) = self.path(fields, "postmortems") {
            self.loaded.config.postmortems = path;
        }
        if let Some(path) = self.path(fields, "severities") {
            self.loaded.config.severities = Some(path);
        }
        if let Some(path) = self.path(fields, "postmortem_template") {
            let named = fields.get("postmortem_template").and_then(Node::text);
            self.loaded.config.postmortem_template = Some(match named {
                Some("a") => Template::A,
                Some("c") => Template::C,
                Some("b") => Template::B,
                _ => Template::File(path),
            });
        }
    }

    fn path(&mut self, fields: &Fields<'_>, key: &str) -> Option<PathBuf> {
        let text = self.text(fields, key)?;
        self.note(key, fields.get(key)?);
        Some(self.folder.join(text))
    }

    /// Names of escalations, each with how to reach them or with nothing.
    fn contacts(&mut self, fields: &Fields<'_>) {
        let Some(node) = fields.get("contacts") else { return };
        self.note("contacts", node);
        for (name, value) in self.reader.entries(node, "contacts").unwrap_or(&[]) {
            if name.text.trim().is_empty() {
                self.reader.error(name.mark, "empty", "contacts: a name is empty");
                continue;
            }
            let reach = match value.value {
                Value::Null => None,
                _ => match self.reader.string(value, &name.text) {
                    Some(text) => Some(text).filter(|text| !text.trim().is_empty()),
                    None => continue,
                },
            };
            self.note(format!("contacts.{}", name.text), value);
            self.loaded.config.contacts.insert(name.text.clone(), reach);
        }
    }

    fn links(&mut self, fields: &Fields<'_>) {
        let Some(node) = fields.get("links") else { return };
        self.note("links", node);
        let read = links::templates(&mut self.reader, node);
        self.loaded.config.links = read;
    }

    fn screen(&mut self, fields: &Fields<'_>) {
        if let Some(theme) = self.word(fields, "theme") {
            self.loaded.config.screen.theme = theme;
        }
        if let Some(glyphs) = self.word(fields, "glyphs") {
            self.loaded.config.screen.glyphs = glyphs;
        }
        for key in ["paint_background", "cjk_width", "slow", "bell", "cache", "read_only"] {
            let Some(node) = fields.get(key) else { continue };
            let Some(on) = self.reader.boolean(node, key) else { continue };
            let config = &mut self.loaded.config;
            match key {
                "paint_background" => config.screen.paint_background = on,
                "cjk_width" => config.screen.cjk_width = on,
                "slow" => config.screen.slow = on,
                "bell" => config.screen.bell = on,
                "cache" => config.cache = on,
                _ => config.read_only = on,
            }
            self.note(key, node);
        }
    }

    fn word<T: Word>(&mut self, fields: &Fields<'_>, key: &str) -> Option<T> {
        let node = fields.get(key)?;
        let text = self.reader.string(node, key)?;
        match T::from_word(&text) {
            Ok(value) => {
                self.note(key, node);
                Some(value)
            }
            Err(message) => {
                self.bad(node, key, &message);
                None
            }
        }
    }

    fn keys(&mut self, fields: &Fields<'_>) {
        let Some(node) = fields.get("keys") else { return };
        let mut keys = BTreeMap::new();
        for (action, value) in self.reader.entries(node, "keys").unwrap_or(&[]) {
            self.note(format!("keys.{}", action.text), value);
            keys.insert(action.text.clone(), self.reader.strings(value, &action.text));
        }
        self.loaded.config.keys = keys;
        self.note("keys", node);
    }

    fn limits(&mut self, fields: &Fields<'_>, secrets: &[(String, Mark)]) {
        if let Some(level) = self.word(fields, "log_level") {
            self.loaded.config.log_level = level;
        }
        if let Some(node) = fields.get("time_zone")
            && let Some(text) = self.reader.string(node, "time_zone")
        {
            match environment::zone(&text) {
                Ok(zone) => {
                    self.loaded.config.time_zone = zone;
                    self.note("time_zone", node);
                }
                Err(message) => self.bad(node, "time_zone", &message),
            }
        }
        if let Some(node) = fields.get("command_timeout")
            && let Some(limit) = ranged(&mut self.reader, node, "command_timeout", 1_000, 86_400_000)
        {
            self.loaded.config.command_timeout = limit.to_std().unwrap_or(self.loaded.config.command_timeout);
            self.note("command_timeout", node);
        }
        if let Some(node) = fields.get("env_pass") {
            self.passed(node, secrets);
        }
        if let Some(node) = fields.get("arm_for")
            && let Some(span) = ranged(&mut self.reader, node, "arm_for", 10_000, 86_400_000)
        {
            self.loaded.config.arm_for = span;
            self.note("arm_for", node);
        }
    }
}

impl Layer<'_> {
    /// Names that commands get from the responder's own environment; never one that holds a secret of ours.
    fn passed(&mut self, node: &Node, secrets: &[(String, Mark)]) {
        self.note("env_pass", node);
        let mut names = Vec::new();
        for item in self.reader.list(node, "env_pass") {
            let Some(name) = self.reader.string(item, "env_pass") else { continue };
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if name.is_empty() || !name.chars().all(plain) || name.starts_with(|c: char| c.is_ascii_digit()) {
                self.reader.error(
                    item.mark,
                    "wrong-type",
                    "env_pass: expected names of variables, such as AWS_PROFILE",
                );
                continue;
            }
            if let Some((_, at)) = secrets.iter().find(|(secret, _)| *secret == name) {
                let line = at.line;
                self.reader.error(
                    item.mark,
                    "secret-passed",
                    format!(
                        "env_pass: {name} holds the secret of line {line}, and no command gets one (take it out here, or give \
                         the secret by {{file: PATH}} or {{command: [...]}})"
                    ),
                );
                continue;
            }
            names.push(name);
        }
        self.loaded.config.env_pass = names;
    }
}

fn join(folder: &Path, pattern: &str) -> String {
    folder.join(pattern).to_string_lossy().into_owned()
}

/// Names seen so far in one list of sources.
#[derive(Default)]
struct Names(Vec<SourceName>);

impl Names {
    fn add(&mut self, reader: &mut Reader<'_>, node: &Node, name: &SourceName) -> bool {
        if self.0.contains(name) {
            let mark = node.get("name").unwrap_or(node).mark;
            reader.error(mark, "duplicate", format!("another source is already called `{name}`"));
            return false;
        }
        self.0.push(name.clone());
        true
    }
}

//! OpenSLO: `openslo/v1`, and `v1alpha` and `v2alpha` where they differ in words only. Objects refer to each other across
//! documents and files, so they are taken in first and settled when all were read. Where the text of the specification and
//! its SDK disagree, both are accepted with a warning.

pub mod alerts;
pub mod indicator;
pub mod slo;
pub mod window;

use crate::domain::document::{Finding, Level, Mark, Node, Reader, nearest};
use crate::domain::slo::catalogue::Declared;
use crate::domain::slo::format::{Document, Gathered};
use crate::domain::slo::openslo::alerts::{Condition, Policy};
use crate::domain::slo::openslo::indicator::Indicator;
use crate::domain::slo::terms::{choice, errors};
use std::collections::BTreeMap;

/// The versions that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// `openslo/v1alpha`: the ratio stands in the objective, time windows have a unit and a count.
    V1Alpha,
    /// `openslo/v1`
    V1,
    /// `openslo.com/v2alpha`: other words for indicators and sources.
    V2Alpha,
}

/// The kinds of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Where metrics come from.
    DataSource,
    /// An objective, or several over one indicator.
    Slo,
    /// An indicator.
    Sli,
    /// When to alert whom.
    AlertPolicy,
    /// What an alert waits for.
    AlertCondition,
    /// Who is told.
    AlertNotificationTarget,
    /// What an objective is about.
    Service,
}

const VERSIONS: [(&str, Version); 3] =
    [("openslo/v1", Version::V1), ("openslo/v1alpha", Version::V1Alpha), ("openslo.com/v2alpha", Version::V2Alpha)];
const KINDS: [(&str, Kind); 7] = [
    ("SLO", Kind::Slo),
    ("SLI", Kind::Sli),
    ("DataSource", Kind::DataSource),
    ("AlertPolicy", Kind::AlertPolicy),
    ("AlertCondition", Kind::AlertCondition),
    ("AlertNotificationTarget", Kind::AlertNotificationTarget),
    ("Service", Kind::Service),
];

/// An object as it was taken in.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// Index of its file.
    pub file: usize,
    /// Its version.
    pub version: Version,
    /// Its kind.
    pub kind: Kind,
    /// Its name and where it begins.
    pub name: String,
    /// The whole of it.
    pub root: Node,
}

/// Whether a document is of this format.
pub fn knows(root: &Node) -> bool {
    let version = root.get("apiVersion").and_then(Node::text);
    version.is_some_and(|t| t.starts_with("openslo/") || t.starts_with("openslo.com/"))
}

/// Takes an object in.
pub fn gather(reader: &mut Reader<'_>, document: Document<'_>, gathered: &mut Gathered) {
    let before = errors(reader);
    let Some(fields) = reader.foreign(document.root, "the object", &["apiVersion", "kind", "metadata", "spec"]) else {
        return;
    };
    let version = fields.need(reader, "apiVersion").and_then(|n| choice(reader, n, "apiVersion", &VERSIONS));
    let kind = fields.need(reader, "kind").and_then(|n| choice(reader, n, "kind", &KINDS));
    let name = fields.need(reader, "metadata").and_then(|n| metadata(reader, n));
    fields.need(reader, "spec").and_then(|n| reader.entries(n, "spec"));
    if let (Some(version), Some(kind), Some(name), true) = (version, kind, name, errors(reader) == before) {
        let root = document.root.clone();
        gathered.openslo.push(Object { file: document.file, version, kind, name, root });
    }
}

/// The name of an object. What else stands there is for people.
pub fn metadata(reader: &mut Reader<'_>, node: &Node) -> Option<String> {
    let fields = reader.foreign(node, "metadata", &["name", "displayName", "labels", "annotations"])?;
    let name = fields.need(reader, "name")?;
    let text = reader.string(name, "name")?;
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if text.is_empty() {
        reader.error(name.mark, "wrong-type", "the name is empty");
        return None;
    }
    if text.len() > 63 || !text.chars().all(fits) || text.starts_with('-') || text.ends_with('-') {
        let message =
            format!("the name `{text}` is none that OpenSLO allows (a-z, 0-9 and -, at most 63); it is used as it is");
        reader.report(name.mark, Level::Warning, "name", message);
    }
    Some(text)
}

/// What objects may refer to, each read once, so that what is wrong in it is said once.
#[derive(Debug, Default)]
pub struct Index {
    /// Indicators; `None` for one with an error.
    pub indicators: BTreeMap<String, Option<Indicator>>,
    /// Conditions; `None` for one that makes no pair.
    pub conditions: BTreeMap<String, Option<Condition>>,
    /// Alert policies; `None` for one with an error.
    pub policies: BTreeMap<String, Option<Policy>>,
    /// Data sources with their type.
    pub sources: BTreeMap<String, String>,
    /// Names of services.
    pub services: BTreeMap<String, ()>,
    /// Names of notification targets.
    pub targets: BTreeMap<String, ()>,
}

impl Index {
    /// Warns of a name that is nearly that of a thing; one that is far from all of them may live elsewhere.
    pub fn hint<T>(reader: &mut Reader<'_>, map: &BTreeMap<String, T>, node: &Node, what: &str) {
        let name = node.text().unwrap_or_default();
        let near = nearest(name, map.keys().map(String::as_str)).filter(|_| !map.contains_key(name));
        if let Some(near) = near {
            let message = format!("{what} `{name}` is in none of the files (nearest: `{near}`)");
            reader.report(node.mark, Level::Warning, "missing-reference", message);
        }
    }

    /// The thing of a name, or an error at the reference.
    pub fn find<'i, T>(
        reader: &mut Reader<'_>,
        map: &'i BTreeMap<String, T>,
        node: &Node,
        what: &str,
        level: Level,
    ) -> Option<&'i T> {
        let name = reader.string(node, what)?;
        let found = map.get(&name);
        if found.is_none() {
            let near = nearest(&name, map.keys().map(String::as_str)).map(|n| format!(" (nearest: `{n}`)"));
            let message = format!("{what} `{name}` is in none of the files{}", near.unwrap_or_default());
            reader.report(node.mark, level, "missing-reference", message);
        }
        found
    }
}

/// The objectives of all objects; references are looked up over all files.
pub fn settle(paths: &[&str], objects: &[Object], findings: &mut Vec<Finding>) -> Vec<Declared> {
    let path = |object: &Object| paths.get(object.file).copied().unwrap_or_default();
    let objects = once(paths, objects, findings);
    let mut index = Index::default();
    // Conditions before the policies that name them, sources before the indicators.
    let order = [
        Kind::DataSource,
        Kind::Service,
        Kind::AlertNotificationTarget,
        Kind::Sli,
        Kind::AlertCondition,
        Kind::AlertPolicy,
    ];
    for kind in order {
        for object in objects.iter().filter(|o| o.kind == kind) {
            let mut reader = Reader::new(path(object));
            enter(&mut reader, object, &mut index);
            findings.extend(reader.findings);
        }
    }
    let mut declared = Vec::new();
    for object in objects.iter().filter(|o| o.kind == Kind::Slo) {
        let mut reader = Reader::new(path(object));
        let rows = slo::read(&mut reader, path(object), object, &index);
        declared.extend(rows.into_iter().map(|(mark, objective)| Declared { file: object.file, mark, objective }));
        findings.extend(reader.findings);
    }
    declared
}

fn enter(reader: &mut Reader<'_>, object: &Object, index: &mut Index) {
    let Some(spec) = object.root.get("spec") else { return };
    let name = object.name.clone();
    match object.kind {
        Kind::DataSource => {
            let kind = spec.get("type").and_then(|n| reader.string(n, "type"));
            if kind.is_none() {
                reader.error(spec.mark, "missing-key", format!("the data source `{name}` has no `type`"));
            }
            index.sources.insert(name, kind.unwrap_or_default());
        }
        Kind::Sli => {
            let indicator = indicator::read(reader, spec, &index.sources);
            index.indicators.insert(name, indicator);
        }
        Kind::AlertCondition => {
            let condition = alerts::condition(reader, spec);
            index.conditions.insert(name, condition);
        }
        Kind::AlertPolicy => {
            let policy = alerts::policy(reader, spec, index);
            index.policies.insert(name, policy);
        }
        Kind::Service => drop(index.services.insert(name, ())),
        Kind::AlertNotificationTarget => drop(index.targets.insert(name, ())),
        Kind::Slo => {}
    }
}

/// Every object of a kind and name once; a later one is an error.
fn once<'o>(paths: &[&str], objects: &'o [Object], findings: &mut Vec<Finding>) -> Vec<&'o Object> {
    let mut first: BTreeMap<(Kind, &str), (usize, Mark)> = BTreeMap::new();
    let mut kept = Vec::new();
    for object in objects {
        let key = (object.kind, object.name.as_str());
        let Some((file, mark)) = first.get(&key) else {
            first.insert(key, (object.file, object.root.mark));
            kept.push(object);
            continue;
        };
        let mut reader = Reader::new(paths.get(object.file).copied().unwrap_or_default());
        let word = KINDS.iter().find(|(_, k)| *k == object.kind).map_or("object", |(word, _)| word);
        let other = paths.get(*file).copied().unwrap_or_default();
        let message =
            format!("the {word} `{}` is declared at {other}:{} already; that one is used", object.name, mark.line);
        reader.error(object.root.mark, "duplicate", message);
        findings.extend(reader.findings);
    }
    kept
}

//! Which format each document of an objectives file has, decided by what is in it, and what several files say together.
//! Knows no format's details.

use crate::domain::document::{Finding, Level, Mark, Node, Reader, Value, nearest, parse_all};
use crate::domain::slo::catalogue::{Catalogue, Declared, unique};
use crate::domain::slo::composite;
use crate::domain::slo::maintenance::Maintenance;
use crate::domain::slo::objective::Objective;
use crate::domain::slo::policy::PolicyBands;
use crate::domain::slo::service::Service;
use crate::domain::slo::sloth::alert_windows::{self, AlertWindows};
use crate::domain::slo::{openslo, own, pyrra, seed, slo_generator, sloth};

/// What the documents of all files said, before names and references between them are settled.
#[derive(Debug, Default)]
pub struct Gathered {
    /// Objectives that are complete by themselves.
    pub declared: Vec<Declared>,
    /// Sloth's objectives, which wait for alert windows.
    pub sloth: Vec<sloth::Waiting>,
    /// Sloth's alert windows.
    pub alert_windows: Vec<AlertWindows>,
    /// Objects of OpenSLO, which refer to each other.
    pub openslo: Vec<openslo::Object>,
    /// Services.
    pub services: Vec<Service>,
    /// Planned work.
    pub maintenance: Vec<Maintenance>,
    /// The policy and the place where it stands.
    pub policy: Option<(String, PolicyBands)>,
}

/// One document of one file.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a> {
    /// Index of its file.
    pub file: usize,
    /// The file as it was named.
    pub path: &'a str,
    /// Its tree.
    pub root: &'a Node,
}

impl Document<'_> {
    /// `file:line`, as an objective says where it stands.
    pub fn place(&self, mark: Mark) -> String {
        format!("{}:{}", self.path, mark.line)
    }

    /// An objective of this document that is complete by itself.
    pub fn declare(&self, mark: Mark, objective: Objective) -> Declared {
        Declared { file: self.file, mark, objective }
    }
}

/// A format: how it is known, and what takes everything out of a document of it. What is wrong goes to the reader.
struct Format {
    knows: fn(&Node) -> bool,
    read: fn(&mut Reader<'_>, Document<'_>, &mut Gathered),
}

const FORMATS: [Format; 6] = [
    Format { knows: seed::knows, read: seed::gather },
    Format { knows: own::knows, read: own::gather },
    Format { knows: sloth::knows, read: sloth::gather },
    Format { knows: pyrra::knows, read: pyrra::gather },
    Format { knows: openslo::knows, read: openslo::gather },
    Format { knows: slo_generator::knows, read: slo_generator::gather },
];

/// What gives a format away, for a document that no format knows.
const SIGNS: [&str; 8] = [
    seed::ROOT,
    own::VERSION,
    "prometheus/v1",
    "sloth.slok.dev/v1",
    "pyrra.dev/v1alpha1",
    "openslo/v1",
    "openslo.com/v2alpha",
    "sre.google.com/v2",
];

/// Whether a document is of one of the formats.
pub fn knows(root: &Node) -> bool {
    FORMATS.iter().any(|format| (format.knows)(root)) || items(root).is_some_and(|items| items.iter().any(knows))
}

/// The items of a Kubernetes `List`, as `kubectl get -o yaml` prints one.
fn items(root: &Node) -> Option<&[Node]> {
    let list = root.get("kind").and_then(Node::text) == Some("List");
    match root.get("items").filter(|_| list).map(|node| &node.value) {
        Some(Value::Seq(items)) => Some(items),
        _ => None,
    }
}

/// Reads the objectives of one file.
pub fn read(path: &str, text: &str) -> (Vec<Objective>, Vec<Finding>) {
    let (catalogue, findings) = read_all(&[(path.to_owned(), text.to_owned())]);
    (catalogue.objectives, findings)
}

/// Reads files, each a path and its text. First every file is read, then what they say of each other is settled: references,
/// alert windows, names, which count once. Findings come by file and place. Content of no known format is a finding.
pub fn read_all(files: &[(String, String)]) -> (Catalogue, Vec<Finding>) {
    let mut gathered = Gathered::default();
    let mut findings = Vec::new();
    for (file, (path, text)) in files.iter().enumerate() {
        findings.extend(gather(file, path, text, &mut gathered));
    }
    let paths: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
    let mut declared = gathered.declared;
    declared.extend(alert_windows::settle(&paths, &gathered.alert_windows, gathered.sloth, &mut findings));
    declared.extend(openslo::settle(&paths, &gathered.openslo, &mut findings));
    let objectives = unique(&paths, declared, &mut findings);
    // Parts that no file has are told above; circles and parts of other windows show only when all are there.
    findings.extend(composite::lint(&objectives).into_iter().filter(|f| f.rule != "missing-part"));
    let place = |path: &str| paths.iter().position(|p| *p == path).unwrap_or(usize::MAX);
    findings.sort_by_cached_key(|f| (place(&f.path), f.line, f.column));
    let Gathered { services, maintenance, policy, .. } = gathered;
    (Catalogue { objectives, services, maintenance, policy: policy.map(|(_, bands)| bands) }, findings)
}

fn gather(file: usize, path: &str, text: &str, gathered: &mut Gathered) -> Vec<Finding> {
    let (roots, mut findings) = parse_all(path, text);
    let roots: Vec<&Node> =
        roots.iter().flat_map(|root| items(root).map_or(vec![root], |i| i.iter().collect())).collect();
    let mut reader = Reader::new(path);
    let mixed = roots.iter().any(|root| knows(root));
    for root in &roots {
        match FORMATS.iter().find(|format| (format.knows)(root)) {
            Some(format) => (format.read)(&mut reader, Document { file, path, root }, gathered),
            None => unknown(&mut reader, root, mixed),
        }
    }
    if roots.is_empty() && findings.is_empty() {
        unknown(&mut reader, &Node { mark: Mark { line: 1, column: 1 }, value: Value::Null }, false);
    }
    findings.extend(reader.findings);
    findings
}

/// A document of no known format is an error, unless it is a Kubernetes object that lies among objectives.
fn unknown(reader: &mut Reader<'_>, root: &Node, mixed: bool) {
    let text = |key: &str| root.get(key).and_then(Node::text);
    if let (true, Some(_), Some(kind)) = (mixed, text("apiVersion"), text("kind")) {
        let message = format!("the `{kind}` here is no objective; it is left out");
        return reader.report(root.mark, Level::Info, "other-kind", message);
    }
    if let Some(version) = root.get("apiVersion").or(root.get("version"))
        && let Some(written) = version.text()
    {
        let near = nearest(written, SIGNS.into_iter().skip(1)).map(|n| format!("; nearest: `{n}`")).unwrap_or_default();
        let known = SIGNS.into_iter().skip(1).collect::<Vec<_>>().join(", ");
        let message = format!("`{written}` is no known format of objectives (expected {known}{near})");
        return reader.error(version.mark, "unknown-format", message);
    }
    let near = match &root.value {
        Value::Map(entries) => entries.iter().find_map(|(key, _)| {
            nearest(&key.text, [seed::ROOT, "apiVersion"]).map(|name| (key.mark, &key.text, name))
        }),
        _ => None,
    };
    match near {
        Some((mark, written, name)) => {
            reader.error(mark, "unknown-key", format!("unknown key `{written}` (nearest: `{name}`); nothing is read"));
        }
        None => {
            let message = format!("no known format of objectives (expected the key {} or apiVersion)", seed::ROOT);
            reader.error(root.mark, "unknown-format", message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_content() {
        let seed = include_str!("../../../tests/fixtures/seeds/slo.yaml");
        assert_eq!(read("slo.yaml", seed).0.len(), 2);
        for (text, rule, column) in [
            ("service_level_objectvies: {}\n", "unknown-key", 1),
            ("apiVersion: x/v1\n", "unknown-format", 13),
            ("- a\n", "unknown-format", 3),
            ("", "unknown-format", 1),
        ] {
            let (objectives, findings) = read("f.yaml", text);
            assert_eq!(objectives, vec![]);
            assert_eq!((findings.len(), findings[0].rule.as_str(), findings[0].column), (1, rule, column), "{text}");
        }
        assert_eq!(read("f.yaml", "a: [").1[0].rule, "yaml");
    }

    #[test]
    fn a_list_of_kubernetes_is_its_items() {
        let text = "apiVersion: v1\nkind: List\nitems:\n  - apiVersion: pyrra.dev/v1alpha1\n    kind: ServiceLevelObjective\n\
            \x20   metadata: {name: up, uid: 1}\n    spec: {target: \"99\", window: 4w, indicator: {bool_gauge: {metric: up}}}\n  - {apiVersion: v1, kind: ConfigMap}\n";
        let (objectives, findings) = read("f.yaml", text);
        let rules: Vec<&str> = findings.iter().map(|f| f.rule.as_str()).collect();
        assert_eq!((objectives.len(), rules), (1, vec!["other-kind"]));
    }

    #[test]
    fn a_name_counts_once_over_all_documents_and_files() {
        let slo = |name: &str| {
            format!(
                "service_level_objectives:\n  {name}: {{sli: \"sum(rate(g[5m])) / sum(rate(t[5m]))\", target: 0.99, window: 30d}}\n"
            )
        };
        let files = [
            ("a.yaml".to_owned(), format!("{}---\n{}", slo("x"), slo("y"))),
            ("b.yaml".to_owned(), format!("{}---\n{}", slo("z"), slo("x"))),
        ];
        let (catalogue, findings) = read_all(&files);
        let names: Vec<&str> = catalogue.objectives.iter().map(|o| o.id.as_str()).collect();
        assert_eq!(names, ["x", "y", "z"]);
        let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
        let want = "b.yaml:5:3: error: the objective `x` is declared at a.yaml:2 already; that one is used [duplicate]";
        assert_eq!(lines, [want]);
    }
}

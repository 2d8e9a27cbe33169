//! Experiments of Chaos Toolkit (JSON or YAML) written anew in our format, for a person to complete: what that format does not
//! say (where it runs, what ends it) is left empty, so that the file does not run before somebody filled it. Process and HTTP
//! providers are taken; Python ones are refused by name, because what they do stands in no file. Nothing is run.
//!
//! `chaos_toolkit/provider.rs` reads what runs and what is tolerated.

mod provider;

use crate::domain::document::write::scalar;
use crate::domain::document::{Finding, Level, Mark, Node, Value, parse};
use crate::domain::runbook::pieces::slug;
use crate::domain::text::clean;
use provider::{Answer, Does};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What became of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Imported {
    /// Its id.
    pub id: String,
    /// The new file; empty where nothing could be taken.
    pub yaml: String,
    /// Conditions, parts of the method and of the rollback that were taken.
    pub taken: Vec<String>,
    /// What was refused, and why.
    pub rejected: Vec<Rejected>,
    /// What is wrong with the file itself.
    pub findings: Vec<Finding>,
}

/// Something that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Its name.
    pub name: String,
    /// Why.
    pub why: String,
    /// Where it stands.
    pub line: usize,
}

/// A file while it is read.
struct File {
    out: Imported,
    /// Plain values of `configuration`.
    values: BTreeMap<String, String>,
    hosts: Vec<String>,
}

/// Reads an experiment of Chaos Toolkit.
pub fn import(path: &str, text: &str) -> Imported {
    let (root, findings) = parse(path, text);
    let mut file =
        File { out: Imported { findings, ..Imported::default() }, values: BTreeMap::new(), hosts: Vec::new() };
    let Some(root) = root else { return file.out };
    let known = ["method", "steady-state-hypothesis", "rollbacks"];
    if !known.iter().any(|key| root.get(key).is_some()) {
        let message = "this is no experiment of Chaos Toolkit (expected `title`, `method`, `steady-state-hypothesis`)";
        file.out.findings.push(Finding {
            path: path.to_owned(),
            line: 1,
            column: 1,
            rule: "chaos-toolkit".to_owned(),
            level: Level::Error,
            message: message.to_owned(),
        });
        return file.out;
    }
    file.write(path, &root);
    file.out
}

impl File {
    fn reject(&mut self, name: &str, mark: Mark, why: impl Into<String>) {
        let why = clean(&why.into()).into_owned();
        self.out.rejected.push(Rejected { name: clean(name).into_owned(), why, line: mark.line });
    }

    fn write(&mut self, path: &str, root: &Node) {
        let stem = path.rsplit(['/', '\\']).next().unwrap_or(path);
        let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);
        let title = text(root, "title").unwrap_or(stem).to_owned();
        self.out.id = slug(&title, &slug(stem, "experiment"));
        self.configuration(root);
        for key in ["controls", "secrets"] {
            if let Some(node) = root.get(key).filter(|node| !is_empty(node)) {
                self.reject(key, node.mark, "is not taken: what it does stands in no file of ours");
            }
        }
        let hypothesis = root.get("steady-state-hypothesis");
        let steady = hypothesis.map(|node| self.probes(items(node, "probes"))).unwrap_or_default();
        let (method, success) = self.method(items(root, "method"));
        let rollback = self.rollbacks(items(root, "rollbacks"));
        let believed = hypothesis.and_then(|node| text(node, "title")).unwrap_or(&title).to_owned();
        let mut out = String::new();
        let _ = writeln!(
            out,
            "# Taken from an experiment of Chaos Toolkit. Read every line before it runs; what is empty must be"
        );
        let _ = writeln!(out, "# filled: where it runs, what proves that (`guard`), and what ends it (`abort`).");
        for rejected in &self.out.rejected {
            let _ = writeln!(out, "# NOT TAKEN, line {}: {}: {}", rejected.line, rejected.name, rejected.why);
        }
        let _ = writeln!(out, "apiVersion: midwatch/v1\nkind: Experiment\nid: {}", self.out.id);
        let _ = writeln!(out, "title: {}", scalar(&title));
        if let Some(said) = text(root, "description").filter(|said| !said.trim().is_empty()) {
            let _ = writeln!(out, "description: {}", scalar(said));
        }
        let _ = writeln!(out, "hypothesis: {}", scalar(&believed));
        let _ = writeln!(out, "blast_radius:\n  environment:            # staging\n  forbid: [production, prod]");
        if !self.hosts.is_empty() {
            let _ = writeln!(
                out,
                "  # Calls to these go nowhere before they are allowed:\n  # hosts: [{}]",
                self.hosts.join(", ")
            );
        }
        let _ = writeln!(out, "duration: 5m              # from the first change to the rollback");
        list(&mut out, "steady", &steady);
        let _ =
            writeln!(out, "abort: []                 # - {{promql: 'errors:ratio1m', op: '>', value: 0.05, for: 30s}}");
        list(&mut out, "method", &method);
        if !success.is_empty() {
            list(&mut out, "success", &success);
        }
        list(&mut out, "rollback", &rollback);
        self.out.yaml = out;
    }

    /// Values that stand in the file. Those of the environment are not there.
    fn configuration(&mut self, root: &Node) {
        let Some(Node { value: Value::Map(entries), .. }) = root.get("configuration") else { return };
        for (key, value) in entries {
            let plain = value
                .text()
                .or_else(|| value.get("default").and_then(Node::text).filter(|_| value.get("type").is_none()));
            if let Some(said) = plain {
                self.values.insert(key.text.clone(), said.to_owned());
            }
        }
    }

    fn probes(&mut self, nodes: &[Node]) -> Vec<Vec<String>> {
        let mut all = Vec::new();
        for node in nodes {
            let name = name(node);
            let Some(does) = self.provider(node, &name) else { continue };
            match self.tolerance(node, &name, &does) {
                Some(answer) => {
                    all.push(self.look(&name, &does, &answer));
                    self.out.taken.push(name);
                }
                None => continue,
            }
        }
        all
    }

    /// Actions become the method; a probe among them that is held against something becomes a criterion.
    fn method(&mut self, nodes: &[Node]) -> (Vec<Vec<String>>, Vec<Vec<String>>) {
        let (mut method, mut success) = (Vec::new(), Vec::new());
        for node in nodes {
            let name = name(node);
            if let Some(of) = text(node, "ref") {
                self.reject(of, node.mark, "is a reference to another activity; write it out");
                continue;
            }
            if text(node, "type") == Some("probe") && node.get("tolerance").is_none() {
                self.reject(&name, node.mark, "is a probe that is held against nothing");
                continue;
            }
            let Some(does) = self.provider(node, &name) else { continue };
            if text(node, "type") == Some("probe") {
                if let Some(answer) = self.tolerance(node, &name, &does) {
                    let mut lines = self.look(&name, &does, &answer);
                    lines.push("during: end".to_owned());
                    success.push(lines);
                    self.out.taken.push(name);
                }
                continue;
            }
            method.push(self.deed(node, &name, &does, true));
            self.out.taken.push(name);
        }
        (method, success)
    }

    fn rollbacks(&mut self, nodes: &[Node]) -> Vec<Vec<String>> {
        let mut all = Vec::new();
        for node in nodes {
            let name = name(node);
            let Some(does) = self.provider(node, &name) else { continue };
            all.push(self.deed(node, &name, &does, false));
            self.out.taken.push(name);
        }
        all
    }

    fn deed(&mut self, node: &Node, name: &str, does: &Does, method: bool) -> Vec<String> {
        let mut lines = vec![format!("name: {}", scalar(name))];
        lines.extend(does.lines(true));
        if method {
            lines.push("risk: unknown".to_owned());
        }
        if text(node, "background") == Some("true") {
            self.reject(name, node.mark, "ran in the background; here it is waited for");
        }
        for (from, to) in [("before", "pause_before"), ("after", "pause_after")] {
            let pause =
                node.get("pauses").and_then(|pauses| text(pauses, from)).and_then(|said| said.parse::<f64>().ok());
            match pause {
                Some(seconds) if (0.0..=3_600.0).contains(&seconds) => {
                    lines.push(format!("{to}: {}s", seconds.ceil()));
                }
                Some(_) => self.reject(name, node.mark, format!("pauses {from} it for longer than an hour")),
                None => {}
            }
        }
        lines
    }

    fn look(&self, name: &str, does: &Does, answer: &Answer) -> Vec<String> {
        let mut lines = vec![format!("name: {}", scalar(name))];
        let status = match answer {
            Answer::Codes(codes) => {
                Some(format!("[{}]", codes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")))
            }
            Answer::Text(_) | Answer::Success => None,
        };
        lines.extend(does.looking(status.as_deref()));
        if let Answer::Text(line) = answer {
            lines.push(line.clone());
        }
        lines
    }
}

/// A list of maps under a key.
fn list(out: &mut String, key: &str, entries: &[Vec<String>]) {
    if entries.is_empty() {
        let _ = writeln!(out, "{key}: []");
        return;
    }
    let _ = writeln!(out, "{key}:");
    for lines in entries {
        for (n, line) in lines.iter().enumerate() {
            let _ = writeln!(out, "  {} {line}", if n == 0 { "-" } else { " " });
        }
    }
}

fn text<'n>(node: &'n Node, key: &str) -> Option<&'n str> {
    node.get(key).and_then(Node::text)
}

fn items<'n>(node: &'n Node, key: &str) -> &'n [Node] {
    match node.get(key).map(|node| &node.value) {
        Some(Value::Seq(items)) => items,
        _ => &[],
    }
}

fn is_empty(node: &Node) -> bool {
    match &node.value {
        Value::Null => true,
        Value::Seq(items) => items.is_empty(),
        Value::Map(entries) => entries.is_empty(),
        Value::Scalar { text, .. } => text.is_empty(),
    }
}

fn name(node: &Node) -> String {
    text(node, "name").filter(|name| !name.trim().is_empty()).unwrap_or("an activity without a name").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::experiment::read::read;

    const WHOLE: &str = include_str!("../../../tests/fixtures/experiments/chaos-toolkit.json");

    #[test]
    fn process_and_http_are_taken_and_the_file_waits_for_a_person() {
        let got = import("e.json", WHOLE);
        assert_eq!(got.findings, vec![]);
        assert_eq!(got.id, "what-happens-when-the-cache-is-half-gone");
        let rejected: Vec<String> = got.rejected.iter().map(|r| format!("{}: {}", r.name, r.why)).collect();
        for want in [
            "controls: is not taken",
            "secrets: is not taken",
            "pods-in-phase: the Python provider `chaosk8s.pod.probes` is not taken",
            "deep-json: a tolerance of the kind `jsonpath` is not taken",
            "drain: the Python provider `chaosk8s.node.actions` is not taken",
            "just-looking: is a probe that is held against nothing",
            "token-call: header `Authorization`",
            "from-env: `${REGION}` has no plain value in `configuration`",
        ] {
            assert!(rejected.iter().any(|r| r.starts_with(want)), "{want}: {rejected:#?}");
        }
        let (none, findings) = read("e.yaml", &got.yaml);
        assert!(none.is_none());
        let told: Vec<&str> = findings.iter().map(|f| f.message.as_str()).collect();
        assert_eq!(
            told,
            ["blast_radius has no `environment`", "`abort` is empty; the experiment cannot be run without it"],
            "{}",
            got.yaml
        );
        // Filled, it is an experiment.
        let filled = got
            .yaml
            .replace("environment:  ", "environment: staging #")
            .replace("abort: []", "abort: [{promql: up, op: '<', value: 1}]");
        let (experiment, findings) = read("e.yaml", &filled);
        assert_eq!(findings, vec![], "{filled}");
        let experiment = experiment.unwrap();
        assert_eq!(experiment.steady.len(), 6, "{filled}");
        let looks: Vec<String> = experiment.steady.iter().map(|w| w.what.words()).collect();
        for want in [
            "GET http://127.0.0.1:8080/health",
            "/usr/bin/redis-cli -h cache ping matches /PONG/",
            "/bin/load-average --minutes 1 between 0 and 4",
            "df -h /var between 10 and 90",
        ] {
            assert!(looks.iter().any(|l| l == want), "{want}: {looks:#?}");
        }
        let deeds: Vec<String> = experiment.deeds().map(|d| d.line()).collect();
        assert_eq!(deeds[0], "/usr/local/bin/scale redis --replicas 1");
        assert_eq!(deeds[1], "POST http://127.0.0.1:8474/proxies/redis/toxics with {\"type\":\"latency\"}");
        assert_eq!(experiment.method[0].after, crate::domain::time::secs(10));
        assert_eq!(experiment.rollback.len(), 2);
    }

    #[test]
    fn what_is_none_says_so() {
        for (text, want) in [
            ("{\"a\": 1}", "this is no experiment of Chaos Toolkit"),
            ("[1, 2]", "this is no experiment of Chaos Toolkit"),
            ("", "this is no experiment of Chaos Toolkit"),
            ("{\"method\": [", "not valid YAML"),
        ] {
            let got = import("e.json", text);
            assert!(got.findings.iter().any(|f| f.message.contains(want)), "{text}: {:?}", got.findings);
            assert_eq!(got.yaml, "");
        }
        let hostile = import(
            "e.json",
            "{\"title\": \"a\\nkind: Runbook\\n# \\u001b[2J\", \"method\": [{\"name\": \"x\\n- y\", \"provider\": {\"type\": \"process\", \"path\": \"ls\"}}]}",
        );
        let (_, findings) = read("e.yaml", &hostile.yaml);
        assert!(!hostile.yaml.contains('\u{1b}') && !hostile.yaml.contains("\nkind: Runbook"), "{}", hostile.yaml);
        assert!(findings.iter().all(|f| f.rule != "yaml"), "{findings:?}");
    }
}

//! `midwatch check`: everything wrong in every file at once. Each kind of file has one arm in `Examined::add`; what is
//! wrong is decided by the reader of that kind, never here.

mod online;
mod rules;
mod summary;

use crate::cli::alerting_rules;
use crate::cli::args::CheckArgs;
use crate::cli::check::online::Online;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::files::{about, expand, is_yaml, read_text};
use crate::cli::output::Output;
use crate::cli::runbook::around::Around;
use crate::config::{Auth, Connection, Environment, Flags, HeaderValue, Inputs, SecretRef, Template, file};
use crate::domain::document::{Finding, Level, Node, Value, parse, parse_all};
use crate::domain::drill::script;
use crate::domain::fault::Fault;
use crate::domain::runbook::lint::{Facts, lint_knowing};
use crate::domain::runbook::markdown::is_markdown;
use crate::domain::runbook::model::Runbook;
use crate::domain::severity::SeverityTable;
use crate::domain::slo::catalogue::Catalogue;
use crate::domain::slo::format;
use crate::domain::slo::lint::lint_all;
use crate::domain::slo::objective::Objective;
use crate::io::files::presence::missing_beside;
use crate::run::drill::shelf;
use crate::run::experiment::shelf as experiment;
use serde_json::{Map, Value as Json, json};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Kinds of files, recognised by what they hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `config.yaml`
    Config,
    /// Objectives in any of the formats.
    Slo,
    /// A runbook in either dialect.
    Runbook,
    /// The severity table.
    Severity,
    /// A drill's scenario.
    Scenario,
    /// A chaos experiment.
    Experiment,
    /// A game day's run sheet.
    GameDay,
    /// A script of acts that plays a drill.
    Script,
}

/// Prints findings, one per line, and a summary; or `{"files", "findings"}`. Exit 1 when any finding is an error. With
/// `--online` the servers are asked too, and the document says `"online": true` with `partial` and `faults`; exit 3 when one
/// of them could not be asked. With `--rules` the table of rules is all that is printed.
pub fn run(context: &Context, args: &CheckArgs, output: &mut Output) -> Result<Exit, Failure> {
    if args.rules {
        return rules::print(output);
    }
    let examined = if args.paths.is_empty() { configured(context) } else { named(&args.paths) };
    let (catalogue, found) = format::read_all(&examined.objectives);
    let mut online = args.online.then(|| Online::ask(context.config(), &catalogue.objectives)).transpose()?;
    let around = around(context, args, &examined, (&catalogue, &found), &mut online)?;
    let files = examined.files;
    let findings = examined.findings(found, &catalogue, &around, online.as_ref());
    let fields = online.as_ref().map(|online| asked(online.faults())).unwrap_or_default();
    let exit = print(files, &findings, (fields, &online.as_ref().map(Online::notes).unwrap_or_default()), output)?;
    Ok(if online.is_some_and(|online| online.is_partial()) { Exit::PARTIAL } else { exit })
}

/// What is known around the runbooks: of the configured ones what the configuration and the history of drills say, of all
/// what the servers say, when they are asked.
fn around(
    context: &Context,
    args: &CheckArgs,
    examined: &Examined,
    (catalogue, found): (&Catalogue, &[Finding]),
    online: &mut Option<Online>,
) -> Result<Around, Failure> {
    let mut around = Around::default();
    if args.paths.is_empty() {
        around = Around::configured(context);
        let whole = !examined.objectives.is_empty() && found.iter().all(|f| f.level != Level::Error);
        let ids = || catalogue.objectives.iter().map(|objective| objective.id.clone()).collect();
        around.facts.slos = whole.then(|| Arc::new(ids()));
    }
    if let Some(online) = online
        && !examined.runbooks.is_empty()
    {
        around.ask(context)?;
        online.miss(&around.faults);
    }
    Ok(around)
}

/// `online`, `partial` and `faults` of a document for which servers were asked.
pub fn asked(faults: &[(String, Fault)]) -> Map<String, Json> {
    Map::from_iter([
        ("online".to_owned(), json!(true)),
        ("partial".to_owned(), json!(!faults.is_empty())),
        ("faults".to_owned(), Json::Array(alerting_rules::document(faults))),
    ])
}

/// Prints what was found in so many files, with more fields of the document and more notes for people. Shared with
/// `runbook lint`.
pub fn print(
    files: usize,
    findings: &[Finding],
    (fields, notes): (Map<String, Json>, &[String]),
    output: &mut Output,
) -> Result<Exit, Failure> {
    let count = |level| findings.iter().filter(|f| f.level == level).count();
    let (errors, warnings) = (count(Level::Error), count(Level::Warning));
    if output.is_json() {
        let mut document = json!({"files": files, "findings": findings});
        if let Some(document) = document.as_object_mut() {
            document.extend(fields);
        }
        output.json(&document)?;
    } else {
        output.findings(&summary::brief(findings))?;
        let word = |n: usize, one: &str| if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") };
        let counts = [word(files, "file"), word(errors, "error"), word(warnings, "warning")];
        output.line(&counts.join(", "))?;
        notes.iter().for_each(|note| output.note(note));
    }
    Ok(if errors > 0 { Exit::NO } else { Exit::DONE })
}

fn configured(context: &Context) -> Examined {
    let mut examined = Examined {
        before: context.all_findings(),
        files: usize::from(context.configured) + usize::from(context.config().severities.is_some()),
        ..Examined::default()
    };
    examined.before.extend(references(context));
    let files = [
        (Kind::Slo, context.slo_files()),
        (Kind::Runbook, context.runbook_files()),
        (Kind::Scenario, context.scenario_files()),
        (Kind::Experiment, context.experiment_files()),
    ];
    for (kind, (paths, missing)) in files {
        examined.before.extend(missing);
        for path in paths {
            examined.add(&path, Some(kind), true);
        }
    }
    examined
}

fn named(paths: &[PathBuf]) -> Examined {
    let mut examined = Examined::default();
    for path in paths {
        if path.is_dir() {
            for file in expand(&path.to_string_lossy(), is_yaml) {
                examined.add(&file, None, false);
            }
        } else {
            examined.add(path, None, true);
        }
    }
    examined
}

/// Files as they are taken in. Objectives and runbooks are kept until all are there, because they speak of each other.
#[derive(Default)]
struct Examined {
    /// What was found before the files.
    before: Vec<Finding>,
    files: usize,
    paths: Vec<String>,
    findings: Vec<Finding>,
    objectives: Vec<(String, String)>,
    runbooks: Vec<Arc<Runbook>>,
}

impl Examined {
    /// A file of unknown kind is an error when someone named it, and a remark when it merely lay in a folder.
    fn add(&mut self, path: &Path, expected: Option<Kind>, meant: bool) {
        let name = path.to_string_lossy().into_owned();
        self.paths.push(name.clone());
        self.files += 1;
        let text = match read_text(path) {
            Ok(text) => text,
            Err(finding) => return self.findings.push(finding),
        };
        match kind_named(path, &text).or(expected) {
            Some(Kind::Slo) => self.objectives.push((name, text)),
            // What lies beside scenarios belongs to them, and is no runbook of the team's library.
            Some(Kind::Runbook) if expected == Some(Kind::Scenario) => {
                let (runbook, findings) = crate::domain::runbook::format::read(&name, &text);
                self.findings.extend(findings);
                self.findings.extend(runbook.iter().flat_map(|runbook| judged(runbook, &Facts::default())));
            }
            Some(Kind::Script) => self.findings.extend(script::read(&name, &text).1),
            Some(Kind::Runbook) => {
                let (runbook, findings) = crate::domain::runbook::format::read(&name, &text);
                self.findings.extend(findings);
                self.runbooks.extend(runbook.map(Arc::new));
            }
            Some(Kind::Config) => self.findings.extend(config(path, &text)),
            Some(Kind::Severity) => self.findings.extend(SeverityTable::read(&name, &text).1),
            Some(Kind::Scenario) => self.findings.extend(shelf::of_text(path, &text).1),
            Some(Kind::GameDay) => self.findings.extend(crate::domain::gameday::read::read(&name, &text).1),
            // Whether the objectives that it names are there is asked by `experiment check`.
            Some(Kind::Experiment) => self.findings.extend(experiment::of_text(&name, &text, &Default::default()).1),
            None => {
                let level = if meant { Level::Error } else { Level::Info };
                self.findings.extend(parse(&name, &text).1);
                let message = "cannot tell what this file is (expected a configuration, objectives, a runbook, a scenario, a script of a drill, an experiment, a game day or a severity table)";
                let finding = about(path, level, "unknown-kind", message);
                self.findings.push(Finding { line: 1, column: 1, ..finding });
            }
        }
    }

    /// Everything, file by file, then what is wrong only between runbooks, then with servers. `found` is what hindered
    /// reading the objectives.
    fn findings(
        self,
        found: Vec<Finding>,
        catalogue: &Catalogue,
        around: &Around,
        online: Option<&Online>,
    ) -> Vec<Finding> {
        let mut findings = self.findings;
        findings.extend(found);
        findings.extend(self.runbooks.iter().flat_map(|runbook| judged(runbook, &around.facts)));
        let facts = |objective: &Objective| online.and_then(|online| online.facts(objective));
        findings.extend(lint_all(&catalogue.objectives, &self.objectives, facts));
        // Of a file that is read and judged, both kinds of findings belong together.
        let judged = self.objectives.iter().map(|(path, _)| path).chain(self.runbooks.iter().map(|book| &book.path));
        let judged: HashSet<&String> = judged.collect();
        let places: HashMap<&String, usize> = self.paths.iter().enumerate().rev().map(|(n, path)| (path, n)).collect();
        findings.sort_by_cached_key(|f| {
            let line = if judged.contains(&f.path) { (f.line, f.column) } else { (0, 0) };
            (places.get(&f.path).copied(), line)
        });
        findings.extend(crate::domain::runbook::lint::lint_together(&self.runbooks));
        findings.extend(around.findings.iter().cloned());
        findings.extend(online.map(Online::findings).unwrap_or_default());
        self.before.into_iter().chain(findings).collect()
    }
}

/// What would hurt; without a date and a search path, because of the same files `check` says the same on every day and every
/// machine.
fn judged(runbook: &Runbook, around: &Facts) -> Vec<Finding> {
    lint_knowing(runbook, &Facts { missing_files: Some(missing_beside(runbook)), ..around.clone() })
}

fn config(path: &Path, text: &str) -> Vec<Finding> {
    let name = path.to_string_lossy();
    let inputs = Inputs {
        file: Some((&name, text)),
        folder: path.parent().unwrap_or(Path::new(".")),
        environment: &Environment::new(),
        flags: &Flags::default(),
        machine_zone: None,
    };
    crate::config::read(&inputs).findings
}

/// What a file holds; Markdown is a runbook, whatever its words look like.
fn kind_named(path: &Path, text: &str) -> Option<Kind> {
    if is_markdown(&path.to_string_lossy()) { Some(Kind::Runbook) } else { kind_of(text) }
}

/// What a file holds, from its first-level keys; a file that is not valid YAML is recognised by its lines.
pub fn kind_of(text: &str) -> Option<Kind> {
    if parse_all("", text).0.iter().any(format::knows) {
        return Some(Kind::Slo);
    }
    let root = parse("", text).0;
    let keys: Vec<String> = match root.as_ref().map(|node| &node.value) {
        Some(Value::Map(entries)) => entries.iter().map(|(key, _)| key.text.clone()).collect(),
        Some(Value::Seq(_)) => vec!["apiVersion".to_owned()],
        _ => line_keys(text),
    };
    let has = |name: &str| keys.iter().any(|key| key == name);
    let word = |name: &str| -> String {
        let from_tree = root.as_ref().and_then(|node| node.get(name)).and_then(Node::text).map(str::to_owned);
        from_tree.or_else(|| line_value(text, name)).unwrap_or_default()
    };
    let version = word("apiVersion");
    if has("severity_levels") {
        return Some(Kind::Severity);
    }
    let foreign = ["openslo/", "openslo.com/", "pyrra.dev/", "sre.google.com/", "sloth.slok.dev/"];
    let foreign = foreign.iter().any(|prefix| version.starts_with(prefix));
    if foreign || has("service_level_objectives") || has("slos") && (has("version") || has("service")) {
        return Some(Kind::Slo);
    }
    if word("kind") == "Scenario" || has("injects") {
        return Some(Kind::Scenario);
    }
    if word("kind") == "GameDay" {
        return Some(Kind::GameDay);
    }
    if word("kind") == "Experiment" {
        return Some(Kind::Experiment);
    }
    if has("acts") && !has("apiVersion") {
        return Some(Kind::Script);
    }
    if word("kind") == "Runbook" || has("steps") {
        return Some(Kind::Runbook);
    }
    file::KEYS.iter().any(|key| has(key)).then_some(Kind::Config)
}

fn line_keys(text: &str) -> Vec<String> {
    let key = |line: &str| line.split_once(':').map(|(key, _)| key.to_owned());
    let first_level = |line: &&str| line.starts_with(|c: char| c.is_ascii_alphabetic());
    text.trim_start_matches('\u{feff}').lines().filter(first_level).filter_map(key).collect()
}

fn line_value(text: &str, name: &str) -> Option<String> {
    let value = |line: &str| line.strip_prefix(name)?.strip_prefix(':').map(|v| v.trim().to_owned());
    text.trim_start_matches('\u{feff}').lines().find_map(value)
}

/// Whether what the configuration names is there, and whether others can read secrets.
fn references(context: &Context) -> Vec<Finding> {
    let config = context.config();
    let mut findings = Vec::new();
    let connections: Vec<&Connection> = config
        .prometheus
        .iter()
        .map(|s| &s.connection)
        .chain(config.alertmanager.iter().map(|s| &s.connection))
        .collect();
    for connection in connections {
        let secret = match &connection.auth {
            Auth::None => None,
            Auth::Bearer(secret) | Auth::Basic { password: secret, .. } => Some(secret),
        };
        let headers = connection.headers.iter().filter_map(|(_, value)| match value {
            HeaderValue::Secret(secret) => Some(secret),
            HeaderValue::Plain(_) => None,
        });
        findings.extend(secret.into_iter().chain(headers).filter_map(readable_by_others));
        findings.extend(connection.tls.key_file.as_deref().and_then(|file| exposed(file, Level::Warning)));
        for file in [&connection.tls.ca_file, &connection.tls.cert_file].into_iter().flatten() {
            findings.extend(missing(file));
        }
    }
    if let Some(Template::File(file)) = &config.postmortem_template {
        findings.extend(missing(file));
    }
    findings
}

fn missing(file: &Path) -> Option<Finding> {
    (!file.is_file())
        .then(|| about(file, Level::Warning, "missing-file", "the configuration names it, and it is not there"))
}

fn readable_by_others(secret: &SecretRef) -> Option<Finding> {
    match secret {
        // The source would refuse to use it, so that it is an error here too.
        SecretRef::File(file) => exposed(file, Level::Error),
        SecretRef::Command(_) | SecretRef::Env(_) => None,
    }
}

fn exposed(file: &Path, level: Level) -> Option<Finding> {
    use std::os::unix::fs::MetadataExt;
    let Ok(meta) = std::fs::metadata(file) else { return missing(file) };
    let quoted = shlex::try_quote(&file.to_string_lossy()).map(String::from).unwrap_or_default();
    let message = format!("others can get at this secret. Run: chmod 600 {quoted}");
    (meta.mode() & 0o077 != 0).then(|| about(file, level, "secret-exposed", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_what_they_hold() {
        for (text, want) in [
            (include_str!("../../assets/config.yaml"), Some(Kind::Config)),
            (include_str!("../../assets/slo.yaml"), Some(Kind::Slo)),
            (include_str!("../../assets/runbook.yaml"), Some(Kind::Runbook)),
            (include_str!("../../assets/severity.yaml"), Some(Kind::Severity)),
            (include_str!("../../tests/fixtures/seeds/slo.yaml"), Some(Kind::Slo)),
            (include_str!("../../tests/fixtures/seeds/high-api-latency.yaml"), Some(Kind::Runbook)),
            ("version: prometheus/v1\nservice: a\nslos: []\n", Some(Kind::Slo)),
            ("apiVersion: openslo/v1\nkind: SLO\n---\napiVersion: openslo/v1\nkind: SLI\n", Some(Kind::Slo)),
            ("slos: [\"a.yaml\"]\n", Some(Kind::Config)),
            ("prometheus: [\n", Some(Kind::Config)),
            ("steps: {\n", Some(Kind::Runbook)),
            (include_str!("../../assets/scenarios/pool-exhaustion.yaml"), Some(Kind::Scenario)),
            ("injects: {\n", Some(Kind::Scenario)),
            ("acts:\n  - {at: 1m, ack: true}\n", Some(Kind::Script)),
            (include_str!("../../assets/gameday.yaml"), Some(Kind::GameDay)),
            (include_str!("../../assets/experiments/network-latency.yaml"), Some(Kind::Experiment)),
            ("a: 1\n", None),
            ("", None),
        ] {
            assert_eq!(kind_of(text), want, "{text}");
        }
    }
}

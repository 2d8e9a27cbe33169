//! Everything a command or the cockpit needs to know before it begins: folders, checked settings, the severity table, and
//! what is wrong with them. Reads files and the environment once; never a source.

use crate::cli::args::Global;
use crate::cli::failure::Failure;
use crate::cli::files::{Wanted, about, expand, is_runbook, is_yaml, read_text, unsafe_file};
use crate::cli::folders::Folders;
use crate::cli::output::Output;
use crate::config::{Config, Environment, Inputs, Loaded, Origin, Setting};
use crate::domain::document::{Finding, Level};
use crate::domain::ids::SloId;
use crate::domain::severity::SeverityTable;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What is known before a command begins.
#[derive(Clone, Debug)]
pub struct Context {
    /// Where our files are.
    pub folders: Folders,
    /// Whether there is a configuration file; without one the cockpit opens its first-run screen.
    pub configured: bool,
    /// Settings, origins and what is wrong in the configuration.
    pub loaded: Loaded,
    /// The severity table: the configured one, or the built-in one where that has errors.
    pub severities: SeverityTable,
    /// What is wrong with files beside the text of the configuration: rights, reading, the severity table.
    pub findings: Vec<Finding>,
    /// The environment as it was at the start.
    pub environment: Environment,
    /// The flags that it was loaded with.
    global: Global,
}

/// The environment of this process; what is not UTF-8 is replaced.
pub fn environment() -> Environment {
    std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
        .collect()
}

impl Context {
    /// Loads everything. What is wrong becomes findings, and its default is used; only a machine without any folder fails.
    pub fn load(global: &Global, environment: Environment) -> Result<Self, Failure> {
        let folders = Folders::find(global, &environment)?;
        let zone = iana_time_zone::get_timezone().ok();
        let mut findings = Vec::new();
        let text = config_text(&folders, global.config.is_some(), &mut findings);
        let configured = folders.config_file.exists();
        let name = folders.config_file.to_string_lossy().into_owned();
        let mut loaded = crate::config::read(&Inputs {
            file: text.as_deref().map(|text| (name.as_str(), text)),
            folder: folders.config(),
            environment: &environment,
            flags: &global.flags(),
            machine_zone: zone.as_deref(),
        });
        crate::run::integrations::check(&mut loaded);
        if loaded.origins.get("postmortems") == Origin::Default {
            loaded.config.postmortems = folders.data.join("postmortems");
        }
        let severities = severities(loaded.config.severities.as_deref(), &mut findings);
        Ok(Self { folders, configured, loaded, severities, findings, environment, global: global.clone() })
    }

    /// The same flags and environment on the files as they are now.
    pub fn again(&self) -> Result<Self, Failure> {
        Self::load(&self.global, self.environment.clone())
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        &self.loaded.config
    }

    /// Everything that is wrong, the configuration's own text first.
    pub fn all_findings(&self) -> Vec<Finding> {
        self.loaded.findings.iter().chain(&self.findings).cloned().collect()
    }

    /// The settings if they can be used; warnings go to standard error. For every command that acts on them.
    pub fn ready(&self, output: &mut Output) -> Result<&Config, Failure> {
        let findings = self.all_findings();
        if findings.iter().any(|f| f.level == Level::Error) {
            return Err(Failure::Config(findings));
        }
        output.notes(&findings);
        Ok(self.config())
    }

    /// The SLO files that the settings name, and a warning for each pattern that names none.
    pub fn slo_files(&self) -> (Vec<PathBuf>, Vec<Finding>) {
        self.named_files("slos", &self.config().slos, is_yaml)
    }

    /// The objectives of the SLO files; `None` when the settings name none.
    pub fn slo_ids(&self) -> Option<BTreeSet<SloId>> {
        let files = Some(self.slo_files().0).filter(|files| !files.is_empty())?;
        let texts = files.iter().filter_map(|path| Some((path.to_string_lossy().into_owned(), read_text(path).ok()?)));
        let catalogue = crate::domain::slo::format::read_all(&texts.collect::<Vec<_>>()).0;
        Some(catalogue.objectives.into_iter().map(|objective| objective.id).collect())
    }

    /// The runbook files that the settings name, and a warning for each pattern that names none.
    pub fn runbook_files(&self) -> (Vec<PathBuf>, Vec<Finding>) {
        self.named_files("runbooks", &self.config().runbooks, is_runbook)
    }

    /// The scenario files that the settings name, and a warning for each pattern that names none.
    pub fn scenario_files(&self) -> (Vec<PathBuf>, Vec<Finding>) {
        self.named_files("scenarios", &self.config().scenarios, is_yaml)
    }

    /// The experiment files that the settings name, and a warning for each pattern that names none.
    pub fn experiment_files(&self) -> (Vec<PathBuf>, Vec<Finding>) {
        self.named_files("experiments", &self.config().experiments, is_yaml)
    }

    /// Every setting with its origin, the data folder included.
    pub fn settings(&self) -> Vec<Setting> {
        self.loaded.settings()
    }

    fn named_files(&self, key: &str, patterns: &[String], wanted: Wanted) -> (Vec<PathBuf>, Vec<Finding>) {
        let (mut files, mut findings) = (Vec::new(), Vec::new());
        for (i, pattern) in patterns.iter().enumerate() {
            let found = expand(pattern, wanted);
            if found.is_empty() {
                let mut finding = about(
                    &self.folders.config_file,
                    Level::Warning,
                    "no-match",
                    format!("{key}: no file is named by {pattern}"),
                );
                if let Origin::File { mark, .. } = self.loaded.origins.get(&format!("{key}[{i}]")) {
                    (finding.line, finding.column) = (mark.line, mark.column);
                }
                findings.push(finding);
            }
            for file in found {
                if !files.contains(&file) {
                    files.push(file);
                }
            }
        }
        (files, findings)
    }
}

/// The text of the configuration, if it is there and may be trusted.
fn config_text(folders: &Folders, by_flag: bool, findings: &mut Vec<Finding>) -> Option<String> {
    let path = &folders.config_file;
    if std::fs::symlink_metadata(path).is_err_and(|e| e.kind() == std::io::ErrorKind::NotFound) {
        let message = "there is no such file; `midwatch init` writes one";
        if by_flag {
            findings.push(about(path, Level::Error, "missing-file", message));
        } else if folders.config_named {
            findings.push(about(path, Level::Warning, "missing-file", format!("MIDWATCH_CONFIG: {message}")));
        }
        return None;
    }
    if let Some(finding) = unsafe_file(path) {
        let refused = finding.level == Level::Error;
        findings.push(finding);
        if refused {
            return None;
        }
    }
    read_text(path).map_err(|finding| findings.push(finding)).ok()
}

fn severities(path: Option<&Path>, findings: &mut Vec<Finding>) -> SeverityTable {
    let Some(path) = path else { return SeverityTable::defaults() };
    let text = match read_text(path) {
        Ok(text) => text,
        Err(finding) => {
            findings.push(finding);
            return SeverityTable::defaults();
        }
    };
    let (table, found) = SeverityTable::read(&path.to_string_lossy(), &text);
    let broken = table.levels.is_empty() || found.iter().any(|f| f.level == Level::Error);
    findings.extend(found);
    if broken { SeverityTable::defaults() } else { table }
}

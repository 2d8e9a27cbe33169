//! Scenarios where they are: the shipped ones, which are compiled in with their runbooks, and files of people with what
//! lies beside them. Reads files; judges with the readers and the lint of the domain.

use crate::domain::document::{Finding, Level};
use crate::domain::drill::scenario::Scenario;
use crate::domain::drill::scenario::lint::{Facts, lint};
use crate::domain::drill::scenario::read::{fill, read};
use crate::domain::fault::Fault;
use crate::domain::runbook::format;
use crate::domain::runbook::model::Runbook;
use crate::io::files::read::read_text;
use crate::run::world::RunbookText;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The largest scenario, and the largest file beside it.
const LIMIT: u64 = 1 << 20;

/// A scenario with what belongs to it.
#[derive(Clone, Debug)]
pub struct Shelved {
    /// The scenario, its files put in.
    pub scenario: Arc<Scenario>,
    /// Its runbooks; empty where it names none.
    pub runbooks: Vec<RunbookText>,
    /// It is compiled in.
    pub shipped: bool,
}

/// Names and texts of the shipped scenarios, the easy ones first.
const SHIPPED: [(&str, &str); 6] = [
    ("scenarios/bad-deploy.yaml", include_str!("../../../assets/scenarios/bad-deploy.yaml")),
    ("scenarios/pool-exhaustion.yaml", include_str!("../../../assets/scenarios/pool-exhaustion.yaml")),
    ("scenarios/certificate-expiry.yaml", include_str!("../../../assets/scenarios/certificate-expiry.yaml")),
    ("scenarios/dependency-brownout.yaml", include_str!("../../../assets/scenarios/dependency-brownout.yaml")),
    ("scenarios/alert-storm.yaml", include_str!("../../../assets/scenarios/alert-storm.yaml")),
    ("scenarios/monitoring-down.yaml", include_str!("../../../assets/scenarios/monitoring-down.yaml")),
];

/// Names and texts of their runbooks.
const RUNBOOKS: [(&str, &str); 6] = [
    ("runbooks/bad-deploy.yaml", include_str!("../../../assets/scenarios/runbooks/bad-deploy.yaml")),
    ("runbooks/pool-exhaustion.yaml", include_str!("../../../assets/scenarios/runbooks/pool-exhaustion.yaml")),
    ("runbooks/certificate-expiry.yaml", include_str!("../../../assets/scenarios/runbooks/certificate-expiry.yaml")),
    ("runbooks/dependency-brownout.yaml", include_str!("../../../assets/scenarios/runbooks/dependency-brownout.yaml")),
    ("runbooks/alert-storm.yaml", include_str!("../../../assets/scenarios/runbooks/alert-storm.yaml")),
    ("runbooks/monitoring-down.yaml", include_str!("../../../assets/scenarios/runbooks/monitoring-down.yaml")),
];

/// The shipped scenarios, and what is wrong with any: nothing, says a test.
pub fn shipped() -> (Vec<Shelved>, Vec<Finding>) {
    let (mut all, mut findings) = (Vec::new(), Vec::new());
    for (path, text) in SHIPPED {
        let (scenario, found) = read(path, text);
        findings.extend(found);
        let Some(mut scenario) = scenario else { continue };
        findings.extend(fill(&mut scenario, &BTreeMap::new()));
        let named = |name: &str| RUNBOOKS.iter().find(|(known, _)| *known == name);
        let runbooks: Vec<RunbookText> = scenario
            .runbooks
            .iter()
            .filter_map(|n| named(&n.name))
            .map(|(name, text)| RunbookText::BuiltIn(name, text))
            .collect();
        findings.extend(lint(&scenario, &Facts { runbooks: Some(&books(&runbooks)) }));
        all.push(Shelved { scenario: Arc::new(scenario), runbooks, shipped: true });
    }
    (all, findings)
}

/// A scenario of a file; `None` where it cannot be played. `Err`: the file itself cannot be read.
pub fn load(path: &Path) -> Result<(Option<Shelved>, Vec<Finding>), Fault> {
    let text = read_text(path, LIMIT)?;
    Ok(of_text(path, &text))
}

/// The same of a text that stands at a path.
pub fn of_text(path: &Path, text: &str) -> (Option<Shelved>, Vec<Finding>) {
    let (scenario, mut findings) = read(&path.to_string_lossy(), text);
    let Some(mut scenario) = scenario else { return (None, findings) };
    let folder = path.parent().unwrap_or(Path::new("."));
    let beside = |name: &str| -> Option<Result<String, String>> {
        let path = folder.join(name);
        path.exists().then(|| read_text(&path, LIMIT).map_err(|fault| fault.detail))
    };
    let texts: BTreeMap<String, Result<String, String>> =
        scenario.files().into_iter().filter_map(|name| Some((name.clone(), beside(&name)?))).collect();
    findings.extend(fill(&mut scenario, &texts));
    let mut runbooks = Vec::new();
    for named in &scenario.runbooks {
        let file = folder.join(&named.name);
        if file.is_file() {
            runbooks.push(RunbookText::File(file));
        } else {
            findings.push(Finding {
                path: scenario.path.clone(),
                line: named.mark.line,
                column: named.mark.column,
                rule: "missing-file".into(),
                level: Level::Error,
                message: format!("the runbook `{}` is not there, looked for beside the scenario", named.name),
            });
        }
    }
    let library = books(&runbooks);
    let known = !scenario.runbooks.is_empty();
    findings.extend(lint(&scenario, &Facts { runbooks: known.then_some(library.as_slice()) }));
    findings.sort_by_key(|f| (f.line, f.column));
    (Some(Shelved { scenario: Arc::new(scenario), runbooks, shipped: false }), findings)
}

/// The runbooks as values; one that cannot be read is left out.
pub fn books(texts: &[RunbookText]) -> Vec<Arc<Runbook>> {
    let read = |text: &RunbookText| match text {
        RunbookText::BuiltIn(name, content) => format::read(name, content).0,
        RunbookText::File(path) => {
            read_text(path, LIMIT).ok().and_then(|text| format::read(&path.to_string_lossy(), &text).0)
        }
    };
    texts.iter().filter_map(read).map(Arc::new).collect()
}

//! Experiments where they are: the two examples, which are compiled in, and files of people. Reads files; judges with the reader
//! and the lint of the domain.

use crate::domain::document::{Finding, Level};
use crate::domain::experiment::lint::{Facts, lint};
use crate::domain::experiment::model::Experiment;
use crate::domain::experiment::read::read;
use crate::domain::fault::Fault;
use crate::io::files::read::read_text;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The largest file.
const LIMIT: u64 = 1 << 20;

/// An experiment and where it comes from.
#[derive(Clone, Debug)]
pub struct Shelved {
    /// The experiment.
    pub experiment: Arc<Experiment>,
    /// It is one of the examples, to be copied and made one's own.
    pub shipped: bool,
}

const SHIPPED: [(&str, &str); 2] = [
    ("experiments/network-latency.yaml", include_str!("../../../assets/experiments/network-latency.yaml")),
    ("experiments/instance-failure.yaml", include_str!("../../../assets/experiments/instance-failure.yaml")),
];

/// The examples, and what is wrong with any: nothing, says a test.
pub fn shipped() -> (Vec<Shelved>, Vec<Finding>) {
    let (mut all, mut findings) = (Vec::new(), Vec::new());
    for (path, text) in SHIPPED {
        let (experiment, found) = of_text(path, text, &Facts::default());
        findings.extend(found);
        all.extend(experiment.map(|experiment| Shelved { experiment: Arc::new(experiment), shipped: true }));
    }
    (all, findings)
}

/// An experiment of a file; `None` where it cannot be run. `Err`: the file itself cannot be read.
pub fn load(path: &Path, facts: &Facts<'_>) -> Result<(Option<Shelved>, Vec<Finding>), Fault> {
    let text = read_text(path, LIMIT)?;
    // A command runs in the file's own folder, wherever the program was started.
    let path: PathBuf = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let (experiment, findings) = of_text(&path.to_string_lossy(), &text, facts);
    Ok((experiment.map(|experiment| Shelved { experiment: Arc::new(experiment), shipped: false }), findings))
}

/// The same of a text that stands at a path.
pub fn of_text(path: &str, text: &str, facts: &Facts<'_>) -> (Option<Experiment>, Vec<Finding>) {
    let (experiment, mut findings) = read(path, text);
    if let Some(experiment) = &experiment {
        findings.extend(lint(experiment, facts));
        findings.sort_by_key(|f| (f.line, f.column));
    }
    let bad = findings.iter().any(|f| f.level == Level::Error);
    (experiment.filter(|_| !bad), findings)
}

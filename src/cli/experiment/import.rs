//! `midwatch experiment import`: experiments of Chaos Toolkit become files of ours for a person to complete. One bad file never
//! stops the others, and a file that is there is never touched.

use crate::cli::context::Context;
use crate::cli::desk::writable;
use crate::cli::failure::{Exit, Failure};
use crate::cli::files::read_text;
use crate::cli::output::{Output, Table};
use crate::domain::document::{Finding, Level};
use crate::domain::experiment::chaos_toolkit::{Imported, import};
use crate::io::files::atomic::write_new;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Prints one row per file; `{"files": [{"path", "experiment", "written", "taken", "rejected", "findings"}]}`. Exit 1 when a file
/// gave nothing.
pub fn run(context: &Context, files: &[PathBuf], to: &Path, output: &mut Output) -> Result<Exit, Failure> {
    writable(context.config())?;
    std::fs::create_dir_all(to).map_err(|e| Failure::Refused(format!("{}: cannot be made: {e}", to.display())))?;
    let all: Vec<(PathBuf, Imported, Option<PathBuf>)> = files.iter().map(|file| one(file, to)).collect();
    if output.is_json() {
        let rows: Vec<Value> = all.iter().map(|(path, it, written)| object(path, it, written.as_deref())).collect();
        output.json(&json!({"files": rows}))?;
    } else {
        let mut table = Table::new(&["FILE", "EXPERIMENT", ">TAKEN", ">NOT TAKEN", "WRITTEN"]);
        for (path, it, written) in &all {
            table.row([
                path.to_string_lossy().into_owned(),
                if it.id.is_empty() { "-".to_owned() } else { it.id.clone() },
                it.taken.len().to_string(),
                it.rejected.len().to_string(),
                written.as_ref().map_or_else(|| "-".to_owned(), |file| file.to_string_lossy().into_owned()),
            ]);
        }
        output.table(&table)?;
    }
    for (path, it, _) in &all {
        output.notes(&it.findings);
        for no in &it.rejected {
            output.note(&format!("{}:{}: not taken: {}: {}", path.display(), no.line, no.name, no.why));
        }
    }
    if all.iter().any(|(.., written)| written.is_some()) {
        output.note("read each file; it does not run before somebody filled where it runs and what ends it");
    }
    Ok(if all.iter().all(|(.., written)| written.is_some()) { Exit::DONE } else { Exit::NO })
}

fn one(path: &Path, to: &Path) -> (PathBuf, Imported, Option<PathBuf>) {
    let text = match read_text(path) {
        Ok(text) => text,
        Err(finding) => {
            let it = Imported { findings: vec![finding], ..Imported::default() };
            return (path.to_owned(), it, None);
        }
    };
    let mut it = import(&path.to_string_lossy(), &text);
    if it.yaml.is_empty() {
        return (path.to_owned(), it, None);
    }
    let file = to.join(format!("{}.yaml", it.id));
    let problem = match write_new(&file, it.yaml.as_bytes(), 0o600) {
        Ok(true) => return (path.to_owned(), it, Some(file)),
        Ok(false) => format!("{} is there already and is not overwritten", file.display()),
        Err(fault) => fault.to_string(),
    };
    it.findings.push(Finding {
        path: path.to_string_lossy().into_owned(),
        line: 0,
        column: 0,
        rule: "unwritable".to_owned(),
        level: Level::Error,
        message: problem,
    });
    (path.to_owned(), it, None)
}

fn object(path: &Path, it: &Imported, written: Option<&Path>) -> Value {
    let rejected: Vec<Value> =
        it.rejected.iter().map(|no| json!({"name": no.name, "why": no.why, "line": no.line})).collect();
    json!({
        "path": path.to_string_lossy(),
        "experiment": it.id,
        "written": written.map(|file| file.to_string_lossy().into_owned()),
        "taken": it.taken,
        "rejected": rejected,
        "findings": it.findings,
    })
}

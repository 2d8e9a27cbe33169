//! `midwatch runbook import`: pages of Markdown become files of format v1 in a folder, with a report on each page. One bad
//! page never stops the others, and a file that is there is never touched.

use crate::cli::context::Context;
use crate::cli::desk::writable;
use crate::cli::failure::{Exit, Failure};
use crate::cli::files::{about, expand, is_page, read_text};
use crate::cli::output::{Output, Table};
use crate::domain::document::{Finding, Level};
use crate::domain::runbook::format;
use crate::domain::runbook::lint::lint;
use crate::domain::runbook::markdown::write::{Written, write};
use crate::domain::runbook::markdown::{Page, Rejected, is_markdown, read};
use crate::io::files::atomic::write_new;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// What became of a page.
struct Imported {
    path: PathBuf,
    /// A person named this very file.
    named: bool,
    page: Page,
    written: Written,
    /// The new file.
    file: Option<PathBuf>,
    warnings: Vec<Finding>,
}

/// One row per page; `{"files": [{"path", "runbook", "written", "steps", "commands", "rejected", "inputs", "warnings"}]}`.
/// Exit 1 when nothing was written, or a page that was named gave nothing.
pub fn run(context: &Context, paths: &[PathBuf], to: &Path, output: &mut Output) -> Result<Exit, Failure> {
    writable(context.config())?;
    std::fs::create_dir_all(to).map_err(|e| Failure::Refused(format!("{}: cannot be made: {e}", to.display())))?;
    let mut all: Vec<Imported> = Vec::new();
    for path in paths {
        if path.is_dir() {
            let pages = expand(&path.to_string_lossy(), is_page);
            if pages.is_empty() {
                output.note(&format!("{}: there is no page of Markdown in it", path.display()));
            }
            all.extend(pages.into_iter().map(|page| one(page, false, to)));
        } else {
            all.push(one(path.clone(), true, to));
        }
    }
    tell(&all, to, output)?;
    let written = all.iter().filter(|it| it.file.is_some()).count();
    let failed = written == 0 || all.iter().any(|it| it.named && it.file.is_none());
    Ok(if failed { Exit::NO } else { Exit::DONE })
}

fn one(path: PathBuf, named: bool, to: &Path) -> Imported {
    let mut it =
        Imported { page: Page::default(), written: Written::default(), file: None, warnings: Vec::new(), path, named };
    if !is_markdown(&it.path.to_string_lossy()) {
        let message = "is no page of Markdown by its name (expected NAME.md)";
        it.warnings.push(about(&it.path, Level::Error, "not-markdown", message));
        return it;
    }
    let text = match read_text(&it.path) {
        Ok(text) => text,
        Err(finding) => {
            it.warnings.push(finding);
            return it;
        }
    };
    it.page = read(&it.path.to_string_lossy(), &text);
    it.warnings.clone_from(&it.page.warnings);
    let (Some(written), Some(book)) = (write(&it.page), &it.page.runbook) else { return it };
    it.written = written;
    let file = to.join(format!("{}.yaml", book.id));
    match write_new(&file, it.written.yaml.as_bytes(), 0o600) {
        Ok(true) => {
            it.warnings.extend(left(&file, &it.written.yaml));
            it.file = Some(file);
        }
        Ok(false) => {
            let message =
                format!("{} is there already and is not overwritten; the page was not imported", file.display());
            it.warnings.push(about(&it.path, Level::Error, "exists", message));
        }
        Err(fault) => it.warnings.push(about(&it.path, Level::Error, "unwritable", fault.to_string())),
    }
    it
}

/// The errors in the new file: what a person must fill before it can be trusted.
fn left(file: &Path, yaml: &str) -> Vec<Finding> {
    let (book, mut findings) = format::read(&file.to_string_lossy(), yaml);
    findings.extend(book.iter().flat_map(|book| lint(book, None)));
    findings.retain(|f| f.level == Level::Error);
    findings
}

fn tell(all: &[Imported], to: &Path, output: &mut Output) -> Result<(), Failure> {
    if output.is_json() {
        return output.json(&json!({"files": all.iter().map(object).collect::<Vec<Value>>()}));
    }
    let mut table = Table::new(&["PAGE", "RUNBOOK", ">STEPS", ">COMMANDS", ">REJECTED", ">INPUTS"]);
    for it in all {
        let book = it.page.runbook.as_ref();
        table.row([
            it.path.to_string_lossy().into_owned(),
            it.file.as_ref().and(book).map_or("-".to_owned(), |b| b.id.0.clone()),
            book.map_or(0, |b| b.steps.len()).to_string(),
            it.written.commands.len().to_string(),
            rejected(it).count().to_string(),
            book.map_or(0, |b| b.inputs.len()).to_string(),
        ]);
    }
    if !table.is_empty() {
        output.table(&table)?;
    }
    for it in all {
        output.notes(&it.warnings);
        for no in rejected(it) {
            output.note(&format!(
                "{}:{}: not taken for a command: {} ({})",
                it.path.display(),
                no.mark.line,
                no.text,
                no.why
            ));
        }
    }
    let written = all.iter().filter(|it| it.file.is_some()).count();
    output.note(&format!(
        "{written} of {} pages were written to {}; every command has the risk `unknown`: read each file, then run `midwatch runbook lint {}`",
        all.len(),
        to.display(),
        to.display()
    ));
    Ok(())
}

/// What was refused on the page, and what could not be written.
fn rejected(it: &Imported) -> impl Iterator<Item = &Rejected> {
    it.page.rejected.iter().chain(&it.written.left_out)
}

fn object(it: &Imported) -> Value {
    let book = it.page.runbook.as_ref();
    let commands: Vec<Value> =
        it.written.commands.iter().map(|text| json!({"text": text, "risk": "unknown"})).collect();
    let rejected: Vec<Value> =
        rejected(it).map(|no| json!({"text": no.text, "why": no.why, "line": no.mark.line})).collect();
    let inputs: Vec<&str> = book.iter().flat_map(|b| b.inputs.iter().map(|i| i.name.as_str())).collect();
    json!({
        "path": it.path.to_string_lossy(),
        "runbook": book.map(|b| b.id.as_str()),
        "written": it.file.as_ref().map(|f| f.to_string_lossy().into_owned()),
        "steps": book.map_or(0, |b| b.steps.len()),
        "commands": commands,
        "rejected": rejected,
        "inputs": inputs,
        "warnings": it.warnings,
    })
}

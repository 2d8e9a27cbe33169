//! `midwatch runbook convert`: a file in the plain form, written anew as `midwatch/v1` for a person to finish. Never
//! overwrites, never touches the old file, and puts nothing in force that the old file did not say.

use crate::cli::context::Context;
use crate::cli::desk::writable;
use crate::cli::failure::{Exit, Failure};
use crate::cli::files::read_text;
use crate::cli::output::Output;
use crate::domain::document::{Finding, Level};
use crate::domain::runbook::convert::{Converted, convert};
use crate::domain::runbook::format::read;
use crate::domain::runbook::lint::lint;
use crate::domain::runbook::model::Dialect;
use crate::io::files::atomic::write_new;
use serde_json::json;
use std::path::Path;

/// Prints the new file, or writes it to `to`; what a person must fill in goes to standard error. With JSON output:
/// `{"path", "to", "runbook", "commands", "blanks": […], "findings": […], "text"}`, where `text` is null when it was written
/// and `findings` are those of the new file.
pub fn run(context: &Context, from: &Path, to: Option<&Path>, output: &mut Output) -> Result<Exit, Failure> {
    if to.is_some() {
        writable(context.config())?;
    }
    let name = from.to_string_lossy();
    let source = read_text(from).map_err(|f| Failure::Refused(format!("{}: {}", f.path, f.message)))?;
    let (book, findings) = read(&name, &source);
    let Some(book) = book else { return Err(Failure::Config(findings)) };
    match book.dialect {
        Dialect::Seed => {}
        Dialect::V1 => return Err(Failure::Refused(format!("{name} is midwatch/v1 already; nothing was written"))),
        Dialect::Markdown => {
            let why = format!("{name} is a page of prose (use midwatch runbook import); nothing was written");
            return Err(Failure::Refused(why));
        }
    }
    let errors: Vec<Finding> = findings.into_iter().filter(|f| f.level == Level::Error).collect();
    if !errors.is_empty() {
        // What was not understood would be missing from the new file without a word.
        output.notes(&errors);
        return Err(Failure::Refused(format!("{name} has errors; mend them first, nothing was written")));
    }
    let converted = convert(&book, &source);
    let target = to.map_or_else(|| name.to_string(), |to| to.to_string_lossy().into_owned());
    let remaining = judged(&target, &converted.text);
    if let Some(to) = to {
        let new =
            write_new(to, converted.text.as_bytes(), 0o644).map_err(|fault| Failure::Refused(fault.to_string()))?;
        if !new {
            return Err(Failure::Refused(format!("{} is already there; nothing was written", to.display())));
        }
    }
    if output.is_json() {
        let text = to.is_none().then_some(&converted.text);
        output.json(&json!({"path": name, "to": to.map(|to| to.to_string_lossy()), "runbook": book.id,
            "commands": book.commands().count(), "blanks": converted.blanks, "findings": remaining, "text": text}))?;
        return Ok(Exit::DONE);
    }
    match to {
        Some(to) => output.line(&format!("wrote {}", to.display()))?,
        None => output.verbatim(&converted.text)?,
    }
    tell(&converted, &remaining, output);
    Ok(Exit::DONE)
}

fn judged(name: &str, text: &str) -> Vec<Finding> {
    let (book, mut findings) = read(name, text);
    findings.extend(book.iter().flat_map(|book| lint(book, None)));
    findings.sort_by_key(|f| (f.line, f.column));
    findings
}

fn tell(converted: &Converted, remaining: &[Finding], output: &mut Output) {
    output.note(&format!("{} blanks are for a person:", converted.blanks.len()));
    for blank in &converted.blanks {
        output.note(&format!("  {blank}"));
    }
    let errors: Vec<Finding> = remaining.iter().filter(|f| f.level == Level::Error).cloned().collect();
    if !errors.is_empty() {
        output.note("and these are errors until then:");
        output.notes(&errors);
    }
}

//! `midwatch slo convert`: objectives of any format as one file of our own. Never overwrites a file, and reads back what it
//! wrote before it calls it done.

use crate::cli::args::ConvertArgs;
use crate::cli::check::{Kind, kind_of};
use crate::cli::context::Context;
use crate::cli::desk::writable;
use crate::cli::failure::{Exit, Failure};
use crate::cli::files::{expand, is_yaml, read_text};
use crate::cli::output::Output;
use crate::domain::document::{Finding, Level, parse_all};
use crate::domain::slo::format::read_all;
use crate::domain::slo::own;
use crate::domain::slo::own::write::{COPIED, differences, file};
use serde_json::json;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Prints the file, or writes it with `--to` and prints `wrote PATH`; JSON:
/// `{"objectives", "findings", "path", "text"}`, where one of the last two is null. Findings go beside it. Exit 1 when an
/// objective had to be left out; what could be read is written all the same.
pub fn run(context: &Context, args: &ConvertArgs, output: &mut Output) -> Result<Exit, Failure> {
    if args.to.is_some() {
        writable(context.config())?;
    }
    let (texts, mut findings) = texts(&args.files);
    let (catalogue, found) = read_all(&texts);
    findings.extend(found);
    let roots: Vec<_> = texts.iter().flat_map(|(path, text)| parse_all(path, text).0).collect();
    let own = roots.iter().filter(|root| own::knows(root));
    let copied: Vec<_> = own.flat_map(|root| COPIED.iter().filter_map(|key| Some((*key, root.get(key)?)))).collect();
    let errors = findings.iter().any(|f| f.level == Level::Error);
    if catalogue.objectives.is_empty() && copied.is_empty() {
        output.notes(&findings);
        return Err(Failure::Refused("there is no objective that could be converted; nothing was written".into()));
    }
    let text = file(&catalogue.objectives, &findings, &copied);
    let lost = differences(&catalogue.objectives, &text);
    if !lost.is_empty() {
        let message = format!("{} would not be read back as they are; nothing was written", lost.join(", "));
        return Err(Failure::Refused(message));
    }
    output.notes(&findings);
    if let Some(path) = &args.to {
        write_new(path, &text)?;
    }
    if output.is_json() {
        let path = args.to.as_ref().map(|p| p.to_string_lossy().into_owned());
        let printed = args.to.is_none().then_some(&text);
        let objectives = catalogue.objectives.len();
        output.json(&json!({"objectives": objectives, "findings": findings, "path": path, "text": printed}))?;
    } else if let Some(path) = &args.to {
        output.line(&format!("wrote {}", path.display()))?;
    } else {
        output.verbatim(&text)?;
    }
    Ok(if errors { Exit::NO } else { Exit::DONE })
}

/// The texts of the files. Of a folder, those that hold objectives.
fn texts(paths: &[PathBuf]) -> (Vec<(String, String)>, Vec<Finding>) {
    let (mut texts, mut findings) = (Vec::new(), Vec::new());
    for path in paths {
        let folder = path.is_dir();
        let files = if folder { expand(&path.to_string_lossy(), is_yaml) } else { vec![path.clone()] };
        for file in files {
            match read_text(&file) {
                Ok(text) if folder && kind_of(&text) != Some(Kind::Slo) => {}
                Ok(text) => texts.push((file.to_string_lossy().into_owned(), text)),
                Err(finding) => findings.push(finding),
            }
        }
    }
    (texts, findings)
}

/// Writes a file that was not there. It appears whole or not at all.
fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Failure::Refused(format!("{} is already there; nothing was written", path.display()))
        }
        _ => Failure::Refused(format!("{} cannot be written: {e}", path.display())),
    };
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    file.persist_noclobber(path).map_err(|e| failed(e.error))?;
    Ok(())
}

//! `midwatch init`: a commented configuration, one SLO file and one runbook to start from. Never overwrites, and writes
//! nothing beside a configuration that is already there, because its patterns would pick the examples up.

use crate::cli::context::Context;
use crate::cli::desk::writable;
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::Output;
use crate::io::clock;
use crate::io::files::folders::own_folder;
use serde_json::json;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The starter configuration.
pub const CONFIG: &str = include_str!("../../assets/config.yaml");
/// The starter SLO file.
pub const SLO: &str = include_str!("../../assets/slo.yaml");
/// The starter runbook.
pub const RUNBOOK: &str = include_str!("../../assets/runbook.yaml");

/// Prints one line per file (`wrote PATH` or `kept PATH`), or `{"files": [{"path", "written"}]}`. Exit 1 when the
/// configuration was there already.
pub fn run(context: &Context, output: &mut Output) -> Result<Exit, Failure> {
    writable(context.config())?;
    let config = &context.folders.config_file;
    let folder = context.folders.config();
    if std::fs::symlink_metadata(config).is_ok() {
        return Err(Failure::Refused(format!("{} is already there; nothing was written", config.display())));
    }
    // Who writes it today has it before their eyes today.
    let today = format!("reviewed: {}", clock::now().format("%Y-%m-%d"));
    let runbook = RUNBOOK.replace("reviewed: 2026-05-01", &today);
    // The configuration comes last: when it is there, everything it names is there.
    let files = [
        (folder.join("slos").join("example.yaml"), SLO),
        (folder.join("runbooks").join("high-api-latency.yaml"), runbook.as_str()),
        (config.clone(), CONFIG),
    ];
    let mut done = Vec::new();
    for (path, text) in &files {
        own_folder(path.parent().unwrap_or(folder)).map_err(|fault| Failure::Refused(fault.to_string()))?;
        let written = write_new(path, text).map_err(|e| Failure::Refused(format!("{}: {e}", path.display())))?;
        done.push((path, written));
    }
    if output.is_json() {
        let files: Vec<_> =
            done.iter().map(|(path, written)| json!({"path": path.to_string_lossy(), "written": written})).collect();
        output.json(&json!({"files": files}))?;
    } else {
        for (path, written) in &done {
            output.line(&format!("{} {}", if *written { "wrote" } else { "kept " }, path.display()))?;
        }
        output.note("Next: name your servers in the configuration, then run `midwatch check`.");
    }
    Ok(Exit::DONE)
}

/// Writes a file that was not there; `false` when it was.
fn write_new(path: &Path, text: &str) -> std::io::Result<bool> {
    let opened = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = match opened {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => return Ok(false),
        Err(e) => return Err(e),
    };
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(true)
}

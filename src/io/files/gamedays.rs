//! The logs of game days below the data folder: one folder per day, one line per thing, appended by any process that takes part.

use crate::domain::document::Finding;
use crate::domain::fault::Fault;
use crate::domain::gameday::log::{Line, read, text};
use crate::io::files::folders::own_folder;
use crate::io::files::read::read_limited;
use crate::io::files::{atomic, fault};
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The largest log that is read.
const LIMIT: u64 = 16 << 20;
const LOG: &str = "GAMEDAY-log.jsonl";

/// The folder of a day; made, and private.
pub fn folder(data: &Path, name: &str) -> Result<PathBuf, Fault> {
    let base = data.join("gamedays");
    own_folder(&base)?;
    let path = base.join(name);
    own_folder(&path)?;
    Ok(path)
}

/// What was logged, oldest first. No log is an empty one.
pub fn log(folder: &Path) -> Result<(Vec<Line>, Vec<Finding>), Fault> {
    let path = folder.join(LOG);
    if !path.exists() {
        return Ok((Vec::new(), Vec::new()));
    }
    let bytes = read_limited(&path, LIMIT)?;
    Ok(read(&path.to_string_lossy(), &String::from_utf8_lossy(&bytes)))
}

/// Adds a line; it is on disk when this returns. Several at once do not mix.
pub fn add(folder: &Path, line: &Line) -> Result<(), Fault> {
    let path = folder.join(LOG);
    let write = || {
        let mut file = OpenOptions::new().create(true).read(true).append(true).mode(0o600).open(&path)?;
        rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive)?;
        // A line that a full disk tore is ended first: an empty line is no line.
        file.write_all(format!("\n{}", text(line)).as_bytes())?;
        file.sync_all()
    };
    write().map_err(|e: std::io::Error| fault(&path, &e))
}

/// Writes the report.
pub fn write_report(folder: &Path, text: &str) -> Result<PathBuf, Fault> {
    let path = folder.join("GAMEDAY-report.md");
    atomic::write_atomic(&path, text.as_bytes(), 0o600)?;
    Ok(path)
}

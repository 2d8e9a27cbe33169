//! The journals of experiments below the data folder: one folder per run, one line per thing that happened, each on disk before
//! the next is done. A run holds a lock on its journal for as long as its process lives, so that a run without one is known to
//! be left. Beside the record of incidents and never in it.

use crate::domain::document::Finding;
use crate::domain::experiment::entry::{Body, Entry, line, read};
use crate::domain::experiment::record::Record;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::time::Timestamp;
use crate::io::files::folders::own_folder;
use crate::io::files::read::read_limited;
use crate::io::files::{atomic, fault};
use rustix::fs::{FlockOperation, flock};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const JOURNAL: &str = "journal.jsonl";
/// The largest journal that is read.
const LIMIT: u64 = 16 << 20;
/// Runs that may begin in one second.
const MOST: u32 = 1_000;

/// The folder of experiments of a data folder.
pub fn folder(data: &Path) -> PathBuf {
    data.join("experiments")
}

/// A run as its folder tells it.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its name.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// Its journal.
    pub entries: Vec<Entry>,
    /// The same, folded.
    pub record: Record,
    /// What is wrong with the journal.
    pub findings: Vec<Finding>,
    /// Its process lives.
    pub alive: bool,
}

/// The journal of a run that is written.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    seq: u64,
    last: String,
}

impl Journal {
    /// Begins a run of this name, or of this name with `-2`, `-3` … when it is taken.
    pub fn begin(data: &Path, name: &str) -> Result<(String, PathBuf, Self), Fault> {
        let base = folder(data);
        own_folder(&base)?;
        for n in 1..MOST {
            let name = if n == 1 { name.to_owned() } else { format!("{name}-{n}") };
            let path = base.join(&name);
            match std::fs::DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => {
                    let journal = Self::open(&path)?;
                    let synced = File::open(&base).and_then(|folder| folder.sync_all());
                    synced.map_err(|e| fault(&base, &e))?;
                    return Ok((name, path, journal));
                }
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(fault(&path, &e)),
            }
        }
        let why = format!("{MOST} runs began in one second");
        Err(Fault::new(FaultKind::Local, format!("folder {}", base.display()), why))
    }

    /// Takes the journal of a run; refused while another process has it.
    pub fn open(run: &Path) -> Result<Self, Fault> {
        let path = run.join(JOURNAL);
        let opened = OpenOptions::new().create(true).read(true).append(true).mode(0o600).open(&path);
        let mut file = opened.map_err(|e| fault(&path, &e))?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            let why = "another process runs it".to_owned();
            return Err(Fault::new(FaultKind::Local, format!("experiment {}", run.display()), why));
        }
        let text = text_of(&path)?;
        let known = read(&path.to_string_lossy(), &text);
        if !text.is_empty() && !text.ends_with('\n') {
            // A line that a crash tore is ended first, so that it takes no other with it.
            file.write_all(b"\n").and_then(|()| file.sync_all()).map_err(|e| fault(&path, &e))?;
        }
        let seq = known.entries.last().map_or(0, |entry| entry.seq);
        let synced = File::open(run).and_then(|folder| folder.sync_all());
        synced.map_err(|e| fault(&path, &e))?;
        Ok(Self { file, path, seq, last: known.last })
    }

    /// Writes what happened; it is on disk when this returns.
    pub fn append(&mut self, at: Timestamp, body: &Body) -> Result<(), Fault> {
        let (text, hash) = line(self.seq + 1, at, &self.last, body);
        let written = self.file.write_all(text.as_bytes()).and_then(|()| self.file.sync_data());
        written.map_err(|e| fault(&self.path, &e))?;
        (self.seq, self.last) = (self.seq + 1, hash);
        Ok(())
    }
}

fn text_of(path: &Path) -> Result<String, Fault> {
    if !path.exists() {
        return Ok(String::new());
    }
    Ok(String::from_utf8_lossy(&read_limited(path, LIMIT)?).into_owned())
}

/// Every run, oldest first. A journal that cannot be read is told and takes no other with it.
pub fn runs(data: &Path) -> (Vec<Run>, Vec<Fault>) {
    let (mut all, mut faults) = (Vec::new(), Vec::new());
    let Ok(entries) = std::fs::read_dir(folder(data)) else { return (all, faults) };
    let mut folders: Vec<PathBuf> =
        entries.filter_map(Result::ok).map(|entry| entry.path()).filter(|path| path.join(JOURNAL).is_file()).collect();
    folders.sort();
    for folder in folders {
        match run(&folder) {
            Ok(run) => all.push(run),
            Err(fault) => faults.push(fault),
        }
    }
    (all, faults)
}

/// One run.
pub fn run(folder: &Path) -> Result<Run, Fault> {
    let path = folder.join(JOURNAL);
    let alive = is_alive(&path);
    let journal = read(&path.to_string_lossy(), &text_of(&path)?);
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let record = Record::fold(&journal.entries);
    Ok(Run { name, folder: folder.to_owned(), record, entries: journal.entries, findings: journal.findings, alive })
}

/// Whether a process has it. Where that cannot be known it counts as alive: nothing is taken over then.
fn is_alive(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return true };
    flock(&file, FlockOperation::NonBlockingLockShared).is_err()
}

/// Runs that were left by their process and owe their rollback.
pub fn owed(data: &Path) -> Vec<Run> {
    runs(data).0.into_iter().filter(|run| !run.alive && run.record.owes_rollback()).collect()
}

/// Writes the report of a run.
pub fn write_report(folder: &Path, text: &str) -> Result<PathBuf, Fault> {
    let path = folder.join("report.md");
    atomic::write_atomic(&path, text.as_bytes(), 0o600)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn at() -> Timestamp {
        "2026-05-01T03:12:04Z".parse().unwrap()
    }

    fn started(id: &str) -> Body {
        Body::Started { id: id.into(), shown: "x".into() }
    }

    #[test]
    fn a_run_without_its_process_owes_what_it_began() {
        let data = tempfile::tempdir().unwrap();
        let (name, folder, mut journal) = Journal::begin(data.path(), "EXP-1").unwrap();
        assert_eq!(Journal::begin(data.path(), "EXP-1").unwrap().0, "EXP-1-2");
        journal.append(at(), &started("method.1")).unwrap();
        assert_eq!(owed(data.path()).len(), 0, "its process lives");
        assert!(Journal::open(&folder).unwrap_err().to_string().contains("another process runs it"));
        drop(journal);
        let left = owed(data.path());
        assert_eq!(left.iter().map(|run| run.name.as_str()).collect::<Vec<_>>(), [name]);
        let mut journal = Journal::open(&folder).unwrap();
        journal.append(at(), &Body::RolledBack { ok: true }).unwrap();
        drop(journal);
        assert_eq!(owed(data.path()).len(), 0);
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&folder.join(JOURNAL))), (0o700, 0o600));
        assert!(run(&folder).unwrap().findings.is_empty());
    }

    #[test]
    fn a_torn_line_takes_no_other_with_it_and_a_changed_one_shows() {
        let data = tempfile::tempdir().unwrap();
        let (_, folder, mut journal) = Journal::begin(data.path(), "EXP-1").unwrap();
        journal.append(at(), &started("method.1")).unwrap();
        drop(journal);
        let path = folder.join(JOURNAL);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{text}{{\"seq\":2,\"at")).unwrap();
        assert!(run(&folder).unwrap().findings[0].message.contains("torn"));
        let mut journal = Journal::open(&folder).unwrap();
        journal.append(at(), &Body::RolledBack { ok: true }).unwrap();
        drop(journal);
        let now = run(&folder).unwrap();
        assert!(!now.record.owes_rollback());
        assert_eq!(now.findings.len(), 1, "{:?}", now.findings);
        let changed = std::fs::read_to_string(&path).unwrap().replace("\"shown\":\"x\"", "\"shown\":\"y\"");
        std::fs::write(&path, changed).unwrap();
        assert!(run(&folder).unwrap().findings.iter().any(|f| f.message.contains("does not follow")));
    }
}

//! The folder of drills below the data folder: one history for all, one folder per drill. Beside the record of incidents
//! and never in it, so that no drill can be counted as one.

use crate::domain::document::Finding;
use crate::domain::drill::history::{self, Record};
use crate::domain::fault::{Fault, FaultKind};
use crate::io::files::folders::own_folder;
use crate::io::files::read::read_limited;
use crate::io::files::{atomic, fault};
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The largest history that is read: some ten thousand drills.
const LIMIT: u64 = 8 << 20;
/// The after-action report in the folder of a drill that ended.
pub const REPORT: &str = "DRILL-report.md";
/// Drills that may begin in one second.
const MOST: u32 = 1_000;

/// The folder of drills of a data folder.
pub fn folder(data: &Path) -> PathBuf {
    data.join("drills")
}

/// Every drill that ended, oldest first, and what of the history could not be read. No history is an empty one.
pub fn read_history(data: &Path) -> Result<(Vec<Record>, Vec<Finding>), Fault> {
    let path = folder(data).join(history::FILE);
    if !path.exists() {
        return Ok((Vec::new(), Vec::new()));
    }
    let bytes = read_limited(&path, LIMIT)?;
    Ok(history::read(&path.to_string_lossy(), &String::from_utf8_lossy(&bytes)))
}

/// Adds a drill; it is on disk when this returns. Several at once do not mix their lines.
pub fn add_to_history(data: &Path, record: &Record) -> Result<(), Fault> {
    let folder = folder(data);
    own_folder(&folder)?;
    let path = folder.join(history::FILE);
    let write = || {
        let mut file = OpenOptions::new().create(true).read(true).append(true).mode(0o600).open(&path)?;
        rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive)?;
        // A line that a full disk tore is ended first, so that it takes no other with it.
        let torn = torn(&path)?;
        let line = format!("{}{}\n", if torn { "\n" } else { "" }, history::line(record));
        file.write_all(line.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|e: std::io::Error| fault(&path, &e))
}

fn torn(path: &Path) -> std::io::Result<bool> {
    use std::io::{Read, Seek, SeekFrom};
    let mut file = std::fs::File::open(path)?;
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0_u8];
    file.read_exact(&mut last)?;
    Ok(last != [b'\n'])
}

/// A private folder of its own for a drill of this name, or of this name with `-2`, `-3` … when it is taken.
pub fn claim(data: &Path, drill: &str) -> Result<(String, PathBuf), Fault> {
    let base = folder(data);
    own_folder(&base)?;
    for n in 1..MOST {
        let name = if n == 1 { drill.to_owned() } else { format!("{drill}-{n}") };
        let path = base.join(&name);
        match std::fs::DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => return Ok((name, path)),
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(fault(&path, &e)),
        }
    }
    Err(Fault::new(
        FaultKind::Local,
        format!("folder {}", base.display()),
        format!("{MOST} drills began in one second"),
    ))
}

/// The folders of drills that may still run, by name, oldest first: those without a report yet.
pub fn running(data: &Path) -> Result<Vec<(String, PathBuf)>, Fault> {
    let base = folder(data);
    if !base.exists() {
        return Ok(Vec::new());
    }
    let mut all = Vec::new();
    for entry in std::fs::read_dir(&base).map_err(|e| fault(&base, &e))?.flatten() {
        let path = entry.path();
        if path.is_dir() && !path.join(REPORT).exists() {
            all.push((entry.file_name().to_string_lossy().into_owned(), path));
        }
    }
    all.sort();
    Ok(all)
}

/// Writes a file of a drill, private and whole.
pub fn write(folder: &Path, name: &str, text: &str) -> Result<PathBuf, Fault> {
    let path = folder.join(name);
    atomic::write_atomic(&path, text.as_bytes(), 0o600)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::drill::history::{Measured, Player};

    fn record(drill: &str) -> Record {
        let at = "2026-05-01T03:12:04Z".parse().unwrap();
        Record {
            drill: drill.into(),
            scenario: "s".into(),
            seed: 1,
            people: vec![],
            player: Player::Person,
            began_at: at,
            ended_at: at,
            end: "time".into(),
            points: 0,
            of: 10,
            times: Measured::default(),
            runbooks: vec![],
            report: None,
        }
    }

    #[test]
    fn a_torn_line_takes_no_other_with_it() {
        let data = tempfile::tempdir().unwrap();
        assert_eq!(read_history(data.path()).unwrap().0.len(), 0);
        add_to_history(data.path(), &record("a")).unwrap();
        let path = folder(data.path()).join(history::FILE);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{text}{{\"drill\": \"b")).unwrap();
        add_to_history(data.path(), &record("c")).unwrap();
        let (records, findings) = read_history(data.path()).unwrap();
        assert_eq!(records.iter().map(|r| r.drill.as_str()).collect::<Vec<_>>(), ["a", "c"]);
        assert_eq!((findings.len(), findings[0].line), (1, 2));
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(path.parent().unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn two_drills_of_one_second_have_two_folders() {
        let data = tempfile::tempdir().unwrap();
        assert_eq!(claim(data.path(), "DRILL-1").unwrap().0, "DRILL-1");
        assert_eq!(claim(data.path(), "DRILL-1").unwrap().0, "DRILL-1-2");
    }
}

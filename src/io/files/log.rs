//! The file that the log lines go to: 0600, and never larger than its limit twice. When it is full it becomes `….1` and a
//! new one begins. Trouble with the log is counted, never told on the screen and never fatal.

use crate::domain::fault::Fault;
use crate::io::files::fault;
use crate::io::files::folders::own_folder;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A log file; put it into a `Mutex` to give it to `tracing_subscriber`.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    limit: u64,
    file: Option<File>,
    size: u64,
    /// Writes that were lost.
    pub lost: u64,
}

impl LogFile {
    /// Opens or continues the log; `limit` in bytes holds for the file and for the one before it.
    pub fn open(path: &Path, limit: u64) -> Result<Self, Fault> {
        if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
            own_folder(folder)?;
        }
        let file = append_to(path).map_err(|e| fault(path, &e))?;
        let size = file.metadata().map(|meta| meta.len()).unwrap_or(0);
        Ok(Self { path: path.to_owned(), limit, file: Some(file), size, lost: 0 })
    }

    fn turn(&mut self) -> io::Result<()> {
        let mut before = self.path.clone().into_os_string();
        before.push(".1");
        self.file = None;
        std::fs::rename(&self.path, before)?;
        self.file = Some(append_to(&self.path)?);
        self.size = 0;
        Ok(())
    }

    fn put(&mut self, line: &[u8]) -> io::Result<()> {
        let length = u64::try_from(line.len()).unwrap_or(u64::MAX);
        if self.size > 0 && self.size.saturating_add(length) > self.limit {
            self.turn()?;
        }
        if self.file.is_none() {
            self.file = Some(append_to(&self.path)?);
        }
        if let Some(file) = &mut self.file {
            file.write_all(line)?;
            self.size = self.size.saturating_add(length);
        }
        Ok(())
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    Ok(file)
}

impl Write for LogFile {
    /// Takes a whole line; a line that cannot be written is counted and given up.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.put(line).is_err() {
            self.lost += 1;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_grows_past_its_limit_and_stays_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logs/midwatch.log");
        let mut log = LogFile::open(&path, 100).unwrap();
        for n in 0..50 {
            writeln!(log, "line number {n}").unwrap();
        }
        drop(log);
        let mut log = LogFile::open(&path, 100).unwrap();
        writeln!(log, "line number 50").unwrap();
        let files: Vec<PathBuf> =
            std::fs::read_dir(path.parent().unwrap()).unwrap().map(|e| e.unwrap().path()).collect();
        assert_eq!(files.len(), 2);
        for file in &files {
            let meta = file.metadata().unwrap();
            assert!(meta.len() <= 100);
            assert_eq!(meta.permissions().mode() & 0o777, 0o600);
        }
        assert!(std::fs::read_to_string(&path).unwrap().ends_with("line number 50\n"));
        assert_eq!(log.lost, 0);
    }

    #[test]
    fn trouble_is_counted_and_survived() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("l");
        let mut log = LogFile::open(&path, 10).unwrap();
        writeln!(log, "123456789").unwrap();
        // The rename of the full file fails: a folder that is not empty stands in its way.
        std::fs::create_dir_all(folder.path().join("l.1/x")).unwrap();
        log.write_all(b"lost\n").unwrap();
        assert!(log.lost > 0);
        std::fs::remove_dir_all(folder.path().join("l.1")).unwrap();
        log.write_all(b"kept\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "kept\n");
    }
}

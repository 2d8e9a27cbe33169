//! Writing a file so that a reader, a crash or a full disk sees the old content or the new, never a part. Follows no
//! symbolic link: a link at the path is replaced.

use crate::domain::fault::Fault;
use crate::io::files::fault;
use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tempfile::NamedTempFile;

/// Writes `bytes` to `path` with exactly `mode`: a temporary file beside it, synced, renamed, and the folder synced. On
/// `Err` the old file is as it was.
pub fn write_atomic(path: &Path, bytes: &[u8], mode: u32) -> Result<(), Fault> {
    let folder = folder_of(path);
    prepared(folder, bytes, mode)
        .and_then(|file| file.persist(path).map_err(|e| e.error))
        .and_then(|_| File::open(folder)?.sync_all())
        .map_err(|e| fault(path, &e))
}

/// The same for a file that must not be there yet; `Ok(false)` when it is.
pub fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<bool, Fault> {
    let folder = folder_of(path);
    let file = prepared(folder, bytes, mode).map_err(|e| fault(path, &e))?;
    match file.persist_noclobber(path) {
        Ok(_) => File::open(folder).and_then(|f| f.sync_all()).map(|()| true).map_err(|e| fault(path, &e)),
        Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(e) => Err(fault(path, &e.error)),
    }
}

fn prepared(folder: &Path, bytes: &[u8], mode: u32) -> io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix(".midwatch-").tempfile_in(folder)?;
    file.write_all(bytes)?;
    // After creation, so that the umask has no say.
    file.as_file().set_permissions(Permissions::from_mode(mode))?;
    file.as_file().sync_all()?;
    Ok(file)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_content_is_replaced_whole_with_the_given_mode() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        write_atomic(&path, b"one", 0o600).unwrap();
        write_atomic(&path, b"two", 0o644).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o644);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn a_file_that_is_there_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        assert_eq!(write_new(&path, b"one", 0o600), Ok(true));
        assert_eq!(write_new(&path, b"two", 0o600), Ok(false));
        assert_eq!(std::fs::read(&path).unwrap(), b"one");
    }

    #[test]
    fn a_missing_folder_is_a_fault_that_names_the_file() {
        let fault = write_atomic(Path::new("/nonexistent/x"), b"", 0o600).unwrap_err();
        assert!(fault.what.contains("/nonexistent/x"), "{fault}");
    }
}

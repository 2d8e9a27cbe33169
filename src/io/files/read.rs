//! Reading a file up to a limit. Never blocks on a pipe or a device, never reads without an end.

use crate::domain::fault::{Fault, FaultKind};
use crate::io::files::fault;
use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The bytes of a regular file of at most `limit` bytes.
pub fn read_limited(path: &Path, limit: u64) -> Result<Vec<u8>, Fault> {
    let refuse = |kind, why: String| Err(Fault::new(kind, format!("file {}", path.display()), why));
    // Without it, opening a named pipe waits for a writer.
    let nonblock = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
    let file = OpenOptions::new().read(true).custom_flags(nonblock).open(path).map_err(|e| fault(path, &e))?;
    let meta = file.metadata().map_err(|e| fault(path, &e))?;
    if !meta.is_file() {
        return refuse(FaultKind::Local, "is not a regular file".into());
    }
    let mut bytes = Vec::new();
    // The size in the metadata may lie or change: what counts is what comes.
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(|e| fault(path, &e))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limit {
        return refuse(FaultKind::TooLarge, format!("is larger than {limit} bytes"));
    }
    Ok(bytes)
}

/// The same as text; a file that is not UTF-8 is refused with the place.
pub fn read_text(path: &Path, limit: u64) -> Result<String, Fault> {
    String::from_utf8(read_limited(path, limit)?).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        Fault::new(FaultKind::Malformed, format!("file {}", path.display()), format!("is not UTF-8 at byte {at}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_exact_and_odd_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        std::fs::write(&path, "12345").unwrap();
        assert_eq!(read_limited(&path, 5).unwrap(), b"12345");
        assert_eq!(read_limited(&path, 4).unwrap_err().kind, FaultKind::TooLarge);
        assert_eq!(read_limited(folder.path(), 5).unwrap_err().kind, FaultKind::Local);
        assert_eq!(read_limited(Path::new("/dev/zero"), 5).unwrap_err().kind, FaultKind::Local);
        assert_eq!(read_limited(&folder.path().join("none"), 5).unwrap_err().kind, FaultKind::Local);
        std::fs::write(&path, b"ab\xff").unwrap();
        assert!(read_text(&path, 9).unwrap_err().detail.contains("byte 2"));
    }

    #[test]
    fn a_named_pipe_does_not_hold_us() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        assert!(read_limited(&path, 5).unwrap_err().detail.contains("regular"));
    }
}

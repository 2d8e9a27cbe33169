//! Looks once more, at the last moment, at the files that a command came from: what was shown and confirmed is what they
//! still say, and nobody else could have written it. Reads, and changes nothing.

use crate::domain::exec::FileSeen;
use crate::io::files::read::read_text;
use crate::io::store::chain::hex;
use sha2::{Digest, Sha256};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The largest file that commands are read from.
const LIMIT: u64 = 1 << 20;

/// Why a command must not begin; `Ok` when its files are as they were.
pub fn unchanged(files: &[FileSeen]) -> Result<(), String> {
    files.iter().try_for_each(one)
}

fn one(file: &FileSeen) -> Result<(), String> {
    let path = Path::new(&file.path);
    let text = read_text(path, LIMIT)
        .map_err(|fault| format!("refused: {fault}; the runbook cannot be looked at again, so nothing of it runs"))?;
    if hex(&Sha256::digest(text.as_bytes())) != file.sha256 {
        return Err(format!("refused: {} changed on disk since it was shown; look at the step again", file.path));
    }
    if file.private {
        let facts = path.metadata().map_err(|e| format!("refused: {}: {e}", file.path))?;
        let us = rustix::process::geteuid().as_raw();
        if facts.mode() & 0o022 != 0 {
            return Err(format!(
                "refused: others may write {} (mode {:o}); chmod go-w it, then look at the step again",
                file.path,
                facts.mode() & 0o7777
            ));
        }
        if facts.uid() != us && facts.uid() != 0 {
            return Err(format!("refused: {} belongs to another user (uid {})", file.path, facts.uid()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_changed_or_shared_file_stops_what_came_from_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.yaml");
        std::fs::write(&path, "name: R\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o664)).unwrap();
        let seen = |private| FileSeen {
            path: path.display().to_string(),
            sha256: hex(&Sha256::digest(b"name: R\n")),
            private,
        };
        assert_eq!(unchanged(&[seen(false)]), Ok(()));
        assert!(unchanged(&[seen(true)]).unwrap_err().contains("others may write"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(unchanged(&[seen(true)]), Ok(()));
        std::fs::write(&path, "name: S\n").unwrap();
        assert!(unchanged(&[seen(false)]).unwrap_err().contains("changed on disk"));
        std::fs::remove_file(&path).unwrap();
        assert!(unchanged(&[seen(false)]).unwrap_err().starts_with("refused"));
    }
}

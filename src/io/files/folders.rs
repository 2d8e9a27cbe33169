//! Folders of our own: created 0700, never one of another user.

use crate::domain::fault::{Fault, FaultKind};
use crate::io::files::fault;
use std::fs::{DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;

/// Makes sure of a folder: creates it and the missing ones above it 0700 whatever the umask; refuses one that belongs to
/// somebody else (as under `sudo` with another's HOME). The mode of a folder that was there is left alone.
pub fn own_folder(folder: &Path) -> Result<(), Fault> {
    let missing: Vec<&Path> = folder.ancestors().take_while(|p| !p.as_os_str().is_empty() && !p.exists()).collect();
    for path in missing.into_iter().rev() {
        match DirBuilder::new().mode(0o700).create(path) {
            Ok(()) => std::fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(|e| fault(path, &e))?,
            // Another process of ours was quicker.
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(fault(path, &e)),
        }
    }
    let meta = folder.metadata().map_err(|e| fault(folder, &e))?;
    let us = rustix::process::geteuid().as_raw();
    let refuse = |why: String| Err(Fault::new(FaultKind::Permission, format!("folder {}", folder.display()), why));
    if !meta.is_dir() {
        return refuse("is not a folder".into());
    }
    if meta.uid() != us {
        return refuse(format!("belongs to user {}, we are user {us}; give --data-dir a folder of yours", meta.uid()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_folders_are_private_and_old_ones_keep_their_mode() {
        let base = tempfile::tempdir().unwrap();
        let open = base.path().join("open");
        std::fs::create_dir(&open).unwrap();
        std::fs::set_permissions(&open, Permissions::from_mode(0o755)).unwrap();
        let deep = open.join("a/b");
        own_folder(&deep).unwrap();
        let mode = |p: &Path| p.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&open), mode(&open.join("a")), mode(&deep)), (0o755, 0o700, 0o700));
        std::fs::write(open.join("file"), "").unwrap();
        assert!(own_folder(&open.join("file")).is_err());
        assert!(own_folder(&open.join("file/below")).is_err());
    }
}

//! Where our files lie: by the platform's convention, or under one folder that a flag names. Creates folders 0700; never
//! writes into a folder of another user.

use crate::domain::fault::{Fault, FaultKind};
use crate::io::files::fault;
use directories::ProjectDirs;
use std::fs::{DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Our four folders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folders {
    /// What the person wrote; we only read.
    pub config: PathBuf,
    /// Durable records.
    pub data: PathBuf,
    /// What may be lost: last known values.
    pub cache: PathBuf,
    /// Logs.
    pub state: PathBuf,
}

impl Folders {
    /// The platform's folders. `config` (`--config`) names a file whose folder takes the place of the config folder;
    /// `data` (`--data-dir`) takes the cache and the logs with it, so that a run with it leaves nothing elsewhere.
    pub fn find(config: Option<&Path>, data: Option<&Path>) -> Result<Self, Fault> {
        let dirs = ProjectDirs::from("", "", "midwatch");
        let homeless = || {
            let why = "there is no home folder; give --data-dir and --config";
            Fault::new(FaultKind::Local, "folders", why)
        };
        let config = match (config, &dirs) {
            (Some(file), _) => file.parent().map(Path::to_owned).unwrap_or_default(),
            (None, Some(dirs)) => dirs.config_dir().to_owned(),
            (None, None) => return Err(homeless()),
        };
        match (data, dirs) {
            (Some(data), _) => {
                Ok(Self { config, data: data.to_owned(), cache: data.join("cache"), state: data.join("state") })
            }
            (None, Some(dirs)) => Ok(Self {
                config,
                data: dirs.data_local_dir().to_owned(),
                cache: dirs.cache_dir().to_owned(),
                state: dirs.state_dir().map_or_else(|| dirs.data_local_dir().join("state"), Path::to_owned),
            }),
            (None, None) => Err(homeless()),
        }
    }

    /// Creates what we write to.
    pub fn create(&self) -> Result<(), Fault> {
        [&self.data, &self.cache, &self.state].into_iter().try_for_each(|folder| own_folder(folder))
    }
}

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
    fn one_flag_moves_all_that_is_written() {
        let folders = Folders::find(Some(Path::new("/etc/m/m.yaml")), Some(Path::new("/x"))).unwrap();
        assert_eq!(folders.config, Path::new("/etc/m"));
        assert!([&folders.data, &folders.cache, &folders.state].iter().all(|f| f.starts_with("/x")));
    }

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

//! Last known values, so that a start shows something before the first answer. A cache may be lost, stale or damaged at
//! any time: reading gives nothing then, and nothing here is ever fatal.

use crate::domain::fault::{Fault, FaultKind};
use crate::io::files::atomic::write_atomic;
use crate::io::files::folders::own_folder;
use crate::io::files::read::read_limited;
use crate::io::store::chain::hex;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// The largest value that is read back.
const LIMIT: u64 = 32 * 1024 * 1024;
/// A value written by another version is not read.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A folder of values.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Kept<T> {
    version: String,
    name: String,
    value: T,
}

impl Cache {
    /// A cache in the given folder, which need not exist.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The last value of a name; `None` when there is none that can be read.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let bytes = read_limited(&self.path(name), LIMIT).ok()?;
        let kept: Kept<T> = serde_json::from_slice(&bytes).ok()?;
        (kept.version == VERSION && kept.name == name).then_some(kept.value)
    }

    /// Keeps a value (0600). The fault is for the log.
    pub fn put<T: Serialize>(&self, name: &str, value: &T) -> Result<(), Fault> {
        own_folder(&self.folder)?;
        let kept = Kept { version: VERSION.to_owned(), name: name.to_owned(), value };
        let json = serde_json::to_vec(&kept)
            .map_err(|e| Fault::new(FaultKind::Malformed, format!("cache {name}"), e.to_string()))?;
        write_atomic(&self.path(name), &json, 0o600)
    }

    /// Names come from configuration and may hold anything: the hash makes the file's name safe and unique.
    fn path(&self, name: &str) -> PathBuf {
        let safe: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(40).collect();
        let hash: String = hex(&Sha256::digest(name.as_bytes())).chars().take(16).collect();
        self.folder.join(format!("{safe}-{hash}.json"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_and_damage_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(&folder.path().join("new"));
        assert_eq!(cache.get::<Vec<u32>>("slo"), None);
        for name in ["slo", "../../etc/passwd", "a/b", "", "slo "] {
            cache.put(name, &vec![1, 2]).unwrap();
            assert_eq!(cache.get::<Vec<u32>>(name), Some(vec![1, 2]), "{name:?}");
            assert_eq!(cache.path(name).parent(), Some(folder.path().join("new").as_path()));
        }
        assert_eq!(cache.get::<String>("slo"), None, "another type");
        std::fs::write(cache.path("slo"), "{\"version\":").unwrap();
        assert_eq!(cache.get::<Vec<u32>>("slo"), None);
        assert!(Cache::new(Path::new("/proc/nothing")).put("x", &1).is_err());
    }
}

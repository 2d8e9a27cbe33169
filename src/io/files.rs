//! Files and folders of this machine: private by default, written whole or not at all, read up to a limit. Knows nothing
//! of what is in them.

pub mod atomic;
pub mod cache;
pub mod draft;
pub mod drills;
pub mod experiments;
pub mod folders;
pub mod gamedays;
pub mod log;
pub mod presence;
pub mod read;

use crate::domain::fault::{Fault, FaultKind};
use std::io;
use std::path::Path;

/// A file error in words, for the object it happened to.
pub(in crate::io) fn fault(path: &Path, e: &io::Error) -> Fault {
    let kind = match e.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => FaultKind::Permission,
        _ => FaultKind::Local,
    };
    Fault::new(kind, format!("file {}", path.display()), e.to_string())
}

//! Whether a file changed, by what its folder says of it: no notification of a kernel, which network file systems do not
//! give. Opens nothing.

use crate::domain::time::{Span, Timestamp};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A file changed less than this ago may change again within one tick of its file system's clock.
const UNSETTLED: Span = Span::seconds(3);

/// What a folder says of a file. Two that are equal and settled are of the same content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    changed: (i64, i64),
    modified: (i64, i64),
}

impl Stamp {
    /// Of a file; `None` when it is not there.
    pub fn of(path: &Path) -> Option<Self> {
        let meta = std::fs::metadata(path).ok()?;
        Some(Self {
            device: meta.dev(),
            // An editor that writes beside and renames gives another inode, whatever the times say.
            inode: meta.ino(),
            size: meta.len(),
            changed: (meta.ctime(), meta.ctime_nsec()),
            modified: (meta.mtime(), meta.mtime_nsec()),
        })
    }

    /// Whether it is old enough to be trusted. A time in the future never is: somebody's clock is wrong.
    pub fn is_settled(&self, now: Timestamp) -> bool {
        let last = self.changed.0.max(self.modified.0);
        now.timestamp().saturating_sub(last) >= UNSETTLED.num_seconds()
    }
}

//! A text that was taken out of a row is still in the file: in pages that are free now, in the write-ahead log, in older
//! copies of a kept state. The file is written anew without them. A mark beside the file says that this is still to be
//! done, so that neither a crash nor another process that keeps the file locked leaves it undone for good.

use rusqlite::Connection;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

fn mark(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push("-scrub");
    path.with_file_name(name)
}

/// From now on the file is to be written anew.
pub fn due(path: &Path) -> io::Result<()> {
    fs::write(mark(path), b"a text was taken out; the record is to be written anew\n")
}

/// Whether it is.
pub fn is_due(path: &Path) -> bool {
    mark(path).exists()
}

/// Writes the file anew. What hinders it is logged; the mark stays then.
pub fn scrub(conn: &Connection, path: &Path) {
    match anew(conn) {
        Ok(true) => {
            if let Err(e) = fs::remove_file(mark(path)) {
                tracing::warn!(file = %path.display(), %e, "written anew, and the mark that says so cannot be removed");
            }
        }
        Ok(false) => tracing::warn!(file = %path.display(), "another process reads; written anew later"),
        Err(e) => tracing::warn!(file = %path.display(), %e, "could not be written anew; tried again later"),
    }
}

/// `false`: the log could not be emptied because somebody reads from it.
fn anew(conn: &Connection) -> rusqlite::Result<bool> {
    conn.execute_batch("VACUUM")?;
    let busy: i64 = conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    Ok(busy == 0)
}

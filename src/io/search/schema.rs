//! The tables of the index, and how it is opened, read and forgotten. Its file is private, like the record.

use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

/// An index of another version is made anew.
const VERSION: i64 = 1;
const BUSY: Duration = Duration::from_secs(5);

const TABLES: &str = "
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE VIRTUAL TABLE doc USING fts5(
  text, kind, who, incident UNINDEXED, place UNINDEXED, at UNINDEXED,
  tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2 3'
);
CREATE TABLE incident (
  id TEXT PRIMARY KEY, title TEXT NOT NULL, severity TEXT NOT NULL, declared TEXT, resolution TEXT
) STRICT, WITHOUT ROWID;
CREATE TABLE trait (what TEXT, value TEXT, incident TEXT, PRIMARY KEY (what, value, incident)) STRICT, WITHOUT ROWID;
CREATE INDEX trait_of ON trait (incident);
CREATE TABLE word (word TEXT, incident TEXT, PRIMARY KEY (word, incident)) STRICT, WITHOUT ROWID;
CREATE INDEX word_of ON word (incident);
CREATE TABLE page (path TEXT PRIMARY KEY, stamp TEXT NOT NULL, incident TEXT NOT NULL) STRICT, WITHOUT ROWID;
";

const DROP: &str = "
DROP TABLE IF EXISTS meta; DROP TABLE IF EXISTS doc; DROP TABLE IF EXISTS incident; DROP TABLE IF EXISTS trait;
DROP TABLE IF EXISTS word; DROP TABLE IF EXISTS page;
";

/// Opens or creates the file; what cannot be used is removed first, for it holds nothing of its own.
pub fn open(path: &Path) -> rusqlite::Result<Connection> {
    match connect(path) {
        Err(rusqlite::Error::SqliteFailure(e, _)) if unusable(e.code) => {
            for name in ["", "-wal", "-shm"] {
                let mut file = path.as_os_str().to_owned();
                file.push(name);
                // What is not there is gone already.
                let _: std::io::Result<()> = std::fs::remove_file(file);
            }
            connect(path)
        }
        other => other,
    }
}

fn unusable(code: rusqlite::ErrorCode) -> bool {
    matches!(code, rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt)
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    // SQLite would create the file with the mode of the umask.
    let created = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    created.map_err(|_| rusqlite::Error::InvalidPath(path.to_owned()))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(BUSY)?;
    conn.pragma_update(None, "trusted_schema", false)?;
    if !crate::io::store::sqlite::open::on_network(path) {
        conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    }
    // It can be made anew: a lost commit costs nothing.
    conn.pragma_update(None, "synchronous", "NORMAL")?;
    if version(&conn)? != VERSION {
        make(&mut conn)?;
    }
    Ok(conn)
}

/// An index without a file.
pub fn in_memory() -> rusqlite::Result<Connection> {
    let mut conn = Connection::open_in_memory()?;
    make(&mut conn)?;
    Ok(conn)
}

fn version(conn: &Connection) -> rusqlite::Result<i64> {
    conn.query_row("PRAGMA user_version", [], |row| row.get(0))
}

fn make(conn: &mut Connection) -> rusqlite::Result<()> {
    let tx = conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    // Another process may have come first.
    if version(&tx)? != VERSION {
        tx.execute_batch(DROP)?;
        tx.execute_batch(TABLES)?;
        tx.pragma_update(None, "user_version", VERSION)?;
    }
    tx.commit()
}

/// Drops everything and writes the file anew, so that no page of it holds what was dropped.
pub fn forget(conn: &mut Connection) -> rusqlite::Result<()> {
    let tx = conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    tx.execute_batch(DROP)?;
    tx.execute_batch(TABLES)?;
    tx.commit()?;
    conn.flush_prepared_statement_cache();
    conn.execute_batch("VACUUM")?;
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

/// A value that is kept beside the tables.
pub fn get(conn: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    conn.prepare_cached("SELECT value FROM meta WHERE name = ?1")?.query_row([name], |row| row.get(0)).optional()
}

/// Keeps a value.
pub fn set(conn: &Connection, name: &str, value: &str) -> rusqlite::Result<()> {
    conn.prepare_cached("INSERT OR REPLACE INTO meta VALUES (?1, ?2)")?.execute(params![name, value])?;
    Ok(())
}

//! Opening the file: our own modes whatever the umask, the journal that suits the file system, the schema, and the name of
//! this installation. A file of a newer program or of another one is refused before anything in it is touched.

use crate::domain::fault::{Fault, FaultKind};
use crate::domain::ids::Origin;
use crate::io::files::folders::own_folder;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior, params};
use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The schema that this program reads and writes.
pub const SCHEMA: i64 = 2;
/// Marks the file as ours: `mwat`.
const APPLICATION: i64 = 0x6d77_6174;
/// How long one statement waits for another process.
const BUSY: Duration = Duration::from_secs(5);
/// How often opening is tried again when another process is just creating or recovering the file, and after how long.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(50);

/// What leads from each schema to the next. A step is never changed once it was released.
const STEPS: [&str; SCHEMA as usize] = [EVENTS, OUTBOX];

const OUTBOX: &str = "
CREATE TABLE outbox (
  op TEXT PRIMARY KEY,
  rev INTEGER NOT NULL,
  ended INTEGER NOT NULL,
  boot TEXT,
  until_ms INTEGER,
  entry TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX outbox_rev ON outbox (rev);
CREATE INDEX outbox_open ON outbox (ended) WHERE ended = 0;
";

const EVENTS: &str = "
CREATE TABLE event (
  n INTEGER PRIMARY KEY,
  origin TEXT NOT NULL,
  seq INTEGER NOT NULL,
  id TEXT NOT NULL,
  incident TEXT NOT NULL,
  ord INTEGER NOT NULL,
  at TEXT NOT NULL,
  recorded_at TEXT NOT NULL,
  actor TEXT NOT NULL,
  once TEXT,
  body TEXT NOT NULL,
  hash TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX event_key ON event (origin, seq);
CREATE INDEX event_rank ON event (incident, ord, origin, seq);
CREATE UNIQUE INDEX event_once ON event (incident, once) WHERE once IS NOT NULL;
CREATE TABLE chain (origin TEXT PRIMARY KEY, seq INTEGER NOT NULL, hash TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE head (
  incident TEXT PRIMARY KEY,
  version TEXT NOT NULL,
  open INTEGER NOT NULL,
  declared TEXT NOT NULL,
  state TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE installation (place TEXT PRIMARY KEY, origin TEXT NOT NULL) STRICT, WITHOUT ROWID;
";

/// An open file and the name we write under.
#[derive(Debug)]
pub struct Opened {
    /// The connection, ready for use.
    pub conn: Connection,
    /// This installation: host and data folder.
    pub origin: Origin,
}

/// Opens or creates the record at `path`; its folder is created 0700 when it is not there.
pub fn open(path: &Path) -> Result<Opened, Fault> {
    if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        own_folder(folder)?;
    }
    create(path).map_err(|e| Fault::new(FaultKind::Local, name(path), format!("cannot be created: {e}")))?;
    let mut left = TRIES;
    loop {
        match connect(path) {
            Err(Refused::Sql(e)) if busy(&e) && left > 0 => {
                left -= 1;
                std::thread::sleep(PAUSE);
            }
            Err(Refused::Sql(e)) => return Err(fault(path, &e)),
            Err(Refused::Fault(fault)) => return Err(fault),
            Ok(opened) => return Ok(opened),
        }
    }
}

enum Refused {
    Sql(rusqlite::Error),
    Fault(Fault),
}

impl From<rusqlite::Error> for Refused {
    fn from(e: rusqlite::Error) -> Self {
        Self::Sql(e)
    }
}

/// SQLite would create the file with the umask's mode, and its companions take the mode of the file.
fn create(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(file) => {
            file.set_permissions(Permissions::from_mode(0o600))?;
            if let Some(folder) = path.parent() {
                let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
                File::open(folder)?.sync_all()?;
            }
            Ok(())
        }
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
            let meta = path.symlink_metadata()?;
            if !meta.is_file() {
                return Err(io::Error::other("it is not a regular file"));
            }
            if meta.permissions().mode() & 0o077 != 0 {
                std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
            }
            Ok(())
        }
        Err(e) => Err(e),
    }
}

fn connect(path: &Path) -> Result<Opened, Refused> {
    // SQLite refuses symbolic links anywhere in the path with NOFOLLOW, and a home folder may be one: only the file
    // itself was checked above, and the folder around it belongs to us.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(BUSY)?;
    conn.set_prepared_statement_cache_capacity(64);
    let found = schema(&conn, path)?;
    let network = on_network(path);
    let mode = if network { "DELETE" } else { "WAL" };
    let now: String = conn.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
    if !now.eq_ignore_ascii_case(mode) {
        conn.query_row(&format!("PRAGMA journal_mode = {mode}"), [], |_| Ok(()))?;
    }
    // The rollback journal needs the folder's sync as well: its removal is the commit.
    conn.pragma_update(None, "synchronous", if network { "EXTRA" } else { "FULL" })?;
    conn.pragma_update(None, "trusted_schema", false)?;
    conn.pragma_update(None, "cell_size_check", true)?;
    if found < SCHEMA {
        migrate(&mut conn, path)?;
    }
    let origin = installation(&mut conn, path)?;
    Ok(Opened { conn, origin })
}

/// The schema of the file; refuses what is not ours to write.
fn schema(conn: &Connection, path: &Path) -> Result<i64, Refused> {
    // One statement is one view: between two, another process may create the tables.
    let sql = "SELECT (SELECT user_version FROM pragma_user_version),
                      (SELECT application_id FROM pragma_application_id),
                      (SELECT count(*) FROM sqlite_schema)";
    let (version, application, tables): (i64, i64, i64) =
        conn.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let refuse = |why: String| Err(Refused::Fault(Fault::new(FaultKind::Rejected, name(path), why)));
    if tables > 0 && application != APPLICATION {
        return refuse("is a database of another program; it was not touched".into());
    }
    if version > SCHEMA {
        return refuse(format!(
            "was written by a newer midwatch (its schema is {version}, this one reads {SCHEMA}); it was not touched"
        ));
    }
    Ok(version)
}

fn migrate(conn: &mut Connection, path: &Path) -> Result<(), Refused> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have come first while we waited for the lock.
    let from = usize::try_from(schema(&tx, path)?).unwrap_or(0);
    for step in STEPS.iter().skip(from) {
        tx.execute_batch(step)?;
    }
    tx.pragma_update(None, "application_id", APPLICATION)?;
    tx.pragma_update(None, "user_version", SCHEMA)?;
    tx.commit()?;
    Ok(())
}

/// Our name in this file. It hangs on the host and the folder, so that a copied file, or one folder mounted on two hosts,
/// never has two writers count under one name.
fn installation(conn: &mut Connection, path: &Path) -> Result<Origin, Refused> {
    let full = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let place = format!("{host}:{}", full.display());
    let read = |conn: &Connection| {
        let sql = "SELECT origin FROM installation WHERE place = ?1";
        conn.query_row(sql, [&place], |row| row.get::<_, String>(0)).map(Some).or_else(|e| match e {
            rusqlite::Error::QueryReturnedNoRows => Ok(None),
            e => Err(e),
        })
    };
    if let Some(origin) = read(conn)? {
        return Ok(Origin(origin));
    }
    let short: String = host.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(24).collect();
    let random = uuid::Uuid::now_v7().simple().to_string();
    let (_, tail) = random.split_at_checked(random.len().saturating_sub(8)).unwrap_or(("", "0"));
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute("INSERT OR IGNORE INTO installation VALUES (?1, ?2)", params![place, format!("{short}-{tail}")])?;
    let origin = read(&tx)?.unwrap_or_default();
    tx.commit()?;
    Ok(Origin(origin))
}

/// Whether the file lies on a file system whose shared memory cannot be trusted between processes. FUSE counts as one.
#[cfg(target_os = "linux")]
pub fn on_network(path: &Path) -> bool {
    // From linux/magic.h: NFS, SMB, CIFS, SMB2, 9P, AFS, Ceph, Lustre, Coda, GPFS, OCFS2, GFS2, FUSE.
    const REMOTE: [u64; 13] = [
        0x6969,
        0x517b,
        0xff53_4d42,
        0xfe53_4d42,
        0x0102_1997,
        0x5346_414f,
        0x00c3_6400,
        0x0bd0_0bd0,
        0x7375_7245,
        0x4750_4653,
        0x7461_636f,
        0x0116_1970,
        0x6573_5546,
    ];
    let Ok(stat) = rustix::fs::statfs(path) else { return false };
    REMOTE.contains(&(stat.f_type as u64 & 0xffff_ffff))
}

/// Elsewhere the kind of a file system is not asked for; SQLite's own locks still hold.
#[cfg(not(target_os = "linux"))]
pub fn on_network(_: &Path) -> bool {
    false
}

/// The object of our faults.
pub fn name(path: &Path) -> String {
    format!("record {}", path.display())
}

/// Another process holds a lock; the same may work in a moment.
pub fn busy(e: &rusqlite::Error) -> bool {
    matches!(e.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// The file is damaged.
pub fn corrupt(e: &rusqlite::Error) -> bool {
    matches!(e.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// A database error in words.
pub fn fault(path: &Path, e: &rusqlite::Error) -> Fault {
    let (kind, why) = match e.sqlite_error_code() {
        _ if busy(e) => (FaultKind::Timeout, "another process kept it locked; try again".to_owned()),
        Some(ErrorCode::DiskFull) => (FaultKind::Local, "the disk is full; free some space".to_owned()),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => (FaultKind::Permission, e.to_string()),
        Some(ErrorCode::SystemIoFailure) => (FaultKind::Local, format!("the disk refused: {e}")),
        _ if corrupt(e) => (FaultKind::Malformed, format!("the file is damaged: {e}")),
        _ => (FaultKind::Local, e.to_string()),
    };
    Fault::new(kind, name(path), why)
}

/// A file beside the record could not be written.
pub fn file_fault(path: &Path, e: &io::Error) -> Fault {
    Fault::new(FaultKind::Local, name(path), format!("the folder cannot be written: {e}"))
}

/// Where the record lies in a data folder.
pub fn default_path(data: &Path) -> PathBuf {
    data.join("midwatch.db")
}

//! The record on the local disk: SQLite, write-ahead log, a sync per commit, several processes at once. One append is one
//! transaction; when it returns, its events are on disk. Decides nothing about incidents.

mod check;
pub mod head;
pub mod open;
pub mod row;
mod scrub;

use crate::domain::fault::{Fault, FaultKind};
use crate::domain::ids::{IncidentId, Origin};
use crate::domain::incident::event::{Event, EventKey, NewEvent};
use crate::domain::incident::state::Incident;
use crate::domain::incident::stepped::Stepped;
use crate::domain::outward::entry::{Entry, Step};
use crate::domain::outward::operation::OpId;
use crate::domain::time::Timestamp;
use crate::io::store::chain::Finding;
use crate::io::store::examined::Examined;
use crate::io::store::ledger::{self, Rows};
use crate::io::store::sqlite::head::Heads;
use crate::io::store::sqlite::open::{Opened, fault};
use crate::io::store::sqlite::row::{COLUMNS, Inside, select, signed};
use crate::io::store::{ENDED, OwnClock, RESOLVED_HEADS, Store, own_clock};
use rusqlite::{Connection, TransactionBehavior, params};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A record in a file.
pub struct Sqlite {
    path: PathBuf,
    /// `None` after a failed commit, until it was opened anew.
    conn: Option<Connection>,
    origin: Origin,
    heads: Heads,
    /// The file's version when `heads` was last known to be true.
    heads_at: i64,
    /// The last row that [`Store::news`] has looked at, and our own rows after it.
    cursor: i64,
    mine: BTreeSet<i64>,
    /// The file's version at the last look for news.
    news_at: i64,
    /// The last revision of the outbox that was told, and whether we changed it since.
    told: u64,
    changed: bool,
    /// The file's version at the last look at the outbox.
    outbox_at: i64,
    /// The machine's own clock, for leases.
    clock: OwnClock,
    /// What a failed commit wanted to write: it may be on disk all the same.
    doubtful: Option<Vec<Vec<Event>>>,
}

impl std::fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sqlite").field("path", &self.path).field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl Sqlite {
    /// Opens or creates the record.
    pub fn open(path: &Path) -> Result<Self, Fault> {
        Self::open_by(path, own_clock())
    }

    /// The same with another clock for the leases of the outbox: a virtual one, for simulations.
    pub fn open_by(path: &Path, clock: OwnClock) -> Result<Self, Fault> {
        let Opened { conn, origin } = open::open(path)?;
        let mut store = Self {
            path: path.to_owned(),
            conn: None,
            origin,
            heads: Heads::default(),
            heads_at: -1,
            cursor: 0,
            mine: BTreeSet::new(),
            news_at: -1,
            told: 0,
            changed: false,
            outbox_at: -1,
            clock,
            doubtful: None,
        };
        let ask = |e: rusqlite::Error| fault(path, &e);
        store.news_at = version(&conn).map_err(ask)?;
        store.cursor = last_row(&conn).map_err(ask)?;
        store.told = last_rev(&conn).map_err(ask)?;
        store.outbox_at = store.news_at;
        if scrub::is_due(path) {
            scrub::scrub(&conn, path);
        }
        store.conn = Some(conn);
        Ok(store)
    }

    fn read<T>(&self, question: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Fault> {
        let conn = self.conn.as_ref().ok_or_else(|| self.closed())?;
        question(conn).map_err(|e| fault(&self.path, &e))
    }

    fn closed(&self) -> Fault {
        Fault::new(
            FaultKind::Local,
            open::name(&self.path),
            "is closed after a failed write until it can be opened again",
        )
    }

    /// Runs `work` in one write transaction; gives what it gave and what it wrote.
    fn transact<T: Clone>(
        &mut self,
        work: impl FnOnce(&mut Inside<'_>) -> Result<T, Fault>,
    ) -> Result<(T, Put), Failed<T>> {
        let Some(mut conn) = self.conn.take() else { return Err(Failed::Before(self.closed())) };
        let (path, heads, heads_at) = (self.path.clone(), &mut self.heads, &mut self.heads_at);
        let mut scrubbing = false;
        let result = (|| {
            let before = |e: rusqlite::Error| Failed::Before(fault(&path, &e));
            let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(before)?;
            let now = version(&tx).map_err(before)?;
            if now != *heads_at {
                heads.forget();
                *heads_at = now;
            }
            let mut inside = Inside::new(&tx, &path);
            let value = work(&mut inside).map_err(Failed::Before)?;
            let (put, rewritten) = (inside.put, inside.rewritten);
            for incident in &rewritten {
                heads.drop_one(incident);
            }
            if !rewritten.is_empty() {
                scrub::due(&path).map_err(|e| Failed::Before(open::file_fault(&path, &e)))?;
                scrubbing = true;
            }
            heads.take(&tx, &put).map_err(before)?;
            tx.commit().map_err(|e| Failed::Commit(fault(&path, &e), value.clone()))?;
            Ok((value, put))
        })();
        if result.is_err() {
            self.heads.forget();
        }
        if scrubbing && result.is_ok() {
            scrub::scrub(&conn, &path);
        }
        if !matches!(result, Err(Failed::Commit(..))) {
            self.conn = Some(conn);
        }
        result
    }

    fn remember(&mut self, put: &[(i64, Event)]) {
        self.mine.extend(put.iter().map(|(n, _)| *n));
        // Nobody else wrote in between: keep the list short.
        while self.mine.first() == Some(&(self.cursor + 1)) {
            self.mine.pop_first();
            self.cursor += 1;
        }
    }
}

/// Events that were written, with their row numbers.
type Put = Vec<(i64, Event)>;

enum Failed<T> {
    /// Nothing was written.
    Before(Fault),
    /// The commit failed: it may have been written or not.
    Commit(Fault, T),
}

/// Changes when another connection commits.
fn version(conn: &Connection) -> rusqlite::Result<i64> {
    conn.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
}

fn last_row(conn: &Connection) -> rusqlite::Result<i64> {
    conn.query_row("SELECT ifnull(max(n), 0) FROM event", [], |row| row.get(0))
}

fn last_rev(conn: &Connection) -> rusqlite::Result<u64> {
    let rev: i64 = conn.query_row("SELECT ifnull(max(rev), 0) FROM outbox", [], |row| row.get(0))?;
    Ok(u64::try_from(rev).unwrap_or(0))
}

impl Sqlite {
    /// Folds anew what was written by a program that keeps no states.
    fn renew_heads(&mut self) -> Result<(), Fault> {
        let stale = self.read(head::stale)?;
        if !stale.is_empty() {
            let renew = |rows: &mut Inside<'_>| head::renew(rows.conn, &stale).map_err(|e| fault(rows.path, &e));
            match self.transact(renew) {
                Ok(_) => {}
                Err(Failed::Commit(fault, ())) => {
                    self.reopen()?;
                    return Err(fault);
                }
                Err(Failed::Before(fault)) => return Err(fault),
            }
        }
        Ok(())
    }
}

impl Store for Sqlite {
    fn append_all(&mut self, batches: Vec<Vec<NewEvent>>) -> Result<Vec<Vec<Event>>, Fault> {
        let origin = self.origin.clone();
        self.changed = true;
        match self.transact(|rows| ledger::write(rows, &origin, batches)) {
            Ok((written, put)) => {
                self.remember(&put);
                Ok(written)
            }
            Err(Failed::Before(fault)) => Err(fault),
            Err(Failed::Commit(fault, written)) => {
                self.doubtful = Some(written);
                Err(fault)
            }
        }
    }

    fn reopen(&mut self) -> Result<Option<Vec<Vec<Event>>>, Fault> {
        // The old handle is closed first: after a failed sync its cache may claim what the disk does not hold.
        drop(self.conn.take());
        self.heads.forget();
        let Opened { conn, origin } = open::open(&self.path)?;
        let ask = |e: rusqlite::Error| fault(&self.path, &e);
        self.news_at = -1;
        self.outbox_at = -1;
        self.heads_at = -1;
        self.origin = origin;
        let mut inside = Inside::new(&conn, &self.path);
        let mut landed = None;
        if let Some(written) = &self.doubtful {
            let ours = written.iter().flatten().rfind(|event| event.key.origin == self.origin);
            let there = ours.map(|event| inside.find(&event.key)).transpose()?.flatten();
            if ours.is_some() && there.as_ref() == ours {
                settle(&conn, &self.path)?;
                let keys = written.iter().flatten().map(|event| &event.key);
                for key in keys {
                    self.mine.extend(row_of(&conn, key).map_err(ask)?.filter(|n| *n > self.cursor));
                }
                landed = Some(written.clone());
            }
        }
        self.conn = Some(conn);
        self.doubtful = None;
        Ok(landed)
    }

    fn heads(&mut self) -> Result<Vec<Incident>, Fault> {
        self.renew_heads()?;
        let heads = self.read(|conn| head::read(conn, RESOLVED_HEADS))?;
        Ok(crate::io::store::memory::newest_first(heads))
    }

    fn ended_since(&mut self, from: Timestamp) -> Result<Vec<Incident>, Fault> {
        self.renew_heads()?;
        let mut all = self.read(|conn| head::read(conn, usize::MAX))?;
        all.retain(|incident| incident.lasted_to(from));
        Ok(all)
    }

    fn tail(&mut self, incident: &IncidentId, before: Option<u64>, limit: usize) -> Result<Vec<Event>, Fault> {
        let before = before.map_or(i64::MAX, signed);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let sql = format!(
            "SELECT {COLUMNS} FROM event WHERE incident = ?1 AND ord < ?2
             ORDER BY ord DESC, origin DESC, seq DESC LIMIT ?3"
        );
        let same = format!(
            "SELECT {COLUMNS} FROM event WHERE incident = ?1 AND ord = ?2 AND (origin, seq) < (?3, ?4)
             ORDER BY ord DESC, origin DESC, seq DESC"
        );
        self.read(|conn| {
            let mut page = select(conn, &sql, params![incident.as_str(), before, limit])?;
            if let Some(oldest) = page.last() {
                let key = &oldest.key;
                let params = params![incident.as_str(), signed(oldest.order), key.origin.as_str(), signed(key.seq)];
                let more = select(conn, &same, params)?;
                page.extend(more);
            }
            page.reverse();
            Ok(page)
        })
    }

    fn events(&mut self, incident: &IncidentId) -> Result<Vec<Event>, Fault> {
        self.read(|conn| head::all(conn, incident))
    }

    fn news(&mut self) -> Result<Vec<Event>, Fault> {
        let now = self.read(version)?;
        if now == self.news_at {
            return Ok(Vec::new());
        }
        let cursor = self.cursor;
        let sql = format!("SELECT {COLUMNS}, n FROM event WHERE n > ?1 ORDER BY n");
        let rows: Vec<(i64, Event)> = self.read(|conn| {
            let read = |row: &rusqlite::Row<'_>| Ok((row.get(10)?, row::event(row)?));
            conn.prepare_cached(&sql)?.query_map([cursor], read)?.collect()
        })?;
        // Only now: a failed look is repeated.
        self.news_at = now;
        self.cursor = rows.last().map_or(cursor, |(n, _)| *n);
        let mine = std::mem::take(&mut self.mine);
        Ok(rows.into_iter().filter(|(n, _)| !mine.contains(n)).map(|(_, event)| event).collect())
    }

    fn merge(&mut self, events: Vec<Event>) -> Result<usize, Fault> {
        let work = |rows: &mut Inside<'_>| {
            let mut tops: BTreeMap<IncidentId, u64> = BTreeMap::new();
            for event in &events {
                if !tops.contains_key(&event.incident) {
                    let top = rows.top(&event.incident)?;
                    tops.insert(event.incident.clone(), top);
                }
            }
            let taken = ledger::merge(rows, &events)?;
            // An event that belongs before one that was folded already makes its head worthless.
            for (_, event) in &rows.put {
                if tops.get(&event.incident).is_some_and(|top| event.order <= *top) {
                    head::drop_head(rows.conn, &event.incident).map_err(|e| fault(rows.path, &e))?;
                }
            }
            Ok(taken)
        };
        self.heads.forget();
        match self.transact(work) {
            Ok((taken, put)) => {
                self.remember(&put);
                Ok(taken)
            }
            Err(Failed::Before(fault)) => Err(fault),
            // A merge may be repeated at will, so there is no doubt to clear up.
            Err(Failed::Commit(fault, _)) => {
                self.reopen()?;
                Err(fault)
            }
        }
    }

    fn examine(&mut self, incident: Option<&IncidentId>) -> Result<Examined, Fault> {
        let conn = self.conn.as_ref().ok_or_else(|| self.closed())?;
        // One view of all of it: events that another process adds between two looks are no contradiction.
        let _view = conn.unchecked_transaction().map_err(|e| fault(&self.path, &e))?;
        let (events, mut findings) = check::all(conn, &self.origin).map_err(|e| fault(&self.path, &e))?;
        if scrub::is_due(&self.path) {
            let why = "a text that was taken out may be left in free pages of the file: another process kept it locked; \
                       it is tried again whenever the record is opened";
            findings.push(Finding::whole(why));
        }
        Ok(Examined::of(events.iter(), findings, incident))
    }

    fn since(&mut self, row: u64, limit: usize) -> Result<Vec<(u64, Event)>, Fault> {
        let sql = format!("SELECT {COLUMNS}, n FROM event WHERE n > ?1 ORDER BY n LIMIT ?2");
        let (row, limit) = (signed(row), i64::try_from(limit).unwrap_or(i64::MAX));
        self.read(|conn| {
            let read = |row: &rusqlite::Row<'_>| Ok((row::unsigned(row.get(10)?), row::event(row)?));
            conn.prepare_cached(&sql)?.query_map([row, limit], read)?.collect()
        })
    }

    fn outbox(&mut self) -> Result<Vec<Entry>, Fault> {
        let sql = "SELECT entry FROM (
                     SELECT op, entry FROM outbox WHERE ended = 0
                     UNION ALL
                     SELECT op, entry FROM (SELECT op, entry FROM outbox WHERE ended = 1 ORDER BY rev DESC LIMIT ?1)
                   ) ORDER BY op";
        let limit = i64::try_from(ENDED).unwrap_or(i64::MAX);
        self.read(|conn| row::entries(conn, sql, [limit]))
    }

    fn step(&mut self, op: &OpId, step: &Step, by: &str) -> Result<Stepped, Fault> {
        let (origin, clock) = (self.origin.clone(), (self.clock)());
        self.changed = true;
        match self.transact(|rows| ledger::step(rows, &origin, op, step, by, clock.as_ref())) {
            Ok((stepped, put)) => {
                self.remember(&put);
                Ok(stepped)
            }
            Err(Failed::Before(fault) | Failed::Commit(fault, _)) => Err(fault),
        }
    }

    fn outbox_news(&mut self) -> Result<Vec<Entry>, Fault> {
        let now = self.read(version)?;
        if now == self.outbox_at && !self.changed {
            return Ok(Vec::new());
        }
        let after = signed(self.told);
        let news =
            self.read(|conn| row::entries(conn, "SELECT entry FROM outbox WHERE rev > ?1 ORDER BY rev", [after]))?;
        // Only now: a failed look is repeated.
        (self.outbox_at, self.changed) = (now, false);
        self.told = news.last().map_or(self.told, |entry| entry.rev);
        Ok(news)
    }

    fn origin(&self) -> &Origin {
        &self.origin
    }
}

/// After a failed sync the system may show what the disk does not hold, and a second sync of the same file would return
/// without writing it. Copying the log into the database writes and syncs it anew: only then may it be believed.
fn settle(conn: &Connection, path: &Path) -> Result<(), Fault> {
    let held: i64 =
        conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).map_err(|e| fault(path, &e))?;
    if held == 0 {
        return Ok(());
    }
    let why = "a failed write cannot be settled while another process reads; tried again at once";
    Err(Fault::new(FaultKind::Timeout, open::name(path), why))
}

fn row_of(conn: &Connection, key: &EventKey) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT max(n) FROM event WHERE origin = ?1 AND seq = ?2";
    conn.query_row(sql, params![key.origin.as_str(), signed(key.seq)], |row| row.get(0))
}

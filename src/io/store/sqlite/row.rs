//! Rows as events and back. A row that cannot be read is still an event, of an unknown kind: damage stays local and is
//! never silent.

use crate::domain::fault::{Fault, FaultKind};
use crate::domain::ids::{IncidentId, Origin};
use crate::domain::incident::event::{Body, Event, EventKey, Redaction};
use crate::domain::incident::redaction::redactions;
use crate::domain::outward::entry::Entry;
use crate::domain::outward::operation::OpId;
use crate::domain::time::Timestamp;
use crate::io::store::ledger::{Rows, Until};
use crate::io::store::sqlite::head;
use crate::io::store::sqlite::open::{fault, name};
use rusqlite::{Connection, OptionalExtension, Params, Row, params};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// The columns of an event, for every SELECT.
pub const COLUMNS: &str = "origin, seq, id, incident, ord, at, recorded_at, actor, body, hash";

/// SQLite counts in signed numbers; what does not fit was refused on the way in.
pub fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// And back.
pub fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

/// One row. Only an error of the database itself is an error.
pub fn event(row: &Row<'_>) -> rusqlite::Result<Event> {
    let (at, recorded_at, body): (String, String, String) = (row.get(5)?, row.get(6)?, row.get(8)?);
    let recorded = time(&recorded_at);
    let happened = time(&at).or(recorded);
    let readable: Option<Body> = serde_json::from_str(&body).ok();
    let body = match (readable, recorded) {
        (Some(body), Some(_)) => body,
        _ => Body::Unknown(Value::String(format!("damaged record: {at} {recorded_at} {body}"))),
    };
    Ok(Event {
        key: EventKey { origin: Origin(row.get(0)?), seq: unsigned(row.get(1)?) },
        id: row.get(2)?,
        incident: IncidentId(row.get(3)?),
        order: unsigned(row.get(4)?),
        at: happened.unwrap_or_default(),
        recorded_at: recorded.or(happened).unwrap_or_default(),
        actor: row.get(7)?,
        body,
        hash: row.get(9)?,
    })
}

fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

/// The form of an instant in the file: exact, in UTC.
pub fn instant(at: Timestamp) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}

/// The events of a question whose columns are [`COLUMNS`].
pub fn select(conn: &Connection, sql: &str, params: impl Params) -> rusqlite::Result<Vec<Event>> {
    conn.prepare_cached(sql)?.query_map(params, event)?.collect()
}

/// The rows inside one transaction.
#[derive(Debug)]
pub struct Inside<'t> {
    /// The transaction.
    pub conn: &'t Connection,
    /// For the words of a fault.
    pub path: &'t Path,
    /// What was put, in order, with its row number.
    pub put: Vec<(i64, Event)>,
    /// Incidents of which an event got another body.
    pub rewritten: BTreeSet<IncidentId>,
}

impl<'t> Inside<'t> {
    /// Nothing put yet.
    pub fn new(conn: &'t Connection, path: &'t Path) -> Self {
        Self { conn, path, put: Vec::new(), rewritten: BTreeSet::new() }
    }

    fn ask<T>(&self, result: rusqlite::Result<T>) -> Result<T, Fault> {
        result.map_err(|e| fault(self.path, &e))
    }

    fn insert(&self, event: &Event, once: Option<&str>) -> rusqlite::Result<i64> {
        let sql = "INSERT INTO event (origin, seq, id, incident, ord, at, recorded_at, actor, once, body, hash)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
        let body = serde_json::to_string(&event.body).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))?;
        let n = self.conn.prepare_cached(sql)?.insert(params![
            event.key.origin.as_str(),
            signed(event.key.seq),
            event.id,
            event.incident.as_str(),
            signed(event.order),
            instant(event.at),
            instant(event.recorded_at),
            event.actor,
            once,
            body,
            event.hash
        ])?;
        let sql = "INSERT INTO chain VALUES (?1, ?2, ?3)
                   ON CONFLICT (origin) DO UPDATE SET seq = excluded.seq, hash = excluded.hash
                   WHERE excluded.seq > chain.seq";
        self.conn.prepare_cached(sql)?.execute(params![
            event.key.origin.as_str(),
            signed(event.key.seq),
            event.hash
        ])?;
        Ok(n)
    }
}

impl Rows for Inside<'_> {
    fn known(&mut self, incident: &IncidentId) -> Result<bool, Fault> {
        let sql = "SELECT 1 FROM event WHERE incident = ?1 LIMIT 1";
        self.ask(self.conn.prepare_cached(sql).and_then(|mut s| s.exists([incident.as_str()])))
    }

    fn once(&mut self, incident: &IncidentId, key: &str) -> Result<Option<Event>, Fault> {
        let sql = format!("SELECT {COLUMNS} FROM event WHERE incident = ?1 AND once = ?2");
        self.ask(select(self.conn, &sql, [incident.as_str(), key])).map(|mut found| found.pop())
    }

    fn top(&mut self, incident: &IncidentId) -> Result<u64, Fault> {
        let sql = "SELECT max(ord) FROM event WHERE incident = ?1";
        let top = self.conn.prepare_cached(sql).and_then(|mut s| s.query_row([incident.as_str()], |row| row.get(0)));
        self.ask(top).map(|top: Option<i64>| top.map_or(0, unsigned))
    }

    fn last_of(&mut self, origin: &Origin) -> Result<(u64, String), Fault> {
        let sql = "SELECT seq, hash FROM chain WHERE origin = ?1";
        let last = self
            .conn
            .prepare_cached(sql)
            .and_then(|mut s| s.query_row([origin.as_str()], |row| Ok((row.get(0)?, row.get(1)?))).optional());
        self.ask(last).map(|last: Option<(i64, String)>| last.map_or((0, String::new()), |(n, h)| (unsigned(n), h)))
    }

    fn find(&mut self, key: &EventKey) -> Result<Option<Event>, Fault> {
        let sql = format!("SELECT {COLUMNS} FROM event WHERE origin = ?1 AND seq = ?2");
        self.ask(select(self.conn, &sql, params![key.origin.as_str(), signed(key.seq)])).map(|mut found| found.pop())
    }

    fn replace(&mut self, event: &Event) -> Result<(), Fault> {
        let body = serde_json::to_string(&event.body).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()));
        let body = self.ask(body)?;
        let sql = "UPDATE event SET body = ?3 WHERE origin = ?1 AND seq = ?2";
        let key = &event.key;
        let changed = self
            .conn
            .prepare_cached(sql)
            .and_then(|mut s| s.execute(params![key.origin.as_str(), signed(key.seq), body]))
            .and_then(|_| head::drop_head(self.conn, &event.incident));
        self.ask(changed)?;
        if let Some((_, put)) = self.put.iter_mut().find(|(_, put)| put.key == *key) {
            put.body = event.body.clone();
        }
        self.rewritten.insert(event.incident.clone());
        Ok(())
    }

    fn redactions(&mut self, incident: &IncidentId) -> Result<Vec<Redaction>, Fault> {
        let sql = format!("SELECT {COLUMNS} FROM event WHERE incident = ?1 AND body LIKE '{{\"kind\":\"redacted\"%'");
        let found = self.ask(select(self.conn, &sql, [incident.as_str()]))?;
        Ok(redactions(&found).into_values().flatten().collect())
    }

    fn put(&mut self, event: &Event, once: Option<&str>) -> Result<(), Fault> {
        let n = self.ask(self.insert(event, once))?;
        self.put.push((n, event.clone()));
        Ok(())
    }

    fn entry(&mut self, op: &OpId) -> Result<Option<Entry>, Fault> {
        let sql = "SELECT entry FROM outbox WHERE op = ?1";
        let json = self
            .conn
            .prepare_cached(sql)
            .and_then(|mut s| s.query_row([op.as_str()], |row| row.get::<_, String>(0)).optional());
        let Some(json) = self.ask(json)? else { return Ok(None) };
        let what = || format!("operation {op} in {}", name(self.path));
        serde_json::from_str(&json)
            .map(Some)
            .map_err(|e| Fault::new(FaultKind::Malformed, what(), format!("cannot be read and is not sent: {e}")))
    }

    fn keep(&mut self, mut entry: Entry, lease: Option<Until>) -> Result<Entry, Fault> {
        let next = self
            .conn
            .prepare_cached("SELECT ifnull(max(rev), 0) + 1 FROM outbox")
            .and_then(|mut s| s.query_row([], |row| row.get::<_, i64>(0)));
        entry.rev = unsigned(self.ask(next)?);
        let json = serde_json::to_string(&entry).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()));
        let json = self.ask(json)?;
        let (boot, until) = lease.map_or((None, None), |lease| (Some(lease.boot), Some(lease.ms)));
        let sql =
            "INSERT OR REPLACE INTO outbox (op, rev, ended, boot, until_ms, entry) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let (rev, ended) = (signed(entry.rev), entry.ended().is_some());
        let done = self
            .conn
            .prepare_cached(sql)
            .and_then(|mut s| s.execute(params![entry.op.id.as_str(), rev, ended, boot, until, json]));
        self.ask(done)?;
        Ok(entry)
    }

    fn run_out(&mut self, op: &OpId, clock: &Until) -> Result<Option<bool>, Fault> {
        let sql = "SELECT boot, until_ms FROM outbox WHERE op = ?1";
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let lease = self.conn.prepare_cached(sql).and_then(|mut s| s.query_row([op.as_str()], read).optional());
        let lease: Option<(Option<String>, Option<i64>)> = self.ask(lease)?;
        Ok(match lease {
            Some((Some(boot), Some(until))) if boot == clock.boot => Some(until <= clock.ms),
            _ => None,
        })
    }
}

/// Entries of a question whose first column is `entry`. One that cannot be read is left out here; a check tells of it.
pub fn entries(conn: &Connection, sql: &str, params: impl Params) -> rusqlite::Result<Vec<Entry>> {
    let mut statement = conn.prepare_cached(sql)?;
    let texts: rusqlite::Result<Vec<String>> = statement.query_map(params, |row| row.get(0))?.collect();
    Ok(texts?.iter().filter_map(|json| serde_json::from_str(json).ok()).collect())
}

//! The index for finding what was written before: a file of its own beside the record, made from the record and from the
//! postmortems, which may be thrown away at any time. It follows the record by its rows; when a text was taken out of the
//! record, the index is made anew from what is left. It never holds what the record does not.

pub mod finder;
mod pages;
mod past;
mod schema;

use crate::domain::fault::{Fault, FaultKind};
use crate::domain::ids::IncidentId;
use crate::domain::incident::event::{Body, Event, EventKey};
use crate::domain::incident::state::key_text;
use crate::domain::incident::timeline::tell;
use crate::domain::search::{Hit, Place, Question, telling, tells, traits};
use crate::domain::time::{Timestamp, rfc3339};
use crate::io::store::Store;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use std::path::{Path, PathBuf};

/// Events that are taken in with one transaction.
const PAGE: usize = 4_000;

/// The open index.
pub struct Index {
    conn: Connection,
    path: Option<PathBuf>,
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Index {
    /// Opens or creates the index. One that is damaged or of another version is made anew.
    pub fn open(path: &Path) -> Result<Self, Fault> {
        let conn = schema::open(path).map_err(|e| Fault::new(FaultKind::Local, name(Some(path)), e.to_string()))?;
        Ok(Self { conn, path: Some(path.to_owned()) })
    }

    /// An index that ends with the program.
    pub fn in_memory() -> Result<Self, Fault> {
        let conn = schema::in_memory().map_err(|e| Fault::new(FaultKind::Local, name(None), e.to_string()))?;
        Ok(Self { conn, path: None })
    }

    fn fault(&self, e: &rusqlite::Error) -> Fault {
        Fault::new(FaultKind::Local, name(self.path.as_deref()), e.to_string())
    }

    /// Takes in what the record has got since; gives how many events that were.
    pub fn catch_up(&mut self, store: &mut dyn Store) -> Result<usize, Fault> {
        if !self.belongs(store)? {
            self.forget()?;
        }
        let mut taken = 0;
        // Events that are read after everything was forgotten have no text any more that was taken out.
        let mut fresh = self.cursor()? == 0;
        loop {
            let events = store.since(self.cursor()?, PAGE)?;
            if events.is_empty() {
                return Ok(taken);
            }
            if !fresh && events.iter().any(|(_, event)| matches!(event.body, Body::Redacted(_))) {
                self.forget()?;
                fresh = true;
                continue;
            }
            taken += events.len();
            self.take(&events).map_err(|e| self.fault(&e))?;
        }
    }

    /// Whether the record is the one that the index was made from.
    fn belongs(&self, store: &mut dyn Store) -> Result<bool, Fault> {
        let cursor = self.cursor()?;
        if cursor == 0 {
            return Ok(true);
        }
        let last = store.since(cursor - 1, 1)?;
        let known = schema::get(&self.conn, "last").map_err(|e| self.fault(&e))?;
        Ok(last.first().is_some_and(|(row, event)| *row == cursor && known.as_deref() == Some(&key_text(&event.key))))
    }

    fn cursor(&self) -> Result<u64, Fault> {
        let text = schema::get(&self.conn, "cursor").map_err(|e| self.fault(&e))?;
        Ok(text.and_then(|text| text.parse().ok()).unwrap_or(0))
    }

    /// Forgets everything, so that nothing of it is left in the file.
    fn forget(&mut self) -> Result<(), Fault> {
        schema::forget(&mut self.conn).map_err(|e| self.fault(&e))
    }

    fn take(&mut self, events: &[(u64, Event)]) -> rusqlite::Result<()> {
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut done = schema::get(&tx, "cursor")?.and_then(|text| text.parse().ok()).unwrap_or(0);
        for (row, event) in events {
            // Another process may have come first.
            if *row <= done {
                continue;
            }
            add(&tx, *row, event)?;
            done = *row;
            schema::set(&tx, "last", &key_text(&event.key))?;
        }
        schema::set(&tx, "cursor", &done.to_string())?;
        tx.commit()
    }

    /// What was found, what is newest first, at most `limit`. Postmortems come before timelines.
    pub fn find(&self, question: &Question, limit: usize) -> Result<Vec<Hit>, Fault> {
        if question.expression.is_empty() {
            return Ok(Vec::new());
        }
        let sql = "SELECT incident, place, at, kind, who, text,
                          (SELECT title FROM incident WHERE incident.id = doc.incident)
                   FROM doc WHERE doc MATCH ?1 AND (?2 = '' OR incident LIKE '%' || ?2) ORDER BY rowid DESC LIMIT ?3";
        let within = question.within.as_deref().unwrap_or("");
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let found = self.conn.prepare_cached(sql).and_then(|mut statement| {
            let hits = statement.query_map(params![question.expression, within, limit], hit)?;
            hits.collect::<rusqlite::Result<Vec<Hit>>>()
        });
        found.map_err(|e| self.fault(&e))
    }
}

fn name(path: Option<&Path>) -> String {
    path.map_or_else(|| "search index".to_owned(), |path| format!("search index {}", path.display()))
}

/// Where a page is named by its file and heading; a control character parts them, which neither holds.
const PART: char = '\u{1f}';

fn hit(row: &rusqlite::Row<'_>) -> rusqlite::Result<Hit> {
    let (incident, place, at): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let place = match place.split_once(PART) {
        Some((file, heading)) => Place::Page(file.to_owned(), heading.to_owned()),
        None => {
            let (origin, seq) = place.rsplit_once('#').unwrap_or((&place, "0"));
            Place::Entry(EventKey { origin: origin.into(), seq: seq.parse().unwrap_or(0) })
        }
    };
    Ok(Hit {
        incident: Some(IncidentId(incident)).filter(|id| !id.as_str().is_empty()),
        title: row.get::<_, Option<String>>(6)?.unwrap_or_default(),
        place,
        at: at.parse().ok(),
        kind: row.get(3)?,
        who: row.get(4)?,
        text: row.get(5)?,
    })
}

fn add(tx: &Transaction<'_>, row: u64, event: &Event) -> rusqlite::Result<()> {
    let incident = event.incident.as_str();
    let text = match &event.body {
        // Marks and redactions say nothing of their own.
        Body::Marked { .. } | Body::Redacted(_) | Body::Cockpit { .. } | Body::DraftWritten { .. } => None,
        _ => Some(tell(event, None)),
    };
    if let Some(text) = &text {
        let sql = "INSERT INTO doc (rowid, text, kind, who, incident, place, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let row = i64::try_from(row).unwrap_or(i64::MAX);
        let (kind, place, at) = (event.body.kind(), key_text(&event.key), rfc3339(event.at));
        tx.prepare_cached(sql)?.execute(params![row, text, kind, event.who(), incident, place, at])?;
    }
    for (what, value) in traits(event) {
        let sql = "INSERT OR IGNORE INTO trait VALUES (?1, ?2, ?3)";
        tx.prepare_cached(sql)?.execute(params![what.word(), value, incident])?;
    }
    if let Some(text) = text.as_ref().filter(|_| tells(event)) {
        words(tx, incident, text)?;
    }
    about(tx, event)
}

fn words(tx: &Connection, incident: &str, text: &str) -> rusqlite::Result<()> {
    let mut statement = tx.prepare_cached("INSERT OR IGNORE INTO word VALUES (?1, ?2)")?;
    for word in telling(text) {
        statement.execute(params![word, incident])?;
    }
    Ok(())
}

/// What is told of an incident in a list.
fn about(tx: &Connection, event: &Event) -> rusqlite::Result<()> {
    let id = event.incident.as_str();
    match &event.body {
        Body::Declared { title, severity, .. } => {
            let sql = "INSERT INTO incident (id, title, severity, declared) VALUES (?1, ?2, ?3, ?4)
                       ON CONFLICT (id) DO UPDATE SET title = ?2, severity = ?3, declared = ?4";
            tx.prepare_cached(sql)?.execute(params![id, title, severity.0, rfc3339(event.at)])?;
        }
        Body::SeveritySet { to, .. } => {
            tx.prepare_cached("UPDATE incident SET severity = ?2 WHERE id = ?1")?.execute(params![id, to.0])?;
        }
        Body::Resolved { summary } => {
            tx.prepare_cached("UPDATE incident SET resolution = ?2 WHERE id = ?1")?.execute(params![id, summary])?;
        }
        Body::Reopened { .. } => {
            tx.prepare_cached("UPDATE incident SET resolution = NULL WHERE id = ?1")?.execute([id])?;
        }
        _ => {}
    }
    Ok(())
}

/// An instant as it is kept.
fn instant(text: Option<String>) -> Option<Timestamp> {
    text.and_then(|text| text.parse().ok())
}

/// One value of a question, if there is one.
fn one<T: rusqlite::types::FromSql>(conn: &Connection, sql: &str, of: &str) -> rusqlite::Result<Option<T>> {
    conn.prepare_cached(sql)?.query_row([of], |row| row.get(0)).optional()
}

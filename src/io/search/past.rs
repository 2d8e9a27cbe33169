//! Past incidents that are like one: by what they have in common in the index.

use crate::domain::fault::Fault;
use crate::domain::ids::IncidentId;
use crate::domain::search::{Profile, SIMILAR, Similar, Spread, Trait, alike};
use crate::io::search::{Index, instant};
use rusqlite::{Connection, OptionalExtension};
use std::collections::BTreeSet;

impl Index {
    /// The incidents that are most like one, best first, at most [`SIMILAR`]. Empty when it is not known.
    pub fn similar(&self, of: &IncidentId) -> Result<Vec<Similar>, Fault> {
        similar(&self.conn, of.as_str()).map_err(|e| self.fault(&e))
    }
}

fn similar(conn: &Connection, of: &str) -> rusqlite::Result<Vec<Similar>> {
    let ours = profile(conn, of)?;
    let count: i64 = conn.query_row("SELECT count(*) FROM incident", [], |row| row.get(0))?;
    let count = usize::try_from(count).unwrap_or(0);
    let mut candidates: BTreeSet<String> = BTreeSet::new();
    let mut traits = Spread::new();
    for (what, value) in &ours.traits {
        let having = list(conn, "SELECT incident FROM trait WHERE what = ?1 AND value = ?2", &[what.word(), value])?;
        traits.insert((*what, value.clone()), having.len());
        candidates.extend(having);
    }
    let mut words = Spread::new();
    for word in &ours.words {
        let having = list(conn, "SELECT incident FROM word WHERE word = ?1", &[word])?;
        words.insert(word.clone(), having.len());
        candidates.extend(having);
    }
    candidates.remove(of);
    let mut found = Vec::new();
    for candidate in candidates {
        let theirs = profile(conn, &candidate)?;
        if let Some((score, why)) = alike(&ours, &theirs, &traits, &words, count) {
            found.extend(told(conn, candidate)?.map(|similar| Similar { score, why, ..similar }));
        }
    }
    found.sort_by(|a, b| {
        b.score.total_cmp(&a.score).then_with(|| (b.declared, &b.incident).cmp(&(a.declared, &a.incident)))
    });
    found.truncate(SIMILAR);
    Ok(found)
}

fn profile(conn: &Connection, id: &str) -> rusqlite::Result<Profile> {
    let mut statement = conn.prepare_cached("SELECT what, value FROM trait WHERE incident = ?1")?;
    let rows: Vec<(String, String)> =
        statement.query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
    let traits = rows
        .into_iter()
        .filter_map(|(word, value)| Trait::ALL.into_iter().find(|one| one.word() == word).map(|one| (one, value)));
    let words = list(conn, "SELECT word FROM word WHERE incident = ?1", &[id])?.into_iter().collect();
    Ok(Profile { traits: traits.collect(), words })
}

/// `None`: its declaration is not in the record.
fn told(conn: &Connection, id: String) -> rusqlite::Result<Option<Similar>> {
    let sql = "SELECT title, severity, declared, resolution FROM incident WHERE id = ?1";
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Similar {
            incident: IncidentId(id.clone()),
            title: row.get(0)?,
            severity: row.get(1)?,
            declared: instant(row.get(2)?),
            resolution: row.get(3)?,
            score: 0.0,
            why: Vec::new(),
        })
    };
    conn.prepare_cached(sql)?.query_row([&id], read).optional()
}

fn list(conn: &Connection, sql: &str, values: &[&str]) -> rusqlite::Result<Vec<String>> {
    let mut statement = conn.prepare_cached(sql)?;
    statement.query_map(rusqlite::params_from_iter(values), |row| row.get(0))?.collect()
}

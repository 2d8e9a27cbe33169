//! Postmortems in the index: what people wrote, by heading. The timeline in them is in the record already, and blanks say
//! nothing.

use crate::domain::fault::Fault;
use crate::domain::postmortem::draft::{BLANK, outline};
use crate::domain::search::telling;
use crate::domain::time::{Timestamp, rfc3339};
use crate::io::files::read::read_limited;
use crate::io::search::{Index, PART, one};
use rusqlite::{Connection, TransactionBehavior, params};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// The largest page that is read, in bytes.
const LIMIT: u64 = 2 * 1024 * 1024;
/// The most pages of a folder.
const PAGES: usize = 5_000;
/// Rows of pages begin here: no record has so many events.
const FIRST: i64 = 1 << 48;

impl Index {
    /// Takes in the Markdown files of a folder that changed, and forgets those that are gone.
    pub fn read_pages(&mut self, folder: &Path) -> Result<(), Fault> {
        let found = pages(folder);
        let result = self.take_pages(folder, &found);
        result.map_err(|e| self.fault(&e))
    }

    fn take_pages(&mut self, folder: &Path, found: &[(PathBuf, String)]) -> rusqlite::Result<()> {
        let inside = format!("{}/", folder.display());
        let there: BTreeSet<String> = found.iter().map(|(path, _)| path.to_string_lossy().into_owned()).collect();
        let known: Vec<String> = self
            .conn
            .prepare_cached("SELECT path FROM page")?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let gone = known.into_iter().filter(|path| path.starts_with(&inside) && !there.contains(path));
        let gone: Vec<String> = gone.collect();
        let changed: Vec<&(PathBuf, String)> = found
            .iter()
            .filter(|(path, stamp)| {
                let path = path.to_string_lossy();
                let known: Option<String> =
                    one(&self.conn, "SELECT stamp FROM page WHERE path = ?1", &path).ok().flatten();
                known.as_deref() != Some(stamp)
            })
            .collect();
        if gone.is_empty() && changed.is_empty() {
            return Ok(());
        }
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for path in &gone {
            forget(&tx, path)?;
        }
        for (path, stamp) in changed {
            let name = path.to_string_lossy().into_owned();
            forget(&tx, &name)?;
            let text = read_limited(path, LIMIT).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let incident = incident_of(&tx, path)?;
            tx.prepare_cached("INSERT INTO page VALUES (?1, ?2, ?3)")?.execute(params![name, stamp, incident])?;
            add(&tx, &name, &incident, &text.unwrap_or_default(), path)?;
        }
        tx.commit()
    }
}

fn forget(tx: &Connection, path: &str) -> rusqlite::Result<()> {
    let place = format!("{path}{PART}");
    tx.prepare_cached("DELETE FROM doc WHERE rowid >= ?1 AND substr(place, 1, length(?2)) = ?2")?
        .execute(params![FIRST, place])?;
    tx.prepare_cached("DELETE FROM page WHERE path = ?1")?.execute([path])?;
    Ok(())
}

fn add(tx: &Connection, name: &str, incident: &str, text: &str, path: &Path) -> rusqlite::Result<()> {
    let at = path.metadata().and_then(|m| m.modified()).ok().and_then(|t| t.duration_since(UNIX_EPOCH).ok());
    let at = at.and_then(|t| Timestamp::from_timestamp(i64::try_from(t.as_secs()).ok()?, 0)).map(rfc3339);
    for section in outline(text) {
        if section.title.to_lowercase().starts_with("timeline") {
            continue;
        }
        let written = |line: &&String| {
            let line = line.trim();
            !line.is_empty() && !line.starts_with("<!--") && !line.contains(BLANK.0) && !line.starts_with("```")
        };
        let lines: Vec<&str> = section.lines.iter().filter(written).map(|line| line.trim()).collect();
        if lines.is_empty() {
            continue;
        }
        let said = lines.join("\n");
        let sql = "INSERT INTO doc (rowid, text, kind, who, incident, place, at)
                   VALUES ((SELECT max(ifnull(max(rowid), 0) + 1, ?1) FROM doc), ?2, 'postmortem', '', ?3, ?4, ?5)";
        let place = format!("{name}{PART}{}", section.title.replace(PART, " "));
        let shown = format!("{}: {said}", section.title);
        tx.prepare_cached(sql)?.execute(params![FIRST, shown, incident, place, at.as_deref().unwrap_or("")])?;
        // Only what people wrote: the rest of a draft is in every draft.
        if !incident.is_empty() && section.lines.iter().any(|line| line.trim() == "<!-- keep -->") {
            for word in telling(&said) {
                tx.prepare_cached("INSERT OR IGNORE INTO word VALUES (?1, ?2)")?.execute(params![word, incident])?;
            }
        }
    }
    Ok(())
}

/// Markdown files of a folder with what changes when they do. What cannot be read is not there.
fn pages(folder: &Path) -> Vec<(PathBuf, String)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<(PathBuf, String)> = entries
        .flatten()
        .filter(|entry| entry.path().extension().is_some_and(|e| e.eq_ignore_ascii_case("md")))
        .filter_map(|entry| {
            let meta = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
            let modified = meta.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
            Some((entry.path(), format!("{}:{}", modified.as_nanos(), meta.len())))
        })
        .take(PAGES)
        .collect();
    found.sort();
    found
}

/// The incident of a draft, from its name: `2026-05-01-INC-20260501-031204.md`; `-2` at its end may be a second incident of
/// one second, or a second draft beside an edited one.
fn incident_of(conn: &Connection, path: &Path) -> rusqlite::Result<String> {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("");
    let Some(id) = stem.find("INC-").and_then(|at| stem.get(at..)) else { return Ok(String::new()) };
    let known = |id: &str| one::<String>(conn, "SELECT id FROM incident WHERE id = ?1", id);
    if let Some(id) = known(id)? {
        return Ok(id);
    }
    match id.rsplit_once('-') {
        Some((first, _)) => Ok(known(first)?.unwrap_or_default()),
        None => Ok(String::new()),
    }
}

//! Checks the file: what the database says of itself, kept states against their events, the outbox against what was
//! recorded, what may be there once, and the chain of every origin. Changes nothing.

use crate::domain::ids::{IncidentId, Origin};
use crate::domain::incident::event::{Body, Event};
use crate::domain::incident::redaction::redactions;
use crate::domain::incident::state::Incident;
use crate::domain::outward::entry::Entry;
use crate::io::store::chain::{self, Finding};
use crate::io::store::sqlite::head;
use crate::io::store::sqlite::open::corrupt;
use crate::io::store::sqlite::row::{COLUMNS, select, signed};
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet};

/// All events and what is wrong. A part that cannot be checked is a finding, and the other parts go on.
pub fn all(conn: &Connection, own: &Origin) -> rusqlite::Result<(Vec<Event>, Vec<Finding>)> {
    let mut findings = Vec::new();
    for part in [sound, heads_hold, outbox_holds, once_holds] {
        note(&mut findings, part(conn));
    }
    match chains_hold(conn, own) {
        Ok((events, found)) => {
            findings.extend(found);
            Ok((events, findings))
        }
        Err(e) => {
            note(&mut findings, Err(e));
            Ok((Vec::new(), findings))
        }
    }
}

/// Damage that stops a check is a finding of its own, and the other checks go on.
fn note(findings: &mut Vec<Finding>, result: rusqlite::Result<Vec<Finding>>) {
    match result {
        Ok(found) => findings.extend(found),
        Err(e) if corrupt(&e) => findings.push(Finding::whole(format!("the file is damaged: {e}"))),
        Err(e) => findings.push(Finding::whole(format!("could not be checked to the end: {e}"))),
    }
}

/// What the database says about itself.
fn sound(conn: &Connection) -> rusqlite::Result<Vec<Finding>> {
    let mut statement = conn.prepare("PRAGMA integrity_check(20)")?;
    let lines = statement.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(lines.into_iter().filter(|line| line != "ok").map(Finding::whole).collect())
}

/// Every origin's chain, and that none was cut at its end. Gives the events as well: they are read once.
fn chains_hold(conn: &Connection, own: &Origin) -> rusqlite::Result<(Vec<Event>, Vec<Finding>)> {
    let mut statement = conn.prepare("SELECT origin, seq, hash FROM chain ORDER BY origin")?;
    let ends: BTreeMap<String, (i64, String)> = statement
        .query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?
        .collect::<rusqlite::Result<_>>()?;
    // All names that this file was written under here: a moved file got a new one.
    let mut ours: BTreeSet<String> = conn
        .prepare("SELECT origin FROM installation")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    ours.insert(own.0.clone());
    let events = select(conn, &format!("SELECT {COLUMNS} FROM event ORDER BY origin, seq"), [])?;
    let taken_out = redactions(&events);
    let mut findings = Vec::new();
    let mut written = BTreeSet::new();
    for of_one in events.chunk_by(|a, b| a.key.origin == b.key.origin) {
        let Some(event) = of_one.last() else { continue };
        let origin = event.key.origin.as_str();
        written.insert(origin);
        findings.extend(chain::check(of_one.iter(), ours.contains(origin), &taken_out));
        match ends.get(origin) {
            None => findings.push(Finding::whole(format!("the end of the chain of {origin} is missing"))),
            Some((seq, hash)) if (signed(event.key.seq), &event.hash) != (*seq, hash) => {
                let text = format!("the chain of {origin} ends at event {seq}, and its last event is another one");
                findings.push(Finding::whole(text));
            }
            Some(_) => {}
        }
    }
    for (origin, (seq, _)) in ends.iter().filter(|(origin, _)| !written.contains(origin.as_str())) {
        let text = format!("the chain of {origin} ends at event {seq}, and its last event is another one");
        findings.push(Finding::whole(text));
    }
    Ok((events, findings))
}

/// What an incident holds once is there once.
fn once_holds(conn: &Connection) -> rusqlite::Result<Vec<Finding>> {
    let sql =
        "SELECT incident, once, count(*) FROM event WHERE once IS NOT NULL GROUP BY incident, once HAVING count(*) > 1";
    let mut statement = conn.prepare(sql)?;
    let found = statement.query_map([], |row| {
        let (incident, key, n): (String, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let text = format!("{incident}: `{key}` is recorded {n} times and may be there once");
        Ok(Finding { incident: Some(incident.as_str().into()), text })
    })?;
    found.collect()
}

/// Every row of the outbox can be read and belongs to the event that recorded it.
fn outbox_holds(conn: &Connection) -> rusqlite::Result<Vec<Finding>> {
    let mut statement =
        conn.prepare("SELECT op, entry, (SELECT body FROM event WHERE event.id = outbox.op) FROM outbox ORDER BY op")?;
    let rows: Vec<(String, String, Option<String>)> =
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect::<rusqlite::Result<_>>()?;
    let mut findings = Vec::new();
    for (op, entry, body) in rows {
        let entry: Option<Entry> = serde_json::from_str(&entry).ok();
        let body: Option<Body> = body.and_then(|body| serde_json::from_str(&body).ok());
        match (entry, body) {
            (None, _) => {
                findings.push(Finding::whole(format!("operation {op} in the outbox cannot be read; it is not sent")));
            }
            (Some(entry), Some(Body::Outgoing(recorded))) if *recorded == entry.op => {}
            (Some(entry), _) => findings.push(Finding {
                incident: Some(entry.incident),
                text: format!("operation {op} in the outbox is not the one that was recorded"),
            }),
        }
    }
    Ok(findings)
}

/// Every kept state is what its events fold to.
fn heads_hold(conn: &Connection) -> rusqlite::Result<Vec<Finding>> {
    let kept: BTreeMap<IncidentId, Incident> =
        head::read(conn, usize::MAX)?.into_iter().map(|state| (state.id.clone(), state)).collect();
    let mut findings = Vec::new();
    for id in head::incidents(conn)? {
        let folded = Incident::fold(&head::all(conn, &id)?);
        if kept.get(&id).is_some_and(|kept| folded.as_ref() != Some(kept)) {
            let text = format!("{id}: its kept state is not what its events say");
            findings.push(Finding { incident: Some(id), text });
        }
    }
    Ok(findings)
}

//! The kept state of each incident, so that the list of incidents is read without their events. A head is a copy that may
//! be thrown away at any time: it is folded anew when it is missing, unreadable, of another version, or when an event
//! arrived that belongs before its last one. The head of a large incident may lag some events behind, and says which.

use crate::domain::ids::IncidentId;
use crate::domain::incident::event::{Event, is_log};
use crate::domain::incident::state::Incident;
use crate::io::store::sqlite::row::{COLUMNS, instant, select, signed};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::{BTreeSet, HashMap};

/// Of the fold and of its JSON; a head of another version is folded anew.
pub const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "/5");

/// A head of so many bytes is rewritten at every event, one of twice the size at every second one: the time of an append
/// stays that of its sync.
const CHEAP: usize = 16 * 1024;

/// Folded states of this process, and how many events ago each was written.
#[derive(Debug, Default)]
pub struct Heads {
    live: HashMap<IncidentId, Live>,
}

#[derive(Debug)]
struct Live {
    state: Incident,
    written: u64,
    open: bool,
    bytes: usize,
}

impl Heads {
    /// Forgets what may no longer be true: another process wrote, or a transaction failed.
    pub fn forget(&mut self) {
        self.live.clear();
    }

    /// Forgets one incident whose events were changed.
    pub fn drop_one(&mut self, incident: &IncidentId) {
        self.live.remove(incident);
    }

    /// Takes in events that were just put, in this transaction, and writes the heads that must be written.
    pub fn take(&mut self, conn: &Connection, events: &[(i64, Event)]) -> rusqlite::Result<()> {
        let mut touched: BTreeSet<&IncidentId> = BTreeSet::new();
        for (_, event) in events {
            touched.insert(&event.incident);
            let Some(live) = self.live.get_mut(&event.incident) else { continue };
            if live.state.precedes(event) {
                live.state.apply(event);
            } else {
                self.live.remove(&event.incident);
                drop_head(conn, &event.incident)?;
            }
        }
        for id in touched {
            if !self.live.contains_key(id) {
                // Reads the new events as well, so nothing of this incident is left to apply.
                self.live.extend(current(conn, id)?.map(|live| (id.clone(), live)));
            }
            if let Some(live) = self.live.get_mut(id) {
                write(conn, live)?;
            }
        }
        Ok(())
    }
}

fn write(conn: &Connection, live: &mut Live) -> rusqlite::Result<()> {
    let late = live.state.events.saturating_sub(live.written);
    let lag = u64::try_from(live.bytes / CHEAP).unwrap_or(u64::MAX);
    if late > 0 && late <= lag && live.open == live.state.is_open() {
        return Ok(());
    }
    let state = &live.state;
    let json = serde_json::to_string(state).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))?;
    let sql = "INSERT OR REPLACE INTO head VALUES (?1, ?2, ?3, ?4, ?5)";
    let declared = instant(state.times.declared);
    conn.prepare_cached(sql)?.execute(params![state.id.as_str(), VERSION, state.is_open(), declared, json])?;
    (live.written, live.open, live.bytes) = (state.events, state.is_open(), json.len());
    Ok(())
}

/// The state as it is now: the head and what came after it, or the fold of everything.
fn current(conn: &Connection, id: &IncidentId) -> rusqlite::Result<Option<Live>> {
    let sql = "SELECT state FROM head WHERE incident = ?1 AND version = ?2";
    let json: Option<String> =
        conn.prepare_cached(sql)?.query_row([id.as_str(), VERSION], |row| row.get(0)).optional()?;
    match json.as_deref().and_then(parse) {
        Some(live) => caught_up(conn, live).map(Some),
        None => refold(conn, id),
    }
}

fn parse(json: &str) -> Option<Live> {
    let state: Incident = serde_json::from_str(json).ok()?;
    Some(Live { written: state.events, open: state.is_open(), bytes: json.len(), state })
}

fn caught_up(conn: &Connection, mut live: Live) -> rusqlite::Result<Live> {
    let (order, origin, seq) = &live.state.last;
    let sql = format!(
        "SELECT {COLUMNS} FROM event WHERE incident = ?1 AND (ord, origin, seq) > (?2, ?3, ?4)
         ORDER BY ord, origin, seq"
    );
    let id = live.state.id.as_str();
    for event in select(conn, &sql, params![id, signed(*order), origin, signed(*seq)])? {
        live.state.apply(&event);
    }
    Ok(live)
}

fn refold(conn: &Connection, id: &IncidentId) -> rusqlite::Result<Option<Live>> {
    let state = Incident::fold(&all(conn, id)?);
    Ok(state.map(|state| Live { written: 0, open: state.is_open(), bytes: 0, state }))
}

/// All events of an incident, in the order of the fold.
pub fn all(conn: &Connection, id: &IncidentId) -> rusqlite::Result<Vec<Event>> {
    let sql = format!("SELECT {COLUMNS} FROM event WHERE incident = ?1 ORDER BY ord, origin, seq");
    select(conn, &sql, [id.as_str()])
}

/// Throws a head away; the next reader folds it anew.
pub fn drop_head(conn: &Connection, id: &IncidentId) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM head WHERE incident = ?1")?.execute([id.as_str()])?;
    Ok(())
}

/// Incidents whose head is missing or of another version.
pub fn stale(conn: &Connection) -> rusqlite::Result<Vec<IncidentId>> {
    let known: HashMap<String, String> = conn
        .prepare_cached("SELECT incident, version FROM head")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let fresh = |id: &IncidentId| known.get(id.as_str()).is_some_and(|version| version == VERSION);
    // A log is no incident: it never has a head, and looking for one would be writing at every start.
    Ok(incidents(conn)?.into_iter().filter(|id| !is_log(id) && !fresh(id)).collect())
}

/// The ids of all incidents, jumping through the index from one to the next.
pub fn incidents(conn: &Connection) -> rusqlite::Result<Vec<IncidentId>> {
    let mut statement = conn.prepare_cached("SELECT min(incident) FROM event WHERE incident > ?1")?;
    let mut ids: Vec<IncidentId> = Vec::new();
    loop {
        let after = ids.last().map_or("", IncidentId::as_str);
        match statement.query_row([after], |row| row.get::<_, Option<String>>(0))? {
            Some(next) => ids.push(IncidentId(next)),
            None => return Ok(ids),
        }
    }
}

/// Folds and writes the heads that are missing; the ones that no event declares have none.
pub fn renew(conn: &Connection, ids: &[IncidentId]) -> rusqlite::Result<()> {
    for id in ids {
        if let Some(mut live) = refold(conn, id)? {
            write(conn, &mut live)?;
        }
    }
    Ok(())
}

/// The states of all open incidents and of the newest `resolved` others, newest first.
pub fn read(conn: &Connection, resolved: usize) -> rusqlite::Result<Vec<Incident>> {
    let limit = i64::try_from(resolved).unwrap_or(i64::MAX);
    let sql = "SELECT incident FROM head WHERE open = 1
               UNION ALL
               SELECT incident FROM (SELECT incident FROM head WHERE open = 0
                                     ORDER BY declared DESC, incident DESC LIMIT ?1)";
    let ids: Vec<String> =
        conn.prepare_cached(sql)?.query_map([limit], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    ids.into_iter()
        .filter_map(|id| current(conn, &IncidentId(id)).map(|live| live.map(|l| l.state)).transpose())
        .collect()
}

//! The record as commands use it: opened once, asked for an incident by what a person typed, written as the responder.
//! Every write is on disk when it returns. Decides nothing; the rules are in the domain.

use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::library::Library;
use crate::config::Config;
use crate::domain::document::nearest;
use crate::domain::escalation::timer::Timer;
use crate::domain::escalation::timers::timers;
use crate::domain::fault::Fault;
use crate::domain::ids::{IncidentId, Origin};
use crate::domain::incident::decide::Refusal;
use crate::domain::incident::event::{Body, Event, NewEvent};
use crate::domain::incident::state::Incident;
use crate::domain::labels::Labels;
use crate::domain::runbook::matching::matches;
use crate::domain::runbook::model::Runbook;
use crate::domain::time::{Timestamp, parse_when};
use crate::io::clock;
use crate::io::store::Store;
use crate::io::store::memory::Memory;
use crate::io::store::sqlite::Sqlite;
use crate::io::store::sqlite::open::default_path;
use chrono::{FixedOffset, Offset};
use std::sync::Arc;

/// An incident as it is recorded.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// As it stands.
    pub state: Incident,
    /// Everything that was recorded, in the order of the fold.
    pub events: Vec<Event>,
}

/// The open record.
pub struct Desk<'c> {
    /// Folders, severities, files.
    pub context: &'c Context,
    /// Settings.
    pub config: &'c Config,
    /// The record.
    pub store: Box<dyn Store>,
    /// When the command began.
    pub now: Timestamp,
}

impl std::fmt::Debug for Desk<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("now", &self.now).finish_non_exhaustive()
    }
}

/// A refused act is a failure of the command.
pub fn refused(refusal: Refusal) -> Failure {
    Failure::Refused(refusal.0)
}

fn failed(fault: Fault) -> Failure {
    Failure::Refused(fault.to_string())
}

/// Refuses in read-only mode.
pub fn writable(config: &Config) -> Result<(), Failure> {
    match config.read_only {
        true => Err(Failure::Refused("read-only: nothing was changed".to_owned())),
        false => Ok(()),
    }
}

impl<'c> Desk<'c> {
    /// Opens the record to read. Where there is none yet, none is made.
    pub fn to_read(context: &'c Context, config: &'c Config) -> Result<Self, Failure> {
        let path = default_path(&context.folders.data);
        let store: Box<dyn Store> = match path.exists() {
            true => Box::new(Sqlite::open(&path).map_err(failed)?),
            false => Box::new(Memory::new(Origin("nobody".to_owned()))),
        };
        Ok(Self { context, config, store, now: clock::now() })
    }

    /// Opens the record to write, or refuses in read-only mode.
    pub fn to_write(context: &'c Context, config: &'c Config) -> Result<Self, Failure> {
        writable(config)?;
        let store = Sqlite::open(&default_path(&context.folders.data)).map_err(failed)?;
        Ok(Self { context, config, store: Box::new(store), now: clock::now() })
    }

    /// All open incidents and the newest resolved ones, newest first.
    pub fn heads(&mut self) -> Result<Vec<Incident>, Failure> {
        self.store.heads().map_err(failed)
    }

    /// All incidents that were not over before an instant.
    pub fn ended_since(&mut self, from: Timestamp) -> Result<Vec<Incident>, Failure> {
        self.store.ended_since(from).map_err(failed)
    }

    /// The incident of an id, of the end of one that no other has, or of `last`: the one declared last.
    pub fn find(&mut self, typed: &str) -> Result<Recorded, Failure> {
        let heads = self.heads()?;
        let known: Vec<&str> = heads.iter().map(|i| i.id.as_str()).collect();
        let id = match choose(typed.trim(), &known) {
            Chosen::One(id) => IncidentId(id.to_owned()),
            Chosen::Several(ids) => {
                return Err(Failure::Refused(format!("`{typed}` could be {}; type more of it", ids.join(" or "))));
            }
            // A resolved one of long ago is in no list.
            Chosen::None => IncidentId(typed.trim().to_owned()),
        };
        match self.read(&id)? {
            Some(recorded) => Ok(recorded),
            None => {
                let hint = match (nearest(typed, known.iter().copied()), known.first()) {
                    (Some(near), _) => format!("nearest: {near}"),
                    (None, Some(newest)) => format!("the newest is {newest}"),
                    (None, None) => "nothing is recorded here".to_owned(),
                };
                Err(Failure::Refused(format!("there is no incident `{typed}` ({hint})")))
            }
        }
    }

    /// An incident by its whole id.
    pub fn read(&mut self, id: &IncidentId) -> Result<Option<Recorded>, Failure> {
        let events = self.store.events(id).map_err(failed)?;
        Ok(Incident::fold(&events).map(|state| Recorded { state, events }))
    }

    /// Records what the responder did; it is on disk when this returns.
    pub fn act(&mut self, id: &IncidentId, at: Timestamp, bodies: Vec<Body>) -> Result<Vec<Event>, Failure> {
        let actor = self.config.responder.name.clone();
        self.put(id, at, &actor, bodies, None)
    }

    /// Records what the program itself did, under a key that the incident holds once.
    pub fn note(&mut self, id: &IncidentId, body: Body, once: Option<String>) -> Result<Vec<Event>, Failure> {
        let now = clock::now();
        self.put(id, now, "midwatch", vec![body], once)
    }

    /// The same of something that was so since before.
    pub fn note_at(
        &mut self,
        id: &IncidentId,
        at: Timestamp,
        body: Body,
        once: Option<String>,
    ) -> Result<Vec<Event>, Failure> {
        self.put(id, at, "midwatch", vec![body], once)
    }

    /// Records events as they are; they are on disk when this returns. Those whose key the incident holds are left out.
    pub fn put_all(&mut self, events: Vec<NewEvent>) -> Result<Vec<Event>, Failure> {
        match self.store.append(events) {
            Ok(events) => Ok(events),
            // After a failed commit only the file itself can tell whether it is there.
            Err(fault) => match self.store.reopen() {
                Ok(Some(landed)) => Ok(landed.into_iter().flatten().collect()),
                Ok(None) | Err(_) => Err(Failure::Refused(format!("NOT SAVED: {fault}; nothing was recorded"))),
            },
        }
    }

    fn put(
        &mut self,
        id: &IncidentId,
        at: Timestamp,
        actor: &str,
        bodies: Vec<Body>,
        once: Option<String>,
    ) -> Result<Vec<Event>, Failure> {
        let recorded_at = clock::now();
        let event = |body| NewEvent {
            incident: id.clone(),
            at,
            recorded_at,
            actor: actor.to_owned(),
            body,
            once: once.clone(),
        };
        self.put_all(bodies.into_iter().map(event).collect())
    }

    /// The zone of bare times.
    pub fn offset(&self) -> FixedOffset {
        self.now.with_timezone(&self.config.time_zone).offset().fix()
    }

    /// The instant that was typed, or now.
    pub fn when(&self, typed: Option<&str>) -> Result<Timestamp, Failure> {
        match typed {
            Some(text) => {
                parse_when(text, self.now, self.offset()).map_err(|why| Failure::Usage(format!("--at: {why}")))
            }
            None => Ok(self.now),
        }
    }

    /// The deadlines of an incident as they stand; those of forecasts need sources and are not among them.
    pub fn timers(&self, incident: &Incident, library: &Library) -> Vec<Timer> {
        let book = followed(incident, &library.books);
        timers(incident, &self.context.severities, book.as_deref(), &[], clock::now())
    }
}

/// The runbook whose escalation counts: the one opened last, else the best for its alerts.
fn followed(incident: &Incident, books: &[Arc<Runbook>]) -> Option<Arc<Runbook>> {
    let best = || {
        let found = incident.alerts.values().flat_map(|a| matches(books, &a.name, &a.labels, &Labels::default()));
        found.max_by_key(|m| m.score).map(|m| m.runbook)
    };
    let id = incident.runbook.clone().or_else(best)?;
    books.iter().find(|b| b.id == id).cloned()
}

#[derive(Debug, PartialEq)]
enum Chosen<'k> {
    One(&'k str),
    Several(Vec<&'k str>),
    None,
}

/// `known` is newest first.
fn choose<'k>(typed: &str, known: &[&'k str]) -> Chosen<'k> {
    if typed.eq_ignore_ascii_case("last") {
        return known.first().map_or(Chosen::None, |id| Chosen::One(id));
    }
    if let Some(id) = known.iter().find(|id| id.eq_ignore_ascii_case(typed)) {
        return Chosen::One(id);
    }
    let lower = typed.to_ascii_lowercase();
    let ends: Vec<&str> =
        known.iter().copied().filter(|id| !lower.is_empty() && id.to_ascii_lowercase().ends_with(&lower)).collect();
    match ends.as_slice() {
        [] => Chosen::None,
        [id] => Chosen::One(id),
        _ => Chosen::Several(ends),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_may_be_shortened_to_what_no_other_ends_with() {
        let known = ["INC-20260502-031204", "INC-20260501-031204-2", "INC-20260501-031204"];
        assert_eq!(choose("last", &known), Chosen::One("INC-20260502-031204"));
        assert_eq!(choose("inc-20260501-031204", &known), Chosen::One("INC-20260501-031204"));
        assert_eq!(choose("4-2", &known), Chosen::One("INC-20260501-031204-2"));
        assert_eq!(choose("1204", &known), Chosen::Several(vec!["INC-20260502-031204", "INC-20260501-031204"]));
        assert_eq!(choose("0501-031204", &known), Chosen::One("INC-20260501-031204"));
        assert_eq!(choose("", &known), Chosen::None);
        assert_eq!(choose("last", &[]), Chosen::None);
    }
}

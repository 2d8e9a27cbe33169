//! GoAlert: alerts over its GraphQL API (`incident_backends`), alarms over its generic API (`event_sinks`).
//!
//! A key of the GraphQL API belongs to one exact document, which is shipped ([`DOCUMENT`], `midwatch schema goalert`): each
//! question names its operation in it. One request is made at a time, as the product has it. What its API has no call for
//! (notes, assignment, snooze, merge, giving back) is missing here too.

mod ask;
mod decode;
mod incoming;

use crate::config::{OutsideConfig, Section};
use crate::domain::document::Reader;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::outward::backend::{BackendIncident, BackendStatus, BackendWrite, LogEntry, Me, OnCall, Party};
use crate::domain::outward::capability::{Capability, Caps, Class, Lack};
use crate::domain::outward::intent::Intent;
use crate::domain::outward::operation::Operation;
use crate::domain::outward::outcome::{Found, Obstacle, Outcome, Reference};
use crate::domain::outward::pace::Pace;
use crate::domain::server_note::ServerNote;
use crate::domain::time::Timestamp;
use crate::io::goalert::ask::Asker;
use crate::io::http::json::{list, some, text};
use crate::io::http::{Endpoint, Failure};
use crate::io::integration::Integration;
use crate::io::pages::{self, Services};
use crate::io::port::{IncidentBackend, Outward, Target, Task};
use crate::io::rooms::{cut, wants_bearer};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// The document that a key is made with.
pub const DOCUMENT: &str = include_str!("../../assets/goalert/midwatch.graphql");

/// Its row in the registry.
pub const INTEGRATION: Integration = Integration {
    kind: "goalert",
    about: "GoAlert: alerts over GraphQL, alarms over its generic API",
    sections: &[Section::IncidentBackends, Section::EventSinks],
    url: None,
    secret_url: false,
    options: &OPTIONS,
    check,
    connect,
};

const OPTIONS: [(&str, &str); 4] = [
    pages::SERVICES,
    pages::DEFAULT_SERVICE,
    ("only", "ids of services there: only their alerts are listed"),
    pages::AUDIENCE,
];
/// Requests that one write may take, each with the time limit of a request; one more may stand before it.
const REQUESTS: u32 = 4;
/// The most alerts of a list.
const MOST: usize = 2_000;
/// The most lines of a log.
const MOST_LOG: usize = 1_000;
/// The most logs that are read with one list, for who has what.
const MOST_TAKERS: usize = 5;
const SUMMARY: usize = 1_000;
const DETAILS: usize = 6_000;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Settings {
    services: Services,
    only: Vec<String>,
    audience: Option<String>,
}

fn settings(config: &OutsideConfig, reader: &mut Reader<'_>) -> Settings {
    let fields = config.options(reader, &INTEGRATION.keys());
    let audience = fields.as_ref().and_then(|f| f.get(pages::AUDIENCE.0));
    Settings {
        audience: audience.and_then(|node| reader.string(node, pages::AUDIENCE.0)),
        services: Services::read(reader, fields.as_ref()),
        only: pages::ids(reader, fields.as_ref(), "only"),
    }
}

fn check(config: &OutsideConfig, reader: &mut Reader<'_>) {
    drop(settings(config, reader));
    wants_bearer(config, reader);
    pages::encrypted(config, reader);
    match config.section {
        Section::EventSinks => {
            let keys = [pages::SERVICES.0, pages::DEFAULT_SERVICE.0, "only"];
            pages::misplaced(config, reader, &keys, Section::IncidentBackends.key());
        }
        _ => pages::misplaced(config, reader, &[pages::AUDIENCE.0], Section::EventSinks.key()),
    }
}

fn connect(config: &OutsideConfig, endpoint: Endpoint) -> Result<Target, Fault> {
    let settings = settings(config, &mut Reader::new(&config.path));
    if config.section == Section::EventSinks {
        return Ok(incoming::target(config, settings.audience, endpoint));
    }
    let (address, limit) = (endpoint.url().to_owned(), endpoint.timeout * REQUESTS);
    let backend = Arc::new(GoAlert {
        read_only: config.read_only,
        settings,
        asker: Asker::new(endpoint),
        takers: Mutex::default(),
    });
    let target = Target::new(INTEGRATION.kind, address, limit, backend.clone());
    Ok(target.with_backend(backend).read_every(pages::every(config)))
}

/// Who took an alert, and when.
type Taker = (Party, Option<Timestamp>);

/// One installation.
#[derive(Debug)]
struct GoAlert {
    read_only: bool,
    settings: Settings,
    asker: Asker,
    /// Who took the acknowledged alerts, as their logs tell: a list does not.
    takers: Mutex<BTreeMap<String, Option<Taker>>>,
}

fn number(id: &str) -> Option<i64> {
    id.parse().ok().filter(|number| *number > 0)
}

impl GoAlert {
    /// One alert, for a write or a look: not kept waiting by the budget.
    async fn alert(&self, id: i64) -> Result<BackendIncident, Failure> {
        let data = self.asker.now("MidwatchAlert", json!({"id": id})).await?;
        let alert = data.get("alert").filter(|alert| !alert.is_null());
        let alert = alert.ok_or_else(|| pages::gone(self.asker.name(), format!("there is no alert #{id}")))?;
        decode::alert(alert, self.asker.base())
            .ok_or_else(|| Failure::unreadable(self.asker.name(), "the answer has no alert"))
    }

    async fn open(&self) -> Result<Vec<BackendIncident>, Failure> {
        let only = if self.settings.only.is_empty() { Value::Null } else { json!(self.settings.only) };
        let (mut all, mut seen, mut after) = (Vec::new(), BTreeSet::new(), String::new());
        loop {
            let data = self.asker.ask("MidwatchOpen", json!({"after": after, "services": only})).await?;
            let Some(nodes) = data.pointer("/alerts/nodes").and_then(Value::as_array) else {
                return Err(Failure::unreadable(self.asker.name(), "the answer has no list of alerts"));
            };
            for there in nodes.iter().filter_map(|node| decode::alert(node, self.asker.base())) {
                // The filter is the server's; what it let through in spite of it is over.
                if there.status != BackendStatus::Resolved && seen.insert(there.id.clone()) {
                    all.push(there);
                }
            }
            let cursor = text(&data, "/alerts/pageInfo/endCursor").to_owned();
            let more = data.pointer("/alerts/pageInfo/hasNextPage").and_then(Value::as_bool) == Some(true);
            if !more || nodes.is_empty() || cursor.is_empty() || cursor == after {
                break;
            }
            if all.len() >= MOST {
                let detail = format!("more than {MOST} alerts: narrow it with options.only");
                let fault = Fault::new(FaultKind::TooLarge, self.asker.name(), detail);
                return Err(Failure { fault, ..Failure::unreadable(self.asker.name(), "") });
            }
            after = cursor;
        }
        self.tell_takers(&mut all).await;
        Ok(all)
    }

    fn known_takers<T>(&self, use_them: impl FnOnce(&mut BTreeMap<String, Option<Taker>>) -> T) -> T {
        use_them(&mut self.takers.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Who has what is acknowledged stands in the logs alone: a few are read with every list, each once.
    async fn tell_takers(&self, all: &mut [BackendIncident]) {
        let taken: BTreeSet<String> =
            all.iter().filter(|i| i.status == BackendStatus::Acknowledged).map(|i| i.id.clone()).collect();
        let unknown: Vec<String> = self.known_takers(|known| {
            known.retain(|id, _| taken.contains(id));
            taken.iter().filter(|id| !known.contains_key(*id)).take(MOST_TAKERS).cloned().collect()
        });
        for id in unknown {
            // One that cannot be read is asked for again with the next list.
            let Some(Ok(there)) = (match number(&id) {
                Some(number) => Some(self.alert(number).await),
                None => None,
            }) else {
                continue;
            };
            self.known_takers(|known| known.insert(id, there.acknowledged_by.last().cloned()));
        }
        self.known_takers(|known| {
            for there in all {
                there.acknowledged_by = known.get(&there.id).cloned().flatten().into_iter().collect();
            }
        });
    }

    async fn log_of(&self, id: &str, since: Option<Timestamp>) -> Result<Vec<LogEntry>, Failure> {
        let missing = || pages::gone(self.asker.name(), format!("there is no alert {id:?}"));
        let id = number(id).ok_or_else(missing)?;
        let (mut log, mut after): (Vec<LogEntry>, String) = (Vec::new(), String::new());
        loop {
            let data = self.asker.ask("MidwatchLog", json!({"id": id, "after": after})).await?;
            let events = data.pointer("/alert/recentEvents").ok_or_else(missing)?;
            // The newest come first.
            let page: Vec<LogEntry> = list(events, "/nodes").iter().filter_map(decode::log_entry).collect();
            let old = page.last().zip(since).is_some_and(|(last, since)| last.at < since);
            let (empty, cursor) = (page.is_empty(), text(events, "/pageInfo/endCursor").to_owned());
            log.extend(page.into_iter().filter(|entry| since.is_none_or(|since| entry.at >= since)));
            let more = events.pointer("/pageInfo/hasNextPage").and_then(Value::as_bool) == Some(true);
            if !more || old || empty || cursor.is_empty() || cursor == after || log.len() >= MOST_LOG {
                break;
            }
            after = cursor;
        }
        log.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
        Ok(log)
    }

    async fn people(&self, service: Option<&str>) -> Result<Vec<OnCall>, Fault> {
        let mut people = Vec::new();
        for id in self.settings.services.asked(service, self.asker.name())? {
            let asked = self.asker.ask("MidwatchOnCall", json!({"service": id})).await;
            let data = asked.map_err(|failure| failure.fault)?;
            let there = data.get("service").filter(|there| !there.is_null());
            let there =
                there.ok_or_else(|| pages::gone(self.asker.name(), format!("there is no service {id}")).fault)?;
            people.extend(decode::on_call(there));
        }
        people.sort_by(|a, b| (a.level, &a.person.name).cmp(&(b.level, &b.person.name)));
        Ok(people)
    }

    async fn send(&self, op: &Operation) -> Outcome {
        let Intent::Backend(write) = &op.intent else { return pages::no_backend("GoAlert", op) };
        if let Some(refusal) = self.caps().refusal(write.capability()) {
            return refusal;
        }
        let step = match write {
            BackendWrite::Declare { .. } => self.create(op, write).await,
            _ => self.change(op, write).await,
        };
        step.unwrap_or_else(|outcome| outcome)
    }

    /// Reads the alert, compares it with what is wanted, and sends the difference.
    async fn change(&self, op: &Operation, write: &BackendWrite) -> Result<Outcome, Outcome> {
        let given = write.incident().unwrap_or_default();
        let id = number(given).ok_or_else(|| pages::no_such(given))?;
        let there = self.alert(id).await.map_err(pages::before)?;
        pages::judge(&there, op, write)?;
        let (operation, variables, place) = match write {
            BackendWrite::Acknowledge { .. } => {
                ("MidwatchUpdate", json!({"id": id, "status": "StatusAcknowledged"}), "/updateAlerts")
            }
            BackendWrite::Resolve { .. } => {
                ("MidwatchUpdate", json!({"id": id, "status": "StatusClosed"}), "/updateAlerts")
            }
            BackendWrite::Escalate { level, .. } => {
                next_step(&there, *level)?;
                ("MidwatchEscalate", json!({"id": id}), "/escalateAlerts")
            }
            _ => return Err(Outcome::unsupported("it has no such call")),
        };
        let data = self.asker.now(operation, variables).await.map_err(|failure| failure.outcome())?;
        if !list(&data, place).is_empty() {
            return Ok(Outcome::Applied(pages::reference(&there)));
        }
        // It changed nothing: the alert moved on between the reading and the writing, or a proxy sent it twice.
        let there = self.alert(id).await.map_err(pages::before)?;
        pages::judge(&there, op, write)?;
        Err(Outcome::Conflict { current: format!("{}; nothing was changed", pages::current(&there)) })
    }

    /// Opens an alert under the operation's id: one of the same key joins it while it is open.
    async fn create(&self, op: &Operation, write: &BackendWrite) -> Result<Outcome, Outcome> {
        let BackendWrite::Declare { title, service, body, .. } = write else {
            return Err(Outcome::unsupported("it has no such call"));
        };
        let service = self.settings.services.wanted(service.as_ref())?;
        let variables = json!({
            "service": service, "summary": cut(title, SUMMARY), "details": cut(body, DETAILS), "dedup": op.id.as_str(),
        });
        let data = self.asker.now("MidwatchCreate", variables).await.map_err(|failure| failure.outcome())?;
        let id = data.pointer("/createAlert/alertID").and_then(Value::as_i64);
        let reference = id.map_or_else(Reference::default, |id| decode::reference(id, self.asker.base()));
        Ok(Outcome::Applied(reference))
    }

    async fn state(&self, write: &BackendWrite) -> Result<Found, Failure> {
        let Some(id) = write.incident().and_then(number) else { return Ok(Found::NoWay) };
        Ok(pages::found(&self.alert(id).await?, write))
    }
}

/// It goes one step further and knows no other: refused where that is not the level that was meant.
fn next_step(there: &BackendIncident, wanted: u32) -> Result<(), Outcome> {
    let refused = |words: String| Outcome::Refused { kind: Obstacle::Invalid, words };
    match there.level {
        None => Err(refused("its escalation policy has no steps".into())),
        Some(level) if level == wanted => Err(Outcome::AlreadyDone(pages::reference(there))),
        Some(level) if level + 1 == wanted => Ok(()),
        Some(level) => {
            Err(refused(format!("it is at level {level}, and GoAlert goes to the next one alone: {}", level + 1)))
        }
    }
}

impl Outward for GoAlert {
    fn caps(&self) -> Caps {
        use Capability::{
            Acknowledge, Declare, Escalate, Merge, Note, ReadIncidents, ReadLog, ReadOnCall, Reassign, Resolve, Snooze,
            Unacknowledge,
        };
        let mut caps = Caps::none()
            .with(Class::Repeat, &[Acknowledge, Resolve, ReadIncidents, ReadLog, ReadOnCall])
            .with(Class::RepeatWithKey, &[Declare])
            .with(Class::AskPerson, &[Escalate])
            .without(Lack::Unsupported, "GoAlert's API has none", &[Note, Reassign, Snooze, Merge, Unacknowledge]);
        if self.settings.services.is_empty() {
            let words = "options.services or options.default_service says which services there are meant";
            caps = caps.without(Lack::NotConfigured, words, &[Declare, ReadOnCall]);
        }
        if self.read_only { caps.read_only() } else { caps }
    }

    fn pace(&self) -> Pace {
        Pace { burst: 5, per_minute: 60 }
    }

    fn apply<'a>(&'a self, op: &'a Operation) -> Task<'a, Outcome> {
        Box::pin(self.send(op))
    }

    fn look<'a>(&'a self, op: &'a Operation) -> Task<'a, Found> {
        Box::pin(async move {
            let Intent::Backend(write) = &op.intent else { return Found::NoWay };
            self.state(write).await.unwrap_or_else(|failure| pages::unseen(&failure))
        })
    }

    fn probe(&self) -> Task<'_, Result<ServerNote, Fault>> {
        Box::pin(async move {
            let data = self.asker.now("MidwatchProbe", json!({})).await.map_err(|failure| failure.fault)?;
            if data.pointer("/alerts/nodes").is_none() {
                return Err(Failure::unreadable(self.asker.name(), "the answer has no list of alerts").fault);
            }
            let version = Some("GraphQL, the key's document has our operations".to_owned());
            Ok(ServerNote { requests: 1, skew: self.asker.skew(), version, ..ServerNote::default() })
        })
    }
}

impl IncidentBackend for GoAlert {
    fn list(&self) -> Task<'_, Result<Vec<BackendIncident>, Fault>> {
        Box::pin(async move { self.open().await.map_err(|failure| failure.fault) })
    }

    fn get<'a>(&'a self, id: &'a str) -> Task<'a, Result<BackendIncident, Fault>> {
        Box::pin(async move {
            let missing = || pages::gone(self.asker.name(), format!("there is no alert {id:?}")).fault;
            self.alert(number(id).ok_or_else(missing)?).await.map_err(|failure| failure.fault)
        })
    }

    fn log<'a>(&'a self, id: &'a str, since: Option<Timestamp>) -> Task<'a, Result<Vec<LogEntry>, Fault>> {
        Box::pin(async move { self.log_of(id, since).await.map_err(|failure| failure.fault) })
    }

    fn on_call<'a>(&'a self, service: Option<&'a str>) -> Task<'a, Result<Vec<OnCall>, Fault>> {
        Box::pin(self.people(service))
    }

    /// A key of the API is nobody in person.
    fn me(&self) -> Task<'_, Result<Me, Fault>> {
        Box::pin(std::future::ready(Ok(Me { person: None, token: "API key".into() })))
    }
}

/// A name that is there and not empty.
fn named(value: &Value, place: &str) -> Option<Party> {
    let id = some(value, &format!("{place}/id"))?;
    let name = some(value, &format!("{place}/name")).unwrap_or_else(|| id.clone());
    Some(Party { id, name, ..Party::default() })
}

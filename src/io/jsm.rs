//! Jira Service Management operations: alerts over the operations API, with the address and the token of a person.
//!
//! Every write is taken with a 202 and carried out later: it is followed to its end, and goes on in the outbox where that
//! takes longer. A lost answer is looked up by the state that it wanted, by the marker in a note, or by the alias.

mod decode;

use crate::config::{Auth, OutsideConfig, Section};
use crate::domain::document::Reader;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::outward::backend::{
    BackendAlert, BackendIncident, BackendStatus, BackendWrite, LogEntry, Me, OnCall, Party, Priority,
};
use crate::domain::outward::capability::{Capability, Caps, Class, Lack};
use crate::domain::outward::intent::Intent;
use crate::domain::outward::operation::Operation;
use crate::domain::outward::outcome::{Found, Obstacle, Outcome, Reference};
use crate::domain::outward::pace::Pace;
use crate::domain::server_note::ServerNote;
use crate::domain::time::{Span, Timestamp, rfc3339, secs};
use crate::io::http::json::{JsonApi, list, some, text};
use crate::io::http::{Endpoint, Explained, Failure};
use crate::io::integration::Integration;
use crate::io::jsm::decode::People;
use crate::io::pages::{self, Services, is_id};
use crate::io::port::{IncidentBackend, Outward, Target, Task};
use crate::io::rooms::cut;
use crate::io::tickets;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Its row in the registry.
pub const INTEGRATION: Integration = Integration {
    kind: "jsm",
    about: "Jira Service Management operations: alerts",
    sections: &[Section::IncidentBackends],
    url: Some("https://api.atlassian.com"),
    secret_url: false,
    options: &OPTIONS,
    check,
    connect,
};

const OPTIONS: [(&str, &str); 7] = [
    ("cloud_id", "the id of the site in Atlassian's cloud; needed"),
    ("query", "a search that narrows the alerts that are listed, such as `teams: platform`"),
    ("services", "our services, each with the id of the team there that gets an alert opened for it"),
    pages::DEFAULT_SERVICE,
    ("schedules", "our services, each with the id of its schedule there: who is on call"),
    ("escalation", "the id of the escalation policy that an alert is escalated through"),
    tickets::PEOPLE,
];
/// Requests that one write may take, its following among them.
const REQUESTS: u32 = 7;
/// How long a request that was taken is followed before the outbox goes on with it.
const FOLLOWED: [Duration; 4] =
    [Duration::from_millis(150), Duration::from_millis(350), Duration::from_millis(700), Duration::from_millis(1_300)];
/// What was not found is asked for again after this: a write may still be on its way.
const SETTLES: Duration = Duration::from_secs(2);
const BUDGET: Pace = Pace { burst: 20, per_minute: 90 };
const PAGE: usize = 100;
/// Beyond this the product gives no alerts.
const DEEPEST: usize = 20_000;
const MOST: usize = 5_000;
const MOST_LOG: usize = 1_000;
/// Requests that are remembered, by operation.
const REMEMBERED: usize = 200;
/// The longest message of an alert, and the longest description and note.
const MESSAGE: usize = 130;
const WORDS: usize = 15_000;
const PRIORITIES: [&str; 5] = ["P1", "P2", "P3", "P4", "P5"];
const LONGEST_SNOOZE: u64 = 7 * 24 * 3_600;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Settings {
    cloud: String,
    query: Option<String>,
    teams: Services,
    schedules: Services,
    escalation: Option<String>,
    people: People,
    user: Option<String>,
}

fn settings(config: &OutsideConfig, reader: &mut Reader<'_>) -> Settings {
    let fields = config.options(reader, &INTEGRATION.keys());
    let get = |key: &str| fields.as_ref().and_then(|f| f.get(key));
    let mut out = Settings {
        cloud: get("cloud_id").and_then(|n| pages::id(reader, n, "cloud_id")).unwrap_or_default(),
        query: get("query").and_then(|n| reader.string(n, "query")),
        escalation: get("escalation").and_then(|n| pages::id(reader, n, "escalation")),
        ..Settings::default()
    };
    out.teams = Services::read(reader, fields.as_ref());
    out.schedules = Services::mapped(reader, fields.as_ref(), "schedules");
    if let Some(entries) = get(tickets::PEOPLE.0).and_then(|n| reader.entries(n, tickets::PEOPLE.0)) {
        for (name, node) in entries {
            out.people.extend(reader.string(node, tickets::PEOPLE.0).map(|account| (account, name.text.clone())));
        }
    }
    if let Auth::Basic { username, .. } = &config.connection.auth {
        out.user = Some(username.clone());
    }
    out
}

fn check(config: &OutsideConfig, reader: &mut Reader<'_>) {
    let settings = settings(config, reader);
    if settings.cloud.is_empty() {
        let message = "jsm needs options: {cloud_id: ID}; https://SITE.atlassian.net/_edge/tenant_info tells it";
        reader.error(config.options_mark(), "missing-key", message);
    }
    pages::wants_basic(config, reader);
    pages::encrypted(config, reader);
}

fn connect(config: &OutsideConfig, endpoint: Endpoint) -> Result<Target, Fault> {
    let settings = settings(config, &mut Reader::new(&config.path));
    let address = endpoint.url().to_owned();
    let limit = endpoint.timeout * REQUESTS + FOLLOWED.iter().sum::<Duration>() + SETTLES;
    let backend = Arc::new(Jsm {
        read_only: config.read_only,
        root: format!("jsm/ops/api/{}/v1", settings.cloud),
        settings,
        api: JsonApi::paced(endpoint, explain, &[("Accept", "application/json")], BUDGET),
        requests: Mutex::default(),
    });
    let target = Target::new(INTEGRATION.kind, address, limit, backend.clone());
    Ok(target.with_backend(backend).read_every(pages::every(config)))
}

/// `{"message"}`, `{"errors": [{"title", "detail"}]}` or `{"errors": {field: words}}`.
fn explain(body: &[u8]) -> Explained {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let mut said: Vec<String> = some(&value, "/message").into_iter().collect();
    for error in list(&value, "/errors").iter().take(5) {
        said.extend(some(error, "/detail").or_else(|| some(error, "/title")).or_else(|| some(error, "/message")));
    }
    for (field, words) in value.get("errors").and_then(Value::as_object).into_iter().flatten().take(5) {
        said.push(format!("{field}: {}", words.as_str().unwrap_or("wrong")));
    }
    Explained { text: said.join("; "), code: some(&value, "/code"), ..Explained::default() }
}

/// What became of a request that was taken.
enum Followed {
    Done(Option<String>),
    Failed(String),
    Open,
}

/// One site.
#[derive(Debug)]
struct Jsm {
    read_only: bool,
    root: String,
    settings: Settings,
    api: JsonApi,
    /// Requests that were taken, by operation, the oldest first. A process that ends forgets them; then the state is read.
    requests: Mutex<Vec<(String, String)>>,
}

impl Jsm {
    fn path(&self, rest: &str) -> String {
        format!("{}/{rest}", self.root)
    }

    fn gone(&self, id: &str) -> Failure {
        pages::gone(self.api.name(), format!("there is no alert {id:?}"))
    }

    fn remembered(&self, op: &Operation) -> Option<String> {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.iter().rev().find(|(known, _)| known == op.id.as_str()).map(|(_, request)| request.clone())
    }

    fn remember(&self, op: &Operation, request: &str) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        if requests.len() >= REMEMBERED {
            requests.remove(0);
        }
        requests.push((op.id.to_string(), request.to_owned()));
    }

    /// One alert as it is told, for a write or a look: not kept waiting by the budget.
    async fn raw(&self, id: &str) -> Result<Value, Failure> {
        if !is_id(id) {
            return Err(self.gone(id));
        }
        let answer = self.api.get(&self.path(&format!("alerts/{id}")), &[]).await?;
        Ok(decode::inner(&answer).clone())
    }

    async fn alert(&self, id: &str) -> Result<BackendIncident, Failure> {
        let there = self.raw(id).await?;
        decode::alert(&there, &self.settings.people)
            .ok_or_else(|| Failure::unreadable(self.api.name(), "the answer has no alert"))
    }

    async fn open(&self) -> Result<Vec<BackendIncident>, Failure> {
        let query = match &self.settings.query {
            Some(more) => format!("status: open AND ({more})"),
            None => "status: open".to_owned(),
        };
        let (mut all, mut seen, mut offset) = (Vec::new(), BTreeSet::new(), 0);
        loop {
            let asked = [
                ("query", query.clone()),
                ("size", PAGE.to_string()),
                ("offset", offset.to_string()),
                ("sort", "createdAt".to_owned()),
                ("order", "desc".to_owned()),
            ];
            let answer = self.api.ask(&self.path("alerts"), &asked).await?;
            let Some(items) = decode::items(&answer) else {
                return Err(Failure::unreadable(self.api.name(), "the answer has no list of alerts"));
            };
            for there in items.iter().filter_map(|item| decode::alert(item, &self.settings.people)) {
                // Lists move while they are read; and what the filter let through in spite of it is over.
                if there.status != BackendStatus::Resolved && seen.insert(there.id.clone()) {
                    all.push(there);
                }
            }
            offset += items.len();
            if items.len() < PAGE {
                return Ok(all);
            }
            if all.len() >= MOST || offset + PAGE >= DEEPEST {
                let detail = format!("more than {offset} alerts: narrow it with options.query");
                let fault = Fault::new(FaultKind::TooLarge, self.api.name(), detail);
                return Err(Failure { fault, ..Failure::unreadable(self.api.name(), "") });
            }
        }
    }

    /// All of a list below an alert; its pages go on after the last one's place.
    async fn below(&self, id: &str, what: &str, now: bool) -> Result<Vec<Value>, Failure> {
        if !is_id(id) {
            return Err(self.gone(id));
        }
        let (path, mut all, mut after) = (self.path(&format!("alerts/{id}/{what}")), Vec::new(), String::new());
        loop {
            let mut query = vec![("size", PAGE.to_string())];
            if !after.is_empty() {
                query.push(("after", after.clone()));
            }
            let answer = match now {
                true => self.api.get(&path, &query).await?,
                false => self.api.ask(&path, &query).await?,
            };
            let Some(items) = decode::items(&answer) else {
                return Err(Failure::unreadable(self.api.name(), &format!("the answer has no list of {what}")));
            };
            let last = items.last().map(|item| text(item, "/offset").to_owned()).unwrap_or_default();
            all.extend(items.iter().cloned());
            if items.len() < PAGE || last.is_empty() || last == after || all.len() >= MOST_LOG {
                return Ok(all);
            }
            after = last;
        }
    }

    async fn log_of(&self, id: &str, since: Option<Timestamp>) -> Result<Vec<LogEntry>, Failure> {
        let lines = self.below(id, "logs", false).await?;
        let mut log: Vec<LogEntry> =
            lines.iter().filter_map(|line| decode::log_entry(line, &self.settings.people)).collect();
        log.retain(|entry| since.is_none_or(|since| entry.at >= since));
        log.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
        Ok(log)
    }

    async fn people(&self, service: Option<&str>) -> Result<Vec<OnCall>, Fault> {
        let schedules = self.settings.schedules.asked(service, self.api.name()).map_err(|fault| Fault {
            detail: fault.detail.replace("options.services", "options.schedules"),
            ..fault
        })?;
        let mut people = Vec::new();
        for id in schedules {
            let asked = self.api.ask(&self.path(&format!("schedules/{id}/on-calls")), &[("flat", "true".into())]).await;
            people.extend(decode::on_call(&asked.map_err(|failure| failure.fault)?, id, &self.settings.people));
        }
        Ok(people)
    }

    async fn send(&self, op: &Operation) -> Outcome {
        let Intent::Backend(write) = &op.intent else { return pages::no_backend("Jira Service Management", op) };
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
        let id = write.incident().unwrap_or_default();
        if !is_id(id) {
            return Err(pages::no_such(id));
        }
        let there = self.alert(id).await.map_err(pages::before)?;
        let write = shortened(write);
        pages::judge(&there, op, &write)?;
        if snoozed(&there, op, &write) {
            return Err(Outcome::AlreadyDone(pages::reference(&there)));
        }
        let (method, verb, body) = self.body(op, &write)?;
        self.write(op, method, &format!("alerts/{id}/{verb}"), &body, pages::reference(&there)).await
    }

    /// The call that a write is.
    fn body(&self, op: &Operation, write: &BackendWrite) -> Result<(Method, &'static str, Value), Outcome> {
        let invalid = |words: &str| Outcome::Refused { kind: Obstacle::Invalid, words: words.to_owned() };
        let post = |verb, body| Ok((Method::POST, verb, body));
        match write {
            BackendWrite::Acknowledge { .. } => post("acknowledge", Value::Null),
            BackendWrite::Unacknowledge { .. } => post("unacknowledge", Value::Null),
            BackendWrite::Resolve { .. } => post("close", Value::Null),
            BackendWrite::Snooze { seconds, .. } if !(1..=LONGEST_SNOOZE).contains(seconds) => {
                Err(invalid("a snooze lasts one second to a week"))
            }
            BackendWrite::Snooze { seconds, .. } => post("snooze", json!({"endTime": rfc3339(until(op, *seconds))})),
            BackendWrite::Note { text, .. } => {
                post("notes", json!({"note": format!("{}\n{}", cut(text, WORDS), op.marker())}))
            }
            BackendWrite::Escalate { .. } => post("escalate", json!({"escalationId": self.settings.escalation})),
            BackendWrite::Reassign { to, .. } => match to.as_slice() {
                [one] => post("assign", json!({"accountId": one.id})),
                _ => Err(invalid("an alert there has one owner")),
            },
            BackendWrite::RequestResponders { people, .. } => match people.as_slice() {
                [one] if !one.id.is_empty() => post("responders", json!({"id": one.id, "type": "user"})),
                _ => Err(invalid("one person is asked at a time there")),
            },
            BackendWrite::SetTitle { title, .. } => Ok((Method::PATCH, "message", json!({"message": title}))),
            BackendWrite::SetPriority { priority, .. } if !PRIORITIES.contains(&priority.name.as_str()) => {
                Err(invalid("a priority there is P1 to P5"))
            }
            BackendWrite::SetPriority { priority, .. } => {
                Ok((Method::PATCH, "priority", json!({"priority": priority.name})))
            }
            _ => Err(Outcome::unsupported("it has no such call")),
        }
    }

    /// Opens an alert under the operation's id: one of the same alias joins it while it is open.
    async fn create(&self, op: &Operation, write: &BackendWrite) -> Result<Outcome, Outcome> {
        let BackendWrite::Declare { title, service, body, priority, .. } = write else {
            return Err(Outcome::unsupported("it has no such call"));
        };
        let team = self.settings.teams.wanted(service.as_ref())?;
        let priority = priority.as_ref().map(|p| p.name.as_str()).filter(|name| PRIORITIES.contains(name));
        let alert = json!({
            "message": cut(title, MESSAGE), "alias": op.id.as_str(), "description": cut(body, WORDS),
            "responders": [{"id": team, "type": "team"}], "source": "midwatch", "priority": priority.unwrap_or("P1"),
            "entity": service.as_ref().map(|service| service.name.as_str()).unwrap_or_default(),
        });
        self.write(op, Method::POST, "alerts", &alert, Reference::default()).await
    }

    /// Sends a write and follows it to its end.
    async fn write(
        &self,
        op: &Operation,
        method: Method,
        path: &str,
        body: &Value,
        about: Reference,
    ) -> Result<Outcome, Outcome> {
        let sent = self.api.write(method, &self.path(path), body).await.map_err(|failure| failure.outcome())?;
        let Some(request) = some(&sent, "/requestId").filter(|request| is_id(request)) else {
            // Some calls are carried out at once.
            return Ok(Outcome::Applied(about));
        };
        self.remember(op, &request);
        for wait in FOLLOWED {
            tokio::time::sleep(wait).await;
            match self.follow(&request).await {
                Ok(Followed::Done(id)) => return Ok(Outcome::Applied(made(about, id))),
                Ok(Followed::Failed(words)) => return Err(Outcome::Refused { kind: Obstacle::Invalid, words }),
                Ok(Followed::Open) => {}
                // It was taken: the outbox goes on asking.
                Err(_) => break,
            }
        }
        Ok(Outcome::Accepted(Reference::id(request)))
    }

    async fn follow(&self, request: &str) -> Result<Followed, Failure> {
        let answer = match self.api.get(&self.path(&format!("alerts/requests/{request}")), &[]).await {
            Ok(answer) => answer,
            // It is not known before it was carried out.
            Err(failure) if failure.answered(404) => return Ok(Followed::Open),
            Err(failure) => return Err(failure),
        };
        let told = decode::inner(&answer);
        Ok(match told.get("isSuccess").or_else(|| told.get("success")).and_then(Value::as_bool) {
            Some(true) => Followed::Done(some(told, "/alertId")),
            Some(false) => Followed::Failed(some(told, "/status").unwrap_or_else(|| "it was not carried out".into())),
            None => Followed::Open,
        })
    }

    async fn seek(&self, op: &Operation, write: &BackendWrite) -> Result<Found, Failure> {
        if let Some(request) = self.remembered(op) {
            return Ok(match self.follow(&request).await? {
                Followed::Done(id) => Found::Done(made(Reference::default(), id)),
                Followed::Failed(words) => Found::Refused { kind: Obstacle::Invalid, words },
                Followed::Open => Found::Pending(Reference::id(request)),
            });
        }
        let write = shortened(write);
        let id = write.incident().unwrap_or_default();
        match &write {
            BackendWrite::Declare { .. } => {
                let asked = self.api.get(&self.path("alerts/alias"), &[("alias", op.id.to_string())]).await;
                match asked {
                    Ok(answer) => Ok(decode::alert(decode::inner(&answer), &self.settings.people)
                        .map_or(Found::Absent, |there| Found::Done(pages::reference(&there)))),
                    Err(failure) if failure.answered(404) => Ok(Found::Absent),
                    Err(failure) => Err(failure),
                }
            }
            BackendWrite::Note { .. } => {
                let mut there = self.noted(op, id).await?;
                if !there {
                    tokio::time::sleep(SETTLES).await;
                    there = self.noted(op, id).await?;
                }
                Ok(if there { Found::Done(Reference::id(id)) } else { Found::Absent })
            }
            BackendWrite::Escalate { .. } | BackendWrite::RequestResponders { .. } => Ok(Found::NoWay),
            BackendWrite::Snooze { .. } => {
                let there = self.alert(id).await?;
                Ok(match snoozed(&there, op, &write) {
                    true => Found::Done(pages::reference(&there)),
                    false if there.status == BackendStatus::Resolved => {
                        Found::Conflict { current: pages::current(&there) }
                    }
                    false => Found::Absent,
                })
            }
            _ => Ok(pages::found(&self.alert(id).await?, &write)),
        }
    }

    async fn noted(&self, op: &Operation, id: &str) -> Result<bool, Failure> {
        let (notes, marker) = (self.below(id, "notes", true).await?, op.marker());
        Ok(notes.iter().any(|note| text(note, "/note").contains(&marker)))
    }
}

fn made(about: Reference, id: Option<String>) -> Reference {
    Reference { id: about.id.or(id), ..about }
}

/// The end of a snooze: the same one whenever it is sent.
fn until(op: &Operation, seconds: u64) -> Timestamp {
    let span = Span::try_seconds(i64::try_from(seconds).unwrap_or(0)).unwrap_or(Span::zero());
    op.created_at.checked_add_signed(span).unwrap_or(op.created_at)
}

/// Whether it is snoozed until then already.
fn snoozed(there: &BackendIncident, op: &Operation, write: &BackendWrite) -> bool {
    let BackendWrite::Snooze { seconds, .. } = write else { return false };
    let wanted = until(op, *seconds);
    there.pending.iter().any(|p| p.action == decode::SNOOZE_ENDS && (p.at - wanted).abs() <= secs(1))
}

/// A message as the product takes it: a longer one would never be found equal.
fn shortened(write: &BackendWrite) -> BackendWrite {
    match write {
        BackendWrite::SetTitle { incident, title } => {
            BackendWrite::SetTitle { incident: incident.clone(), title: cut(title, MESSAGE) }
        }
        other => other.clone(),
    }
}

impl Outward for Jsm {
    fn caps(&self) -> Caps {
        use Capability::{
            Acknowledge, Declare, Escalate, Merge, Note, ReadAlerts, ReadIncidents, ReadLog, ReadOnCall,
            ReadPriorities, Reassign, RequestResponders, Resolve, SetPriority, SetTitle, Snooze, StatusUpdate,
            Unacknowledge,
        };
        let mut caps = Caps::none()
            .with(Class::Compare, &[Acknowledge, Unacknowledge, Resolve, Snooze, Note, SetTitle, SetPriority, Reassign])
            .with(Class::RepeatWithKey, &[Declare])
            .with(Class::AskPerson, &[Escalate, RequestResponders])
            .with(Class::Repeat, &[ReadIncidents, ReadLog, ReadAlerts, ReadOnCall, ReadPriorities])
            .without(Lack::Unsupported, "alerts there have none", &[Merge, StatusUpdate]);
        if self.settings.teams.is_empty() {
            let words = "options.services or options.default_service says which team gets an alert";
            caps = caps.without(Lack::NotConfigured, words, &[Declare]);
        }
        if self.settings.schedules.is_empty() {
            caps = caps.without(Lack::NotConfigured, "options.schedules says which schedules", &[ReadOnCall]);
        }
        if self.settings.escalation.is_none() {
            caps = caps.without(Lack::NotConfigured, "options.escalation says through which policy", &[Escalate]);
        }
        if self.read_only { caps.read_only() } else { caps }
    }

    fn pace(&self) -> Pace {
        Pace { burst: 10, per_minute: 60 }
    }

    fn apply<'a>(&'a self, op: &'a Operation) -> Task<'a, Outcome> {
        Box::pin(self.send(op))
    }

    fn look<'a>(&'a self, op: &'a Operation) -> Task<'a, Found> {
        Box::pin(async move {
            let Intent::Backend(write) = &op.intent else { return Found::NoWay };
            self.seek(op, write).await.unwrap_or_else(|failure| pages::unseen(&failure))
        })
    }

    fn probe(&self) -> Task<'_, Result<ServerNote, Fault>> {
        Box::pin(async move {
            let (answer, note) = self.api.probe(&self.path("alerts")).await?;
            if decode::items(&answer).is_none() {
                return Err(Failure::unreadable(self.api.name(), "the answer has no list of alerts").fault);
            }
            Ok(ServerNote { version: Some("operations API v1".into()), ..note })
        })
    }
}

impl IncidentBackend for Jsm {
    fn list(&self) -> Task<'_, Result<Vec<BackendIncident>, Fault>> {
        Box::pin(async move { self.open().await.map_err(|failure| failure.fault) })
    }

    fn get<'a>(&'a self, id: &'a str) -> Task<'a, Result<BackendIncident, Fault>> {
        Box::pin(async move { self.alert(id).await.map_err(|failure| failure.fault) })
    }

    fn log<'a>(&'a self, id: &'a str, since: Option<Timestamp>) -> Task<'a, Result<Vec<LogEntry>, Fault>> {
        Box::pin(async move { self.log_of(id, since).await.map_err(|failure| failure.fault) })
    }

    /// An alert there is one alert; what its sender told of it are labels.
    fn alerts<'a>(&'a self, id: &'a str) -> Task<'a, Result<Vec<BackendAlert>, Fault>> {
        Box::pin(async move {
            let there = self.raw(id).await.map_err(|failure| failure.fault)?;
            Ok(decode::inside(&there, &self.settings.people).into_iter().collect())
        })
    }

    fn on_call<'a>(&'a self, service: Option<&'a str>) -> Task<'a, Result<Vec<OnCall>, Fault>> {
        Box::pin(self.people(service))
    }

    fn priorities(&self) -> Task<'_, Result<Vec<Priority>, Fault>> {
        let all = PRIORITIES.iter().map(|name| Priority { id: (*name).into(), name: (*name).into() }).collect();
        Box::pin(std::future::ready(Ok(all)))
    }

    /// The token is that of whoever has the address.
    fn me(&self) -> Task<'_, Result<Me, Fault>> {
        let person = self.settings.user.clone().map(|email| Party {
            id: email.clone(),
            name: email.clone(),
            email: Some(email),
            time_zone: None,
        });
        Box::pin(std::future::ready(Ok(Me { person, token: "user".into() })))
    }
}

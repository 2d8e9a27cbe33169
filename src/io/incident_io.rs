//! incident.io: incidents over API v2 (`incident_backends`), alarms as alert events (`event_sinks`).
//!
//! It has statuses in place of an acknowledgement: one in triage is triggered, one that is live is somebody's. To take one
//! is to accept it out of triage, to end it is to close it; both are edits with a reading before them. What opens or pages
//! carries the operation's id as its key, which the product honours. Its API lists updates and takes none.

mod alert_events;
mod decode;

use crate::config::{OutsideConfig, Section};
use crate::domain::document::Reader;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::outward::backend::{BackendIncident, BackendStatus, BackendWrite, LogEntry, Me, OnCall, Priority};
use crate::domain::outward::capability::{Capability, Caps, Class, Lack};
use crate::domain::outward::intent::Intent;
use crate::domain::outward::operation::Operation;
use crate::domain::outward::outcome::{Found, Obstacle, Outcome, Reference};
use crate::domain::outward::pace::Pace;
use crate::domain::server_note::ServerNote;
use crate::domain::time::Timestamp;
use crate::io::http::json::{JsonApi, list, some, text};
use crate::io::http::{Endpoint, Explained, Failure};
use crate::io::incident_io::decode::Status;
use crate::io::integration::Integration;
use crate::io::pages::{self, Services, is_id};
use crate::io::port::{IncidentBackend, Outward, Target, Task};
use crate::io::rooms::{cut, wants_bearer};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// Its row in the registry.
pub const INTEGRATION: Integration = Integration {
    kind: "incident_io",
    about: "incident.io: incidents over API v2, alarms as alert events",
    sections: &[Section::IncidentBackends, Section::EventSinks],
    url: Some("https://api.incident.io"),
    secret_url: false,
    options: &OPTIONS,
    check,
    connect,
};

const SCHEDULES: &str = "schedules";
const OPTIONS: [(&str, &str); 8] = [
    (SCHEDULES, "our services, each with the id of its schedule there: who is on call"),
    ("severity", "the id of the severity that incidents are opened with"),
    ("incident_type", "the id of the type that incidents are opened with"),
    ("private", "incidents are opened as private ones; false when left out"),
    ("resolved_status", "the name of the status that ends an incident; the first closed one when left out"),
    ("notify", "the incident's channel is told of every edit; true when left out"),
    ("alert_source", "event_sinks: the id of the HTTP alert source; needed"),
    pages::AUDIENCE,
];
/// Options of incidents alone.
const OF_INCIDENTS: [&str; 6] = [SCHEDULES, "severity", "incident_type", "private", "resolved_status", "notify"];
/// Requests that one write may take, each with the time limit of a request.
const REQUESTS: u32 = 4;
/// Questions, of the 1200 a minute that a key may ask.
const BUDGET: Pace = Pace { burst: 20, per_minute: 120 };
const PAGE: &str = "250";
const MOST: usize = 5_000;
const MOST_LOG: usize = 1_000;
const MOST_SCHEDULES: usize = 500;
const NAME: usize = 200;
const SUMMARY: usize = 5_000;
/// Categories of statuses of what is not over.
const OPEN: [&str; 3] = ["triage", "live", "paused"];

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Settings {
    schedules: Services,
    severity: Option<String>,
    incident_type: Option<String>,
    private: bool,
    resolved_status: Option<String>,
    notify: bool,
    alert_source: Option<String>,
    audience: Option<String>,
}

fn settings(config: &OutsideConfig, reader: &mut Reader<'_>) -> Settings {
    let fields = config.options(reader, &INTEGRATION.keys());
    let get = |key: &str| fields.as_ref().and_then(|f| f.get(key));
    let mut id = |key: &str| get(key).and_then(|node| pages::id(reader, node, key));
    let (severity, incident_type, alert_source) = (id("severity"), id("incident_type"), id("alert_source"));
    Settings {
        severity,
        incident_type,
        alert_source,
        private: get("private").and_then(|n| reader.boolean(n, "private")).unwrap_or(false),
        notify: get("notify").and_then(|n| reader.boolean(n, "notify")).unwrap_or(true),
        resolved_status: get("resolved_status").and_then(|n| reader.string(n, "resolved_status")),
        audience: get(pages::AUDIENCE.0).and_then(|n| reader.string(n, pages::AUDIENCE.0)),
        schedules: Services::mapped(reader, fields.as_ref(), SCHEDULES),
    }
}

fn check(config: &OutsideConfig, reader: &mut Reader<'_>) {
    let settings = settings(config, reader);
    wants_bearer(config, reader);
    pages::encrypted(config, reader);
    if config.section != Section::EventSinks {
        pages::misplaced(config, reader, &["alert_source", pages::AUDIENCE.0], Section::EventSinks.key());
        return;
    }
    pages::misplaced(config, reader, &OF_INCIDENTS, Section::IncidentBackends.key());
    if settings.alert_source.is_none() {
        let message = "an event sink of incident.io needs options: {alert_source: ID}, that of an HTTP alert source";
        reader.error(config.options_mark(), "missing-key", message);
    }
}

fn connect(config: &OutsideConfig, endpoint: Endpoint) -> Result<Target, Fault> {
    let settings = settings(config, &mut Reader::new(&config.path));
    if config.section == Section::EventSinks {
        return alert_events::target(config, settings, endpoint);
    }
    let (address, limit) = (endpoint.url().to_owned(), endpoint.timeout * REQUESTS);
    let backend = Arc::new(IncidentIo {
        read_only: config.read_only,
        settings,
        api: JsonApi::paced(endpoint, explain, &[], BUDGET),
        statuses: OnceCell::new(),
    });
    let target = Target::new(INTEGRATION.kind, address, limit, backend.clone());
    Ok(target.with_backend(backend).read_every(pages::every(config)))
}

/// `{"type", "status", "errors": [{"code", "message", "source": {"field"}}]}`.
fn explain(body: &[u8]) -> Explained {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let said = |error: &Value| {
        let field = some(error, "/source/field").or_else(|| some(error, "/source/pointer"));
        match field {
            Some(field) => format!("{field}: {}", text(error, "/message")),
            None => text(error, "/message").to_owned(),
        }
    };
    let words: Vec<String> = list(&value, "/errors").iter().take(5).map(said).filter(|w| !w.is_empty()).collect();
    let words = if words.is_empty() { text(&value, "/type").to_owned() } else { words.join("; ") };
    Explained { text: words, code: some(&value, "/errors/0/code"), ..Explained::default() }
}

/// One organisation.
#[derive(Debug)]
struct IncidentIo {
    read_only: bool,
    settings: Settings,
    api: JsonApi,
    /// Its statuses, which are its own; asked once.
    statuses: OnceCell<Vec<Status>>,
}

impl IncidentIo {
    fn gone(&self, id: &str) -> Failure {
        pages::gone(self.api.name(), format!("there is no incident {id:?}"))
    }

    /// One incident, for a write or a look: not kept waiting by the budget.
    async fn incident(&self, id: &str) -> Result<BackendIncident, Failure> {
        if !is_id(id) {
            return Err(self.gone(id));
        }
        let answer = self.api.get(&format!("v2/incidents/{id}"), &[]).await?;
        let incident = answer.get("incident").and_then(decode::incident);
        incident.ok_or_else(|| Failure::unreadable(self.api.name(), "the answer has no incident"))
    }

    /// All pages of a list, each item once, at most `most` of them.
    async fn all(&self, path: &str, query: &[(&str, String)], key: &str, most: usize) -> Result<Vec<Value>, Failure> {
        let (mut all, mut seen, mut after) = (Vec::new(), BTreeSet::new(), String::new());
        loop {
            let mut query = query.to_vec();
            query.push(("page_size", PAGE.to_owned()));
            if !after.is_empty() {
                query.push(("after", after.clone()));
            }
            let answer = self.api.ask(path, &query).await?;
            let Some(items) = answer.get(key).and_then(Value::as_array) else {
                return Err(Failure::unreadable(self.api.name(), &format!("the answer has no list of {key}")));
            };
            let before = all.len();
            for item in items {
                // Lists move while they are read: what comes twice is one.
                let id = text(item, "/id");
                if id.is_empty() || seen.insert(id.to_owned()) {
                    all.push(item.clone());
                }
            }
            after = text(&answer, "/pagination_meta/after").to_owned();
            if after.is_empty() || all.len() == before {
                return Ok(all);
            }
            if all.len() >= most {
                let fault = Fault::new(FaultKind::TooLarge, self.api.name(), format!("more than {most} {key}"));
                return Err(Failure { fault, ..Failure::unreadable(self.api.name(), "") });
            }
        }
    }

    async fn open(&self) -> Result<Vec<BackendIncident>, Failure> {
        let mut query: Vec<(&str, String)> = vec![("mode[one_of]", "standard".to_owned())];
        query.extend(OPEN.map(|category| ("status_category[one_of]", category.to_owned())));
        let found = self.all("v2/incidents", &query, "incidents", MOST).await?;
        // The filter is the server's; what it let through in spite of it is over.
        let open = |incident: &BackendIncident| incident.status != BackendStatus::Resolved;
        Ok(found.iter().filter_map(decode::incident).filter(open).collect())
    }

    async fn log_of(&self, id: &str, since: Option<Timestamp>) -> Result<Vec<LogEntry>, Failure> {
        if !is_id(id) {
            return Err(self.gone(id));
        }
        let query = [("incident_id", id.to_owned())];
        let found = self.all("v2/incident_updates", &query, "incident_updates", MOST_LOG).await?;
        let mut log = decode::log(&found);
        log.retain(|entry| since.is_none_or(|since| entry.at >= since));
        Ok(log)
    }

    async fn people(&self, service: Option<&str>) -> Result<Vec<OnCall>, Fault> {
        let mut schedules = Vec::new();
        match service {
            Some(_) => {
                for id in self.settings.schedules.asked(service, self.api.name()).map_err(|fault| {
                    let detail = fault.detail.replace("options.services", "options.schedules");
                    Fault { detail, ..fault }
                })? {
                    let answer = self.api.ask(&format!("v2/schedules/{id}"), &[]).await;
                    let answer = answer.map_err(|failure| failure.fault)?;
                    schedules.extend(answer.get("schedule").cloned());
                }
            }
            None => {
                let found = self.all("v2/schedules", &[], "schedules", MOST_SCHEDULES).await;
                schedules = found.map_err(|failure| failure.fault)?;
            }
        }
        let mut people: Vec<OnCall> = schedules.iter().flat_map(decode::on_call).collect();
        people.sort_by(|a, b| (&a.schedule, &a.person.name).cmp(&(&b.schedule, &b.person.name)));
        Ok(people)
    }

    async fn severities(&self) -> Result<Vec<Priority>, Failure> {
        let answer = self.api.ask("v1/severities", &[]).await?;
        let Some(found) = answer.get("severities").and_then(Value::as_array) else {
            return Err(Failure::unreadable(self.api.name(), "the answer has no list of severities"));
        };
        Ok(found.iter().filter_map(decode::priority).collect())
    }

    async fn known_statuses(&self) -> Result<&[Status], Failure> {
        let ask = || async {
            let answer = self.api.get("v1/incident_statuses", &[]).await?;
            Ok(decode::statuses(&answer))
        };
        self.statuses.get_or_try_init(ask).await.map(Vec::as_slice)
    }

    /// The status that a write moves to.
    async fn status(&self, category: &str, name: Option<&str>) -> Result<&Status, Outcome> {
        let all = self.known_statuses().await.map_err(pages::before)?;
        let found = match name {
            Some(name) => all.iter().find(|status| status.name.eq_ignore_ascii_case(name)),
            None => all.iter().find(|status| status.category == category),
        };
        found.ok_or_else(|| {
            let names: Vec<&str> = all.iter().map(|status| status.name.as_str()).collect();
            let words = match name {
                Some(name) => format!("there is no status `{name}` there (expected one of: {})", names.join(", ")),
                None => format!("it has no status of the category {category}"),
            };
            Outcome::Refused { kind: Obstacle::Invalid, words }
        })
    }

    async fn send(&self, op: &Operation) -> Outcome {
        let Intent::Backend(write) = &op.intent else { return pages::no_backend("incident.io", op) };
        if let Some(refusal) = self.caps().refusal(write.capability()) {
            return refusal;
        }
        let step = match write {
            BackendWrite::Declare { .. } => self.create(op, write).await,
            _ => self.change(op, write).await,
        };
        step.unwrap_or_else(|outcome| outcome)
    }

    /// Reads the incident, compares it with what is wanted, and sends the difference.
    async fn change(&self, op: &Operation, write: &BackendWrite) -> Result<Outcome, Outcome> {
        let id = write.incident().unwrap_or_default();
        if !is_id(id) {
            return Err(pages::no_such(id));
        }
        let there = self.incident(id).await.map_err(pages::before)?;
        let write = shortened(write);
        pages::judge(&there, op, &write)?;
        let fields = match &write {
            BackendWrite::Acknowledge { .. } => json!({"incident_status_id": self.status("live", None).await?.id}),
            // Words of a resolution have no place there but the summary, which is somebody's.
            BackendWrite::Resolve { .. } => {
                json!({"incident_status_id": self.status("closed", self.settings.resolved_status.as_deref()).await?.id})
            }
            BackendWrite::SetTitle { title, .. } => json!({"name": title}),
            BackendWrite::SetPriority { priority, .. } => json!({"severity_id": priority.id}),
            BackendWrite::Reassign { to, .. } => {
                let role = self.lead_role(id).await?;
                let [to] = to.as_slice() else {
                    let words = "an incident there has one lead".to_owned();
                    return Err(Outcome::Refused { kind: Obstacle::Invalid, words });
                };
                json!({"incident_role_assignments": [{"incident_role_id": role, "assignee": {"id": to.id}}]})
            }
            BackendWrite::RequestResponders { people, message, .. } => {
                return self
                    .escalate(op, &there, &people.iter().map(|p| p.id.as_str()).collect::<Vec<_>>(), message)
                    .await;
            }
            _ => return Err(Outcome::unsupported("it has no such call")),
        };
        let body = json!({"incident": fields, "notify_incident_channel": self.settings.notify});
        let sent = self.api.write(Method::POST, &format!("v2/incidents/{id}/actions/edit"), &body).await;
        sent.map(|_| Outcome::Applied(pages::reference(&there))).map_err(|failure| failure.outcome())
    }

    /// Pages people for an incident, under the operation's id: the same one is told again for the same key.
    async fn escalate(
        &self,
        op: &Operation,
        there: &BackendIncident,
        people: &[&str],
        message: &str,
    ) -> Result<Outcome, Outcome> {
        if people.is_empty() || people.iter().any(|id| !is_id(id)) {
            return Err(Outcome::Refused { kind: Obstacle::Invalid, words: "nobody to ask".into() });
        }
        let body = json!({
            "idempotency_key": op.id.as_str(), "title": cut(message, NAME), "user_ids": people, "incident_id": there.id,
            "description": there.title,
        });
        let sent = self.api.write(Method::POST, "v2/escalations", &body).await.map_err(|failure| failure.outcome())?;
        Ok(Outcome::Applied(Reference { id: some(&sent, "/escalation/id"), ..Reference::default() }))
    }

    /// The id of the role that leads: it is told with the incident, or asked for.
    async fn lead_role(&self, id: &str) -> Result<String, Outcome> {
        let answer = self.api.get(&format!("v2/incidents/{id}"), &[]).await.map_err(pages::before)?;
        let told = list(&answer, "/incident/incident_role_assignments").iter().filter_map(|a| a.get("role"));
        if let Some(role) = told.filter(|role| decode::leads(role)).find_map(|role| some(role, "/id")) {
            return Ok(role);
        }
        let answer = self.api.get("v2/incident_roles", &[]).await.map_err(pages::before)?;
        let roles = list(&answer, "/incident_roles").iter();
        let found = roles.filter(|role| decode::leads(role)).find_map(|role| some(role, "/id"));
        found.ok_or_else(|| Outcome::Refused { kind: Obstacle::Invalid, words: "it has no role that leads".into() })
    }

    async fn create(&self, op: &Operation, write: &BackendWrite) -> Result<Outcome, Outcome> {
        let BackendWrite::Declare { title, body, priority, .. } = write else {
            return Err(Outcome::unsupported("it has no such call"));
        };
        let severity = priority.as_ref().map(|p| p.id.as_str()).or(self.settings.severity.as_deref());
        let mut incident = json!({
            "idempotency_key": op.id.as_str(), "mode": "standard", "name": cut(title, NAME),
            "summary": cut(body, SUMMARY), "visibility": if self.settings.private { "private" } else { "public" },
        });
        if let Some(fields) = incident.as_object_mut() {
            fields.extend(severity.map(|id| ("severity_id".to_owned(), json!(id))));
            let kind = self.settings.incident_type.as_deref();
            fields.extend(kind.map(|id| ("incident_type_id".to_owned(), json!(id))));
        }
        let sent = self.api.write(Method::POST, "v2/incidents", &incident).await;
        let made = sent.map_err(|failure| failure.outcome())?;
        let there = made.get("incident").and_then(decode::incident);
        Ok(Outcome::Applied(there.map_or_else(Reference::default, |there| pages::reference(&there))))
    }

    async fn state(&self, write: &BackendWrite) -> Result<Found, Failure> {
        let write = shortened(write);
        let Some(id) = write.incident().filter(|id| is_id(id)) else { return Ok(Found::NoWay) };
        Ok(pages::found(&self.incident(id).await?, &write))
    }
}

/// A name as the product takes it: a longer one would never be found equal.
fn shortened(write: &BackendWrite) -> BackendWrite {
    match write {
        BackendWrite::SetTitle { incident, title } => {
            BackendWrite::SetTitle { incident: incident.clone(), title: cut(title, NAME) }
        }
        other => other.clone(),
    }
}

impl Outward for IncidentIo {
    fn caps(&self) -> Caps {
        use Capability::{
            Acknowledge, Declare, Escalate, Merge, Note, ReadIncidents, ReadLog, ReadOnCall, ReadPriorities, Reassign,
            RequestResponders, Resolve, SetPriority, SetTitle, Snooze, StatusUpdate, Unacknowledge,
        };
        let caps = Caps::none()
            .with(Class::Compare, &[Acknowledge, Resolve, SetTitle, SetPriority, Reassign])
            .with(Class::RepeatWithKey, &[Declare, RequestResponders])
            .with(Class::Repeat, &[ReadIncidents, ReadLog, ReadOnCall, ReadPriorities])
            .without(Lack::Unsupported, "its API lists updates and takes none", &[Note, StatusUpdate])
            .without(Lack::Unsupported, "incident.io has none", &[Escalate, Snooze, Unacknowledge])
            .without(Lack::Unsupported, "incidents are merged on its page", &[Merge]);
        if self.read_only { caps.read_only() } else { caps }
    }

    fn pace(&self) -> Pace {
        Pace { burst: 10, per_minute: 120 }
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
            let (me, note) = self.api.probe("v1/identity").await?;
            let roles: Vec<&str> = list(&me, "/identity/roles").iter().filter_map(Value::as_str).collect();
            let name = some(&me, "/identity/name")
                .ok_or_else(|| Failure::unreadable(self.api.name(), "the answer has no identity").fault)?;
            let needed = [("incident_creator", "open incidents"), ("incident_editor", "change incidents")];
            let missing = needed.iter().filter(|(role, _)| !roles.is_empty() && !roles.contains(role));
            let warnings =
                missing.map(|(role, may)| format!("the key lacks the role {role}: it may not {may}")).collect();
            Ok(ServerNote { version: Some(format!("API v2, as {name}")), warnings, ..note })
        })
    }
}

impl IncidentBackend for IncidentIo {
    fn list(&self) -> Task<'_, Result<Vec<BackendIncident>, Fault>> {
        Box::pin(async move { self.open().await.map_err(|failure| failure.fault) })
    }

    fn get<'a>(&'a self, id: &'a str) -> Task<'a, Result<BackendIncident, Fault>> {
        Box::pin(async move { self.incident(id).await.map_err(|failure| failure.fault) })
    }

    fn log<'a>(&'a self, id: &'a str, since: Option<Timestamp>) -> Task<'a, Result<Vec<LogEntry>, Fault>> {
        Box::pin(async move { self.log_of(id, since).await.map_err(|failure| failure.fault) })
    }

    fn on_call<'a>(&'a self, service: Option<&'a str>) -> Task<'a, Result<Vec<OnCall>, Fault>> {
        Box::pin(self.people(service))
    }

    fn priorities(&self) -> Task<'_, Result<Vec<Priority>, Fault>> {
        Box::pin(async move { self.severities().await.map_err(|failure| failure.fault) })
    }

    /// A key of the API is nobody in person.
    fn me(&self) -> Task<'_, Result<Me, Fault>> {
        Box::pin(std::future::ready(Ok(Me { person: None, token: "API key".into() })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_its_field_and_its_code() {
        let body = br#"{"type":"validation_error","status":422,"errors":[{"code":"is_required","message":"is needed","source":{"field":"severity_id"}}]}"#;
        let explained = explain(body);
        assert_eq!(
            (explained.text.as_str(), explained.code.as_deref()),
            ("severity_id: is needed", Some("is_required"))
        );
        assert_eq!(explain(br#"{"type":"too_many_requests"}"#).text, "too_many_requests");
        assert_eq!(explain(b"oops"), Explained::default());
    }
}

//! Grafana OnCall: alert groups over its API v1, as Grafana Cloud IRM still serves it. The open-source product is archived
//! since March 2026: nobody mends it, and this adapter says so.
//!
//! A key may ask 300 times in five minutes. The verbs of a state may be repeated; what pages people may not, since it has no
//! key.

mod decode;

use crate::config::{Auth as Given, OutsideConfig, Section};
use crate::domain::document::Reader;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::outward::backend::{BackendAlert, BackendIncident, BackendStatus, BackendWrite, Me, OnCall, Party};
use crate::domain::outward::capability::{Capability, Caps, Class, Lack};
use crate::domain::outward::intent::Intent;
use crate::domain::outward::operation::Operation;
use crate::domain::outward::outcome::{Found, Obstacle, Outcome, Reference};
use crate::domain::outward::pace::Pace;
use crate::domain::server_note::ServerNote;
use crate::domain::time::{Span, secs};
use crate::io::http::json::{JsonApi, instant, list, some, text};
use crate::io::http::{Auth, Endpoint, Explained, Failure};
use crate::io::integration::Integration;
use crate::io::pages::{self, Services, is_id};
use crate::io::port::{IncidentBackend, Outward, Target, Task};
use crate::io::rooms::{cut, wants_bearer};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// Its row in the registry.
pub const INTEGRATION: Integration = Integration {
    kind: "grafana_oncall",
    about: "Grafana OnCall: alert groups over API v1; the open-source product is archived, Grafana Cloud IRM serves it",
    sections: &[Section::IncidentBackends],
    url: None,
    secret_url: false,
    options: &OPTIONS,
    check,
    connect,
};

const OPTIONS: [(&str, &str); 4] = [
    ("integrations", "ids of integrations: only their alert groups are listed"),
    ("services", "our services, each with the id of the team there that is paged for it"),
    pages::DEFAULT_SERVICE,
    ("schedules", "our services, each with the id of its schedule there: who is on call"),
];
/// Requests that one write may take, each with the time limit of a request.
const REQUESTS: u32 = 4;
/// Questions in five minutes stay well below 300, with room for what is written.
const BUDGET: Pace = Pace { burst: 25, per_minute: 40 };
const PAGES: usize = 40;
const MOST_NOTES: usize = 500;
const MOST_ALERTS: usize = 50;
/// The most people whose names are asked for with one list.
const MOST_NAMES: usize = 5;
const TITLE: usize = 200;
const WORDS: usize = 10_000;
const LONGEST_SNOOZE: u64 = 7 * 24 * 3_600;
/// A list knows one state at a time; these are not over.
const OPEN: [&str; 3] = ["new", "acknowledged", "silenced"];

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Settings {
    integrations: Vec<String>,
    teams: Services,
    schedules: Services,
}

fn settings(config: &OutsideConfig, reader: &mut Reader<'_>) -> Settings {
    let fields = config.options(reader, &INTEGRATION.keys());
    Settings {
        integrations: pages::ids(reader, fields.as_ref(), "integrations"),
        teams: Services::read(reader, fields.as_ref()),
        schedules: Services::mapped(reader, fields.as_ref(), "schedules"),
    }
}

fn check(config: &OutsideConfig, reader: &mut Reader<'_>) {
    drop(settings(config, reader));
    wants_bearer(config, reader);
    pages::encrypted(config, reader);
}

fn connect(config: &OutsideConfig, mut endpoint: Endpoint) -> Result<Target, Fault> {
    let settings = settings(config, &mut Reader::new(&config.path));
    if let Given::Bearer(secret) = &config.connection.auth {
        // It wants the key alone, without a word before it.
        let secret = secret.clone();
        endpoint.auth = Auth::Header { name: "Authorization".into(), prefix: String::new(), secret };
    }
    let (address, limit) = (endpoint.url().to_owned(), endpoint.timeout * REQUESTS);
    let backend = Arc::new(OnCallApi {
        read_only: config.read_only,
        settings,
        api: JsonApi::paced(endpoint, explain, &[], BUDGET),
        people: Mutex::default(),
    });
    let target = Target::new(INTEGRATION.kind, address, limit, backend.clone());
    Ok(target.with_backend(backend).read_every(pages::every(config)))
}

/// `{"detail"}`, or `{field: [words]}`.
fn explain(body: &[u8]) -> Explained {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    if let Some(detail) = some(&value, "/detail") {
        // Its framework answers 403 where a token is missing or wrong.
        let token = detail.starts_with("Invalid token") || detail.starts_with("Authentication credentials");
        return Explained { kind: token.then_some(FaultKind::Auth), text: detail, ..Explained::default() };
    }
    let field = |(name, words): (&String, &Value)| {
        let words = words.as_str().or_else(|| words.get(0)?.as_str())?;
        Some(format!("{name}: {words}"))
    };
    let said: Vec<String> = value.as_object().into_iter().flatten().filter_map(field).take(5).collect();
    Explained { text: said.join("; "), ..Explained::default() }
}

/// One stack.
#[derive(Debug)]
struct OnCallApi {
    read_only: bool,
    settings: Settings,
    api: JsonApi,
    /// People by id: a group names them by it.
    people: Mutex<BTreeMap<String, Party>>,
}

impl OnCallApi {
    fn gone(&self, id: &str) -> Failure {
        pages::gone(self.api.name(), format!("there is no alert group {id:?}"))
    }

    /// One alert group as it is told, for a write or a look: not kept waiting by the budget.
    async fn raw(&self, id: &str) -> Result<Value, Failure> {
        if !is_id(id) {
            return Err(self.gone(id));
        }
        self.api.get(&format!("api/v1/alert_groups/{id}/"), &[]).await
    }

    async fn group(&self, id: &str) -> Result<(Value, BackendIncident), Failure> {
        let raw = self.raw(id).await?;
        let there = decode::group(&raw, &self.known());
        let there = there.ok_or_else(|| Failure::unreadable(self.api.name(), "the answer has no alert group"))?;
        Ok((raw, there))
    }

    fn known(&self) -> BTreeMap<String, Party> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A person's name; the id where it cannot be read.
    async fn person(&self, id: &str) -> Party {
        if let Some(known) = self.known().get(id) {
            return known.clone();
        }
        let bare = Party { id: id.to_owned(), name: id.to_owned(), ..Party::default() };
        if !is_id(id) {
            return bare;
        }
        let Ok(answer) = self.api.ask(&format!("api/v1/users/{id}/"), &[]).await else { return bare };
        let Some(party) = decode::user(&answer) else { return bare };
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        people.insert(id.to_owned(), party.clone());
        party
    }

    /// All pages of a list, at most so many. The address of the next page is theirs; the number is ours.
    async fn all(&self, path: &str, query: &[(&str, String)], most: usize, now: bool) -> Result<Vec<Value>, Failure> {
        let mut all = Vec::new();
        for page in 1..=PAGES {
            let mut query = query.to_vec();
            query.push(("page", page.to_string()));
            let answer = match now {
                true => self.api.get(path, &query).await?,
                false => self.api.ask(path, &query).await?,
            };
            let Some(items) = answer.get("results").and_then(Value::as_array) else {
                return Err(Failure::unreadable(self.api.name(), "the answer has no list of results"));
            };
            all.extend(items.iter().cloned());
            if items.is_empty() || some(&answer, "/next").is_none() || all.len() >= most {
                return Ok(all);
            }
        }
        let detail = format!("more than {} entries: narrow it with options.integrations", all.len());
        let fault = Fault::new(FaultKind::TooLarge, self.api.name(), detail);
        Err(Failure { fault, ..Failure::unreadable(self.api.name(), "") })
    }

    async fn open(&self) -> Result<Vec<BackendIncident>, Failure> {
        let mut raw = Vec::new();
        let integrations: Vec<Option<&String>> = match self.settings.integrations.is_empty() {
            true => vec![None],
            false => self.settings.integrations.iter().map(Some).collect(),
        };
        for integration in integrations {
            for state in OPEN {
                let mut query = vec![("state", state.to_owned())];
                query.extend(integration.map(|id| ("integration_id", id.clone())));
                raw.extend(self.all("api/v1/alert_groups/", &query, usize::MAX, false).await?);
            }
        }
        let known = self.known();
        let unknown: BTreeSet<String> = raw
            .iter()
            .filter_map(|group| some(group, "/acknowledged_by"))
            .filter(|id| !known.contains_key(id))
            .take(MOST_NAMES)
            .collect();
        for id in unknown {
            self.person(&id).await;
        }
        let (known, mut seen) = (self.known(), BTreeSet::new());
        let groups = raw.iter().filter_map(|group| decode::group(group, &known));
        // One that changed between two of the lists is in both; the filter is the server's.
        Ok(groups.filter(|there| there.status != BackendStatus::Resolved && seen.insert(there.id.clone())).collect())
    }

    async fn inside(&self, id: &str) -> Result<Vec<BackendAlert>, Failure> {
        if !is_id(id) {
            return Err(self.gone(id));
        }
        let query = [("alert_group_id", id.to_owned())];
        let found = self.all("api/v1/alerts/", &query, MOST_ALERTS, false).await?;
        Ok(found.iter().filter_map(decode::alert).collect())
    }

    async fn duty(&self, service: Option<&str>) -> Result<Vec<OnCall>, Failure> {
        let schedules = match service {
            Some(_) => {
                let asked = self.settings.schedules.asked(service, self.api.name());
                let ids = asked.map_err(|fault| {
                    let detail = fault.detail.replace("options.services", "options.schedules");
                    Failure { fault: Fault { detail, ..fault }, ..Failure::unreadable(self.api.name(), "") }
                })?;
                let mut schedules = Vec::new();
                for id in ids {
                    schedules.push(self.api.ask(&format!("api/v1/schedules/{id}/"), &[]).await?);
                }
                schedules
            }
            None => self.all("api/v1/schedules/", &[], usize::MAX, false).await?,
        };
        let mut people = Vec::new();
        for schedule in &schedules {
            let named = decode::named(schedule);
            for id in list(schedule, "/on_call_now").iter().filter_map(Value::as_str) {
                let person = self.person(id).await;
                people.push(OnCall {
                    person,
                    policy: None,
                    schedule: named.clone(),
                    level: None,
                    start: None,
                    end: None,
                });
            }
        }
        Ok(people)
    }

    async fn send(&self, op: &Operation) -> Outcome {
        let Intent::Backend(write) = &op.intent else { return pages::no_backend("Grafana OnCall", op) };
        if let Some(refusal) = self.caps().refusal(write.capability()) {
            return refusal;
        }
        let step = match write {
            BackendWrite::Declare { .. } => self.page(write).await,
            _ => self.change(op, write).await,
        };
        step.unwrap_or_else(|outcome| outcome)
    }

    /// Reads the alert group, compares it with what is wanted, and sends the difference.
    async fn change(&self, op: &Operation, write: &BackendWrite) -> Result<Outcome, Outcome> {
        let id = write.incident().unwrap_or_default();
        if !is_id(id) {
            return Err(pages::no_such(id));
        }
        let (raw, there) = self.group(id).await.map_err(pages::before)?;
        pages::judge(&there, op, write)?;
        if self.silenced(&raw, op, write) {
            return Err(Outcome::AlreadyDone(pages::reference(&there)));
        }
        let invalid = |words: &str| Outcome::Refused { kind: Obstacle::Invalid, words: words.to_owned() };
        let group = |verb: &str| format!("api/v1/alert_groups/{id}/{verb}/");
        let (path, body) = match write {
            BackendWrite::Acknowledge { .. } => (group("acknowledge"), Value::Null),
            BackendWrite::Unacknowledge { .. } => (group("unacknowledge"), Value::Null),
            BackendWrite::Resolve { .. } => (group("resolve"), Value::Null),
            BackendWrite::Snooze { seconds, .. } if !(1..=LONGEST_SNOOZE).contains(seconds) => {
                return Err(invalid("a silence lasts one second to a week"));
            }
            BackendWrite::Snooze { seconds, .. } => (group("silence"), json!({"delay": seconds})),
            BackendWrite::Note { text, .. } => {
                let words = format!("{}\n{}", cut(text, WORDS), op.marker());
                ("api/v1/resolution_notes/".to_owned(), json!({"alert_group_id": id, "text": words}))
            }
            BackendWrite::RequestResponders { people, .. } => {
                if people.is_empty() || people.iter().any(|party| !is_id(&party.id)) {
                    return Err(invalid("nobody to ask"));
                }
                let users: Vec<Value> = people.iter().map(|p| json!({"id": p.id, "important": true})).collect();
                ("api/v1/escalation/".to_owned(), json!({"alert_group_id": id, "users": users}))
            }
            _ => return Err(Outcome::unsupported("it has no such call")),
        };
        match self.api.write(Method::POST, &path, &body).await {
            Ok(_) => Ok(Outcome::Applied(pages::reference(&there))),
            // A verb of a state that is reached is refused: by somebody else's hand in between, or by a proxy's second delivery.
            Err(failure) if failure.answered(400) && pages::reached(&there, write).is_some() => {
                let (_, there) = self.group(id).await.map_err(pages::before)?;
                pages::judge(&there, op, write)?;
                Err(failure.outcome())
            }
            Err(failure) => Err(failure.outcome()),
        }
    }

    /// Pages the team of a service. It has no key: sent once, and never again by itself.
    async fn page(&self, write: &BackendWrite) -> Result<Outcome, Outcome> {
        let BackendWrite::Declare { title, service, body, .. } = write else {
            return Err(Outcome::unsupported("it has no such call"));
        };
        let team = self.settings.teams.wanted(service.as_ref())?;
        let page = json!({"title": cut(title, TITLE), "message": cut(body, WORDS), "team": team});
        let sent = self.api.write(Method::POST, "api/v1/escalation/", &page).await;
        let made = sent.map_err(|failure| failure.outcome())?;
        let there = decode::group(&made, &self.known());
        Ok(Outcome::Applied(there.map_or_else(Reference::default, |there| pages::reference(&there))))
    }

    /// Whether it was silenced since the decision, on the server's clock: a silence has no end there that could be compared.
    fn silenced(&self, raw: &Value, op: &Operation, write: &BackendWrite) -> bool {
        let skew = self.api.skew().unwrap_or(Span::zero());
        let since = op.created_at.checked_add_signed(skew - secs(2)).unwrap_or(op.created_at);
        matches!(write, BackendWrite::Snooze { .. })
            && text(raw, "/state") == "silenced"
            && instant(raw, "/silenced_at").is_some_and(|at| at >= since)
    }

    async fn seek(&self, op: &Operation, write: &BackendWrite) -> Result<Found, Failure> {
        let id = write.incident().unwrap_or_default();
        match write {
            BackendWrite::Declare { .. } | BackendWrite::RequestResponders { .. } => Ok(Found::NoWay),
            BackendWrite::Note { .. } => {
                let query = [("alert_group_id", id.to_owned())];
                let notes = self.all("api/v1/resolution_notes/", &query, MOST_NOTES, true).await?;
                let marker = op.marker();
                let ours = notes.iter().find(|note| text(note, "/text").contains(&marker));
                Ok(ours.map_or(Found::Absent, |note| Found::Done(Reference::id(text(note, "/id")))))
            }
            BackendWrite::Snooze { .. } => {
                let (raw, there) = self.group(id).await?;
                Ok(match self.silenced(&raw, op, write) {
                    true => Found::Done(pages::reference(&there)),
                    false if there.status == BackendStatus::Resolved => {
                        Found::Conflict { current: pages::current(&there) }
                    }
                    false => Found::Absent,
                })
            }
            _ => Ok(pages::found(&self.group(id).await?.1, write)),
        }
    }
}

impl Outward for OnCallApi {
    fn caps(&self) -> Caps {
        use Capability::{
            Acknowledge, Declare, Escalate, Merge, Note, ReadAlerts, ReadIncidents, ReadOnCall, Reassign,
            RequestResponders, Resolve, SetPriority, SetTitle, Snooze, StatusUpdate, Unacknowledge,
        };
        let mut caps = Caps::none()
            .with(Class::Repeat, &[Acknowledge, Unacknowledge, Resolve, ReadIncidents, ReadAlerts, ReadOnCall])
            .with(Class::Compare, &[Snooze, Note])
            .with(Class::AskPerson, &[Declare, RequestResponders])
            .without(
                Lack::Unsupported,
                "alert groups of OnCall have none",
                &[Escalate, Reassign, Merge, SetPriority, SetTitle, StatusUpdate],
            );
        if self.settings.teams.is_empty() {
            let words = "options.services or options.default_service says which team is paged";
            caps = caps.without(Lack::NotConfigured, words, &[Declare]);
        }
        if self.read_only { caps.read_only() } else { caps }
    }

    fn pace(&self) -> Pace {
        Pace { burst: 5, per_minute: 20 }
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
            let (answer, note) = self.api.probe("api/v1/alert_groups/").await?;
            if answer.get("results").is_none_or(|results| !results.is_array()) {
                return Err(Failure::unreadable(self.api.name(), "the answer has no list of results").fault);
            }
            let cloud = self.api.base().contains(".grafana.net");
            let version = match cloud {
                true => "OnCall API v1, as Grafana Cloud IRM serves it",
                false => {
                    "OnCall API v1; the open-source product is archived since March 2026 and is not mended any more"
                }
            };
            Ok(ServerNote { version: Some(version.into()), ..note })
        })
    }
}

impl IncidentBackend for OnCallApi {
    fn list(&self) -> Task<'_, Result<Vec<BackendIncident>, Fault>> {
        Box::pin(async move { self.open().await.map_err(|failure| failure.fault) })
    }

    fn get<'a>(&'a self, id: &'a str) -> Task<'a, Result<BackendIncident, Fault>> {
        Box::pin(async move {
            let (raw, mut there) = self.group(id).await.map_err(|failure| failure.fault)?;
            if let (Some(id), [(party, _)]) = (some(&raw, "/acknowledged_by"), there.acknowledged_by.as_mut_slice()) {
                *party = self.person(&id).await;
            }
            Ok(there)
        })
    }

    fn alerts<'a>(&'a self, id: &'a str) -> Task<'a, Result<Vec<BackendAlert>, Fault>> {
        Box::pin(async move { self.inside(id).await.map_err(|failure| failure.fault) })
    }

    fn on_call<'a>(&'a self, service: Option<&'a str>) -> Task<'a, Result<Vec<OnCall>, Fault>> {
        Box::pin(async move { self.duty(service).await.map_err(|failure| failure.fault) })
    }

    fn me(&self) -> Task<'_, Result<Me, Fault>> {
        Box::pin(async move {
            match self.api.get("api/v1/users/current/", &[]).await {
                Ok(answer) => Ok(Me { person: decode::user(&answer), token: "user".into() }),
                // The token of a service account is nobody in person.
                Err(failure) if matches!(failure.status, Some(400 | 403 | 404)) => {
                    Ok(Me { person: None, token: "service account".into() })
                }
                Err(failure) => Err(failure.fault),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_in_either_form() {
        assert_eq!(
            explain(br#"{"detail":"Can't acknowledge a resolved alert group"}"#).text,
            "Can't acknowledge a resolved alert group"
        );
        assert_eq!(
            explain(br#"{"delay":["A valid integer is required."]}"#).text,
            "delay: A valid integer is required."
        );
        assert_eq!(explain(b"oops"), Explained::default());
    }
}

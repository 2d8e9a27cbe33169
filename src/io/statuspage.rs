//! Statuspage (Atlassian): notices on a public status page. Every write is read by customers, so none is repeated without a
//! person; what is open there is read before each of them, and an operation whose notice is there already is not sent
//! again, even when a person asks for it.

use crate::config::{Auth as Given, OutsideConfig, Section};
use crate::domain::document::Reader;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::outward::capability::{Capability, Caps, Class};
use crate::domain::outward::intent::Intent;
use crate::domain::outward::operation::Operation;
use crate::domain::outward::outcome::{Outcome, Reach, Reference};
use crate::domain::outward::pace::Pace;
use crate::domain::outward::status_page::{Component, Notice, StatusWrite};
use crate::domain::server_note::ServerNote;
use crate::domain::time::Timestamp;
use crate::io::http::json::{JsonApi, list, some, text};
use crate::io::http::{Auth, Endpoint, Explained, Failure};
use crate::io::integration::Integration;
use crate::io::port::{Outward, StatusPage, Target, Task};
use crate::io::rooms::{self, cut, segment};
use crate::io::tickets::title as one_line;
use reqwest::Method;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Its row in the registry.
pub const INTEGRATION: Integration = Integration {
    kind: "statuspage",
    about: "Statuspage: notices that customers read",
    sections: &[Section::StatusPages],
    url: Some("https://api.statuspage.io/v1"),
    secret_url: false,
    options: &OPTIONS,
    check,
    connect,
};

const OPTIONS: [(&str, &str); 2] =
    [("page", "the id of the page; needed"), ("notify", "subscribers are told of every notice; true when left out")];
/// Requests of one write.
const REQUESTS: u32 = 2;
const TITLE: usize = 200;
const BODY: usize = 20_000;
/// Where what we wrote names its operation.
const OPERATION: &str = "/metadata/midwatch/operation";

#[derive(Clone, Debug, PartialEq, Eq)]
struct Settings {
    page: String,
    notify: bool,
}

fn settings(config: &OutsideConfig, reader: &mut Reader<'_>) -> Settings {
    let fields = config.options(reader, &INTEGRATION.keys());
    let get = |key: &str| fields.as_ref().and_then(|f| f.get(key));
    Settings {
        page: get("page").and_then(|n| reader.string(n, "page")).unwrap_or_default(),
        notify: get("notify").and_then(|n| reader.boolean(n, "notify")).unwrap_or(true),
    }
}

fn check(config: &OutsideConfig, reader: &mut Reader<'_>) {
    let settings = settings(config, reader);
    if settings.page.is_empty() || !settings.page.chars().all(|c| c.is_ascii_alphanumeric()) {
        reader.error(config.options_mark(), "missing-key", "statuspage needs options: {page: ID}");
    }
    rooms::wants_bearer(config, reader);
}

fn connect(config: &OutsideConfig, mut endpoint: Endpoint) -> Result<Target, Fault> {
    let settings = settings(config, &mut Reader::new(&config.path));
    if let Given::Bearer(secret) = &config.connection.auth {
        let secret = secret.clone();
        endpoint.auth = Auth::Header { name: "Authorization".into(), prefix: "OAuth ".into(), secret };
    }
    let (address, limit) = (endpoint.url().to_owned(), endpoint.timeout * REQUESTS);
    let page = Arc::new(Page { read_only: config.read_only, settings, api: JsonApi::new(endpoint, explain, &[]) });
    Ok(Target::new(INTEGRATION.kind, address, limit, page.clone()).with_status_page(page))
}

/// One page.
#[derive(Debug)]
struct Page {
    read_only: bool,
    settings: Settings,
    api: JsonApi,
}

/// `{"error": "…"}` or `{"error": ["…"]}`.
fn explain(body: &[u8]) -> Explained {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let said: Vec<&str> = list(&value, "/error").iter().filter_map(Value::as_str).collect();
    let said = if said.is_empty() { text(&value, "/error").to_owned() } else { said.join("; ") };
    Explained { text: said, ..Explained::default() }
}

/// 420 is its older word for 429.
fn limited(mut failure: Failure) -> Failure {
    if failure.status == Some(420) {
        failure.fault.kind = FaultKind::RateLimited;
        failure.reach = Reach::Declined;
    }
    failure
}

fn over(status: &str) -> bool {
    matches!(status, "resolved" | "postmortem" | "completed")
}

fn notice(value: &Value) -> Notice {
    Notice {
        id: text(value, "/id").to_owned(),
        title: text(value, "/name").to_owned(),
        status: text(value, "/status").to_owned(),
        impact: some(value, "/impact"),
        updated_at: text(value, "/updated_at").parse().ok(),
        url: some(value, "/shortlink"),
    }
}

fn reference(value: &Value) -> Reference {
    Reference::id(text(value, "/id")).named(text(value, "/name")).at(some(value, "/shortlink"))
}

/// Components as both fields that the API wants: their states, and that they belong to the notice.
fn parts(fields: &mut Map<String, Value>, components: &[(String, String)]) {
    if components.is_empty() {
        return;
    }
    let states: Map<String, Value> = components.iter().map(|(id, state)| (id.clone(), json!(state))).collect();
    fields.insert("component_ids".into(), json!(states.keys().collect::<Vec<_>>()));
    fields.insert("components".into(), Value::Object(states));
}

impl Page {
    fn path(&self, rest: &str) -> String {
        format!("pages/{}/{rest}", segment(&self.settings.page))
    }

    async fn get(&self, rest: &str) -> Result<Value, Failure> {
        self.api.get(&self.path(rest), &[]).await.map_err(limited)
    }

    async fn write(&self, method: Method, rest: &str, incident: Map<String, Value>) -> Result<Value, Failure> {
        self.api.write(method, &self.path(rest), &json!({"incident": incident})).await.map_err(limited)
    }

    async fn open(&self, op: &Operation, write: &StatusWrite) -> Result<Outcome, Failure> {
        let StatusWrite::Open { title, status, body, impact, components } = write else {
            return Ok(Outcome::unsupported("it is no new notice"));
        };
        let title = one_line(title, TITLE);
        let unresolved = self.get("incidents/unresolved").await?;
        let open = list(&unresolved, "");
        if let Some(ours) = open.iter().find(|n| text(n, OPERATION) == op.id.as_str()) {
            return Ok(Outcome::AlreadyDone(reference(ours)));
        }
        if let Some(same) = open.iter().find(|n| text(n, "/name") == title) {
            let (id, status) = (text(same, "/id"), text(same, "/status"));
            let current = format!("a notice with this title is open there ({status}, {id}); update it instead");
            return Ok(Outcome::Conflict { current });
        }
        let mut fields = Map::new();
        fields.insert("name".into(), json!(title));
        fields.insert("status".into(), json!(status));
        fields.insert("body".into(), json!(cut(body, BODY)));
        fields.insert("deliver_notifications".into(), json!(self.settings.notify));
        fields.insert("metadata".into(), json!({"midwatch": {"operation": op.id.as_str()}}));
        if let Some(impact) = impact {
            fields.insert("impact_override".into(), json!(impact));
        }
        parts(&mut fields, components);
        let made = self.write(Method::POST, "incidents", fields).await?;
        Ok(Outcome::Applied(reference(&made)))
    }

    async fn update(&self, op: &Operation, write: &StatusWrite) -> Result<Outcome, Failure> {
        let StatusWrite::Update { notice, status, body, components } = write else {
            return Ok(Outcome::unsupported("it is no update of a notice"));
        };
        let rest = format!("incidents/{}", segment(notice));
        let there = self.get(&rest).await?;
        let body = cut(body, BODY);
        let since: Timestamp = op.created_at - crate::domain::time::mins(10);
        let ours = |update: &&Value| {
            let at: Option<Timestamp> = text(update, "/created_at").parse().ok();
            text(update, "/status") == status && text(update, "/body") == body && at.is_none_or(|at| at >= since)
        };
        if list(&there, "/incident_updates").iter().any(|update| ours(&update)) {
            return Ok(Outcome::AlreadyDone(reference(&there)));
        }
        let stands = text(&there, "/status");
        if over(stands) && status != "postmortem" {
            let current = format!("the notice is {stands} there; to go on, open a new one");
            return Ok(Outcome::Conflict { current });
        }
        let mut fields = Map::new();
        fields.insert("status".into(), json!(status));
        fields.insert("body".into(), json!(body));
        fields.insert("deliver_notifications".into(), json!(self.settings.notify));
        parts(&mut fields, components);
        let made = self.write(Method::PATCH, &rest, fields).await?;
        Ok(Outcome::Applied(if made.is_null() { reference(&there) } else { reference(&made) }))
    }
}

impl Outward for Page {
    fn caps(&self) -> Caps {
        let caps = Caps::none()
            .with(Class::AskPerson, &[Capability::OpenNotice, Capability::UpdateNotice])
            .with(Class::Repeat, &[Capability::ReadNotices]);
        if self.read_only { caps.read_only() } else { caps }
    }

    fn pace(&self) -> Pace {
        Pace { burst: 2, per_minute: 20 }
    }

    fn apply<'a>(&'a self, op: &'a Operation) -> Task<'a, Outcome> {
        Box::pin(async move {
            if let Some(refusal) = self.caps().refusal(op.intent.capability()) {
                return refusal;
            }
            let done = match &op.intent {
                Intent::StatusPage(write @ StatusWrite::Open { .. }) => self.open(op, write).await,
                Intent::StatusPage(write @ StatusWrite::Update { .. }) => self.update(op, write).await,
                _ => return Outcome::unsupported("Statuspage takes notices alone"),
            };
            done.unwrap_or_else(|failure| failure.outcome())
        })
    }

    fn probe(&self) -> Task<'_, Result<ServerNote, Fault>> {
        Box::pin(async move {
            let path = format!("pages/{}", segment(&self.settings.page));
            let (page, note) = self.api.probe(&path).await?;
            Ok(ServerNote { version: Some(format!("page {}", text(&page, "/name"))), ..note })
        })
    }
}

impl StatusPage for Page {
    fn unresolved(&self) -> Task<'_, Result<Vec<Notice>, Fault>> {
        Box::pin(async move {
            let answer = self.get("incidents/unresolved").await.map_err(|failure| failure.fault)?;
            Ok(list(&answer, "").iter().map(notice).filter(|n| !n.id.is_empty()).collect())
        })
    }

    fn components(&self) -> Task<'_, Result<Vec<Component>, Fault>> {
        Box::pin(async move {
            let answer = self.get("components").await.map_err(|failure| failure.fault)?;
            let component = |value: &Value| Component {
                id: text(value, "/id").to_owned(),
                name: text(value, "/name").to_owned(),
                status: text(value, "/status").to_owned(),
            };
            Ok(list(&answer, "").iter().map(component).filter(|c| !c.id.is_empty()).collect())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_bodies_are_read_in_both_shapes_and_a_notice_that_lacks_things_is_one() {
        assert_eq!(explain(br#"{"error":["name is too long","no"]}"#).text, "name is too long; no");
        assert_eq!(explain(br#"{"error":"Could not authenticate"}"#).text, "Could not authenticate");
        let read = notice(&json!({"id": "n1", "status": "watching", "impact": null, "updated_at": "soon"}));
        assert_eq!((read.status.as_str(), read.impact, read.updated_at, read.url), ("watching", None, None, None));
    }
}

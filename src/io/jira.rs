//! Jira: tickets over the REST API, Cloud (version 3, `auth: {basic: …}` with an address and a token) and Data Center
//! (`data_center: true`, version 2, a personal token). A ticket carries the operation's marker as a label, by which it is
//! looked up before one is created. Text from outside goes in as plain text: none of it has a meaning there.

use crate::config::{Auth, OutsideConfig, Section};
use crate::domain::document::Reader;
use crate::domain::fault::Fault;
use crate::domain::outward::capability::{Capability, Caps, Class};
use crate::domain::outward::intent::Intent;
use crate::domain::outward::operation::Operation;
use crate::domain::outward::outcome::{Found, Outcome, Reference};
use crate::domain::outward::pace::Pace;
use crate::domain::outward::ticket::{Ticket, TicketWrite};
use crate::domain::server_note::ServerNote;
use crate::io::http::json::{JsonApi, list, some, text};
use crate::io::http::{Endpoint, Explained, Failure};
use crate::io::integration::Integration;
use crate::io::port::{Outward, Target, Task, TicketSink};
use crate::io::rooms::{Piece, cut, pieces, segment};
use crate::io::tickets::{self, Shared};
use chrono::NaiveDate;
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Its row in the registry.
pub const INTEGRATION: Integration = Integration {
    kind: "jira",
    about: "Jira: tickets of an incident and of its action items",
    sections: &[Section::Tickets],
    url: None,
    secret_url: false,
    options: &OPTIONS,
    check,
    connect,
};

const OPTIONS: [(&str, &str); 5] = [
    ("project", "the key of the project, such as OPS; needed"),
    ("issue_type", "the type of a ticket; Task when left out"),
    ("data_center", "it is a Data Center of your own, not Jira Cloud"),
    tickets::LABELS,
    tickets::PEOPLE,
];
/// The longest summary that Jira takes is 255.
const TITLE: usize = 250;
/// The longest description that Jira takes is 32767.
const BODY: usize = 30_000;
/// The search of Jira knows a new ticket a moment later: what was not found is asked for again after this.
const SETTLES: Duration = Duration::from_secs(2);
/// Requests of one look or one write.
const REQUESTS: u32 = 3;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Settings {
    project: String,
    issue_type: String,
    data_center: bool,
    shared: Shared,
}

fn settings(config: &OutsideConfig, reader: &mut Reader<'_>) -> Settings {
    let fields = config.options(reader, &INTEGRATION.keys());
    let get = |key: &str| fields.as_ref().and_then(|f| f.get(key));
    let project = get("project").and_then(|n| reader.string(n, "project")).unwrap_or_default();
    let issue_type = get("issue_type").and_then(|n| reader.string(n, "issue_type")).unwrap_or_else(|| "Task".into());
    let data_center = get("data_center").and_then(|n| reader.boolean(n, "data_center")).unwrap_or(false);
    let shared = Shared::read(reader, fields.as_ref());
    Settings { project, issue_type, data_center, shared }
}

fn check(config: &OutsideConfig, reader: &mut Reader<'_>) {
    let settings = settings(config, reader);
    let fits = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    if settings.project.is_empty() || !settings.project.chars().all(fits) {
        reader.error(config.options_mark(), "missing-key", "jira needs options: {project: KEY}, such as OPS");
    }
    let how = match (settings.data_center, &config.connection.auth) {
        (_, Auth::None) => "jira needs auth: {basic: {username: YOU@EXAMPLE.COM, password: {file: PATH}}}",
        (false, Auth::Bearer(_)) => "Jira Cloud takes auth: {basic: …}; a bearer token is for data_center: true",
        _ => return,
    };
    reader.error(config.mark, "missing-key", how);
}

fn connect(config: &OutsideConfig, endpoint: Endpoint) -> Result<Target, Fault> {
    let settings = settings(config, &mut Reader::new(&config.path));
    let (address, limit) = (endpoint.url().to_owned(), endpoint.timeout * REQUESTS + SETTLES);
    let jira = Arc::new(Jira { read_only: config.read_only, settings, api: JsonApi::new(endpoint, explain, &[]) });
    Ok(Target::new(INTEGRATION.kind, address, limit, jira.clone()).with_ticket(jira))
}

/// One project.
#[derive(Debug)]
struct Jira {
    read_only: bool,
    settings: Settings,
    api: JsonApi,
}

/// `{"errorMessages": [], "errors": {field: words}}`.
fn explain(body: &[u8]) -> Explained {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let mut said: Vec<String> =
        list(&value, "/errorMessages").iter().filter_map(Value::as_str).map(Into::into).collect();
    for (field, words) in value.get("errors").and_then(Value::as_object).into_iter().flatten() {
        said.push(format!("{field}: {}", words.as_str().unwrap_or("wrong")));
    }
    said.extend(some(&value, "/message"));
    Explained { text: said.join("; "), ..Explained::default() }
}

/// A text as Jira's document: one paragraph per line, addresses as links.
fn document(body: &str) -> Value {
    let piece = |piece: Piece<'_>| match piece {
        Piece::Words(words) => json!({"type": "text", "text": words}),
        Piece::Link(url) => {
            json!({"type": "text", "text": url, "marks": [{"type": "link", "attrs": {"href": url}}]})
        }
    };
    let line = |line: &str| {
        let content: Vec<Value> = pieces(line).into_iter().map(piece).collect();
        json!({"type": "paragraph", "content": content})
    };
    let lines: Vec<Value> = cut(body, BODY).lines().filter(|l| !l.trim().is_empty()).map(line).collect();
    json!({"type": "doc", "version": 1, "content": lines})
}

/// A text for the wiki markup of a Data Center: as it is, in a block that nothing in it ends.
fn verbatim(body: &str) -> String {
    format!("{{noformat}}\n{}\n{{noformat}}", cut(body, BODY).replace('{', "{\u{200b}"))
}

impl Jira {
    fn path(&self, rest: &str) -> String {
        format!("rest/api/{}/{rest}", if self.settings.data_center { 2 } else { 3 })
    }

    fn page(&self, key: &str) -> Option<String> {
        Some(format!("{}/browse/{}", self.api.base(), segment(key)))
    }

    fn reference(&self, issue: &Value) -> Reference {
        let key = text(issue, "/key");
        Reference::id(text(issue, "/id")).named(key).at(self.page(key))
    }

    /// The ticket that carries a marker, as Jira's search knows it now.
    async fn marked(&self, marker: &str) -> Result<Option<Value>, Failure> {
        let path = self.path(if self.settings.data_center { "search" } else { "search/jql" });
        let jql = format!(
            "project = \"{}\" AND labels = \"{}\" ORDER BY created ASC",
            self.settings.project,
            tickets::marker(marker)
        );
        let query = [("jql", jql), ("fields", "summary,status".to_owned()), ("maxResults", "2".to_owned())];
        let answer = self.api.get(&path, &query).await?;
        Ok(list(&answer, "/issues").first().cloned())
    }

    fn issue(&self, write: &TicketWrite) -> Value {
        let TicketWrite::Create { title, body, marker, labels, owner, due } = write;
        let settings = &self.settings;
        let mut fields = json!({
            "project": {"key": settings.project},
            "issuetype": {"name": settings.issue_type},
            "summary": tickets::title(title, TITLE),
            "labels": settings.shared.labels_with(labels, Some(&tickets::marker(marker))),
            "description": if settings.data_center { json!(verbatim(body)) } else { document(body) },
        });
        let account = settings.shared.account(owner.as_deref());
        if let (Some(account), Some(fields)) = (account, fields.as_object_mut()) {
            let key = if settings.data_center { "name" } else { "accountId" };
            fields.insert("assignee".into(), json!({key: account}));
        }
        // Only a day can be due there; everything else stands in the body.
        let day = due.as_deref().filter(|due| due.parse::<NaiveDate>().is_ok());
        if let (Some(day), Some(fields)) = (day, fields.as_object_mut()) {
            fields.insert("duedate".into(), json!(day));
        }
        json!({"fields": fields})
    }

    async fn create(&self, write: &TicketWrite) -> Result<Outcome, Failure> {
        let TicketWrite::Create { marker, .. } = write;
        if let Some(there) = self.marked(marker).await? {
            return Ok(Outcome::AlreadyDone(self.reference(&there)));
        }
        let made = self.api.write(Method::POST, &self.path("issue"), &self.issue(write)).await?;
        Ok(Outcome::Applied(self.reference(&made)))
    }

    async fn seek(&self, marker: &str) -> Result<Found, Failure> {
        let mut there = self.marked(marker).await?;
        if there.is_none() {
            tokio::time::sleep(SETTLES).await;
            there = self.marked(marker).await?;
        }
        Ok(there.map_or(Found::Absent, |issue| Found::Done(self.reference(&issue))))
    }
}

impl Outward for Jira {
    fn caps(&self) -> Caps {
        let caps = Caps::none()
            .with(Class::Compare, &[Capability::CreateTicket])
            .with(Class::Repeat, &[Capability::FindTicket]);
        if self.read_only { caps.read_only() } else { caps }
    }

    fn pace(&self) -> Pace {
        Pace { burst: 5, per_minute: 60 }
    }

    fn apply<'a>(&'a self, op: &'a Operation) -> Task<'a, Outcome> {
        Box::pin(async move {
            if let Some(refusal) = self.caps().refusal(op.intent.capability()) {
                return refusal;
            }
            let Intent::Ticket(write) = &op.intent else { return Outcome::unsupported("Jira takes tickets alone") };
            self.create(write).await.unwrap_or_else(|failure| failure.outcome())
        })
    }

    fn look<'a>(&'a self, op: &'a Operation) -> Task<'a, Found> {
        Box::pin(async move {
            let Intent::Ticket(TicketWrite::Create { marker, .. }) = &op.intent else { return Found::NoWay };
            self.seek(marker).await.unwrap_or_else(|failure| failure.found())
        })
    }

    fn probe(&self) -> Task<'_, Result<ServerNote, Fault>> {
        Box::pin(async move {
            let (me, note) = self.api.probe(&self.path("myself")).await?;
            self.api.probe(&self.path(&format!("project/{}", segment(&self.settings.project)))).await?;
            let who = some(&me, "/displayName").or_else(|| some(&me, "/name")).unwrap_or_default();
            let version = Some(format!("as {who} in {}", self.settings.project));
            Ok(ServerNote { requests: 2, version, ..note })
        })
    }
}

impl TicketSink for Jira {
    fn find<'a>(&'a self, marker: &'a str) -> Task<'a, Result<Option<Ticket>, Fault>> {
        Box::pin(async move {
            let found = self.marked(marker).await.map_err(|failure| failure.fault)?;
            Ok(found.map(|issue| {
                let key = text(&issue, "/key");
                Ticket {
                    id: text(&issue, "/id").to_owned(),
                    key: key.to_owned(),
                    title: text(&issue, "/fields/summary").to_owned(),
                    state: text(&issue, "/fields/status/name").to_owned(),
                    url: self.page(key),
                }
            }))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_no_meaning_there_and_errors_name_their_field() {
        let doc = document("*bold* see https://a.example\n\nh1. no heading");
        assert_eq!(doc.pointer("/content/0/content/0/text").unwrap(), "*bold* see ");
        assert_eq!(doc.pointer("/content/0/content/1/marks/0/attrs/href").unwrap(), "https://a.example");
        assert_eq!(doc.pointer("/content/1/content/0/text").unwrap(), "h1. no heading");
        assert_eq!(verbatim("a {noformat} h1. b").matches("{noformat}").count(), 2);
        let body = br#"{"errorMessages":["no"],"errors":{"duedate":"is not on the screen"}}"#;
        assert_eq!(explain(body).text, "no; duedate: is not on the screen");
        assert_eq!(explain(b"oops"), Explained::default());
    }
}

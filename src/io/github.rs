//! GitHub: issues of one repository over the REST API, with a token that may write issues there. The marker of an operation
//! stands in the body, since labels of somebody who may not set them are dropped in silence. It is looked up before an
//! issue is opened: among the newest issues, which are always true, and by the search, which knows the older ones.

use crate::config::{OutsideConfig, Section};
use crate::domain::document::Reader;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::outward::capability::{Capability, Caps, Class};
use crate::domain::outward::intent::Intent;
use crate::domain::outward::operation::Operation;
use crate::domain::outward::outcome::{Found, Obstacle, Outcome, Reach, Reference};
use crate::domain::outward::pace::Pace;
use crate::domain::outward::ticket::{Ticket, TicketWrite};
use crate::domain::server_note::ServerNote;
use crate::domain::text::markdown;
use crate::domain::time::{Span, Timestamp, rfc3339};
use crate::io::http::json::{JsonApi, list, some, text};
use crate::io::http::{Endpoint, Explained, Failure};
use crate::io::integration::Integration;
use crate::io::port::{Outward, Target, Task, TicketSink};
use crate::io::rooms::{self, Piece, cut, pieces, segment};
use crate::io::tickets::{self, Shared};
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;

/// Its row in the registry.
pub const INTEGRATION: Integration = Integration {
    kind: "github",
    about: "GitHub: issues of an incident and of its action items",
    sections: &[Section::Tickets],
    url: Some("https://api.github.com"),
    secret_url: false,
    options: &OPTIONS,
    check,
    connect,
};

const OPTIONS: [(&str, &str); 3] =
    [("repository", "where issues are opened, as owner/name; needed"), tickets::LABELS, tickets::PEOPLE];
const HEADERS: &[(&str, &str)] = &[
    ("Accept", "application/vnd.github+json"),
    ("X-GitHub-Api-Version", "2022-11-28"),
    ("User-Agent", concat!("midwatch/", env!("CARGO_PKG_VERSION"))),
];
const TITLE: usize = 250;
/// The longest body that GitHub takes is 65536.
const BODY: usize = 60_000;
/// How far the two clocks may be apart when the newest issues are looked through.
const APART: Span = Span::minutes(10);
/// Issues of one page, and pages that are looked through.
const PAGE: usize = 100;
const PAGES: u32 = 5;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Settings {
    repository: String,
    shared: Shared,
}

fn settings(config: &OutsideConfig, reader: &mut Reader<'_>) -> Settings {
    let fields = config.options(reader, &INTEGRATION.keys());
    let node = fields.as_ref().and_then(|f| f.get("repository"));
    let repository = node.and_then(|n| reader.string(n, "repository")).unwrap_or_default();
    Settings { repository, shared: Shared::read(reader, fields.as_ref()) }
}

/// Owner and name.
fn parts(repository: &str) -> Option<(&str, &str)> {
    let fits = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    repository.split_once('/').filter(|(owner, name)| fits(owner) && fits(name))
}

fn check(config: &OutsideConfig, reader: &mut Reader<'_>) {
    let settings = settings(config, reader);
    if parts(&settings.repository).is_none() {
        reader.error(config.options_mark(), "missing-key", "github needs options: {repository: OWNER/NAME}");
    }
    rooms::wants_bearer(config, reader);
}

fn connect(config: &OutsideConfig, endpoint: Endpoint) -> Result<Target, Fault> {
    let settings = settings(config, &mut Reader::new(&config.path));
    let (address, limit) = (endpoint.url().to_owned(), endpoint.timeout * (PAGES + 2));
    let github =
        Arc::new(GitHub { read_only: config.read_only, settings, api: JsonApi::new(endpoint, explain, HEADERS) });
    Ok(Target::new(INTEGRATION.kind, address, limit, github.clone()).with_ticket(github))
}

/// One repository.
#[derive(Debug)]
struct GitHub {
    read_only: bool,
    settings: Settings,
    api: JsonApi,
}

/// `{"message", "errors": [{"resource", "field", "code", "message"}]}`. A limit is told as 403.
fn explain(body: &[u8]) -> Explained {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let message = text(&value, "/message");
    let more = list(&value, "/errors").iter().map(|error| match text(error, "/message") {
        "" => format!("{} {}", text(error, "/field"), text(error, "/code")),
        words => words.to_owned(),
    });
    let said: Vec<String> = std::iter::once(message.to_owned()).chain(more).filter(|s| !s.trim().is_empty()).collect();
    let limited = message.to_ascii_lowercase().contains("rate limit");
    let kind = limited.then_some(FaultKind::RateLimited);
    let bar = message.starts_with("Resource not accessible by").then_some(Obstacle::Scope);
    Explained { kind, text: said.join("; "), bar, ..Explained::default() }
}

/// A text that adds nothing but itself: no heading, no image, nobody is mentioned, no other issue is referred to.
fn plain(body: &str) -> String {
    let words = |text: &str| markdown(text).replace("\\@", "@\u{200b}").replace("\\#", "\\#\u{200b}");
    let line = |line: &str| -> String {
        let piece = |piece: Piece<'_>| match piece {
            Piece::Words(text) => words(text),
            Piece::Link(url) => format!("<{url}>"),
        };
        pieces(line).into_iter().map(piece).collect()
    };
    // Two blanks keep a line a line.
    cut(body, BODY).lines().map(line).collect::<Vec<_>>().join("  \n")
}

impl GitHub {
    fn path(&self) -> String {
        let (owner, name) = parts(&self.settings.repository).unwrap_or_default();
        format!("repos/{}/{}", segment(owner), segment(name))
    }

    fn reference(&self, issue: &Value) -> Reference {
        let number = issue.get("number").and_then(Value::as_u64).unwrap_or_default();
        let name = format!("{}#{number}", self.settings.repository);
        Reference::id(number.to_string()).named(name).at(some(issue, "/html_url"))
    }

    /// The issue with a marker in its body among those that were touched since an instant.
    async fn newest(&self, marker: &str, since: Timestamp) -> Result<Option<Value>, Failure> {
        let path = format!("{}/issues", self.path());
        for page in 1..=PAGES {
            let query = [
                ("state", "all".to_owned()),
                ("since", rfc3339(since)),
                ("sort", "created".to_owned()),
                ("direction", "desc".to_owned()),
                ("per_page", PAGE.to_string()),
                ("page", page.to_string()),
            ];
            let answer = self.api.get(&path, &query).await?;
            let issues = list(&answer, "");
            if let Some(found) = issues.iter().find(|issue| carries(issue, marker)) {
                return Ok(Some(found.clone()));
            }
            if issues.len() < PAGE {
                return Ok(None);
            }
        }
        let words = format!("more than {} issues changed; this one could not be looked for", PAGE * PAGES as usize);
        let fault = Fault::new(FaultKind::TooLarge, "github", words);
        Err(Failure { fault, reach: Reach::NotSent, status: None, code: None, bar: None })
    }

    /// The same by the search.
    async fn searched(&self, marker: &str) -> Result<Option<Value>, Failure> {
        let query = format!("\"{marker}\" in:body is:issue repo:{}", self.settings.repository);
        let answer = self.api.get("search/issues", &[("q", query), ("per_page", "10".to_owned())]).await?;
        Ok(list(&answer, "/items").iter().find(|issue| carries(issue, marker)).cloned())
    }

    async fn marked(&self, op: &Operation, marker: &str) -> Result<Option<Value>, Failure> {
        let marker = tickets::marker(marker);
        match self.newest(&marker, op.created_at - APART).await? {
            Some(issue) => Ok(Some(issue)),
            None => self.searched(&marker).await,
        }
    }

    async fn create(&self, op: &Operation, write: &TicketWrite) -> Result<Outcome, Failure> {
        let TicketWrite::Create { title, body, marker, labels, owner, .. } = write;
        if let Some(there) = self.marked(op, marker).await? {
            return Ok(Outcome::AlreadyDone(self.reference(&there)));
        }
        let mut issue = json!({
            "title": tickets::title(title, TITLE),
            "body": format!("{}\n\n`{}`\n", plain(body), tickets::marker(marker)),
            "labels": self.settings.shared.labels_with(labels, None),
        });
        if let (Some(account), Some(fields)) = (self.settings.shared.account(owner.as_deref()), issue.as_object_mut()) {
            fields.insert("assignees".into(), json!([account]));
        }
        let made = self.api.write(Method::POST, &format!("{}/issues", self.path()), &issue).await?;
        Ok(Outcome::Applied(self.reference(&made)))
    }

    async fn seek(&self, op: &Operation, marker: &str) -> Result<Found, Failure> {
        let there = self.marked(op, marker).await?;
        Ok(there.map_or(Found::Absent, |issue| Found::Done(self.reference(&issue))))
    }
}

fn carries(issue: &Value, marker: &str) -> bool {
    issue.get("pull_request").is_none() && text(issue, "/body").contains(&format!("`{marker}`"))
}

impl Outward for GitHub {
    fn caps(&self) -> Caps {
        let caps = Caps::none()
            .with(Class::Compare, &[Capability::CreateTicket])
            .with(Class::Repeat, &[Capability::FindTicket]);
        if self.read_only { caps.read_only() } else { caps }
    }

    fn pace(&self) -> Pace {
        Pace { burst: 3, per_minute: 20 }
    }

    fn apply<'a>(&'a self, op: &'a Operation) -> Task<'a, Outcome> {
        Box::pin(async move {
            if let Some(refusal) = self.caps().refusal(op.intent.capability()) {
                return refusal;
            }
            let Intent::Ticket(write) = &op.intent else { return Outcome::unsupported("GitHub takes tickets alone") };
            self.create(op, write).await.unwrap_or_else(|failure| failure.outcome())
        })
    }

    fn look<'a>(&'a self, op: &'a Operation) -> Task<'a, Found> {
        Box::pin(async move {
            let Intent::Ticket(TicketWrite::Create { marker, .. }) = &op.intent else { return Found::NoWay };
            self.seek(op, marker).await.unwrap_or_else(|failure| failure.found())
        })
    }

    fn probe(&self) -> Task<'_, Result<ServerNote, Fault>> {
        Box::pin(async move {
            let (there, note) = self.api.probe(&self.path()).await?;
            if there.get("has_issues").and_then(Value::as_bool) == Some(false) {
                let words = format!("{} has no issues", self.settings.repository);
                return Err(Fault::new(FaultKind::Rejected, "github", words));
            }
            Ok(ServerNote { version: Some(format!("in {}", self.settings.repository)), ..note })
        })
    }
}

impl TicketSink for GitHub {
    fn find<'a>(&'a self, marker: &'a str) -> Task<'a, Result<Option<Ticket>, Fault>> {
        Box::pin(async move {
            let found = self.searched(&tickets::marker(marker)).await.map_err(|failure| failure.fault)?;
            Ok(found.map(|issue| {
                let Reference { id, name, url } = self.reference(&issue);
                Ticket {
                    id: id.unwrap_or_default(),
                    key: name.unwrap_or_default(),
                    title: text(&issue, "/title").to_owned(),
                    state: text(&issue, "/state").to_owned(),
                    url,
                }
            }))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_mentions_nobody_and_links_no_other_issue() {
        let body = plain("ask @team/sre about #12\n# no heading https://a.example/x_y");
        assert!(!body.contains("@team") && !body.contains("#12"), "{body}");
        assert!(body.contains("  \n\\#"), "{body}");
        assert!(body.ends_with("<https://a.example/x_y>"), "{body}");
    }

    #[test]
    fn a_limit_is_told_from_a_missing_right() {
        let limited = br#"{"message":"You have exceeded a secondary rate limit."}"#;
        assert_eq!(explain(limited).kind, Some(FaultKind::RateLimited));
        assert_eq!(explain(br#"{"message":"Resource not accessible by integration"}"#).kind, None);
        let wrong = br#"{"message":"Validation Failed","errors":[{"field":"assignees","code":"invalid"}]}"#;
        assert_eq!(explain(wrong).text, "Validation Failed; assignees invalid");
    }

    #[test]
    fn repositories_are_owner_and_name() {
        assert_eq!(parts("acme/ops.tools"), Some(("acme", "ops.tools")));
        for bad in ["acme", "acme/", "/x", "a b/c", "a/b/c", ""] {
            assert_eq!(parts(bad), None, "{bad}");
        }
    }
}

//! The REST v2 API: one request at a time with the headers it wants, pages of a list, who the token is. Never retries,
//! never judges a state.

use crate::domain::fault::{Fault, FaultKind};
use crate::domain::outward::backend::{BackendIncident, Party};
use crate::domain::outward::pace::Pace;
use crate::io::http::{Body, Endpoint, Explained, Failure, Http, QUERY_LIMIT, Reply, Request, Throttled};
use crate::io::pagerduty::decode;
use crate::io::pagerduty::settings::{Settings, is_id};
use reqwest::Method;
use serde_json::Value;
use std::collections::BTreeSet;
use tokio::sync::OnceCell;

/// The version of the API that is meant.
const ACCEPT: &str = "application/vnd.pagerduty+json;version=2";
/// Items of one page; also the most that is allowed.
const PAGE: usize = 100;
/// Beyond this offset the API answers 400.
const DEEPEST: usize = 10_000;
/// Questions: a burst for the pages of a long list, and a sixteenth of what the API allows in a minute.
const BUDGET: Pace = Pace { burst: 20, per_minute: 60 };

/// Who the token is.
#[derive(Clone, Debug, PartialEq)]
pub struct Who {
    /// `user` or `account`.
    pub token: &'static str,
    /// In whose name writes are made.
    pub person: Option<Party>,
}

/// A client of one account.
#[derive(Debug)]
pub struct Client {
    pub http: Throttled,
    pub settings: Settings,
    who: OnceCell<Who>,
}

impl Client {
    /// A client that has asked nothing.
    pub fn new(endpoint: Endpoint, settings: Settings) -> Self {
        Self { http: Throttled::new(Http::new(endpoint), BUDGET), settings, who: OnceCell::new() }
    }

    /// How faults name it.
    pub fn name(&self) -> &str {
        self.http.endpoint().name()
    }

    /// A question.
    pub fn get(path: impl Into<String>) -> Request {
        // The specification wants a content type even where there is no content.
        Request::get(path, QUERY_LIMIT, explain).header("Accept", ACCEPT).header("Content-Type", "application/json")
    }

    /// Asks and gives the JSON of the answer.
    pub async fn ask(&self, request: &Request) -> Result<Value, Failure> {
        let reply = self.http.ask(request).await?;
        self.json(&reply)
    }

    /// The same for a question that a write waits for: it does not wait for the budget.
    pub async fn ask_now(&self, request: &Request) -> Result<Value, Failure> {
        let reply = self.http.write(request).await?;
        self.json(&reply)
    }

    /// Writes and gives the JSON of the answer; an answer that cannot be read is none.
    pub async fn write(&self, method: Method, path: &str, body: &Value) -> Result<Value, Failure> {
        let mut request =
            Request::post(path, Body::Json(body.to_string()), QUERY_LIMIT, explain).by(method).header("Accept", ACCEPT);
        if let Some(email) = &self.settings.from_email {
            request = request.header("From", email);
        } else if let Some(email) = self.who.get().and_then(|who| who.person.as_ref()?.email.clone()) {
            request = request.header("From", email);
        }
        let reply = self.http.write(&request).await?;
        Ok(self.json(&reply).unwrap_or(Value::Null))
    }

    fn json(&self, reply: &Reply) -> Result<Value, Failure> {
        serde_json::from_slice(&reply.body).map_err(|error| Failure {
            fault: Fault::new(FaultKind::Malformed, self.name(), format!("not the JSON that was expected: {error}")),
            reach: crate::domain::outward::outcome::Reach::Sent,
            status: Some(reply.status),
            code: None,
            bar: None,
        })
    }

    /// All pages of a list under `key`, each item once, at most `most` of them. Moves on by what was received: a server
    /// may give fewer items than it was asked for, and an empty page ends the list whatever `more` says.
    pub async fn pages(&self, request: &Request, key: &str, most: usize) -> Result<Vec<Value>, Failure> {
        let (mut all, mut seen, mut offset) = (Vec::new(), BTreeSet::new(), 0);
        loop {
            let page = request.clone().query("limit", PAGE.to_string()).query("offset", offset.to_string());
            let answer = self.ask(&page).await?;
            let Some(items) = answer.get(key).and_then(Value::as_array) else {
                let detail = format!("the answer has no list of {key}");
                return Err(self.malformed(detail));
            };
            offset += items.len();
            for item in items {
                // Lists move while they are read: what comes twice is one.
                let id = decode::text(item, "id").unwrap_or_default();
                if id.is_empty() || seen.insert(id) {
                    all.push(item.clone());
                }
            }
            let more = answer.get("more").and_then(Value::as_bool).unwrap_or(false);
            if !more || items.is_empty() || all.len() >= most {
                all.truncate(most);
                return Ok(all);
            }
            if offset + PAGE > DEEPEST {
                let detail = format!("more than {offset} {key}: narrow it with options.teams or options.urgencies");
                return Err(Failure {
                    fault: Fault::new(FaultKind::TooLarge, self.name(), detail),
                    ..self.malformed("")
                });
            }
        }
    }

    pub fn malformed(&self, detail: impl Into<String>) -> Failure {
        Failure {
            fault: Fault::new(FaultKind::Malformed, self.name(), detail),
            reach: crate::domain::outward::outcome::Reach::Sent,
            status: None,
            code: None,
            bar: None,
        }
    }

    /// One incident, for a write or a look: not kept waiting by the budget.
    pub async fn incident(&self, id: &str) -> Result<BackendIncident, Failure> {
        if !is_id(id) {
            return Err(self.gone(format!("{id:?} cannot be the id of an incident")));
        }
        let request = with_includes(Self::get(format!("incidents/{id}")));
        let answer = self.ask_now(&request).await.map_err(|failure| match failure.status {
            Some(404) => Failure { fault: self.gone(format!("there is no incident {id}")).fault, ..failure },
            _ => failure,
        })?;
        let incident = answer.get("incident").and_then(decode::incident);
        incident.ok_or_else(|| self.malformed("the answer has no incident"))
    }

    fn gone(&self, detail: String) -> Failure {
        Failure {
            fault: Fault::new(FaultKind::Rejected, self.name(), format!("answered 404: {detail}")),
            reach: crate::domain::outward::outcome::Reach::Declined,
            status: Some(404),
            code: None,
            bar: None,
        }
    }

    /// Who the token is; asked once. The question works with a user's token alone, which tells the two kinds apart.
    pub async fn who(&self) -> Result<&Who, Failure> {
        self.who.get_or_try_init(|| self.ask_who()).await
    }

    async fn ask_who(&self) -> Result<Who, Failure> {
        match self.ask_now(&Self::get("users/me")).await {
            Ok(answer) => Ok(Who { token: "user", person: answer.get("user").and_then(decode::party) }),
            Err(failure) if matches!(failure.status, Some(400 | 403 | 404)) => {
                let person = match &self.settings.from_email {
                    Some(email) => self.user(email).await?,
                    None => None,
                };
                Ok(Who { token: "account", person })
            }
            Err(failure) => Err(failure),
        }
    }

    /// The user of an address.
    async fn user(&self, email: &str) -> Result<Option<Party>, Failure> {
        let request = Self::get("users").query("query", email).query("limit", PAGE.to_string());
        let answer = self.ask_now(&request).await?;
        let users = answer.get("users").and_then(Value::as_array).cloned().unwrap_or_default();
        let same = |p: &Party| p.email.as_deref().is_some_and(|known| known.eq_ignore_ascii_case(email));
        Ok(users.iter().filter_map(decode::party).find(same))
    }

    /// What the account's plan has; `None` when this token may not ask.
    pub async fn abilities(&self) -> Result<Option<Vec<String>>, Fault> {
        match self.ask(&Self::get("abilities")).await {
            Ok(answer) => {
                let list = answer.get("abilities").and_then(Value::as_array);
                Ok(list.map(|list| list.iter().filter_map(|a| a.as_str().map(str::to_owned)).collect()))
            }
            Err(failure) if matches!(failure.status, Some(400 | 402 | 403 | 404)) => Ok(None),
            Err(failure) => Err(failure.fault),
        }
    }
}

/// What is told whole with an incident, so that no second question is needed.
pub fn with_includes(request: Request) -> Request {
    ["acknowledgers", "assignees", "escalation_policies", "priorities", "services"]
        .into_iter()
        .fold(request, |request, name| request.query("include[]", name))
}

/// Reads an error body: `error.errors` is a list on older paths and an object of lists on newer ones.
pub fn explain(body: &[u8]) -> Explained {
    let Ok(json) = serde_json::from_slice::<Value>(body) else {
        return Explained { text: String::from_utf8_lossy(body).into_owned(), ..Explained::default() };
    };
    let error = json.get("error").unwrap_or(&json);
    let message = decode::text(error, "message").unwrap_or_default();
    let details = error.get("errors").map(decode::words).unwrap_or_default();
    let text = match (message.is_empty(), details.is_empty()) {
        (_, true) => message,
        (true, false) => details,
        (false, false) => format!("{message}: {details}"),
    };
    let code = error.get("code").and_then(|code| match code {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()),
        _ => None,
    });
    Explained { text, code, ..Explained::default() }
}

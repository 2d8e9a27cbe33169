//! An API that speaks JSON both ways: one request, its answer as a value. Never retries and never judges what an answer says.

use crate::domain::fault::{Fault, FaultKind};
use crate::domain::outward::outcome::Reach;
use crate::domain::outward::pace::Pace;
use crate::domain::server_note::ServerNote;
use crate::domain::time::{Span, Timestamp};
use crate::io::http::{Body, Endpoint, Explained, Failure, Http, Reply, Request, Throttled};
use reqwest::Method;
use serde_json::Value;

/// The largest answer that is read.
const LIMIT: usize = 8 * 1024 * 1024;

/// How requests leave.
#[derive(Debug)]
enum Wire {
    /// As they come.
    Free(Box<Http>),
    /// One at a time, questions within a budget.
    Paced(Box<Throttled>),
}

/// A client of one API.
#[derive(Debug)]
pub struct JsonApi {
    wire: Wire,
    explain: fn(&[u8]) -> Explained,
    headers: &'static [(&'static str, &'static str)],
}

impl JsonApi {
    /// A client that has asked nothing. `headers` go with every request.
    pub fn new(
        endpoint: Endpoint,
        explain: fn(&[u8]) -> Explained,
        headers: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self { wire: Wire::Free(Box::new(Http::new(endpoint))), explain, headers }
    }

    /// The same for a product that wants one request at a time, and no more questions than this.
    pub fn paced(
        endpoint: Endpoint,
        explain: fn(&[u8]) -> Explained,
        headers: &'static [(&'static str, &'static str)],
        pace: Pace,
    ) -> Self {
        let wire = Wire::Paced(Box::new(Throttled::new(Http::new(endpoint), pace)));
        Self { wire, explain, headers }
    }

    fn endpoint(&self) -> &Endpoint {
        match &self.wire {
            Wire::Free(http) => http.endpoint(),
            Wire::Paced(http) => http.endpoint(),
        }
    }

    /// How faults name it.
    pub fn name(&self) -> &str {
        self.endpoint().name()
    }

    /// Its base address without a slash at its end.
    pub fn base(&self) -> &str {
        self.endpoint().url().trim_end_matches('/')
    }

    /// The server's clock minus ours, as a paced API was told last.
    pub fn skew(&self) -> Option<Span> {
        match &self.wire {
            Wire::Free(_) => None,
            Wire::Paced(http) => http.skew(),
        }
    }

    async fn send(&self, request: &Request) -> Result<Reply, Failure> {
        match &self.wire {
            Wire::Free(http) => http.write(request).await,
            Wire::Paced(http) => http.write(request).await,
        }
    }

    /// Asks as soon as the budget has room; `query` is encoded here.
    pub async fn ask(&self, path: &str, query: &[(&str, String)]) -> Result<Value, Failure> {
        let request = self.question(path, query);
        let reply = match &self.wire {
            Wire::Free(http) => http.write(&request).await?,
            Wire::Paced(http) => http.ask(&request).await?,
        };
        self.value(&reply)
    }

    /// Asks for a write that waits for it: the budget does not keep it.
    pub async fn get(&self, path: &str, query: &[(&str, String)]) -> Result<Value, Failure> {
        let reply = self.send(&self.question(path, query)).await?;
        self.value(&reply)
    }

    /// Asks with a body, as GraphQL does; the answer must be JSON.
    pub async fn post(&self, path: &str, body: &Value, waits: bool) -> Result<Value, Failure> {
        let mut request = self.question(path, &[]).by(Method::POST);
        request.body = Body::Json(body.to_string());
        let reply = match &self.wire {
            Wire::Paced(http) if !waits => http.ask(&request).await?,
            _ => self.send(&request).await?,
        };
        self.value(&reply)
    }

    /// Writes; null sends no body. An answer that cannot be read is a failure that may have been carried out; none at all is
    /// null.
    pub async fn write(&self, method: Method, path: &str, body: &Value) -> Result<Value, Failure> {
        let mut request = self.question(path, &[]).by(method);
        if !body.is_null() {
            request.body = Body::Json(body.to_string());
        }
        let reply = self.send(&request).await?;
        match reply.body.is_empty() {
            true => Ok(Value::Null),
            false => self.value(&reply),
        }
    }

    /// Asks for `doctor`: the answer, and what came with it.
    pub async fn probe(&self, path: &str) -> Result<(Value, ServerNote), Fault> {
        let reply = self.send(&self.question(path, &[])).await.map_err(|failure| failure.fault)?;
        let value = self.value(&reply).map_err(|failure| failure.fault)?;
        Ok((value, ServerNote { requests: 1, skew: reply.skew, ..ServerNote::default() }))
    }

    fn question(&self, path: &str, query: &[(&str, String)]) -> Request {
        let asked = Request::get(path, LIMIT, self.explain);
        let asked = query.iter().fold(asked, |asked, (name, value)| asked.query(*name, value.clone()));
        self.headers.iter().fold(asked, |asked, (name, value)| asked.header(*name, *value))
    }

    fn value(&self, reply: &Reply) -> Result<Value, Failure> {
        serde_json::from_slice(&reply.body).map_err(|_| Failure {
            fault: Fault::new(FaultKind::Malformed, self.name(), "the answer is no JSON"),
            reach: Reach::Sent,
            status: Some(reply.status),
            code: None,
            bar: None,
        })
    }
}

/// A text at a place (`/fields/summary`); empty when there is none.
pub fn text<'v>(value: &'v Value, place: &str) -> &'v str {
    value.pointer(place).and_then(Value::as_str).unwrap_or_default()
}

/// The same, `None` when it is missing or empty.
pub fn some(value: &Value, place: &str) -> Option<String> {
    Some(text(value, place)).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// An instant at a place; `None` when it is missing or cannot be read.
pub fn instant(value: &Value, place: &str) -> Option<Timestamp> {
    value.pointer(place)?.as_str()?.parse().ok()
}

/// The list at a place; none is empty.
pub fn list<'v>(value: &'v Value, place: &str) -> &'v [Value] {
    value.pointer(place).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

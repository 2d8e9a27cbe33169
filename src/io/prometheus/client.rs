//! The Prometheus HTTP API as plain async functions: one request each, nothing kept between them. Never retries; never
//! judges a number.

use crate::domain::alert::Alert;
use crate::domain::alert::rule::AlertRule;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::ids::SourceName;
use crate::domain::labels::Labels;
use crate::domain::slo::sample::{RangeSeries, Sample};
use crate::domain::time::{Span, Timestamp, seconds};
use crate::io::http::{ALERTS_LIMIT, Body, Endpoint, Http, QUERY_LIMIT, Reply, Request};
use crate::io::port::ServerNote;
use crate::io::prometheus::answer::Answer;
use crate::io::prometheus::decode::{self, Decoded, Refusal};

/// A client of one Prometheus-compatible server.
#[derive(Debug)]
pub struct Client {
    http: Http,
}

impl Client {
    /// A client for this endpoint; nothing is opened before the first question.
    pub fn new(endpoint: Endpoint) -> Self {
        Self { http: Http::new(endpoint) }
    }

    /// Its endpoint.
    pub fn endpoint(&self) -> &Endpoint {
        self.http.endpoint()
    }

    /// Evaluates a query at an instant. Sent as a form, since objectives make queries longer than proxies let URLs be.
    pub async fn instant(&self, query: &str, at: Timestamp) -> Result<Answer<Vec<Sample>>, Fault> {
        let fields = vec![("query".to_owned(), query.to_owned()), ("time".to_owned(), unix(at)), self.limit(), stats()];
        let reply = self.post("api/v1/query", fields).await?;
        self.answer(&reply, decode::vector(&reply.body))
    }

    /// Evaluates a query over `[start, end]` at every `step`. Servers refuse more than 11,000 steps.
    pub async fn range(
        &self,
        query: &str,
        start: Timestamp,
        end: Timestamp,
        step: Span,
    ) -> Result<Answer<Vec<RangeSeries>>, Fault> {
        let fields = vec![
            ("query".to_owned(), query.to_owned()),
            ("start".to_owned(), unix(start)),
            ("end".to_owned(), unix(end)),
            ("step".to_owned(), seconds(step).to_string()),
            self.limit(),
            stats(),
        ];
        let reply = self.post("api/v1/query_range", fields).await?;
        self.answer(&reply, decode::matrix(&reply.body))
    }

    /// The label sets of the series of a selector that have samples in `[start, end]`, read from the index alone.
    pub async fn series(&self, selector: &str, start: Timestamp, end: Timestamp) -> Result<Answer<Vec<Labels>>, Fault> {
        let fields = vec![
            ("match[]".to_owned(), selector.to_owned()),
            ("start".to_owned(), unix(start)),
            ("end".to_owned(), unix(end)),
        ];
        let reply = self.post("api/v1/series", fields).await?;
        self.answer(&reply, decode::series(&reply.body))
    }

    /// The alerts it evaluates itself, pending ones included.
    pub async fn alerts(&self, source: &SourceName) -> Result<Vec<Alert>, Fault> {
        let reply = self.http.send(&Request::get("api/v1/alerts", ALERTS_LIMIT, decode::explain)).await?;
        decode::alerts(&reply.body, source).map_err(|refusal| self.fault(refusal))
    }

    /// Its alerting rules. Newer servers leave the alerts of each rule out when they are asked to.
    pub async fn rules(&self) -> Result<Vec<AlertRule>, Fault> {
        let only = [("type", "alert"), ("exclude_alerts", "true")];
        let query = only.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let ask = Request { query, ..Request::get("api/v1/rules", ALERTS_LIMIT, decode::explain) };
        let reply = self.http.send(&ask).await?;
        decode::rules(&reply.body).map_err(|refusal| self.fault(refusal))
    }

    /// Its version and clock: the cheap question of a health check.
    pub async fn buildinfo(&self) -> Result<ServerNote, Fault> {
        let reply = self.http.send(&Request::get("api/v1/status/buildinfo", QUERY_LIMIT, decode::explain)).await?;
        let version = decode::version(&reply.body).map_err(|refusal| self.fault(refusal))?;
        Ok(ServerNote { requests: 1, skew: reply.skew, version, ..ServerNote::default() })
    }

    /// The samples of a range selector, such as `x[5m]`, as an instant query gives them.
    pub async fn samples(&self, query: &str, at: Timestamp) -> Result<Answer<Vec<RangeSeries>>, Fault> {
        let fields = vec![("query".to_owned(), query.to_owned()), ("time".to_owned(), unix(at)), self.limit()];
        let reply = self.post("api/v1/query", fields).await?;
        self.answer(&reply, decode::matrix(&reply.body))
    }

    /// Whether a selector matched any series within `[start, end]`. An answer too large to be read is one that did.
    pub async fn any_series(&self, selector: &str, start: Timestamp, end: Timestamp) -> Result<bool, Fault> {
        let fields = vec![
            ("match[]".to_owned(), selector.to_owned()),
            ("start".to_owned(), unix(start)),
            ("end".to_owned(), unix(end)),
            ("limit".to_owned(), "1".to_owned()),
        ];
        match self.post("api/v1/series", fields).await {
            Ok(reply) => decode::server::series(&reply.body).map(|n| n > 0).map_err(|refusal| self.fault(refusal)),
            Err(fault) if fault.kind == FaultKind::TooLarge => Ok(true),
            Err(fault) => Err(fault),
        }
    }

    /// Has the server parse a query without evaluating it. A refusal is a fault of kind `Rejected`, and so is a server that
    /// cannot do this.
    pub async fn format(&self, query: &str) -> Result<(), Fault> {
        let reply = self.post("api/v1/format_query", vec![("query".to_owned(), query.to_owned())]).await?;
        decode::server::formatted(&reply.body).map_err(|refusal| self.fault(refusal))
    }

    /// Asks for something about the server itself, and reads it.
    pub async fn about<T>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        read: fn(&[u8]) -> Result<T, Refusal>,
    ) -> Result<T, Fault> {
        let query = query.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let request = Request { query, ..Request::get(path, ALERTS_LIMIT, decode::explain) };
        let reply = self.http.send(&request).await?;
        read(&reply.body).map_err(|refusal| self.fault(refusal))
    }

    async fn post(&self, path: &str, fields: Vec<(String, String)>) -> Result<Reply, Fault> {
        self.http.send(&Request::post(path, Body::Form(fields), QUERY_LIMIT, decode::explain)).await
    }

    /// The server's own limit, a little under ours: it then says what was slow, and does not work on for nobody.
    fn limit(&self) -> (String, String) {
        let ms = self.http.endpoint().timeout.as_millis().saturating_mul(95) / 100;
        ("timeout".to_owned(), format!("{}ms", ms.max(1)))
    }

    fn answer<T>(&self, reply: &Reply, decoded: Result<Decoded<T>, Refusal>) -> Result<Answer<T>, Fault> {
        let Decoded { data, warnings, partial, samples } = decoded.map_err(|refusal| self.fault(refusal))?;
        Ok(Answer { data, warnings, partial, skew: reply.skew, samples })
    }

    fn fault(&self, refusal: Refusal) -> Fault {
        let (kind, detail) = match refusal {
            Refusal::Malformed(detail) => (FaultKind::Malformed, detail),
            Refusal::Server(said) => (FaultKind::Rejected, said),
        };
        Fault::new(kind, self.http.endpoint().name(), detail)
    }
}

/// Asks for what a query cost.
fn stats() -> (String, String) {
    ("stats".to_owned(), "true".to_owned())
}

/// Seconds since 1970 with milliseconds, as the API wants them.
fn unix(at: Timestamp) -> String {
    let ms = at.timestamp_millis();
    format!("{}.{:03}", ms.div_euclid(1_000), ms.rem_euclid(1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_in_seconds() {
        for (at, want) in [("2023-11-14T22:13:20.5Z", "1700000000.500"), ("1970-01-01T00:00:00Z", "0.000")] {
            assert_eq!(unix(at.parse().unwrap()), want);
        }
    }
}

//! A configured Prometheus: its client under its name, as the measuring adapter asks it.

use crate::domain::alert::Alert;
use crate::domain::alert::rule::AlertRule;
use crate::domain::fault::Fault;
use crate::domain::ids::SourceName;
use crate::domain::labels::Labels;
use crate::domain::slo::sample::{RangeSeries, Sample};
use crate::domain::time::{Span, Timestamp};
use crate::io::http::Endpoint;
use crate::io::port::{ServerNote, Task};
use crate::io::prometheus::answer::Answer;
use crate::io::prometheus::client::Client;
use crate::io::prometheus::measure::{Ask, Prometheus};

/// A client and the name it has in the configuration.
#[derive(Debug)]
pub struct Source {
    client: Client,
    name: SourceName,
}

/// A server that measures objectives, over HTTP; nothing is opened before the first question.
pub fn prometheus(name: SourceName, endpoint: Endpoint) -> Prometheus<Source> {
    Prometheus::new(Source { client: Client::new(endpoint), name })
}

impl Ask for Source {
    fn instant<'a>(&'a self, query: &'a str, at: Timestamp) -> Task<'a, Result<Answer<Vec<Sample>>, Fault>> {
        Box::pin(self.client.instant(query, at))
    }

    fn range<'a>(
        &'a self,
        query: &'a str,
        start: Timestamp,
        end: Timestamp,
        step: Span,
    ) -> Task<'a, Result<Answer<Vec<RangeSeries>>, Fault>> {
        Box::pin(self.client.range(query, start, end, step))
    }

    fn series<'a>(
        &'a self,
        selector: &'a str,
        start: Timestamp,
        end: Timestamp,
    ) -> Task<'a, Result<Answer<Vec<Labels>>, Fault>> {
        Box::pin(self.client.series(selector, start, end))
    }

    fn alerts(&self) -> Task<'_, Result<Vec<Alert>, Fault>> {
        Box::pin(self.client.alerts(&self.name))
    }

    fn rules(&self) -> Task<'_, Result<Vec<AlertRule>, Fault>> {
        Box::pin(self.client.rules())
    }

    fn buildinfo(&self) -> Task<'_, Result<ServerNote, Fault>> {
        Box::pin(self.client.buildinfo())
    }
}

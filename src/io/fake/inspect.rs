//! The simulated server as a lint sees it: every series is there, scraped every 15 seconds and kept for a year.

use crate::domain::fault::Fault;
use crate::domain::slo::lint::facts::{Facts, Matched};
use crate::domain::slo::lint::questions::Questions;
use crate::domain::time::{Span, Timestamp, secs};
use crate::io::fake::FakeMetrics;
use crate::io::port::{Inspect, Task};

impl Inspect for FakeMetrics {
    fn facts<'a>(&'a self, questions: &'a Questions, _now: Timestamp) -> Task<'a, Result<Facts, Fault>> {
        Box::pin(async move {
            self.ask().await?;
            let there = Matched { now: Some(1), in_window: Some(true), at_start: Some(true), interval: Some(secs(15)) };
            Ok(Facts {
                what: super::metrics::WHAT.to_owned(),
                version: Some("simulated".to_owned()),
                skew: Some(Span::zero()),
                retention: Some(Span::days(365)),
                selectors: questions.selectors.keys().map(|selector| (selector.clone(), there.clone())).collect(),
                accepted: questions.queries.iter().map(|query| (query.clone(), Ok(()))).collect(),
                ..Facts::default()
            })
        })
    }
}

//! Asks a Prometheus-compatible server what a lint wants to know: a few small requests per selector, four at a time, each
//! with a fallback where a relative lacks an endpoint. What stays unanswered is told once per topic. Never judges.

use crate::domain::fault::{Fault, FaultKind};
use crate::domain::slo::lint::facts::{Facts, Matched};
use crate::domain::slo::lint::questions::{LIMIT, Questions};
use crate::domain::slo::sample::{RangeSeries, Sample};
use crate::domain::text::truncate;
use crate::domain::time::{Span, Timestamp, prometheus};
use crate::io::http::Endpoint;
use crate::io::port::{Inspect, Task};
use crate::io::prometheus::client::Client;
use crate::io::prometheus::decode::server;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::task::JoinSet;

/// Requests to one server at the same time.
const IN_FLIGHT: usize = 4;
/// After so many requests in a row that brought nothing the server is left alone.
const PATIENCE: usize = 6;
/// How far back the spacing of samples is looked at.
const SPACING: Span = Span::minutes(20);

/// A server that can be asked about itself.
#[derive(Debug)]
pub struct Inspector {
    asked: Arc<Asked>,
}

/// The client, and how long it has been silent.
#[derive(Debug)]
struct Asked {
    client: Client,
    silent: AtomicUsize,
}

/// An inspector of a configured source; nothing is opened before the first question.
pub fn inspector(endpoint: Endpoint) -> Inspector {
    Inspector { asked: Arc::new(Asked { client: Client::new(endpoint), silent: AtomicUsize::new(0) }) }
}

/// What could not be answered: the first fault of each topic.
#[derive(Debug, Default)]
struct Unanswered(BTreeMap<&'static str, String>);

impl Unanswered {
    fn tell(&mut self, topic: &'static str, fault: &Fault) {
        let why = || format!("{}: {}", fault.kind.word(), truncate(&fault.detail, 120));
        self.0.entry(topic).or_insert_with(why);
    }

    fn take<T>(&mut self, topic: &'static str, answer: Result<T, Fault>) -> Option<T> {
        answer.map_err(|fault| self.tell(topic, &fault)).ok()
    }
}

impl Asked {
    /// Counts silence, and gives the answer on.
    fn heard<T>(&self, answer: Result<T, Fault>) -> Result<T, Fault> {
        match &answer {
            Err(fault) if matches!(fault.kind, FaultKind::Unreachable | FaultKind::Timeout) => {
                self.silent.fetch_add(1, Ordering::Relaxed);
            }
            _ => self.silent.store(0, Ordering::Relaxed),
        }
        answer
    }

    fn given_up(&self) -> Option<Fault> {
        let what = self.client.endpoint().name();
        let silent = self.silent.load(Ordering::Relaxed) >= PATIENCE;
        silent.then(|| Fault::new(FaultKind::Timeout, what, "it stopped answering and is left alone"))
    }

    async fn instant(&self, query: &str, at: Timestamp) -> Result<Vec<Sample>, Fault> {
        match self.given_up() {
            Some(fault) => Err(fault),
            None => self.heard(self.client.instant(query, at).await).map(|answer| answer.data),
        }
    }

    /// Series now by job; both numbers of one request.
    async fn matched(&self, selector: &str, window: Span, jobs: &BTreeMap<String, Span>, now: Timestamp) -> MatchedSo {
        let mut so = MatchedSo::default();
        let found = match self.instant(&format!("count by (job) ({selector})"), now).await {
            Ok(found) => found,
            Err(fault) => return MatchedSo { fault: Some(fault), ..so },
        };
        let total: f64 = found.iter().map(|s| s.value).filter(|v| v.is_finite()).sum();
        so.matched.now = Some(total.max(0.0) as u64);
        let start = now.checked_sub_signed(window).unwrap_or(now);
        if found.is_empty() {
            let ever = self.heard(self.client.any_series(selector, start, now).await);
            so.matched.in_window = ever.map_err(|fault| so.fault = Some(fault)).ok();
            return so;
        }
        let begun = self.instant(&format!("count({selector} offset {})", prometheus(window)), now).await;
        so.matched.at_start = begun.map(|s| !s.is_empty()).map_err(|fault| so.fault = Some(fault)).ok();
        let told = found.iter().map(|s| jobs.get(s.labels.get("job")).copied()).collect::<Option<Vec<Span>>>();
        so.matched.interval = match told.and_then(|all| all.into_iter().max()) {
            Some(interval) => Some(interval),
            None => self.spacing(selector, now).await.unwrap_or_else(|fault| {
                so.fault = Some(fault);
                None
            }),
        };
        so
    }

    /// The usual distance between two samples of one of the series.
    async fn spacing(&self, selector: &str, now: Timestamp) -> Result<Option<Span>, Fault> {
        // One series is enough, and its labels are what `topk` leaves as they were.
        let one = self.instant(&format!("topk(1, timestamp({selector}))"), now).await?;
        let Some(one) = one.first() else { return Ok(None) };
        let name = metric_of(selector);
        let labels: Vec<String> =
            one.labels.0.iter().filter(|(k, _)| *k != "__name__").map(|(k, v)| format!("{k}={v:?}")).collect();
        let query = format!("{name}{{{}}}[{}]", labels.join(","), prometheus(SPACING));
        let answer = self.heard(self.client.samples(&query, now).await)?;
        Ok(answer.data.first().and_then(usual_distance))
    }

    /// Whether the server takes a query. Where it cannot only parse, it evaluates it at an instant that has no samples.
    async fn accepts(&self, query: &str) -> Result<Result<(), String>, Fault> {
        if let Some(fault) = self.given_up() {
            return Err(fault);
        }
        let refusal = |fault: &Fault| {
            let said = fault.kind == FaultKind::Rejected && fault.detail.contains("bad_data");
            said.then(|| fault.detail.split_once("bad_data: ").map_or(fault.detail.as_str(), |(_, why)| why).to_owned())
        };
        match self.heard(self.client.format(query).await) {
            Ok(()) => return Ok(Ok(())),
            Err(fault) => {
                if let Some(said) = refusal(&fault) {
                    return Ok(Err(said));
                }
            }
        }
        match self.instant(query, Timestamp::UNIX_EPOCH).await {
            Ok(_) => Ok(Ok(())),
            Err(fault) => refusal(&fault).map(Err).ok_or(fault),
        }
    }

    /// The type of a metric: of itself, or of the family that it is a part of.
    async fn kind(&self, name: &str) -> Result<Option<String>, Fault> {
        let family = ["_bucket", "_count", "_sum", "_total"].iter().find_map(|end| name.strip_suffix(end));
        for asked in std::iter::once(name).chain(family) {
            if let Some(fault) = self.given_up() {
                return Err(fault);
            }
            let answer = self.client.about("api/v1/metadata", &[("metric", asked)], server::types).await;
            if let Some(kind) = self.heard(answer)?.remove(asked).filter(|kind| kind != "unknown") {
                return Ok(Some(kind));
            }
        }
        Ok(None)
    }
}

/// What is known of a selector, and what hindered knowing more.
#[derive(Debug, Default)]
struct MatchedSo {
    matched: Matched,
    fault: Option<Fault>,
}

/// The name a selector begins with; nothing for `{…}`.
fn metric_of(selector: &str) -> &str {
    selector.split('{').next().unwrap_or_default()
}

/// The median distance, in whole seconds. `None` under four samples.
fn usual_distance(series: &RangeSeries) -> Option<Span> {
    let mut gaps: Vec<Span> =
        series.points.windows(2).filter_map(|pair| Some(pair.get(1)?.0 - pair.first()?.0)).collect();
    gaps.sort_unstable();
    let middle = gaps.get(gaps.len() / 2).filter(|_| gaps.len() >= 3)?;
    let seconds = (middle.num_milliseconds() as f64 / 1_000.0).round().max(1.0);
    Some(Span::seconds(seconds as i64))
}

impl Inspector {
    /// Asks one question of each, at most four at a time.
    async fn each<K, T, F>(&self, keys: Vec<K>, ask: impl Fn(Arc<Asked>, K) -> F) -> Vec<(K, T)>
    where
        K: Clone + Send + 'static,
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let mut keys = keys.into_iter();
        let (mut running, mut done) = (JoinSet::new(), Vec::new());
        loop {
            while running.len() < IN_FLIGHT
                && let Some(key) = keys.next()
            {
                let answer = ask(Arc::clone(&self.asked), key.clone());
                running.spawn(async move { (key, answer.await) });
            }
            match running.join_next().await {
                None => return done,
                Some(joined) => done.extend(joined),
            }
        }
    }

    async fn inspect(&self, questions: &Questions, now: Timestamp) -> Result<Facts, Fault> {
        let client = &self.asked.client;
        let mut facts = Facts { what: client.endpoint().name().to_owned(), ..Facts::default() };
        let mut unanswered = Unanswered::default();
        match client.buildinfo().await {
            Ok(note) => (facts.version, facts.skew) = (note.version, note.skew),
            // A server without this page may answer everything else.
            Err(fault) if matches!(fault.kind, FaultKind::Rejected | FaultKind::Malformed) => {
                client.instant("vector(1)", now).await?;
                unanswered.tell("its version", &fault);
            }
            Err(fault) => return Err(fault),
        }
        let kept = client.about("api/v1/status/runtimeinfo", &[], server::retention).await;
        facts.retention = unanswered.take("how long it keeps samples", self.asked.heard(kept)).flatten();
        let jobs = client.about("api/v1/targets", &[("state", "active")], server::intervals).await;
        let topic = "the scrape intervals of its targets (the spacing of samples was used)";
        facts.jobs = unanswered.take(topic, self.asked.heard(jobs)).unwrap_or_default();
        let failing = client.about("api/v1/rules", &[("type", "record")], server::failing_records).await;
        facts.failing =
            unanswered.take("whether its recording rules fail", self.asked.heard(failing)).unwrap_or_default();
        self.series(questions, now, &mut facts, &mut unanswered).await;
        self.texts(questions, now, &mut facts, &mut unanswered).await;
        facts.unanswered = unanswered.0.into_iter().map(|(topic, why)| format!("{topic} ({why})")).collect();
        if questions.left_out > 0 {
            let left = questions.left_out;
            facts.unanswered.push(format!("{left} more questions (at most {LIMIT} of a kind are asked)"));
        }
        Ok(facts)
    }

    async fn series(&self, questions: &Questions, now: Timestamp, facts: &mut Facts, unanswered: &mut Unanswered) {
        let jobs = Arc::new(facts.jobs.clone());
        let selectors: Vec<_> = questions.selectors.clone().into_iter().collect();
        let found = self.each(selectors, |asked, (selector, window)| {
            let jobs = Arc::clone(&jobs);
            async move { asked.matched(&selector, window, &jobs, now).await }
        });
        for ((selector, _), so) in found.await {
            if let Some(fault) = &so.fault {
                unanswered.tell("which series some selectors match", fault);
            }
            facts.selectors.insert(selector, so.matched);
        }
        let buckets = self.each(questions.buckets.iter().cloned().collect(), |asked, selector| async move {
            asked.instant(&format!("count by (le) ({selector})"), now).await
        });
        for (selector, answer) in buckets.await {
            if let Some(found) = unanswered.take("which buckets some histograms have", answer) {
                let les = found.iter().map(|s| s.labels.get("le").to_owned()).filter(|le| !le.is_empty());
                facts.buckets.insert(selector, les.collect());
            }
        }
    }

    async fn texts(&self, questions: &Questions, now: Timestamp, facts: &mut Facts, unanswered: &mut Unanswered) {
        let metrics = questions.metrics.iter().cloned().collect();
        let kinds = self.each(metrics, |asked, name| async move { asked.kind(&name).await });
        for (name, answer) in kinds.await {
            if let Some(kind) = unanswered.take("the types of metrics", answer).flatten() {
                facts.types.insert(name, kind);
            }
        }
        let queries = questions.queries.iter().cloned().collect();
        let accepted = self.each(queries, |asked, query| async move { asked.accepts(&query).await });
        for (query, answer) in accepted.await {
            if let Some(said) = unanswered.take("whether it takes some queries", answer) {
                facts.accepted.insert(query, said);
            }
        }
        let totals = questions.totals.iter().cloned().collect();
        let totals = self.each(totals, |asked, query| async move { asked.instant(&query, now).await });
        for (query, answer) in totals.await {
            let found = unanswered.take("how many events there are", answer);
            if let Some(sample) = found.as_ref().and_then(|f| f.first()).filter(|s| s.value.is_finite()) {
                facts.totals.insert(query, sample.value);
            }
        }
    }
}

impl Inspect for Inspector {
    fn facts<'a>(&'a self, questions: &'a Questions, now: Timestamp) -> Task<'a, Result<Facts, Fault>> {
        Box::pin(self.inspect(questions, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::labels::Labels;
    use crate::domain::time::secs;

    #[test]
    fn the_usual_distance_forgives_a_gap() {
        let start: Timestamp = "2026-05-01T03:00:00Z".parse().unwrap();
        let of = |at: &[i64]| {
            let points = at.iter().map(|ms| (start + Span::milliseconds(*ms), 0.0)).collect();
            usual_distance(&RangeSeries { labels: Labels::default(), points })
        };
        assert_eq!(of(&[0, 15_004, 29_998, 75_000, 90_001]), Some(secs(15)));
        assert_eq!(of(&[0, 60_000, 120_000]), None);
        assert_eq!(of(&[]), None);
        assert_eq!(metric_of("x{a=\"{\"}"), "x");
        assert_eq!(metric_of("{a=\"b\"}"), "");
    }
}

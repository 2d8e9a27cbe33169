//! Asks a Prometheus-compatible server what a lint wants to know: many small questions to a request, four requests at a
//! time, with a fallback where a relative lacks an endpoint. What stays unanswered is told once per topic. Never judges.

mod selectors;
mod together;

use crate::domain::fault::{Fault, FaultKind};
use crate::domain::slo::lint::facts::Facts;
use crate::domain::slo::lint::questions::{LIMIT, Questions, SINGLES};
use crate::domain::slo::sample::Sample;
use crate::domain::text::truncate;
use crate::domain::time::Timestamp;
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

/// Is told how many questions are left.
pub type Telling = Arc<dyn Fn(usize) + Send + Sync>;

/// A server that can be asked about itself.
pub struct Inspector {
    asked: Arc<Asked>,
    left: AtomicUsize,
    telling: Option<Telling>,
}

impl std::fmt::Debug for Inspector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inspector").field("asked", &self.asked).finish_non_exhaustive()
    }
}

/// The client, and how long it has been silent.
#[derive(Debug)]
struct Asked {
    client: Client,
    silent: AtomicUsize,
}

/// An inspector of a configured source; nothing is opened before the first question.
pub fn inspector(endpoint: Endpoint) -> Inspector {
    let asked = Asked { client: Client::new(endpoint), silent: AtomicUsize::new(0) };
    Inspector { asked: Arc::new(asked), left: AtomicUsize::new(0), telling: None }
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

impl Inspector {
    /// Tells somebody how many questions are left, while it asks.
    #[must_use]
    pub fn telling(self, telling: Telling) -> Self {
        Self { telling: Some(telling), ..self }
    }

    /// So many more questions came up.
    fn add(&self, questions: usize) {
        self.left.fetch_add(questions, Ordering::Relaxed);
    }

    /// So many were answered, or will not be.
    fn done(&self, questions: usize) {
        let before =
            self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| Some(n.saturating_sub(questions)));
        if let (Some(tell), Ok(before) | Err(before)) = (&self.telling, before) {
            tell(before.saturating_sub(questions));
        }
    }

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
                Some(joined) => {
                    self.done(1);
                    done.extend(joined);
                }
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
        let Questions { selectors, buckets, metrics, queries, totals, .. } = questions;
        self.add(selectors.len() * 2 + buckets.len() + metrics.len() + queries.len() + totals.len());
        self.series(questions, now, &mut facts, &mut unanswered).await;
        self.texts(questions, now, &mut facts, &mut unanswered).await;
        facts.unanswered = unanswered.0.into_iter().map(|(topic, why)| format!("{topic} ({why})")).collect();
        if questions.left_out > 0 {
            let left = questions.left_out;
            facts.unanswered.push(format!("{left} more questions (at most {LIMIT} of a kind are asked, {SINGLES} of those that need a request each)"));
        }
        Ok(facts)
    }

    async fn series(&self, questions: &Questions, now: Timestamp, facts: &mut Facts, unanswered: &mut Unanswered) {
        for (selector, so) in self.matched(&questions.selectors, &facts.jobs, now).await {
            if let Some(fault) = &so.fault {
                unanswered.tell("which series some selectors match", fault);
            }
            facts.selectors.insert(selector, so.matched);
        }
        let texts: Vec<String> = questions.buckets.iter().map(|s| format!("count by (le) ({s})")).collect();
        for (selector, answer) in questions.buckets.iter().zip(self.together(&texts, now).await) {
            if let Some(found) = unanswered.take("which buckets some histograms have", answer) {
                let les = found.iter().map(|s| s.labels.get("le").to_owned()).filter(|le| !le.is_empty());
                facts.buckets.insert(selector.clone(), les.collect());
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
        let totals: Vec<String> = questions.totals.iter().cloned().collect();
        for (query, answer) in totals.iter().zip(self.together(&totals, now).await) {
            let found = unanswered.take("how many events there are", answer);
            if let Some(sample) = found.as_ref().and_then(|f| f.first()).filter(|s| s.value.is_finite()) {
                facts.totals.insert(query.clone(), sample.value);
            }
        }
    }
}

impl Inspect for Inspector {
    fn facts<'a>(&'a self, questions: &'a Questions, now: Timestamp) -> Task<'a, Result<Facts, Fault>> {
        Box::pin(self.inspect(questions, now))
    }
}

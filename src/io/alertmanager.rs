//! Alertmanager: one cluster of peers seen as one source of alerts. All peers are asked at once; an alert that any of them
//! has is there, and peers that do not answer are told. Never takes a missing peer for silence. Its silences are a target
//! of writes (`alertmanager/silences.rs`).

pub mod decode;
pub mod silences;
pub mod union;

use crate::domain::alert::AlertSnapshot;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::ids::SourceName;
use crate::domain::time::compact;
use crate::io::http::{ALERTS_LIMIT, Endpoint, Http, QUERY_LIMIT, Reply, Request};
use crate::io::port::{AlertSource, Task};
use decode::Groups;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{Mutex, OnceCell};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How long the other peers may still take once one has answered, so that a peer that hangs does not hold back the alerts.
const GRACE: Duration = Duration::from_secs(3);

/// A cluster of Alertmanagers. Peers are configured, not discovered: they tell each other's gossip address alone.
#[derive(Debug)]
pub struct Cluster {
    name: SourceName,
    peers: Vec<Arc<Peer>>,
    version: OnceCell<Option<String>>,
    read_only: bool,
}

/// One peer. It limits the questions that it answers at once, so it is asked one after the other.
#[derive(Debug)]
struct Peer {
    http: Http,
    turn: Mutex<()>,
    /// It answered when it was asked last.
    up: AtomicBool,
}

impl Peer {
    async fn ask(&self, request: &Request) -> Result<Reply, Fault> {
        let _turn = self.turn.lock().await;
        let answer = self.http.send(request).await;
        let gone = matches!(&answer, Err(fault) if fault.kind.passing());
        self.up.store(!gone, Ordering::Relaxed);
        answer
    }

    fn malformed(&self, detail: String) -> Fault {
        Fault::new(FaultKind::Malformed, self.http.endpoint().name(), detail)
    }
}

impl Cluster {
    /// A cluster of these peers; nothing is opened before the first question.
    pub fn new(name: SourceName, peers: Vec<Endpoint>) -> Self {
        let peer = |e| Arc::new(Peer { http: Http::new(e), turn: Mutex::new(()), up: AtomicBool::new(true) });
        Self { name, peers: peers.into_iter().map(peer).collect(), version: OnceCell::new(), read_only: false }
    }

    /// The same; nothing is written to it when `read_only` says so.
    pub fn read_only(mut self, read_only: bool) -> Self {
        self.read_only = read_only;
        self
    }

    async fn ask(&self) -> Result<AlertSnapshot, Fault> {
        let mut asked = JoinSet::new();
        for (place, peer) in self.peers.iter().enumerate() {
            let (peer, name) = (Arc::clone(peer), self.name.clone());
            asked.spawn(async move { (place, groups(&peer, &name).await) });
        }
        let mut answers: Vec<Option<Result<Groups, Fault>>> = self.peers.iter().map(|_| None).collect();
        let mut until: Option<Instant> = None;
        loop {
            let next = match until {
                None => asked.join_next().await,
                Some(at) => match tokio::time::timeout_at(at, asked.join_next()).await {
                    Ok(next) => next,
                    Err(_) => break,
                },
            };
            let Some(ended) = next else { break };
            // A task that panicked leaves its place empty, which is told below.
            let Ok((place, answer)) = ended else { continue };
            if answer.is_ok() && until.is_none() {
                until = later(GRACE);
            }
            if let Some(slot) = answers.get_mut(place) {
                *slot = Some(answer);
            }
        }
        let first = answers.iter().position(|answer| matches!(answer, Some(Ok(_))));
        let mut snapshot = self.join(answers)?;
        if let Some(peer) = first.and_then(|place| self.peers.get(place)) {
            snapshot.version = self.version.get_or_init(|| version(peer)).await.clone();
        }
        Ok(snapshot)
    }

    fn join(&self, answers: Vec<Option<Result<Groups, Fault>>>) -> Result<AlertSnapshot, Fault> {
        let peers = self.peers.len();
        let (mut good, mut faults, mut notes) = (Vec::new(), Vec::new(), Vec::new());
        for (peer, answer) in self.peers.iter().zip(answers) {
            let what = peer.http.endpoint().name();
            match answer {
                Some(Ok(groups)) => {
                    notes.extend(groups.notes.into_iter().map(|note| format!("{what}: {note}")));
                    good.push(groups.alerts);
                }
                Some(Err(fault)) => faults.push(fault),
                None => {
                    let grace = crate::domain::time::secs(i64::try_from(GRACE.as_secs()).unwrap_or(i64::MAX));
                    let detail = format!("no answer {} after the first peer's", compact(grace));
                    faults.push(Fault::new(FaultKind::Timeout, what, detail));
                }
            }
        }
        if good.is_empty() {
            return Err(union::fault(&self.name, &faults));
        }
        let answered = good.len();
        let told = faults.iter().map(ToString::to_string).chain(notes).collect();
        Ok(AlertSnapshot { alerts: union::union(good), answered, peers, faults: told, version: None })
    }
}

fn later(span: Duration) -> Option<Instant> {
    Instant::now().checked_add(span)
}

/// Asked once, of a peer that has just answered; not knowing it is no fault, and must not hold back the alerts.
async fn version(peer: &Peer) -> Option<String> {
    let request = Request::get("api/v2/status", QUERY_LIMIT, decode::explain);
    let reply = tokio::time::timeout(GRACE, peer.ask(&request)).await.ok()?.ok()?;
    decode::version(&reply.body)
}

async fn groups(peer: &Peer, source: &SourceName) -> Result<Groups, Fault> {
    let request = Request::get("api/v2/alerts/groups", ALERTS_LIMIT, decode::explain);
    let reply = peer.ask(&request).await?;
    decode::groups(&reply.body, source).map_err(|detail| peer.malformed(detail))
}

impl AlertSource for Cluster {
    fn snapshot(&self) -> Task<'_, Result<AlertSnapshot, Fault>> {
        Box::pin(self.ask())
    }
}

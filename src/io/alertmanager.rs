//! Alertmanager: one cluster of peers seen as one source of alerts. All peers are asked at once; an alert that any of them
//! has is there, and peers that do not answer are told. Never takes a missing peer for silence.

pub mod decode;
pub mod union;

use crate::domain::alert::AlertSnapshot;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::ids::SourceName;
use crate::domain::time::compact;
use crate::io::http::{ALERTS_LIMIT, Endpoint, Http, QUERY_LIMIT, Request};
use crate::io::port::{AlertSource, Task};
use decode::Groups;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How long the other peers may still take once one has answered, so that a peer that hangs does not hold back the alerts.
const GRACE: Duration = Duration::from_secs(3);

/// A cluster of Alertmanagers. Peers are configured, not discovered: they tell each other's gossip address alone.
#[derive(Debug)]
pub struct Cluster {
    name: SourceName,
    peers: Vec<Arc<Http>>,
    version: OnceCell<Option<String>>,
}

impl Cluster {
    /// A cluster of these peers; nothing is opened before the first question.
    pub fn new(name: SourceName, peers: Vec<Endpoint>) -> Self {
        Self { name, peers: peers.into_iter().map(|e| Arc::new(Http::new(e))).collect(), version: OnceCell::new() }
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
            let what = peer.endpoint().name();
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
async fn version(peer: &Http) -> Option<String> {
    let request = Request::get("api/v2/status", QUERY_LIMIT, decode::explain);
    let reply = tokio::time::timeout(GRACE, peer.send(&request)).await.ok()?.ok()?;
    decode::version(&reply.body)
}

async fn groups(peer: &Http, source: &SourceName) -> Result<Groups, Fault> {
    let request = Request::get("api/v2/alerts/groups", ALERTS_LIMIT, decode::explain);
    let reply = peer.send(&request).await?;
    decode::groups(&reply.body, source)
        .map_err(|detail| Fault::new(FaultKind::Malformed, peer.endpoint().name(), detail))
}

impl AlertSource for Cluster {
    fn snapshot(&self) -> Task<'_, Result<AlertSnapshot, Fault>> {
        Box::pin(self.ask())
    }
}

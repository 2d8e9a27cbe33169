//! Silences of a cluster: read from all peers, written to one, with another one only when the first cannot be reached.
//! A new silence carries the operation's mark, so that it is found again whatever became of the answer; a longer end goes
//! to the same id only while start and conditions are what the person saw. Never sends a write twice.

use crate::domain::fault::Fault;
use crate::domain::outward::capability::{Capability, Caps, Class};
use crate::domain::outward::intent::Intent;
use crate::domain::outward::operation::Operation;
use crate::domain::outward::outcome::{Found, Obstacle, Outcome, Reach, Reference};
use crate::domain::outward::silence::{Matcher, Silence, SilenceState, SilenceWrite};
use crate::domain::server_note::ServerNote;
use crate::domain::time::{Timestamp, clock as at_clock, rfc3339};
use crate::io::alertmanager::decode::{self, Held};
use crate::io::alertmanager::{Cluster, GRACE, Peer, union};
use crate::io::clock;
use crate::io::http::{ALERTS_LIMIT, Body, Failure, QUERY_LIMIT, Reply, Request};
use crate::io::port::{Outward, Silences, Target, Task};
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::task::JoinSet;

/// Peers tell each other of a silence within this time.
const GOSSIP: Duration = Duration::from_secs(1);
/// How often the other peers are asked for a new silence meanwhile.
const CHECKS: u32 = 4;
/// The largest answer to a write.
const ANSWER_LIMIT: usize = 64 * 1024;

/// What peers said about one silence.
enum Sought {
    /// This peer has it.
    There(Arc<Peer>, Box<Held>),
    /// All peers answered, and none has it.
    Gone,
    /// None of those that answered has it, and this one did not answer.
    Unsure(Fault),
}

impl Cluster {
    /// As a target of silences; `limit` is the time limit of one request.
    pub fn target(self: Arc<Self>, limit: Duration) -> Target {
        let addresses: Vec<&str> = self.peers.iter().map(|peer| peer.http.endpoint().url()).collect();
        // One try may ask every peer in turn before it writes, and look at the others afterwards.
        let requests = u32::try_from(self.peers.len()).unwrap_or(1).saturating_add(1);
        let limit = limit.saturating_mul(requests).saturating_add(GOSSIP * 2);
        Target::new("alertmanager", addresses.join(" "), limit, self.clone()).with_silences(self)
    }

    async fn send(&self, op: &Operation) -> Outcome {
        let Intent::Silence(write) = &op.intent else {
            return Outcome::unsupported(format!("an Alertmanager cannot {}", op.intent.capability().title()));
        };
        if let Some(why) = self.caps().why_not(write.capability()) {
            return Outcome::Refused { kind: Obstacle::ReadOnly, words: why };
        }
        match write {
            SilenceWrite::Create { matchers, starts_at, ends_at, comment } => {
                let body = new_body(op, (matchers, comment), (*starts_at, *ends_at));
                if *ends_at <= clock::now() {
                    let words = format!("its end ({}) is over already", at_clock(*ends_at));
                    return Outcome::Refused { kind: Obstacle::Invalid, words };
                }
                match self.post(&body).await {
                    Ok((peer, id)) => Outcome::Applied(self.reference(&peer, &id).await),
                    Err(outcome) => outcome,
                }
            }
            SilenceWrite::Extend { silence, ends_at } => self.extend(silence, *ends_at).await,
            SilenceWrite::Expire { id } => self.expire(id).await,
        }
    }

    /// Posts a silence to the first peer that can be reached, and reads the id it got.
    async fn post(&self, body: &Value) -> Result<(Arc<Peer>, String), Outcome> {
        let request = Request::post("api/v2/silences", Body::Json(body.to_string()), ANSWER_LIMIT, decode::explain);
        let (peer, reply) = self.write(&request).await.map_err(|failure| failure.outcome())?;
        match decode::silence_id(&reply.body) {
            Some(id) => Ok((peer, id)),
            // It was taken; the mark finds it.
            None => {
                Err(Outcome::Unknown { words: "accepted, with an answer that cannot be read".into(), wait_ms: None })
            }
        }
    }

    /// Sends a write to one peer; to the next one only when the request never left.
    async fn write(&self, request: &Request) -> Result<(Arc<Peer>, Reply), Failure> {
        let mut last = None;
        for peer in self.preferred() {
            match peer.http.write(request).await {
                Ok(reply) => return Ok((peer, reply)),
                Err(failure) if failure.reach == Reach::NotSent => {
                    peer.up.store(false, Ordering::Relaxed);
                    last = Some(failure);
                }
                Err(failure) => return Err(failure),
            }
        }
        Err(last.unwrap_or_else(|| Failure {
            fault: union::fault(&self.name, &[]),
            reach: Reach::NotSent,
            status: None,
            code: None,
            bar: None,
        }))
    }

    /// The peers, those first that answered last time.
    fn preferred(&self) -> Vec<Arc<Peer>> {
        let mut peers = self.peers.clone();
        peers.sort_by_key(|peer| !peer.up.load(Ordering::Relaxed));
        peers
    }

    /// A longer end for the same silence. It is read first: a silence that is over, or that somebody changed, would become
    /// another one.
    async fn extend(&self, seen: &Silence, ends_at: Timestamp) -> Outcome {
        let (peer, held) = match self.seek(&seen.id).await {
            Ok(Sought::There(peer, held)) => (peer, held),
            Ok(Sought::Gone) => {
                return Outcome::Conflict { current: "the silence is not there any more".into() };
            }
            Ok(Sought::Unsure(fault)) => return Outcome::of(&fault, Reach::NotSent),
            Err(outcome) => return outcome,
        };
        if let Some(current) = differs(seen, &held.silence) {
            return Outcome::Conflict { current };
        }
        if held.silence.ends_at >= ends_at {
            return Outcome::AlreadyDone(until(&held.silence.id, held.silence.ends_at));
        }
        let request =
            Request::post("api/v2/silences", Body::Json(held.body(ends_at).to_string()), ANSWER_LIMIT, decode::explain);
        // To the peer that was read: another one may know another version of it.
        let reply = match peer.http.write(&request).await {
            Ok(reply) => reply,
            Err(failure) => return failure.outcome(),
        };
        match decode::silence_id(&reply.body) {
            Some(id) if id == seen.id => Outcome::Applied(until(&id, ends_at)),
            Some(id) => Outcome::Applied(Reference::id(id.clone()).named(format!("{id}, a new one"))),
            None => Outcome::Unknown { words: "accepted, with an answer that cannot be read".into(), wait_ms: None },
        }
    }

    /// Ends a silence. A peer that does not know it may not have heard of it yet, so all are asked before it counts as over.
    async fn expire(&self, id: &str) -> Outcome {
        let Some(path) = path(id) else { return no_id(id) };
        let request = Request::get(path, ANSWER_LIMIT, decode::explain).by(Method::DELETE);
        let mut away = None;
        for peer in self.preferred() {
            match peer.http.write(&request).await {
                Ok(_) => return Outcome::Applied(Reference::id(id)),
                Err(failure) if decode::no_such_silence(&failure.fault) => {}
                Err(failure) if failure.reach == Reach::NotSent => {
                    peer.up.store(false, Ordering::Relaxed);
                    away = Some(failure);
                }
                Err(failure) => return failure.outcome(),
            }
        }
        match away {
            Some(failure) => failure.outcome(),
            None => Outcome::AlreadyDone(Reference::id(id)),
        }
    }

    /// Looks for one silence on the peers, one after the other.
    async fn seek(&self, id: &str) -> Result<Sought, Outcome> {
        let path = path(id).ok_or_else(|| no_id(id))?;
        let request = Request::get(path, QUERY_LIMIT, decode::explain);
        let mut away = None;
        for peer in self.preferred() {
            match peer.ask(&request).await {
                Ok(reply) => match decode::silence(&reply.body) {
                    Ok(held) => return Ok(Sought::There(peer, Box::new(held))),
                    Err(words) => {
                        return Err(Outcome::NotDone { kind: Obstacle::Unavailable, words, wait_ms: None });
                    }
                },
                Err(fault) if decode::no_such_silence(&fault) => {}
                Err(fault) => away = Some(fault),
            }
        }
        Ok(away.map_or(Sought::Gone, Sought::Unsure))
    }

    /// All silences of all peers at once; for each peer that did not answer, its fault. With `patient`, every peer has its
    /// whole time; else those that hang are not waited for once one has answered.
    async fn all(&self, patient: bool) -> (Vec<Vec<Held>>, Vec<Fault>) {
        let mut asked = JoinSet::new();
        for peer in &self.peers {
            let peer = Arc::clone(peer);
            asked.spawn(async move {
                let request = Request::get("api/v2/silences", ALERTS_LIMIT, decode::explain);
                let reply = peer.ask(&request).await?;
                decode::silences(&reply.body).map_err(|detail| peer.malformed(detail))
            });
        }
        let (mut lists, mut faults) = (Vec::new(), Vec::new());
        loop {
            let next = match lists.is_empty() || patient {
                true => asked.join_next().await,
                // The rest ends with the set.
                false => tokio::time::timeout(GRACE, asked.join_next()).await.unwrap_or(None),
            };
            match next {
                Some(Ok(Ok(list))) => lists.push(list),
                Some(Ok(Err(fault))) => faults.push(fault),
                Some(Err(_)) => faults.push(union::fault(&self.name, &[])),
                None => return (lists, faults),
            }
        }
    }

    /// Looks for the mark of a new silence. It is absent only when every peer said so, twice with the time of gossip in
    /// between: the request may still have been on its way.
    async fn look_for(&self, op: &Operation) -> Found {
        for last in [false, true] {
            let (lists, faults) = self.all(true).await;
            let found = lists.into_iter().flatten().find(|held| held.marked(op));
            if let Some(held) = found {
                return Found::Done(Reference::id(held.silence.id));
            }
            if let Some(fault) = faults.first() {
                let words = format!("{fault}; the silence may be there");
                return match Found::of(fault, Reach::NotSent) {
                    Found::Failed { kind, wait_ms, .. } => Found::Failed { kind, words, wait_ms },
                    other => other,
                };
            }
            if !last {
                tokio::time::sleep(GOSSIP).await;
            }
        }
        Found::Absent
    }

    /// Looks whether a silence has the end that was wanted.
    async fn look_at(&self, id: &str, wanted: Option<Timestamp>) -> Found {
        let failed = |fault: &Fault| Found::of(fault, Reach::NotSent);
        let held = match self.seek(id).await {
            Ok(Sought::There(_, held)) => held.silence,
            Ok(Sought::Gone) if wanted.is_none() => return Found::Done(Reference::id(id)),
            Ok(Sought::Gone) => return Found::Conflict { current: "the silence is not there any more".into() },
            Ok(Sought::Unsure(fault)) => return failed(&fault),
            Err(Outcome::Refused { kind, words }) => return Found::Refused { kind, words },
            Err(other) => {
                let words = other.word().to_owned();
                return Found::Failed { kind: Obstacle::Unavailable, words, wait_ms: None };
            }
        };
        match (wanted, held.state == SilenceState::Expired) {
            (None, true) => Found::Done(Reference::id(id)),
            (Some(_), true) => Found::Conflict { current: format!("it ended at {}", at_clock(held.ends_at)) },
            (Some(wanted), false) if held.ends_at >= wanted => Found::Done(until(id, held.ends_at)),
            _ => Found::Absent,
        }
    }

    /// What a new silence is called, once the other peers were seen to know it: a peer that does not hear of it goes on
    /// notifying.
    async fn reference(&self, written: &Arc<Peer>, id: &str) -> Reference {
        let page = format!("{}#/silences/{id}", written.http.endpoint().url());
        let reference = Reference::id(id).at(Some(page));
        let Some(path) = path(id).filter(|_| self.peers.len() > 1) else { return reference };
        let request = Request::get(path, QUERY_LIMIT, decode::explain);
        let mut without: Vec<&Arc<Peer>> = self.peers.iter().filter(|peer| !Arc::ptr_eq(peer, written)).collect();
        for round in 0..CHECKS {
            if round > 0 {
                tokio::time::sleep(GOSSIP / (CHECKS - 1)).await;
            }
            let mut still = Vec::new();
            for peer in without {
                if peer.ask(&request).await.is_err() {
                    still.push(peer);
                }
            }
            without = still;
            if without.is_empty() {
                return reference;
            }
        }
        let names: Vec<&str> = without.iter().map(|peer| peer.http.endpoint().name()).collect();
        reference.named(format!("{id}, but {} does not have it and may still notify", names.join(", ")))
    }
}

/// Where a silence is; `None` for an id that is none.
fn path(id: &str) -> Option<String> {
    let plain = !id.is_empty() && id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    plain.then(|| format!("api/v2/silence/{id}"))
}

fn no_id(id: &str) -> Outcome {
    Outcome::Refused { kind: Obstacle::Invalid, words: format!("{id:?} is not the id of a silence") }
}

fn until(id: &str, ends_at: Timestamp) -> Reference {
    Reference::id(id).named(format!("{id} until {}", at_clock(ends_at)))
}

/// What is no longer as it was seen, in words.
fn differs(seen: &Silence, now: &Silence) -> Option<String> {
    if now.state == SilenceState::Expired {
        return Some(format!("it ended at {}", at_clock(now.ends_at)));
    }
    // The server compares to the second.
    if seen.starts_at.timestamp() != now.starts_at.timestamp() {
        return Some(format!("it begins at {} now", at_clock(now.starts_at)));
    }
    let sorted = |silence: &Silence| {
        let mut all = silence.matchers.clone();
        all.sort();
        all
    };
    (sorted(seen) != sorted(now)).then(|| format!("it silences {} now", now.conditions()))
}

/// A new silence as the server takes it. The mark stands in the comment, and from 0.32 on in an annotation too; older
/// servers drop that.
fn new_body(op: &Operation, (matchers, comment): (&[Matcher], &str), (from, to): (Timestamp, Timestamp)) -> Value {
    let matchers: Vec<Value> = matchers
        .iter()
        .map(|m| json!({"name": m.name, "value": m.value, "isRegex": m.regex, "isEqual": m.equal}))
        .collect();
    json!({
        "matchers": matchers,
        "startsAt": rfc3339(from),
        "endsAt": rfc3339(to),
        "createdBy": op.created_by,
        "comment": format!("{comment} {}", op.marker()).trim_start(),
        "annotations": {"midwatch_op": op.id.as_str()},
    })
}

impl Outward for Cluster {
    fn caps(&self) -> Caps {
        let caps = Caps::none()
            .with(Class::Compare, &[Capability::CreateSilence])
            .with(Class::Repeat, &[Capability::ExtendSilence, Capability::ExpireSilence])
            .with(Class::Repeat, &[Capability::ReadSilences]);
        if self.read_only { caps.read_only() } else { caps }
    }

    fn apply<'a>(&'a self, op: &'a Operation) -> Task<'a, Outcome> {
        Box::pin(self.send(op))
    }

    fn look<'a>(&'a self, op: &'a Operation) -> Task<'a, Found> {
        Box::pin(async move {
            match &op.intent {
                Intent::Silence(SilenceWrite::Create { .. }) => self.look_for(op).await,
                Intent::Silence(SilenceWrite::Extend { silence, ends_at }) => {
                    self.look_at(&silence.id, Some(*ends_at)).await
                }
                Intent::Silence(SilenceWrite::Expire { id }) => self.look_at(id, None).await,
                _ => Found::NoWay,
            }
        })
    }

    fn probe(&self) -> Task<'_, Result<ServerNote, Fault>> {
        Box::pin(async move {
            let mut note = ServerNote::default();
            for peer in &self.peers {
                let request = Request::get("api/v2/status", QUERY_LIMIT, decode::explain);
                let reply = peer.ask(&request).await?;
                note.requests += 1;
                note.skew = note.skew.or(reply.skew);
                note.version = note.version.or_else(|| decode::version(&reply.body));
                if let Some(joined) = decode::joined(&reply.body).filter(|n| *n < self.peers.len()) {
                    let what = peer.http.endpoint().name();
                    let all = self.peers.len();
                    note.warnings
                        .push(format!("{what} sees {joined} of {all} peers: silences do not reach the others"));
                }
            }
            Ok(note)
        })
    }
}

impl Silences for Cluster {
    fn silences(&self) -> Task<'_, Result<Vec<Silence>, Fault>> {
        Box::pin(async move {
            let (lists, faults) = self.all(false).await;
            if lists.is_empty() {
                return Err(union::fault(&self.name, &faults));
            }
            Ok(union::silences(lists, clock::now()))
        })
    }
}

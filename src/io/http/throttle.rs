//! One request at a time to a product, and no more questions in a minute than its budget: a storm of incidents must not
//! become a storm of requests that locks the team's token out. Questions wait for their turn; writes have the outbox's
//! pace and are only counted here. Never retries.

use crate::domain::outward::pace::{Bucket, Pace};
use crate::domain::time::{Span, Timestamp};
use crate::io::clock;
use crate::io::http::{Endpoint, Failure, Http, Reply, Request};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Below this many requests left, as the server tells it, questions cost double.
const LOW: u32 = 100;

/// A client with a budget.
#[derive(Debug)]
pub struct Throttled {
    http: Http,
    gate: tokio::sync::Mutex<()>,
    bucket: Mutex<Bucket>,
    tight: AtomicBool,
    skew: Mutex<Option<Span>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An instant of a clock that nobody sets: only distances count in a bucket.
fn steady() -> Timestamp {
    let running = i64::try_from(clock::running().as_millis()).unwrap_or(i64::MAX);
    Timestamp::UNIX_EPOCH + Span::try_milliseconds(running).unwrap_or(Span::zero())
}

impl Throttled {
    /// A client that asks no faster than this.
    pub fn new(http: Http, pace: Pace) -> Self {
        let bucket = Mutex::new(Bucket::full(pace, steady()));
        Self { http, gate: tokio::sync::Mutex::new(()), bucket, tight: AtomicBool::new(false), skew: Mutex::new(None) }
    }

    /// Its endpoint.
    pub fn endpoint(&self) -> &Endpoint {
        self.http.endpoint()
    }

    /// The server's clock minus ours, as it was told last.
    pub fn skew(&self) -> Option<Span> {
        *lock(&self.skew)
    }

    /// Asks, as soon as the budget has room. A failure tells how far it came.
    pub async fn ask(&self, request: &Request) -> Result<Reply, Failure> {
        while let Some(wait) = self.wait() {
            tokio::time::sleep(wait).await;
        }
        self.once(request).await
    }

    /// Sends a write, or a question that belongs to one: it waits for the request before it and for nothing else.
    pub async fn write(&self, request: &Request) -> Result<Reply, Failure> {
        lock(&self.bucket).take(steady());
        self.once(request).await
    }

    /// Takes from the budget, or says how long there is nothing.
    fn wait(&self) -> Option<Duration> {
        let (mut bucket, now) = (lock(&self.bucket), steady());
        match bucket.ready(now) {
            Ok(()) => {
                bucket.take(now);
                if self.tight.load(Ordering::Relaxed) {
                    bucket.take(now);
                }
                None
            }
            Err(at) => Some((at - now).to_std().unwrap_or(Duration::from_millis(1))),
        }
    }

    async fn once(&self, request: &Request) -> Result<Reply, Failure> {
        let _turn = self.gate.lock().await;
        let reply = self.http.write(request).await?;
        if let Some(skew) = reply.skew {
            *lock(&self.skew) = Some(skew);
        }
        let left = ["ratelimit-remaining", "x-ratelimit-remaining"].iter().find_map(|name| reply.header(name));
        if let Some(left) = left.and_then(|text| text.trim().parse::<u32>().ok()) {
            self.tight.store(left < LOW, Ordering::Relaxed);
        }
        Ok(reply)
    }
}

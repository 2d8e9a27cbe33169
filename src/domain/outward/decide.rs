//! What may happen next to an operation: wait, send, look, or ask a person. Pure; asked again whenever anything changes.
//!
//! Never sends late what acts on the moment, never sends twice what may not be repeated, never waits for an instant of a
//! clock that was set back.

use crate::domain::outward::capability::Class;
use crate::domain::outward::entry::{Entry, Lease, State};
use crate::domain::outward::pace::{CAP, HINT_MAX};
use crate::domain::time::{Span, Timestamp, compact, secs};

/// Whether the target may be written to now.
#[derive(Clone, Debug, PartialEq)]
pub enum Readiness {
    /// It may.
    Ready,
    /// Not before this instant, and why: the breaker, the server's wish, the bucket.
    NotBefore(Timestamp, String),
    /// Not before a person acts, and why: the token was refused, read-only, not configured here.
    Stopped(String),
}

/// What an entry is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// Now.
    pub now: Timestamp,
    /// When this cockpit first saw the entry, on a clock that follows changes of the time of day.
    pub seen: Timestamp,
    /// Whether its target may be written to.
    pub target: &'a Readiness,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// Nothing before `until` (`None`: before something else happens), and why.
    Wait {
        /// When to ask again.
        until: Option<Timestamp>,
        /// For the queue screen.
        why: String,
    },
    /// Claim it and send.
    Send,
    /// Claim it and look whether it is done.
    Look,
    /// Its holder is gone: take the lease away.
    Expire,
    /// Hand it to a person, and why.
    Ask(String),
    /// It is over, or with a person.
    Rest,
}

/// Judges an entry.
pub fn decide(entry: &Entry, scene: &Scene<'_>) -> Next {
    match &entry.state {
        State::Ended { .. } | State::Asked { .. } => Next::Rest,
        State::Leased(lease) => leased(lease, scene.now),
        State::Queued => match late(entry, scene) {
            Some(why) => Next::Ask(why),
            None => queued(entry, scene),
        },
        State::Doubt { words, .. } => doubtful(entry, words, scene),
        State::Pending { .. } => match over(entry, scene) {
            Some(age) => Next::Ask(format!("accepted, and not finished after {}", compact(age))),
            None => paced(entry, scene, Next::Look, "accepted; asked again"),
        },
    }
}

/// Whether a claim that was just granted may still be used: it is neither late nor near its end.
pub fn still_good(entry: &Entry, scene: &Scene<'_>) -> bool {
    let State::Leased(lease) = &entry.state else { return false };
    let runs = scene.now >= lease.since - secs(5) && scene.now < lease.until;
    runs && (lease.look || late(entry, scene).is_none())
}

/// A wait that is longer than any was ever set belongs to a clock that was set back.
fn reachable(until: Timestamp, now: Timestamp, longest: Span) -> Option<Timestamp> {
    (until > now && until - now <= longest).then_some(until)
}

fn leased(lease: &Lease, now: Timestamp) -> Next {
    let length = (lease.until - lease.since).max(Span::zero());
    match reachable(lease.until, now, length + secs(5)) {
        Some(until) => Next::Wait { until: Some(until), why: "being sent".into() },
        // The store knows better than the time of day; it refuses while the holder has time left.
        None => Next::Expire,
    }
}

/// When its age is counted from: its making or a person's word, on this cockpit's clock where that one ran away.
fn begin(entry: &Entry, scene: &Scene<'_>) -> Timestamp {
    // What lies ahead was noted on a clock that was set back since.
    let known = [Some(entry.op.created_at), entry.released_at].into_iter().flatten();
    let latest = known.filter(|at| *at <= scene.now + secs(5)).max();
    latest.unwrap_or(scene.seen).min(scene.now)
}

fn over(entry: &Entry, scene: &Scene<'_>) -> Option<Span> {
    let age = scene.now - begin(entry, scene);
    (age > entry.op.patience()).then_some(age)
}

/// Why it is too late to send it by itself.
fn late(entry: &Entry, scene: &Scene<'_>) -> Option<String> {
    let age = over(entry, scene)?;
    let why = entry.last.as_ref().map(|last| format!(" ({last})")).unwrap_or_default();
    Some(match entry.op.intent.fades() {
        true => format!("not sent for {}{why}: too late to send without you", compact(age)),
        false => format!("tried for {}{why}: is it still wanted?", compact(age)),
    })
}

fn queued(entry: &Entry, scene: &Scene<'_>) -> Next {
    let held = begin(entry, scene) + entry.op.hold();
    if entry.released_at.is_none()
        && let Some(until) = reachable(held, scene.now, entry.op.hold() + secs(5))
    {
        return Next::Wait { until: Some(until), why: "u takes it back".into() };
    }
    let next = if entry.doubted && entry.op.class == Class::Compare { Next::Look } else { Next::Send };
    paced(entry, scene, next, "tried again")
}

fn doubtful(entry: &Entry, words: &str, scene: &Scene<'_>) -> Next {
    match entry.op.class {
        Class::AskPerson => Next::Ask(format!("it may have been done: {words}")),
        // A look harms nobody, however late.
        Class::Compare => match over(entry, scene) {
            Some(age) if age > entry.op.patience() + Span::hours(1) => {
                Next::Ask(format!("it may have been done, and could not be looked up for {}", compact(age)))
            }
            _ => paced(entry, scene, Next::Look, "looked up"),
        },
        Class::Repeat | Class::RepeatWithKey => match late(entry, scene) {
            Some(why) => Next::Ask(format!("it may have been done; {why}")),
            None => paced(entry, scene, Next::Send, "repeated"),
        },
    }
}

/// The act, as soon as its own wait is over and the target is ready.
fn paced(entry: &Entry, scene: &Scene<'_>, act: Next, doing: &str) -> Next {
    if let Some(until) = entry.not_before.and_then(|until| reachable(until, scene.now, HINT_MAX + CAP)) {
        let last = entry.last.as_deref().unwrap_or("waits");
        return Next::Wait { until: Some(until), why: format!("{last}; {doing}") };
    }
    match scene.target {
        Readiness::Ready => act,
        Readiness::NotBefore(until, why) => match reachable(*until, scene.now, HINT_MAX + CAP) {
            Some(until) => Next::Wait { until: Some(until), why: why.clone() },
            None => act,
        },
        Readiness::Stopped(why) => Next::Wait { until: waits_until(entry, scene), why: why.clone() },
    }
}

/// What waits for a person's other act is still asked about when its time is over.
fn waits_until(entry: &Entry, scene: &Scene<'_>) -> Option<Timestamp> {
    let over = begin(entry, scene).checked_add_signed(entry.op.patience())?;
    Some(over + Span::milliseconds(1)).filter(|at| *at > scene.now)
}

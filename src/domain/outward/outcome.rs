//! What became of one try to send, and of one look whether it is done. Not knowing is an outcome of its own.

use crate::domain::fault::{Fault, FaultKind};
use crate::domain::time::Span;
use serde::{Deserialize, Serialize};

/// What the target calls the thing that was made or changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// Its id there: a room, a message, a ticket, a silence, a request that goes on.
    #[serde(default)]
    pub id: Option<String>,
    /// What people call it: `OPS-42`, `#inc-17`.
    #[serde(default)]
    pub name: Option<String>,
    /// Its page; outside text.
    #[serde(default)]
    pub url: Option<String>,
}

impl Reference {
    /// One that has an id alone.
    pub fn id(id: impl Into<String>) -> Self {
        Self { id: Some(id.into()), ..Self::default() }
    }

    /// The same with the name that people use.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The same with its page.
    pub fn at(mut self, url: Option<String>) -> Self {
        self.url = url;
        self
    }

    /// The shortest thing a person recognises; empty when there is none.
    pub fn words(&self) -> &str {
        self.name.as_deref().or(self.id.as_deref()).unwrap_or("")
    }
}

/// Why nothing was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Obstacle {
    /// 401: the target is not asked again before a person says so.
    Auth,
    /// A web page where an answer was expected, or a redirect: a proxy wants a login. Held like [`Self::Auth`].
    LoginPage,
    /// 403, and the product does not say whether the token may not at all or not with this one thing.
    Permission,
    /// 403 of the token: it may do this with nothing there.
    Scope,
    /// 403 of this one thing: others are not touched by it.
    Protected,
    /// 402: the plan lacks it.
    PlanLacks,
    /// 404: the thing it is about is gone.
    NotFound,
    /// 400, 422: what was asked is wrong.
    Invalid,
    /// 413, 414: it is too large.
    TooLarge,
    /// 429.
    RateLimited,
    /// No connection, or a server that says that it does nothing now.
    Unavailable,
    /// The target has no such call, or this intent is not for it.
    Unsupported,
    /// `read_only` is set.
    ReadOnly,
    /// Something on this machine: a secret that cannot be read, a template that cannot be rendered.
    Local,
}

impl Obstacle {
    /// One word for a list.
    pub fn word(self) -> &'static str {
        match self {
            Self::Auth => "AUTH",
            Self::LoginPage => "login page",
            Self::Permission | Self::Scope | Self::Protected => "forbidden",
            Self::PlanLacks => "not in the plan",
            Self::NotFound => "not found",
            Self::Invalid => "invalid",
            Self::TooLarge => "too large",
            Self::RateLimited => "rate limited",
            Self::Unavailable => "unavailable",
            Self::Unsupported => "unsupported",
            Self::ReadOnly => "read-only",
            Self::Local => "local",
        }
    }

    /// Whether the same may work later without the operation being another one. The rest ends it.
    pub fn passing(self) -> bool {
        matches!(self, Self::Auth | Self::LoginPage | Self::RateLimited | Self::Unavailable | Self::Local)
    }

    /// Whether a right is missing.
    pub fn forbids(self) -> bool {
        matches!(self, Self::Permission | Self::Scope | Self::Protected)
    }

    /// The kind of fault that the health of the target is told.
    pub fn fault_kind(self) -> FaultKind {
        match self {
            Self::Auth => FaultKind::Auth,
            Self::LoginPage => FaultKind::LoginPage,
            Self::Permission | Self::Scope | Self::Protected | Self::PlanLacks => FaultKind::Permission,
            Self::RateLimited => FaultKind::RateLimited,
            Self::Unavailable => FaultKind::Unreachable,
            Self::Local => FaultKind::Local,
            Self::NotFound | Self::Invalid | Self::TooLarge | Self::Unsupported | Self::ReadOnly => FaultKind::Rejected,
        }
    }
}

/// How far a request came before it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Nothing of it left: no connection, no secret.
    NotSent,
    /// The server answered, and did nothing: 3xx, 4xx.
    Declined,
    /// It left, and nobody knows: a time-out, a broken connection, a 5xx, an answer that cannot be read.
    Sent,
}

/// What became of one try.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// Done, by this try.
    Applied(Reference),
    /// It was done already: by an earlier try, or by somebody else to the same end.
    AlreadyDone(Reference),
    /// Taken, not done yet; [`Found`] tells later. The reference is what to ask for.
    Accepted(Reference),
    /// The state there is another one than expected; nothing was changed. In words: what it is now.
    Conflict { current: String },
    /// The target, or we, refused; the same will be refused again.
    Refused { kind: Obstacle, words: String },
    /// Nothing was done, and the same may work later; `wait_ms` is what the server asked for.
    NotDone { kind: Obstacle, words: String, wait_ms: Option<u64> },
    /// It may have been done; `wait_ms` is what the server asked for.
    Unknown {
        words: String,
        #[serde(default)]
        wait_ms: Option<u64>,
    },
}

impl Outcome {
    /// Done, without anything to refer to.
    pub fn applied() -> Self {
        Self::Applied(Reference::default())
    }

    /// Refused by us because this target has no such call.
    pub fn unsupported(words: impl Into<String>) -> Self {
        Self::Refused { kind: Obstacle::Unsupported, words: words.into() }
    }

    /// What a failed request means. What the server declined for good is [`Self::Refused`]; what never left, a 429 and a
    /// 401 are [`Self::NotDone`]; the rest is [`Self::Unknown`].
    pub fn of(fault: &Fault, reach: Reach) -> Self {
        let words = fault.detail.clone();
        let wait_ms = fault.retry_after.and_then(|wait| u64::try_from(wait.num_milliseconds()).ok());
        let kind = match fault.kind {
            FaultKind::Auth => Obstacle::Auth,
            FaultKind::LoginPage | FaultKind::Redirect => Obstacle::LoginPage,
            FaultKind::RateLimited if reach != Reach::Sent => Obstacle::RateLimited,
            FaultKind::Permission => Obstacle::Permission,
            FaultKind::Rejected if reach == Reach::Declined => declined(&words),
            FaultKind::Local if reach == Reach::NotSent => Obstacle::Local,
            _ if reach == Reach::Sent => return Self::Unknown { words: fault.to_string(), wait_ms },
            _ => Obstacle::Unavailable,
        };
        if kind.passing() { Self::NotDone { kind, words, wait_ms } } else { Self::Refused { kind, words } }
    }

    /// Whether it leaves nothing to do.
    pub fn settles(&self) -> bool {
        !matches!(self, Self::Accepted(_) | Self::NotDone { .. } | Self::Unknown { .. })
    }

    /// One or two words for a list.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Applied(_) => "done",
            Self::AlreadyDone(_) => "already done",
            Self::Accepted(_) => "accepted",
            Self::Conflict { .. } => "conflict",
            Self::Refused { .. } => "refused",
            Self::NotDone { .. } => "not done",
            Self::Unknown { .. } => "unknown",
        }
    }

    /// What the health of the target is told: the fault of a try that did not get through, `None` for an answer.
    pub fn fault(&self, what: &str) -> Option<Fault> {
        match self {
            Self::NotDone { kind, words, wait_ms } => {
                Some(Fault { retry_after: wait(*wait_ms), ..Fault::new(kind.fault_kind(), what, words.clone()) })
            }
            Self::Unknown { words, wait_ms } => {
                Some(Fault { retry_after: wait(*wait_ms), ..Fault::new(FaultKind::Timeout, what, words.clone()) })
            }
            _ => None,
        }
    }
}

fn wait(ms: Option<u64>) -> Option<Span> {
    Span::try_milliseconds(i64::try_from(ms?).ok()?)
}

/// The status is the first number of the words of a declined request: `answered 404: …`.
fn declined(words: &str) -> Obstacle {
    let status: Option<u16> =
        words.split(|c: char| !c.is_ascii_digit()).find(|part| part.len() == 3).and_then(|part| part.parse().ok());
    match status {
        Some(402) => Obstacle::PlanLacks,
        Some(404 | 410) => Obstacle::NotFound,
        Some(413 | 414) => Obstacle::TooLarge,
        _ => Obstacle::Invalid,
    }
}

/// What a look told: whether an operation was done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "found", rename_all = "snake_case")]
pub enum Found {
    /// It is done.
    Done(Reference),
    /// It is not: it may be sent (again).
    Absent,
    /// It goes on: look again.
    Pending(Reference),
    /// The state there is another one than expected.
    Conflict { current: String },
    /// It was refused after it had been accepted.
    Refused { kind: Obstacle, words: String },
    /// It cannot be told now: the look itself failed.
    Failed { kind: Obstacle, words: String, wait_ms: Option<u64> },
    /// It can never be told: this target has no way to look.
    NoWay,
}

impl Found {
    /// A look whose request failed.
    pub fn of(fault: &Fault, reach: Reach) -> Self {
        match Outcome::of(fault, reach) {
            Outcome::NotDone { kind, words, wait_ms } => Self::Failed { kind, words, wait_ms },
            Outcome::Refused { kind, words } => Self::Failed { kind, words, wait_ms: None },
            other => Self::Failed { kind: Obstacle::Unavailable, words: other.word().into(), wait_ms: None },
        }
    }

    /// What the health of the target is told.
    pub fn fault(&self, what: &str) -> Option<Fault> {
        match self {
            Self::Failed { kind, words, wait_ms } => {
                Outcome::NotDone { kind: *kind, words: words.clone(), wait_ms: *wait_ms }.fault(what)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::secs;

    #[test]
    fn a_failure_is_done_not_done_or_unknown() {
        use FaultKind as K;
        for (kind, reach, detail, want) in [
            (K::Unreachable, Reach::NotSent, "connection refused", "not done"),
            (K::Unreachable, Reach::Sent, "closed before the answer was whole", "unknown"),
            (K::Timeout, Reach::NotSent, "", "not done"),
            (K::Timeout, Reach::Sent, "", "unknown"),
            (K::Server, Reach::Sent, "answered 502", "unknown"),
            (K::RateLimited, Reach::Declined, "answered 429", "not done"),
            (K::RateLimited, Reach::Sent, "answered 503", "unknown"),
            (K::Auth, Reach::Declined, "answered 401", "not done"),
            (K::LoginPage, Reach::Declined, "", "not done"),
            (K::Redirect, Reach::Declined, "", "not done"),
            (K::Permission, Reach::Declined, "answered 403", "refused"),
            (K::Rejected, Reach::Declined, "answered 404: gone", "refused"),
            (K::Malformed, Reach::Sent, "", "unknown"),
            (K::TooLarge, Reach::Sent, "", "unknown"),
            (K::Local, Reach::NotSent, "no such file", "not done"),
            (K::Tls, Reach::NotSent, "expired", "not done"),
        ] {
            assert_eq!(Outcome::of(&Fault::new(kind, "x", detail), reach).word(), want, "{kind:?} {reach:?}");
        }
    }

    #[test]
    fn hints_and_kinds_are_kept() {
        let busy = Fault { retry_after: Some(secs(7)), ..Fault::new(FaultKind::RateLimited, "x", "answered 429") };
        let outcome = Outcome::of(&busy, Reach::Declined);
        assert_eq!(outcome.fault("x").unwrap().retry_after, Some(secs(7)));
        for (detail, want) in [
            ("answered 402: no", Obstacle::PlanLacks),
            ("answered 404", Obstacle::NotFound),
            ("answered 414", Obstacle::TooLarge),
            ("answered 400: bad", Obstacle::Invalid),
        ] {
            let fault = Fault::new(FaultKind::Rejected, "x", detail);
            assert_eq!(Outcome::of(&fault, Reach::Declined), Outcome::Refused { kind: want, words: detail.into() });
        }
    }
}

//! One call of the Web API: reads as queries, writes as JSON. An answer with status 200 may still be a refusal; what each of
//! Slack's words means for a write is said here. Never retries.

use crate::domain::fault::{Fault, FaultKind};
use crate::domain::outward::capability::Lack;
use crate::domain::outward::outcome::{Found, Obstacle, Outcome, Reference};
use crate::domain::time::Span;
use crate::io::http::{Body, Explained, Failure, Http, Reply, Request};
use serde_json::Value;

/// The largest answer that is read.
const LIMIT: usize = 4 * 1024 * 1024;

/// A call that did not do what was asked.
#[derive(Clone, Debug)]
pub(super) enum Failed {
    /// No good answer.
    Http(Failure),
    /// Slack's own word for why not, and the scope that it needs.
    Said {
        /// Such as `name_taken`.
        code: String,
        /// Such as `channels:manage`.
        needed: String,
    },
}

impl Failed {
    /// A refusal of this word.
    pub(super) fn said(code: &str) -> Self {
        Self::Said { code: code.to_owned(), needed: String::new() }
    }

    fn words(code: &str, needed: &str) -> String {
        match needed {
            "" => format!("Slack says {code}"),
            scope => format!("Slack says {code}: the app needs the scope {scope}"),
        }
    }

    /// What it means for a write.
    pub(super) fn outcome(&self) -> Outcome {
        let (code, needed) = match self {
            Self::Http(failure) => return failure.outcome(),
            Self::Said { code, needed } => (code.as_str(), needed.as_str()),
        };
        let words = Self::words(code, needed);
        match meaning(code) {
            Meaning::Done => Outcome::AlreadyDone(Reference::default()),
            Meaning::Doubt => Outcome::Unknown { words, wait_ms: None },
            Meaning::Not(kind) if kind.passing() => Outcome::NotDone { kind, words, wait_ms: None },
            Meaning::Not(kind) => Outcome::Refused { kind, words },
        }
    }

    /// What it means for a look: what may not be read can never be told.
    pub(super) fn found(&self) -> Found {
        match self {
            Self::Http(failure) => failure.found(),
            Self::Said { code, .. } if matches!(meaning(code), Meaning::Not(kind) if kind.forbids()) => Found::NoWay,
            Self::Said { code, needed } => {
                let words = Self::words(code, needed);
                let kind = match meaning(code) {
                    Meaning::Not(kind) => kind,
                    Meaning::Done | Meaning::Doubt => Obstacle::Unavailable,
                };
                Found::Failed { kind, words, wait_ms: None }
            }
        }
    }

    /// What it means for a question.
    pub(super) fn fault(self, what: &str) -> Fault {
        match self {
            Self::Http(failure) => failure.fault,
            Self::Said { code, needed } => {
                let kind = match meaning(&code) {
                    Meaning::Not(kind) => kind.fault_kind(),
                    Meaning::Done | Meaning::Doubt => FaultKind::Server,
                };
                Fault::new(kind, what, Self::words(&code, &needed))
            }
        }
    }

    /// What the token can never do, as this answer taught.
    pub(super) fn lack(&self) -> Option<(Lack, String)> {
        match self {
            Self::Said { code, needed } if code == "missing_scope" => {
                Some((Lack::NoPermission, format!("needs the scope {needed}")))
            }
            Self::Said { code, .. }
                if matches!(code.as_str(), "paid_only" | "paid_teams_only" | "team_access_not_granted") =>
            {
                Some((Lack::PlanLacks, code.clone()))
            }
            _ => None,
        }
    }
}

/// What a word of Slack means for a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// It is so already.
    Done,
    /// It may have been done.
    Doubt,
    /// It was not.
    Not(Obstacle),
}

fn meaning(code: &str) -> Meaning {
    match code {
        "already_pinned" | "already_in_channel" | "already_reacted" => Meaning::Done,
        // Slack says of these that a part of it may have succeeded.
        "fatal_error" | "internal_error" | "service_unavailable" | "request_timeout" => Meaning::Doubt,
        "ratelimited" | "rate_limited" | "message_limit_exceeded" => Meaning::Not(Obstacle::RateLimited),
        "team_added_to_org" => Meaning::Not(Obstacle::Unavailable),
        "invalid_auth"
        | "not_authed"
        | "account_inactive"
        | "token_revoked"
        | "token_expired"
        | "two_factor_setup_required" => Meaning::Not(Obstacle::Auth),
        "missing_scope"
        | "not_allowed_token_type"
        | "ekm_access_denied"
        | "org_login_required"
        | "user_is_restricted" => Meaning::Not(Obstacle::Scope),
        "not_in_channel"
        | "restricted_action_read_only_channel"
        | "restricted_action_thread_only_channel"
        | "restricted_action_thread_locked" => Meaning::Not(Obstacle::Protected),
        "no_permission" | "restricted_action" | "access_denied" => Meaning::Not(Obstacle::Permission),
        "paid_only" | "paid_teams_only" => Meaning::Not(Obstacle::PlanLacks),
        "channel_not_found" | "message_not_found" | "is_archived" | "user_not_found" => {
            Meaning::Not(Obstacle::NotFound)
        }
        "msg_too_long" | "too_long" => Meaning::Not(Obstacle::TooLarge),
        _ => Meaning::Not(Obstacle::Invalid),
    }
}

/// Slack's error bodies of other statuses are the same envelope.
fn explain(body: &[u8]) -> Explained {
    let said = serde_json::from_slice::<Value>(body).ok().and_then(|v| Some(v.get("error")?.as_str()?.to_owned()));
    Explained { text: said.unwrap_or_default(), ..Explained::default() }
}

/// Asks a method.
pub(super) async fn read(http: &Http, method: &str, asked: &[(&str, &str)]) -> Result<Value, Failed> {
    read_with_skew(http, method, asked).await.map(|(value, _)| value)
}

/// The same with the distance of the clocks.
pub(super) async fn read_with_skew(
    http: &Http,
    method: &str,
    asked: &[(&str, &str)],
) -> Result<(Value, Option<Span>), Failed> {
    let mut request = Request::get(method, LIMIT, explain);
    for (name, value) in asked.iter().filter(|(_, value)| !value.is_empty()) {
        request = request.query(*name, *value);
    }
    let reply = http.write(&request).await.map_err(Failed::Http)?;
    Ok((opened(http, &reply)?, reply.skew))
}

/// Sends a write.
pub(super) async fn write(http: &Http, method: &str, body: &Value) -> Result<Value, Failed> {
    let body = Body::Text("application/json; charset=utf-8".into(), body.to_string());
    let reply = http.write(&Request::post(method, body, LIMIT, explain)).await.map_err(Failed::Http)?;
    opened(http, &reply)
}

/// The envelope's content.
fn opened(http: &Http, reply: &Reply) -> Result<Value, Failed> {
    let unreadable = |detail: &str| Failed::Http(Failure::unreadable(http.endpoint().name(), detail));
    let value: Value = serde_json::from_slice(&reply.body).map_err(|_| unreadable("the answer is no JSON"))?;
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    match value.get("ok").and_then(Value::as_bool) {
        Some(true) => Ok(value),
        Some(false) => Err(Failed::Said { code: text("error"), needed: text("needed") }),
        None => Err(unreadable("the answer says neither that it worked nor that it did not")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_mean_done_not_done_or_doubt() {
        for (code, want) in [
            ("already_pinned", "already done"),
            ("fatal_error", "unknown"),
            ("ratelimited", "not done"),
            ("token_revoked", "not done"),
            ("missing_scope", "refused"),
            ("channel_not_found", "refused"),
            ("a_word_of_tomorrow", "refused"),
        ] {
            assert_eq!(Failed::said(code).outcome().word(), want, "{code}");
        }
        assert_eq!(Failed::said("missing_scope").found(), Found::NoWay);
        for (code, want) in [
            ("missing_scope", Obstacle::Scope),
            ("not_in_channel", Obstacle::Protected),
            ("restricted_action", Obstacle::Permission),
        ] {
            let outcome = Failed::said(code).outcome();
            assert!(matches!(outcome, Outcome::Refused { kind, .. } if kind == want), "{code}: {outcome:?}");
        }
        let scope = Failed::Said { code: "missing_scope".into(), needed: "pins:write".into() };
        assert_eq!(scope.lack(), Some((Lack::NoPermission, "needs the scope pins:write".into())));
        assert!(format!("{:?}", scope.outcome()).contains("pins:write"));
    }
}

//! Events v2: alarms by their key, and changes. Fire and remember the key; what it answers is that it will look at it.

use crate::config::{OutsideConfig, SecretRef};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::outward::capability::{Capability, Caps, Class};
use crate::domain::outward::event_sink::{Alarm, EventWrite};
use crate::domain::outward::intent::Intent;
use crate::domain::outward::operation::Operation;
use crate::domain::outward::outcome::{Obstacle, Outcome, Reach, Reference};
use crate::domain::outward::pace::Pace;
use crate::domain::time::rfc3339;
use crate::io::http::{Body, Endpoint, Failure, Hidden, Http, Request};
use crate::io::pagerduty::INTEGRATION;
use crate::io::pagerduty::client::explain;
use crate::io::pagerduty::settings::Settings;
use crate::io::port::{EventSink, Outward, Target, Task};
use crate::io::secret::resolve;
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The largest answer that is read.
const ANSWER_LIMIT: usize = 64 * 1024;
/// The longest key that is taken, in bytes, and the longest summary, in characters.
const LONGEST_KEY: usize = 255;
const LONGEST_SUMMARY: usize = 1024;
const ALARMS: [Capability; 3] = [Capability::Trigger, Capability::AcknowledgeAlarm, Capability::ResolveAlarm];

/// Makes the target of an entry.
pub fn target(config: &OutsideConfig, settings: Settings, endpoint: Endpoint) -> Result<Target, Fault> {
    let (address, limit) = (endpoint.url().to_owned(), endpoint.timeout);
    let Some(routing_key) = settings.routing_key else {
        return Err(Fault::new(FaultKind::Local, endpoint.name(), "options.routing_key is missing"));
    };
    let (read_only, audience) = (config.read_only, settings.audience);
    let sink = Arc::new(Events { http: Http::new(endpoint), routing_key, read_only, audience });
    Ok(Target::new(INTEGRATION.kind, address, limit, sink.clone()).with_event_sink(sink))
}

/// One integration of a service.
#[derive(Debug)]
pub struct Events {
    http: Http,
    routing_key: SecretRef,
    read_only: bool,
    audience: Option<String>,
}

impl Events {
    async fn send(&self, op: &Operation) -> Outcome {
        let Intent::Event(write) = &op.intent else {
            return Outcome::unsupported(format!("PagerDuty events cannot {}", op.intent.capability().title()));
        };
        if let Some(why) = self.caps().why_not(write.capability()) {
            return Outcome::Refused { kind: Obstacle::ReadOnly, words: why };
        }
        let key = match resolve(&self.routing_key).await {
            Ok(key) => key,
            Err(fault) => {
                let words = format!("{}: {}", fault.what, fault.detail);
                return Outcome::NotDone { kind: Obstacle::Local, words, wait_ms: None };
            }
        };
        let (path, body) = match body(write, key.expose_secret()) {
            Ok(made) => made,
            Err(words) => return Outcome::Refused { kind: Obstacle::Invalid, words },
        };
        let body = Body::Secret(Hidden { text: body.to_string(), key: key.expose_secret().to_owned() });
        match self.http.write(&Request::post(path, body, ANSWER_LIMIT, explain)).await {
            Ok(reply) => {
                let told = serde_json::from_slice::<Value>(&reply.body).unwrap_or_default();
                let id = told.get("dedup_key").and_then(Value::as_str).map(str::to_owned);
                // 202: it is queued there, and nothing tells when it was looked at.
                Outcome::Accepted(Reference { id, ..Reference::default() })
            }
            Err(failure) => refused(failure),
        }
    }
}

/// A failure in words.
fn refused(failure: Failure) -> Outcome {
    match (failure.status, failure.reach) {
        // A wrong key is a 400; it locks nobody out, and it will stay wrong.
        (Some(400), Reach::Declined) => Outcome::Refused { kind: Obstacle::Invalid, words: failure.fault.detail },
        _ => failure.outcome(),
    }
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

/// Path and body of a write.
fn body(write: &EventWrite, key: &str) -> Result<(&'static str, Value), String> {
    let about = |action: &str, dedup_key: &str| -> Result<Map<String, Value>, String> {
        if dedup_key.is_empty() || dedup_key.len() > LONGEST_KEY {
            return Err(format!("the key of the alarm must have 1 to {LONGEST_KEY} bytes"));
        }
        let fields = [("routing_key", key), ("event_action", action), ("dedup_key", dedup_key)];
        Ok(fields.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect())
    };
    let event = match write {
        EventWrite::Trigger(alarm) => {
            let mut event = about("trigger", &alarm.dedup_key)?;
            event.insert("payload".into(), payload(alarm));
            event.insert("client".into(), json!("midwatch"));
            let links: Vec<Value> =
                alarm.links.iter().map(|(href, text)| json!({ "href": href, "text": text })).collect();
            event.insert("links".into(), json!(links));
            event
        }
        EventWrite::Acknowledge { dedup_key } => about("acknowledge", dedup_key)?,
        EventWrite::Resolve { dedup_key } => about("resolve", dedup_key)?,
        EventWrite::Change { summary, source, at, details } => {
            let payload = json!({
                "summary": cut(summary, LONGEST_SUMMARY),
                "source": source.as_deref().unwrap_or("midwatch"),
                "timestamp": rfc3339(*at),
                "custom_details": object(details),
            });
            return Ok(("v2/change/enqueue", json!({ "routing_key": key, "payload": payload })));
        }
    };
    Ok(("v2/enqueue", Value::Object(event)))
}

fn payload(alarm: &Alarm) -> Value {
    let severity = match alarm.severity.as_str() {
        known @ ("critical" | "error" | "warning" | "info") => known,
        // Another word would be refused, and nobody would be paged.
        _ => "critical",
    };
    json!({
        "summary": cut(&alarm.summary, LONGEST_SUMMARY),
        "source": alarm.source,
        "severity": severity,
        "component": alarm.source,
        "custom_details": object(&alarm.details),
    })
}

fn object(pairs: &[(String, String)]) -> Value {
    Value::Object(pairs.iter().map(|(name, value)| (name.clone(), json!(value))).collect())
}

impl Outward for Events {
    fn caps(&self) -> Caps {
        let caps = Caps::none().with(Class::RepeatWithKey, &ALARMS).with(Class::AskPerson, &[Capability::SendChange]);
        if self.read_only { caps.read_only() } else { caps }
    }

    /// The API takes about 120 calls a minute for one key.
    fn pace(&self) -> Pace {
        Pace { burst: 10, per_minute: 100 }
    }

    fn apply<'a>(&'a self, op: &'a Operation) -> Task<'a, Outcome> {
        Box::pin(self.send(op))
    }
}

impl EventSink for Events {
    fn audience(&self) -> Option<String> {
        self.audience.clone()
    }
}

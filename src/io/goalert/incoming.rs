//! GoAlert's generic API: an alert of a key is raised and closed. It has no acknowledgement and no changes. The key of the
//! integration goes in a header, never in the address.

use crate::config::OutsideConfig;
use crate::domain::outward::capability::{Capability, Caps, Class, Lack};
use crate::domain::outward::event_sink::{Alarm, EventWrite};
use crate::domain::outward::intent::Intent;
use crate::domain::outward::operation::Operation;
use crate::domain::outward::outcome::{Obstacle, Outcome, Reference};
use crate::domain::outward::pace::Pace;
use crate::io::goalert::{DETAILS, INTEGRATION, SUMMARY, decode};
use crate::io::http::json::JsonApi;
use crate::io::http::{Endpoint, Explained};
use crate::io::port::{EventSink, Outward, Target, Task};
use crate::io::rooms::cut;
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;

const PATH: &str = "api/v2/generic/incoming";

/// Makes the target of an entry.
pub fn target(config: &OutsideConfig, audience: Option<String>, endpoint: Endpoint) -> Target {
    let (address, limit) = (endpoint.url().to_owned(), endpoint.timeout);
    // Exactly this word makes it answer in JSON.
    let api = JsonApi::new(endpoint, explain, &[("Accept", "application/json")]);
    let sink = Arc::new(Incoming { api, read_only: config.read_only, audience });
    Target::new(INTEGRATION.kind, address, limit, sink.clone()).with_event_sink(sink)
}

/// One integration key of a service.
#[derive(Debug)]
struct Incoming {
    api: JsonApi,
    read_only: bool,
    audience: Option<String>,
}

fn explain(body: &[u8]) -> Explained {
    Explained { text: String::from_utf8_lossy(body).into_owned(), ..Explained::default() }
}

/// What stands below the summary, in Markdown.
fn details(alarm: &Alarm) -> String {
    let mut lines = vec![format!("source: {}", alarm.source), format!("severity: {}", alarm.severity)];
    lines.extend(alarm.details.iter().map(|(name, value)| format!("{name}: {value}")));
    lines.extend(alarm.links.iter().map(|(href, text)| format!("{text}: {href}")));
    cut(&lines.join("\n"), DETAILS)
}

fn body(write: &EventWrite) -> Option<Value> {
    match write {
        EventWrite::Trigger(alarm) => Some(json!({
            "summary": cut(&alarm.summary, SUMMARY), "details": details(alarm), "dedup": alarm.dedup_key,
        })),
        // A summary is wanted even where nothing is opened.
        EventWrite::Resolve { dedup_key } => Some(json!({"summary": dedup_key, "dedup": dedup_key, "action": "close"})),
        EventWrite::Acknowledge { .. } | EventWrite::Change { .. } => None,
    }
}

impl Incoming {
    async fn send(&self, op: &Operation) -> Outcome {
        let Intent::Event(write) = &op.intent else {
            return Outcome::unsupported(format!("GoAlert's generic API cannot {}", op.intent.capability().title()));
        };
        if let Some(refusal) = self.caps().refusal(write.capability()) {
            return refusal;
        }
        let Some(body) = body(write) else { return Outcome::unsupported("it has no such call") };
        if body.get("dedup").and_then(Value::as_str).is_none_or(str::is_empty) {
            return Outcome::Refused { kind: Obstacle::Invalid, words: "the alarm has no key".into() };
        }
        match self.api.write(Method::POST, PATH, &body).await {
            Ok(answer) => {
                let id = answer.get("AlertID").or_else(|| answer.get("ID")).and_then(Value::as_i64);
                let reference = id.filter(|id| *id > 0).map(|id| decode::reference(id, self.api.base()));
                Outcome::Applied(reference.unwrap_or_else(Reference::default))
            }
            Err(failure) => failure.outcome(),
        }
    }
}

impl Outward for Incoming {
    fn caps(&self) -> Caps {
        use Capability::{AcknowledgeAlarm, ResolveAlarm, SendChange, Trigger};
        let caps = Caps::none().with(Class::RepeatWithKey, &[Trigger, ResolveAlarm]).without(
            Lack::Unsupported,
            "GoAlert's generic API raises and closes alone",
            &[AcknowledgeAlarm, SendChange],
        );
        if self.read_only { caps.read_only() } else { caps }
    }

    fn pace(&self) -> Pace {
        Pace { burst: 10, per_minute: 60 }
    }

    fn apply<'a>(&'a self, op: &'a Operation) -> Task<'a, Outcome> {
        Box::pin(self.send(op))
    }
}

impl EventSink for Incoming {
    fn audience(&self) -> Option<String> {
        self.audience.clone()
    }
}

//! Alert events: an alarm fires and is resolved under its key, at one HTTP alert source with a token of its own. What is
//! taken is looked at later; nothing tells when. It has no acknowledgement and no changes.

use crate::config::OutsideConfig;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::outward::capability::{Capability, Caps, Class, Lack};
use crate::domain::outward::event_sink::EventWrite;
use crate::domain::outward::intent::Intent;
use crate::domain::outward::operation::Operation;
use crate::domain::outward::outcome::{Obstacle, Outcome, Reference};
use crate::domain::outward::pace::Pace;
use crate::io::http::Endpoint;
use crate::io::http::json::{JsonApi, some};
use crate::io::incident_io::{INTEGRATION, NAME, SUMMARY, Settings, explain};
use crate::io::port::{EventSink, Outward, Target, Task};
use crate::io::rooms::cut;
use reqwest::Method;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Makes the target of an entry.
pub fn target(config: &OutsideConfig, settings: Settings, endpoint: Endpoint) -> Result<Target, Fault> {
    let Some(source) = settings.alert_source else {
        return Err(Fault::new(FaultKind::Local, endpoint.name(), "options.alert_source is missing"));
    };
    let (address, limit) = (endpoint.url().to_owned(), endpoint.timeout);
    let sink = Arc::new(AlertEvents {
        api: JsonApi::new(endpoint, explain, &[]),
        path: format!("v2/alert_events/http/{source}"),
        read_only: config.read_only,
        audience: settings.audience,
    });
    Ok(Target::new(INTEGRATION.kind, address, limit, sink.clone()).with_event_sink(sink))
}

/// One HTTP alert source.
#[derive(Debug)]
struct AlertEvents {
    api: JsonApi,
    path: String,
    read_only: bool,
    audience: Option<String>,
}

fn body(write: &EventWrite) -> Option<Value> {
    match write {
        EventWrite::Trigger(alarm) => {
            let known = [("source", &alarm.source), ("severity", &alarm.severity)];
            let known = known.into_iter().map(|(name, value)| (name.to_owned(), json!(value)));
            let details = alarm.details.iter().map(|(name, value)| (name.clone(), json!(value)));
            let metadata: Map<String, Value> = details.chain(known).collect();
            let lines: Vec<String> = alarm.links.iter().map(|(href, text)| format!("{text}: {href}")).collect();
            let mut event = json!({
                "title": cut(&alarm.summary, NAME), "description": cut(&lines.join("\n"), SUMMARY),
                "deduplication_key": alarm.dedup_key, "status": "firing", "metadata": metadata,
            });
            if let (Some((href, _)), Some(fields)) = (alarm.links.first(), event.as_object_mut()) {
                fields.insert("source_url".into(), json!(href));
            }
            Some(event)
        }
        EventWrite::Resolve { dedup_key } => {
            Some(json!({"title": dedup_key, "deduplication_key": dedup_key, "status": "resolved"}))
        }
        EventWrite::Acknowledge { .. } | EventWrite::Change { .. } => None,
    }
}

impl AlertEvents {
    async fn send(&self, op: &Operation) -> Outcome {
        let Intent::Event(write) = &op.intent else {
            return Outcome::unsupported(format!("alert events cannot {}", op.intent.capability().title()));
        };
        if let Some(refusal) = self.caps().refusal(write.capability()) {
            return refusal;
        }
        let Some(body) = body(write) else { return Outcome::unsupported("it has no such call") };
        if body.get("deduplication_key").and_then(Value::as_str).is_none_or(str::is_empty) {
            return Outcome::Refused { kind: Obstacle::Invalid, words: "the alarm has no key".into() };
        }
        match self.api.write(Method::POST, &self.path, &body).await {
            Ok(answer) => {
                Outcome::Accepted(Reference { id: some(&answer, "/deduplication_key"), ..Reference::default() })
            }
            Err(failure) => failure.outcome(),
        }
    }
}

impl Outward for AlertEvents {
    fn caps(&self) -> Caps {
        use Capability::{AcknowledgeAlarm, ResolveAlarm, SendChange, Trigger};
        let caps = Caps::none().with(Class::RepeatWithKey, &[Trigger, ResolveAlarm]).without(
            Lack::Unsupported,
            "alert events fire and are resolved alone",
            &[AcknowledgeAlarm, SendChange],
        );
        if self.read_only { caps.read_only() } else { caps }
    }

    fn pace(&self) -> Pace {
        Pace { burst: 10, per_minute: 120 }
    }

    fn apply<'a>(&'a self, op: &'a Operation) -> Task<'a, Outcome> {
        Box::pin(self.send(op))
    }
}

impl EventSink for AlertEvents {
    fn audience(&self) -> Option<String> {
        self.audience.clone()
    }
}

//! The generic webhook: one POST per operation, with a body from a template. For event sinks and for posts to a chat; the
//! example of an adapter. It reads nothing back: what may have been done is asked of a person, unless `idempotent` says
//! that the receiver honours the `Idempotency-Key` header.
//!
//! What a template knows: `id` (the operation, the idempotency key), `marker` (`[mw:…]`), `capability` (`trigger`,
//! `resolve_alarm`, `post` …), `text` (what is to be done, in words), `target`, `by`, `at` (RFC 3339), and `write` with
//! the fields of the write (`write.summary`, `write.dedup_key`, `write.text` …). The filter `json` writes a value as JSON.

use crate::config::{OutsideConfig, Section};
use crate::domain::document::{Node, Reader};
use crate::domain::fault::Fault;
use crate::domain::outward::capability::{Capability, Caps, Class, Lack};
use crate::domain::outward::intent::Intent;
use crate::domain::outward::operation::Operation;
use crate::domain::outward::outcome::{Obstacle, Outcome, Reference};
use crate::domain::time::rfc3339;
use crate::io::http::{Body, Endpoint, Explained, Http, Request};
use crate::io::integration::Integration;
use crate::io::port::{ChatRoom, EventSink, Outward, Target, Task};
use minijinja::value::{Serde, Value};
use minijinja::{Environment, UndefinedBehavior, context};
use std::sync::Arc;

/// Its row in the registry.
pub const INTEGRATION: Integration = Integration {
    kind: "webhook",
    about: "any HTTP receiver: one POST per alarm, change or message, with a body from a template",
    sections: &[Section::EventSinks, Section::Chat],
    url: None,
    secret_url: true,
    options: &OPTIONS,
    check,
    connect,
};

const OPTIONS: [(&str, &str); 4] = [
    ("template", "the body, as a template; JSON with all that is known when left out"),
    ("content_type", "of the body; application/json when left out"),
    ("idempotent", "the receiver honours the Idempotency-Key header, so that a try may be repeated"),
    ("audience", "who is paged by it, for the question before a page"),
];
/// The largest answer that is read.
const ANSWER_LIMIT: usize = 64 * 1024;
/// Steps that a template may take.
const FUEL: u64 = 100_000;
const DEFAULT: &str = r#"{"id": {{ id|json }}, "capability": {{ capability|json }}, "text": {{ text|json }}, "by": {{ by|json }}, "at": {{ at|json }}, "write": {{ write|json }}}"#;
const JSON: &str = "application/json";

/// What an entry says under `options`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Settings {
    template: String,
    content_type: String,
    idempotent: bool,
    audience: Option<String>,
}

fn settings(config: &OutsideConfig, reader: &mut Reader<'_>) -> Settings {
    let mut out = Settings { template: DEFAULT.into(), content_type: JSON.into(), idempotent: false, audience: None };
    let Some(fields) = config.options(reader, &INTEGRATION.keys()) else { return out };
    let mut text = |key: &str| fields.get(key).and_then(|n| reader.string(n, key));
    out.template = text("template").unwrap_or(out.template);
    out.content_type = text("content_type").unwrap_or(out.content_type);
    out.audience = text("audience");
    out.idempotent = fields.get("idempotent").and_then(|n| reader.boolean(n, "idempotent")).unwrap_or(false);
    if let Some(node) = fields.get("content_type")
        && (out.content_type.is_empty() || out.content_type.chars().any(|c| !(' '..='~').contains(&c)))
    {
        reader.wrong(node, "content_type", "a type such as application/json");
    }
    out
}

fn check(config: &OutsideConfig, reader: &mut Reader<'_>) {
    let settings = settings(config, reader);
    let mark = config.options.as_ref().and_then(|n| n.get("template")).map_or(config.mark, |n: &Node| n.mark);
    if let Err(why) = environment(&settings.template) {
        reader.error(mark, "template", format!("the template cannot be read: {why}"));
    }
}

fn connect(config: &OutsideConfig, endpoint: Endpoint) -> Result<Target, Fault> {
    let settings = settings(config, &mut Reader::new(&config.path));
    let (address, limit) = (endpoint.url().to_owned(), endpoint.timeout);
    let webhook =
        Arc::new(Webhook { section: config.section, read_only: config.read_only, settings, http: Http::new(endpoint) });
    let target = Target::new(INTEGRATION.kind, address, limit, webhook.clone());
    Ok(match config.section {
        Section::Chat => target.with_chat(webhook),
        _ => target.with_event_sink(webhook),
    })
}

/// One receiver.
#[derive(Debug)]
struct Webhook {
    section: Section,
    read_only: bool,
    settings: Settings,
    http: Http,
}

const ALARMS: [Capability; 3] = [Capability::Trigger, Capability::AcknowledgeAlarm, Capability::ResolveAlarm];

impl Webhook {
    async fn send(&self, op: &Operation) -> Outcome {
        let fits = matches!(
            (self.section, &op.intent),
            (Section::EventSinks, Intent::Event(_)) | (Section::Chat, Intent::Chat(_))
        );
        if !fits || self.caps().class(op.intent.capability()).is_none() {
            return Outcome::unsupported(format!("a webhook cannot {}", op.intent.capability().title()));
        }
        let body = match render(&self.settings.template, op) {
            Ok(body) => body,
            Err(words) => return Outcome::Refused { kind: Obstacle::Invalid, words },
        };
        if self.settings.content_type == JSON && serde_json::from_str::<serde::de::IgnoredAny>(&body).is_err() {
            let words = "the template did not make JSON; nothing was sent".to_owned();
            return Outcome::Refused { kind: Obstacle::Invalid, words };
        }
        let body = Body::Text(self.settings.content_type.clone(), body);
        let request =
            Request::post("", body, ANSWER_LIMIT, explain).header("Idempotency-Key", op.id.as_str().to_owned());
        match self.http.write(&request).await {
            Ok(reply) if reply.status == 202 => Outcome::Accepted(Reference::default()),
            Ok(_) => Outcome::applied(),
            Err(failure) => failure.outcome(),
        }
    }
}

impl Outward for Webhook {
    fn caps(&self) -> Caps {
        let class = if self.settings.idempotent { Class::RepeatWithKey } else { Class::AskPerson };
        let caps = match self.section {
            Section::Chat => Caps::none().with(class, &[Capability::Post]).without(
                Lack::Unsupported,
                "a webhook posts and no more",
                &[Capability::CreateRoom, Capability::EditMessage, Capability::ReadVolunteers],
            ),
            _ => Caps::none().with(class, &ALARMS).with(class, &[Capability::SendChange]),
        };
        if self.read_only { caps.read_only() } else { caps }
    }

    fn apply<'a>(&'a self, op: &'a Operation) -> Task<'a, Outcome> {
        Box::pin(self.send(op))
    }
}

impl EventSink for Webhook {
    fn audience(&self) -> Option<String> {
        self.settings.audience.clone()
    }
}

impl ChatRoom for Webhook {}

/// Its error bodies have no known form; the words are kept as they are.
fn explain(body: &[u8]) -> Explained {
    Explained { text: String::from_utf8_lossy(body).into_owned(), ..Explained::default() }
}

fn environment(template: &str) -> Result<Environment<'_>, String> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.add_filter("json", |value: Value| {
        serde_json::to_string(&value)
            .map_err(|e| minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, e.to_string()))
    });
    environment.add_template("body", template).map_err(|e| words(&e))?;
    Ok(environment)
}

fn render(template: &str, op: &Operation) -> Result<String, String> {
    // A write is a struct of ours: what its port and its verb are stands beside it.
    let write = serde_json::to_value(&op.intent).unwrap_or_default();
    let write = write.get("write").cloned().unwrap_or_default();
    let known = context! {
        id => op.id.as_str(),
        marker => op.marker(),
        capability => op.intent.capability().word(),
        text => op.intent.words(),
        target => op.target.as_str(),
        by => op.created_by.as_str(),
        at => rfc3339(op.created_at),
        write => Value::from(Serde(write)),
    };
    let environment = environment(template)?;
    let template = environment.get_template("body").map_err(|e| words(&e))?;
    template.render(known).map_err(|e| words(&e))
}

fn words(error: &minijinja::Error) -> String {
    let line = error.line().map(|line| format!("line {line}: ")).unwrap_or_default();
    let detail = error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
    format!("{line}{}{detail}", error.kind())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::outward::chat::ChatWrite;
    use crate::domain::outward::event_sink::{Alarm, EventWrite};

    fn op(intent: Intent) -> Operation {
        let at = "2026-05-01T03:12:04Z".parse().unwrap();
        let mut op = Operation::new("hook".into(), intent, Class::AskPerson, at, "alice");
        op.id = "0197-x".into();
        op
    }

    #[test]
    fn the_default_body_is_json_with_all_that_is_known_and_outside_text_stays_inside_its_string() {
        let alarm = Alarm {
            dedup_key: "INC-1".into(),
            summary: "down \", \"by\": \"mallory".into(),
            source: "api".into(),
            severity: "critical".into(),
            details: vec![],
            links: vec![],
        };
        let body = render(DEFAULT, &op(Intent::Event(EventWrite::Trigger(alarm)))).unwrap();
        let json: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(json["capability"], "trigger");
        assert_eq!(json["by"], "alice");
        assert_eq!(json["write"]["dedup_key"], "INC-1");
        assert_eq!(json["write"]["summary"], "down \", \"by\": \"mallory");
    }

    #[test]
    fn a_name_that_does_not_exist_and_a_loop_without_end_are_words() {
        let post = op(Intent::Chat(ChatWrite::Post { room: None, text: "hi".into(), thread: None }));
        assert_eq!(render("{{ write.text }} by {{ by }}", &post).unwrap(), "hi by alice");
        assert!(render("{{ nobody }}", &post).unwrap_err().contains("line 1"));
        assert!(
            render("{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}", &post).is_err()
        );
        assert!(environment("{% if %}").is_err());
    }
}

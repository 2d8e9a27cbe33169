//! Grafana: annotations over the HTTP API with the token of a service account. An incident is a region from its declaration
//! to its end; its tags find it again before one is made, so that it is made once. What others marked is read as changes.

use crate::config::{OutsideConfig, Section};
use crate::domain::document::Reader;
use crate::domain::fault::Fault;
use crate::domain::outward::annotation::{Annotation, AnnotationWrite};
use crate::domain::outward::capability::{Capability, Caps, Class};
use crate::domain::outward::intent::Intent;
use crate::domain::outward::operation::Operation;
use crate::domain::outward::outcome::{Found, Outcome, Reference};
use crate::domain::outward::pace::Pace;
use crate::domain::server_note::ServerNote;
use crate::domain::time::{Timestamp, mins};
use crate::io::http::json::{JsonApi, list, some, text};
use crate::io::http::{Endpoint, Explained, Failure};
use crate::io::integration::Integration;
use crate::io::port::{Annotations, Outward, Target, Task};
use crate::io::rooms::{self, cut, segment};
use chrono::DateTime;
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;

/// Its row in the registry.
pub const INTEGRATION: Integration = Integration {
    kind: "grafana",
    about: "Grafana: incidents as regions on dashboards, and what others marked there",
    sections: &[Section::Annotations],
    url: None,
    secret_url: false,
    options: &OPTIONS,
    check,
    connect,
};

const OPTIONS: [(&str, &str); 3] = [
    ("tags", "tags that our annotations get beside midwatch and incident:ID"),
    ("dashboard", "the uid of the dashboard that gets them; every dashboard that shows their tags when left out"),
    ("changes", "tags of which one makes an annotation of others a change; all of them are when left out"),
];
/// The tag of everything that we make.
const OURS: &str = "midwatch";
/// Requests of one write.
const REQUESTS: u32 = 2;
/// Annotations that one question asks for.
const MOST: usize = 200;
const TEXT: usize = 2_000;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Settings {
    tags: Vec<String>,
    dashboard: Option<String>,
    changes: Vec<String>,
}

fn settings(config: &OutsideConfig, reader: &mut Reader<'_>) -> Settings {
    let fields = config.options(reader, &INTEGRATION.keys());
    let get = |key: &str| fields.as_ref().and_then(|f| f.get(key));
    Settings {
        tags: get("tags").map(|n| reader.strings(n, "tags")).unwrap_or_default(),
        dashboard: get("dashboard").and_then(|n| reader.string(n, "dashboard")),
        changes: get("changes").map(|n| reader.strings(n, "changes")).unwrap_or_default(),
    }
}

fn check(config: &OutsideConfig, reader: &mut Reader<'_>) {
    settings(config, reader);
    rooms::wants_bearer(config, reader);
}

fn connect(config: &OutsideConfig, endpoint: Endpoint) -> Result<Target, Fault> {
    let settings = settings(config, &mut Reader::new(&config.path));
    let (address, limit) = (endpoint.url().to_owned(), endpoint.timeout * REQUESTS);
    let grafana =
        Arc::new(Grafana { read_only: config.read_only, settings, api: JsonApi::new(endpoint, explain, &[]) });
    Ok(Target::new(INTEGRATION.kind, address, limit, grafana.clone()).with_annotations(grafana))
}

/// One server.
#[derive(Debug)]
struct Grafana {
    read_only: bool,
    settings: Settings,
    api: JsonApi,
}

/// `{"message": "…"}`.
fn explain(body: &[u8]) -> Explained {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    Explained { text: text(&value, "/message").to_owned(), ..Explained::default() }
}

fn instant(value: &Value, key: &str) -> Option<Timestamp> {
    DateTime::from_timestamp_millis(value.get(key)?.as_i64().filter(|ms| *ms > 0)?)
}

/// An id is a number there, and a text with us.
fn id(value: &Value) -> String {
    value.get("id").and_then(Value::as_u64).map(|id| id.to_string()).or_else(|| some(value, "/id")).unwrap_or_default()
}

fn annotation(value: &Value) -> Option<Annotation> {
    let from = instant(value, "time")?;
    Some(Annotation {
        id: id(value),
        from,
        // A point has its end where it begins, or none.
        to: instant(value, "timeEnd").filter(|to| *to > from),
        text: text(value, "/text").to_owned(),
        tags: list(value, "/tags").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
    })
}

/// The tags by which what we made is found again: the incident's where it has one.
fn finders(own: &[String]) -> Vec<String> {
    let incident: Vec<String> = own.iter().filter(|tag| tag.starts_with("incident:")).cloned().collect();
    let found = if incident.is_empty() { own.to_vec() } else { incident };
    std::iter::once(OURS.to_owned()).chain(found).collect()
}

impl Grafana {
    fn tags(&self, own: &[String]) -> Vec<String> {
        let mut out: Vec<String> = vec![OURS.into()];
        for tag in own.iter().chain(&self.settings.tags) {
            if !out.contains(tag) {
                out.push(tag.clone());
            }
        }
        out
    }

    fn reference(&self, id: &str, from: Timestamp) -> Reference {
        let url = self.settings.dashboard.as_ref().map(|uid| {
            let (from, to) = ((from - mins(60)).timestamp_millis(), (from + mins(180)).timestamp_millis());
            format!("{}/d/{}?from={from}&to={to}", self.api.base(), segment(uid))
        });
        Reference::id(id).at(url)
    }

    /// What carries all of these tags, whenever it was.
    async fn tagged(&self, tags: &[String]) -> Result<Option<String>, Failure> {
        let mut query = vec![("type", "annotation".to_owned()), ("limit", "10".to_owned())];
        query.extend(tags.iter().map(|tag| ("tags", tag.clone())));
        let answer = self.api.get("api/annotations", &query).await?;
        // A server that did not understand the question gives somebody else's, which would then be ended in its place.
        let has = |found: &Value, tag: &String| list(found, "/tags").iter().any(|its| its.as_str() == Some(tag));
        let ours = list(&answer, "").iter().find(|found| tags.iter().all(|tag| has(found, tag)));
        Ok(ours.map(id).filter(|id| !id.is_empty()))
    }

    async fn write(&self, write: &AnnotationWrite) -> Result<Outcome, Failure> {
        match write {
            AnnotationWrite::Create { from, to, text, tags } => {
                if let Some(id) = self.tagged(&finders(tags)).await? {
                    return Ok(Outcome::AlreadyDone(self.reference(&id, *from)));
                }
                let mut body = json!({
                    "time": from.timestamp_millis(), "tags": self.tags(tags), "text": cut(text, TEXT),
                });
                if let (Some(to), Some(fields)) = (to, body.as_object_mut()) {
                    fields.insert("timeEnd".into(), json!(to.timestamp_millis()));
                }
                if let (Some(uid), Some(fields)) = (&self.settings.dashboard, body.as_object_mut()) {
                    fields.insert("dashboardUID".into(), json!(uid));
                }
                let made = self.api.write(Method::POST, "api/annotations", &body).await?;
                Ok(Outcome::Applied(self.reference(&id(&made), *from)))
            }
            AnnotationWrite::End { annotation, to, text } => {
                let mut body = json!({"timeEnd": to.timestamp_millis()});
                if let (Some(text), Some(fields)) = (text, body.as_object_mut()) {
                    fields.insert("text".into(), json!(cut(text, TEXT)));
                }
                let path = format!("api/annotations/{}", segment(annotation));
                self.api.write(Method::PATCH, &path, &body).await?;
                Ok(Outcome::Applied(self.reference(annotation, *to)))
            }
        }
    }

    async fn seek(&self, from: Timestamp, tags: &[String]) -> Result<Found, Failure> {
        let there = self.tagged(&finders(tags)).await?;
        Ok(there.map_or(Found::Absent, |id| Found::Done(self.reference(&id, from))))
    }

    async fn read(&self, from: Timestamp, to: Timestamp, tags: &[String]) -> Result<Vec<Annotation>, Failure> {
        let mut query = vec![
            ("from", from.timestamp_millis().to_string()),
            ("to", to.timestamp_millis().to_string()),
            ("type", "annotation".to_owned()),
            ("limit", MOST.to_string()),
        ];
        let wanted = if tags.is_empty() { &self.settings.changes } else { tags };
        query.extend(wanted.iter().map(|tag| ("tags", tag.clone())));
        if tags.is_empty() && wanted.len() > 1 {
            query.push(("matchAny", "true".to_owned()));
        }
        let answer = self.api.get("api/annotations", &query).await?;
        let ours = |a: &Annotation| tags.is_empty() && a.tags.iter().any(|tag| tag == OURS);
        let mut out: Vec<Annotation> = list(&answer, "").iter().filter_map(annotation).filter(|a| !ours(a)).collect();
        out.sort_by(|a, b| (a.from, &a.id).cmp(&(b.from, &b.id)));
        Ok(out)
    }
}

impl Outward for Grafana {
    fn caps(&self) -> Caps {
        let caps = Caps::none()
            .with(Class::Compare, &[Capability::Annotate])
            .with(Class::Repeat, &[Capability::EndAnnotation, Capability::ReadAnnotations]);
        if self.read_only { caps.read_only() } else { caps }
    }

    fn pace(&self) -> Pace {
        Pace { burst: 5, per_minute: 60 }
    }

    fn apply<'a>(&'a self, op: &'a Operation) -> Task<'a, Outcome> {
        Box::pin(async move {
            if let Some(refusal) = self.caps().refusal(op.intent.capability()) {
                return refusal;
            }
            let Intent::Annotation(write) = &op.intent else {
                return Outcome::unsupported("Grafana takes annotations alone");
            };
            self.write(write).await.unwrap_or_else(|failure| failure.outcome())
        })
    }

    fn look<'a>(&'a self, op: &'a Operation) -> Task<'a, Found> {
        Box::pin(async move {
            let Intent::Annotation(AnnotationWrite::Create { from, tags, .. }) = &op.intent else {
                return Found::NoWay;
            };
            self.seek(*from, tags).await.unwrap_or_else(|failure| failure.found())
        })
    }

    fn probe(&self) -> Task<'_, Result<ServerNote, Fault>> {
        Box::pin(async move {
            let (health, note) = self.api.probe("api/health").await?;
            // Health needs no token; this does.
            self.api.probe("api/annotations/tags").await?;
            Ok(ServerNote { requests: 2, version: some(&health, "/version"), ..note })
        })
    }
}

impl Annotations for Grafana {
    fn between<'a>(
        &'a self,
        from: Timestamp,
        to: Timestamp,
        tags: &'a [String],
    ) -> Task<'a, Result<Vec<Annotation>, Fault>> {
        Box::pin(async move { self.read(from, to, tags).await.map_err(|failure| failure.fault) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_has_no_end_and_what_has_no_time_is_left_out() {
        let point = annotation(&json!({"id": 7, "time": 1_000, "timeEnd": 1_000, "text": "deploy", "tags": null}));
        let point = point.unwrap();
        assert_eq!((point.id.as_str(), point.to, point.tags.len()), ("7", None, 0));
        let region = annotation(&json!({"id": "a", "time": 1_000, "timeEnd": 2_000})).unwrap();
        assert_eq!(region.to.map(|t| t.timestamp_millis()), Some(2_000));
        assert_eq!(annotation(&json!({"id": 7, "time": 0})), None);
        assert_eq!(explain(br#"{"message":"Access denied"}"#).text, "Access denied");
    }
}

//! The rig of Grafana: a server that keeps annotations and finds them by their tags.

use super::fake::any_intent;
use super::webhook::connect;
use super::{Rig, Trouble, run, token};
use crate::stateful_server::{Answer, Asked, StatefulServer, Trouble as Net};
use midwatch::domain::outward::annotation::AnnotationWrite;
use midwatch::domain::outward::capability::{Capability, Class};
use midwatch::domain::outward::intent::Intent;
use midwatch::domain::outward::operation::Operation;
use midwatch::domain::outward::outcome::{Obstacle, Outcome};
use midwatch::io::clock;
use midwatch::io::port::Target;
use serde_json::{Value, json};
use std::time::Duration;
use tempfile::TempDir;

/// What the server keeps.
#[derive(Default)]
pub struct Server {
    annotations: Vec<Value>,
    /// It gives whatever there is.
    deaf: bool,
}

/// All values of a parameter that may be there several times.
fn tags(asked: &Asked) -> Vec<String> {
    let one = |pair: &str| Asked { query: pair.to_owned(), ..Asked::default() }.param("tags");
    asked.query.split('&').filter(|pair| pair.starts_with("tags=")).map(one).collect()
}

fn handle(server: &mut Server, asked: &Asked) -> Answer {
    let parts = asked.parts();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    if parts != ["api", "health"] {
        assert_eq!(asked.header("authorization"), "Bearer hunter2");
    }
    match (asked.method.as_str(), parts.as_slice()) {
        ("POST", ["api", "annotations"]) => {
            let mut made = asked.json();
            let id = server.annotations.len() + 40;
            made["id"] = json!(id);
            server.annotations.push(made);
            Answer::json(200, &json!({"message": "Annotation added", "id": id}))
        }
        ("PATCH", ["api", "annotations", id]) => {
            match server
                .annotations
                .iter_mut()
                .find(|a| a["id"] == *id || a["id"].as_i64().map(|n| n.to_string()).as_deref() == Some(*id))
            {
                Some(annotation) => {
                    annotation["timeEnd"] = asked.json()["timeEnd"].clone();
                    if !asked.json()["text"].is_null() {
                        annotation["text"] = asked.json()["text"].clone();
                    }
                    Answer::json(200, &json!({"message": "Annotation patched"}))
                }
                None => Answer::json(404, &json!({"message": "Annotation not found"})),
            }
        }
        ("GET", ["api", "annotations"]) => {
            assert_eq!(asked.param("type"), "annotation");
            let wanted = tags(asked);
            let carries = |a: &Value, tag: &String| a["tags"].as_array().is_some_and(|t| t.iter().any(|t| t == tag));
            let fits = |a: &&Value| match asked.param("matchAny").as_str() {
                _ if server.deaf => true,
                "true" => wanted.iter().any(|tag| carries(a, tag)),
                _ => wanted.iter().all(|tag| carries(a, tag)),
            };
            let found: Vec<&Value> = server.annotations.iter().filter(fits).collect();
            Answer::json(200, &json!(found))
        }
        ("GET", ["api", "annotations", "tags"]) => Answer::json(200, &json!({"result": {"tags": []}})),
        ("GET", ["api", "health"]) => Answer::json(200, &json!({"database": "ok", "version": "12.1.0"})),
        other => panic!("{other:?} is no call"),
    }
}

/// A server with one annotation and the configuration of its target.
pub struct GrafanaRig {
    server: StatefulServer<Server>,
    folder: TempDir,
}

impl GrafanaRig {
    pub fn new() -> Self {
        let old = json!({"id": "A1", "time": 1_777_600_000_000_i64, "timeEnd": 0, "text": "old", "tags": ["old"]});
        let server = Server { annotations: vec![old], deaf: false };
        Self { server: StatefulServer::start(server, handle), folder: tempfile::tempdir().unwrap() }
    }

    fn connect(&self, read_only: bool, options: &str) -> Target {
        let file = token(self.folder.path(), "hunter2\n");
        connect(&format!(
            "annotations:\n  - {{name: grafana, kind: grafana, url: '{}', timeout: 1s, read_only: {read_only}, auth: {{bearer: {{file: '{}'}}}}, options: {{{options}}}}}\n",
            self.server.url(),
            file.display()
        ))
    }
}

impl Rig for GrafanaRig {
    fn name(&self) -> String {
        "grafana".into()
    }

    fn target(&self) -> Target {
        self.connect(false, "tags: [prod], dashboard: uid1, changes: [deploy, flag]")
    }

    fn read_only(&self) -> Target {
        self.connect(true, "")
    }

    fn intent(&self, capability: Capability) -> Option<Intent> {
        any_intent(capability).filter(|intent| matches!(intent, Intent::Annotation(_)))
    }

    fn effects(&self, op: &Operation) -> usize {
        let Intent::Annotation(write) = &op.intent else { return 0 };
        self.server.with(|s| match write {
            AnnotationWrite::Create { tags, .. } => {
                let carries = |a: &&Value| a["tags"].as_array().unwrap().iter().any(|t| *t == tags[0].as_str());
                s.annotations.iter().filter(carries).count()
            }
            AnnotationWrite::End { to, .. } => {
                s.annotations.iter().filter(|a| a["timeEnd"] == to.timestamp_millis()).count()
            }
        })
    }

    fn trouble(&self, trouble: Trouble) -> bool {
        self.server.script([match trouble {
            Trouble::RateLimited(s) => Net::RateLimited(Some(("Retry-After".into(), s.to_string()))),
            Trouble::RateLimitedBare => Net::RateLimited(None),
            Trouble::TooLong => Net::Status(414, String::new()),
            Trouble::Auth => Net::Status(401, String::new()),
            Trouble::LoginPage => Net::LoginPage,
            Trouble::LostReply => Net::LostReply,
            Trouble::LostRequest => Net::LostRequest,
            Trouble::Slow => Net::SlowBody(Duration::from_millis(100)),
            Trouble::Duplicate => Net::Duplicate,
        }]);
        true
    }
}

fn operation(capability: Capability) -> Operation {
    let intent = any_intent(capability).unwrap();
    let mut op = Operation::new("grafana".into(), intent, Class::Compare, clock::now(), "alice");
    op.id = "01970000-0000-7000-8000-000000000001".into();
    op
}

#[test]
fn an_incident_is_a_region_that_is_made_once_and_ended() {
    let rig = GrafanaRig::new();
    let target = rig.target();
    let outcome = run(target.outward.apply(&operation(Capability::Annotate)));
    let Outcome::Applied(reference) = outcome else { panic!("{outcome:?}") };
    assert_eq!(reference.id.as_deref(), Some("41"));
    assert!(reference.url.unwrap().contains("/d/uid1?from="));
    assert!(matches!(run(target.outward.apply(&operation(Capability::Annotate))), Outcome::AlreadyDone(_)));
    rig.server.with(|s| {
        assert_eq!(s.annotations[1]["tags"], json!(["midwatch", "incident:INC-1", "prod"]));
        assert_eq!(s.annotations[1]["dashboardUID"], "uid1");
        s.annotations[0]["id"] = json!("gone");
    });
    let gone = run(target.outward.apply(&operation(Capability::EndAnnotation)));
    assert!(matches!(gone, Outcome::Refused { kind: Obstacle::NotFound, .. }), "{gone:?}");
}

/// Else the region of another incident would be ended as ours.
#[test]
fn somebody_elses_annotation_is_never_taken_for_ours() {
    let rig = GrafanaRig::new();
    rig.server.with(|s| s.deaf = true);
    let target = rig.target();
    let outcome = run(target.outward.apply(&operation(Capability::Annotate)));
    assert!(matches!(&outcome, Outcome::Applied(reference) if reference.id.as_deref() == Some("41")), "{outcome:?}");
    assert!(matches!(run(target.outward.apply(&operation(Capability::Annotate))), Outcome::AlreadyDone(_)));
}

#[test]
fn what_others_marked_is_read_and_our_own_regions_are_not() {
    let rig = GrafanaRig::new();
    let target = rig.target();
    run(target.outward.apply(&operation(Capability::Annotate)));
    rig.server.with(|s| {
        s.annotations.push(json!({"id": 90, "time": 2_000, "timeEnd": 2_000, "text": "deploy 42", "tags": ["deploy"]}));
        s.annotations
            .push(json!({"id": 91, "time": 1_000, "timeEnd": 3_000, "text": "flag on", "tags": ["flag", "x"]}));
        s.annotations.push(json!({"id": 92, "time": 1_500, "text": "ours", "tags": ["deploy", "midwatch"]}));
        s.annotations.push(json!({"id": 93, "text": "no time", "tags": ["deploy"]}));
    });
    let port = target.annotations.clone().unwrap();
    let at = |ms: i64| chrono::DateTime::from_timestamp_millis(ms).unwrap();
    let read = run(port.between(at(0), at(9_000), &[])).unwrap();
    let told: Vec<_> = read.iter().map(|a| (a.text.as_str(), a.to.is_some())).collect();
    assert_eq!(told, [("flag on", true), ("deploy 42", false)]);
    assert_eq!(run(target.outward.probe()).unwrap().version.as_deref(), Some("12.1.0"));
    assert!(!format!("{target:?}").contains("hunter2"));
}

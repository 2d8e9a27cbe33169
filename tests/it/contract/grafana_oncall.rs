//! The rig of Grafana OnCall: a stack whose lists know one state at a time, whose people are ids, and which tells nothing of
//! how long something is silenced.

use super::webhook::connect;
use super::{Rig, Trouble, findings, net, run, token};
use crate::stateful_server::{Answer, Asked, StatefulServer};
use midwatch::domain::outward::backend::{BackendStatus, BackendWrite, Party};
use midwatch::domain::outward::capability::{Can, Capability, Class, Lack};
use midwatch::domain::outward::intent::Intent;
use midwatch::domain::outward::operation::Operation;
use midwatch::domain::outward::outcome::{Found, Obstacle, Outcome};
use midwatch::domain::time::{mins, rfc3339};
use midwatch::io::clock;
use midwatch::io::port::{IncidentBackend, Target};
use serde_json::{Value, json};
use std::sync::Arc;
use tempfile::TempDir;

const KEY: &str = "canary-oncall-key";

/// What the stack keeps.
#[derive(Default)]
pub struct Server {
    groups: Vec<Value>,
    notes: Vec<Value>,
    ledger: Vec<(&'static str, String)>,
    /// So many groups in a page.
    page: usize,
    /// The token is a service account's.
    service_account: bool,
}

impl Server {
    fn new() -> Self {
        let mut server = Self { page: 50, ..Self::default() };
        server.open("I1", "ApiErrors", "firing");
        server.open("I2", "disk of db-1", "firing");
        server.open("I3", "latency", "acknowledged");
        server
    }

    fn open(&mut self, id: &str, title: &str, state: &str) {
        let at = rfc3339(clock::now());
        let acknowledged = (state == "acknowledged").then(|| at.clone());
        self.groups.push(json!({
            "id": id, "integration_id": "C1", "alerts_count": 2, "state": state, "created_at": at, "title": title,
            "acknowledged_at": acknowledged, "acknowledged_by": acknowledged.as_ref().map(|_| "U2"), "resolved_at": null,
            "silenced_at": null, "permalinks": {"slack": null, "web": format!("https://stack.example/{id}")},
            "a_field_of_tomorrow": {},
        }));
    }

    fn find(&mut self, id: &str) -> Option<&mut Value> {
        self.groups.iter_mut().find(|group| group["id"] == id)
    }
}

fn paged(server: &Server, asked: &Asked, all: &[Value]) -> Answer {
    let number = asked.param("page").parse::<usize>().unwrap_or(1);
    let page: Vec<&Value> = all.iter().skip((number - 1) * server.page).take(server.page).collect();
    let next = (number * server.page < all.len()).then(|| format!("https://elsewhere.example/?page={}", number + 1));
    Answer::json(200, &json!({"count": all.len(), "next": next, "previous": null, "results": page}))
}

fn user(id: &str) -> Value {
    let name = if id == "U1" { "ada" } else { "grace" };
    json!({"id": id, "email": format!("{name}@example.com"), "username": name, "timezone": "Europe/Berlin"})
}

fn refuse(detail: &str) -> Answer {
    Answer::json(400, &json!({"detail": detail}))
}

fn answer(server: &mut Server, asked: &Asked) -> Answer {
    // The key alone: no word stands before it.
    if asked.header("authorization") != KEY {
        return Answer::json(403, &json!({"detail": "Invalid token."}));
    }
    assert!(asked.path.ends_with('/'), "a path without its slash is answered with a redirect");
    let parts = asked.parts();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let ["api", "v1", rest @ ..] = parts.as_slice() else { panic!("{parts:?}") };
    match (asked.method.as_str(), rest) {
        ("GET", ["alert_groups"]) => {
            let (state, integration) = (asked.param("state"), asked.param("integration_id"));
            let wanted = if state == "new" { "firing" } else { state.as_str() };
            let fits = |group: &&Value| {
                (wanted.is_empty() || group["state"] == wanted)
                    && (integration.is_empty() || group["integration_id"] == integration.as_str())
            };
            let found: Vec<Value> = server.groups.iter().filter(fits).cloned().collect();
            paged(server, asked, &found)
        }
        ("GET", ["alert_groups", id]) => match server.find(id) {
            Some(group) => Answer::json(200, group),
            None => Answer::json(404, &json!({"detail": "Not found."})),
        },
        ("GET", ["alerts"]) => {
            let labels = json!({"alertname": "ApiErrors", "service": "api"});
            let alert = json!({"id": "AL1", "alert_group_id": asked.param("alert_group_id"), "payload": {"commonLabels": labels}});
            paged(server, asked, &[alert])
        }
        ("GET", ["users", "current"]) if server.service_account => Answer::json(404, &json!({"detail": "Not found."})),
        ("GET", ["users", "current"]) => Answer::json(200, &user("U1")),
        ("GET", ["users", id]) => Answer::json(200, &user(id)),
        ("GET", ["schedules"]) => paged(server, asked, &[schedule()]),
        ("GET", ["schedules", "S1"]) => Answer::json(200, &schedule()),
        ("GET", ["resolution_notes"]) => {
            let id = asked.param("alert_group_id");
            let notes: Vec<Value> =
                server.notes.iter().filter(|note| note["alert_group_id"] == id.as_str()).cloned().collect();
            paged(server, asked, &notes)
        }
        ("POST", ["resolution_notes"]) => {
            let mut note = asked.json();
            note["id"] = json!(format!("M{}", server.notes.len()));
            server.ledger.push(("note", note["text"].as_str().unwrap().to_owned()));
            server.notes.push(note.clone());
            Answer::json(201, &note)
        }
        ("POST", ["escalation"]) => escalate(server, &asked.json()),
        ("POST", ["alert_groups", id, verb]) => act(server, id, verb, &asked.json()),
        other => panic!("{other:?} is no call"),
    }
}

fn schedule() -> Value {
    json!({"id": "S1", "name": "Primary", "type": "web", "on_call_now": ["U2", null]})
}

fn escalate(server: &mut Server, wanted: &Value) -> Answer {
    if let Some(group) = wanted["alert_group_id"].as_str() {
        // Both at once are refused.
        assert!(wanted["title"].is_null() && wanted["message"].is_null() && wanted["team"].is_null());
        assert_eq!(wanted["users"][0]["important"], true);
        server.ledger.push(("request_responders", group.into()));
        let group = server.find(group).unwrap().clone();
        return Answer::json(200, &group);
    }
    if wanted["team"] != "T1" {
        return refuse("Invalid team ID");
    }
    let id = format!("N{}", server.groups.len());
    server.open(&id, wanted["title"].as_str().unwrap(), "firing");
    server.ledger.push(("declare", id.clone()));
    let group = server.find(&id).unwrap().clone();
    Answer::json(200, &group)
}

fn act(server: &mut Server, id: &str, verb: &str, body: &Value) -> Answer {
    let at = rfc3339(clock::now());
    let Some(group) = server.find(id) else { return Answer::json(404, &json!({"detail": "Not found."})) };
    let state = group["state"].as_str().unwrap().to_owned();
    let what = match (verb, state.as_str()) {
        ("acknowledge", "acknowledged") => return refuse("Can't acknowledge an acknowledged alert group"),
        ("acknowledge" | "unacknowledge" | "silence" | "resolve", "resolved") => {
            return refuse(&format!("Can't {verb} a resolved alert group"));
        }
        ("unacknowledge", "firing") => return refuse("Can't unacknowledge an alert group that is not acknowledged"),
        ("acknowledge", _) => {
            group["state"] = json!("acknowledged");
            (group["acknowledged_by"], group["acknowledged_at"]) = (json!("U1"), json!(at));
            "acknowledge"
        }
        ("unacknowledge", _) => {
            group["state"] = json!("firing");
            "unacknowledge"
        }
        ("resolve", _) => {
            group["state"] = json!("resolved");
            "resolve"
        }
        ("silence", _) => {
            assert!(body["delay"].as_i64().unwrap() > 0);
            group["state"] = json!("silenced");
            group["silenced_at"] = json!(at);
            "snooze"
        }
        other => panic!("{other:?} is no call"),
    };
    server.ledger.push((what, id.into()));
    Answer::json(200, &json!({}))
}

/// A stack and the configuration of its target.
pub struct OnCallRig {
    pub server: StatefulServer<Server>,
    folder: TempDir,
}

impl OnCallRig {
    pub fn new() -> Self {
        Self { server: StatefulServer::start(Server::new(), answer), folder: tempfile::tempdir().unwrap() }
    }

    /// Its section of a configuration.
    pub fn section(&self, read_only: bool) -> String {
        format!(
            "incident_backends:\n  - {{name: oncall, kind: grafana_oncall, url: '{}', timeout: 1s, read_only: {read_only}, \
             auth: {{bearer: {{file: '{}'}}}}, options: {{services: {{api: T1}}, schedules: {{api: S1}}}}}}\n",
            self.server.url(),
            token(self.folder.path(), KEY).display(),
        )
    }

    fn backend(&self) -> Arc<dyn IncidentBackend> {
        self.target().backend.unwrap()
    }
}

fn op(write: BackendWrite) -> Operation {
    let mut op = Operation::new("oncall".into(), Intent::Backend(write), Class::Compare, clock::now(), "ada");
    op.id = "01970000-0000-7000-8000-000000000001".into();
    op
}

impl Rig for OnCallRig {
    fn name(&self) -> String {
        "grafana_oncall".into()
    }

    fn target(&self) -> Target {
        connect(&self.section(false))
    }

    fn read_only(&self) -> Target {
        connect(&self.section(true))
    }

    fn intent(&self, capability: Capability) -> Option<Intent> {
        let incident = || "I1".to_owned();
        Some(Intent::Backend(match capability {
            Capability::Acknowledge => BackendWrite::Acknowledge { incident: incident() },
            Capability::Unacknowledge => BackendWrite::Unacknowledge { incident: "I3".into() },
            Capability::Resolve => BackendWrite::Resolve { incident: incident(), resolution: None },
            Capability::Snooze => BackendWrite::Snooze { incident: incident(), seconds: 600 },
            Capability::Note => BackendWrite::Note { incident: incident(), text: "pool is full".into() },
            Capability::RequestResponders => BackendWrite::RequestResponders {
                incident: incident(),
                people: vec![Party { id: "U2".into(), name: "grace".into(), ..Party::default() }],
                message: "please join".into(),
            },
            Capability::Declare => BackendWrite::Declare {
                title: "api is down".into(),
                service: Some(Party { name: "api".into(), ..Party::default() }),
                urgency: None,
                priority: None,
                body: "declared in midwatch".into(),
            },
            _ => return None,
        }))
    }

    fn effects(&self, op: &Operation) -> usize {
        let word = op.intent.capability().word();
        self.server.with(|s| {
            let ours =
                |(what, which): &&(&str, String)| *what == word && (word != "note" || which.contains(&op.marker()));
            s.ledger.iter().filter(ours).count()
        })
    }

    fn trouble(&self, trouble: Trouble) -> bool {
        self.server.script([net(trouble, "Retry-After")]);
        true
    }

    fn always(&self, answer: Answer) -> bool {
        self.server.always(answer);
        true
    }

    fn disturb(&self, op: &Operation) -> bool {
        let Intent::Backend(write) = &op.intent else { return false };
        let Some(id) = write.incident().filter(|_| !matches!(write, BackendWrite::Note { .. })) else { return false };
        self.server.with(|s| s.find(id).unwrap()["state"] = json!("resolved"));
        true
    }
}

#[test]
fn every_state_that_is_not_over_is_listed_once_with_names_in_place_of_ids() {
    let rig = OnCallRig::new();
    rig.server.with(|s| {
        s.page = 10;
        for n in 0..25 {
            s.open(&format!("X{n}"), &format!("storm {n}"), if n == 3 { "silenced" } else { "firing" });
        }
        s.open("OVER", "old", "resolved");
    });
    let backend = rig.backend();
    let open = run(backend.list()).unwrap();
    assert_eq!(open.len(), 28);
    let by = |id: &str| open.iter().find(|i| i.id == id).unwrap();
    assert_eq!(by("X3").status, BackendStatus::Other("silenced".into()));
    assert_eq!(by("I3").acknowledged_by[0].0.name, "grace");
    assert_eq!(by("I3").url.as_deref(), Some("https://stack.example/I3"));
    // Three pages of one state, one of each other, and a name; which is asked for once.
    assert_eq!(rig.server.requests().len(), 6);
    run(backend.list()).unwrap();
    assert_eq!(rig.server.requests().len(), 11);
    let inside = run(backend.alerts("I1")).unwrap();
    assert_eq!(inside[0].labels[0], ("alertname".to_owned(), "ApiErrors".to_owned()));
    let people = run(backend.on_call(Some("api"))).unwrap();
    assert_eq!((people.len(), people[0].person.time_zone.as_deref()), (1, Some("Europe/Berlin")));
    assert!(run(backend.on_call(Some("shop"))).unwrap_err().detail.contains("options.schedules"));
}

#[test]
fn a_silence_is_made_anew_but_not_for_one_decision() {
    let rig = OnCallRig::new();
    let target = rig.target();
    let silence = op(BackendWrite::Snooze { incident: "I1".into(), seconds: 600 });
    assert!(matches!(run(target.outward.apply(&silence)), Outcome::Applied(_)));
    assert!(matches!(run(target.outward.apply(&silence)), Outcome::AlreadyDone(_)));
    assert!(matches!(run(target.outward.look(&silence)), Found::Done(_)));
    // A later decision makes it longer.
    let mut later = op(BackendWrite::Snooze { incident: "I1".into(), seconds: 3_600 });
    later.created_at += mins(5);
    assert!(matches!(run(target.outward.apply(&later)), Outcome::Applied(_)));
    assert_eq!(rig.effects(&later), 2);
}

#[test]
fn the_archived_product_says_so_and_a_token_that_is_nobodys_is_told() {
    let rig = OnCallRig::new();
    let note = run(rig.target().outward.probe()).unwrap();
    assert!(note.version.unwrap().contains("archived since March 2026"));
    assert_eq!(run(rig.backend().me()).unwrap().person.unwrap().name, "ada");
    rig.server.with(|s| s.service_account = true);
    let me = run(rig.backend().me()).unwrap();
    assert_eq!((me.token.as_str(), me.person), ("service account", None));
    assert!(!format!("{:?}", rig.target()).contains("canary"));
    let caps = connect(&rig.section(false).replace("services: {api: T1}, ", "")).outward.caps();
    assert!(matches!(caps.of(Capability::Declare), Can::No(Lack::NotConfigured, _)));
    assert!(caps.why_not(Capability::Escalate).unwrap().contains("have none"));
}

#[test]
fn what_cannot_be_meant_reaches_no_server_and_what_is_wrong_is_told() {
    let rig = OnCallRig::new();
    for id in ["../users", "", "I1/", "I1?x=1"] {
        let outcome = run(rig.target().outward.apply(&op(BackendWrite::Acknowledge { incident: id.into() })));
        assert!(matches!(outcome, Outcome::Refused { kind: Obstacle::NotFound, .. }), "{id:?}: {outcome:?}");
    }
    assert!(rig.server.requests().is_empty());
    for (entry, rule, words) in [
        ("url: 'https://o.example'", "missing-key", "needs a token"),
        ("auth: {bearer: {file: k}}", "missing-key", "needs a `url`"),
        ("url: 'http://o.example', auth: {bearer: {file: k}}", "unencrypted", "https alone"),
        (
            "url: 'https://o.example', auth: {bearer: {file: k}}, options: {integrations: ['a/b']}",
            "wrong-type",
            "an id of letters",
        ),
    ] {
        let found = findings(&format!("incident_backends:\n  - {{kind: grafana_oncall, {entry}}}\n"));
        assert!(found.iter().any(|f| f.rule == rule && f.message.contains(words)), "{entry}: {found:?}");
    }
}

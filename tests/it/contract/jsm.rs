//! The rig of Jira Service Management operations: a site that takes every write with a 202, carries it out, and tells of it
//! only after it was asked some times.

use super::webhook::connect;
use super::{Rig, Trouble, findings, net, run, token};
use crate::stateful_server::{Answer, Asked, StatefulServer};
use midwatch::domain::outward::backend::{BackendStatus, BackendWrite, Party, Priority};
use midwatch::domain::outward::capability::{Can, Capability, Class, Lack};
use midwatch::domain::outward::intent::Intent;
use midwatch::domain::outward::operation::Operation;
use midwatch::domain::outward::outcome::{Found, Obstacle, Outcome};
use midwatch::domain::time::{mins, rfc3339};
use midwatch::io::clock;
use midwatch::io::port::{IncidentBackend, Target};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use tempfile::TempDir;

/// What the site keeps.
#[derive(Default)]
pub struct Server {
    alerts: Vec<Value>,
    notes: BTreeMap<String, Vec<Value>>,
    ledger: Vec<(&'static str, String)>,
    /// Requests that were taken: how often each is still unknown, and what became of it.
    requests: BTreeMap<String, (usize, Value)>,
    /// So often the next requests are unknown before they are told of.
    late: usize,
    /// The next write is taken, and fails later with these words.
    fails: Option<&'static str>,
}

const ME: &str = "712020:ada";

impl Server {
    fn new() -> Self {
        let mut server = Self::default();
        server.open("A1", "api: 5xx above 1 %", "key-1");
        server.open("A2", "api: latency", "key-2");
        server.open("A3", "disk of db-1", "key-3");
        server.find("A3").unwrap()["acknowledged"] = json!(true);
        server.find("A3").unwrap()["owner"] = json!(ME);
        server
    }

    fn open(&mut self, id: &str, message: &str, alias: &str) {
        let at = rfc3339(clock::now());
        self.alerts.push(json!({
            "id": id, "tinyId": (self.alerts.len() + 1).to_string(), "alias": alias, "message": message, "status": "open",
            "acknowledged": false, "snoozed": false, "priority": "P2", "createdAt": at, "updatedAt": at, "count": 1,
            "owner": "", "entity": "api", "extraProperties": {"alertname": "ApiErrors", "service": "api"},
            "a_field_of_tomorrow": [null],
        }));
    }

    fn find(&mut self, id: &str) -> Option<&mut Value> {
        self.alerts.iter_mut().find(|alert| alert["id"] == id)
    }

    /// Takes a write: what became of it is told later.
    fn taken(&mut self, alert: &str, outcome: Result<(), &str>) -> Answer {
        let id = format!("req-{}", self.requests.len());
        let told = json!({"isSuccess": outcome.is_ok(), "status": outcome.err().unwrap_or("done"), "alertId": alert});
        self.requests.insert(id.clone(), (self.late, told));
        Answer::json(202, &json!({"result": "Request will be processed", "took": 0.1, "requestId": id}))
    }
}

fn answer(server: &mut Server, asked: &Asked) -> Answer {
    // ops@example.com:hunter2
    if asked.header("authorization") != "Basic b3BzQGV4YW1wbGUuY29tOmh1bnRlcjI=" {
        return Answer::json(401, &json!({"message": "Unauthorized"}));
    }
    let parts = asked.parts();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let ["jsm", "ops", "api", "cloud-1", "v1", rest @ ..] = parts.as_slice() else { panic!("{parts:?}") };
    match (asked.method.as_str(), rest) {
        ("GET", ["alerts"]) => list(server, asked),
        ("POST", ["alerts"]) => create(server, &asked.json()),
        ("GET", ["alerts", "alias"]) => {
            let alias = asked.param("alias");
            match server.alerts.iter().find(|alert| alert["alias"] == alias.as_str()) {
                Some(alert) => Answer::json(200, alert),
                None => Answer::json(404, &json!({"message": "No alert exists with alias"})),
            }
        }
        ("GET", ["alerts", "requests", id]) => match server.requests.get_mut(*id) {
            Some((0, told)) => Answer::json(200, told),
            Some((left, _)) => {
                *left -= 1;
                Answer::json(404, &json!({"message": "Request not found. It might not be processed, yet."}))
            }
            None => Answer::json(404, &json!({"message": "Request not found"})),
        },
        ("GET", ["schedules", "SCH1", "on-calls"]) => {
            assert_eq!(asked.param("flat"), "true");
            Answer::json(200, &json!({"onCallUsers": [ME, "712020:grace"]}))
        }
        ("GET", ["alerts", id, "logs"]) => {
            let line = |log: &str, n: u32| json!({"log": log, "type": "system", "owner": "ada", "createdAt": format!("2026-05-01T03:{n:02}:00Z"), "offset": format!("{id}_{n}")});
            // The newest come first.
            Answer::json(
                200,
                &json!({"values": [line("Alert acknowledged via web", 5), line("Alert created via API", 0)]}),
            )
        }
        ("GET", ["alerts", id, "notes"]) => {
            Answer::json(200, &json!({"values": server.notes.get(*id).cloned().unwrap_or_default()}))
        }
        ("GET", ["alerts", id]) => match server.find(id) {
            Some(alert) => Answer::json(200, alert),
            None => Answer::json(404, &json!({"message": "Alert does not exist"})),
        },
        (_, ["alerts", id, verb]) => act(server, id, verb, &asked.json()),
        other => panic!("{other:?} is no call"),
    }
}

fn list(server: &Server, asked: &Asked) -> Answer {
    let (query, number) = (asked.param("query"), |name: &str| asked.param(name).parse::<usize>().unwrap_or(0));
    let open = |alert: &&Value| !query.starts_with("status: open") || alert["status"] == "open";
    let size = if asked.query.is_empty() { 20 } else { number("size") };
    assert!(size <= 100 && number("offset") + size < 20_000);
    let found: Vec<&Value> = server.alerts.iter().filter(open).skip(number("offset")).take(size).collect();
    Answer::json(200, &json!({"values": found, "count": found.len(), "links": {}}))
}

fn create(server: &mut Server, wanted: &Value) -> Answer {
    assert!(wanted["message"].as_str().unwrap().chars().count() <= 130);
    assert_eq!(wanted["responders"], json!([{"id": "TEAM1", "type": "team"}]));
    let alias = wanted["alias"].as_str().unwrap().to_owned();
    let same = |alert: &&Value| alert["alias"] == alias.as_str() && alert["status"] == "open";
    let id = match server.alerts.iter().find(same) {
        Some(there) => there["id"].as_str().unwrap().to_owned(),
        None => {
            let id = format!("N{}", server.alerts.len());
            server.open(&id, wanted["message"].as_str().unwrap(), &alias);
            server.ledger.push(("declare", alias));
            id
        }
    };
    server.taken(&id, Ok(()))
}

fn act(server: &mut Server, id: &str, verb: &str, body: &Value) -> Answer {
    if let Some(words) = server.fails.take() {
        return server.taken(id, Err(words));
    }
    let Some(alert) = server.find(id) else { return Answer::json(404, &json!({"message": "Alert does not exist"})) };
    if alert["status"] == "closed" && verb != "notes" {
        return server.taken(id, Err("Alert is already closed"));
    }
    let what = match verb {
        "acknowledge" => {
            alert["acknowledged"] = json!(true);
            alert["owner"] = json!(ME);
            "acknowledge"
        }
        "unacknowledge" => {
            alert["acknowledged"] = json!(false);
            "unacknowledge"
        }
        "close" => {
            alert["status"] = json!("closed");
            "resolve"
        }
        "snooze" => {
            alert["snoozed"] = json!(true);
            alert["snoozedUntil"] = body["endTime"].clone();
            "snooze"
        }
        "escalate" => {
            assert_eq!(body["escalationId"], "ESC1");
            "escalate"
        }
        "assign" => {
            alert["owner"] = body["accountId"].clone();
            "reassign"
        }
        "responders" => {
            assert_eq!(body["type"], "user");
            "request_responders"
        }
        "priority" => {
            alert["priority"] = body["priority"].clone();
            "set_priority"
        }
        "message" => {
            alert["message"] = body["message"].clone();
            "set_title"
        }
        "notes" => {
            server.notes.entry(id.into()).or_default().push(json!({"note": body["note"], "offset": "1"}));
            "note"
        }
        other => panic!("{other} is no call"),
    };
    let which = if what == "note" { body["note"].as_str().unwrap().to_owned() } else { id.to_owned() };
    server.ledger.push((what, which));
    server.taken(id, Ok(()))
}

/// A site and the configuration of its target.
pub struct JsmRig {
    pub server: StatefulServer<Server>,
    folder: TempDir,
}

impl JsmRig {
    pub fn new() -> Self {
        Self { server: StatefulServer::start(Server::new(), answer), folder: tempfile::tempdir().unwrap() }
    }

    /// Its section of a configuration.
    pub fn section(&self, read_only: bool) -> String {
        format!(
            "incident_backends:\n  - {{name: jsm, kind: jsm, url: '{}', timeout: 1s, read_only: {read_only}, auth: \
             {{basic: {{username: ops@example.com, password: {{file: '{}'}}}}}}, options: {{cloud_id: cloud-1, \
             default_service: TEAM1, schedules: {{api: SCH1}}, escalation: ESC1, people: {{ada: '{ME}'}}}}}}\n",
            self.server.url(),
            token(self.folder.path(), "hunter2").display(),
        )
    }

    fn backend(&self) -> Arc<dyn IncidentBackend> {
        self.target().backend.unwrap()
    }
}

fn op(write: BackendWrite) -> Operation {
    let mut op = Operation::new("jsm".into(), Intent::Backend(write), Class::Compare, clock::now(), "ada");
    op.id = "01970000-0000-7000-8000-000000000001".into();
    op
}

fn take(id: &str) -> Operation {
    op(BackendWrite::Acknowledge { incident: id.into() })
}

impl Rig for JsmRig {
    fn name(&self) -> String {
        "jsm".into()
    }

    fn target(&self) -> Target {
        connect(&self.section(false))
    }

    fn read_only(&self) -> Target {
        connect(&self.section(true))
    }

    fn intent(&self, capability: Capability) -> Option<Intent> {
        let incident = || "A1".to_owned();
        let party = |id: &str| Party { id: id.into(), name: id.into(), ..Party::default() };
        Some(Intent::Backend(match capability {
            Capability::Acknowledge => BackendWrite::Acknowledge { incident: incident() },
            Capability::Unacknowledge => BackendWrite::Unacknowledge { incident: "A3".into() },
            Capability::Resolve => BackendWrite::Resolve { incident: incident(), resolution: Some("done".into()) },
            Capability::Snooze => BackendWrite::Snooze { incident: incident(), seconds: 600 },
            Capability::Note => BackendWrite::Note { incident: incident(), text: "pool is full".into() },
            Capability::SetTitle => BackendWrite::SetTitle { incident: incident(), title: "db is down".into() },
            Capability::SetPriority => {
                let priority = Priority { id: "P1".into(), name: "P1".into() };
                BackendWrite::SetPriority { incident: incident(), priority }
            }
            Capability::Reassign => BackendWrite::Reassign { incident: incident(), to: vec![party("712020:grace")] },
            Capability::Escalate => BackendWrite::Escalate { incident: incident(), level: 2 },
            Capability::RequestResponders => {
                let (people, message) = (vec![party("712020:grace")], "please join".into());
                BackendWrite::RequestResponders { incident: incident(), people, message }
            }
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
            let ours = |(what, which): &&(&str, String)| match *what {
                "declare" => word == "declare" && which == op.id.as_str(),
                "note" => word == "note" && which.contains(&op.marker()),
                other => other == word,
            };
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
        self.server.with(|s| s.find(id).unwrap()["status"] = json!("closed"));
        true
    }
}

#[test]
fn a_write_that_was_taken_is_followed_to_its_end() {
    let rig = JsmRig::new();
    rig.server.with(|s| s.late = 2);
    let outcome = run(rig.target().outward.apply(&take("A1")));
    assert!(matches!(&outcome, Outcome::Applied(r) if r.name.as_deref() == Some("#1")), "{outcome:?}");
    let follows = rig.server.requests().iter().filter(|asked| asked.path.contains("/requests/")).count();
    assert_eq!(follows, 3);
    // What is opened is known by what became of the request.
    let declare = rig.intent(Capability::Declare).unwrap();
    let mut op = take("A1");
    op.intent = declare;
    let outcome = run(rig.target().outward.apply(&op));
    assert!(matches!(&outcome, Outcome::Applied(r) if r.id.as_deref() == Some("N3")), "{outcome:?}");
}

#[test]
fn one_that_takes_longer_goes_on_and_one_that_fails_later_is_refused() {
    let rig = JsmRig::new();
    rig.server.with(|s| s.late = 6);
    let target = rig.target();
    let outcome = run(target.outward.apply(&take("A1")));
    assert!(matches!(&outcome, Outcome::Accepted(r) if r.id.as_deref() == Some("req-0")), "{outcome:?}");
    for _ in 0..2 {
        assert!(matches!(run(target.outward.look(&take("A1"))), Found::Pending(_)));
    }
    assert!(matches!(run(target.outward.look(&take("A1"))), Found::Done(_)));
    // Another process knows nothing of the request: it reads the state.
    assert!(matches!(run(rig.target().outward.look(&take("A1"))), Found::Done(_)));

    rig.server.with(|s| (s.late, s.fails) = (0, Some("Alert is being merged")));
    let outcome = run(rig.target().outward.apply(&take("A2")));
    let Outcome::Refused { kind: Obstacle::Invalid, words } = &outcome else { panic!("{outcome:?}") };
    assert_eq!(words, "Alert is being merged");
}

#[test]
fn a_snooze_ends_at_one_instant_however_often_it_is_sent() {
    let rig = JsmRig::new();
    let snooze = op(BackendWrite::Snooze { incident: "A1".into(), seconds: 600 });
    assert!(matches!(run(rig.target().outward.apply(&snooze)), Outcome::Applied(_)));
    assert!(matches!(run(rig.target().outward.apply(&snooze)), Outcome::AlreadyDone(_)));
    let there = run(rig.backend().get("A1")).unwrap();
    assert_eq!(there.pending[0].action, "snooze_ends");
    let away = (there.pending[0].at - (snooze.created_at + mins(10))).num_milliseconds().abs();
    assert!(away <= 1_000, "{away} ms");
}

#[test]
fn alerts_are_listed_with_their_owners_labels_and_log() {
    let rig = JsmRig::new();
    rig.server.with(|s| {
        for n in 0..230 {
            s.open(&format!("X{n}"), &format!("storm {n}"), &format!("alias-{n}"));
        }
        s.find("X7").unwrap()["status"] = json!("closed");
    });
    let open = run(rig.backend().list()).unwrap();
    assert_eq!(open.len(), 232);
    let third = open.iter().find(|i| i.id == "A3").unwrap();
    assert_eq!((third.status.clone(), third.acknowledged_by[0].0.name.as_str()), (BackendStatus::Acknowledged, "ada"));
    assert_eq!((third.key.as_deref(), third.priority.as_deref()), (Some("key-3"), Some("P2")));
    let inside = run(rig.backend().alerts("A1")).unwrap();
    assert_eq!(inside[0].labels[0], ("alertname".to_owned(), "ApiErrors".to_owned()));
    let log = run(rig.backend().log("A1", None)).unwrap();
    let kinds: Vec<&str> = log.iter().map(|entry| entry.kind.as_str()).collect();
    assert_eq!(kinds, ["trigger", "acknowledge"]);
    let people = run(rig.backend().on_call(Some("api"))).unwrap();
    let names: Vec<&str> = people.iter().map(|p| p.person.name.as_str()).collect();
    assert_eq!(names, ["ada", "712020:grace"]);
    let me = run(rig.backend().me()).unwrap();
    assert_eq!((me.token.as_str(), me.person.unwrap().name.as_str()), ("user", "ops@example.com"));
    assert!(!format!("{:?}", rig.target()).contains("hunter2"));
}

#[test]
fn what_is_not_configured_is_greyed_and_what_is_wrong_is_told() {
    let rig = JsmRig::new();
    let bare = rig.section(false).replace("default_service: TEAM1, schedules: {api: SCH1}, escalation: ESC1, ", "");
    let caps = connect(&bare).outward.caps();
    for capability in [Capability::Declare, Capability::Escalate, Capability::ReadOnCall] {
        assert!(matches!(caps.of(capability), Can::No(Lack::NotConfigured, _)), "{capability:?}");
    }
    for (entry, rule, words) in [
        ("auth: {basic: {username: a@b.c, password: {file: k}}}", "missing-key", "cloud_id"),
        ("auth: {bearer: {file: k}}, options: {cloud_id: c}", "missing-key", "auth: {basic:"),
        (
            "auth: {basic: {username: a@b.c, password: {file: k}}}, options: {cloud_id: '../x'}",
            "wrong-type",
            "an id of letters",
        ),
        (
            "auth: {basic: {username: a@b.c, password: {file: k}}}, options: {cloudid: c}",
            "unknown-key",
            "nearest: `cloud_id`",
        ),
    ] {
        let found = findings(&format!("incident_backends:\n  - {{kind: jsm, {entry}}}\n"));
        assert!(found.iter().any(|f| f.rule == rule && f.message.contains(words)), "{entry}: {found:?}");
    }
    for id in ["../x", "", "A1?x=1"] {
        let outcome = run(rig.target().outward.apply(&take(id)));
        assert!(matches!(outcome, Outcome::Refused { kind: Obstacle::NotFound, .. }), "{id:?}: {outcome:?}");
    }
}

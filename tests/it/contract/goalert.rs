//! The rigs of GoAlert, GraphQL and the generic API. The installation takes one document from the key, knows whether an
//! alert is open, and goes one step further with every escalation.

use super::fake::any_intent;
use super::webhook::connect;
use super::{Rig, Trouble, findings, net, run, token};
use crate::stateful_server::{Answer, Asked, StatefulServer};
use midwatch::domain::outward::backend::{BackendStatus, BackendWrite, Party};
use midwatch::domain::outward::capability::{Capability, Class};
use midwatch::domain::outward::event_sink::EventWrite;
use midwatch::domain::outward::intent::Intent;
use midwatch::domain::outward::operation::Operation;
use midwatch::domain::outward::outcome::{Obstacle, Outcome};
use midwatch::domain::time::rfc3339;
use midwatch::io::clock;
use midwatch::io::goalert::DOCUMENT;
use midwatch::io::port::{IncidentBackend, Target};
use serde_json::{Value, json};
use std::sync::Arc;
use tempfile::TempDir;

const SERVICE: &str = "61dec5e4-0f4f-4c4c-9f1e-000000000001";
const KEY: &str = "canary-goalert-key";

/// What the installation keeps.
#[derive(Default)]
pub struct Server {
    /// Alerts by number, from 1.
    alerts: Vec<Value>,
    /// Log lines: alert, instant, sentence.
    log: Vec<(i64, String, String)>,
    /// What was really done: what, and to which alert.
    ledger: Vec<(&'static str, i64)>,
    /// The document of the key.
    document: String,
    /// At most so many alerts in a page.
    page: usize,
    /// The next mutation fails with this inside a 200.
    fails: Option<&'static str>,
}

impl Server {
    fn new() -> Self {
        let mut server = Self { document: DOCUMENT.into(), page: 100, ..Self::default() };
        server.open("api: 5xx above 1 %", "");
        server.open("api: latency", "");
        server
    }

    fn open(&mut self, summary: &str, dedup: &str) -> i64 {
        let number = i64::try_from(self.alerts.len()).unwrap() + 1;
        let policy = json!({"id": "EP1", "name": "platform"});
        self.alerts.push(json!({
            "alertID": number, "status": "StatusUnacknowledged", "summary": summary, "createdAt": rfc3339(clock::now()),
            "service": {"id": SERVICE, "name": "api", "escalationPolicy": policy}, "state": {"stepNumber": 0},
            "dedup": dedup, "a_field_of_tomorrow": [1],
        }));
        self.line(number, "Created by integration prod (Generic)");
        number
    }

    fn line(&mut self, number: i64, message: &str) {
        self.log.push((number, rfc3339(clock::now()), message.into()));
    }

    fn find(&mut self, number: &Value) -> Option<&mut Value> {
        self.alerts.iter_mut().find(|alert| alert["alertID"] == *number)
    }

    fn set(&mut self, number: i64, status: &str) {
        self.find(&json!(number)).unwrap()["status"] = json!(status);
    }

    fn whole(&self, alert: &Value) -> Value {
        let mut alert = alert.clone();
        let lines = self.log.iter().enumerate().rev().filter(|(_, (number, ..))| alert["alertID"] == *number);
        let nodes: Vec<Value> = lines
            .map(|(n, (_, at, message))| json!({"id": n + 1, "timestamp": at, "message": message, "state": null}))
            .collect();
        alert["recentEvents"] = json!({"nodes": nodes, "pageInfo": {"endCursor": "", "hasNextPage": false}});
        alert
    }
}

fn data(data: &Value) -> Answer {
    Answer::json(200, &json!({"data": data}))
}

fn error(message: &str, extensions: &Value) -> Answer {
    Answer::json(200, &json!({"errors": [{"message": message, "extensions": extensions}], "data": null}))
}

fn answer(server: &mut Server, asked: &Asked) -> Answer {
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", "/api/graphql"));
    assert!(asked.header("authorization") == format!("Bearer {KEY}") && asked.query.is_empty());
    let body = asked.json();
    let (query, vars) = (body["query"].as_str().unwrap(), &body["variables"]);
    if !query.is_empty() && query != server.document {
        return error("wrong query for API key", &json!({"code": "invalid_query"}));
    }
    let operation = body["operationName"].as_str().unwrap();
    if !server.document.contains(&format!(" {operation}(")) && !server.document.contains(&format!(" {operation} {{")) {
        return error("operation does not exist", &Value::Null);
    }
    if let Some(message) = server.fails.filter(|_| mutates(asked)) {
        return error(message, &Value::Null);
    }
    match operation {
        "MidwatchProbe" => data(&json!({"alerts": {"nodes": []}})),
        "MidwatchOpen" => {
            let from: usize = vars["after"].as_str().unwrap().parse().unwrap_or(0);
            let open: Vec<Value> = server.alerts.iter().filter(|a| a["status"] != "StatusClosed").cloned().collect();
            let page: Vec<&Value> = open.iter().skip(from).take(server.page).collect();
            let end = from + page.len();
            let info = json!({"endCursor": end.to_string(), "hasNextPage": end < open.len()});
            data(&json!({"alerts": {"nodes": page, "pageInfo": info}}))
        }
        "MidwatchAlert" | "MidwatchLog" => {
            let alert = server.find(&vars["id"]).cloned();
            data(&json!({"alert": alert.map(|alert| server.whole(&alert))}))
        }
        "MidwatchOnCall" => {
            let user = |id: &str, name: &str, step: u32| json!({"userID": id, "userName": name, "stepNumber": step});
            let users = [user("U2", "Grace", 1), user("U1", "Ada", 0)];
            let policy = json!({"id": "EP1", "name": "platform"});
            let service = json!({"id": SERVICE, "name": "api", "escalationPolicy": policy, "onCallUsers": users});
            data(&json!({"service": if vars["service"] == SERVICE { service } else { Value::Null }}))
        }
        other => mutation(server, other, vars),
    }
}

fn mutation(server: &mut Server, operation: &str, vars: &Value) -> Answer {
    let number = vars["id"].as_i64().unwrap_or(0);
    match operation {
        "MidwatchUpdate" => {
            let wanted = vars["status"].clone();
            let Some(alert) = server.find(&vars["id"]) else { return data(&json!({"updateAlerts": []})) };
            if alert["status"] == wanted || alert["status"] == "StatusClosed" {
                return data(&json!({"updateAlerts": []}));
            }
            alert["status"] = wanted.clone();
            let alert = alert.clone();
            let (what, words) = match wanted == "StatusClosed" {
                true => ("resolve", "Closed by API key midwatch"),
                false => ("acknowledge", "Acknowledged by Ada (Web)"),
            };
            server.ledger.push((what, number));
            server.line(number, words);
            data(&json!({"updateAlerts": [alert]}))
        }
        "MidwatchEscalate" => {
            let alert = server.find(&vars["id"]).unwrap();
            let step = alert["state"]["stepNumber"].as_i64().unwrap() + 1;
            alert["state"]["stepNumber"] = json!(step);
            server.ledger.push(("escalate", number));
            server.line(number, &format!("Escalated to step #{} due to manual escalation", step + 1));
            data(&json!({"escalateAlerts": [{"alertID": number}]}))
        }
        "MidwatchCreate" => {
            if vars["service"] != SERVICE {
                return error("invalid ID", &json!({"isFieldError": true, "fieldName": "ServiceID"}));
            }
            let dedup = vars["dedup"].as_str().unwrap();
            let same = |a: &&Value| a["dedup"] == dedup && a["status"] != "StatusClosed";
            let number = match server.alerts.iter().find(same) {
                Some(there) => there["alertID"].as_i64().unwrap(),
                None => server.open(vars["summary"].as_str().unwrap(), dedup),
            };
            data(&json!({"createAlert": {"alertID": number}}))
        }
        other => panic!("{other} is no operation"),
    }
}

/// GraphQL asks and writes with one method.
fn mutates(asked: &Asked) -> bool {
    let operation = asked.json()["operationName"].as_str().unwrap_or_default().to_owned();
    ["MidwatchUpdate", "MidwatchEscalate", "MidwatchCreate"].contains(&operation.as_str())
}

/// An installation and the configuration of its target.
pub struct GoAlertRig {
    pub server: StatefulServer<Server>,
    folder: TempDir,
}

impl GoAlertRig {
    pub fn new() -> Self {
        let server = StatefulServer::telling(Server::new(), answer, mutates);
        Self { server, folder: tempfile::tempdir().unwrap() }
    }

    /// Its section of a configuration.
    pub fn section(&self, read_only: bool) -> String {
        format!(
            "incident_backends:\n  - {{name: goalert, kind: goalert, url: '{}', timeout: 1s, read_only: {read_only}, \
             auth: {{bearer: {{file: '{}'}}}}, options: {{services: {{api: {SERVICE}}}}}}}\n",
            self.server.url(),
            token(self.folder.path(), KEY).display(),
        )
    }

    fn backend(&self) -> Arc<dyn IncidentBackend> {
        self.target().backend.unwrap()
    }

    fn apply(&self, write: BackendWrite) -> Outcome {
        run(self.target().outward.apply(&op(write)))
    }

    fn mutations(&self) -> usize {
        self.server.requests().iter().filter(|asked| mutates(asked)).count()
    }
}

fn op(write: BackendWrite) -> Operation {
    let mut op = Operation::new("goalert".into(), Intent::Backend(write), Class::Repeat, clock::now(), "ada");
    op.id = "01970000-0000-7000-8000-000000000001".into();
    op
}

impl Rig for GoAlertRig {
    fn name(&self) -> String {
        "goalert".into()
    }

    fn target(&self) -> Target {
        connect(&self.section(false))
    }

    fn read_only(&self) -> Target {
        connect(&self.section(true))
    }

    fn intent(&self, capability: Capability) -> Option<Intent> {
        let incident = || "1".to_owned();
        Some(Intent::Backend(match capability {
            Capability::Acknowledge => BackendWrite::Acknowledge { incident: incident() },
            Capability::Resolve => BackendWrite::Resolve { incident: incident(), resolution: None },
            Capability::Escalate => BackendWrite::Escalate { incident: incident(), level: 2 },
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
        self.server.with(|s| match op.intent.capability() {
            Capability::Declare => s.alerts.iter().filter(|a| a["dedup"] == op.id.as_str()).count(),
            other => s.ledger.iter().filter(|(what, _)| *what == other.word()).count(),
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
        let Some(number) = write.incident().and_then(|id| id.parse().ok()) else { return false };
        self.server.with(|s| s.set(number, "StatusClosed"));
        true
    }
}

/// The integration of a service: alarms by key.
fn incoming(kept: &mut Vec<(String, bool)>, asked: &Asked) -> Answer {
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", "/api/v2/generic/incoming"));
    // Exactly these words: another `Accept` is answered with nothing.
    assert_eq!((asked.header("accept"), asked.header("content-type")), ("application/json", "application/json"));
    assert_eq!(asked.query, "", "a token in an address ends up in logs");
    if asked.header("authorization") != format!("Bearer {KEY}") {
        return Answer { body: "unauthorized\n".into(), ..Answer::empty(401) };
    }
    let body = asked.json();
    assert!(!body["summary"].as_str().unwrap().is_empty(), "a summary is wanted for a close too");
    let key = body["dedup"].as_str().unwrap().to_owned();
    let open = kept.iter().position(|(known, open)| *known == key && *open);
    let is_new = match (body["action"].as_str(), open) {
        (Some("close"), Some(at)) => {
            kept[at].1 = false;
            false
        }
        (None, None) => {
            kept.push((key.clone(), true));
            true
        }
        (Some("close") | None, _) => false,
        other => panic!("{other:?}"),
    };
    let number = kept.iter().rposition(|(known, _)| *known == key).map_or(0, |at| at + 1);
    Answer::json(200, &json!({"AlertID": number, "ServiceID": SERVICE, "IsNew": is_new}))
}

/// An integration key and the configuration of its target.
pub struct IncomingRig {
    server: StatefulServer<Vec<(String, bool)>>,
    folder: TempDir,
}

impl IncomingRig {
    pub fn new() -> Self {
        let server = StatefulServer::start(vec![("OPEN-1".into(), true)], incoming);
        Self { server, folder: tempfile::tempdir().unwrap() }
    }

    fn connect(&self, read_only: bool) -> Target {
        connect(&format!(
            "event_sinks:\n  - {{name: pager, kind: goalert, url: '{}', timeout: 1s, read_only: {read_only}, auth: \
             {{bearer: {{file: '{}'}}}}, options: {{audience: the platform on-call}}}}\n",
            self.server.url(),
            token(self.folder.path(), KEY).display(),
        ))
    }
}

impl Rig for IncomingRig {
    fn name(&self) -> String {
        "goalert incoming".into()
    }

    fn target(&self) -> Target {
        self.connect(false)
    }

    fn read_only(&self) -> Target {
        self.connect(true)
    }

    fn intent(&self, capability: Capability) -> Option<Intent> {
        match capability {
            Capability::ResolveAlarm => Some(Intent::Event(EventWrite::Resolve { dedup_key: "OPEN-1".into() })),
            Capability::Trigger => any_intent(capability),
            _ => None,
        }
    }

    fn effects(&self, op: &Operation) -> usize {
        self.server.with(|kept| match &op.intent {
            Intent::Event(EventWrite::Trigger(alarm)) => kept.iter().filter(|(key, _)| *key == alarm.dedup_key).count(),
            Intent::Event(EventWrite::Resolve { dedup_key }) => {
                kept.iter().filter(|(key, open)| key == dedup_key && !open).count()
            }
            _ => 0,
        })
    }

    fn trouble(&self, trouble: Trouble) -> bool {
        self.server.script([net(trouble, "Retry-After")]);
        true
    }
}

#[test]
fn pages_are_read_to_the_last_and_who_has_one_is_told() {
    let rig = GoAlertRig::new();
    rig.server.with(|s| {
        s.page = 40;
        for n in 0..98 {
            s.open(&format!("storm {n}"), "");
        }
        s.set(2, "StatusAcknowledged");
        s.line(2, "Acknowledged by Grace H. (Web)");
        s.set(3, "StatusClosed");
    });
    let backend = rig.backend();
    let open = run(backend.list()).unwrap();
    assert_eq!(open.len(), 99);
    let second = open.iter().find(|i| i.id == "2").unwrap();
    assert_eq!(second.status, BackendStatus::Acknowledged);
    assert_eq!(second.acknowledged_by[0].0.name, "Grace H.");
    assert_eq!((second.number.as_deref(), second.level), (Some("#2"), Some(1)));
    assert_eq!(second.url.as_deref(), Some(format!("{}/alerts/2", rig.server.url()).as_str()));
    let asked = rig.server.requests().len();
    assert_eq!(asked, 4, "three pages and one log");
    // The log of one that was taken is read once.
    assert_eq!(run(backend.list()).unwrap().len(), 99);
    assert_eq!(rig.server.requests().len(), asked + 3);
}

#[test]
fn an_escalation_goes_one_step_and_only_where_that_is_the_level_that_was_meant() {
    let rig = GoAlertRig::new();
    let escalate = |level| BackendWrite::Escalate { incident: "1".into(), level };
    let refused = rig.apply(escalate(3));
    assert!(
        matches!(&refused, Outcome::Refused { kind: Obstacle::Invalid, words } if words.contains("the next one alone: 2")),
        "{refused:?}"
    );
    assert!(matches!(rig.apply(escalate(2)), Outcome::Applied(_)));
    // Said again, it is there: nobody is paged a second time.
    assert!(matches!(rig.apply(escalate(2)), Outcome::AlreadyDone(_)));
    assert_eq!(rig.mutations(), 1);
    let log = run(rig.backend().log("1", None)).unwrap();
    let kinds: Vec<&str> = log.iter().map(|entry| entry.kind.as_str()).collect();
    assert_eq!(kinds, ["trigger", "escalate"]);
}

#[test]
fn errors_in_a_200_are_failures_and_say_whether_anything_was_done() {
    let rig = GoAlertRig::new();
    let take = || BackendWrite::Acknowledge { incident: "1".into() };
    for (message, want) in [("unexpected error", "unknown"), ("access denied", "refused")] {
        rig.server.with(|s| s.fails = Some(message));
        assert_eq!(rig.apply(take()).word(), want, "{message}");
    }
    rig.server.with(|s| s.fails = None);
    assert!(matches!(rig.apply(take()), Outcome::Applied(_)));
    for id in ["99", "0", "-1", "1; drop", "", "９"] {
        let outcome = rig.apply(BackendWrite::Acknowledge { incident: id.into() });
        assert!(matches!(outcome, Outcome::Refused { kind: Obstacle::NotFound, .. }), "{id:?}: {outcome:?}");
    }
}

#[test]
fn a_key_of_another_document_stops_everything_and_one_that_lost_a_line_break_works() {
    let rig = GoAlertRig::new();
    rig.server.with(|s| s.document = DOCUMENT.trim_end().to_owned());
    let backend = rig.backend();
    assert_eq!(run(backend.list()).unwrap().len(), 2);
    assert_eq!(run(backend.list()).unwrap().len(), 2);
    let empty = rig.server.requests().iter().filter(|asked| asked.json()["query"] == "").count();
    assert_eq!((rig.server.requests().len(), empty), (3, 2), "the key's own text is used from then on");

    rig.server.with(|s| s.document = "query Other { alerts { nodes { alertID } } }".into());
    let fault = run(rig.target().outward.probe()).unwrap_err();
    assert!(fault.detail.contains("midwatch schema goalert"), "{fault}");
    let outcome = rig.apply(BackendWrite::Acknowledge { incident: "1".into() });
    assert!(!matches!(outcome, Outcome::Applied(_) | Outcome::Unknown { .. }), "{outcome:?}");
}

#[test]
fn who_is_on_call_and_what_a_key_is_are_told() {
    let rig = GoAlertRig::new();
    let people = run(rig.backend().on_call(Some("api"))).unwrap();
    let told: Vec<(&str, Option<u32>)> = people.iter().map(|p| (p.person.name.as_str(), p.level)).collect();
    assert_eq!(told, [("Ada", Some(1)), ("Grace", Some(2))]);
    assert!(run(rig.backend().on_call(Some("shop"))).is_err());
    let target = rig.target();
    assert_eq!(run(target.outward.probe()).unwrap().requests, 1);
    assert!(!format!("{target:?} {}", target.address).contains("canary"));
    let why = target.outward.caps().why_not(Capability::Note).unwrap();
    assert!(why.contains("GoAlert's API has none"), "{why}");
}

#[test]
fn what_is_wrong_in_the_options_is_told() {
    for (section, entry, rule, words) in [
        ("incident_backends", "url: 'https://g.example'", "missing-key", "needs a token"),
        ("incident_backends", "auth: {bearer: {file: k}}", "missing-key", "needs a `url`"),
        ("incident_backends", "url: 'http://g.example', auth: {bearer: {file: k}}", "unencrypted", "https alone"),
        (
            "incident_backends",
            "url: 'https://g.example', auth: {bearer: {file: k}}, options: {audience: us}",
            "not-allowed",
            "event_sinks",
        ),
        (
            "incident_backends",
            "url: 'https://g.example', auth: {bearer: {file: k}}, options: {services: {api: '../x'}}",
            "wrong-type",
            "an id of letters",
        ),
        (
            "event_sinks",
            "url: 'https://g.example', auth: {bearer: {file: k}}, options: {only: [a]}",
            "not-allowed",
            "incident_backends",
        ),
    ] {
        let found = findings(&format!("{section}:\n  - {{kind: goalert, {entry}}}\n"));
        assert!(found.iter().any(|f| f.rule == rule && f.message.contains(words)), "{entry}: {found:?}");
    }
}

//! The rigs of incident.io, incidents and alert events. The organisation has statuses of its own, honours keys of what is
//! opened and escalated, and tells a limit with an instant.

use super::fake::any_intent;
use super::webhook::connect;
use super::{Rig, Trouble, findings, net_dated, run, token};
use crate::stateful_server::{Answer, Asked, StatefulServer};
use midwatch::domain::outward::backend::{BackendStatus, BackendWrite, Party, Priority};
use midwatch::domain::outward::capability::{Capability, Class};
use midwatch::domain::outward::event_sink::EventWrite;
use midwatch::domain::outward::intent::Intent;
use midwatch::domain::outward::operation::{Expected, Operation};
use midwatch::domain::outward::outcome::{Obstacle, Outcome};
use midwatch::domain::time::rfc3339;
use midwatch::io::clock;
use midwatch::io::port::{IncidentBackend, Target};
use serde_json::{Value, json};
use std::sync::Arc;
use tempfile::TempDir;

const KEY: &str = "canary-incident-io-key";

/// What the organisation keeps.
#[derive(Default)]
pub struct Server {
    incidents: Vec<Value>,
    updates: Vec<Value>,
    /// Keys of what was opened or escalated, with what came of it.
    keys: Vec<(String, Value)>,
    ledger: Vec<(&'static str, String)>,
    /// At most so many items in a page.
    page: usize,
    /// The key's roles.
    roles: Vec<&'static str>,
}

fn status(id: &str) -> Value {
    let (name, category) = match id {
        "ST1" => ("Triage", "triage"),
        "ST2" => ("Investigating", "live"),
        "ST3" => ("Monitoring", "live"),
        "ST4" => ("Documenting", "learning"),
        "ST5" => ("Closed", "closed"),
        other => panic!("{other}"),
    };
    json!({"id": id, "name": name, "category": category, "rank": id.trim_start_matches("ST").parse::<i64>().unwrap()})
}

fn user(id: &str) -> Value {
    let name = if id == "U1" { "Ada" } else { "Grace" };
    json!({"id": id, "name": name, "email": format!("{}@example.com", name.to_lowercase())})
}

impl Server {
    fn new() -> Self {
        let mut server =
            Self { page: 250, roles: vec!["viewer", "incident_creator", "incident_editor"], ..Self::default() };
        server.open("01HP1", "api: 5xx above 1 %", "ST1");
        server.open("01HP2", "disk of db-1", "ST2");
        server
    }

    fn open(&mut self, id: &str, name: &str, status_id: &str) {
        let role = json!({"id": "ROLE1", "name": "Incident lead", "role_type": "lead"});
        let at = rfc3339(clock::now());
        self.incidents.push(json!({
            "id": id, "reference": format!("INC-{}", self.incidents.len() + 1), "name": name, "created_at": at,
            "updated_at": at, "incident_status": status(status_id), "severity": {"id": "SEV1", "name": "Major"},
            "permalink": format!("https://app.incident.io/incidents/{id}"), "slack_channel_id": "",
            "incident_role_assignments": [{"role": role, "assignee": user("U1")}], "a_field_of_tomorrow": {"x": 1},
        }));
        self.update(id, status_id, "opened");
    }

    fn update(&mut self, id: &str, status_id: &str, message: &str) {
        let update = json!({
            "id": format!("UP{}", self.updates.len()), "incident_id": id, "message": message,
            "created_at": rfc3339(clock::now()), "new_incident_status": status(status_id),
            "updater": {"user": user("U1")},
        });
        // The newest come first.
        self.updates.insert(0, update);
    }

    fn find(&mut self, id: &str) -> Option<&mut Value> {
        self.incidents.iter_mut().find(|incident| incident["id"] == id)
    }

    fn set(&mut self, id: &str, status_id: &str) {
        self.find(id).unwrap()["incident_status"] = status(status_id);
    }
}

fn refuse(status: u16, field: &str, message: &str) -> Answer {
    let error = json!({"code": "is_invalid", "message": message, "source": {"field": field}});
    Answer::json(status, &json!({"type": "validation_error", "status": status, "errors": [error]}))
}

fn paged(server: &Server, asked: &Asked, key: &str, all: &[Value]) -> Answer {
    let after = asked.param("after");
    assert!(asked.param("page_size").parse::<usize>().unwrap() <= 250);
    let from = if after.is_empty() { 0 } else { all.iter().position(|item| item["id"] == after.as_str()).unwrap() + 1 };
    let page: Vec<&Value> = all.iter().skip(from).take(server.page).collect();
    let meta = match page.last().filter(|_| from + page.len() < all.len()) {
        Some(last) => json!({"after": last["id"], "page_size": server.page}),
        None => json!({"page_size": server.page}),
    };
    Answer::json(200, &json!({key: page, "pagination_meta": meta}))
}

/// Every value of a parameter of the query.
fn params(asked: &Asked, name: &str) -> Vec<String> {
    let url = reqwest::Url::parse(&format!("http://h/?{}", asked.query)).unwrap();
    url.query_pairs().filter(|(key, _)| key == name).map(|(_, value)| value.into_owned()).collect()
}

fn answer(server: &mut Server, asked: &Asked) -> Answer {
    if asked.header("authorization") != format!("Bearer {KEY}") {
        return Answer::json(401, &json!({"type": "authentication_error", "status": 401, "errors": []}));
    }
    let parts = asked.parts();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match (asked.method.as_str(), parts.as_slice()) {
        ("GET", ["v1", "identity"]) => {
            Answer::json(200, &json!({"identity": {"name": "midwatch key", "roles": server.roles}}))
        }
        ("GET", ["v1", "severities"]) => Answer::json(
            200,
            &json!({"severities": [{"id": "SEV1", "name": "Major"}, {"id": "PR1", "name": "Critical"}]}),
        ),
        ("GET", ["v1", "incident_statuses"]) => {
            let all: Vec<Value> = ["ST5", "ST3", "ST2", "ST1", "ST4"].map(status).to_vec();
            Answer::json(200, &json!({"incident_statuses": all}))
        }
        ("GET", ["v2", "schedules"]) => paged(server, asked, "schedules", &[schedule()]),
        ("GET", ["v2", "schedules", "SCH1"]) => Answer::json(200, &json!({"schedule": schedule()})),
        ("GET", ["v2", "incident_updates"]) => {
            let id = asked.param("incident_id");
            let found: Vec<Value> =
                server.updates.iter().filter(|u| u["incident_id"] == id.as_str()).cloned().collect();
            paged(server, asked, "incident_updates", &found)
        }
        ("GET", ["v2", "incidents"]) => {
            assert_eq!(params(asked, "mode[one_of]"), ["standard"]);
            let wanted = params(asked, "status_category[one_of]");
            let fits = |i: &&Value| wanted.contains(&i["incident_status"]["category"].as_str().unwrap().to_owned());
            let found: Vec<Value> = server.incidents.iter().filter(fits).cloned().collect();
            paged(server, asked, "incidents", &found)
        }
        ("GET", ["v2", "incidents", id]) => match server.find(id) {
            Some(incident) => Answer::json(200, &json!({"incident": incident})),
            None => Answer::json(404, &json!({"type": "not_found", "status": 404, "errors": []})),
        },
        ("POST", ["v2", "incidents"]) => create(server, &asked.json()),
        ("POST", ["v2", "escalations"]) => escalate(server, &asked.json()),
        ("POST", ["v2", "incidents", id, "actions", "edit"]) => edit(server, id, &asked.json()),
        other => panic!("{other:?} is no call"),
    }
}

fn schedule() -> Value {
    let shift = json!({"user": user("U2"), "start_at": "2026-05-01T00:00:00Z", "end_at": "2026-05-08T00:00:00Z"});
    json!({"id": "SCH1", "name": "Primary", "timezone": "Europe/London", "current_shifts": [shift, {"user": null}]})
}

fn create(server: &mut Server, wanted: &Value) -> Answer {
    let key = wanted["idempotency_key"].as_str().unwrap().to_owned();
    assert!(["public", "private"].contains(&wanted["visibility"].as_str().unwrap()));
    assert_eq!(wanted["mode"], "standard");
    if let Some((_, made)) = server.keys.iter().find(|(known, _)| *known == key) {
        return Answer::json(200, &json!({"incident": made}));
    }
    let id = format!("01HN{}", server.incidents.len());
    server.open(&id, wanted["name"].as_str().unwrap(), "ST1");
    let made = server.find(&id).unwrap().clone();
    server.keys.push((key.clone(), made.clone()));
    server.ledger.push(("declare", key));
    Answer::json(200, &json!({"incident": made}))
}

fn escalate(server: &mut Server, wanted: &Value) -> Answer {
    let key = wanted["idempotency_key"].as_str().unwrap().to_owned();
    assert!(!wanted["title"].as_str().unwrap().is_empty() && wanted["user_ids"].as_array().unwrap().len() == 1);
    let made = json!({"id": format!("ESC-{key}"), "title": wanted["title"]});
    if !server.keys.iter().any(|(known, _)| *known == key) {
        server.keys.push((key.clone(), made.clone()));
        server.ledger.push(("request_responders", key));
    }
    Answer::json(201, &json!({"escalation": made}))
}

fn edit(server: &mut Server, id: &str, body: &Value) -> Answer {
    assert!(body["notify_incident_channel"].is_boolean(), "it is needed");
    let wanted = &body["incident"];
    let Some(incident) = server.find(id) else { return refuse(404, "id", "is not there") };
    let before = incident["incident_status"]["category"].clone();
    if let Some(name) = wanted["name"].as_str() {
        incident["name"] = json!(name);
        server.ledger.push(("set_title", id.into()));
    } else if let Some(severity) = wanted["severity_id"].as_str() {
        if !["SEV1", "PR1"].contains(&severity) {
            return refuse(422, "severity_id", "is no severity");
        }
        incident["severity"] = json!({"id": severity, "name": if severity == "PR1" { "Critical" } else { "Major" }});
        server.ledger.push(("set_priority", id.into()));
    } else if let Some(assignments) = wanted["incident_role_assignments"].as_array() {
        assert_eq!(assignments[0]["incident_role_id"], "ROLE1");
        incident["incident_role_assignments"][0]["assignee"] = user(assignments[0]["assignee"]["id"].as_str().unwrap());
        server.ledger.push(("reassign", id.into()));
    } else {
        let to = wanted["incident_status_id"].as_str().unwrap().to_owned();
        if before == "closed" && to != "ST5" {
            server.ledger.push(("REOPENED", id.into()));
        }
        server.set(id, &to);
        server.update(id, &to, "");
        server.ledger.push((if to == "ST5" || to == "ST4" { "resolve" } else { "acknowledge" }, id.into()));
    }
    let incident = server.find(id).unwrap().clone();
    Answer::json(200, &json!({"incident": incident}))
}

/// An organisation and the configuration of its target.
pub struct IncidentIoRig {
    pub server: StatefulServer<Server>,
    folder: TempDir,
    more: &'static str,
}

impl IncidentIoRig {
    pub fn new() -> Self {
        Self::with("")
    }

    fn with(more: &'static str) -> Self {
        Self { server: StatefulServer::start(Server::new(), answer), folder: tempfile::tempdir().unwrap(), more }
    }

    /// Its section of a configuration.
    pub fn section(&self, read_only: bool) -> String {
        format!(
            "incident_backends:\n  - {{name: io, kind: incident_io, url: '{}', timeout: 1s, read_only: {read_only}, auth: \
             {{bearer: {{file: '{}'}}}}, options: {{{}schedules: {{api: SCH1}}}}}}\n",
            self.server.url(),
            token(self.folder.path(), KEY).display(),
            self.more,
        )
    }

    fn backend(&self) -> Arc<dyn IncidentBackend> {
        self.target().backend.unwrap()
    }

    fn apply(&self, op: &Operation) -> Outcome {
        run(self.target().outward.apply(op))
    }

    fn writes(&self) -> Vec<Asked> {
        self.server.requests().into_iter().filter(Asked::writes).collect()
    }
}

fn op(write: BackendWrite) -> Operation {
    let mut op = Operation::new("io".into(), Intent::Backend(write), Class::Compare, clock::now(), "ada");
    op.id = "01970000-0000-7000-8000-000000000001".into();
    op
}

impl Rig for IncidentIoRig {
    fn name(&self) -> String {
        "incident_io".into()
    }

    fn target(&self) -> Target {
        connect(&self.section(false))
    }

    fn read_only(&self) -> Target {
        connect(&self.section(true))
    }

    fn intent(&self, capability: Capability) -> Option<Intent> {
        let incident = || "01HP1".to_owned();
        let party = |id: &str| Party { id: id.into(), name: id.into(), ..Party::default() };
        Some(Intent::Backend(match capability {
            Capability::Acknowledge => BackendWrite::Acknowledge { incident: incident() },
            Capability::Resolve => BackendWrite::Resolve { incident: incident(), resolution: Some("done".into()) },
            Capability::SetTitle => BackendWrite::SetTitle { incident: incident(), title: "db is down".into() },
            Capability::SetPriority => {
                let priority = Priority { id: "PR1".into(), name: "Critical".into() };
                BackendWrite::SetPriority { incident: incident(), priority }
            }
            Capability::Reassign => BackendWrite::Reassign { incident: incident(), to: vec![party("U2")] },
            Capability::RequestResponders => {
                let (people, message) = (vec![party("U2")], "please join".into());
                BackendWrite::RequestResponders { incident: incident(), people, message }
            }
            Capability::Declare => return any_intent(capability),
            _ => return None,
        }))
    }

    fn effects(&self, op: &Operation) -> usize {
        let word = op.intent.capability().word();
        self.server.with(|s| {
            let keyed = |what: &str| what == "declare" || what == "request_responders";
            let ours = |(what, which): &&(&str, String)| *what == word && (!keyed(what) || which == op.id.as_str());
            s.ledger.iter().filter(ours).count()
        })
    }

    fn trouble(&self, trouble: Trouble) -> bool {
        self.server.script([net_dated(trouble)]);
        true
    }

    fn always(&self, answer: Answer) -> bool {
        self.server.always(answer);
        true
    }

    fn disturb(&self, op: &Operation) -> bool {
        let Intent::Backend(write) = &op.intent else { return false };
        let Some(id) = write.incident() else { return false };
        self.server.with(|s| s.set(id, "ST5"));
        true
    }
}

/// The alarms of one alert source, by key, and whether they fire.
fn event(kept: &mut Vec<(String, bool)>, asked: &Asked) -> Answer {
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", "/v2/alert_events/http/SRC1"));
    if asked.header("authorization") != format!("Bearer {KEY}") {
        return Answer::json(401, &json!({"type": "authentication_error"}));
    }
    let body = asked.json();
    assert!(!body["title"].as_str().unwrap().is_empty() && asked.query.is_empty());
    let key = body["deduplication_key"].as_str().unwrap().to_owned();
    let there = kept.iter_mut().find(|(known, firing)| *known == key && *firing);
    match (body["status"].as_str().unwrap(), there) {
        ("firing", None) => kept.push((key.clone(), true)),
        ("resolved", Some(alarm)) => alarm.1 = false,
        ("firing" | "resolved", _) => {}
        (other, _) => panic!("{other}"),
    }
    Answer::json(
        202,
        &json!({"deduplication_key": key, "message": "Event accepted for processing", "status": "success"}),
    )
}

/// An alert source and the configuration of its target.
pub struct AlertEventsRig {
    server: StatefulServer<Vec<(String, bool)>>,
    folder: TempDir,
}

impl AlertEventsRig {
    pub fn new() -> Self {
        let server = StatefulServer::start(vec![("OPEN-1".into(), true)], event);
        Self { server, folder: tempfile::tempdir().unwrap() }
    }

    fn connect(&self, read_only: bool) -> Target {
        connect(&format!(
            "event_sinks:\n  - {{name: io, kind: incident_io, url: '{}', timeout: 1s, read_only: {read_only}, auth: \
             {{bearer: {{file: '{}'}}}}, options: {{alert_source: SRC1, audience: the platform on-call}}}}\n",
            self.server.url(),
            token(self.folder.path(), KEY).display(),
        ))
    }
}

impl Rig for AlertEventsRig {
    fn name(&self) -> String {
        "incident_io alert events".into()
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
                kept.iter().filter(|(key, firing)| key == dedup_key && !firing).count()
            }
            _ => 0,
        })
    }

    fn trouble(&self, trouble: Trouble) -> bool {
        self.server.script([net_dated(trouble)]);
        true
    }
}

#[test]
fn a_list_is_read_to_its_end_with_what_is_open_alone() {
    let rig = IncidentIoRig::new();
    rig.server.with(|s| {
        s.page = 10;
        for n in 0..28 {
            s.open(&format!("01HX{n}"), &format!("storm {n}"), if n % 2 == 0 { "ST1" } else { "ST4" });
        }
    });
    let open = run(rig.backend().list()).unwrap();
    assert_eq!(open.len(), 16);
    let one = open.iter().find(|i| i.id == "01HP2").unwrap();
    assert_eq!((one.status.clone(), one.number.as_deref()), (BackendStatus::Acknowledged, Some("INC-2")));
    assert_eq!((one.acknowledged_by[0].0.name.as_str(), one.priority.as_deref()), ("Ada", Some("Major")));
    assert_eq!(rig.server.requests().len(), 2);
}

#[test]
fn accepting_and_closing_are_edits_that_never_open_what_is_over() {
    let rig = IncidentIoRig::new();
    let take = || op(BackendWrite::Acknowledge { incident: "01HP1".into() });
    assert!(matches!(rig.apply(&take()), Outcome::Applied(_)));
    let body = rig.writes()[0].json();
    // The first live status by rank, whatever order they came in.
    assert_eq!(body, json!({"incident": {"incident_status_id": "ST2"}, "notify_incident_channel": true}));
    assert!(matches!(rig.apply(&take()), Outcome::AlreadyDone(_)));
    let over = || op(BackendWrite::Resolve { incident: "01HP1".into(), resolution: None });
    assert!(matches!(rig.apply(&over()), Outcome::Applied(_)));
    assert_eq!(rig.apply(&take()), Outcome::Conflict { current: "resolved".into() });
    assert_eq!(rig.writes().len(), 2);
    let log = run(rig.backend().log("01HP1", None)).unwrap();
    let kinds: Vec<&str> = log.iter().map(|entry| entry.kind.as_str()).collect();
    assert_eq!(kinds, ["trigger", "acknowledge", "resolve"]);
}

#[test]
fn a_status_of_ones_own_ends_an_incident_and_one_that_is_not_there_is_named() {
    let rig = IncidentIoRig::with("resolved_status: documenting, notify: false, ");
    let over = op(BackendWrite::Resolve { incident: "01HP2".into(), resolution: Some("rolled back".into()) });
    assert!(matches!(rig.apply(&over), Outcome::Applied(_)));
    let body = rig.writes()[0].json();
    assert_eq!(body, json!({"incident": {"incident_status_id": "ST4"}, "notify_incident_channel": false}));
    let rig = IncidentIoRig::with("resolved_status: Finished, ");
    let outcome = rig.apply(&over);
    assert!(
        matches!(&outcome, Outcome::Refused { kind: Obstacle::Invalid, words } if words.contains("Investigating")),
        "{outcome:?}"
    );
    assert!(rig.writes().is_empty());
}

#[test]
fn who_leads_is_compared_before_the_lead_is_given_away() {
    let rig = IncidentIoRig::new();
    let to = vec![Party { id: "U2".into(), name: "Grace".into(), ..Party::default() }];
    let give = op(BackendWrite::Reassign { incident: "01HP2".into(), to });
    let seen = |id: &str| Expected { assigned: vec![id.into()], ..Expected::default() };
    assert_eq!(rig.apply(&give.clone().expecting(seen("U9"))), Outcome::Conflict { current: "assigned to Ada".into() });
    assert!(matches!(rig.apply(&give.clone().expecting(seen("U1"))), Outcome::Applied(_)));
    assert!(matches!(rig.apply(&give.expecting(seen("U1"))), Outcome::AlreadyDone(_)));
}

#[test]
fn a_refusal_names_its_field_and_doctor_knows_what_the_key_may() {
    let rig = IncidentIoRig::new();
    let priority = Priority { id: "SEV9".into(), name: "Ninth".into() };
    let outcome = rig.apply(&op(BackendWrite::SetPriority { incident: "01HP1".into(), priority }));
    assert!(
        matches!(&outcome, Outcome::Refused { words, .. } if words.contains("severity_id: is no severity")),
        "{outcome:?}"
    );
    rig.server.with(|s| s.roles = vec!["viewer"]);
    let note = run(rig.target().outward.probe()).unwrap();
    assert_eq!((note.version.as_deref(), note.warnings.len()), (Some("API v2, as midwatch key"), 2));
    let severities = run(rig.backend().priorities()).unwrap();
    assert_eq!(severities[1], Priority { id: "PR1".into(), name: "Critical".into() });
    let people = run(rig.backend().on_call(Some("api"))).unwrap();
    assert_eq!((people.len(), people[0].person.name.as_str()), (1, "Grace"));
    let fault = run(rig.backend().on_call(Some("shop"))).unwrap_err();
    assert!(fault.detail.contains("options.schedules"), "{fault}");
    let target = rig.target();
    assert!(!format!("{target:?} {}", target.address).contains("canary"));
    for id in ["../x", "", "01HP1?x=1", "a b"] {
        let outcome = rig.apply(&op(BackendWrite::Acknowledge { incident: id.into() }));
        assert!(matches!(outcome, Outcome::Refused { kind: Obstacle::NotFound, .. }), "{id:?}: {outcome:?}");
    }
}

#[test]
fn what_is_wrong_in_the_options_is_told() {
    for (section, entry, rule, words) in [
        ("incident_backends", "options: {private: true}", "missing-key", "needs a token"),
        ("incident_backends", "auth: {bearer: {file: k}}, options: {alert_source: X}", "not-allowed", "event_sinks"),
        (
            "incident_backends",
            "auth: {bearer: {file: k}}, options: {severity: 'a b'}",
            "wrong-type",
            "an id of letters",
        ),
        ("incident_backends", "auth: {bearer: {file: k}}, url: 'http://io.example'", "unencrypted", "https alone"),
        ("event_sinks", "auth: {bearer: {file: k}}", "missing-key", "alert_source"),
        (
            "event_sinks",
            "auth: {bearer: {file: k}}, options: {alert_source: S, notify: true}",
            "not-allowed",
            "incident_backends",
        ),
    ] {
        let found = findings(&format!("{section}:\n  - {{kind: incident_io, {entry}}}\n"));
        assert!(found.iter().any(|f| f.rule == rule && f.message.contains(words)), "{entry}: {found:?}");
    }
}

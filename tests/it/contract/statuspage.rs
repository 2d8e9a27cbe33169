//! The rig of Statuspage: a page that keeps its notices and mails its subscribers each time.

use super::fake::any_intent;
use super::webhook::connect;
use super::{Rig, Trouble, run, token};
use crate::stateful_server::{Answer, Asked, StatefulServer, Trouble as Net};
use midwatch::domain::outward::capability::{Capability, Class};
use midwatch::domain::outward::intent::Intent;
use midwatch::domain::outward::operation::Operation;
use midwatch::domain::outward::outcome::{Obstacle, Outcome};
use midwatch::domain::outward::status_page::StatusWrite;
use midwatch::domain::time::rfc3339;
use midwatch::io::clock;
use midwatch::io::port::Target;
use serde_json::{Value, json};
use std::time::Duration;
use tempfile::TempDir;

/// What the server keeps.
#[derive(Default)]
pub struct Server {
    incidents: Vec<Value>,
    /// What subscribers were mailed.
    mails: Vec<String>,
}

fn update(incident: &mut Value, body: &Value) {
    let entry = json!({"status": body["status"], "body": body["body"], "created_at": rfc3339(clock::now())});
    incident["status"] = body["status"].clone();
    incident["incident_updates"].as_array_mut().unwrap().insert(0, entry);
}

fn handle(server: &mut Server, asked: &Asked) -> Answer {
    assert_eq!(asked.header("authorization"), "OAuth hunter2");
    let parts = asked.parts();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let body = asked.json()["incident"].clone();
    let mut mail = |body: &Value| {
        if body["deliver_notifications"] == true {
            server.mails.push(body["body"].as_str().unwrap().to_owned());
        }
    };
    match (asked.method.as_str(), parts.as_slice()) {
        ("POST", ["v1", "pages", "p1", "incidents"]) => {
            mail(&body);
            let id = format!("n{}", server.incidents.len() + 10);
            let mut made = json!({"id": id, "name": body["name"], "metadata": body["metadata"], "impact": body["impact_override"],
                "components": body["components"], "incident_updates": [], "shortlink": format!("https://stspg.example/{id}")});
            update(&mut made, &body);
            server.incidents.push(made.clone());
            Answer::json(201, &made)
        }
        ("PATCH", ["v1", "pages", "p1", "incidents", id]) => {
            mail(&body);
            let incident = server.incidents.iter_mut().find(|i| i["id"] == *id).unwrap();
            update(incident, &body);
            Answer::json(200, incident)
        }
        ("GET", ["v1", "pages", "p1", "incidents", "unresolved"]) => {
            let open: Vec<&Value> = server.incidents.iter().filter(|i| i["status"] != "resolved").collect();
            Answer::json(200, &json!(open))
        }
        ("GET", ["v1", "pages", "p1", "incidents", id]) => match server.incidents.iter().find(|i| i["id"] == *id) {
            Some(incident) => Answer::json(200, incident),
            None => Answer::json(404, &json!({"error": "Not found"})),
        },
        ("GET", ["v1", "pages", "p1", "components"]) => Answer::json(
            200,
            &json!([{"id": "C1", "name": "API", "status": "operational", "group": null}, {"name": "x"}]),
        ),
        ("GET", ["v1", "pages", "p1"]) => Answer::json(200, &json!({"id": "p1", "name": "Acme"})),
        other => panic!("{other:?} is no call"),
    }
}

/// A page with one open notice and the configuration of its target.
pub struct StatuspageRig {
    server: StatefulServer<Server>,
    folder: TempDir,
}

impl StatuspageRig {
    pub fn new() -> Self {
        let old =
            json!({"id": "N1", "name": "old", "status": "investigating", "incident_updates": [], "impact": "minor"});
        let server = Server { incidents: vec![old], mails: Vec::new() };
        Self { server: StatefulServer::start(server, handle), folder: tempfile::tempdir().unwrap() }
    }

    /// The configuration of its target.
    pub fn config(&self, read_only: bool) -> String {
        let file = token(self.folder.path(), "hunter2\n");
        format!(
            "status_pages:\n  - {{name: page, kind: statuspage, url: '{}/v1', timeout: 1s, read_only: {read_only}, auth: {{bearer: {{file: '{}'}}}}, options: {{page: p1}}}}\n",
            self.server.url(),
            file.display()
        )
    }

    fn connect(&self, read_only: bool) -> Target {
        connect(&self.config(read_only))
    }

    /// Mails that subscribers got.
    pub fn mails(&self) -> usize {
        self.server.with(|s| s.mails.len())
    }

    /// The next writes meet these.
    pub fn troubles(&self, troubles: impl IntoIterator<Item = Net>) {
        self.server.script(troubles);
    }
}

impl Rig for StatuspageRig {
    fn name(&self) -> String {
        "statuspage".into()
    }

    fn target(&self) -> Target {
        self.connect(false)
    }

    fn read_only(&self) -> Target {
        self.connect(true)
    }

    fn intent(&self, capability: Capability) -> Option<Intent> {
        any_intent(capability).filter(|intent| matches!(intent, Intent::StatusPage(_)))
    }

    fn effects(&self, _: &Operation) -> usize {
        // Mails carry no key: a rig is asked about one operation.
        self.server.with(|s| s.mails.len())
    }

    fn trouble(&self, trouble: Trouble) -> bool {
        self.server.script([match trouble {
            Trouble::RateLimited(s) => Net::RateLimited(Some(("Retry-After".into(), s.to_string()))),
            Trouble::RateLimitedBare => Net::Status(420, String::new()),
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

    fn disturb(&self, op: &Operation) -> bool {
        self.server.with(|s| match &op.intent {
            Intent::StatusPage(StatusWrite::Update { .. }) => s.incidents[0]["status"] = json!("resolved"),
            Intent::StatusPage(StatusWrite::Open { title, .. }) => s.incidents[0]["name"] = json!(title),
            _ => {}
        });
        true
    }
}

fn operation(capability: Capability, id: &str) -> Operation {
    let intent = any_intent(capability).unwrap();
    let mut op = Operation::new("page".into(), intent, Class::AskPerson, clock::now(), "alice");
    op.id = id.into();
    op
}

#[test]
fn a_notice_that_a_person_sends_again_after_a_lost_answer_is_published_once() {
    let rig = StatuspageRig::new();
    let target = rig.target();
    for capability in [Capability::OpenNotice, Capability::UpdateNotice] {
        let op = operation(capability, "01970000-0000-7000-8000-000000000001");
        let before = rig.effects(&op);
        rig.trouble(Trouble::LostReply);
        assert!(matches!(run(target.outward.apply(&op)), Outcome::Unknown { .. }));
        let again = run(target.outward.apply(&op));
        assert!(matches!(again, Outcome::AlreadyDone(_)), "{again:?}");
        assert_eq!(rig.effects(&op), before + 1, "{capability:?}");
    }
}

#[test]
fn a_notice_carries_its_components_and_one_that_is_over_is_not_opened_again() {
    let rig = StatuspageRig::new();
    let target = rig.target();
    let op = operation(Capability::OpenNotice, "01970000-0000-7000-8000-000000000002");
    let outcome = run(target.outward.apply(&op));
    let Outcome::Applied(reference) = outcome else { panic!("{outcome:?}") };
    assert_eq!(reference.url.as_deref(), Some("https://stspg.example/n11"));
    rig.server.with(|s| {
        assert_eq!(s.incidents[1]["components"], json!({"C1": "major_outage"}));
        assert_eq!(s.incidents[1]["impact"], "major");
        s.incidents[0]["status"] = json!("resolved");
    });
    let outcome = run(target.outward.apply(&operation(Capability::UpdateNotice, "x")));
    let Outcome::Conflict { current } = &outcome else { panic!("{outcome:?}") };
    assert!(current.contains("resolved"), "{current}");
    let page = target.status_page.clone().unwrap();
    assert_eq!(run(page.unresolved()).unwrap().len(), 1);
    assert_eq!(run(page.components()).unwrap().len(), 1);
    assert_eq!(run(target.outward.probe()).unwrap().version.as_deref(), Some("page Acme"));
}

#[test]
fn a_notice_that_is_not_there_is_refused() {
    let rig = StatuspageRig::new();
    rig.server.with(|s| s.incidents.clear());
    let outcome = run(rig.target().outward.apply(&operation(Capability::UpdateNotice, "x")));
    assert!(matches!(outcome, Outcome::Refused { kind: Obstacle::NotFound, .. }), "{outcome:?}");
    assert!(!format!("{:?}", rig.target()).contains("hunter2"));
}

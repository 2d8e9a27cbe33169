//! The rig of Jira: a project that keeps its issues, and a search by label that may be late to know of them.

use super::fake::any_intent;
use super::webhook::connect;
use super::{Rig, Trouble, net, run, token};
use crate::stateful_server::{Answer, Asked, StatefulServer};
use midwatch::domain::outward::capability::{Capability, Class};
use midwatch::domain::outward::intent::Intent;
use midwatch::domain::outward::operation::Operation;
use midwatch::domain::outward::outcome::{Found, Obstacle, Outcome};
use midwatch::domain::outward::ticket::TicketWrite;
use midwatch::io::clock;
use midwatch::io::port::Target;
use serde_json::{Value, json};
use tempfile::TempDir;

/// What the server keeps.
#[derive(Default)]
pub struct Server {
    issues: Vec<Value>,
    /// So many searches still know nothing of the newest issues.
    late: usize,
    /// A field that the screen of the project does not have.
    unknown: Option<&'static str>,
}

fn issue(server: &mut Server, asked: &Asked) -> Answer {
    let fields = asked.json()["fields"].clone();
    assert_eq!(fields["project"]["key"], "OPS");
    if let Some(field) = server.unknown.filter(|field| !fields[*field].is_null()) {
        let words = format!("Field '{field}' cannot be set. It is not on the appropriate screen, or unknown.");
        return Answer::json(400, &json!({"errorMessages": [], "errors": {field: words}}));
    }
    let number = server.issues.len() + 1;
    let made = json!({"id": (10_000 + number).to_string(), "key": format!("OPS-{number}"), "fields": fields});
    server.issues.push(made.clone());
    Answer::json(201, &json!({"id": made["id"], "key": made["key"], "self": "https://jira.example/rest/api/3/issue/1"}))
}

fn handle(server: &mut Server, asked: &Asked) -> Answer {
    // ops@example.com:hunter2
    let known = ["Basic b3BzQGV4YW1wbGUuY29tOmh1bnRlcjI=", "Bearer hunter2"];
    assert!(known.contains(&asked.header("authorization")));
    let parts = asked.parts();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match (asked.method.as_str(), parts.as_slice()) {
        ("POST", ["rest", "api", "2" | "3", "issue"]) => issue(server, asked),
        ("GET", ["rest", "api", "3", "search", "jql"] | ["rest", "api", "2", "search"]) => {
            if server.late > 0 {
                server.late -= 1;
                return Answer::json(200, &json!({"issues": []}));
            }
            let jql = asked.param("jql");
            let label = jql.split("labels = \"").nth(1).unwrap().split('"').next().unwrap();
            assert!(jql.starts_with("project = \"OPS\" AND "));
            let has = |i: &&Value| i["fields"]["labels"].as_array().unwrap().iter().any(|l| l == label);
            let found: Vec<&Value> = server.issues.iter().filter(has).collect();
            Answer::json(200, &json!({"issues": found, "isLast": true}))
        }
        ("GET", ["rest", "api", "2" | "3", "myself"]) => Answer::json(200, &json!({"displayName": "Ops Bot"})),
        ("GET", ["rest", "api", "2" | "3", "project", "OPS"]) => Answer::json(200, &json!({"key": "OPS"})),
        other => panic!("{other:?} is no call"),
    }
}

/// A server and the configuration of its target.
pub struct JiraRig {
    server: StatefulServer<Server>,
    folder: TempDir,
    data_center: bool,
}

impl JiraRig {
    pub fn cloud() -> Self {
        Self {
            server: StatefulServer::start(Server::default(), handle),
            folder: tempfile::tempdir().unwrap(),
            data_center: false,
        }
    }

    pub fn data_center() -> Self {
        Self { data_center: true, ..Self::cloud() }
    }

    fn connect(&self, read_only: bool) -> Target {
        let file = token(self.folder.path(), "hunter2\n");
        let file = file.display();
        let auth = match self.data_center {
            true => format!("{{bearer: {{file: '{file}'}}}}"),
            false => format!("{{basic: {{username: ops@example.com, password: {{file: '{file}'}}}}}}"),
        };
        connect(&format!(
            "tickets:\n  - {{name: jira, kind: jira, url: '{}', timeout: 1s, read_only: {read_only}, auth: {auth}, options: {{project: OPS, data_center: {}, labels: [postmortem], people: {{alice: acc-1}}}}}}\n",
            self.server.url(),
            self.data_center
        ))
    }
}

impl Rig for JiraRig {
    fn name(&self) -> String {
        format!("jira {}", if self.data_center { "data center" } else { "cloud" })
    }

    fn target(&self) -> Target {
        self.connect(false)
    }

    fn read_only(&self) -> Target {
        self.connect(true)
    }

    fn intent(&self, capability: Capability) -> Option<Intent> {
        any_intent(capability).filter(|intent| matches!(intent, Intent::Ticket(_)))
    }

    fn effects(&self, op: &Operation) -> usize {
        let Intent::Ticket(TicketWrite::Create { marker, .. }) = &op.intent else { return 0 };
        self.server.with(|s| {
            let has = |i: &&Value| i["fields"]["labels"].as_array().unwrap().iter().any(|l| l == marker.as_str());
            s.issues.iter().filter(has).count()
        })
    }

    fn trouble(&self, trouble: Trouble) -> bool {
        self.server.script([net(trouble, "Retry-After")]);
        true
    }
}

fn operation() -> Operation {
    let write = TicketWrite::Create {
        title: "Alert earlier\non the pool".into(),
        body: "h1. *Alert* earlier, see https://wiki.example/pool\nOwner: alice".into(),
        marker: "midwatch-INC-1-a-7".into(),
        labels: vec!["needs review".into()],
        owner: Some("alice".into()),
        due: Some("2026-05-08".into()),
    };
    let mut op = Operation::new("jira".into(), Intent::Ticket(write), Class::Compare, clock::now(), "alice");
    op.id = "01970000-0000-7000-8000-000000000001".into();
    op
}

#[test]
fn a_ticket_has_its_owner_its_day_and_its_labels_and_is_opened_once() {
    let rig = JiraRig::cloud();
    let target = rig.target();
    let first = run(target.outward.apply(&operation()));
    let Outcome::Applied(reference) = first else { panic!("{first:?}") };
    assert_eq!((reference.id.as_deref(), reference.name.as_deref()), (Some("10001"), Some("OPS-1")));
    assert_eq!(reference.url.unwrap(), format!("{}/browse/OPS-1", rig.server.url()));
    assert!(matches!(run(target.outward.apply(&operation())), Outcome::AlreadyDone(_)));
    rig.server.with(|s| {
        let fields = &s.issues[0]["fields"];
        assert_eq!(fields["summary"], "Alert earlier on the pool");
        assert_eq!(fields["assignee"]["accountId"], "acc-1");
        assert_eq!(fields["duedate"], "2026-05-08");
        assert_eq!(fields["labels"], json!(["postmortem", "needs-review", "midwatch-INC-1-a-7"]));
        assert_eq!(fields["description"]["content"][0]["content"][0]["text"], "h1. *Alert* earlier, see ");
        assert_eq!(s.issues.len(), 1);
    });
    let found = run(target.ticket.unwrap().find("midwatch-INC-1-a-7")).unwrap().unwrap();
    assert_eq!((found.key.as_str(), found.title.as_str()), ("OPS-1", "Alert earlier on the pool"));
}

#[test]
fn a_search_that_is_late_is_asked_twice_before_a_ticket_is_said_to_be_missing() {
    let rig = JiraRig::cloud();
    let target = rig.target();
    rig.trouble(Trouble::LostReply);
    assert!(matches!(run(target.outward.apply(&operation())), Outcome::Unknown { .. }));
    rig.server.with(|s| s.late = 1);
    assert!(matches!(run(target.outward.look(&operation())), Found::Done(_)));
    assert_eq!(rig.effects(&operation()), 1);
}

#[test]
fn what_the_project_does_not_take_is_named() {
    let rig = JiraRig::cloud();
    rig.server.with(|s| s.unknown = Some("duedate"));
    let outcome = run(rig.target().outward.apply(&operation()));
    let Outcome::Refused { kind: Obstacle::Invalid, words } = &outcome else { panic!("{outcome:?}") };
    assert!(words.contains("duedate"), "{words}");
}

#[test]
fn a_data_center_gets_text_without_meaning_and_doctor_says_who_we_are() {
    let rig = JiraRig::data_center();
    let target = rig.target();
    assert!(matches!(run(target.outward.apply(&operation())), Outcome::Applied(_)));
    rig.server.with(|s| {
        let fields = &s.issues[0]["fields"];
        assert_eq!(fields["assignee"]["name"], "acc-1");
        assert!(fields["description"].as_str().unwrap().starts_with("{noformat}\nh1. *Alert*"));
    });
    let note = run(target.outward.probe()).unwrap();
    assert_eq!(note.version.as_deref(), Some("as Ops Bot in OPS"));
    assert!(!format!("{target:?}").contains("hunter2"));
}

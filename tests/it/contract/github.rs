//! The rig of GitHub: a repository that keeps its issues, lists the newest, and searches with an index of its own.

use super::fake::any_intent;
use super::webhook::connect;
use super::{Rig, Trouble, net, run, token};
use crate::stateful_server::{Answer, Asked, StatefulServer, Trouble as Net};
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
    /// The newest list has forgotten everything; the search knows it.
    old: bool,
    /// The search knows nothing yet.
    unindexed: bool,
}

fn handle(server: &mut Server, asked: &Asked) -> Answer {
    assert_eq!(asked.header("authorization"), "Bearer hunter2");
    assert_eq!(asked.header("x-github-api-version"), "2022-11-28");
    assert!(asked.header("user-agent").starts_with("midwatch/"));
    let parts = asked.parts();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match (asked.method.as_str(), parts.as_slice()) {
        ("POST", ["repos", "acme", "ops", "issues"]) => {
            let mut issue = asked.json();
            let number = server.issues.len() + 1;
            issue["number"] = json!(number);
            issue["state"] = json!("open");
            issue["html_url"] = json!(format!("https://github.example/acme/ops/issues/{number}"));
            server.issues.push(issue.clone());
            Answer::json(201, &issue)
        }
        ("GET", ["repos", "acme", "ops", "issues"]) => {
            assert_eq!(asked.param("state"), "all");
            assert!(!asked.param("since").is_empty());
            let size: usize = asked.param("per_page").parse().unwrap();
            let page: usize = asked.param("page").parse().unwrap();
            let newest = server.issues.iter().rev().filter(|_| !server.old);
            let page: Vec<&Value> = newest.skip(size * (page - 1)).take(size).collect();
            Answer::json(200, &json!(page))
        }
        ("GET", ["search", "issues"]) => {
            let query = asked.param("q");
            assert!(query.ends_with("in:body is:issue repo:acme/ops"));
            let marker = query.split('"').nth(1).unwrap();
            let has = |i: &&Value| !server.unindexed && i["body"].as_str().unwrap().contains(marker);
            let found: Vec<&Value> = server.issues.iter().filter(has).collect();
            Answer::json(200, &json!({"total_count": found.len(), "items": found}))
        }
        ("GET", ["repos", "acme", "ops"]) => Answer::json(200, &json!({"full_name": "acme/ops", "has_issues": true})),
        other => panic!("{other:?} is no call"),
    }
}

/// A server and the configuration of its target.
pub struct GitHubRig {
    server: StatefulServer<Server>,
    folder: TempDir,
}

impl GitHubRig {
    pub fn new() -> Self {
        Self { server: StatefulServer::start(Server::default(), handle), folder: tempfile::tempdir().unwrap() }
    }

    /// The configuration of its target.
    pub fn config(&self, read_only: bool) -> String {
        let file = token(self.folder.path(), "hunter2\n");
        format!(
            "tickets:\n  - {{name: gh, kind: github, url: '{}', timeout: 1s, read_only: {read_only}, auth: {{bearer: {{file: '{}'}}}}, options: {{repository: acme/ops, labels: [incident], people: {{alice: alice-gh}}}}}}\n",
            self.server.url(),
            file.display()
        )
    }

    fn connect(&self, read_only: bool) -> Target {
        connect(&self.config(read_only))
    }

    /// Issues that were opened.
    pub fn opened(&self) -> usize {
        self.server.with(|s| s.issues.len())
    }

    /// Issues with this marker.
    pub fn with_marker(&self, marker: &str) -> usize {
        let has = |i: &&Value| i["body"].as_str().is_some_and(|body| body.contains(marker));
        self.server.with(|s| s.issues.iter().filter(has).count())
    }

    /// Opens an issue with this marker, as if it had been asked to.
    pub fn open(&self, marker: &str) {
        self.server.with(|s| s.issues.push(json!({"number": s.issues.len() + 1, "title": "x", "body": marker})));
    }

    /// Requests so far.
    pub fn requests(&self) -> usize {
        self.server.requests().len()
    }

    /// The next writes meet these.
    pub fn troubles(&self, troubles: impl IntoIterator<Item = Net>) {
        self.server.script(troubles);
    }
}

impl Rig for GitHubRig {
    fn name(&self) -> String {
        "github".into()
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
        self.server.with(|s| s.issues.iter().filter(|i| i["body"].as_str().unwrap().contains(marker.as_str())).count())
    }

    fn trouble(&self, trouble: Trouble) -> bool {
        self.server.script([net(trouble, "Retry-After")]);
        true
    }
}

fn operation() -> Operation {
    let write = TicketWrite::Create {
        title: "Alert earlier".into(),
        body: "ask @acme/sre about #12\nOwner: alice".into(),
        marker: "midwatch-INC-1-a-7".into(),
        labels: vec![],
        owner: Some("alice".into()),
        due: Some("2026-05-08".into()),
    };
    let mut op = Operation::new("gh".into(), Intent::Ticket(write), Class::Compare, clock::now(), "alice");
    op.id = "01970000-0000-7000-8000-000000000001".into();
    op
}

#[test]
fn an_issue_has_its_owner_mentions_nobody_and_is_opened_once() {
    let rig = GitHubRig::new();
    let target = rig.target();
    let first = run(target.outward.apply(&operation()));
    let Outcome::Applied(reference) = first else { panic!("{first:?}") };
    assert_eq!(reference.name.as_deref(), Some("acme/ops#1"));
    assert_eq!(reference.url.as_deref(), Some("https://github.example/acme/ops/issues/1"));
    rig.server.with(|s| {
        assert_eq!(s.issues[0]["assignees"], json!(["alice-gh"]));
        assert_eq!(s.issues[0]["labels"], json!(["incident"]));
        let body = s.issues[0]["body"].as_str().unwrap();
        assert!(!body.contains("@acme") && !body.contains("#12"), "{body}");
    });
    // Neither a list that forgot it nor a search that does not know it yet makes a second one.
    for (old, unindexed) in [(false, true), (true, false)] {
        rig.server.with(|s| (s.old, s.unindexed) = (old, unindexed));
        assert!(matches!(run(target.outward.apply(&operation())), Outcome::AlreadyDone(_)));
        assert!(matches!(run(target.outward.look(&operation())), Found::Done(_)));
    }
    assert_eq!(rig.effects(&operation()), 1);
    let found = run(target.ticket.unwrap().find("midwatch-INC-1-a-7")).unwrap().unwrap();
    assert_eq!((found.key.as_str(), found.state.as_str()), ("acme/ops#1", "open"));
}

#[test]
fn an_issue_on_a_later_page_is_found() {
    let rig = GitHubRig::new();
    let target = rig.target();
    assert!(matches!(run(target.outward.apply(&operation())), Outcome::Applied(_)));
    rig.server.with(|s| {
        s.unindexed = true;
        s.issues.extend((0..150).map(|n| json!({"number": 2 + n, "title": "x", "body": "other"})));
    });
    assert!(matches!(run(target.outward.look(&operation())), Found::Done(_)));
}

#[test]
fn a_limit_told_as_403_is_a_wait_and_a_missing_right_is_not() {
    let rig = GitHubRig::new();
    let target = rig.target();
    let limited = r#"{"message":"You have exceeded a secondary rate limit. Please wait a few minutes."}"#;
    rig.server.script([Net::Status(403, limited.into())]);
    let outcome = run(target.outward.apply(&operation()));
    assert!(matches!(outcome, Outcome::NotDone { kind: Obstacle::RateLimited, .. }), "{outcome:?}");
    rig.server.script([Net::Status(403, r#"{"message":"Resource not accessible by personal access token"}"#.into())]);
    let outcome = run(target.outward.apply(&operation()));
    assert!(
        matches!(&outcome, Outcome::Refused { kind: Obstacle::Scope, words } if words.contains("personal access token")),
        "{outcome:?}"
    );
    assert_eq!(rig.effects(&operation()), 0);
    let note = run(target.outward.probe()).unwrap();
    assert_eq!(note.version.as_deref(), Some("in acme/ops"));
}

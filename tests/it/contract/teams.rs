//! The rig of Microsoft Teams: a workflow that keeps the cards it was given.

use super::fake::any_intent;
use super::webhook::connect;
use super::{Rig, Trouble, run, token};
use crate::stateful_server::{Answer, Asked, StatefulServer, Trouble as Net};
use midwatch::domain::outward::capability::Capability;
use midwatch::domain::outward::intent::Intent;
use midwatch::domain::outward::operation::Operation;
use midwatch::domain::outward::outcome::Outcome;
use midwatch::io::port::Target;
use serde_json::Value;
use std::time::Duration;
use tempfile::TempDir;

fn handle(kept: &mut Vec<Value>, asked: &Asked) -> Answer {
    assert_eq!(asked.query, "api-version=1&sig=hunter2");
    let card = asked.json();
    assert_eq!(card["attachments"][0]["contentType"], "application/vnd.microsoft.card.adaptive");
    kept.push(card);
    Answer::empty(202)
}

/// A workflow and the file with its address.
pub struct TeamsRig {
    server: StatefulServer<Vec<Value>>,
    folder: TempDir,
}

impl TeamsRig {
    pub fn new() -> Self {
        Self { server: StatefulServer::start(Vec::new(), handle), folder: tempfile::tempdir().unwrap() }
    }

    fn connect(&self, read_only: bool) -> Target {
        let address = format!("{}/workflows/hunter3/triggers/manual?api-version=1&sig=hunter2\n", self.server.url());
        let file = token(self.folder.path(), &address);
        connect(&format!(
            "chat:\n  - {{name: teams, kind: teams, timeout: 1s, read_only: {read_only}, url: {{file: '{}'}}}}\n",
            file.display()
        ))
    }
}

impl Rig for TeamsRig {
    fn name(&self) -> String {
        "teams".into()
    }

    fn target(&self) -> Target {
        self.connect(false)
    }

    fn read_only(&self) -> Target {
        self.connect(true)
    }

    fn intent(&self, capability: Capability) -> Option<Intent> {
        any_intent(capability).filter(|_| capability == Capability::Post)
    }

    fn effects(&self, _: &Operation) -> usize {
        // A card carries no key: a rig is asked about one operation.
        self.server.with(|kept| kept.len())
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

#[test]
fn a_workflow_takes_a_card_and_its_address_is_shown_nowhere() {
    let rig = TeamsRig::new();
    let target = rig.target();
    let at = midwatch::io::clock::now();
    let intent = any_intent(Capability::Post).unwrap();
    let op =
        Operation::new("teams".into(), intent, midwatch::domain::outward::capability::Class::AskPerson, at, "alice");
    let outcome = run(target.outward.apply(&op));
    assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    rig.server.with(|kept| {
        let body = &kept[0]["attachments"][0]["content"]["body"];
        assert_eq!(body[0]["inlines"][0]["text"], "database is down");
    });
    assert!(!format!("{target:?} {outcome:?}").contains("hunter"));
}

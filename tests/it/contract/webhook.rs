//! The rig of the generic webhook: a receiver that keeps what it was sent, and honours the idempotency key where it says so.

use super::fake::any_intent;
use super::{Rig, Trouble, run};
use crate::stateful_server::{Answer, Asked, StatefulServer, Trouble as Net};
use midwatch::config::{Environment, Flags, Inputs};
use midwatch::domain::outward::capability::{Capability, Class};
use midwatch::domain::outward::intent::Intent;
use midwatch::domain::outward::operation::Operation;
use midwatch::domain::outward::outcome::Outcome;
use midwatch::io::port::Target;
use midwatch::run::integrations;
use std::path::Path;
use std::time::Duration;

/// What the receiver keeps.
#[derive(Default)]
struct Receiver {
    honours_keys: bool,
    kept: Vec<String>,
}

fn receive(state: &mut Receiver, asked: &Asked) -> Answer {
    let id = asked.json()["id"].as_str().unwrap_or_default().to_owned();
    assert_eq!(asked.header("idempotency-key"), id);
    assert_eq!(asked.header("content-type"), "application/json");
    if !(state.honours_keys && state.kept.contains(&id)) {
        state.kept.push(id);
    }
    Answer::empty(204)
}

/// A receiver and the configuration of its target.
pub struct WebhookRig {
    server: StatefulServer<Receiver>,
    section: &'static str,
    idempotent: bool,
}

impl WebhookRig {
    fn new(section: &'static str, idempotent: bool) -> Self {
        let receiver = Receiver { honours_keys: idempotent, kept: Vec::new() };
        Self { server: StatefulServer::start(receiver, receive), section, idempotent }
    }

    pub fn events() -> Self {
        Self::new("event_sinks", false)
    }

    pub fn chat() -> Self {
        Self::new("chat", false)
    }

    pub fn idempotent() -> Self {
        Self::new("event_sinks", true)
    }

    fn connect(&self, read_only: bool) -> Target {
        let text = format!(
            "{}:\n  - {{name: hook, kind: webhook, url: '{}', timeout: 1s, read_only: {read_only}, options: {{idempotent: {}}}}}\n",
            self.section,
            self.server.url(),
            self.idempotent
        );
        connect(&text)
    }
}

/// The one target of a configuration without findings.
pub fn connect(text: &str) -> Target {
    let (environment, flags) = (Environment::new(), Flags::default());
    let mut loaded = midwatch::config::read(&Inputs {
        file: Some(("config.yaml", text)),
        folder: Path::new("/nowhere"),
        environment: &environment,
        flags: &flags,
        machine_zone: None,
    });
    integrations::check(&mut loaded);
    assert_eq!(loaded.findings, []);
    integrations::connect(&loaded.config.outside[0]).unwrap()
}

impl Rig for WebhookRig {
    fn name(&self) -> String {
        format!("webhook {} {}", self.section, self.idempotent)
    }

    fn target(&self) -> Target {
        self.connect(false)
    }

    fn read_only(&self) -> Target {
        self.connect(true)
    }

    fn intent(&self, capability: Capability) -> Option<Intent> {
        any_intent(capability).filter(|intent| {
            matches!(
                (self.section, intent, capability),
                ("event_sinks", Intent::Event(_), _) | ("chat", Intent::Chat(_), Capability::Post)
            )
        })
    }

    fn effects(&self, op: &Operation) -> usize {
        self.server.with(|s| s.kept.iter().filter(|id| *id == op.id.as_str()).count())
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

fn post(text: &str) -> Operation {
    let intent = any_intent(Capability::Post).unwrap();
    let at = "2026-05-01T03:12:04Z".parse().unwrap();
    let mut op = Operation::new("hook".into(), intent, Class::AskPerson, at, text);
    op.id = "op-1".into();
    op
}

#[test]
fn a_failure_behind_a_proxy_after_the_work_was_done_is_unknown() {
    for trouble in [Net::StatusAfter(502), Net::StatusAfter(504), Net::HangAfter] {
        let rig = WebhookRig::chat();
        rig.server.script([trouble]);
        let outcome = run(rig.target().outward.apply(&post("alice")));
        assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
        assert_eq!(rig.effects(&post("alice")), 1);
    }
}

/// Many receivers know one of the two, and answer the other with a redirect that nobody follows.
#[test]
fn an_address_is_asked_as_it_was_written_with_or_without_a_slash() {
    for path in ["/hooks/midwatch", "/hooks/midwatch/"] {
        let server = StatefulServer::start((), |(), _| Answer::empty(204));
        let target = connect(&format!("chat:\n  - {{kind: webhook, url: '{}{path}'}}\n", server.url()));
        assert_eq!(run(target.outward.apply(&post("alice"))), Outcome::applied());
        assert_eq!(server.requests()[0].path, path);
    }
}

#[test]
fn an_address_that_is_a_secret_is_read_from_its_file_and_shown_nowhere() {
    let server = StatefulServer::start((), |(), _| Answer::json(200, &serde_json::json!({"ok": true})));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hook");
    std::fs::write(&file, format!("{}/services/T0/hunter2?sig=hunter3\n", server.url())).unwrap();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let target = connect(&format!(
        "chat:\n  - {{kind: webhook, url: {{file: '{}'}}, options: {{template: 'to {{{{ target }}}}: {{{{ write.text }}}} by {{{{ by }}}}', content_type: text/plain}}}}\n",
        file.display()
    ));
    assert!(!format!("{target:?} {}", target.address).contains("hunter"), "{target:?}");
    assert_eq!(run(target.outward.apply(&post("alice"))), Outcome::applied());
    let asked = server.requests();
    assert_eq!((asked[0].path.as_str(), asked[0].query.as_str()), ("/services/T0/hunter2", "sig=hunter3"));
    assert_eq!(asked[0].body, "to hook: database is down by alice");
    assert_eq!(asked[0].header("content-type"), "text/plain");
    std::fs::write(&file, "http://example.com/hunter2").unwrap();
    let target = connect(&format!("chat:\n  - {{kind: webhook, url: {{file: '{}'}}}}\n", file.display()));
    let outcome = run(target.outward.apply(&post("alice")));
    assert!(matches!(outcome, Outcome::NotDone { .. }) && !format!("{outcome:?}").contains("hunter"), "{outcome:?}");
}

#[test]
fn a_body_that_is_no_json_is_refused_before_it_leaves() {
    let server = StatefulServer::start((), |(), _| Answer::empty(200));
    let target = connect(&format!(
        "chat:\n  - {{kind: webhook, url: '{}', options: {{template: '{{\"a\": {{{{ by }}}}}}'}}}}\n",
        server.url()
    ));
    let outcome = run(target.outward.apply(&post("alice \" out")));
    assert!(matches!(outcome, Outcome::Refused { .. }), "{outcome:?}");
    assert!(server.requests().is_empty());
}

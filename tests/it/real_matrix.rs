//! The Matrix adapter against a real homeserver: a Synapse in a folder of its own. It is looked for in the Python of
//! `MIDWATCH_SYNAPSE_PYTHON` and in `python3`; without one the test says so and ends (`pip install matrix-synapse`).

use crate::contract::{connect, run, token};
use crate::ports::closed_port;
use crate::real::{Running, post};
use midwatch::domain::outward::backend::Party;
use midwatch::domain::outward::capability::Class;
use midwatch::domain::outward::chat::ChatWrite;
use midwatch::domain::outward::intent::Intent;
use midwatch::domain::outward::operation::Operation;
use midwatch::domain::outward::outcome::{Obstacle, Outcome};
use midwatch::domain::time::mins;
use midwatch::io::clock;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A running homeserver.
struct Synapse {
    port: u16,
    _running: Running,
    folder: TempDir,
}

fn python() -> Option<PathBuf> {
    let named = std::env::var_os("MIDWATCH_SYNAPSE_PYTHON").map(PathBuf::from);
    let all = named.into_iter().chain([PathBuf::from("python3")]);
    let has = |python: &PathBuf| {
        let mut asked = Command::new(python);
        asked.args(["-c", "import synapse.app.homeserver"]).stdout(Stdio::null()).stderr(Stdio::null());
        asked.status().is_ok_and(|status| status.success())
    };
    let found = all.into_iter().find(has);
    if found.is_none() {
        println!("skipped: no Python here has matrix-synapse (MIDWATCH_SYNAPSE_PYTHON names one)");
    }
    found
}

impl Synapse {
    fn start() -> Option<Self> {
        let python = python()?;
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("hs.yaml");
        let server = || {
            let mut command = Command::new(&python);
            command.args(["-m", "synapse.app.homeserver"]).current_dir(folder.path());
            command
        };
        let made = server()
            .args(["--server-name=localhost", "--generate-config", "--report-stats=no"])
            .arg(format!("--config-path={}", config.display()))
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let port = closed_port();
        let text = std::fs::read_to_string(&config).unwrap().replace("port: 8008", &format!("port: {port}"));
        let more = "\nenable_registration: true\nenable_registration_without_verification: true\nsuppress_key_server_warning: true\n";
        std::fs::write(&config, text + more).unwrap();
        let log = folder.path().join("out");
        let mut running = Running::start(server().arg(format!("--config-path={}", config.display())), log);
        let ready = running.wait_for(port, "/health");
        assert!(ready, "{}", std::fs::read_to_string(&running.log).unwrap_or_default());
        Some(Self { port, _running: running, folder })
    }

    /// A new user's access token.
    fn user(&self, name: &str) -> String {
        let body = json!({"auth": {"type": "m.login.dummy"}, "username": name, "password": "hunter2hunter2"});
        let answer = post(self.port, "/_matrix/client/v3/register", &body.to_string()).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let start = body.find('{').unwrap();
        let end = body.rfind('}').unwrap();
        let value: Value = serde_json::from_str(&body[start..=end]).unwrap_or_else(|e| panic!("{e}: {body}"));
        value["access_token"].as_str().unwrap_or_else(|| panic!("{value}")).to_owned()
    }

    /// What a person's client does.
    fn acts(&self, token: &str, method: &str, path: &str, body: &Value) {
        let body = body.to_string();
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{method} {path}: {answer}");
    }
}

fn config(server: &Synapse, folder: &Path, secret: &str) -> String {
    format!(
        "chat:\n  - {{name: matrix, kind: matrix, url: 'http://127.0.0.1:{}', auth: {{bearer: {{file: '{}'}}}}}}\n",
        server.port,
        token(folder, secret).display()
    )
}

fn operation(n: u32, write: ChatWrite) -> Operation {
    let mut op = Operation::new("matrix".into(), Intent::Chat(write), Class::RepeatWithKey, clock::now(), "alice");
    op.id = format!("01970000-0000-7000-8000-{n:012}").as_str().into();
    op
}

fn encoded(id: &str) -> String {
    id.replace('!', "%21").replace(':', "%3A").replace('$', "%24")
}

#[test]
fn a_room_is_opened_told_and_read_on_a_real_homeserver_exactly_once() {
    let Some(server) = Synapse::start() else { return };
    let (ours, bob) = (server.user("midwatch"), server.user("bob"));
    let target = connect(&config(&server, server.folder.path(), &ours));
    let apply = |n: u32, write: ChatWrite| {
        let op = operation(n, write);
        // The server as it is shipped lets few through at once; the outbox waits as it asks.
        for _ in 0..20 {
            match run(target.outward.apply(&op)) {
                Outcome::NotDone { kind: Obstacle::RateLimited, wait_ms, .. } => {
                    let wait = wait_ms.expect("it says how long");
                    std::thread::sleep(std::time::Duration::from_millis(wait.min(20_000)));
                }
                outcome => return outcome,
            }
        }
        panic!("it never let us through");
    };
    let made = |outcome: Outcome| match outcome {
        Outcome::Applied(reference) | Outcome::AlreadyDone(reference) => reference,
        other => panic!("{other:?}"),
    };

    let create = || ChatWrite::CreateRoom {
        name: "incident-inc-1".into(),
        topic: "SEV2".into(),
        private: false,
        invite: vec![],
    };
    let first = made(apply(1, create()));
    let again = apply(2, create());
    assert!(matches!(again, Outcome::AlreadyDone(_)), "{again:?}");
    let room = first.id.clone().unwrap();
    assert_eq!(made(again).id, first.id);
    assert!(room.starts_with('!') && first.url.unwrap().ends_with("?via=localhost"), "{room}");

    let post = |text: &str| ChatWrite::Post { room: Some(room.clone()), text: text.into(), thread: None };
    let message = made(apply(3, post("INC-1 SEV2: headline"))).id.unwrap();
    // The same operation is the same message, however often it is sent.
    assert_eq!(made(apply(3, post("INC-1 SEV2: headline"))).id, Some(message.clone()));
    let edit =
        ChatWrite::Edit { room: Some(room.clone()), message: message.clone(), text: "INC-1 SEV1: headline".into() };
    assert_eq!(made(apply(4, edit)).id, Some(message.clone()));
    made(apply(5, ChatWrite::SetTopic { room: room.clone(), topic: "SEV1 | it burns".into() }));
    made(apply(6, ChatWrite::Pin { room: room.clone(), message: message.clone() }));
    let person = Party { id: "@bob:localhost".into(), name: "bob".into(), ..Party::default() };
    let invite = || ChatWrite::Invite { room: room.clone(), people: vec![person.clone()] };
    made(apply(7, invite()));
    assert!(matches!(apply(8, invite()), Outcome::AlreadyDone(_)));

    let below = format!("/_matrix/client/v3/rooms/{}", encoded(&room));
    server.acts(&bob, "POST", &format!("/_matrix/client/v3/join/{}", encoded(&room)), &json!({}));
    let reaction = json!({"m.relates_to": {"rel_type": "m.annotation", "event_id": message, "key": "🏅"}});
    server.acts(&bob, "PUT", &format!("{below}/send/m.reaction/t1"), &reaction);
    let said = json!({"msgtype": "m.text", "body": "db pool is full"});
    server.acts(&bob, "PUT", &format!("{below}/send/m.room.message/t2"), &said);

    let chat = target.chat.clone().unwrap();
    let volunteers = run(chat.volunteers(&room, &message)).unwrap();
    let who: Vec<_> = volunteers.iter().map(|v| (v.person.id.as_str(), v.reaction.as_str())).collect();
    assert_eq!(who, [("@bob:localhost", "🏅")]);
    let messages = run(chat.messages(&room, clock::now() - mins(10))).unwrap();
    let told: Vec<_> = messages.iter().map(|m| (m.text.as_str(), m.author.name.as_str(), m.pinned, m.bot)).collect();
    assert_eq!(told.len(), 2, "the headline once, and what bob said: {told:?}");
    assert_eq!((told[0].2, told[0].3), (true, true));
    assert_eq!(told[1], ("db pool is full", "bob", false, false));

    assert_eq!(run(chat.find("incident-inc-1")).unwrap().map(|r| r.id), Some(room.clone()));
    assert_eq!(run(chat.find("incident-inc-2")).unwrap(), None);
    let note = run(target.outward.probe()).unwrap();
    assert_eq!(note.version.as_deref(), Some("as @midwatch:localhost"));

    // Somebody else's room of the name is not ours; a token that is none stops the target.
    let folder = tempfile::tempdir().unwrap();
    let theirs = connect(&config(&server, folder.path(), &bob));
    let outcome = run(theirs.outward.apply(&operation(9, create())));
    assert!(matches!(&outcome, Outcome::Conflict { current } if current.contains("somebody else's")), "{outcome:?}");
    let folder = tempfile::tempdir().unwrap();
    let wrong = connect(&config(&server, folder.path(), "hunter2"));
    let outcome = run(wrong.outward.apply(&operation(10, post("x"))));
    assert!(matches!(&outcome, Outcome::NotDone { kind: Obstacle::Auth, .. }), "{outcome:?}");
    assert!(!format!("{outcome:?}").contains("hunter2"));
}

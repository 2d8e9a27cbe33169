//! The rig of Matrix: a homeserver that keeps rooms with their state, and answers a transaction id that it knows with the
//! event that it made for it.

use super::fake::{any_intent, party};
use super::webhook::connect;
use super::{Rig, Trouble, run, token};
use crate::stateful_server::{Answer, Asked, StatefulServer, Trouble as Net};
use midwatch::domain::outward::capability::{Capability, Class};
use midwatch::domain::outward::chat::ChatWrite;
use midwatch::domain::outward::intent::Intent;
use midwatch::domain::outward::operation::Operation;
use midwatch::domain::outward::outcome::Outcome;
use midwatch::domain::time::mins;
use midwatch::io::clock;
use midwatch::io::port::Target;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use tempfile::TempDir;

const BOT: &str = "@midwatch:localhost";

/// A room.
#[derive(Default)]
pub struct Room {
    alias: String,
    state: BTreeMap<(String, String), Value>,
    events: Vec<Value>,
    /// Events by transaction id.
    sent: BTreeMap<String, String>,
}

impl Room {
    fn by(alias: &str, creator: &str) -> Self {
        let mut room = Self { alias: alias.into(), ..Self::default() };
        room.state.insert(("m.room.create".into(), String::new()), json!({"creator": creator}));
        room
    }
}

/// A homeserver.
#[derive(Default)]
pub struct Server {
    rooms: BTreeMap<String, Room>,
    made: usize,
}

fn no(status: u16, code: &str, error: &str) -> Answer {
    Answer::json(status, &json!({"errcode": code, "error": error}))
}

fn event(id: &str, sender: &str, content: &Value) -> Value {
    let at = clock::now().timestamp_millis();
    json!({"type": "m.room.message", "event_id": id, "sender": sender, "origin_server_ts": at, "content": content})
}

fn write(server: &mut Server, asked: &Asked, parts: &[&str]) -> Answer {
    let body = asked.json();
    server.made += 1;
    let made = server.made;
    if *parts == ["v3", "createRoom"] {
        let alias = body["room_alias_name"].as_str().unwrap().to_owned();
        if server.rooms.values().any(|r| r.alias == alias) {
            return no(400, "M_ROOM_IN_USE", "Room alias already taken");
        }
        assert_eq!(body["preset"], "public_chat");
        let id = format!("!made{made}:localhost");
        server.rooms.insert(id.clone(), Room::by(&alias, BOT));
        return Answer::json(200, &json!({"room_id": id}));
    }
    let Some(room) = parts.get(2).and_then(|id| server.rooms.get_mut(*id)) else {
        return no(403, "M_FORBIDDEN", "You are not in this room");
    };
    match (asked.method.as_str(), parts) {
        ("PUT", ["v3", "rooms", _, "send", "m.room.message", txn]) => {
            let id = match room.sent.get(*txn) {
                Some(id) => id.clone(),
                None => {
                    let id = format!("$made{made}");
                    room.events.push(event(&id, BOT, &body));
                    room.sent.insert((*txn).to_owned(), id.clone());
                    id
                }
            };
            Answer::json(200, &json!({"event_id": id}))
        }
        ("PUT", ["v3", "rooms", _, "state", kind]) => {
            room.state.insert(((*kind).to_owned(), String::new()), body);
            Answer::json(200, &json!({"event_id": format!("$made{made}")}))
        }
        ("POST", ["v3", "rooms", _, "invite"]) => {
            let user = body["user_id"].as_str().unwrap().to_owned();
            room.state.insert(("m.room.member".into(), user), json!({"membership": "invite"}));
            Answer::json(200, &json!({}))
        }
        other => panic!("{other:?} is no call"),
    }
}

fn read(server: &Server, asked: &Asked, parts: &[&str]) -> Answer {
    let gone = || no(404, "M_NOT_FOUND", "not found");
    if *parts == ["v3", "account", "whoami"] {
        return Answer::json(200, &json!({"user_id": BOT}));
    }
    if let ["v3", "directory", "room", alias] = parts {
        let found = server.rooms.iter().find(|(_, r)| format!("#{}:localhost", r.alias) == *alias);
        return found.map_or_else(gone, |(id, _)| Answer::json(200, &json!({"room_id": id})));
    }
    let Some(room) = parts.get(2).and_then(|id| server.rooms.get(*id)) else { return gone() };
    match parts {
        ["v3", "rooms", _, "state"] => {
            let creator = &room.state[&("m.room.create".to_owned(), String::new())]["creator"];
            Answer::json(200, &json!([{"type": "m.room.name"}, {"type": "m.room.create", "sender": creator}]))
        }
        ["v3", "rooms", _, "state", kind, rest @ ..] => {
            let key = ((*kind).to_owned(), rest.first().map_or_else(String::new, |k| (*k).to_owned()));
            room.state.get(&key).map_or_else(gone, |state| Answer::json(200, state))
        }
        ["v3", "rooms", _, "event", id] => {
            room.events.iter().find(|e| e["event_id"] == *id).map_or_else(gone, |e| Answer::json(200, e))
        }
        ["v3", "rooms", _, "messages"] => {
            assert_eq!((asked.param("dir").as_str(), asked.param("limit").as_str()), ("b", "100"));
            let newest_first: Vec<&Value> = room.events.iter().rev().collect();
            Answer::json(200, &json!({"chunk": newest_first}))
        }
        ["v1", "rooms", _, "relations", to, "m.annotation"] => {
            let about = |e: &&Value| e["content"]["m.relates_to"]["event_id"] == *to;
            Answer::json(200, &json!({"chunk": room.events.iter().filter(about).collect::<Vec<_>>()}))
        }
        other => panic!("{other:?} is no question"),
    }
}

fn handle(server: &mut Server, asked: &Asked) -> Answer {
    assert_eq!(asked.header("authorization"), "Bearer hunter2");
    let parts = asked.parts();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let below = parts.strip_prefix(&["_matrix", "client"]).unwrap();
    if asked.writes() { write(server, asked, below) } else { read(server, asked, below) }
}

/// A homeserver with one room, and the configuration of its target.
pub struct MatrixRig {
    server: StatefulServer<Server>,
    folder: TempDir,
}

impl MatrixRig {
    pub fn new() -> Self {
        let server = Server { rooms: BTreeMap::from([("R1".to_owned(), Room::by("r1", BOT))]), made: 0 };
        Self { server: StatefulServer::start(server, handle), folder: tempfile::tempdir().unwrap() }
    }

    fn connect(&self, read_only: bool) -> Target {
        let file = token(self.folder.path(), "hunter2\n");
        connect(&format!(
            "chat:\n  - {{name: matrix, kind: matrix, url: '{}', timeout: 1s, read_only: {read_only}, auth: {{bearer: {{file: '{}'}}}}}}\n",
            self.server.url(),
            file.display()
        ))
    }
}

impl Rig for MatrixRig {
    fn name(&self) -> String {
        "matrix".into()
    }

    fn target(&self) -> Target {
        self.connect(false)
    }

    fn read_only(&self) -> Target {
        self.connect(true)
    }

    fn intent(&self, capability: Capability) -> Option<Intent> {
        any_intent(capability).filter(|intent| matches!(intent, Intent::Chat(_)) && capability != Capability::Bookmark)
    }

    fn effects(&self, op: &Operation) -> usize {
        let Intent::Chat(write) = &op.intent else { return 0 };
        let state = |room: &Room, kind: &str, key: &str| {
            room.state.get(&(kind.to_owned(), key.to_owned())).cloned().unwrap_or_default()
        };
        self.server.with(|s| match write {
            ChatWrite::CreateRoom { name, .. } => {
                let ours = |r: &&Room| r.alias == *name && state(r, "m.room.create", "")["creator"] == BOT;
                s.rooms.values().filter(ours).count()
            }
            ChatWrite::SetTopic { topic, .. } => {
                usize::from(state(&s.rooms["R1"], "m.room.topic", "")["topic"] == topic.as_str())
            }
            ChatWrite::Invite { people, .. } => people
                .iter()
                .filter(|p| state(&s.rooms["R1"], "m.room.member", &p.id)["membership"] == "invite")
                .count(),
            // Every event that was made, whatever transaction it came with.
            ChatWrite::Post { .. } | ChatWrite::Edit { .. } if s.rooms["R1"].sent.contains_key(op.id.as_str()) => {
                s.rooms["R1"].events.len()
            }
            ChatWrite::Pin { message, .. } => {
                let pins = state(&s.rooms["R1"], "m.room.pinned_events", "")["pinned"].clone();
                pins.as_array().map_or(0, |p| p.iter().filter(|id| *id == message.as_str()).count())
            }
            _ => 0,
        })
    }

    fn trouble(&self, trouble: Trouble) -> bool {
        let busy = |s: u32| {
            json!({"errcode": "M_LIMIT_EXCEEDED", "error": "Too Many Requests", "retry_after_ms": s * 1_000})
                .to_string()
        };
        self.server.script([match trouble {
            Trouble::RateLimited(s) => Net::Status(429, busy(s)),
            Trouble::RateLimitedBare => Net::RateLimited(None),
            Trouble::TooLong => Net::Status(414, String::new()),
            Trouble::Auth => Net::Status(401, json!({"errcode": "M_UNKNOWN_TOKEN"}).to_string()),
            Trouble::LoginPage => Net::LoginPage,
            Trouble::LostReply => Net::LostReply,
            Trouble::LostRequest => Net::LostRequest,
            Trouble::Slow => Net::SlowBody(Duration::from_millis(100)),
            Trouble::Duplicate => Net::Duplicate,
        }]);
        true
    }

    fn disturb(&self, op: &Operation) -> bool {
        let Intent::Chat(ChatWrite::CreateRoom { name, .. }) = &op.intent else { return false };
        self.server.with(|s| s.rooms.insert("!other:localhost".into(), Room::by(name, "@somebody:localhost")));
        true
    }
}

fn operation(n: u8, write: ChatWrite) -> Operation {
    let mut op = Operation::new("matrix".into(), Intent::Chat(write), Class::RepeatWithKey, clock::now(), "alice");
    op.id = format!("01970000-0000-7000-8000-{n:012}").as_str().into();
    op
}

#[test]
fn the_headline_is_edited_in_place_and_nobody_is_mentioned() {
    let rig = MatrixRig::new();
    let target = rig.target();
    let post = operation(1, ChatWrite::Post { room: Some("R1".into()), text: "SEV2 @room".into(), thread: None });
    let Outcome::Applied(made) = run(target.outward.apply(&post)) else { panic!("not posted") };
    assert_eq!(made.url.as_deref(), Some("https://matrix.to/#/R1/$made1?via=localhost"));
    let message = made.id.unwrap();
    let edit = ChatWrite::Edit { room: Some("R1".into()), message: message.clone(), text: "SEV1 @room".into() };
    let Outcome::Applied(edited) = run(target.outward.apply(&operation(2, edit))) else { panic!("not edited") };
    assert_eq!(edited.id, Some(message.clone()));
    rig.server.with(|s| {
        let content = &s.rooms["R1"].events[1]["content"];
        assert_eq!(content["m.relates_to"], json!({"rel_type": "m.replace", "event_id": message}));
        assert_eq!(content["m.new_content"]["body"], "SEV1 @room");
        assert!(s.rooms["R1"].events.iter().all(|e| e["content"]["m.mentions"] == json!({})));
    });
}

#[test]
fn volunteers_and_messages_are_read_without_ourselves() {
    let rig = MatrixRig::new();
    rig.server.with(|s| {
        let room = s.rooms.get_mut("R1").unwrap();
        let say = |id: &str, who: &str, text: &str| event(id, who, &json!({"msgtype": "m.text", "body": text}));
        room.events.push(say("$0", "@bob:localhost", "pinned long ago"));
        room.events[0]["origin_server_ts"] = json!(1_000);
        room.events.push(say("$1", "@bob:localhost", "db is down"));
        room.events.push(say("$2", BOT, "headline"));
        for (id, who) in [("$3", BOT), ("$4", "@ann:localhost")] {
            let about = json!({"m.relates_to": {"rel_type": "m.annotation", "event_id": "$2", "key": "✋"}});
            let mut reaction = event(id, who, &about);
            reaction["type"] = json!("m.reaction");
            room.events.push(reaction);
        }
        let pinned = json!({"pinned": ["$0", "$1", "$gone"]});
        room.state.insert(("m.room.pinned_events".into(), String::new()), pinned);
    });
    let chat = rig.target().chat.unwrap();
    let volunteers = run(chat.volunteers("R1", "$2")).unwrap();
    assert_eq!(volunteers.iter().map(|v| v.person.name.as_str()).collect::<Vec<_>>(), ["ann"]);
    let messages = run(chat.messages("R1", clock::now() - mins(5))).unwrap();
    let told: Vec<_> = messages.iter().map(|m| (m.text.as_str(), m.pinned, m.bot)).collect();
    assert_eq!(told, [("pinned long ago", true, false), ("db is down", true, false), ("headline", false, true)]);
}

#[test]
fn a_pin_is_added_to_those_that_are_there_and_people_are_invited_once() {
    let rig = MatrixRig::new();
    let target = rig.target();
    for (n, message) in [(1, "$1"), (2, "$2"), (3, "$1")] {
        let outcome =
            run(target.outward.apply(&operation(n, ChatWrite::Pin { room: "R1".into(), message: message.into() })));
        assert_eq!(matches!(outcome, Outcome::AlreadyDone(_)), n == 3, "{outcome:?}");
    }
    rig.server.with(|s| {
        let key = ("m.room.pinned_events".to_owned(), String::new());
        assert_eq!(s.rooms["R1"].state[&key], json!({"pinned": ["$1", "$2"]}));
    });
    let invite = || ChatWrite::Invite { room: "R1".into(), people: vec![party("@ann:localhost")] };
    assert!(matches!(run(target.outward.apply(&operation(4, invite()))), Outcome::Applied(_)));
    assert!(matches!(run(target.outward.apply(&operation(5, invite()))), Outcome::AlreadyDone(_)));
    let note = run(target.outward.probe()).unwrap();
    assert_eq!(note.version.as_deref(), Some("as @midwatch:localhost"));
}

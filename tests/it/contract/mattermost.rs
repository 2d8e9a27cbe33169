//! The rig of Mattermost: a server that keeps channels and posts, and drops a second post of one `pending_post_id`.

use super::fake::{any_intent, party};
use super::webhook::connect;
use super::{Rig, Trouble, run, token};
use crate::stateful_server::{Answer, Asked, StatefulServer, Trouble as Net};
use midwatch::domain::outward::capability::{Can, Capability, Class, Lack};
use midwatch::domain::outward::chat::ChatWrite;
use midwatch::domain::outward::intent::Intent;
use midwatch::domain::outward::operation::Operation;
use midwatch::domain::outward::outcome::{Obstacle, Outcome};
use midwatch::domain::time::mins;
use midwatch::io::clock;
use midwatch::io::port::Target;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use tempfile::TempDir;

/// What the server keeps.
#[derive(Default)]
pub struct Server {
    channels: Vec<Value>,
    posts: Vec<Value>,
    members: BTreeSet<(String, String)>,
    bookmarks: Vec<Value>,
    reactions: Value,
    licensed: bool,
    made: usize,
}

fn not_found() -> Answer {
    no(404, "app.not_found.app_error", "We could not find it")
}

fn no(status: u16, id: &str, message: &str) -> Answer {
    Answer::json(status, &json!({"id": id, "message": message, "request_id": "r", "status_code": status}))
}

fn yes(value: &Value) -> Answer {
    Answer::json(200, value)
}

fn write(server: &mut Server, asked: &Asked, parts: &[&str]) -> Answer {
    let body = asked.json();
    server.made += 1;
    let id = format!("made{}", server.made);
    match (asked.method.as_str(), parts) {
        ("POST", ["channels"]) => {
            if server.channels.iter().any(|c| c["name"] == body["name"]) {
                return no(
                    400,
                    "store.sql_channel.save_channel.exists.app_error",
                    "A channel with that name already exists",
                );
            }
            let mut channel = body;
            channel["id"] = json!(id);
            channel["creator_id"] = json!("bot");
            server.channels.push(channel.clone());
            Answer::json(201, &channel)
        }
        ("PUT", ["channels", room, "patch"]) => match server.channels.iter_mut().find(|c| c["id"] == *room) {
            Some(channel) => {
                channel["header"] = body["header"].clone();
                yes(channel)
            }
            None => not_found(),
        },
        ("POST", ["channels", room, "members"]) => {
            let user = body["user_id"].as_str().unwrap().to_owned();
            server.members.insert(((*room).to_owned(), user));
            Answer::json(201, &json!({}))
        }
        ("POST", ["channels", _, "bookmarks"]) => {
            if !server.licensed {
                return no(501, "api.channel.bookmark.license.error", "Your license does not support bookmarks");
            }
            let mut bookmark = body;
            bookmark["id"] = json!(id);
            server.bookmarks.push(bookmark.clone());
            Answer::json(201, &bookmark)
        }
        ("POST", ["posts"]) => {
            if let Some(there) = server.posts.iter().find(|p| p["pending_post_id"] == body["pending_post_id"]) {
                return Answer::json(201, there);
            }
            let mut post = body;
            post["id"] = json!(id);
            post["user_id"] = json!("bot");
            post["create_at"] = json!(clock::now().timestamp_millis());
            server.posts.push(post.clone());
            Answer::json(201, &post)
        }
        (method, ["posts", id, verb]) => match server.posts.iter_mut().find(|p| p["id"] == *id) {
            Some(post) if method == "PUT" && *verb == "patch" => {
                post["message"] = body["message"].clone();
                yes(post)
            }
            Some(post) if method == "POST" && *verb == "pin" => {
                post["is_pinned"] = json!(true);
                yes(&json!({"status": "OK"}))
            }
            Some(_) => panic!("{method} {verb}"),
            None => not_found(),
        },
        other => panic!("{other:?} is no call"),
    }
}

fn read(server: &Server, asked: &Asked, parts: &[&str]) -> Answer {
    let page = |posts: Vec<&Value>| {
        let by_id: serde_json::Map<String, Value> =
            posts.iter().map(|p| (p["id"].as_str().unwrap().to_owned(), (*p).clone())).collect();
        yes(&json!({"order": by_id.keys().collect::<Vec<_>>(), "posts": by_id}))
    };
    match parts {
        ["users", "me"] => yes(&json!({"id": "bot", "username": "midwatch"})),
        ["users", "email", "bob@example.com"] | ["users", "username", "bob"] => {
            yes(&json!({"id": "ubob", "username": "bob"}))
        }
        ["users", "email" | "username", _] => not_found(),
        ["users", id] => yes(&json!({"id": id, "username": format!("name-{id}"), "is_bot": *id == "robot"})),
        ["teams", "name", "ops"] => yes(&json!({"id": "team1", "name": "ops"})),
        ["teams", "team1", "channels", "name", name] => {
            server.channels.iter().find(|c| c["name"] == *name).map_or_else(not_found, yes)
        }
        ["channels", room, "posts"] => {
            let since: i64 = asked.param("since").parse().unwrap();
            page(
                server
                    .posts
                    .iter()
                    .filter(|p| p["channel_id"] == *room && p["create_at"].as_i64() >= Some(since))
                    .collect(),
            )
        }
        ["channels", room, "pinned"] => {
            page(server.posts.iter().filter(|p| p["channel_id"] == *room && p["is_pinned"] == true).collect())
        }
        ["channels", _, "bookmarks"] => yes(&json!(server.bookmarks)),
        ["posts", _, "reactions"] => yes(&server.reactions),
        other => panic!("{other:?} is no question"),
    }
}

fn handle(server: &mut Server, asked: &Asked) -> Answer {
    assert_eq!(asked.header("authorization"), "Bearer hunter2");
    let parts = asked.parts();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let below = parts.strip_prefix(&["api", "v4"]).unwrap();
    if asked.writes() { write(server, asked, below) } else { read(server, asked, below) }
}

/// A server with one room, and the configuration of its target.
pub struct MattermostRig {
    server: StatefulServer<Server>,
    folder: TempDir,
}

impl MattermostRig {
    pub fn new() -> Self {
        let server = Server {
            channels: vec![json!({"id": "R1", "name": "r1", "creator_id": "bot"})],
            posts: vec![json!({"id": "M1", "channel_id": "R1", "user_id": "bot", "message": "old", "create_at": 1})],
            licensed: true,
            ..Server::default()
        };
        Self { server: StatefulServer::start(server, handle), folder: tempfile::tempdir().unwrap() }
    }

    fn connect(&self, read_only: bool) -> Target {
        let file = token(self.folder.path(), "hunter2\n");
        connect(&format!(
            "chat:\n  - {{name: mm, kind: mattermost, url: '{}', timeout: 1s, read_only: {read_only}, auth: {{bearer: {{file: '{}'}}}}, options: {{team: ops}}}}\n",
            self.server.url(),
            file.display()
        ))
    }
}

impl Rig for MattermostRig {
    fn name(&self) -> String {
        "mattermost".into()
    }

    fn target(&self) -> Target {
        self.connect(false)
    }

    fn read_only(&self) -> Target {
        self.connect(true)
    }

    fn intent(&self, capability: Capability) -> Option<Intent> {
        any_intent(capability).filter(|intent| matches!(intent, Intent::Chat(_)))
    }

    fn effects(&self, op: &Operation) -> usize {
        let Intent::Chat(write) = &op.intent else { return 0 };
        self.server.with(|s| match write {
            ChatWrite::CreateRoom { name, .. } => {
                s.channels.iter().filter(|c| c["name"] == name.as_str() && c["creator_id"] == "bot").count()
            }
            ChatWrite::SetTopic { room, topic } => {
                s.channels.iter().filter(|c| c["id"] == room.as_str() && c["header"] == topic.as_str()).count()
            }
            ChatWrite::Invite { room, people } => {
                people.iter().filter(|p| s.members.contains(&(room.clone(), p.id.clone()))).count()
            }
            ChatWrite::Post { .. } => {
                s.posts.iter().filter(|p| p["props"]["midwatch_operation"] == op.id.as_str()).count()
            }
            ChatWrite::Edit { text, .. } => {
                s.posts.iter().filter(|p| p["id"] == "M1" && p["message"] == text.as_str()).count()
            }
            ChatWrite::Pin { message, .. } => {
                s.posts.iter().filter(|p| p["id"] == message.as_str() && p["is_pinned"] == true).count()
            }
            ChatWrite::Bookmark { url, .. } => s.bookmarks.iter().filter(|b| b["link_url"] == url.as_str()).count(),
        })
    }

    fn trouble(&self, trouble: Trouble) -> bool {
        self.server.script([match trouble {
            Trouble::RateLimited(s) => Net::RateLimited(Some(("X-Ratelimit-Reset".into(), s.to_string()))),
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

    fn disturb(&self, op: &Operation) -> bool {
        let Intent::Chat(ChatWrite::CreateRoom { name, .. }) = &op.intent else { return false };
        self.server.with(|s| s.channels.push(json!({"id": "C9", "name": name, "creator_id": "somebody"})));
        true
    }
}

fn operation(write: ChatWrite) -> Operation {
    let mut op = Operation::new("mm".into(), Intent::Chat(write), Class::Compare, clock::now(), "alice");
    op.id = "01970000-0000-7000-8000-000000000001".into();
    op
}

fn post(text: &str) -> Operation {
    operation(ChatWrite::Post { room: Some("R1".into()), text: text.into(), thread: None })
}

#[test]
fn a_post_that_comes_twice_within_thirty_seconds_is_one_and_mentions_nobody() {
    let rig = MattermostRig::new();
    let target = rig.target();
    let op = post("SEV1 @channel\n*now*");
    let (first, second) = (run(target.outward.apply(&op)), run(target.outward.apply(&op)));
    assert_eq!(first, second);
    assert_eq!(rig.effects(&op), 1);
    rig.server.with(|s| assert_eq!(s.posts[1]["message"], "**SEV1 @\u{200b}channel**\n\\*now\\*"));
    let Outcome::Applied(reference) = first else { panic!("{first:?}") };
    assert!(reference.url.unwrap().ends_with("/ops/pl/made1"));
}

#[test]
fn what_the_licence_lacks_is_greyed_out() {
    let rig = MattermostRig::new();
    rig.server.with(|s| s.licensed = false);
    let target = rig.target();
    let bookmark = ChatWrite::Bookmark { room: "R1".into(), title: "board".into(), url: "https://a.example".into() };
    let outcome = run(target.outward.apply(&operation(bookmark)));
    assert!(matches!(outcome, Outcome::Refused { kind: Obstacle::Permission, .. }), "{outcome:?}");
    assert!(matches!(target.outward.caps().of(Capability::Bookmark), Can::No(Lack::PlanLacks, _)));
}

#[test]
fn people_are_invited_by_address_by_name_and_by_id() {
    let rig = MattermostRig::new();
    let by = |email: &str| midwatch::domain::outward::backend::Party { email: Some(email.into()), ..party(email) };
    let people = vec![by("bob@example.com"), party("@nobody"), party("u3")];
    let outcome = run(rig.target().outward.apply(&operation(ChatWrite::Invite { room: "R1".into(), people })));
    let Outcome::Applied(reference) = outcome else { panic!("{outcome:?}") };
    assert!(reference.words().contains("name of @nobody"), "{reference:?}");
    rig.server.with(|s| assert_eq!(s.members.iter().map(|(_, u)| u.as_str()).collect::<Vec<_>>(), ["u3", "ubob"]));
}

#[test]
fn volunteers_and_messages_are_read_with_names_and_without_ourselves() {
    let rig = MattermostRig::new();
    let chat = rig.target().chat.unwrap();
    rig.server.with(|s| s.reactions = Value::Null);
    assert_eq!(run(chat.volunteers("R1", "M1")).unwrap(), []);
    rig.server.with(|s| {
        s.reactions = json!([
            {"user_id": "u2", "emoji_name": "hand", "create_at": 2000},
            {"user_id": "bot", "emoji_name": "hand", "create_at": 500},
            {"user_id": "u1", "emoji_name": "hand", "create_at": 1000},
        ]);
        let at = clock::now().timestamp_millis();
        s.posts.push(json!({"id": "p1", "channel_id": "R1", "user_id": "u1", "message": "db is down", "create_at": at}));
        s.posts.push(json!({"id": "p2", "channel_id": "R1", "user_id": "u1", "message": "joined", "type": "system_join_channel", "create_at": at}));
        s.posts[0]["is_pinned"] = json!(true);
    });
    let who: Vec<String> = run(chat.volunteers("R1", "M1")).unwrap().into_iter().map(|v| v.person.name).collect();
    assert_eq!(who, ["name-u1", "name-u2"]);
    let messages = run(chat.messages("R1", clock::now() - mins(5))).unwrap();
    let told: Vec<_> = messages.iter().map(|m| (m.id.as_str(), m.pinned, m.bot)).collect();
    assert_eq!(told, [("M1", true, true), ("p1", false, false)]);
    let note = run(rig.target().outward.probe()).unwrap();
    assert_eq!(note.version.as_deref(), Some("as midwatch in ops"));
}

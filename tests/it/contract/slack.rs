//! The rig of Slack: a workspace that keeps channels, messages with their metadata, pins and bookmarks.

use super::fake::{any_intent, party};
use super::webhook::connect;
use super::{Rig, Trouble, run, token};
use crate::stateful_server::{Answer, Asked, StatefulServer, Trouble as Net};
use midwatch::domain::outward::capability::{Can, Capability, Class, Lack};
use midwatch::domain::outward::chat::ChatWrite;
use midwatch::domain::outward::intent::Intent;
use midwatch::domain::outward::operation::Operation;
use midwatch::domain::outward::outcome::{Found, Obstacle, Outcome};
use midwatch::domain::time::mins;
use midwatch::io::clock;
use midwatch::io::port::Target;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tempfile::TempDir;

/// A channel.
#[derive(Default)]
pub struct Channel {
    name: String,
    creator: String,
    topic: String,
    members: BTreeSet<String>,
    pins: BTreeSet<String>,
    bookmarks: Vec<Value>,
    messages: Vec<Value>,
}

/// A workspace.
#[derive(Default)]
pub struct Workspace {
    channels: BTreeMap<String, Channel>,
    reactions: Vec<Value>,
    missing_scope: Option<&'static str>,
    made: usize,
}

fn now() -> String {
    let at = clock::now();
    format!("{}.{:06}", at.timestamp(), at.timestamp_subsec_micros())
}

fn no(error: &str) -> Value {
    json!({"ok": false, "error": error})
}

fn write(work: &mut Workspace, method: &str, body: &Value) -> Value {
    let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
    work.made += 1;
    let n = work.made;
    if method == "conversations.create" {
        let name = text("name");
        if work.channels.values().any(|c| c.name == name) {
            return no("name_taken");
        }
        let id = format!("C{n}");
        let channel = Channel { name: name.clone(), creator: "UBOT".into(), ..Channel::default() };
        work.channels.insert(id.clone(), channel);
        return json!({"ok": true, "channel": {"id": id, "name": name, "creator": "UBOT"}});
    }
    let id = if body["channel"].is_string() { text("channel") } else { text("channel_id") };
    let Some(channel) = work.channels.get_mut(&id) else { return no("channel_not_found") };
    match method {
        "conversations.setTopic" => channel.topic = text("topic"),
        "conversations.invite" => {
            let fresh: Vec<String> =
                text("users").split(',').filter(|u| !channel.members.contains(*u)).map(str::to_owned).collect();
            if fresh.is_empty() {
                return no("already_in_channel");
            }
            channel.members.extend(fresh);
        }
        "chat.postMessage" => {
            let ts = now();
            let mut message = body.clone();
            message["ts"] = json!(ts);
            message["user"] = json!("UBOT");
            channel.messages.insert(0, message);
            return json!({"ok": true, "channel": id, "ts": ts});
        }
        "chat.update" => match channel.messages.iter_mut().find(|m| m["ts"] == body["ts"]) {
            Some(message) => message["text"] = body["text"].clone(),
            None => return no("message_not_found"),
        },
        "pins.add" => {
            if !channel.pins.insert(text("timestamp")) {
                return no("already_pinned");
            }
        }
        "bookmarks.add" => {
            let mut bookmark = body.clone();
            bookmark["id"] = json!(format!("Bk{n}"));
            channel.bookmarks.push(bookmark.clone());
            return json!({"ok": true, "bookmark": bookmark});
        }
        other => panic!("{other} is no method"),
    }
    json!({"ok": true})
}

fn read(work: &Workspace, method: &str, asked: &Asked) -> Value {
    let channel =
        || work.channels.get(&asked.param("channel")).or_else(|| work.channels.get(&asked.param("channel_id")));
    let later = |m: &&Value| m["ts"].as_str().unwrap_or_default() >= asked.param("oldest").as_str();
    match method {
        "auth.test" => {
            json!({"ok": true, "url": "https://team.example/", "team": "Team", "user": "midwatch", "user_id": "UBOT"})
        }
        "conversations.list" => {
            let all: Vec<Value> =
                work.channels.iter().map(|(id, c)| json!({"id": id, "name": c.name, "creator": c.creator})).collect();
            // Two to a page, so that pages are turned.
            let from: usize = asked.param("cursor").parse().unwrap_or(0);
            let next = if from + 2 < all.len() { (from + 2).to_string() } else { String::new() };
            let page: Vec<&Value> = all.iter().skip(from).take(2).collect();
            json!({"ok": true, "channels": page, "response_metadata": {"next_cursor": next}})
        }
        "conversations.history" | "conversations.replies" => match channel() {
            Some(c) => {
                json!({"ok": true, "messages": c.messages.iter().filter(later).collect::<Vec<_>>(), "has_more": false})
            }
            None => no("channel_not_found"),
        },
        "chat.getPermalink" => {
            json!({"ok": true, "permalink": format!("https://team.example/archives/{}/p{}", asked.param("channel"), asked.param("message_ts"))})
        }
        "bookmarks.list" => json!({"ok": true, "bookmarks": channel().map(|c| c.bookmarks.clone())}),
        "pins.list" => {
            let items: Vec<Value> = channel()
                .map(|c| {
                    c.messages
                        .iter()
                        .filter(|m| c.pins.contains(m["ts"].as_str().unwrap()))
                        .map(|m| json!({"type": "message", "message": m}))
                        .collect()
                })
                .unwrap_or_default();
            json!({"ok": true, "items": items})
        }
        "reactions.get" => json!({"ok": true, "message": {"reactions": work.reactions}}),
        "users.info" => {
            let id = asked.param("user");
            json!({"ok": true, "user": {"id": id, "name": id.to_lowercase(), "is_bot": id == "UROBOT", "profile": {"display_name": ""}}})
        }
        "users.lookupByEmail" if asked.param("email") == "bob@example.com" => {
            json!({"ok": true, "user": {"id": "UBOB", "name": "bob"}})
        }
        "users.lookupByEmail" => no("users_not_found"),
        other => panic!("{other} is no method"),
    }
}

fn handle(work: &mut Workspace, asked: &Asked) -> Answer {
    assert_eq!(asked.header("authorization"), "Bearer xoxb-hunter2");
    let method = asked.parts().join("/");
    if let Some(scope) = work.missing_scope.filter(|_| asked.writes()) {
        return Answer::json(200, &json!({"ok": false, "error": "missing_scope", "needed": scope}));
    }
    let value = match asked.writes() {
        true => {
            assert_eq!(asked.header("content-type"), "application/json; charset=utf-8");
            write(work, &method, &asked.json())
        }
        false => read(work, &method, asked),
    };
    Answer::json(200, &value)
}

/// A workspace with one room, and the configuration of its target.
pub struct SlackRig {
    pub server: StatefulServer<Workspace>,
    folder: TempDir,
}

impl SlackRig {
    pub fn new() -> Self {
        let old = json!({"ts": "M1", "user": "UBOT", "text": "old"});
        let room = Channel { name: "r1".into(), creator: "UBOT".into(), messages: vec![old], ..Channel::default() };
        let other = |name: &str| Channel { name: name.into(), creator: "USOMEBODY".into(), ..Channel::default() };
        let channels = BTreeMap::from([
            ("C01".to_owned(), other("general")),
            ("C02".to_owned(), other("random")),
            ("R1".to_owned(), room),
        ]);
        let work = Workspace { channels, ..Workspace::default() };
        Self { server: StatefulServer::start(work, handle), folder: tempfile::tempdir().unwrap() }
    }

    fn connect(&self, read_only: bool) -> Target {
        let file = token(self.folder.path(), "xoxb-hunter2\n");
        connect(&format!(
            "chat:\n  - {{name: slack, kind: slack, url: '{}', timeout: 1s, read_only: {read_only}, auth: {{bearer: {{file: '{}'}}}}}}\n",
            self.server.url(),
            file.display()
        ))
    }
}

impl Rig for SlackRig {
    fn name(&self) -> String {
        "slack".into()
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
        self.server.with(|work| match write {
            ChatWrite::CreateRoom { name, .. } => {
                work.channels.values().filter(|c| c.name == *name && c.creator == "UBOT").count()
            }
            ChatWrite::SetTopic { room, topic } => usize::from(work.channels[room].topic == *topic),
            ChatWrite::Invite { room, people } => {
                people.iter().filter(|p| work.channels[room].members.contains(&p.id)).count()
            }
            ChatWrite::Post { room, .. } => {
                let mine = |m: &&Value| m["metadata"]["event_payload"]["op"] == op.id.as_str();
                work.channels[room.as_ref().unwrap()].messages.iter().filter(mine).count()
            }
            ChatWrite::Edit { room, text, .. } => {
                let there = |m: &&Value| m["ts"] == "M1" && m["text"] == text.as_str();
                work.channels[room.as_ref().unwrap()].messages.iter().filter(there).count()
            }
            ChatWrite::Pin { room, message } => usize::from(work.channels[room].pins.contains(message)),
            ChatWrite::Bookmark { room, url, .. } => {
                work.channels[room].bookmarks.iter().filter(|b| b["link"] == url.as_str()).count()
            }
        })
    }

    fn trouble(&self, trouble: Trouble) -> bool {
        self.server.script([match trouble {
            Trouble::RateLimited(s) => Net::RateLimited(Some(("Retry-After".into(), s.to_string()))),
            Trouble::RateLimitedBare => Net::RateLimited(None),
            Trouble::TooLong => Net::Status(414, String::new()),
            // Slack says it with status 200.
            Trouble::Auth => Net::Status(200, json!({"ok": false, "error": "token_revoked"}).to_string()),
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
        let taken = Channel { name: name.clone(), creator: "USOMEBODY".into(), ..Channel::default() };
        self.server.with(|work| work.channels.insert("C9".into(), taken));
        true
    }
}

fn operation(write: ChatWrite) -> Operation {
    let mut op = Operation::new("slack".into(), Intent::Chat(write), Class::Compare, clock::now(), "alice");
    op.id = "01970000-0000-7000-8000-000000000001".into();
    op
}

#[test]
fn a_room_that_is_there_already_is_ours_or_somebody_elses() {
    let rig = SlackRig::new();
    let create = |name: &str| {
        let write = ChatWrite::CreateRoom { name: name.into(), topic: String::new(), private: false, invite: vec![] };
        run(rig.target().outward.apply(&operation(write)))
    };
    let Outcome::Applied(made) = create("Incident-INC-1") else { panic!("not made") };
    assert_eq!(
        (made.name.as_deref(), made.url.as_deref()),
        (Some("incident-inc-1"), Some("https://team.example/archives/C1"))
    );
    let Outcome::AlreadyDone(again) = create("Incident-INC-1") else { panic!("made twice") };
    assert_eq!(again.id, made.id);
    let other = create("random");
    assert!(matches!(&other, Outcome::Conflict { current } if current.contains("somebody else's")), "{other:?}");
}

#[test]
fn people_are_invited_by_address_and_who_is_unknown_is_named() {
    let rig = SlackRig::new();
    let invite =
        |people: Vec<_>| run(rig.target().outward.apply(&operation(ChatWrite::Invite { room: "R1".into(), people })));
    let by = |email: &str| midwatch::domain::outward::backend::Party { email: Some(email.into()), ..party(email) };
    let outcome = invite(vec![by("bob@example.com"), by("eve@example.com"), party("U1")]);
    let Outcome::Applied(reference) = outcome else { panic!("{outcome:?}") };
    assert_eq!(reference.words(), "without eve@example.com");
    rig.server.with(|w| assert_eq!(w.channels["R1"].members, ["U1", "UBOB"].map(str::to_owned).into()));
    assert!(matches!(invite(vec![by("eve@example.com")]), Outcome::Refused { kind: Obstacle::Invalid, .. }));
    assert!(matches!(invite(vec![party("U1")]), Outcome::AlreadyDone(_)));
}

#[test]
fn a_scope_that_is_missing_greys_the_act_out_until_the_token_is_probed_again() {
    let rig = SlackRig::new();
    let target = rig.target();
    rig.server.with(|w| w.missing_scope = Some("pins:write"));
    let outcome = run(target.outward.apply(&operation(ChatWrite::Pin { room: "R1".into(), message: "M1".into() })));
    assert!(
        matches!(&outcome, Outcome::Refused { kind: Obstacle::Scope, words } if words.contains("pins:write")),
        "{outcome:?}"
    );
    let can = target.outward.caps().of(Capability::Pin);
    assert_eq!(can, Can::No(Lack::NoPermission, "needs the scope pins:write".into()));
    let note = run(target.outward.probe()).unwrap();
    assert_eq!(note.version.as_deref(), Some("Team as midwatch"));
    assert!(target.outward.caps().class(Capability::Pin).is_some());
}

#[test]
fn a_history_that_may_not_be_read_leaves_the_answer_to_a_person() {
    let rig = SlackRig::new();
    let op = operation(ChatWrite::Post { room: Some("GONE".into()), text: "hi".into(), thread: None });
    assert!(matches!(run(rig.target().outward.look(&op)), Found::Failed { .. }));
    assert!(matches!(run(rig.target().outward.apply(&op)), Outcome::Refused { kind: Obstacle::NotFound, .. }));
}

#[test]
fn volunteers_and_messages_are_read_with_names_and_without_ourselves() {
    let rig = SlackRig::new();
    let ts = now();
    rig.server.with(|w| {
        w.reactions = vec![
            json!({"name": "hand::skin-tone-3", "users": ["UBOT", "UBOB"], "count": 2}),
            json!({"name": "medal", "users": ["UROBOT"], "count": 1}),
        ];
        let room = w.channels.get_mut("R1").unwrap();
        room.messages.insert(0, json!({"ts": ts, "user": "UBOB", "text": "db &amp; cache <https://a|down>"}));
        room.messages.insert(0, json!({"ts": now(), "subtype": "channel_join", "user": "UBOB", "text": "joined"}));
        room.messages.insert(0, json!({"ts": "1000000000.000001", "user": "UANN", "text": "old and pinned"}));
        room.pins.insert("1000000000.000001".into());
    });
    let chat = rig.target().chat.unwrap();
    let volunteers = run(chat.volunteers("R1", "M1")).unwrap();
    let who: Vec<_> = volunteers.iter().map(|v| (v.person.name.as_str(), v.reaction.as_str(), v.bot)).collect();
    assert_eq!(who, [("ubob", "hand", false), ("urobot", "medal", true)]);
    let messages = run(chat.messages("R1", clock::now() - mins(5))).unwrap();
    let told: Vec<_> = messages.iter().map(|m| (m.author.name.as_str(), m.text.as_str(), m.pinned)).collect();
    assert_eq!(told, [("uann", "old and pinned", true), ("ubob", "db & cache down (https://a)", false)]);
}

#[test]
fn the_token_is_in_no_outcome_and_no_debug() {
    let rig = SlackRig::new();
    let target = rig.target();
    rig.trouble(Trouble::Auth);
    let outcome = run(target.outward.apply(&operation(ChatWrite::Pin { room: "R1".into(), message: "M1".into() })));
    assert!(!format!("{target:?} {outcome:?}").contains("hunter2"));
}

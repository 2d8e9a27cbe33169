//! Slack: the incident room over the Web API with a bot token. A message carries its operation in its metadata, so that a
//! post whose answer was lost is found again; a room is known by its name and its maker. Text from outside goes out as
//! `rich_text`, where nothing in it can mention anybody or become a link to something else.
//!
//! Scopes: `channels:manage` (and `groups:write` for private rooms), `chat:write`, `channels:read`, `channels:history`,
//! `pins:write`, `pins:read`, `bookmarks:write`, `bookmarks:read`, `reactions:read`, `users:read`, `users:read.email`.

mod call;
mod decode;
mod text;

use crate::config::OutsideConfig;
use crate::domain::document::Reader;
use crate::domain::fault::Fault;
use crate::domain::outward::backend::Party;
use crate::domain::outward::capability::{Capability, Caps, Class, Lack};
use crate::domain::outward::chat::{ChatMessage, ChatWrite, Room, RoomSettings, Volunteer};
use crate::domain::outward::intent::Intent;
use crate::domain::outward::operation::Operation;
use crate::domain::outward::outcome::{Found, Obstacle, Outcome, Reference};
use crate::domain::outward::pace::Pace;
use crate::domain::server_note::ServerNote;
use crate::domain::time::{Span, Timestamp};
use crate::io::http::{Endpoint, Http};
use crate::io::integration::Integration;
use crate::io::port::{ChatRoom, Outward, Target, Task};
use crate::io::rooms::{self, cut, slug, with};
use call::Failed;
use decode::{Identity, Person};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Its row in the registry.
pub const INTEGRATION: Integration = Integration {
    kind: "slack",
    about: "Slack: the incident room, with a bot token",
    sections: &[crate::config::Section::Chat],
    url: Some("https://slack.com/api"),
    secret_url: false,
    options: &OPTIONS,
    check,
    connect,
};

const OPTIONS: [(&str, &str); 6] =
    [rooms::ROOM_PREFIX, rooms::PRIVATE, rooms::INVITE, rooms::PEOPLE, rooms::VOLUNTEER, rooms::IMPORT];
/// What volunteers unless the configuration says otherwise: the medals and the raised hands.
const VOLUNTEER: [&str; 5] = ["medal", "sports_medal", "hand", "raised_hand", "raising_hand"];
/// The longest name of a channel.
const NAME: usize = 80;
/// The longest topic.
const TOPIC: usize = 250;
/// People of one invitation.
const INVITED: usize = 100;
/// How far the two clocks may be apart when a post is looked for.
const APART: Span = Span::minutes(10);

fn settings(config: &OutsideConfig, reader: &mut Reader<'_>) -> RoomSettings {
    let fields = config.options(reader, &INTEGRATION.keys());
    rooms::settings(reader, fields.as_ref(), &VOLUNTEER)
}

fn check(config: &OutsideConfig, reader: &mut Reader<'_>) {
    settings(config, reader);
    rooms::wants_bearer(config, reader);
}

fn connect(config: &OutsideConfig, endpoint: Endpoint) -> Result<Target, Fault> {
    let settings = settings(config, &mut Reader::new(&config.path));
    let (address, limit) = (endpoint.url().to_owned(), endpoint.timeout);
    let slack = Arc::new(Slack {
        read_only: config.read_only,
        http: Http::new(endpoint),
        private: settings.private,
        me: Mutex::default(),
        people: Mutex::default(),
        lost: Mutex::default(),
    });
    // A write may ask who we are first, and for the page of what it made afterwards.
    let target = Target::new(INTEGRATION.kind, address, limit * 3, slack.clone());
    Ok(target.with_chat(slack).rooms(settings))
}

/// One workspace.
#[derive(Debug)]
struct Slack {
    read_only: bool,
    http: Http,
    private: bool,
    me: Mutex<Option<Identity>>,
    people: Mutex<BTreeMap<String, Person>>,
    /// What answers taught that the token may not.
    lost: Mutex<BTreeMap<Capability, (Lack, String)>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Slack {
    /// Who we are; asked one time.
    async fn me(&self) -> Result<Identity, Failed> {
        let known = locked(&self.me).clone();
        if let Some(me) = known {
            return Ok(me);
        }
        let me = decode::identity(&call::read(&self.http, "auth.test", &[]).await?);
        *locked(&self.me) = Some(me.clone());
        Ok(me)
    }

    /// The page of a channel; nothing is known of it when we do not know the workspace's address.
    async fn page(&self, channel: &str) -> Option<String> {
        let me = self.me().await.ok()?;
        Some(format!("{}/archives/{channel}", me.url?.trim_end_matches('/')))
    }

    async fn send(&self, op: &Operation) -> Outcome {
        let Intent::Chat(write) = &op.intent else {
            return Outcome::unsupported(format!("Slack cannot {}", op.intent.capability().title()));
        };
        if let Some(why) = self.caps().why_not(write.capability()) {
            let kind = if self.read_only { Obstacle::ReadOnly } else { Obstacle::Unsupported };
            return Outcome::Refused { kind, words: why };
        }
        match self.carry_out(op, write).await {
            Ok(outcome) => outcome,
            Err(failed) => {
                if let Some(lack) = failed.lack() {
                    locked(&self.lost).insert(write.capability(), lack);
                }
                failed.outcome()
            }
        }
    }

    async fn carry_out(&self, op: &Operation, write: &ChatWrite) -> Result<Outcome, Failed> {
        match write {
            ChatWrite::CreateRoom { name, private, .. } => self.create(&slug(name, NAME), *private).await,
            ChatWrite::SetTopic { room, topic } => {
                let body = json!({"channel": room, "topic": cut(topic, TOPIC)});
                call::write(&self.http, "conversations.setTopic", &body).await.map(|_| Outcome::applied())
            }
            ChatWrite::Invite { room, people } => self.invite(room, people).await,
            ChatWrite::Post { room: Some(room), text, thread } => self.post(op, room, text, thread.as_deref()).await,
            ChatWrite::Edit { room: Some(room), message, text } => {
                let body = with(text::message(text), [("channel", json!(room)), ("ts", json!(message))]);
                call::write(&self.http, "chat.update", &body).await.map(|_| Outcome::Applied(Reference::id(message)))
            }
            ChatWrite::Pin { room, message } => {
                let body = json!({"channel": room, "timestamp": message});
                call::write(&self.http, "pins.add", &body).await.map(|_| Outcome::applied())
            }
            ChatWrite::Bookmark { room, title, url } => {
                if let Some(id) = self.bookmarked(room, title, url).await? {
                    return Ok(Outcome::AlreadyDone(Reference::id(id)));
                }
                let body = json!({"channel_id": room, "title": title, "type": "link", "link": url});
                let answer = call::write(&self.http, "bookmarks.add", &body).await?;
                Ok(Outcome::Applied(decode::reference(&answer, "/bookmark/id")))
            }
            ChatWrite::Post { room: None, .. } | ChatWrite::Edit { room: None, .. } => {
                Ok(Outcome::Refused { kind: Obstacle::Invalid, words: "Slack wants a room to post to".into() })
            }
        }
    }

    async fn create(&self, name: &str, private: bool) -> Result<Outcome, Failed> {
        let body = json!({"name": name, "is_private": private || self.private});
        match call::write(&self.http, "conversations.create", &body).await {
            Ok(answer) => {
                // Slack may have changed the name; what it says counts.
                let room = decode::room(answer.pointer("/channel").unwrap_or(&Value::Null));
                let url = self.page(&room.id).await;
                Ok(Outcome::Applied(Reference::id(room.id).named(room.name).at(url)))
            }
            Err(Failed::Said { code, .. }) if code == "name_taken" => Ok(match self.by_name(name).await? {
                Some((room, true)) => Outcome::AlreadyDone(Reference::id(room.id).named(room.name).at(room.url)),
                Some((room, false)) => Outcome::Conflict {
                    current: format!("#{} is somebody else's channel; open the room under another name", room.name),
                },
                None => Outcome::Conflict {
                    current: format!("#{name} is taken by a channel that we cannot see (archived or private)"),
                },
            }),
            Err(failed) => Err(failed),
        }
    }

    /// The channel of a name, and whether we made it.
    async fn by_name(&self, name: &str) -> Result<Option<(Room, bool)>, Failed> {
        let me = self.me().await?;
        let types = if self.private { "public_channel,private_channel" } else { "public_channel" };
        let mut cursor = String::new();
        // Two thousand channels: more are not worth the minutes that tier 2 would take.
        for _ in 0..10 {
            let asked = [("types", types), ("exclude_archived", "true"), ("limit", "200"), ("cursor", cursor.as_str())];
            let answer = call::read(&self.http, "conversations.list", &asked).await?;
            let found = decode::list(&answer, "/channels").iter().find(|c| decode::text(c, "/name") == name);
            if let Some(channel) = found {
                let ours = decode::text(channel, "/creator") == me.user;
                let mut room = decode::room(channel);
                room.url = self.page(&room.id).await;
                return Ok(Some((room, ours)));
            }
            cursor = decode::text(&answer, "/response_metadata/next_cursor").to_owned();
            if cursor.is_empty() {
                return Ok(None);
            }
        }
        Err(Failed::said("too_many_channels"))
    }

    async fn invite(&self, room: &str, people: &[Party]) -> Result<Outcome, Failed> {
        let mut users = Vec::new();
        let mut unknown = Vec::new();
        for person in people.iter().take(INVITED) {
            match &person.email {
                Some(email) => match self.by_email(email).await? {
                    Some(found) => users.push(found.id),
                    None => unknown.push(email.clone()),
                },
                None => users.push(person.id.trim_start_matches('@').to_owned()),
            }
        }
        if users.is_empty() {
            let words = format!("nobody to invite: {} is not known to Slack", unknown.join(", "));
            return Ok(Outcome::Refused { kind: Obstacle::Invalid, words });
        }
        let body = json!({"channel": room, "users": users.join(","), "force": true});
        match call::write(&self.http, "conversations.invite", &body).await {
            Ok(answer) => Ok(left_out(&answer, &unknown)),
            Err(Failed::Said { code, .. }) if matches!(code.as_str(), "already_in_channel" | "cant_invite_self") => {
                Ok(Outcome::AlreadyDone(Reference::default()))
            }
            Err(failed) => Err(failed),
        }
    }

    async fn by_email(&self, email: &str) -> Result<Option<Party>, Failed> {
        match call::read(&self.http, "users.lookupByEmail", &[("email", email)]).await {
            Ok(answer) => Ok(Some(decode::person(answer.pointer("/user").unwrap_or(&Value::Null)).party)),
            Err(Failed::Said { code, .. }) if code == "users_not_found" => Ok(None),
            Err(failed) => Err(failed),
        }
    }

    async fn post(&self, op: &Operation, room: &str, text: &str, thread: Option<&str>) -> Result<Outcome, Failed> {
        let mut body = with(
            text::message(text),
            [
                ("channel", json!(room)),
                ("metadata", json!({"event_type": decode::EVENT, "event_payload": {"op": op.id.as_str()}})),
                ("unfurl_links", json!(false)),
                ("unfurl_media", json!(false)),
            ],
        );
        if let Some(thread) = thread {
            body = with(body, [("thread_ts", json!(thread))]);
        }
        let answer = call::write(&self.http, "chat.postMessage", &body).await?;
        let ts = decode::text(&answer, "/ts").to_owned();
        let url = self.link(room, &ts).await.ok();
        Ok(Outcome::Applied(Reference::id(ts).at(url)))
    }

    async fn link(&self, room: &str, message: &str) -> Result<String, Failed> {
        let asked = [("channel", room), ("message_ts", message)];
        let answer = call::read(&self.http, "chat.getPermalink", &asked).await?;
        Ok(decode::text(&answer, "/permalink").to_owned())
    }

    async fn bookmarked(&self, room: &str, title: &str, url: &str) -> Result<Option<String>, Failed> {
        let answer = call::read(&self.http, "bookmarks.list", &[("channel_id", room)]).await?;
        let same = |b: &&Value| decode::text(b, "/link") == url && decode::text(b, "/title") == title;
        let found = decode::list(&answer, "/bookmarks").iter().find(same);
        Ok(found.map(|bookmark| decode::text(bookmark, "/id").to_owned()))
    }

    /// Whether a post is in the room. A history that ends before its time, or that we may not read, tells nothing.
    async fn posted(&self, op: &Operation, room: &str, thread: Option<&str>) -> Result<Found, Failed> {
        let oldest = decode::stamp(op.created_at - APART);
        let mut cursor = String::new();
        for _ in 0..4 {
            let mut asked = vec![
                ("channel", room),
                ("oldest", oldest.as_str()),
                ("limit", "200"),
                ("include_all_metadata", "true"),
                ("cursor", cursor.as_str()),
            ];
            asked.extend(thread.map(|ts| ("ts", ts)));
            let method = if thread.is_some() { "conversations.replies" } else { "conversations.history" };
            let answer = call::read(&self.http, method, &asked).await?;
            let ours = decode::list(&answer, "/messages").iter().find(|m| decode::operation(m) == op.id.as_str());
            if let Some(message) = ours {
                let ts = decode::text(message, "/ts");
                let url = self.link(room, ts).await.ok();
                return Ok(Found::Done(Reference::id(ts).at(url)));
            }
            cursor = decode::text(&answer, "/response_metadata/next_cursor").to_owned();
            if cursor.is_empty() {
                return Ok(Found::Absent);
            }
        }
        Ok(Found::NoWay)
    }

    async fn seek(&self, op: &Operation) -> Found {
        let looked = match &op.intent {
            Intent::Chat(ChatWrite::CreateRoom { name, .. }) => match self.by_name(&slug(name, NAME)).await {
                Ok(Some((room, true))) => Ok(Found::Done(Reference::id(room.id).named(room.name).at(room.url))),
                Ok(Some((room, false))) => {
                    Ok(Found::Conflict { current: format!("#{} is somebody else's channel", room.name) })
                }
                Ok(None) => Ok(Found::Absent),
                Err(failed) => Err(failed),
            },
            Intent::Chat(ChatWrite::Post { room: Some(room), thread, .. }) => {
                self.posted(op, room, thread.as_deref()).await
            }
            Intent::Chat(ChatWrite::Bookmark { room, title, url }) => {
                let found = self.bookmarked(room, title, url).await;
                found.map(|id| id.map_or(Found::Absent, |id| Found::Done(Reference::id(id))))
            }
            _ => Ok(Found::NoWay),
        };
        looked.unwrap_or_else(|failed| failed.found())
    }

    /// Who somebody is; what cannot be told is the bare id.
    async fn person_of(&self, user: &str) -> Person {
        let known = locked(&self.people).get(user).cloned();
        if let Some(person) = known {
            return person;
        }
        match call::read(&self.http, "users.info", &[("user", user)]).await {
            Ok(answer) => {
                let person = decode::person(answer.pointer("/user").unwrap_or(&Value::Null));
                locked(&self.people).insert(user.to_owned(), person.clone());
                person
            }
            Err(_) => Person::unknown(user),
        }
    }

    async fn reacted(&self, room: &str, message: &str) -> Result<Vec<Volunteer>, Failed> {
        let me = self.me().await?;
        let asked = [("channel", room), ("timestamp", message), ("full", "true")];
        let answer = call::read(&self.http, "reactions.get", &asked).await?;
        let mut out = Vec::new();
        for (reaction, user) in decode::reactions(&answer) {
            if user != me.user {
                let person = self.person_of(&user).await;
                out.push(Volunteer { person: person.party, reaction, at: None, bot: person.bot });
            }
        }
        Ok(out)
    }

    async fn written(&self, room: &str, since: Timestamp) -> Result<Vec<ChatMessage>, Failed> {
        let me = self.me().await?;
        let pins = call::read(&self.http, "pins.list", &[("channel", room)]).await?;
        let pinned = decode::pinned(&pins);
        let oldest = decode::stamp(since);
        let asked = [("channel", room), ("oldest", oldest.as_str()), ("limit", "200")];
        let answer = call::read(&self.http, "conversations.history", &asked).await?;
        let mut out = Vec::new();
        // A message that is pinned counts however old it is.
        let older = decode::list(&pins, "/items").iter().filter_map(|item| item.get("message"));
        for message in decode::list(&answer, "/messages").iter().chain(older) {
            let Some(read) = decode::message(message) else { continue };
            if out.iter().any(|m: &ChatMessage| m.id == read.ts) {
                continue;
            }
            let person = self.person_of(&read.user).await;
            out.push(ChatMessage {
                pinned: pinned.contains(&read.ts),
                bot: read.bot || person.bot || read.user == me.user,
                id: read.ts,
                at: read.at,
                author: person.party,
                text: read.text,
            });
        }
        // Pages come newest first; of one instant the order of the room stays.
        out.reverse();
        out.sort_by_key(|m| m.at);
        Ok(out)
    }

    fn fault(&self, failed: Failed) -> Fault {
        failed.fault(self.http.endpoint().name())
    }
}

/// An invitation that some could not be part of is done, and says whom it left out.
fn left_out(answer: &Value, unknown: &[String]) -> Outcome {
    let refused = decode::list(answer, "/errors").iter().map(|e| decode::text(e, "/user").to_owned());
    let missing: Vec<String> = unknown.iter().cloned().chain(refused.filter(|u| !u.is_empty())).collect();
    match missing.is_empty() {
        true => Outcome::applied(),
        false => Outcome::Applied(Reference::default().named(format!("without {}", missing.join(", ")))),
    }
}

impl Outward for Slack {
    fn caps(&self) -> Caps {
        let mut caps = Caps::none()
            .with(Class::Compare, &[Capability::CreateRoom, Capability::Post, Capability::Bookmark])
            .with(Class::Repeat, &[Capability::SetTopic, Capability::Invite, Capability::EditMessage, Capability::Pin])
            .with(Class::Repeat, &[Capability::ReadVolunteers, Capability::ReadMessages]);
        for (capability, (lack, words)) in locked(&self.lost).iter() {
            caps.lose(*capability, *lack, words);
        }
        if self.read_only { caps.read_only() } else { caps }
    }

    fn forget(&self) {
        locked(&self.lost).clear();
    }

    fn pace(&self) -> Pace {
        // About one message a second; tier 2 allows twenty rooms a minute.
        Pace { burst: 5, per_minute: 50 }
    }

    fn apply<'a>(&'a self, op: &'a Operation) -> Task<'a, Outcome> {
        Box::pin(self.send(op))
    }

    fn look<'a>(&'a self, op: &'a Operation) -> Task<'a, Found> {
        Box::pin(self.seek(op))
    }

    fn probe(&self) -> Task<'_, Result<ServerNote, Fault>> {
        Box::pin(async move {
            let (answer, skew) = call::read_with_skew(&self.http, "auth.test", &[]).await.map_err(|f| self.fault(f))?;
            let me = decode::identity(&answer);
            let version = Some(format!("{} as {}", me.team, me.name));
            *locked(&self.me) = Some(me);
            // The token may be another one now: what the old one could not is asked again.
            locked(&self.lost).clear();
            Ok(ServerNote { requests: 1, skew, version, ..ServerNote::default() })
        })
    }
}

impl ChatRoom for Slack {
    fn find<'a>(&'a self, name: &'a str) -> Task<'a, Result<Option<Room>, Fault>> {
        Box::pin(async move {
            let found = self.by_name(&slug(name, NAME)).await.map_err(|f| self.fault(f))?;
            Ok(found.map(|(room, _)| room))
        })
    }

    fn volunteers<'a>(&'a self, room: &'a str, message: &'a str) -> Task<'a, Result<Vec<Volunteer>, Fault>> {
        Box::pin(async move { self.reacted(room, message).await.map_err(|f| self.fault(f)) })
    }

    fn messages<'a>(&'a self, room: &'a str, since: Timestamp) -> Task<'a, Result<Vec<ChatMessage>, Fault>> {
        Box::pin(async move { self.written(room, since).await.map_err(|f| self.fault(f)) })
    }

    fn permalink<'a>(&'a self, room: &'a str, message: &'a str) -> Task<'a, Result<String, Fault>> {
        Box::pin(async move { self.link(room, message).await.map_err(|f| self.fault(f)) })
    }

    fn person<'a>(&'a self, email: &'a str) -> Task<'a, Result<Option<Party>, Fault>> {
        Box::pin(async move { self.by_email(email).await.map_err(|f| self.fault(f)) })
    }
}

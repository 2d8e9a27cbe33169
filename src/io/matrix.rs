//! Matrix: the incident room over the client-server API, exactly once: a message goes out under its operation's id as
//! transaction id, topic and pins are state, a room is found again by its alias. `m.mentions` is empty in everything sent,
//! so that text from outside wakes nobody.

mod decode;

use crate::config::{OutsideConfig, Section};
use crate::domain::document::Reader;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::outward::backend::Party;
use crate::domain::outward::capability::{Capability, Caps, Class, Lack};
use crate::domain::outward::chat::{ChatMessage, ChatWrite, Room, RoomSettings, Volunteer};
use crate::domain::outward::intent::Intent;
use crate::domain::outward::operation::Operation;
use crate::domain::outward::outcome::{Found, Obstacle, Outcome, Reference};
use crate::domain::outward::pace::Pace;
use crate::domain::server_note::ServerNote;
use crate::domain::time::{Span, Timestamp};
use crate::io::http::{Body, Endpoint, Explained, Failure, Http, Request};
use crate::io::integration::Integration;
use crate::io::port::{ChatRoom, Outward, Target, Task};
use crate::io::rooms::{self, cut, segment, slug, with};
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};

/// Its row in the registry.
pub const INTEGRATION: Integration = Integration {
    kind: "matrix",
    about: "Matrix: the incident room, with an access token",
    sections: &[Section::Chat],
    url: None,
    secret_url: false,
    options: &OPTIONS,
    check,
    connect,
};

const OPTIONS: [(&str, &str); 6] =
    [rooms::ROOM_PREFIX, rooms::PRIVATE, rooms::INVITE, rooms::PEOPLE, rooms::VOLUNTEER, rooms::IMPORT];
/// What volunteers unless the configuration says otherwise.
const VOLUNTEER: [&str; 4] = ["🏅", "🎖", "✋", "🙋"];
/// The largest answer that is read.
const LIMIT: usize = 4 * 1024 * 1024;
/// The longest text of a message, in characters; an event has at most 64 KiB.
const LONGEST: usize = 8_000;
const API: &str = "_matrix/client/v3";

fn settings(config: &OutsideConfig, reader: &mut Reader<'_>) -> RoomSettings {
    let fields = config.options(reader, &INTEGRATION.keys());
    rooms::settings(reader, fields.as_ref(), &VOLUNTEER)
}

fn check(config: &OutsideConfig, reader: &mut Reader<'_>) {
    let settings = settings(config, reader);
    rooms::wants_bearer(config, reader);
    let ids = settings.invite.iter().map(|p| &p.id).chain(settings.people.values());
    for id in ids.filter(|id| !is_user(id)) {
        let message = format!("`{id}` is no Matrix user (expected @name:server)");
        reader.error(config.options_mark(), "wrong-type", message);
    }
}

fn is_user(id: &str) -> bool {
    id.strip_prefix('@').and_then(|rest| rest.split_once(':')).is_some_and(|(a, b)| !a.is_empty() && !b.is_empty())
}

fn connect(config: &OutsideConfig, endpoint: Endpoint) -> Result<Target, Fault> {
    let settings = settings(config, &mut Reader::new(&config.path));
    let (address, limit) = (endpoint.url().to_owned(), endpoint.timeout);
    let (read_only, private) = (config.read_only, settings.private);
    let matrix = Arc::new(Matrix { read_only, private, http: Http::new(endpoint), me: Mutex::default() });
    Ok(Target::new(INTEGRATION.kind, address, limit * 3, matrix.clone()).with_chat(matrix).rooms(settings))
}

/// One homeserver.
#[derive(Debug)]
struct Matrix {
    read_only: bool,
    private: bool,
    http: Http,
    /// `@bot:server`, once it was asked.
    me: Mutex<Option<String>>,
}

/// `{"errcode", "error", "retry_after_ms"}`. The code stands first in the words too.
fn explain(body: &[u8]) -> Explained {
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return Explained::default() };
    let code = decode::text(&value, "/errcode");
    let wait = value.get("retry_after_ms").and_then(Value::as_i64).and_then(Span::try_milliseconds);
    let kind = match code {
        "M_UNKNOWN_TOKEN" | "M_MISSING_TOKEN" => Some(FaultKind::Auth),
        "M_LIMIT_EXCEEDED" => Some(FaultKind::RateLimited),
        _ => None,
    };
    // Rights are given room by room there; a guest has none anywhere.
    let bar = match code {
        "M_FORBIDDEN" => Some(Obstacle::Protected),
        "M_GUEST_ACCESS_FORBIDDEN" => Some(Obstacle::Scope),
        _ => None,
    };
    let text = format!("{code} {}", decode::text(&value, "/error")).trim().to_owned();
    Explained { kind, text, retry_after: wait, code: Some(code.to_owned()).filter(|code| !code.is_empty()), bar }
}

impl Matrix {
    async fn call(&self, method: Method, path: String, body: Option<&Value>) -> Result<Value, Failure> {
        let mut request = Request::get(path, LIMIT, explain).by(method);
        if let Some(body) = body {
            request.body = Body::Json(body.to_string());
        }
        self.answer(&request).await
    }

    async fn answer(&self, request: &Request) -> Result<Value, Failure> {
        let reply = self.http.write(request).await?;
        serde_json::from_slice(&reply.body)
            .map_err(|_| Failure::unreadable(self.http.endpoint().name(), "the answer is no JSON"))
    }

    async fn get(&self, path: String) -> Result<Value, Failure> {
        self.call(Method::GET, path, None).await
    }

    async fn me(&self) -> Result<String, Failure> {
        let known = self.me.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(me) = known {
            return Ok(me);
        }
        let answer = self.get(format!("{API}/account/whoami")).await?;
        let me = decode::text(&answer, "/user_id").to_owned();
        *self.me.lock().unwrap_or_else(PoisonError::into_inner) = Some(me.clone());
        Ok(me)
    }

    async fn send(&self, op: &Operation) -> Outcome {
        let Intent::Chat(write) = &op.intent else {
            return Outcome::unsupported(format!("Matrix cannot {}", op.intent.capability().title()));
        };
        if let Some(words) = self.caps().why_not(write.capability()) {
            let kind = if self.read_only { Obstacle::ReadOnly } else { Obstacle::Unsupported };
            return Outcome::Refused { kind, words };
        }
        match self.carry_out(op, write).await {
            Ok(outcome) => outcome,
            Err(failure) => failure.outcome(),
        }
    }

    async fn carry_out(&self, op: &Operation, write: &ChatWrite) -> Result<Outcome, Failure> {
        match write {
            ChatWrite::CreateRoom { name, topic, private, invite } => {
                self.create(name, topic, *private || self.private, invite).await
            }
            ChatWrite::SetTopic { room, topic } => {
                let body = json!({"topic": cut(topic, LONGEST)});
                self.put_state(room, "m.room.topic", &body).await.map(|()| Outcome::applied())
            }
            ChatWrite::Invite { room, people } => self.invite(room, people).await,
            ChatWrite::Post { room: Some(room), text, thread } => {
                let mut content = words(text);
                if let Some(thread) = thread {
                    let about = json!({"rel_type": "m.thread", "event_id": thread});
                    content = with(content, [("m.relates_to", about)]);
                }
                self.message(op, room, &content).await
            }
            ChatWrite::Edit { room: Some(room), message, text } => {
                let about = json!({"rel_type": "m.replace", "event_id": message});
                let more = [("m.new_content", words(text)), ("m.relates_to", about)];
                let content = with(words(&format!("* {text}")), more);
                // The message keeps its id; that of the edit is of no use to anybody.
                self.message(op, room, &content).await?;
                Ok(Outcome::Applied(Reference::id(message).at(Some(self.link_to(room, Some(message)).await))))
            }
            ChatWrite::Pin { room, message } => self.pin(room, message).await,
            ChatWrite::Post { room: None, .. } | ChatWrite::Edit { room: None, .. } => {
                Ok(Outcome::Refused { kind: Obstacle::Invalid, words: "Matrix wants a room to post to".into() })
            }
            ChatWrite::Bookmark { .. } => Ok(Outcome::unsupported("Matrix has no bookmarks")),
        }
    }

    async fn create(&self, name: &str, topic: &str, private: bool, invite: &[Party]) -> Result<Outcome, Failure> {
        let alias = slug(name, 120);
        let mut body = json!({
            "preset": if private { "private_chat" } else { "public_chat" },
            "visibility": "private",
            "room_alias_name": alias,
            "name": name,
        });
        if !topic.is_empty() {
            body = with(body, [("topic", json!(cut(topic, LONGEST)))]);
        }
        if !invite.is_empty() {
            let ids: Vec<&str> = invite.iter().map(|p| p.id.as_str()).collect();
            body = with(body, [("invite", json!(ids))]);
        }
        match self.call(Method::POST, format!("{API}/createRoom"), Some(&body)).await {
            Ok(answer) => {
                let id = decode::text(&answer, "/room_id").to_owned();
                Ok(Outcome::Applied(self.named(id, &alias).await))
            }
            Err(failure) if failure.says("M_ROOM_IN_USE") => match self.by_alias(&alias).await? {
                Some((id, true)) => Ok(Outcome::AlreadyDone(self.named(id, &alias).await)),
                _ => Ok(Outcome::Conflict {
                    current: format!("#{alias} is somebody else's room; open the room under another name"),
                }),
            },
            Err(failure) => Err(failure),
        }
    }

    async fn named(&self, id: String, alias: &str) -> Reference {
        let url = self.link_to(&id, None).await;
        Reference::id(id).named(alias).at(Some(url))
    }

    /// The page of a room or of one of its messages, in whatever client the reader has.
    async fn link_to(&self, room: &str, message: Option<&str>) -> String {
        let message = message.map(|m| format!("/{m}")).unwrap_or_default();
        let via = match self.me().await.ok().and_then(|me| me.split_once(':').map(|(_, server)| server.to_owned())) {
            Some(server) => format!("?via={server}"),
            None => String::new(),
        };
        format!("https://matrix.to/#/{room}{message}{via}")
    }

    /// The room of an alias on our server, and whether we made it.
    async fn by_alias(&self, alias: &str) -> Result<Option<(String, bool)>, Failure> {
        let me = self.me().await?;
        let server = me.split_once(':').map(|(_, server)| server).unwrap_or_default();
        let path = format!("{API}/directory/room/{}", segment(&format!("#{alias}:{server}")));
        let id = match self.get(path).await {
            Ok(answer) => decode::text(&answer, "/room_id").to_owned(),
            Err(failure) if failure.answered(404) => return Ok(None),
            Err(failure) => return Err(failure),
        };
        let state = self.get(format!("{API}/rooms/{}/state", segment(&id))).await;
        // Who is not in the room may not read who made it.
        let ours = state.is_ok_and(|state| decode::creator(&state) == Some(me.as_str()));
        Ok(Some((id, ours)))
    }

    async fn invite(&self, room: &str, people: &[Party]) -> Result<Outcome, Failure> {
        let mut invited = false;
        for person in people {
            let path = format!("{API}/rooms/{}/state/m.room.member/{}", segment(room), segment(&person.id));
            let there =
                self.get(path).await.is_ok_and(|m| matches!(decode::text(&m, "/membership"), "join" | "invite"));
            if there {
                continue;
            }
            let body = json!({"user_id": person.id});
            self.call(Method::POST, format!("{API}/rooms/{}/invite", segment(room)), Some(&body)).await?;
            invited = true;
        }
        Ok(if invited { Outcome::applied() } else { Outcome::AlreadyDone(Reference::default()) })
    }

    async fn message(&self, op: &Operation, room: &str, content: &Value) -> Result<Outcome, Failure> {
        let path = format!("{API}/rooms/{}/send/m.room.message/{}", segment(room), segment(op.id.as_str()));
        let answer = self.call(Method::PUT, path, Some(content)).await?;
        let id = decode::text(&answer, "/event_id").to_owned();
        let url = self.link_to(room, Some(&id)).await;
        Ok(Outcome::Applied(Reference::id(id).at(Some(url))))
    }

    async fn put_state(&self, room: &str, kind: &str, body: &Value) -> Result<(), Failure> {
        let path = format!("{API}/rooms/{}/state/{kind}", segment(room));
        self.call(Method::PUT, path, Some(body)).await.map(drop)
    }

    async fn pins(&self, room: &str) -> Result<Vec<String>, Failure> {
        match self.get(format!("{API}/rooms/{}/state/m.room.pinned_events", segment(room))).await {
            Ok(state) => Ok(decode::strings(&state, "/pinned")),
            Err(failure) if failure.answered(404) => Ok(Vec::new()),
            Err(failure) => Err(failure),
        }
    }

    async fn pin(&self, room: &str, message: &str) -> Result<Outcome, Failure> {
        let mut pinned = self.pins(room).await?;
        if pinned.iter().any(|id| id == message) {
            return Ok(Outcome::AlreadyDone(Reference::default()));
        }
        pinned.push(message.to_owned());
        self.put_state(room, "m.room.pinned_events", &json!({"pinned": pinned})).await?;
        Ok(Outcome::applied())
    }

    async fn reacted(&self, room: &str, message: &str) -> Result<Vec<Volunteer>, Failure> {
        let me = self.me().await?;
        let path = format!("_matrix/client/v1/rooms/{}/relations/{}/m.annotation", segment(room), segment(message));
        let request = Request::get(path, LIMIT, explain).query("limit", "100");
        let answer = self.answer(&request).await?;
        let mut out = decode::reactions(&answer);
        out.retain(|volunteer| volunteer.person.id != me);
        Ok(out)
    }

    async fn written(&self, room: &str, since: Timestamp) -> Result<Vec<ChatMessage>, Failure> {
        let me = self.me().await?;
        let pinned = self.pins(room).await?;
        let (mut out, mut from) = (Vec::new(), String::new());
        // The newest five hundred.
        for _ in 0..5 {
            let mut request = Request::get(format!("{API}/rooms/{}/messages", segment(room)), LIMIT, explain)
                .query("dir", "b")
                .query("limit", "100");
            if !from.is_empty() {
                request = request.query("from", from.as_str());
            }
            let answer = self.answer(&request).await?;
            let page = decode::messages(&answer, &me);
            let old = page.last().is_some_and(|m| m.at < since);
            out.extend(page.into_iter().filter(|m| m.at >= since));
            from = decode::text(&answer, "/end").to_owned();
            if old || from.is_empty() {
                break;
            }
        }
        for id in &pinned {
            match out.iter_mut().find(|m| m.id == *id) {
                Some(message) => message.pinned = true,
                None => {
                    let path = format!("{API}/rooms/{}/event/{}", segment(room), segment(id));
                    // A pinned message may be gone, or hidden from us.
                    let event = self.get(path).await.unwrap_or_default();
                    out.extend(decode::message(&event, &me).map(|m| ChatMessage { pinned: true, ..m }));
                }
            }
        }
        // Pages come newest first; of one instant the order of the room stays.
        out.reverse();
        out.sort_by_key(|m| m.at);
        Ok(out)
    }
}

/// A message of plain words that mentions nobody.
fn words(text: &str) -> Value {
    json!({"msgtype": "m.text", "body": cut(text, LONGEST), "m.mentions": {}})
}

impl Outward for Matrix {
    fn caps(&self) -> Caps {
        let caps = Caps::none()
            .with(Class::RepeatWithKey, &[Capability::CreateRoom, Capability::Post, Capability::EditMessage])
            .with(Class::Repeat, &[Capability::SetTopic, Capability::Invite, Capability::Pin])
            .with(Class::Repeat, &[Capability::ReadVolunteers, Capability::ReadMessages])
            .without(Lack::Unsupported, "Matrix has no bookmarks", &[Capability::Bookmark]);
        if self.read_only { caps.read_only() } else { caps }
    }

    fn pace(&self) -> Pace {
        // A homeserver as it is shipped takes about five quick messages, then one in five seconds.
        Pace { burst: 5, per_minute: 20 }
    }

    fn apply<'a>(&'a self, op: &'a Operation) -> Task<'a, Outcome> {
        Box::pin(self.send(op))
    }

    /// Everything is repeated under its key; only a room can be looked for.
    fn look<'a>(&'a self, op: &'a Operation) -> Task<'a, Found> {
        Box::pin(async move {
            let Intent::Chat(ChatWrite::CreateRoom { name, .. }) = &op.intent else { return Found::NoWay };
            let alias = slug(name, 120);
            match self.by_alias(&alias).await {
                Ok(Some((id, true))) => Found::Done(self.named(id, &alias).await),
                Ok(Some((_, false))) => Found::Conflict { current: format!("#{alias} is somebody else's room") },
                Ok(None) => Found::Absent,
                Err(failure) => failure.found(),
            }
        })
    }

    fn probe(&self) -> Task<'_, Result<ServerNote, Fault>> {
        Box::pin(async move {
            let request = Request::get(format!("{API}/account/whoami"), LIMIT, explain);
            let reply = self.http.send(&request).await?;
            let answer: Value = serde_json::from_slice(&reply.body)
                .map_err(|_| Fault::new(FaultKind::Malformed, self.http.endpoint().name(), "the answer is no JSON"))?;
            let me = decode::text(&answer, "/user_id").to_owned();
            let version = Some(format!("as {me}"));
            *self.me.lock().unwrap_or_else(PoisonError::into_inner) = Some(me);
            Ok(ServerNote { requests: 1, skew: reply.skew, version, ..ServerNote::default() })
        })
    }
}

impl ChatRoom for Matrix {
    fn find<'a>(&'a self, name: &'a str) -> Task<'a, Result<Option<Room>, Fault>> {
        Box::pin(async move {
            let alias = slug(name, 120);
            let found = self.by_alias(&alias).await.map_err(|f| f.fault)?;
            let Some((id, _)) = found else { return Ok(None) };
            let url = Some(self.link_to(&id, None).await);
            Ok(Some(Room { id, name: alias, url }))
        })
    }

    fn volunteers<'a>(&'a self, room: &'a str, message: &'a str) -> Task<'a, Result<Vec<Volunteer>, Fault>> {
        Box::pin(async move { self.reacted(room, message).await.map_err(|f| f.fault) })
    }

    fn messages<'a>(&'a self, room: &'a str, since: Timestamp) -> Task<'a, Result<Vec<ChatMessage>, Fault>> {
        Box::pin(async move { self.written(room, since).await.map_err(|f| f.fault) })
    }

    fn permalink<'a>(&'a self, room: &'a str, message: &'a str) -> Task<'a, Result<String, Fault>> {
        Box::pin(async move { Ok(self.link_to(room, Some(message)).await) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_bodies_are_read() {
        let explained = explain(br#"{"errcode":"M_LIMIT_EXCEEDED","error":"Too Many Requests","retry_after_ms":4498}"#);
        assert_eq!(explained.retry_after, Some(Span::milliseconds(4_498)));
        assert_eq!(explained.text, "M_LIMIT_EXCEEDED Too Many Requests");
        assert_eq!(explain(b"<html>"), Explained::default());
        assert!(is_user("@bot:localhost") && !is_user("bot") && !is_user("@bot") && !is_user("@:x"));
    }
}

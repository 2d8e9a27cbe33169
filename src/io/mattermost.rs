//! Mattermost: the incident room over the REST API with the token of a bot. A post carries its operation twice: as
//! `pending_post_id`, by which the server drops a second one for thirty seconds, and in its properties, where it is found
//! again later. Text from outside is escaped, so that nothing in it mentions anybody.

mod decode;
mod text;

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
use crate::io::rooms::{self, cut, segment, slug};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Its row in the registry.
pub const INTEGRATION: Integration = Integration {
    kind: "mattermost",
    about: "Mattermost: the incident room, with the token of a bot",
    sections: &[Section::Chat],
    url: None,
    secret_url: false,
    options: &OPTIONS,
    check,
    connect,
};

const OPTIONS: [(&str, &str); 7] = [
    ("team", "the team in which rooms are opened, as its address spells it; needed"),
    rooms::ROOM_PREFIX,
    rooms::PRIVATE,
    rooms::INVITE,
    rooms::PEOPLE,
    rooms::VOLUNTEER,
    rooms::IMPORT,
];
/// What volunteers unless the configuration says otherwise.
const VOLUNTEER: [&str; 6] = ["medal_sports", "sports_medal", "medal_military", "hand", "raised_hand", "raising_hand"];
/// The largest answer that is read.
const LIMIT: usize = 4 * 1024 * 1024;
/// The longest name of a channel.
const NAME: usize = 64;
/// The longest header of a channel.
const HEADER: usize = 1_024;
/// How far the two clocks may be apart when a post is looked for.
const APART: Span = Span::minutes(10);
const API: &str = "api/v4";

fn settings(config: &OutsideConfig, reader: &mut Reader<'_>) -> (RoomSettings, String) {
    let fields = config.options(reader, &INTEGRATION.keys());
    let team = fields.as_ref().and_then(|f| f.get("team")).and_then(|n| reader.string(n, "team"));
    (rooms::settings(reader, fields.as_ref(), &VOLUNTEER), team.unwrap_or_default())
}

fn check(config: &OutsideConfig, reader: &mut Reader<'_>) {
    let (_, team) = settings(config, reader);
    rooms::wants_bearer(config, reader);
    if team.trim().is_empty() {
        reader.error(config.options_mark(), "missing-key", "mattermost needs options: {team: NAME}");
    }
}

fn connect(config: &OutsideConfig, endpoint: Endpoint) -> Result<Target, Fault> {
    let (settings, team) = settings(config, &mut Reader::new(&config.path));
    let (address, limit) = (endpoint.url().to_owned(), endpoint.timeout);
    let mattermost = Arc::new(Mattermost {
        read_only: config.read_only,
        private: settings.private,
        team,
        http: Http::new(endpoint),
        known: Mutex::default(),
        unlicensed: Mutex::default(),
    });
    let target = Target::new(INTEGRATION.kind, address, limit * 3, mattermost.clone());
    Ok(target.with_chat(mattermost).rooms(settings))
}

/// What was asked one time.
#[derive(Clone, Debug, Default)]
struct Known {
    me: Option<String>,
    team: Option<String>,
    people: BTreeMap<String, (Party, bool)>,
}

/// One server and the team on it.
#[derive(Debug)]
struct Mattermost {
    read_only: bool,
    private: bool,
    team: String,
    http: Http,
    known: Mutex<Known>,
    /// What an answer said that the licence does not include.
    unlicensed: Mutex<BTreeMap<Capability, String>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `{"id", "message", "status_code"}`. The id stands first in the words too.
fn explain(body: &[u8]) -> Explained {
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return Explained::default() };
    let (id, message) = (decode::text(&value, "/id"), decode::text(&value, "/message"));
    // 501: the server knows the call, and its licence does not.
    let licence = value.get("status_code").and_then(Value::as_u64) == Some(501);
    let kind = licence.then_some(FaultKind::Permission);
    let code = Some(id.to_owned()).filter(|id| !id.is_empty());
    Explained { kind, text: format!("{id} {message}").trim().to_owned(), code, ..Explained::default() }
}

fn taken(failure: &Failure) -> bool {
    failure.answered(400) && failure.code.as_deref().is_some_and(|code| code.ends_with(".exists.app_error"))
}

impl Mattermost {
    async fn call(&self, method: Method, path: String, body: &Value) -> Result<Value, Failure> {
        let mut request = Request::get(path, LIMIT, explain).by(method);
        request.body = Body::Json(body.to_string());
        self.answer(&request).await
    }

    async fn get(&self, path: String) -> Result<Value, Failure> {
        self.answer(&Request::get(path, LIMIT, explain)).await
    }

    async fn answer(&self, request: &Request) -> Result<Value, Failure> {
        let reply = self.http.write(request).await?;
        serde_json::from_slice(&reply.body)
            .map_err(|_| Failure::unreadable(self.http.endpoint().name(), "the answer is no JSON"))
    }

    async fn me(&self) -> Result<String, Failure> {
        let known = locked(&self.known).me.clone();
        if let Some(me) = known {
            return Ok(me);
        }
        let answer = self.get(format!("{API}/users/me")).await?;
        let me = decode::text(&answer, "/id").to_owned();
        locked(&self.known).me = Some(me.clone());
        Ok(me)
    }

    async fn team(&self) -> Result<String, Failure> {
        let known = locked(&self.known).team.clone();
        if let Some(team) = known {
            return Ok(team);
        }
        let answer = self.get(format!("{API}/teams/name/{}", segment(&self.team))).await?;
        let team = decode::text(&answer, "/id").to_owned();
        locked(&self.known).team = Some(team.clone());
        Ok(team)
    }

    fn page(&self, kind: &str, name: &str) -> Option<String> {
        let base = self.http.endpoint().url().trim_end_matches('/').to_owned();
        Some(format!("{base}/{}/{kind}/{name}", segment(&self.team)))
    }

    fn named(&self, room: Room) -> Reference {
        let url = self.page("channels", &room.name);
        Reference::id(room.id).named(room.name).at(url)
    }

    async fn send(&self, op: &Operation) -> Outcome {
        let Intent::Chat(write) = &op.intent else {
            return Outcome::unsupported(format!("Mattermost cannot {}", op.intent.capability().title()));
        };
        if let Some(words) = self.caps().why_not(write.capability()) {
            let kind = if self.read_only { Obstacle::ReadOnly } else { Obstacle::Unsupported };
            return Outcome::Refused { kind, words };
        }
        match self.carry_out(op, write).await {
            Ok(outcome) => outcome,
            Err(failure) => {
                if failure.status == Some(501) {
                    locked(&self.unlicensed).insert(write.capability(), failure.fault.detail.clone());
                }
                failure.outcome()
            }
        }
    }

    async fn carry_out(&self, op: &Operation, write: &ChatWrite) -> Result<Outcome, Failure> {
        match write {
            ChatWrite::CreateRoom { name, topic, private, .. } => {
                self.create(name, topic, *private || self.private).await
            }
            ChatWrite::SetTopic { room, topic } => {
                let body = json!({"header": text::plain(&cut(topic, HEADER))});
                self.call(Method::PUT, format!("{API}/channels/{}/patch", segment(room)), &body).await?;
                Ok(Outcome::applied())
            }
            ChatWrite::Invite { room, people } => self.invite(room, people).await,
            ChatWrite::Post { room: Some(room), text, thread } => {
                let body = json!({
                    "channel_id": room,
                    "message": text::message(text),
                    "root_id": thread.as_deref().unwrap_or_default(),
                    "pending_post_id": op.id.as_str(),
                    "props": {decode::OPERATION: op.id.as_str()},
                });
                let answer = self.call(Method::POST, format!("{API}/posts"), &body).await?;
                Ok(Outcome::Applied(self.post_reference(&answer)))
            }
            ChatWrite::Edit { room: Some(_), message, text } => {
                let body = json!({"message": text::message(text)});
                self.call(Method::PUT, format!("{API}/posts/{}/patch", segment(message)), &body).await?;
                Ok(Outcome::Applied(Reference::id(message).at(self.page("pl", message))))
            }
            ChatWrite::Pin { message, .. } => {
                self.call(Method::POST, format!("{API}/posts/{}/pin", segment(message)), &json!({})).await?;
                Ok(Outcome::applied())
            }
            ChatWrite::Bookmark { room, title, url } => {
                if let Some(id) = self.bookmarked(room, title, url).await? {
                    return Ok(Outcome::AlreadyDone(Reference::id(id)));
                }
                let body = json!({"display_name": cut(title, 64), "link_url": url, "type": "link"});
                let answer =
                    self.call(Method::POST, format!("{API}/channels/{}/bookmarks", segment(room)), &body).await?;
                Ok(Outcome::Applied(Reference::id(decode::text(&answer, "/id"))))
            }
            ChatWrite::Post { room: None, .. } | ChatWrite::Edit { room: None, .. } => {
                Ok(Outcome::Refused { kind: Obstacle::Invalid, words: "Mattermost wants a room to post to".into() })
            }
        }
    }

    fn post_reference(&self, post: &Value) -> Reference {
        let id = decode::text(post, "/id");
        Reference::id(id).at(self.page("pl", id))
    }

    async fn create(&self, name: &str, topic: &str, private: bool) -> Result<Outcome, Failure> {
        let slug = slug(name, NAME);
        let body = json!({
            "team_id": self.team().await?,
            "name": slug,
            "display_name": cut(name, NAME),
            "type": if private { "P" } else { "O" },
            "header": text::plain(&cut(topic, HEADER)),
        });
        match self.call(Method::POST, format!("{API}/channels"), &body).await {
            Ok(answer) => Ok(Outcome::Applied(self.named(decode::room(&answer)))),
            Err(failure) if taken(&failure) => Ok(match self.by_name(&slug).await? {
                Some((room, true)) => Outcome::AlreadyDone(self.named(room)),
                _ => Outcome::Conflict {
                    current: format!("~{slug} is somebody else's channel; open the room under another name"),
                },
            }),
            Err(failure) => Err(failure),
        }
    }

    /// The channel of a name, and whether we made it.
    async fn by_name(&self, name: &str) -> Result<Option<(Room, bool)>, Failure> {
        let (me, team) = (self.me().await?, self.team().await?);
        match self.get(format!("{API}/teams/{}/channels/name/{}", segment(&team), segment(name))).await {
            Ok(answer) => Ok(Some((decode::room(&answer), decode::text(&answer, "/creator_id") == me))),
            Err(failure) if failure.answered(404) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Ids are taken as they are; addresses and names are asked for.
    async fn user(&self, person: &Party) -> Result<Option<String>, Failure> {
        let path = match (&person.email, person.id.strip_prefix('@')) {
            (Some(email), _) => format!("{API}/users/email/{}", segment(email)),
            (None, Some(name)) => format!("{API}/users/username/{}", segment(name)),
            (None, None) => return Ok(Some(person.id.clone())),
        };
        match self.get(path).await {
            Ok(answer) => Ok(Some(decode::text(&answer, "/id").to_owned())),
            Err(failure) if failure.answered(404) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    async fn invite(&self, room: &str, people: &[Party]) -> Result<Outcome, Failure> {
        let (mut invited, mut unknown) = (false, Vec::new());
        for person in people {
            let Some(user) = self.user(person).await? else {
                unknown.push(person.name.clone());
                continue;
            };
            let path = format!("{API}/channels/{}/members", segment(room));
            self.call(Method::POST, path, &json!({"user_id": user})).await?;
            invited = true;
        }
        let without = format!("without {}: not known to Mattermost", unknown.join(", "));
        Ok(match (invited, unknown.is_empty()) {
            (false, false) => Outcome::Refused { kind: Obstacle::Invalid, words: without },
            (true, false) => Outcome::Applied(Reference::default().named(without)),
            _ => Outcome::applied(),
        })
    }

    async fn bookmarked(&self, room: &str, title: &str, url: &str) -> Result<Option<String>, Failure> {
        let answer = self.get(format!("{API}/channels/{}/bookmarks", segment(room))).await?;
        let title = cut(title, 64);
        let same = |b: &&Value| decode::text(b, "/link_url") == url && decode::text(b, "/display_name") == title;
        let found = answer.as_array().map_or(&[][..], Vec::as_slice).iter().find(same);
        Ok(found.map(|bookmark| decode::text(bookmark, "/id").to_owned()))
    }

    async fn posts(&self, room: &str, since: Timestamp) -> Result<Vec<Value>, Failure> {
        let path = format!("{API}/channels/{}/posts", segment(room));
        let request = Request::get(path, LIMIT, explain).query("since", since.timestamp_millis().to_string());
        Ok(decode::posts(&self.answer(&request).await?))
    }

    async fn seek(&self, op: &Operation) -> Result<Found, Failure> {
        let Intent::Chat(write) = &op.intent else { return Ok(Found::NoWay) };
        match write {
            ChatWrite::CreateRoom { name, .. } => Ok(match self.by_name(&slug(name, NAME)).await? {
                Some((room, true)) => Found::Done(self.named(room)),
                Some((room, false)) => {
                    Found::Conflict { current: format!("~{} is somebody else's channel", room.name) }
                }
                None => Found::Absent,
            }),
            ChatWrite::Post { room: Some(room), .. } => {
                let posts = self.posts(room, op.created_at - APART).await?;
                let ours = posts.iter().find(|post| decode::operation(post) == op.id.as_str());
                Ok(ours.map_or(Found::Absent, |post| Found::Done(self.post_reference(post))))
            }
            ChatWrite::Bookmark { room, title, url } => {
                let found = self.bookmarked(room, title, url).await?;
                Ok(found.map_or(Found::Absent, |id| Found::Done(Reference::id(id))))
            }
            _ => Ok(Found::NoWay),
        }
    }

    /// Who somebody is; what cannot be told is the bare id.
    async fn person_of(&self, id: &str) -> (Party, bool) {
        let known = locked(&self.known).people.get(id).cloned();
        if let Some(person) = known {
            return person;
        }
        match self.get(format!("{API}/users/{}", segment(id))).await {
            Ok(answer) => {
                let person = decode::person(&answer);
                locked(&self.known).people.insert(id.to_owned(), person.clone());
                person
            }
            Err(_) => (Party { id: id.to_owned(), name: id.to_owned(), ..Party::default() }, false),
        }
    }

    async fn reacted(&self, message: &str) -> Result<Vec<Volunteer>, Failure> {
        let me = self.me().await?;
        let answer = self.get(format!("{API}/posts/{}/reactions", segment(message))).await?;
        let mut out = Vec::new();
        for (reaction, user, at) in decode::reactions(&answer) {
            if user != me {
                let (person, bot) = self.person_of(&user).await;
                out.push(Volunteer { person, reaction, at, bot });
            }
        }
        Ok(out)
    }

    async fn written(&self, room: &str, since: Timestamp) -> Result<Vec<ChatMessage>, Failure> {
        let me = self.me().await?;
        let mut posts = self.posts(room, since).await?;
        // What is pinned counts however old it is.
        posts.extend(decode::posts(&self.get(format!("{API}/channels/{}/pinned", segment(room))).await?));
        let mut out: Vec<ChatMessage> = Vec::new();
        for post in &posts {
            let Some(read) = decode::message(post) else { continue };
            if out.iter().any(|m| m.id == read.id) {
                continue;
            }
            let (author, bot) = self.person_of(&read.author.id).await;
            let bot = bot || read.bot || author.id == me;
            out.push(ChatMessage { author, bot, ..read });
        }
        out.sort_by_key(|m| m.at);
        Ok(out)
    }
}

impl Outward for Mattermost {
    fn caps(&self) -> Caps {
        let mut caps = Caps::none()
            .with(Class::Compare, &[Capability::CreateRoom, Capability::Post, Capability::Bookmark])
            .with(Class::Repeat, &[Capability::SetTopic, Capability::Invite, Capability::EditMessage, Capability::Pin])
            .with(Class::Repeat, &[Capability::ReadVolunteers, Capability::ReadMessages]);
        for (capability, words) in locked(&self.unlicensed).iter() {
            caps.lose(*capability, Lack::PlanLacks, words);
        }
        if self.read_only { caps.read_only() } else { caps }
    }

    fn forget(&self) {
        locked(&self.unlicensed).clear();
    }

    fn pace(&self) -> Pace {
        Pace { burst: 10, per_minute: 300 }
    }

    fn apply<'a>(&'a self, op: &'a Operation) -> Task<'a, Outcome> {
        Box::pin(self.send(op))
    }

    fn look<'a>(&'a self, op: &'a Operation) -> Task<'a, Found> {
        Box::pin(async move { self.seek(op).await.unwrap_or_else(|failure| failure.found()) })
    }

    fn probe(&self) -> Task<'_, Result<ServerNote, Fault>> {
        Box::pin(async move {
            let reply = self.http.send(&Request::get(format!("{API}/users/me"), LIMIT, explain)).await?;
            let answer: Value = serde_json::from_slice(&reply.body)
                .map_err(|_| Fault::new(FaultKind::Malformed, self.http.endpoint().name(), "the answer is no JSON"))?;
            locked(&self.known).me = Some(decode::text(&answer, "/id").to_owned());
            locked(&self.unlicensed).clear();
            self.team().await.map_err(|failure| failure.fault)?;
            let version = Some(format!("as {} in {}", decode::text(&answer, "/username"), self.team));
            Ok(ServerNote { requests: 2, skew: reply.skew, version, ..ServerNote::default() })
        })
    }
}

impl ChatRoom for Mattermost {
    fn find<'a>(&'a self, name: &'a str) -> Task<'a, Result<Option<Room>, Fault>> {
        Box::pin(async move {
            let found = self.by_name(&slug(name, NAME)).await.map_err(|f| f.fault)?;
            Ok(found.map(|(room, _)| Room { url: self.page("channels", &room.name), ..room }))
        })
    }

    fn volunteers<'a>(&'a self, _: &'a str, message: &'a str) -> Task<'a, Result<Vec<Volunteer>, Fault>> {
        Box::pin(async move { self.reacted(message).await.map_err(|f| f.fault) })
    }

    fn messages<'a>(&'a self, room: &'a str, since: Timestamp) -> Task<'a, Result<Vec<ChatMessage>, Fault>> {
        Box::pin(async move { self.written(room, since).await.map_err(|f| f.fault) })
    }

    fn permalink<'a>(&'a self, _: &'a str, message: &'a str) -> Task<'a, Result<String, Fault>> {
        Box::pin(async move { Ok(self.page("pl", message).unwrap_or_default()) })
    }

    fn person<'a>(&'a self, email: &'a str) -> Task<'a, Result<Option<Party>, Fault>> {
        Box::pin(async move {
            match self.get(format!("{API}/users/email/{}", segment(email))).await {
                Ok(answer) => Ok(Some(decode::person(&answer).0)),
                Err(failure) if failure.answered(404) => Ok(None),
                Err(failure) => Err(failure.fault),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_bodies_are_read() {
        let body = br#"{"id":"store.sql_channel.save_channel.exists.app_error","message":"A channel with that name already exists","status_code":400}"#;
        assert!(explain(body).text.starts_with("store.sql_channel.save_channel.exists.app_error A channel"));
        assert_eq!(explain(br#"{"id":"license","status_code":501}"#).kind, Some(FaultKind::Permission));
        assert_eq!(explain(b"oops"), Explained::default());
    }
}

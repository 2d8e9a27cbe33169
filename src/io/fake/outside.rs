//! Simulated targets of writes: every port at once, with a ledger of what was really carried out and a script of troubles.
//! Nothing leaves. A target honours keys where its class says so, so that what the outbox does wrong shows in the ledger.

use crate::domain::fault::{Fault, FaultKind};
use crate::domain::ids::SourceName;
use crate::domain::outward::annotation::Annotation;
use crate::domain::outward::backend::{
    BackendIncident, BackendStatus, BackendWrite, LogEntry, Me, OnCall, Party, PendingAction,
};
use crate::domain::outward::capability::{Capability, Caps, Class, Lack};
use crate::domain::outward::chat::{ChatMessage, Room, RoomSettings, Volunteer};
use crate::domain::outward::event_sink::EventWrite;
use crate::domain::outward::intent::Intent;
use crate::domain::outward::operation::{OpId, Operation};
use crate::domain::outward::outcome::{Found, Obstacle, Outcome, Reference};
use crate::domain::outward::silence::Silence;
use crate::domain::outward::status_page::{Component, Notice};
use crate::domain::outward::ticket::Ticket;
use crate::domain::time::{Timestamp, mins};
use crate::io::port::{
    Annotations, ChatRoom, EventSink, IncidentBackend, Outward, Silences, StatusPage, Target, Task, TicketSink,
};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No connection: nothing arrives.
    Unreachable,
    /// 401.
    Auth,
    /// 429, with or without a hint in seconds.
    RateLimited(Option<i64>),
    /// 414.
    TooLong,
    /// A login page.
    LoginPage,
    /// It is carried out, and the answer never comes.
    LostReply,
    /// It is not carried out, and no answer comes either: nobody can tell the two apart.
    LostRequest,
    /// A proxy delivers it twice; the second answer comes.
    Duplicate,
    /// The answer takes longer than any patience; it is carried out.
    Slow,
}

/// Something that was carried out.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    /// For which operation.
    pub op: OpId,
    /// What.
    pub capability: Capability,
    /// In words.
    pub words: String,
}

#[derive(Debug, Default)]
struct State {
    effects: Vec<Effect>,
    requests: usize,
    script: VecDeque<Trouble>,
    down: bool,
    incidents: Vec<BackendIncident>,
    on_call: Vec<OnCall>,
    volunteers: Vec<Volunteer>,
    messages: Vec<ChatMessage>,
    annotations: Vec<Annotation>,
}

/// What every request meets now; `None` is nothing.
#[derive(Clone)]
struct Weather(Arc<dyn Fn() -> Option<Trouble> + Send + Sync>);

impl std::fmt::Debug for Weather {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Weather")
    }
}

/// One simulated target. Cloning gives another handle to the same one.
#[derive(Clone, Debug)]
pub struct FakeTarget {
    name: SourceName,
    caps: Caps,
    state: Arc<Mutex<State>>,
    thinks: Option<Duration>,
    weather: Option<Weather>,
}

const KEYED: [Capability; 5] = [
    Capability::Declare,
    Capability::Trigger,
    Capability::AcknowledgeAlarm,
    Capability::ResolveAlarm,
    Capability::SetTopic,
];
const ASKED: [Capability; 5] = [
    Capability::RequestResponders,
    Capability::StatusUpdate,
    Capability::OpenNotice,
    Capability::UpdateNotice,
    Capability::SendChange,
];
const FREE: [Capability; 4] =
    [Capability::ExpireSilence, Capability::ExtendSilence, Capability::Pin, Capability::EditMessage];

/// Classes as real products have them: most writes are looked up, pages carry a key, what customers read is asked about.
pub fn usual_caps() -> Caps {
    let rest: Vec<Capability> = Capability::ALL
        .iter()
        .filter(|c| !c.reads() && !KEYED.contains(c) && !ASKED.contains(c) && !FREE.contains(c))
        .copied()
        .collect();
    let reads: Vec<Capability> = Capability::ALL.iter().filter(|c| c.reads()).copied().collect();
    Caps::none()
        .with(Class::Compare, &rest)
        .with(Class::RepeatWithKey, &KEYED)
        .with(Class::AskPerson, &ASKED)
        .with(Class::Repeat, &FREE)
        .with(Class::Repeat, &reads)
}

/// The targets of the simulated production: the pager, the incident room, the status page, the tracker and the dashboards.
pub fn targets() -> BTreeMap<SourceName, FakeTarget> {
    let only = |ports: fn(Capability) -> bool| {
        let mut caps = usual_caps();
        for capability in Capability::ALL.iter().filter(|c| !ports(**c)) {
            caps.lose(*capability, Lack::Unsupported, "");
        }
        caps
    };
    let pager = FakeTarget::new(
        "pager",
        only(|c| {
            matches!(
                c,
                Capability::Trigger
                    | Capability::AcknowledgeAlarm
                    | Capability::ResolveAlarm
                    | Capability::ReadIncidents
                    | Capability::ReadOnCall
            )
        }),
    );
    let ada = Party { id: "U1".into(), name: "ada".into(), email: None, time_zone: Some("Europe/Berlin".into()) };
    pager.put_on_call(OnCall { person: ada, policy: None, schedule: None, level: Some(1), start: None, end: None });
    let room = FakeTarget::new(
        "room",
        only(|c| {
            matches!(
                c,
                Capability::CreateRoom
                    | Capability::SetTopic
                    | Capability::Invite
                    | Capability::Post
                    | Capability::EditMessage
                    | Capability::Pin
                    | Capability::Bookmark
                    | Capability::ReadVolunteers
                    | Capability::ReadMessages
            )
        }),
    );
    let grace = Party { id: "U2".into(), name: "grace".into(), ..Party::default() };
    room.put_volunteer(Volunteer { person: grace, reaction: "🏅".into(), at: None, bot: false });
    let page = FakeTarget::new(
        "status-page",
        only(|c| matches!(c, Capability::OpenNotice | Capability::UpdateNotice | Capability::ReadNotices)),
    );
    let tracker = FakeTarget::new("tracker", only(|c| matches!(c, Capability::CreateTicket | Capability::FindTicket)));
    let dashboards = FakeTarget::new(
        "dashboards",
        only(|c| matches!(c, Capability::Annotate | Capability::EndAnnotation | Capability::ReadAnnotations)),
    );
    [pager, room, page, tracker, dashboards].into_iter().map(|target| (target.name.clone(), target)).collect()
}

impl FakeTarget {
    /// A target with these capabilities that answers at once.
    pub fn new(name: impl Into<SourceName>, caps: Caps) -> Self {
        Self { name: name.into(), caps, state: Arc::default(), thinks: None, weather: None }
    }

    /// The same with a pause before every answer. Needs a tokio timer.
    pub fn thinking(mut self, pause: Duration) -> Self {
        self.thinks = Some(pause);
        self
    }

    /// The same in a weather that somebody else makes: asked before every request.
    pub fn in_weather(mut self, weather: impl Fn() -> Option<Trouble> + Send + Sync + 'static) -> Self {
        self.weather = Some(Weather(Arc::new(weather)));
        self
    }

    fn weather(&self) -> Option<Trouble> {
        self.weather.as_ref().and_then(|weather| (weather.0)())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next writes meet these, one each.
    pub fn script(&self, troubles: impl IntoIterator<Item = Trouble>) {
        self.lock().script.extend(troubles);
    }

    /// No connection until it is back.
    pub fn down(&self, down: bool) {
        self.lock().down = down;
    }

    /// What was carried out, in order.
    pub fn effects(&self) -> Vec<Effect> {
        self.lock().effects.clone()
    }

    /// Writes that arrived or tried to.
    pub fn requests(&self) -> usize {
        self.lock().requests
    }

    /// Puts an incident there, or another state of it.
    pub fn put_incident(&self, incident: BackendIncident) {
        let mut state = self.lock();
        state.incidents.retain(|i| i.id != incident.id);
        state.incidents.push(incident);
    }

    /// Puts somebody on call.
    pub fn put_on_call(&self, on_call: OnCall) {
        self.lock().on_call.push(on_call);
    }

    /// Puts a volunteer there.
    pub fn put_volunteer(&self, volunteer: Volunteer) {
        self.lock().volunteers.push(volunteer);
    }

    /// Puts a mark on the dashboards there.
    pub fn put_annotation(&self, annotation: Annotation) {
        self.lock().annotations.push(annotation);
    }

    /// Puts a message into every room there.
    pub fn put_message(&self, message: ChatMessage) {
        self.lock().messages.push(message);
    }

    /// With the ports that it can do anything of, for the engine.
    pub fn target(&self) -> Target {
        let me = Arc::new(self.clone());
        let can = |capability| self.caps.class(capability).is_some();
        let mut target = Target::new("simulated", "simulated", Duration::from_secs(5), me.clone());
        if can(Capability::ReadIncidents) {
            target = target.with_backend(me.clone()).read_every(Duration::from_secs(15));
        }
        if can(Capability::Post) {
            let settings = RoomSettings { volunteer: vec!["🏅".into()], ..RoomSettings::default() };
            target = target.with_chat(me.clone()).rooms(settings);
        }
        if can(Capability::OpenNotice) {
            target = target.with_status_page(me.clone());
        }
        if can(Capability::CreateTicket) {
            target = target.with_ticket(me.clone());
        }
        if can(Capability::Trigger) {
            target = target.with_event_sink(me.clone());
        }
        if can(Capability::Annotate) {
            target = target.with_annotations(me.clone());
        }
        if can(Capability::CreateSilence) { target.with_silences(me) } else { target }
    }

    async fn pause(&self) {
        if let Some(pause) = self.thinks {
            tokio::time::sleep(pause).await;
        }
    }

    fn fault(&self, kind: FaultKind, detail: &str) -> Fault {
        Fault::new(kind, self.name.as_str(), detail)
    }

    fn ask<T>(&self, answer: impl FnOnce(&State) -> T) -> Result<T, Fault> {
        let weather = self.weather();
        let state = self.lock();
        match weather {
            Some(Trouble::Auth) => Err(self.fault(FaultKind::Auth, "answered 401")),
            Some(Trouble::RateLimited(_)) => Err(self.fault(FaultKind::RateLimited, "answered 429")),
            Some(Trouble::LoginPage) => Err(self.fault(FaultKind::LoginPage, "answered with a web page")),
            Some(Trouble::Slow) => Err(self.fault(FaultKind::Timeout, "no answer in time")),
            Some(_) => Err(self.fault(FaultKind::Unreachable, "connection refused")),
            None if state.down => Err(self.fault(FaultKind::Unreachable, "connection refused")),
            None => Ok(answer(&state)),
        }
    }

    fn send(&self, op: &Operation) -> Outcome {
        let Some(class) = self.caps.class(op.intent.capability()) else {
            return Outcome::unsupported("not simulated");
        };
        let weather = self.weather();
        let mut state = self.lock();
        state.requests += 1;
        let trouble = match weather {
            Some(trouble) => Some(trouble),
            None if state.down => Some(Trouble::Unreachable),
            None => state.script.pop_front(),
        };
        let not_done = |kind, words: &str, wait_ms| Outcome::NotDone { kind, words: words.into(), wait_ms };
        match trouble {
            Some(Trouble::Unreachable) => not_done(Obstacle::Unavailable, "connection refused", None),
            Some(Trouble::Auth) => not_done(Obstacle::Auth, "answered 401", None),
            Some(Trouble::RateLimited(hint)) => {
                not_done(Obstacle::RateLimited, "answered 429", hint.and_then(|s| u64::try_from(s * 1_000).ok()))
            }
            Some(Trouble::TooLong) => Outcome::Refused { kind: Obstacle::TooLarge, words: "answered 414".into() },
            Some(Trouble::LoginPage) => not_done(Obstacle::LoginPage, "answered with a web page", None),
            Some(Trouble::LostRequest) => Outcome::Unknown { words: "no answer".into(), wait_ms: None },
            Some(Trouble::LostReply | Trouble::Slow) => {
                state.carry_out(op, class);
                Outcome::Unknown { words: "no answer".into(), wait_ms: None }
            }
            Some(Trouble::Duplicate) => {
                state.carry_out(op, class);
                state.carry_out(op, class)
            }
            None => state.carry_out(op, class),
        }
    }

    fn find(&self, op: &Operation) -> Found {
        let bad = self.weather().is_some();
        let state = self.lock();
        if state.down || bad {
            return Found::Failed { kind: Obstacle::Unavailable, words: "connection refused".into(), wait_ms: None };
        }
        if self.caps.class(op.intent.capability()) == Some(Class::AskPerson) {
            return Found::NoWay;
        }
        match state.effects.iter().find(|e| e.op == op.id) {
            Some(_) => Found::Done(reference(op)),
            None => Found::Absent,
        }
    }
}

fn reference(op: &Operation) -> Reference {
    let short: String = op.id.as_str().chars().rev().take(4).collect();
    Reference::id(format!("X{short}"))
}

impl State {
    /// What the class promises is kept: a key is honoured, a repeated call has one effect, the rest happens again.
    fn carry_out(&mut self, op: &Operation, class: Class) -> Outcome {
        let there = self.effects.iter().any(|e| e.op == op.id);
        if there && matches!(class, Class::Repeat | Class::RepeatWithKey) {
            return Outcome::AlreadyDone(reference(op));
        }
        if let Intent::Event(write) = &op.intent {
            self.alarm(write, op.created_at);
        }
        if let Intent::Backend(write) = &op.intent
            && let Some(refused) = self.change(write, op)
        {
            return refused;
        }
        self.effects.push(Effect { op: op.id.clone(), capability: op.intent.capability(), words: op.intent.words() });
        Outcome::Applied(reference(op))
    }

    /// An alarm opens an incident, as a pager does.
    fn alarm(&mut self, write: &EventWrite, at: Timestamp) {
        let (key, status) = match write {
            EventWrite::Trigger(alarm) => (&alarm.dedup_key, BackendStatus::Triggered),
            EventWrite::Acknowledge { dedup_key } => (dedup_key, BackendStatus::Acknowledged),
            EventWrite::Resolve { dedup_key } => (dedup_key, BackendStatus::Resolved),
            EventWrite::Change { .. } => return,
        };
        match self.incidents.iter_mut().find(|i| i.key.as_ref() == Some(key)) {
            Some(incident) => {
                incident.status = status;
                incident.pending.clear();
            }
            None => {
                let EventWrite::Trigger(alarm) = write else { return };
                let id = format!("X{}", self.incidents.len() + 1);
                let mut incident = BackendIncident::new(id, alarm.summary.clone(), status);
                incident.key = Some(key.clone());
                incident.created_at = Some(at);
                incident.pending = vec![PendingAction { action: "escalate".into(), at: at + mins(5) }];
                self.incidents.push(incident);
            }
        }
    }

    /// The incident that a write is about, read first and compared, as every real adapter does.
    fn change(&mut self, write: &BackendWrite, op: &Operation) -> Option<Outcome> {
        let id = write.incident()?;
        let incident = self.incidents.iter_mut().find(|i| i.id == id)?;
        let conflict = |current: &str| Some(Outcome::Conflict { current: current.to_owned() });
        match (write, &incident.status) {
            (BackendWrite::Acknowledge { .. }, BackendStatus::Acknowledged)
            | (BackendWrite::Resolve { .. }, BackendStatus::Resolved) => {
                return Some(Outcome::AlreadyDone(Reference::id(id)));
            }
            (BackendWrite::Acknowledge { .. }, BackendStatus::Resolved) => return conflict("resolved"),
            (BackendWrite::Acknowledge { .. }, _) => {
                incident.status = BackendStatus::Acknowledged;
                incident.pending.clear();
                let me = Party { id: "ME".into(), name: op.created_by.clone(), ..Party::default() };
                incident.acknowledged_by.push((me, Some(op.created_at)));
            }
            (BackendWrite::Resolve { .. }, _) => incident.status = BackendStatus::Resolved,
            (BackendWrite::Escalate { level, .. }, _) => incident.level = Some(*level),
            _ => {}
        }
        None
    }
}

impl Outward for FakeTarget {
    fn caps(&self) -> Caps {
        self.caps.clone()
    }

    fn apply<'a>(&'a self, op: &'a Operation) -> Task<'a, Outcome> {
        Box::pin(async move {
            self.pause().await;
            self.send(op)
        })
    }

    fn look<'a>(&'a self, op: &'a Operation) -> Task<'a, Found> {
        Box::pin(async move {
            self.pause().await;
            self.find(op)
        })
    }
}

macro_rules! answer {
    ($self:ident, $answer:expr) => {
        Box::pin(async move {
            $self.pause().await;
            $self.ask($answer)
        })
    };
}

impl IncidentBackend for FakeTarget {
    fn list(&self) -> Task<'_, Result<Vec<BackendIncident>, Fault>> {
        answer!(self, |s: &State| {
            s.incidents.iter().filter(|i| i.status != BackendStatus::Resolved).cloned().collect()
        })
    }

    fn get<'a>(&'a self, id: &'a str) -> Task<'a, Result<BackendIncident, Fault>> {
        Box::pin(async move {
            self.pause().await;
            let found = self.ask(|s| s.incidents.iter().find(|i| i.id == id).cloned())?;
            found.ok_or_else(|| self.fault(FaultKind::Rejected, "answered 404"))
        })
    }

    fn log<'a>(&'a self, _: &'a str, _: Option<Timestamp>) -> Task<'a, Result<Vec<LogEntry>, Fault>> {
        answer!(self, |_: &State| Vec::new())
    }

    fn on_call<'a>(&'a self, _: Option<&'a str>) -> Task<'a, Result<Vec<OnCall>, Fault>> {
        answer!(self, |s: &State| s.on_call.clone())
    }

    fn me(&self) -> Task<'_, Result<Me, Fault>> {
        answer!(self, |_: &State| Me { person: None, token: "account".into() })
    }
}

impl ChatRoom for FakeTarget {
    fn find<'a>(&'a self, _: &'a str) -> Task<'a, Result<Option<Room>, Fault>> {
        answer!(self, |_: &State| None)
    }

    fn volunteers<'a>(&'a self, _: &'a str, _: &'a str) -> Task<'a, Result<Vec<Volunteer>, Fault>> {
        answer!(self, |s: &State| s.volunteers.clone())
    }

    fn messages<'a>(&'a self, _: &'a str, since: Timestamp) -> Task<'a, Result<Vec<ChatMessage>, Fault>> {
        answer!(self, |s: &State| s.messages.iter().filter(|m| m.at >= since).cloned().collect())
    }
}

impl StatusPage for FakeTarget {
    fn unresolved(&self) -> Task<'_, Result<Vec<Notice>, Fault>> {
        answer!(self, |_: &State| Vec::new())
    }

    fn components(&self) -> Task<'_, Result<Vec<Component>, Fault>> {
        let part = |id: &str, name: &str| Component { id: id.into(), name: name.into(), status: "operational".into() };
        answer!(self, |_: &State| vec![part("c1", "Checkout"), part("c2", "API")])
    }
}

impl TicketSink for FakeTarget {
    fn find<'a>(&'a self, _: &'a str) -> Task<'a, Result<Option<Ticket>, Fault>> {
        answer!(self, |_: &State| None)
    }
}

impl EventSink for FakeTarget {
    fn audience(&self) -> Option<String> {
        self.lock().on_call.first().map(|o| o.person.name.clone())
    }
}

impl Annotations for FakeTarget {
    fn between<'a>(
        &'a self,
        from: Timestamp,
        to: Timestamp,
        tags: &'a [String],
    ) -> Task<'a, Result<Vec<Annotation>, Fault>> {
        answer!(self, |s: &State| {
            let fits = |a: &&Annotation| a.from >= from && a.from <= to && tags.iter().all(|tag| a.tags.contains(tag));
            s.annotations.iter().filter(fits).cloned().collect()
        })
    }
}

impl Silences for FakeTarget {
    fn silences(&self) -> Task<'_, Result<Vec<Silence>, Fault>> {
        answer!(self, |_: &State| Vec::new())
    }
}

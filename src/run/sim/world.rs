//! The world of a simulated run: performs effects over the simulated production and a record in memory, and says when each
//! answer arrives. Faults and delays come from a seed. Reaches nothing real.

use crate::app::effect::Effect;
use crate::app::msg::{Feed, Msg, Reply};
use crate::domain::alert::AlertSnapshot;
use crate::domain::drill::chance::unit;
use crate::domain::drill::stage::Stage;
use crate::domain::exec::{CommandEnd, CommandNews, CommandSpec};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::ids::{IncidentId, Origin, ReqId, SourceName};
use crate::domain::incident::event::{Body, Event, NewEvent};
use crate::domain::outward::entry::Step;
use crate::domain::outward::operation::{OpId, Operation};
use crate::domain::outward::outcome::{Found, Outcome};
use crate::domain::outward::question::{Answer, Question};
use crate::domain::time::{Span, Timestamp, mins, secs};
use crate::io::fake::outside::{FakeTarget, Trouble};
use crate::io::fake::staged::Staged;
use crate::io::fake::{Now, Ports, Simulation};
use crate::io::port::{Annotations, ChatRoom, IncidentBackend, Outward, StatusPage};
use crate::io::store::Store;
use crate::io::store::memory::Memory;
use crate::run::sim::Chances;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll, Waker};

const FAULTS: [FaultKind; 6] = [
    FaultKind::Unreachable,
    FaultKind::Timeout,
    FaultKind::RateLimited,
    FaultKind::Malformed,
    FaultKind::Server,
    FaultKind::TooLarge,
];
const TROUBLES: [Trouble; 6] = [
    Trouble::Unreachable,
    Trouble::RateLimited(Some(20)),
    Trouble::RateLimited(None),
    Trouble::LostReply,
    Trouble::LostRequest,
    Trouble::Duplicate,
];
/// Pieces of output that a simulated command may have at most.
const PIECES: usize = 4_096;

/// A message that arrives at the machine.
#[derive(Debug)]
pub struct Arrival(pub Msg);

/// What is on its way.
#[derive(Clone, Debug)]
enum Coming {
    /// A message.
    Said(Msg),
    /// The record comes to a job; its answer arrives at once.
    Job(ReqId, Job),
}

#[derive(Clone, Debug)]
enum Job {
    Append(Vec<NewEvent>),
    Step(OpId, Step, String),
    Older(IncidentId, u64),
    All(IncidentId),
}

/// The world.
#[derive(Debug)]
pub struct World {
    /// How unkind it is.
    pub chances: Chances,
    /// The record refuses everything.
    pub record_broken: bool,
    seed: u64,
    drawn: i64,
    ports: Ports,
    staged: Option<Staged>,
    hands: Arc<AtomicI64>,
    // The store wants a unique handle even to read; a lock lets the checker read through a shared one.
    record: Mutex<Memory>,
    beside: Memory,
    /// When the record has done what it was asked: it does one thing after the other.
    record_free: Span,
    coming: BTreeMap<(Span, u64), Coming>,
    numbered: u64,
    drafts: Vec<(String, String)>,
}

impl World {
    /// A kind world whose production begins at `start`.
    pub fn new(start: Timestamp, seed: u64) -> Self {
        let (hands, now) = clock(start);
        let simulation = Simulation::new(start, seed, now).at_once();
        Self::of(Ports::of_demo(&simulation), None, hands, Memory::new(Origin("simulated".into())), seed)
    }

    /// The kind world of a drill: a scenario's stage and the record that it looks at, whose ids come from its seed.
    pub fn of_drill(stage: Stage) -> (Self, Staged) {
        let (seed, start) = (stage.seed(), stage.start());
        let (hands, now) = clock(start);
        let staged = Staged::new(stage, now).at_once();
        let record = Memory::new(Origin("DRILL".into())).seeded(seed);
        (Self::of(Ports::of_drill(&staged), Some(staged.clone()), hands, record, seed), staged)
    }

    fn of(ports: Ports, staged: Option<Staged>, hands: Arc<AtomicI64>, record: Memory, seed: u64) -> Self {
        let beside = record.beside();
        Self {
            chances: Chances::kind(),
            record_broken: false,
            seed,
            drawn: 0,
            ports,
            staged,
            hands,
            record: Mutex::new(record),
            beside,
            record_free: Span::zero(),
            coming: BTreeMap::new(),
            numbered: 0,
            drafts: Vec::new(),
        }
    }

    /// Its simulated ports.
    pub fn ports(&self) -> &Ports {
        &self.ports
    }

    /// The drill that it is the world of.
    pub fn staged(&self) -> Option<&Staged> {
        self.staged.as_ref()
    }

    /// Every event of the record, incident by incident.
    pub fn all_events(&self) -> Vec<Event> {
        let heads = self.with_record(|record| record.heads()).unwrap_or_default();
        let mut ids: Vec<IncidentId> = heads.into_iter().map(|incident| incident.id).collect();
        ids.sort();
        ids.iter().flat_map(|id| self.events(id)).collect()
    }

    /// Moves a drill on to what the clock shows; gives what was said in it since.
    pub fn play(&self) -> Vec<(Timestamp, String, String)> {
        let Some(staged) = &self.staged else { return Vec::new() };
        let now = staged.now();
        staged.with(|stage| {
            stage.advance(now);
            stage.take_messages()
        })
    }

    /// Tells the cockpit what somebody says.
    pub fn say(&mut self, elapsed: Span, from: String, text: String) {
        self.come(elapsed, Coming::Said(Msg::Feed(Feed::Said(from, text))));
    }

    /// The simulated targets of writes.
    pub fn targets(&self) -> &BTreeMap<SourceName, FakeTarget> {
        self.ports.targets()
    }

    /// The name under which the record writes.
    pub fn origin(&self) -> Origin {
        self.with_record(|record| record.origin().clone())
    }

    /// All events of an incident.
    pub fn events(&self, incident: &IncidentId) -> Vec<Event> {
        self.with_record(|record| record.events(incident)).unwrap_or_default()
    }

    /// What was written as a draft.
    pub fn drafts(&self) -> &[(String, String)] {
        &self.drafts
    }

    /// Nothing that the record was asked is still to be done.
    pub fn record_is_idle(&self) -> bool {
        !self.coming.values().any(|c| matches!(c, Coming::Job(..)))
    }

    /// Sets the clock of the production.
    pub fn set_clock(&self, elapsed: Span) {
        self.hands.store(elapsed.num_milliseconds(), Ordering::Relaxed);
    }

    /// When the next thing arrives.
    pub fn next_arrival(&self) -> Option<Span> {
        self.coming.keys().next().map(|(at, _)| *at)
    }

    /// What arrives by now, one at a time.
    pub fn arrive(&mut self, elapsed: Span) -> Option<Arrival> {
        let first = self.coming.first_entry().filter(|e| e.key().0 <= elapsed)?;
        match first.remove() {
            Coming::Said(msg) => Some(Arrival(msg)),
            Coming::Job(req, job) => {
                let reply = self.do_job(job);
                // What changed in the outbox is told right behind the answer, as the record's thread does.
                let news = self.with_record(Memory::outbox_news).unwrap_or_default();
                if !news.is_empty() {
                    self.come(elapsed, Coming::Said(Msg::Feed(Feed::Outbox(news))));
                }
                Some(Arrival(Msg::Reply(req, reply)))
            }
        }
    }

    /// The frame with what is on the screen now is handed to the terminal a moment later.
    pub fn paint(&mut self, elapsed: Span) {
        self.come(elapsed + Span::milliseconds(16), Coming::Said(Msg::Painted));
    }

    /// Another cockpit records something.
    pub fn neighbour(&mut self, elapsed: Span, events: Vec<NewEvent>) {
        if let Ok(events) = self.beside.append(events) {
            self.come(elapsed + Span::milliseconds(500), Coming::Said(Msg::Feed(Feed::Others(events))));
        }
    }

    /// Does what the machine asked for, or sends it on its way.
    #[expect(clippy::too_many_lines, reason = "a table: one arm per effect")]
    pub fn perform(&mut self, elapsed: Span, now: Timestamp, effect: &Effect) {
        match effect {
            Effect::Measure { req, objectives, windows, .. } => {
                let metrics = self.ports.metrics();
                let result = self.faulty("prometheus").and_then(|()| ready(metrics.measure(objectives, windows, now))?);
                self.answer(elapsed, *req, Reply::Measured(result));
            }
            Effect::Warm { req, first, rest, .. } => {
                let metrics = self.ports.metrics();
                let result = self.faulty("prometheus").and_then(|()| ready(metrics.warm(first, rest, now))?);
                self.answer(elapsed, *req, Reply::Warmed(result));
            }
            Effect::Signals { req, services, .. } => {
                let metrics = self.ports.metrics();
                let result = self.faulty("prometheus").and_then(|()| ready(metrics.signals(services, now))?);
                self.answer(elapsed, *req, Reply::Signals(result));
            }
            Effect::Rows { req, templates, .. } => {
                let metrics = self.ports.metrics();
                let result = self.faulty("prometheus").and_then(|()| ready(metrics.rows(templates, now))?);
                self.answer(elapsed, *req, Reply::Rows(result));
            }
            Effect::Chart { req, objective, windows, range, step, .. } => {
                let metrics = self.ports.metrics();
                let result = self
                    .faulty("prometheus")
                    .and_then(|()| ready(metrics.history(objective, windows, *range, *step, now))?);
                self.answer(elapsed, *req, Reply::Charted(result));
            }
            Effect::Marks { req, markers, range, .. } => {
                let metrics = self.ports.metrics();
                let result = self.faulty("prometheus").and_then(|()| ready(metrics.marks(markers, *range, now))?);
                self.answer(elapsed, *req, Reply::Marks(result));
            }
            Effect::Query { req, promql, .. } => {
                let metrics = self.ports.metrics();
                let result = self.faulty("prometheus").and_then(|()| ready(metrics.query(promql, now))?);
                self.answer(elapsed, *req, Reply::Queried(result));
            }
            Effect::RunTty { req, .. } => {
                let end = CommandNews::Ended(CommandEnd::never("there is no terminal here"));
                self.come(elapsed, Coming::Said(Msg::Reply(*req, Reply::Command(end))));
            }
            Effect::Alerts { req, .. } => {
                let alerts = self.ports.alerts();
                let result = self.faulty("alertmanager").and_then(|()| ready(alerts.snapshot())?);
                let result = result.map(|snapshot| self.perhaps_partial(snapshot));
                self.answer(elapsed, *req, Reply::Alerts(result));
            }
            Effect::Append { req, events } => {
                // The record comes to it a moment later, and the command that it is about does not wait for that.
                for event in events {
                    if let (Some(staged), Body::CommandStarted(start)) = (&self.staged, &event.body) {
                        staged.with(|stage| stage.expect_command(&event.actor, start));
                    }
                }
                self.queue(elapsed, *req, Job::Append(events.clone()));
            }
            Effect::Older { req, incident, before } => {
                self.queue(elapsed, *req, Job::Older(incident.clone(), *before));
            }
            Effect::All { req, incident } => self.queue(elapsed, *req, Job::All(incident.clone())),
            Effect::Step { req, op, step, by } => {
                self.queue(elapsed, *req, Job::Step(op.clone(), step.clone(), by.clone()));
            }
            Effect::Deliver { req, op, look } => {
                let reply = self.deliver(op, *look);
                self.answer(elapsed, *req, reply);
            }
            Effect::AskTarget { req, target, question } => {
                let result = self.ask_target(target, question.clone());
                self.answer(elapsed, *req, Reply::Told(result));
            }
            Effect::Run { req, spec } => self.run(elapsed, *req, spec.clone()),
            Effect::Stop { req } => self.stop(elapsed, *req),
            Effect::WriteDraft { req, name, text, .. } => {
                self.drafts.push((name.clone(), text.clone()));
                self.answer(elapsed, *req, Reply::Draft(Ok(format!("drafts/{name}"))));
            }
            Effect::Copy { req, .. } => self.answer(elapsed, *req, Reply::Copied(Ok("copied".into()))),
            Effect::Rules { req, .. } => {
                let metrics = self.ports.metrics();
                let result = self.faulty("prometheus").and_then(|()| ready(metrics.rules())?);
                self.answer(elapsed, *req, Reply::Rules(result));
            }
            Effect::Search { req, .. } => self.answer(elapsed, *req, Reply::Hits(Ok(Vec::new()))),
            Effect::Similar { req, .. } => self.answer(elapsed, *req, Reply::Similar(Ok(Vec::new()))),
            Effect::Look { req } => self.answer(elapsed, *req, Reply::Looked(Box::default())),
            Effect::Cache(_)
            | Effect::Retarget { .. }
            | Effect::Reconnect(_)
            | Effect::Forget { .. }
            | Effect::Restyle(_)
            | Effect::Bell
            | Effect::Title(_)
            | Effect::Page(_)
            | Effect::Edit(_)
            | Effect::Begin(_)
            | Effect::Suspend
            | Effect::Redraw
            | Effect::GoOn
            | Effect::Quit(_) => {}
        }
    }

    fn with_record<T>(&self, use_it: impl FnOnce(&mut Memory) -> T) -> T {
        use_it(&mut self.record.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A number in 0..1 that nobody drew before.
    fn draw(&mut self) -> f64 {
        self.drawn += 1;
        unit(self.seed, 77, self.drawn)
    }

    fn faulty(&mut self, what: &str) -> Result<(), Fault> {
        if self.draw() >= self.chances.fault {
            return Ok(());
        }
        let which = (self.draw() * FAULTS.len() as f64) as usize;
        let kind = FAULTS.get(which).copied().unwrap_or(FaultKind::Server);
        let mut fault = Fault::new(kind, what, "simulated");
        fault.retry_after = (kind == FaultKind::RateLimited).then(|| secs(20));
        Err(fault)
    }

    /// One of the two peers did not answer, and with it went every other alert.
    fn perhaps_partial(&mut self, mut snapshot: AlertSnapshot) -> AlertSnapshot {
        if self.draw() < self.chances.partial {
            let mut keep = false;
            snapshot.alerts.retain(|_| {
                keep = !keep;
                keep
            });
            snapshot.answered = snapshot.peers.saturating_sub(1);
            snapshot.faults = vec!["simulated: no answer".into()];
        }
        snapshot
    }

    fn come(&mut self, at: Span, what: Coming) {
        self.numbered += 1;
        self.coming.insert((at, self.numbered), what);
    }

    fn answer(&mut self, elapsed: Span, req: ReqId, reply: Reply) {
        let longest = self.chances.latency.num_milliseconds().max(1) as f64;
        let at = elapsed + Span::milliseconds(1 + (self.draw() * longest) as i64);
        if self.draw() < self.chances.twice {
            self.come(at + mins(1), Coming::Said(Msg::Reply(req, reply.clone())));
        }
        self.come(at, Coming::Said(Msg::Reply(req, reply)));
    }

    fn queue(&mut self, elapsed: Span, req: ReqId, job: Job) {
        let takes = Span::milliseconds(1 + (self.draw() * 30.0) as i64);
        self.record_free = self.record_free.max(elapsed) + takes;
        self.come(self.record_free, Coming::Job(req, job));
    }

    fn do_job(&mut self, job: Job) -> Reply {
        let fault = || Fault::new(FaultKind::Local, "record", "simulated: no space left on device");
        let read =
            |broken: bool, events: Result<Vec<Event>, Fault>| Reply::Events(if broken { Err(fault()) } else { events });
        match job {
            Job::Append(events) => {
                if self.record_broken || self.draw() < self.chances.not_saved {
                    return Reply::NotSaved(fault());
                }
                match self.with_record(|record| record.append(events)) {
                    Ok(events) => {
                        if let Some(staged) = &self.staged {
                            staged.with(|stage| stage.witness(&events));
                        }
                        Reply::Saved(events)
                    }
                    Err(fault) => Reply::NotSaved(fault),
                }
            }
            Job::Step(op, step, by) => match self.record_broken || self.draw() < self.chances.not_saved {
                true => Reply::Stepped(Err(fault())),
                false => Reply::Stepped(self.with_record(|record| record.step(&op, &step, &by))),
            },
            Job::Older(incident, before) => {
                read(self.record_broken, self.with_record(|record| record.tail(&incident, Some(before), 200)))
            }
            Job::All(incident) => read(self.record_broken, self.with_record(|record| record.events(&incident))),
        }
    }

    /// A send or a look, with what the network makes of it.
    fn deliver(&mut self, op: &Operation, look: bool) -> Reply {
        let Some(target) = self.ports.targets().get(&op.target).cloned() else {
            return Reply::Delivered(Outcome::unsupported("not simulated"));
        };
        if self.draw() < self.chances.fault {
            let which = (self.draw() * TROUBLES.len() as f64) as usize;
            target.script(TROUBLES.get(which).copied());
        }
        let lost = |_| Outcome::Unknown { words: "the fake wanted to wait".into(), wait_ms: None };
        match look {
            true => Reply::Found(ready(target.look(op)).unwrap_or(Found::NoWay)),
            false => Reply::Delivered(ready(target.apply(op)).unwrap_or_else(lost)),
        }
    }

    fn ask_target(&mut self, name: &SourceName, question: Question) -> Result<Answer, Fault> {
        self.faulty(name.as_str())?;
        let target =
            self.ports.targets().get(name).ok_or_else(|| Fault::new(FaultKind::Local, name.as_str(), "unknown"))?;
        match question {
            Question::Incidents => ready(target.list())?.map(Answer::Incidents),
            Question::OnCall(service) => ready(target.on_call(service.as_deref()))?.map(Answer::OnCall),
            Question::Volunteers(room, message) => {
                ready(ChatRoom::volunteers(target, &room, &message))?.map(Answer::Volunteers)
            }
            Question::Annotations(from, to, tags) => {
                ready(Annotations::between(target, from, to, &tags))?.map(Answer::Annotations)
            }
            Question::Notices => {
                let open = ready(target.unresolved())??;
                ready(target.components())?.map(|parts| Answer::Notices(open, parts))
            }
            Question::Messages(room, since) => ready(ChatRoom::messages(target, &room, since))?.map(Answer::Messages),
            _ => Err(Fault::new(FaultKind::Rejected, name.as_str(), "not simulated")),
        }
    }

    /// What the command says arrives over the time that it takes.
    fn run(&mut self, elapsed: Span, req: ReqId, spec: CommandSpec) {
        let (tell, mut told) = tokio::sync::mpsc::channel(PIECES);
        let (_stop, stopped) = tokio::sync::oneshot::channel();
        let ran = ready(self.ports.shell().run(spec, tell, stopped));
        let mut news = Vec::new();
        while let Ok(piece) = told.try_recv() {
            news.push(piece);
        }
        if ran.is_err() {
            news.push(CommandNews::Ended(ended("it did not end")));
        }
        let took = news.iter().find_map(|n| match n {
            CommandNews::Ended(end) => Span::from_std(end.took).ok(),
            _ => None,
        });
        let steps = i32::try_from(news.len()).unwrap_or(i32::MAX).max(1);
        let step = took.unwrap_or_else(|| secs(1)) / steps;
        for (n, piece) in (1..).zip(news) {
            self.come(elapsed + step * n, Coming::Said(Msg::Reply(req, Reply::Command(piece))));
        }
    }

    /// What it has not said yet it never says.
    fn stop(&mut self, elapsed: Span, req: ReqId) {
        let before = self.coming.len();
        self.coming.retain(|_, c| !matches!(c, Coming::Said(Msg::Reply(r, Reply::Command(_))) if *r == req));
        if self.coming.len() < before {
            let end = CommandNews::Ended(ended("stopped"));
            self.come(elapsed + secs(1), Coming::Said(Msg::Reply(req, Reply::Command(end))));
        }
    }
}

/// A clock whose hands are set by hand, milliseconds since `start`.
fn clock(start: Timestamp) -> (Arc<AtomicI64>, Now) {
    let hands = Arc::new(AtomicI64::new(0));
    let read = Arc::clone(&hands);
    let now = move || {
        let ahead = Span::milliseconds(read.load(Ordering::Relaxed));
        start.checked_add_signed(ahead).unwrap_or(start)
    };
    (hands, Arc::new(now))
}

fn ended(reason: &str) -> CommandEnd {
    CommandEnd { began: true, took: std::time::Duration::from_secs(1), ..CommandEnd::never(reason) }
}

/// The value of a task of a port that answers at once. A task that would wait is a fault: nothing here waits.
fn ready<T>(mut task: crate::io::port::Task<'_, T>) -> Result<T, Fault> {
    match task.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Ok(value),
        Poll::Pending => Err(Fault::new(FaultKind::Local, "simulated port", "wanted to wait")),
    }
}

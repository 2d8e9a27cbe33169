//! The production machine on a virtual clock over the simulated production and a record in memory: drills and tests run
//! forty-five minutes in milliseconds, repeatably from a seed. It has no constructor that takes a real port, starts no
//! thread and waits for nothing.

pub mod check;
pub mod world;

use crate::app::deadline::next_deadline;
use crate::app::effect::Effect;
use crate::app::health::{Link, LinkKind};
use crate::app::key::Key;
use crate::app::keymap::Keymap;
use crate::app::model::{Layout, Model, Setup};
use crate::app::msg::{Feed, Msg, Reply};
use crate::app::outbox::TargetState;
use crate::app::screen::Overlay;
use crate::app::update::update;
use crate::domain::document::Finding;
use crate::domain::drill::stage::Stage;
use crate::domain::drill::stage::facts::PERSONA;
use crate::domain::ids::{IncidentId, SourceName};
use crate::domain::incident::event::{Body, Event, NewEvent, NoteKind};
use crate::domain::runbook::format;
use crate::domain::runbook::model::Runbook;
use crate::domain::severity::SeverityTable;
use crate::domain::time::{Span, Timestamp, mins, secs};
use crate::io::fake::outside::FakeTarget;
use crate::io::fake::runbooks;
use crate::io::fake::staged::Staged;
use crate::run::sim::check::Checker;
use crate::run::sim::world::{Arrival, World};
use std::sync::Arc;

/// How unkind the simulated world is: chances in 0..=1, lengths as the longest.
#[derive(Clone, Debug, PartialEq)]
pub struct Chances {
    /// An answer of a source is a fault.
    pub fault: f64,
    /// An answer of the alert source lacks a peer.
    pub partial: f64,
    /// An answer comes twice.
    pub twice: f64,
    /// The record refuses a batch.
    pub not_saved: f64,
    /// The longest time a source takes.
    pub latency: Span,
}

impl Chances {
    /// A world in which everything answers soon.
    pub fn kind() -> Self {
        Self { fault: 0.0, partial: 0.0, twice: 0.0, not_saved: 0.0, latency: secs(1) }
    }

    /// A world in which everything may go wrong.
    pub fn unkind() -> Self {
        Self { fault: 0.15, partial: 0.1, twice: 0.05, not_saved: 0.1, latency: secs(12) }
    }
}

/// The settings of a simulated cockpit: nothing of them reaches outside.
pub fn setup(responder: &str) -> Setup {
    Setup {
        responder: responder.to_owned(),
        host: "simulated".into(),
        user: "simulated".into(),
        zone: chrono_tz::Tz::UTC,
        read_only: false,
        simulated: Some("DRILL"),
        slow: false,
        bell: true,
        severities: SeverityTable::defaults(),
        keymap: Keymap::default(),
        env_pass: Vec::new(),
        command_timeout: mins(1),
        arm_for: mins(30),
        cache: false,
        template: Layout::A,
        drafts_in: "drafts".into(),
        config_path: "none".into(),
        configured: true,
        findings: Vec::new(),
    }
}

/// The two sources of the simulated production, asked this often.
pub fn links(start: Timestamp, every: Span) -> Vec<Link> {
    links_of(start, every, 2)
}

fn links_of(start: Timestamp, every: Span, peers: usize) -> Vec<Link> {
    let prometheus = LinkKind::Prometheus { alerts: false };
    let alertmanager = LinkKind::Alertmanager { peers };
    vec![
        Link::new("prometheus".into(), "prom".into(), prometheus, "simulated".into(), every, start),
        Link::new("alertmanager".into(), "am".into(), alertmanager, "simulated".into(), every, start),
    ]
}

/// The machine, its world and its checker.
#[derive(Debug)]
pub struct Simulator {
    model: Model,
    world: World,
    checker: Checker,
    start: Timestamp,
    /// Since the start, on a clock that nobody sets.
    elapsed: Span,
    /// What the wall clock was set by so far.
    skew: Span,
    log: Vec<(Timestamp, Effect)>,
    over: bool,
}

impl Simulator {
    /// A simulated cockpit that begins at `start`, with all chance from `seed`, and asks its sources `every` so often.
    pub fn new(setup: Setup, start: Timestamp, seed: u64, every: Span) -> Self {
        let books: Vec<_> = runbooks().into_iter().map(|(path, text)| format::read(path, text)).collect();
        let findings = books.iter().flat_map(|(_, findings)| findings.clone()).collect();
        let library = books.into_iter().filter_map(|(book, _)| book).map(Arc::new).collect();
        Self::of(setup, World::new(start, seed), start, every, (library, findings))
    }

    /// A simulated cockpit in a drill, with the runbooks that are rehearsed; and the stage behind it.
    pub fn of_drill(setup: Setup, stage: Stage, every: Span, library: Vec<Arc<Runbook>>) -> (Self, Staged) {
        let start = stage.start();
        let (world, staged) = World::of_drill(stage);
        (Self::of(setup, world, start, every, (library, Vec::new())), staged)
    }

    fn of(
        setup: Setup,
        world: World,
        start: Timestamp,
        every: Span,
        library: (Vec<Arc<Runbook>>, Vec<Finding>),
    ) -> Self {
        let ports = world.ports();
        let mut model = Model::new(setup, ports.objectives(), links_of(start, every, ports.peers()));
        model.outbox.holder = "simulated".into();
        model.outbox.hold = secs(6);
        for (name, target) in world.targets() {
            let state = TargetState::new(target.target().facts(name), start);
            model.outbox.targets.insert(name.clone(), state);
        }
        let mut simulator = Self {
            model,
            world,
            checker: Checker::default(),
            start,
            elapsed: Span::zero(),
            skew: Span::zero(),
            log: Vec::new(),
            over: false,
        };
        let origin = simulator.world.origin();
        simulator.send(Msg::Feed(Feed::Opened(origin)));
        simulator.send(Msg::Feed(Feed::Loaded(Vec::new())));
        simulator.send(Msg::Feed(Feed::Library(library.0, library.1)));
        simulator
    }

    /// The machine.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Every event of the record.
    pub fn all_events(&self) -> Vec<Event> {
        self.world.all_events()
    }

    /// The drill that is played, if one is.
    pub fn staged(&self) -> Option<&Staged> {
        self.world.staged()
    }

    /// What the wall clock says.
    pub fn now(&self) -> Timestamp {
        let at = self.start.checked_add_signed(self.elapsed).and_then(|at| at.checked_add_signed(self.skew));
        at.unwrap_or(self.start)
    }

    /// Every effect so far, with the instant at which it was asked for.
    pub fn log(&self) -> &[(Timestamp, Effect)] {
        &self.log
    }

    /// Drafts that were written: name and text of each writing, oldest first.
    pub fn drafts(&self) -> &[(String, String)] {
        self.world.drafts()
    }

    /// A simulated target: what was carried out there, and what goes wrong next.
    pub fn target(&self, name: &str) -> Option<&FakeTarget> {
        self.world.targets().get(&SourceName::from(name))
    }

    /// All events of an incident as the record holds them.
    pub fn record(&self, incident: &IncidentId) -> Vec<Event> {
        self.world.events(incident)
    }

    /// The machine asked to end.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// What the checker found, in words; empty is what everybody hopes for.
    pub fn wrong(&self) -> &[String] {
        self.checker.wrong()
    }

    /// Changes how unkind the world is from now on.
    pub fn chances(&mut self, chances: Chances) {
        self.world.chances = chances;
    }

    /// The record cannot be written any more, or again.
    pub fn break_record(&mut self, broken: bool) {
        self.world.record_broken = broken;
    }

    /// Another cockpit on the same record writes these events; this one hears of it half a second later.
    pub fn neighbour(&mut self, events: Vec<NewEvent>) {
        self.world.neighbour(self.elapsed, events);
    }

    /// Handles one message now, performs what follows from it, and checks.
    pub fn send(&mut self, msg: Msg) {
        if self.over {
            return;
        }
        let now = self.now();
        let arrived = match &msg {
            Msg::Reply(req, Reply::Saved(_)) => Some((*req, true)),
            Msg::Reply(req, Reply::NotSaved(_)) => Some((*req, false)),
            _ => None,
        };
        let before = self.checker.before(&self.model);
        let effects = update(&mut self.model, now, msg);
        self.checker.after(&self.model, now, &before, &effects, arrived, &self.world);
        for effect in effects {
            self.over |= matches!(effect, Effect::Quit(_));
            self.world.perform(self.elapsed, now, &effect);
            self.log.push((now, effect));
        }
        if matches!(&self.model.nav.overlay, Some(Overlay::Confirm(c)) if !c.painted) {
            self.world.paint(self.elapsed);
        }
    }

    /// Presses a key.
    pub fn key(&mut self, key: Key) {
        self.send(Msg::Key(key));
    }

    /// Types a text, one key per character.
    pub fn type_text(&mut self, text: &str) {
        text.chars().for_each(|c| self.key(Key::char(c)));
    }

    /// Lets this much time go by: answers arrive and deadlines are met in order.
    pub fn pass(&mut self, length: Span) {
        let end = self.elapsed + length.max(Span::zero());
        // A machine that wants to be woken again at once, for ever, would otherwise hang the run instead of failing it.
        let mut spins = 0;
        while !self.over {
            let now = self.now();
            let wake = next_deadline(&self.model, now, false).map(|at| self.elapsed + (at - now).max(Span::zero()));
            let arrival = self.world.next_arrival();
            let Some(next) = [wake, arrival].into_iter().flatten().min().filter(|at| *at <= end) else { break };
            spins = if next > self.elapsed { 0 } else { spins + 1 };
            if spins > 10_000 {
                self.checker.found(now, "it wants to be woken at once, again and again".into());
                break;
            }
            self.elapsed = next.max(self.elapsed);
            self.set_clock();
            match self.world.arrive(self.elapsed) {
                Some(Arrival(msg)) => self.send(msg),
                None if arrival.is_some_and(|at| at <= self.elapsed) => {}
                None => self.send(Msg::Wake),
            }
        }
        if !self.over {
            self.elapsed = end;
            self.set_clock();
        }
    }

    /// The world hears what time it is; what personas say meanwhile goes to the cockpit and into every open incident.
    fn set_clock(&mut self) {
        self.world.set_clock(self.elapsed);
        for (at, from, text) in self.world.play() {
            let body = |text: &str| Body::Note { sort: NoteKind::Note, text: text.to_owned() };
            let open: Vec<IncidentId> = self.model.open_cases().iter().map(|c| c.shown.id.clone()).collect();
            let saved = open.into_iter().filter(|id| !self.world.events(id).is_empty());
            let said = saved.map(|incident| NewEvent {
                incident,
                at,
                recorded_at: at,
                actor: format!("{from}{PERSONA}"),
                body: body(&text),
                once: None,
            });
            let said: Vec<NewEvent> = said.collect();
            if !said.is_empty() {
                self.world.neighbour(self.elapsed, said);
            }
            self.world.say(self.elapsed, from, text);
        }
    }

    /// Somebody sets the wall clock; the cockpit is told, as its shell would tell it.
    pub fn move_clock(&mut self, by: Span) {
        self.skew += by;
        self.send(Msg::Feed(Feed::ClockMoved(by)));
    }

    /// The wall clock is set and nobody noticed.
    pub fn slip_clock(&mut self, by: Span) {
        self.skew += by;
    }

    /// The host sleeps: nothing arrives and nothing is woken; then everything at once.
    pub fn sleep(&mut self, length: Span) {
        self.elapsed += length.max(Span::zero());
        self.world.set_clock(self.elapsed);
        self.send(Msg::Feed(Feed::Asleep(length)));
    }

    /// What must hold at the end, after the world was kind for a while: everything saved, one draft per resolved incident.
    pub fn settle(&mut self) {
        self.chances(Chances::kind());
        self.break_record(false);
        self.pass(mins(3));
        let now = self.now();
        self.checker.at_the_end(&self.model, now, &self.world);
    }
}

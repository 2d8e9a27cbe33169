//! The outbox under kills, clock jumps and lost replies: several cockpits on one file, the production machine, the
//! production record, and a target that fails in every way it can. All chance comes from a seed; time is virtual.

use crate::fold::{ID, declared, new};
use midwatch::app::deadline::next_deadline;
use midwatch::app::effect::Effect;
use midwatch::app::model::Model;
use midwatch::app::msg::{Feed, Msg, Reply};
use midwatch::app::outbox::TargetState;
use midwatch::app::update::{queue, update};
use midwatch::domain::ids::{IncidentId, ReqId};
use midwatch::domain::incident::event::Body;
use midwatch::domain::outward::capability::{Capability, Class};
use midwatch::domain::outward::entry::{Ending, Entry, State};
use midwatch::domain::outward::operation::{Expected, OpId};
use midwatch::domain::outward::outcome::Outcome;
use midwatch::domain::resilience::jitter::share;
use midwatch::domain::time::{Span, Timestamp, mins, secs};
use midwatch::io::fake::outside::{FakeTarget, Trouble, usual_caps};
use midwatch::io::port::Outward;
use midwatch::io::store::Store;
use midwatch::io::store::ledger::Until;
use midwatch::io::store::sqlite::Sqlite;
use midwatch::run::sim::setup;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

const TARGET: &str = "fake";
/// Writes of every class, by what is asked for.
const WRITES: [Capability; 8] = [
    Capability::Trigger,
    Capability::Post,
    Capability::Note,
    Capability::OpenNotice,
    Capability::CreateTicket,
    Capability::EditMessage,
    Capability::Annotate,
    Capability::CreateRoom,
];

/// Something on its way to a cockpit.
enum Coming {
    Step(ReqId, Effect),
    Append(ReqId, Effect),
    Reply(ReqId, Reply),
}

/// One cockpit: a machine and its own handle on the file.
struct Cockpit {
    model: Model,
    store: Sqlite,
    coming: BTreeMap<(i64, u64), Coming>,
    /// What its wall clock is wrong by.
    skew: Span,
}

struct World {
    seed: u64,
    drawn: u64,
    elapsed: Arc<AtomicI64>,
    path: PathBuf,
    target: FakeTarget,
    cockpits: Vec<Cockpit>,
    down: bool,
    born: u64,
    numbered: u64,
    figures: Figures,
    /// What was sent and stepped, for a seed that fails.
    log: Vec<String>,
}

/// What is printed.
#[derive(Default, Debug, Clone, Copy)]
struct Figures {
    operations: usize,
    kills: usize,
    jumps: usize,
    troubles: usize,
    /// Keys with more than one effect.
    twice: usize,
    /// Operations that ended well and have no effect, or that nobody decided about and have none.
    missing: usize,
    asked: usize,
    requests: usize,
}

fn start() -> Timestamp {
    "2026-05-01T03:12:04Z".parse().unwrap()
}

impl World {
    fn new(seed: u64, folder: &std::path::Path) -> Self {
        let mut world = Self {
            seed,
            drawn: 0,
            elapsed: Arc::default(),
            path: folder.join(format!("{seed}.db")),
            target: FakeTarget::new(TARGET, usual_caps()),
            cockpits: Vec::new(),
            down: false,
            born: 0,
            numbered: 0,
            figures: Figures::default(),
            log: Vec::new(),
        };
        world.be_born();
        world.be_born();
        let declaration = new(ID, 0, declared());
        world.cockpits[0].store.append(vec![declaration]).unwrap();
        world.reload(0);
        world.reload(1);
        world
    }

    fn draw(&mut self) -> f64 {
        self.drawn += 1;
        share(self.seed, self.drawn)
    }

    fn pick(&mut self, n: usize) -> usize {
        (self.draw() * n as f64) as usize % n
    }

    fn now(&self, cockpit: usize) -> Timestamp {
        start() + Span::milliseconds(self.elapsed.load(Ordering::SeqCst)) + self.cockpits[cockpit].skew
    }

    fn be_born(&mut self) {
        let elapsed = Arc::clone(&self.elapsed);
        let clock = Arc::new(move || Some(Until { boot: "virtual".into(), ms: elapsed.load(Ordering::SeqCst) }));
        let store = Sqlite::open_by(&self.path, clock).unwrap();
        let mut model = Model::new(setup("ada"), Vec::new(), Vec::new());
        self.born += 1;
        model.outbox.holder = format!("cockpit {}", self.born);
        model.outbox.hold = secs(6);
        let facts = self.target.target().facts(&TARGET.into());
        model.outbox.targets.insert(TARGET.into(), TargetState::new(facts, start()));
        self.cockpits.push(Cockpit { model, store, coming: BTreeMap::new(), skew: Span::zero() });
    }

    fn reload(&mut self, n: usize) {
        let cockpit = &mut self.cockpits[n];
        let heads = cockpit.store.heads().unwrap();
        let incidents = heads
            .into_iter()
            .map(|head| {
                let tail = cockpit.store.tail(&head.id, None, 50).unwrap();
                (head, tail)
            })
            .collect();
        let outbox = cockpit.store.outbox().unwrap();
        self.tell(n, Msg::Feed(Feed::Opened("sim".into())));
        self.tell(n, Msg::Feed(Feed::Loaded(incidents)));
        self.tell(n, Msg::Feed(Feed::Outbox(outbox)));
    }

    fn come(&mut self, n: usize, in_ms: i64, what: Coming) {
        self.numbered += 1;
        let at = self.elapsed.load(Ordering::SeqCst) + in_ms;
        self.cockpits[n].coming.insert((at, self.numbered), what);
    }

    fn tell(&mut self, n: usize, msg: Msg) {
        let now = self.now(n);
        let effects = update(&mut self.cockpits[n].model, now, msg);
        self.perform(n, effects);
    }

    fn perform(&mut self, n: usize, effects: Vec<Effect>) {
        for effect in effects {
            let late = 1 + (self.draw() * 40.0) as i64;
            match &effect {
                Effect::Step { req, .. } => self.come(n, late, Coming::Step(*req, effect.clone())),
                Effect::Append { req, .. } => self.come(n, late, Coming::Append(*req, effect.clone())),
                Effect::Deliver { req, op, look } => {
                    let slow = 1 + (self.draw() * 1_500.0) as i64;
                    let reply = match look {
                        true => Reply::Found(ready(self.target.look(op))),
                        false => {
                            self.trouble(op.class);
                            Reply::Delivered(ready(self.target.apply(op)))
                        }
                    };
                    let holder = self.cockpits[n].model.outbox.holder.clone();
                    let at = self.elapsed.load(Ordering::SeqCst);
                    self.log.push(format!("{at} {holder} {} {reply:?}", op.id));
                    self.come(n, slow, Coming::Reply(*req, reply));
                }
                _ => {}
            }
        }
    }

    fn trouble(&mut self, class: Class) {
        // A trouble that nobody meets would wait for another operation.
        if !self.down && self.draw() < 0.3 {
            let all = [
                Trouble::Unreachable,
                Trouble::RateLimited(Some(15)),
                Trouble::RateLimited(None),
                Trouble::LostReply,
                Trouble::LostRequest,
                Trouble::Slow,
                Trouble::Duplicate,
            ];
            // A proxy that delivers twice is what a key is for; without one nobody can help.
            let keyed = matches!(class, Class::Repeat | Class::RepeatWithKey);
            let which = self.pick(if keyed { all.len() } else { all.len() - 1 });
            self.target.script([all[which]]);
            self.figures.troubles += 1;
        }
    }

    /// One thing that is due, on the cockpit that is next; `false` when nothing happens before `end`.
    fn once(&mut self, end: i64) -> bool {
        let elapsed = self.elapsed.load(Ordering::SeqCst);
        let mut next: Option<(i64, usize, bool)> = None;
        for n in 0..self.cockpits.len() {
            let now = self.now(n);
            let arrival = self.cockpits[n].coming.keys().next().map(|(at, _)| *at);
            let wake = next_deadline(&self.cockpits[n].model, now, false)
                .map(|at| elapsed + (at - now).num_milliseconds().max(1));
            for (at, arrives) in [(arrival, true), (wake, false)] {
                if let Some(at) = at
                    && next.is_none_or(|(best, ..)| at < best)
                {
                    next = Some((at, n, arrives));
                }
            }
        }
        let Some((at, n, arrives)) = next.filter(|(at, ..)| *at <= end) else { return false };
        self.elapsed.store(at.max(elapsed), Ordering::SeqCst);
        if !arrives {
            self.tell(n, Msg::Wake);
            return true;
        }
        let Some((_, what)) = self.cockpits[n].coming.pop_first() else { return true };
        match what {
            Coming::Reply(req, reply) => self.tell(n, Msg::Reply(req, reply)),
            Coming::Append(req, Effect::Append { events, .. }) => {
                let saved = self.cockpits[n].store.append(events).unwrap();
                self.tell(n, Msg::Reply(req, Reply::Saved(saved)));
                self.news();
            }
            Coming::Step(req, Effect::Step { op, step, by, .. }) => {
                let stepped = self.cockpits[n].store.step(&op, &step, &by);
                let holder = self.cockpits[n].model.outbox.holder.clone();
                let taken = matches!(stepped, Ok(midwatch::domain::incident::stepped::Stepped::Taken(..)));
                self.log.push(format!("{at} {holder} {op} {taken} {step:?}"));
                self.tell(n, Msg::Reply(req, Reply::Stepped(stepped)));
                self.news();
            }
            Coming::Append(..) | Coming::Step(..) => {}
        }
        true
    }

    fn news(&mut self) {
        for n in 0..self.cockpits.len() {
            let events = self.cockpits[n].store.news().unwrap();
            if !events.is_empty() {
                self.tell(n, Msg::Feed(Feed::Others(events)));
            }
            let news = self.cockpits[n].store.outbox_news().unwrap();
            if !news.is_empty() {
                self.tell(n, Msg::Feed(Feed::Outbox(news)));
            }
        }
    }

    fn pass(&mut self, length: Span) {
        let end = self.elapsed.load(Ordering::SeqCst) + length.num_milliseconds();
        let mut steps = 0;
        while self.once(end) {
            steps += 1;
            assert!(steps < 200_000, "seed {}: it never rests", self.seed);
        }
        self.elapsed.store(end, Ordering::SeqCst);
    }

    fn ask(&mut self) {
        let n = self.pick(self.cockpits.len());
        let capability = WRITES[self.pick(WRITES.len())];
        let intent = crate::contract::any_intent(capability).unwrap();
        let now = self.now(n);
        let mut out = Vec::new();
        let model = &mut self.cockpits[n].model;
        // What cannot be asked for now (a target that was taken away) is not an operation.
        let _ = queue(model, now, &IncidentId(ID.into()), &TARGET.into(), intent, Expected::default(), None, &mut out);
        self.perform(n, out);
    }

    /// Kill: everything that is not on disk is gone; what was on its way to the target has left, or not.
    fn kill(&mut self) {
        let n = self.pick(self.cockpits.len());
        drop(self.cockpits.remove(n));
        self.be_born();
        self.figures.kills += 1;
        let last = self.cockpits.len() - 1;
        self.reload(last);
    }

    fn jump(&mut self) {
        let n = self.pick(self.cockpits.len());
        let by = [secs(7_200), secs(-7_200), secs(90), secs(-90), secs(20)][self.pick(5)];
        self.cockpits[n].skew += by;
        self.figures.jumps += 1;
        if self.draw() < 0.7 {
            self.tell(n, Msg::Feed(Feed::ClockMoved(by)));
        }
    }

    /// A person answers what waits for one: looks at the target, and says so truthfully.
    fn person(&mut self) {
        let waiting: Vec<Entry> = self.cockpits[0].model.outbox.open().cloned().collect();
        for entry in waiting {
            if !matches!(entry.state, State::Asked { .. }) {
                continue;
            }
            self.figures.asked += 1;
            let done = self.target.effects().iter().any(|e| e.op == entry.op.id);
            let now = self.now(0);
            let step = match done {
                true => midwatch::domain::outward::entry::Step::ByHand { at: now, by: "ada".into() },
                false => midwatch::domain::outward::entry::Step::Release { at: now, by: "ada".into() },
            };
            let stepped = self.cockpits[0].store.step(&entry.op.id, &step, "ada").unwrap();
            drop(stepped);
        }
        self.news();
    }

    /// Everything settles: the target is back, clocks are right, a person answers.
    fn settle(&mut self) {
        self.down = false;
        self.target.down(false);
        for n in 0..self.cockpits.len() {
            let by = -self.cockpits[n].skew;
            self.cockpits[n].skew = Span::zero();
            self.tell(n, Msg::Feed(Feed::ClockMoved(by)));
        }
        for _ in 0..60 {
            self.pass(mins(2));
            self.person();
            if self.cockpits[0].model.outbox.open().next().is_none() {
                return;
            }
        }
        let left: Vec<&Entry> = self.cockpits[0].model.outbox.open().collect();
        let log = self.log.iter().filter(|line| left.iter().any(|e| line.contains(e.op.id.as_str())));
        let log: Vec<&String> = log.collect();
        panic!("seed {}: not settled: {left:#?} {log:#?}", self.seed);
    }

    /// Counts effects by key on the target, and ends in the record.
    fn judge(&mut self) {
        let mut effects: BTreeMap<OpId, usize> = BTreeMap::new();
        for effect in self.target.effects() {
            *effects.entry(effect.op).or_default() += 1;
        }
        self.figures.requests = self.target.requests();
        self.figures.twice = effects.values().filter(|n| **n > 1).count();
        for (op, n) in effects.iter().filter(|(_, n)| **n > 1) {
            let entry = self.cockpits[0].model.outbox.entries.get(op);
            println!("seed {}: {n} effects: {entry:#?}", self.seed);
            for line in self.log.iter().filter(|line| line.contains(op.as_str())) {
                println!("  {line}");
            }
        }
        let events = self.cockpits[0].store.events(&IncidentId(ID.into())).unwrap();
        let mut ends: BTreeMap<OpId, Vec<Ending>> = BTreeMap::new();
        let mut ops = Vec::new();
        for event in &events {
            match &event.body {
                Body::Outgoing(op) => ops.push(op.id.clone()),
                Body::OutgoingOutcome { op, end, .. } => ends.entry(op.clone()).or_default().push(end.clone()),
                _ => {}
            }
        }
        self.figures.operations = ops.len();
        for op in &ops {
            let there = effects.contains_key(op);
            let told = ends.get(op).map(Vec::as_slice).unwrap_or_default();
            assert_eq!(told.len(), 1, "seed {}: {op}: ends {told:?}", self.seed);
            if !there {
                self.figures.missing += 1;
                println!("seed {}: {op} is missing: {told:?}", self.seed);
            }
        }
        assert!(self.cockpits[0].store.verify().unwrap().is_empty());
    }
}

fn ready<T>(mut task: midwatch::io::port::Task<'_, T>) -> T {
    use std::task::{Context, Poll, Waker};
    match task.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the fake wanted to wait"),
    }
}

fn run(seed: u64, folder: &std::path::Path) -> Figures {
    let mut world = World::new(seed, folder);
    for _ in 0..60 {
        let what = world.draw();
        match what {
            w if w < 0.45 => world.ask(),
            w if w < 0.60 => world.kill(),
            w if w < 0.70 => world.jump(),
            w if w < 0.75 => {
                world.down = world.draw() < 0.5;
                world.target.down(world.down);
            }
            w if w < 0.80 => world.person(),
            _ => {}
        }
        let length = 50 + (world.draw() * 20_000.0) as i64;
        world.pass(Span::milliseconds(length));
    }
    world.settle();
    world.judge();
    world.figures
}

#[test]
fn every_key_has_at_most_one_effect_and_none_is_missing_once_the_target_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let number = |name: &str| std::env::var(name).ok().and_then(|n| n.parse().ok());
    let first: u64 = number("MIDWATCH_FIRST_SEED").unwrap_or(1);
    let seeds: u64 = number("MIDWATCH_SEEDS").unwrap_or(5);
    let mut all = Figures::default();
    for seed in first..first + seeds {
        let f = run(seed, folder.path());
        assert_eq!((f.twice, f.missing), (0, 0), "seed {seed}: {f:?}");
        all.operations += f.operations;
        all.kills += f.kills;
        all.jumps += f.jumps;
        all.troubles += f.troubles;
        all.asked += f.asked;
        all.requests += f.requests;
        all.twice += f.twice;
        all.missing += f.missing;
    }
    println!("{seeds} seeds: {all:?}");
    assert!(all.kills > 10 && all.troubles > 20 && all.operations > 50, "hardly anything happened: {all:?}");
}

/// The checker itself: a target that is written to without looking first has effects twice.
#[test]
fn the_judge_sees_an_effect_that_happens_twice() {
    let target = FakeTarget::new(TARGET, usual_caps());
    let mut op = crate::fold::operation(1);
    op.id = "twice".into();
    op.class = Class::Compare;
    target.script([Trouble::LostReply]);
    assert!(matches!(ready(target.apply(&op)), Outcome::Unknown { .. }));
    ready(target.apply(&op));
    assert_eq!(target.effects().len(), 2);
}

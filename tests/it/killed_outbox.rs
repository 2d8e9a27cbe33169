//! The outbox of a real process: it is killed at random instants, its clock jumps, requests and replies are lost on the way
//! to real servers. In the end every operation key has at most one effect, none is missing, and the record tells each as it
//! was; the judge of that is itself shown servers that did wrong. Seeded; `MIDWATCH_KILLS` makes more rounds,
//! `MIDWATCH_KILL_SEED` other instants. Clocks jump where libfaketime is installed.

use crate::cli::Machine;
use crate::contract::{GitHubRig, any_intent};
use crate::stateful_server::{Answer, Asked, StatefulServer, Trouble};
use midwatch::domain::ids::IncidentId;
use midwatch::domain::incident::event::{Body, NewEvent};
use midwatch::domain::incident::stepped::Stepped;
use midwatch::domain::outward::capability::{Capability, Class};
use midwatch::domain::outward::entry::{Ending, Lease, State, Step};
use midwatch::domain::outward::intent::Intent;
use midwatch::domain::outward::operation::{OpId, Operation};
use midwatch::domain::outward::outcome::{Obstacle, Outcome};
use midwatch::domain::outward::ticket::TicketWrite;
use midwatch::domain::time::mins;
use midwatch::io::clock;
use midwatch::io::store::Store;
use midwatch::io::store::sqlite::Sqlite;
use midwatch::io::store::sqlite::open::default_path;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

/// Chance from a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)) % sides
    }

    fn millis(&mut self, below: u64) -> Duration {
        Duration::from_millis(self.below(below))
    }
}

fn variable(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// A receiver of posts; one that honours keys takes each once.
#[derive(Default)]
struct Receiver {
    honours_keys: bool,
    kept: Vec<String>,
}

fn receive(state: &mut Receiver, asked: &Asked) -> Answer {
    let id = asked.json()["id"].as_str().unwrap_or_default().to_owned();
    assert_eq!(asked.header("idempotency-key"), id);
    if !(state.honours_keys && state.kept.contains(&id)) {
        state.kept.push(id);
    }
    Answer::empty(204)
}

/// What is printed.
#[derive(Debug, Default)]
struct Figures {
    operations: usize,
    kills: usize,
    jumps: usize,
    troubles: usize,
    asked: usize,
    requests: usize,
    /// Keys with more than one effect.
    twice: usize,
    /// Operations without any.
    missing: usize,
    /// Operations that have an effect, and a record that says otherwise.
    mistold: usize,
    /// Operations that did not end, or ended more than once.
    unended: usize,
    /// Effects that nobody asked for.
    strangers: usize,
}

impl Figures {
    /// What must be nothing.
    fn wrong(&self) -> [usize; 5] {
        [self.twice, self.missing, self.mistold, self.unended, self.strangers]
    }
}

struct World {
    machine: Machine,
    dice: Dice,
    keyed: StatefulServer<Receiver>,
    plain: StatefulServer<Receiver>,
    tickets: GitHubRig,
    /// The library that lies about the time, where there is one.
    liar: Option<PathBuf>,
    named: usize,
    figures: Figures,
}

/// Where distributions put libfaketime; `MIDWATCH_FAKETIME` names another place.
fn liar() -> Option<PathBuf> {
    let named = std::env::var_os("MIDWATCH_FAKETIME").map(PathBuf::from);
    let usual = ["/usr/lib/x86_64-linux-gnu/faketime", "/usr/lib/aarch64-linux-gnu/faketime", "/usr/lib64/faketime"];
    let usual = usual.iter().map(|folder| Path::new(folder).join("libfaketimeMT.so.1"));
    let found = named.into_iter().chain(usual).find(|path| path.is_file());
    if found.is_none() {
        println!("skipped: clocks do not jump here, libfaketime is not installed");
    }
    found
}

impl World {
    fn new(seed: u64) -> Self {
        let start = |honours_keys| StatefulServer::start(Receiver { honours_keys, kept: Vec::new() }, receive);
        let world = Self {
            machine: Machine::new(),
            dice: Dice(seed),
            keyed: start(true),
            plain: start(false),
            tickets: GitHubRig::new(),
            liar: liar(),
            named: 0,
            figures: Figures::default(),
        };
        let chat = |name: &str, url: String, idempotent: bool| {
            format!(
                "  - {{name: {name}, kind: webhook, url: '{url}', timeout: 1s, options: {{idempotent: {idempotent}}}}}\n"
            )
        };
        let config = format!(
            "responder: {{name: alice}}\noutward_hold: 0s\nchat:\n{}{}{}",
            chat("keyed", world.keyed.url(), true),
            chat("plain", world.plain.url(), false),
            world.tickets.config(false)
        );
        world.machine.write("config.yaml", &config);
        assert_eq!(world.machine.run("incident declare --title down --severity SEV2").code, 0);
        world.lie(0);
        world
    }

    fn store(&self) -> Sqlite {
        Sqlite::open(&default_path(&self.machine.data())).unwrap()
    }

    fn clock_file(&self) -> PathBuf {
        self.machine.dir.path().join("clock")
    }

    /// From now on the clock of the processes is wrong by so many seconds.
    fn lie(&self, seconds: i64) {
        std::fs::write(self.clock_file(), format!("{seconds:+}")).unwrap();
    }

    fn jump(&mut self) {
        if self.liar.is_some() {
            let by = [7_200, -7_200, 90, -90, 20, 0][self.dice.below(6) as usize];
            self.lie(by);
            self.figures.jumps += 1;
        }
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_midwatch"));
        let machine = &self.machine;
        command.env_clear().env("HOME", machine.dir.path()).env("MIDWATCH_CONFIG", machine.config());
        command.env("MIDWATCH_DATA_DIR", machine.data()).env("PATH", "/usr/bin:/bin");
        if let Some(liar) = &self.liar {
            command.env("LD_PRELOAD", liar).env("FAKETIME_TIMESTAMP_FILE", self.clock_file());
            command
                .env("FAKETIME_NO_CACHE", "1")
                .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
                .env("DONT_FAKE_MONOTONIC", "1");
        }
        command.args(line.split_whitespace()).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Records operations of every class, as acts do.
    fn ask(&mut self) {
        for _ in 0..=self.dice.below(4) {
            let kind = [
                ("keyed", Capability::Post, Class::RepeatWithKey),
                ("plain", Capability::Post, Class::AskPerson),
                ("gh", Capability::CreateTicket, Class::Compare),
            ][self.dice.below(3) as usize];
            self.record(kind);
        }
    }

    fn record(&mut self, (target, capability, class): (&str, Capability, Class)) {
        let mut store = self.store();
        let incident: IncidentId = store.heads().unwrap()[0].id.clone();
        self.named += 1;
        let mut intent = any_intent(capability).unwrap();
        if let Intent::Ticket(TicketWrite::Create { marker, .. }) = &mut intent {
            *marker = format!("midwatch-kill-{}-end", self.named);
        }
        let now = clock::now();
        let op = Operation::new(target.into(), intent, class, now, "alice");
        let (body, actor) = (Body::Outgoing(Box::new(op)), "alice".to_owned());
        store.append(vec![NewEvent { incident, at: now, recorded_at: now, actor, body, once: None }]).unwrap();
    }

    /// Some of the next writes go wrong.
    fn trouble(&mut self) {
        for _ in 0..self.dice.below(4) {
            let all = [
                Trouble::LostReply,
                Trouble::LostRequest,
                Trouble::StatusAfter(502),
                Trouble::HangAfter,
                Trouble::RateLimited(Some(("Retry-After".into(), "1".into()))),
                Trouble::Status(503, String::new()),
            ];
            let which = all[self.dice.below(all.len() as u64) as usize].clone();
            match self.dice.below(3) {
                // What a proxy delivers twice is what a key is for.
                0 if self.dice.below(4) == 0 => self.keyed.script([Trouble::Duplicate]),
                0 => self.keyed.script([which]),
                1 => self.plain.script([which]),
                _ => self.tickets.troubles([which]),
            }
            self.figures.troubles += 1;
        }
    }

    fn requests(&self) -> usize {
        self.keyed.requests().len() + self.plain.requests().len() + self.tickets.requests()
    }

    /// A process does what it does until it is killed: after some requests arrived, or at any instant.
    fn live_and_die(&mut self) {
        let before = self.requests();
        let by_command = self.dice.below(4) == 0;
        let mut child = match by_command {
            true => {
                assert_eq!(self.machine.run("incident declare --title more --severity SEV3").code, 0);
                self.command("incident ticket last --incident --to gh").spawn().unwrap()
            }
            false => self.command("watch --plain").spawn().unwrap(),
        };
        if self.dice.below(3) > 0 {
            let wanted = before + 1 + self.dice.below(3) as usize;
            // Bounded: when nothing more is to be sent now, the round ends as well.
            for _ in 0..150 {
                if self.requests() >= wanted || child.try_wait().unwrap().is_some() {
                    break;
                }
                thread::sleep(Duration::from_millis(10));
            }
            thread::sleep(self.dice.millis(60));
        } else {
            thread::sleep(self.dice.millis(1_200));
        }
        if self.dice.below(2) == 0 {
            self.jump();
            thread::sleep(self.dice.millis(200));
        }
        kill(&mut child);
        self.figures.kills += 1;
    }

    /// The servers are back, the clock is right, and a person answers what is asked, after a look at the target.
    fn settle(&mut self) {
        self.lie(0);
        let mut child = self.command("watch --plain").spawn().unwrap();
        let mut store = self.store();
        for _ in 0..600 {
            let open: Vec<_> = store.outbox().unwrap().into_iter().filter(|e| e.ended().is_none()).collect();
            if open.is_empty() {
                kill(&mut child);
                return;
            }
            for entry in open.iter().filter(|e| matches!(e.state, State::Asked { .. })) {
                let now = clock::now();
                let step = match self.effects(&entry.op) {
                    0 => Step::Release { at: now, by: "alice".into() },
                    _ => Step::ByHand { at: now, by: "alice".into() },
                };
                drop(store.step(&entry.op.id, &step, "alice").unwrap());
                self.figures.asked += 1;
            }
            thread::sleep(Duration::from_millis(500));
        }
        kill(&mut child);
        let left: Vec<_> = store.outbox().unwrap().into_iter().filter(|e| e.ended().is_none()).collect();
        panic!("not settled: {left:#?}");
    }

    /// How often the target carried an operation out, by what it keeps.
    fn effects(&self, op: &Operation) -> usize {
        let count = |kept: &Receiver| kept.kept.iter().filter(|id| *id == op.id.as_str()).count();
        match (op.target.as_str(), &op.intent) {
            ("keyed", _) => self.keyed.with(|r| count(r)),
            ("plain", _) => self.plain.with(|r| count(r)),
            (_, Intent::Ticket(TicketWrite::Create { marker, .. })) => self.tickets.with_marker(marker),
            other => panic!("{other:?} is nothing of ours"),
        }
    }

    /// Holds the record against what the targets keep.
    fn judge(&mut self) {
        let mut store = self.store();
        assert_eq!(store.verify().unwrap(), Vec::<String>::new(), "the record is intact");
        let incidents: Vec<IncidentId> = store.heads().unwrap().into_iter().map(|head| head.id).collect();
        let mut ops: Vec<Operation> = Vec::new();
        let mut ends: BTreeMap<OpId, Vec<Ending>> = BTreeMap::new();
        for event in incidents.iter().flat_map(|id| store.events(id).unwrap()) {
            match event.body {
                Body::Outgoing(op) => ops.push(*op),
                Body::OutgoingOutcome { op, end, .. } => ends.entry(op).or_default().push(end),
                _ => {}
            }
        }
        self.figures.operations = ops.len();
        self.figures.requests = self.requests();
        let mut known = 0;
        for op in &ops {
            let told = ends.get(&op.id).map(Vec::as_slice).unwrap_or_default();
            if told.len() != 1 {
                self.figures.unended += 1;
                println!("ended {} times: {told:?} {op:?}", told.len());
            }
            let effects = self.effects(op);
            known += effects;
            match effects {
                0 => {
                    self.figures.missing += 1;
                    println!("missing: {told:?} {op:?}");
                }
                1 => {}
                n => {
                    self.figures.twice += 1;
                    println!("{n} times: {told:?} {op:?}");
                }
            }
            if effects > 0 && told.iter().any(|end| !end.good()) {
                self.figures.mistold += 1;
                println!("done, and the record says {told:?}: {op:?}");
            }
        }
        let kept = self.keyed.with(|r| r.kept.len()) + self.plain.with(|r| r.kept.len()) + self.tickets.opened();
        self.figures.strangers = kept.saturating_sub(known);
    }
}

fn kill(child: &mut Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn killed_at_any_instant_no_key_has_two_effects_and_none_is_missing() {
    let seed = variable("MIDWATCH_KILL_SEED", 7);
    let rounds = variable("MIDWATCH_KILLS", 10);
    println!("seed {seed}, {rounds} rounds");
    let mut world = World::new(seed);
    for _ in 0..rounds {
        world.ask();
        world.trouble();
        if world.dice.below(3) == 0 {
            world.jump();
        }
        world.live_and_die();
    }
    world.settle();
    world.judge();
    println!("{:?}", world.figures);
    let f = &world.figures;
    assert_eq!(f.wrong(), [0; 5], "{f:?}");
    assert!(f.operations > rounds as usize && f.troubles > 5, "hardly anything happened: {f:?}");
}

/// The judge itself: without this, figures of zero could be those of a judge that sees nothing.
#[test]
fn the_judge_sees_what_was_done_twice_what_is_missing_and_what_the_record_tells_wrongly() {
    let mut world = World::new(1);
    let kinds = [
        ("keyed", Capability::Post, Class::RepeatWithKey),
        ("plain", Capability::Post, Class::AskPerson),
        ("gh", Capability::CreateTicket, Class::Compare),
    ];
    // An honest one of each, and what goes wrong at the one that keeps what it gets.
    (0..3).for_each(|n| world.record(kinds[n]));
    (0..4).for_each(|_| world.record(kinds[1]));
    let mut store = world.store();
    let entries: Vec<_> = store.outbox().unwrap();
    let of =
        |target: &str| entries.iter().filter(|e| e.op.target.as_str() == target).map(|e| &e.op).collect::<Vec<_>>();
    let ([keyed], [ticket]) = (&of("keyed")[..], &of("gh")[..]) else { panic!() };
    let [honest, doubled, missing, refused, open] = of("plain")[..] else { panic!() };
    world.keyed.with(|r| r.kept.push(keyed.id.to_string()));
    world.plain.with(|r| r.kept.extend([honest, doubled, doubled, refused, open].map(|op| op.id.to_string())));
    let Intent::Ticket(TicketWrite::Create { marker, .. }) = &ticket.intent else { panic!() };
    world.tickets.open(marker);
    for entry in &entries {
        let (now, holder) = (clock::now(), "judge".to_owned());
        let lease = Lease { holder: holder.clone(), since: now, until: now + mins(1), look: false };
        let outcome = match &entry.op.id {
            id if *id == refused.id => Outcome::Refused { kind: Obstacle::Permission, words: "answered 403".into() },
            id if *id == open.id => continue,
            _ => Outcome::applied(),
        };
        for step in [Step::Claim { lease }, Step::Report { holder, at: now, outcome }] {
            assert!(matches!(store.step(&entry.op.id, &step, "alice").unwrap(), Stepped::Taken(..)), "{step:?}");
        }
    }
    world.judge();
    let f = &world.figures;
    assert_eq!((f.operations, f.wrong()), (7, [1, 1, 1, 1, 0]), "{doubled:?} {missing:?} {f:?}");
    // And an effect that nobody asked for.
    world.plain.with(|r| r.kept.push("somebody's".into()));
    world.figures = Figures::default();
    world.judge();
    assert_eq!(world.figures.wrong(), [1, 1, 1, 1, 1]);
}

//! An experiment that is ended at every point of its way, by everything that can end it, is taken back.

use super::*;
use crate::domain::experiment::entry::{line, read as read_journal};
use crate::domain::experiment::read::read;
use crate::domain::time::mins;
use proptest::prelude::*;

const FILE: &str = "
kind: Experiment
id: half
hypothesis: It holds with half of it
blast_radius: {environment: staging, targets: app=redis, max_share: 0.5, share_promql: touched, forbid: [production]}
duration: 2m
every: 5s
recovery: 1m
guard: [{argv: [kubectl, config, current-context], equals: staging}]
steady: [{promql: up, op: '>', value: 0, for: 10s, within: 30s}]
abort: [{promql: errors, op: '>', value: 0.05, for: 5s}, {no_data: 20s}]
method:
  - {argv: [scale, down], risk: change, pause_before: 5s, pause_after: 5s}
  - {sh: 'rm -rf /tmp/cache', risk: destroy}
success: [{promql: p99, op: '<', value: 2}]
manual: [No data loss]
rollback: [{argv: [scale, up]}, {http: {method: POST, url: 'http://127.0.0.1:1/reset'}, pause_after: 2s}]
";

fn experiment() -> Arc<Experiment> {
    of(FILE)
}

fn of(text: &str) -> Arc<Experiment> {
    let (experiment, findings) = read("half.yaml", text);
    assert_eq!(findings.iter().map(ToString::to_string).collect::<Vec<_>>(), Vec::<String>::new());
    Arc::new(experiment.unwrap())
}

fn start() -> Timestamp {
    "2026-05-04T10:00:00Z".parse().unwrap()
}

/// What is put in at one point of the way.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Blow {
    Nothing,
    Person,
    Signal,
    Condition,
    Share,
    ShareNotKnown,
    NoData,
    Incident,
    Unknown,
    MethodFails,
    EndUnknown,
    Journal,
    Killed,
    Leap,
}

const BLOWS: [Blow; 14] = [
    Blow::Nothing,
    Blow::Person,
    Blow::Signal,
    Blow::Condition,
    Blow::Share,
    Blow::ShareNotKnown,
    Blow::NoData,
    Blow::Incident,
    Blow::Unknown,
    Blow::MethodFails,
    Blow::EndUnknown,
    Blow::Journal,
    Blow::Killed,
    Blow::Leap,
];

/// A world that answers everything, and keeps the journal as a disk would.
struct World {
    machine: Machine,
    now: Timestamp,
    journal: String,
    last: (u64, String),
    ran: Vec<String>,
    running: Option<(String, Timestamp)>,
    inbox: std::collections::VecDeque<Input>,
    /// From now on no look says anything.
    blind: bool,
    /// What the share that is touched is from now on: `None` where nothing says it.
    share: Option<Look>,
    /// The next end of a part of the method fails, or is not known.
    spoiled: Option<Option<bool>>,
    over: bool,
    /// Its process was killed with nothing owed: nobody closed it.
    killed: bool,
    delivered: usize,
}

impl World {
    fn new() -> Self {
        Self::of(experiment())
    }

    fn of(experiment: Arc<Experiment>) -> Self {
        let (machine, effects) = Machine::begin(experiment, "EXP-1", ("host".into(), "ada".into()), start());
        let mut world = Self {
            machine,
            now: start(),
            journal: String::new(),
            last: (0, String::new()),
            ran: Vec::new(),
            running: None,
            inbox: Default::default(),
            blind: false,
            share: Some(Look::Fails("0.25".into())),
            spoiled: None,
            over: false,
            killed: false,
            delivered: 0,
        };
        world.carry_out(effects);
        world
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Record(body) => {
                    let (text, hash) = line(self.last.0 + 1, self.now, &self.last.1, &body);
                    self.journal.push_str(&text);
                    self.last = (self.last.0 + 1, hash);
                }
                Effect::AskFacts => {
                    let facts = Facts { incidents: Ok(vec![]), budgets: Ok(vec![]) };
                    self.inbox.push_back(Input::Facts(facts));
                }
                Effect::Look(at) => {
                    let role = self.machine.watches()[at].role;
                    let look = match (self.blind, role) {
                        (true, _) => Look::NoData("away".into()),
                        (false, Role::Abort) => Look::Fails("0".into()),
                        (false, Role::Blast) => {
                            self.share.clone().unwrap_or_else(|| Look::NoData("the query gives no series".into()))
                        }
                        (false, _) => Look::Holds("1".into()),
                    };
                    self.inbox.push_back(Input::Looked(at, look));
                }
                Effect::LookIncidents => self.inbox.push_back(Input::Incidents(Ok(vec![]))),
                Effect::Run(id) => {
                    assert!(self.running.is_none(), "two things run at once");
                    let recorded =
                        self.journal.lines().last().is_some_and(|l| l.contains("\"started\"") && l.contains(&id));
                    assert!(recorded || id.starts_with("guard."), "{id} ran before it was written down");
                    self.ran.push(id.clone());
                    self.running = Some((id, self.now + secs(2)));
                }
                Effect::Stop => {
                    if let Some((id, _)) = self.running.take() {
                        let end = End { ok: None, how: "stopped".into(), ..End::default() };
                        self.inbox.push_back(Input::Ended { id, end });
                    }
                }
                Effect::Say(_) => {}
                Effect::Over => self.over = true,
            }
        }
    }

    fn put(&mut self, input: Input) {
        self.delivered += 1;
        let effects = self.machine.step(self.now, input);
        self.carry_out(effects);
    }

    /// The process is gone; another one goes on with what the disk has.
    fn kill(&mut self) {
        let journal = read_journal("j", &self.journal);
        assert!(journal.findings.is_empty());
        let record = Record::fold(&journal.entries);
        assert_eq!(record.changed(), self.ran.iter().any(|id| id.starts_with("method.")));
        if record.changed() && record.owes_rollback() {
            let (machine, effects) =
                Machine::owed(experiment(), "EXP-1", ("host".into(), "ada".into()), record, self.now);
            (self.machine, self.running, self.over) = (machine, None, false);
            self.inbox.clear();
            self.carry_out(effects);
        } else {
            (self.over, self.killed) = (true, true);
        }
    }

    fn strike(&mut self, blow: Blow) {
        let abort = self.machine.watches().iter().position(|w| w.role == Role::Abort).unwrap();
        match blow {
            Blow::Nothing => {}
            Blow::Person => self.put(Input::Halt(Cause::Halted { by: "ada".into() })),
            Blow::Signal => self.put(Input::Halt(Cause::Signal { what: "the terminal is gone".into() })),
            Blow::Condition => {
                self.put(Input::Looked(abort, Look::Holds("0.9".into())));
                self.now += secs(5);
                self.put(Input::Looked(abort, Look::Holds("0.9".into())));
            }
            Blow::Share => {
                self.share = Some(Look::Holds("0.75".into()));
                // A look that is on its way sees it too.
                for input in &mut self.inbox {
                    if let Input::Looked(at, look) = input
                        && self.machine.watches()[*at].role == Role::Blast
                    {
                        *look = Look::Holds("0.75".into());
                    }
                }
                let at = self.machine.watches().iter().position(|w| w.role == Role::Blast).unwrap();
                self.put(Input::Looked(at, Look::Holds("0.75".into())));
            }
            Blow::ShareNotKnown => self.share = None,
            Blow::NoData => self.blind = true,
            Blow::Incident => self.put(Input::Incidents(Ok(vec!["INC-1".into()]))),
            Blow::Unknown => self.put(Input::Incidents(Err("the record is locked".into()))),
            Blow::MethodFails => self.spoiled = Some(Some(false)),
            Blow::EndUnknown => self.spoiled = Some(None),
            Blow::Journal => self.put(Input::Halt(Cause::Journal { what: "disk full".into() })),
            Blow::Killed => self.kill(),
            Blow::Leap => {
                self.now += mins(30);
                self.put(Input::Wake);
            }
        }
    }

    /// One thing that happens next.
    fn turn(&mut self) {
        if let Some(input) = self.inbox.pop_front() {
            return self.put(input);
        }
        if let Some(prompt) = self.machine.prompt() {
            let answer = ["`y`", "`staging`", "`/tmp/cache`", "`yes`"].into_iter().find(|a| prompt.ask.contains(a));
            return self.put(Input::Typed(answer.unwrap().trim_matches('`').to_owned()));
        }
        let wake = self.machine.next_deadline().unwrap_or(self.now + secs(1));
        match self.running.clone() {
            Some((id, at)) if at <= wake => {
                self.now = self.now.max(at);
                self.running = None;
                let method = id.starts_with("method.");
                let ok = if method { self.spoiled.take().unwrap_or(Some(true)) } else { Some(true) };
                let end = End { ok, how: "exit".into(), first: "staging".into(), excerpt: vec![] };
                self.put(Input::Ended { id, end });
            }
            _ => {
                self.now = self.now.max(wake);
                self.put(Input::Wake);
            }
        }
    }

    fn run_out(&mut self) {
        for _ in 0..2_000 {
            if self.over && self.record().closed.is_none() && self.record().owes_rollback() {
                // Who was offered it left it owed: the next start offers it again.
                self.kill();
            }
            if self.over {
                return;
            }
            self.turn();
        }
        panic!("it does not end: {:?}", self.machine.phase());
    }

    fn record(&self) -> Record {
        Record::fold(&read_journal("j", &self.journal).entries)
    }

    /// What must be so whatever happened.
    fn check(&self, what: &str) {
        let last = self.ran.iter().rposition(|id| id.starts_with("method."));
        let back: Vec<&String> = self.ran.iter().filter(|id| id.starts_with("rollback.")).collect();
        let record = self.record();
        match last {
            Some(last) => {
                for id in ["rollback.1", "rollback.2"] {
                    assert!(self.ran[last..].iter().any(|ran| ran == id), "{what}: {id} did not run: {:?}", self.ran);
                }
                assert!(!record.owes_rollback(), "{what}: owed");
                assert!(record.closed.is_some() || self.killed, "{what}: not closed");
            }
            None => assert!(back.is_empty(), "{what}: {back:?} without a change"),
        }
    }
}

#[test]
fn undisturbed_it_completes_and_the_hypothesis_holds() {
    let mut world = World::new();
    world.run_out();
    let want = ["guard.1", "method.1", "method.2", "rollback.1", "rollback.2"];
    assert_eq!(world.ran, want);
    let record = world.record();
    assert_eq!(record.closed.as_ref().map(|(_, o, h)| (*o, *h)), Some((Outcome::Completed, Some(true))));
    let (begun, out) = (record.begun.unwrap(), record.cause.unwrap().0);
    assert_eq!(out - begun, mins(2));
    world.check("undisturbed");
}

/// Every point of the way, everything that can end it.
#[test]
fn ended_at_any_point_it_is_taken_back() {
    let points = {
        let mut world = World::new();
        world.run_out();
        world.delivered
    };
    assert!(points > 80, "{points}");
    let mut aborted = 0;
    for blow in BLOWS {
        for point in 0..points {
            let mut world = World::new();
            while world.delivered < point && !world.over {
                world.turn();
            }
            let begun = world.record().begun.is_some() && world.record().cause.is_none();
            world.strike(blow);
            world.run_out();
            world.check(&format!("{blow:?} at {point}"));
            let record = world.record();
            if begun
                && record.changed()
                && !world.killed
                && !matches!(blow, Blow::Nothing | Blow::MethodFails | Blow::EndUnknown | Blow::Leap)
                && !(blow == Blow::ShareNotKnown && matches!(record.cause, Some((_, Cause::TimeUp))))
            {
                aborted += usize::from(record.closed.as_ref().unwrap().1 == Outcome::Aborted);
                assert_ne!(record.hypothesis(), Some(true), "{blow:?} at {point}");
            }
        }
    }
    assert!(aborted > 200, "{aborted}");
}

/// At every point: before the first change it does not begin, after it it is taken back, and the hypothesis is not blamed.
#[test]
fn more_than_may_be_touched_is_refused_and_taken_back() {
    let (mut refused, mut aborted) = (0, 0);
    for blow in [Blow::Share, Blow::ShareNotKnown] {
        for point in 0..90 {
            let mut world = World::new();
            while world.delivered < point && !world.over {
                world.turn();
            }
            let before = world.record();
            world.strike(blow);
            world.run_out();
            let what = format!("{blow:?} at {point}");
            world.check(&what);
            let (record, cause) = (world.record(), world.record().cause.map(|(_, cause)| cause));
            // What was known a moment ago still counts when it begins.
            if before.begun.is_none() && (blow == Blow::Share || !record.changed()) {
                assert!(!record.changed(), "{what}: it changed something");
                assert_eq!(record.closed.map(|(_, outcome, _)| outcome), Some(Outcome::Refused), "{what}");
                refused += 1;
            } else if before.cause.is_none() && cause != Some(Cause::TimeUp) {
                match (blow, cause.unwrap()) {
                    (Blow::Share, Cause::Blast { limit, seen }) => {
                        assert_eq!((limit.as_str(), seen.as_str()), ("at most 50 % of app=redis", "0.75"), "{what}");
                    }
                    (Blow::ShareNotKnown, Cause::NoData { name, .. }) => {
                        assert_eq!(name, "at most 50 % of app=redis");
                    }
                    (_, other) => panic!("{what}: {other:?}"),
                }
                assert_eq!(record.hypothesis(), None, "{what}");
                aborted += 1;
            }
        }
    }
    assert!(refused > 20 && aborted > 40, "{refused} {aborted}");
}

/// What was measured stands in the record, and why where it was not.
#[test]
fn what_is_touched_is_recorded_or_said_to_be_unmeasured() {
    let mut world = World::new();
    world.run_out();
    let limit = Some("at most 50 % of app=redis".to_owned());
    assert_eq!(world.record().touched, Some((limit.clone(), Some("0.25".to_owned()), String::new())));
    for (from, to, limit, why) in [
        (", share_promql: touched", "", limit, "the file gives no `share_promql`"),
        (", max_share: 0.5, share_promql: touched", "", None, "the file gives no `max_share`"),
    ] {
        let mut world = World::of(of(&FILE.replace(from, to)));
        while world.machine.phase() != &Phase::Environment {
            world.turn();
        }
        let prompt = world.machine.prompt().unwrap();
        let told = prompt.rows.iter().find(|(label, _)| label == "blast").map(|(_, text)| text.clone()).unwrap();
        assert!(told.ends_with(&format!("NOT MEASURED: {why}")), "{told}");
        world.run_out();
        assert_eq!(world.record().touched, Some((limit, None, why.to_owned())));
        let report = crate::domain::experiment::report::markdown(&read_journal("j", &world.journal).entries);
        assert!(report.contains("NOT MEASURED"), "{report}");
    }
}

/// A time of `halt_by` at which it is in force: taken back, and the hypothesis is not known.
#[test]
fn a_time_that_halts_it_takes_it_back() {
    let seconds = |halt_by: &str| format!("{FILE}halt_by: [owner, '{halt_by}']\n");
    for (text, want) in [
        (seconds("10:01 UTC"), "it was to be halted by 10:01 UTC (2026-05-04T10:01:00.000Z)"),
        (seconds("2026-05-04T12:01:00+02:00"), "it was to be halted by 2026-05-04T10:01:00.000Z"),
    ] {
        let mut world = World::of(of(&text));
        world.run_out();
        world.check(want);
        let record = world.record();
        let (at, cause) = record.cause.clone().unwrap();
        assert_eq!(cause.words(), want);
        assert_eq!(at, start() + mins(1));
        assert_eq!(record.closed.map(|(_, outcome, held)| (outcome, held)), Some((Outcome::Aborted, None)), "{want}");
        assert_eq!(world.ran.iter().filter(|id| id.starts_with("rollback.")).count(), 2);
    }
    // One that was over before it could begin lets nothing begin; one that lies behind its end changes nothing.
    let mut late = World::of(of(&seconds("2026-05-04T09:00:00Z")));
    late.run_out();
    assert!(late.record().refused[0].contains("which is over"), "{:?}", late.record().refused);
    assert!(late.ran.is_empty());
    let mut far = World::of(of(&seconds("23:00 UTC")));
    far.run_out();
    assert_eq!(far.record().closed.map(|(_, outcome, _)| outcome), Some(Outcome::Completed));
    assert_eq!(far.machine.experiment().halt_by, ["owner"]);
}

/// A second blow on the way out, the process's death too.
#[test]
fn struck_twice_it_is_still_taken_back() {
    for first in BLOWS {
        for second in [Blow::Person, Blow::Signal, Blow::Killed, Blow::Condition, Blow::Journal] {
            for point in [44, 52, 75] {
                for later in (0..14).step_by(3) {
                    let mut world = World::new();
                    while world.delivered < point && !world.over {
                        world.turn();
                    }
                    world.strike(first);
                    for _ in 0..later {
                        if !world.over {
                            world.turn();
                        }
                    }
                    if !world.over {
                        world.strike(second);
                    }
                    world.run_out();
                    world.check(&format!("{first:?} at {point}, then {second:?} {later} later"));
                }
            }
        }
    }
}

#[test]
fn a_part_of_the_rollback_that_fails_stops_no_other_and_stays_owed() {
    let mut world = World::new();
    while world.ran.last().is_none_or(|id| id != "rollback.1") {
        world.turn();
    }
    world.running = None;
    let end = End { ok: Some(false), how: "exit 1".into(), ..End::default() };
    world.put(Input::Ended { id: "rollback.1".into(), end });
    world.run_out();
    assert!(world.ran.iter().any(|id| id == "rollback.2"));
    let record = world.record();
    assert!(record.owes_rollback());
    assert_eq!(record.closed.unwrap().1, Outcome::RollbackFailed);
    // The next process runs only what is not known to be done.
    world.kill();
    let before = world.ran.len();
    world.run_out();
    assert_eq!(world.ran[before..], ["rollback.1"]);
    assert!(!world.record().owes_rollback());
}

#[test]
fn enter_confirms_nothing_and_a_wrong_word_begins_nothing() {
    let mut world = World::new();
    while world.machine.prompt().is_none() {
        world.turn();
    }
    for text in ["", " ", "yes", "Y", "staging"] {
        world.put(Input::Typed(text.into()));
        assert_eq!(world.machine.phase(), &Phase::Confirm(0), "{text}");
    }
    world.put(Input::Typed("y".into()));
    let prompt = world.machine.prompt().unwrap();
    assert!(prompt.ask.contains("`/tmp/cache`"), "{}", prompt.ask);
    assert!(prompt.rows.iter().any(|(_, text)| text == "rm -rf /tmp/cache"), "{:?}", prompt.rows);
    world.put(Input::Typed("y".into()));
    assert_eq!(world.machine.phase(), &Phase::Confirm(1));
    world.put(Input::Typed("/tmp/cache".into()));
    assert_eq!(world.machine.phase(), &Phase::Environment);
    let shown: Vec<String> = world.machine.prompt().unwrap().rows.into_iter().map(|(_, text)| text).collect();
    assert!(shown.iter().any(|text| text.starts_with("scale up")), "{shown:?}");
    world.put(Input::Typed("stage".into()));
    assert_eq!(world.machine.phase(), &Phase::Environment);
    world.put(Input::Typed("stop".into()));
    assert_eq!(world.record().closed.unwrap().1, Outcome::Left);
    world.check("left");
}

#[test]
fn what_is_not_known_never_clears_an_abort_condition() {
    let mut world = World::new();
    while world.machine.phase() != &Phase::Watching {
        world.turn();
    }
    world.inbox.clear();
    let abort = world.machine.watches().iter().position(|w| w.role == Role::Abort).unwrap();
    world.put(Input::Looked(abort, Look::Holds("1".into())));
    world.now += secs(5);
    world.put(Input::Looked(abort, Look::NoData("away".into())));
    assert!(matches!(world.record().cause, Some((_, Cause::Condition { .. }))), "{:?}", world.record().cause);
}

/// A method that ends long after it was told to is no part of the rollback that did not wait for it.
#[test]
fn a_late_end_of_the_method_is_no_end_of_the_rollback() {
    let mut world = World::new();
    while world.running.as_ref().is_none_or(|(id, _)| id != "method.1") {
        world.turn();
    }
    world.strike(Blow::Person);
    // Its end is on the way; the patience is over before it comes.
    world.strike(Blow::Leap);
    assert_eq!(world.running.as_ref().map(|(id, _)| id.as_str()), Some("rollback.1"));
    world.turn();
    assert_eq!(world.running.as_ref().map(|(id, _)| id.as_str()), Some("rollback.1"), "it still runs");
    world.run_out();
    world.check("a late end");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn no_way_through_it_leaves_a_change_in_force(steps in prop::collection::vec((0_usize..60, 0_usize..BLOWS.len()), 1..8)) {
        let mut world = World::new();
        for (turns, blow) in steps {
            for _ in 0..turns {
                if !world.over { world.turn(); }
            }
            if !world.over { world.strike(BLOWS[blow]); }
        }
        world.run_out();
        world.check("chance");
    }
}

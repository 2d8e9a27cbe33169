//! A walk that is killed at any instant goes on at the same step, says of an unfinished command that its end is unknown, and
//! runs nothing twice. Seeded; `MIDWATCH_KILLS` makes more rounds, `MIDWATCH_KILL_SEED` other instants.

use crate::cli::Machine;
use midwatch::domain::incident::state::Incident;
use midwatch::io::store::Store;
use midwatch::io::store::sqlite::Sqlite;
use midwatch::io::store::sqlite::open::default_path;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

const STEPS: usize = 60;

/// Instants that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)) % sides
    }
}

fn variable(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Each step has one change that leaves its number in a file before it takes its time.
fn machine() -> Machine {
    let machine = Machine::new();
    let mut book = String::from(
        "apiVersion: midwatch/v1\nkind: Runbook\nid: long\nname: Long\nowner: t\nreviewed: 2026-05-01\nsteps:\n",
    );
    let canary = machine.dir.path().join("canary");
    for n in 1..=STEPS {
        writeln!(
            book,
            "  - {{id: s{n}, name: Step {n}, phase: mitigate, run: [{{sh: 'echo {n} >> {}; sleep 0.3; echo over', risk: change, \
             rollback: {{none: a test}}}}]}}",
            canary.display()
        )
        .unwrap();
    }
    machine.write("runbooks/long.yaml", &book);
    machine.write("config.yaml", "responder: {name: alice}\nrunbooks: [runbooks/]\n");
    assert_eq!(machine.run("incident declare --title t --severity SEV2").code, 0);
    machine
}

fn canary(machine: &Machine) -> BTreeMap<usize, usize> {
    let text = std::fs::read_to_string(machine.dir.path().join("canary")).unwrap_or_default();
    let mut seen = BTreeMap::new();
    // A line that is still being written is not one yet.
    for number in text.split_inclusive('\n').filter(|l| l.ends_with('\n')).filter_map(|l| l.trim().parse().ok()) {
        *seen.entry(number).or_default() += 1;
    }
    seen
}

fn state(machine: &Machine) -> Incident {
    let mut store = Sqlite::open(&default_path(&machine.dir.path().join("d"))).unwrap();
    assert_eq!(store.verify().unwrap(), Vec::<String>::new(), "the record is intact");
    let id = store.heads().unwrap()[0].id.clone();
    Incident::fold(&store.events(&id).unwrap()).unwrap()
}

/// The first step without an end.
fn expected(state: &Incident) -> usize {
    let ended =
        |n: &usize| state.walks.values().next().is_some_and(|w| w.steps.contains_key(&format!("s{n}").as_str().into()));
    (1..=STEPS).find(|n| !ended(n)).unwrap_or(STEPS + 1)
}

/// Whether a step's command began and nobody saw its end.
fn unfinished(state: &Incident, step: usize) -> bool {
    state.commands.iter().any(|r| r.start.place.step.as_str() == format!("s{step}") && r.finish.is_none())
}

fn start(machine: &Machine) -> (Child, Receiver<String>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_midwatch"));
    command.env_clear().env("HOME", machine.dir.path()).env("MIDWATCH_CONFIG", machine.config());
    command.env("MIDWATCH_DATA_DIR", machine.dir.path().join("d")).env("PATH", "/usr/bin:/bin");
    command.args(["runbook", "walk", "long", "--incident", "last", "--arm"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let (tell, lines) = channel();
    thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
    (child, lines)
}

/// When a round ends.
enum Kill {
    /// After so many lines and a moment more.
    Lines(u64, Duration),
    /// A moment after the first command of the round is seen to run.
    Running(Duration),
}

/// Works through the steps as a person would until the round ends. Never runs a command again that may have run.
fn work(machine: &Machine, kill: &Kill) -> usize {
    let before = state(machine);
    let at = expected(&before);
    let (mut child, lines) = start(machine);
    let mut input = child.stdin.take().unwrap();
    let (mut read, mut step, mut met_unknown, mut acked) = (0, 0, 0, at - 1);
    let mut answer = |text: &str| drop(input.write_all(text.as_bytes()));
    let patience = Duration::from_secs(60);
    let mut shown_unknown = false;
    while let Ok(line) = lines.recv_timeout(patience) {
        read += 1;
        if let Some(number) = line.strip_prefix("step ").and_then(|rest| rest.split(' ').next()?.parse::<usize>().ok())
        {
            if step == 0 {
                assert_eq!(number, at, "the same step as before");
            } else {
                acked = number - 1;
            }
            (step, shown_unknown) = (number, false);
        }
        if line.ends_with("command 1 ran: unknown, check before re-running") {
            assert!(step == at && unfinished(&before, at), "only what was begun and not ended is unknown");
            (met_unknown, shown_unknown) = (met_unknown + 1, true);
            // Whether a change is in force is said last; a person looked, and goes on without running it again.
            answer("done\n");
        } else if line.starts_with("step ") && !(step == at && unfinished(&before, at)) {
            answer("run 1\n");
        } else if line.contains("type `y` to run command 1") {
            answer("y\n");
        } else if line.starts_with("command 1: ") {
            answer("done\n");
        }
        match kill {
            Kill::Lines(wanted, pause) if read >= *wanted => {
                thread::sleep(*pause);
                break;
            }
            Kill::Running(pause) if line.contains("type `y`") => {
                // Bounded by the patience of the next line: a command that never runs ends the round as well.
                for _ in 0..3_000 {
                    if canary(machine).contains_key(&step) {
                        break;
                    }
                    thread::sleep(Duration::from_millis(10));
                }
                thread::sleep(*pause);
                break;
            }
            _ => {}
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    if step == at && unfinished(&before, at) && read > 4 {
        assert!(met_unknown == 1 || shown_unknown, "an unfinished command is said to be unknown");
    }
    let after = state(machine);
    assert!(expected(&after) > acked, "an end that was shown is on disk");
    for (number, times) in canary(machine) {
        assert_eq!(times, 1, "step {number} ran once");
        let begun = after.commands.iter().filter(|r| r.start.place.step.as_str() == format!("s{number}")).count();
        assert_eq!(begun, 1, "step {number} was recorded before it ran, once");
    }
    met_unknown
}

#[test]
fn a_walk_killed_at_any_instant_goes_on_at_its_step_and_runs_nothing_twice() {
    let seed = variable("MIDWATCH_KILL_SEED", 4);
    let rounds = variable("MIDWATCH_KILLS", 16);
    println!("seed {seed}, {rounds} rounds");
    let mut dice = Dice(seed);
    let mut machine = machine();
    let mut unknown = 0;
    for round in 0..rounds {
        if expected(&state(&machine)) > STEPS {
            machine = self::machine();
        }
        let moment = Duration::from_millis(dice.below(150));
        let kill = match round % 2 {
            0 => Kill::Running(moment),
            _ => Kill::Lines(1 + dice.below(45), moment),
        };
        unknown += work(&machine, &kill);
    }
    assert!(unknown >= 1, "no command was unfinished in {rounds} rounds");
}

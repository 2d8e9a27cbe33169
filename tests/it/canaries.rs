//! No secret of ours anywhere: every adapter's token is a canary, its server says it back, and after everything that reads,
//! writes, prints and exports was done, none is on disk, on a screen, in a log, in an export, or at a child.

use crate::canary_house::{House, RUNBOOK, SLO, Sweep, VARIABLE, canary};
use crate::cli::Machine;
use crate::contract::any_intent;
use midwatch::config::{Environment, Flags, Inputs};
use midwatch::domain::ids::{IncidentId, SourceName};
use midwatch::domain::incident::event::{Body, NewEvent};
use midwatch::domain::outward::capability::Capability;
use midwatch::domain::outward::operation::Operation;
use midwatch::io::clock;
use midwatch::io::port::Target;
use midwatch::io::store::Store;
use midwatch::io::store::sqlite::Sqlite;
use midwatch::io::store::sqlite::open::default_path;
use midwatch::run::integrations;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// Answers that are tried.
const STATUSES: [u16; 4] = [200, 401, 422, 500];

/// What a script does in a day.
const COMMANDS: [&[&str]; 31] = [
    &["doctor"],
    &["doctor", "-o", "json"],
    &["config", "show"],
    &["check", "--online", "-o", "json"],
    &["alerts", "-o", "json"],
    &["slo", "list", "-o", "json"],
    &["status"],
    &["silence", "list"],
    &["silence", "create", "Echo", "--comment", "rack"],
    &["incident", "declare", "--title", "down", "--severity", "SEV1", "--service", "api", "--page"],
    &["incident", "ack", "last"],
    &["incident", "room", "last", "open"],
    &["incident", "room", "last", "post", "hello"],
    &["incident", "statuspage", "last", "publish", "investigating", "we look", "--yes"],
    &["incident", "ticket", "last", "--incident", "--to", "gh"],
    &["incident", "ticket", "last", "--incident", "--to", "jira"],
    &["incident", "mitigated", "last"],
    &["pages", "-o", "json"],
    &["oncall"],
    &["changes", "-o", "json"],
    &["runbook", "lint", "--online"],
    &["outbox", "list", "--all", "-o", "json"],
    &["incident", "resolve", "last", "--summary", "over"],
    &["postmortem", "last", "--out", "-"],
    &["incident", "timeline", "last", "--format", "md"],
    &["incident", "timeline", "last", "--format", "csv"],
    &["incident", "timeline", "last", "--format", "jsonl"],
    &["incident", "timeline", "last", "--format", "text"],
    &["incident", "show", "last", "-o", "json"],
    &["slo", "report", "--period", "week"],
    &["alerts", "-o", "table"],
];

fn furnished() -> (Machine, House) {
    let machine = Machine::new();
    let house = House::new(machine.dir.path());
    machine.write("slos/api.yaml", SLO);
    machine.write("runbooks/look.yaml", RUNBOOK);
    machine.write("config.yaml", &house.config());
    (machine, house)
}

/// Folders that hold secrets or say where they are.
const EXCEPT: [&str; 1] = ["secrets"];

#[test]
fn a_script_leaves_no_canary() {
    let (machine, house) = furnished();
    let mut sweep = Sweep::default();
    for status in STATUSES {
        house.server.with(|echo| echo.status = status);
        for command in COMMANDS {
            let out = machine.command().env(VARIABLE, canary("github")).args(command).output().unwrap();
            let code = out.status.code();
            assert!(code.is_some_and(|code| code < 4), "{command:?} with {status}: {code:?}");
            assert_ne!(code, Some(2), "{command:?}: {}", String::from_utf8_lossy(&out.stderr));
            sweep.bytes(&format!("{command:?} with {status}, output"), &out.stdout);
            sweep.bytes(&format!("{command:?} with {status}, errors"), &out.stderr);
        }
    }
    sweep.folder(machine.dir.path(), &EXCEPT);
    let mut all = Sweep::default();
    all.folder(&machine.dir.path().join("secrets"), &[]);
    assert!(all.leaks.len() >= 18, "the sweep finds what is there");
    sweep.is_clean();
}

/// The targets of the configuration, as a process with these variables has them.
fn targets(house: &House) -> BTreeMap<SourceName, Target> {
    let text = house.config().replace(&format!("{{env: {VARIABLE}}}"), "{file: '/nowhere/token'}");
    let (environment, flags) = (Environment::new(), Flags::default());
    let mut loaded = midwatch::config::read(&Inputs {
        file: Some(("config.yaml", &text)),
        folder: std::path::Path::new("/nowhere"),
        environment: &environment,
        flags: &flags,
        machine_zone: None,
    });
    integrations::check(&mut loaded);
    let (targets, faults) = integrations::connect_all(&loaded.config);
    assert!(faults.is_empty() && targets.len() == 19, "{faults:?} {:?}", targets.keys());
    targets
}

/// One operation of every kind that a target takes.
fn operations(targets: &BTreeMap<SourceName, Target>) -> Vec<Operation> {
    let mut all = Vec::new();
    for (name, target) in targets {
        let caps = target.facts(name).caps;
        for capability in Capability::ALL.iter().copied() {
            if let (Some(class), Some(intent)) = (caps.class(capability), any_intent(capability)) {
                all.push(Operation::new(name.clone(), intent, class, clock::now(), "alice"));
            }
        }
    }
    all
}

#[test]
fn what_a_target_says_of_a_write_holds_no_canary() {
    let machine = Machine::new();
    let house = House::new(machine.dir.path());
    let targets = targets(&house);
    let mut sweep = Sweep::default();
    for status in STATUSES {
        house.server.with(|echo| echo.status = status);
        for mut op in operations(&targets) {
            op.id = format!("op-{status}").as_str().into();
            let target = &targets[&op.target];
            let (done, found) =
                crate::contract::run(async { (target.outward.apply(&op).await, target.outward.look(&op).await) });
            let place = format!("{} at {} with {status}", op.intent.words(), op.target);
            sweep.bytes(&place, format!("{done:?} {found:?} {target:?}").as_bytes());
        }
    }
    sweep.is_clean();
}

/// A cockpit of lines; its output so far.
struct Cockpit {
    child: std::process::Child,
    told: Arc<Mutex<Vec<u8>>>,
}

impl Cockpit {
    fn start(machine: &Machine) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_midwatch"));
        command.env_clear().env("HOME", machine.dir.path()).env("MIDWATCH_CONFIG", machine.config());
        command.env("MIDWATCH_DATA_DIR", machine.data()).env("PATH", "/usr/bin:/bin").env(VARIABLE, canary("github"));
        command.args(["watch", "--plain"]).current_dir(machine.dir.path());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let told = Arc::new(Mutex::new(Vec::new()));
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        for pipe in [Box::new(out) as Box<dyn std::io::Read + Send>, Box::new(err)] {
            let told = Arc::clone(&told);
            thread::spawn(move || {
                let mut lines = BufReader::new(pipe);
                let mut line = Vec::new();
                while lines.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
                    told.lock().unwrap().append(&mut line);
                }
            });
        }
        Self { child, told }
    }
}

/// Records an operation of every kind on an incident, as acts of a cockpit do.
fn queue(machine: &Machine, targets: &BTreeMap<SourceName, Target>) -> usize {
    let mut store = Sqlite::open(&default_path(&machine.data())).unwrap();
    let incident: IncidentId = store.heads().unwrap()[0].id.clone();
    let all = operations(targets);
    let event = |op: &Operation| NewEvent {
        incident: incident.clone(),
        at: op.created_at,
        recorded_at: op.created_at,
        actor: "alice".into(),
        body: Body::Outgoing(Box::new(op.clone())),
        once: None,
    };
    store.append(all.iter().map(event).collect()).unwrap();
    all.len()
}

#[test]
fn a_cockpit_and_its_children_leave_no_canary() {
    let (machine, house) = furnished();
    let declared = machine.args(&["incident", "declare", "--title", "down", "--severity", "SEV1", "--service", "api"]);
    assert_eq!(declared.code, 0, "{}", declared.err);
    let targets = targets(&house);
    let mut sweep = Sweep::default();
    for status in [422, 200] {
        house.server.with(|echo| echo.status = status);
        let queued = queue(&machine, &targets);
        assert!(queued > 20, "{queued}");
        let mut cockpit = Cockpit::start(&machine);
        // Every secret is sent by it once at least; the last status also sends what the first one refused.
        let mut rounds = 0;
        while house.server.with(|echo| echo.met().len()) < 18 {
            sweep.processes(cockpit.child.id());
            thread::sleep(Duration::from_millis(100));
            rounds += 1;
            if rounds > 600 {
                house.all_met();
            }
        }
        let mut input = cockpit.child.stdin.take().unwrap();
        for _ in 0..10 {
            sweep.processes(cockpit.child.id());
            thread::sleep(Duration::from_millis(50));
        }
        // It may have ended by itself: then there is nobody to type to.
        let _ = input.write_all(b"?\nq\n");
        drop(input);
        cockpit.child.kill().unwrap();
        cockpit.child.wait().unwrap();
        sweep.bytes(&format!("the lines of a cockpit with {status}"), &cockpit.told.lock().unwrap());
    }
    let walk = ["runbook", "walk", "look", "--incident", "last", "--arm"];
    let walked = machine
        .command()
        .env("PATH", "/usr/bin:/bin")
        .env(VARIABLE, canary("github"))
        .args(walk)
        .write_stdin("run 1\ny\ndone\nquit\n")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&walked.stdout).into_owned();
    assert!(
        said.contains("PATH="),
        "the command showed what it has: {said} {}",
        String::from_utf8_lossy(&walked.stderr)
    );
    sweep.bytes("a walk", &walked.stdout);
    sweep.bytes("errors of a walk", &walked.stderr);
    sweep.folder(machine.dir.path(), &EXCEPT);
    house.all_met();
    sweep.is_clean();
}

//! Chaos experiments from end to end: the examples, the notation of the plan, hostile files each with their message, the commands,
//! and real processes that are interrupted, that lose their terminal and that are killed, each of which is taken back.

use crate::cli::{Machine, Said};
use midwatch::domain::document::Level;
use midwatch::domain::experiment::keys::EXPERIMENT;
use midwatch::domain::experiment::lint::Facts;
use midwatch::domain::experiment::schema;
use midwatch::domain::ids::SloId;
use midwatch::domain::runbook::keys::places;
use midwatch::run::experiment::shelf::{of_text, shipped};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

fn fixtures(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/experiments").join(name)
}

fn told(path: &str, text: &str) -> Vec<String> {
    let slos: BTreeSet<SloId> = [SloId("checkout".into())].into();
    let (_, findings) = of_text(path, text, &Facts { slos: Some(&slos) });
    findings.iter().filter(|f| f.level > Level::Info).map(ToString::to_string).collect()
}

#[test]
fn the_two_examples_are_clean() {
    let (all, findings) = shipped();
    assert_eq!(findings.iter().map(ToString::to_string).collect::<Vec<_>>(), Vec::<String>::new());
    let ids: Vec<&str> = all.iter().map(|s| s.experiment.id.as_str()).collect();
    assert_eq!(ids, ["network-latency", "instance-failure"]);
    assert_eq!(all[0].experiment.hypothesis, "System should handle 500ms latency gracefully");
    assert_eq!(all[1].experiment.manual, ["No data loss"]);
}

/// As the format was first written down.
#[test]
fn the_short_notation_is_read() {
    let text = "
kind: Experiment
id: redis-half-down
hypothesis: Checkout stays within its SLO with half of the cache gone
blast_radius: {environment: staging, targets: 'app=redis', max_share: 0.5, forbid: [production]}
window: {not_when: [incident_open, budget_below: 0.25, freeze], hours: 'Mon-Thu 10:00-16:00 Europe/Berlin'}
duration: 15m
steady: [{promql: 'checkout:error_ratio5m', op: '<', value: 0.01, for: 5m}]
abort:  [{promql: 'checkout:error_ratio1m', op: '>', value: 0.05, for: 30s}, {slo: checkout, burn_rate: 5m, op: '>', value: 14.4, for: 1m}, {no_data: 60s}]
method: [{argv: [kubectl, scale, deploy/redis, '--replicas=1'], risk: change}]
success: [{promql: 'checkout:p99_5m', op: '<', value: 2, during: all}]
manual: [No data loss]
rollback: [{argv: [kubectl, scale, deploy/redis, '--replicas=2']}]
halt_by: [owner]
";
    let slos: BTreeSet<SloId> = [SloId("checkout".into())].into();
    let (experiment, findings) = of_text("e.yaml", text, &Facts { slos: Some(&slos) });
    let experiment = experiment.unwrap_or_else(|| panic!("{findings:?}"));
    assert_eq!((experiment.window.budget, experiment.window.freeze), (Some(0.25), true));
    assert_eq!((experiment.abort.len(), experiment.no_data.num_seconds()), (2, 60));
    let told = told("e.yaml", text);
    assert_eq!(told, ["e.yaml:5:15: warning: no `guard` proves that this is staging before anything changes [EX001]"]);
}

#[test]
fn hostile_files_each_get_their_message() {
    let mut expected = String::new();
    let mut names: Vec<PathBuf> = std::fs::read_dir(fixtures("bad"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "yaml"))
        .collect();
    names.sort();
    assert!(names.len() >= 25, "{}", names.len());
    for path in names {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let told = told(&name, &text);
        assert!(!told.is_empty(), "{name} is not found wrong");
        told.iter().for_each(|line| writeln!(expected, "{line}").unwrap());
    }
    let file = fixtures("bad/expected.txt");
    if std::env::var_os("MIDWATCH_EXPECTED").is_some() {
        std::fs::write(&file, &expected).unwrap();
    }
    assert_eq!(std::fs::read_to_string(file).unwrap(), expected);
}

/// Any cut of a good file, and any line twice, is told or read, and never panics.
#[test]
fn broken_files_never_panic() {
    let text = std::fs::read_to_string(fixtures("every-key.yaml")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    for n in 0..lines.len() {
        let without: String =
            lines.iter().enumerate().filter(|(i, _)| *i != n).map(|(_, l)| format!("{l}\n")).collect();
        of_text("e.yaml", &without, &Facts::default());
        let twice: String = lines
            .iter()
            .enumerate()
            .flat_map(|(i, l)| vec![*l; if i == n { 2 } else { 1 }])
            .map(|l| format!("{l}\n"))
            .collect();
        of_text("e.yaml", &twice, &Facts::default());
        let cut: String = lines[..n].iter().map(|l| format!("{l}\n")).collect();
        of_text("e.yaml", &cut, &Facts::default());
    }
}

#[test]
fn every_key_is_used_in_a_file_that_is_read_and_stands_in_the_schema() {
    let text = std::fs::read_to_string(fixtures("every-key.yaml")).unwrap();
    let (experiment, findings) = of_text("every-key.yaml", &text, &Facts::default());
    assert!(experiment.is_some(), "{findings:?}");
    let schema = schema::text();
    let page = schema::markdown();
    // What follows a failure is always the way out here.
    for (place, object) in places(&EXPERIMENT).into_iter().filter(|(_, object)| object.name != "onFail") {
        for key in object.keys {
            assert!(text.contains(&format!("{}:", key.name)), "{place} {} is not used", key.name);
            assert!(schema.contains(&format!("\"{}\"", key.name)), "{place} {}", key.name);
            assert!(page.contains(key.name), "{place} {}", key.name);
        }
    }
    let shipped = include_str!("../../assets/schemas/experiment.json");
    assert!(shipped == schema, "midwatch schema experiment > assets/schemas/experiment.json");
}

/// A machine with an experiment whose method and rollback leave their marks in files.
fn machine(more: &str) -> Machine {
    let machine = Machine::new();
    let here = machine.dir.path().display();
    let text = format!(
        "
kind: Experiment
id: files
hypothesis: It holds
owner: t
blast_radius: {{environment: sandbox, targets: a file, max_share: 1, forbid: [production]}}
duration: 20s
every: 1s
recovery: 5s
guard: [{{argv: [cat, {here}/where], equals: sandbox}}]
steady: [{{name: there, sh: 'test -e {here}/steady', for: 1s, within: 5s}}]
abort: [{{name: alarm, sh: 'test -e {here}/alarm', for: 0s}}]
method: [{{sh: 'echo on >> {here}/log; touch {here}/on{more}', risk: change}}]
rollback: [{{sh: 'echo off >> {here}/log; rm -f {here}/on', risk: change}}, {{argv: [touch, {here}/second], risk: change}}]
manual: [No data loss]
"
    );
    let text = text.replace("rm -f", "rm");
    machine.write("experiments/files.yaml", &text);
    machine.write("config.yaml", "responder: {name: ada}\nexperiments: [experiments/]\n");
    std::fs::write(machine.dir.path().join("where"), "sandbox\n").unwrap();
    std::fs::write(machine.dir.path().join("steady"), "").unwrap();
    machine
}

fn log(machine: &Machine) -> String {
    std::fs::read_to_string(machine.dir.path().join("log")).unwrap_or_default()
}

fn is_there(machine: &Machine, name: &str) -> bool {
    machine.dir.path().join(name).exists()
}

fn start(machine: &Machine) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_midwatch"));
    command.env_clear().env("HOME", machine.dir.path()).env("MIDWATCH_CONFIG", machine.config());
    command.env("MIDWATCH_DATA_DIR", machine.dir.path().join("d")).env("PATH", "/usr/bin:/bin").env("USER", "ada");
    command.args(["experiment", "run", "files", "--plain"]);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Waits until something is so; bounded, and it says what never came.
fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..1_200 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{what} never came");
}

/// Starts it, confirms it, and waits until the change is in force.
fn in_force(machine: &Machine) -> Child {
    let mut child = start(machine);
    child.stdin.as_mut().unwrap().write_all(b"y\nsandbox\n").unwrap();
    until("the change", || is_there(machine, "on"));
    child
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

fn last(machine: &Machine) -> Value {
    machine.run("experiment report last -o json").json()
}

#[test]
fn it_is_taken_back_when_it_is_interrupted_ended_or_loses_its_terminal() {
    for (name, cause, outcome) in [
        ("INT", "halted by ada", "aborted"),
        ("TERM", "signal 15 came", "aborted"),
        ("HUP", "the terminal is gone", "aborted"),
    ] {
        let machine = machine("");
        let mut child = in_force(&machine);
        signal(&child, name);
        if name == "INT" {
            // The question at the end is asked of a person, who answers.
            until("the rollback", || is_there(&machine, "second"));
            child.stdin.as_mut().unwrap().write_all(b"unsure\n").unwrap();
        }
        child.wait().unwrap();
        assert!(!is_there(&machine, "on") && is_there(&machine, "second"), "{name}");
        assert_eq!(log(&machine), "on\noff\n", "{name}");
        let json = last(&machine);
        assert_eq!((json["cause"].as_str(), json["outcome"].as_str()), (Some(cause), Some(outcome)), "{name}");
        assert_eq!(json["rollback_owed"], false);
        let report = std::fs::read_to_string(json["report"].as_str().unwrap()).unwrap();
        assert!(report.contains("**Rollback:** done at"), "{report}");
    }
}

#[test]
fn a_method_that_is_running_is_stopped_first() {
    let machine = machine("; sleep 600");
    let mut child = in_force(&machine);
    signal(&child, "TERM");
    child.wait().unwrap();
    assert!(!is_there(&machine, "on") && is_there(&machine, "second"));
    let json = last(&machine);
    let ends: Vec<&Value> = json["journal"].as_array().unwrap().iter().filter(|e| e["kind"] == "ended").collect();
    assert_eq!(ends[0]["how"], "stopped");
}

#[test]
fn an_abort_condition_and_an_incident_end_it() {
    for (what, cause) in [("alarm", "abort condition: alarm"), ("incident", "an incident: ")] {
        let machine = machine("");
        let mut child = in_force(&machine);
        match what {
            "alarm" => std::fs::write(machine.dir.path().join("alarm"), "").unwrap(),
            _ => assert_eq!(machine.run("incident declare --title t --severity SEV2").code, 0),
        }
        child.stdin.as_mut().unwrap().write_all(b"no\n").unwrap();
        let code = child.wait().unwrap().code();
        assert_eq!(code, Some(1));
        assert!(!is_there(&machine, "on") && is_there(&machine, "second"), "{what}");
        assert!(last(&machine)["cause"].as_str().unwrap().starts_with(cause), "{what}");
        if what == "incident" {
            let again = machine.run("experiment run files --plain");
            assert_eq!(again.code, 1, "{}", again.out);
            assert!(again.out.contains("an incident is open"), "{}", again.out);
        }
    }
}

/// Killed without a word at several moments; the next start knows, offers the rollback first, and nothing else begins before.
#[test]
fn a_run_that_is_killed_is_known_to_owe_its_rollback_and_offered_first() {
    for moment in [0_u64, 300, 900] {
        let machine = machine("");
        let mut child = in_force(&machine);
        std::thread::sleep(Duration::from_millis(moment));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(is_there(&machine, "on"));
        let json = last(&machine);
        assert_eq!((&json["rollback_owed"], &json["alive"]), (&Value::Bool(true), &Value::Bool(false)));
        let list = machine.run("experiment list");
        assert!(list.err.contains("ROLLBACK PENDING"), "{}", list.err);
        // The file may say something else by now: what was confirmed is what is run.
        machine.write("experiments/files.yaml", "kind: Experiment\nid: files\n");
        let refused = machine.pipe(&["experiment", "run", "files", "--plain"], "stop\n");
        assert_eq!(refused.code, 1);
        assert!(
            refused.out.contains("ROLLBACK PENDING") && refused.err.contains("that comes first"),
            "{} {}",
            refused.out,
            refused.err
        );
        assert!(is_there(&machine, "on"));
        let read_only = machine.pipe(&["experiment", "rollback", "--read-only"], "y\n");
        assert_eq!((read_only.code, is_there(&machine, "on")), (1, true));
        let back = machine.pipe(&["experiment", "rollback", "--plain"], "y\nunsure\n");
        assert!(!is_there(&machine, "on") && is_there(&machine, "second"), "{} {}", back.out, back.err);
        assert_eq!(back.code, 0, "{} {}", back.out, back.err);
        assert_eq!(last(&machine)["rollback_owed"], false);
        assert_eq!(machine.run("experiment rollback").code, 1, "nothing is owed any more");
    }
}

#[test]
fn a_rollback_that_fails_stays_owed_until_somebody_did_it() {
    let machine = machine("");
    let mut child = in_force(&machine);
    std::fs::remove_file(machine.dir.path().join("on")).unwrap();
    signal(&child, "TERM");
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(is_there(&machine, "second"), "the next part is run all the same");
    let json = last(&machine);
    assert_eq!((json["outcome"].as_str(), &json["rollback_owed"]), (Some("rollback_failed"), &Value::Bool(true)));
    let done = machine.args(&["experiment", "rollback", "--by-hand", "looked, it is gone"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(last(&machine)["rollback_owed"], false);
    assert!(machine.run("experiment report last").out.contains("by hand, says ada: looked, it is gone"));
}

#[test]
fn nothing_begins_where_it_must_not() {
    let run =
        |machine: &Machine, input: &str| -> Said { machine.pipe(&["experiment", "run", "files", "--plain"], input) };
    let good = "y\nsandbox\n";
    let machine = machine("");
    std::fs::write(machine.dir.path().join("where"), "production\n").unwrap();
    let said = run(&machine, good);
    assert!(said.code == 1 && said.out.contains("which `blast_radius` forbids"), "{}", said.out);
    std::fs::write(machine.dir.path().join("where"), "elsewhere\n").unwrap();
    let said = run(&machine, good);
    assert!(said.code == 1 && said.out.contains("NOT HERE"), "{}", said.out);
    std::fs::write(machine.dir.path().join("where"), "sandbox\n").unwrap();
    std::fs::write(machine.dir.path().join("alarm"), "").unwrap();
    let said = run(&machine, good);
    assert!(said.code == 1 && said.out.contains("an abort condition holds already"), "{}", said.out);
    std::fs::remove_file(machine.dir.path().join("alarm")).unwrap();
    std::fs::remove_file(machine.dir.path().join("steady")).unwrap();
    let said = run(&machine, good);
    assert!(said.code == 1 && said.out.contains("not steady: there"), "{}", said.out);
    std::fs::write(machine.dir.path().join("steady"), "").unwrap();
    for input in ["", "\n\n\n", "n\n", "yes\n", "y\nproduction\nstop\n"] {
        let said = run(&machine, input);
        assert_eq!(said.code, 1, "{input:?}");
    }
    let said = machine.pipe(&["experiment", "run", "files", "--plain", "--read-only"], good);
    assert!(said.code == 1 && said.err.contains("read-only"), "{}", said.err);
    let said = machine.run("experiment run network-latency");
    assert!(said.code == 1 && said.err.contains("is an example"), "{}", said.err);
    assert_eq!(log(&machine), "", "nothing was ever changed");
}

#[test]
fn a_dry_run_runs_nothing() {
    let machine = machine("");
    let said = machine.run("experiment run files --dry");
    assert!(said.out.contains("rolled back") && said.out.contains("nothing was run"), "{} {}", said.out, said.err);
    assert_eq!(log(&machine), "");
    let json = machine.run("experiment run network-latency --dry -o json").json();
    assert_eq!(json["outcome"], "completed");
    let kinds: Vec<&str> = json["journal"].as_array().unwrap().iter().filter_map(|e| e["kind"].as_str()).collect();
    for kind in
        ["opened", "checked", "steady", "confirmed", "begun", "started", "leaving", "rolled_back", "judged", "closed"]
    {
        assert!(kinds.contains(&kind), "{kind}: {kinds:?}");
    }
    assert!(!machine.dir.path().join("d/experiments").exists());
}

#[test]
fn the_commands_list_check_and_import() {
    let machine = machine("");
    let list = machine.run("experiment list -o json").json();
    let ids: Vec<&str> = list["experiments"].as_array().unwrap().iter().filter_map(|e| e["id"].as_str()).collect();
    assert_eq!(ids, ["files", "network-latency", "instance-failure"]);
    for name in
        ["title", "hypothesis", "environment", "duration", "method", "rollback", "shipped", "path", "usable", "last"]
    {
        assert!(list["experiments"][0].get(name).is_some(), "{name}");
    }
    assert_eq!(machine.run("experiment check").code, 0);
    assert_eq!(machine.run("check").code, 0);
    machine.write("experiments/bad.yaml", "kind: Experiment\nid: bad\n");
    assert_eq!(machine.run("experiment check").code, 1);
    assert_eq!(machine.run("check").code, 1);
    assert_eq!(machine.run("check c/experiments/bad.yaml").code, 1);
    let near = machine.run("experiment show filez");
    assert!(near.code == 1 && near.err.contains("nearest: `files`"), "{}", near.err);
    assert!(machine.run("experiment show network-latency").out.contains("kind: Experiment"));
    machine.write("ct.json", include_str!("../fixtures/experiments/chaos-toolkit.json"));
    let got = machine.run("experiment import c/ct.json --to c/new -o json");
    assert_eq!(got.code, 0, "{}", got.err);
    let file = got.json()["files"][0]["written"].as_str().unwrap().to_owned();
    assert!(std::fs::read_to_string(machine.dir.path().join(&file)).unwrap().contains("NOT TAKEN"));
    assert!(got.err.contains("the Python provider `chaosk8s.pod.probes` is not taken"), "{}", got.err);
    let again = machine.run("experiment import c/ct.json --to c/new");
    assert!(again.code == 1 && again.err.contains("is not overwritten"), "{}", again.err);
    assert_eq!(machine.args(&["experiment", "check", &file]).code, 1, "it waits for a person");
}

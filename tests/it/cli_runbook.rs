//! `midwatch runbook` as a script sees it, and the walk that reads its answers line by line.

use crate::cli::{Machine, Said};
use midwatch::domain::drill::history::{self, Measured, Player, Record, Rehearsed};
use midwatch::io::files::drills::{add_to_history, folder};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

const SEED: &str = include_str!("../fixtures/seeds/high-api-latency.yaml");
const BOOK: &str = "name: Demo
steps:
  - name: Look
    commands: ['echo seen; echo \"$MW_INCIDENT\"']
    checks: ['Is it slow? See the dashboard', 'Is it full?']
  - name: Act
    risk: change
    commands: ['cat /nowhere/at/all']
    options:
      - {action: Wait}
      - {action: Scale up, command: 'echo scaled | cat'}
      - {action: Remove, command: 'echo gone | cat', risk: destroy}
  - name: Tell
";

fn machine() -> Machine {
    let machine = Machine::new();
    machine.write("runbooks/high-api-latency.yaml", SEED);
    machine.write("runbooks/demo.yaml", BOOK);
    machine.write("config.yaml", "responder: {name: alice}\nrunbooks: [runbooks/]\n");
    machine
}

fn walk(machine: &Machine, args: &str, answers: &str) -> Said {
    let mut command = machine.command();
    command.args(["runbook", "walk", "demo"]).args(args.split_whitespace()).env("PATH", "/usr/bin:/bin");
    let output = command.write_stdin(answers).output().unwrap();
    Said {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn declare(machine: &Machine) {
    assert_eq!(machine.run("incident declare --title t --severity SEV2").code, 0);
}

fn bodies(machine: &Machine) -> Vec<(String, Value)> {
    let json = machine.run("incident show last -o json").json();
    let events = json["timeline"].as_array().unwrap().clone();
    events.iter().map(|e| (e["kind"].as_str().unwrap().to_owned(), e["data"].clone())).collect()
}

#[test]
fn the_seed_is_listed_shown_matched_and_linted() {
    let machine = machine();
    let list = machine.run("runbook list -o json").json();
    let ids: Vec<&str> = list["runbooks"].as_array().unwrap().iter().filter_map(|b| b["id"].as_str()).collect();
    assert_eq!(ids, ["demo", "high-api-latency"]);
    let shown = machine.run("runbook show high-api-latency -o json");
    assert_eq!((shown.code, shown.err.as_str()), (0, ""));
    let json = shown.json();
    assert_eq!((json["id"].as_str(), json["severity"].as_str()), (Some("high-api-latency"), Some("SEV2")));
    for name in ["id", "name", "severity", "steps", "escalation"] {
        assert!(json.get(name).is_some(), "{name}");
    }
    for name in ["id", "name", "phase", "commands", "checks", "options", "links"] {
        assert!(json["steps"][2].get(name).is_some(), "{name}");
    }
    let command = &json["steps"][2]["commands"][0];
    assert!(command["id"].is_string() && command["risk"].is_string() && command["sh"].is_string(), "{command}");
    assert!(machine.run("runbook show high-api-latency").out.contains("step 1 of"));
    let near = machine.run("runbook show high-api-latenzy");
    assert_eq!(near.code, 1);
    assert!(near.err.contains("nearest: `high-api-latency`"), "{}", near.err);
    assert_eq!(machine.run("runbook show c/runbooks/demo.yaml -o json").json()["id"], "demo");

    let found = machine.run("runbook match --alert APILatencyHigh --label team=api -o json");
    let best = found.json()["matches"][0].clone();
    assert_eq!((found.code, best["id"].as_str()), (0, Some("high-api-latency")));
    assert!(best["path"].as_str().unwrap().ends_with("high-api-latency.yaml") && best["why"].is_string());
    let none = machine.run("runbook match --alert Nothing -o json");
    assert_eq!((none.code, &none.json()["matches"]), (1, &serde_json::json!([])));

    let lint = machine.run("runbook lint -o json").json();
    assert_eq!(lint["files"], 2);
    for name in ["path", "line", "column", "rule", "level", "message"] {
        assert!(lint["findings"][0].get(name).is_some(), "{name}");
    }
    machine.write("bad.yaml", "name: [\n");
    assert_eq!(machine.run("runbook lint c/bad.yaml").code, 1);
    assert_eq!(machine.run("runbook lint c/not-there.yaml").code, 1);
}

#[test]
fn a_dry_run_shows_what_would_run() {
    let machine = machine();
    let out = machine.run("runbook dry-run demo --alert A --label x=$(touch) -o json");
    assert_eq!(out.code, 0, "{}", out.err);
    let json = out.json();
    let command = &json["steps"][0]["commands"][0];
    assert!(command["sh"].as_str().unwrap().starts_with("echo seen"), "{command}");
    assert!(command["refused"].as_str().unwrap().contains("MW_INCIDENT"), "{command}");
    assert_eq!(json["steps"][1]["commands"][0]["refused"], Value::Null);
    assert_eq!(json["steps"][1]["commands"].as_array().unwrap().len(), 3);
    for name in ["env", "risk", "refused"] {
        assert!(command.get(name).is_some(), "{name}");
    }
    assert!(machine.run("runbook walk demo --dry-run").out.contains("refused: "));
}

#[test]
fn a_walk_without_an_incident_records_nothing() {
    let machine = machine();
    let out = walk(&machine, "", "yes 1\nno\nrun 1\ndone\nchoose 9\nskip\nskip not now\nwhat\nback\nnext\ndone\n");
    assert_eq!((out.code, out.err.as_str()), (0, ""));
    for want in [
        "nothing is recorded",
        "check 1: yes (not recorded)",
        "check 2: no (not recorded)",
        "not done: commands are off",
        "not done: a reason for skipping is needed",
        "not done: `9` is no",
        "not done: `what` is no answer",
        "every step has ended",
        "3 of 3 steps ended",
    ] {
        assert!(out.out.contains(want), "{want}\n{}", out.out);
    }
    assert!(!machine.dir.path().join("d/midwatch.db").exists());
    assert!(walk(&machine, "", "").out.contains("0 of 3 steps ended"), "the end of the input ends it");
    assert_eq!(walk(&machine, "-o json", "").code, 2);
    assert_eq!(walk(&machine, "--arm", "").code, 2, "commands need an incident that records them");
}

#[test]
fn a_walk_of_an_incident_is_recorded_answer_by_answer() {
    let machine = machine();
    declare(&machine);
    let out =
        walk(&machine, "--incident last", "yes 1\nunsure 2\nrun 1\ndone\nchoose 2\nnote seen it\nfail broken\nquit\n");
    assert_eq!((out.code, out.err.as_str()), (0, ""));
    let kinds: Vec<String> = bodies(&machine).into_iter().map(|(kind, _)| kind).collect();
    let want = ["declared", "runbook", "check", "check", "step", "option", "note", "step"];
    assert_eq!(kinds, want);
    let json = machine.run("incident show last -o json").json();
    assert_eq!((&json["runbooks"][0]["done"], &json["runbooks"][0]["total"]), (&2.into(), &3.into()));
    let again = walk(&machine, "--incident last", "quit\n");
    assert!(again.out.contains("step 3 of 3: Tell"), "{}", again.out);
    assert_eq!(bodies(&machine).len(), want.len(), "opening it again is no event");
    assert_eq!(machine.args(&["incident", "resolve", "last", "--summary", "x"]).code, 0);
    assert_eq!(walk(&machine, "--incident last", "").code, 1);
}

#[test]
fn commands_run_when_armed_and_confirmed_alone() {
    let machine = machine();
    declare(&machine);
    let id = machine.run("incident show last -o json").json()["id"].as_str().unwrap().to_owned();
    let answers = "run 1\nno\nrun 1\ny\ndone\nrun 1\ny\nchoose 3\ny\nchoose 3\ngone\nchoose 2\n\nchoose 2\ny\nchoose 1\n\
                   changes\nrollback\nquit\n";
    let out = walk(&machine, "--incident last --arm", answers);
    assert_eq!((out.code, out.err.as_str()), (0, ""), "{}", out.out);
    for want in [
        "argv: \"/bin/sh\" \"-c\" \"echo seen; echo \\\"$MW_INCIDENT\\\"\"",
        &format!("with: MW_INCIDENT={id}"),
        "time limit 60s",
        "was not confirmed; it was not run",
        "  | seen",
        &format!("  | {id}"),
        "command 1: exit 0 after",
        "command 1: exit 1 after",
        "destroys; cannot be taken back",
        "  | gone",
        "  | scaled",
        "type `gone` to run option 3",
        "Scale up: in force   rollback NO: the runbook does not say how this is taken back",
        "Scale up cannot be taken back by a command",
    ] {
        assert!(out.out.contains(want), "{want}\n{}", out.out);
    }
    let runs: Vec<(String, Value)> = bodies(&machine).into_iter().filter(|(kind, _)| kind == "command").collect();
    let exits: Vec<&Value> = runs.iter().skip(1).step_by(2).map(|(_, d)| &d["exit"]).collect();
    assert_eq!(exits, [&Value::from(0), &Value::from(1), &Value::from(0), &Value::from(0)]);
    assert_eq!(runs[0].1["env"], serde_json::json!([["MW_INCIDENT", id]]));
    assert_eq!(runs[1].1["excerpt"], serde_json::json!(["seen", id]));
    assert_eq!(runs[0].1["run"], runs[1].1["run"]);
}

/// Every answer is on disk before the next line is shown, so that nothing is lost when the program is killed between two.
#[test]
fn a_walk_that_is_killed_goes_on_where_it_was() {
    let machine = machine();
    declare(&machine);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_midwatch"));
    command.env_clear().env("HOME", machine.dir.path()).env("MIDWATCH_CONFIG", machine.config());
    command.env("MIDWATCH_DATA_DIR", machine.dir.path().join("d"));
    command.args(["runbook", "walk", "demo", "--incident", "last"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    input.write_all(b"yes 1\ndone\n").unwrap();
    let shown = output.by_ref().map(Result::unwrap).find(|line| line.starts_with("step 2"));
    assert!(shown.is_some());
    child.kill().unwrap();
    child.wait().unwrap();
    let kinds: Vec<String> = bodies(&machine).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["declared", "runbook", "check", "step"]);
    assert!(walk(&machine, "--incident last", "quit\n").out.contains("step 2 of 3: Act"));
}

#[test]
fn a_plain_file_is_converted_once_and_never_over_another() {
    let machine = machine();
    let told = machine.run("runbook convert c/runbooks/high-api-latency.yaml -o json");
    assert_eq!(told.code, 0, "{}", told.err);
    let json = told.json();
    assert_eq!((json["commands"].as_u64(), json["to"].is_null()), (Some(6), true));
    assert!(json["blanks"].as_array().unwrap().iter().any(|b| b == "the risk of acknowledge.1"), "{json}");
    assert!(json["findings"].as_array().unwrap().iter().all(|f| f["level"] != "error"), "{json}");
    let printed = machine.run("runbook convert c/runbooks/high-api-latency.yaml");
    assert_eq!(printed.out, json["text"].as_str().unwrap());
    assert!(printed.err.contains("blanks are for a person"), "{}", printed.err);

    assert_eq!(machine.run("runbook convert c/runbooks/high-api-latency.yaml --to c/new.yaml").code, 0);
    let again = machine.run("runbook convert c/runbooks/demo.yaml --to c/new.yaml");
    assert_eq!(again.code, 1);
    assert!(again.err.contains("is already there; nothing was written"), "{}", again.err);
    let twice = machine.run("runbook convert c/new.yaml");
    assert!(twice.code == 1 && twice.err.contains("is midwatch/v1 already"), "{}", twice.err);
    assert_eq!(machine.run("runbook lint c/new.yaml").code, 0);
    assert_eq!(machine.run("--read-only runbook convert c/runbooks/demo.yaml --to c/other.yaml").code, 1);
    machine.write("wrong.yaml", "name: R\nsteps:\n  - {name: S, comands: [ls -l]}\n");
    let wrong = machine.run("runbook convert c/wrong.yaml --to c/other.yaml");
    assert!(wrong.code == 1 && wrong.err.contains("nearest: `commands`"), "{}", wrong.err);
    assert!(!machine.config().with_file_name("other.yaml").exists());
}

#[test]
fn a_dry_run_of_v1_shows_every_command_with_the_values_it_would_get() {
    let machine = machine();
    machine.write("runbooks/every-key.yaml", include_str!("../fixtures/runbooks/v1/every-key.yaml"));
    let typed = "--alert APILatencyHigh --label namespace=prod --input REPLICAS=12 --input OLD=7 --input TOKEN=hunter2";
    let json = machine.run(&format!("runbook dry-run every-key {typed} -o json")).json();
    let all: Vec<Value> =
        json["steps"].as_array().unwrap().iter().flat_map(|s| s["commands"].as_array().unwrap().clone()).collect();
    let one = |id: &str| all.iter().find(|c| c["id"] == id).unwrap_or_else(|| panic!("{id}")).clone();
    let run = one("mitigate.scale");
    assert_eq!(run["argv"], serde_json::json!(["kubectl", "scale", "deployment/api", "-n", "prod", "--replicas=12"]));
    assert_eq!((&run["argv"], &run["risk"], run["refused"].is_null()), (&run["runs"], &Value::from("change"), true));
    assert_eq!(one("mitigate.scale.rollback")["argv"][5], "--replicas=7", "the capture reaches the input made of it");
    assert_eq!(one("mitigate.scale.dry-run")["part"], "dry_run");
    assert_eq!(one("bottleneck.logs")["env"], serde_json::json!({"NAMESPACE": "prod"}));
    assert_eq!(one("bottleneck.p95")["promql"], "db:p95");
    let remote = one("cache.flush");
    assert_eq!(
        (&remote["argv"], &remote["host"]),
        (&serde_json::json!(["cachectl", "flush"]), &Value::from("edge-bastion"))
    );
    assert_eq!(remote["runs"][0], "ssh", "{remote}");
    assert_eq!(json["guard"][0]["part"], "guard");

    let wide = machine.run("runbook dry-run every-key --label namespace=prod --input REPLICAS=41").out;
    assert!(wide.contains("refused: $REPLICAS has no value: its value `41` is more than 40"), "{wide}");
    let near = machine.run("runbook dry-run every-key --input REPLICSA=4");
    assert!(near.code == 1 && near.err.contains("nearest: `REPLICAS`"), "{}", near.err);
}

const CAREFUL: &str = "apiVersion: midwatch/v1
kind: Runbook
id: demo
name: Careful
owner: team
reviewed: 2026-05-01
steps:
  - id: act
    name: Act
    phase: mitigate
    options:
      - id: remove
        action: Remove it
        risk: change
        approval: second
        run: {argv: [echo, removed]}
        rollback: {argv: [echo, made anew]}
      - id: drop
        action: Drop it
        risk: change
        run: {argv: [echo, dropped]}
        rollback: {none: it is gone}
    choose: any
";

#[test]
fn a_second_person_approves_by_command_and_never_the_one_who_asked() {
    let machine = machine();
    machine.write("runbooks/demo.yaml", CAREFUL);
    machine.write("bob.yaml", "responder: {name: bob}\nrunbooks: [runbooks/]\n");
    machine.write("shouting.yaml", "responder: {name: ALICE}\nrunbooks: [runbooks/]\n");
    let none = machine.run("runbook approvals -o json");
    assert_eq!((none.code, none.json()), (0, serde_json::json!({"approvals": []})));
    assert!(!machine.dir.path().join("d/midwatch.db").exists(), "a look makes no record");
    declare(&machine);
    assert!(machine.run("runbook approve last ABCDEF").err.contains("waits for a second person"));
    let asked = walk(&machine, "--incident last --arm", "choose 1\nquit\n");
    assert!(asked.out.contains("a second person is needed for: echo removed"), "{}", asked.out);
    let list = machine.run("runbook approvals last -o json").json();
    let one = &list["approvals"][0];
    let code = one["code"].as_str().unwrap();
    assert!(asked.out.contains(&format!("code {code}, good for ten minutes")), "{}", asked.out);
    assert_eq!(
        (&one["state"], &one["command"], &one["asked_by"], one["approved_by"].is_null()),
        (&"waiting".into(), &"echo removed".into(), &"alice".into(), true)
    );
    for name in ["incident", "id", "target", "sha256", "asked_at", "until", "verified", "run"] {
        assert!(one.get(name).is_some(), "{name}");
    }
    assert!(machine.run("runbook approvals").out.contains(code));

    for (line, why) in [
        (format!("runbook approve last {code}"), "nobody approves what they asked for: alice"),
        (format!("--config c/shouting.yaml runbook approve last {code}"), "nobody approves what they asked for"),
        ("--config c/bob.yaml runbook approve last AAAAAA".into(), "waits for the code `AAAAAA`"),
        (format!("--read-only --config c/bob.yaml runbook approve last {code}"), "read-only"),
    ] {
        let said = machine.run(&line);
        assert!(said.code == 1 && said.err.contains(why), "{line}: {}", said.err);
    }
    assert!(!walk(&machine, "--incident last --arm", "choose 1\ny\nquit\n").out.contains("| removed"));
    let lower = code.to_ascii_lowercase();
    let given = machine.run(&format!("--config c/bob.yaml runbook approve last {lower}"));
    assert_eq!(given.code, 0, "{}", given.err);
    assert!(given.out.contains("approved: echo removed") && given.out.contains("alice may run exactly this once"));
    assert!(given.err.contains("unverified"), "one installation proves nothing: {}", given.err);
    let twice = machine.run(&format!("--config c/bob.yaml runbook approve last {code}"));
    assert!(twice.code == 1 && twice.err.contains("bob approved it already"), "{}", twice.err);

    let ran = walk(&machine, "--incident last --arm", "choose 1\ny\nchoose 1\nquit\n").out;
    assert!(ran.contains("approved: by bob") && ran.contains("  | removed"), "{ran}");
    let all = machine.run("runbook approvals --all -o json").json();
    let states: Vec<&Value> = all["approvals"].as_array().unwrap().iter().map(|a| &a["state"]).collect();
    assert_eq!(states, ["used", "waiting"], "good for one run");
    assert!(all["approvals"][0]["run"].is_string() && all["approvals"][0]["verified"] == false);
}

#[test]
fn changes_have_numbers_and_are_taken_back_one_by_one() {
    let machine = machine();
    machine.write("runbooks/demo.yaml", &CAREFUL.replace("        approval: second\n", ""));
    declare(&machine);
    let answers =
        "choose 1\ny\nchoose 2\ny\nshow\nchanges\nrollback\nrollback 3\nrollback 2\ny\nchanges\nverify\nquit\n";
    let out = walk(&machine, "--incident last --arm", answers).out;
    for want in [
        "2 changes in force",
        "change 1, Drop it: in force",
        "change 2, Remove it: in force",
        "not done: Drop it cannot be taken back by a command: NO: it is gone; `rollback N` takes an older one back",
        "not done: `3` is no change in force (`changes` shows 1 to 2)",
        "newer changes are in force: Drop it",
        "  | made anew",
        "not done: no change waits to be proved",
        "option 1 ran: exit 0",
    ] {
        assert!(out.contains(want), "{want}\n{out}");
    }
    assert!(out.rsplit("made anew").next().unwrap().contains("change 1, Drop it"), "{out}");
    let off = walk(&machine, "--incident last", "rollback\nquit\n").out;
    assert!(off.contains("1 change in force: `changes` shows it"), "{off}");
}

#[test]
fn the_configured_time_limit_reaches_what_names_none() {
    let machine = machine();
    let config = "responder: {name: alice}\nrunbooks: [runbooks/]\n";
    machine.write("config.yaml", &format!("{config}command_timeout: 7s\n"));
    let careful = CAREFUL.replace("echo, dropped]", "echo, dropped], timeout: 60s");
    machine.write("runbooks/demo.yaml", &careful);
    let json = machine.run("runbook dry-run demo -o json").json();
    let limit = |n: usize| json["steps"][0]["commands"][n]["timeout"].as_u64();
    assert_eq!((limit(0), limit(1), limit(2)), (Some(7), Some(7), Some(60)), "run, its rollback, and one with its own");
    machine.write("alone.yaml", &careful.replace("id: demo", "id: alone"));
    assert!(machine.run("runbook dry-run c/alone.yaml").out.contains("limit 7s"), "a file that is not configured too");
    declare(&machine);
    let slow = CAREFUL.replace("        approval: second\n", "").replace("[echo, removed]", "[sleep, '300']");
    machine.write("config.yaml", &format!("{config}command_timeout: 1s\n"));
    machine.write("runbooks/demo.yaml", &slow);
    let ran = walk(&machine, "--incident last --arm", "choose 1\ny\nquit\n").out;
    assert!(ran.contains("time limit 1s") && ran.contains("option 1: time limit after 1."), "{ran}");
}

#[test]
fn a_secret_in_env_pass_is_an_error_of_check_and_of_every_command() {
    let machine = machine();
    machine.write("config.yaml", include_str!("../fixtures/config/bad/secret_passed.yaml"));
    let check = machine.run("check");
    assert!(
        check.code == 1 && check.out.contains("PROM_TOKEN holds the secret of line 2"),
        "{} {}",
        check.out,
        check.err
    );
    let list = machine.run("runbook list");
    assert!(list.code == 2 && list.err.contains("secret-passed"), "{}", list.err);
}

/// Findings of one rule: `file: message`.
fn of_rule(said: &Said, rule: &str) -> Vec<String> {
    let json = said.json();
    let all = json["findings"].as_array().unwrap().iter().filter(|f| f["rule"] == rule);
    let name = |path: &Value| path.as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    all.map(|f| format!("{}:{} {} {}", name(&f["path"]), f["line"], f["level"], f["message"].as_str().unwrap()))
        .collect()
}

#[test]
fn lint_knows_the_contacts_and_the_drills_and_says_what_it_does_not_know() {
    let machine = machine();
    let unjudged = |said: &Said| -> Vec<String> {
        let json = said.json();
        json["unjudged"].as_array().unwrap().iter().map(|u| u["rule"].as_str().unwrap().to_owned()).collect()
    };
    let first = machine.run("runbook lint -o json");
    assert_eq!(unjudged(&first), ["RB014", "RB010"]);
    assert_eq!(
        of_rule(&first, "RB015"),
        ["history.jsonl:0 \"info\" no drill by people was held yet: none of 2 runbooks was ever rehearsed"],
        "one remark, not one for each"
    );
    let people = machine.run("runbook lint").err;
    assert!(
        people.contains("RB014 not judged: whether a contact is known: the configuration has no `contacts:`"),
        "{people}"
    );

    let config =
        "responder: {name: alice}\nrunbooks: [runbooks/]\ncontacts: {senior-sre: '+49 30 5550100', manager: }\n";
    machine.write("config.yaml", config);
    let unknown = ["high-api-latency.yaml:58 \"warning\" engineering-manager is not among the contacts"];
    for command in ["runbook lint -o json", "check -o json"] {
        let strange: Vec<String> =
            of_rule(&machine.run(command), "RB014").into_iter().filter(|f| f.contains("not among")).collect();
        assert_eq!(strange, unknown, "{command}");
    }
    assert_eq!(unjudged(&machine.run("runbook lint -o json")), ["RB010"]);

    let at = "2026-05-03T10:00:00Z".parse().unwrap();
    let drill = |player: Player, failed: Option<&str>| Record {
        drill: "DRILL-1".into(),
        scenario: "pool-exhaustion".into(),
        seed: 1,
        people: vec!["alice".into()],
        player,
        began_at: at,
        ended_at: at,
        end: "time".into(),
        points: 40,
        of: 100,
        times: Measured::default(),
        runbooks: vec![Rehearsed { runbook: "demo".into(), failed_at: failed.map(Into::into) }],
        report: None,
    };
    let data = machine.dir.path().join("d");
    add_to_history(&data, &drill(Player::Person, Some("act"))).unwrap();
    add_to_history(&data, &drill(Player::Random, None)).unwrap();
    for command in ["runbook lint -o json", "check -o json"] {
        assert_eq!(
            of_rule(&machine.run(command), "RB015"),
            [
                "demo.yaml:6 \"info\" the last drill, on 2026-05-03, failed at step `act`",
                "high-api-latency.yaml:1 \"info\" never rehearsed in a drill",
            ],
            "{command}"
        );
    }
    let lines = folder(&data).join(history::FILE);
    std::fs::OpenOptions::new().append(true).open(&lines).unwrap().write_all(b"{}\n").unwrap();
    add_to_history(&data, &drill(Player::Person, None)).unwrap();
    let said = machine.run("runbook lint -o json");
    assert_eq!(of_rule(&said, "RB015"), ["high-api-latency.yaml:1 \"info\" never rehearsed in a drill"]);
    assert_eq!(of_rule(&said, "drill-history").len(), 1, "{}", said.out);
}

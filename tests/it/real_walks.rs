//! The line-oriented walk against a real Prometheus: what checks suggest, and whether a change is proved by a condition that
//! becomes true, by one that has no data, and by one that never stays true for long enough.

use crate::cli::Machine;
use crate::fake_server::closed_port;
use crate::real::{Metrics, Prometheus, Setup, get, until};
use serde_json::Value;
use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const BOOK: &str = "apiVersion: midwatch/v1
kind: Runbook
id: prove
name: Prove
owner: team
reviewed: 2026-05-01
steps:
  - id: look
    name: Look
    phase: diagnose
    ask:
      - {q: Is it full?, suggest: {promql: 'errors', op: '>', value: 5}, if_yes: {goto: act}}
      - {q: Is it gone?, suggest: {promql: 'nobody_measures_this', op: '>', value: 5}}
      - {q: Is it cold?, suggest: {promql: 'errors', op: '<', value: 5}}
  - {id: between, name: Between}
  - id: act
    name: Act
    phase: mitigate
    choose: any
    options:
      - id: helps
        action: Helps
        risk: change
        run: {argv: [echo, done]}
        verify: {promql: 'errors', op: '<', value: 1, for: 3s, within: 5m, every: 1s}
        rollback: {argv: [echo, taken back]}
      - id: blind
        action: Blind
        risk: change
        run: {argv: [echo, done]}
        verify: {promql: 'nobody_measures_this', op: '<', value: 1, for: 1s, within: 4s, every: 1s}
        rollback: {argv: [echo, taken back]}
      - id: flaps
        action: Flaps
        risk: change
        run: {argv: [echo, done]}
        verify: {promql: 'flapping', op: '<', value: 1, for: 10s, within: 12s, every: 1s}
        rollback: {argv: [echo, taken back]}
      - id: told
        action: Told
        risk: change
        run: {argv: [echo, done]}
        verify: {argv: [test, -e, '/nowhere/at/all'], for: 1s, within: 3s, every: 1s}
        rollback: {argv: [echo, taken back]}
";

fn machine(url: &str) -> Machine {
    let machine = Machine::new();
    machine.write("runbooks/prove.yaml", BOOK);
    let config = format!(
        "responder: {{name: alice}}\nrunbooks: [runbooks/]\nprometheus: [{{name: p, url: '{url}', timeout: 5s}}]\n"
    );
    machine.write("config.yaml", &config);
    assert_eq!(machine.run("incident declare --title t --severity SEV2").code, 0);
    machine
}

/// A walk that is answered line by line while it runs.
struct Walking {
    child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    told: Vec<String>,
}

impl Walking {
    fn begin(machine: &Machine) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_midwatch"));
        command.env_clear().env("HOME", machine.dir.path()).env("MIDWATCH_CONFIG", machine.config());
        command.env("MIDWATCH_DATA_DIR", machine.dir.path().join("d")).env("PATH", "/usr/bin:/bin");
        command.args(["runbook", "walk", "prove", "--incident", "last", "--arm"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, input, lines: BufReader::new(output).lines(), told: Vec::new() }
    }

    fn answer(&mut self, text: &str) {
        self.input.write_all(text.as_bytes()).unwrap();
    }

    /// The next line for which this holds.
    fn until(&mut self, wanted: impl Fn(&str) -> bool) -> String {
        for line in self.lines.by_ref() {
            let line = line.unwrap();
            self.told.push(line.clone());
            if wanted(&line) {
                return line;
            }
        }
        panic!("the walk ended:\n{}", self.told.join("\n"));
    }

    /// Closes its input and reads the rest.
    fn end(mut self) -> String {
        drop(self.input);
        self.told.extend(self.lines.map(Result::unwrap));
        assert!(self.child.wait().unwrap().success());
        self.told.join("\n")
    }
}

fn incident(machine: &Machine) -> Value {
    machine.run("incident show last -o json").json()
}

fn event<'j>(incident: &'j Value, kind: &str, key: &str) -> Option<&'j Value> {
    let timeline = incident["timeline"].as_array().unwrap();
    timeline.iter().find(|e| e["kind"] == kind && !e["data"][key].is_null())
}

/// A server that scrapes these, and has.
async fn served() -> Option<(Prometheus, Metrics)> {
    let metrics = Metrics::serve("errors 9\nflapping 9\n");
    let server = Prometheus::start(&Setup { targets: vec![metrics.address], ..Setup::default() })?;
    until(|| async {
        let body = get(server.port, "/api/v1/query?query=errors").unwrap_or_default();
        if body.contains("\"9\"") { Ok(()) } else { Err(body) }
    })
    .await;
    Some((server, metrics))
}

#[tokio::test]
async fn what_is_measured_suggests_and_answers_nothing() {
    let Some((server, _metrics)) = served().await else { return };
    let machine = machine(&server.url());
    let shown = machine.run("runbook show prove --suggest -o json");
    let json = shown.json();
    assert_eq!((shown.code, &json["partial"]), (0, &Value::from(false)), "{}", shown.err);
    let said: Vec<&Value> = (0..3).map(|n| &json["steps"][0]["checks"][n]["suggested"]).collect();
    assert_eq!(*said[0], serde_json::json!({"answer": "yes", "seen": "9", "no_data": null, "steps": ["act"]}));
    assert!(said[1]["answer"].is_null() && said[1]["no_data"].as_str().unwrap().contains("no series"), "{}", said[1]);
    assert_eq!(*said[2], serde_json::json!({"answer": null, "seen": "9", "no_data": null, "steps": []}));
    let mut walk = Walking::begin(&machine);
    walk.until(|l| l == "  check 1, errors > 5: yes is suggested: 9");
    walk.until(|l| l == "  suggested by it: step Act");
    walk.until(|l| l.starts_with("  check 2, nobody_measures_this > 5: no suggestion: NO DATA"));
    walk.until(|l| l == "  check 3, errors < 5: no suggestion: 9");
    drop(walk.end());
    assert!(event(&incident(&machine), "check", "answer").is_none());
}

#[tokio::test]
async fn a_condition_that_becomes_true_is_held_since_it_did() {
    let Some((server, metrics)) = served().await else { return };
    let machine = machine(&server.url());
    let mut walk = Walking::begin(&machine);
    walk.answer("yes 1\ndone\nchoose 1\ny\nverify\n");
    walk.until(|l| l.starts_with("watching Helps: errors < 1 must hold for 3s; looked at every 1s, given up at "));
    walk.until(|l| l.contains(" errors < 1: 9, not yet"));
    metrics.set("errors 0\nflapping 9\n");
    walk.until(|l| l.contains(" errors < 1: 0, holds, "));
    let failing = walk.told.iter().rev().find(|l| l.contains("not yet")).cloned().unwrap();
    let held = walk.until(|l| l.starts_with("held since "));
    assert!(held.ends_with("; mitigated since then"), "{held}");
    walk.answer("changes\nrollback\ny\nchanges\nquit\n");
    let told = walk.end();
    for want in ["change 1, Helps: in force   held since ", "  | taken back", "no change is in force"] {
        assert!(told.contains(want), "{want}\n{told}");
    }
    let after = incident(&machine);
    let proof = event(&after, "verify", "since").unwrap();
    let time = |v: &Value| v.as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    let since = time(&after["mitigated_at"]);
    assert_eq!(since.timestamp_millis(), time(&proof["data"]["since"]).timestamp_millis(), "the start of the hold");
    assert!((time(&proof["recorded_at"]) - since).num_milliseconds() >= 3_000, "it held for its time first");
    let (began, last) = (since.format("%H:%M:%SZ").to_string(), failing.split(' ').next().unwrap().to_owned());
    assert!(began > last || began.starts_with("00:"), "it began after the last look that failed: {began} {last}");
}

#[tokio::test]
async fn what_has_no_data_and_what_a_read_denies_never_hold() {
    let Some((server, _metrics)) = served().await else { return };
    let machine = machine(&server.url());
    let mut walk = Walking::begin(&machine);
    walk.answer("yes 1\ndone\nchoose 2\ny\nverify\nchoose 4\ny\nverify\nquit\n");
    walk.until(|l| l.contains("nobody_measures_this < 1: NO DATA: the query gives no series"));
    walk.until(|l| l.starts_with("did not hold: no data: "));
    walk.until(|l| l.contains("test -e /nowhere/at/all: exit 1, not yet"));
    walk.until(|l| l.starts_with("did not hold: exit 1 after "));
    drop(walk.end());
    let after = incident(&machine);
    assert!(after["mitigated_at"].is_null() && event(&after, "verify", "why").is_some(), "{after}");
}

#[tokio::test]
async fn what_flaps_never_holds() {
    let Some((server, metrics)) = served().await else { return };
    let machine = machine(&server.url());
    let mut walk = Walking::begin(&machine);
    walk.answer("yes 1\ndone\nchoose 3\ny\nverify\n");
    let mut turns = Vec::new();
    let end = loop {
        let told = |l: &str| l.contains(" flapping < 1: ") || l.starts_with("did not hold") || l.starts_with("held");
        let line = walk.until(told);
        if !line.contains("flapping < 1: ") {
            break line;
        }
        // Whatever it is now, it will be the other one at the next scrape.
        let holds = line.contains(", holds, ");
        metrics.set(if holds { "errors 9\nflapping 9\n" } else { "errors 9\nflapping 0\n" });
        if turns.last() != Some(&holds) {
            turns.push(holds);
        }
    };
    assert!(end.starts_with("did not hold"), "{end}");
    assert!(turns.len() >= 3, "it was true, and it was false again: {turns:?}");
    walk.answer("quit\n");
    drop(walk.end());
    let after = incident(&machine);
    assert!(after["mitigated_at"].is_null() && event(&after, "verify", "why").is_some(), "{after}");
}

#[test]
fn a_server_that_is_away_suggests_nothing_and_says_so() {
    let machine = machine(&format!("http://127.0.0.1:{}", closed_port()));
    let shown = machine.run("runbook show prove --suggest -o json");
    let json = shown.json();
    assert_eq!((shown.code, &json["partial"]), (3, &Value::from(true)));
    assert_eq!(json["faults"].as_array().unwrap().len(), 3);
    let first = &json["steps"][0]["checks"][0]["suggested"];
    assert!(first["answer"].is_null() && first["no_data"].is_string(), "{first}");
    let plain = machine.run("runbook show prove");
    assert!(plain.code == 0 && !plain.out.contains("suggest"), "nobody is asked without being told to");
    let walk = Walking::begin(&machine).end();
    assert!(walk.contains("check 1, errors > 5: no suggestion: NO DATA: "), "{walk}");
    assert!(!walk.contains("suggested by it"), "{walk}");
}

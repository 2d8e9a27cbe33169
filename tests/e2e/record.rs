//! P8 with the whole program: what was saved is there after any end, what was not is said loudly.

use crate::fake::Prometheus;
use crate::terminal::{Home, Start, Terminal, events, recorded, wait_for};
use rustix::process::Signal;

const SLOW: &str = "id: slow
name: A slow one
severity: SEV2
triggers: [{alert: ApiDown}]
steps:
  - name: First look
    phase: diagnose
    risk: read
    commands: [[echo, looked]]
  - name: Long look
    phase: diagnose
    risk: read
    timeout: 400s
    commands: [[sleep, '300']]
  - name: Last look
    phase: verify
    checks: [Is it calm?]
";

fn started(home: &Home) -> (Prometheus, Terminal) {
    let server = Prometheus::start();
    server.fire("ApiDown", "the api is down");
    home.write("config.yaml", &server.config());
    home.write("runbooks/slow.yaml", SLOW);
    let terminal = Start::default().run(home);
    terminal.shows("ApiDown");
    (server, terminal)
}

fn saved(home: &Home, what: &str) {
    wait_for(|| {
        let all = recorded(&home.data());
        if all.iter().any(|e| e.contains(what)) { Ok(()) } else { Err(format!("no {what} in {all:#?}")) }
    });
}

#[test]
fn p8_after_a_kill_the_incident_goes_on_at_the_same_step() {
    let home = Home::new();
    let (_server, mut terminal) = started(&home);
    terminal.walk(&[("6", "ALERTS"), ("i", "Declare an incident from"), ("\r", "declared INC-"), ("r", "STEP 1")]);
    terminal.walk(&[
        ("d", "STEP 2"),
        (":", "COMMANDS"),
        ("arm", "Allow running commands"),
        ("\r", "runbook commands for"),
    ]);
    terminal.walk(&[("arm\r", "commands may be run for"), ("\r", "of Long look?"), ("y", "stop")]);
    saved(&home, "CommandStarted");
    terminal.signal(Signal::KILL);
    terminal.ended();
    let before = recorded(&home.data());

    let again = Start::default().run(&home);
    again.shows("SEV2");
    again.walk(&[("3", "the api is down"), ("r", "STEP 2")]);
    again.until("the command's result is unknown", |s| s.contains("unknown"));
    let after = recorded(&home.data());
    assert_eq!(after[..before.len()], before[..], "nothing that was recorded changed");
}

#[test]
fn p8_two_cockpits_see_each_other() {
    let home = Home::new();
    let (_server, first) = started(&home);
    let second = Start::default().run(&home);
    second.shows("ApiDown");
    first.walk(&[("i", "title"), ("shared trouble\r", "declared INC-")]);
    second.shows("shared trouble");
    second.walk(&[("3", "shared trouble")]);
    first.walk(&[("n", "Note for"), ("from the first\r", "from the first")]);
    second.shows("from the first");
    second.walk(&[("n", "Note for"), ("from the second\r", "from the second")]);
    first.shows("from the second");
    let all = events(&home.data());
    let ids: std::collections::BTreeSet<&str> = all.iter().map(|e| e.id.as_str()).collect();
    assert_eq!(ids.len(), all.len(), "each once");
}

#[test]
fn p8_a_full_disk_is_said_and_nothing_is_counted_as_saved() {
    let home = Home::new();
    let (_server, mut terminal) = started(&home);
    terminal.walk(&[("i", "title"), ("before the disk is full\r", "declared INC-")]);
    saved(&home, "before the disk is full");
    // From now on no file of this process may grow.
    let pid = terminal.pid().as_raw_nonzero().to_string();
    let limited = std::process::Command::new("prlimit").args(["--pid", &pid, "--fsize=0:unlimited"]).status();
    if !limited.is_ok_and(|s| s.success()) {
        println!("skipped: prlimit is not installed");
        return;
    }
    terminal.walk(&[("n", "Note for"), ("on a full disk\r", "NOT SAVED")]);
    terminal.lives();
    assert!(!recorded(&home.data()).iter().any(|e| e.contains("on a full disk")));
    // The first key to leave asks instead: something would be lost.
    terminal.walk(&[("qq", "saved")]);
    terminal.lives();
    terminal.keys("\x1b");
    // There is room again: it is saved by itself, and only then does the mark go.
    let freed = std::process::Command::new("prlimit").args(["--pid", &pid, "--fsize=unlimited"]).status().unwrap();
    assert!(freed.success());
    saved(&home, "on a full disk");
    terminal.hides("NOT SAVED");
}

//! A second person at a second cockpit on the same record: sees what is asked for, types its code, and only then does the
//! first one get the command to confirm. And a watch that Ctrl-C ends without ending the walk.

use crate::fake::Prometheus;
use crate::terminal::{Home, Start, Terminal, events, recorded, wait_for};
use midwatch::domain::incident::event::Body;

const BOOK: &str = "apiVersion: midwatch/v1
kind: Runbook
id: careful
name: Careful
owner: team
reviewed: 2026-05-01
severity: SEV2
triggers: [{alert: ApiDown}]
steps:
  - id: act
    name: Act
    phase: mitigate
    options:
      - id: remove
        action: Remove the pod
        risk: change
        approval: second
        run: {argv: [echo, removed, api-7f]}
        verify: {argv: [test, -e, /nowhere/at/all], for: 1s, within: 20m, every: 1s}
        rollback: {none: it is made anew}
";

fn home() -> (Home, Prometheus) {
    let home = Home::new();
    let server = Prometheus::start();
    server.fire("ApiDown", "the api is down");
    home.write("config.yaml", &server.config());
    home.write("bob.yaml", &server.config().replace("alice", "bob"));
    home.write("runbooks/careful.yaml", BOOK);
    (home, server)
}

fn armed(home: &Home) -> Terminal {
    let terminal = Start::default().run(home);
    terminal.shows("ApiDown");
    terminal.walk(&[("6", "ALERTS"), ("i", "Declare an incident from"), ("\r", "declared INC-"), ("r", "STEP 1")]);
    terminal.walk(&[
        (":", "COMMANDS"),
        ("arm", "Allow running commands"),
        ("\r", "runbook commands for"),
        ("arm\r", "commands may be run for"),
    ]);
    terminal
}

/// The code of the one request in the record.
fn code(home: &Home) -> String {
    wait_for(|| {
        let asked = events(&home.data()).into_iter().find_map(|e| match e.body {
            Body::ApprovalAsked(request) => Some(request.code),
            _ => None,
        });
        asked.ok_or_else(|| "nobody asked".to_owned())
    })
}

fn given(home: &Home) -> bool {
    recorded(&home.data()).iter().any(|e| e.contains("ApprovalGiven"))
}

#[test]
fn p7_a_second_person_types_the_code_at_a_second_cockpit() {
    let (home, _server) = home();
    let first = armed(&home);
    first.walk(&[("\r", "a second person is asked, code")]);
    let code = code(&home);
    assert!(!recorded(&home.data()).iter().any(|e| e.contains("CommandStarted")), "nothing runs before");

    let bob = home.config().join("bob.yaml");
    let second = Start::with(&["--config", &bob.display().to_string()]).size(80, 24).run(&home);
    second.shows("SEV2");
    second.walk(&[("8", &code), ("\r", "Approve this for alice?")]);
    let asked = second.screen();
    assert!(asked.contains("echo removed api-7f") && asked.contains("asked by"), "{asked}");
    // Enter alone and another code approve nothing.
    second.keys("\r\r");
    second.walk(&[("AAAAAA\r", "that was not the word")]);
    assert!(!given(&home));
    second.walk(&[("\r", "Approve this for alice?")]);
    second.keys(&format!("{code}\r"));
    second.shows("approved: echo removed api-7f");

    first.shows("approved by bob");
    first.walk(&[("\r", "UNVERIFIED"), ("y", "exit 0")]);
    let all = events(&home.data());
    let by = all.iter().find(|e| matches!(e.body, Body::ApprovalGiven { .. })).map(|e| e.actor.clone());
    assert_eq!(by.as_deref(), Some("bob"));
    let runs = all.iter().filter(|e| matches!(&e.body, Body::CommandStarted(s) if s.approval.is_some())).count();
    assert_eq!(runs, 1);
}

#[test]
fn ctrl_c_ends_a_watch_and_not_the_walk() {
    let (home, _server) = home();
    home.write("runbooks/careful.yaml", &BOOK.replace("        approval: second\n", ""));
    let declared = Start::with(&["incident", "declare", "--title", "t", "--severity", "SEV2"]).run(&home).ended();
    assert!(declared.success());
    let mut walk = Start::with(&["runbook", "walk", "careful", "--incident", "last", "--arm"]).run(&home);
    walk.walk(&[("choose 1\n", "type `y` to run option 1"), ("y\n", "exit 0 after"), ("verify\n", "exit 1, not yet")]);
    walk.walk(&[("\x03", "stopped watching; Remove the pod is in force and not proved")]);
    walk.walk(&[("changes\n", "not proved yet")]);
    walk.keys("quit\n");
    assert!(walk.ended().success(), "{}", walk.screen());
    assert!(
        !recorded(&home.data()).iter().any(|e| e.contains("VerifyFailed")),
        "a watch that was stopped found nothing"
    );
}

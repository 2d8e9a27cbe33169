//! Tickets, the status page and recent changes as a script has them, on fakes that keep what was really done and on a real
//! repository.

use crate::cli::{Machine, Said, said};
use crate::contract::{GitHubRig, StatuspageRig};
use crate::stateful_server::Trouble;
use std::process::Command;

/// A machine with a tracker, and an incident with two action items.
fn tracked(rig: &GitHubRig) -> Machine {
    let machine = Machine::new();
    machine.write("config.yaml", &rig.config(false));
    assert_eq!(machine.args(&["incident", "declare", "--title", "pool is full", "--severity", "SEV3"]).code, 0);
    for (text, owner) in [("alert earlier", "alice"), ("bigger pool", "bob")] {
        let line = ["incident", "action", "last", text, "--owner", owner, "--due", "2026-05-08", "--type", "detect"];
        let added = machine.args(&line);
        assert_eq!(added.code, 0, "{}", added.err);
    }
    machine
}

#[test]
fn action_items_become_tickets_once_and_the_record_knows_their_pages() {
    let rig = GitHubRig::new();
    let machine = tracked(&rig);
    let before = machine.run("incident ticket last --list -o json").json();
    assert_eq!(before["tickets"][0]["state"], "none");
    let pushed = machine.run("incident ticket last -o json");
    assert_eq!(pushed.code, 0, "{}", pushed.err);
    let tickets = pushed.json()["tickets"].as_array().unwrap().clone();
    let told: Vec<_> = tickets.iter().map(|t| (t["item"].as_u64(), t["state"].as_str(), t["key"].as_str())).collect();
    assert_eq!(told, [(Some(1), Some("there"), Some("acme/ops#1")), (Some(2), Some("there"), Some("acme/ops#2"))]);
    assert_eq!(rig.opened(), 2);
    // Again, and for one of them: nothing is opened twice.
    for line in ["incident ticket last", "incident ticket last --item 1"] {
        let again = machine.run(line);
        assert_eq!(again.code, 0, "{}", again.err);
        assert!(again.err.contains("has its ticket"), "{}", again.err);
    }
    assert_eq!(rig.opened(), 2);
    assert_eq!(machine.run("incident ticket last --incident").code, 0);
    assert_eq!(rig.opened(), 3);
    let shown = machine.run("incident show last -o json").json();
    assert_eq!(shown["actions"][0]["ticket"], "acme/ops#1");
    assert_eq!(shown["actions"][0]["type"], "detect");
    let wrong = machine.args(&["incident", "action", "last", "x", "--type", "hope"]);
    assert!(wrong.code == 2 && wrong.err.contains("process"), "{}", wrong.err);
    assert_eq!(shown["actions"][1]["ticket_url"], "https://github.example/acme/ops/issues/2");
    let draft = machine.run("postmortem last --offline --out -").out;
    assert!(draft.contains("alert earlier ([acme/ops\\#1](https://github.example/acme/ops/issues/1))"), "{draft}");
    for (line, code) in [
        ("incident ticket last --item 9", 1),
        ("incident ticket last --to nobody", 1),
        ("--read-only incident ticket last", 1),
        ("incident ticket last --item 1 --incident", 2),
    ] {
        assert_eq!(machine.run(line).code, code, "{line}");
    }
}

#[test]
fn a_ticket_whose_answer_was_lost_is_found_and_one_that_was_refused_can_be_pushed_again() {
    let rig = GitHubRig::new();
    let machine = tracked(&rig);
    rig.troubles([Trouble::LostReply, Trouble::Status(422, r#"{"message":"Validation Failed"}"#.into())]);
    let pushed = machine.run("incident ticket last -o json");
    assert_eq!(pushed.code, 1, "{}", pushed.err);
    let states: Vec<String> =
        pushed.json()["tickets"].as_array().unwrap().iter().map(|t| t["state"].as_str().unwrap().to_owned()).collect();
    assert_eq!(states, ["there", "failed"]);
    assert!(pushed.err.contains("Validation Failed"), "{}", pushed.err);
    let again = machine.run("incident ticket last");
    assert_eq!(again.code, 0, "{}", again.err);
    assert_eq!(rig.opened(), 2);
}

#[test]
fn a_notice_is_shown_before_it_is_published_and_is_one() {
    let rig = StatuspageRig::new();
    let machine = Machine::new();
    machine.write("config.yaml", &rig.config(false));
    assert_eq!(machine.args(&["incident", "declare", "--title", "pool is full", "--severity", "SEV3"]).code, 0);
    let base = ["incident", "statuspage", "last", "publish"];
    let publish = |more: &[&str]| machine.args(&[&base[..], more].concat());
    let preview =
        publish(&["investigating", "we look at it", "--impact", "minor", "--component", "api=partial_outage"]);
    assert_eq!(preview.code, 0, "{}", preview.err);
    assert!(
        preview.out.contains("new notice: pool is full") && preview.out.contains("C1 partial_outage"),
        "{}",
        preview.out
    );
    assert_eq!(rig.mails(), 0);
    let opened = publish(&["investigating", "we look at it", "--yes", "-o", "json"]);
    assert_eq!(opened.code, 0, "{}", opened.err);
    assert_eq!(opened.json()["state"], "there");
    let updated = publish(&["resolved", "it is over", "--yes", "-o", "json"]);
    assert_eq!(updated.json()["write"]["do"], "update", "{}", updated.err);
    assert_eq!(rig.mails(), 2);
    // What is over there is not written to again.
    let late = publish(&["monitoring", "more", "--yes"]);
    assert_eq!(late.code, 1, "{}", late.out);
    assert!(late.err.contains("resolved"), "{}", late.err);
    let shown = machine.run("incident statuspage last -o json").json();
    assert_eq!((shown["state"].as_str(), shown["components"][0]["name"].as_str()), (Some("there"), Some("API")));
    for more in
        [&["broken", "x"][..], &["resolved", "x", "--component", "Apo=x"], &["resolved", "x", "--component", "API=bad"]]
    {
        assert_eq!(publish(more).code, 1, "{more:?}");
    }
    assert_eq!(rig.mails(), 2);
}

#[test]
fn a_notice_whose_answer_was_lost_is_left_to_a_person() {
    let rig = StatuspageRig::new();
    let machine = Machine::new();
    machine.write("config.yaml", &rig.config(false));
    assert_eq!(machine.args(&["incident", "declare", "--title", "pool is full", "--severity", "SEV3"]).code, 0);
    rig.troubles([Trouble::LostReply]);
    let lost = machine.args(&["incident", "statuspage", "last", "publish", "investigating", "x", "--yes"]);
    assert_eq!(lost.code, 3, "{}", lost.err);
    assert_eq!(machine.run("outbox list -o json").json()["operations"][0]["class"], "D");
    assert_eq!(rig.mails(), 1);
}

/// With the programs of this machine at hand.
fn changes(machine: &Machine, line: &str) -> Said {
    let path = std::env::var("PATH").unwrap();
    said(machine.command().env("PATH", path).arg("changes").args(line.split_whitespace()))
}

fn git(folder: &std::path::Path, args: &[&str]) {
    let mut command = Command::new("git");
    command.current_dir(folder).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    for name in ["GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"] {
        command.env(name, "Ada");
    }
    let out = command.args(args).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

#[test]
fn commits_and_a_deploy_log_stand_on_one_list_and_a_source_that_fails_is_named() {
    let machine = Machine::new();
    let repository = machine.dir.path().join("c/repo");
    std::fs::create_dir_all(&repository).unwrap();
    git(&repository, &["init", "-q"]);
    git(&repository, &["commit", "-q", "--allow-empty", "-m", "fix \u{1b}[31mthe pool"]);
    let log = machine.write("deploys.log", "2020-01-01T00:00:00Z long ago\n");
    let now = midwatch::domain::time::rfc3339(midwatch::io::clock::now());
    std::fs::write(&log, format!("2020-01-01T00:00:00Z long ago\n{now} deploy 42\n")).unwrap();
    let text = |path: &str| {
        format!(
            "changes:\n  - {{name: repo, kind: git, options: {{path: {path}, service: api}}}}\n  - {{name: deploys, kind: command, options: {{argv: [cat, '{}']}}}}\n",
            log.display()
        )
    };
    machine.write("config.yaml", &text("repo"));
    assert_eq!(machine.args(&["incident", "declare", "--title", "pool is full", "--severity", "SEV3"]).code, 0);
    let out = changes(&machine, "--incident last -o json");
    assert_eq!(out.code, 0, "{}", out.err);
    let document = out.json();
    let mut told: Vec<_> = document["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| (c["source"].as_str().unwrap(), c["text"].as_str().unwrap()))
        .collect();
    told.sort_unstable();
    assert_eq!(told.len(), 2, "{document}");
    assert_eq!(told[0], ("deploys", "deploy 42"));
    assert!(
        told[1].1.starts_with("fix ") && told[1].1.contains("the pool (") && !told[1].1.contains('\u{1b}'),
        "{told:?}"
    );
    assert!(document["changes"][0]["from_start"].as_f64().unwrap().abs() < 600.0);
    assert_eq!(changes(&machine, "--service shop -o json").json()["changes"].as_array().unwrap().len(), 1);

    machine.write("config.yaml", &text("nowhere"));
    let out = changes(&machine, "-o json");
    assert_eq!(out.code, 3);
    assert_eq!(out.json()["faults"][0]["source"], "repo");
    assert_eq!(out.json()["changes"].as_array().unwrap().len(), 1);
    assert!(changes(&machine, "").err.contains("repo is not known"));
    assert_eq!(changes(&machine, "--since soon").code, 2);
    assert_eq!(changes(&machine, "--incident INC-9").code, 1);
    for bad in ["path: repo, branch: '-x'", "branch: main"] {
        machine.write("config.yaml", &format!("changes:\n  - {{name: repo, kind: git, options: {{{bad}}}}}\n"));
        assert_eq!(changes(&machine, "").code, 2, "{bad}");
    }
}

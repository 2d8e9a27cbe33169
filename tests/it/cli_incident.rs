//! `midwatch incident` and `midwatch postmortem` as a script sees them: promised names, exit codes, durability.

use crate::cli::{Machine, Said};
use serde_json::Value;
use std::path::Path;

fn configured() -> Machine {
    let machine = Machine::new();
    machine.write("config.yaml", "responder: {name: alice}\n");
    machine
}

fn declared(machine: &Machine, title: &str) -> String {
    let out = machine.args(&["incident", "declare", "--title", title, "--severity", "sev2", "--service", "api"]);
    assert_eq!(out.code, 0, "{}", out.err);
    out.out.trim().to_owned()
}

fn silent(out: &Said) {
    assert_eq!((out.code, out.out.as_str(), out.err.as_str()), (0, "", ""));
}

fn show(machine: &Machine, id: &str) -> Value {
    let out = machine.args(&["incident", "show", id, "-o", "json"]);
    assert_eq!(out.code, 0, "{}", out.err);
    out.json()
}

#[test]
fn the_life_of_an_incident_has_the_promised_names() {
    let machine = Machine::new();
    machine.write("config.yaml", "responder: {name: alice}\ntime_zone: UTC\n");
    let first = machine.args(&["incident", "declare", "--title", "API slow", "--severity", "2", "-o", "json"]);
    assert_eq!(first.code, 0, "{}", first.err);
    let json = first.json();
    for name in [
        "id",
        "title",
        "severity",
        "status",
        "service",
        "declared_at",
        "acknowledged_at",
        "mitigated_at",
        "resolved_at",
        "declared_by",
        "roles",
        "alerts",
        "runbooks",
        "budget_burned",
        "timers",
        "timeline",
    ] {
        assert!(json.get(name).is_some(), "{name}");
    }
    assert_eq!((json["severity"].as_str(), json["status"].as_str()), (Some("SEV2"), Some("investigating")));
    assert_eq!((json["declared_by"].as_str(), &json["acknowledged_at"]), (Some("alice"), &Value::Null));
    for name in ["commander", "comms", "operations", "scribe"] {
        assert_eq!(json["roles"].get(name), Some(&Value::Null), "{name}");
    }
    for name in ["seq", "at", "recorded_at", "actor", "kind", "text", "data"] {
        assert!(json["timeline"][0].get(name).is_some(), "{name}");
    }
    for name in ["id", "kind", "label", "due_at", "state"] {
        assert!(json["timers"][0].get(name).is_some(), "{name}");
    }
    let id = json["id"].as_str().unwrap().to_owned();
    let at = json["declared_at"].as_str().unwrap();
    assert!(id.starts_with("INC-") && at.ends_with('Z') && at.len() == 24, "{id} {at}");

    silent(&machine.args(&["incident", "ack", "last"]));
    silent(&machine.args(&[
        "incident",
        "note",
        id.rsplit('-').next().unwrap(),
        "pool is full",
        "--at",
        "-7m",
        "--kind",
        "finding",
    ]));
    silent(&machine.args(&["incident", "note", &id, "raise the limit", "--kind", "action"]));
    silent(&machine.args(&["incident", "status", &id, "mitigating", "--message", "rolling back"]));
    silent(&machine.args(&["incident", "severity", &id, "sev1", "--reason", "all users"]));
    silent(&machine.args(&["incident", "role", &id, "commander", "bob"]));
    silent(&machine.args(&["incident", "action", &id, "add a limit", "--owner", "bob", "--due", "2026-06-01"]));
    let out = machine.args(&["incident", "mitigated", &id, "-o", "json"]).json();
    assert!(out["mitigated_at"].is_string());
    let now = show(&machine, &id);
    assert_eq!((now["severity"].as_str(), now["roles"]["commander"].as_str()), (Some("SEV1"), Some("bob")));
    assert_eq!(now["actions"].as_array().unwrap().len(), 2);
    let finding = now["timeline"].as_array().unwrap().iter().find(|e| e["text"] == "pool is full").unwrap();
    assert!(finding["at"].as_str() < finding["recorded_at"].as_str(), "{finding}");
    silent(&machine.args(&["incident", "role", &id, "commander", "-"]));
    assert_eq!(show(&machine, &id)["roles"]["commander"], Value::Null);
    let people = machine.args(&["incident", "show", &id]);
    assert!(people.out.contains("pool is full") && people.out.contains("declared"), "{}", people.out);
    let listed = machine.run("incident list -o json").json();
    assert_eq!(listed["incidents"].as_array().unwrap().len(), 1);
}

#[test]
fn refused_acts_say_why_and_change_nothing() {
    let machine = configured();
    assert_eq!(machine.run("incident ack last").code, 1);
    let id = declared(&machine, "one");
    silent(&machine.run("incident ack last"));
    let events = show(&machine, &id)["timeline"].as_array().unwrap().len();
    let mut wrong = id.clone();
    wrong.replace_range(4..5, "3");
    for (line, code, words) in [
        (format!("incident ack {id}"), 1, "was acknowledged at"),
        (format!("incident ack {wrong}"), 1, id.as_str()),
        ("incident ack INC-X".to_owned(), 1, "the newest is"),
        (format!("incident status {id} resolved"), 1, "with a summary"),
        (format!("incident severity {id} SEV9 --reason x"), 1, "expected one of: SEV1"),
        (format!("incident reopen {id} --reason x"), 1, "is open"),
        (format!("incident mitigated {id} --at soon"), 2, "is not a time"),
        (format!("incident note {id} x --at 2999-01-01T00:00:00Z"), 2, "in the future"),
        (format!("incident link {id} --alert a7ffdcec7b6bae00"), 1, "no source of alerts is configured"),
        ("incident declare --title x --severity SEV2 --runbook none".to_owned(), 1, "there is no runbook"),
        ("incident declare --title x --severity SEV2 --alert a7ffdcec7b6bae00".to_owned(), 1, "there is no alert"),
        ("incident declare --title x --severity loud".to_owned(), 1, "expected one of: SEV1"),
        ("incident show".to_owned(), 2, "Usage"),
    ] {
        let out = machine.run(&line);
        assert_eq!((out.code, out.out.as_str()), (code, ""), "{line}: {}", out.err);
        assert!(out.err.contains(words), "{line}: {}", out.err);
    }
    assert_eq!(machine.args(&["incident", "declare", "--title", "  ", "--severity", "SEV2"]).code, 1);
    assert_eq!(show(&machine, &id)["timeline"].as_array().unwrap().len(), events);
    assert_eq!(machine.run("incident list --all -o json").json()["incidents"].as_array().unwrap().len(), 1);
}

#[test]
fn a_shortened_id_must_be_that_of_one_incident() {
    let machine = Machine::new();
    let ids: Vec<String> = (0..3).map(|n| declared(&machine, &format!("n{n}"))).collect();
    assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), 3, "{ids:?}");
    assert_eq!(show(&machine, "last")["title"], "n2");
    let out = machine.run("incident ack -- ");
    assert_eq!(out.code, 2);
    let shortest = ids[0].strip_prefix("INC-").unwrap();
    assert_eq!(show(&machine, shortest)["title"], "n0");
}

#[test]
fn resolve_writes_the_draft_and_says_where() {
    let machine = Machine::new();
    machine.write("config.yaml", "responder: {name: alice}\n");
    let id = declared(&machine, "API slow");
    let out = machine.args(&["incident", "resolve", &id, "--summary", "pool was full"]);
    assert_eq!((out.code, out.out.as_str()), (0, ""));
    let folder = machine.dir.path().join("d/postmortems");
    let path = out.err.split("postmortem draft: ").nth(1).and_then(|t| t.split(" (").next()).unwrap().to_owned();
    assert!(path.starts_with(folder.to_str().unwrap()), "{}", out.err);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("API slow") && text.contains("pool was full"), "{text}");
    let kinds: Vec<Value> =
        show(&machine, &id)["timeline"].as_array().unwrap().iter().map(|e| e["kind"].clone()).collect();
    assert_eq!(kinds, ["declared", "resolved", "draft"]);
    assert!(machine.run("incident list").out.is_empty());
    assert_eq!(machine.args(&["incident", "resolve", &id, "--summary", "x"]).code, 1);
    silent(&machine.args(&["incident", "note", &id, "afterwards"]));

    // A file that a person edited is left alone.
    std::fs::write(&path, format!("{text}\nmine\n")).unwrap();
    let again = machine.args(&["postmortem", &id, "-o", "json"]);
    assert_eq!(again.code, 0, "{}", again.err);
    let json = again.json();
    assert!(json["path"].as_str().unwrap().ends_with("-2.md") && json["blanks"].as_u64().unwrap() > 0, "{json}");
    assert!(std::fs::read_to_string(&path).unwrap().ends_with("mine\n"));
    silent(&machine.args(&["incident", "reopen", &id, "--reason", "it is back"]));
    assert_eq!(show(&machine, &id)["resolved_at"], Value::Null);
}

#[test]
fn a_draft_can_be_printed_and_its_blanks_counted() {
    let machine = configured();
    let id = declared(&machine, "API slow");
    let printed = machine.args(&["postmortem", &id, "--out", "-"]);
    assert_eq!((printed.code, printed.err.as_str()), (0, ""));
    assert!(printed.out.contains("API slow") && printed.out.contains("[[BLANK:"));
    let out = machine.args(&["postmortem", &id, "--template", "b", "--out", "x/pm.md"]);
    assert_eq!((out.code, out.out.as_str()), (0, "x/pm.md\n"), "{}", out.err);
    let check = machine.run("postmortem check x/pm.md -o json");
    assert_eq!(check.code, 1);
    let blank = &check.json()["blanks"][0];
    assert!(blank["line"].as_u64().unwrap() > 0 && blank["missing"].is_string(), "{blank}");
    let people = machine.run("postmortem check x/pm.md").out;
    assert!(people.lines().next().unwrap().split_once(": ").unwrap().0.parse::<u32>().is_ok(), "{people}");
    machine.write("done.md", "# all said\n");
    assert_eq!(machine.run("postmortem check c/done.md").code, 0);
    assert_eq!(machine.run("postmortem check nothing.md").code, 2);
    assert_eq!(machine.args(&["postmortem", &id, "--template", "nothing.md"]).code, 2);
}

#[test]
fn timelines_come_in_every_form() {
    let machine = configured();
    let id = declared(&machine, "API slow");
    silent(&machine.args(&["incident", "note", &id, "=cmd()"]));
    let form = |format: &str| machine.args(&["incident", "timeline", &id, "--format", format]).out;
    assert!(form("md").starts_with("# Timeline of INC"), "{}", form("md"));
    assert!(form("csv").starts_with("at_utc,at_local,") && form("csv").contains("\"'=cmd()\""), "{}", form("csv"));
    assert_eq!(form("jsonl").lines().filter(|l| serde_json::from_str::<Value>(l).is_ok()).count(), 2);
    assert!(form("text").contains("=cmd()"));
    let json = machine.args(&["incident", "timeline", &id, "-o", "json"]).json();
    assert_eq!(json["timeline"].as_array().unwrap().len(), 2);
}

#[test]
fn timers_follow_the_runbook_of_the_incident() {
    let machine = Machine::new();
    let seed = include_str!("../fixtures/seeds/high-api-latency.yaml");
    machine.write("runbooks/high-api-latency.yaml", seed);
    machine.write("config.yaml", "runbooks: [runbooks/]\n");
    let line =
        ["incident", "declare", "--title", "t", "--severity", "SEV2", "--runbook", "high-api-latency", "-o", "json"];
    let json = machine.args(&line).json();
    assert_eq!(json["runbooks"][0]["id"], "high-api-latency");
    let timers = machine.run("incident timers -o json").json()["timers"].as_array().unwrap().clone();
    let kinds: Vec<&str> = timers.iter().filter_map(|t| t["kind"].as_str()).collect();
    assert!(kinds.contains(&"escalation") && kinds.contains(&"response"), "{kinds:?}");
    assert_eq!(machine.run("incident timers last").code, 0);
    let due: Vec<&str> = timers.iter().filter_map(|t| t["due_at"].as_str()).collect();
    assert!(due.is_sorted(), "{due:?}");
}

#[test]
fn hostile_titles_stay_in_their_cell() {
    let machine = Machine::new();
    let title = "a\u{1b}[2J\u{1b}]0;x\u{7}\u{202e}b\nINC-1 SEV1 |c";
    let id = declared(&machine, title);
    for line in ["incident list", "incident show last", "incident timeline last", "status", "incident timers"] {
        let out = machine.run(line);
        let all = format!("{}{}", out.out, out.err);
        assert!(!all.chars().any(|c| matches!(c, '\u{1b}' | '\u{7}' | '\u{202e}')), "{line}: {all:?}");
    }
    assert_eq!(machine.run("incident list").out.lines().count(), 2);
    let raw = machine.run("incident show last -o json");
    assert!(!raw.out.contains('\u{1b}') && !raw.out.contains('\u{202e}'));
    assert_eq!((raw.json()["title"].as_str(), raw.json()["id"].as_str()), (Some(title), Some(id.as_str())));
}

#[test]
fn two_processes_write_one_incident_and_nothing_is_lost() {
    let machine = configured();
    let id = declared(&machine, "busy");
    std::thread::scope(|scope| {
        for writer in 0..2 {
            let (machine, id) = (&machine, &id);
            scope.spawn(move || {
                for n in 0..8 {
                    silent(&machine.args(&["incident", "note", id, &format!("w{writer} n{n}")]));
                }
            });
        }
    });
    let json = show(&machine, &id);
    let mut notes: Vec<&str> = json["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|e| e["kind"] == "note")
        .filter_map(|e| e["text"].as_str())
        .collect();
    notes.sort_unstable();
    let mut want: Vec<String> = (0..2).flat_map(|w| (0..8).map(move |n| format!("w{w} n{n}"))).collect();
    want.sort_unstable();
    assert_eq!(notes, want);
    let seqs: Vec<u64> = json["timeline"].as_array().unwrap().iter().filter_map(|e| e["seq"].as_u64()).collect();
    assert_eq!(seqs, (1..=17).collect::<Vec<_>>());
    let doctor = machine.run("doctor -o json").json();
    let record = doctor["checks"].as_array().unwrap().iter().find(|c| c["name"] == "record").unwrap().clone();
    assert_eq!(record["ok"], true, "{record}");
}

#[test]
fn read_only_refuses_every_act_and_still_tells() {
    let machine = Machine::new();
    let refuses = |line: &str| {
        let out = machine.run(&format!("{line} --read-only"));
        assert_eq!((out.code, out.out.as_str()), (1, ""), "{line}: {}", out.err);
        assert!(out.err.contains("read-only"), "{line}: {}", out.err);
    };
    refuses("incident declare --title t --severity SEV2");
    refuses("init");
    for line in ["incident list", "incident timers", "slo list", "alerts", "status", "doctor", "runbook list"] {
        assert_eq!(machine.run(&format!("{line} --read-only")).code, 0, "{line}");
    }
    assert!(!machine.dir.path().join("d/midwatch.db").exists() && !machine.config().exists());

    let id = declared(&machine, "t");
    let before = show(&machine, &id);
    for line in [
        "ack last",
        "note last x",
        "status last identified",
        "severity last SEV1 --reason x",
        "role last comms bob",
        "mitigated last",
        "resolve last --summary x",
        "reopen last --reason x",
        "action last x",
        "link last --alert a7ffdcec7b6bae00",
    ] {
        refuses(&format!("incident {line}"));
    }
    refuses("postmortem last");
    refuses("postmortem last --out pm.md");
    machine.write("r.yaml", "name: R\nsteps:\n  - {name: One}\n");
    refuses("runbook walk c/r.yaml --incident last");
    refuses("runbook walk c/r.yaml --incident last --arm");
    for line in ["incident show last", "incident timeline last", "postmortem last --out -", "keys", "config show"] {
        assert_eq!(machine.run(&format!("{line} --read-only")).code, 0, "{line}");
    }
    assert_eq!(show(&machine, &id)["timeline"], before["timeline"]);
    assert!(!Path::new(&machine.dir.path().join("pm.md")).exists());
}

#[test]
fn the_key_table_is_that_of_the_actions() {
    let machine = Machine::new();
    let json = machine.run("keys -o json").json();
    let ack = json["keys"].as_array().unwrap().iter().find(|k| k["id"] == "ack").unwrap().clone();
    assert_eq!((&ack["keys"], ack["changes"].as_bool()), (&serde_json::json!(["a"]), Some(true)));
    let md = machine.run("keys --md").out;
    assert!(md.starts_with("| key | where | what it does |\n|---|---|---|\n") && md.contains("| `a` |"), "{md}");
    assert!(md.lines().all(|l| l.starts_with("| ") || l == "|---|---|---|"));
    assert!(machine.run("keys").out.starts_with("KEYS"));
}

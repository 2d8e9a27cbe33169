//! The outbox and silences as a script has them: what acts queue, what a person decides about it, and writes that are sent
//! from a command.

use crate::cli::Machine;
use crate::contract::alertmanager::{SilenceRig, keeper};
use crate::fake_server::closed_port;
use crate::stateful_server::{Answer, Asked, StatefulServer, Trouble};
use serde_json::Value;

fn nowhere() -> String {
    format!("http://127.0.0.1:{}", closed_port())
}

/// A machine that pages through a webhook that is away.
fn paging() -> Machine {
    let machine = Machine::new();
    let text =
        format!("event_sinks:\n  - {{name: hook, kind: webhook, url: '{}', options: {{audience: ops}}}}\n", nowhere());
    machine.write("config.yaml", &text);
    machine
}

fn operations(machine: &Machine, flags: &str) -> Vec<Value> {
    let out = machine.run(&format!("outbox list {flags} -o json"));
    assert_eq!(out.code, 0, "{}", out.err);
    out.json()["operations"].as_array().unwrap().clone()
}

#[test]
fn the_alarm_of_a_merged_incident_ends_with_the_one_that_goes_on() {
    let machine = paging();
    let declare = |title: &str| {
        let out = machine.args(&["incident", "declare", "--title", title, "--severity", "SEV1", "--page"]);
        assert_eq!(out.code, 0, "{}", out.err);
        out.out.trim().to_owned()
    };
    let (one, two) = (declare("down"), declare("down too"));
    assert_eq!(machine.args(&["incident", "merge", &two, "--into", &one]).code, 0);
    let ended = || -> Vec<String> {
        let all = operations(&machine, "--all");
        let ends = all.iter().filter(|op| op["capability"] == "resolve_alarm");
        ends.map(|op| op["what"].to_string()).collect()
    };
    assert_eq!(ended(), [] as [String; 0], "the pain goes on");
    assert_eq!(machine.args(&["incident", "resolve", &one, "--summary", "over"]).code, 0);
    let told = ended();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!([&one, &two].iter().all(|id| told.iter().any(|what| what.contains(id.as_str()))), "{told:?}");
}

#[test]
fn acts_queue_what_they_tell_others_and_a_person_decides_about_it() {
    let machine = paging();
    let declared = machine.run("incident declare --title down --severity SEV1");
    assert_eq!(declared.code, 0, "{}", declared.err);
    assert!(declared.err.contains("nobody was paged"), "{}", declared.err);
    assert_eq!(operations(&machine, "--all"), [] as [Value; 0]);

    let asked = machine.run("incident page last");
    assert_eq!(asked.code, 1, "{}", asked.err);
    assert!(asked.err.contains("nobody was paged; --yes pages them"), "{}", asked.err);
    assert!(
        asked.out.contains("through   hook (webhook)") && asked.out.contains("pages     ops; what time"),
        "{}",
        asked.out
    );
    assert_eq!(operations(&machine, "--all"), [] as [Value; 0]);
    let paged = machine.run("incident page last --yes");
    assert_eq!(paged.code, 0, "{}", paged.err);
    let again = machine.run("incident page last -o json");
    assert_eq!((again.code, again.json()["again"].as_bool()), (1, Some(true)), "{}", again.out);
    assert_eq!(again.json()["queued"], false);
    assert!(paged.err.contains("queued for hook: page the on-call"), "{}", paged.err);
    assert_eq!(machine.run("incident ack last").code, 0);
    assert_eq!(machine.args(&["incident", "resolve", "last", "--summary", "over"]).code, 0);
    let waiting = operations(&machine, "");
    let kinds: Vec<&str> = waiting.iter().map(|op| op["capability"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["trigger", "acknowledge_alarm", "resolve_alarm"]);
    assert!(waiting.iter().all(|op| op["incident"].as_str().unwrap().starts_with("INC-") && op["target"] == "hook"));
    assert_eq!(machine.run("outbox list -o json").json()["waiting"], 3);
    assert!(machine.run("outbox list").out.contains("a running cockpit sends it"), "nothing else says why it waits");

    let id = |n: usize| waiting[n]["id"].as_str().unwrap().to_owned();
    let retried = machine.run(&format!("outbox retry {} -o json", id(0)));
    assert_eq!((retried.code, retried.json()["state"].as_str()), (0, Some("queued")));
    let dropped = machine.args(&["outbox", "drop", &id(1), "--reason", "too late", "-o", "json"]);
    assert_eq!((dropped.code, dropped.json()["outcome"].as_str()), (0, Some("dropped")));
    let by_hand = machine.run(&format!("outbox done {} -o json", id(2)));
    assert_eq!(by_hand.json()["outcome"], "done_by_hand");
    assert_eq!(operations(&machine, "").len(), 1);
    assert_eq!(operations(&machine, "--all").len(), 3);
    for (line, code) in [
        (format!("outbox drop {} --reason again", id(1)), 1),
        (format!("outbox done {}", id(1)), 1),
        ("outbox show nothing".to_owned(), 1),
        (format!("outbox show {}", id(2)), 0),
        (format!("--read-only outbox retry {}", id(0)), 1),
        ("outbox drop last --reason".to_owned(), 2),
    ] {
        assert_eq!(machine.run(&line).code, code, "{line}");
    }
    // Each word is on the timeline of its incident.
    let shown = machine.run("incident timeline last --format text").out;
    assert!(shown.contains("too late") && shown.contains("by hand"), "{shown}");
}

#[test]
fn a_page_that_cannot_be_is_refused_before_anything_is_declared() {
    let none = Machine::new();
    none.write("config.yaml", "theme: dark\n");
    let out = none.run("incident declare --title t --severity SEV1 --page");
    assert_eq!(out.code, 1);
    assert!(out.err.contains("nobody can be paged"), "{}", out.err);
    assert!(!none.dir.path().join("d/midwatch.db").exists());
    let reads = paging();
    reads.write(
        "config.yaml",
        &std::fs::read_to_string(reads.config()).unwrap().replace("options:", "read_only: true, options:"),
    );
    let out = reads.run("incident declare --title t --severity SEV1 --page");
    assert!(out.err.contains("read_only is set for it"), "{}", out.err);
    let paged = paging();
    assert_eq!(paged.run("incident declare --title t --severity SEV2 --page").code, 0);
    assert_eq!(operations(&paged, "")[0]["capability"], "trigger");
}

/// A machine on these peers.
fn machine(urls: &[String]) -> Machine {
    let machine = Machine::new();
    let urls: Vec<String> = urls.iter().map(|url| format!("'{url}'")).collect();
    machine.write("config.yaml", &format!("alertmanager:\n  - {{urls: [{}], timeout: 2s}}\n", urls.join(", ")));
    machine
}

#[test]
fn a_silence_is_previewed_made_listed_made_longer_and_ended() {
    let server = keeper();
    let machine = machine(&[server.url()]);
    let dry = machine.args(&["silence", "create", "Down", "--comment", "rack", "--dry-run", "-o", "json"]);
    assert_eq!(dry.code, 0, "{}", dry.err);
    let json = dry.json();
    assert_eq!(
        (&json["dry_run"], &json["operation"], &json["silence"]),
        (&Value::Bool(true), &Value::Null, &Value::Null)
    );
    assert_eq!((json["preview"]["firing"].as_u64(), json["preview"]["others"].as_u64()), (Some(2), Some(1)));
    assert_eq!(json["preview"]["names"][0]["name"], "Down");
    assert!(server.requests().iter().all(|r| !r.writes()), "nothing was written");
    assert!(!machine.dir.path().join("d/midwatch.db").exists(), "nothing was recorded");

    let made = machine.args(&["silence", "create", "Down", "--for", "2h", "--comment", "rack", "-o", "json"]);
    assert_eq!(made.code, 0, "{}", made.err);
    let id = made.json()["silence"].as_str().unwrap().to_owned();
    assert_eq!(made.json()["operation"]["outcome"], "done");
    let listed = machine.run("silence list -o json").json();
    let row = listed["silences"].as_array().unwrap().iter().find(|s| s["id"] == id.as_str()).unwrap().clone();
    for name in ["id", "source", "state", "matchers", "starts_at", "ends_at", "created_by", "comment", "ack", "alerts"]
    {
        assert!(row.get(name).is_some(), "{name}");
    }
    assert_eq!(row["matchers"][0]["name"], "alertname");
    let table = machine.run("silence list");
    assert!(table.out.contains(&id) && !table.out.contains("[mw:"), "{}", table.out);

    let longer = machine.run(&format!("silence extend {} --by 30m -o json", &id[..id.len() - 1]));
    assert_eq!((longer.code, longer.json()["write"]["do"].as_str()), (0, Some("extend")), "{}", longer.err);
    assert_eq!(machine.run(&format!("silence expire {id} --dry-run")).code, 0);
    assert_eq!(machine.run(&format!("silence expire {id}")).code, 0);
    let gone = machine.run(&format!("silence expire {id}"));
    assert_eq!(gone.code, 1, "{}", gone.err);
    assert_eq!(operations(&machine, "").len(), 0);
    let all = operations(&machine, "--all");
    assert_eq!(all.len(), 3);
    assert!(all.iter().all(|op| op["incident"].is_null()), "for no incident");
}

#[test]
fn what_sweeps_is_refused_unless_it_is_asked_for() {
    let server = keeper();
    let machine = machine(&[server.url()]);
    for conditions in ["alertname!=Nothing", "alertname=~.*"] {
        let out = machine.args(&["silence", "create", conditions, "--comment", "x"]);
        assert_eq!(out.code, 1);
        assert!(out.err.contains("asks for a label") && out.err.contains("3 firing"), "{}", out.err);
    }
    assert!(server.requests().iter().all(|r| !r.writes()));
    let out = machine.args(&["silence", "create", "alertname!=Nothing", "--comment", "x", "--sweeping"]);
    assert_eq!(out.code, 0, "{}", out.err);
    for line in ["silence create a=~( --comment x", "silence create a=b --comment x --for 0s", "silence create a=b"] {
        assert_eq!(machine.run(line).code, 2, "{line}");
    }
    assert_eq!(machine.run("--read-only silence create Down --comment x").code, 1);
    assert_eq!(machine.run("--read-only silence create Down --comment x --dry-run").code, 0);
    assert_eq!(machine.run("silence create Down --comment x --source other").code, 1);
}

#[test]
fn a_lost_answer_is_looked_up_and_what_cannot_be_sent_waits_for_a_cockpit() {
    let server = keeper();
    let one = machine(&[server.url()]);
    server.script([Trouble::LostReply]);
    let out = one.args(&["silence", "create", "Down", "--comment", "x", "-o", "json"]);
    assert_eq!((out.code, out.json()["operation"]["outcome"].as_str()), (0, Some("done")), "{}", out.err);
    assert_eq!(server.with(SilenceRig::made), 1, "made once");
    server.script([Trouble::LostRequest]);
    let out = one.args(&["silence", "create", "Down", "--comment", "x"]);
    assert_eq!(out.code, 3, "{}", out.err);
    assert!(out.err.contains("a running cockpit goes on with it"), "{}", out.err);
    assert_eq!((operations(&one, "").len(), server.with(SilenceRig::made)), (1, 1));
    server.script([Trouble::Status(400, "\"no\"".into())]);
    let out = one.args(&["silence", "create", "Down", "--comment", "x"]);
    assert_eq!((out.code, out.err.contains("answered 400: no")), (1, true), "{}", out.err);

    let away = machine(&[nowhere()]);
    let out = away.args(&["silence", "list", "-o", "json"]);
    assert_eq!((out.code, out.json()["partial"].as_bool()), (3, Some(true)));
    assert_eq!(machine(&[]).run("silence list").code, 2, "a source without an address");
    let none = Machine::new();
    none.write("config.yaml", "theme: dark\n");
    assert_eq!(none.run("silence list").code, 1);
}

#[test]
fn a_read_only_alertmanager_takes_no_silence() {
    let server = keeper();
    let machine = machine(&[server.url()]);
    let text =
        std::fs::read_to_string(machine.config()).unwrap().replace("timeout: 2s", "timeout: 2s, read_only: true");
    machine.write("config.yaml", &text);
    let out = machine.args(&["silence", "create", "Down", "--comment", "x"]);
    assert_eq!(out.code, 1);
    assert!(out.err.contains("read_only is set for it"), "{}", out.err);
    assert_eq!(machine.run("silence list").code, 0);
    let checks = machine.run("doctor -o json").json()["checks"].clone();
    let silences = checks.as_array().unwrap().iter().find(|c| c["name"] == "silences").unwrap().clone();
    assert!(silences["detail"].as_str().unwrap().contains("none is written"), "{silences}");
}

fn accepts(_: &mut (), _: &Asked) -> Answer {
    Answer::empty(204)
}

#[test]
fn doctor_tries_every_target_and_writes_nothing() {
    let server = StatefulServer::start((), accepts);
    let machine = Machine::new();
    machine.write("secret", "hunter2\n");
    let hook = |name: &str, more: &str| format!("  - {{name: {name}, kind: webhook, url: '{}'{more}}}\n", server.url());
    let text = format!(
        "event_sinks:\n{}{}",
        hook("good", ", headers: {X-Api-Key: {file: secret}}"),
        hook("bad", ", read_only: true, headers: {X-Api-Key: {file: gone}}")
    );
    machine.write("config.yaml", &text);
    let out = machine.run("doctor -o json");
    assert_eq!(out.code, 1, "a secret that cannot be read is a failed check: {}", out.out);
    let checks = out.json()["checks"].as_array().unwrap().clone();
    let find = |source: &str, name: &str| {
        checks
            .iter()
            .find(|c| c["source"] == source && c["name"] == name)
            .cloned()
            .unwrap_or_else(|| panic!("{source} {name}"))
    };
    let reach = find("webhook good", "reach");
    assert!(reach["detail"].as_str().unwrap().starts_with("not tried: it has no question"), "{reach}");
    assert_eq!(find("webhook good", "secret")["ok"], true);
    assert_eq!(find("webhook bad", "secret")["ok"], false);
    assert!(find("webhook good", "writes")["detail"].as_str().unwrap().contains("page the on-call"));
    assert!(find("webhook bad", "writes")["detail"].as_str().unwrap().contains("read_only is set for it"));
    assert!(!out.out.contains("hunter2") && server.requests().is_empty());
}

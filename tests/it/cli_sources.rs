//! Commands that ask sources: what is printed and which code is given when all answer, some answer, none does.

use crate::cli::Machine;
use crate::fake_server::{Act, FakeServer, answer, closed_port, json};
use serde_json::Value;

const ALERTS: &str = r#"[{"labels":{},"receiver":{"name":"t"},"alerts":[
  {"labels":{"alertname":"APILatencyHigh","severity":"SEVERITY","service":"api"},
   "annotations":{"summary":"slow\u001b[2J"},"fingerprint":"a7ffdcec7b6bae00","startsAt":"2026-05-01T03:00:00.000Z",
   "status":{"state":"active"}},
  {"labels":{"alertname":"Ev\u001b[31mil\u202e","severity":"ticket"},"annotations":{},"fingerprint":"b8ffdcec7b6bae00",
   "startsAt":"2026-05-01T03:00:00.000Z","status":{"state":"active"}}]}]"#;
const NOTHING: &str = "[]";

fn alertmanager(severity: &str) -> FakeServer {
    FakeServer::always(json(&ALERTS.replace("SEVERITY", severity)))
}

/// A machine with a cluster of these peers.
fn machine(urls: &[String]) -> Machine {
    let machine = Machine::new();
    machine.write("runbooks/high-api-latency.yaml", include_str!("../fixtures/seeds/high-api-latency.yaml"));
    let urls: Vec<String> = urls.iter().map(|url| format!("'{url}'")).collect();
    machine
        .write("config.yaml", &format!("alertmanager:\n  - {{urls: [{}]}}\nrunbooks: [runbooks/]\n", urls.join(", ")));
    machine
}

fn nowhere() -> String {
    format!("http://127.0.0.1:{}", closed_port())
}

#[test]
fn alerts_have_the_promised_names_and_their_runbook() {
    let server = alertmanager("page");
    let machine = machine(&[server.url()]);
    let out = machine.run("alerts -o json");
    assert_eq!(out.code, 0, "{}", out.err);
    let json = out.json();
    assert_eq!((json["partial"].as_bool(), &json["faults"]), (Some(false), &serde_json::json!([])));
    assert!(json["as_of"].as_str().unwrap().ends_with('Z'));
    let rows = json["alerts"].as_array().unwrap();
    let alert = rows.iter().find(|a| a["name"] == "APILatencyHigh").unwrap();
    for name in ["fingerprint", "name", "labels", "annotations", "state", "started_at", "source", "runbook", "incident"]
    {
        assert!(alert.get(name).is_some(), "{name}");
    }
    assert_eq!((alert["runbook"].as_str(), &alert["incident"]), (Some("high-api-latency"), &Value::Null));
    let table = machine.run("alerts");
    assert_eq!((table.code, table.out.lines().count()), (0, 3));
    assert!(!table.out.contains('\u{1b}') && !table.out.contains('\u{202e}'), "{:?}", table.out);
    assert!(!machine.dir.path().join("d/midwatch.db").exists(), "a look makes no record");
}

#[test]
fn an_incident_is_declared_from_an_alert_and_linked_to_another() {
    let server = alertmanager("page");
    let machine = machine(&[server.url()]);
    let line = "incident declare --title t --severity SEV2 --alert a7ffdcec7b6bae00 --at 2026-05-01T02:58:00Z -o json";
    let out = machine.run(line);
    assert_eq!(out.code, 0, "{}", out.err);
    let json = out.json();
    assert_eq!((&json["alerts"], json["service"].as_str()), (&serde_json::json!(["a7ffdcec7b6bae00"]), Some("api")));
    assert_eq!(json["detected_at"], "2026-05-01T02:58:00.000Z");
    assert_eq!(machine.run("incident link last --alert b8ff").code, 0);
    assert_eq!(machine.run("incident link last --alert b8ff").code, 1, "it belongs to it already");
    assert_eq!(machine.run("incident link last --alert c9ff").code, 1, "no source has it");
    let rows = machine.run("alerts -o json").json();
    assert!(rows["alerts"].as_array().unwrap().iter().all(|a| a["incident"] == json["id"]), "{rows}");
}

#[test]
fn a_source_that_is_away_is_told_with_code_3() {
    let server = alertmanager("page");
    let machine = machine(&[server.url(), nowhere()]);
    for command in ["alerts", "status"] {
        let out = machine.run(&format!("{command} -o json"));
        assert_eq!(out.code, 3, "{}", out.err);
        let json = out.json();
        assert_eq!(json["partial"], true);
        assert_eq!(json["faults"].as_array().unwrap().len(), 1, "{}", json["faults"]);
        assert_eq!(json["alerts"].as_array().unwrap().len(), 2, "what could be had is printed");
    }
    let people = machine.run("alerts");
    assert!(people.err.contains("partial: ") && people.out.contains("APILatencyHigh"), "{}", people.err);

    let gone = self::machine(&[nowhere()]);
    let out = gone.run("alerts -o json");
    assert_eq!((out.code, out.json()["partial"].as_bool()), (3, Some(true)));
    let out = gone.run("incident declare --title t --severity SEV2 --alert a7ffdcec7b6bae00");
    assert_eq!(out.code, 3);
    assert!(out.err.contains("leave --alert out"), "{}", out.err);
    assert!(!gone.dir.path().join("d/midwatch.db").exists(), "nothing was declared");
}

#[test]
fn status_check_follows_the_convention_of_monitoring_plugins() {
    let (quiet, ticket, page) = (FakeServer::always(json(NOTHING)), alertmanager("ticket"), alertmanager("page"));
    for (urls, code, word) in [
        (vec![quiet.url()], 0, "OK: "),
        (vec![ticket.url()], 1, "WARNING: "),
        (vec![page.url()], 2, "CRITICAL: "),
        (vec![page.url(), nowhere()], 2, "CRITICAL: "),
        (vec![ticket.url(), nowhere()], 3, "UNKNOWN: "),
        (vec![nowhere()], 3, "UNKNOWN: "),
    ] {
        let out = machine(&urls).run("status --check");
        assert_eq!((out.code, out.out.lines().count()), (code, 1), "{urls:?} {} {}", out.out, out.err);
        assert!(out.out.starts_with(word), "{}", out.out);
    }
    let none = Machine::new();
    assert_eq!(none.run("status --check").code, 3);
    none.write("config.yaml", "theme: [\n");
    let broken = none.run("status --check");
    assert_eq!((broken.code, broken.out.as_str()), (3, "UNKNOWN: the configuration cannot be used\n"));
}

const SLO: &str = include_str!("../fixtures/seeds/slo.yaml");
const VECTOR: &str = r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;
const MATRIX: &str = r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#;

/// What a server says in place of numbers.
const NONSENSE: [&str; 5] = [
    r#"{"status":"success","data":{"resultType":"vector","result":"lots"}}"#,
    "<html>Sign in</html>",
    "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[{\"metr",
    r#"{"status":"error","errorType":"bad_data","error":"no"}"#,
    r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"midwatch":"total:5m:1"},"value":[1,"NaN"]}]}}"#,
];

#[test]
fn nonsense_is_no_number() {
    for body in NONSENSE {
        let server = FakeServer::always(json(body));
        let machine = Machine::new();
        machine.write("slos/api.yaml", SLO);
        machine.write("config.yaml", &format!("prometheus:\n  - {{url: '{}'}}\nslos: ['slos/*.yaml']\n", server.url()));
        let out = machine.run("slo list -o json");
        // A server that refuses a query is there, and its row says so; that it refuses to tell its alerts too is a fault.
        assert_eq!((out.code, out.json()["partial"].as_bool()), (3, Some(true)), "{body}");
        if body.contains("bad_data") {
            assert!(out.json()["faults"][0]["message"].as_str().unwrap().starts_with("alerts:"), "{}", out.json());
        }
        for slo in out.json()["slos"].as_array().unwrap() {
            assert!(matches!(slo["state"].as_str(), Some("error" | "no_data" | "warming")), "{body}: {slo}");
            assert_eq!((&slo["sli"], &slo["budget"]["remaining"]), (&Value::Null, &Value::Null), "{body}");
        }
    }
}

#[test]
fn rows_that_a_source_refuses_are_a_part_that_is_missing() {
    let alerts = r#"{"status":"success","data":{"alerts":[]}}"#;
    let refused = r#"{"status":"error","errorType":"execution","error":"expanding series: boom"}"#;
    let refused =
        Act::Send(answer("422 Unprocessable Entity", &[("Content-Type", "application/json")], refused.as_bytes()));
    let odd = r#"{"status":"success","data":{"resultType":"vector","result":[
        {"metric":{"midwatch":"total:5m:0"},"value":[1,"NaN"]},{"metric":{"midwatch":"total:5m:1"},"value":[1,"NaN"]}]}}"#;
    let cases = [(refused.clone(), refused, "rejected", "boom"), (json(odd), json(MATRIX), "odd", "NaN")];
    for (instant, range, kind, why) in cases {
        let server = FakeServer::routed(vec![("query_range", range), ("v1/alerts", json(alerts))], vec![instant]);
        let machine = Machine::new();
        machine.write("slos/api.yaml", SLO);
        machine.write("config.yaml", &format!("prometheus:\n  - {{url: '{}'}}\nslos: ['slos/*.yaml']\n", server.url()));
        let out = machine.run("slo list -o json");
        let json = out.json();
        assert_eq!((out.code, &json["partial"]), (3, &true.into()), "{kind}: {json}");
        let fault = json["faults"].as_array().unwrap().iter().find(|f| f["kind"] == kind);
        let fault = fault.unwrap_or_else(|| panic!("{kind}: {}", json["faults"]));
        assert!(fault["message"].as_str().unwrap().contains(why), "{fault}");
        assert!(fault["objectives"].as_array().unwrap().contains(&"api_availability".into()), "{fault}");
        let table = machine.run("slo list");
        assert_eq!((table.code, table.err.contains(why)), (3, true), "{}", table.err);
    }
}

#[test]
fn a_source_that_is_away_is_no_warming_up() {
    let machine = Machine::new();
    machine.write("slos/api.yaml", SLO);
    machine.write("config.yaml", &format!("prometheus:\n  - {{url: '{}'}}\nslos: ['slos/*.yaml']\n", nowhere()));
    let out = machine.run("slo list -o json");
    for slo in out.json()["slos"].as_array().unwrap() {
        assert_eq!((out.code, slo["state"].as_str()), (3, Some("error")), "{slo}");
        assert!(slo["reason"].as_str().unwrap().contains("refused"), "{slo}");
    }
    let shown = machine.run("slo show api_availability").out;
    assert!(shown.contains("state        error") && !shown.contains("not within its window"), "{shown}");
}

#[test]
fn objectives_without_data_are_not_drawn_as_healthy() {
    let alerts = r#"{"status":"success","data":{"alerts":[]}}"#;
    let routes = vec![("query_range", json(MATRIX)), ("v1/alerts", json(alerts))];
    let server = FakeServer::routed(routes, vec![json(VECTOR)]);
    for (url, code) in [(server.url(), 0), (nowhere(), 3)] {
        let machine = Machine::new();
        machine.write("slos/api.yaml", SLO);
        machine.write("config.yaml", &format!("prometheus:\n  - {{url: '{url}'}}\nslos: ['slos/*.yaml']\n"));
        let out = machine.run("slo list -o json");
        assert_eq!(out.code, code, "{}", out.err);
        let json = out.json();
        assert_eq!(json["partial"], code == 3);
        let first = &json["slos"][0];
        for name in [
            "id",
            "service",
            "kind",
            "target",
            "window",
            "sli",
            "events",
            "budget",
            "burn_rates",
            "alerts",
            "state",
            "policy",
            "exhausts_at",
            "coverage",
            "source",
        ] {
            assert!(first.get(name).is_some(), "{name}");
        }
        for name in ["remaining", "consumed", "minutes_total", "minutes_left"] {
            assert!(first["budget"].get(name).is_some(), "{name}");
        }
        // What nobody answered is not on its way either.
        assert_eq!(first["state"], if code == 3 { "error" } else { "no_data" });
        assert_eq!((&first["sli"], &first["budget"]["remaining"]), (&Value::Null, &Value::Null));
        let id = first["id"].as_str().unwrap();
        let one = machine.args(&["slo", "show", id, "-o", "json"]);
        assert_eq!((one.code, one.json()["slos"].as_array().unwrap().len()), (code, 1));
        assert!(machine.run("slo list").out.starts_with("SLO"));
        let wrong = machine.args(&["slo", "show", &format!("{id}x")]);
        assert_eq!((wrong.code, wrong.err.contains(&format!("nearest: `{id}`"))), (1, true), "{}", wrong.err);
    }
}

#[test]
fn an_objective_that_cannot_be_read_is_not_left_out_in_silence() {
    let quiet = FakeServer::always(json(NOTHING));
    let machine = machine(&[quiet.url()]);
    assert_eq!(machine.run("status --check").code, 0);
    machine.write("slos/api.yaml", "service_level_objectives: 1\n");
    let config = std::fs::read_to_string(machine.config()).unwrap();
    machine.write("config.yaml", &format!("{config}slos: [slos/]\n"));
    let list = machine.run("slo list");
    assert_eq!(list.code, 1);
    assert!(list.err.contains("slos/api.yaml:1:27: error"), "{}", list.err);
    assert_eq!(machine.run("status --check").code, 3);
}

#[test]
fn doctor_tries_everything_and_names_what_is_away() {
    let machine = Machine::new();
    let out = machine.run("doctor -o json");
    assert_eq!(out.code, 0, "{}", out.err);
    let json = out.json();
    let checks = json["checks"].as_array().unwrap();
    for name in ["name", "source", "ok", "detail", "seconds"] {
        assert!(checks[0].get(name).is_some(), "{name}");
    }
    let folder = checks.iter().find(|c| c["name"] == "data folder").unwrap();
    assert!(folder["seconds"].is_number() && folder["ok"] == true, "{folder}");

    let good = FakeServer::always(crate::fake_server::json(NOTHING));
    let refuses = FakeServer::always(Act::Send(answer("401 Unauthorized", &[], b"")));
    machine.write(
        "config.yaml",
        &format!("alertmanager:\n  - {{urls: ['{}', '{}', '{}']}}\n", good.url(), refuses.url(), nowhere()),
    );
    let out = machine.run("doctor -o json");
    assert_eq!(out.code, 3);
    let told: Vec<(String, String, bool)> = out.json()["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|c| Some((c["source"].as_str()?.to_owned(), c["name"].as_str()?.to_owned(), c["ok"].as_bool()?)))
        .filter(|(_, name, _)| matches!(name.as_str(), "reach" | "auth"))
        .collect();
    let row = |n: u32, name: &str, ok: bool| (format!("alertmanager main peer {n}"), name.to_owned(), ok);
    let want = [
        row(1, "reach", true),
        row(1, "auth", true),
        row(2, "reach", true),
        row(2, "auth", false),
        row(3, "reach", false),
    ];
    assert_eq!(told, want);
    machine.write("config.yaml", "tehme: dark\n");
    assert_eq!(machine.run("doctor").code, 1, "a broken configuration is a failed check");
}

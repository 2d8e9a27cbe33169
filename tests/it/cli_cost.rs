//! What an incident costs, sampled by acts on the command line: against a real Prometheus whose truth is known, with a
//! source that is away, and with one that never answers. And the review of a month that had more incidents than a screen.

use crate::cli::Machine;
use crate::fake_server::{Act, FakeServer, closed_port, json};
use crate::real::{Prometheus, Setup};
use midwatch::domain::incident::event::{Body, NewEvent};
use midwatch::domain::time::{Timestamp, mins, secs};
use midwatch::io::store::Store;
use midwatch::io::store::sqlite::Sqlite;
use midwatch::io::store::sqlite::open::default_path;
use serde_json::Value;
use std::fmt::Write as _;

const SLO: &str = r#"service_level_objectives:
  api_availability:
    sli: "sum(rate(http_requests_total{job=\"api\",code!~\"5..\"}[5m])) / sum(rate(http_requests_total{job=\"api\"}[5m]))"
    target: 0.99
    window: 1d
"#;

fn machine(url: &str) -> Machine {
    let machine = Machine::new();
    machine.write("slos/api.yaml", SLO);
    let source = format!("prometheus:\n  - {{url: '{url}', timeout: 5s}}\nslos: [slos/]\n");
    machine.write("config.yaml", &format!("responder: {{name: alice}}\n{source}"));
    machine
}

/// A hundred requests a minute from twelve hours ago until a while from now; 50 of them fail in the last twenty minutes, none
/// before.
fn counters(now: Timestamp) -> String {
    let mut text = String::from("# TYPE http_requests counter\n");
    let begin = now - mins(12 * 60);
    for code in ["200", "500"] {
        for m in 0..12 * 60 + 15 {
            let bad = (m - 700).max(0) * 50;
            let count = if code == "500" { bad } else { m * 100 - bad };
            let at = (begin + mins(m)).timestamp();
            writeln!(text, "http_requests_total{{job=\"api\",code=\"{code}\"}} {count} {at}").unwrap();
        }
    }
    text + "# EOF\n"
}

#[test]
fn acts_sample_what_an_incident_costs() {
    let now = midwatch::io::clock::now();
    let Some(server) = Prometheus::start(&Setup { backfill: Some(counters(now)), ..Setup::default() }) else { return };
    let machine = machine(&server.url());
    let declare = "incident declare --title slow --severity SEV2 --service api --at -20m -o json";
    let out = machine.run(declare);
    assert_eq!((out.code, out.err.as_str()), (0, ""));
    let burned = |json: &Value, moment: &str| {
        let all = json["budget_burned"].as_array().unwrap();
        assert_eq!(
            (all.len(), &all[0]["slo"], all[0]["moment"].as_str()),
            (1, &"api_availability".into(), Some(moment))
        );
        let (gross, net) = (all[0]["gross"].as_f64().unwrap(), all[0]["net"].as_f64().unwrap());
        // About twenty minutes of fifty bad ones, of a budget of one in a hundred of 72,000.
        assert!((gross / (1_000.0 / 720.0) - 1.0).abs() < 0.15 && net <= gross, "{gross} {net}");
    };
    burned(&out.json(), "declared");
    let mitigated = machine.run("incident mitigated last -o json");
    assert_eq!(mitigated.code, 0, "{}", mitigated.err);
    burned(&mitigated.json(), "mitigated");
    let resolved = machine.args(&["incident", "resolve", "last", "--summary", "rolled back", "-o", "json"]);
    assert_eq!(resolved.code, 0, "{}", resolved.err);
    burned(&resolved.json(), "resolved");
    let kinds: Vec<String> = resolved.json()["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["kind"].as_str().unwrap().to_owned())
        .filter(|k| ["declared", "mitigated", "resolved", "budget"].contains(&k.as_str()))
        .collect();
    assert_eq!(kinds, ["declared", "budget", "mitigated", "budget", "resolved", "budget"], "each after its act");
    let draft = std::fs::read_dir(machine.data().join("postmortems")).unwrap().next().unwrap().unwrap();
    let draft = std::fs::read_to_string(draft.path()).unwrap();
    assert!(draft.contains("at resolved") && draft.contains("% burned"), "the draft knows it: {draft}");
}

/// A hundred requests a minute for sixteen hours; thirty of them fail in the forty minutes from `outage` on, none otherwise.
fn with_an_outage(now: Timestamp, outage: Timestamp) -> String {
    let mut text = String::from("# TYPE http_requests counter\n");
    let begin = now - mins(16 * 60);
    let first = (outage - begin).num_minutes();
    for code in ["200", "500"] {
        for m in 0..16 * 60 + 15 {
            let bad = (m - first).clamp(0, 40) * 30;
            let count = if code == "500" { bad } else { m * 100 - bad };
            let at = (begin + mins(m)).timestamp();
            writeln!(text, "http_requests_total{{job=\"api\",code=\"{code}\"}} {count} {at}").unwrap();
        }
    }
    text + "# EOF\n"
}

#[test]
fn an_outage_that_is_kept_by_the_hour_costs_what_it_cost() {
    let now = midwatch::io::clock::now();
    // Ten hours ago, four minutes before a full hour: most of it lies in the next one.
    let hour = Timestamp::from_timestamp((now.timestamp() / 3_600 - 10) * 3_600, 0).unwrap();
    let outage = hour - mins(4);
    let setup = Setup { backfill: Some(with_an_outage(now, outage)), ..Setup::default() };
    let Some(server) = Prometheus::start(&setup) else { return };
    let machine = machine(&server.url());
    let rfc = |at: Timestamp| at.to_rfc3339();
    let declare = format!("incident declare --title slow --severity SEV2 --service api --at {}", rfc(outage));
    assert_eq!(machine.run(&declare).code, 0);
    let mitigated = machine.run(&format!("incident mitigated last --at {} -o json", rfc(outage + mins(40))));
    assert_eq!(mitigated.code, 0, "{}", mitigated.err);
    // 1,200 bad ones, of a budget of one in a hundred of 96,000. At each end a slice of five minutes is shared out, which loses
    // a fifth of four minutes, and the outage may begin up to a minute before: 7 % at most, where the hour would lose half.
    let gross = mitigated.json()["budget_burned"][0]["gross"].as_f64().unwrap();
    assert!((gross / (1_200.0 / 960.0) - 1.0).abs() < 0.08, "{gross}");
    let report = machine.run("slo report --period year --format json").json();
    let row = &report["incidents"][0];
    let (cost, spent) = (row["gross"].as_f64().unwrap(), report["slos"][0]["budget"]["spent"].as_f64().unwrap());
    assert!((cost / spent - 1.0).abs() < 0.08, "all that was spent was spent by it: {cost} of {spent}");
}

#[test]
fn a_source_that_is_away_costs_a_line_and_nothing_else() {
    let machine = machine(&format!("http://127.0.0.1:{}", closed_port()));
    let out = machine.run("incident declare --title slow --severity SEV2 --service api -o json");
    assert_eq!(out.code, 0, "{}", out.err);
    assert_eq!(out.err.lines().count(), 1, "{}", out.err);
    assert!(out.err.contains("what it costs api_availability was not measured: prometheus"), "{}", out.err);
    let burned = &out.json()["budget_burned"][0];
    assert_eq!(
        (burned["slo"].as_str(), &burned["gross"], &burned["net"]),
        (Some("api_availability"), &Value::Null, &Value::Null)
    );
    let kinds = |json: &Value| json["timeline"].as_array().unwrap().iter().filter(|e| e["kind"] == "budget").count();
    assert_eq!(kinds(&out.json()), 0, "what is not known is not recorded");
    for act in [&["incident", "mitigated", "last"][..], &["incident", "severity", "last", "SEV1", "--reason", "all"]] {
        let out = machine.args(act);
        assert_eq!((out.code, out.out.as_str(), out.err.lines().count()), (0, "", 1), "{}", out.err);
    }
    // What has no objective asks nobody and says nothing.
    let out = machine.run("incident declare --title other --severity SEV2 --service billing");
    assert_eq!((out.code, out.err.as_str()), (0, ""));
}

#[test]
fn an_act_is_on_disk_before_a_source_is_asked() {
    let server = FakeServer::always(Act::Hang);
    let machine = machine(&server.url());
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_midwatch"));
    command.env_clear().env("HOME", machine.dir.path()).env("MIDWATCH_CONFIG", machine.config());
    command.env("MIDWATCH_DATA_DIR", machine.data()).current_dir(machine.dir.path());
    command.args("incident declare --title slow --severity SEV2 --service api".split_whitespace());
    let mut child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null()).spawn().unwrap();
    // The id is told while the source says nothing: it is the child's only line of output, and it ends with the child.
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.take().unwrap()), &mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let listed = machine.run("incident list -o json").json();
    assert_eq!(listed["incidents"][0]["id"].as_str(), Some(line.trim()), "{listed}");
}

/// An incident that was over after an hour.
fn past(at: Timestamp, number: i64) -> Vec<NewEvent> {
    let incident = midwatch::domain::incident::decide::id_at(at);
    let event = |minutes: i64, body| NewEvent {
        incident: incident.clone(),
        at: at + mins(minutes),
        recorded_at: at + mins(minutes),
        actor: "alice".into(),
        body,
        once: None,
    };
    let declared = Body::Declared {
        title: format!("number {number}"),
        severity: "SEV3".into(),
        service: Some("api".into()),
        detected_by: None,
        detected_at: None,
    };
    vec![
        event(0, declared),
        event(0, Body::ObjectiveLinked { slo: "api_availability".into() }),
        event(60, Body::Resolved { summary: "done".into() }),
    ]
}

#[test]
fn a_review_has_every_incident_of_its_month_however_many_came_later() {
    let vector = r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;
    let matrix = r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#;
    let alerts = r#"{"status":"success","data":{"alerts":[]}}"#;
    let server =
        FakeServer::routed(vec![("query_range", json(matrix)), ("v1/alerts", json(alerts))], vec![json(vector)]);
    let machine = machine(&server.url());
    std::fs::create_dir_all(machine.data()).unwrap();
    let mut store = Sqlite::open(&default_path(&machine.data())).unwrap();
    // 75 in March, one every nine hours and a half; 70 in April; two across the borders of March.
    let march: Timestamp = "2025-03-01T00:00:00Z".parse().unwrap();
    let april: Timestamp = "2025-04-01T00:00:00Z".parse().unwrap();
    let inside = (0..75).map(|i| march + mins(i * 570 + 30));
    let after = (0..70).map(|i| april + mins(i * 570 + 30));
    let across = [march - mins(30), april - secs(90)];
    for (number, at) in (0..).zip(inside.chain(after).chain(across)) {
        store.append(past(at, number)).unwrap();
    }
    drop(store);
    let report = machine.run("slo report --period month --from 2025-03-01 -o json");
    assert!([0, 3].contains(&report.code), "{}", report.err);
    let json = report.json();
    let rows = json["incidents"].as_array().unwrap();
    let ids: std::collections::BTreeSet<&str> = rows.iter().map(|i| i["id"].as_str().unwrap()).collect();
    assert_eq!((rows.len(), ids.len()), (77, 77), "those that reach into it included");
    assert!(rows.iter().all(|i| i["slo"] == "api_availability" && i["gross"].is_null()), "nothing counted is no zero");
    let text = machine.run("slo report --period month --from 2025-03-01 --format md").out;
    let shown = text.lines().filter(|l| l.starts_with('|') && l.contains("INC-2025")).count();
    assert_eq!(shown, 77, "{text}");
}

//! Which alerts have a runbook: by the rules of a real Prometheus, by one that does not answer, and on the screen.

use crate::cli::Machine;
use crate::fake_server::Act;
use crate::fake_server::{FakeServer, answer, closed_port, json};
use crate::real::{Prometheus, Setup};

const RULES: &str = r#"groups:
- name: slo
  rules:
  - {record: 'job:up', expr: up}
  - {alert: APILatencyHigh, expr: vector(1), for: 5m, labels: {severity: page, team: '{{ $labels.team }}'}}
  - {alert: etcdMembersSlow, expr: vector(1), annotations: {runbook_url: 'https://runbooks.example/etcdMembersSlow'}}
- name: nodes
  rules:
  - {alert: NodeGone, expr: up == 0, annotations: {runbook_url: 'https://wiki.example/node-gone'}}
  - {alert: APILatencyHigh, expr: vector(0), labels: {severity: ticket}}
"#;
const BOOK: &str = "name: N\nreviewed: 2020-01-01\ntriggers: [{alert: Retired}]\nsteps: [{name: One}]\n";

fn machine(urls: &[String]) -> Machine {
    let machine = Machine::new();
    machine.write("runbooks/high-api-latency.yaml", include_str!("../fixtures/seeds/high-api-latency.yaml"));
    machine.write("runbooks/etcdMembersSlow.md", include_str!("../fixtures/markdown/openshift/etcdMembersSlow.md"));
    machine.write("runbooks/retired.yaml", BOOK);
    let sources: Vec<String> =
        urls.iter().enumerate().map(|(n, url)| format!("{{name: p{n}, url: '{url}', timeout: 2s}}")).collect();
    machine.write("config.yaml", &format!("prometheus: [{}]\nrunbooks: [runbooks/]\n", sources.join(", ")));
    machine
}

#[test]
fn a_real_server_says_which_alerts_there_are() {
    let Some(server) = Prometheus::start(&Setup { rules: Some(RULES.into()), ..Setup::default() }) else {
        println!("skipped: prometheus is not installed");
        return;
    };
    let machine = machine(&[server.url()]);
    let said = machine.run("runbook coverage -o json");
    assert_eq!(said.code, 0, "{}", said.err);
    let json = said.json();
    assert_eq!(
        (json["partial"].as_bool(), json["alerts"].as_u64(), json["reached"].as_bool()),
        (Some(false), Some(3), Some(false))
    );
    assert_eq!(json["percent"].as_f64().map(f64::round), Some(67.0));
    let covered: Vec<_> =
        json["covered"].as_array().unwrap().iter().map(|c| (c["alert"].clone(), c["runbook"].clone())).collect();
    assert_eq!(
        covered,
        [("APILatencyHigh".into(), "high-api-latency".into()), ("etcdMembersSlow".into(), "etcdmembersslow".into())]
    );
    assert_eq!(
        json["uncovered"],
        serde_json::json!([{"alert": "NodeGone", "group": "nodes", "url": "https://wiki.example/node-gone", "similar": null}])
    );
    assert_eq!(json["idle"], serde_json::json!(["retired"]));
    let stale: Vec<_> = json["stale"].as_array().unwrap().iter().map(|s| s["runbook"].clone()).collect();
    assert_eq!(stale.len(), 3, "none is fresh: {json}");
    assert_eq!(machine.run("runbook coverage --check").code, 1);
    let out = machine.run("runbook coverage").out;
    assert!(out.contains("2 of 3 alerts have a runbook: 67 % (goal 90 %: missed)"), "{out}");
    assert!(out.contains("only a link: https://wiki.example/node-gone"), "{out}");

    machine.write("runbooks/node-gone.yaml", &BOOK.replace("Retired", "NodeGone"));
    let whole = machine.run("runbook coverage --check");
    assert_eq!(whole.code, 0, "{}", whole.out);

    // A second server that is away hides alerts; what is known is printed, and nothing is called idle.
    let machine = self::machine(&[server.url(), format!("http://127.0.0.1:{}", closed_port())]);
    let partial = machine.run("runbook coverage --check -o json");
    assert_eq!(partial.code, 3);
    let json = partial.json();
    assert_eq!(
        (json["partial"].as_bool(), json["alerts"].as_u64(), &json["idle"]),
        (Some(true), Some(3), &serde_json::json!([]))
    );
    assert_eq!(json["faults"][0]["source"], "p1");
}

#[test]
fn a_server_that_answers_wrongly_is_a_fault_and_no_coverage() {
    let refusing = Act::Send(answer("404 Not Found", &[], b"404 page not found"));
    let broken = json(r#"{"status":"success","data":{"groups":[{"name":"g","rules":[{"type":"alerting"}]}]}}"#);
    for act in [refusing, broken, json("<html>login</html>"), Act::Hang] {
        let server = FakeServer::always(act.clone());
        let said = machine(&[server.url()]).run("runbook coverage --check -o json");
        assert_eq!(said.code, 3, "{act:?}: {}", said.err);
        let json = said.json();
        assert_eq!((json["percent"].is_null(), json["partial"].as_bool()), (true, Some(true)), "{act:?}");
    }
    let server = FakeServer::always(json(r#"{"status":"success","data":{"groups":[]}}"#));
    let none = machine(&[server.url()]).run("runbook coverage --check -o json");
    assert_eq!((none.code, none.json()["percent"].is_null()), (0, true));
    assert!(
        server.requests()[0].starts_with("GET /api/v1/rules?type=alert&exclude_alerts=true"),
        "{:?}",
        server.requests()
    );
    let nobody = machine(&[]).run("runbook coverage");
    assert_eq!(nobody.code, 1);
    assert!(nobody.err.contains("no Prometheus is configured"), "{}", nobody.err);
}

/// Findings of one rule: `file: message`.
fn told(said: &crate::cli::Said, rule: &str) -> Vec<String> {
    let json = said.json();
    let all = json["findings"].as_array().unwrap().iter().filter(|f| f["rule"] == rule);
    let name = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    all.map(|f| format!("{}:{} {}", name(f["path"].as_str().unwrap()), f["line"], f["message"].as_str().unwrap()))
        .collect()
}

#[test]
fn triggers_are_held_against_the_servers_rules_when_they_are_asked() {
    let rules = r#"{"status":"success","data":{"groups":[{"name":"g","file":"f","interval":15,"rules":[
        {"type":"alerting","name":"APILatencyHigh","query":"vector(1)","duration":0,"labels":{},"annotations":{},"alerts":[],"health":"ok"},
        {"type":"alerting","name":"etcdMembersSlow","query":"vector(1)","duration":0,"labels":{},"annotations":{},"alerts":[],"health":"ok"},
        {"type":"alerting","name":"Retied","query":"vector(1)","duration":0,"labels":{},"annotations":{},"alerts":[],"health":"ok"}]}]}}"#;
    let server = FakeServer::always(json(rules));
    let here = machine(&[server.url()]);
    let missing = "retired.yaml:3 no rule of the servers raises the alert `Retired` (nearest: `Retied`)";
    for command in ["runbook lint", "check"] {
        let silent = here.run(&format!("{command} -o json"));
        assert_eq!(told(&silent, "RB010"), Vec::<String>::new(), "{command}");
        let said = here.run(&format!("{command} --online -o json"));
        assert_eq!(told(&said, "RB010"), [missing], "{command}: {}", said.err);
        assert_eq!(said.json()["online"], true);
    }
    let named = here.run("check --online -o json c/runbooks/retired.yaml");
    assert_eq!(told(&named, "RB010"), [missing], "a file that was named");

    // A server that is away may be the one that raises it.
    let away = machine(&[server.url(), format!("http://127.0.0.1:{}", closed_port())]);
    for command in ["runbook lint --online -o json", "check --online -o json"] {
        let said = away.run(command);
        assert_eq!(said.code, 3, "{command}");
        assert_eq!(told(&said, "RB010"), Vec::<String>::new());
        let faults: Vec<_> = said.json()["faults"].as_array().unwrap().iter().map(|f| f["source"].clone()).collect();
        assert_eq!(faults, ["p1"], "told once");
    }
    let said = away.run("runbook lint --online");
    assert!(
        said.err.contains("RB010 not judged: whether an alert exists: 1 of the servers did not tell"),
        "{}",
        said.err
    );
}

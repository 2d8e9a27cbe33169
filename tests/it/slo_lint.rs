//! Objectives held against servers: a real Prometheus that scrapes, one that only has history, and servers that know little,
//! answer nonsense or are away.

use crate::cli::{Machine, Said, above_info};
use crate::fake_server::{Act, FakeServer, answer, closed_port, json};
use crate::real::{Metrics, Prometheus, Setup, until};
use midwatch::domain::slo::lint::questions::{Questions, questions};
use midwatch::domain::slo::{format, lint};
use midwatch::domain::time::secs;
use midwatch::io::clock;
use midwatch::io::fake::Simulation;
use midwatch::io::http::Endpoint;
use midwatch::io::port::Inspect;
use midwatch::io::prometheus::client::Client;
use midwatch::io::prometheus::inspect::inspector;
use serde_json::Value;
use std::fmt::Write as _;
use std::sync::Arc;

fn machine(url: &str, objectives: &str) -> Machine {
    let machine = Machine::new();
    let source = format!("prometheus:\n  - {{name: main, url: '{url}', timeout: 5s}}\nslos: [slos.yaml]\n");
    machine.write("config.yaml", &source);
    machine.write("slos.yaml", objectives);
    machine
}

fn objectives(rows: &[(&str, &str, &str)]) -> String {
    let mut text = String::from("service_level_objectives:\n");
    for (name, sli, rest) in rows {
        writeln!(text, "  {name}:\n    sli: \"{sli}\"\n    {}\n    window: 7d", rest.replace(", ", "\n    ")).unwrap();
    }
    text
}

/// `name rule level` of each finding, without remarks.
fn told(said: &Said) -> Vec<String> {
    let word = |f: &Value, key: &str| f[key].as_str().unwrap().to_owned();
    let line = |f: &Value| {
        let name = word(f, "message").split(':').next().unwrap().to_owned();
        format!("{name} {} {}", word(f, "rule"), word(f, "level"))
    };
    above_info(said).iter().map(line).collect()
}

const EXPOSED: &str = "# TYPE t_total counter
t_total{job_kind=\"web\",code=\"200\"} 100
t_total{job_kind=\"web\",code=\"500\"} 0
# TYPE queue gauge
queue 3
# TYPE d_seconds histogram
d_seconds_bucket{le=\"0.5\"} 90
d_seconds_bucket{le=\"1\"} 99
d_seconds_bucket{le=\"+Inf\"} 100
d_seconds_sum 20
d_seconds_count 100
";

const RULES: &str = "groups:
- name: broken
  rules:
  - {record: 'job:t:ratio', expr: 't_total / on () t_total'}
";

#[tokio::test]
async fn a_real_server_settles_what_the_files_leave_open() {
    let live = Metrics::serve(EXPOSED);
    let setup = Setup { targets: vec![live.address], rules: Some(RULES.into()), ..Setup::default() };
    let Some(server) = Prometheus::start(&setup) else { return };
    let client = Client::new(Endpoint::new("prometheus main", &server.url()).unwrap());
    until(|| async {
        let got = client.instant("count_over_time(queue[1m]) > 2", clock::now()).await.map_err(|f| f.to_string())?;
        let failing = client.about("api/v1/rules", &[], midwatch::io::prometheus::decode::server::failing_records);
        let failing = failing.await.map_err(|f| f.to_string())?;
        if got.data.is_empty() || failing.is_empty() { Err(format!("{got:?} {failing:?}")) } else { Ok(()) }
    })
    .await;

    let file = objectives(&[
        ("sound", "sum(rate(t_total{job='live',code!~'5..'}[1m])) / sum(rate(t_total{job='live'}[1m]))", "target: 0.5"),
        ("short", "avg(rate(t_total[1s]))", "target: 5, slice: 1s"),
        ("typo", "sum(rate(t_totl{code!~'5..'}[5m])) / sum(rate(t_totl[5m]))", "target: 0.95"),
        ("bucket", "sum(rate(d_seconds_bucket{le='0.7'}[5m])) / sum(rate(d_seconds_count[5m]))", "target: 0.95"),
        ("spelled", "sum(rate(d_seconds_bucket{le='1.0'}[5m])) / sum(rate(d_seconds_count[5m]))", "target: 0.95"),
        ("gauge", "avg(rate(queue[5m]))", "target: 5"),
        ("recorded", "avg(job:t:ratio)", "target: 0.95"),
        ("refused", "avg(rollup_rate(t_total[5m]))", "target: 0.95"),
        ("taken", "avg(holt_winters(queue[5m], 0.5, 0.5)) < 5", "target: 0.95"),
    ]);
    let machine = machine(&server.url(), &file);
    let said = machine.run("check --online -o json");
    let json = said.json();
    assert_eq!(
        (said.code, json["online"].as_bool(), json["partial"].as_bool()),
        (1, Some(true), Some(false)),
        "{json}"
    );
    let told = told(&said);
    for want in [
        "short SLO003 error",
        "typo SLO102 error",
        "bucket SLO103 error",
        "spelled SLO103 error",
        "gauge SLO104 warning",
        "recorded SLO105 error",
        "refused SLO101 error",
    ] {
        assert!(told.iter().any(|line| line == want), "{want}: {told:#?}");
    }
    let wrong = |name: &str| told.iter().filter(|line| line.starts_with(name)).collect::<Vec<_>>();
    assert!(wrong("taken ").is_empty(), "the server took what our parser did not: {told:#?}");
    let sound = wrong("sound ");
    assert!(sound.iter().all(|line| line.contains("SLO008") || line.contains("SLO106")), "{sound:?}");
    let spelled = json["findings"].as_array().unwrap().iter().find(|f| f["rule"] == "SLO103" && f["line"] == 20);
    assert!(spelled.unwrap()["message"].as_str().unwrap().contains("as le=\"1\", not le=\"1.0\""), "{spelled:?}");
    let offline = machine.run("check -o json");
    assert_eq!((offline.code, offline.json().get("online")), (0, None), "{}", offline.out);

    let doctor = machine.run("doctor -o json").json();
    let detail = |name: &str| {
        let checks = doctor["checks"].as_array().unwrap();
        checks.iter().find(|c| c["name"] == name).unwrap()["detail"].as_str().unwrap().to_owned()
    };
    assert_eq!(detail("scrape interval"), "1s in 1 job");
    assert!(["400d", "57w1d", "1y35d", "1y5w"].contains(&detail("retention").as_str()), "{}", detail("retention"));
}

#[tokio::test]
async fn the_spacing_of_samples_stands_for_an_interval_that_nobody_tells() {
    let now = clock::now();
    let mut text = String::from("# TYPE t counter\n");
    for minute in (0..=90).rev() {
        writeln!(text, "t_total{{code=\"200\"}} {} {}", 5_400 - minute * 60, (now - secs(minute * 60)).timestamp())
            .unwrap();
    }
    let setup = Setup { backfill: Some(text + "# EOF\n"), ..Setup::default() };
    let Some(server) = Prometheus::start(&setup) else { return };
    let sli = "sum(rate(t_total{code!~'5..'}[1m])) / sum(rate(t_total[1m]))";
    let file = objectives(&[("o", sli, "target: 0.99")]);
    let read = format::read("f.yaml", &file).0.into_iter().map(Arc::new).collect::<Vec<_>>();
    let asked = questions(&read);
    let facts = inspector(Endpoint::new("prometheus main", &server.url()).unwrap()).facts(&asked, now).await.unwrap();
    let matched = &facts.selectors["t_total"];
    assert_eq!((matched.now, matched.interval, matched.at_start), (Some(1), Some(secs(60)), Some(false)), "{facts:?}");
    assert!(facts.retention.is_some_and(|kept| kept.num_days() == 400) && facts.unanswered.is_empty(), "{facts:?}");
    assert!((facts.totals["sum(increase(t_total[1h]))"] - 3_600.0).abs() < 1.0, "{facts:?}");
    let places = lint::place::Places::of("f.yaml", &file);
    let findings = lint::lint(&read[0], &places, Some(&facts));
    let range = findings.iter().find(|f| f.rule == "SLO001").unwrap();
    assert!(range.level == midwatch::domain::document::Level::Warning && range.message.contains("(1m)"), "{range}");
}

const SOUND: (&str, &str, &str) = ("o", "sum(rate(t_total{code!~'5..'}[5m])) / sum(rate(t_total[5m]))", "target: 0.99");

#[test]
fn a_server_that_is_away_leaves_what_the_files_tell() {
    let file = objectives(&[SOUND, ("b", "sum(irate(g[5m])) / sum(irate(t[5m]))", "target: 0.99")]);
    let page = answer("200 OK", &[("Content-Type", "text/html")], b"<html>log in</html>");
    let (login, nothing) = (FakeServer::always(Act::Send(page)), FakeServer::always(json("{}")));
    let not_found = FakeServer::always(Act::Send(answer("404 Not Found", &[], b"404 page not found")));
    let away = format!("http://127.0.0.1:{}", closed_port());
    for url in [login.url(), nothing.url(), not_found.url(), away] {
        let machine = machine(&url, &file);
        let said = machine.run("check --online -o json");
        let json = said.json();
        assert_eq!(
            (said.code, json["online"].as_bool(), json["partial"].as_bool()),
            (3, Some(true), Some(true)),
            "{json}"
        );
        assert_eq!(
            (json["faults"].as_array().unwrap().len(), told(&said)),
            (1, vec!["b SLO016 warning".to_owned()]),
            "{url}"
        );
        let people = machine.run("check --online");
        assert!(people.code == 3 && people.err.contains("partial: prometheus main: "), "{}", people.err);
    }
    let nobody = Machine::new();
    nobody.write("slos.yaml", &file);
    assert_eq!(nobody.run("check --online c/slos.yaml").code, 3, "there is nobody to ask");
}

#[test]
fn a_relative_without_the_extra_pages_is_told_of_once() {
    let vector =
        r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"job":"a"},"value":[1,"2"]}]}}"#;
    let mut script = vec![Act::Send(answer("404 Not Found", &[], b"404 page not found")), json(vector)];
    // Retention, targets, rules.
    script.extend(vec![Act::Send(answer("404 Not Found", &[], b"404 page not found")); 3]);
    script.push(json(vector));
    let server = FakeServer::start(script);
    let machine = machine(&server.url(), &objectives(&[SOUND]));
    let said = machine.run("check --online -o json");
    assert_eq!((said.code, said.json()["partial"].as_bool()), (0, Some(false)), "{}", said.out);
    let unknown: Vec<String> = said.json()["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|f| f["rule"] == "SLO109")
        .map(|f| f["message"].as_str().unwrap().to_owned())
        .collect();
    for topic in
        ["its version", "how long it keeps samples", "the scrape intervals", "whether its recording rules fail"]
    {
        assert_eq!(unknown.iter().filter(|line| line.contains(topic)).count(), 1, "{topic}: {unknown:#?}");
    }
    assert!(server.requests().len() < 30, "{}", server.requests().len());
}

#[tokio::test]
async fn the_simulated_server_answers_the_same_questions() {
    let start = clock::now();
    let simulation = Simulation::new(start, 1, Arc::new(move || start)).at_once();
    let asked = questions(&midwatch::io::fake::objectives());
    let facts = simulation.metrics().facts(&asked, start).await.unwrap();
    assert!(
        asked.selectors.keys().all(|selector| facts.selectors.contains_key(selector)) && !asked.selectors.is_empty()
    );
    simulation.break_metrics(Some(midwatch::domain::fault::FaultKind::Timeout));
    assert!(simulation.metrics().facts(&Questions::default(), start).await.is_err());
}

#[test]
fn the_rules_can_be_printed() {
    let machine = Machine::new();
    let table = machine.run("check --rules");
    assert!(table.code == 0 && table.out.contains("SLO001  warning"), "{}", table.out);
    let rules = machine.run("check --rules -o json").json()["rules"].as_array().unwrap().clone();
    assert_eq!(rules.len() + 1, table.out.lines().count());
    for name in ["id", "level", "online", "says"] {
        assert!(rules.iter().all(|rule| rule.get(name).is_some()), "{name}");
    }
}

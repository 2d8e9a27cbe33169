//! The adapters against the real programs: numbers whose truth is computed here, a live scrape, a rule that fires and
//! reaches two Alertmanagers, and what is told when one of them is stopped.

use crate::real::{Alertmanager, Metrics, Prometheus, Setup, get, post, until};
use midwatch::domain::alert::{AlertSnapshot, AlertState};
use midwatch::domain::fault::FaultKind;
use midwatch::domain::time::{Timestamp, rfc3339, secs};
use midwatch::io::alertmanager::Cluster;
use midwatch::io::http::Endpoint;
use midwatch::io::port::AlertSource;
use midwatch::io::prometheus::client::Client;
use std::fmt::Write as _;

/// Minutes of history that are loaded.
const MINUTES: i64 = 360;

fn client(url: &str) -> Client {
    Client::new(Endpoint::new("prometheus main", url).unwrap())
}

/// The first loaded instant: two days ago on a whole hour, so that it is finished history for the server.
fn first() -> Timestamp {
    let hour = midwatch::io::clock::now().timestamp() / 3_600;
    Timestamp::from_timestamp((hour - 48) * 3_600, 0).unwrap()
}

/// Requests after `m` minutes, by code: the truth.
fn truth(code: &str, m: i64) -> f64 {
    if code == "500" { (m * m % 97 + 100 * m) as f64 } else { (6_000 * m) as f64 }
}

fn counters(from: Timestamp) -> String {
    let mut text = String::from("# TYPE http_requests counter\n");
    for code in ["200", "500"] {
        for m in 0..=MINUTES {
            let at = (from + secs(m * 60)).timestamp();
            writeln!(text, "http_requests_total{{code=\"{code}\",note=\"ä\\\"\\n\"}} {} {at}", truth(code, m)).unwrap();
        }
    }
    text + "# EOF\n"
}

#[tokio::test]
async fn prometheus_answers_with_the_numbers_that_went_in() {
    let from = first();
    let Some(mut server) = Prometheus::start(&Setup { backfill: Some(counters(from)), ..Setup::default() }) else {
        return;
    };
    let prometheus = client(&server.url());
    let end = from + secs(MINUTES * 60);

    for m in [0, 1, 59, 60, MINUTES] {
        let got = prometheus.instant("http_requests_total", from + secs(m * 60)).await.unwrap();
        assert_eq!((got.data.len(), got.partial, got.warnings.len()), (2, false, 0));
        for sample in got.data {
            assert_eq!(sample.value, truth(sample.labels.get("code"), m), "minute {m} {:?}", sample.labels);
            assert_eq!((sample.at, sample.labels.get("note")), (from + secs(m * 60), "ä\"\n"));
        }
        assert!(got.skew.is_some_and(|s| s.abs() < secs(5)), "one machine has one clock: {:?}", got.skew);
    }

    let series = prometheus.range("http_requests_total{code=\"500\"}", from, end, secs(300)).await.unwrap().data;
    let want: Vec<(Timestamp, f64)> = (0..=MINUTES / 5).map(|i| (from + secs(i * 300), truth("500", i * 5))).collect();
    assert_eq!(series.len(), 1);
    assert_eq!(series[0].points, want);

    let hour = prometheus.instant("increase(http_requests_total{code=\"200\"}[1h])", end).await.unwrap().data;
    assert!((hour[0].value - 360_000.0).abs() < 1e-6, "{}", hour[0].value);

    let odd = prometheus
        .instant("vector(0) / 0 or label_replace(vector(-1) / 0, \"x\", \"y\", \"\", \"\")", end)
        .await
        .unwrap();
    assert!(odd.data.iter().any(|s| s.value.is_nan()) && odd.data.iter().any(|s| s.value == f64::NEG_INFINITY));
    assert_eq!(prometheus.instant("1.5e3", end).await.unwrap().data[0].value, 1_500.0);
    assert_eq!(prometheus.instant("no_such_metric", end).await.unwrap().data, []);

    for (query, want) in [("sum(", "bad_data: "), ("http_requests_total / on() http_requests_total", "execution: ")] {
        let fault = prometheus.instant(query, end).await.unwrap_err();
        assert!(fault.kind == FaultKind::Rejected && fault.detail.contains(want), "{fault}");
    }
    let fault = prometheus.range("up", from, end, secs(1)).await.unwrap_err();
    assert!(fault.kind == FaultKind::Rejected && fault.detail.contains("11,000"), "{fault}");
    assert_eq!(prometheus.instant("http_requests_total[5m]", end).await.unwrap_err().kind, FaultKind::Malformed);
    let fault = client(&format!("{}/nowhere", server.url())).buildinfo().await.unwrap_err();
    assert!(fault.kind == FaultKind::Rejected && fault.detail.contains("path of the URL"), "{fault}");
    assert!(prometheus.buildinfo().await.unwrap().version.is_some_and(|v| v.contains('.')));
    assert_eq!(prometheus.alerts(&"main".into()).await.unwrap(), []);

    server.stop();
    assert_eq!(prometheus.instant("up", end).await.unwrap_err().kind, FaultKind::Unreachable);
}

const RULES: &str = r#"groups:
- name: live
  rules:
  - {alert: QueueLong, expr: queue_length > 5, labels: {severity: page, team: api}, annotations: {summary: "{{ $value }} waiting"}}
  - {alert: QueueLongForHours, expr: queue_length > 5, for: 5h, labels: {severity: ticket}}
"#;

fn cluster(peers: &[Alertmanager]) -> Cluster {
    let named = |(n, p): (usize, &Alertmanager)| Endpoint::new(format!("alertmanager main peer {}", n + 1), &p.url());
    Cluster::new("main".into(), peers.iter().enumerate().map(|p| named(p).unwrap()).collect())
}

fn names(snapshot: &AlertSnapshot) -> Vec<(String, AlertState)> {
    snapshot.alerts.iter().map(|a| (a.name.clone(), a.state)).collect()
}

#[tokio::test]
async fn a_rule_fires_and_reaches_people_through_two_peers_and_then_one() {
    let Some(mut peers) = Alertmanager::pair() else { return };
    let live = Metrics::serve("queue_length 3\n");
    let setup = Setup {
        rules: Some(RULES.into()),
        targets: vec![live.address],
        alertmanagers: peers.iter().map(|p| p.port).collect(),
        backfill: None,
    };
    let Some(server) = Prometheus::start(&setup) else { return };
    let (prometheus, cluster) = (client(&server.url()), cluster(&peers));
    let source = "main".into();

    let snapshot = cluster.snapshot().await.unwrap();
    assert_eq!((snapshot.alerts.len(), snapshot.answered, snapshot.peers), (0, 2, 2), "{:?}", snapshot.faults);
    assert!(snapshot.version.is_some_and(|v| v.starts_with("0.")));
    let scraped = |want: f64| {
        let prometheus = &prometheus;
        move || async move {
            let got =
                prometheus.instant("queue_length", midwatch::io::clock::now()).await.map_err(|f| f.to_string())?;
            if got.data.iter().any(|s| s.value == want) { Ok(()) } else { Err(format!("{got:?}")) }
        }
    };
    until(scraped(3.0)).await;
    live.set("queue_length 8\n");
    until(scraped(8.0)).await;

    let own = until(|| async {
        let alerts = prometheus.alerts(&source).await.map_err(|f| f.to_string())?;
        if alerts.len() == 2 { Ok(alerts) } else { Err(format!("{alerts:?}")) }
    });
    let own = own.await;
    let states: Vec<_> = own.iter().map(|a| (a.name.as_str(), a.state, a.pages())).collect();
    assert!(states.contains(&("QueueLong", AlertState::Firing, true)), "{states:?}");
    assert!(states.contains(&("QueueLongForHours", AlertState::Pending, false)), "{states:?}");

    let firing = (String::from("QueueLong"), AlertState::Firing);
    let snapshot = until(|| async {
        let snapshot = cluster.snapshot().await.map_err(|f| f.to_string())?;
        if names(&snapshot) == [firing.clone()] { Ok(snapshot) } else { Err(format!("{snapshot:?}")) }
    });
    let snapshot = snapshot.await;
    let alert = &snapshot.alerts[0];
    assert_eq!((alert.labels.get("team"), alert.annotations.get("summary")), ("api", "8 waiting"));
    assert!(alert.generator_url.is_some() && alert.started_at <= midwatch::io::clock::now());

    // An alert that one peer alone has been told of is there, without a generator page.
    let only = |name: &str| format!(r#"[{{"labels":{{"alertname":"{name}"}}}}]"#);
    assert!(post(peers[0].port, "/api/v2/alerts", &only("OnFirst")).is_some_and(|a| a.starts_with("HTTP/1.1 200")));
    assert!(post(peers[1].port, "/api/v2/alerts", &only("OnSecond")).is_some_and(|a| a.starts_with("HTTP/1.1 200")));
    let snapshot = cluster.snapshot().await.unwrap();
    let mut seen: Vec<_> = snapshot.alerts.iter().map(|a| (a.name.as_str(), a.generator_url.is_some())).collect();
    seen.sort_unstable();
    assert_eq!(seen, [("OnFirst", false), ("OnSecond", false), ("QueueLong", true)]);

    // A silence holds it once both peers know of it.
    let now = midwatch::io::clock::now();
    let silence = format!(
        r#"{{"matchers":[{{"name":"alertname","value":"QueueLong","isRegex":false}}],"startsAt":"{}","endsAt":"{}","createdBy":"alice","comment":"ACK! test"}}"#,
        rfc3339(now),
        rfc3339(now + secs(3_600))
    );
    assert!(post(peers[0].port, "/api/v2/silences", &silence).is_some_and(|a| a.starts_with("HTTP/1.1 200")));
    until(|| async {
        let snapshot = cluster.snapshot().await.map_err(|f| f.to_string())?;
        let held = snapshot.alerts.iter().any(|a| a.state == AlertState::Silenced && a.held_by.len() == 1);
        if held { Ok(()) } else { Err(format!("{snapshot:?}")) }
    })
    .await;

    peers[1].stop();
    let snapshot = cluster.snapshot().await.unwrap();
    assert_eq!((snapshot.answered, snapshot.peers), (1, 2));
    assert!(snapshot.faults[0].starts_with("alertmanager main peer 2: unreachable: "), "{:?}", snapshot.faults);
    assert!(names(&snapshot).iter().any(|(name, _)| name == "OnFirst"));
    peers[0].stop();
    assert_eq!(cluster.snapshot().await.unwrap_err().kind, FaultKind::Unreachable);
    assert!(get(peers[0].port, "/-/ready").is_none());
}

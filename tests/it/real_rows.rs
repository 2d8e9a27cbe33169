//! Objectives that are one row per label value, as Pyrra has them, against a real Prometheus whose rules record some of the
//! rows: those are fed by their own recordings, the others are counted.

use crate::real::{Prometheus, Setup, until};
use midwatch::domain::labels::Labels;
use midwatch::domain::slo::grouping;
use midwatch::domain::slo::objective::Objective;
use midwatch::domain::slo::reading::{Via, Window};
use midwatch::domain::time::{Timestamp, secs};
use midwatch::io::http::Endpoint;
use midwatch::io::port::Metrics;
use midwatch::io::prometheus::source::prometheus;
use std::fmt::Write as _;
use std::sync::Arc;

/// Minutes of counters, up to an hour before now.
const MINUTES: i64 = 600;

/// Handlers: requests and errors per minute.
const HANDLERS: [(&str, i64, i64); 3] = [("/a", 99, 1), ("/say \\\"hi\\\"", 49, 0), ("/late", 9, 1)];

fn counters(from: Timestamp) -> String {
    let mut text = String::from("# TYPE http_requests counter\n");
    for (handler, good, bad) in HANDLERS {
        for (code, each) in [("200", good), ("500", bad)] {
            for m in 0..=MINUTES {
                let at = (from + secs(m * 60)).timestamp();
                let labels = format!("job=\"api\",handler=\"{handler}\",code=\"{code}\"");
                writeln!(text, "http_requests_total{{{labels}}} {} {at}", m * each).unwrap();
            }
        }
    }
    text + "# EOF\n"
}

/// What Pyrra writes for the objective below, for the handlers that were there when it did.
const RULES: &str = r#"groups:
- name: api-increase
  rules:
  - record: http_requests:increase1d
    expr: sum by (code, handler, job) (increase(http_requests_total{job="api",handler!="/late"}[1d]))
    labels: {slo: api}
- name: api
  rules:
  - record: http_requests:burnrate15m
    expr: >-
      sum by (handler, job) (rate(http_requests_total{code=~"5..",job="api",handler!="/late"}[15m] offset 1h))
      / sum by (handler, job) (rate(http_requests_total{job="api",handler!="/late"}[15m] offset 1h))
    labels: {slo: api}
"#;

const OBJECTIVE: &str = r#"apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: api}
spec:
  target: '99'
  window: 1d
  indicator:
    ratio:
      errors: {metric: 'http_requests_total{job="api",code=~"5.."}'}
      total: {metric: 'http_requests_total{job="api"}'}
      grouping: [handler]
"#;

#[tokio::test]
async fn rows_are_fed_by_their_own_recordings_and_counted_without() {
    let now = midwatch::io::clock::now();
    let from = Timestamp::from_timestamp(now.timestamp() / 60 * 60 - 3_600 - MINUTES * 60, 0).unwrap();
    let setup = Setup { backfill: Some(counters(from)), rules: Some(RULES.to_owned()), ..Setup::default() };
    let Some(server) = Prometheus::start(&setup) else { return };
    let port = prometheus("main".into(), Endpoint::new("prometheus main", &server.url()).unwrap());
    let (mut read, findings) = midwatch::domain::slo::format::read("api.yaml", OBJECTIVE);
    assert_eq!((read.len(), read[0].grouping.as_slice()), (1, ["handler".to_owned()].as_slice()), "{findings:?}");
    let template = Arc::new(read.remove(0));
    let is_recorded = async || {
        let found = port.query("count(http_requests:increase1d) + count(http_requests:burnrate15m)", clock()).await;
        found.ok().and_then(|f| f.first().map(|s| s.value)).filter(|n| *n >= 6.0).ok_or("not recorded".to_owned())
    };
    until(is_recorded).await;

    let rows = port.rows(std::slice::from_ref(&template), clock()).await.unwrap().remove(0);
    let handler = |l: &Labels| l.get("handler").to_owned();
    assert_eq!(rows.labels.iter().map(handler).collect::<Vec<_>>(), ["/a", "/late", "/say \"hi\""]);
    let list: Vec<Arc<Objective>> =
        rows.labels.iter().map(|labels| Arc::new(grouping::row(&template, labels).unwrap())).collect();
    let (measured, note) = port.measure(&list, &[], clock()).await.unwrap();
    assert!(note.requests <= 5, "{}", note.requests);
    let vias: Vec<Via> = measured.iter().map(|m| m.via).collect();
    assert_eq!(vias, [Via::Recorded, Via::Events, Via::Recorded]);
    let own = Window(86_400);
    let [bad, quiet] = [0, 2].map(|i| measured[i].windows[&own].1.counts().unwrap());
    assert!((bad.error_ratio().unwrap() - 0.01).abs() < 1e-9, "{bad:?}");
    assert!((bad.total / (MINUTES * 100) as f64 - 1.0).abs() < 0.01, "{bad:?}");
    assert_eq!((quiet.bad, (quiet.total / (MINUTES * 49) as f64 - 1.0).abs() < 0.01), (0.0, true), "{quiet:?}");
    let quarter = measured[0].windows[&Window(900)].1.error_ratio().unwrap();
    assert!((quarter - 0.01).abs() < 1e-9, "{quarter}");

    // The one that nothing records is counted; its history is warmed like any other's, and only its own.
    for _ in 0..200 {
        if port.warm(&[], &list, clock()).await.unwrap().left == 0 {
            break;
        }
    }
    let (measured, _) = port.measure(&list, &[], clock()).await.unwrap();
    let late = measured[1].windows[&own].1.counts().unwrap();
    assert!((late.error_ratio().unwrap() - 0.1).abs() < 1e-6, "{late:?}");
    assert_eq!((measured[0].via, measured[1].via), (Via::Recorded, Via::Events));
}

fn clock() -> Timestamp {
    midwatch::io::clock::now()
}

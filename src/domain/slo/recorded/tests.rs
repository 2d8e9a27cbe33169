//! Recordings of each system, with the units that they have there.

use super::*;
use crate::domain::labels::Labels;
use crate::domain::slo::reading::{Counts, Reading};
use crate::domain::slo::sample::Sample;
use crate::domain::slo::seed;
use crate::domain::time::{Timestamp, mins, secs};

fn now() -> Timestamp {
    Timestamp::from_timestamp(1_777_593_600, 0).unwrap()
}

fn objective(sli: &str, window: &str, identity: Identity) -> Objective {
    let file = format!("{}:\n  x: {{sli: '{sli}', target: 0.999, window: {window}}}\n", seed::ROOT);
    let (mut read, findings) = seed::read("f.yaml", &file);
    assert_eq!(read.len(), 1, "{findings:?}");
    Objective { identity, ..read.remove(0) }
}

const RATIO: &str =
    r#"sum(rate(http_requests_total{job="api",code!~"5.."}[5m])) / sum(rate(http_requests_total{job="api"}[5m]))"#;
const LATENCY: &str =
    r#"sum(rate(http_seconds_bucket{job="api",le="0.5"}[5m])) / sum(rate(http_seconds_count{job="api"}[5m]))"#;

fn sample(name: &str, labels: &[(&str, &str)], value: f64) -> Sample {
    let mut all = Labels::from([("__name__", name)]);
    all.0.extend(labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
    Sample { labels: all, at: now(), value }
}

fn one(objective: &Objective, values: &[Sample]) -> Option<Found> {
    read(&[objective], values, None, now()).remove(0)
}

fn pyrra(name: &str, part: &str, total: &str) -> Identity {
    Identity::Pyrra { name: name.into(), part: part.into(), total: total.into(), group: Labels::default() }
}

#[test]
fn sloth_records_error_ratios_by_window_with_weeks() {
    let o = objective(RATIO, "28d", Identity::Sloth("api-availability".into()));
    let id = [("sloth_id", "api-availability"), ("sloth_window", "5m")];
    let values = [
        sample("slo:sli_error:ratio_rate5m", &id, 0.02),
        sample("slo:sli_error:ratio_rate5m", &[("sloth_id", "api-availability"), ("cluster", "b")], 0.03),
        sample("slo:sli_error:ratio_rate30m", &id, f64::NAN),
        sample("slo:sli_error:ratio_rate4w", &id, 0.0004),
        sample("slo:sli_error:ratio_rate1h", &[("sloth_id", "other")], 0.9),
        sample("slo:sli_error:ratio_rate1d", &id, 7.0),
    ];
    let found = one(&o, &values).unwrap();
    assert_eq!(found.windows[&Window::M5], Reading::Recorded(0.03), "the worst series counts");
    assert_eq!(found.windows[&Window::M30], Reading::Counts(Counts::default()), "nought by nought");
    assert_eq!(found.windows[&Window(28 * 86_400)], Reading::Recorded(0.0004));
    assert!(matches!(&found.windows[&Window::D1], Reading::Odd(what) if what.contains('7')));
    assert!(!found.windows.contains_key(&Window::H1) && found.has(Window::of(o.window)));
    // One idle moment poisons the mean of the period: then it is not recorded at all.
    let poisoned = one(&o, &[sample("slo:sli_error:ratio_rate4w", &id, f64::NAN), values[0].clone()]).unwrap();
    assert!(!poisoned.has(Window::of(o.window)));
    assert_eq!(one(&o, &[]), None);
}

#[test]
fn the_age_of_a_sample_tells_of_rules_that_stopped() {
    let o = objective(RATIO, "30d", Identity::Sloth("a".into()));
    let values = [sample("slo:sli_error:ratio_rate5m", &[("sloth_id", "a")], 0.0)];
    let at = |age: i64| {
        let then = (now() - secs(age)).timestamp() as f64;
        let ages = [Sample { labels: Labels::from([("sloth_id", "a")]), at: now(), value: then }];
        read(&[&o], &values, Some(&ages), now()).remove(0).unwrap().at
    };
    assert_eq!((at(20), at(150)), (now(), now()));
    assert_eq!(at(260), now() - secs(260));
}

#[test]
fn pyrra_records_an_error_ratio_called_burnrate_and_increases() {
    let o = objective(RATIO, "4w", pyrra("api", "http_requests_total", "http_requests_total"));
    let slo = ("slo", "api");
    let values = [
        sample("http_requests:burnrate5m", &[slo, ("job", "api")], 0.01),
        sample("http_requests:increase4w", &[slo, ("code", "200")], 9_000.0),
        sample("http_requests:increase4w", &[slo, ("code", "404")], 900.0),
        sample("http_requests:increase4w", &[slo, ("code", "503")], 100.0),
        sample("other:burnrate5m", &[slo], 0.7),
        sample("pyrra_availability", &[slo], 0.5),
    ];
    let found = one(&o, &values).unwrap();
    assert_eq!(found.windows[&Window::M5], Reading::Recorded(0.01), "an error ratio, not a burn rate");
    assert_eq!(found.windows[&Window::of(o.window)], Reading::Counts(Counts { bad: 100.0, total: 10_000.0 }));
    let generic = one(&o, &values[5..]).unwrap();
    assert_eq!(generic.windows[&Window::of(o.window)], Reading::Recorded(0.5), "a share of good ones");
}

#[test]
fn rows_of_pyrra_are_told_apart_by_their_labels() {
    let whole = objective(RATIO, "4w", pyrra("api", "http_requests_total", "http_requests_total"));
    let template = Objective { grouping: vec!["handler".into(), "pod".into()], ..whole.clone() };
    let row = |handler: &str, pod: &str| {
        crate::domain::slo::grouping::row(&template, &Labels::from([("handler", handler), ("pod", pod)])).unwrap()
    };
    let rows = [row("/a", "1"), row("/a", "2"), row("/b", "1"), row("/a", "")];
    assert!(
        rows.iter().take(3).all(is_recordable) && !is_recordable(&rows[3]),
        "a label that is missing tells nothing"
    );
    let of = |handler, pod, code| [("slo", "api"), ("job", "api"), ("handler", handler), ("pod", pod), ("code", code)];
    let values = [
        sample("http_requests:increase4w", &of("/a", "1", "200"), 990.0),
        sample("http_requests:increase4w", &of("/a", "1", "500"), 10.0),
        sample("http_requests:increase4w", &of("/a", "2", "200"), 400.0),
        sample("http_requests:burnrate5m", &of("/a", "2", "")[..4], 0.25),
        // Made before there were groups: it is no row's.
        sample("http_requests:increase4w", &[("slo", "api"), ("job", "api"), ("code", "200")], 7.0),
    ];
    let ages = [sample("", &of("/a", "1", "")[..4], (now() - secs(600)).timestamp() as f64)];
    let all: Vec<&Objective> = rows.iter().chain([&whole]).collect();
    let found = read(&all, &values, Some(&ages), now());
    let own = Window::of(whole.window);
    let counts = |i: usize| found[i].as_ref().and_then(|f| f.windows[&own].counts());
    assert_eq!(counts(0), Some(Counts { bad: 10.0, total: 1_000.0 }));
    assert_eq!(counts(1), Some(Counts { bad: 0.0, total: 400.0 }));
    assert_eq!(found[1].as_ref().unwrap().windows[&Window::M5], Reading::Recorded(0.25));
    assert_eq!((found[0].as_ref().unwrap().at, found[1].as_ref().unwrap().at), (now() - secs(600), now()));
    assert_eq!((&found[2], found[3].as_ref().map(|f| f.windows.len())), (&None, None));
    let queries = queries(rows.iter()).unwrap();
    assert!(queries.values.contains(r#"slo=~"api""#), "one name, however many rows: {}", queries.values);
}

#[test]
fn pyrra_latency_and_gauges() {
    let o = objective(LATENCY, "4w", pyrra("slow", "http_seconds_bucket", "http_seconds_count"));
    let values = [
        sample("http_seconds:increase4w", &[("slo", "slow"), ("le", "")], 1_000.0),
        sample("http_seconds:increase4w", &[("slo", "slow"), ("le", "0.5")], 990.0),
        sample("http_seconds:increase4w", &[("slo", "slow"), ("le", "1")], 999.0),
    ];
    let found = one(&o, &values).unwrap();
    assert_eq!(found.windows[&Window::of(o.window)], Reading::Counts(Counts { bad: 10.0, total: 1_000.0 }));
    let gauge = "sum(sum_over_time(up{job=\"x\"}[5m])) / sum(count_over_time(up{job=\"x\"}[5m]))";
    let o = objective(gauge, "4w", pyrra("up", "up", "up"));
    let values = [sample("up:count4w", &[("slo", "up")], 200.0), sample("up:sum4w", &[("slo", "up")], 150.0)];
    assert_eq!(
        one(&o, &values).unwrap().windows[&Window::of(o.window)],
        Reading::Counts(Counts { bad: 50.0, total: 200.0 })
    );
    let more = [sample("up:count4w", &[("slo", "up")], 200.0), sample("up:sum4w", &[("slo", "up")], 350.0)];
    assert!(matches!(one(&o, &more).unwrap().windows[&Window::of(o.window)], Reading::Odd(_)));
}

#[test]
fn grafana_records_success_and_the_mixin_errors() {
    let o = objective(RATIO, "28d", Identity::Grafana("u-1".into()));
    let id = [("grafana_slo_uuid", "u-1")];
    let values = [
        sample("grafana_slo_sli_5m", &id, 0.99),
        sample("grafana_slo_sli_window", &id, 0.9995),
        sample("up", &id, 1.0),
    ];
    let found = one(&o, &values).unwrap();
    let near = |w: Window, want: f64| match found.windows[&w] {
        Reading::Recorded(got) => assert!((got - want).abs() < 1e-12, "{got}"),
        ref other => panic!("{other:?}"),
    };
    near(Window::M5, 0.01);
    near(Window::of(o.window), 0.0005);
    let o = objective(RATIO, "30d", Identity::KubernetesMixin("read".into()));
    let verb = [("verb", "read")];
    let values = [
        sample("apiserver_request:burnrate1h", &verb, 0.25),
        sample("apiserver_request:availability30d", &verb, 0.75),
        sample("apiserver_request:availability30d", &[("verb", "all")], 0.1),
    ];
    let found = one(&o, &values).unwrap();
    assert_eq!(found.windows[&Window::H1], Reading::Recorded(0.25));
    assert_eq!(found.windows[&Window::of(o.window)], Reading::Recorded(0.25));
}

#[test]
fn one_query_asks_for_all_systems_and_one_for_their_ages() {
    let all = [
        objective(RATIO, "30d", Identity::Sloth("a.b-c".into())),
        objective(RATIO, "30d", Identity::Sloth("d\"e".into())),
        objective(RATIO, "30d", pyrra("p", "http_requests_total", "http_requests_total")),
        objective(RATIO, "30d", Identity::Grafana("u".into())),
        objective(RATIO, "30d", Identity::KubernetesMixin("write".into())),
        objective(RATIO, "30d", Identity::Own),
    ];
    let queries = queries(all.iter()).unwrap();
    assert!(queries.values.contains(r#"sloth_id=~"a\\.b\\-c|d\"e""#), "{}", queries.values);
    assert!(queries.values.contains(r#"(http_requests):(burnrate|increase|count|sum)[0-9].*"#));
    assert!(queries.ages.contains(r#"timestamp({__name__=~"(http_requests):burnrate(5m)",slo=~"p"})"#));
    for text in [&queries.values, &queries.ages] {
        assert!(promql_parser::parser::parse(text).is_ok(), "{text}");
    }
    assert_eq!(super::queries([objective(RATIO, "30d", Identity::Own)].iter()), None);
}

#[test]
fn windows_are_named_as_go_names_them() {
    let minutes = |m: i64| go_duration(Window::of(mins(m)));
    for (m, want) in [(5, "5m"), (64, "1h4m"), (386, "6h26m"), (1_543, "1d1h43m"), (40_320, "4w"), (43_200, "30d")] {
        assert_eq!(minutes(m), want);
    }
    for (name, want) in [("a_total", "a"), ("b_bucket{le=\"1\"}", "b"), ("c_count", "c"), ("up", "up")] {
        assert_eq!(base(name), want);
    }
}

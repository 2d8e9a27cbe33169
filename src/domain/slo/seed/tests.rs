//! The plain format, read from the seed and from texts with everything wrong.

use super::*;
use crate::domain::slo::objective::Bad;
use proptest::prelude::*;

fn lines(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|f| format!("{}:{} {} {:?}", f.line, f.column, f.rule, f.level).to_lowercase()).collect()
}

fn one(body: &str) -> (Option<Objective>, Vec<Finding>) {
    let (mut objectives, findings) = read("f.yaml", &format!("{ROOT}:\n  api_x: {{{body}}}\n"));
    (objectives.pop(), findings)
}

#[test]
fn the_seed_reads_as_it_stands() {
    let text = include_str!("../../../../tests/fixtures/seeds/slo.yaml");
    let (objectives, findings) = read("slo.yaml", text);
    assert_eq!(findings, vec![]);
    let [availability, latency] = objectives.as_slice() else { panic!("{objectives:?}") };
    assert_eq!((availability.id.as_str(), availability.service.as_str()), ("api_availability", "api"));
    assert_eq!((availability.kind, availability.target, availability.window), (Kind::Ratio, 0.999, Span::days(30)));
    let Sli::Events { bad, total } = &availability.sli else { panic!("{:?}", availability.sli) };
    assert_eq!(*bad, Bad::Counted(r#"sum(increase(http_requests_total{code=~"5..",job="api"}[$window]))"#.into()));
    assert_eq!(total, r#"sum(increase(http_requests_total{job="api"}[$window]))"#);
    assert_eq!(availability.policy.as_ref().unwrap().action, Some(("halt deployments".into(), 0.5)));
    assert_eq!(availability.says, "99.9 % of events good over 30d");
    assert_eq!((availability.declared.as_str(), availability.pairs.len()), ("slo.yaml:3", 4));

    assert_eq!((latency.kind, latency.target, latency.service.as_str()), (Kind::Threshold, 0.99, "api"));
    let Sli::Slices { value, compare, threshold, slice } = &latency.sli else { panic!("{:?}", latency.sli) };
    assert_eq!((*compare, *threshold, *slice), (Compare::AtMost, 0.5, SLICE));
    assert!(value.contains("[5m]") && !value.contains("[1m]"), "{value}");
    assert_eq!(latency.says, "p99 <= 0.5 in >= 99 % of 5m slices (assumed)");
}

#[test]
fn everything_wrong_is_found_in_one_pass() {
    let text = "service_level_objectives:
  good:
    sli: sum(rate(g[1m])) / sum(rate(t[1m]))
    target: 0.99
    window: 7d
  percent:
    sli: sum(rate(g[1m])) / sum(rate(t[1m]))
    target: 99.9
    windw: 30d
    window: 30
    error_budget_policy: stop_at_500_percent_burn
  never:
    sli: sum(rate(g[1m])) / sum(rate(t[1m]))
    target: 1
    window: 30d
    kind: rato
    no_data: what
  empty:
";
    let (objectives, findings) = read("f.yaml", text);
    assert_eq!(objectives.iter().map(|o| o.id.as_str()).collect::<Vec<_>>(), ["good"]);
    assert_eq!(
        lines(&findings),
        [
            "9:5 unknown-key error",
            "10:13 wrong-type error",
            "11:26 policy error",
            "16:11 wrong-type error",
            "17:14 wrong-type error",
            "14:13 target error",
            "18:8 wrong-type error",
        ]
    );
    assert!(findings[0].message.contains("nearest: `window`"), "{}", findings[0].message);
    assert!(findings[3].message.contains("nearest: `ratio`"), "{}", findings[3].message);
    let (none, findings) = one("sli: 'sum(rate(g[1m])) / sum(rate(t[1m]))', target: 99.9, window: 30d");
    assert_eq!(none, None);
    assert!(findings[0].message.contains("did you mean 0.999?"), "{}", findings[0].message);
}

#[test]
fn classification_and_options() {
    let (o, f) = one("sli: 'avg(up)', target: 0.99, window: 7d");
    assert!(matches!(o.unwrap().sli, Sli::Opaque { .. }));
    assert_eq!(lines(&f), ["2:16 time-weighted info"]);
    let (o, f) = one("sli: 'max(queue)', target: 100, window: 7d, op: '<', objective: 0.95, slice: 1m, no_data: bad");
    let o = o.unwrap();
    assert_eq!((f, o.kind, o.target, o.gap, o.service.as_str()), (vec![], Kind::Threshold, 0.95, Gap::Bad, "api"));
    assert_eq!(o.says, "value < 100 in >= 95 % of 1m slices");
    let (o, _) = one("sli: 'avg(x) < 3', target: 0.999, window: 7d, service: shop, source: eu, description: why");
    let o = o.unwrap();
    assert_eq!((o.service.as_str(), o.source.unwrap().as_str(), o.description.as_str()), ("shop", "eu", "why"));
    assert_eq!(o.says, "value < 3 in >= 99.9 % of 5m slices");
    let (o, _) = one("sli: 'histogram_quantile(0.9, x)', target: 0.5, window: 7d, kind: ratio");
    assert!(matches!(o.unwrap().sli, Sli::Opaque { .. }));
}

#[test]
fn what_is_read_with_a_remark_and_what_is_not_read() {
    let ask = "sli: 'sum(rate(a[1m])) / sum(rate(b[1m]))', target: 0.99, window: 7d, error_budget_policy: ask me";
    let (objective, findings) = one(ask);
    assert!(objective.is_some() && findings[0].rule == "policy" && findings[0].level == Level::Warning, "{findings:?}");
    let (objective, _) = one("sli: 'WITH (x = y) rollup_rate(x[1m:])', target: 0.99, window: 7d");
    assert!(matches!(objective.unwrap().sli, Sli::Opaque { .. }), "a server may know more than our parser");
    for body in [
        format!("sli: '{}', target: 0.9, window: 7d", "(".repeat(500)),
        "sli: '', target: 0.9, window: 7d".into(),
        "sli: x, target: 0.9, window: 0s".into(),
        "sli: x, target: 0.9, window: 400y".into(),
        "sli: x, target: 5, window: 10m, slice: 1h".into(),
    ] {
        assert_eq!(one(&body).0, None, "{body}");
    }
    let twice = format!("{ROOT}:\n  a: {{sli: x, target: 3, window: 7d}}\n  a: {{sli: y, target: 3, window: 7d}}\n");
    let (objectives, findings) = read("f.yaml", &twice);
    assert_eq!((objectives.len(), lines(&findings)), (1, vec!["3:3 duplicate-key error".to_owned()]));
}

proptest! {
    #[test]
    fn no_file_panics(text in "[a-z_:{}'\"\\[\\] \\n0-9.()/-]{0,200}", sli in "[a-z(){}\\[\\]/<>=0-9. ]{0,60}") {
        let _ = read("f.yaml", &text);
        let _ = read("f.yaml", &format!("{ROOT}:\n  a:\n    sli: \"{sli}\"\n    target: 0.9\n    window: 7d\n"));
    }
}

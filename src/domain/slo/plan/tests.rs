//! What is asked, how often, and what the answers mean.

use super::*;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::labels::Labels;
use crate::domain::slo::promql::parse;
use crate::domain::slo::reading::{Counts, Measurement, Reading};
use crate::domain::slo::sample::Sample;
use crate::domain::slo::seed;
use crate::domain::time::Timestamp;
use proptest::prelude::*;

fn objectives(slis: impl IntoIterator<Item = String>) -> Vec<Arc<Objective>> {
    let mut file = format!("{}:\n", seed::ROOT);
    for (i, sli) in slis.into_iter().enumerate() {
        file += &format!("  o{i}: {{sli: \"{sli}\", target: 0.999, window: 30d}}\n");
    }
    let (objectives, findings) = seed::read("f.yaml", &file);
    assert!(findings.iter().all(|f| f.level != crate::domain::document::Level::Error), "{findings:?}");
    objectives.into_iter().map(Arc::new).collect()
}

fn fleet(n: usize) -> Vec<Arc<Objective>> {
    objectives((0..n).map(|i| {
        format!("sum(rate(http_requests_total{{job='svc.{i}',code!~'5..'}}[1m])) / sum(rate(http_requests_total{{job='svc.{i}'}}[1m]))")
    }))
}

fn at() -> Timestamp {
    Timestamp::from_timestamp(1_700_000_000, 0).unwrap()
}

/// Answers every arm as a server would: one sample per value of its label.
fn answer(request: &Request, value: impl Fn(&Feed, Window) -> Option<f64>) -> Reply {
    let mut samples = Vec::new();
    for arm in &request.arms {
        let mut seen = Vec::new();
        for feed in &arm.feeds {
            if seen.contains(&feed.value) {
                continue;
            }
            seen.push(feed.value.clone());
            let mut labels = Labels::from([(TAG, arm.tag.as_str())]);
            if let (Some(label), Some(v)) = (&arm.label, &feed.value) {
                labels.0.insert(label.clone(), v.clone());
            }
            samples.extend(value(feed, arm.window).map(|value| Sample { labels, at: at(), value }));
        }
    }
    Reply { samples, ..Reply::default() }
}

fn measure(
    list: &[Arc<Objective>],
    windows: &[Window],
    value: impl Fn(&Feed, Window) -> Option<f64>,
) -> Vec<Measurement> {
    let replies: Vec<_> = requests(list, windows).into_iter().map(|r| (r.clone(), Ok(answer(&r, &value)))).collect();
    join(list, windows, at(), &replies)
}

#[test]
fn a_fleet_takes_one_or_two_requests() {
    let month = Window(30 * 86_400);
    let all: Vec<Window> = Window::BURN.into_iter().chain([month]).collect();
    for (n, windows, most) in [(100, &Window::BURN[..5], 1), (100, &all, 2), (1_000, &all, 4)] {
        let list = fleet(n);
        let planned = requests(&list, windows);
        assert!(planned.len() <= most, "{n}: {}", planned.len());
        let values = |feed: &Feed, w: Window| {
            Some((feed.objective as f64 + 1.0) * if feed.side == Side::Total { 100.0 } else { 1.0 } * f64::from(w.0))
        };
        let got = measure(&list, windows, values);
        assert_eq!(got.len(), n);
        for (i, m) in got.iter().enumerate() {
            for w in windows {
                let bad = (i as f64 + 1.0) * f64::from(w.0);
                assert_eq!(m.windows[w], (at(), Reading::Counts(Counts { bad, total: bad * 100.0 })));
            }
        }
    }
}

#[test]
fn a_shared_arm_is_sum_by_label() {
    let query = requests(&fleet(2), &[Window::M5]).remove(0).query();
    let by =
        |code: &str| format!(r#"sum by (job) (increase(http_requests_total{{{code}job=~"svc\\.0|svc\\.1"}}[5m]))"#);
    let want = format!(
        r#"(label_replace({}, "midwatch", "total:5m:0", "", "") or label_replace({}, "midwatch", "bad:5m:1", "", ""))"#,
        by(""),
        by("code=~\"5..\",")
    );
    assert_eq!(query, want);
    assert!(parse(&query).is_ok());
}

#[test]
fn what_has_nothing_in_common_is_chunked() {
    let list = objectives((0..120).map(|i| format!("sum(rate(good_{i}[1m])) / sum(rate(all_{i}[1m]))")));
    let planned = requests(&list, &[Window::M5]);
    assert_eq!(planned.iter().map(|r| r.arms.len()).collect::<Vec<_>>(), [50, 50, 50, 50, 40]);
    for request in &planned {
        let depth = request.query().chars().take_while(|c| *c == '(').count();
        assert!(depth <= 7, "{depth}");
    }
    let tags: BTreeSet<&str> = planned.iter().flat_map(|r| &r.arms).map(|a| a.tag.as_str()).collect();
    assert_eq!(tags.len(), 240);
    let got = measure(&list, &[Window::M5], |feed, _| Some(if feed.side == Side::Total { 10.0 } else { 7.0 }));
    // 7 good of 10: the bad ones are the rest.
    assert!(got.iter().all(|m| m.windows[&Window::M5].1 == Reading::Counts(Counts { bad: 3.0, total: 10.0 })));
}

#[test]
fn two_targets_on_one_counter_share_it() {
    let mut list = fleet(1);
    let twin = Objective { target: 0.99, id: "twin".into(), ..(*list[0]).clone() };
    list.push(Arc::new(twin));
    let planned = requests(&list, &[Window::M5]);
    assert_eq!((planned.len(), planned[0].arms.len()), (1, 2));
    let got = measure(&list, &[Window::M5], |feed, _| Some(if feed.side == Side::Total { 10.0 } else { 1.0 }));
    assert_eq!(got[0].windows, got[1].windows);
}

#[test]
fn what_is_missing_or_impossible() {
    let counted = fleet(2);
    let minus = objectives(["sum(rate(g[1m])) / sum(rate(t[1m]))".to_owned()]);
    let counts = |bad: f64, total: f64| Reading::Counts(Counts { bad, total });
    let odd = |text: &str| Reading::Odd(text.into());
    for (list, part, total, want) in [
        (&counted, None, Some(10.0), counts(0.0, 10.0)),
        (&counted, Some(1.0), None, Reading::NoData),
        (&counted, None, None, Reading::NoData),
        (&counted, None, Some(0.0), counts(0.0, 0.0)),
        (&counted, Some(0.0), Some(0.0), counts(0.0, 0.0)),
        (&counted, Some(10.4), Some(10.0), counts(10.0, 10.0)),
        (&counted, Some(10.6), Some(10.0), odd("10.6 of 10 events")),
        (&counted, Some(f64::NAN), Some(10.0), odd("a count of NaN")),
        (&counted, Some(1.0), Some(f64::INFINITY), odd("a count of inf")),
        (&counted, Some(-1.0), Some(10.0), odd("a count of -1")),
        (&minus, None, Some(10.0), counts(10.0, 10.0)),
        (&minus, Some(10.2), Some(10.0), counts(0.0, 10.0)),
        (&minus, Some(8.0), Some(10.0), counts(2.0, 10.0)),
    ] {
        let got = measure(list, &[Window::M5], |feed, _| if feed.side == Side::Total { total } else { part });
        assert_eq!(got[0].windows[&Window::M5].1, want, "{part:?} {total:?}");
    }
}

#[test]
fn a_fault_stays_with_its_request() {
    let mut slis: Vec<String> = (0..60).map(|i| format!("sum(rate(good_{i}[1m])) / sum(rate(all_{i}[1m]))")).collect();
    slis.push("avg(up)".into());
    let list = objectives(slis);
    let fault = Fault::new(FaultKind::Timeout, "prometheus main", "");
    let mut replies: Vec<_> =
        requests(&list, &[Window::M5]).into_iter().map(|r| (r.clone(), Ok(answer(&r, |_, _| Some(1.0))))).collect();
    let hit = replies[0].0.objectives();
    replies[0].1 = Err(fault.clone());
    if let Ok(reply) = &mut replies[1].1 {
        reply.warnings.push("no store".into());
    }
    let warned = replies[1].0.objectives();
    for (i, m) in join(&list, &[Window::M5], at(), &replies).iter().enumerate().take(60) {
        let failed = m.windows[&Window::M5].1 == Reading::Error(fault.clone());
        assert_eq!(failed, hit.contains(&i), "{i}");
        assert_eq!(m.partial, warned.contains(&i), "{i}");
    }
    assert!(join(&list, &[Window::M5], at(), &replies)[60].windows.is_empty());
    let (a, b) = replies[0].0.halves().unwrap();
    assert_eq!(a.objectives().union(&b.objectives()).copied().collect::<BTreeSet<_>>(), hit);
}

#[test]
fn slices_share_requests_within_limits() {
    let list = objectives((0..25).map(|i| format!("avg(up{{i='{i}'}})")));
    let step = crate::domain::time::secs(300);
    let wants = |from: i64| -> Vec<ranges::Want> {
        (0..25)
            .map(|objective| ranges::Want { objective, start: at() - crate::domain::time::secs(from), end: at(), step })
            .collect()
    };
    assert_eq!(ranges::requests(&list, &wants(300)).len(), 1);
    assert_eq!(ranges::requests(&list, &wants(8_639 * 300)).len(), 3);
    for request in ranges::requests(&list, &wants(20_000 * 300)) {
        assert!((request.end - request.start).num_seconds() / 300 < ranges::POINTS);
        assert!(parse(&request.query()).is_ok() && request.query().contains("s:"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn every_window_of_every_objective_is_planned_once(
        slis in prop::collection::vec((0..3_u8, 0..3_u8, 0..3_u8), 1..12)
    ) {
        let list = objectives(slis.iter().map(|(m, j, e)| {
            format!("sum(rate(m{m}{{job='j{j}',env='e{e}',code!~'5..'}}[1m])) / sum(rate(m{m}{{job='j{j}',env='e{e}'}}[1m]))")
        }));
        let windows = [Window::M5, Window::D3];
        let mut seen = BTreeSet::new();
        for request in requests(&list, &windows) {
            prop_assert!(parse(&request.query()).is_ok(), "{}", request.query());
            for arm in &request.arms {
                for feed in &arm.feeds {
                    prop_assert!(seen.insert((feed.objective, feed.side, arm.window)));
                }
            }
        }
        prop_assert_eq!(seen.len(), list.len() * 4);
        // Each objective gets its own numbers back, told apart by what its text selects.
        let got = measure(&list, &windows, |feed, w| {
            let (m, j, e) = slis[feed.objective];
            let id = f64::from(m) * 100.0 + f64::from(j) * 10.0 + f64::from(e) + 1.0;
            Some(if feed.side == Side::Total { id * 1_000.0 } else { id } + f64::from(w.0))
        });
        for (m, (a, b, c)) in got.iter().zip(&slis) {
            let id = f64::from(*a) * 100.0 + f64::from(*b) * 10.0 + f64::from(*c) + 1.0;
            let counts = m.windows[&Window::M5].1.counts();
            // A part over its total by the window's offset never happens: the total is a thousandfold.
            prop_assert_eq!(counts.map(|c| c.total), Some(id * 1_000.0 + 300.0));
        }
    }

    #[test]
    fn counts_are_never_nan(part in prop::option::of(proptest::num::f64::ANY), total in prop::option::of(proptest::num::f64::ANY)) {
        for list in [fleet(1), objectives(["sum(rate(g[1m])) / sum(rate(t[1m]))".to_owned()])] {
            let got = measure(&list, &[Window::M5], |feed, _| if feed.side == Side::Total { total } else { part });
            if let Reading::Counts(c) = &got[0].windows[&Window::M5].1 {
                prop_assert!(c.total.is_finite() && c.bad >= 0.0 && c.bad <= c.total);
            }
        }
    }
}

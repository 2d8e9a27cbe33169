//! Every rule with a tiny file on which it speaks, and the same file mended, on which it does not.

use super::*;
use crate::domain::document::Mark;
use crate::domain::slo::lint::between::between;
use crate::domain::slo::lint::facts::{FailingRecord, Matched};
use crate::domain::slo::lint::questions::{Questions, questions};
use crate::domain::slo::lint::rules::RULES;
use crate::domain::slo::objective::{Bad, Combine, Composite, Sli};
use crate::domain::slo::promql;
use crate::domain::slo::seed;
use crate::domain::time::{Span, mins, secs};
use proptest::prelude::*;
use std::collections::BTreeSet;

const GOOD: &str = "sum(rate(x_total{job='a',code!~'5..'}[5m])) / sum(rate(x_total{job='a'}[5m]))";
const P99: &str = "histogram_quantile(0.99, sum by (le) (rate(x_bucket{job='a'}[5m])))";

fn text(sli: &str, rest: &str) -> String {
    format!("{}:\n  one:\n    sli: \"{sli}\"\n    {}\n", seed::ROOT, rest.replace(", ", "\n    "))
}

fn read(text: &str) -> Vec<Arc<Objective>> {
    seed::read("f.yaml", text).0.into_iter().map(Arc::new).collect()
}

fn found(text: &str, facts: Option<&Facts>) -> Vec<Finding> {
    let places = Places::of("f.yaml", text);
    let objectives = read(text);
    assert!(!objectives.is_empty(), "{text}: {:?}", seed::read("f.yaml", text).1);
    objectives.iter().flat_map(|o| lint(o, &places, facts)).collect()
}

fn of_rule<'f>(findings: &'f [Finding], id: &str) -> Option<&'f Finding> {
    findings.iter().find(|f| f.rule == id)
}

const RATIO: &str = "target: 0.999, window: 14d";

/// Rule, what is wrong (query and the rest), where, the mended one.
type Row = (&'static str, (&'static str, &'static str), usize, (&'static str, &'static str));

const OFFLINE: &[Row] = &[
    ("SLO001", ("sum(rate(g[1m])) / sum(rate(t[1m]))", RATIO), 3, (GOOD, RATIO)),
    ("SLO002", ("sum(rate(g[3m])) / sum(rate(t[3m]))", RATIO), 3, (GOOD, RATIO)),
    (
        "SLO003",
        ("avg(rate(q[30s]))", "target: 5, window: 14d, slice: 1m"),
        3,
        ("avg(rate(q[5m]))", "target: 5, window: 14d"),
    ),
    (
        "SLO004",
        ("histogram_quantile(0.99, sum(rate(x_bucket[5m])))", "target: 0.5, window: 14d"),
        3,
        (P99, "target: 0.5, window: 14d"),
    ),
    ("SLO005", (GOOD, "target: 0.00999, window: 14d"), 4, (GOOD, RATIO)),
    ("SLO005", ("100 * avg(up)/avg(x) >= 0.99", RATIO), 3, ("100 * avg(up)/avg(x) >= 99", RATIO)),
    (
        "SLO005",
        ("sum(rate(g[5m])) / sum(rate(t[5m])) >= 99", RATIO),
        3,
        ("sum(rate(g[5m])) / sum(rate(t[5m])) >= 0.99", RATIO),
    ),
    ("SLO005", ("100 * (avg(up) / avg(x))", RATIO), 3, ("avg(up) / avg(x)", RATIO)),
    (
        "SLO005",
        ("max(http_request_duration_seconds{a='b'})", "target: 500, window: 14d"),
        4,
        ("max(http_request_duration_seconds{a='b'})", "target: 0.5, window: 14d"),
    ),
    (
        "SLO006",
        ("sum(rate(x{code=~'5..'}[5m])) / sum(rate(x[5m]))", RATIO),
        3,
        ("1 - sum(rate(x{code=~'5..'}[5m])) / sum(rate(x[5m]))", RATIO),
    ),
    (
        "SLO006",
        ("1 - sum(rate(x{code=~'2..'}[5m])) / sum(rate(x[5m]))", RATIO),
        3,
        ("sum(rate(x{code=~'2..'}[5m])) / sum(rate(x[5m]))", RATIO),
    ),
    ("SLO006", (GOOD, "target: 0.001, window: 14d"), 4, (GOOD, RATIO)),
    (
        "SLO007",
        (P99, "target: 0.5, window: 7d, objective: 0.9999"),
        4,
        (P99, "target: 0.5, window: 7d, objective: 0.99"),
    ),
    ("SLO008", (GOOD, "target: 0.9, window: 14d"), 4, (GOOD, "target: 0.95, window: 14d")),
    ("SLO009", (GOOD, "target: 0.999, window: 1d"), 5, (GOOD, "target: 0.999, window: 3d")),
    ("SLO010", (GOOD, "target: 0.999, window: 30d"), 5, (GOOD, "target: 0.999, window: 15d")),
    (
        "SLO011",
        (P99, "target: 0.5, window: 14d"),
        3,
        ("histogram_quantile(0.99, sum by (le, job) (rate(x_bucket[5m])))", "target: 0.5, window: 14d"),
    ),
    ("SLO012", ("avg(rollup_rate(x[5m]))", RATIO), 3, ("avg(rate(x[5m]))", RATIO)),
    (
        "SLO013",
        ("histogram_quantile(0.9, sum by (le) (rate(x_count[5m])))", "target: 1, window: 14d"),
        3,
        (P99, "target: 1, window: 14d"),
    ),
    (
        "SLO013",
        ("avg(rpc_seconds{quantile='0.99'})", "target: 1, window: 14d"),
        3,
        ("max(rpc_seconds{quantile='0.99'})", "target: 1, window: 14d"),
    ),
    ("SLO014", ("sum(rate(x{code!~'5.'}[5m])) / sum(rate(x[5m]))", RATIO), 3, (GOOD, RATIO)),
    ("SLO014", ("sum(rate(x{code!~'.*5.*'}[5m])) / sum(rate(x[5m]))", RATIO), 3, (GOOD, RATIO)),
    ("SLO014", ("sum(rate(x{code!='5..'}[5m])) / sum(rate(x[5m]))", RATIO), 3, (GOOD, RATIO)),
    (
        "SLO014",
        ("sum(rate(x{code!~'500|502|503'}[5m])) / sum(rate(x[5m]))", RATIO),
        3,
        ("sum(rate(x{code!~'[45]..'}[5m])) / sum(rate(x[5m]))", RATIO),
    ),
    (
        "SLO015",
        ("1 - (sum by (job) (rate(b[5m])) or vector(0)) / sum by (job) (rate(t[5m]))", RATIO),
        3,
        ("1 - (sum(rate(b[5m])) or vector(0)) / sum(rate(t[5m]))", RATIO),
    ),
    ("SLO016", ("sum(irate(g[5m])) / sum(irate(t[5m]))", RATIO), 3, (GOOD, RATIO)),
    ("SLO017", ("avg(avg_over_time(x[30d:1m]))", RATIO), 3, ("avg(avg_over_time(x[7d:1m]))", RATIO)),
    (
        "SLO018",
        ("sum by (job) (rate(g[5m])) / sum(rate(t[5m]))", RATIO),
        3,
        ("sum by (job) (rate(g[5m])) / sum by (job) (rate(t[5m]))", RATIO),
    ),
    (
        "SLO018",
        ("sum(rate(x{job='a',ok='1'}[5m])) / sum(rate(x{job='b'}[5m]))", RATIO),
        3,
        ("sum(rate(x{job='a',ok='1'}[5m])) / sum(rate(x{job='a'}[5m]))", RATIO),
    ),
    ("SLO021", ("avg(rate(x[5m] anchored))", RATIO), 3, (GOOD, RATIO)),
];

#[test]
fn each_rule_speaks_on_its_file_and_is_silent_on_the_mended_one() {
    let mut seen = BTreeSet::new();
    for (id, (sli, rest), line, (mended, mended_rest)) in OFFLINE {
        let (id, line) = (*id, *line);
        let wrong = text(sli, rest);
        let findings = found(&wrong, None);
        let finding = of_rule(&findings, id).unwrap_or_else(|| panic!("{id} is silent:\n{wrong}{findings:?}"));
        assert_eq!((finding.line, finding.path.as_str()), (line, "f.yaml"), "{finding}");
        assert!(finding.column > 5, "{finding}");
        let rule = RULES.iter().find(|r| r.id == id).unwrap();
        assert!(finding.level <= rule.level && finding.level < Level::Error && !rule.online, "{finding}");
        let right = text(mended, mended_rest);
        let findings = found(&right, None);
        assert_eq!(of_rule(&findings, id), None, "{id} speaks:\n{right}");
        seen.insert(id);
    }
    // These take several objectives, and have a test of their own.
    seen.extend(["SLO019", "SLO020"]);
    let all: BTreeSet<&str> = RULES.iter().filter(|r| !r.online).map(|r| r.id).collect();
    assert_eq!(seen, all);
}

#[test]
fn a_sound_file_is_silent() {
    assert_eq!(found(&text(GOOD, RATIO), None), vec![]);
    let sides = text("sum(rate(x_bucket{le='0.5',job='a'}[5m])) / sum(rate(x_count{job='a'}[5m]))", RATIO);
    assert_eq!(found(&sides, None), vec![]);
}

#[test]
fn words_name_what_is_read_and_what_is_assumed() {
    let findings = found(&text("sum(rate(g[1m])) / sum(rate(t[1m]))", RATIO), None);
    let message = &of_rule(&findings, "SLO001").unwrap().message;
    assert!(message.contains("(1m, assumed)") && message.contains("[5m] and longer"), "{message}");
    assert_eq!(of_rule(&findings, "SLO001").unwrap().level, Level::Info);
    let findings = found(&text(GOOD, "target: 0.8, window: 14d"), None);
    let message = &of_rule(&findings, "SLO008").unwrap().message;
    assert!(message.contains("page 14.4x over 1h and page 6x over 6h cannot fire"), "{message}");
    let findings = found(&text(P99, "target: 0.5, window: 14d"), None);
    let message = &of_rule(&findings, "SLO011").unwrap().message;
    assert!(
        message.contains("sum(rate(x_bucket{job=\"a\",le=\"0.5\"}[5m])) / sum(rate(x_count{job=\"a\"}[5m]))"),
        "{message}"
    );
}

#[test]
fn several_objectives_are_held_against_each_other() {
    let one = format!(
        "{}:\n  a: {{sli: \"{GOOD}\", target: 0.99, window: 7d, service: api-gateway}}\n  b: {{sli: \"{GOOD}\", target: 0.99, window: 7d, service: API Gateway}}\n  c: {{sli: \"{GOOD}\", target: 0.9, window: 7d, service: api-gateway}}\n",
        seed::ROOT
    );
    let two = format!("{}:\n  a: {{sli: '{P99}', target: 0.5, window: 7d, service: shop}}\n", seed::ROOT.trim())
        .replace("job='a'", "job=\"a\"");
    let read_as = |path: &str, text: &str| (seed::read(path, text).0, Places::of(path, text));
    let files = [read_as("one.yaml", &one), read_as("two.yaml", &two)];
    let all: Vec<_> = files.iter().flat_map(|(all, places)| all.iter().map(move |o| (o, places))).collect();
    let lines: Vec<String> =
        between(&all).iter().map(|f| format!("{}:{}:{} {} {:?}", f.path, f.line, f.column, f.rule, f.level)).collect();
    let sli = "  b: {sli: ".len() + 1;
    let service = one.lines().nth(2).unwrap().find("API").unwrap() + 1;
    assert_eq!(
        lines,
        [
            format!("one.yaml:3:{sli} SLO019 Warning"),
            format!("one.yaml:4:{sli} SLO019 Info"),
            format!("one.yaml:3:{service} SLO020 Warning"),
        ]
    );
    let apart = [read_as("one.yaml", &text(GOOD, RATIO)), read_as("two.yaml", &two)];
    let all: Vec<_> = apart.iter().flat_map(|(all, places)| all.iter().map(move |o| (o, places))).collect();
    assert_eq!(between(&all), vec![]);
}

#[test]
fn findings_belong_to_the_objective_they_stand_in() {
    let text = format!(
        "{}:\n  a:\n    sli: x\n    target: 0.9\n    window: 7d\n  b: {{sli: x, target: 0.99, window: 7d}}\n",
        seed::ROOT
    );
    let objectives = read(&text);
    let finding = |line| Finding {
        path: "f.yaml".into(),
        line,
        column: 1,
        rule: format!("{line}"),
        level: Level::Info,
        message: String::new(),
    };
    let findings: Vec<Finding> = (0..=7).map(finding).collect();
    let lines = |n: usize| of(&objectives[n], &objectives, &findings).iter().map(|f| f.line).collect::<Vec<_>>();
    assert_eq!((lines(0), lines(1)), (vec![2, 3, 4, 5], vec![6, 7]));
}

#[test]
fn places_are_found_in_other_formats() {
    let sloth = "version: prometheus/v1\nservice: s\nslos:\n  - name: a\n    objective: 99.9\n    sli:\n      events:\n        error_query: e\n        total_query: t\n  - name: b\n    objective: 0.9\n";
    let places = Places::of("s.yaml", sloth);
    let at = |line: usize, part| {
        let one = Objective { declared: format!("s.yaml:{line}"), ..(*read(&text(GOOD, RATIO))[0]).clone() };
        let Mark { line, column } = places.mark(&one, part);
        (line, column)
    };
    assert_eq!((at(4, Part::Target), at(4, Part::Query), at(4, Part::Window)), ((5, 16), (7, 7), (4, 5)));
    assert_eq!((at(10, Part::Target), at(99, Part::Target)), ((11, 16), (99, 1)));
    let object = "apiVersion: openslo/v1\nkind: SLO\nmetadata:\n  name: x\nspec:\n  timeWindow:\n    - duration: 28d\n  objectives:\n    - target: 0.9\n";
    let places = Places::of("s.yaml", object);
    let one = Objective { declared: "s.yaml:1".into(), ..(*read(&text(GOOD, RATIO))[0]).clone() };
    assert_eq!(places.mark(&one, Part::Target), Mark { line: 9, column: 15 });
    assert_eq!((places.mark(&one, Part::Window).line, places.mark(&one, Part::Name).line), (7, 4));
}

fn asked(text: &str) -> Questions {
    questions(&read(text))
}

fn known(text: &str, matched: &Matched) -> Facts {
    let selectors = asked(text).selectors.into_keys().map(|s| (s, matched.clone())).collect();
    Facts { what: "prometheus main".into(), selectors, ..Facts::default() }
}

fn levels(text: &str, facts: &Facts) -> Vec<(String, Level)> {
    found(text, Some(facts)).into_iter().map(|f| (f.rule, f.level)).collect()
}

#[test]
fn known_intervals_and_retention_replace_what_was_assumed() {
    let file = text("sum(rate(g[1m])) / sum(rate(t[1m]))", "target: 0.999, window: 30d");
    let every = |interval| known(&file, &Matched { interval: Some(interval), ..Matched::default() });
    assert_eq!(levels(&file, &every(secs(15))), vec![]);
    assert_eq!(levels(&file, &every(secs(20))), [("SLO002".to_owned(), Level::Warning)]);
    assert_eq!(levels(&file, &every(mins(1))), [("SLO001".to_owned(), Level::Warning)]);
    assert_eq!(levels(&file, &every(mins(2))), [("SLO003".to_owned(), Level::Warning)]);
    assert_eq!(levels(&file, &every(mins(5))), [("SLO003".to_owned(), Level::Error)]);
    for (days, want) in [(15, vec![("SLO010".to_owned(), Level::Warning)]), (30, vec![]), (400, vec![])] {
        let facts = Facts { retention: Some(Span::days(days)), ..every(secs(15)) };
        assert_eq!(levels(&file, &facts), want, "{days}");
    }
    let young = Matched { now: Some(3), at_start: Some(false), interval: Some(secs(15)), ..Matched::default() };
    assert_eq!(levels(&file, &known(&file, &young)), [("SLO010".to_owned(), Level::Info)]);
}

#[test]
fn selectors_that_match_nothing() {
    let file = text(GOOD, RATIO);
    let asked = asked(&file);
    assert_eq!(
        asked.selectors.keys().collect::<Vec<_>>(),
        ["x_total", "x_total{job=\"a\"}"],
        "errors need their metric only"
    );
    for (now, ever, want) in [
        (Some(2), None, vec![]),
        (None, None, vec![]),
        (Some(0), Some(true), vec![Level::Warning]),
        (Some(0), None, vec![Level::Warning]),
        (Some(0), Some(false), vec![Level::Error]),
    ] {
        let facts = known(&file, &Matched { now, in_window: ever, ..Matched::default() });
        let levels: Vec<Level> =
            found(&file, Some(&facts)).iter().filter(|f| f.rule == "SLO102").map(|f| f.level).collect();
        assert_eq!(levels, want, "{now:?} {ever:?}");
    }
    let errors = text("1 - sum(rate(errors_total[5m])) / sum(rate(t[5m]))", RATIO);
    let mut facts = known(&errors, &Matched { now: Some(4), ..Matched::default() });
    let none = Matched { now: Some(0), in_window: Some(false), ..Matched::default() };
    facts.selectors.insert("errors_total".into(), none);
    assert_eq!(levels(&errors, &facts), [("SLO102".to_owned(), Level::Info)], "perhaps there never was an error");
}

#[test]
fn buckets_are_held_against_those_that_are_there() {
    let file = |le: &str| text(&format!("sum(rate(x_bucket{{le='{le}'}}[5m])) / sum(rate(x_count[5m]))"), RATIO);
    let facts = |les: &[&str]| Facts {
        buckets: [("x_bucket".to_owned(), les.iter().map(|l| (*l).to_owned()).collect())].into(),
        ..Facts::default()
    };
    assert_eq!(asked(&file("1")).buckets.into_iter().collect::<Vec<_>>(), ["x_bucket"]);
    for (le, les, want) in [
        ("0.5", vec!["0.1", "0.5", "+Inf"], None),
        ("0.5", vec!["0.1", "1", "+Inf"], Some("no bucket le=\"0.5\" (there are 0.1, 1, +Inf)")),
        ("1", vec!["0.5", "1.0"], Some("as le=\"1.0\", not le=\"1\"")),
        ("1.0", vec!["1"], Some("as le=\"1\", not le=\"1.0\"")),
        ("1", vec![], None),
    ] {
        let findings = found(&file(le), Some(&facts(&les)));
        let got = of_rule(&findings, "SLO103");
        assert_eq!(got.map(|f| f.level), want.map(|_| Level::Error), "{le} {les:?}");
        assert!(want.is_none_or(|w| got.unwrap().message.contains(w)), "{got:?}");
    }
    let none = Matched { now: Some(0), in_window: Some(false), ..Matched::default() };
    let both = Facts { selectors: known(&file("1.0"), &none).selectors, ..facts(&["1"]) };
    let lines: Vec<String> = found(&file("1.0"), Some(&both)).into_iter().map(|f| f.message).collect();
    assert!(lines.iter().all(|line| !line.contains("le=\"1.0\"}` matches")), "told once: {lines:?}");
    let quantile = text(P99, "target: 1, window: 14d");
    for (les, want) in [(vec!["0.5", "1.0"], Some("le=\"1.0\"")), (vec!["0.5", "2"], None)] {
        let buckets = [("x_bucket{job=\"a\"}".to_owned(), les.iter().map(|l| (*l).to_owned()).collect())].into();
        let findings = found(&quantile, Some(&Facts { buckets, ..Facts::default() }));
        let got = of_rule(&findings, "SLO011").map(|f| f.message.clone());
        assert_eq!(got.is_some(), want.is_some(), "{les:?}");
        assert!(want.is_none_or(|w| got.as_ref().unwrap().contains(w) && got.unwrap().contains("the bucket is there")));
    }
}

#[test]
fn what_a_server_says_settles_what_our_parser_refuses() {
    let file = text("avg(rollup_rate(x[5m]))", RATIO);
    let query = asked(&file).queries.pop_first().unwrap();
    let facts = |said: Result<(), String>| Facts { accepted: [(query.clone(), said)].into(), ..Facts::default() };
    assert_eq!(levels(&file, &facts(Ok(()))), vec![]);
    let findings = found(&file, Some(&facts(Err("1:5: parse error\u{1b}[2J".into()))));
    assert_eq!((findings.len(), findings[0].rule.as_str(), findings[0].level), (1, "SLO101", Level::Error));
    assert!(!findings[0].message.contains('\u{1b}'));
    assert_eq!(levels(&file, &Facts::default())[0].0, "SLO012", "not asked, not settled");
}

#[test]
fn types_recordings_and_traffic() {
    let file = text("sum(rate(g[5m])) / sum(rate(t[5m]))", RATIO);
    let kinds = |kind: &str| Facts { types: [("g".to_owned(), kind.to_owned())].into(), ..Facts::default() };
    assert_eq!(levels(&file, &kinds("gauge")), [("SLO104".to_owned(), Level::Warning)]);
    assert_eq!(levels(&file, &kinds("counter")), vec![]);
    let quantile = text("histogram_quantile(0.99, sum by (le) (rate(x[5m])))", "target: 1, window: 14d");
    let typed = |kind: &str| Facts { types: [("x".to_owned(), kind.to_owned())].into(), ..Facts::default() };
    assert_eq!(levels(&quantile, &typed("histogram")), vec![]);
    assert_eq!(levels(&quantile, &typed("counter")), [("SLO013".to_owned(), Level::Warning)]);

    let recorded = text("avg(job:good:ratio5m)", RATIO);
    let failing = |record: &str| Facts {
        failing: vec![FailingRecord { record: record.into(), group: "g".into(), error: "many-to-many".into() }],
        ..Facts::default()
    };
    assert_eq!(levels(&recorded, &failing("job:good:ratio5m")), [("SLO105".to_owned(), Level::Error)]);
    assert_eq!(levels(&recorded, &failing("other")), vec![]);

    let query = asked(&file).totals.pop_first().unwrap();
    assert_eq!(query, "sum(increase(t[1h]))");
    for (events, want) in [(20.0, true), (69.0, true), (70.0, false), (0.0, false)] {
        let facts = Facts { totals: [(query.clone(), events)].into(), ..Facts::default() };
        assert_eq!(!levels(&file, &facts).is_empty(), want, "{events}");
    }
}

#[test]
fn a_server_is_judged_once() {
    let judge = |facts: Facts| server::judge(&facts).into_iter().map(|f| f.rule).collect::<Vec<_>>();
    let of = |version: &str, skew| Facts { version: Some(version.into()), skew: Some(secs(skew)), ..Facts::default() };
    assert_eq!(judge(of("2.42.0", 29)), Vec::<String>::new());
    assert_eq!(judge(of("2.41.0", -30)), ["SLO107", "SLO108"]);
    assert_eq!(judge(of("1.93.5", 0)), Vec::<String>::new(), "VictoriaMetrics and Thanos count for themselves");
    assert_eq!(judge(Facts { unanswered: vec!["x".into(), "y".into()], ..Facts::default() }), ["SLO109", "SLO109"]);
}

#[test]
fn questions_are_bounded_and_composites_have_none() {
    let mut file = format!("{}:\n", seed::ROOT);
    for n in 0..1_300 {
        file.push_str(&format!(
            "  o{n}: {{sli: 'sum(rate(g{n}[5m])) / sum(rate(t{n}[5m]))', target: 0.9, window: 7d}}\n"
        ));
    }
    let asked = asked(&file);
    assert_eq!((asked.selectors.len(), asked.metrics.len()), (questions::LIMIT, questions::SINGLES));
    assert_eq!((asked.totals.len(), asked.left_out), (1_300, 100 + 2_100));
    let composite = Objective {
        sli: Sli::Composite(Composite { combine: Combine::AnyBad, parts: vec![] }),
        written: String::new(),
        ..(*read(&text(GOOD, RATIO))[0]).clone()
    };
    assert_eq!(questions(&[Arc::new(composite.clone())]), Questions::default());
    assert_eq!(lint(&composite, &Places::default(), Some(&Facts::default())), vec![]);
    let never = Objective { target: 1.0, ..composite };
    assert_eq!(lint(&never, &Places::default(), None)[0].rule, "SLO007");
    let bad = Sli::Events { bad: Bad::Counted("nonsense(".into()), total: String::new() };
    assert!(lint(&Objective { sli: bad, ..never }, &Places::default(), None).iter().any(|f| f.rule == "SLO021"));
    assert!(promql::parse("x").is_ok());
}

proptest! {
    #[test]
    fn no_objective_panics(
        words in prop::collection::vec(prop::sample::select(vec![
            "sum", "(", ")", "[5m]", "[30d:1m]", "[1ms]", "{", "}", " by (le) ", "x_bucket", "rate", "irate", "code=~\"5..\"", "1", "100 *", " - ", " / ",
            "histogram_quantile", "0.9", ",", " or vector(0)", " >= ", "$window", "le='1'", "avg", "é", "\"",
        ]), 0..16),
        target in proptest::num::f64::ANY,
        threshold in proptest::num::f64::ANY,
        slice in 0_i64..1_000_000,
        which in 0_usize..4,
        declared in "[a-z:0-9\\.é]{0,12}",
    ) {
        let query = words.concat();
        let sli = match which {
            0 => Sli::Events { bad: Bad::Counted(query.clone()), total: query.clone() },
            1 => Sli::Events { bad: Bad::TotalMinus(query.clone()), total: format!("sum(increase({query}[$window]))") },
            2 => Sli::Slices { value: query.clone(), compare: crate::domain::slo::objective::Compare::AtMost, threshold, slice: secs(slice) },
            _ => Sli::Opaque { ratio: query.clone(), slice: secs(slice) },
        };
        let base = (*read(&text(GOOD, RATIO))[0]).clone();
        let one = Objective { sli, target, written: query, declared, ..base };
        let places = Places::of("f.yaml", &one.written);
        let all = [Arc::new(one.clone())];
        let asked = questions(&all);
        let matched = Matched { now: Some(0), in_window: Some(false), at_start: Some(false), interval: Some(secs(slice)) };
        let facts = Facts {
            selectors: asked.selectors.into_keys().map(|s| (s, matched.clone())).collect(),
            buckets: asked.buckets.into_iter().map(|s| (s, vec!["NaN".into(), "+Inf".into(), "x".into()])).collect(),
            types: asked.metrics.into_iter().map(|s| (s, "gauge".into())).collect(),
            accepted: asked.queries.into_iter().map(|s| (s, Err("no".into()))).collect(),
            totals: asked.totals.into_iter().map(|s| (s, target)).collect(),
            retention: Some(secs(slice)),
            ..Facts::default()
        };
        for found in [lint(&one, &places, None), lint(&one, &places, Some(&facts)), between(&[(&one, &places), (&one, &places)])] {
            for finding in found {
                prop_assert!(RULES.iter().any(|r| r.id == finding.rule && finding.level <= r.level), "{}", finding);
            }
        }
    }
}

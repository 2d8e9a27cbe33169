//! Objectives from the files of every format: what rich files yield, what is said of every wrong one, that nothing panics, and
//! that what is written as our own format reads back as it was.

use midwatch::domain::document::{Level, Node, Value, parse_all};
use midwatch::domain::slo::catalogue::Catalogue;
use midwatch::domain::slo::format::{read, read_all};
use midwatch::domain::slo::objective::{Bad, Objective, Sli};
use midwatch::domain::slo::own::keys::{self, BLOCKS};
use midwatch::domain::slo::own::schema::schema;
use midwatch::domain::slo::own::write::{differences, file};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/slo")
}

/// The files of a folder of the fixtures, by name.
fn files(name: &str) -> Vec<(String, String)> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder().join(name)).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    let name_of = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    paths.iter().filter(|p| p.is_file()).map(|p| (name_of(p), std::fs::read_to_string(p).unwrap())).collect()
}

/// The folders of good files; those that settle Sloth's period go alone.
const FORMATS: [&str; 5] = ["sloth", "pyrra", "openslo", "slo-generator", "own"];

fn rich() -> Vec<(String, Vec<(String, String)>)> {
    let one =
        |format: &str| files(format).into_iter().map(|f| (format!("{format}/{}", f.0), vec![f])).collect::<Vec<_>>();
    FORMATS.iter().flat_map(|format| one(format)).collect()
}

/// Every field of an objective, one a line.
fn told(o: &Objective) -> String {
    let mut out = format!("{} ({}, {}) {}\n", o.id, o.service, o.declared, o.says);
    let labels: Vec<String> = o.labels.0.iter().map(|(k, v)| format!("{k}={v}")).collect();
    let _ = writeln!(out, "  {:?} target {} window {}s {:?}", o.kind, o.target, o.window.num_seconds(), o.period);
    match &o.sli {
        Sli::Events { bad: Bad::Counted(bad), total } => drop(write!(out, "  bad   {bad}\n  total {total}\n")),
        Sli::Events { bad: Bad::TotalMinus(good), total } => drop(write!(out, "  good  {good}\n  total {total}\n")),
        Sli::Slices { value, compare, threshold, slice } => {
            let _ = writeln!(out, "  value {value} {} {threshold} every {}s", compare.sign(), slice.num_seconds());
        }
        Sli::Opaque { ratio, slice } => drop(writeln!(out, "  ratio {ratio} every {}s", slice.num_seconds())),
        Sli::Composite(it) => drop(writeln!(out, "  {it:?}")),
    }
    for p in &o.pairs {
        let _ = writeln!(out, "  {} {}/{} {}x for {}s", p.severity, p.long, p.short, p.factor, p.hold.num_seconds());
    }
    let _ = writeln!(out, "  {:?} labels {labels:?} by {:?}", o.identity, o.grouping);
    let _ = writeln!(out, "  {:?} {:?} {:?} {:?}", o.gap, o.min_failures, o.source, o.policy);
    let _ = writeln!(out, "  {:?}\n  {:?}", o.description, o.written);
    out
}

fn everything(files: &[(String, String)]) -> String {
    let (catalogue, findings) = read_all(files);
    let Catalogue { objectives, services, maintenance, policy } = &catalogue;
    let mut out: String = objectives.iter().map(|o| told(o) + "\n").collect();
    let names: Vec<&str> = services.iter().map(|s| s.name.as_str()).collect();
    let works: Vec<&str> = maintenance.iter().map(|m| m.name.as_str()).collect();
    let _ = writeln!(out, "services {names:?} maintenance {works:?} policy {:?}\n", policy.as_ref().map(|p| &p.name));
    for finding in &findings {
        let _ = writeln!(out, "{finding}");
    }
    out
}

#[test]
fn rich_files_yield_exactly_these_objectives() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots/slo");
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| {
        for (name, files) in rich() {
            insta::assert_snapshot!(name.replace(['/', '.'], "_"), everything(&files));
        }
    });
}

#[test]
fn every_wrong_file_is_told_its_own_way() {
    let mut told = String::new();
    let (mut count, mut first) = (0, BTreeSet::new());
    for format in ["sloth", "pyrra", "openslo", "slo-generator", "own", "plain", "unknown"] {
        for (name, text) in files(&format!("bad/{format}")) {
            let (_, findings) = read(&format!("{format}/{name}"), &text);
            let error = findings.iter().find(|f| f.level == Level::Error);
            let error = error.unwrap_or_else(|| panic!("{format}/{name} is not wrong"));
            assert!(error.line > 0 && error.column > 0, "{error}");
            first.insert(format!("{format} {}", error.message));
            count += 1;
            for finding in &findings {
                let _ = writeln!(told, "{finding}");
            }
        }
    }
    let expected = std::fs::read_to_string(folder().join("bad/expected.txt")).unwrap();
    for (got, want) in told.lines().zip(expected.lines()) {
        assert_eq!(got, want);
    }
    assert_eq!(told.lines().count(), expected.lines().count());
    assert!(count >= 60 && first.len() == count, "{count} files, {} messages", first.len());
}

#[test]
fn what_is_wrong_with_one_objective_leaves_the_others() {
    for (name, files) in rich() {
        let (catalogue, findings) = read_all(&files);
        let errors = findings.iter().filter(|f| f.level == Level::Error).count();
        assert!(!catalogue.objectives.is_empty(), "{name}");
        let refused = ["sloth/checkout.yaml", "openslo/all.yaml", "slo-generator/all.yaml"].contains(&name.as_str());
        assert_eq!(errors > 0, refused, "{name}: {findings:?}");
    }
}

#[test]
fn what_is_converted_reads_back_as_it_was() {
    let seed = std::fs::read_to_string(folder().join("../seeds/slo.yaml")).unwrap();
    let mut all = rich();
    all.push(("seed".to_owned(), vec![("slo.yaml".to_owned(), seed)]));
    for (name, files) in all {
        let (catalogue, findings) = read_all(&files);
        let text = file(&catalogue.objectives, &findings, &[]);
        assert_eq!(differences(&catalogue.objectives, &text), Vec::<String>::new(), "{name}\n{text}");
        let (again, said) = read("again.yaml", &text);
        let ids = |objectives: &[Objective]| objectives.iter().map(|o| o.id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(&again), ids(&catalogue.objectives), "{name}");
        assert!(said.iter().all(|f| f.level < Level::Error), "{name}: {said:?}");
        let second = file(&again, &[], &[]);
        let bare = |text: &str| -> Vec<String> {
            let said = text.lines().filter(|l| !l.trim().is_empty() && !l.trim_start().starts_with('#'));
            said.map(str::to_owned).collect()
        };
        assert_eq!(bare(&second), bare(&text), "{name}");
    }
}

fn used(node: &Node, found: &mut BTreeSet<String>) {
    match &node.value {
        Value::Map(entries) => {
            for (key, value) in entries {
                found.insert(key.text.clone());
                used(value, found);
            }
        }
        Value::Seq(items) => items.iter().for_each(|item| used(item, found)),
        _ => {}
    }
}

#[test]
fn every_key_of_the_table_is_accepted_by_the_reader_and_stands_in_the_schema() {
    let plain = "service_level_objectives:\n  a: {sli: 'histogram_quantile(0.9, sum(rate(a_bucket[5m])) by (le))', target: 0.5, window: 30d,\
        \x20error_budget_policy: halt_at_50_percent_burn, kind: threshold, op: '<=', objective: 0.99, slice: 5m, no_data: bad, service: a, description: b, source: c}\n";
    let mut files = files("own");
    files.push(("plain.yaml".to_owned(), plain.to_owned()));
    let mut found = BTreeSet::new();
    for (name, text) in &files {
        let (roots, _) = parse_all(name, text);
        roots.iter().for_each(|root| used(root, &mut found));
        let (_, findings) = read(name, text);
        assert!(findings.iter().all(|f| f.level < Level::Error), "{name}: {findings:?}");
    }
    let described: serde_json::Value = serde_json::from_str(&schema()).unwrap();
    for block in BLOCKS {
        let described = described["definitions"][block.name]["properties"].as_object().unwrap();
        let described: Vec<&str> = described.keys().map(String::as_str).collect();
        let mut names = keys::names(block.name);
        names.sort_unstable();
        let mut sorted = described.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, names, "{}", block.name);
        for key in block.keys {
            assert!(found.contains(key.name), "no file shows the key `{}` of `{}`", key.name, block.name);
        }
    }
}

#[test]
fn files_speak_of_each_other() {
    let all: Vec<(String, String)> = files("openslo").into_iter().filter(|f| f.0 == "all.yaml").collect();
    let documents: Vec<&str> = all[0].1.split("\n---\n").collect();
    let parts: Vec<(String, String)> =
        documents.iter().rev().enumerate().map(|(i, d)| (format!("{i}.yaml"), (*d).to_owned())).collect();
    let (together, _) = read_all(&all);
    let (apart, findings) = read_all(&parts);
    let ids = |c: &Catalogue| c.objectives.iter().map(|o| o.id.clone()).collect::<BTreeSet<_>>();
    assert_eq!(ids(&apart), ids(&together), "{findings:?}");
    // Alert windows of a file hold for the objectives of another one.
    let sloth = files("sloth");
    let (catalogue, _) = read_all(&sloth);
    assert!(catalogue.objectives.iter().all(|o| o.window.num_days() == 7), "one period for all of Sloth's");
}

#[test]
fn sloth_has_one_period() {
    let windows = |period: &str| {
        let row = "{errorBudgetPercent: 10, shortWindow: 5m, longWindow: 1h}";
        let text = format!(
            "apiVersion: sloth.slok.dev/v1\nkind: AlertWindows\nspec:\n  sloPeriod: {period}\n  page: {{quick: {row}, slow: {row}}}\n  ticket: {{quick: {row}, slow: {row}}}\n"
        );
        (format!("{period}.yaml"), text)
    };
    let slo = files("sloth").into_iter().find(|f| f.0 == "kubernetes.yaml").unwrap();
    let period = |files: &[(String, String)]| {
        let (catalogue, findings) = read_all(files);
        let first = &catalogue.objectives[0];
        let unused = findings.iter().filter(|f| f.rule == "alert-windows").map(|f| f.path.clone()).collect::<Vec<_>>();
        (first.window.num_days(), first.pairs[0].factor, unused)
    };
    assert_eq!(period(std::slice::from_ref(&slo)), (30, 14.4, vec![]));
    assert_eq!(period(&[slo.clone(), windows("28d")]), (28, 67.2, vec![]));
    assert_eq!(period(&[slo.clone(), windows("90d"), windows("28d")]), (90, 216.0, vec!["28d.yaml".to_owned()]));
    assert_eq!(period(&[windows("90d"), slo, windows("30d")]), (30, 72.0, vec!["90d.yaml".to_owned()]));
}

#[test]
fn a_thousand_objectives_fit_into_one_file() {
    let mut text = String::from("version: prometheus/v1\nservice: many\nslos:\n");
    for n in 0..1_000 {
        let _ = write!(
            text,
            "  - name: slo-{n}\n    objective: 99.9\n    description: The {n}th of many\n    labels: {{owner: team-{n}}}\n    sli:\n      events:\n        error_query: sum(rate(http_requests_total{{job=\"svc-{n}\",code=~\"5..\"}}[{{{{.window}}}}]))\n        total_query: sum(rate(http_requests_total{{job=\"svc-{n}\"}}[{{{{.window}}}}]))\n    alerting:\n      name: Slo{n}\n      annotations: {{summary: it burns}}\n      page_alert: {{labels: {{severity: page}}}}\n      ticket_alert: {{labels: {{severity: ticket}}}}\n"
        );
    }
    let (catalogue, findings) = read_all(&[("many.yaml".to_owned(), text)]);
    assert_eq!((catalogue.objectives.len(), findings), (1_000, vec![]));
}

fn mutated() -> impl Strategy<Value = String> {
    let mut texts: Vec<String> = rich().into_iter().flat_map(|(_, files)| files).map(|(_, text)| text).collect();
    texts.push("service_level_objectives:\n  a: {sli: a / b, target: 0.9, window: 30d}\n".to_owned());
    let bits = [
        "\n",
        "  ",
        "- ",
        ": ",
        "{",
        "}",
        "[",
        "]",
        "'",
        "\"",
        "0",
        "-1",
        "1e308",
        "NaN",
        "null",
        "~",
        "&a ",
        "*a",
        "!!x ",
        "---\n",
        "99999999999999999999",
        "30d",
        "1M",
        "é",
        "\u{0}",
        "\u{202e}",
        "$window",
        "{{.window}}",
        "sum(",
        ")",
        "/",
        "{}",
        "[]",
        "|\n",
        "#",
        "%",
    ];
    let edit = (any::<prop::sample::Index>(), 0_usize..40, prop::sample::select(bits.to_vec()));
    (prop::sample::select(texts), prop::collection::vec(edit, 0..8)).prop_map(|(text, edits)| {
        let mut chars: Vec<char> = text.chars().collect();
        for (at, length, bit) in edits {
            let from = at.index(chars.len().max(1)).min(chars.len());
            let to = (from + length).min(chars.len());
            chars.splice(from..to, bit.chars());
        }
        chars.into_iter().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(400), ..ProptestConfig::default() })]
    #[test]
    fn no_text_panics_a_reader_and_what_is_read_is_sound(text in mutated()) {
        let (catalogue, findings) = read_all(&[("f.yaml".to_owned(), text)]);
        for finding in &findings {
            prop_assert!(finding.message.chars().all(|c| !c.is_control()), "{:?}", finding.message);
        }
        for o in &catalogue.objectives {
            prop_assert!(o.target > 0.0 && o.target < 1.0, "{} {}", o.id, o.target);
            prop_assert!(o.window.num_seconds() >= 300 && !o.id.as_str().is_empty() && !o.says.is_empty());
            for pair in &o.pairs {
                prop_assert!(pair.factor.is_finite() && pair.factor > 0.0 && pair.short <= pair.long);
            }
            if let Sli::Events { bad: Bad::Counted(part) | Bad::TotalMinus(part), total } = &o.sli {
                prop_assert!(part.contains("$window") && total.contains("$window"));
            }
        }
        let text = file(&catalogue.objectives, &findings, &[]);
        prop_assert_eq!(differences(&catalogue.objectives, &text), Vec::<String>::new(), "{}", text);
    }
}

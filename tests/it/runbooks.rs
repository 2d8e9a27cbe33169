//! Runbook files as they lie on disk: the seed as it was given, the shipped examples, good ones and broken ones.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use chrono::NaiveDate;
use midwatch::domain::document::{Finding, Level};
use midwatch::domain::ids::SloId;
use midwatch::domain::incident::event::StepEnd;
use midwatch::domain::incident::state::{StepMark, Walk};
use midwatch::domain::labels::Labels;
use midwatch::domain::runbook::format::read;
use midwatch::domain::runbook::lint::{Facts, Rehearsal, lint, lint_knowing, lint_together};
use midwatch::domain::runbook::matching::matches;
use midwatch::domain::runbook::model::{
    Clock, Dialect, Exec, Phase, Risk, Rollback, RunCommand, Runbook, Step, Target,
};
use midwatch::domain::runbook::values::{Values, prepare};
use midwatch::domain::runbook::walk;
use midwatch::domain::text::is_hidden;
use proptest::prelude::*;
use regex::Regex;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn folder(name: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    let mut files: Vec<PathBuf> = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "yaml"));
    files.sort();
    files
}

fn load(path: &Path) -> (Option<Runbook>, Vec<Finding>, String) {
    let text = std::fs::read_to_string(path).unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    let (runbook, mut findings) = read(name, &text);
    findings.extend(runbook.iter().flat_map(|runbook| lint(runbook, None)));
    findings.sort_by_key(|f| (f.line, f.column));
    (runbook, findings, text)
}

fn seed() -> (Runbook, Vec<Finding>) {
    let text = include_str!("../fixtures/seeds/high-api-latency.yaml");
    let (runbook, findings) = read("runbooks/high-api-latency.yaml", text);
    (runbook.unwrap(), findings)
}

#[test]
fn the_seed_loads_as_it_stands() {
    let (book, findings) = seed();
    assert!(findings.iter().all(|f| f.level < Level::Error), "{findings:?}");
    assert_eq!((book.id.as_str(), book.name.as_str()), ("high-api-latency", "High API Latency"));
    assert_eq!(book.severity, Some("SEV2".into()));
    let ids: Vec<&str> = book.steps.iter().map(|s| s.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "acknowledge",
            "check-dashboard",
            "identify-bottleneck",
            "quick-mitigation",
            "root-cause-analysis",
            "long-term-fix"
        ]
    );
    let sum = |count: fn(&Step) -> usize| book.steps.iter().map(count).sum::<usize>();
    assert_eq!(sum(|s| s.commands.len()), 3);
    assert_eq!(sum(|s| s.options.iter().filter(|o| o.command.is_some()).count()), 3);
    assert_eq!(sum(|s| s.prose.len()), 3);
    assert_eq!(sum(|s| s.checks.len()), 3);
    assert_eq!(sum(|s| s.todos.len()), 3);
    assert_eq!(sum(|s| s.links.len()), 1);
    let check = &book.steps[2].checks[0];
    assert_eq!(
        (check.question.as_str(), check.hint.as_deref()),
        ("Is database slow?", Some("Check query performance"))
    );
    let rungs: Vec<_> = book.escalation.iter().map(|r| (r.after.num_minutes(), r.contact.as_str(), r.clock)).collect();
    assert_eq!(rungs, [(15, "senior-sre", Clock::Unmitigated), (30, "engineering-manager", Clock::Unmitigated)]);
    assert_eq!(book.triggers[0].alert, "APILatencyHigh");
    assert!(book.commands().all(|(_, c)| c.risk == Risk::Unknown && matches!(c.exec, Exec::Sh(_))));
    assert_eq!(book.sha256.len(), 64);
}

#[test]
fn the_seed_is_linted_with_warnings_only() {
    let (book, mut findings) = seed();
    findings.extend(lint(&book, None));
    let mut told: Vec<String> =
        findings.iter().map(|f| format!("{}:{}:{} {:?}", f.line, f.column, f.rule, f.level)).collect();
    told.sort();
    let want = [
        "14:9:RB004 Warning",
        "1:1:RB009 Warning",
        "35:18:RB008 Warning",
        "37:18:RB008 Warning",
        "39:18:RB008 Warning",
        "44:9:RB002 Warning",
        "45:9:RB002 Warning",
        "46:9:RB002 Warning",
        "56:5:RB014 Info",
        "58:5:RB014 Info",
    ];
    assert_eq!(told, want);
}

#[test]
fn broken_runbooks_say_what_is_wrong_and_where() {
    let files = folder("tests/fixtures/runbooks/bad");
    assert!(files.len() >= 20);
    let mut wrong = String::new();
    for path in &files {
        let (_, findings, text) = load(path);
        let expected: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# expect: ")).collect();
        let told: Vec<String> = findings.iter().map(ToString::to_string).collect();
        if expected.is_empty() || told != expected {
            wrong.push_str(&format!("== {}\n", path.display()));
            told.iter().for_each(|line| wrong.push_str(&format!("# expect: {line}\n")));
        }
    }
    assert!(wrong.is_empty(), "these say something else:\n{wrong}");
}

/// The same for `midwatch/v1`, all expectations in one table. A message that changed is looked at before it is taken over.
#[test]
fn broken_v1_runbooks_say_what_is_wrong_and_where() {
    let files = folder("tests/fixtures/runbooks/v1/bad");
    assert!(files.len() >= 40, "{}", files.len());
    let expected = include_str!("../fixtures/runbooks/v1/bad/expected.txt");
    let told: String = files.iter().flat_map(|path| load(path).1).map(|finding| format!("{finding}\n")).collect();
    for path in &files {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(told.lines().any(|line| line.starts_with(&format!("{name}:"))), "nothing is wrong in {name}");
    }
    assert!(told == expected, "these say something else than expected.txt:\n{told}");
}

#[test]
fn good_runbooks_load_without_errors() {
    for path in folder("tests/fixtures/runbooks/good") {
        let (book, findings, _) = load(&path);
        assert!(book.is_some(), "{}", path.display());
        assert!(findings.iter().all(|f| f.level < Level::Error), "{}: {findings:?}", path.display());
    }
}

#[test]
fn every_key_is_taken() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/runbooks/good/every-key.yaml");
    let book = load(&path).0.unwrap();
    let first = &book.steps[0];
    assert_eq!((first.id.as_str(), first.phase), ("first", Some(Phase::Diagnose)));
    assert!(first.commands.iter().all(|c| c.risk == Risk::Read && c.timeout.num_minutes() == 5));
    assert_eq!(first.commands[0].text, "kubectl get pods -n '${MW_LABEL_NAMESPACE}'");
    assert!(matches!(first.commands[0].exec, Exec::Argv(_)));
    assert_eq!(first.prose, ["A sentence"]);
    assert_eq!(first.checks[1].hint, None);
    let option = book.steps[1].options[0].command.as_ref().unwrap();
    assert_eq!((option.id.as_str(), option.risk, option.timeout.num_seconds()), ("second.option-1", Risk::Destroy, 10));
    assert_eq!(book.triggers[0].matchers.len(), 2);
    assert_eq!(book.links[1].title, "B");
    assert_eq!((book.escalation[0].assumed, book.escalation[1].assumed), (false, true));
    let stale = lint(&book, Some("2026-08-01T00:00:00Z".parse().unwrap()));
    assert!(stale.iter().any(|f| f.rule == "RB009" && f.message.contains("122 days ago")), "{stale:?}");
}

#[test]
fn words_raise_the_risk_and_never_lower_it() {
    let risk = |command: &str, said: &str| {
        let text = format!("name: R\nsteps: [{{name: S, {said} commands: [\"{command}\"]}}]\n");
        read("r.yaml", &text).0.unwrap().steps[0].commands[0].risk
    };
    for command in [
        "rm -rf /x",
        "sudo rm -f -r /x",
        "kubectl delete pod x -n y",
        "git reset --hard -q",
        "mkfs.ext4 /dev/sdb",
        "psql -c 'DROP TABLE x'",
        "kubectl drain node1 --force",
        "find /x -delete",
    ] {
        assert_eq!(risk(command, ""), Risk::Destroy, "{command}");
    }
    assert_eq!(risk("ls -l /x", ""), Risk::Unknown);
    assert_eq!(risk("ls --ignore=deleted -l", ""), Risk::Unknown);
    assert_eq!(risk("ls -l /x", "risk: destroy,"), Risk::Destroy);
    assert_eq!(risk("rm -rf /x", "risk: read,"), Risk::Destroy);
    assert_eq!(risk("ls -l /x", "risk: read,"), Risk::Read);
}

fn examples() -> Vec<Arc<Runbook>> {
    let files = folder("runbooks");
    assert!(files.len() >= 6);
    let mut books = Vec::new();
    for path in files {
        let (book, findings, _) = load(&path);
        assert_eq!(findings, vec![], "{}", path.display());
        let book = book.unwrap();
        assert_eq!(book.dialect, Dialect::V1);
        books.push(Arc::new(book));
    }
    assert_eq!(lint_together(&books), vec![]);
    books
}

/// What a responder would answer and what commands would capture.
fn sample(name: &str) -> &'static str {
    match name {
        "NAMESPACE" => "production",
        "SERVICE" => "checkout",
        "ENDPOINT" => "shop.example:443",
        "SERVER_NAME" => "shop.example",
        "CERTIFICATE" => "shop-tls",
        "NODE" => "node-7.example",
        "REPLICAS" => "12",
        "DEPLOYMENT" => "deployment/checkout",
        "QUERY_PID" => "4711",
        "WRITERS" => "1",
        "OLD_REVISION" | "OLD_REPLICAS" | "OLD_WRITERS" | "TIMEOUTS" => "7",
        other => panic!("no sample for {other}"),
    }
}

#[test]
fn every_example_can_be_walked_to_its_end() {
    for book in examples() {
        let mut values = Values::default();
        for input in &book.inputs {
            let value = sample(&input.name);
            let pattern = input.pattern.as_ref().map(|p| Regex::new(&format!("^(?:{p})$")).unwrap());
            assert!(pattern.is_none_or(|p| p.is_match(value)), "{}: {value}", input.name);
            values.offer(&input.name, value);
        }
        for (_, command) in book.parts() {
            command.capture.iter().for_each(|capture| values.offer(&capture.name, sample(&capture.name)));
        }
        let mut record = Walk { sha256: book.sha256.clone(), total: book.steps.len(), ..Walk::default() };
        let mut walked = Vec::new();
        while let Some(step) = walk::current(&book, &record, &values) {
            for (_, command) in step.parts() {
                prepared(&book, command, &values);
            }
            let end = walk::end(step, &record, StepEnd::Done).unwrap();
            let at = "2026-05-01T03:00:00Z".parse().unwrap();
            record.steps.insert(step.id.clone(), StepMark { end, actor: "alice".into(), at });
            walked.push(step.phase.unwrap());
        }
        assert_eq!(walked.first(), Some(&Phase::Acknowledge), "{}", book.id);
        assert_eq!(walked.last(), Some(&Phase::Followup), "{}", book.id);
        assert!(walked.contains(&Phase::Mitigate) && walked.contains(&Phase::Verify), "{}", book.id);
        assert_eq!(walk::progress(&book, &record).ended, book.steps.len());
    }
}

/// A command can be given exactly, wherever it is to run.
fn prepared(book: &Runbook, command: &RunCommand, values: &Values) {
    if let Exec::Query(_) = command.exec {
        return;
    }
    assert!(book.target(command).is_some(), "{}: {}", book.id, command.id);
    let here = RunCommand { target: None, ..command.clone() };
    let prepared = prepare(&here, values).unwrap_or_else(|why| panic!("{}: {}: {why}", book.id, command.text));
    let named = prepared.env.iter().all(|(name, _)| command.text.contains(&format!("${name}")));
    assert!(named && !prepared.argv.iter().any(|e| e.contains("${")), "{}: {}", book.id, command.id);
}

/// Whoever tries an example where nothing of it exists changes nothing: what changes is never the first thing, and the
/// guard before it cannot hold where its programs are not there.
#[test]
fn the_examples_change_nothing_by_accident() {
    let empty = tempfile::tempdir().unwrap();
    for book in examples() {
        assert!(!book.guards.is_empty(), "{}", book.id);
        for step in &book.steps {
            assert!(step.commands.iter().all(|c| c.risk == Risk::Read), "{}: only options change something", step.id);
            for option in step.options.iter().filter(|o| o.command.is_some()) {
                let mutation = &option.mutation;
                assert!(mutation.impact.is_some() && mutation.verify.is_some(), "{}.{}", step.id, option.id);
                assert!(mutation.rollback != Rollback::Unstated, "{}.{}", step.id, option.id);
                assert!(mutation.before.is_some() || mutation.dry_run.is_some(), "{}.{}", step.id, option.id);
            }
        }
        for guard in &book.guards {
            let program = match (book.target(&guard.command), &guard.command.exec) {
                (Some(Target::Ssh { .. }), _) => "ssh",
                (_, Exec::Argv(argv)) => argv[0].as_str(),
                _ => panic!("{} is a line for a shell that is here", guard.command.id),
            };
            let tried = std::process::Command::new(program).env("PATH", empty.path()).output();
            assert!(tried.is_err(), "{program} was found where nothing is");
        }
    }
}

#[test]
fn the_examples_answer_the_alerts_they_are_for() {
    let books = examples();
    for (alert, id) in [
        ("CheckoutErrorBudgetBurn", "checkout-bad-deploy"),
        ("CheckoutLatencyHigh", "latency-high"),
        ("ApiLatencyHigh", "latency-high"),
        ("PaymentsErrorBudgetBurn", "error-budget-burn"),
        ("DatabaseConnectionsHigh", "database-saturation"),
        ("CertificateExpiresSoon", "certificate-expiry"),
        ("DiskFull", "disk-full"),
    ] {
        let found = matches(&books, alert, &Labels::default(), &Labels::default());
        assert_eq!(found.first().map(|m| (m.runbook.as_str(), m.score)), Some((id, 1_000)), "{alert}");
    }
    let deploy = books.iter().find(|b| b.id.as_str() == "checkout-bad-deploy").unwrap();
    let actions: Vec<&str> = deploy.steps.iter().flat_map(|s| &s.options).map(|o| o.action.as_str()).collect();
    assert_eq!(actions, ["Roll back the deploy", "Scale out", "Shed load"]);
}

/// Rules that need the world: silent while nothing is known, told where it is known to differ.
#[test]
fn rules_about_the_world_speak_only_of_what_is_known() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/runbooks/v1/every-key.yaml");
    let book = load(&path).0.unwrap();
    assert_eq!(lint_knowing(&book, &Facts::default()), vec![]);
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<String>>();
    let known = |names: &[&str]| Some(Arc::new(set(names)));
    let drills = |drill: Option<Option<&str>>| {
        let on = NaiveDate::from_ymd_opt(2026, 5, 1).unwrap();
        let last = drill.map(|failed| (book.id.clone(), Rehearsal { on, failed_at: failed.map(Into::into) }));
        Facts { drills: Some(Arc::new(last.into_iter().collect())), ..Facts::default() }
    };
    for (facts, want) in [
        (Facts { now: Some("2026-05-02T00:00:00Z".parse().unwrap()), ..Facts::default() }, ""),
        (
            Facts { now: Some("2026-09-01T00:00:00Z".parse().unwrap()), ..Facts::default() },
            "1:1 RB009 last reviewed 123 days ago (a review holds 90 days)",
        ),
        (
            Facts { now: Some("2026-01-01T00:00:00Z".parse().unwrap()), ..Facts::default() },
            "1:1 RB009 reviewed on 2026-05-01, which is still to come",
        ),
        (Facts { alerts: known(&["APILatencyHigh"]), ..Facts::default() }, ""),
        (
            Facts { alerts: known(&["ApiLatencyHight", "Other"]), ..Facts::default() },
            "12:5 RB010 no rule of the servers raises the alert `APILatencyHigh` (nearest: `ApiLatencyHight`)",
        ),
        (Facts { slos: Some(Arc::new([SloId::from("api-latency")].into())), ..Facts::default() }, ""),
        (
            Facts { slos: Some(Arc::new([SloId::from("api-latnecy")].into())), ..Facts::default() },
            "89:17 RB001 there is no objective `api-latency`, so this can never hold (nearest: `api-latnecy`)",
        ),
        (
            Facts { missing_programs: Some(set(&["kubectl", "vi"])), ..Facts::default() },
            "28:5 RB012 `kubectl` is not found on the search path here; 7 commands need it",
        ),
        (Facts { contacts: known(&["senior-sre"]), ..Facts::default() }, ""),
        (
            Facts { contacts: known(&["junior-sre"]), ..Facts::default() },
            "130:5 RB014 senior-sre is not among the contacts (nearest: `junior-sre`)",
        ),
        (drills(None), "1:1 RB015 never rehearsed in a drill"),
        (drills(Some(None)), ""),
        (drills(Some(Some("gone"))), "1:1 RB015 the last drill, on 2026-05-01, failed at step `gone`"),
        (drills(Some(Some("mitigate"))), "59:5 RB015 the last drill, on 2026-05-01, failed at step `mitigate`"),
    ] {
        let told: Vec<String> = lint_knowing(&book, &facts)
            .iter()
            .map(|f| format!("{}:{} {} {}", f.line, f.column, f.rule, f.message))
            .collect();
        assert_eq!(told.join("\n"), want, "{facts:?}");
    }
    let mut linked = book;
    linked.links[0].url = "flow.png".to_owned();
    assert_eq!(lint_knowing(&linked, &Facts::default()), vec![]);
    let facts = Facts { missing_files: Some(set(&["flow.png"])), ..Facts::default() };
    assert!(lint_knowing(&linked, &facts)[0].message.starts_with("`flow.png` is not there"));
}

proptest! {
    /// Whatever is cut out of the seed or put into it: no panic, findings have places, and nothing hidden can run.
    #[test]
    fn a_damaged_runbook_is_read_as_far_as_it_goes(at in 0usize..1_500, gone in 0usize..40, put in any::<String>()) {
        let seed = include_str!("../fixtures/seeds/high-api-latency.yaml");
        let text: String = seed.chars().take(at).chain(put.chars()).chain(seed.chars().skip(at + gone)).collect();
        let (book, mut findings) = read("r.yaml", &text);
        if let Some(book) = &book {
            findings.extend(lint(book, None));
            let values = Values::of_alert("A", &Labels::default());
            for (_, command) in book.commands() {
                if let Ok(prepared) = prepare(command, &values) {
                    prop_assert!(!prepared.shown.chars().any(is_hidden));
                }
            }
        } else {
            prop_assert!(findings.iter().any(|f| f.level == Level::Error));
        }
        prop_assert!(findings.iter().all(|f| f.line > 0 && f.column > 0 && !f.message.chars().any(is_hidden)));
    }
}

//! Every rule for runbooks, RB001 to RB016, on a runbook that is good in all of them and on the same one with a single thing
//! wrong: there the rule speaks, and nowhere else.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]

use midwatch::domain::document::{Finding, Level};
use midwatch::domain::runbook::format::read;
use midwatch::domain::runbook::lint::{Facts, Rehearsal, lint_knowing};
use std::collections::BTreeSet;
use std::sync::Arc;

const GOOD: &str = r#"apiVersion: midwatch/v1
kind: Runbook
id: slow
name: Slow
owner: team-api
reviewed: 2026-05-01
triggers: [{alert: Slow}]
links: ['https://dash.example/slow', notes.md]
inputs:
  - {name: NS, from: 'label:namespace', pattern: '[a-z]{1,20}'}
targets: {edge: {ssh: edge-bastion}}
steps:
  - id: look
    name: Look
    phase: diagnose
    say: Look for what runs longer than 10 minutes.
    run:
      - {id: old, argv: [pgrep, -a, --older=10m], risk: read}
      - {id: pods, sh: 'kubectl get pods -n "$NS" -o wide', risk: read}
      - {id: far, argv: [uptime], risk: read, target: edge, timeout: 10s}
  - id: stop
    name: Stop it
    phase: mitigate
    say: Scale out.
    options:
      - id: scale
        action: Scale out to 8 replicas
        risk: change
        run: {argv: [kubectl, scale, deploy/api, -n, '${NS}', --replicas=8]}
        verify: {slo: api, burn_rate: 5m, op: '<', value: 1, for: 5m, within: 20m}
        rollback: {argv: [kubectl, scale, deploy/api, -n, '${NS}', --replicas=4], risk: change}
escalation: [{after: 15m, clock: unmitigated, contact: senior}]
"#;

fn known() -> Facts {
    let names = |names: &[&str]| Some(Arc::new(names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>()));
    let held = Rehearsal { on: "2026-05-02".parse().unwrap(), failed_at: None };
    Facts {
        now: Some("2026-05-03T00:00:00Z".parse().unwrap()),
        alerts: names(&["Slow", "Other"]),
        slos: Some(Arc::new(["api".into()].into())),
        contacts: names(&["senior", "manager"]),
        missing_programs: Some(BTreeSet::new()),
        missing_files: Some(BTreeSet::new()),
        drills: Some(Arc::new([("slow".into(), held)].into())),
    }
}

fn told(text: &str, facts: &Facts) -> Vec<Finding> {
    let (book, mut findings) = read("slow.yaml", text);
    findings.extend(book.map(|book| lint_knowing(&book, facts)).unwrap_or_default());
    findings
}

#[test]
fn every_rule_speaks_of_its_own_thing_and_is_silent_about_a_good_runbook() {
    let silent = told(GOOD, &known());
    assert_eq!(silent, vec![], "the good one");
    let mut seen = BTreeSet::new();
    for (rule, level, from, to) in [
        ("RB001", Level::Error, "    name: Look", "    nmae: Look\n    name: Look"),
        ("RB001", Level::Error, "slo: api,", "slo: apii,"),
        ("RB002", Level::Error, "[uptime]", "[Review the uptime]"),
        ("RB002", Level::Error, "[uptime]", "[\"up\u{200b}time\"]"),
        ("RB003", Level::Error, ", pattern: '[a-z]{1,20}'", ""),
        ("RB003", Level::Error, "'${NS}', --replicas=8", "'${SPACE}', --replicas=8"),
        ("RB004", Level::Error, "\"$NS\"", "$NS"),
        ("RB004", Level::Error, "sh: 'kubectl", "sh: 'eval kubectl"),
        ("RB005", Level::Error, "[uptime]", "[rm, -rf, /var/tmp/x]"),
        (
            "RB006",
            Level::Error,
            "        rollback: {argv: [kubectl, scale, deploy/api, -n, '${NS}', --replicas=4], risk: change}\n",
            "",
        ),
        (
            "RB006",
            Level::Warning,
            "        verify: {slo: api, burn_rate: 5m, op: '<', value: 1, for: 5m, within: 20m}\n",
            "",
        ),
        ("RB007", Level::Error, "[uptime]", "[uptime, '<host>']"),
        ("RB008", Level::Warning, "deploy/api, -n, '${NS}', --replicas=8", "deploy/api, --replicas=8"),
        ("RB009", Level::Warning, "owner: team-api\n", ""),
        ("RB009", Level::Warning, "2026-05-01", "2024-05-01"),
        ("RB010", Level::Warning, "triggers: [{alert: Slow}]\n", ""),
        ("RB010", Level::Warning, "alert: Slow", "alert: Slwo"),
        ("RB011", Level::Warning, "https://", "http://"),
        ("RB012", Level::Warning, ", timeout: 10s", ""),
        ("RB013", Level::Warning, "say: Scale out.", "say: TODO"),
        ("RB014", Level::Warning, ", clock: unmitigated", ""),
        ("RB014", Level::Warning, "contact: senior", "contact: seniro"),
        ("RB015", Level::Info, "id: slow", "id: other"),
        ("RB016", Level::Warning, "to 8 replicas", "to 9 replicas"),
    ] {
        let broken = GOOD.replacen(from, to, 1);
        assert_ne!(broken, GOOD, "{rule}: `{from}` is not there");
        let found = told(&broken, &known());
        assert!(found.iter().any(|f| f.rule == rule && f.level == level), "{rule} says nothing of `{to}`: {found:?}");
        assert!(found.iter().all(|f| f.line > 0 && f.column > 0 && f.path == "slow.yaml"), "{found:?}");
        seen.insert(rule);
    }
    assert_eq!(seen.len(), 16, "{seen:?}");
}

#[test]
fn what_is_known_around_speaks_for_itself_and_what_is_not_known_never() {
    let here = |change: fn(&mut Facts)| {
        let mut facts = known();
        change(&mut facts);
        told(GOOD, &facts).iter().map(|f| f.rule.clone()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(here(|f| f.alerts = Some(Arc::default())), "RB010");
    assert_eq!(here(|f| f.slos = Some(Arc::default())), "RB001");
    assert_eq!(here(|f| f.contacts = Some(Arc::default())), "RB014");
    assert_eq!(here(|f| f.missing_programs = Some(["pgrep".to_owned()].into())), "RB012");
    assert_eq!(here(|f| f.missing_files = Some(["notes.md".to_owned()].into())), "RB011");
    assert_eq!(here(|f| f.drills = Some(Arc::default())), "RB015");
    assert_eq!(here(|f| f.now = Some("2027-05-03T00:00:00Z".parse().unwrap())), "RB009");
    assert_eq!(here(|f| *f = Facts::default()), "");
}

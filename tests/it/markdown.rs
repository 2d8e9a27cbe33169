//! Pages of Markdown as they really look, in the four shapes of public collections, as runbooks: what is a step, what is
//! offered as a command, what is refused, and that nothing of a page can ever run.

use midwatch::domain::document::Level;
use midwatch::domain::ids::RunbookId;
use midwatch::domain::runbook::format;
use midwatch::domain::runbook::lint::lint;
use midwatch::domain::runbook::markdown::write::write;
use midwatch::domain::runbook::markdown::{COMMAND_LIMIT, INPUT_LIMIT, Page, STEP_LIMIT, read};
use midwatch::domain::runbook::model::{Dialect, Exec, Risk, Runbook};
use proptest::prelude::*;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/markdown")
}

/// Every page: its name below the folder, and its text.
fn pages() -> Vec<(String, String)> {
    let mut all = Vec::new();
    for folder in ["gitlab", "kubevirt", "openshift", "operator"] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = format!("{folder}/{}", path.file_name().unwrap().to_str().unwrap());
            all.push((name, std::fs::read_to_string(&path).unwrap()));
        }
    }
    all.sort();
    all
}

fn page(name: &str) -> Page {
    read(name, &std::fs::read_to_string(root().join(name)).unwrap())
}

fn book(name: &str) -> Runbook {
    page(name).runbook.unwrap()
}

fn commands(book: &Runbook) -> Vec<&str> {
    book.commands().map(|(_, command)| command.text.as_str()).collect()
}

/// Steps, commands that are offered, lines that are refused, values that are asked for; read by hand against each page.
const TABLE: &[(&str, usize, usize, usize, usize)] = &[
    ("gitlab/api-latency.md", 5, 4, 0, 0),
    ("gitlab/backup-restore.md", 5, 4, 0, 3),
    ("gitlab/cdn-purge.md", 2, 2, 0, 1),
    ("gitlab/disk-full.md", 4, 2, 0, 0),
    ("gitlab/empty.md", 0, 0, 0, 0),
    ("gitlab/headings-only.md", 0, 0, 0, 0),
    ("gitlab/on-call-handover.md", 1, 0, 0, 0),
    ("gitlab/pages-404.md", 4, 2, 1, 0),
    ("gitlab/postgres-locks.md", 3, 2, 2, 0),
    ("gitlab/redis-failover.md", 4, 3, 1, 0),
    ("gitlab/runner-queue.md", 4, 3, 0, 0),
    ("gitlab/sidekiq.md", 4, 3, 2, 1),
    ("gitlab/stuck-jobs.md", 3, 0, 1, 0),
    ("gitlab/unclosed.md", 3, 0, 2, 0),
    ("kubevirt/GuestMemoryHigh.md", 4, 2, 1, 1),
    ("kubevirt/HandlerDown.md", 3, 3, 1, 0),
    ("kubevirt/ImporterStuck.md", 3, 3, 0, 0),
    ("kubevirt/MigrationFailing.md", 5, 4, 0, 3),
    ("kubevirt/NetworkMissing.md", 3, 1, 0, 1),
    ("kubevirt/OperatorRestarts.md", 3, 3, 0, 1),
    ("kubevirt/SnapshotOld.md", 3, 3, 0, 2),
    ("kubevirt/VirtApiAway.md", 5, 3, 0, 0),
    ("openshift/AuditLogSilent.md", 3, 1, 1, 0),
    ("openshift/ConfigDaemonDrain.md", 3, 1, 1, 2),
    ("openshift/ImageRegistryFull.md", 6, 5, 0, 3),
    ("openshift/IngressDown.md", 5, 2, 0, 0),
    ("openshift/KubeletBusy.md", 3, 2, 2, 0),
    ("openshift/NodeNotReachable.md", 3, 3, 1, 1),
    ("openshift/OperatorDegraded.md", 5, 3, 0, 2),
    ("openshift/ProxyWrong.md", 3, 3, 1, 1),
    ("openshift/PruningBroken.md", 4, 3, 0, 1),
    ("openshift/QuotaReached.md", 3, 1, 1, 1),
    ("openshift/SamplesFailing.md", 3, 1, 2, 0),
    ("openshift/StorageNearFull.md", 4, 3, 3, 0),
    ("openshift/VolumeStuck.md", 3, 4, 1, 1),
    ("openshift/etcdMembersSlow.md", 4, 1, 3, 0),
    ("operator/ApiErrorsHigh.md", 6, 0, 0, 0),
    ("operator/CertificateSoon.md", 4, 3, 0, 1),
    ("operator/ClockSkew.md", 3, 3, 0, 0),
    ("operator/ConfigReloadFailed.md", 3, 0, 0, 0),
    ("operator/MemoryPressure.md", 3, 0, 0, 0),
    ("operator/NodeDiskFilling.md", 4, 2, 0, 1),
    ("operator/QueueBacklogGrowing.md", 3, 0, 0, 0),
    ("operator/SchedulerAbsent.md", 1, 0, 0, 0),
    ("operator/TargetMissing.md", 3, 1, 0, 2),
    ("operator/ThrottlingHigh.md", 4, 2, 0, 2),
    ("operator/Watchdog.md", 3, 0, 0, 0),
];

#[test]
fn every_page_yields_what_a_person_reads_in_it() {
    let told: Vec<(String, usize, usize, usize, usize)> = pages()
        .into_iter()
        .map(|(name, text)| {
            let page = read(&name, &text);
            let steps = page.runbook.as_ref().map_or(0, |b| b.steps.len());
            let offered = page.runbook.as_ref().map_or(0, |b| b.commands().count());
            let asked = page.runbook.as_ref().map_or(0, |b| b.inputs.len());
            (name, steps, offered, page.rejected.len(), asked)
        })
        .collect();
    let want: Vec<_> = TABLE.iter().map(|(name, a, b, c, d)| ((*name).to_owned(), *a, *b, *c, *d)).collect();
    assert!(told.len() >= 40, "{} pages", told.len());
    assert_eq!(told, want);
}

#[test]
fn nothing_of_a_page_can_run() {
    for (name, text) in pages() {
        let page = read(&name, &text);
        let Some(book) = &page.runbook else { continue };
        assert_eq!(book.dialect, Dialect::Markdown, "{name}");
        assert!(!book.is_runnable());
        for (part, command) in book.parts() {
            assert_eq!(command.risk, Risk::Unknown, "{name}: {part:?} {}", command.text);
        }
        assert!(page.warnings.iter().all(|w| w.level < Level::Error), "{name}: {:?}", page.warnings);
        assert!(lint(book, None).iter().all(|f| f.level < Level::Error), "{name}");
        let (opened, _) = format::read(&name, &text);
        assert_eq!(opened.as_ref(), Some(book), "opened by its name as it is imported");
    }
}

#[test]
fn what_happens_inside_a_session_is_refused() {
    let etcd = page("openshift/etcdMembersSlow.md");
    let own = etcd.runbook.unwrap();
    let opener = own.commands().next().unwrap().1;
    assert!(opener.tty && opener.text == "oc rsh -n openshift-etcd etcd-master-0");
    let refused: Vec<&str> = etcd.rejected.iter().map(|r| r.text.as_str()).collect();
    assert_eq!(
        refused,
        [
            "sh-4.4# etcdctl endpoint status -w table",
            "sh-4.4# etcdctl defrag",
            "oc logs -n openshift-etcd etcd-master-0 -c etcd --tail=50"
        ]
    );
    assert!(
        etcd.rejected[2]
            .why
            .contains("inside the session that `oc rsh -n openshift-etcd etcd-master-0` opened at line 16")
    );
    // A session ends with its section, and a command given to a session opener is none.
    assert!(commands(&book("openshift/NodeNotReachable.md")).contains(&"oc adm cordon <node>"));
    assert_eq!(page("openshift/VolumeStuck.md").rejected.len(), 1);
    assert!(
        commands(&book("openshift/StorageNearFull.md"))
            .contains(&"oc rsh -n openshift-storage deploy/tools ceph status")
    );
}

#[test]
fn output_is_not_a_command() {
    let log = page("openshift/ConfigDaemonDrain.md");
    assert_eq!(
        commands(log.runbook.as_ref().unwrap()),
        ["oc delete pod <pod> -n <namespace> --force --grace-period=0"]
    );
    let step = &book("kubevirt/ImporterStuck.md").steps[1];
    assert!(step.say.contains("expected output:\n    NAMESPACE   NAME"), "{}", step.say);
    let sql = book("gitlab/stuck-jobs.md");
    assert!(sql.steps[1].say.contains("SQL, runs in another program:"), "{}", sql.steps[1].say);
    assert_eq!(sql.commands().count(), 0);
    assert_eq!(book("gitlab/runner-queue.md").commands().filter(|(_, c)| c.text.contains("rm ")).count(), 0);
}

#[test]
fn an_unclosed_block_swallows_nothing_and_gives_nothing() {
    let torn = page("openshift/QuotaReached.md");
    let book = torn.runbook.as_ref().unwrap();
    let names: Vec<&str> = book.steps.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["Read first", "Diagnosis", "Mitigation"]);
    assert_eq!(commands(book), ["oc edit quota -n $NAMESPACE"]);
    assert_eq!(torn.rejected[0].text, "oc describe quota -n $NAMESPACE");
    assert_eq!((torn.warnings[0].rule.as_str(), torn.warnings[0].line), ("MD004", 9));
    let page = page("gitlab/unclosed.md");
    assert_eq!(page.runbook.unwrap().commands().count(), 0);
    assert_eq!(page.warnings.iter().filter(|w| w.rule == "MD004").count(), 2);
}

#[test]
fn names_phases_triggers_and_marks() {
    let registry = book("openshift/ImageRegistryFull.md");
    assert_eq!(registry.id, RunbookId("imageregistryfull".into()));
    assert_eq!(registry.triggers[0].alert, "ImageRegistryFull");
    let phases: Vec<_> = registry.steps.iter().map(|s| s.phase.map_or("-", |p| p.word())).collect();
    assert_eq!(phases, ["-", "diagnose", "diagnose", "diagnose", "mitigate", "mitigate"]);
    assert_eq!(registry.steps[2].commands[0].capture[0].name, "POD");
    assert_eq!(registry.steps[2].commands[1].mark.line, 23);
    assert_eq!(registry.inputs[0].default.as_deref(), Some("openshift-image-registry"));
    assert_eq!(book("openshift/etcdMembersSlow.md").triggers[0].alert, "etcdMembersSlow");
    for name in ["gitlab/api-latency.md", "gitlab/sidekiq.md", "gitlab/on-call-handover.md"] {
        assert_eq!(book(name).triggers, [], "{name}");
    }
    let certificate = book("operator/CertificateSoon.md");
    assert_eq!(certificate.owner.as_deref(), Some("team-platform"));
    assert!(certificate.reviewed.is_some());
    let all = certificate.steps.iter().map(|s| s.say.as_str()).collect::<String>();
    assert!(!all.contains("must not be shown") && !all.contains("{{<") && all.contains("The issuer refuses"), "{all}");
    assert!(book("operator/TargetMissing.md").steps[0].say.contains("Details: Full context"));
}

#[test]
fn a_long_page_is_bounded_and_whole() {
    let mut text = String::from("# Long\n\n## Resolution\n\n");
    for n in 0..STEP_LIMIT + 20 {
        text.push_str(&format!("### Part {n}\n\n```bash\nkubectl get pods -n part-{n}\n```\n\n"));
    }
    let page = read("long.md", &text);
    let book = page.runbook.unwrap();
    assert_eq!((book.steps.len(), book.commands().count()), (STEP_LIMIT, STEP_LIMIT));
    assert_eq!(page.warnings[0].rule, "MD002");
    let mut flood = String::from("# Flood\n\n```bash\n");
    (0..30_000).for_each(|n| flood.push_str(&format!("$ ls -l \"$V{n}\"\n")));
    let flood = read("flood.md", &format!("{flood}```\n"));
    let book = flood.runbook.unwrap();
    assert_eq!((book.commands().count(), book.inputs.len()), (COMMAND_LIMIT, INPUT_LIMIT));
    assert!(flood.warnings[0].message.starts_with("29000 commands"), "{:?}", flood.warnings);
    let large = read("large.md", &"a".repeat(2 << 20));
    assert!(large.runbook.is_none() && large.warnings[0].rule == "too-large");
}

/// Markdown that is more often odd than not.
fn markdown() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("---\n".to_owned()),
        Just("```\n".to_owned()),
        Just("```bash\n".to_owned()),
        Just("   ````console x\n".to_owned()),
        Just("~~~\n".to_owned()),
        Just("<!--".to_owned()),
        Just("-->\n".to_owned()),
        Just("{{< x >}}".to_owned()),
        Just("{{".to_owned()),
        Just("<details><summary>".to_owned()),
        Just("\n\n".to_owned()),
        Just("## Mitigation\n".to_owned()),
        Just("### é\n".to_owned()),
        Just("$ kubectl delete pod <pod> --force\n".to_owned()),
        Just("$ export A=$(oc get x) \\\n".to_owned()),
        Just("oc rsh <\u{202e}pod>\n".to_owned()),
        Just("sh-4.4# rm -rf /\n".to_owned()),
        Just("rm -rf /var\n".to_owned()),
        Just("NS='<name>'\n".to_owned()),
        Just("1. ".to_owned()),
        Just("   - ".to_owned()),
        Just("> ".to_owned()),
        Just("    ".to_owned()),
        Just("\t".to_owned()),
        Just("\r\n".to_owned()),
        Just("[a]: http://x\n".to_owned()),
        Just("XXX".to_owned()),
        any::<String>(),
        "[ -~]{0,40}\n",
    ];
    proptest::collection::vec(part, 0..40).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn no_text_panics_and_nothing_is_ever_more_than_unknown(text in markdown()) {
        let page = read("x/SomeAlert.md", &text);
        if let Some(book) = &page.runbook {
            for (_, command) in book.parts() {
                prop_assert_eq!(command.risk, Risk::Unknown);
                prop_assert!(!command.text.contains('\n') && !command.text.chars().any(midwatch::domain::text::is_hidden));
            }
            let mut ids: Vec<&str> = book.steps.iter().map(|s| s.id.as_str()).collect();
            ids.sort_unstable();
            ids.dedup();
            prop_assert_eq!(ids.len(), book.steps.len());
            prop_assert!(book.steps.iter().all(|s| s.id.as_str().len() <= 64));
        }
        if let Some(written) = write(&page) {
            let (node, findings) = midwatch::domain::document::parse("out.yaml", &written.yaml);
            prop_assert!(node.is_some() && findings.is_empty(), "{:?}\n{}", findings, written.yaml);
            let (back, findings) = format::read("out.yaml", &written.yaml);
            prop_assert!(back.is_some() && findings.iter().all(|f| f.level < Level::Error), "{:?}\n{}", findings, written.yaml);
        }
        for finding in page.findings("x/SomeAlert.md") {
            prop_assert!(finding.line >= 1 && finding.line <= text.lines().count().max(1));
        }
    }
}

#[test]
fn what_is_written_is_read_back_and_only_a_person_can_make_it_run_freely() {
    for (name, text) in pages() {
        let page = read(&name, &text);
        let Some(written) = write(&page) else { continue };
        let (back, findings) = format::read("new.yaml", &written.yaml);
        let errors: Vec<_> = findings.iter().filter(|f| f.level == Level::Error).collect();
        assert_eq!(errors, Vec::<&midwatch::domain::document::Finding>::new(), "{name}\n{}", written.yaml);
        let (page, back) = (page.runbook.unwrap(), back.unwrap());
        assert_eq!(back.dialect, Dialect::V1);
        assert_eq!((back.id.as_str(), back.name.as_str()), (page.id.as_str(), page.name.as_str()), "{name}");
        assert_eq!(back.steps.len(), page.steps.len(), "{name}");
        assert_eq!(back.commands().count(), written.commands.len(), "{name}");
        for (step, command) in back.commands() {
            match &command.exec {
                // A query has no other risk: it is asked of a server and starts nothing.
                Exec::Query(_) => assert_eq!(command.risk, Risk::Read),
                // The words of a command may only raise what nobody judged.
                _ => assert!(
                    matches!(command.risk, Risk::Unknown | Risk::Destroy),
                    "{name} {}: {}",
                    step.id,
                    command.text
                ),
            }
        }
        // How a removal is taken back is for a person to say; nothing else is left that is wrong.
        let left = lint(&back, None).into_iter().filter(|f| f.level == Level::Error && f.rule != "RB006");
        assert_eq!(left.collect::<Vec<_>>(), [], "{name}\n{}", written.yaml);
    }
}

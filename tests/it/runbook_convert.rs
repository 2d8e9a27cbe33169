//! From the plain form to `midwatch/v1`: nothing is lost, nothing becomes dangerous or harmless on the way, and what comes
//! out is a file that opens.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use midwatch::domain::document::{Finding, Level};
use midwatch::domain::runbook::convert::convert;
use midwatch::domain::runbook::format::read;
use midwatch::domain::runbook::lint::lint;
use midwatch::domain::runbook::model::{Dialect, Exec, Risk, RunCommand, Runbook};
use proptest::prelude::*;
use std::path::{Path, PathBuf};

/// Rules under which a converted file may have errors: each is a blank that the old file had and only a person can fill. A
/// name without a source (RB003), a variable that a shell would split (RB004), a change that somebody declared without a way
/// back (RB006), a placeholder (RB007).
const BLANKS: [&str; 4] = ["RB003", "RB004", "RB006", "RB007"];

fn plain_files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["tests/fixtures/runbooks/plain", "tests/fixtures/runbooks/good", "tests/fixtures/seeds"];
    let all = folders.iter().flat_map(|folder| std::fs::read_dir(root.join(folder)).unwrap());
    let mut files: Vec<PathBuf> = all.map(|entry| entry.unwrap().path()).collect();
    files.push(root.join("assets/runbook.yaml"));
    files.retain(|path| path.extension().is_some_and(|e| e == "yaml"));
    files.sort();
    files
}

fn both(name: &str, text: &str) -> Option<(Runbook, Runbook, Vec<Finding>, String)> {
    let old = read(name, text).0.filter(|book| book.dialect == Dialect::Seed && !text.contains("service_level"))?;
    let converted = convert(&old, text);
    let (new, findings) = read(name, &converted.text);
    let new = new.unwrap_or_else(|| panic!("{name} does not open:\n{}\n{findings:?}", converted.text));
    Some((old, new, findings, converted.text))
}

/// The words that run, whichever way they are written.
fn words(command: &RunCommand) -> Vec<String> {
    let bare = |word: &str| word.replace("${", "$").replace(['}', '"', '\''], "");
    match &command.exec {
        Exec::Argv(argv) => argv.iter().flat_map(|e| e.split(' ')).map(bare).filter(|w| !w.is_empty()).collect(),
        Exec::Sh(line) | Exec::Query(line) => line.split(' ').map(bare).filter(|w| !w.is_empty()).collect(),
    }
}

fn same(old: &Runbook, new: &Runbook) {
    assert_eq!(new.dialect, Dialect::V1);
    assert_eq!((&old.id, &old.name, &old.severity), (&new.id, &new.name, &new.severity));
    assert_eq!((&old.owner, old.reviewed, old.review_every), (&new.owner, new.reviewed, new.review_every));
    assert_eq!(old.description.trim_end(), new.description);
    let triggers = |book: &Runbook| {
        book.triggers.iter().map(|t| (t.alert.clone(), t.matchers.clone(), t.expr.clone(), t.for_)).collect::<Vec<_>>()
    };
    assert_eq!(triggers(old), triggers(new));
    let rungs =
        |book: &Runbook| book.escalation.iter().map(|r| (r.after, r.contact.clone(), r.clock)).collect::<Vec<_>>();
    assert_eq!(rungs(old), rungs(new));
    assert_eq!(old.steps.len(), new.steps.len());
    for (a, b) in old.steps.iter().zip(&new.steps) {
        assert_eq!((&a.id, &a.name, a.phase, a.say.trim_end()), (&b.id, &b.name, b.phase, b.say.as_str()));
        let todo: Vec<&String> = a.prose.iter().chain(&a.todos).collect();
        assert_eq!(todo, b.todos.iter().collect::<Vec<_>>());
        let asked = |step: &midwatch::domain::runbook::model::Step| {
            step.checks.iter().map(|c| (c.question.clone(), c.hint.clone())).collect::<Vec<_>>()
        };
        assert_eq!(asked(a), asked(b));
        let chosen = |step: &midwatch::domain::runbook::model::Step| {
            step.options.iter().map(|o| (o.id.clone(), o.action.clone(), o.prose.clone())).collect::<Vec<_>>()
        };
        assert_eq!(chosen(a), chosen(b));
        assert_eq!(
            a.links.iter().map(|l| &l.url).collect::<Vec<_>>(),
            b.links.iter().map(|l| &l.url).collect::<Vec<_>>()
        );
    }
    for ((_, a), (_, b)) in old.commands().zip(new.commands()) {
        assert_eq!((words(a), a.timeout, &a.id), (words(b), b.timeout, &b.id));
        assert!(b.risk >= a.risk.min(Risk::Unknown), "{}: {:?} became {:?}", a.text, a.risk, b.risk);
        if a.risk == Risk::Unknown {
            assert_eq!(b.risk, Risk::Unknown, "{}", a.text);
        }
    }
    assert_eq!(old.commands().count(), new.commands().count());
    // Nothing that was only proposed is in force.
    assert!(
        new.guards.is_empty() && new.steps.iter().flat_map(|s| &s.options).all(|o| o.mutation == Default::default())
    );
}

#[test]
fn what_comes_out_opens_and_says_the_same() {
    let mut done = 0;
    for path in plain_files() {
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        let Some((old, new, mut findings, converted)) = both(name, &text) else { continue };
        same(&old, &new);
        findings.extend(lint(&new, None));
        let wrong = |f: &&Finding| f.level == Level::Error && !BLANKS.contains(&f.rule.as_str());
        let wrong: Vec<&Finding> = findings.iter().filter(wrong).collect();
        assert!(wrong.is_empty(), "{name}: {wrong:?}\n{converted}");
        done += 1;
    }
    assert!(done >= 10, "only {done} files were converted");
}

#[test]
fn the_seed_becomes_this_file_without_an_error() {
    let seed = include_str!("../fixtures/seeds/high-api-latency.yaml");
    let (_, new, mut findings, text) = both("runbooks/high-api-latency.yaml", seed).unwrap();
    assert_eq!(text, include_str!("../fixtures/runbooks/converted/high-api-latency.yaml"));
    findings.extend(lint(&new, None));
    assert!(findings.iter().all(|f| f.level < Level::Error), "{findings:?}");
    assert!(new.commands().all(|(_, c)| c.risk == Risk::Unknown && matches!(c.exec, Exec::Argv(_))));
}

#[test]
fn what_a_person_said_stays_and_what_words_say_is_proposed() {
    let text = "# why this exists\nname: R\nsteps:\n  # about the first\n  - name: S\n    risk: read\n    commands:\n      \
                - ls -l /x\n      - ls -l /x | sort\n  - name: T\n    commands: [rm -rf /x, ls -l $dir]\n";
    let (_, new, _, converted) = both("r.yaml", text).unwrap();
    let risks: Vec<Risk> = new.commands().map(|(_, c)| c.risk).collect();
    // The reader raises what destroys, whatever the file says.
    assert_eq!(risks, [Risk::Read, Risk::Read, Risk::Destroy, Risk::Unknown]);
    for line in [
        "# why this exists",
        "  # about the first\n  - id: s",
        "        sh: 'ls -l /x | sort'\n        risk: read\n",
        "        # proposed: risk: destroy (`rm -r` destroys)\n        risk: unknown\n",
        "# blank: $dir needs a name in upper case, here and in its command; then declare it",
    ] {
        assert!(converted.contains(line), "{line}\n{converted}");
    }
}

proptest! {
    /// Whatever a plain file holds, what is made of it opens, and no command in it is easier to run than before.
    #[test]
    fn any_plain_file_that_opens_becomes_one_that_opens(at in 0usize..1_500, gone in 0usize..40, put in "\\PC{0,30}") {
        let seed = include_str!("../fixtures/seeds/high-api-latency.yaml");
        let text: String = seed.chars().take(at).chain(put.chars()).chain(seed.chars().skip(at + gone)).collect();
        if let Some((old, new, findings, _)) = both("r.yaml", &text) {
            prop_assert!(!findings.iter().any(|f| f.rule == "RB001" && f.level == Level::Error && !f.message.contains("PromQL")), "{:?}", findings);
            let risks = |book: &Runbook| book.commands().map(|(_, c)| c.risk).collect::<Vec<_>>();
            prop_assert_eq!(risks(&old), risks(&new));
        }
    }
}

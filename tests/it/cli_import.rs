//! `midwatch runbook import`, and pages of Markdown among the configured runbooks, as a script sees them.

use crate::cli::Machine;
use std::path::Path;

fn machine() -> Machine {
    let machine = Machine::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/markdown");
    for name in [
        "openshift/ImageRegistryFull.md",
        "openshift/etcdMembersSlow.md",
        "gitlab/backup-restore.md",
        "gitlab/empty.md",
    ] {
        machine.write(&format!("docs/{name}"), &std::fs::read_to_string(root.join(name)).unwrap());
    }
    machine.write("docs/README.md", "# About this folder\n");
    machine.write("docs/notes.txt", "no page\n");
    machine.write("config.yaml", "responder: {name: alice}\nrunbooks: [docs/]\n");
    machine
}

#[test]
fn a_folder_is_imported_page_by_page_and_never_twice() {
    let machine = machine();
    let said = machine.run("runbook import c/docs --to c/new -o json");
    assert_eq!(said.code, 0, "{}", said.err);
    let json = said.json();
    let files = json["files"].as_array().unwrap();
    assert_eq!(files.len(), 4, "{json}");
    let of = |name: &str| files.iter().find(|f| f["path"].as_str().unwrap().ends_with(name)).unwrap();
    let registry = of("ImageRegistryFull.md");
    assert_eq!((registry["runbook"].as_str(), registry["steps"].as_u64()), (Some("imageregistryfull"), Some(6)));
    assert_eq!(registry["commands"].as_array().unwrap().len(), 5);
    assert_eq!(registry["inputs"], serde_json::json!(["NAMESPACE", "CLAIM", "SIZE"]));
    for file in files {
        for command in file["commands"].as_array().unwrap() {
            assert_eq!(command["risk"], "unknown", "{command}");
            assert!(command["text"].is_string());
        }
        assert!(file["rejected"].is_array() && file["warnings"].is_array());
    }
    let restore = of("backup-restore.md");
    assert_eq!(restore["commands"].as_array().unwrap().len(), 2);
    let rejected = restore["rejected"].as_array().unwrap();
    assert_eq!(rejected.len(), 2, "{restore}");
    assert!(rejected.iter().all(|r| r["why"].as_str().unwrap().contains("second shell") && r["text"].is_string()));
    assert_eq!(of("empty.md")["written"], serde_json::Value::Null);
    assert_eq!(of("empty.md")["warnings"][0]["rule"], "MD003");

    let written = machine.dir.path().join("c/new/imageregistryfull.yaml");
    std::fs::write(&written, "mine\n").unwrap();
    let again = machine.run("runbook import c/docs --to c/new");
    assert_eq!(again.code, 1, "nothing was written");
    assert!(again.err.contains("is there already and is not overwritten"), "{}", again.err);
    assert_eq!(std::fs::read_to_string(&written).unwrap(), "mine\n");
}

#[test]
fn what_was_named_and_gave_nothing_is_an_answer_of_no() {
    let machine = machine();
    for line in ["c/docs/notes.txt", "c/docs/gitlab/empty.md", "c/not-there.md", "c/docs/nothing"] {
        let said = machine.run(&format!("runbook import {line} --to c/new"));
        assert_eq!(said.code, 1, "{line}: {}", said.err);
        assert!(said.err.contains("error"), "{line}: {}", said.err);
    }
    let mixed = machine.run("runbook import c/not-there.md c/docs/gitlab/backup-restore.md --to c/new");
    assert_eq!(mixed.code, 1);
    assert!(machine.dir.path().join("c/new/backup-restore.yaml").is_file(), "the others are imported: {}", mixed.err);
    let refused = machine.run("runbook import c/docs --to c/other --read-only");
    assert_eq!(refused.code, 1);
    assert!(!machine.dir.path().join("c/other").exists());
}

#[test]
fn pages_are_runbooks_that_never_run() {
    let machine = machine();
    let list = machine.run("runbook list -o json").json();
    let ids: Vec<&str> = list["runbooks"].as_array().unwrap().iter().filter_map(|b| b["id"].as_str()).collect();
    assert_eq!(ids, ["backup-restore", "imageregistryfull", "etcdmembersslow"]);
    let shown = machine.run("runbook show etcdmembersslow -o json").json();
    assert_eq!(shown["steps"][1]["commands"][0]["risk"], "unknown");
    let found = machine.run("runbook match --alert etcdMembersSlow -o json").json();
    assert_eq!(found["matches"][0]["id"], "etcdmembersslow");
    let lint = machine.run("runbook lint -o json");
    assert_eq!(lint.json()["files"], 4);
    assert!(lint.out.contains("MD010"), "{}", lint.out);
    let check = machine.run("check c/docs/openshift/etcdMembersSlow.md -o json");
    assert_eq!(check.code, 0, "{}", check.out);

    assert_eq!(machine.run("incident declare --title t --severity SEV2").code, 0);
    let mut command = machine.command();
    command.args(["runbook", "walk", "imageregistryfull", "--incident", "last", "--arm"]);
    let output = command.write_stdin("next\nnext\nrun 1\ny\nquit\n").output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(out.contains("never run"), "{out}");
    let json = machine.run("incident show last -o json").json();
    let kinds: Vec<&str> = json["timeline"].as_array().unwrap().iter().filter_map(|e| e["kind"].as_str()).collect();
    assert!(kinds.contains(&"runbook") && !kinds.contains(&"command"), "{kinds:?}");
}

//! The table of keys of runbook files against its users: the readers take every key and no other, the schema and the
//! reference page name the same ones.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use midwatch::domain::document::{Finding, Level};
use midwatch::domain::runbook::format::read;
use midwatch::domain::runbook::keys::{Object, Takes, Without, below, places, seed, v1};
use midwatch::domain::runbook::reference;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A dialect's root and a file that has every key of it.
fn dialects() -> [(&'static Object, Value); 2] {
    let parse = |text: &str| serde_yaml::from_str::<Value>(text).unwrap();
    [
        (&v1::RUNBOOK, parse(include_str!("../fixtures/runbooks/v1/every-key.yaml"))),
        (&seed::RUNBOOK, parse(include_str!("../fixtures/runbooks/good/every-key.yaml"))),
    ]
}

/// Pointers to the maps of a value that are this object, and to those inside.
fn maps(object: &'static Object, value: &Value, at: &str, out: &mut Vec<(String, &'static Object)>) {
    let Some(map) = value.as_object() else { return };
    out.push((at.to_owned(), object));
    for key in object.keys {
        let (Some(inner), Some(below)) = (map.get(key.name), key.takes.object()) else { continue };
        let here = format!("{at}/{}", key.name);
        match (inner, &key.takes) {
            (Value::Object(named), Takes::Named(_)) => {
                named.iter().for_each(|(name, inner)| maps(below, inner, &format!("{here}/{name}"), out));
            }
            (Value::Array(items), _) => {
                items.iter().enumerate().for_each(|(n, inner)| maps(below, inner, &format!("{here}/{n}"), out));
            }
            _ => maps(below, inner, &here, out),
        }
    }
}

fn told(value: &Value) -> BTreeSet<String> {
    // JSON is YAML.
    let (_, findings) = read("r.yaml", &value.to_string());
    findings.into_iter().map(|f| format!("{} {}", f.rule, f.message)).collect()
}

/// Something that cannot stand behind a key.
fn wrong(takes: &Takes) -> Value {
    match takes {
        Takes::Maps(_) | Takes::List(_) => json!([[1]]),
        Takes::Map(_) | Takes::Named(_) => json!([1]),
        Takes::Line => json!({"x": 1}),
        Takes::Lines => json!([{"x": 1}]),
        _ => json!({"x": 1}),
    }
}

#[test]
fn every_key_of_the_table_is_read() {
    for (root, file) in dialects() {
        let good = told(&file);
        let mut found = Vec::new();
        maps(root, &file, "", &mut found);
        let mut seen = BTreeSet::new();
        for (at, object) in found {
            for key in object.keys {
                let mut broken = file.clone();
                let Some(place) = broken.pointer_mut(&at).unwrap().get_mut(key.name) else { continue };
                *place = wrong(&key.takes);
                let new: Vec<String> = told(&broken).difference(&good).cloned().collect();
                assert!(!new.is_empty(), "nobody misses a good `{}` at {at} of a {}", key.name, object.name);
                seen.insert((object.name, key.name));
            }
        }
        for (_, object) in places(root) {
            for key in object.keys {
                assert!(
                    seen.contains(&(object.name, key.name)),
                    "no `{}` of a {} in the fixture",
                    key.name,
                    object.name
                );
            }
        }
    }
}

#[test]
fn what_is_not_in_the_table_is_told_with_its_place() {
    for (root, file) in dialects() {
        let mut found = Vec::new();
        maps(root, &file, "", &mut found);
        for (at, object) in found {
            let mut broken = file.clone();
            broken.pointer_mut(&at).unwrap()["zzzzzzzz"] = json!("x");
            let text = serde_json::to_string_pretty(&broken).unwrap();
            let (book, findings) = read("r.yaml", &text);
            assert!(book.is_some(), "an unknown key at {at} closed the runbook");
            let line = text.lines().position(|line| line.contains("zzzzzzzz")).unwrap() + 1;
            let unknown = |f: &&Finding| f.message.contains("unknown key `zzzzzzzz`") && f.line == line;
            let finding = findings.iter().find(unknown).unwrap_or_else(|| panic!("{at} of a {}", object.name));
            assert_eq!(finding.level, Level::Error);
            assert!(finding.message.contains(object.what), "{finding}");
        }
    }
}

#[test]
fn what_must_be_there_is_missed() {
    for (root, file) in dialects() {
        let good = told(&file);
        let mut found = Vec::new();
        maps(root, &file, "", &mut found);
        for (at, object) in found {
            for key in object.keys.iter().filter(|key| key.without == Without::Required && key.name != "apiVersion") {
                let mut broken = file.clone();
                broken.pointer_mut(&at).unwrap().as_object_mut().unwrap().remove(key.name).unwrap();
                assert!(!told(&broken).is_subset(&good), "nobody misses `{}` at {at}", key.name);
            }
        }
    }
}

#[test]
fn the_files_with_every_key_are_read_without_findings() {
    for (root, file) in dialects() {
        let (_, findings) = read("r.yaml", &file.to_string());
        let errors: Vec<&Finding> = findings.iter().filter(|f| f.level == Level::Error).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", root.name);
    }
}

#[test]
fn the_schema_file_is_what_the_table_says() {
    let file = include_str!("../../assets/schemas/runbook.json");
    let again = "write it anew: midwatch schema runbook > assets/schemas/runbook.json";
    assert!(reference::schema_text() == file, "{again}");
    let schema: Value = serde_json::from_str(file).unwrap();
    for root in [&v1::RUNBOOK, &seed::RUNBOOK] {
        for (_, object) in places(root) {
            let definition = &schema["definitions"][object.name];
            let map = definition.get("oneOf").map_or(definition, |either| &either[1]);
            let keys: BTreeSet<&str> = map["properties"].as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(keys, object.names.iter().copied().collect(), "{}", object.name);
        }
    }
}

#[test]
fn the_reference_page_has_a_row_for_every_key() {
    let page = reference::markdown();
    let (first, second) = page.split_once("## The plain form").unwrap();
    for (root, page) in [(&v1::RUNBOOK, first), (&seed::RUNBOOK, second)] {
        let mut done = BTreeSet::new();
        for (place, object) in places(root) {
            if !done.insert(object.name) {
                assert!(page.contains(&format!("`{place}`")), "{place}");
                continue;
            }
            for key in object.keys {
                let row = format!("| `{}` | ", below(&place, key));
                let line = page.lines().find(|line| line.starts_with(&row)).unwrap_or_else(|| panic!("{row}"));
                assert_eq!(line.replace("\\|", "").matches('|').count(), 5, "{line}");
                assert!(line.contains(&key.meaning.replace('|', "\\|")), "{line}");
            }
        }
    }
}

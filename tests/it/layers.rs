//! The rules of the house, checked on the source itself: which layer may import which, which crates it must not name, and
//! how files are named, opened and sized. Reads `src/` and nothing else; the checker is tested on made-up sources below.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;

/// A file of the source: its path below `src/` and its text.
type Source = (String, String);

/// What each layer may import beside itself.
const LAYERS: [(&str, &[&str]); 6] = [
    ("domain", &[]),
    ("config", &["domain"]),
    ("app", &["domain", "config"]),
    ("io", &["domain", "config"]),
    ("ui", &["app", "domain", "config"]),
    ("run", &["ui", "app", "io", "config", "domain"]),
];

/// The inner order of the domain, lowest first; names on one line do not import each other.
const DOMAIN_ORDER: [&[&str]; 17] = [
    &["time", "ids", "labels", "text", "mask"],
    &["exec"],
    &["fault", "document", "server_note"],
    &["severity", "alert", "resilience"],
    &["outward"],
    &["slo"],
    &["recent"],
    &["incident"],
    &["search"],
    // A runbook's values and its walk are read from the incident it is walked for.
    &["runbook"],
    &["escalation"],
    &["chart"],
    &["postmortem"],
    &["experiment"],
    &["gameday"],
    &["export", "drill", "import"],
    &["review"],
];

/// Imports against that order, from, to and the reason. There are none.
const DOMAIN_EXCEPTIONS: [(&str, &str, &str); 0] = [];

const PURE: &[&str] = &[
    "tokio",
    "reqwest",
    "ratatui",
    "crossterm",
    "rusqlite",
    "signal_hook",
    "rustix",
    "tempfile",
    "std::fs",
    "std::env",
    "std::net",
    "std::process",
    "std::thread",
    "std::io",
    "Utc::now",
    "Local::now",
    "Instant::now",
    "SystemTime",
];

/// What each layer must not name.
const BANNED: [(&str, &[&str]); 6] = [
    ("domain", PURE),
    ("app", PURE),
    ("config", &["tokio", "reqwest", "ratatui", "crossterm", "std::net", "std::process"]),
    ("io", &["ratatui", "crossterm"]),
    ("ui", &["tokio", "reqwest", "rusqlite", "crossterm", "std::fs", "std::net", "std::process"]),
    ("cli", &["crossterm"]),
];

/// Files that may be longer than [`LONGEST`], and why.
const LONG: [(&str, &str); 1] =
    [("app/present/view.rs", "a table of plain structs: the whole view model in one place")];
const LONGEST: usize = 600;
const FORBIDDEN_NAMES: [&str; 7] = ["util", "utils", "helper", "helpers", "misc", "common", "manager"];

/// The text without comments and without what stands in quotes, so that prose is no import.
fn code(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '/' if chars.peek() == Some(&'/') => {
                for c in chars.by_ref() {
                    if c == '\n' {
                        out.push('\n');
                        break;
                    }
                }
            }
            '"' => {
                out.push_str("\"\"");
                while let Some(c) = chars.next() {
                    match c {
                        '\\' => drop(chars.next()),
                        '"' => break,
                        '\n' => out.push('\n'),
                        _ => {}
                    }
                }
            }
            // A quote in a character literal opens no string.
            '\'' if chars.peek() == Some(&'"') => drop(chars.next()),
            _ => out.push(c),
        }
    }
    out
}

fn part_of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether a path such as `tokio` or `std::fs` is named, as a whole word.
fn names(code: &str, path: &str) -> bool {
    code.match_indices(path).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + path.len()..].chars().next();
        let whole = !before.is_some_and(part_of_name) && !after.is_some_and(part_of_name);
        whole && (path.contains(':') || code[at + path.len()..].starts_with("::") || before_use(&code[..at]))
    })
}

fn before_use(before: &str) -> bool {
    before.trim_end().ends_with("use") || before.trim_end().ends_with("extern crate")
}

/// The paths below `crate::` (or our own name) that a file imports: `["domain", "time"]`.
fn imports(code: &str) -> BTreeSet<Vec<String>> {
    let mut found = BTreeSet::new();
    for root in ["crate::", "midwatch::"] {
        for (at, _) in code.match_indices(root) {
            if code[..at].chars().next_back().is_some_and(|c| part_of_name(c) || c == '$') {
                continue;
            }
            let path = &code[at + root.len()..];
            let parts = path.split("::").map(|p| p.chars().take_while(|c| part_of_name(*c)).collect::<String>());
            found.insert(parts.take(2).collect());
        }
    }
    found
}

fn layer(path: &str) -> &str {
    path.split(['/', '.']).next().unwrap_or("")
}

/// The name of the file that must declare this one, and the module's name.
fn parent(path: &str) -> (Vec<String>, String) {
    let stem = path.trim_end_matches(".rs");
    match stem.rsplit_once('/') {
        Some((folder, name)) => (vec![format!("{folder}.rs")], name.to_owned()),
        None => (vec!["lib.rs".into(), "main.rs".into()], stem.to_owned()),
    }
}

fn rung(module: &str) -> Option<usize> {
    DOMAIN_ORDER.iter().position(|row| row.contains(&module))
}

fn check_imports(path: &str, code: &str, wrong: &mut Vec<String>) {
    let own = layer(path);
    let allowed = LAYERS.iter().find(|(name, _)| *name == own).map(|(_, may)| *may);
    for import in imports(code) {
        let Some(to) = import.first().filter(|t| !t.is_empty()) else { continue };
        if let Some(allowed) = allowed
            && to != own
            && !allowed.contains(&to.as_str())
        {
            wrong.push(format!("{path}: {own} must not import {to}"));
        }
        if own == "domain" && to == "domain" {
            let inside = path.trim_start_matches("domain/");
            let (from, to) = (layer(inside), import.get(1).map_or("", String::as_str));
            if inside == path || from == to || DOMAIN_EXCEPTIONS.iter().any(|(f, t, _)| (*f, *t) == (from, to)) {
                continue;
            }
            match (rung(from), rung(to)) {
                (Some(above), Some(below)) if above > below => {}
                (Some(_), Some(_)) => wrong.push(format!("{path}: domain::{from} must not import domain::{to}")),
                _ => wrong.push(format!("{path}: domain::{from} or domain::{to} has no place in the domain's order")),
            }
        }
    }
}

fn check_words(path: &str, code: &str, wrong: &mut Vec<String>) {
    let own = layer(path);
    let banned = BANNED.iter().find(|(name, _)| *name == own).map_or(&[][..], |(_, words)| *words);
    for word in banned.iter().filter(|word| names(code, word)) {
        wrong.push(format!("{path}: {own} must not name {word}"));
    }
    if !banned.contains(&"crossterm") && !path.starts_with("run/terminal") && names(code, "crossterm") {
        wrong.push(format!("{path}: only run/terminal may name crossterm"));
    }
    if matches!(own, "domain" | "app" | "ui") && (code.contains(".await") || code.contains("async ")) {
        wrong.push(format!("{path}: nothing in {own} is async"));
    }
    let flat: String = code.split_whitespace().collect::<Vec<_>>().join(" ");
    if flat.contains("use crate::{") {
        wrong.push(format!("{path}: one path per use, no group at the crate's root"));
    }
}

fn check_file(path: &str, text: &str, wrong: &mut Vec<String>) {
    if !text.starts_with("//! ") {
        wrong.push(format!("{path}: the first line must say what the file is for (//! …)"));
    }
    let stem = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".rs");
    if stem == "mod" || FORBIDDEN_NAMES.iter().any(|n| stem.split('_').any(|p| p == *n)) {
        wrong.push(format!("{path}: a file is named after the one concept in it"));
    }
    let production = text.lines().take_while(|line| line.trim() != "#[cfg(test)]").count();
    let excused = LONG.iter().any(|(long, _)| *long == path);
    match production > LONGEST {
        true if !excused => wrong.push(format!("{path}: {production} lines; split it by concept")),
        false if excused => wrong.push(format!("{path}: no longer long, take it off the list")),
        _ => {}
    }
}

/// Everything that is wrong in these sources.
fn check(sources: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    let by_path: BTreeMap<&str, String> = sources.iter().map(|(path, text)| (path.as_str(), code(text))).collect();
    for (path, text) in sources {
        let code = &by_path[path.as_str()];
        check_imports(path, code, &mut wrong);
        check_words(path, code, &mut wrong);
        check_file(path, text, &mut wrong);
        let (parents, name) = parent(path);
        let declared = |p: &String| {
            by_path.get(p.as_str()).is_some_and(|c| {
                c.lines().any(|l| l.trim_end().ends_with(&format!("mod {name};")) && !l.contains(&format!("_{name};")))
            })
        };
        if !matches!(path.as_str(), "lib.rs" | "main.rs") && !parents.iter().any(declared) {
            wrong.push(format!("{path}: no file declares it (mod {name};)"));
        }
    }
    wrong
}

fn walk(folder: &Path, below: &str, found: &mut Vec<Source>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for entry in entries {
        let name = entry.file_name().unwrap().to_str().unwrap().to_owned();
        if entry.is_dir() {
            walk(&entry, &format!("{below}{name}/"), found);
        } else if name.ends_with(".rs") {
            found.push((format!("{below}{name}"), std::fs::read_to_string(&entry).unwrap()));
        }
    }
}

#[test]
fn the_source_keeps_the_rules_of_the_house() {
    let mut sources = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut sources);
    assert!(sources.len() > 100, "the walk found {} files only", sources.len());
    let wrong = check(&sources);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn made_up(path: &str, body: &str) -> Vec<String> {
    let (parents, name) = parent(path);
    let parent = (parents[0].clone(), format!("//! Above.\npub mod {name};\n"));
    let all = [parent, (path.to_owned(), format!("//! Says what it is for.\n{body}"))];
    check(&all).into_iter().filter(|w| w.starts_with(path)).collect()
}

#[test]
fn imports_upwards_and_sideways_are_found() {
    for (path, body, found) in [
        ("domain/slo.rs", "use crate::app::model::Model;", 1),
        ("domain/slo.rs", "use crate::domain::incident::state::Incident;", 1),
        ("domain/slo/budget.rs", "fn f() -> crate::domain::drill::Chance { loop {} }", 1),
        ("domain/new.rs", "use crate::domain::slo::seed;", 1),
        ("domain/incident/state.rs", "use crate::domain::slo::seed;\nuse crate::domain::time::Span;", 0),
        ("io/http.rs", "use crate::app::msg::Msg;\nuse crate::ui::view;", 2),
        ("ui/view.rs", "use crate::io::clock;", 1),
        ("ui/view.rs", "use crate::app::model::Model;", 0),
        ("app/msg.rs", "use crate::io::port::Metrics;", 1),
        ("config/file.rs", "use midwatch::app::key::Key;", 1),
        ("run/tui.rs", "use crate::ui::view;\nuse crate::io::clock;\nuse crate::app::msg::Msg;", 0),
        ("run/tui.rs", "use crate::cli::args;", 1),
        ("app/msg.rs", "// use crate::io::port\nconst S: &str = \"crate::io::port\";", 0),
        ("app/msg.rs", "const C: char = '\"'; use crate::io::port::Metrics;", 1),
    ] {
        assert_eq!(made_up(path, body).len(), found, "{path}: {body}: {:?}", made_up(path, body));
    }
}

#[test]
fn crates_and_words_out_of_place_are_found() {
    for (path, body, found) in [
        ("domain/time.rs", "use std::fs;", 1),
        ("domain/time.rs", "fn f() { std::env::var(\"X\"); }", 1),
        ("domain/time.rs", "fn now() { chrono::Utc::now(); }", 1),
        ("app/msg.rs", "use tokio::sync::mpsc;", 1),
        ("app/msg.rs", "pub async fn f() {}", 1),
        ("ui/view.rs", "fn f() { x.await; }", 1),
        ("ui/view.rs", "use ratatui::text::Line;", 0),
        ("ui/view.rs", "use ratatui::crossterm::event;", 1),
        ("run/tui.rs", "use crossterm::event;", 1),
        ("run/terminal/input.rs", "use crossterm::event;", 0),
        ("io/http.rs", "use reqwest::Client;\nuse tokio::net::TcpStream;", 0),
        ("io/http.rs", "use ratatui::text::Line;", 1),
        ("config/file.rs", "use reqwest::Url;", 1),
        ("domain/time.rs", "let tokio_like = my_tokio::x;", 0),
        ("app/msg.rs", "use crate::{app::key::Key, domain::time::Span};", 1),
        ("app/msg.rs", "use\n  crate::{app::key::Key};", 1),
    ] {
        assert_eq!(made_up(path, body).len(), found, "{path}: {body}: {:?}", made_up(path, body));
    }
}

#[test]
fn files_out_of_shape_are_found() {
    for name in
        ["io/util.rs", "io/http_helper.rs", "io/common.rs", "io/task_manager.rs", "io/misc.rs", "io/http/mod.rs"]
    {
        assert_eq!(made_up(name, "").len(), 1, "{name}: {:?}", made_up(name, ""));
    }
    assert_eq!(made_up("io/utility.rs", ""), Vec::<String>::new());
    let long = "\n".repeat(LONGEST);
    assert_eq!(made_up("io/long.rs", &long).len(), 1);
    assert_eq!(made_up("io/long.rs", &format!("#[cfg(test)]\n{long}")), Vec::<String>::new());
    assert_eq!(made_up("app/present/view.rs", ""), ["app/present/view.rs: no longer long, take it off the list"]);
    let bare = check(&[("lib.rs".into(), "pub mod io;".into())]);
    assert_eq!(bare, ["lib.rs: the first line must say what the file is for (//! …)"]);
    let orphan = check(&[
        ("io.rs".into(), "//! Ports.\npub mod clock;\n".into()),
        ("io/clock.rs".into(), "//! A clock.\n".into()),
        ("io/lost.rs".into(), "//! Nobody knows it.\n".into()),
        ("lib.rs".into(), "//! Map.\npub mod io;\n// mod lost;\n".into()),
    ]);
    assert_eq!(orphan, ["io/lost.rs: no file declares it (mod lost;)"]);
}

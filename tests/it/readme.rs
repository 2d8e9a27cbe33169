//! What the README says, held to it: its commands parse or run, its configuration is accepted, its tables are the
//! program's own, its links lead somewhere. `MIDWATCH_README=1 cargo test --test it readme` writes the key table anew.

use assert_cmd::Command;
use clap::{CommandFactory, Parser};
use midwatch::app::action::{ACTIONS, Entry, Tier};
use midwatch::cli::args::Args;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).unwrap()
}

/// The fenced blocks of a language.
fn fenced(text: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open: Option<Vec<&str>> = None;
    for line in text.lines() {
        match &mut open {
            None if line.strip_prefix("```") == Some(language) => open = Some(Vec::new()),
            None => {}
            Some(_) if line == "```" => blocks.push(open.take().unwrap().join("\n") + "\n"),
            Some(lines) => lines.push(line),
        }
    }
    assert!(open.is_none(), "a block of {language} is never closed");
    blocks
}

/// What stands between two marks.
fn between<'t>(text: &'t str, name: &str) -> &'t str {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
    text.split_once(&begin).and_then(|(_, rest)| rest.split_once(&end)).unwrap_or_else(|| panic!("no {name}")).0
}

/// Arguments of a line that starts the program, whichever way it does.
fn arguments(line: &str) -> Option<Vec<String>> {
    let words = shlex::split(line).unwrap_or_else(|| panic!("{line}"));
    let rest = ["cargo run --release --", "cargo run --release", "midwatch"].iter().find_map(|how| {
        let how: Vec<&str> = how.split(' ').collect();
        let (begin, rest) = words.split_at_checked(how.len())?;
        (begin == how.as_slice()).then_some(rest)
    })?;
    Some(std::iter::once("midwatch".to_owned()).chain(rest.iter().cloned()).collect())
}

struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn config(&self) -> PathBuf {
        self.0.path().join("config/config.yaml")
    }

    fn run(&self, arguments: &[String]) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_midwatch"));
        command.env_clear().env("HOME", self.0.path()).env("MIDWATCH_CONFIG", self.config());
        command.env("MIDWATCH_DATA_DIR", self.0.path().join("data")).current_dir(self.0.path()).args(arguments);
        let output = command.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8_lossy(&said).into_owned())
    }
}

/// Commands that need nothing but a folder; they are run where the README shows them, in its order.
const RUN: [&str; 6] = ["init", "check", "config", "schema", "completions", "man"];

#[test]
fn every_command_of_a_block_runs_or_parses() {
    let home = Home::new();
    let mut started = 0;
    for line in fenced(&readme(), "sh").iter().flat_map(|block| block.lines()) {
        let line = line.split_once(" #").map_or(line, |(command, _)| command).trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(arguments) = arguments(line) {
            let parsed = Args::try_parse_from(&arguments);
            assert!(parsed.is_ok(), "{line}: {}", parsed.err().unwrap());
            if arguments.get(1).is_some_and(|name| RUN.contains(&name.as_str())) {
                let (code, said) = home.run(&arguments[1..]);
                assert_eq!(code, 0, "{line}: {said}");
                started += 1;
            }
        } else if !line.contains(' ') {
            let mode = std::fs::metadata(root().join(line)).unwrap_or_else(|e| panic!("{line}: {e}")).permissions();
            assert_eq!(mode.mode() & 0o111, 0o111, "{line} cannot be run");
        } else {
            assert_eq!(line, "cargo build --profile dist", "a command that this test does not know");
        }
    }
    assert!(started >= 3, "only {started} commands were run");
}

#[test]
fn the_table_of_commands_has_every_command_and_no_other() {
    let text = readme();
    let table = between(&text, "commands");
    let mut named = Vec::new();
    for row in table.lines().filter(|l| l.starts_with("| `")) {
        let cell = row.trim_start_matches("| ").split(" | ").next().unwrap();
        for span in cell.split('`').filter(|s| s.starts_with("midwatch")) {
            let arguments = arguments(span).unwrap();
            let parsed = Args::try_parse_from(&arguments);
            assert!(parsed.is_ok(), "{span}: {}", parsed.err().unwrap());
            named.push(arguments.get(1).cloned().unwrap_or_default());
        }
    }
    for command in Args::command().get_subcommands().filter(|c| c.get_name() != "help" && !c.is_hide_set()) {
        assert!(named.iter().any(|n| n == command.get_name()), "{} is missing", command.get_name());
    }
}

#[test]
fn the_configuration_example_is_accepted_and_names_every_key() {
    let text = readme();
    let blocks = fenced(&text, "yaml");
    let [example] = blocks.as_slice() else { panic!("one block of yaml is expected") };
    let home = Home::new();
    let (code, said) = home.run(&["init".into()]);
    assert_eq!(code, 0, "{said}");
    let write = |path: &Path, text: &str| {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o600)).unwrap();
    };
    write(&home.config(), example);
    for name in ["prometheus", "slack", "statuspage", "jira", "github", "grafana"] {
        write(&home.0.path().join("config/secrets").join(name), "secret\n");
    }
    let (code, said) = home.run(&["check".into()]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("0 errors"), "{said}");

    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../../assets/schemas/config.json")).expect("the schema is JSON");
    for key in schema["properties"].as_object().unwrap().keys() {
        let named = example.lines().any(|l| l.trim_start_matches("# ").starts_with(&format!("{key}:")));
        assert!(named, "the example lacks `{key}`");
    }
}

/// The key table, as `midwatch keys --md` prints it.
fn key_table() -> String {
    let code = |key: &str| {
        let escaped = key.replace('|', "\\|");
        if key.contains('`') { format!("`` {escaped} ``") } else { format!("`{escaped}`") }
    };
    let row = |entry: &Entry| {
        let keys: Vec<String> = match entry.keys {
            [] => vec![code(&format!(":{}", entry.id))],
            keys => keys.iter().map(|key| code(&key.to_string())).collect(),
        };
        let scopes: Vec<&str> = entry.scopes.iter().map(|scope| scope.word()).collect();
        let title = match entry.tier {
            Tier::Asks => format!("{} (asks first)", entry.title),
            Tier::Typed => format!("{} (a word is typed)", entry.title),
            Tier::View | Tier::Reversible => entry.title.to_owned(),
        };
        format!("| {} | {} | {title} |\n", keys.join(" "), scopes.join("; "))
    };
    "| key | where | what it does |\n|---|---|---|\n".to_owned() + &ACTIONS.iter().map(row).collect::<String>()
}

#[test]
fn the_key_table_is_the_programs() {
    let text = readme();
    if std::env::var("MIDWATCH_README").is_ok_and(|v| v == "1") {
        let (before, rest) = text.split_once("<!-- keys -->\n").unwrap();
        let (_, after) = rest.split_once("<!-- end of keys -->").unwrap();
        let new = format!("{before}<!-- keys -->\n{}<!-- end of keys -->{after}", key_table());
        std::fs::write(root().join("README.md"), new).unwrap();
        return;
    }
    assert!(
        between(&text, "keys") == key_table(),
        "the key table is old; MIDWATCH_README=1 cargo test --test it readme"
    );
}

#[test]
fn links_lead_to_files_that_are_there() {
    let text = readme();
    let mut seen = 0;
    for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
        if target.starts_with("https://") || target.starts_with('#') {
            continue;
        }
        assert!(root().join(target).exists(), "{target} is not there");
        seen += 1;
    }
    assert!(seen >= 2, "only {seen} links were read");
}

//! The program as a script sees it: exit codes, what stands on which stream, and the promised JSON names.

use assert_cmd::Command;
use serde_json::Value;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub struct Machine {
    pub dir: TempDir,
}

pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Said {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {}", self.out))
    }
}

impl Machine {
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub fn config(&self) -> PathBuf {
        self.dir.path().join("c/config.yaml")
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join("c").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        path
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_midwatch"));
        command.env_clear().env("HOME", self.dir.path()).env("MIDWATCH_CONFIG", self.config());
        command.env("MIDWATCH_DATA_DIR", self.dir.path().join("d")).current_dir(self.dir.path());
        command
    }

    pub fn run(&self, line: &str) -> Said {
        said(self.command().args(line.split_whitespace()))
    }

    pub fn args(&self, args: &[&str]) -> Said {
        said(self.command().args(args))
    }

    /// With a text on standard input.
    pub fn pipe(&self, args: &[&str], input: &str) -> Said {
        said(self.command().args(args).write_stdin(input))
    }

    pub fn data(&self) -> PathBuf {
        self.dir.path().join("d")
    }
}

pub fn said(command: &mut Command) -> Said {
    let output = command.output().unwrap();
    Said {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().mode() & 0o777
}

/// Findings that are more than remarks.
pub fn above_info(said: &Said) -> Vec<Value> {
    let findings = said.json()["findings"].as_array().unwrap().clone();
    findings.into_iter().filter(|f| f["level"] != "info").collect()
}

#[test]
fn init_writes_what_check_accepts_and_never_overwrites() {
    let machine = Machine::new();
    let first = machine.run("init -o json");
    assert_eq!(first.code, 0, "{}", first.err);
    let files = first.json()["files"].as_array().unwrap().clone();
    assert_eq!(files.len(), 3);
    for file in &files {
        let path = Path::new(file["path"].as_str().unwrap());
        assert_eq!((file["written"].as_bool(), mode(path)), (Some(true), 0o600));
        assert_eq!(mode(path.parent().unwrap()), 0o700);
    }

    let checked = machine.run("check -o json");
    assert_eq!((checked.code, checked.json()["files"].as_i64()), (0, Some(3)));
    assert_eq!(above_info(&checked), Vec::<Value>::new(), "what a starter holds may be remarked upon, no more");

    std::fs::write(machine.config(), "theme: dark\n").unwrap();
    let second = machine.run("init");
    assert_eq!((second.code, second.out.as_str()), (1, ""));
    assert!(second.err.contains("already there; nothing was written"), "{}", second.err);
    assert_eq!(std::fs::read_to_string(machine.config()).unwrap(), "theme: dark\n");
}

#[test]
fn init_keeps_a_file_that_lies_beside() {
    let machine = Machine::new();
    let slo = machine.write("slos/example.yaml", "mine\n");
    let out = machine.run("init");
    assert_eq!(out.code, 0);
    assert!(out.out.starts_with(&format!("kept  {}\nwrote ", slo.display())), "{}", out.out);
    assert_eq!(std::fs::read_to_string(slo).unwrap(), "mine\n");
}

#[test]
fn check_tells_everything_at_once_with_places() {
    let machine = Machine::new();
    machine.write("config.yaml", "tehme: dark\nslos: [\"none/*.yaml\"]\nseverities: sev.yaml\nlog_level: loud\n");
    machine.write("sev.yaml", "severity_levels:\n  SEV1: {response_tiem: 5m}\n");
    let table = machine.run("check");
    let place = |name: &str| machine.dir.path().join("c").join(name).display().to_string();
    let lines: Vec<&str> = table.out.lines().collect();
    assert_eq!(table.code, 1);
    assert!(lines[0].starts_with(&format!("{}:1:1: error: unknown key `tehme`", place("config.yaml"))), "{}", lines[0]);
    assert!(lines[0].contains("nearest: `theme`"), "{}", lines[0]);
    assert!(lines[1].starts_with(&format!("{}:4:12: error: log_level: `loud`", place("config.yaml"))), "{}", lines[1]);
    assert!(lines[2].starts_with(&format!("{}:2:10: error: unknown key", place("sev.yaml"))), "{}", lines[2]);
    assert!(lines[3].starts_with(&format!("{}:2:8: warning: slos: no file", place("config.yaml"))), "{}", lines[3]);
    assert_eq!(lines[4], "2 files, 3 errors, 1 warning");

    let json = machine.run("check -o json");
    let findings = json.json()["findings"].as_array().unwrap().clone();
    assert_eq!((json.code, findings.len()), (1, 4));
    for name in ["path", "line", "column", "rule", "level", "message"] {
        assert!(findings[0].get(name).is_some(), "{name}");
    }
    assert_eq!((findings[0]["level"].as_str(), findings[3]["level"].as_str()), (Some("error"), Some("warning")));
}

#[test]
fn check_knows_files_by_what_they_hold() {
    let machine = Machine::new();
    let root = env!("CARGO_MANIFEST_DIR");
    for name in ["config", "slo", "runbook", "severity"] {
        let out = machine.run(&format!("check {root}/assets/{name}.yaml -o json"));
        assert_eq!((out.code, above_info(&out)), (0, vec![]), "{name}");
    }
    machine.write("other.yaml", "a: 1\n");
    assert_eq!(machine.run("check c/other.yaml").code, 1, "a file that was named must be of a known kind");
    let folder = machine.run("check c -o json").json();
    assert_eq!((folder["files"].as_i64(), folder["findings"][0]["level"].as_str()), (Some(1), Some("info")));
    assert_eq!(machine.run("check nothing-here.yaml").code, 1);
    assert_eq!(machine.run("check").code, 0, "no configuration is not an error");
}

#[test]
fn check_finds_what_is_declared_twice() {
    let machine = Machine::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let asset = |name: &str| std::fs::read_to_string(root.join("assets").join(name)).unwrap();
    machine.write("config.yaml", "slos: [slos/]\nrunbooks: [runbooks/]\n");
    for name in ["a.yaml", "b.yaml"] {
        machine.write(&format!("slos/{name}"), &asset("slo.yaml"));
        machine.write(&format!("runbooks/{name}"), &asset("runbook.yaml"));
    }
    let out = machine.run("check -o json");
    let findings = out.json()["findings"].as_array().unwrap().clone();
    let errors: Vec<String> = findings
        .iter()
        .filter(|f| f["level"] == "error")
        .map(|f| format!("{}:{}", f["path"].as_str().unwrap().rsplit('/').next().unwrap(), f["rule"].as_str().unwrap()))
        .collect();
    assert_eq!(
        (out.code, errors),
        (1, vec!["b.yaml:duplicate".into(), "b.yaml:duplicate".into(), "b.yaml:RB001".to_owned()])
    );
    assert_eq!(
        findings.iter().filter(|f| f["rule"] == "duplicate").map(|f| f["line"].as_i64().unwrap()).min(),
        Some(7)
    );
}

#[test]
fn check_reads_hostile_files_with_limits() {
    let machine = Machine::new();
    machine.write("large.yaml", &"#".repeat(10 << 20));
    machine.write("\u{1b}[2J.yaml", "theme: \"\\e]0;x\\a\"\n");
    std::fs::write(machine.dir.path().join("c/latin.yaml"), b"theme: \xe4\n").unwrap();
    let out = machine.run("check c");
    assert_eq!(out.code, 1);
    assert!(!out.out.contains('\u{1b}') && !out.out.contains('\u{7}'), "{:?}", out.out);
    for rule in ["[too-large]", "[encoding]", "[wrong-type]"] {
        assert!(out.out.contains(rule), "{rule}: {}", out.out);
    }
}

#[test]
fn check_looks_at_what_the_configuration_names() {
    let machine = Machine::new();
    let text =
        "prometheus:\n  - url: http://127.0.0.1:9090\n    auth: {bearer: {file: token}}\n    tls: {ca_file: ca.pem}\n";
    machine.write("config.yaml", text);
    let rules = |out: &Said| -> Vec<String> {
        let findings = out.json()["findings"].as_array().unwrap().clone();
        findings.iter().map(|f| format!("{} {}", f["level"].as_str().unwrap(), f["rule"].as_str().unwrap())).collect()
    };
    let out = machine.run("check -o json");
    assert_eq!((out.code, rules(&out)), (0, vec!["warning missing-file".to_owned(); 2]));
    let token = machine.write("token", "x");
    std::fs::set_permissions(&token, PermissionsExt::from_mode(0o640)).unwrap();
    machine.write("ca.pem", "x");
    let out = machine.run("check -o json");
    assert_eq!((out.code, rules(&out)), (1, vec!["error secret-exposed".to_owned()]));
}

#[test]
fn config_show_tells_origins_and_masks_secrets() {
    let machine = Machine::new();
    let text =
        "prometheus:\n  - url: http://127.0.0.1:9090\n    auth: {bearer: {command: [pass, hunter2]}}\ntheme: dark\n";
    machine.write("config.yaml", text);
    let out =
        said(machine.command().env("MIDWATCH_LOG_LEVEL", "debug").args(["config", "show", "--ascii", "-o", "json"]));
    assert_eq!((out.code, out.err.as_str()), (0, ""));
    let json = out.json();
    let setting = |key: &str| {
        let settings = json["settings"].as_array().unwrap();
        settings.iter().find(|s| s["key"] == key).unwrap_or_else(|| panic!("{key}")).clone()
    };
    let file = machine.config().display().to_string();
    for (key, value, layer, origin) in [
        ("theme", "dark", "file", format!("{file}:4:8")),
        ("log_level", "debug", "environment", "environment MIDWATCH_LOG_LEVEL".to_owned()),
        ("glyphs", "ascii", "flag", "flag --ascii".to_owned()),
        ("prometheus[0].auth.bearer", "command pass *** (1 arguments)", "file", format!("{file}:3:20")),
    ] {
        let got = setting(key);
        assert_eq!((got["value"].as_str(), got["layer"].as_str()), (Some(value), Some(layer)), "{key}");
        assert_eq!(got["origin"], origin, "{key}");
    }
    assert_eq!(setting("prometheus[0].timeout")["value"], 10.0);
    assert!(!out.out.contains("hunter2"));
    assert_eq!((json["exists"].as_bool(), json["path"].as_str()), (Some(true), Some(file.as_str())));

    let table = machine.run("config show");
    assert!(table.out.starts_with("SETTING"), "{}", table.out);
    assert!(!table.out.contains('\u{1b}') && !table.out.contains("hunter2"), "{}", table.out);
}

#[test]
fn config_path_says_where() {
    let machine = Machine::new();
    let out = machine.run("config path -o json").json();
    assert_eq!(out["exists"], false);
    assert_eq!(out["folders"]["data"], machine.dir.path().join("d").display().to_string());
    let out = machine.run("config path -o json --config x/y.yaml --data-dir z").json();
    assert_eq!((out["path"].as_str(), out["folders"]["data"].as_str()), (Some("x/y.yaml"), Some("z")));
    assert_eq!(out["folders"]["config"], "x");
}

#[test]
fn a_configuration_that_others_can_write_is_refused() {
    let machine = Machine::new();
    let path = machine.write("config.yaml", "theme: dark\n");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o606)).unwrap();
    let out = machine.run("slo list");
    assert_eq!((out.code, out.out.as_str()), (2, ""));
    assert!(out.err.contains(&format!("chmod o-w {}", path.display())), "{}", out.err);
    let shown = machine.run("config show -o json");
    assert_eq!(shown.code, 2);
    let settings = shown.json()["settings"].as_array().unwrap().clone();
    assert!(settings.iter().any(|s| s["key"] == "theme" && s["value"] == "adaptive"), "it is not used");
}

#[test]
fn exit_codes_are_the_promised_ones() {
    let machine = Machine::new();
    for (line, code) in [
        ("--version", 0),
        ("--help", 0),
        ("incident declare --help", 0),
        ("nonsense", 2),
        ("--theme pink config path", 2),
        ("incident role INC-1 king alice", 2),
        ("--config missing.yaml slo list", 2),
        ("slo list", 0),
        ("incident show nothing", 1),
        ("status --check", 3),
    ] {
        let out = machine.run(line);
        assert_eq!(out.code, code, "{line}: {}", out.err);
        assert_eq!(
            out.out.is_empty(),
            matches!(code, 1 | 2) || line == "slo list",
            "{line}: results and errors are kept apart"
        );
    }
    machine.write("config.yaml", "theme: [\n");
    let out = machine.run("slo list");
    assert_eq!(out.code, 2);
    assert!(out.err.starts_with(&format!("{}:", machine.config().display())), "{}", out.err);
    assert_eq!(machine.run("completions bash").code, 0, "needs no configuration");
}

#[test]
fn completions_and_the_manual_name_every_command() {
    let machine = Machine::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let out = machine.run(&format!("completions {shell}"));
        assert_eq!(out.code, 0);
        assert!(out.out.contains("postmortem"), "{shell}");
    }
    let man = machine.run("man");
    assert_eq!(man.code, 0);
    for part in
        [".TH midwatch", "\\fBincident declare\\fR", "\\fBcheck\\fR [PATHS]", "EXIT STATUS", "\\-\\-read\\-only"]
    {
        assert!(man.out.contains(part), "{part}");
    }
}

#[test]
fn a_reader_that_went_away_is_no_panic() {
    let machine = Machine::new();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_midwatch"))
        .args(["completions", "zsh"])
        .env("HOME", machine.dir.path())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

fn is_type(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64(),
        "null" => value.is_null(),
        other => panic!("type {other}"),
    }
}

fn within(word: &str, value: f64, bound: f64) -> bool {
    match word {
        "minimum" => value >= bound,
        "maximum" => value <= bound,
        "exclusiveMinimum" => value > bound,
        _ => value < bound,
    }
}

/// The part of JSON Schema that our schemas use; an unknown word fails the test.
fn violations(schema: &Value, root: &Value, value: &Value, at: &str, out: &mut Vec<String>) {
    for (word, rule) in schema.as_object().unwrap() {
        let mut say = |what: String| out.push(format!("{at}: {what}"));
        match word.as_str() {
            "$schema" | "title" | "description" | "definitions" => {}
            "$ref" => {
                let name = rule.as_str().unwrap().trim_start_matches("#/definitions/");
                violations(&root["definitions"][name], root, value, at, out);
            }
            "type" => {
                let names = rule.as_array().cloned().unwrap_or_else(|| vec![rule.clone()]);
                let fits = names.iter().any(|name| is_type(name.as_str().unwrap(), value));
                if !fits {
                    say(format!("{value} is not of type {rule}"));
                }
            }
            "enum" => {
                if !rule.as_array().unwrap().contains(value) {
                    say(format!("{value} is none of {rule}"));
                }
            }
            "pattern" => {
                let pattern = regex::Regex::new(rule.as_str().unwrap()).unwrap();
                if !value.as_str().is_some_and(|text| pattern.is_match(text)) {
                    say(format!("{value} does not match {rule}"));
                }
            }
            "oneOf" => {
                let fits = rule.as_array().unwrap().iter().filter(|option| {
                    let mut inner = Vec::new();
                    violations(option, root, value, at, &mut inner);
                    inner.is_empty()
                });
                let fits = fits.count();
                if fits != 1 {
                    say(format!("{value} fits {fits} of the alternatives"));
                }
            }
            "if" => {
                let mut inner = Vec::new();
                violations(rule, root, value, at, &mut inner);
                let then = if inner.is_empty() { "then" } else { "else" };
                violations(&schema[then], root, value, at, out);
            }
            "properties" | "additionalProperties" | "then" | "else" => {}
            "required" => {
                for name in rule.as_array().unwrap() {
                    if value.get(name.as_str().unwrap()).is_none() {
                        say(format!("{name} is missing"));
                    }
                }
            }
            "items" => {
                for (i, item) in value.as_array().into_iter().flatten().enumerate() {
                    violations(rule, root, item, &format!("{at}[{i}]"), out);
                }
            }
            "minItems" | "minProperties" => {
                let len = value.as_array().map_or_else(|| value.as_object().map_or(0, serde_json::Map::len), Vec::len);
                if (len as u64) < rule.as_u64().unwrap() {
                    say("too short".to_owned());
                }
            }
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => {
                if !within(word, value.as_f64().unwrap_or(f64::NAN), rule.as_f64().unwrap()) {
                    say(format!("{value} breaks {word} {rule}"));
                }
            }
            "dependencies" => {
                for (name, needed) in rule.as_object().unwrap() {
                    for other in needed.as_array().unwrap() {
                        if value.get(name).is_some() && value.get(other.as_str().unwrap()).is_none() {
                            say(format!("{name} without {other}"));
                        }
                    }
                }
            }
            other => panic!("the test knows no `{other}`"),
        }
    }
    for (key, inner) in value.as_object().into_iter().flatten() {
        let at = format!("{at}.{key}");
        match (schema.get("properties").and_then(|p| p.get(key)), schema.get("additionalProperties")) {
            (Some(property), _) => violations(property, root, inner, &at, out),
            (None, Some(Value::Bool(false))) => out.push(format!("{at}: unknown key")),
            (None, Some(rule)) => violations(rule, root, inner, &at, out),
            (None, None) => {}
        }
    }
}

fn yaml(text: &str) -> Value {
    serde_yaml::from_str(text.trim_start_matches('\u{feff}')).unwrap()
}

fn against(schema: &Value, value: &Value) -> Vec<String> {
    let mut out = Vec::new();
    violations(schema, schema, value, "", &mut out);
    out
}

#[test]
fn the_schemas_accept_the_starter_files_and_our_fixtures() {
    let machine = Machine::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (kind, files) in [
        ("config", vec!["assets/config.yaml", "tests/fixtures/config/good/full.yaml"]),
        (
            "slo",
            vec![
                "assets/slo.yaml",
                "assets/objectives.yaml",
                "tests/fixtures/slo/own/everything.yaml",
                "tests/fixtures/seeds/slo.yaml",
            ],
        ),
        (
            "runbook",
            vec![
                "assets/runbook.yaml",
                "tests/fixtures/seeds/high-api-latency.yaml",
                "tests/fixtures/runbooks/good/every-key.yaml",
                "tests/fixtures/runbooks/v1/every-key.yaml",
            ],
        ),
        ("severity", vec!["assets/severity.yaml", "tests/fixtures/seeds/severity.yaml"]),
    ] {
        let out = machine.run(&format!("schema {kind}"));
        assert_eq!(out.code, 0);
        let schema = out.json();
        for file in files {
            let value = yaml(&std::fs::read_to_string(root.join(file)).unwrap());
            assert_eq!(against(&schema, &value), Vec::<String>::new(), "{file}");
        }
        let wrong = serde_json::json!({"prometheus": [{"url": "ftp://x", "auth": "token"}], "nmae": 1});
        assert!(!against(&schema, &wrong).is_empty(), "{kind} refuses nothing");
    }
}

#[test]
fn the_reference_page_is_there_for_objectives() {
    let machine = Machine::new();
    let page = machine.run("schema slo --reference");
    assert_eq!(page.code, 0);
    for word in ["## `objective`", "| `alert_windows` |", "apiVersion: midwatch/v1"] {
        assert!(page.out.contains(word), "{word}");
    }
    assert_eq!(machine.run("schema config --reference").code, 1);
}

#[test]
fn slo_convert_writes_our_own_format_and_never_overwrites() {
    let machine = Machine::new();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/slo");
    let file = |name: &str| fixtures.join(name).to_string_lossy().into_owned();
    let (pyrra, sloth) = (file("pyrra/all.yaml"), file("sloth/checkout.yaml"));
    let to = machine.dir.path().join("own.yaml");
    let to = to.to_str().unwrap();
    let out = machine.args(&["slo", "convert", &pyrra, "--to", to]);
    assert_eq!((out.code, out.out.trim()), (0, format!("wrote {to}").as_str()), "{}", out.err);
    let written = std::fs::read_to_string(to).unwrap();
    assert_eq!(machine.args(&["check", to]).code, 0);
    let again = machine.args(&["slo", "convert", &sloth, "--to", to]);
    assert_eq!(again.code, 1);
    assert!(again.err.contains("already there"), "{}", again.err);
    assert_eq!(std::fs::read_to_string(to).unwrap(), written);
    assert_eq!(std::fs::read_dir(machine.dir.path()).unwrap().flatten().filter(|e| e.path().is_file()).count(), 1);

    // What could not be read is an exit code and a comment; the rest is written.
    let out = machine.args(&["slo", "convert", &sloth]);
    assert_eq!(out.code, 1);
    assert!(
        out.out.contains("# ") && out.out.contains("Go plug-in") && out.out.contains("checkout-routes"),
        "{}",
        out.out
    );
    let json = machine.args(&["slo", "convert", &sloth, &pyrra, "-o", "json"]).json();
    assert_eq!((json["objectives"].as_u64(), json["path"].is_null()), (Some(11), true));
    assert!(json["text"].as_str().unwrap().contains("apiVersion: midwatch/v1"));

    // Blocks that only our own format has go along; what holds nothing is refused.
    let own = machine.args(&["slo", "convert", &file("own/everything.yaml")]);
    machine.write("own/copy.yaml", &own.out);
    let copy = machine.run("check c/own/copy.yaml");
    assert_eq!((own.code, copy.code), (0, 0), "{}", copy.out);
    for word in ["maintenance:", "name: Ours", "utilization: disk_used_ratio"] {
        assert!(own.out.contains(word), "{word}: {}", own.out);
    }
    assert_eq!(machine.args(&["slo", "convert", "nothing.yaml"]).code, 1);
    machine.write("bad.yaml", "version: prometheus/v1\nservice: shop\nslos: []\n");
    assert_eq!(machine.run("slo convert c/bad.yaml").code, 1);
    assert_eq!(machine.run(&format!("--read-only slo convert {pyrra} --to x.yaml")).code, 1);
}

#[test]
fn the_configuration_schema_has_the_keys_of_the_reader() {
    let schema: Value =
        serde_json::from_str(&midwatch::cli::schema::schema(midwatch::cli::args::SchemaKind::Config)).unwrap();
    let mut described: Vec<&str> = schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
    let mut read = midwatch::config::file::KEYS.to_vec();
    described.sort_unstable();
    read.sort_unstable();
    assert_eq!(described, read);
}

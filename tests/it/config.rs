//! The configuration: every good file reads without a finding, every bad file gives exactly the lines beside it, and the
//! layers lie over each other in the promised order.

use chrono_tz::Tz;
use midwatch::config::flags::ColorChoice;
use midwatch::config::{
    Auth, Config, Environment, Flags, Glyphs, HeaderValue, Inputs, Loaded, LogLevel, SecretRef, Template, ThemeName,
    read,
};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

fn load(text: &str, environment: &[(&str, &str)], flags: &Flags) -> Loaded {
    let environment: Environment = environment.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    read(&Inputs {
        file: Some(("config.yaml", text)),
        folder: Path::new("/etc/midwatch"),
        environment: &environment,
        flags,
        machine_zone: Some("Asia/Tokyo"),
    })
}

fn fixtures(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/config").join(folder);
    let mut out: Vec<(String, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "yaml"))
        .map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(&path).unwrap()))
        .collect();
    out.sort();
    out
}

#[test]
fn good_files_have_no_findings() {
    let files = fixtures("good");
    assert!(files.len() >= 7);
    for (name, text) in files {
        assert_eq!(load(&text, &[], &Flags::default()).findings, vec![], "{name}");
    }
}

/// `expected.txt` holds, for every bad file, its name and the findings as they are printed.
#[test]
fn bad_files_give_exactly_these_lines() {
    let files = fixtures("bad");
    assert!(files.len() >= 25, "{}", files.len());
    let mut said = String::new();
    for (name, text) in files {
        let mut loaded = load(&text, &[], &Flags::default());
        midwatch::run::integrations::check(&mut loaded);
        assert!(!loaded.findings.is_empty(), "{name}");
        said.push_str(&format!("== {name}\n"));
        for finding in &loaded.findings {
            assert!(finding.line > 0 && finding.column > 0, "{name}: {finding}");
            said.push_str(&format!("{finding}\n"));
        }
        let shown = format!("{:?} {:?}", loaded.settings(), loaded);
        assert!(!shown.contains("hunter2") && !said.contains("hunter2"), "{name}: a secret is shown");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/config/bad/expected.txt");
    if std::env::var_os("MIDWATCH_TEST_UPDATE").is_some() {
        std::fs::write(&path, &said).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    for (got, want) in said.lines().zip(expected.lines()) {
        assert_eq!(got, want);
    }
    assert_eq!(said.lines().count(), expected.lines().count());
}

#[test]
fn no_command_gets_a_variable_that_holds_a_secret() {
    let text = include_str!("../fixtures/config/bad/secret_passed.yaml");
    let loaded = load(text, &[], &Flags::default());
    assert_eq!(loaded.config.env_pass, ["AWS_PROFILE"], "refused when it is read, whatever is told");
    assert!(loaded.has_errors());
    // Wherever in the file the secret stands, behind `env_pass` too.
    let later = "env_pass: [CHAT_TOKEN]\nchat:\n  - {name: c, anything: [{token: {env: CHAT_TOKEN}}]}\n";
    assert_eq!(load(later, &[], &Flags::default()).config.env_pass, Vec::<String>::new());
    let none =
        "prometheus:\n  - {name: p, url: 'http://127.0.0.1:1', auth: {bearer: {file: /t}}}\nenv_pass: [PROM_TOKEN]\n";
    assert_eq!(load(none, &[], &Flags::default()).config.env_pass, ["PROM_TOKEN"]);
}

#[test]
fn ten_megabytes_are_not_read() {
    let text = format!("theme: dark\n# {}\n", "x".repeat(10 << 20));
    let loaded = load(&text, &[], &Flags::default());
    assert_eq!(loaded.findings.len(), 1);
    assert_eq!(loaded.findings[0].rule, "too-large");
    assert_eq!(loaded.config.screen.theme, ThemeName::Adaptive);
}

#[test]
fn every_key_reaches_its_value() {
    let text = fixtures("good").into_iter().find(|(name, _)| name == "full").unwrap().1;
    let Loaded { config, .. } = load(&text, &[], &Flags::default());
    let main = &config.prometheus[0];
    assert_eq!((main.name.as_str(), main.url.as_str()), ("main", "https://prom.example/api"));
    assert_eq!(main.connection.poll_interval.num_seconds(), 30);
    assert_eq!(main.connection.timeout, Duration::from_secs(5));
    assert_eq!(main.connection.connect_timeout, Duration::from_millis(500));
    assert_eq!(main.connection.auth, Auth::Bearer(SecretRef::File("/etc/midwatch/secrets/prom".into())));
    let key = SecretRef::Command(vec!["pass".into(), "show".into(), "key".into()]);
    let headers = [
        ("X-Scope-OrgID".to_owned(), HeaderValue::Plain("team".into())),
        ("X-Api-Key".to_owned(), HeaderValue::Secret(key)),
    ];
    assert_eq!(main.connection.headers, headers);
    assert_eq!(main.connection.tls.ca_file, Some(PathBuf::from("/etc/midwatch/ca.pem")));
    assert_eq!(config.prometheus[1].connection.timeout, Duration::from_secs(10));
    assert_eq!(config.alertmanager[0].urls, ["http://127.0.0.1:9093", "http://127.0.0.1:9094"]);
    assert_eq!(config.slos, ["/etc/midwatch/slos/*.yaml", "/etc/slos/"]);
    assert_eq!(config.runbooks, ["/etc/midwatch/runbooks/"]);
    assert_eq!(config.postmortems, PathBuf::from("/etc/midwatch/drafts/"));
    assert_eq!(config.postmortem_template, Some(Template::B));
    assert_eq!(config.severities, Some(PathBuf::from("/etc/midwatch/severity.yaml")));
    let contacts: Vec<_> = config.contacts.iter().map(|(name, reach)| (name.as_str(), reach.as_deref())).collect();
    assert_eq!(contacts, [("on-call manager", None), ("senior-sre", Some("+49 30 5550100, #oncall"))]);
    assert_eq!(
        config.known_contacts().unwrap().into_iter().collect::<Vec<_>>(),
        ["alice", "on-call manager", "senior-sre"]
    );
    assert_eq!(load("bell: true", &[], &Flags::default()).config.known_contacts(), None, "nobody knows who is missing");
    assert_eq!((config.screen.theme, config.screen.glyphs), (ThemeName::HcDark, Glyphs::Block));
    let screen = &config.screen;
    assert_eq!([screen.paint_background, screen.cjk_width, screen.slow, screen.bell], [true, true, true, false]);
    assert_eq!(config.keys["help"], ["?", "f1"]);
    assert_eq!(config.time_zone, Tz::Europe__Berlin);
    assert_eq!((config.command_timeout, config.arm_for.num_minutes()), (Duration::from_secs(120), 10));
    assert_eq!((config.cache, config.read_only, config.log_level), (false, true, LogLevel::Debug));
    assert_eq!(config.responder.email.as_deref(), Some("alice@example.com"));
}

#[test]
fn layers_lie_over_each_other_and_say_so() {
    let origin = |loaded: &Loaded, key: &str| loaded.origins.get(key).to_string();
    let none = Flags::default();

    let loaded = load("theme: ~", &[("USER", "bob")], &none);
    assert_eq!(origin(&loaded, "log_level"), "default");
    assert_eq!((loaded.config.time_zone, origin(&loaded, "time_zone").as_str()), (Tz::Asia__Tokyo, "this machine"));
    assert_eq!(
        (loaded.config.responder.name.as_str(), origin(&loaded, "responder.name").as_str()),
        ("bob", "environment USER")
    );

    let file = "log_level: debug\ntime_zone: Europe/Berlin\nresponder: {name: alice}\n";
    let loaded = load(file, &[("USER", "bob")], &none);
    assert_eq!((loaded.config.log_level, origin(&loaded, "log_level").as_str()), (LogLevel::Debug, "config.yaml:1:12"));
    assert_eq!(loaded.config.responder.name, "alice");

    let env = [("MIDWATCH_LOG_LEVEL", "warn"), ("MIDWATCH_TIME_ZONE", "Europe/Paris"), ("MIDWATCH_READ_ONLY", "1")];
    let loaded = load(file, &env, &none);
    assert_eq!(loaded.config.log_level, LogLevel::Warn);
    assert_eq!(origin(&loaded, "log_level"), "environment MIDWATCH_LOG_LEVEL");
    assert!(loaded.config.read_only);

    let flags = Flags { log_level: Some(LogLevel::Trace), time_zone: Some(Tz::UTC), ascii: true, ..Flags::default() };
    let loaded = load(file, &env, &flags);
    assert_eq!((loaded.config.log_level, loaded.config.time_zone), (LogLevel::Trace, Tz::UTC));
    assert_eq!(origin(&loaded, "log_level"), "flag --log-level");
    assert_eq!((loaded.config.screen.glyphs, origin(&loaded, "glyphs").as_str()), (Glyphs::Ascii, "flag --ascii"));
}

#[test]
fn a_variable_that_is_wrong_is_a_finding_and_changes_nothing() {
    let env = [("MIDWATCH_THEME", "pink"), ("MIDWATCH_TEHME", "dark"), ("MIDWATCH_LOG_LEVEL", "")];
    let loaded = load("theme: dark", &env, &Flags::default());
    let said: Vec<String> =
        loaded.findings.iter().map(|f| format!("{}: {:?}: {}", f.path, f.level, f.message)).collect();
    assert_eq!(said[0], "environment MIDWATCH_TEHME: Warning: no setting has this name (nearest: MIDWATCH_THEME)");
    assert!(said[1].starts_with("environment MIDWATCH_THEME: Error: `pink` is not known"), "{}", said[1]);
    assert_eq!(said.len(), 2);
    assert_eq!(loaded.config.screen.theme, ThemeName::Dark);
}

#[test]
fn the_theme_is_chosen_in_the_promised_order() {
    type Case<'c> = (&'c str, &'c [(&'c str, &'c str)], Flags, ThemeName, &'c str);
    let theme = |name| Flags { theme: Some(name), ..Flags::default() };
    let color = |color| Flags { color, ..Flags::default() };
    let cases: [Case<'_>; 13] = [
        ("", &[], Flags::default(), ThemeName::Adaptive, "default"),
        ("", &[("COLORFGBG", "0;15")], Flags::default(), ThemeName::Light, "environment COLORFGBG"),
        ("", &[("COLORFGBG", "15;")], Flags::default(), ThemeName::Adaptive, "default"),
        ("", &[("COLORFGBG", "15;0"), ("NO_COLOR", "1")], Flags::default(), ThemeName::Mono, "environment NO_COLOR"),
        ("", &[("NO_COLOR", "")], Flags::default(), ThemeName::Adaptive, "default"),
        ("", &[("TERM", "vt220")], Flags::default(), ThemeName::Mono, "environment TERM"),
        ("theme: dark", &[("NO_COLOR", "1")], Flags::default(), ThemeName::Dark, "config.yaml:1:8"),
        (
            "theme: dark",
            &[("MIDWATCH_THEME", "light")],
            Flags::default(),
            ThemeName::Light,
            "environment MIDWATCH_THEME",
        ),
        ("theme: dark", &[("MIDWATCH_THEME", "light")], theme(ThemeName::HcLight), ThemeName::HcLight, "flag --theme"),
        ("", &[("NO_COLOR", "1")], theme(ThemeName::Dark), ThemeName::Dark, "flag --theme"),
        ("", &[("NO_COLOR", "1")], color(ColorChoice::Always), ThemeName::Adaptive, "default"),
        ("", &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], Flags::default(), ThemeName::Adaptive, "default"),
        ("theme: dark", &[], color(ColorChoice::Never), ThemeName::Mono, "flag --color"),
    ];
    for (file, environment, flags, want, origin) in cases {
        let loaded = load(file, environment, &flags);
        let got = (loaded.config.screen.theme, loaded.origins.get("theme").to_string());
        assert_eq!(got, (want, origin.to_owned()), "{file} {environment:?}");
    }
}

#[test]
fn no_configuration_is_the_empty_one() {
    let inputs = Inputs {
        file: None,
        folder: Path::new(""),
        environment: &Environment::new(),
        flags: &Flags::default(),
        machine_zone: None,
    };
    let loaded = read(&inputs);
    assert_eq!((loaded.config, loaded.findings), (Config::empty(), vec![]));
}

#[test]
fn what_may_be_a_secret_is_masked() {
    let text = fixtures("good").into_iter().find(|(name, _)| name == "full").unwrap().1;
    let loaded = load(&text, &[], &Flags::default());
    let shown = |key: &str| loaded.settings().into_iter().find(|s| s.key == key).map(|s| (s.text, s.origin));
    let said = |text: &str, origin: &str| Some((text.to_owned(), origin.to_owned()));
    assert_eq!(shown("prometheus[0].headers.X-Api-Key"), said("command pass *** (2 arguments)", "config.yaml:9:47"));
    assert_eq!(shown("prometheus[0].headers.X-Scope-OrgID"), said("team", "config.yaml:9:30"));
    assert_eq!(shown("prometheus[0].connect_timeout"), said("500ms", "config.yaml:7:22"));
    let debug = format!("{:?}", loaded.config);
    assert!(!debug.contains("show"), "arguments of a secret's command stand in {debug}");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(400))]

    /// Whatever the file, the environment and the places of values: no panic, places where there is a file, nothing that steers.
    #[test]
    fn any_text_gives_settings_and_findings_with_places(
        key in proptest::sample::select(midwatch::config::file::KEYS.to_vec()),
        value in "[ -~\n\\[\\]{}:,\"'é\u{202e}]{0,40}",
        variable in proptest::prelude::any::<String>(),
    ) {
        let text = format!("{key}: {value}\n");
        let loaded = load(&text, &[("MIDWATCH_THEME", &variable), ("MIDWATCH_\u{1b}", "x")], &Flags::default());
        for finding in &loaded.findings {
            proptest::prop_assert!(finding.path.starts_with("environment") || finding.line > 0, "{}", finding);
            let shown = finding.to_string();
            proptest::prop_assert!(!shown.chars().any(midwatch::domain::text::is_hidden), "{:?}", shown);
        }
        proptest::prop_assert!(loaded.settings().len() >= 19);
    }
}

#[test]
fn a_product_that_is_not_known_is_told_with_the_nearest_that_is() {
    let mut loaded = load("chat: [{name: x, kind: webhok, url: 'https://a.example'}]\n", &[], &Flags::default());
    midwatch::run::integrations::check(&mut loaded);
    let said = loaded.findings[0].to_string();
    assert!(said.contains("kind `webhok` is not known") && said.contains("nearest: `webhook`"), "{said}");
}

/// What the file's reader knows is what the schema tells an editor.
#[test]
fn the_schema_names_every_key_and_no_other() {
    let schema: serde_json::Value = serde_json::from_str(include_str!("../../assets/schemas/config.json")).unwrap();
    let told: BTreeSet<&str> = schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(told, midwatch::config::file::KEYS.into_iter().collect());
}

//! No value becomes code: every hostile value at every place where a variable may stand arrives byte for byte at a real
//! program, or is refused before there is anything to confirm. The negative control puts the same values into the text,
//! and must make the canary.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail loudly")]

use midwatch::domain::document::Mark;
use midwatch::domain::exec::CommandSpec;
use midwatch::domain::mask::Masks;
use midwatch::domain::runbook::format::read;
use midwatch::domain::runbook::model::{Exec, Input, InputFrom, Part, Risk, RunCommand, Runbook, Target};
use midwatch::domain::runbook::offer::Offer;
use midwatch::domain::runbook::prepare::ready;
use midwatch::domain::runbook::values::Values;
use midwatch::io::port::{CommandEnd, CommandNews, Shell};
use midwatch::io::shell::LocalShell;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tokio::sync::{mpsc, oneshot};

/// `C` stands for the canary.
const CORPUS: [&str; 84] = [
    "$(touch C)",
    "`touch C`",
    "; touch C",
    "& touch C",
    "&& touch C",
    "| touch C",
    "|| touch C",
    "\ntouch C\n",
    "\rtouch C",
    "' ; touch C; '",
    "\"; touch C; \"",
    "'; touch C #",
    "\"$(touch C)\"",
    "'$(touch C)'",
    "x'\\''; touch C; '",
    "\\'; touch C; \\'",
    "'\"'\"'; touch C; '\"'\"'",
    "${IFS}touch C",
    "$((touch C))",
    "<(touch C)",
    ">(touch C)",
    "> C",
    ">> C",
    "<C",
    "2>C",
    ">&C",
    "{touch,C}",
    "$(<C)",
    "x;touch${IFS}C",
    "%0atouch C",
    "\\;touch C",
    "\\\ntouch C",
    "!touch C",
    "^touch^C",
    "-o ProxyCommand=touch\\ C",
    "--exec=touch C",
    "-c 'touch C'",
    "--",
    "-",
    "-rf",
    "-n",
    "--all",
    "a b",
    " a",
    "a ",
    "a\tb",
    "a  b",
    "*",
    "?",
    "[a-z]",
    "~",
    "~root",
    "$HOME",
    "$PATH",
    "${HOME}",
    "${NAME}",
    "$$",
    "$!",
    "$?",
    "\\",
    "\\\\",
    "\\n",
    "'",
    "\"",
    "''",
    "#x",
    "=",
    "a=b",
    "PATH=/x",
    "é🦀",
    "\u{202e}x",
    "\u{1b}]0;x\u{7}",
    "\u{1b}[2J",
    "\u{7f}",
    "\u{1}",
    "\u{85}",
    "\u{feff}",
    "()",
    "() { :; }; touch C",
    "{ touch C; }",
    "$'\\x3btouch C'",
    "a\u{a0}b",
    "%s%n",
    "a\0; touch C",
];

fn book(folder: &Path) -> Runbook {
    let path = folder.join("r.yaml").display().to_string();
    let mut book = read(&path, "name: R\nsteps:\n  - {name: One}\n").0.unwrap();
    book.targets = vec![("edge".into(), Target::Ssh { host: "edge".into() })];
    book
}

/// An input that lets everything through that the fixed rules let through.
fn values(value: &str) -> Values {
    let input = Input {
        name: "NAME".into(),
        from: InputFrom::Label("name".into()),
        default: None,
        pattern: Some("(?s).*".into()),
        min: None,
        max: None,
        secret: false,
        mark: Mark::default(),
    };
    let mut values = Values::default();
    values.offer_input(&input, value);
    values
}

/// Every place where a variable may stand: each prints exactly what it got.
fn places() -> Vec<(&'static str, RunCommand)> {
    let argv = |words: &[&str]| Exec::Argv(words.iter().map(|w| (*w).to_owned()).collect());
    let sh = |text: &str| Exec::Sh(text.to_owned());
    let here = |exec| RunCommand::new("s.1", "as written", exec, Risk::Read, Mark::default());
    let there = |exec| RunCommand { target: Some("edge".into()), ..here(exec) };
    vec![
        ("argv", here(argv(&["printf", "%s", "${NAME}"]))),
        ("inside an element", here(argv(&["printf", "<%s>", "a${NAME}z"]))),
        ("shell", here(sh("printf %s \"$NAME\""))),
        ("shell with braces", here(sh("printf '<%s>' \"a${NAME}z\""))),
        ("inner shell", here(argv(&["sh", "-c", "printf %s \"$1\"", "_", "${NAME}"]))),
        ("inner shell of a shell", here(sh("sh -c 'printf %s \"$1\"' _ \"$NAME\""))),
        ("ssh", there(argv(&["printf", "%s", "${NAME}"]))),
        ("shell over ssh", there(sh("printf %s \"$NAME\""))),
        ("inner shell over ssh", there(argv(&["sh", "-c", "printf %s \"$1\"", "_", "${NAME}"]))),
    ]
}

/// An `ssh` that does what the real one and its server do: joins what follows `--` and gives it to the login shell.
fn fake_ssh(folder: &Path) {
    let path = folder.join("ssh");
    let text = "#!/bin/sh\n[ \"$1 $2 $3 $4 $5\" = '-T -o BatchMode=yes edge --' ] || exit 99\nshift 5\nexec /bin/sh -c \"$*\"\n";
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn run(shell: LocalShell, spec: CommandSpec) -> (String, CommandEnd) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (tell, mut news) = mpsc::channel(64);
        let (_stop, stopped) = oneshot::channel();
        let task = tokio::spawn(shell.run(spec, tell, stopped));
        let mut text = String::new();
        while let Some(next) = news.recv().await {
            match next {
                CommandNews::Started(_) => {}
                CommandNews::Output(piece) => text.push_str(&piece),
                CommandNews::Ended(end) => {
                    task.await.unwrap();
                    return (text, end);
                }
            }
        }
        panic!("it never ended");
    })
}

fn spec(offer: &Offer, folder: &Path) -> CommandSpec {
    let mut spec = offer.spec("run", &[]);
    spec.env.push(("PATH".into(), format!("{}:/usr/bin:/bin", folder.display())));
    spec
}

fn offer(command: &RunCommand, prepared: midwatch::domain::runbook::prepare::Prepared) -> Offer {
    let place = midwatch::domain::incident::event::At { runbook: "r".into(), step: "s".into(), name: "S".into() };
    Offer::of(&"INC-1".into(), place, "command 1", (Part::Run, command), prepared)
}

#[test]
fn every_value_at_every_place_arrives_whole_or_is_refused_and_runs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    fake_ssh(folder.path());
    let (book, canary) = (book(folder.path()), folder.path().join("canary"));
    let (mut arrived, mut refused) = (0, 0);
    for raw in CORPUS {
        let value = raw.replace('C', &canary.display().to_string());
        for (place, command) in places() {
            match ready(&book, &command, &values(&value)) {
                Err(why) => {
                    refused += 1;
                    assert!(why.0.contains("$NAME has no value"), "{value:?}: {why}");
                    let shown = midwatch::domain::text::clean(&why.0).into_owned();
                    assert_eq!(shown, why.0, "told harmlessly");
                }
                Ok(prepared) => {
                    arrived += 1;
                    assert!(!value.starts_with('-') && !value.contains('\0'));
                    let (text, end) = run(LocalShell::default(), spec(&offer(&command, prepared), folder.path()));
                    let want =
                        if text.starts_with('<') && text != value { format!("<a{value}z>") } else { value.clone() };
                    assert_eq!((end.exit, text.as_str()), (Some(0), want.as_str()), "{place}: {value:?} {end:?}");
                }
            }
            assert!(!canary.exists(), "{value:?} ran at {place}");
        }
    }
    assert!(arrived > 400 && refused > 100, "{arrived} arrived, {refused} refused");
}

#[test]
fn the_negative_control_that_puts_values_into_the_text_runs_them() {
    let folder = tempfile::tempdir().unwrap();
    fake_ssh(folder.path());
    let (book, canary) = (book(folder.path()), folder.path().join("canary"));
    let mut ran = 0;
    for raw in CORPUS {
        let value = raw.replace('C', &canary.display().to_string());
        for target in [None, Some("edge".to_owned())] {
            let text = format!("printf %s {value}");
            let exec = Exec::Argv(vec!["sh".into(), "-c".into(), text]);
            let command = RunCommand { target, ..RunCommand::new("s.1", "x", exec, Risk::Read, Mark::default()) };
            let Ok(prepared) = ready(&book, &command, &Values::default()) else { continue };
            run(LocalShell::default(), spec(&offer(&command, prepared), folder.path()));
            ran += usize::from(canary.exists());
            drop(std::fs::remove_file(&canary));
        }
    }
    assert!(ran >= 20, "only {ran} of the values run when they are put into the text: the corpus is blunt");
}

#[test]
fn secrets_are_masked_before_anything_is_told_or_kept() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("output");
    let shell = LocalShell { spill: Some(output.clone()), ..LocalShell::default() };
    let secret = "tr0ub4dor and more";
    let text = "i=0; while [ $i -lt 9000 ]; do echo \"line $i of a long story that goes on and on $KEY\"; i=$((i+1)); done; \
                printf 'tr0ub4'; sleep 0.2; printf 'dor and more\\n'; echo password=hunter2hunter2; printf %s \"$KEY\" | base64";
    let spec = CommandSpec {
        argv: vec!["/bin/sh".into(), "-c".into(), text.into()],
        env: vec![("KEY".into(), secret.into())],
        timeout: std::time::Duration::from_secs(60),
        keep_head: 64 * 1024,
        masks: Masks::of([secret]),
        spill: Some("run-1".into()),
        ..CommandSpec::default()
    };
    assert!(!format!("{spec:?}").contains(secret));
    let (shown, end) = run(shell, spec);
    assert_eq!(end.exit, Some(0), "{end:?}");
    let file = end.file.unwrap();
    let kept = std::fs::read_to_string(&file).unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::metadata(&output).unwrap().permissions().mode() & 0o777, 0o700);
    for text in [&shown, &kept] {
        assert!(text.contains("[masked]") && text.contains("password=[masked]"));
        for part in [secret, "tr0ub4dor", "hunter2", "dHIwdWI0ZG9yIGFuZCBtb3Jl"] {
            assert!(!text.contains(part), "{part}");
        }
    }
    assert!(kept.contains("line 8999 of"), "the file has all of it");
}

#[test]
fn a_read_is_tried_again_and_a_file_that_changed_stops_what_came_from_it() {
    let folder = tempfile::tempdir().unwrap();
    let count = folder.path().join("count");
    let text = format!("echo x >> {0}; [ $(wc -l < {0}) -ge 3 ]", count.display());
    let spec = |tries| CommandSpec {
        argv: vec!["/bin/sh".into(), "-c".into(), text.clone()],
        timeout: std::time::Duration::from_secs(10),
        keep_head: 1_000,
        tries,
        pause: std::time::Duration::from_millis(10),
        ..CommandSpec::default()
    };
    let (said, end) = run(LocalShell::default(), spec(4));
    assert_eq!((end.exit, said.matches("once more").count()), (Some(0), 2), "{said}");
    std::fs::remove_file(&count).unwrap();
    let (_, end) = run(LocalShell::default(), spec(0));
    assert_eq!(end.exit, Some(1), "what is not to be tried again is not");
    let file = folder.path().join("r.yaml");
    std::fs::write(&file, "new").unwrap();
    let seen =
        midwatch::domain::exec::FileSeen { path: file.display().to_string(), sha256: "old".into(), private: true };
    std::fs::remove_file(&count).unwrap();
    let (_, end) = run(LocalShell::default(), CommandSpec { files: vec![seen], ..spec(0) });
    assert!(!end.began && end.reason.unwrap().contains("changed on disk since it was shown"));
    assert!(!count.exists(), "it never began");
}

//! What a command may and may not do: the real shell port with real processes, on a runtime of one thread.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail loudly")]

use midwatch::io::port::{CommandEnd, CommandNews, CommandSpec, Shell};
use midwatch::io::shell::LocalShell;
use midwatch::io::shell::launch::Launcher;
use sha2::{Digest, Sha256};
use std::path::Path;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

fn spec(argv: &[&str]) -> CommandSpec {
    CommandSpec {
        argv: argv.iter().map(|a| (*a).to_owned()).collect(),
        timeout: Duration::from_secs(30),
        keep_head: 64 * 1024,
        ..CommandSpec::default()
    }
}

fn sh(text: &str) -> CommandSpec {
    spec(&["/bin/sh", "-c", text])
}

/// Stops nothing unless told to.
enum Stop {
    Never,
    /// When this was read.
    Seen(&'static str),
}

struct Ran {
    text: String,
    pieces: usize,
    started: Option<i32>,
    end: CommandEnd,
}

fn run(spec: CommandSpec, stop: Stop) -> Ran {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let shell = LocalShell { grace: Duration::from_millis(200), launcher: Launcher::find(), spill: None };
        let (tell, mut news) = mpsc::channel(8);
        let (fire, stopped) = oneshot::channel();
        let task = tokio::spawn(shell.run(spec, tell, stopped));
        let mut fire = Some(fire);
        let (mut text, mut pieces, mut started) = (String::new(), 0, None);
        while let Some(next) = news.recv().await {
            match next {
                CommandNews::Started(id) => started = Some(id),
                CommandNews::Output(piece) => {
                    pieces += 1;
                    text.push_str(&piece);
                    if matches!(stop, Stop::Seen(word) if text.contains(word))
                        && let Some(fire) = fire.take()
                    {
                        fire.send(()).unwrap();
                    }
                }
                CommandNews::Ended(end) => {
                    task.await.unwrap();
                    return Ran { text, pieces, started, end };
                }
            }
        }
        panic!("it never ended");
    })
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

fn alive(id: i32) -> bool {
    // A dead process that nobody waited for is not alive.
    std::fs::read_to_string(format!("/proc/{id}/stat"))
        .is_ok_and(|stat| !stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z')))
}

#[test]
fn exit_codes_signals_and_both_streams_are_told() {
    let ran = run(sh("echo one; echo two >&2; echo three; exit 3"), Stop::Never);
    assert_eq!((ran.text.as_str(), ran.end.exit, ran.end.reason), ("one\ntwo\nthree\n", Some(3), None));
    assert_eq!((ran.end.bytes, ran.end.dropped, ran.end.survivors), (14, 0, false));
    assert_eq!(ran.end.sha256, hash(b"one\ntwo\nthree\n"));
    let ran = run(sh("kill -9 $$"), Stop::Never);
    assert_eq!((ran.end.exit, ran.end.reason.as_deref()), (None, Some("signal 9")));
}

#[test]
fn what_cannot_be_run_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let mut nowhere = spec(&["true"]);
    nowhere.cwd = Some(folder.path().join("none"));
    let mut odd = spec(&["true"]);
    odd.env = vec![("A=B".into(), "x".into())];
    let plain = folder.path().join("plain").display().to_string();
    std::fs::write(&plain, "").unwrap();
    for (spec, why) in [
        (spec(&["no-such-tool-here"]), "not found: no-such-tool-here"),
        (spec(&["/no/such/tool"]), "not found: /no/such/tool"),
        (spec(&[&plain]), "not executable"),
        (spec(&[]), "no command"),
        (spec(&[""]), "empty"),
        (nowhere, "no such folder"),
        (odd, "not a variable's name"),
    ] {
        let ran = run(spec, Stop::Never);
        assert!(ran.end.reason.as_deref().unwrap().contains(why), "{:?} {why}", ran.end.reason);
        assert_eq!((ran.end.exit, ran.started), (None, None));
    }
}

/// Values that run something, or arrive changed, wherever text is put into a command line.
#[expect(clippy::too_many_lines, reason = "a table")]
fn corpus(canary: &Path) -> Vec<String> {
    let c = canary.display();
    let mut all: Vec<String> = [
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
        "-o ProxyCommand=touch\\ C",
        "--exec=touch C",
        "-c 'touch C'",
        "--",
        "-",
        "-rf",
        "-n",
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
        "$$",
        "$!",
        "$?",
        "\\",
        "\\\\",
        "\\n",
        "'",
        "\"",
        "''",
        "",
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
        "(touch C)",
        "{ touch C; }",
        "if true; then touch C; fi",
        "eval touch C",
        "$'\\x3btouch C'",
        "a\u{a0}b",
        "%s%n",
    ]
    .iter()
    .map(|v| v.replace('C', &c.to_string()))
    .collect();
    all.push("x".repeat(100_000));
    all.push("\0".into());
    all.push("a\0; touch b".into());
    assert!(all.len() >= 60);
    all
}

#[test]
fn no_value_becomes_code_and_every_value_arrives_or_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let canary = folder.path().join("canary");
    for value in corpus(&canary) {
        let mut by_env = sh("printf %s \"$V\"");
        by_env.env = vec![("V".into(), value.clone())];
        let by_arg = spec(&["printf", "%s", &value]);
        let by_shell_arg = spec(&["/bin/sh", "-c", "printf %s \"$1\"", "sh", &value]);
        for mut command in [by_env, by_arg, by_shell_arg] {
            command.cwd = Some(folder.path().to_owned());
            command.keep_head = 1 << 20;
            let ran = run(command, Stop::Never);
            if value.contains('\0') {
                assert!(ran.end.reason.unwrap().starts_with("refused"), "{value:?}");
            } else {
                assert_eq!((ran.end.exit, ran.text.as_str()), (Some(0), value.as_str()));
                assert_eq!(ran.end.sha256, hash(value.as_bytes()));
            }
            assert!(!canary.exists(), "{value:?} ran");
        }
    }
    // The canary can be made at all: put into the text, the same values do run.
    run(sh(&format!("echo \"$(touch {})\"", canary.display())), Stop::Never);
    assert!(canary.exists());
}

#[test]
fn a_child_has_no_terminal_no_input_and_a_session_of_its_own() {
    let ran = run(
        sh(
            "(: </dev/tty) 2>/dev/null && echo opened || echo none; cat; ps -o pid=,pgid=,sid= -p $$ 2>/dev/null || awk '{print $1,$5,$6}' /proc/$$/stat; echo $$",
        ),
        Stop::Never,
    );
    let words: Vec<&str> = ran.text.split_whitespace().collect();
    assert_eq!(words[0], "none", "{}", ran.text);
    let id = ran.started.unwrap().to_string();
    assert_eq!(&words[1..], [id.as_str(); 4], "process, group and session: {}", ran.text);
}

#[test]
fn no_secret_of_ours_reaches_a_child() {
    // Cargo has put its own variables into ours, which stand for all that is not listed.
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    let mut command = spec(&["env"]);
    command.env = vec![("INCIDENT".into(), "INC-1".into())];
    let ran = run(command, Stop::Never);
    let listed = ["PATH", "HOME", "USER", "LOGNAME", "LANG", "TERM", "TZ", "KUBECONFIG", "SSH_AUTH_SOCK", "INCIDENT"];
    for line in ran.text.lines() {
        let name = line.split('=').next().unwrap();
        assert!(listed.contains(&name) || name.starts_with("LC_"), "{line}");
    }
    assert!(ran.text.contains("INCIDENT=INC-1\n") && ran.text.contains("TERM=dumb\n"));
}

#[test]
fn a_flood_is_bounded_and_can_be_stopped() {
    let ran = run(spec(&["yes", "midwatch"]), Stop::Seen("not kept"));
    assert_eq!((ran.end.exit, ran.end.reason.as_deref(), ran.end.survivors), (None, Some("stopped"), false));
    assert!(ran.end.dropped > 0);
    assert!(ran.text.starts_with("midwatch\nmidwatch\n") && ran.text.ends_with("midwatch\n"));
    assert!(!alive(ran.started.unwrap()));
}

#[test]
fn fifty_megabytes_without_a_newline() {
    let ran = run(sh("head -c 50000000 /dev/zero | tr '\\0' x"), Stop::Never);
    assert_eq!((ran.end.exit, ran.end.bytes), (Some(0), 50_000_000));
    assert_eq!(ran.end.sha256, hash(&vec![b'x'; 50_000_000]));
    let notes = ran.text.matches("[midwatch: ").count();
    let shown = ran.text.chars().filter(|c| *c == 'x').count();
    assert_eq!(u64::try_from(shown).unwrap() + ran.end.dropped, ran.end.bytes, "shown and dropped are all there is");
    assert!(notes >= 1 && ran.pieces < 20 * 30);
}

#[test]
fn bytes_that_are_no_text_are_counted_as_they_were() {
    let ran = run(spec(&["printf", "a\\377\\360\\237b"]), Stop::Never);
    assert_eq!(ran.text, "a\u{fffd}\u{fffd}b");
    assert_eq!((ran.end.bytes, ran.end.sha256), (5, hash(b"a\xff\xf0\x9fb")));
}

#[test]
fn the_time_limit_ends_the_whole_group() {
    let mut command = sh("sleep 300 & echo $!; sleep 300");
    command.timeout = Duration::from_millis(400);
    let ran = run(command, Stop::Never);
    assert_eq!((ran.end.exit, ran.end.reason.as_deref(), ran.end.survivors), (None, Some("time limit"), false));
    assert!(!alive(ran.text.trim().parse().unwrap()));
}

#[test]
fn what_ignores_term_is_killed() {
    let ran = run(sh("trap '' TERM; (trap '' TERM; sleep 300) & echo $!; while :; do sleep 1; done"), Stop::Seen("\n"));
    assert_eq!((ran.end.reason.as_deref(), ran.end.survivors), (Some("stopped"), false));
    assert!(!alive(ran.text.trim().parse().unwrap()) && !alive(ran.started.unwrap()));
}

#[test]
fn a_child_left_behind_in_the_group_is_ended() {
    for redirect in ["", ">/dev/null 2>&1"] {
        let ran = run(sh(&format!("sleep 300 {redirect} & echo $!")), Stop::Never);
        assert_eq!((ran.end.exit, ran.end.survivors), (Some(0), false), "{redirect}");
        assert!(!alive(ran.text.trim().parse().unwrap()), "{redirect}");
    }
}

#[test]
fn what_left_the_group_is_reported() {
    // Stopped while its parent still shows whose it is, and ended by itself while it holds the output.
    for (text, stop) in [
        ("setsid sh -c 'echo $$ ready; exec sleep 300 >/dev/null 2>&1' & wait", Stop::Seen("ready")),
        ("setsid sleep 300 & echo $!", Stop::Never),
    ] {
        let ran = run(sh(text), stop);
        let id: i32 = ran.text.split_whitespace().next().unwrap().parse().unwrap();
        assert!(ran.end.survivors, "{text}");
        assert!(alive(id), "it is told, not chased");
        rustix::process::kill_process(rustix::process::Pid::from_raw(id).unwrap(), rustix::process::Signal::KILL)
            .unwrap();
    }
}

#[test]
fn a_command_nobody_listens_to_is_stopped_and_so_is_one_whose_runner_is_dropped() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let shell = LocalShell { grace: Duration::from_millis(200), launcher: Launcher::find(), spill: None };
        for deaf in [true, false] {
            let (tell, mut news) = mpsc::channel(8);
            let (_fire, stopped) = oneshot::channel();
            let task = tokio::spawn(shell.run(spec(&["sleep", "300"]), tell, stopped));
            let Some(CommandNews::Started(id)) = news.recv().await else { panic!("not started") };
            assert!(alive(id));
            if deaf {
                drop(news);
                task.await.unwrap();
            } else {
                task.abort();
                assert!(task.await.unwrap_err().is_cancelled());
            }
            while alive(id) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    });
}

#[test]
fn without_a_launcher_the_group_is_still_its_own() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let shell = LocalShell { grace: Duration::from_millis(200), launcher: Launcher::GroupOnly, spill: None };
        let (tell, mut news) = mpsc::channel(64);
        let (fire, stopped) = oneshot::channel();
        let task = tokio::spawn(shell.run(sh("sleep 300 & wait"), tell, stopped));
        let Some(CommandNews::Started(id)) = news.recv().await else { panic!("not started") };
        fire.send(()).unwrap();
        task.await.unwrap();
        assert!(!alive(id));
    });
}

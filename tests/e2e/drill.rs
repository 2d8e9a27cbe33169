//! Drills with people: a facilitator in a second process, players in terminals of their own, the real world on the screen,
//! and everybody's way out.

use crate::fake::Prometheus;
use crate::terminal::{Home, PROGRAM, Start, Terminal, wait_for};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};

fn midwatch(home: &Home, arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).env_clear().current_dir(home.config());
    command.env("HOME", home.folder().join("home")).env("USER", "alice").env("LANG", "C.UTF-8");
    command.env("MIDWATCH_CONFIG", home.config().join("config.yaml")).env("MIDWATCH_DATA_DIR", home.data());
    command.stdin(Stdio::null());
    command
}

/// A facilitator's act in a process of its own: exit code, standard output and error.
fn control(home: &Home, act: &[&str]) -> (Option<i32>, String, String) {
    let output = midwatch(home, &[&["drill", "control"], act].concat()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// Where the drill stands.
fn observed(home: &Home) -> Value {
    let (code, out, err) = control(home, &["-o", "json"]);
    assert_eq!(code, Some(0), "{out}{err}");
    serde_json::from_str::<Value>(&out).unwrap()["drill"].clone()
}

#[track_caller]
fn does(home: &Home, act: &[&str], word: &str) {
    let (code, out, err) = control(home, act);
    assert!(code == Some(0) && out.contains(word), "{act:?}: {code:?} {out}{err}");
}

/// The folder of the only drill.
fn folder(home: &Home) -> PathBuf {
    let all: Vec<PathBuf> = std::fs::read_dir(home.data().join("drills"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    assert_eq!(all.len(), 1, "{all:?}");
    all[0].clone()
}

fn config(home: &Home) {
    home.write("config.yaml", "responder: {name: alice}\n");
}

fn run(home: &Home, more: &[&str]) -> Terminal {
    let terminal = Start::with(&[&["drill", "run", "bad-deploy"], more].concat()).size(80, 24).run(home);
    terminal.shows("DRILL   simulated data");
    terminal
}

#[test]
fn a_facilitator_steers_two_players_and_ends_it_for_both() {
    let home = Home::new();
    config(&home);
    let mut alice = run(&home, &[]);
    alice.shows("REAL: not known: no source is configured");
    // A name that would hide what follows comes out harmless.
    let mut bob = Start::with(&["drill", "join", "--as", " bob\u{202e} "]).size(80, 24).run(&home);
    bob.shows("2 play: alice, bob<U+202E>");
    alice.shows("2 play: alice, bob<U+202E>");
    let twice = Start::with(&["drill", "join", "bad-deploy", "--as", "ALICE"]).run(&home);
    twice.shows("ALICE plays already");

    does(&home, &["fire", "deploy"], "deploy came");
    let (code, _, err) = control(&home, &["fire", "deploy"]);
    assert!(code == Some(1) && err.contains("came already"), "{err}");
    does(&home, &["hint", "what was rolled out", "--cost", "7"], "it costs 7");
    alice.shows("hint: what was rolled out");
    bob.shows("hint: what was rolled out");
    does(&home, &["say", "support", "nobody can pay"], "support said it");
    bob.shows("support: nobody can pay");
    does(&home, &["delay", "2", "-5m"], "comes 5m nearer");
    does(&home, &["skip", "newsletter"], "will not come");

    // What one records the other sees, under the name of who did it.
    bob.walk(&[("i", "Declare an incident"), ("Checkout is down\r", "TIMELINE")]);
    alice.shows("Checkout is down");
    alice.walk(&[("3", "TIMELINE"), ("a", "acknowledged")]);
    bob.hides("UNACKED");

    does(&home, &["pause"], "paused");
    alice.shows("DRILL STANDS STILL");
    bob.shows("DRILL STANDS STILL");
    let (now, again) = (observed(&home)["now"].clone(), observed(&home)["now"].clone());
    assert_eq!(now, again, "the clock stands");
    assert_eq!(observed(&home)["paused"][0], "paused by the facilitator");
    does(&home, &["continue"], "goes on");
    alice.hides("STANDS STILL");
    does(&home, &["speed", "5"], "5 times");
    let seen = observed(&home);
    assert_eq!(seen["players"], serde_json::json!(["alice", "bob<U+202E>"]));
    assert_eq!(seen["acted"], serde_json::json!(["alice", "bob<U+202E>"]));
    assert_eq!((&seen["injects"][0]["state"], &seen["injects"][4]["state"]), (&"came".into(), &"skipped".into()));
    assert_eq!(
        seen["points"].as_i64().unwrap(),
        13,
        "10 for the acknowledgement, 10 for the declaration, 7 for the hint: {seen:#}"
    );

    does(&home, &["abort", "fire alarm"], "aborted");
    alice.shows("the drill is over (aborted)");
    bob.shows("the drill is over (aborted)");
    let (code, _, err) = control(&home, &["fire", "2"]);
    assert!(code == Some(1) && err.contains("the drill is over"), "{err}");
    alice.walk(&[("q", "INCIDENTS 1"), ("q", "13 of 100 points")]);
    assert_eq!(alice.ended().code(), Some(0));
    bob.shows("13 of 100 points; report:");
    assert_eq!(bob.ended().code(), Some(0));
    assert_eq!((alice.left_behind(), bob.left_behind()), (Vec::<String>::new(), Vec::<String>::new()));

    let report = std::fs::read_to_string(folder(&home).join("DRILL-report.md")).unwrap();
    for words in [
        "alice, bob",
        "inject deploy",
        "by the facilitator",
        "hint (costs 7)",
        "the facilitator says as support",
        "brings nearer",
        "the facilitator pauses the drill",
        "the facilitator ends it: fire alarm",
        "sits down",
    ] {
        assert!(report.contains(words), "{words}: {report}");
    }
    let (code, _, err) = control(&home, &["pause"]);
    assert!(code == Some(1) && err.contains("no drill runs"), "{err}");
    assert!(!folder(&home).join("DRILL-run/DRILL.sock").exists());
}

#[test]
fn a_player_who_leaves_leaves_the_others_playing() {
    let home = Home::new();
    config(&home);
    let mut alice = run(&home, &[]);
    let mut bob = Start::with(&["drill", "join", "--as", "bob"]).size(60, 15).run(&home);
    bob.shows("2 play");
    bob.resize(100, 30);
    bob.shows("INCIDENTS 0");
    bob.walk(&[("6", "-- ALERT --"), ("?", "EVERYWHERE"), ("\x1b", "-- ALERT --")]);
    bob.keys("q");
    bob.keys("q");
    assert_eq!(bob.ended().code(), Some(0));
    assert!(bob.screen().contains("the drill goes on without you") && bob.left_behind().is_empty());
    alice.hides("2 play");
    // One whose terminal is torn away is no longer there either.
    let mut carol = Start::with(&["drill", "join", "--as", "carol"]).run(&home);
    alice.shows("2 play: alice, carol");
    carol.close();
    alice.hides("2 play");
    // And one whose drill is killed is told, and has the terminal back.
    let mut dave = Start::with(&["drill", "join", "--as", "dave"]).run(&home);
    dave.shows("2 play: alice, dave");
    alice.signal(rustix::process::Signal::KILL);
    alice.ended();
    dave.shows("the drill's process is gone");
    assert_eq!(dave.ended().code(), Some(1));
    assert!(dave.left_behind().is_empty());
    // A socket that nobody listens at is no running drill.
    let (code, _, err) = control(&home, &[]);
    assert!(code == Some(1) && err.contains("no drill runs"), "{err}");
}

#[test]
fn garbage_at_the_socket_is_answered_and_harms_nobody() {
    let home = Home::new();
    config(&home);
    let mut alice = run(&home, &[]);
    let run = folder(&home).join("DRILL-run");
    let mode = |path: &PathBuf| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&run), mode(&run.join("DRILL.sock"))), (0o700, 0o600));
    let mut socket = UnixStream::connect(run.join("DRILL.sock")).unwrap();
    let mut answers = BufReader::new(socket.try_clone().unwrap());
    let mut asked = |bytes: &[u8], word: &str| {
        socket.write_all(bytes).unwrap();
        let mut line = String::new();
        answers.read_line(&mut line).unwrap();
        assert!(line.starts_with('{') && line.contains(word), "{line}");
    };
    asked(b"hello\n", "not understood");
    asked(b"\xff\xfe\n", "not UTF-8");
    asked(b"{\"do\":\"fire\"}\n", "missing field");
    asked(&[vec![b'x'; 5_000_000], b"\n".to_vec()].concat(), "at most 65536 bytes");
    asked(b"{\"do\":\"join\",\"person\":\"facilitator\"}\n", "no name for a player");
    asked(b"\n\n{\"do\":\"observe\"}\n", "\"scenario\":\"bad-deploy\"");
    // A seat whose player types nonsense goes on as well.
    asked(
        b"{\"do\":\"join\",\"person\":\"eve\",\"size\":[65535,65535],\"theme\":\"no\",\"glyphs\":\"no\"}\n",
        "eve sits down",
    );
    socket.write_all(b"nonsense\n{\"keys\":[\"Nope\",\"\",\"6\"]}\n{\"size\":[0,0]}\n{\"size\":[80,24]}\n").unwrap();
    for word in ["not understood", "ALERTS"] {
        let mut heard = String::new();
        while !heard.contains(word) {
            assert_ne!(answers.read_line(&mut heard).unwrap(), 0, "no {word}: {heard}");
        }
    }
    alice.shows("2 play: alice, eve");
    drop((socket, answers));
    alice.hides("2 play");
    alice.lives();
    alice.keys("q");
    assert_eq!(alice.ended().code(), Some(0));
}

#[test]
fn a_real_page_rings_and_stops_the_clock_until_it_is_answered() {
    let home = Home::new();
    let server = Prometheus::start();
    home.write("config.yaml", &server.config());
    let mut alice = run(&home, &[]);
    let bob = Start::with(&["drill", "join", "--as", "bob"]).size(80, 24).run(&home);
    alice.shows("REAL: quiet");
    bob.shows("REAL: quiet");
    alice.walk(&[("i", "Declare an incident"), ("half a sentence", "half a sentence")]);
    let rings = |terminal: &Terminal| terminal.bytes().iter().filter(|b| **b == 7).count();
    let before = rings(&alice);
    server.fire("RealApiDown", "not a drill");
    alice.shows("REAL PAGE, this is not the drill");
    bob.shows("REAL: 1 page firing: RealApiDown");
    assert!(rings(&alice) > before, "it rings");
    let (now, again) = (observed(&home)["now"].clone(), observed(&home)["now"].clone());
    assert_eq!(now, again, "the clock stands");
    let (code, _, err) = control(&home, &["continue"]);
    assert!(code == Some(1) && err.contains("real page"), "{err}");
    // Letters, Enter and Esc are no answer, and what was being typed is still there afterwards.
    alice.keys("yq\r");
    alice.walk(&[("\x07", "half a sentence")]);
    bob.hides("this is not the drill");
    wait_for(|| if observed(&home)["now"] == now { Err("stands".to_owned()) } else { Ok(()) });
    alice.shows("REAL: 1 page firing");
    // Another page rings again; this time one leaves.
    server.fire("RealDbDown", "not a drill either");
    alice.shows("RealDbDown");
    alice.shows("REAL PAGE, this is not the drill");
    alice.keys("\x18");
    assert_eq!(alice.ended().code(), Some(0));
    bob.shows("is over (left)");
    let log = std::fs::read_to_string(folder(&home).join("DRILL-log.jsonl")).unwrap();
    assert!(log.contains("a real page, the drill stands: RealApiDown") && log.contains("was answered"), "{log}");
    assert!(crate::terminal::events(&home.data()).is_empty(), "nothing of it is in the record of incidents");
}

#[test]
fn a_real_world_that_does_not_answer_is_never_quiet() {
    let home = Home::new();
    home.write(
        "config.yaml",
        "responder: {name: alice}\nprometheus:\n  - {name: main, url: 'http://127.0.0.1:9', poll_interval: 1s, timeout: 2s}\n",
    );
    let mut alice = run(&home, &[]);
    let screen = alice.shows("REAL: not known: main");
    assert!(!screen.contains("quiet"), "{screen}");
    alice.keys("q");
    assert_eq!(alice.ended().code(), Some(0));
}

#[test]
fn lines_without_a_terminal_end_with_the_drill() {
    let home = Home::new();
    config(&home);
    let mut drill = midwatch(&home, &["drill", "run", "bad-deploy", "--speed", "60"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(drill.stdout.take().unwrap());
    let mut out = String::new();
    while !out.contains("REAL: not known") {
        assert_ne!(lines.read_line(&mut out).unwrap(), 0, "{out}");
    }
    does(&home, &["abort"], "aborted");
    lines.read_to_string(&mut out).unwrap();
    assert_eq!(drill.wait().unwrap().code(), Some(0), "{out}");
    for words in ["REAL: not known", "the drill is over (aborted)", "of 100 points"] {
        assert!(out.contains(words), "{words}: {out}");
    }
}

#[test]
fn the_facilitators_screen_shows_its_keys_and_steers() {
    let home = Home::new();
    config(&home);
    let mut alice = run(&home, &[]);
    let mut screen = Start::with(&["drill", "control"]).size(80, 24).run(&home);
    screen.shows("players must not see this");
    for key in ["f fire", "s skip", "d delay", "h hint", "p persona", "z pause", "v speed", "x abort", "q leave"] {
        screen.shows(key);
    }
    screen.walk(&[("f", "fire it now?"), ("y", "deploy came")]);
    screen.walk(&[("h", "hint (costs 5"), ("12 look at the deploys\r", "it costs 12")]);
    alice.shows("hint: look at the deploys");
    screen.walk(&[("z", "STANDS STILL: paused by the facilitator")]);
    alice.shows("DRILL STANDS STILL");
    screen.keys("z");
    alice.hides("STANDS STILL");
    screen.walk(&[("p", "NAME: TEXT"), ("boss: is it over?\r", "boss said it")]);
    alice.shows("boss: is it over?");
    screen.walk(&[
        ("x", "type abort"),
        ("nonsense\r", "not the word"),
        ("x", "type abort"),
        ("abort enough\r", "OVER: aborted"),
    ]);
    alice.keys("q");
    assert_eq!(alice.ended().code(), Some(0));
    screen.shows("its process is gone");
    screen.keys("q");
    assert_eq!(screen.ended().code(), Some(0));
    assert!(screen.left_behind().is_empty());
}

#[test]
fn a_drill_whose_terminal_is_torn_away_still_leaves_its_report() {
    let home = Home::new();
    config(&home);
    let mut alice = run(&home, &[]);
    let mut bob = Start::with(&["drill", "join", "--as", "bob"]).size(80, 24).run(&home);
    bob.shows("2 play");
    does(&home, &["hint", "look at the deploys"], "it costs 5");
    alice.close();
    bob.shows("is over (left)");
    assert_eq!(bob.ended().code(), Some(0));
    alice.ended();
    let report = std::fs::read_to_string(folder(&home).join("DRILL-report.md")).unwrap();
    assert!(report.contains("look at the deploys"), "{report}");
    assert!(home.data().join("drills/history.jsonl").exists());
}

/// From the page to the end, at the size of a small terminal, ten times as fast as time.
#[test]
fn a_shipped_scenario_is_played_to_its_end() {
    let home = Home::new();
    config(&home);
    let mut alice = run(&home, &["--speed", "10"]);
    does(&home, &["fire", "deploy"], "deploy came");
    alice.shows("!! CheckoutErrorsHigh");
    alice.walk(&[("6", "ALERTS"), ("i", "Declare an incident from CheckoutErrorsHigh"), ("\r", "Page the on-call?")]);
    alice.walk(&[("n", "TIMELINE")]);
    alice.keys("a");
    alice.hides("UNACKED");
    alice.walk(&[("c", "Roles of INC-"), ("\r", "commander alice"), ("r", "STEP 1")]);
    alice.walk(&[(":arm", "Allow running commands"), ("\r", "type arm"), ("arm\r", "ARMED")]);
    alice.hides("type arm");
    alice.walk(&[("d", "STEP 2")]);
    wait_for(|| {
        alice.keys("\r");
        let screen = alice.screen();
        if screen.contains("Run option 1 of Stop the pain?") { Ok(()) } else { Err(screen) }
    });
    alice.keys("y");
    alice.walk(&[("q", "TIMELINE"), ("s", "Status of INC-"), ("\x1b[C\twe roll back\r", "we roll back")]);
    alice.shows("the drill is over (well)");
    alice.keys("q");
    alice.keys("q");
    assert_eq!(alice.ended().code(), Some(0));
    let score: Value =
        serde_json::from_str(&std::fs::read_to_string(folder(&home).join("DRILL-score.json")).unwrap()).unwrap();
    assert_eq!(score["points"], score["of"], "{score:#}");
    let output = midwatch(&home, &["drill", "report", "-o", "json"]).output().unwrap();
    let history = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(history.contains("\"checkout-errors\"") && history.contains("\"alice\""), "{history}");
    for entry in std::fs::read_dir(folder(&home)).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        assert!(name.starts_with("DRILL-"), "{name}");
    }
}

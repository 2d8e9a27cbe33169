//! The demo: a whole incident on simulated data from the page to the draft, and proof that it touches nothing.

use crate::terminal::{Home, Start, Terminal, wait_for};
use rustix::process::Signal;
use std::path::{Path, PathBuf};

/// Every Markdown file below a folder.
fn drafts(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(drafts(&path));
        } else if path.extension().is_some_and(|e| e == "md") {
            found.push(path);
        }
    }
    found
}

/// The last four characters of the incident's id, which must be typed to resolve it.
pub fn token(terminal: &Terminal) -> String {
    let screen = terminal.shows("INC-");
    let id: String = screen.split("INC-").nth(1).unwrap().chars().take(15).collect();
    id.chars().skip(11).collect()
}

fn from_page_to_draft(columns: u16, rows: u16) {
    let home = Home::new();
    let mut terminal = Start::with(&["demo", "--speed", "60"]).size(columns, rows).run(&home);
    terminal.shows("!! CheckoutErrorBudgetBurn");
    terminal.walk(&[("6", "ALERTS"), ("i", "Declare an incident from CheckoutErrorBudgetBurn")]);
    // A SEV1 asks whether to page; the simulated pager is told, and screen 9 knows.
    terminal.walk(&[("\r", "Page the on-call?"), ("y", "page the on-call"), ("9", "OUTBOX"), ("3", "TIMELINE")]);
    terminal.keys("a");
    terminal.hides("UNACKED");
    terminal.walk(&[("r", "STEP 1"), ("d", "STEP 2"), ("l", "STEP 3"), (":", "COMMANDS")]);
    terminal.walk(&[("arm", "Allow running commands"), ("\r", "type arm"), ("arm\r", "ARMED")]);
    terminal.hides("type arm");
    terminal.walk(&[("\r", "look where we are")]);
    // Enter looks; when that is done it shows the change, and is never a yes to it.
    wait_for(|| {
        terminal.keys("\r");
        let screen = terminal.screen();
        if screen.contains("Run option 1 of Mitigate?") { Ok(()) } else { Err(screen) }
    });
    // The change is watched until the burn rate has held for its time.
    terminal.walk(&[("y", "held since")]);
    terminal.keys("6");
    terminal.hides("CheckoutErrorBudgetBurn  page");
    let token = token(&terminal);
    terminal.walk(&[("3", "TIMELINE"), ("x", "Resolve INC-"), ("rolled back\r", "anything else cancels")]);
    terminal.keys(&format!("{token}\r"));
    terminal.shows("postmortem");
    let written = wait_for(|| drafts(&home.folder()).pop().ok_or_else(|| "no draft".to_owned()));
    let text = std::fs::read_to_string(written).unwrap();
    assert!(text.contains("Changes in Force") && text.contains("held from"), "{text}");
    assert!(text.contains("rollout undo") && text.contains("Error Budget of checkout\\_success"), "{text}");
    terminal.signal(Signal::TERM);
    terminal.ended();
    assert_eq!(terminal.left_behind(), Vec::<String>::new());
}

#[test]
fn the_demo_goes_from_the_page_to_the_draft_at_80_columns() {
    from_page_to_draft(80, 24);
}

#[test]
fn the_demo_goes_from_the_page_to_the_draft_at_120_columns() {
    from_page_to_draft(120, 40);
}

#[test]
fn p4c_the_demo_opens_no_socket_and_starts_no_process() {
    let home = Home::new();
    let log = home.folder().join("strace");
    let calls = "trace=socket,connect,bind,listen,sendto,execve,execveat,fork,vfork,clone,clone3";
    let works = std::process::Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).status();
    if !works.is_ok_and(|s| s.success()) {
        println!("skipped: strace is not installed or may not trace");
        return;
    }
    let path = log.to_string_lossy().into_owned();
    let arguments = ["-f", "-qq", "-e", calls, "-o", &path, crate::terminal::PROGRAM, "demo", "--speed", "60"];
    let mut terminal = Start::with(&arguments).program("strace").run(&home);
    terminal.shows("!! CheckoutErrorBudgetBurn");
    terminal.walk(&[("6", "ALERTS"), ("i", "Declare an incident from"), ("\r", "Page the on-call?")]);
    // The page goes out to the simulated pager, and to nobody else.
    terminal.walk(&[("y", "TIMELINE"), ("9", "ok done"), ("3", "TIMELINE"), ("r", "STEP 1")]);
    terminal.walk(&[("l", "STEP 2"), (":", "COMMANDS"), ("arm", "Allow running commands"), ("\r", "type arm")]);
    terminal.keys("arm\r");
    terminal.hides("type arm");
    terminal.walk(&[("\r", "of Look?"), ("y", "exit 0"), ("1", "objective"), ("q", "")]);
    assert_eq!(terminal.ended().code(), Some(0));
    let text = std::fs::read_to_string(log).unwrap();
    // `???(` is a thread that ended before its call could be read: no call at all.
    let calls: Vec<&str> = text.lines().filter(|l| l.contains('(') && !l.contains("???(")).collect();
    assert_eq!(calls.iter().filter(|l| l.contains("execve(")).count(), 1, "itself: {text}");
    assert!(calls.iter().any(|l| l.contains("CLONE_THREAD")), "the trace follows threads: {text}");
    let other = |l: &&&str| !l.contains("execve(") && !l.contains("CLONE_THREAD") && !l.contains("resumed>");
    assert_eq!(calls.iter().filter(other).collect::<Vec<_>>(), Vec::<&&str>::new());
}

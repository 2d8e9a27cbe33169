//! An incident of the record wound back and forth in a real terminal; nothing of it changes a file.

use crate::terminal::{Home, Start, Terminal};
use std::path::{Path, PathBuf};

/// Every file below a folder that outlives a reader, with its bytes.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.path() {
            path if path.is_dir() => found.extend(files(&path)),
            path if path.to_string_lossy().ends_with("-wal") || path.to_string_lossy().ends_with("-shm") => {}
            path => found.push((path.clone(), std::fs::read(&path).unwrap())),
        }
    }
    found.sort();
    found
}

fn lines(home: &Home, arguments: &[&str]) -> String {
    let mut terminal = Start::with(arguments).run(home);
    assert_eq!(terminal.ended().code(), Some(0), "{arguments:?}: {}", terminal.screen());
    terminal.screen()
}

fn told(home: &Home) {
    home.write("config.yaml", "responder: {name: alice}\ntime_zone: UTC\n");
    lines(home, &["incident", "declare", "--title", "Checkout fails", "--severity", "sev2", "--service", "checkout"]);
    lines(home, &["incident", "ack", "last"]);
    lines(home, &["incident", "note", "last", "roll back 412", "--kind", "decision"]);
    lines(home, &["incident", "resolve", "last", "--summary", "rolled back"]);
}

fn wound(columns: u16, rows: u16) {
    let home = Home::new();
    told(&home);
    let before = files(&home.folder());
    let mut terminal: Terminal = Start::with(&["replay", "last"]).size(columns, rows).run(&home);
    let screen = terminal.shows("REPLAY");
    assert!(screen.contains("paused x10") && screen.contains("investigating"), "{screen}");
    assert!(screen.contains("UNACKED") && !screen.contains("roll back 412"), "{screen}");
    terminal.keys("d");
    terminal.shows("roll back 412");
    terminal.hides("UNACKED");
    terminal.keys("\x1b[D");
    terminal.hides("roll back 412");
    terminal.keys("}");
    terminal.shows("resolved: rolled back");
    // What would change something says why it does not.
    terminal.walk(&[("n", "nothing is recorded, sent or run"), ("0", "PLAYBOOK"), ("?", "HELP desk")]);
    terminal.keys("\x1b");
    terminal.hides("HELP desk");
    terminal.walk(&[("1", "none is open"), ("{", "UNACKED"), (" ", "REPLAY"), ("7", "not recorded")]);
    terminal.resize(columns + 7, rows + 3);
    terminal.shows("REPLAY");
    terminal.keys("qqq");
    assert_eq!(terminal.ended().code(), Some(0));
    assert_eq!(terminal.left_behind(), Vec::<String>::new());
    assert!(before == files(&home.folder()), "it wrote a file");
}

#[test]
fn a_recorded_incident_is_wound_at_80_columns() {
    wound(80, 24);
}

#[test]
fn a_recorded_incident_is_wound_at_120_columns() {
    wound(120, 40);
}

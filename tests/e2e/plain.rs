//! Terminals and people that cannot use a full screen get lines.

use crate::fake::Prometheus;
use crate::steering;
use crate::terminal::{Home, Start};

#[test]
fn a_dumb_terminal_and_a_screen_reader_get_plain_lines() {
    for (name, value) in [("TERM", "dumb"), ("ACCESSIBLE", "1")] {
        let home = Home::new();
        let server = Prometheus::start();
        home.write("config.yaml", &server.config());
        let mut terminal = Start::default().set(name, value).run(&home);
        terminal.shows("plain lines");
        terminal.shows("STATUS");
        assert!(!terminal.is_raw() && !terminal.look(vt100::Screen::alternate_screen));
        server.fire("ApiDown", "all is lost");
        terminal.shows("ApiDown");
        terminal.keys("quit\n");
        assert_eq!(terminal.ended().code(), Some(0));
        let kinds = steering::kinds(&terminal.bytes()).unwrap();
        let lines: Vec<&String> = kinds.iter().collect();
        assert!(lines.iter().all(|k| ["'\\r'", "'\\n'"].contains(&k.as_str())), "no escape at all: {kinds:?}");
    }
}

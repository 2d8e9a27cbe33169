//! P1: only our bytes steer the terminal, whatever an alert says.

use crate::fake::Prometheus;
use crate::steering;
use crate::terminal::{Home, Start};

/// What would steer a terminal, break a line, hide or turn text around.
const HOSTILE: [&str; 12] = [
    "\x1b[2J\x1b[?1049lgone",
    "\x1b]0;title\x07",
    "\x1b]52;c;cm0gLXJmIH4=\x07",
    "\x1b[6n\x1b[c\x1bZ",
    "\u{9b}31mred\u{9d}2;x\u{9c}",
    "a\rb\nc\td\x08e\x07f",
    "\x1bP+q544e\x1b\\",
    "\u{202e}desrever\u{2066}",
    "zero\u{200b}width\u{feff}\u{ad}",
    "\u{2028}line\u{2029}",
    "\u{e0041}\u{e0042}tag",
    "\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\",
];

/// Every screen that shows the alert, then out.
fn stream(text: &str) -> Vec<u8> {
    let home = Home::new();
    let server = Prometheus::start();
    server.fire("Hostile", text);
    home.write("config.yaml", &server.config());
    let mut terminal = Start::default().run(&home);
    terminal.shows("Hostile");
    terminal.walk(&[
        ("6", "ALERTS"),
        ("y", "clipboard"),
        ("i", "Declare an incident from"),
        ("\r", "declared INC-"),
        ("n", "Note for"),
    ]);
    // The same text typed and pasted by a person.
    terminal.walk(&[("kept ", "kept")]);
    terminal.keys(&format!("\x1b[200~{}\x1b[201~\r", text.replace('\x1b', "")));
    terminal.until("the note is in the timeline", |s| s.contains("alice kept") && !s.contains("Note for"));
    terminal.walk(&[("p", "Postmortem"), ("1", "INCIDENTS 1"), ("q", "")]);
    assert_eq!(terminal.ended().code(), Some(0));
    assert_eq!(terminal.left_behind(), Vec::<String>::new());
    terminal.bytes()
}

#[test]
fn p1_hostile_text_steers_nothing() {
    let harmless = steering::kinds(&stream("all is well")).unwrap();
    let all = HOSTILE.concat();
    for text in HOSTILE.into_iter().take(4).chain([all.as_str()]) {
        let bytes = stream(text);
        match steering::kinds(&bytes) {
            Ok(kinds) => assert_eq!(kinds, harmless, "{text:?}"),
            Err(why) => panic!("{text:?}: {why}"),
        }
    }
}

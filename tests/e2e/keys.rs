//! What a terminal sends that is no key: cut sequences, pastes, sizes. None of it may act.

use crate::fake::Prometheus;
use crate::terminal::{Home, Start, Terminal, events, wait_for};
use std::time::Duration;

fn demo(start: Start) -> (Home, Terminal) {
    let home = Home::new();
    let terminal = start.run(&home);
    terminal.shows("simulated data");
    (home, terminal)
}

#[test]
fn a_cut_arrow_key_neither_quits_nor_acts() {
    let home = Home::new();
    let server = Prometheus::start();
    home.write("config.yaml", &server.config());
    let mut terminal = Start::default().run(&home);
    terminal.shows("no active incident");
    for rest in ["[A", "[B", "OA", "[Z", "[5~", "[15~"] {
        terminal.keys("\x1b");
        // Longer than any grace: the pieces are keys of their own then.
        std::thread::sleep(Duration::from_millis(120));
        terminal.keys(rest);
    }
    terminal.keys("\x1b");
    std::thread::sleep(Duration::from_millis(5));
    terminal.keys("[A");
    // The next key answers: everything before it was taken in.
    terminal.walk(&[("7", "SOURCES"), ("1", "no active incident")]);
    terminal.lives();
    assert_eq!(events(&home.data()).len(), 0, "nothing was done");

    // Inside a form a lone escape keeps what was typed, and the rest of the arrow key does not end it either.
    terminal.walk(&[("i", "title"), ("half a title", "half a title")]);
    terminal.keys("\x1b");
    std::thread::sleep(Duration::from_millis(120));
    terminal.keys("[A");
    terminal.until("the title is kept", |s| s.contains("half a title"));
    terminal.keys("\r");
    wait_for(|| (!events(&home.data()).is_empty()).then_some(()).ok_or_else(|| "not declared".into()));
}

#[test]
fn a_paste_is_text_in_a_field_and_nothing_anywhere_else() {
    let home = Home::new();
    let server = Prometheus::start();
    home.write("config.yaml", &server.config());
    let mut terminal = Start::default().run(&home);
    terminal.shows("no active incident");
    terminal.keys("\x1b[200~qiq:quit\r\n\x1b[201~");
    terminal.shows("pasted text does nothing here");
    terminal.lives();
    terminal.walk(&[("i", "title")]);
    terminal.keys("\x1b[200~pool is full\rq\n:quit\x1b[201~");
    terminal.shows("pool is full");
    terminal.lives();
    assert_eq!(events(&home.data()).len(), 0, "the line break of a paste is no Enter");
    terminal.keys("\r");
    let all = wait_for(|| {
        let all = events(&home.data());
        if all.is_empty() { Err("not declared".to_owned()) } else { Ok(all) }
    });
    assert!(format!("{all:?}").contains("pool is full"), "{all:?}");
}

#[test]
fn every_size_is_drawn_and_a_storm_of_sizes_ends_at_the_last() {
    for (columns, rows) in [(1, 1), (20, 5), (40, 10), (80, 24), (120, 40), (300, 100)] {
        let home = Home::new();
        let mut terminal = Start::with(&["demo"]).size(columns, rows).run(&home);
        terminal.until("something is drawn", |screen| !screen.trim().is_empty());
        terminal.lives();
        terminal.resize(100, 30);
        terminal.shows("simulated data");
        terminal.keys("q");
        assert_eq!(terminal.ended().code(), Some(0), "from {columns}x{rows}");
        assert_eq!(terminal.left_behind(), Vec::<String>::new());
    }
    let (_home, mut terminal) = demo(Start::with(&["demo"]));
    for n in 0..200u16 {
        terminal.resize(1 + n * 37 % 300, 1 + n * 13 % 100);
        terminal.keys(if n % 2 == 0 { "j" } else { "2" });
    }
    terminal.resize(120, 40);
    terminal.keys("1");
    let screen = terminal.until("the last size is filled", |screen| {
        let lines: Vec<&str> = screen.lines().collect();
        lines.first().is_some_and(|l| l.contains("simulated data")) && lines.get(39).is_some_and(|l| l.contains("help"))
    });
    assert!(screen.contains("objective"), "{screen}");
    terminal.lives();
}

#[test]
fn without_colour_the_selection_is_still_seen() {
    let (_home, terminal) = demo(Start::with(&["demo"]).set("NO_COLOR", "1"));
    terminal.shows("objective");
    terminal.keys("j");
    let reversed = || {
        terminal.look(|screen| {
            let (rows, columns) = screen.size();
            (0..rows.get())
                .filter(|y| (0..columns.get()).any(|x| screen.cell(*y, x).is_some_and(vt100::Cell::inverse)))
                .count()
        })
    };
    wait_for(|| if reversed() > 0 { Ok(()) } else { Err(format!("nothing is reversed\n{}", terminal.screen())) });
    let coloured = terminal.look(|screen| {
        let (rows, columns) = screen.size();
        let plain = |c: &vt100::Cell| c.fgcolor() == vt100::Color::Default && c.bgcolor() == vt100::Color::Default;
        (0..rows.get()).any(|y| (0..columns.get()).any(|x| screen.cell(y, x).is_some_and(|cell| !plain(cell))))
    });
    assert!(!coloured, "NO_COLOR means no colour");
}

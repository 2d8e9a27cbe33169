//! P14 and P15: the terminal is left as it was found on every way out, and a terminal that is gone takes the process along.

use crate::fake::Prometheus;
use crate::terminal::{Home, PROGRAM, Start, Terminal, instant, recorded, wait_for};
use rustix::process::Signal;
use std::time::Duration;

/// The cockpit on a fake Prometheus, its first frame drawn and the record open.
fn cockpit(home: &Home, start: Start) -> (Prometheus, Terminal) {
    let server = Prometheus::start();
    home.write("config.yaml", &server.config());
    let terminal = start.run(home);
    terminal.shows("no active incident");
    (server, terminal)
}

#[track_caller]
fn leaves_as_found(mut terminal: Terminal, code: i32) {
    let status = terminal.ended();
    assert_eq!(status.code(), Some(code), "{status}\n{}", terminal.screen());
    assert_eq!(terminal.left_behind(), Vec::<String>::new());
}

#[test]
fn p14_quit_gives_the_terminal_back() {
    let home = Home::new();
    let (_server, terminal) = cockpit(&home, Start::default());
    assert!(terminal.is_raw() && terminal.look(vt100::Screen::alternate_screen), "it was taken in between");
    assert!(terminal.look(vt100::Screen::hide_cursor) && terminal.look(vt100::Screen::bracketed_paste));
    terminal.keys("q");
    leaves_as_found(terminal, 0);
}

#[test]
fn p14_signals_give_the_terminal_back() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::QUIT, 131), (Signal::HUP, 129)] {
        let home = Home::new();
        let (_server, terminal) = cockpit(&home, Start::default());
        assert!(terminal.is_raw());
        terminal.signal(signal);
        leaves_as_found(terminal, code);
    }
}

#[test]
fn p14_a_panic_in_any_thread_gives_the_terminal_back_and_is_reported() {
    for place in ["machine", "io", "painter"] {
        let home = Home::new();
        let mut terminal = Start::with(&["demo"]).set("MIDWATCH_TEST_PANIC", place).run(&home);
        assert_eq!(terminal.ended().code(), Some(101), "{place}\n{}", terminal.screen());
        assert_eq!(terminal.left_behind(), Vec::<String>::new(), "{place}");
        let screen = terminal.shows(&format!("rehearsed in {place}"));
        assert!(!screen.contains("objective"), "nothing is drawn over the report:\n{screen}");
    }
}

#[test]
fn p14_a_signal_ends_it_even_while_nobody_reads_its_terminal() {
    let home = Home::new();
    let mut terminal = Start::with(&["demo", "--speed", "60"]).size(300, 100).run(&home);
    terminal.shows("simulated data");
    terminal.stall();
    // Each redraw writes a whole frame, until the terminal takes no more.
    for _ in 0..40 {
        terminal.keys("\x0c");
        terminal.keys("1");
        std::thread::sleep(Duration::from_millis(20));
    }
    terminal.signal(Signal::TERM);
    assert_eq!(terminal.ended().code(), Some(143));
    assert!(!terminal.is_raw(), "the settings need no byte to be written");
}

#[test]
fn p14_suspend_gives_the_terminal_to_the_shell_and_fg_takes_it_again() {
    let home = Home::new();
    let server = Prometheus::start();
    home.write("config.yaml", &server.config());
    let shell = Start::with(&["--norc", "--noprofile", "-i"]).program("bash").set("PS1", "prompt> ").run(&home);
    shell.shows("prompt>");
    shell.keys(&format!("{PROGRAM}\n"));
    shell.shows("no active incident");
    for turn in 1..=2 {
        shell.keys("\x1a");
        shell.until("the shell's prompt", |screen| screen.contains("Stopped") && screen.contains("prompt>"));
        assert!(!shell.look(vt100::Screen::alternate_screen) && !shell.look(vt100::Screen::hide_cursor));
        shell.keys(&format!("echo back $((40+{turn}))\n"));
        shell.shows(&format!("back {}", 40 + turn));
        shell.keys("fg\n");
        shell.shows("no active incident");
        assert!(shell.look(vt100::Screen::alternate_screen));
        // It takes keys again.
        shell.walk(&[("7", "SOURCES"), ("1", "no active incident")]);
    }
    shell.keys("q");
    shell.until("the shell's prompt", |screen| !screen.contains("no active incident"));
    shell.keys("echo code $?\n");
    shell.shows("code 0");
    shell.keys("exit\n");
}

#[test]
fn p14_without_a_shell_to_come_back_from_it_is_not_suspended() {
    let home = Home::new();
    let (_server, mut terminal) = cockpit(&home, Start::default());
    terminal.keys("\x1a");
    terminal.shows("not suspended");
    terminal.lives();
    terminal.keys("q");
    leaves_as_found(terminal, 0);
}

/// Closes the terminal `after` so long and sees the process end; with `wrapped` another process is the session's leader,
/// so that no SIGHUP comes.
fn gone(after: Duration, wrapped: bool) {
    let home = Home::new();
    let server = Prometheus::start();
    home.write("config.yaml", &server.config());
    let pid_file = home.config().join("pid");
    let start = if wrapped {
        let script = "trap '' HUP; \"$0\" & echo $! > pid; wait; sleep 60";
        // A job in the background of a shell without job control has /dev/null as its input: give it the terminal.
        let script = script.replace("\"$0\" &", "\"$0\" <&3 & exec 3<&-;");
        Start::with(&["-c", &format!("exec 3<&0; {script}"), PROGRAM]).program("sh")
    } else {
        Start::default()
    };
    let mut terminal = start.run(&home);
    if !after.is_zero() {
        terminal.shows("no active incident");
        terminal.walk(&[("i", "title"), ("it burns\r", "declared")]);
        wait_for(|| (!recorded(&home.data()).is_empty()).then_some(()).ok_or_else(|| "nothing recorded".into()));
        std::thread::sleep(after);
    }
    let pid = if wrapped {
        wait_for(|| {
            let text = std::fs::read_to_string(&pid_file).unwrap_or_default();
            text.trim().parse::<i32>().map_err(|e| e.to_string())
        })
    } else {
        terminal.pid().as_raw_nonzero().get()
    };
    let closed = instant();
    terminal.close();
    // Bounded by far more than the second it should take: what is proven is that it ends at all and by itself.
    if wrapped {
        let ended = || {
            let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let dead = state.is_empty() || state.contains(") Z");
            dead.then_some(()).ok_or_else(|| format!("process {pid} still runs: {state}"))
        };
        wait_for(ended);
    } else {
        terminal.ended();
    }
    println!("gone {:?} after its terminal", closed.elapsed());
    let saved = recorded(&home.data());
    assert!(after.is_zero() || saved.iter().any(|e| e.contains("it burns")), "{saved:?}");
}

#[test]
fn p15_a_terminal_that_is_gone_takes_the_process_along() {
    for after in [0, 1, 40, 170] {
        gone(Duration::from_millis(after), false);
    }
}

#[test]
fn p15_it_ends_without_any_hang_up_signal_too() {
    for after in [1, 90] {
        gone(Duration::from_millis(after), true);
    }
}

#[test]
fn p15_it_ends_when_the_terminal_goes_while_it_is_full() {
    let home = Home::new();
    let mut terminal = Start::with(&["demo", "--speed", "60"]).size(300, 100).run(&home);
    terminal.shows("simulated data");
    terminal.stall();
    for _ in 0..40 {
        terminal.keys("\x0c");
        std::thread::sleep(Duration::from_millis(20));
    }
    terminal.close();
    terminal.ended();
}
